import Bytes

/// Puts the handshake messages of one side together from fragments in any order, overlapping and repeated.
///
/// Of bytes that came twice the first count. A message that lies whole in a datagram is lent from there; parts of a cut
/// one are copied, and go as soon as it was received.
struct DTLSHandshakeAssembler: Sendable {
  /// The longest message that is read.
  static let maximumMessageLength = 1 << 16
  /// The most bytes that are kept.
  static let maximumBufferedBytes = 1 << 16
  /// The most messages that are being put together, and that are remembered as received.
  static let maximumMessages = 8
  /// The most fragments of a message: a hello in single bytes fits, and their copying stays bounded.
  static let maximumFragments = 4096
  /// The most gaps in a message.
  static let maximumRuns = 256

  /// Bytes without a gap.
  private struct Run {
    var offset: Int
    var bytes: [UInt8]
    var end: Int { offset &+ bytes.count }
  }

  private struct Message {
    var sequence: UInt16
    var type: TLSHandshakeType
    var length: Int
    var runs: [Run] = []
    var fragments = 0
    var datagrams = 0
    var lastDatagram = -1
  }

  private var messages: [Message] = []
  private var received: [(sequence: UInt16, type: TLSHandshakeType)] = []
  /// Bytes that are kept.
  private(set) var bufferedBytes = 0
  /// Fragments that a cap kept out.
  private(set) var dropped = 0

  /// Takes a fragment that the datagram with this number brought; hands the message on once it is whole, with the
  /// number of datagrams that it came in.
  mutating func consume(
    _ header: DTLSFragmentHeader, _ fragment: borrowing RawSpan, datagram: Int,
    _ receive: (borrowing RawSpan, Int) -> Void
  ) {
    if received.contains(where: { $0.sequence == header.sequence && $0.type == header.type }) { return }
    guard header.length <= Self.maximumMessageLength, received.count < Self.maximumMessages else {
      dropped &+= 1
      return
    }
    let index = messages.firstIndex { $0.sequence == header.sequence && $0.type == header.type }
    if index == nil, fragment.byteCount == header.length {
      received.append((header.sequence, header.type))
      return receive(fragment, 1)
    }
    guard let index = index ?? open(header) else {
      dropped &+= 1
      return
    }
    // A fragment of another message with this number: the first one stays.
    guard messages[index].length == header.length, messages[index].fragments < Self.maximumFragments else {
      dropped &+= 1
      return
    }
    insert(fragment, at: header.offset, of: index)
    if messages[index].lastDatagram != datagram {
      messages[index].lastDatagram = datagram
      messages[index].datagrams &+= 1
    }
    guard messages[index].runs.first?.bytes.count == header.length || header.length == 0 else { return }
    let message = messages.remove(at: index)
    bufferedBytes &-= header.length
    received.append((header.sequence, header.type))
    let body = message.runs.first?.bytes ?? []
    receive(body.rawSpan, message.datagrams)
  }

  private mutating func open(_ header: DTLSFragmentHeader) -> Int? {
    guard messages.count < Self.maximumMessages else { return nil }
    messages.append(Message(sequence: header.sequence, type: header.type, length: header.length))
    return messages.count &- 1
  }

  private mutating func insert(_ fragment: borrowing RawSpan, at offset: Int, of index: Int) {
    messages[index].fragments &+= 1
    let end = offset &+ fragment.byteCount
    var first = 0
    while first < messages[index].runs.count, messages[index].runs[first].end < offset { first &+= 1 }
    var last = first
    while last < messages[index].runs.count, messages[index].runs[last].offset <= end { last &+= 1 }
    var known = 0
    for run in messages[index].runs[first..<last] { known &+= max(min(run.end, end) &- max(run.offset, offset), 0) }
    let new = fragment.byteCount &- known
    let isFull =
      bufferedBytes &+ new > Self.maximumBufferedBytes
      || first == last && messages[index].runs.count >= Self.maximumRuns
    if isFull {
      dropped &+= 1
      return
    }
    bufferedBytes &+= new
    if first == last {
      messages[index].runs.insert(Run(offset: offset, bytes: fragment.array), at: first)
      return
    }
    let head = messages[index].runs[first]
    if last == first &+ 1, head.offset <= offset {
      let overlap = min(head.end &- offset, fragment.byteCount)
      messages[index].runs[first].bytes.append(fragment.slice(overlap, fragment.byteCount))
      return
    }
    var merged = Run(offset: min(offset, head.offset), bytes: [])
    for run in messages[index].runs[first..<last] {
      if merged.end < run.offset {
        merged.bytes.append(fragment.slice(merged.end &- offset, run.offset &- merged.end))
      }
      merged.bytes.append(run.bytes.rawSpan)
    }
    if merged.end < end { merged.bytes.append(fragment.slice(merged.end &- offset, end &- merged.end)) }
    messages[index].runs.replaceSubrange(first..<last, with: [merged])
  }
}
