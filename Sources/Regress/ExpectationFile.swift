import Capture
import Classify
import Foundation
import Report
import Yams

/// What is wrong with an expectation: one line that says where, and what to do.
public struct RegressError: Error, Equatable, CustomStringConvertible {
  /// The line.
  public let description: String
  /// An error with its line.
  public init(_ description: String) { self.description = description }
  init(_ file: String, _ line: Int?, _ text: String) {
    description = "\(file):\(line.map { "\($0):" } ?? "") \(text)"
  }
}

/// An expectation as it was written, with what a person may have put into it.
public struct ExpectationFile: Sendable {
  /// What it says.
  public private(set) var expectation = CaptureExpectation()
  /// Empty lines and comments before its first key, and the line of its own tolerance: they outlast a renewal.
  let head: [String], toleranceLine: String?
  private let file: String

  /// Reads a file; nil where there is none.
  /// - Throws: `RegressError` at the first mistake, with its line.
  public init?(ifAnyAt path: String) throws(RegressError) {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    try self.init(path: path, name: printable(path))
  }

  /// Reads a file.
  /// - Parameters:
  ///   - path: where it is.
  ///   - name: what messages call it.
  /// - Throws: `RegressError` at the first mistake, with its line.
  public init(path: String, name: String) throws(RegressError) {
    let data: Data
    do {
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64
      guard (size ?? 0) <= CaptureExpectation.maximumFileSize else {
        throw RegressError(
          name, nil, "is longer than the \(CaptureExpectation.maximumFileSize >> 20) MiB that are read")
      }
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw error as? RegressError ?? RegressError(name, nil, "cannot be read")
    }
    guard let text = String(data: data, encoding: .utf8) else { throw RegressError(name, nil, "is not UTF-8 text") }
    try self.init(text, name: name)
  }

