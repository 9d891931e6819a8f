/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel that keeps a diary. */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "gdoi/install/kernel.h"
#include "gdoi/isakmp/isakmp_registry.h"

static const uint8_t group4[] = { 239, 1, 1, 1 }, other4[] = { 239, 1, 1, 2 };
static const uint8_t key[20], integrity[32];

static struct {
	char text[4096];
	int error; /* of the next message of type */
	uint16_t type;
	unsigned bad;
	char note[200];
} diary;

static const char *
policy_text(const struct xfrm_userpolicy_info *p, const struct nlmsghdr *h)
{
	static char text[64];
	static const char *const dirs[] = { "in", "out", "fwd" };
	const struct nlattr *tmpl = (const void *)(p + 1);
	const struct xfrm_user_tmpl *t = (const void *)(tmpl + 1);

	if (p->action == XFRM_POLICY_BLOCK)
		snprintf(text, sizeof(text), "%s=block", dirs[p->dir]);
	else if (h->nlmsg_len == NLMSG_LENGTH(sizeof(*p)))
		snprintf(text, sizeof(text), "%s=pass", dirs[p->dir]);
	else
		snprintf(text, sizeof(text), "%s=%u/%u", dirs[p->dir],
		         be32toh(t->id.spi), t->reqid);
	return text;
}

static int
on_send(void *arg, const struct gdoi_xfrm_message *m)
{
	const struct nlmsghdr *h = (const void *)m->octets;
	const void *body = m->octets + NLMSG_HDRLEN;
	size_t at = strlen(diary.text);
	char *to = diary.text + at;
	size_t room = sizeof(diary.text) - at;

	(void)arg;
	switch (h->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		snprintf(to, room, "%s%u/%u ",
		         h->nlmsg_type == XFRM_MSG_NEWSA ? "+" : "^",
		         be32toh(((const struct xfrm_usersa_info *)body)
		                         ->id.spi),
		         ((const struct xfrm_usersa_info *)body)->reqid);
		break;
	case XFRM_MSG_DELSA:
		snprintf(to, room, "-%u ",
		         be32toh(((const struct xfrm_usersa_id *)body)->spi));
		break;
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		snprintf(to, room, "%s%s ",
		         h->nlmsg_type == XFRM_MSG_NEWPOLICY ? "new:" : "",
		         policy_text(body, h));
		break;
	case XFRM_MSG_DELPOLICY:
		snprintf(to, room, "no-%u ",
		         ((const struct xfrm_userpolicy_id *)body)->dir);
		break;
	default:
		fail_msg("type %u", h->nlmsg_type);
	}
	if (diary.error == 0 || h->nlmsg_type != diary.type)
		return 0;
	at = (size_t)diary.error;
	diary.error = 0;
	return (int)at;
}

static void
on_note(void *arg, bool bad, const char *what, const struct gdoi_xfrm *x,
        int error)
{
	(void)arg;
	(void)x;
	diary.bad += bad;
	snprintf(diary.note, sizeof(diary.note), "%s %d", what, error);
}

static const struct gdoi_kernel_ops ops = { on_send, on_note, NULL };
static struct gdoi_kernel_config cfg = { .reqid = 70,
	                                 .priority = 9,
	                                 .window = 32 };

static void
assert_diary(const char *want)
{
	assert_string_equal(diary.text, want);
	diary.text[0] = '\0';
}

static struct gdoi_kernel *
begin(void)
{
	struct gdoi_kernel *k;

	memset(&diary, 0, sizeof(diary));
	k = gdoi_kernel_new(&cfg, &ops);
	assert_non_null(k);
	return k;
}

static struct gdoi_sat sat;

static struct gdoi_tek
tek_of(uint8_t spi, enum gdoi_tek_state state)
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
		                  .key = { key, 16 },
		                  .integrity = { integrity, 32 },
		                  .may_send = true };
}

static void
give(struct gdoi_kernel *k, const struct gdoi_tek *tek, enum gk_err want)
{
	char why[GDOI_XFRM_WHY];

	gk_assert_err(want, gdoi_kernel_tek(k, 0, tek, 1000, why));
}

