/// The shape of a flow, in fixed memory: what the first packets looked like, and histograms of all of them.
///
/// Only packets with payload count: bare acknowledgments say more about the place of capture than about the sender.
public struct ShapeMeter: Sendable {
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

  /// The first packets.
  public private(set) var first = FirstPackets()
  /// All packets.
  public private(set) var bins = ShapeBins()
  /// Lengths of the first TLS records without their headers; negative for those to the client.
  public var records = [16 of Int16](repeating: 0)
  /// How many of `records` are set.
  public var recordCount: UInt8 = 0

  /// A shape of nothing.
  public init() {}

  /// The shape whose parts lie apart.
  init(_ first: FirstPackets, _ bins: ShapeBins?) {
    self.first = first
    self.bins = bins ?? ShapeBins(first)
  }

  /// Payload sizes of the first packets; negative for those to the client; 32,767 at most.
  public var sizes: [16 of Int16] {
    get { first.sizes }
    set { first.sizes = newValue }
  }
  /// Microseconds before each of those packets since the last packet with payload; saturates after 71 minutes.
  public var gaps: [16 of UInt32] {
    get { first.gaps }
    set { first.gaps = newValue }
  }
  /// How many of `sizes` and `gaps` are set.
  public var packetCount: UInt8 {
    get { first.count }
    set { first.count = newValue }
  }
  /// Packets by payload size, the eight bins to the server and then the eight to the client.
  public var sizeBins: [16 of UInt32] {
    get { bins.sizes }
    set { bins.sizes = newValue }
  }
  /// Packets by gap, both directions together.
  public var gapBins: [8 of UInt32] {
    get { bins.gaps }
    set { bins.gaps = newValue }
  }

  /// Counts a packet with payload.
  /// - Parameters:
  ///   - size: payload bytes on the wire.
  ///   - gap: nanoseconds since the last packet with payload; nil for the first.
  ///   - isToServer: its direction.
  public mutating func count(size: Int32, gap: UInt64?, isToServer: Bool) {
    let microseconds = (gap ?? 0) / 1000
    bins.count(size: size, microseconds: gap == nil ? nil : microseconds, isToServer: isToServer)
    if Int(first.count) < Self.firstPackets {
      first.append(size: size, microseconds: microseconds, isToServer: isToServer)
    }
  }

  /// Turns every direction round: the flow's opener turned out to be the other side.
  public mutating func reverse() {
    first.reverse()
    bins.reverse()
    for i in 0..<Self.firstRecords { records[i] = 0 &- records[i] }
  }
}

/// Sizes and times of a flow's first packets with payload.
public struct FirstPackets: Sendable, BitwiseCopyable {
  /// Nanoseconds since 1970 of the last packet with payload; 0 for none.
  var lastPayload: Int64 = 0
  /// Index + 1 of the histograms, which begin behind the packets that are kept one by one; 0 for none.
  var bins: UInt32 = 0
  /// How many packets are kept.
  public internal(set) var count: UInt8 = 0
  /// Payload sizes; negative for those to the client; 32,767 at most.
  public internal(set) var sizes = [16 of Int16](repeating: 0)
  /// Microseconds before each packet since the one before; saturates after 71 minutes.
  public internal(set) var gaps = [16 of UInt32](repeating: 0)
  /// Fills two cache lines, so that none lies across three.
  private var padding: (UInt64, UInt64) = (0, 0)

  init() {}

  /// Keeps a packet. There must be room.
  @inline(__always)
  mutating func append(size: Int32, microseconds: UInt64, isToServer: Bool) {
    let at = Int(count) & 15
    let clamped = Int16(clamping: size)
    sizes[at] = isToServer ? clamped : 0 &- clamped
    gaps[at] = UInt32(clamping: microseconds)
    count &+= 1
  }

  mutating func reverse() { for i in sizes.indices { sizes[i] = 0 &- sizes[i] } }

  /// The size of each side's first packet.
  var firstLengths: (client: Int?, server: Int?) {
    var lengths: (client: Int?, server: Int?)
    for i in 0..<min(Int(count), ShapeMeter.firstPackets) {
      let size = Int(sizes[i])
      if size > 0, lengths.client == nil { lengths.client = size }
      if size < 0, lengths.server == nil { lengths.server = -size }
      if lengths.client != nil, lengths.server != nil { break }
    }
    return lengths
  }
}

/// Histograms of all packets with payload.
public struct ShapeBins: Sendable, BitwiseCopyable {
  /// Packets by payload size, the eight bins to the server and then the eight to the client.
  public internal(set) var sizes = [16 of UInt32](repeating: 0)
  /// Packets by gap, both directions together.
  public internal(set) var gaps = [8 of UInt32](repeating: 0)

  init() {}

  /// The histograms of packets that are all kept one by one.
  init(_ first: FirstPackets) {
    for i in 0..<min(Int(first.count), ShapeMeter.firstPackets) {
      let size = Int32(first.sizes[i])
      count(
        size: size < 0 ? 0 &- size : size, microseconds: i == 0 ? nil : UInt64(first.gaps[i]), isToServer: size > 0)
    }
  }

  /// The bin of a payload size.
  @inline(__always)
  static func bin(size: Int32) -> Int {
    guard size >= 64 else { return 0 }
    guard size < 1024 else { return size < 1280 ? 5 : size < 1460 ? 6 : 7 }
    return 26 &- size.leadingZeroBitCount
  }

  /// The bin of a gap in microseconds.
  @inline(__always)
  static func bin(gap: UInt64) -> Int {
    if gap < 100_000 { return gap < 1_000 ? 0 : gap < 10_000 ? 1 : 2 }
    if gap < 10_000_000 { return gap < 1_000_000 ? 3 : 4 }
    return gap < 60_000_000 ? 5 : gap < 600_000_000 ? 6 : 7
  }

  /// Counts a packet; the first has no gap.
  @inline(__always)
  mutating func count(size: Int32, microseconds: UInt64?, isToServer: Bool) {
    sizes[Self.bin(size: size) &+ (isToServer ? 0 : 8)] &+= 1
    if let microseconds { gaps[Self.bin(gap: microseconds)] &+= 1 }
  }

  mutating func reverse() { for i in 0..<8 { sizes.swapAt(i, i + 8) } }
}
