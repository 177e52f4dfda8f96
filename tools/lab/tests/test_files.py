"""Capture files: read, written, finished."""

import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import frames
from frames import PHONE, PHONE6, SECOND, SERVER, SERVER6, frame, packed, tcp, udp
from sample import pcapng, quic
from sample.finish import finish, flows_of
from sample.packet import layers

START = 1_700_000_000 * SECOND + 123_456_789


def tshark(file, *arguments):
    if not shutil.which("tshark"):
        print("\nSKIPPED: tshark is not installed, finished samples were not read by it", file=sys.stderr)
        raise unittest.SkipTest("tshark is not installed")
    return subprocess.run(["tshark", "-n", "-r", str(file), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=True).stdout


def hello(random, extra=b""):
    """A ClientHello record, not complete but long enough."""
    body = b"\x03\x03" + random + b"\0\0\x02\x13\x01\x01\0" + extra
    shake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(shake)) + shake


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def raw(self, *data, step=1_000_000):
        file = self.folder / "raw.pcapng"
        rows = [pcapng.Packet(START + n * step, d, len(d)) for n, d in enumerate(data)]
        pcapng.write(file, rows, pcapng.Description(snaplen=262_144))
        return file


class Files(Folder):
    def test_written_is_read_again_and_the_same_each_time(self):
        draw = random.Random(1)
        rows = [pcapng.Packet(START + n, draw.randbytes(n + 14), n + 14 + n % 3, comment=f"packet {n} é" if n % 5 == 0 else None)
                for n in range(40)]
        said = pcapng.Description("a comment", "phone0", "the port", "what it is", 262_144)
        one, other = self.folder / "one.pcapng", self.folder / "other.pcapng"
        for file in (one, other):
            pcapng.write(file, rows, said, "CLIENT_RANDOM 00 00\n", {"17.57.144.84": "courier.example"})
        self.assertEqual(one.read_bytes(), other.read_bytes())
        found = pcapng.read(one)
        self.assertEqual(found.packets, rows)
        self.assertEqual((found.snaplen, found.secrets, found.comments), (262_144, "CLIENT_RANDOM 00 00\n", ["a comment"]))
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["one.pcapng", "other.pcapng"])

    def test_pcap_of_both_orders_and_resolutions(self):
        for order, magic, fraction in (("<", 0xA1B2C3D4, 5), (">", 0xA1B2C3D4, 5), ("<", 0xA1B23C4D, 5000), (">", 0xA1B23C4D, 5000)):
            file = self.folder / "old.pcap"
            file.write_bytes(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 96, 1) +
                             struct.pack(order + "IIII", 7, fraction, 3, 9) + b"abc")
            found = pcapng.read(file)
            self.assertEqual(found.packets, [pcapng.Packet(7 * SECOND + 5000, b"abc", 9)])
            self.assertEqual(found.snaplen, 96)

    def test_pcapng_of_another_byte_order_resolution_and_offset(self):
        def block(kind, body):
            return struct.pack(">II", kind, len(body) + 12) + body + struct.pack(">I", len(body) + 12)
        data = block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1))
        options = struct.pack(">HHB3x", 9, 1, 0x80 | 10) + struct.pack(">HHq", 14, 8, 100) + bytes(4)
        data += block(1, struct.pack(">HHI", 1, 0, 0) + options)
        data += block(6, struct.pack(">IIIII", 0, 0, 512, 2, 2) + b"ab\0\0")
        file = self.folder / "big.pcapng"
        file.write_bytes(data)
        self.assertEqual(pcapng.read(file).packets, [pcapng.Packet(100 * SECOND + SECOND // 2, b"ab", 2)])

    def test_damage_is_told_in_a_sentence(self):
        whole = self.raw(frame(udp(PHONE, 1, SERVER, 2, bytes(50)))).read_bytes()
        file, refused = self.folder / "cut.pcapng", 0
        for size in range(len(whole)):
            file.write_bytes(whole[:size])
            try:
                pcapng.read(file)
            except pcapng.CaptureError as error:
                refused += 1
                self.assertIn(str(file), str(error))
        # Only a file that ends between two blocks is whole.
        self.assertEqual(len(whole) - refused, 2)

    def test_tshark_reads_what_was_written(self):
        file = self.folder / "out.pcapng"
        rows = [pcapng.Packet(START + n, frame(udp(PHONE, 5000, SERVER, 4000, bytes(9))), 51, comment=None if n else "the first")
                for n in range(3)]
        pcapng.write(file, rows, pcapng.Description("a comment", "phone0", "the port"), "", {SERVER: "server.example"})
        text = tshark(file, "-o", "udp.check_checksum:TRUE", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.interface_name",
                      "-e", "frame.comment", "-e", "udp.checksum.status")
        lines = [line.split("\t") for line in text.splitlines()]
        self.assertEqual([line[0] for line in lines], [f"1700000000.{123_456_789 + n}" for n in range(3)])
        self.assertEqual(lines[0][1:], ["phone0", "the first", "1"])


class Secrets(Folder):
    def secrets_of(self, lines, *data):
        keys = self.folder / "all.keys"
        keys.write_text("# a comment\n" + "\n".join(lines) + "\nCLIENT_RANDOM 00", encoding="ascii")
        finish(self.raw(*data), [keys], {}, [], self.folder / "out.pcapng")
        return pcapng.read(self.folder / "out.pcapng").secrets.splitlines()

    def line(self, octets, label="CLIENT_RANDOM"):
        return f"{label} {octets.hex()} {'5a' * 48}"

    def test_only_those_of_the_captures_hellos_sorted(self):
        draw = random.Random(2)
        one, two, three, foreign = (draw.randbytes(32) for _ in range(4))
        split = hello(two)
        # A hello in records of five bytes of handshake each
        parts = b"".join(b"\x16\x03\x01\0\x05" + hello(three)[5:][at : at + 5] for at in range(0, 40, 5))
        data = [frame(tcp(PHONE, 1001, SERVER, 443, 1, 0x18, hello(one)))]
        data += [frame(tcp(PHONE6, 1002, SERVER6, 443, 7 + at, 0x18, split[at : at + 3])) for at in reversed(range(0, len(split), 3))]
        data += [frame(tcp(PHONE, 1003, SERVER, 443, 9, 0x18, parts))]
        lines = [self.line(o) for o in (three, foreign, one, two)] + [self.line(one, "CLIENT_TRAFFIC_SECRET_0"), self.line(one)]
        self.assertEqual(self.secrets_of(lines, *data),
                         sorted({self.line(o) for o in (one, two, three)} | {self.line(one, "CLIENT_TRAFFIC_SECRET_0")}))

    def test_dtls_hellos_lie_open(self):
        octets = bytes(range(32))
        data = frame(udp(PHONE, 5000, SERVER, 5001, b"\x16\xfe\xff" + bytes(10) + b"\x01" + bytes(11) + b"\xfe\xfd" + octets))
        self.assertEqual(self.secrets_of([self.line(octets)], data), [self.line(octets)])

    def test_quic_hellos_are_opened(self):
        # RFC 9001, appendix A.2: the packet, and the client random in its ClientHello
        source = (frames.ROOT / "Tests/TestSupport/RFC9001.swift").read_text(encoding="utf-8")
        text = re.search(r'static let client = bytes\(\s*"""(.*?)"""', source, re.S)[1]
        packet = bytes.fromhex("".join(text.split()))
        octets = bytes.fromhex("ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c")
        self.assertEqual(len(packet), 1200)
        data = frame(udp(PHONE, 5000, SERVER, 443, packet))
        self.assertEqual(self.secrets_of([self.line(octets), self.line(bytes(32))], data), [self.line(octets)])

    def test_damaged_quic_does_not_trap(self):
        draw, hellos = random.Random(3), quic.Hellos()
        for _ in range(200):
            hellos.add("flow", b"\xc0\0\0\0\1" + draw.randbytes(draw.randrange(60)))
        self.assertEqual(hellos.randoms(), set())

    def test_aes_of_fips_197(self):
        # FIPS 197, appendix C.1
        self.assertEqual(quic.AES(bytes(range(16))).encrypt(bytes.fromhex("00112233445566778899aabbccddeeff")).hex(),
                         "69c4e0d86a7b0430d8cdb78070b4c55a")


class Finishing(Folder):
    def test_a_sample(self):
        raw = self.raw(frame(udp(PHONE, 5000, SERVER, 5060, b"c=IN IP4 198.18.16.2\r\n")),
                       frame(tcp(PHONE, 40_000, SERVER, 443, 5, 0x02)), frame(tcp(SERVER, 443, PHONE, 40_000, 9, 0x12)),
                       frames.MACS[1] + frames.MACS[0] + b"\x08\x06" + bytes(28),
                       frame(udp(PHONE, 5000, "224.0.0.251", 5353, b"")))
        out = self.folder / "sample.pcapng"
        made = finish(raw, [], {SERVER: "17.57.144.84"}, [(1_700_000_000.1245, 3600)], out, "words", ("phone0", "the port"),
                      keep=lambda packet, there: there is None or there.target_port != 5353, packet_comments={2: "the SYN"})
        found = pcapng.read(out)
        self.assertEqual((made.packets, made.flows, made.bytes, made.secrets), (3, 2, out.stat().st_size, 0))
        self.assertEqual(made.left_out, {"ARP": 1, "of no interest": 1})
        self.assertEqual([p.time - START for p in found.packets], [0, 1_000_000 + 0, 2_000_000 + 3600 * SECOND])
        self.assertEqual((made.start, made.end), (found.packets[0].time, found.packets[2].time))
        self.assertEqual([p.comment for p in found.packets], [None, "the SYN", None])
        self.assertEqual(made.leftovers, {("UDP", 5000): 1})
        self.assertEqual(made.notes, [
            "the addresses inside became those of hosts.yaml in 3 packets, with all checksums; what travels encrypted was left "
            "as it was", "left out: 1 packet (ARP), 1 packet (of no interest)",
            "1 packet of UDP port 5000 still names an address inside in the payload, which was left as it was"])
        self.assertEqual(layers(found.packets[1].data).target, packed("17.57.144.84"))

    def test_nothing_to_finish(self):
        with self.assertRaises(pcapng.CaptureError):
            finish(self.raw(), [], {}, [], self.folder / "out.pcapng")
        self.assertFalse((self.folder / "out.pcapng").exists())

    def test_flows_and_who_opened_them(self):
        file = self.raw(
            frame(tcp(SERVER, 443, PHONE, 40_000, 9, 0x12)), frame(tcp(PHONE, 40_000, SERVER, 443, 5, 0x11)),
            frame(udp(PHONE6, 5000, SERVER6, 53, b"x")), frame(udp(SERVER6, 53, PHONE6, 5000, b"x")),
            frame(tcp(SERVER, 443, PHONE, 40_000, 10, 0x11)), frame(tcp(PHONE, 40_000, SERVER, 443, 900, 0x02)),
            frame(tcp(SERVER, 5223, PHONE, 41_000, 10, 0x18, b"x")))
        found = [(f.protocol, f.source, f.source_port, f.target, f.target_port, f.packets) for f in flows_of(file)]
        self.assertEqual(found, [("TCP", PHONE, 40_000, SERVER, 443, 3), ("UDP", PHONE6, 5000, SERVER6, 53, 2),
                                 ("TCP", PHONE, 40_000, SERVER, 443, 1), ("TCP", SERVER, 5223, PHONE, 41_000, 1)])


if __name__ == "__main__":
    unittest.main()
