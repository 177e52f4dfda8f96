extension Classifier {
  /// Whether a service of the catalogue is one operator's, and not a protocol that many speak.
  public func isOperators(_ service: String) -> Bool {
    guard let number = index.numbers[service] else { return false }
    return !index.services[Int(number)].isGeneric
  }
}
