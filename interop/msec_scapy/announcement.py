# SPDX-License-Identifier: BSD-2-Clause
"""What a candidate reads in a group's announcement (msec-announcement.xsd), as far as the peers here need it.

The Group Owner's signature over it is not verified: whoever names a file on a command line vouches for it.
"""
import ipaddress
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace

from . import registry as reg
from .policy import SUITES, Suite

TYPES = {"utf-8": 1, "octet-string": 2, "ipv4": 3, "ipv6": 4}
# msec-token's words for mechanisms, set by set: signature, hash, key exchange, key wrap
WORDS = {"suite1": "dss-sha1 sha1 modp1024 aes128-cbc", "p256": "ecdsa-p256-sha256 sha256 p256 aes128-gcm",
         "rsa": "rsa-sha256 sha256 modp2048-hkdf aes256-cbc"}
NAMED = {"suite-1": "suite1", "p256-gcm": "p256", "rsa2048-cbc": "rsa"}


@dataclass(frozen=True)
class Announcement:
    group_type: int
    group_id: bytes
    servers: tuple  # (address, port)
    suite: Suite
    transport: str  # of the Request to Join
    multicast: tuple | None  # (address, port) of Rekey Events


def _group_id(e):
    kind, random = TYPES[e.get("type")], bytes.fromhex(e.get("random", ""))
    if e.get("address"):
        rest = ipaddress.ip_address(e.get("address")).packed
    else:
        rest = bytes.fromhex(e.get("octets")) if e.get("octets") else e.get("name", "").encode()
    return kind, (random.hex().encode() if kind == 1 else random) + rest


def _code(word, at):
    """A code point by its number, or by msec-token's word for it."""
    if word.isdigit():
        return int(word)
    for name, words in WORDS.items():
        if words.split()[at] == word:
            s = SUITES[name]
            return (s.sig_type, s.nonce_hash, s.create_type, s.enc_type)[at]
    raise ValueError(f"no mechanism {word!r} is known here; its number would do")


def _suite(root):
    named, explicit = root.find("suite"), root.find("mechanisms")
    if named is not None:
        if named.get("name") not in NAMED:
            raise ValueError("the announced suite has no name that is known here")
        suite = SUITES[NAMED[named.get("name")]]
    else:
        suite = Suite(*(_code(explicit.get(n), at) for at, n in enumerate(
            ("signature", "hash", "key-exchange", "key-wrap"))))
    return replace(suite, terse=root.get("terse") in ("true", "1"), timestamp=root.get("freshness") == "timestamp")


def parse(text):
    """The Announcement in signed or plain XML; ValueError when it is none."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as e:
        raise ValueError(f"no XML: {e}") from e
    root = root if root.tag == "announcement" else root.find("announcement")
    if root is None:
        raise ValueError("no announcement")
    if root.find("gdoi") is not None:
        raise ValueError("the group's keys come by GDOI")
    kind, group_id = _group_id(root.find("group-id"))
    rekey = root.find("rekey")
    return Announcement(kind, group_id,
                        tuple((k.get("address"), int(k.get("port", reg.PORT))) for k in root.iter("key-server")),
                        _suite(root), "tcp" if root.get("transport") == "tcp" else "udp",
                        None if rekey is None else (rekey.get("group"), int(rekey.get("port"))))
