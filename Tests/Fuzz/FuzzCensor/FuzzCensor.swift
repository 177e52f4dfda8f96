import Bytes
import Censor
import Classify
import Engine
import Foundation
import Report

/// Loaded once: it is no input.
private let catalogue = try? Catalogue.shipped()
private let policies = catalogue.flatMap { try? PolicyBook.shipped(catalogue: $0).policies }
private let recovery = try? RecoveryBook.shipped()
private let file = FileManager.default.temporaryDirectory.appending(path: "fuzz-censor-\(getpid()).pcap")

/// Two inputs in one: a text that begins with a letter is a file of policies, anything else a capture that all shipped
/// policies are played over, and watched on.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCensor(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let catalogue, let policies, let recovery else { preconditionFailure("the shipped data do not load") }
  // Safe: libFuzzer lends `size` bytes for the call.
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  if let first = bytes.first, (0x61...0x7a).contains(first) {
    do throws(PolicyError) {
      let book = try PolicyBook(text: String(decoding: bytes, as: UTF8.self), file: "fuzz.yaml", catalogue: catalogue)
      for policy in book.policies { precondition(!policy.summary.isEmpty && !policy.name.isEmpty) }
    } catch {
      precondition(!error.problems.isEmpty, "a refusal says why")
    }
    return 0
  }
  play(bytes, policies, recovery, Classifier(catalogue: catalogue))
  return 0
}

private func play(_ bytes: [UInt8], _ policies: [Policy], _ recovery: RecoveryBook, _ classifier: Classifier) {
  guard (try? Data(bytes).write(to: file)) != nil else { preconditionFailure("no room for temporary files") }
  var reader = TraceReader(classifier: classifier)
  guard let trace = try? reader.read(path: file.path, name: "fuzz") else { return }
  var maker = CollateralMaker(policies, recovery: recovery)
  maker.add(trace)
  let collateral = maker.collateral()
  for result in collateral.results {
    for cell in result.cells {
      for share in [cell.flows, cell.conversations, cell.lost, cell.late, cell.phones] {
        precondition(share.part <= share.whole, "more was hit than is there")
      }
      precondition(cell.hit.map { (0...1).contains($0) } ?? true)
    }
  }
  let text = CollateralText.text(collateral)
  precondition(text.utf8.allSatisfy { $0 == 0x0a || $0 >= 0x20 && $0 != 0x7f }, "a line is one line of text")
}
