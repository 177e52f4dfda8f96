public import Classify
import Foundation

extension EvasionCheck {
  /// A check of policies, which see the rewritten captures as the replay's boxes do.
  /// - Parameters:
  ///   - classifier: gives the verdicts.
  ///   - policies: all of them; those that look at nothing in a hello are counted only.
  ///   - maximumHellos: the most hellos that are rewritten, 1 to `EvasionCheck.maximumHellos`.
  public init(classifier: Classifier, policies: [Policy], maximumHellos: Int = EvasionCheck.defaultMaximumHellos) {
    self.init(
      classifier: classifier, policies: policies, boxes: .traces(classifier), maximumHellos: maximumHellos)
  }
}

extension EvasionCheck.Boxes {
  /// Boxes as the replay has them.
  static func traces(_ classifier: Classifier) -> EvasionCheck.Boxes {
    EvasionCheck.Boxes(
      sights: { capture in
        // A trace is read from a file.
        let file = FileManager.default.temporaryDirectory.appending(path: "wiretag-evasions-\(UUID().uuidString).pcap")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(capture).write(to: file)
        var reader = TraceReader(classifier: classifier)
        return try reader.read(path: file.path, name: "evasions").flows
      },
      matcher: { policy in
        let matcher = PolicyMatcher(policy)
        return { matcher.match(in: $0) != nil }
      })
  }
}
