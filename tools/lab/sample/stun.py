"""STUN (RFC 8489) and TURN (RFC 8656): the addresses in their attributes.

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |0 0|     STUN Message Type     |         Message Length        |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                         Magic Cookie                          |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                     Transaction ID (96 bits)                  |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

import zlib

COOKIE = b"\x21\x12\xa4\x42"
HEADER = 20
# MAPPED-ADDRESS, RESPONSE-ADDRESS, SOURCE-ADDRESS, CHANGED-ADDRESS, ALTERNATE-SERVER, RESPONSE-ORIGIN, OTHER-ADDRESS
PLAIN = {0x0001, 0x0002, 0x0004, 0x0005, 0x8023, 0x802B, 0x802C}
# XOR-PEER-ADDRESS, XOR-RELAYED-ADDRESS, XOR-MAPPED-ADDRESS, and the number the last had in drafts
XORED = {0x0012, 0x0016, 0x0020, 0x8020}
DATA, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, FINGERPRINT = 0x0013, 0x0008, 0x001C, 0x8028
FINGERPRINT_XOR = 0x5354554E
# DATA attributes may carry STUN that carries DATA; deeper is not followed.
DEEPEST = 3


class Changes:
    """What was done to STUN messages: addresses replaced, fingerprints renewed, integrity that no longer holds."""

    def __init__(self):
        self.messages = self.addresses = self.fingerprints = self.integrity_broken = self.fingerprints_wrong = 0


def length_at(data, start, end):
    """The length of the STUN message that begins at an offset, or None where none does."""
    if end - start < HEADER or data[start] & 0xC0 or data[start + 4 : start + 8] != COOKIE:
        return None
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    return HEADER + length if length % 4 == 0 else None


def channel_length_at(data, start, end):
    """The length of ChannelData without padding that begins at an offset, or None (RFC 8656, section 12.4)."""
    if end - start < 4 or not 0x40 <= data[start] <= 0x4F:
        return None
    return 4 + int.from_bytes(data[start + 2 : start + 4], "big")


def rewrite_datagram(data, start, end, addresses, changes, depth=0):
    """Replaces the addresses of a STUN message, or of one inside ChannelData, that fills a datagram."""
    channel = channel_length_at(data, start, end)
    if channel is not None and end - start in (channel, channel + -channel % 4):
        start, end = start + 4, start + channel
    if length_at(data, start, end) == end - start:
        rewrite_message(data, start, end, addresses, changes, depth)


def rewrite_stream(data, start, end, addresses, changes):
    """Replaces addresses in messages that follow each other (over TCP); stops at what is neither STUN nor ChannelData."""
    while True:
        length, channel = length_at(data, start, end), channel_length_at(data, start, end)
        if length is not None and start + length <= end:
            rewrite_message(data, start, start + length, addresses, changes)
            start += length
        elif channel is not None and start + channel <= end:
            rewrite_datagram(data, start + 4, start + channel, addresses, changes)
            start += channel + -channel % 4
        else:
            return


def rewrite_message(data, start, end, addresses, changes, depth=0):
    """Replaces the addresses of the STUN message in data[start:end]; FINGERPRINT is renewed where it was right."""
    changes.messages += 1
    edits, integrity, fingerprint, at = [], False, None, start + HEADER
    key = bytes(data[start + 4 : start + HEADER])
    before = bytes(data[start:end])
    while at + 4 <= end:
        kind = int.from_bytes(data[at : at + 2], "big")
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        value = at + 4
        if value + length > end:
            return
        if kind in PLAIN or kind in XORED:
            edit = _address(data, value, length, key if kind in XORED else None, addresses)
            if edit:
                edits.append(edit)
        elif kind == DATA and depth < DEEPEST:
            rewrite_datagram(data, value, value + length, addresses, changes, depth + 1)
        elif kind in (MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256):
            integrity = True
        elif kind == FINGERPRINT and length == 4:
            fingerprint = at
        at = value + length + -length % 4
    for place, octets in edits:
        data[place : place + len(octets)] = octets
    changes.addresses += len(edits)
    if data[start:end] == before:
        return
    changes.integrity_broken += integrity
    if fingerprint is None:
        return
    if before[fingerprint + 4 - start :][:4] != fingerprint_of(before[: fingerprint - start]):
        changes.fingerprints_wrong += 1
        return
    data[fingerprint + 4 : fingerprint + 8] = fingerprint_of(data[start:fingerprint])
    changes.fingerprints += 1


def _address(data, value, length, key, addresses):
    """The edit of one address attribute, or None where it stays; with a key, the address is XORed with it."""
    size = {(1, 8): 4, (2, 20): 16}.get((data[value + 1], length)) if length >= 8 else None
    if size is None:
        return None
    place = value + 4
    octets = bytes(data[place : place + size])
    inside = xor(octets, key) if key else octets
    outside = addresses.get(inside, inside)
    return None if outside == inside else (place, xor(outside, key) if key else outside)


def fingerprint_of(before):
    """FINGERPRINT's value from the message up to this attribute (RFC 8489, section 14.7)."""
    return (zlib.crc32(before) ^ FINGERPRINT_XOR).to_bytes(4, "big")


def xor(octets, key):
    return bytes(a ^ b for a, b in zip(octets, key))
