/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_POLICY_H
#define GSAKMP_ENGINE_POLICY_H

#include "gsakmp/engine/party.h"
#include "gsakmp/gsakmp_reject.h"
#include "policy-tokens/der/gpt_verify.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_speaker.h"

struct gsakmp_dialect;

/*
 * DOC: the policy token as the engines use it - RFC 4534
 *
 * A verified token together with what follows from it: which of its protocols
 * is in force, which join mechanisms both sides may use, how the group is
 * rekeyed.  A policy never changes once it is made; threads share it by
 * counting references, and a new token is a new policy.
 */
#define GSAKMP_POLICY_SUITE_MAX 8
#define GSAKMP_POLICY_KEY_MAX 8

struct gsakmp_policy {
	struct gpt_verified v; /* the token and what to remember of it */
	struct gk_buf signed_der;
	const struct gpt_register *reg;
	const struct gpt_deregister *dereg; /* or NULL */
	const struct gpt_rekey *rekey;      /* or NULL: never rekeyed */

	/* The acceptable join mechanisms that are supported, by preference. */
	struct gsakmp_suite suite[GSAKMP_POLICY_SUITE_MAX];
	size_t n_suites;
	bool terse; /* of the first one; it is a property of the group */
	bool dereg_terse;

	/* Key IDs of the GTPKs that the data SAs want; at least one. */
	uint32_t key_id[GSAKMP_POLICY_KEY_MAX];
	int64_t key_expires[GSAKMP_POLICY_KEY_MAX]; /* utc; 0 not said */
	int64_t key_life[GSAKMP_POLICY_KEY_MAX];    /* seconds; 0 not said */
	size_t n_keys;
	/* RFC 4535 section 4.1.5.  With an SA for each of the listed speakers,
	 * @key_speaker is the number of the one that a key belongs to; else 0. */
	enum gpt_speakers speakers;
	size_t n_speakers;
	bool speaker_keys;
	size_t key_speaker[GSAKMP_POLICY_KEY_MAX];

	bool lkh;              /* the rekey method is GSAKMP LKH ... */
	uint16_t kek_type;     /* ... with KEKs of this type, Table 16 */
	uint16_t rekey_sig;    /* Table 21 */
	int64_t rekey_time_s;  /* 0: not by time */
	int64_t rekey_at_utc;  /* a date instead of an interval; 0 none */
	unsigned rekey_events; /* 0: not by events */
	int64_t overdue_s;     /* rekeyInterval; 0 never */
	unsigned resend;       /* reliability: how many more times, or ... */
	const char *post;      /* ... where Rekey Events are posted; or NULL */

	/* What the token says of the running of the group, in an entry that RFC
	 * 4534 does not have (gpt_gdoi.h, struct gpt_operation): where it is
	 * silent, each goes by its own configuration. */
	struct gsakmp_operation {
		bool says_join; /* @join_rekey counts */
		bool join_rekey;
		bool says_window; /* @window_ms counts */
		uint32_t window_ms;
		uint32_t mtu;    /* octets of a packet; 0 not said */
		uint32_t skew_s; /* 0 not said */
	} operation;

	/* RFC 4534 section 3: protocols of the token, beside those that are used,
	 * that this version does not know; "" for none. */
	char unknown[200];

	/* Restored, and would not be accepted today: nobody joins under it. */
	bool lapsed;
	struct gsakmp_reject lapse;

	unsigned refs; /* atomic */
};

/* RFC 4534 B.1.4: over which transport a member registers, as it is configured or
 * was announced. */
enum gsakmp_way {
	GSAKMP_WAY_UNSAID,
	GSAKMP_WAY_UDP,
	GSAKMP_WAY_TCP,
	GSAKMP_WAY_MIXED, /* the Request to Join by UDP, all others by TCP */
};

