/* SPDX-License-Identifier: BSD-2-Clause */
/* What a daemon that was killed left in the kernel. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "gdoi/daemon/member.h"

#define ANSWER_S 5 /* for the kernel, which answers at once */

struct dump {
	struct gdoi_kernel *kernel;
	struct mnl_socket *nl;
	uint32_t seq;
};

static int
on_message(const struct nlmsghdr *h, void *arg)
{
	struct dump *d = arg;

	(void)gdoi_kernel_found(
		d->kernel,
		(struct gk_slice){ (const uint8_t *)h, h->nlmsg_len });
	return MNL_CB_OK;
}

static enum gk_err
ask(struct dump *d, bool states)
{
	static uint8_t room[65536]; /* more than the kernel gives at once */
	struct gdoi_xfrm_message m;
	int more = MNL_CB_OK;
	ssize_t n = 1;

	gdoi_xfrm_put_dump(&m, ++d->seq, states);
	if (mnl_socket_sendto(d->nl, m.octets, m.len) < 0)
		return GK_ERR_IO;
	while (more == MNL_CB_OK && n > 0) {
		n = mnl_socket_recvfrom(d->nl, room, sizeof(room));
		if (n > 0)
			more = mnl_cb_run(room, (size_t)n, d->seq,
			                  mnl_socket_get_portid(d->nl),
			                  on_message, d);
	}
	gk_wipe(room, sizeof(room)); /* of states it has the keys */
	return n > 0 && more == MNL_CB_STOP ? GK_OK : GK_ERR_IO;
}

void
gdoid_left_look(struct gdoid_member *m)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	struct dump d = { .kernel = m->kernel };
	enum gk_err err = GK_ERR_IO;

	d.nl = mnl_socket_open2(NETLINK_XFRM, SOCK_CLOEXEC);
	if (d.nl != NULL && mnl_socket_bind(d.nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    setsockopt(mnl_socket_get_fd(d.nl), SOL_SOCKET, SO_RCVTIMEO,
	               &patience, sizeof(patience)) == 0)
		err = ask(&d, false);
	if (err == GK_OK)
		err = ask(&d, true);
	if (err != GK_OK)
		gkd_log(LOG_WARNING, "key",
		        "kernel: what is there from before is not known: %s",
		        strerror(errno));
	if (d.nl != NULL)
		mnl_socket_close(d.nl);
	if (gdoi_kernel_left(m->kernel) != 0)
		gkd_log(LOG_NOTICE, "key",
		        "kernel: %zu policies and SAs are there from before; "
		        "what no group takes over goes when all have "
		        "registered",
		        gdoi_kernel_left(m->kernel));
}

/* Is it said what the group needs?  Who waits for a key server has what it had. */
static bool
is_settled(const struct gdoid_member *m, size_t group)
{
	struct gdoi_gm_status st;

	gdoi_gm_status(m->engine, group, &st);
	switch (st.state) {
	case GDOI_GM_IDLE:
	case GDOI_GM_FAILED:
	case GDOI_GM_MEMBER:
	case GDOI_GM_REREGISTERING:
		return true;
	default:
		return false;
	}
}

void
gdoid_left_sweep(struct gdoid_member *m)
{
	size_t n = m->kernel != NULL ? gdoi_kernel_left(m->kernel) : 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < m->cfg.n_groups; i++)
		if (!is_settled(m, i))
			return;
	gdoi_kernel_sweep(m->kernel);
	gkd_log(LOG_NOTICE, "key",
	        "kernel: %zu policies and SAs from before, which no group "
	        "needs, are taken out",
	        n);
	gkd_events_emit(m->d->events, "kernel-swept",
	                json_pack("{s:I}", "left", (json_int_t)n));
}
