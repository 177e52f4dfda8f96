public import Flows

/// The shape of a flow, as reported.
public struct FlowShapeReport: Sendable, Equatable {
  /// Payload sizes of the first packets; negative for those to the client.
  public var sizes: [Int] = []
  /// Microseconds between those packets; the first is 0.
  public var gaps: [UInt64] = []
  /// Packets by payload size, to the server and to the client; bounds in `Flows.ShapeMeter`.
  public var sizesToServer: [UInt32] = [], sizesToClient: [UInt32] = []
  /// Gaps by length, both directions together; bounds in `Flows.ShapeMeter`.
  public var gapHistogram: [UInt32] = []
  /// Lengths of the first TLS records; negative for those to the client.
  public var records: [Int] = []

  /// What a meter says.
  public init(_ meter: ShapeMeter) {
    let packets = Int(meter.packetCount)
    sizes = (0..<packets).map { Int(meter.sizes[$0]) }
    gaps = (0..<packets).map { UInt64(meter.gaps[$0]) }
    records = (0..<Int(meter.recordCount)).map { Int(meter.records[$0]) }
    sizesToServer = (0..<8).map { meter.sizeBins[$0] }
    sizesToClient = (8..<16).map { meter.sizeBins[$0] }
    gapHistogram = (0..<8).map { meter.gapBins[$0] }
  }
}
