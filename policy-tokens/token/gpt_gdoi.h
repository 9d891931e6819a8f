/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_GDOI_H
#define GPT_GDOI_H

#include "policy-tokens/token/gpt_name.h"

/*
 * DOC: GDOI (RFC 6407, 8263, 8052) in a policy token
 *
 * Four protocols of this project's private arc, for the three lists of a token
 * (RFC 4534 section 3): how members register, how they are rekeyed, and two data
 * applications.  msec-policy(5) prints their ASN.1 module.
 *
 * They are records of few kinds of fields, so each field is one row of a list
 * here, and everything else - the ASN.1 templates, the XML form, copying,
 * comparing, printing, the range checks of gpt_lint() - runs along the rows:
 *
 *   R(field, asn1Name, kind, element, attribute, registry, fallback, first, last)
 *   O(field, asn1Name, kind, element, attribute, registry, tag, first, last)
 *
 * R: the field is always there; in XML the attribute may be left out where it
 * would say @fallback (GPT_NEEDED: never).  O: OPTIONAL, with the context tag
 * @tag.  @element: the child element that has the attribute, "" for the record's
 * own.  @first to @last: the values that mean something.
 */
#define GPT_OID_GDOI_ARC "2.25.227007163891039140890553393414073698781.2"
#define GPT_OID_GDOI_REGISTER GPT_OID_GDOI_ARC ".1"
#define GPT_OID_GDOI_REKEY GPT_OID_GDOI_ARC ".2"
#define GPT_OID_IPSEC GPT_OID_GDOI_ARC ".3"
#define GPT_OID_IEC_61850 GPT_OID_GDOI_ARC ".4"
#define GPT_OID_OPERATION GPT_OID_GDOI_ARC ".5"

#define GPT_NEEDED INT64_MIN

/* An INTEGER; one that is not OPTIONAL is always present. */
struct gpt_number {
	bool present;
	int64_t value;
};

/* Phase1Proposal: one Transform that members may use (RFC 2409 appendix A). */
struct gpt_phase1 {
	struct gpt_number mode;           /* 2 Main, 4 Aggressive */
	struct gpt_number authentication; /* method */
	struct gpt_number encryption;
	struct gpt_number key_length; /* bits; only where there is a choice */
	struct gpt_number hash;
	struct gpt_number group;    /* Diffie-Hellman */
	struct gpt_number lifetime; /* seconds */
};

/* clang-format off */
#define GPT_PHASE1_LIST(R, O)                                                   \
	R(mode, mode, CODE, "", "mode", P1_MODE, 2, 2, 4)                       \
	R(authentication, authenticationMethod, CODE, "", "authentication",     \
	  P1_AUTH, GPT_NEEDED, 1, 65535)                                        \
	R(encryption, encryptionAlgorithm, CODE, "", "encryption", P1_CIPHER,   \
	  GPT_NEEDED, 1, 65535)                                                 \
	O(key_length, keyLength, NUMBER, "", "key-length", NONE, 0, 64, 65535)  \
	R(hash, hashAlgorithm, CODE, "", "hash", P1_HASH, GPT_NEEDED, 1, 65535) \
	R(group, groupDescription, CODE, "", "group", P1_GROUP, GPT_NEEDED, 1,  \
	  65535)                                                                \
	O(lifetime, lifeSeconds, SECONDS, "", "lifetime", NONE, 1, 1, UINT32_MAX)
/* clang-format on */

/*
 * GroupInfo: what is true of the group whatever its SAs are.  The group is
 * named by a number (ID_KEY_ID, RFC 6407 section 5.1) or by an OID with a
 * payload (ID_OID, RFC 8052 section 2.1).
 */
struct gpt_gdoi_group {
	struct gpt_number number;
	char *oid; /* dotted decimal; NULL: named by number */
	struct gk_buf payload;
	struct gpt_number atd;      /* ACTIVATION_TIME_DELAY, seconds */
	struct gpt_number dtd;      /* DEACTIVATION_TIME_DELAY, seconds */
	struct gpt_number sid_bits; /* NUMBER_OF_SID_BITS */
	struct gpt_number members;  /* at most so many */
};

