"""Addresses of the inside that a finished sample still names somewhere in its payloads."""

import ipaddress
import re


class Leftovers:
    """Looks for addresses that were to be replaced: as text, and as the bytes of an IPv6 or IPv4 address."""

    def __init__(self, addresses):
        """`addresses` maps bytes to bytes, as rewriting does."""
        gone = sorted(set(i for i, o in addresses.items() if i != o) - set(addresses.values()))
        patterns = []
        for octets in gone:
            text = str(ipaddress.ip_address(octets)).encode("ascii")
            around = rb"[0-9a-fA-F.:]" if len(octets) == 16 else rb"[0-9.]"
            patterns += [b"(?<!" + around + b")" + re.escape(text) + b"(?!" + around.replace(b".", b"") + b")",
                         re.escape(octets)]
        self.pattern = re.compile(b"|".join(patterns)) if patterns else None
        # (protocol, port): packets
        self.found = {}

    def look(self, data, layers):
        if self.pattern is None or layers is None:
            return
        start = layers.payload if layers.payload is not None else layers.transport
        if start is not None and self.pattern.search(data, start, layers.end):
            ports = [p for p in (layers.source_port, layers.target_port) if p]
            key = (layers.name, min(ports, default=0))
            self.found[key] = self.found.get(key, 0) + 1

    def notes(self):
        """A sentence for each protocol and port."""
        return [f"{count} {'packet' if count == 1 else 'packets'} of {name}{f' port {port}' if port else ''} still "
                f"{'names' if count == 1 else 'name'} an address inside in the payload, which was left as it was"
                for (name, port), count in sorted(self.found.items())]
