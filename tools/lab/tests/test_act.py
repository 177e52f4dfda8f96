import json
import math
import pathlib
import struct
import sys
import unittest

import frames  # noqa: F401

try:
    from act import measure, packet_queue, rules, script, table
except ModuleNotFoundError as error:
    print(f"\nSKIPPED: the Python package {error.name} is not installed, the act experiment's figures were not tested",
          file=sys.stderr)
    raise unittest.SkipTest(f"no {error.name}") from None

BEGIN = 1_700_000_000.0
PHONES = ["phone001", "phone002"]


def ask(phone, group, second, **more):
    return {"phone": phone, "group": group, "at": BEGIN + second} | more


def sending(phone, second, began, ended, kind="imessage.text"):
    group = "imessage_out" if kind == "imessage.text" else "other_services_sent"
    return ask(phone, group, second, kind=kind, began=None if began is None else BEGIN + began,
               ended=None if ended is None else BEGIN + ended)


def received(phone, message, second, kind="notification.short", stored=False):
    return {"what": "received", "phone": phone, "message": message, "kind": kind, "real": BEGIN + second, "stored": stored}


def wrote(phone, message, second, kind="imessage.text"):
    return {"by": f"courier-{phone}", "kind": kind, "class": "imessage", "message": message, "real": BEGIN + second}


def acked(message, second, of="imessage"):
    return {"by": "courier-server", "kind": "courier.ack", "class": of, "message": message, "real": BEGIN + second}


def state(phone, what, second, **more):
    return {"what": what, "phone": phone, "real": BEGIN + second} | more


class Arrivals(unittest.TestCase):
    def arrived(self, asked, truth=(), events=()):
        return [None if m["arrived"] is None else round(m["arrived"] - BEGIN, 3) for m in measure.arrivals(asked, truth, events)]

    def test_what_comes_down_counts_at_its_first_arrival_on_its_own_phone(self):
        asked = [ask("phone001", "notifications", 1, message="a"), ask("phone002", "notifications", 1, message="a")]
        events = [received("phone001", "a", 9.0, stored=True), received("phone001", "a", 1.5)]
        self.assertEqual(self.arrived(asked, events=events), [1.5, None])
        self.assertFalse(measure.arrivals(asked, (), events)[0]["stored"])

    def test_a_receipt_with_the_texts_name_is_not_the_text(self):
        asked = [ask("phone001", "notifications", 1, message="a")]
        self.assertEqual(self.arrived(asked, events=[received("phone001", "a", 2, kind="imessage.delivered")]), [None])

    def test_what_goes_up_counts_when_the_server_acknowledges_it(self):
        truth = [wrote("phone001", "x", 3.0), wrote("phone001", "x", 24.0), acked("x", 24.1), acked("x", 30.0),
                 acked("x", 2.0, of="notification")]
        self.assertEqual(self.arrived([sending("phone001", 2.5, 2.6, 25)], truth), [24.1])

    def test_a_text_that_was_never_written_is_not_the_next_one(self):
        truth = [wrote("phone001", "y", 40.0), acked("y", 40.1)]
        asked = [sending("phone001", 2.5, 2.6, 32.6), sending("phone001", 8, 39.9, None), sending("phone001", 12, None, None)]
        self.assertEqual(self.arrived(asked, truth), [None, 40.1, None])
        self.assertEqual([m["waited"] for m in measure.arrivals(asked, truth, ())], [False, True, True])


