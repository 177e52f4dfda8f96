/// Why a capture file cannot be read on. The place is where the record or block begins.
enum CaptureDamage: Equatable {
  /// A pcap record claims more bytes than its link type's packets can have.
  case packetTooLong(claimed: UInt32, most: Int)
  /// A block's length is too small, not a multiple of 4, or above the cap.
  case blockLength(UInt32)
  /// A block's closing length is not its opening one.
  case blockLengthsDiffer(UInt32, UInt32)
  /// A section whose byte-order magic is none.
  case byteOrderMagic(UInt32)
  /// A section of another version than 1.
  case sectionVersion(UInt16, UInt16)
  /// A block is too short for the fields of its type.
  case shortBlock(type: UInt32)
  /// A packet's bytes do not fit in its block.
  case packetBeyondBlock(claimed: UInt32)
  /// A packet of an interface that the section has not described.
  case unknownInterface(UInt32, known: Int)
  /// More interfaces in a section than a packet can name here.
  case tooManyInterfaces
}

extension CaptureDamage: CustomStringConvertible {
  var description: String {
    switch self {
    case .packetTooLong(let claimed, let most):
      "the record claims \(claimed) captured bytes, and at most \(most) can be"
    case .blockLength(let length): "the block claims a length of \(length) bytes, which cannot be"
    case .blockLengthsDiffer(let opening, let closing):
      "the block says \(opening) bytes at its start and \(closing) at its end"
    case .byteOrderMagic(let magic): "the section's byte-order magic is 0x\(String(magic, radix: 16))"
    case .sectionVersion(let major, let minor): "the section is of pcapng version \(major).\(minor), and 1 is known"
    case .shortBlock(let type): "the block of type 0x\(String(type, radix: 16)) is too short for its fields"
    case .packetBeyondBlock(let claimed): "the packet claims \(claimed) captured bytes, more than its block has"
    case .unknownInterface(let index, let known):
      "the packet names interface \(index), and \(known) \(known == 1 ? "is" : "are") described"
    case .tooManyInterfaces: "the section describes more than \(SectionState.maximumInterfaces) interfaces"
    }
  }
}
