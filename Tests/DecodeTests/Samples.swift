import Decode

// Each wraps Packet.segment in one more way. The bytes of a layer are from its specification's figure, which the source
// of that layer quotes.
extension Sample {
  static let all: [Sample] = links + networks + tunnels + wirelessLinks + rareLinks + switchedLinks + rareTunnels

  private static let ethernetFrame = Packet.ethernet(0x0800, Packet.tcp4)

  private static let links: [Sample] = [
    Sample(name: "ethernet-ipv4", bytes: ethernetFrame),
    Sample(name: "ethernet-padded", bytes: ethernetFrame + [0, 0, 0], trailing: 3),
    Sample(name: "ethernet-ipv6", bytes: Packet.ethernet(0x86dd, Packet.tcp6), version: 6),
    // Length, LLC with SAP AA and control 03, SNAP with organization 0 and the type of IPv4.
    Sample(name: "llc-snap", bytes: Packet.ethernet(8 + 45, hex("aaaa03 000000 0800") + Packet.tcp4)),
    Sample(name: "llc-ip", bytes: Packet.ethernet(3 + 45, hex("060603") + Packet.tcp4)),
    // Priority 1, VID 100.
    Sample(name: "vlan", bytes: Packet.ethernet(0x8100, hex("2064 0800") + Packet.tcp4), vlans: [100]),
    Sample(name: "priority-tag", bytes: Packet.ethernet(0x8100, hex("e000 0800") + Packet.tcp4)),
    Sample(
      name: "qinq", bytes: Packet.ethernet(0x88a8, hex("0fff 8100 0002 86dd") + Packet.tcp6), version: 6,
      vlans: [4095, 2]),
    Sample(
      name: "qinq-9100-9200", bytes: Packet.ethernet(0x9100, hex("0005 9200 0006 0800") + Packet.tcp4),
      vlans: [5, 6]),
    Sample(name: "vn-tag", bytes: Packet.ethernet(0x8926, hex("80001234 0800") + Packet.tcp4)),
    Sample(name: "e-tag", bytes: Packet.ethernet(0x893f, hex("e00003ec0000 0800") + Packet.tcp4)),
    Sample(name: "cisco-metadata", bytes: Packet.ethernet(0x8909, hex("0101 0001 0007 0800") + Packet.tcp4)),
    Sample(name: "sll", link: .linuxSLL, bytes: hex("0000 0001 0006 0200000000020000 0800") + Packet.tcp4),
    Sample(
      name: "sll-vlan", link: .linuxSLL, bytes: hex("0000 0001 0006 0200000000020000 8100 0007 0800") + Packet.tcp4,
      vlans: [7]),
    Sample(
      name: "sll2", link: .linuxSLL2, bytes: hex("86dd 0000 00000002 0001 00 06 0200000000020000") + Packet.tcp6,
      version: 6),
    Sample(name: "null-little-endian", link: .null, bytes: hex("02000000") + Packet.tcp4),
    Sample(name: "null-big-endian", link: .null, bytes: hex("00000002") + Packet.tcp4),
    Sample(name: "null-darwin-ipv6", link: .null, bytes: hex("1e000000") + Packet.tcp6, version: 6),
    Sample(name: "null-freebsd-ipv6", link: .null, bytes: hex("0000001c") + Packet.tcp6, version: 6),
    Sample(name: "null-openbsd-ipv6", link: .null, bytes: hex("18000000") + Packet.tcp6, version: 6),
    Sample(name: "null-linux-ipv6", link: .null, bytes: hex("0a000000") + Packet.tcp6, version: 6),
    Sample(name: "loop", link: .loop, bytes: hex("00000002") + Packet.tcp4),
    Sample(name: "raw-ipv4", link: .raw, bytes: Packet.tcp4),
    Sample(name: "raw-ipv6", link: .raw, bytes: Packet.tcp6, version: 6),
    Sample(name: "raw-12", link: LinkType(rawValue: 12), bytes: Packet.tcp4),
    Sample(name: "raw-14", link: LinkType(rawValue: 14), bytes: Packet.tcp6, version: 6),
    Sample(name: "linktype-ipv4", link: .ipv4, bytes: Packet.tcp4),
    Sample(name: "linktype-ipv6", link: .ipv6, bytes: Packet.tcp6, version: 6),
    Sample(name: "ppp", link: .ppp, bytes: hex("0021") + Packet.tcp4),
    Sample(name: "ppp-framed", link: .ppp, bytes: hex("ff03 0057") + Packet.tcp6, version: 6),
    Sample(name: "ppp-compressed-field", link: .ppp, bytes: hex("21") + Packet.tcp4),
    Sample(name: "ppp-hdlc", link: .pppHDLC, bytes: hex("ff03 0021") + Packet.tcp4),
    Sample(name: "ppp-hdlc-cisco", link: .pppHDLC, bytes: hex("0f00 0800") + Packet.tcp4),
    Sample(name: "cisco-hdlc", link: .ciscoHDLC, bytes: hex("0f00 86dd") + Packet.tcp6, version: 6),
    // Version and type 1, code 0, session 0x0011, length of PPP protocol and packet.
    Sample(
      name: "pppoe", bytes: Packet.ethernet(0x8864, hex("11 00 0011") + bigEndian(47) + hex("0021") + Packet.tcp4)),
    Sample(
      name: "pppoe-link", link: .pppoe, bytes: hex("11 00 0011") + bigEndian(67) + hex("0057") + Packet.tcp6,
      version: 6),
    // Label 16, bottom of stack; then two labels.
    Sample(name: "mpls", bytes: Packet.ethernet(0x8847, hex("00010140") + Packet.tcp4)),
    Sample(name: "mpls-two", bytes: Packet.ethernet(0x8848, hex("00010040 00011140") + Packet.tcp6), version: 6),
    Sample(name: "mpls-pseudowire", bytes: Packet.ethernet(0x8847, hex("00010140") + ethernetFrame)),
    Sample(
      name: "mpls-control-word", bytes: Packet.ethernet(0x8847, hex("00010140 00000000") + ethernetFrame)),
    // Without control word, to an address that begins like IPv4.
    Sample(
      name: "mpls-pseudowire-4", bytes: Packet.ethernet(0x8847, hex("00010140 40ff") + ethernetFrame.dropFirst(2))),
    Sample(name: "ppp-mpls", link: .ppp, bytes: hex("0281 00010140") + Packet.tcp4),
    // Family 2, version 0, group; a time stamp TLV of 20 bytes; the packet.
    Sample(
      name: "nflog", link: .nflog,
      bytes: hex("02 00 0000  1400 0300") + [UInt8](repeating: 0, count: 16) + [49, 0, 9, 0] + Packet.tcp4),
    // Big-endian.
    Sample(name: "nflog-big-endian", link: .nflog, bytes: hex("02 00 0000") + [0, 49, 0, 9] + Packet.tcp4),
    Sample(
      name: "pflog", link: .pflog, bytes: [61, 2] + [UInt8](repeating: 0, count: 62) + Packet.tcp4),
    Sample(name: "mpacket", link: .ethernetMPacket, bytes: hex("55555555555555d5") + ethernetFrame),
    Sample(
      name: "fddi", link: .fddi, bytes: hex("50 020000000001 020000000002 aaaa03 000000 0800") + Packet.tcp4),
  ]

