/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gcks_forge.h"
#include "gsakmp/tests/gm_forge.h"

#include "common/base/gk_check.h"
#include "gsakmp/engine/gm_state.h"

/*
 * Every Notification Type of Table 22 in every message that carries one, both
 * ways: what says yes is taken for yes, all others for the refusal that they
 * are, whatever mode the receiver is configured for; a type that the table does
 * not have is refused, and what was going on goes on.
 */
static const uint8_t one_ack[] = { 0 };
static const uint8_t a_choice[] = { 0, 0, 14 }; /* key creation, MODP-2048 */
static const uint8_t octets[20] = "some opaque octets.";

static const struct row {
	uint16_t type;
	const char *name; /* NULL: the table has no such type */
} table[] = {
#define X(name, value, text) { value, text },
	GSAKMP_NOTIFY_LIST(X)
#undef X
		{ 2, NULL },
	{ 3, NULL },
	{ 10, NULL },
	{ 11, NULL },
	{ 15, NULL },
	{ 16, NULL },
	{ 18, NULL },
	{ 20, NULL },
	{ 21, NULL },
	{ 22, NULL },
	{ 24, NULL },
	{ 25, NULL },
	{ 38, NULL },
	{ 49152, NULL },
	{ 49154, NULL },
	{ 65535, NULL },
};

/* Of the form that section 7.9.1 gives it, where it gives one. */
static struct gk_slice
data_of(uint16_t type)
{
	switch (type) {
	case GSAKMP_NOTIFY_ACKNOWLEDGEMENT:
		return (struct gk_slice){ one_ack, sizeof(one_ack) };
	case GSAKMP_NOTIFY_COOKIE_REQUIRED:
	case GSAKMP_NOTIFY_COOKIE:
		return (struct gk_slice){ octets, sizeof(octets) };
	case GSAKMP_NOTIFY_MECHANISM_CHOICES:
		return (struct gk_slice){ a_choice, sizeof(a_choice) };
	case GSAKMP_NOTIFY_IPV4_VALUE:
		return (struct gk_slice){ octets, 4 };
	case GSAKMP_NOTIFY_IPV6_VALUE:
		return (struct gk_slice){ octets, 16 };
	default:
		return (struct gk_slice){ 0 };
	}
}

static struct world_config
mode(bool verbose)
{
	struct world_config cfg = world_plain(31);

	cfg.verbose = verbose;
	return cfg;
}

static void
see_state(void *ctx, const struct gsakmp_group_row *row)
{
	*(const char **)ctx = row->state;
}

static const char *
state(struct fixture *f)
{
	const char *s = "none";

	gsakmp_group_members(f->w->group, see_state, &s);
	return s;
}

/* What is refused without looking at what it says. */
static void
not_of_the_table(struct fixture *f)
{
	assert_string_equal(f->m->seen.req, "RFC4535-7.9.2-02");
}

