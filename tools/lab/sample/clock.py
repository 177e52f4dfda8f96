"""The simulated clock: jumps between acts, applied to packets' times and to TCP's timestamps."""

import bisect
import datetime

from sample.packet import ACK, SYN, TCP

NANOSECONDS = 10**9
# Linux counts TCP timestamps in milliseconds.
TICK = 1_000_000
# Values remembered per direction; an older one is found by the clock's pace.
REMEMBERED = 4096
# Directions of connections remembered; the oldest goes.
DIRECTIONS = 65_536


class Clock:
    """Turns real times into the scenario's: jumps are (real second, seconds added from then on), in order of time."""

    def __init__(self, jumps=()):
        rows = sorted((round(at * NANOSECONDS), round(offset * NANOSECONDS)) for at, offset in jumps)
        self.begins, self.offsets = [row[0] for row in rows], [0, *(row[1] for row in rows)]

    def offset(self, time):
        """Nanoseconds added to a real time in nanoseconds."""
        return self.offsets[bisect.bisect_right(self.begins, time)]

    def moved(self, time):
        return time + self.offset(time)


def iso(time):
    """Nanoseconds since 1970 as ISO 8601 in UTC with all nine digits."""
    seconds, fraction = divmod(time, NANOSECONDS)
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09}Z"


class Direction:
    """One direction of a connection: the timestamps it sent, and the last of them with its real time."""

    __slots__ = ("sent", "last", "time")

    def __init__(self):
        self.sent, self.last, self.time = {}, None, 0


class Timestamps:
    """Moves the timestamps option (RFC 7323, section 3) along with the clock.

        +-------+-------+---------------------+---------------------+
        |Kind=8 |  10   |   TS Value (TSval)  |TS Echo Reply (TSecr)|
        +-------+-------+---------------------+---------------------+

    A TSval grows by what the clock had jumped when it was sent; a TSecr becomes the moved value of what it echoes.
    """

    def __init__(self, clock, tick=TICK):
        self.clock, self.tick, self.directions, self.guessed = clock, tick, {}, 0

    def move(self, data, found, time, is_quoted=False):
        """Rewrites the option of a TCP segment in place. A segment quoted by ICMP is not remembered."""
        if found.protocol != TCP or found.payload is None or not self.clock.begins:
            return
        place = option_at(data, found.transport + 20, found.payload)
        if place is None:
            return
        key = (found.source, found.source_port, found.target, found.target_port)
        value = int.from_bytes(data[place : place + 4], "big")
        echo = int.from_bytes(data[place + 4 : place + 8], "big")
        own = self._direction(key, found.flags & (SYN | ACK) == SYN and not is_quoted)
        if is_quoted:
            new = self._echoed(own, value, time)
        else:
            new = value + self.clock.offset(time) // self.tick & 0xFFFF_FFFF
            self._remember(own, value, new, time)
        data[place : place + 4] = new.to_bytes(4, "big")
        # Some stacks echo nothing, which is 0, in a RST.
        if found.flags & ACK and echo:
            other = self._direction((key[2], key[3], key[0], key[1]))
            data[place + 4 : place + 8] = self._echoed(other, echo, time).to_bytes(4, "big")

    def _direction(self, key, is_new=False):
        if is_new or key not in self.directions:
            self.directions.pop(key, None)
            if len(self.directions) >= DIRECTIONS:
                del self.directions[next(iter(self.directions))]
            self.directions[key] = Direction()
        return self.directions[key]

    def _remember(self, own, value, new, time):
        own.sent[value] = new
        if len(own.sent) > REMEMBERED:
            del own.sent[next(iter(own.sent))]
        own.last, own.time = value, time

    def _echoed(self, direction, value, time):
        found = direction.sent.get(value)
        if found is not None:
            return found
        self.guessed += 1
        if direction.last is not None:
            # Never seen: sent as long before the last one as its value is smaller.
            age = (direction.last - value + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
            time = direction.time - age * self.tick
        return value + self.clock.offset(time) // self.tick & 0xFFFF_FFFF


def option_at(data, at, end):
    """The offset of TSval among the options in data[at:end], or None."""
    while at < end:
        kind = data[at]
        if kind == 0:
            return None
        if kind == 1:
            at += 1
            continue
        if at + 2 > end or data[at + 1] < 2 or at + data[at + 1] > end:
            return None
        if kind == 8 and data[at + 1] == 10:
            return at + 2
        at += data[at + 1]
    return None
