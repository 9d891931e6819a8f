/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "gdoi/daemon/server.h"

#define LISTEN_OF(handle) ((unsigned)((handle)&0xffff))
#define LOCAL_OF(handle) ((unsigned)((handle) >> 16 & 0xffff))

/* The socket at the same address as number @listen with another port: phase 1
 * may have moved since the datagram that is answered. */
static unsigned
sibling(const struct gdoid_server *s, unsigned listen, uint16_t port)
{
	if (listen >= s->n_listen || port == 0 ||
	    gkd_addr_port(&s->listen[listen].addr) == port)
		return listen;
	for (unsigned i = 0; i < s->n_listen; i++)
		if (gkd_addr_port(&s->listen[i].addr) == port &&
		    gkd_addr_same_host(&s->listen[i].addr,
		                       &s->listen[listen].addr))
			return i;
	return listen;
}

/* For somebody whose socket nobody remembers, as this process was not there yet:
 * of the right family, and that of NAT traversal for who uses it. */
static unsigned
listen_for(const struct gdoid_server *s, const struct gdoi_address *to)
{
	int family = to->ip_len == 4 ? AF_INET : AF_INET6;
	unsigned i = 0;

	while (i < s->n_listen && (s->listen[i].natt != to->nat ||
	                           s->listen[i].addr.sa.sa_family != family))
		i++;
	return i;
}

/* RFC 3948 section 2.2: four zero octets in front, so that it is no ESP. */
static enum gk_err
mark(struct gk_slice data, struct gk_buf *marked)
{
	GK_TRY(gk_buf_alloc(marked, IKE_MARKER_LEN + data.len));
	memset(marked->ptr, 0, IKE_MARKER_LEN);
	memcpy(marked->ptr + IKE_MARKER_LEN, data.ptr, data.len);
	return GK_OK;
}

bool
gdoid_send(struct gdoid_worker *w, const struct gdoi_address *to,
           const struct gdoi_address *from, bool keepalive,
           struct gk_slice data)
{
	struct gdoid_server *s = w->server;
	bool known = to->handle != GDOI_HANDLE_NONE;
	unsigned listen = known ? sibling(s, LISTEN_OF(to->handle), from->port)
	                        : listen_for(s, to);
	struct gkd_local local = { 0 };
	struct gkd_dgram dgram = { .data = data };
	struct gk_buf marked = { 0 };

	if (known)
		local = gkd_locals_get(&s->locals, LOCAL_OF(to->handle));
	dgram.local = local.addr;
	dgram.ifindex = local.ifindex;
	if (listen >= s->n_listen || w->udp[listen] == NULL ||
	    gdoid_address_to(to, &dgram.peer) != GK_OK ||
	    dgram.peer.sa.sa_family != s->listen[listen].addr.sa.sa_family)
		return false;
	if (dgram.peer.sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LINKLOCAL(&dgram.peer.in6.sin6_addr))
		dgram.peer.in6.sin6_scope_id = local.ifindex;
	if (s->listen[listen].natt && !keepalive) {
		if (mark(data, &marked) != GK_OK)
			return false;
		dgram.data = gk_buf_slice(&marked);
	}
	gkd_udp_send(w->udp[listen], &dgram, 1);
	gk_buf_free(&marked);
	return true;
}

/* The socket that PUSHes leave from: of the right family, at the address that
 * the Rekey SA names if there is one, and not the one behind a NAT. */
static unsigned
cast_from(const struct gdoid_server *s, int family,
          const struct gdoi_address *from)
{
	unsigned best = GDOID_LISTEN_MAX;

	for (unsigned i = 0; i < s->n_listen; i++) {
		const struct gdoid_listen *l = &s->listen[i];
		struct gk_slice octets = gkd_addr_octets(&l->addr);

		if (l->natt || l->addr.sa.sa_family != family)
			continue;
		if (from->ip_len == octets.len &&
		    memcmp(from->ip, octets.ptr, octets.len) == 0)
			return i;
		if (best == GDOID_LISTEN_MAX || l->any)
			best = i;
	}
	return best;
}

bool
gdoid_cast(const struct gdoid_group *g, const struct gdoi_address *to,
           const struct gdoi_address *from, struct gk_slice data)
{
	struct gdoid_server *s = g->server;
	struct gkd_dgram dgram = { .hops = g->hops, .data = data };
	unsigned i;

	if (s->workers == NULL || gdoid_address_to(to, &dgram.peer) != GK_OK) {
		errno = EDESTADDRREQ;
		return false;
	}
	i = cast_from(s, dgram.peer.sa.sa_family, from);
	if (i == GDOID_LISTEN_MAX || s->workers[0].udp[i] == NULL) {
		errno = EAFNOSUPPORT;
		return false;
	}
	if (g->interface != NULL) {
		dgram.ifindex = if_nametoindex(g->interface);
		if (dgram.ifindex == 0)
			return false;
	}
	if (!s->listen[i].any)
		dgram.local = s->listen[i].addr;
	else if (from->ip_len != 0 &&
	         gdoid_address_to(from, &dgram.local) != GK_OK)
		return false;
	return gkd_udp_send_one(s->workers[0].udp[i], &dgram) == GK_OK;
}
