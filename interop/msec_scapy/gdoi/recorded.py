# SPDX-License-Identifier: BSD-2-Clause
"""A recorded session, read with its pre-shared key and Diffie-Hellman exponents alone.

Everything else (keys, IVs, HASH values, signatures, the group's keys) is derived from the messages in
order, as its two ends did, and what does not fit is a Refusal. `Reader.read` takes one datagram and
says what was found in it.
"""
from . import ack, check, check_kd, keys, lkh, push, sign
from . import numbers as n
from .dialect import STRICT
from .refusal import Refusal
from .suite import DiffieHellman, Suite, same


def suite_of(transform):
    """The Suite of a checked transform of phase 1; AES without Key Length is taken for 128 bits."""
    a = transform.attributes
    try:
        return Suite(a[n.A_CIPHER], a[n.A_HASH], a[n.A_AUTH], a[n.A_GROUP], a.get(n.A_KEY_LEN, 128),
                     (a.get(n.A_LIFE) or [28800])[0])
    except (KeyError, ValueError) as e:
        raise Refusal("RFC2408-5.4-03", "Transform", str(e)) from e


class Found(dict):
    """What a message showed: `message` (check.Message) and, of encrypted ones, iv, plaintext."""
    __getattr__ = dict.get


class Phase1:
    """One phase 1, seen from outside."""

    def __init__(self, psk, exponents, dialect):
        self.psk, self.exponents, self.dialect = psk, exponents, dialect
        self.suite = self.keys = self.sa_i = None
        self.nonces, self.publics, self.ids, self.authenticated = [], [], [], 0
        self.iv, self.contexts = None, {}

    def take(self, m):
        """The payloads of a message of phase 1, in clear or decrypted."""
        sa, ke, identity = m.one(n.P_SA), m.one(n.P_KE), m.one(n.P_ID)
        if sa is not None:
            self.sa_i = self.sa_i or sa.body
            self.suite = suite_of(sa.value.proposals[0].transforms[0])
        if ke is not None:
            self.publics.append(ke.value)
            self.nonces.append(m.one(n.P_NONCE).value)
        if identity is not None:
            self.ids.append(identity.body)
        if len(self.publics) == 2 and self.keys is None:
            self._derive(m.header)
        if m.one(n.P_HASH) is not None or m.one(n.P_SIG) is not None:
            self._authenticate(m)

    def _derive(self, head):
        ours = [DiffieHellman(self.suite.group, x) for x in self.exponents]
        g_xi, g_xr = self.publics
        dh = next((d for d in ours if d.public() == g_xi), None)
        if dh is None:
            raise Refusal("RFC2409-5-09", "KE", "not of the recorded exponent")
        self.keys = keys.Keys.derive(self.suite, head.icookie, head.rcookie, *self.nonces, g_xi, g_xr,
                                     dh.secret(g_xr), self.psk)
        self.iv = self.keys.iv

    def decrypt(self, head, octets):
        """(IV, plaintext)."""
        if self.keys is None:
            raise Refusal("RFC2408-3.1-10", "Flags", "encrypted before both KE have been seen", 19)
        sealed = octets[check.HEADER_LEN:]
        if not sealed or len(sealed) % self.suite.block:
            raise Refusal("RFC2409-B-05", "Length", f"{len(sealed)} octets under {self.suite.cipher_name}", 24)
        if head.exchange in (n.X_MAIN, n.X_AGGRESSIVE):
            iv, self.iv = self.iv, sealed[-self.suite.block:]
            self.keys.iv = self.iv
        else:
            iv = self.contexts.get(head.message_id) or self.keys.message_iv(head.message_id)
            self.contexts[head.message_id] = sealed[-self.suite.block:]
        return iv, self.keys.decrypt(iv, sealed)

    def _authenticate(self, m):
        """HASH or SIG: in Main Mode the initiator comes first, in Aggressive Mode the responder."""
        initiator = self.authenticated == (0 if m.header.exchange == n.X_MAIN else 1)
        self.authenticated += 1
        which, body = (keys.hash_i, self.ids[0]) if initiator else (keys.hash_r, self.ids[-1])
        k = self.keys
        name = sign.phase1_hash_name(self.suite.auth, self.suite.hash_name, self.dialect)
        want = which(name, k.skeyid, *self.publics, k.icookie, k.rcookie, self.sa_i, body)
        part = m.one(n.P_HASH)
        if part is not None:
            if not same(want, part.value):
                raise Refusal("RFC2408-5.11-02", "HASH", "does not verify", part.offset)
            return
        part, cert = m.one(n.P_SIG), m.one(n.P_CERT)
        try:
            sign.phase1_verify(sign.decode_key(cert.value.data, 0), self.suite.auth, part.value, want, self.dialect)
        except sign.BadSignature as e:
            raise Refusal("RFC2408-5.12-02", "SIG", str(e), part.offset) from e


