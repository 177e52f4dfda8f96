import Capture
import Classify
import Engine
import Foundation
import Regress
import Testing

/// Compares text with a file of `Tests/RegressTests/Golden` that a person has read.
///
/// `WIRETAG_RECORD=1 swift test --filter RegressTests` writes the files anew; read the difference before keeping it.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
  if ProcessInfo.processInfo.environment["WIRETAG_RECORD"] == "1" {
    try Data(text.utf8).write(to: file)
    return
  }
  let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
  #expect(text == expected, "\(name) differs", sourceLocation: sourceLocation)
}

/// A sample of the project, and its analysis.
enum FirstLook {
  static let name = "first-look.pcapng"
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "captures")

  static func expected() throws -> CaptureExpectation {
    try ExpectationFile(path: folder.appending(path: "expected/\(name).yaml").path, name: "\(name).yaml").expectation
  }

  static func found(_ catalogue: Catalogue? = nil, fingerprints: Bool = true) throws -> Findings {
    var options = AnalyzerOptions()
    options.shapeModel = try ShapeModel.shipped()
    options.wantsFingerprints = fingerprints
    let classifier = Classifier(catalogue: try catalogue ?? Catalogue.shipped())
    return try findings(folder.appending(path: name).path, classifier, options)
  }
}

func findings(_ path: String, _ classifier: Classifier, _ options: AnalyzerOptions) throws -> Findings {
  var file = try CaptureFile.open(path: path)
  return Findings(&file, name: path, classifier: classifier, options: options)
}

/// A folder that goes when its test is done.
final class Scratch {
  let path: String

  init() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "regress-test-\(UInt64.random(in: 0...(.max)))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path(percentEncoded: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ bytes: [UInt8] = []) throws {
    let file = URL(filePath: path).appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }
}
