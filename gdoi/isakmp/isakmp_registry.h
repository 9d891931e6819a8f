/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_REGISTRY_H
#define GDOI_ISAKMP_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * DOC: the registries of ISAKMP and of GDOI, each in one place
 *
 * X(name, value, text): the enum and the name used in logs are made from these
 * lists.  What stands in no RFC but in IANA's registry of ISAKMP says so.
 */

/* RFC 2408 section 3.1, RFC 3947 section 3.2, RFC 6407 section 5 */
#define ISAKMP_PAYLOAD_LIST(X)       \
	X(NONE, 0, "None")           \
	X(SA, 1, "SA")               \
	X(PROPOSAL, 2, "Proposal")   \
	X(TRANSFORM, 3, "Transform") \
	X(KE, 4, "KE")               \
	X(ID, 5, "ID")               \
	X(CERT, 6, "CERT")           \
	X(CERT_REQUEST, 7, "CR")     \
	X(HASH, 8, "HASH")           \
	X(SIG, 9, "SIG")             \
	X(NONCE, 10, "NONCE")        \
	X(NOTIFICATION, 11, "N")     \
	X(DELETE, 12, "D")           \
	X(VENDOR_ID, 13, "VID")      \
	X(SAK, 15, "SAK")            \
	X(SAT, 16, "SAT")            \
	X(KD, 17, "KD")              \
	X(SEQ, 18, "SEQ")            \
	X(NAT_D, 20, "NAT-D")        \
	X(NAT_OA, 21, "NAT-OA")      \
	X(GAP, 22, "GAP")

/* RFC 2408 section 3.1, RFC 6407 section 3.2.1 and 4.2, RFC 8263 section 3 */
#define ISAKMP_EXCHANGE_LIST(X)                          \
	X(IDENTITY_PROTECTION, 2, "Identity Protection") \
	X(AGGRESSIVE, 4, "Aggressive")                   \
	X(INFORMATIONAL, 5, "Informational")             \
	X(GROUPKEY_PULL, 32, "GROUPKEY-PULL")            \
	X(GROUPKEY_PUSH, 33, "GROUPKEY-PUSH")            \
	X(GROUPKEY_PUSH_ACK, 35, "GROUPKEY-PUSH-ACK")

/* RFC 2408 section 3.4, RFC 2407 section 4.2.1, RFC 6407 section 2.1 */
#define ISAKMP_DOI_LIST(X)     \
	X(ISAKMP, 0, "ISAKMP") \
	X(IPSEC, 1, "IPsec")   \
	X(GDOI, 2, "GDOI")

/* RFC 2408 section 3.14.1; from 24576 on RFC 2407 section 4.6.3; the last two RFC
 * 3706 section 5.3 */
