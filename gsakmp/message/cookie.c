/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/message/cookie.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "common/crypto/gk_hash.h"
#include "common/wire/gk_wr.h"

#define VERSION_LEN 4
#define MAC_LEN (GSAKMP_COOKIE_LEN - VERSION_LEN)

static enum gk_err
fresh(struct gsakmp_cookie_jar *jar, const struct gk_env *env,
      struct gk_now now)
{
	GK_TRY(env->random(env->ctx, jar->secret, sizeof(jar->secret)));
	jar->version++;
	jar->born_ms = now.mono_ms;
	return GK_OK;
}

enum gk_err
gsakmp_cookie_init(struct gsakmp_cookie_jar *jar, const struct gk_env *env,
                   struct gk_now now, uint64_t lifetime_ms, uint64_t grace_ms)
{
	uint8_t start[VERSION_LEN];

	*jar = (struct gsakmp_cookie_jar){ .lifetime_ms = lifetime_ms,
		                           .grace_ms = grace_ms };
	pthread_mutex_init(&jar->lock, NULL);
	/* Versions do not start where they started before a restart. */
	GK_TRY(env->random(env->ctx, start, sizeof(start)));
	memcpy(&jar->version, start, sizeof(start));
	return fresh(jar, env, now);
}

static enum gk_err
rotate(struct gsakmp_cookie_jar *jar, const struct gk_env *env,
       struct gk_now now)
{
	uint8_t old[GSAKMP_COOKIE_SECRET_LEN];
	enum gk_err err;

	memcpy(old, jar->secret, sizeof(old));
	err = fresh(jar, env, now);
	if (err == GK_OK) {
		memcpy(jar->previous, old, sizeof(old));
		jar->has_previous = true;
	}
	gk_wipe(old, sizeof(old));
	return err;
}

enum gk_err
gsakmp_cookie_rotate(struct gsakmp_cookie_jar *jar, const struct gk_env *env,
                     struct gk_now now)
{
	enum gk_err err;

	pthread_mutex_lock(&jar->lock);
	err = rotate(jar, env, now);
	pthread_mutex_unlock(&jar->lock);
	return err;
}

static enum gk_err
tick(struct gsakmp_cookie_jar *jar, const struct gk_env *env, struct gk_now now)
{
	uint64_t age = now.mono_ms - jar->born_ms;

	/* RFC4535-5.2.2-13: the previous secret is not good for ever. */
	if (jar->has_previous && age >= jar->grace_ms) {
		gk_wipe(jar->previous, sizeof(jar->previous));
		jar->has_previous = false;
	}
	if (age < jar->lifetime_ms)
		return GK_OK;
	GK_TRY(rotate(jar, env, now));
	/* Nobody came for so long that even the grace time is over. */
	if (age >= jar->lifetime_ms + jar->grace_ms) {
		gk_wipe(jar->previous, sizeof(jar->previous));
		jar->has_previous = false;
	}
	return GK_OK;
}

enum gk_err
gsakmp_cookie_tick(struct gsakmp_cookie_jar *jar, const struct gk_env *env,
                   struct gk_now now)
{
	enum gk_err err;

	pthread_mutex_lock(&jar->lock);
	err = tick(jar, env, now);
	pthread_mutex_unlock(&jar->lock);
	return err;
}

uint64_t
gsakmp_cookie_due(struct gsakmp_cookie_jar *jar)
{
	uint64_t due;

	pthread_mutex_lock(&jar->lock);
	due = jar->born_ms + jar->lifetime_ms;
	pthread_mutex_unlock(&jar->lock);
	return due;
}

void
gsakmp_cookie_wipe(struct gsakmp_cookie_jar *jar)
{
	pthread_mutex_destroy(&jar->lock);
	gk_wipe(jar, sizeof(*jar));
}

/* secret version | HMAC-SHA-256(secret, ...); every part of the input has its
 * length in front, so that no two inputs are the same octets. */
static enum gk_err
compute(const uint8_t secret[GSAKMP_COOKIE_SECRET_LEN], uint32_t version,
        struct gk_slice nonce_i, struct gk_slice address,
        struct gsakmp_groupid groupid, uint8_t out[GSAKMP_COOKIE_LEN])
{
	const struct gk_slice key = { secret, GSAKMP_COOKIE_SECRET_LEN };
	uint8_t lengths[13], mac[GK_HASH_MAX];
	struct gk_slice parts[4] = {
		{ lengths, sizeof(lengths) }, nonce_i, address, groupid.value
	};
	struct gk_wr wr;

