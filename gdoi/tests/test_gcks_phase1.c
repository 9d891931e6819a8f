/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/server.h"

/*
 * Groups with different phase 1 policies at one key server: what none of them lists
 * is not agreed on, and under what one of them lists only that one is to be had.
 */
#define MID 0x1001

static const struct ike_suite weak = { .encryption = IKE_ENCRYPTION_AES_CBC,
	                               .key_bits = 128,
	                               .hash = IKE_HASH_SHA256,
	                               .auth = IKE_AUTH_PSK,
	                               .group = IKE_GROUP_ECP256 };
static const struct ike_suite strong = { .encryption = IKE_ENCRYPTION_AES_CBC,
	                                 .key_bits = 256,
	                                 .hash = IKE_HASH_SHA256,
	                                 .auth = IKE_AUTH_PSK,
	                                 .group = IKE_GROUP_ECP256 };
static const struct ike_suite nobodys = { .encryption = IKE_ENCRYPTION_AES_CBC,
	                                  .key_bits = 192,
	                                  .hash = IKE_HASH_SHA256,
	                                  .auth = IKE_AUTH_PSK,
	                                  .group = IKE_GROUP_ECP256 };
static const struct ike_suite signed_suite = { .encryption =
	                                               IKE_ENCRYPTION_AES_CBC,
	                                       .key_bits = 128,
	                                       .hash = IKE_HASH_SHA256,
	                                       .auth = IKE_AUTH_RSA,
	                                       .group = IKE_GROUP_ECP256 };

/* A policy points to its own as long as it is in force. */
static struct gdoi_phase1_policy list[5];
static bool lists[2]; /* which group has one */

static enum gk_err
change_to(int i, const struct ike_suite *suite)
{
	list[i].suite = *suite;
	world[0].template.phase1 = &list[i];
	world[0].now = now;
	return gw_set_policy(&world[0]);
}

static void
shape(struct gw *w, int i)
{
	if (!lists[i])
		return;
	w->template.phase1 = &list[i];
	w->template.n_phase1 = 1;
}

/* The server takes all four, nobody's first. */
static void
open_listing(bool first, bool second)
{
	lists[0] = first;
	lists[1] = second;
	list[0] = (struct gdoi_phase1_policy){ .suite = weak };
	list[1] = (struct gdoi_phase1_policy){ .suite = strong };
	shape_group = shape;
	open_server();
	shape_group = NULL;
	config[1].suite[0] = nobodys;
	config[1].suite[1] = weak;
	config[1].suite[2] = strong;
	config[1].suite[3] = signed_suite;
	config[1].n_suites = 4;
	config[1].aggressive = true;
	gdoi_gcks_set_ike(gcks, &config[1]);
}

static void
offer(const struct ike_suite *a, const struct ike_suite *b)
{
	config[0].suite[0] = *a;
	config[0].n_suites = 1;
	if (b != NULL)
		config[0].suite[config[0].n_suites++] = *b;
}

/* Message 1 with what was said last. */
static enum gk_err
begin_with(const struct ike_suite *a, const struct ike_suite *b)
{
	struct member m = member_at(1, 1);
	struct gk_buf out;
	enum gk_err err;

	offer(a, b);
	gk_assert_ok(ike_initiate(&env, &config[0], &m.path, now, &m.ike));
	out = say(m.ike);
	err = tell(&m, gk_buf_slice(&out));
	gk_buf_free(&out);
	disconnect(&m);
	return err;
}

static void
not_agreed(const struct ike_suite *a)
{
	gk_assert_err(GK_ERR_POLICY, begin_with(a, NULL));
	assert_int_equal(said.why.notify, ISAKMP_NOTIFY_NO_PROPOSAL_CHOSEN);
	assert_non_null(strstr(said.why.field, "no group's policy"));
}

static void
turned_away(const struct member *m, uint32_t message_id, int i)
{
	struct request r =
		request_new(m, message_id, gdoi_group_dialect(group[i]));

	write_1(&r, gdoi_group_id(group[i]));
	gk_assert_err(GK_ERR_POLICY, say_message(&r, 0));
	assert_string_equal(said.why.req, "RFC6407-3.4-03");
	assert_non_null(strstr(said.why.field, "Phase 1"));
	assert_notified(m, ISAKMP_NOTIFY_AUTHENTICATION_FAILED, message_id);
	assert_int_equal(members_of(i), 0);
	request_free(&r);
}

GK_TEST(rfc6407_2_02, what_no_policy_lists_is_not_agreed_on)
{
	struct member m;

	open_listing(true, true);
	not_agreed(&nobodys);
	/* By authentication as by strength. */
	not_agreed(&signed_suite);
	/* Not even where it is the first choice of both. */
	offer(&nobodys, &strong);
	m = connect_member();
	assert_int_equal(ike_suite(m.ike)->key_bits, 256);
	disconnect(&m);
	/* Nor by a mode that none of them lists. */
	config[0].aggressive = true;
	not_agreed(&weak);
	close_server();
}

GK_TEST(rfc6407_2_02, a_group_is_had_under_the_phase_1_that_it_lists)
{
	const struct ike_suite *of[] = { &weak, &strong };

	for (int i = 0; i < 2; i++) {
		struct member m;

		open_listing(true, true);
		offer(of[i], NULL);
		m = connect_member();
		turned_away(&m, MID, 1 - i);
		registered(&m, MID + 1, group[i]);
		disconnect(&m);
		close_server();
	}
}

GK_TEST(rfc6407_2_02, a_group_that_lists_none_takes_what_is_configured)
{
	struct member m;

	open_listing(true, false);
	offer(&nobodys, NULL);
	m = connect_member();
	turned_away(&m, MID, 0);
	registered(&m, MID + 1, group[1]);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_2_02, what_is_listed_changes_with_the_policies)
{
	struct request r;
	struct member m;

	open_listing(true, true);
	not_agreed(&nobodys);
	gk_assert_ok(change_to(2, &nobodys));
	offer(&nobodys, NULL);
	m = connect_member();
	registered(&m, MID, group[0]);
	not_agreed(&weak);
	/* A phase 1 that was agreed on before is judged at each PULL. */
	gk_assert_ok(change_to(3, &strong));
	r = request_new(&m, MID + 1, gdoi_group_dialect(group[0]));
	write_1(&r, gdoi_group_id(group[0]));
	gk_assert_err(GK_ERR_POLICY, say_message(&r, 0));
	assert_non_null(strstr(said.why.field, "Phase 1"));
	request_free(&r);
	disconnect(&m);
	/* A policy that is refused lists nothing. */
	world[0].template.rekey.sak.sig_algorithm = GDOI_SIG_ALG_RSA;
	assert_int_not_equal(change_to(4, &weak), GK_OK);
	not_agreed(&weak);
	/* What a group that is gone listed counts no more. */
	gk_assert_ok(gdoi_group_destroy(group[1], now));
	gw_drain(&world[1]);
	gk_assert_ok(begin_with(&strong, NULL)); /* of group 0 */
	gk_assert_ok(gdoi_group_destroy(group[0], now));
	gw_drain(&world[0]);
	gk_assert_ok(begin_with(&nobodys, NULL)); /* nobody says anything */
	close_server();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_2_02, what_no_policy_lists_is_not_agreed_on),
		GK_RUN(rfc6407_2_02,
		       a_group_is_had_under_the_phase_1_that_it_lists),
		GK_RUN(rfc6407_2_02,
		       a_group_that_lists_none_takes_what_is_configured),
		GK_RUN(rfc6407_2_02, what_is_listed_changes_with_the_policies),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
