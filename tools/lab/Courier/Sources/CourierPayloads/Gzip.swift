import CZlib

/// gzip by zlib at its usual level, as iMessage bodies are compressed (rustpush `src/imessage/rawmessages.rs`).
enum Gzip {
  /// - Returns: the compressed bytes; the input itself where zlib has no memory.
  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    // Empty: no pointer in it is set until its buffer lives.
    var stream = unsafe z_stream()
    // 15 bits of window and 16 more for a gzip header; level and memory are zlib's defaults.
    guard
      unsafe deflateInit2_(
        &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        CInt(MemoryLayout<z_stream>.size)) == Z_OK
    else { return bytes }
    defer { unsafe deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))) + 32)
    // The pointers live only within these closures, and zlib is told the sizes of what they point to.
    let isWhole = unsafe input.withUnsafeMutableBufferPointer { source in
      unsafe output.withUnsafeMutableBufferPointer { target in
        unsafe stream.next_in = source.baseAddress
        unsafe stream.avail_in = UInt32(source.count)
        unsafe stream.next_out = target.baseAddress
        unsafe stream.avail_out = UInt32(target.count)
        return unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END
      }
    }
    guard isWhole else { return bytes }
    return Array(output.prefix(Int(unsafe stream.total_out)))
  }
}
