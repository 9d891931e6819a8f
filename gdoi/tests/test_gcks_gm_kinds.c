/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gcks_gm.h"

/* Members and key server in one process: sender ids, rekeys of all kinds, groups of
 * other kinds. */

/* ---- sender ids --------------------------------------------------------- */

static uint16_t sid_bits = 8;

struct sids {
	uint32_t sid[64];
	size_t n;
};

static void
see_sids(void *ctx, const struct gdoi_tek *tek)
{
	struct sids *s = ctx;

	if (tek->state == GDOI_TEK_OLD)
		return;
	s->n = tek->n_sids;
	assert_int_equal(tek->sid_bits, sid_bits);
	memcpy(s->sid, tek->sids, tek->n_sids * sizeof(s->sid[0]));
}

static struct sids
sids_of(int i)
{
	struct sids s = { .n = 0 };

	gdoi_gm_teks(node[i].gm, 0, see_sids, &s);
	return s;
}

static void
assert_distinct_sids(void)
{
	bool taken[256] = { false };

	for (int i = 0; i < NODES; i++) {
		struct sids s = sids_of(i);

		assert_true(s.n != 0);
		for (size_t k = 0; k < s.n; k++) {
			assert_true(s.sid[k] < 256);
			assert_false(taken[s.sid[k]]);
			taken[s.sid[k]] = true;
		}
	}
}

GK_TEST(rfc6407_3_5_06, a_member_gets_as_many_sender_ids_as_it_asks_for)
{
	GK_SHOWS("RFC6054-3-02", "RFC6054-3-06", "RFC6054-4-03");
	all_open();
	gdoi_gm_free(node[2].gm);
	node[2].group[0].sids = 3;
	node[2].gm = gdoi_gm_new(&env, &node[2].cfg);
	join_all(0);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(sids_of(i).n, i == 2 ? 3 : 1);
	assert_distinct_sids();
	all_close();
}

static void
with_sid_bits(struct gw *w, int i)
{
	(void)i;
	w->template.sid_bits = sid_bits;
}

GK_TEST(rfc6054_3_07, sender_ids_of_three_lengths)
{
	static const uint16_t bits[] = { 8, 12, 16 };

	for (size_t i = 0; i < GK_COUNT(bits); i++) {
		sid_bits = bits[i];
		shape_group = with_sid_bits;
		all_open();
		shape_group = NULL;
		join_all(0);
		assert_distinct_sids();
		all_close();
	}
	sid_bits = 8;
}

static void
few_sids(struct gw *w, int i)
{
	if (i == 0)
		w->cfg.sender_last = 5;
}

/* Six there are.  Who registers again gets new ones; when there are none, all
 * that were used with them goes, and the count begins again. */
GK_TEST(rfc6407_3_5_11, when_sender_ids_run_out_everything_is_new)
{
	struct gdoi_group_status s;
	struct newest before = { 0 }, after = { 0 };

	GK_SHOWS("RFC6054-4-04", "RFC6054-4-06", "RFC6054-4-10");
	shape_group = few_sids;
	all_open();
	shape_group = NULL;
	join_all(0);
	gdoi_group_teks(group[0], see_tek, &before);
	for (int i = 0; i < 2; i++) {
		uint32_t old = sids_of(i).sid[0];

		gk_assert_ok(gdoi_gm_reregister(node[i].gm, 0, now));
		pass(2000);
		assert_true(sids_of(i).sid[0] != old);
		assert_distinct_sids();
	}
	gdoi_group_status(group[0], &s);
	assert_int_equal(s.senders, 6);
	/* The seventh is not given out. */
	gk_assert_ok(gdoi_gm_reregister(node[2].gm, 0, now));
	pass(600000);
	gdoi_group_teks(group[0], see_tek, &after);
	assert_memory_not_equal(before.spi, after.spi, 4);
	gdoi_group_status(group[0], &s);
	assert_true(s.senders >= NODES && s.senders <= 6);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(state_of(i, 0), GDOI_GM_MEMBER);
	assert_all_read(0);
	assert_distinct_sids();
	all_close();
}

/* ---- rekeys of other kinds ---------------------------------------------- */

static void
small_datagrams(struct gw *w, int i)
{
	if (i == 0)
		w->cfg.push_max = 400;
}

