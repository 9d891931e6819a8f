# SPDX-License-Identifier: BSD-2-Clause
"""sessions.json: registrations and rekeys between the Python peers, with randomness that repeats."""
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from ... import pkix
from ...vectors import fixed as base
from .. import gcks, gm, phase1, values
from .. import numbers as n
from ..dialect import GDOID
from ..policy import IecPolicy, IpsecPolicy, KekPolicy, Selector
from ..suite import Suite
from . import fixed
from .store import Book, Dialect

SERVER, NOW = "10.0.0.1", base.NOW.timestamp()
SUITE = "aes128-sha256-psk-ecp256"
GCM = IpsecPolicy(transform=20, auth=0)
SUITES = {"rsa": ("aes128-sha256-rsa-ecp256", "rsa"), "ecdsa256": ("aes256-sha1-ecdsa256-ecp256", "p256"),
          "ecdsa384": ("aes256-sha384-ecdsa384-ecp384", "p384"), "ecdsa521": ("aes128-sha512-ecdsa521-ecp521", "p521")}


def _certificate(kind, address):
    of = fixed.key(kind, address)
    builder = (x509.CertificateBuilder().subject_name(base.name(address)).issuer_name(base.name("Root"))
               .public_key(of.public_key()).serial_number(int.from_bytes(b"\1" + fixed.octets(f"gdoi serial {kind} {address}", 8), "big"))
               .not_valid_before(base.NOW.replace(year=2026, month=1, tzinfo=None)).not_valid_after(base.NOW.replace(year=2036, tzinfo=None))
               .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False))
    return of, builder.sign(base.key("rsa", "Root"), hashes.SHA256()).public_bytes(Encoding.DER)


class Session:
    """A key server and members whose every random octet follows from a label."""

    def __init__(self, label, members=2, auth=None, suite=None, mode=phase1.MAIN, dialect=None, sids=0, contact=False,
                 identity=None, kek=KekPolicy(sig=4), teks=(IpsecPolicy(),), **of_group):
        self.dialect = Dialect(**(dialect or {}))
        self.psk = None if auth else fixed.octets(f"gdoi session psk {label}", 20)
        self.suite, self.auth, self.label, self.mode, self.contact = suite, auth, label, mode, contact
        self.wire, self.exponents, self.now = [], [], NOW
        identity = identity or (n.ID_KEY, values.group_id(1234, self.dialect))
        kind = {1: "rsa", 2: "dsa", 3: "p256", 4: "p256", 5: "p384", 6: "p521"}[kek.sig] if kek else None
        self.group = gcks.Group(identity, kek, teks, fixed.key(kind) if kind else None,
                                certificate=fixed.certificate(kind) if kind else None, **of_group)
        self.server = gcks.KeyServer(self._config(SERVER), [self.group], self._event)
        self.members = []
        with fixed.signatures():
            for i in range(members):
                address = f"10.0.0.{10 + i}"
                m = gm.Member(self._config(address), identity, True, sids, bytes([10, 0, 0, 10 + i]), (SERVER, 848), self._event)
                self.members.append(m)
                self.talk(m, m.register())

    def _config(self, address):
        random = fixed.Stream(f"gdoi session {self.label} {address}")
        how = dict(mode=self.mode, dialect=self.dialect, random=random, initial_contact=self.contact, aggressive=True)
        if self.auth is None:
            return phase1.Config(phase1.Identity.parse(address), [Suite.parse(self.suite or SUITE)], psks={"*": self.psk}, **how)
        suite, kind = SUITES[self.auth]
        key, cert = _certificate(kind, address)
        return phase1.Config(phase1.Identity.parse(address), [Suite.parse(suite)], key=key, certificates=[cert],
                             trust=pkix.Trust([base.root()]), **how)

    def _event(self, name, **fields):
        if name == "refused":
            raise AssertionError(f"{self.label}: {fields}")

    def talk(self, member, sends):
        """What a member says, what it is answered, and so on."""
        address = str(member.config.identity)
        while sends:
            answers = []
            for s in sends:
                self.wire.append(s.octets)
                answers += self.server.receive(s.octets, (address, 848), self.now)
            self.wire += [a.octets for a in answers]
            sends = [s for a in answers for s in member.receive(a.octets, (SERVER, 848), self.now)]
        for sa in (member.sa, *self.server.sas.values()):
            if sa.dh is not None and sa.dh.private() not in self.exponents:
                self.exponents.append(sa.dh.private())

    def push(self, make):
        """`make(server, group)` gives datagrams; each goes to everybody, and who acknowledges does so."""
        with fixed.signatures():
            datagrams = make(self.server, self.group)
            for octets in datagrams if isinstance(datagrams, list) else [datagrams]:
                self.wire.append(octets)
                for m in self.members:
                    if any(octets[:16] == spi for spi in m.rekeys):
                        sends = m.receive(octets, (SERVER, 848), self.now)
                        # Whoever is put out by it acknowledges, too, and is a stranger by then.
                        if str(m.config.identity) in self.group.members:
                            for s in sends:
                                self.talk(m, [s])
        return self

    def leave(self):
        with fixed.signatures():
            for m in self.members:
                self.talk(m, m.leave())
        return self

    def given(self):
        return {**({"psk": self.psk} if self.psk else {}), "exponents": self.exponents, "messages": self.wire}


