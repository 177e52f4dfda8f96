import CPcap

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How to capture.
public struct LiveOptions: Sendable, Equatable {
  /// An expression of pcap-filter(7).
  public var filter: String?
  /// The most bytes of a packet to keep, 1 to 262144. Segmentation offload makes packets of up to 64 KiB.
  public var snapshotLength = 262_144
  /// Bytes of the kernel's buffer: what bridges the time in which nothing is read. It is memory that is never paged out.
  public var bufferBytes = 67_108_864
  /// Whether to take in frames for others too.
  public var isPromiscuous = true
  /// A number that captures of one interface agree on to share its packets, each flow whole in one of them. Linux only;
  /// nil for all packets. Programs of one network namespace share these numbers.
  public var fanoutGroup: UInt16?
  /// The options of a plain capture.
  public init() {}
}

/// Captures from an interface through libpcap.
///
/// One thread opens, reads and closes it. `next` waits about 100 ms at most, so that its caller can look for signals
/// and expire flows on a silent interface.
@safe public struct LiveCapture: ~Copyable, PacketSource {
  /// Packets since the capture began. Counters of 32 bits are widened, as long as they are asked for now and then.
  public struct Statistics: Sendable, Equatable {
    /// Packets that passed the filter. Loopback packets count twice on Linux, once a direction.
    public var received: UInt64 = 0
    /// Packets lost because the buffer was full.
    public var dropped: UInt64 = 0
    /// Packets lost by the interface or its driver.
    public var droppedByInterface: UInt64 = 0
  }

  /// How long `next` waits for a packet, in milliseconds.
  static let patienceMilliseconds: Int32 = 100

  /// The interface's name.
  public let interface: String
  /// LINKTYPE_ value of its packets.
  public let linkType: UInt16
  /// Whether time stamps have nanoseconds; else microseconds.
  public let hasNanoseconds: Bool
  /// Things that a person should know and that do not end the capture, a sentence each.
  public let notices: [String]
  /// Packets lent so far.
  public private(set) var packetsRead: UInt64 = 0

  private let handle: OpaquePointer
  private let arena: UnsafeMutablePointer<PacketArena>
  /// Why the capture has ended; thrown once, when all packets before it are lent.
  private var failure: CaptureError?
  private var hasEnded = false
  private var counted = Statistics()

  private init(
    _ handle: OpaquePointer, interface: String, snapshotLength: Int, notices: [String], notBefore: Int64
  ) {
    unsafe self.handle = handle
    self.interface = interface
    self.notices = notices
    linkType = unsafe Capture.linkType(dlt: pcap_datalink(handle))
    hasNanoseconds = unsafe pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO
    unsafe arena = .allocate(capacity: 1)
    unsafe arena.initialize(
      to: PacketArena(
        handle: handle, snapshotLength: snapshotLength, linkType: linkType, fraction: hasNanoseconds ? 1 : 1_000,
        notBefore: notBefore))
  }

  deinit {
    unsafe arena.pointee.deallocate()
    unsafe arena.deallocate()
    unsafe pcap_close(handle)
  }

  /// The bytes that the last batch's packets lie in; valid until the next call of `next`.
  public var bytes: RawSpan {
    @_lifetime(borrow self) get {
      // Safe: the arena's bytes live as long as `self`, and change only in `next`.
      let span = unsafe arena.pointee.held.bytes
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Opens an interface.
  /// - Parameters:
  ///   - name: its name, or `any` for all of them on Linux.
  ///   - options: how to capture.
  /// - Returns: the capture, from its first packet after this call.
  /// - Throws: `CaptureError` with what to do: rights, an unknown or sleeping interface, a bad filter.
  public static func open(interface name: String, options: LiveOptions = LiveOptions()) throws(CaptureError)
    -> LiveCapture
  {
    let snapshotLength = min(max(options.snapshotLength, 1), 262_144)
    var text = ""
    let created: OpaquePointer? = unsafe withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: Int(PCAP_ERRBUF_SIZE)
    ) { message in
      unsafe message.initialize(repeating: 0)
      let handle = unsafe pcap_create(name, message.baseAddress)
      if unsafe handle == nil, let base = message.baseAddress { text = unsafe String(cString: base) }
      return unsafe handle
    }
    guard let handle = unsafe created else {
      throw CaptureError(.noSuchInterface, "\(name) cannot be opened: \(oneLine(text))")
    }
    do throws(CaptureError) {
      let notices = try unsafe activate(handle, name, options, snapshotLength)
      let notBefore = if let group = options.fanoutGroup { try unsafe join(group, handle, name) } else { Int64.min }
      return unsafe LiveCapture(
        handle, interface: name, snapshotLength: snapshotLength, notices: notices, notBefore: notBefore)
    } catch {
      unsafe pcap_close(handle)
      throw error
    }
  }

  private static func activate(
    _ handle: OpaquePointer, _ name: String, _ options: LiveOptions, _ snapshotLength: Int
  ) throws(CaptureError) -> [String] {
    unsafe pcap_set_snaplen(handle, Int32(snapshotLength))
    unsafe pcap_set_promisc(handle, options.isPromiscuous ? 1 : 0)
    // How long the kernel may hold back a block of packets that is not full. Immediate mode would lose bursts: it takes
    // frames of the full snapshot length each.
    unsafe pcap_set_timeout(handle, patienceMilliseconds)
    unsafe pcap_set_buffer_size(handle, Int32(clamping: max(options.bufferBytes, 65_536)))
    // Refused where the system has no nanoseconds; the precision is asked for afterwards.
    unsafe pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
    let status = unsafe pcap_activate(handle)
    var notices: [String] = []
    if status < 0 { throw unsafe activationError(handle, status, name) }
    if status > 0 {
      let detail = unsafe oneLine(String(cString: pcap_geterr(handle)))
      let known = unsafe String(cString: pcap_statustostr(status))
      notices.append("\(name): \(detail.isEmpty ? known : detail)")
    }
    // SLL2 says which interface a packet of `any` came from; others refuse it and keep their own.
    if name == "any" { unsafe pcap_set_datalink(handle, DLT_LINUX_SLL2) }
    if let filter = options.filter { try unsafe setFilter(handle, filter) }
    let nonblocking: Int32 = unsafe withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: Int(PCAP_ERRBUF_SIZE)
    ) { unsafe pcap_setnonblock(handle, 1, $0.baseAddress) }
    guard nonblocking == 0 else {
      throw CaptureError(.unsupported, "\(name) cannot be read without blocking: capture from a network interface")
    }
    return notices
  }

