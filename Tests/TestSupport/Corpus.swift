public import Foundation

/// Where the labelled captures lie, if they do.
///
/// They belong to other projects and are not part of this one: `WIRETAG_CORPUS` names the folder, else the sibling
/// `shared/corpus` of the checkout is looked for. A test that needs them and finds none must say so aloud.
public enum Corpus {
  /// The corpus folder, or nil where there is none.
  public static let folder: URL? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let named = ProcessInfo.processInfo.environment["WIRETAG_CORPUS"].map { URL(filePath: $0) }
    let folders = [named, root.deletingLastPathComponent().appending(path: "shared/corpus")].compactMap(\.self)
    return folders.first { FileManager.default.fileExists(atPath: $0.appending(path: "files.tsv").path) }
  }()

  /// Every capture of the corpus; empty, with a line on standard error, where there is no corpus.
  public static func captures() -> [URL] {
    guard let folder, let table = try? String(contentsOf: folder.appending(path: "files.tsv"), encoding: .utf8) else {
      FileHandle.standardError.write(Data("SKIPPED: no corpus of real captures here (set WIRETAG_CORPUS)\n".utf8))
      return []
    }
    return table.split(separator: "\n").dropFirst().compactMap { row in
      row.split(separator: "\t").first.map { folder.appending(path: String($0)) }
    }
  }
}
