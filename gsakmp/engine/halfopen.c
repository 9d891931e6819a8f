/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/halfopen.h"

#define ONE 1000u /* a registration, in thousandths */

void
gsakmp_halfopen_init(struct gsakmp_halfopen *h)
{
	*h = (struct gsakmp_halfopen){ .level = 0 };
	pthread_mutex_init(&h->lock, NULL);
}

void
gsakmp_halfopen_fini(struct gsakmp_halfopen *h)
{
	pthread_mutex_destroy(&h->lock);
}

/* In @rate per second, so in thousandths @rate per millisecond. */
static void
drain(struct gsakmp_halfopen *h, unsigned rate, struct gk_now now)
{
	uint64_t ms = now.mono_ms > h->at_ms ? now.mono_ms - h->at_ms : 0;

	if (ms == 0)
		return;
	h->at_ms = now.mono_ms;
	if (ms >= h->level / rate + 1)
		h->level = 0;
	else
		h->level -= ms * rate;
}

bool
gsakmp_halfopen_full(struct gsakmp_halfopen *h, unsigned rate,
                     struct gk_now now)
{
	bool full;

	pthread_mutex_lock(&h->lock);
	drain(h, rate, now);
	/* There is room when one more would not run over. */
	full = h->level + ONE > (uint64_t)rate * ONE;
	pthread_mutex_unlock(&h->lock);
	return full;
}

void
gsakmp_halfopen_begin(struct gsakmp_halfopen *h)
{
	pthread_mutex_lock(&h->lock);
	h->level += ONE;
	h->begun++;
	pthread_mutex_unlock(&h->lock);
}

void
gsakmp_halfopen_settle(struct gsakmp_halfopen *h)
{
	pthread_mutex_lock(&h->lock);
	h->level = h->level > ONE ? h->level - ONE : 0;
	h->settled++;
	pthread_mutex_unlock(&h->lock);
}

void
gsakmp_halfopen_counts(struct gsakmp_halfopen *h, uint64_t *begun,
                       uint64_t *settled)
{
	pthread_mutex_lock(&h->lock);
	*begun = h->begun;
	*settled = h->settled;
	pthread_mutex_unlock(&h->lock);
}
