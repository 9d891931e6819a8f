/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GM_STATE_H
#define GSAKMP_ENGINE_GM_STATE_H

#include "common/crypto/gk_kex.h"
#include "common/group/gk_group.h"
#include "common/lkh/gk_lkh_member.h"
#include "gsakmp/engine/gm.h"
#include "gsakmp/engine/group_state.h"
#include "gsakmp/message/protect.h"

/*
 * DOC: inside a member - for gsakmp/engine only
 */
#define GSAKMP_GM_NONCE_LEN 16

#define GSAKMP_GM_EVENT_LIST(X)                       \
	X(JOIN, "join group command")                 \
	X(LEAVE, "delete group command")              \
	X(DEREGISTER, "de-registration command")      \
	X(RESEND, "no answer yet")                    \
	X(KEYDL, "valid Key Download, ACK sent")      \
	X(FAILED, "timeout, message failure, errors") \
	X(MANAGEMENT, "group management message")     \
	X(STALE, "a rekey was missed")                \
	X(OUT, "destroyed, or excluded by the token") \
	X(DEPARTED, "departure accepted, ACK sent")   \
	X(STAY, "departure refused")                  \
	X(PUSHED, "the keys in force, without a request")

enum gsakmp_gm_event {
#define X(name, text) GSAKMP_GM_EV_##name,
	GSAKMP_GM_EVENT_LIST(X)
#undef X
};

/* gsakmp_gm_next - Table 29, the member's half; no row: GK_ERR_UNEXPECTED. */
GK_MUST_CHECK enum gk_err gsakmp_gm_next(enum gsakmp_gm_state from,
                                         enum gsakmp_gm_event on,
                                         enum gsakmp_gm_state *to);

/* A registration under way. */
struct gsakmp_gm_join {
	struct gk_kex_key *kex; /* NULL: none under way */
	struct gk_buf nonce_i;
	struct gk_buf rtj; /* as sent last, for retransmission */
	struct gk_buf cookie;
	unsigned retries_left, cookies_left;
	bool refused; /* an RTJ-Err named our nonce */
	struct gsakmp_reject why;
};

/* What is kept of a registration to answer a Lack of Ack. */
struct gsakmp_gm_receipt {
	struct gk_buf nonce_i;
	struct gk_buf ack;
};

struct gsakmp_gm_departure {
	struct gk_buf nonce_i; /* empty: none under way */
	struct gk_buf rtd;
	unsigned retries_left;
};

/* The departure of somebody else, by a subordinate; section 4.4.7. */
struct gsakmp_gm_expulsion {
	struct gk_buf nonce_i; /* empty: none under way */
	struct gk_buf rtd;
	struct gk_buf peer; /* what our group calls the member */
	unsigned retries_left;
	uint64_t retry_at;
};

/* The newest Sequence ID of one GC/KS. */
struct gsakmp_gm_sequence {
	struct gk_buf gcks;
	uint32_t last;
	/* The last one accepted since we joined, and how its sender signs; 0:
	 * none yet, so nobody can say whether one is missing. */
	uint32_t followed;
	uint8_t id_type;
	struct gk_buf signer_id;
};
#define GSAKMP_GM_GCKS_MAX 64

/* A message whose changes the store did not take, or one behind it. */
#define GSAKMP_GM_HELD_MAX 16
struct gsakmp_gm_held {
	uint8_t exchange;
	uint32_t sequence;
	bool again; /* a copy of one that was read, too: gm_ahead.c */
	struct gsakmp_endpoint from;
	struct gk_buf dgram;
};

struct gsakmp_gm_again {
	struct gsakmp_gm_held held[GSAKMP_GM_HELD_MAX]; /* by turn */
	size_t n;
	uint64_t at;               /* when the first is tried again */
	bool running;              /* it is being tried right now */
	struct gsakmp_gm_held now; /* what the COMMIT under way is for */
};

/*
 * Section 5.2.3: what a receive-only member has instead of nonces.  A recorded
 * Key Download stays "fresh" as long as the skew lasts; this is what keeps it
 * out.  Signature Timestamps, 0: none yet.
 */
struct gsakmp_gm_heard {
	int64_t pushed_utc; /* of the newest Key Download taken */
	int64_t rekey_utc;  /* of the newest Rekey Event taken */
};

