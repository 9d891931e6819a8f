/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks and ranges, which the kernel has no SAs for: nothing leaves for them in
 * clear.  A kernel that keeps a list of its policies. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "gdoi/install/kernel.h"
#include "gdoi/isakmp/isakmp_registry.h"

static const uint8_t key[20], integrity[32];

static struct {
	size_t n;
	struct xfrm_userpolicy_info p[GDOI_KERNEL_FENCES_MAX + 8];
	unsigned bad, good;
	char note[200];
	bool full;
} kernel;

static bool
same(const struct xfrm_selector *a, const struct xfrm_selector *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static int
on_policy(const struct xfrm_userpolicy_info *p, bool update)
{
	for (size_t i = 0; i < kernel.n; i++)
		if (kernel.p[i].dir == p->dir &&
		    same(&kernel.p[i].sel, &p->sel)) {
			if (update)
				kernel.p[i] = *p;
			return update ? 0 : EEXIST;
		}
	if (kernel.full)
		return ENOBUFS;
	assert_true(kernel.n < GK_COUNT(kernel.p));
	kernel.p[kernel.n++] = *p;
	return 0;
}

static int
on_no_policy(const struct xfrm_userpolicy_id *id)
{
	for (size_t i = 0; i < kernel.n; i++)
		if (kernel.p[i].dir == id->dir &&
		    same(&kernel.p[i].sel, &id->sel)) {
			kernel.p[i] = kernel.p[--kernel.n];
			return 0;
		}
	return ENOENT;
}

static int
on_send(void *arg, const struct gdoi_xfrm_message *m)
{
	const struct nlmsghdr *h = (const void *)m->octets;
	const void *body = m->octets + NLMSG_HDRLEN;

	(void)arg;
	switch (h->nlmsg_type) {
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		return on_policy(body, h->nlmsg_type == XFRM_MSG_UPDPOLICY);
	case XFRM_MSG_DELPOLICY:
		return on_no_policy(body);
	default:
		return 0;
	}
}

static void
on_note(void *arg, bool bad, const char *what, const struct gdoi_xfrm *x,
        int error)
{
	(void)arg;
	(void)x;
	kernel.bad += bad;
	kernel.good += !bad;
	snprintf(kernel.note, sizeof(kernel.note), "%s %d", what, error);
}

static const struct gdoi_kernel_ops ops = { on_send, on_note, NULL };

static struct gdoi_kernel *
begin(bool fail_open, bool no_fences)
{
	const struct gdoi_kernel_config cfg = { .reqid = 70,
		                                .priority = 9,
		                                .fail_open = fail_open,
		                                .no_fences = no_fences };
	struct gdoi_kernel *k = gdoi_kernel_new(&cfg, &ops);

	memset(&kernel, 0, sizeof(kernel));
	assert_non_null(k);
	return k;
}

/* ---- SAs ----------------------------------------------------------------- */

struct place {
	struct gdoi_endpoint e;
	uint8_t octets[32];
};

/* "A", "A/M" with a mask, "A-B"; "" is no data. */
static void
place(struct place *p, const char *text)
{
	char first[64] = "", second[64] = "", sign = 0;
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	size_t len = family == AF_INET ? 4 : 16;

	memset(p, 0, sizeof(*p));
	p->e.type = len == 4 ? ISAKMP_ID_IPV4_ADDR : ISAKMP_ID_IPV6_ADDR;
	if (sscanf(text, "%63[0-9a-f.:]%c%63s", first, &sign, second) < 1)
		return;
	assert_int_equal(inet_pton(family, first, p->octets), 1);
	p->e.data = (struct gk_slice){ p->octets, len };
	if (sign == 0)
		return;
	assert_int_equal(inet_pton(family, second, p->octets + len), 1);
	p->e.data.len = 2 * len;
	if (sign == '/')
		p->e.type = len == 4 ? ISAKMP_ID_IPV4_ADDR_SUBNET
		                     : ISAKMP_ID_IPV6_ADDR_SUBNET;
	else
		p->e.type = len == 4 ? ISAKMP_ID_IPV4_ADDR_RANGE
		                     : ISAKMP_ID_IPV6_ADDR_RANGE;
}

struct sa {
	struct gdoi_sat sat;
	struct place src, dst;
};

static struct gdoi_tek
tek_of(struct sa *sa, uint8_t spi, const char *src, const char *dst)
{
	memset(sa, 0, sizeof(*sa));
	place(&sa->src, src);
	place(&sa->dst, dst);
	sa->sat.protocol = GDOI_PROTOCOL_ESP;
	sa->sat.spi[3] = spi;
	sa->sat.ipsec.transform = 12;
	sa->sat.ipsec.authentication = 5;
	sa->sat.ipsec.encapsulation = 2;
	sa->sat.ipsec.ep.src = sa->src.e;
	sa->sat.ipsec.ep.dst = sa->dst.e;
	return (struct gdoi_tek){ .state = GDOI_TEK_CURRENT,
		                  .sat = &sa->sat,
		                  .key = { key, 16 },
		                  .integrity = { integrity, 32 },
		                  .may_send = true };
}

static enum gk_err
give(struct gdoi_kernel *k, size_t group, uint8_t spi, const char *src,
     const char *dst)
{
	char why[GDOI_XFRM_WHY];
	struct sa sa;
	struct gdoi_tek tek = tek_of(&sa, spi, src, dst);

	return gdoi_kernel_tek(k, group, &tek, 1000, why);
}

/* ---- which selectors ----------------------------------------------------- */

static void
assert_cover(const char *src, const char *dst, const char *want)
{
	struct gdoi_xfrm x[GDOI_XFRM_COVER_MAX];
	char got[4096] = "", a[64], b[64];
	struct sa sa;
	size_t n;

	(void)tek_of(&sa, 1, src, dst);
	n = gdoi_xfrm_cover(&sa.sat, 7, x);
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(got);

		inet_ntop(x[i].family, x[i].src, a, sizeof(a));
		inet_ntop(x[i].family, x[i].dst, b, sizeof(b));
		snprintf(got + at, sizeof(got) - at, "%s%s/%u>%s/%u",
		         i == 0 ? "" : " ", a, x[i].src_bits, b, x[i].dst_bits);
		assert_int_equal(x[i].priority, 7);
	}
	assert_string_equal(got, want);
}

