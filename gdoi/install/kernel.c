/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/gm.h"
#include "gdoi/install/kernel_private.h"
#include "gdoi/isakmp/isakmp_registry.h"

/* ---- messages ------------------------------------------------------------ */

static void drop_state(struct gdoi_kernel *k, const struct gdoi_xfrm *x);

/* A state of that SPI that is there already was left by an earlier life of this
 * daemon: its counters go on.  An update does not change its reqid, so where that is
 * none for the policies of today, which should not be, it is a new one. */
static int
add_state(struct gdoi_kernel *k, const struct gdoi_xfrm *x)
{
	struct gdoi_xfrm_message m;
	int error;

	if (!gdoi_kernel_claim_state(k, x))
		drop_state(k, x);
	gdoi_xfrm_put_state(&m, ++k->seq, x, false);
	error = gdoi_kernel_say(k, &m, "SA", x);
	if (error == EEXIST) {
		k->ops.note(k->ops.arg, false, "SA was there already", x, 0);
		gdoi_xfrm_put_state(&m, ++k->seq, x, true);
		error = gdoi_kernel_say(k, &m, "SA again", x);
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

/* ---- SAs ----------------------------------------------------------------- */

/* ESP and AH may have the same SPI. */
static struct gdoi_kernel_state *
find_sa(struct gdoi_kernel *k, size_t group, const struct gdoi_sat *sat)
{
	uint8_t proto =
		sat->protocol == GDOI_PROTOCOL_AH ? IPPROTO_AH : IPPROTO_ESP;

	for (size_t i = 0; i < k->n_sas; i++)
		if (k->sa[i].group == group && k->sa[i].x.proto == proto &&
		    memcmp(k->sa[i].x.spi, sat->spi, sizeof(sat->spi)) == 0)
			return &k->sa[i];
	return NULL;
}

static bool
same_state(const struct gdoi_xfrm *a, const struct gdoi_xfrm *b)
{
	return a->family == b->family && a->proto == b->proto &&
	       memcmp(a->spi, b->spi, sizeof(a->spi)) == 0 &&
	       memcmp(a->dst, b->dst, sizeof(a->dst)) == 0;
}

/* What the kernel has one of, and another group has already. */
static const char *
taken(const struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x)
{
	for (size_t i = 0; i < k->n_sas; i++) {
		const struct gdoi_xfrm *other = &k->sa[i].x;

		if (k->sa[i].group == group)
			continue;
		if (same_state(other, x))
			return "an SA of another group has this SPI and this "
			       "destination";
		if (gdoi_xfrm_same_selector(other, x) &&
		    (other->proto != x->proto || other->tunnel != x->tunnel))
			return "an SA of another group protects the same "
			       "traffic by another protocol or mode";
	}
	return NULL;
}

static enum gk_err
plan(struct gdoi_kernel *k, size_t group, const struct gdoi_tek *tek,
     int64_t now_utc, struct gdoi_xfrm *x, struct gdoi_kernel_policy **p,
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
	const char *other;

	GK_TRY(gdoi_xfrm_plan(tek, &o, now_utc, x, why));
	other = taken(k, group, x);
	if (other != NULL) {
		snprintf(why, GDOI_XFRM_WHY, "%s", other);
		return GK_ERR_POLICY;
	}
	*p = gdoi_kernel_get_policy(k, group, x);
	if (*p == NULL)
		return GK_ERR_SPACE;
	x->reqid = gdoi_kernel_reqid(k, *p);
	return GK_OK;
}

static enum gk_err
install(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x,
        struct gdoi_kernel_policy *p)
{
	struct gdoi_kernel_state *sa;

	if (k->n_sas == GDOI_KERNEL_SAS_MAX)
		return GK_ERR_SPACE;
	if (add_state(k, x) != 0)
		return GK_ERR_IO;
	sa = &k->sa[k->n_sas++];
	sa->group = group;
	sa->policy = (size_t)(p - k->policy);
	sa->ready = false;
	gdoi_kernel_keep(&sa->x, x);
	p->sas++;
	return GK_OK;
}

static bool
is_sending(const struct gdoi_kernel_policy *p, const struct gdoi_xfrm *x)
{
	return p->sending && memcmp(p->x.spi, x->spi, sizeof(x->spi)) == 0;
}

/* The one that @p sends with; NULL: it blocks. */
static const struct gdoi_kernel_state *
sender(const struct gdoi_kernel *k, const struct gdoi_kernel_policy *p)
{
	for (size_t i = 0; i < k->n_sas; i++)
		if (&k->policy[k->sa[i].policy] == p &&
		    is_sending(p, &k->sa[i].x))
			return &k->sa[i];
	return NULL;
}

/* OUT goes to an SA of another group than @group that may be sent with; else it
 * blocks. */
static int
hand_over(struct gdoi_kernel *k, struct gdoi_kernel_policy *p, size_t group)
{
	for (size_t i = 0; i < k->n_sas; i++) {
		const struct gdoi_kernel_state *sa = &k->sa[i];

		if (&k->policy[sa->policy] == p && sa->group != group &&
		    sa->ready)
			return gdoi_kernel_turn_out(k, p, &sa->x, true);
	}
	return gdoi_kernel_turn_out(k, p, &p->x, false);
}

/* Of groups that share a selector the one that came first is sent with, for as long
 * as it has an SA for that. */
static int
choose(struct gdoi_kernel *k, size_t group, const struct gdoi_xfrm *x,
       struct gdoi_kernel_policy *p, bool send)
{
	const struct gdoi_kernel_state *now = sender(k, p);

	if (send && now != NULL && now->group != group) {
		k->ops.note(k->ops.arg, false,
		            "an SA of another group has the same selector, "
		            "and is sent with",
		            x, 0);
		return 0;
	}
	if (send || !p->out)
		return gdoi_kernel_turn_out(k, p, x, send);
	/* What the SAT protects never leaves without protection. */
	return is_sending(p, x) ? hand_over(k, p, group) : 0;
}

static enum gk_err
follow(struct gdoi_kernel *k, size_t group, const struct gdoi_tek *tek,
       const struct gdoi_xfrm *x, struct gdoi_kernel_policy *p)
{
	struct gdoi_kernel_state *sa = find_sa(k, group, tek->sat);
	bool send = tek->state == GDOI_TEK_CURRENT && x->send;
	int error = gdoi_kernel_open_in(k, p, x);

	/* What was in use before this life has no ATD any more. */
	if (tek->state == GDOI_TEK_RECEIVE && !p->out && x->send &&
	    gdoi_kernel_left_sends(k, x))
		send = true;
	sa->ready = send;
	if (error == 0)
		error = choose(k, group, x, p, send);
	return error == 0 ? GK_OK : GK_ERR_IO;
}

static size_t
count_of(const struct gdoi_kernel *k, size_t group,
         const struct gdoi_kernel_policy *p)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n_sas; i++)
		n += k->sa[i].group == group &&
		     &k->policy[k->sa[i].policy] == p;
	return n;
}

