/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/gcks_state.h"

/*
 * A digest of everything that a message could change, for tests and fuzzers.
 * The pool has its SAs in no order: their digests are added by XOR.
 */
#define DIGEST_LEN 32

static void
add(uint8_t sum[DIGEST_LEN], const struct gk_slice *parts, size_t n)
{
	uint8_t one[GK_HASH_MAX] = { 0 };

	if (gk_hash(GK_HASH_SHA256, parts, n, one) != GK_OK)
		return;
	for (size_t i = 0; i < DIGEST_LEN; i++)
		sum[i] ^= one[i];
}

static struct gk_slice
part(const void *p, size_t n)
{
	return (struct gk_slice){ (const uint8_t *)p, n };
}

static void
add_pull(uint8_t sum[DIGEST_LEN], const struct gcks_pull *p)
{
	const struct gk_slice parts[] = {
		part(&p->stage, sizeof(p->stage)),
		part(&p->resends, sizeof(p->resends)),
		part(p->first, sizeof(p->first)),
		part(p->third, sizeof(p->third)),
		part(&p->wire.header, sizeof(p->wire.header)),
		part(p->wire.cbc.iv, sizeof(p->wire.cbc.iv)),
		part(p->wire.ni, p->wire.ni_len),
		part(p->wire.nr, p->wire.nr_len),
		part(&p->expires_at, sizeof(p->expires_at)),
		gk_buf_slice(&p->sent),
	};

	add(sum, parts, GK_COUNT(parts));
}

static void
add_sa(uint8_t sum[DIGEST_LEN], const struct ike *ike)
{
	const struct gcks_sa *sa = ike_user(ike);
	const struct ike_path *path = ike_path(ike);
	uint8_t cookies[2 * ISAKMP_COOKIE_LEN];
	enum ike_state state = ike_state(ike);
	struct gk_slice handle;
	const struct gk_slice parts[] = {
		part(cookies, sizeof(cookies)),
		part(&state, sizeof(state)),
		part(path->peer.ip, sizeof(path->peer.ip)),
		part(&path->peer.port, sizeof(path->peer.port)),
		part(&path->local.port, sizeof(path->local.port)),
	};

	ike_cookies(ike, cookies);
	add(sum, parts, GK_COUNT(parts));
	if (sa == NULL)
		return;
	handle = part(&sa->handle, sizeof(sa->handle));
	add(sum, &handle, 1);
	for (const struct gcks_pull *p = sa->pulls; p != NULL;
	     p = p->next_of_sa)
		add_pull(sum, p);
}

void
gdoi_gcks_digest(const struct gdoi_gcks *gcks, uint8_t out[DIGEST_LEN])
{
	const struct ike *ike;
	size_t cursor = 0;

	memset(out, 0, DIGEST_LEN);
	while ((ike = ike_pool_each(gcks->pool, &cursor)) != NULL)
		add_sa(out, ike);
}
