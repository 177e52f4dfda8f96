"""A link between two namespaces that has a delay, loses packets, and carries only so much.

Three ways, the first that does: a veth pair where nothing is asked for; netem on a veth pair where the kernel has it;
else two TAP devices with a process of the lab's own between them (this file, run as a program).
"""

import collections
import ctypes
import fcntl
import gc
import json
import os
import pathlib
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time

from network import LabError

MTU = 1500
# The devices have no offloads: no frame is longer than this.
LARGEST_FRAME = MTU + 14
# Frames that one direction holds while they are under way; what comes on top is dropped and counted.
LARGEST_BACKLOG = 20_000
QUEUE_PACKETS = 100
# Frames read from one side before the other side and the clock are looked at again.
BATCH = 64
# A link that ends first lets out what is under way: until it was idle for so long, but no longer than the second.
IDLE_SECONDS, DRAIN_SECONDS = 0.2, 1.5

# linux/if_tun.h, linux/if.h, linux/sockios.h, linux/sched.h, linux/prctl.h
TUNSETIFF, TUNSETCARRIER, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x400454E2, 0x0002, 0x1000
IFF_UP, SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFHWADDR, SIOCSIFTXQLEN = 0x1, 0x8913, 0x8914, 0x8924, 0x8943
ARPHRD_ETHER = 1
CLONE_NEWNET, PR_SET_PDEATHSIG, PR_SET_TIMERSLACK = 0x40000000, 1, 29

LIMITS = {"delay_ms": (0, 10_000), "jitter_ms": (0, 10_000), "loss": (0, 1), "rate_kbps": (8, 10_000_000),
          "queue_packets": (1, LARGEST_BACKLOG)}


