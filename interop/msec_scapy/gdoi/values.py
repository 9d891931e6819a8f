# SPDX-License-Identifier: BSD-2-Clause
"""What a dialect does to the numbers inside payloads, in both directions."""
from . import numbers as n
from .dialect import STRICT


# ------------------------------------------------------------------ group identifier, 5.1

def group_id(number, dialect=STRICT):
    return number.to_bytes(4, "little" if dialect.group_id_order == "little" else "big")


def group_number(octets, dialect=STRICT):
    return int.from_bytes(octets, "little" if dialect.group_id_order == "little" else "big")


# ------------------------------------------------------------------ addresses in a SAT

def sat_address(octets, dialect=STRICT):
    """Its own inverse."""
    if dialect.sat_address_order == "network":
        return octets
    return b"".join(octets[i:i + 4][::-1] for i in range(0, len(octets), 4))


def any_source(dialect=STRICT):
    return bytes(3) if dialect.any_source == "zero3" else b""


def is_any(data):
    return data in (b"", bytes(3))


def is_multicast(id_type, data):
    """An address, or the first one of a subnet or a range, is a multicast address (224.0.0.0/4, ff00::/8)."""
    if id_type not in n.ID_LEN:
        return False
    subnet = id_type in (n.ID_IPV4_SUBNET, n.ID_IPV6_SUBNET)
    first = data[0] & data[len(data) // 2] if subnet else data[0]
    return first >> 4 == 0xe if n.ID_LEN[id_type] in (4, 8) else first == 0xff


# ------------------------------------------------------------------------ OID, RFC 8052 2.1

def oid(contents, dialect=STRICT):
    """`contents` are the contents octets of the OBJECT IDENTIFIER."""
    return contents if dialect.oid_encoding == "content" else bytes([6, len(contents)]) + contents


def oid_contents(octets, dialect=STRICT):
    """The contents octets, or ValueError."""
    if dialect.oid_encoding == "tlv":
        if len(octets) < 3 or octets[0] != 6 or octets[1] != len(octets) - 2 or octets[1] > 127:
            raise ValueError("no DER OBJECT IDENTIFIER")
        octets = octets[2:]
    if not octets or octets[-1] & 0x80:
        raise ValueError("the last octet of an arc is missing")
    if any(o == 0x80 and (i == 0 or not octets[i - 1] & 0x80) for i, o in enumerate(octets)):
        raise ValueError("an arc starts with a superfluous octet")
    return octets


def oid_from_text(text):
    """Contents octets of 1.2.840..."""
    arcs = [int(a) for a in text.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        part = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            part.insert(0, arc & 0x7F | 0x80)
        out += bytes(part)
    return out


def oid_text(contents):
    arcs, value = [], 0
    for octet in contents:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


# ---------------------------------------------------------- IEC 61850 algorithm numbers

def iec_auth(registry, dialect=STRICT):
    return registry - (dialect.iec_alg_numbers == "figure")


def iec_auth_registry(wire, dialect=STRICT):
    return wire + (dialect.iec_alg_numbers == "figure")


# ------------------------------------------------------------------------------- SIDs, 5.6.4

def sid_len(bits, dialect=STRICT):
    return 4 if dialect.sid_len == "4" or dialect.sid_form == "little4" else (bits + 7) // 8


def sid(value, bits, dialect=STRICT):
    return value.to_bytes(sid_len(bits, dialect), "little" if dialect.sid_form == "little4" else "big")


def sid_value(octets, dialect=STRICT):
    return int.from_bytes(octets, "little" if dialect.sid_form == "little4" else "big")


# ----------------------------------------------------------------------------- Delete, 5.9

def spi_size(protocol):
    return 16 if protocol == 0 else 4


def zero_spi(protocol, dialect=STRICT):
    return bytes({"sized": spi_size(protocol), "len4": 4, "len1": 1}[dialect.delete_zero_spi])


# ------------------------------------------------------------------------ AES-GCM in a SAT

def sat_key_bits(transform, bits, dialect=STRICT):
    """Key Length as it is sent for a cipher key of `bits`."""
    if dialect.gcm_key_length == "key-salt" and transform in n.ESP_SALT and transform in n.ESP_COMBINED:
        return bits + 8 * n.ESP_SALT[transform]
    return bits


def sat_cipher_bits(transform, sent, dialect=STRICT):
    if dialect.gcm_key_length == "key-salt" and transform in n.ESP_SALT and transform in n.ESP_COMBINED:
        return sent - 8 * n.ESP_SALT[transform]
    return sent
