# SPDX-License-Identifier: BSD-2-Clause
"""What both peers share: credentials, building, checking, hooks, events.

A peer is a plain object: octets and a time go in, octets come out. Sockets are
in `net`. Hooks change what a peer sends, before or after the signature; they
are how `misbehave` turns an honest peer into a test.
"""
import os
from dataclasses import dataclass, field

from . import crypto, identity, keylog, material, message, pkix
from . import dialect as dialects
from . import registry as reg
from .gsakmp import (GSAKMP, AckData, Certificate, Identification, Nonce, Notification, Signature,
                     VendorID)
from .policy import Suite
from .refusal import Refusal
from .times import date, undate, utc


@dataclass
class Credentials:
    key: object
    cert: pkix.Certificate
    chain: list = field(default_factory=list)
    id_kind: int = reg.ID_DN
    name: identity.Identity | None = None  # of a raw key, which names nobody itself
    cert_url: str = ""  # send hash and URL instead of the certificate
    bundle_url: str = ""  # the same for all of them at once
    crls: list = field(default_factory=list)  # DER, sent along
    attributes: list = field(default_factory=list)  # attribute certificates, DER

    @classmethod
    def from_files(cls, key, cert, password=None, id_kind=reg.ID_DN):
        certs = pkix.load_certificates(cert)
        return cls(pkix.load_key(key, password), certs[0], certs[1:], id_kind)

    @classmethod
    def raw(cls, key, name):
        """An RSA key without a certificate."""
        return cls(key, material.RawKey.of(key), name=name)

    def payloads(self):
        """[(Certificate Type, Certificate Data)] of what a signed message brings."""
        if self.name is not None:
            out = [(reg.CERT_RAW_RSA, self.cert.der)]
        elif self.bundle_url:
            octets = material.bundle([self.cert, *self.chain])
            out = [(reg.CERT_HASH_URL_BUNDLE, material.by_url(octets, self.bundle_url))]
        else:
            out = [(reg.CERT_HASH_URL, material.by_url(self.cert.der, self.cert_url))
                   if self.cert_url else (reg.CERT_X509, self.cert.der)]
            out += [(reg.CERT_X509, c.der) for c in self.chain]
        return (out + [(reg.CERT_ATTRIBUTE, a) for a in self.attributes]
                + [(reg.CERT_CRL, c) for c in self.crls])

    def identity(self, dialect=dialects.STRICT):
        if self.name is not None:
            return self.name
        return identity.of_certificate(self.cert, self.id_kind, dialect)


@dataclass
class Group:
    """What a peer has to know of a group before the first message."""
    group_id: bytes
    group_id_type: int = 2
    suite: Suite = Suite()
    dialect: dialects.Dialect = dialects.STRICT
    owner: pkix.Certificate | None = None
    skew: int = 300


class Hooks:
    """Changes to outgoing messages: `packet` before the signature, `octets` after it.

    `plain` reaches what will be encrypted: "token", "keys", "packages"."""

    def __init__(self):
        self.packet, self.octets, self.plain, self.signer = {}, {}, {}, {}

    def on_packet(self, exchange, change):
        self.packet[exchange] = change
        return self

    def on_octets(self, exchange, change):
        self.octets[exchange] = change
        return self

    def on_plain(self, what, change):
        self.plain[what] = change
        return self

    def sign_as(self, exchange, credentials):
        """Under whose name, with whose key and certificate, an exchange is signed."""
        self.signer[exchange] = credentials
        return self

    def change_plain(self, what, value):
        change = self.plain.get(what)
        return value if change is None else change(value)


