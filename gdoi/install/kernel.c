/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/install/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sa {
	size_t group;
	struct gdoi_xfrm x; /* without keys */
	size_t policy;      /* index */
};

/* The policies of one selector. */
struct policy {
	bool used;
	size_t group;
	size_t sas;         /* that share them */
	struct gdoi_xfrm x; /* the selector, and what OUT names */
	bool in, fwd;       /* are there, and let in */
	bool out;           /* is there ... */
	bool sending;       /* ... and names @x's SPI; else it blocks */
};

/* What goes to a network that no SA can be had for. */
struct fence {
	size_t group;
	struct gdoi_xfrm x;
};

struct gdoi_kernel {
	struct gdoi_kernel_config cfg;
	struct gdoi_kernel_ops ops;
	uint32_t seq;
	size_t n_sas;
	struct sa sa[GDOI_KERNEL_SAS_MAX];
	struct policy policy[GDOI_KERNEL_POLICIES_MAX];
	size_t n_fences;
	struct fence fence[GDOI_KERNEL_FENCES_MAX];
};

/* ---- messages ------------------------------------------------------------ */

static int
say(struct gdoi_kernel *k, const struct gdoi_xfrm_message *m, const char *what,
    const struct gdoi_xfrm *x)
{
	int error = k->ops.send(k->ops.arg, m);

	if (error != 0 && error != EEXIST)
		k->ops.note(k->ops.arg, true, what, x, error);
	return error;
}

/* A state of that SPI that is there already was left by an earlier life of this
 * daemon: its counters go on. */
static int
add_state(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	struct gdoi_xfrm_message m;
	int error;

	gdoi_xfrm_put_state(&m, ++k->seq, x, false);
	error = say(k, &m, "SA", x);
	if (error == EEXIST) {
		k->ops.note(k->ops.arg, false, "SA was there already", x, 0);
		gdoi_xfrm_put_state(&m, ++k->seq, x, true);
		error = say(k, &m, "SA again", x);
	}
	gk_wipe(&m, sizeof(m));
	return error;
}

static void
drop_state(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	struct gdoi_xfrm_message m;
	int error;

	gdoi_xfrm_put_no_state(&m, ++k->seq, x);
	error = k->ops.send(k->ops.arg, &m);
	/* Its time was up: the kernel has dropped it by itself. */
	if (error != 0 && error != ESRCH)
		k->ops.note(k->ops.arg, true, "SA's removal", x, error);
}

static int
set_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
           enum gdoi_xfrm_dir dir, bool block, bool there)
{
	struct gdoi_xfrm_message m;
	int error;

	gdoi_xfrm_put_policy(&m, ++k->seq, x, dir, block, there);
	error = say(k, &m, "policy", x);
	if (error != EEXIST)
		return error;
	k->ops.note(k->ops.arg, false, "policy was there already", x, 0);
	gdoi_xfrm_put_policy(&m, ++k->seq, x, dir, block, true);
	return say(k, &m, "policy again", x);
}

static void
drop_policy(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
            enum gdoi_xfrm_dir dir)
{
	struct gdoi_xfrm_message m;

	gdoi_xfrm_put_no_policy(&m, ++k->seq, x, dir);
	(void)say(k, &m, "policy's removal", x);
}

/* ---- policies ------------------------------------------------------------ */

static struct policy *
find_policy(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++)
		if (k->policy[i].used && k->policy[i].group == group &&
		    gdoi_xfrm_same_selector(&k->policy[i].x, x))
			return &k->policy[i];
	return NULL;
}

static struct policy *
new_policy(struct gdoi_kernel *k, size_t group)
{
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++) {
		struct policy *p = &k->policy[i];

		if (p->used)
			continue;
		*p = (struct policy){ .used = true, .group = group };
		return p;
	}
	return NULL;
}

/* The same number for the same place, so that what an earlier life left behind
 * fits. */
static uint32_t
reqid_of(const struct gdoi_kernel *k, const struct policy *p)
{
	return k->cfg.reqid + (uint32_t)(p - k->policy);
}

