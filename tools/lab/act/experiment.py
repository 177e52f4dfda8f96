"""Plays rules on live connections: so many phones at once, each with its own mix, while the kernel's filters act.

  tools/lab/run act [--output FOLDER] [--rule NAME]... [--phones N] [--list]

Everything is in real time. What arrived, and when, is what courier and phones logged themselves; all of them read one
clock. Writes act.json, ACT.md, and two captures a rule: at the phones' side of the filters, and at the courier's.
"""

import argparse
import datetime
import json
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time

from act import rules as catalogue
from act.measure import LATE, Message, Phone, measured
from act.script import GIVE_UP, PATIENCE, QUIET, SERVICES, described, length, script
from act.table import page
from apps.courier import PROGRAM
from network import Lab, LabError, require
from stage import HERE, PHONE_PORT, Stage

ROOT = HERE.parent.parent
HOST = "7-courier.push.apple.com"
# In the hello; the numbered name is only asked of DNS.
SERVER_NAME = "courier.push.apple.com"
DELAY_MS = 20
SEED = 5
FEWEST_PHONES = 30
# Where a rule cannot be installed, the kernel or its tools lack a part of it.
UNAVAILABLE = "could not be run here: "


def say(words):
    print(words, file=sys.stderr, flush=True)


class Rig:
    """The stage with one courier and its phones, while one rule is tried."""

    def __init__(self, stage, rule, phones):
        self.stage, self.rule = stage, rule
        self.names = [f"phone{n:02}" for n in range(phones)]
        self.agents, self.queue = {}, None
        self.lock = threading.Lock()
        # [phone, kind, second, id, when the phone was asked, kind in its truth] of every message that counts: what
        # a phone sends has no id yet, what the courier sends needs no more.
        self.sent = []
        self.errors = []
        # Whether what has not been sent by now is not sent any more.
        self.is_over = False

    def build(self):
        self.host = self.stage.host(HOST)
        self.stage.build()
        for command in catalogue.BEFORE:
            self.inside(command)
        pem, key = self.stage.certificate(self.host)
        self.server = self.stage.agent(
            "internet", "courier-server", PROGRAM, "server", "--address", self.host.v4, "--port", 5223, "--port", 443,
            "--certificate", pem, "--key", key, "--keys", self.stage.keys("courier-server"), "--seed", self.stage.seed)
        for number, name in enumerate(self.names):
            self.agents[name] = self.stage.agent(
                "phone", name, PROGRAM, "phone", "--name", name, "--seed", self.stage.seed + number, "--authority",
                self.stage.authority, "--keys", self.stage.keys(name))

    def inside(self, command):
        """A command of the rules, in the access network."""
        self.stage.run("access", "sh", "-c", command)

    def connect(self, name):
        self.agents[name].ask(
            "connect", address=self.host.v4, port=5223, sni=SERVER_NAME, framing="pack", tls="1.3", auto_reconnect=True,
            patience=PATIENCE, fallback_port=443, topics=60)

    def install(self):
        if self.rule.queue:
            command = ["ip", "netns", "exec", self.stage.namespaces["access"], self.stage.python,
                       HERE / "act/packet_queue.py", self.rule.queue]
            self.queue = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=self.stage.log, text=True)
            self.stage.lab.processes.append(self.queue)
            if "ready" not in self.queue.stdout.readline():
                raise LabError("the program behind NFQUEUE does not start")
        for command in self.rule.commands:
            self.inside(command)
        if self.rule.reconnect:
            for name in self.names:
                self.server.ask("drop", phone=name, how="reset")

    def counters(self):
        """Packets that each of the rule's lines matched."""
        if any(c.startswith("nft") for c in self.rule.commands):
            text = self.stage.run("access", "nft", "list", "table", "inet", "act")
            words = text.split()
            return [int(words[i + 1]) for i, word in enumerate(words) if word == "packets"]
        found = []
        for table in ("mangle", "filter"):
            lines = self.stage.run("access", "iptables", "-t", table, "-vnxL", "FORWARD").splitlines()[2:]
            found += [int(line.split()[0]) for line in lines if line.split()][1 if table == "mangle" else 0:]
        return found

    # The acts

    def server_acts(self, scripts, start):
        acts = sorted(((a, name) for name, all_acts in scripts.items() for a in all_acts if a.is_servers),
                      key=lambda pair: pair[0].at)
        for act, name in acts:
            pause(start + act.at)
            friend = f"friend-of-{name}"
            try:
                if act.what == "notify":
                    answer = self.server.ask("notify", phone=name, wait=False, **act.fields)
                    self.note(name, "notification", start, act, answer["message"])
                elif act.what == "incoming":
                    answer = self.server.ask("incoming", phone=name, kind="text", wait=False, **act.fields, **{"from": friend})
                    self.note(name, "in", start, act, answer["message"])
                else:
                    self.server.ask("incoming", phone=name, kind="read", wait=False, **{"from": friend})
            except LabError:
                # Nothing was sent that could be read.
                if act.what != "read":
                    raise

    def phone_acts(self, name, acts, start):
        phone, friend = self.agents[name], f"friend-of-{name}"
        acts = [a for a in acts if not a.is_servers]
        # What a person wanted to send counts, also where the phone, busy with an earlier message, never came to it.
        entries = {a: [name, "out" if a.what == "text" else "service", start + a.at, None, None,
                       "imessage.text" if a.what == "text" else a.what]
                   for a in acts if a.what == "text" or a.what in SERVICES}
        with self.lock:
            self.sent += entries.values()
        for act in acts:
            pause(start + act.at)
            if self.is_over:
                return
            patience = {"timeout": GIVE_UP + 10}
            if act in entries:
                entries[act][4] = time.time()
            try:
                if act.what == "text":
                    phone.ask("imessage", to=friend, kind="text", **act.fields, **patience)
                elif act.what == "typing":
                    phone.ask("imessage", to=friend, kind="typing_start", wait=False, **patience)
                elif act.what == "read_up":
                    phone.ask("imessage", to=friend, kind="read", wait=False, **patience)
                elif act.what == "facetime.ring":
                    phone.ask("facetime", to=friend, act="ring", **patience)
                else:
                    phone.ask("status", kind=act.what.removeprefix("status."), **patience)
            except LabError as error:
                # Without a connection nothing can be said; whether a text arrived is the courier's to say.
                with self.lock:
                    self.errors.append(f"{act.what}: {error}")

    def note(self, name, kind, start, act, message):
        with self.lock:
            self.sent.append([name, kind, start + act.at, message, None, ""])

    def play(self):
        """Everything, from the quiet phase to the end; gives the second at which the rule began."""
        scripts = {name: script(SEED, name) for name in self.names}
        start = time.time() + QUIET
        threads = [threading.Thread(target=self.server_acts, args=(scripts, start), daemon=True)]
        threads += [threading.Thread(target=self.phone_acts, args=(name, acts, start), daemon=True)
                    for name, acts in scripts.items()]
        for thread in threads:
            thread.start()
        pause(start)
        begun = time.time()
        self.install()
        end = start + max(length(acts) for acts in scripts.values())
        pause(end)
        self.is_over = True
        for thread in threads:
            thread.join(max(0.0, end + GIVE_UP + 10 - time.time()))
        return begun, end

    # What came of it

    def phones(self, begun, end):
        """What became of each phone, of the messages that were to go after the rule had begun."""
        with self.stage.lock:
            truth, events = list(self.stage.truth), list(self.stage.events)
        written = {}
        for line in truth:
            if line.get("kind") in ("imessage.text", *SERVICES):
                written.setdefault((line["by"], line["kind"]), []).append(line)
        acknowledged = {}
        for line in truth:
            if line["by"] == "courier-server" and line.get("kind") == "courier.ack":
                acknowledged.setdefault(line.get("message"), line["real"])
        received, stored = {}, set()
        for event in events:
            if event.get("what") == "received" and "message" in event:
                received.setdefault((event["phone"], event["message"]), event["real"])
                if event.get("stored"):
                    stored.add((event["phone"], event["message"]))
        found = []
        for name in self.names:
            used, messages = set(), []
            for phone, kind, second, message, asked, word in sorted((s for s in self.sent if s[0] == name),
                                                                     key=lambda s: s[2]):
                if asked is not None:
                    message = next((t["message"] for t in written.get((name, word), ()) if t["real"] >= asked - 0.001
                                    and t["message"] not in used), None)
                    used.add(message)
                if second < begun:
                    continue
                arrived = received.get((name, message)) if kind in ("in", "notification") else acknowledged.get(message)
                messages.append(Message(kind, second, arrived, (name, message) in stored))
            breaks = [e["real"] for e in events if e.get("phone") == name and e.get("what") == "disconnected"
                      and begun <= e["real"] <= end]
            passed = [e["real"] for e in events if e.get("phone") == name and e.get("what") == "received"]
            passed += [acknowledged[t["message"]] for (by, _), lines in written.items() if by == name
                       for t in lines if t.get("message") in acknowledged]
            ports = [e.get("port") for e in events if e.get("phone") == name and e.get("what") == "connected"
                     and e["real"] >= begun]
            found.append(Phone(messages, breaks, sorted(passed), 443 in ports))
        return found


