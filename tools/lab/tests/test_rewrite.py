import ipaddress
import random
import struct
import unittest

import frames
from frames import PHONE, PHONE6, SECOND, SERVER, SERVER6, checksum, frame, icmp, ip, packed, tcp, udp
from sample import pcapng
from sample.packet import layers, moved, total, transport_is_right
from sample.rewrite import Rewriter

OUT, OUT6 = "17.57.144.84", "2620:149:a44::84"
ADDRESSES = {SERVER: OUT, SERVER6: OUT6}


def packets(*data):
    return [pcapng.Packet(1_700_000_000 * SECOND + n * 1_000_000, d, len(d)) for n, d in enumerate(data)]


def rewritten(*data, addresses=ADDRESSES, jumps=(), stations=None):
    rewriter = Rewriter(addresses, jumps, stations)
    return [packet.data for packet in rewriter.rewrite(packets(*data))], rewriter.counts


class Checksums(unittest.TestCase):
    def test_rfc_1071_example(self):
        # RFC 1071, section 3: the sum of these bytes is ddf2.
        self.assertEqual(total(bytes.fromhex("0001f203f4f5f6f7")), 0xDDF2)

    def test_rfc_1624_example(self):
        # RFC 1624, section 4: 0xDD2F, a field goes from 0x5555 to 0x3285.
        self.assertEqual(moved(0xDD2F, 0x5555, 0x3285), 0x0000)

    def test_known_ip_header(self):
        header = bytes.fromhex("45000073000040004011b861c0a80001c0a800c7")
        self.assertEqual(total(header), 0)
        self.assertEqual(checksum(header[:10] + b"\0\0" + header[12:]), 0xB861)


class Addresses(unittest.TestCase):
    def test_made_by_hand_with_the_new_addresses_they_are_the_same(self):
        cases = []
        for phone, server, out in ((PHONE, SERVER, OUT), (PHONE6, SERVER6, OUT6)):
            for size in (0, 1, 2, 37, 1400):
                body = random.Random(size).randbytes(size)
                cases.append(tuple(frame(udp(phone, 5000, a, 3478, body)) for a in (server, out)))
                cases.append(tuple(frame(tcp(a, 5223, phone, 49152, 9, 0x18, body)) for a in (server, out)))
            echo = 128 if ":" in phone else 8
            cases.append(tuple(frame(icmp(phone, a, echo, 0, b"ping")) for a in (server, out)))
        for raw, wanted in cases:
            found, counts = rewritten(raw)
            self.assertEqual(found[0].hex(), wanted.hex())
            self.assertEqual((counts.addressed, counts.checksums_wrong), (1, 0))

    def test_every_udp_checksum_is_right_also_where_it_would_be_zero(self):
        for port in range(1, 65_536, 7):
            raw = frame(udp(PHONE, port, SERVER, 4000, struct.pack(">H", 65_535 - port)))
            found, _ = rewritten(raw)
            self.assertTrue(transport_is_right(found[0], layers(found[0])))
            self.assertNotEqual(found[0][40:42], b"\0\0")
        body = b"\0\0"
        there = layers(frame(udp(PHONE, 1, OUT, 2, body)))
        want = int.from_bytes(frame(udp(PHONE, 1, OUT, 2, body))[there.transport + 6 :][:2], "big")
        found, _ = rewritten(frame(udp(PHONE, 1, SERVER, 2, struct.pack(">H", want))))
        self.assertEqual(found[0][there.transport + 6 :][:2], b"\xff\xff")

    def test_no_udp_checksum_stays_none_and_a_wrong_one_wrong(self):
        raw = bytearray(frame(udp(PHONE, 5000, SERVER, 3478, b"hello")))
        raw[40:42] = b"\0\0"
        found, counts = rewritten(bytes(raw))
        self.assertEqual(found[0][40:42], b"\0\0")
        self.assertEqual(counts.checksums_wrong, 0)
        raw = bytearray(frame(tcp(PHONE, 5000, SERVER, 443, 1, 0x18, b"hello")))
        raw[50] ^= 0x40
        found, counts = rewritten(bytes(raw))
        self.assertIs(transport_is_right(found[0], layers(found[0])), False)
        self.assertEqual(counts.checksums_wrong, 1)
        self.assertEqual(found[0][26:34], packed(PHONE) + packed(OUT))

    def test_fragments(self):
        whole = udp(PHONE, 5000, SERVER, 3478, bytes(range(200)))
        first, second = (frame(ip(PHONE, SERVER, 17, part, fragment)) for part, fragment in
                         ((whole[20:124], 0x2000), (whole[124:], 13)))
        found, _ = rewritten(first, second)
        wanted = udp(PHONE, 5000, OUT, 3478, bytes(range(200)))
        # Put together again they are the datagram to the new address, with its checksum.
        self.assertEqual(found[0][34:] + found[1][34:], wanted[20:])
        for part in found:
            self.assertEqual(total(part[14:34]), 0)

    def test_icmp_quotes(self):
        inner = udp(SERVER, 53, PHONE, 40_000, b"no answer here, only text")
        found, _ = rewritten(frame(icmp(PHONE, SERVER, 3, 3, inner)))
        wanted = frame(icmp(PHONE, OUT, 3, 3, udp(OUT, 53, PHONE, 40_000, b"no answer here, only text")))
        self.assertEqual(found[0].hex(), wanted.hex())
        inner = tcp(PHONE6, 443, SERVER6, 50_000, 1, 0x10, bytes(500))[:200]
        found, _ = rewritten(frame(icmp(SERVER6, PHONE6, 2, 0, inner)))
        self.assertEqual(found[0][62:110].hex(), tcp(PHONE6, 443, OUT6, 50_000, 1, 0x10, bytes(500))[:48].hex())
        self.assertTrue(transport_is_right(found[0], layers(found[0])))
        # Eight bytes of transport: no checksum is quoted.
        inner = tcp(SERVER, 443, PHONE, 50_000, 1, 0x10)[:28]
        found, _ = rewritten(frame(icmp(PHONE, SERVER, 11, 0, inner)))
        self.assertEqual(found[0][42:70].hex(), tcp(OUT, 443, PHONE, 50_000, 1, 0x10)[:28].hex())

    def test_cut_packets_keep_a_checksum_that_the_whole_would_have(self):
        raw, wanted = (frame(tcp(PHONE, 5000, a, 443, 1, 0x18, bytes(1000))) for a in (SERVER, OUT))
        found, _ = rewritten(raw[:96])
        self.assertEqual(found[0].hex(), wanted[:96].hex())

    def test_a_map_of_two_families_is_refused(self):
        for pairs in ({SERVER: OUT6}, {SERVER: OUT, "198.18.16.3": OUT}):
            with self.assertRaises(pcapng.CaptureError):
                Rewriter(pairs)

    def test_the_links_own_packets_are_left_out_and_counted(self):
        arp = frames.MACS[1] + frames.MACS[0] + b"\x08\x06" + bytes(28)
        solicitation = frame(icmp(PHONE6, "ff02::1:ff00:1", 135, 0, bytes(16)))
        found, counts = rewritten(arp, solicitation, solicitation, frame(udp(PHONE, 1, SERVER, 2, b"")))
        self.assertEqual(len(found), 1)
        self.assertEqual(counts.left_out, {"ARP": 1, "neighbour discovery and multicast listeners": 2})

    def test_mac_addresses_name_the_role(self):
        found, _ = rewritten(frame(udp(PHONE, 1, SERVER, 2, b"x")), frame(udp(SERVER, 2, PHONE, 1, b"x"), frames.MACS[::-1]),
                             frame(udp(PHONE, 1, "239.1.1.1", 2, b"x"), (frames.MACS[0], b"\x01\0\x5e\1\1\1")),
                             stations={PHONE: 0x10})
        self.assertEqual([f[:12].hex() for f in found],
                         ["020000000001020000000010", "020000000010020000000001", "01005e010101020000000010"])