/* Its last SA is gone, or never came. */
static void
forget_policy(struct gdoi_kernel *k, size_t group, struct gdoi_kernel_policy *p)
{
	if (count_of(k, group, p) != 0)
		return;
	if (k->cfg.fail_open || (p->sas == 0 && !p->out && !p->in))
		gdoi_kernel_let_go(p, group);
}

enum gk_err
gdoi_kernel_tek(struct gdoi_kernel *k, size_t group, const struct gdoi_tek *tek,
                int64_t now_utc, char why[GDOI_XFRM_WHY])
{
	struct gdoi_kernel_policy *p;
	struct gdoi_xfrm x;
	enum gk_err err;

	*why = '\0';
	if (tek->state == GDOI_TEK_NEXT)
		return GK_OK;
	err = plan(k, group, tek, now_utc, &x, &p, why);
	if (err != GK_OK) {
		if (x.selected)
			gdoi_kernel_shut(k, group, &x);
		else
			gdoi_kernel_fence_off(k, group, tek);
		gk_wipe(&x, sizeof(x));
		return err;
	}
	err = find_sa(k, group, tek->sat) != NULL ? GK_OK
	                                          : install(k, group, &x, p);
	if (err == GK_OK)
		err = follow(k, group, tek, &x, p);
	if (p->sas == 0)
		gdoi_kernel_shut(k, group, &x);
	forget_policy(k, group, p);
	if (err == GK_OK && tek->state == GDOI_TEK_CURRENT && !x.send &&
	    x.silence != NULL)
		k->ops.note(k->ops.arg, false, x.silence, &x, 0);
	gk_wipe(&x, sizeof(x));
	return err;
}

static void
forget_sa(struct gdoi_kernel *k, struct gdoi_kernel_state *sa)
{
	struct gdoi_kernel_policy *p = &k->policy[sa->policy];

	drop_state(k, &sa->x);
	p->sas--;
	*sa = k->sa[--k->n_sas];
}

