# SPDX-License-Identifier: BSD-2-Clause
"""Judging the KD payload (RFC 6407 5.6) by itself, and against the SA that it belongs to."""
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa

from . import numbers as n
from . import sign, values
from .check import attributes
from .refusal import Reader, Refusal
from .suite import BLOCK


@dataclass(frozen=True)
class Packet:
    type: int
    spi: bytes
    attributes: dict
    offset: int
    arrays: list = field(default_factory=list)  # of LKH: the one download, or the updates


@dataclass(frozen=True)
class LkhKey:
    lkh_id: int
    key_type: int
    created: int
    expires: int
    handle: int
    data: bytes


@dataclass(frozen=True)
class Array:
    """A download array, or an update array (which says the key it starts under)."""
    keys: list
    update: bool
    lkh_id: int = 0
    handle: int = 0


@dataclass(frozen=True)
class Kd:
    packets: list
    offset: int

    def of(self, kind):
        return [p for p in self.packets if p.type == kind]

    def one(self, kind):
        return next(iter(self.of(kind)), None)


_TABLES = {n.KD_TEK: (n.TEK_ATTR, "RFC6407-5.6.1-02", ()), n.KD_KEK: (n.KD_KEK_ATTR, "RFC6407-5.6.2-02", ()),
           n.KD_LKH: (n.LKH_ATTR, "RFC6407-5.6.3-02", (1, 2)), n.KD_SID: (n.SID_ATTR, "RFC6407-5.6.4-02", (2,))}


def kd(r, dialect, push):
    count = r.number(2, "Number of Key Packets", "RFC6407-5.6-01")
    r.zero(2, "RESERVED2", "RFC6407-5.6-02")
    at, packets = r.offset, []
    for _ in range(count):
        packets.append(_packet(r, dialect, push))
    r.end("RFC6407-5.6-01", "Number of Key Packets")
    for kind, rule in ((n.KD_KEK, "RFC6407-5.6.2-03"), (n.KD_LKH, "RFC6407-5.6.3-03")):
        of = [p for p in packets if p.type == kind]
        if len(of) > 1:
            raise Refusal(rule, f"{n.KD_TYPE[kind]} key packet", "more than one", of[1].offset)
    return Kd(packets, at)


def _packet(r, dialect, push):
    at = r.offset
    kind = r.number(1, "KD Type", "RFC6407-5.6-03")
    r.zero(1, "RESERVED", "RFC6407-5.6-02")
    size = r.number(2, "KD Length", "RFC6407-5.6-03")
    if size < 5:
        r.refuse("RFC6407-5.6-03", "KD Length", str(size), 2)
    body = r.within(size - 4, "KD Length", "RFC6407-5.6-03")
    if kind not in n.KD_TYPE:
        raise Refusal("RFC6407-5.6-04", "KD Type", str(kind), at)
    spi = body.take(body.number(1, "SPI Size", "RFC6407-5.6-03"), "SPI", "RFC6407-5.6-03")
    if len(spi) > 16:  # a cookie pair is the longest there is
        raise Refusal("RFC6407-5.6-03", "SPI Size", str(len(spi)), at + 4)
    table, form, many = _TABLES[kind]
    found = attributes(body, table, "RFC6407-5.3.2-01", form, f"{n.KD_TYPE[kind]} attribute", many)
    arrays = []
    if kind == n.KD_SID:
        _sids(found, spi, at, push, dialect)
    if kind == n.KD_LKH:
        arrays = _arrays(found, at, push)
    return Packet(kind, spi, found, at, arrays)


