"""The truth beside a finished sample: what was sent, in the scenario's time and the sample's addresses."""

import collections

from sample.clock import Clock, iso

# Linux takes ports from here on for those who ask for none: they differ between runs.
EPHEMERAL = 32_768
# A message is written a little before its first packet is captured; no scenario is quiet for less than this before
# its capture begins.
EARLY = 200_000_000
FIRST = ("truth", "time", "app", "kind", "class", "proto", "src", "dest", "tag", "service", "name", "direction",
         "plaintext", "records")
# Lines of two runs may differ in these.
TIMES = {"time", "start", "end", "skipped_seconds", "clock_jumps"}


def finish_truth(lines, addresses, jumps, flow_truth, header):
    """The lines of a truth file: the scenario, its flows, then its messages by time.

    `lines` are what senders told; `flow_truth` has one row a flow of the capture with proto, source, source_port,
    target, target_port, first (real nanoseconds), tag, service, name. A message on a connection that the capture
    does not hold, or from before it began, is left out and counted in the header's `messages_not_captured`.
    """
    clock = Clock(jumps)
    captured = {_ends(row["proto"], _joined(row, "source"), _joined(row, "target")) for row in flow_truth}
    begin = min((row["first"] for row in flow_truth), default=0) - EARLY
    openers, messages, outside = collections.defaultdict(collections.Counter), [], 0
    for line in lines:
        time = round(line["real"] * 1_000_000) * 1000
        more = {k: v for k, v in line.items() if k not in ("real", "local", "remote") and v is not None}
        local, remote = line.get("local"), line.get("remote")
        if local and remote:
            ends = _ends(line.get("proto"), local, remote)
            if ends not in captured or time < begin:
                outside += 1
                continue
            source, target = (local, remote) if line.get("direction") != "to_client" else (remote, local)
            openers[ends][source] += 1
            more |= {"src": _outside(source, addresses), "dest": _outside(target, addresses)}
        messages.append((time, more))
    rows = [_flow(row, addresses, clock, openers) for row in flow_truth]
    rows.sort(key=lambda row: (row["time"], row["proto"], row["src"], row["dest"]))
    messages.sort(key=lambda m: (clock.moved(m[0]), m[1].get("src", ""), m[1].get("dest", ""), m[1].get("direction", ""),
                                 m[1].get("records") or [], m[1].get("kind", "")))
    top = dict(header)
    if outside:
        top["messages_not_captured"] = outside
    return [top, *rows, *(_ordered({"truth": "message", "time": iso(clock.moved(time))} | more) for time, more in messages)]


def _flow(row, addresses, clock, openers):
    source, target = _joined(row, "source"), _joined(row, "target")
    told = openers.get(_ends(row["proto"], source, target))
    # Those who speak know best who opened it; else a server did not.
    if told:
        is_turned = told[target] > told[source]
    else:
        is_turned = row["source"] in addresses and row["target"] not in addresses
    if is_turned:
        source, target = target, source
    more = {k: v for k, v in row.items() if k not in ("source", "source_port", "target", "target_port", "first")}
    return _ordered({"truth": "flow", "time": iso(clock.moved(row["first"])), "src": _outside(source, addresses),
                     "dest": _outside(target, addresses)} | more)


def _joined(row, end):
    host = row[end]
    return f"[{host}]:{row[end + '_port']}" if ":" in host else f"{host}:{row[end + '_port']}"


def _ends(proto, one, other):
    return proto, frozenset((one, other))


def split(endpoint):
    """Address and port of "198.18.0.10:443" or "[2001:db8::10]:443"."""
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]"), int(port)


def _outside(endpoint, addresses):
    host, port = split(endpoint)
    host = addresses.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _ordered(line):
    return {k: line[k] for k in FIRST if k in line} | {k: line[k] for k in sorted(line) if k not in FIRST}


