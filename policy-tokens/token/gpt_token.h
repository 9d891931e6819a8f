/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_TOKEN_H
#define GPT_TOKEN_H

#include "policy-tokens/token/gpt_fault.h"

/*
 * DOC: the policy token as a model - RFC 4534
 *
 * What a group may do, independent of any encoding.  The names are those of
 * the RFC's ASN.1 modules, in C spelling; the order of the members is the
 * order of the modules.  der/ and xml/ translate to and from this model.
 *
 * Ownership: a struct gpt_token owns everything below it.  A zeroed struct of
 * any kind is empty and valid.  gpt_token_free() releases all.
 *
 * INTEGER: the RFC's are unbounded, this model keeps those of 64 bits.  A
 * decoder refuses a larger one (GK_ERR_VALUE, the field named); it never
 * truncates.  Meaningless values (a negative interval, an unknown algorithm)
 * are kept as they are: judging them is the business of whoever applies the
 * policy, and gpt_lint() names them.
 *
 * Encoding variants: where RFC 4534 contradicts itself, two encodings of the
 * same policy exist.  The `variant` members remember which one was decoded, so
 * that encoding gives the same octets; zero is always the default that this
 * project sends.
 */

/* --- object identifiers (RFC 4534 section 5) ---------------------------- */
#define GPT_OID_TOKEN "1.3.6.1.5.5.12.1.1"
#define GPT_OID_SUITE_ONE "1.3.6.1.5.5.12.2.1"
#define GPT_OID_REGISTER "1.3.6.1.5.5.12.3.1"
#define GPT_OID_REGISTER_MODULE "1.3.6.1.5.5.12.7" /* B.2's spelling */
#define GPT_OID_DEREGISTER "1.3.6.1.5.5.12.3.2"
#define GPT_OID_REKEY "1.3.6.1.5.5.12.3.3"
#define GPT_OID_REKEY_MODULE "1.3.6.1.5.5.12.0.4" /* B.5's spelling */
#define GPT_OID_METHOD_NONE "1.3.6.1.5.5.12.4.1"
#define GPT_OID_METHOD_LKH "1.3.6.1.5.5.12.4.2"
#define GPT_OID_RELIABILITY_NONE "1.3.6.1.5.5.12.5.1"
#define GPT_OID_RELIABILITY_RESEND "1.3.6.1.5.5.12.5.2"
#define GPT_OID_RELIABILITY_POST "1.3.6.1.5.5.12.5.3"
#define GPT_OID_SCHEME_NONE "1.3.6.1.5.5.12.6.1"
#define GPT_OID_SCHEME_AUTONOMOUS "1.3.6.1.5.5.12.6.2"
#define GPT_OID_DATA_GENERIC "1.3.6.1.5.5.12.7.1"

/* --- small pieces -------------------------------------------------------- */

/* LifeDate (3.1).  interval_unit: an interval is in seconds. */
enum gpt_lifedate_kind {
	GPT_LIFEDATE_INTERVAL, /* value: seconds */
	GPT_LIFEDATE_GT,       /* value: seconds since 1970, GeneralizedTime */
	GPT_LIFEDATE_UTC,      /* value: the same, UTCTime: 1950 to 2049 */
};

struct gpt_lifedate {
	enum gpt_lifedate_kind kind;
	int64_t value;
};

/* GSAKMPID (B.1.1); type is of RFC 4535 Table 19. */
struct gpt_id {
	int64_t type;
	struct gk_buf data;
};

/* UserCAPair (B.1.1): a name, perhaps with wildcards, and the key identifier
 * of a certification authority on the path of its certificate. */
struct gpt_pair {
	struct gpt_id entity;
	struct gk_buf ca;
};

/* SEQUENCE OF UserCAPair; also GCKSName. */
struct gpt_pairs {
	struct gpt_pair *at;
	size_t n;
	/* Their names, read once: gpt_access_prepare(); or NULL.  For @compare,
	 * an enum gk_dn_compare. */
	struct gk_patterns *names;
	int compare;
};

/* context tags: token_tags */
enum gpt_tags { GPT_TAGS_IMPLICIT, GPT_TAGS_EXPLICIT };
/* token_reg_oid, token_rekey_oid */
enum gpt_oid_form { GPT_OID_IANA, GPT_OID_MODULE };
/* token_none_info: NULL inside the OCTET STRING, or nothing */
enum gpt_none_form { GPT_NONE_NULL, GPT_NONE_EMPTY };