static void
keep(struct gdoi_xfrm *to, const struct gdoi_xfrm *x)
{
	*to = *x;
	to->crypt.key = to->auth.key = to->aead.key = (struct gk_slice){ 0 };
}

static int
open_in(struct gdoi_kernel *k, struct policy *p, const struct gdoi_xfrm *x)
{
	int error = 0;

	if (!x->receive)
		return 0;
	error = set_policy(k, x, GDOI_XFRM_IN, false, p->in);
	p->in = p->in || error == 0;
	if (x->tunnel && error == 0) {
		error = set_policy(k, x, GDOI_XFRM_FWD, false, p->fwd);
		p->fwd = p->fwd || error == 0;
	}
	return error;
}

/* @x: the SA to send with; or one of the selector, with which nothing is sent. */
static int
turn_out(struct gdoi_kernel *k, struct policy *p, const struct gdoi_xfrm *x,
         bool send)
{
	int error = set_policy(k, x, GDOI_XFRM_OUT, !send, p->out);

	if (error != 0)
		return error;
	p->out = true;
	p->sending = send;
	keep(&p->x, x);
	return 0;
}

static void
drop_policies(struct gdoi_kernel *k, struct policy *p)
{
	if (p->in)
		drop_policy(k, &p->x, GDOI_XFRM_IN);
	if (p->fwd)
		drop_policy(k, &p->x, GDOI_XFRM_FWD);
	if (p->out)
		drop_policy(k, &p->x, GDOI_XFRM_OUT);
	p->in = p->fwd = p->out = p->sending = false;
}

static void
block_policies(struct gdoi_kernel *k, struct policy *p)
{
	if (p->in)
		(void)set_policy(k, &p->x, GDOI_XFRM_IN, true, true);
	if (p->fwd)
		(void)set_policy(k, &p->x, GDOI_XFRM_FWD, true, true);
	if (p->out)
		(void)set_policy(k, &p->x, GDOI_XFRM_OUT, true, true);
	p->sending = false;
}

/* shut - no SA of this selector can be had, so nothing of it leaves in clear: what
 * an application protects instead has to get past the policies. */
static void
shut(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x)
{
	struct policy *p = find_policy(k, group, x);

	if (k->cfg.fail_open)
		return;
	if (p == NULL)
		p = new_policy(k, group);
	if (p == NULL || p->out)
		return;
	keep(&p->x, x);
	if (turn_out(k, p, x, false) != 0 && p->sas == 0 && !p->in)
		p->used = false;
}

/* ---- fences -------------------------------------------------------------- */

static struct fence *
find_fence(struct gdoi_kernel *k, const struct gdoi_xfrm *x,
           const struct fence *but)
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

/* An SA of any group may have that very selector. */
static bool
has_policy(const struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++)
		if (k->policy[i].used && k->policy[i].out &&
		    gdoi_xfrm_same_selector(&k->policy[i].x, x))
			return true;
	return false;
}

/* One of several groups that share it needs no second policy. */
static bool
put_fence(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x)
{
	bool there = find_fence(k, x, NULL) != NULL || has_policy(k, x);

	if (is_fenced(k, group, x))
		return true;
	if (k->n_fences == GDOI_KERNEL_FENCES_MAX)
		return false;
	if (!there && set_policy(k, x, GDOI_XFRM_OUT, true, false) != 0)
		return false;
	k->fence[k->n_fences++] = (struct fence){ group, *x };
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
	error = k->ops.send(k->ops.arg, &m);
	if (error != 0 && error != ENOENT)
		k->ops.note(k->ops.arg, true, "policy's removal", x, error);
}

static void
drop_fences(struct gdoi_kernel *k, size_t group, bool all)
{
	for (size_t i = k->n_fences; i-- > 0;) {
		struct fence *f = &k->fence[i];

		if (!all && f->group != group)
			continue;
		if (find_fence(k, &f->x, f) == NULL)
			drop_fence(k, &f->x);
		*f = k->fence[--k->n_fences];
	}
}

