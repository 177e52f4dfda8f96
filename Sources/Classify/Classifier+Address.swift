import Bytes

extension Classifier {
  /// Weighs whose address the server has, alone and with its port, and whether it fits the name.
  func weighAddress(_ flow: FlowObservation, _ name: FlowName, _ ledger: inout Ledger) {
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
    let (prefix, ownerNumber) = index.ownedPrefixes[Int(index.ownedAddresses[position])]
    let owner = index.owners[Int(ownerNumber)]
    guard owner.service >= 0 else { return false }
    var (number, factor, note) = (owner.service, 1.0, Optional("\(owner.name) runs many services there"))
    if ledger.isMedia { (number, factor, note) = underMedia(number, factor, note, ledger.media) }
    let service = index.services[Int(number)]
    ledger.add(
      Evidence(
        .address, value: prefix, tag: service.tag, service: service.name,
        bits: weights.bits(.owner, at: Int(owner.provenance)) * factor, note: note), service: number, group: .place)
    return true
  }

  /// Notes a name of a service on an address that is not its owner's.
  private func checkOwner(_ flow: FlowObservation, _ name: FlowName, _ ledger: inout Ledger) {
    guard let row = name.row, let text = name.text else { return }
    let number = index.rows[Int(row)].service
    let service = index.services[Int(number)]
    guard service.owner >= 0, !index.isOwned(flow.server, by: service.owner),
      !index.isOwned(flow.client, by: service.owner)
    else { return }
    let owner = index.owners[Int(service.owner)].name
    let isPrivate = flow.server.isSpecialPurpose
    let address = flow.server.description
    ledger.addConflict(
      isPrivate
        ? "\(text) is \(service.name)'s name, but the address \(address) is private: a proxy or a test stands there"
        : "\(text) is \(service.name)'s name, but the address \(address) is not \(owner)'s",
      Evidence(
        .address, value: address, tag: service.tag, service: service.name,
        bits: -(weights.conflicts[isPrivate ? .privateAddress : .address] ?? 0), note: "address is not \(owner)'s"),
      service: number)
  }
}