def pause(until):
    left = until - time.time()
    if left > 0:
        time.sleep(left)


def recorder(stage, role, interface, file):
    process = stage.lab.start(stage.namespaces[role], "dumpcap", "-q", "-B", "64", "-i", interface, "-w", file,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stage.log)
    stage.lab.wait_for_captures(stage.namespaces[role], 1, (process,))
    return process


def with_secrets(raw, keys, out):
    """The capture as it was made, with the secrets of its connections before the first packet."""
    subprocess.run(["editcap", "--discard-all-secrets", "--inject-secrets", f"tls,{keys}", raw, out], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def try_rule(rule, phones, folder):
    """One rule on so many phones; its row of the table."""
    row = {"name": rule.name, "title": rule.title, "what": rule.what, "unit": rule.unit, "commands": list(rule.commands),
           "notes": [rule.notes] if rule.notes else []}
    with Lab("wtact") as lab, tempfile.TemporaryDirectory(prefix="wiretag-act.") as scratch:
        stage = Stage(lab, scratch, SEED, {"delay_ms": DELAY_MS}, say)
        rig = Rig(stage, rule, phones)
        try:
            rig.build()
            raws = {"phones": ("access", PHONE_PORT), "courier": ("internet", "access0")}
            recorders = [recorder(stage, role, interface, pathlib.Path(scratch) / f"{side}.pcapng")
                         for side, (role, interface) in raws.items()]
            threads = [threading.Thread(target=rig.connect, args=(name,)) for name in rig.names]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            try:
                begun, end = rig.play()
            except LabError as error:
                return row | {"notes": [UNAVAILABLE + str(error)]}
            row |= measured(rig.phones(begun, end)) | {"packets_matched": rig.counters()}
            if rule.queue:
                rig.queue.terminate()
                rig.queue.wait(5)
            stage.close()
            time.sleep(0.5)
            for process in recorders:
                process.send_signal(signal.SIGINT)
                process.wait(20)
            keys = pathlib.Path(scratch) / "all.keys"
            keys.write_text("".join(sorted({line for f in pathlib.Path(scratch).glob("*.keys") if f != keys
                                            for line in f.read_text().splitlines(keepends=True)})), encoding="ascii")
            for side in raws:
                with_secrets(pathlib.Path(scratch) / f"{side}.pcapng", keys, folder / f"{rule.name}.{side}.pcapng")
        finally:
            stage.close()
    return row


def main(arguments):
    parser = argparse.ArgumentParser(prog="tools/lab/run act", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("act"), metavar="FOLDER")
    parser.add_argument("--rule", action="append", metavar="NAME", help="only this rule; may be repeated")
    parser.add_argument("--phones", type=int, default=FEWEST_PHONES, metavar="N", help="repetitions of a rule, at once")
    parser.add_argument("--list", action="store_true", help="only say what the rules are")
    parser.add_argument("--keep", action="store_true", help="put the result where the program and tools/lab/ACT.md have it")
    options = parser.parse_args(arguments)
    all_rules = catalogue.rules(["COURIER"])
    if options.list:
        for rule in all_rules:
            print(f"{rule.name}\n  {rule.what}")
            for command in rule.commands:
                print(f"    {command}")
        return 0
    unknown = set(options.rule or []) - {r.name for r in all_rules}
    if unknown:
        raise LabError(f"no such rule: {', '.join(sorted(unknown))}; --list names them")
    require("ip", "iptables", "nft", "dumpcap", "editcap", "dnsmasq", "openssl")
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "act.json"
    rows = {}
    if options.rule and file.exists():
        rows = {row["name"]: row for row in json.loads(file.read_text(encoding="utf-8"))["rules"]}
    for number, rule in enumerate(all_rules, 1):
        if options.rule and rule.name not in options.rule:
            continue
        say(f"{number}/{len(all_rules)} {rule.name}: {rule.what}")
        rows[rule.name] = try_rule(real(rule), options.phones, options.output)
        result = {"made": datetime.date.today().isoformat(), "repetitions": options.phones, "late_s": LATE,
                  "host": {"kernel": platform.release(), "iptables": version("iptables"), "nftables": version("nft")},
                  "script": described(), "rules": [rows[r.name] for r in all_rules if r.name in rows]}
        file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (options.output / "ACT.md").write_text(page(result), encoding="utf-8")
    if options.keep:
        (ROOT / "Sources/Separability/Resources/act.json").write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        (HERE / "ACT.md").write_text((options.output / "ACT.md").read_text(encoding="utf-8"), encoding="utf-8")
    return 0


def real(rule):
    """The rule with the courier's address inside; the lab's hosts stand in the order in which they are asked for."""
    return next(r for r in catalogue.rules([COURIER_ADDRESS]) if r.name == rule.name)


# The first host of a stage.
COURIER_ADDRESS = "198.18.16.2"


def version(program):
    return subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip().split("\n")[0]
