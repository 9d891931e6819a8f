/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_MESSAGE_DIALECT_H
#define GSAKMP_MESSAGE_DIALECT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/gk_switch.h"
#include "policy-tokens/token/gpt_dialect.h"

/*
 * DOC: readings of the RFC
 *
 * Where RFC 4535 can be read in more than one way, two careful readers build
 * programs that do not talk to each other.  Every such place that shows on the
 * wire is a switch here: a name, the readings it can take, the first of which
 * is the default.  A zeroed struct gsakmp_dialect is therefore the default
 * dialect.  A dialect belongs to a group or to a peer; nothing here is global.
 *
 * V(NAME, "name", "what it means")
 */
#define GSAKMP_IV_KEYDL_LIST(V)                                              \
	V(PREFIX, "prefix", "fresh IV in front of each ciphertext")          \
	V(ZERO, "zero", "IV of zero octets, not sent")                       \
	V(SUFFIX, "suffix", "fresh IV behind the ciphertext")                \
	V(CHAIN_PREFIX, "chain_prefix",                                      \
	  "token as prefix; keys continue its CBC chain, IV not sent")       \
	V(CHAIN_ZERO, "chain_zero",                                          \
	  "token with zero IV; keys continue its CBC chain")                 \
	V(DH_NEXT, "dh_next", "the octets of the DH secret next to the KEK") \
	V(NONCE_C, "nonce_c", "first octets of Nonce_C data")                \
	V(NONCE_R, "nonce_r", "first octets of Nonce_R data, zero-extended") \
	V(NONCE_I, "nonce_i", "first octets of Nonce_I data, zero-extended") \
	V(KEY, "key", "first octets of the KEK itself")

#define GSAKMP_PAD_LIST(V)                                                  \
	V(PKCS7, "pkcs7", "1..block octets, each the count (RFC 5652 6.3)") \
	V(ZERO, "zero", "zero octets, none when aligned")                   \
	V(PKCS7_IFNEEDED, "pkcs7_ifneeded", "pkcs7, none when aligned")     \
	V(ISO7816, "iso7816", "0x80 then zeros, always")                    \
	V(X923, "x923", "zeros then the count, always")                     \
	V(IKE, "ike", "any octets then Pad Length, which excludes itself")  \
	V(ESP, "esp", "1, 2, 3 .. then Pad Length (RFC 4303 2.4)")          \
	V(NONE, "none", "never; only aligned data can be sent")             \
	V(CTS3, "cts3", "ciphertext stealing, CBC-CS3")                     \
	V(CTS2, "cts2", "ciphertext stealing, CBC-CS2")                     \
	V(CTS1, "cts1", "ciphertext stealing, CBC-CS1")

#define GSAKMP_IV_REKEY_LIST(V)                                           \
	V(PREFIX, "prefix", "fresh IV in front of each ciphertext")       \
	V(ZERO, "zero", "IV of zero octets, not sent")                    \
	V(SUFFIX, "suffix", "fresh IV behind the ciphertext")             \
	V(HANDLE, "handle", "KeyID and Handle of the key, zero-extended") \
	V(KEY, "key", "first octets of the wrapping key")

#define GSAKMP_PKT_LEN_LIST(V)                                              \
	V(CIPHER, "cipher", "octets after Wrapping Key Handle, as sent")    \
	V(CIPHER_IV, "cipher-iv", "as cipher, without the explicit IV")     \
	V(PLAIN, "plain", "plaintext: count and Key Packages")              \
	V(CIPHER_8, "cipher+8", "cipher and the two Wrapping fields")       \
	V(CIPHER_10, "cipher+10", "cipher, Wrapping fields, Packet Length") \
	V(PLAIN_8, "plain+8", "plain and the two Wrapping fields")          \
	V(PLAIN_10, "plain+10", "plain, Wrapping fields, Packet Length")

#define GSAKMP_KEK_BITS_LIST(V)                                        \
	V(LOW_BE, "low_be", "last octets of the big-endian secret")    \
	V(HIGH_BE, "high_be", "first octets of the big-endian secret") \
	V(LOW_LE, "low_le", "first octets of the little-endian secret")

#define GSAKMP_DH_SECRET_PAD_LIST(V)                            \
	V(FIXED, "fixed", "g^xy has the length of the modulus") \
	V(STRIPPED, "stripped", "leading zero octets of g^xy are removed")

