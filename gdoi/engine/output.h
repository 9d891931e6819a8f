/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_OUTPUT_H
#define GDOI_ENGINE_OUTPUT_H

#include "common/base/gk_env.h"
#include "common/base/gk_queue.h"
#include "common/identity/gk_identity.h"
#include "gdoi/payload/sat.h"

struct gk_journal;
struct gdoi_group;

/*
 * DOC: what the GDOI engines have to say
 *
 * Outputs are pulled with the engine's _poll(), in the order in which they have
 * to be acted upon.  Everything an output points to is the engine's and lasts
 * until the next call of that engine.
 */

/* Where a datagram came from, or should go.  The engines compare addresses and
 * ports and copy the rest: @handle is the caller's (a socket), and comes back
 * unchanged in the SEND that answers, unless the address comes from a store: then
 * it is GDOI_HANDLE_NONE. */
struct gdoi_address {
	uint8_t ip[16];
	uint8_t ip_len; /* 4 or 16; 0: none */
	uint16_t port;
	uint64_t handle;
	bool nat; /* it talks to our port of NAT traversal (RFC 3947) */
};

#define GDOI_HANDLE_NONE UINT64_MAX

#define GDOI_OUTPUT_LIST(X)                                                    \
	X(COMMIT, "commit")           /* make durable before going on */       \
	X(SEND, "send")               /* @dgram to @to */                      \
	X(MULTICAST, "multicast")     /* @dgram to the Rekey SA's address */   \
	X(PHASE1_UP, "phase1-up")     /* @peer is authenticated */             \
	X(PHASE1_DOWN, "phase1-down") /* @text */                              \
	X(JOINED, "joined")           /* GCKS: @peer has keys; GM: we have */  \
	X(LEFT, "left")               /* GCKS: @peer is gone; GM: we are */    \
	X(EVICTED, "evicted")         /* GCKS: @peer; GM: nothing fits */      \
	X(UNRESPONSIVE, "unresponsive") /* GCKS: @peer does not acknowledge */ \
	X(ACKED, "acked")             /* GCKS: @peer acknowledged @sequence */ \
	X(REKEYED, "rekeyed")         /* a PUSH went out or was obeyed */      \
	X(SENT_AGAIN, "sent-again")   /* GCKS: a PUSH of before a restart */   \
	X(TEK, "tek")                 /* @tek is new, or has a new state */    \
	X(TEK_WIPE, "tek-wipe")       /* @tek is not to be used any more */    \
	X(KEK, "kek")                 /* GM: receive PUSHes at @kek */         \
	X(KEK_WIPE, "kek-wipe")       /* GM: no more */                        \
	X(POLICY, "policy")           /* a policy is in force; @edition */     \
	X(STALE, "stale")             /* GM: rekey overdue, or missed */       \
	X(NEXT_SERVER, "next-server") /* GM: tries another key server */       \
	X(SID_EXHAUSTED, "sid-exhausted") /* GCKS: RFC 6407 3.5, step 5 */     \
	X(KILOBYTES, "kilobytes") /* GCKS: @peer may have used an SA up */     \
	X(DESTROYED, "destroyed") /* all SAs of the group are deleted */       \
	X(TOLD, "told")           /* GM: the key server knows that we left */  \
	X(UNTOLD, "untold")       /* GM: it could not be told; @text */        \
	X(RECEIVE_ONLY, "receive-only") /* GM: no sender id for us */          \
	X(UNAUTHORISED, "unauthorised") /* GM: an SA, left out; @tek.sat */    \
	X(DOUBT, "doubt") /* phase 1 with @to may fail; @text: a guess */      \
	X(NOTIFIED, "notified") /* the peer sent notification @notify */       \
	X(REFUSED, "refused")   /* @why; nothing has changed */                \
	X(MESSAGE, "message")   /* a message went in or out */

enum gdoi_output_kind {
#define X(name, text) GDOI_OUT_##name,
	GDOI_OUTPUT_LIST(X)
#undef X
};

const char *gdoi_output_text(enum gdoi_output_kind kind);

/*
 * One Data-Security SA, as the data plane wants it.
 *
 *     NEXT      pre-fetched: known, not to be used yet (RFC 8052 section 2.2)
 *     RECEIVE   receive with it, do not send yet (ATD runs, RFC 5374 4.2.1)
 *     CURRENT   send and receive
 *     OLD       superseded: receive only, until DTD is over
 */
enum gdoi_tek_state {
	GDOI_TEK_NEXT,
	GDOI_TEK_RECEIVE,
	GDOI_TEK_CURRENT,
	GDOI_TEK_OLD,
};

