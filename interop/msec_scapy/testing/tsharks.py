# SPDX-License-Identifier: BSD-2-Clause
"""tshark with the dissector of this project, for tests: datagrams in, fields out."""
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from .. import registry as reg

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "interop/wireshark/gsakmp.lua"
SERVER = "10.0.0.1"


class Frame:
    """What tshark says of one frame: fields in order, the info column, the expert infos."""

    def __init__(self, element):
        self.fields, self.experts = [], []
        for proto in element.iter("proto"):
            if proto.get("name") == "gsakmp":
                self._walk(proto)
        self.names = [name for name, _ in self.fields]

    def _walk(self, element):
        for f in element.findall("field"):
            name = f.get("name", "")
            if name == "_ws.expert.message":
                self.experts.append(f.get("show"))
            if name.startswith("gsakmp.") and not name.startswith("gsakmp.expert."):
                self.fields.append((name[7:], f))
            self._walk(f)

    def octets(self, *names):
        """[(name, octets)] of the fields that are octets of the message."""
        return [(n, bytes.fromhex(f.get("value") or "")) for n, f in self.fields
                if n in names and f.get("value") is not None]

    def shown(self, name):
        return [f.get("show") for n, f in self.fields if n == name]


def tshark(pcap, *args, log=None, ports="", script=SCRIPT):
    command = ["tshark", "-n", "-r", str(pcap), "-X", f"lua_script:{script}", "-o", f"gsakmp.ports:{ports}",
               "-o", f"gsakmp.keylog:{log or ''}", *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in ("Lua Error", "Lua:", "Dissector bug"):
        assert word not in done.stdout + done.stderr
    return done.stdout


def dissect(pcap, **how):
    packets = ElementTree.fromstring(tshark(pcap, "-T", "pdml", **how)).findall("packet")
    return [Frame(p) for p in packets]


def info(pcap, **how):
    return tshark(pcap, "-T", "fields", "-e", "_ws.col.Info", **how).splitlines()


def udp(octets, src="10.0.0.9", dst=SERVER, port=reg.PORT):
    return (Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=src, dst=dst)
            / UDP(sport=40000, dport=port) / octets)


def saved(path, frames):
    wrpcap(str(path), [Ether(bytes(f)) for f in frames])
    return path


def accounted(frame, octets):
    """Every octet of the datagram lies in a field that has no fields below it."""
    seen = bytearray(len(octets))
    start = min(int(f.get("pos")) for _, f in frame.fields if f.get("size") != "0")

    def leaf(f):
        return not any(s.get("name", "").startswith("gsakmp.") and s.get("size") != "0" for s in f.findall("field"))
    for _, f in frame.fields:
        if leaf(f) and f.get("value"):
            at, size = int(f.get("pos")) - start, int(f.get("size"))
            seen[at:at + size] = b"\1" * size
    return 0 not in seen[:len(octets)]
