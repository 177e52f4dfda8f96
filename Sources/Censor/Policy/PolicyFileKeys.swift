/// The keys of a policy file, level by level, as policies.schema.json and the article on policies name them too.
enum PolicyKeys {
  /// Of the file.
  enum Root: String, CaseIterable {
    case gathered, lists, policies
  }

  /// Of a policy.
  enum Entry: String, CaseIterable {
    case name, title, about, group, target, source, date, standing, fact, match, scope, box, action, residual
    case secondStage = "second-stage"
    case probability
  }

  /// Of what a policy looks for.
  enum Match: String, CaseIterable {
    case all, any, not
    case sniExact = "sni-exact"
    case sniSuffix = "sni-suffix"
    case sniSubstring = "sni-substring"
    case sniRegex = "sni-regex"
    case quicSNIExact = "quic-sni-exact"
    case quicSNISuffix = "quic-sni-suffix"
    case quicSNISubstring = "quic-sni-substring"
    case quicSNIRegex = "quic-sni-regex"
    case dnsExact = "dns-exact"
    case dnsSuffix = "dns-suffix"
    case dnsSubstring = "dns-substring"
    case dnsRegex = "dns-regex"
    case httpHostExact = "http-host-exact"
    case httpHostSuffix = "http-host-suffix"
    case httpHostSubstring = "http-host-substring"
    case httpHostRegex = "http-host-regex"
    case namesOf = "names-of"
    case quicNamesOf = "quic-names-of"
    case dnsNamesOf = "dns-names-of"
    case address, owner
    case addressOf = "address-of"
    case prefixesOf = "prefixes-of"
    case port
    case portsOf = "ports-of"
    case transport, `protocol`, hello, alpn, ja3, ja4
    case encryptedServerName = "encrypted-server-name"
    case encryptedClientHello = "encrypted-client-hello"
    case quicVersion = "quic-version"
    case firstPayload = "first-payload"
    case fullyEncrypted = "fully-encrypted"
    case unrecognised, record, packet, model, tag, service, message
  }

  /// Of `port` as a mapping.
  enum Port: String, CaseIterable {
    case ports
    case bothEnds = "both-ends"
  }

  /// Of a length: of `first-payload`, and part of `record` and `packet`.
  enum Length: String, CaseIterable {
    case lengths
    case atLeast = "at-least"
    case atMost = "at-most"
  }

  /// Of `record`.
  enum Record: String, CaseIterable {
    case direction, lengths
    case atLeast = "at-least"
    case atMost = "at-most"
    case leading, grace
  }

  /// Of `packet`.
  enum Packet: String, CaseIterable {
    case direction, lengths
    case atLeast = "at-least"
    case atMost = "at-most"
  }

  /// Of `fully-encrypted` as a mapping.
  enum FullyEncrypted: String, CaseIterable {
    case lowPopcount = "low-popcount"
    case highPopcount = "high-popcount"
    case printablePrefix = "printable-prefix"
    case printableFraction = "printable-fraction"
    case printableRun = "printable-run"
    case allow
  }

  /// Of `unrecognised`.
  enum Unrecognised: String, CaseIterable {
    case packets, allow
  }

  /// Of `model`.
  enum Model: String, CaseIterable {
    case target, background, direction
    case falsePositiveRate = "false-positive-rate"
  }

  /// Of `message` as a mapping.
  enum Message: String, CaseIterable {
    case kinds, direction
  }

  /// Of where a policy applies.
  enum Scope: String, CaseIterable {
    case address, owner
    case prefixesOf = "prefixes-of"
    case port
    case exceptAddress = "except-address"
    case exceptOwner = "except-owner"
    case exceptPrefixesOf = "except-prefixes-of"
    case exceptSNISuffix = "except-sni-suffix"
    case exceptNamesOf = "except-names-of"
    case sourcePortAboveDestination = "source-port-above-destination"
  }

  /// Of what the box can do.
  enum Box: String, CaseIterable {
    case position
    case reassemblesSegments = "reassembles-segments"
    case reassemblesRecords = "reassembles-records"
    case reassemblesCrypto = "reassembles-crypto"
    case maximumFragments = "maximum-fragments"
    case opensQUIC = "opens-quic"
    case inspectedPackets = "inspected-packets"
    case flowMemory = "flow-memory"
    case judgesMidstream = "judges-midstream"
    case ignoresCase = "ignores-case"
    case ignoresTrailingDot = "ignores-trailing-dot"
  }

  /// Of what a policy does.
  enum Action: String, CaseIterable {
    case drop, reset, throttle, freeze, hold, poison, unit, direction, passes
    case triggerPasses = "trigger-passes"
    case delay
    case copiesPass = "copies-pass"
  }

  /// Of `freeze`.
  enum Freeze: String, CaseIterable {
    case packets, bytes
  }

  /// Of what a policy goes on doing.
  enum Residual: String, CaseIterable {
    case seconds, key, restart
  }

  /// Of a second stage.
  enum SecondStage: String, CaseIterable {
    case delay, key, seconds
  }
}
