"""The arithmetic of the act experiment, on logs made by hand."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

try:
    from act import rules
    from act.measure import Message, Phone, measured, quantile, wilson_bound
    from act.packet_queue import Best, Once, Segment
    from act.script import GAP, INCOMING, NOTIFICATIONS, OUTGOING, SERVICES, length, script
    from act.table import page
except ModuleNotFoundError as error:
    print(f"\nSKIPPED: the Python package {error.name} is not installed, the act experiment's figures were not tested",
          file=sys.stderr)
    raise unittest.SkipTest(f"no {error.name}") from None


def packet(payload, sequence=1000, port=40000, syn=False):
    """An IPv4 TCP packet from a phone to port 5223."""
    tcp = port.to_bytes(2, "big") + (5223).to_bytes(2, "big") + sequence.to_bytes(4, "big") + bytes(4)
    tcp += bytes([0x50, 0x02 if syn else 0x18]) + bytes(6)
    total = 20 + len(tcp) + len(payload)
    return bytes([0x45, 0]) + total.to_bytes(2, "big") + bytes(8) + bytes([198, 18, 0, 10, 198, 18, 16, 2]) + tcp + payload


def record(count):
    return b"\x17\x03\x03" + count.to_bytes(2, "big") + bytes(count)


class Figures(unittest.TestCase):
    def test_lost_late_and_recovery(self):
        one = Phone([Message("out", 10.0), Message("out", 20.0, 20.5), Message("notification", 12.0, 15.5, True)],
                    breaks=[11.0, 30.0], passed=[9.0, 15.5, 20.5], fell_back=True)
        two = Phone([Message("out", 10.0, 10.1), Message("out", 20.0, 21.5)], breaks=[], passed=[10.1])
        row = measured([one, two])
        self.assertEqual((row["imessage_out"]["sent"], row["imessage_out"]["lost"], row["imessage_out"]["late"]), (4, 1, 1))
        self.assertEqual(row["imessage_out"]["lost_share"]["value"], 0.25)
        self.assertEqual(row["notifications"]["late"], 1)
        self.assertEqual(row["notifications"]["from_storage"], 1)
        self.assertEqual(row["connections_broken_per_phone"]["value"], 1.0)
        self.assertEqual((row["breaks"], row["breaks_without_recovery"]), (2, 1))
        self.assertEqual(row["recover_s"], {"median": 4.5, "p95": 4.5})
        self.assertEqual(row["fallback_share"]["value"], 0.5)
        self.assertEqual(row["imessage_in"]["sent"], 0)

    def test_what_never_happened_is_not_excluded(self):
        phones = [Phone([Message("in", 1.0, 1.1)], [], [1.1]) for _ in range(30)]
        share = measured(phones)["imessage_in"]["lost_share"]
        self.assertEqual((share["value"], share["low"]), (0, 0))
        # scipy.stats.binomtest(0, 30).proportion_ci(method="wilson").high
        self.assertAlmostEqual(share["high"], 0.1135, places=3)
        self.assertAlmostEqual(wilson_bound(30), 0.11352, places=4)

    def test_quantile_is_numpys(self):
        # numpy.quantile([1, 2, 4, 8], [0.5, 0.95])
        self.assertEqual(quantile([8, 1, 4, 2], 0.5), 3)
        self.assertAlmostEqual(quantile([8, 1, 4, 2], 0.95), 7.4)
        self.assertIsNone(quantile([], 0.5))


class Scripts(unittest.TestCase):
    def test_a_seed_gives_one_script(self):
        acts = script(5, "phone00")
        self.assertEqual([(a.at, a.what, a.fields) for a in acts], [(a.at, a.what, a.fields) for a in script(5, "phone00")])
        after = [a.what for a in acts if a.at >= 0]
        self.assertEqual((after.count("notify"), after.count("incoming"), after.count("text")),
                         (NOTIFICATIONS, INCOMING, OUTGOING))
        for service in SERVICES:
            self.assertIn(service, after)
        self.assertGreater(length(acts), (NOTIFICATIONS + INCOMING + OUTGOING) * GAP[0])


class Rules(unittest.TestCase):
    def test_names_are_distinct_and_the_first_is_none(self):
        all_rules = rules.rules(["198.18.16.2"])
        self.assertEqual(len({r.name for r in all_rules}), len(all_rules))
        self.assertEqual((all_rules[0].unit, all_rules[0].commands), ("none", ()))
        for rule in all_rules[1:]:
            self.assertTrue(rule.commands, rule.name)

    def test_the_best_rule_spares_connects_and_small_records(self):
        best = Best()
        self.assertEqual(best.judge(Segment(packet(b"", syn=True)), 0.0), "accept")
        self.assertEqual(best.judge(Segment(packet(record(600))), 2.0), "accept")
        self.assertEqual(best.judge(Segment(packet(record(30), 2000)), 20.0), "accept")
        self.assertEqual(best.judge(Segment(packet(record(600), 3000)), 21.0), "drop")
        # A copy, and a copy that begins earlier.
        self.assertEqual(best.judge(Segment(packet(record(600), 3000)), 22.0), "drop")
        self.assertEqual(best.judge(Segment(packet(bytes(100) + record(600), 2900)), 23.0), "drop")
        self.assertEqual(best.judge(Segment(packet(record(30), 2000)), 24.0), "accept")

    def test_once_lets_copies_pass(self):
        once = Once()
        self.assertEqual([once.judge(Segment(packet(record(600))), t) for t in (0, 1, 2)], ["drop", "accept", "accept"])


class Page(unittest.TestCase):
    def test_a_rule_that_could_not_be_run_says_why(self):
        result = {"made": "2026-01-01", "repetitions": 2, "late_s": 1, "host": {"kernel": "k", "iptables": "i"},
                  "script": {"quiet_s": 7, "tail_s": 30, "notifications": 1, "imessages_incoming": 1, "imessages_sent": 1,
                             "other_services_sent": ["a"], "patience_s": 20},
                  "rules": [{"name": "x", "title": "cut", "what": "cuts", "unit": "record", "commands": ["iptables -A x"],
                             "notes": ["could not be run here: no u32"]}]}
        self.assertIn("could not be run here: no u32", page(result))


if __name__ == "__main__":
    unittest.main()
