/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GROUP_STATE_H
#define GSAKMP_ENGINE_GROUP_STATE_H

#include <pthread.h>

#include "common/group/gk_group.h"
#include "common/group/gk_index.h"
#include "gsakmp/engine/freshness.h"
#include "gsakmp/engine/group.h"
#include "gsakmp/engine/member.h"
#include "gsakmp/engine/policy.h"
#include "gsakmp/engine/session.h"
#include "gsakmp/engine/verify.h"

/*
 * DOC: inside a group - for gsakmp/engine only
 *
 * Everything below is guarded by @lock, except @cfg and @dialect, which never
 * change, and @out, which belongs to the group's own thread.
 *
 * Functions named gsakmp_group_* that are declared here want the lock held,
 * unless they say otherwise.
 */

/* Tables of the group's own rows; those of gk_group_tables come after. */
#define GSAKMP_TABLE_POLICY "gsakmp-policy"     /* key "token" */
#define GSAKMP_TABLE_EVENT "gsakmp-event"       /* key: Sequence ID, 4 octets */
#define GSAKMP_TABLE_CHAIN "gsakmp-chain"       /* key: from 1, 4 octets */
#define GSAKMP_TABLE_EXPELLED "gsakmp-expelled" /* key: the member's name */
/* Read when needed, not loaded; key: MemberID, 4 octets. */
#define GSAKMP_TABLE_CERT "gsakmp-cert"

#define GSAKMP_CHAINS_MAX 64 /* of authorities, kept apart from members */

/* A note of gk_group: a new GTPK is owed to a subordinate's expulsion. */
#define GSAKMP_NOTE_OWED "rekey-owed"
/* Another: the subordinate is no member of the primary's group any more. */
#define GSAKMP_NOTE_DISOWNED "disowned"

/* A Rekey Event whose content is fixed and stored, but not yet signed. */
struct gsakmp_event {
	struct gsakmp_event *next;
	uint32_t sequence;
	uint64_t ticket;     /* of the commit that its sending waits for */
	uint16_t signature;  /* Table 21 */
	bool extra;          /* needs the Vendor ID */
	bool destroy;        /* the last one */
	bool post;           /* on the bulletin, too */
	unsigned resend;     /* how many more times */
	struct gk_buf token; /* sealed; empty when there is none */
	struct gk_buf body;  /* of the Rekey Event payloads: each with its
	                      * length, 2 octets, in front */
	/* What the body lies in, behind room for the head of a row; NULL: it is
	 * a piece of memory of its own. */
	struct gk_shared *row;
};

/* Somebody that a subordinate has left out and the primary has not. */
struct gsakmp_expelled {
	struct gsakmp_expelled *next;
	struct gk_buf peer; /* canonical name */
	struct gk_buf who;  /* struct gsakmp_expulsion, encoded */
	bool accepted;      /* the primary knows; a new key will follow */
	bool refused;       /* it will not hear of it */
	uint64_t next_ms;   /* when to tell it (again); not durable */
	uint32_t wait_ms;
};

enum gsakmp_group_phase {
	GSAKMP_GROUP_IDLE,      /* "Idle": no token yet */
	GSAKMP_GROUP_OPEN,      /* "Wait for GC/KS Event" */
	GSAKMP_GROUP_DESTROYED, /* "Idle" again, for good */
};

struct gsakmp_round;
struct gsakmp_preview;

struct gsakmp_group {
	pthread_mutex_t lock;
	const struct gk_env *env;
	struct gsakmp_group_config cfg;
	struct gsakmp_dialect dialect;
	struct gsakmp_party party;
	enum gsakmp_group_phase phase;

	struct gk_group *data; /* NULL before the first token */
	struct gsakmp_policy *policy;
	struct gk_buf loaded_token; /* between load and load_end */
	unsigned load_layout;       /* of a record that cannot be read */
	char load_why[320];         /* what load_end() found in the token */
	struct gk_buf chain[GSAKMP_CHAINS_MAX];
	size_t n_chains;
	struct gsakmp_sessions sessions;
	struct gsakmp_replay *replay;

	size_t message_max; /* octets of a Rekey Event message */
	/* Nothing signed before @fresh_from is fresh, until @fresh_ends on the
	 * monotonic clock: then the skew says so, too. */
	int64_t fresh_from;
	uint64_t fresh_ends;

