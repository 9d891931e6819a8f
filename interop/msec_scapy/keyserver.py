# SPDX-License-Identifier: BSD-2-Clause
"""A GC/KS in Python: registers members, rekeys with LKH, lets them leave.

    python3 -m msec_scapy.keyserver --help

Single-threaded and forgetful: a tool for tests, not a key server to run.
"""
import hmac
import ipaddress
from dataclasses import dataclass, field

from . import crypto, identity, judge, lkh, policy, protect
from . import dialect as dialects
from . import registry as reg
from . import token as tokens
from .gsakmp import (KeyCreation, KeyDownload, Nonce, Notification, PolicyToken,
                     RekeyEvent)
from .message import frame, loose_nonce
from .party import Party
from .refusal import Refusal
from .times import date, utc

FROM_MEMBERS = {reg.X_RTJ, reg.X_ACK, reg.X_RTD, reg.X_DA}


@dataclass
class Session:
    """A registration or a departure that waits for its last message."""
    who: identity.Identity
    path: list
    source: object
    request: bytes
    answer: bytes
    nonce_r: bytes
    nonce_c: bytes
    deadline: float
    departing: bool = False
    epoch: object = None  # of the keys and of the token in the answer


@dataclass
class Registered(judge.Grant):
    acknowledged: bool = False


@dataclass
class Answer:
    """Octets for one peer (`to` is what came with the request) or for the group (None)."""
    to: object
    octets: bytes
    exchange: int = 0


def canonical(who, dialect=dialects.STRICT):
    """Something that is equal for equal identities."""
    if who.kind == reg.ID_DN:
        return who.kind, tuple(identity.parse_dn(who.data.decode(), dialect))
    return who.kind, who.data


@dataclass
class Options:
    timeout: float = 10.0
    cookies: bool = False
    rekey_on_join: bool = True
    degree: int = 2
    depth: int = 5
    gtpk_ids: tuple = ()  # none: those that the token names
    lifetime: int = 86400
    secret: bytes = field(default=b"")


