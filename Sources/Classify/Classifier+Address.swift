import Bytes

extension Classifier {
  /// Weighs whose address the server has, alone and with its port, and whether it fits the name.
  func weighAddress(_ flow: borrowing FlowObservation, _ name: FlowName, _ ledger: inout Ledger) {
    let isFound =
      weigh(flow.server, flow.serverPort, flow.isTCP, &ledger)
      // In a flow that began before the capture the server may have sent the first packet seen.
      || weigh(flow.client, flow.clientPort, flow.isTCP, &ledger)
    if !isFound, !name.isKnown, !weighOwner(flow.server, &ledger) { _ = weighOwner(flow.client, &ledger) }
    checkOwner(flow, name, &ledger)
  }

  /// Adds the best row that holds an address: one that asks for this port before one that asks for none, the longest
  /// prefix of each.
  private func weigh(_ address: IPAddress, _ port: UInt16, _ isTCP: Bool, _ ledger: inout Ledger) -> Bool {
    var best: Int32?
    for position in index.addresses.positions(holding: address.translated.key) {
      let row = index.addresses[position]
      let facts = index.rows[Int(row)]
      guard index.holds(facts, address: address, port: port, isTCP: isTCP) else { continue }
      if index.isBoundToPorts(facts) {
        add(
          .address, .addressAndPort, index.values[Int(row)], row: row, group: .place,
          note: isTCP ? "with its TCP port" : "with its UDP port", to: &ledger)
        return true
      }
      best = best ?? row
    }
    guard let best else { return false }
    add(.address, .address, index.values[Int(best)], row: best, group: .place, to: &ledger)
    return true
  }

  /// Adds the owner of an address who runs many services.
  private func weighOwner(_ address: IPAddress, _ ledger: inout Ledger) -> Bool {
    guard let position = index.ownedAddresses.positions(holding: address.translated.key).first else { return false }
    let entry = Int(index.ownedAddresses[position])
    let owner = Int(index.ownedPrefixes[entry].owner)
    guard index.owners[owner].service >= 0 else { return false }
    var (number, factor) = (index.owners[owner].service, 1.0)
    if ledger.isMedia { (number, factor, _) = underMedia(number, factor, ledger.media) }
    let tag = index.services[Int(number)].tag
    let bits = weights.bits(.owner, at: Int(index.owners[owner].provenance)) * factor
    ledger.add(
      tag, bits: bits, service: number, group: .place,
      Evidence(
        .address, value: index.ownedPrefixes[entry].prefix, tag: tag, service: index.services[Int(number)].name,
        bits: bits, note: "\(index.owners[owner].name) runs many services there"))
    return true
  }

  /// Notes a name of a service on an address that is not its owner's.
  private func checkOwner(_ flow: borrowing FlowObservation, _ name: FlowName, _ ledger: inout Ledger) {
    guard let row = name.row, let text = name.text else { return }
    let number = index.rows[Int(row)].service
    let owner = index.services[Int(number)].owner
    guard owner >= 0, !index.isOwned(flow.server, by: owner), !index.isOwned(flow.client, by: owner) else { return }
    let isPrivate = flow.server.isSpecialPurpose
    let tag = index.services[Int(number)].tag
    let bits = -(weights.conflicts[isPrivate ? .privateAddress : .address] ?? 0)
    ledger.addConflict(sentence(text, number, flow.server, isPrivate))
    ledger.add(
      tag, bits: bits, service: number, group: nil,
      Evidence(
        .address, value: flow.server.description, tag: tag, service: index.services[Int(number)].name, bits: bits,
        note: "address is not \(index.owners[Int(owner)].name)'s"))
  }

  private func sentence(_ text: String, _ number: Int32, _ address: IPAddress, _ isPrivate: Bool) -> String {
    let service = index.services[Int(number)]
    return isPrivate
      ? "\(text) is \(service.name)'s name, but the address \(address) is private: a proxy or a test stands there"
      : "\(text) is \(service.name)'s name, but the address \(address) is not \(index.owners[Int(service.owner)].name)'s"
  }
}
