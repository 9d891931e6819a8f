# SPDX-License-Identifier: BSD-2-Clause
"""Judging octets: structure, numbers, order of payloads. A Refusal says which rule, field and octet.

`header` reads the ISAKMP header; `message` reads header and payloads of what is not encrypted, or of
a plaintext, and gives a Message; `pull`, `push` and `acknowledgement` judge what the payloads of the
GDOI exchanges have to be. Payloads of SA, SAT and KD are judged in `check_sa` and `check_kd`.
"""
from dataclasses import dataclass, field
from types import SimpleNamespace

from . import numbers as n
from .dialect import STRICT
from .isakmp import GENERIC_LEN, HEADER_LEN
from .refusal import Reader, Refusal


@dataclass(frozen=True)
class Header:
    icookie: bytes
    rcookie: bytes
    next_payload: int
    exchange: int
    flags: int
    message_id: int
    length: int
    octets: bytes

    @property
    def spi(self):
        return self.icookie + self.rcookie

    @property
    def encrypted(self):
        return bool(self.flags & n.F_ENCRYPTED)


@dataclass
class Part:
    """One payload: `octets` with its generic header, `value` what was read in it."""
    type: int
    offset: int
    octets: bytes
    value: object = None

    @property
    def body(self):
        return self.octets[GENERIC_LEN:]


@dataclass
class Message:
    header: Header
    parts: list
    clear: bytes  # header and payloads without padding
    padding: bytes = b""
    extra: dict = field(default_factory=dict)

    def one(self, kind):
        return next((p for p in self.parts if p.type == kind), None)

    def all(self, kind):
        return [p for p in self.parts if p.type == kind]

    def kinds(self):
        return [p.type for p in self.parts]

    def after(self, part):
        """The octets behind a payload, to the end of the last."""
        return self.clear[part.offset + len(part.octets):]

    def before(self, part):
        return self.clear[HEADER_LEN:part.offset]


# ---------------------------------------------------------------------------- header

def header(octets):
    """RFC 2408 5.1 and 5.2. Whether the length fits the datagram, too."""
    r = Reader(octets)
    icookie = r.take(8, "Initiator Cookie", "RFC2408-5.1-01")
    rcookie = r.take(8, "Responder Cookie", "RFC2408-5.1-01")
    first = r.number(1, "Next Payload", "RFC2408-5.1-01")
    version = r.number(1, "Version", "RFC2408-5.1-01")
    if version >> 4 != 1:
        r.refuse("RFC2408-3.1-04" if version >> 4 > 1 else "RFC2408-3.1-03", "Major Version", str(version >> 4), 1)
    if version & 15:
        r.refuse("RFC2408-3.1-06", "Minor Version", str(version & 15), 1)
    exchange = r.number(1, "Exchange Type", "RFC2408-5.1-01")
    if exchange not in (n.X_MAIN, n.X_AGGRESSIVE, n.X_INFO, n.X_PULL, n.X_PUSH, n.X_ACK):
        r.refuse("RFC2408-5.2-05", "Exchange Type", str(exchange), 1)
    flags = r.number(1, "Flags", "RFC2408-5.1-01")
    _flags(r, exchange, flags)
    message_id = r.number(4, "Message ID", "RFC2408-5.1-01")
    _message_id(r, exchange, message_id)
    length = r.number(4, "Length", "RFC2408-5.1-01")
    if length != len(octets):
        r.refuse("RFC2408-5.1-02", "Length", f"{length}, the datagram has {len(octets)}", 4)
    if icookie == bytes(8):
        raise Refusal("RFC2408-2.4-02", "Initiator Cookie", "zero", 0)
    return Header(icookie, rcookie, first, exchange, flags, message_id, length, octets[:HEADER_LEN])


