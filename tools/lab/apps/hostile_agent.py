"""Sends what a parser gets wrong: hostile_agent.py SEED LOCAL. Verb: trick.

Where a TLS handshake is completed, Python's ssl makes it and this program only decides how its bytes are cut. That it is
completed shows that the server got the hello as it was meant: both ends sign all of its bytes.
"""

import asyncio
import base64
import os
import random
import socket
import ssl
import struct
import sys

import agent
from apps.handmade import ACK, PSH, RST, URG, Connection, encrypted_hello_config, hello, records

seed, local = sys.argv[1:3]
state = {"port": 61_000}
FALSE = b"courier.push.apple.com"
# As long as the false name, so that the one can lie over the other.
COVERED = "behind.www.example.org"
# Linux: the SYN carried data and the server took it (tcpi_options of TCP_INFO).
TCPI_OPT_SYN_DATA = 32
CURLE_ECH_REQUIRED = 101


class Handshake:
    """A TLS client that speaks over a connection by hand."""

    def __init__(self, connection, name, protocols=("http/1.1",), version=None):
        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        context.keylog_filename = os.environ["SSLKEYLOGFILE"]
        context.set_alpn_protocols(list(protocols))
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if version:
            context.maximum_version = version
        self.connection, self.into, self.out = connection, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.into, self.out, server_hostname=name)
        self.step(self.tls.do_handshake)
        self.hello = self.out.read()

    def step(self, act, *arguments):
        try:
            return act(*arguments)
        except ssl.SSLWantReadError:
            return None

    def complete(self):
        """After the hello has gone out: the rest of the handshake, a request, and the answer."""
        for _ in range(8):
            data = self.connection.take()
            if not data:
                raise ConnectionError("the server does not answer the hello")
            self.into.write(data)
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
        self.tls.write(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
        self.connection.send(self.out.read())
        self.into.write(self.connection.take())
        self.step(self.tls.read, 65_536)


class Stream:
    """The kernel's own TCP, as a handshake wants it."""

    def __init__(self, stream):
        self.stream, self.send = stream, stream.sendall

    def take(self):
        return self.stream.recv(65_536)


def send_pieces(connection, pieces):
    """Segments by offset: (offset, bytes, options of Connection.segment)."""
    for offset, data, options in pieces:
        connection.segment(ACK | PSH | (URG if options.get("urgent") else 0), data, at=offset, **options)


def cuts(data, *places):
    bounds = [0, *places, len(data)]
    return [(a, data[a:b], {}) for a, b in zip(bounds, bounds[1:]) if b > a]


def hello_tricks(name, server_name, remote, draw, where):
    """Tricks on a real handshake; every one has to end with the server's answer."""
    begin = draw.getrandbits(32)
    if name == "sequence numbers that wrap":
        begin = 0xFFFFFFFF - 60
    connection = Connection((local, where), remote, begin)
    protocols = ["http/1.1"]
    if "other bytes" in name:
        server_name = COVERED
    if name == "huge hello":
        # No protocol's name is longer than 255 bytes, and the list not longer than 65,535.
        protocols = [draw.randbytes(60).hex() for _ in range(48)] + protocols
    # A server without the cookie of Fast Open takes nothing from a SYN but its number.
    connection.open(hello(FALSE) if name == "decoy on the SYN" else b"")
    made = Handshake(connection, server_name, protocols)
    data = made.hello
    start = data.find(server_name.encode())
    at, end = start + len(server_name) // 2, start + len(server_name)
    if name == "segments of one byte":
        pieces = cuts(data, *range(1, 120))
    elif name == "cut in the server name":
        pieces = cuts(data, at)
    elif name == "reordered":
        pieces = cuts(data, 3, at, at + 40)[::-1]
    elif name == "repeated":
        pieces = cuts(data, at)
        pieces = [pieces[0], pieces[0], pieces[1], pieces[0]]
    elif name == "overlapping, the same bytes":
        pieces = [(0, data[:at + 20], {}), (at - 20, data[at - 20:], {})]
    elif name == "overlapping, other bytes in the second":
        # Of bytes that it has already, Linux keeps the first.
        pieces = [(0, data[:end], {}), (start, FALSE + data[end:], {})]
    elif name == "overlapping, other bytes in the first":
        # What waits behind a gap gives way to the segment that fills it.
        pieces = [(start, FALSE + data[end:], {}), (0, data[:end], {})]
    elif name == "repeated with other bytes":
        pieces = [(0, data, {}), (0, data[:start] + FALSE + data[end:], {})]
    elif name == "urgent byte in the server name":
        # Linux takes an urgent byte out of the stream; the pointer is that of the byte behind it.
        pieces = [(0, data[:at] + b"-", {"urgent": at + 1}), (at + 1, data[at:], {})]
    elif name in ("sequence numbers that wrap", "decoy on the SYN"):
        pieces = cuts(data, at)
    elif name == "decoy that dies on the way":
        # TTL 1 ends at the access network; the capture sees it, the server does not.
        false = hello(FALSE, [(21, bytes(max(0, len(data) - 260)))])[:len(data)]
        pieces = [(0, false, {"ttl": 1})] + cuts(data)
    elif name == "decoy with a wrong checksum":
        false = hello(FALSE, [(21, bytes(max(0, len(data) - 260)))])[:len(data)]
        pieces = [(0, false, {"wrong_checksum": True})] + cuts(data)
    elif name == "reset that dies on the way":
        connection.segment(RST, ttl=1)
        pieces = cuts(data)
    elif name == "reset outside the window":
        # Not 64, which the rule against the kernel's own resets stops.
        connection.segment(RST, at=1_000_000, ttl=63)
        pieces = cuts(data)
    elif name == "outside the window":
        pieces = [(1_000_000, draw.randbytes(300), {})] + cuts(data)
    elif name == "hello in four records":
        data = records(data, [1, 40, 100])
        pieces = cuts(data)
    elif name == "a record a segment, cut in the server name":
        data = records(data, [at - 9])
        pieces = cuts(data, at - 4)
    elif name == "fragments of IP":
        pieces = [(0, data, {"fragments": 3})]
    elif name == "huge hello":
        pieces = cuts(data, *range(1_400, len(data), 1_400))
    else:
        raise ValueError(f"no trick '{name}'")
    send_pieces(connection, pieces)
    connection.advance(max(offset + len(piece) for offset, piece, _ in pieces if offset < 1_000_000))
    made.complete()
    connection.finish()
    connection.close()


def handmade_hello(name, remote, draw, where):
    """Hellos that no library makes; the handshake goes no further than the server's answer."""
    made = {
        "name with a NUL": hello(b"www.example.org\0.push.apple.com"),
        "name in capitals": hello(b"COURIER.Push.Apple.COM"),
        "name with a dot at its end": hello(b"courier.push.apple.com."),
        "address as name": hello(b"17.57.144.84"),
        "empty name": hello(b""),
        "two names": hello(None, [(0, struct.pack(">HBH", 38, 0, 15) + b"www.example.org" + struct.pack(">BH", 0, 17) +
                                   b"push.apple.com.tk")]),
        "padding": hello(b"www.example.org", [(21, bytes(900))]),
        "unknown extensions": hello(b"www.example.org", [(n, draw.randbytes(9)) for n in (0x0A0A, 0x5A5A, 0xFA00, 0x1234)]),
    }[name]
    connection = Connection((local, where), remote, draw.getrandbits(32))
    connection.open()
    connection.send(made)
    connection.take()
    connection.finish()
    connection.close()


def told(stream):
    """The flow of a socket of the kernel's, for the truth."""
    return stream.getsockname()[:2]


def plain(name, remote, draw):
    """By the kernel's own TCP and UDP: what is no TLS, or TLS where none belongs."""
    if "over UDP" in name:
        pieces = {"random bytes over UDP": [draw.randbytes(size) for size in (1_200, 1_200, 400)],
                  "TLS over UDP": [hello(FALSE)]}[name]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.connect(remote)
            for piece in pieces:
                try:
                    out.send(piece)
                except ConnectionRefusedError:
                    # Nobody listens; the answer to the piece before says so.
                    out.send(piece)
            return told(out)
    data = {
        "HTTP with the courier's name": b"GET /bag HTTP/1.1\r\nHost: courier.push.apple.com\r\nConnection: close\r\n\r\n",
        "random bytes": bytes([draw.randrange(128, 256)]) + draw.randbytes(700),
        "hello behind other bytes": b"220 ready\r\n" + hello(FALSE),
    }[name]
    with socket.create_connection(remote, timeout=5) as stream:
        stream.sendall(data)
        stream.settimeout(1)
        try:
            stream.recv(4_096)
        except OSError:
            pass
        return told(stream)


def false_name(server_name, remote):
    """A whole connection under a name that is not the server's."""
    context = ssl.create_default_context()
    context.keylog_filename = os.environ["SSLKEYLOGFILE"]
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(remote, timeout=5) as stream, context.wrap_socket(stream, server_hostname=server_name) as tls:
        tls.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
        while tls.recv(4_096):
            pass
        return told(tls)


def fast_open(name, server_name, remote):
    """TCP Fast Open (RFC 7413) by Linux: the first connection fetches a cookie, the next one's hello rides on its SYN."""
    with socket.socket() as stream:
        made = Handshake(Stream(stream), server_name)
        # Blocking: without a cookie this waits for the connection, and then sends.
        stream.sendto(made.hello, socket.MSG_FASTOPEN, remote)
        stream.settimeout(5)
        made.complete()
        rides = bool(stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] & TCPI_OPT_SYN_DATA)
        if rides != (name == "Fast Open, the hello on the SYN"):
            raise ConnectionError(f"the hello {'rode' if rides else 'did not ride'} on the SYN")
        return told(stream)


