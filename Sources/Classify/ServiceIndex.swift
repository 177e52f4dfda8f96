import Bytes

/// The catalogue, compiled for look-ups per flow: one table a kind of observation, each giving row numbers.
struct ServiceIndex: Sendable {
  /// What a row says, without its texts.
  struct Row: Sendable {
    /// Position of the service in `services`.
    var service: Int32
    /// Position of its provenance in `Provenance.allCases`.
    var provenance: Int32
    /// Position in `conditions`, or -1 for none.
    var condition: Int32
    /// Position in `alikes` of the services that show the same, or -1.
    var also: Int32
    /// Factor on the bits.
    var weight: Double
  }
  /// What a service is, without its identifiers.
  struct Entry: Sendable {
    var name: String
    var tag: Tag
    var carries: [Carried]
    /// Position in `owners`, or -1.
    var owner: Int32
    var isInfrastructure: Bool
    var isGeneric: Bool
    /// Position of the service of its calls, or -1.
    var calls: Int32
    /// Position in `alikes`, or -1.
    var also: Int32
  }
  /// What must hold besides the value.
  struct Condition: Sendable {
    var ports: [PortRange]
    var isBothEnds: Bool
    var within: [AddressPrefix]
  }
  /// An owner.
  struct OwnerEntry: Sendable {
    var name: String
    /// The service of flows to its addresses that nothing else names, or -1.
    var service: Int32
    var provenance: Int32
  }

  private(set) var rows: [Row] = []
  /// The value of each row, as it is shown.
  private(set) var values: [String] = []
  private(set) var services: [Entry] = []
  /// Position in `services` by name.
  private(set) var numbers: [String: Int32] = [:]
  private(set) var conditions: [Condition] = []
  /// Names of services that look the same.
  private(set) var alikes: [[String]] = []
  private(set) var owners: [OwnerEntry] = []

  let names: NameTable
  let alpn: TokenTable
  let ja3: TokenTable
  let ja4: TokenTable
  private let protocolsOverTCP: TokenTable
  private let protocolsOverUDP: TokenTable
  let addresses: IntervalTable<UInt128>
  let ownedAddresses: IntervalTable<UInt128>
  /// The prefix of each row of `ownedAddresses`, and its owner.
  private(set) var ownedPrefixes: [(prefix: String, owner: Int32)] = []
  let ports: IntervalTable<UInt32>
  /// Patterns and their rows, those over TCP first.
  private(set) var patterns: [(pattern: BytePattern, row: Int32)] = []
  private(set) var patternsOverTCP = 0..<0
  var patternsOverUDP: Range<Int> { patternsOverTCP.upperBound..<patterns.count }
  /// Rows by `STUNSign.key`.
  private(set) var stunSigns: [UInt32: Int32] = [:]
  private(set) var stunTexts = TextFinder()
  private(set) var userAgents = TextFinder()
  /// Rows by sign.
  private(set) var mediaSigns: [MediaSign: Int32] = [:]
  /// Rows by program, in lower case.
  private(set) var processes: [String: [Int32]] = [:]

