/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GROUP_H
#define GSAKMP_ENGINE_GROUP_H

#include "common/crypto/gk_kex.h"
#include "common/group/gk_commits.h"
#include "common/lkh/gk_lkh.h"
#include "gsakmp/engine/output.h"

struct gk_group_member;
struct gk_journal;
struct gk_traffic_key;
struct gpt_token;
struct gsakmp_dialect;
struct gsakmp_policy;

/*
 * DOC: one group at its key server - RFC 4535 sections 4.4.3, 5.3
 *
 * The group is the one object that the workers share: members, keys, tree,
 * counters, the verified policy token, and the sessions that are under way.
 * It locks itself; the lock is never held across a public-key operation.
 *
 * It is also an engine of its own, with commands, time and outputs: it builds
 * the Rekey Events, watches the timers of the policy and of the sessions.
 * Commands, _tick() and _poll() belong to one thread, the group's; the workers
 * reach it through gsakmp_gcks only.
 *
 * Durable state.  A COMMIT output says that the changes up to @ticket have to be
 * durable before the next output (gk_commits.h).  A Rekey Event whose commit failed
 * comes again, in front of any later one.
 */
struct gsakmp_group_config {
	struct gsakmp_party party;
	uint8_t group_id_type;                /* Table 11 */
	struct gk_slice group_id;             /* borrowed */
	const struct gsakmp_dialect *dialect; /* NULL: the defaults */
	bool legacy_ok; /* serve mechanisms with SHA-1, MD5, DSA-1024 */
	/* Section 4.4.7: the sub-group of a subordinate GC/KS.  Traffic keys and
	 * policy tokens come from gsakmp_group_relay() alone. */
	bool subordinate;

	/* All 0: the defaults in brackets. */
	unsigned lkh_degree; /* [2] */
	bool lkh_chain;      /* minimal wraps instead of everything per wrap */
	/* Defaults, for what the token does not say (policy.h, operation): these
	 * two, @skew_s; and @rekey_message, where it is less. */
	bool no_join_rekey;          /* joiners get the keys in use: no backward
	                             * secrecy */
	uint32_t join_window_ms;     /* [0: at once] joins that share a rekey */
	uint32_t resend_spacing_ms;  /* [1000] reliability "resend" */
	uint32_t session_timeout_ms; /* [10000] waiting for an ACK, where
	                                 * the token has no timeOut */
	unsigned loa_count;          /* [1] LOA messages in Verbose Mode */
	unsigned sessions_max;       /* [10000] registrations under way */
	unsigned replay_max;         /* [1048576] remembered RTJ nonces */
	uint32_t kek_life_s;         /* [31536000] */
	uint32_t tree_spare; /* [GK_LKH_SPARE] see struct gk_lkh_config */
	/*
	 * Which members lose their access, whose certificate, or one above it,
	 * or an attribute certificate that gave them a permission they need,
	 * was good when they registered and is not any more.
	 */
	enum gsakmp_recheck {
		GSAKMP_RECHECK_VALIDITY,   /* revoked, or out of date */
		GSAKMP_RECHECK_REVOCATION, /* revoked; nothing else */
		GSAKMP_RECHECK_NO,         /* none before the next token */
	} recheck;
	bool can_post; /* POST outputs are acted upon: without, a token that
	                * wants Rekey Events posted is refused */
	/* Nothing is received that way: a token that wants members to register
	 * or to leave by it is refused. */
	bool no_udp, no_tcp;
	uint16_t gtpk_type;   /* [the token's key wrap] Table 16 */
	uint32_t gtpk_life_s; /* [0: no end] when the token says nothing */
	uint32_t grace_ms;    /* [10000] a superseded GTPK may still be used */
	uint32_t skew_s;      /* [300] section 3.1, item 2 */
	/*
	 * Reads back a row that a COMMIT made durable; for members'
	 * certificates, which then need not be kept in memory.  Called from any
	 * thread, without the lock.  GK_ERR_UNEXPECTED: there is no such row.
	 * NULL: everything is kept.
	 */
	struct gsakmp_rows {
		enum gk_err (*read)(void *ctx, struct gk_slice scope,
		                    const char *table, struct gk_slice key,
		                    struct gk_buf *value);
		void *ctx;
	} rows;
	size_t rekey_message; /* [60000] octets of a Rekey Event message before
	                       * another is begun: no datagram is longer, unless
	                       * by its policy token or a single wrapped key */
	size_t rekey_headers; /* [28] octets of UDP and IP before it: of an MTU
	                       * that the token says, what is not for us */
	size_t rekey_payload; /* [65535] octets of one Rekey Event payload before
	                       * another is begun, in the same message */
	bool no_rekey_certs;  /* members know the key server's from the join */
};

