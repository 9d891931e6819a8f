/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_MESSAGE_DIALECT_H
#define GDOI_MESSAGE_DIALECT_H

#include "common/base/gk_switch.h"

/*
 * DOC: readings of the RFCs
 *
 * Where RFC 6407, 8263, 8052 or their phase 1 can be read in more than one way,
 * and the difference shows on the wire, there is a switch: a name, and readings
 * of which the first is the default.  A zeroed struct gdoi_dialect is the
 * default dialect.  The last ones are habits of one peer and never a default.
 *
 * V(NAME, "name", "what it means")
 */

/* clang-format off */
#define GDOI_P1_DOI_LIST(V) \
	V(2, "2", "the GDOI DOI") \
	V(1, "1", "the IPsec DOI, for plain IKEv1 peers") \
	V(0, "0", "generic ISAKMP")

#define GDOI_P1_SITUATION_LIST(V) \
	V(0, "0", "zero, as 5.2 has it for every SA payload") \
	V(1, "1", "SIT_IDENTITY_ONLY, kept from RFC 2407")

#define GDOI_P1_SITUATION_ACCEPT_LIST(V) \
	V(ANY, "any", "0 and 1 are both taken") \
	V(EXACT, "exact", "p1_situation and nothing else")

#define GDOI_P1_ECDSA_LIST(V) \
	V(DIGEST, "digest", "HASH_I is what is signed") \
	V(HASHED, "hashed", "the hash of HASH_I is signed")

#define GDOI_P1_ECDSA_PRF_LIST(V) \
	V(TIED, "tied", "HMAC of the hash that belongs to the curve") \
	V(NEGOTIATED, "negotiated", "the negotiated prf")

#define GDOI_P1_ID_PORT_LIST(V) \
	V(0_0, "0/0", "protocol 0, port 0") \
	V(17_0, "17/0", "UDP, port 0") \
	V(17_500, "17/500", "UDP, port 500") \
	V(17_848, "17/848", "UDP, port 848")

#define GDOI_P1_ID_PORT_ACCEPT_LIST(V) \
	V(0_500_848, "0,500,848", "0, 500 and 848") \
	V(0_500, "0,500", "0 and 500") \
	V(0, "0", "0 alone") \
	V(ANY, "any", "every port")

#define GDOI_P1_DELETE_DOI_LIST(V) \
	V(2, "2", "that of the phase 1 SA") \
	V(1, "1", "IPsec") \
	V(0, "0", "ISAKMP")

#define GDOI_AM3_ENCRYPT_LIST(V) \
	V(YES, "yes", "encrypted") \
	V(NO, "no", "in clear, as drawn")

#define GDOI_PAD_LIST(V) \
	V(ZERO, "zero", "zero octets, none when aligned") \
	V(ZERO_LEN, "zero-len", "zero octets and their count, always")

#define GDOI_PAD_ACCEPT_LIST(V) \
	V(ANY, "any", "any octets, less than a block, or a whole one") \
	V(ZERO, "zero", "zero octets, as few as possible")

#define GDOI_ID_PROT_OCTET_LIST(V) \
	V(FIGURE, "figure", "no DST ID Prot octet") \
	V(TEXT, "text", "a DST ID Prot octet before DST ID Port")

#define GDOI_SIG_KEY_FORMAT_LIST(V) \
	V(SPKI, "spki", "DER SubjectPublicKeyInfo") \
	V(PKCS1, "pkcs1", "RSAPublicKey") \
	V(X509, "x509", "a certificate") \
	V(X962, "x962", "the uncompressed point") \
	V(RAW, "raw", "modulus, or x|y")

#define GDOI_OID_ENCODING_LIST(V) \
	V(TLV, "tlv", "tag, length and contents") \
	V(CONTENT, "content", "the contents octets")

#define GDOI_PUSH_IV_LIST(V) \
	V(KEK, "kek", "the downloaded IV, each time") \
	V(CHAINED, "chained", "last ciphertext block of the PUSH before") \
	V(PREPENDED, "prepended", "an IV in front of the ciphertext") \
	V(ZERO, "zero", "zero octets")

