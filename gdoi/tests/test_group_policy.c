/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

/* Policies: what cannot be run, and what a later one changes. */
static struct gw w;

/* ---- refused ------------------------------------------------------------- */

static void
not_run(const char *req)
{
	struct gdoi_group_status s;

	gw_begin(&w);
	assert_true(gw_set_policy(&w) != GK_OK);
	assert_string_equal(w.why.req, req);
	gdoi_group_status(w.group, &s);
	assert_false(s.open);
	assert_int_equal(w.commits, 0);
	gw_free(&w);
}

GK_TEST(rfc6407_5_2_1_03, neither_rekey_nor_data_is_no_group)
{
	gw_init(&w, 0);
	w.template.rekey.on = false;
	w.template.n_data = 0;
	not_run("RFC6407-5.2.1-03");
}

GK_TEST(rfc6407_5_3_12, a_kek_that_is_none_or_too_weak)
{
	gw_init(&w, 0);
	w.template.rekey.sak.key_length = 100;
	not_run("RFC6407-5.3-12");
	gw_init(&w, 0);
	w.template.rekey.sak.algorithm = GDOI_KEK_ALG_DES;
	w.template.rekey.sak.key_length = 0;
	not_run("RFC6407-5.3-12");
}

GK_TEST(rfc6407_5_3_13, a_signature_that_the_key_cannot_make)
{
	gw_init(&w, 0);
	w.template.rekey.sak.sig_algorithm = GDOI_SIG_ALG_RSA;
	w.template.rekey.sak.sig_hash = GDOI_SIG_HASH_SHA256;
	not_run("RFC6407-5.3-13");
	gw_init(&w, 0);
	w.template.rekey.sak.sig_key_length = 384;
	not_run("RFC6407-5.3.7-01");
	gw_init(&w, 0);
	w.cfg.signer = NULL;
	not_run("RFC6407-5.3-13");
}

/* SIG_KEY_LENGTH may be missing; the curve is that of the key. */
GK_TEST(rfc6407_5_3_6_3_01, ecdss_goes_by_the_key)
{
	gw_init(&w, 2);
	w.template.rekey.sak.sig_algorithm = GDOI_SIG_ALG_ECDSS;
	w.template.rekey.sak.sig_hash = GDOI_SIG_HASH_SHA256;
	w.template.rekey.sak.sig_key_length = 0;
	w.cfg.legacy_ok = true;
	gw_open_with(&w, 2);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 2);
	gw_free(&w);
}

GK_TEST(rfc6407_5_6_4_1_01, counter_modes_want_sender_ids)
{
	gw_init(&w, 0);
	w.template.sid_bits = 0;
	not_run("RFC6407-5.6.4.1-01");
}

GK_TEST(rfc6407_6_2_01, a_weak_transform_has_to_be_allowed)
{
	struct gdoi_sat sat = gw_esp_cbc;

	gw_init(&w, 1);
	sat.ipsec.transform = 3; /* 3DES */
	sat.ipsec.key_length = 0;
	gw_set_data(&w, 1, &sat);
	not_run("RFC6407-6.2-01");
	gw_init(&w, 1);
	gw_set_data(&w, 1, &sat);
	w.cfg.legacy_ok = true;
	gw_open_with(&w, 1);
	assert_int_equal(gw_readers(&w), 1);
	gw_free(&w);
}

/* A later one that cannot be run leaves the group as it is. */
GK_TEST(rfc6407_5_3_12, a_bad_edition_changes_nothing)
{
	uint8_t before[32], after[32];

	gw_init(&w, 2);
	gw_open_with(&w, 2);
	gdoi_group_digest(w.group, before);
	w.template.rekey.sak.key_length = 7;
	gk_assert_err(GK_ERR_POLICY, gw_set_policy(&w));
	gdoi_group_digest(w.group, after);
	assert_memory_equal(before, after, 32);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 2);
	gw_free(&w);
}

/* ---- changed ------------------------------------------------------------- */

GK_TEST(rfc6407_4_3_01, the_same_policy_again_sends_nothing)
{
	gw_init(&w, 2);
	gw_open_with(&w, 2);
	gk_assert_ok(gw_set_policy(&w));
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	assert_int_equal(w.count[GDOI_OUT_POLICY], 2);
	gw_free(&w);
}

