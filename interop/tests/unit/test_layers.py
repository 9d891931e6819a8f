# SPDX-License-Identifier: BSD-2-Clause
"""The layers: what is built dissects to itself, what is dissected builds to itself."""
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP

from msec_scapy import dialect as dialects
from msec_scapy import message
from msec_scapy import registry as reg
from msec_scapy.gsakmp import (GSAKMP, AckData, Certificate, Identification, KeyCreation, KeyDatum,
                               KeyDownload, KeyDownloadData, KeyDownloadItem, KeyPackage,
                               MechanismChoice, Nonce, Notification, PolicyToken, RekeyArray,
                               RekeyEvent, RekeyEventData, RekeyPackages, Signature, UName,
                               VendorID, message_len)

# deterministic, and not written to a cache: the suite runs from read-only trees too
settings.register_profile("msec", derandomize=True, database=None, deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("msec")

octets = st.binary(max_size=40)
some = st.binary(min_size=1, max_size=40)
byte, short = st.integers(0, 255), st.integers(0, 65535)
four = st.binary(min_size=4, max_size=4)
date = st.from_regex(rb"\A[0-9]{14}Z\Z")


def build(cls, **fields):
    return st.builds(cls, **fields)


known_key = st.sampled_from([(3, 24), (12, 16), (13, 20), (49153, 32), (49154, 16), (49155, 32)])
datums = known_key.flatmap(lambda kind: build(
    KeyDatum, key_type=st.just(kind[0]), key_id=four, handle=four, created=date, expires=date,
    key=st.binary(min_size=kind[1], max_size=kind[1])))
arrays = build(RekeyArray, member_id=four, **{"keys": st.lists(datums, max_size=4)})
items = st.one_of(build(KeyDownloadItem, item_type=st.just(0), body=datums),
                  build(KeyDownloadItem, item_type=st.just(1), body=arrays))
reds = build(RekeyEventData, wrap_id=four, wrap_handle=four, data=some)
payloads = st.one_of(
    build(PolicyToken, token_type=short, data=octets), build(KeyDownload, data=octets),
    build(Certificate, cert_type=short, data=octets), build(VendorID, data=octets),
    build(KeyCreation, create_type=short, data=octets), build(Nonce, nonce_type=byte, data=octets),
    build(Identification, id_class=byte, id_type=byte.filter(lambda n: n != 30), data=octets),
    build(Identification, id_class=byte, id_type=st.just(30),
          data=build(UName, serial=st.binary(min_size=20, max_size=20), dn=octets)),
    build(Notification, notify=short.filter(lambda n: n not in (23, 29)), data=octets),
    build(Notification, notify=st.just(23), data=build(AckData, ack_type=byte, data=octets)),
    build(Notification, notify=st.just(29), data=st.lists(
        build(MechanismChoice, mechanism=byte, value=short), max_size=4)),
    build(Signature, sig_type=short, id_type=byte, timestamp=date, signer_id=octets,
          signature=octets))


@st.composite
def messages(draw):
    gid = draw(st.binary(min_size=1, max_size=30))
    packet = GSAKMP(group_id_type=draw(byte), group_id=gid, exchange=draw(byte),
                    sequence=draw(st.integers(0, 0xFFFFFFFF)))
    for p in draw(st.lists(payloads, max_size=6)):
        packet = packet / p
    if draw(st.booleans()):
        kind = draw(byte)
        packet = packet / RekeyEvent(event_type=kind, group_id=gid, timestamp=draw(date),
                                     rekey_type=kind, alg_version=draw(byte),
                                     datas=draw(st.lists(reds, max_size=3)))
    return packet


def rebuilt(packet):
    """The octets of a packet when nothing is cached but every field is as dissected."""
    for layer in [packet, *packet.payloads()]:
        layer.clear_cache()
    return bytes(packet)


@pytest.mark.req("RFC4535-7-01", "RFC4535-7-02", "RFC4535-7-05", "RFC4535-7.1.1-01",
                 "RFC4535-7.1.1-15", "RFC4535-7.2.1-01")
@given(messages())
def test_every_message_comes_back(packet):
    raw = bytes(packet)
    again = GSAKMP(raw)
    assert bytes(again) == raw
    assert rebuilt(again) == raw
    assert [type(p) for p in again.payloads()] == [type(p) for p in packet.payloads()]
    assert message_len(raw) == len(raw) == again.length
    assert again.lastlayer().next_payload == 0
    assert again.summary() and again.mysummary()


@given(messages(), st.data())
def test_mutilated_messages_keep_their_octets(packet, data):
    raw = bytearray(bytes(packet))
    head = 13 + raw[1]
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(head, max(head, len(raw) - 1))) % len(raw)] = data.draw(byte)
    raw = bytes(raw[:data.draw(st.integers(2 + raw[1] + 11, len(raw)))])
    if len(raw) >= 13 + raw[1]:
        assert bytes(GSAKMP(raw)) == raw


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_crashes(raw):
    with pytest.raises(message.Refusal):
        message.parse(raw)