#define GDOI_PUSH_SIG_HDR_LIST(V) \
	V(UNPADDED, "unpadded", "Length before padding, E flag set") \
	V(FINAL, "final", "as transmitted") \
	V(CLEAR, "clear", "Length before padding, E flag clear")

#define GDOI_PUSH_SIG_PREFIX_LIST(V) \
	V(REKEY, "rekey", "five octets") \
	V(REKEY_NUL, "rekey-nul", "six, with a NUL")

#define GDOI_PUSH_SEQ_NEW_KEK_LIST(V) \
	V(NEW_SA, "new-sa", "1 in the first message under the new KEK") \
	V(CARRIER, "carrier", "1 in the message that brings it") \
	V(CONTINUE, "continue", "never restarts")

#define GDOI_PUSH_KEK_ONLY_TEK_LIST(V) \
	V(OPTIONAL, "optional", "a PUSH may bring a KEK and no TEK") \
	V(REQUIRED, "required", "at least one TEK each time")

#define GDOI_LKH_WRAP_LIST(V) \
	V(IV_KEY, "iv+key", "CBC over IV and key, under key and IV of the key before") \
	V(KEY_OWN_IV, "key-own-iv", "the new IV in clear, the key under it") \
	V(ECB_KEY, "ecb-key", "the new IV in clear, the key by ECB")

#define GDOI_LKH_KEK_PACKET_LIST(V) \
	V(LKH_ONLY, "lkh-only", "the LKH packet holds the KEK") \
	V(BOTH, "both", "a KEK packet beside it")

#define GDOI_SID_LEN_LIST(V) \
	V(MIN, "min", "as many octets as the bits need") \
	V(4, "4", "four octets")

#define GDOI_ANY_SOURCE_LIST(V) \
	V(LEN0, "len0", "SRC ID Data Len 0") \
	V(ZERO3, "zero3", "three octets of zero")

#define GDOI_ATD_IN_PULL_LIST(V) \
	V(APPLY, "apply", "honoured") \
	V(IGNORE, "ignore", "a PUSH's alone")

#define GDOI_PULL_SEQ_REQUIRED_LIST(V) \
	V(YES, "yes", "a SAK wants a SEQ in message 4") \
	V(NO, "no", "SEQ may be missing")

#define GDOI_KEK_MGMT_IN_PULL_LIST(V) \
	V(OMIT, "omit", "never in a PULL") \
	V(INCLUDE, "include", "in a PULL alone")

#define GDOI_DSS_FORMAT_LIST(V) \
	V(RS, "rs", "r|s") \
	V(DER, "der", "DER SEQUENCE {r, s}")

#define GDOI_DELETE_ZERO_SPI_LIST(V) \
	V(SIZED, "sized", "as many zero octets as an SPI has") \
	V(LEN4, "len4", "four") \
	V(LEN1, "len1", "one")

#define GDOI_ACK_POLICY_LIST(V) \
	V(LATEST, "latest", "that of the SAK in the message") \
	V(PROTECTING, "protecting", "that of the Rekey SA it came under")

#define GDOI_ACK_L_LIST(V) \
	V(BLOCK, "block", "the block of the hash") \
	V(OUTPUT, "output", "the output of the hash") \
	V(FIXED512, "fixed512", "512") \
	V(BASEKEY, "basekey", "the length of base_key")

#define GDOI_ACK_LABEL_LIST(V) \
	V(NUL, "nul", "one NUL behind the label") \
	V(PLAIN, "plain", "none") \
	V(DOUBLE_NUL, "double-nul", "two: that of SP 800-108, too")

#define GDOI_ACK_HASH_LIST(V) \
	V(HEADERS, "headers", "over the payloads with generic headers") \
	V(BODIES, "bodies", "over their bodies")

#define GDOI_ACK_REPLAY_LIST(V) \
	V(SILENT, "silent", "a repeated PUSH is not acknowledged") \
	V(REACK, "reack", "it is, again")

#define GDOI_SID_FOR_IEC61850_LIST(V) \
	V(OMIT, "omit", "no SID packet") \
	V(INCLUDE, "include", "one, for GCM and GMAC")