GK_TEST(xfrm, a_network_is_one_selector_and_a_range_as_many_as_make_it_up)
{
	assert_cover("", "10.1.2.3/255.0.0.0", "0.0.0.0/0>10.0.0.0/8");
	assert_cover("", "0.0.0.0/0.0.0.0", "0.0.0.0/0>0.0.0.0/0");
	assert_cover("10.9.0.0/255.255.0.0", "10.0.0.0/255.255.255.254",
	             "10.9.0.0/16>10.0.0.0/31");
	assert_cover("", "10.0.0.5-10.0.0.5", "0.0.0.0/0>10.0.0.5/32");
	assert_cover("", "10.0.0.1-10.0.0.6",
	             "0.0.0.0/0>10.0.0.1/32 0.0.0.0/0>10.0.0.2/31 "
	             "0.0.0.0/0>10.0.0.4/31 0.0.0.0/0>10.0.0.6/32");
	assert_cover("", "0.0.0.0-255.255.255.255", "0.0.0.0/0>0.0.0.0/0");
	assert_cover("", "255.255.255.254-255.255.255.255",
	             "0.0.0.0/0>255.255.255.254/31");
	assert_cover("", "ff15::/ffff:ffff::", "::/0>ff15::/32");
	assert_cover("", "ff15::1-ff15::3",
	             "::/0>ff15::1/128 ::/0>ff15::2/127");
}

GK_TEST(xfrm, what_is_no_selector_is_the_smallest_prefix_around_it)
{
	struct gdoi_xfrm x[GDOI_XFRM_COVER_MAX];
	struct sa sa;

	assert_cover("", "10.0.7.9/255.0.255.0", "0.0.0.0/0>10.0.0.0/8");
	assert_cover("10.0.0.1-10.0.0.2", "239.1.1.1",
	             "10.0.0.0/30>239.1.1.1/32");
	assert_cover("", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
	             "::/0>::/0");
	/* The longest one of IPv4 fits. */
	(void)tek_of(&sa, 1, "", "0.0.0.1-255.255.255.254");
	assert_int_equal(gdoi_xfrm_cover(&sa.sat, 7, x), GDOI_XFRM_COVER_MAX);
	assert_int_equal(x[0].dst_bits, 32);
	assert_int_equal(x[GDOI_XFRM_COVER_MAX - 1].dst_bits, 32);
	assert_cover("", "10.0.0.9-10.0.0.1", "");
	assert_cover("", "", "");
	sa.sat.protocol = GDOI_PROTOCOL_IEC_61850;
	assert_int_equal(gdoi_xfrm_cover(&sa.sat, 7, x), 0);
}

