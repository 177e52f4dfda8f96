import copy
import unittest

import frames  # noqa: F401
from sample.finish import finish_truth, line_of, record, same_truth

PHONE, SERVER, OUT = "198.18.0.10", "198.18.16.2", "17.57.144.84"
BEGIN = 1_700_000_000
HEADER = {"truth": "scenario", "scenario": "test", "seed": 1, "skipped_seconds": 100.0, "clock_jumps": 1}


def flow(port, first=0.0, proto="TCP", target=SERVER, target_port=5223, tag="push", **more):
    return {"proto": proto, "source": PHONE, "source_port": port, "target": target, "target_port": target_port,
            "first": round((BEGIN + first) * 10**9), "tag": tag, "service": "APNs", "name": "courier.example"} | more


def said(second, port, direction="to_server", records=(1,), **more):
    ends = (f"{PHONE}:{port}", f"{SERVER}:5223")
    local, remote = ends if direction == "to_server" else ends[::-1]
    return {"real": BEGIN + second, "app": "courier", "local": local, "remote": remote, "proto": "TCP", "direction": direction,
            "kind": "keep-alive", "class": "courier", "plaintext": 9, "records": list(records), "by": "courier-phone"} | more


class Finishing(unittest.TestCase):
    def finished(self, lines, flows):
        return finish_truth(lines, {SERVER: OUT}, [(BEGIN + 1, 100)], flows, HEADER)

    def test_times_addresses_and_order(self):
        found = self.finished([said(2.5, 40_000, "to_client", command=13), said(0.25, 40_000, text_length=None)], [flow(40_000)])
        self.assertEqual(found[0], HEADER)
        self.assertEqual(found[1], {
            "truth": "flow", "time": "2023-11-14T22:13:20.000000000Z", "proto": "TCP", "src": f"{PHONE}:40000",
            "dest": f"{OUT}:5223", "tag": "push", "service": "APNs", "name": "courier.example"})
        self.assertEqual(list(found[2]), ["truth", "time", "app", "kind", "class", "proto", "src", "dest", "direction", "plaintext",
                                          "records", "by"])
        self.assertEqual([(m["time"], m["src"], m["direction"]) for m in found[2:]], [
            ("2023-11-14T22:13:20.250000000Z", f"{PHONE}:40000", "to_server"),
            ("2023-11-14T22:15:02.500000000Z", f"{PHONE}:40000", "to_client")])
        self.assertEqual(found[3]["command"], 13)

    def test_what_the_capture_does_not_hold_is_counted(self):
        lines = [said(1, 40_000), said(-30, 40_000), said(1, 41_000)]
        found = self.finished(lines, [flow(40_000)])
        self.assertEqual(len(found), 3)
        self.assertEqual(found[0]["messages_not_captured"], 2)

    def test_a_server_seen_first_did_not_open_the_flow(self):
        turned = {"proto": "TCP", "source": SERVER, "source_port": 5223, "target": PHONE, "target_port": 40_000,
                  "first": BEGIN * 10**9, "tag": "push", "service": "APNs", "name": "courier.example"}
        for lines in ([], [said(1, 40_000, "to_client")]):
            found = self.finished(lines, [turned])
            self.assertEqual((found[1]["src"], found[1]["dest"]), (f"{PHONE}:40000", f"{OUT}:5223"))

    def test_ipv6_endpoints(self):
        row = flow(40_000) | {"source": "2001:db8::10", "target": "2001:db8:16::100"}
        line = said(1, 1) | {"local": "[2001:db8::10]:40000", "remote": "[2001:db8:16::100]:5223"}
        found = finish_truth([line], {"2001:db8:16::100": "2620:149:a44::84"}, [], [row], HEADER)
        for part in found[1:]:
            self.assertEqual((part["src"], part["dest"]), ("[2001:db8::10]:40000", "[2620:149:a44::84]:5223"))

    def test_a_record_and_its_line_are_the_same_thing(self):
        for line in self.finished([said(0.25, 40_000)], [flow(40_000), flow(40_001) | {"target": "2001:db8:16::100"}]):
            self.assertEqual(line_of(record(line)), line)
        found = record(self.finished([], [flow(40_000)])[1])
        self.assertEqual((found["src_ip"], found["src_port"], found["dest_ip"], found["dest_port"]),
                         (PHONE, 40_000, OUT, 5223))

    def test_a_line_without_a_connection_stays(self):
        found = self.finished([{"real": BEGIN + 3, "app": "rules", "kind": "lift"}], [flow(40_000)])
        self.assertEqual(found[2], {"truth": "message", "time": "2023-11-14T22:15:03.000000000Z", "app": "rules", "kind": "lift"})


class TwoRuns(unittest.TestCase):
    def run_of(self, shift=0.0, ports=(40_000, 40_001), seconds=100, **change):
        flows = [flow(p, n + shift) for n, p in enumerate(ports)]
        flows.append(flow(50_000, shift, "UDP", "198.18.16.1", 53, "?"))
        lines = [said(n + shift + 0.1 * k, p, records=[k]) for n, p in enumerate(ports) for k in range(1, 4)]
        lines[-1] |= change
        return finish_truth(lines, {SERVER: OUT}, [(BEGIN + 50, seconds)], flows, HEADER | {"skipped_seconds": seconds})

    def test_times_and_ephemeral_ports_may_differ(self):
        self.assertEqual(same_truth(self.run_of(), self.run_of(3.5, (60_001, 33_333), 99)), [])

    def test_a_question_asked_twice_is_no_difference(self):
        other = self.run_of()
        other.insert(2, copy.deepcopy([line for line in other if line.get("tag") == "?"][0]))
        self.assertEqual(same_truth(self.run_of(), other), [])

    def test_a_length_differs(self):
        found = same_truth(self.run_of(), self.run_of(2, (33_000, 60_000), plaintext=10, kind="ack"))
        self.assertEqual(found, [f"courier TCP {PHONE}:* -> {OUT}:5223, connection 2, to_server, message 3 (keep-alive): "
                                 "kind 'keep-alive', then 'ack'; plaintext 9, then 10"])

    def test_a_long_body_may_be_cut_otherwise(self):
        one, other = self.run_of(records=[3, 4]), self.run_of(records=[3, 4, 5])
        self.assertEqual(same_truth(one, other), [])
        self.assertEqual(len(same_truth(self.run_of(records=[3]), self.run_of(records=[4]))), 1)

    def test_a_message_or_flow_is_missing(self):
        other = self.run_of()
        del other[-1]
        self.assertEqual(same_truth(self.run_of(), other),
                         [f"courier TCP {PHONE}:* -> {OUT}:5223, connection 2, to_server: 3 messages, then 2"])
        other = [line for line in self.run_of() if line.get("src") != f"{PHONE}:40001"]
        self.assertEqual(len(same_truth(self.run_of(), other)), 2)

    def test_another_seed_or_tag(self):
        other = self.run_of()
        other[0] = other[0] | {"seed": 2}
        self.assertEqual(same_truth(self.run_of(), other), ["the scenario's seed: 1, then 2"])
        other = self.run_of()
        other[1] = other[1] | {"tag": "other"}
        self.assertEqual(len(same_truth(self.run_of(), other)), 2)


if __name__ == "__main__":
    unittest.main()
