import Foundation
import Testing

/// `wiretag train` on captures of one flow each; synthetic.
@Suite("train") struct TrainTests {
  static let head = "file\tproto\tip_a\tport_a\tip_b\tport_b\ttag\tservice\tbasis\n"

  /// A folder with captures in which the courier's flow is push and the question other.
  private func corpus(_ captures: Int, tag: String = "push") throws -> Scratch {
    let scratch = try Scratch()
    var labels = Self.head
    for number in 0..<captures {
      _ = try scratch.write("\(number).pcap", Sample.capture(number % 2 == 0 ? 0..<1 : 1..<5))
      labels +=
        number % 2 == 0
        ? "\(number).pcap\tUDP\t192.0.2.9\t50000\t192.0.2.53\t53\tother\tdns\tmade\n"
        : "\(number).pcap\tTCP\t17.57.144.120\t5223\t192.0.2.9\t49822\t\(tag)\tapns\tmade\n"
    }
    _ = try scratch.write("labels.tsv", Array(labels.utf8))
    return scratch
  }

  @Test func oneLineSaysWhatIsWrong() throws {
    func error(_ arguments: [String]) throws -> String {
      let outcome = try Program.run(["train"] + arguments)
      #expect(outcome.status == 2 && outcome.output.isEmpty && outcome.errorLines.count == 1, "\(outcome.errors)")
      return outcome.errors
    }
    let wrong = try corpus(2, tag: "spam")
    #expect(
      try error(["--labels", wrong.file("labels.tsv").path, wrong.folder.path])
        .hasSuffix("line 3 has the tag 'spam'; use push, messaging, calling, other or ?\n"))
    #expect(
      try error(["--labels", "/nonexistent.tsv", wrong.folder.path]) == "wiretag: /nonexistent.tsv: no such file\n")
    let unnamed = try corpus(2, tag: "?")
    #expect(
      try error(["--labels", unnamed.file("labels.tsv").path, unnamed.file("1.pcap").path])
        .contains("none of these captures has a label"))
    #expect(
      try error(["--labels", unnamed.file("labels.tsv").path, unnamed.file("no.pcap").path])
        .hasSuffix("no such file or folder\n"))
    // All captures hold the same flow at the same time: nothing can be held out.
    #expect(
      try error(["--labels", unnamed.file("labels.tsv").path, unnamed.folder.path]).contains(
        "all labelled flows belong"))
  }

  @Test func sameInputSameModel() throws {
    let scratch = try corpus(4)
    func model(_ name: String) throws -> String {
      let path = scratch.file(name).path
      let outcome = try Program.run([
        "train", "--labels", scratch.file("labels.tsv").path, "--date", "2026-01-02", "--output", path,
        scratch.folder.path,
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("4 labelled flows of 4 captures in 2 groups that share no flow"))
      return try String(contentsOfFile: path, encoding: .utf8)
    }
    let first = try model("a.yaml")
    #expect(first.contains("wiretag train, 2026-01-02: 4 labelled flows of 4 captures, 2 groups, 2 folds"))
    #expect(try model("b.yaml") == first)
  }
}