  /// Reads a text.
  /// - Throws: `RegressError` at the first mistake, with its line.
  public init(_ text: String, name: String) throws(RegressError) {
    file = name
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.filter { $0 != "\r" } }
    head = Array(lines.prefix { $0.isEmpty || $0.hasPrefix("#") || $0.allSatisfy(\.isWhitespace) })
    toleranceLine = lines.first { $0.hasPrefix("tolerance:") }
    let root: Node?
    do {
      root = try Yams.compose(yaml: text, .basic)
    } catch {
      throw Self.error(error, name)
    }
    guard let root else { throw RegressError(name, nil, "is empty: make it with --record") }
    for (key, value) in try mapping(root, "the file") {
      switch key.scalar?.string ?? "" {
      case "tolerance": expectation.tolerance = try tolerance(value)
      case "damage": expectation.damage = try word(value, "damage")
      case "totals": expectation.totals = try record(value, "totals", .totals)
      case "conversations":
        var calls: [Record] = []
        for node in try sequence(value, "conversations") {
          var call = try record(node, "", .conversation)
          call.title = call.list(.flows).first ?? "no flow"
          calls.append(call)
        }
        expectation.conversations = calls
      case "flows": expectation.flows = try flows(value)
      case let other:
        throw fault(
          key, "'\(printable(other))' is not known here: use tolerance, damage, totals, conversations or flows")
      }
    }
  }

  private static func error(_ error: any Error, _ file: String) -> RegressError {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      RegressError(file, mark.line, "is not YAML here: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      RegressError(
        file, context.mark.line, "has a key twice: \(duplicates.map { printable($0) }.joined(separator: ", "))")
    default: RegressError(file, nil, "is not YAML: check the encoding and the indentation")
    }
  }

  private func flows(_ node: Node) throws(RegressError) -> [Record] {
    let nodes = try sequence(node, "flows")
    guard nodes.count <= CaptureExpectation.maximumFlows else {
      throw fault(
        node, "lists \(nodes.count) flows, more than the \(CaptureExpectation.maximumFlows) that are compared")
    }
    var flows: [Record] = []
    var lines: [String: Int] = [:]
    flows.reserveCapacity(nodes.count)
    for node in nodes {
      let flow = try record(node, "", .flow)
      if let first = lines.updateValue(flow.line ?? 0, forKey: flow.title) {
        throw fault(
          node, "this flow stands at line \(first) already: the second between the same ends is '\(flow.title) (2)'")
      }
      flows.append(flow)
    }
    return flows
  }

  private func record(_ node: Node, _ title: String, _ part: Part) throws(RegressError) -> Record {
    var record = Record(title, line: node.mark?.line)
    for (key, value) in try mapping(node, title.isEmpty ? "each entry" : title) {
      let name = key.scalar?.string ?? ""
      if part == .flow, name == "flow" {
        let words = try word(value, name).split(separator: " ").joined(separator: " ")
        guard FlowTitle.isTitle(words) else {
          throw fault(value, "'\(words)' is no flow: write it as TCP 192.0.2.1:49822 > 192.0.2.7:443")
        }
        record.title = words
        continue
      }
      guard let field = Field(rawValue: name), part.fields.contains(field) else {
        let known = (part == .flow ? ["flow"] : []) + part.fields.map(\.rawValue)
        let meant = nearestNames(to: name, among: known).first.map { "did you mean \($0)? " } ?? ""
        throw fault(key, "'\(printable(name))' is not known here: \(meant)use \(known.joined(separator: ", "))")
      }
      record.say(field, try self.value(value, field, part))
    }
    if part == .flow, record.title.isEmpty {
      throw fault(node, "says not which flow it is: begin with 'flow: TCP 192.0.2.1:49822 > 192.0.2.7:443'")
    }
    return record
  }

  private func value(_ node: Node, _ field: Field, _ part: Part) throws(RegressError) -> FieldValue {
    let name = field.rawValue
    switch field.kind(in: part) {
    case .word:
      if Self.isNull(node) { return .none }
      let word = try word(node, name)
      if field == .tag, Tag(rawValue: word) == nil {
        throw fault(node, "'\(word)' is no tag: use \(Tag.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return .word(word)
    case .number:
      guard let number = Double(node.scalar?.string ?? ""), number.isFinite else {
        throw fault(node, "'\(name)' must be a number")
      }
      return .number(number)
    case .list:
      let values = try list(node, name)
      if field == .evidence, let odd = values.first(where: { Evidence.Source(rawValue: $0) == nil }) {
        let known = Evidence.Source.allCases.map(\.rawValue).joined(separator: ", ")
        throw fault(node, "'\(odd)' is no kind of evidence: use \(known)")
      }
      return .list(values)
    case .named:
      var entries: [FieldValue.Entry] = []
      for (key, value) in try mapping(node, "'\(name)'") {
        entries.append(FieldValue.Entry(name: try word(key, name), values: try list(value, name)))
      }
      return .named(entries)
    }
  }

  private func tolerance(_ node: Node) throws(RegressError) -> Double {
    guard let number = Double(node.scalar?.string ?? ""), (0...1).contains(number) else {
      throw fault(node, "'tolerance' must be a number from 0 to 1")
    }
    return number
  }

  private func mapping(_ node: Node, _ what: String) throws(RegressError) -> [(Node, Node)] {
    guard let mapping = node.mapping else { throw fault(node, "\(what) must be made of 'key: value'") }
    return mapping.map { ($0.key, $0.value) }
  }

  private func sequence(_ node: Node, _ what: String) throws(RegressError) -> [Node] {
    guard let sequence = node.sequence else {
      throw fault(node, "'\(what)' must be a list: begin each entry with a dash, or write [] for none")
    }
    return Array(sequence)
  }

  /// A list, or a single word that stands for a list of one.
  private func list(_ node: Node, _ what: String) throws(RegressError) -> [String] {
    guard let sequence = node.sequence else { return [try word(node, what)] }
    var words: [String] = []
    for item in sequence { words.append(try word(item, what)) }
    return words
  }

  private func word(_ node: Node, _ what: String) throws(RegressError) -> String {
    guard let scalar = node.scalar else { throw fault(node, "'\(what)' must be a word or a list of words") }
    return printable(scalar.string)
  }

  private static func isNull(_ node: Node) -> Bool {
    guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  private func fault(_ node: Node, _ text: String) -> RegressError { RegressError(file, node.mark?.line, text) }
}
