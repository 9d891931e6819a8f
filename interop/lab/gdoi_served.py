# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm on hosts of its own, served by the second implementation's key server: for attacks, and for tests of the two.

    with Served(directory, lkh...) as s:
        alice, bob = s.begin("alice", "bob")
        s.push(lambda server, group, now: [server.rekey_teks(group, now)])
"""
import time
from pathlib import Path

from msec_scapy.gdoi import keylog
from msec_scapy.gdoi.policy import KekPolicy, Selector
from msec_scapy.testing import gdoi as python

from . import gdoi_member as forms
from .daemons import Sockets
from .net import Net
from .process import PATIENCE

PSK, NUMBER = "a secret for all of them", 1234
PROPOSAL = {"encryption": "aes128-cbc", "hash": "sha256", "authentication": "psk", "group": "ecp256"}
PUSHES = {4: "239.77.1.1:848", 6: "[ff15::77:1]:848"}


def places(ip: int = 4) -> dict:
    """Where PUSHes come from and go to: of a KekPolicy."""
    return {"src": Selector.parse("10.77.7.10:848"), "dst": Selector.parse(PUSHES[ip])}


class Served:
    """`of_group` are keywords of msec_scapy.testing.gdoi.Ground. Without a `net` there is one of our own. Members have an
    address each, in the order in which they appear, from .30 on."""

    def __init__(self, directory: Path, net: Net = None, prefix: str = "", **of_group):
        of_group.setdefault("kek", KekPolicy(**places()))
        self.dir, self.own, self.sockets = Path(directory), None if net else Net(prefix), Sockets()
        self.dir.mkdir(parents=True, exist_ok=True)
        self.net = net or self.own
        self.log = keylog.Writer(self.dir / "keylog")
        self.ground = python.Ground(self.net, 0, logs=self.log, **of_group)
        self.server = self.ground.addresses[0]
        self.members = {}

    def __enter__(self):
        self.ground.__enter__()
        return self

    def __exit__(self, kind, *_):
        try:
            for m in self.members.values():
                if kind is None and m.running:
                    m.finish()
        finally:
            self.ground.__exit__(None, None, None)
            if self.own:
                self.own.close()
            self.sockets.close()

    @property
    def group(self):
        return self.ground.group

    def host(self, name: str):
        return self.net.host(name, self.ground.segment, 30 + len(self.members))

    def config(self, name, address, servers=None, groups=None, keys=None, phase1=None, inside="", of_group=None, **how) -> str:
        """`inside` stands in <phase1>, `of_group` are attributes of <group>, `how` are keywords of gdoi_member.config()."""
        servers = servers or [self.server]
        psk = forms.psk_file(self.dir, name, PSK)
        first = forms.phase1(keys or {s: psk for s in servers}, [("*.*.*.*", "ipv4")], PROPOSAL, inside, **(phase1 or {}))
        who = f'  <identity name="{address}" name-type="ipv4"/>\n'
        groups = groups or [forms.group("plant", NUMBER, **(of_group or {}))]
        return forms.config(who, first, servers, groups, f"{name}.db", self.sockets.path / name, **how)

    def member(self, name: str = "alice", start: bool = True, host=None, **how) -> forms.Member:
        host = host or self.host(name)
        m = forms.Member(host, name, self.dir / "daemons", self.sockets, self.dir / "keylog")
        m.write(self.config(name, host.ip4, **how))
        self.members[name] = m
        if start:
            m.start()
        return m

    def begin(self, *names: str, **how) -> list:
        """They are started, and told to join."""
        found = [self.member(n, **how) for n in names]
        for m in found:
            m.control("join")
        return found

    def join(self, name: str = "alice", **how) -> forms.Member:
        m = self.member(name, **how)
        mark = m.mark()
        m.control("join")
        m.wait("joined", since=mark)
        return m

    def push(self, make) -> None:
        self.ground.push(lambda server, group: make(server, group, time.time()))

    def refusal(self, since: int = 0, timeout: float = PATIENCE) -> dict:
        """The first refusal of the key server since then."""
        found = []

        def there(events):
            found[:] = [fields for _, name, fields in events[since:] if name == "refused"]
            return found
        assert self.ground.wait(there, timeout), self.ground.events[since:]
        return found[0]
