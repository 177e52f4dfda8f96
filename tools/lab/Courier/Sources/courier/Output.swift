import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the program prints: one JSON object a line on standard output, and words for a person on standard error.
enum Output {
  private static let lock = Mutex(())

  /// Prints one line; a reader that is gone is no reason to stop.
  static func line(_ object: JSON) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var bytes = try? encoder.encode(object) else { return }
    bytes.append(0x0A)
    write(bytes, to: STDOUT_FILENO)
  }

  /// Something that happened to this side without having been asked for.
  static func event(_ fields: [String: JSON]) {
    line(["event": .object(fields.merging(["real": .number(Clock.now())]) { $1 })])
  }

  /// One line of the program's log.
  static func log(_ words: String) {
    write(Data("courier: \(words)\n".utf8), to: STDERR_FILENO)
  }

  /// Writes all of it, in one piece as seen by other writers of this program.
  static func write(_ bytes: Data, to descriptor: Int32) {
    lock.withLock { _ in
      var rest = bytes[...]
      while !rest.isEmpty {
        let written = unsafe rest.withUnsafeBytes { buffer in
          unsafe Foundation.write(descriptor, buffer.baseAddress, buffer.count)
        }
        if written < 0 {
          if errno == EINTR { continue }
          return
        }
        rest = rest.dropFirst(written)
      }
    }
  }
}

/// The time of day.
enum Clock {
  /// Seconds since 1970, to the microsecond.
  static func now() -> Double {
    Double(nanoseconds() / 1000) / 1_000_000
  }

  /// Nanoseconds since 1970.
  static func nanoseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// The file that takes the TLS secrets, in NSS key log format.
final class Secrets: Sendable {
  private let descriptor: Int32

  /// - Throws: a complaint if the file cannot be written.
  init(path: String) throws {
    descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor < 0 {
      throw Complaint("\(path): cannot be written (\(unsafe String(cString: strerror(errno))))")
    }
  }

  deinit { close(descriptor) }

  /// Adds one line; the line break may be there already.
  func add(_ line: some Sequence<UInt8>) {
    var bytes = Data(line)
    while bytes.last == 0x0A || bytes.last == 0x0D { bytes.removeLast() }
    bytes.append(0x0A)
    Output.write(bytes, to: descriptor)
  }
}