#define ISAKMP_NOTIFY_LIST(X)                                         \
	X(NONE, 0, "none")                                            \
	X(INVALID_PAYLOAD_TYPE, 1, "INVALID-PAYLOAD-TYPE")            \
	X(DOI_NOT_SUPPORTED, 2, "DOI-NOT-SUPPORTED")                  \
	X(SITUATION_NOT_SUPPORTED, 3, "SITUATION-NOT-SUPPORTED")      \
	X(INVALID_COOKIE, 4, "INVALID-COOKIE")                        \
	X(INVALID_MAJOR_VERSION, 5, "INVALID-MAJOR-VERSION")          \
	X(INVALID_MINOR_VERSION, 6, "INVALID-MINOR-VERSION")          \
	X(INVALID_EXCHANGE_TYPE, 7, "INVALID-EXCHANGE-TYPE")          \
	X(INVALID_FLAGS, 8, "INVALID-FLAGS")                          \
	X(INVALID_MESSAGE_ID, 9, "INVALID-MESSAGE-ID")                \
	X(INVALID_PROTOCOL_ID, 10, "INVALID-PROTOCOL-ID")             \
	X(INVALID_SPI, 11, "INVALID-SPI")                             \
	X(INVALID_TRANSFORM_ID, 12, "INVALID-TRANSFORM-ID")           \
	X(ATTRIBUTES_NOT_SUPPORTED, 13, "ATTRIBUTES-NOT-SUPPORTED")   \
	X(NO_PROPOSAL_CHOSEN, 14, "NO-PROPOSAL-CHOSEN")               \
	X(BAD_PROPOSAL_SYNTAX, 15, "BAD-PROPOSAL-SYNTAX")             \
	X(PAYLOAD_MALFORMED, 16, "PAYLOAD-MALFORMED")                 \
	X(INVALID_KEY_INFORMATION, 17, "INVALID-KEY-INFORMATION")     \
	X(INVALID_ID_INFORMATION, 18, "INVALID-ID-INFORMATION")       \
	X(INVALID_CERT_ENCODING, 19, "INVALID-CERT-ENCODING")         \
	X(INVALID_CERTIFICATE, 20, "INVALID-CERTIFICATE")             \
	X(CERT_TYPE_UNSUPPORTED, 21, "CERT-TYPE-UNSUPPORTED")         \
	X(INVALID_CERT_AUTHORITY, 22, "INVALID-CERT-AUTHORITY")       \
	X(INVALID_HASH_INFORMATION, 23, "INVALID-HASH-INFORMATION")   \
	X(AUTHENTICATION_FAILED, 24, "AUTHENTICATION-FAILED")         \
	X(INVALID_SIGNATURE, 25, "INVALID-SIGNATURE")                 \
	X(ADDRESS_NOTIFICATION, 26, "ADDRESS-NOTIFICATION")           \
	X(SA_LIFETIME, 27, "NOTIFY-SA-LIFETIME")                      \
	X(CERTIFICATE_UNAVAILABLE, 28, "CERTIFICATE-UNAVAILABLE")     \
	X(UNSUPPORTED_EXCHANGE_TYPE, 29, "UNSUPPORTED-EXCHANGE-TYPE") \
	X(UNEQUAL_PAYLOAD_LENGTHS, 30, "UNEQUAL-PAYLOAD-LENGTHS")     \
	X(CONNECTED, 16384, "CONNECTED")                              \
	X(RESPONDER_LIFETIME, 24576, "RESPONDER-LIFETIME")            \
	X(REPLAY_STATUS, 24577, "REPLAY-STATUS")                      \
	X(INITIAL_CONTACT, 24578, "INITIAL-CONTACT")                  \
	X(R_U_THERE, 36136, "R-U-THERE")                              \
	X(R_U_THERE_ACK, 36137, "R-U-THERE-ACK")

/* RFC 2407 section 4.6.2.1, RFC 8052 section 2.1 */
#define ISAKMP_ID_LIST(X)                             \
	X(IPV4_ADDR, 1, "ID_IPV4_ADDR")               \
	X(FQDN, 2, "ID_FQDN")                         \
	X(USER_FQDN, 3, "ID_USER_FQDN")               \
	X(IPV4_ADDR_SUBNET, 4, "ID_IPV4_ADDR_SUBNET") \
	X(IPV6_ADDR, 5, "ID_IPV6_ADDR")               \
	X(IPV6_ADDR_SUBNET, 6, "ID_IPV6_ADDR_SUBNET") \
	X(IPV4_ADDR_RANGE, 7, "ID_IPV4_ADDR_RANGE")   \
	X(IPV6_ADDR_RANGE, 8, "ID_IPV6_ADDR_RANGE")   \
	X(DER_ASN1_DN, 9, "ID_DER_ASN1_DN")           \
	X(DER_ASN1_GN, 10, "ID_DER_ASN1_GN")          \
	X(KEY_ID, 11, "ID_KEY_ID")                    \
	X(OID, 13, "ID_OID")

/* RFC 6407 section 5.5, RFC 8052 section 2.2; 0 is the KEK's in a Delete */
#define GDOI_PROTOCOL_LIST(X)             \
	X(KEK, 0, "KEK")                  \
	X(ESP, 1, "GDOI_PROTO_IPSEC_ESP") \
	X(AH, 2, "GDOI_PROTO_IPSEC_AH")   \
	X(IEC_61850, 3, "GDOI_PROTO_IEC_61850")

