# SPDX-License-Identifier: BSD-2-Clause
"""Recorded sessions of another implementation, read from their pre-shared keys and exponents alone."""
import json
from dataclasses import replace
from pathlib import Path

import pytest
from scapy.layers.inet import UDP

from msec_scapy.gdoi import dialect as dialects
from msec_scapy.gdoi import group, isakmp, push, recorded, suite
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.refusal import Refusal

FOLDER = Path(__file__).resolve().parents[2] / "vectors/gdoid"
NAMES = ("psk-3des-two-members", "tek-only-gap", "aes-gcm-sid")


def session(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def reader(data, dialect=dialects.GDOID):
    exponents = [bytes.fromhex(p[w]) for p in data["phase1"]
                 for w in ("dh_private_initiator", "dh_private_responder")]
    return recorded.Reader(bytes.fromhex(data["pre_shared_key"]), exponents, dialect)


@pytest.mark.req("RFC2409-B-02", "RFC2409-B-07", "RFC6407-3.2-06", "RFC6407-3.2-09", "RFC6407-4-03")
@pytest.mark.parametrize("name", NAMES)
def test_every_frame_is_read_and_every_secret_derived(name):
    data = session(name)
    r = reader(data)
    for m in data["messages"]:
        found = r.read(bytes.fromhex(m["message"]))
        assert [n.PAYLOAD[k] for k in found.message.kinds()] == m["payloads"], m["n"]
        if "plaintext" in m:
            assert (found.iv.hex(), found.plaintext.hex(), len(found.message.padding)) == (
                m["iv"], m["plaintext"], m["padding_octets"]), m["n"]
        if "signed_hash" in m:
            sig = found.message.one(n.P_SIG)
            covered = push.covered(bytes.fromhex(m["message"])[:28], len(found.message.clear),
                                   found.message.before(sig), r.dialect)
            assert covered[5:33].hex() == m["signed_header"]
            name_of_hash = "sha256" if len(m["signed_hash"]) == 64 else "sha1"
            assert suite.digest(name_of_hash, covered).hex() == m["signed_hash"]
            assert found.reading == "unpadded"
    for p in data["phase1"]:
        k = r.phase1[bytes.fromhex(p["icookie"])].keys
        assert {f: getattr(k, f).hex() for f in ("g_xy", "skeyid", "skeyid_d", "skeyid_a", "skeyid_e", "key")} == {
            f: p[f] for f in ("g_xy", "skeyid", "skeyid_d", "skeyid_a", "skeyid_e", "key")}
    assert {spi.hex(): (k.iv.hex(), k.key.hex()) for spi, k in r.keks.items() if k.cipher == "aes"} == {
        k["spi"]: (k["iv"], k["key"]) for k in data["keks"] if k["kek_alg"] == 3}
    # of 3DES the recording has the keys before or after their parity was set
    assert {spi.hex(): suite.odd_parity(k.key) for spi, k in r.keks.items() if k.cipher == "3des"} == {
        k["spi"]: suite.odd_parity(bytes.fromhex(k["key"])) for k in data["keks"] if k["kek_alg"] == 2}
    assert {spi.hex(): [v.hex() for v in a.values()] for spi, a in r.teks.items()} == {
        t["spi"]: [t[f] for f in ("enc_key", "auth_key") if t[f]] for t in data["teks"]}


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_give_the_same_octets_again(name):
    """Dissected, without what scapy remembers of the octets, and built."""
    with dialects.use(dialects.GDOID):
        for m in session(name)["messages"]:
            octets = bytes.fromhex(m["message"])
            packet = UDP(bytes(UDP(sport=848, dport=848) / octets)).payload
            assert isinstance(packet, isakmp.ISAKMP)
            if "plaintext" in m:
                octets = octets[:28] + bytes.fromhex(m["plaintext"])
                packet = isakmp.opened(packet, octets[28:])
            assert [p.name for p in packet.payloads()] == m["payloads"]
            packet.clear_cache()
            for layer in packet.payloads():
                for tek in getattr(layer, "sats", list)():
                    tek.tek.clear_cache()
            assert bytes(packet)[28:] == octets[28:], m["n"]


def first_refusal(name, dialect):
    data = session(name)
    r = reader(data, dialect)
    for m in data["messages"]:
        try:
            r.read(bytes.fromhex(m["message"]))
        except Refusal as e:
            return m["kind"], e
    return None, None


PULL2, PULL4, PUSH = "GROUPKEY-PULL message 2", "GROUPKEY-PULL message 4", "GROUPKEY-PUSH"


# One habit read strictly, the others as that peer has them.
@pytest.mark.parametrize("name, switch, strict, kind, req, field", (
    ("psk-3des-two-members", "sak_reserved", "4", PULL2, "RFC2408-3.3-01", "KEK attribute Value"),
    ("psk-3des-two-members", "attribute_zero", "refuse", PULL2, "RFC6407-5.5.1.1.1-01", "Address Preservation"),
    ("psk-3des-two-members", "push_rsa_form", "digestinfo", PUSH, "RFC6407-4.4-04", "SIG"),
    ("psk-3des-two-members", "kd_kek_spi", "new", PUSH, "RFC6407-5.6-05", "SPI"),
    ("psk-3des-two-members", "push_kek_only_tek", "required", PUSH, "RFC6407-5.6.1-03", "KD"),
    ("aes-gcm-sid", "gcm_key_length", "key", PULL2, "RFC2407-4.5-10", "Key Length"),
    ("aes-gcm-sid", "sid_form", "big", PULL4, "RFC6407-5.6.4.1-01", "SID_VALUE"),
), ids=lambda v: v if isinstance(v, str) and v.isidentifier() else None)
@pytest.mark.refuses("RFC6407-5.6-05", "RFC6407-5.5.1.1.1-01", "RFC6407-4.4-04")
def test_a_strict_reader_refuses_a_habit(name, switch, strict, kind, req, field):
    where, refusal = first_refusal(name, replace(dialects.GDOID, **{switch: strict}))
    assert (where, refusal.req, refusal.field) == (kind, req, field)
    assert refusal.offset is not None


def test_a_strict_reader_sees_another_group_and_other_addresses():
    """What is no breach of form: the octets mean something else."""
    data = session("psk-3des-two-members")
    seen = {}
    for switch, value in (("group_id_order", "big"), ("sat_address_order", "network")):
        r = reader(data, replace(dialects.GDOID, **{switch: value}))
        found = [r.read(bytes.fromhex(m["message"])).message for m in data["messages"][:8]]
        seen[switch] = found
    octets = seen["group_id_order"][6].one(n.P_ID).value.data
    assert int.from_bytes(octets, "big") != data["group_id"] == int.from_bytes(octets, "little")
    tek = seen["sat_address_order"][7].one(n.P_SA).value.sats[0]
    assert tek.values["src"].data == bytes([37, 224, 0, 10])
    r = reader(data)
    found = [r.read(bytes.fromhex(m["message"])).message for m in data["messages"][:8]]
    assert found[7].one(n.P_SA).value.sats[0].values["src"].data == bytes([10, 0, 224, 37])


@pytest.mark.refuses("RFC6407-4.4-03")
def test_the_same_push_twice_is_refused():
    data = session("psk-3des-two-members")
    r = reader(data)
    for m in data["messages"][:11]:
        r.read(bytes.fromhex(m["message"]))
    with pytest.raises(Refusal) as e:
        r.read(bytes.fromhex(data["messages"][10]["message"]))
    assert (e.value.req, e.value.field) == ("RFC6407-4.4-03", "Sequence Number")


def test_the_wrong_pre_shared_key_opens_nothing():
    data = session("tek-only-gap")
    r = reader({**data, "pre_shared_key": "00"})
    with pytest.raises(Refusal):
        for m in data["messages"]:
            r.read(bytes.fromhex(m["message"]))


@pytest.mark.parametrize("at", range(28, 80, 7))
def test_a_changed_octet_of_a_push_is_refused(at):
    data = session("aes-gcm-sid")
    r = reader(data)
    pushes = [m for m in data["messages"] if m["kind"] == PUSH]
    for m in data["messages"]:
        if m is pushes[0]:
            break
        r.read(bytes.fromhex(m["message"]))
    octets = bytearray.fromhex(pushes[0]["message"])
    octets[at] ^= 0x10
    with pytest.raises(Refusal):
        r.read(bytes(octets))


def test_a_layer_built_by_hand_is_what_a_strict_reader_reads():
    """The layers know the default dialect: RESERVED2 of four octets."""
    sak = group.SAK(protocol=17, src=bytes(4), dst=bytes([239, 1, 1, 1]), spi=bytes(range(16)),
                    attributes=[isakmp.tv(2, 3), isakmp.tv(3, 128), isakmp.tv(5, 3), isakmp.tv(6, 1)])
    assert len(bytes(sak)) == 4 + 1 + 4 + 4 + 4 + 4 + 16 + 4 + 16
    with dialects.use(dialects.GDOID):
        assert len(bytes(sak.copy())) == len(bytes(sak))  # it was built: it keeps its octets
        assert len(bytes(group.SAK(spi=bytes(16)))) == 4 + 1 + 4 + 4 + 16 + 6
