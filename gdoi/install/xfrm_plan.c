/* SPDX-License-Identifier: BSD-2-Clause */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/gk_check.h"
#include "gdoi/install/xfrm.h"
#include "gdoi/isakmp/isakmp_registry.h"

/* RFC 6407 sections 5.5.1.1.1 and 5.5.1.1.2, RFC 2407 section 4.5. */
enum { PRESERVE_DESTINATION = 3 };
enum { SENDER_ONLY = 1, RECEIVER_ONLY = 2 };
enum { TUNNEL = 1, ECN_FORBIDDEN = 2 };

static enum gk_err
cannot(char why[GDOI_XFRM_WHY], const char *what)
{
	snprintf(why, GDOI_XFRM_WHY, "%s", what);
	return GK_ERR_POLICY;
}

/* ---- addresses ----------------------------------------------------------- */

/* The length of the prefix that a mask stands for; -1: it is none. */
static int
mask_bits(const uint8_t *mask, size_t len)
{
	int bits = 0;

	while (bits < (int)len * 8 && (mask[bits / 8] & 0x80 >> bits % 8) != 0)
		bits++;
	for (int i = bits; i < (int)len * 8; i++)
		if ((mask[i / 8] & 0x80 >> i % 8) != 0)
			return -1;
	return bits;
}

/* RFC 6407 section 5.5.1: any source is no data, or three zero octets. */
static bool
is_any(const struct gdoi_endpoint *e)
{
	static const uint8_t zero[3];

	return e->data.len == 0 ||
	       (e->data.len == 3 && memcmp(e->data.ptr, zero, 3) == 0);
}

/* An address with its prefix; *@len 0: no address, or a range of several. */
static void
read_endpoint(const struct gdoi_endpoint *e, uint8_t out[16], uint8_t *bits,
              size_t *len)
{
	size_t n = gdoi_address_len(e->type);
	int prefix = (int)n * 8;

	*len = 0;
	if (n == 0 || (e->data.len != n && e->data.len != 2 * n))
		return;
	if (e->type == ISAKMP_ID_IPV4_ADDR_SUBNET ||
	    e->type == ISAKMP_ID_IPV6_ADDR_SUBNET)
		prefix = e->data.len == 2 * n ? mask_bits(e->data.ptr + n, n)
		                              : -1;
	else if (e->data.len == 2 * n &&
	         memcmp(e->data.ptr, e->data.ptr + n, n) != 0)
		prefix = -1;
	if (prefix < 0)
		return;
	memcpy(out, e->data.ptr, n);
	*bits = (uint8_t)prefix;
	*len = n;
}

static enum gk_err
selector(const struct gdoi_endpoints *ep, struct gdoi_xfrm *x,
         char why[GDOI_XFRM_WHY])
{
	size_t src_len, dst_len;

	read_endpoint(&ep->dst, x->dst, &x->dst_bits, &dst_len);
	if (dst_len == 0 || x->dst_bits != dst_len * 8)
		return cannot(why, "the kernel finds SAs by one destination "
		                   "address, and this SA has several");
	x->family = dst_len == 4 ? AF_INET : AF_INET6;
	if (!is_any(&ep->src)) {
		read_endpoint(&ep->src, x->src, &x->src_bits, &src_len);
		if (src_len != dst_len)
			return cannot(why,
			              "source and destination do not go "
			              "together, or the source is a range");
	}
	x->protocol = ep->protocol;
	x->src_port = ep->src.port;
	x->dst_port = ep->dst.port;
	x->selected = true;
	return GK_OK;
}

static bool
one_sender(const struct gdoi_xfrm *x)
{
	return x->src_bits == x->dst_bits;
}

/* ---- the state ----------------------------------------------------------- */

static enum gk_err
mode(const struct gdoi_sat_ipsec *sa, const struct gdoi_xfrm_options *o,
     struct gdoi_xfrm *x, char why[GDOI_XFRM_WHY])
{
	size_t len = x->family == AF_INET ? 4 : 16;

	x->tunnel = sa->encapsulation == TUNNEL;
	if (one_sender(x))
		memcpy(x->outer, x->src, len);
	if (!x->tunnel)
		return GK_OK;
	x->no_ecn = sa->ecn_tunnel == ECN_FORBIDDEN;
	if (sa->address_preservation != 0 &&
	    sa->address_preservation < PRESERVE_DESTINATION)
		return cannot(why, "without address preservation nothing says "
		                   "where a tunnel ends");
	/* What we send comes from us, and input does not look at it. */
	if (!one_sender(x) && o->local.ip_len == len)
		memcpy(x->outer, o->local.ip, len);
	return GK_OK;
}

