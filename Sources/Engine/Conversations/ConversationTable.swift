import Bytes
import Protocols
import Report

/// Which flows belong to one call: by announced addresses, shared sockets, call identifiers, and by service.
///
/// Flows meet through keys, which last as long as one of the conversation's flows goes on.
struct ConversationTable {
  /// The most conversations that go on at a time; flows beyond it are reported without one.
  static let maximumConversations = 65_536
  /// The most keys of all conversations, and of one; further ones are not taken.
  static let maximumKeys = 262_144, maximumKeysOfOne = 256
  /// The most flows of a conversation that go on at a time; further ones do not join.
  static let maximumMembers = 256

  /// Nanoseconds of silence after which a call is over, though its flows have not ended yet.
  static let longestSilence: Int64 = 180_000_000_000
  /// The same where nothing but the service or its server is in common: people call again.
  static let shortSilence: Int64 = 10_000_000_000

  /// What flows of one call have in common.
  enum Key: Hashable {
    /// An address that signalling, a relay or a candidate announced.
    case announced(Endpoint)
    /// A client's UDP socket: one port speaks with relays and peers.
    case socket(Endpoint)
    /// Several sockets of a client to one socket of a server.
    case server(IPAddress, Endpoint)
    /// A call's identifier in signalling, seen on several legs.
    case call(String)
    /// One client has one call with a service at a time.
    case service(IPAddress, String)

    /// The socket that a flow must have to meet it, where it names one.
    var endpoint: Endpoint? {
      switch self {
      case .announced(let endpoint), .socket(let endpoint), .server(_, let endpoint): endpoint
      case .call, .service: nil
      }
    }

    /// Nanoseconds of silence after which it ties no more.
    var longestSilence: Int64 {
      switch self {
      case .announced, .socket, .call: ConversationTable.longestSilence
      case .server, .service: ConversationTable.shortSilence
      }
    }
  }

  /// Where a conversation is.
  struct Place: Hashable {
    var index: UInt32
    var generation: UInt32
  }

  /// How a flow came to belong to a conversation.
  struct Tie: Equatable {
    /// The announcement; nil where it was a socket in common.
    var source: AnnouncedEndpoint.Source?
    var media: String?
    /// The flow that was there before.
    var flow: UInt64
  }

  private struct Entry {
    var place: Place
    var tie: Tie
  }

  private(set) var conversations: [Conversation] = []
  private var free: [UInt32] = []
  private var open = 0
  private var keys: [Key: Entry] = [:]
  private var tied = EndpointFilter()
  private var lastNumber: UInt64 = 0
  /// What the caps cost.
  private(set) var conversationsRefused: UInt64 = 0, keysRefused: UInt64 = 0

  /// Whether no flow can belong to any.
  var isEmpty: Bool { keys.isEmpty }

  subscript(place: Place) -> Conversation? {
    let index = Int(place.index)
    guard conversations.indices.contains(index), conversations[index].generation == place.generation else { return nil }
    return conversations[index]
  }

  /// The conversation that a new flow belongs to.
  /// - Parameters:
  ///   - client: the end that opened the flow.
  ///   - server: the other end.
  /// - Returns: where it is, and how the flow is tied to it; nil where nothing is known of the flow's ends.
  func match(client: Endpoint, server: Endpoint) -> (place: Place, tie: Tie)? {
    let (knowsClient, knowsServer) = (tied.mayHold(client), tied.mayHold(server))
    guard knowsClient || knowsServer else { return nil }
    if knowsServer, let found = found(.announced(server), isForCalls: false) { return found }
    if knowsClient {
      if let found = found(.announced(client), isForCalls: false) { return found }
      if let found = found(.socket(client), isForCalls: true) { return found }
    }
    guard knowsServer else { return nil }
    return found(.socket(server), isForCalls: true) ?? found(.server(client.address, server), isForCalls: true)
  }

  private func found(_ key: Key, isForCalls: Bool) -> (place: Place, tie: Tie)? {
    guard let entry = keys[key], let conversation = self[entry.place], conversation.isCall || !isForCalls else {
      return nil
    }
    return (entry.place, entry.tie)
  }

  /// The conversation that holds a key.
  func place(of key: Key) -> Place? {
    guard let entry = keys[key], self[entry.place] != nil else { return nil }
    return entry.place
  }

  /// Forgets what a key points to.
  mutating func drop(_ key: Key) { keys[key] = nil }

