import Bytes
import Classify
import Protocols
import Testing

@testable import Report

@Suite("Text for a person")
struct TextTests {
  /// Columns of a line as a terminal shows it: colour takes none.
  private func shown(_ line: String) -> Int {
    var text = ""
    var isEscape = false
    for scalar in line.unicodeScalars {
      if scalar == "\u{1b}" {
        isEscape = true
      } else if isEscape {
        isEscape = scalar != "m"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return columns(of: text)
  }

  /// What WebRTC writes into the certificate of a call is no host's name; the one that DNS gave is.
  @Test func certificatesOfACallNameNobody() {
    var flow = pushFlow()
    flow.facts.tls?.serverName = nil
    flow.facts.tls?.certificateNames = ["81ad40bc52ffe598f942aba8a7cc0112"]
    flow.names = ["turn.example.net"]
    #expect(flow.whereTo == "turn.example.net:5223")
    flow.facts.tls?.certificateNames = ["81ad40bc52ffe598f942aba8a7cc0112", "relay.example.org"]
    #expect(flow.whereTo == "relay.example.org:5223")
    flow.facts.tls?.certificateNames = ["81ad40bc52ffe598f942aba8a7cc0112"]
    flow.names = []
    #expect(flow.whereTo == "198.51.100.120:5223")
  }

  @Test(arguments: [true, false])
  func noLineIsWiderThanTheTerminal(isColored: Bool) {
    var flows = [pushFlow(), callFlow(), plainFlow()] + smallFlows()
    for (index, text) in hostileTexts.enumerated() { flows.append(hostileFlow(text, id: UInt64(100 + index))) }
    var huge = plainFlow(1_000_000_000_000)
    huge.bytesToServer = .max
    huge.packetsToServer = .max
    huge.end = .max
    flows.append(huge)
    var summary = RunSummary()
    for flow in flows { summary.add(flow) }
    var stats = syntheticStats()
    stats.limits[hostileTexts[0]] = .max
    for width in Array(40...130) + stride(from: 135, through: 250, by: 5) {
      let style = TextStyle(width: width, isColored: isColored)
      var table = FlowOverview(title: String(repeating: "long/", count: 30) + "name.pcap", style: style)
      table.showsAll = width % 2 == 0
      var lines = table.lines(summary, stats)
      for flow in flows {
        lines += Ledger(style: style).lines(flow)
        lines.append(FlowLine(style: style).line(flow))
      }
      for line in lines where shown(line) > width { Issue.record("\(shown(line)) > \(width): \(line)") }
      if !isColored {
        for line in lines
        where line.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) {
          Issue.record("a control character in: \(line)")
        }
      }
    }
  }

  @Test func colourChangesNothingButColour() {
    let plain = FlowOverview(title: "x", style: TextStyle(width: 120)).lines(syntheticSummary(), syntheticStats())
    let colored = FlowOverview(title: "x", style: TextStyle(width: 120, isColored: true))
      .lines(syntheticSummary(), syntheticStats())
    #expect(colored.map(shown) == plain.map(shown))
    #expect(colored.contains { $0.contains("\u{1b}[") })
    #expect(!plain.contains { $0.contains("\u{1b}") })
  }

  @Test func longProseGoesOnBelow() {
    let rows = [
      InterfaceListing.Row(
        name: "eth0", state: "up", addresses: ["192.0.2.2", "2001:db8::2", "fe80::5054:ff:fe12:3456"],
        about: "a card with a long description of what it is", isCapturable: true),
      InterfaceListing.Row(name: "lo", state: "up, loopback", addresses: [], about: nil, isCapturable: true),
    ]
    #expect(
      InterfaceListing(style: TextStyle(width: 80)).lines(rows) == [
        " interface  state         addresses                          about",
        " eth0       up            192.0.2.2, 2001:db8::2,            a card with a long",
        "                          fe80::5054:ff:fe12:3456            description of what",
        "                                                             it is",
        " lo         up, loopback",
      ])
  }

  @Test func weakPortsAreCountedAndNotListed() {
    var flow = plainFlow()
    flow.verdict.evidence = [
      Evidence(.sni, value: "example.net", tag: .other, service: nil, bits: 4),
      Evidence(.port, value: "tcp/1", tag: .push, service: nil, bits: 0.05),
      Evidence(.port, value: "tcp/2", tag: .push, service: nil, bits: 0.049),
      Evidence(.port, value: "tcp/3", tag: .calling, service: nil, bits: -0.01),
    ]
    let lines = Ledger(style: TextStyle(width: 100)).lines(flow)
    #expect(lines.contains { $0.contains("tcp/1") })
    #expect(!lines.contains { $0.contains("tcp/2") || $0.contains("tcp/3") })
    #expect(lines.contains("  2 port rows below 0.05 bits are left out."))
  }

