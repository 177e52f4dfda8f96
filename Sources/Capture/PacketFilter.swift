import CPcap

/// A filter expression in the language of pcap-filter(7), compiled for each link type that comes by.
@safe final class PacketFilter {
  /// Programs that are kept: more link types than this in one capture are refused, and their packets do not match.
  static let maximumPrograms = 64
  /// The snapshot length that programs are compiled for; they take whole packets.
  static let snapshotLength: Int32 = 262_144

  // Safe: `program` is made by pcap_compile and freed once, with the filter.
  @safe private struct Compiled {
    var linkType: UInt16
    /// nil where the expression makes no sense for the link type.
    var program: UnsafeMutablePointer<bpf_program>?
    var refusal: String?
  }

  let expression: String
  private var compiled: [Compiled] = []

  init(_ expression: String) { self.expression = expression }

  deinit {
    for entry in compiled {
      guard let program = unsafe entry.program else { continue }
      unsafe pcap_freecode(program)
      unsafe program.deallocate()
    }
  }

  /// Whether the expression compiled for any link type so far.
  var hasProgram: Bool {
    for entry in compiled where unsafe entry.program != nil { return true }
    return false
  }

  /// The first refusal of libpcap's compiler, if there was one.
  var firstRefusal: String? {
    for entry in compiled {
      if let refusal = entry.refusal { return refusal }
    }
    return nil
  }

  /// A place for `matches`: the program for a link type, compiled when first asked for.
  /// - Returns: the slot, and libpcap's words where the expression has just been refused for this link type.
  func slot(for linkType: UInt16) -> (slot: Int, refusal: String?) {
    for index in compiled.indices where compiled[index].linkType == linkType { return (index, nil) }
    guard compiled.count < Self.maximumPrograms else { return (-1, nil) }
    let new = compile(for: linkType)
    compiled.append(new)
    return (compiled.count - 1, new.refusal)
  }

  private func compile(for linkType: UInt16) -> Compiled {
    guard let handle = unsafe pcap_open_dead(dlt(linkType: linkType), Self.snapshotLength) else {
      return unsafe Compiled(linkType: linkType, program: nil, refusal: "libpcap has no memory for a filter")
    }
    defer { unsafe pcap_close(handle) }
    let program = UnsafeMutablePointer<bpf_program>.allocate(capacity: 1)
    unsafe program.initialize(to: bpf_program())
    guard unsafe pcap_compile(handle, program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0 else {
      unsafe program.deallocate()
      // Safe: the handle's error text ends with a zero and is copied before the handle is closed.
      let refusal = unsafe oneLine(String(cString: pcap_geterr(handle)))
      return unsafe Compiled(linkType: linkType, program: nil, refusal: refusal)
    }
    return unsafe Compiled(linkType: linkType, program: program, refusal: nil)
  }

  /// Whether a packet of `captured` bytes matches the program of a slot; false where the slot has none.
  func matches(_ slot: Int, captured: Int, wire: UInt32, packet: UnsafePointer<UInt8>?) -> Bool {
    guard slot >= 0, slot < compiled.count, let program = unsafe compiled[slot].program,
      let packet = unsafe packet
    else { return false }
    var header = pcap_pkthdr()
    header.caplen = UInt32(clamping: captured)
    header.len = wire
    // Safe: the program was made by pcap_compile, and `packet` points to `captured` bytes.
    return unsafe pcap_offline_filter(program, &header, packet) != 0
  }
}

/// The sentence for an expression that libpcap's compiler refuses.
func badFilter(_ expression: String, _ reason: String) -> CaptureError {
  CaptureError(.badFilter, "filter '\(expression)': \(reason); `man pcap-filter` describes the language")
}

/// A text of a library as one line.
func oneLine(_ text: String) -> String {
  text.split(whereSeparator: \.isNewline).joined(separator: " ")
}
