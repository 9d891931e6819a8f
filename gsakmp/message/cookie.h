/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_MESSAGE_COOKIE_H
#define GSAKMP_MESSAGE_COOKIE_H

#include <pthread.h>

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"
#include "gsakmp/gsakmp_reject.h"
#include "gsakmp/payload/groupid.h"

/*
 * DOC: cookies - RFC 4535 section 5.2.2
 *
 *     cookie = secret version (4) | HMAC-SHA-256(secret, Ni | IPi | GroupID)
 *
 * each part of the input with its length in front.  Nothing is kept per
 * candidate: the cookie is computed again when it comes back.  A secret lives
 * for a while, its predecessor is still accepted for a shorter while.  Workers share
 * one jar: behind a NAT the second request may reach another one.
 *
 * IPi is the source address of the datagram (4 or 16 octets), or the address of
 * the RTJ's IPValue notification where the local configuration says so (NAT).
 */
#define GSAKMP_COOKIE_LEN 36
#define GSAKMP_COOKIE_SECRET_LEN 32

struct gsakmp_cookie_jar {
	pthread_mutex_t lock;
	uint64_t lifetime_ms; /* of a secret */
	uint64_t grace_ms;    /* that the previous secret is still accepted */
	uint32_t version;     /* of the secret in use; counts up */
	uint64_t born_ms;     /* mono clock when it was made */
	uint8_t secret[GSAKMP_COOKIE_SECRET_LEN];
	bool has_previous;
	uint8_t previous[GSAKMP_COOKIE_SECRET_LEN];
};

/* gsakmp_cookie_init - a jar with a first secret, also when that fails (then one
 * that is not random: do not use it, wipe it).  The other functions may be called
 * from several threads. */
GK_MUST_CHECK enum gk_err gsakmp_cookie_init(struct gsakmp_cookie_jar *jar,
                                             const struct gk_env *env,
                                             struct gk_now now,
                                             uint64_t lifetime_ms,
                                             uint64_t grace_ms);
/* gsakmp_cookie_tick - make a new secret when the old one is due; also called
 * by _make and _check. */
GK_MUST_CHECK enum gk_err gsakmp_cookie_tick(struct gsakmp_cookie_jar *jar,
                                             const struct gk_env *env,
                                             struct gk_now now);
/* gsakmp_cookie_rotate - make a new secret at once, as under attack. */
GK_MUST_CHECK enum gk_err gsakmp_cookie_rotate(struct gsakmp_cookie_jar *jar,
                                               const struct gk_env *env,
                                               struct gk_now now);
/* gsakmp_cookie_due - when gsakmp_cookie_tick() has something to do. */
uint64_t gsakmp_cookie_due(struct gsakmp_cookie_jar *jar);
/* gsakmp_cookie_wipe - the end of a jar that was initialised. */
void gsakmp_cookie_wipe(struct gsakmp_cookie_jar *jar);

/* gsakmp_cookie_make - the cookie for a candidate; RFC4535-5.2.2-09. */
GK_MUST_CHECK enum gk_err gsakmp_cookie_make(
	struct gsakmp_cookie_jar *jar, const struct gk_env *env,
	struct gk_now now, struct gk_slice nonce_i, struct gk_slice address,
	struct gsakmp_groupid groupid, uint8_t out[GSAKMP_COOKIE_LEN]);

/**
 * gsakmp_cookie_check - is it ours, for this nonce and this address?
 *
 * Return: GK_OK; GK_ERR_REPLAY when its secret is no longer accepted (send a new
 * cookie), GK_ERR_AUTH when it is not a cookie of this key server or not for
 * this candidate, with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gsakmp_cookie_check(
	struct gsakmp_cookie_jar *jar, const struct gk_env *env,
	struct gk_now now, struct gk_slice cookie, struct gk_slice nonce_i,
	struct gk_slice address, struct gsakmp_groupid groupid,
	struct gsakmp_reject *why);

#endif /* GSAKMP_MESSAGE_COOKIE_H */