def _flags(r, exchange, flags):
    if exchange == n.X_PUSH and not flags & n.F_ENCRYPTED:
        r.refuse("RFC6407-4.2-04", "Flags", "not encrypted", 1)
    if exchange == n.X_PUSH and flags != n.F_ENCRYPTED:
        r.refuse("RFC6407-4.2-05", "Flags", f"{flags:#04x}", 1)
    if exchange == n.X_ACK and flags:
        r.refuse("RFC8263-3.1-01", "Flags", f"{flags:#04x}", 1)
    if exchange == n.X_PULL and not flags & n.F_ENCRYPTED:
        r.refuse("RFC6407-3.2-04", "Flags", "not encrypted", 1)
    if flags & ~7:
        r.refuse("RFC2408-3.1-08", "Flags", f"{flags:#04x}", 1)


def _message_id(r, exchange, message_id):
    rule = {n.X_MAIN: "RFC2408-2.4-06", n.X_AGGRESSIVE: "RFC2408-2.4-06", n.X_PUSH: "RFC6407-4.2-06",
            n.X_ACK: "RFC8263-3.1-02"}.get(exchange)
    if rule and message_id:
        r.refuse(rule, "Message ID", f"{message_id:#010x}", 4)
    if exchange == n.X_PULL and not message_id:
        r.refuse("RFC2408-3.1-16", "Message ID", "zero", 4)


# ------------------------------------------------------------------------------- chain

# Which payloads an exchange may have at all (P and T only inside an SA).
_ALLOWED = {
    n.X_MAIN: {1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21},
    n.X_AGGRESSIVE: {1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21},
    n.X_INFO: {8, 11, 12, 13},
    n.X_PULL: {1, 5, 8, 10, 13, 17, 18, 22},
    n.X_PUSH: {1, 9, 12, 17, 18},
    n.X_ACK: {5, 8, 18},
}
MAX_PAYLOADS = 64


def message(octets, dialect=STRICT, plaintext=None, head=None, block=8):
    """A Message of a datagram, or of its header and the plaintext of what follows it."""
    head = head or header(octets)
    if plaintext is None:
        if head.encrypted:
            raise Refusal("RFC2408-5.2-06", "Flags", "encrypted, and no key", 19)
        clear = octets
    else:
        clear = octets[:HEADER_LEN] + plaintext
    r = Reader(clear)
    r.take(HEADER_LEN, "Header")
    parts, kind = [], head.next_payload
    if not kind:
        raise Refusal("RFC2408-5.2-03", "Next Payload", "no payload at all", 16)
    while kind:
        parts.append(_part(r, kind, head, dialect))
        if len(parts) > MAX_PAYLOADS:
            r.refuse("RFC2408-5.3-02", "Next Payload", "too many payloads")
        kind = parts[-1].octets[0]
    padding = r.data[r.at:]
    whole = r.data[:r.at]
    if plaintext is None:
        r.end("RFC2408-5.1-02", "Length")
    else:
        _padding(r, padding, block, dialect)
    return Message(head, parts, whole, padding)


def _part(r, kind, head, dialect):
    at = r.offset
    if kind not in _ALLOWED[head.exchange]:
        r.refuse("RFC2408-5.3-02", "Next Payload", f"{n.PAYLOAD.name(kind)} in {n.EXCHANGE.name(head.exchange)}")
    body = generic(r, n.PAYLOAD.name(kind))
    value = _read(kind, body, head, dialect)
    return Part(kind, at, r.data[at - r.base:r.at], value)


def generic(r, name, following=None, rule="RFC2408-5.3-03"):
    """The generic header of a payload; a Reader of its body that knows its `next`."""
    following_payload = r.number(1, f"{name} Next Payload")
    if following is not None and following_payload not in following[0]:
        r.refuse(following[1], f"{name} Next Payload", str(following_payload), 1)
    r.zero(1, f"{name} RESERVED", rule)
    size = r.number(2, f"{name} Payload Length")
    if size < GENERIC_LEN:
        r.refuse("RFC2408-3.2-01", f"{name} Payload Length", str(size), 2)
    if size - GENERIC_LEN > r.left():
        r.refuse("RFC2408-3.2-01", f"{name} Payload Length", f"{size}, {r.left() + GENERIC_LEN} are there", 2)
    body = r.within(size - GENERIC_LEN, name)
    body.next = following_payload
    return body


