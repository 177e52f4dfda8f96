import Foundation
import Statistics
import Testing

@Suite struct ClassifierTests {
  @Test func naiveBayesAgreesWithScikitLearn() throws {
    struct Input: Decodable { var rows, asked: [[Double]], classes: [Int], categories: [[Int]], smoothings: [Double] }
    struct Expected: Decodable { var multinomial, bernoulli, categorical: [[[Double]]] }
    let (input, expected) = try Reference.part("bayes", Input.self, Expected.self)
    let data = try #require(FeatureMatrix(rows: input.rows))
    let options = input.smoothings.flatMap { [($0, false), ($0, true)] }
    #expect(options.count == expected.multinomial.count)
    for (place, (smoothing, even)) in options.enumerated() {
      let multinomial = try #require(
        MultinomialNaiveBayes(
          data, classes: input.classes, classCount: 3, smoothing: smoothing, evenPrior: even))
      let bernoulli = try #require(
        BernoulliNaiveBayes(data, classes: input.classes, classCount: 3, smoothing: smoothing, evenPrior: even))
      let categorical = try #require(
        CategoricalNaiveBayes(
          input.categories, categoryCounts: [5, 5, 5, 5], classes: input.classes, classCount: 3,
          smoothing: smoothing, evenPrior: even))
      for (row, asked) in input.asked.enumerated() {
        #expect(agree(multinomial.logProbabilities(asked), expected.multinomial[place][row]))
        #expect(agree(bernoulli.logProbabilities(asked), expected.bernoulli[place][row]))
        let categories = asked.map { min(Int($0), 4) }
        #expect(agree(categorical.logProbabilities(categories), expected.categorical[place][row]))
        let wanted = expected.multinomial[place][row]
        #expect(wanted[multinomial.predict(asked)] == wanted.max())
      }
    }
  }

  @Test func naiveBayesOnOddInput() throws {
    let one = try #require(FeatureMatrix(rows: [[1, 0], [0, 2]]))
    #expect(MultinomialNaiveBayes(one, classes: [0, 5], classCount: 2) == nil)
    #expect(MultinomialNaiveBayes(one, classes: [0], classCount: 2) == nil)
    let negative = try #require(FeatureMatrix(rows: [[-1]]))
    #expect(MultinomialNaiveBayes(negative, classes: [0], classCount: 1) == nil)
    #expect(BernoulliNaiveBayes(one, classes: [-1, 0], classCount: 2) == nil)
    #expect(CategoricalNaiveBayes([[3]], categoryCounts: [3], classes: [0], classCount: 1) == nil)
    #expect(CategoricalNaiveBayes([], categoryCounts: [3], classes: [], classCount: 1) == nil)
    // A class that training did not have is never said; rows of another length are no trap.
    let model = try #require(MultinomialNaiveBayes(one, classes: [0, 1], classCount: 3))
    #expect(model.logProbabilities([1, 1])[2] == -.infinity && model.predict([5, 0, 9]) == 0)
    let categorical = try #require(
      CategoricalNaiveBayes([[0], [1]], categoryCounts: [2], classes: [0, 1], classCount: 2))
    #expect(agree(categorical.logProbabilities([7]), [-0.6931471805599453, -0.6931471805599453]))
  }

  @Test func logisticRegressionAgreesWithScikitLearn() throws {
    struct Input: Decodable {
      struct Case: Decodable { var rows: [[Double]], positive: [Bool], weights: [Double] }
      var cases: [Case]
      var strengths: [Double]
    }
    let (input, expected) = try Reference.part("logistic", Input.self, [[Double]].self)
    var wanted = expected.makeIterator()
    for one in input.cases {
      let data = try #require(FeatureMatrix(rows: one.rows))
      for strength in input.strengths {
        for balanced in [false, true] {
          let model = try #require(
            LogisticRegression(
              data, positive: one.positive, weights: balanced ? nil : one.weights, strength: strength,
              classWeights: balanced ? .balanced : .equal))
          #expect(model.converged)
          let next = wanted.next()
          let reference = try #require(next)
          #expect(agree([model.intercept] + model.coefficients, reference, 1e-4))
        }
      }
    }
    let left = wanted.next()
    #expect(left == nil)
  }

  @Test func logisticRegressionOnOddInput() throws {
    let data = try #require(FeatureMatrix(rows: [[1], [2], [2]]))
    #expect(LogisticRegression(data, positive: [true, true, true]) == nil)
    #expect(LogisticRegression(data, positive: [true, false]) == nil)
    #expect(LogisticRegression(data, positive: [true, false, false], strength: 0) == nil)
    #expect(LogisticRegression(data, positive: [true, false, false], weights: [0, 1, 1]) == nil)
    let missing = try #require(FeatureMatrix(rows: [[.nan], [1]]))
    #expect(LogisticRegression(missing, positive: [true, false]) == nil)
    let constant = try #require(FeatureMatrix(rows: [[7], [7], [7], [7]]))
    let model = try #require(LogisticRegression(constant, positive: [true, false, false, false]))
    #expect(agree(model.probability([7]), 0.25, 1e-6) && model.converged)
    // Classes that a line parts have no finite answer without a penalty; with next to none the slope is steep, and where
    // numbers overflow the model says that it has not converged.
    let parted = try #require(FeatureMatrix(rows: [[-1], [1]]))
    let steep = try #require(LogisticRegression(parted, positive: [false, true], strength: 1e6))
    #expect(steep.converged && steep.coefficients[0] > 5)
    let far = try #require(FeatureMatrix(rows: [[-1e6], [1e6]]))
    let overflown = LogisticRegression(far, positive: [false, true], strength: 1e300)
    #expect(overflown?.converged != true)
  }

  @Test func binsAgreeWithScikitLearn() throws {
    struct Input: Decodable { var bins: Int, fitted, asked: [[Double]] }
    struct Expected: Decodable { var edges, oneHot: [[Double]] }
    let (input, expected) = try Reference.part("bins", Input.self, Expected.self)
    let bins = BinnedFeatures(fitting: try #require(FeatureMatrix(rows: input.fitted)), bins: input.bins)
    #expect(zip(bins.edges, expected.edges).allSatisfy { agree($0, $1) } && bins.edges.count == 2)
    #expect(bins.columns == 12 && bins.binCounts == [6, 6])
    let oneHot = bins.oneHot(try #require(FeatureMatrix(rows: input.asked)))
    for (row, wanted) in expected.oneHot.enumerated() {
      // The columns for "missing" are ours alone.
      let values = Array(oneHot[row])
      #expect(values[0..<5] + values[6..<11] == wanted[...] && values[5] == 0 && values[11] == 0)
    }
  }

  @Test func binsOfDiscreteAndMissingValues() throws {
    let rows = (0..<100).map { row -> [Double] in
      let rare: Double = row < 95 ? 0 : 1
      let late: Double = row < 90 ? 0 : Double(row)
      return [rare, late, .nan, row == 0 ? .nan : 3]
    }
    let data = try #require(FeatureMatrix(rows: rows))
    let bins = BinnedFeatures(fitting: data, bins: 4)
    #expect(bins.edges == [[1], [90], [], []])
    #expect(bins.codes([0, 0, 5, .nan]) == [0, 0, 0, 1])
    #expect(bins.codes([1, 99, .infinity, 3]) == [1, 1, 1, 0])
    #expect(bins.codes([1]) == [1, 2, 1, 1])
    #expect((0..<100).allSatisfy { bins.oneHot(data)[$0].reduce(0, +) == 4 })
    #expect(FeatureMatrix(rows: [[1], [2, 3]]) == nil && FeatureMatrix(values: [1, 2, 3], columns: 2) == nil)
    #expect(data[-1].isEmpty && data[100].isEmpty && data.selecting([3, 500]).rows == 1)
  }

  @Test func lineAgreesWithScikitLearn() throws {
    struct Input: Decodable { var x, y: [Double] }
    struct Expected: Decodable { var intercept, slope, meanAbsoluteError, explained: Double }
    let (input, expected) = try Reference.part("linear", Input.self, Expected.self)
    let line = try #require(LinearRegression(x: input.x, y: input.y))
    #expect(agree(line.intercept, expected.intercept) && agree(line.slope, expected.slope))
    #expect(agree(line.meanAbsoluteError, expected.meanAbsoluteError))
    #expect(agree(line.explainedVariance, expected.explained))
    #expect(agree(line.meanAbsoluteError(x: input.x, y: input.y), expected.meanAbsoluteError))
    #expect(LinearRegression(x: [1], y: [1]) == nil && LinearRegression(x: [2, 2], y: [1, 3]) == nil)
    #expect(LinearRegression(x: [1, 2], y: [4, 4])?.explainedVariance == nil)
    #expect(LinearRegression(x: [1, .nan], y: [4, 4]) == nil)
  }

  /// Held to two seconds in release; a debug build checks every index and gets more.
  @Test func largeDataIsFast() throws {
    var generator = SeededGenerator(seed: 2)
    let count = 100_000
    var values: [Double] = []
    var positive: [Bool] = []
    for _ in 0..<count {
      let feature = (0..<5).map { _ in generator.index(below: 8) }
      for one in feature { values += (0..<8).map { $0 == one ? 1.0 : 0 } }
      positive.append(generator.unit() < 0.1 + 0.1 * Double(feature[0]))
    }
    let data = try #require(FeatureMatrix(values: values, columns: 40))
    let clock = ContinuousClock()
    var model: LogisticRegression?
    let time = clock.measure { model = LogisticRegression(data, positive: positive) }
    let fitted = try #require(model)
    #expect(fitted.converged && fitted.coefficients[7] > 1)
    print("logistic regression on \(count) rows of 40 columns: \(time)")
    #if DEBUG
      #expect(time < .seconds(60))
    #else
      #expect(time < .seconds(2))
    #endif
  }
}
