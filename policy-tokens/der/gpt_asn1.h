/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ASN1_H
#define GPT_ASN1_H

#include <openssl/asn1t.h>

#include "policy-tokens/token/gpt_fault.h"

/*
 * DOC: the ASN.1 modules of RFC 4534 as OpenSSL templates
 *
 * Private to der/.  The structs have the RFC's field names, because the names
 * come back in refusals.  Lists are plain OPENSSL_STACKs.  Where the RFC gives
 * a type twice (context tags, terse, registration as NULL) there is one struct
 * and one template for each reading.
 */

struct gpt_asn1_lifedate {
	int type;
	union {
		ASN1_GENERALIZEDTIME *gt;
		ASN1_UTCTIME *utc;
		ASN1_INTEGER *interval;
	} value;
};
enum { GPT_ASN1_GT, GPT_ASN1_UTC, GPT_ASN1_INTERVAL };

/* --- appendix A: core ----------------------------------------------------- */

struct gpt_asn1_protocol {
	ASN1_OBJECT *protocol;
	ASN1_OCTET_STRING *protocolInfo;
};

struct gpt_asn1_mngmt {
	int type;
	union {
		ASN1_NULL *none;
		struct gpt_asn1_protocol *supported;
	} value;
};
enum { GPT_ASN1_NONE, GPT_ASN1_SUPPORTED };

struct gpt_asn1_registration {
	struct gpt_asn1_mngmt *reg; /* "register" is taken by C */
	struct gpt_asn1_mngmt *deregister;
};

struct gpt_asn1_token_id {
	ASN1_INTEGER *tokenDefVersion;
	ASN1_OCTET_STRING *groupName;
	ASN1_INTEGER *edition;
};

struct gpt_asn1_token {
	struct gpt_asn1_token_id *tokenInfo;
	void *registration; /* a stack, or an ASN1_NULL: token_no_reg */
	OPENSSL_STACK *rekey;
	OPENSSL_STACK *data;
};

/* --- appendix B.2: registration --------------------------------------------- */

struct gpt_asn1_id {
	ASN1_INTEGER *typeValue;
	ASN1_OCTET_STRING *typeData;
};

struct gpt_asn1_pair {
	struct gpt_asn1_id *groupEntity;
	ASN1_OCTET_STRING *cA;
};

struct gpt_asn1_senders {
	int type;
	union {
		ASN1_NULL *all;
		OPENSSL_STACK *limited;
	} value;
};
enum { GPT_ASN1_ALL, GPT_ASN1_LIMITED };

struct gpt_asn1_join_authorization {
	OPENSSL_STACK *gCKS;
	OPENSSL_STACK *subGCKS;
	struct gpt_asn1_senders *senders;
};

struct gpt_asn1_permission {
	int type;
	union {
		ASN1_ENUMERATED *simplePermission;
	} value;
};

struct gpt_asn1_access_control {
	OPENSSL_STACK *permissions;
	OPENSSL_STACK *accessRule;
	OPENSSL_STACK *exclusionsRule;
};

struct gpt_asn1_sig_def {
	ASN1_INTEGER *sigAlgorithmID;
	ASN1_INTEGER *hashAlgorithmID;
};

struct gpt_asn1_ke_alg {
	ASN1_INTEGER *keyExchangeAlgorithmID;
	ASN1_OCTET_STRING *keyExchangeAlgorithmData;
};

struct gpt_asn1_ack_data {
	int type;
	union {
		ASN1_NULL *none;
	} value;
};

struct gpt_asn1_op_info {
	struct gpt_asn1_lifedate *timeOut;
	ASN1_BOOLEAN terse;
	ASN1_BOOLEAN timestamp;
};

struct gpt_asn1_mechanisms {
	struct gpt_asn1_sig_def *signatureDef;
	struct gpt_asn1_ke_alg *kEAlg;
	ASN1_INTEGER *keyWrap;
	struct gpt_asn1_ack_data *ackData;
	struct gpt_asn1_op_info *opInfo;
};

struct gpt_asn1_join_mechanism {
	int type;
	union {
		struct gpt_asn1_mechanisms *alaCarte;
		ASN1_OBJECT *suite;
	} value;
};
enum { GPT_ASN1_ALACARTE, GPT_ASN1_SUITE };

struct gpt_asn1_transport {
	int type; /* enum gpt_transport */
	union {
		ASN1_NULL *tcp;
		ASN1_NULL *udp;
		ASN1_NULL *udpRTJtcpOther;
	} value;
};

struct gpt_asn1_register {
	struct gpt_asn1_join_authorization *joinAuthorization;
	OPENSSL_STACK *joinAccessControl;
	OPENSSL_STACK *joinMechanisms;
	struct gpt_asn1_transport *transport;
};

/* --- appendix B.4: de-registration -------------------------------------------- */

struct gpt_asn1_leave_mechanism {
	ASN1_INTEGER *sigAlgorithm;
	ASN1_INTEGER *hashAlgorithm;
	ASN1_OCTET_STRING *cA;
};

struct gpt_asn1_deregister {
	OPENSSL_STACK *leaveMechanisms;
	ASN1_BOOLEAN terse; /* not in the module's reading */
	struct gpt_asn1_transport *transport;
};

