"""Plays scenarios and writes their sample captures with truth, manifest and expectation."""

import argparse
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.dont_write_bytecode = True

import apps  # noqa: E402
import manifest  # noqa: E402
from conductor import Conductor  # noqa: E402
from network import Lab, LabError, require  # noqa: E402
from sample.finish import finish, finish_truth, flows_of, line_of, record, same_truth  # noqa: E402
from scenario import Scenario, names, samples  # noqa: E402
from stage import PHONE_PORT, Stage  # noqa: E402
from watched import compare as compare_live  # noqa: E402

LARGEST_SAMPLE = 3_000_000


def say(message):
    print(message, file=sys.stderr, flush=True)


def capture(stage, file, options):
    """Starts dumpcap on the phone's port and waits until it sees packets."""
    command = ["dumpcap", "-q", "-B", "64", "-i", PHONE_PORT, "-w", file, "-s", options.get("snaplen", 262_144)]
    process = stage.lab.start(stage.namespaces["access"], *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=stage.log)
    stage.lab.wait_for_captures(stage.namespaces["access"], 1, (process,))
    return process


def live(stage, program, file):
    """Wiretag itself on the phone's port, at the same time."""
    process = stage.lab.start(stage.namespaces["access"], program, "live", "-i", PHONE_PORT, "--format", "jsonl",
                              stdin=subprocess.DEVNULL, stdout=open(file, "wb"), stderr=stage.log)
    stage.lab.wait_for_captures(stage.namespaces["access"], 2, (process,))
    return process


def end(process, what):
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        raise LabError(f"{what} did not end") from None


def play(scenario, folder, arguments):
    """Plays one scenario and leaves its sample in `folder`."""
    with Lab("wtlab") as lab, tempfile.TemporaryDirectory(prefix="wiretag-lab.") as scratch:
        stage = Stage(lab, scratch, scenario.seed, scenario.network, say)
        try:
            return perform(scenario, stage, pathlib.Path(scratch), folder, arguments)
        except (LabError, subprocess.TimeoutExpired) as error:
            stage.log.flush()
            kept = pathlib.Path(tempfile.gettempdir()) / f"wiretag-lab-{scenario.name}.log"
            shutil.copyfile(stage.folder / "programs.log", kept)
            raise LabError(f"{scenario.name}: {error} (what the programs said: {kept})") from None
        finally:
            stage.close()


def perform(scenario, stage, scratch, folder, arguments):
    cast = {name: apps.load(name, stage, settings) for name, settings in scenario.apps.items()}
    needs = {program: package for app in cast.values() for program, package in app.needs.items()}
    require("ip", "dumpcap", "dnsmasq", "openssl", *needs)
    plan = scenario.plan()
    say(f"{scenario.name}: {scenario.data['title']} ({len(plan)} acts, seed {scenario.seed})")
    stage.build()
    for app in cast.values():
        app.start_servers()
    for warning in stage.lab.warnings:
        say(f"warning: {warning}")

    begins = float(scenario.capture.get("from", 0))
    raw, watched = scratch / "raw.pcapng", scratch / "live.jsonl"
    conductor = Conductor(stage, cast, say)
    early, late = [a for a in plan if a.at < begins], [a for a in plan if a.at >= begins]
    if not early:
        recorder = capture(stage, raw, scenario.capture)
    watcher = live(stage, arguments.live, watched) if arguments.live else None
    for app in cast.values():
        app.start_clients()
    conductor.started = time.time() + conductor.offset
    if early:
        # A capture that starts late: what came before has happened, nobody saw it.
        conductor.play(early)
        conductor.pass_time(begins)
        recorder = capture(stage, raw, scenario.capture)
    conductor.play(late)
    conductor.pass_time(scenario.duration)
    if not scenario.capture.get("ends_open"):
        stage.close()
        time.sleep(1)
    end(recorder, "dumpcap")
    if watcher:
        end(watcher, "wiretag live")
    file = write(scenario, stage, cast, conductor, scratch, raw, folder)
    if watcher and compare_live(arguments.live, watched, raw, file, say):
        raise LabError("live, Wiretag gave other tags than of the capture")
    return file


