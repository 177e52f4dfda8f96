"""The flows of a raw capture, told by addresses and ports."""

import dataclasses
import ipaddress

from sample import pcapng
from sample.packet import ACK, FIN, RST, SYN, TCP, UDP, layers


@dataclasses.dataclass
class Flow:
    """One flow: `source` opened it, `first` is the real time of its first packet in nanoseconds."""

    protocol: str
    source: str
    source_port: int
    target: str
    target_port: int
    first: int
    packets: int = 0
    # whether a SYN or SYN-ACK said who opened it; else it is the sender of the first packet
    is_opener_known: bool = False
    is_closed: bool = dataclasses.field(default=False, repr=False)
    begin: int | None = dataclasses.field(default=None, repr=False)


def flows_of(raw, keep=None):
    """The TCP and UDP flows of a capture file in the order of their first packets.

    Ports that are used again after a FIN or RST make another flow.
    """
    current, out = {}, []
    for packet in pcapng.read(raw).packets:
        there = layers(packet.data)
        if there is None or there.protocol not in (TCP, UDP) or there.transport is None or there.payload is None:
            continue
        if keep is not None and not keep(packet, there):
            continue
        ends = ((there.source, there.source_port), (there.target, there.target_port))
        key = (there.protocol, frozenset(ends))
        flow = current.get(key)
        syn = there.protocol == TCP and there.flags & SYN
        opens = syn and not there.flags & ACK
        if flow is None or opens and flow.is_closed and flow.begin != there.sequence:
            if syn and not opens:
                ends = ends[::-1]
            flow = current[key] = Flow(there.name, text(ends[0][0]), ends[0][1], text(ends[1][0]), ends[1][1], packet.time)
            out.append(flow)
        if opens:
            flow.is_opener_known, flow.begin = True, there.sequence
            flow.source, flow.source_port = text(there.source), there.source_port
            flow.target, flow.target_port = text(there.target), there.target_port
        elif syn:
            flow.is_opener_known = True
        if there.protocol == TCP and there.flags & (FIN | RST):
            flow.is_closed = True
        flow.packets += 1
    return out


def text(octets):
    return str(ipaddress.ip_address(octets))
