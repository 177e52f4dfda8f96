import Capture

/// Reads an input as a capture file twice: whole, and through a tiny buffer in short reads.
///
/// The first byte says how short the reads are; the rest is the file. Both readings must lend the same packets, inside
/// the bytes that are lent, and end alike.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCaptureFile(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  // Safe: libFuzzer gives `size` bytes at `data`.
  let input = unsafe [UInt8](UnsafeBufferPointer(start: data, count: size))
  guard let first = input.first else { return 0 }
  let file = Array(input.dropFirst())
  let filter = first & 0x80 == 0 ? nil : "udp port 53 or tcp[13] & 2 != 0"
  let whole = outcome { () throws(CaptureError) in try CaptureFile.open(bytes: file, filter: filter) }
  let pieces = outcome { () throws(CaptureError) in
    try CaptureFile.open(bytes: file, piece: Int(first & 0x7F), bufferSize: 64, filter: filter)
  }
  // How much of a damaged block zstd gives away depends on how it is fed; damage stays damage.
  if file.starts(with: [0x28, 0xB5, 0x2F, 0xFD]), whole.kind != nil, pieces.kind != nil { return 0 }
  precondition(whole == pieces, "the buffer's size must not change what is read")
  return 0
}

private struct Outcome: Equatable {
  var packets = 0
  var digest: UInt64 = 0
  var kind: CaptureError.Kind?
}

private func outcome(_ open: () throws(CaptureError) -> CaptureFile) -> Outcome {
  var outcome = Outcome()
  do throws(CaptureError) {
    var file = try open()
    var batch = PacketBatch()
    do throws(CaptureError) {
      while try file.next(&batch) != .end {
        for index in 0..<batch.count {
          let packet = batch.items[index]
          let start = Int(packet.offset)
          let bytes = file.bytes.extracting(start..<start + Int(packet.captured))
          outcome.packets += 1
          for part in [
            UInt64(bitPattern: packet.timestamp), UInt64(bytes.byteCount), UInt64(packet.linkType),
            UInt64(packet.interface), UInt64(UInt32(bitPattern: packet.wire)), sum(bytes),
          ] {
            outcome.digest = (outcome.digest ^ part) &* 0x9E37_79B9_7F4A_7C15
          }
        }
      }
    } catch {
      outcome.kind = error.kind
      precondition(!error.description.contains("\n"), "an error is one line")
      guard (try? file.next(&batch)) == .end else { preconditionFailure("an error is told once") }
    }
    precondition(file.interfaces.count <= CaptureFile.maximumInterfaces)
  } catch {
    outcome.kind = error.kind
  }
  return outcome
}

private func sum(_ bytes: RawSpan) -> UInt64 {
  var sum: UInt64 = 0
  for index in bytes.byteOffsets {
    // Safe: the index is one of the span's.
    sum = sum &* 31 &+ UInt64(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
  }
  return sum
}
