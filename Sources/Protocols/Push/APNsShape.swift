// What a courier connection of APNs looks like where its handshake was not seen. Record lengths without the header of
// 5 bytes; the plaintext of each command is that of the packed framing (OpenBubbles/rustpush, src/aps.rs; pypush), and
// the 26-byte record of a keep-alive is an observation of iOS 26 (record of 21 here):
//
//   TLS 1.3        plaintext + 1 + 16      keep-alive answer 21      acknowledgement 24 to 30      close 19
//   TLS 1.2 GCM    8 + plaintext + 16      keep-alive answer 28      acknowledgement 31 to 37      alert 26
//   TLS 1.0, CBC   a multiple of 16, from 32; 1.0 splits each record in an empty one of 32 and the rest

/// How much the first records of a connection look like APNs, and why.
///
/// A weak sign whatever the score: any protocol that answers long records with short ones looks so. It is meant for flows
/// to Apple's addresses on port 5223, 443 or 2197 whose begin was missed, to tell the courier from web traffic.
public struct APNsShape: Equatable, Sendable {
  /// What speaks for the courier, or against it.
  public struct Reasons: OptionSet, Hashable, Sendable {
    /// The reasons as bits.
    public let rawValue: UInt8
    /// Reasons by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A short record of the client follows each longer one of the server: every push is acknowledged.
    public static let acknowledgements = Reasons(rawValue: 1)
    /// A record of the server of the length of a keep-alive answer.
    public static let keepAlives = Reasons(rawValue: 2)
    /// A record of the client with a message's length, answered by a short one.
    public static let sentMessages = Reasons(rawValue: 4)
    /// All lengths are multiples of 16: the couriers of the years before 2020 spoke CBC.
    public static let blocks = Reasons(rawValue: 8)
    /// A record of the server of the full 16384 bytes: a download, which no command of APNs is.
    public static let download = Reasons(rawValue: 16)
    /// Many long records of the client in a row: an upload.
    public static let upload = Reasons(rawValue: 32)
  }

  /// From 0, not like the courier, to 1, all of it; never a probability.
  public let score: Double
  /// What it rests on.
  public let reasons: Reasons

  /// The fewest records that say something.
  public static let fewestRecords = 2
  /// The longest command of APNs, with its expansion: a large message of 15 KiB (field 8 of the answer to connect).
  public static let longestCommand = 15 * 1024 + 64

  /// A look at records in the order in which they began; `nil` where there are too few.
  /// - Parameter records: lengths without the record header, positive to the server, negative to the client.
  public init?(records: borrowing Span<Int16>) {
    guard records.count >= Self.fewestRecords else { return nil }
    var found: Reasons = records.count >= 3 ? .blocks : []
    var pushes = 0
    var acknowledged = 0
    var uploads = 0
    for i in 0..<records.count {
      let length = abs(Int(records[i]))
      let isToServer = records[i] > 0
      let next = i &+ 1 < records.count ? Int(records[i &+ 1]) : 0
      if length % 16 != 0 || length < 32 { found.remove(.blocks) }
      if isToServer {
        uploads = length > 1200 ? uploads &+ 1 : 0
        if uploads > 3 { found.insert(.upload) }
        if (200...2048).contains(length), next < 0, next > -81 { found.insert(.sentMessages) }
      } else {
        if length == 21 || length == 28 { found.insert(.keepAlives) }
        if length > Self.longestCommand { found.insert(.download) }
        guard length >= 100, next != 0 else { continue }
        pushes &+= 1
        if next > 0, next <= 80 { acknowledged &+= 1 }
      }
    }
    if pushes > 0, acknowledged &* 3 >= pushes &* 2 { found.insert(.acknowledgements) }
    // In tenths, so that sums stay exact.
    var tenths = 0
    if found.contains(.acknowledgements) { tenths &+= 4 }
    if found.contains(.keepAlives) { tenths &+= 3 }
    if found.contains(.sentMessages) { tenths &+= 3 }
    if found.contains(.blocks) { tenths &+= 2 }
    if found.contains(.download) { tenths &-= 6 }
    if found.contains(.upload) { tenths &-= 4 }
    score = Double(min(max(tenths, 0), 10)) / 10
    reasons = found
  }
}

extension APNsShape.Reasons: CustomStringConvertible {
  /// The reasons in words.
  public var description: String {
    var words: [String] = []
    if contains(.acknowledgements) { words.append("short client records answer longer server records") }
    if contains(.keepAlives) { words.append("record of a keep-alive's length") }
    if contains(.sentMessages) { words.append("client record of a message's length, answered by a short one") }
    if contains(.blocks) { words.append("record lengths in blocks of 16") }
    if contains(.download) { words.append("record longer than any command") }
    if contains(.upload) { words.append("long client records in a row") }
    return words.joined(separator: ", ")
  }
}
