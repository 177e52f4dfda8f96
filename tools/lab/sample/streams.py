"""What TCP carried, put together again from segments."""

import dataclasses

from sample.packet import SYN, TCP


@dataclasses.dataclass
class Chunk:
    """Bytes of one direction without a gap; `at` is the offset in the stream, 0 after the SYN."""

    at: int
    data: bytearray


class Stream:
    """One direction of a connection: its segments as (offset in the stream, packet, offset in the frame, length)."""

    def __init__(self, key, first, has_begin):
        self.key, self.first, self.has_begin, self.segments = key, first, has_begin, []

    def add(self, sequence, packet, place, length):
        offset = (sequence - self.first + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
        self.segments.append((offset, packet, place, length))

    def chunks(self, frames, last_wins=False):
        """The stream's pieces in order. Where segments overlap, the first that arrived is right, or the last."""
        found = []
        for offset, packet, place, length in sorted(self.segments, key=lambda s: s[:2]):
            data = frames[packet][place : place + length]
            if not found or offset > found[-1].at + len(found[-1].data):
                found.append(Chunk(offset, bytearray(data)))
                continue
            chunk = found[-1]
            there = len(chunk.data) - (offset - chunk.at)
            if last_wins:
                chunk.data[offset - chunk.at : offset - chunk.at + min(there, length)] = data[:there]
            chunk.data += data[there:]
        return found


def streams(frames, found, wanted=lambda layers: True):
    """The directions of all connections in a capture that `wanted` takes, in order of appearance."""
    current, out = {}, []
    for packet, layers in enumerate(found):
        if layers is None or layers.protocol != TCP or layers.payload is None or layers.is_fragment or not wanted(layers):
            continue
        key = (layers.source, layers.source_port, layers.target, layers.target_port)
        begins, length = layers.flags & SYN, layers.end - layers.payload
        stream = current.get(key)
        first = layers.sequence + 1 & 0xFFFF_FFFF if begins else layers.sequence
        # Another first number on the same ports is another connection.
        if stream is None or begins and (not stream.has_begin or stream.first != first):
            stream = current[key] = Stream(key, first, bool(begins))
            out.append(stream)
        if length:
            stream.add(layers.sequence + (1 if begins else 0) & 0xFFFF_FFFF, packet, layers.payload, length)
    return out
