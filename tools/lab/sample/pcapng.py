"""Capture files: reads pcap and pcapng, writes pcapng (draft-ietf-opsawg-pcapng).

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +---------------------------------------------------------------+
    |                          Block Type                           |
    +---------------------------------------------------------------+
    |                      Block Total Length                       |
    +---------------------------------------------------------------+
    /                          Block Body                           /
    /              variable length, padded to 32 bits               /
    +---------------------------------------------------------------+
    |                      Block Total Length                       |
    +---------------------------------------------------------------+
"""

import dataclasses
import ipaddress
import os
import pathlib
import struct

SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, NAMES, ENHANCED_PACKET = 0x0A0D0D0A, 1, 2, 3, 4, 6
SECRETS = 0x0000000A
TLS_KEY_LOG = 0x544C534B
BYTE_ORDER = 0x1A2B3C4D
ETHERNET = 1
# Options of sections, interfaces and all blocks
COMMENT, SECTION_HARDWARE, SECTION_SYSTEM, SECTION_APPLICATION = 1, 2, 3, 4
INTERFACE_NAME, INTERFACE_DESCRIPTION, INTERFACE_RESOLUTION, INTERFACE_OFFSET = 2, 3, 9, 14
# pcap's magic number: (byte order, fractions of a second)
PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 10**6), b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9), b"\xa1\xb2\x3c\x4d": (">", 10**9),
}
# A block or packet that claims more is taken for damage.
LARGEST_BLOCK = 64 << 20


class CaptureError(Exception):
    """What is wrong with a capture file, in a sentence for a person."""


@dataclasses.dataclass(slots=True)
class Packet:
    """One packet: nanoseconds since 1970, its bytes, and how long it was before a snaplen cut it."""

    time: int
    data: bytes
    length: int
    link: int = ETHERNET
    comment: str | None = None


@dataclasses.dataclass
class Capture:
    """A capture file's packets, the snaplen they were taken with (0: none) and the TLS secrets found inside."""

    packets: list
    snaplen: int = 0
    secrets: str = ""
    comments: list = dataclasses.field(default_factory=list)


def read(file):
    """Reads a whole pcap or pcapng file."""
    file = pathlib.Path(file)
    data = file.read_bytes()
    try:
        if data[:4] in PCAP:
            return _read_pcap(data)
        if data[:4] == struct.pack("<I", SECTION):
            return _read_pcapng(data)
    except struct.error:
        raise CaptureError(f"{file}: the file ends within a block") from None
    except CaptureError as error:
        raise CaptureError(f"{file}: {error}") from None
    raise CaptureError(f"{file}: neither pcap nor pcapng")


def _read_pcap(data):
    order, fractions = PCAP[data[:4]]
    snaplen, link = struct.unpack_from(order + "II", data, 16)
    found, at, scale = Capture([], snaplen), 24, 10**9 // fractions
    while at < len(data):
        seconds, fraction, kept, length = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if kept > len(data) - at:
            raise CaptureError("the file ends within a packet")
        found.packets.append(Packet(seconds * 10**9 + fraction * scale, data[at : at + kept], length, link & 0xFFFF))
        at += kept
    return found


def _read_pcapng(data):
    found, at, order, interfaces = Capture([]), 0, "<", []
    while at < len(data):
        kind, length = struct.unpack_from(order + "II", data, at)
        if kind == SECTION:
            order = "<" if struct.unpack_from("<I", data, at + 8)[0] == BYTE_ORDER else ">"
            if struct.unpack_from(order + "I", data, at + 8)[0] != BYTE_ORDER:
                raise CaptureError(f"no byte order at {at}")
            length, interfaces = struct.unpack_from(order + "I", data, at + 4)[0], []
        if length < 12 or length % 4 or length > LARGEST_BLOCK or at + length > len(data):
            raise CaptureError(f"a block of {length} bytes at {at}")
        body = data[at + 8 : at + length - 4]
        if kind == SECTION:
            found.comments += [v.decode("utf-8", "replace") for c, v in _options(body, 16, order) if c == COMMENT]
        elif kind == INTERFACE:
            link, _, snaplen = struct.unpack_from(order + "HHI", body)
            found.snaplen = snaplen
            interfaces.append((link, *_clock(body, order)))
        elif kind == ENHANCED_PACKET or kind == OLD_PACKET:
            found.packets.append(_packet(kind, body, order, interfaces))
        elif kind == SIMPLE_PACKET:
            size = struct.unpack_from(order + "I", body)[0]
            kept = min(size, found.snaplen or size, len(body) - 4)
            found.packets.append(Packet(0, body[4 : 4 + kept], size, interfaces[0][0] if interfaces else ETHERNET))
        elif kind == SECRETS:
            secret, size = struct.unpack_from(order + "II", body)
            if secret == TLS_KEY_LOG:
                found.secrets += body[8 : 8 + size].decode("ascii", "replace")
        at += length
    return found


