#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What one read of an input came to.
enum Delivery {
  /// So many bytes, at least one.
  case bytes(Int)
  /// Nothing yet: a pipe's writer is slow, or a signal came.
  case nothingYet
  /// There is no more.
  case end
}

/// Why an input cannot go on.
enum InputFault: Error, Equatable {
  /// The system refused to read, with its error number.
  case system(Int32)
  /// Compressed data stop before their end; the offset is that in the compressed file.
  case cut(codec: String, offset: UInt64)
  /// Compressed data contradict themselves; the offset is that in the compressed file.
  case damaged(codec: String, offset: UInt64, reason: String)
}

/// A stream of bytes: a descriptor, memory, or either of them decompressed.
protocol ByteInput: AnyObject {
  /// How many bytes of the underlying file were read, before decompression.
  var consumed: UInt64 { get }
  /// The length of the underlying file, where that is known.
  var length: UInt64? { get }
  /// Reads some bytes into `room`, which is not empty.
  func read(into room: UnsafeMutableRawBufferPointer) throws(InputFault) -> Delivery
}

/// Bytes of a file, a pipe or a device, through `read(2)`.
final class DescriptorInput: ByteInput {
  /// How long a read of a pipe waits before it says `nothingYet`: signals and timers get their turn this often.
  static let patienceMilliseconds: Int32 = 100

  private let descriptor: Int32
  private let owns: Bool
  private let isRegular: Bool
  private(set) var consumed: UInt64 = 0
  let length: UInt64?

  /// Reads a descriptor, and closes it in the end where it owns it.
  init(descriptor: Int32, owns: Bool, regularLength: UInt64?) {
    self.descriptor = descriptor
    self.owns = owns
    isRegular = regularLength != nil
    length = regularLength
  }

  deinit { if owns { close(descriptor) } }

  func read(into room: UnsafeMutableRawBufferPointer) throws(InputFault) -> Delivery {
    if !isRegular {
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      // Safe: one structure, as the count says.
      let ready = unsafe poll(&wanted, 1, Self.patienceMilliseconds)
      if ready == 0 || (ready < 0 && errno == EINTR) { return .nothingYet }
    }
    // Safe: the buffer's own base and count.
    let got = unsafe systemRead(descriptor, room.baseAddress, room.count)
    if got < 0 {
      if errno == EINTR || errno == EAGAIN { return .nothingYet }
      throw .system(errno)
    }
    consumed = consumed &+ UInt64(got)
    return got == 0 ? .end : .bytes(got)
  }
}

private func systemRead(_ descriptor: Int32, _ base: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  unsafe read(descriptor, base, count)
}

/// Bytes that lie in memory, handed out in pieces.
final class MemoryInput: ByteInput {
  private let content: [UInt8]
  private let piece: Int
  private var at = 0

  /// An input over `content` that gives at most `piece` bytes a read.
  init(_ content: [UInt8], piece: Int = .max) {
    self.content = content
    self.piece = max(piece, 1)
  }

  var consumed: UInt64 { UInt64(at) }
  var length: UInt64? { UInt64(content.count) }

  func read(into room: UnsafeMutableRawBufferPointer) throws(InputFault) -> Delivery {
    let count = min(room.count, piece, content.count - at)
    guard count > 0 else { return .end }
    // Safe: `count` bytes are left in both.
    unsafe room.copyBytes(from: content[at..<at + count])
    at += count
    return .bytes(count)
  }
}

/// Bytes that were read already to see what they are, and then the rest.
final class RewoundInput: ByteInput {
  private var head: [UInt8]
  private var at = 0
  private let rest: any ByteInput

  init(_ head: [UInt8], then rest: any ByteInput) {
    self.head = head
    self.rest = rest
  }

  var consumed: UInt64 { rest.consumed }
  var length: UInt64? { rest.length }

  func read(into room: UnsafeMutableRawBufferPointer) throws(InputFault) -> Delivery {
    guard at < head.count else { return try unsafe rest.read(into: room) }
    let count = min(room.count, head.count - at)
    // Safe: `count` bytes are left in both.
    unsafe room.copyBytes(from: head[at..<at + count])
    at += count
    if at == head.count {
      head = []
      at = 0
    }
    return .bytes(count)
  }
}
