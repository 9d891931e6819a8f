/* SPDX-License-Identifier: BSD-2-Clause */
/* Fences: what leaves for a network that no SA can be had for is thrown away. */
#include <errno.h>

#include "gdoi/install/kernel_private.h"

static struct gdoi_kernel_fence *
find_fence(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
           const struct gdoi_kernel_fence *but)
{
	for (size_t i = 0; i < k->n_fences; i++)
		if (&k->fence[i] != but &&
		    gdoi_xfrm_same_selector(&k->fence[i].x, x))
			return &k->fence[i];
	return NULL;
}

static bool
is_fenced(const struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < k->n_fences; i++)
		if (k->fence[i].group == group &&
		    gdoi_xfrm_same_selector(&k->fence[i].x, x))
			return true;
	return false;
}

/* An SA of any group may have that very selector; one that nobody needs any more is
 * there until it is dropped. */
static bool
has_policy(const struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++)
		if (k->policy[i].out &&
		    gdoi_xfrm_same_selector(&k->policy[i].x, x))
			return true;
	return false;
}

static bool
has_own(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x)
{
	const struct gdoi_kernel_policy *p = gdoi_kernel_find_policy(k, x);

	return p != NULL && gdoi_kernel_held(p, group);
}

static bool
is_marked(const struct gdoi_kernel *k, uint32_t mark)
{
	for (size_t i = 0; i < k->n_fences; i++)
		if (k->fence[i].x.mark == mark)
			return true;
	for (size_t i = 0; i < k->n_left; i++)
		if (k->left[i].x.mark == mark)
			return true;
	return false;
}

/* By its index the next life of this daemon knows it for ours. */
static uint32_t
free_mark(const struct gdoi_kernel *k)
{
	size_t n = GDOI_KERNEL_MARK_FENCES;

	while (n + 1 < GDOI_KERNEL_MARK_BYPASSES &&
	       is_marked(k, gdoi_kernel_mark(k, n)))
		n++;
	return gdoi_kernel_mark(k, n);
}

/* One of several groups that share it needs no second policy. */
static bool
put_fence(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x)
{
	bool there = find_fence(k, x, NULL) != NULL || has_policy(k, x);
	struct gdoi_xfrm marked = *x;

	if (is_fenced(k, group, x))
		return true;
	if (k->n_fences == GDOI_KERNEL_FENCES_MAX)
		return false;
	marked.mark = free_mark(k);
	if (!there &&
	    gdoi_kernel_set_policy(k, &marked, GDOI_XFRM_OUT, true, false) != 0)
		return false;
	k->fence[k->n_fences++] = (struct gdoi_kernel_fence){ group, marked };
	return true;
}

/* An SA that came to have the same selector took its policy over, and may be that of
 * another group. */
static void
drop_fence(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	struct gdoi_xfrm_message m;
	int error;

	if (has_policy(k, x))
		return;
	gdoi_xfrm_put_no_policy(&m, ++k->seq, x, GDOI_XFRM_OUT);
	gdoi_kernel_claim_policy(k, x, GDOI_XFRM_OUT);
	error = k->ops.send(k->ops.arg, &m);
	if (error != 0 && error != ENOENT)
		k->ops.note(k->ops.arg, true, "policy's removal", x, error);
}

void
gdoi_kernel_drop_fences(struct gdoi_kernel *k, size_t group, bool all)
{
	for (size_t i = k->n_fences; i-- > 0;) {
		struct gdoi_kernel_fence *f = &k->fence[i];

		if (!all && f->group != group)
			continue;
		if (find_fence(k, &f->x, f) == NULL)
			drop_fence(k, &f->x);
		*f = k->fence[--k->n_fences];
	}
}

void
gdoi_kernel_mend_fence(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	const struct gdoi_kernel_fence *f = find_fence(k, x, NULL);

	if (f != NULL && !has_policy(k, x))
		(void)gdoi_kernel_set_policy(k, &f->x, GDOI_XFRM_OUT, true,
		                             false);
}

/* Of equal policies the kernel takes the older one, so a network has a rank below
 * those that an SA in it may have. */
void
gdoi_kernel_fence_off(struct gdoi_kernel *k, size_t group,
                      const struct gdoi_tek *tek)
{
	struct gdoi_xfrm x[GDOI_XFRM_COVER_MAX];
	const struct gdoi_xfrm none = { 0 };
	uint32_t priority = k->cfg.priority;
	size_t n, before = k->n_fences;

	if (k->cfg.fail_open || k->cfg.no_fences ||
	    tek->sat->protocol == GDOI_PROTOCOL_IEC_61850)
		return;
	n = gdoi_xfrm_cover(
		tek->sat, priority == UINT32_MAX ? priority : priority + 1, x);
	if (n == 0) {
		k->ops.note(k->ops.arg, true,
		            "what it protects has no addresses, and may leave "
		            "in clear",
		            &none, 0);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!has_own(k, group, &x[i]) && !put_fence(k, group, &x[i])) {
			k->ops.note(k->ops.arg, true,
			            "not all that it protects is kept from "
			            "leaving in clear",
			            &x[i], 0);
			return;
		}
	if (k->n_fences != before)
		k->ops.note(k->ops.arg, false,
		            "what leaves for its network is thrown away", &x[0],
		            0);
}
