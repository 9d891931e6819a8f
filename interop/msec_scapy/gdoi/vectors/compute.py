# SPDX-License-Identifier: BSD-2-Clause
"""Outputs of the GDOI vectors, from their inputs."""
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from ... import gdoi_token, identity, token
from .. import ack, check, check_kd, check_sa, isakmp, keys, lkh, push, recorded, sign, suite, values
from .. import numbers as n
from ..refusal import Reader, Refusal
from . import fixed

OUTPUT = {}


def output(kind):
    def register(function):
        OUTPUT[kind] = function
        return function
    return register


# ------------------------------------------------------------------------------ phase 1

@output("phase1")
def phase1(v, dialect):
    s = suite.Suite(v.cipher, v.hash, v.auth, v.group, v.key_bits)
    i, r = (suite.DiffieHellman(v.group, x) for x in (v.private_i, v.private_r))
    g_xy = i.secret(r.public())
    assert g_xy == r.secret(i.public())
    k = keys.Keys.derive(s, v.cookie_i, v.cookie_r, v.nonce_i, v.nonce_r, i.public(), r.public(), g_xy, v.get("psk"))
    name = sign.phase1_hash_name(v.auth, s.hash_name, dialect)
    common = name, k.skeyid, i.public(), r.public(), v.cookie_i, v.cookie_r, v.sa_i
    return {"g_xi": i.public(), "g_xr": r.public(), "g_xy": g_xy, "skeyid": k.skeyid, "skeyid_d": k.skeyid_d,
            "skeyid_a": k.skeyid_a, "skeyid_e": k.skeyid_e, "key": k.key, "iv": k.iv,
            "phase2_iv": keys.phase2_iv(s, v.last_block, v.message_id), "hash_i": keys.hash_i(*common, v.id_i),
            "hash_r": keys.hash_r(*common, v.id_r)}


@output("phase1-signature")
def phase1_signature(v, dialect):
    key = load_der_private_key(v.key, None)
    with fixed.signatures():
        signature = sign.phase1_sign(key, v.auth, v.hash, dialect)
    sign.phase1_verify(load_der_public_key(v.public_key), v.auth, signature, v.hash, dialect)
    return {"signature": signature}


@output("encryption")
def encryption(v, dialect):
    name = n.CIPHER[v.cipher]
    sealed = suite.cbc_encrypt(name, v.key, v.iv, suite.pad(v.clear[28:], suite.BLOCK[name], dialect.pad))
    head = bytearray(v.clear[:28])
    head[19] |= n.F_ENCRYPTED
    head[24:28] = (28 + len(sealed)).to_bytes(4, "big")
    return {"message": bytes(head) + sealed, "next_iv": sealed[-suite.BLOCK[name]:]}


@output("hash")
def hash_value(v, _dialect):
    return {"value": keys.hash_n(v.number, n.HASH[v.hash], v.skeyid_a, v.message_id, v.rest, v.get("nonce_i", b""),
                                 v.get("nonce_r", b""))}


# ----------------------------------------------------------------------------- payloads

@output("group-id")
def group_id(v, dialect):
    if v.get("oid") is not None:
        name = values.oid(v.oid, dialect)
        data = bytes([len(name)]) + name + len(v.specific).to_bytes(2, "big") + v.specific
        return {"body": bytes([n.ID_OID, 0, 0, 0]) + data}
    return {"body": bytes([n.ID_KEY, 0, 0, 0]) + values.group_id(v.number, dialect)}


def _endpoint(e):
    return {"type": e.id_type, "port": e.port, "data": e.data}


_KEK_NAMES = {1: "management", 2: "algorithm", 3: "key_length", 4: "lifetime", 5: "sig_hash", 6: "sig_algorithm",
              7: "sig_key_length", 9: "ack"}
_SA_NAMES = {4: "encapsulation", 5: "authentication", 6: "key_length", 12: "authentication_length",
             13: "signature_encoding", 14: "address_preservation", 15: "direction"}