/* RFC 6407 section 5.3, RFC 8263 section 3 */
#define GDOI_KEK_ATTRIBUTE_LIST(X)                             \
	X(MANAGEMENT_ALGORITHM, 1, "KEK_MANAGEMENT_ALGORITHM") \
	X(ALGORITHM, 2, "KEK_ALGORITHM")                       \
	X(KEY_LENGTH, 3, "KEK_KEY_LENGTH")                     \
	X(KEY_LIFETIME, 4, "KEK_KEY_LIFETIME")                 \
	X(SIG_HASH, 5, "SIG_HASH_ALGORITHM")                   \
	X(SIG_ALGORITHM, 6, "SIG_ALGORITHM")                   \
	X(SIG_KEY_LENGTH, 7, "SIG_KEY_LENGTH")                 \
	X(ACK_REQUESTED, 9, "KEK_ACK_REQUESTED")

/* RFC 6407 section 5.3.2 */
#define GDOI_KEK_ALG_LIST(X)       \
	X(DES, 1, "KEK_ALG_DES")   \
	X(3DES, 2, "KEK_ALG_3DES") \
	X(AES, 3, "KEK_ALG_AES")

/* RFC 6407 section 5.3.5 */
#define GDOI_SIG_HASH_LIST(X)           \
	X(MD5, 1, "SIG_HASH_MD5")       \
	X(SHA1, 2, "SIG_HASH_SHA1")     \
	X(SHA256, 3, "SIG_HASH_SHA256") \
	X(SHA384, 4, "SIG_HASH_SHA384") \
	X(SHA512, 5, "SIG_HASH_SHA512")

/* RFC 6407 section 5.3.6 */
#define GDOI_SIG_ALG_LIST(X)                 \
	X(RSA, 1, "SIG_ALG_RSA")             \
	X(DSS, 2, "SIG_ALG_DSS")             \
	X(ECDSS, 3, "SIG_ALG_ECDSS")         \
	X(ECDSA_256, 4, "SIG_ALG_ECDSA-256") \
	X(ECDSA_384, 5, "SIG_ALG_ECDSA-384") \
	X(ECDSA_521, 6, "SIG_ALG_ECDSA-521")

/* RFC 6407 section 5.4 */
#define GDOI_GAP_ATTRIBUTE_LIST(X)                          \
	X(ACTIVATION_DELAY, 1, "ACTIVATION_TIME_DELAY")     \
	X(DEACTIVATION_DELAY, 2, "DEACTIVATION_TIME_DELAY") \
	X(SENDER_ID_REQUEST, 3, "SENDER_ID_REQUEST")

/* RFC 6407 section 5.6 */
#define GDOI_KD_LIST(X)  \
	X(TEK, 1, "TEK") \
	X(KEK, 2, "KEK") \
	X(LKH, 3, "LKH") \
	X(SID, 4, "SID")

/* RFC 2407 section 4.5; 10 to 15 are IANA's: RFC 4359 defines 12 and 13, RFC
 * 6407 section 5.5.1.1 gives 14 and 15 their names and values */
#define GDOI_SA_ATTRIBUTE_LIST(X)                                     \
	X(LIFE_TYPE, 1, "SA Life Type")                               \
	X(LIFE_DURATION, 2, "SA Life Duration")                       \
	X(GROUP_DESCRIPTION, 3, "Group Description")                  \
	X(ENCAPSULATION_MODE, 4, "Encapsulation Mode")                \
	X(AUTHENTICATION, 5, "Authentication Algorithm")              \
	X(KEY_LENGTH, 6, "Key Length")                                \
	X(KEY_ROUNDS, 7, "Key Rounds")                                \
	X(COMPRESS_DICTIONARY, 8, "Compress Dictionary Size")         \
	X(COMPRESS_PRIVATE, 9, "Compress Private Algorithm")          \
	X(ECN_TUNNEL, 10, "ECN Tunnel")                               \
	X(EXTENDED_SEQUENCE, 11, "Extended (64-bit) Sequence Number") \
	X(AUTHENTICATION_LENGTH, 12, "Authentication Key Length")     \
	X(SIGNATURE_ENCODING, 13, "Signature Encoding Algorithm")     \
	X(ADDRESS_PRESERVATION, 14, "Address Preservation")           \
	X(SA_DIRECTION, 15, "SA Direction")