static void
give_state(struct gdoi_kernel *k, uint8_t spi, enum gdoi_tek_state state)
{
	struct gdoi_tek tek = tek_of(spi, state);

	give(k, &tek, GK_OK);
}

static void
wipe(struct gdoi_kernel *k, uint8_t spi)
{
	struct gdoi_tek tek = tek_of(spi, GDOI_TEK_OLD);

	gdoi_kernel_tek_wipe(k, 0, &tek);
}

/* RFC 5374 section 4.2.1: receive with the new one first, then send with it, then
 * forget the old one; OUT is never without an SA in between. */
GK_TEST(rfc6407_5_4_1_01, one_sa_follows_another_without_a_gap)
{
	struct gdoi_kernel *k = begin();

	GK_SHOWS("RFC5374-4.2.1-01", "RFC5374-4.2.1-10", "RFC5374-4.2.1-12",
	         "RFC5374-4.2.1-16");
	give_state(k, 1, GDOI_TEK_CURRENT);
	assert_diary("+1/70 new:in=0/70 new:out=1/70 ");
	give_state(k, 2, GDOI_TEK_NEXT);
	assert_diary("");
	give_state(k, 2, GDOI_TEK_RECEIVE);
	assert_diary("+2/70 in=0/70 ");
	give_state(k, 2, GDOI_TEK_CURRENT);
	assert_diary("in=0/70 out=2/70 ");
	give_state(k, 1, GDOI_TEK_OLD);
	assert_diary("in=0/70 ");
	assert_int_equal(gdoi_kernel_count(k), 2);
	assert_false(gdoi_kernel_sa(k, 0).sending);
	assert_true(gdoi_kernel_sa(k, 1).sending);
	wipe(k, 1);
	assert_diary("-1 ");
	wipe(k, 1);
	assert_diary("");
	gdoi_kernel_free(k);
	assert_diary("-2 no-0 no-1 ");
	assert_int_equal(diary.bad, 0);
}

GK_TEST(xfrm, without_an_sa_nothing_leaves_in_clear_until_the_host_leaves)
{
	struct gdoi_kernel *k = begin();

	give_state(k, 1, GDOI_TEK_CURRENT);
	diary.text[0] = '\0';
	wipe(k, 1);
	assert_diary("in=block out=block -1 ");
	assert_int_equal(gdoi_kernel_blocked(k), 1);
	give_state(k, 3, GDOI_TEK_CURRENT);
	assert_diary("+3/70 in=0/70 out=3/70 ");
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	wipe(k, 3);
	diary.text[0] = '\0';
	gdoi_kernel_leave(k, 1);
	assert_diary("");
	gdoi_kernel_leave(k, 0);
	assert_diary("no-0 no-1 ");
	gdoi_kernel_free(k);
	assert_diary("");
	cfg.fail_open = true;
	k = begin();
	give_state(k, 1, GDOI_TEK_CURRENT);
	diary.text[0] = '\0';
	wipe(k, 1);
	assert_diary("no-0 no-1 -1 ");
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	gdoi_kernel_free(k);
	cfg.fail_open = false;
	assert_diary("");
}

GK_TEST(xfrm, one_who_may_not_send_sends_nothing)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_tek tek = tek_of(1, GDOI_TEK_CURRENT);

	tek.may_send = false;
	give(k, &tek, GK_OK);
	assert_diary("+1/70 new:in=0/70 new:out=block ");
	assert_string_equal(diary.note, "this member may not send 0");
	tek = tek_of(1, GDOI_TEK_CURRENT);
	give(k, &tek, GK_OK);
	assert_diary("in=0/70 out=1/70 ");
	give_state(k, 1, GDOI_TEK_OLD);
	assert_diary("in=0/70 out=block ");
	gdoi_kernel_free(k);
}

