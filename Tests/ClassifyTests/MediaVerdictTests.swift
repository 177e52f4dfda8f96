import Bytes
import Protocols
import Testing

@testable import Classify

/// What a verdict makes of media, the way to them and their signalling. All facts are built by hand.
@Suite struct MediaVerdictTests {
  let classifier: Classifier
  init() throws { classifier = Classifier(catalogue: try shipped.get()) }

  private func media(
    to server: String = "198.51.100.7", _ port: UInt16 = 40_000, clientPort: UInt16 = 50_000, names: [String] = [],
    application: ApplicationProtocol? = nil, rtp: RTPFacts? = nil, stun: STUNFacts? = nil, dtls: DTLSFacts? = nil,
    call: CallFacts? = nil, tcp: Bool = false
  ) throws -> FlowObservation {
    var made = try flow(to: server, port, tcp: tcp, names: names, application: application, clientPort: clientPort)
    if let rtp { made.facts.rtp = rtp }
    if let stun { made.facts.stun = stun }
    if let dtls { made.facts.dtls = dtls }
    if let call { made.facts.call = call }
    return made
  }

  private func call(_ methods: String...) -> CallFacts {
    var call = CallFacts()
    call.methods = methods
    return call
  }

  @Test func mediaAloneAreACallOfNobody() throws {
    for (made, service) in [
      (try media(application: .rtp, rtp: rtpFacts()), "RTP"),
      (try media(application: .dtls, dtls: dtlsFacts()), "DTLS-SRTP"),
      (try media(application: .stun, stun: stunFacts(ice: true)), "STUN/TURN"),
      (try media(application: .stun, stun: stunFacts(turn: true), tcp: true), "STUN/TURN"),
      (try media(application: .rtp, rtp: rtpFacts(packets: 0)), "RTP"),
    ] {
      let verdict = classifier.verdict(on: made)
      #expect(verdict.tag == .calling && verdict.service == service && !classifier.isOperators(service))
      #expect(verdict.evidence.first?.source == .media && verdict.conflicts.isEmpty)
      #expect(verdict.margin > 3, "\(service)")
    }
  }

  /// DTLS without SRTP and QUIC say nothing of themselves; the names in them do.
  @Test func handshakesWithoutMediaSayNothing() throws {
    var dtls = try media(application: .dtls, dtls: dtlsFacts(profiles: []))
    #expect(classifier.verdict(on: dtls).tag == .other)
    dtls.facts.tls = TLSFacts()
    dtls.facts.tls?.serverName = "vpn.example.org"
    #expect(classifier.verdict(on: dtls).tag == .other)
    for (name, tag, service) in [
      ("gcp.api.snapchat.com", Classify.Tag.messaging, "Snapchat"), ("meet.google.com", .calling, "Google Meet"),
      ("rr3---sn-4g5e6nzz.googlevideo.com", .other, "YouTube"), ("i.instagram.com", .other, "Meta shared"),
      ("str1-euwest1.addlive.io", .calling, "Snapchat calls"), ("www.google.com", .other, "Google"),
    ] {
      var quic = try flow(443, tcp: false, sni: name)
      quic.facts.application = .quic
      quic.facts.quic = QUICFacts()
      let verdict = classifier.verdict(on: quic)
      #expect(verdict.tag == tag && verdict.service == service, "\(name)")
      #expect(verdict.evidence.contains { $0.source == .sni })
    }
    var nameless = try flow(443, tcp: false, application: .quic)
    nameless.facts.quic = QUICFacts()
    #expect(classifier.verdict(on: nameless).tag == .other)
  }

  /// A question for one's own address is most likely asked before a call, and little is known by it.
  @Test func loneBindingIsWeak() throws {
    let lone = classifier.verdict(on: try media(3478, application: .stun, stun: stunFacts()))
    let checks = classifier.verdict(on: try media(3478, application: .stun, stun: stunFacts(ice: true)))
    #expect(lone.tag == .calling && lone.service == "STUN/TURN")
    #expect(lone.margin < 3 && lone.margin < checks.margin - 2)
    #expect(lone.confidence < checks.confidence)
    for (name, tag) in [
      ("stun.l.google.com", Classify.Tag.calling), ("cdn.whatsapp.net", .calling), ("stun.nobody.example", .calling),
      ("stun.np.playstation.net", .other),
    ] {
      let named = classifier.verdict(on: try media(3478, names: [name], application: .stun, stun: stunFacts()))
      #expect(named.tag == tag, "\(name)")
      // Checks of ICE are for media whoever's server it is.
      let checks = classifier.verdict(on: try media(names: [name], application: .stun, stun: stunFacts(ice: true)))
      #expect(checks.tag == .calling, "\(name)")
    }
  }

