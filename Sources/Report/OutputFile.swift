#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why nothing more can be written.
public enum OutputFailure: Error, Equatable, Sendable {
  /// The reader has gone (EPIPE): no error of ours, but a reason to stop.
  case closed
  /// One line for a person: what could not be written, and why.
  case failed(String)
}

/// A buffered file, pipe or terminal that records go to. After a failure it takes what comes and writes nothing.
///
/// The process must ignore SIGPIPE. It is used from one thread.
public final class OutputFile {
  /// The most bytes that wait to be written.
  public static let bufferSize = 1 << 17

  /// What stopped it, where something did.
  public private(set) var failure: OutputFailure?
  /// The name for messages.
  public let name: String
  private var descriptor: Int32
  private let isOwned: Bool
  private var buffer: [UInt8] = []

  private init(descriptor: Int32, name: String, isOwned: Bool) {
    self.descriptor = descriptor
    self.name = name
    self.isOwned = isOwned
    buffer.reserveCapacity(Self.bufferSize + 8_192)
  }

  deinit { if isOwned, descriptor >= 0 { _ = close(descriptor) } }

  /// Standard output.
  public static func standardOutput() -> OutputFile {
    OutputFile(descriptor: STDOUT_FILENO, name: "standard output", isOwned: false)
  }

  /// Creates or empties a file.
  /// - Throws: `OutputFailure.failed` with the system's reason.
  public static func create(_ path: String) throws(OutputFailure) -> OutputFile {
    // Safe: the pointer that the bridged path gives is used only inside the call.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .failed(creationFailure(errno, path)) }
    return OutputFile(descriptor: descriptor, name: path, isOwned: true)
  }

  /// Whether it is a terminal.
  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Takes bytes, and writes when enough have come together.
  public func write(_ bytes: [UInt8]) {
    guard failure == nil else { return }
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferSize { flush() }
  }

  /// Takes a line of text without its line feed.
  public func write(line: String) {
    guard failure == nil else { return }
    buffer.append(contentsOf: line.utf8)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.bufferSize { flush() }
  }

  /// Writes what waits.
  public func flush() {
    defer { buffer.removeAll(keepingCapacity: true) }
    guard failure == nil, !buffer.isEmpty else { return }
    if let code = writeAll(buffer, to: descriptor) { fail(code) }
  }

  /// Writes what waits and closes an own file; a full disk may show only here.
  public func finish() {
    flush()
    guard isOwned, descriptor >= 0 else { return }
    if close(descriptor) != 0, failure == nil { fail(errno) }
    descriptor = -1
  }

  private func fail(_ code: Int32) {
    failure = code == EPIPE ? .closed : .failed("cannot write \(printable(name)): \(systemMessage(code))")
  }
}

/// The sentence for a file that cannot be created.
private func creationFailure(_ code: Int32, _ path: String) -> String {
  let reason =
    switch code {
    case ENOENT, ENOTDIR: "no such folder"
    default: systemMessage(code)
    }
  return "cannot write \(printable(path)): \(reason)"
}

/// Writes all bytes to a descriptor; the error number where that failed.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
  // Safe: offset and count stay inside the buffer that the closure borrows.
  unsafe bytes.withUnsafeBytes { buffer in
    var written = 0
    while written < buffer.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
      let step = unsafe write(descriptor, rest.baseAddress, rest.count)
      if step < 0 {
        let code = errno
        if code == EINTR { continue }
        if code == EAGAIN {
          var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = unsafe poll(&waiting, 1, 1_000)
          continue
        }
        return code
      }
      written += step
    }
    return nil
  }
}

/// The system's words for an error number: "No space left on device".
func systemMessage(_ code: Int32) -> String {
  // Safe: strerror gives a text that stands until its next call on this thread, and it is copied at once.
  guard let text = unsafe strerror(code) else { return "error \(code)" }
  return unsafe String(cString: text)
}
