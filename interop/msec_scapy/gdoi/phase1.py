# SPDX-License-Identifier: BSD-2-Clause
"""Phase 1: Main Mode and Aggressive Mode of RFC 2409, as initiator and as responder, without sockets.

An `Sa` takes datagrams and gives datagrams; when `done`, its `keys` protect phase 2. Pre-shared keys,
RSA signatures (RFC 2409 5.1) and ECDSA (RFC 4754); NAT detection as RFC 3947 has it.
"""
import datetime
import ipaddress
import os
from dataclasses import dataclass, field

from .. import pkix
from . import check, isakmp, sign
from . import keylog as logs
from . import keys as derivations
from . import numbers as n
from .dialect import STRICT
from .dpd import Dpd, of_dpd
from .isakmp import duration, tv
from .recorded import suite_of
from .refusal import Refusal
from .suite import DhError, DiffieHellman, Suite, check_public, digest, same

MAIN, AGGRESSIVE = "main", "aggressive"
WRITTEN = {"fqdn": n.ID_FQDN, "rfc822": n.ID_USER, "ipv4": n.ID_IPV4, "ipv6": n.ID_IPV6}


@dataclass(frozen=True)
class Identity:
    type: int
    data: bytes

    def __str__(self):
        if self.type in (n.ID_IPV4, n.ID_IPV6):
            return str(ipaddress.ip_address(self.data))
        return self.data.decode("utf-8", "replace") if self.type in (n.ID_FQDN, n.ID_USER) else self.data.hex()

    @staticmethod
    def parse(text):
        """`10.0.0.1`, `gm1.example`, `me@example`, `@hex:...` (ID_KEY_ID); or as the daemons write names, `fqdn:gm1.example`."""
        word, sep, rest = text.partition(":")
        if sep and word in WRITTEN:
            return Identity(WRITTEN[word], ipaddress.ip_address(rest).packed if word in ("ipv4", "ipv6") else rest.encode())
        if text.startswith("@hex:"):
            return Identity(n.ID_KEY, bytes.fromhex(text[5:]))
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return Identity(n.ID_USER if "@" in text else n.ID_FQDN, text.encode())
        return Identity(n.ID_IPV4 if address.version == 4 else n.ID_IPV6, address.packed)


class Hooks:
    """Where a peer can be made to say something else than it should; `where` is `phase1-N`, `pull-N`, `info`,
    `push` or `ack`. This one changes nothing."""

    def payloads(self, where, layers):
        """The payloads, without the HASH of phase 2 and without the SIG of a PUSH, as layers."""
        return layers

    def plain(self, where, octets):
        """The same as octets; what protects them covers the change."""
        return octets

    def proof(self, where, value):
        """A HASH, or the signature of a PUSH (None: the right one)."""
        return value

    def datagram(self, where, octets):
        return octets


@dataclass
class Config:
    """What a peer brings to phase 1."""
    identity: Identity
    suites: list = field(default_factory=lambda: [Suite()])
    mode: str = MAIN
    psks: dict = field(default_factory=dict)  # {peer's address or identity as text, or "*": key}
    key: object = None  # private key for signatures
    certificates: list = field(default_factory=list)  # DER, our own first
    trust: object = None  # pkix.Trust
    peers: object = None  # identities (text) that may be on the other side; None: all that authenticate
    aggressive: bool = False  # whether a responder takes Aggressive Mode
    initial_contact: bool = False
    nat_t: bool = False
    dpd: float = 0  # seconds of silence after which the peer is asked whether it lives (RFC 3706); 0: never
    dpd_answers: bool = False  # say that we answer, though we do not ask
    dpd_retry: float = 2
    dpd_tries: int = 3
    dialect: object = STRICT
    random: object = os.urandom
    log: object = field(default_factory=logs.Silent)
    hooks: object = field(default_factory=Hooks)

    def psk(self, *names):
        return next((self.psks[str(k)] for k in (*names, "*") if str(k) in self.psks), None)


def transform(number, suite):
    found = [tv(n.A_CIPHER, suite.cipher), tv(n.A_HASH, suite.hash), tv(n.A_AUTH, suite.auth),
             tv(n.A_GROUP, suite.group), tv(n.A_LIFE_TYPE, n.LIFE_SECONDS), duration(n.A_LIFE, suite.lifetime)]
    if suite.cipher == 7:
        found.append(tv(n.A_KEY_LEN, suite.key_bits))
    return isakmp.Transform(number=number, attributes=found)


