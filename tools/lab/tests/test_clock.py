"""Jumps of the clock: packets' times and TCP's timestamps."""

import struct
import unittest

import frames
from frames import PHONE, SECOND, SERVER, frame, tcp
from sample import pcapng
from sample.clock import Clock, Timestamps, iso, option_at
from sample.packet import layers, transport_is_right
from sample.rewrite import Rewriter

BEGIN = 1_700_000_000
MILLISECOND = 1_000_000


class Jumps(unittest.TestCase):
    def test_offsets_are_those_from_then_on(self):
        clock = Clock([(BEGIN + 20, 500.25), (BEGIN + 10, 100)])
        for second, wanted in ((0, 0), (9.999, 9.999), (10, 110), (19.5, 119.5), (20, 520.25), (99, 599.25)):
            self.assertEqual(clock.moved((BEGIN * 1000 + round(second * 1000)) * MILLISECOND),
                             (BEGIN * 1000 + round(wanted * 1000)) * MILLISECOND, second)

    def test_times_of_all_digits(self):
        self.assertEqual(iso(1_700_000_000_000_000_001), "2023-11-14T22:13:20.000000001Z")


class TCPTimestamps(unittest.TestCase):
    def play(self, segments, jumps):
        """Segments are (real second, from the phone?, flags, TSval, TSecr); returns (seconds, TSval, TSecr) of each."""
        packets = []
        for second, is_phone, flags, value, echo in segments:
            ends = (PHONE, 50_000, SERVER, 443) if is_phone else (SERVER, 443, PHONE, 50_000)
            data = frame(tcp(*ends, 1, flags, b"x" * (flags & 8), (value, echo)))
            packets.append(pcapng.Packet((BEGIN * 1000 + round(second * 1000)) * MILLISECOND, data, len(data)))
        out, self.counts = [], None
        rewriter = Rewriter({SERVER: "17.57.144.84"}, jumps, None)
        for packet in rewriter.rewrite(packets):
            there = layers(packet.data)
            self.assertTrue(transport_is_right(packet.data, there))
            place = option_at(packet.data, there.transport + 20, there.payload)
            out.append(((packet.time - BEGIN * SECOND) / SECOND, *struct.unpack_from(">II", packet.data, place)))
        self.counts = rewriter.counts
        return out

    def test_an_echo_stays_the_echo_of_what_was_sent(self):
        found = self.play([
            (0.000, True, 0x02, 1000, 0), (0.040, False, 0x12, 900_000, 1000), (0.041, True, 0x10, 1041, 900_000),
            (0.100, True, 0x18, 1100, 900_000), (0.140, False, 0x10, 900_100, 1100),
            # 60 s go by that nobody waited for
            (2.000, False, 0x18, 901_960, 1100), (2.001, True, 0x10, 3001, 901_960),
        ], [(BEGIN + 1, 60.0)])
        self.assertEqual(found, [
            (0.000, 1000, 0), (0.040, 900_000, 1000), (0.041, 1041, 900_000),
            (0.100, 1100, 900_000), (0.140, 900_100, 1100),
            (62.000, 961_960, 1100), (62.001, 63_001, 961_960),
        ])
        self.assertEqual(self.counts.timestamps_guessed, 0)

    def test_values_wrap_at_32_bits(self):
        found = self.play([(0, True, 0x02, 0xFFFF_FF00, 0), (2, True, 0x10, 0xFFFF_FF00 + 2000 & 0xFFFF_FFFF, 0)],
                          [(BEGIN + 1, 10)])
        self.assertEqual([row[1] for row in found], [0xFFFF_FF00, (0xFFFF_FF00 + 12_000) % 2**32])

    def test_an_echo_of_what_was_not_captured_follows_the_senders_pace(self):
        # The capture begins at 5.0 s; the phone's 1000 was sent at 0 s, before the jump at 1 s, its 4900 after it.
        found = self.play([
            (5.000, True, 0x10, 6000, 1), (5.010, False, 0x10, 50_000, 1000), (5.020, False, 0x10, 50_010, 5900),
        ], [(BEGIN + 1, 100)])
        self.assertEqual([row[2] for row in found[1:]], [1000, 105_900])
        self.assertEqual(self.counts.timestamps_guessed, 3)

    def test_without_jumps_and_without_the_option_nothing_changes(self):
        self.assertEqual(self.play([(0, True, 0x10, 5, 6)], []), [(0, 5, 6)])
        for options in (b"", b"\x08", b"\x08\x0a\0", b"\x08\x01", b"\x00\x08\x0a" + bytes(8), b"\x02\x04\x05\xb4", b"\x05\xff"):
            self.assertIsNone(option_at(options, 0, len(options)))

    def test_memory_is_bounded(self):
        stamps = Timestamps(Clock([(0, 1)]))
        for value in range(10_000):
            data = bytearray(frame(tcp(PHONE, 1, SERVER, 2, 1, 0x10, b"", (value, 0))))
            stamps.move(data, layers(data), value * MILLISECOND)
        self.assertLessEqual(max(len(d.sent) for d in stamps.directions.values()), 4096)


if __name__ == "__main__":
    unittest.main()
