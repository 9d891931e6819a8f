# SPDX-License-Identifier: BSD-2-Clause
"""Is a vector right? Every output is computed again from the inputs; what can be read, opened or
verified is, too."""
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .. import crypto, message, pkix, protect
from .. import dialect as dialects
from .. import token as tokens
from ..gsakmp import (GSAKMP, PAYLOADS, KeyDownload, KeyDownloadData, PolicyToken, RekeyEvent,
                      RekeyEventData, RekeyPackages)
from . import compute, fixed, store, xmlform


class Wrong(AssertionError):
    """The vector is not what this implementation makes of it."""


def _same(what, got, want):
    if got != want:
        raise Wrong(f"{what}: {got!r:.200} is not {want!r:.200}")


def check(raw):
    """Nothing, or Wrong."""
    v = store.Vector(raw)
    computed = store.plain(compute.OUTPUT[v.kind](v.given, v.dialect))
    _same("outputs", sorted(set(computed) - {"field"}), sorted(set(raw["out"]) - {"field"}))
    for name, value in raw["out"].items():
        _same(name, computed[name], value)
    back = BACK.get(v.kind)
    if back is not None:
        with dialects.use(v.dialect, v.given.get("key_type", 12)):
            back(v)


# ------------------------------------------------- the other direction, where there is one

def _registration(v):
    receiver = compute.guard(v.given, v.dialect)
    token = PolicyToken(token_type=v.given.token_type, data=v.out.sealed_token)
    _same("token", receiver.open_token(token), v.given.token)
    keys = receiver.open_keys(KeyDownload(data=v.out.sealed_keys))
    _same("key_download", bytes(keys), v.given.key_download)


def _rekey_data(v):
    red = RekeyEventData(v.out.rekey_event_data)
    opened = protect.open_rekey_data(red, v.given.key_type, v.given.wrapping_key, v.dialect)
    _same("packages", bytes(opened), v.given.packages)


def _rekey_token(v):
    key = v.given.new if v.dialect.pt_rekey_key == "new_gtpk" else v.given.old
    sealed = PolicyToken(token_type=v.given.token_type, data=v.out.sealed)
    _same("token", protect.token_key(*compute.traffic_key(key), v.dialect).open_token(sealed),
          v.given.token)


def _structure(cls, name):
    def back(v):
        octets = getattr(v.out, name)
        _same(name, bytes(protect.decode(cls, octets, v.dialect)), octets)
    return back


def _payload(v):
    """Dissected as part of a message and built again."""
    kind, octets = v.given.type, v.out.payload
    if kind == RekeyEvent.payload_type:
        gid = v.given.group_id
        whole = bytes([2, len(gid)]) + gid + bytes([kind, 1, 5]) + bytes(4)
        whole += (len(whole) + 4 + len(octets)).to_bytes(4, "big") + octets
        layer = GSAKMP(whole).payload
    else:
        layer = PAYLOADS[kind](octets)
    _same("layer", type(layer), PAYLOADS[kind])
    layer.remove_payload()
    layer.clear_cache()
    _same("payload, built again", bytes(layer), octets)


def _message(v):
    seen = message.parse(v.out.message, v.dialect)
    _same("exchange", seen.exchange, v.given.exchange)
    _same("payloads", [kind for kind, _, _ in seen.offsets][:len(v.given.payloads)],
          [p["type"] for p in v.given.payloads])
    if v.given.get("signature"):
        key = fixed.private_key(bytes.fromhex(v.given.signature["key"]))
        message.verify(seen, key.public_key(), v.dialect)


def _signature(v):
    crypto.verify(load_der_public_key(v.given.public_key), v.given.sig_type, v.given.data,
                  v.out.signature, v.dialect)


def _token(v):
    asked = v.dialect if v.dialect != dialects.STRICT else xmlform.readings(v.given.xml)
    tokens.check(v.out.der, asked)


def _token_signed(v):
    signed = compute.verified(v.out.cms, v.given.certificate, v.dialect)
    _same("der", signed.content, v.given.der)
    _same("signing_time", int(signed.signing_time.timestamp()), v.given.signing_time)
    _same("signed by the root", pkix.Certificate(v.given.certificate).signed_by(
        pkix.Certificate(v.given.root)), True)


BACK = {"registration": _registration, "rekey-data": _rekey_data, "rekey-token": _rekey_token,
        "key-download": _structure(KeyDownloadData, "key_download"),
        "key-packages": _structure(RekeyPackages, "packages"), "payload": _payload,
        "message": _message, "signature": _signature, "token": _token, "token-signed": _token_signed}
