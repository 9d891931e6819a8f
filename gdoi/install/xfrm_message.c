/* SPDX-License-Identifier: BSD-2-Clause */
/* linux/xfrm.h, structure by structure.  All of them begin as zero octets, so
 * that what the compiler pads them with is zero, too. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "gdoi/install/xfrm.h"

/* ---- the frame ----------------------------------------------------------- */

static struct nlmsghdr *
begin(struct gdoi_xfrm_message *m, uint32_t seq, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	memset(m, 0, sizeof(*m));
	h = mnl_nlmsg_put_header(m->octets);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	h->nlmsg_seq = seq;
	return h;
}

static void
body(struct nlmsghdr *h, const void *octets, size_t len)
{
	memcpy(mnl_nlmsg_put_extra_header(h, len), octets, len);
}

static void
finish(struct gdoi_xfrm_message *m, const struct nlmsghdr *h)
{
	m->len = h->nlmsg_len;
}

/* ---- parts --------------------------------------------------------------- */

static void
put_address(xfrm_address_t *to, const uint8_t octets[16])
{
	memcpy(to, octets, sizeof(*to));
}

static void
put_port(__be16 *port, __be16 *mask, uint16_t number)
{
	*port = htons(number);
	*mask = number != 0 ? 0xffff : 0;
}

static void
put_selector(struct xfrm_selector *sel, const struct gdoi_xfrm *x)
{
	put_address(&sel->saddr, x->src);
	put_address(&sel->daddr, x->dst);
	sel->prefixlen_s = x->src_bits;
	sel->prefixlen_d = x->dst_bits;
	put_port(&sel->sport, &sel->sport_mask, x->src_port);
	put_port(&sel->dport, &sel->dport_mask, x->dst_port);
	sel->family = x->family;
	sel->proto = x->protocol;
}

static void
put_no_limits(struct xfrm_lifetime_cfg *lft)
{
	lft->soft_byte_limit = lft->hard_byte_limit = XFRM_INF;
	lft->soft_packet_limit = lft->hard_packet_limit = XFRM_INF;
}

static uint8_t
mode_of(const struct gdoi_xfrm *x)
{
	return x->tunnel ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;
}

/* ---- states -------------------------------------------------------------- */

static void
put_algorithm(struct nlmsghdr *h, uint16_t type,
              const struct gdoi_xfrm_algorithm *a)
{
	/* The longest key here is of HMAC-SHA-512. */
	union {
		struct xfrm_algo crypt;
		struct xfrm_algo_auth auth;
		struct xfrm_algo_aead aead;
		uint8_t octets[sizeof(struct xfrm_algo_aead) + 128];
	} u = { 0 };
	uint8_t *key = (uint8_t *)u.auth.alg_key;
	uint32_t bits = (uint32_t)a->key.len * 8;
	size_t head = sizeof(u.auth);

	if (a->name == NULL)
		return;
	if (type == XFRMA_ALG_CRYPT) {
		head = sizeof(u.crypt);
		key = (uint8_t *)u.crypt.alg_key;
		u.crypt.alg_key_len = bits;
	} else {
		/* The two have the same layout under different names. */
		u.auth.alg_key_len = bits;
		u.auth.alg_trunc_len = a->icv_bits;
	}
	strncpy(u.auth.alg_name, a->name, sizeof(u.auth.alg_name) - 1);
	if (a->key.len != 0)
		memcpy(key, a->key.ptr, a->key.len);
	mnl_attr_put(h, type, head + a->key.len, &u);
	gk_wipe(&u, sizeof(u));
}

/* Windows of more than 32 packets, and extended sequence numbers. */
static void
put_window(struct nlmsghdr *h, const struct gdoi_xfrm *x)
{
	union {
		struct xfrm_replay_state_esn esn;
		uint8_t octets[sizeof(struct xfrm_replay_state_esn) +
		               GDOI_XFRM_WINDOW_MAX / 8];
	} u = { 0 };

	u.esn.replay_window = x->window;
	u.esn.bmp_len = (x->window + 31) / 32;
	mnl_attr_put(h, XFRMA_REPLAY_ESN_VAL,
	             sizeof(u.esn) + u.esn.bmp_len * sizeof(uint32_t), &u);
}

static bool
needs_window(const struct gdoi_xfrm *x)
{
	return x->esn || x->window > 32;
}

