import Foundation

/// Powers of any exponent.
enum Power {
  static func raise(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
}
