/// A kind of capture: its size, and what its flows are.
struct Profile {
  /// How packets come about.
  enum Making {
    /// Flows by shares, each packet at its time.
    case flows
    /// Tiny packets, their flows in random order.
    case tiny
    /// SYNs only, each of another source.
    case flood
  }

  let name: String
  let shows: String
  var making = Making.flows
  let packets: Int
  let flows: Int
  var seconds: Double
  /// Of what flows are started for; lookups come on top.
  var shares: [(kind: Kind, share: Int)] = []
  /// Of the named flows, how many in a hundred are preceded by lookups of both families.
  var lookups = 0
  /// The most segments of a server's first flight.
  var mostFlight = 1
  var isShort = false
  var closes = false
  /// Seconds between the packets of a flow, where all are to be open at once.
  var pace = 0.0
  /// Whether all flows carry the same number of packets, instead of a few of them most.
  var isEven = false
  /// Whether every hello fits one datagram.
  var hasSmallHellos = false

  static let all = [
    Profile(
      name: "mix", shows: "what a border sees", packets: 1_440_000, flows: 246_000, seconds: 120,
      shares: [
        (.dns, 700), (.tls13, 2200), (.tls12, 400), (.quic, 1000), (.http, 300), (.datagrams, 1500),
        (.connectionAttempt, 2700), (.middle, 400), (.call, 6), (.signalling, 3),
      ], lookups: 60, mostFlight: 4, closes: true),
    Profile(
      name: "hello", shows: "short flows of TLS", packets: 1_600_000, flows: 400_000, seconds: 60,
      shares: [(.tls13, 90), (.tls12, 10)], isShort: true, isEven: true),
    Profile(
      name: "small", shows: "tiny packets of many flows in random order", making: .tiny, packets: 10_000_000,
      flows: 1_000_000, seconds: 60),
    Profile(
      name: "elephant", shows: "50 flows of full segments", packets: 740_000, flows: 50, seconds: 20,
      shares: [(.tls13, 1)], mostFlight: 4, closes: true),
    Profile(
      name: "quic", shows: "QUIC connections, each with its own keys", packets: 800_000, flows: 200_000, seconds: 60,
      shares: [(.quic, 1)], isShort: true, isEven: true, hasSmallHellos: true),
    Profile(
      name: "courier", shows: "courier connections alive for a day", packets: 10_600_000, flows: 100_000,
      seconds: 600, shares: [(.courier, 1)], isEven: true),
    Profile(
      name: "flood", shows: "SYNs, each of another source", making: .flood, packets: 10_000_000, flows: 10_000_000,
      seconds: 10),
    Profile(
      name: "concurrent", shows: "TLS flows that are all open at once", packets: 1_350_000, flows: 250_000, seconds: 4,
      shares: [(.tls13, 1)], pace: 5),
  ]
}
