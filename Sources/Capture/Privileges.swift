#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension LiveCapture {
  /// Who a process becomes that gives up root's rights.
  fileprivate struct Account {
    var name: String
    var user: uid_t
    var group: gid_t
  }

  /// Gives up root's rights for good, once everything that needs them is open.
  ///
  /// All threads of the process change. Does nothing where the process is not root.
  /// - Parameter user: a name or number; by default who called sudo, and nobody where no one did.
  /// - Returns: the name of the user that the process runs as from here on; nil where nothing was given up.
  /// - Throws: `CaptureError` where the user is unknown, or the rights could not be given up.
  @discardableResult
  public static func dropPrivileges(to user: String? = nil) throws(CaptureError) -> String? {
    guard geteuid() == 0 else { return nil }
    let account = try target(user)
    // Named root, there is nothing to give up.
    guard account.user != 0 else { return account.name }
    guard setGroups(of: account), setgid(account.group) == 0, setuid(account.user) == 0 else {
      throw CaptureError(
        .noRights,
        "root's rights cannot be given up for \(account.name): \(systemText(errno)); --keep-privileges goes on as root")
    }
    // A process that can become root again has given up nothing.
    guard setuid(0) != 0, geteuid() == account.user, getuid() == account.user, getegid() == account.group else {
      throw CaptureError(.noRights, "root's rights were not given up: the process could become root again")
    }
    return account.name
  }

  private static func target(_ user: String?) throws(CaptureError) -> Account {
    if let user {
      guard let account = account(named: user) ?? uid_t(user).flatMap(account(numbered:)) else {
        throw CaptureError(.notFound, "there is no user \(user) to give root's rights up for: name another one")
      }
      return account
    }
    if let name = environment("SUDO_USER"), let account = account(named: name) { return account }
    if let number = environment("SUDO_UID").flatMap(uid_t.init), let account = account(numbered: number) {
      return account
    }
    guard let nobody = account(named: "nobody") else {
      throw CaptureError(.notFound, "there is no user nobody to give root's rights up for: name one with --user")
    }
    return nobody
  }

  private static func account(named name: String) -> Account? {
    // Safe: the entry stays until the next look-up; it is copied at once.
    unsafe getpwnam(name).map { unsafe Account($0.pointee) }
  }

  private static func account(numbered number: uid_t) -> Account? {
    // Safe: the entry stays until the next look-up; it is copied at once.
    unsafe getpwuid(number).map { unsafe Account($0.pointee) }
  }

  private static func environment(_ name: String) -> String? {
    // Safe: the text is copied at once.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  private static func setGroups(of account: Account) -> Bool {
    #if canImport(Darwin)
      unsafe initgroups(account.name, Int32(bitPattern: account.group)) == 0
    #else
      unsafe initgroups(account.name, account.group) == 0
    #endif
  }
}

extension LiveCapture.Account {
  fileprivate init(_ entry: passwd) {
    // Safe: the name ends with a zero.
    name = unsafe String(cString: entry.pw_name)
    user = unsafe entry.pw_uid
    group = unsafe entry.pw_gid
  }
}
