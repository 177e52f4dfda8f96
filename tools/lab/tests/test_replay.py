import json
import pathlib
import re
import sys
import tempfile
import unittest

import frames  # noqa: F401

try:
    import yaml

    from act import agreement, measure, packet_queue, replay, rules
    from network import LabError
except ModuleNotFoundError as error:
    print(f"\nSKIPPED: the Python package {error.name} is not installed, the comparison with a replay was not tested",
          file=sys.stderr)
    raise unittest.SkipTest(f"no {error.name}") from None

BEGIN = 1_700_000_000.0
HEADER = "policy,capture,time,flow,client,client_port,server,server_port,direction,class,kind,content,fate,delay_s,source"


def clock(second):
    return replay.stamp(BEGIN + second)


def truth(number, kind, second, direction="to_server", message=None, port=40_000):
    """A message of a phone's connection as a finished truth has it: the client's end stands first, whoever wrote."""
    return {"truth": "message", "timestamp": clock(second), "kind": kind, "src_ip": f"198.18.0.{10 + number}",
            "src_port": port, "dest_ip": "17.57.145.18", "dest_port": 5223, "direction": direction,
            "by": f"courier-phone{number:03}" if direction == "to_server" else "courier-server",
            "message": message or f"{number}/{kind}/{second}"}


def csv_row(policy, number, kind, second, fate, delay="", direction="up", port=40_000):
    return (f"{policy},control.pcapng,{clock(second)},1,198.18.0.{10 + number},{port},17.57.145.18,5223,{direction},"
            f"{kind.split('.')[0]},{kind},,{fate},{delay},truth")


class Scene:
    """Phones that each got a notification at 1 s and an iMessage at 2 s, and sent one at 3 s, all in 25 ms."""

    def __init__(self, phones=4, end=60.0):
        self.names = [f"phone{n:03}" for n in range(1, phones + 1)]
        self.asked, self.events, self.lines, self.truth = [], [], [], []
        for number, name in enumerate(self.names, 1):
            for group, kind, second in (("notifications", "notification.chat", 1), ("imessage_in", "imessage.text", 2)):
                line = truth(number, kind, second, "to_client")
                self.truth.append(line)
                self.asked.append({"phone": name, "group": group, "at": BEGIN + second, "message": line["message"]})
                self.events.append({"what": "received", "phone": name, "message": line["message"], "kind": kind,
                                    "real": BEGIN + second + 0.025, "stored": False})
            self.truth.append(truth(number, "imessage.text", 3))
            name_of = self.truth[-1]["message"]
            self.asked.append({"phone": name, "group": "imessage_out", "kind": "imessage.text", "at": BEGIN + 3,
                               "began": BEGIN + 3, "ended": BEGIN + 3.2})
            self.lines += [{"real": BEGIN + 3.0, "by": f"courier-{name}", "kind": "imessage.text", "class": "imessage",
                            "message": name_of},
                           {"real": BEGIN + 3.025, "by": "courier-server", "kind": "courier.ack", "class": "imessage",
                            "message": name_of}]
            # The text's receipt has the text's name, and is earlier where it is of another one.
            self.truth.append(truth(number, "imessage.delivered", 2.9, message=name_of))
        self.keep = {"begin": BEGIN, "end": BEGIN + end, "phones": self.names, "asked": self.asked, "events": self.events,
                     "truth": self.lines}

    def messages(self):
        return replay.expected(self.keep, self.truth)

    def rows(self, policy="drop-send", **fates):
        """One row a message; `fates` has fate and delay by group."""
        lines = [HEADER]
        for number in range(1, len(self.names) + 1):
            for group, kind, second, way in (("notifications", "notification.chat", 1, "down"),
                                             ("imessage_in", "imessage.text", 2, "down"),
                                             ("imessage_out", "imessage.text", 3, "up")):
                fate, delay = fates.get(group, ("delivered", 0))
                lines.append(csv_row(policy, number, kind, second + 0.02, fate, delay, way))
        return lines


def read(lines):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "messages.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return replay.rows(file)


