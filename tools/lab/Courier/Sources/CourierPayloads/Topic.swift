import Crypto

/// What a notification is for: the SHA-1 of a name.
public struct Topic: Sendable, Hashable {
  /// As in `com.apple.madrid`.
  public let name: String

  /// The topic of a name.
  public init(_ name: String) { self.name = name }

  /// The 20 bytes that stand for it on the wire.
  public var hash: [UInt8] { Array(Insecure.SHA1.hash(data: Array(name.utf8))) }

  /// iMessage.
  public static let madrid = Topic("com.apple.madrid")
  /// Ringing, joining and leaving of FaceTime.
  public static let faceTime = Topic("com.apple.private.alloy.facetime.multi")
  /// Allocation of FaceTime's relays.
  public static let quickRelay = Topic("com.apple.private.alloy.quickrelay")
  /// Identity services.
  public static let identity = Topic("com.apple.private.ids")

  /// How a device asks for a topic; the number is the field's in a filter command.
  public enum Attention: UInt8, Sendable, CaseIterable {
    /// At once.
    case enabled = 2
    /// When it costs nothing.
    case opportunistic = 4
    /// Not now.
    case paused = 5
  }

  /// How a Mac asked for a topic in the log of its apsd (pypush): the alloy services, iMessage and a few more are
  /// opportunistic, apps that do not run are paused. That a phone does the same, and enables apps that send
  /// notifications, is assumed.
  public var attention: Attention {
    if Self.opportunistic.contains(self) || name.hasPrefix("com.apple.private.alloy.") { return .opportunistic }
    return Self.paused.contains(self) ? .paused : .enabled
  }

  /// Topics of Apple in that log, iMessage's and FaceTime's before all others.
  public static let apple = opportunistic + paused + enabled

  /// So many topics: Apple's, then apps'. The log has 196, of which 70 are opportunistic and 26 paused; the number on a
  /// phone is not published.
  public static func list(_ count: Int) -> [Topic] {
    let apps = max(0, count - apple.count)
    return Array(apple.prefix(max(0, count))) + (0..<apps).map { Topic("com.example.app\($0)") }
  }

  private static let opportunistic =
    [madrid, faceTime, quickRelay, identity]
    + [
      "com.apple.ess", "com.apple.private.ac", "com.apple.triald", "com.apple.icloud-container.com.apple.photos.cloud",
    ]
    .map { Topic($0) } + alloy

  private static let alloy = """
    accounts.representative amp.potluck applepay avconference.icloud biz carmelsync classroom clockface.sharing
    contextsync continuity.activity continuity.encryption continuity.tethering continuity.unlock copresence coreduet.sync
    ded digitalhealth electrictouch facetime.audio facetime.lp facetime.mw facetime.sync facetime.video fmd fmf gamecenter
    gamecenter.imessage gelato home home.invite icloudpairing ids.cloudmessaging itunes keytransparency.accountkey.pinning
    maps maps.eta messagenotification multiplex1 nearby notes phone.auth phonecontinuity photostream
    proxiedcrashcopier.icloud safari.groupactivities safeview screensharing screensharing.qr screentime screentime.invite
    sleep.icloud sms status.keysharing status.personal thumper.keys tips usagetracking willow willow.stream
    """.split(whereSeparator: \.isWhitespace).map { Topic("com.apple.private.alloy.\($0)") }

  private static let paused = """
    com.apple.Maps com.apple.Notes com.apple.TestFlight com.apple.findmy com.apple.iBooksX com.apple.iWork.Numbers
    com.apple.iWork.Pages com.apple.icloud.fmip.app.push com.apple.jalisco com.apple.mobileme.fmf2 com.apple.music.social
    com.apple.news com.apple.sagad com.apple.tilt
    """.split(whereSeparator: \.isWhitespace).map { Topic(String($0)) }

  private static let enabled = """
    com.apple.aa.idms com.apple.aa.setupservice com.apple.amsaccountsd com.apple.appstored com.apple.askpermissiond
    com.apple.bookassetd com.apple.gamed com.apple.icloud.fmip.voiceassistantsync com.apple.icloud.presence.mode.status
    com.apple.icloud.presence.shared.experience com.apple.idmsauth com.apple.idmsauthagent com.apple.itunesstored
    com.apple.maps.icloud com.apple.mobileme.fmf3 com.apple.passd.usernotifications com.apple.pay.provision
    com.apple.pay.services.account.prod com.apple.peerpayment com.apple.sharedstreams com.apple.storekit
    com.apple.tv.favoriteTeams com.apple.wallet.sharing com.apple.watchList com.icloud.askpermission com.icloud.family
    com.icloud.quota com.me.cal com.me.contacts com.me.setupservice paymentpass.com.apple
    """.split(whereSeparator: \.isWhitespace).map { Topic(String($0)) } + containers

  /// Of iCloud's databases, one for each app that keeps something there.
  private static let containers = """
    Safari SafariShared.CloudTabs SafariShared.Settings StatusKitAgent TrustedPeersHelper VoiceMemos amsengagementd
    assistant.assistantd avatarsd callhistory.sync-helper cloudpaird donotdisturbd financed gamed iBooksX imagent
    icloud.fmfd icloud.searchpartyuseragent keyboardservicesd passd reminders security.cuttlefish securityd
    siriknowledged suggestd syncdefaultsd willowd willowd.homekit
    """.split(whereSeparator: \.isWhitespace).map { Topic("com.apple.icloud-container.com.apple.\($0)") }
}