class Link:
    """A link from `ns_a` (interface `name_a`) to `ns_b` (interface `name_b`); both interfaces come up with it.

    Each property is a number, or {"up": NUMBER, "down": NUMBER} where up is from a to b: `delay_ms` one way,
    `jitter_ms` added at random up to it without changing the order, `loss` a share of 0 to 1, `rate_kbps` in
    kilobits a second of Ethernet frames, `queue_packets` that wait for the rate before one is dropped.
    """

    def __init__(self, lab, ns_a, name_a, ns_b, name_b, *, seed=0, **properties):
        self.lab, self.ends, self.seed = lab, ((ns_a, name_a), (ns_b, name_b)), seed
        unknown = sorted(set(properties) - set(LIMITS))
        if unknown:
            raise LabError(f"a link has no '{unknown[0]}': {', '.join(LIMITS)}")
        self.directions = {way: direction(properties, way) for way in ("up", "down")}
        self.kind, self.counters, self.process = None, {}, None

    def start(self):
        (ns_a, name_a), (ns_b, name_b) = self.ends
        if not any(any(v for k, v in d.items() if k != "queue_packets") for d in self.directions.values()):
            self.kind = "veth"
            self.lab.link(ns_a, name_a, ns_b, name_b)
        elif has_netem(self.lab, ns_a):
            self.kind = "netem"
            self.lab.link(ns_a, name_a, ns_b, name_b)
            for number, ((namespace, name), way) in enumerate(zip(self.ends, ("up", "down"))):
                self._netem(namespace, name, self.directions[way], (self.seed + number) & 0xFFFF_FFFF)
        else:
            self.kind = "tap"
            self._carry()
        return self

    def _netem(self, namespace, name, of, seed):
        words = ["netem", "limit", str(netem_limit(of))]
        if of["delay_ms"] or of["jitter_ms"]:
            # netem adds jitter to both sides of its delay.
            words += ["delay", f"{of['delay_ms'] + of['jitter_ms'] / 2:.3f}ms"]
            if of["jitter_ms"]:
                words += [f"{of['jitter_ms'] / 2:.3f}ms"]
        if of["loss"]:
            words += ["loss", f"{of['loss'] * 100:.4f}%"]
        if of["rate_kbps"]:
            words += ["rate", f"{of['rate_kbps']}kbit"]
        add = ["tc", "qdisc", "add", "dev", name, "root", *words]
        try:
            self.lab.inside(namespace, *add, "seed", str(seed))
        except LabError:
            # Linux before 6.7, or an iproute2 before it, draws losses without a seed.
            self.lab.inside(namespace, *add)
            self.lab.warnings.append(f"{name}: netem takes no seed here, losses differ between runs")

    def _carry(self):
        if not os.path.exists("/dev/net/tun"):
            raise LabError("the link needs netem or /dev/net/tun: load the module sch_netem or tun")
        told = {"ends": self.ends, "directions": [self.directions["up"], self.directions["down"]], "seed": self.seed}
        self.process = subprocess.Popen([sys.executable, pathlib.Path(__file__).resolve(), json.dumps(told)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lab.processes.append(self.process)
        if self.process.stdout.readline().strip() != "ready":
            words = self.process.stderr.read().strip().splitlines()
            self.process.wait()
            raise LabError(f"the link did not start: {words[-1] if words else f'status {self.process.returncode}'}")

    def stop(self, seconds=DRAIN_SECONDS + 3):
        """Lets out what is under way and ends the link; its counters are in `counters` then. May be called twice."""
        if self.process is None:
            return self.counters
        process, self.process = self.process, None
        try:
            out, _ = process.communicate(timeout=seconds)
            self.counters = json.loads(out)
        except (subprocess.TimeoutExpired, ValueError, OSError):
            process.kill()
            process.wait()
        return self.counters


def direction(properties, way):
    """The numbers of one direction, checked."""
    found = {"delay_ms": 0, "jitter_ms": 0, "loss": 0, "rate_kbps": 0, "queue_packets": QUEUE_PACKETS}
    for key, value in properties.items():
        if isinstance(value, dict):
            if set(value) - {"up", "down"}:
                raise LabError(f"the link's {key} is a number, or 'up' and 'down' with one each")
            value = value.get(way)
        if value is None:
            continue
        low, high = LIMITS[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise LabError(f"the link's {key} is a number from {low} to {high:,}, not {value!r}")
        found[key] = value
    return found


def has_netem(lab, namespace):
    if lab.inside(namespace, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "0ms", check=False):
        return False
    there = "netem" in lab.inside(namespace, "tc", "qdisc", "show", "dev", "lo", check=False)
    if there:
        lab.inside(namespace, "tc", "qdisc", "delete", "dev", "lo", "root", check=False)
    return there


def netem_limit(of):
    """netem counts what is delayed and what waits for the rate in one limit; packets are taken to be full ones."""
    if not of["rate_kbps"]:
        return LARGEST_BACKLOG
    under_way = of["rate_kbps"] * (of["delay_ms"] + of["jitter_ms"]) / 8 / LARGEST_FRAME
    return int(of["queue_packets"] + under_way) + 1


class Line:
    """One direction: what it does to a frame, the frames under way, and what it has counted."""

    def __init__(self, source, sink, of, seed):
        self.source, self.sink = source, sink
        self.delay, self.jitter, self.loss = of["delay_ms"] / 1000, of["jitter_ms"] / 1000, of["loss"]
        self.seconds_per_byte = 8 / (of["rate_kbps"] * 1000) if of["rate_kbps"] else 0.0
        self.room = of["queue_packets"]
        # One stream of numbers for each matter: losses stay where they are when a jitter is added.
        self.lose, self.shake = random.Random(f"{seed}/loss").random, random.Random(f"{seed}/jitter").random
        # (second at which it goes out, frame), in that order
        self.under_way = collections.deque()
        # The seconds at which the frames that wait for the rate have gone onto the line.
        self.waiting = collections.deque()
        self.free_at = self.last_due = 0.0
        self.frames = self.bytes = self.lost = self.dropped = self.longest = self.refused = 0
        self.latest = 0.0

    def take(self):
        """Reads what is there, at most BATCH frames; gives each its fate. Tells how many there were."""
        read, source, under_way, waiting = os.read, self.source, self.under_way, self.waiting
        delay, loss, jitter, slow = self.delay, self.loss, self.jitter, self.seconds_per_byte
        now, count = time.monotonic(), 0
        try:
            while count < BATCH:
                frame = read(source, LARGEST_FRAME)
                count += 1
                if loss and self.lose() < loss and not is_resolution(frame):
                    self.lost += 1
                    continue
                due = now
                if slow:
                    while waiting and waiting[0] <= now:
                        waiting.popleft()
                    if len(waiting) >= self.room:
                        self.dropped += 1
                        continue
                    due = self.free_at = max(self.free_at, now) + len(frame) * slow
                    waiting.append(due)
                elif len(under_way) >= LARGEST_BACKLOG:
                    self.dropped += 1
                    continue
                due += delay
                if jitter:
                    due = self.last_due = max(self.last_due, due + self.shake() * jitter)
                under_way.append((due, frame))
        except BlockingIOError:
            pass
        if len(under_way) > self.longest:
            self.longest = len(under_way)
        return count

    def give(self, now):
        """Sends what is due; tells when the next frame is, or None."""
        under_way, write, sink = self.under_way, os.write, self.sink
        while under_way:
            due, frame = under_way[0]
            if due > now:
                return due
            under_way.popleft()
            try:
                write(sink, frame)
            except OSError:
                # The other interface is down.
                self.refused += 1
                continue
            self.frames += 1
            self.bytes += len(frame)
            if now - due > self.latest:
                self.latest = now - due
        return None

    def counters(self):
        return {"frames": self.frames, "bytes": self.bytes, "lost": self.lost, "dropped": self.dropped,
                "refused": self.refused, "longest_backlog": self.longest, "latest_ms": round(self.latest * 1000, 3)}


def is_resolution(frame):
    """ARP, and neighbour discovery: losing one would cost the second that a link of this kind never takes."""
    kind = frame[12:14]
    return kind == b"\x08\x06" or (kind == b"\x86\xdd" and len(frame) > 54 and frame[20] == 58 and 133 <= frame[54] <= 137)


def carry(lines, control):
    """Moves frames until `control` is closed, and then until none is under way."""
    sources = {line.source: line for line in lines}
    watched, ending, idle_since = [*sources, control], None, 0.0
    while True:
        now, wait = time.monotonic(), None
        for line in lines:
            due = line.give(now)
            if due is not None and (wait is None or due < wait):
                wait = due
        if ending is not None:
            if now > ending or (wait is None and now - idle_since > IDLE_SECONDS):
                return
            wait = min(now + 0.05, wait or now + 0.05)
        # select, not epoll: its time-out is in microseconds here.
        ready = select.select(watched, (), (), None if wait is None else max(0.0, wait - time.monotonic()))[0]
        for file in ready:
            if file == control:
                if os.read(control, 4096) == b"":
                    watched.remove(control)
                    ending = time.monotonic() + DRAIN_SECONDS
                    idle_since = time.monotonic()
            elif sources[file].take() and ending is not None:
                idle_since = time.monotonic()


def tap(namespace, name, address):
    """A TAP device that stands in a namespace, up but without a carrier; this process holds the other end."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as place:
        if libc.setns(place.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"namespace {namespace}")
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    # An interface that gains its carrier while it is up counts as up; one that always had it stays "unknown".
    fcntl.ioctl(file, TUNSETCARRIER, struct.pack("i", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, SIOCSIFHWADDR, struct.pack("16sH6s16x", name.encode(), ARPHRD_ETHER, address))
        # Room for a burst while the other direction is looked after.
        fcntl.ioctl(handle, SIOCSIFTXQLEN, struct.pack("16si20x", name.encode(), 2000))
        flags = struct.unpack_from("H", fcntl.ioctl(handle, SIOCGIFFLAGS, struct.pack("16s24x", name.encode())), 16)[0]
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), flags | IFF_UP))
    fcntl.ioctl(file, TUNSETCARRIER, struct.pack("i", 1))
    return file


def main():
    parent = os.getppid()
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    libc.prctl(PR_SET_TIMERSLACK, 1)
    if os.getppid() != parent:
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except OSError:
        pass
    told = json.loads(sys.argv[1])
    first, second = (tap(namespace, name, bytes((2, 0, 0, 0, 1, number)))
                     for number, (namespace, name) in enumerate(told["ends"], 1))
    up, down = told["directions"]
    lines = (Line(first, second, up, f"{told['seed']}/up"), Line(second, first, down, f"{told['seed']}/down"))
    gc.disable()
    print("ready", flush=True)
    carry(lines, sys.stdin.fileno())
    print(json.dumps({"up": lines[0].counters(), "down": lines[1].counters()}), flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        print(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        sys.exit(2)
