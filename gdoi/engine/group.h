/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GROUP_H
#define GDOI_ENGINE_GROUP_H

#include "common/crypto/gk_sign.h"
#include "common/group/gk_commits.h"
#include "common/lkh/gk_lkh.h"
#include "gdoi/engine/output.h"
#include "gdoi/engine/policy.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/seq.h"

/*
 * DOC: one group at its key server - RFC 6407 sections 3.4, 3.5, 4.3
 *
 * The one object that the workers share: members, key tree, Rekey SA,
 * Data-Security SAs, counters.  It locks itself; the lock is never held across a
 * public-key operation.
 *
 * It is an engine of its own, with commands, time and outputs: it builds the
 * GROUPKEY-PUSH messages, watches lifetimes and acknowledgements.  Commands,
 * _tick() and _poll() belong to one thread, the group's; workers reach it
 * through gdoi_gcks only (group_pull.h).
 *
 * Durable state: a COMMIT output says that the changes up to @ticket have to be
 * durable before the next output (gk_commits.h).
 *
 * An eviction under LKH takes two PUSHes: the first, under the old KEK, brings
 * the update arrays with the new KEK; the second, under the new KEK, the new
 * TEKs, which the evicted member cannot read (RFC 6407 section 4, 7.3.2).
 */
struct gdoi_group_config {
	struct gk_slice scope;              /* names the group in the store */
	struct gk_slice id;                 /* body of its ID payload */
	const struct gdoi_dialect *dialect; /* NULL: the defaults */
	/* Signs PUSHes; should not be the key of phase 1 (RFC6407-4.1-01). */
	struct gk_signer *signer;
	/* Members of before the last start may have its key; NULL: none. */
	struct gk_signer *signer_before;
	const struct gk_pubkey *signer_key; /* NULL: the signer's own */
	struct gk_slice signer_cert;        /* DER; for sig_key_format `x509` */
	bool legacy_ok; /* DES, 3DES, MD5, SHA-1 signatures, 1024-bit keys */

	/* All 0: the defaults in brackets. */
	uint32_t join_window_ms; /* [0: at once] joins that share a rekey */
	uint32_t ack_wait_ms;    /* [10000] for acknowledgements of a PUSH */
	size_t push_max;         /* [1400] octets of one datagram: update arrays
	                          * beyond it go into further PUSHes */
	unsigned members_max;    /* [1048576]; with LKH as many as a tree with
	                          * IDs of 16 bits has leaves: 32768 for degree
	                          * 2.  Lower it for shorter paths. */
	uint32_t tree_spare;     /* [GK_LKH_SPARE] see struct gk_lkh_config */
	uint32_t sender_last;    /* [by the policy's sid_bits] lower it to see
	                          * sender ids run out */
	/* RFC 6407 sections 3.4, 5.4.2: of one request; never above
	 * GDOI_KD_SIDS_MAX.  Who asks for more is refused, or gets so many. */
	unsigned sids_max; /* [GDOI_KD_SIDS_MAX] */
	bool sids_fewer;
	uint32_t start_over_gap_s; /* [60] section 3.5, step 5: from one time
	                            * that everything is deleted to the next */
	/* RFC 2407 section 4.5: an SA with a lifetime in kilobytes is replaced when
	 * a member registers again, but not sooner than that, ... */
	uint32_t worn_gap_s; /* [10] after it was made, and ... */
	unsigned worn_max;   /* [12] ... for one member in an hour */
};

/* gdoi_group_new - copies *@cfg; what it points to, and @env, must outlive the
 * group. */
struct gdoi_group *gdoi_group_new(const struct gk_env *env,
                                  const struct gdoi_group_config *cfg);
void gdoi_group_free(struct gdoi_group *group); /* wipes */

/* Restart: as gsakmp_group: every stored row, table by table, then load_end. */
const char *gdoi_group_table(size_t i);
GK_MUST_CHECK enum gk_err gdoi_group_load(struct gdoi_group *group,
                                          const char *table,
                                          struct gk_slice key,
                                          struct gk_slice value);
GK_MUST_CHECK enum gk_err gdoi_group_load_end(struct gdoi_group *group,
                                              struct gk_now now);
/* gdoi_group_put_back - after that: the clock shows @by seconds less than when the
 * rows were written, and keys do not live longer for it. */
GK_MUST_CHECK enum gk_err gdoi_group_put_back(struct gdoi_group *group,
                                              int64_t by);

/*
 * gdoi_group_set_policy - the first opens the group and makes its SAs; a later
 * one evicts those it does not admit and replaces the SAs that it changes.
 *
 * Takes @policy over, whatever comes of it.  After a restart the policy has to
 * be set again, before anything else happens; the SAs that were restored go on
 * when they fit it.
 */
enum gk_err gdoi_group_set_policy(struct gdoi_group *group,
                                  struct gdoi_policy *policy, struct gk_now now,
                                  struct isakmp_reject *why);

/* gdoi_group_room - how many members its key tree can have, RFC 6407 section
 * 5.6.3.1; without LKH UINT32_MAX. */
uint32_t gdoi_group_room(const struct gdoi_policy *policy);

/* gdoi_group_push_least - octets of a PUSH with nothing but its longest update array,
 * which is never divided; 0: there are none.  *@max: what one may have, by @cfg. */
