import Bytes

//  The message that most are: one question, and records of its own name
//
//   +--------+------------------+  +------+------+-------+-----+----+---------+
//   | header | name, type, class|  | c0 0c| type | class | TTL | 4  | address |  ...
//   +--------+------------------+  +------+------+-------+-----+----+---------+

/// The question of a message, and the addresses that stand directly under its name, read where they lie.
///
/// It is what `DNSMessage` would say of the same bytes, or nothing.
struct DNSDirectAnswer {
  /// The most addresses; messages with more are left to `DNSMessage`.
  static let maximumAddresses = 16

  /// The name asked for.
  let name: DNSNameText
  private(set) var count = 0
  private var addresses = [16 of IPAddress](repeating: IPAddress(high: 0, low: 0))
  private var timesToLive = [16 of UInt32](repeating: 0)

  /// Reads a message; nil for one that is damaged, has other than one question, or an alias, or a record of an address
  /// under another name.
  init?(parsing message: borrowing RawSpan) {
    do throws(ParseError) {
      var reader = ByteReader(copy message)
      try reader.skip(2)
      let flags = try reader.u16()
      let operation = flags >> 11 & 15
      guard flags & 0x0040 == 0, operation <= 6, operation != 3 else { return nil }
      let questions = try reader.u16()
      let counts = (try reader.u16(), try reader.u16(), try reader.u16())
      let records = Int(counts.0) + Int(counts.1) + Int(counts.2)
      guard questions == 1, records <= DNSMessage.maximumRecords else { return nil }
      name = try DNSName.readText(&reader, in: message)
      try reader.skip(2)
      let isInternet = try reader.u16() & 0x7fff == 1
      let answers = isInternet && operation == 0 && flags & 15 == 0 && flags & 0x8000 != 0
      for number in 0..<records {
        let isAuthority = number >= Int(counts.0) && number < Int(counts.0) + Int(counts.1)
        guard try take(&reader, in: message, isWanted: answers && !isAuthority) else { return nil }
      }
    } catch {
      return nil
    }
  }

  /// - Returns: false for a record that this is too simple for.
  private mutating func take(
    _ reader: inout ByteReader, in message: borrowing RawSpan, isWanted: Bool
  ) throws(ParseError) -> Bool {
    let isOfQuestion = DNSName.isFirstQuestion(reader, in: message)
    try DNSName.skip(&reader)
    let type = DNSType(rawValue: try reader.u16())
    let isInternet = try reader.u16() & 0x7fff == 1
    let time = try reader.u32()
    let length = Int(try reader.u16())
    let address: IPAddress
    switch type {
    case .a:
      guard length == 4 else { return false }
      address = IPAddress(v4: try reader.u32())
    case .aaaa:
      guard length == 16 else { return false }
      address = IPAddress(high: try reader.u64(), low: try reader.u64())
    case .cname, .svcb, .https:
      return false
    default:
      try reader.skip(length)
      return true
    }
    guard isOfQuestion, isInternet else { return false }
    return !isWanted || add(address, time >> 31 == 1 ? 0 : time)
  }

  private mutating func add(_ address: IPAddress, _ timeToLive: UInt32) -> Bool {
    for i in 0..<count where addresses[i] == address {
      timesToLive[i] = min(timesToLive[i], timeToLive)
      return true
    }
    guard count < Self.maximumAddresses else { return false }
    addresses[count] = address
    timesToLive[count] = timeToLive
    count &+= 1
    return true
  }

  /// An answer, by its place below `count`, to a question of a name.
  func answer(_ place: Int, of name: String) -> DNSAnswer {
    DNSAnswer(name: name, address: addresses[place], timeToLive: timesToLive[place])
  }
}
