import Decode

// Link layers beyond those that hosts capture on their own interfaces.
extension Sample {
  private static let snap4 = hex("aaaa03 000000 0800") + Packet.tcp4
  private static let snap6 = hex("aaaa03 000000 86dd") + Packet.tcp6
  private static let ethernetFrame = Packet.ethernet(0x0800, Packet.tcp4)

  /// Frame control and duration, three addresses, sequence control.
  static func data(_ control: String, sequence: String = "1000") -> [UInt8] {
    hex(control + "2c00 020000000001 020000000002 020000000003" + sequence)
  }

  // IEEE 802.11-2020, figure 9-2.
  static let wirelessLinks: [Sample] = [
    // To the distribution system; from it with QoS (priority 6).
    Sample(name: "wlan", link: .ieee80211, bytes: data("0801") + snap4),
    Sample(name: "wlan-qos", link: .ieee80211, bytes: data("8802") + hex("0600") + snap6, version: 6),
    // Four addresses, QoS, HT control.
    Sample(
      name: "wlan-4-addresses-htc", link: .ieee80211,
      bytes: data("8883") + hex("020000000004 0000 01020304") + snap4),
    // Mesh control with one extended address.
    Sample(
      name: "wlan-mesh", link: .ieee80211,
      bytes: data("8803") + hex("020000000004 0001  01 1f 00000001 020000000005") + snap4),
    // Two subframes; the first needs two bytes of padding, as its length is 53.
    Sample(
      name: "wlan-a-msdu", link: .ieee80211,
      bytes: data("8802") + hex("8000") + subframe + [0] + subframe, trailing: 1 + 67),
    // Marked as encrypted, and decrypted: bare, and behind CCMP's eight bytes.
    Sample(name: "wlan-decrypted", link: .ieee80211, bytes: data("0841") + snap4),
    Sample(
      name: "wlan-decrypted-ccmp", link: .ieee80211, bytes: data("8842") + hex("0000 0a90002000000000") + snap4),
    // Present: flags, rate, channel. Flags: check sequence.
    Sample(
      name: "radiotap", link: .radiotap,
      bytes: hex("00 00 0e00 0e000000 10 02 6c09 a000") + data("0801") + snap4 + [1, 2, 3, 4], trailing: 4),
    // A time stamp, aligned behind a second word, and flags: header padded, here from 26 to 28.
    Sample(
      name: "radiotap-padded", link: .radiotap,
      bytes: hex("00 00 1900 03000080 00000000 00000000 0102030405060708 20") + data("8802")
        + hex("0000 0000") + snap4),
    // 144 bytes, little-endian.
    Sample(
      name: "prism", link: .prism,
      bytes: hex("44000000 90000000") + [UInt8](repeating: 0, count: 136) + data("0801") + snap4),
    Sample(
      name: "prism-avs", link: .prism,
      bytes: hex("80211001 00000040") + [UInt8](repeating: 0, count: 56) + data("0801") + snap4),
    Sample(
      name: "avs", link: .avs,
      bytes: hex("80211001 00000040") + [UInt8](repeating: 0, count: 56) + data("0802") + snap6, version: 6),
    // Field 2 of 20 bytes, with the flag of a check sequence.
    Sample(
      name: "ppi-wlan", link: .ppi,
      bytes: hex("00 00 2000 69000000  0200 1400 0000000000000000 0100 0000 0000000000000000") + data("0801") + snap4
        + [1, 2, 3, 4], trailing: 4),
    Sample(name: "ppi-ethernet", link: .ppi, bytes: hex("00 00 0800 01000000") + ethernetFrame),
    // ARPHRD_IEEE80211_RADIOTAP.
    Sample(
      name: "sll-radiotap", link: .linuxSLL,
      bytes: hex("0003 0323 0006 0200000000020000 0019") + hex("00 00 0800 00000000") + data("0801") + snap4),
  ]

  private static let subframe = hex("020000000001 020000000002") + bigEndian(snap4.count) + snap4

  /// Version 1 of PKTAP's header, in full: 156 bytes.
  private static func pktap(_ type: UInt8, process: String, effective: String, linkHeader: UInt8 = 14) -> [UInt8] {
    hex("9c000000 01000000") + [type, 0, 0, 0] + name("en0", 24) + hex("02000000 02000000") + [linkHeader, 0, 0, 0]
      + hex("00000000 00020000") + name(process, 20) + hex("00000000 0600 0000 00030000") + name(effective, 20)
      + [UInt8](repeating: 0, count: 48)
  }

