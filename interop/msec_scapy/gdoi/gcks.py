# SPDX-License-Identifier: BSD-2-Clause
"""A key server of GDOI without sockets: phase 1, GROUPKEY-PULL, GROUPKEY-PUSH, acknowledgements.

Nothing of a group changes before message 3 of a PULL has proved that its sender is alive.
"""
from dataclasses import dataclass, field

from . import ack, check, isakmp, lkh, notify, phase1, push, sign, values
from . import dialect as dialects
from . import numbers as n
from .gm import Send, isakmp_id_body
from .group import KD, SEQ, GAPAttributes, GdoiSA, KeyPacket
from .isakmp import tlv, tv
from .notify import Unserved
from .refusal import Refusal
from .suite import BLOCK, odd_parity, same

MAX_SAS = 10000


@dataclass
class Tek:
    """A Data-Security SA of the group."""
    policy: object
    spi: bytes
    cipher: bytes
    integrity: bytes
    born: float
    starts: float  # when members may use it

    def remaining(self, now):
        if not self.policy.lifetime:
            return 0
        return max(1, int(self.starts + self.policy.lifetime - now))


@dataclass
class Registered:
    """A member of a group."""
    identity: object
    address: object  # (address, port) of its last PULL
    sids: list = field(default_factory=list)
    acked: int = 0  # acknowledgements seen in all


class Group:
    """A group, its policy and its keys."""

    def __init__(self, identity, kek=None, teks=(), signing_key=None, atd=None, dtd=None, lkh_depth=None,
                 sid_bits=16, authorized=None, overlap=None, certificate=None, members_max=None, sids_max=256,
                 sids_fewer=False, valid_until=None):
        """`identity` is (ID type, data); `kek` a policy.KekPolicy or None, `teks` policies; `authorized` the phase 1
        identities (text) that may be members, None: all. With `overlap` seconds the next TEK of each policy
        of IEC 61850 is there early (SA_ATD). One request gets `sids_max` sender ids: who asks for more is refused,
        or with `sids_fewer` gets so many. After `valid_until` nobody else is admitted."""
        self.identity, self.kek_policy, self.tek_policies = identity, kek, list(teks)
        self.signing_key, self.certificate = signing_key, certificate
        self.atd, self.dtd, self.lkh_depth, self.sid_bits = atd, dtd, lkh_depth, sid_bits
        self.authorized, self.overlap = authorized, overlap
        self.members_max, self.valid_until = members_max, valid_until
        self.sids_max, self.sids_fewer = min(sids_max, 1 << sid_bits), sids_fewer
        self.kek = self.tree = None
        self.old_keks = {}  # SPI: push.Kek, for acknowledgements that are under way
        self.seq, self.sid_counter = 0, 0
        self.teks, self.members, self.acks = [], {}, {}
        self.leaf_keys = {}

    def capacity(self):
        """Members that there can be: a tree has so many leaves."""
        found = [c for c in (self.members_max, None if self.lkh_depth is None else 1 << self.lkh_depth) if c is not None]
        return min(found, default=1 << 32)


@dataclass
class Pull:
    """One GROUPKEY-PULL, seen from here."""
    group: object
    nonce_i: bytes
    nonce_r: bytes
    sa: object
    kek_spi: object
    teks: list
    number: int = 2
    last_seen: bytes = b""
    last_sent: list = field(default_factory=list)


