import Bytes
import TestSupport
import Testing

@testable import Protocols

/// What FuzzQUIC starts from and what it found, read again: datagrams as they are, frames in packets of version 1.
@Suite struct QUICSeedTests {
  @Test func seedsStayWithinTheirBounds() throws {
    let seeds = try FuzzSeeds.all(of: "QUIC")
    #expect(seeds.count >= 22)
    var hellos = 0
    for (name, input) in seeds {
      guard let kind = input.first else { continue }
      var conversation = QUICConversation()
      var reader = Array(input.dropFirst())
      func check() {
        #expect(conversation.bufferedBytes <= 8 * QUICCryptoAssembler.maximumBytes, "\(name): buffers grow")
        #expect(!conversation.isDone || conversation.bufferedBytes == 0, "\(name): memory kept after the end")
      }
      switch kind % 3 {
      case 0:
        while reader.count > 2 {
          let head = Int(reader[0]) << 8 | Int(reader[1])
          let datagram = Array(reader.dropFirst(2).prefix(head & 0x7fff))
          reader.removeFirst(2 + datagram.count)
          conversation.feed(datagram, from: head & 0x8000 == 0 ? .client : .server)
          check()
        }
      case 1:
        while reader.count > 3 {
          let control = reader[0]
          let frames = Array(reader.dropFirst(3).prefix(Int(reader[1]) << 8 & 0x3fff | Int(reader[2])))
          reader.removeFirst(3 + frames.count)
          let client = QUICBuilder()
          let builder = control & 8 == 0 ? client : client.server([1, 2, 3])
          conversation.feed(builder.initial(frames, size: 1200), from: control & 8 == 0 ? .client : .server)
          check()
        }
      default:
        let hello = Sample.message(1, reader)
        let frames = QUICBuilder.crypto(hello.dropFirst(50), at: 50) + QUICBuilder.crypto(hello.prefix(60), at: 0)
        conversation.feed(QUICBuilder().initial(frames, size: 1200))
        check()
      }
      if conversation.tls != nil { hellos += 1 }
    }
    #expect(hellos >= 15, "seeds that say nothing prove nothing")
  }
}