void
gdoi_xfrm_put_state(struct gdoi_xfrm_message *m, uint32_t seq,
                    const struct gdoi_xfrm *x, bool update)
{
	struct nlmsghdr *h =
		begin(m, seq, update ? XFRM_MSG_UPDSA : XFRM_MSG_NEWSA,
	              update ? 0 : NLM_F_CREATE | NLM_F_EXCL);
	struct xfrm_usersa_info sa = { 0 };

	put_address(&sa.id.daddr, x->dst);
	memcpy(&sa.id.spi, x->spi, sizeof(sa.id.spi));
	sa.id.proto = x->proto;
	put_address(&sa.saddr, x->outer);
	put_no_limits(&sa.lft);
	if (x->life_octets != 0) {
		sa.lft.hard_byte_limit = x->life_octets;
		sa.lft.soft_byte_limit = x->life_octets - x->life_octets / 10;
	}
	sa.lft.hard_add_expires_seconds = x->life_s;
	sa.reqid = x->reqid;
	sa.family = x->family;
	sa.mode = mode_of(x);
	if (!needs_window(x))
		sa.replay_window = (uint8_t)x->window;
	if (x->esn)
		sa.flags |= XFRM_STATE_ESN;
	if (x->no_ecn)
		sa.flags |= XFRM_STATE_NOECN;
	body(h, &sa, sizeof(sa));
	put_algorithm(h, XFRMA_ALG_AEAD, &x->aead);
	put_algorithm(h, XFRMA_ALG_CRYPT, &x->crypt);
	put_algorithm(h, XFRMA_ALG_AUTH_TRUNC, &x->auth);
	if (needs_window(x))
		put_window(h, x);
	finish(m, h);
}

void
gdoi_xfrm_put_no_state(struct gdoi_xfrm_message *m, uint32_t seq,
                       const struct gdoi_xfrm *x)
{
	struct nlmsghdr *h = begin(m, seq, XFRM_MSG_DELSA, 0);
	struct xfrm_usersa_id id = { .family = x->family, .proto = x->proto };

	put_address(&id.daddr, x->dst);
	memcpy(&id.spi, x->spi, sizeof(id.spi));
	body(h, &id, sizeof(id));
	finish(m, h);
}

/* ---- policies ------------------------------------------------------------ */

static const uint8_t directions[] = { XFRM_POLICY_IN, XFRM_POLICY_OUT,
	                              XFRM_POLICY_FWD };

static void
put_template(struct nlmsghdr *h, const struct gdoi_xfrm *x,
             enum gdoi_xfrm_dir dir)
{
	struct xfrm_user_tmpl t = { 0 };

	put_address(&t.id.daddr, x->dst);
	t.id.proto = x->proto;
	t.family = x->family;
	t.reqid = x->reqid;
	t.mode = mode_of(x);
	t.aalgos = t.ealgos = t.calgos = ~0u;
	put_address(&t.saddr, x->outer);
	if (dir == GDOI_XFRM_OUT)
		memcpy(&t.id.spi, x->spi, sizeof(t.id.spi));
	else if (x->src_bits != x->dst_bits)
		memset(&t.saddr, 0, sizeof(t.saddr)); /* from anybody */
	mnl_attr_put(h, XFRMA_TMPL, sizeof(t), &t);
}

void
gdoi_xfrm_put_policy(struct gdoi_xfrm_message *m, uint32_t seq,
                     const struct gdoi_xfrm *x, enum gdoi_xfrm_dir dir,
                     bool block, bool update)
{
	struct nlmsghdr *h =
		begin(m, seq, update ? XFRM_MSG_UPDPOLICY : XFRM_MSG_NEWPOLICY,
	              update ? 0 : NLM_F_CREATE | NLM_F_EXCL);
	struct xfrm_userpolicy_info p = { 0 };

	put_selector(&p.sel, x);
	put_no_limits(&p.lft);
	p.priority = x->priority;
	p.dir = directions[dir];
	/* The kernel keeps it if it is free, and that of a policy it has. */
	if (x->mark != 0)
		p.index = x->mark << 3 | p.dir;
	p.action = block ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW;
	body(h, &p, sizeof(p));
	if (!block)
		put_template(h, x, dir);
	finish(m, h);
}

void
gdoi_xfrm_put_no_policy(struct gdoi_xfrm_message *m, uint32_t seq,
                        const struct gdoi_xfrm *x, enum gdoi_xfrm_dir dir)
{
	struct nlmsghdr *h = begin(m, seq, XFRM_MSG_DELPOLICY, 0);
	struct xfrm_userpolicy_id id = { .dir = directions[dir] };

	put_selector(&id.sel, x);
	body(h, &id, sizeof(id));
	finish(m, h);
}

void
gdoi_xfrm_put_bypass(struct gdoi_xfrm_message *m, uint32_t seq,
                     const struct gdoi_address *dst, uint32_t priority,
                     uint32_t mark, bool remove)
{
	struct gdoi_xfrm x = {
		.family = dst->ip_len == 4 ? AF_INET : AF_INET6,
		.dst_bits = (uint8_t)(dst->ip_len * 8),
		.protocol = IPPROTO_UDP,
		.dst_port = dst->port,
		.priority = priority,
	};
	struct nlmsghdr *h;
	struct xfrm_userpolicy_info p = { 0 };

	memcpy(x.dst, dst->ip, dst->ip_len);
	if (remove) {
		gdoi_xfrm_put_no_policy(m, seq, &x, GDOI_XFRM_IN);
		return;
	}
	/* Without a template: allowed as it is. */
	h = begin(m, seq, XFRM_MSG_UPDPOLICY, 0);
	put_selector(&p.sel, &x);
	put_no_limits(&p.lft);
	p.priority = priority;
	p.dir = XFRM_POLICY_IN;
	if (mark != 0)
		p.index = mark << 3 | p.dir;
	p.action = XFRM_POLICY_ALLOW;
	body(h, &p, sizeof(p));
	finish(m, h);
}
