import Bytes
import Classify
import Protocols
import Report

/// Flows that belong to one call, while at least one of them goes on.
struct Conversation {
  /// The most flows, addresses and kinds of media that are listed; further flows are counted.
  static let maximumFlows = 256, maximumAddresses = 16, maximumMedia = 4

  /// A flow that goes on.
  struct Member {
    /// Its record in the flow table, and its number in the run.
    var record: UInt32, flow: UInt64
  }

  /// Number in the run, from 1; 0 while nothing proves that this is a call.
  var number: UInt64 = 0
  /// Numbers of conversations that turned out to be this one.
  var merged: [UInt64] = []
  /// Whether a flow of it shows a call: media, ICE, a relay, an invitation.
  var isCall = false
  /// Flows that go on, in order of joining.
  var members: [Member] = []
  /// What its flows have in common with flows to come.
  var keys: [ConversationTable.Key] = []
  /// The best known service of its flows.
  var service: String?
  /// Told apart from an earlier one in the same place.
  var generation: UInt32 = 0
  /// What its ended flows add up to.
  var event = ConversationEvent()

  /// Lists a flow.
  mutating func list(_ flow: UInt64) {
    event.flowCount &+= 1
    if event.flows.count < Self.maximumFlows { event.flows.append(flow) }
  }

  /// Takes in a flow that has ended.
  mutating func add(_ flow: FlowEvent) {
    let isFirst = event.packets == 0
    list(flow.id)
    if isFirst || flow.start < event.start {
      event.start = flow.start
      event.capture = flow.capture
    }
    event.end = isFirst ? flow.end : max(event.end, flow.end)
    event.packets &+= flow.packetsToServer &+ flow.packetsToClient
    event.bytesFromClient &+= flow.bytesToServer
    event.bytesToClient &+= flow.bytesToClient
    // The name of a protocol, unless a flow names whose call it is.
    if event.service == nil || flow.facts.call != nil, flow.verdict.tag == .calling {
      event.service = flow.verdict.service
    }
    if let call = flow.facts.call {
      event.caller = event.caller ?? call.caller
      event.callee = event.callee ?? call.callee
      if event.initiator == nil, let side = call.callerSide {
        event.initiator = side == .client ? flow.source : flow.destination
      }
      for kind in call.media { note(media: kind) }
    }
    for kind in flow.media { note(media: kind) }
    if flow.isMedia {
      note(flow.source, isRelay: false)
      // Who only tells addresses takes no part.
      let tellsOnly = flow.facts.stun.map { !$0.hasICE && !$0.hasTURN } ?? false
      if tellsOnly, flow.facts.rtp == nil, flow.facts.dtls == nil { return }
      note(flow.destination, isRelay: flow.facts.stun?.hasTURN == true || flow.isToKnownServer)
    }
  }

  private mutating func note(media kind: String) {
    if event.media.count < Self.maximumMedia, !event.media.contains(kind) { event.media.append(kind) }
  }

  private mutating func note(_ address: IPAddress, isRelay: Bool) {
    if isRelay {
      guard !event.relays.contains(address), !event.parties.contains(address) else { return }
      if event.relays.count < Self.maximumAddresses { event.relays.append(address) }
    } else {
      guard !event.parties.contains(address) else { return }
      event.relays.removeAll { $0 == address }
      if event.parties.count < Self.maximumAddresses { event.parties.append(address) }
    }
  }

  /// Takes over what another one holds, which turned out to be this one.
  mutating func absorb(_ other: Conversation) {
    for member in other.members where !members.contains(where: { $0.flow == member.flow }) { members.append(member) }
    isCall = isCall || other.isCall
    service = service ?? other.service
    merged += other.merged
    if number == 0 || other.number != 0 && other.number < number {
      if number != 0 { merged.append(number) }
      number = other.number
    } else if other.number != 0 {
      merged.append(other.number)
    }
    event.merge(other.event)
  }
}

extension ConversationEvent {
  /// Adds the ended flows of another part of the same call.
  mutating func merge(_ other: ConversationEvent) {
    guard other.flowCount > 0 else { return }
    flowCount &+= other.flowCount
    flows += other.flows.prefix(max(Conversation.maximumFlows - flows.count, 0))
    if other.packets > 0 {
      if packets == 0 || other.start < start {
        start = other.start
        capture = other.capture
      }
      end = packets == 0 ? other.end : max(end, other.end)
    }
    packets &+= other.packets
    bytesFromClient &+= other.bytesFromClient
    bytesToClient &+= other.bytesToClient
    service = service ?? other.service
    caller = caller ?? other.caller
    callee = callee ?? other.callee
    initiator = initiator ?? other.initiator
    for kind in other.media where media.count < Conversation.maximumMedia && !media.contains(kind) {
      media.append(kind)
    }
    for address in other.parties where parties.count < Conversation.maximumAddresses && !parties.contains(address) {
      parties.append(address)
    }
    for address in other.relays where relays.count < Conversation.maximumAddresses && !relays.contains(address) {
      relays.append(address)
    }
    relays.removeAll { parties.contains($0) }
  }
}
