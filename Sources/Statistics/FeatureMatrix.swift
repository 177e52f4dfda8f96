/// Numbers in rows (observations) and columns (features), row after row.
public struct FeatureMatrix: Sendable, Equatable {
  /// The numbers, row after row.
  public let values: [Double]
  /// How many rows and columns there are.
  public let rows: Int, columns: Int

  /// A matrix of given numbers; nil where they are not `columns` for each row, or `columns` is negative.
  public init?(values: [Double], columns: Int) {
    guard columns > 0 ? values.count.isMultiple(of: columns) : columns == 0 && values.isEmpty else { return nil }
    self.values = values
    self.columns = columns
    rows = columns > 0 ? values.count / columns : 0
  }

  /// A matrix of rows; nil where they differ in length.
  public init?(rows: [[Double]]) {
    let columns = rows.first?.count ?? 0
    guard rows.allSatisfy({ $0.count == columns }), columns > 0 || rows.isEmpty else { return nil }
    self.init(values: rows.flatMap { $0 }, columns: columns)
  }

  /// The numbers of a row; empty where there is no such row.
  public subscript(row: Int) -> ArraySlice<Double> {
    guard row >= 0, row < rows else { return [] }
    return values[(row * columns)..<((row + 1) * columns)]
  }

  /// The matrix of some of the rows, in the given order; rows that do not exist are left out.
  public func selecting(_ chosen: [Int]) -> FeatureMatrix {
    var numbers: [Double] = []
    numbers.reserveCapacity(chosen.count * columns)
    for row in chosen { numbers += self[row] }
    return FeatureMatrix(unchecked: numbers, columns: columns)
  }

  init(unchecked values: [Double], columns: Int) {
    self.values = values
    self.columns = columns
    rows = columns > 0 ? values.count / columns : 0
  }
}
