import Classify
import Decode

/// One of the two kinds of traffic that a study tells apart.
///
/// A word names it: a class of messages ("imessage", "notifications", "facetime"), a kind ("imessage.text"), or a flow's
/// service, the media of a service's calls, or tag ("whatsapp", "facetime-media", "calling"). Case, a plural's s, and
/// whether words are joined by spaces, hyphens or underscores do not matter.
public struct TrafficClass: Sendable, Equatable {
  /// By what a record belongs to it.
  public enum Basis: String, Sendable, Codable, CaseIterable {
    case messageClass = "class of message"
    case kind = "kind of message"
    case trueMedia = "media of a service, as the truth file says"
    case media = "media of a service, as Wiretag judges"
    case trueService = "service, as the truth file says"
    case service = "service, as Wiretag judges"
    case trueTag = "tag, as the truth file says"
    case tag = "tag, as Wiretag judges"
  }

  /// The word as the user gave it.
  public let name: String
  /// The word as it is compared.
  public let key: String
  /// By what its records are found in the traffic.
  public let basis: Basis

  /// The class that a word names in some traffic, by the first basis under which anything of it is there.
  /// - Returns: nil where nothing is.
  public init?(_ word: String, in traffic: LabelledTraffic) {
    name = word
    key = Self.key(word)
    for basis in Basis.allCases {
      if Self.holds(key, basis, traffic) {
        self.basis = basis
        return
      }
    }
    return nil
  }

  /// A predicate over the traffic's records that takes constant time.
  public func membership(in traffic: LabelledTraffic) -> @Sendable (LabelledRecord) -> Bool {
    switch basis {
    case .messageClass:
      let wanted = traffic.names.map { Self.isSame($0, key) }
      return { wanted[Int($0.messageClass)] }
    case .kind:
      let wanted = traffic.names.map { Self.isKind($0, key) }
      return { wanted[Int($0.kind)] }
    case .trueMedia, .media, .trueService, .service, .trueTag, .tag:
      let wanted = traffic.flows.map { Self.isSame(Self.value(basis, of: $0) ?? "", key) }
      return { wanted.indices.contains(Int($0.flow)) && wanted[Int($0.flow)] }
    }
  }

  /// Last words of the kinds that hold what a person sends; "message" where it cannot be told which.
  private static let contents: Set<Substring> = ["text", "attachment", "tapback", "edit", "message"]

  /// Whether records of a kind hold what a person or a server wants shown: a text, an alert; not acks, receipts and
  /// typing.
  public static func isContent(_ kind: String) -> Bool {
    if kind.hasPrefix("notification.") { return true }
    return kind.contains(".") && kind.split(separator: ".").last.map(contents.contains) ?? false
  }

  /// Words that name something in the traffic, for messages to a person.
  public static func words(in traffic: LabelledTraffic) -> [String] {
    var words: Set<String> = []
    for record in traffic.records { words.insert(key(traffic.className(record))) }
    for flow in traffic.flows {
      for basis in [Basis.trueMedia, .media, .trueService, .service, .trueTag, .tag] {
        if let value = value(basis, of: flow) { words.insert(key(value)) }
      }
    }
    return words.filter { !$0.isEmpty && $0 != "?" }.sorted()
  }

  private static func holds(_ key: String, _ basis: Basis, _ traffic: LabelledTraffic) -> Bool {
    guard !key.isEmpty else { return false }
    switch basis {
    case .messageClass:
      var used = [Bool](repeating: false, count: traffic.names.count)
      for record in traffic.records { used[Int(record.messageClass)] = true }
      return zip(traffic.names, used).contains { $1 && Self.isSame($0, key) }
    case .kind:
      var used = [Bool](repeating: false, count: traffic.names.count)
      for record in traffic.records { used[Int(record.kind)] = true }
      return zip(traffic.names, used).contains { $1 && Self.isKind($0, key) }
    case .trueMedia, .media, .trueService, .service, .trueTag, .tag:
      return traffic.flows.contains { isSame(value(basis, of: $0) ?? "", key) }
    }
  }

  private static func value(_ basis: Basis, of flow: LabelledFlow) -> String? {
    switch basis {
    case .messageClass, .kind: nil
    case .trueMedia: flow.transport == .udp && flow.trueTag == "calling" ? flow.trueService.map { $0 + "-media" } : nil
    case .media: flow.transport == .udp && flow.tag == .calling ? flow.service.map { $0 + "-media" } : nil
    case .trueService: flow.trueService
    case .service: flow.service
    case .trueTag: flow.trueTag
    case .tag: flow.tag.rawValue
    }
  }

  /// A word in the form in which words are compared.
  static func key(_ word: String) -> String { String(word.lowercased().map { $0 == " " || $0 == "_" ? "-" : $0 }) }

  private static func isSame(_ name: String, _ key: String) -> Bool {
    let name = Self.key(name)
    return !name.isEmpty && (name == key || name + "s" == key || name == key + "s")
  }

  private static func isKind(_ name: String, _ key: String) -> Bool {
    isSame(name, key) || Self.key(name).hasPrefix(key + ".")
  }
}
