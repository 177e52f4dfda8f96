"""MANIFEST.md: who made each sample, when, from what; what in it is real and what is modelled."""

import collections
import datetime
import fcntl
import os
import re

from scenario import Lengths

HEAD = ("# Sample captures\n\nEach capture was made for this project, by the command named with it; none holds the traffic "
        "of a person. `tools/lab/README.md` says how.\n\n")


def write(folder, scenario, cast, made, file, truth, conductor):
    entry = text(scenario, cast, made, file, truth, conductor)
    # Two runs may end in one folder at the same time.
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        enter(folder / "MANIFEST.md", file, entry)
    finally:
        os.close(lock)


def enter(path, file, entry):
    """Puts a sample's entry in its place, instead of an older one."""
    old = path.read_text(encoding="utf-8") if path.exists() else HEAD
    pattern = re.compile(rf"^## {re.escape(file.name)}\n.*?(?=^## |\Z)", re.M | re.S)
    new = pattern.sub(lambda _: entry + "\n", old) if pattern.search(old) else old.rstrip("\n") + "\n\n" + entry
    head, *entries = re.split(r"(?m)^(?=## )", new)
    path.write_text(head.rstrip("\n") + "\n\n" + "\n".join(e.rstrip("\n") + "\n" for e in sorted(entries)), encoding="utf-8")


def text(scenario, cast, made, file, truth, conductor):
    messages = [line for line in truth if line["truth"] == "message"]
    kinds = collections.Counter(line["kind"] for line in messages)
    flows = sum(1 for line in truth if line["truth"] == "flow")
    versions = sorted({v for app in cast.values() for v in app.versions()})
    hours, seconds = divmod(scenario.duration, 3600)
    minutes, seconds = divmod(seconds, 60)
    span = f"{int(hours)} h {int(minutes)} min {int(seconds)} s"
    lines = [
        f"## {file.name}", "",
        f"{scenario.data['title']}. {scenario.data['shows'].strip()}", "",
        f"- **made by** `tools/lab/run {scenario.name}` on {datetime.date.today().isoformat()}, seed {scenario.seed}; "
        f"{made.packets:,} packets, {flows} flows, {file.stat().st_size:,} bytes. Licence: this project's.",
        f"- **clock**: simulated. {span} of the scenario; of these {conductor.offset:,.0f} s in "
        f"{len(conductor.jumps)} gaps between acts were not waited for but added to the packets' times (and to TCP's "
        f"timestamps). What happens within an act has its real timing."
        if conductor.jumps else f"- **clock**: real; {span}.",
        "- **real**: " + " ".join(sentence(app.software) for app in cast.values()) +
        (f" ({', '.join(versions)}.)" if versions else ""),
        "- **modelled**: " + " ".join(sentence(app.modelled) for app in cast.values() if app.modelled),
    ]
    if scenario.network:
        units = {"delay_ms": "delay {} ms each way", "jitter_ms": "jitter {} ms", "loss": "loss {}", "rate_kbps": "{} kbit/s",
                 "queue_packets": "a queue of {} packets"}
        network = ", ".join(units.get(k, k + " {}").format(v) for k, v in scenario.network.items())
        kind = {"tap": "by the lab's own program between two TAP devices", "netem": "by tc netem"}.get(conductor.stage.link.kind, "")
        lines.append(f"- **link** between access network and servers: {network}{', ' + kind if kind else ''}.")
    if scenario.sources:
        lines.append("- **lengths and paces**: " + "; ".join(
            f"{name} from {source.data['title']} ({source.source})" for name, source in
            ((n, Lengths(n)) for n in sorted(scenario.sources))) + ".")
    counted = f"{len(messages)} messages: " + ", ".join(f"{kinds[k]} {k}" for k in sorted(kinds)) if messages else "flows only"
    lines.append(f"- **truth**: `{file.name.removesuffix('.pcapng')}.truth.jsonl`, {counted}.")
    if made.secrets:
        lines.append(f"- **secrets**: those of {made.secrets} connections are inside the file (Decryption Secrets Block), with "
                     "which Wireshark decrypts them.")
    if made.notes:
        lines.append("- **rewritten**: " + " ".join(sentence(note) for note in made.notes))
    return "\n".join(lines) + "\n"


def sentence(words):
    words = " ".join(words.split())
    return words if not words or words.endswith(".") else words + "."