	gk_wr_init(&wr, lengths, sizeof(lengths));
	gk_wr_u32(&wr, (uint32_t)nonce_i.len);
	gk_wr_u32(&wr, (uint32_t)address.len);
	gk_wr_u32(&wr, (uint32_t)groupid.value.len);
	gk_wr_u8(&wr, groupid.type);
	GK_TRY(gk_hmac(GK_HASH_SHA256, key, parts, GK_COUNT(parts), mac));
	gk_wr_init(&wr, out, GSAKMP_COOKIE_LEN);
	gk_wr_u32(&wr, version);
	gk_wr_bytes(&wr, (struct gk_slice){ mac, MAC_LEN });
	return gk_wr_done(&wr);
}

/* The secrets as they are now, so that nothing is computed under the lock. */
struct secrets {
	uint32_t version;
	bool has_previous;
	uint8_t now[GSAKMP_COOKIE_SECRET_LEN];
	uint8_t previous[GSAKMP_COOKIE_SECRET_LEN];
};

static enum gk_err
look_in(struct gsakmp_cookie_jar *jar, const struct gk_env *env,
        struct gk_now now, struct secrets *s)
{
	enum gk_err err;

	pthread_mutex_lock(&jar->lock);
	err = tick(jar, env, now);
	s->version = jar->version;
	s->has_previous = jar->has_previous;
	memcpy(s->now, jar->secret, sizeof(s->now));
	memcpy(s->previous, jar->previous, sizeof(s->previous));
	pthread_mutex_unlock(&jar->lock);
	return err;
}

enum gk_err
gsakmp_cookie_make(struct gsakmp_cookie_jar *jar, const struct gk_env *env,
                   struct gk_now now, struct gk_slice nonce_i,
                   struct gk_slice address, struct gsakmp_groupid groupid,
                   uint8_t out[GSAKMP_COOKIE_LEN])
{
	struct secrets s;
	enum gk_err err;

	err = look_in(jar, env, now, &s);
	if (err == GK_OK)
		err = compute(s.now, s.version, nonce_i, address, groupid, out);
	gk_wipe(&s, sizeof(s));
	return err;
}

/* RFC4535-5.2.2-12, -13: this secret or, for a while, the last. */
static const uint8_t *
secret_of(const struct secrets *s, uint32_t version)
{
	if (version == s->version)
		return s->now;
	if (s->has_previous && version == s->version - 1)
		return s->previous;
	return NULL;
}

static enum gk_err
check(const struct secrets *s, struct gk_slice cookie, struct gk_slice nonce_i,
      struct gk_slice address, struct gsakmp_groupid groupid,
      struct gsakmp_reject *why)
{
	uint8_t expected[GSAKMP_COOKIE_LEN];
	const uint8_t *secret;
	uint32_t version;
	struct gk_rd rd;

	gk_rd_init(&rd, cookie.ptr, cookie.len);
	version = gk_rd_u32(&rd, "SecretVersionNumber");
	secret = secret_of(s, version);
	if (secret == NULL && GK_CHECKED("RFC4535-5.2.2-13", "RFC4535-5.2.2-09",
	                                 "RFC4535-7.9.1.2-02"))
		return gsakmp_refuse(
			why, GK_ERR_REPLAY, GSAKMP_NOTIFY_COOKIE_REQUIRED,
			"RFC4535-5.2.2-13", "SecretVersionNumber", 0);
	/* RFC4535-5.2.2-10, -11: the same address, the same nonce. */
	GK_TRY(compute(secret != NULL ? secret : s->now, version, nonce_i,
	               address, groupid, expected));
	if ((cookie.len != sizeof(expected) ||
	     !gk_equal_secret(cookie.ptr, expected, sizeof(expected))) &&
	    GK_CHECKED("RFC4535-5.2.2-10", "RFC4535-5.2.2-09",
	               "RFC4535-5.2.2-11", "RFC4535-5.2.2-04",
	               "RFC4535-7.9.1.2-02"))
		return gsakmp_refuse(why, GK_ERR_AUTH,
		                     GSAKMP_NOTIFY_COOKIE_REQUIRED,
		                     "RFC4535-5.2.2-10", "Cookie", 0);
	return GK_OK;
}

enum gk_err
gsakmp_cookie_check(struct gsakmp_cookie_jar *jar, const struct gk_env *env,
                    struct gk_now now, struct gk_slice cookie,
                    struct gk_slice nonce_i, struct gk_slice address,
                    struct gsakmp_groupid groupid, struct gsakmp_reject *why)
{
	struct secrets s;
	enum gk_err err;

	if (cookie.len != GSAKMP_COOKIE_LEN && GK_CHECKED("RFC4535-7.9.1.2-02"))
		return gsakmp_refuse(why, GK_ERR_AUTH,
		                     GSAKMP_NOTIFY_COOKIE_REQUIRED,
		                     "RFC4535-7.9.1.2-02", "Cookie", 0);
	err = look_in(jar, env, now, &s);
	if (err == GK_OK)
		err = check(&s, cookie, nonce_i, address, groupid, why);
	gk_wipe(&s, sizeof(s));
	return err;
}