GK_TEST(rfc6407_7_4_1_01, an_edition_that_admits_fewer_evicts_the_others)
{
	struct gdoi_group_status s;

	gw_init(&w, 10);
	gw_open_with(&w, 10);
	w.template.edition = 101;
	gk_assert_ok(gw_set_policy(&w));
	assert_int_equal(gw_readers(&w), 5);
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.n_members, 5);
	assert_int_equal(s.edition, 101);
	/* They are not barred: the next edition may admit them. */
	assert_int_equal(s.n_barred, 0);
	gk_assert_err(GK_ERR_POLICY, gw_register(&w, &w.member[1]));
	w.template.edition = 102;
	gk_assert_ok(gw_set_policy(&w));
	gk_assert_ok(gw_register(&w, &w.member[1]));
	assert_int_equal(gw_readers(&w), 6);
	gw_free(&w);
}

/* While nobody was there to see it. */
GK_TEST(rfc6407_7_4_1_01, also_an_edition_that_comes_with_a_restart)
{
	gw_init(&w, 10);
	gw_open_with(&w, 10);
	w.template.edition = 103;
	gw_restart(&w);
	gw_after(&w, 2);
	assert_int_equal(gw_readers(&w), 5);
	gw_free(&w);
}

GK_TEST(rfc6407_4_3_03, other_data_sas_replace_those_that_are_gone)
{
	const struct gdoi_sat two[] = { gw_esp_cbc, gw_ah };

	gw_init(&w, 3);
	gw_open_with(&w, 3);
	gw_set_data(&w, 2, two);
	gk_assert_ok(gw_set_policy(&w));
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 1);
	assert_int_equal(w.n_tek, 2);
	assert_int_equal(gw_readers(&w), 3);
	assert_true(w.member[0].tek[0].deleted);
	/* One of them stays when the other goes, with its keys. */
	gw_set_data(&w, 1, &two[1]);
	gk_assert_ok(gw_set_policy(&w));
	assert_int_equal(w.n_tek, 1);
	assert_int_equal(gw_readers(&w), 3);
	assert_int_equal(w.member[2].n_teks, 3);
	assert_true(w.member[2].tek[1].deleted);
	gw_free(&w);
}

GK_TEST(rfc6407_4_06, another_sak_is_another_rekey_sa)
{
	gw_init(&w, 3);
	gw_open_with(&w, 3);
	w.template.rekey.sak.lifetime = 1000;
	gk_assert_ok(gw_set_policy(&w));
	assert_int_equal(w.member[1].n_keks, 2);
	assert_int_equal(w.member[1].kek[0].sak.lifetime, 1000);
	gw_free(&w);
}

/* A tree of another shape: everybody registers again. */
GK_TEST(rfc6407_5_9_07, a_change_that_the_tree_cannot_follow_starts_over)
{
	gw_init(&w, 4);
	gw_open_with(&w, 4);
	gk_assert_ok(gw_evict(&w, &w.member[3]));
	w.template.rekey.lkh_degree = 4;
	gk_assert_ok(gw_set_policy(&w));
	for (size_t i = 0; i < 3; i++) {
		assert_true(w.member[i].deleted_all);
		gk_assert_ok(gw_register(&w, &w.member[i]));
	}
	assert_int_equal(gw_readers(&w), 3);
	/* Who was evicted stays so. */
	gk_assert_err(GK_ERR_POLICY, gw_register(&w, &w.member[3]));
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_int_equal(gw_readers(&w), 2);
	gw_restart(&w);
	gw_after(&w, 2);
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	assert_int_equal(gw_readers(&w), 1);
	/* And with a restart in between. */
	w.template.rekey.sak.key_length = 256;
	gw_restart(&w);
	gw_after(&w, 2);
	assert_true(w.member[0].deleted_all);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	assert_int_equal(gw_readers(&w), 1);
	gw_free(&w);
}

/* AES-128 and 3DES have as many octets, but a tree has keys of one of them. */
GK_TEST(rfc6407_5_6_3_1_04, keys_of_another_algorithm_are_no_keys_of_a_tree)
{
	for (int restart = 0; restart < 2; restart++) {
		gw_init(&w, 3);
		w.cfg.legacy_ok = true;
		gw_open_with(&w, 3);
		w.template.rekey.sak.algorithm = GDOI_KEK_ALG_3DES;
		w.template.rekey.sak.key_length = 0;
		if (restart)
			gw_restart(&w);
		else
			gk_assert_ok(gw_set_policy(&w));
		gw_after(&w, 2);
		for (size_t i = 0; i < 3; i++) {
			assert_true(w.member[i].deleted_all);
			gk_assert_ok(gw_register(&w, &w.member[i]));
		}
		assert_int_equal(w.member[0].kek[0].sak.algorithm,
		                 GDOI_KEK_ALG_3DES);
		gk_assert_ok(gw_evict(&w, &w.member[1]));
		assert_int_equal(gw_readers(&w), 2);
		gw_free(&w);
	}
}

