"""The lab's network and what stands in it: phone, access network, internet with its hosts, and a second phone.

    phone 198.18.0.10 --veth-- access 198.18.0.1 --link-- internet (hosts in 198.18.16.0/20) --veth-- friend 198.18.2.10

The capture is made in `access`, on the interface to the phone. The link between `access` and `internet` has the delay,
loss and rate that a scenario asks for. Names are answered by dnsmasq at 198.18.16.1 and 2001:db8:16::1.
"""

import hashlib
import ipaddress
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import yaml

from agent import Agent
from link import Link
from network import LabError, certificate, without_offloads

HERE = pathlib.Path(__file__).resolve().parent
PHONE = ("198.18.0.10", "2001:db8::10")
ACCESS = ("198.18.0.1", "2001:db8::1")
FRIEND = ("198.18.2.10", "2001:db8:2::10")
RESOLVER = ("198.18.16.1", "2001:db8:16::1")
PHONE_PORT = "phone0"
QUIET_SECONDS = 0.3


class Host:
    """A server of the lab: its names, where it stands inside, and where in the finished sample."""

    def __init__(self, row, number):
        self.name, self.alias = row["name"], row.get("alias")
        self.certified = row.get("sni") or [self.name]
        self.tag, self.service = row.get("tag", "other"), row.get("service")
        self.also = row.get("also", [])
        # As RFC 5952 spells them.
        self.documented_v4, self.documented_v6 = (row.get(k) and str(ipaddress.ip_address(row[k])) for k in ("v4", "v6"))
        self.v4 = f"198.18.{16 + number // 250}.{number % 250 + 2}" if self.documented_v4 else None
        self.v6 = f"2001:db8:16::{number + 0x100:x}" if self.documented_v6 else None

    @property
    def addresses(self):
        return [a for a in (self.v4, self.v6) if a]

    def truth(self, protocol, port):
        """Tag and service of a flow to this host; the row that names its protocol and port comes first."""
        for row in self.also:
            low, _, high = str(row.get("ports", "0-65535")).partition("-")
            if row.get("proto", protocol) == protocol and int(low) <= port <= int(high or low):
                return row.get("tag", self.tag), row.get("service", self.service)
        return self.tag, self.service


def load_hosts():
    """All rows of hosts/*.yaml by name; no name and no address occurs twice."""
    rows, places = {}, {}
    for file in sorted((HERE / "hosts").glob("*.yaml")):
        for row in yaml.safe_load(file.read_text(encoding="utf-8")):
            if row["name"] in rows:
                raise LabError(f"hosts/{file.name}: {row['name']} is in the list twice")
            for address in (row.get("v4"), row.get("v6")):
                if address and places.setdefault(address, row["name"]) != row["name"]:
                    raise LabError(f"hosts/{file.name}: {row['name']} stands where {places[address]} does, at {address}")
            rows[row["name"]] = row
    return rows