class Pull:
    def __init__(self):
        self.number, self.nonce_i, self.nonce_r, self.sa = 0, b"", b"", None


class Reader:
    def __init__(self, psk, exponents, dialect=STRICT):
        self.psk, self.exponents, self.dialect = psk, exponents, dialect
        self.phase1, self.pulls = {}, {}
        self.keks, self.teks, self.rings, self.seq = {}, {}, [], {}

    def read(self, octets):
        head = check.header(octets)
        if head.exchange == n.X_PUSH:
            return self._push(head, octets)
        if head.exchange == n.X_ACK:
            return self._acknowledgement(octets)
        p1 = self.phase1.setdefault(head.icookie, Phase1(self.psk, self.exponents, self.dialect))
        iv = plaintext = None
        if head.encrypted:
            iv, plaintext = p1.decrypt(head, octets)
        m = check.message(octets, self.dialect, plaintext, head, p1.suite.block if head.encrypted else 8)
        if head.exchange == n.X_PULL:
            self._pull(p1, m)
        elif head.exchange == n.X_INFO:
            first = m.parts[0]
            if not same(p1.keys.hash(1, head.message_id, m.after(first)), first.value):
                raise Refusal("RFC2408-5.11-02", "HASH", "does not verify", first.offset)
        else:
            p1.take(m)
        return Found(message=m, iv=iv, plaintext=plaintext) if head.encrypted else Found(message=m)

    def _acknowledgement(self, octets):
        m = check.acknowledgement(check.message(octets, self.dialect))
        kek, seq, identity = self.keks.get(m.header.spi), m.one(n.P_SEQ), m.one(n.P_ID)
        for kind in n.ACK if kek is not None else ():
            for base in [r.leaf.key for r in self.rings] if ack.of_leaf(kind) else [kek.key]:
                value = ack.ack_hash(kind, ack.ack_key(kind, base, m.header.spi, self.dialect), seq.octets,
                                     identity.octets, self.dialect)
                if same(value, m.parts[0].value):
                    return Found(message=m, ack=kind)
        raise Refusal("RFC8263-5-05", "HASH", "does not verify", m.parts[0].offset)

    def _pull(self, p1, m):
        state = self.pulls.setdefault((m.header.icookie, m.header.message_id), Pull())
        state.number += 1
        check.pull(m, state.number)
        first = m.parts[0]
        want = p1.keys.hash(state.number, m.header.message_id, m.after(first), state.nonce_i, state.nonce_r)
        if not same(want, first.value):
            raise Refusal(f"RFC6407-3.2-0{5 + state.number}", "HASH", "does not verify", first.offset)
        if state.number == 1:
            state.nonce_i = m.one(n.P_NONCE).value
        elif state.number == 2:
            state.nonce_r, state.sa = m.one(n.P_NONCE).value, m.one(n.P_SA).value
        elif state.number == 4:
            kd = m.one(n.P_KD).value
            check_kd.fits(kd, state.sa, self.dialect)
            self.take(state.sa, kd)

    # ------------------------------------------------------------------------------- keys

    def take(self, sa, kd):
        """The keys of a download."""
        for packet in kd.of(n.KD_TEK):
            self.teks[packet.spi] = packet.attributes
        if sa.sak is None:
            return
        octets, key = None, None
        if kd.one(n.KD_KEK):
            octets, key = (kd.one(n.KD_KEK).attributes.get(k) for k in (1, 2))
        elif kd.one(n.KD_LKH):
            octets, key = self._lkh(kd.one(n.KD_LKH)), kd.one(n.KD_LKH).attributes.get(3)
        if octets is not None:
            self.keks[sa.sak.spi] = kek_of(sa.sak, octets, key, self.keks.values())

    def _lkh(self, packet):
        for array in packet.arrays:
            if not array.update:
                self.rings.append(lkh.Ring([ring_key(k) for k in array.keys]))
                return array.keys[-1].data
        for ring in self.rings:
            new = ring.apply(packet.arrays, self.dialect)
            if new is not None:
                return new.iv + new.key
        return None

    def _push(self, head, octets):
        kek = self.keks.get(head.spi)
        if kek is None:
            raise Refusal("RFC6407-4.4-01", "cookies", f"no Rekey SA {head.spi.hex()}", 0)
        m, found, last = open_push(kek, head, octets, self.dialect)
        check_sequence(m, self.seq, kek, self.dialect)
        found["reading"] = verify_push(kek, octets, m, self.dialect)
        kek.last_block = last
        self.seq[kek.spi] = m.one(n.P_SEQ).value
        if m.one(n.P_SA) is not None:
            sa, kd = m.one(n.P_SA).value, m.one(n.P_KD).value
            check_kd.fits(kd, sa, self.dialect, True, kek.spi)
            self.take(sa, kd)
            if sa.sak is not None and sa.sak.spi not in self.seq and self.dialect.push_seq_new_kek != "new-sa":
                self.seq[sa.sak.spi] = m.one(n.P_SEQ).value
        return found