  /// Begins a conversation with its first flow.
  mutating func begin(_ member: Conversation.Member) -> Place? {
    guard open < Self.maximumConversations else {
      conversationsRefused &+= 1
      return nil
    }
    open += 1
    if let index = free.popLast() {
      conversations[Int(index)].members = [member]
      return Place(index: index, generation: conversations[Int(index)].generation)
    }
    var conversation = Conversation()
    conversation.members = [member]
    conversations.append(conversation)
    return Place(index: UInt32(conversations.count - 1), generation: 0)
  }

  /// Adds a flow.
  /// - Returns: whether there was room.
  mutating func join(_ place: Place, _ member: Conversation.Member) -> Bool {
    guard let conversation = self[place], conversation.members.count < Self.maximumMembers else { return false }
    conversations[Int(place.index)].members.append(member)
    return true
  }

  /// Says that a conversation is a call: it gets its number.
  mutating func prove(_ place: Place) {
    guard let conversation = self[place], !conversation.isCall else { return }
    conversations[Int(place.index)].isCall = true
    guard conversation.number == 0 else { return }
    lastNumber += 1
    conversations[Int(place.index)].number = lastNumber
  }

  /// Names the service of a conversation.
  mutating func name(_ place: Place, _ service: String) {
    guard self[place] != nil else { return }
    conversations[Int(place.index)].service = service
  }

  /// Ties a key to a conversation; where another one holds it already, the two are one.
  /// - Returns: where the conversation is now, and the flows that have moved there.
  mutating func tie(_ key: Key, to place: Place, _ tie: Tie) -> (now: Place, moved: [Conversation.Member]) {
    guard let conversation = self[place] else { return (place, []) }
    if let entry = keys[key] {
      guard entry.place != place else { return (place, []) }
      guard case .announced = key else { return merge(place, into: entry.place) }
      // A port announced anew is used again: the newer call holds it.
      keys[key] = Entry(place: place, tie: tie)
      conversations[Int(place.index)].keys.append(key)
      return (place, [])
    }
    guard keys.count < Self.maximumKeys, conversation.keys.count < Self.maximumKeysOfOne else {
      keysRefused &+= 1
      return (place, [])
    }
    keys[key] = Entry(place: place, tie: tie)
    if let endpoint = key.endpoint { tied.add(endpoint) }
    conversations[Int(place.index)].keys.append(key)
    return (place, [])
  }

  private mutating func merge(_ place: Place, into: Place) -> (now: Place, moved: [Conversation.Member]) {
    guard let absorbed = self[place], let kept = self[into],
      absorbed.members.count + kept.members.count <= Self.maximumMembers
    else { return (place, []) }
    conversations[Int(into.index)].absorb(absorbed)
    for key in absorbed.keys {
      guard let entry = keys[key], entry.place == place else { continue }
      keys[key] = Entry(place: into, tie: entry.tie)
    }
    conversations[Int(into.index)].keys += absorbed.keys
    conversations[Int(place.index)].keys = []
    release(place)
    return (into, absorbed.members)
  }

  /// Takes a flow that has ended out of its conversation.
  /// - Returns: the conversation's record, if it was a call and this was the last of its flows.
  mutating func end(_ flow: FlowEvent, in place: Place) -> ConversationEvent? {
    guard self[place] != nil else { return nil }
    conversations[Int(place.index)].add(flow)
    return close(flow.id, place)
  }

  /// Takes a signalling flow that has ended out of a call that it set up beside its own: it is listed, and what it
  /// carried counts with its own.
  /// - Returns: the conversation's record, if it was a call and this was the last of its flows.
  mutating func leave(_ flow: UInt64, _ place: Place) -> ConversationEvent? {
    guard self[place] != nil else { return nil }
    conversations[Int(place.index)].list(flow)
    return close(flow, place)
  }

  private mutating func close(_ flow: UInt64, _ place: Place) -> ConversationEvent? {
    let index = Int(place.index)
    conversations[index].members.removeAll { $0.flow == flow }
    guard conversations[index].members.isEmpty else { return nil }
    let ended = conversations[index]
    release(place)
    // Of a call that was set up and never sent anything there are no times to tell.
    guard ended.isCall, ended.event.packets > 0 else { return nil }
    var event = ended.event
    event.id = ended.number
    event.merged = ended.merged.sorted()
    event.service = ended.service ?? event.service
    event.settle()
    return event
  }

  private mutating func release(_ place: Place) {
    for key in conversations[Int(place.index)].keys where keys[key]?.place == place { keys[key] = nil }
    var fresh = Conversation()
    fresh.generation = place.generation &+ 1
    conversations[Int(place.index)] = fresh
    free.append(place.index)
    open -= 1
  }
}
