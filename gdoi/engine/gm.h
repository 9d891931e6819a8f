/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GM_H
#define GDOI_ENGINE_GM_H

#include "gdoi/engine/output.h"
#include "gdoi/payload/endpoint.h"
#include "gdoi/payload/group_id.h"
#include "gdoi/phase1/ike.h"

/*
 * DOC: group member engine - RFC 6407 sections 3.3, 4.4, RFC 8263, RFC 8052
 *
 * One engine is one member with one list of key servers: it keeps a phase 1 SA
 * with one of them as long as it needs it, and registers under it for each of
 * its groups.  Commands, datagrams and time in; outputs pulled.
 *
 * RFC 6407's figures 2 and 3 give a group its states:
 */
#define GDOI_GM_STATE_LIST(X)                                   \
	X(IDLE, "idle")                                         \
	X(WAITING, "waiting to register")                       \
	X(PHASE1, "phase 1")                                    \
	X(PULL_1, "GROUPKEY-PULL message 1 sent")               \
	X(PULL_3, "GROUPKEY-PULL message 3 sent")               \
	X(MEMBER, "member")                                     \
	X(REREGISTERING, "member, registering again")           \
	X(REFUSED, "refused by the key server, will ask again") \
	X(FAILED, "given up")

enum gdoi_gm_state {
#define X(name, text) GDOI_GM_##name,
	GDOI_GM_STATE_LIST(X)
#undef X
};

const char *gdoi_gm_state_text(enum gdoi_gm_state state);

#define GDOI_GM_SERVERS_MAX 8
#define GDOI_GM_GROUPS_MAX 32

/*
 * RFC 5374 section 4.1.3.4: a flow that a key server is authorised to make SAs for.
 * An SA is within it when its protocol, all of its sources and all of its
 * destinations are; one that says "any" is within a flow that says so, too.
 */
struct gdoi_flow_end {
	struct gdoi_span span;          /* len 0: any address */
	uint16_t port_first, port_last; /* 0 to 65535: any, and no port */
};

struct gdoi_flow {
	struct gk_identity server; /* a pattern; GK_ID_NONE: each one */
	uint8_t protocol;          /* of IP; 0: any */
	const struct gdoi_flow_end *src, *dst;
	size_t n_src, n_dst; /* 0: any */
};

/* What a member is ready to accept: RFC 6407 section 3.3 has it decide. */
struct gdoi_gm_group_config {
	struct gk_slice id;    /* body of the ID payload; borrowed */
	struct gk_slice scope; /* names it in the store; borrowed */
	const struct gdoi_dialect *dialect; /* NULL: the defaults */
	bool legacy_ok;     /* DES, 3DES, MD5, SHA-1, 1024-bit keys */
	bool require_rekey; /* refuse a group without a Rekey SA */
	bool receive_only;  /* never a sender: no sender ids wanted */
	uint16_t sids;      /* how many to request; 0: one comes unasked */
	/* RFC 8052 section 2.2.4.2: a sender uses a new key only when so many of
	 * a hundred subscribers have it, as SA_KDA says. */
	uint8_t kda_min;
	/* Where a registration's Rekey SA has to send its PUSHes to, and from;
	 * ip_len 0: anywhere.  Port 0: any. */
	struct gdoi_address rekey_dst, rekey_src;
	/* Which key servers may serve this group: patterns of phase 1
	 * identities (RFC6407-3.1-02).  None: every one of the list. */
	const struct gk_identity *servers;
	size_t n_servers;
	/* RFC 5374 section 4.1.3.5: an ESP or AH SA that is within none of these is
	 * left out of what is taken; a registration of which nothing would be left
	 * is refused.  None: whatever the key server says.  Borrowed. */
	const struct gdoi_flow *flows;
	size_t n_flows;
};

