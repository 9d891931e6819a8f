# SPDX-License-Identifier: BSD-2-Clause
"""crypto.json: phase 1, HASH payloads, PUSH, LKH, acknowledgements."""
from .. import isakmp
from .. import numbers as n
from ..group import KD, SEQ, KeyPacket
from ..isakmp import tlv
from ..phase1 import Identity, transform
from ..suite import BLOCK, KEY_LEN, DiffieHellman, Suite
from . import fixed
from .store import Book

AUTH_KEY = {3: "rsa", 9: "p256", 10: "p384", 11: "p521"}
SIG_KEY = {1: "rsa", 2: "dsa", 3: "p256", 4: "p256", 5: "p384", 6: "p521"}


def _octets(label, size):
    return fixed.octets("gdoi " + label, size)


def phase1_input(label, **how):
    s = Suite(**{"group": 19, **how})
    sizes = {"private_i": 0, "private_r": 0}
    for side in sizes:
        dh = DiffieHellman(s.group, random=lambda size, side=side: _octets(f"{label} {side}", min(size, 40)).rjust(size, b"\0"))
        sizes[side] = dh.private()
    sa = isakmp.SA(proposals=[isakmp.Proposal(transforms=[transform(1, s)])])
    return {
        "cipher": s.cipher, "key_bits": 8 * s.key_octets, "hash": s.hash, "auth": s.auth, "group": s.group,
        **({"psk": _octets(f"{label} psk", 20)} if s.auth == 1 else {}), **sizes,
        "nonce_i": _octets(f"{label} nonce i", 16), "nonce_r": _octets(f"{label} nonce r", 24),
        "cookie_i": _octets(f"{label} cookie i", 8), "cookie_r": _octets(f"{label} cookie r", 8),
        "sa_i": sa.body(), "id_i": b"\1\0\0\0" + bytes([10, 0, 0, 10]), "id_r": b"\2\x11\3\x50gcks.example",
        "last_block": _octets(f"{label} block", s.block), "message_id": 0x1234abcd,
    }


def _phase1(book):
    for group in (1, 2, 5, 14, 15, 16, 17, 18, 19, 20, 21):
        book.add("phase1", f"group-{group}", f"Group {group}", ["RFC2409-5-26", "RFC2409-5-23"],
                 phase1_input(f"group {group}", group=group))
    for hash_ in n.HASH:
        for cipher, bits in ((1, 64), (5, 192), (7, 128), (7, 192), (7, 256)):
            label = f"{n.HASH[hash_]}/{n.CIPHER[cipher]}-{bits}"
            book.add("phase1", label, f"{n.HASH[hash_]}, {n.CIPHER[cipher]} with a key of {bits} bits",
                     ["RFC2409-B-02", "RFC2409-B-03", "RFC2409-B-07"],
                     phase1_input(label, hash=hash_, cipher=cipher, key_bits=bits if cipher == 7 else 128))
    book.add("phase1", "rsa", "SKEYID with signatures", "RFC2409-5-21", phase1_input("rsa", auth=3))
    for auth in (9, 10, 11):
        book.readings("p1_ecdsa_prf", "phase1", f"HASH_I and HASH_R, {n.AUTH[auth]} with SHA-1 negotiated",
                      "RFC2409-5.1-04", phase1_input(f"ecdsa {auth}", auth=auth, hash=2), f"p1_ecdsa_prf/{n.AUTH[auth]}")


def _signatures(book):
    for auth, kind in AUTH_KEY.items():
        of = fixed.key(kind)
        size = {3: 20, 9: 32, 10: 48, 11: 64}[auth]
        given = {"auth": auth, "key": fixed.private(of), "public_key": fixed.public(of),
                 "hash": _octets(f"HASH_I {auth}", size), "deterministic": auth == 3}
        if auth == 3:
            book.add("phase1-signature", n.AUTH[auth], "PKCS #1 type 1 of the bare HASH", "RFC2409-5.1-05", given)
            continue
        book.readings("p1_ecdsa", "phase1-signature", n.AUTH[auth], "RFC2409-5.1-03", given,
                      f"p1_ecdsa/{n.AUTH[auth]}")
        book.add("phase1-signature", f"short-hash/{n.AUTH[auth]}", "HASH_I of SHA-1, the prf being negotiated",
                 "RFC2409-5.1-03", {**given, "hash": _octets("HASH_I sha1", 20)}, {"p1_ecdsa_prf": "negotiated"})


