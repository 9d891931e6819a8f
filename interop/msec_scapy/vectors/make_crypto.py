# SPDX-License-Identifier: BSD-2-Clause
"""crypto.json and sealed.json: secrets, keys, nonces, signatures; what is encrypted."""
from .. import crypto
from .. import registry as reg
from . import fixed
from .compute import OUTPUT, kex
from .recipe import Book
from .store import Vector

CREATIONS = ((2, "modp1024", 40), (14, "modp2048", 40), (49153, "p256", 32), (49154, "x25519", 32),
             (49155, "modp2048-hkdf", 40))
CIPHERS = ((3, "3des"), (12, "aes-cbc-128"), (13, "aes-ctr"), (49153, "aes-cbc-256"),
           (49154, "aes-gcm-128"), (49155, "aes-gcm-256"))
HASHES = ((1, "sha1"), (49153, "sha256"), (49154, "sha384"))


def private_value(create_type, label, size):
    octets = bytearray(fixed.octets(f"private {label}", size))
    octets[0] = octets[0] | 0x80 if size > 32 else octets[0] & 0x7F
    if size > 32:
        octets[size - 32] |= 0x80  # what this implementation sets in a value that it draws
    if create_type == crypto.C_X25519:
        octets[0], octets[31] = octets[0] & 248, octets[31] & 127 | 64
    return bytes(octets)


def _short_public(create_type):
    """A private value whose public value starts with a zero octet."""
    for n in range(10000):
        private = private_value(create_type, f"short {create_type} {n}", 40)
        if kex(create_type, private).public()[0] == 0:
            return private
    raise AssertionError("unlucky labels")


def _secret(size):
    """Two zero octets in front, so that it shows whether they are counted."""
    return bytes(2) + fixed.octets(f"secret {size}", size - 2)


def kek_input(create_type=2, key_type=12):
    size = {2: 128, 14: 256, 49155: 256}.get(create_type, 32)
    return {"key_creation": create_type, "key_type": key_type, "secret": _secret(size),
            "nonce_i": fixed.octets("nonce i", 16), "nonce_r": fixed.octets("nonce r", 9),
            "nonce_c": fixed.octets("nonce c", 20), "group_id": fixed.GROUP_ID}


def secrets(book):
    for number, label, size in CREATIONS:
        book.add("exchange", label, f"Key creation type {number}", "RFC4535-7.11.1-03", {
            "key_creation": number, "private_i": private_value(number, f"{label} i", size),
            "private_r": private_value(number, f"{label} r", size)})
    book.readings("dh_pub_pad", "exchange", "A public value with a zero octet in front",
                  "RFC4535-7.11.1-03", {
                      "key_creation": 2, "private_i": _short_public(2),
                      "private_r": private_value(2, "modp1024 r", 40)})
    for number, label, _ in CREATIONS:
        for cipher, text in CIPHERS:
            if number < 49153 and cipher >= 49153:
                continue  # Table 26 and private ciphers: nothing new
            book.add("kek", f"{label}/{text}", f"{label} for {text}", "RFC4535-7.11.1-04",
                     kek_input(number, cipher))
    for bits in ("low_be", "high_be", "low_le"):
        book.readings("dh_secret_pad", "kek", f"A secret with zero octets in front, {bits}",
                      "RFC4535-7.11.1-04", kek_input(), f"dh_secret_pad-{bits}",
                      {"kek_bits": bits} if bits != "low_be" else None)
    book.readings("kek_bits", "kek", "Which bits of g^xy", "RFC4535-7.11.1-04", kek_input(14, 3))
    for number, text in HASHES:
        book.readings("nonce_c", "nonce-c", f"What {text} is taken of", "RFC4535-7.12.1-03", {
            "nonce_hash": number, "nonce_i": b"initiator", "nonce_r": b"responder",
            "next_payload_i": 8, "next_payload_r": 12}, f"{text}")


