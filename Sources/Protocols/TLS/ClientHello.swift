public import Bytes

//  RFC 8446, section 4.1.2; the same in every version since SSL 3.0 (RFC 6101, section 5.6.1.2)
//
//   +----------------+--------------------------------+
//   | legacy_version | random, 32 bytes               |
//   +----------------+-----------+--------------------+
//   | 1: session id, 0...32      | 2: cipher suites   |  DTLS: 1: cookie before them (RFC 6347, section 4.2.1)
//   +----------------------------+--------------------+
//   | 1: compression methods     | 2: extensions      |  extensions: absent in old clients
//   +----------------------------+--------------------+
//
//   (N: a length of N bytes stands before the field)

/// A ClientHello, lent: every list is the wire's own bytes, nothing is copied until it is asked for.
///
/// Lengths of the message itself must be right. What lies inside a single extension may be damaged: that extension
/// then counts in the fingerprints and says nothing else. An extension that is longer than the block ends the reading:
/// those before it stay. `damage` holds the first such error.
public struct ClientHello: ~Escapable {
  /// The version field; 0x0303 also in TLS 1.3.
  public let legacyVersion: TLSVersion
  /// The cookie that a DTLS server asked for; empty in TLS.
  public let cookie: RawSpan
  /// Cipher suites, two bytes each.
  public let cipherSuites: RawSpan
  /// The extensions block, headers included, as far as it is whole.
  public let extensions: RawSpan
  /// The host_name of server_name, as sent.
  public let serverNameBytes: RawSpan
  /// Whether there is a server_name extension, whatever it holds.
  public let hasServerNameExtension: Bool
  /// Whether there is a host_name in it.
  public let hasServerName: Bool
  /// ALPN names, a length byte before each (RFC 7301).
  public let alpnList: RawSpan
  /// supported_groups, two bytes each.
  public let groups: RawSpan
  /// ec_point_formats, a byte each.
  public let pointFormats: RawSpan
  /// signature_algorithms, two bytes each.
  public let signatureAlgorithms: RawSpan
  /// supported_versions, two bytes each.
  public let versionList: RawSpan
  /// Whether an encrypted_client_hello or encrypted_server_name extension is there: the name may be a decoy.
  public let hasEncryptedClientHello: Bool
  /// Whether there is an encrypted_server_name extension among them.
  public let hasEncryptedServerName: Bool
  /// Whether the client resumes by a pre-shared key (RFC 8446, section 4.2.11).
  public let hasPreSharedKey: Bool
  /// Whether it comes from QUIC, as its transport parameters say.
  public let hasQUICTransportParameters: Bool
  /// The first error inside an extension.
  public let damage: ParseError?

  /// Reads the body of a handshake message of TLS, or of DTLS, which has a cookie, to its end.
  /// - Throws: `truncated` where the body ends before its fields do; `malformed` for an odd list of cipher suites.
  @_lifetime(copy reader)
  public init(parsing reader: inout ByteReader, isDatagram: Bool = false) throws(ParseError) {
    legacyVersion = TLSVersion(rawValue: try reader.u16())
    try reader.skip(32)
    try reader.skip(Int(reader.u8()))
    cookie = isDatagram ? try reader.take(Int(reader.u8())) : RawSpan()
    let suites = Int(try reader.u16())
    guard suites.isMultiple(of: 2) else { throw .malformed(.length, at: reader.offset &- 2) }
    cipherSuites = try reader.take(suites)
    try reader.skip(Int(reader.u8()))
    let block = reader.isAtEnd ? RawSpan() : try reader.take(Int(reader.u16()))
    let fields = ExtensionMap(block)
    extensions = block.slice(0, fields.length)
    hasServerNameExtension = fields.hasServerNameExtension
    hasServerName = fields.hasServerName
    serverNameBytes = extensions.slice(fields.serverName.offset, fields.serverName.length)
    alpnList = extensions.slice(fields.alpn.offset, fields.alpn.length)
    groups = extensions.slice(fields.groups.offset, fields.groups.length)
    pointFormats = extensions.slice(fields.pointFormats.offset, fields.pointFormats.length)
    signatureAlgorithms = extensions.slice(fields.signatureAlgorithms.offset, fields.signatureAlgorithms.length)
    versionList = extensions.slice(fields.versions.offset, fields.versions.length)
    hasEncryptedClientHello = fields.hasEncryptedClientHello
    hasEncryptedServerName = fields.hasEncryptedServerName
    hasPreSharedKey = fields.hasPreSharedKey
    hasQUICTransportParameters = fields.hasQUICTransportParameters
    damage = fields.damage
  }

  /// The server name as text, `nil` where none was sent; what is no UTF-8 is escaped.
  public var serverName: String? { hasServerName ? visibleText(serverNameBytes) : nil }

  /// Offered application protocols, in order, as text.
  public var alpn: [String] { alpn(atMost: .max) }

