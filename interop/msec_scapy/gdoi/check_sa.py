# SPDX-License-Identifier: BSD-2-Clause
"""Judging the SA payload of GDOI with its SAK, GAP and SATs (RFC 6407 5.2 - 5.5, RFC 8052 2.2)."""
from dataclasses import dataclass, field

from . import numbers as n
from . import values
from .check import attribute, attributes, generic, id_data, oid
from .refusal import Refusal


@dataclass(frozen=True)
class Endpoint:
    id_type: int
    port: int
    data: bytes  # empty: any

    @property
    def any(self):
        return not self.data


@dataclass(frozen=True)
class Sak:
    protocol: int
    src: Endpoint
    dst: Endpoint
    spi: bytes
    attributes: dict
    offset: int = 0

    def get(self, kind, default=None):
        return self.attributes.get(kind, default)

    @property
    def key_len(self):
        """Octets of the KEK."""
        fixed = {1: 8, 2: 24}.get(self.attributes[n.K_ALGORITHM])
        return fixed or self.attributes.get(n.K_KEY_LENGTH, 128) // 8


@dataclass(frozen=True)
class Tek:
    """A SAT; of ESP and AH or of IEC 61850."""
    protocol: int  # 1 ESP, 2 AH, 3 IEC 61850
    spi: bytes
    lifetime: int  # seconds; 0: for ever
    cipher_len: int  # octets of TEK_ALGORITHM_KEY
    integrity_len: int  # octets of TEK_INTEGRITY_KEY
    counter: bool
    values: dict = field(default_factory=dict)
    offset: int = 0

    @property
    def source_bits(self):
        """RFC 4359: of the modulus of TEK_SOURCE_AUTH_KEY; 0: the SA has no such key."""
        signed = self.protocol != n.T_IEC and self.values.get(n.I_AUTH) == n.AUTH_SIG_RSA
        return self.values[n.I_AUTH_LEN] if signed else 0


@dataclass(frozen=True)
class Sa:
    sak: object
    gap: object  # {attribute: value}, or None
    sats: list
    octets: bytes = b""


def _chain(r, following, dialect):
    """(type, body) of each SA attribute payload; the order is SAK, GAP, SATs."""
    rank = {n.P_SAK: 0, n.P_GAP: 1, n.P_SAT: 2}
    allowed = {n.P_SAK: ({0, n.P_GAP, n.P_SAT}, "RFC6407-5.3-02", "RFC6407-5.3-03"),
               n.P_GAP: ({0, n.P_SAT}, "RFC6407-5.4-05", "RFC6407-5.4-06"),
               n.P_SAT: ({0, n.P_SAT}, "RFC6407-5.5-02", "RFC6407-5.5-03")}
    last = -1
    while following:
        if rank[following] < last:
            r.refuse("RFC6407-5.2.1-04", n.PAYLOAD[following], "out of order")
        last = rank[following]
        kind = following
        nexts, rule, reserved = allowed[kind]
        body = generic(r, n.PAYLOAD[kind], (nexts, rule), reserved)
        following = body.next
        yield kind, body
        if kind == n.P_SAT and following and dialect.iec_attr_filler == "np":
            if r.number(2, "SA Attr NP", "RFC8052-A-01") != n.P_SAT:
                r.refuse("RFC8052-A-01", "SA Attr NP", "not a SAT", 2)
            r.zero(2, "RESERVED2", "RFC8052-A-01")


