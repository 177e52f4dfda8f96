#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// pcapng, as CaptureFile+Pcapng.swift shows it, in the machine's byte order: one section, an Interface Description
// Block before an interface's first packet, Enhanced Packet Blocks with nanoseconds.

/// Writes packets that a `PacketSource` lends to a pcapng file.
@safe public struct PcapngWriter: ~Copyable {
  /// Bytes that are held before they are written; a packet larger than this makes it grow for its own time.
  public static let bufferSize = 262_144
  /// The most interfaces, a link type of one counting as one of its own, that a file describes.
  public static let maximumInterfaces = 65_536
  /// Bytes of a name, description or comment that are written.
  static let maximumTextLength = 4_096

  /// What an interface's description says besides its link type.
  private struct Description {
    var name: String?
    var text: String?
    var snapshotLength: UInt32
  }

  /// Packets written so far.
  public private(set) var packetsWritten: UInt64 = 0

  private let name: String
  private let descriptor: Int32
  private let owns: Bool
  private var pending: [UInt8] = []
  private var failure: CaptureError?
  private var descriptions: [UInt16: Description] = [:]
  /// Blocks' numbers by interface and link type.
  private var numbers: [UInt32: UInt32] = [:]
  private var lastKey: UInt32?
  private var lastNumber: UInt32 = 0

  /// Creates a file, or takes standard output, and begins its section.
  /// - Parameters:
  ///   - path: the file, which is overwritten, or `-` for standard output.
  ///   - application: the program's name and version for the section.
  ///   - comment: a comment for the section.
  /// - Throws: `CaptureError` where the file cannot be made.
  public init(path: String, application: String, comment: String? = nil) throws(CaptureError) {
    descriptor = try Self.destination(path)
    owns = descriptor != STDOUT_FILENO
    name = owns ? path : "standard output"
    pending.reserveCapacity(Self.bufferSize)
    beginSection(application, comment)
  }

  private static func destination(_ path: String) throws(CaptureError) -> Int32 {
    guard path == "-" else {
      let descriptor = systemCreate(path)
      guard descriptor >= 0 else { throw writingError(errno, path) }
      return descriptor
    }
    guard isatty(STDOUT_FILENO) == 0 else {
      throw CaptureError(.inputOutput, "standard output is a terminal: name a file to write packets to, or a pipe")
    }
    return STDOUT_FILENO
  }

  deinit {
    // As well as it goes: only `close` can tell of a failure.
    if failure == nil { _ = writeAll(pending, to: descriptor) }
    if owns { _ = systemClose(descriptor) }
  }

  /// Names an interface, before its first packet is written.
  /// - Parameters:
  ///   - interface: as in `PacketRef.interface`.
  ///   - name: its name, "eth0".
  ///   - description: a longer text.
  ///   - snapshotLength: the most bytes kept of a packet; 0 for no limit.
  public mutating func describe(
    interface: UInt16, name: String?, description: String? = nil, snapshotLength: UInt32 = 0
  ) {
    descriptions[interface] = Description(name: name, text: description, snapshotLength: snapshotLength)
  }

  /// Writes secrets that open the packets after them (section 4.7).
  /// - Throws: `CaptureError` where writing fails.
  public mutating func writeSecrets(_ secrets: DecryptionSecrets) throws(CaptureError) {
    try check()
    let size = min(secrets.data.count, CaptureFile.maximumSecretBytes - 64)
    let length = UInt32(20 + padded(size))
    put32(BlockType.decryptionSecrets)
    put32(length)
    put32(secrets.type)
    put32(UInt32(size))
    pending.append(contentsOf: secrets.data.prefix(size))
    pad(size)
    put32(length)
    try flushWhenFull()
  }

  /// Writes one packet.
  /// - Parameters:
  ///   - packet: as the source lent it.
  ///   - bytes: the source's bytes.
  ///   - comment: a comment for the packet.
  /// - Throws: `CaptureError` where writing fails.
  public mutating func write(_ packet: PacketRef, in bytes: RawSpan, comment: String? = nil) throws(CaptureError) {
    try check()
    let number = try number(of: packet)
    let offset = min(max(Int(packet.offset), 0), bytes.byteCount)
    let captured = min(max(Int(packet.captured), 0), bytes.byteCount - offset)
    let remark = comment.map { Array($0.utf8.prefix(Self.maximumTextLength)) }
    // Section 4.3: interface, time stamp in two halves, captured and original length, bytes, options.
    let length = UInt32(32 + padded(captured) + (remark.map { 8 + padded($0.count) } ?? 0))
    let time = UInt64(clamping: packet.timestamp)
    put32(BlockType.enhancedPacket)
    put32(length)
    put32(number)
    put32(UInt32(truncatingIfNeeded: time >> 32))
    put32(UInt32(truncatingIfNeeded: time))
    put32(UInt32(captured))
    put32(UInt32(clamping: packet.wire))
    let packetBytes = bytes.extracting(offset..<offset + captured)
    // Safe: the pointer is used only inside the closure.
    unsafe packetBytes.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
    pad(captured)
    if let remark {
      putOption(1, remark)
      put32(0)
    }
    put32(length)
    packetsWritten &+= 1
    try flushWhenFull()
  }

  /// Writes what is held.
  /// - Throws: `CaptureError` where writing fails.
  public mutating func flush() throws(CaptureError) {
    try check()
    let code = writeAll(pending, to: descriptor)
    pending.removeAll(keepingCapacity: pending.capacity <= 4 * Self.bufferSize)
    if code != 0 {
      let error = writingError(code, name)
      failure = error
      throw error
    }
  }

