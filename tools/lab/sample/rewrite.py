"""Rewrites the packets of a raw capture: addresses, what they are covered by, MAC addresses, and times.

Every change keeps the length. A checksum that was right is right afterwards; one that was wrong, as a scenario may
want it, stays wrong.
"""

import dataclasses
import ipaddress

from sample import dns, stun
from sample.clock import Clock, Timestamps
from sample.packet import (
    CHECKSUM_AT, ICMP, ICMPV6, LINK_LOCAL_TYPES, TCP, UDP, ip_layers, layers, moved, pseudo_header, total,
    transport_is_right)
from sample.pcapng import CaptureError, Packet
from sample.streams import streams

# ICMP messages that quote the packet they answer: RFC 792 and RFC 1191; RFC 4443
QUOTING = {ICMP: {3, 4, 5, 11, 12}, ICMPV6: {1, 2, 3, 4}}
# An address that is a station's own, and the last byte of its MAC address; others are numbered from 1.
STATIONS = {"198.18.0.10": 0x10, "2001:db8::10": 0x10}


def address_map(pairs):
    """Pairs of addresses as text, checked, as a mapping of bytes."""
    found = {}
    for inside, outside in pairs.items():
        one, other = ipaddress.ip_address(inside), ipaddress.ip_address(outside)
        if one.version != other.version:
            raise CaptureError(f"{inside} cannot become {outside}: they are of two families")
        found[one.packed] = other.packed
    if len(set(found.values())) != len(found):
        raise CaptureError("two addresses inside become the same one")
    return found


@dataclasses.dataclass
class Counts:
    """What rewriting met and did; numbers are of packets unless they say otherwise."""

    left_out: dict = dataclasses.field(default_factory=dict)
    addressed: int = 0
    dns_addresses: int = 0
    stun_addresses: int = 0
    # STUN messages whose MESSAGE-INTEGRITY no longer holds
    integrity_broken: int = 0
    # packets whose IP or transport checksum was wrong in the raw capture, and still is
    checksums_wrong: int = 0
    # echoed TCP timestamps whose original the capture does not hold
    timestamps_guessed: int = 0


