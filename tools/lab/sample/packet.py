"""Where things are in an Ethernet frame with IPv4 or IPv6, and the Internet checksum (RFC 1071)."""

import dataclasses

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION = 0, 43, 44, 51, 60
PROTOCOLS = {ICMP: "ICMP", TCP: "TCP", UDP: "UDP", ICMPV6: "ICMPv6"}
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
# Where the checksum stands in the transport header
CHECKSUM_AT = {ICMP: 2, TCP: 16, UDP: 6, ICMPV6: 2}
ETHERNET_LENGTH = 14
# Router and neighbour solicitation and advertisement, redirect (RFC 4861); multicast listeners (RFC 2710, RFC 3810)
LINK_LOCAL_TYPES = {130, 131, 132, 133, 134, 135, 136, 137, 143}


@dataclasses.dataclass(slots=True)
class Layers:
    """Offsets in a frame. `transport` is None in a fragment that is not the first; `end` is what the frame holds."""

    ip: int
    version: int
    protocol: int
    source: bytes
    target: bytes
    transport: int | None
    end: int
    # whether all of the IP packet was captured, and whether it is a fragment
    is_whole: bool
    is_fragment: bool
    payload: int | None = None
    source_port: int = 0
    target_port: int = 0
    sequence: int = 0
    flags: int = 0

    @property
    def name(self):
        return PROTOCOLS.get(self.protocol, str(self.protocol))


def layers(frame):
    """The layers of an Ethernet frame, or None where there is no IP in it that can be read."""
    if len(frame) < ETHERNET_LENGTH:
        return None
    kind = frame[12] << 8 | frame[13]
    if kind != 0x0800 and kind != 0x86DD:
        return None
    return ip_layers(frame, ETHERNET_LENGTH, len(frame))


def ip_layers(data, at, limit):
    """The layers of the IP packet at an offset; `limit` is where the data end."""
    if at >= limit:
        return None
    found = _ipv4(data, at, limit) if data[at] >> 4 == 4 else _ipv6(data, at, limit) if data[at] >> 4 == 6 else None
    if found is None or found.transport is None:
        return found
    start, room = found.transport, found.end - found.transport
    if found.protocol in (TCP, UDP) and room >= 4:
        found.source_port = int.from_bytes(data[start : start + 2], "big")
        found.target_port = int.from_bytes(data[start + 2 : start + 4], "big")
    if found.protocol == UDP and room >= 8:
        found.payload = start + 8
    elif found.protocol == TCP and room >= 20:
        header = (data[start + 12] >> 4) * 4
        found.sequence = int.from_bytes(data[start + 4 : start + 8], "big")
        found.flags = data[start + 13]
        if 20 <= header <= room:
            found.payload = start + header
    elif found.protocol in (ICMP, ICMPV6) and room >= 8:
        found.payload = start + 8
    return found


def _ipv4(data, at, limit):
    if limit - at < 20:
        return None
    header, total = (data[at] & 15) * 4, int.from_bytes(data[at + 2 : at + 4], "big")
    if header < 20 or total < header or at + header > limit:
        return None
    fragment = int.from_bytes(data[at + 6 : at + 8], "big") & 0x3FFF
    return Layers(at, 4, data[at + 9], bytes(data[at + 12 : at + 16]), bytes(data[at + 16 : at + 20]),
                  None if fragment & 0x1FFF else at + header, min(limit, at + total), at + total <= limit, fragment != 0)


def _ipv6(data, at, limit):
    if limit - at < 40:
        return None
    total, following, start = 40 + int.from_bytes(data[at + 4 : at + 6], "big"), data[at + 6], at + 40
    end, is_fragment, is_first = min(limit, at + total), False, True
    while following in (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION):
        if end - start < 8:
            return None
        if following == FRAGMENT:
            is_fragment = True
            is_first = int.from_bytes(data[start + 2 : start + 4], "big") & 0xFFF8 == 0
            length = 8
        elif following == AUTHENTICATION:
            length = (data[start + 1] + 2) * 4
        else:
            length = (data[start + 1] + 1) * 8
        following, start = data[start], start + length
        if not is_first:
            break
    if start > end:
        return None
    return Layers(at, 6, following, bytes(data[at + 8 : at + 24]), bytes(data[at + 24 : at + 40]),
                  start if is_first else None, end, at + total <= limit, is_fragment)


def total(data):
    """The one's complement sum of 16-bit words, as a remainder of 0xFFFF: what RFC 1071 adds up word by word."""
    return int.from_bytes(data if len(data) % 2 == 0 else bytes(data) + b"\0", "big") % 0xFFFF


def is_right(words):
    """Whether a sum over data with their checksum in them, as `total` gives it, says that nothing was damaged."""
    return words == 0


def pseudo_header(found):
    """The sum of the pseudo-header (RFC 793, RFC 8200), without the length, which no rewriting changes."""
    return 0 if found.protocol == ICMP else (total(found.source + found.target) + found.protocol) % 0xFFFF


def transport_is_right(data, found):
    """Whether TCP, UDP or ICMP arrived with the right checksum; None where that cannot be known."""
    at = CHECKSUM_AT.get(found.protocol)
    if at is None or found.transport is None or not found.is_whole or found.is_fragment:
        return None
    length = found.end - found.transport
    if length < at + 2:
        return None
    if found.protocol == UDP:
        if found.version == 4 and data[found.transport + 6 : found.transport + 8] == b"\0\0":
            return None
        stated = int.from_bytes(data[found.transport + 4 : found.transport + 6], "big")
        if stated != length:
            return None
    words = total(data[found.transport : found.end]) + pseudo_header(found)
    return is_right((words + (0 if found.protocol == ICMP else length)) % 0xFFFF)


def moved(checksum, before, after):
    """A checksum after what it covers has changed from one sum to another (RFC 1624): right stays right, wrong wrong."""
    words = (0xFFFF - checksum + after - before) % 0xFFFF
    return 0xFFFF - (words or 0xFFFF)