/* ---- in the kernel ------------------------------------------------------- */

static void
assert_blocks(size_t n)
{
	assert_int_equal(kernel.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(kernel.p[i].action, XFRM_POLICY_BLOCK);
		assert_int_equal(kernel.p[i].dir, XFRM_POLICY_OUT);
		assert_int_equal(kernel.p[i].priority, 10);
	}
}

GK_TEST(xfrm, a_network_that_the_kernel_cannot_protect_is_closed)
{
	struct gdoi_kernel *k = begin(false, false);

	gk_assert_err(GK_ERR_POLICY, give(k, 0, 1, "", "10.0.0.0/255.0.0.0"));
	assert_blocks(1);
	assert_int_equal(kernel.p[0].sel.prefixlen_d, 8);
	assert_int_equal(gdoi_kernel_blocked(k), 1);
	assert_int_equal(kernel.good, 1);
	/* Its successor is for the same network: nothing new. */
	gk_assert_err(GK_ERR_POLICY, give(k, 0, 2, "", "10.0.0.0/255.0.0.0"));
	assert_blocks(1);
	assert_int_equal(kernel.good, 1);
	gk_assert_err(GK_ERR_POLICY, give(k, 0, 3, "", "10.0.0.1-10.0.0.6"));
	assert_blocks(5);
	gdoi_kernel_leave(k, 1);
	assert_blocks(5);
	gdoi_kernel_leave(k, 0);
	assert_blocks(0);
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	gk_assert_err(GK_ERR_POLICY, give(k, 0, 1, "", "10.0.0.0/255.0.0.0"));
	gdoi_kernel_free(k);
	assert_blocks(0);
	assert_int_equal(kernel.bad, 0);
}

GK_TEST(xfrm, one_address_of_a_closed_network_has_its_sa)
{
	struct gdoi_kernel *k = begin(false, false);

	gk_assert_err(GK_ERR_POLICY, give(k, 0, 1, "", "239.0.0.0/255.0.0.0"));
	gk_assert_err(GK_OK, give(k, 0, 2, "", "239.1.1.1"));
	assert_int_equal(kernel.n, 3);
	assert_int_equal(kernel.p[0].priority, 10);
	assert_int_equal(kernel.p[2].priority, 9);
	assert_int_equal(kernel.p[2].action, XFRM_POLICY_ALLOW);
	gdoi_kernel_free(k);
	assert_blocks(0);
	/* An SA whose selector is that of a fence. */
	k = begin(false, false);
	gk_assert_err(GK_ERR_POLICY,
	              give(k, 0, 1, "10.0.0.1-10.0.0.2", "239.1.1.1"));
	assert_blocks(1);
	gk_assert_err(GK_OK,
	              give(k, 0, 2, "10.0.0.0/255.255.255.252", "239.1.1.1"));
	assert_int_equal(kernel.n, 2);
	assert_int_equal(kernel.p[0].action, XFRM_POLICY_ALLOW);
	/* The one before comes again: what is sent with stays. */
	gk_assert_err(GK_ERR_POLICY,
	              give(k, 0, 1, "10.0.0.1-10.0.0.2", "239.1.1.1"));
	assert_int_equal(kernel.p[0].action, XFRM_POLICY_ALLOW);
	gdoi_kernel_free(k);
	assert_blocks(0);
	assert_int_equal(kernel.bad, 0);
}

GK_TEST(xfrm, groups_share_the_fence_of_one_network)
{
	struct gdoi_kernel *k = begin(false, false);

	gk_assert_err(GK_ERR_POLICY, give(k, 0, 1, "", "10.0.0.0/255.0.0.0"));
	gk_assert_err(GK_ERR_POLICY, give(k, 1, 2, "", "10.0.0.0/255.0.0.0"));
	assert_blocks(1);
	gdoi_kernel_leave(k, 0);
	assert_blocks(1);
	gdoi_kernel_leave(k, 1);
	assert_blocks(0);
	gdoi_kernel_free(k);
	assert_int_equal(kernel.bad, 0);
}

