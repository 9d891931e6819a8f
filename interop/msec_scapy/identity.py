# SPDX-License-Identifier: BSD-2-Clause
"""Identities of Table 19, the names in certificates, and the rules between them.

Distinguished names are compared as parsed sequences of RDNs. The string form is
RFC 4514 (or, by the `dn_string` switch, the RDNs in certificate order).
"""
import ipaddress
import re
from dataclasses import dataclass

from asn1crypto import core, x509

from . import registry as reg
from .dialect import STRICT

_SHORT = {"2.5.4.3": "CN", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
          "2.5.4.6": "C", "2.5.4.9": "STREET", "0.9.2342.19200300.100.1.25": "DC",
          "0.9.2342.19200300.100.1.1": "UID"}
_LONG = {v: k for k, v in _SHORT.items()}
_LONG.update({"E": "1.2.840.113549.1.9.1", "EMAIL": "1.2.840.113549.1.9.1", "S": "2.5.4.8",
              "EMAILADDRESS": "1.2.840.113549.1.9.1", "SERIALNUMBER": "2.5.4.5"})
_EMAIL = "1.2.840.113549.1.9.1"


@dataclass(frozen=True)
class Identity:
    kind: int  # Table 19
    data: bytes

    def __str__(self):
        if self.kind in (reg.ID_IPV4, reg.ID_IPV6):
            try:
                return str(ipaddress.ip_address(self.data))
            except ValueError:
                return self.data.hex()
        if self.kind in (reg.ID_DER_DN, reg.ID_KEY, reg.ID_U_NAME):
            return self.data.hex()
        return self.data.decode("utf-8", "backslashreplace")


class NameFault(ValueError):
    """A distinguished name that cannot be read."""


# ----------------------------------------------------------- RFC 4514 strings

def rdns_of_name(name_der):
    """[[(oid, value TLV), ...], ...] in certificate order."""
    name = x509.Name.load(name_der)
    return [[(ava["type"].dotted, ava["value"].dump()) for ava in rdn] for rdn in name.chosen]


def _text(tlv):
    try:
        value = core.load(tlv).native
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _escape(text):
    out = "".join("\\" + c if c in ',+"\\<>;' else "\\00" if c == "\0" else c for c in text)
    if out[:1] in (" ", "#"):
        out = "\\" + out
    if out.endswith(" ") and len(text) > 1:
        out = out[:-1] + "\\ "
    return out


def dn_string(name_der, dialect=STRICT):
    """RFC 4514 section 2; types without a registered short name go as #hex."""
    parts = []
    for rdn in rdns_of_name(name_der):
        avas = []
        for oid, tlv in rdn:
            text = _text(tlv) if oid in _SHORT else None
            avas.append(f"{_SHORT.get(oid, oid)}="
                        + ("#" + tlv.hex() if text is None else _escape(text)))
        parts.append("+".join(avas))
    return ",".join(parts if dialect.dn_string == "forward" else reversed(parts))


def _split(text, separators):
    """Split at unescaped, unquoted separators; yields (piece, separator that ended it)."""
    piece, i, quoted = "", 0, False
    while i < len(text):
        c = text[i]
        if c == "\\" and i + 1 < len(text):
            piece, i = piece + text[i:i + 2], i + 2
            continue
        if c == '"':
            quoted = not quoted
        if c in separators and not quoted:
            yield piece, c
            piece = ""
        else:
            piece += c
        i += 1
    yield piece, ""


def _value(raw):
    """The comparable form of one attribute value string."""
    raw = raw.lstrip(" ")
    if raw.startswith("#"):
        try:
            tlv = bytes.fromhex(raw[1:].strip())
        except ValueError as e:
            raise NameFault(f"bad hexadecimal value {raw}") from e
        text = _text(tlv)
        return _fold(text) if text is not None else tlv
    out, i = bytearray(), 0
    if len(raw) >= 2 and raw[0] == raw[-1] == '"':
        raw = raw[1:-1]
    bare = raw.rstrip(" ")
    end = len(bare)
    if end < len(raw) and (end - len(bare.rstrip("\\"))) % 2:
        end += 1  # the first of the spaces is escaped
    while i < end:
        if raw[i] == "\\":
            if re.fullmatch("[0-9a-fA-F]{2}", raw[i + 1:i + 3]):
                out += bytes.fromhex(raw[i + 1:i + 3])
                i += 3
                continue
            i += 1
            if i >= len(raw):
                raise NameFault("escape at the end of a name")
        out += raw[i].encode()
        i += 1
    try:
        return _fold(out.decode())
    except UnicodeDecodeError as e:
        raise NameFault("name is not UTF-8") from e


def _fold(text):
    return " ".join(text.split()).casefold()


def _oid(name):
    name = name.strip()
    if name.upper().startswith("OID."):
        name = name[4:]
    if re.fullmatch(r"\d+(\.\d+)+", name):
        return name
    if name.upper() not in _LONG:
        raise NameFault(f"attribute type {name!r} is unknown")
    return _LONG[name.upper()]


def parse_dn(text, dialect=STRICT):
    """[{(oid, value)}, ...] in certificate order, from an RFC 4514 string."""
    if not text:
        return []
    rdns, rdn = [], set()
    for piece, end in _split(text, ",;+"):
        kind, sep, value = piece.partition("=")
        if not sep:
            raise NameFault(f"no '=' in {piece!r}")
        rdn.add((_oid(kind), _value(value)))
        if end != "+":
            rdns.append(frozenset(rdn))
            rdn = set()
    return rdns if dialect.dn_string == "forward" else rdns[::-1]


def parsed_name(name_der):
    """A certificate's name in the form of parse_dn()."""
    def comparable(tlv):
        text = _text(tlv)
        return tlv if text is None else _fold(text)
    return [frozenset((oid, comparable(tlv)) for oid, tlv in rdn) for rdn in rdns_of_name(name_der)]