/* The SA that stood in its place is gone. */
static void
mend_fence(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	const struct fence *f = find_fence(k, x, NULL);

	if (f != NULL && !has_policy(k, x))
		(void)set_policy(k, &f->x, GDOI_XFRM_OUT, true, false);
}

/* Of equal policies the kernel takes the older one, so a network has a rank below
 * those that an SA in it may have. */
static void
fence(struct gdoi_kernel *k, size_t group, const struct gdoi_tek *tek)
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
		if (find_policy(k, group, &x[i]) == NULL &&
		    !put_fence(k, group, &x[i])) {
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

/* ---- SAs ----------------------------------------------------------------- */

static struct sa *
find_sa(struct gdoi_kernel *k, size_t group, const struct gdoi_sat *sat)
{
	for (size_t i = 0; i < k->n_sas; i++)
		if (k->sa[i].group == group &&
		    memcmp(k->sa[i].x.spi, sat->spi, sizeof(sat->spi)) == 0)
			return &k->sa[i];
	return NULL;
}

static enum gk_err
plan(struct gdoi_kernel *k, size_t group, const struct gdoi_tek *tek,
     int64_t now_utc, struct gdoi_xfrm *x, struct policy **p,
     char why[GDOI_XFRM_WHY])
{
	struct gdoi_xfrm_options o = {
		.reqid = k->cfg.reqid,
		.priority = k->cfg.priority,
		.window = k->cfg.window,
		.random_iv = k->cfg.random_iv,
		.local = tek->sat->ipsec.ep.dst.data.len == 4 ? k->cfg.local4
		                                              : k->cfg.local6,
	};

	GK_TRY(gdoi_xfrm_plan(tek, &o, now_utc, x, why));
	*p = find_policy(k, group, x);
	if (*p == NULL) {
		*p = new_policy(k, group);
		if (*p == NULL)
			return GK_ERR_SPACE;
		keep(&(*p)->x, x);
	}
	x->reqid = reqid_of(k, *p);
	return GK_OK;
}

static enum gk_err
install(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x,
        struct policy *p)
{
	struct sa *sa;

	if (k->n_sas == GDOI_KERNEL_SAS_MAX)
		return GK_ERR_SPACE;
	if (add_state(k, x) != 0)
		return GK_ERR_IO;
	sa = &k->sa[k->n_sas++];
	sa->group = group;
	sa->policy = (size_t)(p - k->policy);
	keep(&sa->x, x);
	p->sas++;
	return GK_OK;
}

static bool
is_sending(const struct policy *p, const struct gdoi_xfrm *x)
{
	return p->sending && memcmp(p->x.spi, x->spi, sizeof(x->spi)) == 0;
}

static enum gk_err
follow(struct gdoi_kernel *k, const struct gdoi_tek *tek,
       const struct gdoi_xfrm *x, struct policy *p)
{
	bool send = tek->state == GDOI_TEK_CURRENT && x->send;
	int error = open_in(k, p, x);

	/* What the SAT protects never leaves without protection. */
	if (error == 0 && (send || !p->out || is_sending(p, x)))
		error = turn_out(k, p, x, send);
	return error == 0 ? GK_OK : GK_ERR_IO;
}

enum gk_err
gdoi_kernel_tek(struct gdoi_kernel *k, size_t group, const struct gdoi_tek *tek,
                int64_t now_utc, char why[GDOI_XFRM_WHY])
{
	struct policy *p;
	struct gdoi_xfrm x;
	enum gk_err err;

	*why = '\0';
	if (tek->state == GDOI_TEK_NEXT)
		return GK_OK;
	err = plan(k, group, tek, now_utc, &x, &p, why);
	if (err != GK_OK) {
		if (x.selected)
			shut(k, group, &x);
		else
			fence(k, group, tek);
		gk_wipe(&x, sizeof(x));
		return err;
	}
	err = find_sa(k, group, tek->sat) != NULL ? GK_OK
	                                          : install(k, group, &x, p);
	if (err == GK_OK)
		err = follow(k, tek, &x, p);
	if (p->sas == 0)
		shut(k, group, &x);
	if (p->sas == 0 && !p->out && !p->in)
		p->used = false;
	if (err == GK_OK && tek->state == GDOI_TEK_CURRENT && !x.send &&
	    x.silence != NULL)
		k->ops.note(k->ops.arg, false, x.silence, &x, 0);
	gk_wipe(&x, sizeof(x));
	return err;
}

static void
forget_sa(struct gdoi_kernel *k, struct sa *sa)
{
	struct policy *p = &k->policy[sa->policy];

	drop_state(k, &sa->x);
	p->sas--;
	*sa = k->sa[--k->n_sas];
}

void
gdoi_kernel_tek_wipe(struct gdoi_kernel *k, size_t group,
                     const struct gdoi_tek *tek)
{
	struct sa *sa = find_sa(k, group, tek->sat);
	struct policy *p;

	if (sa == NULL)
		return;
	p = &k->policy[sa->policy];
	/* First nobody uses it any more, then it goes. */
	if (p->sas == 1 && k->cfg.fail_open)
		drop_policies(k, p);
	else if (p->sas == 1)
		block_policies(k, p);
	else if (is_sending(p, &sa->x))
		(void)turn_out(k, p, &p->x, false);
	forget_sa(k, sa);
	if (p->sas == 0 && k->cfg.fail_open)
		p->used = false;
}

void
gdoi_kernel_kek(struct gdoi_kernel *k, const struct gdoi_kek_info *kek,
                bool remove)
{
	struct gdoi_xfrm_message m;
	const struct gdoi_xfrm none = { 0 };

	if (kek->dst.ip_len == 0)
		return;
	gdoi_xfrm_put_bypass(&m, ++k->seq, &kek->dst,
	                     k->cfg.priority > 0 ? k->cfg.priority - 1 : 0,
	                     remove);
	(void)say(k, &m, "policy of pushes", &none);
}

void
gdoi_kernel_leave(struct gdoi_kernel *k, size_t group)
{
	for (size_t i = k->n_sas; i-- > 0;)
		if (k->sa[i].group == group)
			forget_sa(k, &k->sa[i]);
	drop_fences(k, group, false);
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++)
		if (k->policy[i].used && k->policy[i].group == group) {
			drop_policies(k, &k->policy[i]);
			k->policy[i].used = false;
			mend_fence(k, &k->policy[i].x);
		}
}