/* clang-format off */
#define GPT_GDOI_GROUP_LIST(R, O)                                               \
	O(number, keyId, NUMBER, "group", "number", NONE, 0, 0, UINT32_MAX)     \
	O(oid, oid, OID, "group", "oid", NONE, 1, 0, 0)                         \
	R(payload, oidPayload, OCTETS, "group", "payload", NONE, 0, 0, 0)       \
	O(atd, activationTimeDelay, SECONDS, "rollover", "activation", NONE, 2, \
	  0, 65535)                                                             \
	O(dtd, deactivationTimeDelay, SECONDS, "rollover", "deactivation",      \
	  NONE, 3, 0, 65535)                                                    \
	O(sid_bits, senderIdBits, NUMBER, "sender-ids", "bits", NONE, 4, 1, 32) \
	O(members, membersMax, NUMBER, "members", "max", NONE, 5, 1, UINT32_MAX)
/* clang-format on */

/* GDOIRegistrationInfo, besides the lists that it shares with GSAKMP's: who is
 * admitted stands in struct gpt_register. */
struct gpt_gdoi_register {
	struct gpt_gdoi_group group;
	struct gpt_phase1 *phase1; /* alternatives; none: any that is local
	                            * configuration */
	size_t n_phase1;
};

/* GDOIRekeyInfo: the Rekey SA (RFC 6407 section 5.3, RFC 8263). */
struct gpt_gdoi_rekey {
	struct gpt_number unicast; /* 0 multicast, 1 to each member */
	struct gpt_id source;      /* type 0: not said */
	struct gpt_number source_port;
	struct gpt_id destination; /* type 0: not said */
	struct gpt_number destination_port;
	struct gpt_number resend;     /* times that a PUSH goes out again */
	struct gpt_number spacing_ms; /* between them */
	struct gpt_number backward;   /* 1: a joiner brings new keys */

	struct gpt_number algorithm;  /* KEK_ALGORITHM */
	struct gpt_number key_length; /* bits */
	struct gpt_number lifetime;   /* seconds */
	struct gpt_number lkh_degree; /* absent: no LKH */
	struct gpt_number margin;     /* seconds before a lifetime ends */
	struct gpt_number interval; /* new keys at least this often, seconds */

	struct gpt_number sig_algorithm;
	struct gpt_number sig_hash;
	struct gpt_number sig_key_length; /* bits */

	struct gpt_number ack;        /* KEK_ACK_REQUESTED */
	struct gpt_number silent_max; /* PUSHes unacknowledged in a row */
	struct gpt_number evict;      /* 1: who stays silent is evicted */

	/* Of evictions; both absent mean 0. */
	struct gpt_number at_once;  /* 1: neither ATD nor DTD */
	struct gpt_number hide_kek; /* 1: two changes of the KEK (RFC 6407
	                             * section 7.4.1) */
};

/* clang-format off */
#define GPT_GDOI_REKEY_LIST(R, O)                                               \
	R(unicast, delivery, CODE, "push", "delivery", DELIVERY, 0, 0, 1)       \
	O(source, source, ADDRESS, "push", "source", NONE, 0, 0, 0)             \
	R(source_port, sourcePort, NUMBER, "push", "source-port", NONE, 848, 0, \
	  65535)                                                                \
	O(destination, destination, ADDRESS, "push", "destination", NONE, 1, 0, \
	  0)                                                                    \
	R(destination_port, destinationPort, NUMBER, "push",                    \
	  "destination-port", NONE, 848, 0, 65535)                              \
	R(resend, resendTimes, NUMBER, "push", "resend", NONE, 0, 0, 20)        \
	R(spacing_ms, resendSpacing, NUMBER, "push", "spacing-ms", NONE, 1000,  \
	  0, 600000)                                                            \
	R(backward, backwardSecrecy, CODE, "push", "backward-secrecy", BOOLEAN, \
	  0, 0, 1)                                                              \
	R(algorithm, kekAlgorithm, CODE, "kek", "algorithm", KEK_ALG,           \
	  GPT_NEEDED, 1, 65535)                                                 \
	O(key_length, kekKeyLength, NUMBER, "kek", "key-length", NONE, 2, 56,   \
	  65535)                                                                \
	R(lifetime, kekKeyLifetime, SECONDS, "kek", "lifetime", NONE,           \
	  GPT_NEEDED, 1, UINT32_MAX)                                            \
	O(lkh_degree, lkhDegree, NUMBER, "kek", "lkh-degree", NONE, 3, 2, 256)  \
	O(margin, rekeyMargin, SECONDS, "kek", "margin", NONE, 4, 1,            \
	  UINT32_MAX)                                                           \
	O(interval, rekeyInterval, SECONDS, "kek", "interval", NONE, 5, 1,      \
	  UINT32_MAX)                                                           \
	R(sig_algorithm, sigAlgorithm, CODE, "signature", "algorithm", SIG_ALG, \
	  GPT_NEEDED, 1, 65535)                                                 \
	O(sig_hash, sigHashAlgorithm, CODE, "signature", "hash", SIG_HASH, 6,   \
	  1, 65535)                                                             \
	O(sig_key_length, sigKeyLength, NUMBER, "signature", "key-length",      \
	  NONE, 7, 1, 65535)                                                    \
	O(ack, ackRequested, CODE, "ack", "type", ACK, 8, 1, 65535)             \
	O(silent_max, silentMax, NUMBER, "ack", "missed", NONE, 9, 1, 1000)     \
	R(evict, silentEvicted, CODE, "ack", "evict", BOOLEAN, 0, 0, 1)         \
	O(at_once, evictionAtOnce, CODE, "eviction", "at-once", BOOLEAN, 10, 0, \
	  1)                                                                    \
	O(hide_kek, kekPolicyHidden, CODE, "eviction", "hide-kek-policy",       \
	  BOOLEAN, 11, 0, 1)