	/* timers, all monotonic; GK_NEVER when not running */
	uint64_t known_at;    /* the deadline that the group's thread has asked
	                         for; not a timer */
	uint64_t window_ends; /* join window: announce the open epoch */
	uint64_t rekey_due;   /* by time */
	uint64_t grace_ends;  /* the previous GTPK may be forgotten */
	uint64_t judge_at;    /* a member's certificate expires */
	int64_t judge_utc;    /* when that is; 0: no such date */
	uint64_t judge_next;  /* the next slice of the round under way */
	struct gsakmp_round *judging;     /* or NULL; group_judge.h */
	struct gsakmp_preview *preview;   /* or NULL; group_preview.c */
	struct gsakmp_judged judge_count; /* of that, or of the last one */
	int64_t rekey_due_utc, last_rekey_utc;
	uint64_t clock_at; /* look again whether somebody has set the clock */
	unsigned events;
	uint64_t rekeys, oversize;
	uint64_t rekeyed_at; /* monotonic; the last one */

	bool paused; /* a subordinate that may not serve */
	struct gsakmp_expelled *expelled, *last_expelled; /* oldest first */
	struct gk_index expelled_by;                      /* their names */

	struct gsakmp_event *first_event, *last_event; /* to be signed, sent */
	struct gsakmp_event *sent; /* signed; the store has not said yes yet */
	bool hold;                 /* the store said no: try again, later */
	uint64_t flushed_at;       /* monotonic */
	uint32_t stored_first, stored_last; /* Sequence IDs of stored events */

	struct gk_journal *own; /* rows that are not gk_group's */
	struct gk_commits commits;

	struct gsakmp_outputs out;
};

static inline struct gsakmp_groupid
gsakmp_group_groupid(const struct gsakmp_group *g)
{
	return (struct gsakmp_groupid){ g->cfg.group_id_type, g->cfg.group_id };
}

/* gsakmp_group_store - a row of the group's own; an empty value deletes. */
GK_MUST_CHECK enum gk_err gsakmp_group_store(struct gsakmp_group *g,
                                             const char *table,
                                             struct gk_slice key,
                                             struct gk_slice value);

/*
 * group_preview.c: whom a new token admits, looked at before it is in force, in
 * small pieces between which others have the lock.  The functions take it
 * themselves unless it says otherwise.
 */
/* gsakmp_preview_begin - GK_ERR_UNEXPECTED: there is nothing to look at, or
 * another one is under way. */
GK_MUST_CHECK enum gk_err gsakmp_preview_begin(struct gsakmp_group *g,
                                               struct gsakmp_policy *p);
/* gsakmp_preview_piece - the next few; *@more false: that was everybody. */
GK_MUST_CHECK enum gk_err gsakmp_preview_piece(struct gsakmp_group *g,
                                               bool *more);
/* gsakmp_preview_all - begin, and every piece.  Without memory for it, nobody has
 * been looked at, which is no error. */
void gsakmp_preview_all(struct gsakmp_group *g, struct gsakmp_policy *p);
/* gsakmp_preview_changed - with the lock: the record of @m is another one. */
void gsakmp_preview_changed(struct gsakmp_group *g, const struct gk_member *m);
/* gsakmp_preview_admits - with the lock: @p does.  False:
 * that is not known. */
bool gsakmp_preview_admits(const struct gsakmp_group *g,
                           const struct gsakmp_policy *p,
                           const struct gk_member *m);
/* gsakmp_preview_end - of @p; one of another token is not ours to end. */
void gsakmp_preview_end(struct gsakmp_group *g, const struct gsakmp_policy *p);

/* gsakmp_group_member_put - what is remembered of a member; the certificate
 * goes to the store, if there is one to read it from. */
GK_MUST_CHECK enum gk_err gsakmp_group_member_put(
	struct gsakmp_group *g, struct gk_member *m,
	const struct gsakmp_member_info *info);
/* gsakmp_group_member_join - the same of a new one, who takes a seat.  On an error
 * nobody has one, or one that goes with the next rekey. */
GK_MUST_CHECK enum gk_err gsakmp_group_member_join(
	struct gsakmp_group *g, struct gk_slice key,
	const struct gsakmp_member_info *info, struct gk_now now,
	struct gk_member **m);
/* gsakmp_group_member_note - what _get() gave, changed; the certificates stay
 * as they are. */
GK_MUST_CHECK enum gk_err gsakmp_group_member_note(
	struct gsakmp_group *g, struct gk_member *m,
	const struct gsakmp_member_info *info);
/* gsakmp_group_chain_certs - the certificates between the members of chain
 * number @i + 1 and their anchor. */
