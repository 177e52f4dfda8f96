/// A plot with a caption.
public struct Figure: Sendable {
  /// How much of the page's width it takes.
  public enum Size: Sendable {
    /// All of it; a second drawing with its own layout stands in on a narrow screen, so that labels stay legible.
    case wide
    /// Half of it where there is room for two beside each other.
    case half
  }

  /// Unique in the document; letters, digits and hyphens.
  public var id: String
  /// What is drawn.
  public var plot: any Plot
  /// What a reader should know to read it.
  public var caption: Markup
  /// How much of the page's width it takes.
  public var size: Size

  /// A plot with a caption.
  public init(id: String, plot: any Plot, caption: Markup, size: Size = .wide) {
    (self.id, self.plot, self.caption, self.size) = (id, plot, caption, size)
  }

  /// Widths of the drawings in CSS pixels.
  public static let wideWidth = 760.0, narrowWidth = 344.0, halfWidth = 400.0

  /// The drawings at the widths that the page may show, each with its identifier.
  public var drawings: [(id: String, drawing: Drawing)] {
    let own = size == .wide ? ("\(id)-w", Figure.wideWidth) : ("\(id)-m", Figure.halfWidth)
    return [own, ("\(id)-n", Figure.narrowWidth)].map { ($0.0, plot.drawing(width: $0.1, id: $0.0)) }
  }

  /// The figure as an element.
  public var markup: Markup {
    let pictures = zip(drawings, ["on-wide", "on-narrow"]).map { one, style in
      one.drawing.svg(id: one.id, title: plot.title, description: plot.summary, style: style)
    }.joined()
    return """
      <figure id="\(id)" class="\(size == .wide ? "full" : "half")">
      <p class="figure-title">\(plot.title)</p>
      \(pictures)<figcaption>\(caption)</figcaption>
      </figure>

      """
  }

  /// Two or more figures beside each other where there is room.
  public static func row(_ figures: [Figure]) -> Markup {
    guard figures.count > 1 else { return figures.map(\.markup).joined() }
    return "<div class=\"pair\">\n\(figures.map(\.markup).joined())</div>\n"
  }
}