def _packet(kind, body, order, interfaces):
    if kind == ENHANCED_PACKET:
        number, high, low, kept, length = struct.unpack_from(order + "IIIII", body)
    else:
        number, _, high, low, kept, length = struct.unpack_from(order + "HHIIII", body)
    if number >= len(interfaces):
        raise CaptureError(f"a packet of interface {number}, which was not described")
    if kept > len(body) - 20:
        raise CaptureError("a packet is longer than its block")
    link, fractions, offset = interfaces[number]
    time = ((high << 32 | low) * 10**9) // fractions + offset * 10**9
    words = [v for c, v in _options(body, 20 + kept + -kept % 4, order) if c == COMMENT]
    return Packet(time, body[20 : 20 + kept], length, link, words[0].decode("utf-8", "replace") if words else None)


def _clock(body, order):
    """Fractions of a second and the second added, of an interface; microseconds where it does not say."""
    fractions, offset = 10**6, 0
    for code, value in _options(body, 8, order):
        if code == INTERFACE_RESOLUTION and len(value) == 1:
            fractions = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == INTERFACE_OFFSET and len(value) == 8:
            offset = struct.unpack(order + "q", value)[0]
    return fractions, offset


def _options(body, at, order):
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        if code == 0:
            return
        yield code, body[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4


@dataclasses.dataclass(frozen=True)
class Description:
    """What a finished sample says of itself."""

    comment: str = ""
    interface: str = "lab0"
    interface_description: str = ""
    interface_comment: str = ""
    snaplen: int = 0
    hardware: str = "virtual Ethernet"
    system: str = "Linux, network namespaces"
    application: str = "wiretag lab"


def write(file, packets, description, secrets="", names=None):
    """Writes a pcapng file in one go: the same arguments give the same bytes. Times are nanoseconds.

    `secrets` is text in the NSS key log format; `names` maps an address to its name.
    """
    said = description
    blocks = [_block(SECTION, struct.pack("<IHHq", BYTE_ORDER, 1, 0, -1) + _option_bytes(
        (COMMENT, said.comment), (SECTION_HARDWARE, said.hardware), (SECTION_SYSTEM, said.system),
        (SECTION_APPLICATION, said.application)))]
    blocks.append(_block(INTERFACE, struct.pack("<HHI", ETHERNET, 0, said.snaplen) + _option_bytes(
        (COMMENT, said.interface_comment), (INTERFACE_NAME, said.interface),
        (INTERFACE_DESCRIPTION, said.interface_description), (INTERFACE_RESOLUTION, b"\x09"))))
    if names:
        blocks.append(_block(NAMES, _name_records(names)))
    if secrets:
        text = secrets.encode("ascii")
        blocks.append(_block(SECRETS, struct.pack("<II", TLS_KEY_LOG, len(text)) + text + bytes(-len(text) % 4)))
    for packet in packets:
        if packet.link != ETHERNET:
            raise CaptureError(f"link type {packet.link}: the lab's captures are Ethernet")
        kept = len(packet.data)
        body = struct.pack("<IIIII", 0, packet.time >> 32, packet.time & 0xFFFF_FFFF, kept, packet.length)
        body += packet.data + bytes(-kept % 4)
        if packet.comment:
            body += _option_bytes((COMMENT, packet.comment))
        blocks.append(_block(ENHANCED_PACKET, body))
    file = pathlib.Path(file)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(b"".join(blocks))
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _block(kind, body):
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _option_bytes(*pairs):
    out = b""
    for code, value in pairs:
        value = value.encode("utf-8") if isinstance(value, str) else value
        if value:
            # A longer text does not fit the option's 16 bits.
            value = value[:65_532]
            out += struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
    return out + bytes(4) if out else b""


def _name_records(names):
    out = b""
    for address, name in sorted(names.items()):
        address = ipaddress.ip_address(address)
        value = address.packed + name.encode("ascii") + b"\0"
        out += struct.pack("<HH", 1 if address.version == 4 else 2, len(value)) + value + bytes(-len(value) % 4)
    return out + bytes(4)
