/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "gsakmp/engine/gm_state.h"

/*
 * Rekey Events at a member: what is refused changes nothing, what is missed is
 * noticed.  RFC 4535 sections 5.3.1 and 7.5.2, RFC 4534 B.5.
 */

GK_TEST(rfc4535_5_3_1_1_03, rekey_with_any_octet_flipped_is_discarded)
{
	struct world_config cfg = world_plain(5);
	const struct gsakmp_parse how = { .dialect = &cfg.dialect };
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gsakmp_reject why;
	size_t end;
	struct gk_buf dgram = { 0 };
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	gm_next_rekey(&f, &dgram);
	/* Certificates stand behind the signature and are not under it: a
	 * member that knows the server's need not care. */
	gk_assert_ok(
		gsakmp_message_parse(&how, dgram.ptr, dgram.len, msg, &why));
	end = msg->certificate[0].at - GSAKMP_GENERIC_LEN;
	for (size_t i = 0; i < end; i++) {
		dgram.ptr[i] ^= 0x11;
		gm_refused(&f, gk_buf_slice(&dgram), NULL);
		dgram.ptr[i] ^= 0x11;
	}
	for (size_t n = 0; n < dgram.len; n += 7)
		gm_refused(&f, (struct gk_slice){ dgram.ptr, n }, NULL);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	assert_true(world_has_current(f.m));
	gk_buf_free(&dgram);
	test_free(msg);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_1_2_09, rekey_heard_twice_is_a_replay)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 };
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	gm_next_rekey(&f, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	gm_refused(&f, gk_buf_slice(&dgram), "RFC4535-7.1.2-09");
	/* and no answer is ever sent: RFC4535-7.1.2-10 */
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_SEND], 2);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_1_1_13, sequence_survives_a_restart_of_the_member)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 };
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	gm_next_rekey(&f, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	world_restart_member(f.m);
	world_join(f.m);
	world_pass(f.w, 5000);
	assert_true(world_has_current(f.m));
	gm_refused(&f, gk_buf_slice(&dgram), "RFC4535-7.1.2-09");
	gk_buf_free(&dgram);
	fixture_down(&f);
}

GK_TEST(rfc4534_b_5_1_01, rekey_by_somebody_the_token_does_not_name)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 }, other = { 0 };
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	gm_next_rekey(&f, &dgram);
	gm_sign_again(&f, gk_buf_slice(&dgram), 99, &f.mallory, "CN=mallory",
	              &other);
	gm_refused(&f, gk_buf_slice(&other), "RFC4534-B.5.1-01");
	gk_buf_free(&other);
	gm_sign_again(&f, gk_buf_slice(&dgram), 99, &f.self, "CN=Server",
	              &other);
	gm_refused(&f, gk_buf_slice(&other), "RFC4535-7.8.2-07");
	gk_buf_free(&other);
	/* nor may it destroy the group */
	gm_sign_again(&f, gk_buf_slice(&dgram), GSAKMP_SEQUENCE_DESTROY,
	              &f.mallory, "CN=mallory", &other);
	gm_refused(&f, gk_buf_slice(&other), "RFC4534-B.5.1-01");
	gk_buf_free(&other);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

/* Of two rekey protocols the first is that of the group: who may speak by the
 * second alone is nobody. */
GK_TEST(rfc4534_3_08, a_rekey_by_the_second_protocol_is_refused)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 }, other = { 0 };
	struct fixture f;

	GK_BREAKS("RFC4534-3-08");
	cfg.other_rekey = true;
	fixture_joined(&f, &cfg, SERVER_NAME);
	gm_next_rekey(&f, &dgram);
	gm_sign_again(&f, gk_buf_slice(&dgram), 99, &f.mallory, "CN=mallory",
	              &other);
	gm_refused(&f, gk_buf_slice(&other), "RFC4534-B.5.1-01");
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	assert_true(world_has_current(f.m));
	gk_buf_free(&other);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_5_2_04, old_event_is_refused_where_that_is_configured)
{
	for (int strict = 0; strict < 2; strict++) {
		struct world_config cfg = world_plain(5);
		struct gk_buf dgram = { 0 };
		struct fixture f;

		cfg.gm.rekey_max_age_s = strict ? 60 : 0;
		fixture_joined(&f, &cfg, SERVER_NAME);
		gm_next_rekey(&f, &dgram);
		world_pass(f.w, 61000);
		if (strict)
			gm_refused(&f, gk_buf_slice(&dgram),
			           "RFC4535-7.5.2-04");
		else
			gk_assert_ok(
				world_to_member(f.m, gk_buf_slice(&dgram)));
		gk_buf_free(&dgram);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_7_5_2_16, keys_of_an_old_event_are_not_taken_again)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf old = { 0 }, again = { 0 };
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	gm_next_rekey(&f, &old);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&old)));
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 1000);
	assert_true(world_has_current(f.m));
	/* a server that repeats itself under a new Sequence ID */
	gm_sign_again(&f, gk_buf_slice(&old), 99, &f.w->server, "CN=Server",
	              &again);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&again)));
	assert_string_equal(f.m->seen.req, "RFC4535-7.5.2-16");
	assert_true(world_has_current(f.m));
	gk_buf_free(&old);
	gk_buf_free(&again);
	fixture_down(&f);
}

