// RFC 8446, section 4.1.2; RFC 9001, section 8.2; RFC 7685

extension ClientStack {
  /// A ClientHello message, from its type on, for a server name.
  func helloMessage(_ name: String, _ random: inout Random) -> [UInt8] {
    let first = random.below(16)
    let second = (first + 1 + random.below(15)) % 16
    let drawn = [first, second].map { UInt16(0x0a0a + 0x1010 * $0) }
    func list(_ values: [UInt16]) -> [UInt16] {
      values.map { $0 == grease ? drawn[0] : $0 == secondGrease ? drawn[1] : $0 }
    }

    var order = extensions
    if shuffles {
      for i in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(i, random.below(i + 1)) }
      order = [grease] + order + [secondGrease]
    }
    // Over QUIC there is no session ID for compatibility.
    let session = versions.isEmpty || extensions.contains(57) ? 0 : 32
    var hello: [UInt8] = []
    hello.reserveCapacity(2048)
    hello.put8(1)
    hello.vector(3) { hello in
      hello.put16(0x0303)
      hello.put(&random, count: 32)
      hello.put8(session)
      hello.put(&random, count: session)
      hello.vector(2) { $0.put(list(ciphers)) }
      hello.put16(0x0100)
      hello.vector(2) { hello in
        for type in order {
          hello.put16(Int(list([type])[0]))
          hello.vector(2) { body(&$0, type, name, list, &random) }
        }
      }
    }
    return hello
  }

  private func body(
    _ hello: inout [UInt8], _ type: UInt16, _ name: String, _ list: ([UInt16]) -> [UInt16], _ random: inout Random
  ) {
    switch type {
    case 0:
      hello.vector(2) {
        $0.put8(0)
        $0.vector(2) { $0.put(name) }
      }
    case 5: hello += [1, 0, 0, 0, 0]
    case 10: hello.vector(2) { $0.put(list(groups)) }
    case 11: hello += [1, 0]
    case 13: hello.vector(2) { $0.put(list(signatures)) }
    case 16: hello.vector(2) { for name in protocols { $0.vector(1) { $0.put(name) } } }
    case 21: for _ in hello.count..<max(512, hello.count) { hello.put8(0) }
    case 27: hello += [2, 0, 2]
    case 28: hello.put16(0x4001)
    case 34: hello.vector(2) { $0.put([0x0403, 0x0503, 0x0603, 0x0203]) }
    case 43: hello.vector(1) { $0.put(list(versions)) }
    case 45: hello += [1, 1]
    case 51:
      hello.vector(2) { hello in
        for group in keyShares {
          hello.put16(Int(list([group])[0]))
          let count = group == grease ? 1 : group == hybrid ? 1216 : group == 23 ? 65 : 32
          hello.vector(2) { if group == grease { $0.put8(0) } else { $0.put(&random, count: count) } }
        }
      }
    case 57:  // transport parameters: idle timeout, datagram size, windows, streams, the empty source connection ID
      hello += [
        0x01, 0x04, 0x80, 0x00, 0x75, 0x30, 0x03, 0x02, 0x45, 0xc0, 0x04, 0x04, 0x80, 0xf0, 0x00, 0x00, 0x08, 0x02,
        0x40, 0x64, 0x09, 0x02, 0x40, 0x67, 0x0f, 0x00, 0x0e, 0x01, 0x02,
      ]
    case 17613: hello.vector(2) { $0.vector(1) { $0.put(protocols[0]) } }
    case 65037:  // an outer ECH as GREASE sends it
      hello += [0, 0, 1, 0, 1]
      hello.put8(random.below(256))
      hello.vector(2) { $0.put(&random, count: 32) }
      let count = 144 + 32 * random.below(4)
      hello.vector(2) { $0.put(&random, count: count) }
    case 65281, secondGrease: hello.put8(0)
    default: break
    }
  }

  /// One TLS record with a ClientHello.
  func helloRecord(_ name: String, _ random: inout Random) -> [UInt8] {
    var record: [UInt8] = [22, 3, 1]
    record.vector(2) { $0 += helloMessage(name, &random) }
    return record
  }
}
