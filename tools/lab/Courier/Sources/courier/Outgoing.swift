import CourierProtocol

/// A message that a phone sends, and what has to come back for it.
struct Outgoing {
  /// Pairs it with what comes back.
  var name: String
  var command: Command
  var account: Account
  /// Acks of the courier for the single devices (c=255).
  var serverAcks = 0
  /// Whether the receiver's phone tells that it was delivered.
  var isConfirmed = false
  /// Whether the courier answers with a message.
  var isAnswered = false

  func isComplete(_ exchange: Phone.Exchange) -> Bool {
    exchange.isAcked && exchange.serverAcks >= serverAcks && (!isConfirmed || exchange.isDelivered)
      && (!isAnswered || exchange.answer != nil)
  }

  /// What is waited for, in words.
  var needs: String {
    var needs = ["ack"]
    if serverAcks > 0 { needs.append("\(serverAcks) acks for devices") }
    if isConfirmed { needs.append("receipt") }
    if isAnswered { needs.append("answer") }
    return needs.joined(separator: ", ")
  }
}
