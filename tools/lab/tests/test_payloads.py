"""DNS and STUN: addresses within payloads."""

import struct
import unittest

import frames
from frames import PHONE, PHONE6, SERVER, SERVER6, frame, packed, tcp, udp
from sample import dns, stun
from sample.packet import layers, transport_is_right
from test_rewrite import ADDRESSES, OUT, OUT6, rewritten

MAP = {packed(i): packed(o) for i, o in ADDRESSES.items()}
# RFC 5769, sections 2.2 and 2.3: 192.0.2.1:32853 and [2001:db8:1234:5678:11:2233:4455:6677]:32853
RFC5769_V4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96")
RFC5769_V6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa"
    "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c")


def name(text):
    return b"".join(bytes((len(label),)) + label.encode() for label in text.split(".")) + b"\0"


def answer():
    """A question for HTTPS, then CNAME, A, AAAA and HTTPS with hints; names point into each other."""
    head = struct.pack(">HHHHHH", 0x1234, 0x8180, 1, 4, 0, 1)
    question = name("www.example.com") + struct.pack(">HH", 65, 1)
    cname = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, 6) + b"\x03cdn\xc0\x10"
    target = 12 + len(question) + 12
    pointer = struct.pack(">H", 0xC000 | target)
    a = pointer + struct.pack(">HHIH", 1, 1, 60, 4) + packed(SERVER)
    aaaa = b"\x03cdn\xc0\x10" + struct.pack(">HHIH", 28, 1, 60, 16) + packed(SERVER6)
    parameters = (struct.pack(">HH", 1, 3) + b"\x02h2" + struct.pack(">HH", 4, 8) + packed("192.0.2.1") + packed(SERVER) +
                  struct.pack(">HH", 6, 16) + packed(SERVER6))
    rdata = struct.pack(">H", 1) + name("svc.example.net") + parameters
    https = pointer + struct.pack(">HHIH", 65, 1, 60, len(rdata)) + rdata
    options = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
    return head + question + cname + a + aaaa + https + options


def replaced(message):
    for inside, outside in MAP.items():
        message = message.replace(inside, outside)
    return message


class DNS(unittest.TestCase):
    def test_every_kind_of_answer(self):
        for phone, server, out in ((PHONE, SERVER, OUT), (PHONE6, SERVER6, OUT6)):
            found, counts = rewritten(frame(udp(server, 53, phone, 40_000, answer())))
            self.assertEqual(found[0].hex(), frame(udp(out, 53, phone, 40_000, replaced(answer()))).hex())
            self.assertEqual(counts.dns_addresses, 4)

    def test_other_ports_texts_and_classes_stay(self):
        for message, port in ((answer(), 5000), (answer()[:12] + packed(SERVER) * 9, 53)):
            found, counts = rewritten(frame(udp(SERVER, port, PHONE, 40_000, message)))
            self.assertEqual(found[0][42:], message)
            self.assertEqual(counts.dns_addresses, 0)
        txt = struct.pack(">HHHHHH", 1, 0x8180, 0, 1, 0, 0) + b"\0" + struct.pack(">HHIH", 16, 1, 0, 5) + b"\4" + packed(SERVER)
        data = bytearray(txt)
        self.assertEqual(dns.rewrite(data, 0, len(data), MAP), 0)
        self.assertEqual(data, txt)

    def test_no_cut_traps_or_changes_half_a_message(self):
        message = answer()
        for size in range(len(message)):
            data = bytearray(message[:size])
            self.assertIsNone(dns.rewrite(data, 0, size, MAP), size)
            self.assertEqual(data, message[:size])

    def test_over_tcp_in_segments_of_any_size(self):
        stream = b"".join(struct.pack(">H", len(m)) + m for m in (answer(), answer()))
        for size in (1, 2, 3, 7, 50, len(stream)):
            raw = [frame(tcp(SERVER, 53, PHONE, 40_000, 99, 0x12))]
            parts = [(at, stream[at : at + size]) for at in range(0, len(stream), size)]
            # One comes twice, two change places.
            order = parts[:1] + parts if len(parts) < 3 else [parts[1], parts[0], *parts[2:], parts[1]]
            raw += [frame(tcp(SERVER, 53, PHONE, 40_000, 100 + at, 0x18, part)) for at, part in order]
            found, counts = rewritten(*raw)
            self.assertEqual(counts.dns_addresses, 8)
            wanted = replaced(stream)
            for (at, part), data in zip(order, found[1:]):
                self.assertEqual(data[54:], wanted[at : at + len(part)])
                self.assertTrue(transport_is_right(data, layers(data)))