class Rewriter:
    """Rewrites one capture. With `stations` None MAC addresses stay as they are."""

    def __init__(self, addresses, jumps=(), stations=STATIONS):
        self.addresses, self.clock = address_map(addresses), Clock(jumps)
        self.timestamps, self.changes, self.counts = Timestamps(self.clock), stun.Changes(), Counts()
        self.stations = None if stations is None else {
            ipaddress.ip_address(address).packed: number for address, number in stations.items()}
        self.macs = {}

    def rewrite(self, packets, keep=None):
        """The finished packets. Frames that are not IP, and the link's own housekeeping, are left out and counted;
        so is what `keep`, called with packet and layers, does not want."""
        kept, found = [], []
        for packet in packets:
            there = layers(packet.data)
            reason = self._unwanted(packet, there) or (None if keep is None or keep(packet, there) else "of no interest")
            if reason:
                self.counts.left_out[reason] = self.counts.left_out.get(reason, 0) + 1
                continue
            kept.append(packet)
            found.append(there)
        if self.stations is not None:
            self._name_macs(kept, found)
        patches = self._stream_patches([packet.data for packet in kept], found)
        out = []
        for number, (packet, there) in enumerate(zip(kept, found)):
            data = bytearray(packet.data)
            self._ip(data, there, packet.time, patches.get(number, ()))
            for at in (0, 6) if self.macs else ():
                data[at : at + 6] = self.macs.get(bytes(data[at : at + 6]), data[at : at + 6])
            out.append(Packet(self.clock.moved(packet.time), bytes(data), packet.length, packet.link, packet.comment))
        self.counts.stun_addresses = self.changes.addresses
        self.counts.integrity_broken = self.changes.integrity_broken
        self.counts.timestamps_guessed = self.timestamps.guessed
        return out

    def _unwanted(self, packet, there):
        if there is None:
            kind = int.from_bytes(packet.data[12:14], "big") if len(packet.data) >= 14 else 0
            return {0x0806: "ARP", 0x8100: "VLAN", 0x0800: "IP that cannot be read",
                    0x86DD: "IP that cannot be read"}.get(kind, "not IP")
        if there.protocol == ICMPV6 and there.transport is not None and there.end > there.transport:
            if packet.data[there.transport] in LINK_LOCAL_TYPES:
                return "neighbour discovery and multicast listeners"
        return None

    def _name_macs(self, packets, found):
        number = 0
        senders = {}
        for packet, there in zip(packets, found):
            senders.setdefault(packet.data[6:12], set()).add(there.source)
            # A receiver that never answers has a place too; groups and everybody keep their addresses.
            if not packet.data[0] & 1:
                senders.setdefault(packet.data[0:6], set())
        for mac, sources in senders.items():
            own = next((self.stations[s] for s in sorted(sources) if s in self.stations), None)
            if own is None:
                number += 1
                own = number
            self.macs[mac] = bytes((2, 0, 0, 0, 0, own))

    def _stream_patches(self, frames, found):
        """Changes to TCP payloads that only the whole stream shows, as {packet: [(offset in the frame, bytes)]}."""
        patches = {}
        for stream in streams(frames, found):
            if not stream.has_begin or not stream.segments:
                continue
            chunk = stream.chunks(frames)[0]
            if chunk.at != 0:
                continue
            before = bytes(chunk.data)
            if dns.PORT in (stream.key[1], stream.key[3]):
                self.counts.dns_addresses += dns.rewrite_stream(chunk.data, 0, len(chunk.data), self.addresses)
            elif stun.length_at(before, 0, len(before)):
                stun.rewrite_stream(chunk.data, 0, len(chunk.data), self.addresses, self.changes)
            if chunk.data == before:
                continue
            changed = [at for at in range(len(before)) if before[at] != chunk.data[at]]
            for offset, packet, place, length in stream.segments:
                for at in changed:
                    # An overlapping segment with other bytes keeps them.
                    if offset <= at < offset + length and frames[packet][place + at - offset] == before[at]:
                        patches.setdefault(packet, []).append((place + at - offset, chunk.data[at : at + 1]))
        return patches

    def _ip(self, data, found, time, patches=(), depth=0):
        """Rewrites the IP packet at found.ip in place, and once more the packet that ICMP quotes in it."""
        was_right = transport_is_right(data, found) if depth == 0 else None
        ip_was_right = found.version == 6 or total(data[found.ip : self._header_end(data, found)]) == 0
        if depth == 0 and (was_right is False or not ip_was_right):
            self.counts.checksums_wrong += 1
        before = None if found.transport is None else total(data[found.transport : found.end]) + pseudo_header(found)

        for place, octets in patches:
            data[place : place + len(octets)] = octets
        if found.payload is not None and not found.is_fragment:
            if found.protocol == UDP:
                self._datagram(data, found)
            elif found.protocol == TCP:
                self.timestamps.move(data, found, time, is_quoted=depth > 0)
            elif depth == 0 and data[found.transport] in QUOTING.get(found.protocol, ()):
                quoted = ip_layers(data, found.payload, found.end)
                if quoted:
                    self._ip(data, quoted, time, depth=1)
        ends = self._addresses(data, found)
        if depth == 0 and ends != (found.source, found.target):
            self.counts.addressed += 1
        if before is not None:
            self._settle(data, found, before, ends)
        if was_right and not transport_is_right(data, layers(data)):
            raise CaptureError(f"the {found.name} checksum of a packet is wrong after it was rewritten")

    def _header_end(self, data, found):
        return min(found.ip + (data[found.ip] & 15) * 4, found.end)

    def _addresses(self, data, found):
        """Puts the finished addresses into the IP header, and IPv4's checksum with them."""
        source, target = (self.addresses.get(a, a) for a in (found.source, found.target))
        at = found.ip + (12 if found.version == 4 else 8)
        size = len(source)
        if (source, target) != (found.source, found.target):
            data[at : at + 2 * size] = source + target
            if found.version == 4:
                self._put(data, found.ip + 10, total(found.source + found.target), total(source + target))
        return source, target

    def _settle(self, data, found, before, ends):
        """Makes the transport's checksum agree with what has changed since `before`."""
        at = CHECKSUM_AT.get(found.protocol)
        if at is None or found.transport + at + 2 > found.end:
            return
        place = found.transport + at
        if found.protocol == UDP and found.version == 4 and data[place : place + 2] == b"\0\0":
            return
        pseudo = 0 if found.protocol == ICMP else total(ends[0] + ends[1]) + found.protocol
        after = total(data[found.transport : found.end]) + pseudo
        self._put(data, place, before, after, none_is_zero=found.protocol == UDP)

    def _put(self, data, place, before, after, none_is_zero=False):
        if (after - before) % 0xFFFF == 0:
            return
        value = moved(int.from_bytes(data[place : place + 2], "big"), before, after)
        # RFC 768: a checksum of 0 says that there is none, so it is sent as its complement.
        data[place : place + 2] = (0xFFFF if none_is_zero and value == 0 else value).to_bytes(2, "big")

    def _datagram(self, data, found):
        if dns.PORT in (found.source_port, found.target_port):
            if found.is_whole:
                self.counts.dns_addresses += dns.rewrite(data, found.payload, found.end, self.addresses) or 0
        else:
            stun.rewrite_datagram(data, found.payload, found.end, self.addresses, self.changes)
