import Dispatch
import Synchronization

/// A queue of bounded length between two threads: who puts waits while it is full, who takes while it is empty.
final class Handover<Element: Sendable>: Sendable {
  private let items = Mutex<[Element]>([])
  private let room: DispatchSemaphore
  private let filled = DispatchSemaphore(value: 0)

  init(capacity: Int) { room = DispatchSemaphore(value: capacity) }

  func put(_ item: Element) {
    room.wait()
    items.withLock { $0.append(item) }
    filled.signal()
  }

  func take() -> Element {
    filled.wait()
    defer { room.signal() }
    return items.withLock { $0.removeFirst() }
  }
}
