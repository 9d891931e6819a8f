/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says that it has: answers to a dump. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <string.h>

#include "gdoi/install/xfrm.h"

void
gdoi_xfrm_put_dump(struct gdoi_xfrm_message *m, uint32_t seq, bool states)
{
	struct nlmsghdr *h;

	memset(m, 0, sizeof(*m));
	h = mnl_nlmsg_put_header(m->octets);
	h->nlmsg_type = states ? XFRM_MSG_GETSA : XFRM_MSG_GETPOLICY;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	m->len = h->nlmsg_len;
}

static void
read_state(const struct xfrm_usersa_info *sa, struct gdoi_xfrm_found *f)
{
	struct gdoi_xfrm *x = &f->x;

	f->state = true;
	x->family = sa->family;
	x->proto = sa->id.proto;
	x->reqid = sa->reqid;
	memcpy(x->spi, &sa->id.spi, sizeof(x->spi));
	memcpy(x->dst, &sa->id.daddr, sizeof(x->dst));
}

static void
read_selector(const struct xfrm_selector *sel, struct gdoi_xfrm *x)
{
	x->family = sel->family;
	memcpy(x->src, &sel->saddr, sizeof(x->src));
	memcpy(x->dst, &sel->daddr, sizeof(x->dst));
	x->src_bits = sel->prefixlen_s;
	x->dst_bits = sel->prefixlen_d;
	x->protocol = sel->proto;
	x->src_port = ntohs(sel->sport);
	x->dst_port = ntohs(sel->dport);
	x->selected = true;
}

/* Those of sockets have directions of their own. */
static bool
read_direction(uint8_t dir, enum gdoi_xfrm_dir *out)
{
	switch (dir) {
	case XFRM_POLICY_IN:
		*out = GDOI_XFRM_IN;
		return true;
	case XFRM_POLICY_OUT:
		*out = GDOI_XFRM_OUT;
		return true;
	case XFRM_POLICY_FWD:
		*out = GDOI_XFRM_FWD;
		return true;
	default:
		return false;
	}
}

static int
on_attribute(const struct nlattr *a, void *arg)
{
	struct gdoi_xfrm *x = arg;
	struct xfrm_user_tmpl t;

	if (mnl_attr_get_type(a) != XFRMA_TMPL ||
	    mnl_attr_get_payload_len(a) < sizeof(t))
		return MNL_CB_OK;
	memcpy(&t, mnl_attr_get_payload(a), sizeof(t));
	x->reqid = t.reqid;
	memcpy(x->spi, &t.id.spi, sizeof(x->spi));
	return MNL_CB_STOP;
}

bool
gdoi_xfrm_read(struct gk_slice octets, struct gdoi_xfrm_found *out)
{
	union {
		struct nlmsghdr h;
		uint8_t octets[GDOI_XFRM_MESSAGE_MAX];
	} in;
	struct xfrm_userpolicy_info p;
	struct xfrm_usersa_info sa;
	size_t len = octets.len < sizeof(in) ? octets.len : sizeof(in);
	bool known = true;

	*out = (struct gdoi_xfrm_found){ .state = false };
	if (len < sizeof(in.h))
		return false;
	memcpy(in.octets, octets.ptr, len);
	/* Of a state the keys follow, which are nobody's business here. */
	if (in.h.nlmsg_len > octets.len)
		return false;
	if (in.h.nlmsg_type == XFRM_MSG_NEWSA &&
	    len >= NLMSG_LENGTH(sizeof(sa))) {
		memcpy(&sa, in.octets + NLMSG_HDRLEN, sizeof(sa));
		read_state(&sa, out);
	} else if (in.h.nlmsg_type == XFRM_MSG_NEWPOLICY &&
	           in.h.nlmsg_len <= sizeof(in) &&
	           len >= NLMSG_LENGTH(sizeof(p))) {
		memcpy(&p, in.octets + NLMSG_HDRLEN, sizeof(p));
		known = read_direction(p.dir, &out->dir);
		read_selector(&p.sel, &out->x);
		out->x.priority = p.priority;
		out->x.mark = p.index >> 3;
		(void)mnl_attr_parse(&in.h, sizeof(p), on_attribute, &out->x);
	} else {
		known = false;
	}
	gk_wipe(&in, sizeof(in));
	return known;
}
