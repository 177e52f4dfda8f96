/// The names that are asked for: some real ones by weight, Apple's couriers, and numbered hosts for the long tail.
enum ServerNames {
  private static let weighted: [(name: String, weight: Int, port: UInt16)] = [
    ("mtalk.google.com", 25, 5228), ("g.whatsapp.net", 25, 443), ("mmg.whatsapp.net", 15, 443),
    ("chat.signal.org", 10, 443), ("query.ess.apple.com", 6, 443), ("p52-content.icloud-content.com", 8, 443),
    ("web.telegram.org", 10, 443), ("www.google.com", 70, 443), ("fonts.gstatic.com", 40, 443),
    ("www.youtube.com", 30, 443), ("www.apple.com", 25, 443), ("gateway.icloud.com", 30, 443),
    ("www.microsoft.com", 30, 443), ("login.microsoftonline.com", 25, 443), ("github.com", 20, 443),
    ("en.wikipedia.org", 20, 443), ("www.instagram.com", 25, 443), ("graph.facebook.com", 30, 443),
    ("api.spotify.com", 15, 443), ("www.netflix.com", 10, 443), ("s3.amazonaws.com", 30, 443),
    ("cdn.jsdelivr.net", 20, 443), ("static.cloudflareinsights.com", 20, 443), ("discord.com", 10, 443),
    ("www.bbc.co.uk", 10, 443), ("imap.gmail.com", 6, 993), ("deb.debian.org", 6, 443),
  ]
  private static let courierCount = 50
  private static let tailCount = 3000
  private static let weights = weighted.map(\.weight) + [400]

  static let all: [String] =
    weighted.map(\.name) + (1...courierCount).map { "\($0)-courier.push.apple.com" }
    + (0..<tailCount).map { "edge-\($0).cdn\($0 % 7).example.net" }

  static func draw(_ random: inout Random) -> Int {
    let place = random.draw(weights)
    return place < weighted.count ? place : weighted.count + courierCount + random.below(tailCount)
  }

  static func drawCourier(_ random: inout Random) -> Int { weighted.count + random.below(courierCount) }

  static func isCourier(_ name: Int) -> Bool { (weighted.count..<weighted.count + courierCount).contains(name) }

  static func port(_ name: Int) -> UInt16 {
    name < weighted.count ? weighted[name].port : isCourier(name) ? 5223 : 443
  }

  /// How many addresses an answer gives for a name.
  static func addressCount(_ name: Int) -> Int { 1 + name % 3 }

  /// One of a name's addresses: couriers stand in Apple's networks, all else in networks for benchmarks and examples.
  static func address(_ name: Int, _ which: Int, isIPv6: Bool) -> Address {
    let host = UInt64(name * 4 + which)
    if isCourier(name) {
      let courier = host - UInt64(weighted.count * 4)
      return isIPv6
        ? Address(high: 0x2620_0149_0a44_0000, low: 0x10 + courier) : Address(low: 0x1139_9000 + 0x10 + courier)
    }
    return isIPv6 ? Address(high: 0x2001_0db8_005e_0000, low: host) : Address(low: 0xc613_0000 + host)
  }

  static func resolver(isIPv6: Bool) -> Address {
    isIPv6 ? Address(high: 0x2001_0db8_005e_0000, low: 0xff53) : Address(low: 0xc613_ff35)
  }
}
