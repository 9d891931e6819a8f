# SPDX-License-Identifier: BSD-2-Clause
"""Run in a guest (guest.py), whose kernel has ESP and AH: what that kernel says to our messages.

    python3 -m lab.esp vectors      every message of interop/vectors/xfrm is acknowledged
    python3 -m lab.esp traffic      SAs of several kinds carry multicast between hosts, and follow each other without loss
    python3 -m lab.esp members      the same with gdoi-gm on each host, and a key server
    python3 -m lab.esp killed       a gdoi-gm is killed, and the next one finds what it left
"""
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from msec_scapy.xfrm import IN, OUT, Sa

from . import TOP, LabError, sandbox

NETLINK_XFRM, ERROR = 6, 2
# Seconds for what has to come in a machine that is emulated, by one that may have other things to do.
SLOW = 300
VECTORS = TOP / "interop/vectors/xfrm/messages.json"
RECEIVE_BUFFERS = Path("/proc/sys/net/core/rmem_max")


class Xfrm:
    """A netlink socket; messages go out as they are."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)
        self.socket.bind((0, 0))
        self.socket.settimeout(SLOW)

    def send(self, message: bytes) -> int:
        """The errno value of the acknowledgement; 0 for none."""
        self.socket.send(message)
        data = self.socket.recv(65536)
        kind = struct.unpack_from("=H", data, 4)[0]
        if kind != ERROR:
            raise LabError(f"netlink message of type {kind}")
        return -struct.unpack_from("=i", data, 16)[0]


def orders(vector: dict) -> list:
    """The messages of a vector in an order that makes sense."""
    m = vector["messages"]
    if len(m) == 1:
        return ["NEWSA"]
    ways = ("in", "out", "fwd")
    return (["NEWSA", "UPDSA"] + [f"NEWPOLICY {w}" for w in ways] + [f"UPDPOLICY {w}" for w in ways] + [f"DELPOLICY {w}" for w in ways]
            + [f"NEWPOLICY {w} block" for w in ways] + [f"DELPOLICY {w}" for w in ways] + ["DELSA"])


def vectors() -> int:
    """Each in an order; what is left is flushed.  The kernel has no Camellia or RIPEMD where it was built without them."""
    kernel, failed, count = Xfrm(), [], 0
    document = json.loads(VECTORS.read_text())
    for vector in document["vectors"]:
        for name in orders(vector) if "messages" in vector else ():
            count += 1
            error = kernel.send(bytes.fromhex(vector["messages"][name]))
            if error:
                failed.append(f"{vector['id']}: {name}: {os.strerror(error)}")
        subprocess.run(["ip", "xfrm", "state", "flush"], check=True)
        subprocess.run(["ip", "xfrm", "policy", "flush"], check=True)
    for b in document["bypass"]:
        error = kernel.send(bytes.fromhex(b["message"]))
        if error:
            failed.append(f"bypass {b['dst']}: {os.strerror(error)}")
    print(json.dumps({"messages": count, "failed": failed}))
    return 0


# -- traffic ------------------------------------------------------------------------------------------------------------

KEY, SALTED, HMAC = bytes(range(16)).hex(), bytes(range(20)).hex(), bytes(range(64, 96)).hex()
CBC = {"protocol": "esp", "transform": 12, "key": KEY, "authentication": 5, "integrity": HMAC}
KINDS = {
    "ESP transport, CBC, any source": {**CBC, "spi": "00001001", "src": "", "dst": "239.1.1.1"},
    "ESP tunnel, CBC, any source": {**CBC, "spi": "00001002", "src": "", "dst": "239.1.1.2", "tunnel": True},
    "ESP transport, GCM": {"protocol": "esp", "transform": 20, "key": SALTED, "spi": "00001003", "src": "", "dst": "239.1.1.3"},
    "ESP transport, CTR": {"protocol": "esp", "transform": 13, "key": SALTED, "authentication": 2, "integrity": bytes(20).hex(),
                           "spi": "00001004", "src": "", "dst": "239.1.1.4"},
    "ESP transport, GMAC": {"protocol": "esp", "transform": 23, "key": SALTED, "spi": "00001005", "src": "", "dst": "239.1.1.5"},
    "AH transport": {"protocol": "ah", "transform": 5, "authentication": 5, "integrity": HMAC, "spi": "00001006", "src": "", "dst": "239.1.1.6"},
    "IPv6 ESP transport, CCM": {"protocol": "esp", "transform": 16, "key": bytes(range(19)).hex(), "spi": "00001007", "src": "", "dst": "ff15::7"},
    "IPv6 ESP tunnel, CBC": {**CBC, "spi": "00001008", "src": "", "dst": "ff15::8", "tunnel": True},
}


class Frames:
    """What a host that has no key sees on its wire: IP protocols of packets to one group."""

    def __init__(self, host, group: str):
        with host.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.bind(("eth0", 0))
        self.socket.setblocking(False)
        self.want = socket.inet_pton(socket.AF_INET6 if ":" in group else socket.AF_INET, group)

    def protocols(self) -> dict:
        seen = {}
        while True:
            try:
                f = self.socket.recv(65536)
            except BlockingIOError:
                return seen
            v4, v6 = f[12:14] == b"\x08\0" and f[30:34] == self.want, f[12:14] == b"\x86\xdd" and f[38:54] == self.want
            if v4 or v6:
                protocol = f[23] if v4 else f[20]
                seen[protocol] = seen.get(protocol, 0) + 1


class Member:
    def __init__(self, host, group: str):
        self.host, self.group = host, group
        with host.inside():
            self.kernel = Xfrm()
        self.out, self.inn = host.sender(group), host.listen(group, 5000)
        # What came back from a tunnel to its own sender would be martian.
        if ":" in group:
            self.out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        else:
            self.out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)

    def order(self, message: bytes) -> None:
        error = self.kernel.send(message)
        if error:
            raise LabError(f"{self.host.name}: {os.strerror(error)}")

    def sa(self, kind: dict) -> Sa:
        local = self.host.ip6 if ":" in self.group else self.host.ip4
        return Sa(kind, {"reqid": 848000, "priority": 2000, "window": 64, "random_iv": True, "local": local})

    def install(self, kind: dict) -> None:
        sa = self.sa(kind)
        for message in (sa.state(), sa.policy(IN), sa.policy(OUT)):
            self.order(message)

    def send(self, *texts: str) -> None:
        for t in texts:
            self.out.sendto(t.encode(), (self.group, 5000))

    def receive(self, count: int) -> list:
        return sorted(self.inn.recv(2000).decode() for _ in range(count))


def one_kind(hosts: dict, kind: dict) -> dict:
    members = {n: Member(hosts[n], kind["dst"]) for n in ("alice", "bob", "carol")}
    for m in members.values():
        m.install(kind)
    watch, outsider = Frames(hosts["eve"], kind["dst"]), hosts["eve"].listen(kind["dst"], 5000)
    members["alice"].send(*(f"alice {i}" for i in range(5)))
    members["bob"].send(*(f"bob {i}" for i in range(5)))
    got = {n: m.receive(10 if n == "carol" else 5) for n, m in members.items()}
    outsider.setblocking(False)
    try:
        heard = outsider.recv(2000).decode(errors="replace")
    except BlockingIOError:
        heard = None
    return {"received": {n: len(set(g)) for n, g in got.items()}, "outsider": heard, "protocols": watch.protocols()}


def rollover(hosts: dict) -> dict:
    """The new SA receives first, then sends in place of the old one, which goes; numbered datagrams all along."""
    old = {**CBC, "spi": "00002001", "src": "", "dst": "239.1.2.1"}
    new = {**old, "spi": "00002002", "key": bytes(range(100, 116)).hex()}
    members = [Member(hosts[n], old["dst"]) for n in ("alice", "bob", "carol")]
    alice, *others = members
    sent = 0

    def some():
        nonlocal sent
        alice.send(*(f"{sent + i:04}" for i in range(10)))
        sent += 10
    for m in members:
        m.install(old)
    some()
    for m in members:
        m.order(m.sa(new).state())
        some()
    for m in members:
        m.order(m.sa(new).policy(OUT, update=True))
        some()
    for m in members:
        m.order(m.sa(old).no_state())
        some()
    want = [f"{i:04}" for i in range(sent)]
    lost = {m.host.name: sent - len(set(m.receive(sent)) & set(want)) for m in others}
    for m in members:
        m.order(m.sa(new).policy(IN, block=True, update=True))
        m.order(m.sa(new).policy(OUT, block=True, update=True))
    watch = Frames(hosts["eve"], old["dst"])
    try:
        alice.send("in clear")
        refused = False
    except PermissionError:
        refused = True
    return {"sent": sent, "lost": lost, "blocked": refused, "protocols": watch.protocols()}


def traffic() -> int:
    from .net import Net
    sandbox.enter()
    result = {}
    with Net("esp-") as net:
        lan = net.segment("lan", 1)
        hosts = {n: net.host(n, lan, 10 + i) for i, n in enumerate(("alice", "bob", "carol", "eve"))}
        for name, kind in KINDS.items():
            try:
                result[name] = one_kind(hosts, kind)
            except (OSError, LabError) as e:
                result[name] = {"failed": str(e) or type(e).__name__}
        result["rollover"] = rollover(hosts)
    print(json.dumps(result))
    return 0


# -- members ------------------------------------------------------------------------------------------------------------

class Steady:
    """Numbered datagrams, twenty a second, until it is stopped."""

    def __init__(self, host, group: str):
        self.socket, self.group, self.sent, self.going = host.sender(group), group, 0, True
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while self.going:
            self.socket.sendto(f"{self.sent:06}".encode(), (self.group, 5000))
            self.sent += 1
            time.sleep(0.05)  # the rate, not a wait for something

    def stop(self) -> int:
        self.going = False
        self.thread.join()
        return self.sent


def count(sock, want: int) -> int:
    seen = set()
    try:
        while len(seen) < want:
            seen.add(sock.recv(2000))
    except (TimeoutError, BlockingIOError):
        pass
    return len(seen)


@contextlib.contextmanager
def joined(where: Path, names: tuple, atd: int = 2, dtd: int = 3):
    """(ground, hosts, daemons): members with <kernel/>, and eve; two groups of traffic: a tunnel of any source, and GCM of one
    sender, alice.  atd, dtd: seconds to the first use of a new SA and to the end of the old one."""
    from msec_scapy.gdoi import numbers as n
    from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy, Selector
    from msec_scapy.testing.gdoi import Ground

    from . import gdoi_member as forms
    from .daemons import Sockets, wait_all
    from .net import Net
    sandbox.enter()
    sockets = Sockets()
    where.mkdir(parents=True, exist_ok=True)
    tunnel = IpsecPolicy(dst=Selector.parse("239.1.2.1"))
    single = IpsecPolicy(transform=20, mode=n.MODE_TRANSPORT, src=Selector.parse("10.77.7.30"), dst=Selector.parse("239.1.2.2"))
    with Net("esp-") as net, Ground(net, 0, kek=KekPolicy(src=Selector.parse("10.77.7.10:848"), dst=Selector.parse("239.77.1.1:848")),
                                    teks=(tunnel, single), atd=atd, dtd=dtd) as ground:
        hosts = {name: net.host(name, ground.segment, 30 + i) for i, name in enumerate((*names, "eve"))}
        psk = forms.psk_file(where, "all", "a secret for all of them")
        daemons = {}
        for name in names:
            m = daemons[name] = forms.Member(hosts[name], name, where, sockets)
            proposal = {"encryption": "aes128-cbc", "hash": "sha256", "authentication": "psk", "group": "ecp256"}
            m.write(forms.config(f'  <identity name="{hosts[name].ip4}" name-type="ipv4"/>\n',
                                 forms.phase1({ground.addresses[0]: psk}, [("*.*.*.*", "ipv4")], proposal), [ground.addresses[0]],
                                 [forms.group("plant", 1234, join="yes")], f"{name}.db", sockets.path / name,
                                 kernel={"source": hosts[name].ip4}))
            m.start(timeout=SLOW)
        wait_all(list(daemons.values()), "joined", timeout=SLOW)
        yield ground, hosts, daemons


def members(directory: str = "/guest/members") -> int:
    """One SA follows another, and nothing stays behind."""
    from .daemons import wait_all
    result = {}
    # Nothing reads what is heard before all of it has been sent.
    RECEIVE_BUFFERS.write_text(str(4 << 20))
    # Nothing is lost if no member hears of the new SA later than ATD after another has, nor takes it into use later than DTD - ATD
    # after another: for the emulation that has to be long.
    with joined(Path(directory), ("alice", "bob", "carol"), atd=10, dtd=30) as (ground, hosts, daemons):
        result["kernel"] = {name: len(m.control("status")["kernel"]["sas"]) for name, m in daemons.items()}
        result["refused"] = [e for m in daemons.values() for e in m.find("kernel-refused")]

        for sa in daemons["alice"].control("status")["kernel"]["sas"]:  # nothing leaves before
            daemons["alice"].wait("tek", timeout=SLOW, where=lambda e, sa=sa: e["spi"] == sa["spi"] and e["state"] == "current")
        listening = {name: {g: hosts[name].listen(g, 5000) for g in ("239.1.2.1", "239.1.2.2")} for name in ("bob", "carol", "eve")}
        watch = {g: Frames(hosts["eve"], g) for g in ("239.1.2.1", "239.1.2.2")}
        sources = {g: Steady(hosts["alice"], g) for g in watch}
        marks = {m: m.mark() for m in daemons.values()}
        ground.push(lambda ks, group: [ks.rekey_teks(group, time.time())])
        for spi in (sa["spi"] for sa in daemons["alice"].control("status")["kernel"]["sas"][:2]):
            wait_all(list(daemons.values()), "tek-wipe", timeout=SLOW, marks=marks, spi=spi)
        sent = {g: s.stop() for g, s in sources.items()}
        result["sent"] = sent
        result["lost"] = {name: {g: sent[g] - count(s, sent[g]) for g, s in sockets_.items()} for name, sockets_ in listening.items()
                          if name != "eve"}
        for s in listening["eve"].values():
            s.setblocking(False)  # the others have all of it by now
        result["outsider"] = sum(count(s, 1) for s in listening["eve"].values())
        result["protocols"] = {g: sorted(w.protocols()) for g, w in watch.items()}
        # Who has left is not protected any more, and after the end nothing is left: not what lets the daemon's own sockets
        # pass, either, which bob has as long as it runs.
        daemons["bob"].control("leave", "silently")
        daemons["carol"].finish()
        result["left behind"] = {f"{name} {what}": hosts[name].run(["ip", "xfrm", *what.split()]).stdout.strip()
                                 for name, policy in (("bob", "policy list nosock"), ("carol", "policy"))
                                 for what in ("state", policy)}
        daemons["alice"].finish()
        daemons["bob"].finish()
    print(json.dumps(result))
    return 0


# -- what a killed member leaves ------------------------------------------------------------------------------------------

FOREIGN = (
    "state add src 10.9.9.1 dst 10.9.9.2 proto esp spi 0x9999 reqid 77 mode transport "
    f"aead rfc4106(gcm(aes)) 0x{SALTED} 128",
    "state add src 10.9.9.1 dst 239.1.2.1 proto esp spi 0x9998 reqid 847999 mode transport "
    f"aead rfc4106(gcm(aes)) 0x{SALTED} 128",
    "policy add src 0.0.0.0/0 dst 239.8.8.8/32 dir out priority 2000 action block",
    "policy add src 0.0.0.0/0 dst 239.8.8.9/32 dir out priority 2000 tmpl src 0.0.0.0 dst 0.0.0.0 proto esp mode transport reqid 77",
)


def there(host) -> dict:
    """What is in the kernel of a host: packets by SPI, and destinations of policies."""
    states = host.run(["ip", "-s", "xfrm", "state"]).stdout
    found = re.findall(r"spi 0x([0-9a-f]{8}).*?lifetime current:\s+\d+\(bytes\), (\d+)\(packets\)", states, re.S)
    policies = host.run(["ip", "xfrm", "policy", "list", "nosock"]).stdout
    return {"states": {spi: int(packets) for spi, packets in found},
            "policies": sorted(line.split()[3] for line in policies.splitlines() if line.startswith("src "))}


def killed(directory: str = "/guest/killed") -> int:
    """alice is killed three times: what she left carries on, is taken over with its counters, makes way for what has come
    meanwhile, and goes when no group wants it.  What is somebody else's stays."""
    result, groups = {}, ("239.1.2.1", "239.1.2.2")
    with joined(Path(directory), ("alice", "bob")) as (ground, hosts, daemons):
        alice, host = daemons["alice"], hosts["alice"]
        senders, heard = [(host.sender(g), g) for g in groups], {g: hosts["bob"].listen(g, 5000) for g in groups}
        for s, _ in senders:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)

        def through(word: str) -> list:
            for s, g in senders:
                for i in range(5):
                    s.sendto(f"{word} {i}".encode(), (g, 5000))
            return [len({heard[g].recv(2000) for _ in range(5)}) for g in groups]
        for words in FOREIGN:
            host.run(["ip", "xfrm", *words.split()])
        spis = sorted(sa["spi"] for sa in alice.control("status")["kernel"]["sas"])
        result["spis"], result["before"] = spis, through("before")
        alice.kill()
        result["dead"], result["left"] = through("dead"), there(host)
        mark = alice.start(timeout=SLOW)
        alice.wait("joined", since=mark, timeout=SLOW)
        result["again"], result["taken over"] = through("again"), there(host)
        result["still left"] = alice.control("status")["kernel"]["left"]
        alice.kill()
        marks = {daemons["bob"]: daemons["bob"].mark()}
        ground.push(lambda ks, group: [ks.rekey_teks(group, time.time())])
        for spi in spis:
            daemons["bob"].wait("tek-wipe", timeout=SLOW, since=marks[daemons["bob"]], spi=spi)
        mark = alice.start(timeout=SLOW)
        alice.wait("joined", since=mark, timeout=SLOW)
        result["swept"] = alice.wait("kernel-swept", since=mark, timeout=SLOW)["left"]
        result["new"], result["new spis"] = there(host), sorted(sa["spi"] for sa in alice.control("status")["kernel"]["sas"])
        for spi in result["new spis"]:  # another SA waits for its ATD, and nothing leaves meanwhile
            alice.wait("tek", since=mark, timeout=SLOW, where=lambda e, spi=spi: e["spi"] == spi and e["state"] == "current")
        result["rekeyed"] = through("rekeyed")
        alice.kill()
        alice.write(alice.config.read_text().replace(' join="yes"', ""))
        mark = alice.start(timeout=SLOW)
        alice.wait("kernel-swept", since=mark, timeout=SLOW)
        result["end"] = there(host)
        alice.finish()
        result["after the end"] = there(host)
        daemons["bob"].finish()
    print(json.dumps(result))
    return 0


def main(argv: list) -> int:
    return {"vectors": vectors, "traffic": traffic, "members": members, "killed": killed}[argv[0]](*argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
