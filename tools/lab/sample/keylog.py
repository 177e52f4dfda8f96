"""TLS secrets in the NSS key log format: those that belong to a capture."""

import pathlib
import re

from sample.packet import UDP
from sample.quic import Hellos
from sample.streams import streams

LINE = re.compile(r"[A-Z][A-Z0-9_]* ([0-9a-fA-F]{64}) [0-9a-fA-F]+")
HANDSHAKE = 22


def read(files):
    """All lines of the files that are secrets, without repetitions."""
    found = set()
    for file in files:
        for line in pathlib.Path(file).read_text(encoding="ascii", errors="replace").splitlines():
            # A program that was ended while it wrote leaves half a line.
            if LINE.fullmatch(line.strip()):
                found.add(line.strip())
    return found


def used(lines, frames, found):
    """The lines whose client random stands in a hello of the capture, sorted."""
    texts, hellos = [], Hellos()
    for stream in streams(frames, found):
        if not stream.segments:
            continue
        for last_wins in (False, True):
            chunks = [bytes(chunk.data) for chunk in stream.chunks(frames, last_wins)]
            texts += chunks
            texts += [without_record_headers(chunk) for chunk in chunks[:1]]
    for frame, layers in zip(frames, found):
        if layers is not None and layers.protocol == UDP and layers.payload is not None and not layers.is_fragment:
            datagram = frame[layers.payload : layers.end]
            # DTLS hellos lie open in the datagram, QUIC's do not.
            texts.append(datagram)
            ends = frozenset(((layers.source, layers.source_port), (layers.target, layers.target_port)))
            hellos.add(ends, datagram)
    randoms = {bytes.fromhex(LINE.fullmatch(line)[1]) for line in lines}
    open_text = b"\0".join(texts)
    seen = {random for random in randoms if random in open_text} | (hellos.randoms() & randoms)
    return sorted(line for line in lines if bytes.fromhex(LINE.fullmatch(line)[1]) in seen)


def without_record_headers(data):
    """The handshake bytes of the records at the beginning of a stream: a hello may lie in many records."""
    out, at = b"", 0
    while at + 5 <= len(data) and data[at] == HANDSHAKE and data[at + 1] == 3:
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        out += data[at + 5 : at + 5 + length]
        at += 5 + length
    return out