class Figures(unittest.TestCase):
    def table(self, asked, truth=(), events=(), end=100):
        return measure.table(PHONES, measure.arrivals(asked, truth, events), events, BEGIN, BEGIN + end)

    def test_lost_late_and_in_time(self):
        asked = [ask(p, "notifications", s, message=f"{p}{s}") for p in PHONES for s in (1, 2, 3, 4)]
        events = [received("phone001", "phone0011", 1.02), received("phone001", "phone0012", 4.5, stored=True),
                  received("phone001", "phone0013", 3.9), received("phone002", "phone0021", 1.03),
                  received("phone002", "phone0022", 2.04),
                  # after the window
                  received("phone002", "phone0023", 101.0)]
        found = self.table(asked, events=events)["notifications"]
        self.assertEqual({k: found[k] for k in ("sent", "lost", "late", "from_storage")},
                         {"sent": 8, "lost": 3, "late": 1, "from_storage": 1})
        self.assertEqual(found["lost_share"]["value"], 0.375)
        self.assertEqual(found["hit_share"]["value"], 0.5)
        # of 0.02, 0.03, 0.04, 0.9, 2.5
        self.assertEqual(found["delay_median_s"], 0.04)
        self.assertEqual(found["delay_p95_s"], 2.18)
        self.assertLessEqual(found["lost_share"]["low"], 0.375)
        self.assertGreaterEqual(found["lost_share"]["high"], 0.375)

    def test_what_came_before_the_rule_does_not_count(self):
        asked = [ask("phone001", "notifications", -3, message="a"), ask("phone001", "notifications", 3, message="b")]
        self.assertEqual(self.table(asked, events=[received("phone001", "b", 3.1)])["notifications"]["sent"], 1)

    def test_breaks_recovery_and_fallback(self):
        asked = [ask("phone001", "notifications", 20, message="a"), ask("phone002", "notifications", 20, message="b")]
        events = [state("phone001", "disconnected", 10, port=5223), state("phone001", "connected", 16.5, port=443),
                  received("phone001", "a", 20.1), received("phone002", "b", 20.1),
                  state("phone002", "unreachable", 41, reason="reset"), state("phone002", "unreachable", 45, reason="reset"),
                  # too near to the end to say anything of recovery
                  state("phone001", "disconnected", 95, port=443),
                  state("phone002", "disconnected", 40, port=5223),
                  # not in the window
                  state("phone002", "connected", 101, port=443)]
        found = self.table(asked, events=events)
        self.assertEqual(found["connections_broken_per_phone"]["value"], 1.5)
        self.assertEqual(found["failed_connects_per_phone"]["value"], 1.0)
        self.assertEqual(found["breaks"], 2)
        self.assertEqual(found["fallback_share"]["value"], 0.5)
        self.assertEqual(found["breaks_without_recovery"], 1)
        self.assertEqual(found["recover_s"]["median"], 10.1)
        self.assertEqual(found["without_connection_at_end_share"]["value"], 1.0)

    def test_nothing_sent_gives_nothing(self):
        found = self.table([])
        self.assertEqual(found["imessage_in"]["lost_share"], {"value": None, "low": None, "high": None})
        self.assertEqual(found["breaks"], 0)
        self.assertNotIn("recover_s", found)


class Intervals(unittest.TestCase):
    def test_wilson_against_published_values(self):
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        for hits, total, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
                                       (1, 29, 0.0061, 0.1718)):
            found = measure.wilson(hits, total)
            self.assertAlmostEqual(found[0], low, 4)
            self.assertAlmostEqual(found[1], high, 4)

    def test_phones_that_are_alike_get_wilsons_interval(self):
        found = measure.share([0] * 20, [6] * 20)
        self.assertEqual((found["value"], found["low"], found["high"]), (0.0, 0.0, 0.1611))
        self.assertEqual(measure.share([6] * 20, [6] * 20)["low"], round(1 - 0.1611, 4))

    def test_bootstrap_of_a_mean_is_near_the_normal_interval(self):
        values = [0, 1] * 50
        low, high = measure.bootstrap(values, lambda rows: sum(rows) / len(rows))
        spread = 1.96 * math.sqrt(0.25 / 100)
        self.assertAlmostEqual(low, 0.5 - spread, delta=0.02)
        self.assertAlmostEqual(high, 0.5 + spread, delta=0.02)

    def test_quantiles_lie_between_values(self):
        self.assertEqual(measure.quantile([1, 2, 3, 4], 0.5), 2.5)
        self.assertEqual(measure.quantile([7], 0.95), 7)
        self.assertIsNone(measure.quantile([], 0.5))


