extension PackedFraming {
  /// Writes commands of one direction; what it wrote before makes later ones shorter.
  public struct Encoder: Sendable {
    private var tables: Tables

    /// - Parameter size: bytes of the value table.
    public init(size: Int = PackedFraming.valueTableSize) { tables = Tables(size: size) }

    /// The bytes of a command. Payload entries under `cachedKeys` and fields marked so enter the cache.
    ///
    /// - Throws: `FramingError.tooLong` where the body is longer than `Limits.body`, `.key` where a dictionary has an
    ///   empty key, which the format cannot write. The caches are then as before.
    public mutating func encode(_ command: Command) throws(FramingError) -> [UInt8] {
      let before = tables
      var body: [UInt8] = []
      do throws(FramingError) {
        for field in command.fields {
          body += try attribute(key: .number(field.id), value: field.value, isCached: field.isCached)
        }
        guard body.count <= Limits.body else { throw .tooLong(body.count) }
      } catch {
        tables = before
        throw error
      }
      return [command.number] + PackedFraming.tagged(body.count, prefix: 8, mask: 0) + body
    }

    private enum Key {
      case number(UInt8)
      case name([UInt8])
    }

    private mutating func attribute(key: Key, value: Value, isCached: Bool) throws(FramingError) -> [UInt8] {
      // In the order of the bytes: a reader has to know the key before it reads the value.
      var head = try self.head(key)
      var payload = try bytes(of: value)
      if isCached, !value.isContainer {
        if let index = tables.index(ofValue: payload) {
          head[0] |= 0x80
          payload = PackedFraming.tagged(index, prefix: 8, mask: 0)
        } else {
          tables.add(value: payload)
          head[0] |= 0x40
        }
      }
      return head + payload
    }

    /// Never empty.
    private mutating func head(_ key: Key) throws(FramingError) -> [UInt8] {
      let name: [UInt8]
      switch key {
      case .number(let number) where number < 16: return [number]
      case .number(let number): name = [number]
      case .name(let bytes): name = bytes
      }
      guard !name.isEmpty else { throw .key }
      if let index = tables.index(ofKey: name) { return [0x20 | UInt8(truncatingIfNeeded: index & 31)] }
      tables.add(key: name)
      return PackedFraming.tagged(name.count - 1, prefix: 4, mask: 0x10) + name
    }

    private mutating func bytes(of value: Value) throws(FramingError) -> [UInt8] {
      switch value {
      case .data(let bytes): return PackedFraming.tagged(bytes.count, prefix: 6, mask: 0) + bytes
      case .string(let text):
        let bytes = Array(text.utf8)
        return PackedFraming.tagged(bytes.count, prefix: 5, mask: 0x40) + bytes
      case .integer(let number): return integer(number)
      case .bool(let flag): return PackedFraming.tagged(flag ? 1 : 0, prefix: 4, mask: 0xE0)
      case .array(let elements):
        var out = PackedFraming.tagged(elements.count, prefix: 4, mask: 0xD0)
        for element in elements { out += try bytes(of: element) }
        return out
      case .dictionary(let entries):
        var out = PackedFraming.tagged(entries.count, prefix: 4, mask: 0xC0)
        for entry in entries {
          let isCached = PackedFraming.cachedKeys.contains(entry.key)
          out += try attribute(key: .name(Array(entry.key.utf8)), value: entry.value, isCached: isCached)
        }
        return out
      }
    }

    private func integer(_ number: Int64) -> [UInt8] {
      if (0...31).contains(number) { return [0x80 | UInt8(truncatingIfNeeded: number)] }
      let magnitude = number.magnitude
      let width = max(1, (64 - magnitude.leadingZeroBitCount + 7) / 8)
      let head = 0xA0 | UInt8(width - 1) | (number < 0 ? 0x08 : 0)
      return [head] + (0..<width).reversed().map { UInt8(truncatingIfNeeded: magnitude >> (8 * UInt64($0))) }
    }
  }
}