def _sids(found, spi, at, push, dialect):
    if push:
        raise Refusal("RFC6407-5.6.4.4-02", "KD Type", "SID in a GROUPKEY-PUSH", at)
    if spi:
        raise Refusal("RFC6407-5.6.4-01", "SPI Size", str(len(spi)), at + 4)
    bits = found.get(1)
    if not bits or bits > 32 or not found.get(2):
        raise Refusal("RFC6407-5.6.4.4-01", "SID_VALUE", "missing" if bits else "NUMBER_OF_SID_BITS", at)
    for octets in found[2]:
        if len(octets) != values.sid_len(bits, dialect) or values.sid_value(octets, dialect) >> bits:
            raise Refusal("RFC6407-5.6.4.1-01", "SID_VALUE", f"{octets.hex()} for {bits} bits", at)
    if len(set(found[2])) != len(found[2]):  # two encryption modules would use the same IVs
        raise Refusal("RFC6054-3-02", "SID_VALUE", "one value twice", at)


def _arrays(found, at, push):
    downloads, updates = found.get(1, []), found.get(2, [])
    if push and downloads:
        raise Refusal("RFC6407-5.6.3.1-01", "LKH_DOWNLOAD_ARRAY", "in a GROUPKEY-PUSH", at)
    if len(downloads) > 1:
        raise Refusal("RFC6407-5.6.3.1-02", "LKH_DOWNLOAD_ARRAY", "more than one", at)
    return [array(Reader(o, at), False) for o in downloads] + [array(Reader(o, at), True) for o in updates]


def array(r, update):
    """An LKH array; `r` is a Reader of the attribute's value."""
    rule = "RFC6407-5.6.3.2-02" if update else "RFC6407-5.6.3.1-03"
    if r.number(1, "LKH Version", rule) != 1:
        r.refuse(rule, "LKH Version", "", 1)
    count = r.number(2, "# of LKH Keys", rule)
    r.zero(1, "RESERVED", rule)
    lkh_id = handle = 0
    if update:
        lkh_id = r.number(2, "LKH ID", rule)
        r.zero(2, "RESERVED2", rule)
        handle = r.number(4, "Key Handle", rule)
    if not count or r.left() % count or r.left() // count < 16:
        r.refuse(rule, "# of LKH Keys", f"{count} keys in {r.left()} octets")
    size = r.left() // count - 16
    return Array([_lkh_key(r, size) for _ in range(count)], update, lkh_id, handle)


def _lkh_key(r, size):
    rule = "RFC6407-5.6.3.1-04"
    lkh_id, kind = r.number(2, "LKH ID", rule), r.number(1, "Key Type", rule)
    if kind not in n.KEK:
        r.refuse("RFC6407-5.3.2-01", "Key Type", str(kind), 1)
    r.zero(1, "RESERVED", rule)
    dates = r.number(4, "Key Creation Date", rule), r.number(4, "Key Expiration Date", rule)
    return LkhKey(lkh_id, kind, *dates, r.number(4, "Key Handle", rule), r.take(size, "Key Data", rule))


# ---------------------------------------------------------------------------- with its SA

def fits(kd_part, sa, dialect, push=False, old_spi=None):
    """Every key is of an SA and of its size (5.6, 5.6.1, 5.6.2). `old_spi` is that of the Rekey SA in
    force. Nothing is returned: it is in the packets."""
    spis = {t.spi: t for t in sa.sats}
    seen = set()
    for packet in kd_part.packets:
        if packet.type == n.KD_TEK:
            if packet.spi not in spis:
                raise Refusal("RFC6407-5.6-05", "SPI", f"{packet.spi.hex()} is of no SAT", packet.offset)
            if packet.spi in seen:
                raise Refusal("RFC6407-5.6.1-01", "SPI", f"{packet.spi.hex()} twice", packet.offset)
            seen.add(packet.spi)
            _tek(packet, spis[packet.spi])
        elif packet.type in (n.KD_KEK, n.KD_LKH):
            _kek(packet, sa.sak, dialect, old_spi)
    missing = [t for t in sa.sats if t.spi not in seen]
    later = not push and not seen and sa.sak is not None  # RFC6407-5.6.1-04: they come by rekey
    if missing and not later:
        raise Refusal("RFC6407-3.2-21" if not push else "RFC6407-4.3-04", "TEK key packet",
                      f"none for {missing[0].spi.hex()}", kd_part.offset)
    if sa.sak is not None and not kd_part.of(n.KD_KEK) and not kd_part.of(n.KD_LKH):
        raise Refusal("RFC6407-4-06" if push else "RFC6407-3.2-21", "KEK key packet", "missing", kd_part.offset)
    _counter(kd_part, sa, dialect, push)