GK_MUST_CHECK enum gk_err gsakmp_group_chain_certs(const struct gsakmp_group *g,
                                                   size_t i,
                                                   struct gk_certs *certs);
/* group_judge.c: members judged anew */
/* gsakmp_group_judge_by - something of a member expires then; see
 * gsakmp_member_info. */
void gsakmp_group_judge_by(struct gsakmp_group *g, uint32_t until,
                           struct gk_now now);
/* gsakmp_group_judge_arm - the same for all members. */
void gsakmp_group_judge_arm(struct gsakmp_group *g, struct gk_now now);
/* gsakmp_group_judge_tick - takes the lock itself.  A slice of a round, if one is
 * due. */
GK_MUST_CHECK enum gk_err gsakmp_group_judge_tick(struct gsakmp_group *g,
                                                  struct gk_now now);
void gsakmp_group_round_free(struct gsakmp_round *round);
/* gsakmp_group_member_get - the same without the certificate, if that is
 * elsewhere; free it in any case. */
GK_MUST_CHECK enum gk_err gsakmp_group_member_get(
	const struct gsakmp_group *g, const struct gk_member *m,
	struct gsakmp_member_info *info);
/* gsakmp_group_member_der - the certificate, from the store: without the lock.
 * GK_ERR_UNEXPECTED: that of member @id with this @name is not (yet) there. */
GK_MUST_CHECK enum gk_err gsakmp_group_member_der(const struct gsakmp_group *g,
                                                  uint32_t id,
                                                  struct gk_slice name,
                                                  struct gk_buf *der,
                                                  struct gk_buf *grants);
GK_MUST_CHECK enum gk_err gsakmp_group_member_forget(struct gsakmp_group *g,
                                                     uint32_t id);
GK_MUST_CHECK enum gk_err gsakmp_group_chain_load(struct gsakmp_group *g,
                                                  struct gk_slice key,
                                                  struct gk_slice value);

/* gsakmp_group_earliest - gsakmp_group_deadline() but for commits to be tried again;
 * with the lock held. */
uint64_t gsakmp_group_earliest(const struct gsakmp_group *g);
/* gsakmp_group_ticket - names all changes up to now, for a COMMIT. */
uint64_t gsakmp_group_ticket(struct gsakmp_group *g);

/* gsakmp_group_commits_init - @g has its name. */
void gsakmp_group_commits_init(struct gsakmp_group *g);
/* gsakmp_group_retry - what a commit that failed has left to do. */
GK_MUST_CHECK enum gk_err gsakmp_group_retry(struct gsakmp_group *g,
                                             struct gk_now now);

/* gsakmp_group_log_commit - an output COMMIT for @ticket in @q. */
GK_MUST_CHECK enum gk_err gsakmp_group_log_commit(struct gsakmp_group *g,
                                                  struct gsakmp_outputs *q,
                                                  uint64_t ticket);

/* What a Rekey Event is built for. */
struct gsakmp_rekey_cause {
	bool refresh; /* new GTPK, whoever comes or goes */
	bool sweep;   /* leave out everybody in state LEAVING */
	struct gk_member *const *evict;
	size_t n_evict;
	const struct gsakmp_policy *announce; /* send this token along */
};

/*
 * gsakmp_group_plan - close the epoch and fix the Rekey Event(s) for it.
 *
 * Keys are wrapped here, with the lock held (symmetric work only); signing and
 * sending is gsakmp_group_flush(), without it.
 */
GK_MUST_CHECK enum gk_err gsakmp_group_plan(
	struct gsakmp_group *g, const struct gsakmp_rekey_cause *order,
	struct gk_now now);
/* gsakmp_group_plan_destroy - the event with Sequence ID 0xFFFFFFFF. */
GK_MUST_CHECK enum gk_err gsakmp_group_plan_destroy(struct gsakmp_group *g,
                                                    struct gk_now now);
/* gsakmp_group_flush - takes the lock itself: sign what is planned, emit COMMIT
 * and MULTICAST.  Of very much that is a part: gsakmp_group_deadline() says that
 * gsakmp_group_tick() is to go on at once, when that has been sent. */
