/// What a protocol's reader makes of a datagram.
package enum DatagramReading: Equatable {
  /// It was read; more may say more.
  case mine
  /// It was read, and nothing more is wanted.
  case done
  /// It may be of this protocol: only further datagrams can tell.
  case undecided
  /// It is of another protocol.
  case notMine
  /// It is of this protocol, but damaged: nothing was taken from it.
  case broken
}
