public import Bytes
import SwiftASN1

//  RFC 5246, section 7.4.2
//
//   +--------------------+-----------------+------------------+-----
//   | 3: certificate list | 3: certificate | 3: certificate  | ...   the server's own certificate comes first
//   +--------------------+-----------------+------------------+-----

/// The names in a server's certificate.
public struct CertificateNames: Sendable, Equatable {
  /// The most names that are kept; a certificate of a content network may have hundreds.
  public static let maximumNames = 100
  /// The longest name that is kept, in bytes: what DNS allows.
  public static let maximumNameLength = 255

  /// Subject common name, then the DNS names of subjectAltName, each once, as they stand there.
  public private(set) var names: [String] = []
  /// Whether names were left out because there were too many or one was too long.
  public private(set) var isCut = false
  /// Whether the certificate could not be read to its end; the names before that are kept.
  public private(set) var isDamaged = false

  /// Reads an X.509 certificate (RFC 5280, section 4.1). A broken one has no names and is marked.
  public init(der: [UInt8]) {
    do {
      try read(DER.parse(der))
    } catch {
      isDamaged = true
    }
  }

  private static let commonName: ASN1ObjectIdentifier = [2, 5, 4, 3]
  private static let subjectAltName: ASN1ObjectIdentifier = [2, 5, 29, 17]
  /// dNSName [2] of GeneralName (RFC 5280, section 4.2.1.6).
  private static let dnsName = ASN1Identifier(tagWithNumber: 2, tagClass: .contextSpecific)
  private static let version = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
  private static let extensions = ASN1Identifier(tagWithNumber: 3, tagClass: .contextSpecific)

  private mutating func read(_ certificate: ASN1Node) throws {
    var fields = try Self.children(certificate).makeIterator()
    var body = try Self.children(Self.required(fields.next())).makeIterator()
    var field = try Self.required(body.next())
    if field.identifier == Self.version { field = try Self.required(body.next()) }
    // serialNumber, signature, issuer, validity, subject
    for _ in 0..<4 { field = try Self.required(body.next()) }
    try readSubject(field)
    while let field = body.next() {
      if field.identifier == Self.extensions { try readExtensions(field) }
    }
  }

  private mutating func readSubject(_ subject: ASN1Node) throws {
    for set in try Self.children(subject) {
      for attribute in try Self.children(set) {
        var parts = try Self.children(attribute).makeIterator()
        let type = try Self.required(parts.next())
        let value = try Self.required(parts.next())
        guard try ASN1ObjectIdentifier(derEncoded: type) == Self.commonName, case .primitive(let text) = value.content
        else { continue }
        append(value.identifier == .bmpString ? Self.utf8(ofUTF16: text) : Array(text))
      }
    }
  }

  private mutating func readExtensions(_ wrapper: ASN1Node) throws {
    for list in try Self.children(wrapper) {
      for entry in try Self.children(list) {
        var parts = try Self.children(entry).makeIterator()
        guard try ASN1ObjectIdentifier(derEncoded: Self.required(parts.next())) == Self.subjectAltName else { continue }
        var value = try Self.required(parts.next())
        if value.identifier == .boolean { value = try Self.required(parts.next()) }
        guard case .primitive(let bytes) = value.content else { continue }
        for name in try Self.children(DER.parse(bytes)) where name.identifier == Self.dnsName {
          if case .primitive(let text) = name.content { append(Array(text)) }
        }
      }
    }
  }

  private mutating func append(_ name: [UInt8]) {
    guard name.count <= Self.maximumNameLength, names.count < Self.maximumNames else {
      isCut = true
      return
    }
    let text = visibleText(name.rawSpan)
    if !text.isEmpty, !names.contains(text) { names.append(text) }
  }

  private static func children(_ node: ASN1Node) throws -> ASN1NodeCollection {
    guard case .constructed(let nodes) = node.content else { throw ParseError.malformed(.type, at: 0) }
    return nodes
  }

  private static func required(_ node: ASN1Node?) throws -> ASN1Node {
    guard let node else { throw ParseError.malformed(.count, at: 0) }
    return node
  }

  private static func utf8(ofUTF16 text: ArraySlice<UInt8>) -> [UInt8] {
    let bytes = Array(text)
    let units = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    return Array(String(decoding: units, as: UTF16.self).utf8)
  }
}

/// The first certificate of a Certificate message's body, lent.
/// - Throws: `truncated` where the body ends inside it.
@_lifetime(copy body)
public func leafCertificate(of body: RawSpan) throws(ParseError) -> RawSpan {
  var reader = ByteReader(body)
  try reader.skip(3)
  return try reader.take(reader.u24())
}
