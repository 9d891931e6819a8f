/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gcks_forge.h"

#include "gsakmp/engine/group_state.h"

/*
 * A key server that has no memory to write down what it was told: then it was not
 * told, and whoever says it again is heard.
 *
 * The program is linked so that what asks for a row comes here first; the one number
 * @fail_at since it was set gets none.
 */
static unsigned fail_at;

enum gk_err __real_gk_group_member_changed(struct gk_group *g,
                                           struct gk_member *m);
enum gk_err __real_gk_group_member_state(struct gk_group *g,
                                         struct gk_member *m,
                                         enum gk_member_state state);
enum gk_err __real_gk_group_member_blob(struct gk_group *g, struct gk_member *m,
                                        struct gk_slice blob);
enum gk_err __real_gsakmp_group_store(struct gsakmp_group *g, const char *table,
                                      struct gk_slice key,
                                      struct gk_slice value);
enum gk_err __wrap_gk_group_member_changed(struct gk_group *g,
                                           struct gk_member *m);
enum gk_err __wrap_gk_group_member_state(struct gk_group *g,
                                         struct gk_member *m,
                                         enum gk_member_state state);
enum gk_err __wrap_gk_group_member_blob(struct gk_group *g, struct gk_member *m,
                                        struct gk_slice blob);
enum gk_err __wrap_gsakmp_group_store(struct gsakmp_group *g, const char *table,
                                      struct gk_slice key,
                                      struct gk_slice value);

static bool
fails(void)
{
	return fail_at != 0 && --fail_at == 0;
}

enum gk_err
__wrap_gk_group_member_changed(struct gk_group *g, struct gk_member *m)
{
	return fails() ? GK_ERR_NOMEM : __real_gk_group_member_changed(g, m);
}

enum gk_err
__wrap_gk_group_member_state(struct gk_group *g, struct gk_member *m,
                             enum gk_member_state state)
{
	return fails() ? GK_ERR_NOMEM
	               : __real_gk_group_member_state(g, m, state);
}

enum gk_err
__wrap_gk_group_member_blob(struct gk_group *g, struct gk_member *m,
                            struct gk_slice blob)
{
	return fails() ? GK_ERR_NOMEM : __real_gk_group_member_blob(g, m, blob);
}

enum gk_err
__wrap_gsakmp_group_store(struct gsakmp_group *g, const char *table,
                          struct gk_slice key, struct gk_slice value)
{
	return fails() ? GK_ERR_NOMEM
	               : __real_gsakmp_group_store(g, table, key, value);
}

static struct gk_member *
only_member(struct world *w)
{
	size_t cursor = 0;

	return gk_group_each(w->group->data, &cursor);
}

/* Registered, and its acknowledgement has not come in time; returns Nonce_C. */
static struct gk_slice
overdue(struct fixture *f, struct gsakmp_message *msg)
{
	struct world_config cfg = world_plain(3);
	struct gk_slice nonce_c;

	fixture_up(f, &cfg, ALICE_NAME);
	nonce_c = gcks_wait_for_ack(f, msg);
	world_pass(f->w, 11 * 1000);
	assert_int_equal(only_member(f->w)->state, GK_MEMBER_LEAVING);
	assert_true(gsakmp_group_unheard(only_member(f->w)));
	return nonce_c;
}

/* Until there is memory for all of it, nothing of it has happened. */
static void
heard_or_not(struct world *w, const struct gcks_forge *f)
{
	struct gk_buf dgram = { 0 };
	enum gk_err err = GK_ERR_NOMEM;
	unsigned n = 0;

	gcks_forge(f, &dgram);
	while (err != GK_OK) {
		fail_at = ++n;
		err = world_to_server(w, gk_buf_slice(&dgram), f->m->node);
		if (err == GK_OK)
			break;
		gk_assert_err(GK_ERR_NOMEM, err);
		assert_int_equal(fail_at, 0);
		assert_int_equal(only_member(w)->state, GK_MEMBER_LEAVING);
		assert_true(gsakmp_group_unheard(only_member(w)));
	}
	assert_true(n > 1);
	fail_at = 0;
	assert_false(gsakmp_group_unheard(only_member(w)));
	gk_buf_free(&dgram);
}

