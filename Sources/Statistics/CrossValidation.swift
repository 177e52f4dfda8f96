/// Scores of observations by models that did not see the observation's group, such as its capture or scenario.
public enum CrossValidation {
  /// The fold of each observation, from 0: each group is a fold, or the groups are dealt to `folds` of them.
  ///
  /// Dealt, the largest group left goes to the lightest fold (scikit-learn's `GroupKFold`), of equals the first. There
  /// are never more folds than groups, and never fewer than two unless there is one group.
  public static func groups<Group: Hashable>(_ groups: [Group], folds: Int? = nil) -> [Int] {
    let codes = PermutationNull.codes(groups)
    var sizes = [Int](repeating: 0, count: (codes.max() ?? -1) + 1)
    for code in codes { sizes[code] += 1 }
    guard let folds, folds < sizes.count else { return codes }
    var loads = [Int](repeating: 0, count: max(2, folds))
    var foldOf = [Int](repeating: 0, count: sizes.count)
    for group in sizes.indices.sorted(by: { (-sizes[$0], $0) < (-sizes[$1], $1) }) {
      let lightest = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
      foldOf[group] = lightest
      loads[lightest] += sizes[group]
    }
    return codes.map { foldOf[$0] }
  }

  /// Fits a model for each fold without it, and asks it of the fold's observations.
  ///
  /// - Parameters:
  ///   - folds: The fold of each observation.
  ///   - fit: Learns from the observations of all other folds, named by their places; nil where that cannot be done.
  ///   - predict: What a model says of the observation at a place.
  /// - Returns: What was said of each observation; nil where the fold's model could not be fitted, which also is so of
  ///   a single fold, whose model would have nothing to learn from.
  public static func outOfFold<Model, Answer>(
    folds: [Int], fit: (_ training: [Int]) throws -> Model?, predict: (Model, _ observation: Int) throws -> Answer?
  ) rethrows -> [Answer?] {
    var answers = [Answer?](repeating: nil, count: folds.count)
    for fold in Set(folds).sorted() {
      let training = folds.indices.filter { folds[$0] != fold }
      guard !training.isEmpty, let model = try fit(training) else { continue }
      for observation in folds.indices where folds[observation] == fold {
        answers[observation] = try predict(model, observation)
      }
    }
    return answers
  }
}
