import Bytes
import Protocols

extension RecordBuffer {
  /// The objects of QUIC, DTLS, STUN, RTP and call signalling; absent where the flow has none.
  mutating func callFacts(_ facts: FlowFacts) {
    if let quic = facts.quic { object("quic") { buffer in buffer.quic(quic) } }
    if let dtls = facts.dtls { object("dtls") { buffer in buffer.dtls(dtls) } }
    if let stun = facts.stun { object("stun") { buffer in buffer.stun(stun) } }
    if let rtp = facts.rtp { object("rtp") { buffer in buffer.rtp(rtp) } }
    if let call = facts.call { object("call") { buffer in buffer.call(call) } }
  }

  /// The members of a `conversation` object behind its time.
  mutating func conversation(_ call: ConversationEvent) {
    member("conversation", call.id)
    member("merged", call.merged)
    member("service", call.service)
    member("start", time: call.start)
    member("end", time: call.end)
    key("age")
    append(seconds: call.duration)
    member("direction", call.direction?.rawValue)
    member("caller", call.caller)
    member("callee", call.callee)
    member("initiator", call.initiator?.description)
    member("parties", call.parties.map(\.description))
    member("relays", call.relays.map(\.description))
    member("media", call.media)
    member("flows", call.flowCount)
    member("flow_ids", call.flows)
    member("pkts", call.packets)
    member("bytes_toserver", call.bytesFromClient)
    member("bytes_toclient", call.bytesToClient)
    member("capture", call.capture)
  }

  private mutating func flag(_ name: StaticString, _ isSet: Bool) {
    guard isSet else { return }
    key(name)
    append("true" as StaticString)
  }

  private mutating func quic(_ quic: QUICFacts) {
    // As Suricata's EVE spells versions.
    member("version", quic.version.map { QUICVersion(rawValue: $0).description })
    member("selected_version", quic.selectedVersion.map { QUICVersion(rawValue: $0).description })
    member("versions_offered", quic.versionsOffered.map { QUICVersion(rawValue: $0).description })
    flag("retry", quic.hasRetry)
    flag("zero_rtt", quic.hasZeroRTT)
    if let error = quic.closeError { member("close_error", error) }
    member("transport_parameters", quic.transportParameters.map { "0x" + String($0, radix: 16) })
    if let timeout = quic.maximumIdleTimeout { member("max_idle_timeout", timeout) }
    if let size = quic.maximumDatagramFrameSize { member("max_datagram_frame_size", size) }
    member("ua", quic.userAgent)
    flag("migrated", quic.hasMigrated)
  }

  private mutating func dtls(_ dtls: DTLSFacts) {
    member("srtp_profiles", dtls.srtpProfiles.map(srtpProfileName))
    member("srtp_profile", dtls.srtpProfile.map(srtpProfileName))
    flag("hello_verify_request", dtls.hasHelloVerifyRequest)
    flag("cookie", dtls.hasCookie)
    flag("connection_id", dtls.hasConnectionID)
  }

  private mutating func stun(_ stun: STUNFacts) {
    member("messages", stun.messages)
    flag("classic", stun.isClassic)
    member("types", stun.messageTypes.map(hexadecimal))
    member("attributes", stun.attributes.map(hexadecimal))
    member("software", stun.software)
    member("realm", stun.realm)
    member("origin", stun.origin)
    flag("ice", stun.hasICE)
    flag("turn", stun.hasTURN)
    flag("channel_data", stun.hasChannelData)
    flag("multiplexed_turn", stun.isMultiplexed)
    flag("fingerprint", stun.hasFingerprint)
    member("mapped", stun.mapped?.description)
    member("relayed", stun.relayed?.description)
    member("peers", stun.peers.map(\.description))
  }

  private mutating func rtp(_ rtp: RTPFacts) {
    objects("streams", rtp.streams) { stream, buffer in
      buffer.member("ssrc", "0x" + String(stream.ssrc, radix: 16))
      buffer.member("payload_type", stream.payloadType)
      buffer.member("direction", stream.side == .client ? "to_server" : "to_client")
      buffer.member("packets", stream.packets)
      if let rate = stream.clockRate { buffer.member("clock_rate", rate) }
    }
    flag("rtcp", rtp.hasRTCP)
    member("extension", rtp.extensionProfile.map(hexadecimal))
    member("encapsulation", rtp.encapsulation)
  }

  private mutating func call(_ call: CallFacts) {
    member("call_id", call.callID)
    member("caller", call.caller)
    member("callee", call.callee)
    member("caller_side", call.callerSide.map { $0 == .client ? "client" : "server" })
    member("methods", call.methods)
    member("media", call.media)
    member("user_agent", call.userAgent)
  }
}

/// An SRTP protection profile's name at IANA ("DTLS-SRTP Protection Profiles"); hexadecimal where it has none.
func srtpProfileName(_ profile: UInt16) -> String {
  switch profile {
  case 1: "SRTP_AES128_CM_HMAC_SHA1_80"
  case 2: "SRTP_AES128_CM_HMAC_SHA1_32"
  case 5: "SRTP_NULL_HMAC_SHA1_80"
  case 6: "SRTP_NULL_HMAC_SHA1_32"
  case 7: "SRTP_AEAD_AES_128_GCM"
  case 8: "SRTP_AEAD_AES_256_GCM"
  case 9: "DOUBLE_AEAD_AES_128_GCM_AEAD_AES_128_GCM"
  case 10: "DOUBLE_AEAD_AES_256_GCM_AEAD_AES_256_GCM"
  case 11: "SRTP_ARIA_128_CTR_HMAC_SHA1_80"
  case 12: "SRTP_ARIA_128_CTR_HMAC_SHA1_32"
  case 13: "SRTP_ARIA_256_CTR_HMAC_SHA1_80"
  case 14: "SRTP_ARIA_256_CTR_HMAC_SHA1_32"
  case 15: "SRTP_AEAD_ARIA_128_GCM"
  case 16: "SRTP_AEAD_ARIA_256_GCM"
  default: hexadecimal(profile)
  }
}

private func hexadecimal(_ value: UInt16) -> String {
  "0x" + [UInt8(value >> 8), UInt8(value & 0xff)].hex
}