def encrypted(inner, public, remote, draw, where):
    """A hello that BoringSSL encrypted: the name in clear is the public one, `inner` is sealed (RFC 9849)."""
    from curl_cffi import Curl, CurlError, CurlOpt
    config = base64.b64encode(encrypted_hello_config(public, draw.randbytes(32))).decode()
    curl = Curl()
    curl.impersonate("chrome131")
    for option, value in ((CurlOpt.URL, f"https://{inner}:{remote[1]}/"), (CurlOpt.CAINFO, os.environ["SSL_CERT_FILE"]),
                          (CurlOpt.ECH, f"ecl:{config}")):
        curl.setopt(option, value.encode())
    curl.setopt(CurlOpt.RESOLVE, [f"{inner}:{remote[1]}:{remote[0]}"])
    curl.setopt(CurlOpt.LOCALPORT, where)
    curl.setopt(CurlOpt.TIMEOUT, 10)
    try:
        curl.perform()
    except CurlError as error:
        if error.code != CURLE_ECH_REQUIRED:
            raise
    else:
        raise ConnectionError("the server has no key, and yet the encrypted hello was accepted")
    finally:
        curl.close()
    return local, where


async def trick(kind, name, address, host, public, port, server_name):
    draw, remote = random.Random(f"{seed}/{kind}/{name}/{port}"), (address, port)
    state["port"] += 1
    where = state["port"]
    acts = {"hello": (hello_tricks, name, server_name, remote, draw, where),
            "handmade": (handmade_hello, name, remote, draw, where),
            "plain": (plain, name, remote, draw),
            "fast open": (fast_open, name, server_name, remote),
            # A port that the kernel may reset.
            "encrypted": (encrypted, name, public, remote, draw, where + 1_000),
            "name": (false_name, name, remote)}
    place = await asyncio.to_thread(*acts[kind]) or (local, where)
    shows = {"name": f"under the name {name}", "encrypted": f"encrypted hello for {name}"}.get(kind, name)
    agent.flow("UDP" if "over UDP" in name else "TCP", place, remote, "other", None, f"{host}: {shows}")


asyncio.run(agent.serve({"trick": trick}))