/* Packages under the member's leaf key: one Rekey Event Data. */
static struct gk_buf
data_of(struct fixture *f, const struct gk_lkh_key *leaf,
        const struct gsakmp_keys *keys)
{
	const struct gsakmp_wrapping with = {
		.type = f->m->gm->policy->kek_type,
		.id = leaf->id,
		.handle = leaf->handle,
		.key = gk_lkh_key_slice(leaf)
	};
	struct gk_buf out = { 0 };

	gk_assert_ok(gsakmp_rekey_seal(&f->w->env, &f->w->cfg.dialect, &with,
	                               keys, &out));
	return out;
}

static void
add(struct gsakmp_keys *keys, enum gsakmp_item_type item, uint16_t type,
    uint32_t id, uint32_t handle, int64_t created, struct gk_slice octets)
{
	struct gsakmp_key_datum d = {
		.type = type, .id = id, .handle = handle, .key = octets
	};

	gk_zulu_format(created, d.created);
	gk_zulu_format(created + 3600, d.expires);
	gk_assert_ok(gsakmp_keys_add(keys, item, &d));
}

enum bad_package {
	NO_SUCH_KEY,
	OLDER_KEY,
	OTHER_KEY,
	OTHER_GTPK,
	NO_SUCH_TYPE,
	TWICE,
};

/* Two Datas: a good traffic key with a bad package beside it, and a good KEK. */
static void
mixed_event(struct fixture *f, enum bad_package bad, struct gk_buf *dgram)
{
	static const uint8_t octets[GSAKMP_KEY_DATA_MAX] = { 1, 2, 3 };
	const struct gsakmp_gm *gm = f->m->gm;
	const struct gk_lkh_key *leaf = &gm->keks.keys[0];
	const struct gk_lkh_key *next = &gm->keks.keys[1];
	const struct gk_traffic_key *gtpk = &gm->gtpk[0];
	struct gsakmp_keys *keys = test_calloc(1, sizeof(*keys));
	int64_t utc = simnet_now(f->w->net).utc_s;
	struct gk_slice kek = { octets, leaf->len };
	struct gsakmp_rekey_event event = {
		.type = GSAKMP_REKEY_LKH,
		.inner_type = GSAKMP_REKEY_LKH,
		.version = GSAKMP_LKH_VERSION,
		.count = 2,
		.groupid = gsakmp_gm_groupid(gm).value,
	};
	const struct gk_slice der = gk_cert_der(f->w->server.cert);
	const struct gsakmp_sign sign = {
		.signer = f->w->server.signer,
		.type = GSAKMP_SIGNATURE_ECDSA_P256,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = gk_buf_slice(&f->w->server_name),
		.utc = utc,
		.certs = &der,
		.n_certs = 1,
	};
	struct gk_buf datas, second;
	struct gsakmp_build b;

	add(keys, GSAKMP_ITEM_GTPK, (uint16_t)gtpk->type, gtpk->id, 0x777, utc,
	    (struct gk_slice){ octets, gtpk->len });
	add(keys, GSAKMP_ITEM_REKEY_LKH, gm->policy->kek_type,
	    bad == NO_SUCH_KEY ? 0x7f7f7f7f : leaf->id, 0x778,
	    bad == OLDER_KEY ? leaf->created - 1 : utc, kek);
	if (bad == OTHER_KEY)
		keys->datum[1].handle = leaf->handle;
	if (bad == OTHER_GTPK) {
		keys->datum[1] = keys->datum[0];
		keys->datum[0].handle = gtpk->handle;
		keys->item[1].type = GSAKMP_ITEM_GTPK;
	}
	if (bad == NO_SUCH_TYPE)
		keys->item[1].type = 2;
	if (bad == TWICE)
		keys->datum[1] = keys->datum[0];
	datas = data_of(f, leaf, keys);
	*keys = (struct gsakmp_keys){ 0 };
	add(keys, GSAKMP_ITEM_REKEY_LKH, gm->policy->kek_type, next->id, 0x779,
	    utc, kek);
	second = data_of(f, leaf, keys);
	gk_assert_ok(gk_buf_append(&datas, gk_buf_slice(&second)));
	event.data = gk_buf_slice(&datas);
	gk_zulu_format(utc, event.stamp);
	gsakmp_build_begin(&b, &f->w->cfg.dialect, GSAKMP_EXCHANGE_REKEY_EVENT,
	                   gsakmp_gm_groupid(gm), 50);
	gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	gsakmp_build_rekey_event(&b, &event);
	gk_assert_ok(gsakmp_build_finish(&b, &sign, dgram));
	gk_buf_free(&datas);
	gk_buf_free(&second);
	test_free(keys);
}

