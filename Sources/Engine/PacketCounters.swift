import Capture
import Decode
import Report

/// Counts packets by what decoding them came to: plain numbers, named only when somebody asks.
struct PacketCounters {
  var packets: UInt64 = 0
  var bytes: UInt64 = 0
  var truncated: UInt64 = 0
  var start: Int64 = 0
  var end: Int64 = 0
  var lastTick: Int64 = .min
  private var fragments: UInt64 = 0
  private var unknown: UInt64 = 0
  private var damaged: UInt64 = 0
  private var byTransport = [UInt64](repeating: 0, count: 256)
  private var byDamage = [UInt64](repeating: 0, count: Damage.Layer.allCases.count * Damage.Reason.allCases.count)

  /// The time of the last packet, once a second of it.
  mutating func tick() -> Int64? {
    guard end / 1_000_000_000 != lastTick else { return nil }
    lastTick = end / 1_000_000_000
    return end
  }

  @inline(__always)
  mutating func count(_ packet: PacketRef, _ outcome: DecodeOutcome, _ headers: borrowing Headers) {
    if packets == 0 { start = packet.timestamp }
    packets &+= 1
    bytes &+= UInt64(UInt32(bitPattern: packet.wire))
    if packet.captured < packet.wire { truncated &+= 1 }
    end = max(end, packet.timestamp)
    if outcome != .flow { countOther(outcome, headers) }
    if let damage = headers.damage { count(damage) }
  }

  private mutating func countOther(_ outcome: DecodeOutcome, _ headers: borrowing Headers) {
    switch outcome {
    case .flow: break
    case .fragment: fragments &+= 1
    case .unknown: unknown &+= 1
    case .damaged: damaged &+= 1
    case .counted: byTransport[headers.ipVersion == 0 ? 255 : Int(headers.transport.rawValue)] &+= 1
    }
  }

  private mutating func count(_ damage: Damage) {
    let place = Int(damage.layer.rawValue) * Damage.Reason.allCases.count + Int(damage.reason.rawValue)
    if byDamage.indices.contains(place) { byDamage[place] &+= 1 }
  }

  /// The names of the transports that are counted and not followed (IANA protocol numbers).
  private static let names: [Int: String] = [
    1: "icmp", 2: "igmp", 47: "gre", 50: "esp", 51: "ah", 58: "icmpv6", 89: "ospf", 103: "pim", 112: "vrrp",
    132: "sctp", 255: "not_ip",
  ]

  /// The counters under their names.
  var event: StatsEvent {
    var stats = StatsEvent()
    stats.packets = packets
    stats.bytes = bytes
    stats.truncatedPackets = truncated
    stats.start = start
    stats.end = end
    for (number, count) in byTransport.enumerated() where count > 0 {
      stats.packetsWithoutFlow[Self.names[number] ?? "ip_protocol_\(number)"] = count
    }
    if fragments > 0 { stats.packetsWithoutFlow["fragments"] = fragments }
    if unknown > 0 { stats.packetsWithoutFlow["unknown"] = unknown }
    if damaged > 0 { stats.packetsWithoutFlow["damaged"] = damaged }
    for layer in Damage.Layer.allCases {
      for reason in Damage.Reason.allCases {
        let count = byDamage[Int(layer.rawValue) * Damage.Reason.allCases.count + Int(reason.rawValue)]
        if count > 0 { stats.decodeErrors["\(layer) \(reason.words)"] = count }
      }
    }
    return stats
  }
}

extension StatsEvent {
  /// Names the Wi-Fi frames among the packets that are not IP.
  mutating func count(_ frames: WirelessCounters) {
    let kinds = [
      ("wifi_management", frames.management), ("wifi_control", frames.control), ("wifi_empty", frames.empty),
      ("wifi_encrypted", frames.encrypted), ("wifi_fragments", frames.fragments),
      ("wifi_bad_checksum", frames.badChecksum),
    ]
    for (name, count) in kinds where count > 0 {
      packetsWithoutFlow[name] = count
      let rest = (packetsWithoutFlow["not_ip"] ?? 0).subtractingReportingOverflow(count)
      packetsWithoutFlow["not_ip"] = rest.overflow || rest.partialValue == 0 ? nil : rest.partialValue
    }
  }
}

extension Damage.Reason {
  /// The reason in words.
  var words: String {
    switch self {
    case .cutBySnapshot: "cut by the snapshot length"
    case .truncated: "truncated"
    case .badLength: "bad length"
    case .badVersion: "bad version"
    case .tooDeep: "nested too deep"
    case .badFragment: "bad fragment"
    }
  }
}
