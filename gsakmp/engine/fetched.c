/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/fetched.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_hash.h"

struct entry {
	bool used, failed;
	uint8_t hash[GSAKMP_URL_HASH_LEN];
	struct gk_buf octets;
	uint64_t at_ms; /* of a failure */
	uint64_t touched;
};

struct gsakmp_fetched {
	pthread_mutex_t lock;
	uint64_t clock; /* counts uses */
	size_t total;   /* octets kept */
	struct entry entry[GSAKMP_FETCHED_ENTRIES];
};

struct gsakmp_fetched *
gsakmp_fetched_new(void)
{
	struct gsakmp_fetched *f = calloc(1, sizeof(*f));

	if (f != NULL)
		pthread_mutex_init(&f->lock, NULL);
	return f;
}

static void
drop(struct gsakmp_fetched *f, struct entry *e)
{
	f->total -= e->octets.len;
	gk_buf_free(&e->octets);
	*e = (struct entry){ .used = false };
}

void
gsakmp_fetched_free(struct gsakmp_fetched *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < GSAKMP_FETCHED_ENTRIES; i++)
		drop(f, &f->entry[i]);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static struct entry *
find(struct gsakmp_fetched *f, struct gk_slice hash)
{
	for (size_t i = 0; i < GSAKMP_FETCHED_ENTRIES; i++) {
		struct entry *e = &f->entry[i];

		if (e->used && memcmp(e->hash, hash.ptr, sizeof(e->hash)) == 0)
			return e;
	}
	return NULL;
}

static enum gk_err
get(struct gsakmp_fetched *f, struct gk_slice hash, uint64_t mono_ms,
    struct gk_buf *octets)
{
	struct entry *e = find(f, hash);

	if (e == NULL)
		return GK_ERR_UNEXPECTED;
	e->touched = ++f->clock;
	if (!e->failed)
		return gk_buf_copy(octets, gk_buf_slice(&e->octets));
	if (mono_ms - e->at_ms < GSAKMP_FETCHED_FAILURE_MS)
		return GK_ERR_VALUE;
	drop(f, e);
	return GK_ERR_UNEXPECTED;
}

enum gk_err
gsakmp_fetched_get(struct gsakmp_fetched *f, struct gk_slice hash,
                   uint64_t mono_ms, struct gk_buf *octets)
{
	enum gk_err err;

	if (hash.len != GSAKMP_URL_HASH_LEN)
		return GK_ERR_VALUE;
	pthread_mutex_lock(&f->lock);
	err = get(f, hash, mono_ms, octets);
	pthread_mutex_unlock(&f->lock);
	return err;
}

/* The entry that a new one replaces: a free one, or the one not used longest. */
static struct entry *
oldest(struct gsakmp_fetched *f, bool must_be_used)
{
	struct entry *out = NULL;

	for (size_t i = 0; i < GSAKMP_FETCHED_ENTRIES; i++) {
		struct entry *e = &f->entry[i];

		if (!e->used && !must_be_used)
			return e;
		if (e->used && (out == NULL || e->touched < out->touched))
			out = e;
	}
	return out;
}

static bool
matches(struct gk_slice hash, struct gk_slice octets)
{
	uint8_t digest[GK_HASH_MAX];

	return octets.len != 0 && octets.len <= GSAKMP_FETCHED_OCTETS &&
	       gk_hash(GK_HASH_SHA1_LEGACY, &octets, 1, digest) == GK_OK &&
	       memcmp(digest, hash.ptr, GSAKMP_URL_HASH_LEN) == 0;
}

static void
put(struct gsakmp_fetched *f, struct gk_slice hash, struct gk_buf *octets,
    bool failed, uint64_t mono_ms)
{
	struct entry *e = find(f, hash);

	/* Octets that have been had are not lost by a server that is away. */
	if (e != NULL && failed && !e->failed)
		return;
	if (e == NULL)
		e = oldest(f, false);
	drop(f, e);
	while (f->total + octets->len > GSAKMP_FETCHED_OCTETS)
		drop(f, oldest(f, true));
	*e = (struct entry){ .used = true,
		             .failed = failed,
		             .at_ms = mono_ms,
		             .touched = ++f->clock };
	memcpy(e->hash, hash.ptr, sizeof(e->hash));
	e->octets = *octets;
	f->total += octets->len;
	*octets = (struct gk_buf){ 0 };
}

enum gk_err
gsakmp_fetched_put(struct gsakmp_fetched *f, struct gk_slice hash,
                   struct gk_slice octets, uint64_t mono_ms)
{
	struct gk_buf copy = { 0 };
	bool failed;

	if (hash.len != GSAKMP_URL_HASH_LEN)
		return GK_ERR_VALUE;
	failed = !matches(hash, octets) || gk_buf_copy(&copy, octets) != GK_OK;
	pthread_mutex_lock(&f->lock);
	put(f, hash, &copy, failed, mono_ms);
	pthread_mutex_unlock(&f->lock);
	gk_buf_free(&copy);
	return failed ? GK_ERR_VALUE : GK_OK;
}