  /// Writes what is held and ends the file.
  /// - Throws: `CaptureError` where writing fails; the file is closed all the same.
  public consuming func close() throws(CaptureError) { try flush() }

  private func check() throws(CaptureError) {
    if let failure { throw failure }
  }

  private mutating func flushWhenFull() throws(CaptureError) {
    if pending.count >= Self.bufferSize { try flush() }
  }

  /// The number of a packet's interface in the file, which is described before it is first used.
  private mutating func number(of packet: PacketRef) throws(CaptureError) -> UInt32 {
    let key = UInt32(packet.interface) << 16 | UInt32(packet.linkType)
    if key == lastKey { return lastNumber }
    let number: UInt32
    if let known = numbers[key] {
      number = known
    } else {
      guard numbers.count < Self.maximumInterfaces else {
        throw CaptureError(.unsupported, "\(name): more than \(Self.maximumInterfaces) interfaces in one file")
      }
      number = UInt32(numbers.count)
      numbers[key] = number
      putInterface(packet.linkType, descriptions[packet.interface])
    }
    lastKey = key
    lastNumber = number
    return number
  }

  /// Section 4.1.
  private mutating func beginSection(_ application: String, _ comment: String?) {
    var options: [(UInt16, [UInt8])] = []
    if let comment { options.append((1, Array(comment.utf8.prefix(Self.maximumTextLength)))) }
    options.append((4, Array(application.utf8.prefix(Self.maximumTextLength))))
    let length = UInt32(28 + size(of: options))
    put32(BlockType.sectionHeader)
    put32(length)
    put32(0x1A2B_3C4D)
    put16(1)
    put16(0)
    // The section's length is not known beforehand.
    put32(.max)
    put32(.max)
    putOptions(options)
    put32(length)
  }

  /// Section 4.2.
  private mutating func putInterface(_ linkType: UInt16, _ description: Description?) {
    var options: [(UInt16, [UInt8])] = []
    if let name = description?.name { options.append((2, Array(name.utf8.prefix(Self.maximumTextLength)))) }
    if let text = description?.text { options.append((3, Array(text.utf8.prefix(Self.maximumTextLength)))) }
    // Time stamps in units of 10^-9 s.
    options.append((9, [9]))
    let length = UInt32(20 + size(of: options))
    put32(BlockType.interfaceDescription)
    put32(length)
    put16(linkType)
    put16(0)
    put32(description?.snapshotLength ?? 0)
    putOptions(options)
    put32(length)
  }

  private func size(of options: [(UInt16, [UInt8])]) -> Int {
    options.reduce(4) { $0 + 4 + padded($1.1.count) }
  }

  private mutating func putOptions(_ options: [(UInt16, [UInt8])]) {
    for (code, value) in options { putOption(code, value) }
    put32(0)
  }

  private mutating func putOption(_ code: UInt16, _ value: [UInt8]) {
    put16(code)
    put16(UInt16(clamping: value.count))
    pending.append(contentsOf: value)
    pad(value.count)
  }

  private mutating func put32(_ value: UInt32) {
    // Safe: the pointer is used only inside the closure.
    unsafe withUnsafeBytes(of: value) { unsafe pending.append(contentsOf: $0) }
  }

  private mutating func put16(_ value: UInt16) {
    // Safe: the pointer is used only inside the closure.
    unsafe withUnsafeBytes(of: value) { unsafe pending.append(contentsOf: $0) }
  }

  /// Fills up to a multiple of 4.
  private mutating func pad(_ count: Int) {
    for _ in count..<padded(count) { pending.append(0) }
  }
}

/// The next multiple of 4.
private func padded(_ count: Int) -> Int { (count + 3) & ~3 }

private func systemCreate(_ path: String) -> Int32 {
  unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

/// Writes all of it, in as many steps as the system needs.
/// - Returns: 0, or the error number.
private func writeAll(_ content: [UInt8], to descriptor: Int32) -> Int32 {
  var done = 0
  while done < content.count {
    // Safe: `done` is below the count, and the pointer is used only inside the closure.
    let written = unsafe content.withUnsafeBytes {
      unsafe write(descriptor, $0.baseAddress.map { unsafe $0 + done }, $0.count - done)
    }
    if written > 0 {
      done += written
    } else if errno == EAGAIN {
      var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      // Safe: one structure, as the count says.
      _ = unsafe poll(&wanted, 1, 100)
    } else if errno != EINTR {
      return errno
    }
  }
  return 0
}

/// The sentence for a file that cannot be written.
private func writingError(_ code: Int32, _ name: String) -> CaptureError {
  switch code {
  case ENOSPC, EDQUOT: CaptureError(.inputOutput, "\(name): the disk is full; free some space or write elsewhere")
  case EPIPE: CaptureError(.inputOutput, "\(name): its reader has closed it")
  case ENOENT, ENOTDIR: CaptureError(.notFound, "\(name) cannot be written: there is no such folder")
  case EISDIR: CaptureError(.inputOutput, "\(name) is a directory: name a file to write to")
  case EACCES, EPERM, EROFS: CaptureError(.noRights, "\(name): no right to write there; name a file elsewhere")
  default: CaptureError(.inputOutput, "\(name) cannot be written: \(systemText(code))")
  }
}
