# SPDX-License-Identifier: BSD-2-Clause
"""The Wireshark dissector reads what the Python layers build: every field, every fault, every key.

Neither was written from the other. Fields are compared by name and octets, in the order of the message.
"""
import random
from dataclasses import replace

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from lab import BUILD
from msec_scapy import gsakmp as layers
from msec_scapy import keylog, message, misbehave, protect
from msec_scapy import registry as reg
from msec_scapy.gsakmp import (GSAKMP, Certificate, Identification, KeyCreation, KeyDatum, KeyDownload,
                               KeyDownloadData, KeyDownloadItem, KeyPackage, MechanismChoice, Nonce,
                               Notification, PolicyToken, RekeyArray, RekeyEvent, RekeyEventData,
                               RekeyPackages, Signature, UName, VendorID)
from msec_scapy.testing.scene import GROUP_ID, Scene
from msec_scapy.testing.tsharks import SERVER, accounted, dissect, info, saved, tshark, udp

DEMO = BUILD / "demo"


# --------------------------------------------------------------------- what the layers say that must be shown

NAMES = {
    GSAKMP: dict(group_id_type="groupid.type", group_id_len="groupid.length", group_id="groupid",
                 next_payload="next_payload", version="version", exchange="exchange", sequence="seq",
                 length="length"),
    PolicyToken: dict(token_type="token.type", data="token.data"),
    KeyDownload: dict(data="keydl.encrypted"),
    KeyDownloadData: dict(count="keydl.items", items=None),
    KeyDownloadItem: dict(item_type="keydl.item.type", length="keydl.item.length", body=None),
    KeyDatum: dict(key_type="key.type", key_id="key.id", handle="key.handle", created="key.created",
                   expires="key.expires", key="key.data"),
    RekeyArray: dict(rekey_version="array.version", member_id="array.member_id", count="array.keys", keys=None),
    RekeyEvent: dict(event_type="rekey.event_type", group_id="rekey.groupid", timestamp="rekey.timestamp",
                     rekey_type="rekey.type", alg_version="rekey.version", count="rekey.count", datas=None),
    RekeyEventData: dict(packet_len="rekey.data.length", wrap_id="rekey.data.key_id",
                         wrap_handle="rekey.data.handle", data="rekey.data.encrypted"),
    RekeyPackages: dict(count="rekey.packages", packages=None),
    KeyPackage: dict(package_type="rekey.package.type", length="rekey.package.length", body=None),
    Identification: dict(id_class="id.class", id_type="id.type", data="id.data"),
    UName: {},  # forms of identities have a test of their own
    Certificate: dict(cert_type="cert.type", data="cert.data"),
    Signature: dict(sig_type="sig.type", id_type="sig.id_type", timestamp="sig.timestamp",
                    signer_id_len="sig.signer_length", signer_id="sig.signer", sig_len="sig.length",
                    signature="sig.data"),
    Notification: dict(notify="notify.type", data=None),
    layers.AckData: dict(ack_type="notify.ack_type"),
    MechanismChoice: dict(mechanism="notify.mechanism.type", value="notify.mechanism."),
    VendorID: dict(data="vendor"),
    KeyCreation: dict(create_type="creation.type", data="creation.data"),
    Nonce: dict(nonce_type="nonce.type", data="nonce.data"),
    layers.UnknownPayload: dict(data="payload.data"),
}
GENERIC = {"next_payload": "payload.next", "reserved": "payload.reserved", "length": "payload.length"}
NOTIFY_DATA = {reg.N_COOKIE_REQUIRED: "notify.cookie", reg.N_COOKIE: "notify.cookie",
               reg.N_IPV4: "notify.ipv4", reg.N_IPV6: "notify.ipv6"}
MECHANISM_VALUE = {0: "creation", 1: "encryption", 2: "hash"}
COMPARED = {n for names in NAMES.values() for n in names.values() if n} | set(GENERIC.values()) | {
    "notify.data", *NOTIFY_DATA.values(), *(f"notify.mechanism.{v}" for v in MECHANISM_VALUE.values())}
COMPARED.remove("notify.mechanism.")


def raw(layer, name):
    f, value = layer.getfield_and_val(name)
    return f.addfield(layer, b"", value)