def _padding(r, padding, block, dialect):
    if dialect.pad == "zero-len" and padding and len(padding) <= block and padding[-1] == len(padding) - 1:
        return
    if len(padding) > block:
        r.refuse("RFC2409-B-05", "padding", f"{len(padding)} octets")
    if dialect.pad_accept == "zero" and (len(padding) == block or any(padding)):
        r.refuse("RFC2409-B-05", "padding", "not as few zero octets as possible")


# ---------------------------------------------------------------- the payloads, one by one

def _read(kind, r, head, dialect):
    if kind == n.P_SA:
        if head.exchange in (n.X_MAIN, n.X_AGGRESSIVE):
            return phase1_sa(r, dialect)
        from .check_sa import sa
        return sa(r, dialect, pull=head.exchange == n.X_PULL)
    if kind == n.P_KD:
        from .check_kd import kd
        return kd(r, dialect, push=head.exchange == n.X_PUSH)
    reader = {n.P_ID: identification, n.P_NONCE: _nonce, n.P_HASH: _some, n.P_SIG: _some, n.P_KE: _some,
              n.P_N: notification, n.P_D: delete, n.P_SEQ: _seq, n.P_CERT: _certificate, n.P_CR: _request,
              n.P_GAP: _gap}.get(kind)
    if reader is None:
        return r.rest()
    return reader(r, head, dialect)


def _some(r, _head, _dialect):
    if not r.left():
        r.refuse("RFC2408-3.2-01", "Payload Length", "empty")
    return r.rest()


def _nonce(r, head, _dialect):
    low, high, rule = (8, 128, "RFC6407-5.8-01") if head.exchange == n.X_PULL else (8, 256, "RFC2409-5-10")
    if not low <= r.left() <= high:
        r.refuse(rule, "Nonce Data", f"{r.left()} octets")
    return r.rest()


_ID_RULE = {n.ID_IPV4: "RFC2407-4.6.2.2-01", n.ID_IPV4_SUBNET: "RFC2407-4.6.2.5-01", n.ID_IPV6: "RFC2407-4.6.2.6-01",
            n.ID_IPV6_SUBNET: "RFC2407-4.6.2.7-01", n.ID_IPV4_RANGE: "RFC2407-4.6.2.8-01",
            n.ID_IPV6_RANGE: "RFC2407-4.6.2.9-01"}
_NAME_RULE = {n.ID_FQDN: "RFC2407-4.6.2.3-01", n.ID_USER: "RFC2407-4.6.2.4-01"}


def id_data(r, id_type, data_reader, name):
    """Judges the length of Identification Data of a type; gives the octets."""
    if id_type in _ID_RULE and data_reader.left() != n.ID_LEN[id_type]:
        data_reader.refuse(_ID_RULE[id_type], name, f"{data_reader.left()} octets for {n.ID_TYPE[id_type]}")
    if id_type in _NAME_RULE and 0 in data_reader.data[data_reader.at:]:
        data_reader.refuse(_NAME_RULE[id_type], name, "a terminator")
    return data_reader.rest()


