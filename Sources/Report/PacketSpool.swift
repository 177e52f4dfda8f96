public import Classify

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Packets that wait for the tag that their flow ends with.
///
/// A packet is reported with its flow's final tag, which is known only when the flow has ended. Packets wait in a
/// temporary file without a name (in `TMPDIR`, else /var/tmp), some 10 bytes each, and are read back in order at the
/// end. In memory stay 4 bytes a flow, the names of services and captures, and a buffer: nothing grows with packets.
///
/// A record in the file is a run of LEB128 numbers: packet number since the last one, with direction and "another
/// capture" in the low two bits; that capture's index where the bit is set; time since the last one in zigzag form;
/// flow; bytes on the wire; payload bytes.
public struct PacketSpool: ~Copyable {
  /// The most bytes that wait to be written, and that are read at a time.
  static let bufferSize = 1 << 16
  /// The most bytes of a record: seven numbers of at most ten.
  static let maximumRecord = 70

  /// One line for a person, where writing or reading failed; the packets before it are still given.
  public private(set) var failure: String?
  private let descriptor: Int32
  private let folder: String
  private var buffer: [UInt8] = []
  private var last = PacketEvent()
  private var captures: [String] = []
  private var services: [String] = []
  private var serviceIndex: [String: UInt32] = [:]
  /// By flow: two bits of tag, and above them the index of the service, from 1.
  private var verdicts: [UInt32] = []

  /// Opens a spool.
  /// - Parameter folder: where its file goes.
  /// - Throws: `OutputFailure.failed` where no file can be made there.
  public init(folder: String = PacketSpool.temporaryFolder) throws(OutputFailure) {
    var template = Array("\(folder)/wiretag-XXXXXX".utf8CString)
    // Safe: mkstemp changes the template in place and keeps its length; the closing zero is part of the array.
    let descriptor = unsafe template.withUnsafeMutableBufferPointer { name in
      guard let path = name.baseAddress else { return Int32(-1) }
      let descriptor = unsafe mkstemp(path)
      if descriptor >= 0 { _ = unsafe unlink(path) }
      return descriptor
    }
    guard descriptor >= 0 else {
      throw .failed(
        "cannot keep packets in \(printable(folder)): \(systemMessage(errno)); set TMPDIR to another folder")
    }
    self.descriptor = descriptor
    self.folder = folder
    buffer.reserveCapacity(Self.bufferSize + Self.maximumRecord)
  }

  deinit { _ = close(descriptor) }

  /// `TMPDIR`, else /var/tmp, which is on a disk where /tmp may be in memory.
  public static var temporaryFolder: String {
    // Safe: the text is copied at once.
    guard let named = unsafe getenv("TMPDIR") else { return "/var/tmp" }
    return unsafe String(cString: named)
  }

  /// Keeps a packet; its tag and service are not looked at.
  public mutating func add(_ packet: PacketEvent) {
    guard failure == nil else { return }
    var flags: UInt64 = packet.isToServer ? 1 : 0
    var capture: UInt64?
    if packet.capture != last.capture {
      capture = index(of: packet.capture)
      flags |= 2
    }
    number((packet.number &- last.number) << 2 | flags)
    if let capture { number(capture) }
    let step = packet.timestamp &- last.timestamp
    number(UInt64(bitPattern: step << 1 ^ step >> 63))
    number(packet.flowID)
    number(UInt64(packet.wireLength))
    number(UInt64(packet.payloadLength))
    last = packet
    if buffer.count >= Self.bufferSize { flush() }
  }

  /// Notes what a flow's packets are tagged with.
  /// - Parameters:
  ///   - flow: its number, from 1 and dense; the table takes 4 bytes a flow.
  ///   - tag: the tag that it ended with.
  ///   - service: the service that it ended with.
  public mutating func flowEnded(_ flow: UInt64, tag: Tag, service: String?) {
    guard let index = Int(exactly: flow) else { return }
    if index >= verdicts.count {
      verdicts.append(contentsOf: repeatElement(0, count: index + 1 - verdicts.count))
    }
    verdicts[index] = UInt32(Tag.allCases.firstIndex(of: tag) ?? 3) | known(service) << 2
  }

  private mutating func known(_ service: String?) -> UInt32 {
    guard let service else { return 0 }
    if let index = serviceIndex[service] { return index }
    services.append(service)
    let index = UInt32(truncatingIfNeeded: services.count)
    serviceIndex[service] = index
    return index
  }

  private mutating func index(of capture: String?) -> UInt64 {
    guard let capture else { return 0 }
    if captures.last != capture { captures.append(capture) }
    return UInt64(captures.count)
  }

  private mutating func number(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    buffer.append(UInt8(truncatingIfNeeded: rest))
  }

  private mutating func flush() {
    defer { buffer.removeAll(keepingCapacity: true) }
    if let code = writeAll(buffer, to: descriptor) { fail(code) }
  }

  private mutating func fail(_ code: Int32) {
    failure = "cannot keep packets in \(printable(folder)): \(systemMessage(code)); set TMPDIR to a folder with room"
  }

  /// Gives every packet back in order, with its flow's tag and service, until `body` returns false.
  public mutating func replay(_ body: (PacketEvent) -> Bool) {
    flush()
    guard lseek(descriptor, 0, SEEK_SET) == 0 else {
      fail(errno)
      return
    }
    var packet = PacketEvent()
    var pending: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: Self.bufferSize)
    while true {
      // Safe: the system writes at most the array's count of bytes into it.
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        fail(errno)
        return
      }
      if count == 0 { return }
      pending.append(contentsOf: chunk[..<count])
      var position = 0
      while let next = record(in: pending, at: position, after: &packet) {
        position = next
        if !body(packet) { return }
      }
      pending.removeFirst(position)
    }
  }

  /// Reads the record at `position`; `nil` where it is not all there yet.
  private func record(in bytes: [UInt8], at position: Int, after packet: inout PacketEvent) -> Int? {
    var position = position
    func number() -> UInt64? {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while position < bytes.count, shift < 64 {
        let byte = bytes[position]
        position += 1
        value |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      return nil
    }
    guard let head = number() else { return nil }
    var capture: UInt64?
    if head & 2 != 0 {
      guard let index = number() else { return nil }
      capture = index
    }
    guard let step = number(), let flow = number(), let wire = number(), let payload = number() else { return nil }
    packet.number &+= head >> 2
    packet.isToServer = head & 1 != 0
    if let capture { packet.capture = capture == 0 ? nil : text(captures, capture) }
    packet.timestamp &+= Int64(bitPattern: step >> 1) ^ -Int64(bitPattern: step & 1)
    packet.flowID = flow
    packet.wireLength = UInt32(truncatingIfNeeded: wire)
    packet.payloadLength = UInt32(truncatingIfNeeded: payload)
    let verdict = Int(exactly: flow).flatMap { $0 < verdicts.count ? verdicts[$0] : nil } ?? 3
    packet.tag = Tag.allCases[Int(verdict & 3)]
    packet.service = verdict >> 2 == 0 ? nil : text(services, UInt64(verdict >> 2))
    return position
  }

  private func text(_ texts: [String], _ index: UInt64) -> String? {
    guard let index = Int(exactly: index), index >= 1, index <= texts.count else { return nil }
    return texts[index - 1]
  }
}
