# SPDX-License-Identifier: BSD-2-Clause
"""What kinds of vectors there are, and the fields of each: the schema and the page say it
from here, so that neither can lag behind."""
from dataclasses import dataclass, field

SECRET = "secret"


@dataclass(frozen=True)
class Field:
    type: str  # octets, number, text, flag, keys, object, objects, octets-list, numbers
    text: str
    secret: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Kind:
    about: str
    given: dict = field(default_factory=dict)
    out: dict = field(default_factory=dict)


def _o(text, **how):
    return Field("octets", text, **how)


def _n(text, **how):
    return Field("number", text, **how)


def _t(text, **how):
    return Field("text", text, **how)


_KEK_INPUT = {
    "key_creation": _n("Key Creation Type, Table 26"),
    "key_type": _n("Key Type that the KEK is for, Table 16"),
    "secret": _o("g^xy, the x coordinate or the X25519 result, of fixed length", secret=True),
    "nonce_i": _o("Nonce_I data"), "nonce_r": _o("Nonce_R data"),
    "nonce_c": _o("Nonce_C data; some readings of `iv_keydl` use it"),
    "group_id": _o("GroupID value"),
}
_VERDICT = {
    "accepted": Field("flag", "whether the octets are accepted"),
    "notify": _n("Notification Type that the refusal is reported with in Verbose Mode", optional=True),
    "req": _t("the requirement that is broken (interop/requirements)", optional=True),
    "field": _t("the field at fault, in the RFC's words", optional=True),
}