def identification(r, head, dialect):
    """(type, protocol, port, data)."""
    id_type = r.number(1, "ID Type")
    if id_type not in n.ID_TYPE or (id_type == n.ID_OID and head.exchange in (n.X_MAIN, n.X_AGGRESSIVE)):
        r.refuse("RFC2408-5.8-01", "ID Type", str(id_type), 1)
    at = r.offset
    protocol, port = r.number(1, "Protocol ID"), r.number(2, "Port")
    if head.exchange in (n.X_MAIN, n.X_AGGRESSIVE):
        _p1_port(protocol, port, at, dialect)
    elif protocol or port:
        rule = "RFC8263-3.4-02" if head.exchange == n.X_ACK else "RFC6407-5.1-01"
        raise Refusal(rule, "DOI-Specific ID Data", f"{protocol}/{port}", at)
    if id_type == n.ID_KEY and head.exchange == n.X_PULL and r.left() != 4:
        r.refuse("RFC6407-5.1-03", "Identification Data", f"{r.left()} octets")
    if head.exchange == n.X_ACK and id_type not in (n.ID_IPV4, n.ID_IPV6, n.ID_OID):
        raise Refusal("RFC8263-3.4-01", "ID Type", str(id_type), at - 1)
    if id_type == n.ID_OID:
        start = r.at
        oid(r, dialect)
        r.end("RFC8052-2.1-03", "Identification Data")
        data = r.data[start:]
    else:
        data = id_data(r, id_type, r, "Identification Data")
    if not data:
        r.refuse("RFC2408-3.2-01", "Identification Data", "empty")
    return SimpleNamespace(type=id_type, protocol=protocol, port=port, data=data)


def _p1_port(protocol, port, at, dialect):
    if dialect.p1_id_port_accept == "any":
        return
    ports = [int(p) for p in dialect.p1_id_port_accept.split(",")]
    if not ((protocol, port) == (0, 0) or (protocol == 17 and port in ports)):
        raise Refusal("RFC2407-4.6.2-03", "Port", f"{protocol}/{port}", at)


def oid(r, dialect):
    """RFC 8052 2.1: (contents octets of the OID, OID-specific payload)."""
    from .values import oid_contents
    size = r.number(1, "OID Length", "RFC8052-2.1-03")
    at = r.offset
    octets = r.take(size, "OID", "RFC8052-2.1-03")
    try:
        contents = oid_contents(octets, dialect)
    except ValueError as e:
        raise Refusal("RFC8052-2.1-05", "OID", str(e), at) from e
    size = r.number(2, "OID-Specific Payload Length", "RFC8052-2.1-03")
    at = r.offset
    specific = r.take(size, "OID-Specific Payload", "RFC8052-2.1-03")
    if specific and not is_der(specific):
        raise Refusal("RFC8052-2.1-06", "OID-Specific Payload", "not DER", at)
    return contents, specific


def is_der(octets):
    """One DER value and nothing behind it, by tags and lengths; values in a constructed one are DER, too."""
    rest = _behind_der(octets, 32)
    return rest == b""


def _behind_der(octets, depth):
    """What is behind the first value; None: that is none."""
    if len(octets) < 2 or octets[0] & 0x1F == 0x1F:
        return None
    size, at = octets[1], 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(octets[2:2 + count], "big"), 2 + count
        if not 1 <= count <= 2 or len(octets) < at or size < 0x80 or octets[2] == 0:
            return None
    inner, rest = octets[at:at + size], octets[at + size:]
    if len(inner) < size:
        return None
    while octets[0] & 0x20 and inner:
        inner = _behind_der(inner, depth - 1) if depth else None
        if inner is None:
            return None
    return rest


def notification(r, _head, _dialect):
    doi, protocol, size, kind = (r.number(4, "DOI"), r.number(1, "Protocol-ID"), r.number(1, "SPI Size"),
                                 r.number(2, "Notify Message Type"))
    spi = r.take(size, "SPI")
    return SimpleNamespace(doi=doi, protocol=protocol, notify=kind, spi=spi, data=r.rest())


def delete(r, head, dialect):
    at = r.offset
    doi, protocol, size, count = (r.number(4, "DOI"), r.number(1, "Protocol-ID"), r.number(1, "SPI Size"),
                                  r.number(2, "# of SPIs"))
    if r.left() != size * count:
        r.refuse("RFC2408-3.2-01", "# of SPIs", f"{count} of {size} octets, {r.left()} are there", 2)
    if not count:
        r.refuse("RFC2408-3.15-01", "# of SPIs", "none", 2)
    start = r.offset
    spis = [r.take(size, "SPI") for _ in range(count)]
    if head.exchange == n.X_PUSH:
        if doi != n.DOI_GDOI:
            raise Refusal("RFC6407-5.9-04", "DOI", str(doi), at)
        if protocol not in (0, *n.PROTO):
            raise Refusal("RFC2408-5.15-05", "Protocol-ID", str(protocol), at + 4)
        wanted = 16 if protocol == 0 else 4
        zero = count == 1 and not any(spis[0]) and size in (1, 4, wanted)
        if size != wanted and not zero:
            raise Refusal("RFC6407-5.9-06", "SPI Size", f"{size} for protocol {protocol}", at + 5)
    elif protocol == n.PROTO_ISAKMP and size != 16:
        raise Refusal("RFC2408-3.15-03", "SPI Size", str(size), at + 5)
    return SimpleNamespace(doi=doi, protocol=protocol, spis=spis, offset=start)