class Expected:
    """The fields of a message, decrypted with the key log where there is one."""

    def __init__(self, octets, log=None):
        self.out, self.log = [], log
        self.m = message.parse(octets)
        self.of(self.m.packet)
        for p in self.m.packet.payloads():
            for name, shown in GENERIC.items():
                self.put(shown, raw(p, name))
            self.of(p)

    def put(self, name, octets):
        if octets:
            self.out.append((name, octets))

    def of(self, layer):
        for name, shown in NAMES[type(layer)].items():
            value = layer.getfieldval(name)
            if isinstance(layer, MechanismChoice) and name == "value":
                shown += MECHANISM_VALUE[layer.mechanism]
            if isinstance(layer, Notification) and name == "data" and not isinstance(value, list):
                shown = None if hasattr(value, "fields_desc") else NOTIFY_DATA.get(layer.notify, "notify.data")
            if shown:
                self.put(shown, raw(layer, name))
            for sub in value if isinstance(value, list) else [value]:
                if hasattr(sub, "fields_desc"):
                    self.of(sub)
        if self.log and isinstance(layer, KeyDownload):
            kek = next(k for k in self.log.keks if k.nonce_r == (self.m.nonce(reg.NONCE_R) or b""))
            for kek in (k for k in self.log.keks if k.nonce_r == kek.nonce_r):
                try:
                    self.of(protect.Registration(kek.enc_type, kek.key).open_keys(layer))
                    break
                except protect.CryptoError:
                    pass
        if self.log and isinstance(layer, RekeyEventData):
            key = self.log.key(self.m.group_id, layer.wrap_id, layer.wrap_handle)
            self.of(protect.open_rekey_data(layer, key.key_type, key.key))


def same(frame, octets, log=None):
    assert frame.octets(*COMPARED) == Expected(octets, log).out
    assert "undissected" not in frame.names and "trailing" not in frame.names


# ---------------------------------------------------------------------------------------- whole groups of peers

class Recorded:
    def __init__(self, path, **how):
        self.path, self.log = path, path / "keylog"
        self.scene = s = Scene(log=keylog.Writer(self.log), **how)
        s.join()
        s.evict(s.members[1], s.token(2, ["gm1"]))
        s.tick()
        s.to_server(s.members[2].leave(s.now), s.members[2])
        s.deliver(s.server.destroy(s.now))
        self.octets = [o for _, o in s.wire]
        self.pcap = saved(path / "udp.pcap", map(udp, self.octets))

    def read_log(self):
        return keylog.KeyLog.read(self.log)


@pytest.mark.parametrize("timestamp", (False, True), ids=("nonces", "time"))
@pytest.mark.parametrize("suite", ("suite1", "suite1-2048", "p256", "rsa", "x25519"))
def test_every_field_of_every_exchange(tmp_path, suite, timestamp):
    rec = Recorded(tmp_path, suite=suite, timestamp=timestamp)
    frames = dissect(rec.pcap, log=rec.log)
    assert len(frames) == len(rec.octets)
    for frame, octets in zip(frames, rec.octets):
        same(frame, octets, rec.read_log())
        assert frame.experts == []
    seen = {int(s) for f in frames for s in f.shown("exchange")}
    assert seen == {reg.X_ACK, reg.X_REKEY, reg.X_RTJ, reg.X_KEYDL, reg.X_RTD, reg.X_DR, reg.X_DA}


def test_without_a_key_log_the_rest_is_dissected(tmp_path):
    rec = Recorded(tmp_path)
    for frame, octets in zip(dissect(rec.pcap), rec.octets):
        same(frame, octets)
        locked = any(n in frame.names for n in ("keydl.encrypted", "token.data", "rekey.data.encrypted"))
        assert bool(frame.experts) == locked
        assert all(e.startswith("no key is known for") for e in frame.experts)


