import CPcap

// LINKTYPE_ values stand in files (https://www.tcpdump.org/linktypes.html), DLT_ values in libpcap's calls. They are
// the same number but for the types below, whose DLT_ value was taken already, or differs from system to system.

/// One type whose two numbers differ on some system.
private struct TwoNumbers {
  var link: UInt16
  var dlt: Int32
}

private let differing: [TwoNumbers] = [
  TwoNumbers(link: 100, dlt: DLT_ATM_RFC1483), TwoNumbers(link: 101, dlt: DLT_RAW),
  TwoNumbers(link: 102, dlt: DLT_SLIP_BSDOS), TwoNumbers(link: 103, dlt: DLT_PPP_BSDOS),
  TwoNumbers(link: 104, dlt: DLT_C_HDLC), TwoNumbers(link: 106, dlt: DLT_ATM_CLIP),
  TwoNumbers(link: 107, dlt: DLT_FRELAY), TwoNumbers(link: 108, dlt: DLT_LOOP), TwoNumbers(link: 109, dlt: DLT_ENC),
  TwoNumbers(link: 246, dlt: DLT_PFSYNC), TwoNumbers(link: 258, dlt: DLT_PKTAP),
]

/// The LINKTYPE_ value that a file means: raw IP also occurs as the DLT_ values that writers left as they were.
func normalized(_ linkType: UInt16) -> UInt16 {
  // DLT_RAW is 14 on OpenBSD and 12 elsewhere; neither is a LINKTYPE_ of its own.
  linkType == 12 || linkType == 14 ? 101 : linkType
}

/// The LINKTYPE_ value for a DLT_ value of libpcap.
func linkType(dlt: Int32) -> UInt16 {
  differing.first { $0.dlt == dlt }?.link ?? UInt16(clamping: dlt)
}

/// The DLT_ value for a LINKTYPE_ value of a file.
func dlt(linkType: UInt16) -> Int32 {
  differing.first { $0.link == linkType }?.dlt ?? Int32(linkType)
}

/// A link type's name as the field writes it, "EN10MB"; its number where it has none.
public func linkTypeName(_ linkType: UInt16) -> String {
  // libpcap's names are constant strings.
  guard let name = unsafe pcap_datalink_val_to_name(dlt(linkType: linkType)) else { return "link type \(linkType)" }
  return unsafe String(cString: name)
}