def _seq(r, _head, _dialect):
    if r.left() != 4:
        r.refuse("RFC6407-5.7-01", "SEQ Payload Length", str(r.left() + GENERIC_LEN))
    return r.number(4, "Sequence Number")


def _certificate(r, _head, _dialect):
    encoding = r.number(1, "Cert Encoding")
    return SimpleNamespace(encoding=encoding, data=r.rest())


def _request(r, _head, _dialect):
    return SimpleNamespace(encoding=r.number(1, "Cert Type"), authority=r.rest())


def _gap(r, _head, _dialect):
    """5.4, in message 3. What is no request there is passed over by the key server."""
    return attributes(r, n.GAP_ATTR, "RFC6407-5.4-08", "RFC6407-5.4-07", "GAP attribute")


# ----------------------------------------------------------------------------- attributes

def attribute(r, name):
    """(offset, type, basic, octets of the value)."""
    at = r.offset
    kind = r.number(2, f"{name} Type", "RFC2408-3.3-01")
    if kind & 0x8000:
        return at, kind & 0x7FFF, True, r.take(2, f"{name} Value", "RFC2408-3.3-01")
    size = r.number(2, f"{name} Length", "RFC2408-3.3-01")
    return at, kind, False, r.take(size, f"{name} Value", "RFC2408-3.3-01")


def attributes(r, table, unknown, form, name, many=()):
    """{type: number or octets} of all that is left; those of `many` are lists."""
    found = {}
    while r.left():
        at, kind, basic, value = attribute(r, name)
        if kind not in table:
            raise Refusal(unknown, f"{name} {kind}", "unknown", at)
        label, shape = table[kind]
        if (shape == n.BASIC) != basic and shape != n.EITHER:
            raise Refusal(form, label, "Basic" if basic else "Variable", at)
        if shape != n.VARIABLE:
            if shape == n.EITHER and not basic and not 1 <= len(value) <= 8:
                raise Refusal(form, label, f"{len(value)} octets", at)
            value = int.from_bytes(value, "big")
        if kind in many:
            found.setdefault(kind, []).append(value)
        elif kind in found:
            raise Refusal(unknown, label, "twice", at)
        else:
            found[kind] = value
    return found


# -------------------------------------------------------------------------- SA of phase 1

def phase1_sa(r, dialect):
    """doi, situation, proposals: [(number, protocol, spi, [(number, id, {attribute: value}, octets)])]."""
    doi = r.number(4, "DOI")
    situation = r.number(4, "Situation")
    want = int(dialect.p1_doi)
    if doi not in {want, n.DOI_GDOI}:
        r.refuse("RFC6407-2.1-01", "DOI", str(doi), 8)
    allowed = {0, 1} if dialect.p1_situation_accept == "any" else {int(dialect.p1_situation)}
    if situation not in allowed:
        r.refuse("RFC6407-5.2-07" if situation == 1 else "RFC2408-5.4-02", "Situation", str(situation), 4)
    proposals, following = [], n.P_P
    while following:
        body = generic(r, "Proposal", ({0, n.P_P}, "RFC2408-3.5-01"))
        following = body.next
        proposals.append(_proposal(body))
    r.end("RFC2408-3.4-02", "SA Payload Length")
    if len(proposals) != 1:
        r.refuse("RFC2409-5-17", "Proposal", f"{len(proposals)} proposals")
    return SimpleNamespace(doi=doi, situation=situation, proposals=proposals)


