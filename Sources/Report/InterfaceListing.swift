/// The interfaces of a machine for a person.
public struct InterfaceListing: Sendable {
  /// A line of the listing.
  public struct Row: Sendable, Equatable {
    /// The name, "eth0".
    public var name: String
    /// What it is, in a word or two: "up, loopback".
    public var state: String
    /// Its addresses.
    public var addresses: [String]
    /// What the system says about it.
    public var about: String?
    /// Whether it is of interest here; others are listed faintly.
    public var isCapturable: Bool
    /// A line.
    public init(name: String, state: String, addresses: [String], about: String?, isCapturable: Bool) {
      self.name = name
      self.state = state
      self.addresses = addresses
      self.about = about
      self.isCapturable = isCapturable
    }
  }

  /// How it may look.
  public var style: TextStyle

  /// Listings in a style.
  public init(style: TextStyle) { self.style = style }

  /// A line an interface.
  public func lines(_ rows: [Row]) -> [String] {
    var table = TextTable([
      TextColumn(title: "interface", minimum: 9, maximum: 24), TextColumn(title: "state", minimum: 8),
      TextColumn(title: "addresses", minimum: 26, wraps: true),
      TextColumn(title: "about", minimum: 12, wraps: true, dropOrder: 0),
    ])
    for row in rows {
      let paint = row.isCapturable ? Paint.plain : .faint
      table.rows.append([
        TextCell(printable(row.name), row.isCapturable ? .heading : .faint), TextCell(row.state, paint),
        TextCell(row.addresses.map(printable).joined(separator: ", "), paint),
        TextCell(printable(row.about ?? ""), .faint),
      ])
    }
    return table.lines(style)
  }
}
