// What a server answers a ClientHello with: RFC 8446, section 4.1.3; RFC 5246, section 7.4; RFC 5280, section 4.1

enum ServerFlight {
  /// A ServerHello message, from its type on.
  static func hello(_ random: inout Random, isTLS13: Bool, hasSession: Bool = true) -> [UInt8] {
    var hello: [UInt8] = [2]
    hello.vector(3) { hello in
      hello.put16(0x0303)
      hello.put(&random, count: 32)
      hello.vector(1) { if hasSession { $0.put(&random, count: 32) } }
      hello.put16(isTLS13 ? 0x1301 : 0xc02b)
      hello.put8(0)
      hello.vector(2) { extensions in
        if isTLS13 {
          extensions += [0, 0x33, 0, 0x24, 0, 0x1d, 0, 0x20]
          extensions.put(&random, count: 32)
          extensions += [0, 0x2b, 0, 2, 3, 4]
        } else {
          extensions += [0xff, 1, 0, 1, 0, 0, 0x0b, 0, 2, 1, 0, 0, 0x17, 0, 0]
        }
      }
    }
    return hello
  }

  /// ServerHello, ChangeCipherSpec, and the encrypted rest: of TLS 1.3, or of a TLS 1.2 session that is resumed.
  static func short(_ random: inout Random, isTLS13: Bool, encrypted: ArraySlice<UInt8>) -> [UInt8] {
    var flight: [UInt8] = [22, 3, 3]
    flight.vector(2) { $0 += hello(&random, isTLS13: isTLS13) }
    flight += [0x14, 3, 3, 0, 1, 1, isTLS13 ? 0x17 : 0x16, 3, 3]
    flight.vector(2) { $0 += encrypted }
    return flight
  }

  /// ServerHello, Certificate with its names in clear, ServerKeyExchange, ServerHelloDone of TLS 1.2.
  static func full(_ random: inout Random, _ name: String, noise: ArraySlice<UInt8>) -> [UInt8] {
    var flight: [UInt8] = [22, 3, 3]
    flight.vector(2) { $0 += hello(&random, isTLS13: false) }
    flight += [22, 3, 3]
    flight.vector(2) {
      $0.put8(11)
      $0.vector(3) {
        $0 += chain(
          &random, [("Benchmark Issuing CA", name, 64), ("Benchmark Root CA", "Benchmark Issuing CA", 900)], noise)
      }
    }
    flight += [22, 3, 3]
    flight.vector(2) {
      $0.put8(12)
      $0.vector(3) { $0 += keyExchange(&random) }
      $0 += [14, 0, 0, 0]
    }
    return flight
  }

  /// The body of a ServerKeyExchange.
  static func keyExchange(_ random: inout Random) -> [UInt8] {
    var body: [UInt8] = [3, 0, 0x1d, 0x20]
    body.put(&random, count: 32)
    body += [4, 3, 0, 0x47]
    body.put(&random, count: 71)
    return body
  }

  /// The body of a Certificate message: issuer, subject and bytes of key of each.
  static func chain(
    _ random: inout Random, _ certificates: [(issuer: String, subject: String, key: Int)], _ noise: ArraySlice<UInt8>
  ) -> [UInt8] {
    var body: [UInt8] = []
    body.vector(3) { body in
      for certificate in certificates {
        body.vector(3) {
          $0 += self.certificate(&random, certificate.issuer, certificate.subject, noise.prefix(certificate.key))
        }
      }
    }
    return body
  }

  private static let ecdsaWithSHA256: [UInt8] = [
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
  ]

  /// An X.509 certificate with a subject alternative name; key and signature are random bytes.
  private static func certificate(
    _ random: inout Random, _ issuer: String, _ subject: String, _ key: ArraySlice<UInt8>
  ) -> [UInt8] {
    var certificate: [UInt8] = []
    certificate.der(0x30) { certificate in
      certificate.der(0x30) { body in
        body += [0xa0, 3, 2, 1, 2, 2, 8, 1]
        body.put(&random, count: 7)
        body += ecdsaWithSHA256
        body.distinguishedName(issuer)
        body += [0x30, 0x1e, 0x17, 0x0d]
        body.put("250101000000Z")
        body += [0x17, 0x0d]
        body.put("270101000000Z")
        body.distinguishedName(subject)
        body.der(0x30) { info in
          info += [
            0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
            0x03, 0x01, 0x07,
          ]
          info.der(0x03) {
            $0 += [0, 4]
            $0 += key
          }
        }
        body.der(0xa3) {
          $0.der(0x30) {
            $0.der(0x30) {
              $0 += [6, 3, 0x55, 0x1d, 0x11]
              $0.der(0x04) { $0.der(0x30) { $0.der(0x82) { $0.put(subject) } } }
            }
          }
        }
      }
      certificate += ecdsaWithSHA256
      certificate.der(0x03) {
        $0.put8(0)
        $0.put(&random, count: 71)
      }
    }
    return certificate
  }
}

extension [UInt8] {
  /// A DER value whose length takes three bytes throughout: legal BER, and it keeps this short.
  fileprivate mutating func der(_ tag: UInt8, _ body: (inout [UInt8]) -> Void) {
    self += [tag, 0x82]
    vector(2, body)
  }

  fileprivate mutating func distinguishedName(_ commonName: String) {
    der(0x30) {
      $0.der(0x31) {
        $0.der(0x30) {
          $0 += [6, 3, 0x55, 4, 3]
          $0.der(0x0c) { $0.put(commonName) }
        }
      }
    }
  }
}