/* Decision "atomicity": what does not decode goes with its Rekey Event Data,
 * what is the wrong key goes alone, and another Data never suffers. */
GK_TEST(rfc4535_7_5_2_18, one_bad_package_among_good_ones)
{
	static const struct {
		enum bad_package bad;
		const char *req;
		bool others_taken;
	} rows[] = {
		{ NO_SUCH_KEY, "RFC4535-7.5.2-14", true },
		{ OLDER_KEY, "RFC4535-7.5.2-16", true },
		{ OTHER_KEY, "RFC4535-7.4.1.1-06", true },
		{ OTHER_GTPK, "RFC4535-7.4.1.1-06", true },
		{ NO_SUCH_TYPE, "RFC4535-7.5.2-12", false },
		{ TWICE, "RFC4535-7.4.1.1-06", false },
	};

	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		struct world_config cfg = world_plain(5);
		struct gk_buf dgram = { 0 };
		struct gsakmp_gm *gm;
		struct fixture f;
		uint32_t leaf;

		fixture_joined(&f, &cfg, SERVER_NAME);
		world_pass(f.w, 5000);
		gm = f.m->gm;
		assert_true(gm->keks.count > 1);
		leaf = gm->keks.keys[0].handle;
		mixed_event(&f, rows[i].bad, &dgram);
		gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
		assert_string_equal(f.m->seen.req, rows[i].req);
		assert_int_equal(f.m->seen.count[GSAKMP_OUT_REFUSED], 1);
		assert_true((gm->gtpk[0].handle == 0x777) ==
		            rows[i].others_taken);
		assert_int_equal(gm->keks.keys[0].handle, leaf);
		assert_int_equal(gm->keks.keys[1].handle, 0x779);
		gk_buf_free(&dgram);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_7_1_2_12, rekey_inside_a_version_2_message)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 }, v2 = { 0 };
	size_t header;
	struct gk_wr wr;
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	gm_next_rekey(&f, &dgram);
	header = GSAKMP_HEADER_FIXED + f.w->group_id.len;
	gk_assert_ok(gk_buf_alloc(&v2, header + dgram.len + 6));
	gk_wr_init(&wr, v2.ptr, v2.len);
	gsakmp_header_encode(&wr,
	                     &(struct gsakmp_header){
				     .groupid = { GSAKMP_GROUPID_OCTET_STRING,
	                                          f.w->group_id },
				     .next_payload = GSAKMP_PAYLOAD_VENDOR_ID,
				     .version = 2,
				     .exchange = GSAKMP_EXCHANGE_REKEY_EVENT,
				     .sequence = 2,
				     .length = (uint32_t)v2.len });
	gk_wr_bytes(&wr, gk_buf_slice(&dgram));
	gk_wr_bytes(&wr, gk_slice_str("v2data"));
	gk_assert_ok(gk_wr_done(&wr));
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&v2)));
	assert_true(world_has_current(f.m));
	gk_buf_free(&dgram);
	gk_buf_free(&v2);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_1_2_02, token_that_does_not_verify_spoils_its_message)
{
	struct world_config cfg = world_plain(5);
	const struct gsakmp_parse how = { .dialect = &cfg.dialect };
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_buf sealed = { 0 }, dgram = { 0 }, token = { 0 };
	const struct gk_buf *sent;
	struct gsakmp_gm_status status;
	struct gsakmp_reject why;
	struct gsakmp_build b;
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	simnet_listen(f.w->net, f.m->node, false);
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	sent = &f.w->seen.last_sent[GSAKMP_EXCHANGE_REKEY_EVENT];
	gk_assert_ok(
		gsakmp_message_parse(&how, sent->ptr, sent->len, msg, &why));
	gk_assert_ok(gk_buf_copy(&token, gk_buf_slice(&f.w->token)));
	for (int good = 0; good < 2; good++) {
		const struct gk_slice der = gk_cert_der(f.w->server.cert);
		const struct gsakmp_sign sign = {
			.signer = f.w->server.signer,
			.type = GSAKMP_SIGNATURE_ECDSA_P256,
			.id_type = GSAKMP_ID_DN_STRING,
			.signer_id = gk_buf_slice(&f.w->server_name),
			.utc = simnet_now(f.w->net).utc_s,
			.certs = &der,
			.n_certs = 1,
		};

		token.ptr[token.len - 1] ^= 1; /* broken, then mended */
		gk_assert_ok(gsakmp_rekey_token_seal(
			&f.w->env, &cfg.dialect,
			&(struct gsakmp_wrapping){
				.type = (uint16_t)f.m->gm->gtpk[0].type,
				.id = f.m->gm->gtpk[0].id,
				.handle = f.m->gm->gtpk[0].handle,
				.key = { f.m->gm->gtpk[0].octets,
		                         f.m->gm->gtpk[0].len } },
			GSAKMP_TOKEN_ASN1_V1, gk_buf_slice(&token), &sealed));
		gsakmp_build_begin(&b, &cfg.dialect,
		                   GSAKMP_EXCHANGE_REKEY_EVENT,
		                   msg->header.groupid, 50);
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
		gsakmp_build_policy_token(&b, GSAKMP_TOKEN_ASN1_V1,
		                          gk_buf_slice(&sealed));
		gsakmp_build_rekey_event(&b, &msg->rekey_event[0]);
		gk_assert_ok(gsakmp_build_finish(&b, &sign, &dgram));
		if (!good)
			gm_refused(&f, gk_buf_slice(&dgram), "RFC4534-2-10");
		else
			gk_assert_ok(
				world_to_member(f.m, gk_buf_slice(&dgram)));
		gk_buf_free(&sealed);
		gk_buf_free(&dgram);
	}
	gsakmp_gm_status(f.m->gm, &status);
	assert_int_equal(status.edition, 2);
	gk_buf_free(&token);
	test_free(msg);
	fixture_down(&f);
}