/* RFC 8052 section 4 */
#define GDOI_IEC_AUTH_LIST(X)                    \
	X(NONE, 1, "NONE")                       \
	X(HMAC_SHA256_128, 2, "HMAC-SHA256-128") \
	X(HMAC_SHA256, 3, "HMAC-SHA256")         \
	X(AES_GMAC_128, 4, "AES-GMAC-128")       \
	X(AES_GMAC_256, 5, "AES-GMAC-256")

#define GDOI_IEC_ENC_LIST(X)             \
	X(NONE, 1, "NONE")               \
	X(AES_CBC_128, 2, "AES-CBC-128") \
	X(AES_CBC_256, 3, "AES-CBC-256") \
	X(AES_GCM_128, 4, "AES-GCM-128") \
	X(AES_GCM_256, 5, "AES-GCM-256")

#define GDOI_IEC_ATTRIBUTE_LIST(X) \
	X(ATD, 1, "SA_ATD")        \
	X(KDA, 2, "SA_KDA")

/* RFC 8263 section 2 */
#define GDOI_ACK_LIST(X)                         \
	X(KEK_SHA256, 1, "REKEY_ACK_KEK_SHA256") \
	X(LKH_SHA256, 2, "REKEY_ACK_LKH_SHA256") \
	X(KEK_SHA512, 3, "REKEY_ACK_KEK_SHA512") \
	X(LKH_SHA512, 4, "REKEY_ACK_LKH_SHA512")

/* T(TABLE, enum, PREFIX, list): everything above. */
#define ISAKMP_TABLE_LIST(T)                                                 \
	T(PAYLOAD, isakmp_payload_type, ISAKMP_PAYLOAD, ISAKMP_PAYLOAD_LIST) \
	T(EXCHANGE, isakmp_exchange_type, ISAKMP_EXCHANGE,                   \
	  ISAKMP_EXCHANGE_LIST)                                              \
	T(DOI, isakmp_doi, ISAKMP_DOI, ISAKMP_DOI_LIST)                      \
	T(NOTIFY, isakmp_notify, ISAKMP_NOTIFY, ISAKMP_NOTIFY_LIST)          \
	T(ID, isakmp_id_type, ISAKMP_ID, ISAKMP_ID_LIST)                     \
	T(PROTOCOL, gdoi_protocol, GDOI_PROTOCOL, GDOI_PROTOCOL_LIST)        \
	T(KEK_ATTRIBUTE, gdoi_kek_attribute, GDOI_KEK_ATTRIBUTE,             \
	  GDOI_KEK_ATTRIBUTE_LIST)                                           \
	T(KEK_ALG, gdoi_kek_alg, GDOI_KEK_ALG, GDOI_KEK_ALG_LIST)            \
	T(SIG_HASH, gdoi_sig_hash, GDOI_SIG_HASH, GDOI_SIG_HASH_LIST)        \
	T(SIG_ALG, gdoi_sig_alg, GDOI_SIG_ALG, GDOI_SIG_ALG_LIST)            \
	T(GAP_ATTRIBUTE, gdoi_gap_attribute, GDOI_GAP_ATTRIBUTE,             \
	  GDOI_GAP_ATTRIBUTE_LIST)                                           \
	T(KD, gdoi_kd_type, GDOI_KD, GDOI_KD_LIST)                           \
	T(SA_ATTRIBUTE, gdoi_sa_attribute, GDOI_SA_ATTRIBUTE,                \
	  GDOI_SA_ATTRIBUTE_LIST)                                            \
	T(IEC_AUTH, gdoi_iec_auth, GDOI_IEC_AUTH, GDOI_IEC_AUTH_LIST)        \
	T(IEC_ENC, gdoi_iec_enc, GDOI_IEC_ENC, GDOI_IEC_ENC_LIST)            \
	T(IEC_ATTRIBUTE, gdoi_iec_attribute, GDOI_IEC_ATTRIBUTE,             \
	  GDOI_IEC_ATTRIBUTE_LIST)                                           \
	T(ACK, gdoi_ack, GDOI_ACK, GDOI_ACK_LIST)

