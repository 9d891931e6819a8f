/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GM_H
#define GSAKMP_ENGINE_GM_H

#include "gsakmp/engine/output.h"
#include "gsakmp/engine/policy.h"
#include "policy-tokens/token/gpt_speaker.h"

struct gsakmp_dialect;

/*
 * DOC: Group Member engine - RFC 4535 sections 5 and 8
 *
 * A pure state machine.  Three kinds of input go in, each with the time:
 *
 *     a command from the operator     gsakmp_gm_join(), gsakmp_gm_leave()
 *     a datagram from the network     gsakmp_gm_receive()
 *     the passing of time             gsakmp_gm_tick()
 *
 * and the caller then drains gsakmp_gm_poll() until it returns false, sending
 * the datagrams and acting on the events, and sleeps until
 * gsakmp_gm_deadline().  No input function calls back into the caller.
 *
 * Given the same inputs, times and random octets, an engine produces the same
 * outputs, octet for octet (as far as the signature algorithm does).
 *
 * One engine is one membership in one group.  It is not thread-safe.
 */
#define GSAKMP_GM_STATE_LIST(X)                            \
	X(IDLE, "Idle")                                    \
	X(JOINING, "Wait for Group Membership")            \
	X(MEMBER, "Wait for Group Membership Event")       \
	X(REJOINING, "Wait for Group Membership (rejoin)") \
	X(DEPARTING, "Wait for Departure Response")

enum gsakmp_gm_state {
#define X(name, text) GSAKMP_GM_##name,
	GSAKMP_GM_STATE_LIST(X)
#undef X
};

const char *gsakmp_gm_state_text(enum gsakmp_gm_state state);

struct gsakmp_gm_config {
	struct gsakmp_party party;
	uint8_t group_id_type;                /* Table 11 */
	struct gk_slice group_id;             /* Group ID Value; borrowed */
	struct gsakmp_suite suite;            /* as announced */
	const struct gsakmp_dialect *dialect; /* NULL: the defaults */
	/* If set, the only GC/KS that this member talks to; the token's gCKS
	 * list is checked in any case. */
	const struct gk_identity *expected_gcks;

	/*
	 * Section 5.2.3: a receive-only member sends nothing, ever.  The Key
	 * Download comes unasked, for the public value of @static_key; freshness
	 * is by time whatever @suite says, and @expected_gcks is who may send it.
	 */
	bool receive_only;
	const struct gk_kex_key *static_key;
	/* Section 4.1.4: who registers with the GC/KS itself, because it serves
	 * members of its own, takes keys from nobody else.  A server that the
	 * token only names as a subordinate will not do. */
	bool primary_only;

	bool send_mechanism_choices; /* the optional payload of the RTJ */
	struct gk_slice ip_value;    /* the optional IPvalue; 0, 4, 16 octets */
	/* RFC 4534 section 3: do not join where the token has protocols, beside
	 * those that we know, that we do not know. */
	bool no_unknown;
	bool legacy_ok; /* accept mechanisms with SHA-1, MD5, DSA-1024 */

	/* All 0: the defaults in brackets. */
	uint32_t rtj_timeout_ms;   /* [5000] "locally configured timeout" */
	unsigned rtj_retries;      /* [3] section 5.2.1.1 */
	uint32_t rtj_err_grace_ms; /* [5000] KeyDL still accepted after an
	                            * RTJ-Err; section 5.2.1.3 */
	unsigned cookies_max;      /* [3] Cookie Downloads obeyed per join */
	uint32_t skew_s;           /* [300] section 3.1, item 2 */
	uint32_t grace_ms;         /* [10000] old GTPK kept for receiving */
	uint32_t rtd_timeout_ms;   /* [5000] */
	unsigned rtd_retries;      /* [3] */
	/* [half the timeout] what is added to a timeout before a request is
	 * repeated is drawn between 0 and this.  It doubles with each
	 * repetition, up to the timeout. */
	uint32_t spread_ms;
	uint32_t rejoin_backoff_ms; /* [5000] upper bound of the random wait */
	uint32_t missed_ms; /* [3000] after a Rekey Event without keys for us */
	/* [30000] after a Rekey Event of the primary that our own subordinate
	 * does not pass on; enough for it to recover one that it missed. */
	uint32_t silence_ms;
	unsigned rejoin_max; /* [3] failed rejoins before giving up */
	bool no_recovery;    /* do not rejoin when a rekey was missed */
	/* Where the token says that Rekey Events are posted: */
	bool no_fetch;             /* do not ask for those that were missed */
	uint32_t fetch_window_ms;  /* [2000] upper bound of the random wait */
	uint32_t fetch_timeout_ms; /* [20000] for gsakmp_gm_fetched() */
	unsigned fetch_max;        /* [64] in a row, or missing at one time */
	/* A Rekey Event that is missing and cannot be had may have been a new
	 * policy token.  By default a new registration follows only when the
	 * keys do not fit any more; with this set, always. */
	bool gap_rejoin;
	/*
	 * Section 5.2.1.2: "any error" in a KeyDL ends the join and is answered.
	 * That includes errors of a KeyDL that anybody may have sent.  With this
	 * set, one that does not authenticate is dropped and the join goes on.
	 */
	bool drop_forged_keydl;
	/* Section 7.5.2 item 4: seconds between Date/Time Stamp and our clock
	 * beyond which a Rekey Event is refused; 0: not looked at. */
	uint32_t rekey_max_age_s;
	size_t max_message;       /* [65535] octets */
	uint32_t commit_retry_ms; /* [1000] first wait after a failed COMMIT;
	                           * doubles up to half a minute */
	/* What hash-and-URL certificates stand for; NULL: not accepted. */
	struct gsakmp_fetched *fetched;
	/* RFC 4534 B.1.4.  With the mixed one a Key Download or Lack of Ack that
	 * comes by UDP is none. */
	enum gsakmp_way way;
};

