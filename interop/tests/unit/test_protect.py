# SPDX-License-Identifier: BSD-2-Clause
"""Encrypted payloads: every reading of IV, padding and length, with every cipher."""
import itertools

import pytest

from msec_scapy import crypto, protect
from msec_scapy import registry as reg
from msec_scapy.dialect import Dialect, use
from msec_scapy.gsakmp import (KeyDatum, KeyDownload, KeyDownloadData, KeyDownloadItem, KeyPackage,
                               PolicyToken, RekeyArray, RekeyEventData, RekeyPackages)
from msec_scapy.testing.scene import Scene

CHOICES = Dialect.choices()
CIPHERS = (reg.K_AES_CBC, reg.K_3DES, reg.K_AES_CTR, reg.K_AES_CBC_256, reg.K_GCM_128,
           reg.K_GCM_256)
TOKEN = b"\x30\x82\x01\x00" + bytes(range(256))


def datum(kind, key_id=b"\0\0\0\1", dialect=Dialect()):
    return KeyDatum(key_type=kind, key_id=key_id, handle=b"hndl",
                    key=bytes(crypto.key_len(kind, dialect)))


def download(kind, dialect=Dialect()):
    return KeyDownloadData(items=[
        KeyDownloadItem(item_type=0, body=datum(kind, dialect=dialect)),
        KeyDownloadItem(item_type=1, body=RekeyArray(
            keys=[datum(kind, bytes([0, 0, 0, n]), dialect) for n in (2, 4)]))])


def guard(kind, dialect):
    return protect.Registration(kind, bytes(range(1, 1 + crypto.key_len(kind, dialect))), dialect,
                                bytes(range(128)), b"i" * 20, b"r" * 20, b"c" * 20)


def fits(kind, pad):
    """Does the plaintext survive this padding: aligned data only, one block at least."""
    return pad != "none" or crypto.algorithm(kind).block == 1


@pytest.mark.req("RFC4535-7.4.1-01", "RFC4535-7.4.1-08", "RFC4535-7.3.1-03", "RFC4535-7.4.2-01",
                 "RFC4535-5.2.1.2-06")
@pytest.mark.parametrize("iv", CHOICES["iv_keydl"])
@pytest.mark.parametrize("pad", CHOICES["pad"])
def test_registration_payloads_come_back(iv, pad):
    d = Dialect(iv_keydl=iv, pad=pad)
    for kind in CIPHERS:
        if not fits(kind, pad):
            continue
        sender, receiver = guard(kind, d), guard(kind, d)
        with use(d, kind):
            token = PolicyToken(data=sender.seal_token(TOKEN))
            keys = KeyDownload(data=sender.seal_keys(download(kind, d)))
            assert receiver.open_token(token) == TOKEN
            assert bytes(receiver.open_keys(keys)) == bytes(download(kind, d))
        assert TOKEN[4:20] not in token.data


@pytest.mark.parametrize("iv", CHOICES["iv_rekey"])
@pytest.mark.parametrize("pad", CHOICES["pad"])
@pytest.mark.req("RFC4535-7.5.1.2-02", "RFC4535-7.5.1.2-03")
def test_rekey_data_come_back(iv, pad):
    ways = itertools.product(CHOICES["pkt_len"], CHOICES["red_scope"])
    first = CHOICES["iv_rekey"].index(iv) + CHOICES["pad"].index(pad)
    for number, (length, scope) in enumerate(ways, first):
        kind = CIPHERS[number % len(CIPHERS)]  # each cipher meets each way somewhere
        if not fits(kind, pad):
            continue
        d = Dialect(iv_rekey=iv, pad=pad, pkt_len=length, red_scope=scope)
        key = bytes(range(1, 1 + crypto.key_len(kind, d)))
        content = RekeyPackages(packages=[KeyPackage(package_type=t, body=datum(kind, dialect=d))
                                          for t in (0, 1)])
        red = protect.seal_rekey_data(kind, key, b"\0\0\0\x0c", b"HHHD", content, d)
        with use(d, kind):
            raw = bytes(red)
            again = RekeyEventData(raw + b"the next one")
            assert (again.data, again.payload.load) == (red.data, b"the next one")
            opened = protect.open_rekey_data(again, kind, key, d)
            assert bytes(opened) == bytes(content)


@pytest.mark.parametrize("width,body", itertools.product(CHOICES["wrap_width"],
                                                         CHOICES["keypkg_lkh_body"]))
def test_rekey_data_shapes(width, body):
    d = Dialect(wrap_width=width, keypkg_lkh_body=body)
    inner = datum(12) if body == "datum" else RekeyArray(keys=[datum(12)])
    with use(d):
        content = RekeyPackages(packages=[KeyPackage(package_type=1, body=inner)])
        red = protect.seal_rekey_data(12, bytes(16), b"\0\0\0\x0c", b"HHHD", content, d)
        again = RekeyEventData(bytes(red))
        assert len(again.wrap_id) == int(width)
        assert type(protect.open_rekey_data(again, 12, bytes(16), d).packages[0].body) is type(
            inner)