def _sign(book, label, sig_type, kind, dialect=None, shows=()):
    key = fixed.key(kind, "signatures")
    data = b"What is signed, whatever it says."
    deterministic = kind in ("rsa", "ed25519") or (kind == "rsa1024" and not dialect)
    book.add("signature", label, f"Signature type {sig_type}, {label}", "RFC4535-7.8.1-04", {
        "sig_type": sig_type, "key": fixed.private(key), "public_key": fixed.public(key),
        "data": data, "deterministic": deterministic}, dialect, shows)


def signatures(book):
    for sig_type, kind, label in ((0, "dsa", "dss-sha1"), (1, "rsa1024", "rsa1024-md5"),
                                  (2, "p384", "ecdsa-p384-sha3"), (49153, "rsa", "rsa-sha256"),
                                  (49154, "p256", "ecdsa-p256-sha256"),
                                  (49155, "p384", "ecdsa-p384-sha384"), (49156, "ed25519", "ed25519")):
        _sign(book, label, sig_type, kind)
    for switch, sig_type, kind in (("dsa_enc", 0, "dsa"), ("ecdsa_hash", 2, "p384"),
                                   ("ecdsa_enc", 2, "p384"), ("rsa_scheme", 1, "rsa1024")):
        values = crypto.STRICT.choices()[switch]
        for value in values:
            _sign(book, f"{switch}/{value}", sig_type, kind,
                  {switch: value} if value != values[0] else None, [f"{switch}={value}"])


# ------------------------------------------------------------------- sealed

KEY = {"key_type": 12, "key_id": "4b455931", "handle": "11111110", "created": "20260601120000Z",
       "expires": "20260701120000Z", "key": fixed.octets("a traffic key", 16).hex()}


def key(label, key_id, handle, key_type=12, at="20260601120000Z"):
    size = {3: 24, 12: 16, 13: 20, 49153: 32, 49154: 16, 49155: 32}[key_type]
    return {"key_type": key_type, "key_id": key_id.to_bytes(4, "big") if isinstance(key_id, int) else key_id,
            "handle": handle.to_bytes(4, "big"), "created": at, "expires": "20260701120000Z",
            "key": fixed.octets(f"key {label}", size)}


def plaintext(kind, given):
    """The octets of a structure vector, as input of another one."""
    from .store import plain
    v = Vector({"id": "", "kind": kind, "in": plain(given), "out": {}})
    return next(iter(OUTPUT[kind](v.given, v.dialect).values()))


def _download():
    return plaintext("key-download", {
        "gtpk": [key("gtpk", b"KEY1", 0x11111110)], "member_id": b"\0\0\0\x01",
        "kek": [key(f"node {n}", n, 0x11111110 + n) for n in (8, 4, 2)]})


def _aligned():
    """A token and a Key Download that need no padding: 32 and 128 octets."""
    return b"\x30\x1e\x04\x1cA token of thirty-two octets", plaintext("key-download", {
        "gtpk": [key("gtpk", b"KEY1", 0x11111110), key("gtpk b", b"KEY2", 0x11111111, reg.K_3DES)]})


def _registration(cipher, dialect=None, token=b"\x30\x19\x04\x17 a token, or not quite.", keys=None):
    dialect = dialect or {}
    alg, how = crypto.algorithm(cipher), dialect.get("iv_keydl", "prefix")
    drawn = alg.mode == "gcm" or how in ("prefix", "suffix")
    size = alg.iv if drawn else 0
    first = alg.iv if drawn or how == "chain_prefix" else 0
    return {**kek_input(2 if cipher < 49153 else 49153, cipher), "token_type": 1, "token": token,
            "key_download": _download() if keys is None else keys,
            "iv_token": fixed.octets("iv token", first), "iv_keys": fixed.octets("iv keys", size)}


def registrations(book):
    req = ("RFC4535-7.3.1-03", "RFC4535-7.4.1-08", "RFC4535-6.2-03")
    for cipher, text in CIPHERS:
        book.add("registration", text, f"Token and keys under {text}", req, _registration(cipher))
    book.readings("iv_keydl", "registration", "Where the IV is", req,
                  lambda value: _registration(12, {"iv_keydl": value}))
    for cipher, text in CIPHERS[:2]:
        book.readings("pad", "registration", f"How {text} is filled up", req,
                      lambda value, c=cipher: _registration(
                          c, None, _aligned()[0], _aligned()[1] if value == "none" else None),
                      f"pad-{text}")
    book.readings("aes_ctr_key", "registration", "What an AES_CTR key is", req,
                  lambda value: _registration(13))


