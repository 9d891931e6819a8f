/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_POLICY_H
#define GDOI_ENGINE_POLICY_H

#include "common/crypto/gk_cert.h"
#include "common/identity/gk_identity.h"
#include "gdoi/payload/group_id.h"
#include "gdoi/payload/sa.h"
#include "gdoi/phase1/suite.h"

struct gpt_token;
struct gpt_phase1;
struct gpt_register;
struct gdoi_group_config;
struct gdoi_peer;
struct ike_config;

/*
 * DOC: what a GDOI group is to be
 *
 * A group's policy is always a policy token (RFC 4534) with the GDOI protocols
 * of this project's private arc: signed by a Group Owner, or, as labs want it, the
 * same XML read from a local file by the key server itself.  This struct is what the
 * engines make of it: templates for the SA payload, in which SPIs and keys are
 * still missing.
 */
struct gdoi_rekey_policy {
	bool on;             /* there is a Rekey SA: PUSHes are sent */
	struct gdoi_sak sak; /* all but the SPI; slices are the policy's;
	                      * a source that the policy leaves out is the
	                      * unspecified address: see
	                      * gdoi_policy_set_source() */
	bool backward;       /* a joiner must not read what was sent before */
	unsigned lkh_degree; /* of KEK_MANAGEMENT_ALGORITHM LKH; 0: 2 */
	uint32_t margin_s;   /* rekey so long before a lifetime ends; 0: a
	                      * tenth of it */
	uint32_t interval_s; /* new keys at least this often; 0: by lifetime */
	unsigned resend_count;      /* a PUSH goes out so many more times, */
	uint32_t resend_spacing_ms; /* ... this far apart */
	/* RFC 8263: who misses this many PUSHes in a row is unresponsive; 0:
	 * never.  With evict_silent it is evicted as well. */
	unsigned silent_max;
	bool evict_silent;
	bool evict_at_once; /* an eviction knows neither ATD nor DTD */
	/* RFC 6407 section 7.4.1: the evicted do not see what the KEK is that
	 * protects the new TEKs. */
	bool hide_kek;
};

struct gdoi_data_policy {
	struct gdoi_sat sat; /* all but the SPI; lifetimes as configured */
	/* Counter modes only (RFC 6054): members that are senders get sender
	 * ids. */
	bool counter_mode;
	/* SIG-RSA (RFC 4359): the public key of the source, which keeps the
	 * private one; a SubjectPublicKeyInfo, the policy's. */
	struct gk_slice source_key;
};

struct gdoi_policy {
	int64_t edition;         /* of the token; -1: a local policy */
	struct gpt_token *token; /* owned */
	/* Who is admitted: the token's, of the registration in force. */
	const struct gpt_register *lists;
	/* For people: which entry of the token that stands above those in force
	 * is not, and why; "": none. */
	char passed_over[256];
	/* The Group Owner's token would not be accepted any more: the group goes
	 * on for its members, and nobody else registers. */
	bool lapsed;
	struct gdoi_group_id id; /* the group; slices are the token's */
	bool has_gap;
	struct gdoi_gap gap; /* ATD and DTD */
	struct gdoi_rekey_policy rekey;
	size_t n_data;
	struct gdoi_data_policy data[GDOI_SATS_MAX];
	uint16_t sid_bits;    /* of sender ids; 0: no counter mode */
	uint32_t members_max; /* nobody more is admitted; 0: not said */
	/* Phase 1 proposals that members may come with; none: whatever local
	 * configuration allows. */
	size_t n_phase1;
	struct gdoi_phase1_policy {
		bool aggressive;
		struct ike_suite suite;
	} * phase1;
	struct gk_buf octets; /* what the slices above point to; owned */
};

/* What a key server can do, and may. */
struct gdoi_policy_able {
	/* DES, 3DES, MD5, SHA-1 signatures, short keys are no reason to refuse */
	bool legacy_ok;
	const struct gdoi_dialect
		*dialect;             /* the group's; NULL: the defaults */
	const struct ike_config *ike; /* proposals; NULL: any phase 1 will do */
	/* Its ID and its signer; NULL: any group, and whatever a Rekey SA is
	 * signed with will do. */
	const struct gdoi_group_config *group;
	/* Who it is, by each of its certificates; none: whomever a registration
	 * names as key server. */
	const struct gdoi_peer *self;
	size_t n_self;
};

