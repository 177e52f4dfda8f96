import CPcap

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// packet(7), PACKET_FANOUT; the numbers are those of linux/if_packet.h and of SOL_PACKET.

extension LiveCapture {
  /// Joins a group of captures that share the interface's packets, so that each flow is whole in one of them.
  ///
  /// Both directions have the same hash; fragments are put together for it, since only the first has ports.
  /// - Returns: nanoseconds since 1970 from which on the packets are this member's: those before came as to a capture
  ///   alone, and may lie in its buffer already.
  /// - Throws: `CaptureError` where the group is another interface's or another program's, and off Linux.
  static func join(_ group: UInt16, _ handle: OpaquePointer, _ name: String) throws(CaptureError) -> Int64 {
    #if os(Linux)
      let solPacket: Int32 = 263
      let packetFanout: Int32 = 18
      let fanoutHash: UInt32 = 0
      let defragment: UInt32 = 0x8000
      var argument = UInt32(group) | (fanoutHash | defragment) << 16
      // Safe: the option takes the four bytes of `argument`.
      let status = unsafe setsockopt(
        pcap_fileno(handle), solPacket, packetFanout, &argument, socklen_t(MemoryLayout<UInt32>.size))
      guard status == 0 else {
        let reason = errno
        let why = unsafe String(cString: strerror(reason))
        if reason == EINVAL || reason == EPERM || reason == EALREADY {
          throw CaptureError(
            .unsupported,
            "fan-out group \(group) takes no capture of \(name): it is used on another interface or by another program; "
              + "take another number (\(why))")
        }
        if reason == ENOSPC {
          throw CaptureError(
            .unsupported, "fan-out group \(group) is full: it has as many captures as the system allows")
        }
        throw CaptureError(.unsupported, "fan-out group \(group) cannot be joined on \(name): \(why)")
      }
      var time = timespec()
      // Safe: the system fills the structure that it is given.
      unsafe clock_gettime(CLOCK_REALTIME, &time)
      return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    #else
      throw CaptureError(.unsupported, "captures share an interface on Linux only: leave the fan-out group out")
    #endif
  }
}