struct gsakmp_group;

/* Copies *@cfg; what it points to, and @env, must outlive the group. */
struct gsakmp_group *gsakmp_group_new(const struct gk_env *env,
                                      const struct gsakmp_group_config *cfg);
void gsakmp_group_free(struct gsakmp_group *group); /* wipes */

/* gsakmp_group_table - the group's tables in the order in which they have to be
 * loaded; NULL past the last. */
const char *gsakmp_group_table(size_t i);

/*
 * Restart: hand in every stored row of the group, table by table in the order
 * of gsakmp_group_table(), then gsakmp_group_load_end() checks that they fit
 * together.  The scope of all rows is the GroupID Value.  After that the group goes on where it was;
 * an epoch that was not yet announced is announced by the first tick.
 */
GK_MUST_CHECK enum gk_err gsakmp_group_load(struct gsakmp_group *group,
                                            const char *table,
                                            struct gk_slice key,
                                            struct gk_slice value);
GK_MUST_CHECK enum gk_err gsakmp_group_load_end(struct gsakmp_group *group,
                                                struct gk_now now);
/* gsakmp_group_put_back - behind gsakmp_group_load_end(): while nobody looked, the
 * clock was put back by @seconds.  No key is in force longer for it: the next rekey
 * comes when it would have come.  Once: it is stored. */
GK_MUST_CHECK enum gk_err gsakmp_group_put_back(struct gsakmp_group *group,
                                                int64_t seconds,
                                                struct gk_now now);
/* gsakmp_group_load_why - what the last gsakmp_group_load_end() had to say about
 * the stored token; empty when the token was not the matter. */
const char *gsakmp_group_load_why(const struct gsakmp_group *group);
/* gsakmp_group_load_layout - true: it failed because members' records have the
 * layout *@found of another version of this program, not *@wanted. */
bool gsakmp_group_load_layout(const struct gsakmp_group *group, unsigned *found,
                              unsigned *wanted);

/*
 * gsakmp_group_set_token - the Group Owner's signed policy token, DER.
 *
 * Verified as if an attacker had brought it: owner, signature, group name,
 * edition and signing-time (RFC 4534 sections 2 and 3.1), and that this party
 * is authorised as GC/KS and can run the mechanisms.  The first token opens the
 * group; a later one evicts members that it excludes and is announced in a
 * Rekey Event (section 5.3.1.2).  The token already in force is accepted and
 * changes nothing.
 *
 * Return: GK_OK; an error with *@why filled in (may be NULL), nothing changed.
 */
enum gk_err gsakmp_group_set_token(struct gsakmp_group *group,
                                   struct gk_slice token, struct gk_now now,
                                   struct gsakmp_reject *why);

/*
 * gsakmp_group_relay - what the primary has in force, for a subordinate's group.
 *
 * RFC 4535 section 4.4.7: the first time it opens the sub-group; after that a
 * token or a GTPK that is new leaves in a Rekey Event of our own, without the
 * members that the token does not admit.  What is in force already changes
 * nothing.  The caller has verified @policy, and that it lets us serve; @keys
 * are in the order of the token.
 *
 * Return: GK_OK; GK_ERR_UNEXPECTED for a group of another kind or one that is
 * destroyed; GK_ERR_POLICY for a token that members could not follow;
 * GK_ERR_VALUE for another key under the handle of the one in force.
 */
enum gk_err gsakmp_group_relay(struct gsakmp_group *group,
                               struct gsakmp_policy *policy,
                               const struct gk_traffic_key *keys, size_t n,
                               struct gk_now now);
/* gsakmp_group_pause - answer nobody, as if the group were unknown, and have no
 * registrations under way; members and keys are kept. */
void gsakmp_group_pause(struct gsakmp_group *group, bool pause);
/* gsakmp_group_disown - put down, or take back, that a subordinate left its
 * primary or was evicted: what its group holds is not to be handed out, not by
 * the next process either, until the primary has admitted it again.  Nothing
 * happens before the first token and after destruction. */
GK_MUST_CHECK enum gk_err gsakmp_group_disown(struct gsakmp_group *group,
                                              bool disown);
bool gsakmp_group_disowned(struct gsakmp_group *group);