struct gdoi_gm_config {
	struct ike_config ike;
	struct gdoi_address server[GDOI_GM_SERVERS_MAX]; /* by preference */
	size_t n_servers;
	/* Where registration leaves from: port 0 is 848.  The address (ip_len 0:
	 * that which answers come to) is our identity in acknowledgements, RFC
	 * 8263 section 3.4. */
	struct gdoi_address local;
	const struct gdoi_gm_group_config *groups; /* borrowed */
	size_t n_groups;

	/* All 0: the defaults in brackets. */
	uint32_t pull_timeout_ms; /* [2000] doubles with each try */
	unsigned pull_tries;      /* [4] */
	/* Re-registration, RFC 6407 section 7.4 and 4.4: waits are drawn at random
	 * below a bound that doubles up to the maximum. */
	uint32_t backoff_ms;     /* [5000] */
	uint32_t backoff_max_ms; /* [300000] */
	unsigned register_max;   /* [0: for ever] failures before FAILED */
	uint32_t margin_s; /* [a twentieth] before a lifetime ends without a
	                           * rekey, register again */
	/* Hold the SA after registration; when its peer dies (ike.dpd_s), the
	 * member registers with the next key server. */
	bool keep_phase1;
	/* A leave with notice opens a phase 1 SA for it when there is none ... */
	bool no_leave_phase1;   /* ... unless this is set */
	bool no_ack;            /* RFC 8263: do not acknowledge (lab) */
	uint32_t ack_jitter_ms; /* [1000] upper bound of the random wait */
	/* IEC 61850: a key server that cannot be reached: the current key stays
	 * in use beyond its lifetime (RFC 8052 section 2.2) ... */
	bool drop_expired; /* ... unless this is set */
};

struct gdoi_gm;

struct gdoi_gm *gdoi_gm_new(const struct gk_env *env,
                            const struct gdoi_gm_config *cfg);
void gdoi_gm_free(struct gdoi_gm *gm); /* wipes */

#define GM_TABLE_SEQUENCE "gdoi-sequence"

/* gdoi_gm_load - rows that earlier COMMITs made durable, before any input: the
 * sequence numbers that must not go back. */
const char *gdoi_gm_table(size_t i);
GK_MUST_CHECK enum gk_err gdoi_gm_load(struct gdoi_gm *gm,
                                       struct gk_slice scope, const char *table,
                                       struct gk_slice key,
                                       struct gk_slice value);

/* Commands, by index of the group. */
enum gk_err gdoi_gm_join(struct gdoi_gm *gm, size_t group, struct gk_now now);
/* gdoi_gm_leave - wipe.  With @notice the key server is told: an Informational
 * with a Delete of the Rekey SA, or of the Data-Security SAs of a group that has
 * none; who has neither says nothing.  Outputs TOLD or, when there is no way,
 * UNTOLD; where a phase 1 SA comes first, that is later than LEFT. */
enum gk_err gdoi_gm_leave(struct gdoi_gm *gm, size_t group, bool notice,
                          struct gk_now now);
/* gdoi_gm_parting - is a leave with notice still under way?  What it says is said
 * three times, as nobody acknowledges it. */
bool gdoi_gm_parting(const struct gdoi_gm *gm);
/* gdoi_gm_reregister - now, whatever the timers say; keys stay meanwhile. */
enum gk_err gdoi_gm_reregister(struct gdoi_gm *gm, size_t group,
                               struct gk_now now);
/*
 * gdoi_gm_used - whoever protects traffic with an SA says that its kilobytes (SA Life
 * Type 2) are nearly used up, or (@up) that they are: the member registers again,
 * and forgets the SA, which it does not take again either.
 *
 * GK_ERR_VALUE: there is no such SA, or it has no lifetime in kilobytes.
 */
enum gk_err gdoi_gm_used(struct gdoi_gm *gm, size_t group, uint8_t protocol,
                         const uint8_t spi[GDOI_TEK_SPI_LEN], bool up,
                         struct gk_now now);
