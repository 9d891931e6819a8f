/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GCKS_H
#define GSAKMP_ENGINE_GCKS_H

#include "gsakmp/engine/group.h"
#include "gsakmp/engine/halfopen.h"
#include "gsakmp/message/cookie.h"

/*
 * DOC: Group Controller / Key Server engine - RFC 4535 sections 5 and 8
 *
 * One engine per worker thread.  It answers Request to Join, Key Download -
 * Ack/Failure, Request to Depart and Departure Ack for the groups that were
 * added to it.  The sessions themselves live in the shared group, so that any
 * worker can process the next message of an exchange; a worker has only its
 * outputs.
 *
 * Same pattern as the other engines: datagrams and time in, outputs pulled.
 */
#define GSAKMP_COOKIE_RATE 100
#define GSAKMP_COOKIE_LIFETIME_MS 60000

enum gsakmp_cookie_mode {
	GSAKMP_COOKIE_NEVER,
	GSAKMP_COOKIE_AUTO, /* above cookie_rate, see halfopen.h */
	GSAKMP_COOKIE_ALWAYS,
};

struct gsakmp_gcks_config {
	struct gsakmp_party party;
	enum gsakmp_cookie_mode cookies;
	unsigned cookie_rate;        /* [100] half-open registrations per
	                              * second, for AUTO */
	uint32_t cookie_lifetime_ms; /* [60000] a secret's; the one before it
	                              * is good for as long again */
	/* Section 5.2.2, NAT: a cookie is bound to the address of the RTJ's
	 * IPValue notification, when there is one, and not to the source's. */
	bool cookie_ip_value;
	/* Shared by the workers of a key server; NULL: the engine's own. */
	struct gsakmp_halfopen *halfopen;
	struct gsakmp_cookie_jar *jar; /* the same; the own one is made
	                                * when first needed */
	/* Section 5.2: what to do for a GroupID that is not served. */
	bool verbose_unknown_group;
	uint32_t skew_s;    /* [300] for freshness by time, and RTJ replay */
	size_t max_message; /* [65535] octets */
	/* What hash-and-URL certificates stand for; NULL: not accepted. */
	struct gsakmp_fetched *fetched;
};

struct gsakmp_gcks;

/* The engine copies *@cfg; what it points to, and @env, must outlive it. */
struct gsakmp_gcks *gsakmp_gcks_new(const struct gk_env *env,
                                    const struct gsakmp_gcks_config *cfg);
void gsakmp_gcks_free(struct gsakmp_gcks *gcks);

/* Groups are shared and not owned; remove one before freeing it. */
GK_MUST_CHECK enum gk_err gsakmp_gcks_add_group(struct gsakmp_gcks *gcks,
                                                struct gsakmp_group *group);
void gsakmp_gcks_remove_group(struct gsakmp_gcks *gcks,
                              struct gsakmp_group *group);

/* New certificates or revocation lists; what the old party points to may be
 * freed afterwards. */
void gsakmp_gcks_set_party(struct gsakmp_gcks *gcks,
                           const struct gsakmp_party *party);

/*
 * gsakmp_gcks_receive - a datagram, or one message of a TCP stream.
 *
 * Anything but GK_OK means: refused; an output REFUSED says why.
 */
enum gk_err gsakmp_gcks_receive(struct gsakmp_gcks *gcks, const uint8_t *dgram,
                                size_t len, const struct gsakmp_endpoint *from,
                                struct gk_now now);
enum gk_err gsakmp_gcks_tick(struct gsakmp_gcks *gcks, struct gk_now now);

/*
 * After an output WANTED the same octets are to be handed in once more, when what
 * it names is in @fetched (or known not to be had).
 *
 * Outputs: SEND, WANTED, COMMIT (@group), DEADLINE (tell the group's own thread),
 * MEMBER_PENDING, MEMBER_ACTIVE, MEMBER_LEFT, REFUSED, MESSAGE.
 */
bool gsakmp_gcks_poll(struct gsakmp_gcks *gcks, struct gsakmp_output *out);
/* gsakmp_gcks_held - would the next poll give a COMMIT that somebody has yet to
 * do?  Until then what is behind it can wait; somebody else can wait for the
 * disk. */
bool gsakmp_gcks_held(const struct gsakmp_gcks *gcks);
uint64_t gsakmp_gcks_deadline(const struct gsakmp_gcks *gcks);

#endif /* GSAKMP_ENGINE_GCKS_H */