/* Commands.  GK_ERR_UNEXPECTED before the first token or after destruction. */
/* gsakmp_group_rekey - new keys for all.  A subordinate sends those in force
 * again, under new keys of its tree where they are about to expire;
 * GK_ERR_POLICY while it waits for the primary after an eviction. */
enum gk_err gsakmp_group_rekey(struct gsakmp_group *group, struct gk_now now);
/* gsakmp_group_evict - by identity, in the printable form of member rows;
 * several at once share one Rekey Event.  GK_ERR_VALUE: no such member. */
enum gk_err gsakmp_group_evict(struct gsakmp_group *group,
                               const char *const *peers, size_t n,
                               struct gk_now now);
/* gsakmp_group_readmit - an evicted member is also barred from joining again,
 * until this lifts it.  (A token that excludes it bars it in any case.)
 * GK_ERR_VALUE: @peer is not barred. */
enum gk_err gsakmp_group_readmit(struct gsakmp_group *group, const char *peer);
/*
 * A member that only receives - RFC 4535 section 5.2.3
 *
 * Who it is and what its static public value is came by a way that the key
 * server trusts: the certificate is verified and judged by the token like any
 * candidate's, but nobody has asked, and nobody will acknowledge.
 */
struct gsakmp_receiver {
	const struct gk_identity *id; /* goes into the Identification payload */
	const struct gk_cert *const *certs; /* its own, then its CAs */
	size_t n_certs;
	/* Attribute certificates that it would have sent along, DER. */
	const struct gk_slice *acerts;
	size_t n_acerts;
	enum gk_kex group; /* of @public_value */
	struct gk_slice public_value;
	struct gsakmp_endpoint to; /* ip_len 0: to the multicast group */
	unsigned copies;           /* how many more times, ... */
	uint32_t spacing_ms;       /* ... this far apart */
	/* The newest date that the caller knows to have been given to it, and
	 * after a push the one of that; 0: none.  What the member list knows is
	 * lost by an eviction. */
	int64_t dated_utc;
};

/*
 * gsakmp_group_push - a Key Download that nobody asked for.
 *
 * Makes @who a member, in full standing, if it is none; a member gets the keys
 * in force again.  Outputs: COMMIT, SEND or MULTICAST, PUSHED.
 *
 * Return: GK_OK; an error with *@why filled in (may be NULL), nothing changed:
 * the token does not admit @who, or has no join mechanism with timestamps in
 * Terse Mode for that key; it was evicted; its certificate is not good.
 */
enum gk_err gsakmp_group_push(struct gsakmp_group *group,
                              struct gsakmp_receiver *who, struct gk_now now,
                              struct gsakmp_reject *why);

/* gsakmp_group_destroy - section 5.3.1.3; the group answers nobody any more. */
enum gk_err gsakmp_group_destroy(struct gsakmp_group *group, struct gk_now now);
enum gk_err gsakmp_group_tick(struct gsakmp_group *group, struct gk_now now);

/* New certificates, revocation lists or key. */
void gsakmp_group_set_party(struct gsakmp_group *group,
                            const struct gsakmp_party *party);

/**
 * gsakmp_group_serves - may @party be the key server of the policy in force?
 *
 * For before gsakmp_group_set_party(): with another certificate that the token does
 * not name, or another kind of key, nobody would believe a Rekey Event any more.
 * Whose certificate is the same may; what has become of that otherwise is not asked.
 *
 * Return: GK_OK, also when there is no policy yet, and for a subordinate, which its
 * own membership judges; GK_ERR_POLICY with *@why set.
 */
GK_MUST_CHECK enum gk_err gsakmp_group_serves(struct gsakmp_group *group,
                                              const struct gsakmp_party *party,
                                              struct gk_now now,
                                              struct gsakmp_reject *why);

/*
 * gsakmp_group_token_recheck - would the token in force be accepted today?
 *
 * For after gsakmp_group_set_party() or a new CRL, and for now and then: when it
 * would not, because the Group Owner's certificate is revoked or over for
 * instance, nobody joins any more (status.lapsed) until it would again, or there
 * is another.
 */
enum gk_err gsakmp_group_token_recheck(struct gsakmp_group *group,
                                       struct gk_now now);

/*
 * gsakmp_group_revocations - judge all members anew; see config.recheck.
 *
 * For after gsakmp_group_set_party() or a new CRL.  Begins with the first few: a
 * certificate path each, without the lock.  The others come by and by in
 * gsakmp_group_tick(), the last one with JUDGED, and what expires meanwhile the
 * group looks at by itself.
 *
 * Return: what has become of the first few.  GK_ERR_POLICY when somebody had to go
 * and the group has no way to rekey; GK_ERR_IO when certificates cannot be read:
 * the group comes back to it, and both are told by JUDGED, too.
 */