/* Members verify with the key that came with their Rekey SA. */
GK_TEST(rfc6407_5_6_2_2_01, another_signer_comes_under_the_one_before)
{
	struct gk_pki_party other = { 0 };

	GK_BREAKS("RFC6407-5.6.2.2-01");
	gk_pki_make(&other,
	            &(struct gk_pki_spec){ .subject = "/CN=keys", .slot = 3 });
	for (int lkh = 0; lkh < 2; lkh++) {
		gw_init(&w, 3);
		if (!lkh)
			w.template.rekey.sak.management = 0;
		gw_open_with(&w, 3);
		/* Nothing that it could say would be believed. */
		w.cfg.signer = other.signer;
		gw_reload(&w);
		gk_assert_err(GK_ERR_POLICY, gw_set_policy(&w));
		assert_string_equal(w.why.req, "RFC6407-5.6.2.2-01");
		/* One that they do not have either is of no use. */
		w.cfg.signer_before = other.signer;
		gw_reload(&w);
		gk_assert_err(GK_ERR_POLICY, gw_set_policy(&w));
		w.cfg.signer_before = w.party.signer;
		gw_restart(&w);
		gw_after(&w, 2);
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(w.member[i].n_keks, 2);
			assert_int_equal(w.member[i].refused, 0);
			assert_false(w.member[i].deleted_all);
		}
		/* From then on that is not needed any more. */
		w.cfg.signer_before = NULL;
		gw_restart(&w);
		gw_after(&w, 2);
		gk_assert_ok(gw_register(&w, &w.member[2]));
		if (lkh)
			gk_assert_ok(gw_evict(&w, &w.member[1]));
		assert_int_equal(gw_readers(&w), lkh ? 2 : 3);
		gw_free(&w);
	}
	gk_pki_free(&other);
}

/* @w's member 2 has the KEK to come, and the others have not heard of it. */
static void
open_in_a_join_window(bool lkh)
{
	gw_init(&w, 3);
	w.template.rekey.backward = true;
	if (!lkh)
		w.template.rekey.sak.management = 0;
	w.cfg.join_window_ms = 5000;
	gw_open_with(&w, 2);
	gw_after(&w, 6);
	gk_assert_ok(gw_register(&w, &w.member[2]));
	assert_true(memcmp(w.member[2].kek[0].sak.spi,
	                   w.member[0].kek[0].sak.spi, 16) != 0);
}

/* A Rekey SA that somebody was given before, with the key of before, is not the one
 * that the group goes on with. */
GK_TEST(rfc6407_5_6_2_2_01, another_signer_comes_within_a_join_window_too)
{
	struct gk_pki_party other = { 0 };

	gk_pki_make(&other,
	            &(struct gk_pki_spec){ .subject = "/CN=keys", .slot = 3 });
	for (int lkh = 0; lkh < 2; lkh++) {
		open_in_a_join_window(lkh);
		w.cfg.signer = other.signer;
		w.cfg.signer_before = w.party.signer;
		gw_restart(&w);
		gw_after(&w, 6);
		assert_int_equal(gw_readers(&w), 3);
		w.cfg.signer_before = NULL;
		gw_restart(&w);
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
		gw_drain(&w);
		assert_int_equal(gw_readers(&w), 3);
		for (size_t i = 0; i < 3; i++)
			assert_false(w.member[i].deleted_all);
		gw_free(&w);
	}
	gk_pki_free(&other);
}

GK_TEST(rfc6407_5_3_12, another_policy_comes_within_a_join_window_too)
{
	struct gdoi_group_status s;

	for (int lkh = 0; lkh < 2; lkh++) {
		open_in_a_join_window(lkh);
		w.template.rekey.sak.lifetime = 7777;
		gk_assert_ok(gw_set_policy(&w));
		gdoi_group_status(w.group, &s);
		assert_in_range(s.kek.expires_utc - w.now.utc_s, 7000, 7777);
		gw_after(&w, 6);
		gdoi_group_status(w.group, &s);
		assert_in_range(s.kek.expires_utc - w.now.utc_s, 7000, 7777);
		assert_int_equal(gw_readers(&w), 3);
		gw_free(&w);
	}
}

