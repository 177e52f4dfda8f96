"""Plays one rule: many phones at once on one access network, in real time.

    phones 198.18.0.11 and on --veth-- access: the rule --link, 25 ms each way-- internet: the courier

Every phone is a process and a user of its own, and Linux gives each user an address of its own, so that each phone is
one device to the access network.
"""

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from act import measure, packet_queue, rules as rulebook
from act.script import GIVE_UP, PATIENCE, QUIET, length, script
from agent import Agent
from apps import together
from main import flow_truth
from network import Lab, LabError
from sample.finish import finish, finish_truth, record
from stage import ACCESS, PHONE_PORT, Stage

HOSTS = ("18-courier2.push.apple.com", "7-courier.push.apple.com")
LINK = {"delay_ms": 25}
FIRST_USER, FIRST_TABLE, FIRST_ADDRESS, MOST_PHONES = 61_000, 1000, 11, 200
# Seconds within which an act of the server is answered.
PROMPT = 10
# A person who typed or read a message longer ago than this no longer says so.
STALE = 2.0


def couriers(stage):
    return [stage.host(name).v4 for name in HOSTS]


class Play:
    """One rule, played."""

    def __init__(self, stage, rule, phones, seed, program, say):
        self.stage, self.rule, self.seed, self.program, self.say = stage, rule, seed, program, say
        self.names = [f"phone{number:03}" for number in range(1, phones + 1)]
        self.scripts = {name: script(seed, name) for name in self.names}
        self.server, self.phones, self.queue = None, {}, None
        self.asked, self.lock, self.hits = [], threading.Lock(), None
        # Set on the way out; nobody asks anything of anybody then.
        self.over = threading.Event()
        self.begin = self.end = 0.0

    def access(self, command, check=True):
        return self.stage.run("access", *shlex.split(command), check=check)

    def set_up(self):
        """Network, courier, phones."""
        stage = self.stage
        hosts = [stage.host(name) for name in HOSTS]
        stage.build()
        # The phones' programs run as other users.
        stage.folder.chmod(0o755)
        for number, name in enumerate(self.names):
            address, table = f"198.18.0.{FIRST_ADDRESS + number}", str(FIRST_TABLE + number)
            stage.lab.addresses(stage.namespaces["phone"], "eth0", f"{address}/24")
            user = FIRST_USER + number
            stage.run("phone", "ip", "rule", "add", "uidrange", f"{user}-{user}", "lookup", table)
            stage.run("phone", "ip", "route", "add", "default", "via", ACCESS[0], "src", address, "table", table)
        for command in rulebook.BEFORE:
            self.access(command)
        pem, key = stage.certificate(hosts[0])
        places = [part for address in couriers(stage) for part in ("--address", address)]
        self.server = stage.agent("internet", "courier-server", self.program, "server", *places, "--port", 5223,
                                  "--port", 443, "--certificate", pem, "--key", key, "--keys", stage.keys("courier-server"),
                                  "--seed", self.seed)

    def start_phones(self):
        for number, name in enumerate(self.names):
            user, keys = FIRST_USER + number, self.stage.keys(f"courier-{name}")
            os.chown(keys, user, user)
            command = ["ip", "netns", "exec", self.stage.namespaces["phone"], "setpriv", "--reuid", user, "--regid", user,
                       "--clear-groups", self.program, "phone", "--name", name, "--seed",
                       self.stage.number(name), "--authority", self.stage.authority, "--keys", keys]
            agent = Agent(f"courier-{name}", command, self.stage.told, self.stage.log, self.stage.environment())
            self.stage.lab.processes.append(agent.process)
            self.phones[name] = agent
        for agent in self.phones.values():
            agent.wait_until_ready(60)
        address = couriers(self.stage)

        def connect(number, name):
            def act():
                # Not all at the same moment.
                time.sleep(number * 0.05)
                self.phones[name].ask("connect", address=address[number % len(address)], port=5223, fallback_port=443,
                                      auto_reconnect=True, patience=PATIENCE, tls="1.3", timeout=20)
            return act
        together([connect(*pair) for pair in enumerate(self.names)])

    def install(self):
        for command in self.rule.commands:
            self.access(command)

    def start_queue(self):
        if not self.rule.queue:
            return
        self.queue = self.stage.lab.start(
            self.stage.namespaces["access"], self.stage.python, pathlib.Path(packet_queue.__file__), self.rule.queue,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.stage.log, text=True)
        if "ready" not in self.queue.stdout.readline():
            raise LabError("the kernel gives this program no packets (NFQUEUE): see the log")

    def play(self):
        """The quiet time, the rule, the script, the tail."""
        self.begin = time.time() + QUIET
        self.end = self.begin + max(length(acts) for acts in self.scripts.values())
        threads = [threading.Thread(target=self.serve, daemon=True)]
        threads += [threading.Thread(target=self.live, args=(name,), daemon=True) for name in self.names]
        for thread in threads:
            thread.start()
        self.wait_until(self.begin)
        self.install()
        self.installed = time.time()
        if self.rule.reconnect:
            for name in self.names:
                self.server_ask("drop", phone=name, how="reset")
        self.wait_until(self.end)
        self.hits = self.counted()

    def wait_until(self, second):
        """Whether that second came before the end of everything."""
        return not self.over.wait(max(0.0, second - time.time()))

    def server_ask(self, do, **fields):
        with self.lock:
            return self.server.ask(do, timeout=PROMPT, **fields)

    def serve(self):
        """The server's acts for all phones, by their times."""
        acts = sorted(((act.at, name, act) for name in self.names for act in self.scripts[name] if act.is_servers),
                      key=lambda entry: entry[:2])
        for at, name, act in acts:
            if not self.wait_until(self.begin + at):
                return
            friend, row = f"friend{name[5:]}", {"phone": name, "at": time.time()}
            try:
                if act.what in ("notify", "probe"):
                    answer = self.server_ask("notify", phone=name, wait=False, **act.fields)
                    group = "notifications" if act.what == "notify" else "probe"
                    self.note(row | {"group": group, "message": answer["message"]})
                elif act.what == "incoming":
                    answer = self.server_ask("incoming", phone=name, kind="text", wait=False,
                                             **{"from": friend} | act.fields)
                    self.note(row | {"group": "imessage_in", "message": answer["message"]})
                else:
                    self.server_ask("incoming", phone=name, kind="read", wait=False, **{"from": friend})
            except (LabError, ValueError) as error:
                # Nothing was sent yet that a friend could read, or this is the way out.
                if act.what != "read" and not self.over.is_set():
                    self.say(f"{self.rule.name}: {error}")

    def live(self, name):
        """The acts of one phone; one that the phone is not done with makes the next ones late."""
        agent, friend = self.phones[name], f"friend{name[5:]}"
        for act in self.scripts[name]:
            if act.is_servers:
                continue
            due = self.begin + act.at
            if not self.wait_until(due) or time.time() >= self.end:
                return
            if act.what in ("typing", "read_up"):
                if time.time() - due < STALE:
                    kind = "typing_start" if act.what == "typing" else "read"
                    self.quietly(agent, "imessage", to=friend, kind=kind, wait=False, timeout=STALE)
                continue
            row = sent_row(name, act, due) | {"began": time.time()}
            self.note(row)
            if act.what == "text":
                self.quietly(agent, "imessage", to=friend, kind="text", timeout=GIVE_UP, **act.fields)
            else:
                app, kind = act.what.split(".")
                fields = {"act": kind} if app == "facetime" else {"kind": kind}
                self.quietly(agent, app, to=friend, timeout=GIVE_UP, **fields)
            row["ended"] = time.time()

    def quietly(self, agent, do, timeout, **fields):
        """An act that may fail: that is what is measured."""
        try:
            # The program is given a little longer to say that it gave up.
            agent.ask(do, timeout=timeout + 5, limit=timeout, **fields)
        except (LabError, ValueError) as error:
            if not self.over.is_set():
                self.stage.log.write(f"{agent.name}: {error}\n")

    def note(self, row):
        with self.stage.lock:
            self.asked.append(row)

    def counted(self):
        """Packets that the rule's own words met, as the kernel or the program behind the queue counted them."""
        if self.queue:
            self.queue.send_signal(signal.SIGTERM)
            try:
                counts = json.loads(self.queue.communicate(timeout=5)[0].strip().splitlines()[-1])
            except (subprocess.TimeoutExpired, ValueError, IndexError):
                return None
            return counts["drop"] + counts["hold"]
        if any(command.startswith("nft") for command in self.rule.commands):
            words = self.access("nft list table inet act").split()
            return int(words[words.index("packets") + 1])
        count = 0
        for line in self.access("iptables -L FORWARD -v -n -x").splitlines()[2:]:
            fields = line.split()
            if len(fields) > 2 and fields[2] in ("DROP", "REJECT", "NFQUEUE"):
                count += int(fields[0])
        return count

    def close(self):
        """Ends phones and server at once; some wait for what will never come."""
        self.over.set()
        agents = [*self.phones.values(), *([self.server] if self.server else [])]
        for agent in agents:
            try:
                agent.process.stdin.close()
            except OSError:
                pass
        deadline = time.monotonic() + 2
        for agent in agents:
            try:
                agent.process.wait(max(0.01, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                agent.process.kill()
                agent.process.wait()
        if self.server in self.stage.agents:
            self.stage.agents.remove(self.server)


def sent_row(name, act, due):
    """What is noted of a message that a phone sends."""
    group, kind = ("imessage_out", "imessage.text") if act.what == "text" else ("other_services_sent", act.what)
    return {"phone": name, "group": group, "kind": kind, "at": due, "began": None, "ended": None}


def capture(stage, interface, file, already):
    process = stage.lab.start(stage.namespaces["access"], "dumpcap", "-q", "-B", "16", "-i", interface, "-f", "tcp",
                              "-w", file, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stage.log)
    stage.lab.wait_for_captures(stage.namespaces["access"], already + 1, (process,))
    return process


def stop(process):
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        raise LabError("dumpcap did not end") from None


def play(name, phones, seed, program, folder, say):
    """Plays one rule and leaves its capture and truth in `folder`; gives its entry of the results."""
    with Lab("wtact") as lab, tempfile.TemporaryDirectory(prefix="wiretag-act.") as scratch:
        scratch = pathlib.Path(scratch)
        stage = Stage(lab, scratch, seed, LINK, say)
        rule = {r.name: r for r in rulebook.rules(couriers(stage))}[name]
        played = Play(stage, rule, phones, seed, program, say)
        try:
            played.set_up()
            before, beyond = scratch / "before.pcapng", scratch / "beyond.pcapng"
            recorders = [capture(stage, PHONE_PORT, before, 0), capture(stage, "up0", beyond, 1)]
            played.start_phones()
            played.start_queue()
            played.play()
            for recorder in recorders:
                stop(recorder)
            return finished(played, before, beyond, folder)
        except (LabError, subprocess.TimeoutExpired) as error:
            stage.log.flush()
            shutil.copyfile(scratch / "programs.log", folder / f"{name}.log")
            raise LabError(f"{error} (what the programs said: {folder / f'{name}.log'})") from None
        finally:
            played.close()
            stage.close()


def finished(played, before, beyond, folder):
    """Writes captures and truth, and works out the figures."""
    stage, rule = played.stage, played.rule
    with stage.lock:
        truth, events, asked = list(stage.truth), list(stage.events), [dict(row) for row in played.asked]
    # What a phone never came to, because the message before was stuck, is lost as well.
    begun = {(row["phone"], row["at"]) for row in asked}
    for name in played.names:
        for act in played.scripts[name]:
            if not act.is_servers and act.what not in ("typing", "read_up") and (name, played.begin + act.at) not in begun:
                asked.append(sent_row(name, act, played.begin + act.at))
    asked.sort(key=lambda row: (row["phone"], row["at"]))
    keys, addresses = sorted(stage.folder.glob("*.keys")), stage.inside_to_documented()
    sizes = {}
    for raw, out, interface in ((before, f"{rule.name}.pcapng", (PHONE_PORT, "the access network's port to the phones")),
                                (beyond, f"{rule.name}.beyond.pcapng", ("up0", "behind the rule, towards the courier"))):
        made = finish(raw=raw, keys=keys, addresses=addresses, jumps=[], interface=interface, out=folder / out,
                      stations=None, comment=f"Wiretag act experiment, rule '{rule.name}': {rule.title}. "
                      "A lab without a way out")
        sizes[out] = made.bytes
    header = {"truth": "scenario", "scenario": f"act/{rule.name}", "seed": played.seed, "clock": "real", "clock_jumps": 0,
              "skipped_seconds": 0.0, "rule_begins": round(played.installed, 6), "window_ends": round(played.end, 6),
              "made_by": f"tools/lab/run act --rule {rule.name}"}
    lines = finish_truth(truth, addresses, [], flow_truth(stage, before), header)
    (folder / f"{rule.name}.truth.jsonl").write_text(
        "".join(json.dumps(record(line), ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    keep = {"begin": played.begin, "end": played.end, "phones": played.names, "asked": asked, "events": events,
            "truth": [{k: line[k] for k in ("real", "by", "kind", "class", "message") if k in line} for line in truth
                      if line.get("message")]}
    (folder / f"{rule.name}.lines.json").write_text(json.dumps(keep), encoding="utf-8")
    return entry(rule, keep, played.hits, sizes)


def entry(rule, keep, hits, sizes):
    """The rule's part of act.json."""
    sent = measure.arrivals(keep["asked"], keep["truth"], keep["events"])
    early = [m for m in sent if m["at"] < keep["begin"]]
    ready = sum(m["arrived"] is not None and m["arrived"] <= keep["begin"] for m in early)
    figures = measure.table(keep["phones"], sent, keep["events"], keep["begin"], keep["end"])
    return {"name": rule.name, "title": rule.title, "what": rule.what, "unit": rule.unit,
            "commands": list(rule.commands), "queue": rule.queue or None, "connections_reset_first": rule.reconnect,
            "phones": len(keep["phones"]), "window_s": round(keep["end"] - keep["begin"], 3),
            "before_the_rule": {"sent": len(early), "arrived": ready}, "packets_hit": hits,
            "captures": sizes} | figures | {"notes": [rule.notes] if rule.notes else []}
