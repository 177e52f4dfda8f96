import CourierProtocol

extension Phone {
  /// Seconds in which an exchange has to be over where the request does not say.
  static let patience = 10.0

  func act(_ verb: String, _ fields: Fields) async throws -> [String: JSON] {
    var fields = fields
    switch verb {
    case "connect": return try await connect(&fields)
    case "disconnect":
      let how = try fields.word("how", Ending.self) ?? .close
      try fields.end()
      try await leave(how)
      return [:]
    case "reconnected":
      let seconds = try fields.seconds("timeout") ?? 60
      try fields.end()
      try await waiters.wait(seconds, for: "connection") { self.isSettled && self.reconnecting == nil }
      return place
    case "settle":
      let seconds = try fields.seconds("timeout") ?? Self.patience
      try fields.end()
      try await waiters.wait(seconds, for: "ack of \(unacked.count) messages") { self.unacked.isEmpty }
      return [:]
    case "filter":
      let topics = try fields.integer("topics", in: 0...400) ?? settings?.topics ?? 200
      try fields.end()
      try send(messages.filter(topics: topics), Account(kind: .filter))
      return [:]
    case "keepalive":
      let seconds = try fields.seconds("timeout") ?? Self.patience
      try fields.end()
      return try await request(.keepAliveResponse, seconds) {
        isNegotiating = true
        try send(messages.keepAlive(), Account(kind: .keepAlive))
      }
    case "scoped_token":
      let topic = try fields.string("topic") ?? "com.example.news"
      let seconds = try fields.seconds("timeout") ?? Self.patience
      try fields.end()
      return try await request(.scopedTokenResponse, seconds) {
        try send(messages.scopedToken(topic), Account(kind: .scopedToken, topic: topic))
      }
    case "subscribe":
      let topic = try fields.string("topic") ?? "com.example.scores"
      let seconds = try fields.seconds("timeout") ?? Self.patience
      try fields.end()
      return try await request(.channelUpdate, seconds) {
        try send(messages.subscribe(topic), Account(kind: .subscribe, topic: topic))
      }
    default: return try await say(verb, &fields)
    }
  }

  func end() async {
    try? await leave(.close)
  }

  /// Where the phone is connected.
  private var place: [String: JSON] {
    guard let connection else { return [:] }
    return [
      "port": JSON(connection.remotePort), "local": .string(connection.local),
      "remote": .string(connection.remote), "framing": .string(connection.framing.rawValue),
      "tls": .string(connection.tls), "sent": JSON(connection.records),
    ]
  }

  private func connect(_ fields: inout Fields) async throws -> [String: JSON] {
    let settings = try ConnectSettings(&fields)
    try fields.end()
    guard connection == nil else { throw Complaint("connected already") }
    reconnecting?.cancel()
    reconnecting = nil
    self.settings = settings
    try await establish()
    return place
  }

  /// Something that is answered by a command of its own.
  private func request(_ answer: CommandID, _ seconds: Double, _ ask: () throws -> Void) async throws
    -> [String: JSON]
  {
    let before = arrivals[answer, default: 0]
    let id = connection?.id
    try ask()
    try await waiters.wait(seconds, for: "answer") {
      guard self.connection?.id == id else { throw Complaint("connection lost: \(self.lastEnd)") }
      return self.arrivals[answer, default: 0] > before
    }
    return [:]
  }

  /// The acts that are messages.
  private func say(_ verb: String, _ fields: inout Fields) async throws -> [String: JSON] {
    let outgoing = try messages.outgoing(verb, &fields, lastReceived: lastReceived)
    let waits = try fields.bool("wait") ?? true
    let seconds = try fields.seconds("timeout") ?? Self.patience
    try fields.end()
    let answer = try await perform(outgoing, waits: waits, seconds)
    return answer.merging(["message": .string(outgoing.name)]) { $1 }
  }

  /// Sends a message and waits for all that has to come back. A phone that reconnects by itself sends it again on the
  /// next connection if the first was lost before the courier's ack.
  private func perform(_ outgoing: Outgoing, waits: Bool, _ seconds: Double) async throws -> [String: JSON] {
    let deadline = Clock.now() + seconds
    var tries = 0
    while true {
      if settings?.reconnects == true {
        try await waiters.wait(max(0, deadline - Clock.now()), for: "connection") { self.isSettled }
      }
      tries += 1
      try transmit(outgoing)
      guard waits else { return [:] }
      let id = connection?.id
      do {
        try await waiters.wait(max(0, deadline - Clock.now()), for: outgoing.needs) {
          guard let exchange = self.exchanges[outgoing.name] else { throw Complaint("too many exchanges") }
          if outgoing.isComplete(exchange) { return true }
          if self.connection?.id != id, !exchange.isAcked || self.settings?.reconnects != true {
            throw Lost(description: "connection lost before \(outgoing.needs): \(self.lastEnd)")
          }
          return false
        }
      } catch let lost as Lost {
        guard settings?.reconnects == true else { throw lost }
        continue
      }
      let exchange = exchanges[outgoing.name]
      if let status = exchange?.status, status != 0 { throw Complaint("the courier refuses: status \(status)") }
      var answer: [String: JSON] = tries > 1 ? ["tries": JSON(tries)] : [:]
      if let payload = exchange?.answer { answer.merge(messages.report(payload)) { $1 } }
      return answer
    }
  }

  private struct Lost: Error, CustomStringConvertible {
    let description: String
  }

  /// Puts a message on the wire and opens its exchange.
  func transmit(_ outgoing: Outgoing) throws {
    if let number = outgoing.command.number(4) { unacked[number] = outgoing.name }
    open(outgoing.name, outgoing.account.kind.group)
    try send(outgoing.command, outgoing.account)
  }
}
