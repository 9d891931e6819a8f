# SPDX-License-Identifier: BSD-2-Clause
"""transcripts.json: whole memberships, with a key server of ours on the other side."""
from .. import crypto, identity, keyserver, lkh, message, party, pkix, policy
from .. import registry as reg
from .. import token as tokens
from ..dialect import Dialect
from ..gsakmp import GSAKMP, Nonce, Signature
from . import deterministic, fixed
from .make_crypto import private_value
from .play import Player
from .recipe import Book
from .store import Vector, plain

SUITES = {"suite-1": (policy.Suite(), "dsa"), "rsa1024-md5": (policy.Suite(1), "rsa1024"),
          "p256-gcm": (policy.SUITES["p256"], "p256"), "rsa2048-cbc": (policy.SUITES["rsa"], "rsa"),
          "x25519-gcm": (policy.SUITES["x25519"], "ed25519")}
SIZE = {2: 40, 14: 40, 49155: 40, 49153: 32, 49154: 32}
START = int(fixed.NOW.timestamp())


class Stage:
    """A key server, the member whose transcript it is, and others that come and go unseen."""

    def __init__(self, name, suite="suite-1", dialect=None, terse=True, timestamp=False, **options):
        self.name, (base, self.kind) = name, SUITES[suite]
        self.suite = policy.Suite(base.sig_type, base.nonce_hash, base.create_type, base.enc_type, terse, timestamp)
        self.dialect = Dialect(**(dialect or {}))
        self.dialect_given = dialect
        self.now = START
        self.owner_key, self.owner = fixed.party("rsa" if self.kind == "rsa1024" else self.kind, "Group Owner")
        self.group = party.Group(fixed.GROUP_ID, suite=self.suite, owner=self.owner, dialect=self.dialect)
        self.steps, self.outs = [], []
        with deterministic.signatures():
            self.server = keyserver.KeyServer(
                self.group, party.Credentials(*fixed.party(self.kind, "gcks")), pkix.Trust([fixed.root()]),
                token=self.token(1), now=self.now, random=fixed.Stream(f"gcks {name}"),
                options=keyserver.Options(depth=3, **options))
        key, cert = fixed.party(self.kind, "gm1")
        self.given = {
            "group_id_type": 2, "group_id": fixed.GROUP_ID,
            "suite": {"signature": base.sig_type, "nonce_hash": base.nonce_hash, "key_creation": base.create_type,
                      "encryption": base.enc_type, "timestamp": timestamp, "terse": terse},
            "root": fixed.root().der, "owner": self.owner.der, "key": fixed.private(key), "certificate": cert.der,
            "steps": []}
        v = Vector({"id": "", "kind": "transcript", "in": plain(self.given), "out": {}})
        self.player = Player(v.given, self.dialect)
        self.guests = []

    def rule(self, common):
        return policy.Rule(identity.Identity(31, f"CN={common},O={fixed.ORGANISATION}".encode()), fixed.root().key_id)

    def token(self, edition, excluded=()):
        der = policy.make_token(tokens.group_name(2, fixed.GROUP_ID, self.dialect), [self.rule("gcks")],
                                [self.rule("gm*")], self.suite, edition, [self.rule(e) for e in excluded],
                                dialect=self.dialect)
        at = fixed.NOW.replace(minute=edition)
        at = at.replace(hour=11)
        return tokens.sign(der, self.owner_key, self.owner, at, dialect=self.dialect)

    def tick(self, seconds=1):
        self.now += seconds

    # -- the member ---------------------------------------------------------------

    def _step(self, raw):
        out = self.player.step({"at": self.now, **raw})
        self.steps.append({"at": self.now, **raw})
        self.outs.append(out)
        return [bytes.fromhex(o) for o in out["send"]]

    def do(self, what):
        number = len(self.steps)
        random = {"nonce_i": fixed.octets(f"{self.name} nonce {number}", 16).hex()}
        if what == "join":
            random["private"] = private_value(self.suite.create_type, f"{self.name} {number}",
                                              SIZE[self.suite.create_type]).hex()
        return self._step({"do": what, "random": random} if what != "again" else {"do": what})

    def receive(self, octets):
        return self._step({"receive": octets.hex()})

    def answers(self, octets):
        """What the key server sends the member for this."""
        with deterministic.signatures():
            return self.server.receive(octets, "gm1", self.now)

    def exchange(self, sent):
        """To and fro until nobody has more to say."""
        pending = list(sent)
        while pending:
            for answer in self.answers(pending.pop(0)):
                pending += self.receive(answer.octets)
        return self

    def join(self):
        self.tick()
        return self.exchange(self.do("join"))

    def leave(self):
        self.tick()
        return self.exchange(self.do("leave"))

    # -- everybody else -----------------------------------------------------------

    def to_group(self, answers):
        for a in answers:
            if a.to is None:
                self.receive(a.octets)
        return self

    def guest(self, common):
        """Another member joins; our member sees the Rekey Event."""
        self.tick()
        key, cert = fixed.party(self.kind, common)
        create = self.suite.create_type
        random = {"private": private_value(create, f"{self.name} {common}", SIZE[create]).hex(),
                  "nonce_i": fixed.octets(f"{self.name} {common}", 16).hex()}
        given = {**self.given, "key": fixed.private(key), "certificate": cert.der}
        other = Player(Vector({"id": "", "kind": "transcript", "in": plain(given), "out": {}}).given, self.dialect)
        rtj = other.step({"at": self.now, "do": "join", "random": random})["send"][0]
        with deterministic.signatures():
            answers = self.server.receive(bytes.fromhex(rtj), common, self.now)
        for a in answers:
            if a.to == common:
                ack = other.step({"at": self.now, "receive": a.octets.hex()})["send"]
                with deterministic.signatures():
                    self.server.receive(bytes.fromhex(ack[0]), common, self.now)
        self.guests.append(other.member.me)
        return self.to_group(answers)

    def command(self, function, *args, **kw):
        """A method of the key server that gives answers for the group."""
        self.tick()
        with deterministic.signatures():
            return self.to_group(getattr(self.server, function)(*args, now=self.now, **kw))

    def signed(self, edition, excluded=()):
        with deterministic.signatures():
            return self.token(edition, excluded)

    def evict(self, who, edition=None, excluded=()):
        token = self.signed(edition, excluded) if edition else None
        return self.command("evict", [who], token=token)

    def write(self, book, about, req, shows=()):
        self.given["steps"] = self.steps
        book.add("transcript", self.name, about, req, self.given, self.dialect_given, shows,
                 {"steps": self.outs, "keylog": self.player.log.lines})