def same_truth(one, other):
    """What differs between the truth of two runs, a sentence each; times and ephemeral ports may.

    So may the numbers of records where a message took several. Connections are matched by app, ends, and the order in
    which they opened. Flows that nobody is to judge (tag "?") only have to occur in both, however often: a name may be
    asked for twice.
    """
    found = []
    head, second_head = (_without_times(_of(lines, "scenario")[0] if _of(lines, "scenario") else {})
                         for lines in (one, other))
    for key in [*head, *(k for k in second_head if k not in head)]:
        if head.get(key) != second_head.get(key):
            found.append(f"the scenario's {key}: {head.get(key)!r}, then {second_head.get(key)!r}")
    flows, second_flows = _flow_counts(one), _flow_counts(other)
    for key in sorted({*flows, *second_flows}, key=str):
        if flows[key] != second_flows[key]:
            words = ", ".join(str(v) for v in key if v is not None)
            found.append(f"flows {words}: {flows[key]}, then {second_flows[key]}")
    talk, second_talk = _conversations(one), _conversations(other)
    for key in [*talk, *(k for k in second_talk if k not in talk)]:
        pair = talk.get(key, []), second_talk.get(key, [])
        # How a long body is cut into records depends on when its socket takes more, and the later ones' numbers with it.
        if any(len(m.get("records") or ()) > 1 for m in (*pair[0], *pair[1])):
            pair = tuple([{k: v for k, v in m.items() if k != "records"} for m in messages] for messages in pair)
        found += _message_differences(_title(key), *pair)
    return found


def _message_differences(title, one, other):
    found = []
    if len(one) != len(other):
        found.append(f"{title}: {len(one)} messages, then {len(other)}")
    for number, (first, second) in enumerate(zip(one, other), 1):
        if first != second:
            fields = [f"{k} {first.get(k)!r}, then {second.get(k)!r}" for k in _ordered(first | second)
                      if first.get(k) != second.get(k)]
            found.append(f"{title}, message {number} ({first.get('kind')}): {'; '.join(fields)}")
    return found


def record(line):
    """A line as it stands in the file: times and ends under the names of Suricata's EVE, as in Wiretag's records."""
    out = {}
    for key, value in line.items():
        # What is not known is left out, as in Wiretag's records.
        if value is None:
            continue
        if key == "time":
            out["timestamp"] = value
        elif key in ("src", "dest"):
            out[f"{key}_ip"], out[f"{key}_port"] = split(value)
        else:
            out[key] = value
    return out


def line_of(record):
    """A line of the file, as the functions here know it."""
    out = {}
    for key, value in record.items():
        if key == "timestamp":
            out["time"] = value
        elif key in ("src_ip", "dest_ip"):
            end = key.removesuffix("_ip")
            out[end] = f"[{value}]:{record[end + '_port']}" if ":" in value else f"{value}:{record[end + '_port']}"
        elif key not in ("src_port", "dest_port"):
            out[key] = value
    return out


def _of(lines, kind):
    return [line for line in lines if line.get("truth") == kind]


def _without_times(line):
    return {k: v for k, v in line.items() if k not in TIMES}


def _masked(endpoint, least=EPHEMERAL):
    if not endpoint:
        return None
    host, port = split(endpoint)
    return f"{f'[{host}]' if ':' in host else host}:{'*' if port >= least else port}"


def _flow_counts(lines):
    counts = collections.Counter()
    for line in _of(lines, "flow"):
        # Who asks DNS by itself, as browsers do, draws its port from all above 1023.
        least = 1024 if line.get("tag") == "?" else EPHEMERAL
        key = (line.get("proto"), _masked(line.get("src"), least), _masked(line.get("dest")), line.get("tag"),
               line.get("service"), line.get("name"), line.get("software"))
        counts[key] = 1 if line.get("tag") == "?" else counts[key] + 1
    return counts


def _conversations(lines):
    """{(app, proto, src, dest, number of the connection, direction): messages without what differs between runs}"""
    opened = {}
    for line in _of(lines, "flow"):
        opened.setdefault((line.get("proto"), line.get("src"), line.get("dest")), line.get("time"))
    numbers, current, groups = collections.Counter(), {}, {}
    messages = _of(lines, "message")
    ends = {(m.get("app"), m.get("proto"), m.get("src"), m.get("dest")): m["time"] for m in reversed(messages)}
    for end in sorted(ends, key=lambda e: (opened.get(e[1:]) or ends[e], str(e))):
        same = (end[0], end[1], _masked(end[2]), _masked(end[3]))
        numbers[same] += 1
        current[end] = (*same, numbers[same])
    for message in messages:
        end = (message.get("app"), message.get("proto"), message.get("src"), message.get("dest"))
        groups.setdefault((*current[end], message.get("direction")), []).append(message)
    return {key: [{k: v for k, v in m.items() if k not in TIMES and k not in ("src", "dest")}
                  for m in sorted(group, key=lambda m: (m.get("records") or [0], m["time"]))]
            for key, group in groups.items()}


def _title(key):
    app, proto, source, target, number, direction = key
    where = f" {proto} {source} -> {target}, connection {number}" if source else ""
    return f"{app}{where}{f', {direction}' if direction else ''}"