def _rekey(cipher, dialect=None):
    alg, how = crypto.algorithm(cipher), (dialect or {}).get("iv_rekey", "prefix")
    drawn = alg.mode == "gcm" or how in ("prefix", "suffix")
    return {"key_type": cipher, "wrapping_key_id": b"\0\0\0\x0c", "wrapping_handle": b"\x0d\x0e\x0f\x10",
            "wrapping_key": fixed.octets("wrapping", alg.key),
            "packages": plaintext("key-packages", {"packages": [
                {"type": 0, "key": key("gtpk 2", b"KEY1", 0x22222220)},
                {"type": 1, "key": key("node 3", 3, 0x22222223)},
                {"type": 1, "key": key("node 6", 6, 0x22222226)}]}),
            "iv": fixed.octets("iv rekey", alg.iv if drawn else 0)}


def rekeys(book):
    req = ("RFC4535-7.5.1.2-02", "RFC4535-7.5.1.2-03")
    for cipher, text in CIPHERS:
        book.add("rekey-data", text, f"Key Packages under {text}", req, _rekey(cipher))
    book.readings("iv_rekey", "rekey-data", "Where the IV is", req,
                  lambda value: _rekey(12, {"iv_rekey": value}))
    for switch, about in (("pkt_len", "What Packet Length counts"),
                          ("red_scope", "Is the number of packages encrypted"),
                          ("wrap_width", "How wide Wrapping KeyID is")):
        def given(value, switch=switch):
            made = _rekey(12)
            if switch == "wrap_width":
                made["wrapping_key_id"] = b"\0\0\0\x0c"[-int(value):]
            return made
        book.readings(switch, "rekey-data", about, req, given)
    for switch in ("red_scope", "wrap_width"):
        for value in crypto.STRICT.choices()[switch][1:]:
            made = _rekey(49154)
            if switch == "wrap_width":
                made["wrapping_key_id"] = made["wrapping_key_id"][-int(value):]
            book.add("rekey-data", f"{switch}/{value}/aes-gcm-128", f"{switch} {value}, with associated data",
                     req, made, {switch: value})
    given = {"old": key("gtpk", b"KEY1", 0x11111110), "new": key("gtpk 2", b"KEY1", 0x22222220),
             "token_type": 1, "token": b"\x30\x19\x04\x17 a token, or not quite.",
             "iv": fixed.octets("iv rekey token", 16)}
    given["old"] = {k: given["old"][k] for k in ("key_type", "key_id", "handle", "key")}
    given["new"] = {k: given["new"][k] for k in ("key_type", "key_id", "handle", "key")}
    book.readings("pt_rekey_key", "rekey-token", "Which traffic key seals the token",
                  "RFC4535-5.3.1.1-05", given)
    for how in crypto.STRICT.choices()["iv_rekey"]:
        drawn = how in ("prefix", "suffix")
        book.add("rekey-token", f"iv_rekey/{how}", f"The IV of the token: iv_rekey {how}",
                 "RFC4535-5.3.1.1-05", {**given, "iv": given["iv"] if drawn else b""},
                 {"iv_rekey": how} if how != "prefix" else None)


