# SPDX-License-Identifier: BSD-2-Clause
"""From captured frames to GSAKMP messages: IP fragments, UDP datagrams, TCP streams."""
from dataclasses import dataclass

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.utils import PcapReader

from . import registry as reg
from .gsakmp import message_len


@dataclass(frozen=True)
class Captured:
    time: float
    src: str
    dst: str
    sport: int
    dport: int
    transport: str
    octets: bytes


class Fragments:
    """Reassembly of IPv4 and IPv6 fragments. Overlaps keep what came first."""

    def __init__(self):
        self.parts = {}

    def add(self, key, offset, more, octets):
        """The whole payload once it is complete, else None."""
        entry = self.parts.setdefault(key, {"end": None, "at": {}})
        entry["at"].setdefault(offset, octets)
        if not more:
            entry["end"] = offset + len(octets)
        if entry["end"] is None:
            return None
        whole = b""
        for start in sorted(entry["at"]):
            if start > len(whole):
                return None
            whole += entry["at"][start][len(whole) - start:]
        if len(whole) < entry["end"]:
            return None
        del self.parts[key]
        return whole[:entry["end"]]


class Stream:
    """One direction of a TCP connection, in order; messages end where Length says."""

    def __init__(self):
        self.next, self.pending, self.data = None, {}, b""

    def add(self, seq, syn, octets):
        if syn:
            self.next = (seq + 1) % 2**32
            return
        if self.next is None:
            self.next = seq  # the capture began in the middle
        if octets:
            self.pending.setdefault(seq, octets)
        while True:
            ready = [s for s in self.pending if (self.next - s) % 2**32 < 2**31]
            if not ready:
                return
            seq = min(ready, key=lambda s: -((self.next - s) % 2**32))
            octets = self.pending.pop(seq)[(self.next - seq) % 2**32:]
            self.data += octets
            self.next = (self.next + len(octets)) % 2**32

    def messages(self):
        while True:
            need = message_len(self.data)
            if need is None or need < 13 or len(self.data) < need:
                return
            yield self.data[:need]
            self.data = self.data[need:]


def _transport(packet, fragments):
    """(source, destination, parsed UDP or TCP layer) or None."""
    if IP in packet:
        ip = packet[IP]
        if ip.frag or ip.flags.MF:
            payload = bytes(ip.payload)[:ip.len - ip.ihl * 4]  # without Ethernet padding
            whole = fragments.add((ip.src, ip.dst, ip.id, ip.proto), ip.frag * 8,
                                  bool(ip.flags.MF), payload)
            if whole is None or ip.proto != 17:
                return None
            return ip.src, ip.dst, UDP(whole)
    elif IPv6 in packet:
        ip = packet[IPv6]
        if IPv6ExtHdrFragment in packet:
            f = packet[IPv6ExtHdrFragment]
            whole = fragments.add((ip.src, ip.dst, f.id), f.offset * 8, bool(f.m),
                                  bytes(f.payload)[:ip.plen - 8])
            if whole is None or f.nh != 17:
                return None
            return ip.src, ip.dst, UDP(whole)
    else:
        return None
    for cls in (UDP, TCP):
        if cls in packet:
            return ip.src, ip.dst, packet[cls]
    return None


def messages(pcap, ports=(reg.PORT,)):
    """Every GSAKMP message of a capture file, in the order of completion.

    `ports` are those of registration and of the Rekey Events, where they differ."""
    fragments, streams = Fragments(), {}
    with PcapReader(str(pcap)) as reader:
        for packet in reader:
            found = _transport(packet, fragments)
            if found is None or not {found[2].sport, found[2].dport} & set(ports):
                continue
            src, dst, layer = found
            at = float(packet.time)
            if isinstance(layer, UDP):
                octets = bytes(layer.payload)[:max(0, layer.len - 8)]
                if octets:
                    yield Captured(at, src, dst, layer.sport, layer.dport, "udp", octets)
                continue
            key = (src, layer.sport, dst, layer.dport)
            if layer.flags.S:
                streams[key] = Stream()
            stream = streams.setdefault(key, Stream())
            stream.add(layer.seq, bool(layer.flags.S), _tcp_octets(packet, layer))
            for octets in stream.messages():
                yield Captured(at, src, dst, layer.sport, layer.dport, "tcp", octets)


def _tcp_octets(packet, layer):
    """The segment without the padding that Ethernet adds to short frames."""
    if IP in packet:
        size = packet[IP].len - packet[IP].ihl * 4 - layer.dataofs * 4
    else:
        size = packet[IPv6].plen - layer.dataofs * 4
    return bytes(layer.payload)[:max(0, size)]