def packet(payload, sequence=1000, source_port=40_000, flags=0x18):
    tcp = struct.pack("!HHIIBBHHH", source_port, 5223, sequence, 0, 8 << 4, flags, 0, 0, 0) + bytes(12)
    total = 20 + len(tcp) + len(payload)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, total, 0, 0, 64, 6, 0) + bytes((198, 18, 0, 11, 198, 18, 16, 2))
    # Ethernet's padding is no payload.
    return packet_queue.Segment(ip + tcp + payload + bytes(3))


def record_of(length):
    return b"\x17\x03\x03" + length.to_bytes(2, "big") + bytes(length)


class Queue(unittest.TestCase):
    def test_a_segment_tells_its_record(self):
        self.assertEqual(packet(record_of(460)).record, 460)
        self.assertEqual(len(packet(record_of(460)).payload), 465)
        self.assertEqual(packet(b"").record, 0)
        self.assertEqual(packet(b"\x16\x03\x03\x02\x00" + bytes(512)).record, 0)

    def test_once_lets_the_copy_pass(self):
        rule, segment = packet_queue.Once(), packet(record_of(460))
        self.assertEqual([rule.judge(segment, 0), rule.judge(segment, 0.3)], ["drop", "accept"])
        self.assertEqual(rule.judge(packet(record_of(460), sequence=9000), 1), "drop")

    def test_the_best_rule_waits_after_a_connect_and_drops_all_copies(self):
        rule = packet_queue.Best()
        self.assertEqual(rule.judge(packet(b"", flags=0x02), 100), "accept")
        self.assertEqual(rule.judge(packet(record_of(4423)), 101), "accept")
        self.assertEqual(rule.judge(packet(record_of(443), sequence=5999), 110), "accept")
        self.assertEqual(rule.judge(packet(record_of(444), sequence=6000), 110), "drop")
        # A copy that TCP has put together with what came before it.
        self.assertEqual(rule.judge(packet(record_of(20) + record_of(444), sequence=5975), 111), "drop")
        self.assertEqual(rule.judge(packet(b"", sequence=6449), 111), "accept")
        self.assertEqual(rule.judge(packet(record_of(460), source_port=40_001), 111), "drop")

    def test_netlink_messages_are_read_as_they_are_written(self):
        words = packet_queue.attribute(2, b"abcdef") + packet_queue.attribute(10, b"payload")
        made = packet_queue.message(packet_queue.VERDICT, 5, words)
        self.assertEqual(len(made) % 4, 0)
        (kind, body), = packet_queue.messages(made)
        self.assertEqual(kind, 0x0301)
        self.assertEqual(dict(packet_queue.attributes(body[4:])), {2: b"abcdef", 10: b"payload"})


class Rules(unittest.TestCase):
    known = {r.name: r for r in rules.rules(["198.18.16.2", "198.18.16.3"])}

    def test_commands_are_the_kernels_own_filters_on_the_access_network(self):
        self.assertEqual(self.known["control"].commands, ())
        for rule in self.known.values():
            self.assertIn(rule.unit, ("none", "record", "connection", "port", "address", "name"))
            self.assertEqual(bool(rule.queue), any("NFQUEUE" in c for c in rule.commands), rule.name)
            for command in rule.commands:
                self.assertRegex(command, r"^(iptables |nft )")
                self.assertNotIn("OUTPUT", command)

    def test_lengths_are_those_of_the_couriers_records(self):
        self.assertEqual(self.known["drop-send"].commands, (
            'iptables -A FORWARD -i phone0 -p tcp -m multiport --dports 5223,443 -m u32 --u32 '
            '"0>>22&0x3C@12>>26&0x3C@0>>8=0x170303 && 0>>22&0x3C@12>>26&0x3C@1&0xFFFF=444:800" -j DROP',))
        self.assertIn("--length 514:724", self.known["drop-incoming"].commands[0])
        self.assertIn("@ih,24,16 444-800", self.known["nft-drop-send"].commands[2])