/* The other direction has none; what would be sent there is thrown away. */
GK_TEST(rfc5374_a_1_01, an_sa_of_one_direction)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_tek tek = tek_of(1, GDOI_TEK_CURRENT);

	GK_SHOWS("RFC5374-4.1.1-07");
	GK_BREAKS("RFC5374-A.1-01");
	sat.ipsec.direction = 2;
	give(k, &tek, GK_OK);
	assert_diary("+1/70 new:in=0/70 new:out=block ");
	gdoi_kernel_free(k);
	k = begin();
	tek = tek_of(1, GDOI_TEK_CURRENT);
	sat.ipsec.direction = 1;
	give(k, &tek, GK_OK);
	assert_diary("+1/70 new:out=1/70 ");
	gdoi_kernel_free(k);
}

/* The outer header is of the version of the inner one, or there is none. */
GK_TEST(rfc5374_4_1_2_02, a_tunnel_stays_within_one_version)
{
	static const uint8_t group6[16] = { 0xff, 0x15, [15] = 8 };
	struct gdoi_kernel *k;
	struct gdoi_tek tek;

	GK_BREAKS("RFC5374-4.1.2-02");
	for (int own6 = 0; own6 < 2; own6++) {
		cfg.local4 = (struct gdoi_address){ .ip = { 10, 0, 0, 7 },
			                            .ip_len = 4 };
		cfg.local6.ip[0] = 0xfd;
		cfg.local6.ip_len = own6 ? 16 : 0;
		k = begin();
		tek = tek_of(1, GDOI_TEK_CURRENT);
		sat.ipsec.encapsulation = 1;
		sat.ipsec.ep.dst = (struct gdoi_endpoint){
			ISAKMP_ID_IPV6_ADDR, 0, { group6, sizeof(group6) }
		};
		give(k, &tek, GK_OK);
		assert_diary(own6 ? "+1/70 new:in=0/70 new:fwd=0/70 "
		                    "new:out=1/70 "
		                  : "+1/70 new:in=0/70 new:fwd=0/70 "
		                    "new:out=block ");
		gdoi_kernel_free(k);
	}
	cfg.local4.ip_len = cfg.local6.ip_len = 0;
}

GK_TEST(xfrm, several_senders_of_a_counter_mode_only_listen)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_tek tek = tek_of(1, GDOI_TEK_CURRENT);

	sat.ipsec.transform = 20;
	sat.ipsec.authentication = 0;
	tek.key.len = 20;
	tek.integrity.len = 0;
	give(k, &tek, GK_OK);
	assert_diary("+1/70 new:in=0/70 new:out=block ");
	assert_string_equal(diary.note,
	                    "the kernel puts no sender id into its IVs; to "
	                    "send: CBC, one source for the SA, or "
	                    "'random-iv' 0");
	gdoi_kernel_free(k);
}

GK_TEST(xfrm, selectors_have_policies_of_their_own)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_tek tek;

	give_state(k, 1, GDOI_TEK_CURRENT);
	tek = tek_of(2, GDOI_TEK_CURRENT);
	sat.ipsec.ep.dst.data.ptr = other4;
	give(k, &tek, GK_OK);
	assert_diary("+1/70 new:in=0/70 new:out=1/70 "
	             "+2/71 new:in=0/71 new:out=2/71 ");
	wipe(k, 1);
	assert_diary("in=block out=block -1 ");
	gdoi_kernel_free(k);
	assert_diary("-2 no-0 no-1 no-0 no-1 ");
}

GK_TEST(xfrm, a_tunnel_lets_in_what_is_forwarded_too)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_tek tek = tek_of(1, GDOI_TEK_CURRENT);

	sat.ipsec.encapsulation = 1;
	give(k, &tek, GK_OK);
	assert_diary("+1/70 new:in=0/70 new:fwd=0/70 new:out=block ");
	assert_string_equal(
		diary.note,
		"no outer source address for a tunnel: 'address' of "
		"<network>, or 'source' of <kernel> 0");
	gdoi_kernel_free(k);
	assert_diary("-1 no-0 no-2 no-1 ");
}