size_t gdoi_group_push_least(const struct gdoi_group_config *cfg,
                             const struct gdoi_policy *policy, size_t *max);

/* gdoi_group_policy_check - can a group of that configuration run it?  As
 * gdoi_group_set_policy() judges it, which changes nothing here. */
enum gk_err gdoi_group_policy_check(const struct gdoi_group_config *cfg,
                                    const struct gdoi_policy *policy,
                                    struct isakmp_reject *why);

/* gdoi_group_rekey_check - the same for the Rekey SA alone. */
enum gk_err gdoi_group_rekey_check(const struct gdoi_group_config *cfg,
                                   const struct gdoi_rekey_policy *rekey,
                                   struct isakmp_reject *why);

/* gdoi_group_set_lapsed - the token of the policy in force would not, or would again,
 * be accepted today.  While it would not, only members register. */
void gdoi_group_set_lapsed(struct gdoi_group *group, bool lapsed);

/* Commands.  GK_ERR_UNEXPECTED before the first policy or after destruction;
 * GK_ERR_POLICY when the group has no Rekey SA. */
enum gdoi_rekey {
	GDOI_REKEY_TEK = 1,
	GDOI_REKEY_KEK = 2,
	GDOI_REKEY_ALL = 3,
	GDOI_REKEY_NOW = 4, /* and: the old ones are deleted at once */
};

enum gk_err gdoi_group_rekey(struct gdoi_group *group, unsigned what,
                             struct gk_now now);
/* gdoi_group_evict - by printable identity; several share one rekey.
 * GK_ERR_VALUE: no such member.  They are barred until readmitted.
 * gdoi_group_evict_now - the same, without ATD and DTD, whatever policy says of
 * evictions: what they can read is not sent a moment longer. */
enum gk_err gdoi_group_evict(struct gdoi_group *group, const char *const *peers,
                             size_t n, struct gk_now now);
enum gk_err gdoi_group_evict_now(struct gdoi_group *group,
                                 const char *const *peers, size_t n,
                                 struct gk_now now);
enum gk_err gdoi_group_readmit(struct gdoi_group *group, const char *peer);
/* gdoi_group_delete_all - everybody is to register again (section 3.5, step 6;
 * also what an operator does after a compromise). */
enum gk_err gdoi_group_delete_all(struct gdoi_group *group, struct gk_now now);
/* gdoi_group_destroy - delete everything, and answer nobody any more. */
enum gk_err gdoi_group_destroy(struct gdoi_group *group, struct gk_now now);
enum gk_err gdoi_group_tick(struct gdoi_group *group, struct gk_now now);

/* Outputs: COMMIT, MULTICAST or SEND (unicast PUSH), TEK, TEK_WIPE (a key server
 * may send data, too), REKEYED, SENT_AGAIN, EVICTED, UNRESPONSIVE, ACKED, SID_EXHAUSTED,
 * KILOBYTES, DESTROYED, POLICY, REFUSED, MESSAGE. */
bool gdoi_group_poll(struct gdoi_group *group, struct gdoi_output *out);
uint64_t gdoi_group_deadline(struct gdoi_group *group);

/* gdoi_group_commits - what is to be stored for a COMMIT; from any thread. */
struct gk_commits *gdoi_group_commits(struct gdoi_group *group);

/* What "status" and "members" show. */
struct gdoi_group_status {
	bool open, destroyed;
	bool lapsed; /* see gdoi_group_set_lapsed() */
	int64_t edition;
	size_t n_members, n_unresponsive, n_barred;
	size_t capacity;         /* members that it can have */
	struct gk_lkh_size tree; /* no trees: no LKH, or nobody came yet */
	bool has_kek;
	struct gdoi_kek_info kek;
	size_t n_teks;
	uint64_t pushes, acks, refused_acks;
	uint32_t senders;     /* sender ids given out */
	uint32_t sender_last; /* the highest there is */
	int64_t last_rekey_utc, next_rekey_utc;
};
void gdoi_group_status(struct gdoi_group *group, struct gdoi_group_status *out);

struct gdoi_group_row {
	const char *peer;
	const char *state; /* "member", "unresponsive" */
	uint32_t member_id;
	uint16_t lkh_id; /* of its leaf; 0: none */
	int64_t joined_utc, seen_utc;
	uint32_t acked;  /* SEQ of its last acknowledgement; 0: none */
	unsigned missed; /* PUSHes in a row without one */
	struct gdoi_address address;
};
void gdoi_group_members(struct gdoi_group *group,
                        void (*each)(void *ctx,
                                     const struct gdoi_group_row *row),
                        void *ctx);
void gdoi_group_barred(struct gdoi_group *group,
                       void (*each)(void *ctx, const char *peer), void *ctx);
/* gdoi_group_teks - the Data-Security SAs in force, without their keys. */
void gdoi_group_teks(struct gdoi_group *group,
                     void (*each)(void *ctx, const struct gdoi_tek *tek),
                     void *ctx);
struct gk_slice gdoi_group_id(const struct gdoi_group *group);
/* gdoi_group_dialect - never NULL. */
const struct gdoi_dialect *gdoi_group_dialect(const struct gdoi_group *group);
void gdoi_group_digest(struct gdoi_group *group, uint8_t out[32]);

#endif /* GDOI_ENGINE_GROUP_H */