GK_TEST(rfc6407_4_11, an_eviction_in_several_datagrams)
{
	const char *peer = "ipv4:10.0.0.13"; /* node 1 */
	size_t under_old = 0;

	shape_group = small_datagrams;
	all_open();
	shape_group = NULL;
	join_all(0);
	gk_assert_ok(gdoi_group_evict(group[0], &peer, 1, now));
	pass(1000);
	for (size_t i = 0; i < world[0].n_push; i++)
		under_old += memcmp(world[0].push[i].spi, world[0].push[0].spi,
		                    16) == 0;
	assert_true(under_old >= 2);
	for (size_t i = 1; i < under_old; i++)
		assert_int_equal(world[0].push[i].sequence,
		                 world[0].push[i - 1].sequence + 1);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(can_read(i, 0), i != 1);
	all_close();
}

static void
backward(struct gw *w, int i)
{
	w->template.rekey.backward = i == 0;
}

GK_TEST(rfc6407_7_4_2_01, a_joiner_gets_no_key_that_was_used_before)
{
	struct newest before = { 0 };

	shape_group = backward;
	all_open();
	shape_group = NULL;
	for (int i = 0; i < NODES - 1; i++)
		gk_assert_ok(gdoi_gm_join(node[i].gm, 0, now));
	pass(60000);
	gdoi_group_teks(group[0], see_tek, &before);
	assert_true(before.found);
	gk_assert_ok(gdoi_gm_join(node[NODES - 1].gm, 0, now));
	pass(60000);
	assert_all_read(0);
	before.found = false;
	gdoi_gm_teks(node[NODES - 1].gm, 0, match_tek, &before);
	assert_false(before.found);
	all_close();
}

static void
count_tek(void *ctx, const struct gdoi_tek *tek)
{
	(void)tek;
	(*(unsigned *)ctx)++;
}

GK_TEST(rfc6407_5_9_03, the_end_of_a_group_is_deletes_alone)
{
	GK_SHOWS("RFC6407-5.9-05", "RFC6407-5.9-06", "RFC6407-5.9-07");
	all_open();
	join_all(0);
	gk_assert_ok(gdoi_group_destroy(group[0], now));
	pass(1000);
	for (int i = 0; i < NODES; i++) {
		unsigned left_over = 0;

		gdoi_gm_teks(node[i].gm, 0, count_tek, &left_over);
		assert_int_equal(left_over, 0);
		assert_true(node[i].n[GDOI_OUT_KEK_WIPE] >= 1);
	}
	all_close();
}

static const struct {
	uint16_t algorithm, hash, bits;
	enum gk_pki_alg key;
} signatures[] = {
	{ GDOI_SIG_ALG_RSA, GDOI_SIG_HASH_SHA256, 2048, GK_PKI_RSA2048 },
	{ GDOI_SIG_ALG_ECDSA_256, 0, 0, GK_PKI_P256 },
	{ GDOI_SIG_ALG_ECDSA_384, 0, 0, GK_PKI_P384 },
	{ GDOI_SIG_ALG_ECDSA_521, 0, 0, GK_PKI_P521 },
};
static size_t which_signature;

static void
with_signature(struct gw *w, int i)
{
	if (i != 0)
		return;
	gk_pki_free(&w->party);
	gk_pki_make(&w->party,
	            &(struct gk_pki_spec){
			    .subject = "/CN=push",
			    .alg = signatures[which_signature].key });
	w->cfg.signer = w->party.signer;
	w->template.rekey.sak.sig_algorithm =
		signatures[which_signature].algorithm;
	w->template.rekey.sak.sig_hash = signatures[which_signature].hash;
	w->template.rekey.sak.sig_key_length = signatures[which_signature].bits;
}

GK_TEST(rfc6407_6_1_07, rekeys_under_every_kind_of_signature)
{
	GK_SHOWS("RFC6407-6.1-04", "RFC6407-5.3.6.4-01", "RFC6407-5.3.6.5-01",
	         "RFC6407-5.3.6.6-01");
	for (which_signature = 0; which_signature < GK_COUNT(signatures);
	     which_signature++) {
		shape_group = with_signature;
		all_open();
		shape_group = NULL;
		join_all(0);
		gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_ALL, now));
		pass(1000);
		assert_int_equal(world[0].n_push, 2);
		assert_all_read(0);
		all_close();
	}
}

