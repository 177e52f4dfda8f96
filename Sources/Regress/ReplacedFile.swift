import Foundation
import Report

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that is written under another name beside it and takes its name at the end: whoever reads it sees the old
/// text or the new one, never a part.
public final class ReplacedFile {
  private let path: String
  private let draft: String
  private let output: OutputFile
  private var isDone = false

  /// Makes the draft.
  /// - Throws: `RegressError` where nothing can be written there.
  public init(_ path: String, makesFolders: Bool = false) throws(RegressError) {
    self.path = path
    draft = "\(path).\(getpid()).new"
    if makesFolders {
      let folder = URL(filePath: path).deletingLastPathComponent()
      do {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      } catch {
        throw RegressError("cannot make the folder \(printable(folder.path(percentEncoded: false)))")
      }
    }
    do throws(OutputFailure) {
      output = try OutputFile.create(draft)
    } catch {
      throw RegressError(Self.words(error, draft))
    }
  }

  deinit { if !isDone { _ = unsafe unlink(draft) } }

  /// Writes the text and gives the file its name.
  /// - Throws: `RegressError`; the file is then as it was.
  public func replace(with text: String) throws(RegressError) {
    output.write(Array(text.utf8))
    output.finish()
    if let failure = output.failure { throw RegressError(Self.words(failure, draft)) }
    // Safe: the pointers that the bridged paths give are used only inside the call.
    guard unsafe rename(draft, path) == 0 else {
      throw RegressError("cannot write \(printable(path)): it cannot take the place of what is there")
    }
    isDone = true
  }

  private static func words(_ failure: OutputFailure, _ path: String) -> String {
    guard case .failed(let text) = failure else { return "cannot write \(printable(path)): the output is closed" }
    return text
  }
}