def write(scenario, stage, cast, conductor, scratch, raw, folder):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{scenario.name}.pcapng"
    made = finish(
        raw=raw, keys=sorted(scratch.glob("*.keys")), addresses=stage.inside_to_documented(), jumps=conductor.jumps,
        comment=f"Wiretag sample '{scenario.name}': {scenario.data['title']}. A lab without a way out; see MANIFEST.md",
        interface=("phone0", "the access network's port to the phone"), out=file)
    if scenario.is_sample and file.stat().st_size > LARGEST_SAMPLE:
        raise LabError(f"{file.name} has {file.stat().st_size} bytes, more than {LARGEST_SAMPLE}")
    header = {"truth": "scenario", "scenario": scenario.name, "seed": scenario.seed, "clock": "simulated",
              "clock_jumps": len(conductor.jumps),
              "skipped_seconds": round(conductor.offset, 3), "made_by": f"tools/lab/run {scenario.name}"}
    lines = finish_truth(stage.truth, stage.inside_to_documented(), conductor.jumps, flow_truth(stage, raw), header)
    truth = folder / f"{scenario.name}.truth.jsonl"
    truth.write_text("".join(json.dumps(record(line), ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    manifest.write(folder, scenario, cast, made, file, lines, conductor)
    kinds = collections.Counter(line["truth"] for line in lines)
    say(f"{file.name}: {made.packets} packets, {kinds['flow']} flows, {kinds['message']} messages, {file.stat().st_size} bytes")
    return file


def flow_truth(stage, raw):
    """What each flow of the raw capture is, from who stands at its ends; the packets are not asked."""
    by_address = {address: host for host in stage.hosts.values() for address in host.addresses}
    told = {}
    for row in stage.flows:
        told[frozenset((row["local"], row["remote"])), row["proto"]] = row
    rows = []
    for flow in flows_of(raw):
        ends = frozenset((f"{bracketed(flow.source)}:{flow.source_port}",
                          f"{bracketed(flow.target)}:{flow.target_port}"))
        row = {"proto": flow.protocol, "source": flow.source, "source_port": flow.source_port, "target": flow.target,
               "target_port": flow.target_port, "first": flow.first}
        said, host = told.get((ends, flow.protocol)), by_address.get(flow.target) or by_address.get(flow.source)
        if said:
            row |= {"tag": said["tag"], "service": said["service"], "name": said["name"]}
        elif host:
            port = flow.target_port if flow.target in by_address else flow.source_port
            tag, service = host.truth(flow.protocol, port)
            row |= {"tag": tag, "service": service, "name": host.name}
        elif 53 in (flow.target_port, flow.source_port):
            row |= {"tag": "?", "service": "DNS", "name": "the lab's resolver"}
        else:
            row |= {"tag": "?", "service": None, "name": None}
        rows.append(row)
    return rows


def bracketed(address):
    return f"[{address}]" if ":" in address else address


def compare(first, second):
    """Whether two runs gave the same truth; says what differs."""
    for folder in (first, second):
        if not any(folder.glob("*.truth.jsonl")):
            raise LabError(f"{folder}: no *.truth.jsonl there")
    differences = 0
    for file in sorted(second.glob("*.truth.jsonl")):
        if not (first / file.name).exists():
            say(f"{file.name}: only in {second}")
            differences += 1
    for file in sorted(first.glob("*.truth.jsonl")):
        other = second / file.name
        if not other.exists():
            say(f"{file.name}: only in {first}")
            differences += 1
            continue
        lines = [[line_of(json.loads(line)) for line in f.read_text(encoding="utf-8").splitlines()] for f in (file, other)]
        found = same_truth(*lines)
        for line in found[:20]:
            say(f"{file.name}: {line}")
        print(f"{file.name}: {'the same' if not found else f'{len(found)} differences'}, {len(lines[0])} lines")
        differences += len(found)
    return 1 if differences else 0


def experiment(arguments):
    """The experiment of what rules do to live connections."""
    from act.__main__ import main as play_rules

    try:
        return play_rules(arguments)
    except LabError as error:
        say(f"tools/lab/run act: {error}")
        return 2
    except KeyboardInterrupt:
        return 130


def main():
    if sys.argv[1:2] == ["act"]:
        return experiment(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="tools/lab/run", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="'all' samples, or: " + ", ".join(names()))
    parser.add_argument("--output", type=pathlib.Path, metavar="FOLDER", help="instead of captures/")
    parser.add_argument("--seed", type=int, help="instead of the one in the scenario's file")
    parser.add_argument("--live", metavar="PROGRAM", help="run this wiretag on the phone's port at the same time, and "
                        "compare what it says with what it says of the capture")
    parser.add_argument("--plan", action="store_true", help="only print what would happen")
    parser.add_argument("--compare", nargs=2, type=pathlib.Path, metavar="FOLDER", help="compare the truth of two runs")
    arguments = parser.parse_args()
    try:
        if arguments.compare:
            return compare(*arguments.compare)
        if not arguments.scenarios:
            parser.print_usage(sys.stderr)
            return 2
        wanted = samples() if "all" in arguments.scenarios else arguments.scenarios
        scenarios = [Scenario(name, arguments.seed) for name in wanted]
        if arguments.plan:
            for scenario in scenarios:
                for act in scenario.plan():
                    print(f"{scenario.name}\t{act.at:.3f}\t{act.app}.{act.do}\t{json.dumps(act.fields)}")
            return 0
        large = [scenario.name for scenario in scenarios if not scenario.is_sample]
        if large and not arguments.output:
            raise LabError(f"{large[0]} is too large for captures/: name another folder with --output")
        if os.geteuid() != 0:
            raise LabError("network namespaces need root: run it with sudo")
        for scenario in scenarios:
            play(scenario, (arguments.output or ROOT / "captures").resolve(), arguments)
        return 0
    except LabError as error:
        say(f"tools/lab/run: {error}")
        return 2
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