class Scripts(unittest.TestCase):
    def test_a_seed_gives_a_phone_its_own_script(self):
        one = script.script(5, "phone001")
        self.assertEqual(one, script.script(5, "phone001"))
        self.assertNotEqual(one, script.script(5, "phone002"))
        during = [a.what for a in one if a.at >= 0]
        self.assertEqual(during.count("notify"), script.NOTIFICATIONS)
        self.assertEqual(during.count("incoming"), script.INCOMING)
        self.assertEqual(during.count("text"), script.OUTGOING)
        self.assertLess(script.QUIET * -1, one[0].at)


class Pages(unittest.TestCase):
    def entry(self, name, incoming, sent, alerts):
        def group(value):
            share = {"value": value, "low": value, "high": value}
            return {"sent": 10, "lost": 0, "late": 0, "from_storage": 0, "behind_another": 0,
                    "lost_share": share, "late_share": share, "hit_share": share,
                    "delay_median_s": 0.03, "delay_median_interval_s": {"low": 0.02, "high": 0.04},
                    "delay_p95_s": None, "delay_p95_interval_s": {"low": None, "high": None}}
        none = {"value": 0.0, "low": 0.0, "high": 0.1}
        return {"name": name, "title": name, "what": "w", "unit": "record", "commands": ["iptables -X"],
                "queue": None, "notes": [], "packets_hit": 1, "imessage_in": group(incoming), "imessage_out": group(sent),
                "notifications": group(alerts), "other_services_sent": group(sent), "connections_broken_per_phone": none,
                "fallback_share": none,
                "failed_connects_per_phone": none,
                "breaks": 0, "breaks_without_recovery": 0}

    def test_a_selective_rule_is_named_and_its_absence_is_said(self):
        control = self.entry("control", 0, 0, 0)
        found = table.selective([control, self.entry("a", 0.9, 0.9, 0.6)])
        self.assertIn("No rule hit half of the incoming", found[0])
        self.assertIn("60 %", found[0])
        found = table.selective([control, self.entry("b", 0.0, 1.0, 0.02)])
        self.assertIn("`b` (100 % (100-100) against 2 % (2-2);", found[1])

    def test_a_rule_that_could_not_be_run_stays_in_the_table(self):
        entries = [self.entry("a", 0, 1, 0), {"name": "x", "title": "x", "unit": "record",
                                                   "notes": ["could not be run here: no u32"]}]
        found = {"repetitions": 2, "seed": 5, "link": {"delay_ms": 25}, "script": script.described(), "rules": entries,
                 "host": {"kernel": "k", "iptables": "i", "nftables": "n"}}
        text = table.page(found)
        self.assertEqual(text.count("could not be run here: no u32"), 2)
        self.assertIn("Sent iMessages are stopped or late; incoming iMessages and notifications are left alone.",
                      text.replace("\n", " "))

    def test_the_programs_own_results_have_every_rule(self):
        file = pathlib.Path(__file__).resolve().parents[3] / "Sources/Separability/Resources/act.json"
        if not file.exists():
            self.skipTest("the experiment has not been published")
        found = json.loads(file.read_text(encoding="utf-8"))
        self.assertEqual([e["name"] for e in found["rules"]], list(Rules.known))
        self.assertGreaterEqual(found["repetitions"], 30)
        control = found["rules"][0]
        self.assertEqual(control["packets_hit"], 0)
        for group in measure.GROUPS:
            self.assertEqual(control[group]["lost"], 0)


if __name__ == "__main__":
    unittest.main()