/* --- registration (B.1) -------------------------------------------------- */

/* AccessControl (B.1.2) */
struct gpt_access_control {
	bool has_permissions;
	uint8_t *permissions; /* SimplePermission, 1 to 9 each */
	size_t n_permissions;
	struct gpt_pairs rules;
	bool has_exclusions;
	struct gpt_pairs exclusions;
};

/* Mechanisms (B.1.3.1); AckData has one alternative only, none. */
struct gpt_mechanisms {
	int64_t sig_algorithm;  /* RFC 4535 Table 21 */
	int64_t hash_algorithm; /* RFC 4535 Table 27 */
	int64_t key_exchange;   /* RFC 4535 Table 26 */
	bool has_key_exchange_data;
	struct gk_buf key_exchange_data;
	int64_t key_wrap; /* RFC 4535 Table 16 */
	struct gpt_lifedate timeout;
	bool terse;
	bool has_timestamp;
	bool timestamp; /* freshness: true timestamps, false nonces */
};

/* JoinMechanism (B.1.3): suite is an OID, or NULL for alaCarte. */
struct gpt_join_mechanism {
	char *suite;
	struct gpt_mechanisms alacarte;
};

/* Transport: B.1.4; a de-registration (B.3) knows only the first two. */
enum gpt_transport {
	GPT_TRANSPORT_TCP = 0,
	GPT_TRANSPORT_UDP = 1,
	GPT_TRANSPORT_UDP_RTJ_TCP_OTHER = 2,
};

/* GSAKMPv1RegistrationInfo */
struct gpt_register {
	enum gpt_oid_form oid_form;
	enum gpt_tags tags;
	struct gpt_pairs gcks;
	bool has_sub_gcks;
	struct gpt_pairs *sub_gcks; /* SEQUENCE OF GCKSName */
	size_t n_sub_gcks;
	bool senders_limited; /* false: anybody in the group may send */
	struct gpt_pairs senders;
	struct gpt_access_control *access; /* alternatives */
	size_t n_access;
	struct gpt_join_mechanism *mechanisms; /* in order of preference */
	size_t n_mechanisms;
	enum gpt_transport transport;
};

/* --- de-registration (B.3) ------------------------------------------------ */

struct gpt_leave_mechanism {
	int64_t sig_algorithm;
	int64_t hash_algorithm;
	struct gk_buf ca;
};

/* GSAKMPv1DeRegistrationInfo; token_dereg_terse: the module leaves terse out */
struct gpt_deregister {
	enum gpt_tags tags;
	struct gpt_leave_mechanism *mechanisms;
	size_t n_mechanisms;
	bool no_terse; /* the field is not there; terse then reads true */
	bool terse;
	enum gpt_transport transport;
};

/* --- rekey (B.5) ----------------------------------------------------------- */

enum gpt_rekey_event {
	GPT_REKEY_EVENT_NONE = 0, /* never rekey */
	GPT_REKEY_EVENT_TIME = 1,
	GPT_REKEY_EVENT_COUNT = 2,
	GPT_REKEY_EVENT_TIME_AND_COUNT = 3, /* whichever comes first */
};

enum gpt_method_kind {
	GPT_METHOD_NONE,
	GPT_METHOD_LKH,
	GPT_METHOD_UNKNOWN,
};

enum gpt_reliability_kind {
	GPT_RELIABILITY_NONE,
	GPT_RELIABILITY_RESEND,
	GPT_RELIABILITY_POST,
	GPT_RELIABILITY_UNKNOWN,
};

enum gpt_scheme_kind {
	GPT_SCHEME_NONE,
	GPT_SCHEME_AUTONOMOUS,
	GPT_SCHEME_UNKNOWN,
};

/* An OBJECT IDENTIFIER nobody here knows, and its parameters. */
struct gpt_extension {
	char *oid; /* dotted decimal */
	struct gk_buf octets;
};

/* GSAKMPv1RekeyInfo */
struct gpt_rekey {
	enum gpt_oid_form oid_form;
	enum gpt_tags tags;
	struct gpt_pairs authorization;
	int64_t sig_algorithm;
	int64_t hash_algorithm;
	enum gpt_rekey_event event;
	struct gpt_lifedate event_time; /* TIME, TIME_AND_COUNT */
	int64_t event_count;            /* COUNT, TIME_AND_COUNT */

