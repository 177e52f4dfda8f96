"""Makes a finished sample of a raw capture: rewritten packets, TLS secrets inside, and descriptions of its own."""

import dataclasses
import pathlib

from sample import keylog, pcapng
from sample.flows import flows_of
from sample.leftovers import Leftovers
from sample.packet import layers
from sample.rewrite import STATIONS, Rewriter
from sample.truth import finish_truth, line_of, record, same_truth

__all__ = ["Finished", "finish", "finish_truth", "flows_of", "line_of", "record", "same_truth"]


@dataclasses.dataclass
class Finished:
    """What a finished sample holds. `start` and `end` are nanoseconds of the scenario's clock."""

    packets: int
    bytes: int
    flows: int
    start: int
    end: int
    # TLS connections whose secrets are inside
    secrets: int
    # packets that were left out, by reason
    left_out: dict
    # STUN messages whose MESSAGE-INTEGRITY no longer holds
    integrity_broken: int
    # packets with a wrong checksum, as they were sent
    checksums_wrong: int
    # packets that still name an address inside, by protocol and port
    leftovers: dict
    # sentences for the manifest
    notes: list


def finish(raw, keys, addresses, jumps, out, comment="", interface=("lab0", ""), interface_comment="", keep=None,
           packet_comments=None, names=None, stations=STATIONS):
    """Writes the finished sample of the capture `raw` to `out`.

    `keys` are files of TLS secrets, `addresses` maps those inside to those of the sample, `jumps` are pairs (real
    second, seconds added from then on), `keep(packet, layers)` says which packets are of interest, `packet_comments`
    maps numbers from 1 in the finished file to texts, `names` addresses of the finished file to names.
    """
    capture = pcapng.read(raw)
    if not capture.packets:
        raise pcapng.CaptureError(f"{raw}: no packets")
    rewriter = Rewriter(addresses, jumps, stations)
    # The secrets are looked for in what was captured, before a byte of it changes.
    wanted = [p for p in capture.packets if keep is None or keep(p, layers(p.data))]
    secrets = keylog.used(keylog.read(keys), [p.data for p in wanted], [layers(p.data) for p in wanted])
    packets = rewriter.rewrite(capture.packets, keep)
    if not packets:
        raise pcapng.CaptureError(f"{raw}: no packets of interest")
    leftovers = Leftovers(rewriter.addresses)
    for packet in packets:
        leftovers.look(packet.data, layers(packet.data))
    for number, words in (packet_comments or {}).items():
        if not 1 <= number <= len(packets):
            raise pcapng.CaptureError(f"a comment for packet {number} of {len(packets)}")
        packets[number - 1].comment = words
    out = pathlib.Path(out)
    description = pcapng.Description(comment, interface[0], interface[1], interface_comment, capture.snaplen)
    pcapng.write(out, packets, description, "".join(f"{line}\n" for line in secrets), names)
    counts = rewriter.counts
    times = [packet.time for packet in packets]
    return Finished(
        packets=len(packets), bytes=out.stat().st_size, flows=len(flows_of(out)), start=min(times), end=max(times),
        secrets=len({keylog.LINE.fullmatch(line)[1].lower() for line in secrets}), left_out=counts.left_out,
        integrity_broken=counts.integrity_broken, checksums_wrong=counts.checksums_wrong, leftovers=leftovers.found,
        notes=notes(counts, rewriter.addresses) + leftovers.notes())


def notes(counts, addresses):
    """What a reader of the sample has to know of its rewriting, a sentence each."""
    found = []
    if any(inside != outside for inside, outside in addresses.items()):
        words = f"the addresses inside became those of hosts.yaml in {counted(counts.addressed, 'packet')}, with all checksums"
        places = [f"{number:,} of {name}" for number, name in
                  ((counts.dns_addresses, "DNS"), (counts.stun_addresses, "STUN")) if number]
        if places:
            words += f", and so did addresses in messages: {' and '.join(places)}"
        found.append(words + "; what travels encrypted was left as it was")
    if counts.left_out:
        found.append("left out: " + ", ".join(f"{counted(n, 'packet')} ({reason})"
                                              for reason, n in sorted(counts.left_out.items())))
    if counts.integrity_broken:
        found.append(f"MESSAGE-INTEGRITY no longer holds in {counted(counts.integrity_broken, 'STUN message')}, because an "
                     "address in it was replaced; FINGERPRINT does")
    if counts.checksums_wrong:
        found.append(f"the checksum is wrong, as it was sent, in {counted(counts.checksums_wrong, 'packet')}")
    return found


def counted(number, word):
    return f"{number:,} {word}{'' if number == 1 else 's'}"