def offer(suites, dialect):
    return isakmp.SA(doi=int(dialect.p1_doi), situation=int(dialect.p1_situation), proposals=[
        isakmp.Proposal(transforms=[transform(i, s) for i, s in enumerate(suites, 1)])])


def nat_hash(suite, icookie, rcookie, endpoint):
    """RFC 3947 3.2; `endpoint` is (address, port)."""
    return digest(suite.hash_name, icookie + rcookie + ipaddress.ip_address(endpoint[0]).packed
                  + endpoint[1].to_bytes(2, "big"))


class Sa:
    """One phase 1 SA, becoming or become. Subclasses know the order of the messages."""
    initiator = False

    def __init__(self, config, icookie, rcookie, mode, ours=None, theirs=None):
        self.config, self.dialect, self.mode = config, config.dialect, mode
        self.icookie, self.rcookie = icookie, rcookie
        self.ours, self.theirs = ours, theirs  # (address, port) of both ends
        self.suite = self.dh = self.keys = self.sa_i = None
        self.nonce = config.random(16)
        self.peer_nonce = self.peer_public = self.peer_id_body = None
        self.peer = None  # Identity, once authenticated
        self.state = self.done = 0
        self.contexts, self.dead = {}, False
        self.nat = self.peer_nat_t = False
        self.last_sent, self.last_seen, self.said = [], None, 0
        self.dpd, self.replies = Dpd(self), []

    # --------------------------------------------------------------- building

    def _header(self, exchange, flags=0, message_id=0):
        return isakmp.ISAKMP(icookie=self.icookie, rcookie=self.rcookie, exchange=exchange, flags=flags,
                             message_id=message_id)

    @property
    def exchange(self):
        return n.X_MAIN if self.mode == MAIN else n.X_AGGRESSIVE

    def _where(self):
        """The number of our next message of phase 1."""
        self.said += 2
        return f"phase1-{self.said - 1 if self.initiator else self.said}"

    def _clear(self, *payloads):
        where, hooks = self._where(), self.config.hooks
        layers = hooks.payloads(where, list(payloads))
        head = self._header(self.exchange)
        head.next_payload = layers[0].payload_type
        return hooks.datagram(where, bytes(head / hooks.plain(where, isakmp.octets_of(*layers))))

    def _phase1_sealed(self, *payloads):
        where, hooks = self._where(), self.config.hooks
        layers = hooks.payloads(where, list(payloads))
        sealed = self.keys.encrypt(self.keys.iv, hooks.plain(where, isakmp.octets_of(*layers)), self.dialect.pad)
        self.keys.iv = sealed[-self.suite.block:]
        head = self._header(self.exchange, n.F_ENCRYPTED)
        head.next_payload = layers[0].payload_type
        return hooks.datagram(where, bytes(head / sealed))

    def _vendor_ids(self):
        """RFC 3706 5.2: without its Vendor ID nobody asks us; we answer whoever asks."""
        c = self.config
        return [isakmp.VendorID(data=v) for v, wanted in ((n.VID_NAT_T, c.nat_t), (n.VID_DPD, c.dpd or c.dpd_answers)) if wanted]

    def _id(self):
        protocol, port = map(int, self.dialect.p1_id_port.split("/"))
        return isakmp.Identification(id_type=self.config.identity.type, protocol=protocol, port=port,
                                     data=self.config.identity.data)

    def _nat_d(self):
        """Remote first, then our own."""
        if not (self.config.nat_t and self.peer_nat_t and self.ours and self.theirs):
            return []
        return [isakmp.NatD(data=nat_hash(self.suite, self.icookie, self.rcookie, e))
                for e in (self.theirs, self.ours)]

    def _requests(self):
        if self.suite.auth == 1 or self.config.trust is None:
            return []
        return [isakmp.CertificateRequest(authority=c.subject) for c in self.config.trust.roots]

    def _contact(self):
        if not self.config.initial_contact:
            return []
        return [isakmp.Notification(doi=n.DOI_IPSEC, notify=n.N_INITIAL_CONTACT, spi=self.icookie + self.rcookie)]

    # ------------------------------------------------------------------- keys

    def _use(self, suite):
        self.suite = suite
        if self.dh is None:
            self.dh = DiffieHellman(suite.group, random=self.config.random)

    def _take_exchange(self, m):
        ke, nonce = m.one(n.P_KE), m.one(n.P_NONCE)
        for part, name in ((ke, "KE"), (nonce, "NONCE")):
            if part is None:
                raise Refusal("RFC2408-4.5-01" if self.mode == MAIN else "RFC2408-4.7-01", name, "missing")
        try:
            check_public(self.suite.group, ke.value)
        except DhError as e:
            raise Refusal("RFC2409-5-09", "KE", str(e), ke.offset) from e
        self.peer_public, self.peer_nonce = ke.value, nonce.value
        self._see_nat(m)

    def _see_nat(self, m):
        found = [p.value for p in m.all(n.P_NATD)]
        if not found or not self.config.nat_t or not self.ours or not self.theirs:
            return
        mine, other = (nat_hash(self.suite, self.icookie, self.rcookie, e) for e in (self.ours, self.theirs))
        self.nat = found[0] != mine or other not in found[1:]

    def _both(self, own, peer):
        return (own, peer) if self.initiator else (peer, own)

    def _derive(self, psk=None):
        nonces = self._both(self.nonce, self.peer_nonce)
        publics = self._both(self.dh.public(), self.peer_public)
        self.keys = derivations.Keys.derive(self.suite, self.icookie, self.rcookie, *nonces, *publics,
                                            self.dh.secret(self.peer_public), psk)
        self.config.log.phase1(self.keys)
        self.config.log.iv(self.keys, 0, self.keys.iv)

    def message_iv(self, message_id):
        """Of the next message of a phase 2 exchange."""
        if message_id in self.contexts:
            return self.contexts[message_id]
        iv = self.keys.message_iv(message_id)
        self.config.log.iv(self.keys, message_id, iv)
        return iv

    def _find_psk(self, *names):
        if self.suite.auth != 1:
            return None
        psk = self.config.psk(*names)
        if psk is None:
            raise Refusal("RFC2409-5.4-03", "pre-shared key", f"none for {names[0]}")
        return psk

    def _hash(self, of_initiator, id_body):
        which = derivations.hash_i if of_initiator else derivations.hash_r
        name = sign.phase1_hash_name(self.suite.auth, self.suite.hash_name, self.dialect)
        publics = self._both(self.dh.public(), self.peer_public)
        return which(name, self.keys.skeyid, *publics, self.icookie, self.rcookie, self.sa_i, id_body)

    # --------------------------------------------------------- authentication

    def _authentication(self):
        """CERTs and HASH or SIG of ours."""
        value = self._hash(self.initiator, self._id().body())
        if self.suite.auth == 1:
            return [isakmp.Hash(data=value)]
        certs = [isakmp.Certificate(data=der) for der in self.config.certificates]
        return [*certs, isakmp.Signature(data=sign.phase1_sign(self.config.key, self.suite.auth, value, self.dialect))]

    def _authenticate(self, m, now):
        """The peer's AUTH; then it is known."""
        value = self._hash(not self.initiator, self.peer_id_body)
        identity = Identity(self.peer_id_body[0], self.peer_id_body[4:])
        if self.suite.auth == 1:
            part = m.one(n.P_HASH)
            if part is None:
                raise Refusal("RFC2409-5.4-01", "HASH", "missing")
            if not same(value, part.value):
                raise Refusal("RFC2408-5.11-02", "HASH", "does not verify", part.offset)
        else:
            part = m.one(n.P_SIG)
            if part is None:
                raise Refusal("RFC2409-5.1-01", "SIG", "missing")
            key = self._certified(m, identity, now)
            try:
                sign.phase1_verify(key, self.suite.auth, part.value, value, self.dialect)
            except sign.BadSignature as e:
                raise Refusal("RFC2408-5.12-02", "SIG", str(e), part.offset) from e
        if self.config.peers is not None and str(identity) not in self.config.peers:
            raise Refusal("RFC6407-3.1-02" if self.initiator else "RFC6407-3.1-04", "Identification Data",
                          f"{identity} is not on the list")
        self.peer = identity

    def _certified(self, m, identity, now):
        """The key of the peer's certificate, which has a path and holds the identity."""
        parts = m.all(n.P_CERT)
        try:
            certs = [pkix.Certificate(p.value.data) for p in parts if p.value.encoding == n.CERT_X509]
            crls = [pkix.Crl(p.value.data) for p in parts if p.value.encoding == n.CERT_CRL]
        except (ValueError, TypeError) as e:
            raise Refusal("RFC2408-5.9-02", "Certificate Data", str(e), parts[0].offset) from e
        if not certs:
            raise Refusal("RFC2408-3.9-01", "CERT", "missing")
        try:
            self.config.trust.path(certs[0], certs[1:], datetime.datetime.fromtimestamp(now, datetime.timezone.utc),
                                   crls=crls)
        except pkix.PathFault as e:
            raise Refusal("RFC2408-5.9-02", "Certificate Data", str(e), parts[0].offset) from e
        if not holds(certs[0], identity):
            raise Refusal("RFC2407-4.6.2.1-02", "Identification Data", f"{identity} is not in the certificate")
        return certs[0].key

    def _take_id(self, m):
        part = m.one(n.P_ID)
        if part is None:
            raise Refusal("RFC2407-4.2.1-02", "ID", "missing")
        self.peer_id_body = part.body

    # ---------------------------------------------------------------- phase 2

    def open(self, head, octets):
        """(Message, IV of the answer) of an encrypted message; nothing has changed."""
        sealed = octets[isakmp.HEADER_LEN:]
        if self.keys is None or not sealed or len(sealed) % self.suite.block:
            raise Refusal("RFC2409-B-05", "Length", f"{len(sealed)} octets", 24)
        if head.exchange in (n.X_MAIN, n.X_AGGRESSIVE):
            iv = self.keys.iv
        else:
            iv = self.message_iv(head.message_id)
        plaintext = self.keys.decrypt(iv, sealed)
        m = check.message(octets, self.dialect, plaintext, head, self.suite.block)
        return m, sealed[-self.suite.block:]

    def seal2(self, exchange, message_id, number, *payloads, nonces=(b"", b"")):
        """A message of phase 2: HASH(number) in front of the payloads (an isakmp layer each)."""
        where, hooks = f"pull-{number}" if exchange == n.X_PULL else "info", self.config.hooks
        layers = hooks.payloads(where, list(payloads))
        after = hooks.plain(where, isakmp.octets_of(*layers))
        value = hooks.proof(where, self.keys.hash(number, message_id, after, *nonces))
        iv = self.message_iv(message_id)
        first = isakmp.Hash(next_payload=layers[0].payload_type if layers else 0, data=value)
        sealed = self.keys.encrypt(iv, bytes(first) + after, self.dialect.pad)
        self.contexts[message_id] = sealed[-self.suite.block:]
        head = self._header(exchange, n.F_ENCRYPTED, message_id)
        head.next_payload = n.P_HASH
        return hooks.datagram(where, bytes(head / sealed))

    def inform(self, payload):
        """An Informational exchange under this SA."""
        message_id = int.from_bytes(self.config.random(4), "big") or 1
        octets = self.seal2(n.X_INFO, message_id, 1, payload)
        del self.contexts[message_id]
        return octets

    def delete(self):
        return self.inform(isakmp.Delete(doi=int(self.dialect.p1_delete_doi), protocol=n.PROTO_ISAKMP, spi_size=16,
                                         spis=self.icookie + self.rcookie))

    def informed(self, head, octets, now=0):
        """The payloads of a genuine Informational; a Delete of this SA makes it dead. `replies` are the answers to it."""
        self.replies = []
        m, _ = self.open(head, octets)
        first = m.parts[0]
        if first.type != n.P_HASH:
            raise Refusal("RFC2409-5.7-01", "HASH", "missing", first.offset)
        if not same(self.keys.hash(1, head.message_id, m.after(first)), first.value):
            raise Refusal("RFC2408-5.11-02", "HASH", "does not verify", first.offset)
        questions = [p for p in m.all(n.P_N) if of_dpd(p)]
        for part in questions:
            self.replies += self.dpd.take(part, now)
        if not questions:
            self.dpd.alive(now)
        for part in m.all(n.P_D):
            if part.value.protocol == n.PROTO_ISAKMP and self.icookie + self.rcookie in part.value.spis:
                self.dead = True
        return m

    # ------------------------------------------------------------------ input

    def receive(self, head, octets, now):
        """Answers to a message of phase 1, [] for one that was answered before is the answer again."""
        if octets == self.last_seen:
            return list(self.last_sent)
        if self.done:
            raise Refusal("RFC2409-10-04", "Exchange Type", "phase 1 is over")
        if head.exchange != self.exchange:
            raise Refusal("RFC2409-5-05", "Exchange Type", str(head.exchange), 18)
        keep = None if self.keys is None else self.keys.iv
        try:
            out = self._step(head, octets, now)
        except Refusal:
            if self.keys is not None and keep is not None:
                self.keys.iv = keep  # RFC2409-10-04
            raise
        self.last_seen, self.last_sent = octets, out
        return out

    def _clear_message(self, head, octets):
        if head.encrypted:
            raise Refusal("RFC2408-3.1-10", "Flags", "encrypted before keys are there", 19)
        return check.message(octets, self.dialect)

    def _encrypted_message(self, head, octets):
        if not head.encrypted:
            raise Refusal("RFC2408-5.2-06", "Flags", "not encrypted", 19)
        m, last = self.open(head, octets)
        return m, last

    def _sees_vendors(self, m):
        self.peer_nat_t = any(p.value == n.VID_NAT_T for p in m.all(n.P_VID))
        self.dpd.peer_can = any(p.value == n.VID_DPD for p in m.all(n.P_VID))

    def _first_is_sa(self, m):
        if m.parts[0].type != n.P_SA:
            raise Refusal("RFC2409-5-07", "Next Payload", "SA is not the first payload", 16)
        return m.parts[0]


