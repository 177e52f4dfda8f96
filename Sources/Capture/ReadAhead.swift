import Dispatch
import Synchronization

/// Another input, read by a thread of its own: decompression goes on while packets are analysed.
///
/// Bytes, faults and the end come in the order that the input gave them in. When this reader is let go of, the thread
/// ends after the read that it is in, which waits for a pipe `DescriptorInput.patienceMilliseconds` at most; nobody
/// waits for the thread.
@safe final class ReadAhead: ByteInput {
  /// Bytes of a buffer between the threads.
  static let bufferSize = 262_144
  /// Buffers that are being filled, wait or are being read: what bounds the memory.
  static let maximumBuffers = 4

  let length: UInt64?
  /// What was read of the underlying file up to the bytes that are handed out.
  private(set) var consumed: UInt64
  private let exchange: BufferExchange
  private var current: FilledBuffer?
  private var at = 0
  private var ending: FilledBuffer.Ending?

  /// Starts the thread, which alone uses `source` from here on.
  init(_ source: any ByteInput) {
    length = source.length
    consumed = source.consumed
    exchange = BufferExchange(source)
    DispatchQueue(label: "wiretag decompression", qos: .userInitiated).async { [exchange] in exchange.fillAll() }
  }

  deinit { exchange.abandon() }

  func read(into room: UnsafeMutableRawBufferPointer) throws(InputFault) -> Delivery {
    while ending == nil {
      guard let buffer = current ?? exchange.take(isPatient: length != nil) else { return .nothingYet }
      current = buffer
      let count = min(room.count, buffer.count - at)
      if count > 0 {
        // Safe: `count` bytes are left in both, and who takes a buffer is its only owner.
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(start: buffer.base + at, count: count))
        at += count
        consumed = buffer.consumed
        return .bytes(count)
      }
      consumed = buffer.consumed
      ending = buffer.ending
      current = nil
      at = 0
      exchange.giveBack(buffer)
    }
    if case .fault(let fault) = ending { throw fault }
    return .end
  }
}

/// Bytes on their way from the thread that reads ahead.
///
/// `@unchecked` holds since a buffer has one owner at a time: it is filled, queued, read by who takes it, given back.
@safe private final class FilledBuffer: @unchecked Sendable {
  /// What comes behind the last bytes.
  enum Ending {
    case end
    case fault(InputFault)
  }

  let base = UnsafeMutableRawPointer.allocate(byteCount: ReadAhead.bufferSize, alignment: 16)
  var count = 0
  var consumed: UInt64 = 0
  var ending: Ending?

  deinit { unsafe base.deallocate() }

  /// Reads once into what is free, and notes where the input ends.
  func fill(from source: any ByteInput) {
    do throws(InputFault) {
      // Safe: as many bytes follow `count` as the buffer has beyond it, which is more than none.
      let room = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: ReadAhead.bufferSize - count)
      switch try unsafe source.read(into: room) {
      case .bytes(let more): count += more
      case .nothingYet: break
      case .end: ending = .end
      }
    } catch {
      ending = .fault(error)
    }
  }
}

/// The filled and the free buffers, and the loop of the thread that fills them.
///
/// `@unchecked` holds since `source` belongs to that thread, and all else is safe to share.
private final class BufferExchange: @unchecked Sendable {
  private let source: any ByteInput
  private let filled = Mutex<[FilledBuffer]>([])
  private let spare = Mutex<[FilledBuffer]>([])
  // Both begin at 0, since a semaphore that is let go of below its first value ends the program.
  private let waiting = DispatchSemaphore(value: 0)
  private let free = DispatchSemaphore(value: 0)
  private let isAbandoned = Atomic(false)

  init(_ source: any ByteInput) {
    self.source = source
    for _ in 0..<ReadAhead.maximumBuffers { free.signal() }
  }

  /// Fills buffers until the input ends or nobody reads any more.
  func fillAll() {
    // A pipe's bytes go on as they come; a file's are gathered, so that threads meet seldom.
    let mark = source.length == nil ? 1 : ReadAhead.bufferSize * 3 / 4
    while true {
      free.wait()
      let buffer = spare.withLock { $0.popLast() } ?? FilledBuffer()
      while buffer.count < mark, buffer.ending == nil {
        if isAbandoned.load(ordering: .acquiring) { return }
        buffer.fill(from: source)
      }
      buffer.consumed = source.consumed
      let isLast = buffer.ending != nil
      filled.withLock { $0.append(buffer) }
      waiting.signal()
      if isLast { return }
    }
  }

  /// The next buffer; nil where none came in time and the reader is not patient.
  func take(isPatient: Bool) -> FilledBuffer? {
    let deadline: DispatchTime =
      isPatient ? .distantFuture : .now() + .milliseconds(Int(DescriptorInput.patienceMilliseconds))
    guard waiting.wait(timeout: deadline) == .success else { return nil }
    return filled.withLock { $0.isEmpty ? nil : $0.removeFirst() }
  }

  func giveBack(_ buffer: FilledBuffer) {
    buffer.count = 0
    buffer.ending = nil
    spare.withLock { $0.append(buffer) }
    free.signal()
  }

  /// Ends the thread.
  func abandon() {
    isAbandoned.store(true, ordering: .releasing)
    free.signal()
  }
}