ALL = ("RFC4535-5.2.1.1-04", "RFC4535-5.2.1.2-03", "RFC4535-5.2.1.4-02", "RFC4535-5.3.1.1-07")


def lives(book):
    for suite in SUITES:
        s = Stage(f"life/{suite}", suite).join().guest("gm2").guest("gm3")
        s.command("new_token", s.signed(2))
        s.evict(s.guests[0], 3, ["gm2"]).command("renew")
        s.leave().write(book, f"Join, two others join, a new policy, an eviction, a rekey, departure: {suite}", ALL)
        s = Stage(f"destroyed/{suite}", suite).join().guest("gm2").command("destroy")
        s.write(book, f"Join, and the group is destroyed: {suite}", ("RFC4535-5.3.1.3-01", *ALL))
    s = Stage("timestamp", "p256-gcm", timestamp=True).join().guest("gm2")
    s.leave().write(book, "Freshness by synchronised time: no nonces but in the RTJ", "RFC4535-5.2.1.2-12")
    s = Stage("cookie", "suite-1", cookies=True).join()
    s.write(book, "The key server wants a cookie first", "RFC4535-5.2.2-04")
    s = Stage("excluded", "p256-gcm").join().guest("gm2")
    s.evict(s.player.member.me, 2, ["gm1"]).write(
        book, "Evicted: the event holds nothing for us, its token excludes us", "RFC4535-5.3.2.1-02")


def refusals(book):
    def keydl(label, about, req, change, terse=True):
        s = Stage(f"keydl/{label}", "x25519-gcm", terse=terse)
        s.tick()
        answer = s.answers(s.do("join")[0])[0].octets
        s.receive(change(s, answer))
        s.write(book, about, req)

    def flipped(at):
        return lambda s, octets: octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]

    def other_nonce(s, octets):
        packet = GSAKMP(octets)
        nonce = packet.find(Nonce, nonce_type=reg.NONCE_C)
        nonce.data = bytes(len(nonce.data))
        with deterministic.signatures():
            return message.sign(packet, s.server.credentials.key, s.dialect)
    keydl("signature", "A KeyDL with one bit of its signature turned", "RFC4535-7.8.2-06",
          lambda s, o: flipped(o.index(GSAKMP(o).find(Signature).signature) + 3)(s, o))
    keydl("nonce-c", "A KeyDL whose Nonce_C is not ours", "RFC4535-5.2.1.2-11", other_nonce)
    s = Stage("rekey/replayed", "x25519-gcm").join()
    s.guest("gm2")
    again = bytes.fromhex(s.steps[-1]["receive"])
    s.tick()
    s.receive(again)
    s.write(book, "The same Rekey Event twice", "RFC4535-7.1.2-09")
    s = Stage("rekey/forged", "x25519-gcm").join()
    s.guest("gm2")
    good = bytes.fromhex(s.steps.pop()["receive"])
    s.outs.pop()
    s2 = Stage("rekey/forged", "x25519-gcm").join()
    s2.tick()
    s2.receive(flipped(60)(s2, good))
    s2.receive(good)
    s2.write(book, "A Rekey Event with one bit turned, and then the good one", "RFC4535-7.8.2-06")


