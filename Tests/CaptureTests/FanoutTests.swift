#if canImport(Glibc)
  import CPcap
  import Foundation
  import Testing

  @testable import Capture

  /// Flow and direction of each packet, in the order of their coming.
  private struct Shared: Sendable {
    var first: [[UInt8]] = []
    var second: [[UInt8]] = []
    var problem: String?
    /// What other interfaces' captures get from the same group.
    var elsewhere: CaptureError?
  }

  /// An Ethernet frame with a UDP datagram of one flow; its payload is the flow's number and the direction.
  private func frame(flow: UInt8, isBack: Bool) -> [UInt8] {
    let here: [UInt8] = [192, 0, 2, 1]
    let there: [UInt8] = [198, 51, 100, flow]
    let ports: [[UInt8]] = [[0x9C, flow], [0x01, 0xBB]]
    var bytes: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00]
    bytes += [0x45, 0, 0, 30, 0, flow, 0, 0, 64, 17, 0, 0]
    bytes += isBack ? there + here : here + there
    bytes += isBack ? ports[1] + ports[0] : ports[0] + ports[1]
    bytes += [0, 10, 0, 0, flow, isBack ? 1 : 0]
    return bytes
  }

  /// Sends the frames through a handle of its own.
  private func inject(_ frames: [[UInt8]], over interface: String) -> Bool {
    let created: OpaquePointer? = unsafe withUnsafeTemporaryAllocation(
      of: CChar.self, capacity: Int(PCAP_ERRBUF_SIZE)
    ) { unsafe pcap_create(interface, $0.baseAddress) }
    guard let handle = unsafe created else { return false }
    defer { unsafe pcap_close(handle) }
    guard unsafe pcap_activate(handle) == 0 else { return false }
    return frames.allSatisfy { unsafe pcap_inject(handle, $0, $0.count) == Int32($0.count) }
  }

  private func take(_ live: inout LiveCapture, _ packets: inout [[UInt8]]) throws(CaptureError) -> Bool {
    var batch = PacketBatch()
    guard try live.next(&batch) == .packets else { return false }
    for index in 0..<batch.count {
      let packet = batch.items[index]
      let bytes = copy(live.bytes.extracting(Int(packet.offset)..<Int(packet.offset + packet.captured)))
      packets.append(Array(bytes.suffix(2)))
    }
    return true
  }

  private func shared(_ frames: [[UInt8]]) -> Shared {
    var seen = Shared()
    var options = LiveOptions()
    options.filter = "udp port 443"
    options.fanoutGroup = 4_711
    options.bufferBytes = 4 << 20
    do throws(CaptureError) {
      var first = try LiveCapture.open(interface: "wire0", options: options)
      var second = try LiveCapture.open(interface: "wire0", options: options)
      guard inject(frames, over: "wire0") else {
        seen.problem = "nothing can be sent"
        return seen
      }
      var idle = 0
      while idle < 4 {
        let one = try take(&first, &seen.first)
        let other = try take(&second, &seen.second)
        idle = one || other ? 0 : idle + 1
      }
      do throws(CaptureError) {
        _ = try LiveCapture.open(interface: "lo", options: options)
      } catch {
        seen.elsewhere = error
      }
    } catch {
      seen.problem = error.description
    }
    return seen
  }

  @Suite(.serialized) struct FanoutTests {
    /// Every packet is in one of the captures, and a flow's in one and the same, there and back.
    @Test func flowsStayWhole() throws {
      guard let wire = try Wire() else {
        skipped("live capture needs root and ip(8), for network namespaces")
        return
      }
      let flows = (UInt8(1)...120)
      let frames = (0..<3).flatMap { _ in
        flows.flatMap { [frame(flow: $0, isBack: false), frame(flow: $0, isBack: true)] }
      }
      let seen = try #require(wire.inside { shared(frames) })
      #expect(seen.problem == nil)
      #expect(seen.first.count + seen.second.count == frames.count)
      let mine = Set(seen.first.map { $0[0] })
      let others = Set(seen.second.map { $0[0] })
      #expect(mine.isDisjoint(with: others))
      #expect(mine.union(others) == Set(flows))
      // By chance all 120 would fall to one of them once in 2^119 runs.
      #expect(!mine.isEmpty && !others.isEmpty)
      for flow in flows {
        let packets = (mine.contains(flow) ? seen.first : seen.second).filter { $0[0] == flow }
        #expect(packets.map { $0[1] } == [0, 1, 0, 1, 0, 1])
      }
      #expect(seen.elsewhere?.kind == .unsupported)
      #expect(seen.elsewhere?.description.hasPrefix("fan-out group 4711 takes no capture of lo") == true)
    }
  }
#endif
