import Capture

/// Lends synthetic packets from memory, `batchSize` at a time, and may end in an error.
struct MemorySource: PacketSource, ~Copyable {
  private var storage: [UInt8] = []
  private var refs: [PacketRef] = []
  private var at = 0
  let batchSize: Int
  let error: CaptureError?

  /// A source of Ethernet frames with their times in nanoseconds.
  init(_ packets: [(time: Int64, frame: [UInt8])], batchSize: Int = 16, error: CaptureError? = nil) {
    self.batchSize = batchSize
    self.error = error
    for packet in packets {
      refs.append(
        PacketRef(
          timestamp: packet.time, offset: Int32(storage.count), captured: Int32(packet.frame.count),
          wire: Int32(packet.frame.count), linkType: 1))
      storage += packet.frame
    }
  }

  var bytes: RawSpan {
    @_lifetime(borrow self) get {
      // Safe: every byte of an array of UInt8 is initialised.
      unsafe storage.span.bytes
    }
  }

  mutating func next(_ batch: inout PacketBatch) throws(CaptureError) -> BatchOutcome {
    batch.count = 0
    while batch.count < batchSize, at < refs.count {
      batch.items[batch.count] = refs[at]
      batch.count += 1
      at += 1
    }
    if batch.count > 0 { return .packets }
    if let error { throw error }
    return .end
  }
}
