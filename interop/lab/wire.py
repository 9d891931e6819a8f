# SPDX-License-Identifier: BSD-2-Clause
"""Reads a pcapng file, also one that is still being written: UDP datagrams, IP fragments put together."""
import ipaddress
import struct
from collections import namedtuple
from pathlib import Path

Datagram = namedtuple("Datagram", "time interface source sport destination dport payload")


def frames(path: Path):
    """(time in seconds, interface number, octets of the frame) of every complete packet block."""
    data, at = Path(path).read_bytes(), 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("=II", data, at)
        if length < 12 or at + length > len(data):
            return
        if kind == 6:
            interface, high, low, captured, _ = struct.unpack_from("=IIIII", data, at + 8)
            yield ((high << 32 | low) / 1e9, interface, data[at + 28:at + 28 + captured])
        at += length


def datagrams(path: Path):
    """Every UDP datagram, once for each segment that it crossed."""
    parts = {}
    for when, interface, frame in frames(path):
        kind, packet = struct.unpack_from(">H", frame, 12)[0] if len(frame) >= 14 else 0, frame[14:]
        if kind == 0x0800 and len(packet) >= 20 and packet[9] == 17:
            header = (packet[0] & 15) * 4
            total, ident, flags = struct.unpack_from(">HHH", packet, 2)
            source, destination, more, offset = packet[12:16], packet[16:20], flags & 0x2000, (flags & 0x1FFF) * 8
            body = packet[header:total]
            if more or offset:
                key = (interface, source, destination, ident)
                pieces = parts.setdefault(key, {})
                pieces[offset] = (body, bool(more))
                body = _whole(pieces)
                if body is None:
                    continue
                del parts[key]
        elif kind == 0x86DD and len(packet) >= 48 and packet[6] == 17:
            source, destination = packet[8:24], packet[24:40]
            body = packet[40:40 + struct.unpack_from(">H", packet, 4)[0]]
        else:
            continue
        if len(body) < 8:
            continue
        sport, dport, length = struct.unpack_from(">HHH", body)
        yield Datagram(when, interface, str(ipaddress.ip_address(source)), sport, str(ipaddress.ip_address(destination)), dport,
                       body[8:length])


def _whole(pieces: dict):
    at, out = 0, b""
    while at in pieces:
        body, more = pieces[at]
        out += body
        at += len(body)
        if not more:
            return out
    return None
