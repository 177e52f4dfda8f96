import Report

/// The policies as a person reads them.
public enum PolicyListing {
  /// A paragraph each, under their groups.
  public static func text(_ policies: [Policy]) -> String {
    var lines: [String] = []
    var group = ""
    for policy in policies {
      if policy.group != group {
        if !lines.isEmpty { lines.append("") }
        lines.append(policy.group)
        group = policy.group
      }
      lines.append("  \(policy.name): \(policy.title)")
      for line in wrapped(policy.about) { lines.append("    \(line)") }
      for line in wrapped("Source (\(policy.standing.rawValue), read \(policy.date)): \(policy.source)") {
        lines.append("    \(line)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func wrapped(_ text: String) -> [String] {
    brokenLines(text.replacing("\n", with: " "), to: TextStyle.defaultWidth - 4)
  }
}