struct gsakmp_gm;

/*
 * gsakmp_gm_new - an engine in state Idle.
 *
 * The engine copies *@cfg; what it points to, and @env, must outlive it.
 */
struct gsakmp_gm *gsakmp_gm_new(const struct gk_env *env,
                                const struct gsakmp_gm_config *cfg);
void gsakmp_gm_free(struct gsakmp_gm *gm); /* wipes key material */

/*
 * gsakmp_gm_load - one row that an earlier COMMIT made durable.
 *
 * To be called between _new() and the first input, for every row of the
 * tables named GSAKMP_GM_TABLE_*: they hold what must never go back (RFC 4534
 * sections 2 and 3.1, RFC 4535 section 7.1.1).
 */
#define GSAKMP_GM_TABLE_TOKEN "gm-token"
#define GSAKMP_GM_TABLE_SEQUENCE "gm-sequence"
#define GSAKMP_GM_TABLE_HEARD "gm-heard" /* receive-only members */
GK_MUST_CHECK enum gk_err gsakmp_gm_load(struct gsakmp_gm *gm,
                                         const char *table, struct gk_slice key,
                                         struct gk_slice value);

/*
 * Commands.  GK_ERR_UNEXPECTED when the state has no such transition.  A
 * receive-only member joins by beginning to listen, and cannot leave with
 * notice: GK_ERR_POLICY.  That is also the answer to a join with mechanisms that
 * we cannot do, and to one of a group that was destroyed, see gsakmp_gm_status().
 */
enum gk_err gsakmp_gm_join(struct gsakmp_gm *gm, struct gk_now now);
/* gsakmp_gm_leave - with @notice: de-register (section 5.3.2.3); without:
 * forget the keys and be gone (section 5.3.2.2). */
enum gk_err gsakmp_gm_leave(struct gsakmp_gm *gm, bool notice,
                            struct gk_now now);

/*
 * gsakmp_gm_receive - a datagram, or one message of a TCP stream.
 *
 * Unicast answers and multicast Rekey Events go in here alike.  Anything but
 * GK_OK means: refused, an output REFUSED says why, nothing has changed.
 *
 * A Rekey Event that comes before the Key Download is kept, unread, until the
 * Key Download has been acknowledged; the engine's deadline is then at once.
 */
enum gk_err gsakmp_gm_receive(struct gsakmp_gm *gm, const uint8_t *dgram,
                              size_t len, const struct gsakmp_endpoint *from,
                              struct gk_now now);
enum gk_err gsakmp_gm_tick(struct gsakmp_gm *gm, struct gk_now now);

/* gsakmp_gm_set_party - new certificates or CRLs, of the same identity. */
void gsakmp_gm_set_party(struct gsakmp_gm *gm,
                         const struct gsakmp_party *party);

/*
 * gsakmp_gm_announced - another announcement counts from now on.  A registration
 * under way is given up for a new one, for it may have asked the wrong server, or
 * in the wrong way; a membership goes on.  @expected must outlive the engine, or
 * the next call.  The engine keeps its own of both if this fails.
 *
 * GK_ERR_UNEXPECTED: there are outputs that have not been polled; what they want
 * to have committed would be lost.
 */
enum gk_err gsakmp_gm_announced(struct gsakmp_gm *gm,
                                const struct gsakmp_suite *suite,
                                const struct gk_identity *expected,
                                struct gk_now now);

