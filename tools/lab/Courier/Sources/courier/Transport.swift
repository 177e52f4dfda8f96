import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// Tells connections of one process apart.
typealias ConnectionID = UInt64

/// Who owns connections; all of it is called on the connections' event loop.
protocol ConnectionOwner: Actor {
  /// The TLS handshake is over.
  func secured(_ id: ConnectionID, _ channel: any Channel, alpn: String?, tls: String)
  /// Plaintext has arrived.
  func received(_ id: ConnectionID, _ bytes: ByteBuffer)
  /// Plaintext of this many bytes has left for the network.
  func written(_ id: ConnectionID, _ bytes: Int)
  /// The connection is no more.
  func ended(_ id: ConnectionID, _ reason: String)
}

/// The upper end of the pipeline: hands plaintext to the owner.
final class PlaintextHandler<Owner: ConnectionOwner>: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let owner: Owner
  private let id: ConnectionID
  private var reason: String?

  init(owner: Owner, id: ConnectionID) {
    self.owner = owner
    self.id = id
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted(let alpn)? = event as? TLSUserEvent {
      let version = (try? context.pipeline.syncOperations.nioSSL_tlsVersion()).flatMap { $0 }
      let (id, channel) = (id, context.channel)
      owner.assumeIsolated { $0.secured(id, channel, alpn: alpn, tls: Transport.name(version)) }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let (id, bytes) = (id, unwrapInboundIn(data))
    owner.assumeIsolated { $0.received(id, bytes) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if reason == nil { reason = "\(error)" }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    let (id, reason) = (id, reason ?? "closed by the other side")
    owner.assumeIsolated { $0.ended(id, reason) }
    context.fireChannelInactive()
  }
}

/// The lower end of the pipeline, below TLS: closes the socket without a word of TLS.
final class SocketHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var context: ChannelHandlerContext?

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func close() { context?.close(mode: .all, promise: nil) }
}

/// How a connection is given up.
enum Ending: String, CaseIterable {
  /// close_notify, then FIN.
  case close
  /// RST.
  case reset
  /// Not a packet: the device is gone.
  case silent
}

/// Sockets and TLS.
enum Transport {
  /// Linux: what has not been acknowledged after these milliseconds ends the connection.
  static func patience(seconds: Double) -> (ChannelOptions.Types.SocketOption, Int) {
    // TCP_USER_TIMEOUT of linux/tcp.h
    (ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 18)), Int(seconds * 1000))
  }

  /// A TLS version as people write it.
  static func name(_ version: TLSVersion?) -> String {
    switch version {
    case .tlsv13: "1.3"
    case .tlsv12: "1.2"
    case .tlsv11: "1.1"
    case .tlsv1: "1.0"
    case nil: "?"
    }
  }

  static func version(_ name: String) throws -> TLSVersion {
    switch name {
    case "1.3": .tlsv13
    case "1.2": .tlsv12
    default: throw Complaint("TLS '\(name)' is neither 1.2 nor 1.3")
    }
  }

  /// `[address]:port`, or `address:port` for IPv4.
  static func text(_ address: SocketAddress?) -> String {
    guard let address, var host = address.ipAddress, let port = address.port else { return "?" }
    if host.hasPrefix("::ffff:") { host.removeFirst(7) }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// Ends a connection; called on its event loop.
  /// - Throws: a complaint where the kernel refuses.
  static func end(_ channel: any Channel, _ how: Ending) async throws {
    switch how {
    case .close:
      // Another close may have been faster, which is as well.
      try? await channel.close().get()
      return
    case .reset:
      guard let options = channel as? any SocketOptionProvider else { throw Complaint("no socket to reset") }
      try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    case .silent:
      // TCP_REPAIR of linux/tcp.h: a socket that is closed in repair mode sends neither FIN nor RST.
      let repair = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 19))
      do {
        try await channel.setOption(repair, value: 1).get()
      } catch {
        throw Complaint("a connection can only vanish on Linux with CAP_NET_ADMIN (\(error))")
      }
    }
    try await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.handler(type: SocketHandler.self).close()
    }.get()
  }
}
