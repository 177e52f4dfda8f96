"""What Wiretag said live on the phone's port, against what it says of the recorded capture and of the finished sample."""

import collections
import json
import subprocess

from network import LabError


def flows(text):
    """Records of flows by protocol and ports: addresses inside and in the sample differ, ports do not."""
    found = collections.defaultdict(list)
    for line in text.splitlines():
        record = json.loads(line)
        if record.get("event_type") == "flow":
            ports = tuple(sorted((record["src_port"], record["dest_port"])))
            found[record["proto"], ports].append(record)
    return found


def compare(program, live, raw, sample, say):
    """Says what differs; gives the number of flows whose tag live was another than in the capture as recorded.

    The finished sample has other addresses and the simulated clock: there, what an address says and what an hour of
    silence parts may differ, and is only said.
    """
    def read(file):
        done = subprocess.run([program, "read", "--format", "jsonl", str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        if done.returncode:
            raise LabError(f"{program} read {file}: {done.stderr.strip()}")
        return flows(done.stdout)
    seen, wrong = flows(live.read_text(encoding="utf-8")), 0
    for title, other in (("the capture as recorded", read(raw)), ("the finished sample", read(sample))):
        same, differing, is_recorded = 0, 0, title.endswith("recorded")
        for key in sorted({*seen, *other}, key=str):
            # Several flows of the same ports are matched in their order.
            pairs = list(zip(seen[key], other[key]))
            for one, two in pairs:
                if (one["tag"], one.get("service")) == (two["tag"], two.get("service")):
                    same += 1
                    continue
                differing += 1
                wrong += is_recorded and one["tag"] != two["tag"]
                say(f"  {key[0]} {key[1][1]} > {key[1][0]}: live {one['tag']} {one.get('service', '')}, "
                    f"{title} {two['tag']} {two.get('service', '')}")
            if len(seen[key]) != len(other[key]):
                differing += 1
                wrong += is_recorded
                say(f"  {key[0]} {key[1][1]} > {key[1][0]}: {len(seen[key])} flows live, {len(other[key])} in {title}")
        say(f"live and {title}: {same} flows the same, {differing} not")
    return wrong
