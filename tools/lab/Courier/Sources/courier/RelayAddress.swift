import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where a relay for calls stands.
struct RelayAddress {
  /// In network order, 4 or 16 of them.
  let bytes: [UInt8]
  let port: UInt16

  /// From `address:port` or `[address]:port`.
  init(_ text: String) throws {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
      throw Complaint("'\(text)' is no address and port")
    }
    let host = text[..<colon].replacing("[", with: "").replacing("]", with: "")
    guard let address = try? SocketAddress(ipAddress: String(host), port: 0) else {
      throw Complaint("'\(host)' is no address")
    }
    bytes = address.bytes
    self.port = port
  }

  /// From the 4 or 16 bytes of an address.
  init(bytes: [UInt8], port: UInt16) {
    self.bytes = bytes
    self.port = port
  }

  var text: String {
    guard let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(port)) else {
      return "?"
    }
    return Transport.text(address)
  }
}

extension SocketAddress {
  /// The address alone, in network order: 4 or 16 bytes, none for a path.
  var bytes: [UInt8] {
    guard let ipAddress else { return [] }
    let (family, count) = ipAddress.contains(":") ? (AF_INET6, 16) : (AF_INET, 4)
    var bytes = [UInt8](repeating: 0, count: count)
    let result = unsafe bytes.withUnsafeMutableBytes { unsafe inet_pton(family, ipAddress, $0.baseAddress) }
    return result == 1 ? bytes : []
  }
}