/* clang-format on */

/* IPsecSA: a Data-Security SA by ESP or AH (RFC 6407 section 5.5.1). */
struct gpt_ipsec_sa {
	struct gpt_number protocol; /* 1 ESP, 2 AH */
	struct gpt_number transform;
	struct gpt_number key_length; /* bits, of the cipher */
	struct gpt_number authentication;
	struct gpt_number mode; /* 1 tunnel, 2 transport */

	struct gpt_number ip_protocol; /* 0: any */
	struct gpt_id source;          /* type 0: any */
	struct gpt_number source_port; /* 0: any */
	struct gpt_id destination;
	struct gpt_number destination_port; /* 0: any */

	struct gpt_number life_s;
	struct gpt_number life_kb;
	struct gpt_number preservation;
	struct gpt_number direction;

	struct gpt_number sequence; /* 1: 64-bit sequence numbers */
	struct gpt_number ecn;      /* 1 allowed, 2 forbidden */
	struct gpt_number key_rounds;
	struct gpt_number authentication_length; /* bits */
	struct gpt_number signature_encoding;    /* RFC 4359 */
	struct gk_buf source_key; /* SubjectPublicKeyInfo of the source */
};

/* clang-format off */
#define GPT_IPSEC_SA_LIST(R, O)                                                 \
	R(protocol, protocolId, CODE, "", "protocol", SA_PROTOCOL, 1, 1, 2)     \
	R(transform, transformId, CODE, "", "transform", ESP, GPT_NEEDED, 1,    \
	  255)                                                                  \
	O(key_length, keyLength, NUMBER, "", "key-length", NONE, 0, 1, 65535)   \
	O(authentication, authenticationAlgorithm, CODE, "", "authentication",  \
	  SA_AUTH, 1, 1, 65535)                                                 \
	R(mode, encapsulationMode, CODE, "", "mode", SA_MODE, 1, 1, 2)          \
	R(ip_protocol, ipProtocol, CODE, "traffic", "protocol", IP_PROTOCOL, 0, \
	  0, 255)                                                               \
	O(source, source, ADDRESS, "traffic", "source", NONE, 2, 0, 0)          \
	R(source_port, sourcePort, NUMBER, "traffic", "source-port", NONE, 0,   \
	  0, 65535)                                                             \
	O(destination, destination, ADDRESS, "traffic", "destination", NONE, 3, \
	  0, 0)                                                                 \
	R(destination_port, destinationPort, NUMBER, "traffic",                 \
	  "destination-port", NONE, 0, 0, 65535)                                \
	O(life_s, lifeSeconds, SECONDS, "lifetime", "time", NONE, 4, 1,         \
	  UINT32_MAX)                                                           \
	O(life_kb, lifeKilobytes, NUMBER, "lifetime", "kilobytes", NONE, 5, 1,  \
	  UINT32_MAX)                                                           \
	O(preservation, addressPreservation, CODE, "options",                   \
	  "address-preservation", PRESERVATION, 6, 1, 4)                        \
	O(direction, saDirection, CODE, "options", "direction", DIRECTION, 7,   \
	  1, 3)                                                                 \
	O(sequence, extendedSequenceNumber, CODE, "options",                    \
	  "sequence-numbers", SEQUENCE, 8, 1, 1)                                \
	O(ecn, ecnTunnel, CODE, "options", "ecn-tunnel", ECN, 9, 1, 2)          \
	O(key_rounds, keyRounds, NUMBER, "options", "key-rounds", NONE, 10, 1,  \
	  65535)                                                                \
	O(authentication_length, authenticationKeyLength, NUMBER, "options",    \
	  "authentication-key-length", NONE, 11, 1, 65535)                      \
	O(signature_encoding, signatureEncoding, CODE, "options",               \
	  "signature-encoding", SIG_ENCODING, 12, 1, 2)                         \
	O(source_key, sourceKey, OCTETS, "options", "source-key", NONE, 13, 0, 0)
