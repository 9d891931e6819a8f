# SPDX-License-Identifier: BSD-2-Clause
"""interop/vectors/gsakmp.json: the C implementation's octets, computed again here."""
import json
import pathlib

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from msec_scapy import crypto, message, protect
from msec_scapy.dialect import Dialect, use
from msec_scapy.gsakmp import KeyDownload, KeyDownloadData, PolicyToken, RekeyEventData, RekeyPackages
from msec_scapy.refusal import Refusal

FILE = pathlib.Path(__file__).parents[2] / "vectors" / "gsakmp.json"
VECTORS = json.loads(FILE.read_text())


def counting(size):
    return bytes(range(size))


def of(kind):
    """Every vector of a kind; the number keeps apart those of one name."""
    found = [v for v in VECTORS if v["name"].startswith(kind + "/")]
    assert found
    return pytest.mark.parametrize(
        "vector", [pytest.param(v, id=f"{n}-{v['name'].split('/')[1]}")
                   for n, v in enumerate(found)])


class Inputs:
    """Fields as bytes, numbers and a Dialect."""

    def __init__(self, vector):
        self.octets = bytes.fromhex(vector["hex"])
        fields = dict(vector["fields"])
        self.dialect = Dialect(**fields.pop("dialect", {}))
        for name, value in fields.items():
            text = name in ("signer", "field")
            setattr(self, name, value if text or isinstance(value, int) else bytes.fromhex(value))


@pytest.mark.req("RFC4535-7.11.1-04")
@of("kek")
def test_kek(vector):
    v = Inputs(vector)
    assert crypto.kek(v.key_creation, v.secret, v.key_type, v.groupid, v.nonce_i, v.nonce_r,
                      v.dialect) == v.octets


@pytest.mark.req("RFC4535-7.12.1-03")
@of("nonce_c")
def test_nonce_c(vector):
    v = Inputs(vector)
    if v.dialect.nonce_c == "payload":
        # The generic headers as they are in their messages, Next Payload included.
        def payload(kind, following, data):
            body = bytes([kind]) + data
            return bytes([following, 0]) + (len(body) + 4).to_bytes(2, "big") + body
        text = payload(1, v.next_payload_i, v.nonce_i) + payload(2, v.next_payload_r, v.nonce_r)
        assert crypto.NONCE_HASH[v.nonce_hash](text).digest() == v.octets
    else:
        assert crypto.nonce_c(v.nonce_hash, v.nonce_i, v.nonce_r, v.dialect) == v.octets


@pytest.mark.req("RFC4535-7.4.1-08", "RFC4535-7.3.1-03", "RFC4535-6.2-03")
@of("registration")
def test_registration(vector):
    v = Inputs(vector)

    def fresh():
        return protect.Registration(v.key_type, v.kek, v.dialect, v.secret, v.nonce_i, v.nonce_r,
                                    v.nonce_c, random=counting)
    sender = fresh()
    assert sender.seal_token(v.token, v.token_type) == v.sealed_token
    assert sender.seal(v.key_download) == v.octets
    receiver = fresh()
    assert receiver.open_token(PolicyToken(token_type=v.token_type, data=v.sealed_token)) == v.token
    with use(v.dialect, v.key_type):
        keys = receiver.open_keys(KeyDownload(data=v.octets))
        assert bytes(keys) == v.key_download
        assert bytes(KeyDownloadData(v.key_download)) == v.key_download


@pytest.mark.req("RFC4535-7.5.1.2-02", "RFC4535-7.5.1.2-03")
@of("rekey")
def test_rekey(vector):
    v = Inputs(vector)
    key_id = v.wrapping_key_id.to_bytes(4, "big")
    handle = v.wrapping_handle.to_bytes(4, "big")
    with use(v.dialect, v.key_type):
        packages = RekeyPackages(v.packages)
        made = protect.seal_rekey_data(v.key_type, v.wrapping_key, key_id, handle, packages,
                                       v.dialect, random=counting)
        assert bytes(made) == v.octets
        seen = protect.open_rekey_data(RekeyEventData(v.octets), v.key_type, v.wrapping_key,
                                       v.dialect)
        assert bytes(seen) == v.packages


@pytest.mark.req("RFC4535-7.8.1-01", "RFC4535-7.8.2-06")
@of("message")
def test_message(vector):
    v = Inputs(vector)
    seen = message.parse(v.octets, v.dialect)
    assert seen.exchange == v.exchange
    if hasattr(v, "spki"):
        assert seen.signature.sig_type == v.signature_type
        message.verify(seen, load_der_public_key(v.spki), v.dialect)


@pytest.mark.req("RFC4535-7.1.2-11", "RFC4535-7.2.2-01")
@of("refusal")
def test_refusal(vector):
    """What one implementation refuses, the other refuses too, with the same notification."""
    v = Inputs(vector)
    with pytest.raises(Refusal) as refused:
        message.parse(v.octets)
    assert refused.value.notify == v.notify, (refused.value, vector["req"])