#define GDOI_IEC_ATTR_FILLER_LIST(V) \
	V(NONE, "none", "SATs follow each other") \
	V(NP, "np", "four octets between two, as drawn")

#define GDOI_IEC_ALG_NUMBERS_LIST(V) \
	V(REGISTRY, "registry", "those of the registry") \
	V(FIGURE, "figure", "authentication counts from 0, as drawn")

#define GDOI_IEC_ATD_LIST(V) \
	V(V4, "v4", "four octets, Variable") \
	V(B, "b", "Basic")

#define GDOI_GROUP_ID_ORDER_LIST(V) \
	V(BIG, "big", "big-endian") \
	V(LITTLE, "little", "little-endian")

#define GDOI_SAK_RESERVED_LIST(V) \
	V(4, "4", "four octets after the SPI") \
	V(6, "6", "six")

#define GDOI_SAT_ADDRESS_ORDER_LIST(V) \
	V(NETWORK, "network", "network order") \
	V(REVERSED, "reversed", "each four octets reversed")

#define GDOI_PUSH_RSA_FORM_LIST(V) \
	V(DIGESTINFO, "digestinfo", "EMSA-PKCS1-v1_5") \
	V(BARE, "bare", "type 1 padding of the bare hash")

#define GDOI_KEK_LIFETIME_FORM_LIST(V) \
	V(V4, "v4", "four octets, Variable") \
	V(B, "b", "Basic")

#define GDOI_KD_KEK_SPI_LIST(V) \
	V(NEW, "new", "the SPI that the SAK announces") \
	V(OLD, "old", "that of the KEK in force")

#define GDOI_SAK_REPEAT_LIST(V) \
	V(NEW, "new", "the SAK of the KEK in force is not sent again") \
	V(ALWAYS, "always", "in every PUSH")

#define GDOI_ATTRIBUTE_ZERO_LIST(V) \
	V(REFUSE, "refuse", "the value 0 is refused") \
	V(ABSENT, "absent", "0 means: not said")

#define GDOI_GCM_KEY_LENGTH_LIST(V) \
	V(KEY, "key", "Key Length is that of the key") \
	V(KEY_SALT, "key-salt", "of key and salt")

#define GDOI_AH_AUTHENTICATION_LIST(V) \
	V(SAID, "said", "each SAT for AH says it") \
	V(IMPLIED, "implied", "the transform says it: not sent, and may be missing")

#define GDOI_SID_FORM_LIST(V) \
	V(BIG, "big", "big-endian") \
	V(LITTLE4, "little4", "four octets, little-endian")

/* S(field, PREFIX, list, "where"): sections are of RFC 6407 when no other RFC is
 * named. */