enum gk_err gsakmp_group_revocations(struct gsakmp_group *group,
                                     struct gk_now now);

/*
 * Outputs: POST (in front of the MULTICAST of the same event), MULTICAST, SEND
 * (Lack of Ack, pushed Key Download), COMMIT, PUSHED, KEY_INSTALL and KEY_WIPE (a
 * key server may send data, too), EVICTED, ACCESS_ENDED (in front of it), JUDGED,
 * MEMBER_OVERDUE, DESTROYED, TOKEN,
 * REKEYED, REFUSED, MESSAGE.
 */
bool gsakmp_group_poll(struct gsakmp_group *group, struct gsakmp_output *out);
uint64_t gsakmp_group_deadline(struct gsakmp_group *group);

/* gsakmp_group_message_max - what a Rekey Event message is split by: rekey_message,
 * or less where the token says so.  For the group's thread. */
size_t gsakmp_group_message_max(const struct gsakmp_group *group);

/* gsakmp_group_commits - what is to be stored for a COMMIT; from any thread. */
struct gk_commits *gsakmp_group_commits(struct gsakmp_group *group);

/* What "status" and "members" show; text in @peer is valid in the callback. */
struct gsakmp_group_status {
	bool open; /* has a token and is not destroyed */
	bool destroyed;
	int64_t edition; /* -1 none */
	bool terse;
	size_t n_members; /* acknowledged */
	size_t n_pending; /* registrations and departures under way */
	size_t n_overdue; /* to be evicted by the next policy-defined rekey */
	bool paused;
	size_t n_expelled; /* evictions that the primary has not followed yet */
	uint32_t sequence; /* the last Sequence ID used */
	uint64_t rekeys;
	bool fixed_keys; /* the token names no rekey method: no eviction */
	bool untold;     /* nor a rekey protocol: members hear nothing at all */
	uint64_t oversize; /* Rekey Events longer than rekey_message */
	int64_t last_rekey_utc;
	int64_t next_rekey_utc; /* 0: none is due by time */
	unsigned events;        /* towards an event-driven rekey */
	int64_t recheck_utc;    /* the first date on which a member's access
	                          * may end; 0: none.  While all are judged:
	                          * of those that have been */
	bool judging;           /* all members anew, and ... */
	struct gsakmp_judged judged; /* ... how far; or the last time */
	struct gsakmp_gtpk gtpk;     /* octets empty */
	struct gsakmp_suite suite;
	struct gk_lkh_size tree; /* no trees: no LKH, or nobody came yet */
	/* Why the token, which was restored, would not be accepted today: no
	 * joins until another comes.  NULL: it would. */
	const char *lapsed;
	/* The last second, since 1970, of the certificate that signed it;
	 * INT64_MAX: not known. */
	int64_t signer_until;
	/* As the token says or as configured; policy.h, operation. */
	bool join_rekey;
	uint32_t join_window_ms;
	uint32_t skew_s;
	size_t message_max;
};
void gsakmp_group_status(struct gsakmp_group *group,
                         struct gsakmp_group_status *out);

struct gsakmp_group_row {
	const char *peer;  /* printable identity */
	const char *state; /* "pending", "active", "overdue" */
	uint32_t member_id;
	int64_t joined_utc;
	int64_t seen_utc;
};
void gsakmp_group_members(struct gsakmp_group *group,
                          void (*each)(void *ctx,
                                       const struct gsakmp_group_row *row),
                          void *ctx);
/* gsakmp_group_members_next - the same of @n seats at most, from *@cursor on, 0 at
 * first; false: that was the last of them.  Whoever comes and goes between two
 * calls may be missed. */
bool gsakmp_group_members_next(
	struct gsakmp_group *group, size_t *cursor, size_t n,
	void (*each)(void *ctx, const struct gsakmp_group_row *row), void *ctx);
/* gsakmp_group_barred - the identities that were evicted and may not come back,
 * in no order; @peer is the caller's only during the call. */
void gsakmp_group_barred(struct gsakmp_group *group,
                         void (*each)(void *ctx, const char *peer), void *ctx);

/* The GroupID Value that this group answers to. */
struct gk_slice gsakmp_group_id(const struct gsakmp_group *group);

/* See gsakmp_gm_digest(). */
void gsakmp_group_digest(struct gsakmp_group *group, uint8_t out[32]);

#endif /* GSAKMP_ENGINE_GROUP_H */