/**
 * gdoi_policy_new - what @token says about a GDOI group.
 * @edition: -1 for a policy that was read from a local file
 * @able:    is not kept
 * @why:     for people: which element, and what is wrong with it
 *
 * RFC 4534 section 3: of several registrations and rekey protocols the highest is in
 * force that @able can do.  When none is left, the refusal is that of the first.
 * Takes @token over on success.
 *
 * Return: GK_OK; GK_ERR_POLICY: no GDOI group, or one that cannot be run.
 */
GK_MUST_CHECK enum gk_err gdoi_policy_new(struct gpt_token *token,
                                          int64_t edition,
                                          const struct gdoi_policy_able *able,
                                          struct gdoi_policy **policy,
                                          char why[256]);
void gdoi_policy_free(struct gdoi_policy *policy);

/* gdoi_policy_set_source - the address that PUSHes come from, where the policy
 * leaves it out; @ip has 4 or 16 octets and is copied.  GK_ERR_VALUE when it is of
 * another family than their destination. */
GK_MUST_CHECK enum gk_err gdoi_policy_set_source(struct gdoi_policy *policy,
                                                 struct gk_slice ip);

/* Who phase 1 says it is. */
struct gdoi_peer {
	const struct gk_identity *id;
	/* The verified path: its own certificate first, the trust anchor last;
	 * none for a pre-shared key. */
	const struct gk_cert *const *certs;
	size_t n_certs;
	/* Without @certs, remembered from when there were some: the key
	 * identifiers of its authorities, and its other names. */
	const struct gk_slice *ca_key_ids;
	size_t n_ca_key_ids;
	const struct gk_identity *names;
	size_t n_names;
	/* The phase 1 that it came with; NULL: that is not looked at. */
	const struct ike_suite *suite;
	bool aggressive;
};

/* gdoi_phase1_listed - is a phase 1 of @suite among them?  Of none: everything. */
bool gdoi_phase1_listed(const struct gdoi_phase1_policy *list, size_t n,
                        const struct ike_suite *suite, bool aggressive);
/* gdoi_policy_phase1 - may a member come with a phase 1 of @suite? */
bool gdoi_policy_phase1(const struct gdoi_policy *policy,
                        const struct ike_suite *suite, bool aggressive);
/* gdoi_policy_phase1_of - a Phase1Proposal of a token or an announcement. */
struct gdoi_phase1_policy gdoi_policy_phase1_of(const struct gpt_phase1 *in);
/* gdoi_policy_admits - may @peer be a member; _key_server: may it be a key server
 * of the group; _sender: may it, as a member, send (RFC 4534 B.1.1). */
bool gdoi_policy_admits(const struct gdoi_policy *policy,
                        const struct gdoi_peer *peer);
bool gdoi_policy_key_server(const struct gdoi_policy *policy,
                            const struct gdoi_peer *peer);
bool gdoi_policy_sender(const struct gdoi_policy *policy,
                        const struct gdoi_peer *peer);
/*
 * gdoi_peer_remember - what admission depends on, in octets to keep: who it is,
 * every name that its certificate proves, its authorities.  @octets must be empty.
 * GK_ERR_SPACE: the certificate has more names than anybody could need.
 * gdoi_policy_admits_again - is a peer that was remembered so still admitted?
 * Octets that are no such memory: no.
 */
#define GDOI_PEER_MEMORY_MAX 3072
GK_MUST_CHECK enum gk_err gdoi_peer_remember(const struct gdoi_peer *peer,
                                             struct gk_buf *octets);
bool gdoi_policy_admits_again(const struct gdoi_policy *policy,
                              struct gk_slice octets);
/* gdoi_policy_explain - why gdoi_policy_admits() says what it says; for people. */
bool gdoi_policy_explain(const struct gdoi_policy *policy,
                         const struct gdoi_peer *peer, char why[256]);

#endif /* GDOI_ENGINE_POLICY_H */
