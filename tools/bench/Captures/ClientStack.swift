// What client stacks offer, field by field and in their order.

/// Placeholders in the lists below for the two GREASE values that a hello draws (RFC 8701).
let grease: UInt16 = 0x0a0a
let secondGrease: UInt16 = 0x0a0b
/// X25519MLKEM768, the post-quantum hybrid group.
let hybrid: UInt16 = 0x11ec
private let x25519: UInt16 = 0x001d

/// A client stack: the lists that make its ClientHello.
struct ClientStack {
  /// Of the flows, in percent.
  let share: Int
  /// Whether every hello has its extensions in another order, between two of GREASE.
  var shuffles = false
  let ciphers: [UInt16]
  let extensions: [UInt16]
  let groups: [UInt16]
  var keyShares: [UInt16] = [x25519]
  let signatures: [UInt16]
  var versions: [UInt16] = [0x0304, 0x0303]
  var protocols = ["h2", "http/1.1"]

  /// Whether its hello fits no single segment and no single datagram.
  var isHybrid: Bool { keyShares.contains(hybrid) }
}

extension ClientStack {
  /// Over TCP. The last asks for TLS 1.2 only.
  static let overTCP = [chromium, safari, firefox, openSSL, android, go, courier]
  static let shares = overTCP.map(\.share)
  static let courierPlace = overTCP.count - 1

  private static let chromium = ClientStack(
    share: 34, shuffles: true,
    ciphers: [
      grease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
      0x002f, 0x0035,
    ],
    extensions: [0, 23, 65281, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 27, 17613, 65037],
    groups: [grease, hybrid, x25519, 23, 24], keyShares: [grease, hybrid, x25519],
    signatures: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601], versions: [grease, 0x0304, 0x0303])

  private static let safari = ClientStack(
    share: 18,
    ciphers: [
      grease, 0x1301, 0x1302, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0xc00a, 0xc009, 0xc014, 0xc013,
      0x009d, 0x009c, 0x0035, 0x002f, 0xc008, 0xc012, 0x000a,
    ],
    extensions: [grease, 0, 23, 65281, 10, 11, 16, 5, 13, 18, 51, 45, 43, 27, secondGrease, 21],
    groups: [grease, x25519, 23, 24, 25], keyShares: [grease, x25519],
    signatures: [0x0403, 0x0804, 0x0401, 0x0503, 0x0203, 0x0805, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201],
    versions: [grease, 0x0304, 0x0303, 0x0302, 0x0301])

  private static let firefox = ClientStack(
    share: 14,
    ciphers: [
      0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc009, 0xc013, 0xc014, 0x009c,
      0x009d, 0x002f, 0x0035,
    ],
    extensions: [0, 23, 65281, 10, 11, 35, 16, 5, 34, 51, 43, 13, 45, 28, 21],
    groups: [x25519, 23, 24, 25, 256, 257], keyShares: [x25519, 23],
    signatures: [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201])

  private static let openSSL = ClientStack(
    share: 14,
    ciphers: [
      0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e, 0xc024, 0xc028,
      0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033, 0x009d, 0x009c, 0x003d, 0x003c,
      0x0035, 0x002f, 0x00ff,
    ],
    extensions: [0, 11, 10, 35, 16, 22, 23, 13, 43, 45, 51],
    groups: [x25519, 23, 30, 25, 24, 256, 257, 258, 259, 260],
    signatures: [
      0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
      0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602,
    ])

  private static let android = ClientStack(
    share: 10,
    ciphers: [
      0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xcca9, 0xc02f, 0xc030, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f,
      0x0035,
    ],
    extensions: [0, 23, 65281, 10, 11, 35, 16, 5, 13, 51, 45, 43], groups: [x25519, 23, 24],
    signatures: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201])

  private static let go = ClientStack(
    share: 8,
    ciphers: [
      0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
      0xc012, 0x000a, 0x1301, 0x1302, 0x1303,
    ],
    extensions: [0, 5, 10, 11, 35, 65281, 23, 18, 16, 13, 43, 51], groups: [x25519, 23, 24, 25],
    signatures: [
      0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0503, 0x0603, 0x0201, 0x0203,
    ])

  /// Apple's push daemon of the TLS 1.2 time; no TLS 1.3 hello of it is published.
  private static let courier = ClientStack(
    share: 2,
    ciphers: [
      0x00ff, 0xc02c, 0xc02b, 0xc024, 0xc023, 0xc00a, 0xc009, 0xc008, 0xc030, 0xc02f, 0xc028, 0xc027, 0xc014, 0xc013,
      0xc012, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x000a,
    ],
    extensions: [0, 10, 11, 13, 13172, 16, 5, 18, 23], groups: [23, 24, 25], keyShares: [],
    signatures: [0x0401, 0x0201, 0x0501, 0x0601, 0x0403, 0x0203, 0x0503, 0x0603], versions: [],
    protocols: ["apns-security-v3", "apns-pack-v1"])
}

extension ClientStack {
  /// Over QUIC; the first takes two datagrams for its hello.
  static let overQUIC = [
    ClientStack(
      share: 50, shuffles: true, ciphers: [0x1301, 0x1302, 0x1303],
      extensions: [0, 10, 16, 13, 51, 45, 43, 27, 57, 17613, 65037], groups: [grease, hybrid, x25519, 23, 24],
      keyShares: [grease, hybrid, x25519],
      signatures: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201], versions: [grease, 0x0304],
      protocols: ["h3"]),
    ClientStack(
      share: 25, ciphers: [grease, 0x1301, 0x1302, 0x1303],
      extensions: [grease, 0, 10, 16, 5, 13, 18, 51, 45, 43, 57, 27, secondGrease],
      groups: [grease, x25519, 23, 24, 25], keyShares: [grease, x25519],
      signatures: [0x0403, 0x0804, 0x0401, 0x0503, 0x0203, 0x0805, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201],
      versions: [grease, 0x0304], protocols: ["h3"]),
    ClientStack(
      share: 15, ciphers: [0x1301, 0x1303, 0x1302],
      extensions: [0, 23, 65281, 10, 16, 5, 34, 51, 43, 13, 45, 28, 57],
      groups: [x25519, 23, 24, 25, 256, 257], keyShares: [x25519, 23],
      signatures: [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201],
      versions: [0x0304], protocols: ["h3"]),
    ClientStack(
      share: 10, ciphers: [0x1301, 0x1302, 0x1303],
      extensions: [0, 5, 10, 11, 35, 65281, 23, 18, 16, 13, 43, 51, 57], groups: [x25519, 23, 24, 25],
      signatures: [0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0503, 0x0603, 0x0201, 0x0203],
      versions: [0x0304], protocols: ["h3"]),
  ]
}
