/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_OUTPUT_H
#define GSAKMP_ENGINE_OUTPUT_H

#include "common/base/gk_queue.h"
#include "gsakmp/engine/party.h"
#include "gsakmp/gsakmp_reject.h"

struct gk_journal;
struct gsakmp_group;

/*
 * DOC: what an engine asks of the world
 *
 * The three engines (member, key server, group) share one kind of output.  An
 * output is pulled with the engine's _poll(); what it points to is valid until
 * the next call of that engine.  Outputs must be acted upon in order: a COMMIT
 * comes before the datagram that depends on it.  When a commit of a key server or
 * a group fails, what gsakmp_output_waits() of the outputs behind it does not
 * happen: a peer asks again, the group comes back to its Rekey Events and to the
 * commit.  Everything else is news of what is so, in memory, and has nothing to do
 * with the disk.  (A member takes back what it did: see gm.h.)
 */
#define GSAKMP_OUTPUT_LIST(X)                                                  \
	X(SEND, "send")               /* one datagram to @to */                \
	X(MULTICAST, "multicast")     /* one datagram to the group */          \
	X(COMMIT, "commit")           /* make durable before going on */       \
	X(DEADLINE, "deadline")       /* @group's deadline moved forward */    \
	X(KEY_INSTALL, "key-install") /* @key is usable */                     \
	X(KEY_WIPE, "key-wipe")       /* @key must be forgotten now */         \
	X(JOINED, "joined")           /* GM: member, keys are installed */     \
	X(LEFT, "left")               /* GM: back in Idle; @text says why */   \
	X(EVICTED, "evicted")         /* GM: excluded; GC/KS: @peer is out */  \
	X(DESTROYED, "destroyed")     /* the group is no more */               \
	X(TOKEN, "token")             /* a policy token took effect */         \
	X(MEMBER_PENDING, "member-pending") /* GC/KS: KeyDL sent to @peer */   \
	X(MEMBER_ACTIVE, "member-active")   /* GC/KS: @peer acknowledged */    \
	X(MEMBER_OVERDUE, "member-overdue") /* GC/KS: no valid ACK in time */  \
	X(MEMBER_LEFT, "member-left")       /* GC/KS: @peer de-registered */   \
	X(ACCESS_ENDED, "access-ended") /* GC/KS: of @peer; @text says why */  \
	X(JUDGED, "members-judged") /* GC/KS: @judged; @text: not all of it */ \
	X(PUSHED, "pushed")         /* a Key Download that nobody asked for */ \
	X(POST, "post")             /* GC/KS: @dgram, to be found at @place */ \
	X(FETCH, "fetch")           /* GM: @sequence, from the URL @place */   \
	X(REKEYED, "rekeyed")       /* a Rekey Event was sent or applied */    \
	X(STALE, "stale")           /* GM: rekey overdue or missed */          \
	X(DEPART_REFUSED, "depart-refused") /* GM: still a member */           \
	X(NEXT_SERVER, "next-server") /* GM: this one does not serve us */     \
	X(EXPELLED, "expelled")       /* GC/KS: @peer, by a subordinate */     \
	X(EXPULSION_ACCEPTED, "expulsion-accepted") /* S-GC/KS: @peer */       \
	X(EXPULSION_REFUSED, "expulsion-refused")   /* S-GC/KS: @peer */       \
	X(SERVING, "serving")           /* S-GC/KS: the token lets us */       \
	X(SUSPENDED, "suspended")       /* S-GC/KS: serves nobody; @why */     \
	X(WANTED, "certificate-wanted") /* get @url, then the message again */ \
	X(REFUSED, "refused")           /* @why; nothing has changed */        \
	X(MESSAGE, "message")           /* a message went in or out */

enum gsakmp_output_kind {
#define X(name, text) GSAKMP_OUT_##name,
	GSAKMP_OUTPUT_LIST(X)
#undef X
};

const char *gsakmp_output_text(enum gsakmp_output_kind kind);

/* A Group Traffic Protection Key, as the data application wants it. */
struct gsakmp_gtpk {
	uint32_t id;
	uint32_t handle;
	uint16_t type; /* Table 16 */
	int64_t created_utc;
	int64_t expires_utc;
	bool receive_only;      /* superseded: receive with it, do not send */
	struct gk_slice octets; /* the key; empty in KEY_WIPE */
};

