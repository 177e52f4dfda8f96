import Dispatch
import Foundation

/// A program that is steered by JSON lines: one request after the other, each answered when its act is over.
protocol Steered: Actor {
  /// Does one act.
  /// - Returns: what goes into the answer beside `id` and `ok`.
  func act(_ verb: String, _ fields: Fields) async throws -> [String: JSON]
  /// Closes every connection properly.
  func end() async
}

/// The control protocol on standard input and output.
enum Control {
  /// Longest request in bytes; longer ones are refused.
  static let longestRequest = 1 << 20

  /// Answers requests until standard input ends or the program is told to go by SIGTERM.
  static func run(_ agent: some Steered) async {
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    signal(SIGPIPE, SIG_IGN)
    signal(SIGINT, SIG_IGN)
    signal(SIGTERM, SIG_IGN)
    let termination = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
    termination.setEventHandler { feed.finish() }
    termination.resume()
    // Reading blocks, so it has a thread of its own; at the end of the program it may still sleep in there.
    let reader = Thread {
      while let line = readLine(strippingNewline: true) { feed.yield(line) }
      feed.finish()
    }
    reader.start()
    Output.line(["ready": true])
    for await line in lines where !line.isEmpty { await answer(line, agent) }
    await agent.end()
    termination.cancel()
  }

  /// Ends the program, while the thread that reads standard input may sleep for ever.
  static func leave() -> Never { exit(EXIT_SUCCESS) }

  private static func answer(_ line: String, _ agent: some Steered) async {
    guard line.utf8.count <= longestRequest,
      case .object(var request)? = try? JSONDecoder().decode(JSON.self, from: Data(line.utf8))
    else {
      Output.log("a request that is no JSON object, or longer than \(longestRequest) bytes")
      return
    }
    let id = request.removeValue(forKey: "id") ?? .null
    do {
      guard case .string(let verb)? = request.removeValue(forKey: "do") else { throw Complaint("'do' is missing") }
      let answer = try await agent.act(verb, Fields(request))
      Output.line(.object(answer.merging(["id": id, "ok": true]) { $1 }))
    } catch {
      Output.line(["id": id, "ok": false, "error": .string("\(error)")])
    }
  }
}
