import Bytes

//  RFC 9000, section 7.5: one side's CRYPTO frames of a packet number space are a stream that begins at offset 0
//
//   frames      [ 300...500 ]      [ 0...120 ]  [ 90...320 ]     in any order, over any number of packets
//   message     | type (1) | length (3) | body                   RFC 8446, section 4

/// Puts one side's CRYPTO frames of the Initial packets together.
///
/// Where two frames do not agree on a byte, the one that came first counts: what a server took is not known.
struct QUICCryptoAssembler {
  /// The most bytes that are kept of a side: a hello with post-quantum key shares has some 2,000, and servers that
  /// accept more than 16,384 are rare. A frame that ends behind this is left out.
  static let maximumBytes = 1 << 14
  /// The most pieces with gaps between them; Chromium makes up to 20. A further one is left out.
  static let maximumPieces = 64

  /// What came of a frame.
  enum Outcome {
    /// It brought bytes that were not there.
    case new
    /// All of it was there.
    case known
    /// It did not fit the caps.
    case leftOut
  }

  /// Up to the end of the last piece; what is missing before it is 0.
  private var buffer: [UInt8] = []
  /// What is there, in order; no two of them touch.
  private var pieces: [Range<Int>] = []
  /// Whether a frame came before bytes that precede it.
  private(set) var isReordered = false
  /// Whether two frames did not agree on a byte.
  private(set) var hasConflict = false
  /// Frames that did not fit the caps.
  private(set) var leftOut = 0

  /// Bytes that are kept.
  var bufferedBytes: Int { buffer.count }

  /// Takes a frame.
  mutating func insert(_ data: borrowing RawSpan, at offset: Int) -> Outcome {
    let count = data.byteCount
    guard count > 0 else { return .known }
    guard offset >= 0, offset <= Self.maximumBytes, count <= Self.maximumBytes &- offset else {
      leftOut &+= 1
      return .leftOut
    }
    let range = offset..<offset &+ count
    // The pieces from `first` up to `last` overlap or touch it.
    var first = 0
    while first < pieces.count, pieces[first].upperBound < range.lowerBound { first &+= 1 }
    var last = first
    while last < pieces.count, pieces[last].lowerBound <= range.upperBound { last &+= 1 }
    if first == last, pieces.count >= Self.maximumPieces {
      leftOut &+= 1
      return .leftOut
    }
    if range.lowerBound > buffer.count { isReordered = true }
    let isNew = write(data, range, over: first..<last)
    if isNew {
      var union = range
      if first < last {
        union = min(range.lowerBound, pieces[first].lowerBound)..<max(range.upperBound, pieces[last &- 1].upperBound)
      }
      pieces.replaceSubrange(first..<last, with: CollectionOfOne(union))
    }
    return isNew ? .new : .known
  }

  /// Writes what is not there yet and compares what is; whether there was anything new.
  private mutating func write(_ data: borrowing RawSpan, _ range: Range<Int>, over overlapping: Range<Int>) -> Bool {
    if range.lowerBound == buffer.count {
      buffer.append(copy data)
      return true
    }
    if buffer.count < range.upperBound {
      buffer.append(contentsOf: repeatElement(0, count: range.upperBound &- buffer.count))
    }
    var isNew = false
    var at = range.lowerBound
    for index in overlapping {
      let piece = pieces[index].clamped(to: range)
      isNew = isNew || at < piece.lowerBound
      copy(data, &at, upTo: piece.lowerBound, range)
      while at < piece.upperBound {
        if buffer[at] != data.u8(at &- range.lowerBound) { hasConflict = true }
        at &+= 1
      }
    }
    isNew = isNew || at < range.upperBound
    copy(data, &at, upTo: range.upperBound, range)
    return isNew
  }

  private mutating func copy(_ data: borrowing RawSpan, _ at: inout Int, upTo end: Int, _ range: Range<Int>) {
    var bytes = buffer.mutableSpan
    while at < end {
      bytes[at] = data.u8(at &- range.lowerBound)
      at &+= 1
    }
  }

  /// Bytes from the begin on that have no gap.
  private var contiguous: Int { pieces.first.map { $0.lowerBound == 0 ? $0.upperBound : 0 } ?? 0 }

  /// All that is there without a gap from the begin on.
  var prefix: RawSpan {
    @_lifetime(borrow self) get { buffer.rawSpan.slice(0, contiguous) }
  }

  /// Whether nothing is there yet.
  var isEmpty: Bool { pieces.isEmpty }

  /// The length of the first message with its header, where it is whole; 0 where it is not, nil where it can never be.
  static func messageLength(_ prefix: borrowing RawSpan) -> Int? {
    guard prefix.byteCount >= 4 else { return 0 }
    let needed = 4 &+ Int(prefix.u32(0) & 0xff_ffff)
    if needed > maximumBytes { return nil }
    return prefix.byteCount >= needed ? needed : 0
  }
}
