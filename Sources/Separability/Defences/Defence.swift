import Statistics
import Truth

/// What phones and couriers could do about shape.
enum Defence: Sendable, Equatable {
  case none
  case padding(Padding, name: String)
  /// Messages wait for the next of ticks so many seconds apart, and go as one record in each direction.
  case batching(seconds: Int)
  /// The phone plays so many sends a day that are none, with all that follows a send.
  case cover(perDay: Int)
  /// One record of `ConstantRate.size` each way every so many seconds, and nothing else.
  case constantRate(seconds: Int)

  /// All that are compared.
  static let all: [Defence] =
    [.none] + [256, 512, 1_024].map { .padding(.multiples(of: $0), name: "pad to \($0)") }
    + [.padding(.powersOfTwo, name: "pad to powers of two"), .padding(.flush, name: "flush padding (0x0F)")]
    + [1, 5, 30].map { .batching(seconds: $0) } + [10, 50, 200].map { .cover(perDay: $0) }
    + [1, 10, 60].map { .constantRate(seconds: $0) }

  var name: String {
    switch self {
    case .none: "none"
    case .padding(_, let name): name
    case .batching(let seconds): "batches of \(seconds) s"
    case .cover(let perDay): "cover, \(perDay) a day"
    case .constantRate(let seconds): "constant rate, \(seconds) s"
    }
  }

  var what: String {
    switch self {
    case .none: "The traffic as it was recorded."
    case .padding(.multiples(let multiple), _):
      "Each message is filled up to a multiple of \(multiple) bytes before it is encrypted."
    case .padding(.powersOfTwo, _): "Each message is filled up to a power of two."
    case .padding(.flush, _):
      "The courier's own padding, command 0x0F with zeros, fills each record up to 64, 128, 256 ... 8,192 bytes; the"
        + " protocol has it already."
    case .batching(let seconds):
      "What is to be sent waits for the next tick of \(seconds) s, and goes as one record in each direction."
    case .cover(let perDay):
      "The phone plays \(perDay) sends a day that are none; sizes, answers and times are those of real ones."
    case .constantRate(let seconds):
      "One record of \(ConstantRate.size) bytes each way every \(seconds) s, full or empty; nothing else."
    }
  }
}

/// Traffic after a defence.
struct DefendedTraffic: Sendable {
  var traffic: LabelledTraffic
  var roles: [RecordRole]
  /// Messages of the recorded traffic that each record holds; 0 for a decoy's.
  var holds: [Int32]
  /// Seconds by which each message with content came later; empty where nothing waits.
  var delays: [Double] = []
}

extension Defence {
  /// What the defence makes of the judged connections; other flows stay. Nil where no records remain that could be told
  /// apart.
  func applied(to index: TrafficIndex, seed: UInt64) -> DefendedTraffic? {
    let ones = { [Int32](repeating: 1, count: index.traffic.records.count) }
    switch self {
    case .none: return DefendedTraffic(traffic: index.traffic, roles: index.roles, holds: ones())
    case .padding(let padding, _):
      return DefendedTraffic(
        traffic: padding.applied(to: index.traffic, on: index.judgedFlows), roles: index.roles, holds: ones())
    case .batching(let seconds): return Batching(interval: Int64(seconds) * 1_000_000_000).applied(to: index)
    case .cover(let perDay): return CoverTraffic(perDay: perDay, seed: seed).applied(to: index)
    case .constantRate: return nil
    }
  }
}
