/// The shape of a flow, in fixed memory: what the first packets looked like, and histograms of all of them.
///
/// Only packets with payload count: bare acknowledgments say more about the place of capture than about the sender.
@frozen public struct ShapeMeter: Sendable {
  /// How many first packets are kept one by one.
  @inlinable public static var firstPackets: Int { 16 }
  /// How many first TLS records are kept one by one.
  @inlinable public static var firstRecords: Int { 16 }
  /// Upper bounds (exclusive) of the payload size bins, in bytes; the last bin is open.
  public static let sizeBounds = [64, 128, 256, 512, 1024, 1280, 1460]
  /// Upper bounds (exclusive) of the gap bins, in microseconds; the last bin is open.
  public static let gapBounds: [UInt64] = [
    1_000, 10_000, 100_000, 1_000_000, 10_000_000, 60_000_000, 600_000_000,
  ]

  /// Payload sizes of the first packets; negative for those to the client; 32,767 at most.
  public var sizes = [16 of Int16](repeating: 0)
  /// Microseconds before each of those packets since the last packet with payload; saturates after 71 minutes.
  public var gaps = [16 of UInt32](repeating: 0)
  /// Packets by payload size, the eight bins to the server and then the eight to the client.
  public var sizeBins = [16 of UInt32](repeating: 0)
  /// Packets by gap, both directions together.
  public var gapBins = [8 of UInt32](repeating: 0)
  /// Lengths of the first TLS records without their headers; negative for those to the client.
  public var records = [16 of Int16](repeating: 0)
  /// How many of `sizes` and `gaps` are set.
  public var packetCount: UInt8 = 0
  /// How many of `records` are set.
  public var recordCount: UInt8 = 0

  /// A shape of nothing.
  @inlinable public init() {}

  /// The bin of a payload size.
  @inlinable @inline(__always)
  static func bin(size: Int32) -> Int {
    guard size >= 64 else { return 0 }
    guard size < 1024 else { return size < 1280 ? 5 : size < 1460 ? 6 : 7 }
    return 26 &- size.leadingZeroBitCount
  }

  /// The bin of a gap in microseconds.
  @inlinable @inline(__always)
  static func bin(gap: UInt64) -> Int {
    if gap < 100_000 { return gap < 1_000 ? 0 : gap < 10_000 ? 1 : 2 }
    if gap < 10_000_000 { return gap < 1_000_000 ? 3 : 4 }
    return gap < 60_000_000 ? 5 : gap < 600_000_000 ? 6 : 7
  }

  /// Counts a packet with payload.
  /// - Parameters:
  ///   - size: payload bytes on the wire.
  ///   - gap: nanoseconds since the last packet with payload; nil for the first.
  ///   - isToServer: its direction.
  @inlinable @inline(__always)
  public mutating func count(size: Int32, gap: UInt64?, isToServer: Bool) {
    sizeBins[Self.bin(size: size) &+ (isToServer ? 0 : 8)] &+= 1
    let microseconds = (gap ?? 0) / 1000
    if gap != nil { gapBins[Self.bin(gap: microseconds)] &+= 1 }
    let at = Int(packetCount)
    guard at < Self.firstPackets else { return }
    let clamped = Int16(clamping: size)
    sizes[at] = isToServer ? clamped : 0 &- clamped
    gaps[at] = UInt32(clamping: microseconds)
    packetCount &+= 1
  }

  /// Turns every direction round: the flow's opener turned out to be the other side.
  public mutating func reverse() {
    for i in 0..<Self.firstPackets { sizes[i] = 0 &- sizes[i] }
    for i in 0..<Self.firstRecords { records[i] = 0 &- records[i] }
    for i in 0..<8 { sizeBins.swapAt(i, i + 8) }
  }
}
