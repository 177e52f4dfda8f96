import Foundation
import Testing

@testable import Regress

@Suite("Folders of captures")
struct FolderTests {
  private func made() throws -> Scratch {
    let scratch = try Scratch()
    for name in [
      "b.pcapng", "a.PCAP", "c.cap.zst", "calls/d.pcap.gz", "calls/deep/e.pcapng.zst", ".hidden.pcap", ".git/f.pcap",
      "expected/g.pcap", "calls/expected/h.pcap", "notes.txt", "b.truth.jsonl", "b.truth.tsv", "expected/b.pcapng.yaml",
      "expected/calls/gone.pcap.yaml", "expected/README.md",
    ] {
      try scratch.write(name)
    }
    return scratch
  }

  @Test func capturesAndWhatIsExpectedOfThem() throws {
    let scratch = try made()
    // A loop that nobody must walk.
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path + "/calls/up", withDestinationPath: scratch.path)
    for path in [scratch.path, scratch.path + "/"] {
      let folder = try CaptureFolder(path)
      #expect(folder.captures == ["a.PCAP", "b.pcapng", "c.cap.zst", "calls/d.pcap.gz", "calls/deep/e.pcapng.zst"])
      #expect(folder.orphans == ["calls/gone.pcap"])
      #expect(folder.expectation(of: "calls/d.pcap.gz") == scratch.path + "/expected/calls/d.pcap.gz.yaml")
      #expect(folder.name == URL(filePath: scratch.path).lastPathComponent)
    }
  }

  @Test func onlySome() throws {
    let scratch = try made()
    var folder = try CaptureFolder(scratch.path)
    try folder.keep(only: ["e", "b.pcapng", "calls/gone.pcap"])
    #expect(folder.captures == ["b.pcapng", "calls/deep/e.pcapng.zst"])
    #expect(folder.orphans == ["calls/gone.pcap"])
    #expect(throws: RegressError("--only nothing: \(scratch.path) has no such capture")) {
      var folder = try CaptureFolder(scratch.path)
      try folder.keep(only: ["b", "nothing"])
    }
  }

  @Test func nothingToDo() throws {
    let scratch = try Scratch()
    try scratch.write("a.txt")
    for path in ["", "/a.txt", "/none"] {
      #expect(throws: RegressError.self) { try CaptureFolder(scratch.path + path) }
    }
  }

  @Test func aFileIsReplacedWholeOrNotAtAll() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/deep/er/a.yaml"
    try ReplacedFile(path, makesFolders: true).replace(with: "one\n")
    _ = try ReplacedFile(path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "one\n")
    try ReplacedFile(path).replace(with: "two\n")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "two\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/deep/er") == ["a.yaml"])
    #expect(throws: RegressError.self) { try ReplacedFile(scratch.path + "/none/a.yaml") }
    #expect(throws: RegressError.self) { try ReplacedFile(scratch.path + "/deep").replace(with: "x") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["deep"])
  }
}
