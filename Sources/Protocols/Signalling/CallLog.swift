import Bytes

/// What a signalling protocol's reader has gathered: facts of the first call, and addresses of media of all calls.
package struct CallLog {
  /// The most announcements that wait to be taken; later ones are counted in `dropped`.
  package static let maximumAnnouncements = 256
  /// The longest text that is kept of a name, an address or an identifier.
  package static let maximumTextLength = 256
  /// The most kinds of media that are kept.
  package static let maximumMedia = 4

  /// What was read.
  private(set) var facts = CallFacts()
  /// Grows when the facts change or an announcement waits.
  private(set) var revision = 0
  /// Announcements that found no room.
  private(set) var dropped = 0
  private var waiting: [AnnouncedEndpoint] = []

  /// Changes the facts, and counts it where they differ then.
  mutating func change(_ body: (inout CallFacts) -> Void) {
    let before = facts
    body(&facts)
    if facts != before { revision &+= 1 }
  }

  /// Notes a method or the name of a message.
  mutating func note(method: String) {
    guard facts.methods.count < CallFacts.maximumMethods, !facts.methods.contains(method) else { return }
    facts.methods.append(method)
    revision &+= 1
  }

  /// Notes a kind of media.
  mutating func note(media: String) {
    guard facts.media.count < Self.maximumMedia, !facts.media.contains(media) else { return }
    facts.media.append(media)
    revision &+= 1
  }

  /// Takes what a session description says, and of which call it is.
  mutating func note(_ description: SessionDescription, of call: String? = nil) {
    for kind in description.kinds { note(media: kind) }
    for announcement in description.announcements {
      var announcement = announcement
      announcement.call = call
      announce(announcement)
    }
  }

  /// Notes where media will come from or go to.
  mutating func announce(_ announcement: AnnouncedEndpoint) {
    guard !waiting.contains(announcement) else { return }
    guard waiting.count < Self.maximumAnnouncements else {
      dropped &+= 1
      return
    }
    waiting.append(announcement)
    revision &+= 1
  }

  /// Notes an address of RTP and the next port for its RTCP, as call signalling without SDP means them.
  mutating func announce(rtp endpoint: Endpoint, media: String?) {
    guard endpoint.address.isUsable, endpoint.port != 0 else { return }
    announce(AnnouncedEndpoint(endpoint, source: .signalling, media: media))
    guard endpoint.port & 1 == 0 else { return }
    announce(AnnouncedEndpoint(Endpoint(endpoint.address, endpoint.port &+ 1), source: .signalling, media: media))
  }

  /// Announcements since the last call.
  mutating func takeAnnouncements() -> [AnnouncedEndpoint] {
    guard !waiting.isEmpty else { return [] }
    defer { waiting = [] }
    return waiting
  }

  /// Text of a peer, cleaned for display; nil for none.
  static func text(_ bytes: borrowing RawSpan) -> String? {
    bytes.byteCount == 0 ? nil : visibleText(bytes.slice(0, maximumTextLength))
  }
}
