import Foundation
import Testing

/// The inputs and expected values of `Golden/reference.json`, which tools/statistics-reference.py computes with NumPy,
/// SciPy and scikit-learn. All are synthetic.
enum Reference {
  /// A part of the file: its input and what is expected of it.
  struct Part<Input: Decodable, Expected: Decodable>: Decodable {
    var input: Input
    var expected: Expected
  }

  static func part<Input: Decodable, Expected: Decodable>(
    _ name: String, _: Input.Type = Input.self, _: Expected.Type = Expected.self
  ) throws -> (input: Input, expected: Expected) {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/reference.json")
    let parts = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    let part = try JSONSerialization.data(withJSONObject: #require(parts[name]))
    let decoded = try JSONDecoder().decode(Part<Input, Expected>.self, from: part)
    return (decoded.input, decoded.expected)
  }
}

/// Whether two numbers agree to `tolerance`, as a share of the larger or absolute below 1.
func agree(_ one: Double?, _ other: Double?, _ tolerance: Double = 1e-9) -> Bool {
  guard let one, let other else { return one == nil && other == nil }
  return abs(one - other) <= tolerance * max(1, abs(one), abs(other))
}

/// Whether two lists agree number by number.
func agree(_ one: [Double], _ other: [Double], _ tolerance: Double = 1e-9) -> Bool {
  one.count == other.count && zip(one, other).allSatisfy { agree($0, $1, tolerance) }
}
