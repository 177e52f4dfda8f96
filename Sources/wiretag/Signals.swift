import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// SIGINT and SIGTERM as a wish to end with the summary. The second one ends the process at once.
enum Signals {
  private static let asked = Atomic<Bool>(false)

  /// Whether the run was asked to end.
  static var wantEnd: Bool { asked.load(ordering: .relaxed) }

  /// Takes the signals over. The flag is touched first: a handler must not be the one to initialize it.
  static func install() {
    asked.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      var action = sigaction()
      let handler: @convention(c) (Int32) -> Void = { _ in Signals.asked.store(true, ordering: .relaxed) }
      #if canImport(Darwin)
        unsafe action.__sigaction_u.__sa_handler = handler
      #else
        unsafe action.__sigaction_handler.sa_handler = handler
      #endif
      // One shot, so that the next signal has its default effect; and system calls are interrupted, not resumed.
      action.sa_flags = Int32(bitPattern: UInt32(truncatingIfNeeded: SA_RESETHAND))
      _ = unsafe sigaction(number, &action, nil)
    }
    // A parent may have started this process with the signals blocked.
    var wanted = sigset_t()
    unsafe sigemptyset(&wanted)
    unsafe sigaddset(&wanted, SIGINT)
    unsafe sigaddset(&wanted, SIGTERM)
    _ = unsafe pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
  }
}