class STUN(unittest.TestCase):
    def test_fingerprints_of_rfc_5769(self):
        for message in (RFC5769_V4, RFC5769_V6):
            self.assertEqual(stun.fingerprint_of(message[:-8]), message[-4:])

    def test_xor_addresses_of_rfc_5769(self):
        for message, inside, outside in ((RFC5769_V4, "192.0.2.1", "17.1.2.3"),
                                         (RFC5769_V6, "2001:db8:1234:5678:11:2233:4455:6677", "2620:149::7")):
            data, changes = bytearray(message), stun.Changes()
            stun.rewrite_datagram(data, 0, len(data), {packed(inside): packed(outside)}, changes)
            self.assertEqual((changes.addresses, changes.fingerprints, changes.integrity_broken), (1, 1, 1))
            size = len(packed(inside))
            at = message.index(b"\xa1\x47") + 2
            key = message[4:20][:size]
            self.assertEqual(bytes(a ^ b for a, b in zip(data[at : at + size], key)), packed(outside))
            # Nothing else but the FINGERPRINT, which is right again.
            self.assertEqual(data[:at] + data[at + size : -4], message[:at] + message[at + size : -4])
            self.assertEqual(stun.fingerprint_of(bytes(data[:-8])), data[-4:])
            # Back again it is RFC 5769's message.
            stun.rewrite_datagram(data, 0, len(data), {packed(outside): packed(inside)}, changes)
            self.assertEqual(data.hex(), message.hex())

    def test_an_address_that_is_not_mapped_changes_nothing(self):
        data, changes = bytearray(RFC5769_V4), stun.Changes()
        stun.rewrite_datagram(data, 0, len(data), MAP, changes)
        self.assertEqual(data, RFC5769_V4)
        self.assertEqual((changes.messages, changes.addresses, changes.integrity_broken), (1, 0, 0))

    def message(self, inner=b"", address=SERVER):
        transaction = bytes(range(12))
        octets = packed(address)
        key = (stun.COOKIE + transaction)[: len(octets)]
        value = bytes((0, 1 if len(octets) == 4 else 2)) + struct.pack(">H", 3478 ^ 0x2112)
        attributes = b"".join(struct.pack(">HH", kind, 4 + len(octets)) + value + bytes(a ^ b for a, b in zip(octets, key))
                              for kind in (0x0012, 0x0016))
        attributes += struct.pack(">HH", 0x802B, 4 + len(octets)) + value + octets
        if inner:
            attributes += struct.pack(">HH", 0x0013, len(inner)) + inner
        return struct.pack(">HH", 0x0017, len(attributes)) + stun.COOKIE + transaction + attributes

    def test_turn_carries_stun_in_data_and_channels(self):
        inner, wanted = self.message(), self.message(address=OUT)
        for raw, want in ((self.message(inner), self.message(wanted, OUT)),
                          (struct.pack(">HH", 0x4001, len(inner)) + inner, struct.pack(">HH", 0x4001, len(inner)) + wanted)):
            found, counts = rewritten(frame(udp(SERVER, 3478, PHONE, 40_000, raw)))
            self.assertEqual(found[0].hex(), frame(udp(OUT, 3478, PHONE, 40_000, want)).hex())
        self.assertEqual(counts.stun_addresses, 3)

    def test_over_tcp_across_segments(self):
        def stream(address):
            channel = struct.pack(">HH", 0x4000, 5) + b"media\0\0\0"
            return self.message(address=address) + channel + self.message(address=address)
        raw = [frame(tcp(SERVER, 3478, PHONE, 40_000, 9, 0x12))]
        raw += [frame(tcp(SERVER, 3478, PHONE, 40_000, 10 + at, 0x18, stream(SERVER)[at : at + 11]))
                for at in range(0, len(stream(SERVER)), 11)]
        found, counts = rewritten(*raw)
        self.assertEqual(b"".join(f[54:] for f in found[1:]), stream(OUT))
        self.assertEqual(counts.stun_addresses, 6)

    def test_no_cut_traps(self):
        message = RFC5769_V6
        for size in range(len(message)):
            data = bytearray(message[:size])
            stun.rewrite_message(data, 0, size, {}, stun.Changes())
            stun.rewrite_datagram(data, 0, size, {}, stun.Changes())
            self.assertEqual(data, message[:size])


if __name__ == "__main__":
    unittest.main()
