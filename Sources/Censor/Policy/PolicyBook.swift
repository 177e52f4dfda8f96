import CCatalogue
public import Classify
import Foundation

/// Policies by name: those that the program ships with, or those of a file.
public struct PolicyBook: Sendable {
  /// The largest file that is read, in bytes.
  public static let maximumFileSize = 1 << 20

  /// The policies, in the order of the file.
  public var policies: [Policy]

  /// The policies that the program ships with; names of services and owners are looked up in a catalogue.
  /// - Throws: `PolicyError` where the catalogue lacks what they name; a test proves that the shipped one does not.
  public static func shipped(catalogue: Catalogue) throws(PolicyError) -> PolicyBook {
    var count = 0
    // Safe: the pointer is to bytes of the program's image, and `count` of them.
    let text = unsafe String(
      decoding: UnsafeBufferPointer(start: wiretag_policies_yaml(&count), count: count), as: UTF8.self)
    return try PolicyBook(text: text, file: "policies.yaml", catalogue: catalogue, isShipped: true)
  }

  /// The policies of a text. Those that are shipped must all say title, group, source and standing.
  /// - Throws: `PolicyError` with every problem of the text, each with its line and field.
  public init(text: String, file: String, catalogue: Catalogue, isShipped: Bool = false) throws(PolicyError) {
    guard text.utf8.count <= Self.maximumFileSize else {
      throw PolicyError(
        file: file, "is \(text.utf8.count) bytes long, more than the \(Self.maximumFileSize) allowed; use several files"
      )
    }
    policies = try PolicyFile(text, file: file, catalogue: catalogue, isShipped: isShipped).policies
  }

  /// The policies of a file.
  /// - Throws: `PolicyError` where it cannot be read or has mistakes.
  public init(path: String, catalogue: Catalogue) throws(PolicyError) {
    let bytes: Data
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      if let size = attributes[.size] as? Int, size > Self.maximumFileSize {
        throw PolicyError(
          file: path, "is \(size) bytes long, more than the \(Self.maximumFileSize) allowed; use several files")
      }
      bytes = try Data(contentsOf: URL(filePath: path))
    } catch let error as PolicyError {
      throw error
    } catch {
      throw PolicyError(file: path, Self.openingSentence(error))
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PolicyError(file: path, "is not UTF-8 text; save it as UTF-8")
    }
    try self.init(text: text, file: path, catalogue: catalogue)
  }

  /// The policy of a name.
  public func policy(named name: String) -> Policy? { policies.first { $0.name == name } }

  /// These policies and those of another book, which take the place of policies of the same name.
  public func adding(_ other: PolicyBook) -> PolicyBook {
    var all = self
    for policy in other.policies {
      if let i = all.policies.firstIndex(where: { $0.name == policy.name }) {
        all.policies[i] = policy
      } else {
        all.policies.append(policy)
      }
    }
    return all
  }

  /// The names of groups, in the order of their first policies.
  public var groups: [String] {
    var groups: [String] = []
    for policy in policies where !groups.contains(policy.group) { groups.append(policy.group) }
    return groups
  }

  /// Policies by names, groups, or patterns with `*`; each once, in the order of the words; all for no words.
  /// - Throws: `PolicyError` for words that name none, with those nearest to them.
  public func picked(_ words: [String]) throws(PolicyError) -> [Policy] {
    guard !words.isEmpty else { return policies }
    var found: [Policy] = []
    var problems: [PolicyError.Problem] = []
    for word in words {
      let named = policies(for: word)
      if named.isEmpty {
        let near = NearestWord.of(word, in: policies.map(\.name) + groups)
        let text =
          "no policy or group is called \"\(word)\"; "
          + (near.isEmpty
            ? "use a policy's name, a group (\(groups.joined(separator: ", "))), or a pattern as \"tspu-*\""
            : "did you mean \(PolicyFile.list(near))?")
        problems.append(PolicyError.Problem(file: nil, line: nil, policy: nil, field: nil, text: text))
      }
      found += named.filter { policy in !found.contains { $0.name == policy.name } }
    }
    guard problems.isEmpty else { throw PolicyError(problems) }
    return found
  }

  private func policies(for word: String) -> [Policy] {
    let word = word.lowercased()
    if let policy = policy(named: word) { return [policy] }
    if word.contains("*") { return policies.filter { Self.fits($0.name, word) } }
    return policies.filter { $0.group.lowercased() == word }
  }

  /// Whether a name fits a pattern in which `*` stands for anything.
  private static func fits(_ name: String, _ pattern: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard let first = parts.first, let last = parts.last, name.hasPrefix(first),
      name.utf8.count >= first.utf8.count + last.utf8.count, name.hasSuffix(last)
    else { return false }
    var rest = name.dropFirst(first.count).dropLast(last.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let place = rest.firstRange(of: part) else { return false }
      rest = rest[place.upperBound...]
    }
    return true
  }

  /// Why a file does not open, and what to do.
  private static func openingSentence(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileNoSuchFile, .fileReadNoSuchFile, .fileReadInvalidFileName:
      "no such file; give the path of a file of policies"
    case .fileReadNoPermission: "no right to open it; ask its owner"
    default: "cannot be read; give the path of a readable YAML file"
    }
  }
}