def ring_key(k):
    block = 16 if k.key_type == 3 else 8
    return lkh.Key(k.lkh_id, k.handle, k.key_type, k.data[:block], k.data[block:], k.created, k.expires)


def kek_of(sak, octets, public, known=()):
    """A push.Kek out of a SAK and KEK_ALGORITHM_KEY; without a key of its own it is signed with the one
    that is known."""
    block = 16 if sak.attributes[n.K_ALGORITHM] == 3 else 8
    sig = sak.attributes[n.K_SIG]
    try:
        key = sign.decode_key(public, sig) if public is not None else next(
            (k.public_key for k in known if k.sig == sig), None)
    except sign.BadSignature as e:
        raise Refusal("RFC6407-5.6.2.2-01", "SIG_ALGORITHM_KEY", str(e)) from e
    return push.Kek(sak.spi, sak.attributes[n.K_ALGORITHM], octets[block:], octets[:block], sig,
                    sak.attributes.get(n.K_SIG_HASH, sig - 1), key)


def open_push(kek, head, octets, dialect):
    """(Message, Found, last ciphertext block): decrypted and of good form, but not verified."""
    try:
        plaintext, last = push.unseal(kek, octets, dialect)
    except ValueError as e:
        raise Refusal("RFC6407-4.4-02", "Length", str(e), 24) from e
    m = check.push(check.message(octets, dialect, plaintext, head, kek.block), dialect)
    return m, Found(message=m, iv=kek.iv, plaintext=plaintext), last


def check_sequence(m, known, kek, dialect):
    """RFC6407-4.4-03. With push_seq_new_kek=carrier the message that brings a new KEK has number 1."""
    part = m.one(n.P_SEQ)
    sa = m.one(n.P_SA)
    brings = sa is not None and sa.value.sak is not None and sa.value.sak.spi != kek.spi
    if dialect.push_seq_new_kek == "carrier" and brings and part.value == 1:
        return
    if part.value <= known.get(kek.spi, 0):
        raise Refusal("RFC6407-4.4-03", "Sequence Number", f"{part.value} after {known.get(kek.spi, 0)}", part.offset)


def verify_push(kek, octets, m, dialect):
    part = m.one(n.P_SIG)
    if kek.public_key is None:
        raise Refusal("RFC6407-4-04", "SIG", "no key to verify it with", part.offset)
    try:
        return push.verify(kek, octets, m.before(part), len(part.octets), part.value, dialect)
    except sign.BadSignature as e:
        raise Refusal("RFC6407-4.4-04", "SIG", str(e), part.offset) from e


__all__ = ["Found", "Phase1", "Reader", "check_sequence", "kek_of", "open_push", "ring_key",
           "suite_of", "verify_push"]
