/// Places of the page that names out of a policy file or out of traffic lead to: unique, of letters, digits and hyphens.
struct PageAnchors {
  /// By policy's index, and by policy's and column's.
  private var policies: [Int: String] = [:]
  private var cells: [Int: [Int: String]] = [:]

  /// Anchors for all policies and cells; none of them is a word of `reserved`, or one of them with a hyphen behind it.
  init(_ collateral: Collateral, reserved: [String]) {
    var taken = Set(reserved)
    func anchor(_ name: String) -> String {
      let word = PageAnchors.word(name)
      var (anchor, number) = (word, 2)
      while taken.contains(anchor) || reserved.contains(where: { anchor.hasPrefix($0 + "-") }) {
        anchor = "policy-\(word)-\(number)"
        number += 1
      }
      taken.insert(anchor)
      return anchor
    }
    for (index, policy) in collateral.policies.enumerated() { policies[index] = anchor(policy.name) }
    for index in collateral.policies.indices {
      for (column, at) in zip(collateral.columns, collateral.columns.indices) {
        cells[index, default: [:]][at] = anchor("\(policies[index] ?? "")-\(PageAnchors.word(column.key))")
      }
    }
  }

  /// The anchor of a policy.
  func policy(_ index: Int) -> String { policies[index] ?? "policies" }

  /// The anchor of a cell.
  func cell(_ policy: Int, _ column: Int) -> String { cells[policy]?[column] ?? self.policy(policy) }

  /// The most characters of a name that an anchor keeps.
  private static let maximumLength = 60

  /// A name with a hyphen for everything that is no letter and no digit.
  static func word(_ name: String) -> String {
    var word = ""
    for scalar in name.lowercased().unicodeScalars where word.count < maximumLength {
      if ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) {
        word.unicodeScalars.append(scalar)
      } else if !word.isEmpty, word.last != "-" {
        word.append("-")
      }
    }
    if word.last == "-" { word.removeLast() }
    return word.isEmpty ? "unnamed" : word
  }
}
