/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/freshness.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "common/crypto/gk_hash.h"

#define FIRST_CAP 256 /* a power of two, as every later capacity */
#define NOTHING UINT32_MAX

struct entry {
	uint8_t tag[GSAKMP_REPLAY_TAG_LEN];
	uint64_t forget_ms;
	uint32_t next; /* in the same bucket */
};

/* A ring in order of arrival, and buckets over it. */
struct gsakmp_replay {
	struct entry *ring;
	uint32_t *bucket; /* as many as the ring has places */
	size_t cap, oldest, count, max;
};

bool
gsakmp_time_fresh(struct gk_slice t, int64_t now_utc, uint32_t skew_s)
{
	int64_t at;

	if (gk_zulu_parse(t, &at) != GK_OK)
		return false;
	return at >= now_utc - (int64_t)skew_s &&
	       at <= now_utc + (int64_t)skew_s;
}

static uint32_t
bucket_of(const struct gsakmp_replay *r, const uint8_t *tag)
{
	uint32_t h;

	memcpy(&h, tag, sizeof(h)); /* a digest: any part of it is as good */
	return h & (uint32_t)(r->cap - 1);
}

static void
link_entry(struct gsakmp_replay *r, size_t at)
{
	uint32_t *head = &r->bucket[bucket_of(r, r->ring[at].tag)];

	r->ring[at].next = *head;
	*head = (uint32_t)at;
}

static enum gk_err
resize(struct gsakmp_replay *r, size_t cap)
{
	struct entry *ring = calloc(cap, sizeof(*ring));
	uint32_t *bucket = malloc(cap * sizeof(*bucket));

	if (ring == NULL || bucket == NULL) {
		free(ring);
		free(bucket);
		return GK_ERR_NOMEM;
	}
	memset(bucket, 0xff, cap * sizeof(*bucket));
	for (size_t i = 0; i < r->count; i++)
		ring[i] = r->ring[(r->oldest + i) & (r->cap - 1)];
	free(r->ring);
	free(r->bucket);
	r->ring = ring;
	r->bucket = bucket;
	r->cap = cap;
	r->oldest = 0;
	for (size_t i = 0; i < r->count; i++)
		link_entry(r, i);
	return GK_OK;
}

enum gk_err
gsakmp_replay_new(size_t max, struct gsakmp_replay **replay)
{
	struct gsakmp_replay *r = calloc(1, sizeof(*r));
	enum gk_err err;

	if (r == NULL)
		return GK_ERR_NOMEM;
	r->max = max;
	err = resize(r, FIRST_CAP);
	if (err != GK_OK) {
		gsakmp_replay_free(r);
		return err;
	}
	*replay = r;
	return GK_OK;
}

void
gsakmp_replay_free(struct gsakmp_replay *replay)
{
	if (replay == NULL)
		return;
	free(replay->ring);
	free(replay->bucket);
	free(replay);
}

enum gk_err
gsakmp_replay_tag(struct gk_slice signer_id, struct gk_slice nonce,
                  uint8_t tag[GSAKMP_REPLAY_TAG_LEN])
{
	const uint8_t len[2] = { (uint8_t)(signer_id.len >> 8),
		                 (uint8_t)signer_id.len };
	const struct gk_slice parts[] = { { len, sizeof(len) },
		                          signer_id,
		                          nonce };
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gk_hash(GK_HASH_SHA256, parts, GK_COUNT(parts), digest));
	memcpy(tag, digest, GSAKMP_REPLAY_TAG_LEN);
	return GK_OK;
}

bool
gsakmp_replay_seen(const struct gsakmp_replay *r,
                   const uint8_t tag[GSAKMP_REPLAY_TAG_LEN])
{
	uint32_t at = r->bucket[bucket_of(r, tag)];

	for (; at != NOTHING; at = r->ring[at].next)
		if (memcmp(r->ring[at].tag, tag, GSAKMP_REPLAY_TAG_LEN) == 0)
			return true;
	return false;
}

static void
forget_oldest(struct gsakmp_replay *r)
{
	uint32_t *link = &r->bucket[bucket_of(r, r->ring[r->oldest].tag)];

	while (*link != r->oldest)
		link = &r->ring[*link].next;
	*link = r->ring[r->oldest].next;
	r->oldest = (r->oldest + 1) & (r->cap - 1);
	r->count--;
}

enum gk_err
gsakmp_replay_add(struct gsakmp_replay *r,
                  const uint8_t tag[GSAKMP_REPLAY_TAG_LEN], uint64_t now_ms,
                  uint64_t forget_ms)
{
	size_t at;

	while (r->count > 0 && r->ring[r->oldest].forget_ms <= now_ms)
		forget_oldest(r);
	if (gsakmp_replay_seen(r, tag))
		return GK_ERR_REPLAY;
	if (r->count >= r->max)
		return GK_ERR_SPACE;
	if (r->count == r->cap)
		GK_TRY(resize(r, r->cap * 2));
	at = (r->oldest + r->count) & (r->cap - 1);
	memcpy(r->ring[at].tag, tag, GSAKMP_REPLAY_TAG_LEN);
	r->ring[at].forget_ms = forget_ms;
	r->count++;
	link_entry(r, at);
	return GK_OK;
}

void
gsakmp_replay_extend(struct gsakmp_replay *r, uint64_t ms, uint64_t latest_ms)
{
	for (size_t i = 0; i < r->count; i++) {
		struct entry *e = &r->ring[(r->oldest + i) & (r->cap - 1)];
		uint64_t at = e->forget_ms + ms;

		if (at > latest_ms)
			at = latest_ms;
		if (e->forget_ms < at)
			e->forget_ms = at;
	}
}
