import Classify
import Foundation
import Testing

@testable import Report

@Suite("Packets that wait for their tag")
struct SpoolTests {
  @Test func everyPacketComesBackInOrderWithItsTag() throws {
    var spool = try PacketSpool(folder: FileManager.default.temporaryDirectory.path)
    var generator = SystemRandomNumberGenerator()
    var packets: [PacketEvent] = []
    var number: UInt64 = 0
    for index in 0..<30_000 {
      var packet = PacketEvent()
      number += UInt64.random(in: 1...300, using: &generator)
      packet.number = number
      packet.timestamp = index == 5 ? .max : index == 6 ? .min : Int64.random(in: 0...2_000_000_000, using: &generator)
      packet.flowID = UInt64.random(in: 1...500, using: &generator)
      packet.isToServer = Bool.random(using: &generator)
      packet.wireLength = index == 9 ? .max : UInt32.random(in: 40...9_000, using: &generator)
      packet.payloadLength = UInt32.random(in: 0...9_000, using: &generator)
      packet.capture = index < 10_000 ? nil : index < 20_000 ? "a.pcap" : "b.pcap"
      packets.append(packet)
      spool.add(packet)
    }
    // Flows end in another order than they began; the last ones never do.
    for flow in (1...400).reversed() {
      spool.flowEnded(UInt64(flow), tag: Tag.allCases[flow % 4], service: flow % 3 == 0 ? nil : "service \(flow % 7)")
    }
    var back: [PacketEvent] = []
    spool.replay {
      back.append($0)
      return true
    }
    #expect(spool.failure == nil)
    #expect(back.count == packets.count)
    for (packet, original) in zip(back, packets) {
      let flow = Int(original.flowID)
      let isKnown = flow <= 400
      #expect(packet.number == original.number)
      #expect(packet.timestamp == original.timestamp)
      #expect(packet.flowID == original.flowID)
      #expect(packet.isToServer == original.isToServer)
      #expect(packet.wireLength == original.wireLength)
      #expect(packet.payloadLength == original.payloadLength)
      #expect(packet.capture == original.capture)
      #expect(packet.tag == (isKnown ? Tag.allCases[flow % 4] : .other))
      #expect(packet.service == (isKnown && flow % 3 != 0 ? "service \(flow % 7)" : nil))
    }
  }

  @Test func replayEndsWhenTold() throws {
    var spool = try PacketSpool(folder: FileManager.default.temporaryDirectory.path)
    for number in 1...10 {
      var packet = PacketEvent()
      packet.number = UInt64(number)
      spool.add(packet)
    }
    var seen = 0
    spool.replay { _ in
      seen += 1
      return seen < 3
    }
    #expect(seen == 3)
  }

  @Test func aFolderThatIsNotThereIsOneLine() {
    #expect(throws: OutputFailure.self) { _ = try PacketSpool(folder: "/nonexistent/\u{1b}[2J") }
    do {
      _ = try PacketSpool(folder: "/nonexistent/\u{1b}[2J")
    } catch {
      guard case .failed(let text) = error else { return }
      #expect(
        text == "cannot keep packets in /nonexistent/\\x1b[2J: No such file or directory; set TMPDIR to another folder")
    }
  }

  @Test func nothingIsLeftInTheFolder() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "wiretag-spool-\(UInt32.random(in: 0...UInt32.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var spool = try PacketSpool(folder: folder.path)
    spool.add(PacketEvent())
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }
}

@Suite("Output files")
struct OutputFileTests {
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDiskIsOneLine() throws {
    let output = try OutputFile.create("/dev/full")
    output.write(line: "x")
    output.finish()
    #expect(output.failure == .failed("cannot write /dev/full: No space left on device"))
  }

  @Test func aFolderIsNoFile() {
    #expect(throws: OutputFailure.failed("cannot write /: Is a directory")) { _ = try OutputFile.create("/") }
  }

  @Test func whatIsWrittenArrives() throws {
    let file = FileManager.default.temporaryDirectory.appending(
      path: "wiretag-output-\(UInt32.random(in: 0...UInt32.max))")
    defer { try? FileManager.default.removeItem(at: file) }
    let output = try OutputFile.create(file.path)
    let line = String(repeating: "x", count: 999)
    for _ in 0..<1_000 { output.write(line: line) }
    output.finish()
    #expect(output.failure == nil)
    #expect(try Data(contentsOf: file).count == 1_000_000)
  }
}