@pytest.mark.req("RFC4535-7.4.1-03", "RFC4535-7.4.1-04", "RFC4535-7.4.1-05",
                 "RFC4535-7.4.1.1-01", "RFC4535-7.4.1.2-01", "RFC4535-7.4.1.2-02")
@given(st.lists(items, max_size=4))
def test_key_downloads_come_back(content):
    raw = bytes(KeyDownloadData(items=content))
    again = KeyDownloadData(raw)
    assert bytes(again) == raw and again.trailing == b"" and again.count == len(content)
    for old, new in zip(content, again.items):
        assert type(new.body) is type(old.body)
        if isinstance(new.body, RekeyArray):
            assert len(new.body.getfieldval("keys")) == new.body.count


@pytest.mark.req("RFC4535-7.5.1.2.1-01")
@given(st.lists(build(KeyPackage, package_type=st.sampled_from([0, 1]), body=datums), max_size=4))
def test_rekey_packages_come_back(content):
    raw = bytes(RekeyPackages(packages=content))
    again = RekeyPackages(raw)
    assert bytes(again) == raw and again.trailing == b""
    assert [p.body.key for p in again.packages] == [p.body.key for p in content]


@pytest.mark.req("RFC4535-7.1.1-01")
def test_header_layout_by_hand():
    raw = bytes.fromhex("02" "09" "010203040506070878" "0c" "01" "08" "00000000" "0000001f"
                        "00" "00" "0009" "01" "aabbccdd")
    packet = GSAKMP(raw)
    assert (packet.group_id_type, packet.group_id, packet.next_payload, packet.version,
            packet.exchange, packet.sequence, packet.length) == (
        2, b"\1\2\3\4\5\6\7\x08x", 12, 1, 8, 0, 31)
    assert packet.find(Nonce).data == b"\xaa\xbb\xcc\xdd"
    assert bytes(GSAKMP(group_id=b"\1\2\3\4\5\6\7\x08x", exchange=8)
                 / Nonce(data=b"\xaa\xbb\xcc\xdd")) == raw


@pytest.mark.req("RFC4535-7.8.1-02")
def test_signature_layout_by_hand():
    raw = bytes.fromhex("00000026" "0000" "1f") + b"20260801120000Z" + bytes.fromhex(
        "0004") + b"CN=x" + bytes.fromhex("0008") + b"ABCDEFGH"
    p = Signature(raw)
    assert (p.sig_type, p.id_type, p.timestamp, p.signer_id, p.signature) == (
        0, 31, b"20260801120000Z", b"CN=x", b"ABCDEFGH")
    assert bytes(Signature(timestamp=p.timestamp, signer_id=b"CN=x", signature=b"ABCDEFGH")) == raw


@pytest.mark.req("RFC4535-A.3.1-01", "RFC4535-A.2-01")
def test_key_download_example():
    """Appendix A.3.1: a GTPK, then member 1 with the keys 2, 4 and 8."""
    when = b"20260801120000Z" + b"20260901120000Z"

    def datum(key_id, handle):
        return (b"\x00\x03" + key_id + handle + when + bytes(24))
    kek = b"".join(datum(bytes([0, 0, 0, n]), b"HHH" + bytes([0x30 + n])) for n in (2, 4, 8))
    array = b"\x01" + b"\0\0\0\x01" + b"\0\x03" + kek
    gtpk = datum(b"KEY1", b"HHH0")
    raw = (b"\0\x02" + b"\x00" + len(gtpk).to_bytes(2, "big") + gtpk
           + b"\x01" + len(array).to_bytes(2, "big") + array)
    data = KeyDownloadData(raw)
    assert data.count == 2 and data.trailing == b""
    assert data.items[0].body.key_id == b"KEY1" and data.items[0].body.key_type == 3
    held = data.items[1].body.getfieldval("keys")
    assert [k.key_id[-1] for k in held] == [2, 4, 8] and data.items[1].body.member_id[-1] == 1


