import Report

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the terminal can show.
enum Terminal {
  /// The style for text that goes to `output`: its width and colour where it is a terminal, else 80 columns, or
  /// `COLUMNS` of them.
  static func style(for output: OutputFile) -> TextStyle {
    let isTerminal = output.isTerminal
    let dumb = environment("TERM").map { $0.isEmpty || $0 == "dumb" } ?? true
    let refused = environment("NO_COLOR").map { !$0.isEmpty } ?? false
    return TextStyle(
      width: width(isTerminal: isTerminal), isColored: isTerminal && !dumb && !refused,
      isUnicode: isUnicode && !(isTerminal && dumb))
  }

  /// Whether standard error is a terminal that a progress line can be drawn on.
  static var canShowProgress: Bool {
    isatty(STDERR_FILENO) == 1 && environment("TERM").map { !$0.isEmpty && $0 != "dumb" } ?? false
  }

  /// Writes to standard error; what cannot be written there can be told nowhere.
  static func writeError(_ text: String) {
    let bytes = Array(text.utf8)
    // Safe: the system reads the array's own bytes.
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  private static func width(isTerminal: Bool) -> Int {
    if let named = environment("COLUMNS").flatMap({ Int($0) }), named > 0 { return min(named, 10_000) }
    guard isTerminal else { return TextStyle.defaultWidth }
    var size = winsize()
    // Safe: TIOCGWINSZ fills the structure that it is given.
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return TextStyle.defaultWidth
    }
    return Int(size.ws_col)
  }

  /// Not where the locale names another character set, as C and POSIX do.
  private static var isUnicode: Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment($0) }.first { !$0.isEmpty }
    guard let locale = locale?.uppercased() else { return true }
    return locale.contains("UTF-8") || locale.contains("UTF8")
  }

  static func environment(_ name: String) -> String? {
    // Safe: the text is copied at once, and nothing here changes the environment.
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe String(cString: text)
  }
}
