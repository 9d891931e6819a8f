/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_SESSION_H
#define GSAKMP_ENGINE_SESSION_H

#include "common/crypto/gk_cert.h"
#include "gsakmp/engine/party.h"
#include "gsakmp/gsakmp_reject.h"

struct gsakmp_policy;

/*
 * DOC: registrations and departures under way - RFC 4535 section 8
 *
 * The key server's half of Table 29, once per member and group.  A member has
 * at most one session (the NOTE of section 5.2.1.1).  A session without a row
 * for an event refuses it and stays as it is.
 *
 * LATE is this implementation's: no valid acknowledgement came, so the member
 * will be evicted by the next rekey that the policy defines; until then a
 * valid late one puts everything right.
 */
#define GSAKMP_SESSION_STATE_LIST(X)                       \
	X(NONE, "Wait for GC/KS Event")                    \
	X(RESPONSE, "Wait for Response from Key Download") \
	X(LATE, "to be evicted, unless an ACK arrives")    \
	X(DEPART, "Wait for Departure ACK")

enum gsakmp_session_state {
#define X(name, text) GSAKMP_SESSION_##name,
	GSAKMP_SESSION_STATE_LIST(X)
#undef X
};

#define GSAKMP_SESSION_EVENT_LIST(X)      \
	X(RTJ, "valid Request to Join")   \
	X(ACK, "valid acknowledgement")   \
	X(NACK, "valid refusal")          \
	X(TIMEOUT, "timeout")             \
	X(RTD, "valid Request to Depart") \
	X(EVICTED, "evicted")

enum gsakmp_session_event {
#define X(name, text) GSAKMP_SESSION_EV_##name,
	GSAKMP_SESSION_EVENT_LIST(X)
#undef X
};

const char *gsakmp_session_state_text(enum gsakmp_session_state state);

/**
 * gsakmp_session_next - Table 29: where does @on lead from @from?
 *
 * Return: GK_OK with *@to set; GK_ERR_UNEXPECTED when the table has no row.
 */
GK_MUST_CHECK enum gk_err gsakmp_session_next(enum gsakmp_session_state from,
                                              enum gsakmp_session_event on,
                                              enum gsakmp_session_state *to);

struct gsakmp_session {
	enum gsakmp_session_state state;
	uint64_t id;       /* never the same twice in a process */
	struct gk_buf key; /* the member's canonical name */
	uint8_t id_type;   /* Signer ID of its messages */
	struct gk_buf signer_id;
	struct gk_cert *cert; /* verified; for messages without one */
	struct gsakmp_endpoint peer;
	struct gsakmp_suite suite;
	uint8_t request[32]; /* SHA-256 of the RTJ or RTD */
	struct gk_buf nonce_i;
	struct gk_buf nonce_r, nonce_c; /* empty when freshness is by time */
	struct gk_buf
		expelled;     /* DEPART: whose departure it is, if another's */
	bool barred;          /* who is not to come back */
	struct gk_buf answer; /* KeyDL or DR, for a retransmitted request */
	uint64_t ticket; /* of the commit that the answer depends on; 0 none */
	uint32_t handle; /* RESPONSE: of the first traffic key in it, and ... */
	struct gsakmp_policy *policy; /* ... the token in it; a reference */
	int64_t started_utc;
	unsigned loa_left;
	uint64_t deadline; /* monotonic ms */
	bool queued;       /* in the queue of deadlines */

	struct gsakmp_session *by_key, *by_signer; /* hash chains */
	struct gsakmp_session *earlier, *later;    /* queue of deadlines */
};

#define GSAKMP_SESSION_BUCKETS 1024

/* A zeroed struct is empty and valid. */
struct gsakmp_sessions {
	struct gsakmp_session *key_bucket[GSAKMP_SESSION_BUCKETS];
	struct gsakmp_session *signer_bucket[GSAKMP_SESSION_BUCKETS];
	struct gsakmp_session *first, *last; /* by deadline */
	uint64_t next_id;
	size_t count;    /* all of them */
	size_t n_queued; /* those that wait for an answer */
};

/* gsakmp_session_add - takes @s over in any case; replaces nothing: the caller
 * has looked.  @s->key, id_type and signer_id must be set. */
void gsakmp_session_add(struct gsakmp_sessions *all, struct gsakmp_session *s);
struct gsakmp_session *gsakmp_session_find(const struct gsakmp_sessions *all,
                                           struct gk_slice key);
struct gsakmp_session *gsakmp_session_find_signer(
	const struct gsakmp_sessions *all, uint8_t id_type,
	struct gk_slice signer_id);
/* gsakmp_session_arm - (re)queue with a deadline; GK_NEVER takes it out. */
void gsakmp_session_arm(struct gsakmp_sessions *all, struct gsakmp_session *s,
                        uint64_t deadline);
/* gsakmp_session_drop - remove, wipe and free. */
void gsakmp_session_drop(struct gsakmp_sessions *all, struct gsakmp_session *s);
void gsakmp_session_free(struct gsakmp_session *s); /* one that is not added */
void gsakmp_sessions_clear(struct gsakmp_sessions *all);

#endif /* GSAKMP_ENGINE_SESSION_H */
