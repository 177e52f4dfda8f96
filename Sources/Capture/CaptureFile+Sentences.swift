// The one line that a person gets when a file cannot be read to its end.

extension CaptureFile {
  private var after: String {
    packetsRead == 0 ? "no packet before it" : "the \(packetsRead) packet\(packetsRead == 1 ? "" : "s") before it read"
  }

  private var place: String {
    let unpacked = input is ReadAhead ? " of the decompressed data" : ""
    return "byte \(buffer.streamOffset(buffer.start))\(unpacked), after packet \(packetsRead)"
  }

  func sentence(_ damage: CaptureDamage) -> CaptureError {
    switch damage {
    case .sectionVersion: CaptureError(.unsupported, "\(name): \(damage) (\(place))")
    default: CaptureError(.damaged, "\(name) is damaged at \(place): \(damage)")
    }
  }

  /// The file ends inside a record or block that `needed` bytes were missing for.
  func cutSentence(_ needed: Int) -> CaptureError {
    let there = buffer.available
    return CaptureError(
      .truncated,
      "\(name) is cut off at \(place): \(there) of the next \(needed) bytes \(there == 1 ? "is" : "are") there")
  }

  func sentence(_ fault: InputFault) -> CaptureError {
    switch fault {
    case .system(let code): CaptureError(.inputOutput, "\(name): reading failed at \(place): \(systemText(code))")
    case .cut(let codec, let offset):
      CaptureError(.truncated, "\(name) is cut off: its \(codec) data stop at byte \(offset), \(after)")
    case .damaged(let codec, let offset, let reason):
      CaptureError(.damaged, "\(name) is damaged: its \(codec) data at byte \(offset): \(reason); \(after)")
    }
  }
}
