#!/usr/bin/env python3
"""The lab's courier records beside a model of their sizes and beside the records of real courier flows.

  tools/lab/sizes.py [--captures FOLDER] [--model apns_sizes.tsv] [--corpus FOLDER]

Reads the truth files of the samples, so that it counts what was really written inside TLS. The model is a table
computed from the same published formats by another program; the corpus holds real captures with no plaintext.
Prints a Markdown table; with neither model nor corpus it prints the lab's sizes alone.
"""

import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# How the model calls what the truth calls so.
KINDS = {
    ("to_server", "imessage.text"): "imessage-text", ("to_client", "imessage.text"): "imessage-text",
    ("to_server", "imessage.typing_start"): "imessage-typing-start",
    ("to_client", "imessage.typing_start"): "imessage-typing-start",
    ("to_server", "imessage.typing_stop"): "imessage-typing-stop",
    ("to_client", "imessage.typing_stop"): "imessage-typing-stop",
    ("to_server", "imessage.read"): "imessage-read", ("to_client", "imessage.read"): "imessage-read",
    ("to_server", "imessage.delivered"): "imessage-delivered", ("to_client", "imessage.delivered"): "imessage-delivered",
    ("to_client", "courier.server_ack"): "imessage-ack255",
    ("to_server", "courier.ack"): "ack", ("to_client", "courier.ack"): "ack",
    ("to_client", "courier.keep_alive_response"): "keepalive-response", ("to_server", "courier.keep_alive"): "keepalive-empty",
    ("to_server", "courier.connect"): "connect", ("to_server", "courier.filter"): "filter-200-topics",
    # Of the alerts only the plain shape is the model's.
    ("to_client", "notification.short"): "app-alert",
}
# Real courier flows of the corpus: where, and what is known of them.
REAL = [
    ("push_capture/apns.pcap", "tcp.port == 5223", "a Mac of 2025, in the middle of a connection, TLS 1.2 or 1.3"),
    ("ndpi/whatsapp_login_call.pcap", "tcp.port == 5223 and ip.addr == 17.110.229.14", "an iPhone of 2015, TLS 1.0, CBC"),
    ("ndpi/whatsapp_login_chat.pcap", "tcp.port == 5223", "the same iPhone later, TLS 1.0, CBC"),
    ("ndpi/anyconnect-vpn.pcap", "tcp.port == 5223", "a Mac of 2019, the end of a connection"),
]


def lab_sizes(folder):
    """Plaintext sizes by direction, kind, framing and text length."""
    found = collections.defaultdict(list)
    for file in sorted(folder.glob("*.truth.jsonl")):
        for text in file.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if line.get("truth") == "message" and line.get("app") == "courier":
                found[line["direction"], line["kind"], line.get("framing", "-")].append(
                    (line["plaintext"], line.get("text_length"), line.get("devices", 1)))
    return found


def model_sizes(file):
    rows = collections.defaultdict(list)
    lines = file.read_text(encoding="utf-8").splitlines()
    for text in lines[1:]:
        direction, kind, characters, devices, encryption, framing, state, plaintext = text.split("\t")[:8]
        if encryption != "pair":
            rows["to_server" if direction == "C->S" else "to_client", kind, framing].append(
                (int(characters), int(devices), state, int(plaintext)))
    return rows


def span(values):
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low}-{high} (median {round(statistics.median(values))})"


def expected(rows, characters, devices):
    """The model's sizes for a text of this length: those of its two neighbours, cold and warm."""
    mine = [r for r in rows if r[1] == devices] or rows
    lengths = sorted({r[0] for r in mine})
    below = max((n for n in lengths if n <= characters), default=lengths[0])
    above = min((n for n in lengths if n >= characters), default=lengths[-1])
    values = [r[3] for r in mine if r[0] in (below, above)]
    return min(values), max(values)


def compared(lab, model):
    print("| direction | what | framing | lab, plaintext bytes | n | model | inside |")
    print("| --- | --- | --- | --- | ---: | --- | ---: |")
    for (direction, kind, framing), rows in sorted(lab.items()):
        theirs = model.get((direction, KINDS.get((direction, kind), "-"), framing), [])
        text, share = "-", "-"
        if theirs:
            bounds = [expected(theirs, characters or 0, devices) for _, characters, devices in rows]
            inside = sum(1 for (size, _, _), (low, high) in zip(rows, bounds) if low <= size <= high)
            text = span([b for pair in bounds for b in pair])
            share = f"{inside} of {len(rows)}"
        arrow = "up" if direction == "to_server" else "down"
        print(f"| {arrow} | {kind} | {framing} | {span([r[0] for r in rows])} | {len(rows)} | {text} | {share} |")


def real_records(file, filters):
    """Lengths of the TLS records of a flow, by side; records that tshark cannot see are not counted."""
    text = subprocess.run(["tshark", "-n", "-r", file, "-Y", f"({filters}) and tls.record.length", "-T", "fields", "-e",
                           "tcp.srcport", "-e", "tls.record.length"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True).stdout
    sides = {"up": [], "down": []}
    for line in text.splitlines():
        port, lengths = line.split("\t")
        sides["down" if port in ("5223", "443") else "up"] += [int(n) for n in lengths.split(",")]
    return sides


def beside_real(lab, corpus):
    sizes = {"up": [], "down": []}
    for (direction, kind, framing), rows in lab.items():
        # TLS 1.3 adds a byte of type and 16 of tag; TLS 1.2 GCM 8 of nonce and 16 of tag
        for size, _, _ in rows:
            sizes["up" if direction == "to_server" else "down"].append((size + (17 if framing == "pack" else 24), kind, framing))
    print("\n| real flow | side | record lengths | what the lab sends in records of about this length (10 %) |")
    print("| --- | --- | --- | --- |")
    for name, filters, what in REAL:
        file = corpus / "captures" / name
        if not file.exists():
            print(f"| {name}: not there | | | |")
            continue
        for side, lengths in real_records(file, filters).items():
            if not lengths:
                print(f"| {name} ({what}) | {side} | none that can be told | |")
            for length in sorted(set(lengths)):
                near = collections.Counter(f"{kind} ({framing})" for size, kind, framing in sizes[side]
                                           if abs(size - length) <= max(2, length // 10))
                words = ", ".join(k for k, _ in near.most_common(4)) or "nothing"
                print(f"| {name} ({what}) | {side} | {length} x {lengths.count(length)} | {words} |")


def main():
    parser = argparse.ArgumentParser(prog="tools/lab/sizes.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=pathlib.Path, default=ROOT / "captures")
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--corpus", type=pathlib.Path)
    arguments = parser.parse_args()
    lab = lab_sizes(arguments.captures)
    if not lab:
        print(f"tools/lab/sizes.py: no courier messages in the truth files of {arguments.captures}", file=sys.stderr)
        return 2
    compared(lab, model_sizes(arguments.model) if arguments.model else {})
    if arguments.corpus:
        beside_real(lab, arguments.corpus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
