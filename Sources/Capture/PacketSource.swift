// Capture may hold: files and live handles, filters, pcapng writing. The only importer of the C libraries.

/// Where one packet lies in the bytes that its source lends.
@frozen public struct PacketRef: Sendable {
  /// Nanoseconds since 1970-01-01 UTC.
  public var timestamp: Int64
  /// Offset of the packet in `PacketSource.bytes`.
  public var offset: Int32
  /// Bytes captured.
  public var captured: Int32
  /// Bytes on the wire.
  public var wire: Int32
  /// LINKTYPE_ value of the interface it was seen on.
  public var linkType: UInt16
  /// Index of the interface in its capture.
  public var interface: UInt16

  /// A packet at a place.
  @inlinable public init(
    timestamp: Int64 = 0, offset: Int32 = 0, captured: Int32 = 0, wire: Int32 = 0, linkType: UInt16 = 0,
    interface: UInt16 = 0
  ) {
    self.timestamp = timestamp
    self.offset = offset
    self.captured = captured
    self.wire = wire
    self.linkType = linkType
    self.interface = interface
  }
}

/// Up to 16 packets that lie in the source's current bytes.
@frozen public struct PacketBatch: Sendable {
  /// The most packets a batch holds.
  @inlinable public static var capacity: Int { 16 }
  /// The packets; those from `count` on are stale.
  public var items = [16 of PacketRef](repeating: PacketRef())
  /// How many packets there are.
  public var count = 0
  /// An empty batch.
  @inlinable public init() {}
}

/// What asking a source for packets came to.
@frozen public enum BatchOutcome: Sendable {
  /// The batch holds at least one packet.
  case packets
  /// Nothing arrived in time: a live source's chance to expire flows and to look for a signal.
  case idle
  /// The source has ended.
  case end
}

/// Something that lends packets: a capture file or a live interface.
public protocol PacketSource: ~Copyable {
  /// The bytes that the last batch's packets lie in; valid until the next call of `next`.
  var bytes: RawSpan { @_lifetime(borrow self) get }
  /// Fills `batch`.
  /// - Throws: `CaptureError` when the source is damaged or goes away; the packets before it were lent already.
  mutating func next(_ batch: inout PacketBatch) throws(CaptureError) -> BatchOutcome
}

/// A capture that cannot be opened, read or written, in a sentence for a person.
public struct CaptureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it was, for a program.
  public enum Kind: Sendable {
    case notFound, noRights, unknownFormat, truncated, damaged, unsupported, badFilter, noSuchInterface,
      interfaceGone, inputOutput
  }
  /// The kind.
  public var kind: Kind
  /// One line: what happened, where, and what to do.
  public var description: String
  /// An error of a kind with its sentence.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
