import Bytes
import Decode

// Input: link type (index into `links`), caps (odd: small ones), then packets: length (2), control (1), bytes. The high
// half of control is seconds times 5 since the packet before, the low half bytes times 16 that the snapshot cut off.

private let links: [UInt16] = [
  1, 113, 276, 0, 108, 101, 12, 14, 228, 229, 9, 50, 51, 104, 239, 117, 10, 274, 147, 6, 8, 100, 105, 107, 109, 119,
  123, 127,
  149, 163, 166, 192, 204, 205, 206, 226, 242, 258, 281, 282, 284, 285,
]

/// Stops the fuzzer where an answer breaks a promise of `Headers`.
private func check(_ outcome: DecodeOutcome, _ h: Headers, source: Int) {
  precondition(h.payloadOffset >= 0 && h.payloadCaptured >= 0 && h.payloadCaptured <= h.payloadLength)
  precondition(Int(h.payloadOffset) + Int(h.payloadCaptured) <= source)
  switch outcome {
  case .flow:
    precondition(h.transport == .tcp || h.transport == .udp)
    precondition(h.ipVersion == 4 || h.ipVersion == 6)
  case .damaged: precondition(h.damage != nil)
  case .fragment: precondition(h.ipVersion != 0)
  case .counted, .unknown: precondition(h.payloadLength == 0)
  }
}

/// Decodes the packets of one input; stops the process where an answer breaks a promise.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDecode(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  // Safe: libFuzzer lends `size` bytes for the time of the call.
  let input = unsafe UnsafeRawBufferPointer(start: data, count: size).bytes
  guard input.byteCount >= 2 else { return 0 }
  let link = LinkType(rawValue: links[Int(input.u8(0)) % links.count])
  var limits = FragmentLimits()
  if input.u8(1) & 1 != 0 {
    limits.bytes = 2048
    limits.datagrams = 3
    limits.fragmentsPerDatagram = 5
  }
  var decoder = Decoder(fragmentLimits: limits)
  var headers = Headers()
  var time: Int64 = 0
  var at = 2
  while input.holds(3, at: at) {
    let length = min(Int(input.u16(at)), input.byteCount - at - 3)
    let control = input.u8(at + 2)
    time += Int64(control >> 4) * 5_000_000_000
    let packet = input.slice(at + 3, length)
    let outcome = decoder.decode(
      packet, linkType: link, wireLength: length + Int(control & 15) * 16, timestamp: time, into: &headers)
    check(outcome, headers, source: headers.isReassembled ? decoder.reassembled.byteCount : length)
    precondition(decoder.datagramsWaiting <= limits.datagrams)
    precondition(headers.process == 0 || decoder.processName(headers.process)?.isEmpty == false)
    at += 3 + length
  }
  return 0
}
