"""Transports with frames of their own, checked against the published framings."""

import contextlib
import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import threading
import unittest

import frames  # noqa: F401
from apps import framed

LAB = pathlib.Path(framed.__file__).resolve().parent.parent


class Recorded:
    """A stream that keeps what is sent."""

    def __init__(self, stream):
        self.stream, self.sent = stream, []

    def sendall(self, data):
        self.sent.append(data)
        self.stream.sendall(data)

    def recv(self, count):
        return self.stream.recv(count)


@contextlib.contextmanager
def greeted(name):
    """Both ends of a connection after its handshake, and what each of them sent in it."""
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(5)
        far.settimeout(5)
        client, server = (framed.TRANSPORTS[name](framed.generator(name, end), end == "client") for end in ("client", "server"))
        ends = Recorded(near), Recorded(far)

        def welcome():
            if hasattr(server, "accept"):
                server.accept(ends[1])
            server.greet(ends[1])
        thread = threading.Thread(target=welcome)
        thread.start()
        client.greet(ends[0])
        thread.join()
        yield client, server, near, far, [end.sent for end in ends]


class WhatsApp(unittest.TestCase):
    def test_prologue_and_frames(self):
        with greeted("whatsapp") as (client, server, near, far, (up, down)):
            stream = b"".join(up)
            self.assertEqual(stream[:4], b"WA\x06\x03")
            # whatsmeow socket/noisehandshake.go: a ClientHello of one field with a key of 32 bytes
            self.assertEqual(stream[4:11], bytes.fromhex("000024") + bytes.fromhex("12220a20"))
            for data, place in ((stream, 4), (b"".join(down), 0)):
                while place < len(data):
                    place += 3 + int.from_bytes(data[place:place + 3], "big")
                self.assertEqual(place, len(data))


@unittest.skipIf(framed.Cipher is None, "SKIPPED: the package cryptography is not installed, Telegram's transport is not tested")
class Telegram(unittest.TestCase):
    def opened(self, stream):
        """What the client sent, decrypted as core.telegram.org/mtproto/mtproto-transports says, apart from our own reader."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        return Cipher(algorithms.AES(stream[8:40]), modes.CTR(stream[40:56])).decryptor().update(stream)

    def test_the_64_bytes_name_the_framing(self):
        for name, tag in (("telegram", b"\xee" * 4), ("telegram-abridged", b"\xef" * 4)):
            with greeted(name) as (*_, (up, _)):
                stream = b"".join(up)
                self.assertNotEqual(stream[0], 0xEF)
                self.assertEqual(self.opened(stream)[56:60], tag)

    def test_lengths(self):
        with greeted("telegram") as (*_, (up, _)):
            clear = self.opened(b"".join(up))
            self.assertEqual(int.from_bytes(clear[64:68], "little"), len(clear) - 68)
        with greeted("telegram-abridged") as (*_, (up, _)):
            clear = self.opened(b"".join(up))
            self.assertEqual(clear[64] * 4, len(clear) - 65)

    def test_frames_of_every_size_arrive_with_the_padding_of_mtproto_2(self):
        for name in ("telegram", "telegram-abridged"):
            with greeted(name) as (client, server, near, far, _):
                # 127 words of 4 bytes is where abridged lengths grow to four bytes.
                for characters in (0, 1, 15, 16, 380, 384, 396, 400, 412, 4_000):
                    near.sendall(client.frame("text", characters))
                    payload = server.read(far)
                    padding = len(payload) - 24 - 32 - 56 - characters
                    self.assertTrue(12 <= padding <= 1_024 and (len(payload) - 24) % 16 == 0, (name, characters, padding))


class FCM(unittest.TestCase):
    def test_version_once_then_tag_varint_and_body(self):
        with greeted("fcm") as (client, server, near, far, (up, down)):
            # Version 41, LoginRequest (2), 310 as a varint; and the answer with LoginResponse (3)
            self.assertEqual(b"".join(up)[:4], bytes((41, 2, 0xB6, 0x02)))
            self.assertEqual(b"".join(down)[:3], bytes((41, 3, 42)))
            far.sendall(server.frame("notification", 50))
            self.assertEqual(client.read(near)[0], 8)
            self.assertEqual(server.frame("ping")[:2], bytes((0, 4)))


class Servers(unittest.TestCase):
    def agent(self, *arguments):
        environment = dict(os.environ, PYTHONPATH=str(LAB), PYTHONDONTWRITEBYTECODE="1")
        process = subprocess.Popen([sys.executable, LAB / "apps" / "framed_agent.py", *arguments], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, bufsize=0, env=environment)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.kill)
        self.assertEqual(self.line(process), {"ready": True})
        return process

    def line(self, process):
        if not select.select([process.stdout], [], [], 10)[0]:
            self.fail("no answer after 10 s")
        return json.loads(process.stdout.readline())

    def test_a_silent_connection_keeps_nobody_out(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.agent("whatsapp", "server", "1", "127.0.0.1", str(port))
        with socket.create_connection(("127.0.0.1", port)):
            client = self.agent("whatsapp", "client", "1")
            client.stdin.write(json.dumps({"id": 1, "do": "connect", "host": "127.0.0.1", "port": port}).encode() + b"\n")
            client.stdin.flush()
            while "id" not in (said := self.line(client)):
                pass
            self.assertEqual(said, {"id": 1, "ok": True})