def _sat(t, dialect):
    sizes = {"cipher_key": t.cipher_len, "integrity_key": t.integrity_len, "counter": t.counter}
    if t.source_bits:
        sizes["source_key"] = True
    if t.protocol == n.T_IEC:
        out = {"protocol_id": 3, "spi": t.spi, "oid": values.oid(t.values["oid"], dialect),
               "specific": t.values["specific"], "auth": t.values["auth"], "enc": t.values["enc"],
               "lifetime": t.lifetime}
        return {**out, **{k: t.values[k] for k in ("atd", "kda") if t.values[k] is not None}, **sizes}
    out = {"protocol_id": t.protocol, "spi": t.spi, "protocol": t.values["protocol"], "src": _endpoint(t.values["src"]),
           "dst": _endpoint(t.values["dst"]), "transform": t.values["transform"], "life_s": t.lifetime}
    return {**out, **{name: t.values[k] for k, name in _SA_NAMES.items() if k in t.values}, **sizes}


@output("sa")
def sa(v, dialect):
    read = check_sa.sa(Reader(v.body), dialect, v.pull)
    out = {}
    if read.sak is not None:
        s = read.sak
        out["sak"] = {"protocol": s.protocol, "src": _endpoint(s.src), "dst": _endpoint(s.dst), "spi": s.spi,
                      **{_KEK_NAMES[k]: value for k, value in s.attributes.items()}}
    if read.gap is not None:
        out["gap"] = {{1: "atd", 2: "dtd"}[k]: value for k, value in read.gap.items()}
    return {**out, "sats": [_sat(t, dialect) for t in read.sats]}


def _packet(p):
    names = {n.KD_TEK: {1: "algorithm_key", 2: "integrity_key", 3: "source_auth_key"}, n.KD_KEK: {1: "algorithm_key", 2: "signature_key"},
             n.KD_LKH: {3: "signature_key"}, n.KD_SID: {}}[p.type]
    return {"type": p.type, "spi": p.spi, **{name: p.attributes[k] for k, name in names.items() if k in p.attributes}}


def _array(a):
    head = {"update": True, "lkh_id": a.lkh_id, "handle": a.handle} if a.update else {"update": False}
    return {**head, "keys": [{"lkh_id": k.lkh_id, "type": k.key_type, "created": k.created, "expires": k.expires,
                              "handle": k.handle, "data": k.data} for k in a.keys]}


@output("kd")
def kd(v, dialect):
    read = check_kd.kd(Reader(v.body), dialect, v.push)
    out = {"packets": [_packet(p) for p in read.packets],
           "arrays": [_array(a) for p in read.packets for a in p.arrays]}
    sid = read.one(n.KD_SID)
    if sid is not None:
        out.update(sid_bits=sid.attributes[1], sids=[values.sid_value(o, dialect) for o in sid.attributes[2]])
    return out


@output("lkh-wrap")
def lkh_wrap(v, dialect):
    block = 16 if v.key_type == 3 else 8
    under, key = (lkh.Key(1, 1, v.key_type, o[:block], o[block:]) for o in (v.under, v.key))
    data = lkh.wrap(under, key, dialect)
    assert lkh.unwrap(under, data, len(key.key), dialect) == (key.iv, key.key)
    return {"data": data}


class _Public:
    """Half a key is enough to encode it."""

    def __init__(self, public):
        self.public = public

    def public_key(self):
        return self.public


@output("signature-key")
def signature_key(v, dialect):
    key = load_der_public_key(v.public_key)
    value = sign.encode_key(_Public(key), dialect.sig_key_format, v.certificate)
    assert sign.decode_key(value, v.sig).public_numbers() == key.public_numbers()
    return {"value": value}


# ------------------------------------------------------------------------------ messages

