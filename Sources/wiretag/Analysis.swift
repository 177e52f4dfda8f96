import Capture
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

// All of the command line's calls of Capture, Classify and Engine that analyse.

/// A classifier over the catalogue that ships and a user's own.
func makeClassifier(services path: String?) throws -> Classifier {
  Classifier(catalogue: try makeCatalogue(services: path))
}

/// The catalogue that ships, and a user's own where one is named.
func makeCatalogue(services path: String?) throws -> Catalogue {
  do {
    guard let path else { return try Catalogue.shipped() }
    return try Catalogue(merging: path)
  } catch {
    for line in "\(error)".split(whereSeparator: \.isNewline) { say(String(line)) }
    throw Stop.status(2)
  }
}

/// Takes what an analysis finds. Used from one thread.
protocol RunSink: AnyObject {
  /// Whether it makes sense to go on.
  var canProceed: Bool { get }
  /// Opens where the output goes; called once, before anything is found.
  func open(_ path: String) throws
  /// Whether few flows are wanted: they are then judged without their reasons first.
  var isSelective: Bool { get }
  /// Counts a flow that has ended.
  /// - Returns: whether `ended` is to have it.
  func wants(_ flow: FlowCount) -> Bool
  func ended(_ flow: FlowEvent)
  func ended(_ call: ConversationEvent)
  func packet(_ packet: PacketEvent)
  /// Prints what is left.
  /// - Returns: whether everything was printed; a line said why not.
  func finish(_ stats: StatsEvent) -> Bool
}

extension RunSink {
  var isSelective: Bool { false }
  func wants(_ flow: FlowCount) -> Bool { true }
}

/// A file that tells the progress line how far it is.
struct WatchedFile: ~Copyable, PacketSource {
  var file: CaptureFile
  let progress: Progress

  var bytes: RawSpan { @_lifetime(borrow self) get { file.bytes } }

  mutating func next(_ batch: inout PacketBatch) throws(CaptureError) -> BatchOutcome {
    progress.position = file.bytesRead
    return try file.next(&batch)
  }
}

/// An analysis of files, one after the other.
struct FileRun: ~Copyable {
  /// Whether the files are the parts of one capture.
  var isSeries = false
  private var analyzer: Analyzer
  private let sink: any RunSink
  private let events: AnalyzerEvents
  private let filter: String?
  private let progress = Progress()
  private var hasRead = false
  /// Whether a file was there and nothing could be read of it.
  private var hasNoCapture = false
  private var status: Int32 = 0

  init(classifier: Classifier, options: AnalyzerOptions, filter: String?, sink: any RunSink) {
    analyzer = Analyzer(classifier: classifier, options: options)
    self.sink = sink
    self.filter = filter
    let progress = progress
    var events: AnalyzerEvents
    if sink.isSelective {
      events = AnalyzerEvents { sink.ended($0) }
      events.wantsFlow = { sink.wants($0) }
    } else {
      events = AnalyzerEvents { if sink.wants(FlowCount($0)) { sink.ended($0) } }
    }
    events.conversationEnded = { sink.ended($0) }
    if options.wantsPackets { events.packet = { sink.packet($0) } }
    events.proceed = { packets, _ in
      progress.update(packets: packets)
      return sink.canProceed
    }
    self.events = events
  }

  /// Reads every file that can be read. The output is opened when the first input was, so that a mistyped name
  /// empties no file.
  mutating func read(_ paths: [String], output: String) throws {
    progress.bytesInAll = sizeInAll(paths)
    for path in paths where sink.canProceed {
      do {
        var source = WatchedFile(file: try CaptureFile.open(path: path, filter: filter), progress: progress)
        if !hasRead {
          if let input = paths.first(where: { isSameFile($0, output) }) {
            throw Stop.usage("--output would overwrite the capture \(input)")
          }
          try sink.open(output)
        }
        hasRead = true
        defer { for notice in source.file.notices { say(notice) } }
        try analyzer.read(&source, capture: paths.count > 1 ? path : nil, events: events)
      } catch let error as CaptureError {
        say(error.description)
        guard error.kind != .badFilter || hasRead else { throw Stop.status(2) }
        status = 1
        hasNoCapture = hasNoCapture || error.kind.isOfContent
      }
      progress.bytesBefore += progress.position
      progress.position = 0
      if !isSeries { analyzer.finish(events: events) }
    }
    if !hasRead { throw Stop.status(hasNoCapture ? 1 : 2) }
  }

  /// Ends what is still open, and prints what is left.
  /// - Returns: the exit status.
  mutating func finish() -> Int32 {
    analyzer.finish(events: events)
    return sink.finish(analyzer.stats) ? status : 1
  }
}

extension CaptureError.Kind {
  /// Whether a file's bytes are to blame, and not its name, the rights to it, or a device.
  fileprivate var isOfContent: Bool {
    switch self {
    case .unknownFormat, .truncated, .damaged, .unsupported: true
    case .notFound, .noRights, .badFilter, .noSuchInterface, .interfaceGone, .inputOutput: false
    }
  }
}

/// Bytes of all files together; nil where one of them is no plain file.
func sizeInAll(_ paths: [String]) -> UInt64? {
  var sum: UInt64 = 0
  for path in paths {
    guard path != "-", let facts = fileFacts(path), facts.st_mode & S_IFMT == S_IFREG else { return nil }
    sum &+= UInt64(clamping: facts.st_size)
  }
  return sum
}

private func isSameFile(_ a: String, _ b: String) -> Bool {
  guard a != "-", b != "-", let first = fileFacts(a), let second = fileFacts(b) else { return false }
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino && first.st_mode & S_IFMT == S_IFREG
}

private func fileFacts(_ path: String) -> stat? {
  var facts = stat()
  // Safe: stat fills the structure that it is given.
  return unsafe stat(path, &facts) == 0 ? facts : nil
}
