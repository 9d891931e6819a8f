/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups whose SAs have the same selector.  A kernel that keeps the octets of every
 * state and policy: what is left when one group is gone is what a kernel has that
 * never knew it. */
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "gdoi/install/kernel.h"
#include "gdoi/install/tests/table.h"
#include "gdoi/isakmp/isakmp_registry.h"

static const uint8_t group4[] = { 239, 1, 1, 1 };
static const uint8_t key[3][20] = { { 1 }, { 2 }, { 3 } }, integrity[32];

static unsigned bad;
static char note[200];

static void
on_note(void *arg, bool is_bad, const char *what, const struct gdoi_xfrm *x,
        int error)
{
	(void)arg;
	(void)x;
	bad += is_bad;
	snprintf(note, sizeof(note), "%s %d", what, error);
}

static struct gdoi_kernel *
begin(bool fail_open)
{
	const struct gdoi_kernel_ops ops = { kernel_send, on_note, NULL };
	const struct gdoi_kernel_config cfg = {
		.reqid = 70, .priority = 9, .window = 32, .fail_open = fail_open
	};
	struct gdoi_kernel *k = gdoi_kernel_new(&cfg, &ops);

	assert_non_null(k);
	kernel = (struct table){ 0 };
	bad = 0;
	return k;
}

static struct gdoi_sat sat;

static struct gdoi_tek
tek_of(size_t group, uint8_t spi, enum gdoi_tek_state state)
{
	sat = (struct gdoi_sat){ .protocol = GDOI_PROTOCOL_ESP,
		                 .spi = { 0, 0, 0, spi } };
	sat.ipsec.transform = 12;
	sat.ipsec.authentication = 5;
	sat.ipsec.encapsulation = 2;
	sat.ipsec.ep.dst = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR,
		                                   0,
		                                   { group4, sizeof(group4) } };
	return (struct gdoi_tek){ .state = state,
		                  .sat = &sat,
		                  .key = { key[group], 16 },
		                  .integrity = { integrity, 32 },
		                  .may_send = true };
}

static enum gk_err
give_tek(struct gdoi_kernel *k, size_t group, const struct gdoi_tek *tek)
{
	char why[GDOI_XFRM_WHY];
	enum gk_err err = gdoi_kernel_tek(k, group, tek, 1000, why);

	if (err != GK_OK)
		memcpy(note, why, sizeof(why));
	return err;
}

static void
give(struct gdoi_kernel *k, size_t group, uint8_t spi,
     enum gdoi_tek_state state)
{
	struct gdoi_tek tek = tek_of(group, spi, state);

	gk_assert_err(GK_OK, give_tek(k, group, &tek));
}

static void
wipe(struct gdoi_kernel *k, size_t group, uint8_t spi)
{
	struct gdoi_tek tek = tek_of(group, spi, GDOI_TEK_OLD);

	gdoi_kernel_tek_wipe(k, group, &tek);
}

/* What there is in a kernel that knows @group alone. */
static struct table
alone(size_t group, uint8_t spi)
{
	struct table before = kernel, got;
	unsigned was_bad = bad;
	struct gdoi_kernel *k = begin(false);

	give(k, group, spi, GDOI_TEK_CURRENT);
	got = kernel;
	gdoi_kernel_free(k);
	assert_int_equal(kernel.n, 0);
	kernel = before;
	bad = was_bad;
	return got;
}

/* No lifetimes alone either. */
static void
assert_kernel(struct table want)
{
	assert_int_equal(kernel.n_lifetimes, 0);
	kernel_assert(&want);
}

/* What OUT does. */
static uint32_t
sent_with(void)
{
	for (size_t i = 0; i < kernel.n; i++) {
		const struct xfrm_userpolicy_info *p =
			(const void *)kernel.thing[i].octets;
		const struct nlattr *tmpl = (const void *)(p + 1);
		const struct xfrm_user_tmpl *t = (const void *)(tmpl + 1);

		if (kernel.thing[i].state || p->dir != XFRM_POLICY_OUT)
			continue;
		return p->action == XFRM_POLICY_BLOCK ? 0 : be32toh(t->id.spi);
	}
	return UINT32_MAX; /* nothing: in clear */
}

GK_TEST(xfrm,
        one_of_two_groups_is_left_and_the_others_sa_is_as_it_would_be_alone)
{
	for (size_t gone = 0; gone < 2; gone++) {
		struct gdoi_kernel *k = begin(false);

		give(k, 0, 1, GDOI_TEK_CURRENT);
		assert_kernel(alone(0, 1));
		give(k, 1, 2, GDOI_TEK_CURRENT);
		assert_int_equal(kernel.n, 4); /* two states, IN and OUT */
		assert_non_null(strstr(note, "another group"));
		assert_int_equal(sent_with(), 1);
		gdoi_kernel_leave(k, gone);
		assert_kernel(alone(1 - gone, gone == 0 ? 2 : 1));
		gdoi_kernel_leave(k, 1 - gone);
		assert_int_equal(kernel.n, 0);
		gdoi_kernel_free(k);
		assert_int_equal(bad, 0);
	}
}