#define GSAKMP_DH_PUB_PAD_LIST(V)                                           \
	V(FIXED, "fixed", "the public value has the length of the modulus") \
	V(MINIMAL, "minimal", "leading zero octets are removed")

#define GSAKMP_PT_FORM_LIST(V)                           \
	V(CONTENTINFO, "contentinfo", "CMS ContentInfo") \
	V(SIGNEDDATA, "signeddata", "bare CMS SignedData")

#define GSAKMP_SIG_COVER_LIST(V)                                             \
	V(TO_SIGLEN, "to_siglen", "header to the end of Signer ID Data")     \
	V(INCL_SIGLEN, "incl_siglen", "and the Signature Length field")      \
	V(EXCL_SIGPAYLOAD, "excl_sigpayload", "up to the Signature payload") \
	V(WHOLE, "whole", "everything but Signature Length and Data")        \
	V(PAYLOADS_ONLY, "payloads_only", "as to_siglen, without the header")

#define GSAKMP_SIG_LEN_FIELDS_LIST(V)                                \
	V(FINAL, "final", "length fields as transmitted")            \
	V(ZERO, "zero", "both length fields are zero while signing") \
	V(WITHOUT_SIG, "without_sig", "computed for empty Signature Data")

#define GSAKMP_PT_REKEY_KEY_LIST(V)                                     \
	V(OLD_GTPK, "old_gtpk", "the GTPK in force before the message") \
	V(NEW_GTPK, "new_gtpk", "the GTPK that the message delivers")

#define GSAKMP_RED_SCOPE_LIST(V)                            \
	V(COUNT, "count", "# of Key Packages is encrypted") \
	V(PACKAGES, "packages", "# of Key Packages is in clear")

#define GSAKMP_REH_GROUPID_LIST(V)                   \
	V(VALUE, "value", "the GroupID value alone") \
	V(TLV, "tlv", "GroupID type, length and value")

#define GSAKMP_NONCE_C_LIST(V)                                           \
	V(DATA, "data", "Nonce Data, I then R")                          \
	V(TYPE_DATA, "type_data", "Nonce Type and Nonce Data, I then R") \
	V(PAYLOAD, "payload", "whole payloads with generic header")      \
	V(DATA_REV, "data_rev", "Nonce Data, R then I")

#define GSAKMP_GID_UTF8_RANDOM_LIST(V)                  \
	V(HEX16, "hex16", "sixteen hexadecimal digits") \
	V(RAW16, "raw16", "sixteen raw octets")

#define GSAKMP_DN_STRING_LIST(V)                                         \
	V(RFC4514, "rfc4514", "last RDN first; compared as parsed RDNs") \
	V(FORWARD, "forward", "RDNs in certificate order")               \
	V(OCTETS, "octets", "as rfc4514, equal only octet for octet")

#define GSAKMP_ID_CLASS_CHOICE_LIST(V)          \
	V(RECEIVER, "receiver", "Receiver (1)") \
	V(SENDER, "sender", "Sender (0)")       \
	V(THIRD, "third", "Third Party (2)")

#define GSAKMP_MECH_CHOICE_LIST(V)                       \
	V(TV, "tv", "type and value")                    \
	V(TLV1, "tlv1", "type, one-octet length, value") \
	V(TLV2, "tlv2", "type, two-octet length, value")

#define GSAKMP_ACK_DATA_LIST(V)                      \
	V(TYPED, "typed", "one octet, the Ack Type") \
	V(EMPTY, "empty", "no Notification Data at all")

#define GSAKMP_LOA_NOTIFY_LIST(V)                          \
	V(NACK, "nack", "Nack (26)")                       \
	V(NONE, "none", "None (0)")                        \
	V(UNAUTH, "unauth", "Unauthorized-Request (19)")   \
	V(MALFORMED, "malformed", "Payload-Malformed (7)") \
	V(AUTH, "auth", "Authentication-Failed (14)")

#define GSAKMP_REKEY_ORDER_LIST(V)                                         \
	V(FIXPOINT, "fixpoint", "repeat the pass until nothing new opens") \
	V(SINGLE, "single", "one pass, in order")

#define GSAKMP_DATE_EQUAL_LIST(V)                                 \
	V(REJECT, "reject", "a new key must be strictly younger") \
	V(ACCEPT, "accept", "the same second is accepted")

#define GSAKMP_KEYPKG_LKH_BODY_LIST(V) \
	V(DATUM, "datum", "Key Datum") \
	V(ARRAY, "array", "Rekey Array")