/* clang-format on */

struct gpt_ipsec {
	struct gpt_ipsec_sa *at;
	size_t n;
};

/* IEC61850SA: RFC 8052 section 2.2. */
struct gpt_iec_sa {
	char *oid; /* dotted decimal */
	struct gk_buf payload;
	struct gpt_number authentication;
	struct gpt_number encryption;
	struct gpt_number lifetime; /* seconds; 0: no end */
	struct gpt_number atd;      /* SA_ATD, seconds */
	struct gpt_number kda;      /* SA_KDA, percent */
};

/* clang-format off */
#define GPT_IEC_SA_LIST(R, O)                                                   \
	R(oid, oid, OID, "", "oid", NONE, GPT_NEEDED, 0, 0)                     \
	R(payload, oidPayload, OCTETS, "", "payload", NONE, 0, 0, 0)            \
	R(authentication, authAlg, CODE, "", "authentication", IEC_AUTH,        \
	  GPT_NEEDED, 1, 65535)                                                 \
	R(encryption, encAlg, CODE, "", "encryption", IEC_ENC, GPT_NEEDED, 1,   \
	  65535)                                                                \
	R(lifetime, lifetime, SECONDS, "", "lifetime", NONE, GPT_NEEDED, 0,     \
	  UINT32_MAX)                                                           \
	O(atd, saAtd, SECONDS, "", "activation", NONE, 0, 0, UINT32_MAX)        \
	O(kda, saKda, NUMBER, "", "delivery-assurance", NONE, 1, 0, 100)
/* clang-format on */

struct gpt_iec {
	struct gpt_iec_sa *at;
	size_t n;
};

/*
 * GSAKMPOperationInfo: what RFC 4535 calls policy and RFC 4534 has no field for.
 * An entry of the rekey list, behind those that rekey: whoever does not know it
 * passes over it (RFC 4534 section 3).  What is absent is for each to decide.
 */
struct gpt_operation {
	struct gpt_number join_rekey;  /* 1: a joiner brings new keys; 0: not */
	struct gpt_number join_window; /* seconds in which joins share them */
	struct gpt_number mtu;         /* octets of a packet, headers and all */
	struct gpt_number skew;        /* seconds that clocks may be apart */
};

/* clang-format off */
#define GPT_OPERATION_LIST(R, O)                                                \
	O(join_rekey, joinRekey, CODE, "join", "rekey", BOOLEAN, 0, 0, 1)       \
	O(join_window, joinWindow, SECONDS, "join", "window", NONE, 1, 0, 3600) \
	O(mtu, mtu, NUMBER, "message", "mtu", NONE, 2, 576, 65535)              \
	O(skew, clockSkew, SECONDS, "clock", "skew", NONE, 3, 1, 86400)
/* clang-format on */

/* --- the rows at run time ------------------------------------------------- */

enum gpt_field_kind {
	GPT_FIELD_NUMBER,  /* struct gpt_number */
	GPT_FIELD_SECONDS, /* the same; written as an interval */
	GPT_FIELD_CODE,    /* the same; written by name */
	GPT_FIELD_OCTETS, /* struct gk_buf, may be empty; OPTIONAL: absent then */
	GPT_FIELD_OID,    /* char *; NULL: absent */
	GPT_FIELD_ADDRESS, /* struct gpt_id; type 0: absent */
};

struct gpt_field {
	const char *name; /* in the ASN.1 module, and so in refusals */
	const char *element, *attribute;
	enum gpt_field_kind kind;
	enum gpt_registry registry; /* CODE */
	bool optional;
	int64_t fallback; /* not OPTIONAL */
	int64_t first, last;
	size_t at; /* in the model's struct */
};