# ------------------------------------------------------------------- readings

def _chain(s, victim):
    """Eviction in the order of the NOTE of A.3.2: keys before the keys that they are wrapped in."""
    tree, server = s.server.tree, s.server
    plan = tree.evict([keyserver.canonical(victim, s.dialect)], s.now)
    fresh = {k.key_id for w in plan for k in w.keys}
    out = []
    for node in sorted(n for n in tree.keys if tree.keys[n].key_id in fresh):
        if tree.parent(node) == 1:
            out.append(lkh.Wrap(tree.keys[node], [], True))
        for child in tree.children(node):
            if child in tree.keys:
                out.append(lkh.Wrap(tree.keys[child], [tree.keys[node]], False))
    out += [lkh.Wrap(tree.keys[n], [], True) for n in tree.children(1)
            if n in tree.keys and tree.keys[n].key_id not in fresh]
    del server.members[keyserver.canonical(victim, s.dialect)]
    return out


def readings(book):
    for value in crypto.STRICT.choices()["rekey_order"]:
        dialect = {} if value == "fixpoint" else {"rekey_order": value}
        s = Stage(f"rekey_order/{value}", "suite-1", dialect).join().guest("gm2").guest("gm3")
        s.tick()
        plan = _chain(s, s.guests[0])
        with deterministic.signatures():
            answers = s.server._send_plan(plan, s.now)
        s.to_group(answers).write(
            book, f"Rekey Event Datas in the order of the NOTE of A.3.2, keys before those they are wrapped in: {value}",
            "RFC4535-7.5.2-08", [f"rekey_order={value}"])
    for value in crypto.STRICT.choices()["date_equal"]:
        dialect = {} if value == "reject" else {"date_equal": value}
        s = Stage(f"date_equal/{value}", "suite-1", dialect).join()
        s.tick()
        s.server.maker.last.clear()  # so that a new key may have the date of the last one
        held = s.server.gtpks[0]
        fresh = lkh.Key(held.key_type, held.key_id, b"\xaa\xbb\xcc\xdd", held.created, held.expires,
                        fixed.octets("another key of the same second", len(held.key)))
        datas = lkh.wrap(s.server.tree.renew(), [fresh], s.dialect, s.server.random)
        with deterministic.signatures():
            answer = s.server.rekey(datas, s.now)
        s.to_group([answer]).write(book, f"A new traffic key with the creation date of the old one: {value}",
                                   "RFC4535-7.5.2-16", [f"date_equal={value}"])
    for value in crypto.STRICT.choices()["dup_rtj"]:
        dialect = {} if value == "resend" else {"dup_rtj": value}
        s = Stage(f"dup_rtj/{value}", "x25519-gcm", dialect)
        s.tick()
        lost = s.answers(s.do("join")[0])
        assert len(lost) == 1
        s.tick(5)
        s.exchange(s.do("again"))
        s.write(book, f"The KeyDL is lost and the RTJ is sent again: {value}", "RFC4535-5.2.1.1-20", [f"dup_rtj={value}"])
    for value in crypto.STRICT.choices()["loa_dup_nonce"]:
        dialect = {} if value == "keydl" else {"loa_dup_nonce": value}
        s = Stage(f"loa_dup_nonce/{value}", "suite-1", dialect, terse=False)
        s.tick()
        keydl = s.answers(s.do("join")[0])[0]
        s.receive(keydl.octets)  # the acknowledgement is lost
        s.tick(20)
        with deterministic.signatures():
            loa = s.server.tick(s.now)
        assert len(loa) == 1
        s.receive(loa[0].octets)
        s.write(book, f"The acknowledgement is lost and a Lack of Ack comes: its nonces are {value}",
                "RFC4535-5.2.1.5-04", [f"loa_dup_nonce={value}"])


def books():
    book = Book("transcripts", "Whole memberships from the member's side.")
    lives(book)
    refusals(book)
    readings(book)
    return [book]

