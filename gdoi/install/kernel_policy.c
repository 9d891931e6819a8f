/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies, one for each selector, that groups share. */
#include <errno.h>
#include <string.h>

#include "gdoi/engine/gm.h"
#include "gdoi/install/kernel_private.h"

/* ---- messages ------------------------------------------------------------ */

int
gdoi_kernel_say(struct gdoi_kernel *k, const struct gdoi_xfrm_message *m,
                const char *what, const struct gdoi_xfrm *x)
{
	int error = k->ops.send(k->ops.arg, m);

	if (error != 0 && error != EEXIST)
		k->ops.note(k->ops.arg, true, what, x, error);
	return error;
}

int
gdoi_kernel_set_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
                       enum gdoi_xfrm_dir dir, bool block, bool there)
{
	struct gdoi_xfrm_message m;
	int error;

	gdoi_xfrm_put_policy(&m, ++k->seq, x, dir, block, there);
	error = gdoi_kernel_say(k, &m, "policy", x);
	gdoi_kernel_claim_policy(k, x, dir);
	if (error != EEXIST)
		return error;
	k->ops.note(k->ops.arg, false, "policy was there already", x, 0);
	gdoi_xfrm_put_policy(&m, ++k->seq, x, dir, block, true);
	return gdoi_kernel_say(k, &m, "policy again", x);
}

static void
drop_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
            enum gdoi_xfrm_dir dir)
{
	struct gdoi_xfrm_message m;

	gdoi_xfrm_put_no_policy(&m, ++k->seq, x, dir);
	gdoi_kernel_claim_policy(k, x, dir);
	(void)gdoi_kernel_say(k, &m, "policy's removal", x);
}

/* ---- policies ------------------------------------------------------------ */

_Static_assert(GDOI_GM_GROUPS_MAX <= 32, "a bit for each group");

static uint32_t
bit(size_t group)
{
	return UINT32_C(1) << group;
}

bool
gdoi_kernel_held(const struct gdoi_kernel_policy *p, size_t group)
{
	return (p->groups & bit(group)) != 0;
}

struct gdoi_kernel_policy *
gdoi_kernel_find_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++)
		if (k->policy[i].used &&
		    gdoi_xfrm_same_selector(&k->policy[i].x, x))
			return &k->policy[i];
	return NULL;
}

/* Its own number of an earlier life; or one that nothing is left of. */
static struct gdoi_kernel_policy *
unused_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	size_t own = gdoi_kernel_left_number(k, x);
	struct gdoi_kernel_policy *any = NULL;

	if (own < GDOI_KERNEL_POLICIES_MAX && !k->policy[own].used)
		return &k->policy[own];
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++) {
		if (k->policy[i].used)
			continue;
		if (!gdoi_kernel_left_has(k, i))
			return &k->policy[i];
		any = any != NULL ? any : &k->policy[i];
	}
	return any;
}

struct gdoi_kernel_policy *
gdoi_kernel_get_policy(struct gdoi_kernel *k, size_t group,
                       const struct gdoi_xfrm *x)
{
	struct gdoi_kernel_policy *p = gdoi_kernel_find_policy(k, x);

	if (p == NULL) {
		p = unused_policy(k, x);
		if (p == NULL)
			return NULL;
		*p = (struct gdoi_kernel_policy){
			.used = true,
			.reqid = gdoi_kernel_left_reqid(k, x),
		};
		gdoi_kernel_keep(&p->x, x);
	}
	p->groups |= bit(group);
	return p;
}

void
gdoi_kernel_let_go(struct gdoi_kernel_policy *p, size_t group)
{
	p->groups &= ~bit(group);
	p->used = p->groups != 0;
}

uint32_t
gdoi_kernel_reqid(const struct gdoi_kernel *k,
                  const struct gdoi_kernel_policy *p)
{
	return p->reqid != 0 ? p->reqid
	                     : k->cfg.reqid + (uint32_t)(p - k->policy);
}

#define MARK_BITS 28 /* an index has 32, three of them for the direction */
#define BLOCK (GDOI_KERNEL_APART / 2)

