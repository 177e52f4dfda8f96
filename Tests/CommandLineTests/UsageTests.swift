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
    ["interfaces", "eth0"], ["train"], ["train", "x.pcap"], ["train", "--labels", "/nonexistent.tsv", "x.pcap"],
    ["train", "--labels", "x.tsv", "-"], ["train", "--labels", "x.tsv", "--folds", "1", "x.pcap"],
  ])
  func oneLineAndStatus2(_ arguments: [String]) throws {
    let outcome = try Program.run(arguments)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("wiretag: "))
  }

  @Test func messagesSayWhatToDo() throws {
    func error(_ arguments: [String]) throws -> String { try Program.run(arguments).errors }
    #expect(
      try error(["raed", "x"])
        == "wiretag: unknown command 'raed': the commands are read, live, explain, separability, censor, courier, "
        + "interfaces, services, regress, train; did you mean read? (see wiretag --help)\n")
    #expect(!(try error(["frobnicate"]).contains("did you mean")))
    #expect(try error(["services", "--services", "/nonexistent.yaml"]) == "wiretag: /nonexistent.yaml: no such file\n")
    let scratch = try Scratch()
    let one = try scratch.write("one", [0])
    #expect(try error(["read", one]).hasSuffix("it has only 1 byte\n"))
    let empty = try scratch.write("empty.pcap", Sample.capture(0..<0))
    #expect(try error(["read", empty, "--filter", "hots 1"]).contains("man pcap-filter"))
    #expect(
      try error(["read", empty, "-o", "/nonexistent/x"]) == "wiretag: cannot write /nonexistent/x: no such folder\n")
  }

  @Test func aRunWithoutPacketsHasNoTimes() throws {
    let scratch = try Scratch()
    let outcome = try Program.run(["read", "--format", "jsonl", scratch.write("empty.pcap", Sample.capture(0..<0))])
    #expect(outcome.status == 0)
    let line = try #require(outcome.lines.last)
    let stats = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(stats["packets"] as? Int == 0)
    for name in ["timestamp", "start", "end"] { #expect(stats[name] == nil) }
  }

  @Test func helpOfAVerbByWord() throws {
    #expect(try Program.run(["help", "read"]).status == 0)
  }

  @Test func argumentsAreNotEchoedRaw() throws {
    let outcome = try Program.run(["read", "/nonexistent/\u{1b}[2Jx"])
    #expect(outcome.status == 2)
    #expect(!outcome.errors.contains("\u{1b}"))
  }

  @Test(arguments: [
    [], ["read"], ["live"], ["explain"], ["interfaces"], ["services"], ["regress"], ["separability"], ["courier"],
    ["censor"],
  ])
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
