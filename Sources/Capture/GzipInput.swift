import CZlib

/// Decompresses gzip (RFC 1952), also several members one after the other.
@safe final class GzipInput: ByteInput {
  /// Bytes of compressed input that are held at a time.
  static let inputSize = 65_536

  private enum State {
    /// Inside a member.
    case member
    /// After a member: another one, padding of zeros, or the end.
    case between
    case ended
  }

  private let source: any ByteInput
  private let compressed: UnsafeMutablePointer<UInt8>
  private let stream: UnsafeMutablePointer<z_stream>
  private var state = State.member
  private var pendingFault: InputFault?
  /// Whether zlib may hold output that no room was left for: it comes without further input.
  private var mayHoldOutput = false
  /// Compressed bytes that zlib has taken.
  private var taken: UInt64 = 0

  var consumed: UInt64 { source.consumed }
  var length: UInt64? { source.length }

  init(_ source: any ByteInput) {
    self.source = source
    unsafe compressed = .allocate(capacity: Self.inputSize)
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for "gzip only". The structure keeps its address, as zlib asks.
    let status = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    if status != Z_OK { pendingFault = .damaged(codec: "gzip", offset: 0, reason: "zlib refuses to start") }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
    unsafe compressed.deallocate()
  }

  func read(into room: UnsafeMutableRawBufferPointer) throws(InputFault) -> Delivery {
    if let fault = pendingFault { throw fault }
    let wanted = min(room.count, Int(Int32.max))
    // Safe: zlib writes at most `avail_out` bytes, which lie in `room`.
    unsafe stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe stream.pointee.avail_out = UInt32(wanted)
    var produced: Int { wanted - Int(unsafe stream.pointee.avail_out) }

    while produced == 0, state != .ended {
      if unsafe !mayHoldOutput && stream.pointee.avail_in == 0 {
        // Safe: the buffer holds `inputSize` bytes, and zlib sees only those that were read.
        switch try unsafe source.read(into: UnsafeMutableRawBufferPointer(start: compressed, count: Self.inputSize)) {
        case .nothingYet: return .nothingYet
        case .end:
          if state == .member { throw .cut(codec: "gzip", offset: taken) }
          state = .ended
          continue
        case .bytes(let count):
          unsafe stream.pointee.next_in = compressed
          unsafe stream.pointee.avail_in = UInt32(count)
        }
      }
      if state == .between {
        try skipPadding()
        continue
      }
      let before = unsafe stream.pointee.avail_in
      let status = unsafe inflate(stream, Z_NO_FLUSH)
      let after = unsafe stream.pointee.avail_in
      taken = taken &+ UInt64(before &- after)
      mayHoldOutput = unsafe status == Z_OK && stream.pointee.avail_out == 0
      switch status {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: state = .between
      default:
        let fault = InputFault.damaged(codec: "gzip", offset: taken, reason: reason)
        if produced == 0 { throw fault }
        pendingFault = fault
      }
    }
    return produced == 0 ? .end : .bytes(produced)
  }

  /// Passes over zeros behind a member (tapes and block devices pad so), and starts the next member.
  private func skipPadding() throws(InputFault) {
    while unsafe stream.pointee.avail_in > 0 {
      // Safe: at least one byte is left at `next_in`.
      guard let next = unsafe stream.pointee.next_in, unsafe next.pointee == 0 else { break }
      unsafe stream.pointee.next_in = next + 1
      unsafe stream.pointee.avail_in -= 1
      taken = taken &+ 1
    }
    guard unsafe stream.pointee.avail_in > 0, let next = unsafe stream.pointee.next_in else { return }
    guard unsafe next.pointee == 0x1F else {
      throw .damaged(codec: "gzip", offset: taken, reason: "bytes after the end that are no gzip")
    }
    unsafe inflateReset(stream)
    state = .member
  }

  private var reason: String {
    // Safe: zlib's messages are constant strings.
    unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "invalid data"
  }
}
