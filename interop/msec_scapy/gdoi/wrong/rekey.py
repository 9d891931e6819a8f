# SPDX-License-Identifier: BSD-2-Clause
"""GROUPKEY-PUSH and its acknowledgement."""
from .. import isakmp
from .. import numbers as n
from ..group import KD, SEQ, GdoiSA
from .change import flip, setting


def _server(name, req, text, **how):
    return dict(name=name, role="server", where="push", req=req, text=text, **how)


def _ack(name, req, text, change):
    return dict(name=name, role="member", where="ack", req=req, text=text, datagram=change)


def _cut(octets, at, new):
    return octets[:at] + new + octets[at + len(new):]


_PUSH = (
    _server("push-signature", "RFC6407-4.4-04", "A signature of zeros", proof=lambda _: bytes(256)),
    _server("push-signature-short", "RFC6407-4.4-04", "A signature of one octet", proof=lambda _: b"\1"),
    _server("push-signature-long", "RFC6407-4.4-04", "A signature of 4000 octets", proof=lambda _: bytes(4000)),
    _server("push-seq-0", "RFC6407-4.4-03", "Sequence Number 0", payloads=setting(SEQ, sequence=0)),
    _server("push-seq-short", "RFC6407-5.7-01", "A SEQ of five octets", plain=lambda o: o[:2] + b"\0\5" + o[4:5] + o[8:]),
    _server("push-no-seq", "RFC6407-4-01", "No SEQ", payloads=lambda x: x[1:], also=("RFC6407-5.7-01",)),
    _server("push-seq-last", "RFC6407-4-01", "SEQ behind the others", payloads=lambda x: [*x[1:], x[0]],
            also=("RFC6407-5.7-01",)),
    _server("push-kd-before-sa", "RFC6407-4-01", "KD in front of SA", payloads=lambda x: [*[p for p in x if not isinstance(p, (GdoiSA, KD))],
                                                                                         *[p for p in x if isinstance(p, KD)],
                                                                                         *[p for p in x if isinstance(p, GdoiSA)]]),
    _server("push-no-kd", "RFC6407-4-01", "SA without KD", payloads=lambda x: [p for p in x if not isinstance(p, KD)]),
    _server("push-nonce", "RFC6407-4-01", "A nonce in a PUSH", payloads=lambda x: [*x, isakmp.Nonce(data=bytes(16))],
            also=("RFC2408-5.3-02",)),
    _server("push-clear-flag", "RFC6407-4.2-04", "The E flag is clear", datagram=lambda o: _cut(o, 19, b"\0")),
    _server("push-commit", "RFC6407-4.2-05", "The Commit flag is set", datagram=lambda o: _cut(o, 19, b"\3")),
    _server("push-message-id", "RFC6407-4.2-06", "Message ID 1", datagram=lambda o: _cut(o, 20, b"\0\0\0\1")),
    _server("push-cookies", "RFC6407-4.4-01", "Cookies of no Rekey SA", datagram=flip(0)),
    _server("push-garbled", "RFC6407-4.4-04", "Ciphertext was changed", datagram=flip(-40)),
    _server("push-cut", "RFC2408-5.1-02", "Sixteen octets are missing", datagram=lambda o: o[:-16]),
    _server("push-odd", "RFC6407-4.4-02", "No whole blocks", datagram=lambda o: _cut(o[:-1], 24, (len(o) - 1).to_bytes(4, "big"))),
    _server("push-empty", "RFC6407-4.4-02", "Nothing behind the header", datagram=lambda o: _cut(o[:28], 24, (28).to_bytes(4, "big"))),
    _server("push-delete-doi", "RFC6407-5.9-04", "A Delete of DOI 1", payloads=setting(isakmp.Delete, doi=1)),
    _server("push-delete-count", "RFC2408-3.2-01", "A Delete that says 65535 SPIs", payloads=setting(isakmp.Delete, count=65535)),
    _server("push-delete-size", "RFC2408-3.2-01", "A Delete with SPIs of 255 octets", payloads=setting(isakmp.Delete, spi_size=255, count=1)),
    _server("push-delete-protocol", "RFC2408-5.15-05", "A Delete of protocol 77", payloads=setting(isakmp.Delete, protocol=77)),
)

_ACKS = (
    _ack("ack-hash", "RFC8263-5-05", "HASH is wrong", flip(32)),
    _ack("ack-cookies", "RFC8263-5-05", "Cookies of no Rekey SA", flip(3)),
    _ack("ack-flags", "RFC8263-3.1-01", "A flag is set", lambda o: _cut(o, 19, b"\2")),
    _ack("ack-message-id", "RFC8263-3.1-02", "Message ID 1", lambda o: _cut(o, 20, b"\0\0\0\1")),
    _ack("ack-sequence", "RFC8263-5-05", "A Sequence Number that was not sent", lambda o: _cut(o, len(o) - 16, b"\0\0\0\x77")),
    _ack("ack-port", "RFC8263-3.4-02", "A port in the ID", lambda o: _cut(o, len(o) - 6, b"\3\x50")),
    _ack("ack-id-type", "RFC8263-3.4-01", "A name in the ID", lambda o: _cut(o, len(o) - 8, bytes([n.ID_FQDN]))),
    _ack("ack-of-another", "RFC8263-3.4-03", "The address of somebody else", lambda o: _cut(o, len(o) - 1, b"\xfe")),
    _ack("ack-cut", "RFC2408-5.1-02", "Four octets are missing", lambda o: o[:-4]),
)

ENTRIES = [*_PUSH, *_ACKS]