class Rows(unittest.TestCase):
    def test_times_keep_microseconds(self):
        self.assertAlmostEqual(replay.seconds("2023-11-14T22:13:20.000250999Z") - BEGIN, 0.000251, places=5)
        self.assertEqual(replay.seconds("2023-11-14T22:13:20Z"), BEGIN)
        self.assertEqual(replay.stamp(1795413149.229189), "2026-11-23T05:52:29.229189Z")

    def test_a_time_that_is_not_utc_is_refused(self):
        for text in ("2023-11-14T22:13:20.5+01:00", "2023-11-14 22:13", "", "2023-11-14T22:13:20.5e3Z"):
            with self.assertRaises(ValueError):
                replay.seconds(text)

    def test_what_is_lost_has_no_delay(self):
        found = read([HEADER, csv_row("p", 1, "imessage.text", 1, "lost"), csv_row("p", 1, "imessage.text", 2, "late", 3.5),
                      csv_row("q", 1, "imessage.text", 2, "delivered", "0")])
        self.assertEqual([row["delay"] for row in found["p"]], [None, 3.5])
        self.assertEqual([row["delay"] for row in found["q"]], [0.0])

    def test_a_broken_file_is_told_by_its_line(self):
        with self.assertRaisesRegex(LabError, "line 3: 'gone' is no fate"):
            read([HEADER, csv_row("p", 1, "imessage.text", 1, "lost"), csv_row("p", 1, "imessage.text", 1, "gone")])
        with self.assertRaisesRegex(LabError, "'sideways' is no direction"):
            read([HEADER, csv_row("p", 1, "imessage.text", 1, "lost", direction="sideways")])
        with self.assertRaisesRegex(LabError, "no column fate, delay_s"):
            read(["policy,time,client,client_port,direction,kind"])


class Matching(unittest.TestCase):
    def test_each_message_has_the_place_that_truth_gives_it(self):
        places = [message["place"] for message in Scene(phones=1).messages()]
        self.assertEqual([place[:4] for place in places], [
            ("198.18.0.11", 40_000, "down", "notification.chat"), ("198.18.0.11", 40_000, "down", "imessage.text"),
            ("198.18.0.11", 40_000, "up", "imessage.text")])
        self.assertEqual([round(place[4] - BEGIN, 3) for place in places], [1, 2, 3])

    def test_what_was_before_the_rule_or_a_probe_is_not_compared(self):
        scene = Scene(phones=1)
        scene.asked.append({"phone": "phone001", "group": "probe", "at": BEGIN + 9, "message": "x"})
        scene.asked.append({"phone": "phone001", "group": "notifications", "at": BEGIN - 1, "message": "y"})
        self.assertEqual(len(scene.messages()), 3)

    def place(self, second, port=40_000, direction="up", kind="imessage.text"):
        return {"place": ("198.18.0.11", port, direction, kind, BEGIN + second)}

    def test_the_nearest_row_is_taken_and_only_once(self):
        found = read([HEADER, *(csv_row("p", 1, "imessage.text", second, "late", delay)
                                for second, delay in ((1.0, 1), (1.3, 2), (1.4, 3)))])["p"]
        chosen = replay.matched([self.place(1.28), self.place(1.2), self.place(0.9)], found)
        self.assertEqual([row and row["delay"] for row in chosen], [2, 3, 1])

    def test_other_connections_directions_kinds_and_times_are_not_it(self):
        found = read([HEADER, csv_row("p", 1, "imessage.text", 1.0, "lost")])["p"]
        for message in (self.place(1, port=40_001), self.place(1, direction="down"), self.place(1, kind="imessage.read"),
                        self.place(1 + replay.NEAR + 0.01), {"place": None}):
            self.assertEqual(replay.matched([message], found), [None])
        self.assertEqual(replay.matched([self.place(1 + replay.NEAR - 0.01)], found), found)