_Static_assert(GDOI_KERNEL_MARKS <= BLOCK, "a daemon has two blocks at most");

static uint32_t
mark_of(uint32_t reqid)
{
	return reqid & ((1U << MARK_BITS) - 1);
}

uint32_t
gdoi_kernel_mark(const struct gdoi_kernel *k, size_t n)
{
	return mark_of(k->cfg.reqid) + (uint32_t)n;
}

uint32_t
gdoi_kernel_first_mark(uint32_t reqid)
{
	return mark_of(reqid);
}

unsigned
gdoi_kernel_blocks(uint32_t reqid, uint32_t *first)
{
	uint32_t last = (mark_of(reqid) + GDOI_KERNEL_MARKS - 1) / BLOCK;

	*first = mark_of(reqid) / BLOCK;
	return last - *first + 1;
}

static int
put(struct gdoi_kernel *k, const struct gdoi_kernel_policy *p,
    const struct gdoi_xfrm *x, enum gdoi_xfrm_dir dir, bool block, bool there)
{
	struct gdoi_xfrm marked = *x;

	marked.mark = gdoi_kernel_mark(k, (size_t)(p - k->policy));
	return gdoi_kernel_set_policy(k, &marked, dir, block, there);
}

void
gdoi_kernel_keep(struct gdoi_xfrm *to, const struct gdoi_xfrm *x)
{
	*to = *x;
	to->crypt.key = to->auth.key = to->aead.key = (struct gk_slice){ 0 };
}

int
gdoi_kernel_open_in(struct gdoi_kernel *k, struct gdoi_kernel_policy *p,
                    const struct gdoi_xfrm *x)
{
	int error = 0;

	if (!x->receive)
		return 0;
	error = put(k, p, x, GDOI_XFRM_IN, false, p->in);
	p->in = p->in || error == 0;
	if (x->tunnel && error == 0) {
		error = put(k, p, x, GDOI_XFRM_FWD, false, p->fwd);
		p->fwd = p->fwd || error == 0;
	}
	return error;
}

int
gdoi_kernel_turn_out(struct gdoi_kernel *k, struct gdoi_kernel_policy *p,
                     const struct gdoi_xfrm *x, bool send)
{
	int error = put(k, p, x, GDOI_XFRM_OUT, !send, p->out);

	if (error != 0)
		return error;
	p->out = true;
	p->sending = send;
	gdoi_kernel_keep(&p->x, x);
	return 0;
}

void
gdoi_kernel_drop_in(struct gdoi_kernel *k, struct gdoi_kernel_policy *p)
{
	if (p->in)
		drop_policy(k, &p->x, GDOI_XFRM_IN);
	if (p->fwd)
		drop_policy(k, &p->x, GDOI_XFRM_FWD);
	p->in = p->fwd = false;
}

void
gdoi_kernel_drop_policies(struct gdoi_kernel *k, struct gdoi_kernel_policy *p)
{
	gdoi_kernel_drop_in(k, p);
	if (p->out)
		drop_policy(k, &p->x, GDOI_XFRM_OUT);
	p->out = p->sending = false;
}

void
gdoi_kernel_block_policies(struct gdoi_kernel *k, struct gdoi_kernel_policy *p)
{
	if (p->in)
		(void)put(k, p, &p->x, GDOI_XFRM_IN, true, true);
	if (p->fwd)
		(void)put(k, p, &p->x, GDOI_XFRM_FWD, true, true);
	if (p->out)
		(void)put(k, p, &p->x, GDOI_XFRM_OUT, true, true);
	p->sending = false;
}

/* What an application protects instead has to get past the policies. */
void
gdoi_kernel_shut(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x)
{
	struct gdoi_kernel_policy *p;

	if (k->cfg.fail_open)
		return;
	p = gdoi_kernel_get_policy(k, group, x);
	if (p == NULL || p->out)
		return;
	gdoi_kernel_keep(&p->x, x);
	if (gdoi_kernel_turn_out(k, p, x, false) != 0 && p->sas == 0 && !p->in)
		gdoi_kernel_let_go(p, group);
}
