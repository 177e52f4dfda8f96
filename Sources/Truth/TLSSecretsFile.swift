import TLSDecryption

/// A key log that a person gives.
public struct TLSSecretsFile: Sendable {
  /// The most bytes of it that are read.
  public static let maximumBytes = 256 << 20

  let secrets: TLSSecrets
  /// What is wrong with it, a sentence each.
  public let notices: [String]

  /// No secrets.
  public init() {
    secrets = TLSSecrets()
    notices = []
  }

  /// Reads a file in the NSS key log format.
  /// - Throws: `TruthError` where it cannot be read or holds no secret.
  public init(path: String) throws(TruthError) {
    let data = try readFile(path, atMost: Self.maximumBytes)
    var secrets = TLSSecrets()
    let report = secrets.add(keyLog: Array(data))
    guard report.secrets > 0 else {
      throw TruthError("\(path): holds no secret; wanted are lines as 'CLIENT_RANDOM <64 hex digits> <96 hex digits>'")
    }
    var notices: [String] = []
    if let first = report.brokenLines.first {
      notices.append("\(path): \(report.brokenLineCount) lines are no key log, the first is line \(first)")
    }
    if report.notKept > 0 {
      notices.append("\(path): \(report.notKept) secrets beyond the \(TLSSecrets.maximumConnections) that are kept")
    }
    self.secrets = secrets
    self.notices = notices
  }
}
