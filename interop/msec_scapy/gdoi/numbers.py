# SPDX-License-Identifier: BSD-2-Clause
"""The numbers of ISAKMP (RFC 2408), IKE (2409, 4754, 5903), the IPsec DOI (2407) and GDOI."""

PORT, NAT_PORT = 848, 4500


class Names(dict):
    """{number: name} that knows the way back and has a word for what is not in it."""

    def name(self, number):
        return self.get(number, f"unknown-{number}")

    def value(self, name):
        return next(n for n, text in self.items() if text == name)


PAYLOAD = Names({
    0: "None", 1: "SA", 2: "P", 3: "T", 4: "KE", 5: "ID", 6: "CERT", 7: "CR", 8: "HASH", 9: "SIG",
    10: "NONCE", 11: "N", 12: "D", 13: "VID", 15: "SAK", 16: "SAT", 17: "KD", 18: "SEQ",
    20: "NAT-D", 21: "NAT-OA", 22: "GAP"})
(P_NONE, P_SA, P_P, P_T, P_KE, P_ID, P_CERT, P_CR, P_HASH, P_SIG, P_NONCE, P_N, P_D, P_VID) = range(14)
P_SAK, P_SAT, P_KD, P_SEQ, P_NATD, P_NATOA, P_GAP = 15, 16, 17, 18, 20, 21, 22

EXCHANGE = Names({1: "Base", 2: "Main", 3: "Authentication-Only", 4: "Aggressive", 5: "Informational",
                  32: "PULL", 33: "PUSH", 35: "PUSH-ACK"})
X_MAIN, X_AGGRESSIVE, X_INFO, X_PULL, X_PUSH, X_ACK = 2, 4, 5, 32, 33, 35

F_ENCRYPTED, F_COMMIT, F_AUTH_ONLY = 1, 2, 4

DOI_ISAKMP, DOI_IPSEC, DOI_GDOI = 0, 1, 2
PROTO_ISAKMP = 1
KEY_IKE = 1

ID_TYPE = Names({
    1: "ID_IPV4_ADDR", 2: "ID_FQDN", 3: "ID_USER_FQDN", 4: "ID_IPV4_ADDR_SUBNET", 5: "ID_IPV6_ADDR",
    6: "ID_IPV6_ADDR_SUBNET", 7: "ID_IPV4_ADDR_RANGE", 8: "ID_IPV6_ADDR_RANGE", 9: "ID_DER_ASN1_DN",
    10: "ID_DER_ASN1_GN", 11: "ID_KEY_ID", 12: "ID_LIST", 13: "ID_OID"})
(ID_IPV4, ID_FQDN, ID_USER, ID_IPV4_SUBNET, ID_IPV6, ID_IPV6_SUBNET, ID_IPV4_RANGE, ID_IPV6_RANGE,
 ID_DN, ID_GN, ID_KEY) = range(1, 12)
ID_LIST_NUMBER, ID_OID = 12, 13
ID_LEN = {ID_IPV4: 4, ID_IPV4_SUBNET: 8, ID_IPV6: 16, ID_IPV6_SUBNET: 32, ID_IPV4_RANGE: 8, ID_IPV6_RANGE: 32}

CERT = Names({1: "PKCS7", 4: "X509-Signature", 5: "X509-Key-Exchange", 7: "CRL", 8: "ARL", 10: "X509-Attribute"})
CERT_X509, CERT_CRL = 4, 7

NOTIFY = Names({
    1: "INVALID-PAYLOAD-TYPE", 2: "DOI-NOT-SUPPORTED", 3: "SITUATION-NOT-SUPPORTED", 4: "INVALID-COOKIE",
    5: "INVALID-MAJOR-VERSION", 6: "INVALID-MINOR-VERSION", 7: "INVALID-EXCHANGE-TYPE", 8: "INVALID-FLAGS",
    9: "INVALID-MESSAGE-ID", 10: "INVALID-PROTOCOL-ID", 11: "INVALID-SPI", 12: "INVALID-TRANSFORM-ID",
    13: "ATTRIBUTES-NOT-SUPPORTED", 14: "NO-PROPOSAL-CHOSEN", 15: "BAD-PROPOSAL-SYNTAX",
    16: "PAYLOAD-MALFORMED", 17: "INVALID-KEY-INFORMATION", 18: "INVALID-ID-INFORMATION",
    19: "INVALID-CERT-ENCODING", 20: "INVALID-CERTIFICATE", 21: "CERT-TYPE-UNSUPPORTED",
    22: "INVALID-CERT-AUTHORITY", 23: "INVALID-HASH-INFORMATION", 24: "AUTHENTICATION-FAILED",
    25: "INVALID-SIGNATURE", 26: "ADDRESS-NOTIFICATION", 27: "NOTIFY-SA-LIFETIME",
    28: "CERTIFICATE-UNAVAILABLE", 29: "UNSUPPORTED-EXCHANGE-TYPE", 30: "UNEQUAL-PAYLOAD-LENGTHS",
    16384: "CONNECTED", 24576: "RESPONDER-LIFETIME", 24577: "REPLAY-STATUS", 24578: "INITIAL-CONTACT",
    36136: "R-U-THERE", 36137: "R-U-THERE-ACK"})
