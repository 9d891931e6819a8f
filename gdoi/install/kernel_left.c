/* SPDX-License-Identifier: BSD-2-Clause */
/* What an earlier life of this daemon, which was killed, left in the kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/install/kernel_private.h"

#define LEFT_MAX 4096

/* Policies of a daemon have three ranks. */
static bool
is_rank(uint32_t priority, uint32_t of)
{
	return (uint32_t)(of - priority + 1) <= 2;
}

static bool
is_our_rank(const struct gdoi_kernel *k, uint32_t rank)
{
	for (size_t i = 0; i < k->cfg.n_before; i++)
		if (is_rank(k->cfg.before[i], rank))
			return true;
	return is_rank(k->cfg.priority, rank);
}

/*
 * Ours is what has a number of ours: a state, or a policy that names states, by its
 * reqid; one that names none by its index, and by its rank, as the kernel counts up
 * indices of its own.
 *
 * Nothing of it goes at once: an SA that is still in use is found again, with its
 * counters, and what nobody may send in clear stays closed until there is a policy.
 * What has not been taken over by then is swept.
 */
static bool
is_of(const struct gdoi_kernel *k, uint32_t first,
      const struct gdoi_xfrm_found *f)
{
	uint32_t mark = gdoi_kernel_first_mark(first);

	if (f->state || f->x.reqid != 0)
		return f->x.reqid >= first &&
		       f->x.reqid - first < GDOI_KERNEL_POLICIES_MAX;
	return f->x.mark >= mark && f->x.mark - mark < GDOI_KERNEL_MARKS &&
	       is_our_rank(k, f->x.priority);
}

static bool
is_ours(const struct gdoi_kernel *k, const struct gdoi_xfrm_found *f)
{
	for (size_t i = 0; i < k->cfg.n_former; i++)
		if (is_of(k, k->cfg.former[i], f))
			return true;
	return is_of(k, k->cfg.reqid, f);
}

bool
gdoi_kernel_found(struct gdoi_kernel *k, struct gk_slice octets)
{
	struct gdoi_xfrm_found f, *more;

	if (!gdoi_xfrm_read(octets, &f) || !is_ours(k, &f) ||
	    k->n_left == LEFT_MAX)
		return false;
	if (k->n_left % 64 == 0) {
		more = realloc(k->left, (k->n_left + 64) * sizeof(*more));
		if (more == NULL)
			return false;
		k->left = more;
	}
	k->left[k->n_left++] = f;
	return true;
}

size_t
gdoi_kernel_left(const struct gdoi_kernel *k)
{
	return k->n_left;
}

static bool
is_state(const struct gdoi_xfrm_found *f, const struct gdoi_xfrm *x)
{
	return f->state && f->x.family == x->family && f->x.proto == x->proto &&
	       memcmp(f->x.spi, x->spi, sizeof(x->spi)) == 0 &&
	       memcmp(f->x.dst, x->dst, sizeof(x->dst)) == 0;
}

static bool
is_policy(const struct gdoi_xfrm_found *f, const struct gdoi_xfrm *x)
{
	return !f->state && gdoi_xfrm_same_selector(&f->x, x);
}

static void
forget(struct gdoi_kernel *k, struct gdoi_xfrm_found *f)
{
	*f = k->left[--k->n_left];
}

void
gdoi_kernel_claim_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
                         enum gdoi_xfrm_dir dir)
{
	for (size_t i = k->n_left; i-- > 0;)
		if (is_policy(&k->left[i], x) && k->left[i].dir == dir)
			forget(k, &k->left[i]);
}

bool
gdoi_kernel_claim_state(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	bool fits = true;

	for (size_t i = k->n_left; i-- > 0;)
		if (is_state(&k->left[i], x)) {
			fits = k->left[i].x.reqid == x->reqid;
			forget(k, &k->left[i]);
		}
	return fits;
}

bool
gdoi_kernel_left_sends(const struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < k->n_left; i++) {
		const struct gdoi_xfrm_found *f = &k->left[i];

		if (is_policy(f, x) && f->dir == GDOI_XFRM_OUT &&
		    f->x.reqid == x->reqid &&
		    memcmp(f->x.spi, x->spi, sizeof(x->spi)) == 0)
			return true;
	}
	return false;
}

/* Which number its policies have, or had; GDOI_KERNEL_POLICIES_MAX: none. */
static size_t
number_of(const struct gdoi_kernel *k, const struct gdoi_xfrm_found *f)
{
	uint32_t n = f->x.reqid != 0 ? f->x.reqid - k->cfg.reqid
	                             : f->x.mark - gdoi_kernel_mark(k, 0);

	return n < GDOI_KERNEL_POLICIES_MAX ? n : GDOI_KERNEL_POLICIES_MAX;
}

size_t
gdoi_kernel_left_number(const struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < k->n_left; i++)
		if (is_policy(&k->left[i], x) || is_state(&k->left[i], x))
			return number_of(k, &k->left[i]);
	return GDOI_KERNEL_POLICIES_MAX;
}

/* A state keeps its reqid as long as it lives, and its counters are to go on: so its
 * policies have that of before. */
uint32_t
gdoi_kernel_left_reqid(const struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < k->n_left; i++) {
		const struct gdoi_xfrm_found *f = &k->left[i];

		if ((is_policy(f, x) || is_state(f, x)) && f->x.reqid != 0 &&
		    number_of(k, f) == GDOI_KERNEL_POLICIES_MAX)
			return f->x.reqid;
	}
	return 0;
}

bool
gdoi_kernel_left_has(const struct gdoi_kernel *k, size_t number)
{
	for (size_t i = 0; i < k->n_left; i++)
		if (number_of(k, &k->left[i]) == number)
			return true;
	return false;
}

static void
drop(struct gdoi_kernel *k, const struct gdoi_xfrm_found *f)
{
	struct gdoi_xfrm_message m;
	int error;

	if (f->state)
		gdoi_xfrm_put_no_state(&m, ++k->seq, &f->x);
	else
		gdoi_xfrm_put_no_policy(&m, ++k->seq, &f->x, f->dir);
	error = k->ops.send(k->ops.arg, &m);
	if (error != 0 && error != ESRCH && error != ENOENT)
		k->ops.note(k->ops.arg, true,
		            "removal of what an earlier life left", &f->x,
		            error);
}

/* First nobody uses it any more, then it goes. */
void
gdoi_kernel_sweep(struct gdoi_kernel *k)
{
	for (size_t i = 0; i < k->n_left; i++)
		if (!k->left[i].state)
			drop(k, &k->left[i]);
	for (size_t i = 0; i < k->n_left; i++)
		if (k->left[i].state)
			drop(k, &k->left[i]);
	free(k->left);
	k->left = NULL;
	k->n_left = 0;
}
