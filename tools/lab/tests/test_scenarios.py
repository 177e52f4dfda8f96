"""The scenarios' plans."""

import collections
import sys
import unittest

import frames  # noqa: F401

try:
    from apps.cipher_suites import steps, text
    from scenario import Scenario, names, samples
except ModuleNotFoundError as error:
    print(f"\nSKIPPED: the Python package {error.name} is not installed, the scenarios' plans were not looked at", file=sys.stderr)
    raise unittest.SkipTest(f"no {error.name}") from None

FIVE_ACTIONS = ("typing_start", "typing_stop", "text", "attachment", "read")


class Plans(unittest.TestCase):
    def test_each_can_be_planned_twice_alike(self):
        for name in names():
            plan = Scenario(name).plan()
            self.assertTrue(plan)
            self.assertEqual(plan, Scenario(name).plan(), name)

    def test_what_is_too_large_is_no_sample(self):
        self.assertEqual(set(names()) - set(samples()), {"long-day"})

    def test_actions_are_as_many_in_each_direction_and_follow_what_they_need(self):
        counts, heard, typing = collections.Counter(), set(), set()
        begin = max(a.at for a in Scenario("imessage-actions").plan() if a.do == "connect")
        for act in Scenario("imessage-actions").plan():
            if act.do not in FIVE_ACTIONS:
                continue
            ends = act.fields["from"], act.fields["to"]
            counts[act.do, ends, act.at > begin] += 1
            if act.do == "typing_start":
                typing.add(ends)
            elif act.do == "typing_stop":
                self.assertIn(ends, typing)
                typing.remove(ends)
            elif act.do == "read":
                self.assertIn(ends[::-1], heard)
            else:
                self.assertNotIn(ends, typing, "nobody gives up what was sent")
                heard.add(ends)
        pairs = [("phone", "friend"), ("friend", "phone")]
        self.assertEqual(counts, {(do, ends, late): 31 if late else 62 for do in FIVE_ACTIONS for ends in pairs
                                  for late in (False, True)})

    def test_texts_of_the_actions_are_of_both_scripts_and_all_lengths(self):
        texts = [a.fields for a in Scenario("imessage-actions").plan() if a.do == "text"]
        self.assertEqual({(f["from"], f["script"]) for f in texts},
                         {(who, script) for who in ("phone", "friend") for script in ("latin", "cyrillic")})
        lengths = [f["characters"] for f in texts]
        self.assertTrue(8 <= min(lengths) < 16 and 120 < max(lengths) <= 128)

    def test_the_long_day_is_long(self):
        messages = sum(a.fields["messages"] for a in Scenario("long-day").plan() if a.do == "batch")
        # A message and its ack are two records.
        self.assertGreater(2 * messages, 90_000)


class Steps(unittest.TestCase):
    def test_records_alternate_and_have_their_lengths(self):
        found = steps((1, 2), (3, 70), updates=False)
        self.assertEqual([(s["direction"], len(s["text"])) for s in found],
                         [("to_server", 1), ("to_client", 3), ("to_server", 2), ("to_client", 70)])
        self.assertEqual(len({s["text"] for s in steps((20,) * 4, (20,) * 4, False)}), 8)
        self.assertEqual(len(text("early", 1, 16_384)), 16_384)

    def test_keys_are_changed_by_both(self):
        found = [s for s in steps((1,) * 5, (1,) * 5, updates=True) if "update" in s]
        self.assertEqual(found, [{"update": "to_server", "requested": True}, {"update": "to_client", "requested": False}])


if __name__ == "__main__":
    unittest.main()