class KeyServer:
    def __init__(self, config, groups, event=None, reasons=True):
        """`reasons`: whether members that are not served are told why in words."""
        self.config, self.dialect, self.reasons = config, config.dialect, reasons
        self.groups = {g.identity: g for g in groups}
        self.event = event or (lambda name, **fields: None)
        self.sas, self.pulls, self.counted = {}, {}, {}
        self.outbox = []  # (group, members, PUSH) that became necessary meanwhile

    # ------------------------------------------------------------------- input

    def receive(self, octets, source, now, ours=None):
        try:
            head = check.header(octets)
            if head.exchange == n.X_ACK:
                return self._acknowledged(head, octets, source)
            if head.exchange == n.X_PUSH:
                raise Refusal("RFC2408-5.2-05", "Exchange Type", "rekeys are for members", 18)
            sa = self._sa(head, source, ours)
            if head.exchange == n.X_PULL:
                return self._pull(sa, head, octets, source, now)
            if head.exchange == n.X_INFO:
                return self._informed(sa, head, octets, source, now)
            was = sa.done
            out = [Send(o, source) for o in sa.receive(head, octets, now)]
            if sa.rcookie != head.rcookie and not was:  # the first answer gave it a name
                self.sas[sa.icookie, sa.rcookie] = self.sas[sa.icookie, bytes(8)] = sa
            if sa.done and not was:
                sa.dpd.alive(now)
                self.event("phase1", peer=str(sa.peer), nat=sa.nat)
            return out
        except Refusal as e:
            return self._refused(e, source)

    def _refused(self, refusal, source):
        self.counted[refusal.req] = self.counted.get(refusal.req, 0) + 1
        self.event("refused", source=source, **refusal.as_dict())
        return []

    def take_pushes(self):
        """[(group, who was a member, datagram)] that have to go out before any answer."""
        out, self.outbox = self.outbox, []
        return out

    def _sa(self, head, source, ours):
        sa = self.sas.get((head.icookie, head.rcookie))
        if sa is not None:
            return sa
        if head.rcookie != bytes(8) or head.exchange not in (n.X_MAIN, n.X_AGGRESSIVE):
            raise Refusal("RFC6407-7.2.4-01", "cookies", "no such phase 1", 0)
        if len(self.sas) > MAX_SAS:
            raise Refusal("RFC2408-1.7.1-01", "cookies", "too many phase 1 SAs", 0)
        return phase1.Responder(self.config, head, ours, source)

    def tick(self, now):
        """What is to be sent without being asked: whether members live."""
        out = []
        for sa in {id(s): s for s in self.sas.values()}.values():
            if not sa.done or sa.dead:
                continue
            out += [Send(o, sa.theirs) for o in sa.dpd.tick(now)]
            if sa.dead:
                self._forget(sa)
                self.event("peer-dead", peer=str(sa.peer))
        return out

    def _forget(self, sa):
        self.sas = {k: v for k, v in self.sas.items() if v is not sa}

    def _informed(self, sa, head, octets, source, now):
        if not sa.done:
            raise Refusal("RFC2408-5.14-04", "Exchange Type", "no keys yet", 18)
        m = sa.informed(head, octets, now)
        for part in m.all(n.P_N):
            self.event("notified", peer=str(sa.peer), notify=n.NOTIFY.name(part.value.notify))
        for part in m.all(n.P_D):
            self._leave(sa, part.value)
        if sa.dead:
            self._forget(sa)
            self.event("phase1-deleted", peer=str(sa.peer))
        return [Send(o, source) for o in sa.replies]

    def _leave(self, sa, delete):
        """A member deletes its Rekey SA, or its TEKs: it leaves. That excludes nobody: it has the keys."""
        name = str(sa.peer)
        for group in self.groups.values():
            ours = ({group.kek.spi} if delete.protocol == 0 and group.kek is not None
                    else {t.spi for t in group.teks if t.policy.protocol == delete.protocol})
            if ours & set(delete.spis) and group.members.pop(name, None) is not None:
                self.event("left", group=group.identity[1].hex(), member=name)

    # -------------------------------------------------------------------- PULL

    def _pull(self, sa, head, octets, source, now):
        if not sa.done or sa.dead:
            raise Refusal("RFC6407-2-01", "Exchange Type", "no phase 1", 18)
        key = sa.icookie, sa.rcookie, head.message_id
        pull = self.pulls.get(key)
        if pull is not None and octets == pull.last_seen:
            return list(pull.last_sent)
        m, last = sa.open(head, octets)
        number = 1 if pull is None else 3
        check.pull(m, number)
        if pull is not None and pull.number != 2:
            raise Refusal("RFC6407-7.2.4-02", "Message ID", "this exchange is over", 20)
        first = m.parts[0]
        nonces = (b"", b"") if pull is None else (pull.nonce_i, pull.nonce_r)
        if not same(sa.keys.hash(number, head.message_id, m.after(first), *nonces), first.value):
            raise Refusal(f"RFC6407-3.2-0{number + 5}", "HASH", "does not verify", first.offset)
        sa.dpd.alive(now)
        try:
            if number == 1:
                pull = self._first(sa, m, last, now)
                self.pulls[key] = pull
            else:
                self._third(sa, pull, m, last, source, now)
        except Unserved as e:
            return self._unserved(sa, pull, head, e, source)
        pull.last_seen = octets
        pull.last_sent = [Send(o.octets, source) for o in pull.last_sent]
        return list(pull.last_sent)

    def _unserved(self, sa, pull, head, unserved, source):
        """Its HASH was right, so it is told; an exchange that had begun is over."""
        if pull is not None:
            pull.number = 4
        self._refused(unserved, source)
        return [Send(sa.inform(notify.payload(sa, unserved, head.message_id, self.reasons)), source)]

    def _find(self, part):
        asked = part.value.type, part.value.data
        group = self.groups.get(asked)
        if group is None and asked[0] == n.ID_KEY and self.dialect.group_id_order == "little":
            group = self.groups.get((n.ID_KEY, asked[1][::-1]))
        if group is None:
            raise Unserved("RFC6407-3.4-03", "Identification Data", f"no group {asked[1].hex()}", part.offset)
        return group

    def _first(self, sa, m, last, now):
        """Answers message 1; nothing of the group changes (but its first keys have to be there)."""
        part = m.one(n.P_ID)
        group = self._find(part)
        self._may_join(group, str(sa.peer), part.offset, now)
        self.establish(group, now)
        teks = list(group.teks)
        sa.contexts[m.header.message_id] = last
        pull = Pull(group, m.one(n.P_NONCE).value, self.config.random(16), None,
                    None if group.kek is None else group.kek.spi, teks)
        with dialects.use(self.dialect):
            layer = self.sa_payload(group, teks, now, pull=True)
            pull.last_sent = [Send(sa.seal2(n.X_PULL, m.header.message_id, 2, isakmp.Nonce(data=pull.nonce_r), layer,
                                            nonces=(pull.nonce_i, b"")))]
        return pull

    @staticmethod
    def _may_join(group, name, offset, now):
        """Policy first, then whether there is a place. Who is not admitted gets no words."""
        if group.authorized is not None and name not in group.authorized:
            raise Unserved("RFC6407-3.4-03", "Identification Data", f"{name} is not authorised", offset, n.N_AUTH_FAILED)
        if name in group.members:
            return
        if group.valid_until is not None and now > group.valid_until:
            raise Unserved("RFC6407-3.4-03", "Identification Data", "the policy has lapsed", offset,
                           words="the policy of the group has lapsed")
        if len(group.members) >= group.capacity():
            raise Unserved("RFC6407-3.4-08", "Identification Data", "no place is left", offset, words="the group is full")

    def _third(self, sa, pull, m, last, source, now):
        group = pull.group
        changed = (None if group.kek is None else group.kek.spi) != pull.kek_spi or any(t not in group.teks for t in pull.teks)
        if changed:
            raise Unserved("RFC6407-3.4-07", "SPI", "what message 2 offered has been replaced", notify=n.N_INVALID_MESSAGE_ID,
                           words="the keys have changed meanwhile")
        self._may_join(group, str(sa.peer), None, now)
        wanted = (m.one(n.P_GAP).value if m.one(n.P_GAP) else {}).get(n.G_SIDS, 1)
        counter = any(self._wants_sid(t.policy) for t in pull.teks)
        sids = self._allot(group, wanted, now) if counter else []
        sa.contexts[m.header.message_id] = last
        identity = str(sa.peer)
        was = group.members.get(identity)
        group.members[identity] = Registered(sa.peer, source, sids, was.acked if was else 0)
        packets = self._kek_packets(group, identity)
        packets += [self._tek_packet(t) for t in pull.teks]
        if sids:
            packets.append(KeyPacket(kd_type=n.KD_SID, spi=b"", attributes=[
                tv(1, group.sid_bits), *(tlv(2, values.sid(s, group.sid_bits, self.dialect)) for s in sids)]))
        payloads = [] if group.kek is None else [SEQ(sequence=group.seq)]
        with dialects.use(self.dialect):
            pull.last_sent = [Send(sa.seal2(n.X_PULL, m.header.message_id, 4, *payloads, KD(packets=packets),
                                            nonces=(pull.nonce_i, pull.nonce_r)))]
        pull.number = 4
        self.event("registered", group=group.identity[1].hex(), member=identity, sids=sids)

    def _wants_sid(self, policy):
        if not policy.counter or getattr(policy, "direction", 0) == 2:
            return False
        return policy.protocol != n.T_IEC or self.dialect.sid_for_iec61850 == "include"

    def _allot(self, group, count, now):
        """3.5: SIDs never come twice for the same keys. When none are left all keys are replaced, and everybody, who
        asked included, has to register for the new ones."""
        count = max(1, count)
        if count > group.sids_max and not group.sids_fewer:
            raise Unserved("RFC6407-5.4.2-01", "SENDER_ID_REQUEST", f"{count} at once", notify=n.N_ATTRIBUTES,
                           words="too many sender ids at once")
        count = min(count, group.sids_max)
        if group.sid_counter + count > 1 << group.sid_bits:
            self.event("sid-exhausted", group=group.identity[1].hex())
            told = list(group.members.values())
            if group.kek is None:  # nobody can be told, so the keys run out by their lifetime
                group.teks, group.sid_counter = [], 0
                self.establish(group, now)
            else:
                self.outbox.append((group, told, self.reset_sids(group, now)))
            raise Unserved("RFC6407-3.5-11", "SENDER_ID_REQUEST", "no SIDs are left", notify=n.N_INVALID_MESSAGE_ID,
                           words="all keys are replaced, ask again")
        out = list(range(group.sid_counter, group.sid_counter + count))
        group.sid_counter += count
        return out

    # -------------------------------------------------------------------- keys

    def establish(self, group, now):
        """The first keys of a group."""
        if group.kek_policy is not None and group.kek is None:
            self._new_kek(group)
            group.seq = 0
        if not group.teks:
            self._new_teks(group, now)

    def _new_spi(self, size):
        while True:
            spi = self.config.random(size)
            if any(spi[:1]):  # no zero, and no reserved number of ESP
                return spi

    def _new_kek(self, group):
        """A Rekey SA with a new cookie pair; a tree's root is its key."""
        policy = group.kek_policy
        if group.lkh_depth is not None:
            if group.tree is None:
                group.tree = lkh.Tree(policy.algorithm, policy.key_len, group.lkh_depth, self.config.random)
            iv, key = group.tree.kek.iv, group.tree.kek.key
        else:
            iv, key = self.config.random(BLOCK[n.KEK[policy.algorithm]]), self.config.random(policy.key_len)
            if policy.algorithm != 3:
                key = odd_parity(key)
        if group.kek is not None:
            group.old_keks[group.kek.spi] = group.kek
        group.kek = push.Kek(self._new_spi(16), policy.algorithm, key, iv, policy.sig, policy.sig_hash,
                             group.signing_key.public_key())
        self.config.log.rekey(group.kek)

    def _make_tek(self, group, policy, now, starts=None):
        cipher, integrity = policy.sizes()
        taken = {t.spi for t in group.teks}
        spi = next(s for s in iter(lambda: self._new_spi(4), None) if s not in taken)
        tek = Tek(policy, spi, self.config.random(cipher), self.config.random(integrity), now,
                  now if starts is None else starts)
        self.config.log.tek(isakmp_id_body(group.identity), policy.protocol, spi, tek.cipher, tek.integrity)
        return tek

    def _new_teks(self, group, now):
        group.teks = [self._make_tek(group, p, now) for p in group.tek_policies]
        if group.overlap is not None:
            group.teks += [self._make_tek(group, p, now, now + p.lifetime - group.overlap)
                           for p in group.tek_policies if p.protocol == n.T_IEC]

    # ---------------------------------------------------------------- payloads

    def sa_payload(self, group, teks, now, sak=True, pull=False, kek=None):
        links = []
        kek = kek or group.kek
        if sak and kek is not None:
            links.append(group.kek_policy.sak(kek.spi, group.signing_key, self.dialect, group.tree is not None, pull))
        gap = [tv(kind, v) for kind, v in ((n.G_ATD, group.atd), (n.G_DTD, group.dtd)) if v is not None]
        if gap:
            links.append(GAPAttributes(attributes=gap))
        for t in teks:
            links.append(t.policy.sat(t.spi, t.remaining(now), self.dialect, max(0, int(t.starts - now)) or None))
        return GdoiSA(attributes=links)

    def _tek_packet(self, tek):
        found = [tlv(kind, octets) for kind, octets in ((1, tek.cipher), (2, tek.integrity)) if octets]
        source = getattr(tek.policy, "source_key", None)
        if source is not None:
            found.append(tlv(3, sign.encode_public(source, self.dialect.sig_key_format)))
        return KeyPacket(kd_type=n.KD_TEK, spi=tek.spi, attributes=found)

    def _public(self, group):
        return sign.encode_key(group.signing_key, self.dialect.sig_key_format, group.certificate)

    def _kek_packet(self, group, kek, spi=None):
        return KeyPacket(kd_type=n.KD_KEK, spi=spi or kek.spi,
                         attributes=[tlv(1, kek.iv + kek.key), tlv(2, self._public(group))])

    def _kek_packets(self, group, member):
        if group.kek is None:
            return []
        if group.tree is None:
            return [self._kek_packet(group, group.kek)]
        if member not in group.tree.leaves and len(group.tree.leaves) == 1 << group.lkh_depth:
            for gone in set(group.tree.leaves) - set(group.members):  # who has left keeps no place from others
                del group.tree.leaves[gone]
        keys = group.tree.join(member)
        group.leaf_keys[member] = keys[0]
        for key in keys:
            self.config.log.lkh(group.kek.spi, key)
        array = KeyPacket(kd_type=n.KD_LKH, spi=group.kek.spi,
                          attributes=[tlv(1, lkh.download(keys)), tlv(3, self._public(group))])
        return [array] if self.dialect.lkh_kek_packet == "lkh-only" else [self._kek_packet(group, group.kek), array]

    # -------------------------------------------------------------------- PUSH

    def _send_push(self, group, payloads, kek=None, sequence=None):
        """Signed and encrypted under `kek` (that in force), with the next number."""
        kek = kek or group.kek
        if sequence is None:
            sequence = group.seq + 1
            group.seq = sequence
        hooks = self.config.hooks
        with dialects.use(self.dialect):
            layers = isakmp.stacked(*hooks.payloads("push", [SEQ(sequence=sequence), *payloads]),
                                    isakmp.Signature(data=b"\0"))
            before = hooks.plain("push", bytes(layers)[:-5])
        octets = hooks.datagram("push", push.seal(kek, group.signing_key, before, self.dialect, self.config.random,
                                                  hooks.proof("push", None)))
        group.acks[kek.spi, sequence] = set()
        self.event("push", group=group.identity[1].hex(), seq=sequence, octets=len(octets))
        return octets

    def _repeated(self, group):
        """sak_repeat=always: the SAK and the KEK in force, in every PUSH."""
        if self.dialect.sak_repeat != "always" or group.tree is not None:
            return False, []
        return True, [self._kek_packet(group, group.kek)]

    def rekey_teks(self, group, now, delete_old=True):
        """New TEKs under the KEK in force."""
        old = [t for t in group.teks]
        self._new_teks(group, now)
        sak, packets = self._repeated(group)
        deletes = self._deletes([(t.policy.protocol, t.spi) for t in old]) if delete_old else []
        starts = now + (group.atd or 0)
        for t in group.teks:
            t.starts = max(t.starts, starts) if t.policy.protocol != n.T_IEC else t.starts
        return self._send_push(group, [*deletes, self.sa_payload(group, group.teks, now, sak=sak),
                                       KD(packets=packets + [self._tek_packet(t) for t in group.teks])])

    def _deletes(self, which):
        out = []
        for protocol in sorted({p for p, _ in which}):
            spis = [s for p, s in which if p == protocol]
            out.append(isakmp.Delete(doi=n.DOI_GDOI, protocol=protocol, spi_size=4, spis=b"".join(spis)))
        return out

    def rekey_kek(self, group, now, evict=()):
        """A new Rekey SA under the old KEK; with a tree by update arrays, without those who are evicted."""
        old, arrays = group.kek, []
        if group.tree is not None:
            for wrapping, keys in group.tree.evict(evict):
                arrays.append(tlv(2, lkh.update(wrapping, keys, self.dialect)))
        elif evict:
            raise ValueError("without a tree nobody can be evicted")
        for member in evict:
            group.members.pop(member, None)
        self._new_kek(group)
        new = group.kek
        if group.tree is not None:
            for node in group.tree.keys.values():
                self.config.log.lkh(new.spi, node)
            packet = KeyPacket(kd_type=n.KD_LKH, spi=new.spi, attributes=[*arrays, tlv(3, self._public(group))])
        else:
            packet = self._kek_packet(group, new, old.spi if self.dialect.kd_kek_spi == "old" else None)
        packets, teks = [packet], []
        if self.dialect.push_kek_only_tek == "required":
            teks = group.teks
            packets += [self._tek_packet(t) for t in teks]
        how = self.dialect.push_seq_new_kek
        sequence = 1 if how == "carrier" else group.seq + 1
        octets = self._send_push(group, [self.sa_payload(group, teks, now), KD(packets=packets)], old, sequence)
        group.seq = 0 if how == "new-sa" else sequence
        return octets

    def evict(self, group, members, now, hide=None):
        """7.4.1: the new KEK first, then new TEKs under it; two datagrams. `hide` is the policy of the KEK that even
        the evicted may not see: then there are two changes, and what they can read is the policy before."""
        out = [self.rekey_kek(group, now, members)]
        if hide is not None:
            held = group.kek_policy
            if (hide.algorithm, hide.key_len, hide.dst) != (held.algorithm, held.key_len, held.dst):
                raise ValueError("the tree keeps its cipher, and the group its address")
            group.kek_policy = hide
            out.append(self.rekey_kek(group, now))
        return [*out, self.rekey_teks(group, now)]

    def delete_all(self, group):
        """5.9: everything of the group goes."""
        kek = group.kek
        protocols = sorted({p.protocol for p in group.tek_policies})
        payloads = [isakmp.Delete(doi=n.DOI_GDOI, protocol=p, spi_size=len(values.zero_spi(p, self.dialect)), count=1,
                                  spis=values.zero_spi(p, self.dialect)) for p in [*protocols, 0]]
        octets = self._send_push(group, payloads, kek)
        group.old_keks[kek.spi] = kek  # RFC8263-6-10
        group.kek = group.tree = None
        group.teks, group.sid_counter = [], 0  # members still acknowledge that
        return octets

    def reset_sids(self, group, now):
        """3.5, steps 5 and 6: new keys for all, and the counter from the start."""
        octets = self.delete_all(group)
        self.establish(group, now)
        return octets

    # --------------------------------------------------------------------- ACK

    def _acknowledged(self, head, octets, source):
        group, kek = next(((g, k) for g in self.groups.values()
                           for k in [g.kek, *g.old_keks.values()] if k is not None and k.spi == head.spi), (None, None))
        if group is None:
            raise Refusal("RFC8263-5-05", "cookies", "no such Rekey SA", 0)
        kind = group.kek_policy.ack
        if not kind:
            raise Refusal("RFC8263-5-03", "Exchange Type", "this group asks for none", 18)
        m = check.acknowledgement(check.message(octets, self.dialect))
        part, seq = m.one(n.P_ID), m.one(n.P_SEQ)
        member = next((name for name, r in group.members.items()
                       if phase1.Identity(part.value.type, part.value.data) == _address(r)), None)
        if member is None:
            raise Refusal("RFC8263-3.4-03", "Identification Data", "no member registered from there", part.offset)
        place = group.acks.get((kek.spi, seq.value))
        if place is None:
            raise Refusal("RFC8263-5-05", "Sequence Number", f"{seq.value} was not sent", seq.offset)
        base = group.leaf_keys[member].key if ack.of_leaf(kind) else kek.key
        want = ack.ack_hash(kind, ack.ack_key(kind, base, kek.spi, self.dialect), seq.octets, part.octets, self.dialect)
        first = m.parts[0]
        if not same(want, first.value):
            raise Refusal("RFC8263-5-05", "HASH", "does not verify", first.offset)
        if member in place:
            raise Refusal("RFC8263-5-04", "datagram", "seen already")
        place.add(member)
        group.members[member].acked += 1
        self.event("acknowledged", group=group.identity[1].hex(), member=member, seq=seq.value, source=source)
        return []

    def unacknowledged(self, group, sequence=None):
        """Members that have not acknowledged a PUSH (the last one)."""
        key = next((k for k in reversed(group.acks) if sequence is None or k[1] == sequence), None)
        return set() if key is None else set(group.members) - group.acks[key]


def _address(registered):
    return phase1.Identity.parse(registered.address[0])
