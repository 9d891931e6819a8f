# SPDX-License-Identifier: BSD-2-Clause
"""Known answers from the documents that RFC 4535 leans on, and the dialects of a KEK."""
import hashlib
import hmac
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from hypothesis import given, settings
from hypothesis import strategies as st

from msec_scapy import crypto
from msec_scapy import registry as reg
from msec_scapy.dialect import Dialect
from msec_scapy.testing.authority import new_key

settings.register_profile("msec", derandomize=True, database=None, deadline=None)
settings.load_profile("msec")
X = bytes.fromhex


@pytest.mark.req("RFC4535-6.2-06", "RFC4535-7.11.1-02", "RFC4535-7.11.1-03")
def test_modp_primes():
    """Computed from pi; here the first and last octets as printed, and primality by openssl."""
    p = crypto.MODP[2].to_bytes(128, "big").hex()
    assert p.startswith("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1")
    assert p.endswith("49286651ece65381ffffffffffffffff")
    q = crypto.MODP[14].to_bytes(256, "big").hex()
    assert q.endswith("15728e5a8aacaa68ffffffffffffffff")
    for number in (p, q):
        said = subprocess.run(["openssl", "prime", "-hex", number], capture_output=True,
                              text=True, check=True).stdout
        assert "is prime" in said


def test_ecdh_p256_of_rfc5903():
    i = crypto.KeyExchange(crypto.C_P256, int(
        "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433", 16))
    r = crypto.KeyExchange(crypto.C_P256, int(
        "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53", 16))
    assert i.public() == X(
        "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
        "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3")
    shared = X("D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE")
    assert i.secret(r.public()) == shared == r.secret(i.public())


@pytest.mark.parametrize("kind", crypto.PUBLIC_LEN)
def test_both_sides_of_an_exchange_agree(kind):
    a, b = crypto.KeyExchange(kind), crypto.KeyExchange(kind)
    assert a.secret(b.public()) == b.secret(a.public())
    assert len(a.public()) == crypto.PUBLIC_LEN[kind]


@pytest.mark.req("RFC4535-7.11.2-03")
@pytest.mark.parametrize("kind", (2, 14, 49155))
def test_degenerate_modp_values(kind):
    p, size = crypto.MODP[kind], crypto.PUBLIC_LEN[kind]
    for value in (0, 1, p - 1, p, p + 1, 2**(8 * size) - 1):
        with pytest.raises(crypto.CryptoError):
            crypto.KeyExchange(kind).secret(value.to_bytes(size, "big"))
    for octets in (b"", bytes(size) + b"\x02"):
        with pytest.raises(crypto.CryptoError):
            crypto.check_public(kind, octets)
    crypto.check_public(kind, b"\x02")  # a peer that strips zeros


def test_degenerate_curve_values():
    with pytest.raises(crypto.CryptoError, match="not on P-256"):
        crypto.KeyExchange(crypto.C_P256).secret(bytes(31) + b"\1" + bytes(31) + b"\1")
    with pytest.raises(crypto.CryptoError):
        crypto.KeyExchange(crypto.C_X25519).secret(bytes(32))


# --------------------------------------------------------------------- the KEK

SECRET = bytes(range(128))


@pytest.mark.req("RFC4535-7.11.1-04")
@pytest.mark.parametrize("reading,want", [
    ("low_be", SECRET[112:]), ("high_be", SECRET[:16]), ("low_le", SECRET[::-1][:16])])
def test_which_bits_become_the_kek(reading, want):
    assert crypto.kek(2, SECRET, 12, dialect=Dialect(kek_bits=reading)) == want


def test_low_order_bits_are_arithmetic():
    """The default reading is g^xy mod 2^128, whatever the padding."""
    number = int.from_bytes(SECRET, "big")
    want = (number % 2**128).to_bytes(16, "big")
    for pad in ("fixed", "stripped"):
        assert crypto.kek(2, SECRET, 12, dialect=Dialect(dh_secret_pad=pad)) == want


def test_stripping_matters_to_the_high_bits():
    secret = b"\0" + SECRET[1:]
    high = Dialect(kek_bits="high_be")
    assert crypto.kek(2, secret, 12, dialect=high)[0] == 0
    stripped = Dialect(kek_bits="high_be", dh_secret_pad="stripped")
    assert crypto.kek(2, secret, 12, dialect=stripped) == SECRET[1:17]


def test_kek_by_hkdf():
    """RFC 5869 by hand: extract, one round of expand."""
    ni, nr, gid, secret = b"i" * 32, b"r" * 32, b"group", b"s" * 32
    prk = hmac.digest(ni + nr, secret, "sha256")
    want = hmac.digest(prk, b"GSAKMP KEK" + gid + b"\x01", "sha256")
    for kind in (49153, 49154, 49155):
        assert crypto.kek(kind, secret, reg.K_GCM_128, gid, ni, nr) == want[:16]
        assert crypto.kek(kind, secret, reg.K_GCM_256, gid, ni, nr) == want


