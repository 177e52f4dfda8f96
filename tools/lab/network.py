"""Network namespaces that only know each other: no route and no address leads out of them.

Needs root and iproute2. Everything made here goes away when the `with` block ends, by whatever way it ends.
"""

import array
import atexit
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

SIOCETHTOOL = 0x8946
# linux/ethtool.h: receive and transmit checksums, scatter-gather, TSO, GSO, GRO
OFFLOADS = {"rx": 0x15, "tx": 0x17, "sg": 0x19, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}


class LabError(Exception):
    """Something that the lab needs and does not have, in a sentence for a person."""


def run(*command, check=True, **options):
    """Runs a command quietly; its own words become the error."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if check and done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise LabError(f"{' '.join(map(str, command))}: {words[-1] if words else f'status {done.returncode}'}")
    return done.stdout


def require(*programs):
    """Root, Linux, and these programs on PATH."""
    if not sys.platform.startswith("linux"):
        raise LabError("network namespaces are Linux's: run this there")
    if os.geteuid() != 0:
        raise LabError("network namespaces need root: run it with sudo")
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        raise LabError(f"not installed: {' '.join(missing)}")


def without_offloads(interface):
    """Turns segmentation offloads and checksum offload off, so that packets are seen as a wire would carry them.

    Returns what could not be turned off.
    """
    refused = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for name, command in OFFLOADS.items():
            value = array.array("B", struct.pack("=II", command, 0))
            request = struct.pack("16sP16x", interface.encode(), value.buffer_info()[0])
            try:
                fcntl.ioctl(handle, SIOCETHTOOL, request)
            except OSError:
                refused.append(name)
    return refused


class Lab:
    """A set of namespaces, the processes in them, and a scratch folder."""

    def __init__(self, name):
        self.prefix = f"{name}{os.getpid()}"
        self.namespaces = []
        self.processes = []
        self.is_open = False
        self.warnings = []

    def __enter__(self):
        self.is_open = True
        # A signal becomes an exception, so that the way out is always the same.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda n, _: sys.exit(128 + n))
        atexit.register(self.close)
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the processes, then removes the namespaces and with them the interfaces."""
        if not self.is_open:
            return
        self.is_open = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + 3
        for process in self.processes:
            try:
                process.wait(max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "delete", namespace], stderr=subprocess.DEVNULL)
            shutil.rmtree(pathlib.Path("/etc/netns") / namespace, ignore_errors=True)

    def namespace(self, role):
        name = f"{self.prefix}-{role}"
        run("ip", "netns", "add", name)
        self.namespaces.append(name)
        self.inside(name, "ip", "link", "set", "lo", "up")
        # Addresses are ready at once, and no address of another's choosing appears.
        for key in ("all", "default"):
            self.sysctl(name, f"ipv6/conf/{key}/accept_dad", 0)
            self.sysctl(name, f"ipv6/conf/{key}/dad_transmits", 0)
            self.sysctl(name, f"ipv6/conf/{key}/accept_ra", 0)
            self.sysctl(name, f"ipv6/conf/{key}/router_solicitations", 0)
        return name

    def sysctl(self, namespace, key, value):
        self.inside(namespace, "sh", "-c", 'echo "$2" > "/proc/sys/net/$1"', "sh", key, str(value), check=False)

    def inside(self, namespace, *command, **options):
        return run("ip", "netns", "exec", namespace, *command, **options)

    def start(self, namespace, *command, **options):
        """Starts a process in a namespace; it ends with the lab."""
        process = subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, command)], **options)
        self.processes.append(process)
        return process

    def link(self, one, one_name, other, other_name):
        """Joins two namespaces by a veth pair without offloads, and brings it up."""
        first, second = f"wt{os.getpid()}a", f"wt{os.getpid()}b"
        run("ip", "link", "add", first, "type", "veth", "peer", "name", second)
        try:
            for interface in (first, second):
                refused = without_offloads(interface)
                if {"gso", "tso", "gro"} & set(refused):
                    self.warnings.append(f"{interface}: {', '.join(refused)} stay on: packets may be larger than a wire's")
            run("ip", "link", "set", first, "netns", one, "name", one_name)
            run("ip", "link", "set", second, "netns", other, "name", other_name)
        except BaseException:
            run("ip", "link", "delete", first, check=False)
            raise
        self.inside(one, "ip", "link", "set", one_name, "up")
        self.inside(other, "ip", "link", "set", other_name, "up")

    def addresses(self, namespace, interface, *prefixes):
        for prefix in prefixes:
            extra = ("nodad",) if ":" in prefix else ()
            self.inside(namespace, "ip", "address", "add", prefix, "dev", interface, *extra)

    def resolver(self, namespace, address):
        """Names are asked of this address; `ip netns exec` lays the file over /etc/resolv.conf."""
        folder = pathlib.Path("/etc/netns") / namespace
        folder.mkdir(parents=True)
        (folder / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:2 attempts:2\n", encoding="ascii")

    def wait_until_up(self, namespace, interface, seconds=10):
        """A veth counts as up some time after it was told to; the first packets before that are lost."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.inside(namespace, "cat", f"/sys/class/net/{interface}/operstate", check=False).strip()
            if state == "up":
                return
            time.sleep(0.05)
        raise LabError(f"{interface} did not come up in {seconds} s")

    def packet_sockets(self, namespace):
        """How many packet sockets are open in a namespace: a capture program that is ready has one."""
        lines = self.inside(namespace, "cat", "/proc/net/packet", check=False).splitlines()
        return max(0, len(lines) - 1)

    def wait_for_captures(self, namespace, count, processes, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.packet_sockets(namespace) >= count:
                time.sleep(0.3)
                return
            for process in processes:
                if process.poll() is not None:
                    raise LabError(f"a capture ended with status {process.returncode} before it began")
            time.sleep(0.05)
        raise LabError(f"the captures were not ready after {seconds} s")

    def wait_for_port(self, namespace, address, port, seconds=10):
        """Waits until something listens, without connecting to it."""
        wanted = f"{port:04X}"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for table in ("tcp", "tcp6"):
                rows = self.inside(namespace, "cat", f"/proc/net/{table}", check=False).splitlines()[1:]
                for row in rows:
                    fields = row.split()
                    if len(fields) > 3 and fields[3] == "0A" and fields[1].rsplit(":", 1)[1] == wanted:
                        return
            time.sleep(0.05)
        raise LabError(f"nothing listens on {address} port {port} after {seconds} s")


def certificate(folder, name, names, authority=None, key="ec", days=90):
    """Makes a key and a certificate with openssl; without an authority, one that can sign others.

    Returns the paths of the certificate and of the key.
    """
    folder = pathlib.Path(folder)
    stem = folder / name
    pem, secret = stem.with_suffix(".pem"), stem.with_suffix(".key")
    make = ["-newkey", "rsa:2048"] if key == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    common = ["openssl", "req", *make, "-nodes", "-keyout", secret, "-subj", f"/CN={names[0]}"]
    if authority is None:
        run(*common, "-x509", "-days", str(days), "-out", pem, "-addext", "keyUsage=critical,keyCertSign")
        return pem, secret
    request, extensions = stem.with_suffix(".csr"), stem.with_suffix(".ext")
    extensions.write_text("subjectAltName=" + ",".join(f"DNS:{n}" for n in names) + "\n", encoding="ascii")
    run(*common, "-out", request)
    run("openssl", "x509", "-req", "-in", request, "-CA", authority[0], "-CAkey", authority[1], "-CAcreateserial",
        "-days", str(days), "-extfile", extensions, "-out", pem)
    return pem, secret


if __name__ == "__main__":
    # Inside a namespace: the offloads of the named interfaces go off.
    for interface in sys.argv[1:]:
        without_offloads(interface)
