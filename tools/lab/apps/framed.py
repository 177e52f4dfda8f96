"""Transports with frames of their own: handshakes and framings as published, contents as random bytes.

Each class speaks for both ends. `greet` does the handshake, `frame` makes a message's frame, `read` takes one off.
"""

import os
import random
import struct

try:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError:  # the conductor imports this file only for its names
    Cipher = None


def take(stream, count):
    data = b""
    while len(data) < count:
        got = stream.recv(count - len(data))
        if not got:
            raise ConnectionError("closed")
        data += got
    return data


class WhatsApp:
    """A Noise XX handshake behind "WA", then frames of a 3-byte length (whatsmeow socket/constants.go, noisesocket.go).

    Lengths inside the handshake are those of its Protobuf fields: keys of 32 bytes, sealed ones of 48; certificate chain
    and login payload are assumed. A text is a binary XML node with a Signal message, padded by 1 to 16 bytes.
    """

    name, tls = "whatsapp", None
    overhead = 3 + 16

    def __init__(self, rng, is_client):
        self.rng, self.is_client = rng, is_client

    def packed(self, payload):
        return len(payload).to_bytes(3, "big") + payload

    def greet(self, stream):
        key, sealed = self.rng.randbytes(32), self.rng.randbytes(48)
        if self.is_client:
            hello = b"\x12\x22\x0a\x20" + key
            stream.sendall(b"WA\x06\x03" + self.packed(hello))
            self.read(stream)
            finish = b"\x0a\x30" + sealed + b"\x12\xe0\x01" + self.rng.randbytes(224)
            stream.sendall(self.packed(b"\x22" + bytes([0x80 | len(finish) & 0x7F, len(finish) >> 7]) + finish))
            self.read(stream)
        else:
            take(stream, 4)
            self.read(stream)
            hello = b"\x0a\x20" + key + b"\x12\x30" + sealed + b"\x1a\xd0\x02" + self.rng.randbytes(336)
            stream.sendall(self.packed(b"\x1a" + bytes([0x80 | len(hello) & 0x7F, len(hello) >> 7]) + hello))
            self.read(stream)
            stream.sendall(self.frame("success"))

    def frame(self, kind, characters=0):
        return self.packed(self.rng.randbytes(self.size(kind, characters) + 16))

    def size(self, kind, characters):
        if kind == "text":
            # node with addresses and id, a Signal message of a padded Protobuf
            text = characters + 4 + self.rng.randint(1, 16)
            return 92 + (text // 16 + 1) * 16 + 66
        return {"success": 210, "ack": 42, "receipt": 58, "read": 61, "typing_start": 39, "typing_stop": 37, "ping": 22,
                "tapback": 250, "call": 420}[kind]

    def read(self, stream):
        return take(stream, int.from_bytes(take(stream, 3), "big"))


class Telegram:
    """MTProto by the obfuscated transport with intermediate framing (core.telegram.org/mtproto/mtproto-transports).

    64 random bytes carry the keys of AES-256-CTR; then everything is encrypted. A message is 24 bytes of key numbers and
    a ciphertext: 32 bytes of header, the body, 12 to 1,024 bytes of padding to a multiple of 16 (MTProto 2.0; clients
    take little). The key exchange is left out: apps keep their key.
    """

    name, tls = "telegram", None
    # Names the framing inside the 64 bytes.
    tag = b"\xee" * 4

    def __init__(self, rng, is_client):
        self.rng, self.is_client = rng, is_client

    def keys(self, init):
        backward = init[8:56][::-1]
        up = Cipher(algorithms.AES(init[8:40]), modes.CTR(init[40:56])).encryptor()
        down = Cipher(algorithms.AES(backward[:32]), modes.CTR(backward[32:48])).encryptor()
        self.out, self.into = (up, down) if self.is_client else (down, up)

    def greet(self, stream):
        if self.is_client:
            while True:
                # Random for real: it is a key; lengths and order do not depend on it.
                init = bytearray(os.urandom(64))
                if init[0] != 0xEF and init[:4] not in (b"HEAD", b"POST", b"GET ", b"OPTI", b"\x16\x03\x01\x02",
                                                         b"\xee" * 4, b"\xdd" * 4) and init[4:8] != bytes(4):
                    break
            init[56:60] = self.tag
            self.keys(bytes(init))
            sealed = self.out.update(bytes(init))
            stream.sendall(bytes(init[:56]) + sealed[56:])
            stream.sendall(self.frame("hello"))
            self.read(stream)
        else:
            init = take(stream, 64)
            self.keys(init)
            self.into.update(init)
            self.read(stream)
            stream.sendall(self.frame("config"))

    def frame(self, kind, characters=0):
        body = {"hello": 196, "config": 1_480, "text": 56 + characters, "ack": 28, "updates": 120 + characters,
                "read": 44, "typing_start": 36, "typing_stop": 36, "ping": 20, "tapback": 60}[kind]
        padded = (32 + body + 12 + 15) // 16 * 16
        payload = self.rng.randbytes(24 + padded)
        return self.out.update(self.length(len(payload)) + payload)

    def length(self, count):
        return struct.pack("<I", count)

    def read(self, stream):
        length = struct.unpack("<I", self.into.update(take(stream, 4)))[0]
        return self.into.update(take(stream, length))


class AbridgedTelegram(Telegram):
    """The same with abridged framing: the length in words of 4 bytes, in one byte or, from 127 on, in 0x7F and three."""

    tag = b"\xef" * 4

    def length(self, count):
        words = count // 4
        return bytes([words]) if words < 127 else b"\x7f" + words.to_bytes(3, "little")

    def read(self, stream):
        words = self.into.update(take(stream, 1))[0]
        if words == 127:
            words = int.from_bytes(self.into.update(take(stream, 3)), "little")
        return self.into.update(take(stream, words * 4))


class FCM:
    """Google's push connection: MCS messages of tag, varint length and Protobuf, in TLS (microG mcs.proto, Chromium
    google_apis/gcm/engine/connection_handler_impl.cc)."""

    name, tls = "fcm", "mtalk.google.com"
    TAGS = {"ping": 0, "ping_ack": 1, "login": 2, "logged_in": 3, "close": 4, "iq": 7, "notification": 8}

    def __init__(self, rng, is_client):
        self.rng, self.is_client = rng, is_client

    def greet(self, stream):
        stream.sendall(b"\x29" + self.frame("login") if self.is_client else self.frame("logged_in", first=True))
        if self.is_client:
            take(stream, 1)
            self.read(stream)

    def accept(self, stream):
        take(stream, 1)
        self.read(stream)

    def frame(self, kind, characters=0, first=False):
        size = {"ping": 4, "ping_ack": 4, "login": 310, "logged_in": 42, "iq": 26, "close": 0}.get(kind)
        if size is None:
            # from, category, ids and times, and the app's data
            size = 168 + characters
        length, rest = b"", size
        while True:
            low, rest = rest & 0x7F, rest >> 7
            length += bytes([low | (0x80 if rest else 0)])
            if not rest:
                break
        return (b"\x29" if first else b"") + bytes([self.TAGS[kind]]) + length + self.rng.randbytes(size)

    def read(self, stream):
        tag, size, shift = take(stream, 1)[0], 0, 0
        while True:
            byte = take(stream, 1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return bytes([tag]) + take(stream, size)


TRANSPORTS = {t.name: t for t in (WhatsApp, Telegram, FCM)} | {"telegram-abridged": AbridgedTelegram}


def generator(*words):
    return random.Random("/".join(map(str, words)))