@output("push")
def push_message(v, dialect):
    key = load_der_private_key(v.key, None)
    kek = push.Kek(v.spi, v.algorithm, v.kek, v.kek_iv, v.sig, v.sig_hash, load_der_public_key(v.public_key),
                   v.get("before", b""))
    reader = push.Kek(*(getattr(kek, f) for f in ("spi", "algorithm", "key", "iv", "sig", "sig_hash", "public_key",
                                                  "last_block")))
    with fixed.signatures():
        message = push.seal(kek, key, v.payloads, dialect, lambda size: v.random)
    plaintext, _ = push.unseal(reader, message, dialect)
    size = int.from_bytes(plaintext[len(v.payloads) + 2:len(v.payloads) + 4], "big")
    signature = plaintext[len(v.payloads) + 4:len(v.payloads) + size]
    push.verify(reader, message, v.payloads, size, signature, dialect)
    return {"covered": push.covered(message[:28], 28 + len(v.payloads) + size, v.payloads, dialect), "message": message}


@output("ack")
def acknowledgement(v, dialect):
    key = ack.ack_key(v.type, v.base_key, v.spi, dialect)
    message = ack.build(v.type, v.base_key, v.spi, v.sequence, v.id_type, v.id, dialect)
    return {"ack_key": key, "hash": check.message(message).parts[0].value, "message": message}


# ------------------------------------------------------------------------------- verdicts

def _header(octets, dialect):
    check.message(octets, dialect)


def _body(kind, exchange):
    def judge(octets, dialect):
        head = check.Header(b"", b"", kind, exchange, 1, 1, 0, b"")
        check._read(kind, Reader(octets), head, dialect)
    return judge


def _kd(push_):
    return _body(n.P_KD, n.X_PUSH if push_ else n.X_PULL)


def _identity(octets, dialect):
    _body(n.P_ID, n.X_PULL)(octets, dialect)
    if octets[0] not in (n.ID_KEY, n.ID_OID):
        raise Refusal("RFC2408-5.8-01", "ID Type", "of no group")


JUDGES = {"header": _header, "id": _identity, "sa-pull": _body(n.P_SA, n.X_PULL), "sa-push": _body(n.P_SA, n.X_PUSH),
          "kd-pull": _kd(False), "kd-push": _kd(True), "gap": _body(n.P_GAP, n.X_PULL),
          "phase1-sa": _body(n.P_SA, n.X_MAIN)}


@output("verdict")
def verdict(v, dialect):
    try:
        JUDGES[v.what](v.octets, dialect)
        return {"accepted": True}
    except Refusal as e:
        return {"accepted": False, "req": e.req, "field": e.field}


# ------------------------------------------------------------------------------- sessions

@output("session")
def session(v, dialect):
    r = recorded.Reader(v.get("psk"), v.exponents, dialect)
    found = [r.read(m) for m in v.messages]
    return {"plaintexts": [f.message.clear[28:] for f in found],
            "keks": [{"spi": k.spi, "iv": k.iv, "key": k.key} for k in r.keks.values()],
            "teks": [{"spi": spi, "cipher": a.get(1, b""), "integrity": a.get(2, b"")} for spi, a in r.teks.items()],
            "acks": [f["ack"] for f in found if f.ack]}


__all__ = ["OUTPUT", "isakmp"]


# ------------------------------------------------------------------------------- policy

@output("choice")
def choice(v, _dialect):
    proposals = v.get("phase1")
    able = gdoi_token.Able(
        group=v.get("group"), names=(identity.Identity(1, v.self),) if v.get("self") else (), legacy=v.legacy,
        phase1=None if proposals is None else tuple(
            (n.X_MAIN, p["auth"], p["cipher"], p.get("key_bits"), p["hash"], p["group"]) for p in proposals),
        signer=load_der_private_key(v.signer, None).public_key() if v.get("signer") else None)
    try:
        made = gdoi_token.GroupPolicy.of(token.check(v.token), able)
    except gdoi_token.PolicyError:
        return {"runs": False}
    found = {"registration": made.chosen, "rekey": made.rekey_chosen}
    return {"runs": True, **{k: x for k, x in found.items() if x is not None}}