#define GSAKMP_WRAP_WIDTH_LIST(V)                  \
	V(4, "4", "Wrapping KeyID of four octets") \
	V(2, "2", "Wrapping KeyID of two octets")

#define GSAKMP_DSA_ENC_LIST(V)               \
	V(DER, "der", "DER SEQUENCE {r, s}") \
	V(RAW, "raw", "r|s, 20 octets each")

#define GSAKMP_ECDSA_HASH_LIST(V)           \
	V(SHA384, "sha384", "SHA-384")      \
	V(SHA3_384, "sha3_384", "SHA3-384") \
	V(SHA1, "sha1", "SHA-1")            \
	V(SHA3_256, "sha3_256", "SHA3-256") \
	V(SHA3_512, "sha3_512", "SHA3-512") \
	V(SHA256, "sha256", "SHA-256")      \
	V(SHA512, "sha512", "SHA-512")

#define GSAKMP_ECDSA_ENC_LIST(V)             \
	V(DER, "der", "DER SEQUENCE {r, s}") \
	V(RAW, "raw", "r|s, 48 octets each")

#define GSAKMP_RSA_SCHEME_LIST(V)                    \
	V(PKCS1V15, "pkcs1v15", "RSASSA-PKCS1-v1_5") \
	V(PSS, "pss", "RSASSA-PSS, MGF1-MD5, salt of 16 octets")

#define GSAKMP_AES_CTR_KEY_LIST(V)                              \
	V(20, "20", "AES-128 key and 4-octet nonce (RFC 3686)") \
	V(16, "16", "AES-128 key alone")                        \
	V(28, "28", "AES-192 key and nonce")                    \
	V(36, "36", "AES-256 key and nonce")                    \
	V(24, "24", "AES-192 key alone")                        \
	V(32, "32", "AES-256 key alone")

#define GSAKMP_REKEY_NONE_ALGVER_LIST(V)                            \
	V(1, "1", "Algorithm Version 1 with Rekey Event Type None") \
	V(0, "0", "Algorithm Version 0 with Rekey Event Type None")

#define GSAKMP_REKEY_COUNTS_LIST(V)                             \
	V(PAYLOAD, "payload", "each payload has its own count") \
	V(TOTAL, "total", "each payload has the count of the message")

#define GSAKMP_INVALID_CERT_CODE_LIST(V)      \
	V(14, "14", "Authentication-Failed")  \
	V(11, "11", "Reserved (11)")          \
	V(7, "7", "Payload-Malformed")        \
	V(13, "13", "Invalid-Cert-Authority") \
	V(17, "17", "Certificate-Unavailable")

#define GSAKMP_FRESHNESS_CODE_LIST(V)        \
	V(14, "14", "Authentication-Failed") \
	V(7, "7", "Payload-Malformed")       \
	V(26, "26", "Nack")                  \
	V(19, "19", "Unauthorized-Request")

#define GSAKMP_UNEXPECTED_PAYLOAD_LIST(V)             \
	V(REJECT, "reject", "the message is refused") \
	V(IGNORE, "ignore", "the payload is skipped")

#define GSAKMP_EDITION_EQUAL_LIST(V)            \
	V(ACCEPT_IDENTICAL, "accept_identical", \
	  "the same token again is fine")       \
	V(REJECT, "reject", "every token must be newer than the last")

#define GSAKMP_DUP_RTJ_LIST(V)                                                   \
	V(RESEND, "resend",                                                      \
	  "an identical RTJ gets the stored KeyDL, or one of now after a rekey") \
	V(IGNORE, "ignore", "every second RTJ is dropped")

#define GSAKMP_INTERVAL_UNIT_LIST(V) \
	V(S, "s", "seconds")         \
	V(MIN, "min", "minutes")     \
	V(MS, "ms", "milliseconds")

#define GSAKMP_LOA_DUP_NONCE_LIST(V)                 \
	V(KEYDL, "keydl", "the nonces of the KeyDL") \
	V(FRESH, "fresh", "a new Nonce_R and Nonce_C")

#define GSAKMP_EXPULSION_LIST(V)                                         \
	V(PRIVATE, "private", "notification 49153, under our Vendor ID") \
	V(LEAVE_DATA, "leave_data", "the data of Leave Group")

#define GSAKMP_SPEAKER_SA_LIST(V)                                            \
	V(SHARED, "shared", "all listed speakers send with the group's key") \
	V(EACH, "each", "the n-th data SA of the token is the n-th speaker's")