static enum gk_err
replay(const struct gdoi_sat_ipsec *sa, const struct gdoi_xfrm_options *o,
       struct gdoi_xfrm *x, char why[GDOI_XFRM_WHY])
{
	x->window = one_sender(x) ? o->window : 0;
	if (x->window > GDOI_XFRM_WINDOW_MAX)
		x->window = GDOI_XFRM_WINDOW_MAX;
	x->esn = sa->extended_sequence != 0;
	if (x->esn && x->window == 0 &&
	    GK_CHECKED("RFC5374-A.2-05", "RFC5374-A.3-02"))
		return cannot(why, "extended sequence numbers need a replay "
		                   "window, and that knows one sender");
	return GK_OK;
}

static void
lifetimes(const struct gdoi_tek *tek, int64_t now_utc, struct gdoi_xfrm *x)
{
	if (tek->expires_utc != 0)
		x->life_s = tek->expires_utc > now_utc
		                    ? (uint64_t)(tek->expires_utc - now_utc)
		                    : 1;
	x->life_octets = (uint64_t)tek->sat->ipsec.life_kb * 1024;
}

/* ---- who may send -------------------------------------------------------- */

static void
directions(const struct gdoi_tek *tek, const struct gdoi_xfrm_options *o,
           struct gdoi_xfrm *x)
{
	uint16_t direction = tek->sat->ipsec.direction;
	size_t len = x->family == AF_INET ? 4 : 16;

	x->receive = direction != SENDER_ONLY;
	x->send = tek->may_send;
	if (direction == RECEIVER_ONLY && GK_CHECKED("RFC5374-A.1-01")) {
		x->send = false;
		return;
	}
	if (!tek->may_send) {
		x->silence = "this member may not send";
	} else if (gdoi_xfrm_is_counter(x) && !o->random_iv && !one_sender(x)) {
		/* RFC 6054 section 3: where several senders share a key, an IV
		 * begins with a sender id, and the kernel takes none. */
		x->send = false;
		x->silence = "the kernel puts no sender id into its IVs; "
			     "to send: CBC, one source for the SA, or "
			     "'random-iv'";
	} else if (x->tunnel && !one_sender(x) && o->local.ip_len != len &&
	           GK_CHECKED("RFC5374-4.1.2-02")) {
		/* Both headers are of one version: the destination is that of
		 * the inner one. */
		x->send = false;
		x->silence = "no outer source address for a tunnel: "
			     "'address' of <network>, or 'source' of <kernel>";
	}
}

enum gk_err
gdoi_xfrm_plan(const struct gdoi_tek *tek, const struct gdoi_xfrm_options *o,
               int64_t now_utc, struct gdoi_xfrm *x, char why[GDOI_XFRM_WHY])
{
	const struct gdoi_sat *sat = tek->sat;

	*x = (struct gdoi_xfrm){ .reqid = o->reqid, .priority = o->priority };
	if (sat->protocol == GDOI_PROTOCOL_ESP)
		x->proto = IPPROTO_ESP;
	else if (sat->protocol == GDOI_PROTOCOL_AH)
		x->proto = IPPROTO_AH;
	else
		return cannot(why, "neither ESP nor AH");
	memcpy(x->spi, sat->spi, sizeof(x->spi));
	GK_TRY(selector(&sat->ipsec.ep, x, why));
	GK_TRY(gdoi_xfrm_algorithms(tek, x, why));
	GK_TRY(mode(&sat->ipsec, o, x, why));
	GK_TRY(replay(&sat->ipsec, o, x, why));
	lifetimes(tek, now_utc, x);
	directions(tek, o, x);
	return GK_OK;
}

bool
gdoi_xfrm_same_selector(const struct gdoi_xfrm *a, const struct gdoi_xfrm *b)
{
	return a->family == b->family && a->src_bits == b->src_bits &&
	       a->protocol == b->protocol && a->src_port == b->src_port &&
	       a->dst_port == b->dst_port &&
	       memcmp(a->src, b->src, sizeof(a->src)) == 0 &&
	       memcmp(a->dst, b->dst, sizeof(a->dst)) == 0;
}