void
gdoi_kernel_tek_wipe(struct gdoi_kernel *k, size_t group,
                     const struct gdoi_tek *tek)
{
	struct gdoi_kernel_state *sa = find_sa(k, group, tek->sat);
	struct gdoi_kernel_policy *p;

	if (sa == NULL)
		return;
	p = &k->policy[sa->policy];
	/* First nobody uses it any more, then it goes. */
	if (p->sas == 1 && k->cfg.fail_open)
		gdoi_kernel_drop_policies(k, p);
	else if (p->sas == 1)
		gdoi_kernel_block_policies(k, p);
	else if (is_sending(p, &sa->x))
		(void)hand_over(k, p, group);
	forget_sa(k, sa);
	forget_policy(k, group, p);
}

static void
claim_bypass(struct gdoi_kernel *k, const struct gdoi_kek_info *kek)
{
	struct gdoi_xfrm x = {
		.family = kek->dst.ip_len == 4 ? AF_INET : AF_INET6,
		.dst_bits = (uint8_t)(kek->dst.ip_len * 8),
		.protocol = IPPROTO_UDP,
		.dst_port = kek->dst.port,
	};

	memcpy(x.dst, kek->dst.ip, kek->dst.ip_len);
	gdoi_kernel_claim_policy(k, &x, GDOI_XFRM_IN);
}

void
gdoi_kernel_kek(struct gdoi_kernel *k, const struct gdoi_kek_info *kek,
                bool remove)
{
	struct gdoi_xfrm_message m;
	const struct gdoi_xfrm none = { 0 };

	if (kek->dst.ip_len == 0)
		return;
	/* The same mark again, much later, is no harm: the kernel takes another. */
	gdoi_xfrm_put_bypass(
		&m, ++k->seq, &kek->dst,
		k->cfg.priority > 0 ? k->cfg.priority - 1 : 0,
		gdoi_kernel_mark(k, GDOI_KERNEL_MARK_BYPASSES +
	                                    k->n_bypasses++ % 1024),
		remove);
	(void)gdoi_kernel_say(k, &m, "policy of pushes", &none);
	claim_bypass(k, kek);
}

/* Do those that hold @p receive by it, or keep it closed?  @group holds it no more. */
static bool
needs_in(const struct gdoi_kernel *k, size_t group,
         const struct gdoi_kernel_policy *p)
{
	for (size_t i = 0; i < k->n_sas; i++)
		if (&k->policy[k->sa[i].policy] == p &&
		    k->sa[i].group != group && k->sa[i].x.receive)
			return true;
	for (size_t i = 0; i < GDOI_GM_GROUPS_MAX; i++)
		if (gdoi_kernel_held(p, i) && count_of(k, i, p) == 0)
			return true;
	return false;
}

/* What @group leaves to the others of a selector before it goes. */
static void
bequeath(struct gdoi_kernel *k, size_t group, struct gdoi_kernel_policy *p)
{
	const struct gdoi_kernel_state *now = sender(k, p);

	if (p->sas == 0)
		return;
	if (p->sas == count_of(k, group, p))
		gdoi_kernel_block_policies(k, p);
	else if (now != NULL && now->group == group)
		(void)hand_over(k, p, group);
	if (!needs_in(k, group, p))
		gdoi_kernel_drop_in(k, p);
}

void
gdoi_kernel_leave(struct gdoi_kernel *k, size_t group)
{
	bool last[GDOI_KERNEL_POLICIES_MAX] = { false };

	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++) {
		struct gdoi_kernel_policy *p = &k->policy[i];

		if (!p->used || !gdoi_kernel_held(p, group))
			continue;
		gdoi_kernel_let_go(p, group);
		last[i] = !p->used;
		if (p->used)
			bequeath(k, group, p);
	}
	for (size_t i = k->n_sas; i-- > 0;)
		if (k->sa[i].group == group)
			forget_sa(k, &k->sa[i]);
	gdoi_kernel_drop_fences(k, group, false);
	for (size_t i = 0; i < GDOI_KERNEL_POLICIES_MAX; i++)
		if (last[i]) {
			gdoi_kernel_drop_policies(k, &k->policy[i]);
			gdoi_kernel_mend_fence(k, &k->policy[i].x);
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
			gdoi_kernel_drop_policies(k, &k->policy[i]);
	gdoi_kernel_drop_fences(k, 0, true);
	gdoi_kernel_sweep(k);
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
	const struct gdoi_kernel_state *sa = &k->sa[i];
	const struct gdoi_kernel_policy *p = &k->policy[sa->policy];

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
