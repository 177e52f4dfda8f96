/// The sessions of a table's flows, by index: objects that are used again, flow after flow.
struct FlowSessions {
  private var all: [FlowSession] = []
  private var free: [UInt32] = []

  /// Sessions in use.
  var count: Int { all.count - free.count }

  /// A session of nothing, and its index.
  mutating func take() -> (index: UInt32, session: FlowSession) {
    if let index = free.popLast() { return (index, all[Int(index)]) }
    let session = FlowSession()
    all.append(session)
    return (UInt32(truncatingIfNeeded: all.count - 1), session)
  }

  /// Takes a session back when its flow has been reported.
  mutating func giveBack(_ index: UInt32) {
    all[Int(index)].reset()
    free.append(index)
  }

  subscript(index: UInt32) -> FlowSession { all[Int(index)] }
}