def holds(cert, identity):
    """Whether a certificate contains an identity: subject, or subjectAltName."""
    if identity.type == n.ID_DN:
        return cert.subject == identity.data
    for name in cert.alt_names:
        if name.name == "ip_address" and identity.type in (n.ID_IPV4, n.ID_IPV6):
            if ipaddress.ip_address(name.native).packed == identity.data:
                return True
        if name.name == "dns_name" and identity.type == n.ID_FQDN:
            if name.native.lower().encode() == identity.data.lower():
                return True
        if name.name == "rfc822_name" and identity.type == n.ID_USER and name.native.encode() == identity.data:
            return True
    return False


class Initiator(Sa):
    initiator = True

    def __init__(self, config, ours=None, theirs=None):
        super().__init__(config, config.random(8), bytes(8), config.mode, ours, theirs)
        self.request = None
        if self.mode == AGGRESSIVE:
            groups = {s.group for s in config.suites}
            if len(groups) > 1:
                raise ValueError("Aggressive Mode cannot negotiate the group")  # RFC2409-5-15

    def start(self):
        sa = offer(self.config.suites, self.dialect)
        self.sa_i = sa.body()
        self.request = check.phase1_sa(_reader(self.sa_i), self.dialect)
        if self.mode == MAIN:
            self.last_sent = [self._clear(sa, *self._vendor_ids())]
        else:
            self._use(self.config.suites[0])
            self.last_sent = [self._clear(sa, isakmp.KeyExchange(data=self.dh.public()), isakmp.Nonce(data=self.nonce),
                                          self._id(), *self._vendor_ids())]
        self.state = 1
        return list(self.last_sent)

    def _step(self, head, octets, now):
        if self.mode == AGGRESSIVE:
            return self._aggressive(head, octets, now)
        return {1: self._chosen, 2: self._exchanged, 3: self._finished}[self.state](head, octets, now)

    def _take_choice(self, head, m):
        part = self._first_is_sa(m)
        chosen = part.value.proposals[0].transforms
        if len(chosen) != 1:
            raise Refusal("RFC2408-4.2-08", "# of Transforms", f"{len(chosen)} in the answer", part.offset)
        offered = self.request.proposals[0].transforms
        if not any(t.attributes == chosen[0].attributes for t in offered):  # its number SHOULD be kept, no more
            raise Refusal("RFC2409-5-20", "Transform", "not one of ours", part.offset)
        if head.rcookie == bytes(8):
            raise Refusal("RFC2408-2.4-03", "Responder Cookie", "zero", 8)
        self.rcookie = head.rcookie
        self._use(suite_of(chosen[0]))
        self._sees_vendors(m)

    def _chosen(self, head, octets, _now):
        m = self._clear_message(head, octets)
        self._take_choice(head, m)
        self.state = 2
        return [self._clear(isakmp.KeyExchange(data=self.dh.public()), isakmp.Nonce(data=self.nonce),
                            *self._requests(), *self._nat_d())]

    def _exchanged(self, head, octets, _now):
        m = self._clear_message(head, octets)
        self._take_exchange(m)
        self._derive(self._find_psk(*(() if self.theirs is None else (self.theirs[0],)), "*"))
        self.state = 3
        return [self._phase1_sealed(self._id(), *self._authentication(), *self._contact())]

    def _finished(self, head, octets, now):
        m, last = self._encrypted_message(head, octets)
        self._take_id(m)
        self._authenticate(m, now)
        self.keys.iv = last
        self.done = 1
        return []

    def _aggressive(self, head, octets, now):
        m = self._clear_message(head, octets)
        self._take_choice(head, m)
        self._take_exchange(m)
        self._take_id(m)
        identity = Identity(self.peer_id_body[0], self.peer_id_body[4:])
        self._derive(self._find_psk(identity, *(() if self.theirs is None else (self.theirs[0],))))
        self._authenticate(m, now)
        self.done = 1
        payloads = [*self._authentication(), *self._nat_d()]
        if self.dialect.am3_encrypt == "yes":
            return [self._phase1_sealed(*payloads, *self._contact())]
        return [self._clear(*payloads)]


