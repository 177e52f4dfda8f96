import CCatalogue
import Yams

extension ShapeModel {
  /// The model that the program ships with.
  /// - Throws: `CatalogueError`; a test proves that it does not.
  public static func shipped() throws -> ShapeModel {
    var count = 0
    // Safe: the pointer is to bytes of the program's image, and `count` of them.
    let text = unsafe String(
      decoding: UnsafeBufferPointer(start: wiretag_shape_yaml(&count), count: count), as: UTF8.self)
    return try ShapeModel(parsing: text, file: "shape.yaml")
  }

  /// Reads a model that `wiretag train` wrote.
  /// - Throws: `CatalogueError` for text that is no model: the line and what is wrong with it.
  public init(parsing text: String, file: String) throws {
    guard let root = YAMLFields(try CatalogueFile.compose(text, file: file)) else {
      throw CatalogueError(file: file, "is no shape model: run wiretag train to write one")
    }
    guard let threshold = root["clear"]?.float, (0.25...1).contains(threshold) else {
      throw CatalogueError(file: file, line: root["clear"]?.mark?.line, "needs `clear:`, a number from 0.25 to 1")
    }
    let order = root["tags"]?.sequence?.compactMap { $0.scalar?.string } ?? []
    guard order == Tag.allCases.map(\.rawValue) else {
      throw CatalogueError(
        file: file, line: root["tags"]?.mark?.line, "needs `tags: [push, messaging, calling, other]`, the order of bits"
      )
    }
    let cards = YAMLFields(root["cards"])
    self.init(
      tcp: try Self.card(cards?["tcp"], "tcp", file), udp: try Self.card(cards?["udp"], "udp", file), clear: threshold,
      claims: try Self.claims(root["claims"], file),
      origin: root["origin"]?.string ?? "", command: root["command"]?.string ?? "")
  }

  private static func claims(_ node: Node?, _ file: String) throws -> [Claim] {
    var claims: [Claim] = []
    for item in node?.sequence ?? [] {
      let fields = YAMLFields(item)
      guard let claimed = fields?["claimed"]?.float, let right = fields?["right"]?.float, (0...1).contains(claimed),
        (0...1).contains(right), claims.last.map({ $0.claimed < claimed && $0.right <= right }) ?? true
      else {
        throw CatalogueError(
          file: file, line: item.mark?.line, "`claims` need `claimed:` and `right:` from 0 to 1, both rising")
      }
      claims.append(Claim(claimed: claimed, right: right, flows: fields?["flows"]?.int ?? 0))
    }
    return claims
  }

  private static func card(_ node: Node?, _ name: String, _ file: String) throws -> Card {
    guard let fields = YAMLFields(node), let rows = YAMLFields(fields["features"]) else {
      throw CatalogueError(file: file, line: node?.mark?.line, "needs `\(name):` with `features:` under `cards:`")
    }
    let flows = (fields["flows"]?.sequence ?? []).compactMap(\.int)
    return Card(
      priors: try bits(fields["priors"], file), flows: flows,
      rows: try rows.pairs.map { key, value in try row(key, value, file) })
  }

  private static func row(_ key: Node, _ node: Node, _ file: String) throws -> Row {
    let name = key.scalar?.string ?? ""
    guard let feature = ShapeFeature(rawValue: name) else {
      throw CatalogueError(file: file, line: key.mark?.line, "`\(name)` is no feature of a shape")
    }
    var row = Row(feature: feature, bounds: [], bits: [], flows: [])
    let bins = node.sequence.map { Array($0) } ?? []
    for (place, bin) in bins.enumerated() {
      let fields = YAMLFields(bin)
      row.bits.append(try bits(fields?["bits"], file))
      row.flows.append(fields?["flows"]?.int ?? 0)
      let bound = fields?["below"]?.float
      let isRight =
        place == 0
        ? fields?["unknown"] != nil
        : place == bins.count - 1
          ? fields?["from"]?.float == row.bounds.last && bound == nil
          : bound.map { $0.isFinite && $0 > row.bounds.last ?? -.infinity } ?? false
      guard isRight else {
        throw CatalogueError(
          file: file, line: bin.mark?.line,
          "the bins of `\(name)` must be `unknown: true`, then `below:` with rising bounds, then `from:` the last bound"
        )
      }
      if let bound { row.bounds.append(bound) }
    }
    guard row.bits.count >= 2 else {
      throw CatalogueError(file: file, line: key.mark?.line, "`\(name)` needs at least two bins")
    }
    return row
  }

  private static func bits(_ node: Node?, _ file: String) throws -> SIMD4<Double> {
    let values = node?.sequence?.map(\.float) ?? []
    var bits = SIMD4<Double>(repeating: 0)
    for (place, value) in values.enumerated() where place < 4 { bits[place] = value ?? .nan }
    guard values.count == 4, (0..<4).allSatisfy({ bits[$0].isFinite && abs(bits[$0]) <= 100 }) else {
      throw CatalogueError(file: file, line: node?.mark?.line, "bits are four numbers from -100 to 100, one a tag")
    }
    return bits
  }

  /// The model as `init(parsing:file:)` reads it.
  public var yaml: String {
    var lines = [
      "# What the shape of a flow says of its tag, without names, addresses, ports and payload. A tag's score is its prior",
      "# and the bits of the bin that each feature falls into; two to the power of the scores, as shares of 1, are the",
      "# probabilities. `flows` is how many labelled flows a bin was learnt from. `wiretag train` writes this file; other",
      "# base rates than those of the labelled flows can be put under `priors`.",
      "origin: \"\(origin.filter { $0 != "\"" && $0 != "\\" })\"",
      "command: \"\(command.filter { $0 != "\"" && $0 != "\\" })\"",
      "# The probability that push, messaging or calling must have to be said; below it a flow is other.",
      "clear: \(number(clear))",
      "# How often a tag that was given this probability was right, among flows that the model had not seen: the",
      "# confidence that is said.",
      "claims:",
    ]
    for claim in claims {
      lines.append("  - {claimed: \(number(claim.claimed)), right: \(number(claim.right)), flows: \(claim.flows)}")
    }
    lines += [
      "tags: [\(Tag.allCases.map(\.rawValue).joined(separator: ", "))]",
      "cards:",
    ]
    for (name, card) in [("tcp", tcp), ("udp", udp)] {
      lines.append("  \(name):")
      lines.append("    flows: [\(card.flows.map { "\($0)" }.joined(separator: ", "))]")
      lines.append("    priors: \(list(card.priors))")
      lines.append("    features:")
      for row in card.rows {
        lines.append("      \(row.feature.rawValue):")
        for (place, bits) in row.bits.enumerated() {
          let bin =
            place == 0
            ? "unknown: true"
            : place <= row.bounds.count
              ? "below: \(number(row.bounds[place - 1]))" : "from: \(number(row.bounds.last ?? 0))"
          let flows = place < row.flows.count ? row.flows[place] : 0
          lines.append("        - {\(bin), bits: \(list(bits)), flows: \(flows)}")
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func list(_ bits: SIMD4<Double>) -> String {
    "[\((0..<4).map { number(bits[$0]) }.joined(separator: ", "))]"
  }

  private func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(value)"
  }
}