  init(_ catalogue: Catalogue) {
    var named: [(name: String, isExact: Bool, row: Int32)] = []
    var alpn: [(word: String, row: Int32)] = []
    var ja3 = alpn
    var ja4 = alpn
    var protocolsOverTCP = alpn
    var protocolsOverUDP = alpn
    var addresses: [(keys: ClosedRange<UInt128>, row: Int32)] = []
    var owned = addresses
    var ports: [(keys: ClosedRange<UInt32>, row: Int32)] = []
    let provenances = Dictionary(uniqueKeysWithValues: zip(Provenance.allCases, Int32(0)...))
    for owner in catalogue.owners {
      let service = catalogue.services.firstIndex { $0.name == owner.service } ?? -1
      for prefix in owner.prefixes {
        owned.append((prefix.keys, Int32(clamping: ownedPrefixes.count)))
        ownedPrefixes.append((prefix.description, Int32(clamping: owners.count)))
      }
      owners.append(
        OwnerEntry(
          name: owner.name, service: Int32(clamping: service), provenance: provenances[owner.provenance] ?? 0))
    }
    for (number, service) in catalogue.services.enumerated() { numbers[service.name] = Int32(clamping: number) }
    for service in catalogue.services {
      let owner = catalogue.owners.firstIndex { $0.name == service.owner } ?? -1
      for identifier in service.identifiers where identifier.kind.isCompared {
        let row = Int32(clamping: rows.count)
        let value = identifier.value
        switch identifier.kind {
        case .sniSuffix: named.append((value, false, row))
        case .sniExact: named.append((value, true, row))
        case .alpn: alpn.append((value, row))
        case .ja3: ja3.append((value, row))
        case .ja4: ja4.append((value, row))
        case .protocol:
          let transports = identifier.ports
          if transports.isEmpty || transports.contains(where: \.isTCP) { protocolsOverTCP.append((value, row)) }
          if transports.isEmpty || transports.contains(where: { !$0.isTCP }) { protocolsOverUDP.append((value, row)) }
        case .stunAttribute:
          guard let sign = try? STUNSign(value) else { continue }
          stunSigns[sign.key] = row
        case .stunText: stunTexts.add(value, row: row)
        case .userAgent: userAgents.add(value, row: row)
        case .media:
          guard let sign = MediaSign(rawValue: value) else { continue }
          mediaSigns[sign] = row
        case .process: for name in Self.cuts(of: value) { processes[name, default: []].append(row) }
        case .ipPrefix:
          guard let prefix = try? AddressPrefix(value) else { continue }
          addresses.append((prefix.keys, row))
        case .port:
          guard let range = try? PortRange(value) else { continue }
          ports.append((range.keys, row))
        case .firstBytes:
          guard let pattern = try? BytePattern(value) else { continue }
          patterns.append((pattern, row))
        case .behaviour: continue
        }
        var condition: Int32 = -1
        if !identifier.ports.isEmpty || !identifier.within.isEmpty {
          condition = Int32(clamping: conditions.count)
          conditions.append(
            Condition(ports: identifier.ports, isBothEnds: identifier.isBothEnds, within: identifier.within))
        }
        rows.append(
          Row(
            service: Int32(clamping: services.count), provenance: provenances[identifier.provenance] ?? 0,
            condition: condition, also: Self.keep(identifier.also, in: &alikes), weight: identifier.weight))
        values.append(value)
      }
      var calls: Int32 = -1
      if let name = service.calls { calls = numbers[name] ?? -1 }
      services.append(
        Entry(
          name: service.name, tag: service.tag, carries: service.carries, owner: Int32(clamping: owner),
          isInfrastructure: service.isInfrastructure, isGeneric: service.isGeneric,
          calls: calls, also: Self.keep(service.also, in: &alikes)))
    }
    patterns = patterns.filter(\.pattern.isTCP) + patterns.filter { !$0.pattern.isTCP }
    patternsOverTCP = 0..<patterns.count(where: \.pattern.isTCP)
    names = NameTable(named)
    self.alpn = TokenTable(alpn)
    self.ja3 = TokenTable(ja3)
    self.ja4 = TokenTable(ja4)
    self.protocolsOverTCP = TokenTable(protocolsOverTCP)
    self.protocolsOverUDP = TokenTable(protocolsOverUDP)
    let mapped = IPAddress(v4: 0).key...IPAddress(v4: .max).key
    self.addresses = IntervalTable(addresses, usual: mapped)
    ownedAddresses = IntervalTable(owned, usual: mapped)
    self.ports = IntervalTable(ports, usual: 0...PortRange.key(.max, isTCP: true))
  }

  /// Keeps names of services that look the same.
  private static func keep(_ alike: [String], in alikes: inout [[String]]) -> Int32 {
    guard !alike.isEmpty else { return -1 }
    alikes.append(alike)
    return Int32(clamping: alikes.count - 1)
  }

  /// A program's name as it may be told: PKTAP keeps 16 bytes of it (Darwin's MAXCOMLEN), PCAPdroid's trailer 19.
  static func cuts(of name: String) -> Set<String> {
    let name = name.lowercased()
    return Set([16, 19, name.utf8.count].map { String(decoding: name.utf8.prefix($0), as: UTF8.self) })
  }

  /// The row of an application protocol over a transport.
  func row(ofProtocol name: String, isTCP: Bool) -> Int32? {
    isTCP ? protocolsOverTCP.row(for: name) : protocolsOverUDP.row(for: name)
  }

  /// Whether a row's conditions hold for an end of a flow.
  func holds(_ row: Row, address: IPAddress, port: UInt16, isTCP: Bool) -> Bool {
    guard row.condition >= 0 else { return true }
    let condition = conditions[Int(row.condition)]
    return (condition.ports.isEmpty || condition.ports.contains { $0.contains(port, isTCP: isTCP) })
      && (condition.within.isEmpty || condition.within.contains { $0.contains(address) })
  }

  /// Whether a row's conditions hold for one end of a flow or the other: in one that began before the capture the
  /// server may have sent the first packet seen.
  func holds(_ row: Row, eitherEndOf flow: borrowing FlowObservation) -> Bool {
    guard row.condition >= 0 else { return true }
    let isServer = holds(row, address: flow.server, port: flow.serverPort, isTCP: flow.isTCP)
    if isServer, !conditions[Int(row.condition)].isBothEnds { return true }
    let isClient = holds(row, address: flow.client, port: flow.clientPort, isTCP: flow.isTCP)
    return conditions[Int(row.condition)].isBothEnds ? isServer && isClient : isClient
  }

  /// Whether a row counts only with certain ports.
  func isBoundToPorts(_ row: Row) -> Bool {
    row.condition >= 0 && !conditions[Int(row.condition)].ports.isEmpty
  }

  /// Whether an address belongs to an owner.
  func isOwned(_ address: IPAddress, by owner: Int32) -> Bool {
    for position in ownedAddresses.positions(holding: address.translated.key)
    where ownedPrefixes[Int(ownedAddresses[position])].owner == owner { return true }
    return false
  }
}
