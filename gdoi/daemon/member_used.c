/* SPDX-License-Identifier: BSD-2-Clause */
/* Kilobytes of an SA that are used up: the kernel says so, or who has the keys. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/member.h"

/* ---- the kernel ---------------------------------------------------------- */

struct gdoid_expiries {
	struct gdoid_member *m;
	struct mnl_socket *nl;
	struct gkd_io *io;
};

static void
take(struct gdoid_member *m, struct gk_slice message)
{
	struct gdoi_kernel_expiry e;

	if (m->kernel == NULL || !gdoi_kernel_expired(m->kernel, message, &e))
		return;
	/* It may be gone by now. */
	(void)gdoi_gm_used(m->engine, e.group, e.protocol, e.spi, e.up,
	                   gkd_now());
	gdoid_member_drain(m);
}

static void
on_readable(void *arg)
{
	struct gdoid_expiries *x = arg;
	union {
		struct nlmsghdr h;
		uint8_t octets[8192];
	} in;
	ssize_t n;

	/* To speak to this group takes CAP_NET_ADMIN: it is the kernel. */
	while ((n = mnl_socket_recvfrom(x->nl, &in, sizeof(in))) > 0) {
		const struct nlmsghdr *h = &in.h;
		int left = (int)n;

		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			take(x->m, (struct gk_slice){ (const uint8_t *)h,
			                              h->nlmsg_len });
	}
	if (n < 0 && errno == ENOBUFS)
		gkd_log(LOG_WARNING, "key",
		        "words of the kernel about lifetimes were lost");
}

enum gk_err
gdoid_expiries_open(struct gdoid_member *m)
{
	struct gdoid_expiries *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return GK_ERR_NOMEM;
	x->m = m;
	x->nl = mnl_socket_open2(NETLINK_XFRM, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (x->nl != NULL &&
	    mnl_socket_bind(x->nl, XFRMGRP_EXPIRE, MNL_SOCKET_AUTOPID) == 0)
		x->io = gkd_io_new(m->d->loop, mnl_socket_get_fd(x->nl),
		                   on_readable, x);
	m->expiries = x;
	return x->io != NULL ? GK_OK : GK_ERR_IO;
}

void
gdoid_expiries_close(struct gdoid_member *m)
{
	struct gdoid_expiries *x = m->expiries;

	if (x == NULL)
		return;
	gkd_io_free(x->io);
	if (x->nl != NULL)
		mnl_socket_close(x->nl);
	free(x);
	m->expiries = NULL;
}

/* ---- who has the keys ---------------------------------------------------- */

struct search {
	struct gk_slice spi;
	uint8_t protocol;
	bool found;
};

static void
look(void *ctx, const struct gdoi_tek *tek)
{
	struct search *s = ctx;

	if (tek->sat->protocol == GDOI_PROTOCOL_IEC_61850 ||
	    memcmp(tek->sat->spi, s->spi.ptr, s->spi.len) != 0)
		return;
	s->protocol = tek->sat->protocol;
	s->found = true;
}

static json_t *
use(struct gdoid_member *m, struct gk_slice spi, bool up, int group,
    char why[256])
{
	size_t first = group < 0 ? 0 : (size_t)group;
	size_t end = group < 0 ? m->cfg.n_groups : first + 1;

	for (size_t i = first; i < end; i++) {
		struct search s = { .spi = spi };
		enum gk_err err;

		gdoi_gm_teks(m->engine, i, look, &s);
		if (!s.found)
			continue;
		err = gdoi_gm_used(m->engine, i, s.protocol, spi.ptr, up,
		                   gkd_now());
		gdoid_member_drain(m);
		if (err == GK_OK)
			return json_object();
		snprintf(why, 256, "%s",
		         err == GK_ERR_VALUE
		                 ? "this SA has no lifetime in kilobytes"
		                 : gk_strerror(err));
		return NULL;
	}
	snprintf(why, 256, "no SA has this SPI");
	return NULL;
}

/* used SPI nearly|up [GROUP] */
json_t *
gdoid_member_cmd_used(void *state, const json_t *request, char why[256])
{
	struct gdoid_member *m = ((struct gkd_daemon *)state)->state;
	const char *text = gkd_control_arg(request, 0);
	const char *how = gkd_control_arg(request, 1);
	const char *name = gkd_control_arg(request, 2);
	struct gk_buf spi = { 0 };
	json_t *result = NULL;
	int group = -1;

	if (text == NULL || gk_unhex(&spi, text) != GK_OK ||
	    spi.len != GDOI_TEK_SPI_LEN) {
		snprintf(why, 256, "an SPI has %d hexadecimal digits",
		         2 * GDOI_TEK_SPI_LEN);
		gk_buf_free(&spi);
		return NULL;
	}
	if (name != NULL)
		group = gdoid_member_which(m, name, why);
	if (name != NULL && group < 0)
		;
	else if (how == NULL ||
	         (strcmp(how, "nearly") != 0 && strcmp(how, "up") != 0))
		snprintf(why, 256, "'nearly' or 'up'?");
	else
		result = use(m, gk_buf_slice(&spi), *how == 'u', group, why);
	gk_buf_free(&spi);
	return result;
}