class KeyServer(Party):
    role = "gcks"

    def __init__(self, *args, token=None, options=None, now=0, **kw):
        super().__init__(*args, **kw)
        self.options = options or Options()
        self.options.secret = self.options.secret or self.random(32)
        self.signed = tokens.Signed(token, self.dialect)
        if self.group.owner is not None:
            self.signed.verify(self.group.owner)
        self.policy = policy.Policy.of(self.signed, self.dialect)
        self.mode = self.policy.suite_like(self.group.suite) or self.group.suite
        wrap_type = self.policy.wrap_type or self.group.suite.enc_type
        self.maker = lkh.KeyMaker(wrap_type, self.options.lifetime, self.dialect, self.random)
        self.tree = lkh.Tree(self.maker, self.options.degree, self.options.depth)
        self.gtpks = [self.maker.make(i, now) for i in self.options.gtpk_ids or self.policy.keys or (b"GTPK",)]
        self.members, self.sessions, self.seen = {}, {}, set()
        self.concluded = {}  # sessions after their last message, for a late Lack of Ack
        self.doomed = set()  # members that never acknowledged
        self.judged = now  # when members were judged last
        self.sequence = 0
        self.destroyed = False
        for key in self.gtpks:
            self.log.key(self.group.group_id, key)

    # -- input --------------------------------------------------------------------

    def receive(self, octets, source, now):
        """[Answer]."""
        if self.destroyed:
            return []
        try:
            m = self.parse(octets, FROM_MEMBERS, member=False)
            self.event("received", exchange=reg.EXCHANGE.name(m.exchange), octets=len(octets),
                       signer=str(m.signer))
            return {reg.X_RTJ: self._request, reg.X_ACK: self._confirmation,
                    reg.X_RTD: self._depart, reg.X_DA: self._departed}[m.exchange](m, source, now)
        except Refusal as e:
            return self._failed(octets, source, e, now)

    def _failed(self, octets, source, refusal, now):
        try:
            exchange = octets[frame(octets)[1] + 2]
        except Refusal:
            exchange = None
        self.refused(refusal, exchange)
        if self.mode.terse or exchange != reg.X_RTJ:
            return []
        payloads = [Notification(notify=refusal.notify, data=b"")]
        nonce = loose_nonce(octets, reg.NONCE_I)
        if nonce:
            payloads.insert(0, Nonce(nonce_type=reg.NONCE_I, data=nonce))
        return [Answer(source, self.build(reg.X_RTJ_ERR, payloads, now, signed=False),
                       reg.X_RTJ_ERR)]

    def tick(self, now):
        """Sessions that ran out: their members go at the next rekey (5.2.1.4)."""
        out = []
        for name, s in list(self.sessions.items()):
            if s.deadline > now:
                continue
            del self.sessions[name]
            if s.departing:
                continue
            self.doomed.add(name)
            self.event("unacknowledged", member=str(s.who))
            if not self.mode.terse:
                out.append(self.lack_of_ack(s, now))
        ends = self.next_judgement()
        return out + (self.judge(now) if ends is not None and now >= ends + 1 else [])

    # -- whether members would be admitted today --------------------------------------

    def next_judgement(self):
        """When the next thing expires that somebody was admitted with; None: never."""
        return min((e for m in self.members.values() for e in m.ends() if e > self.judged), default=None)

    def _ended(self, now):
        """[name] of those whose access has ended."""
        self.judged, out = now - 1, []  # what ends within this second is not over
        for name, member in self.members.items():
            why = judge.fault(member, self.trust, self.policy, self.dialect, now)
            if why is not None:
                self.event("access-ended", member=str(member.who), reason=why)
                out.append(name)
        return out

    def judge(self, now):
        """All members, anew: whoever fails is evicted, and not barred."""
        names = self._ended(now)
        return self.evict_names(names, now) if names else []

    def read_crls(self, crls, now):
        """Other revocation lists; they hold for those who are members, too."""
        self.trust.crls = list(crls)
        return self.judge(now)

    # -- registration ---------------------------------------------------------------

    def _request(self, m, source, now):
        """5.2.1.1."""
        name = canonical(m.signer, self.dialect)
        pending, stale = self.sessions.get(name), None
        if pending is not None and not pending.departing:
            again = pending.request == m.octets and self.dialect.dup_rtj == "resend"
            if again and pending.epoch == self._epoch():
                return [Answer(source, pending.answer, reg.X_KEYDL)]
            if again:  # out of date: gone through as if it were the first
                stale = pending
        if pending is not None and not pending.departing and stale is None:
            raise Refusal(reg.N_UNAUTHORIZED, "RFC4535-5.2.1.1-21", "Signer ID Data",
                          "a registration is pending")
        if self.options.cookies:
            answer = self._cookie(m, source, now)
            if answer is not None:
                return [answer]
        if not self.policy.may_name(m.signer, self.dialect):  # before any public-key work
            raise Refusal(reg.N_UNAUTHORIZED, "RFC4535-5.2.1.1-15", "Signer ID Data",
                          f"no rule for {m.signer}")
        path = self.authenticate(m, now)
        if not self.policy.admits(m.signer, path, self.dialect, self.permissions):
            raise Refusal(reg.N_UNAUTHORIZED, "RFC4535-5.2.1.1-15", "Signer ID Data",
                          f"{m.signer} may not join")
        nonce_i = m.nonce(reg.NONCE_I)
        self.check_fresh_time(m, now)
        if nonce_i in self.seen and stale is None:
            raise Refusal(reg.N_AUTH, "RFC4535-5.2.1.1-09", "Nonce_I", "replayed")
        creation = m.one(KeyCreation)
        self._check_mechanisms(m, creation)
        self.seen.add(nonce_i)
        return self._download(m, path, source, creation, nonce_i, name, now, stale)

    def _check_mechanisms(self, m, creation):
        suite = self.group.suite
        if creation.create_type != suite.create_type:
            raise Refusal(reg.N_MALFORMED, "RFC4535-5.2.1.1-18", "Key Creation Type",
                          "not the group's")
        choices = m.notify(reg.N_MECHANISMS)
        allowed = (suite.create_type, suite.enc_type, suite.nonce_hash)
        for choice in choices.data if choices is not None else ():
            if choice.value != allowed[choice.mechanism]:
                raise Refusal(reg.N_UNAUTHORIZED, "RFC4535-5.2.1.1-10", "Mechanism Choice Data",
                              f"{choice.value} is not in the policy")

    def _download(self, m, path, source, creation, nonce_i, name, now, stale=None):
        # one answer that is out of date and one of now: an acknowledgement of either counts
        nonce_r, nonce_c = (stale.nonce_r, stale.nonce_c) if stale else self.answer_nonces(m.octets)
        octets, rekey = self._keys_for(m.signer, name, creation.data, now, nonce_i, nonce_r,
                                       nonce_c)
        self.members[name] = Registered(m.signer, path, self.attributes)
        self.sessions[name] = Session(m.signer, path, source, m.octets, octets, nonce_r, nonce_c,
                                      now + self.options.timeout, epoch=self._epoch())
        self.event("registering", member=str(m.signer))
        return [Answer(source, octets, reg.X_KEYDL)] + rekey

    def _keys_for(self, who, name, public, now, nonce_i=b"", nonce_r=b"", nonce_c=b""):
        """A Key Download and what it makes necessary for the others."""
        suite = self.group.suite
        kex = crypto.KeyExchange(suite.create_type, random=self.random)
        try:
            secret = kex.secret(public)
        except crypto.CryptoError as e:
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.11.2-03", "Key Creation Data",
                          str(e)) from e
        salt = (b"", b"") if suite.timestamp else (nonce_i, nonce_r)
        kek = crypto.kek(suite.create_type, secret, suite.enc_type, self.group.group_id, *salt,
                         self.dialect)
        self.log.secret(self.group.group_id, *salt, suite.create_type, secret)
        self.log.kek(self.group.group_id, *salt, suite.enc_type, kek)
        rekey = self._seat(name, now)
        guard = protect.Registration(suite.enc_type, kek, self.dialect, secret, *salt, nonce_c,
                                     self.random)
        payloads = [self.member_id(who), *self.nonces(nonce_r, nonce_c),
                    KeyCreation(create_type=suite.create_type, data=kex.public(self.dialect)),
                    PolicyToken(data=guard.seal_token(
                        self.hooks.change_plain("token", self.signed.octets))),
                    KeyDownload(data=guard.seal_keys(self.hooks.change_plain(
                        "keys", lkh.key_download(self.gtpks, self.tree, name))))]
        return self.build(reg.X_KEYDL, payloads, now), rekey

    def push(self, who, certs, public, to, now):
        """5.2.3: keys for somebody who only receives. `certs`: its own, then its authorities;
        `public`: its static value. `to` None: by multicast."""
        if not (self.group.suite.timestamp and self.group.suite.terse):
            raise ValueError("receive-only members need timestamps and Terse Mode")
        path = self.trust.path(certs[0], certs, utc(now))
        if not self.policy.admits(who, path, self.dialect):
            raise Refusal(reg.N_UNAUTHORIZED, "RFC4535-4.1.3-03", "accessRule",
                          f"{who} may not join")
        name = canonical(who, self.dialect)
        octets, rekey = self._keys_for(who, name, public, now)
        self.members[name] = Registered(who, path, acknowledged=True)
        self.event("pushed", member=str(who))
        return [Answer(to, octets, reg.X_KEYDL)] + rekey

    def _seat(self, name, now):
        """Keys for the joiner; the rekey for those who are inside."""
        if name in self.members:  # a member that comes again
            del self.members[name]
            plan = self.tree.evict([name], now)
            plan_answer = self._send_plan(plan, now) if plan else []
        else:
            plan_answer = []
        plan = self.tree.join(name, now)
        said = self.policy.join_rekey
        fresh = (self.options.rekey_on_join if said is None else said) and bool(plan)
        if fresh:
            plan_answer += self._send_plan(plan, now)
        self._log_keys(name)
        return plan_answer

    def _epoch(self):
        return tuple(k.handle for k in self.gtpks), self.signed.octets

    def _send_plan(self, plan, now, token=None):
        old = self.gtpks
        self.gtpks = [self.maker.make(k.key_id, now) for k in old]
        for key in self.gtpks + [k for w in plan for k in w.keys]:
            self.log.key(self.group.group_id, key)
        datas = lkh.wrap(plan, self.gtpks, self.dialect, self.random,
                         lambda p: self.hooks.change_plain("packages", p))
        return [self.rekey(datas, now, token, old)]

    def _log_keys(self, name):
        for key in self.gtpks + self.tree.keys_of(name):
            self.log.key(self.group.group_id, key)

    def _cookie(self, m, source, now):
        """5.2.2: an Answer with a cookie, or None when the request brought the right one."""
        brought = m.notify(reg.N_COOKIE)
        good = self._make_cookie(m, source)
        if brought is not None and hmac.compare_digest(brought.data, good):
            return None
        return Answer(source, self.build(
            reg.X_COOKIE, [Notification(notify=reg.N_COOKIE_REQUIRED, data=good)], now,
            signed=False), reg.X_COOKIE)

    def _make_cookie(self, m, source):
        value = m.notify(reg.N_IPV4) or m.notify(reg.N_IPV6)
        address = value.data if value is not None else _address(source)
        return b"\x01" + hmac.digest(self.options.secret, m.nonce(reg.NONCE_I) + address, "sha256")

    def _confirmation(self, m, _source, now):
        """5.2.1.4."""
        session = self._session(m, now, False, "RFC4535-5.2.1.4-10", "RFC4535-5.2.1.4-11")
        name = canonical(session.who, self.dialect)
        self.authenticate(m, now, session.path[:-1])
        self.concluded[name] = self.sessions.pop(name)
        notify = m.notify().notify
        if notify == reg.N_ACK:
            self.members[name].acknowledged = True
            self.doomed.discard(name)
            self.event("member", member=str(session.who))
        else:
            self.doomed.add(name)
            self.event("nack", member=str(session.who), notify=notify,
                       notify_name=reg.NOTIFY.name(notify))
        return []

    def _session(self, m, now, departing, req, req_time):
        name = canonical(m.signer, self.dialect)
        session = self.sessions.get(name)
        if session is None or session.departing != departing:
            raise Refusal(reg.N_UNAUTHORIZED, req, "Signer ID Data", "no such exchange")
        if self.group.suite.timestamp:
            self.check_fresh_time(m, now, req_time)
        elif m.nonce(reg.NONCE_C) != session.nonce_c:
            raise Refusal(int(self.dialect.freshness_code), req, "Nonce_C", "does not match")
        return session

    def lack_of_ack(self, session, now):
        code = {"nack": reg.N_NACK, "none": 0, "unauth": reg.N_UNAUTHORIZED,
                "malformed": reg.N_MALFORMED, "auth": reg.N_AUTH}[self.dialect.loa_notify]
        nonces = session.nonce_r, session.nonce_c
        if self.dialect.loa_dup_nonce == "fresh":
            nonces = self.answer_nonces(session.request)
        return Answer(session.source, self.build(
            reg.X_LOA, [self.member_id(session.who), *self.nonces(*nonces),
                        Notification(notify=code, data=b"")], now), reg.X_LOA)

    # -- rekey ----------------------------------------------------------------------

    def rekey(self, datas, now, token=None, old_gtpks=None, sequence=None):
        """An Answer for the group. `datas` empty makes an event of type None."""
        self.sequence = self.sequence + 1 if sequence is None else sequence
        kind = 1 if datas else 0
        payloads = []
        if token is not None:
            key = (self.gtpks if self.dialect.pt_rekey_key == "new_gtpk"
                   else old_gtpks or self.gtpks)[0]
            payloads.append(PolicyToken(data=protect.token_key(
                key.key_type, key.key, key.key_id, key.handle, self.dialect,
                self.random).seal_token(token)))
        version = 1 if datas else int(self.dialect.rekey_none_algver)
        payloads.append(RekeyEvent(event_type=kind, group_id=self.group.group_id,
                                   group_id_type=self.group.group_id_type,
                                   timestamp=date(now), rekey_type=kind, alg_version=version,
                                   datas=datas))
        octets = self.build(reg.X_REKEY, payloads, now, sequence=self.sequence)
        self.event("rekey", sequence=self.sequence, datas=len(datas))
        return Answer(None, octets, reg.X_REKEY)

    def renew(self, now):
        """New traffic keys for everybody; members that never acknowledged go."""
        doomed = [n for n in self.doomed if n in self.members]
        if doomed:
            return self.evict_names(doomed, now)
        return self._send_plan(self.tree.renew(), now)

    def evict(self, whos, now, token=None):
        return self.evict_names([canonical(w, self.dialect) for w in whos], now, token)

    def evict_names(self, names, now, token=None):
        """Eviction by one Rekey Event, with a new token if there is one (5.3.2.1)."""
        if token is not None:
            self._take_token(token)
            names = [*names, *self._ended(now)]
        return self._put_out(names, now, token)

    def _put_out(self, names, now, token=None):
        names = list(dict.fromkeys([*names, *(n for n in self.doomed if n in self.members)]))
        for name in names:
            del self.members[name]
            self.sessions.pop(name, None)
        self.doomed.clear()
        return self._send_plan(self.tree.evict(names, now), now, token)

    def new_token(self, token, now):
        """A policy update without new keys (5.3.1.2), unless there are members that it does not admit."""
        self._take_token(token)
        names = self._ended(now)
        return self._put_out(names, now, token) if names else [self.rekey([], now, token)]

    def _take_token(self, octets):
        signed = tokens.Signed(octets, self.dialect)
        if self.group.owner is not None:
            signed.verify(self.group.owner)
        tokens.accept_after(signed, self.signed, self.dialect)
        self.signed, self.policy = signed, policy.Policy.of(signed, self.dialect)

    def destroy(self, now):
        """5.3.1.3."""
        answer = self.rekey([], now, sequence=reg.SEQUENCE_DESTROY)
        self.destroyed = True
        return [answer]

    # -- de-registration ----------------------------------------------------------------

    def _depart(self, m, source, now):
        """5.3.2.3.1."""
        self.check_addressee(m, "RFC4535-5.3.2.3.1-08")
        name = canonical(m.signer, self.dialect)
        if name not in self.members:
            raise Refusal(reg.N_UNAUTHORIZED, "RFC4535-5.3.2.3.1-09", "Signer ID Data",
                          f"{m.signer} is no member")
        nonce_i = m.nonce(reg.NONCE_I)
        if nonce_i is None and not self.group.suite.timestamp:
            raise Refusal(reg.N_MALFORMED, "RFC4535-5.3.2.3.1-04", "Nonce_I", "missing")
        if m.notify().notify == reg.N_EXPULSION:  # it has no subordinates
            raise Refusal(reg.N_UNAUTHORIZED, "RFC4535-4.4.7-09", "Notification Type", "of somebody who is no key server")
        if m.notify().notify != reg.N_LEAVE:
            raise Refusal(reg.N_MALFORMED, "RFC4535-5.3.2.3.1-10", "Notification Type",
                          reg.NOTIFY.name(m.notify().notify))
        path = self.authenticate(m, now, self.members[name].path[:-1])
        self.check_fresh_time(m, now)
        pending = self.sessions.get(name)
        if pending is not None and pending.departing and pending.request == m.octets:
            return [Answer(source, pending.answer, reg.X_DR)]
        nonce_r, nonce_c = self.answer_nonces(m.octets, self.policy.leave_hash(self.group.suite, path))
        octets = self.build(reg.X_DR, [
            self.member_id(m.signer), *self.nonces(nonce_r, nonce_c),
            Notification(notify=reg.N_DEPARTED, data=b"")], now)
        self.sessions[name] = Session(m.signer, path, source, m.octets, octets, nonce_r, nonce_c,
                                      now + self.options.timeout, departing=True)
        return [Answer(source, octets, reg.X_DR)]

    def _departed(self, m, _source, now):
        """5.3.2.3.3."""
        session = self._session(m, now, True, "RFC4535-5.3.2.3.3-09", "RFC4535-5.3.2.3.3-10")
        self.authenticate(m, now, session.path[:-1])
        name = canonical(session.who, self.dialect)
        del self.sessions[name]
        if m.notify().notify != reg.N_ACK:
            self.event("departure-failed", member=str(session.who))
            return []
        self.event("departed", member=str(session.who))
        return self.evict_names([name], now)


def _address(source):
    try:
        return ipaddress.ip_address(source[0]).packed
    except (TypeError, ValueError, IndexError):
        return repr(source).encode()


if __name__ == "__main__":
    import sys

    from .cli import keyserver_main
    sys.exit(keyserver_main())
