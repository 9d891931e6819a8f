/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PHASE1_IKE_POOL_PRIVATE_H
#define GDOI_PHASE1_IKE_POOL_PRIVATE_H

#include "common/group/gk_index.h"
#include "gdoi/phase1/ike_pool.h"
#include "gdoi/phase1/ike_private.h"

/*
 * DOC: inside the pool - for gdoi/phase1 only
 */
struct ike_entry;

/* A doubly linked list of entries, oldest first, by one of their links. */
struct ike_link {
	struct ike_entry *before, *after;
};
struct ike_queue_of {
	struct ike_entry *first, *last;
};

/* An address that half-open SAs came from. */
struct ike_host {
	uint8_t ip[16];
	uint8_t ip_len;
	size_t half_open;
	struct ike_queue_of unanswered;
};

/* An identity that has established SAs. */
struct ike_known {
	struct gk_buf name;       /* as ike_known_name() makes it */
	struct ike_entry **entry; /* oldest first */
	size_t n;
};

#define IKE_FIRST_KEY_LEN (16 + 1 + 2 + ISAKMP_COOKIE_LEN)

/*
 * The first message of an SA that is over, for as long as a copy of it may still be
 * on its way.  Only those whose peer answered us are kept, so that forgers of
 * addresses push none out; where there are more of them, the oldest goes.
 */
#define IKE_LATE_MAX 1024
#define IKE_LATE_MS 120000 /* the longest life of a segment, RFC 9293 3.4.2 */
struct ike_late {
	uint8_t first[IKE_FIRST_KEY_LEN];
	uint64_t until_ms; /* 0: nothing is kept here */
};

struct ike_entry {
	struct ike *ike;
	uint8_t own[ISAKMP_COOKIE_LEN];   /* the cookie that we made */
	uint8_t first[IKE_FIRST_KEY_LEN]; /* address and cookie of message 1 */
	uint64_t begun_ms;
	uint64_t deadline; /* as the heap knows it */
	size_t at;         /* in the heap; below 1: it is not there */
	bool half_open;    /* counted as such */
	bool unanswered;   /* its peer has not shown that it hears us */
	bool established;
	bool heard; /* a peer began it, and has shown that it hears us */
	bool ready; /* in the list of those with outputs */
	struct ike_host *host;
	struct ike_known *known;
	struct ike_link by_age, by_host, in_ready;
};

struct ike_pool {
	const struct gk_env *env;
	struct ike_config cfg;
	struct ike_pool_limits limits;
	bool initial_contact;
	struct ike_pool_counts counts;
	struct gk_now now; /* of the last call */

	struct ike_entry **heap; /* by deadline; [0] is not used */
	size_t n, cap;
	struct gk_index by_own, by_first, by_late, by_ip, by_name;
	struct ike_queue_of unanswered, ready;
	struct ike_late late[IKE_LATE_MAX];
	size_t next_late; /* the oldest */

	bool refused; /* a message that is of no SA */
	struct isakmp_reject why;
};

/* ike_pool_set.c.  An entry is in everything that it belongs in, or freed. */
GK_MUST_CHECK enum gk_err ike_pool_add(struct ike_pool *pool, struct ike *ike,
                                       const uint8_t *first, uint64_t now_ms);
/* ike_pool_update - after anything that may have changed its state. */
GK_MUST_CHECK enum gk_err ike_pool_update(struct ike_pool *pool,
                                          struct ike_entry *e);
/* ike_pool_forget - out of everything but the list of outputs. */
void ike_pool_forget(struct ike_pool *pool, struct ike_entry *e);
void ike_entry_free(struct ike_pool *pool, struct ike_entry *e);
/* ike_pool_done - its outputs are polled; one that is over is freed. */
void ike_pool_done(struct ike_pool *pool, struct ike_entry *e);
struct ike_entry *ike_entry_of(const struct ike *ike);
struct ike_host *ike_pool_host(const struct ike_pool *pool,
                               const struct ike_address *a);
/* ike_known_name - kind and octets, letters small where case does not count. */
GK_MUST_CHECK enum gk_err ike_known_name(struct gk_identity id,
                                         struct gk_buf *name);
struct ike_known *ike_pool_known(const struct ike_pool *pool,
                                 struct gk_identity id);
void ike_first_key(const struct ike_address *from, const uint8_t *cookie_i,
                   uint8_t key[IKE_FIRST_KEY_LEN]);
/* ike_pool_late - has message 1 with this key begun an SA, which is beyond it or
 * over? */
bool ike_pool_late(const struct ike_pool *pool,
                   const uint8_t first[IKE_FIRST_KEY_LEN]);

#endif /* GDOI_PHASE1_IKE_POOL_PRIVATE_H */
