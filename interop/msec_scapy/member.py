# SPDX-License-Identifier: BSD-2-Clause
"""A Group Member in Python: joins, follows rekeys, leaves (RFC 4535 section 5).

    python3 -m msec_scapy.member --help
"""
from . import bulletin, crypto, identity, policy, protect
from . import registry as reg
from . import token as tokens
from .gsakmp import (KeyCreation, KeyDownload, Nonce, Notification, PolicyToken,
                     RekeyEvent)
from .lkh import Ring
from .message import frame, loose_nonce
from .party import Party
from .refusal import Refusal
from .times import utc

IDLE, JOINING, MEMBER, LEAVING, LEFT = "idle", "joining", "member", "leaving", "left"
MAX_COOKIES = 3
NONCE_LEN = 32
AHEAD_MAX, AHEAD_OCTETS = 16, 1 << 18  # Rekey Events that are kept until the Key Download is there


class Member(Party):
    role = "gm"
    way = ""  # the transport that it registers over, where that is known

    def __init__(self, *args, mechanisms=None, ip_value=None, **kw):
        super().__init__(*args, **kw)
        self.ip_value = ip_value  # octets of the address that an RTJ asserts (5.2.2), or None
        self.state = IDLE
        self.mechanisms = mechanisms  # a MechanismChoice list for the RTJ, or None
        self.nonce_i = self.kex = self.rtj = self.request = None
        self.token = self.policy = None
        self.ring = Ring(self.dialect, self.private)
        self.sequences = {}  # signer -> last Sequence ID
        self.followed = {}  # the same, of this membership
        self.early = {}  # (signer, Sequence ID) -> octets that came before their turn
        self.ahead, self.overtaken = [], False  # octets that came before the Key Download; going through them
        self.server = None  # identity of the GC/KS that registered us
        self.server_path = []
        self.last_ack = None
        self.cookies = 0
        self.terse = True  # until a token says otherwise

    # -- commands ---------------------------------------------------------------

    def join(self, now, cookie=None):
        """The octets of a Request to Join (5.2.1.1)."""
        if cookie is None:
            self.kex = crypto.KeyExchange(self.group.suite.create_type, random=self.random)
            self.nonce_i, self.cookies = self.random(NONCE_LEN), 0
        payloads = [KeyCreation(create_type=self.group.suite.create_type,
                                data=self.kex.public(self.dialect)),
                    Nonce(nonce_type=reg.NONCE_I, data=self.nonce_i)]
        if self.mechanisms:
            payloads.append(Notification(notify=reg.N_MECHANISMS, data=self.mechanisms))
        if cookie is not None:
            payloads.append(Notification(notify=reg.N_COOKIE, data=cookie))
        if self.ip_value is not None:
            payloads.append(Notification(
                notify=reg.N_IPV4 if len(self.ip_value) == 4 else reg.N_IPV6,
                data=self.ip_value))
        self.rtj = self.request = self.build(reg.X_RTJ, payloads, now)
        self.state = JOINING
        return self.rtj

    def leave(self, now):
        """The octets of a Request to Depart (5.3.2.3.1)."""
        self.nonce_i = self.random(NONCE_LEN)
        payloads = [self.member_id(self.server)]
        if not self.group.suite.timestamp:
            payloads.append(Nonce(nonce_type=reg.NONCE_I, data=self.nonce_i))
        payloads.append(Notification(notify=reg.N_LEAVE, data=b""))
        self.state = LEAVING
        self.request = self.build(reg.X_RTD, payloads, now)
        return self.request

    # -- input --------------------------------------------------------------------

    EXPECTED = {IDLE: set(), LEFT: set(),
                JOINING: {reg.X_KEYDL, reg.X_COOKIE, reg.X_RTJ_ERR, reg.X_LOA},
                MEMBER: {reg.X_REKEY, reg.X_LOA}, LEAVING: {reg.X_REKEY, reg.X_DR}}

    def receive(self, octets, now):
        """The octets of the answers, in order.

        A Rekey Event may overtake the Key Download, and nobody can verify it then. It is put
        aside unread, and what section 5.3.1.1 wants is done when the keys are there.
        """
        joining = self.state == JOINING
        if joining and self._exchange_of(octets) == reg.X_REKEY and self._ours(octets):
            self._put_aside(octets)
            return []
        answers = self._receive(octets, now)
        if joining and self.state == MEMBER:
            self._catch_up_with_ahead(now)
        elif self.state in (IDLE, LEFT):
            self.ahead.clear()
        return answers

    def _ours(self, octets):
        return octets[2:frame(octets)[1]] == self.group.group_id

    def _put_aside(self, octets):
        if octets in self.ahead or len(octets) > AHEAD_OCTETS:
            return
        self.ahead.append(octets)
        while len(self.ahead) > AHEAD_MAX or sum(map(len, self.ahead)) > AHEAD_OCTETS:
            self.ahead.pop(0)
        self.event("ahead", octets=len(octets))

    def _catch_up_with_ahead(self, now):
        """In the order of their Sequence IDs; one that is too old has done nothing wrong."""
        def sequence(octets):
            at = frame(octets)[1] + 3
            return octets[at:at + 4]

        waiting, self.ahead, self.overtaken = sorted(self.ahead, key=sequence), [], True
        for octets in waiting:
            self._receive(octets, now)
        self.overtaken = False

    def _receive(self, octets, now):
        try:
            m = self.parse(octets, self.EXPECTED[self.state])
            self.event("received", exchange=reg.EXCHANGE.name(m.exchange), octets=len(octets))
            step = {reg.X_KEYDL: self._key_download, reg.X_COOKIE: self._cookie,
                    reg.X_RTJ_ERR: self._rtj_error, reg.X_LOA: self._lack_of_ack,
                    reg.X_REKEY: self._rekey, reg.X_DR: self._departure}[m.exchange]
            return step(m, now)
        except Refusal as e:
            return self._failed(octets, e, now)

    def _failed(self, octets, refusal, now):
        """5.2.1.2 and 5.3.2.3.2: some failures are told to the key server."""
        exchange = self._exchange_of(octets)
        if self.overtaken and refusal.req == "RFC4535-7.1.2-09":
            self.event("ahead-old")
            return []
        self.refused(refusal, exchange)
        if refusal.req in ("RFC4535-7.1.2-02", "RFC4535-7.1.2-07"):
            return []
        notify = reg.N_NACK if self.terse else refusal.notify
        if exchange == reg.X_KEYDL and self.state == JOINING:
            self._forget(IDLE)
            return [self._confirm(reg.X_ACK, notify, octets, now)]
        if exchange == reg.X_DR and self.state == LEAVING:
            self.state = MEMBER
            return [self._confirm(reg.X_DA, notify, octets, now)]
        return []

    @staticmethod
    def _exchange_of(octets):
        try:
            return octets[frame(octets)[1] + 2]
        except Refusal:
            return None

    def _confirm(self, exchange, notify, octets, now):
        """A KeyDL-A/F or DA that reports a failure; Nonce_C only if it can be computed."""
        payloads = []
        nonce_r = loose_nonce(octets, reg.NONCE_R)
        if nonce_r is not None and not self.group.suite.timestamp:
            payloads = [Nonce(nonce_type=reg.NONCE_C, data=self.combine(self.request, octets))]
        return self.build(exchange, payloads + [self.ack(notify)], now)

    def _forget(self, state):
        self.state = state
        self.ring = Ring(self.dialect, self.private)
        self.kex = None

    def check_fresh(self, m, now, req, req_time):
        if self.group.suite.timestamp or m.nonce(reg.NONCE_C) is None:
            if not self.group.suite.timestamp:
                raise Refusal(int(self.dialect.freshness_code), req, "Nonce_C", "missing")
            self.check_fresh_time(m, now, req_time)
            return
        leaving = m.exchange == reg.X_DR and self.policy is not None
        nonce_hash = self.policy.leave_hash(self.group.suite, self.own_path(now)) if leaving else None
        if m.nonce(reg.NONCE_C) != self.combine(self.request, m.octets, nonce_hash):
            raise Refusal(int(self.dialect.freshness_code), req, "Nonce_C", "does not match")

    # -- registration ---------------------------------------------------------------

    def _key_download(self, m, now):
        """5.2.1.2, in the order of its checks."""
        self.check_addressee(m, "RFC4535-5.2.1.2-10")
        self.check_fresh(m, now, "RFC4535-5.2.1.2-11", "RFC4535-5.2.1.2-12")
        self._take_keys(m, now)
        nonce_c = m.nonce(reg.NONCE_C) or b""
        payloads = [] if self.group.suite.timestamp else [Nonce(nonce_type=reg.NONCE_C,
                                                                data=nonce_c)]
        self.last_ack = self.build(reg.X_ACK, payloads + [self.ack()], now)
        return [self.last_ack]

    def _take_keys(self, m, now):
        """What follows the checks of addressee and freshness; then we are a member."""
        path = self.authenticate(m, now)
        creation = m.one(KeyCreation)
        suite = self.group.suite
        if creation.create_type != suite.create_type:
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.11.2-03", "Key Creation Type",
                          "not the one we offered")
        nonce_r, nonce_c = m.nonce(reg.NONCE_R) or b"", m.nonce(reg.NONCE_C) or b""
        salt = (b"", b"") if suite.timestamp else (self.nonce_i, nonce_r)
        try:
            secret = self.kex.secret(creation.data)
            kek = crypto.kek(suite.create_type, secret, suite.enc_type, self.group.group_id,
                             *salt, self.dialect)
            guard = protect.Registration(suite.enc_type, kek, self.dialect, secret, *salt,
                                         nonce_c, self.random)
            token = self._token(guard.open_token(m.one(PolicyToken)), now)
            rules = policy.Policy.of(token, self.dialect, self.way)
            rules.check_data()
            self._authorised(rules.gcks, m, path, "RFC4535-5.2.1.2-17")
            chosen = rules.suite_like(suite)
            if chosen is None:
                raise Refusal(reg.N_MALFORMED, "RFC4534-2-11", "joinMechanisms",
                              "the token does not list the mechanisms in use")
            keys = self.ring.install(guard.open_keys(m.one(KeyDownload)), now)
        except protect.FormError as e:
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.4.2-06", "Key Download", str(e)) from e
        except crypto.CryptoError as e:
            raise Refusal(reg.N_KEY_INFO, "RFC4535-5.2.1.2-15", "encrypted payloads",
                          str(e)) from e
        self.log.secret(self.group.group_id, *salt, suite.create_type, secret)
        self.log.kek(self.group.group_id, *salt, suite.enc_type, kek)
        for key in keys:
            self.log.key(self.group.group_id, key)
        self.token, self.policy, self.terse = token, rules, chosen.terse
        self.server, self.server_path, self.state = m.signer, path, MEMBER
        self.followed, self.early = {}, {}
        self.event("joined", server=str(m.signer), edition=token.edition,
                   keys=[str(k) for k in keys])

    def _token(self, octets, now):
        """Verify a policy token as RFC 4534 section 2 says."""
        try:
            signed = tokens.Signed(octets, self.dialect)
            owner = self.group.owner
            if owner is None:
                raise tokens.TokenError("no Group Owner is configured", "RFC4534-2-08")
            signed.verify(owner)
            if not owner.not_before <= utc(now) <= owner.not_after:  # configured, so no path
                raise tokens.TokenError("the Group Owner's certificate is out of date",
                                        "RFC4534-2-08")
            tokens.accept_after(signed, self.token, self.dialect)
            want = tokens.group_name(self.group.group_id_type, self.group.group_id, self.dialect)
            if signed.group_name != want:
                raise tokens.TokenError("token of another group", "RFC4534-3.1-02")
            return signed
        except tokens.TokenError as e:
            raise Refusal(reg.N_MALFORMED, e.req, "Policy Token Data", str(e)) from e
        except ValueError as e:
            raise Refusal(reg.N_AUTH, "RFC4534-2-08", "Policy Token Data", str(e)) from e

    def _authorised(self, rules, m, path, req):
        if not policy.any_admits(rules, m.signer, path, self.dialect):
            raise Refusal(reg.N_UNAUTHORIZED, req, "Signer ID Data",
                          f"the token does not authorise {m.signer}")

    def _cookie(self, m, now):
        self.cookies += 1
        if self.cookies > MAX_COOKIES:
            raise Refusal(reg.N_COOKIE_REQUIRED, "RFC4535-5.2.2-04", "Cookie", "too many")
        return [self.join(now, m.notify(reg.N_COOKIE_REQUIRED).data)]

    def _rtj_error(self, m, _now):
        nonce = m.nonce(reg.NONCE_I)
        if nonce is not None and nonce != self.nonce_i:
            raise Refusal(reg.N_AUTH, "RFC4535-5.2.1.3-06", "Nonce_I", "not ours")
        notify = m.notify().notify
        self.event("rtj-error", notify=notify, notify_name=reg.NOTIFY.name(notify))
        return []  # a KeyDL may still come (RFC4535-5.2.1.3-08)

    def _lack_of_ack(self, m, now):
        self.check_addressee(m, "RFC4535-5.2.1.5-08")
        self.check_fresh(m, now, "RFC4535-5.2.1.5-09", "RFC4535-5.2.1.5-10")
        path = self.authenticate(m, now)
        if self.state == JOINING:
            # no token yet, so nobody's authority can be judged: 5.2.1.4
            return [self._confirm(reg.X_ACK, reg.N_NACK, m.octets, now), self.join(now)]
        self._authorised(self.policy.gcks, m, path, "RFC4535-5.2.1.5-11")
        self.event("lack-of-ack")
        if self.group.suite.timestamp:  # there the time of signing says whether it is new
            self.last_ack = self.build(reg.X_ACK, [self.ack()], now)
        return [self.last_ack]

    # -- rekey ----------------------------------------------------------------------

    def _rekey(self, m, now):
        """5.3.1.1 and 7.5.2. Never answered."""
        signer = (m.signer.kind, m.signer.data)
        last = self.sequences.get(signer, 0)
        if m.packet.sequence <= last:
            raise Refusal(reg.N_SEQUENCE, "RFC4535-7.1.2-09", "Sequence ID",
                          f"{m.packet.sequence} after {last}")
        path = self.authenticate(m, now, [c for c in self.server_path
                                          if c not in self.trust.roots])
        self._authorised(self.policy.rekey_signers, m, path, "RFC4534-B.5.1-01")
        if m.packet.sequence == reg.SEQUENCE_DESTROY:
            self._forget(LEFT)
            self.event("destroyed")
            return []
        before = self.followed.get(signer)
        if self.policy.post and before is not None and m.packet.sequence > before + 1:
            self.early[signer, m.packet.sequence] = m.octets  # others are missing in front of it
            self.event("gap", sequence=before + 1)
            return []
        old, old_kek = dict(self.ring.gtpk), dict(self.ring.kek)
        changed, faults = self.ring.apply(m.all(RekeyEvent), now)
        payload, token = m.one(PolicyToken), None
        if payload is not None and not faults:
            keys = self.ring.gtpk if self.dialect.pt_rekey_key == "new_gtpk" else old
            try:
                token = self._open_token(payload, keys, now)
            except Refusal:  # a bad token spoils its message
                self.ring.gtpk, self.ring.kek = old, old_kek
                raise
        if self.overtaken and not changed and token is None and self._covered(m):
            self.event("ahead-old")
            return []
        self.sequences[signer] = self.followed[signer] = m.packet.sequence
        for key in changed:
            self.log.key(self.group.group_id, key)
        for fault in faults:
            self.refused(fault, reg.X_REKEY)
        if payload is not None and not faults:
            if token is None:  # sealed under a key that never came; the others are good
                raise Refusal(reg.N_MALFORMED, "RFC4535-5.3.1.1-05", "Policy Token Data",
                              "no traffic key opens it")
            self._new_token(token, now)
        self.event("rekeyed", sequence=m.packet.sequence, keys=[str(k) for k in changed])
        return []

    def _covered(self, m):
        """Is a message not later than the traffic keys that the Key Download brought?"""
        newest = max(k.created for k in self.ring.gtpk.values())
        return all(e.timestamp <= newest for e in m.all(RekeyEvent))

    def missing(self):
        """URLs of the posted copies that are to be fetched next: one per signer with a gap."""
        return [bulletin.url(self.policy.post, self.group.group_id, *signer, self.followed[signer] + 1)
                for signer in {s for s, _ in self.early}]

    def fetched(self, octets, now):
        """A posted copy, which is checked like any message; then what waited for it."""
        self.receive(octets, now)
        for signer, sequence in sorted(self.early, key=lambda e: e[1]):
            if sequence <= self.followed[signer] + 1:
                self.receive(self.early.pop((signer, sequence)), now)

    def _open_token(self, payload, keys, now):
        """The token of a Rekey Event, judged but not taken; None if no key opens it."""
        for key in keys.values():
            try:
                octets = protect.token_key(key.key_type, key.key, key.key_id, key.handle,
                                           self.dialect).open_token(payload)
            except crypto.CryptoError:
                continue
            token = self._token(octets, now)
            policy.Policy.of(token, self.dialect, self.way).check_data()
            return token
        return None

    def _new_token(self, token, now):
        rules = policy.Policy.of(token, self.dialect, self.way)
        self.token, self.policy = token, rules
        self.event("token", edition=token.edition)
        if not rules.admits(self.me, self.own_path(now)):
            self._forget(LEFT)
            self.event("excluded")

    # -- de-registration ----------------------------------------------------------------

    def _departure(self, m, now):
        """5.3.2.3.2."""
        self.check_addressee(m, "RFC4535-5.3.2.3.2-10")
        self.check_fresh(m, now, "RFC4535-5.3.2.3.2-11", "RFC4535-5.3.2.3.2-12")
        if not identity.same(m.signer, self.server, self.dialect):
            raise Refusal(reg.N_UNAUTHORIZED, "RFC4535-5.3.2.3.2-08", "Signer ID Data",
                          "not the key server that registered us")
        self.authenticate(m, now)
        notify = m.notify().notify
        if notify == reg.N_DEPART_ERROR:
            self.state = MEMBER
            self.event("depart-error")
            return []
        if notify != reg.N_DEPARTED:
            raise Refusal(reg.N_MALFORMED, "RFC4535-5.3.2.3.2-15", "Notification Type",
                          reg.NOTIFY.name(notify))
        payloads = [] if self.group.suite.timestamp else [
            Nonce(nonce_type=reg.NONCE_C, data=m.nonce(reg.NONCE_C))]
        answer = self.build(reg.X_DA, payloads + [self.ack()], now)
        self._forget(LEFT)
        self.event("left")
        return [answer]



if __name__ == "__main__":
    import sys

    from .cli import member_main
    sys.exit(member_main())
