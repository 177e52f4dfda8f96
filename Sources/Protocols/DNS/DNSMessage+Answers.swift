import Bytes

extension DNSMessage {
  /// The longest chain of CNAME and SVCB aliases that is followed; resolvers give up at about this many.
  static let maximumChain = 16

  /// The addresses that a response gives to the names asked for, along CNAME and service bindings; records that the
  /// questions do not lead to are left out.
  ///
  /// A response without a question, as mDNS sends it (RFC 6762, section 6), answers for each record's own name; a TTL
  /// of 0 takes a record back there (section 10.1).
  public var addresses: [DNSAnswer] {
    guard isResponse, responseCode == 0, operation == 0 else { return [] }
    var found: [DNSAnswer] = []
    if questions.isEmpty {
      for record in answers + additionals where record.timeToLive > 0 {
        collect(from: record, name: record.name, .max, into: &found)
      }
    }
    for question in questions where question.recordClass == 1 {
      follow(from: question.name, asked: question.name, .max, steps: Self.maximumChain, into: &found)
    }
    return found
  }

  private func follow(
    from owner: String, asked: String, _ timeToLive: UInt32, steps: Int, into found: inout [DNSAnswer]
  ) {
    guard steps > 0 else { return }
    var next: (name: String, timeToLive: UInt32)?
    for records in [answers, additionals] {
      for record in records where record.recordClass == 1 && record.name == owner {
        collect(from: record, name: asked, timeToLive, into: &found)
        let limit = min(timeToLive, record.timeToLive)
        switch record.value {
        case .alias(let name): next = next ?? (name, limit)
        case .service(let binding) where binding.target != ".": next = next ?? (binding.target, limit)
        default: break
        }
      }
    }
    guard let next, next.name != owner else { return }
    follow(from: next.name, asked: asked, next.timeToLive, steps: steps - 1, into: &found)
  }

  private func collect(from record: DNSRecord, name: String, _ timeToLive: UInt32, into found: inout [DNSAnswer]) {
    let limit = min(timeToLive, record.timeToLive)
    switch record.value {
    case .address(let address):
      append(DNSAnswer(name: name, address: address, timeToLive: limit), to: &found)
    case .service(let binding):
      for hint in binding.hints { append(DNSAnswer(name: name, address: hint, timeToLive: limit), to: &found) }
    default:
      break
    }
  }

  private func append(_ answer: DNSAnswer, to found: inout [DNSAnswer]) {
    guard found.count < Self.maximumRecords else { return }
    if let known = found.firstIndex(where: { $0.name == answer.name && $0.address == answer.address }) {
      found[known].timeToLive = min(found[known].timeToLive, answer.timeToLive)
    } else {
      found.append(answer)
    }
  }
}
