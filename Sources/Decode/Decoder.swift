import Bytes

/// Reads the headers of packets, one after the other, and puts IP fragments together.
///
/// Hostile input is the normal case: no bytes trap, and nested headers, held fragments and their memory have caps.
/// Options of TCP and IP are stepped over, checksums are not looked at (a sending host's capture has wrong ones).
public struct Decoder: ~Copyable {
  /// The most headers that may nest in a packet: VLAN tags, MPLS labels, IP headers, extension headers and tunnels.
  public static var maximumLayers: Int { 32 }

  var fragments: FragmentTable
  var assembly: [UInt8] = []
  var current = Passage()
  var processes = ProcessTable()
  /// What happened to IEEE 802.11 frames so far, in tunnels as well.
  public internal(set) var wirelessCounters = WirelessCounters()

  /// A decoder that holds no fragments yet.
  public init(fragmentLimits: FragmentLimits = FragmentLimits()) {
    fragments = FragmentTable(limits: fragmentLimits)
  }

  /// What happened to IP fragments so far.
  public var fragmentCounters: FragmentCounters { fragments.counters }

  /// How many datagrams wait for fragments now.
  public var datagramsWaiting: Int { fragments.count }

  /// The name of a process or app: what `Headers.process` counts in. Control characters and bytes that are no UTF-8 read
  /// U+FFFD; nil for 0 and for a number that no packet had.
  public func processName(_ process: UInt16) -> String? { processes.name(process) }

  /// Packets that go without the name of their process because the table of names, 4,096 of them, was full.
  public var packetsWithoutProcessName: UInt64 { processes.lost }

  /// The payload of the IP datagram that the last packet completed: what `Headers.payloadOffset` counts in where
  /// `Headers.isReassembled` is set. Valid until the next packet.
  public var reassembled: RawSpan {
    @_lifetime(borrow self) get { assembly.rawSpan }
  }

  /// Decodes a packet.
  ///
  /// The innermost TCP or UDP header is the flow's. A payload that the snapshot length cut off is no damage
  /// (`payloadCaptured` is less than `payloadLength` then); a header that it cut is.
  /// - Parameters:
  ///   - packet: the bytes that were captured.
  ///   - linkType: what they begin with.
  ///   - wireLength: bytes that were on the wire; less than the captured ones is taken for the captured ones.
  ///   - timestamp: nanoseconds since 1970; fragments age by it.
  ///   - headers: reset, then filled as far as the packet could be read.
  /// - Returns: what the packet is; where and why decoding stopped is `Headers.damage`.
  public mutating func decode(
    _ packet: RawSpan, linkType: LinkType, wireLength: Int, timestamp: Int64, into headers: inout Headers
  ) -> DecodeOutcome {
    headers = Headers()
    let end = max(packet.byteCount, min(wireLength, Int(Int32.max)))
    current = Passage(timestamp: timestamp, wireLength: UInt32(clamping: end))
    let outcome =
      linkType == .ethernet
      ? ethernet(packet, 0, end, &headers) : link(linkType, packet, 0, end, &headers)
    if current.earlierFragments != 0 {
      headers.fragmentCount = UInt16(clamping: current.earlierFragments)
      headers.fragmentBytes = current.earlierBytes
    }
    return outcome
  }
}

/// What is remembered while one packet is decoded.
struct Passage {
  var timestamp: Int64 = 0
  var wireLength: UInt32 = 0
  /// Headers seen so far, against `Decoder.maximumLayers`.
  var layers = 0
  /// Whether the bytes are a first fragment: its end is not the datagram's end, and nothing in it may be held.
  var isFirstFragment = false
  /// Whether `Decoder.assembly` holds this packet's innermost datagram.
  var isAssembled = false
  /// Earlier fragments that this packet completed and that no flow has counted, and their bytes on the wire.
  var earlierFragments = 0, earlierBytes: UInt32 = 0
}

// Every layer is a function of the same four: the bytes, where the layer starts, where it ends on the wire (which may
// lie past the captured bytes), and the headers to fill.
extension Decoder {
  /// Counts a header; false, with damage, where there are too many.
  @inline(__always)
  mutating func enter(_ layer: Damage.Layer, at offset: Int, _ headers: inout Headers) -> Bool {
    current.layers &+= 1
    guard current.layers > Self.maximumLayers else { return true }
    headers.damage = Damage(layer, .tooDeep, at: offset)
    return false
  }

  /// Stops at a header whose `need` bytes are not all there.
  @inline(never)
  func cut(_ layer: Damage.Layer, at offset: Int, need: Int, end: Int, _ headers: inout Headers) -> DecodeOutcome {
    // A length field outside that already lied makes what is missing inside a lie as well.
    let onWire = headers.damage == nil && offset &+ need <= end
    headers.damage = Damage(layer, onWire ? .cutBySnapshot : .truncated, at: offset)
    return .damaged
  }

  /// Stops at a header that cannot be what it says.
  @inline(never)
  func refuse(
    _ layer: Damage.Layer, _ reason: Damage.Reason, at offset: Int, _ headers: inout Headers
  ) -> DecodeOutcome {
    headers.damage = Damage(layer, reason, at: offset)
    return .damaged
  }
}
