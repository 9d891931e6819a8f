# SPDX-License-Identifier: BSD-2-Clause
"""The number registries of RFC 4535 (Tables 11 to 27) and the private numbers.

A table is a dict from value to name. `Registry.known()` answers the question
that the processing sections ask again and again: may this value be used here?
Private numbers count as known only in a message that announces them by the
Vendor ID (section 7.10), which the caller states with `private=True`.
"""
import hashlib
from dataclasses import dataclass, field

PORT = 3761  # section 9.1, UDP and TCP
VERSION = 1
SEQUENCE_DESTROY = 0xFFFFFFFF

VENDOR_TEXT = b"MSEC suite GSAKMP extensions 1"
VENDOR_ID = hashlib.sha256(VENDOR_TEXT).digest()[:16]


@dataclass(frozen=True)
class Registry:
    table: int
    values: dict
    private: dict = field(default_factory=dict)

    def known(self, value, private=False):
        return value in self.values or (private and value in self.private)

    def name(self, value):
        return self.values.get(value) or self.private.get(value) or f"unknown-{value}"

    def value(self, name):
        for table in (self.values, self.private):
            for number, text in table.items():
                if text == name:
                    return number
        raise KeyError(name)

    def all(self):
        return {**self.values, **self.private}


GROUP_ID = Registry(11, {1: "UTF-8", 2: "Octet-String", 3: "IPv4", 4: "IPv6"})

PAYLOAD = Registry(12, {
    0: "None", 1: "Policy-Token", 2: "Key-Download", 3: "Rekey-Event", 4: "Identification",
    6: "Certificate", 8: "Signature", 9: "Notification", 10: "Vendor-ID", 11: "Key-Creation",
    12: "Nonce"})
P_NONE, P_TOKEN, P_KEYDL, P_REKEY, P_ID = 0, 1, 2, 3, 4
P_CERT, P_SIG, P_NOTIFY, P_VENDOR, P_CREATE, P_NONCE = 6, 8, 9, 10, 11, 12

EXCHANGE = Registry(13, {
    4: "KeyDL-A/F", 5: "Rekey-Event", 8: "RTJ", 9: "KeyDL", 10: "Cookie-Download",
    11: "RTJ-Err", 12: "LOA", 13: "RTD", 14: "DR", 15: "DA"})
X_ACK, X_REKEY, X_RTJ, X_KEYDL, X_COOKIE = 4, 5, 8, 9, 10
X_RTJ_ERR, X_LOA, X_RTD, X_DR, X_DA = 11, 12, 13, 14, 15

TOKEN_TYPE = Registry(14, {1: "GSAKMP-ASN.1-PT-V1"})
KDD_ITEM = Registry(15, {0: "GTPK", 1: "Rekey-LKH"})
KDD_GTPK, KDD_LKH = 0, 1

KEY_TYPE = Registry(
    16, {3: "3DES-CBC64-192", 12: "AES-CBC-128", 13: "AES-CTR"},
    {49153: "AES-CBC-256", 49154: "AES-GCM-128", 49155: "AES-GCM-256"})
K_3DES, K_AES_CBC, K_AES_CTR = 3, 12, 13
K_AES_CBC_256, K_GCM_128, K_GCM_256 = 49153, 49154, 49155

REKEY_TYPE = Registry(17, {0: "None", 1: "GSAKMP-LKH"})
ID_CLASS = Registry(18, {0: "Sender", 1: "Receiver", 2: "Third-Party"})

ID_TYPE = Registry(19, {
    1: "ID_IPV4_ADDR", 2: "ID_FQDN", 3: "ID_RFC822_ADDR", 5: "ID_IPV6_ADDR",
    9: "ID_DER_ASN1_DN", 11: "ID_KEY_ID", 30: "ID_U_NAME", 31: "ID_DN_STRING"})
ID_IPV4, ID_FQDN, ID_RFC822, ID_IPV6 = 1, 2, 3, 5
ID_DER_DN, ID_KEY, ID_U_NAME, ID_DN = 9, 11, 30, 31

CERT_TYPE = Registry(20, {
    0: "None", 4: "X.509v3-Signature", 7: "CRL", 10: "X.509-Attribute", 11: "Raw-RSA-Key",
    12: "Hash-and-URL", 13: "Hash-and-URL-bundle"})
CERT_X509, CERT_CRL, CERT_ATTRIBUTE, CERT_RAW_RSA = 4, 7, 10, 11
CERT_HASH_URL, CERT_HASH_URL_BUNDLE = 12, 13

SIG_TYPE = Registry(
    21, {0: "DSS-SHA1-ASN1-DER", 1: "RSA1024-MD5", 2: "ECDSA-P384-SHA3"},
    {49153: "RSA-PKCS1-SHA256", 49154: "ECDSA-P256-SHA256", 49155: "ECDSA-P384-SHA384",
     49156: "Ed25519"})

NOTIFY = Registry(22, {
    0: "None", 1: "Invalid-Payload-Type", 4: "Invalid-Version", 5: "Invalid-Group-ID",
    6: "Invalid-Sequence-ID", 7: "Payload-Malformed", 8: "Invalid-Key-Information",
    9: "Invalid-ID-Information", 12: "Cert-Type-Unsupported", 13: "Invalid-Cert-Authority",
    14: "Authentication-Failed", 17: "Certificate-Unavailable", 19: "Unauthorized-Request",
    23: "Acknowledgement", 26: "Nack", 27: "Cookie-Required", 28: "Cookie",
    29: "Mechanism-Choices", 30: "Leave-Group", 31: "Departure-Accepted",
    32: "Request-to-Depart-Error", 33: "Invalid-Exchange-Type", 34: "IPv4-Value",
    35: "IPv6-Value", 36: "Prohibited-by-Group-Policy", 37: "Prohibited-by-Local-Policy"},
    {49153: "Expulsion"})
N_PAYLOAD_TYPE, N_VERSION, N_GROUP, N_SEQUENCE, N_MALFORMED = 1, 4, 5, 6, 7
N_KEY_INFO, N_ID_INFO, N_CERT_TYPE, N_CERT_CA, N_AUTH = 8, 9, 12, 13, 14
N_CERT_UNAVAILABLE, N_UNAUTHORIZED, N_ACK, N_NACK = 17, 19, 23, 26
N_COOKIE_REQUIRED, N_COOKIE, N_MECHANISMS, N_LEAVE = 27, 28, 29, 30
N_DEPARTED, N_DEPART_ERROR, N_EXCHANGE, N_IPV4, N_IPV6 = 31, 32, 33, 34, 35
N_GROUP_POLICY, N_LOCAL_POLICY, N_NONE = 36, 37, 0
N_EXPULSION = 49153  # of the same extensions as the suites: needs their Vendor ID

ACK_TYPE = Registry(23, {0: "Simple"})
MECHANISM = Registry(24, {0: "Key-Creation", 1: "Encryption", 2: "Nonce-Hash"})
NONCE_HASH = Registry(25, {1: "SHA-1"}, {49153: "SHA-256", 49154: "SHA-384"})
KEY_CREATION = Registry(26, {2: "MODP-1024", 14: "MODP-2048"},
                        {49153: "ECDH-P256", 49154: "X25519", 49155: "MODP-2048-HKDF"})
NONCE_TYPE = Registry(27, {0: "None", 1: "Initiator", 2: "Responder", 3: "Combined"})
NONCE_I, NONCE_R, NONCE_C = 1, 2, 3
