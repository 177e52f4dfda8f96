public import Classify
public import Flows

/// A labelled flow to learn from.
public struct LabelledShape: Sendable {
  /// Its capture.
  public var file: String
  /// What makes it the same flow in a copy of the capture: its ends and its first packet's time.
  public var identity: String
  /// Its tag.
  public var tag: Tag
  /// Its shape at its end, and after its first packets with payload.
  public var features: FlowShapeFeatures
  /// Its shape after the first packets with payload, in the order of `earlyPackets`; nil where it has no more.
  public var early: [FlowShapeFeatures?]

  /// After how many packets with payload the shape is looked at again.
  public static let earlyPackets = [1, 5, 15]

  /// A labelled flow.
  public init(file: String, identity: String, tag: Tag, isTCP: Bool, nanoseconds: Int64, shape: ShapeMeter) {
    self.file = file
    self.identity = identity
    self.tag = tag
    features = FlowShapeFeatures(isTCP: isTCP, nanoseconds: nanoseconds, shape: shape)
    let packets = features.packets
    early = Self.earlyPackets.map { count in
      guard packets > count else { return nil }
      let first = shape.first(count)
      return FlowShapeFeatures(isTCP: isTCP, nanoseconds: first.nanoseconds, shape: first.shape)
    }
  }
}

extension ShapeMeter {
  /// The shape as it was after the first packets with payload, of those that are kept one by one; a TLS record counts
  /// from the packet that holds its first byte, where nothing was lost before it.
  func first(_ wanted: Int) -> (shape: ShapeMeter, nanoseconds: Int64) {
    var early = ShapeMeter()
    var nanoseconds: UInt64 = 0
    var bytes = (toServer: 0, toClient: 0)
    for i in 0..<min(wanted, Int(packetCount), Self.firstPackets) {
      let size = Int32(sizes[i])
      nanoseconds &+= UInt64(gaps[i]) * 1000
      early.count(size: abs(size), gap: i == 0 ? nil : UInt64(gaps[i]) * 1000, isToServer: size > 0)
      if size > 0 { bytes.toServer += Int(size) } else { bytes.toClient -= Int(size) }
    }
    var begun = (toServer: 0, toClient: 0)
    for i in 0..<min(Int(recordCount), Self.firstRecords) {
      let length = Int(records[i])
      guard length >= 0 ? begun.toServer < bytes.toServer : begun.toClient < bytes.toClient else { continue }
      early.records[Int(early.recordCount)] = records[i]
      early.recordCount += 1
      if length >= 0 { begun.toServer += length + 5 } else { begun.toClient += 5 - length }
    }
    return (early, Int64(clamping: nanoseconds))
  }
}

/// Labelled flows with what each weighs and which of them must stay together.
public struct TrainingSet: Sendable {
  /// What is held out together.
  public enum Grouping: String, Sendable, CaseIterable {
    /// A capture, and every capture that shares a flow with it: copies of one capture are one.
    case file
    /// All captures of a folder.
    case folder
  }

  /// The flows, in the order of captures and flows.
  public let flows: [LabelledShape]
  /// The group of each flow: a name.
  public let groups: [String]
  /// What each flow weighs: 1 over the square root of how many flows of its tag its capture and the copies of it have,
  /// so that a capture with 400 flows of a kind counts as 20 with one.
  public let weights: [Double]
  /// Captures among them.
  public let fileCount: Int

  /// A set of labelled flows.
  /// - Throws: `TrainingError` where there is nothing to learn from.
  public init(_ unsorted: [LabelledShape], grouping: Grouping) throws {
    let flows = unsorted.enumerated().sorted {
      $0.element.file == $1.element.file ? $0.offset < $1.offset : $0.element.file < $1.element.file
    }.map(\.element)
    guard !flows.isEmpty else {
      throw TrainingError("no flow of these captures has a label: do the names under `file` fit the captures?")
    }
    var families = Families()
    for flow in flows { families.join(flow.file, by: flow.identity) }
    let kinds = flows.map { Kind(family: families.head(of: $0.file), tag: $0.tag) }
    var counts: [Kind: Int] = [:]
    for kind in kinds { counts[kind, default: 0] += 1 }
    self.flows = flows
    groups = zip(flows, kinds).map { grouping == .file ? $1.family : Self.folder(of: $0.file) }
    weights = kinds.map { 1 / Double(counts[$0] ?? 1).squareRoot() }
    fileCount = Set(flows.map(\.file)).count
  }

  private struct Kind: Hashable {
    var family: String
    var tag: Tag
  }

  private static func folder(of file: String) -> String {
    file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
  }

  /// The groups, each once.
  public var groupNames: [String] { Set(groups).sorted() }

  /// Deals the groups out to folds: those with rare tags first, in an order that their names' hashes give.
  /// - Throws: `TrainingError` where there are fewer groups than two.
  public func folds(_ wanted: Int) throws -> [Int] {
    var rarest: [String: Int] = [:]
    var counts = [Int](repeating: 0, count: 4)
    for flow in flows { counts[flow.tag.place] += 1 }
    for (flow, group) in zip(flows, groups) {
      let count = counts[flow.tag.place]
      rarest[group] = min(rarest[group] ?? .max, count)
    }
    guard rarest.count >= 2 else {
      throw TrainingError("all labelled flows belong together: cross-validation needs captures that share no flow")
    }
    let order = rarest.sorted {
      ($0.value, stableHash($0.key), $0.key) < ($1.value, stableHash($1.key), $1.key)
    }
    let count = min(wanted, rarest.count)
    let fold = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($0.element.key, $0.offset % count) })
    return groups.map { fold[$0] ?? 0 }
  }
}

/// Captures that share flows, found by joining.
private struct Families {
  private var parent: [String: String] = [:]
  private var owner: [String: String] = [:]

  func head(of file: String) -> String {
    var name = file
    while let next = parent[name], next != name { name = next }
    return name
  }

  mutating func join(_ file: String, by identity: String) {
    let (mine, theirs) = (head(of: file), head(of: owner[identity] ?? file))
    owner[identity] = theirs
    guard mine != theirs else { return }
    parent[max(mine, theirs)] = min(mine, theirs)
  }
}

/// FNV-1a: the same in every run, where `Hasher` is not.
private func stableHash(_ text: String) -> UInt64 {
  text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

extension Tag {
  /// Its place in `allCases`.
  var place: Int { Tag.allCases.firstIndex(of: self) ?? 3 }
}
