import Protocols

/// The first bytes of flows of which nothing else is known: most flows that no reader understands need no session.
struct PlainPayloads {
  struct Payload {
    var client = FirstBytes(), server = FirstBytes()
    /// The packet of the flow that brought the first of them.
    var packet: UInt32 = 0
  }
  /// The bit of `FlowRecord.session` that says that the rest of it is a place here.
  static let mark: UInt32 = 1 << 31

  private var all: [Payload] = []
  private var free: [UInt32] = []

  /// Places in use.
  var count: Int { all.count - free.count }

  /// Keeps a payload; the place, marked, counts from 1.
  mutating func add(_ payload: Payload) -> UInt32 {
    if let index = free.popLast() {
      all[Int(index)] = payload
      return Self.mark | index &+ 1
    }
    all.append(payload)
    return Self.mark | UInt32(truncatingIfNeeded: all.count)
  }

  /// Takes a payload out.
  mutating func take(_ place: UInt32) -> Payload {
    let index = (place & ~Self.mark) &- 1
    free.append(index)
    return all[Int(index)]
  }

  subscript(place: UInt32) -> Payload {
    get { all[Int((place & ~Self.mark) &- 1)] }
    _modify { yield &all[Int((place & ~Self.mark) &- 1)] }
  }
}

extension FlowFacts {
  /// Whether nothing is known but first bytes.
  var isPlain: Bool {
    application == nil && tls == nil && http == nil && upgradedFrom == nil && hint == nil && !isCallProtocol
      && !hasRareFacts && notes.isEmpty && dnsQuestions.isEmpty
  }
}

extension FlowSession {
  /// Whether it holds nothing that a plain payload does not.
  var isPlain: Bool {
    reading == nil && names.isEmpty && weakNames.isEmpty && conversation == nil && tie == nil && furtherCalls.isEmpty
      && !wasAnnounced && facts.isPlain && arrivals.hasOnlyPayload
  }
}