def test_one_kek_opens_all_that_its_member_can_follow(tmp_path):
    rec = Recorded(tmp_path)
    lines = [line for line in rec.log.read_text().splitlines() if line.startswith("GSAKMP_KEK")]
    rec.log.write_text(lines[-1] + "\n")  # the member who joined last
    with_keys = {s: f.shown("decrypted.key") for f in dissect(rec.pcap, log=rec.log) for s in f.shown("seq")
                 if f.shown("exchange") == [str(reg.X_REKEY)]}
    evicted, departed = sorted(with_keys, key=int)[-3:-1]
    # gm1 leaves: one Rekey Event Data and the token. gm2 leaves: nothing that gm2 could read.
    assert len(with_keys[evicted]) == 2 and all("(frame " in s for s in with_keys[evicted])
    assert with_keys[departed] == []


def test_a_wrong_kek_is_said_and_shows_nothing(tmp_path):
    rec = Recorded(tmp_path)
    text = []
    for line in rec.log.read_text().splitlines():
        words = line.split()
        if words[0] == "GSAKMP_KEK":
            text.append(" ".join(words[:5] + [bytes(len(words[5]) // 2).hex()]))
    rec.log.write_text("\n".join(text) + "\n")
    frames = [f for f in dissect(rec.pcap, log=rec.log) if "keydl.encrypted" in f.names]
    for frame in frames:
        assert "key.data" not in frame.names and "decrypted" not in frame.names
        assert "Key Download: tag does not verify" in frame.experts
    assert len(frames) == 3


def test_the_token_reaches_the_cms_dissector(tmp_path):
    rec = Recorded(tmp_path)
    out = tshark(rec.pcap, "-Y", "cms.eContentType", "-T", "fields", "-e", "gsakmp.exchange", "-e",
                 "cms.eContentType", log=rec.log).splitlines()
    assert [line.split("\t") for line in out] == [[str(x), "1.3.6.1.5.5.12.1.1"] for x in (9, 9, 9, 5)]


def test_the_token_is_shown_element_by_element(tmp_path):
    rec = Recorded(tmp_path)
    out = tshark(rec.pcap, "-Y", "gsakmp_token && gsakmp.exchange == 5", "-T", "fields", "-e", "gsakmp_token.text",
                 "-e", "gsakmp_token.oid", "-e", "gsakmp_token.malformed", log=rec.log).rstrip("\n")
    texts, oids, malformed = out.split("\t")
    assert malformed == ""
    assert "CN=gcks,O=MSEC Lab" in texts and "CN=gm*,O=MSEC Lab" in texts
    assert "1.3.6.1.5.5.12.3.1" in oids.split(",")


def test_a_hash_that_looks_like_der_from_outside_is_a_hash(tmp_path):
    """Constructed, of the right length, and no elements inside: the hash of some authority's key begins like this."""
    looks = bytes.fromhex("ab12440e010c72391494de567f361de47a73c81c")
    scene = Scene(log=keylog.Writer(tmp_path / "keylog")).join()
    usual = scene.rule
    scene.rule = lambda text: replace(usual(text), ca=looks) if "other" in text else usual(text)
    scene.evict(scene.members[1], scene.token(2, ["gm1", "other"]))
    pcap = saved(tmp_path / "udp.pcap", [udp(o) for _, o in scene.wire])
    out = tshark(pcap, "-Y", "gsakmp_token && gsakmp.exchange == 5", "-T", "fields", "-e", "gsakmp_token.octets",
                 "-e", "gsakmp_token.malformed", log=tmp_path / "keylog").rstrip("\n")
    octets, malformed = out.split("\t")
    assert looks.hex() in octets.split(",") and malformed == ""


def test_certificates_reach_the_x509_dissector(tmp_path):
    rec = Recorded(tmp_path)
    out = tshark(rec.pcap, "-Y", "gsakmp.exchange == 8", "-T", "fields", "-e", "x509sat.uTF8String")
    assert out.count("gm0") == out.count("gm1") == 1


def test_bad_lines_of_the_key_log_are_reported(tmp_path):
    rec = Recorded(tmp_path)
    rec.log.write_text(rec.log.read_text() + "GSAKMP_KEY 00 01\nGSAKMP_KEK zz - - 12 00\nOTHER x\n# c\n")
    frames = dissect(rec.pcap, log=rec.log)
    assert all(f.experts == ["2 lines of the key log file cannot be read"] for f in frames)


def test_a_key_log_that_is_not_there_is_reported(tmp_path):
    rec = Recorded(tmp_path)
    frames = dissect(rec.pcap, log=tmp_path / "nothing")
    assert all("the key log file cannot be read" in f.experts for f in frames)


# ------------------------------------------------------------------------------------------- the info column

def test_info_column(tmp_path):
    rec = Recorded(tmp_path)
    lines = info(rec.pcap, log=rec.log)
    gm0, gcks = "CN=gm0,O=MSEC Lab", "CN=gcks,O=MSEC Lab"
    assert lines[:3] == [f"RTJ from {gm0}", f"KeyDL from {gcks} to {gm0}", f"KeyDL-A/F from {gm0}, Acknowledgement"]
    rekeys = [o for o in rec.octets if GSAKMP(o).exchange == reg.X_REKEY]
    wanted = []
    for octets in rekeys[:-1]:
        m = GSAKMP(octets)
        count = sum(p.count for p in m.payloads() if isinstance(p, RekeyEvent))
        wanted.append(f"Rekey Event seq {m.sequence}, {count} data" + (", token" if m.find(PolicyToken) else ""))
    assert [line for line in lines if line.startswith("Rekey Event")] == [
        *wanted, "Rekey Event seq 0xffffffff, end of the group"]
    assert sum(w.endswith("token") for w in wanted) == 1


def test_refusals_in_info_and_experts(tmp_path):
    scene = Scene(members=1, terse=False)
    gm = misbehave.find("rtj-sig-bad", "member").arm(scene.members[0])
    scene.join()
    pcap = saved(tmp_path / "c.pcap", [udp(o) for _, o in scene.wire])
    frame = dissect(pcap)[-1]
    assert frame.shown("exchange") == [str(reg.X_RTJ_ERR)] and gm.state != "member"
    name = "Authentication-Failed"
    assert frame.shown("notify.type") == [str(reg.N_AUTH)]
    assert frame.experts == [name]
    assert info(pcap)[-1].endswith(f", {name}")


# ------------------------------------------------------------------------------------------------ UDP and TCP

def tcp(octets, sizes, port=reg.PORT):
    """One direction of a connection, cut as `sizes` says (the last size again and again)."""
    at, frames, seq = 0, [], 1000
    sizes = list(sizes)
    frames.append(Ether() / IP(src="10.0.0.9", dst=SERVER) / TCP(sport=40000, dport=port, flags="S", seq=seq - 1))
    while at < len(octets):
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        frames.append(Ether() / IP(src="10.0.0.9", dst=SERVER)
                      / TCP(sport=40000, dport=port, flags="PA", seq=seq + at, ack=1) / octets[at:at + size])
        at += size
    return frames


OCTET_BY_OCTET = [1] * 150 + [61]  # the length is long known then, and the last one is a rest


@pytest.mark.parametrize("sizes", (OCTET_BY_OCTET, (13, 700), (100000,), (666, 1460), (3, 1, 5, 1000)),
                         ids=lambda s: "octets" if s is OCTET_BY_OCTET else str(s))
def test_tcp_reassembly(tmp_path, sizes):
    rec = Recorded(tmp_path, members=3)
    octets = rec.octets[0] + rec.octets[1] + rec.octets[2]
    frames = dissect(saved(tmp_path / "t.pcap", tcp(octets, sizes)), log=rec.log)
    got = [pair for f in frames for pair in f.octets(*COMPARED)]
    want = [pair for o in rec.octets[:3]
            for pair in Expected(o, rec.read_log()).out]
    assert got == want


def test_several_messages_in_one_segment_are_all_in_the_info_column(tmp_path):
    rec = Recorded(tmp_path)
    pcap = saved(tmp_path / "t.pcap", tcp(rec.octets[0] + rec.octets[2], (100000,)))
    assert info(pcap)[-1] == ("RTJ from CN=gm0,O=MSEC Lab | KeyDL-A/F from CN=gm0,O=MSEC Lab, Acknowledgement")


@pytest.mark.parametrize("length", (0, 12, 2 ** 32 - 1, 2 ** 20 + 1))
def test_a_tcp_length_that_cannot_be_is_not_waited_for(tmp_path, length):
    rtj = bytearray(Recorded(tmp_path).octets[0])
    at = 2 + len(GROUP_ID) + 7
    rtj[at:at + 4] = length.to_bytes(4, "big")
    frame = dissect(saved(tmp_path / "t.pcap", tcp(bytes(rtj), (100000,))))[-1]
    assert any("RFC4535-7.1.2-11" in e for e in frame.experts)


def test_further_ports(tmp_path):
    octets = Recorded(tmp_path).octets[0]
    pcap = saved(tmp_path / "p.pcap", [udp(octets, port=5005), udp(octets)])
    assert [bool(f.fields) for f in dissect(pcap)] == [False, True]
    assert [bool(f.fields) for f in dissect(pcap, ports="5000-5010,3761")] == [True, True]


# --------------------------------------------------------------------------------------- structures one by one

def built(*payloads, exchange=reg.X_RTJ, **how):
    packet = GSAKMP(group_id=how.pop("group_id", GROUP_ID), exchange=exchange, **how)
    for p in payloads:
        packet = packet / p
    return bytes(packet)


NONCE = Nonce(data=b"1234")


def several(tmp_path, datagrams, **how):
    frames = dissect(saved(tmp_path / "several.pcap", map(udp, datagrams)), **how)
    assert len(frames) == len(datagrams)
    return frames


def one(tmp_path, octets, **how):
    return several(tmp_path, [octets], **how)[0]


GROUP_IDS = [
    (1, b"0123456789abcdefgroup", {"groupid.random_text": "0123456789abcdef", "groupid.utf8": "group"}),
    (2, b"\1\2\3\4\5\6\7\x08name", {"groupid.random": "01:02:03:04:05:06:07:08", "groupid.octets": "6e:61:6d:65"}),
    (3, bytes(8) + b"\xef\1\2\3", {"groupid.random": "00:00:00:00:00:00:00:00", "groupid.ipv4": "239.1.2.3"}),
    (4, bytes(8) + b"\xff\x15" + bytes(13) + b"\1", {"groupid.ipv6": "ff15::1"}),
]
WRONG_GROUP_IDS = [(1, bytes(16)), (1, b"x" * 20), (2, bytes(8)), (3, bytes(11)), (3, bytes(13)), (4, bytes(23))]


def test_group_ids(tmp_path):
    frames = several(tmp_path, [built(NONCE, group_id_type=kind, group_id=value) for kind, value, _ in GROUP_IDS])
    for frame, (_, _, shown) in zip(frames, GROUP_IDS):
        assert {n: frame.shown(n) for n in shown} == {n: [v] for n, v in shown.items()}
        assert frame.experts == []


def test_group_ids_that_do_not_fit(tmp_path):
    octets = [built(NONCE, group_id_type=kind, group_id=value) for kind, value in WRONG_GROUP_IDS]
    for frame, case in zip(several(tmp_path, octets), WRONG_GROUP_IDS):
        assert frame.experts, case


NAME_DER = bytes.fromhex("301e310c300a0603550403130367 6d30310e300c060355040a13054d2c534543".replace(" ", ""))


IDENTITIES = [
    (1, b"\x0a\0\0\1", "id.ipv4", "10.0.0.1"),
    (2, b"gm0.example.org", "id.fqdn", "gm0.example.org"),
    (3, b"gm0@example.org", "id.rfc822", "gm0@example.org"),
    (5, bytes(15) + b"\1", "id.ipv6", "::1"),
    (9, NAME_DER, "id.der_dn", "O=M\\,SEC,CN=gm0"),
    (11, b"\1\2\3", "id.key_id", "01:02:03"),
    (30, UName(dn=b"/CN=gm0"), "id.dn", "/CN=gm0"),
    (31, "CN=gm\u00fc".encode(), "id.dn", "CN=gm\u00fc"),
]


def test_identities(tmp_path):
    for frame, (_, data, name, shown) in zip(several(tmp_path, [
            built(Identification(id_type=kind, data=data), exchange=reg.X_LOA)
            for kind, data, _, _ in IDENTITIES]), IDENTITIES):
        assert frame.shown(name) == [shown] and frame.experts == []
        assert frame.octets("id.data") == [("id.data", bytes(data))]


def test_signers(tmp_path):
    for frame, (kind, _, name, shown) in zip(several(tmp_path, [
            built(Signature(id_type=kind, signer_id=bytes(data), signature=b"s"))
            for kind, data, _, _ in IDENTITIES]), IDENTITIES):
        assert frame.shown(name) == [shown] and frame.experts == []
        assert frame.shown("signer") == [shown if kind != reg.ID_KEY else "010203"]


PAYLOADS = [
    (Notification(notify=reg.N_IPV4, data=b"\x0a\0\0\2"), {"notify.ipv4": "10.0.0.2"}),
    (Notification(notify=reg.N_IPV6, data=bytes(15) + b"\2"), {"notify.ipv6": "::2"}),
    (Notification(notify=reg.N_COOKIE, data=b"\1\2\3\4"), {"notify.cookie": "01:02:03:04"}),
    (Notification(notify=reg.N_COOKIE_REQUIRED, data=b"\5\6"), {"notify.cookie": "05:06"}),
    (Notification(notify=reg.N_ACK, data=layers.AckData()), {"notify.ack_type": "0"}),
    (Notification(notify=reg.N_MECHANISMS, data=[MechanismChoice(mechanism=0, value=14),
                                                 MechanismChoice(mechanism=1, value=12),
                                                 MechanismChoice(mechanism=2, value=1)]),
     {"notify.mechanism.creation": "14", "notify.mechanism.encryption": "12", "notify.mechanism.hash": "1"}),
    (Notification(notify=reg.N_LEAVE, data=b""), {"notify.type": "30"}),
    (Certificate(cert_type=12, data=bytes(20) + b"http://x/y"), {"cert.url": "http://x/y"}),
    (KeyCreation(create_type=2, data=bytes(128)), {"creation.type": "2"}),
    (VendorID(data=b"other vendor"), {"vendor": "6f:74:68:65:72:20:76:65:6e:64:6f:72"}),
]


def test_payloads(tmp_path):
    for frame, (_, shown) in zip(several(tmp_path, [built(p) for p, _ in PAYLOADS]), PAYLOADS):
        assert {n: frame.shown(n) for n in shown} == {n: [v] for n, v in shown.items()}
        assert frame.experts == []


@pytest.mark.req("RFC4535-7.1.2-12")
def test_a_version_one_message_inside_version_two(tmp_path):
    inner = built(NONCE)
    outer = bytes(GSAKMP(group_id=GROUP_ID, version=2, next_payload=12, length=13 + len(GROUP_ID) + len(inner) + 5))
    frame = one(tmp_path, outer + inner + b"\0\0\0\5x")
    assert "embedded" in frame.names and frame.shown("nonce.data") == ["31:32:33:34"]
    assert frame.octets("payload.data") == [("payload.data", b"\0\0\0\5x")]
    assert frame.experts == ["version is not 1 (RFC4535-7.1.2-04)"]


def test_version_two_without_version_one_inside(tmp_path):
    frame = one(tmp_path, built(NONCE, version=2))
    assert "embedded" not in frame.names and "payload.data" in frame.names


# ------------------------------------------------------------------------------------------------ what is wrong

FAULTS = [
    (built(NONCE, sequence=5), "RFC4535-7.1.2-08"),
    (built(NONCE, exchange=reg.X_REKEY), "RFC4535-7.1.1-11"),
    (built(NONCE, exchange=7), "Exchange Type 7 is not assigned"),
    (built(NONCE, exchange=200), "Exchange Type 200 is for private use"),
    (built(NONCE, group_id_type=9), "GroupID Type 9 is not assigned"),
    (built(NONCE, next_payload=5), "RFC4535-7.2.2-01"),
    (built(NONCE, next_payload=0), "at least one payload"),
    (built(NONCE) + b"tail", "RFC4535-7.1.2-11"),
    (built(NONCE)[:-1], "RFC4535-7.1.2-11"),
    (built(NONCE, length=3), "RFC4535-7.1.2-11"),
    (built(NONCE)[:9], "are needed"),
    (b"\2", "are needed"),
    (built(group_id=b"", length=13), "RFC4535-7.1.1-04"),
    (built(Nonce(reserved=1, data=b"1234")), "RFC4535-7.2.2-02"),
    (built(Nonce(length=3, data=b"1234")), "RFC4535-7.2.2-03"),
    (built(Nonce(length=99, data=b"1234")), "RFC4535-7.2.2-03"),
    (built(Nonce(length=8, data=b"1234")), "left"),
    (built(Nonce(next_payload=12, data=b"1234")), "is not there"),
    (built(Nonce(data=b"123")), "7.12.1"),
    (built(Nonce(nonce_type=192, data=b"1234")), "Nonce Type 192 is not assigned"),
    (built(VendorID(data=b"123")), "7.10.1"),
    (built(Notification(notify=3, data=b"")), "Notification Type 3 is not assigned"),
    (built(Notification(notify=reg.N_MECHANISMS, data=[MechanismChoice(mechanism=1, value=11)])), "11 is not assigned"),
    (built(Notification(notify=reg.N_IPV4, data=b"\1")), "4 octets are needed, 1 are left"),
    (built(Notification(notify=reg.N_IPV6, data=bytes(17))), "1 octets are left over"),
    (built(Notification(notify=reg.N_COOKIE, data=b"")), "needed"),
    (built(KeyCreation(create_type=49154, data=bytes(32))), "no Vendor ID in this message explains it"),
    (built(KeyCreation(create_type=2, data=b"")), "empty"),
    (built(Identification(id_type=30, data=UName(serial=bytes(20), dn=b"/CN=x"))), "RFC4535-7.6.2.1-01"),
    (built(Identification(id_type=30, data=UName(length=99, dn=b"/CN=x"))), "are left"),
    (built(Identification(id_type=9, data=b"\x30\x80")), "not the DER encoding"),
    (built(Identification(id_type=31, data=b"")), "empty"),
    (built(Signature(timestamp=b"20261301000000Z", signer_id=b"CN=x", signature=b"s")), "YYYYMMDDHHMMSSZ"),
    (built(Signature(signer_id=b"CN=x", signature=b"")), "signature is empty"),
    (built(Signature(signer_id=b"CN=x", signer_id_len=999, signature=b"s")), "are left"),
    (built(Certificate(data=b"\x30\x82\xff\xff")), ""),
    (built(RekeyEvent(group_id=b"x" * len(GROUP_ID)), exchange=5, sequence=1), "RFC4535-7.5.2-03"),
    (built(RekeyEvent(group_id=GROUP_ID, rekey_type=0), exchange=5, sequence=1), "RFC4535-7.5.2-05"),
    (built(RekeyEvent(group_id=GROUP_ID, alg_version=2), exchange=5, sequence=1), "RFC4535-7.5.2-06"),
    (built(RekeyEvent(group_id=GROUP_ID, count=9), exchange=5, sequence=1), "RFC4535-7.5.2-07"),
    (built(RekeyEvent(group_id=GROUP_ID, datas=[RekeyEventData(packet_len=99, data=b"x")]), exchange=5,
           sequence=1), "are left"),
]


def test_faults_are_named(tmp_path):
    for frame, (octets, said) in zip(several(tmp_path, [octets for octets, _ in FAULTS]), FAULTS):
        assert any(said in e for e in frame.experts), (said, octets.hex(), frame.experts)


@pytest.mark.parametrize("seed", range(4))
def test_no_damage_makes_it_stumble(tmp_path, seed):
    """Octets changed, cut out, put in: never a Lua error, never an octet that no field shows."""
    rec, rng, damaged = Recorded(tmp_path, suite=("p256", "suite1")[seed % 2]), random.Random(seed), []
    for octets in rec.octets * 6:
        b = bytearray(octets)
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.randrange(rng.choice((40, len(b)))) if len(b) > 40 else 0
            what = rng.randrange(4)
            if what == 0:
                b[at:at + 1] = bytes([rng.randrange(256)])
            elif what == 1:
                b[at:at + 1] = bytes([b[at] ^ 1 << rng.randrange(8)]) if at < len(b) else b""
            elif what == 2:
                del b[at:at + rng.randrange(1, 20)]
            else:
                b[at:at] = rng.randbytes(rng.randrange(1, 20))
        damaged.append(bytes(b[:rng.choice((len(b), len(b), rng.randrange(1, len(b) + 1)))]))
    frames = dissect(saved(tmp_path / "d.pcap", map(udp, damaged)), log=rec.log)
    for frame, octets in zip(frames, damaged):
        assert accounted(frame, octets), octets.hex()


@pytest.mark.parametrize("cut", ("header", "everywhere"))
def test_no_truncation_makes_it_stumble(tmp_path, cut):
    rec = Recorded(tmp_path)
    sizes = range(1, 40) if cut == "header" else range(40, 2400, 31)
    octets = [o[:n] for o in (rec.octets[1], rec.octets[11]) for n in sizes if n < len(o)]
    frames = dissect(saved(tmp_path / "d.pcap", map(udp, octets)), log=rec.log)
    for frame, o in zip(frames, octets):
        assert frame.experts and accounted(frame, o)


# ------------------------------------------------------------------- damage behind the lock: decrypted structures

def keydl(log, plain, enc_type, key):
    """A KeyDL whose plaintext is `plain`; its KEK goes to the key log."""
    nonce = f"responder {plain.hex()}".encode()
    log.kek(GROUP_ID, b"initiator", nonce, enc_type, key)
    return built(Nonce(nonce_type=2, data=nonce), VendorID(),
                 KeyDownload(data=protect.Registration(enc_type, key).seal(plain)), exchange=reg.X_KEYDL)


DATUM = bytes(KeyDatum(key_id=b"GTPK", handle=b"\0\0\0\1", key=bytes(16)))


PLAINTEXTS = [
    (b"\0\0", None),
    (b"\0\1\0" + len(DATUM).to_bytes(2, "big") + DATUM, None),
    (b"\0\1\0" + len(DATUM).to_bytes(2, "big") + DATUM[:-1], "are left"),
    (b"\0\2\0" + len(DATUM).to_bytes(2, "big") + DATUM, "needed"),
    (b"\0\1\0" + len(DATUM).to_bytes(2, "big") + DATUM + b"x", "1 octets are left over"),
    (b"\0\1\7\0\1x", "KDD Item Type 7 is not assigned"),
    (b"\0", "needed"),
    (b"\0\1\0" + (len(DATUM) - 1).to_bytes(2, "big") + DATUM[:-1], "15 octets of Key Data for a key of 16"),
    (b"\0\1\1\0\7\1\0\0\0\1\0\3", "needed"),
    (b"\0\1\1\0\7\2\0\0\0\1\0\0", "Rekey Version of LKH is 1"),
    (b"\0\1\1" + (7 + len(DATUM)).to_bytes(2, "big") + b"\1\0\0\0\1\0\1\x10\0" + DATUM[2:], "is not known"),
    (b"\0\1\0" + len(DATUM).to_bytes(2, "big") + DATUM[:25] + DATUM[10:25] + DATUM[40:], "before it is created"),
]


@pytest.mark.parametrize("enc_type, size", [(reg.K_3DES, 24), (reg.K_AES_CBC, 16), (reg.K_AES_CTR, 20),
                                            (reg.K_AES_CBC_256, 32), (reg.K_GCM_128, 16), (reg.K_GCM_256, 32)])
def test_plaintexts(tmp_path, enc_type, size):
    log = keylog.Writer(tmp_path / "keys")
    datagrams = [keydl(log, plain, enc_type, bytes(range(size))) for plain, _ in PLAINTEXTS]
    for frame, (plain, said) in zip(several(tmp_path, datagrams, log=tmp_path / "keys"), PLAINTEXTS):
        assert len(frame.shown("decrypted")) == 1
        assert (frame.experts == [] if said is None else any(said in e for e in frame.experts)), (plain, frame.experts)


# -------------------------------------------------------------------------------------------------- the demo

def demo_captures():
    return sorted(p for p in DEMO.glob("*.pcap*") if (DEMO / "keylog.txt").exists())


@pytest.mark.parametrize("pcap", demo_captures() or [None], ids=str)
def test_the_demo_has_no_octet_that_is_not_understood(tmp_path, pcap):
    """After `./lab demo` its capture; on a fresh tree a recorded group of the Python peers."""
    log = DEMO / "keylog.txt"
    if pcap is None:
        rec = Recorded(tmp_path)
        pcap, log = rec.pcap, rec.log
    frames = [f for f in dissect(pcap, log=log) if f.fields]
    assert frames
    for frame in frames:
        assert not {"undissected", "trailing"} & set(frame.names)