KINDS = {
    "exchange": Kind("Key creation: two private values, the public values on the wire, the secret.", {
        "key_creation": _n("Key Creation Type, Table 26"),
        "private_i": _o("private value of the initiator", secret=True),
        "private_r": _o("private value of the responder", secret=True),
    }, {
        "public_i": _o("Key Creation Data of the RTJ"),
        "public_r": _o("Key Creation Data of the KeyDL"),
        "secret": _o("what both compute, of fixed length", secret=True),
    }),
    "kek": Kind("From the secret to the Key Encryption Key (7.11.1 and the private types).",
                _KEK_INPUT, {"kek": _o("the KEK", secret=True)}),
    "nonce-c": Kind("Nonce_C out of Nonce_I and Nonce_R (7.12.1).", {
        "nonce_hash": _n("Nonce hash type, Table 27"),
        "nonce_i": _o("Nonce_I data"), "nonce_r": _o("Nonce_R data"),
        "next_payload_i": _n("Next Payload of the Nonce_I payload; for the reading `payload`"),
        "next_payload_r": _n("Next Payload of the Nonce_R payload; for the reading `payload`"),
    }, {"nonce_c": _o("Nonce_C data")}),
    "registration": Kind("The two encrypted payloads of a KeyDL: token first, then keys.", {
        **_KEK_INPUT,
        "token_type": _n("Policy Token Type"),
        "token": _o("plaintext of Policy Token Data (any octets: it is not looked into)"),
        "key_download": _o("plaintext of the Key Download payload", secret=True),
        "iv_token": _o("the random octets drawn for the token"),
        "iv_keys": _o("the random octets drawn for the keys"),
    }, {
        "kek": _o("the KEK", secret=True),
        "sealed_token": _o("Policy Token Data as sent"),
        "sealed_keys": _o("body of the Key Download payload as sent"),
    }),
    "rekey-data": Kind("One Rekey Event Data: Key Packages under a key that members hold (7.5.1.2).", {
        "key_type": _n("Key Type of the wrapping key"),
        "wrapping_key_id": _o("Wrapping KeyID"), "wrapping_handle": _o("Wrapping Key Handle"),
        "wrapping_key": _o("the wrapping key", secret=True),
        "packages": _o("# of Key Packages and the Key Packages", secret=True),
        "iv": _o("the random octets drawn"),
    }, {"rekey_event_data": _o("from Packet Length on")}),
    "rekey-token": Kind("The Policy Token of a Rekey Event, under a traffic key (5.3.1.1).", {
        "old": Field("object", "the GTPK before the message: key_type, key_id, handle, key", secret=True),
        "new": Field("object", "the GTPK that the message delivers", secret=True),
        "token_type": _n("Policy Token Type"), "token": _o("plaintext"),
        "iv": _o("the random octets drawn"),
    }, {"sealed": _o("Policy Token Data as sent")}),
    "key-download": Kind("The plaintext of a Key Download payload (7.4.1, A.3.1).", {
        "gtpk": Field("keys", "traffic keys, one item each"),
        "member_id": _o("Member ID of the Rekey Array", optional=True),
        "kek": Field("keys", "the keys of the Rekey Array, in order", optional=True),
    }, {"key_download": _o("from Number of Items on")}),
    "key-packages": Kind("The plaintext of a Rekey Event Data (7.5.1.2, A.3.2).", {
        "packages": Field("objects", "type (0 GTPK, 1 LKH) and key of each Key Package"),
    }, {"packages": _o("from # of Key Packages on")}),
    "keys-verdict": Kind("A decrypted Key Download that is accepted or refused (7.4.2).", {
        "key_download": _o("plaintext, from Number of Items on"), "now": _n("seconds since 1970"),
    }, _VERDICT),
    "payload": Kind("One payload: its fields and its octets.", {
        "type": _n("payload type, Table 12"), "next_payload": _n("Next Payload"),
        "group_id": _o("GroupID value of the header; a Rekey Event repeats it", optional=True),
        "fields": Field("object", "the fields by the RFC's names in lower case"),
    }, {"payload": _o("with its generic header")}),
    "message": Kind("A whole message. Payloads are those before the Signature payload.", {
        "group_id_type": _n("GroupID Type"), "group_id": _o("GroupID value"),
        "exchange": _n("Exchange Type, Table 13"), "sequence": _n("Sequence ID"),
        "payloads": Field("objects", "type and body (without generic header) of each, in order"),
        "signature": Field("object", "sig_type, id_type, signer, timestamp (text), key (PKCS #8, secret), "
                           "deterministic: whether your signature has to be the same", optional=True),
        "certificates": Field("octets-list", "X.509 certificates behind the signature", optional=True),
    }, {
        "message": _o("the octets on the wire"),
        "covered": _o("what is signed", optional=True),
    }),
    "signature": Kind("A signature over octets (7.8.1, Table 21).", {
        "sig_type": _n("Signature Type"), "key": _o("PKCS #8", secret=True),
        "public_key": _o("SubjectPublicKeyInfo"), "data": _o("what is signed"),
        "deterministic": Field("flag", "true: yours has to be the same; false: yours has to verify, and this one too"),
    }, {"signature": _o("Signature Data")}),
    "verdict": Kind("Octets that are accepted or refused, and why (negative vectors).", {
        "message": _o("a whole message"),
        "accept_embedded": Field("flag", "whether a version 1 message inside a later one is looked for "
                                 "(7.1.2)", optional=True),
    }, _VERDICT),
    "public-value": Kind("A public value that may, or must not, be used for a key exchange (7.11.2).", {
        "key_creation": _n("Key Creation Type"), "public": _o("Key Creation Data"),
    }, {"accepted": Field("flag", "whether it may be used")}),
    "token": Kind("A policy token: the XML form (msec-policy.xsd) and its DER.", {
        "xml": _t("the policy, in canonical form"),
    }, {"der": _o("the Token")}),
    "token-verdict": Kind("DER that is no acceptable Token, and why.", {"der": _o("octets")}, {
        "accepted": Field("flag", "whether it is accepted"),
        "req": _t("the requirement that is broken", optional=True)}),
    "token-signed": Kind("A token signed by its Group Owner (RFC 4534 section 2).", {
        "der": _o("the Token"), "key": _o("private key of the Group Owner, PKCS #8", secret=True),
        "certificate": _o("certificate of the Group Owner"), "root": _o("trusted root"),
        "signing_time": _n("seconds since 1970"),
        "deterministic": Field("flag", "false: DSA or ECDSA, only to be verified"),
    }, {"cms": _o("Policy Token Data before encryption"),
        "signature_octets": _n("the length of the signature, which are the last octets")}),
    "token-succession": Kind("May one token follow another (RFC 4534 sections 2, 3.1)?", {
        "last": _o("the signed token accepted last; empty: none"), "next": _o("the signed token that comes"),
        "certificate": _o("certificate of the Group Owner"), "root": _o("trusted root"),
        "group_id_type": _n("GroupID Type"), "group_id": _o("GroupID value"), "now": _n("seconds since 1970"),
    }, {"accepted": Field("flag", "whether it is accepted"),
        "req": _t("the requirement that is broken", optional=True)}),
    "policy": Kind("What a token means to a peer.", {
        "cms": _o("a signed token"), "certificate": _o("certificate of the Group Owner"),
        "root": _o("trusted root"), "group_id_type": _n("GroupID Type"),
        "group_id": _o("GroupID value"), "now": _n("seconds since 1970"),
    }, {
        "edition": _n("edition"), "rekey_interval_s": _n("rekeyInterval in seconds"),
        "suites": Field("objects", "acceptable mechanisms in order: signature, nonce_hash, key_creation, encryption"),
        "kek_type": _n("Key Type of the LKH keys"), "resend": _n("how often a Rekey Event is repeated"),
        "key_ids": Field("octets-list", "Key IDs of the traffic keys, the lowest first"),
        "key_speakers": Field("numbers", "for each of them the number of the listed speaker whose key it is; "
                              "0: it is for everybody"),
        "join_rekey": _t("whether the token says that a join brings new keys: yes, no, unsaid"),
        "join_window": _t("in how many seconds joins share their rekey, as `5 s`; unsaid"),
        "mtu": _n("octets of a packet that a Rekey Event has to fit in; 0: it does not say"),
        "skew_s": _n("seconds that clocks may be apart; 0: it does not say"),
    }),
    "name": Kind("The name of a certificate's subject as ID_DN_STRING (Table 19).", {
        "certificate": _o("X.509"), "other": _t("an ID_DN_STRING"),
    }, {"dn": _t("Identification Data or Signer ID Data"),
        "same": Field("flag", "whether `other` is that name")}),
    "names-match": Kind("Are two ID_DN_STRINGs the same name?", {
        "left": _t("a name"), "right": _t("another"),
    }, {"same": Field("flag", "whether they are the same")}),
    "choice": Kind("A number that a switch chooses, in the payload that carries it.", {
        "of": _t("loa (Notification Type of a Lack of Ack), freshness, invalid-certificate (of the refusal), "
                 "classification (of the Member ID), none-version (Algorithm Version of a Rekey Event of type None)"),
        "before": _o("octets of the payload in front of the number"),
        "after": _o("octets of the payload behind it"),
    }, {"value": _n("the number"), "payload": _o("a payload with it")}),
    "expulsion": Kind("How a subordinate names a member that it has expelled (4.4.7), in its Request to Depart.", {
        "reason": _n("0: did not acknowledge its keys and may come back; 1: expelled, may not"),
        "id_type": _n("ID Type, Table 19"), "identification_data": _o("the name that the member signs with"),
    }, {"notification_type": _n("Notification Type"), "notification_data": _o("Notification Data")}),
    "lkh": Kind("A rekey plan: which keys travel under which (appendix A, RFC 2627 5.4).", {
        "degree": _n("children of a node"), "capacity": _n("seats of the tree, a power of the degree"),
        "rooted": Field("flag", "the root has a key of its own (Figure 30: it has none, the GTPK takes its place)"),
        "style": _t("path: all that is lost in one wrap; chain: each key once under each child"),
        "shrunk": Field("flag", "the tree has shrunk before: nodes with members below one child only are bypassed", optional=True),
        "members": Field("numbers", "seats taken before, from 1"),
        "leave": Field("numbers", "seats that are vacated, before anybody joins"),
        "join": _n("how many members join, each taking the lowest free seat"),
    }, {
        "seats": Field("numbers", "seats that the joiners took"),
        "wraps": Field("objects", "in order: under (Key ID), old (true: the key before this event), "
                       "keys (Key IDs in order; 0 stands for the GTPK)"),
    }),
    "transcript": Kind("A membership from the member's side: what comes in, what has to go out, what it then holds.", {
        "group_id_type": _n("GroupID Type"), "group_id": _o("GroupID value"),
        "suite": Field("object", "signature, nonce_hash, key_creation, encryption, timestamp, terse"),
        "root": _o("trusted root"), "owner": _o("certificate of the Group Owner"),
        "key": _o("private key of the member, PKCS #8", secret=True), "certificate": _o("its certificate"),
        "steps": Field("objects", "in order; at (seconds since 1970), one of do (join, leave) and receive (octets), "
                       "and random: what this step draws, private (of the key exchange) and nonce_i", secret=True),
    }, {
        "steps": Field("objects", "for each step: send (the messages that go out; yours may have other signatures, other "
                       "certificates and another order of payloads), refused (whether what came in is refused), state "
                       "(idle, joining, member or leaving), gtpk and kek (the keys then held: key_id, handle, key)",
                       secret=True),
        "keylog": Field("texts", "what the member puts into its key log (interop/msec_scapy/KEYLOG.md)", secret=True),
    }),
}
