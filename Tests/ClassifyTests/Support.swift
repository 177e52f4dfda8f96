import Bytes
import Protocols
import Testing

@testable import Classify

/// Repeatable random numbers (SplitMix64).
struct Dice: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// The shipped catalogue, read once.
let shipped: Result<Catalogue, any Error> = Result { try Catalogue.shipped() }

func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

/// A flow from a private client to a server, with nothing seen yet.
func flow(
  to server: String = "198.51.100.7", _ port: UInt16 = 443, tcp: Bool = true, sni: String? = nil, alpn: [String] = [],
  selected: String? = nil, certificate: [String] = [], names: [String] = [], weakNames: [String] = [],
  host: String? = nil, application: ApplicationProtocol? = nil, clientPort: UInt16 = 61234
) throws -> FlowObservation {
  var facts = FlowFacts()
  facts.application = application
  if sni != nil || !alpn.isEmpty || selected != nil || !certificate.isEmpty {
    var tls = TLSFacts()
    tls.serverName = sni
    tls.alpn = alpn
    tls.alpnSelected = selected
    tls.certificateNames = certificate
    facts.tls = tls
    facts.application = .tls
  }
  if let host {
    var http = HTTPFacts()
    http.host = host
    facts.http = http
    facts.application = .http
  }
  return FlowObservation(
    client: try address("192.168.1.20"), clientPort: clientPort, server: try address(server), serverPort: port,
    isTCP: tcp, names: names, weakNames: weakNames, facts: facts)
}

/// The first bytes of a side.
func firstBytes(_ bytes: [UInt8]) -> FirstBytes {
  // Safe: every byte of an array of bytes is initialized.
  unsafe FirstBytes(bytes.span.bytes)
}

/// Streams of RTP, one packet each for 0, with RTCP.
func rtpFacts(packets: UInt32 = 40, rtcp: Bool = true, streams: Int = 1) -> RTPFacts {
  var rtp = RTPFacts()
  rtp.hasRTCP = rtcp
  for i in 0..<(packets == 0 ? 0 : streams) {
    rtp.streams.append(RTPFacts.Stream(ssrc: 0x1234 + UInt32(i), payloadType: 111, side: .client, packets: packets))
  }
  return rtp
}

/// STUN that does something.
func stunFacts(
  ice: Bool = false, turn: Bool = false, types: [UInt16] = [1], attributes: [UInt16] = [], software: String? = nil,
  realm: String? = nil
) -> STUNFacts {
  var stun = STUNFacts()
  stun.messages = 2
  stun.hasICE = ice
  stun.hasTURN = turn
  stun.messageTypes = types
  stun.attributes = attributes
  stun.software = software
  stun.realm = realm
  return stun
}

/// A DTLS client that offers profiles of SRTP.
func dtlsFacts(profiles: [UInt16] = [1, 7]) -> DTLSFacts {
  var dtls = DTLSFacts()
  dtls.srtpProfiles = profiles
  return dtls
}
