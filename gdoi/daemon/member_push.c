/* SPDX-License-Identifier: BSD-2-Clause */
/* Where GROUPKEY-PUSHes come to: joined and left as Rekey SAs come and go. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gdoi/daemon/member.h"

static bool
same_place(const struct gdoi_address *a, const struct gdoi_address *b)
{
	return a->ip_len == b->ip_len && a->port == b->port &&
	       memcmp(a->ip, b->ip, a->ip_len) == 0;
}

static bool
is_multicast(const struct gdoi_address *a)
{
	struct gkd_addr addr;

	return gdoid_address_to(a, &addr) == GK_OK &&
	       gkd_addr_is_multicast(&addr);
}

static void
on_push(void *arg, const struct gkd_dgram *dgram)
{
	struct gdoid_receiver *r = arg;

	gdoid_member_receive(r->m, dgram, &r->dst);
}

static void
on_link(void *arg, enum gkd_link state)
{
	struct gdoid_receiver *r = arg;

	gkd_events_emit(r->m->d->events,
	                state == GKD_LINK_UP ? "interface-up"
	                                     : "interface-gone",
	                json_pack("{s:s}", "interface", r->interface));
}

/*
 * Who receives at the group's port already, at every address of ours, and shares the
 * port with nobody: the group is joined there.  At a port that takes rights to bind
 * to there is a socket for each group.
 */
static struct gkd_udp *
beside(const struct gdoid_member *m, const struct gdoi_address *dst)
{
	size_t own = dst->ip_len == 4 ? GDOID_UDP_4 : GDOID_UDP_6;
	struct gkd_addr at;

	if (gkd_udp_is_reserved(dst->port))
		return NULL;
	for (size_t i = 0; i < 1 + GDOID_RECEIVERS_MAX; i++) {
		struct gkd_udp *udp =
			i == 0 ? m->udp[own] : m->receiver[i - 1].udp;

		if (udp == NULL)
			continue;
		at = gkd_udp_local(udp);
		if (gkd_addr_is_any(&at) && gkd_addr_port(&at) == dst->port &&
		    gkd_addr_octets(&at).len == dst->ip_len)
			return udp;
	}
	return NULL;
}

static enum gk_err
open_multicast(struct gdoid_receiver *r)
{
	const struct gkd_mcast_ops ops = { on_push, on_link, r };
	struct gkd_mcast_config cfg = { .receive = true,
		                        .beside = beside(r->m, &r->dst) };

	if (r->m->broker != NULL) {
		cfg.bind = gdoid_broker_bind;
		cfg.bind_arg = r->m->broker;
	}
	snprintf(cfg.interface, sizeof(cfg.interface), "%s", r->interface);
	GK_TRY(gdoid_address_to(&r->dst, &cfg.group));
	if (r->src.ip_len != 0)
		GK_TRY(gdoid_address_to(&r->src, &cfg.source));
	return gkd_mcast_open(&r->mcast, r->m->d->loop, &cfg, &ops);
}

/* A port of its own, at whatever address of ours. */
static enum gk_err
open_unicast(struct gdoid_receiver *r)
{
	struct gkd_udp_config cfg = {
		.share = gkd_udp_is_reserved(r->dst.port),
	};

	cfg.local.sa.sa_family = r->dst.ip_len == 4 ? AF_INET : AF_INET6;
	gkd_addr_set_port(&cfg.local, r->dst.port);
	return gkd_udp_open(&r->udp, r->m->d->loop, &cfg, on_push, r);
}

static struct gdoid_receiver *
find(struct gdoid_member *m, const struct gdoi_address *dst,
     const struct gdoi_address *src, const char *interface)
{
	for (size_t i = 0; i < GDOID_RECEIVERS_MAX; i++) {
		struct gdoid_receiver *r = &m->receiver[i];

		if (r->m != NULL && same_place(&r->dst, dst) &&
		    same_place(&r->src, src) &&
		    strcmp(r->interface, interface) == 0)
			return r;
	}
	return NULL;
}

static struct gdoid_receiver *
open_receiver(struct gdoid_member *m, const struct gdoi_address *dst,
              const struct gdoi_address *src, const char *interface)
{
	struct gdoid_receiver *r = NULL;
	char text[GKD_ADDR_TEXT];
	enum gk_err err;

	for (size_t i = 0; i < GDOID_RECEIVERS_MAX && r == NULL; i++)
		if (m->receiver[i].m == NULL)
			r = &m->receiver[i];
	if (r == NULL)
		return NULL;
	*r = (struct gdoid_receiver){ .m = m, .dst = *dst, .src = *src };
	snprintf(r->interface, sizeof(r->interface), "%s", interface);
	errno = 0;
	err = is_multicast(dst) ? open_multicast(r) : open_unicast(r);
	if (err == GK_OK)
		return r;
	r->m = NULL;
	gkd_log(LOG_ERR, "io", "pushes to %s%s%s: %s; rekeys will be missed",
	        gdoid_address_text(text, dst), *interface != '\0' ? " on " : "",
	        interface, errno != 0 ? strerror(errno) : gk_strerror(err));
	gkd_events_emit(
		m->d->events, "receiver-failed",
		json_pack("{s:s, s:s}", "address", text, "reason",
	                  errno != 0 ? strerror(errno) : gk_strerror(err)));
	return NULL;
}