GK_TEST(rfc6407_5_6_2_2_01, who_has_no_members_may_have_any_signer)
{
	struct gk_pki_party other = { 0 };

	gk_pki_make(&other,
	            &(struct gk_pki_spec){ .subject = "/CN=keys", .slot = 3 });
	gw_init(&w, 1);
	gw_open(&w);
	w.cfg.signer = other.signer;
	gw_restart(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	assert_int_equal(gw_readers(&w), 1);
	gw_free(&w);
	gk_pki_free(&other);
}

GK_TEST(rfc6407_5_9_07, the_end_of_rekeying_is_said_by_push)
{
	gw_init(&w, 2);
	gw_open_with(&w, 2);
	w.template.rekey.on = false;
	gk_assert_ok(gw_set_policy(&w));
	for (size_t i = 0; i < 2; i++) {
		assert_true(w.member[i].deleted_all);
		gk_assert_ok(gw_register(&w, &w.member[i]));
		assert_int_equal(w.member[i].n_keks, 0);
	}
	assert_int_equal(gw_readers(&w), 2);
	w.template.rekey.on = true;
	gk_assert_ok(gw_set_policy(&w));
	gk_assert_ok(gw_register(&w, &w.member[0]));
	assert_int_equal(w.member[0].n_keks, 1);
	gw_free(&w);
}

/* ---- how PUSHes travel --------------------------------------------------- */

GK_TEST(rfc6407_4_02, unicast_pushes_go_to_each_members_address)
{
	gw_init(&w, 5);
	gw_set_place(&w, gw_nowhere);
	w.member[1].nat = true;
	gw_open_with(&w, 5);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	assert_int_equal(w.count[GDOI_OUT_SEND], 5);
	assert_int_equal(gw_readers(&w), 5);
	w.count[GDOI_OUT_SEND] = 0;
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_int_equal(gw_readers(&w), 4);
	/* The evicted is not even sent them. */
	assert_int_equal(w.member[2].obeyed, 1);
	w.lose = true;
	gk_assert_ok(gw_evict(&w, &w.member[0]));
	w.lose = false;
	gw_restart(&w);
	gw_after(&w, 1);
	assert_int_equal(gw_readers(&w), 3);
	/* Whose socket it was nobody knows now, but that it was NAT's. */
	assert_true(w.member[1].sent_to.nat && !w.member[3].sent_to.nat);
	assert_true(w.member[1].sent_to.handle == GDOI_HANDLE_NONE);
	gk_assert_ok(gdoi_group_delete_all(w.group, w.now));
	gw_drain(&w);
	assert_true(w.member[1].deleted_all);
	gw_free(&w);
}

/* What brings the new Rekey SA comes where the old one has its members listen. */
GK_TEST(rfc6407_4_02, another_place_is_told_at_the_one_before)
{
	static const uint8_t here[4] = { 239, 1, 1, 7 };
	static const uint8_t there[4] = { 239, 1, 1, 8 };

	gw_init(&w, 3);
	gw_set_place(&w, here);
	gw_open_with(&w, 3);
	gw_set_place(&w, there);
	gk_assert_ok(gw_set_policy(&w));
	gw_drain(&w);
	gw_after(&w, 1);
	assert_int_equal(gw_readers(&w), 3);
	assert_true(w.n_places > 0);
	assert_int_equal(w.place[0], 7);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.place[w.n_places - 1], 8);
	/* not all are there yet */
	assert_int_equal(w.resend_count, 2);
	gw_after(&w, 60);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.resend_count, 0);
	/* to each of them, and back */
	gw_set_place(&w, gw_nowhere);
	w.n_places = 0;
	gk_assert_ok(gw_set_policy(&w));
	gw_drain(&w);
	gw_after(&w, 1);
	assert_int_equal(w.n_places, 1);
	assert_int_equal(w.place[0], 8);
	w.count[GDOI_OUT_SEND] = 0;
	gw_set_place(&w, here);
	gk_assert_ok(gw_set_policy(&w));
	gw_drain(&w);
	gw_after(&w, 1);
	assert_int_equal(w.count[GDOI_OUT_SEND], 3);
	assert_int_equal(w.n_places, 1);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.place[1], 7);
	assert_int_equal(gw_readers(&w), 3);
	gw_free(&w);
}

GK_TEST(rfc8263_6_09, a_push_goes_out_as_often_as_policy_says)
{
	GK_SHOWS("RFC5374-4.2.1-08");
	gw_init(&w, 1);
	w.template.rekey.resend_count = 3;
	w.template.rekey.resend_spacing_ms = 250;
	gw_open_with(&w, 1);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.resend_count, 3);
	assert_int_equal(w.resend_spacing_ms, 250);
	gw_free(&w);
}

