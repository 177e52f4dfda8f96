/// Results as JUnit XML, as build servers read it: a suite a folder, a case a capture.
public struct JUnitReport {
  /// A report.
  public init() {}

  /// The file.
  /// - Parameters:
  ///   - results: what came of the captures.
  ///   - folder: the name of the folder that they lie in.
  /// - Returns: the document.
  public func xml(_ results: [CaptureResult], folder: String) -> String {
    var suites: [(name: String, results: [CaptureResult])] = []
    var places: [String: Int] = [:]
    for result in results {
      let parent = result.name.split(separator: "/").dropLast().joined(separator: "/")
      let name = parent.isEmpty ? folder : "\(folder)/\(parent)"
      if let place = places[name] {
        suites[place].results.append(result)
      } else {
        places[name] = suites.count
        suites.append((name, [result]))
      }
    }
    var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    // The schema that Jenkins publishes knows no "skipped" here.
    xml += "<testsuites name=\"wiretag regress\" \(counts(results))>\n"
    for suite in suites {
      xml +=
        "  <testsuite name=\"\(Self.escaped(suite.name))\" \(counts(suite.results)) skipped=\"\(count("skipped", suite.results))\">\n"
      for result in suite.results { xml += testCase(result, suite: suite.name) }
      xml += "  </testsuite>\n"
    }
    return xml + "</testsuites>\n"
  }

  private func testCase(_ result: CaptureResult, suite: String) -> String {
    let name = result.name.split(separator: "/").last.map { String($0) } ?? result.name
    let open =
      "    <testcase name=\"\(Self.escaped(name))\" classname=\"\(Self.escaped(suite))\" "
      + "time=\"\(Self.seconds(result.seconds))\""
    guard let element = Self.element(result) else { return open + "/>\n" }
    let text = DifferenceText()
    let message = Self.escaped(text.headline(result))
    let details = text.details(result).map { Self.escaped($0) + "\n" }.joined()
    let body =
      element == "skipped"
      ? "      <skipped message=\"\(message)\"/>\n"
      : "      <\(element) message=\"\(message)\" type=\"\(Self.type(result))\">\(details)</\(element)>\n"
    return open + ">\n" + body + "    </testcase>\n"
  }

  private func counts(_ results: [CaptureResult]) -> String {
    let seconds = results.reduce(0) { $0 + $1.seconds }
    return "tests=\"\(results.count)\" failures=\"\(count("failure", results))\" "
      + "errors=\"\(count("error", results))\" time=\"\(Self.seconds(seconds))\""
  }

  private func count(_ element: String, _ results: [CaptureResult]) -> Int {
    results.count { Self.element($0) == element }
  }

  /// A failure is an answer that was not expected; an error is no answer.
  private static func element(_ result: CaptureResult) -> String? {
    switch result.outcome {
    case .asExpected, .recorded, .renewed: nil
    case .different, .notExpected: "failure"
    case .failed, .captureGone: "error"
    case .notReached: "skipped"
    }
  }

  private static func type(_ result: CaptureResult) -> String {
    switch result.outcome {
    case .different: "difference"
    case .notExpected: "no expectation"
    case .captureGone: "no capture"
    default: "not compared"
    }
  }

  private static func seconds(_ seconds: Double) -> String {
    let thousandths = Int64(exactly: (seconds * 1_000).rounded()) ?? 0
    return "\(thousandths / 1_000).\(String(thousandths % 1_000 + 1_000).dropFirst())"
  }

  /// Text for XML 1.0: markup in entities, and without the characters that a document cannot hold at all (section 2.2).
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\t", "\n": escaped.unicodeScalars.append(scalar)
      case "\u{20}"..."\u{d7ff}", "\u{e000}"..."\u{fffd}", "\u{10000}"..."\u{10ffff}":
        escaped.unicodeScalars.append(scalar)
      default: escaped.unicodeScalars.append("\u{fffd}")
      }
    }
    return escaped
  }
}
