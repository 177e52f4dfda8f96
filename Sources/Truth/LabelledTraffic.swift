public import Bytes
public import Classify
public import Decode

// Truth may hold: what the records of a capture were, by decryption, a truth file or a person's labels. Nothing of it
// reaches a verdict.

/// What an onlooker sees as one piece of a flow's content.
public enum RecordUnit: String, Sendable, Codable, CaseIterable {
  /// A TLS record of application data.
  case record
  /// The payload of a TCP segment, where the flow is not TLS.
  case segment
  /// The payload of a UDP datagram.
  case datagram
}

/// How a label came about.
public enum LabelSource: UInt8, Sendable, Codable, CaseIterable {
  /// Nothing is known.
  case none
  /// The flow's verdict: Wiretag's own opinion, no truth.
  case verdict
  /// What a lab wrote down, or a person's labels.
  case file
  /// The plaintext.
  case decryption
}

/// A record, segment or datagram as an onlooker sees it, and what it was.
public struct LabelledRecord: Sendable, Equatable {
  /// When its last byte was seen; nanoseconds since 1970.
  public var time: Int64 = 0
  /// Its flow: an index into `LabelledTraffic.flows`.
  public var flow: Int32 = 0
  /// Bytes: of a TLS record with its header of five, of a segment or datagram its payload.
  public var size: Int32 = 0
  /// Bytes of the plaintext; -1 where it is not known.
  public var plaintext: Int32 = -1
  /// Whether it went to the server.
  public var isUp = false
  /// How its label came about.
  public var source = LabelSource.none
  /// Its class and kind: indices into `LabelledTraffic.names`; 0 is "".
  public var messageClass: UInt16 = 0, kind: UInt16 = 0
  /// Number that it shares with the other records of one exchange (a message, its acks and receipts); 0 for none.
  public var message: UInt32 = 0
  /// Recipient devices of a sent message; 0 where it is not known.
  public var devices: UInt8 = 0
  /// Characters of a text, where a lab says it; -1 else.
  public var textLength: Int32 = -1
  /// The script of a text, where a lab says it: an index into `LabelledTraffic.names`.
  public var script: UInt16 = 0
  /// The topic of a courier message that was opened: an index into `LabelledTraffic.names`.
  public var topic: UInt16 = 0
  /// Whether it is the first message of its kind and direction on its connection: caches of the framing are cold.
  public var isFirstOfKind = false
  /// A record of nothing.
  public init() {}
}

/// A flow with everything by which a rule could know it.
public struct LabelledFlow: Sendable {
  /// Its capture: an index into `LabelledTraffic.captures`.
  public var capture = 0
  /// Its number in the capture, from 1.
  public var number: UInt64 = 0
  /// The client and the server.
  public var client = IPAddress(high: 0, low: 0), server = IPAddress(high: 0, low: 0)
  /// Their ports.
  public var clientPort: UInt16 = 0, serverPort: UInt16 = 0
  /// TCP or UDP.
  public var transport = TransportProtocol.tcp
  /// Nanoseconds since 1970 of the first and last packet.
  public var start: Int64 = 0, end: Int64 = 0
  /// Names that DNS gave for the server.
  public var dnsNames: [String] = []
  /// Of the hello and the server's certificate.
  public var serverName: String?, alpn: [String] = [], ja3: String?, ja4: String?, certificateNames: [String] = []
  /// Wiretag's verdict.
  public var tag = Tag.other, service: String?
  /// What a truth file says that it is.
  public var trueTag: String?, trueService: String?
  /// What its records are.
  public var unit = RecordUnit.record
  /// The courier's framing where it was read: "tlv" or "pack".
  public var framing: String?
  /// TLS version and cipher suite by their numbers, where the handshake was seen.
  public var tlsVersion: UInt16?, cipherSuite: UInt16?
  /// Whether all records of the flow could be decrypted.
  public var isDecrypted = false
  /// Whether the courier protocol was found inside.
  public var isCourier = false
  /// A flow of nothing.
  public init() {}
}

/// What was read of one or more captures.
public struct LabelledTraffic: Sendable {
  /// The most records that are kept; further ones are counted in `recordsNotKept`.
  public static let maximumRecords = 8_000_000

  /// Names of the captures.
  public var captures: [String] = []
  /// All flows.
  public var flows: [LabelledFlow] = []
  /// All records, by capture and then by time.
  public var records: [LabelledRecord] = []
  /// Class and kind names; the first is "".
  public var names: [String] = [""]
  /// What the cap cost.
  public var recordsNotKept = 0
  /// Traffic of nothing.
  public init() {}

  /// The class of a record: "imessage", "notification", "facetime", "courier"; "" where it is not known.
  public func className(_ record: LabelledRecord) -> String { name(record.messageClass) }
  /// The kind of a record: "imessage.text"; "" where it is not known.
  public func kindName(_ record: LabelledRecord) -> String { name(record.kind) }

  /// The script of the text in a record ("latin"), by its index in `records`; nil where it is not known.
  public func scriptName(of record: Int) -> String? {
    guard records.indices.contains(record), records[record].script != 0 else { return nil }
    return name(records[record].script)
  }

  /// The topic of a courier message; "" where it is not known.
  public func topicName(_ record: LabelledRecord) -> String { name(record.topic) }

  private func name(_ number: UInt16) -> String { names.indices.contains(Int(number)) ? names[Int(number)] : "" }

  /// The capture of a record: an index into `captures`.
  public func capture(of record: LabelledRecord) -> Int { flow(of: record).capture }

  /// The flow of a record.
  public func flow(of record: LabelledRecord) -> LabelledFlow {
    flows.indices.contains(Int(record.flow)) ? flows[Int(record.flow)] : LabelledFlow()
  }

  /// The number of a name, which is added where it is new. More names than fit are "".
  public mutating func number(of name: String) -> UInt16 {
    if let known = numbers[name] { return known }
    guard !name.isEmpty, names.count < Int(UInt16.max) else { return 0 }
    let number = UInt16(names.count)
    names.append(name)
    numbers[name] = number
    return number
  }

  private var numbers: [String: UInt16] = ["": 0]
}
