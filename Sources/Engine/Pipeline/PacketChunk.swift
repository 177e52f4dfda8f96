import Bytes
import Capture
import Decode
import Flows

/// Decoded packets on their way from the thread that reads to the one that keeps flows, with their payloads.
///
/// `@unchecked` holds since a chunk has one owner at a time: it is filled, put into a queue, read by who takes it out,
/// and given back.
final class PacketChunk: @unchecked Sendable {
  /// Batches that a chunk holds.
  static let maximumBatches = 128
  /// Batches that one batch of a source may add: packets that complete a datagram go alone.
  private static let spareBatches = 2 * PacketBatch.capacity + 2
  /// Bytes of payload from which on a chunk is handed on.
  static let fillMark = 1 << 18

  /// The visits, in the batches that they came in: what is delivered after a batch must not depend on threads.
  var batches: [FlowBatch] = []
  /// Behind a batch: up to when flows may be over, where a second has passed.
  var ticks: [Int64?] = []
  /// Names of programs that are new.
  var processes: [UInt16: String] = [:]
  private(set) var count = 0
  /// What the visits' payloads lie in.
  private(set) var payloads: [UInt8] = []

  init() {
    batches = Array(repeating: FlowBatch(), count: Self.maximumBatches + Self.spareBatches)
    ticks = Array(repeating: nil, count: Self.maximumBatches + Self.spareBatches)
    payloads.reserveCapacity(Self.fillMark + 65_536)
  }

  var isFull: Bool { count >= Self.maximumBatches || payloads.count >= Self.fillMark }
  var isEmpty: Bool { count == 0 && batches[0].count == 0 && processes.isEmpty }

  /// Adds a packet to the batch under way.
  func append(
    _ headers: Headers, _ packet: PacketRef, number: UInt64, payloadOf bytes: borrowing RawSpan, seed: UInt64
  ) {
    let offset = payloads.count
    batches[count].append(
      headers, number: number, timestamp: packet.timestamp, wire: packet.wire, base: 0, seed: seed)
    let place = batches[count].count - 1
    batches[count].items[place].payloadOffset = Int32(clamping: offset)
    guard headers.payloadLength > 0, headers.payloadCaptured > 0 else { return }
    payloads.append(bytes.slice(Int(headers.payloadOffset), Int(headers.payloadCaptured)))
  }

  /// Ends the batch under way.
  func closeBatch(tick: Int64? = nil) {
    guard batches[count].count > 0 || tick != nil else { return }
    ticks[count] = tick
    count += 1
  }

  /// Empties the chunk for its next use.
  func reset() {
    for i in 0..<min(count + 1, batches.count) { batches[i].count = 0 }
    count = 0
    processes = [:]
    payloads.removeAll(keepingCapacity: true)
  }
}