@pytest.mark.req("RFC4535-7.5.1-03", "RFC4535-7.5.1.1-01", "RFC4535-7.5.1.2-03")
def test_rekey_event_layout_by_hand():
    gid = b"\1\2\3\4\5\6\7\x08x"
    body = (b"\x01" + gid + b"20260801120000Z" + b"\x01\x01\x00\x02"
            + b"\x00\x03" + b"\0\0\0\x0c" + b"HHHD" + b"abc"
            + b"\x00\x02" + b"\0\0\0\x07" + b"HHH7" + b"de")
    payload = b"\0\0" + (4 + len(body)).to_bytes(2, "big") + body
    raw = b"\x02\x09" + gid + b"\x03\x01\x05\0\0\0\x01" + (22 + len(payload)).to_bytes(
        4, "big") + payload
    event = GSAKMP(raw).find(RekeyEvent)
    assert [(d.wrap_id[-1], d.wrap_handle, d.data) for d in event.datas] == [
        (12, b"HHHD", b"abc"), (7, b"HHH7", b"de")]
    assert event.group_id == gid and event.trailing == b""


@pytest.mark.req("RFC4535-9.1-01")
def test_port_3761_is_ours():
    raw = bytes(GSAKMP(group_id=b"123456789", exchange=10)
                / Notification(notify=reg.N_COOKIE_REQUIRED, data=b"cookie"))
    for layer in (UDP(sport=40000, dport=3761), UDP(sport=3761, dport=40000),
                  TCP(sport=40000, dport=3761)):
        packet = IP(bytes(IP(src="10.0.0.1", dst="10.0.0.2") / layer / raw))
        assert GSAKMP in packet and packet[Notification].data == b"cookie"


@pytest.mark.parametrize("form,raw", [("tv", "000002" "01000c"), ("tlv1", "00020002" "0102000c"),
                                      ("tlv2", "0000020002" "010002000c")])
def test_mechanism_choices_by_dialect(form, raw):
    raw = bytes.fromhex(raw)
    with dialects.use(dialects.Dialect(mech_choice=form)):
        n = Notification(b"\0\0" + (6 + len(raw)).to_bytes(2, "big") + b"\0\x1d" + raw)
        assert [(c.mechanism, c.value) for c in n.data] == [(0, 2), (1, 12)]
        assert bytes(Notification(notify=29, data=[
            MechanismChoice(mechanism=0, value=2), MechanismChoice(mechanism=1, value=12)]))[
            6:] == raw


@pytest.mark.parametrize("changes", [{"reh_groupid": "tlv"}, {"wrap_width": "2"},
                                     {"pkt_len": "cipher+8"}, {"pkt_len": "cipher+10"},
                                     {"pkt_len": "cipher-iv"}])
def test_rekey_event_by_dialect(changes):
    d = dialects.Dialect(**changes)
    width = int(d.wrap_width)
    with dialects.use(d):
        packet = GSAKMP(group_id=b"123456789", exchange=5, sequence=1) / RekeyEvent(
            group_id=b"123456789", datas=[
                RekeyEventData(wrap_id=bytes(width), data=bytes(48)),
                RekeyEventData(wrap_id=b"\xff" * width, data=bytes(32))])
        event = GSAKMP(bytes(packet)).find(RekeyEvent)
        assert [len(r.data) for r in event.datas] == [48, 32] and event.trailing == b""
        assert event.group_id == b"123456789"
        strict = {"cipher+8": 56, "cipher+10": 58, "cipher-iv": 32}.get(d.pkt_len, 48)
        assert event.datas[0].packet_len == strict


def test_dialect_refuses_unknown_readings():
    with pytest.raises(ValueError, match="no reading"):
        dialects.Dialect(pad="salt")
    with pytest.raises(ValueError, match="no switch"):
        dialects.Dialect.parse("colour=red")
    assert dialects.Dialect.parse("pad=zero,iv_keydl=nonce_c").iv_keydl == "nonce_c"