	enum gpt_method_kind method;
	enum gpt_none_form method_none;  /* METHOD_NONE */
	int64_t lkh_key_type;            /* METHOD_LKH: RFC 4535 Table 16 */
	struct gpt_extension method_ext; /* METHOD_UNKNOWN */

	struct gpt_lifedate interval;

	enum gpt_reliability_kind reliability;
	enum gpt_none_form reliability_none;  /* RELIABILITY_NONE */
	int64_t resend;                       /* RELIABILITY_RESEND: times */
	char *post;                           /* RELIABILITY_POST: IA5String */
	struct gpt_extension reliability_ext; /* RELIABILITY_UNKNOWN */

	enum gpt_scheme_kind scheme;
	enum gpt_none_form scheme_none;  /* SCHEME_NONE */
	struct gpt_pairs auth_subs;      /* SCHEME_AUTONOMOUS */
	bool has_domain;                 /* SCHEME_AUTONOMOUS */
	struct gk_buf domain;            /* SCHEME_AUTONOMOUS */
	struct gpt_extension scheme_ext; /* SCHEME_UNKNOWN */
};

/* --- data (C.1) ------------------------------------------------------------ */

struct gpt_key_info {
	struct gk_buf key_id; /* kMKeyID; a GSAKMP Key ID has four octets */
	bool has_expiration;
	struct gpt_lifedate expiration;
};

/* GenericDataSAInfo */
struct gpt_data {
	bool has_authentication;
	struct gpt_key_info authentication;
	bool has_encryption;
	struct gpt_key_info encryption;
};

/* --- the token (3) --------------------------------------------------------- */

/*
 * GroupMngmtProtocol and DataProtocol.  Exactly the member that kind names is
 * set; a GDOI registration (gpt_gdoi.h) has both @reg, which says who may be
 * what and has neither mechanisms nor transport, and @gdoi_reg.  A known OID in a
 * place where it has no meaning (say, the rekey OID as a registration) is UNKNOWN
 * there.
 */
enum gpt_protocol_kind {
	GPT_PROTOCOL_NONE, /* never in the data list */
	GPT_PROTOCOL_REGISTER,
	GPT_PROTOCOL_DEREGISTER,
	GPT_PROTOCOL_REKEY,
	GPT_PROTOCOL_DATA,
	GPT_PROTOCOL_GDOI_REGISTER,
	GPT_PROTOCOL_GDOI_REKEY,
	GPT_PROTOCOL_IPSEC,
	GPT_PROTOCOL_IEC_61850,
	GPT_PROTOCOL_OPERATION, /* among the rekey protocols; none itself */
	GPT_PROTOCOL_UNKNOWN,
};

struct gpt_gdoi_register;
struct gpt_gdoi_rekey;
struct gpt_ipsec;
struct gpt_iec;
struct gpt_operation;

struct gpt_protocol {
	enum gpt_protocol_kind kind;
	struct gpt_register *reg;
	struct gpt_deregister *dereg;
	struct gpt_rekey *rekey;
	struct gpt_data *data;
	struct gpt_gdoi_register *gdoi_reg;
	struct gpt_gdoi_rekey *gdoi_rekey;
	struct gpt_ipsec *ipsec;
	struct gpt_iec *iec;
	struct gpt_operation *operation;
	struct gpt_extension unknown;
};

struct gpt_registration {
	struct gpt_protocol reg;
	struct gpt_protocol dereg;
};

struct gpt_token {
	int64_t version;          /* tokenDefVersion: decoders accept 1 only */
	struct gk_buf group_name; /* token_groupname: the GroupID Value */
	bool has_edition;
	int64_t edition;

	bool registration_null; /* token_no_reg: NULL instead of an empty list */
	struct gpt_registration *registration; /* in order of preference */
	size_t n_registration;
	struct gpt_protocol *rekey; /* in order of preference */
	size_t n_rekey;
	struct gpt_protocol *data; /* innermost encapsulation first */
	size_t n_data;
};

/* gpt_token_new - an empty token of version 1; NULL when memory is out. */
struct gpt_token *gpt_token_new(void);
void gpt_token_free(struct gpt_token *token);