class Comparing(unittest.TestCase):
    def compared(self, measured_hits, **fates):
        scene = Scene()
        share = {"value": measured_hits, "low": max(0, measured_hits - 0.05), "high": min(1, measured_hits + 0.05)}
        group = {"sent": 4, "hit_share": share, "lost_share": share, "delay_median_s": None}
        measured = {"name": "drop-send", "title": "drop", "unit": "record"} | dict.fromkeys(measure.GROUPS, group)
        return replay.compared("drop-send", measured, scene.messages(), read(scene.rows(**fates))["drop-send"], scene.keep)

    def replayed(self, entry, group, figure):
        return entry[group][figure]["replayed"]["value"]

    def test_lost_late_and_delivered(self):
        entry = self.compared(0.0, imessage_out=("lost", ""), imessage_in=("late", 2.5), notifications=("delivered", 0.5))
        groups = "imessage_out", "imessage_in", "notifications"
        self.assertEqual([self.replayed(entry, group, "hit_share") for group in groups], [1, 1, 0])
        self.assertEqual([self.replayed(entry, group, "lost_share") for group in ("imessage_out", "imessage_in")], [1, 0])
        self.assertEqual(entry["imessage_in"]["delay_median_s"]["replayed"], 2.525)
        self.assertEqual(entry["without_row"], 0)

    def test_what_would_come_after_the_window_is_lost(self):
        entry = self.compared(0.0, imessage_in=("late", 57.9))
        self.assertEqual(self.replayed(entry, "imessage_in", "lost_share"), 0)
        entry = self.compared(0.0, imessage_in=("late", 58.0))
        self.assertEqual(self.replayed(entry, "imessage_in", "lost_share"), 1)

    def test_agreement_is_overlap_and_a_group_of_nothing_says_nothing(self):
        entry = self.compared(0.4, imessage_out=("lost", ""))
        self.assertIs(entry["imessage_out"]["hit_share"]["agrees"], False)
        self.assertIsNone(entry["other_services_sent"]["hit_share"]["agrees"])
        entry = self.compared(0.9, imessage_out=("lost", ""))
        # Four phones all alike: Wilson's interval reaches down to 51 %, though 100 % is not within 85 to 95.
        self.assertIs(entry["imessage_out"]["hit_share"]["agrees"], True)
        self.assertIs(entry["imessage_out"]["hit_share"]["within"], False)
        found = replay.summary([entry])
        self.assertEqual((found["figures"], found["agree"]), (6, 2))
        self.assertEqual(found["largest_difference"]["value"], 0.9)

    def test_messages_without_a_row_are_counted_and_left_out(self):
        scene = Scene()
        found = [row for row in read(scene.rows())["drop-send"] if row["client"] != "198.18.0.12"]
        sent, without = replay.replayed(scene.messages(), found)
        self.assertEqual((len(sent), without), (9, 3))


