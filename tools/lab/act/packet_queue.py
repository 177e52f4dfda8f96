"""The program behind an NFQUEUE rule: reads packets from the kernel and tells it what becomes of each.

    packet_queue.py BEHAVIOUR

`once` drops the first copy of a segment, `delay` holds every packet for HOLD seconds, `best` drops a record of at
least SHORTEST bytes from the phone for good unless its connection is younger than GRACE seconds. Prints one JSON line when it
listens, and one with its counters when it is told to end. Messages are those of linux/netfilter/nfnetlink_queue.h.
"""

import heapq
import json
import select
import signal
import socket
import struct
import sys
import time

HOLD = 3.0
SHORTEST, GRACE = 427 + 17, 5.0
QUEUE = 5

NETLINK_NETFILTER, SOL_NETLINK, NETLINK_NO_ENOBUFS = 12, 270, 5
SUBSYSTEM, PACKET, VERDICT, CONFIG = 3 << 8, 0, 1, 2
REQUEST, ACK, ERROR = 1, 4, 2
CFG_CMD, CFG_PARAMS, CFG_MAXLEN = 1, 2, 3
BIND, COPY_PACKET = 1, 2
PACKET_HEADER, VERDICT_HEADER, PAYLOAD = 1, 2, 10
DROP, ACCEPT = 0, 1
# Segments and connections that are remembered; the oldest go first.
LARGEST_MEMORY = 65_536


class Segment:
    """What a rule has to know of an IPv4 TCP packet."""

    def __init__(self, packet):
        ip = (packet[0] & 15) * 4
        self.source_port, self.target_port, self.sequence = struct.unpack_from("!HHI", packet, ip)
        self.flow = packet[12:20] + packet[ip : ip + 4]
        self.is_syn = bool(packet[ip + 13] & 0x02)
        self.payload = packet[ip + (packet[ip + 12] >> 4) * 4 : struct.unpack_from("!H", packet, 2)[0]]

    @property
    def record(self):
        """The length of the application-data record that the segment begins with, or 0."""
        data = self.payload
        return int.from_bytes(data[3:5], "big") if len(data) >= 5 and data[:3] == b"\x17\x03\x03" else 0

    def holds(self, sequence):
        return (sequence - self.sequence) & 0xFFFF_FFFF < len(self.payload)


class Memory(dict):
    """A dictionary that forgets its oldest entries."""

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        if len(self) > LARGEST_MEMORY:
            del self[next(iter(self))]


class Once:
    def __init__(self):
        self.seen = Memory()

    def judge(self, segment, now):
        key = segment.flow, segment.sequence
        if key in self.seen:
            return "accept"
        self.seen[key] = True
        return "drop"


class Delay:
    def judge(self, segment, now):
        return "hold"


class Best:
    """Connections that were there before the program count as old."""

    def __init__(self):
        self.begun, self.dropped = Memory(), Memory()

    def judge(self, segment, now):
        if segment.is_syn:
            self.begun[segment.flow] = now
            self.dropped.pop(segment.flow, None)
            return "accept"
        gone = self.dropped.get(segment.flow)
        if gone is not None:
            return "drop" if segment.holds(gone) else "accept"
        if segment.record >= SHORTEST and now - self.begun.get(segment.flow, 0) > GRACE:
            self.dropped[segment.flow] = segment.sequence
            return "drop"
        return "accept"


BEHAVIOURS = {"once": Once, "delay": Delay, "best": Best}


def attribute(kind, data):
    return struct.pack("=HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)


def message(kind, queue, attributes, flags=REQUEST):
    """A netlink message to the queue: nlmsghdr, nfgenmsg, attributes."""
    body = struct.pack("!BBH", socket.AF_UNSPEC, 0, queue) + attributes
    return struct.pack("=IHHII", len(body) + 16, SUBSYSTEM | kind, flags, 0, 0) + body


def attributes(data):
    at = 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        if size < 4:
            return
        yield kind & 0x3FFF, data[at + 4 : at + size]
        at += size + -size % 4


def messages(data):
    """Type and body of each netlink message of a datagram."""
    at = 0
    while at + 16 <= len(data):
        size, kind = struct.unpack_from("=IH", data, at)
        if size < 16:
            return
        yield kind, data[at + 16 : at + size]
        at += size + -size % 4


def opened(queue):
    """A netlink socket to which the kernel hands a queue's packets."""
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    link.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    link.bind((0, 0))
    for words in (attribute(CFG_CMD, struct.pack("!BBH", BIND, 0, socket.AF_INET)),
                  attribute(CFG_PARAMS, struct.pack("!IB", 0xFFFF, COPY_PACKET)),
                  attribute(CFG_MAXLEN, struct.pack("!I", 8192))):
        link.send(message(CONFIG, queue, words, REQUEST | ACK))
        for kind, body in messages(link.recv(65_536)):
            if kind == ERROR and struct.unpack_from("=i", body)[0]:
                number = -struct.unpack_from("=i", body)[0]
                raise OSError(number, f"NFQUEUE cannot be used here: netlink error {number}")
    return link


def main():
    behaviour = BEHAVIOURS[sys.argv[1]]()
    counts = {"seen": 0, "accept": 0, "drop": 0, "hold": 0}
    link = opened(QUEUE)
    held = []

    def verdict(number, what):
        link.send(message(VERDICT, QUEUE, attribute(VERDICT_HEADER, struct.pack("!II", what, number))))

    def end(*_):
        print(json.dumps(counts), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(json.dumps({"ready": True}), flush=True)
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        ready = select.select([link], (), (), wait)[0]
        now = time.monotonic()
        while held and held[0][0] <= now:
            verdict(heapq.heappop(held)[1], ACCEPT)
        if not ready:
            continue
        for kind, body in messages(link.recv(1 << 20)):
            if kind != SUBSYSTEM | PACKET:
                continue
            found = dict(attributes(body[4:]))
            number = struct.unpack_from("!I", found[PACKET_HEADER])[0]
            judged = behaviour.judge(Segment(found[PAYLOAD]), now)
            counts["seen"] += 1
            counts[judged] += 1
            if judged == "hold":
                heapq.heappush(held, (now + HOLD, number))
            else:
                verdict(number, DROP if judged == "drop" else ACCEPT)


if __name__ == "__main__":
    sys.exit(main())
