public import Classify

extension PolicyBook {
  /// Policies by the words of a command: of a file, of those that ship, or of both.
  /// - Parameters:
  ///   - words: names, groups, or patterns with `*`; none for all, of the file only where there is one.
  ///   - path: a file of policies; they take the place of shipped ones of the same name.
  ///   - catalogue: where names of services and owners are looked up.
  /// - Returns: the policies, each once.
  /// - Throws: `PolicyError` where the file has mistakes, or a word names none.
  public static func picked(
    _ words: [String], file path: String?, catalogue: Catalogue
  ) throws(PolicyError) -> [Policy] {
    guard let path else { return try shipped(catalogue: catalogue).picked(words) }
    let own = try PolicyBook(path: path, catalogue: catalogue)
    return words.isEmpty ? own.policies : try shipped(catalogue: catalogue).adding(own).picked(words)
  }
}
