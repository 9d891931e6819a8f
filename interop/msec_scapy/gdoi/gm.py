# SPDX-License-Identifier: BSD-2-Clause
"""A Group Member of GDOI without sockets: registers by GROUPKEY-PULL, follows GROUPKEY-PUSH, acknowledges.

`receive` takes a datagram and gives the answers, each with where it goes. What happens is told by
`event(name, **fields)`; refusals are events, too.
"""
from dataclasses import dataclass, field

from . import ack, check, check_kd, isakmp, lkh, notify, phase1, recorded
from . import numbers as n
from .group import GAP
from .isakmp import tv
from .recorded import kek_of, ring_key
from .refusal import Refusal
from .suite import odd_parity, same

IP_PROTOCOL_UDP = 17
NOT_FOR_US = object()  # a PUSH whose update arrays start under no key of ours
IDLE, PHASE1, PULL, MEMBER, LEFT = "idle", "phase1", "pull", "member", "left"


@dataclass(frozen=True)
class Send:
    """A datagram; `to` None: the key server. `reply_from` is the local port of an acknowledgement."""
    octets: bytes
    to: object = None
    reply_from: object = None


@dataclass
class Rekey:
    """A Rekey SA as a member holds it."""
    kek: object
    sak: object
    seq: int = 0
    last: bytes = b""  # the datagram accepted last


@dataclass
class Installed:
    """A Data-Security SA; times are seconds since 1970, None: never."""
    tek: object
    cipher: bytes
    integrity: bytes
    active_from: float
    expires: object = None
    leaves: object = None  # when it is to be deactivated after a rollover
    source: bytes = b""  # TEK_SOURCE_AUTH_KEY

    def usable(self, now):
        ends = [t for t in (self.expires, self.leaves) if t is not None]
        return self.active_from <= now and all(now < t for t in ends)


@dataclass
class Exchange:
    """One GROUPKEY-PULL."""
    message_id: int
    nonce_i: bytes
    number: int = 1
    nonce_r: bytes = b""
    sa: object = None
    last: list = field(default_factory=list)


