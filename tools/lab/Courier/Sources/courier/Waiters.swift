import NIOCore

/// Acts that wait for something to become true, with a limit of time; stays on one event loop.
final class Waiters {
  private struct Waiter {
    let isOver: () throws -> Bool
    let continuation: CheckedContinuation<Void, any Error>
    let timer: Scheduled<Void>
  }

  private let loop: any EventLoop
  private var waiting: [Int: Waiter] = [:]
  private var number = 0

  init(loop: any EventLoop) { self.loop = loop }

  /// Waits until `isOver` is true; it is asked again at each `check()`, and what it throws ends the wait.
  /// - Throws: a complaint that names `what` when the seconds are over.
  func wait(
    _ seconds: Double, for what: String, isolation: isolated any Actor = #isolation,
    until isOver: @escaping () throws -> Bool
  ) async throws {
    if try isOver() { return }
    number += 1
    let mine = number
    let bound = NIOLoopBound(self, eventLoop: loop)
    try await withCheckedThrowingContinuation(isolation: isolation) { continuation in
      let timer = loop.scheduleTask(in: .microseconds(Int64(seconds * 1_000_000))) {
        let waiter = bound.value.waiting.removeValue(forKey: mine)
        waiter?.continuation.resume(throwing: Complaint("no \(what) within \(seconds) s"))
      }
      waiting[mine] = Waiter(isOver: isOver, continuation: continuation, timer: timer)
    }
  }

  /// Asks all that wait, the first come first; to be called after each change.
  func check() {
    for number in waiting.keys.sorted() {
      guard let waiter = waiting[number] else { continue }
      let result = Result { try waiter.isOver() }
      if case .success(false) = result { continue }
      waiting[number] = nil
      waiter.timer.cancel()
      waiter.continuation.resume(with: result.map { _ in })
    }
  }
}