class Party:
    role = "party"

    def __init__(self, group, credentials, trust, log=None, on_event=None, random=os.urandom,
                 hooks=None):
        self.group, self.credentials, self.trust = group, credentials, trust
        self.dialect = group.dialect
        self.log = log or keylog.Silent()
        self.on_event = on_event or (lambda event: None)
        self.random = random
        self.hooks = hooks or Hooks()
        self.me = credentials.identity(self.dialect)
        self.refusals = []
        self.fetch = None  # material.get, to follow the URLs of peers
        self.permissions = frozenset()  # of the last signer that was authenticated
        self.attributes = []  # the attribute certificates that it brought
        self.clock_shift = 0  # tests make timestamps stale with it

    # -- reporting ------------------------------------------------------------

    def event(self, name, **what):
        self.on_event({"event": name, "role": self.role, "group": self.group.group_id.hex(),
                       **what})

    def refused(self, refusal, exchange=None):
        self.refusals.append(refusal)
        self.event("refused", exchange=reg.EXCHANGE.name(exchange) if exchange else None,
                   **refusal.as_dict())

    # -- building ---------------------------------------------------------------

    @property
    def private(self):
        return self.group.suite.private

    def build(self, exchange, payloads, now, sequence=0, signed=True):
        """The octets of a message of ours."""
        packet = GSAKMP(group_id_type=self.group.group_id_type, group_id=self.group.group_id,
                        exchange=exchange, sequence=sequence)
        for p in payloads:
            packet = packet / p
        if self.private:
            packet = packet / VendorID()
        credentials = self.hooks.signer.get(exchange, self.credentials)
        if signed:
            me = credentials.identity(self.dialect)
            packet = packet / Signature(
                sig_type=self.group.suite.sig_type, id_type=me.kind,
                signer_id=me.data, timestamp=date(now + self.clock_shift))
            for kind, data in credentials.payloads():
                packet = packet / Certificate(cert_type=kind, data=data)
        change = self.hooks.packet.get(exchange)
        if change is not None:
            packet = change(packet, self) or packet
        if packet.find(Signature) is not None:
            octets = message.sign(packet, self.hooks.signer.get(exchange, self.credentials).key,
                                  self.dialect)
        else:
            with dialects.use(self.dialect):
                octets = bytes(packet)
        change = self.hooks.octets.get(exchange)
        if change is not None:
            octets = change(octets, self)
        self.event("sent", exchange=reg.EXCHANGE.name(exchange), octets=len(octets))
        return octets

    def member_id(self, who):
        number = {"sender": 0, "receiver": 1, "third": 2}[self.dialect.id_class]
        return Identification(id_class=number, id_type=who.kind, data=who.data)

    def nonces(self, nonce_r, nonce_c):
        if self.group.suite.timestamp:
            return []
        return [Nonce(nonce_type=reg.NONCE_R, data=nonce_r),
                Nonce(nonce_type=reg.NONCE_C, data=nonce_c)]

    def combine(self, request, response, nonce_hash=None):
        """Nonce_C of two whole messages."""
        payloads = (message.loose_nonce_payload(request, reg.NONCE_I),
                    message.loose_nonce_payload(response, reg.NONCE_R))
        return crypto.nonce_c(nonce_hash or self.group.suite.nonce_hash, *(p[5:] for p in payloads),
                              self.dialect, payloads)

    def answer_nonces(self, request, nonce_hash=None):
        """(Nonce_R, Nonce_C) of an answer of ours, in which Nonce_C follows Nonce_R."""
        nonce_r = self.random(32)
        payload_i = message.loose_nonce_payload(request, reg.NONCE_I)
        payload_r = bytes(Nonce(next_payload=reg.P_NONCE, nonce_type=reg.NONCE_R, data=nonce_r))
        if payload_i is None:
            return nonce_r, b""
        return nonce_r, crypto.nonce_c(nonce_hash or self.group.suite.nonce_hash, payload_i[5:],
                                       nonce_r, self.dialect, (payload_i, payload_r))

    def ack(self, notify=reg.N_ACK):
        if notify != reg.N_ACK:
            return Notification(notify=notify, data=b"")
        typed = self.dialect.ack_data == "typed"
        return Notification(notify=notify, data=AckData() if typed else b"")

    def own_path(self, now):
        """The path of our own certificate; a raw key is its own authority."""
        mine = self.credentials
        if mine.name is not None:
            return [mine.cert, mine.cert]
        return self.trust.path(mine.cert, mine.chain, utc(now))

    # -- checking ---------------------------------------------------------------

    def parse(self, octets, expected=None, member=True):
        return message.parse(octets, self.dialect, {self.group.group_id}, expected, member)

    def check_fresh_time(self, m, now, req="RFC4535-7.8.2-04"):
        age = abs(now - undate(m.signature.timestamp))
        rules = getattr(self, "policy", None)  # the token's word, where it says one
        if age > (rules and rules.skew or self.group.skew):
            code = int(self.dialect.freshness_code)
            raise Refusal(code, req, "Signature Timestamp", f"{age:.0f} s off")

    def check_addressee(self, m, req):
        found = m.one(Identification)
        who = identity.Identity(found.id_type, bytes(found.data))
        if not identity.same(who, self.me, self.dialect):
            raise Refusal(reg.N_ID_INFO, req, "Member ID", str(who))

    def _binds(self, who, cert):
        """Is it this party's? A certificate says so itself, of a raw key somebody else has to."""
        if isinstance(cert, material.RawKey):
            return any(key == cert and identity.same(name, who, self.dialect)
                       for name, key in self.trust.raw)
        return identity.matches_certificate(who, cert, self.dialect)

    def _path(self, cert, pool, brought, now):
        if isinstance(cert, material.RawKey):
            return [cert, cert]  # it is its own authority
        try:
            return self.trust.path(cert, [c for c in pool if isinstance(c, pkix.Certificate)],
                                   utc(now), crls=brought.crls)
        except pkix.PathFault as e:
            code = (reg.N_CERT_CA if e.kind in ("unknown-root", "anchor")
                    else int(self.dialect.invalid_cert_code))
            raise Refusal(code, "RFC4535-7.8.2-07", "certificate path", str(e)) from e

    def authenticate(self, m, now, extra=()):
        """The verified path of the signer's certificate (7.7.2, 7.8.2), leaf first."""
        try:
            brought = material.Material(m.all(Certificate), self.fetch)
        except material.MaterialError as e:
            raise Refusal(int(self.dialect.invalid_cert_code), "RFC4535-7.7.2-03",
                          "Certificate Data", str(e)) from e
        received = [c for c in brought.certs if c not in self.trust.roots]  # 7.7.2 (3): discarded
        pool = received + list(extra)
        fits = [c for c in pool if self._binds(m.signer, c)]
        fits += [key for name, key in self.trust.raw
                 if identity.same(name, m.signer, self.dialect)]
        if not fits and brought.unusable and not brought.certs:
            raise Refusal(reg.N_CERT_TYPE, "RFC4535-7.7.2-02", "Certificate Type", "not in use here")
        if not fits:
            raise Refusal(reg.N_CERT_UNAVAILABLE, "RFC4535-7.8.2-05", "Signer ID Data",
                          f"no certificate of {m.signer}")
        path = self._path(fits[0], pool, brought, now)
        self.attributes = list(brought.attributes)
        self.permissions = frozenset().union(*(
            a.levels() for a in brought.attributes
            if a.verify(self.trust.authorities, self.trust, fits[0], utc(now))))
        message.verify(m, fits[0].key, self.dialect)
        return path
