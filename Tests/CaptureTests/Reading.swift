import Capture
import Foundation

/// A packet as a source lent it, copied.
struct Seen: Equatable, CustomStringConvertible {
  var timestamp: Int64
  var wire: Int
  var linkType: UInt16
  var interface: UInt16 = 0
  var bytes: [UInt8]

  var description: String {
    "(\(timestamp) ns, \(bytes.count) of \(wire) bytes, link type \(linkType), interface \(interface))"
  }
}

/// Everything that a source lends until it ends, and the error that it ended with.
struct Reading {
  var packets: [Seen] = []
  var error: CaptureError?
  var notices: [String] = []
  var secrets: [DecryptionSecrets] = []
  var interfaces: [CapturedInterface] = []
  /// What `next` said when it was asked once more after the end.
  var afterwards: BatchOutcome?
}

/// Reads an opened source to its end, giving each packet to `body`.
func drain<Source: PacketSource & ~Copyable>(
  _ source: inout Source, _ body: (PacketRef, RawSpan) -> Void
) -> (error: CaptureError?, afterwards: BatchOutcome?) {
  var batch = PacketBatch()
  var failure: CaptureError?
  reading: while true {
    do throws(CaptureError) {
      switch try source.next(&batch) {
      case .packets:
        for index in 0..<batch.count {
          let packet = batch.items[index]
          let start = Int(packet.offset)
          body(packet, source.bytes.extracting(start..<start + Int(packet.captured)))
        }
      case .idle: continue
      case .end: break reading
      }
    } catch {
      failure = error
      break
    }
  }
  return (failure, try? source.next(&batch))
}

func copy(_ bytes: RawSpan) -> [UInt8] {
  unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
}

func read(_ file: consuming CaptureFile) -> Reading {
  var file = file
  var reading = Reading()
  var packets: [Seen] = []
  let end = drain(&file) { packet, bytes in
    packets.append(
      Seen(
        timestamp: packet.timestamp, wire: Int(packet.wire), linkType: packet.linkType, interface: packet.interface,
        bytes: copy(bytes)))
  }
  reading.packets = packets
  reading.error = end.error
  reading.afterwards = end.afterwards
  reading.notices = file.notices
  reading.secrets = file.secrets
  reading.interfaces = file.interfaces
  return reading
}

/// Reads a capture that lies in memory; an error at opening counts as the end of an empty one.
func read(_ bytes: [UInt8], filter: String? = nil) -> Reading {
  do throws(CaptureError) {
    return read(try CaptureFile.open(bytes: bytes, filter: filter))
  } catch {
    return Reading(error: error)
  }
}

/// The same through a tiny buffer and short reads, so that every seam of the refill is crossed.
func readInPieces(_ bytes: [UInt8], piece: Int, bufferSize: Int) -> Reading {
  do throws(CaptureError) {
    return read(try CaptureFile.open(bytes: bytes, piece: piece, bufferSize: bufferSize))
  } catch {
    return Reading(error: error)
  }
}

func read(path: String, filter: String? = nil) -> Reading {
  do throws(CaptureError) {
    return read(try CaptureFile.open(path: path, filter: filter))
  } catch {
    return Reading(error: error)
  }
}

/// Says aloud on standard error that a test could not be made.
func skipped(_ reason: String) {
  FileHandle.standardError.write(Data("SKIPPED: \(reason)\n".utf8))
}

/// A folder that goes away with the test.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "capture-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// Runs a program and gives what it wrote; nil where it is not installed.
func run(_ program: String, _ arguments: [String], input: Data? = nil) throws -> (status: Int32, output: Data)? {
  let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/opt/homebrew/bin"]
  guard let path = folders.map({ "\($0)/\(program)" }).first(where: FileManager.default.isExecutableFile(atPath:))
  else { return nil }
  let process = Process()
  process.executableURL = URL(filePath: path)
  process.arguments = arguments
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  // A file instead of a pipe: nothing waits for a program that waits for its own output to be read.
  let file = FileManager.default.temporaryDirectory.appending(path: "input-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: file) }
  try (input ?? Data()).write(to: file)
  process.standardInput = try FileHandle(forReadingFrom: file)
  try process.run()
  let written = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, written)
}
