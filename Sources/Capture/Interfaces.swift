import CPcap

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A network interface of this machine.
public struct Interface: Sendable, Equatable {
  /// Its name, "eth0".
  public var name: String
  /// What libpcap says about it, where it says something.
  public var description: String?
  /// Its IPv4 and IPv6 addresses as text.
  public var addresses: [String]
  /// Whether it is switched on.
  public var isUp: Bool
  /// Whether it has a carrier.
  public var isRunning: Bool
  /// Whether it is the loopback interface.
  public var isLoopback: Bool
  /// Whether it is a radio.
  public var isWireless: Bool
  /// Whether it carries network packets and is up: libpcap also lists log groups, buses and Bluetooth monitors.
  public var isCapturable: Bool
}

/// The interfaces of this machine, in libpcap's order: the likeliest to be wanted first.
/// - Throws: `CaptureError` where the system does not list them.
public func interfaces() throws(CaptureError) -> [Interface] {
  var text = ""
  var first: UnsafeMutablePointer<pcap_if_t>?
  let status: Int32 = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PCAP_ERRBUF_SIZE)) { message in
    unsafe message.initialize(repeating: 0)
    let status = unsafe pcap_findalldevs(&first, message.baseAddress)
    if status != 0, let base = message.baseAddress { text = unsafe String(cString: base) }
    return status
  }
  guard status == 0 else { throw CaptureError(.inputOutput, "the interfaces cannot be listed: \(oneLine(text))") }
  defer { unsafe pcap_freealldevs(first) }
  var found: [Interface] = []
  var next = unsafe first
  // Safe: the list is libpcap's, ends with nil, and is freed only when this function returns.
  while let device = unsafe next {
    unsafe found.append(Interface(device.pointee))
    unsafe next = device.pointee.next
  }
  return found
}

extension Interface {
  /// An entry of libpcap's list, copied.
  fileprivate init(_ device: pcap_if_t) {
    // Safe: texts of the list end with a zero.
    name = unsafe String(cString: device.name)
    description = unsafe device.description.map { unsafe String(cString: $0) }
    addresses = []
    var next = unsafe device.addresses
    while let entry = unsafe next {
      if let address = unsafe addressText(entry.pointee.addr) { addresses.append(address) }
      unsafe next = entry.pointee.next
    }
    let flags = unsafe Int64(device.flags)
    isUp = flags & Int64(PCAP_IF_UP) != 0
    isRunning = flags & Int64(PCAP_IF_RUNNING) != 0
    isLoopback = flags & Int64(PCAP_IF_LOOPBACK) != 0
    isWireless = flags & Int64(PCAP_IF_WIRELESS) != 0
    // Only what the kernel's network stack knows has an index; `any` is all of those.
    let index = unsafe if_nametoindex(name)
    isCapturable = isUp && (name == "any" || index != 0)
  }
}

/// An IPv4 or IPv6 address as text; nil for others.
private func addressText(_ address: UnsafeMutablePointer<sockaddr>?) -> String? {
  guard let address = unsafe address else { return nil }
  return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { room in
    let family = unsafe Int32(address.pointee.sa_family)
    let source: UnsafeRawPointer
    // Safe: the family tells which structure lies there.
    switch family {
    case AF_INET:
      unsafe source = UnsafeRawPointer(address) + (MemoryLayout<sockaddr_in>.offset(of: \.sin_addr) ?? 4)
    case AF_INET6:
      unsafe source = UnsafeRawPointer(address) + (MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8)
    default: return nil
    }
    guard let base = room.baseAddress, unsafe inet_ntop(family, source, base, socklen_t(INET6_ADDRSTRLEN)) != nil
    else { return nil }
    return unsafe String(cString: base)
  }
}

/// Whether this process may capture.
public enum CaptureRights: Sendable, Equatable {
  /// It may.
  case sufficient
  /// It may not; a sentence says what to do.
  case missing(String)
}

/// What this process lacks to capture, found by opening an interface and closing it at once.
public func captureRights() -> CaptureRights {
  #if os(Linux)
    let name = "any"
  #else
    let name = (try? interfaces())?.first { $0.isCapturable }?.name ?? "lo0"
  #endif
  do throws(CaptureError) {
    var options = LiveOptions()
    options.bufferBytes = 65_536
    _ = try LiveCapture.open(interface: name, options: options)
    return .sufficient
  } catch {
    return error.kind == .noRights ? .missing(error.description) : .sufficient
  }
}

/// The names nearest to one that does not exist, nearest first: up to three, and only those that look like it.
package func nearestNames(to name: String, among names: [String]) -> [String] {
  let limit = max(2, name.utf8.count / 2)
  let ranked = names.map {
    (name: $0, distance: editDistance(Array(name.lowercased().utf8), Array($0.lowercased().utf8)))
  }
  .filter { $0.distance <= limit }
  .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
  return ranked.prefix(3).map(\.name)
}

/// Levenshtein's distance: insertions, deletions and substitutions between two words.
func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
  var row = Array(0...second.count)
  for (i, a) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, b) in second.enumerated() {
      let replaced = diagonal + (a == b ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[second.count]
}
