"""From what phones and courier told to figures: lost, late, broken, recovered, with their intervals.

Delays are seconds from the moment a person or a server wants to send to the moment the other end has the message, on
one clock. A message that is not there at the end of the window counts as lost, whatever would have become of it later.
Phones are the repetitions: intervals are of 95 %, by bootstrap over phones.
"""

import bisect
import collections
import math
import random

LATE = 1.0
# A phone's act that begins later than this waited behind another one.
ON_TIME = 0.5
# A break later than this before the window's end says nothing of recovery.
SETTLING = 10.0
RESAMPLES = 2000
LEVEL = 0.95
Z = 1.959963984540054
GROUPS = {"imessage_in": "incoming", "imessage_out": "text", "notifications": "notify", "other_services_sent": "service"}


def arrivals(asked, truth, events):
    """Each act's message, by its name, with the second of its first arrival, or None.

    `asked` has one row an act: phone, group, at, and for the server's acts `message`, for the phone's `began` and
    `ended`, between which the phone wrote the message if it wrote it at all (its acts come one after the other). Both
    are None for an act that a phone never came to, `ended` for one that was going on at the end.
    """
    received, reached, written = {}, {}, collections.defaultdict(list)
    for event in events:
        if event.get("what") == "received" and "message" in event:
            key = event["phone"], event["message"], event["kind"].split(".")[0]
            if key not in received or event["real"] < received[key]["real"]:
                received[key] = event
    for line in truth:
        if line["by"] == "courier-server":
            if line["kind"] == "courier.ack" and "message" in line:
                key = line["message"], line["class"]
                reached[key] = min(line["real"], reached.get(key, math.inf))
        elif line.get("message"):
            written[line["by"].removeprefix("courier-"), line["kind"]].append((line["real"], line["message"]))
    for lines in written.values():
        lines.sort()
    out = []
    for row in asked:
        arrived, stored, waited, message = None, False, False, row.get("message")
        if row["group"] in ("imessage_in", "notifications", "probe"):
            kind = "imessage" if row["group"] == "imessage_in" else "notification"
            event = received.get((row["phone"], row["message"], kind))
            if event:
                arrived, stored = event["real"], bool(event.get("stored"))
        else:
            waited = row["began"] is None or row["began"] - row["at"] > ON_TIME
            if row["began"] is not None:
                lines = written.get((row["phone"], row["kind"]), [])
                at = bisect.bisect_left(lines, (row["began"], ""))
                if at < len(lines) and lines[at][0] <= (row["ended"] or math.inf):
                    message = lines[at][1]
            arrived = reached.get((message, row["kind"].split(".")[0]))
        out.append({"phone": row["phone"], "group": row["group"], "at": row["at"], "message": message, "arrived": arrived,
                    "stored": stored, "waited": waited})
    return out


def breaks(phone, events, sent, begin, end):
    """Each time a phone lost its connection after the rule began: seconds to the next connection, and to the first
    message that got through, either way; None where there was none before the end."""
    connected = sorted(e["real"] for e in events if e.get("what") == "connected" and e["phone"] == phone)
    through = sorted(m["arrived"] for m in sent if m["phone"] == phone and m["arrived"] is not None)
    out = []
    for event in events:
        if event.get("what") == "disconnected" and event["phone"] == phone and begin <= event["real"] <= end:
            out.append({"at": event["real"], "reconnect": _after(connected, event["real"]),
                        "recover": _after(through, event["real"])})
    return sorted(out, key=lambda b: b["at"])


def _after(times, second):
    at = bisect.bisect_right(times, second)
    return times[at] - second if at < len(times) else None