N_INITIAL_CONTACT, N_NO_PROPOSAL, N_INVALID_ID = 24578, 14, 18
N_INVALID_MESSAGE_ID, N_ATTRIBUTES, N_AUTH_FAILED = 9, 13, 24
N_R_U_THERE, N_R_U_THERE_ACK = 36136, 36137

# ---------------------------------------------------------------- IKE attributes, RFC 2409 A

BASIC, VARIABLE, EITHER = "B", "V", "B/V"

IKE_ATTR = {1: ("Encryption Algorithm", BASIC), 2: ("Hash Algorithm", BASIC),
            3: ("Authentication Method", BASIC), 4: ("Group Description", BASIC), 5: ("Group Type", BASIC),
            6: ("Group Prime/Irreducible Polynomial", EITHER), 7: ("Group Generator One", EITHER),
            8: ("Group Generator Two", EITHER), 9: ("Group Curve A", EITHER), 10: ("Group Curve B", EITHER),
            11: ("Life Type", BASIC), 12: ("Life Duration", EITHER), 13: ("PRF", BASIC),
            14: ("Key Length", BASIC), 15: ("Field Size", BASIC), 16: ("Group Order", EITHER)}
A_CIPHER, A_HASH, A_AUTH, A_GROUP, A_LIFE_TYPE, A_LIFE, A_PRF, A_KEY_LEN = 1, 2, 3, 4, 11, 12, 13, 14
LIFE_SECONDS = 1

CIPHER = Names({1: "des", 5: "3des", 7: "aes"})
HASH = Names({1: "md5", 2: "sha1", 4: "sha256", 5: "sha384", 6: "sha512"})
AUTH = Names({1: "psk", 3: "rsa", 9: "ecdsa-256", 10: "ecdsa-384", 11: "ecdsa-521"})

# --------------------------------------------------- IPsec SA attributes, RFC 2407 4.5 and 6407

IPSEC_ATTR = {1: ("SA Life Type", BASIC), 2: ("SA Life Duration", EITHER), 3: ("Group Description", BASIC),
              4: ("Encapsulation Mode", BASIC), 5: ("Authentication Algorithm", BASIC),
              6: ("Key Length", BASIC), 7: ("Key Rounds", BASIC), 8: ("Compress Dictionary Size", BASIC),
              9: ("Compress Private Algorithm", EITHER), 10: ("ECN Tunnel", BASIC),
              11: ("Extended Sequence Number", BASIC), 12: ("Authentication Key Length", EITHER),
              13: ("Signature Encoding Algorithm", BASIC), 14: ("Address Preservation", BASIC),
              15: ("SA Direction", BASIC)}
I_LIFE_TYPE, I_LIFE, I_GROUP, I_MODE, I_AUTH, I_KEY_LEN, I_PRESERVE, I_DIRECTION = 1, 2, 3, 4, 5, 6, 14, 15
I_AUTH_LEN, I_ENCODING = 12, 13  # RFC 4359
AUTH_SIG_RSA, AH_RSA = 10, 10
MODE_TUNNEL, MODE_TRANSPORT = 1, 2
IPSEC_AUTH = Names({1: "hmac-md5", 2: "hmac-sha1", 3: "des-mac", 4: "kpdk", 5: "hmac-sha256", 6: "hmac-sha384",
                    7: "hmac-sha512", 8: "hmac-ripemd", 9: "aes-xcbc-mac", 10: "sig-rsa", 11: "aes-128-gmac",
                    12: "aes-192-gmac", 13: "aes-256-gmac"})
IPSEC_AUTH_KEY = {1: 16, 2: 20, 5: 32, 6: 48, 7: 64, 9: 16, 11: 20, 12: 28, 13: 36}
ESP = Names({2: "des", 3: "3des", 11: "null", 12: "aes-cbc", 13: "aes-ctr", 14: "aes-ccm-8", 15: "aes-ccm-12",
             16: "aes-ccm-16", 18: "aes-gcm-8", 19: "aes-gcm-12", 20: "aes-gcm-16", 22: "camellia-cbc", 23: "aes-gmac"})
