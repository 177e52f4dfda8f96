#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension CaptureFile {
  /// Opens a capture file.
  /// - Parameters:
  ///   - path: the file, a FIFO, or `-` for standard input.
  ///   - filter: an expression of pcap-filter(7); packets that do not match are not lent.
  /// - Returns: the file, at its first packet.
  /// - Throws: `CaptureError` where the file is missing, unreadable or no capture, or the filter no filter.
  public static func open(path: String, filter: String? = nil) throws(CaptureError) -> CaptureFile {
    if path == "-" {
      guard isatty(STDIN_FILENO) == 0 else {
        throw CaptureError(
          .inputOutput, "standard input is a terminal: name a capture file, or pipe one in (tcpdump -w - | ...)")
      }
      return try open(descriptor: STDIN_FILENO, owns: false, name: "standard input", filter: filter)
    }
    let descriptor = systemOpen(path)
    guard descriptor >= 0 else { throw openingError(errno, path) }
    return try open(descriptor: descriptor, owns: true, name: path, filter: filter)
  }

  /// Reads a capture that lies in memory.
  /// - Parameters:
  ///   - bytes: the file's bytes, compressed or not.
  ///   - name: what messages call it.
  ///   - filter: an expression of pcap-filter(7); packets that do not match are not lent.
  /// - Returns: the capture, at its first packet.
  /// - Throws: `CaptureError` where the bytes are no capture, or the filter no filter.
  public static func open(
    bytes: [UInt8], name: String = "capture", filter: String? = nil
  ) throws(CaptureError) -> CaptureFile {
    try CaptureFile(name: name, input: MemoryInput(bytes), filter: filter)
  }

  /// Reads a capture that lies in memory through a small buffer, a few bytes a time: for tests of the seams.
  package static func open(
    bytes: [UInt8], piece: Int, bufferSize: Int, filter: String? = nil
  ) throws(CaptureError) -> CaptureFile {
    try CaptureFile(
      name: "capture", input: MemoryInput(bytes, piece: piece), filter: filter, bufferSize: bufferSize)
  }

  private static func open(
    descriptor: Int32, owns: Bool, name: String, filter: String?
  ) throws(CaptureError) -> CaptureFile {
    var status = stat()
    // Safe: the structure is ours, and fstat fills it.
    let known = unsafe fstat(descriptor, &status) == 0
    let kind = status.st_mode & mode_t(S_IFMT)
    let isRegular = known && kind == mode_t(S_IFREG)
    let input = DescriptorInput(
      descriptor: descriptor, owns: owns, regularLength: isRegular ? UInt64(clamping: status.st_size) : nil)
    if known, kind == mode_t(S_IFDIR) {
      throw CaptureError(.inputOutput, "\(name) is a directory: name the capture files in it, as in \(name)/*.pcap")
    }
    return try CaptureFile(name: name, input: input, filter: filter)
  }

  /// Finds out what the bytes are: unpacks them where they are compressed, and reads the file header.
  mutating func recognize() throws(CaptureError) {
    _ = try require(4)
    if buffer.available == 0 { throw end(with: CaptureError(.unknownFormat, "\(name) is empty: no capture in it")) }
    switch Compression(buffer) {
    case .gzip: input = ReadAhead(GzipInput(rewound()))
    case .zstd: input = ReadAhead(ZstdInput(rewound()))
    case nil: return try recognizeFormat()
    }
    _ = try require(4)
    if buffer.available == 0 {
      throw end(with: CaptureError(.unknownFormat, "\(name) is empty once decompressed: no capture in it"))
    }
    try recognizeFormat()
  }

  private mutating func recognizeFormat() throws(CaptureError) {
    guard buffer.available >= 4 else {
      let length = buffer.available == 1 ? "1 byte" : "\(buffer.available) bytes"
      throw end(with: CaptureError(.unknownFormat, "\(name) is no capture: it has only \(length)"))
    }
    switch buffer.u32(buffer.start, bigEndian: true) {
    case 0xA1B2_C3D4: try openPcap(bigEndian: true, nanoseconds: false)
    case 0xA1B2_3C4D: try openPcap(bigEndian: true, nanoseconds: true)
    case 0xD4C3_B2A1: try openPcap(bigEndian: false, nanoseconds: false)
    case 0x4D3C_B2A1: try openPcap(bigEndian: false, nanoseconds: true)
    case 0x0A0D_0D0A: format = .pcapng
    // The record headers of Kuznetsov's, Mesquita's and Navtel's patches to libpcap have further fields.
    case 0xA1B2_CD34, 0x34CD_B2A1, 0xA1B2_34CD, 0xCD34_B2A1, 0xA12B_3C4D, 0x4D3C_2BA1: try openThroughLibpcap()
    case let magic: throw end(with: unknownFormat(magic))
    }
  }

  /// Hands the whole stream to libpcap, from its first byte.
  mutating func openThroughLibpcap() throws(CaptureError) {
    let reader = try LibpcapReader(name: name, input: rewound())
    format = .libpcap(reader)
    interfaces = [CapturedInterface(linkType: reader.linkType, snapshotLength: reader.snapshotLength)]
    filterSlot = filterSlot(for: reader.linkType)
  }

  /// The input from its first byte again; the buffer forgets what it held.
  private mutating func rewound() -> any ByteInput {
    let head = buffer.copy(0, buffer.end)
    buffer.restart()
    return RewoundInput(head, then: input)
  }

  private func unknownFormat(_ magic: UInt32) -> CaptureError {
    let other: (String, String)? =
      switch magic {
      case 0xFD37_7A58: ("xz-compressed", "decompress it first: xz -dc FILE | wiretag read -")
      case 0x425A_6830...0x425A_6839: ("bzip2-compressed", "decompress it first: bzip2 -dc FILE | wiretag read -")
      case 0x0422_4D18: ("lz4-compressed", "decompress it first: lz4 -dc FILE | wiretag read -")
      case 0x504B_0304: ("a zip archive", "unpack it first: unzip -p FILE | wiretag read -")
      case 0x736E_6F6F: ("a snoop capture", "convert it first: editcap -F pcapng FILE NEW")
      case 0x474D_4255, 0x5254_5353: ("a Network Monitor capture", "convert it first: editcap -F pcapng FILE NEW")
      case 0x7F45_4C46: ("a program", "name a capture file")
      default: nil
      }
    if let (what, advice) = other { return CaptureError(.unknownFormat, "\(name) is \(what): \(advice)") }
    let hex = String(magic, radix: 16)
    return CaptureError(
      .unknownFormat,
      "\(name) is no capture that is known here: it begins with 0x\(String(repeating: "0", count: 8 - hex.count))\(hex); "
        + "pcap and pcapng are read, also in gzip or zstd")
  }
}