  /// Tailscale asks with a SOFTWARE of its own.
  @Test func aMeshOfDevicesIsNoCall() throws {
    let verdict = classifier.verdict(
      on: try media(3478, application: .stun, stun: stunFacts(software: "tailnode")))
    #expect(verdict.tag == .other && verdict.service == "Tailscale")
    #expect(verdict.evidence.contains { $0.source == .stun && $0.value == "SOFTWARE tailnode" })
  }

  @Test(
    arguments: [
      (stunFacts(types: [1, 0x0801]), "WhatsApp calls"), (stunFacts(attributes: [6, 0x8070, 0x8054]), "Teams calls"),
      (stunFacts(attributes: [0x0101]), "Zoom"), (stunFacts(turn: true, attributes: [0xff03]), "Google Meet"),
      (stunFacts(turn: true, realm: "telegram.org"), "Telegram calls"),
      (stunFacts(turn: true, realm: "SIGNAL.org"), "Signal calls"),
      (stunFacts(realm: "facebook.com"), "Messenger calls"),
      (stunFacts(software: "turn.viber.com"), "Viber calls"), (stunFacts(ice: true, software: "ice4j.org"), "Jitsi"),
    ] as [(STUNFacts, String)])
  func vendorsNameTheirCalls(_ stun: STUNFacts, _ service: String) throws {
    let verdict = classifier.verdict(on: try media(3478, application: .stun, stun: stun))
    #expect(verdict.tag == .calling && verdict.service == service)
    #expect(verdict.evidence.contains { $0.source == .stun && $0.service == service })
    #expect(classifier.isOperators(service))
    #expect(verdict.confidence > 0.9)
  }

  /// What WhatsApp and Messenger share is said to be shared; what only WhatsApp sends is not.
  @Test func sharedMarksAreSaid() throws {
    let shared = classifier.verdict(
      on: try media(to: "157.240.5.5", 3478, application: .stun, stun: stunFacts(attributes: [0x4002])))
    #expect(shared.tag == .calling && shared.service == "WhatsApp calls")
    #expect(shared.conflicts == ["nothing here tells WhatsApp calls from Messenger calls"])
    let own = classifier.verdict(
      on: try media(to: "157.240.5.5", 3478, application: .stun, stun: stunFacts(types: [0x0800], attributes: [0x4002]))
    )
    #expect(own.service == "WhatsApp calls" && own.conflicts.isEmpty)
  }