  private static let networks: [Sample] = [
    // Router alert (4 bytes) and three no-operations with an end of list.
    Sample(name: "ipv4-options", link: .raw, bytes: Packet.ipv4(6, Packet.segment, options: hex("94040000 01010100"))),
    // Segmentation left to the interface.
    Sample(name: "ipv4-length-0", link: .raw, bytes: Packet.ipv4(6, Packet.segment, length: 0)),
    // Authentication header: next header 6, length 4 (24 bytes), SPI, sequence number, check value of 12 bytes.
    Sample(name: "ipv4-ah", link: .raw, bytes: Packet.ipv4(51, authentication + Packet.segment)),
    Sample(name: "ipv6-ah", link: .raw, bytes: Packet.ipv6(51, authentication + Packet.segment), version: 6),
    Sample(name: "ipv6-chain", link: .raw, bytes: Packet.ipv6(0, chain + Packet.segment), version: 6),
    Sample(
      name: "ipv6-atomic-fragment", link: .raw, bytes: Packet.ipv6(44, hex("06 00 0000 12345678") + Packet.segment),
      version: 6),
    // Payload length 0, hop-by-hop header with the jumbo option (RFC 2675), then TCP.
    Sample(
      name: "ipv6-jumbo", link: .raw, bytes: Packet.ipv6(0, hex("06 00 c204 00010000") + Packet.segment, length: 0),
      version: 6),
  ]

  private static let authentication = hex("06 04 0000 00000100 00000001 000000000000000000000000")

  // Hop-by-hop, destination options of 16 bytes, routing (type 0 without addresses), mobility, TCP.
  private static let chain =
    hex("3c 00 0104 00000000") + hex("2b 01 010c 000000000000000000000000") + hex("87 00 0000 00000000")
    + hex("06 00 0000 00000000")

  private static let vxlan = hex("08000000 00002a00")