#define GDOI_DIALECT_LIST(S) \
	S(p1_doi, P1_DOI, GDOI_P1_DOI_LIST, "2.1") \
	S(p1_situation, P1_SITUATION, GDOI_P1_SITUATION_LIST, "2, 5.2; RFC 2407 4.2") \
	S(p1_situation_accept, P1_SITUATION_ACCEPT, GDOI_P1_SITUATION_ACCEPT_LIST, "2, 5.2") \
	S(p1_ecdsa, P1_ECDSA, GDOI_P1_ECDSA_LIST, "RFC 2409 5.1; RFC 4754 3") \
	S(p1_ecdsa_prf, P1_ECDSA_PRF, GDOI_P1_ECDSA_PRF_LIST, "RFC 2409 5.1; RFC 4754 3") \
	S(p1_id_port, P1_ID_PORT, GDOI_P1_ID_PORT_LIST, "5.1; RFC 2407 4.6.2") \
	S(p1_id_port_accept, P1_ID_PORT_ACCEPT, GDOI_P1_ID_PORT_ACCEPT_LIST, "RFC 2407 4.6.2") \
	S(p1_delete_doi, P1_DELETE_DOI, GDOI_P1_DELETE_DOI_LIST, "5.9; RFC 2408 3.15") \
	S(am3_encrypt, AM3_ENCRYPT, GDOI_AM3_ENCRYPT_LIST, "RFC 2409 5") \
	S(pad, PAD, GDOI_PAD_LIST, "RFC 2409 B") \
	S(pad_accept, PAD_ACCEPT, GDOI_PAD_ACCEPT_LIST, "RFC 2409 B") \
	S(id_prot_octet, ID_PROT_OCTET, GDOI_ID_PROT_OCTET_LIST, "5.3, 5.5.1") \
	S(sig_key_format, SIG_KEY_FORMAT, GDOI_SIG_KEY_FORMAT_LIST, "5.6.2.2") \
	S(oid_encoding, OID_ENCODING, GDOI_OID_ENCODING_LIST, "RFC 8052 2.1, A") \
	S(push_iv, PUSH_IV, GDOI_PUSH_IV_LIST, "5.6.2.1, 4") \
	S(push_sig_hdr, PUSH_SIG_HDR, GDOI_PUSH_SIG_HDR_LIST, "4, 4.2") \
	S(push_sig_prefix, PUSH_SIG_PREFIX, GDOI_PUSH_SIG_PREFIX_LIST, "4") \
	S(push_seq_new_kek, PUSH_SEQ_NEW_KEK, GDOI_PUSH_SEQ_NEW_KEK_LIST, "3.2, 4, 4.3; RFC 3547 4") \
	S(push_kek_only_tek, PUSH_KEK_ONLY_TEK, GDOI_PUSH_KEK_ONLY_TEK_LIST, "5.6.1, 7.4.1") \
	S(lkh_wrap, LKH_WRAP, GDOI_LKH_WRAP_LIST, "5.6.3.2") \
	S(lkh_kek_packet, LKH_KEK_PACKET, GDOI_LKH_KEK_PACKET_LIST, "3.3, 5.6.2, 5.6.3") \
	S(sid_len, SID_LEN, GDOI_SID_LEN_LIST, "5.6.4.2") \
	S(any_source, ANY_SOURCE, GDOI_ANY_SOURCE_LIST, "5.5.1; RFC 3547 5.4.1") \
	S(atd_in_pull, ATD_IN_PULL, GDOI_ATD_IN_PULL_LIST, "5.4; RFC 8052 2.2.4.1") \
	S(pull_seq_required, PULL_SEQ_REQUIRED, GDOI_PULL_SEQ_REQUIRED_LIST, "3.2, 5.7") \
	S(kek_mgmt_in_pull, KEK_MGMT_IN_PULL, GDOI_KEK_MGMT_IN_PULL_LIST, "5.3; RFC 3547 5.3.1") \
	S(dss_format, DSS_FORMAT, GDOI_DSS_FORMAT_LIST, "5.3.6.2; RFC 2409 5.1") \
	S(delete_zero_spi, DELETE_ZERO_SPI, GDOI_DELETE_ZERO_SPI_LIST, "5.9") \
	S(ack_policy, ACK_POLICY, GDOI_ACK_POLICY_LIST, "RFC 8263 4, 5, 7.2") \
	S(ack_l, ACK_L, GDOI_ACK_L_LIST, "RFC 8263 3.2") \
	S(ack_label, ACK_LABEL, GDOI_ACK_LABEL_LIST, "RFC 8263 3.2") \
	S(ack_hash, ACK_HASH, GDOI_ACK_HASH_LIST, "RFC 8263 3.2") \
	S(ack_replay, ACK_REPLAY, GDOI_ACK_REPLAY_LIST, "RFC 8263 6, 7.2") \
	S(sid_for_iec61850, SID_FOR_IEC61850, GDOI_SID_FOR_IEC61850_LIST, "5.6.4.4; RFC 8052 2.3") \
	S(iec_attr_filler, IEC_ATTR_FILLER, GDOI_IEC_ATTR_FILLER_LIST, "RFC 8052 A figure 8") \
	S(iec_alg_numbers, IEC_ALG_NUMBERS, GDOI_IEC_ALG_NUMBERS_LIST, "RFC 8052 4, A") \
	S(iec_atd, IEC_ATD, GDOI_IEC_ATD_LIST, "RFC 8052 4, A") \
	S(group_id_order, GROUP_ID_ORDER, GDOI_GROUP_ID_ORDER_LIST, "5.1") \
	S(sak_reserved, SAK_RESERVED, GDOI_SAK_RESERVED_LIST, "5.3") \
	S(sat_address_order, SAT_ADDRESS_ORDER, GDOI_SAT_ADDRESS_ORDER_LIST, "5.5.1") \
	S(push_rsa_form, PUSH_RSA_FORM, GDOI_PUSH_RSA_FORM_LIST, "5.3.6.1") \
	S(kek_lifetime_form, KEK_LIFETIME_FORM, GDOI_KEK_LIFETIME_FORM_LIST, "5.3, 5.3.4") \
	S(kd_kek_spi, KD_KEK_SPI, GDOI_KD_KEK_SPI_LIST, "5.6") \
	S(sak_repeat, SAK_REPEAT, GDOI_SAK_REPEAT_LIST, "4") \
	S(attribute_zero, ATTRIBUTE_ZERO, GDOI_ATTRIBUTE_ZERO_LIST, "5.5.1.1") \
	S(gcm_key_length, GCM_KEY_LENGTH, GDOI_GCM_KEY_LENGTH_LIST, "5.5.1; RFC 4106 8.4") \
	S(sid_form, SID_FORM, GDOI_SID_FORM_LIST, "5.6.4.2") \
	S(ah_authentication, AH_AUTHENTICATION, GDOI_AH_AUTHENTICATION_LIST, "5.5.1; RFC 2407 4.4.3, 4.5")

