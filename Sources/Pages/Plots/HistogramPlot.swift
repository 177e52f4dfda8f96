/// Two distributions over the same bins, one filled and one hatched, so that their overlap shows.
public struct HistogramPlot: Plot {
  /// What it is, and what it shows in sentences.
  public var title: String, summary: String
  /// Ends of the bins, ascending, one more than there are bins.
  public var edges: [Double]
  /// Share of each kind in each bin, from 0 to 1.
  public var target: [Double], background: [Double]
  /// What the kinds are called.
  public var targetName: String, backgroundName: String
  /// What is measured, with its unit, and whether equal factors are equally wide.
  public var quantity: String, isLogarithmic: Bool
  /// Overlap of the two, from 0 to 1.
  public var overlap: Double?

  /// Two distributions; bins without an edge or a share are left out.
  public init(
    title: String, summary: String, edges: [Double], target: [Double], background: [Double], targetName: String,
    backgroundName: String, quantity: String, isLogarithmic: Bool, overlap: Double? = nil
  ) {
    (self.title, self.summary, self.edges) = (title, summary, edges)
    (self.target, self.background) = (target, background)
    (self.targetName, self.backgroundName) = (targetName, backgroundName)
    (self.quantity, self.isLogarithmic, self.overlap) = (quantity, isLogarithmic, overlap)
  }

  /// Whether there is anything to draw.
  public var isDrawable: Bool {
    edges.count > 1 && edges.allSatisfy(\.isFinite) && (target + background).contains { $0 > 0 }
  }

  /// The picture at a width.
  public func drawing(width: Double, id: String) -> Drawing {
    let bins = min(edges.count - 1, max(target.count, background.count))
    var first = edges.first ?? 0
    // A logarithmic axis has no zero: a first bin from 0 begins at half its end.
    if isLogarithmic, first <= 0 { first = edges.dropFirst().first { $0 > 0 }.map { $0 / 2 } ?? 1 }
    let highest = (target + background).filter(\.isFinite).max() ?? 1
    var keys = [
      Drawing.Key(targetName, .area("area-a")), Drawing.Key(backgroundName, .area("area-b")),
    ]
    if let overlap { keys.append(Drawing.Key("overlap \(Numbers.percent(overlap))", .none)) }
    var (drawing, frame) = Frame.make(
      width: width, areaHeight: width > 500 ? 250 : 210,
      x: Axis(quantity, from: first, to: edges.last ?? 1, isLogarithmic: isLogarithmic),
      y: Axis("share of each kind", from: 0, to: highest * 1.05) { Numbers.percentDigits($0) + Numbers.space + "%" },
      keys: keys)
    drawing.defineHatch(id: "\(id)-h", ink: .background)
    func outline(_ shares: [Double]) -> [(x: Double, y: Double)] {
      var points: [(x: Double, y: Double)] = [(frame.across(first), frame.area.bottom)]
      for bin in 0..<max(bins, 0) {
        let share = bin < shares.count ? shares[bin] : 0
        points.append((frame.across(bin == 0 ? first : edges[bin]), frame.down(share)))
        points.append((frame.across(edges[bin + 1]), frame.down(share)))
      }
      points.append((points.last?.x ?? 0, frame.area.bottom))
      return points
    }
    drawing.path(outline(target), closed: true, style: "fill-a")
    drawing.hatched(outline(background), id: "\(id)-h")
    drawing.path(outline(target), style: "line-a")
    drawing.path(outline(background), style: "line-b dashed")
    return drawing
  }
}