def sa(r, dialect, pull):
    """The SA payload of a PULL or a PUSH."""
    start = r.data
    if getattr(r, "next", 0) in (n.P_SAK, n.P_SAT, n.P_GAP):
        raise Refusal("RFC6407-5.2-02", "SA Next Payload", n.PAYLOAD[r.next], r.base - 4)
    if r.number(4, "DOI") != n.DOI_GDOI:
        r.refuse("RFC6407-5.2-06", "DOI", "", 4)
    r.zero(4, "Situation", "RFC6407-5.2-07")
    first = r.number(2, "SA Attribute Next Payload")
    if first not in (n.P_SAK, n.P_SAT, n.P_GAP):
        r.refuse("RFC6407-5.2-08", "SA Attribute Next Payload", str(first), 2)
    r.zero(2, "RESERVED2", "RFC6407-5.2-09")
    saks, gaps, sats = [], [], []
    for kind, body in _chain(r, first, dialect):
        if kind == n.P_SAK:
            saks.append(sak(body, dialect, pull))
        elif kind == n.P_GAP:
            gaps.append(gap(body))
        else:
            sats.append(sat(body, dialect))
        if len(saks) > 1 or len(gaps) > 1:
            body.refuse("RFC6407-5.2.1-02", n.PAYLOAD[kind], "twice")
    r.end("RFC6407-5.2-05", "SA Payload Length")
    if not saks and not sats:
        r.refuse("RFC6407-5.2.1-03", "SA", "neither SAK nor SAT")
    spis = [(t.protocol, t.spi) for t in sats]
    for number, spi in enumerate(spis):
        if spi in spis[:number]:
            raise Refusal("RFC6407-3.2-12", "SPI", f"{spi[1].hex()} twice", sats[number].offset)
    return Sa(saks[0] if saks else None, gaps[0] if gaps else None, sats, start)


def gap(r):
    found = attributes(r, n.GAP_ATTR, "RFC6407-5.4-08", "RFC6407-5.4-07", "GAP attribute")
    if n.G_SIDS in found:
        r.refuse("RFC6407-5.4-01", "SENDER_ID_REQUEST", "a request of the key server")
    return found


_RANGES = {n.ID_IPV4_RANGE: "RFC2407-4.6.2.8-01", n.ID_IPV6_RANGE: "RFC2407-4.6.2.9-01"}