#define V(name, text, meaning) GDOI_P1_DOI_##name,
enum gdoi_p1_doi { GDOI_P1_DOI_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_P1_SITUATION_##name,
enum gdoi_p1_situation { GDOI_P1_SITUATION_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_P1_SITUATION_ACCEPT_##name,
enum gdoi_p1_situation_accept { GDOI_P1_SITUATION_ACCEPT_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_P1_ECDSA_##name,
enum gdoi_p1_ecdsa { GDOI_P1_ECDSA_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_P1_ECDSA_PRF_##name,
enum gdoi_p1_ecdsa_prf { GDOI_P1_ECDSA_PRF_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_P1_ID_PORT_##name,
enum gdoi_p1_id_port { GDOI_P1_ID_PORT_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_P1_ID_PORT_ACCEPT_##name,
enum gdoi_p1_id_port_accept { GDOI_P1_ID_PORT_ACCEPT_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_P1_DELETE_DOI_##name,
enum gdoi_p1_delete_doi { GDOI_P1_DELETE_DOI_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_AM3_ENCRYPT_##name,
enum gdoi_am3_encrypt { GDOI_AM3_ENCRYPT_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PAD_##name,
enum gdoi_pad { GDOI_PAD_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PAD_ACCEPT_##name,
enum gdoi_pad_accept { GDOI_PAD_ACCEPT_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ID_PROT_OCTET_##name,
enum gdoi_id_prot_octet { GDOI_ID_PROT_OCTET_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_SIG_KEY_FORMAT_##name,
enum gdoi_sig_key_format { GDOI_SIG_KEY_FORMAT_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_OID_ENCODING_##name,
enum gdoi_oid_encoding { GDOI_OID_ENCODING_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PUSH_IV_##name,
enum gdoi_push_iv { GDOI_PUSH_IV_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PUSH_SIG_HDR_##name,
enum gdoi_push_sig_hdr { GDOI_PUSH_SIG_HDR_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PUSH_SIG_PREFIX_##name,
enum gdoi_push_sig_prefix { GDOI_PUSH_SIG_PREFIX_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PUSH_SEQ_NEW_KEK_##name,
enum gdoi_push_seq_new_kek { GDOI_PUSH_SEQ_NEW_KEK_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PUSH_KEK_ONLY_TEK_##name,
enum gdoi_push_kek_only_tek { GDOI_PUSH_KEK_ONLY_TEK_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_LKH_WRAP_##name,
enum gdoi_lkh_wrap { GDOI_LKH_WRAP_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_LKH_KEK_PACKET_##name,
enum gdoi_lkh_kek_packet { GDOI_LKH_KEK_PACKET_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_SID_LEN_##name,
enum gdoi_sid_len { GDOI_SID_LEN_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ANY_SOURCE_##name,
enum gdoi_any_source { GDOI_ANY_SOURCE_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ATD_IN_PULL_##name,
enum gdoi_atd_in_pull { GDOI_ATD_IN_PULL_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PULL_SEQ_REQUIRED_##name,
enum gdoi_pull_seq_required { GDOI_PULL_SEQ_REQUIRED_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_KEK_MGMT_IN_PULL_##name,
enum gdoi_kek_mgmt_in_pull { GDOI_KEK_MGMT_IN_PULL_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_DSS_FORMAT_##name,
enum gdoi_dss_format { GDOI_DSS_FORMAT_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_DELETE_ZERO_SPI_##name,
enum gdoi_delete_zero_spi { GDOI_DELETE_ZERO_SPI_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ACK_POLICY_##name,
enum gdoi_ack_policy { GDOI_ACK_POLICY_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ACK_L_##name,
enum gdoi_ack_l { GDOI_ACK_L_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ACK_LABEL_##name,
enum gdoi_ack_label { GDOI_ACK_LABEL_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ACK_HASH_##name,
enum gdoi_ack_hash { GDOI_ACK_HASH_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ACK_REPLAY_##name,
enum gdoi_ack_replay { GDOI_ACK_REPLAY_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_SID_FOR_IEC61850_##name,
enum gdoi_sid_for_iec61850 { GDOI_SID_FOR_IEC61850_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_IEC_ATTR_FILLER_##name,
enum gdoi_iec_attr_filler { GDOI_IEC_ATTR_FILLER_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_IEC_ALG_NUMBERS_##name,
enum gdoi_iec_alg_numbers { GDOI_IEC_ALG_NUMBERS_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_IEC_ATD_##name,
enum gdoi_iec_atd { GDOI_IEC_ATD_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_GROUP_ID_ORDER_##name,
enum gdoi_group_id_order { GDOI_GROUP_ID_ORDER_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_SAK_RESERVED_##name,
enum gdoi_sak_reserved { GDOI_SAK_RESERVED_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_SAT_ADDRESS_ORDER_##name,
enum gdoi_sat_address_order { GDOI_SAT_ADDRESS_ORDER_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_PUSH_RSA_FORM_##name,
enum gdoi_push_rsa_form { GDOI_PUSH_RSA_FORM_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_KEK_LIFETIME_FORM_##name,
enum gdoi_kek_lifetime_form { GDOI_KEK_LIFETIME_FORM_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_KD_KEK_SPI_##name,
enum gdoi_kd_kek_spi { GDOI_KD_KEK_SPI_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_SAK_REPEAT_##name,
enum gdoi_sak_repeat { GDOI_SAK_REPEAT_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_ATTRIBUTE_ZERO_##name,
enum gdoi_attribute_zero { GDOI_ATTRIBUTE_ZERO_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_GCM_KEY_LENGTH_##name,
enum gdoi_gcm_key_length { GDOI_GCM_KEY_LENGTH_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_AH_AUTHENTICATION_##name,
enum gdoi_ah_authentication { GDOI_AH_AUTHENTICATION_LIST(V) };
#undef V

#define V(name, text, meaning) GDOI_SID_FORM_##name,
enum gdoi_sid_form { GDOI_SID_FORM_LIST(V) };
#undef V

/* clang-format on */

/* One small number per switch: an enum gdoi_<field> of above. */
struct gdoi_dialect {
#define S(field, prefix, list, where) uint8_t field;
	GDOI_DIALECT_LIST(S)
#undef S
};

/* For documentation, configuration and completion: every switch. */
const struct gk_switch *gdoi_dialect_switches(size_t *count);
/* gdoi_dialect_set - see gk_switch_set(). */
GK_MUST_CHECK enum gk_err gdoi_dialect_set(struct gdoi_dialect *dialect,
                                           const char *name, const char *value);
/* gdoi_dialect_preset - all switches of a named preset: "gdoid" is the Cisco
 * reference implementation.  GK_ERR_UNEXPECTED: no such preset. */
GK_MUST_CHECK enum gk_err gdoi_dialect_preset(struct gdoi_dialect *dialect,
                                              const char *name);

#endif /* GDOI_MESSAGE_DIALECT_H */