  @Test(arguments: [
    ("plain", "plain"), ("\u{1b}[31m", "\\x1b[31m"), ("a\u{202e}b", "a\\u{202e}b"), ("Zürich", "Zürich"), ("漢字", "漢字"),
    ("e\u{301}", "e\\u{301}"), ("\u{9b}", "\\x9b"), ("a\nb", "a\\x0ab"),
  ])
  func printableText(_ text: String, _ expected: String) { #expect(printable(text) == expected) }

  @Test(arguments: [("ascii", 5), ("Zürich", 6), ("漢字", 4), ("한글", 4), ("ｗｉｄｅ", 8), ("→⇄█", 3), ("👍", 2)])
  func widths(_ text: String, _ width: Int) { #expect(columns(of: text) == width) }

  @Test func cutsKeepWhatMatters() {
    #expect(fitted("courier.push.apple.com", to: 12, cut: .start) == "…h.apple.com")
    #expect(fitted("192.0.2.129", to: 7, cut: .middle) == "192…129")
    #expect(fitted("漢字漢字", to: 6, cut: .end) == "漢字…")
    #expect(fitted("ab", to: 0, cut: .end) == "")
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1_000, "1.00 kB"), (9_994, "9.99 kB"), (9_996, "10.0 kB"), (999_499, "999 kB"),
    (999_600, "1.00 MB"), (14_842, "14.8 kB"), (UInt64.max, "18.4 EB"),
  ])
  func sizes(_ bytes: UInt64, _ text: String) { #expect(size(bytes) == text) }

  @Test(arguments: [
    (0, "0 s"), (900, "<1 ms"), (850_000_000, "850 ms"), (54_200_000_000, "54.2 s"), (192_000_000_000, "3:12"),
    (7_392_000_000_000, "2:03:12"), (273_600_000_000_000, "3 d 4 h"),
  ])
  func durations(_ nanoseconds: UInt64, _ text: String) { #expect(duration(nanoseconds) == text) }

  @Test(arguments: [(0.999, ">99 %"), (1.0, "100 %"), (0.97, "97 %"), (0.0, "0 %"), (-1, "0 %"), (.nan, "?")])
  func certaintyIsNotRoundedUp(_ share: Double, _ text: String) { #expect(percent(share) == text) }
}

@Suite("Summary of a run")
struct RunSummaryTests {
  @Test func memoryStaysWhileTotalsGrow() {
    var summary = RunSummary(flowsPerTag: 5)
    for id in 1...1_000 {
      var flow = plainFlow(UInt64(id))
      flow.bytesToServer = UInt64(id * 37 % 1_009)
      summary.add(flow)
    }
    #expect(summary.total.flows == 1_000)
    let kept = summary.largest(of: .other).flows.map(\.bytes)
    // The five largest values that id * 37 mod 1009 takes for 1 to 1000.
    let expected = (1...1_000).map { UInt64($0 * 37 % 1_009) }.sorted(by: >).prefix(5)
    #expect(kept == Array(expected))
  }

  @Test func servicesAndCarriersAreCapped() {
    var summary = RunSummary()
    for id in 0..<(RunSummary.maximumServices + 100) {
      var flow = plainFlow(UInt64(id))
      flow.verdict.service = "service \(id)"
      flow.verdict.carries = [Carried(tag: .push, service: "rider \(id)")]
      summary.add(flow)
    }
    #expect(summary.services.count == RunSummary.maximumServices)
    #expect(summary.unlistedServices.flows == 100)
    #expect(summary.carriers.count == RunSummary.maximumCarriers)
  }

  @Test func aTableSaysWhatItHides() {
    let lines = FlowOverview(title: "x", style: TextStyle(width: 120)).lines(
      {
        var summary = RunSummary(flowsPerTag: 2)
        for id in 1...7 {
          var flow = pushFlow()
          flow.id = UInt64(id)
          summary.add(flow)
        }
        return summary
      }(), StatsEvent())
    #expect(lines.contains { $0.contains("5 smaller push flows not shown") })
  }
}
