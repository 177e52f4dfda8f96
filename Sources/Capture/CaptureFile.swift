// A capture file as a source of packets: what is common to all formats. The formats are in CaptureFile+Pcap.swift and
// CaptureFile+Pcapng.swift; what neither knows goes to libpcap (LibpcapReader.swift).

/// An interface that a capture file describes.
public struct CapturedInterface: Sendable, Equatable {
  /// LINKTYPE_ value.
  public var linkType: UInt16
  /// The most bytes of a packet that were kept; 0 for no limit.
  public var snapshotLength: UInt32
  /// Its name, "en0", where the file has one; cut at `CaptureFile.maximumTextLength` bytes.
  public var name: String?
  /// Its description, where the file has one; cut at `CaptureFile.maximumTextLength` bytes.
  public var description: String?
}

/// Keys or the like that a capture carries to open its own packets (pcapng section 4.7).
public struct DecryptionSecrets: Sendable, Equatable {
  /// What kind they are: `tlsKeyLog` or another SECRETS_TYPE_ value.
  public var type: UInt32
  /// Their bytes, as the file has them.
  public var data: [UInt8]
  /// SECRETS_TYPE_ of a TLS key log in the format of NSS.
  public static let tlsKeyLog: UInt32 = 0x544C_534B
  /// Secrets of a type.
  public init(type: UInt32, data: [UInt8]) {
    self.type = type
    self.data = data
  }
}

/// Reads the packets of a capture file: pcap and pcapng, also in gzip or zstd, also from a pipe.
///
/// The file goes through one buffer, out of which packets are lent: memory does not grow with the file. Cut or damaged
/// files give every packet before the damage; then `next` throws once, and says `.end` from there on.
@safe public struct CaptureFile: ~Copyable, PacketSource {
  /// Bytes of the buffer that the file goes through; larger records make it grow up to `maximumRecordLength`.
  public static let bufferSize = 262_144
  /// The longest record or block that is taken; one that claims more is damage.
  public static let maximumRecordLength = 16_777_216
  /// Interfaces that are kept in `interfaces`; the packets of further ones are read all the same.
  public static let maximumInterfaces = 4_096
  /// Bytes of an interface's name or description that are kept.
  public static let maximumTextLength = 256
  /// Bytes of decryption secrets that are kept in all; further ones are dropped and counted in `droppedSecrets`.
  public static let maximumSecretBytes = 16_777_216
  /// Notices that are kept.
  static let maximumNotices = 16

  enum Format {
    case pcap(PcapFormat)
    case pcapng
    case libpcap(LibpcapReader)
  }

  /// Why a batch was not filled further.
  enum Stop {
    /// The batch is full.
    case full
    /// So many bytes in a row are needed to go on.
    case needs(Int)
    /// So many bytes are of no interest and may be passed over without being held.
    case skip(UInt64)
    case broken(CaptureDamage)
    /// Nothing to read yet.
    case nothingYet
    case end
  }

  /// The file's name for messages.
  public let name: String
  /// The interfaces that the file has described so far, in the order of `PacketRef.interface`.
  public internal(set) var interfaces: [CapturedInterface] = []
  /// How many interfaces were described beyond `maximumInterfaces`.
  public internal(set) var droppedInterfaces = 0
  /// Decryption secrets that the file has brought so far.
  public internal(set) var secrets: [DecryptionSecrets] = []
  /// Decryption Secrets Blocks that were dropped for `maximumSecretBytes`.
  public internal(set) var droppedSecrets = 0
  /// Packets read so far, also those that the filter held back.
  public internal(set) var packetsRead: UInt64 = 0
  /// Packets so far that carry no time (Simple Packet Blocks); they are lent with time stamp 0.
  public internal(set) var packetsWithoutTime: UInt64 = 0
  /// Things that a person should know and that end nothing, a sentence each, up to 16.
  public private(set) var notices: [String] = []

  var buffer: ChunkBuffer
  var input: any ByteInput
  var format = Format.pcapng
  var section = SectionState()
  let filter: PacketFilter?
  /// The filter's slot of a pcap file's one link type.
  var filterSlot = -1
  /// Bytes of `secrets` so far.
  var secretBytes = 0
  private var isAtEndOfInput = false
  private var hasEnded = false
  /// Whether no complaint about the filter is left to make.
  private var isFilterSettled = false

  init(name: String, input: any ByteInput, filter: String?, bufferSize: Int = CaptureFile.bufferSize)
    throws(CaptureError)
  {
    self.name = name
    self.input = input
    self.filter = filter.map { PacketFilter($0) }
    buffer = ChunkBuffer(capacity: bufferSize)
    try recognize()
    if filter != nil { try prepareFilter() }
  }

  /// The bytes that the last batch's packets lie in; valid until the next call of `next`.
  public var bytes: RawSpan { @_lifetime(borrow self) get { buffer.bytes } }

  /// How many bytes of the file on disk were read so far, compressed ones as such.
  public var bytesRead: UInt64 { input.consumed }