def _encryption(book):
    for cipher in n.CIPHER:
        name = n.CIPHER[cipher]
        for size in (BLOCK[name] - 4, 5):
            head = isakmp.ISAKMP(icookie=_octets("cookie i", 8), rcookie=_octets("cookie r", 8), exchange=n.X_PULL,
                                 message_id=0x01020304)
            clear = bytes(head / isakmp.Nonce(data=_octets("nonce", 8 + size)))
            for bits in KEY_LEN[name]:
                given = {"cipher": cipher, "key": _octets(f"key {name}", bits), "iv": _octets("iv", BLOCK[name]),
                         "clear": clear}
                book.readings("pad", "encryption", f"{name} with {8 * bits} bits, {len(clear) - 28} octets",
                              "RFC2409-B-05", given, f"pad/{name}-{8 * bits}/{len(clear) - 28}")


def _hashes(book):
    rest = {1: isakmp.octets_of(isakmp.Nonce(data=_octets("ni", 16)), isakmp.Identification(id_type=11, data=bytes(4))),
            2: isakmp.octets_of(isakmp.Nonce(data=_octets("nr", 20))),
            3: b"", 4: isakmp.octets_of(SEQ(sequence=7))}
    for hash_ in n.HASH:
        for number in range(1, 5):
            nonces = {"nonce_i": _octets("ni", 16)} if number > 1 else {}
            if number > 2:
                nonces["nonce_r"] = _octets("nr", 20)
            book.add("hash", f"{number}/{n.HASH[hash_]}", f"HASH({number}), {n.HASH[hash_]}",
                     f"RFC6407-3.2-0{5 + number}",
                     {"number": number, "hash": hash_, "skeyid_a": _octets(f"skeyid_a {hash_}", 20),
                      "message_id": 0x80000001, **nonces, "rest": rest[number]})
    gone = isakmp.octets_of(isakmp.Delete(doi=2, protocol=1, spi_size=16, spis=_octets("cookies", 16)))
    book.add("hash", "informational", "HASH(1) of an Informational exchange", "RFC2409-5.7-02",
             {"number": 1, "hash": 4, "skeyid_a": _octets("skeyid_a", 32), "message_id": 5, "rest": gone})


# ------------------------------------------------------------------------------- PUSH

def payloads(size=0):
    """SEQ and a D, without padding when there are 56 octets of signature; `size` more SPIs of TEKs."""
    layers = isakmp.stacked(SEQ(sequence=3), isakmp.Delete(doi=2, protocol=1, spi_size=4,
                                                           spis=_octets("spis", 4 * (1 + size))),
                            isakmp.Signature(data=b"x"))
    return bytes(layers)[:-5]


def push_input(sig=1, sig_hash=3, algorithm=3, bits=128, body=None, **more):
    of = fixed.key(SIG_KEY[sig])
    name = n.KEK[algorithm]
    size = bits // 8 if algorithm == 3 else KEY_LEN[name][0]
    return {"spi": _octets("rekey spi", 16), "algorithm": algorithm, "kek_iv": _octets("kek iv", BLOCK[name]),
            "kek": _octets("kek", size), "sig": sig, "sig_hash": sig_hash, "key": fixed.private(of),
            "public_key": fixed.public(of), "payloads": body or payloads(), "deterministic": sig == 1, **more}