/* ---- other groups ------------------------------------------------------- */

static struct gdoi_dialect gdoid;

/* What the reference implementation of its authors can do. */
static void
as_gdoid(struct gw *w, int i)
{
	struct gdoi_sak *sak = &w->template.rekey.sak;
	static const uint8_t id[2][8] = {
		{ ISAKMP_ID_KEY_ID, 0, 0, 0, 0xd2, 4, 0, 0 },
		{ ISAKMP_ID_KEY_ID, 0, 0, 0, 0xd3, 4, 0, 0 },
	};

	w->dialect = gdoid;
	w->cfg.legacy_ok = true;
	w->cfg.id = (struct gk_slice){ id[i], 8 };
	gk_pki_free(&w->party);
	gk_pki_make(&w->party, &(struct gk_pki_spec){ .subject = "/CN=push",
	                                              .alg = GK_PKI_RSA2048 });
	w->cfg.signer = w->party.signer;
	sak->management = 0;
	sak->algorithm = GDOI_KEK_ALG_3DES;
	sak->key_length = 0;
	sak->sig_algorithm = GDOI_SIG_ALG_RSA;
	sak->sig_hash = GDOI_SIG_HASH_SHA1;
	sak->sig_key_length = 2048;
	gw_set_data(w, 1, &gw_esp_cbc);
}

GK_TEST(rfc6407_5_1_03,
        the_preset_of_the_reference_implementation_in_both_roles)
{
	const struct ike_suite old =
		suite_of(IKE_ENCRYPTION_3DES_CBC, 0, IKE_HASH_SHA1,
	                 IKE_AUTH_PSK, IKE_GROUP_MODP1024);

	gk_assert_ok(gdoi_dialect_preset(&gdoid, "gdoid"));
	shape_group = as_gdoid;
	phase1_suite = &old;
	open_server();
	pushes_given[0] = pushes_given[1] = 0;
	for (int i = 0; i < NODES; i++)
		node_open(i, &gdoid);
	shape_group = NULL;
	phase1_suite = NULL;
	join_all(0);
	assert_int_equal(members_of(0), NODES);
	assert_all_read(0);
	for (int round = 0; round < 3; round++) {
		gk_assert_ok(gdoi_group_rekey(
			group[0], round == 1 ? GDOI_REKEY_ALL : GDOI_REKEY_TEK,
			now));
		pass(1000);
		assert_all_read(0);
	}
	all_close();
}

/* RFC 8052: a group named by an OID, with its own security associations. */
static void
as_substation(struct gw *w, int i)
{
	static const uint8_t id[] = { ISAKMP_ID_OID, 0,  0, 0, 7,  6, 5,
		                      0x2b,          14, 3, 2, 26, 0, 0 };

	if (i != 0)
		return;
	w->cfg.id = (struct gk_slice){ id, sizeof(id) };
	gw_set_data(w, 1, &gw_iec_gcm);
}

GK_TEST(rfc8052_2_1_01, a_group_that_is_named_by_an_oid)
{
	shape_group = as_substation;
	all_open();
	shape_group = NULL;
	join_all(0);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(state_of(i, 0), GDOI_GM_MEMBER);
	gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_ALL, now));
	pass(1000);
	assert_all_read(0);
	all_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_5_06,
		       a_member_gets_as_many_sender_ids_as_it_asks_for),
		GK_RUN(rfc6054_3_07, sender_ids_of_three_lengths),
		GK_RUN(rfc6407_3_5_11,
		       when_sender_ids_run_out_everything_is_new),
		GK_RUN(rfc6407_4_11, an_eviction_in_several_datagrams),
		GK_RUN(rfc6407_7_4_2_01,
		       a_joiner_gets_no_key_that_was_used_before),
		GK_RUN(rfc6407_5_9_03, the_end_of_a_group_is_deletes_alone),
		GK_RUN(rfc6407_6_1_07, rekeys_under_every_kind_of_signature),
		GK_RUN(rfc6407_5_1_03,
		       the_preset_of_the_reference_implementation_in_both_roles),
		GK_RUN(rfc8052_2_1_01, a_group_that_is_named_by_an_oid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