  @Test func mediaAtMetaAreACallOfItsHouse() throws {
    for port in [UInt16(3478), 40_012] {
      let verdict = classifier.verdict(on: try media(to: "157.240.5.5", port, application: .rtp, rtp: rtpFacts()))
      #expect(verdict.tag == .calling && verdict.service == "Meta calls")
      #expect(
        verdict.conflicts == [
          "nothing here tells Meta calls from WhatsApp calls and Messenger calls and calls of Instagram"
        ])
    }
    // The same address serves the web over TCP.
    #expect(classifier.verdict(on: try flow(to: "157.240.5.5", sni: "www.facebook.com")).tag == .other)
  }

  /// Names and addresses of a messenger say whose media these are; over TLS the same names are its messages.
  @Test(
    arguments: [
      ("g.whatsapp.net", "WhatsApp", "WhatsApp calls"), ("chat.signal.org", "Signal", "Signal calls"),
      ("discord.com", "Discord", "Discord voice"), ("edge-chat.facebook.com", "Facebook Messenger", "Messenger calls"),
      ("gw.line.naver.jp", "LINE", "LINE calls"), ("long.weixin.qq.com", "WeChat", "WeChat calls"),
      ("aws.api.snapchat.com", "Snapchat", "Snapchat calls"), ("teams.microsoft.com", "Teams chat", "Teams calls"),
    ])
  func nameAndMedia(_ name: String, _ messages: String, _ calls: String) throws {
    let chat = classifier.verdict(on: try flow(sni: name))
    #expect(chat.tag == .messaging && chat.service == messages)
    let call = classifier.verdict(on: try media(names: [name], application: .rtp, rtp: rtpFacts()))
    #expect(call.tag == .calling && call.service == calls)
    let keys = classifier.verdict(on: try media(names: [name], application: .dtls, dtls: dtlsFacts()))
    #expect(keys.tag == .calling && keys.service == calls)
  }

  @Test(
    arguments: [
      ("91.108.9.35", 1400, "Telegram calls"), ("149.154.167.91", 40_000, "Telegram calls"),
      ("66.22.244.154", 50_004, "Discord voice"), ("162.255.37.14", 8801, "Zoom"), ("52.113.2.3", 3479, "Teams calls"),
      ("17.5.7.8", 3480, "FaceTime"), ("17.5.7.8", 50_000, "FaceTime"), ("74.125.250.71", 19_305, "Google Meet"),
      ("62.109.229.158", 9000, "Webex"), ("147.92.169.90", 29_070, "LINE calls"),
    ] as [(String, UInt16, String)])
  func addressAndMedia(_ server: String, _ port: UInt16, _ service: String) throws {
    let verdict = classifier.verdict(on: try media(to: server, port, application: .rtp, rtp: rtpFacts()))
    #expect(verdict.tag == .calling && verdict.service == service)
  }

  @Test func faceTimeNeedsApplesAddress() throws {
    let apart = classifier.verdict(
      on: try media(to: "1.2.247.232", 16_402, clientPort: 16_402, application: .rtp, rtp: rtpFacts()))
    #expect(apart.tag == .calling && apart.service == "RTP")
    // A first packet that could be RTP, between two ports of the range; one end elsewhere is not enough.
    var single = try flow(to: "1.2.247.232", 16_403, tcp: false, clientPort: 16_403)
    single.facts.clientFirstBytes = firstBytes([0x90, 0x68, 0x8d, 0x8c])
    #expect(classifier.verdict(on: single).tag == .calling)
    single.clientPort = 50_000
    #expect(classifier.verdict(on: single).tag == .other)
    single.clientPort = 16_403
    single.facts.clientFirstBytes = firstBytes([0x40, 0x68, 0x8d, 0x8c])
    #expect(classifier.verdict(on: single).tag == .other)
  }

  /// Few packets prove less than many; RTCP beside them proves the rest.
  @Test func proofGrowsWithPackets() throws {
    let margins = try [(2, false), (5, false), (30, false), (2, true)].map { packets, rtcp in
      classifier.verdict(on: try media(application: .rtp, rtp: rtpFacts(packets: packets, rtcp: rtcp))).margin
    }
    #expect(margins[0] < margins[1] && margins[1] < margins[2] && margins[2] == margins[3])
    #expect(margins[0] > 2)
  }

  @Test func quicWithRTPIsSnapchat() throws {
    var made = try media(443, application: .quic, rtp: rtpFacts())
    made.facts.quic = QUICFacts()
    let verdict = classifier.verdict(on: made)
    #expect(verdict.tag == .calling && verdict.service == "Snapchat calls")
  }

  @Test func sipWithAndWithoutACall() throws {
    let invite = classifier.verdict(on: try media(5060, application: .sip, call: call("INVITE", "100", "ACK")))
    #expect(invite.tag == .calling && invite.service == "SIP" && invite.conflicts.isEmpty)
    let register = classifier.verdict(on: try media(5060, application: .sip, call: call("REGISTER", "OPTIONS")))
    #expect(register.tag == .calling && register.service == "SIP")
    #expect(register.conflicts == ["SIP set up no call here: only REGISTER, OPTIONS"])
    #expect(register.confidence <= invite.confidence && register.margin < invite.margin)
    let message = classifier.verdict(on: try media(5060, application: .sip, call: call("MESSAGE")))
    #expect(message.service == "SIP")
    #expect(message.conflicts == ["SIP carried only MESSAGE here: texts, not a call"])
    let unknown = classifier.verdict(on: try media(5060, application: .sip, call: call("200")))
    #expect(unknown.conflicts.isEmpty)
  }

  @Test(arguments: [
    ("mgcp", "MGCP / MEGACO"), ("megaco", "MGCP / MEGACO"), ("h323", "H.323"), ("skinny", "Skinny (SCCP)"),
    ("iax2", "IAX2"), ("bfcp", "BFCP"), ("discord", "Discord voice"), ("zoom", "Zoom"), ("mumble", "Mumble"),
    ("ts3", "TeamSpeak"), ("tg-reflector", "Telegram calls"), ("line-call", "LINE calls"),
    ("viber-call", "Viber calls"), ("ms-turn", "Teams calls"),
  ])
  func protocolsOfCalls(_ name: String, _ service: String) throws {
    let verdict = classifier.verdict(on: try media(application: ApplicationProtocol(rawValue: name)))
    #expect(verdict.tag == .calling && verdict.service == service)
  }

  @Test(arguments: [
    ("whatsapp", Classify.Tag.messaging, "WhatsApp"), ("mtproto", .messaging, "Telegram"),
    ("threema", .messaging, "Threema"), ("viber", .messaging, "Viber"), ("kakaotalk", .messaging, "KakaoTalk"),
    ("mmtls", .messaging, "WeChat"), ("oicq", .messaging, "QQ"), ("fcm", .push, "FCM"),
    ("hms-push", .push, "Huawei HMS Push"), ("mipush", .push, "MiPush"), ("ike", .other, "VPN"), ("esp", .other, "VPN"),
  ])
  func protocolsOfMessengers(_ name: String, _ tag: Classify.Tag, _ service: String) throws {
    let verdict = classifier.verdict(on: try flow(application: ApplicationProtocol(rawValue: name)))
    #expect(verdict.tag == tag && verdict.service == service)
  }

  @Test func whatLooksRandomCountsOnlyAtItsOwner() throws {
    let name: ApplicationProtocol = "mtproto-obfuscated"
    #expect(classifier.verdict(on: try flow(application: name)).tag == .other)
    #expect(classifier.verdict(on: try flow(to: "149.154.167.91", application: name)).service == "Telegram")
  }

  /// A tunnel to an operator's gateway is known by the gateway's name alone, and is a tunnel.
  @Test func voiceOverWiFiIsATunnel() throws {
    let name = "epdg.epc.mnc001.mcc262.pub.3gppnetwork.org"
    for (port, application) in [(500, "ike"), (4500, "esp")] as [(UInt16, ApplicationProtocol)] {
      let verdict = classifier.verdict(on: try flow(port, tcp: false, names: [name], application: application))
      #expect(verdict.tag == .other && verdict.service == "VoWiFi")
      #expect(verdict.carries.contains { $0.tag == .calling })
      let plain = classifier.verdict(on: try flow(port, tcp: false, application: application))
      #expect(plain.tag == .other && plain.service == "VPN")
    }
    let web = classifier.verdict(on: try flow(sni: "config.rcs.mnc001.mcc262.pub.3gppnetwork.org"))
    #expect(web.tag == .other && web.service == nil)
  }

  @Test func pushWithoutANameOrAHandshake() throws {
    for (server, port, service) in [
      ("17.57.144.120", 5223, "APNs"), ("17.249.1.1", 443, "APNs"), ("17.188.20.7", 2197, "APNs"),
      ("2620:149:a44:305::b", 443, "APNs"), ("2403:300:a42:100::1", 5223, "APNs"), ("142.250.10.188", 5229, "FCM"),
      ("159.138.85.48", 5223, "Huawei HMS Push"),
    ] as [(String, UInt16, String)] {
      let verdict = classifier.verdict(on: try flow(to: server, port))
      #expect(verdict.tag == .push && verdict.service == service, "\(server)")
    }
    let bag = classifier.verdict(on: try flow(80, host: "init-p01st.push.apple.com"))
    #expect(bag.tag == .push && bag.service == "APNs bag")
  }
}