GK_TEST(rfc4535_5_3_2_3_3_14, departure_that_cannot_be_written_down_is_none)
{
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	const struct gsakmp_parse how = { .dialect = &(struct gsakmp_dialect){
						  0 } };
	struct gsakmp_reject why;
	struct gk_buf rtd = { 0 };
	const struct gk_buf *dr;
	struct fixture f;

	(void)overdue(&f, msg);
	gcks_forge(
		&(struct gcks_forge){
			.m = f.m,
			.exchange = GSAKMP_EXCHANGE_REQUEST_TO_DEPART },
		&rtd);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtd), f.m->node));
	dr = &f.w->seen.last_sent[GSAKMP_EXCHANGE_DEPARTURE_RESPONSE];
	gk_assert_ok(gsakmp_message_parse(&how, dr->ptr, dr->len, msg, &why));
	heard_or_not(f.w,
	             &(struct gcks_forge){
			     .m = f.m,
			     .exchange = GSAKMP_EXCHANGE_DEPARTURE_ACK,
			     .no_certs = true,
			     .nonce = msg->nonce[GSAKMP_NONCE_COMBINED].data });
	assert_int_equal(only_member(f.w)->state, GK_MEMBER_LEAVING);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	gk_buf_free(&rtd);
	test_free(msg);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_16, late_ack_that_cannot_be_written_down_is_none)
{
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_slice nonce_c;
	struct fixture f;

	nonce_c = overdue(&f, msg);
	heard_or_not(f.w, &(struct gcks_forge){
				  .m = f.m,
				  .exchange = GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK,
				  .no_certs = true,
				  .nonce = nonce_c });
	assert_int_equal(only_member(f.w)->state, GK_MEMBER_ACTIVE);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_ACTIVE], 1);
	test_free(msg);
	fixture_down(&f);
}

/* Whoever left by itself, and comes back when there is no memory for it, has left by
 * itself: what is said when its keys go hangs on that. */
GK_TEST(rfc4535_5_2_01, registration_that_cannot_be_written_down_is_none)
{
	static const uint8_t nonce[16] = "another nonce..";
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	struct fixture f;

	fixture_joined(&f, &cfg, ALICE_NAME);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	world_pass(f.w, 2000);
	assert_int_equal(only_member(f.w)->state, GK_MEMBER_LEAVING);
	gcks_forge(&(struct gcks_forge){ .m = f.m,
	                                 RTJ,
	                                 .nonce = { nonce, sizeof(nonce) } },
	           &rtj);
	fail_at = 1;
	gk_assert_err(GK_ERR_NOMEM,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_int_equal(fail_at, 0);
	assert_int_equal(only_member(f.w)->state, GK_MEMBER_LEAVING);
	assert_false(gsakmp_group_unheard(only_member(f.w)));
	world_join(f.m);
	world_pass(f.w, 2000);
	assert_int_equal(only_member(f.w)->state, GK_MEMBER_ACTIVE);
	gk_buf_free(&rtj);
	fixture_down(&f);
}

/* Registers, and there is no memory for row number @n of it. */
static enum gk_err
register_without(struct fixture *f, unsigned n)
{
	uint8_t nonce[16] = "a new nonce....";
	struct gk_buf rtj = { 0 };
	enum gk_err err;

	nonce[0] = (uint8_t)n;
	gcks_forge(&(struct gcks_forge){ .m = f->m,
	                                 RTJ,
	                                 .nonce = { nonce, sizeof(nonce) } },
	           &rtj);
	fail_at = n;
	err = world_to_server(f->w, gk_buf_slice(&rtj), f->m->node);
	gk_buf_free(&rtj);
	return err;
}

/* Nobody has a seat of whom nothing is known: he could not come again, and the key
 * server not start.  Who has one, and was given nothing, is overdue. */
GK_TEST(rfc4535_5_2_01, seat_without_a_download_goes_with_the_next_rekey)
{
	struct world_config cfg = world_plain(3);
	unsigned n = 1, seats = 0;
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	for (; register_without(&f, n) != GK_OK; n++) {
		struct gk_member *m = only_member(f.w);

		assert_int_equal(fail_at, 0);
		if (m != NULL) {
			seats++;
			assert_int_equal(
				gsakmp_member_layout(gk_member_blob(m)),
				gsakmp_member_layout_read);
			assert_int_equal(m->state, GK_MEMBER_LEAVING);
			assert_true(gsakmp_group_unheard(m));
		}
		gk_assert_ok(world_rekey(f.w));
		assert_null(only_member(f.w));
		world_restart(f.w);
	}
	assert_int_not_equal(fail_at, 0);
	fail_at = 0;
	assert_int_equal(n, 3);
	assert_int_equal(seats, 1);
	assert_int_equal(only_member(f.w)->state, GK_MEMBER_PENDING);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_3_2_3_3_14,
		       departure_that_cannot_be_written_down_is_none),
		GK_RUN(rfc4535_5_2_1_4_16,
		       late_ack_that_cannot_be_written_down_is_none),
		GK_RUN(rfc4535_5_2_01,
		       registration_that_cannot_be_written_down_is_none),
		GK_RUN(rfc4535_5_2_01,
		       seat_without_a_download_goes_with_the_next_rekey),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gcks_nomem", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
