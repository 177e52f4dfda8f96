"""Media that our own programs send: STUN (RFC 8489) and RTP (RFC 3550) with payloads of random bytes, and their ports."""

import asyncio
import hashlib
import hmac
import random
import socket
import struct
import zlib

MAGIC = 0x2112A442


def stun(kind, transaction, attributes, key=None):
    """A STUN message: its attributes, MESSAGE-INTEGRITY where there is a key, and FINGERPRINT."""
    body = b"".join(struct.pack(">HH", number, len(value)) + value + bytes(-len(value) % 4) for number, value in attributes)
    if key:
        head = struct.pack(">HHI", kind, len(body) + 24, MAGIC) + transaction
        body += struct.pack(">HH", 0x0008, 20) + hmac.new(key, head + body, hashlib.sha1).digest()
    head = struct.pack(">HHI", kind, len(body) + 8, MAGIC) + transaction
    return head + body + struct.pack(">HHI", 0x8028, 4, zlib.crc32(head + body) ^ 0x5354554E)


def xor_address(address, transaction):
    """The value of XOR-MAPPED-ADDRESS for a socket's name."""
    host, port = address[0].removeprefix("::ffff:"), address[1]
    port ^= MAGIC >> 16
    if ":" in host:
        raw = socket.inet_pton(socket.AF_INET6, host)
        mask = struct.pack(">I", MAGIC) + transaction
        return struct.pack(">BBH", 0, 2, port) + bytes(a ^ b for a, b in zip(raw, mask))
    packed = bytes(int(part) for part in host.split("."))
    return struct.pack(">BBH", 0, 1, port) + bytes(a ^ b for a, b in zip(packed, struct.pack(">I", MAGIC)))


class Stream:
    """One RTP stream: sequence numbers and timestamps go on, sizes are drawn from a generator of its own."""

    def __init__(self, seed, payload_type, clock, step, sizes, extension=None):
        self.random = random.Random(seed)
        self.payload_type, self.clock, self.step, self.sizes, self.extension = payload_type, clock, step, sizes, extension
        self.source = self.random.getrandbits(32)
        self.number, self.stamp = self.random.getrandbits(16), self.random.getrandbits(32)

    def packet(self, marker=False, size=None):
        size = size if size is not None else self.random.randint(*self.sizes)
        first = 0x90 if self.extension else 0x80
        head = struct.pack(">BBHII", first, (0x80 if marker else 0) | self.payload_type, self.number & 0xFFFF,
                           self.stamp & 0xFFFFFFFF, self.source)
        self.number += 1
        return head + (self.extension or b"") + self.random.randbytes(size)

    def tick(self):
        self.stamp += int(self.clock * self.step)

    def report(self, packets, octets):
        """An RTCP sender report."""
        return struct.pack(">BBHIQIII", 0x80, 200, 6, self.source, self.random.getrandbits(64), self.stamp & 0xFFFFFFFF,
                           packets, octets)


class Port(asyncio.DatagramProtocol):
    """A socket that answers STUN requests and counts media."""

    def __init__(self):
        self.received, self.answered, self.peers, self.known = 0, 0, {}, None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        if len(data) >= 20 and data[:2] == b"\x00\x01":
            self.transport.sendto(stun(0x0101, data[8:20], [(0x0020, xor_address(address, data[8:20]))]), address)
            self.known = self.known or address
        elif data[:2] == b"\x01\x01":
            self.answered += 1
        else:
            self.received += 1


class Relay(Port):
    """Passes on what one end of a pair sends to the other; the first two that asked are the pair."""

    def datagram_received(self, data, address):
        super().datagram_received(data, address)
        self.peers[address] = True
        if data[:1] != b"\x00" and data[:1] != b"\x01":
            for other in [p for p in self.peers if p != address][-1:]:
                self.transport.sendto(data, other)


async def open_port(kind, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(kind, local_addr=(address, port), family=family)
    return protocol