#define X(name, value, text) ISAKMP_PAYLOAD_##name = (value),
enum isakmp_payload_type { ISAKMP_PAYLOAD_LIST(X) };
#undef X
#define X(name, value, text) ISAKMP_EXCHANGE_##name = (value),
enum isakmp_exchange_type { ISAKMP_EXCHANGE_LIST(X) };
#undef X
#define X(name, value, text) ISAKMP_DOI_##name = (value),
enum isakmp_doi { ISAKMP_DOI_LIST(X) };
#undef X
#define X(name, value, text) ISAKMP_NOTIFY_##name = (value),
enum isakmp_notify { ISAKMP_NOTIFY_LIST(X) };
#undef X
#define X(name, value, text) ISAKMP_ID_##name = (value),
enum isakmp_id_type { ISAKMP_ID_LIST(X) };
#undef X
#define X(name, value, text) GDOI_PROTOCOL_##name = (value),
enum gdoi_protocol { GDOI_PROTOCOL_LIST(X) };
#undef X
#define X(name, value, text) GDOI_KEK_ATTRIBUTE_##name = (value),
enum gdoi_kek_attribute { GDOI_KEK_ATTRIBUTE_LIST(X) };
#undef X
#define X(name, value, text) GDOI_KEK_ALG_##name = (value),
enum gdoi_kek_alg { GDOI_KEK_ALG_LIST(X) };
#undef X
#define X(name, value, text) GDOI_SIG_HASH_##name = (value),
enum gdoi_sig_hash { GDOI_SIG_HASH_LIST(X) };
#undef X
#define X(name, value, text) GDOI_SIG_ALG_##name = (value),
enum gdoi_sig_alg { GDOI_SIG_ALG_LIST(X) };
#undef X
#define X(name, value, text) GDOI_GAP_ATTRIBUTE_##name = (value),
enum gdoi_gap_attribute { GDOI_GAP_ATTRIBUTE_LIST(X) };
#undef X
#define X(name, value, text) GDOI_KD_##name = (value),
enum gdoi_kd_type { GDOI_KD_LIST(X) };
#undef X
#define X(name, value, text) GDOI_SA_ATTRIBUTE_##name = (value),
enum gdoi_sa_attribute { GDOI_SA_ATTRIBUTE_LIST(X) };
#undef X
#define X(name, value, text) GDOI_IEC_AUTH_##name = (value),
enum gdoi_iec_auth { GDOI_IEC_AUTH_LIST(X) };
#undef X
#define X(name, value, text) GDOI_IEC_ENC_##name = (value),
enum gdoi_iec_enc { GDOI_IEC_ENC_LIST(X) };
#undef X
#define X(name, value, text) GDOI_IEC_ATTRIBUTE_##name = (value),
enum gdoi_iec_attribute { GDOI_IEC_ATTRIBUTE_LIST(X) };
#undef X
#define X(name, value, text) GDOI_ACK_##name = (value),
enum gdoi_ack { GDOI_ACK_LIST(X) };
#undef X

enum isakmp_table {
#define T(name, type, prefix, list) ISAKMP_TABLE_##name,
	ISAKMP_TABLE_LIST(T)
#undef T
};

/* isakmp_code_known - is @value listed in @table? */
bool isakmp_code_known(enum isakmp_table table, uint32_t value);
/* isakmp_code_text - its name; "unknown" for what is not listed. */
const char *isakmp_code_text(enum isakmp_table table, uint32_t value);

/* isakmp_payload_is_sa_attribute - RFC 6407 section 5.2.1: SAK, GAP or SAT. */
static inline bool
isakmp_payload_is_sa_attribute(uint32_t type)
{
	return type == ISAKMP_PAYLOAD_SAK || type == ISAKMP_PAYLOAD_SAT ||
	       type == ISAKMP_PAYLOAD_GAP;
}

#endif /* GDOI_ISAKMP_REGISTRY_H */
