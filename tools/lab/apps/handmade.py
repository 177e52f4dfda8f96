"""TCP and TLS by hand, for what no kernel and no TLS library would send.

A connection here is sent packet by packet on a raw socket (IPv4), so that its segments may be cut, swapped, repeated,
forged or split over IP fragments. The answers are read from the wire. The kernel knows nothing of it; a rule keeps it
from resetting the connection.
"""

import os
import select
import socket
import struct
import time

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Connection:
    """One TCP connection of our own from `local` to `remote` (address, port)."""

    def __init__(self, local, remote, start, interface="eth0"):
        self.local, self.remote = local, remote
        self.next, self.expected, self.identity = start & 0xFFFFFFFF, 0, start & 0xFFFF
        self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.into = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.into.bind((interface, 0x0800))
        self.received, self.is_closed = bytearray(), False

    def close(self):
        self.out.close()
        self.into.close()

    def segment(self, flags, data=b"", at=None, ttl=64, wrong_checksum=False, options=b"", fragments=None, urgent=0):
        """Sends one segment; `at` counts from the connection's next byte."""
        sequence = (self.next + (at or 0)) & 0xFFFFFFFF
        head = struct.pack(">HHIIBBHHH", self.local[1], self.remote[1], sequence, self.expected if flags & ACK else 0,
                           (20 + len(options)) // 4 << 4, flags, 64240, 0, urgent) + options
        source, target = socket.inet_aton(self.local[0]), socket.inet_aton(self.remote[0])
        pseudo = source + target + struct.pack(">BBH", 0, 6, len(head) + len(data))
        total = checksum(pseudo + head + data)
        if wrong_checksum:
            total ^= 0x5555
        payload = head[:16] + struct.pack(">H", total) + head[18:] + data
        self.identity = (self.identity + 1) & 0xFFFF
        pieces = [(0, payload, False)]
        if fragments:
            cut = (len(payload) // fragments) // 8 * 8
            pieces = [(n * cut, payload[n * cut:(n + 1) * cut] if n < fragments - 1 else payload[n * cut:], n < fragments - 1)
                      for n in range(fragments)]
        for offset, piece, more in pieces:
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(piece), self.identity,
                             (0x2000 if more else (0x4000 if not fragments else 0)) | offset // 8, ttl, 6, 0, source, target)
            ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
            self.out.sendto(ip + piece, (self.remote[0], 0))

    def advance(self, count):
        self.next = (self.next + count) & 0xFFFFFFFF

    def open(self, data=b""):
        """The handshake; `data` rides on the SYN."""
        self.segment(SYN, data, options=b"\x02\x04\x05\xb4\x01\x01\x04\x02")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for flags, sequence, _ in self.arrivals(0.5):
                if flags & SYN and flags & ACK:
                    self.advance(1)
                    self.expected = (sequence + 1) & 0xFFFFFFFF
                    self.segment(ACK)
                    return
        raise TimeoutError("no SYN-ACK")

    def arrivals(self, seconds):
        """Segments of this connection that came within so many seconds, at least one if it comes in time."""
        found = []
        while select.select([self.into], [], [], 0 if found else seconds)[0]:
            data = self.into.recv(65_535)
            if len(data) < 40 or data[9] != 6:
                continue
            size = (data[0] & 15) * 4
            total = struct.unpack_from(">H", data, 2)[0]
            source, target, sequence, _, offset, flags = struct.unpack_from(">HHIIBB", data, size)
            if (source, target) == (self.remote[1], self.local[1]) and data[12:16] == socket.inet_aton(self.remote[0]):
                found.append((flags, sequence, data[size + (offset >> 4) * 4:total]))
        return found

    def take(self, seconds=3):
        """What the server says next, in order and acknowledged; empty when it says nothing more."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.is_closed:
            fresh = b""
            for flags, sequence, data in self.arrivals(0.2):
                if flags & RST:
                    self.is_closed = True
                elif sequence == self.expected and (data or flags & FIN):
                    fresh += data
                    self.expected = (self.expected + len(data) + (1 if flags & FIN else 0)) & 0xFFFFFFFF
                    self.is_closed = self.is_closed or bool(flags & FIN)
            if fresh or self.is_closed:
                if not self.is_closed or fresh:
                    self.segment(ACK)
                return fresh
        return b""

    def send(self, data):
        """Sends bytes as any stack would."""
        for at in range(0, len(data), 1_400):
            part = data[at:at + 1_400]
            self.segment(ACK | PSH, part)
            self.advance(len(part))

    def finish(self):
        if not self.is_closed:
            self.segment(FIN | ACK)
            self.advance(1)
        deadline = time.monotonic() + 4
        while not self.is_closed and time.monotonic() < deadline:
            self.take(1)
        self.segment(ACK)


def records(hello, sizes):
    """A ClientHello's handshake message cut into several TLS records."""
    message, out = hello[5:], b""
    for size in [*sizes, len(message)]:
        part, message = message[:size], message[size:]
        if part:
            out += hello[:3] + struct.pack(">H", len(part)) + part
    return out


def hello(name, extensions=(), ciphers=(0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F), random=None):
    """A ClientHello by hand; `name` is bytes and may be anything, None leaves the extension out."""
    def extension(number, body):
        return struct.pack(">HH", number, len(body)) + body
    parts = b""
    if name is not None:
        parts += extension(0, struct.pack(">HBH", len(name) + 3, 0, len(name)) + name)
    parts += extension(10, struct.pack(">HHH", 4, 0x001D, 0x0017))
    parts += extension(13, struct.pack(">HHHH", 6, 0x0403, 0x0804, 0x0401))
    parts += extension(43, b"\x04\x03\x04\x03\x03")
    parts += extension(51, struct.pack(">HHH", 36, 0x001D, 32) + os.urandom(32))
    for number, body in extensions:
        parts += extension(number, body)
    suites = b"".join(struct.pack(">H", c) for c in ciphers)
    body = (b"\x03\x03" + (random or os.urandom(32)) + b"\x20" + os.urandom(32) + struct.pack(">H", len(suites)) + suites +
            b"\x01\x00" + struct.pack(">H", len(parts)) + parts)
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def encrypted_hello_config(public_name, key):
    """An ECHConfigList (RFC 9849, section 4): X25519 with HKDF-SHA256, AES-128-GCM, and one public name."""
    name = public_name.encode()
    contents = (b"\x07" + struct.pack(">HH", 0x0020, len(key)) + key + struct.pack(">HHH", 4, 0x0001, 0x0001) + b"\0" +
                bytes([len(name)]) + name + b"\0\0")
    return struct.pack(">HHH", len(contents) + 4, 0xFE0D, len(contents)) + contents
