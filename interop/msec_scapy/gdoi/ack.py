# SPDX-License-Identifier: BSD-2-Clause
"""The GROUPKEY-PUSH Acknowledgement Message (RFC 8263 3): its key, its HASH, its octets."""
from . import isakmp
from . import numbers as n
from .dialect import STRICT
from .group import SEQ
from .suite import hash_len, mac

LABEL = b"GROUPKEY-PUSH ACK"
_LABEL_END = {"nul": b"\0", "plain": b"", "double-nul": b"\0\0"}
_BLOCK = {"sha256": 512, "sha512": 1024}


def hash_name(kind):
    return "sha256" if kind in (1, 2) else "sha512"


def of_leaf(kind):
    """Whether base_key is the member's own (LKH) key."""
    return kind in (2, 4)


def length(kind, base_key, dialect=STRICT):
    """L, in bits."""
    name = hash_name(kind)
    return {"block": _BLOCK[name], "output": 8 * hash_len(name), "fixed512": 512,
            "basekey": 8 * len(base_key)}[dialect.ack_l]


def ack_key(kind, base_key, spi, dialect=STRICT):
    label = LABEL + _LABEL_END[dialect.ack_label]
    return mac(hash_name(kind), base_key, label + spi + length(kind, base_key, dialect).to_bytes(2, "big"))


def ack_hash(kind, key, seq, identity, dialect=STRICT):
    """`seq` and `identity` are the payloads with their headers."""
    skip = 0 if dialect.ack_hash == "headers" else isakmp.GENERIC_LEN
    return mac(hash_name(kind), key, seq[skip:] + identity[skip:])


def build(kind, base_key, spi, sequence, id_type, data, dialect=STRICT):
    """The octets of an acknowledgement."""
    identity = bytes(isakmp.Identification(next_payload=0, id_type=id_type, data=data))
    seq = bytes(SEQ(next_payload=n.P_ID, sequence=sequence))
    value = ack_hash(kind, ack_key(kind, base_key, spi, dialect), seq, identity, dialect)
    first = bytes(isakmp.Hash(next_payload=n.P_SEQ, data=value))
    head = isakmp.ISAKMP(icookie=spi[:8], rcookie=spi[8:], next_payload=n.P_HASH, exchange=n.X_ACK)
    return bytes(head / (first + seq + identity))
