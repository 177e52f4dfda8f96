import Bytes
import Decode
import Flows
import Protocols

/// Segments of one TCP flow, in the order and with the sequence numbers that the input says, through the flow table,
/// the record meter, the reassembler and the application parser.
///
/// A step is: flags (1), sequence offset (2), length (1), bytes. Bit 0 of the flags is the direction, bits 1-3 are SYN,
/// FIN and RST, bit 4 a lost tail.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStreams(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  // Safe: libFuzzer lends `size` bytes for the call.
  let bytes = unsafe UnsafeRawBufferPointer(start: data, count: size).bytes
  var reader = ByteReader(bytes)
  var table = FlowTable(maximumFlows: 64, seed: 1)
  var parser = StreamParser(clientPort: 50_000, serverPort: 443)
  var streams = [StreamReassembler(start: 0), StreamReassembler(start: nil)]
  var time: Int64 = 1
  do throws(ParseError) {
    while !reader.isAtEnd {
      let flags = try reader.u8()
      let sequence = UInt32(try reader.u16())
      let payload = try reader.take(min(Int(try reader.u8()), reader.remaining))
      time &+= 1_000_000
      let isToServer = flags & 1 == 0
      var batch = FlowBatch()
      batch.append(
        headers(isToServer, flags, sequence, payload.byteCount), timestamp: time, wire: 100, base: 0, seed: 1)
      table.makeRoom()
      _ = table.apply(&batch)
      let touch = batch.items[0]
      table.meterRecords(payload, touch)
      for ended in table.ended { table.release(ended.record) }
      table.ended.removeAll()
      read(payload, sequence, &streams[isToServer ? 0 : 1], &parser, isToServer ? .client : .server)
      _ = parser.takeAnswers()
    }
  } catch {}
  precondition(streams.allSatisfy { $0.heldBytes <= StreamReassembler.maximumHeldBytes })
  _ = table.endAll()
  return CInt(parser.facts.notes.count & 0)
}

private func headers(_ isToServer: Bool, _ flags: UInt8, _ sequence: UInt32, _ length: Int) -> Headers {
  var headers = Headers()
  headers.transport = .tcp
  headers.source = IPAddress(v4: isToServer ? 1 : 2)
  headers.destination = IPAddress(v4: isToServer ? 2 : 1)
  headers.sourcePort = isToServer ? 50_000 : 443
  headers.destinationPort = isToServer ? 443 : 50_000
  if flags & 2 != 0 { headers.tcpFlags.insert(.syn) }
  if flags & 4 != 0 { headers.tcpFlags.insert(.fin) }
  if flags & 8 != 0 { headers.tcpFlags.insert(.rst) }
  headers.tcpSequence = sequence
  headers.payloadCaptured = Int32(length)
  headers.payloadLength = Int32(length) + (flags & 16 != 0 ? 100 : 0)
  return headers
}

private func read(
  _ payload: RawSpan, _ sequence: UInt32, _ stream: inout StreamReassembler, _ parser: inout StreamParser,
  _ side: FlowSide
) {
  switch stream.admit(sequence: sequence, length: payload.byteCount) {
  case .old: return
  case .next(let offset, let count): parser.consume(payload.slice(offset, count), from: side)
  case .early:
    guard !stream.hold(sequence: sequence, payload) else { return }
    _ = stream.skipGap()
    parser.skipGap(from: side)
  }
  while let held = stream.takeHeld() {
    // Safe: every byte of an array of UInt8 is initialised.
    parser.consume(unsafe held.span.bytes, from: side)
  }
}