GK_MUST_CHECK enum gk_err gsakmp_group_flush(struct gsakmp_group *g,
                                             struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_group_event_load(struct gsakmp_group *g,
                                                  struct gk_slice key,
                                                  struct gk_slice value);
void gsakmp_group_events_free(struct gsakmp_group *g);
/* gsakmp_group_events_settle - the store has answered for @ticket: what was
 * waiting for it is done with, or has to be sent again. */
void gsakmp_group_events_settle(struct gsakmp_group *g, uint64_t ticket,
                                bool ok);
/* gsakmp_group_keys_out - KEY_INSTALL for every GTPK in force. */
GK_MUST_CHECK enum gk_err gsakmp_group_keys_out(struct gsakmp_group *g,
                                                enum gsakmp_output_kind kind,
                                                enum gk_key_slot slot);

/* group_timer.c: when the next rekey is */
/* gsakmp_group_timers - (re)start the rekey timer after a rekey or a token. */
GK_MUST_CHECK enum gk_err gsakmp_group_timers(struct gsakmp_group *g,
                                              struct gk_now now);
/* gsakmp_group_clock - has the date come before the timer has run? */
void gsakmp_group_clock(struct gsakmp_group *g, struct gk_now now);
/* gsakmp_group_timers_load - go on from the last one, after a restart. */
void gsakmp_group_timers_load(struct gsakmp_group *g, struct gk_now now);
/* gsakmp_group_backward - does a join bring new keys under @p? */
bool gsakmp_group_backward(const struct gsakmp_group *g,
                           const struct gsakmp_policy *p);
uint32_t gsakmp_group_join_window(const struct gsakmp_group *g); /* ms */
/* gsakmp_group_fresh_from - nothing that was signed before that second is fresh,
 * whatever the skew. */
int64_t gsakmp_group_fresh_from(const struct gsakmp_group *g,
                                struct gk_now now);
/* gsakmp_group_operate - the group is run by @p from now on; g->policy is still
 * the one before, or NULL. */
void gsakmp_group_operate(struct gsakmp_group *g, const struct gsakmp_policy *p,
                          struct gk_now now);
/* gsakmp_group_count_event - RFC 4534 B.5.3: towards a rekey by events. */
GK_MUST_CHECK enum gk_err gsakmp_group_count_event(struct gsakmp_group *g,
                                                   struct gk_now now);
/* gsakmp_group_expect_rekey - an epoch is open: announce it in the window. */
void gsakmp_group_expect_rekey(struct gsakmp_group *g, struct gk_now now);

/* gsakmp_group_bars - was this party evicted, under its name @key or under the
 * subject of @cert? */
GK_MUST_CHECK enum gk_err gsakmp_group_bars(const struct gsakmp_group *g,
                                            struct gk_slice key,
                                            const struct gk_cert *cert,
                                            bool *barred);

/* gsakmp_group_ack_ms - how long a registration with @suite waits for an
 * acknowledgement, and once more after a warning: RFC4534-B.1.3.1-07. */
static inline uint64_t
gsakmp_group_ack_ms(const struct gsakmp_group *g,
                    const struct gsakmp_suite *suite)
{
	return suite->timeout_s != 0 ? suite->timeout_s * 1000ull
	                             : g->cfg.session_timeout_ms;
}
/* gsakmp_group_keys_over - is there, under @p, no key any more that a joiner could
 * be given? */
bool gsakmp_group_keys_over(const struct gsakmp_group *g,
                            const struct gsakmp_policy *p, struct gk_now now);
/* gsakmp_group_overdue - the member of @s did not acknowledge; 5.2.1.4. */
GK_MUST_CHECK enum gk_err gsakmp_group_overdue(struct gsakmp_group *g,
                                               struct gsakmp_session *s,
                                               struct gk_now now);
/* gsakmp_group_unheard - registered, and never heard of again: no acknowledgement
 * of its keys has come.  Sessions know that, too, but not after a restart; of a
 * member that leaves it is what tells one that is overdue from one that departed. */
static inline bool
gsakmp_group_unheard(const struct gk_member *m)
{
	return m->seen == 0;
}
/* gsakmp_group_drop_member - leaves the tree; its session goes, too. */
GK_MUST_CHECK enum gk_err gsakmp_group_drop_member(struct gsakmp_group *g,
                                                   struct gk_member *m,
                                                   struct gk_now now);

/* group_sub.c: the sub-group of a subordinate */
/* gsakmp_group_expel - out of the tree, on the list for the primary. */
GK_MUST_CHECK enum gk_err gsakmp_group_expel(struct gsakmp_group *g,
                                             struct gk_member *m,
                                             uint8_t reason, struct gk_now now);
/* gsakmp_group_sub_tick - its part of group_tick(). */
GK_MUST_CHECK enum gk_err gsakmp_group_sub_tick(struct gsakmp_group *g,
                                                struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_group_expelled_load(struct gsakmp_group *g,
                                                     struct gk_slice key,
                                                     struct gk_slice value);
void gsakmp_group_expelled_free(struct gsakmp_group *g);
/* gsakmp_group_expelled_next - whom to tell the primary of at @now; copies,
 * takes the lock.  GK_ERR_UNEXPECTED: nobody. */
GK_MUST_CHECK enum gk_err gsakmp_group_expelled_next(struct gsakmp_group *g,
                                                     struct gk_now now,
                                                     struct gk_buf *peer,
                                                     struct gk_buf *who);
/* gsakmp_group_expelled_answer - what it said; takes the lock. */
void gsakmp_group_expelled_answer(struct gsakmp_group *g, struct gk_slice peer,
                                  bool accepted);
/* gsakmp_group_expelled_due - when the next telling is due; takes the lock. */
uint64_t gsakmp_group_expelled_due(struct gsakmp_group *g);
/* gsakmp_group_reported - at the primary: a subordinate has left @peer out. */
GK_MUST_CHECK enum gk_err gsakmp_group_reported(struct gsakmp_group *g,
                                                struct gk_slice peer,
                                                bool barred, struct gk_now now);
/* gsakmp_group_take_reports - the same of all reports under way, for a new GTPK is
 * about to be made. */
GK_MUST_CHECK enum gk_err gsakmp_group_take_reports(struct gsakmp_group *g,
                                                    struct gk_now now);

/* group_token.c: pieces of taking a token */
GK_MUST_CHECK enum gk_err gsakmp_group_found(struct gsakmp_group *g,
                                             struct gsakmp_policy *p);
GK_MUST_CHECK enum gk_err gsakmp_group_opened(struct gsakmp_group *g,
                                              struct gsakmp_policy *p,
                                              struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_group_compatible(
	const struct gsakmp_group *g, const struct gsakmp_policy *p);
bool gsakmp_group_admits(const struct gsakmp_group *g,
                         const struct gsakmp_policy *p,
                         const struct gk_member *m);
GK_MUST_CHECK enum gk_err gsakmp_group_token_save(
	struct gsakmp_group *g, const struct gsakmp_policy *p);
GK_MUST_CHECK enum gk_err gsakmp_group_token_out(struct gsakmp_group *g);

/* gsakmp_group_session_tick - timeouts of sessions; takes the lock itself.
 * Lack of Ack messages are signed without it. */
GK_MUST_CHECK enum gk_err gsakmp_group_session_tick(struct gsakmp_group *g,
                                                    struct gk_now now);

/* Outputs about a peer or a refusal, on any engine's queue. */
GK_MUST_CHECK enum gk_err gsakmp_out_peer(struct gsakmp_outputs *q,
                                          enum gsakmp_output_kind kind,
                                          struct gk_slice group_id,
                                          struct gk_slice peer, uint32_t id);
/* gsakmp_out_fetch - everything that @signer wants fetched, in its name. */
GK_MUST_CHECK enum gk_err gsakmp_out_fetch(struct gsakmp_outputs *q,
                                           struct gk_slice group_id,
                                           const struct gsakmp_endpoint *from,
                                           const struct gsakmp_signer *signer);
GK_MUST_CHECK enum gk_err gsakmp_out_refused(struct gsakmp_outputs *q,
                                             struct gk_slice group_id,
                                             struct gk_slice dgram,
                                             const struct gsakmp_endpoint *from,
                                             struct gk_slice peer,
                                             const struct gsakmp_reject *why);
/* gsakmp_out_message - tells of @dgram; a SEND or MULTICAST is extra. */
GK_MUST_CHECK enum gk_err gsakmp_out_message(struct gsakmp_outputs *q,
                                             struct gk_slice group_id,
                                             struct gk_slice dgram,
                                             const struct gsakmp_endpoint *peer,
                                             bool incoming, uint8_t exchange,
                                             uint32_t sequence);
/* gsakmp_out_received - the same of a message that came in, with a remark when
 * it has a Vendor ID that we do not know. */
GK_MUST_CHECK enum gk_err gsakmp_out_received(
	struct gsakmp_outputs *q, struct gk_slice group_id,
	struct gk_slice dgram, const struct gsakmp_endpoint *from,
	const struct gsakmp_message *msg);
GK_MUST_CHECK enum gk_err gsakmp_out_send(struct gsakmp_outputs *q,
                                          struct gk_slice group_id,
                                          struct gk_slice dgram,
                                          const struct gsakmp_endpoint *to,
                                          uint8_t exchange);

#endif /* GSAKMP_ENGINE_GROUP_STATE_H */
