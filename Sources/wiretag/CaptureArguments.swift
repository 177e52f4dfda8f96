import ArgumentParser
import Foundation
import Regress
import Truth

/// Where secrets come from beside the captures.
struct SecretOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("TLS secrets in the NSS key log format, as SSLKEYLOGFILE names one.", valueName: "file"))
  var keylog: String?

  /// The secrets.
  func load() throws -> TLSSecretsFile {
    guard let keylog else { return TLSSecretsFile() }
    do throws(TruthError) {
      let file = try TLSSecretsFile(path: keylog)
      for notice in file.notices { say(notice) }
      return file
    } catch {
      throw Stop.cannotStart(error.description)
    }
  }
}

/// Captures by their paths; a folder stands for the captures in it.
func captures(in paths: [String]) throws -> [String] {
  try paths.flatMap { path throws -> [String] in
    var isFolder: ObjCBool = false
    // Safe: the pointer is to a local variable, used only inside the call.
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      return [path]
    }
    let folder = try CaptureFolder(path)
    return folder.captures.map { folder.path(of: $0) }
  }
}

/// Reads captures one after the other, and says which could not be read.
/// - Parameters:
///   - paths: where they are; "-" for standard input.
///   - read: takes a path, a name for results, and what is asked once a batch with the packets so far.
/// - Returns: the exit status: 1 where one of them could not be read.
/// - Throws: `Stop` where none could.
func readAll(
  _ paths: [String], _ read: (_ path: String, _ name: String, _ proceed: @escaping (UInt64) -> Bool) throws -> Void
) throws -> Int32 {
  let progress = Progress()
  var status: Int32 = 0
  var hasRead = false
  for path in paths where !Signals.wantEnd {
    do {
      try read(path, lastComponent(path)) { packets in
        progress.update(packets: packets)
        return !Signals.wantEnd
      }
      hasRead = true
    } catch {
      Progress.clear()
      say("\(error)")
      status = 1
    }
  }
  Progress.clear()
  guard hasRead else { throw Stop.status(2) }
  return status
}

/// The last part of a path.
func lastComponent(_ path: String) -> String { path.split(separator: "/").last.map { String($0) } ?? path }
