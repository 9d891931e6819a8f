/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

/* SAs that their source signs: RFC 4359, RFC 6407 section 5.6.1.3. */
static struct gw w;
static struct gk_pki_party source, other, curve;

static struct gk_slice
public_key(const struct gk_pki_party *party)
{
	return gk_pubkey_spki(gk_cert_pubkey(party->cert));
}

/* One SA that @party signs, and one of HMAC. */
static void
two_sas(const struct gk_pki_party *party, uint16_t bits)
{
	struct gdoi_sat sats[] = { gw_ah, gw_esp_cbc };

	sats[0].ipsec.transform = 10;
	sats[0].ipsec.authentication = 10;
	sats[0].ipsec.authentication_length = bits;
	sats[0].ipsec.signature_encoding = 2;
	gw_set_data(&w, 2, sats);
	if (party != NULL)
		w.template.data[0].source_key = public_key(party);
}

static void
not_run(const struct gk_pki_party *party, uint16_t bits, const char *req)
{
	gw_init(&w, 0);
	two_sas(party, bits);
	gw_begin(&w);
	assert_true(gw_set_policy(&w) != GK_OK);
	assert_string_equal(w.why.req, req);
	assert_int_equal(w.commits, 0);
	gw_free(&w);
}

GK_TEST(rfc6407_5_6_1_3_01, whose_signatures_has_to_be_said)
{
	not_run(NULL, 2048, "RFC6407-5.6.1.3-01");
	not_run(&source, 3072, "RFC6407-5.6.1.3-01");
	not_run(&curve, 256, "RFC6407-5.6.1.3-01");
	not_run(&source, 0, "RFC4359-5-01");
}

static void
see(void *ctx, const struct gdoi_tek *tek)
{
	const struct gk_pki_party *party = ctx;
	bool is_signed = tek->sat->ipsec.authentication == 10;
	struct gk_slice none = { 0 };

	assert_true(gk_slice_equal(tek->source_auth,
	                           is_signed ? public_key(party) : none));
}

static void
open_two(void)
{
	gw_init(&w, 2);
	two_sas(&source, 2048);
	gw_open_with(&w, w.n_members);
}

GK_TEST(rfc6407_5_6_1_3_01, members_get_the_key_by_pull_and_push)
{
	open_two();
	gdoi_group_teks(w.group, see, &source);
	assert_int_equal(w.member[1].n_sources, 1);
	gw_after(&w, 3600); /* its life */
	gdoi_group_teks(w.group, see, &source);
	assert_true(w.member[1].n_sources > 1);
	assert_int_equal(w.member[1].refused, 0);
	assert_true(gw_can_read(&w, &w.member[1]));
	gw_free(&w);
}

static void
first_spi(void *ctx, const struct gdoi_tek *tek)
{
	uint8_t *spi = ctx;

	if (spi[0] == 0 && tek->sat->ipsec.authentication == 10)
		memcpy(spi, tek->sat->spi, GDOI_TEK_SPI_LEN);
}

GK_TEST(rfc6407_5_6_1_3_01, a_restart_keeps_it)
{
	uint8_t before[GDOI_TEK_SPI_LEN] = { 0 }, after[sizeof(before)] = { 0 };

	open_two();
	gdoi_group_teks(w.group, first_spi, before);
	gw_restart(&w);
	gdoi_group_teks(w.group, first_spi, after);
	assert_memory_equal(before, after, sizeof(before));
	gdoi_group_teks(w.group, see, &source);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	assert_int_equal(w.member[0].n_sources, 2);
	gw_free(&w);
}

/* The SA of the old key goes; the one beside it stays. */
GK_TEST(rfc6407_4_3_03, another_key_is_another_sa)
{
	open_two();
	two_sas(&other, 2048);
	gk_assert_ok(gw_set_policy(&w));
	gw_drain(&w);
	gw_after(&w, 60);
	gdoi_group_teks(w.group, see, &other);
	assert_int_equal(w.member[0].n_sources, 2);
	assert_int_equal(w.member[0].refused, 0);
	assert_true(gw_can_read(&w, &w.member[0]));
	gw_free(&w);
}

static int
make_keys(void **state)
{
	(void)state;
	gk_pki_make(&source, &(struct gk_pki_spec){ .subject = "/CN=source",
	                                            .alg = GK_PKI_RSA2048 });
	gk_pki_make(&other, &(struct gk_pki_spec){ .subject = "/CN=other",
	                                           .alg = GK_PKI_RSA2048,
	                                           .slot = 1 });
	gk_pki_make(&curve, &(struct gk_pki_spec){ .subject = "/CN=curve",
	                                           .alg = GK_PKI_P256 });
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	gk_pki_free(&source);
	gk_pki_free(&other);
	gk_pki_free(&curve);
	gk_pki_keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_6_1_3_01, whose_signatures_has_to_be_said),
		GK_RUN(rfc6407_5_6_1_3_01,
		       members_get_the_key_by_pull_and_push),
		GK_RUN(rfc6407_5_6_1_3_01, a_restart_keeps_it),
		GK_RUN(rfc6407_4_3_03, another_key_is_another_sa),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