/* Missed Rekey Events are being fetched; see gm_recover.c. */
struct gsakmp_gm_recovery {
	bool active;
	bool forced;    /* no copy to be had: what was heard goes on as it is */
	uint32_t asked; /* Sequence ID of the FETCH that is out */
	uint32_t until; /* the newest that was heard; 0: none */
	size_t who;     /* whose: index of gm->sequence */
	unsigned fetched;
	uint64_t fetch_at;  /* the random wait ends */
	uint64_t answer_by; /* a FETCH is out */
	uint64_t step_at;   /* the first of the early ones has its turn */
	const char *text;
	struct gsakmp_gm_held early[GSAKMP_GM_HELD_MAX]; /* ascending */
	size_t n_early;
};

/* Rekey Events that came before the Key Download, unread; see gm_ahead.c. */
#define GSAKMP_GM_AHEAD_OCTETS (256 * 1024)
struct gsakmp_gm_ahead {
	struct gsakmp_gm_held item[GSAKMP_GM_HELD_MAX]; /* as they came */
	size_t n, octets;
	size_t behind; /* that came when the keys were there already */
	bool again;    /* the one that is gone through right now is a copy */
	uint64_t kept, dropped, old; /* for people */
};

enum gsakmp_arrival {
	GSAKMP_ARRIVAL_LIVE,   /* from the network */
	GSAKMP_ARRIVAL_POSTED, /* fetched: can only be a Rekey Event */
	GSAKMP_ARRIVAL_EARLY,  /* once more, as its turn has come ... */
	GSAKMP_ARRIVAL_FORCED, /* ... or never will */
	GSAKMP_ARRIVAL_AHEAD,  /* it had to wait for the Key Download */
};

struct gsakmp_gm {
	const struct gk_env *env;
	struct gsakmp_gm_config cfg;
	struct gsakmp_dialect dialect;
	enum gsakmp_gm_state state;
	uint64_t retry_at;  /* of the exchange under way */
	uint64_t missed_at; /* a rekey went by without us: stale */
	uint64_t token_at; /* so may a token have done, and no newer one came */
	uint64_t silent_at; /* the primary has spoken, our server has not */
	uint64_t overdue_at, grace_ends, expires_at;
	int64_t expired_utc; /* traffic keys up to here were taken away */
	int64_t overdue_utc;
	unsigned rejoins;
	bool tolerate;            /* the event of our own join may pass us by */
	uint32_t opened_sequence; /* of the last event that was for us */
	uint8_t opened_stamp[GK_ZULU_LEN];

	uint8_t nonce_i_next; /* Next Payload behind Nonce_I in our RTJ, RTD:
	                       * decision nonce_c `payload` hashes it */
	struct gsakmp_gm_join join;
	/* Of the registration before, if it was given up before the answer,
	 * which may come yet; Next Payload as above.  Empty: none. */
	struct gk_buf given_up_nonce_i;
	uint8_t given_up_next;
	bool given_up_told; /* the key server has our NACK */
	struct gsakmp_gm_receipt receipt;
	struct gsakmp_gm_departure departure;
	struct gsakmp_gm_expulsion expulsion;
	/* The nonce hash of a departure, which costs a path to find out; for the
	 * policy of this address, NULL: not looked at yet. */
	const struct gsakmp_policy *leave_for;
	uint16_t leave_hash;

	/* the membership; policy is NULL without one */
	struct gsakmp_policy *policy;
	struct gsakmp_suite suite;
	struct gk_cert *gcks_cert;
	uint8_t gcks_id_type;
	struct gk_buf gcks_id, gcks_key;
	struct gk_buf gcks_issuers; /* between it and its anchor, DER */
	uint32_t member_id;
	bool may_send;
	size_t speaker; /* our number among the listed; 0: none */
	struct gk_lkh_member keks;
	struct gk_traffic_key gtpk[GSAKMP_POLICY_KEY_MAX];
	struct gk_traffic_key old[GSAKMP_POLICY_KEY_MAX]; /* len 0: none */
	size_t n_gtpks;

	/* what never goes back */
	struct gpt_seen seen;
	struct gsakmp_gm_sequence sequence[GSAKMP_GM_GCKS_MAX];
	size_t n_sequences;
	size_t leader; /* of them: who sent the last Rekey Event accepted */
	struct gsakmp_gm_recovery recovery;
	struct gsakmp_gm_ahead ahead;
	uint32_t last_sequence; /* of any, for people */
	struct gsakmp_gm_heard heard;
	uint32_t heard_primary; /* Sequence ID of its newest event that was not
	                         * for us; not durable */

