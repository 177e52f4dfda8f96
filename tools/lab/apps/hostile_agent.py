"""Sends what a parser gets wrong: hostile_agent.py SEED LOCAL. Verb: trick.

Where a TLS handshake is completed, Python's ssl makes it and this program only decides how its bytes are cut.
"""

import asyncio
import os
import random
import socket
import ssl
import struct
import sys

import agent
from apps.handmade import ACK, PSH, RST, Connection, encrypted_hello, hello, records

seed, local = sys.argv[1:3]
state = {"port": 61_000}


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


def send_pieces(connection, pieces):
    """Segments by offset: (offset, bytes, options of Connection.segment)."""
    for offset, data, options in pieces:
        connection.segment(ACK | PSH, data, at=offset, **options)


def cuts(data, *places):
    bounds = [0, *places, len(data)]
    return [(a, data[a:b], {}) for a, b in zip(bounds, bounds[1:]) if b > a]


def hello_tricks(name, server_name, remote, draw, where):
    """Tricks on a real handshake; every one has to end with the server's answer."""
    connection = Connection((local, where), remote, draw.getrandbits(32))
    protocols = ["http/1.1"]
    if name == "huge hello":
        # No protocol's name is longer than 255 bytes, and the list not longer than 65,535.
        protocols = [draw.randbytes(60).hex() for _ in range(48)] + protocols
    connection.open()
    made = Handshake(connection, server_name, protocols)
    data = made.hello
    at = data.find(server_name.encode()) + len(server_name) // 2
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
    elif name == "decoy that dies on the way":
        # TTL 1 ends at the access network; the capture sees it, the server does not.
        false = hello(b"courier.push.apple.com", [(21, bytes(max(0, len(data) - 260)))])[:len(data)]
        pieces = [(0, false, {"ttl": 1})] + cuts(data)
    elif name == "decoy with a wrong checksum":
        false = hello(b"courier.push.apple.com", [(21, bytes(max(0, len(data) - 260)))])[:len(data)]
        pieces = [(0, false, {"wrong_checksum": True})] + cuts(data)
    elif name == "reset that dies on the way":
        connection.segment(RST, ttl=1)
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
    connection.advance(len(data))
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
        "encrypted hello": hello(b"public.example.net", [encrypted_hello(draw)]),
        "unknown extensions": hello(b"www.example.org", [(n, draw.randbytes(9)) for n in (0x0A0A, 0x5A5A, 0xFA00, 0x1234)]),
    }[name]
    connection = Connection((local, where), remote, draw.getrandbits(32))
    connection.open()
    connection.send(made)
    connection.take()
    connection.finish()
    connection.close()


def plain(name, remote, draw):
    """By the kernel's own TCP and UDP: what is no TLS, or TLS under a false name."""
    if name == "random bytes over UDP":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.connect(remote)
            for size in (1_200, 1_200, 400):
                out.send(draw.randbytes(size))
        return
    data = {
        "HTTP with the courier's name": b"GET /bag HTTP/1.1\r\nHost: courier.push.apple.com\r\nConnection: close\r\n\r\n",
        "random bytes": bytes([draw.randrange(128, 256)]) + draw.randbytes(700),
        "hello behind other bytes": b"220 ready\r\n" + hello(b"courier.push.apple.com"),
    }[name]
    with socket.create_connection(remote, timeout=5) as stream:
        stream.sendall(data)
        stream.settimeout(1)
        try:
            stream.recv(4_096)
        except OSError:
            pass


def false_name(server_name, remote):
    """A whole connection under a name that is not the server's."""
    context = ssl.create_default_context()
    context.keylog_filename = os.environ["SSLKEYLOGFILE"]
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(remote, timeout=5) as stream, context.wrap_socket(stream, server_hostname=server_name) as tls:
        tls.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
        while tls.recv(4_096):
            pass


async def trick(kind, name, address, port, server_name=None):
    draw = random.Random(f"{seed}/{kind}/{name}/{port}")
    state["port"] += 1
    if kind == "hello":
        await asyncio.to_thread(hello_tricks, name, server_name, (address, port), draw, state["port"])
    elif kind == "handmade":
        await asyncio.to_thread(handmade_hello, name, (address, port), draw, state["port"])
    elif kind == "plain":
        await asyncio.to_thread(plain, name, (address, port), draw)
    else:
        await asyncio.to_thread(false_name, name, (address, port))


asyncio.run(agent.serve({"trick": trick}))
