import Report
import Synchronization

/// A line on standard error that says how far long work is, where standard error is a terminal. It is drawn by the
/// thread that works, and taken away before any other message.
final class Progress {
  /// Work that ends within this time shows nothing.
  static let patience = Duration.seconds(1)
  /// The time between two drawings.
  static let interval = Duration.milliseconds(200)

  /// Bytes of the files before the current one, and those of all files where they are known.
  var bytesBefore: UInt64 = 0, bytesInAll: UInt64?
  /// Bytes read of the current file.
  var position: UInt64 = 0
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var next: ContinuousClock.Instant
  private let isShown = Terminal.canShowProgress
  private static let isDrawn = Atomic<Bool>(false)

  init() {
    start = clock.now
    next = start + Self.patience
  }

  /// Draws the line when it is time.
  func update(packets: UInt64) {
    guard isShown, clock.now >= next else { return }
    let now = clock.now
    next = now + Self.interval
    let elapsed = now - start
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    let rate = UInt64(Double(packets) / max(seconds, 0.001))
    var text = "\(grouped(packets)) packets  \(grouped(rate)) packets/s"
    if let bytesInAll, bytesInAll > 0 {
      let share = min(Double(bytesBefore + position) / Double(bytesInAll), 1)
      let left = share > 0.02 ? "  \(Int((seconds / share * (1 - share)).rounded(.up))) s left" : ""
      text = "\(Int(share * 100)) %  " + text + left
    }
    Terminal.writeError("\r\u{1b}[K" + text)
    Self.isDrawn.store(true, ordering: .relaxed)
  }

  /// Takes the line away.
  static func clear() {
    guard isDrawn.exchange(false, ordering: .relaxed) else { return }
    Terminal.writeError("\r\u{1b}[K")
  }

  private func grouped(_ number: UInt64) -> String {
    var text = ""
    for (place, digit) in String(number).reversed().enumerated() {
      if place > 0, place % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }
}