def slash_dn(name_der):
    """7.6.1.1: /C=US/.../Email=..., in certificate order."""
    out = ""
    for rdn in rdns_of_name(name_der):
        for oid, tlv in rdn:
            text = _text(tlv)
            out += f"/{'Email' if oid == _EMAIL else _SHORT.get(oid, oid)}="
            out += tlv.hex() if text is None else text
    return out


# ------------------------------------------------------- names of certificates

def of_certificate(cert, kind=reg.ID_DN, dialect=STRICT):
    """The identity of a kind that a certificate (pkix.Certificate) gives its holder."""
    if kind == reg.ID_DN:
        return Identity(kind, dn_string(cert.subject, dialect).encode())
    if kind == reg.ID_DER_DN:
        return Identity(kind, cert.subject)
    if kind == reg.ID_U_NAME:
        dn = slash_dn(cert.subject).encode()
        return Identity(kind, cert.serial.to_bytes(20, "big") + len(dn).to_bytes(4, "big") + dn)
    for found in _alt_names(cert):
        if found.kind == kind:
            return found
    raise NameFault(f"certificate has no name of type {reg.ID_TYPE.name(kind)}")


def _alt_names(cert):
    out = []
    for name in cert.alt_names:
        if name.name == "dns_name":
            out.append(Identity(reg.ID_FQDN, name.native.encode()))
        elif name.name == "rfc822_name":
            out.append(Identity(reg.ID_RFC822, name.native.encode()))
        elif name.name == "ip_address":
            raw = name.chosen.contents
            out.append(Identity(reg.ID_IPV4 if len(raw) == 4 else reg.ID_IPV6, raw))
    return out


def matches_certificate(identity, cert, dialect=STRICT):
    """7.8.2 (5) and Table 19: does the certificate bind this identity?"""
    try:
        if identity.kind == reg.ID_DN:
            if dialect.dn_string == "octets":
                return identity.data == dn_string(cert.subject, dialect).encode()
            return parse_dn(identity.data.decode(), dialect) == parsed_name(cert.subject)
        if identity.kind in (reg.ID_DER_DN, reg.ID_U_NAME):
            return identity == of_certificate(cert, identity.kind)
    except ValueError:
        return False
    if identity.kind in (reg.ID_FQDN, reg.ID_RFC822):
        return any(n.kind == identity.kind and _same_address(n, identity)
                   for n in _alt_names(cert))
    return identity in _alt_names(cert)


def _same_address(a, b):
    if a.kind == reg.ID_FQDN:
        return a.data.lower() == b.data.lower()
    return _fold_mailbox(a.data) == _fold_mailbox(b.data)


def _fold_mailbox(data):
    local, _, domain = data.rpartition(b"@")
    return local + b"@" + domain.lower()


def same(a, b, dialect=STRICT):
    """Do two identities name the same party?"""
    if a.kind != b.kind:
        return False
    if a.kind == reg.ID_DN and dialect.dn_string != "octets":
        try:
            return parse_dn(a.data.decode(), dialect) == parse_dn(b.data.decode(), dialect)
        except ValueError:
            return False
    if a.kind in (reg.ID_FQDN, reg.ID_RFC822):
        return _same_address(a, b)
    return a.data == b.data


# ------------------------------------------------- rules with wildcards (4534)

def matches_rule(identity, rule, dialect=STRICT):
    """RFC 4534 B.1.1: `*` stands for any run inside one attribute value or label."""
    if identity.kind != rule.kind:
        return False
    if identity.kind == reg.ID_DN:
        try:
            held = parse_dn(identity.data.decode(), dialect)
            wanted = _rule_rdns(rule.data.decode(), dialect)
        except ValueError:
            return False
        return len(held) == len(wanted) and all(
            len(h) == len(w) and all(any(o == wo and isinstance(v, str) and re.fullmatch(p, v)
                                         for o, v in h) for wo, p in w)
            for h, w in zip(held, wanted))
    if identity.kind in (reg.ID_IPV4, reg.ID_IPV6):
        return same(identity, rule, dialect) or _address_fits(identity.data, rule.data)
    if b"*" not in rule.data or identity.kind in (reg.ID_DER_DN, reg.ID_KEY, reg.ID_U_NAME):
        return same(identity, rule, dialect)
    inside = "[^@]*" if identity.kind == reg.ID_RFC822 else "[^.]*"
    pattern = inside.join(re.escape(p) for p in rule.data.decode().split("*"))
    return re.fullmatch(pattern, identity.data.decode("utf-8", "replace"), re.I) is not None


def _address_fits(held, rule):
    """A pattern is text: all four or eight parts, some of them `*`, or `*` alone."""
    parts = (list(map(str, held)) if len(held) == 4
             else [f"{int.from_bytes(held[at:at + 2], 'big'):x}" for at in range(0, len(held), 2)])
    if b"*" not in rule or len(held) not in (4, 16):
        return False
    wanted = rule.decode("ascii", "replace").lower().split("." if len(held) == 4 else ":")
    return wanted == ["*"] or (len(wanted) == len(parts) and all(
        w in ("*", p) or (len(held) == 16 and w.zfill(4) == p.zfill(4)) for w, p in zip(wanted, parts)))


def _rule_rdns(text, dialect):
    """parse_dn() with a regular expression for each value."""
    mark, literal = "\ue000", "\ue001"
    text = re.sub(r"\\2[aA]", literal, text).replace("\\*", literal).replace("*", mark)
    return [{(oid, ".*".join(re.escape(p) for p in v.replace(literal, "*").split(mark)))
             for oid, v in rdn if isinstance(v, str)}
            for rdn in parse_dn(text, dialect)]
