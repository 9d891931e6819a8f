/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

/* Readings of the RFCs, as a key server sends them. */
static struct gw w;

static void
begin(size_t members, const char *name, const char *value)
{
	gw_init(&w, members);
	if (name != NULL)
		gk_assert_ok(gdoi_dialect_set(&w.dialect, name, value));
}

GK_TEST(rfc6407_5_6_2_03, a_kek_packet_beside_the_lkh_packet)
{
	begin(5, "lkh_kek_packet", "both");
	gw_open_with(&w, w.n_members);
	assert_true(w.member[0].seen_kek_packet);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.member[0].n_keks, 2);
	/* RFC6407-7.4.1-01: not where it would be for the evicted, too. */
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_int_equal(w.member[2].n_keks, 2);
	assert_int_equal(w.member[0].n_keks, 3);
	assert_int_equal(gw_readers(&w), 4);
	gw_free(&w);
}

GK_TEST(rfc6407_5_6_1_03, a_tek_in_each_push)
{
	begin(5, "push_kek_only_tek", "required");
	gw_open_with(&w, w.n_members);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.member[0].last_sats, 1);
	assert_int_equal(w.member[0].n_teks, 1);
	/* In an eviction it is one that the evicted knows. */
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_int_equal(w.member[2].n_teks, 1);
	assert_int_equal(gw_readers(&w), 4);
	gw_free(&w);
}

GK_TEST(rfc6407_5_3_15, management_algorithm_in_a_pull)
{
	for (int include = 0; include < 2; include++) {
		struct gdoi_peer p = { 0 };
		struct gdoi_offer *offer;

		begin(1, "kek_mgmt_in_pull", include ? "include" : "omit");
		gw_open(&w);
		p.id = &w.member[0].id;
		gk_assert_ok(
			gdoi_group_offer(w.group, &p, w.now, &offer, &w.why));
		assert_int_equal(gdoi_offer_sa(offer)->sak.management, include);
		gdoi_offer_free(offer);
		gw_free(&w);
	}
}

GK_TEST(rfc6407_5_6_4_4_01, sender_ids_for_iec_61850)
{
	begin(1, "sid_for_iec61850", "include");
	gw_set_data(&w, 1, &gw_iec_gcm);
	gw_open_with(&w, w.n_members);
	assert_int_equal(w.member[0].n_sids, 1);
	gw_free(&w);
	begin(1, "sid_for_iec61850", "omit");
	gw_set_data(&w, 1, &gw_iec_gcm);
	gw_open_with(&w, w.n_members);
	assert_int_equal(w.member[0].n_sids, 0);
	gw_free(&w);
}

GK_TEST(rfc6407_4_06, the_sak_in_force_in_every_push)
{
	begin(3, "sak_repeat", "always");
	gw_open_with(&w, w.n_members);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_true(w.member[0].last_sak);
	assert_int_equal(w.member[0].n_keks, 1);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 3);
	gw_free(&w);
	begin(1, NULL, NULL);
	gw_open_with(&w, w.n_members);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_false(w.member[0].last_sak);
	gw_free(&w);
}

GK_TEST(rfc6407_5_6_2_2_01, every_form_of_the_signature_key)
{
	static const char *const form[] = { "spki", "pkcs1", "raw" };

	for (size_t i = 0; i < 5; i++) {
		if (i < 3) {
			begin(2, "sig_key_format", form[i]);
			gw_use_rsa(&w);
		} else {
			begin(2, "sig_key_format", i == 3 ? "x962" : "raw");
		}
		gw_open_with(&w, w.n_members);
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
		gw_drain(&w);
		assert_int_equal(gw_readers(&w), 2);
		gw_free(&w);
	}
	begin(2, "sig_key_format", "x509");
	w.cfg.signer_cert = gk_cert_der(w.party.cert);
	gw_open_with(&w, w.n_members);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 2);
	gw_free(&w);
}

GK_TEST(rfc6407_5_6_2_1_01, every_place_of_the_iv)
{
	static const char *const place[] = { "kek", "chained", "prepended",
		                             "zero" };

	for (size_t i = 0; i < GK_COUNT(place); i++) {
		begin(4, "push_iv", place[i]);
		gw_open_with(&w, w.n_members);
		for (int k = 0; k < 3; k++)
			gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL,
			                              w.now));
		gw_drain(&w);
		gk_assert_ok(gw_evict(&w, &w.member[1]));
		assert_int_equal(gw_readers(&w), 3);
		gw_free(&w);
	}
}

/* All habits of that peer together. */
GK_TEST(gdoid, a_member_like_the_reference_implementation_is_served)
{
	gw_init(&w, 3);
	gk_assert_ok(gdoi_dialect_preset(&w.dialect, "gdoid"));
	gw_use_rsa(&w);
	w.template.rekey.sak.management = 0;
	w.template.rekey.sak.lifetime = 1000;
	w.template.has_gap = true;
	w.template.gap = (struct gdoi_gap){
		.has_atd = true, .atd = 3, .has_dtd = true, .dtd = 10
	};
	gw_set_data(&w, 1, &gw_esp_cbc);
	gw_open_with(&w, w.n_members);
	/* The codec turns the address there, and back here. */
	assert_memory_equal(w.member[0].dst, "\xef\x01\x01\x01", 4);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.push[2].sequence, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(w.member[i].obeyed, 3);
		assert_true(w.member[i].last_sak);
	}
	gw_after(&w, 4);
	assert_int_equal(gw_readers(&w), 3);
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_6_2_03, a_kek_packet_beside_the_lkh_packet),
		GK_RUN(rfc6407_5_6_1_03, a_tek_in_each_push),
		GK_RUN(rfc6407_5_3_15, management_algorithm_in_a_pull),
		GK_RUN(rfc6407_5_6_4_4_01, sender_ids_for_iec_61850),
		GK_RUN(rfc6407_4_06, the_sak_in_force_in_every_push),
		GK_RUN(rfc6407_5_6_2_2_01, every_form_of_the_signature_key),
		GK_RUN(rfc6407_5_6_2_1_01, every_place_of_the_iv),
		GK_RUN(gdoid,
		       a_member_like_the_reference_implementation_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
