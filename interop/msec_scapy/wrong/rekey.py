# SPDX-License-Identifier: BSD-2-Clause
"""Rekey Events, sections 5.3.1.1 and 7.5.2: what a key server does wrong.  They are never answered."""
from .. import registry as reg
from ..gsakmp import RekeyEvent
from .change import cut, first_red, flip, package, packet_len, put
from .entry import server

REKEY = [
    # rekey events, 5.3.1.1 and 7.5.2: never answered
    server("rekey-sequence", reg.X_REKEY, "7.1.2-09", reg.N_SEQUENCE, "Sequence ID 0",
           packet=put(None, sequence=0)),
    server("rekey-replayed", reg.X_REKEY, "7.1.2-09", reg.N_SEQUENCE, "the same Rekey Event again",
           repeat=True, also=("7.1.1-13", "7.1.2-10")),
    server("rekey-sig-bad", reg.X_REKEY, "7.8.2-06", reg.N_AUTH, "one bit of the event turned after signing",
           octets=flip(reg.P_REKEY), also=("5.3.1.1-02", "5.3.1.1-03")),
    server("rekey-destruction-forged", reg.X_REKEY, "7.8.2-06", reg.N_AUTH,
           "an end of the group whose signature is broken", packet=put(None, sequence=0xFFFFFFFF),
           octets=flip(reg.P_REKEY), also=("5.3.1.3-02", "7.1.1-14")),
    server("rekey-rogue", reg.X_REKEY, "RFC4534-B.5.1-01", reg.N_UNAUTHORIZED,
           "signed by somebody whom the token does not let rekey", credentials="rogue"),
    server("rekey-reserved", reg.X_REKEY, "7.2.2-02", reg.N_MALFORMED, "RESERVED is 1 in a RekeyEvent",
           packet=put(RekeyEvent, reserved=1), also=("7.5.2-01",)),
    server("rekey-group", reg.X_REKEY, "7.5.2-03", reg.N_GROUP, "another GroupID in the Rekey Event Header",
           packet=put(RekeyEvent, group_id=b"\xff\xff\xff\xff\xff\xff\xff\xffxxx")),
    server("rekey-type", reg.X_REKEY, "7.5.2-02", reg.N_MALFORMED, "Rekey Event Type 2",
           packet=put(RekeyEvent, event_type=2)),
    server("rekey-type-inner", reg.X_REKEY, "7.5.2-05", reg.N_MALFORMED, "inner Rekey Event Type 0",
           packet=put(RekeyEvent, rekey_type=0)),
    server("rekey-algorithm", reg.X_REKEY, "7.5.2-06", reg.N_MALFORMED, "Algorithm Version 2",
           packet=put(RekeyEvent, alg_version=2)),
    server("rekey-count", reg.X_REKEY, "7.5.2-07", reg.N_MALFORMED, "one Rekey Event Data more than there is",
           packet=lambda p, _: setattr(p.find(RekeyEvent), "count",
                                   len(p.find(RekeyEvent).datas) + 1)),
    server("rekey-packet-short", reg.X_REKEY, "7.5.2-07", reg.N_MALFORMED, "a Packet Length that is one too small",
           packet=first_red(packet_len(-1))),
    server("rekey-packet-long", reg.X_REKEY, "7.5.2-07", reg.N_MALFORMED, "a Packet Length that runs out of the payload",
           packet=first_red(packet_len(60000))),
    server("rekey-cipher", reg.X_REKEY, "7.5.2-11", reg.N_MALFORMED, "rekey data that do not decrypt",
           packet=first_red(lambda red: setattr(
           red, "data", red.data[:-1] + bytes([red.data[-1] ^ 1])))),
    server("rekey-package-type", reg.X_REKEY, "7.5.2-12", reg.N_MALFORMED, "Key Package Type 2",
           plain=("packages", package(package_type=2))),
    server("rekey-key-type", reg.X_REKEY, "7.5.2-13", reg.N_KEY_INFO, "Key Type 4",
           plain=("packages", package(key_type=4))),
    server("rekey-key-id", reg.X_REKEY, "7.5.2-14", reg.N_KEY_INFO, "a Key ID that the member does not hold",
           plain=("packages", package(key_id=b"\xff\xff\xff\xff")), also=("2-06",)),
    server("rekey-key-type-held", reg.X_REKEY, "7.5.2-14", reg.N_KEY_INFO, "a Key Type that the held key does not have",
           plain=("packages", package(key_type=reg.K_3DES, key=bytes(24)))),
    server("rekey-created", reg.X_REKEY, "7.5.2-16", reg.N_KEY_INFO, "a key older than the one held",
           plain=("packages", package(created=b"20000101000000Z"))),
    server("rekey-expires", reg.X_REKEY, "7.5.2-17", reg.N_KEY_INFO, "a key that expires before its creation",
           plain=("packages", package(expires=b"20000101000000Z"))),
    server("rekey-truncated", reg.X_REKEY, "7.1.2-11", reg.N_MALFORMED, "the last 20 octets are missing",
           octets=cut(20)),
]