/* As the engine has it: the SAs are wiped one by one before the group is left. */
GK_TEST(xfrm, a_group_whose_sas_end_hands_the_selector_on)
{
	struct gdoi_kernel *k = begin(false);

	give(k, 0, 1, GDOI_TEK_CURRENT);
	give(k, 1, 2, GDOI_TEK_CURRENT);
	wipe(k, 0, 1);
	assert_kernel(alone(1, 2));
	/* It comes again, and waits for its turn. */
	give(k, 0, 3, GDOI_TEK_CURRENT);
	assert_int_equal(sent_with(), 2);
	give(k, 1, 4, GDOI_TEK_CURRENT);
	assert_int_equal(sent_with(), 4);
	give(k, 1, 2, GDOI_TEK_OLD);
	wipe(k, 1, 2);
	assert_int_equal(sent_with(), 4);
	/* OUT has no SA of that group any more while its last one is heard. */
	give(k, 1, 4, GDOI_TEK_OLD);
	assert_int_equal(sent_with(), 3);
	wipe(k, 1, 4);
	gdoi_kernel_leave(k, 1);
	assert_kernel(alone(0, 3));
	gdoi_kernel_free(k);
	assert_int_equal(kernel.n, 0);
	assert_int_equal(bad, 0);
}

GK_TEST(xfrm, what_one_group_keeps_closed_stays_closed_when_another_is_left)
{
	struct gdoi_kernel *k = begin(false);

	give(k, 0, 1, GDOI_TEK_CURRENT);
	give(k, 1, 2, GDOI_TEK_RECEIVE);
	assert_int_equal(sent_with(), 1);
	gdoi_kernel_leave(k, 0); /* nothing that may be sent with is left */
	assert_int_equal(sent_with(), 0);
	give(k, 0, 1, GDOI_TEK_CURRENT);
	assert_int_equal(sent_with(), 1);
	wipe(k, 1, 2);
	assert_int_equal(sent_with(), 1);
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	gdoi_kernel_leave(k, 0);
	assert_int_equal(sent_with(), 0);
	assert_int_equal(gdoi_kernel_blocked(k), 1);
	gdoi_kernel_leave(k, 1);
	assert_int_equal(sent_with(), UINT32_MAX);
	assert_int_equal(kernel.n, 0);
	gdoi_kernel_free(k);
	assert_int_equal(bad, 0);
}

/* Where clear text may leave when there is no SA, nobody holds on to a policy. */
GK_TEST(xfrm, fail_open_drops_the_policies_with_the_last_sa_of_any_group)
{
	struct gdoi_kernel *k = begin(true);

	give(k, 0, 1, GDOI_TEK_CURRENT);
	give(k, 1, 2, GDOI_TEK_CURRENT);
	wipe(k, 0, 1);
	assert_kernel(alone(1, 2));
	wipe(k, 1, 2);
	assert_int_equal(kernel.n, 0);
	give(k, 0, 1, GDOI_TEK_CURRENT);
	give(k, 1, 2, GDOI_TEK_CURRENT);
	gdoi_kernel_leave(k, 0);
	assert_kernel(alone(1, 2));
	gdoi_kernel_leave(k, 1);
	assert_int_equal(kernel.n, 0);
	gdoi_kernel_free(k);
	assert_int_equal(bad, 0);
}

/* The kernel has one state for destination, SPI and protocol, and one policy for a
 * selector: who comes second is told, and neither takes nor ends what is there. */
GK_TEST(xfrm, what_the_kernel_has_but_once_is_not_taken_from_another_group)
{
	struct gdoi_kernel *k = begin(false);
	struct gdoi_tek tek;

	give(k, 0, 1, GDOI_TEK_CURRENT);
	tek = tek_of(1, 1, GDOI_TEK_CURRENT);
	gk_assert_err(GK_ERR_POLICY, give_tek(k, 1, &tek));
	assert_non_null(strstr(note, "this SPI"));
	assert_kernel(alone(0, 1));
	tek = tek_of(1, 2, GDOI_TEK_CURRENT);
	sat.protocol = GDOI_PROTOCOL_AH;
	sat.ipsec.transform = 5;
	gk_assert_err(GK_ERR_POLICY, give_tek(k, 1, &tek));
	assert_non_null(strstr(note, "another protocol or mode"));
	assert_kernel(alone(0, 1));
	wipe(k, 1, 1);
	wipe(k, 1, 2);
	gdoi_kernel_leave(k, 1);
	assert_kernel(alone(0, 1));

	/* It was to be protected for that group, too. */
	gk_assert_err(GK_ERR_POLICY, give_tek(k, 1, &tek));
	gdoi_kernel_leave(k, 0);
	assert_int_equal(sent_with(), 0);
	gdoi_kernel_leave(k, 1);
	assert_int_equal(kernel.n, 0);
	gdoi_kernel_free(k);
	assert_int_equal(bad, 0);
}

