import Bytes

// Messenger's and Instagram's MQTT (public clients: mqttot, fbns-client): the CONNECT of MQTT 3.1 (section 3.1) with a
// protocol name of its own and a compressed Thrift payload. It goes inside TLS.
//
//   10   remaining length (1 to 4)   00 06 'M' 'Q' 'T' 'T' 'o' 'T'   03   flags (1)   keep alive (2)   ...

/// A CONNECT of MQTToT, in clear: to be seen only where the TLS around it was taken off.
enum MQTToTConnect {
  /// Whether a stream begins with one.
  static func recognize(_ bytes: borrowing RawSpan) -> MessengerRecognition {
    var at = 1
    while at < 5 {
      guard bytes.byteCount > at else { return .needMore }
      at &+= 1
      if bytes.u8(at &- 1) & 0x80 == 0 { break }
    }
    guard bytes.byteCount >= at &+ 8 else {
      return bytes.byteCount < at &+ 2 || bytes.u16(at) == 6 ? .needMore : .notMine
    }
    return bytes.u16(at) == 6 && bytes.has("mqttot", at: at &+ 2) ? .mine(.sure(.mqttot)) : .notMine
  }
}

extension ApplicationProtocol {
  /// Messenger's variant of MQTT.
  public static let mqttot: ApplicationProtocol = "mqttot"
}
