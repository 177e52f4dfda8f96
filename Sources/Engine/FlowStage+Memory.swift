import Classify
import Decode
import Flows
import Protocols
import Report

extension AnalyzerOptions {
  /// What a run takes besides flows: the catalogue, the shape model, the buffers of files and names.
  public static let memoryBesidesFlows = 64 << 20
}

extension FlowStage {
  /// Bytes of a session with what usually hangs off it: names, fingerprints, an object's header.
  private static let sessionBytes = MemoryLayout<FlowFacts>.stride + 320
  /// Bytes of a reader.
  private static let readingBytes = max(MemoryLayout<StreamParser>.stride, MemoryLayout<DatagramParser>.stride) + 192

  /// Bytes that flows, readers and what they hold take, as far as they are in use.
  var usedMemory: Int {
    table.usedMemory + plains.count * MemoryLayout<PlainPayloads.Payload>.stride + sessions.count * Self.sessionBytes
      + readings * Self.readingBytes + heldBytes
  }

  /// Gives up what is of least use until flows fit into the memory that they may take: readers of the oldest
  /// undecided flows, then the flows whose time comes first. Both are counted, and no counter is given up.
  mutating func keepWithinMemory(_ events: borrowing AnalyzerEvents) {
    guard let most = maximumMemory else { return }
    let room = max(most - AnalyzerOptions.memoryBesidesFlows, 0)
    guard usedMemory > room else { return }
    while usedMemory > room, giveUpOldest() {}
    // A sixteenth more, so that the next packets find room.
    let low = room - room / 16
    while usedMemory > low, table.count > FlowBatch.capacity {
      // Until they are reported, evicted flows take what they took.
      for _ in 0..<256 where table.count > FlowBatch.capacity { if !table.evictOne() { break } }
      reportEnded(events)
    }
  }
}