	struct gk_journal *journal;
	struct gsakmp_outputs out;

	/* when the store says no: gm_undo.c */
	struct gsakmp_gm *undo; /* as it was before the COMMIT under way */
	bool committing;        /* the COMMIT has been handed out */
	struct gsakmp_gm_again again;
	struct gk_journal *owed; /* rows of a membership that is over */
	uint64_t owed_at;
	uint32_t wait_ms; /* between two attempts */
};

/* One received message on its way through. */
struct gsakmp_gm_input {
	struct gsakmp_gm *gm;
	const struct gsakmp_message *msg;
	struct gk_slice dgram;
	const struct gsakmp_endpoint *from;
	struct gk_now now;
	struct gsakmp_signer signer;
	struct gsakmp_reject why;
	enum gsakmp_arrival arrival;
	bool authentic; /* the signature has verified */
	bool late;      /* it answers a registration that was given up */
	bool terse;     /* mode in which an error is answered */
};

/* The handlers, one per exchange. */
GK_MUST_CHECK enum gk_err gsakmp_gm_keydl(struct gsakmp_gm_input *in);
GK_MUST_CHECK enum gk_err gsakmp_gm_cookie(struct gsakmp_gm_input *in);
GK_MUST_CHECK enum gk_err gsakmp_gm_rtj_error(struct gsakmp_gm_input *in);
GK_MUST_CHECK enum gk_err gsakmp_gm_loa(struct gsakmp_gm_input *in);
GK_MUST_CHECK enum gk_err gsakmp_gm_rekey(struct gsakmp_gm_input *in);
GK_MUST_CHECK enum gk_err gsakmp_gm_dr(struct gsakmp_gm_input *in);