@pytest.mark.parametrize("size", CHOICES["aes_ctr_key"])
def test_ctr_keys_by_dialect(size):
    d = Dialect(aes_ctr_key=size)
    g = guard(reg.K_AES_CTR, d)
    assert len(g.kek) == int(size)
    keys = KeyDownload(data=g.seal_keys(download(reg.K_AES_CTR, d)))
    array = g.open_keys(keys).items[1].body
    assert [len(k.key) for k in array.getfieldval("keys")] == [int(size)] * 2


def test_associated_data_of_gcm():
    """The Policy Token Type, nothing for keys, Wrapping KeyID and Handle for rekey data."""
    g = guard(reg.K_GCM_128, Dialect())
    sealed = g.seal_token(TOKEN)
    assert crypto.decrypt(reg.K_GCM_128, g.kek, sealed[:12], sealed[12:], b"\0\x01") == TOKEN
    keys = g.seal_keys(download(12))
    assert crypto.decrypt(reg.K_GCM_128, g.kek, keys[:12], keys[12:]) == bytes(download(12))
    red = protect.seal_rekey_data(reg.K_GCM_128, bytes(16), b"\0\0\0\x0c", b"HHHD",
                                  RekeyPackages(), Dialect())
    assert crypto.decrypt(reg.K_GCM_128, bytes(16), red.data[:12], red.data[12:],
                          b"\0\0\0\x0cHHHD") == b"\0\0"
    red.wrap_handle = b"HHHE"
    with pytest.raises(crypto.CryptoError):
        protect.open_rekey_data(red, reg.K_GCM_128, bytes(16))


def test_prefix_iv_is_fresh_each_time():
    g = guard(12, Dialect())
    assert g.seal_token(TOKEN)[:16] != g.seal_token(TOKEN)[:16]
    assert len(g.seal_token(TOKEN)) == 16 + 272  # IV, 260 octets and their padding


@pytest.mark.req("RFC4535-7.4.2-06", "RFC4535-7.4.2-03")
def test_malformed_plaintext_is_refused():
    g = guard(12, Dialect())
    good = bytes(download(12))
    for bad in (good + b"\0", good[:-1], b"\0", b"\0\3" + good[2:], b"\0\1" + good[2:], b"",
                good[:3] + b"\0\x39" + good[5:], good[:3] + b"\0\x37" + good[5:]):
        with pytest.raises(protect.FormError):
            g.open_keys(KeyDownload(data=g.seal(bad)))


def test_a_token_is_one_der_object():
    g = guard(12, Dialect())
    for bad in (TOKEN + b"\0", TOKEN[:-1], b"", b"\x30"):
        with pytest.raises(crypto.CryptoError):
            g.open_token(PolicyToken(data=g.seal(bad, is_token=True)))


@pytest.mark.parametrize("change", [
    *({"iv_keydl": v} for v in CHOICES["iv_keydl"][1:]), *({"pad": v} for v in (
        "zero", "pkcs7_ifneeded", "iso7816", "x923", "ike", "esp", "cts1", "cts3")),
    *({"iv_rekey": v} for v in CHOICES["iv_rekey"][1:]),
    *({"pkt_len": v} for v in CHOICES["pkt_len"][1:]),
    *({"kek_bits": v} for v in CHOICES["kek_bits"][1:]), {"dh_secret_pad": "stripped"},
    {"dh_pub_pad": "minimal"}, {"pt_form": "signeddata"}, {"pt_rekey_key": "new_gtpk"},
    {"red_scope": "packages"}, {"reh_groupid": "tlv"},
    *({"nonce_c": v} for v in CHOICES["nonce_c"][1:]), {"ack_data": "empty"},
    {"keypkg_lkh_body": "array"}, {"wrap_width": "2"}, {"dsa_enc": "raw"},
    {"token_tags": "explicit"}, {"token_reg_oid": "module"}, {"token_rekey_oid": "module"},
    {"token_dereg_terse": "absent"}, {"token_none_info": "empty"}, {"token_groupname": "tlv"},
    {"token_groupname": "text"}, {"dn_string": "forward"}, {"id_class": "sender"},
    {"id_class": "third"}, {"rekey_none_algver": "0"}, {"interval_unit": "min"}],
    ids=lambda c: "-".join(*c.items()))
def test_a_whole_group_in_every_dialect(change):
    """Join, eviction with a new token, policy update, destruction."""
    d = Dialect(**change)
    if "dn_string" in change:
        s = _forward_scene(d)
    else:
        s = Scene("suite1", members=3, dialect=d)
    s.join()
    assert all(m.state == "member" for m in s.members)
    s.evict(s.members[1], s.token(2, ["gm1"]) if "dn_string" not in change else None)
    assert s.in_step(s.members[0]) and s.in_step(s.members[2]) and not s.in_step(s.members[1])
    if "dn_string" not in change:
        s.tick()
        s.deliver(s.server.new_token(s.token(3, ["gm1"]), s.now))
        assert s.members[0].token.edition == 3
    s.deliver(s.server.destroy(s.now))
    assert [m.state for m in s.members] == ["left"] * 3
    assert not [r for m in (s.members[0], s.members[2]) for r in m.refusals]


def _forward_scene(d):
    class Forward(Scene):
        def rule(self, text):
            cn, o = text.split(",")
            return super().rule(f"{o},{cn}")
    return Forward("suite1", members=3, dialect=d)