  private static let tunnels: [Sample] = [
    Sample(name: "ipip", bytes: Packet.outer4(4, Packet.tcp4), tunnels: [.ipInIP]),
    Sample(name: "6in4", bytes: Packet.outer4(41, Packet.tcp6), version: 6, tunnels: [.sixInFour]),
    Sample(name: "4in6", bytes: Packet.outer6(4, Packet.tcp4), tunnels: [.ipInIP]),
    Sample(name: "6in6", bytes: Packet.outer6(41, Packet.tcp6), version: 6, tunnels: [.ipInIP]),
    Sample(name: "gre", bytes: Packet.outer4(47, hex("0000 0800") + Packet.tcp4), tunnels: [.gre]),
    // Checksum, key and sequence number.
    Sample(
      name: "gre-flags", bytes: Packet.outer4(47, hex("b000 86dd 00000000 00000007 00000001") + Packet.tcp6),
      version: 6, tunnels: [.gre]),
    // Routing: checksum field, one entry of IPv4 (2048) with one address, the end.
    Sample(
      name: "gre-routing",
      bytes: Packet.outer4(47, hex("4000 0800 00000000 0800 00 04 0a000003 0000 00 00") + Packet.tcp4),
      tunnels: [.gre]),
    Sample(name: "gre-ethernet", bytes: Packet.outer6(47, hex("0000 6558") + ethernetFrame), tunnels: [.gre]),
    Sample(name: "gre-mpls", bytes: Packet.outer4(47, hex("0000 8847 00010140") + Packet.tcp4), tunnels: [.gre]),
    // Version 1 with sequence and acknowledgment number; payload of 49 bytes, call 1.
    Sample(
      name: "gre-pptp",
      bytes: Packet.outer4(47, hex("3081 880b 0031 0001 00000000 00000000 ff03 0021") + Packet.tcp4),
      tunnels: [.gre]),
    // 59 bytes of frame.
    Sample(name: "gre-eoip", bytes: Packet.outer4(47, hex("2001 6400 003b 0100") + ethernetFrame), tunnels: [.gre]),
    Sample(
      name: "erspan-2", bytes: Packet.outer4(47, hex("1000 88be 00000000 10000014 00000001") + ethernetFrame),
      tunnels: [.erspan]),
    Sample(
      name: "erspan-3", bytes: Packet.outer4(47, hex("1000 22eb 00000000 20000014 00000001 00000000") + ethernetFrame),
      tunnels: [.erspan]),
    Sample(
      name: "vxlan", bytes: Packet.outer4(17, Packet.udp(5000, 4789, vxlan + ethernetFrame)), tunnels: [.vxlan]),
    Sample(
      name: "vxlan-linux-port", bytes: Packet.outer4(17, Packet.udp(5000, 8472, vxlan + ethernetFrame)),
      tunnels: [.vxlan]),
    Sample(
      name: "vxlan-group-policy",
      bytes: Packet.outer6(17, Packet.udp(5000, 4789, hex("88000011 00002a00") + ethernetFrame)), tunnels: [.vxlan]),
    Sample(
      name: "vxlan-gpe", bytes: Packet.outer4(17, Packet.udp(5000, 4790, hex("0c000001 00002a00") + Packet.tcp4)),
      tunnels: [.vxlan]),
    // Two words of options.
    Sample(
      name: "geneve",
      bytes: Packet.outer4(17, Packet.udp(5000, 6081, hex("0240 6558 00002a00 0102 80 01 00000000") + ethernetFrame)),
      tunnels: [.geneve]),
    Sample(
      name: "geneve-ipv6", bytes: Packet.outer4(17, Packet.udp(5000, 6081, hex("0000 86dd 00002a00") + Packet.tcp6)),
      version: 6, tunnels: [.geneve]),
    Sample(
      name: "gtp-u", bytes: Packet.outer4(17, Packet.udp(2152, 2152, hex("30 ff 002d 00000001") + Packet.tcp4)),
      tunnels: [.gtpU]),
    // Sequence number and an extension header of 4 bytes (0x85, PDU session container).
    Sample(
      name: "gtp-u-extension",
      bytes: Packet.outer4(17, Packet.udp(2152, 2152, hex("36 ff 0049 00000001 0001 00 85 01 10 09 00") + Packet.tcp6)),
      version: 6, tunnels: [.gtpU]),
    Sample(name: "teredo", bytes: teredo, version: 6, tunnels: [.teredo]),
    Sample(
      name: "vlan-vxlan-vlan-gre",
      bytes: Packet.ethernet(
        0x8100,
        hex("0064 0800")
          + Packet.ipv4(
            17,
            Packet.udp(
              5000, 4789,
              vxlan
                + Packet.ethernet(0x8100, hex("0065 0800") + Packet.ipv4(47, hex("0000 86dd") + Packet.tcp6))))),
      version: 6, vlans: [100, 101], tunnels: [.vxlan, .gre]),
  ]

  // Origin indication, and the addresses of a Teredo client and of a host.
  private static let teredo = Packet.outer4(
    17,
    Packet.udp(
      3544, 50000,
      hex("0000 3fff f5fffffe")
        + Packet.ipv6(
          6, Packet.segment,
          addresses: "20010000 00000000 00000000 00000009  20010db8 00010000 00000000 00000001")))
}
