public import Bytes
import Classify

/// A call as it is reported: the flows that belong together, across signalling, STUN, DTLS and media.
public struct ConversationEvent: Sendable, Equatable {
  /// Which way a call went, seen from the side whose address is private.
  public enum Direction: String, Sendable {
    case outgoing, incoming
  }
  /// Number of the conversation in this run, from 1, in the order in which they showed themselves as calls.
  public var id: UInt64 = 0
  /// Numbers that flows reported earlier may bear: conversations that turned out to be this one.
  public var merged: [UInt64] = []
  /// Name of the capture, where a run reads several.
  public var capture: String?
  /// The service, where the evidence names one.
  public var service: String?
  /// Nanoseconds since 1970 of the first and the last packet of any of its flows.
  public var start: Int64 = 0, end: Int64 = 0
  /// Who called whom, as signalling in clear says.
  public var caller: String?, callee: String?
  /// The address that asked for the call, where signalling says.
  public var initiator: IPAddress?
  /// Which way it went; nil where neither signalling nor the addresses say.
  public var direction: Direction?
  /// Addresses that media came from or went to, without those of relays and services.
  public var parties: [IPAddress] = []
  /// Relays and services that media went through.
  public var relays: [IPAddress] = []
  /// "audio", "video": what signalling agreed on, or what rates and sizes show clearly.
  public var media: [String] = []
  /// Its flows in order of their ends, as far as they are listed, and how many there are.
  public var flows: [UInt64] = [], flowCount: UInt64 = 0
  /// Packets of all its flows.
  public var packets: UInt64 = 0
  /// Bytes from and to the sides that opened its flows.
  public var bytesFromClient: UInt64 = 0, bytesToClient: UInt64 = 0
  /// A conversation of nothing.
  public init() {}

  /// Puts in order what flows brought in the order of their ends, and says which way the call went.
  public mutating func settle() {
    flows.sort()
    guard let initiator else { return }
    let others = parties.filter { $0 != initiator }
    let isLocal = initiator.isSpecialPurpose
    let hasRemote = !others.isEmpty || !relays.isEmpty
    if isLocal, hasRemote, others.allSatisfy({ !$0.isSpecialPurpose }) { direction = .outgoing }
    if !isLocal, others.contains(where: \.isSpecialPurpose) { direction = .incoming }
  }
}

extension ConversationEvent {
  /// Nanoseconds from the first packet to the last; 0 where times run backwards.
  var duration: UInt64 { UInt64(clamping: end.subtractingReportingOverflow(start).partialValue) }
}
