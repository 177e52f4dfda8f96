import CPcap
import Foundation
import TestSupport
import Testing

@testable import Capture

/// libpcap's own reading of a file, packet by packet.
@safe private final class Reference {
  struct Packet {
    var timestamp: Int64
    var captured: Int
    var wire: UInt32
  }

  let handle: OpaquePointer
  private(set) var message: String?
  private(set) var bytes: UnsafePointer<UInt8>?

  var linkType: UInt16 { unsafe Capture.linkType(dlt: pcap_datalink(handle)) }
  var snapshotLength: Int { unsafe Int(pcap_snapshot(handle)) }

  init?(_ path: String, message: inout String) {
    var text = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard
      let opened = unsafe pcap_open_offline_with_tstamp_precision(
        path, UInt32(PCAP_TSTAMP_PRECISION_NANO), &text)
    else {
      message = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return nil
    }
    unsafe handle = opened
  }

  deinit { unsafe pcap_close(handle) }

  func next() -> Packet? {
    var header: UnsafeMutablePointer<pcap_pkthdr>?
    let status = unsafe pcap_next_ex(handle, &header, &bytes)
    guard status == 1, let header = unsafe header?.pointee else {
      if status != PCAP_ERROR_BREAK { message = unsafe String(cString: pcap_geterr(handle)) }
      return nil
    }
    return Packet(
      timestamp: Int64(header.ts.tv_sec) * 1_000_000_000 + Int64(header.ts.tv_usec), captured: Int(header.caplen),
      wire: header.len)
  }

  /// The current packet's bytes.
  func copy(_ count: Int) -> [UInt8] { unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count)) }
}

/// How far a time stamp moves, in nanoseconds, where its seconds, its fraction or both count as signed.
private let signedReadings: Set<Int64> = {
  let wrap = Int64(1) << 32
  let seconds = wrap * 1_000_000_000
  return [seconds, wrap, wrap * 1_000, seconds + wrap, seconds + wrap * 1_000]
}()

/// What both readers made of a file.
private struct Comparison {
  var packets = 0
  var differences: [String] = []
  /// Known ways in which libpcap reads otherwise, each named.
  var named: [String] = []
}

private func compare(_ path: String) -> Comparison {
  var result = Comparison()
  var refusal = ""
  guard let reference = Reference(path, message: &refusal) else {
    result.named.append("libpcap does not open it: \(refusal)")
    return result
  }
  do throws(CaptureError) {
    var file = try CaptureFile.open(path: path)
    var index = 0
    var hasReferenceEnded = false
    let end = drain(&file) { ours, bytes in
      index += 1
      guard !hasReferenceEnded else { return }
      guard let theirs = reference.next() else {
        hasReferenceEnded = true
        if let message = reference.message {
          let kind = message.contains("different from") ? "where interfaces differ" : "at \(message)"
          result.named.append("libpcap stops \(kind)")
        } else {
          result.differences.append("libpcap ends after \(index - 1) packets")
        }
        return
      }
      result.packets += 1
      var captured = Int(ours.captured)
      // libpcap cuts packets that are longer than the file's snapshot length says; here they stay whole.
      if captured != theirs.captured, theirs.captured == reference.snapshotLength, captured > theirs.captured {
        captured = theirs.captured
        result.named.append("libpcap cuts packets at the snapshot length")
      }
      // libpcap reads seconds and their fraction as signed numbers; the format has them unsigned.
      var time = ours.timestamp
      if signedReadings.contains(time &- theirs.timestamp) {
        time = theirs.timestamp
        result.named.append("libpcap reads the parts of a time stamp as signed")
      }
      if time != theirs.timestamp || captured != theirs.captured || ours.wire != Int32(clamping: theirs.wire)
        || ours.linkType != reference.linkType
      {
        result.differences.append(
          "packet \(index): \(ours) against \(theirs), link type \(reference.linkType)")
      } else if copy(bytes.extracting(0..<captured)) != reference.copy(captured) {
        result.differences.append("packet \(index): other bytes")
      }
    }
    if !hasReferenceEnded, reference.next() != nil {
      result.differences.append("ours ends after \(index) packets: \(end.error?.description ?? "no error")")
    } else if end.error == nil, let message = reference.message, message.contains("different from") {
      result.named.append("libpcap stops where interfaces differ")
    } else if !hasReferenceEnded, (reference.message == nil) != (end.error == nil) {
      result.differences.append(
        "ends: ours \(end.error?.description ?? "whole"), libpcap \(reference.message ?? "whole")")
    }
  } catch {
    result.differences.append("libpcap opens it, we do not: \(error)")
  }
  return result
}

@Suite struct LibpcapAgreementTests {
  /// Each plain capture of the corpus through both readers. Compressed ones are unpacked for libpcap, which cannot.
  @Test func samePacketsOnEveryCapture() throws {
    let captures = Corpus.captures()
    guard !captures.isEmpty else { return }
    var packets = 0
    var files = 0
    var named: [String: Int] = [:]
    try withFolder { folder in
      for capture in captures {
        var path = capture.path
        if capture.pathExtension == "gz" {
          guard let unpacked = try run("gzip", ["-dc", path]) else { continue }
          path = folder.appending(path: "unpacked").path
          try unpacked.output.write(to: URL(filePath: path))
          #expect(read(path: capture.path).packets == read(path: path).packets, "\(capture.path)")
        }
        let result = compare(path)
        packets += result.packets
        files += 1
        for name in Set(result.named) { named[name, default: 0] += 1 }
        #expect(result.differences.isEmpty, "\(capture.lastPathComponent): \(result.differences.prefix(3))")
      }
    }
    print("\(files) captures, \(packets) packets compared; named differences: \(named)")
    #expect(packets > 100_000)
  }

  /// libpcap writes the file header; its link type must be what our table says, for every DLT_ value that it knows.
  @Test func linkTypesAreThoseThatLibpcapWrites() throws {
    var known = 0
    try withFolder { folder in
      let path = folder.appending(path: "empty.pcap").path
      for value in Int32(0)..<400 where unsafe pcap_datalink_val_to_name(value) != nil {
        guard let handle = unsafe pcap_open_dead(value, 65_535) else { continue }
        defer { unsafe pcap_close(handle) }
        guard let dumper = unsafe pcap_dump_open(handle, path) else { continue }
        unsafe pcap_dump_close(dumper)
        let header = try [UInt8](Data(contentsOf: URL(filePath: path)))
        let written = UInt16(header[20]) | UInt16(header[21]) << 8
        #expect(linkType(dlt: value) == written, "DLT_ \(value)")
        #expect(dlt(linkType: written) == value, "LINKTYPE_ \(written)")
        known += 1
      }
    }
    #expect(known > 100)
  }
}