GK_TEST(rfc4535_5_2_1_3_07, every_request_to_join_error_ends_the_join)
{
	for (int verbose = 0; verbose < 2; verbose++) {
		const struct world_config cfg = mode(verbose != 0);
		struct gk_buf dgram = { 0 };
		struct fixture f;

		fixture_up(&f, &cfg, SERVER_NAME);
		simnet_cut(f.w->net, f.w->worker[0].node, true);
		for (size_t i = 0; i < GK_COUNT(table); i++) {
			const struct row *r = &table[i];
			struct gm_session s = { 0 };

			world_join(f.m);
			gm_read_rtj(&f, &s);
			gm_forge_unsigned(
				&f, GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
				s.rtj->nonce[GSAKMP_NONCE_INITIATOR].data,
				r->type, data_of(r->type), &dgram);
			test_free(s.rtj);
			if (r->name == NULL) {
				gm_refused(&f, gk_buf_slice(&dgram), NULL);
				not_of_the_table(&f);
				gk_assert_ok(gsakmp_gm_leave(
					f.m->gm, false, simnet_now(f.w->net)));
				world_drain_member(f.m);
				continue;
			}
			gk_assert_ok(
				world_to_member(f.m, gk_buf_slice(&dgram)));
			assert_true(f.m->gm->join.refused);
			assert_int_equal(f.m->gm->join.why.notify, r->type);
			world_pass(f.w, 6000);
			assert_int_equal(gsakmp_gm_state(f.m->gm),
			                 GSAKMP_GM_IDLE);
		}
		gk_buf_free(&dgram);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_5_2_1_4_16, every_acknowledgement_that_is_none_is_a_failure)
{
	for (size_t i = 0; i < 2 * GK_COUNT(table); i++) {
		const struct row *r = &table[i / 2];
		const struct world_config cfg = mode(i % 2 != 0);
		struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
		struct gcks_forge how = {
			.exchange = GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK,
			.no_certs = true,
			.notify = r->type,
			.notify_data = data_of(r->type),
			.notify_none = true,
		};
		struct gk_buf dgram = { 0 };
		struct fixture f;

		fixture_up(&f, &cfg, ALICE_NAME);
		how.m = f.m;
		how.nonce = gcks_wait_for_ack(&f, msg);
		if (r->name == NULL) {
			gcks_refused(f.w, &how, "RFC4535-7.9.2-02",
			             GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
			assert_string_equal(state(&f), "pending");
		} else {
			gcks_forge(&how, &dgram);
			gk_assert_ok(world_to_server(f.w, gk_buf_slice(&dgram),
			                             f.m->node));
			assert_string_equal(
				state(&f),
				r->type == GSAKMP_NOTIFY_ACKNOWLEDGEMENT
					? "active"
					: "overdue");
		}
		gk_buf_free(&dgram);
		test_free(msg);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_5_2_1_5_14, lack_of_ack_is_answered_whatever_it_says)
{
	for (int verbose = 0; verbose < 2; verbose++) {
		const struct world_config cfg = mode(verbose != 0);
		struct gk_buf dgram = { 0 };
		struct fixture f;

		fixture_joined(&f, &cfg, SERVER_NAME);
		for (size_t i = 0; i < GK_COUNT(table); i++) {
			const struct row *r = &table[i];
			unsigned *sent =
				&f.m->seen.sent
					 [GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK];
			const unsigned before = *sent;

			gm_forge_notice(&f, GSAKMP_EXCHANGE_LACK_OF_ACK,
			                r->type, data_of(r->type), &dgram);
			if (r->name == NULL) {
				gm_refused(&f, gk_buf_slice(&dgram), NULL);
				not_of_the_table(&f);
				assert_int_equal(*sent, before);
				continue;
			}
			gk_assert_ok(
				world_to_member(f.m, gk_buf_slice(&dgram)));
			assert_int_equal(*sent, before + 1);
			assert_int_equal(gm_last_af(&f),
			                 GSAKMP_NOTIFY_ACKNOWLEDGEMENT);
			assert_true(world_has_current(f.m));
		}
		gk_buf_free(&dgram);
		fixture_down(&f);
	}
}

/* RFC4535-5.3.2.3.2-15 to -21 */
static void
departure_answered(struct fixture *f, const struct row *r, bool verbose)
{
	const enum gsakmp_gm_state now = gsakmp_gm_state(f->m->gm);

	if (r->type == GSAKMP_NOTIFY_DEPARTURE_ACCEPTED) {
		assert_int_equal(now, GSAKMP_GM_IDLE);
		assert_int_equal(
			gm_last_notify(f, GSAKMP_EXCHANGE_DEPARTURE_ACK),
			GSAKMP_NOTIFY_ACKNOWLEDGEMENT);
		assert_int_equal(f->m->seen.count[GSAKMP_OUT_LEFT], 1);
		return;
	}
	assert_true(world_has_current(f->m));
	if (r->type == GSAKMP_NOTIFY_REQUEST_TO_DEPART_ERROR) {
		assert_int_equal(now, GSAKMP_GM_MEMBER);
		assert_int_equal(f->m->gm->departure.nonce_i.len, 0);
		assert_int_equal(f->m->gm->departure.rtd.len, 0);
		assert_int_equal(f->m->seen.count[GSAKMP_OUT_DEPART_REFUSED],
		                 1);
		assert_int_equal(f->m->seen.sent[GSAKMP_EXCHANGE_DEPARTURE_ACK],
		                 0);
	} else if (r->name == NULL) {
		assert_int_equal(now, GSAKMP_GM_DEPARTING);
		not_of_the_table(f);
		assert_int_equal(f->m->seen.sent[GSAKMP_EXCHANGE_DEPARTURE_ACK],
		                 0);
	} else {
		assert_int_equal(now, GSAKMP_GM_MEMBER);
		assert_int_equal(f->m->gm->departure.nonce_i.len, 0);
		assert_int_equal(f->m->gm->departure.rtd.len, 0);
		assert_string_equal(f->m->seen.req, "RFC4535-5.3.2.3.2-15");
		assert_int_equal(
			gm_last_notify(f, GSAKMP_EXCHANGE_DEPARTURE_ACK),
			verbose ? GSAKMP_NOTIFY_PAYLOAD_MALFORMED
				: GSAKMP_NOTIFY_NACK);
	}
}

GK_TEST(rfc4535_5_3_2_3_2_15, every_departure_response_is_a_yes_or_a_no)
{
	GK_BREAKS("RFC4535-5.3.2.3.2-16", "RFC4535-5.3.2.3.2-17",
	          "RFC4535-5.3.2.3.2-18", "RFC4535-5.3.2.3.2-19",
	          "RFC4535-5.3.2.3.3-02");
	for (size_t i = 0; i < 2 * GK_COUNT(table); i++) {
		const struct row *r = &table[i / 2];
		const struct world_config cfg = mode(i % 2 != 0);
		struct gk_buf dgram = { 0 };
		struct fixture f;

		fixture_joined(&f, &cfg, SERVER_NAME);
		simnet_cut(f.w->net, f.w->worker[0].node, true);
		gk_assert_ok(
			gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
		world_drain_member(f.m);
		gm_forge_notice(&f, GSAKMP_EXCHANGE_DEPARTURE_RESPONSE, r->type,
		                data_of(r->type), &dgram);
		if (r->type == GSAKMP_NOTIFY_DEPARTURE_ACCEPTED ||
		    r->type == GSAKMP_NOTIFY_REQUEST_TO_DEPART_ERROR)
			gk_assert_ok(
				world_to_member(f.m, gk_buf_slice(&dgram)));
		else
			assert_int_not_equal(
				world_to_member(f.m, gk_buf_slice(&dgram)),
				GK_OK);
		departure_answered(&f, r, cfg.verbose);
		gk_buf_free(&dgram);
		fixture_down(&f);
	}
}

/* What the key server answered the departure with: Nonce_C. */
static struct gk_slice
ask_to_depart(struct fixture *f, struct gsakmp_message *msg)
{
	const struct gsakmp_parse how = { .dialect = &f->w->cfg.dialect };
	struct gsakmp_reject why;
	struct gk_buf rtd = { 0 };
	struct gk_buf *sent;

	gcks_forge(
		&(struct gcks_forge){
			.m = f->m,
			.exchange = GSAKMP_EXCHANGE_REQUEST_TO_DEPART },
		&rtd);
	gk_assert_ok(world_to_server(f->w, gk_buf_slice(&rtd), f->m->node));
	gk_buf_free(&rtd);
	sent = &f->w->seen.last_sent[GSAKMP_EXCHANGE_DEPARTURE_RESPONSE];
	gk_assert_ok(
		gsakmp_message_parse(&how, sent->ptr, sent->len, msg, &why));
	assert_int_equal(msg->notification[0].type,
	                 GSAKMP_NOTIFY_DEPARTURE_ACCEPTED);
	return msg->nonce[GSAKMP_NONCE_COMBINED].data;
}

GK_TEST(rfc4535_5_3_2_3_3_09, only_an_acknowledgement_makes_a_departure_final)
{
	GK_BREAKS("RFC4535-5.3.2.3.3-14");
	for (size_t i = 0; i < 2 * GK_COUNT(table); i++) {
		const struct row *r = &table[i / 2];
		const struct world_config cfg = mode(i % 2 != 0);
		struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
		struct gcks_forge how = {
			.exchange = GSAKMP_EXCHANGE_DEPARTURE_ACK,
			.no_certs = true,
			.notify = r->type,
			.notify_data = data_of(r->type),
			.notify_none = true,
		};
		struct gk_buf dgram = { 0 };
		struct fixture f;

		fixture_joined(&f, &cfg, ALICE_NAME);
		how.m = f.m;
		how.nonce = ask_to_depart(&f, msg);
		if (r->name == NULL) {
			gcks_refused(f.w, &how, "RFC4535-7.9.2-02",
			             GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
		} else {
			gcks_forge(&how, &dgram);
			gk_assert_ok(world_to_server(f.w, gk_buf_slice(&dgram),
			                             f.m->node));
		}
		assert_string_equal(state(&f),
		                    r->type == GSAKMP_NOTIFY_ACKNOWLEDGEMENT
		                            ? "leaving"
		                            : "active");
		gk_buf_free(&dgram);
		test_free(msg);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_7_9_2_02, the_table_here_is_the_whole_of_table_22)
{
	for (unsigned type = 0; type < 65536; type++) {
		const bool known =
			gsakmp_code_text(GSAKMP_TABLE_NOTIFY, type)[0] != 'u' &&
			gsakmp_code_text(GSAKMP_TABLE_NOTIFY, type)[0] != 'p';
		bool named = type == GSAKMP_NOTIFY_EXPULSION; /* test_sgcks */

		for (size_t i = 0; i < GK_COUNT(table); i++)
			named |= table[i].name != NULL && table[i].type == type;
		assert_int_equal(known, named);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_3_07,
		       every_request_to_join_error_ends_the_join),
		GK_RUN(rfc4535_5_2_1_4_16,
		       every_acknowledgement_that_is_none_is_a_failure),
		GK_RUN(rfc4535_5_2_1_5_14,
		       lack_of_ack_is_answered_whatever_it_says),
		GK_RUN(rfc4535_5_3_2_3_2_15,
		       every_departure_response_is_a_yes_or_a_no),
		GK_RUN(rfc4535_5_3_2_3_3_09,
		       only_an_acknowledgement_makes_a_departure_final),
		GK_RUN(rfc4535_7_9_2_02,
		       the_table_here_is_the_whole_of_table_22),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/notify", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