#define GSAKMP_OPERATION_LIST(V)                                 \
	V(TOKEN, "token", "as the token's operation entry says") \
	V(LOCAL, "local", "the entry is passed over, as by others")

/* S(field, PREFIX, list, "where in the RFCs") */
#define GSAKMP_DIALECT_LIST(S)                                                 \
	S(iv_keydl, IV_KEYDL, GSAKMP_IV_KEYDL_LIST, "6.2, 7.3.1, 7.4.1")       \
	S(pad, PAD, GSAKMP_PAD_LIST, "6.2, 7")                                 \
	S(iv_rekey, IV_REKEY, GSAKMP_IV_REKEY_LIST, "7.5.1.2, 5.3.1.1")        \
	S(pkt_len, PKT_LEN, GSAKMP_PKT_LEN_LIST, "7.5.1.2")                    \
	S(kek_bits, KEK_BITS, GSAKMP_KEK_BITS_LIST, "7.11.1 Table 26")         \
	S(dh_secret_pad, DH_SECRET_PAD, GSAKMP_DH_SECRET_PAD_LIST, "7.11.1")   \
	S(dh_pub_pad, DH_PUB_PAD, GSAKMP_DH_PUB_PAD_LIST, "7.11.1")            \
	S(pt_form, PT_FORM, GSAKMP_PT_FORM_LIST, "7.3.1, RFC 4534 2")          \
	S(sig_cover, SIG_COVER, GSAKMP_SIG_COVER_LIST, "7.8.1, 5")             \
	S(sig_len_fields, SIG_LEN_FIELDS, GSAKMP_SIG_LEN_FIELDS_LIST,          \
	  "7.8.1, 7.1.1, 7.2.1")                                               \
	S(pt_rekey_key, PT_REKEY_KEY, GSAKMP_PT_REKEY_KEY_LIST, "5.3.1.1")     \
	S(red_scope, RED_SCOPE, GSAKMP_RED_SCOPE_LIST, "7.5.1.2, 7.5.2")       \
	S(reh_groupid, REH_GROUPID, GSAKMP_REH_GROUPID_LIST, "7.5.1.1")        \
	S(nonce_c, NONCE_C, GSAKMP_NONCE_C_LIST, "7.12.1 Table 27")            \
	S(gid_utf8_random, GID_UTF8_RANDOM, GSAKMP_GID_UTF8_RANDOM_LIST,       \
	  "7.1.1.1.1")                                                         \
	S(dn_string, DN_STRING, GSAKMP_DN_STRING_LIST, "7.6.1, 7.8.2")         \
	S(id_class, ID_CLASS_CHOICE, GSAKMP_ID_CLASS_CHOICE_LIST,              \
	  "7.6.1 Table 18")                                                    \
	S(mech_choice, MECH_CHOICE, GSAKMP_MECH_CHOICE_LIST, "7.9.1.3")        \
	S(ack_data, ACK_DATA, GSAKMP_ACK_DATA_LIST, "7.9.1.1")                 \
	S(loa_notify, LOA_NOTIFY, GSAKMP_LOA_NOTIFY_LIST, "5.2.1.5")           \
	S(rekey_order, REKEY_ORDER, GSAKMP_REKEY_ORDER_LIST, "7.5.2, A.3.2")   \
	S(date_equal, DATE_EQUAL, GSAKMP_DATE_EQUAL_LIST, "7.5.2")             \
	S(keypkg_lkh_body, KEYPKG_LKH_BODY, GSAKMP_KEYPKG_LKH_BODY_LIST,       \
	  "7.5.1.2.1, A.3.2")                                                  \
	S(wrap_width, WRAP_WIDTH, GSAKMP_WRAP_WIDTH_LIST, "7.5.1.2, A.3.2")    \
	S(dsa_enc, DSA_ENC, GSAKMP_DSA_ENC_LIST, "6.2, 7.8.1 Table 21")        \
	S(ecdsa_hash, ECDSA_HASH, GSAKMP_ECDSA_HASH_LIST, "7.8.1 Table 21")    \
	S(ecdsa_enc, ECDSA_ENC, GSAKMP_ECDSA_ENC_LIST, "7.8.1 Table 21")       \
	S(rsa_scheme, RSA_SCHEME, GSAKMP_RSA_SCHEME_LIST, "7.8.1 Table 21")    \
	S(aes_ctr_key, AES_CTR_KEY, GSAKMP_AES_CTR_KEY_LIST,                   \
	  "7.4.1.1 Table 16, 7.4.1.2")                                         \
	S(rekey_none_algver, REKEY_NONE_ALGVER, GSAKMP_REKEY_NONE_ALGVER_LIST, \
	  "7.5.1 Table 17, A.2")                                               \
	S(rekey_counts, REKEY_COUNTS, GSAKMP_REKEY_COUNTS_LIST, "7.5.1")       \
	S(invalid_cert_code, INVALID_CERT_CODE, GSAKMP_INVALID_CERT_CODE_LIST, \
	  "5.2.1, 7.8.2")                                                      \
	S(freshness_code, FRESHNESS_CODE, GSAKMP_FRESHNESS_CODE_LIST,          \
	  "5.2.1.2, 5.2.1.4")                                                  \
	S(unexpected_payload, UNEXPECTED_PAYLOAD,                              \
	  GSAKMP_UNEXPECTED_PAYLOAD_LIST, "7, 7.9.1")                          \
	S(edition_equal, EDITION_EQUAL, GSAKMP_EDITION_EQUAL_LIST,             \
	  "4.4.3, RFC 4534 3.1")                                               \
	S(dup_rtj, DUP_RTJ, GSAKMP_DUP_RTJ_LIST, "5.2.1.1 NOTE")               \
	S(interval_unit, INTERVAL_UNIT, GSAKMP_INTERVAL_UNIT_LIST,             \
	  "RFC 4534 3.1, B.5.3")                                               \
	S(loa_dup_nonce, LOA_DUP_NONCE, GSAKMP_LOA_DUP_NONCE_LIST, "5.2.1.5")  \
	S(expulsion, EXPULSION, GSAKMP_EXPULSION_LIST, "4.4.7, 5.3.2.3.1")     \
	S(speaker_sa, SPEAKER_SA, GSAKMP_SPEAKER_SA_LIST,                      \
	  "4.1.5, RFC 4534 B.1.1, C.1")                                        \
	S(operation, OPERATION, GSAKMP_OPERATION_LIST, "3.1, 4.4.7, 7.5.1")    \
	GPT_DIALECT_LIST(S) /* RFC 4534: enum gpt_token_... */

