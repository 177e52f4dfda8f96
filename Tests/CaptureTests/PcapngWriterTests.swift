import Foundation
import Testing

@testable import Capture

#if canImport(Glibc)
  import Glibc
#endif

private func writeAll(_ bytes: [UInt8], to path: String) throws {
  var source = try CaptureFile.open(bytes: bytes)
  var writer = try PcapngWriter(path: path, application: "capture tests", comment: "synthetic")
  writer.describe(interface: 0, name: "en0", description: "the first")
  try writer.writeSecrets(DecryptionSecrets(type: DecryptionSecrets.tlsKeyLog, data: Array("CLIENT_RANDOM a b\n".utf8)))
  var batch = PacketBatch()
  while try source.next(&batch) == .packets {
    for index in 0..<batch.count {
      try writer.write(batch.items[index], in: source.bytes, comment: index == 0 ? "first of a batch" : nil)
    }
  }
  try writer.close()
}

private func mixedCapture() -> [UInt8] {
  var file = Pcapng()
  file.section(bigEndian: true)
  file.interface(1, resolution: 9)
  file.interface(101, resolution: 9)
  for index in 0..<50 {
    file.packet(
      1_700_000_000_000_000_000 + UInt64(index), udpFrame(port: 53, payload: index), interface: 0, wire: 2_000)
    file.packet(1_700_000_000_000_000_000 + UInt64(index), udpPacket(port: 53, payload: index), interface: 1)
  }
  return file.content
}

@Suite struct PcapngWriterTests {
  @Test func roundTrip() throws {
    try withFolder { folder in
      let path = folder.appending(path: "out.pcapng").path
      try writeAll(mixedCapture(), to: path)
      let back = read(path: path)
      #expect(back.error == nil)
      #expect(back.packets == read(mixedCapture()).packets)
      #expect(back.interfaces.map(\.name) == ["en0", nil])
      #expect(back.interfaces.first?.description == "the first")
      #expect(back.secrets.map(\.data) == [Array("CLIENT_RANDOM a b\n".utf8)])
    }
  }

  /// tshark reads what was written, comments and interface names too.
  @Test func tsharkReadsIt() throws {
    try withFolder { folder in
      let path = folder.appending(path: "out.pcapng").path
      try writeAll(mixedCapture(), to: path)
      let fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "frame.interface_name", "frame.comment"]
      guard
        let shown = try run(
          "tshark", ["-r", path, "-c", "2", "-T", "fields"] + fields.flatMap { ["-e", $0] })
      else {
        skipped("no tshark here")
        return
      }
      #expect(shown.status == 0)
      let lines = String(decoding: shown.output, as: UTF8.self).split(separator: "\n")
        .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
      #expect(lines.count == 2)
      #expect(lines.first == ["1700000000.000000000", "2000", "42", "en0", "first of a batch"])
      #expect(lines.last.map { Array($0.prefix(3)) } == ["1700000000.000000000", "28", "28"])
    }
  }

  @Test func tcpdumpReadsIt() throws {
    try withFolder { folder in
      var file = Pcap()
      for index in 0..<1_000 { file.packet(UInt32(index), 5, udpFrame(port: 5_353, payload: index % 1_000)) }
      let path = folder.appending(path: "out.pcapng").path
      try writeAll(file.bytes, to: path)
      guard let shown = try run("tcpdump", ["-nn", "-tt", "-r", path]) else {
        skipped("no tcpdump here")
        return
      }
      #expect(shown.status == 0)
      let lines = String(decoding: shown.output, as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 1_000)
      #expect(lines.last?.hasPrefix("999.000005") == true)
      #expect(lines.last?.contains("192.0.2.1.40000 > 198.51.100.2.5353") == true)
    }
  }

  @Test func fullDiskAndBadPlacesAreNamed() throws {
    func error(_ path: String) -> CaptureError? {
      do throws(CaptureError) {
        var writer = try PcapngWriter(path: path, application: "capture tests")
        let packet = PacketRef(captured: 4, wire: 4, linkType: 1)
        let bytes: [UInt8] = [1, 2, 3, 4]
        try unsafe writer.write(packet, in: bytes.span.bytes)
        try writer.close()
        return nil
      } catch {
        return error
      }
    }
    #expect(error("/nowhere/at/all.pcapng")?.kind == .notFound)
    #expect(error(FileManager.default.temporaryDirectory.path)?.description.contains("is a directory") == true)
    if FileManager.default.fileExists(atPath: "/dev/full") {
      #expect(error("/dev/full")?.description == "/dev/full: the disk is full; free some space or write elsewhere")
    }
  }

  @Test func referenceOutsideTheBytesIsCut() throws {
    try withFolder { folder in
      let path = folder.appending(path: "out.pcapng").path
      var writer = try PcapngWriter(path: path, application: "capture tests")
      let bytes: [UInt8] = [1, 2, 3, 4]
      for (offset, captured) in [(2, 9), (9, 9), (-1, 3), (0, -4)] as [(Int32, Int32)] {
        try unsafe writer.write(
          PacketRef(timestamp: -1, offset: offset, captured: captured, wire: -5, linkType: 1), in: bytes.span.bytes)
      }
      try writer.close()
      #expect(read(path: path).packets.map(\.bytes) == [[3, 4], [], [1, 2, 3], []])
    }
  }
}
