import Decode

// Tunnels beyond those of Samples.swift.
extension Sample {
  private static let frame = Packet.ethernet(0x0800, Packet.tcp4)
  private static let snap = hex("aaaa03 000000 0800") + Packet.tcp4

  private static func udp(_ port: Int, _ payload: [UInt8]) -> [UInt8] {
    Packet.outer4(17, Packet.udp(5000, port, payload))
  }

  static let rareTunnels: [Sample] = [
    // RFC 5415, section 4.3: 8 bytes, radio 1, binding 1, an IEEE 802.3 frame.
    Sample(name: "capwap", bytes: udp(5247, hex("00 104200 00000000") + frame), tunnels: [.capwap]),
    // 16 bytes with a radio's address, a native frame; then one whose frame control is exchanged and marked as encrypted.
    Sample(
      name: "capwap-wlan",
      bytes: udp(5247, hex("00 204310 00000000 06 020000000003 00") + data("0801") + snap), tunnels: [.capwap]),
    Sample(
      name: "capwap-swapped",
      bytes: udp(5247, hex("00 104300 00000000") + data("4188", sequence: "0110") + hex("0000") + snap),
      tunnels: [.capwap]),
    // From the controller, whose port it is.
    Sample(
      name: "capwap-down",
      bytes: Packet.outer4(17, Packet.udp(5247, 12380, hex("00 104300 00000000") + data("0802") + snap)),
      tunnels: [.capwap]),
    // RFC 9300, section 5.1: nonce and locator status bits; then nonce and instance 7.
    Sample(name: "lisp", bytes: udp(4341, hex("c0123456 00000001") + Packet.tcp4), tunnels: [.lisp]),
    Sample(
      name: "lisp-instance", bytes: udp(4341, hex("88123456 00000701") + Packet.tcp6), version: 6, tunnels: [.lisp]),
    // RFC 9305: P, I, next protocol Ethernet.
    Sample(name: "lisp-gpe", bytes: udp(4341, hex("0c000003 00000701") + frame), tunnels: [.lisp]),
    // RFC 2661, section 3.1: tunnel 1, session 2; then with length, sequence numbers and an offset of two bytes.
    Sample(name: "l2tp", bytes: udp(1701, hex("0002 0001 0002 ff03 0021") + Packet.tcp4), tunnels: [.l2tp]),
    Sample(
      name: "l2tp-all",
      bytes: udp(1701, hex("4a02 0041 0001 0002 0000 0000 0002 0000") + hex("0021") + Packet.tcp4 + [0, 0, 0, 0]),
      tunnels: [.l2tp], trailing: 4),
    // RFC 3931, section 4.1: session 9 over IP; cookie of eight bytes and sublayer; over UDP with PPP.
    Sample(name: "l2tp3", bytes: Packet.outer4(115, hex("00000009") + frame), tunnels: [.l2tp]),
    Sample(
      name: "l2tp3-cookie",
      bytes: Packet.outer6(115, hex("00000009 0102030405060708 40000001") + frame), tunnels: [.l2tp]),
    Sample(
      name: "l2tp3-vlan",
      bytes: Packet.outer4(115, hex("00000009 00000000") + Packet.ethernet(0x8100, hex("0064 86dd") + Packet.tcp6)),
      version: 6, vlans: [100], tunnels: [.l2tp]),
    Sample(
      name: "l2tp3-ppp", bytes: udp(1701, hex("0003 0000 00000009 11223344 ff03 0021") + Packet.tcp4), tunnels: [.l2tp]),
    Sample(name: "l2tp3-ip", bytes: Packet.outer4(115, hex("00000009") + Packet.tcp6), version: 6, tunnels: [.l2tp]),
    // RFC 7510: two labels.
    Sample(
      name: "mpls-in-udp", bytes: udp(6635, hex("00010040 00011140") + Packet.tcp4), tunnels: [.mplsInUDP]),
    // RFC 8086: key.
    Sample(name: "gre-in-udp", bytes: udp(4754, hex("2000 86dd 00000007") + Packet.tcp6), version: 6, tunnels: [.gre]),
    Sample(
      name: "gre-aruba", bytes: Packet.outer4(47, hex("0000 8240") + data("8802") + hex("0000") + snap), tunnels: [.gre]
    ),
    Sample(
      name: "gre-frame-relay", bytes: Packet.outer4(47, hex("0000 6559 0401 03 cc") + Packet.tcp4), tunnels: [.gre]),
    Sample(name: "gre-wccp", bytes: Packet.outer4(47, hex("0000 883e 00000000") + Packet.tcp4), tunnels: [.gre]),
    Sample(
      name: "vxlan-gpe-nsh", bytes: udp(4790, hex("0c000004 00002a00 0fc20202 000001ff") + Packet.tcp6), version: 6,
      tunnels: [.vxlan]),
    Sample(
      name: "vxlan-gpe-mpls", bytes: udp(4790, hex("0c000005 00002a00 00010140") + Packet.tcp4), tunnels: [.vxlan]),
    Sample(name: "vxlan-gpe-ethernet", bytes: udp(4790, hex("08000000 00002a00") + frame), tunnels: [.vxlan]),
  ]
}