/* gm_join.c */
GK_MUST_CHECK enum gk_err gsakmp_gm_start_join(struct gsakmp_gm *gm,
                                               struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_gm_retry_join(struct gsakmp_gm *gm,
                                               struct gk_now now);
/* gsakmp_gm_fail_join - the attempt is over: Idle, or another try. */
GK_MUST_CHECK enum gk_err gsakmp_gm_fail_join(struct gsakmp_gm *gm,
                                              const struct gsakmp_reject *why,
                                              const char *text,
                                              struct gk_now now);
void gsakmp_gm_join_clear(struct gsakmp_gm *gm);
/* gsakmp_gm_give_up - from here on an answer to the registration under way is
 * one to a registration that is over. */
void gsakmp_gm_give_up(struct gsakmp_gm *gm);
/* gsakmp_gm_build_af - Key Download - Ack/Failure, Table 4.  @notify is ACK, or
 * what went wrong; @nonce_c may be empty. */
GK_MUST_CHECK enum gk_err gsakmp_gm_build_af(struct gsakmp_gm *gm,
                                             uint16_t notify,
                                             struct gk_slice nonce_c,
                                             struct gk_now now,
                                             struct gk_buf *out);
/* gm_push.c: section 5.2.3 */
GK_MUST_CHECK enum gk_err gsakmp_gm_push_fresh(struct gsakmp_gm_input *in);
/* gsakmp_gm_push_note - remember when this message was signed; durable. */
GK_MUST_CHECK enum gk_err gsakmp_gm_push_note(struct gsakmp_gm_input *in);
/* gm_server.c: a Rekey Event of a key server that is not ours */
/* gsakmp_gm_other_server - is it the primary, for whom we have an ear? */
GK_MUST_CHECK enum gk_err gsakmp_gm_other_server(struct gsakmp_gm_input *in);
/* gsakmp_gm_heard_primary - it is, and it is authentic: what follows? */
GK_MUST_CHECK enum gk_err gsakmp_gm_heard_primary(struct gsakmp_gm_input *in);
/* gsakmp_gm_silent - and ours has said nothing since. */
GK_MUST_CHECK enum gk_err gsakmp_gm_silent(struct gsakmp_gm *gm,
                                           struct gk_now now);
/* gm_leave.c */
GK_MUST_CHECK enum gk_err gsakmp_gm_start_depart(struct gsakmp_gm *gm,
                                                 struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_gm_retry_depart(struct gsakmp_gm *gm,
                                                 struct gk_now now);
void gsakmp_gm_departure_clear(struct gsakmp_gm *gm);
/* gsakmp_gm_leaves_by_stream - is a departure said over TCP (RFC 4534 B.3)? */
bool gsakmp_gm_leaves_by_stream(const struct gsakmp_gm *gm);
/* A Request to Depart: who leaves, and what else is to be in it. */
struct gsakmp_gm_rtd {
	struct gk_slice nonce_i;
	uint16_t notify;
	struct gk_slice data; /* of the notification */
	bool extra;           /* a Vendor ID has to be there */
};
GK_MUST_CHECK enum gk_err gsakmp_gm_build_rtd(struct gsakmp_gm *gm,
                                              const struct gsakmp_gm_rtd *rtd,
                                              struct gk_now now,
                                              struct gk_buf *out);
/* gsakmp_gm_leave_suite - the mechanisms of the token for leaving. */
struct gsakmp_suite gsakmp_gm_leave_suite(struct gsakmp_gm *gm,
                                          struct gk_now now);
/* gsakmp_gm_check_dr - the checks of section 5.3.2.3.2 for the answer to the
 * request with @nonce_i.  gsakmp_gm_send_da - and what is said to it. */
GK_MUST_CHECK enum gk_err gsakmp_gm_check_dr(struct gsakmp_gm_input *in,
                                             struct gk_slice nonce_i);
GK_MUST_CHECK enum gk_err gsakmp_gm_send_da(struct gsakmp_gm_input *in,
                                            uint16_t notify);

/* gm_expel.c */
/* gsakmp_gm_expel - tell the GC/KS that @peer, who is @who to it, is no member
 * of ours any more.  GK_ERR_UNEXPECTED: not now. */
struct gsakmp_expulsion;
GK_MUST_CHECK enum gk_err gsakmp_gm_expel(struct gsakmp_gm *gm,
                                          struct gk_slice peer,
                                          const struct gsakmp_expulsion *who,
                                          struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_gm_retry_expel(struct gsakmp_gm *gm,
                                                struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_gm_expel_dr(struct gsakmp_gm_input *in);
void gsakmp_gm_expel_clear(struct gsakmp_gm *gm);
static inline bool
gsakmp_gm_expelling(const struct gsakmp_gm *gm)
{
	return gm->expulsion.nonce_i.len != 0;
}

/* gm_recover.c: missed Rekey Events are fetched */
void gsakmp_gm_recovery_clear(struct gsakmp_gm *gm);
/* gsakmp_gm_unfollow - a new membership: which one comes next is not known. */
void gsakmp_gm_unfollow(struct gsakmp_gm *gm);
/* gsakmp_gm_follow - the event in @in was accepted, its Sequence ID is saved. */
GK_MUST_CHECK enum gk_err gsakmp_gm_follow(struct gsakmp_gm_input *in);
/* gsakmp_gm_gap - others are missing in front of this one; *@who: of whose. */
bool gsakmp_gm_gap(const struct gsakmp_gm_input *in, size_t *who);
/* gsakmp_gm_keep_early - until they are there; *@early false: no use. */
GK_MUST_CHECK enum gk_err gsakmp_gm_keep_early(struct gsakmp_gm_input *in,
                                               size_t who, bool *early);
/* gsakmp_gm_recovery_look - an event was accepted: is it another's turn? */
void gsakmp_gm_recovery_look(struct gsakmp_gm *gm, struct gk_now now);
uint64_t gsakmp_gm_recovery_clock(const struct gsakmp_gm *gm);
uint32_t gsakmp_gm_fetching(const struct gsakmp_gm *gm);
GK_MUST_CHECK enum gk_err gsakmp_gm_recovery_tick(struct gsakmp_gm *gm,
                                                  struct gk_now now);
/* gsakmp_gm_overdue - no valid rekey for too long: fetch, or stale. */
GK_MUST_CHECK enum gk_err gsakmp_gm_overdue(struct gsakmp_gm *gm,
                                            const char *text,
                                            struct gk_now now);

/* gm_ahead.c: Rekey Events that are ahead of the Key Download */
/* gsakmp_gm_is_ahead - is this one?  Only its header has been looked at. */
bool gsakmp_gm_is_ahead(const struct gsakmp_gm_input *in);
/* gsakmp_gm_put_aside - until the keys are there; the oldest make room. */
GK_MUST_CHECK enum gk_err gsakmp_gm_put_aside(struct gsakmp_gm_input *in);
void gsakmp_gm_ahead_clear(struct gsakmp_gm *gm);
/* gsakmp_gm_keep_copy - @in is authentic and recent, and read with the keys that we
 * have; while others are on their way it may be ahead of these. */
GK_MUST_CHECK enum gk_err gsakmp_gm_keep_copy(struct gsakmp_gm_input *in);
/* gsakmp_gm_ahead_due - the keys are.  gsakmp_gm_ahead_step - then one of them
 * goes through. */
bool gsakmp_gm_ahead_due(const struct gsakmp_gm *gm);
void gsakmp_gm_ahead_step(struct gsakmp_gm *gm, struct gk_now now);
/* gsakmp_gm_was_ahead - @err says that it is older than what the Key Download
 * brought.  It was not, when it was sent: counted, and no refusal. */
bool gsakmp_gm_was_ahead(struct gsakmp_gm_input *in, enum gk_err err);

/* gm_receive.c: one message, whatever way it came; the journal goes on. */
enum gk_err gsakmp_gm_receive_one(struct gsakmp_gm *gm, struct gk_slice dgram,
                                  const struct gsakmp_endpoint *from,
                                  struct gk_now now,
                                  enum gsakmp_arrival arrival);

/* gm.c: state and keys */
/* gsakmp_gm_random_wait - from 0 to @window_ms, drawn for this member alone. */
GK_MUST_CHECK enum gk_err gsakmp_gm_random_wait(struct gsakmp_gm *gm,
                                                uint32_t window_ms,
                                                uint32_t *wait_ms);
/* gsakmp_gm_answer_by - *@at: how long a request, repeated so often already, is
 * without an answer.  All the members that lose their key server ask in the same
 * moment: they are not to repeat that in the same moment too. */
GK_MUST_CHECK enum gk_err gsakmp_gm_answer_by(struct gsakmp_gm *gm,
                                              uint32_t timeout_ms,
                                              unsigned repeated,
                                              struct gk_now now, uint64_t *at);
void gsakmp_gm_enter(struct gsakmp_gm *gm, enum gsakmp_gm_event on);
bool gsakmp_gm_may(const struct gsakmp_gm *gm, enum gsakmp_gm_event on);
/* gsakmp_gm_wipe - forget the membership; KEY_WIPE for every key. */
GK_MUST_CHECK enum gk_err gsakmp_gm_wipe(struct gsakmp_gm *gm);
/* gsakmp_gm_out - back to Idle: wipe, then @kind, then LEFT. */
GK_MUST_CHECK enum gk_err gsakmp_gm_out(struct gsakmp_gm *gm,
                                        enum gsakmp_output_kind kind,
                                        const struct gsakmp_reject *why,
                                        const char *text);
/* gsakmp_gm_stale - a rekey was missed: rejoin after a random wait. */
GK_MUST_CHECK enum gk_err gsakmp_gm_stale(struct gsakmp_gm *gm,
                                          const char *text, struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_gm_say(struct gsakmp_gm *gm,
                                        enum gsakmp_output_kind kind,
                                        const struct gsakmp_reject *why,
                                        const char *text);
/* gsakmp_gm_key_out - KEY_INSTALL or KEY_WIPE of one key. */
GK_MUST_CHECK enum gk_err gsakmp_gm_key_out(struct gsakmp_gm *gm,
                                            enum gsakmp_output_kind kind,
                                            const struct gk_traffic_key *key);
/* gsakmp_gm_clock - the next of the membership, not of a COMMIT that failed. */
uint64_t gsakmp_gm_clock(const struct gsakmp_gm *gm);
/* gsakmp_gm_clocks - timers that start with a valid join or rekey. */
void gsakmp_gm_clocks(struct gsakmp_gm *gm, struct gk_now now);
GK_MUST_CHECK enum gk_err gsakmp_gm_token_out(struct gsakmp_gm *gm);

/* What @policy says about us: excluded from the group; allowed to send data;
 * allowed to serve members of our own. */
bool gsakmp_gm_excluded(const struct gsakmp_gm *gm,
                        const struct gsakmp_policy *policy, int64_t utc);
/* gsakmp_gm_leave_mechanism - which of the token's ways out is ours; NULL:
 * none. */
const struct gpt_leave_mechanism *gsakmp_gm_leave_mechanism(
	const struct gsakmp_gm *gm, int64_t utc);
/* gsakmp_gm_speech - what the policy in force lets us say: may_send, speaker. */
void gsakmp_gm_speech(struct gsakmp_gm *gm, int64_t utc);
bool gsakmp_gm_subordinate(const struct gsakmp_gm *gm,
                           const struct gsakmp_policy *policy, int64_t utc);

/* Durable: the token seen, the Sequence ID; then an output COMMIT. */
GK_MUST_CHECK enum gk_err gsakmp_gm_save_token(struct gsakmp_gm *gm,
                                               const struct gpt_seen *seen);
/* gsakmp_gm_save_heard - receive-only members; nothing for the others. */
GK_MUST_CHECK enum gk_err gsakmp_gm_save_heard(
	struct gsakmp_gm *gm, const struct gsakmp_gm_heard *heard);
GK_MUST_CHECK enum gk_err gsakmp_gm_save_sequence(struct gsakmp_gm *gm,
                                                  struct gk_slice gcks,
                                                  uint32_t sequence);
uint32_t gsakmp_gm_last_sequence(const struct gsakmp_gm *gm,
                                 struct gk_slice gcks);
GK_MUST_CHECK enum gk_err gsakmp_gm_commit(struct gsakmp_gm *gm);

/* gm_undo.c: what a failed COMMIT takes back */
/* gsakmp_gm_begin - every input starts with it. */
GK_MUST_CHECK enum gk_err gsakmp_gm_begin(struct gsakmp_gm *gm);
/* gsakmp_gm_undo_begin - from here on gsakmp_gm_undo(), or a commit that
 * fails, brings back what is now. */
GK_MUST_CHECK enum gk_err gsakmp_gm_undo_begin(
	const struct gsakmp_gm_input *in);
void gsakmp_gm_undo(struct gsakmp_gm *gm); /* nothing begun: nothing done */
void gsakmp_gm_undo_drop(struct gsakmp_gm *gm);
void gsakmp_gm_undo_free(struct gsakmp_gm *gm);
/* gsakmp_gm_must_wait - an earlier message is still to be made durable. */
bool gsakmp_gm_must_wait(const struct gsakmp_gm *gm);
/* gsakmp_gm_hold - then this one, which is authentic, waits behind it. */
GK_MUST_CHECK enum gk_err gsakmp_gm_hold(struct gsakmp_gm_input *in);
/* gsakmp_gm_again_clear - forget those of @exchange; 0: of any. */
void gsakmp_gm_again_clear(struct gsakmp_gm *gm, uint8_t exchange);
GK_MUST_CHECK enum gk_err gsakmp_gm_try_again(struct gsakmp_gm *gm,
                                              struct gk_now now);

/* Checks that several messages share. */
enum gk_err gsakmp_in_refuse(struct gsakmp_gm_input *in, enum gk_err err,
                             enum gsakmp_notify notify, const char *req,
                             const char *field, size_t at);
struct gsakmp_verify gsakmp_in_verify(const struct gsakmp_gm_input *in,
                                      uint16_t signature);
/* gsakmp_in_for_me - Member ID is ours. */
GK_MUST_CHECK enum gk_err gsakmp_in_for_me(struct gsakmp_gm_input *in,
                                           const char *req);
/* gsakmp_in_fresh - Nonce_C over @nonce_i, or the timestamp. */
GK_MUST_CHECK enum gk_err gsakmp_in_fresh(struct gsakmp_gm_input *in,
                                          struct gk_slice nonce_i,
                                          const char *req_nonce,
                                          const char *req_time);
struct gsakmp_groupid gsakmp_gm_groupid(const struct gsakmp_gm *gm);
/* gsakmp_gm_send - SEND to the server; the place it answered from, if known. */
GK_MUST_CHECK enum gk_err gsakmp_gm_send(struct gsakmp_gm *gm,
                                         struct gk_slice dgram,
                                         const struct gsakmp_endpoint *to,
                                         uint8_t exchange);

/* gsakmp_gm_way - by which it registers; whoever only receives does not. */
static inline enum gsakmp_way
gsakmp_gm_way(const struct gsakmp_gm *gm)
{
	return gm->cfg.receive_only ? GSAKMP_WAY_UNSAID : gm->cfg.way;
}

/* gsakmp_gm_skew - seconds that clocks may be apart: as the token says, once there
 * is one. */
static inline uint32_t
gsakmp_gm_skew(const struct gsakmp_gm *gm)
{
	return gsakmp_policy_skew(gm->policy, gm->cfg.skew_s);
}

#endif /* GSAKMP_ENGINE_GM_STATE_H */
