# SPDX-License-Identifier: BSD-2-Clause
"""A group in memory: a Group Owner, a Python key server, Python members, no sockets."""
import copy
import datetime
from dataclasses import replace

from .. import dialect as dialects
from .. import identity, keyserver, member, party, pkix, policy, token
from .authority import NOW, Authority

GROUP_ID = b"\x01\x02\x03\x04\x05\x06\x07\x08lab"
KIND = {"suite1": "dsa", "suite1-2048": "dsa", "p256": "ec", "rsa": "rsa", "x25519": "ed25519"}
_authorities, _issued = {}, {}


def authority(kind):
    if kind not in _authorities:
        _authorities[kind] = Authority(f"Root {kind}", kind)
    return _authorities[kind]


def issued(kind, common):
    """A credential, made once in a test session."""
    if (kind, common) not in _issued:
        _issued[kind, common] = authority(kind).issue(common)
    return _issued[kind, common]


class Scene:
    def __init__(self, suite="p256", members=3, dialect=dialects.STRICT, terse=True,
                 timestamp=False, log=None, crls=(), **options):
        self.kind = KIND[suite]
        self.ca = authority(self.kind)
        self.dialect, self.log = dialect, log
        self.suite = replace(policy.SUITES[suite], terse=terse, timestamp=timestamp)
        self.now = NOW.timestamp()
        self.owner_key, self.owner = issued(self.kind, "Group Owner")
        self.group = party.Group(GROUP_ID, suite=self.suite, owner=self.owner, dialect=dialect)
        self.trust = pkix.Trust([self.ca.cert], crls)
        self.events, self.wire = [], []  # wire: (who sends, octets)
        self.server = self.make_server(**options)
        self.members = [self.make_member(f"gm{i}") for i in range(members)]

    def credentials(self, common):
        key, cert = issued(self.kind, common)
        return party.Credentials(key, cert)

    def rule(self, text):
        return policy.Rule(identity.Identity(31, text.encode()), self.ca.cert.key_id)

    def token(self, edition=1, excluded=(), server="gcks", **how):
        return self.sign_token(self.signed_content(edition, excluded, server, **how), edition)

    def signed_content(self, edition=1, excluded=(), server="gcks", **how):
        return policy.make_token(
            how.pop("group_name", token.group_name(2, GROUP_ID, self.dialect)),
            [self.rule(f"CN={server},O=MSEC Lab")], [self.rule("CN=gm*,O=MSEC Lab")], self.suite,
            edition, [self.rule(f"CN={e},O=MSEC Lab") for e in excluded], dialect=self.dialect,
            **how)

    def sign_token(self, octets, edition=1):
        at = NOW - datetime.timedelta(hours=1) + datetime.timedelta(seconds=edition)
        return token.sign(octets, self.owner_key, self.owner, at, dialect=self.dialect)

    def make_server(self, common="gcks", signed=None, **options):
        return keyserver.KeyServer(
            self.group, self.credentials(common), self.trust, token=signed or self.token(),
            now=self.now, log=self.log, on_event=self.events.append,
            options=keyserver.Options(**options))

    def make_member(self, common, credentials=None, **kw):
        return member.Member(self.group, credentials or self.credentials(common), self.trust,
                             log=self.log, on_event=self.events.append, **kw)

    # -- a network without loss ---------------------------------------------------

    def to_server(self, octets, source):
        self.wire.append((source, octets))
        self.deliver(self.server.receive(octets, source, self.now))

    def deliver(self, answers):
        for a in answers:
            self.wire.append((self.server, a.octets))
            if a.to is None:
                for m in self.members:
                    if m.state in (member.MEMBER, member.LEAVING):
                        m.receive(a.octets, self.now)
                continue
            for octets in a.to.receive(a.octets, self.now):
                self.to_server(octets, a.to)

    def tick(self, seconds=1):
        self.now += seconds

    def join(self, *members):
        for m in members or self.members:
            self.tick()
            self.to_server(m.join(self.now), m)
        return self

    def evict(self, m, signed=None):
        self.tick()
        self.deliver(self.server.evict([m.me], self.now, signed))

    def in_step(self, m):
        """Does a member hold the server's traffic keys?"""
        return {k.key_id: k for k in self.server.gtpks} == m.ring.gtpk


def digest(peer):
    """Everything in a peer that a refused message must not change."""
    out = {"state": getattr(peer, "state", None)}
    if hasattr(peer, "ring"):
        out.update(gtpk=dict(peer.ring.gtpk), kek=dict(peer.ring.kek),
                   sequences=dict(peer.sequences), edition=peer.token and peer.token.edition)
    else:
        out.update(members={n: copy.copy(m.acknowledged) for n, m in peer.members.items()},
                   sessions=set(peer.sessions), gtpks=list(peer.gtpks), sequence=peer.sequence,
                   leaves=dict(peer.tree.leaves))
    return out
