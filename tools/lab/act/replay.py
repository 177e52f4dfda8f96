"""Compares what a replay says a rule would do with what was measured with the rule in force.

Wiretag replays each rule over the capture that was made without one, and says of every message whether it would have
arrived, and how much later. The same figures are then worked out of these messages as of those that were measured, for the
same phones and the same acts. Two figures agree if their intervals overlap.
"""

import bisect
import collections
import csv
import datetime
import json
import pathlib
import subprocess
import tempfile

from act import measure
from act import rules as rulebook
from network import LabError

HERE = pathlib.Path(__file__).resolve().parent
POLICIES = HERE / "policies.yaml"
CONTROL = "control"
# Rules that no policy stands for, and why.
LEFT_OUT = {CONTROL: "is no rule: it is what the others are replayed over",
            "nft-drop-send": "is drop-send in other words; a replay cannot tell them apart"}
# A row of the replay is a message's if their times differ by less; the link takes 25 ms one way, a busy machine more.
NEAR = 0.5
COLUMNS = ("policy", "time", "client", "client_port", "direction", "kind", "fate", "delay_s")
RECEIPTS = ("imessage.delivered", "imessage.read")
FATES = ("delivered", "late", "lost")
FIGURES = ("hit_share", "lost_share")
# Seconds that a replay may take.
PATIENCE = 600


def seconds(text):
    """RFC 3339 with any number of decimals, as seconds since 1970; floating point keeps microseconds of them."""
    whole, _, rest = text.strip().partition(".")
    fraction = rest.rstrip("Zz")
    if not text.strip().upper().endswith("Z") or (fraction and not fraction.isdigit()):
        raise ValueError(f"{text!r} is no time in UTC")
    stamp = datetime.datetime.strptime(whole.rstrip("Zz").replace("t", "T"), "%Y-%m-%dT%H:%M:%S")
    return stamp.replace(tzinfo=datetime.timezone.utc).timestamp() + (float(f"0.{fraction}") if fraction else 0.0)


def stamp(second):
    """Seconds since 1970 as RFC 3339 with microseconds."""
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# What was asked for, and where it is in the capture


def expected(keep, truth):
    """The measured messages of the capture: one a row of `keep["asked"]` from the rule's beginning on, with the place at
    which the truth says that it was written, or None where it says nothing.

    A place is (client, client's port, direction, kind, second)."""
    clients, first = {}, {}
    for line in truth:
        if line.get("truth") != "message":
            continue
        # Truth names the connection as the client sees it, whichever end wrote.
        client, port, down = line["src_ip"], line["src_port"], line["direction"] == "to_client"
        if not down:
            clients[line["by"].removeprefix("courier-")] = client
        # A receipt has the name of its text.
        if line.get("message") and line["kind"] not in RECEIPTS:
            place = client, port, "down" if down else "up", line["kind"], seconds(line["timestamp"])
            key = client, place[2], line["kind"].split(".")[0], line["message"]
            if key not in first or place[-1] < first[key][-1]:
                first[key] = place
    out = []
    for row, message in zip(keep["asked"], measure.arrivals(keep["asked"], keep["truth"], keep["events"])):
        if row["group"] not in measure.GROUPS or row["at"] < keep["begin"]:
            continue
        kind = row.get("kind") or {"imessage_in": "imessage.text"}.get(row["group"], "notification")
        way = "up" if "kind" in row else "down"
        key = clients.get(row["phone"]), way, kind.split(".")[0], message["message"]
        out.append(message | {"place": first.get(key)})
    return out


# What the replay says


def rows(file):
    """The rows of a replay's CSV by policy; a file that is not as agreed is told by its line."""
    out = collections.defaultdict(list)
    with open(file, newline="", encoding="utf-8") as text:
        reader = csv.DictReader(text)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise LabError(f"{file}: has no column {', '.join(missing)}")
        for row in reader:
            try:
                if row["fate"] not in FATES:
                    raise ValueError(f"{row['fate']!r} is no fate")
                out[row["policy"]].append({
                    "client": row["client"], "port": int(row["client_port"]), "direction": direction(row["direction"]),
                    "kind": row["kind"], "second": seconds(row["time"]),
                    "delay": None if row["fate"] == "lost" else float(row["delay_s"] or 0)})
            except (ValueError, TypeError) as error:
                raise LabError(f"{file}: line {reader.line_num}: {error}") from None
    return out


def direction(word):
    known = {"up": "up", "to_server": "up", "down": "down", "to_client": "down"}
    if word not in known:
        raise ValueError(f"{word!r} is no direction")
    return known[word]


def matched(messages, found):
    """Each message with the row that is nearest in time among those of its connection, direction and kind; a row belongs to
    one message at most. Pairs with the least distance go first."""
    by = collections.defaultdict(list)
    for number, row in enumerate(found):
        by[row["client"], row["port"], row["direction"], row["kind"]].append((row["second"], number))
    for numbers in by.values():
        numbers.sort()
    pairs = []
    for index, message in enumerate(messages):
        if message["place"] is None:
            continue
        *key, second = message["place"]
        near = by.get(tuple(key), [])
        at = bisect.bisect_left(near, (second - NEAR, -1))
        while at < len(near) and near[at][0] <= second + NEAR:
            pairs.append((abs(near[at][0] - second), index, near[at][1]))
            at += 1
    taken, chosen = set(), {}
    for _, index, number in sorted(pairs):
        if index not in chosen and number not in taken:
            chosen[index] = found[number]
            taken.add(number)
    return [chosen.get(index) for index in range(len(messages))]


