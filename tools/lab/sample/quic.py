"""The ClientHello in QUIC's Initial packets (RFC 9000, section 17.2.2; RFC 9001, section 5; RFC 9369).

    Initial Packet {
      Header Form (1) = 1, Fixed Bit (1) = 1, Long Packet Type (2) = 0, Reserved Bits (2), Packet Number Length (2),
      Version (32),
      Destination Connection ID Length (8), Destination Connection ID (0..160),
      Source Connection ID Length (8), Source Connection ID (0..160),
      Token Length (i), Token (..), Length (i), Packet Number (8..32), Packet Payload (8..),
    }

Everybody on the way can open these packets; their integrity is not checked, frames that make sense are taken as proof.
"""

import hashlib
import hmac

# version: salt, prefix of the labels, type of an Initial
VERSIONS = {
    1: (bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), "quic", 0),
    0x6B3343CF: (bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), "quicv2", 1),
}
PADDING, PING, ACK, ACK_ECN, CRYPTO, CONNECTION_CLOSE = 0, 1, 2, 3, 6, 0x1C
# Connections that are followed, and bytes of a hello
CONNECTIONS = 4096
LARGEST_HELLO = 65_536


class Hellos:
    """Collects the first bytes of the hellos in a capture's datagrams."""

    def __init__(self):
        # ends of a flow: {version and connection id that the keys come from: (keys, {offset: bytes})}
        self.flows = {}

    def add(self, ends, data):
        """Takes a UDP payload; `ends` names the flow and is the same in both directions."""
        if len(data) < 7 or not data[0] & 0x80:
            return
        try:
            self._add(ends, data)
        except (IndexError, ValueError):
            return

    def _add(self, ends, data):
        at = 0
        while at + 7 <= len(data) and data[at] & 0x80:
            version = int.from_bytes(data[at + 1 : at + 5], "big")
            if version not in VERSIONS:
                return
            identity, after = _vector(data, at + 5)
            _, after = _vector(data, after)
            is_initial = data[at] >> 4 & 3 == VERSIONS[version][2]
            if is_initial:
                length, after = _integer(data, after)
                after += length
            length, after = _integer(data, after)
            if after + length > len(data):
                return
            if is_initial:
                self._open(ends, version, identity, data[at : after + length], after - at)
            at = after + length

    def _open(self, ends, version, identity, packet, number_at):
        if ends not in self.flows and len(self.flows) >= CONNECTIONS:
            return
        known = self.flows.setdefault(ends, {})
        # After the server's first answer the client uses another identity, but the keys stay.
        for candidate in (*known, (version, identity)):
            keys, pieces = known.get(candidate) or (client_keys(*candidate), {})
            frames = crypto_frames(opened(keys, packet, number_at))
            if frames is not None:
                known[candidate] = (keys, pieces)
                for offset, octets in frames:
                    if offset + len(octets) <= LARGEST_HELLO:
                        pieces.setdefault(offset, octets)
                return

    def randoms(self):
        """The client randoms of all hellos whose beginning was there."""
        found = set()
        for known in self.flows.values():
            for _, pieces in known.values():
                hello = b""
                for offset in sorted(pieces):
                    if offset <= len(hello):
                        hello += pieces[offset][len(hello) - offset :]
                if len(hello) >= 38 and hello[0] == 1:
                    found.add(hello[6:38])
        return found


def client_keys(version, identity):
    """Key, IV and header protection key of a client's Initials."""
    salt, prefix, _ = VERSIONS[version]
    initial = hmac.new(salt, identity, hashlib.sha256).digest()
    secret = expand_label(initial, "client in", 32)
    return tuple(expand_label(secret, f"{prefix} {word}", size) for word, size in (("key", 16), ("iv", 12), ("hp", 16)))


def expand_label(secret, label, length):
    """HKDF-Expand-Label of RFC 8446, section 7.1, with no context and at most 32 bytes."""
    name = b"tls13 " + label.encode("ascii")
    info = length.to_bytes(2, "big") + bytes((len(name),)) + name + b"\0"
    return hmac.new(secret, info + b"\1", hashlib.sha256).digest()[:length]