def _tek(packet, tek):
    for kind, size in ((1, tek.cipher_len), (2, tek.integrity_len)):
        octets = packet.attributes.get(kind)
        label = n.TEK_ATTR[kind][0]
        if (octets is None) != (size == 0):
            raise Refusal("RFC6407-5.6.1-01", label, "missing" if octets is None else "not called for", packet.offset)
        if octets is not None and len(octets) != size:
            raise Refusal("RFC6407-5.6.1-05", label, f"{len(octets)} octets, {size} wanted", packet.offset)
    source = packet.attributes.get(3)
    if (source is None) != (tek.source_bits == 0):
        raise Refusal("RFC6407-5.6.1-01", "TEK_SOURCE_AUTH_KEY", "missing" if source is None else "not called for",
                      packet.offset)
    if source is not None:
        _source(source, tek.source_bits, packet.offset)


def _source(octets, bits, offset):
    """5.6.1.3, RFC 4359 5: the public key of the source, as SIG_ALGORITHM_KEY of RSA."""
    try:
        key = sign.decode_key(octets, 1)
    except sign.BadSignature as e:
        raise Refusal("RFC6407-5.6.1.3-01", "TEK_SOURCE_AUTH_KEY", str(e), offset) from e
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != bits:
        raise Refusal("RFC6407-5.6.1.3-01", "TEK_SOURCE_AUTH_KEY", f"no RSA key of {bits} bits", offset)


def _kek(packet, sak, dialect, old_spi):
    if sak is None:
        raise Refusal("RFC6407-5.6-05", "SPI", "a KEK, and no SAK", packet.offset)
    allowed = {sak.spi}
    if dialect.kd_kek_spi == "old" and old_spi is not None:
        allowed.add(old_spi)
    if packet.spi not in allowed:
        raise Refusal("RFC6407-5.6-05", "SPI", f"{packet.spi.hex()} is not that of the SAK", packet.offset)
    kind = sak.attributes[n.K_ALGORITHM]
    size = BLOCK[n.KEK[kind]] + sak.key_len
    if packet.type == n.KD_KEK:
        octets = packet.attributes.get(1)
        if octets is None:
            raise Refusal("RFC6407-5.6.2-01", "KEK_ALGORITHM_KEY", "missing", packet.offset)
        if len(octets) != size:
            raise Refusal("RFC6407-5.6.2.1-01", "KEK_ALGORITHM_KEY", f"{len(octets)} octets, {size} wanted",
                          packet.offset)
        return
    if not packet.arrays:
        raise Refusal("RFC6407-5.6.3-01", "LKH_DOWNLOAD_ARRAY", "no array", packet.offset)
    block = BLOCK[n.KEK[kind]]
    for one in packet.arrays:
        want = block + -(-sak.key_len // block) * block if one.update else size
        for key in one.keys:
            if key.key_type != kind:
                raise Refusal("RFC6407-5.3.2-03", "Key Type", str(key.key_type), packet.offset)
            if len(key.data) != want:
                raise Refusal("RFC6407-5.6.3.1-08", "Key Data", f"{len(key.data)} octets, {want} wanted", packet.offset)


def _counter(kd_part, sa, dialect, push):
    """5.6.4.4: a counter mode wants SIDs, which are in a PULL only."""
    if push or kd_part.of(n.KD_SID):
        return
    wanting = [t for t in sa.sats if t.counter and t.values.get(n.I_DIRECTION) != 2
               and (t.protocol != n.T_IEC or dialect.sid_for_iec61850 == "include")]
    if wanting:
        raise Refusal("RFC6407-5.6.4.4-01", "SID key packet", "missing", kd_part.offset)