class Identity(unittest.TestCase):
    def test_no_byte_changes(self):
        draw = random.Random(4)
        data = []
        for _ in range(400):
            body = draw.randbytes(draw.randrange(200))
            phone, server = draw.choice([(PHONE, SERVER), (PHONE6, SERVER6)])
            port = draw.choice([53, 443, 3478])
            raw = bytearray(frame(draw.choice([
                lambda: udp(phone, 40_000, server, port, body),
                lambda: tcp(phone, 40_000, server, port, draw.randrange(1 << 32), draw.randrange(64), body, (1, 2)),
                lambda: icmp(server, phone, 1 if ":" in phone else 3, 1, udp(phone, 1, server, 2, body))])()))
            for _ in range(draw.choice([0, 0, 1, 5])):
                raw[draw.randrange(14, len(raw))] = draw.randrange(256)
            data.append(bytes(raw[: draw.choice([len(raw), draw.randrange(14, len(raw) + 1)])]))
        kept = Rewriter({}, (), None)
        wanted = [p.data for p in packets(*data) if not kept._unwanted(p, layers(p.data))]
        self.assertGreater(len(wanted), 300)
        same = {a: a for a in (PHONE, SERVER, PHONE6, SERVER6)}
        for addresses in ({}, same):
            found, counts = rewritten(*data, addresses=addresses)
            self.assertEqual(found, wanted)
            self.assertEqual(counts.addressed, 0)

    def test_damaged_packets_do_not_trap_and_keep_their_length(self):
        draw = random.Random(5)
        for _ in range(600):
            raw = bytearray(frame(udp(PHONE, 40_000, SERVER, draw.choice([53, 3478]), draw.randbytes(80))))
            for _ in range(draw.randrange(1, 8)):
                raw[draw.randrange(12, len(raw))] = draw.randrange(256)
            found, counts = rewritten(bytes(raw))
            self.assertEqual(len(found) + sum(counts.left_out.values()), 1)
            self.assertTrue(all(len(f) == len(raw) for f in found))

    def test_there_and_back_again(self):
        draw = random.Random(6)
        data = [frame(tcp(PHONE, p, SERVER, 443, 1, 0x18, draw.randbytes(p % 97))) for p in range(1000, 1200)]
        there, _ = rewritten(*data)
        back, _ = rewritten(*there, addresses={o: i for i, o in ADDRESSES.items()})
        self.assertNotEqual(there, data)
        self.assertEqual(back, data)


if __name__ == "__main__":
    unittest.main()
