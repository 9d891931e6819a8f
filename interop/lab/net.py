# SPDX-License-Identifier: BSD-2-Clause
"""Networks: hosts on segments, joined by routers that forward unicast and multicast, IPv4 and IPv6.

    with Net() as net:
        lan = net.segment("lan", 1)                  # 10.77.1.0/24 and fd77:1::/64
        far = net.segment("far", 2)
        alice, bob = net.host("alice", lan, 11), net.host("bob", far, 12)
        net.router("router", [lan, far])
        net.multicast("239.1.1.1")
        with bob.listen("239.1.1.1", 5000) as s, alice.sender("239.1.1.1") as out: ...

Hosts are network namespaces named PREFIX + name; each segment is a bridge in the namespace PREFIX + "switch", with one
port per host, named after it.  All of it lives in the sandbox (sandbox.py), which is what guarantees that it goes away;
close() only makes it go away sooner.
"""
import array
import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

from . import LabError, sandbox
from .process import PATIENCE

NETNS = Path("/run/netns")
MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP, IP_MULTICAST_ALL = 42, 46, 49
_SIOCETHTOOL, _ETHTOOL_STXCSUM = 0x8946, 0x17


def _ip(lines: list, netns: str = "") -> None:
    """Many `ip` commands in one process."""
    r = subprocess.run(["ip", *(["-n", netns] if netns else []), "-batch", "-"], input="\n".join(lines) + "\n",
                       capture_output=True, text=True)
    if r.returncode:
        raise LabError(f"ip {netns}: {r.stderr.strip()}\n  in: " + "\n      ".join(lines))


@contextlib.contextmanager
def _inside(netns: str):
    home, there = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(NETNS / netns, os.O_RDONLY)
    try:
        sandbox.setns(there, sandbox.CLONE_NEWNET)
        try:
            yield
        finally:
            sandbox.setns(home, sandbox.CLONE_NEWNET)
    finally:
        os.close(home)
        os.close(there)


def _sysctl(values: dict) -> None:
    for name, value in values.items():
        Path("/proc/sys/net", name).write_text(str(value))


def _checksum_in_software(interface: str) -> None:
    """veth leaves UDP checksums to hardware that is not there: captures would show them all as wrong."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        v = array.array("B", struct.pack("II", _ETHTOOL_STXCSUM, 0))
        fcntl.ioctl(s, _SIOCETHTOOL, struct.pack("16sP", interface.encode(), v.buffer_info()[0]))


class Segment:
    """One broadcast domain.  `number` is its place in the address plan."""

    def __init__(self, net: "Net", name: str, number: int):
        self.net, self.name, self.number = net, name, number
        self.gateway4 = self.gateway6 = None  # set by the first router on it

    def ip4(self, n: int) -> str:
        return f"10.77.{self.number}.{n}"

    def ip6(self, n: int) -> str:
        return f"fd77:{self.number:x}::{n:x}"


class Host:
    """A machine with one interface per segment, eth0 first."""

    def __init__(self, net: "Net", name: str, segments: list, number: int):
        self.net, self.name, self.netns, self.segments = net, name, net.prefix + name, segments
        self.ip4, self.ip6 = segments[0].ip4(number), segments[0].ip6(number)
        self.number = number

    def __repr__(self):
        return f"<Host {self.name} {self.ip4}>"

    def inside(self):
        """Context: this thread is in the host; sockets made here stay the host's."""
        return _inside(self.netns)

    def command(self, argv: list) -> list:
        """What to execute so that argv runs on this host, ending with us even if we are killed."""
        return ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={NETNS / self.netns}", *map(str, argv)]

    def run(self, argv: list, **kw) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(argv), **{"check": True, "capture_output": True, "text": True, **kw})

    def popen(self, argv: list, **kw) -> subprocess.Popen:
        """A long-running program; the network's close() ends it.  Ctrl-C does not reach it: who started it decides."""
        p = subprocess.Popen(self.command(argv), **{"stdin": subprocess.DEVNULL, "start_new_session": True, **kw})
        self.net.children.append(p)
        return p

    def unplug(self) -> None:
        """The interfaces are gone, as when a card is pulled; plug() puts new ones in."""
        self.ip(*(f"link del eth{i}" for i in range(len(self.segments))))

    def plug(self) -> None:
        self.net._wire(self, gateway=False)

    def ip(self, *lines: str) -> None:
        _ip(list(lines), self.netns)

    def udp(self, port: int = 0, family: int = socket.AF_INET, timeout: float = PATIENCE) -> socket.socket:
        with self.inside():
            s = socket.socket(family, socket.SOCK_DGRAM)
            s.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
        s.settimeout(timeout)
        return s

    def listen(self, group: str, port: int, source: str = "", timeout: float = PATIENCE) -> socket.socket:
        """A socket that receives what is sent to the group (from one source only, if given)."""
        with self.inside():
            return multicast_receiver(group, port, "eth0", source, timeout)

    def sender(self, group: str, ttl: int = 8) -> socket.socket:
        with self.inside():
            return multicast_sender(group, "eth0", ttl)


