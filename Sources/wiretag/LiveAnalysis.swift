import Capture
import Censor
import Classify
import Engine
import Report

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What becomes of root rights once everything is open.
enum Privileges {
  case keep
  case drop(to: String?)
}

/// A live interface whose packets are counted, and written to a file where one is named.
struct RecordedInterface: ~Copyable, PacketSource {
  var capture: LiveCapture
  var writer: PcapngWriter?
  /// How many more packets may come.
  var left: UInt64
  /// Why the file takes no more; the analysis goes on.
  var writeError: CaptureError?

  var bytes: RawSpan { @_lifetime(borrow self) get { capture.bytes } }

  mutating func next(_ batch: inout PacketBatch) throws(CaptureError) -> BatchOutcome {
    guard left > 0 else { return .end }
    let outcome = try capture.next(&batch)
    guard outcome == .packets else { return outcome }
    batch.count = Int(min(UInt64(batch.count), left))
    left -= UInt64(batch.count)
    if writeError == nil {
      do throws(CaptureError) {
        for index in 0..<batch.count { try writer?.write(batch.items[index], in: capture.bytes) }
      } catch {
        writeError = error
        say(error.description)
      }
    }
    return outcome
  }

  mutating func finish() {
    guard writeError == nil else { return }
    do throws(CaptureError) {
      try writer?.flush()
    } catch {
      writeError = error
      say(error.description)
    }
  }
}

/// Captures and analyses until a signal, the count, the time, or an error.
/// - Returns: the exit status.
func runLive(
  _ interface: String, _ live: LiveOptions, write: String?, output: String, privileges: Privileges,
  duration: Double?, classifier: Classifier, options: AnalyzerOptions, reporter: Reporter
) throws -> Int32 {
  var source = try openLive(interface, live, write: write, count: options.maximumPackets ?? .max)
  try reporter.open(output)
  if case .drop(let user) = privileges {
    do throws(CaptureError) {
      try LiveCapture.dropPrivileges(to: user)
    } catch {
      throw Stop.cannotStart(error.description)
    }
  }
  let events = liveEvents(reporter, duration: duration)
  var analyzer = Analyzer(classifier: classifier, options: options)
  var status: Int32 = 0
  do throws(CaptureError) {
    try analyzer.read(&source, now: wallClock, events: events)
  } catch {
    say(error.description)
    status = 1
  }
  analyzer.finish(events: events)
  source.finish()
  var stats = analyzer.stats
  let seen = source.capture.statistics()
  stats.dropped = seen.dropped
  stats.droppedByInterface = seen.droppedByInterface
  if let watch = reporter.watch { stats.limits.merge(watch.limits) { $1 } }
  reporter.separate()
  let isWhole = reporter.finish(stats)
  return isWhole && source.writeError == nil ? status : 1
}

private func openLive(
  _ interface: String, _ live: LiveOptions, write: String?, count: UInt64
) throws -> RecordedInterface {
  do throws(CaptureError) {
    let capture = try LiveCapture.open(interface: interface, options: live)
    var writer: PcapngWriter?
    if let write {
      writer = try PcapngWriter(path: write, application: "wiretag \(Wiretag.version)")
      writer?.describe(
        interface: 0, name: interface, snapshotLength: UInt32(live.snapshotLength))
    }
    for notice in capture.notices { say(notice) }
    return RecordedInterface(capture: capture, writer: writer, left: count)
  } catch {
    throw Stop.cannotStart(error.description)
  }
}

/// What becomes of findings: printed at once, so that a reader sees them as they come.
private func liveEvents(_ reporter: Reporter, duration: Double?) -> AnalyzerEvents {
  let clock = ContinuousClock()
  let deadline = duration.map { clock.now + .seconds($0) }
  var lastFlush = clock.now
  let watch = reporter.watch
  var events = AnalyzerEvents { flow in
    watch?.ended(flow)
    // A flow that ends undecided is seen in the table all the same; a program has its flow object.
    if reporter.format == .table, !flow.wasAnnounced { reporter.decided(flow) }
    if reporter.wants(FlowCount(flow)) { reporter.ended(flow) }
  }
  events.conversationEnded = { reporter.ended($0) }
  events.flowDecided = { flow in
    reporter.decided(flow)
    watch?.decided(flow)
  }
  if let watch { events.visit = { watch.visit($0, $1) } }
  events.proceed = { _, _ in
    let now = clock.now
    if now - lastFlush > .milliseconds(100) {
      watch?.advance(to: wallClock())
      reporter.flush()
      lastFlush = now
    }
    if let deadline, now >= deadline { return false }
    return reporter.canProceed
  }
  return events
}

/// Nanoseconds since 1970.
private func wallClock() -> Int64 {
  var time = timespec()
  // Safe: the system fills the structure that it is given.
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
}