def test_kek_by_hkdf_without_nonces():
    prk = hmac.digest(bytes(32), b"s" * 32, "sha256")
    want = hmac.digest(prk, b"GSAKMP KEKgroup\x01", "sha256")[:16]
    assert crypto.kek(49153, b"s" * 32, reg.K_GCM_128, b"group") == want


@pytest.mark.req("RFC4535-7.12.1-03", "RFC4535-6.2-05", "RFC4535-7.9.1.3-03")
def test_combined_nonce():
    i, r = b"initiator!", b"responder!!"
    assert crypto.nonce_c(1, i, r) == hashlib.sha1(i + r).digest()
    assert crypto.nonce_c(49153, i, r) == hashlib.sha256(i + r).digest()
    assert crypto.nonce_c(49154, i, r) == hashlib.sha384(i + r).digest()
    payloads = (b"\x08\0\0\x0f\x01" + i, b"\x0c\0\0\x10\x02" + r)  # as transmitted
    assert crypto.nonce_c(1, i, r, Dialect(nonce_c="payload"), payloads) == hashlib.sha1(
        payloads[0] + payloads[1]).digest()
    want = {"data_rev": r + i, "type_data": b"\x01" + i + b"\x02" + r}
    for reading, text in want.items():
        assert crypto.nonce_c(1, i, r, Dialect(nonce_c=reading)) == hashlib.sha1(text).digest()
    with pytest.raises(crypto.CryptoError):
        crypto.nonce_c(2, i, r)


# --------------------------------------------------------------------- ciphers

@pytest.mark.req("RFC4535-6.2-03", "RFC4535-7.4.1.1-02")
def test_aes_cbc_of_rfc3602():
    key, iv = X("c286696d887c9aa0611bbb3e2025a45a"), X("562e17996d093d28ddb3ba695a2e6f58")
    out = crypto.encrypt(12, key, iv, bytes(range(32)), how="none")
    assert out == X("d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1")
    assert crypto.decrypt(12, key, iv, out, how="none") == bytes(range(32))


def test_aes_ctr_of_rfc3686():
    key = X("7E24067817FAE0D743D6CE1F32539163" "006CB6DB")
    out = crypto.encrypt(13, key, X("C0543B59DA48D90B"), bytes(range(32)))
    assert out == X("5104A106168A72D9790D41EE8EDAD388EB2E1EFC46DA57C8FCE630DF9141BE28")


@pytest.mark.parametrize("size", (17, 31, 32, 47, 48, 64))
def test_ciphertext_stealing_cs3(size):
    """The RFC 3962 vectors: key and text of the Kerberos document."""
    key = b"chicken teriyaki"
    text = (b"I would like the General Gau's Chicken, please, and wonton soup.")[:size]
    want = {17: "c6353568f2bf8cb4d8a580362da7ff7f97",
            31: "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
            32: "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
            47: "97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e"
                "39312523a78662d5be7fcbcc98ebf5",
            48: "97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd8"
                "39312523a78662d5be7fcbcc98ebf5a8",
            64: "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a8"
                "4807efe836ee89a526730dbc2f7bc8409dad8bbb96c4cdc03bc103e1a194bbd8"}[size]
    assert crypto.encrypt(12, key, bytes(16), text, how="cts3") == X(want)


@given(st.binary(min_size=16, max_size=80), st.sampled_from(("cts1", "cts2", "cts3")),
       st.sampled_from((3, 12, 49153)))
def test_ciphertext_stealing_comes_back(plain, how, kind):
    alg = crypto.algorithm(kind)
    key, iv = bytes(range(alg.key)), bytes(range(alg.iv))
    out = crypto.encrypt(kind, key, iv, plain, how=how)
    assert len(out) == len(plain) and crypto.decrypt(kind, key, iv, out, how=how) == plain


def test_ciphertext_stealing_orders():
    key, iv, text = bytes(16), bytes(16), bytes(range(40))
    one, two, three = (crypto.encrypt(12, key, iv, text, how=f"cts{n}") for n in (1, 2, 3))
    assert two == three and one[:16] == two[:16] and one[16:24] == two[32:]
    whole = [crypto.encrypt(12, key, iv, bytes(32), how=f"cts{n}") for n in (1, 2, 3)]
    assert whole[0] == whole[1] and whole[2] == whole[0][16:] + whole[0][:16]


@pytest.mark.parametrize("how,want", [
    ("pkcs7", "6162630505050505"), ("pkcs7_ifneeded", "6162630505050505"),
    ("zero", "6162630000000000"), ("iso7816", "6162638000000000"), ("x923", "6162630000000005"),
    ("ike", "6162630000000004"), ("esp", "6162630102030404")])
def test_padding_by_hand(how, want):
    assert crypto.pad(b"abc", 8, how) == X(want)


