import CCatalogue
import Foundation

/// The services that are known, how each shows itself, and how much each way of showing is worth.
public struct Catalogue: Sendable {
  /// The largest user file that is read, in bytes.
  public static let maximumFileSize = 4 << 20

  /// The services, in the order of the file; a user's own come last.
  public internal(set) var services: [Service] = []
  /// Owners of address space.
  public internal(set) var owners: [Owner] = []
  /// What evidence is worth.
  public internal(set) var weights = EvidenceWeights()
  /// How a margin becomes a probability.
  public internal(set) var calibration = Calibration()

  private init() {}

  /// The catalogue that the program ships with.
  /// - Throws: `CatalogueError`; a test proves that it does not.
  public static func shipped() throws -> Catalogue {
    var catalogue = Catalogue()
    var count = 0
    let services = unsafe text(wiretag_services_yaml(&count), count)
    try catalogue.merge(CatalogueFile(services, file: "services.yaml", isShipped: true))
    let table = unsafe text(wiretag_calibration_yaml(&count), count)
    catalogue.calibration = try Calibration(parsing: table, file: "calibration.yaml")
    return catalogue
  }

  /// The shipped catalogue with a user's file laid over it: new services are added; a service of a shipped name takes
  /// over what the file says of it and keeps the rest, unless it says `replace: true`.
  /// - Throws: `CatalogueError` where the file cannot be read or has mistakes.
  public init(merging userFile: String) throws {
    let bytes: Data
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: userFile)
      if let size = attributes[.size] as? Int, size > Self.maximumFileSize {
        throw CatalogueError(file: userFile, "is \(size) bytes long, more than the \(Self.maximumFileSize) allowed")
      }
      bytes = try Data(contentsOf: URL(filePath: userFile))
    } catch let error as CatalogueError {
      throw error
    } catch {
      throw CatalogueError(file: userFile, openingSentence(error))
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CatalogueError(file: userFile, "is not UTF-8 text; save it as UTF-8")
    }
    try self.init(merging: text, named: userFile)
  }

  /// The shipped catalogue with the text of a user's file laid over it.
  /// - Throws: `CatalogueError` where the text has mistakes.
  public init(merging text: String, named file: String) throws {
    self = try Catalogue.shipped()
    try merge(CatalogueFile(text, file: file, isShipped: false))
  }

  /// The service of a name.
  public func service(named name: String) -> Service? { services.first { $0.name == name } }

  /// The owner of a name.
  public func owner(named name: String) -> Owner? { owners.first { $0.name == name } }

  /// The pointer is to bytes of the program's image, and `count` of them.
  private static func text(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> String {
    unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }
}

extension Catalogue {
  /// Lays a parsed file over what is there.
  mutating func merge(_ file: CatalogueFile) throws {
    var problems: [CatalogueError.Problem] = []
    if let weights = file.weights { self.weights = weights }
    for owner in file.owners {
      if let i = owners.firstIndex(where: { $0.name == owner.name }) {
        owners[i] = owner
      } else {
        owners.append(owner)
      }
    }
    if !services.isEmpty {
      // What a file gives to one service it takes from the others.
      let taken = Set(file.services.flatMap(\.identifiers).filter(\.kind.isExclusive).map(Key.init))
      for i in services.indices { services[i].identifiers.removeAll { taken.contains(Key($0)) } }
    }
    for entry in file.services {
      if let i = services.firstIndex(where: { $0.name == entry.name }) {
        services[i].tag = entry.tag ?? services[i].tag
        services[i].about = entry.about ?? services[i].about
        services[i].carries = entry.carries ?? services[i].carries
        services[i].owner = entry.owner ?? services[i].owner
        services[i].isInfrastructure = entry.isInfrastructure ?? services[i].isInfrastructure
        services[i].isGeneric = entry.isGeneric ?? services[i].isGeneric
        services[i].calls = entry.calls ?? services[i].calls
        services[i].also = entry.also ?? services[i].also
        services[i].identifiers = (entry.replaces ? [] : services[i].identifiers) + entry.identifiers
      } else if let tag = entry.tag {
        services.append(
          Service(
            name: entry.name, tag: tag, about: entry.about ?? "", carries: entry.carries ?? [], owner: entry.owner,
            isInfrastructure: entry.isInfrastructure ?? false, isGeneric: entry.isGeneric ?? false, calls: entry.calls,
            also: entry.also ?? [], identifiers: entry.identifiers))
      } else {
        problems.append(
          file.problem(
            entry.line, "service \"\(entry.name)\" has no tag: add `tag:` with push, messaging, calling or other"))
      }
    }
    let names = Set(owners.map(\.name))
    for entry in file.services {
      if let owner = entry.owner, !names.contains(owner) {
        problems.append(
          file.problem(entry.line, "service \"\(entry.name)\" names the owner \"\(owner)\", who is not under `owners:`")
        )
      }
    }
    for entry in file.services {
      if let calls = entry.calls, service(named: calls)?.tag != .calling {
        problems.append(
          file.problem(
            entry.line, "service \"\(entry.name)\": `calls:` must name a service tagged calling, not \"\(calls)\""))
      }
    }
    for (owner, line) in zip(file.owners, file.ownerLines) {
      guard let name = owner.service else { continue }
      if service(named: name)?.tag != .other {
        problems.append(
          file.problem(line, "owner \"\(owner.name)\": `service:` must name a service tagged other, not \"\(name)\""))
      }
    }
    guard problems.isEmpty else { throw CatalogueError(problems) }
  }

  /// What makes two identifiers the same row.
  struct Key: Hashable {
    let kind: Identifier.Kind
    let value: String
    let ports: [PortRange]
    let isBothEnds: Bool
    let within: [AddressPrefix]

    init(_ identifier: Identifier) {
      kind = identifier.kind
      value = identifier.value
      ports = identifier.ports
      isBothEnds = identifier.isBothEnds
      within = identifier.within
    }
  }
}

extension Identifier.Kind {
  /// Whether a value of it belongs to one service; ports and what is not compared may stand with several.
  var isExclusive: Bool { self != .port && isCompared }
}

/// Why a file does not open, and what to do.
private func openingSentence(_ error: any Error) -> String {
  switch (error as? CocoaError)?.code {
  case .fileNoSuchFile, .fileReadNoSuchFile, .fileReadInvalidFileName: return "no such file"
  case .fileReadNoPermission: return "no right to open it; ask its owner"
  default: return "cannot be read; give the path of a readable YAML file"
  }
}
