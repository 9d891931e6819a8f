/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PHASE1_IKE_POOL_H
#define GDOI_PHASE1_IKE_POOL_H

#include "gdoi/phase1/ike.h"

/*
 * DOC: all the ISAKMP SAs of one side - RFC 2408 sections 2.5.3 and 5.2
 *
 * A pool owns many struct ike, finds the one a datagram is for by its cookies,
 * bounds how many there are, and drives their time.  Like an engine it does no
 * I/O: datagrams and time go in, outputs are pulled.  It has no lock; a process
 * of several workers has a pool in each, all with one secret and each with a
 * cookie_tag of its own (ike_cookie_tag()).
 *
 *     ike_pool_receive(pool, &path, dgram, now, &other);
 *     if (other != NULL)                 an exchange under an SA: PULL
 *             gcks_pull(..., other, dgram);
 *     while (ike_pool_poll(pool, &out))
 *             ...                        SEND: to the socket
 *
 * A struct ike * that came from here is good until the output that ends it
 * (FAILED, DELETED, PEER_DEAD) has been polled and ike_pool_poll() is called the
 * next time.  Each SA that was ESTABLISHED ends with DELETED or PEER_DEAD, also
 * when the owner ended it; each that was begun here with FAILED before that.
 *
 * Half-open SAs of peers, which anybody can cause, are bounded in all and by
 * address.  At a bound message 1 is refused unread and nothing is allocated,
 * with one exception: a half-open SA whose peer has not shown that it receives
 * our answers, and that is older than cfg.timeout_ms, makes room for a new one.
 * So forgers of addresses cannot lock out for longer than that who is really
 * there, and cost no more than the bound's number of answers in that time.
 *
 * A copy of message 1 begins no second SA, for the life of the one that it began
 * and for two minutes after it (of the last 1024 that came so far as message 3): it
 * is refused when it is not answered as before.
 */
struct ike_pool_limits {
	/* All 0: the defaults in brackets. */
	size_t half_open;    /* [1000] begun by peers, in all */
	size_t per_address;  /* [16] of these, of one address */
	size_t established;  /* [100000] */
	size_t per_identity; /* [4] of one peer; the oldest one goes */
};

struct ike_pool_counts {
	size_t half_open, established;                    /* now */
	uint64_t begun, completed, failed, deleted, dead; /* ever */
	uint64_t refused; /* messages, whatever the reason */
	uint64_t limited; /* of these, message 1 at a bound */
};

struct ike_pool;

/*
 * ike_pool_new - @cfg is copied; what it points to, and @env, must outlive the
 * pool.  cfg->contact is the pool's own: what is set there is not looked at;
 * whether INITIAL-CONTACT is said is what @initial_contact decides.
 */
GK_MUST_CHECK enum gk_err ike_pool_new(const struct gk_env *env,
                                       const struct ike_config *cfg,
                                       const struct ike_pool_limits *limits,
                                       bool initial_contact,
                                       struct ike_pool **pool);
/* ike_pool_free - wipes all; sends nothing. */
void ike_pool_free(struct ike_pool *pool);
/* ike_pool_configure - for SAs that begin from now on.  What the configuration
 * before pointed to must live as long as the SAs that began under it; its hold
 * says when they are gone. */
void ike_pool_configure(struct ike_pool *pool, const struct ike_config *cfg);

/* ike_pool_initiate - begin an SA along @path; its outputs say how it goes.
 * @cfg: NULL: that of the pool. */
GK_MUST_CHECK enum gk_err ike_pool_initiate(struct ike_pool *pool,
                                            const struct ike_config *cfg,
                                            const struct ike_path *path,
                                            struct gk_now now,
                                            struct ike **ike);

/**
 * ike_pool_receive - a datagram, its non-ESP marker taken off.
 * @other: the SA, when the message is of an exchange that is not phase 1's
 *         (neither Main nor Aggressive Mode nor Informational) and the SA is
 *         established; the message is then for the caller to judge, who says
 *         ike_pool_heard() and ike_message_id_take().  Otherwise NULL.
 *
 * Return: GK_OK; anything else means refused: an output REFUSED says why (its SA
 * is NULL when there is none), and nothing has changed.
 */
enum gk_err ike_pool_receive(struct ike_pool *pool, const struct ike_path *path,
                             struct gk_slice dgram, struct gk_now now,
                             struct ike **other);
enum gk_err ike_pool_tick(struct ike_pool *pool, struct gk_now now);
/* ike_pool_deadline - when to tick next; GK_NEVER. */
uint64_t ike_pool_deadline(const struct ike_pool *pool);

struct ike_pool_output {
	struct ike *ike; /* NULL: of none */
	struct ike_output out;
};

/* ike_pool_poll - what the output points to is good until the next call of
 * anything of the pool. */
bool ike_pool_poll(struct ike_pool *pool, struct ike_pool_output *out);

/* Under an SA of the pool, with the pool's outputs: as ike_heard(), as
 * ike_notify(). */
enum gk_err ike_pool_heard(struct ike_pool *pool, struct ike *ike,
                           const struct ike_path *path, struct gk_now now);
enum gk_err ike_pool_notify(struct ike_pool *pool, struct ike *ike,
                            const struct isakmp_notification *notification,
                            struct gk_now now);
/* as ike_delete_other() */
enum gk_err ike_pool_delete_other(struct ike_pool *pool, struct ike *ike,
                                  const struct isakmp_delete *del,
                                  struct gk_now now);
/* ike_pool_delete - end it; the peer is told when it is established. */
enum gk_err ike_pool_delete(struct ike_pool *pool, struct ike *ike,
                            struct gk_now now);
/*
 * ike_pool_delete_peer - end all SAs with this identity but @keep (or NULL).
 * @tell: send Deletes; false after INITIAL-CONTACT, which said that the peer has
 *        forgotten them.  The pool does this itself for its own SAs; an owner of
 *        several pools does it in the others when it sees INITIAL_CONTACT.
 */
enum gk_err ike_pool_delete_peer(struct ike_pool *pool, struct gk_identity peer,
                                 const struct ike *keep, bool tell,
                                 struct gk_now now);
/* ike_pool_delete_all - as before the process ends. */
enum gk_err ike_pool_delete_all(struct ike_pool *pool, struct gk_now now);

/* ike_pool_has - is there one for which this cookie was made here? */
bool ike_pool_has(const struct ike_pool *pool,
                  const uint8_t own[ISAKMP_COOKIE_LEN]);
/* ike_pool_find - by the two cookies; NULL. */
struct ike *ike_pool_find(const struct ike_pool *pool,
                          const uint8_t cookies[2 * ISAKMP_COOKIE_LEN]);
/* ike_pool_peer - the newest established SA with this identity; NULL. */
struct ike *ike_pool_peer(const struct ike_pool *pool, struct gk_identity peer);
/* ike_pool_each - all SAs, in no order: start with *@cursor = 0, NULL at the end.
 * The pool must not change meanwhile. */
struct ike *ike_pool_each(const struct ike_pool *pool, size_t *cursor);
struct ike_pool_counts ike_pool_counts(const struct ike_pool *pool);

#endif /* GDOI_PHASE1_IKE_POOL_H */
