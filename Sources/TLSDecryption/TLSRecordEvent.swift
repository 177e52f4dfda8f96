public import Protocols

/// A record of a TLS connection as it was read.
public struct TLSRecordEvent: Sendable, Equatable {
  /// Under what keys a record was sent.
  public enum Epoch: UInt8, Sendable {
    /// None: the hellos, and in TLS 1.2 the handshake.
    case clear
    /// Early data of TLS 1.3 (RFC 8446, section 2.3).
    case early
    /// The handshake of TLS 1.3.
    case handshake
    /// All that follows.
    case application
  }

  /// Why a record stays closed.
  public enum Obstacle: Sendable, Equatable {
    /// The capture has not the hellos of both sides, so that nobody knows which secrets are its.
    case handshakeNotSeen
    /// Nobody has given its secrets.
    case noSecrets
    /// What protects it is not implemented: version and suite by their numbers.
    case notSupported(version: UInt16, suite: UInt16)
    /// The secrets do not open it: they are another connection's, or bytes are missing or changed.
    case doesNotOpen
  }

  /// Who sent it.
  public var side: FlowSide
  /// What its header says that it holds; in TLS 1.3 application_data for all that is encrypted.
  public var outerType: TLSContentType
  /// What it holds; `outerType` where it stays closed, 0 where the sender gave no type (RFC 8446, section 5.4).
  public var type: TLSContentType
  /// Bytes of the fragment, without the header's five.
  public var length: Int
  /// Bytes of the plaintext, without padding; 0 where it stays closed.
  public var plaintextLength = 0
  /// Bytes that only hide the length: zeros in TLS 1.3, the block cipher's padding with its length byte in TLS 1.2.
  public var paddingLength = 0
  /// Whether it was encrypted and could be opened.
  public var isDecrypted = false
  /// Why it stays closed; nil where it was opened, or was sent in clear.
  public var obstacle: Obstacle?
  /// Under what keys it was sent, as far as that is known.
  public var epoch = Epoch.clear
  /// How often its side had updated its keys before it (KeyUpdate; in TLS 1.2 renegotiation).
  public var keyUpdates = 0
  /// Its number among the records of application data of its side, from 1, early data included; 0 where it is none,
  /// or is closed and may be none. Records that are known to be missing are counted.
  public var applicationNumber = 0

  init(side: FlowSide, type: TLSContentType, length: Int) {
    self.side = side
    outerType = type
    self.type = type
    self.length = length
  }
}