/* clang-format off */
#define V(name, text, meaning) GSAKMP_IV_KEYDL_##name,
enum gsakmp_iv_keydl { GSAKMP_IV_KEYDL_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_PAD_##name,
enum gsakmp_pad { GSAKMP_PAD_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_IV_REKEY_##name,
enum gsakmp_iv_rekey { GSAKMP_IV_REKEY_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_PKT_LEN_##name,
enum gsakmp_pkt_len { GSAKMP_PKT_LEN_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_KEK_BITS_##name,
enum gsakmp_kek_bits { GSAKMP_KEK_BITS_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_DH_SECRET_PAD_##name,
enum gsakmp_dh_secret_pad { GSAKMP_DH_SECRET_PAD_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_DH_PUB_PAD_##name,
enum gsakmp_dh_pub_pad { GSAKMP_DH_PUB_PAD_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_PT_FORM_##name,
enum gsakmp_pt_form { GSAKMP_PT_FORM_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_SIG_COVER_##name,
enum gsakmp_sig_cover { GSAKMP_SIG_COVER_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_SIG_LEN_FIELDS_##name,
enum gsakmp_sig_len_fields { GSAKMP_SIG_LEN_FIELDS_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_PT_REKEY_KEY_##name,
enum gsakmp_pt_rekey_key { GSAKMP_PT_REKEY_KEY_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_RED_SCOPE_##name,
enum gsakmp_red_scope { GSAKMP_RED_SCOPE_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_REH_GROUPID_##name,
enum gsakmp_reh_groupid { GSAKMP_REH_GROUPID_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_NONCE_C_##name,
enum gsakmp_nonce_c { GSAKMP_NONCE_C_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_GID_UTF8_RANDOM_##name,
enum gsakmp_gid_utf8_random { GSAKMP_GID_UTF8_RANDOM_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_DN_STRING_##name,
enum gsakmp_dn_string { GSAKMP_DN_STRING_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_ID_CLASS_CHOICE_##name,
enum gsakmp_id_class_choice { GSAKMP_ID_CLASS_CHOICE_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_MECH_CHOICE_##name,
enum gsakmp_mech_choice { GSAKMP_MECH_CHOICE_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_ACK_DATA_##name,
enum gsakmp_ack_data { GSAKMP_ACK_DATA_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_LOA_NOTIFY_##name,
enum gsakmp_loa_notify { GSAKMP_LOA_NOTIFY_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_REKEY_ORDER_##name,
enum gsakmp_rekey_order { GSAKMP_REKEY_ORDER_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_DATE_EQUAL_##name,
enum gsakmp_date_equal { GSAKMP_DATE_EQUAL_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_KEYPKG_LKH_BODY_##name,
enum gsakmp_keypkg_lkh_body { GSAKMP_KEYPKG_LKH_BODY_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_WRAP_WIDTH_##name,
enum gsakmp_wrap_width { GSAKMP_WRAP_WIDTH_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_DSA_ENC_##name,
enum gsakmp_dsa_enc { GSAKMP_DSA_ENC_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_ECDSA_HASH_##name,
enum gsakmp_ecdsa_hash { GSAKMP_ECDSA_HASH_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_ECDSA_ENC_##name,
enum gsakmp_ecdsa_enc { GSAKMP_ECDSA_ENC_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_RSA_SCHEME_##name,
enum gsakmp_rsa_scheme { GSAKMP_RSA_SCHEME_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_AES_CTR_KEY_##name,
enum gsakmp_aes_ctr_key { GSAKMP_AES_CTR_KEY_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_REKEY_NONE_ALGVER_##name,
enum gsakmp_rekey_none_algver { GSAKMP_REKEY_NONE_ALGVER_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_REKEY_COUNTS_##name,
enum gsakmp_rekey_counts { GSAKMP_REKEY_COUNTS_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_INVALID_CERT_CODE_##name,
enum gsakmp_invalid_cert_code { GSAKMP_INVALID_CERT_CODE_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_FRESHNESS_CODE_##name,
enum gsakmp_freshness_code { GSAKMP_FRESHNESS_CODE_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_UNEXPECTED_PAYLOAD_##name,
enum gsakmp_unexpected_payload { GSAKMP_UNEXPECTED_PAYLOAD_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_EDITION_EQUAL_##name,
enum gsakmp_edition_equal { GSAKMP_EDITION_EQUAL_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_DUP_RTJ_##name,
enum gsakmp_dup_rtj { GSAKMP_DUP_RTJ_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_INTERVAL_UNIT_##name,
enum gsakmp_interval_unit { GSAKMP_INTERVAL_UNIT_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_LOA_DUP_NONCE_##name,
enum gsakmp_loa_dup_nonce { GSAKMP_LOA_DUP_NONCE_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_SPEAKER_SA_##name,
enum gsakmp_speaker_sa { GSAKMP_SPEAKER_SA_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_OPERATION_##name,
enum gsakmp_operation_of { GSAKMP_OPERATION_LIST(V) };
#undef V
#define V(name, text, meaning) GSAKMP_EXPULSION_AS_##name,
enum gsakmp_expulsion_as { GSAKMP_EXPULSION_LIST(V) };
#undef V
/* clang-format on */

/* One small number per switch: an enum gsakmp_<field> of above. */
struct gsakmp_dialect {
#define S(field, prefix, list, where) uint8_t field;
	GSAKMP_DIALECT_LIST(S)
#undef S
};

/**
 * gsakmp_dialect_set - choose a reading by name, as configuration files do.
 *
 * Return: GK_OK; GK_ERR_UNEXPECTED when there is no switch @name, GK_ERR_VALUE
 * when the switch has no reading @value.  On error nothing changes.
 */
GK_MUST_CHECK enum gk_err gsakmp_dialect_set(struct gsakmp_dialect *dialect,
                                             const char *name,
                                             const char *value);

/* gsakmp_dialect_get - the name of the reading in force; NULL when there is no
 * switch @name. */
const char *gsakmp_dialect_get(const struct gsakmp_dialect *dialect,
                               const char *name);

/* gsakmp_dialect_switches - every switch, every reading, for documentation and
 * completion; sections are of RFC 4535 when no other RFC is named. */
const struct gk_switch *gsakmp_dialect_switches(size_t *count);

/* The two switches whose readings are numbers. */
uint16_t gsakmp_dialect_invalid_cert(const struct gsakmp_dialect *dialect);
uint16_t gsakmp_dialect_freshness(const struct gsakmp_dialect *dialect);
/* The notification of a Lack of Ack, the classification of a Member ID. */
uint16_t gsakmp_dialect_loa(const struct gsakmp_dialect *dialect);
uint8_t gsakmp_dialect_classification(const struct gsakmp_dialect *dialect);

#endif /* GSAKMP_MESSAGE_DIALECT_H */