const char *gdoi_tek_state_text(enum gdoi_tek_state state);

#define GDOI_TEK_SIDS_MAX 256
#define GDOI_NO_GROUP SIZE_MAX

struct gdoi_tek {
	enum gdoi_tek_state state;
	const struct gdoi_sat *sat;  /* policy and SPI, as downloaded */
	struct gk_slice key;         /* TEK_ALGORITHM_KEY; empty in TEK_WIPE */
	struct gk_slice integrity;   /* TEK_INTEGRITY_KEY */
	struct gk_slice source_auth; /* TEK_SOURCE_AUTH_KEY */
	int64_t installed_utc;
	int64_t expires_utc; /* 0: no end */
	bool may_send;       /* direction and sender ids let us */
	bool no_sid;         /* a counter mode, and the key server gave none */
	bool worn;           /* its kilobytes are nearly used up */
	uint16_t kda;        /* SA_KDA, as it is now; @sat has the first one */
	/* RFC 6054: our sender ids for counter modes. */
	uint16_t sid_bits; /* 0: not a counter mode, or none given */
	size_t n_sids;
	const uint32_t *sids;
};

/* A Rekey SA: where PUSHes come to. */
struct gdoi_kek_info {
	uint8_t spi[16];
	struct gdoi_address src, dst; /* ip_len 0: any */
	uint16_t algorithm, key_bits; /* registry numbers of RFC 6407 5.3 */
	int64_t expires_utc;          /* 0: no end */
	bool lkh;
	uint16_t ack; /* 0: PUSHes are not acknowledged */
	uint32_t sequence;
};

struct gdoi_output {
	enum gdoi_output_kind kind;
	size_t group;             /* GM: index of the group in the config, or
	                           * GDOI_NO_GROUP: of phase 1 */
	struct gk_slice group_id; /* body of the ID payload; may be empty */

	struct gk_slice dgram;    /* SEND, MULTICAST */
	struct gdoi_address to;   /* SEND; REFUSED, MESSAGE: the peer */
	struct gdoi_address from; /* SEND: the port of ours it leaves from, and
	                             * the address; 0, none: any */
	bool keepalive;        /* SEND: of a NAT; no non-ESP marker (ike.h) */
	unsigned resend_count; /* MULTICAST: how many more times, ... */
	uint32_t resend_spacing_ms; /* ... this far apart */
	bool again; /* SEND, MULTICAST of a PUSH: it may have gone out before */
	size_t octets;     /* MESSAGE: of the datagram */
	bool incoming;     /* MESSAGE: direction */
	uint8_t exchange;  /* MESSAGE: exchange type */
	uint32_t sequence; /* MESSAGE, REKEYED, SENT_AGAIN, ACKED: SEQ */

	/*
	 * COMMIT: a member engine gives its changes in @journal; a key server
	 * names the group and a ticket, and the caller takes the changes from
	 * gdoi_group_commits() to the store (gk_commits.h).
	 */
	const struct gk_journal *journal;
	struct gdoi_group *of;
	uint64_t ticket;

	struct gdoi_tek tek;      /* TEK, TEK_WIPE */
	struct gdoi_kek_info kek; /* KEK, KEK_WIPE */
	struct gk_slice peer;     /* printable identity */
	uint32_t member_id;
	int64_t edition;          /* POLICY; -1: a local policy */
	bool refused;             /* KILOBYTES: no SA is replaced for it */
	uint16_t notify;          /* NOTIFIED */
	struct gk_slice words;    /* NOTIFIED: what the peer says in words;
	                           * REFUSED: what was found, if more is known */
	struct isakmp_reject why; /* REFUSED, UNAUTHORISED, PHASE1_DOWN, LEFT,
	                           * EVICTED */
	const char *text;         /* a short reason; static storage */
};

/* The queue inside an engine; cut and freed as any gk_queue. */
struct gdoi_outputs {
	struct gk_queue items;
};

/* gdoi_outputs_add - append an output of @kind; the slices put into it are
 * copied by gdoi_outputs_own().  NULL when memory is short. */
struct gdoi_output *gdoi_outputs_add(struct gdoi_outputs *q,
                                     enum gdoi_output_kind kind);
/* gdoi_outputs_own - copy every slice (and sat, sids) of the last output into
 * the queue; when that fails, the output is taken out again. */
GK_MUST_CHECK enum gk_err gdoi_outputs_own(struct gdoi_outputs *q);
bool gdoi_outputs_poll(struct gdoi_outputs *q, struct gdoi_output *out);

#endif /* GDOI_ENGINE_OUTPUT_H */
