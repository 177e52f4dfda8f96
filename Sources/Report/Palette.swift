import Classify

/// How text for a person may look: its width, colour and characters.
public struct TextStyle: Sendable {
  /// Columns of a line; at least `minimumWidth`.
  public var width: Int
  /// Whether colour may be used (SGR sequences of ECMA-48).
  public var isColored: Bool
  /// Whether characters beyond ASCII may be used for marks and bars.
  public var isUnicode: Bool

  /// The narrowest line that output is made for.
  public static let minimumWidth = 40
  /// The width where nothing tells.
  public static let defaultWidth = 80

  /// A style; widths below `minimumWidth` become it.
  public init(width: Int = TextStyle.defaultWidth, isColored: Bool = false, isUnicode: Bool = true) {
    self.width = max(width, Self.minimumWidth)
    self.isColored = isColored
    self.isUnicode = isUnicode
  }

  var arrow: String { isUnicode ? "→" : ">" }
  /// The mark of a shared-fate flow.
  var shared: String { isUnicode ? "⇄" : "&" }
  var ellipsis: String { isUnicode ? "…" : "~" }
  var dot: String { isUnicode ? "·" : "-" }
  var corner: String { isUnicode ? "└" : "\\" }
  var separator: String { " \(dot) " }

  /// A bar of up to `width` columns; eighths of a column where the characters allow.
  func bar(_ share: Double, width: Int) -> String {
    let share = share.isFinite ? min(max(share, 0), 1) : 0
    // Whatever is there at all shows.
    let eighths = share > 0 ? max(Int((share * Double(width * 8)).rounded()), 1) : 0
    guard isUnicode else { return String(repeating: "#", count: (eighths + 4) / 8) }
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }
}

/// Looks that mean something.
public enum Paint: String, Sendable {
  /// Text as it is, headings, and what matters less.
  case plain = ""
  case heading = "1"
  case faint = "2"
  /// The tags.
  case push = "36"
  case messaging = "32"
  case calling = "35"
  /// A connection that carries several tags.
  case sharedFate = "1;33"
  /// What to bear in mind, and what speaks against something.
  case warning = "33"
  case against = "31"

  init(_ tag: Tag) {
    self =
      switch tag {
      case .push: .push
      case .messaging: .messaging
      case .calling: .calling
      case .other: .plain
      }
  }
}

extension TextStyle {
  /// Text in a look; as it is where colour is off. Its width does not change.
  public func paint(_ text: String, _ paint: Paint) -> String {
    guard isColored, paint != .plain, !text.isEmpty else { return text }
    return "\u{1b}[\(paint.rawValue)m\(text)\u{1b}[0m"
  }
}
