/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/install/tests/table.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "common/test/gk_test.h"

struct table kernel;

struct xfrm_userpolicy_info *
kernel_policy(struct thing *t)
{
	return t->state ? NULL : (void *)t->octets;
}

static bool
same_place(struct thing *t, bool state, const void *body)
{
	const struct xfrm_userpolicy_info *p = body;
	const struct xfrm_usersa_info *s = body;

	if (t->state != state)
		return false;
	if (state)
		return memcmp(&((struct xfrm_usersa_info *)t->octets)->id,
		              &s->id, sizeof(s->id)) == 0;
	return kernel_policy(t)->dir == p->dir &&
	       memcmp(&kernel_policy(t)->sel, &p->sel, sizeof(p->sel)) == 0;
}

struct thing *
kernel_find(bool state, const void *body)
{
	for (size_t i = 0; i < kernel.n; i++)
		if (same_place(&kernel.thing[i], state, body))
			return &kernel.thing[i];
	return NULL;
}

static bool
is_index(uint32_t index)
{
	for (size_t i = 0; i < kernel.n; i++)
		if (kernel_policy(&kernel.thing[i]) != NULL &&
		    kernel_policy(&kernel.thing[i])->index == index)
			return true;
	return false;
}

/* Linux takes the number that is wanted if it is free, and keeps that of what it
 * replaces. */
static void
number(struct xfrm_userpolicy_info *p, uint32_t before)
{
	if (before != 0)
		p->index = before;
	else if (p->index == 0 || is_index(p->index))
		p->index = (kernel.index += 8) | p->dir;
}

static void
keep(struct thing *t, const struct gdoi_xfrm_message *m, bool state)
{
	struct thing fresh = { .state = state, .len = m->len - NLMSG_HDRLEN };

	memcpy(fresh.octets, m->octets + NLMSG_HDRLEN, fresh.len);
	if (!state)
		number(kernel_policy(&fresh),
		       t != NULL ? kernel_policy(t)->index : 0);
	if (t == NULL) {
		assert_true(kernel.n < GK_COUNT(kernel.thing));
		t = &kernel.thing[kernel.n++];
	}
	*t = fresh;
}

static int
put_state(const struct gdoi_xfrm_message *m, bool update)
{
	struct thing *t = kernel_find(true, m->octets + NLMSG_HDRLEN);

	kernel.n_lifetimes += update;
	if (update)
		return t == NULL ? ESRCH : 0;
	if (t != NULL)
		return EEXIST;
	keep(t, m, true);
	return 0;
}

static int
put_policy(const struct gdoi_xfrm_message *m, bool update)
{
	struct thing *t = kernel_find(false, m->octets + NLMSG_HDRLEN);

	if (!update && t != NULL)
		return EEXIST;
	keep(t, m, false);
	return 0;
}

static int
take(struct thing *t, int error)
{
	if (t == NULL)
		return error;
	*t = kernel.thing[--kernel.n];
	return 0;
}

static int
take_state(const struct xfrm_usersa_id *id)
{
	struct xfrm_usersa_info sa = {
		.id = { .daddr = id->daddr, .spi = id->spi, .proto = id->proto }
	};

	return take(kernel_find(true, &sa), ESRCH);
}

static int
take_policy(const struct xfrm_userpolicy_id *id)
{
	struct xfrm_userpolicy_info p = { .sel = id->sel, .dir = id->dir };

	return take(kernel_find(false, &p), ENOENT);
}

int
kernel_send(void *arg, const struct gdoi_xfrm_message *m)
{
	const struct nlmsghdr *h = (const void *)m->octets;
	const void *body = m->octets + NLMSG_HDRLEN;

	(void)arg;
	if (kernel.deaf)
		return 0;
	switch (h->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		return put_state(m, h->nlmsg_type == XFRM_MSG_UPDSA);
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		return put_policy(m, h->nlmsg_type == XFRM_MSG_UPDPOLICY);
	case XFRM_MSG_DELSA:
		return take_state(body);
	default:
		assert_int_equal(h->nlmsg_type, XFRM_MSG_DELPOLICY);
		return take_policy(body);
	}
}

void
kernel_assert(const struct table *want)
{
	assert_int_equal(kernel.n, want->n);
	for (size_t i = 0; i < want->n; i++) {
		const struct thing *w = &want->thing[i],
				   *t = kernel_find(w->state, w->octets);

		assert_non_null(t);
		assert_int_equal(t->len, w->len);
		assert_memory_equal(t->octets, w->octets, w->len);
	}
}