def replayed(messages, found):
    """The messages as they arrive under the rule: later by the row's seconds, or never. Without those that have no row,
    which are counted beside."""
    out, without = [], 0
    for message, row in zip(messages, matched(messages, found)):
        if row is None:
            without += 1
            continue
        arrived = None
        if row["delay"] is not None and message["arrived"] is not None:
            arrived = message["arrived"] + row["delay"]
        out.append(message | {"arrived": arrived})
    return out, without


# Side by side


def compared(name, measured, messages, found, keep):
    """One rule: each group's figures twice."""
    sent, without = replayed(messages, found)
    end = keep["end"]
    sent = [m | {"arrived": m["arrived"] if m["arrived"] is not None and m["arrived"] <= end else None} for m in sent]
    groups = {}
    for group in measure.GROUPS:
        figures = measure.group_figures(keep["phones"], [m for m in sent if m["group"] == group])
        groups[group] = {"messages": figures["sent"], "measured_messages": measured[group]["sent"]} | {
            figure: {"measured": measured[group][figure], "replayed": figures[figure],
                     "agrees": overlap(measured[group][figure], figures[figure]),
                     "within": within(measured[group][figure], figures[figure])} for figure in FIGURES}
        groups[group]["delay_median_s"] = {"measured": measured[group]["delay_median_s"], "replayed": figures["delay_median_s"]}
    return {"name": name, "title": measured["title"], "unit": measured["unit"], "messages": len(messages),
            "without_row": without} | groups


def overlap(first, second):
    """Whether two intervals share a point; None where one of them is of nothing."""
    if first["value"] is None or second["value"] is None:
        return None
    return first["low"] <= second["high"] and second["low"] <= first["high"]


def within(measured, replayed_share):
    """Whether the replay's value itself lies in the measured interval."""
    if measured["value"] is None or replayed_share["value"] is None:
        return None
    return measured["low"] <= replayed_share["value"] <= measured["high"]


def summary(entries):
    """How many figures agree, and where they are farthest from each other."""
    every = [(e["name"], group, figure, e[group][figure]) for e in entries for group in measure.GROUPS for figure in FIGURES
             if e[group][figure]["agrees"] is not None]
    apart = [(abs(f["measured"]["value"] - f["replayed"]["value"]), name, group, figure) for name, group, figure, f in every]
    largest = max(apart, default=(0.0, None, None, None))
    return {"figures": len(every), "agree": sum(f["agrees"] for *_, f in every),
            "within_measured": sum(f["within"] for *_, f in every),
            "mean_difference": round(sum(d for d, *_ in apart) / len(apart), 4) if apart else None,
            "largest_difference": {"value": round(largest[0], 4), "rule": largest[1], "group": largest[2],
                                   "figure": largest[3]}}


# The command


def ask(wiretag, capture, file, begin, breaks, folder):
    """One replay of all policies from `begin` on, where all connections are broken at that moment if `breaks`; gives the
    rows by policy."""
    out = folder / "messages.csv"
    out.unlink(missing_ok=True)
    command = [str(wiretag), "censor", str(capture), "--policies", str(file), "--messages", str(out), "--format", "json",
               "--begin", begin, *(["--break"] if breaks else [])]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    except OSError as error:
        raise LabError(f"{wiretag}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{wiretag} censor: not done after {PATIENCE} s") from None
    if done.returncode or not out.exists():
        said = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise LabError(f"{' '.join(command)}: ended with status {done.returncode}\n{said}")
    return rows(out)


def load(folder):
    """What was measured, and what happened without a rule."""
    try:
        measured = json.loads((folder / "act.json").read_text(encoding="utf-8"))
        keep = json.loads((folder / f"{CONTROL}.lines.json").read_text(encoding="utf-8"))
        with open(folder / f"{CONTROL}.truth.jsonl", encoding="utf-8") as lines:
            truth = [json.loads(line) for line in lines]
        begin = next(line["rule_begins"] for line in truth if line["truth"] == "scenario")
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise LabError(f"{folder}: holds no results of tools/lab/run act ({error})") from None
    return measured, keep, truth, begin


def results(wiretag, folder, say, policies=POLICIES):
    """Replays every rule over the capture of `folder` and compares."""
    measured, keep, truth, begin = load(folder)
    messages = expected(keep, truth)
    unplaced = sum(message["place"] is None for message in messages)
    if unplaced:
        raise LabError(f"{folder}: the truth has no line of {unplaced} messages that were asked for")
    breaks = collections.defaultdict(bool, {rule.name: rule.reconnect for rule in rulebook.rules(["COURIER"])})
    entries, absent = [], []
    with tempfile.TemporaryDirectory(prefix="wiretag-replay.") as scratch:
        scratch, capture = pathlib.Path(scratch), folder / f"{CONTROL}.pcapng"
        say(f"replaying over {capture}")
        found = {breaks: ask(wiretag, capture, policies, stamp(begin), breaks, scratch) for breaks in (False, True)}
    for entry in measured["rules"]:
        name = entry["name"]
        if name in LEFT_OUT or "notifications" not in entry:
            continue
        listed = found[breaks[name]].get(name)
        if not listed:
            absent.append(name)
            continue
        entries.append(compared(name, entry, messages, listed, keep))
        say(f"{name}: {in_short(entries[-1])}")
    if absent:
        raise LabError(f"{wiretag} censor: no message of {', '.join(absent)} in its table; are the names in {policies}?")
    return {"phones": len(keep["phones"]), "seed": measured.get("seed"), "measured_on": measured.get("made"),
            "late_s": measure.LATE, "near_s": NEAR, "rules": entries, "left_out": LEFT_OUT} | summary(entries)


def in_short(entry):
    unlike = [f"{group} {figure}" for group in measure.GROUPS for figure in FIGURES
              if entry[group][figure]["agrees"] is False]
    note = f", {entry['without_row']} messages without a row" if entry["without_row"] else ""
    return (f"differs in {', '.join(unlike)}" if unlike else "agrees") + note
