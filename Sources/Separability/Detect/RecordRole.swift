import Truth

/// What a study needs of a record's truth, in one byte. Features never see it.
struct RecordRole: OptionSet, Sendable {
  let rawValue: UInt8
  /// Of the target, of the background; never both: the target comes first.
  static let target = RecordRole(rawValue: 1), background = RecordRole(rawValue: 2)
  /// What a person or a server wants shown: a text, an alert. Not acks, receipts and typing.
  static let content = RecordRole(rawValue: 4)
  /// Sent by a phone as cover: counts as background.
  static let decoy = RecordRole(rawValue: 8)

  /// The roles of all records, in their order.
  static func all(in traffic: LabelledTraffic, target: TrafficClass, background: TrafficClass) -> [RecordRole] {
    let isTarget = target.membership(in: traffic)
    let isBackground = background.membership(in: traffic)
    let content = traffic.names.map(TrafficClass.isContent)
    return traffic.records.map { record in
      var role: RecordRole = isTarget(record) ? .target : isBackground(record) ? .background : []
      if content.indices.contains(Int(record.kind)), content[Int(record.kind)] { role.insert(.content) }
      return role
    }
  }
}