@given(st.binary(max_size=40), st.sampled_from(("pkcs7", "iso7816", "x923", "ike", "esp")),
       st.sampled_from((8, 16)))
def test_padding_comes_off(plain, how, block):
    padded = crypto.pad(plain, block, how)
    assert len(padded) % block == 0 and 0 < len(padded) - len(plain) <= block
    assert crypto.unpad(padded, block, how) == plain


@pytest.mark.parametrize("how,bad", [
    ("pkcs7", "61626300000000ff"), ("pkcs7", "6162630505050405"), ("pkcs7", "6162630505050500"),
    ("pkcs7", ""), ("x923", "6162630000010005"), ("iso7816", "6162630000000000"),
    ("esp", "6162630102030304"), ("ike", "61626300000000ff")])
def test_wrong_padding_is_refused(how, bad):
    with pytest.raises(crypto.CryptoError):
        crypto.unpad(X(bad), 8, how)


@pytest.mark.parametrize("kind", (3, 12, 13, 49153, 49154, 49155))
def test_wrong_key_or_text_never_comes_back(kind):
    alg = crypto.algorithm(kind)
    key = bytes(range(crypto.key_len(kind)))
    out = crypto.encrypt(kind, key, bytes(alg.iv), b"secret" * 9, b"aad")
    assert crypto.decrypt(kind, key, bytes(alg.iv), out, b"aad") == b"secret" * 9
    if alg.mode == "gcm":
        for other in (b"aae", b""):
            with pytest.raises(crypto.CryptoError):
                crypto.decrypt(kind, key, bytes(alg.iv), out, other)
    if alg.mode != "ctr":
        with pytest.raises(crypto.CryptoError):
            crypto.decrypt(kind, key, bytes(alg.iv), out[:-1], b"aad")


# ------------------------------------------------------------------ signatures

KEYS = {0: "dsa", 1: "rsa1024", 2: "p384", 49153: "rsa", 49154: "ec", 49155: "p384",
        49156: "ed25519"}


@pytest.mark.req("RFC4535-7.8.1-03", "RFC4535-6.2-07", "RFC4535-7.8.1-04")
@pytest.mark.parametrize("kind", KEYS)
def test_signatures(kind):
    key, other = new_key(KEYS[kind]), new_key(KEYS[kind])
    made = crypto.sign(key, kind, b"message")
    crypto.verify(key.public_key(), kind, b"message", made)
    for public, text, octets in ((key.public_key(), b"massage", made),
                                 (other.public_key(), b"message", made),
                                 (key.public_key(), b"message", made[:-1])):
        with pytest.raises(crypto.CryptoError):
            crypto.verify(public, kind, text, octets)


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_signs_only_its_own_type(kind):
    wrong = new_key("ed25519" if kind != 49156 else "ec")
    with pytest.raises(crypto.CryptoError, match="does not fit"):
        crypto.sign(wrong, kind, b"message")
    with pytest.raises(crypto.CryptoError, match="unknown"):
        crypto.sign(wrong, 3, b"message")


def test_short_rsa_keys_are_refused():
    with pytest.raises(crypto.CryptoError, match="2048"):
        crypto.sign(new_key("rsa1024"), 49153, b"message")


@pytest.mark.parametrize("change,kind,size", [
    ({"dsa_enc": "raw"}, 0, 40), ({"ecdsa_enc": "raw"}, 2, 96), ({"rsa_scheme": "pss"}, 1, 128)])
def test_signature_encodings(change, kind, size):
    key, d = new_key(KEYS[kind]), Dialect(**change)
    made = crypto.sign(key, kind, b"message", d)
    assert len(made) == size
    crypto.verify(key.public_key(), kind, b"message", made, d)
    with pytest.raises(crypto.CryptoError):
        crypto.verify(key.public_key(), kind, b"message", made)


@pytest.mark.parametrize("digest", Dialect.choices()["ecdsa_hash"])
def test_ecdsa_hashes(digest):
    key, d = new_key("p384"), Dialect(ecdsa_hash=digest)
    made = crypto.sign(key, 2, b"message", d)
    crypto.verify(key.public_key(), 2, b"message", made, d)
    if digest != "sha384":
        with pytest.raises(crypto.CryptoError):
            crypto.verify(key.public_key(), 2, b"message", made)


def test_signed_by_openssl(tmp_path):
    """The default scheme of Suite 1 as another program makes it."""
    key = new_key("dsa")
    assert isinstance(key, dsa.DSAPrivateKey)
    from cryptography.hazmat.primitives import serialization as s
    (tmp_path / "k.pem").write_bytes(key.private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    (tmp_path / "m").write_bytes(b"message")
    made = subprocess.run(["openssl", "dgst", "-sha1", "-sign", tmp_path / "k.pem",
                           tmp_path / "m"], capture_output=True, check=True).stdout
    crypto.verify(key.public_key(), 0, b"message", made)