def _sockaddr(address: str) -> bytes:
    """struct sockaddr_storage."""
    if ":" in address:
        a = struct.pack("=HHI", socket.AF_INET6, 0, 0) + socket.inet_pton(socket.AF_INET6, address)
    else:
        a = struct.pack("=HH", socket.AF_INET, 0) + socket.inet_aton(address)
    return a.ljust(128, b"\0")


def multicast_receiver(group: str, port: int, interface: str, source: str = "", timeout: float = PATIENCE) -> socket.socket:
    v6 = ":" in group
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
    if not v6:
        s.setsockopt(level, IP_MULTICAST_ALL, 0)
    s.bind((group, port))
    head = struct.pack("=I4x", socket.if_nametoindex(interface)) + _sockaddr(group)
    if source:
        s.setsockopt(level, MCAST_JOIN_SOURCE_GROUP, head + _sockaddr(source))
    else:
        s.setsockopt(level, MCAST_JOIN_GROUP, head)
    s.settimeout(timeout)
    return s


def multicast_sender(group: str, interface: str, ttl: int = 8) -> socket.socket:
    index = socket.if_nametoindex(interface)
    if ":" in group:
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"", b"", index))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
    return s


class Net:
    def __init__(self, prefix: str = ""):
        if not sandbox.active():
            raise LabError("networks are made in the sandbox only: ./lab sandbox -- COMMAND")
        self.prefix = prefix
        self.switch = prefix + "switch"
        self.segments, self.hosts, self.children, self._routers = {}, {}, [], []
        self._losses = 0
        _ip([f"netns add {self.switch}"])
        _ip(["link set lo up"], self.switch)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def segment(self, name: str, number: int) -> Segment:
        # Without snooping a bridge floods multicast: what a host receives is then decided by what it joined, at once.
        _ip([f"link add name {name} type bridge mcast_snooping 0", f"link set dev {name} up"], self.switch)
        s = self.segments[name] = Segment(self, name, number)
        return s

    def _attach(self, host: Host, gateway: bool) -> None:
        _ip([f"netns add {host.netns}"])
        with host.inside():
            # Addresses are ours alone: no time is spent on asking whether somebody has them.
            _sysctl({"ipv6/conf/default/accept_dad": 0, "ipv6/conf/all/accept_dad": 0})
            if gateway:
                _sysctl({"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1,
                         "ipv4/conf/all/rp_filter": 0, "ipv4/conf/default/rp_filter": 0})
        _ip(["link set lo up"], host.netns)
        self._wire(host, gateway)
        self.hosts[host.name] = host

    def _wire(self, host: Host, gateway: bool) -> None:
        """Interfaces, addresses and routes."""
        lines, ports = [], []
        for i, s in enumerate(host.segments):
            port = host.name if i == 0 else f"{host.name}.{i}"
            lines += [f"link add eth{i} type veth peer name {port} netns {self.switch}",
                      f"addr add {s.ip4(host.number)}/24 dev eth{i}",
                      f"addr add {s.ip6(host.number)}/64 dev eth{i} nodad", f"link set eth{i} up"]
            ports += [f"link set dev {port} master {s.name} up"]
            if not gateway:
                if s.gateway4:
                    lines += [f"route add default via {s.gateway4}", f"route add ::/0 via {s.gateway6}"]
                lines += [f"route add 224.0.0.0/4 dev eth{i}"]
        _ip(lines, host.netns)
        _ip(ports, self.switch)
        with host.inside():
            for i in range(len(host.segments)):
                _checksum_in_software(f"eth{i}")

    def host(self, name: str, segment: Segment, number: int) -> Host:
        h = Host(self, name, [segment], number)
        self._attach(h, gateway=False)
        return h

    def router(self, name: str, segments: list) -> Host:
        """Forwards unicast, and every multicast packet with a TTL left to all its other segments.  Hosts made before get
        their default route here."""
        h = Host(self, name, segments, 1)
        self._attach(h, gateway=True)
        for s in segments:
            if s.gateway4:
                continue
            s.gateway4, s.gateway6 = s.ip4(1), s.ip6(1)
            for other in self.hosts.values():
                if other is not h and other.segments[0] is s:
                    other.ip(f"route add default via {s.gateway4}", f"route add ::/0 via {s.gateway6}")
        p = h.popen([sys.executable, "-m", "lab.mrouter", *(f"eth{i}" for i in range(len(segments)))],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if p.stdout.readline().strip() != "ready":
            raise LabError(f"the multicast router on {name} did not start")
        self._routers.append((h, p))
        return h

    def multicast(self, *groups: str) -> None:
        """The routers forward what any present host sends to these groups, from the first packet on."""
        for router, p in self._routers:
            for group in groups:
                for h in self.hosts.values():
                    if h is router or h.segments[0] not in router.segments:
                        continue
                    source = h.ip6 if ":" in group else h.ip4
                    p.stdin.write(f"{source} {group} eth{router.segments.index(h.segments[0])}\n")
                    p.stdin.flush()
                    if p.stdout.readline().strip() != "ok":
                        raise LabError(f"{router.name} does not route {group} from {source}")

    def lose(self, towards: Host, percent: int = 0, every: int = 0, match: str = "") -> "Loss":
        """Lose a share of what is sent to the host: at random, or deterministically each `every`th.  `match` is an nft
        expression (for instance "udp dport 3761").  Undone by Loss.stop()."""
        return Loss(self, towards, f"numgen random mod 100 < {percent}" if percent else
                    f"numgen inc mod {every} 0" if every else "", match)

    def capture(self, path: Path):
        from .capture import Capture
        return Capture(self, path)

    def close(self) -> None:
        for p in self.children:
            if p.poll() is None:
                p.kill()
        for p in self.children:
            p.wait()
            for f in (p.stdin, p.stdout, p.stderr):
                if f:
                    f.close()
        self.children.clear()
        self._routers.clear()
        names = [n for n in (*(h.netns for h in self.hosts.values()), self.switch) if (NETNS / n).exists()]
        if names:
            _ip([f"netns del {n}" for n in names])
        self.hosts.clear()
        self.segments.clear()


class Loss:
    """An nft rule at the switch port of one host.  Its counter tells how many packets it took."""

    def __init__(self, net: Net, towards: Host, share: str, match: str):
        net._losses += 1
        self.net, self.table = net, f"loss{net._losses}"
        self._nft(f"""table netdev {self.table} {{
            counter taken {{
            }}
            chain out {{
                type filter hook egress device "{towards.name}" priority 0;
                {match} {share} counter name taken drop
            }}
        }}
        """)

    def _nft(self, text: str) -> str:
        with _inside(self.net.switch):
            r = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True)
        if r.returncode:
            raise LabError("nft: " + r.stderr)
        return r.stdout

    def taken(self) -> int:
        out = self._nft(f"list counter netdev {self.table} taken\n")
        return int(out.split("packets")[1].split()[0])

    def stop(self) -> None:
        self._nft(f"delete table netdev {self.table}\n")