struct gdoi_kernel *
gdoi_kernel_new(const struct gdoi_kernel_config *cfg,
                const struct gdoi_kernel_ops *ops)
{
	struct gdoi_kernel *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->cfg = *cfg;
	k->ops = *ops;
	return k;
}

void
gdoi_kernel_free(struct gdoi_kernel *k)
{
	if (k == NULL)
		return;
	while (k->n_sas > 0)
		forget_sa(k, &k->sa[k->n_sas - 1]);
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++)
		if (k->policy[i].used)
			drop_policies(k, &k->policy[i]);
	drop_fences(k, 0, true);
	free(k);
}

/* ---- looking ------------------------------------------------------------- */

size_t
gdoi_kernel_count(const struct gdoi_kernel *k)
{
	return k->n_sas;
}

struct gdoi_kernel_sa
gdoi_kernel_sa(const struct gdoi_kernel *k, size_t i)
{
	const struct sa *sa = &k->sa[i];
	const struct policy *p = &k->policy[sa->policy];

	return (struct gdoi_kernel_sa){
		.group = sa->group,
		.x = &sa->x,
		.sending = is_sending(p, &sa->x),
	};
}

size_t
gdoi_kernel_blocked(const struct gdoi_kernel *k)
{
	size_t n = k->n_fences;

	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++)
		n += k->policy[i].used && k->policy[i].sas == 0;
	return n;
}
