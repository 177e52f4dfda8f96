import Foundation

/// The seeds and findings of a fuzz target, which the ordinary tests replay.
public enum FuzzSeeds {
  /// Every file of `Tests/Fuzz/Corpus/TARGET` with its name, in the order of the names.
  /// - Throws: where the folder cannot be read: a replay of nothing must not pass.
  public static func all(of target: String) throws -> [(name: String, bytes: [UInt8])] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fuzz/Corpus/\(target)")
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
      .map { ($0.lastPathComponent, [UInt8](try Data(contentsOf: $0))) }
  }
}