class Whole(unittest.TestCase):
    """A program in wiretag's place that answers from the files beside it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.scene = Scene()
        figures = {name: {"sent": 4, "delay_median_s": 0.025} | {figure: {"value": 0.0, "low": 0.0, "high": 0.1}
                                                                 for figure in replay.FIGURES} for name in measure.GROUPS}
        entries = [{"name": name, "title": name, "unit": "record"} | figures
                   for name in ("control", "drop-send", "block-name-reconnect")]
        header = {"truth": "scenario", "rule_begins": BEGIN}
        (self.folder / "act.json").write_text(json.dumps({"seed": 5, "rules": entries}), encoding="utf-8")
        (self.folder / "control.lines.json").write_text(json.dumps(self.scene.keep), encoding="utf-8")
        (self.folder / "control.truth.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in [header, *self.scene.truth]), encoding="utf-8")
        self.program = self.folder / "program"

    def answer(self, standing, broken, status=0):
        for name, lines in (("standing", standing), ("broken", broken)):
            (self.folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.program.write_text(
            f"#!{sys.executable}\nimport pathlib, shutil, sys\nwords = sys.argv[1:]\n"
            "assert words[0] == 'censor' and words[words.index('--format') + 1] == 'json'\n"
            "assert words[words.index('--begin') + 1] == '2023-11-14T22:13:20.000000Z'\n"
            "which = 'broken' if '--break' in words else 'standing'\n"
            "shutil.copy(pathlib.Path(__file__).parent / f'{which}.csv', words[words.index('--messages') + 1])\n"
            f"print('no such policy', file=sys.stderr)\nsys.exit({status})\n", encoding="utf-8")
        self.program.chmod(0o755)

    def results(self):
        return replay.results(self.program, self.folder, lambda _: None)

    def test_rules_after_a_break_are_replayed_with_one(self):
        lost = {group: ("lost", "") for group in ("imessage_in", "imessage_out", "notifications")}
        both = self.scene.rows("drop-send") + self.scene.rows("block-name-reconnect")[1:]
        broken = self.scene.rows("drop-send", **lost) + self.scene.rows("block-name-reconnect", **lost)[1:]
        self.answer(both, broken)
        found = self.results()
        values = {entry["name"]: entry["imessage_out"]["hit_share"]["replayed"]["value"] for entry in found["rules"]}
        self.assertEqual(values, {"drop-send": 0, "block-name-reconnect": 1})
        self.assertEqual((found["figures"], found["agree"]), (12, 6))
        page = agreement.page(found)
        self.assertIn("| drop-send | sent iMessages | 0 % (0-10) | 0 % (0-49) | yes |", page)
        self.assertIn("| block-name-reconnect | sent iMessages | 0 % (0-10) | 100 % (51-100) | **no** |", page)
        self.assertIn("6 of 12 figures agree", page)
        self.assertIn("- `control` is no rule", page)
        self.assertIn("`block-name-reconnect`, sent iMessages, hit: 0 % (0-10) measured, 100 % (51-100) replayed.",
                      " ".join(page.split()))
        self.assertNotIn("**", agreement.terminal(found))
        self.assertEqual(agreement.unexplained(found), 6)
        self.addCleanup(agreement.WHY.pop, ("block-name-reconnect", None, None))
        agreement.WHY["block-name-reconnect", None, None] = "A reason\nin two lines."
        self.assertEqual(agreement.unexplained(found), 0)
        self.assertIn("replayed. A reason in two lines.", " ".join(agreement.page(found).split()))
        self.assertLessEqual(max(len(line) for line in page.splitlines() if not line.startswith("|")), 120)

    def test_a_policy_of_which_nothing_is_said_is_an_error(self):
        self.answer(self.scene.rows("drop-send"), self.scene.rows("drop-send"))
        with self.assertRaisesRegex(LabError, "no message of block-name-reconnect"):
            self.results()

    def test_a_program_that_fails_says_why(self):
        self.answer([HEADER], [HEADER], status=65)
        with self.assertRaisesRegex(LabError, "status 65\nno such policy"):
            self.results()

    def test_a_folder_without_results_is_told(self):
        with self.assertRaisesRegex(LabError, "holds no results"):
            replay.results(self.program, self.folder / "nothing", lambda _: None)


class Policies(unittest.TestCase):
    """The policies say what the kernel was told."""

    def setUp(self):
        self.known = {rule.name: rule for rule in rules.rules(["A", "B"])}
        self.policies = {p["name"]: p for p in yaml.safe_load(replay.POLICIES.read_text(encoding="utf-8"))["policies"]}

    def test_every_rule_is_there_or_left_out_for_a_reason(self):
        self.assertEqual(set(self.policies) | set(replay.LEFT_OUT), set(self.known))
        self.assertFalse(set(self.policies) & set(replay.LEFT_OUT))

    def test_titles_are_the_rules(self):
        for name, policy in self.policies.items():
            self.assertEqual(policy["title"], self.known[name].title)

    def test_lengths_are_those_of_the_kernels_words(self):
        for name, policy in self.policies.items():
            words = " ".join(self.known[name].commands)
            match = policy["match"]
            if "record" in match and name != "best-rule":
                low, high = re.search(r"1&0xFFFF=(\d+):(\d+)", words).groups()
                self.assertEqual(match["record"]["lengths"], f"{low}-{high}", name)
                self.assertEqual(match["record"]["direction"], "up" if rules.UP in words.split("-m u32")[0] else "down", name)
                self.assertTrue(match["record"]["leading"])
            if "packet" in match:
                low, high = re.search(r"--length (\d+):(\d+)", words).groups()
                self.assertEqual(match["packet"]["lengths"], f"{low}-{high}", name)
            if "port" in policy.get("scope", {}):
                self.assertEqual(",".join(map(str, policy["scope"]["port"])), rules.PORTS)
                self.assertIn(f"ports {rules.PORTS} ", words)

    def test_what_stands_behind_the_queue(self):
        best = self.policies["best-rule"]["match"]["record"]
        self.assertEqual((best["at-least"], best["grace"]), (packet_queue.SHORTEST, packet_queue.GRACE))
        for name, policy in self.policies.items():
            self.assertEqual(self.known[name].queue == "delay", policy["action"] != "drop" and "hold" in policy["action"], name)
            self.assertEqual(self.known[name].queue == "once", policy["action"] != "drop" and "copies-pass" in policy["action"],
                             name)
        self.assertEqual(self.policies["delay-send"]["action"]["hold"], packet_queue.HOLD)

    def test_amounts_chances_and_names(self):
        self.assertIn(f"--connbytes {self.policies['cut-after-bytes']['action']['freeze']['bytes']}:",
                      self.known["cut-after-bytes"].commands[0])
        self.assertIn(f"--probability {self.policies['drop-send-half']['probability']} ",
                      self.known["drop-send-half"].commands[0])
        for name in ("block-name", "block-name-reconnect", "reset-name-reconnect"):
            names = self.policies[name]["match"]["sni-substring"]
            self.assertEqual([f'-m string --algo bm --icase --string "{n}"' for n in names], [rules.NAME])


if __name__ == "__main__":
    unittest.main()