/* What our own sockets hear anyway: the port of registration at an address of
 * ours. */
static bool
is_ours(const struct gdoid_member *m, const struct gdoi_address *dst)
{
	return dst->ip_len == 0 || (!is_multicast(dst) && dst->port == m->port);
}

static struct gdoid_kek *
find_kek(struct gdoid_member *m, size_t group, const struct gdoi_kek_info *info)
{
	for (size_t i = 0; i < GDOID_KEKS_MAX; i++)
		if (m->kek[i].used && m->kek[i].group == group &&
		    memcmp(m->kek[i].info.spi, info->spi, sizeof(info->spi)) ==
		            0)
			return &m->kek[i];
	return NULL;
}

static void
release(struct gdoid_receiver *r)
{
	if (r == NULL || --r->users > 0)
		return;
	gkd_mcast_close(r->mcast);
	gkd_udp_close(r->udp);
	*r = (struct gdoid_receiver){ 0 };
}

static struct gdoid_receiver *
acquire(struct gdoid_member *m, size_t group, const struct gdoi_kek_info *info)
{
	const char *interface = m->group[group].interface;
	struct gdoi_address src = { 0 };
	struct gdoid_receiver *r;

	if (is_ours(m, &info->dst))
		return NULL;
	if (m->source_specific && is_multicast(&info->dst)) {
		src = info->src;
		src.port = 0;
	}
	r = find(m, &info->dst, &src, interface);
	if (r == NULL)
		r = open_receiver(m, &info->dst, &src, interface);
	if (r != NULL)
		r->users++;
	return r;
}

void
gdoid_member_kek(struct gdoid_member *m, const struct gdoi_output *o)
{
	struct gdoi_kek_info info = o->kek;
	struct gdoid_kek *k = find_kek(m, o->group, &info);

	/* Where no port is said GDOI's is meant, or by unicast that of
	 * registration.  To the kernel none is every port, in clear. */
	if (info.dst.port == 0)
		info.dst.port = is_multicast(&info.dst) ? GDOID_PORT : m->port;
	for (size_t i = 0; i < GDOID_KEKS_MAX && k == NULL; i++)
		if (!m->kek[i].used)
			k = &m->kek[i];
	if (k == NULL) {
		gkd_log(LOG_ERR, "io", "too many Rekey SAs");
		return;
	}
	if (!k->used) {
		k->receiver = acquire(m, o->group, &info);
		if (m->kernel != NULL)
			gdoi_kernel_kek(m->kernel, &info, false);
	}
	k->used = true;
	k->group = o->group;
	k->info = info;
}

/* Is there another Rekey SA that needs the same path? */
static bool
still_needed(const struct gdoid_member *m, const struct gdoi_address *dst)
{
	for (size_t i = 0; i < GDOID_KEKS_MAX; i++)
		if (m->kek[i].used && same_place(&m->kek[i].info.dst, dst))
			return true;
	return false;
}

static void
forget(struct gdoid_member *m, struct gdoid_kek *k)
{
	const struct gdoi_kek_info info = k->info;

	release(k->receiver);
	*k = (struct gdoid_kek){ 0 };
	if (m->kernel != NULL && !still_needed(m, &info.dst))
		gdoi_kernel_kek(m->kernel, &info, true);
}

void
gdoid_member_kek_wipe(struct gdoid_member *m, const struct gdoi_output *o)
{
	struct gdoid_kek *k = find_kek(m, o->group, &o->kek);

	if (k != NULL)
		forget(m, k);
}

json_t *
gdoid_member_receivers(const struct gdoid_member *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < GDOID_RECEIVERS_MAX; i++) {
		const struct gdoid_receiver *r = &m->receiver[i];
		struct gkd_udp_stats stats;
		char dst[GKD_ADDR_TEXT], src[GKD_ADDR_TEXT];
		const char *source;

		if (r->m == NULL)
			continue;
		stats = r->mcast != NULL ? gkd_mcast_stats(r->mcast)
		                         : gkd_udp_stats(r->udp);
		source = gdoid_address_text(src, &r->src);
		json_array_append_new(
			list,
			json_pack("{s:s, s:s?, s:s, s:b, s:i, s:I, s:I}",
		                  "address", gdoid_address_text(dst, &r->dst),
		                  "source", source, "interface", r->interface,
		                  "joined",
		                  r->mcast == NULL ||
		                          gkd_mcast_joined(r->mcast),
		                  "rekey_sas", (int)r->users, "received",
		                  (json_int_t)stats.received, "dropped",
		                  (json_int_t)stats.dropped));
	}
	return list;
}

void
gdoid_member_close_receivers(struct gdoid_member *m)
{
	for (size_t i = 0; i < GDOID_KEKS_MAX; i++)
		if (m->kek[i].used)
			forget(m, &m->kek[i]);
}
