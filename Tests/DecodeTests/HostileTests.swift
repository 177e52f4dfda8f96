import Bytes
import Decode
import Testing

/// What must hold of any answer, whatever the bytes were.
func check(_ outcome: DecodeOutcome, _ h: Headers, source: Int) -> String? {
  if h.payloadOffset < 0 || h.payloadCaptured < 0 || h.payloadLength < 0 { return "a negative length" }
  if Int(h.payloadOffset) + Int(h.payloadCaptured) > source { return "a payload outside the bytes" }
  if h.payloadCaptured > h.payloadLength { return "more captured than there was" }
  switch outcome {
  case .flow:
    if h.transport != .tcp && h.transport != .udp { return "a flow of neither TCP nor UDP" }
    if h.ipVersion != 4 && h.ipVersion != 6 { return "a flow without IP" }
    if h.isFirstFragment && h.payloadLength != 0 { return "a first fragment with a payload" }
  case .damaged:
    if h.damage == nil { return "damage without a reason" }
  case .fragment:
    if h.ipVersion == 0 { return "a fragment without IP" }
  case .counted, .unknown:
    if h.payloadLength != 0 { return "a payload of nothing" }
  }
  return nil
}

@Suite struct HostileTests {
  /// How much an answer says: nothing, the outer ports, the inner ports, all.
  private func rank(_ decoded: Decoded, whole: Decoded) -> Int {
    guard decoded.outcome == .flow else { return 0 }
    guard decoded.headers.scope == whole.headers.scope else { return 1 }
    return decoded.headers.damage == nil ? 3 : 2
  }

  @Test(arguments: Sample.all)
  func everySnapshotLengthTellsAtLeastAsMuchAsAShorterOne(_ sample: Sample) {
    let whole = decode(sample.bytes, link: sample.link)
    var last = 0
    var captured: Int32 = 0
    for count in 0..<sample.bytes.count {
      let decoded = decode(Array(sample.bytes.prefix(count)), link: sample.link, wire: sample.bytes.count)
      #expect(check(decoded.outcome, decoded.headers, source: count) == nil, "cut at \(count)")
      let rank = rank(decoded, whole: whole)
      #expect(rank >= last, "cut at \(count)")
      last = rank
      if rank < 3 { #expect(decoded.headers.damage?.reason == .cutBySnapshot, "cut at \(count)") }
      guard rank >= 2 else { continue }
      #expect(decoded.headers.destinationPort == 443)
      #expect(decoded.headers.source == whole.headers.source)
      #expect(decoded.headers.payloadLength == 5)
      #expect(decoded.headers.payloadCaptured >= captured)
      captured = decoded.headers.payloadCaptured
    }
    #expect(last == 3)
  }

  @Test(arguments: Sample.all)
  func everyPacketThatEndsEarlySaysSo(_ sample: Sample) {
    for count in 0..<sample.bytes.count {
      let decoded = decode(Array(sample.bytes.prefix(count)), link: sample.link)
      #expect(check(decoded.outcome, decoded.headers, source: count) == nil, "cut at \(count)")
      #expect(decoded.headers.damage?.reason != .cutBySnapshot, "cut at \(count)")
      if decoded.outcome == .flow, decoded.headers.transport == .tcp, count < sample.bytes.count - sample.trailing,
        !sample.name.hasPrefix("ipv4-length"), sample.name != "ipv6-jumbo"
      {
        #expect(decoded.headers.damage?.reason == .truncated, "cut at \(count)")
      }
    }
  }

  /// Random bytes changed, added, removed and spliced, with one decoder for all so that fragments pile up.
  @Test func mutationsKeepTheInvariants() {
    var random = SeededGenerator(state: 20_240_229)
    var limits = FragmentLimits()
    limits.datagrams = 16
    limits.bytes = 8192
    var decoder = Decoder(fragmentLimits: limits)
    for round in 0..<30_000 {
      let sample = Sample.all.randomElement(using: &random) ?? Sample.all[0]
      var bytes = sample.bytes
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0..<max(bytes.count, 1), using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: bytes.removeSubrange(min(place, bytes.count)...)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: min(place, bytes.count))
        case 2:
          let other = Sample.all.randomElement(using: &random)?.bytes ?? []
          bytes.replaceSubrange(min(place, bytes.count)..., with: other.suffix(40))
        case 3...5 where place < bytes.count:
          bytes[place] = [0, 0xff, 0x7f, 0x80, 4, 6, 17, 44].randomElement(using: &random) ?? 0
        default: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random) }
        }
      }
      let wire = bytes.count + ([0, 0, 1, 40, 2000].randomElement(using: &random) ?? 0)
      let decoded = decoder.decode(bytes, link: sample.link, wire: wire, at: Int64(round) * 10_000_000)
      let source = decoded.headers.isReassembled ? decoder.reassembled.byteCount : bytes.count
      if let broken = check(decoded.outcome, decoded.headers, source: source) {
        Issue.record("round \(round): \(broken): \(bytes.hex)")
      }
    }
    #expect(decoder.datagramsWaiting <= 16)
  }
}