GK_TEST(rfc4534_b_5_5_01, overdue_rekey_makes_the_member_rejoin)
{
	struct world_config cfg = world_plain(5);
	struct fixture f;

	cfg.interval = 600;
	cfg.event_time = 86400;
	fixture_joined(&f, &cfg, SERVER_NAME);
	world_pass(f.w, 595 * 1000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_STALE], 0);
	world_pass(f.w, 20 * 1000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_STALE], 1);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_JOINED], 2);
	assert_true(world_has_current(f.m));
	fixture_down(&f);
}

GK_TEST(rfc4535_7_5_2_09, missed_rekey_is_noticed_and_made_good)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf lost = { 0 };
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	/* its own leaf key never changes, so lose an eviction's shape: another
	 * member that shares its path */
	world_join(world_member_add(f.w, "bob"));
	world_pass(f.w, 5000);
	gm_next_rekey(&f, &lost);
	assert_false(world_has_current(f.m));
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 20000);
	assert_true(world_has_current(f.m));
	gk_buf_free(&lost);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_1_1_04, old_key_is_kept_for_a_while_and_then_wiped)
{
	struct world_config cfg = world_plain(5);
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	world_pass(f.w, 20000);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 9000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_KEY_INSTALL], 2);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_KEY_WIPE], 0);
	world_pass(f.w, 2000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_KEY_WIPE], 1);
	assert_true(f.m->has_key);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_3_1_1_03,
		       rekey_with_any_octet_flipped_is_discarded),
		GK_RUN(rfc4535_7_1_2_09, rekey_heard_twice_is_a_replay),
		GK_RUN(rfc4535_7_1_1_13,
		       sequence_survives_a_restart_of_the_member),
		GK_RUN(rfc4534_3_08, a_rekey_by_the_second_protocol_is_refused),
		GK_RUN(rfc4534_b_5_1_01,
		       rekey_by_somebody_the_token_does_not_name),
		GK_RUN(rfc4535_7_5_2_04,
		       old_event_is_refused_where_that_is_configured),
		GK_RUN(rfc4535_7_5_2_16,
		       keys_of_an_old_event_are_not_taken_again),
		GK_RUN(rfc4535_7_5_2_18, one_bad_package_among_good_ones),
		GK_RUN(rfc4535_7_1_2_12, rekey_inside_a_version_2_message),
		GK_RUN(rfc4535_5_3_1_2_02,
		       token_that_does_not_verify_spoils_its_message),
		GK_RUN(rfc4534_b_5_5_01, overdue_rekey_makes_the_member_rejoin),
		GK_RUN(rfc4535_7_5_2_09, missed_rekey_is_noticed_and_made_good),
		GK_RUN(rfc4535_5_3_1_1_04,
		       old_key_is_kept_for_a_while_and_then_wiped),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gm_rekey", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}