/* A round in which the members of a group were judged anew. */
struct gsakmp_judged {
	size_t looked_at;  /* members */
	size_t ended;      /* whose access has ended */
	size_t unreadable; /* whose records could not be read, twice */
};

struct gsakmp_output {
	enum gsakmp_output_kind kind;
	bool after_commit; /* of the same input as the COMMIT in front of it */
	struct gk_slice
		group_id; /* GroupID Value this is about; may be empty */

	/* SEND, MULTICAST; MESSAGE (the octets that were received or sent) */
	struct gk_slice dgram;
	struct gsakmp_endpoint to; /* SEND, REFUSED, MESSAGE: the peer */
	unsigned resend_count; /* SEND, MULTICAST: how many more times, ... */
	uint32_t resend_spacing_ms; /* ... this far apart */
	bool incoming;              /* MESSAGE: direction */
	uint8_t exchange;           /* MESSAGE: Table 13 */
	uint32_t sequence; /* MESSAGE, REKEYED, POST, FETCH: Sequence ID */

	/*
	 * COMMIT: a member engine gives the changes in @journal; a key server
	 * names the group in @group, and the caller takes the changes from
	 * gsakmp_group_commits() to the store (gk_commits.h).
	 */
	const struct gk_journal *journal;
	struct gsakmp_group *group; /* also DEADLINE */
	uint64_t ticket;            /* COMMIT of a group */

	struct gsakmp_gtpk key; /* KEY_INSTALL, KEY_WIPE */
	struct gk_slice peer;   /* printable; REFUSED, WANTED: as claimed */
	uint32_t member_id;     /* JOINED, MEMBER_*: Rekey Array Member ID */
	int64_t edition;        /* TOKEN; -1: the token has no edition */
	/* POST: a path; FETCH: a URL; TOKEN: its unknown protocols */
	struct gk_slice place;
	struct gk_slice token;       /* TOKEN: the signed token, DER */
	struct gk_slice url;         /* WANTED: printable ASCII without a NUL */
	struct gk_slice hash;        /* WANTED: see fetched.h */
	struct gsakmp_reject why;    /* REFUSED, LEFT, EVICTED */
	struct gsakmp_judged judged; /* JUDGED */
	const char *text;            /* a short reason; static storage */
};

/* The queue inside an engine; cut and freed as any gk_queue. */
struct gsakmp_outputs {
	struct gk_queue items;
	bool committed; /* this input has a COMMIT already */
};

/* gsakmp_outputs_begin - what is added from now on comes of another input. */
void gsakmp_outputs_begin(struct gsakmp_outputs *q);
/* gsakmp_output_waits - is it what must not happen when the COMMIT in front of it
 * has failed? */
bool gsakmp_output_waits(const struct gsakmp_output *out);

/*
 * gsakmp_outputs_add - append an output of @kind.  The slices put into it are
 * copied by gsakmp_outputs_own().  NULL when memory is short.
 */
struct gsakmp_output *gsakmp_outputs_add(struct gsakmp_outputs *q,
                                         enum gsakmp_output_kind kind);
/* gsakmp_outputs_own - copy every slice of the last output into the queue; when
 * that fails, the output is taken out again. */
GK_MUST_CHECK enum gk_err gsakmp_outputs_own(struct gsakmp_outputs *q);
/* gsakmp_outputs_own_dgram - the same, but the datagram is @dgram, which the queue
 * takes instead of copying it. */
GK_MUST_CHECK enum gk_err gsakmp_outputs_own_dgram(struct gsakmp_outputs *q,
                                                   struct gk_buf *dgram);
/* gsakmp_outputs_add_peer - the same for an output that has nothing but @peer, of
 * the group @group_id and with the Member ID @id; both are copied.  It takes as
 * much memory as that; gsakmp_outputs_own() is not for it. */
GK_MUST_CHECK enum gk_err gsakmp_outputs_add_peer(struct gsakmp_outputs *q,
                                                  enum gsakmp_output_kind kind,
                                                  struct gk_slice group_id,
                                                  struct gk_slice peer,
                                                  uint32_t id);
/* gsakmp_outputs_first - what the next poll would give, without taking it; false:
 * nothing. */
bool gsakmp_outputs_first(const struct gsakmp_outputs *q,
                          struct gsakmp_output *out);
bool gsakmp_outputs_poll(struct gsakmp_outputs *q, struct gsakmp_output *out);

#endif /* GSAKMP_ENGINE_OUTPUT_H */