class Member:
    def __init__(self, config, group, sender=True, sids=0, address=None, server=None, event=None):
        """`config` is a phase1.Config, `group` (ID type, data) as on the wire, `address` our own as octets (for
        acknowledgements), `server` (address, port) of the key server; `sids` asks for so many SIDs."""
        self.config, self.dialect, self.group = config, config.dialect, group
        self.sender, self.want_sids, self.address, self.server = sender, sids, address, server
        self.event = event or (lambda name, **fields: None)
        self.state, self.sa, self.pull = IDLE, None, None
        self.rekeys, self.teks, self.ring = {}, {}, None
        self.sid_bits, self.sids = 0, []
        self.counted = {}

    # ---------------------------------------------------------------- commands

    def register(self, ours=None):
        """The datagrams that start a registration. Under a live phase 1 SA that is a PULL at once."""
        if self.sa is not None and self.sa.done and not self.sa.dead:
            return [Send(self._first())]
        self.sa = phase1.Initiator(self.config, ours, self.server)
        self.state = PHASE1 if self.state != MEMBER else MEMBER
        return [Send(o) for o in self.sa.start()]

    def again(self):
        """What was sent last, for a retransmission (RFC2408-5.1-07)."""
        if self.pull is not None:
            return [Send(o) for o in self.pull.last]
        return [] if self.sa is None else [Send(o) for o in self.sa.last_sent]

    def leave(self):
        """Deletes under phase 1: of our Rekey SAs (or of TEKs, without any), then of the phase 1 SA."""
        out = []
        if self.sa is not None and self.sa.done and not self.sa.dead:
            gone = isakmp.Delete(protocol=0, spi_size=16, spis=b"".join(self.rekeys))
            if not self.rekeys:
                protocol = next((p for p, _ in self.teks), n.T_ESP)
                gone = isakmp.Delete(protocol=protocol, spi_size=4,
                                     spis=b"".join(spi for p, spi in self.teks if p == protocol))
            out = [Send(self.sa.inform(gone))] if gone.spis else []
            out.append(Send(self.sa.delete()))
            self.sa.dead = True
        self.state = LEFT
        self.rekeys, self.teks, self.ring = {}, {}, None
        return out

    # ------------------------------------------------------------------- input

    def receive(self, octets, source, now):
        try:
            head = check.header(octets)
            if head.exchange == n.X_PUSH:
                return self._push(head, octets, source, now)
            if head.exchange == n.X_ACK:
                raise Refusal("RFC2408-5.2-05", "Exchange Type", "acknowledgements are for key servers", 18)
            return self._unicast(head, octets, now)
        except Refusal as e:
            self.counted[e.req] = self.counted.get(e.req, 0) + 1
            self.event("refused", **e.as_dict())
            return []

    def _unicast(self, head, octets, now):
        if self.sa is None or head.icookie != self.sa.icookie or (
                self.sa.rcookie not in (bytes(8), head.rcookie)):
            raise Refusal("RFC2408-5.2-02", "cookies", "no such phase 1", 0)
        if head.exchange == n.X_INFO:
            return self._informed(head, octets, now)
        if head.exchange == n.X_PULL:
            return self._pulled(head, octets, now)
        out = [Send(o) for o in self.sa.receive(head, octets, now)]
        if self.sa.done and self.pull is None:
            self.sa.dpd.alive(now)
            self.event("phase1", peer=str(self.sa.peer), nat=self.sa.nat)
            out.append(Send(self._first()))
        return out

    def tick(self, now):
        """What is to be sent without being asked: whether the key server lives."""
        if self.sa is None or not self.sa.done or self.sa.dead:
            return []
        out = [Send(o) for o in self.sa.dpd.tick(now)]
        if self.sa.dead:
            self.pull = None
            self.event("peer-dead", peer=str(self.sa.peer))
        return out

    def _informed(self, head, octets, now):
        if not self.sa.done:
            if head.encrypted:
                raise Refusal("RFC2408-5.14-04", "Exchange Type", "no keys yet", 18)
            for part in check.message(octets, self.dialect).all(n.P_N):
                told = notify.read(part.value)
                self.event("notified", notify=told.name, error=told.error, genuine=False)
            return []
        m = self.sa.informed(head, octets, now)
        for part in m.all(n.P_N):
            told = notify.read(part.value)
            self.event("notified", notify=told.name, error=told.error, says=told.says, genuine=True)
            if self.pull is not None and told.error and told.about(self.pull.message_id):
                self.pull, self.state = None, MEMBER if self.state == MEMBER else IDLE
                self.event("not-registered", notify=told.name, says=told.says)
        if self.sa.dead:
            self.event("phase1-deleted")
        return [Send(o) for o in self.sa.replies]

    # -------------------------------------------------------------------- PULL

    def _identity(self):
        return isakmp.Identification(id_type=self.group[0], data=self.group[1])

    def _first(self):
        message_id = int.from_bytes(self.config.random(4), "big") or 1
        self.pull = Exchange(message_id, self.config.random(16))
        if self.state != MEMBER:
            self.state = PULL
        self.pull.last = [self.sa.seal2(n.X_PULL, message_id, 1, isakmp.Nonce(data=self.pull.nonce_i),
                                        self._identity())]
        return self.pull.last[0]

    def _pulled(self, head, octets, now):
        if not self.sa.done or self.pull is None or head.message_id != self.pull.message_id:
            raise Refusal("RFC6407-7.2.4-01", "Message ID", "no such exchange", 20)
        m, last = self.sa.open(head, octets)
        number = 2 if self.pull.number == 1 else 4
        check.pull(m, number)
        first = m.parts[0]
        nonces = self.pull.nonce_i, self.pull.nonce_r
        if not same(self.sa.keys.hash(number, head.message_id, m.after(first), *nonces), first.value):
            raise Refusal(f"RFC6407-3.2-0{number + 5}", "HASH", "does not verify", first.offset)
        self.sa.dpd.alive(now)
        if number == 2:
            return self._second(m, last, now)
        self._fourth(m, last, now)
        return []

    def _second(self, m, last, _now):
        within_reach(m.one(n.P_SA).value.sak)
        self.pull.nonce_r, self.pull.sa = m.one(n.P_NONCE).value, m.one(n.P_SA).value
        self.pull.number = 3
        self.sa.contexts[self.pull.message_id] = last
        gap = []
        if self.sender and self.want_sids > 1 and any(t.counter for t in self.pull.sa.sats):
            gap = [GAP(attributes=[tv(n.G_SIDS, self.want_sids)])]
        self.pull.last = [self.sa.seal2(n.X_PULL, self.pull.message_id, 3, *gap,
                                        nonces=(self.pull.nonce_i, self.pull.nonce_r))]
        return [Send(o) for o in self.pull.last]

    def _fourth(self, m, last, now):
        sa, kd = self.pull.sa, m.one(n.P_KD)
        seq = m.one(n.P_SEQ)
        if sa.sak is None and seq is not None:
            raise Refusal("RFC6407-3.2-15", "SEQ", "and no SAK", seq.offset)
        if sa.sak is not None and seq is None and self.dialect.pull_seq_required == "yes":
            raise Refusal("RFC6407-5.7-04", "SEQ", "missing", kd.offset)
        check_kd.fits(kd.value, sa, self.dialect)
        kek, ring = self._kek(sa, kd.value)
        self.sa.contexts[self.pull.message_id] = last
        if ring is not None:
            self.ring = ring
        self._take_sids(kd.value)
        delays = self.dialect.atd_in_pull == "apply"
        self._take_teks(sa, kd.value, now, delays, pull=True)
        if kek is not None:
            self._take_rekey(kek, sa.sak, seq.value if seq is not None else 0)
        self.pull, self.state = None, MEMBER
        self.event("registered", kek=None if kek is None else kek.spi.hex(), teks=[t.spi.hex() for t in sa.sats],
                   sids=list(self.sids), seq=None if seq is None else seq.value)

    def _kek(self, sa, kd):
        """(push.Kek, Ring) of a download; nothing has changed."""
        if sa.sak is None:
            return None, None
        packet, ring = kd.one(n.KD_LKH), None
        octets = public = None
        if packet is not None:
            array = next((a for a in packet.arrays if not a.update), None)
            if array is None:
                raise Refusal("RFC6407-5.6.3.1-09", "LKH_DOWNLOAD_ARRAY", "missing", packet.offset)
            ring = lkh.Ring([ring_key(k) for k in array.keys])
            octets, public = array.keys[-1].data, packet.attributes.get(3)
        if kd.one(n.KD_KEK) is not None:
            single = kd.one(n.KD_KEK)
            octets, public = single.attributes[1], single.attributes.get(2) or public
        known = [r.kek for r in self.rekeys.values()]
        kek = kek_of(sa.sak, octets, public, known)
        if kek.public_key is None:
            raise Refusal("RFC6407-5.6.2.2-01", "SIG_ALGORITHM_KEY", "missing", kd.offset)
        return kek, ring

    def _take_sids(self, kd):
        packet = kd.one(n.KD_SID)
        if packet is None:
            return
        from .values import sid_value
        self.sid_bits = packet.attributes[1]
        self.sids = [sid_value(o, self.dialect) for o in packet.attributes[2]]

    def _take_teks(self, sa, kd, now, delays, pull=False):
        gap = sa.gap or {}
        atd = gap.get(n.G_ATD, 0) if delays else 0
        before = dict(self.teks)
        fresh = []
        for packet in kd.of(n.KD_TEK):
            tek = next(t for t in sa.sats if t.spi == packet.spi)
            if (tek.protocol, tek.spi) in before:
                continue
            if self._needs_sid(tek) and not self.sids:
                self.event("no-sid", spi=tek.spi.hex())  # RFC6407-4.4-08
                continue
            own = tek.values.get("atd")
            start = now + (own if own is not None else atd)
            self.teks[tek.protocol, tek.spi] = Installed(
                tek, packet.attributes.get(1, b""), packet.attributes.get(2, b""), start,
                now + tek.lifetime if tek.lifetime else None, source=packet.attributes.get(3, b""))
            self.config.log.tek(isakmp_id_body(self.group), tek.protocol, tek.spi, packet.attributes.get(1, b""),
                                packet.attributes.get(2, b""))
            fresh.append(tek)
        if pull:
            self._begin_trailing(fresh, now)
        if fresh and not pull and n.G_DTD in gap:
            for key, old in before.items():
                turns = [self.teks[t.protocol, t.spi].active_from if t.values.get("atd") is not None else now
                         for t in fresh if _selectors(old.tek) == _selectors(t)]
                if turns and old.leaves is None:  # that of a next key (RFC8052-2.2.4.1-01) may be far away
                    self.teks[key].leaves = min(turns) + gap[n.G_DTD]
        self._forget(now)

    def _begin_trailing(self, fresh, now):
        """RFC 5374 4.2.1: in the middle of a rollover a registration brings what is in use, too, and ATD is that of the newest,
        which lives longest."""
        end = lambda tek: tek.lifetime or float("inf")
        for tek in fresh:
            if tek.values.get("atd") is None and any(
                    _selectors(tek) == _selectors(t) and end(tek) < end(t) for t in fresh):
                self.teks[tek.protocol, tek.spi].active_from = now

    def _needs_sid(self, tek):
        if not (tek.counter and self.sender) or tek.values.get(n.I_DIRECTION) == 2:
            return False
        return tek.protocol != n.T_IEC or self.dialect.sid_for_iec61850 == "include"

    def _forget(self, now):
        for key in [k for k, t in self.teks.items() if (t.expires is not None and t.expires <= now)
                    or (t.leaves is not None and t.leaves <= now)]:
            del self.teks[key]

    def _take_rekey(self, kek, sak, seq):
        held = self.rekeys.get(kek.spi)
        if held is not None:  # RFC6407-3.3-09
            held.seq = max(held.seq, seq)
            return
        self.rekeys[kek.spi] = Rekey(kek, sak, seq)
        self.config.log.rekey(kek)
        for key in self.ring.keys.values() if self.ring is not None else ():
            self.config.log.lkh(kek.spi, key)

    # -------------------------------------------------------------------- PUSH

    def _push(self, head, octets, source, now):
        held = self.rekeys.get(head.spi)
        if held is None:
            raise Refusal("RFC6407-4.4-01", "cookies", "no such Rekey SA", 0)
        if octets == held.last:
            if self.dialect.ack_replay == "reack":
                return self._acknowledge(held, held.sak, held.seq, source)
            raise Refusal("RFC6407-7.3.4-02", "datagram", "seen already")
        m, _, last = recorded.open_push(held.kek, head, octets, self.dialect)
        recorded.check_sequence(m, {held.kek.spi: held.seq}, held.kek, self.dialect)
        recorded.verify_push(held.kek, octets, m, self.dialect)
        sequence = m.one(n.P_SEQ).value
        sa = m.one(n.P_SA)
        new = self._new_rekey(m, held) if sa is not None else None
        # all of it is good; from here on things change
        base = self._base(held, sa)
        held.seq, held.last, held.kek.last_block = sequence, octets, last
        if sa is not None:
            self._take_teks(sa.value, m.one(n.P_KD).value, now, True)
        if new not in (None, NOT_FOR_US):
            self._succeed(new, sa.value.sak, sequence)
        # RFC 8263 section 5: it says that the message was received, whoever its arrays are for
        out = self._acknowledge(held, *base, sequence, source)
        self._delete(m, now, new)
        if new is NOT_FOR_US:
            self.event("not-for-us", seq=sequence, spi=sa.value.sak.spi.hex())
            return out
        self.event("rekeyed", seq=sequence, new_kek=None if new is None else new.spi.hex(),
                   teks=[] if sa is None else [t.spi.hex() for t in sa.value.sats],
                   deleted=[s.hex() for p in m.all(n.P_D) for s in p.value.spis])
        return out

    def _new_rekey(self, m, held):
        """The Rekey SA that the message brings, or None. Of the LKH keys a copy changes first."""
        sa, kd = m.one(n.P_SA).value, m.one(n.P_KD).value
        check_kd.fits(kd, sa, self.dialect, True, held.kek.spi)
        if sa.sak is None:
            return None
        within_reach(sa.sak)
        if sa.sak.spi in self.rekeys:
            self._same_key(sa.sak, kd)
            return None
        packet = kd.one(n.KD_LKH)
        if packet is None:
            single = kd.one(n.KD_KEK)
            return kek_of(sa.sak, single.attributes[1], single.attributes.get(2), [held.kek])
        if self.ring is None:
            raise Refusal("RFC6407-4.4-06", "LKH_UPDATE_ARRAY", "and we hold no array", packet.offset)
        ring = lkh.Ring()
        ring.keys, ring.path = dict(self.ring.keys), list(self.ring.path)
        try:
            root = ring.apply(packet.arrays, self.dialect)
        except lkh.LkhError as e:
            raise Refusal("RFC6407-5.6.3.2-04", "LKH_UPDATE_ARRAY", str(e), packet.offset) from e
        if root is None:
            return NOT_FOR_US
        self.ring = ring
        return kek_of(sa.sak, root.iv + root.key, packet.attributes.get(3), [held.kek])

    def _same_key(self, sak, kd):
        """A SAK that is in force already: the key has to be the one we hold, parity of 3DES apart."""
        kek, packet = self.rekeys[sak.spi].kek, kd.one(n.KD_KEK)
        if packet is None:
            return
        octets, held = packet.attributes[1], kek.iv + kek.key
        if kek.cipher != "aes":
            octets, held = (o[:8] + odd_parity(o[8:]) for o in (octets, held))
        if not same(octets, held):
            raise Refusal("RFC6407-4-06", "KEK_ALGORITHM_KEY", "another key under the SPI in force", packet.offset)

    def _succeed(self, kek, sak, sequence):
        carry = {"new-sa": 0, "carrier": sequence, "continue": sequence}[self.dialect.push_seq_new_kek]
        self._take_rekey(kek, sak, carry)

    def _delete(self, m, now, new):
        """SPI zero is all that was there: what stands behind D, in the same message, stays."""
        sa = m.one(n.P_SA).value if m.one(n.P_SA) is not None else None
        brought = {(t.protocol, t.spi) for t in sa.sats} if sa is not None else set()
        for part in m.all(n.P_D):
            protocol, spis = part.value.protocol, part.value.spis
            everything = not any(any(s) for s in spis)
            if protocol == 0:
                fresh = new.spi if new not in (None, NOT_FOR_US) else None
                for spi in [s for s in self.rekeys if s != fresh] if everything else spis:
                    self.rekeys.pop(spi, None)
                continue
            gap = sa.gap if sa is not None else None
            for key in [k for k in self.teks if k[0] == protocol and (k not in brought if everything else k[1] in spis)]:
                if gap and n.G_DTD in gap:
                    self.teks[key].leaves = now + gap[n.G_DTD]
                else:
                    del self.teks[key]
        if m.all(n.P_D) and not self.rekeys:
            self.sids = []
            self.event("deleted")

    # --------------------------------------------------------------------- ACK

    def _base(self, held, sa):
        """(SAK,) that says which acknowledgement this PUSH asks for."""
        if self.dialect.ack_policy == "latest" and sa is not None and sa.value.sak is not None:
            return (sa.value.sak,)
        return (held.sak,)

    def _acknowledge(self, held, sak, sequence, source):
        kind = sak.get(n.K_ACK)
        if kind not in n.ACK or self.address is None:
            return []  # RFC8263-4-03
        if ack.of_leaf(kind):
            if self.ring is None:
                return []
            base = self.ring.leaf.key
        else:
            base = held.kek.key
        id_type = n.ID_IPV4 if len(self.address) == 4 else n.ID_IPV6
        octets = ack.build(kind, base, held.kek.spi, sequence, id_type, self.address, self.dialect)
        return [Send(self.config.hooks.datagram("ack", octets), source, held.sak.dst.port)]


def within_reach(sak):
    """Whether PUSHes come to where a member can hear them: by UDP, at an address of its own or of a multicast group."""
    if sak is None:
        return
    if not any(sak.spi):  # in a Delete this is every one that there is
        raise Refusal("RFC6407-5.3-08", "SPI", "zero", sak.offset)
    if sak.protocol not in (0, IP_PROTOCOL_UDP):
        raise Refusal("RFC6407-5.3-04", "Protocol", str(sak.protocol), sak.offset)
    if sak.dst.id_type not in (n.ID_IPV4, n.ID_IPV6):
        raise Refusal("RFC6407-5.3-01", "DST ID Type", str(sak.dst.id_type), sak.offset)


def isakmp_id_body(group):
    return bytes([group[0], 0, 0, 0]) + group[1]


def _selectors(tek):
    v = tek.values
    if tek.protocol == n.T_IEC:
        return v["oid"], v["specific"]
    return tek.protocol, v["protocol"], v["src"], v["dst"]