ESP_COUNTER = {13, 14, 15, 16, 18, 19, 20, 23}
ESP_SALT = {13: 4, 14: 3, 15: 3, 16: 3, 18: 4, 19: 4, 20: 4, 23: 4}
ESP_COMBINED = {14, 15, 16, 18, 19, 20, 23}
ESP_FIXED = {2: 8, 3: 24, 11: 0}
AH = Names({2: "md5", 3: "sha1", 4: "des", 5: "sha256", 6: "sha384", 7: "sha512", 9: "aes-xcbc-mac",
            10: "rsa", 11: "aes-128-gmac", 12: "aes-192-gmac", 13: "aes-256-gmac"})
AH_COUNTER = {11, 12, 13}
AH_AUTH = {2: 1, 3: 2, 4: 3, **{number: number for number in range(5, 14)}}  # RFC 2407 4.4.3, 4.5: what each goes with
AH_KEY = {2: 16, 3: 20, 5: 32, 6: 48, 7: 64, 9: 16, 11: 20, 12: 28, 13: 36}

# --------------------------------------------------------------------------------- GDOI

PROTO = Names({1: "ESP", 2: "AH", 3: "IEC61850"})
T_ESP, T_AH, T_IEC = 1, 2, 3

KEK_ATTR = {1: ("KEK_MANAGEMENT_ALGORITHM", BASIC), 2: ("KEK_ALGORITHM", BASIC), 3: ("KEK_KEY_LENGTH", BASIC),
            4: ("KEK_KEY_LIFETIME", EITHER), 5: ("SIG_HASH_ALGORITHM", BASIC), 6: ("SIG_ALGORITHM", BASIC),
            7: ("SIG_KEY_LENGTH", BASIC), 9: ("KEK_ACK_REQUESTED", BASIC)}
K_MANAGEMENT, K_ALGORITHM, K_KEY_LENGTH, K_LIFETIME, K_SIG_HASH, K_SIG, K_SIG_LENGTH, K_ACK = 1, 2, 3, 4, 5, 6, 7, 9
MANAGEMENT_LKH = 1
KEK = Names({1: "des", 2: "3des", 3: "aes"})
SIG_HASH = Names({1: "md5", 2: "sha1", 3: "sha256", 4: "sha384", 5: "sha512"})
SIG = Names({1: "rsa", 2: "dss", 3: "ecdss", 4: "ecdsa-256", 5: "ecdsa-384", 6: "ecdsa-521"})
ACK = Names({1: "kek-sha256", 2: "lkh-sha256", 3: "kek-sha512", 4: "lkh-sha512"})

GAP_ATTR = {1: ("ACTIVATION_TIME_DELAY", BASIC), 2: ("DEACTIVATION_TIME_DELAY", BASIC),
            3: ("SENDER_ID_REQUEST", BASIC)}
G_ATD, G_DTD, G_SIDS = 1, 2, 3

KD_TYPE = Names({1: "TEK", 2: "KEK", 3: "LKH", 4: "SID"})
KD_TEK, KD_KEK, KD_LKH, KD_SID = 1, 2, 3, 4
TEK_ATTR = {1: ("TEK_ALGORITHM_KEY", VARIABLE), 2: ("TEK_INTEGRITY_KEY", VARIABLE),
            3: ("TEK_SOURCE_AUTH_KEY", VARIABLE)}
KD_KEK_ATTR = {1: ("KEK_ALGORITHM_KEY", VARIABLE), 2: ("SIG_ALGORITHM_KEY", VARIABLE)}
LKH_ATTR = {1: ("LKH_DOWNLOAD_ARRAY", VARIABLE), 2: ("LKH_UPDATE_ARRAY", VARIABLE), 3: ("SIG_ALGORITHM_KEY", VARIABLE)}
SID_ATTR = {1: ("NUMBER_OF_SID_BITS", BASIC), 2: ("SID_VALUE", VARIABLE)}

IEC_ATTR = {1: ("SA_ATD", EITHER), 2: ("SA_KDA", BASIC)}
IEC_AUTH = Names({1: "none", 2: "hmac-sha256-128", 3: "hmac-sha256", 4: "aes-gmac-128", 5: "aes-gmac-256"})
IEC_AUTH_KEY = {1: 0, 2: 32, 3: 32, 4: 20, 5: 36}
IEC_ENC = Names({1: "none", 2: "aes-cbc-128", 3: "aes-cbc-256", 4: "aes-gcm-128", 5: "aes-gcm-256"})
IEC_ENC_KEY = {1: 0, 2: 16, 3: 32, 4: 20, 5: 36}
IEC_COUNTER_AUTH, IEC_COUNTER_ENC = {4, 5}, {4, 5}

VID_NAT_T = bytes.fromhex("4a131c81070358455c5728f20e95452f")  # RFC 3947: MD5 of "RFC 3947"
VID_DPD = bytes.fromhex("afcad71368a1f1c96b8696fc77570100")