def _endpoint(r, which, dialect, swapped, protocol=None):
    id_type = r.number(1, f"{which} ID Type")
    if id_type not in n.ID_TYPE or id_type in (n.ID_LIST_NUMBER, n.ID_OID):
        r.refuse("RFC6407-5.3-07", f"{which} ID Type", str(id_type), 1)
    if which == "DST" and dialect.id_prot_octet == "text":
        r.number(1, "DST ID Prot")
    port = r.number(2, f"{which} ID Port")
    size = r.number(1, f"{which} ID Data Len")
    data = r.within(size, f"{which} Identification Data")
    if which == "SRC" and values.is_any(data.data):
        return Endpoint(id_type, port, b"")
    octets = id_data(r, id_type, data, f"{which} Identification Data")
    octets = values.sat_address(octets, dialect) if swapped and id_type in n.ID_LEN else octets
    if id_type in _RANGES and octets[:len(octets) // 2] > octets[len(octets) // 2:]:
        r.refuse(_RANGES[id_type], f"{which} Identification Data", "the range ends before it begins", size)
    if which == "SRC" and values.is_multicast(id_type, octets):
        r.refuse("RFC5374-4.1.1-05", "SRC Identification Data", "a multicast address", size)
    return Endpoint(id_type, port, octets)


def sak(r, dialect, pull):
    """5.3."""
    at = r.offset
    protocol = r.number(1, "Protocol")
    src = _endpoint(r, "SRC", dialect, False)
    dst = _endpoint(r, "DST", dialect, False)
    spi = r.take(16, "SPI", "RFC6407-5.3-08")
    r.zero(int(dialect.sak_reserved), "RESERVED2", "RFC6407-5.3-09")
    end = r.offset
    found = attributes(r, n.KEK_ATTR, "RFC6407-5.3.2-01", "RFC6407-5.3-10", "KEK attribute")
    if pull:
        found.pop(n.K_MANAGEMENT, None)  # RFC6407-5.3-16
    for kind, rule in ((n.K_ALGORITHM, "RFC6407-5.3-12"), (n.K_SIG, "RFC6407-5.3-13")):
        if kind not in found:
            raise Refusal(rule, n.KEK_ATTR[kind][0], "missing", end)
    _kek_numbers(found, end)
    return Sak(protocol, src, dst, spi, found, at)


def _kek_numbers(found, at):
    """An attribute or capability that is not understood: RFC6407-5.3.2-01."""
    def refuse(kind, text):
        raise Refusal("RFC6407-5.3.2-01", n.KEK_ATTR[kind][0], text, at)
    tables = ((n.K_ALGORITHM, n.KEK), (n.K_SIG, n.SIG), (n.K_SIG_HASH, n.SIG_HASH), (n.K_MANAGEMENT, (1,)))
    for kind, known in tables:
        if kind in found and found[kind] not in known:
            refuse(kind, str(found[kind]))
    sizes = {1: (64, 56), 2: (192, 168), 3: (128, 192, 256)}[found[n.K_ALGORITHM]]
    if found.get(n.K_KEY_LENGTH, sizes[0]) not in sizes:
        raise Refusal("RFC6407-5.3.3-02", "KEK_KEY_LENGTH", str(found[n.K_KEY_LENGTH]), at)
    if found[n.K_ALGORITHM] == 3 and n.K_KEY_LENGTH not in found:
        raise Refusal("RFC6407-5.3.3-01", "KEK_KEY_LENGTH", "missing for AES", at)
    if found.get(n.K_ACK) == 0:  # the others may be types to come: RFC8263-4-03
        raise Refusal("RFC8263-2-01", n.KEK_ATTR[n.K_ACK][0], "zero, which is reserved", at)
    if found.get(n.K_SIG_LENGTH) == 0:
        raise Refusal("RFC6407-5.3.7-01", n.KEK_ATTR[n.K_SIG_LENGTH][0], "zero", at)
    if found[n.K_SIG] in (1, 2, 3) and n.K_SIG_HASH not in found:
        refuse(n.K_SIG_HASH, "missing")
    if found[n.K_SIG] in (4, 5, 6) and found.get(n.K_SIG_HASH, found[n.K_SIG] - 1) != found[n.K_SIG] - 1:
        raise Refusal("RFC6407-5.3.5-02", "SIG_HASH_ALGORITHM", "not that of the curve", at)


# ------------------------------------------------------------------------------------ SAT

def sat(r, dialect):
    at = r.offset
    protocol = r.number(1, "Protocol-ID")
    if protocol == n.T_IEC:
        return _iec(r, at, dialect)
    if protocol not in (n.T_ESP, n.T_AH):
        r.refuse("RFC6407-5.3.2-01", "Protocol-ID", str(protocol), 1)
    return _ipsec(r, protocol, at, dialect)


def _ipsec(r, protocol_id, at, dialect):
    """5.5.1."""
    protocol = r.number(1, "Protocol")
    src = _endpoint(r, "SRC", dialect, True)
    dst = _endpoint(r, "DST", dialect, True)
    transform = r.number(1, "Transform ID")
    if transform not in (n.ESP if protocol_id == n.T_ESP else n.AH):
        r.refuse("RFC6407-5.5.1-07", "Transform ID", str(transform), 1)
    spi = r.take(4, "SPI", "RFC6407-5.5.1-08")
    start = r.offset
    found, life = _ipsec_attributes(r, dialect)
    cipher, integrity = _key_sizes(protocol_id, transform, found, start, dialect)
    counter = transform in (n.ESP_COUNTER if protocol_id == n.T_ESP else n.AH_COUNTER)
    return Tek(protocol_id, spi, life, cipher, integrity, counter,
               {"protocol": protocol, "src": src, "dst": dst, "transform": transform, **found}, at)


def _ipsec_attributes(r, dialect):
    """({attribute: value}, life in seconds): RFC 2407 4.5; durations go with the type before them."""
    found, life, life_type, kinds = {}, None, None, set()
    while r.left():
        at, kind, basic, value = attribute(r, "SA attribute")
        if kind not in n.IPSEC_ATTR or kind in (8, 9):  # of IPCOMP alone
            raise Refusal("RFC2407-4.5.3-01", f"SA attribute {kind}", "unknown", at)
        label, shape = n.IPSEC_ATTR[kind]
        if shape == n.BASIC and not basic:
            raise Refusal("RFC2407-4.5-01", label, "Variable", at)
        if not basic and not 1 <= len(value) <= 8:
            raise Refusal("RFC2407-4.5-02", label, f"{len(value)} octets", at)
        value = int.from_bytes(value, "big")
        if kind == n.I_GROUP:
            continue  # RFC6407-5.5.1-10
        if kind == n.I_LIFE_TYPE:
            if value not in (1, 2) or value in kinds:
                raise Refusal("RFC2407-4.5.2-02", label, str(value), at)
            life_type = value
            kinds.add(value)
        elif kind == n.I_LIFE:
            if life_type is None:
                raise Refusal("RFC2407-4.5-05", label, "no SA Life Type before it", at)
            if value == 0:
                raise Refusal("RFC2407-4.5-03", label, "zero", at)
            life = value if life_type == 1 else life
            life_type = None
        elif kind in (n.I_PRESERVE, n.I_DIRECTION):
            _zero_or_known(found, kind, value, at, dialect)
        elif kind in found:
            raise Refusal("RFC2407-4.5.2-02", label, "twice", at)
        else:
            found[kind] = value
    if life_type is not None:
        r.refuse("RFC2407-4.5-05", "SA Life Duration", "missing")
    return found, 28800 if life is None else life


def _zero_or_known(found, kind, value, at, dialect):
    label, most, rule = {n.I_PRESERVE: ("Address Preservation", 4, "RFC6407-5.5.1.1.1-01"),
                         n.I_DIRECTION: ("SA Direction", 3, "RFC6407-5.5.1.1.2-01")}[kind]
    if value == 0 and dialect.attribute_zero == "absent":
        return
    if not 1 <= value <= most:
        raise Refusal(rule, label, str(value), at)
    if kind in found:
        raise Refusal("RFC2407-4.5.2-02", label, "twice", at)
    found[kind] = value


def _key_sizes(protocol_id, transform, found, at, dialect):
    """(octets of the cipher key with its salt, of the integrity key)."""
    auth = found.get(n.I_AUTH)
    if found.get(n.I_MODE, n.MODE_TUNNEL) not in (n.MODE_TUNNEL, n.MODE_TRANSPORT):  # without it the host decides
        raise Refusal("RFC2407-4.5-06", "Encapsulation Mode", str(found[n.I_MODE]), at)
    if auth is not None and auth not in n.IPSEC_AUTH_KEY and auth != n.AUTH_SIG_RSA:
        raise Refusal("RFC2407-4.5.3-01", "Authentication Algorithm", str(auth), at)
    if protocol_id == n.T_AH:
        if auth is None and dialect.ah_authentication != "implied":
            raise Refusal("RFC2407-4.4.3-01", "Authentication Algorithm", "missing for AH", at)
        found.setdefault(n.I_AUTH, n.AH_AUTH.get(transform, 0))
        if transform in n.AH_AUTH and found[n.I_AUTH] != n.AH_AUTH[transform]:
            raise Refusal("RFC2407-4.4.3-01", "Authentication Algorithm", f"{found[n.I_AUTH]} with {n.AH[transform]}", at)
        _signed(found, at)
        return 0, n.AH_KEY.get(transform, 0)
    _signed(found, at)
    if auth in n.AH_COUNTER:
        raise Refusal("RFC2407-4.5-07", "Authentication Algorithm", f"{n.IPSEC_AUTH[auth]} is a transform of its own in ESP", at)
    integrity = n.IPSEC_AUTH_KEY.get(auth, 0)
    if transform in n.ESP_FIXED:
        if n.I_KEY_LEN in found:
            raise Refusal("RFC2407-4.5-11", "Key Length", "of a cipher whose length is fixed", at)
        if transform == 11 and not auth:
            raise Refusal("RFC2407-4.5-09", "Authentication Algorithm", "missing for ESP_NULL", at)
        return n.ESP_FIXED[transform], integrity
    if n.I_KEY_LEN not in found:
        raise Refusal("RFC2407-4.5-10", "Key Length", "missing", at)
    if transform in n.ESP_COMBINED and auth:
        rule = "RFC4359-4-01" if auth == n.AUTH_SIG_RSA else "RFC2407-4.5.2-02"
        raise Refusal(rule, "Authentication Algorithm", f"beside {n.ESP[transform]}", at)
    bits = values.sat_cipher_bits(transform, found[n.I_KEY_LEN], dialect)
    if bits not in (128, 192, 256):
        raise Refusal("RFC2407-4.5-10", "Key Length", f"{found[n.I_KEY_LEN]} for {n.ESP[transform]}", at)
    return bits // 8 + n.ESP_SALT.get(transform, 0), integrity


def _signed(found, at):
    """RFC 4359 5: with SIG-RSA, how long the modulus is and how a signature is encoded."""
    if found.get(n.I_AUTH) != n.AUTH_SIG_RSA:
        if found.get(n.I_ENCODING, 1) not in (1, 2):
            raise Refusal("RFC2407-4.5.3-01", "Signature Encoding Algorithm", str(found[n.I_ENCODING]), at)
        return
    if not found.get(n.I_AUTH_LEN):
        raise Refusal("RFC4359-5-01", "Authentication Key Length", "missing", at)
    if found.get(n.I_ENCODING) not in (1, 2):
        raise Refusal("RFC4359-5-02", "Signature Encoding Algorithm", str(found.get(n.I_ENCODING)), at)


def _iec(r, at, dialect):
    """RFC 8052 2.2."""
    contents, specific = oid(r, dialect)
    spi = r.take(4, "SPI", "RFC8052-2.2-04")
    where = r.offset
    auth = values.iec_auth_registry(r.number(2, "Auth Alg", "RFC8052-2.2-02"), dialect)
    enc = r.number(2, "Enc Alg", "RFC8052-2.2-02")
    if auth not in n.IEC_AUTH:
        raise Refusal("RFC8052-4-01", "Auth Alg", str(auth), where)
    if enc not in n.IEC_ENC:
        raise Refusal("RFC8052-4-02", "Enc Alg", str(enc), where + 2)
    if auth == 1 and enc in (2, 3):
        raise Refusal(f"RFC8052-2.2.3-0{enc - 1}", "Auth Alg", f"NONE with {n.IEC_ENC[enc]}", where)
    if enc in (4, 5) and auth != 1:
        raise Refusal(f"RFC8052-2.2.3-0{enc - 1}", "Auth Alg", f"{n.IEC_AUTH[auth]} beside {n.IEC_ENC[enc]}", where)
    lifetime = r.number(4, "Remaining Lifetime Value", "RFC8052-2.2-02")
    start = r.offset
    found = attributes(r, n.IEC_ATTR, "RFC6407-5.3.2-01", "RFC8052-2.2.4-01", "SA Data Attribute")
    if found.get(2, 0) > 100:
        raise Refusal("RFC8052-2.2.4.2-01", "SA_KDA", str(found[2]), start)
    counter = auth in n.IEC_COUNTER_AUTH or enc in n.IEC_COUNTER_ENC
    return Tek(n.T_IEC, spi, lifetime, n.IEC_ENC_KEY[enc], n.IEC_AUTH_KEY[auth], counter,
               {"oid": contents, "specific": specific, "auth": auth, "enc": enc, "atd": found.get(1),
                "kda": found.get(2)}, at)