class Stage:
    """Everything that an app of the lab may use; made for one scenario, gone after it."""

    def __init__(self, lab, folder, seed, network, say):
        self.lab, self.folder, self.seed, self.network, self.say = lab, pathlib.Path(folder), seed, network, say
        self.rows, self.hosts = load_hosts(), {}
        # What apps add to dnsmasq's configuration.
        self.resolver_lines = []
        self.agents, self.truth, self.flows, self.events = [], [], [], []
        self.lock = threading.Lock()
        self.log = open(self.folder / "programs.log", "a", encoding="utf-8")
        self.authority, self.authority_key = certificate(self.folder, "authority", ["Wiretag Lab Authority"])
        self.python = sys.executable
        self.namespaces = {}
        self.link = None

    # What apps ask for before the network is up

    def host(self, name):
        """The host with this name; the first to ask brings it into being."""
        if name not in self.hosts:
            if name not in self.rows:
                raise LabError(f"hosts/*.yaml knows no {name}")
            self.hosts[name] = Host(self.rows[name], len(self.hosts))
        return self.hosts[name]

    def number(self, *words):
        """A number of 63 bits that depends on the scenario's seed and on these words only."""
        text = json.dumps([self.seed, *words]).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1

    # The network

    def build(self):
        """Makes namespaces, links, addresses and routes for the hosts asked for so far, and starts the resolver."""
        lab = self.lab
        for role in ("phone", "access", "internet", "friend"):
            self.namespaces[role] = lab.namespace(role)
        phone, access, internet, friend = (self.namespaces[r] for r in ("phone", "access", "internet", "friend"))
        for router in (access, internet):
            lab.sysctl(router, "ipv4/ip_forward", 1)
            lab.sysctl(router, "ipv6/conf/all/forwarding", 1)
        lab.link(phone, "eth0", access, PHONE_PORT)
        lab.link(friend, "eth0", internet, "friend0")
        self.link = Link(lab, access, "up0", internet, "access0", seed=self.number("link"), **self.network)
        self.link.start()
        lab.addresses(phone, "eth0", f"{PHONE[0]}/24", f"{PHONE[1]}/64")
        lab.addresses(access, PHONE_PORT, f"{ACCESS[0]}/24", f"{ACCESS[1]}/64")
        lab.addresses(access, "up0", "198.18.1.1/30", "2001:db8:1::1/64")
        lab.addresses(internet, "access0", "198.18.1.2/30", "2001:db8:1::2/64")
        lab.addresses(internet, "friend0", "198.18.2.1/24", "2001:db8:2::1/64")
        lab.addresses(friend, "eth0", f"{FRIEND[0]}/24", f"{FRIEND[1]}/64")
        # On the loopback interface, as not every kernel has dummy ones; the addresses are the machine's all the same.
        lab.addresses(internet, "lo", f"{RESOLVER[0]}/32", f"{RESOLVER[1]}/128")
        for host in self.hosts.values():
            lab.addresses(internet, "lo", *(f"{a}/{128 if ':' in a else 32}" for a in host.addresses))
        for namespace, interface in ((phone, "eth0"), (access, "up0"), (internet, "access0"), (friend, "eth0")):
            lab.wait_until_up(namespace, interface)
        for namespace, (v4, v6) in ((phone, ACCESS), (access, ("198.18.1.2", "2001:db8:1::2")),
                                    (friend, ("198.18.2.1", "2001:db8:2::1"))):
            lab.inside(namespace, "ip", "route", "add", "default", "via", v4)
            lab.inside(namespace, "ip", "-6", "route", "add", "default", "via", v6)
        lab.inside(internet, "ip", "route", "add", "198.18.0.0/24", "via", "198.18.1.1")
        lab.inside(internet, "ip", "-6", "route", "add", "2001:db8::/64", "via", "2001:db8:1::1")
        for role in ("phone", "friend", "internet"):
            lab.resolver(self.namespaces[role], RESOLVER[0])
        self.start_resolver()

    def start_resolver(self):
        lines = ["no-resolv", "no-hosts", "bind-interfaces", "user=root", "local-ttl=120", "no-daemon", "cache-size=0",
                 "log-facility=-", "local=/#/", *(f"listen-address={a}" for a in RESOLVER)]
        for host in self.hosts.values():
            lines.append(f"host-record={host.alias or host.name},{','.join(host.addresses)}")
            if host.alias:
                lines.append(f"cname={host.name},{host.alias}")
        lines += self.resolver_lines
        file = self.folder / "dnsmasq.conf"
        file.write_text("\n".join(lines) + "\n", encoding="ascii")
        self.start("internet", "dnsmasq", f"--conf-file={file}", f"--pid-file={self.folder}/dnsmasq.pid")
        self.lab.wait_for_port(self.namespaces["internet"], RESOLVER[0], 53)

    def inside_to_documented(self):
        """The finished sample's addresses by those inside."""
        pairs = {}
        for host in self.hosts.values():
            if host.v4:
                pairs[host.v4] = host.documented_v4
            if host.v6:
                pairs[host.v6] = host.documented_v6
        return pairs

    # Programs

    def environment(self, keys=None, **more):
        values = dict(os.environ, LC_ALL="C.UTF-8", HOME=str(self.folder), PYTHONPATH=str(HERE),
                      PYTHONDONTWRITEBYTECODE="1", SSL_CERT_FILE=str(self.authority),
                      NODE_EXTRA_CA_CERTS=str(self.authority), **more)
        if keys:
            values["SSLKEYLOGFILE"] = str(keys)
        return values

    def keys(self, name):
        """Where a program writes its TLS secrets (NSS key log format); all of them go into the sample."""
        file = self.folder / f"{name}.keys"
        file.touch()
        return file

    def certificate(self, host, key="ec"):
        """Certificate and key of a host (or of a list of names), signed by the lab's authority."""
        names = host.certified if isinstance(host, Host) else list(host)
        stem = f"{names[0]}.{key}"
        pem, secret = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        if not pem.exists():
            made, made_key = certificate(self.folder, f"{stem}@", names, (self.authority, self.authority_key), key)
            made.with_suffix(".pem").rename(pem)
            made_key.with_suffix(".key").rename(secret)
        return pem, secret

    def start(self, role, *command, keys=None, **options):
        """A server or client that is not steered; it ends with the lab. Its words go to programs.log."""
        options.setdefault("env", self.environment(keys))
        return self.lab.start(self.namespaces[role], *command, stdin=subprocess.DEVNULL, stdout=self.log,
                              stderr=subprocess.STDOUT, **options)

    def run(self, role, *command, keys=None, timeout=60, check=True, text=None):
        """Runs a program to its end and gives what it printed; its failure is the lab's unless `check` is false."""
        done = subprocess.run(["ip", "netns", "exec", self.namespaces[role], *map(str, command)], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, env=self.environment(keys))
        self.log.write(done.stderr)
        if check and done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines()
            raise LabError(f"{' '.join(map(str, command))[:160]}: {words[-1] if words else f'status {done.returncode}'}")
        return done.stdout

    def agent(self, role, name, *command, environment=None):
        """Starts a steered program (agent.py) and waits until it is ready."""
        agent = Agent(name, ["ip", "netns", "exec", self.namespaces[role], *command], self.told, self.log,
                      environment or self.environment())
        self.agents.append(agent)
        self.lab.processes.append(agent.process)
        return agent.wait_until_ready()

    def python_agent(self, role, name, file, *arguments):
        """A steered program in Python; its path is relative to tools/lab, its secrets go to NAME.keys."""
        return self.agent(role, name, self.python, HERE / file, *arguments,
                          environment=self.environment(self.keys(name)))

    def told(self, name, kind, what):
        """Keeps a line of truth, of a flow or of an event that somebody told."""
        with self.lock:
            {"truth": self.truth, "flow": self.flows, "event": self.events}[kind].append(what | {"by": name})

    def tell(self, app, kind, **more):
        """A line of truth that an app knows without a program of its own telling it."""
        self.told(app, "truth", {"real": round(time.time(), 6), "app": app, "kind": kind} | more)

    def wait_for_port(self, host, port):
        self.lab.wait_for_port(self.namespaces["internet"], host.addresses[0], port)

    def wait_until_quiet(self, seconds=4.0):
        """Until no packet has passed the phone's interface for QUIET_SECONDS; gives up waiting after `seconds`."""
        counters = [f"/sys/class/net/{PHONE_PORT}/statistics/{c}_packets" for c in ("rx", "tx")]
        deadline, last, since = time.monotonic() + seconds, None, time.monotonic()
        while time.monotonic() < deadline:
            now = self.lab.inside(self.namespaces["access"], "cat", *counters)
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since >= QUIET_SECONDS:
                return True
            time.sleep(0.05)
        return False

    def close(self):
        """Ends the steered programs, the last first, so that their connections close properly."""
        for agent in reversed(self.agents):
            agent.close()
        self.agents.clear()
        if self.link:
            self.link.stop()
        self.log.flush()
