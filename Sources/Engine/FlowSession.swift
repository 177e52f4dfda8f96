import Bytes
import Flows
import Protocols

/// What hangs off a flow's record while it says something about itself, and what it said afterwards.
final class FlowSession {
  /// What reads the payload; let go of once nothing more is wanted.
  var reading: PayloadReading?
  /// What was read.
  var facts = FlowFacts()
  /// Whether the decision was delivered. Here it lies in what the facts leave free, and the object is a step smaller.
  var wasAnnounced = false
  /// Names that look-ups of this client, and of others, gave to the server's address when the flow began.
  var names: [String] = []
  var weakNames: [String] = []
  /// At which packet of the flow each kind of evidence was first there.
  var arrivals = EvidenceArrivals()
  /// How the flow belongs to a call; few do.
  fileprivate var membership: CallMembership?
  static let maximumCalls = 64

  /// Forgets everything, to be another flow's.
  func reset() {
    facts = FlowFacts()
    if !names.isEmpty { names = [] }
    if !weakNames.isEmpty { weakNames = [] }
    arrivals = EvidenceArrivals()
    if membership != nil { membership = nil }
    wasAnnounced = false
  }

  /// Keeps the first bytes of a side, where nothing was read of the flow.
  func noteFirstBytes(_ payload: RawSpan, from side: FlowSide) {
    if facts.application == nil { _ = facts.noteFirstBytes(payload, from: side) }
  }

  /// Adds what later packets said to what earlier ones did.
  func merge(_ more: consuming FlowFacts) {
    guard facts.application != nil else {
      let (client, server) = (facts.clientFirstBytes, facts.serverFirstBytes)
      facts = more
      if client.count > 0 { facts.clientFirstBytes = client }
      if server.count > 0 { facts.serverFirstBytes = server }
      return
    }
    if let rtp = more.rtp { facts.rtp = rtp }
    if let stun = more.stun { facts.stun = stun }
    if let dtls = more.dtls { facts.dtls = dtls }
  }
}

/// How a flow belongs to a call.
private final class CallMembership {
  var conversation: ConversationTable.Place?
  var tie: ConversationTable.Tie?
  var furtherCalls: [ConversationTable.Place] = []
  var isSettled = false
}

extension FlowSession {
  /// The call that the flow belongs to, and how it was found where another flow was there before.
  var conversation: ConversationTable.Place? {
    get { membership?.conversation }
    set { change { $0.conversation = newValue } }
  }
  var tie: ConversationTable.Tie? {
    get { membership?.tie }
    set { change { $0.tie = newValue } }
  }
  /// Further calls that a signalling flow set up, at most `maximumCalls`.
  var furtherCalls: [ConversationTable.Place] {
    get { membership?.furtherCalls ?? [] }
    set { change { $0.furtherCalls = newValue } }
  }
  /// Whether the flow was asked which service its call is.
  var isSettled: Bool {
    get { membership?.isSettled ?? false }
    set { change { $0.isSettled = newValue } }
  }

  private func change(_ body: (CallMembership) -> Void) {
    let membership = membership ?? CallMembership()
    self.membership = membership
    body(membership)
  }
}

/// Packet numbers within a flow, from 1; 0 for what has not come. Those beyond 2^32 count as that.
struct EvidenceArrivals {
  var payload: UInt32 = 0
  var application: UInt32 = 0
  var hello: UInt32 = 0
  var selection: UInt32 = 0
  var certificate: UInt32 = 0
  var request: UInt32 = 0
  var stun: UInt32 = 0
  var media: UInt32 = 0
  var call: UInt32 = 0
  /// When it was tied to another flow of a call.
  var conversation: UInt32 = 0

  /// Whether nothing has come but payload.
  var hasOnlyPayload: Bool {
    application | hello | selection | certificate | request | stun | media | call | conversation == 0
  }

  /// Notes what is new in the facts as of a packet.
  mutating func note(_ facts: borrowing FlowFacts, at number: UInt64) {
    let packet = UInt32(clamping: number)
    if payload == 0 { payload = packet }
    if application == 0, facts.application != nil { application = packet }
    if hello == 0, facts.tls != nil { hello = packet }
    if selection == 0, facts.tls?.cipherSuite != nil { selection = packet }
    if certificate == 0, facts.tls?.certificateNames.isEmpty == false { certificate = packet }
    guard facts.hasRareFacts else { return }
    if request == 0, facts.http != nil { request = packet }
    if stun == 0, facts.stun != nil { stun = packet }
    if media == 0, facts.rtp != nil || facts.dtls != nil || facts.stun?.hasICE == true || facts.stun?.hasTURN == true {
      media = packet
    }
    if call == 0, facts.call != nil || facts.quic?.userAgent != nil { call = packet }
  }
}
