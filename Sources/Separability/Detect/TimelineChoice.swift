import Bytes
import Truth

/// One connection for a picture: the one that has most of both kinds.
struct TimelineChoice {
  /// The most records that a picture holds.
  static let maximumRecords = 1_500

  let timeline: Timeline?

  init(_ index: TrafficIndex) {
    var best: (flow: Int, fewer: Int, all: Int)?
    for flow in index.judgedFlows {
      var targets = 0
      var backgrounds = 0
      for place in index.places(of: flow) {
        let role = index.roles[Int(index.order[place])]
        if role.contains(.target) { targets += 1 } else if role.contains(.background) { backgrounds += 1 }
      }
      let found = (flow: flow, fewer: min(targets, backgrounds), all: targets + backgrounds)
      if best.map({ (found.fewer, found.all) > ($0.fewer, $0.all) }) ?? true { best = found }
    }
    guard let best else {
      timeline = nil
      return
    }
    let traffic = index.traffic
    let flow = traffic.flows[best.flow]
    let numbers = index.order[index.places(of: best.flow)].prefix(Self.maximumRecords)
    let start = numbers.first.map { traffic.records[Int($0)].time } ?? 0
    let capture = traffic.captures.indices.contains(flow.capture) ? traffic.captures[flow.capture] : ""
    var timeline = Timeline()
    timeline.title =
      "\(capture), \(Self.endpoint(flow.client.description, flow.client.isV4, flow.clientPort)) to "
      + Self.endpoint(flow.server.description, flow.server.isV4, flow.serverPort)
    timeline.records = numbers.map { number in
      let record = traffic.records[Int(number)]
      let role = index.roles[Int(number)]
      return .init(
        seconds: Double(record.time - start) / 1e9, size: Int(record.size), isUp: record.isUp,
        whose: role.contains(.target) ? 0 : role.contains(.background) ? 1 : 2)
    }
    self.timeline = timeline
  }

  private static func endpoint(_ address: String, _ isV4: Bool, _ port: UInt16) -> String {
    isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}