  private static func setFilter(_ handle: OpaquePointer, _ expression: String) throws(CaptureError) {
    var program = unsafe bpf_program()
    var status = unsafe pcap_compile(handle, &program, expression, 1, PCAP_NETMASK_UNKNOWN)
    if status == 0 {
      status = unsafe pcap_setfilter(handle, &program)
      unsafe pcap_freecode(&program)
    }
    guard status == 0 else {
      let reason = unsafe oneLine(String(cString: pcap_geterr(handle)))
      throw badFilter(expression, reason)
    }
  }

  /// Fills `batch` with what has arrived, after at most about 100 ms.
  /// - Throws: `CaptureError` once where the interface goes away, after all packets before that.
  public mutating func next(_ batch: inout PacketBatch) throws(CaptureError) -> BatchOutcome {
    batch.count = 0
    if unsafe arena.pointee.isDrained {
      guard !hasEnded else { return .end }
      unsafe arena.pointee.removeAll()
      dispatch()
      if unsafe failure == nil && arena.pointee.isDrained {
        guard waitForPackets() else { return .idle }
        dispatch()
      }
      if let failure, unsafe arena.pointee.isDrained {
        hasEnded = true
        throw failure
      }
    }
    unsafe arena.pointee.lend(&batch)
    packetsRead &+= UInt64(clamping: batch.count)
    return batch.count > 0 ? .packets : .idle
  }

  /// Copies what libpcap has into the arena.
  private mutating func dispatch() {
    guard failure == nil else { return }
    // Safe: the arena stays where it is for as long as `self` lives.
    let user = unsafe UnsafeMutableRawPointer(arena).assumingMemoryBound(to: UInt8.self)
    let status = unsafe pcap_dispatch(handle, Int32(PacketArena.maximumPackets), takePacket, user)
    guard status < 0, status != PCAP_ERROR_BREAK else { return }
    failure = unsafe readingError(oneLine(String(cString: pcap_geterr(handle))))
  }

  /// Sleeps until packets may be there.
  /// - Returns: false where the time is over or a signal came.
  private func waitForPackets() -> Bool {
    let descriptor = unsafe pcap_get_selectable_fd(handle)
    guard descriptor >= 0 else {
      // A device that cannot be waited for is asked again after a while.
      var pause = timespec(tv_sec: 0, tv_nsec: 10_000_000)
      unsafe nanosleep(&pause, nil)
      return true
    }
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // Safe: one structure, as the count says.
    return unsafe poll(&wanted, 1, Self.patienceMilliseconds) > 0
  }

  /// The kernel's counters so far; those of the last time where they cannot be read, as after the interface went away.
  public mutating func statistics() -> Statistics {
    var now = pcap_stat()
    // Safe: the structure is ours.
    guard unsafe pcap_stats(handle, &now) == 0 else { return counted }
    counted.received = widened(now.ps_recv, counted.received)
    counted.dropped = widened(now.ps_drop, counted.dropped)
    counted.droppedByInterface = widened(now.ps_ifdrop, counted.droppedByInterface)
    return counted
  }
}

/// A counter of 64 bits from one of 32 that may have wrapped since it was last read.
func widened(_ now: UInt32, _ before: UInt64) -> UInt64 {
  before &+ UInt64(now &- UInt32(truncatingIfNeeded: before))
}
