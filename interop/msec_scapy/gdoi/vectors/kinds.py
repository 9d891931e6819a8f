# SPDX-License-Identifier: BSD-2-Clause
"""What kinds of vectors GDOI has, and the fields of each."""
from ...vectors.kinds import Field, Kind, _n, _o, _t

_SUITE = {
    "cipher": _n("Encryption Algorithm of phase 1: 1 DES, 5 3DES, 7 AES"),
    "key_bits": _n("Key Length; of DES and 3DES what is fixed"),
    "hash": _n("Hash Algorithm of phase 1: 1 MD5, 2 SHA-1, 4 SHA-256, 5 SHA-384, 6 SHA-512"),
}
_KEK = {
    "spi": _o("cookie pair of the Rekey SA"),
    "algorithm": _n("KEK_ALGORITHM"),
    "kek_iv": _o("IV of KEK_ALGORITHM_KEY"),
    "kek": _o("key of KEK_ALGORITHM_KEY", secret=True),
}

KINDS = {
    "phase1": Kind("From the exponents to the keys of a phase 1 SA (RFC 2409 5 and B).", {
        **_SUITE,
        "auth": _n("Authentication Method: 1 pre-shared key, 3 RSA, 9, 10, 11 ECDSA"),
        "group": _n("Group Description"),
        "psk": _o("pre-shared key", secret=True, optional=True),
        "private_i": _o("exponent or scalar of the initiator", secret=True),
        "private_r": _o("that of the responder", secret=True),
        "nonce_i": _o("body of Ni"), "nonce_r": _o("body of Nr"),
        "cookie_i": _o("Initiator Cookie"), "cookie_r": _o("Responder Cookie"),
        "sa_i": _o("body of the initiator's SA payload"),
        "id_i": _o("body of the initiator's ID payload"), "id_r": _o("body of the responder's ID payload"),
        "last_block": _o("last ciphertext block of phase 1"),
        "message_id": _n("Message ID of an exchange of phase 2"),
    }, {
        "g_xi": _o("body of the initiator's KE"), "g_xr": _o("body of the responder's KE"),
        "g_xy": _o("shared secret, of fixed length", secret=True),
        "skeyid": _o("SKEYID", secret=True), "skeyid_d": _o("SKEYID_d", secret=True),
        "skeyid_a": _o("SKEYID_a", secret=True), "skeyid_e": _o("SKEYID_e", secret=True),
        "key": _o("key of the cipher", secret=True),
        "iv": _o("IV of the first encrypted message of phase 1"),
        "phase2_iv": _o("IV of the first message with that Message ID"),
        "hash_i": _o("HASH_I"), "hash_r": _o("HASH_R"),
    }),
    "phase1-signature": Kind("SIG_I or SIG_R (RFC 2409 5.1, RFC 4754).", {
        "auth": _n("Authentication Method"), "key": _o("PKCS #8", secret=True),
        "public_key": _o("SubjectPublicKeyInfo"), "hash": _o("HASH_I or HASH_R"),
        "deterministic": Field("flag", "true: yours has to be the same; false: yours has to verify, and this one too"),
    }, {"signature": _o("body of the SIG payload")}),
    "encryption": Kind("A message of phase 1 or 2 before and after its encryption (RFC 2409 B).", {
        "cipher": _SUITE["cipher"], "key": _o("key of the cipher", secret=True), "iv": _o("IV"),
        "clear": _o("header and payloads; E flag clear, Length without padding"),
    }, {"message": _o("the datagram"), "next_iv": _o("IV of the message after it")}),
    "hash": Kind("HASH(1) to HASH(4) (RFC 6407 3.2), HASH(1) of an Informational exchange (RFC 2409 5.7).", {
        "number": _n("which; the Informational has 1, too"), "hash": _SUITE["hash"],
        "skeyid_a": _o("SKEYID_a", secret=True), "message_id": _n("Message ID"),
        "nonce_i": _o("body of Ni", optional=True), "nonce_r": _o("body of Nr", optional=True),
        "rest": _o("all that follows the HASH payload, without padding"),
    }, {"value": _o("body of the HASH payload")}),
    "group-id": Kind("The group in an ID payload (RFC 6407 5.1, RFC 8052 2.1).", {
        "number": _n("of ID_KEY_ID", optional=True),
        "oid": _o("of ID_OID: contents octets of the OBJECT IDENTIFIER", optional=True),
        "specific": _o("of ID_OID: OID-Specific Payload", optional=True),
    }, {"body": _o("body of the ID payload")}),
    "sa": Kind("An SA payload with its SAK, GAP and SATs, and what it says (RFC 6407 5.2 to 5.5, RFC 8052 2.2).", {
        "body": _o("body of the SA payload"), "pull": Field("flag", "whether it is in a GROUPKEY-PULL"),
    }, {
        "sak": Field("object", "protocol, src, dst (type, port, data), spi, and the KEK attributes that are there",
                     optional=True),
        "gap": Field("object", "atd and dtd, as far as they are there", optional=True),
        "sats": Field("objects", "protocol_id, spi; protocol, src, dst, transform, life_s and the other attributes that "
                      "are there, or oid, specific, auth, enc, lifetime, atd, kda; cipher_key and integrity_key: octets "
                      "of TEK_ALGORITHM_KEY and TEK_INTEGRITY_KEY; source_key: whether there is a TEK_SOURCE_AUTH_KEY; "
                      "counter: whether senders need a SID"),
    }),
    "kd": Kind("A KD payload, and what it brings (RFC 6407 5.6).", {
        "body": _o("body of the KD payload"), "push": Field("flag", "whether it is in a GROUPKEY-PUSH"),
    }, {
        "packets": Field("objects", "type, spi; algorithm_key, integrity_key, source_auth_key, signature_key as far as they "
                         "are there"),
        "sid_bits": _n("NUMBER_OF_SID_BITS", optional=True),
        "sids": Field("numbers", "the SIDs", optional=True),
        "arrays": Field("objects", "of the LKH packet: update (whether it is an update array), lkh_id and handle of the "
                        "key that the first one is encrypted under, keys (lkh_id, type, created, expires, handle, data)"),
    }),
    "lkh-wrap": Kind("Key Data of a key in an update array (RFC 6407 5.6.3.2).", {
        "key_type": _n("Key Type: 1 DES, 2 3DES, 3 AES"),
        "under": _o("IV and key in front of it", secret=True), "key": _o("IV and key", secret=True),
    }, {"data": _o("Key Data")}),
    "signature-key": Kind("SIG_ALGORITHM_KEY (RFC 6407 5.6.2.2).", {
        "sig": _n("SIG_ALGORITHM"), "public_key": _o("SubjectPublicKeyInfo"),
        "certificate": _o("a certificate of the key"),
    }, {"value": _o("value of the attribute")}),
    "push": Kind("A GROUPKEY-PUSH, signed and encrypted (RFC 6407 4).", {
        **_KEK,
        "before": _o("last ciphertext block of the PUSH before it; with push_iv chained", optional=True),
        "sig": _n("SIG_ALGORITHM"), "sig_hash": _n("SIG_HASH_ALGORITHM"),
        "key": _o("PKCS #8", secret=True), "public_key": _o("SubjectPublicKeyInfo"),
        "payloads": _o("SEQ to KD or D, the last of which names SIG as the next"),
        "random": _o("the IV that is drawn; with push_iv prepended", optional=True),
        "deterministic": Field("flag", "true: yours has to be the same; false: yours has to verify, and this one too"),
    }, {"covered": _o("what is signed"), "message": _o("the datagram")}),
    "ack": Kind("A GROUPKEY-PUSH Acknowledgement Message (RFC 8263 3).", {
        "type": _n("KEK_ACK_REQUESTED: 1 to 4"), "base_key": _o("base_key", secret=True),
        "spi": _o("cookie pair of the PUSH"), "sequence": _n("Sequence Number of the PUSH"),
        "id_type": _n("ID Type of the member"), "id": _o("its Identification Data"),
    }, {"ack_key": _o("ack_key", secret=True), "hash": _o("body of the HASH payload"), "message": _o("the datagram")}),
    "verdict": Kind("Octets that are accepted or refused, and why.", {
        "what": _t("header (a message in clear), id (body of the ID of a GROUPKEY-PULL), sa-pull, sa-push, kd-pull, "
                   "kd-push (bodies), gap (body of the GAP of message 3), phase1-sa (body)"),
        "octets": _o("the octets"),
    }, {"accepted": Field("flag", "whether they are accepted"),
        "req": _t("the requirement that is broken", optional=True),
        "field": _t("the field at fault, where that is not a matter of taste", optional=True)}),
    "choice": Kind("Which of a policy token's registrations and rekey protocols a key server has in force (RFC 4534 3). What is "
                   "legacy, and what is passed over: choices-gdoi.md, \"The policy of a GDOI group\".", {
        "token": _o("DER of a Token with protocols of this project's arc"),
        "group": _o("body of the ID payload of the key server's group", optional=True),
        "self": _o("its IPv4 address, which a pre-shared key vouches for", optional=True),
        "phase1": Field("objects", "what it proposes: auth, cipher, key_bits, hash, group; Main Mode. Absent: anything",
                        optional=True),
        "signer": _o("PKCS #8 of what signs its PUSHes; absent: nothing yet", secret=True, optional=True),
        "legacy": Field("flag", "whether legacy algorithms are allowed"),
    }, {
        "runs": Field("flag", "false: the token is refused"),
        "registration": _n("place of the registration in force, from 0", optional=True),
        "rekey": _n("place of the rekey protocol in force", optional=True),
    }),
    "session": Kind("Whole sessions, seen by somebody who has the secrets of phase 1: what every message says, and the keys "
                    "that it brings.", {
        "psk": _o("pre-shared key", secret=True, optional=True),
        "exponents": Field("octets-list", "the private values of all sides, in any order", secret=True),
        "messages": Field("octets-list", "UDP payloads in order: phase 1, Informational, PULL, PUSH, acknowledgements"),
    }, {
        "plaintexts": Field("octets-list", "of each of them: the payloads in clear, without padding"),
        "keks": Field("objects", "spi, iv, key of every Rekey SA, in order of appearance", secret=True),
        "teks": Field("objects", "spi, cipher, integrity of every Data-Security SA, in order of appearance", secret=True),
        "acks": Field("numbers", "KEK_ACK_REQUESTED that each acknowledgement answers to"),
    }),
}