/* gpt_token_copy - a deep copy that shares nothing with @token. */
GK_MUST_CHECK enum gk_err gpt_token_copy(const struct gpt_token *token,
                                         struct gpt_token **copy);

/* gpt_token_equal - the same policy and the same encoding variants: equal
 * tokens have the same DER. */
bool gpt_token_equal(const struct gpt_token *a, const struct gpt_token *b);

/*
 * The highest listed entry for GSAKMP (RFC 4534 section 3) with a suite, a rekey
 * method and a reliability mechanism that this version knows; without one the
 * highest of those it knows nothing of; or NULL.  Whether algorithms can be used
 * is for the program to judge that has them: it may pass over more of them.
 * *@unknown, when not NULL, is set to whether the list also holds other
 * protocols: RFC4534-3-12 and -14.
 */
const struct gpt_register *gpt_token_register(const struct gpt_token *token,
                                              bool *unknown);
const struct gpt_deregister *gpt_token_deregister(
	const struct gpt_token *token);
const struct gpt_rekey *gpt_token_rekey(const struct gpt_token *token,
                                        bool *unknown);

/* The same for GDOI; *@gdoi, unless NULL, gets what is not of the lists. */
const struct gpt_register *gpt_token_gdoi_register(
	const struct gpt_token *token, const struct gpt_gdoi_register **gdoi);
/* gpt_token_members - the lists of the first entry that this suite knows, of
 * either protocol; *@gdoi, unless NULL: it is GDOI's. */
const struct gpt_register *gpt_token_members(const struct gpt_token *token,
                                             bool *gdoi);
const struct gpt_gdoi_rekey *gpt_token_gdoi_rekey(const struct gpt_token *token,
                                                  bool *unknown);

/* gpt_token_operation - what the Group Owner says of the running of the group
 * (gpt_gdoi.h): the first such entry of the rekey list, or NULL. */
const struct gpt_operation *gpt_token_operation(const struct gpt_token *token);

/*
 * Every data protocol has to be supported (RFC4534-3-09): the only or first
 * generic data SA, or NULL when there is none or an unknown one stands beside.
 */
const struct gpt_data *gpt_token_data(const struct gpt_token *token);

/* --- building blocks for der/, xml/, tests and editors of a policy ---------- */

/*
 * gpt_*_add - append one zeroed element to a list and return it, or NULL when
 * memory is out.  Earlier pointers into the same list are then stale.
 */
struct gpt_pair *gpt_pairs_add(struct gpt_pairs *pairs);
struct gpt_pairs *gpt_register_add_sub(struct gpt_register *reg);
struct gpt_access_control *gpt_register_add_access(struct gpt_register *reg);
struct gpt_join_mechanism *gpt_register_add_mechanism(struct gpt_register *reg);
struct gpt_leave_mechanism *gpt_deregister_add_mechanism(
	struct gpt_deregister *dereg);
struct gpt_registration *gpt_token_add_registration(struct gpt_token *token);
struct gpt_protocol *gpt_token_add_rekey(struct gpt_token *token);
struct gpt_protocol *gpt_token_add_data(struct gpt_token *token);
GK_MUST_CHECK enum gk_err gpt_access_control_permit(
	struct gpt_access_control *access, uint8_t level);

/* gpt_protocol_set - make @protocol an empty policy of @kind; what it held
 * before is released.  GK_ERR_NOMEM leaves it NONE. */
GK_MUST_CHECK enum gk_err gpt_protocol_set(struct gpt_protocol *protocol,
                                           enum gpt_protocol_kind kind);

/* gpt_pair_set - fill a pair by copying. */
GK_MUST_CHECK enum gk_err gpt_pair_set(struct gpt_pair *pair, int64_t type,
                                       struct gk_slice data,
                                       struct gk_slice ca);
bool gpt_pair_equal(const struct gpt_pair *a, const struct gpt_pair *b);
GK_MUST_CHECK enum gk_err gpt_pairs_copy(struct gpt_pairs *to,
                                         const struct gpt_pairs *from);
void gpt_pairs_free(struct gpt_pairs *pairs);
/* gpt_pairs_changed - what was prepared is not what they are any more. */
void gpt_pairs_changed(struct gpt_pairs *pairs);

#endif /* GPT_TOKEN_H */