static void
give_sender(struct gdoi_kernel *k, size_t group, uint8_t spi)
{
	struct gdoi_tek tek = tek_of(group, spi, GDOI_TEK_CURRENT);

	sat.ipsec.direction = 1;
	gk_assert_ok(give_tek(k, group, &tek));
}

/* Who only sends lets nothing in; who keeps a selector closed does in both directions. */
GK_TEST(xfrm, what_is_let_in_ends_with_the_last_group_that_receives)
{
	struct gdoi_kernel *k = begin(false);
	struct table sender;

	give_sender(k, 1, 2);
	sender = kernel;
	give(k, 0, 1, GDOI_TEK_CURRENT);
	assert_int_equal(kernel.n, sender.n + 2); /* state and IN */
	gdoi_kernel_leave(k, 0);
	assert_kernel(sender);
	give(k, 0, 1, GDOI_TEK_CURRENT);
	give(k, 2, 3, GDOI_TEK_CURRENT);
	wipe(k, 2, 3);
	gdoi_kernel_leave(k, 0);
	assert_int_equal(kernel.n, sender.n + 1);
	gdoi_kernel_leave(k, 2);
	gdoi_kernel_leave(k, 1);
	assert_int_equal(kernel.n, 0);
	gdoi_kernel_free(k);
	assert_int_equal(bad, 0);
}

/* RFC 2401 section 4.1: an SPI is one of its protocol. */
GK_TEST(xfrm, esp_and_ah_with_one_spi_are_two_sas)
{
	struct gdoi_kernel *k = begin(false);
	struct gdoi_tek tek;

	give(k, 0, 1, GDOI_TEK_CURRENT);
	tek = tek_of(0, 1, GDOI_TEK_CURRENT);
	sat.protocol = GDOI_PROTOCOL_AH;
	sat.ipsec.transform = 5;
	sat.ipsec.ep.dst.port = 4000;
	sat.ipsec.ep.protocol = 17;
	gk_assert_ok(give_tek(k, 0, &tek));
	assert_int_equal(gdoi_kernel_count(k), 2);
	assert_int_equal(kernel.n, 6); /* each with IN and OUT */
	gdoi_kernel_tek_wipe(k, 0, &tek);
	assert_int_equal(gdoi_kernel_count(k), 1);
	assert_int_equal(gdoi_kernel_sa(k, 0).x->proto, 50);
	gdoi_kernel_free(k);
	assert_int_equal(kernel.n, 0);
	assert_int_equal(bad, 0);
}

GK_TEST(xfrm, a_fence_where_an_sa_stands_goes_with_its_policy)
{
	static const uint8_t range[] = { 239, 1, 1, 1, 239, 1, 1, 3 };
	struct gdoi_kernel *k = begin(false);
	struct gdoi_tek tek = tek_of(0, 9, GDOI_TEK_CURRENT);

	sat.ipsec.ep.dst = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR_RANGE,
		                                   0,
		                                   { range, sizeof(range) } };
	gk_assert_err(GK_ERR_POLICY, give_tek(k, 0, &tek));
	assert_int_equal(kernel.n, 2); /* .1, and .2 with .3 */
	give(k, 0, 1, GDOI_TEK_CURRENT);
	assert_int_equal(kernel.n, 4);
	bad = 0;
	gdoi_kernel_leave(k, 0);
	assert_int_equal(kernel.n, 0);
	gdoi_kernel_free(k);
	assert_int_equal(bad, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(xfrm,
		       one_of_two_groups_is_left_and_the_others_sa_is_as_it_would_be_alone),
		GK_RUN(xfrm, a_group_whose_sas_end_hands_the_selector_on),
		GK_RUN(xfrm,
		       what_one_group_keeps_closed_stays_closed_when_another_is_left),
		GK_RUN(xfrm,
		       fail_open_drops_the_policies_with_the_last_sa_of_any_group),
		GK_RUN(xfrm,
		       what_the_kernel_has_but_once_is_not_taken_from_another_group),
		GK_RUN(xfrm,
		       what_is_let_in_ends_with_the_last_group_that_receives),
		GK_RUN(xfrm, esp_and_ah_with_one_spi_are_two_sas),
		GK_RUN(xfrm, a_fence_where_an_sa_stands_goes_with_its_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
