/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_resend.h"

#include <stdlib.h>

struct resend {
	struct resend *next;
	struct gk_buf to, dgram;
	unsigned left;
	uint32_t spacing_ms;
	uint64_t due_ms;
};

struct gkd_resends {
	struct resend *first;
	struct gkd_timer *timer;
	struct gkd_resend_ops ops;
};

static void
resend_free(struct resend *r)
{
	gk_buf_free(&r->to);
	gk_buf_free(&r->dgram);
	free(r);
}

static void
arm(struct gkd_resends *s)
{
	uint64_t next = GK_NEVER;

	for (const struct resend *r = s->first; r != NULL; r = r->next)
		if (r->due_ms < next)
			next = r->due_ms;
	gkd_timer_set(s->timer, next);
}

static void
on_timer(void *arg)
{
	struct gkd_resends *s = arg;
	uint64_t now = gkd_now().mono_ms;
	struct resend **at = &s->first, *r;

	while ((r = *at) != NULL) {
		if (r->due_ms <= now) {
			if (s->ops.send(s->ops.arg, gk_buf_slice(&r->to),
			                gk_buf_slice(&r->dgram), true))
				r->left--;
			r->due_ms = now + r->spacing_ms;
		}
		if (r->left > 0) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		resend_free(r);
	}
	arm(s);
}

/* Behind the others: receivers want sequence numbers in order. */
static void
append(struct gkd_resends *s, struct resend *r)
{
	struct resend **at = &s->first, *oldest;
	unsigned n = 1;

	for (; *at != NULL; n++)
		at = &(*at)->next;
	*at = r;
	if (n <= GKD_RESENDS_MAX)
		return;
	oldest = s->first;
	s->first = oldest->next;
	resend_free(oldest);
}

void
gkd_resends_send(struct gkd_resends *resends, struct gk_slice to,
                 struct gk_slice dgram, unsigned copies, uint32_t spacing_ms)
{
	bool left = resends->ops.send(resends->ops.arg, to, dgram, false);
	struct resend *r;

	if (copies == 0 && left)
		return;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return;
	if (gk_buf_copy(&r->to, to) != GK_OK ||
	    gk_buf_copy(&r->dgram, dgram) != GK_OK) {
		resend_free(r);
		return;
	}
	r->left = copies + !left;
	r->spacing_ms = spacing_ms;
	r->due_ms = gkd_now().mono_ms + spacing_ms;
	append(resends, r);
	arm(resends);
}

void
gkd_resends_hurry(struct gkd_resends *resends)
{
	for (struct resend *r = resends->first; r != NULL; r = r->next)
		r->due_ms = 0;
	arm(resends);
}

void
gkd_resends_drop(struct gkd_resends *resends)
{
	struct resend *r;

	while ((r = resends->first) != NULL) {
		resends->first = r->next;
		resend_free(r);
	}
	arm(resends);
}

struct gkd_resends *
gkd_resends_new(struct gkd_loop *loop, const struct gkd_resend_ops *ops)
{
	struct gkd_resends *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->ops = *ops;
	s->timer = gkd_timer_new(loop, on_timer, s);
	if (s->timer != NULL)
		return s;
	free(s);
	return NULL;
}

void
gkd_resends_free(struct gkd_resends *resends)
{
	if (resends == NULL)
		return;
	gkd_resends_drop(resends);
	gkd_timer_free(resends->timer);
	free(resends);
}
