import Bytes
import Protocols

//  TLS 1.3                                             TLS 1.2
//   client                  server                      client                    server
//   ClientHello             ServerHello       clear     ClientHello               ServerHello ...      clear
//   (early data)                              early     ClientKeyExchange
//                           ... Finished      handshake change_cipher_spec
//   ... Finished                              handshake Finished                  change_cipher_spec   application
//   application data        application data                                      Finished             application
//   KeyUpdate               KeyUpdate                   application data          application data
//   application data        application data  updated   ClientHello: a new handshake under the keys of the last

extension TLSConnection {
  /// Follows what a record changes.
  mutating func follow(_ event: TLSRecordEvent, _ content: RawSpan, _ secrets: TLSSecrets) {
    if event.type == .changeCipherSpec, version != nil, !isTLS13 {
      sides[event.side].advance(to: .application)
      return
    }
    guard event.type == .handshake else { return }
    var offset = 0
    while let type = sides[event.side].messages.next(content, &offset) {
      switch type {
      case .clientHello: takeClientHello(event, secrets)
      case .serverHello: takeServerHello(event, secrets)
      case .endOfEarlyData where event.epoch == .early: sides[event.side].advance(to: .handshake)
      case .finished where isTLS13 && event.epoch == .handshake: sides[event.side].advance(to: .application)
      case .keyUpdate where isTLS13 && event.epoch == .application: sides[event.side].update()
      default: break
      }
    }
  }

  private mutating func takeClientHello(_ event: TLSRecordEvent, _ secrets: TLSSecrets) {
    // A second one follows a HelloRetryRequest, or in TLS 1.2 begins a handshake anew, under encryption.
    guard version == nil || event.isDecrypted && !isTLS13 else { return }
    let body = sides[event.side].messages.body
    var reader = ByteReader(body.rawSpan)
    guard let hello = try? ClientHello(parsing: &reader), let random = ClientRandom(Array(body.dropFirst(2).prefix(32)))
    else { return }
    clientSide = event.side
    clientRandom = random
    guard version == nil else { return }
    sides[event.side].keys = EpochKeys(epoch: .clear)
    sides[event.side].upcoming = []
    if Self.extensions(hello.extensions, contain: .earlyData) { prepareEarlyKeys(hello, secrets) }
  }

  private mutating func takeServerHello(_ event: TLSRecordEvent, _ secrets: TLSSecrets) {
    guard version == nil || event.isDecrypted && !isTLS13 else { return }
    let body = sides[event.side].messages.body
    var reader = ByteReader(body.rawSpan)
    guard let hello = try? ServerHello(parsing: &reader), body.count >= 34 else { return }
    if hello.isHelloRetryRequest {
      // Early data ends with it (RFC 8446, section 4.1.2).
      sides[clientSide].keys = EpochKeys(epoch: .clear)
      sides[clientSide].upcoming = []
      return
    }
    if clientRandom == nil { clientSide = event.side == .client ? .server : .client }
    version = hello.version
    cipherSuite = hello.cipherSuite
    serverRandom = Array(body[2..<34])
    let compression = 35 &+ Int(body.count > 34 ? body[34] : 0) &+ 2
    let isCompressed = !isTLS13 && compression < body.count && body[compression] != 0
    let isTruncated = Self.extensions(hello.extensions, contain: .truncatedHMAC)
    encryptsBeforeMAC = Self.extensions(hello.extensions, contain: .encryptThenMAC)
    isSupported = (version == .tls12 || version == .tls13) && !isCompressed && !isTruncated
    prepareKeys(secrets)
  }

  private static func extensions(_ block: RawSpan, contain wanted: TLSExtensionType) -> Bool {
    var reader = ByteReader(block)
    while let type = try? reader.u16(), let count = try? reader.u16() {
      if type == wanted.rawValue { return true }
      guard (try? reader.skip(Int(count))) != nil else { return false }
    }
    return false
  }
}

extension TLSExtensionType {
  /// truncated_hmac (RFC 6066, section 7).
  fileprivate static let truncatedHMAC = TLSExtensionType(rawValue: 4)
  /// encrypt_then_mac (RFC 7366).
  fileprivate static let encryptThenMAC = TLSExtensionType(rawValue: 22)
  /// early_data (RFC 8446, section 4.2.10).
  fileprivate static let earlyData = TLSExtensionType(rawValue: 42)
}
