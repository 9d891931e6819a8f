# SPDX-License-Identifier: BSD-2-Clause
"""A key server and members of GDOI that hand each other datagrams; and the same on a network."""
import ipaddress
import math
import os
import threading
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from .. import pkix
from ..gdoi import dialect as dialects
from ..gdoi import gcks, gm, net, phase1, policy, values
from ..gdoi import numbers as n
from ..gdoi.suite import Suite
from .authority import NOW, Authority

PSK = "aes128-sha256-psk-ecp256"
SUITES = {"psk": PSK, "rsa": "aes128-sha256-rsa-ecp256", "ecdsa256": "aes256-sha256-ecdsa256-ecp256",
          "ecdsa384": "aes256-sha384-ecdsa384-ecp384", "ecdsa521": "aes128-sha1-ecdsa521-ecp521"}
KINDS = {"rsa": "rsa", "ecdsa256": "ec", "ecdsa384": "p384", "ecdsa521": "p521"}
SERVER = "10.0.0.1"
# Seconds for what has to come; what is not there because its check is switched off comes never.
PATIENCE = 5.0 if os.environ.get("MSEC_CHECK_OFF") else 60.0


@lru_cache(maxsize=None)
def signing_key(sig):
    if sig == 1:
        return rsa.generate_private_key(65537, 2048)
    if sig == 2:
        return dsa.generate_private_key(1024)
    return ec.generate_private_key({5: ec.SECP384R1, 6: ec.SECP521R1}.get(sig, ec.SECP256R1)())


@lru_cache(maxsize=None)
def authority(kind):
    return Authority(kind="rsa" if kind == "rsa" else "p384" if kind == "p384" else "ec")


@lru_cache(maxsize=None)
def certified(kind, address, common="peer"):
    """(key, certificate) of an address."""
    return authority(kind).issue(common, kind=kind, san=(x509.IPAddress(ipaddress.ip_address(address)),))


def config(address, auth="psk", dialect=dialects.STRICT, suite=None, **how):
    """The phase 1 of a peer at an address."""
    suites = [Suite.parse(suite or SUITES[auth])]
    identity = phase1.Identity.parse(address)
    if auth == "psk":
        return phase1.Config(identity, suites, psks={"*": b"a secret for all of them"}, dialect=dialect, **how)
    key, cert = certified(KINDS[auth], address)
    return phase1.Config(identity, suites, key=key, certificates=[cert.der], dialect=dialect,
                         trust=pkix.Trust([authority(KINDS[auth]).cert]), **how)


def group(dialect=dialects.STRICT, number=1234, kek=policy.KekPolicy(), teks=(policy.IpsecPolicy(),), depth=None,
          identity=None, **how):
    identity = identity or (n.ID_KEY, values.group_id(number, dialect))
    return gcks.Group(identity, kek, teks, signing_key(kek.sig) if kek else None, lkh_depth=depth, **how)


class Scene:
    """Members at 10.0.0.10 and so on, and what was said: `wire` (sender, octets), `events`."""

    def __init__(self, members=3, auth="psk", mode=phase1.MAIN, dialect="", suite=None, sids=0, start=True, **of_group):
        self.dialect = dialects.Dialect.parse(dialect)
        self.now, self.wire, self.events = NOW.timestamp(), [], []
        self.group = group(self.dialect, **of_group)
        self.auth, self.mode, self.suite, self.sids = auth, mode, suite, sids
        self.server = gcks.KeyServer(config(SERVER, auth, self.dialect, suite, aggressive=True), [self.group],
                                     self._event("gcks"))
        self.members = [self._member(f"10.0.0.{10 + i}") for i in range(members)]
        if start:
            for m in self.members:
                self.join(m)

    def _event(self, who):
        return lambda name, **fields: self.events.append((who, name, fields))

    def _member(self, address):
        octets = ipaddress.ip_address(address).packed
        return gm.Member(config(address, self.auth, self.dialect, self.suite, mode=self.mode), self.group.identity,
                         True, self.sids, octets, (SERVER, 848), self._event(address))

    @staticmethod
    def at(member):
        return str(member.config.identity), 848

    def to_server(self, member, sends):
        """What a member says, what it is answered, and so on."""
        while sends:
            answers = []
            for s in sends:
                self.wire.append((self.at(member)[0], s.octets))
                answers += self.server.receive(s.octets, self.at(member), self.now)
            sends = [s for a in answers for s in self._deliver(member, a.octets)]

    def _deliver(self, member, octets):
        self.wire.append((SERVER, octets))
        return member.receive(octets, (SERVER, 848), self.now)

    def join(self, member):
        self.to_server(member, member.register((self.at(member)[0], 848)))
        return member

    def push(self, *datagrams):
        for octets in datagrams:
            for member in self.members:
                self.to_server(member, self._deliver(member, octets))

    def named(self, name):
        return [(who, fields) for who, event, fields in self.events if event == name]

    def refused(self):
        return self.named("refused")

    def agreed(self, *members):
        """Whether members hold the keys of the group."""
        def holds(m):
            kek = self.group.kek is None or (
                self.group.kek.spi in m.rekeys and m.rekeys[self.group.kek.spi].kek.key == self.group.kek.key)
            return kek and all((t.policy.protocol, t.spi) in m.teks for t in self.group.teks) and all(
                (m.teks[t.policy.protocol, t.spi].cipher, m.teks[t.policy.protocol, t.spi].integrity)
                == (t.cipher, t.integrity) for t in self.group.teks)
        return all(holds(m) for m in members or self.members)