/* After a crash everything is there already. */
GK_TEST(xfrm, what_an_earlier_life_left_is_taken_over)
{
	struct gdoi_kernel *k = begin();

	diary.error = EEXIST;
	diary.type = XFRM_MSG_NEWSA;
	give_state(k, 1, GDOI_TEK_CURRENT);
	assert_diary("+1/70 ^1/70 new:in=0/70 new:out=1/70 ");
	gdoi_kernel_free(k);
	k = begin();
	diary.error = EEXIST;
	diary.type = XFRM_MSG_NEWPOLICY;
	give_state(k, 1, GDOI_TEK_CURRENT);
	assert_diary("+1/70 new:in=0/70 in=0/70 new:out=1/70 ");
	assert_int_equal(diary.bad, 0);
	gdoi_kernel_free(k);
}

GK_TEST(xfrm, a_kernel_that_refuses_is_reported)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_tek tek = tek_of(1, GDOI_TEK_CURRENT);

	diary.error = EPROTONOSUPPORT;
	diary.type = XFRM_MSG_NEWSA;
	give(k, &tek, GK_ERR_IO);
	assert_diary("+1/70 new:out=block ");
	assert_int_equal(diary.bad, 1);
	assert_int_equal(gdoi_kernel_count(k), 0);
	assert_int_equal(gdoi_kernel_blocked(k), 1);
	give_state(k, 1, GDOI_TEK_CURRENT);
	assert_diary("+1/70 new:in=0/70 out=1/70 ");
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	/* Its time was up in the kernel, too. */
	diary.error = ESRCH;
	diary.type = XFRM_MSG_DELSA;
	wipe(k, 1);
	assert_int_equal(diary.bad, 1);
	gdoi_kernel_free(k);
}

/* A signature of the source: the kernel has no such thing. */
static struct gdoi_tek
impossible(uint8_t spi)
{
	struct gdoi_tek tek = tek_of(spi, GDOI_TEK_CURRENT);

	sat.ipsec.authentication = 10;
	return tek;
}

GK_TEST(xfrm, what_the_kernel_cannot_protect_does_not_leave_in_clear)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_tek tek = impossible(1);

	give(k, &tek, GK_ERR_POLICY);
	assert_diary("new:out=block ");
	assert_int_equal(gdoi_kernel_blocked(k), 1);
	give(k, &tek, GK_ERR_POLICY); /* nor twice */
	wipe(k, 1);
	assert_diary("");
	give_state(k, 2, GDOI_TEK_CURRENT);
	assert_diary("+2/70 new:in=0/70 out=2/70 ");
	/* What is sent with stays when its successor is impossible. */
	tek = impossible(3);
	give(k, &tek, GK_ERR_POLICY);
	assert_diary("");
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	gdoi_kernel_leave(k, 0);
	assert_diary("-2 no-0 no-1 ");
	give(k, &tek, GK_ERR_POLICY);
	gdoi_kernel_free(k);
	assert_diary("new:out=block no-1 ");
	cfg.fail_open = true;
	k = begin();
	give(k, &tek, GK_ERR_POLICY);
	assert_diary("");
	gdoi_kernel_free(k);
	cfg.fail_open = false;
}

GK_TEST(xfrm, what_is_no_ipsec_is_refused_and_leaves_nothing)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_tek tek = tek_of(1, GDOI_TEK_CURRENT);

	sat.protocol = GDOI_PROTOCOL_IEC_61850;
	give(k, &tek, GK_ERR_POLICY);
	gdoi_kernel_free(k);
	assert_diary("");
}

GK_TEST(xfrm, a_path_for_pushes)
{
	struct gdoi_kernel *k = begin();
	struct gdoi_kek_info kek = {
		.dst = { .ip = { 239, 9, 9, 9 }, .ip_len = 4, .port = 848 }
	};

	gdoi_kernel_kek(k, &kek, false);
	gdoi_kernel_kek(k, &kek, true);
	assert_diary("in=pass no-0 ");
	kek.dst.ip_len = 0;
	gdoi_kernel_kek(k, &kek, false);
	assert_diary("");
	gdoi_kernel_free(k);
}