  /// The first application protocols, in order, as text.
  public func alpn(atMost count: Int) -> [String] {
    var names: [String] = []
    var reader = ByteReader(alpnList)
    while names.count < count, !reader.isAtEnd, let length = try? reader.u8(), let name = try? reader.take(Int(length))
    {
      names.append(visibleText(name))
    }
    return names
  }

  /// The first application protocol's bytes; empty where none was offered.
  public var firstALPN: RawSpan {
    @_lifetime(copy self) get { alpnList.slice(1, alpnList.byteCount > 0 ? Int(alpnList.u8(0)) : 0) }
  }

  /// supported_versions without GREASE, or the version field alone.
  public var supportedVersions: [TLSVersion] {
    guard versionList.byteCount >= 2 else { return [legacyVersion] }
    var versions: [TLSVersion] = []
    for i in 0..<versionList.byteCount / 2 {
      let version = versionList.u16(2 &* i)
      if !isGREASE(version) { versions.append(TLSVersion(rawValue: version)) }
    }
    return versions
  }

  /// The highest version in supported_versions without GREASE, or the version field. DTLS counts downwards: 0xfeff is
  /// 1.0, 0xfefc is 1.3.
  public var highestVersion: TLSVersion {
    var highest: UInt16 = 0
    for i in 0..<versionList.byteCount / 2 {
      let version = versionList.u16(2 &* i)
      if isGREASE(version) { continue }
      let isLater = version >> 8 == 0xfe && highest >> 8 == 0xfe ? version < highest : version > highest
      if isLater { highest = version }
    }
    return highest == 0 ? legacyVersion : TLSVersion(rawValue: highest)
  }
}

/// Where the extensions that are read lie in the block.
struct ExtensionMap {
  /// Bytes of the extensions block.
  struct Place {
    var offset = 0
    var length = 0
  }

  var serverName = Place()
  var alpn = Place()
  var groups = Place()
  var pointFormats = Place()
  var signatureAlgorithms = Place()
  var versions = Place()
  var hasServerNameExtension = false
  var hasServerName = false
  var hasEncryptedClientHello = false
  var hasEncryptedServerName = false
  var hasPreSharedKey = false
  var hasQUICTransportParameters = false
  var damage: ParseError?
  /// Bytes of the block that hold whole extensions.
  private(set) var length = 0

  /// Walks the block. The first of two extensions of one type counts.
  init(_ block: borrowing RawSpan) {
    var reader = ByteReader(copy block)
    do throws(ParseError) {
      while !reader.isAtEnd {
        let type = TLSExtensionType(rawValue: try reader.u16())
        let count = Int(try reader.u16())
        let start = reader.offset
        var value = try reader.sub(count)
        do throws(ParseError) { try read(type, &value, at: start) } catch { damage = damage ?? error }
        length = reader.offset
      }
    } catch {
      damage = damage ?? error
    }
  }

  private mutating func read(_ type: TLSExtensionType, _ value: inout ByteReader, at start: Int) throws(ParseError) {
    switch type {
    case .serverName where !hasServerNameExtension:
      hasServerNameExtension = true
      if value.isAtEnd { return }
      serverName = try Self.hostName(&value, at: start)
      hasServerName = true
    case .alpn where alpn.length == 0:
      let length = Int(try value.u16())
      let place = Place(offset: start &+ value.offset, length: length)
      var names = try value.sub(length)
      while !names.isAtEnd { try names.skip(Int(names.u8())) }
      alpn = place
    case .supportedGroups where groups.length == 0:
      groups = try Self.list(&value, length: Int(value.u16()), width: 2, at: start)
    case .ecPointFormats where pointFormats.length == 0:
      pointFormats = try Self.list(&value, length: Int(value.u8()), width: 1, at: start)
    case .signatureAlgorithms where signatureAlgorithms.length == 0:
      signatureAlgorithms = try Self.list(&value, length: Int(value.u16()), width: 2, at: start)
    case .supportedVersions where versions.length == 0:
      versions = try Self.list(&value, length: Int(value.u8()), width: 2, at: start)
    case .encryptedClientHello: hasEncryptedClientHello = true
    case .encryptedServerName:
      hasEncryptedClientHello = true
      hasEncryptedServerName = true
    case .preSharedKey: hasPreSharedKey = true
    case .quicTransportParameters: hasQUICTransportParameters = true
    default: break
    }
  }

  /// The first host_name of a ServerNameList (RFC 6066, section 3).
  private static func hostName(_ value: inout ByteReader, at start: Int) throws(ParseError) -> Place {
    let length = Int(try value.u16())
    let listStart = start &+ value.offset
    var list = try value.sub(length)
    while true {
      let type = try list.u8()
      let nameLength = Int(try list.u16())
      let place = Place(offset: listStart &+ list.offset, length: nameLength)
      try list.skip(nameLength)
      if type == 0 { return place }
    }
  }

  private static func list(
    _ value: inout ByteReader, length: Int, width: Int, at start: Int
  ) throws(ParseError) -> Place {
    guard length.isMultiple(of: width) else { throw .malformed(.length, at: start &+ value.offset) }
    let place = Place(offset: start &+ value.offset, length: length)
    try value.skip(length)
    return place
  }
}