def teks(ks, group):
    return ks.rekey_teks(group, NOW)


def kek(ks, group):
    return ks.rekey_kek(group, NOW)


def gone(ks, group):
    return ks.delete_all(group)


def _evict(ks, group):
    return ks.evict(group, ["10.0.0.11"], NOW)


def _add(book, label, about, req, session):
    book.add("session", label, about, req, session.given(), _dialect(session))


def _dialect(session):
    return {k: getattr(session.dialect, k) for k, v in Dialect.choices().items() if getattr(session.dialect, k) != v[0]}


def _plain(book):
    _add(book, "psk/main", "Main Mode with pre-shared keys; TEKs, KEK, TEKs, the end of the group", "RFC6407-3.2-03",
         Session("psk").push(teks).push(kek).push(teks).push(gone))
    for auth in SUITES:
        for mode in (phase1.MAIN, phase1.AGGRESSIVE):
            _add(book, f"{auth}/{mode}", f"{auth}, {mode} mode", "RFC2409-5.1-01", Session(f"{auth} {mode}", 1, auth, mode=mode))
    _add(book, "psk/aggressive", "Aggressive Mode with pre-shared keys", "RFC2409-5.4-02",
         Session("aggressive", 1, mode=phase1.AGGRESSIVE))
    for suite in ("des-md5-psk-modp768", "3des-sha1-psk-modp1024", "aes192-sha384-psk-ecp384", "aes256-sha512-psk-ecp521"):
        _add(book, f"suite/{suite}", suite, "RFC2409-B-02", Session(suite, 1, suite=suite))
    _add(book, "leave", "Initial contact; members that leave", "RFC2409-5.7-01",
         Session("leave", contact=True).leave())
    for ack in n.ACK:
        _add(book, f"lkh/{n.ACK[ack]}", "Four members, one of whom is evicted; acknowledgements",
             ["RFC6407-4.4-06", "RFC8263-3-01", "RFC6407-7.4.1-02"],
             Session(f"lkh {ack}", 4, kek=KekPolicy(sig=4, ack=ack), lkh_depth=3).push(teks).push(_evict))
    for algorithm, bits in ((1, 64), (2, 192), (3, 192), (3, 256)):
        _add(book, f"lkh/{n.KEK[algorithm]}-{bits}", f"LKH with keys of {n.KEK[algorithm]}, {bits} bits", "RFC6407-5.3.2-03",
             Session(f"lkh {algorithm} {bits}", 3, kek=KekPolicy(algorithm, bits, 4), lkh_depth=2).push(_evict))
    for sig in n.SIG:
        _add(book, f"push/{n.SIG[sig]}", n.SIG[sig], f"RFC6407-5.3.6.{sig}-01",
             Session(f"push {sig}", 1, kek=KekPolicy(sig=sig, sig_hash=2 if sig == 2 else 3)).push(kek).push(teks))
    _add(book, "sids", "Counter modes: three SIDs for each member", "RFC6407-3.5-08",
         Session("sids", 2, teks=(GCM, IpsecPolicy(transform=13), IpsecPolicy(protocol=2, transform=11, auth=11)), sids=3))
    _add(book, "gap", "ATD and DTD", "RFC6407-5.4.1-01", Session("gap", 1, atd=10, dtd=30).push(teks))
    _add(book, "no-rekey", "A group without a Rekey SA", "RFC6407-A-01", Session("no rekey", 1, kek=None))
    oid = values.oid(values.oid_from_text("1.2.840.10070.61850.8.1.2"))
    who = n.ID_OID, bytes([len(oid)]) + oid + b"\0\6" + bytes.fromhex("8504e9fc0001")
    _add(book, "iec-61850", "A group of IEC 61850, with its next key", "RFC8052-2.1-01",
         Session("iec", 2, identity=who, teks=(IecPolicy(), IecPolicy(auth=1, enc=4, kda=90)), overlap=300).push(teks))


