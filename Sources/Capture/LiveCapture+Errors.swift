import CPcap

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The one line that a person gets when an interface cannot be opened, or goes away.

extension LiveCapture {
  static func activationError(_ handle: OpaquePointer, _ status: Int32, _ name: String) -> CaptureError {
    // Safe: both texts end with a zero, and are copied before the handle is closed.
    let known = unsafe String(cString: pcap_statustostr(status))
    let detail = unsafe oneLine(String(cString: pcap_geterr(handle)))
    let reason = detail.isEmpty ? known : detail
    switch status {
    case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED:
      return CaptureError(.noRights, "no right to capture from \(name): \(rightsAdvice)")
    case PCAP_ERROR_NO_SUCH_DEVICE: return unknownInterface(name)
    case PCAP_ERROR_IFACE_NOT_UP: return CaptureError(.noSuchInterface, "\(name) is down: \(upAdvice(name))")
    default:
      let index = unsafe if_nametoindex(name)
      if index == 0, name != "any" { return unknownInterface(name) }
      return CaptureError(.unsupported, "\(name) cannot be captured from: \(reason)")
    }
  }

  private static var rightsAdvice: String {
    #if os(Linux)
      "run with sudo, or once: sudo setcap cap_net_raw,cap_net_admin=eip \(executablePath)"
    #else
      "run with sudo, or get read access to /dev/bpf*"
    #endif
  }

  private static func upAdvice(_ name: String) -> String {
    #if os(Linux)
      "bring it up with `sudo ip link set \(name) up`"
    #else
      "bring it up with `sudo ifconfig \(name) up`"
    #endif
  }

  private static func unknownInterface(_ name: String) -> CaptureError {
    let names = ((try? interfaces()) ?? []).filter(\.isCapturable).map(\.name)
    let near = nearestNames(to: name, among: names)
    let advice =
      near.isEmpty
      ? (names.isEmpty ? "" : ": there are \(names.prefix(16).joined(separator: ", "))")
      : ": did you mean \(near.joined(separator: " or "))?"
    return CaptureError(.noSuchInterface, "there is no interface \(name)\(advice)")
  }

  func readingError(_ reason: String) -> CaptureError {
    let index = unsafe if_nametoindex(interface)
    if interface != "any", index == 0 {
      return CaptureError(
        .interfaceGone, "\(interface) went away after \(packetsRead) packets: \(reason)")
    }
    if reason.contains("went down") || reason.contains("disappeared") {
      return CaptureError(.interfaceGone, "\(interface) went down after \(packetsRead) packets: \(reason)")
    }
    return CaptureError(.inputOutput, "\(interface): capturing failed after \(packetsRead) packets: \(reason)")
  }
}

#if os(Linux)
  /// The path of this program, for advice that names it.
  private var executablePath: String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4_096) { room in
      guard let base = room.baseAddress else { return "wiretag" }
      // Safe: readlink writes at most 4,095 bytes, and the zero is put behind them.
      let length = unsafe readlink("/proc/self/exe", base, 4_095)
      guard length > 0 else { return "wiretag" }
      unsafe (base + length).initialize(to: 0)
      return unsafe String(cString: base)
    }
  }
#endif
