/// What call signalling in clear says (SIP, H.323, MGCP, MEGACO, Skinny, IAX2).
public struct CallFacts: Sendable, Equatable {
  /// The identifier of the first call: SIP's Call-ID, cleaned for display.
  public var callID: String?
  /// Who calls and who is called: the addresses of From and To without tags, cleaned for display.
  public var caller: String?, callee: String?
  /// The side that asked for the call (INVITE, SETUP).
  public var callerSide: FlowSide?
  /// User-Agent or Server, cleaned for display.
  public var userAgent: String?
  /// Methods or message names in order of appearance; at most `CallFacts.maximumMethods`.
  public var methods: [String] = []
  /// Kinds of media that were agreed on: "audio", "video", in order of appearance; at most four.
  public var media: [String] = []
  /// The most methods that are kept.
  public static let maximumMethods = 16
  /// Facts of nothing.
  public init() {}
}
