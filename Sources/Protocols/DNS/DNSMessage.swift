public import Bytes

//  RFC 1035, section 4.1
//
//   +--------+--------+--------+--------+
//   | id              | QR, opcode, AA, TC, RD, RA, rcode
//   +--------+--------+--------+--------+
//   | questions       | answers         |
//   +--------+--------+--------+--------+
//   | authorities     | additionals     |   counts; the four sections follow
//   +--------+--------+--------+--------+

/// What a resource record is of (IANA "Resource Record (RR) TYPEs"). Unknown ones are kept as they are.
public struct DNSType: RawRepresentable, Hashable, Sendable {
  /// The number.
  public var rawValue: UInt16
  /// A type by number.
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// An IPv4 address (RFC 1035).
  public static let a = DNSType(rawValue: 1)
  /// The canonical name of an alias (RFC 1035).
  public static let cname = DNSType(rawValue: 5)
  /// An IPv6 address (RFC 3596).
  public static let aaaa = DNSType(rawValue: 28)
  /// Service binding (RFC 9460).
  public static let svcb = DNSType(rawValue: 64)
  /// Service binding of HTTPS (RFC 9460).
  public static let https = DNSType(rawValue: 65)
}

/// A question.
public struct DNSQuestion: Sendable, Equatable {
  /// The name asked for.
  public var name: String
  /// What is asked of it.
  public var type: DNSType
  /// The class without mDNS's top bit (RFC 6762, section 5.4); 1 is the Internet.
  public var recordClass: UInt16
}

/// A resource record.
public struct DNSRecord: Sendable, Equatable {
  /// What a record says.
  public enum Value: Sendable, Equatable {
    /// A or AAAA.
    case address(IPAddress)
    /// CNAME.
    case alias(String)
    /// SVCB or HTTPS.
    case service(ServiceBinding)
    /// Any other type.
    case other
  }
  /// Whose record it is.
  public var name: String
  /// What it is of.
  public var type: DNSType
  /// The class without mDNS's top bit; 1 is the Internet.
  public var recordClass: UInt16
  /// Seconds that it may be kept; values with the top bit set are 0 (RFC 2181, section 8).
  public var timeToLive: UInt32
  /// What it says.
  public var value: Value
}

/// A DNS message.
///
/// Header and questions must be whole. A record that is damaged or cut ends the reading: what came before it stays,
/// and `damage` says what was wrong.
public struct DNSMessage: Sendable, Equatable {
  /// Bytes of the header.
  public static let headerLength = 12
  /// The most questions that are read.
  public static let maximumQuestions = 32
  /// The most records that are read, over all sections.
  public static let maximumRecords = 512

  /// The identifier that a response repeats.
  public var id: UInt16
  /// Whether it is a response.
  public var isResponse: Bool
  /// Whether the sender cut it.
  public var isTruncated: Bool
  /// The kind of query; 0 is a standard one.
  public var operation: UInt8
  /// The response code; 0 is no error.
  public var responseCode: UInt8
  /// The questions.
  public var questions: [DNSQuestion] = []
  /// The records of the answer section.
  public var answers: [DNSRecord] = []
  /// The records of the additional section.
  public var additionals: [DNSRecord] = []
  /// Why not all records were read.
  public var damage: ParseError?

  /// Reads a message that fills `bytes`.
  /// - Throws: `truncated` or `malformed` for a header or question that cannot be; `limit` for more questions than
  ///   `maximumQuestions`.
  public init(parsing bytes: borrowing RawSpan) throws(ParseError) {
    var reader = ByteReader(copy bytes)
    id = try reader.u16()
    let flags = try reader.u16()
    isResponse = flags & 0x8000 != 0
    isTruncated = flags & 0x0200 != 0
    operation = UInt8(flags >> 11 & 15)
    responseCode = UInt8(flags & 15)
    // The bit that must be zero (RFC 1035, section 4.1.1), and operations that were never given out.
    guard flags & 0x0040 == 0, operation <= 6, operation != 3 else { throw .malformed(.header, at: 2) }
    let counts = (try reader.u16(), try reader.u16(), try reader.u16(), try reader.u16())
    guard counts.0 <= Self.maximumQuestions else { throw .limit(.listLength) }
    for _ in 0..<counts.0 {
      let name = try DNSName.read(&reader, in: bytes)
      let type = DNSType(rawValue: try reader.u16())
      questions.append(DNSQuestion(name: name, type: type, recordClass: try reader.u16() & 0x7fff))
    }
    do throws(ParseError) {
      var left = Self.maximumRecords
      let asked = questions.first?.name
      try Self.readRecords(counts.1, &reader, in: bytes, asked, left: &left, into: &answers)
      var authorities: [DNSRecord] = []
      try Self.readRecords(counts.2, &reader, in: bytes, asked, left: &left, into: &authorities)
      try Self.readRecords(counts.3, &reader, in: bytes, asked, left: &left, into: &additionals)
    } catch {
      damage = error
    }
  }

  private static func readRecords(
    _ count: UInt16, _ reader: inout ByteReader, in bytes: borrowing RawSpan, _ asked: String?, left: inout Int,
    into records: inout [DNSRecord]
  ) throws(ParseError) {
    for _ in 0..<count {
      guard left > 0 else { throw .limit(.listLength) }
      left &-= 1
      if let record = try DNSRecord.read(&reader, in: bytes, asked) { records.append(record) }
    }
  }
}

extension DNSRecord {
  /// Reads a record; one whose type says nothing about addresses is passed over without its name, as `nil`. `asked` is
  /// the first question's name.
  static func read(
    _ reader: inout ByteReader, in message: borrowing RawSpan, _ asked: String?
  ) throws(ParseError) -> DNSRecord? {
    var start = reader
    try DNSName.skip(&reader)
    let type = DNSType(rawValue: try reader.u16())
    let recordClass = try reader.u16() & 0x7fff
    let timeToLive = try reader.u32()
    let length = Int(try reader.u16())
    let end = reader.offset &+ length
    guard reader.remaining >= length else {
      throw .truncated(needed: length, available: reader.remaining, at: reader.offset)
    }
    let value: Value
    switch type {
    case .a:
      guard length == 4 else { throw .malformed(.length, at: reader.offset) }
      value = .address(IPAddress(v4: try reader.u32()))
    case .aaaa:
      guard length == 16 else { throw .malformed(.length, at: reader.offset) }
      value = .address(IPAddress(high: try reader.u64(), low: try reader.u64()))
    case .cname:
      value = .alias(try DNSName.read(&reader, in: message, limit: end))
    case .svcb, .https:
      value = .service(try ServiceBinding(parsing: &reader, in: message, end: end))
    default:
      try reader.skip(length)
      return nil
    }
    try reader.skip(end &- reader.offset)
    let isAsked = DNSName.isFirstQuestion(start, in: message)
    let name = if isAsked, let asked { asked } else { try DNSName.read(&start, in: message) }
    return DNSRecord(
      name: name, type: type, recordClass: recordClass,
      timeToLive: timeToLive >> 31 == 1 ? 0 : timeToLive, value: value)
  }
}
