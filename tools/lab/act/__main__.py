"""Plays the rules and writes captures, act.json and ACT.md; or compares a replay with them, and writes REPLAY.md."""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys

LAB = pathlib.Path(__file__).resolve().parent.parent
ROOT = LAB.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(LAB))

from act import agreement, experiment, replay, table  # noqa: E402
from act import rules as rulebook  # noqa: E402
from act.script import described  # noqa: E402
from network import LabError, require  # noqa: E402

PROGRAM = LAB / "Courier/.build/release/courier"
PUBLISHED = (ROOT / "Sources/Separability/Resources/act.json", LAB / "ACT.md")
REPLAYED = (LAB / "replay.json", LAB / "REPLAY.md")
PROGRAMS = ("ip", "iptables", "nft", "dumpcap", "dnsmasq", "openssl", "setpriv")


def say(message):
    print(message, file=sys.stderr, flush=True)


def rules():
    # The addresses only stand in the commands' text here.
    return rulebook.rules(["COURIER", "COURIER"])


def one(name, arguments):
    """Plays one rule in this process; what cannot be played becomes an entry that says why."""
    folder = arguments.output
    rule = {r.name: r for r in rules()}[name]
    try:
        found = experiment.play(name, arguments.phones, arguments.seed, arguments.courier, folder, say)
    except LabError as error:
        found = {"name": rule.name, "title": rule.title, "what": rule.what, "unit": rule.unit,
                 "commands": list(rule.commands), "notes": [f"{table.UNAVAILABLE}{error}"]}
    (folder / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def many(names, arguments):
    """Each rule in a process of its own: what one leaves behind does not reach the next."""
    children = []

    def run(name):
        say(f"{name}: begins")
        command = [sys.executable, "-m", "act", "--single", name, "--output", arguments.output, "--phones",
                   arguments.phones, "--seed", arguments.seed, "--courier", arguments.courier]
        file = arguments.output / f"{name}.json"
        file.unlink(missing_ok=True)
        child = subprocess.Popen([str(c) for c in command], env=os.environ | {"PYTHONPATH": str(LAB)})
        children.append(child)
        status = child.wait()
        if status not in (0, 1) or not file.exists():
            raise LabError(f"{name}: ended with status {status}")
        found = json.loads(file.read_text(encoding="utf-8"))
        say(f"{name}: {table.in_short(found)}")
        return found

    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    pool = concurrent.futures.ThreadPoolExecutor(arguments.jobs)
    try:
        return [future.result() for future in [pool.submit(run, name) for name in names]]
    except BaseException:
        # Each child removes its namespaces on its way out.
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            if child.poll() is None:
                child.terminate()
        raise
    finally:
        pool.shutdown()


def again(names, folder):
    """The entries of rules that were played before, worked out anew from their lines."""
    known, out = {r.name: r for r in rulebook.rules(["198.18.16.2", "198.18.16.3"])}, []
    for name in names:
        try:
            old = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            if table.was_run(old):
                keep = json.loads((folder / f"{name}.lines.json").read_text(encoding="utf-8"))
                made = experiment.entry(known[name], keep, old["packets_hit"], old["captures"])
                # What was run is what stands in the old entry.
                old = made | {"commands": old["commands"]}
        except (OSError, ValueError, KeyError) as error:
            raise LabError(f"{folder}: {name} was not played there ({error})") from None
        out.append(old)
    return out


def results(entries, arguments):
    return {"made": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            "host": {"kernel": platform.release(), "iptables": version("iptables", "--version"),
                     "nftables": version("nft", "--version")},
            "repetitions": arguments.phones, "seed": arguments.seed, "link": experiment.LINK,
            "late_s": experiment.measure.LATE, "script": described(), "rules": entries}


def version(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip()


def replays(arguments):
    """Compares a replay of the rules with what was measured; 1 if figures differ and nobody has said why, or if the replay
    says nothing of a message."""
    if not arguments.results:
        raise LabError("--replay needs --results FOLDER: what tools/lab/run act wrote")
    found = replay.results(arguments.replay.resolve(), arguments.results.resolve(), say)
    texts = json.dumps(found, indent=1) + "\n", agreement.page(found)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for file, text in zip(REPLAYED, texts):
        (arguments.output / file.name).write_text(text, encoding="utf-8")
        if arguments.keep:
            file.write_text(text, encoding="utf-8")
    print(agreement.terminal(found))
    return 1 if agreement.unexplained(found) or any(entry["without_row"] for entry in found["rules"]) else 0


def main(words):
    parser = argparse.ArgumentParser(prog="tools/lab/run act", description=__doc__)
    parser.add_argument("--rule", action="append", metavar="NAME", help="only this rule; may be given again")
    parser.add_argument("--list", action="store_true", help="the rules, with what they tell the kernel")
    parser.add_argument("--phones", type=int, default=30, metavar="N", help="repetitions of a rule, all at once (30)")
    parser.add_argument("--seed", type=int, default=5, help="of the phones' scripts (5)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="rules at a time (1)")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("act"), metavar="FOLDER")
    parser.add_argument("--keep", action="store_true",
                        help="put the result where the program, tools/lab/ACT.md or tools/lab/REPLAY.md have it")
    parser.add_argument("--again", action="store_true", help="play nothing: work out the figures of FOLDER anew")
    parser.add_argument("--courier", type=pathlib.Path, default=PROGRAM, metavar="PROGRAM", help="the lab's courier, built")
    parser.add_argument("--replay", type=pathlib.Path, metavar="PROGRAM", help="play nothing: let this wiretag replay the "
                        "rules over the capture without one, and compare; needs --results")
    parser.add_argument("--results", type=pathlib.Path, metavar="FOLDER", help="what was measured, for --replay")
    parser.add_argument("--single", metavar="NAME", help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    try:
        known = [r.name for r in rules()]
        if arguments.list:
            for rule in rules():
                print(f"{rule.name}  [{rule.unit}]  {rule.what}")
                for command in rule.commands:
                    print(f"    {command}")
            return 0
        if arguments.replay:
            return replays(arguments)
        wanted = arguments.rule or known
        for name in [*wanted, *([arguments.single] if arguments.single else [])]:
            if name not in known:
                raise LabError(f"there is no rule '{name}': {', '.join(known)}")
        if not 1 <= arguments.phones <= experiment.MOST_PHONES:
            raise LabError(f"--phones is a number from 1 to {experiment.MOST_PHONES}")
        if not arguments.again:
            require(*PROGRAMS)
            if not arguments.courier.exists():
                raise LabError(f"{arguments.courier} is not built: tools/lab/run builds it, or give --courier")
        arguments.output = arguments.output.resolve()
        arguments.courier = arguments.courier.resolve()
        arguments.output.mkdir(parents=True, exist_ok=True)
        if arguments.single:
            return 0 if table.was_run(one(arguments.single, arguments)) else 1
        entries = again(wanted, arguments.output) if arguments.again else many(wanted, arguments)
        if arguments.again:
            arguments.phones = max((e.get("phones", 0) for e in entries), default=0)
        found = results(entries, arguments)
        (arguments.output / "act.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (arguments.output / "ACT.md").write_text(table.page(found), encoding="utf-8")
        if arguments.keep:
            for file, text in zip(PUBLISHED, (json.dumps(found, indent=1) + "\n", table.page(found))):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        print(table.terminal(found))
        return 0 if all(map(table.was_run, entries)) else 1
    except LabError as error:
        say(f"tools/lab/run act: {error}")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
