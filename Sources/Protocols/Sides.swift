/// One value for each side of a flow.
struct Sides<Value> {
  var client: Value
  var server: Value

  init(_ value: Value) {
    client = value
    server = value
  }

  subscript(side: FlowSide) -> Value {
    get { side == .client ? client : server }
    _modify {
      if side == .client { yield &client } else { yield &server }
    }
  }
}

extension Sides: Sendable where Value: Sendable {}

extension FlowSide {
  /// The other side.
  var opposite: FlowSide { self == .client ? .server : .client }
}
