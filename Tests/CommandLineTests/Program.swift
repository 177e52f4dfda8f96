import Foundation
import TestSupport
import Testing

/// The built program, run as a person runs it.
enum Program {
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
    var lines: [String] { output.split(whereSeparator: \.isNewline).map { String($0) } }
    var errorLines: [String] { errors.split(separator: "\n").map { String($0) } }
  }

  /// Beside the test program: SwiftPM builds both into one folder.
  static let path = URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent()
    .appending(path: "wiretag")

  /// A process with arguments, without the surroundings' locale, width and colour.
  static func process(_ arguments: [String], environment: [String: String] = [:]) -> Process {
    let process = Process()
    process.executableURL = path
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"].merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    return process
  }

  static func run(
    _ arguments: [String], input: Data? = nil, environment: [String: String] = [:]
  ) throws -> Outcome {
    let process = process(arguments, environment: environment)
    let scratch = try Scratch()
    let output = scratch.file("stdout")
    let errors = scratch.file("stderr")
    process.standardOutput = try handle(output)
    process.standardError = try handle(errors)
    if let input {
      let file = scratch.file("stdin")
      try input.write(to: file)
      process.standardInput = try FileHandle(forReadingFrom: file)
    }
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationReason == .exit, "ended by signal \(process.terminationStatus)")
    return Outcome(
      status: process.terminationStatus, output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
  }

  static func handle(_ file: URL) throws -> FileHandle {
    try Data().write(to: file)
    return try FileHandle(forWritingTo: file)
  }
}

/// A folder that goes when its test is done.
final class Scratch {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "wiretag-test-\(UInt64.random(in: 0...UInt64.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func file(_ name: String) -> URL { folder.appending(path: name) }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: file(name))
    return file(name).path
  }
}

/// Synthetic captures.
enum Sample {
  static let client: UInt32 = 0xc000_0209
  static let courier: UInt32 = 0x1139_9078

  /// A TLS flow to a courier name on an address of its owner, and a DNS question; 5 packets, a second apart.
  static let frames: [[UInt8]] = [
    PacketBuilder.udp(
      from: (client, 50_000), to: (0xc000_0235, 53),
      [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7] + Array("example".utf8) + [3] + Array("org".utf8) + [0, 0, 1, 0, 1]),
    PacketBuilder.tcp(from: (client, 49_822), to: (courier, 5_223), sequence: 1, flags: 2),
    PacketBuilder.tcp(
      from: (courier, 5_223), to: (client, 49_822), sequence: 100, acknowledgment: 2, flags: 0x12),
    PacketBuilder.tcp(from: (client, 49_822), to: (courier, 5_223), sequence: 2, acknowledgment: 101),
    PacketBuilder.tcp(
      from: (client, 49_822), to: (courier, 5_223), sequence: 2, acknowledgment: 101, flags: 0x18,
      PacketBuilder.clientHello(serverName: "courier.push.apple.com", alpn: ["apns-security-v3"])),
  ]

  /// A pcap file (little-endian, microseconds, Ethernet) of some of the frames.
  static func capture(_ range: Range<Int>? = nil) -> [UInt8] {
    var file = word(0xa1b2_c3d4) + [2, 0, 4, 0] + word(0) + word(0) + word(262_144) + word(1)
    for index in range ?? 0..<frames.count {
      let length = UInt32(frames[index].count)
      file += word(1_764_843_072 + UInt32(index)) + word(123_456) + word(length) + word(length) + frames[index]
    }
    return file
  }

  private static func word(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
  }
}
