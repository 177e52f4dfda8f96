import Foundation
import Synchronization

/// A sentence for the person who runs the tests.
struct Complaint: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A line of truth, as far as the tests look at it.
struct TruthLine: Decodable, Equatable {
  var local: String
  var remote: String
  var direction: String
  var kind: String
  var plaintext: Int
  var records: [Int]
  var message: String?
  var framing: String
  var tls: String
  var text_length: Int?
  var devices: Int?
}

/// An event, as far as the tests look at it.
struct EventLine: Decodable {
  var what: String
  var kind: String?
  var message: String?
  var port: Int?
  var stored: Bool?
}

/// The courier's program, steered as the lab steers it.
final class Program {
  private struct Line: Decodable {
    var id: Int?
    var ok: Bool?
    var error: String?
    var ready: Bool?
    var truth: TruthLine?
    var event: EventLine?
    var message: String?
    var port: Int?
    var stored: Bool?
    var tries: Int?
  }

  /// What came back for a request.
  struct Answer {
    var message: String?
    var port: Int?
    var stored: Bool?
    var tries: Int?
  }

  private let process: Process
  private let input = Pipe()
  private let output = Pipe()
  private var buffer = Data()
  private var number = 0
  private(set) var truth: [TruthLine] = []
  private(set) var events: [EventLine] = []

  /// Beside the tests' own executable.
  static var path: URL {
    (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0]))
      .deletingLastPathComponent().appendingPathComponent("courier")
  }

  init(_ arguments: [String]) throws {
    process = CourierEndpointTests.process([Self.path.path] + arguments)
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    while let line = try next() {
      if line.ready == true { return }
    }
    throw Complaint("the program ended before it was ready")
  }

  private func next() throws -> Line? {
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        let line = try JSONDecoder().decode(Line.self, from: buffer[..<end])
        buffer = Data(buffer[(end + 1)...])
        if let truth = line.truth { self.truth.append(truth) }
        if let event = line.event { events.append(event) }
        return line
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { return nil }
      buffer += more
    }
  }

  /// One act, to its end.
  @discardableResult
  func ask(_ verb: String, _ fields: [String: Any] = [:]) throws -> Answer {
    number += 1
    var request = fields
    request["id"] = number
    request["do"] = verb
    try send(JSONSerialization.data(withJSONObject: request))
    while let line = try next() {
      guard line.id == number else { continue }
      guard line.ok == true else { throw Complaint("\(verb): \(line.error ?? "no reason")") }
      return Answer(message: line.message, port: line.port, stored: line.stored, tries: line.tries)
    }
    throw Complaint("\(verb): the program has ended")
  }

  /// A line as it is.
  func send(_ line: Data) throws {
    try input.fileHandleForWriting.write(contentsOf: line + [0x0A])
  }

  /// Lets the program end and reads what it still says.
  func close() throws -> Int32 {
    try input.fileHandleForWriting.close()
    while try next() != nil {}
    process.waitUntilExit()
    return process.terminationStatus
  }

  deinit { if process.isRunning { process.terminate() } }
}

/// A server and two phones on loopback, with a throw-away certificate.
final class Stage {
  let folder: URL
  let server: Program
  let phones: [String: Program]
  let port: Int
  let fallback: Int
  private static let ports = Mutex(Int.random(in: 20000..<30000))

  init(server more: [String] = [], phones names: [String] = ["alice", "bob"]) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("courier-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    (port, fallback) = Self.ports.withLock {
      $0 += 2
      return ($0, $0 + 1)
    }
    let (pem, key) = (folder.appendingPathComponent("c.pem").path, folder.appendingPathComponent("c.key").path)
    try run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
      "-keyout", key, "-out", pem, "-subj", "/CN=courier.push.apple.com",
      "-addext", "subjectAltName=DNS:courier.push.apple.com,DNS:courier2.push.apple.com")
    let keys = folder.appendingPathComponent("keys").path
    server = try Program(
      [
        "server", "--address", "127.0.0.1", "--port", "\(port)", "--port", "\(fallback)", "--certificate", pem,
        "--key", key, "--keys", keys, "--seed", "7", "--person", "carol",
      ] + more)
    var phones: [String: Program] = [:]
    for (number, name) in names.enumerated() {
      phones[name] = try Program([
        "phone", "--name", name, "--seed", "\(100 + number)", "--authority", pem, "--keys", keys,
      ])
    }
    self.phones = phones
  }

  /// The phone with this name.
  subscript(_ name: String) -> Program {
    get throws {
      guard let phone = phones[name] else { throw Complaint("no phone \(name)") }
      return phone
    }
  }

  var programs: [Program] { phones.sorted { $0.key < $1.key }.map(\.value) + [server] }

  /// Ends all; what they told is whole after that.
  func close() throws -> [Int32] {
    try programs.map { try $0.close() }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }
}

/// Sets up a process for a command. Foundation's children inherit blocked signals, which would make them deaf to timers
/// and interrupts, so a line of Python opens them again.
func process(_ command: [String]) -> Process {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  let open =
    "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execvp(sys.argv[1], sys.argv[1:])"
  process.arguments = ["python3", "-c", open] + command
  return process
}

/// Runs a program to its end and gives what it printed.
@discardableResult
func run(_ command: String...) throws -> String {
  let process = process(command)
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  try process.run()
  let said = try output.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw Complaint("\(command.joined(separator: " ")) failed") }
  return String(decoding: said, as: UTF8.self)
}
