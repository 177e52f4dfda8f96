"""Frames made by hand for the tests, with checksums added up word by word as RFC 1071 writes it."""

import ipaddress
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
ROOT = pathlib.Path(__file__).resolve().parents[3]

PHONE, SERVER, PHONE6, SERVER6 = "198.18.0.10", "198.18.16.2", "2001:db8::10", "2001:db8:16::100"
MACS = bytes.fromhex("0eaa00000001"), bytes.fromhex("0ebb00000002")
SECOND = 10**9


def checksum(data):
    words = sum(struct.unpack(f">{len(data + bytes(len(data) % 2)) // 2}H", data + bytes(len(data) % 2)))
    while words >> 16:
        words = (words & 0xFFFF) + (words >> 16)
    return ~words & 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


def transport(source, target, protocol, data, at):
    """The data with the checksum at an offset filled in."""
    pseudo = packed(source) + packed(target) + struct.pack(">II", len(data), protocol)
    words = checksum((b"" if protocol == 1 else pseudo) + data[:at] + b"\0\0" + data[at + 2 :])
    return data[:at] + struct.pack(">H", 0xFFFF if protocol == 17 and words == 0 else words) + data[at + 2 :]


def ip(source, target, protocol, data, fragment=0):
    if ":" in source:
        return struct.pack(">IHBB", 0x60000000, len(data), protocol, 64) + packed(source) + packed(target) + data
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 7, fragment, 64, protocol, 0) + packed(source) + packed(target)
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + data


def frame(packet, macs=MACS):
    return macs[1] + macs[0] + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


def udp(source, source_port, target, target_port, payload):
    data = struct.pack(">HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    return ip(source, target, 17, transport(source, target, 17, data, 6))


def tcp(source, source_port, target, target_port, sequence, flags, payload=b"", stamps=None):
    options = b"" if stamps is None else struct.pack(">BBBBII", 1, 1, 8, 10, *stamps)
    data = struct.pack(">HHIIBBHHH", source_port, target_port, sequence, 1, (20 + len(options)) << 2, flags, 500, 0, 0)
    return ip(source, target, 6, transport(source, target, 6, data + options + payload, 16))


def icmp(source, target, kind, code, payload):
    protocol = 58 if ":" in source else 1
    return ip(source, target, protocol, transport(source, target, protocol, bytes((kind, code, 0, 0, 0, 0, 0, 0)) + payload, 2))