/* --- appendix B.6: rekey --------------------------------------------------------- */

struct gpt_asn1_rekey_mechanisms {
	ASN1_INTEGER *sigAlgorithm;
	ASN1_INTEGER *hashAlgorithm;
};

struct gpt_asn1_time_and_event {
	struct gpt_asn1_lifedate *time;
	ASN1_INTEGER *event;
};

struct gpt_asn1_rekey_event_def {
	int type; /* enum gpt_rekey_event */
	union {
		ASN1_NULL *none;
		struct gpt_asn1_lifedate *timeOnly;
		ASN1_INTEGER *event;
		struct gpt_asn1_time_and_event *timeAndEvent;
	} value;
};

struct gpt_asn1_rekey_method {
	ASN1_OBJECT *rekeyMethodType;
	ASN1_OCTET_STRING *rekeyMethodInfo;
};

struct gpt_asn1_reliability {
	ASN1_OBJECT *reliabilityMechanism;
	ASN1_OCTET_STRING *reliabilityMechContent;
};

struct gpt_asn1_sub_gcks_info {
	ASN1_OBJECT *subGCKSScheme;
	ASN1_OCTET_STRING *sGCKSContent;
};

struct gpt_asn1_autonomous {
	OPENSSL_STACK *authSubs;
	ASN1_OCTET_STRING *domain;
};

struct gpt_asn1_rekey {
	OPENSSL_STACK *authorization;
	struct gpt_asn1_rekey_mechanisms *mechanism;
	struct gpt_asn1_rekey_event_def *rekeyEventDef;
	struct gpt_asn1_rekey_method *rekeyMethod;
	struct gpt_asn1_lifedate *rekeyInterval;
	struct gpt_asn1_reliability *reliability;
	struct gpt_asn1_sub_gcks_info *subGCKSInfo;
};

/* --- appendix C.2: generic data ---------------------------------------------------- */

struct gpt_asn1_key_info {
	ASN1_OCTET_STRING *kMKeyID;
	struct gpt_asn1_lifedate *keyExpirationDate;
};

struct gpt_asn1_data {
	struct gpt_asn1_key_info *authentication;
	struct gpt_asn1_key_info *encryption;
};

/* --- the items ------------------------------------------------------------------------ */

enum gpt_asn1_item {
	GPT_ASN1_TOKEN,
	GPT_ASN1_TOKEN_NULL, /* registration is NULL */
	GPT_ASN1_REGISTER,
	GPT_ASN1_REGISTER_EXPLICIT,
	GPT_ASN1_DEREGISTER,
	GPT_ASN1_DEREGISTER_EXPLICIT,
	GPT_ASN1_DEREGISTER_MODULE, /* without terse */
	GPT_ASN1_DEREGISTER_MODULE_EXPLICIT,
	GPT_ASN1_REKEY,
	GPT_ASN1_REKEY_EXPLICIT,
	GPT_ASN1_AUTONOMOUS,
	GPT_ASN1_DATA,
	GPT_ASN1_NULL,
	GPT_ASN1_INTEGER,
	GPT_ASN1_IA5STRING,
	/* elements of lists, for the encoder */
	GPT_ASN1_PAIR,
	GPT_ASN1_GCKS_NAME,
	GPT_ASN1_REGISTRATION,
	GPT_ASN1_MNGMT,
	GPT_ASN1_PROTOCOL,
	GPT_ASN1_PERMISSION,
	GPT_ASN1_ACCESS_CONTROL,
	GPT_ASN1_JOIN_MECHANISM,
	GPT_ASN1_MECHANISMS,
	GPT_ASN1_LEAVE_MECHANISM,
	GPT_ASN1_TIME_AND_EVENT,
	GPT_ASN1_KEY_INFO,
	GPT_ASN1_LIFEDATE,
	GPT_ASN1_ID,
	GPT_ASN1_JOIN_AUTHORIZATION,
	/* gpt_asn1_gdoi.h */
	GPT_ASN1_GDOI_REGISTER,
	GPT_ASN1_GDOI_GROUP,
	GPT_ASN1_PHASE1,
	GPT_ASN1_GDOI_REKEY,
	GPT_ASN1_IPSEC,
	GPT_ASN1_IPSEC_SA,
	GPT_ASN1_IEC,
	GPT_ASN1_IEC_SA,
	GPT_ASN1_OPERATION,
};

const ASN1_ITEM *gpt_asn1_item_of(enum gpt_asn1_item item);

/**
 * gpt_asn1_decode - strict DER to a template struct.
 * @prefix: what to put before the field path in @why, "" for none
 * @base:   offset of @der in the whole token, for @why
 *
 * The octets must re-encode to themselves.  Free with gpt_asn1_free().
 */
GK_MUST_CHECK enum gk_err gpt_asn1_decode(enum gpt_asn1_item item,
                                          struct gk_slice der,
                                          const char *prefix, size_t base,
                                          void **out, struct gpt_fault *why);
GK_MUST_CHECK enum gk_err gpt_asn1_encode(enum gpt_asn1_item item,
                                          const void *in, struct gk_buf *der);
void *gpt_asn1_new(enum gpt_asn1_item item);
void gpt_asn1_free(enum gpt_asn1_item item, void *p);

#endif /* GPT_ASN1_H */