  static func name(_ text: String, _ length: Int) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: length - text.utf8.count)
  }

  // PKTAP and PCAPdroid name processes.
  static let rareLinks: [Sample] = [
    Sample(
      name: "pktap", link: .pktap, bytes: pktap(1, process: "apsd", effective: "") + ethernetFrame, process: "apsd"),
    Sample(
      name: "pktap-user2", link: .user2, bytes: pktap(1, process: "nsurlsessiond", effective: "Mail") + ethernetFrame,
      process: "Mail"),
    Sample(
      name: "pktap-null", link: .pktap, bytes: pktap(0, process: "", effective: "") + hex("1e000000") + Packet.tcp6,
      version: 6),
    // A cellular interface: raw IP behind four bytes of its own.
    Sample(
      name: "pktap-cellular", link: .pktap,
      bytes: pktap(12, process: "identityservicesd", effective: "", linkHeader: 4) + hex("02000000") + Packet.tcp4,
      process: "identityservicesd"),
    Sample(
      name: "pktap-raw", link: .pktap, bytes: pktap(12, process: "a", effective: "", linkHeader: 0) + Packet.tcp6,
      version: 6, process: "a"),
    // The 108 bytes of the first systems, big-endian.
    Sample(
      name: "pktap-big-endian", link: .pktap,
      bytes: hex("0000006c 00000001 00000001") + name("en0", 24) + hex("00000802 00000002 0000000e 00000000 00000200")
        + name("sh", 20) + hex("00000000 0006 0000 ffffffff") + name("", 20) + ethernetFrame, process: "sh"),
    // Version 2: 40 bytes, then interface at 40, process at 48, effective process at 64.
    Sample(
      name: "pktap-2", link: .pktap,
      bytes: hex(
        "48 00 00 28 30 40  0100 0e00 0000 0600 0600 02000000 00000000 00000000 00020000 00030000 02000800")
        + name("en0", 8) + name("nsurlsessiond", 16) + name("News", 8) + ethernetFrame, process: "News"),
    // 59 bytes, one of padding, trailer.
    Sample(
      name: "pcapdroid", bytes: hex("000000000000 000000000000 0800") + Packet.tcp4 + [0] + pcapdroid("Signal"),
      trailing: 33, process: "Signal"),
    // A name of all its bytes, of which the last is the end.
    Sample(
      name: "pcapdroid-ipv6",
      bytes: hex("000000000000 000000000000 86dd") + Packet.tcp6 + [0] + pcapdroid("WhatsApp Messengers"),
      version: 6, trailing: 33, process: "WhatsApp Messengers"),
    // From and to address 0, as on a loopback interface.
    Sample(name: "ethernet-loopback", bytes: hex("000000000000 000000000000 0800") + Packet.tcp4),
    // RFC 2427: DLCI 16, control 3, NLPID. Then a pad byte and SNAP.
    Sample(name: "frame-relay", link: .frameRelay, bytes: hex("0401 03 cc") + Packet.tcp4),
    Sample(name: "frame-relay-ipv6", link: .frameRelay, bytes: hex("0401 03 8e") + Packet.tcp6, version: 6),
    Sample(name: "frame-relay-snap", link: .frameRelay, bytes: hex("0401 03 00 80 000000 0800") + Packet.tcp4),
    Sample(
      name: "frame-relay-bridged", link: .frameRelay, bytes: hex("0401 03 00 80 0080c2 0007") + ethernetFrame),
    Sample(name: "frame-relay-4", link: .frameRelay, bytes: hex("04000001 03 cc") + Packet.tcp4),
    Sample(name: "frame-relay-ppp", link: .frameRelay, bytes: hex("0401 03 cf 0021") + Packet.tcp4),
    Sample(name: "frame-relay-cisco", link: .frameRelay, bytes: hex("0401 0800") + Packet.tcp4),
    Sample(
      name: "frame-relay-direction", link: .frameRelayWithDirection, bytes: hex("01 0401 03 cc") + Packet.tcp4),
    // IEEE 802.5: access control, frame control of LLC; then with six bytes of routing.
    Sample(name: "token-ring", link: .tokenRing, bytes: hex("10 40 020000000001 020000000002") + snap4),
    Sample(
      name: "token-ring-routed", link: .tokenRing,
      bytes: hex("10 40 020000000001 820000000002 0630 0011 0020") + snap4),
    // RFC 2684: routed and bridged with LLC, and a circuit of IPv4 alone.
    Sample(name: "atm", link: .multiprotocolATM, bytes: snap4),
    Sample(name: "atm-bridged", link: .multiprotocolATM, bytes: hex("aaaa03 0080c2 0007 0000") + ethernetFrame),
    Sample(name: "atm-nlpid", link: .multiprotocolATM, bytes: hex("fefe03 cf 0021") + Packet.tcp4),
    Sample(name: "atm-bare", link: .multiprotocolATM, bytes: Packet.tcp4),
    Sample(name: "sunatm", link: .sunATM, bytes: hex("02 00 0064") + snap4),
    Sample(name: "sunatm-lane", link: .sunATM, bytes: hex("01 00 0064 0001") + ethernetFrame),
    Sample(name: "slip", link: .slip, bytes: [0] + Packet.tcp4.prefix(15) + Packet.tcp4),
    // AF_INET, little-endian.
    Sample(name: "enc", link: .enc, bytes: hex("02000000 00000100 00000000") + Packet.tcp4),
    Sample(
      name: "ipnet", link: .ipnet, bytes: hex("01 1a 0000 00000041") + [UInt8](repeating: 0, count: 16) + Packet.tcp6,
      version: 6),
    Sample(
      name: "ipoib", link: .ipOverInfiniBand, bytes: [UInt8](repeating: 0, count: 40) + hex("0800 0000") + Packet.tcp4),
    Sample(name: "ppp-pppd", link: .pppPPPD, bytes: hex("01 03 0021") + Packet.tcp4),
    Sample(name: "ppp-direction", link: .pppWithDirection, bytes: hex("00 ff03 0021") + Packet.tcp4),
    Sample(name: "cisco-hdlc-direction", link: .ciscoHDLCWithDirection, bytes: hex("00 0f00 0800") + Packet.tcp4),
  ]

  private static func pcapdroid(_ app: String) -> [UInt8] {
    hex("01072021 000027a5") + name(app, 20) + hex("01020304")
  }

  // What stands in Ethernet frames, beside VLAN tags.
  static let switchedLinks: [Sample] = [
    // Forward, tagged, device 0, port 2, VID 1337; from the processor, untagged.
    Sample(
      name: "dsa", link: .marvellDSA, bytes: hex("020000000001 020000000002 e0100539 0800") + Packet.tcp4,
      vlans: [1337]),
    Sample(
      name: "edsa", link: .marvellEtherTypeDSA,
      bytes: hex("020000000001 020000000002 dada 0000 40100000 86dd") + Packet.tcp6, version: 6),
    Sample(
      name: "brcm", link: .broadcomTag, bytes: hex("020000000001 020000000002 20000001 0800") + Packet.tcp4),
    Sample(name: "brcm-prepend", link: .broadcomTagPrepended, bytes: hex("20000001") + ethernetFrame),
    // Without encryption, with a channel.
    Sample(
      name: "macsec",
      bytes: Packet.ethernet(0x88e5, hex("20 00 00000001 0200000000020001 0800") + Packet.tcp4)
        + [UInt8](repeating: 0x77, count: 16), trailing: 16),
    Sample(name: "fabricpath", bytes: Packet.ethernet(0x8903, hex("0060") + ethernetFrame)),
    Sample(name: "802.1ah", bytes: Packet.ethernet(0x88e7, hex("00000064") + ethernetFrame)),
    // RFC 8300: MD type 2 without metadata, IPv4; MD type 1 (24 bytes), Ethernet.
    Sample(name: "nsh", bytes: Packet.ethernet(0x894f, hex("0fc20201 000001ff") + Packet.tcp4)),
    Sample(
      name: "nsh-ethernet",
      bytes: Packet.ethernet(
        0x894f, hex("0fc60103 000001ff") + [UInt8](repeating: 0, count: 16) + ethernetFrame)),
  ]
}