def _push(book):
    for sig in n.SIG:
        hashes = {1: n.SIG_HASH, 2: (2,), 3: (2, 3)}.get(sig, (sig - 1,))
        for sig_hash in hashes:
            book.add("push", f"{n.SIG[sig]}/{n.SIG_HASH[sig_hash]}", f"{n.SIG[sig]} with {n.SIG_HASH[sig_hash]}",
                     ["RFC6407-4-03", f"RFC6407-5.3.6.{sig}-01"], push_input(sig, sig_hash))
    for algorithm, bits in ((1, 64), (2, 192), (3, 192), (3, 256)):
        book.add("push", f"kek-{n.KEK[algorithm]}-{bits}", f"A KEK of {n.KEK[algorithm]}, {bits} bits",
                 "RFC6407-4-05", push_input(algorithm=algorithm, bits=bits))
    def iv(value):
        more = {"prepended": {"random": _octets("iv drawn", 16)}, "chained": {"before": _octets("block", 16)}}
        return push_input(**more.get(value, {}))
    book.readings("push_iv", "push", "Where the IV comes from", "RFC6407-5.6.2.1-01", iv)
    # SIG has 260 octets, the rest 24: Length before padding is not Length after it
    book.readings("push_sig_hdr", "push", "The header under the signature", "RFC6407-4-03", push_input())
    book.readings("push_sig_prefix", "push", "The string in front", "RFC6407-4-03", push_input())
    book.readings("push_rsa_form", "push", "RSA with and without DigestInfo", "RFC6407-5.3.6.1-01", push_input())
    for sig in (2, 3):
        book.readings("dss_format", "push", f"r and s of {n.SIG[sig]}", "RFC6407-5.3.6.2-01", push_input(sig, 2),
                      f"dss_format/{n.SIG[sig]}")
    book.readings("pad", "push", "Padding of a PUSH", "RFC2409-B-05", push_input(), "pad/push")


def _lkh(book):
    for key_type, bits in ((1, 64), (2, 192), (3, 128), (3, 192), (3, 256)):
        name, size = n.KEK[key_type], bits // 8
        block = BLOCK[name]
        given = {"key_type": key_type, "under": _octets(f"under {name}", block + size),
                 "key": _octets(f"wrapped {name}", block + size)}
        book.readings("lkh_wrap", "lkh-wrap", f"{name} with {bits} bits", "RFC6407-5.6.3.2-04", given,
                      f"lkh_wrap/{name}-{bits}")


def _keys(book):
    for sig, kind in ((1, "rsa"), (4, "p256"), (5, "p384"), (6, "p521"), (2, "dsa")):
        given = {"sig": sig, "public_key": fixed.public(fixed.key(kind)), "certificate": fixed.certificate(kind)}
        if kind == "rsa":
            for form in ("spki", "pkcs1", "x509", "raw"):
                _form(book, given, form, kind)
        elif kind == "dsa":
            _form(book, given, "spki", kind)
        else:
            for form in ("spki", "x509", "x962", "raw"):
                _form(book, given, form, kind)


def _form(book, given, form, kind):
    book.add("signature-key", f"sig_key_format/{kind}/{form}", f"SIG_ALGORITHM_KEY, {kind}: {form}",
             "RFC6407-5.6.2.2-01", given, {} if form == "spki" else {"sig_key_format": form},
             [f"sig_key_format={form}"])


def ack_input(kind, size=16, address="10.0.0.10"):
    who = Identity.parse(address)
    return {"type": kind, "base_key": _octets("base key", size), "spi": _octets("rekey spi", 16), "sequence": 7,
            "id_type": who.type, "id": who.data}


def _acks(book):
    for kind in n.ACK:
        for switch in ("ack_l", "ack_label", "ack_hash"):
            book.readings(switch, "ack", n.ACK[kind], ["RFC8263-3.2-01", "RFC8263-3.2-02"], ack_input(kind),
                          f"{switch}/{n.ACK[kind]}")
        book.add("ack", f"3des/{n.ACK[kind]}", f"{n.ACK[kind]}, base_key of 3DES, IPv6", "RFC8263-3.4-01",
                 ack_input(kind, 24, "2001:db8::10"))


def books():
    book = Book("crypto", "Keys, HASH values, signatures and encryption of phase 1, PULL, PUSH and acknowledgements.")
    for part in (_phase1, _signatures, _encryption, _hashes, _push, _lkh, _keys, _acks):
        part(book)
    return [book]


__all__ = ["KD", "KeyPacket", "books", "push_input", "tlv"]
