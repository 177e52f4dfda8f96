import Bytes
import Testing

@testable import Protocols

@Suite struct CertificateTests {
  @Test func readsSubjectAndAlternativeNames() {
    let found = CertificateNames(der: Sample.certificate)
    #expect(found.names == ["courier.example.test", "*.push.example.test"])
    #expect(!found.isDamaged)
    #expect(!found.isCut)
  }

  @Test func aBrokenCertificateIsMarkedAndNeverTraps() {
    for count in stride(from: 0, to: Sample.certificate.count, by: 7) {
      let found = CertificateNames(der: Array(Sample.certificate.prefix(count)))
      #expect(found.isDamaged)
      #expect(found.names.isEmpty)
    }
    for i in Sample.certificate.indices {
      var changed = Sample.certificate
      changed[i] ^= 0x55
      // A changed common name no longer equals the first alternative name: three at most.
      #expect(CertificateNames(der: changed).names.count <= 3)
    }
  }

  @Test func takesTheFirstOfAChain() throws {
    let message = Sample.certificateMessage([Sample.certificate, [1, 2, 3]])
    let body = Array(message.dropFirst(4))
    #expect(try leafCertificate(of: body.rawSpan).array == Sample.certificate)
    let cut = Array(body.prefix(100))
    #expect(throws: ParseError.truncated(needed: 640, available: 94, at: 6)) {
      _ = try leafCertificate(of: cut.rawSpan).byteCount
    }
  }
}