def table(phones, sent, events, begin, end):
    """The figures of one rule."""
    sent = [m | {"arrived": m["arrived"] if m["arrived"] is not None and m["arrived"] <= end else None}
            for m in sent if m["at"] >= begin]
    out = {name: group_figures(phones, [m for m in sent if m["group"] == name]) for name in GROUPS}
    found = {phone: breaks(phone, events, sent, begin, end) for phone in phones}
    out["connections_broken_per_phone"] = mean_interval([len(found[p]) for p in phones])
    out["failed_connects_per_phone"] = mean_interval([
        sum(e.get("what") == "unreachable" and e["phone"] == p and begin <= e["real"] <= end for e in events)
        for p in phones])
    for name, key in (("recover_s", "recover"), ("reconnect_s", "reconnect")):
        early = [[b[key] for b in found[p] if b["at"] <= end - SETTLING] for p in phones]
        values = [[value for value in row if value is not None] for row in early]
        total = sum(map(len, early))
        if any(values):
            out[name] = quantiles(values)
        if name == "recover_s":
            out["breaks"], out["breaks_without_recovery"] = total, total - sum(map(len, values))
    fell = {e["phone"] for e in events if e.get("what") == "connected" and e.get("port") == 443
            and begin <= e["real"] <= end}
    out["fallback_share"] = share([int(p in fell) for p in phones], [1] * len(phones))
    last = {}
    for event in sorted(events, key=lambda e: e["real"]):
        if event.get("what") in ("connected", "disconnected") and event["real"] <= end:
            last[event["phone"]] = event["what"]
    out["without_connection_at_end_share"] = share([int(last.get(p) == "disconnected") for p in phones], [1] * len(phones))
    return out


def group_figures(phones, sent):
    """Lost, late and delays of one kind of message."""
    by = {phone: [m for m in sent if m["phone"] == phone] for phone in phones}
    totals = [len(by[p]) for p in phones]
    lost = [sum(m["arrived"] is None for m in by[p]) for p in phones]
    delays = [[m["arrived"] - m["at"] for m in by[p] if m["arrived"] is not None] for p in phones]
    late = [sum(d > LATE for d in row) for row in delays]
    stored, waited = ([sum(m[key] for m in by[p]) for p in phones] for key in ("stored", "waited"))
    found = quantiles(delays)
    return {"sent": sum(totals), "lost": sum(lost), "late": sum(late), "from_storage": sum(stored),
            "behind_another": sum(waited),
            "lost_share": share(lost, totals), "late_share": share(late, totals),
            "hit_share": share([a + b for a, b in zip(lost, late)], totals),
            "delay_median_s": found["median"], "delay_median_interval_s": found["median_interval"],
            "delay_p95_s": found["p95"], "delay_p95_interval_s": found["p95_interval"]}


def share(part, whole):
    """Sum of `part` over sum of `whole`, one entry a phone. Where all phones are alike (nothing, or all of it) a
    bootstrap has nothing to say, and the interval is Wilson's over phones."""
    total = sum(whole)
    if not total:
        return {"value": None, "low": None, "high": None}
    value = sum(part) / total
    if value in (0, 1):
        low, high = wilson(round(value * len(whole)), len(whole))
    else:
        low, high = bootstrap(list(zip(part, whole)), lambda rows: _ratio(rows))
    return {"value": _round(value), "low": _round(low), "high": _round(high)}


def _ratio(rows):
    whole = sum(w for _, w in rows)
    return sum(p for p, _ in rows) / whole if whole else None


def mean_interval(values):
    if not values:
        return {"value": None, "low": None, "high": None}
    low, high = bootstrap(values, lambda rows: sum(rows) / len(rows))
    return {"value": _round(sum(values) / len(values)), "low": _round(low), "high": _round(high)}


def quantiles(rows):
    """Median and 95th percentile of all values; `rows` has one list a phone."""
    values = sorted(v for row in rows for v in row)
    out = {}
    for name, at in (("median", 0.5), ("p95", 0.95)):
        out[name] = _round(quantile(values, at))
        low = high = None
        if values:
            low, high = bootstrap(rows, lambda some: quantile(sorted(v for row in some for v in row), at))
        out[f"{name}_interval"] = {"low": _round(low), "high": _round(high)}
    return out


def quantile(values, at):
    """A quantile of sorted values, straight lines between them; None of nothing."""
    if not values:
        return None
    place = at * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def wilson(hits, total, z=Z):
    """Wilson's interval of a share."""
    if not total:
        return None, None
    value = hits / total
    middle = value + z * z / (2 * total)
    spread = z * math.sqrt(value * (1 - value) / total + z * z / (4 * total * total))
    bottom = 1 + z * z / total
    return max(0.0, (middle - spread) / bottom), min(1.0, (middle + spread) / bottom)


def bootstrap(rows, statistic, seed=20):
    """The percentile interval of a statistic over rows drawn again with replacement."""
    rng, found = random.Random(seed), []
    for _ in range(RESAMPLES):
        value = statistic(rng.choices(rows, k=len(rows)))
        if value is not None:
            found.append(value)
    found.sort()
    return quantile(found, (1 - LEVEL) / 2), quantile(found, (1 + LEVEL) / 2)


def _round(value):
    return None if value is None else round(value, 4)