/*
 * gsakmp_gm_fetched - what became of an output FETCH: the octets at its URL, or
 * NULL when there are none.  They are trusted no more than a datagram.
 *
 * GK_ERR_UNEXPECTED: nobody waits for @sequence any more.
 */
enum gk_err gsakmp_gm_fetched(struct gsakmp_gm *gm, uint32_t sequence,
                              const struct gk_slice *dgram, struct gk_now now);

/*
 * gsakmp_gm_revocations - new CRLs have been read: are those we depend on still
 * good?  A revoked Group Owner ends the membership (RFC4535-3.1-06), a revoked
 * GC/KS has to be left for another (RFC4535-3.1-05).
 */
enum gk_err gsakmp_gm_revocations(struct gsakmp_gm *gm, struct gk_now now);

/*
 * Outputs of this engine: SEND (to the registration server, or to the address
 * it answered from when @to.ip_len is not 0), COMMIT (@journal), KEY_INSTALL,
 * KEY_WIPE, JOINED, LEFT, EVICTED, DESTROYED, TOKEN, REKEYED, STALE, FETCH,
 * REFUSED, PUSHED, MESSAGE.  NEXT_SERVER says that the key server in use does not
 * serve us and another one, if there is any, should get what is sent from now on.
 */
bool gsakmp_gm_poll(struct gsakmp_gm *gm, struct gsakmp_output *out);

/*
 * gsakmp_gm_commit_failed - the store did not take the COMMIT that _poll() gave
 * last.  To be called before the next _poll(); not calling it means that all is
 * durable.
 *
 * The engine is as it was before the input, the rest of that input's outputs is
 * gone, and the message is held: the engine's deadline says when it is gone
 * through again.  Rekey Events that follow it wait behind it.  A message that
 * ended the membership has been obeyed in any case, and only its rows are tried
 * again.
 */
void gsakmp_gm_commit_failed(struct gsakmp_gm *gm, struct gk_now now);
uint64_t gsakmp_gm_deadline(const struct gsakmp_gm *gm); /* or GK_NEVER */
enum gsakmp_gm_state gsakmp_gm_state(const struct gsakmp_gm *gm);

struct gsakmp_gm_status {
	enum gsakmp_gm_state state;
	uint32_t member_id;      /* 0 before a join */
	int64_t edition;         /* of the token in force; -1 none */
	uint32_t sequence;       /* last Sequence ID accepted */
	struct gk_slice gcks;    /* who registered us, printable; or empty */
	struct gsakmp_gtpk gtpk; /* the key to send with; octets empty */
	size_t n_keks;           /* key encryption keys held */
	bool destroyed;          /* the group, for good: nobody joins it */
	int64_t rekey_due_utc;   /* when a rekey is overdue; 0 never */
	uint32_t fetching; /* Sequence ID that is missing and sought; or 0 */
	bool terse;
	size_t waiting; /* messages that the store has not taken yet */
	/* Rekey Events that wait for the Key Download; and of all there were:
	 * kept, dropped unread, and older than the Key Download. */
	size_t ahead;
	uint64_t ahead_kept, ahead_dropped, ahead_old;
	bool may_send; /* the token's SenderAuthorization admits us */
	/* RFC 4535 section 4.1.5; @speakers only with a token. */
	enum gpt_speakers speakers;
	size_t n_speakers; /* listed */
	size_t speaker;    /* our number; 0: not listed */
	bool speaker_keys; /* each of them has its own */
	bool receive_only;
	int64_t pushed_utc; /* of the last Key Download pushed to us; 0 none */
};
void gsakmp_gm_status(const struct gsakmp_gm *gm, struct gsakmp_gm_status *out);

/*
 * What a key of ours is good for: @may_send - we may send with it; the return
 * value is the number of the speaker whose it is, 0: of all that may speak.
 */
size_t gsakmp_gm_key_use(const struct gsakmp_gm *gm, uint32_t key_id,
                         bool *may_send);
/* gsakmp_gm_speaker - the name of a listed speaker, printable; false: none. */
bool gsakmp_gm_speaker(const struct gsakmp_gm *gm, size_t number, char *out,
                       size_t cap);

/*
 * gsakmp_gm_digest - SHA-256 over everything that a message could change:
 * state, keys, counters, token, session.  Two equal digests mean that nothing
 * happened in between; tests and fuzzers use it as their oracle.
 */
void gsakmp_gm_digest(const struct gsakmp_gm *gm, uint8_t out[32]);

#endif /* GSAKMP_ENGINE_GM_H */