/* XFRM_MSG_EXPIRE, as the kernel says it. */
struct expiry {
	struct nlmsghdr h;
	struct xfrm_user_expire e;
};

static struct expiry
expiry(uint8_t spi, bool hard, uint64_t octets)
{
	struct expiry x = { .h = { .nlmsg_len = sizeof(x),
		                   .nlmsg_type = XFRM_MSG_EXPIRE } };
	struct xfrm_usersa_info *sa = &x.e.state;

	sa->family = 2; /* AF_INET */
	sa->id.proto = 50;
	sa->id.spi = htobe32(spi);
	memcpy(&sa->id.daddr, group4, sizeof(group4));
	sa->lft.soft_byte_limit = 90 * 1024;
	sa->lft.hard_byte_limit = 100 * 1024;
	sa->curlft.bytes = octets;
	x.e.hard = hard;
	return x;
}

static bool
says(struct gdoi_kernel *k, const struct expiry *x, size_t len, bool up)
{
	struct gdoi_kernel_expiry e = { .group = 99 };

	if (!gdoi_kernel_expired(k, (struct gk_slice){ (const void *)x, len },
	                         &e))
		return false;
	assert_int_equal(e.group, 0);
	assert_int_equal(e.protocol, GDOI_PROTOCOL_ESP);
	assert_int_equal(e.spi[3], 1);
	assert_int_equal(e.up, up);
	return true;
}

GK_TEST(xfrm, what_the_kernel_says_of_kilobytes)
{
	struct gdoi_kernel *k = begin();
	struct expiry x = expiry(1, false, 90 * 1024);

	give_state(k, 1, GDOI_TEK_CURRENT);
	assert_true(says(k, &x, sizeof(x), false));
	for (size_t len = 0; len < sizeof(x); len++)
		assert_false(says(k, &x, len, false));
	x.h.nlmsg_len = sizeof(x) - 1;
	assert_false(says(k, &x, sizeof(x), false));
	x = expiry(1, true, 100 * 1024 + 1);
	assert_true(says(k, &x, sizeof(x), true));
	x.h.nlmsg_type = XFRM_MSG_NEWSA;
	assert_false(says(k, &x, sizeof(x), true));
	/* by time; of others */
	x = expiry(1, true, 99 * 1024);
	assert_false(says(k, &x, sizeof(x), true));
	x = expiry(2, true, 100 * 1024);
	assert_false(says(k, &x, sizeof(x), true));
	x = expiry(1, true, 100 * 1024);
	x.e.state.id.proto = 51;
	assert_false(says(k, &x, sizeof(x), true));
	x = expiry(1, true, 100 * 1024);
	memcpy(&x.e.state.id.daddr, other4, sizeof(other4));
	assert_false(says(k, &x, sizeof(x), true));
	gdoi_kernel_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_4_1_01, one_sa_follows_another_without_a_gap),
		GK_RUN(xfrm,
		       without_an_sa_nothing_leaves_in_clear_until_the_host_leaves),
		GK_RUN(xfrm, one_who_may_not_send_sends_nothing),
		GK_RUN(rfc5374_a_1_01, an_sa_of_one_direction),
		GK_RUN(rfc5374_4_1_2_02, a_tunnel_stays_within_one_version),
		GK_RUN(xfrm, several_senders_of_a_counter_mode_only_listen),
		GK_RUN(xfrm, selectors_have_policies_of_their_own),
		GK_RUN(xfrm, a_tunnel_lets_in_what_is_forwarded_too),
		GK_RUN(xfrm, what_an_earlier_life_left_is_taken_over),
		GK_RUN(xfrm, a_kernel_that_refuses_is_reported),
		GK_RUN(xfrm,
		       what_the_kernel_cannot_protect_does_not_leave_in_clear),
		GK_RUN(xfrm, what_is_no_ipsec_is_refused_and_leaves_nothing),
		GK_RUN(xfrm, a_path_for_pushes),
		GK_RUN(xfrm, what_the_kernel_says_of_kilobytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