enum gpt_record_kind {
	GPT_RECORD_PHASE1,
	GPT_RECORD_GDOI_GROUP,
	GPT_RECORD_GDOI_REKEY,
	GPT_RECORD_IPSEC_SA,
	GPT_RECORD_IEC_SA,
	GPT_RECORD_OPERATION,
	GPT_RECORDS,
};

struct gpt_record {
	const struct gpt_field *field;
	size_t n;
	size_t size; /* octets of the model's struct */
};

const struct gpt_record *gpt_record(enum gpt_record_kind kind);
/* gpt_field_present - is it there?  A field that is not OPTIONAL always is. */
bool gpt_field_present(const struct gpt_field *field, const void *record);
/* gpt_field_registry - of a CODE; the transforms of ESP and AH differ. */
enum gpt_registry gpt_field_registry(const struct gpt_record *record,
                                     const struct gpt_field *field,
                                     const void *model);

/* gpt_field_text - for people and XML; octets in hexadecimal.  @text must be
 * empty. */
GK_MUST_CHECK enum gk_err gpt_field_text(const struct gpt_record *record,
                                         const struct gpt_field *field,
                                         const void *model,
                                         struct gk_buf *text);

/* The value of a field; the kind of the field has to be that. */
static inline const struct gpt_number *
gpt_field_number(const struct gpt_field *field, const void *record)
{
	return (const void *)((const uint8_t *)record + field->at);
}

static inline const struct gk_buf *
gpt_field_octets(const struct gpt_field *field, const void *record)
{
	return (const void *)((const uint8_t *)record + field->at);
}

static inline char *
gpt_field_oid(const struct gpt_field *field, const void *record)
{
	char *const *slot = (const void *)((const uint8_t *)record + field->at);

	return *slot;
}

static inline const struct gpt_id *
gpt_field_address(const struct gpt_field *field, const void *record)
{
	return (const void *)((const uint8_t *)record + field->at);
}

/* gpt_field_slot - where it stands, to be filled. */
static inline void *
gpt_field_slot(const struct gpt_field *field, void *record)
{
	return (uint8_t *)record + field->at;
}

/* gpt_record_init - what XML means when it says nothing at all: fallbacks, and
 * zero for what is needed. */
void gpt_record_init(enum gpt_record_kind kind, void *record);
/* gpt_record_copy - @to is zeroed or what it holds is lost. */
GK_MUST_CHECK enum gk_err gpt_record_copy(enum gpt_record_kind kind, void *to,
                                          const void *from);
bool gpt_record_equal(enum gpt_record_kind kind, const void *a, const void *b);
void gpt_record_free(enum gpt_record_kind kind, void *record);

/* gpt_*_add - one more, by gpt_record_init(); NULL when memory is out. */
void gpt_gdoi_register_free(struct gpt_gdoi_register *reg); /* NULL is fine */
struct gpt_phase1 *gpt_gdoi_register_add_phase1(struct gpt_gdoi_register *reg);
struct gpt_ipsec_sa *gpt_ipsec_add(struct gpt_ipsec *ipsec);
struct gpt_iec_sa *gpt_iec_add(struct gpt_iec *iec);

/* gpt_gdoi_same_group - have both the same name in messages? */
bool gpt_gdoi_same_group(const struct gpt_gdoi_group *a,
                         const struct gpt_gdoi_group *b);

/* --- addresses and ranges ---------------------------------------------------- */

/*
 * gpt_address_text - an ADDRESS for people and XML: "192.0.2.1", "10.0.0.0/8",
 * "10.0.0.1-10.0.0.9" and the same in IPv6; what is none of these is the number
 * of its Identification Type (RFC 2407 section 4.6.2.1), a colon and the octets
 * in hexadecimal: also a range that ends before it begins.  @text must be empty.
 */
GK_MUST_CHECK enum gk_err gpt_address_text(const struct gpt_id *address,
                                           struct gk_buf *text);
/* gpt_address_parse - the reverse; GK_ERR_VALUE for anything else. */
GK_MUST_CHECK enum gk_err gpt_address_parse(const char *text,
                                            struct gpt_id *address);
/* gpt_address_is_plain - is the text a number and octets? */
bool gpt_address_is_plain(const struct gpt_id *address);
/* gpt_address_is_multicast - one address, or several, all of them multicast. */
bool gpt_address_is_multicast(const struct gpt_id *address);

/* gpt_list_add - one more zeroed element of @size octets in a list of a token; NULL: no
 * memory. */
void *gpt_list_add(void **list, size_t *n, size_t size);

#endif /* GPT_GDOI_H */
