"""Labelled captures: labels.tsv (file, proto, ip_a, port_a, ip_b, port_b, tag, service, basis), and the flow records
that a command prints of them. Rows with the tag "?" are not used."""

import collections
import concurrent.futures
import csv
import ipaddress
import json
import subprocess
import sys

TAGS = ("push", "messaging", "calling", "other")


def address(text):
    try:
        parsed = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return text
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def key(proto, ip_a, port_a, ip_b, port_b):
    ends = sorted([(address(ip_a), int(port_a or 0)), (address(ip_b), int(port_b or 0))])
    return (proto.upper(), *ends[0], *ends[1])


def read_labels(path):
    labels = collections.defaultdict(dict)
    with open(path, newline="") as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["tag"] in TAGS:
                flow = key(row["proto"], row["ip_a"], row["port_a"], row["ip_b"], row["port_b"])
                labels[row["file"]][flow] = (row["tag"], row["service"])
    return labels


def flows_of(lines):
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record.get("event_type") == "flow" and "margin" in record and record.get("tag") in TAGS:
            yield record


def weight_of(record):
    return sum(v for k, v in record.get("flow", {}).items() if k.startswith("pkts_"))


def labelled_flows(records, labels):
    """(record, tag, service) of each labelled flow: of several records on its 5-tuple the one with most packets."""
    best = {}
    for record in records:
        try:
            flow = key(
                record["proto"], record["src_ip"], record.get("src_port"), record["dest_ip"], record.get("dest_port"))
        except (KeyError, ValueError):
            continue
        if flow in labels and (flow not in best or weight_of(record) > weight_of(best[flow])):
            best[flow] = record
    for flow, record in best.items():
        yield (record, *labels[flow])


def run(command, path):
    try:
        done = subprocess.run(command + [str(path)], capture_output=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"{path}: {error}"
    return done.stdout.decode("utf-8", "replace").splitlines(), None


def run_all(command, corpus, labels, jobs):
    """(name, flow records) of every labelled capture that is there; what could not be run is said and skipped."""
    names = [name for name in labels if (corpus / name).exists()]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda name: run(command, corpus / name), names)
        for name, (lines, trouble) in zip(names, results):
            if trouble:
                print(trouble, file=sys.stderr)
            yield name, list(flows_of(lines))