# ------------------------------------------------------------------------------ on a network

class Ground:
    """The key server and members on hosts of a lab.net.Net, each in a thread."""

    def __init__(self, network, members=2, auth="psk", dialect="", mode=phase1.MAIN, sids=0, unicast=False, nat_t=False,
                 logs=None, **of_group):
        self.segment = network.segment("a", 7)
        self.hosts = [network.host(f"h{i}", self.segment, 10 + i) for i in range(members + 1)]
        self.addresses = [self.segment.ip4(10 + i) for i in range(members + 1)]
        self.dialect = dialects.Dialect.parse(dialect)
        how = {"log": logs} if logs is not None else {}
        kek = of_group.pop("kek", policy.KekPolicy())
        self.group = group(self.dialect, kek=kek, **of_group)
        self.events, self.changed, self.stop = [], threading.Condition(), False
        self.server = gcks.KeyServer(config(self.addresses[0], auth, self.dialect, aggressive=True, nat_t=nat_t, **how),
                                     [self.group], self._event("gcks"))
        port = 4500 if nat_t else None
        self.runners, self.threads = [], []
        with self.hosts[0].inside():
            self.server_runner = net.KeyServerRunner(self.server, self.addresses[0], nat_port=port, interface="eth0",
                                                     unicast=unicast)
        for host, address in zip(self.hosts[1:], self.addresses[1:]):
            member = gm.Member(config(address, auth, self.dialect, mode=mode, nat_t=nat_t, **how), self.group.identity,
                               True, sids, ipaddress.ip_address(address).packed, (self.addresses[0], 848),
                               self._event(address))
            with host.inside():
                self.runners.append(net.MemberRunner(member, address, nat_port=port, interface="eth0",
                                                     within=host.inside))

    def _event(self, who):
        def event(name, **fields):
            with self.changed:
                self.events.append((who, name, fields))
                self.changed.notify_all()
        return event

    def __enter__(self):
        self._thread(lambda: self.server_runner.run(math.inf, lambda: self.stop))
        return self

    def _thread(self, work):
        t = threading.Thread(target=work, daemon=True)
        t.start()
        self.threads.append(t)

    def __exit__(self, *_):
        self.stop = True
        for t in self.threads:
            t.join()
        for r in (self.server_runner, *self.runners):
            r.close()

    def wait(self, holds, timeout=PATIENCE):
        """Until the events (all of them) satisfy a condition."""
        with self.changed:
            return self.changed.wait_for(lambda: holds(self.events), timeout)

    def count(self, name, who=None):
        return sum(event == name and who in (None, by) for by, event, _ in self.events)

    def register(self):
        """All members, one after the other; then each follows the group in a thread."""
        for r in self.runners:
            assert r.register(), self.events
        for r in self.runners:
            self._thread(lambda r=r: r.run(math.inf, lambda: self.stop))

    def push(self, make):
        """`make(server, group)` gives the datagrams."""
        told = list(self.group.members.values())
        self.server_runner.push(self.group, *make(self.server, self.group), members=told)