static const struct xfrm_userpolicy_info *
out_policy(void)
{
	const struct xfrm_userpolicy_info *found = NULL;

	for (size_t i = 0; i < kernel.n; i++)
		if (kernel.p[i].dir == XFRM_POLICY_OUT) {
			assert_null(found);
			found = &kernel.p[i];
		}
	return found;
}

/* A source that is a range has the selector of a network that holds it. */
static enum gk_err
fenced(struct gdoi_kernel *k)
{
	return give(k, 0, 1, "10.0.0.1-10.0.0.2", "239.1.1.1");
}

static enum gk_err protected(struct gdoi_kernel *k) {
	return give(k, 1, 2, "10.0.0.0/255.255.255.252", "239.1.1.1");
}

GK_TEST(xfrm, a_fence_leaves_the_sa_of_another_group_alone)
{
	struct gdoi_kernel *k = begin(false, false);

	gk_assert_err(GK_OK, protected(k));
	gk_assert_err(GK_ERR_POLICY, fenced(k));
	assert_int_equal(out_policy()->action, XFRM_POLICY_ALLOW);
	gdoi_kernel_leave(k, 0);
	assert_non_null(out_policy());
	assert_int_equal(out_policy()->action, XFRM_POLICY_ALLOW);

	gk_assert_err(GK_ERR_POLICY, fenced(k));
	gdoi_kernel_leave(k, 1);
	assert_blocks(1);
	gk_assert_err(GK_OK, protected(k));
	assert_int_equal(out_policy()->action, XFRM_POLICY_ALLOW);
	gdoi_kernel_leave(k, 0);
	assert_int_equal(out_policy()->action, XFRM_POLICY_ALLOW);
	gdoi_kernel_leave(k, 1);
	assert_blocks(0);
	gdoi_kernel_free(k);
	assert_int_equal(kernel.bad, 0);
}

GK_TEST(xfrm, networks_stay_open_where_that_is_wanted)
{
	struct gdoi_kernel *k = begin(true, false);

	gk_assert_err(GK_ERR_POLICY, give(k, 0, 1, "", "10.0.0.0/255.0.0.0"));
	assert_blocks(0);
	gdoi_kernel_free(k);
	k = begin(false, true);
	gk_assert_err(GK_ERR_POLICY, give(k, 0, 1, "", "10.0.0.0/255.0.0.0"));
	assert_blocks(0);
	gdoi_kernel_free(k);
}

/* Who has to know that something may leave in clear is told. */
GK_TEST(xfrm, a_fence_that_cannot_be_had_is_reported)
{
	struct gdoi_kernel *k = begin(false, false);

	kernel.full = true;
	gk_assert_err(GK_ERR_POLICY, give(k, 0, 1, "", "10.0.0.0/255.0.0.0"));
	assert_int_equal(kernel.bad,
	                 2); /* the kernel's word, and what it means */
	assert_non_null(strstr(kernel.note, "leaving in clear"));
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	kernel.full = false;
	gk_assert_err(GK_ERR_POLICY, give(k, 0, 1, "", "10.0.0.9-10.0.0.1"));
	assert_int_equal(kernel.bad, 3);
	assert_non_null(strstr(kernel.note, "may leave in clear"));
	for (uint8_t i = 0; i < 12; i++) {
		char range[64];

		snprintf(range, sizeof(range), "%u.0.0.1-%u.255.255.254",
		         10U + i, 10U + i);
		gk_assert_err(GK_ERR_POLICY, give(k, 0, i, "", range));
	}
	assert_int_equal(gdoi_kernel_blocked(k), GDOI_KERNEL_FENCES_MAX);
	assert_int_equal(kernel.bad, 4);
	gdoi_kernel_free(k);
	assert_blocks(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(xfrm,
		       a_network_is_one_selector_and_a_range_as_many_as_make_it_up),
		GK_RUN(xfrm,
		       what_is_no_selector_is_the_smallest_prefix_around_it),
		GK_RUN(xfrm,
		       a_network_that_the_kernel_cannot_protect_is_closed),
		GK_RUN(xfrm, one_address_of_a_closed_network_has_its_sa),
		GK_RUN(xfrm, groups_share_the_fence_of_one_network),
		GK_RUN(xfrm, a_fence_leaves_the_sa_of_another_group_alone),
		GK_RUN(xfrm, networks_stay_open_where_that_is_wanted),
		GK_RUN(xfrm, a_fence_that_cannot_be_had_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
