import Foundation
import Testing

@testable import CourierProtocol

@Suite("Property lists are those of Foundation, with equal values written once")
struct PropertyListTests {
  /// Foundation reads what is written here, and writes what is read here.
  @Test func foundationAgrees() throws {
    var random = Lehmer(state: 3)
    for _ in 0..<150 {
      let value = Value.dictionary([.init("a", random.value()), .init("b", .string("ж")), .init("c", .integer(-5))])
        .sorted
      let list = value.propertyList()
      #expect(try Value(propertyList: list) == value)
      // No pointer to a format is given, so nothing is written through one.
      let object = try unsafe PropertyListSerialization.propertyList(from: Data(list), format: nil)
      let again = try PropertyListSerialization.data(fromPropertyList: object, format: .binary, options: 0)
      // Foundation does not keep the order of keys.
      #expect(try Value(propertyList: [UInt8](again)).sorted == value)
    }
  }

  /// 113 bytes: Python's plistlib, which also writes equal values once, gives this list so many.
  @Test func equalValuesAreWrittenOnce() {
    let device = Value.dictionary([
      .init("tP", .string("tel:+15555550123")), .init("D", .bool(true)), .init("n", .integer(300)),
    ])
    #expect(
      Value.dictionary([.init("dtl", .array([device, device])), .init("c", .integer(100))]).propertyList().count == 113)
  }

  /// Arrays that hold the next array twice: few bytes, 2^15 values if the nesting were no limit, and many more with
  /// wider arrays.
  @Test(arguments: [2, 14])
  func sharedObjectsDoNotGrowWithoutEnd(width: UInt8) {
    let arrays = (UInt8(1)...15).flatMap { next in [0xA0 | width] + [UInt8](repeating: next, count: Int(width)) }
    let objects = arrays + [0x09]
    let offsets = (0..<16).map { UInt8(8 + $0 * (1 + Int(width))) }
    func number(_ value: Int) -> [UInt8] { [0, 0, 0, 0, 0, 0, 0, UInt8(value)] }
    let list =
      PropertyListWriter.magic + objects + offsets + [0, 0, 0, 0, 0, 0, 1, 1] + number(16) + number(0)
      + number(8 + objects.count)
    if width == 2 {
      #expect(throws: Never.self) { try Value(propertyList: list) }
    } else {
      #expect(throws: FramingError.payload) { try Value(propertyList: list) }
    }
  }

  @Test func aListThatHoldsItselfIsRefused() {
    let list =
      PropertyListWriter.magic + [0xA1, 0] + [8] + [0, 0, 0, 0, 0, 0, 1, 1] + [0, 0, 0, 0, 0, 0, 0, 1]
      + [UInt8](repeating: 0, count: 8) + [0, 0, 0, 0, 0, 0, 0, 10]
    #expect(throws: FramingError.payload) { try Value(propertyList: list) }
  }

  @Test func changedBytesNeverTrap() {
    var random = Lehmer(state: 5), whole = 0, broken = 0
    for _ in 0..<1_000 {
      var list = Value.dictionary([.init("a", random.value()), .init("b", .string("ж"))]).propertyList()
      // Half of the changes go to the offsets and the trailer.
      for _ in 0...random.below(3) {
        let at = random.below(2) == 0 ? random.below(list.count) : list.count - 1 - random.below(40)
        list[at] = UInt8(random.below(256))
      }
      if random.below(10) == 0 { list.removeLast(random.below(list.count)) }
      do {
        _ = try Value(propertyList: list)
        whole += 1
      } catch { broken += 1 }
    }
    #expect(whole > 20 && broken > 20)
  }
}

extension Value {
  /// With the keys of all dictionaries in order, the last of equal keys kept.
  var sorted: Value {
    switch self {
    case .dictionary(let entries):
      let table = Dictionary(entries.map { ($0.key, $0.value.sorted) }) { $1 }
      return .dictionary(table.keys.sorted().compactMap { key in table[key].map { Entry(key, $0) } })
    case .array(let elements): return .array(elements.map(\.sorted))
    default: return self
    }
  }
}
