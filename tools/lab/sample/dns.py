"""DNS messages (RFC 1035, section 4; RFC 9460): the addresses in their answers.

      0  1  2  3  4  5  6  7  8  9  0  1  2  3  4  5
    +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
    /                      NAME                     /
    |                      TYPE                     |
    |                     CLASS                     |
    |                      TTL                      |
    |                                               |
    |                   RDLENGTH                    |
    /                     RDATA                     /
    +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
"""

PORT = 53
HEADER = 12
INTERNET = 1
A, AAAA, SVCB, HTTPS = 1, 28, 64, 65
IPV4HINT, IPV6HINT = 4, 6


def rewrite(data, start, end, addresses):
    """Replaces the addresses in the message data[start:end] and tells how many; None where it is no whole message."""
    try:
        edits = list(_edits(data, start, end, addresses))
    except (IndexError, ValueError):
        return None
    for place, octets in edits:
        data[place : place + len(octets)] = octets
    return len(edits)


def rewrite_stream(data, start, end, addresses):
    """Replaces addresses in messages with their length before them (over TCP); tells how many."""
    count = 0
    while end - start >= 2:
        length = int.from_bytes(data[start : start + 2], "big")
        if length < HEADER or start + 2 + length > end:
            break
        count += rewrite(data, start + 2, start + 2 + length, addresses) or 0
        start += 2 + length
    return count


def _edits(data, start, end, addresses):
    if end - start < HEADER:
        raise ValueError("too short")
    counts = [_number(data, start + at, 2, end) for at in (4, 6, 8, 10)]
    at = start + HEADER
    for _ in range(counts[0]):
        at = _after_name(data, at, end) + 4
    for _ in range(sum(counts[1:])):
        at = _after_name(data, at, end)
        kind, family = _number(data, at, 2, end), _number(data, at + 2, 2, end)
        length = _number(data, at + 8, 2, end)
        at += 10
        if at + length > end:
            raise ValueError("the record is longer than the message")
        if family == INTERNET:
            if (kind, length) in ((A, 4), (AAAA, 16)):
                yield from _replaced(data, at, length, addresses)
            elif kind in (SVCB, HTTPS):
                yield from _hints(data, at, at + length, addresses)
        at += length


def _hints(data, at, end, addresses):
    at = _after_name(data, at + 2, end)
    while at + 4 <= end:
        key, length = _number(data, at, 2, end), _number(data, at + 2, 2, end)
        at += 4
        if at + length > end:
            raise ValueError("the parameter is longer than the record")
        size = {IPV4HINT: 4, IPV6HINT: 16}.get(key)
        if size:
            for place in range(at, at + length - size + 1, size):
                yield from _replaced(data, place, size, addresses)
        at += length


def _replaced(data, place, size, addresses):
    inside = bytes(data[place : place + size])
    outside = addresses.get(inside, inside)
    if outside != inside:
        yield place, outside


def _after_name(data, at, end):
    """The offset after a name: its end mark, or the pointer (section 4.1.4) that takes the place of the rest."""
    while True:
        length = _number(data, at, 1, end)
        if length >= 0xC0:
            _number(data, at, 2, end)
            return at + 2
        if length > 63:
            raise ValueError("neither a label nor a pointer")
        at += 1 + length
        if length == 0:
            return at


def _number(data, at, size, end):
    if at + size > end:
        raise ValueError("the message ends here")
    return int.from_bytes(data[at : at + size], "big")