def opened(keys, packet, number_at):
    """The plaintext of an Initial packet whose packet number begins at an offset; its tag is not looked at."""
    key, iv, protection = keys
    if len(packet) < number_at + 20:
        raise ValueError("too short to be protected")
    mask = AES(protection).encrypt(packet[number_at + 4 : number_at + 20])
    size = ((packet[0] ^ mask[0]) & 3) + 1
    number = bytes(a ^ b for a, b in zip(packet[number_at : number_at + size], mask[1:]))
    nonce = bytes(a ^ b for a, b in zip(iv, bytes(12 - size) + number))
    sealed, cipher, out = packet[number_at + size : -16], AES(key), bytearray()
    # AES-GCM encrypts in counter mode; the first block's counter is 2.
    for block in range(0, len(sealed), 16):
        stream = cipher.encrypt(nonce + (block // 16 + 2).to_bytes(4, "big"))
        out += bytes(a ^ b for a, b in zip(sealed[block : block + 16], stream))
    return bytes(out)


def crypto_frames(plain):
    """Offsets and contents of the CRYPTO frames, or None where the bytes are no frames of an Initial."""
    found, at = [], 0
    try:
        while at < len(plain):
            kind = plain[at]
            at += 1
            if kind in (PADDING, PING):
                continue
            if kind in (ACK, ACK_ECN):
                for _ in range(2):
                    _, at = _integer(plain, at)
                ranges, at = _integer(plain, at)
                for _ in range(1 + 2 * ranges + (3 if kind == ACK_ECN else 0)):
                    _, at = _integer(plain, at)
            elif kind == CRYPTO:
                offset, at = _integer(plain, at)
                length, at = _integer(plain, at)
                if at + length > len(plain):
                    return None
                found.append((offset, plain[at : at + length]))
                at += length
            else:
                return found if kind == CONNECTION_CLOSE else None
    except (IndexError, ValueError):
        return None
    return found


def _vector(data, at):
    length = data[at]
    if length > 20 or at + 1 + length > len(data):
        raise ValueError("no connection id")
    return bytes(data[at + 1 : at + 1 + length]), at + 1 + length


def _integer(data, at):
    """A variable-length integer (RFC 9000, section 16) and the offset after it."""
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        raise ValueError("the packet ends here")
    return int.from_bytes(data[at : at + size], "big") & (1 << 8 * size - 2) - 1, at + size


def _box():
    """The S-box of FIPS 197, section 5.1.1, from inverses in GF(2^8) and the affine transformation."""
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= (p << 1 ^ (0x11B if p & 0x80 else 0)) & 0xFF
        q ^= q << 1
        q ^= q << 2
        q = (q ^ q << 4) & 0xFF
        if q & 0x80:
            q ^= 0x09
        turned = q
        for shift in range(1, 5):
            turned ^= (q << shift | q >> 8 - shift) & 0xFF
        box[p] = turned ^ 0x63
        if p == 1:
            return bytes(box)


BOX = _box()
DOUBLED = bytes((x << 1 ^ (0x1B if x & 0x80 else 0)) & 0xFF for x in range(256))
# Where each byte of a block goes in ShiftRows
SHIFTED = tuple((4 * (column + row) + row) % 16 for column in range(4) for row in range(4))


class AES:
    """AES-128 (FIPS 197), one block at a time: enough for the few Initials of a sample."""

    def __init__(self, key):
        words, constant = [key[at : at + 4] for at in range(0, 16, 4)], 1
        while len(words) < 44:
            word = words[-1]
            if len(words) % 4 == 0:
                word = bytes((BOX[word[1]] ^ constant, BOX[word[2]], BOX[word[3]], BOX[word[0]]))
                constant = DOUBLED[constant]
            words.append(bytes(a ^ b for a, b in zip(words[-4], word)))
        self.rounds = [b"".join(words[at : at + 4]) for at in range(0, 44, 4)]

    def encrypt(self, block):
        state = [a ^ b for a, b in zip(block, self.rounds[0])]
        for key in self.rounds[1:-1]:
            state = [BOX[state[at]] for at in SHIFTED]
            for at in range(0, 16, 4):
                a, b, c, d = state[at : at + 4]
                every = a ^ b ^ c ^ d
                state[at : at + 4] = (a ^ every ^ DOUBLED[a ^ b], b ^ every ^ DOUBLED[b ^ c],
                                      c ^ every ^ DOUBLED[c ^ d], d ^ every ^ DOUBLED[d ^ a])
            state = [a ^ b for a, b in zip(state, key)]
        return bytes(BOX[state[at]] ^ k for at, k in zip(SHIFTED, self.rounds[-1]))