  /// The length of the file on disk; nil for pipes.
  public var length: UInt64? { input.length }

  /// Fills `batch` with the next packets.
  ///
  /// `.idle` only comes from a pipe whose writer is slow.
  /// - Throws: `CaptureError` once where the file is cut, damaged or unreadable, after all packets before that place.
  public mutating func next(_ batch: inout PacketBatch) throws(CaptureError) -> BatchOutcome {
    batch.count = 0
    while !hasEnded {
      let stop =
        switch format {
        case .pcap(let pcap): fillFromPcap(&batch, pcap)
        case .pcapng: fillFromPcapng(&batch, most: PacketBatch.capacity)
        case .libpcap(let reader): try fillFromLibpcap(&batch, reader)
        }
      if batch.count > 0 { return .packets }
      switch stop {
      case .full: break
      case .nothingYet: return .idle
      case .end: hasEnded = true
      case .broken(let damage): throw end(with: sentence(damage))
      case .skip(let count):
        if try !skip(count) { return .idle }
      case .needs(let count):
        if try !refill(count) { return .idle }
      }
    }
    try checkFilterAtEnd()
    return .end
  }

  /// Reads on until more is there than before.
  /// - Returns: false where there is nothing yet. At the end of the input `hasEnded` is set.
  private mutating func refill(_ needed: Int) throws(CaptureError) -> Bool {
    buffer.makeRoom(for: needed)
    switch try read() {
    case .nothingYet: return false
    case .bytes: return true
    case .end:
      if buffer.available > 0 || section.isInsideBlock { throw end(with: cutSentence(needed)) }
      hasEnded = true
      return true
    }
  }

  /// Passes over bytes, held ones and others.
  /// - Returns: false where the rest is not there yet; the next call goes on.
  private mutating func skip(_ count: UInt64) throws(CaptureError) -> Bool {
    var left = count
    while left > 0 {
      if buffer.available == 0 {
        buffer.makeRoom(for: 0)
        switch try read() {
        case .nothingYet:
          section.toSkip = left
          return false
        case .bytes: break
        case .end:
          section.toSkip = left
          throw end(with: cutSentence(Int(clamping: left)))
        }
      }
      let here = min(Int(clamping: left), buffer.available)
      buffer.start += here
      left -= UInt64(here)
    }
    section.toSkip = 0
    return true
  }

  private mutating func read() throws(CaptureError) -> Delivery {
    if isAtEndOfInput { return .end }
    do throws(InputFault) {
      // Safe: the room is used before the buffer is touched again.
      let delivery = try unsafe input.read(into: buffer.room)
      switch delivery {
      case .bytes(let count): buffer.fill(count)
      case .end: isAtEndOfInput = true
      case .nothingYet: break
      }
      return delivery
    } catch {
      throw end(with: sentence(error))
    }
  }

  /// Ends the source; the caller throws what comes back.
  mutating func end(with error: CaptureError) -> CaptureError {
    hasEnded = true
    isAtEndOfInput = true
    isFilterSettled = true
    return error
  }

  mutating func notice(_ text: String) {
    if notices.count < Self.maximumNotices { notices.append(text) }
  }

  /// Makes sure that `count` bytes from the start are in the buffer, waiting for a pipe.
  /// - Returns: false where the input is shorter.
  mutating func require(_ count: Int) throws(CaptureError) -> Bool {
    while buffer.available < count {
      buffer.makeRoom(for: count)
      if case .end = try read() { return false }
    }
    return true
  }

  /// Reads to the first packet, so that a bad filter is told at opening.
  private mutating func prepareFilter() throws(CaptureError) {
    if case .pcapng = format {
      var none = PacketBatch()
      while !hasEnded {
        switch fillFromPcapng(&none, most: 0) {
        case .needs(let count):
          buffer.makeRoom(for: count)
          // Damage and cuts are told by `next`, after the packets before them.
          if case .end = try read() { return try checkFilter() }
        case .skip(let count): _ = try skip(count)
        case .full, .broken, .end, .nothingYet: return try checkFilter()
        }
      }
    }
    try checkFilter()
  }

  private func checkFilter() throws(CaptureError) {
    guard let filter, !filter.hasProgram else { return }
    // Without any interface, Ethernet tells whether the expression is sound.
    guard let refusal = filter.firstRefusal ?? filter.slot(for: 1).refusal else { return }
    throw badFilter(filter.expression, refusal)
  }

  private mutating func checkFilterAtEnd() throws(CaptureError) {
    guard !isFilterSettled else { return }
    isFilterSettled = true
    try checkFilter()
  }

  /// Compiles the filter for a link type, with a notice where it makes no sense for it.
  mutating func filterSlot(for linkType: UInt16) -> Int {
    guard let filter else { return -1 }
    let (slot, refusal) = filter.slot(for: linkType)
    if let refusal {
      notice(
        "\(name): the filter '\(filter.expression)' does not apply to \(linkTypeName(linkType)) (\(refusal)): "
          + "packets of that link type are left out")
    }
    return slot
  }
}