def _reader(octets):
    from .refusal import Reader
    return Reader(octets)


class Responder(Sa):
    def __init__(self, config, head, ours=None, theirs=None):
        if head.rcookie != bytes(8):
            raise Refusal("RFC2408-2.4-02", "Responder Cookie", "not zero in a first message", 8)
        mode = MAIN if head.exchange == n.X_MAIN else AGGRESSIVE
        if mode == AGGRESSIVE and not config.aggressive:
            raise Refusal("RFC2408-5.2-05", "Exchange Type", "Aggressive Mode is off", 18)
        super().__init__(config, head.icookie, config.random(8), mode, ours, theirs)

    def _step(self, head, octets, now):
        if self.mode == AGGRESSIVE:
            return (self._aggressive if not self.state else self._aggressive_end)(head, octets, now)
        return {0: self._choose, 1: self._exchange, 2: self._finish}[self.state](head, octets, now)

    def _take_offer(self, m):
        """The answer's SA: the first transform, in the initiator's order, that we like."""
        part = self._first_is_sa(m)
        self._sees_vendors(m)
        for offered in part.value.proposals[0].transforms:
            try:
                suite = suite_of(offered)
            except Refusal:
                continue  # RFC2408-5.6-01
            like = next((s for s in self.config.suites if (s.cipher, s.hash, s.auth, s.group) == (
                suite.cipher, suite.hash, suite.auth, suite.group)
                and (s.cipher != 7 or s.key_bits == suite.key_bits)), None)
            if like is None or offered.id != n.KEY_IKE:
                continue
            self.sa_i = part.body
            self._use(suite)
            chosen = isakmp.Transform(b"\0" + offered.octets[1:])
            return isakmp.SA(doi=part.value.doi, situation=part.value.situation, proposals=[isakmp.Proposal(
                number=part.value.proposals[0].number, transforms=[chosen])])
        raise Refusal("RFC2408-5.4-03", "Transform", "none of them is ours", part.offset)

    def _choose(self, head, octets, _now):
        m = self._clear_message(head, octets)
        answer = self._take_offer(m)
        self.state = 1
        return [self._clear(answer, *self._vendor_ids())]

    def _exchange(self, head, octets, _now):
        m = self._clear_message(head, octets)
        self._take_exchange(m)
        psk = self._find_psk(*(() if self.theirs is None else (self.theirs[0],)), "*")
        self._derive(psk)
        self.state = 2
        return [self._clear(isakmp.KeyExchange(data=self.dh.public()), isakmp.Nonce(data=self.nonce),
                            *self._requests(), *self._nat_d())]

    def _finish(self, head, octets, now):
        m, last = self._encrypted_message(head, octets)
        self._take_id(m)
        self._authenticate(m, now)
        self.keys.iv = last
        out = [self._phase1_sealed(self._id(), *self._authentication())]
        self.done = 1
        return out

    def _aggressive(self, head, octets, _now):
        m = self._clear_message(head, octets)
        answer = self._take_offer(m)
        self._take_exchange(m)
        self._take_id(m)
        identity = Identity(self.peer_id_body[0], self.peer_id_body[4:])
        self._derive(self._find_psk(identity, *(() if self.theirs is None else (self.theirs[0],))))
        self.state = 1
        return [self._clear(answer, isakmp.KeyExchange(data=self.dh.public()), isakmp.Nonce(data=self.nonce),
                            self._id(), *self._authentication(), *self._vendor_ids(), *self._nat_d())]

    def _aggressive_end(self, head, octets, now):
        if head.encrypted:
            m, last = self.open(head, octets)
        else:
            m, last = check.message(octets, self.dialect), self.keys.iv
        self._authenticate(m, now)
        self.keys.iv = last
        self.done = 1
        return []