# What shows in a session only: each reading of these switches has one.
def _readings(book, switch, about, req, make):
    book.readings(switch, "session", about, req, lambda value: make({switch: value}).given())


def _switches(book):
    short = lambda d, **how: Session("switch", 1, dialect=d, **how)
    lkh = lambda d, **how: Session("switch", 2, dialect=d, lkh_depth=2, **how)
    for ports, accept in (("17/848", "0,500,848"), ("17/500", "0,500"), ("0/0", "0"), ("17/848", "any")):
        d = {"p1_id_port": ports, "p1_id_port_accept": accept}
        book.add("session", f"p1_id_port_accept/{accept}", f"IDs of {ports} where {accept} are taken", "RFC2407-4.6.2-02",
                 short(d).given(), {k: v for k, v in d.items() if v != Dialect.choices()[k][0]},
                 [f"p1_id_port_accept={accept}"])
    for accept in ("any", "exact"):
        d = {"p1_situation": "1"} if accept == "any" else {"p1_situation": "1", "p1_situation_accept": "exact"}
        book.add("session", f"p1_situation_accept/{accept}", f"Situation 1, {accept}", "RFC6407-5.2-07", short(d).given(), d,
                 [f"p1_situation_accept={accept}"])
    for switch, req in (("p1_doi", "RFC6407-2.1-01"), ("p1_situation", "RFC6407-5.2-07"), ("p1_id_port", "RFC2407-4.6.2-02")):
        _readings(book, switch, "Phase 1", req, short)
    _readings(book, "am3_encrypt", "Aggressive Mode", "RFC2408-4.7-01", lambda d: short(d, mode=phase1.AGGRESSIVE))
    _readings(book, "p1_delete_doi", "Members that leave", "RFC2408-3.15-03", lambda d: short(d).leave())
    _readings(book, "push_seq_new_kek", "SEQ when the KEK changes", "RFC6407-4-08",
              lambda d: short(d).push(teks).push(kek).push(teks))
    _readings(book, "push_kek_only_tek", "A new KEK", "RFC6407-5.6.1-03", lambda d: short(d).push(kek))
    _readings(book, "kd_kek_spi", "A new KEK", "RFC6407-5.6-05", lambda d: short(d).push(kek))
    _readings(book, "sak_repeat", "New TEKs", "RFC6407-4-06", lambda d: short(d).push(teks))
    _readings(book, "lkh_kek_packet", "Registration with LKH", "RFC6407-5.6.3-01", lkh)
    _readings(book, "lkh_wrap", "A new KEK by LKH", "RFC6407-5.6.3.2-04", lambda d: lkh(d).push(kek))
    _readings(book, "kek_mgmt_in_pull", "Registration with LKH", "RFC6407-5.3-15", lkh)
    _readings(book, "push_iv", "Two rekeys", "RFC6407-5.6.2.1-01", lambda d: short(d).push(teks).push(teks))
    _readings(book, "delete_zero_spi", "The end of a group", "RFC6407-5.9-07", lambda d: short(d).push(gone))
    _readings(book, "ack_policy", "The KEK changes, and with it the acknowledgement", "RFC8263-4-06", _changing_ack)
    _readings(book, "sid_for_iec61850", "AES-GMAC of IEC 61850", "RFC6407-5.6.4.4-01",
              lambda d: short(d, teks=(IecPolicy(auth=4),)))
    habits = {k: getattr(GDOID, k) for k, v in Dialect.choices().items() if getattr(GDOID, k) != v[0]}
    _add(book, "gdoid", "All habits of one peer", "RFC6407-3.2-03",
         Session("gdoid", 1, dialect=habits, teks=(IpsecPolicy(src=Selector.parse("10.0.0.0/8")), GCM), sids=2,
                 suite="3des-sha1-psk-modp1024", kek=KekPolicy(2, 192)).push(teks).push(kek).push(teks).push(gone))


def _changing_ack(dialect):
    """The Rekey SA in force asks for REKEY_ACK_KEK_SHA256, the new one for REKEY_ACK_KEK_SHA512."""
    s = Session("ack policy", 1, dialect=dialect, kek=KekPolicy(sig=4, ack=1))
    s.group.kek_policy = KekPolicy(sig=4, ack=3)
    asked = s.server._acknowledged
    s.server._acknowledged = lambda head, octets, source: []  # its own policy has changed already
    s.push(kek)
    s.server._acknowledged = asked
    return s.push(teks)


def books():
    book = Book("sessions", "Sessions of members and key servers, from phase 1 to acknowledgements.")
    _plain(book)
    _switches(book)
    return [book]
