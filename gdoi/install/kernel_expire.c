/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says of lifetimes: XFRM_MSG_EXPIRE. */
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <string.h>

#include "gdoi/install/kernel_private.h"
#include "gdoi/isakmp/isakmp_registry.h"

static const struct gdoi_kernel_state *
state_of(const struct gdoi_kernel *k, const struct xfrm_usersa_info *sa)
{
	for (size_t i = 0; i < k->n_sas; i++) {
		const struct gdoi_xfrm *x = &k->sa[i].x;

		if (x->family == sa->family && x->proto == sa->id.proto &&
		    memcmp(x->spi, &sa->id.spi, sizeof(x->spi)) == 0 &&
		    memcmp(x->dst, &sa->id.daddr, sizeof(x->dst)) == 0)
			return &k->sa[i];
	}
	return NULL;
}

bool
gdoi_kernel_expired(const struct gdoi_kernel *k, struct gk_slice octets,
                    struct gdoi_kernel_expiry *out)
{
	const struct gdoi_kernel_state *sa;
	struct xfrm_user_expire expire;
	struct nlmsghdr h;
	uint64_t limit;

	if (octets.len < sizeof(h))
		return false;
	memcpy(&h, octets.ptr, sizeof(h));
	if (h.nlmsg_type != XFRM_MSG_EXPIRE || h.nlmsg_len > octets.len ||
	    h.nlmsg_len < NLMSG_LENGTH(sizeof(expire)))
		return false;
	memcpy(&expire, octets.ptr + NLMSG_HDRLEN, sizeof(expire));
	sa = state_of(k, &expire.state);
	limit = expire.hard ? expire.state.lft.hard_byte_limit
	                    : expire.state.lft.soft_byte_limit;
	if (sa == NULL || expire.state.curlft.bytes < limit)
		return false;
	*out = (struct gdoi_kernel_expiry){
		.group = sa->group,
		.protocol = sa->x.proto == IPPROTO_ESP ? GDOI_PROTOCOL_ESP
		                                       : GDOI_PROTOCOL_AH,
		.up = expire.hard != 0,
	};
	memcpy(out->spi, sa->x.spi, sizeof(out->spi));
	return true;
}