/// A compression that is undone while reading.
private enum Compression {
  case gzip, zstd

  /// The compression of the bytes that a buffer begins with, if there is one.
  init?(_ buffer: borrowing ChunkBuffer) {
    guard buffer.available >= 4 else {
      guard buffer.available >= 2, buffer.u16(buffer.start, bigEndian: true) == 0x1F8B else { return nil }
      self = .gzip
      return
    }
    let magic = buffer.u32(buffer.start, bigEndian: true)
    // RFC 8878 section 3.1: a frame, or a skippable frame with any of 16 magics.
    if magic >> 16 == 0x1F8B {
      self = .gzip
    } else if magic == 0x28B5_2FFD || (magic & 0xF0FF_FFFF) == 0x502A_4D18 {
      self = .zstd
    } else {
      return nil
    }
  }
}

private func systemOpen(_ path: String) -> Int32 {
  // O_NONBLOCK would make a FIFO without a writer end at once: opening one waits for its writer.
  unsafe open(path, O_RDONLY | O_CLOEXEC)
}

/// The sentence for a file that does not open.
func openingError(_ code: Int32, _ path: String) -> CaptureError {
  switch code {
  case ENOENT, ENOTDIR: CaptureError(.notFound, "\(path): no such file")
  case EACCES, EPERM:
    CaptureError(.noRights, "\(path): no right to open it; ask its owner, or run with sudo")
  case EMFILE, ENFILE: CaptureError(.inputOutput, "\(path): too many files are open; see `ulimit -n`")
  default: CaptureError(.inputOutput, "\(path): \(systemText(code))")
  }
}

/// The system's words for an error number.
func systemText(_ code: Int32) -> String {
  // Safe: strerror never gives nil here, and the text is copied at once.
  unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