/* What makes a token acceptable here, besides its own content. */
struct gsakmp_policy_args {
	const struct gsakmp_party *party;
	const struct gsakmp_dialect *dialect;
	uint8_t group_id_type; /* Table 11 */
	struct gk_slice group_id;
	const struct gpt_seen *last; /* the newest one accepted before */
	bool legacy_ok;
	bool restore;            /* from our own store: gpt_token_restore() */
	struct gpt_fault *fault; /* what is wrong, in words; may be NULL */
	bool no_post; /* nothing can be posted from here: such a token is no use */
	/* Local policy: whoever finds a protocol that it does not know beside one
	 * that it does stays out. */
	bool no_unknown;
	/* Nor is one with a transport by which nobody can reach us. */
	bool no_udp, no_tcp;
	/* Nor is one whose signatures our own key cannot make: of a key server,
	 * which signs what it sends (RFC 4535 section 7.8.1). */
	bool we_sign;
	/* Of a member: a registration over another is taken where there is none
	 * over this. */
	enum gsakmp_way way;
};

/**
 * gsakmp_policy_new - verify a signed token and derive the policy from it.
 *
 * In the order of RFC 4535 section 5.2.1.2: the Group Owner's signature and
 * authority, then whether this implementation can live with the content.
 *
 * Return: GK_OK with *@out holding one reference; an error with *@why set.
 */
GK_MUST_CHECK enum gk_err gsakmp_policy_new(
	const struct gsakmp_policy_args *args, struct gk_slice token,
	struct gk_now now, struct gsakmp_policy **out,
	struct gsakmp_reject *why);
struct gsakmp_policy *gsakmp_policy_ref(struct gsakmp_policy *policy);
void gsakmp_policy_unref(struct gsakmp_policy *policy); /* NULL is fine */

/* gsakmp_policy_skew - how far clocks may be apart, in seconds: as the token
 * says, or @local.  @policy may be NULL. */
uint32_t gsakmp_policy_skew(const struct gsakmp_policy *policy, uint32_t local);

/* gsakmp_policy_over - has the keyExpirationDate of one of its keys come, so that
 * there can be no version of it any more? */
bool gsakmp_policy_over(const struct gsakmp_policy *policy, int64_t utc_s);

/* gsakmp_policy_may_send - may the speaker of @number use this key?  Number 0 is
 * for whoever may speak without being listed. */
bool gsakmp_policy_may_send(const struct gsakmp_policy *policy, size_t number,
                            uint32_t key_id);
/* gsakmp_policy_key_speaker - whose key is it?  0: everybody's. */
size_t gsakmp_policy_key_speaker(const struct gsakmp_policy *policy,
                                 uint32_t key_id);

/* gsakmp_policy_suite - the acceptable set that equals @want in signature, nonce
 * hash, key creation and encryption; NULL when there is none.  A field of
 * @want that is GSAKMP_SUITE_ANY matches everything. */
#define GSAKMP_SUITE_ANY 0xffff
const struct gsakmp_suite *gsakmp_policy_suite(
	const struct gsakmp_policy *policy, const struct gsakmp_suite *want);

/* gsakmp_policy_suite_timed - the same, with freshness as in @want, too. */
const struct gsakmp_suite *gsakmp_policy_suite_timed(
	const struct gsakmp_policy *policy, const struct gsakmp_suite *want);

/* gsakmp_policy_signs - can @signer make the signatures of a key server of this
 * policy: those of one of its suites, and of its Rekey Events? */
bool gsakmp_policy_signs(const struct gsakmp_policy *policy,
                         const struct gsakmp_dialect *dialect,
                         const struct gk_signer *signer);

/* gsakmp_policy_leave - RFC 4534 B.3: the way out of @who, a member with its
 * authorities, that signs with @signature: the first of the token with that
 * signature and one of those authorities.  NULL: there is none. */
const struct gpt_leave_mechanism *gsakmp_policy_leave(
	const struct gsakmp_policy *policy, const struct gpt_party *who,
	uint16_t signature);

/* gsakmp_suite_supported - can this implementation do that?  RFC 4535 section
 * 6: Suite 1 always; anything with SHA-1, MD5 or short keys only if @legacy. */
bool gsakmp_suite_supported(const struct gsakmp_suite *suite, bool legacy);

/* gsakmp_policy_answer_to - where an answer to what came from @from goes, when it
 * is no Cookie Download and no RTJ-Err (RFC 4534 B.1.4). */
struct gsakmp_endpoint gsakmp_policy_answer_to(
	const struct gsakmp_policy *policy, const struct gsakmp_endpoint *from);

#endif /* GSAKMP_ENGINE_POLICY_H */