void gdoi_gm_set_ike(struct gdoi_gm *gm, const struct ike_config *ike);
/*
 * gdoi_gm_announced - from now on the key servers are those of @servers, and of
 * @group (of which nothing else in @cfg counts) rekey_dst, rekey_src, the names of
 * its key servers and the flows, borrowed as ever.
 *
 * A registration with a key server that is none any more is given up for one with
 * another.  Members keep their SAs; those whose key server is none any more, or whose
 * PUSHes are to come to another place, register again soon.  All outputs have to
 * be polled before: GK_ERR_UNEXPECTED.
 */
enum gk_err gdoi_gm_announced(struct gdoi_gm *gm, size_t group,
                              const struct gdoi_gm_group_config *cfg,
                              const struct gdoi_address *servers, size_t n,
                              struct gk_now now);

/*
 * gdoi_gm_receive - unicast answers and PUSHes alike, their non-ESP marker taken
 * off (ike_natt_open()).
 * @to: the address and port of ours, or the multicast address, that it came to
 *
 * Anything but GK_OK means: refused, an output REFUSED says why, nothing has
 * changed.  All outputs of an input are to be polled before the next one.
 */
enum gk_err gdoi_gm_receive(struct gdoi_gm *gm, struct gk_slice dgram,
                            const struct gdoi_address *from,
                            const struct gdoi_address *to, struct gk_now now);
enum gk_err gdoi_gm_tick(struct gdoi_gm *gm, struct gk_now now);

/* Outputs: SEND, COMMIT (@journal), PHASE1_UP, PHASE1_DOWN, JOINED, LEFT, EVICTED,
 * REKEYED, TEK, TEK_WIPE, KEK, KEK_WIPE, STALE, NEXT_SERVER, DESTROYED, NOTIFIED,
 * TOLD, UNTOLD, RECEIVE_ONLY, UNAUTHORISED, REFUSED, MESSAGE. */
bool gdoi_gm_poll(struct gdoi_gm *gm, struct gdoi_output *out);
/*
 * gdoi_gm_commit_failed - the store did not take the COMMIT that _poll() gave
 * last; to be called before the next _poll().
 *
 * The engine is as it was before the input, the rest of that input's outputs is
 * gone.  A PUSH is held and gone through again a little later, and those behind
 * it wait; a registration is tried again.
 */
void gdoi_gm_commit_failed(struct gdoi_gm *gm, struct gk_now now);
uint64_t gdoi_gm_deadline(const struct gdoi_gm *gm);

struct gdoi_gm_status {
	enum gdoi_gm_state state;
	bool phase1;
	struct gk_slice server; /* printable identity; or empty */
	struct gdoi_address server_address;
	bool has_kek;
	struct gdoi_kek_info kek;
	size_t n_teks, n_keks;          /* n_keks: LKH keys held */
	uint64_t pushes, acks, refused; /* since the start */
	uint64_t unauthorised;          /* SAs that were within no flow */
	size_t waiting; /* PUSHes that the store has not taken yet */
	int64_t registered_utc, rekey_due_utc;
	uint16_t sid_bits;
	size_t n_sids;
	bool no_sender; /* receives only, for want of a sender id */
	/* The last registration that came to nothing, since the last one that
	 * did not. */
	unsigned failures;        /* whole rounds, in a row */
	const char *failure;      /* NULL: none */
	struct isakmp_reject why; /* may be empty */
	int64_t failed_utc;
	/* Why the phase 1 under way may come to nothing: nobody has proved it. */
	const char *doubt; /* NULL: no reason to think so */
	int64_t doubt_utc;
};
void gdoi_gm_status(const struct gdoi_gm *gm, size_t group,
                    struct gdoi_gm_status *out);
/* gdoi_gm_teks - all of @group, with their keys. */
void gdoi_gm_teks(const struct gdoi_gm *gm, size_t group,
                  void (*each)(void *ctx, const struct gdoi_tek *tek),
                  void *ctx);
/* gdoi_gm_digest - SHA-256 over everything that a message could change. */
void gdoi_gm_digest(const struct gdoi_gm *gm, uint8_t out[32]);

#endif /* GDOI_ENGINE_GM_H */
