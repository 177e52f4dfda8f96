#!/usr/bin/env python3
"""Proves the truth of samples by decryption: every message that a truth file gives TLS records for must be found.

  tools/lab/prove.py [--tshark PROGRAM] [CAPTURE...]

tshark opens each capture with the secrets inside it. For every connection and direction that the truth names, the
decrypted records of application data must have, one by one, the lengths and (for the courier) the command bytes of the
truth, none missing and none left over; and its text where the truth tells it.
"""

import argparse
import collections
import json
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def truth_of(capture):
    """Messages with records, by connection and direction; and how many messages have none to check."""
    expected, without = collections.defaultdict(dict), 0
    file = capture.with_name(capture.name.removesuffix(".pcapng") + ".truth.jsonl")
    for text in file.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if line.get("truth") != "message":
            continue
        if not line.get("records") or line.get("proto") != "TCP" or "src_ip" not in line:
            without += 1
            continue
        connection = (line["src_ip"], line["src_port"], line["dest_ip"], line["dest_port"])
        records = expected[connection, line["direction"]]
        for number, record in enumerate(line["records"]):
            if record in records:
                raise ValueError(f"{file.name}: record {record} of {connection} {line['direction']} is named twice")
            records[record] = (line, number)
    return expected, without


def records_of(capture, connections, tshark):
    """Decrypted application data, record by record: connection and direction -> [bytes]."""
    ports = sorted({c[3] for c in connections})
    command = [tshark, "-n", "-r", capture, "-o", "tcp.desegment_tcp_streams:TRUE", "-o", "tls.desegment_ssl_records:TRUE"]
    for port in ports:
        # Whatever speaks inside, its records are wanted as they are.
        command += ["-d", f"tls.port=={port},data"]
    # HTTP is recognised by its words and by ALPN, too, and would keep its records for itself.
    for protocol in ("http", "http2", "websocket"):
        command += ["--disable-protocol", protocol]
    command += ["-Y", "tls and data", "-T", "fields", "-E", "separator=\t", "-E", "occurrence=a", "-e", "ip.src", "-e", "ipv6.src",
                "-e", "tcp.srcport", "-e", "ip.dst", "-e", "ipv6.dst", "-e", "tcp.dstport", "-e", "data.data"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise ValueError(f"{capture.name}: tshark: {done.stderr.strip().splitlines()[-1:]}")
    found = collections.defaultdict(list)
    for row in done.stdout.splitlines():
        v4, v6, port, to4, to6, to_port, data = row.split("\t")
        source, target = (v4 or v6, int(port)), (to4 or to6, int(to_port))
        for connection, direction in (((*source, *target), "to_server"), ((*target, *source), "to_client")):
            if connection in connections:
                found[connection, direction] += [bytes.fromhex(d) for d in data.split(",")]
    return found


def prove(capture, tshark):
    """What is wrong, in sentences; and how many records were proved and how many messages have none."""
    expected, without = truth_of(capture)
    connections = {connection for connection, _ in expected}
    found = records_of(capture, connections, tshark) if connections else {}
    wrong, proved = [], 0
    late = {c for c, _ in expected if all(min(expected[k]) > 1 for k in expected if k[0] == c)}
    for (connection, direction), records in sorted(expected.items()):
        if connection in late and not found.get((connection, direction)):
            # Its handshake was before the capture began: no secret opens it.
            without += len({id(line) for line, _ in records.values()})
            continue
        data = found.get((connection, direction), [])
        title = f"{connection[0]}:{connection[1]} > {connection[2]}:{connection[3]} {direction}"
        # A capture that begins late has only the last records of a connection; the truth names them by their numbers
        # from its beginning.
        first = min(records)
        complete = sorted(records) == list(range(first, first + len(records)))
        if not complete or len(data) != len(records):
            wrong.append(f"{title}: the truth has records {first} to {max(records)} ({len(records)} of them), "
                         f"{len(data)} were decrypted")
            continue
        for number, payload in zip(sorted(records), data):
            line, part = records[number]
            size = line["plaintext"] if len(line["records"]) == 1 else None
            if size is not None and size != len(payload):
                wrong.append(f"{title}, record {number}: {line['kind']} of {size} bytes, decrypted {len(payload)}")
            elif part == 0 and "command" in line and (not payload or payload[0] != line["command"]):
                wrong.append(f"{title}, record {number}: {line['kind']} is command {line['command']}, "
                             f"decrypted {payload[:1].hex()}")
            elif "text" in line and line["text"].encode() != payload:
                wrong.append(f"{title}, record {number}: its text is not '{line['text'][:40]}'")
            else:
                proved += 1
    return wrong, proved, without


def main():
    parser = argparse.ArgumentParser(prog="tools/lab/prove.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="*", type=pathlib.Path)
    parser.add_argument("--tshark", default="tshark")
    arguments = parser.parse_args()
    if not shutil.which(arguments.tshark):
        print("SKIPPED: tshark is not installed, the samples' truth was not checked by decryption")
        return 0
    captures = arguments.captures or sorted((ROOT / "captures").glob("*.pcapng"))
    failed = total = 0
    for capture in captures:
        if not capture.with_name(capture.name.removesuffix(".pcapng") + ".truth.jsonl").exists():
            print(f"{capture.name}: no truth file beside it")
            failed += 1
            continue
        try:
            wrong, proved, without = prove(capture, arguments.tshark)
        except ValueError as error:
            wrong, proved, without = [str(error)], 0, 0
        total += proved
        note = f", {without} messages that no secret can prove" if without else ""
        print(f"{capture.name}: {proved} records as the truth says{note}" + (f", {len(wrong)} NOT" if wrong else ""))
        for line in wrong[:10]:
            print(f"  {line}")
        failed += len(wrong)
    print(f"{total} records of {len(captures)} captures were decrypted and compared")
    return 1 if failed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