def _proposal(r):
    number, protocol, size, count = (r.number(1, "Proposal #"), r.number(1, "Protocol-Id"), r.number(1, "SPI Size"),
                                     r.number(1, "# of Transforms"))
    if protocol != n.PROTO_ISAKMP:
        r.refuse("RFC2409-7.1-01", "Protocol-Id", str(protocol), 3)
    spi = r.take(size, "SPI")
    transforms, following, numbers = [], n.P_T, set()
    while following:
        start = r.at
        body = generic(r, "Transform", ({0, n.P_T}, "RFC2408-3.6-01"))
        following = body.next
        which, ident = body.number(1, "Transform #"), body.number(1, "Transform-Id")
        body.zero(2, "RESERVED2", "RFC2408-3.6-03")
        if which in numbers:
            body.refuse("RFC2408-3.6-02", "Transform #", f"{which} twice")
        numbers.add(which)
        found = attributes(body, n.IKE_ATTR, "RFC2409-A-05", "RFC2409-A-02", "Transform attribute",
                           (n.A_LIFE_TYPE, n.A_LIFE))
        transforms.append(SimpleNamespace(number=which, id=ident, attributes=found, octets=r.data[start:r.at]))
        if len(transforms) > count:
            break
    if len(transforms) != count:
        r.refuse("RFC2408-3.5-04", "# of Transforms", f"{count}, {len(transforms)} follow")
    r.end("RFC2408-3.5-02", "Proposal Payload Length")
    return SimpleNamespace(number=number, protocol=protocol, spi=spi, transforms=transforms)


# ------------------------------------------------------------- what an exchange consists of

def _order(m, wanted, rule):
    """`wanted`: a list of (type, least, most) in order."""
    at = 0
    parts = [p for p in m.parts if p.type != n.P_VID]  # RFC2408-3.16-03
    kinds = [p.type for p in parts]
    for kind, least, most in wanted:
        count = 0
        while at < len(kinds) and kinds[at] == kind and count < most:
            at, count = at + 1, count + 1
        if count < least:
            where = parts[at].offset if at < len(kinds) else len(m.clear)
            raise Refusal(rule, n.PAYLOAD.name(kind), "missing, or not in its place", where)
    if at < len(kinds):
        raise Refusal(rule, n.PAYLOAD.name(kinds[at]), "not in its place", parts[at].offset)


_PULL = {1: [(8, 1, 1), (10, 1, 1), (5, 1, 1)], 2: [(8, 1, 1), (10, 1, 1), (1, 1, 1)],
         3: [(8, 1, 1), (22, 0, 1)], 4: [(8, 1, 1), (18, 0, 1), (17, 1, 1)]}


def pull(m, number):
    """RFC 6407 figure 2."""
    _order(m, _PULL[number], "RFC6407-3.2-03")
    return m


def push(m, dialect=STRICT):
    """RFC 6407 figure 3, and that SA and KD come together."""
    _order(m, [(18, 1, 1), (12, 0, 16), (1, 0, 1), (17, 0, 1), (9, 1, 1)], "RFC6407-4-01")
    sa, kd = m.one(n.P_SA), m.one(n.P_KD)
    if (sa is None) != (kd is None):
        raise Refusal("RFC6407-4-01", "KD" if kd is None else "SA", "missing", (sa or kd).offset)
    if sa is None and not m.all(n.P_D):
        raise Refusal("RFC6407-4-01", "SA", "missing", m.one(n.P_SIG).offset)
    if sa is not None and dialect.push_kek_only_tek == "required" and not sa.value.sats:
        raise Refusal("RFC6407-5.6.1-03", "KD", "no TEK", kd.offset)
    return m


def acknowledgement(m):
    """RFC 8263 figure 3."""
    _order(m, [(8, 1, 1), (18, 1, 1), (5, 1, 1)], "RFC8263-3-01")
    return m
