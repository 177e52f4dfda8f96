import Foundation
import Testing

@Suite("Wrong usage and help")
struct UsageTests {
  @Test(arguments: [
    [], ["frobnicate"], ["read"], ["read", "--format", "xml", "x.pcap"], ["read", "--tag", "spam", "x.pcap"],
    ["read", "--max-flows", "0", "x.pcap"], ["read", "--max-flows", "many", "x.pcap"], ["read", "--what", "x.pcap"],
    ["read", "-", "-"], ["read", ""], ["read", "--packets", "--format", "csv", "x.pcap"],
    ["read", "/nonexistent.pcap"],
    ["read", "--services", "/nonexistent.yaml", "x.pcap"], ["read", "--filter", "tcp", "x.pcap", "--", "udp"],
    ["read", "/"], ["explain"], ["explain", "x.pcap", "y.pcap"], ["explain", "--flow", "0", "x.pcap"], ["live"],
    ["live", "-i", ""], ["live", "-i", "lo", "-s", "0"], ["live", "-i", "lo", "-c", "0"],
    ["live", "-i", "lo", "--duration", "-1"], ["live", "-i", "lo", "--duration", "nan"],
    ["live", "-i", "lo", "-B", "99999"], ["live", "-i", "lo", "--user", "x", "--keep-privileges"],
    ["live", "-i", "no-such-interface"], ["live", "-i", "lo", "-w", "-"], ["services", "--format", "csv"],
    ["interfaces", "eth0"],
  ])
  func oneLineAndStatus2(_ arguments: [String]) throws {
    let outcome = try Program.run(arguments)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("wiretag: "))
  }

  @Test func argumentsAreNotEchoedRaw() throws {
    let outcome = try Program.run(["read", "/nonexistent/\u{1b}[2Jx"])
    #expect(outcome.status == 2)
    #expect(!outcome.errors.contains("\u{1b}"))
  }

  @Test(arguments: [[], ["read"], ["live"], ["explain"], ["interfaces"], ["services"]])
  func helpHasExamples(_ verb: [String]) throws {
    let outcome = try Program.run(verb + ["--help"])
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    #expect(outcome.output.contains("Examples:"))
    #expect(outcome.output.contains("wiretag \(verb.first ?? "read")"))
  }

  @Test func version() throws {
    let outcome = try Program.run(["--version"])
    #expect(outcome.status == 0)
    #expect(outcome.output.wholeMatch(of: /wiretag \d+\.\d+\.\d+\n/) != nil)
  }

  @Test func servicesByNameAndByIdentifier() throws {
    #expect(try Program.run(["services", "apns"]).output.contains("push.apple.com"))
    #expect(try Program.run(["services", "push.apple.com"]).output.contains("APNs"))
    let absent = try Program.run(["services", "no such thing"])
    #expect(absent.status == 1)
    #expect(absent.errorLines.count == 1)
    for line in try Program.run(["services", "--format", "jsonl"]).lines {
      let service = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(service["service"] is String)
      #expect(service["tag"] is String)
    }
  }
}
