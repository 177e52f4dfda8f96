"""The link: its arithmetic anywhere, and the real one in namespaces of its own where there is root."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import frames  # noqa: F401
import link
from link import Line, Link, direction, is_resolution
from network import Lab, LabError


class Properties(unittest.TestCase):
    def test_numbers_for_both_directions_or_one_each(self):
        asked = {"delay_ms": 20, "loss": {"up": 0.1}, "rate_kbps": {"up": 500, "down": 8000}}
        self.assertEqual(direction(asked, "up"),
                         {"delay_ms": 20, "jitter_ms": 0, "loss": 0.1, "rate_kbps": 500, "queue_packets": link.QUEUE_PACKETS})
        self.assertEqual(direction(asked, "down")["loss"], 0)

    def test_what_makes_no_sense_is_refused_in_a_sentence(self):
        for asked in ({"delay_ms": -1}, {"loss": 1.5}, {"loss": "5%"}, {"rate_kbps": {"upwards": 5}}, {"speed": 3}, {"loss": True}):
            with self.assertRaises(LabError):
                Link(None, "a", "a0", "b", "b0", **asked)

    def test_netem_counts_what_is_under_way(self):
        # 8,000 kbit/s for 30 ms are 30,000 bytes, or 19.8 full frames.
        self.assertEqual(link.netem_limit(direction({"delay_ms": 30, "rate_kbps": 8000, "queue_packets": 50}, "up")), 70)


class Arithmetic(unittest.TestCase):
    def setUp(self):
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
        for one, other in pairs:
            self.addCleanup(one.close)
            self.addCleanup(other.close)
            one.setblocking(False), other.setblocking(False)
        (self.inlet, source), (sink, self.outlet) = pairs
        self.files = source.fileno(), sink.fileno()

    def line(self, seed=1, **properties):
        return Line(*self.files, direction(properties, "up"), seed)

    def offered(self, line, count, size=1000):
        for number in range(count):
            self.inlet.send(number.to_bytes(4, "big") + bytes(size - 4))
            line.take()

    def delivered(self):
        found = []
        try:
            while True:
                found.append(int.from_bytes(self.outlet.recv(2000)[:4], "big"))
        except BlockingIOError:
            return found

    def test_delay_is_kept_to_the_frame(self):
        line = self.line(delay_ms=50)
        before = time.monotonic()
        self.offered(line, 3)
        self.assertGreaterEqual(line.give(before + 0.0499), before + 0.05)
        self.assertEqual(self.delivered(), [])
        self.assertIsNone(line.give(time.monotonic() + 0.05))
        self.assertEqual(self.delivered(), [0, 1, 2])

    def test_losses_follow_the_seed(self):
        kept = []
        for seed in (1, 1, 2):
            line = self.line(seed, loss=0.3)
            for start in range(0, 400, 50):
                self.offered(line, 50)
                line.give(time.monotonic() + 1)
            kept.append((self.delivered(), line.lost))
        self.assertEqual(kept[0], kept[1])
        self.assertNotEqual(kept[0], kept[2])
        self.assertTrue(80 < kept[0][1] < 160, kept[0][1])

    def test_resolution_is_never_lost(self):
        arp = bytes(12) + b"\x08\x06" + bytes(28)
        solicitation = bytes(12) + b"\x86\xdd\x60" + bytes(5) + b"\x3a\xff" + bytes(32) + b"\x87" + bytes(23)
        self.assertTrue(is_resolution(arp) and is_resolution(solicitation))
        self.assertFalse(is_resolution(solicitation[:54] + b"\x80" + bytes(23)))
        line = self.line(loss=1)
        for data in (arp, bytes(60), solicitation):
            self.inlet.send(data)
        line.take()
        self.assertEqual((len(line.under_way), line.lost), (2, 1))

    def test_rate_and_queue(self):
        # 1,000 bytes at 800 kbit/s take 10 ms each.
        line = self.line(rate_kbps=800, queue_packets=5)
        before = time.monotonic()
        self.offered(line, 9)
        self.assertEqual(line.dropped, 4)
        for number, (due, _) in enumerate(line.under_way, 1):
            self.assertAlmostEqual(due - before, number * 0.01, delta=0.005)

    def test_jitter_keeps_the_order(self):
        line = self.line(delay_ms=5, jitter_ms=30)
        self.offered(line, 50)
        dues = [due for due, _ in line.under_way]
        self.assertEqual(dues, sorted(dues))
        self.assertGreater(len(set(dues)), 2)
        line.give(time.monotonic() + 1)
        self.assertEqual(self.delivered(), list(range(50)))


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("ip") and os.path.exists("/dev/net/tun"),
                     "SKIPPED: namespaces need root, iproute2 and /dev/net/tun")
class Carrying(unittest.TestCase):
    def test_tcp_over_a_link_with_delay_and_loss(self):
        # A lab that closes takes no more signals; the tests go on and do.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        lab = self.enterContext(Lab("wtlinktest"))
        one, other = lab.namespace("one"), lab.namespace("other")
        made = Link(lab, one, "up0", other, "down0", delay_ms=20, loss={"up": 0.02}, seed=7).start()
        for namespace, interface, host in ((one, "up0", 1), (other, "down0", 2)):
            lab.addresses(namespace, interface, f"198.18.1.{host}/30", f"2001:db8:1::{host}/64")
            lab.wait_until_up(namespace, interface)
            text = lab.inside(namespace, "ip", "link", "show", interface)
            self.assertIn("mtu 1500", text)
        server = lab.start(other, sys.executable, "-c", (
            "import socket, hashlib\n"
            "s = socket.create_server(('::', 7), family=socket.AF_INET6, dualstack_ipv6=True)\n"
            "for _ in range(2):\n"
            "    c, _ = s.accept(); h = hashlib.sha256()\n"
            "    while d := c.recv(65536): h.update(d)\n"
            "    c.sendall(h.digest()); c.close()\n"))
        lab.wait_for_port(other, "", 7)
        for address in ("198.18.1.2", "2001:db8:1::2"):
            done = subprocess.run(["ip", "netns", "exec", one, sys.executable, "-c", (
                "import socket, hashlib, random, time\n"
                f"t = time.monotonic(); c = socket.create_connection(('{address}', 7), 20); t = time.monotonic() - t\n"
                "d = random.Random(1).randbytes(400_000); c.sendall(d); c.shutdown(1)\n"
                "print(c.recv(32) == hashlib.sha256(d).digest(), t)\n")], stdout=subprocess.PIPE, text=True, timeout=60)
            same, seconds = done.stdout.split()
            self.assertEqual(same, "True")
            # Two directions of 20 ms; a lost SYN costs a second.
            self.assertTrue(0.04 <= float(seconds) < 2.5, seconds)
        server.wait(10)
        counters = made.stop()
        self.assertEqual(made.stop(), counters)
        if made.kind == "tap":
            self.assertGreater(counters["up"]["frames"], 500)
            self.assertGreater(counters["up"]["lost"], 0)
            self.assertEqual(counters["down"]["lost"], 0)

    def test_the_link_ends_with_its_parent(self):
        program = (
            f"import sys, os, time; sys.path.insert(0, {str(frames.ROOT / 'tools/lab')!r})\n"
            "from network import Lab; from link import Link\n"
            "lab = Lab('wtlinkend'); a, b = lab.namespace('a'), lab.namespace('b')\n"
            "made = Link(lab, a, 'a0', b, 'b0', delay_ms=1).start()\n"
            "print(made.process.pid if made.process else 0, *lab.namespaces, flush=True); time.sleep(60)\n")
        parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        number, *namespaces = parent.stdout.readline().split()
        try:
            parent.kill()
            parent.wait()
            if number == "0":
                self.skipTest("netem is there: no program of the lab's carries the link")
            deadline = time.monotonic() + 5
            while os.path.exists(f"/proc/{number}") and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertFalse(os.path.exists(f"/proc/{number}"))
        finally:
            parent.stdout.close()
            for namespace in namespaces:
                subprocess.run(["ip", "netns", "delete", namespace], check=False)


if __name__ == "__main__":
    unittest.main()
