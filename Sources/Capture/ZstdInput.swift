import CZstd

/// Decompresses Zstandard (RFC 8878), also several frames one after the other.
///
/// zstd itself refuses windows above 128 MiB, so the memory that a file can ask for is bounded.
@safe final class ZstdInput: ByteInput {
  /// Bytes of compressed input that are held at a time.
  static let inputSize = 131_072

  private let source: any ByteInput
  private let compressed: UnsafeMutableRawPointer
  private let decoder: OpaquePointer?
  private var filled = 0
  private var at = 0
  private var taken: UInt64 = 0
  /// How many bytes zstd wants next: fed with no more, it decodes block by block, and damage costs one block only.
  private var appetite = ZstdInput.frameStart
  /// Bytes that tell a frame's header.
  private static let frameStart = 6
  /// Bytes of a block's header.
  private static let blockHeader = 3
  /// Whether a frame is begun and not ended.
  private var isInsideFrame = false
  /// Whether the decoder may hold output that no room was left for.
  private var mayHoldOutput = false

  var consumed: UInt64 { source.consumed }
  var length: UInt64? { source.length }

  init(_ source: any ByteInput) {
    self.source = source
    unsafe compressed = .allocate(byteCount: Self.inputSize, alignment: 16)
    unsafe decoder = ZSTD_createDCtx()
  }

  deinit {
    unsafe ZSTD_freeDCtx(decoder)
    unsafe compressed.deallocate()
  }

  func read(into room: UnsafeMutableRawBufferPointer) throws(InputFault) -> Delivery {
    guard unsafe decoder != nil else { throw .system(12) }
    while true {
      if at == filled, !mayHoldOutput {
        // Safe: the buffer holds `inputSize` bytes.
        switch try unsafe source.read(into: UnsafeMutableRawBufferPointer(start: compressed, count: Self.inputSize)) {
        case .nothingYet: return .nothingYet
        case .end:
          if isInsideFrame { throw .cut(codec: "zstd", offset: taken) }
          return .end
        case .bytes(let count):
          filled = count
          at = 0
        }
      }
      // Output that is held goes out by itself first: an error on new input in the same call would take it along.
      let limit = mayHoldOutput ? at : at + min(filled - at, appetite)
      // Safe: zstd reads up to `limit`, which is at most `filled`, and writes at most `room.count` bytes to `room`.
      var input = unsafe ZSTD_inBuffer(src: compressed, size: limit, pos: at)
      var output = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
      let status = unsafe ZSTD_decompressStream(decoder, &output, &input)
      let position = unsafe input.pos, produced = unsafe output.pos
      taken = taken &+ UInt64(position - at)
      let moved = position != at
      at = position
      if ZSTD_isError(status) != 0 {
        // zstd gives its messages as constant strings.
        let reason = unsafe String(cString: ZSTD_getErrorName(status))
        throw .damaged(codec: "zstd", offset: taken, reason: reason)
      }
      // The hint counts the header of the next block in, which must not be seen before this block's output is out.
      let hint = Int(clamping: status)
      appetite = hint == 0 ? Self.frameStart : hint > Self.blockHeader ? hint - Self.blockHeader : hint
      if status == 0 {
        isInsideFrame = false
      } else if moved || produced > 0 {
        isInsideFrame = true
      }
      mayHoldOutput = produced == room.count && status != 0
      if produced > 0 { return .bytes(produced) }
    }
  }
}