def structures(book):
    book.add("key-download", "a.3.1", "The example of appendix A.3.1: the keys of MemberID 1, root to leaf",
             ("RFC4535-A.3.1-01", "RFC4535-7.4.1-05"), {
                 "gtpk": [key("3des gtpk", b"KEY1", 0x11111110, reg.K_3DES)],
                 "member_id": b"\0\0\0\x01",
                 "kek": [key(f"3des node {n}", n, 0x11111110 + n, reg.K_3DES) for n in (2, 4, 8)]})
    book.add("key-download", "gtpk-only", "A traffic key and no tree", "RFC4535-7.4.1-03",
             {"gtpk": [key("gtpk", b"KEY1", 0x11111110)]})
    book.add("key-download", "two-gtpks", "Two traffic keys of different types", "RFC4535-7.4.1-03",
             {"gtpk": [key("gtpk", b"KEY1", 0x11111110), key("gtpk b", b"KEY2", 0x11111111, reg.K_3DES)]})
    book.add("key-packages", "a.3.2", "Packet (b) of the example of appendix A.3.2: GTPK, 3' and 6'",
             ("RFC4535-A.3.2-01", "RFC4535-7.5.1.2.1-01"), {"packages": [
                 {"type": 0, "key": key("3des gtpk 2", b"KEY1", 0x22222220, reg.K_3DES)},
                 {"type": 1, "key": key("3des node 3", 3, 0x22222223, reg.K_3DES)},
                 {"type": 1, "key": key("3des node 6", 6, 0x22222226, reg.K_3DES)}]})
    book.readings("keypkg_lkh_body", "key-packages", "The body of a package of type LKH",
                  "RFC4535-7.5.1.2.1-01", {"packages": [
                      {"type": 0, "key": key("gtpk 2", b"KEY1", 0x22222220)},
                      {"type": 1, "key": key("node 3", 3, 0x22222223)}]})


def keys_verdicts(book):
    """Key Downloads that are wrong in one way."""
    gtpk = key("gtpk", b"KEY1", 0x11111110)
    good = _download()
    one = plaintext("key-download", {"gtpk": [gtpk]})
    datum = one[5:]
    now = 1780315200  # 2026-06-01

    def changed(at, new):
        return one[:at] + new + one[at + len(new):]

    def dated(created, expires):
        return changed(15, created + expires)
    for label, about, req, octets in (
            ("good", "nothing is wrong with this", "7.4.1-03", good),
            ("good/gtpk", "nor with this", "7.4.1-03", one),
            ("cut", "the last octet is missing", "7.4.2-06", good[:-1]),
            ("trailing", "an octet behind the last item", "7.4.2-06", good + b"\x01"),
            ("count-more", "one item more is announced", "7.4.2-06", b"\0\2" + one[2:]),
            ("count-fewer", "one item less is announced", "7.4.2-06", b"\0\1" + good[2:]),
            ("item-length", "Key Download Data Item Length is one too small", "7.4.2-06",
             one[:3] + (len(datum) - 1).to_bytes(2, "big") + one[5:]),
            ("item-type", "KDD Item Type 2", "7.4.2-03", changed(2, b"\2")),
            ("key-type", "Key Type 11, reserved", "7.4.2-04", changed(5, b"\0\x0b")),
            ("key-type-private", "a private Key Type without its Vendor ID", "7.4.2-04", changed(5, b"\xc0\x02")),
            ("created", "a Key Creation Date on 31 June", "7.4.1.1-05", dated(b"20260631000000Z", b"20260701120000Z")),
            ("expires", "a Key Expiration Date in month 0", "7.4.1.1-05", dated(b"20260601120000Z", b"20260001120000Z")),
            ("expired", "a key that has expired", "7.4.2-05", dated(b"20260101120000Z", b"20260601115959Z")),
            ("expires-now", "a key that expires in this second", "7.4.2-05", dated(b"20260101120000Z", b"20260601120000Z")),
            ("rekey-version", "Rekey Version Number 2", "A.2-01", good.replace(
                b"\x01\0\0\0\x01\0\x03", b"\x02\0\0\0\x01\0\x03", 1))):
        book.add("keys-verdict", label, about, f"RFC4535-{req}", {"key_download": octets, "now": now})


def books():
    crypto_book = Book("crypto", "Key creation, KEKs, nonces, signatures.")
    secrets(crypto_book)
    signatures(crypto_book)
    sealed = Book("sealed", "Key structures, and what is encrypted: Policy Token, Key Download, Rekey Event Data.")
    structures(sealed)
    keys_verdicts(sealed)
    registrations(sealed)
    rekeys(sealed)
    return [crypto_book, sealed]
