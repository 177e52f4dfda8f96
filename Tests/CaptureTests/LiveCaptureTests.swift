import Foundation
import Synchronization
import Testing

@testable import Capture

#if canImport(Glibc)
  import Glibc

  /// Two network namespaces with a veth pair between them; they go away with the value.
  final class Wire {
    let near: String
    let far: String

    init?() throws {
      guard geteuid() == 0 else { return nil }
      let mark = String(UInt16.random(in: 0...9_999))
      near = "cap\(mark)a"
      far = "cap\(mark)b"
      let steps = [
        ["netns", "add", near], ["netns", "add", far],
        ["-n", near, "link", "add", "wire0", "type", "veth", "peer", "name", "wire1", "netns", far],
        ["-n", near, "link", "add", "asleep0", "type", "veth", "peer", "name", "asleep1"],
        ["-n", near, "addr", "add", "192.0.2.1/24", "dev", "wire0"],
        ["-n", far, "addr", "add", "192.0.2.2/24", "dev", "wire1"],
        ["-n", near, "link", "set", "wire0", "up"], ["-n", far, "link", "set", "wire1", "up"],
        ["-n", near, "link", "set", "lo", "up"],
      ]
      for step in steps {
        guard let done = try run("ip", step), done.status == 0 else {
          skipped("ip \(step.joined(separator: " ")) fails here")
          return nil
        }
      }
      try waitUntilUp(near, "wire0")
      try waitUntilUp(far, "wire1")
    }

    deinit {
      for name in [near, far] { _ = try? run("ip", ["netns", "del", name]) }
    }

    private func waitUntilUp(_ space: String, _ interface: String) throws {
      for _ in 0..<100 {
        let shown = try run("ip", ["netns", "exec", space, "cat", "/sys/class/net/\(interface)/operstate"])
        if let shown, String(decoding: shown.output, as: UTF8.self).hasPrefix("up") { return }
        Thread.sleep(forTimeInterval: 0.05)
      }
    }

    /// Runs a body on a thread of its own inside the near namespace.
    func inside<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value? {
      let answer = Answer<Value>()
      let space = near
      Thread {
        answer.give(enter(space) ? body() : nil)
      }.start()
      return answer.wait()
    }
  }

  /// What a thread came to.
  private final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let done = DispatchSemaphore(value: 0)

    func give(_ new: Value?) {
      value.withLock { $0 = new }
      done.signal()
    }

    func wait() -> Value? {
      done.wait()
      return value.withLock { $0 }
    }
  }

  /// Moves the calling thread into a namespace. setns(2) is hidden from Swift's view of the C library.
  private func enter(_ space: String) -> Bool {
    guard let symbol = unsafe dlsym(nil, "setns") else { return false }
    typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
    let setNamespace = unsafe unsafeBitCast(symbol, to: SetNamespace.self)
    let descriptor = unsafe open("/var/run/netns/\(space)", O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    // CLONE_NEWNET.
    return setNamespace(descriptor, 0x4000_0000) == 0
  }

  private struct Outcome: Sendable {
    var payloads: [String] = []
    var linkTypes: Set<UInt16> = []
    var times: [Int64] = []
    var idle = 0
    var error: CaptureError?
    var after: BatchOutcome?
    var statistics = LiveCapture.Statistics()
    var hasNanoseconds = false
  }

  /// Captures until so many packets came or the time is over.
  private func capture(
    _ interface: String, filter: String?, packets: Int, seconds: Double, opened: @Sendable () -> Void
  ) -> Outcome {
    var outcome = Outcome()
    do throws(CaptureError) {
      var options = LiveOptions()
      options.filter = filter
      var live = try LiveCapture.open(interface: interface, options: options)
      outcome.hasNanoseconds = live.hasNanoseconds
      opened()
      let until = Date().addingTimeInterval(seconds)
      var batch = PacketBatch()
      do throws(CaptureError) {
        while outcome.payloads.count < packets, Date() < until {
          switch try live.next(&batch) {
          case .packets:
            for index in 0..<batch.count {
              let packet = batch.items[index]
              let bytes = copy(live.bytes.extracting(Int(packet.offset)..<Int(packet.offset + packet.captured)))
              outcome.payloads.append(String(decoding: bytes.suffix(from: min(42, bytes.count)), as: UTF8.self))
              outcome.linkTypes.insert(packet.linkType)
              outcome.times.append(packet.timestamp)
            }
          case .idle: outcome.idle += 1
          case .end: return outcome
          }
        }
      } catch {
        outcome.error = error
        outcome.after = try live.next(&batch)
      }
      outcome.statistics = live.statistics()
    } catch {
      outcome.error = error
      opened()
    }
    return outcome
  }

  @Suite(.serialized) struct LiveCaptureTests {
    private func wire() throws -> Wire? {
      let wire = try Wire()
      if wire == nil { skipped("live capture needs root and ip(8), for network namespaces") }
      return wire
    }

    @Test func everyDatagramOnce() throws {
      guard let wire = try wire() else { return }
      let sender = Sender(wire)
      let before = Date().timeIntervalSince1970
      let seen = wire.inside {
        capture("wire0", filter: "udp port 9999", packets: 500, seconds: 20) { sender.start(500, port: 9_999) }
      }
      let outcome = try #require(seen)
      #expect(outcome.error == nil)
      #expect(outcome.payloads == (1...500).map { "datagram \($0)" })
      #expect(outcome.linkTypes == [1])
      #expect(outcome.hasNanoseconds)
      #expect(outcome.times.contains { $0 % 1_000 != 0 })
      #expect(outcome.times == outcome.times.sorted())
      #expect(outcome.times.allSatisfy { abs(Double($0) / 1e9 - before) < 60 })
      #expect(outcome.statistics.received >= 500)
      #expect(outcome.statistics.dropped == 0)
      sender.wait()
    }

    @Test func anyInterfaceNamesItsOwn() throws {
      guard let wire = try wire() else { return }
      let sender = Sender(wire)
      let seen = wire.inside {
        capture("any", filter: "udp port 9998", packets: 20, seconds: 20) { sender.start(20, port: 9_998) }
      }
      // LINKTYPE_LINUX_SLL2.
      #expect(seen?.linkTypes == [276])
      #expect(seen?.payloads.count == 20)
      sender.wait()
    }

    @Test func silentInterfaceIsIdle() throws {
      guard let wire = try wire() else { return }
      let seen = wire.inside { capture("wire0", filter: "udp port 1", packets: 1, seconds: 1) {} }
      #expect((5...15).contains(seen?.idle ?? 0))
      #expect(seen?.error == nil)
    }

    @Test func interfaceThatGoesAway() throws {
      guard let wire = try wire() else { return }
      let near = wire.near
      let seen = wire.inside {
        capture("wire0", filter: nil, packets: .max, seconds: 20) {
          Thread {
            Thread.sleep(forTimeInterval: 0.3)
            _ = try? run("ip", ["-n", near, "link", "del", "wire0"])
          }.start()
        }
      }
      #expect(seen?.error?.kind == .interfaceGone, "\(seen?.error?.description ?? "no error")")
      #expect(seen?.error?.description.hasPrefix("wire0 went ") == true)
      #expect(seen?.after == .end)
    }

    @Test func whatCannotBeOpenedIsNamed() throws {
      guard let wire = try wire() else { return }
      let errors = wire.inside {
        ["wire9", "asleep0", "wire0"].map { capture($0, filter: "udp prot", packets: 1, seconds: 1) {}.error }
      }
      #expect(errors?.first??.description == "there is no interface wire9: did you mean wire0?")
      #expect(errors?[1]?.description == "asleep0 is down: bring it up with `sudo ip link set asleep0 up`")
      #expect(errors?.last??.kind == .badFilter)
    }

    @Test func interfacesAreListed() throws {
      guard let wire = try wire() else { return }
      let listed = wire.inside { (try? interfaces()) ?? [] } ?? []
      let near = try #require(listed.first { $0.name == "wire0" })
      #expect(near.addresses.contains("192.0.2.1"))
      #expect(near.isUp && near.isRunning && !near.isLoopback && near.isCapturable)
      #expect(listed.first { $0.name == "lo" }?.isLoopback == true)
      #expect(listed.first { $0.name == "asleep0" }?.isCapturable == false)
      #expect(listed.first { $0.name == "any" }?.isCapturable == true)
      #expect(listed.filter { $0.name.hasPrefix("nf") || $0.name.hasPrefix("dbus") }.allSatisfy { !$0.isCapturable })
    }

    /// In a process of its own: there is no way back.
    @Test func rootsRightsAreGivenUp() async {
      guard geteuid() == 0 else {
        skipped("only root can give up root's rights")
        return
      }
      await #expect(processExitsWith: .success) {
        unsafe setenv("SUDO_USER", "nobody", 1)
        guard captureRights() == .sufficient else { exit(2) }
        guard try LiveCapture.dropPrivileges() == "nobody" else { exit(3) }
        guard geteuid() != 0, setuid(0) != 0 else { exit(4) }
        guard case .missing(let advice) = captureRights(), advice.contains("setcap cap_net_raw") else { exit(5) }
        guard try LiveCapture.dropPrivileges() == nil else { exit(6) }
        exit(0)
      }
      #expect(throws: CaptureError.self) { try LiveCapture.dropPrivileges(to: "no-such-user-here") }
      #expect(geteuid() == 0)
    }
  }

  /// Sends in the background, while the capture runs.
  private final class Sender: Sendable {
    private let start: @Sendable (Int, Int) -> Void
    private let done = DispatchSemaphore(value: 0)

    init(_ wire: Wire) {
      let far = wire.far
      let done = self.done
      start = { count, port in
        Thread {
          _ = try? run(
            "ip",
            [
              "netns", "exec", far, "bash", "-c",
              "for i in $(seq \(count)); do echo -n \"datagram $i\" > /dev/udp/192.0.2.1/\(port); done",
            ])
          done.signal()
        }.start()
      }
    }

    func start(_ count: Int, port: Int) { start(count, port) }
    func wait() { done.wait() }
  }
#endif

@Suite struct InterfaceNameTests {
  @Test func nearestNamesComeFirst() {
    #expect(nearestNames(to: "eht0", among: ["lo", "eth0", "eth1", "wlan0"]) == ["eth0"])
    #expect(nearestNames(to: "ETH0", among: ["eth0", "docker0"]) == ["eth0"])
    #expect(nearestNames(to: "zzzzzzzz", among: ["lo", "eth0"]).isEmpty)
  }

  @Test func editDistances() {
    #expect(editDistance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    #expect(editDistance([], Array("abc".utf8)) == 3)
    #expect(editDistance(Array("same".utf8), Array("same".utf8)) == 0)
  }

  /// A counter of 32 bits that went past its end goes on.
  @Test func countersAreWidened() {
    #expect(widened(5, 0) == 5)
    #expect(widened(3, 0xFFFF_FFFE) == 0x1_0000_0003)
    #expect(widened(3, 0x1_0000_0003) == 0x1_0000_0003)
  }
}
