import CPcap

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads the older pcap variants through libpcap, from any input.
@safe final class LibpcapReader {
  let linkType: UInt16
  let snapshotLength: UInt32

  /// The input that libpcap's stdio stream pulls from, and what it met.
  fileprivate final class Supply {
    let input: any ByteInput
    var fault: InputFault?
    init(_ input: any ByteInput) { self.input = input }
  }

  private let handle: OpaquePointer
  private let supply: Supply
  private var last: Step?
  private var pending: (header: UnsafePointer<pcap_pkthdr>, bytes: UnsafePointer<UInt8>)?

  init(name: String, input: any ByteInput) throws(CaptureError) {
    let supply = Supply(input)
    self.supply = supply
    var text = ""
    let opened: OpaquePointer? = unsafe withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: Int(PCAP_ERRBUF_SIZE)
    ) { message in
      unsafe message.initialize(repeating: 0)
      // `self` keeps the supply alive for as long as the stream is open.
      guard let stream = unsafe stream(from: Unmanaged.passUnretained(supply).toOpaque()) else {
        text = systemText(errno)
        return nil
      }
      let handle = unsafe pcap_fopen_offline_with_tstamp_precision(
        stream, UInt32(PCAP_TSTAMP_PRECISION_NANO), message.baseAddress)
      if unsafe handle == nil {
        unsafe fclose(stream)
        if let base = message.baseAddress { text = unsafe String(cString: base) }
      }
      return unsafe handle
    }
    guard let opened = unsafe opened else {
      throw CaptureError(.unsupported, "\(name) is a capture that libpcap does not read either: \(oneLine(text))")
    }
    unsafe handle = opened
    linkType = unsafe Capture.linkType(dlt: pcap_datalink(opened))
    snapshotLength = unsafe UInt32(clamping: pcap_snapshot(opened))
  }

  deinit {
    // Closes the stream too; the supply goes after it.
    unsafe pcap_close(handle)
    withExtendedLifetime(supply) {}
  }

  /// What one more packet came to.
  enum Step {
    case packet(timestamp: Int64, captured: Int, wire: UInt32)
    case end
    case fault(InputFault)
    case message(String)
  }

  /// Reads on to the next packet; it stays the same one until `take`.
  func peek() -> Step {
    if let last { return last }
    if unsafe pending == nil {
      var header: UnsafeMutablePointer<pcap_pkthdr>?
      var data: UnsafePointer<UInt8>?
      let status = unsafe pcap_next_ex(handle, &header, &data)
      if let fault = supply.fault { return finish(.fault(fault)) }
      switch status {
      case 1: if let header = unsafe header, let data = unsafe data { unsafe pending = (UnsafePointer(header), data) }
      case PCAP_ERROR_BREAK: return finish(.end)
      default: return unsafe finish(.message(oneLine(String(cString: pcap_geterr(handle)))))
      }
    }
    guard let packet = unsafe pending else { return .end }
    // Safe: libpcap keeps header and bytes until the next pcap_next_ex, which comes only after `take`.
    let header = unsafe packet.header.pointee
    // The fraction holds nanoseconds, as asked at opening; its type differs from system to system.
    let timestamp = Int64(header.ts.tv_sec) &* 1_000_000_000 &+ Int64(header.ts.tv_usec)
    return .packet(timestamp: timestamp, captured: Int(header.caplen), wire: header.len)
  }

  /// Remembers how the stream ended: libpcap forgets a failure once it has told it.
  private func finish(_ step: Step) -> Step {
    last = step
    return step
  }

  /// Whether the peeked packet matches a filter.
  func matches(_ filter: PacketFilter, _ slot: Int, captured: Int, wire: UInt32) -> Bool {
    guard let packet = unsafe pending else { return false }
    // Safe: libpcap holds `caplen` bytes there.
    return unsafe filter.matches(slot, captured: captured, wire: wire, packet: packet.bytes)
  }

  /// Copies the peeked packet's bytes out and lets go of it.
  func take(_ count: Int, into room: UnsafeMutableRawBufferPointer) {
    if let packet = unsafe pending {
      // Safe: libpcap holds `caplen` bytes there, and `count` is that number; the caller made the room.
      unsafe room.copyMemory(from: UnsafeRawBufferPointer(start: packet.bytes, count: min(count, room.count)))
    }
    unsafe pending = nil
  }

  /// Lets go of the peeked packet.
  func drop() { unsafe pending = nil }
}

extension CaptureFile {
  /// Copies packets that libpcap reads into the buffer.
  mutating func fillFromLibpcap(_ batch: inout PacketBatch, _ reader: LibpcapReader) throws(CaptureError) -> Stop {
    buffer.removeAll()
    while batch.count < PacketBatch.capacity {
      switch reader.peek() {
      case .packet(let timestamp, let captured, let wire):
        guard captured <= Self.maximumRecordLength else {
          return .broken(.packetTooLong(claimed: UInt32(clamping: captured), most: Self.maximumRecordLength))
        }
        let slot = filterSlot
        if let filter, !reader.matches(filter, slot, captured: captured, wire: wire) {
          packetsRead &+= 1
          reader.drop()
          continue
        }
        if captured > buffer.capacity &- buffer.end {
          if batch.count > 0 { return .full }
          buffer.makeRoom(for: captured)
        }
        let place = buffer.end
        unsafe reader.take(captured, into: buffer.room)
        buffer.fill(captured)
        packetsRead &+= 1
        batch.items[batch.count] = PacketRef(
          timestamp: timestamp, offset: Int32(truncatingIfNeeded: place),
          captured: Int32(truncatingIfNeeded: captured), wire: Int32(clamping: wire), linkType: reader.linkType)
        batch.count &+= 1
      case .end: return .end
      case .fault(let fault):
        if batch.count > 0 { return .full }
        throw end(with: sentence(fault))
      case .message(let text):
        if batch.count > 0 { return .full }
        throw end(
          with: CaptureError(.truncated, "\(name) cannot be read on after packet \(packetsRead): \(text)"))
      }
    }
    return .full
  }
}

/// Copies bytes of a supply for stdio: their number, 0 at the end, -1 after a fault.
private func supplyBytes(_ cookie: UnsafeMutableRawPointer?, _ base: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  guard let cookie = unsafe cookie, count > 0 else { return 0 }
  // Safe: the cookie is the supply that the reader keeps alive while its stream is open.
  let supply = unsafe Unmanaged<LibpcapReader.Supply>.fromOpaque(cookie).takeUnretainedValue()
  if supply.fault != nil { return -1 }
  while true {
    do throws(InputFault) {
      switch try unsafe supply.input.read(into: UnsafeMutableRawBufferPointer(start: base, count: count)) {
      case .bytes(let got): return got
      case .end: return 0
      case .nothingYet: continue
      }
    } catch {
      supply.fault = error
      return -1
    }
  }
}

#if canImport(Darwin)
  private func stream(from cookie: UnsafeMutableRawPointer) -> UnsafeMutablePointer<FILE>? {
    unsafe funopen(
      cookie, { cookie, base, count in Int32(unsafe supplyBytes(cookie, base, Int(count))) }, nil, nil, nil)
  }
#else
  private func stream(from cookie: UnsafeMutableRawPointer) -> UnsafeMutablePointer<FILE>? {
    var functions = wiretag_stream_functions()
    unsafe functions.read = { cookie, base, count in unsafe supplyBytes(cookie, base, count) }
    return unsafe wiretag_open_stream(cookie, "r", functions)
  }
#endif