GK_TEST(rfc6407_4_11, many_data_sas_go_in_several_pushes)
{
	struct gdoi_sat sat[20];

	gw_init(&w, 3);
	for (size_t i = 0; i < 20; i++) {
		sat[i] = gw_esp_cbc;
		sat[i].ipsec.ep.dst.port = (uint16_t)(1000 + i);
	}
	gw_set_data(&w, 20, sat);
	gw_open_with(&w, 3);
	assert_int_equal(w.member[0].n_teks, 20);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK | GDOI_REKEY_NOW,
	                              w.now));
	gw_drain(&w);
	assert_in_range(w.count[GDOI_OUT_MULTICAST], 2, 5);
	for (size_t i = 0; i < w.n_push; i++)
		assert_true(w.push[i].dgram.len <= 1400);
	assert_int_equal(gw_readers(&w), 3);
	for (size_t i = 0; i < 20; i++)
		assert_true(w.member[2].tek[i].deleted);
	gw_free(&w);
}

GK_TEST(rfc4534_b_1_1_06, who_may_not_send_gets_no_sender_ids)
{
	gw_init(&w, 2);
	w.template.edition = 77;
	gw_open(&w);
	gk_assert_ok(gw_register_sids(&w, &w.member[0], 3));
	gk_assert_ok(gw_register_sids(&w, &w.member[1], 3));
	assert_int_equal(w.member[0].n_sids, 3);
	assert_int_equal(w.member[1].n_sids, 0);
	assert_true(gw_can_read(&w, &w.member[1]));
	gw_free(&w);
}

GK_TEST(rfc6407_3_4_08, more_members_than_the_policy_wants_are_refused)
{
	gw_init(&w, 2);
	w.template.members_max = 1;
	gw_open(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	gk_assert_err(GK_ERR_SPACE, gw_register(&w, &w.member[1]));
	assert_string_equal(w.why.req, "RFC6407-3.4-08");
	/* The one that is in may come again. */
	gk_assert_ok(gw_register(&w, &w.member[0]));
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_2_1_03, neither_rekey_nor_data_is_no_group),
		GK_RUN(rfc6407_5_3_12, a_kek_that_is_none_or_too_weak),
		GK_RUN(rfc6407_5_3_13, a_signature_that_the_key_cannot_make),
		GK_RUN(rfc6407_5_3_6_3_01, ecdss_goes_by_the_key),
		GK_RUN(rfc6407_5_6_4_1_01, counter_modes_want_sender_ids),
		GK_RUN(rfc6407_6_2_01, a_weak_transform_has_to_be_allowed),
		GK_RUN(rfc6407_5_3_12, a_bad_edition_changes_nothing),
		GK_RUN(rfc6407_4_3_01, the_same_policy_again_sends_nothing),
		GK_RUN(rfc6407_7_4_1_01,
		       an_edition_that_admits_fewer_evicts_the_others),
		GK_RUN(rfc6407_7_4_1_01,
		       also_an_edition_that_comes_with_a_restart),
		GK_RUN(rfc6407_4_3_03,
		       other_data_sas_replace_those_that_are_gone),
		GK_RUN(rfc6407_4_06, another_sak_is_another_rekey_sa),
		GK_RUN(rfc6407_5_9_07,
		       a_change_that_the_tree_cannot_follow_starts_over),
		GK_RUN(rfc6407_5_6_3_1_04,
		       keys_of_another_algorithm_are_no_keys_of_a_tree),
		GK_RUN(rfc6407_5_6_2_2_01,
		       another_signer_comes_under_the_one_before),
		GK_RUN(rfc6407_5_6_2_2_01,
		       another_signer_comes_within_a_join_window_too),
		GK_RUN(rfc6407_5_3_12,
		       another_policy_comes_within_a_join_window_too),
		GK_RUN(rfc6407_5_6_2_2_01,
		       who_has_no_members_may_have_any_signer),
		GK_RUN(rfc6407_5_9_07, the_end_of_rekeying_is_said_by_push),
		GK_RUN(rfc6407_4_02, another_place_is_told_at_the_one_before),
		GK_RUN(rfc6407_4_02, unicast_pushes_go_to_each_members_address),
		GK_RUN(rfc8263_6_09, a_push_goes_out_as_often_as_policy_says),
		GK_RUN(rfc6407_4_11, many_data_sas_go_in_several_pushes),
		GK_RUN(rfc4534_b_1_1_06, who_may_not_send_gets_no_sender_ids),
		GK_RUN(rfc6407_3_4_08,
		       more_members_than_the_policy_wants_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
