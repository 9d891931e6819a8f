/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * A member registers: RFC 6407 sections 3.1 to 3.3.
 */
static void
fresh(void)
{
	lab_reset();
	lab_start();
}

static unsigned
seen(enum gdoi_output_kind kind)
{
	return lab.seen.n[kind];
}

GK_TEST(rfc6407_3_3_11, keys_and_policy_come_by_pull)
{
	struct gdoi_gm_status status;
	struct gdoi_tek tek;

	/* The key server is one of those of this group. */
	GK_SHOWS("RFC5374-1.1-03", "RFC5374-4.1.3-01", "RFC5374-4.1.3-03",
	         "RFC5374-4.1.3.3-01", "RFC5374-4.1.3.5-01",
	         "RFC5374-4.1.3.5-03");
	fresh();
	assert_int_equal(lab_state(0), GDOI_GM_IDLE);
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(seen(GDOI_OUT_JOINED), 1);
	assert_int_equal(seen(GDOI_OUT_PHASE1_UP), 1);
	assert_int_equal(seen(GDOI_OUT_KEK), 1);
	assert_int_equal(seen(GDOI_OUT_TEK), 1);
	assert_int_equal(seen(GDOI_OUT_COMMIT), 1);
	assert_int_equal(lab.seen.kek.dst.port, 848);
	assert_true(lab_tek(0x101, &tek));
	assert_int_equal(tek.state, GDOI_TEK_CURRENT);
	assert_int_equal(tek.key.len, 16);
	assert_int_equal(tek.integrity.len, 32);
	assert_true(tek.may_send);
	gdoi_gm_status(lab.gm, 0, &status);
	assert_true(status.has_kek);
	assert_int_equal(status.kek.sequence, 0);
	assert_int_equal(status.n_teks, 1);
	/* and who asked for a key log finds them there */
	assert_int_equal(lab.seen.kek_lines, 1);
	assert_int_equal(lab.seen.tek_lines, 1);
}

/* Where its PUSHes go is said with the KEK, for whoever has to listen there. */
GK_TEST(rfc6407_5_3_01, a_rekey_sa_to_an_address_of_ipv6)
{
	static const uint8_t to[16] = { 0xff, 0x15, [15] = 0x77 };

	lab_reset();
	lab.offer.sa.sak.ep.dst = (struct gdoi_endpoint){ ISAKMP_ID_IPV6_ADDR,
		                                          848,
		                                          { to, sizeof(to) } };
	lab_start();
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab.seen.kek.src.ip_len, 4);
	assert_int_equal(lab.seen.kek.dst.ip_len, 16);
	assert_memory_equal(lab.seen.kek.dst.ip, to, 16);
}

GK_TEST(rfc6407_3_01, two_groups_under_one_phase_1)
{
	fresh();
	lab_join(0);
	lab_join(1);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab_state(1), GDOI_GM_MEMBER);
	assert_int_equal(seen(GDOI_OUT_PHASE1_UP), 1);
	assert_int_equal(lab.server[0].pulls, 2);
}

GK_TEST(rfc2408_5_1_05, lost_messages_are_sent_again)
{
	fresh();
	lab.server[0].mute_pull = true;
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_PULL_1);
	/* three more times, then the key server is given up */
	lab_pass(13000);
	assert_int_equal(lab_state(0), GDOI_GM_PULL_1);
	lab_pass(18000);
	assert_int_equal(lab.server[0].deleted, true);
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
	lab.server[0].mute_pull = false;
	lab_pass(6000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

GK_TEST(rfc6407_3_1_01, an_unlisted_key_server_gets_no_message_1)
{
	static const struct gk_identity other = {
		GK_ID_IPV4, { (const uint8_t *)"\x0a\x00\x00\x09", 4 }
	};

	GK_BREAKS("RFC6407-3.1-01", "RFC6407-3.1-02", "RFC6407-7.2.6-02",
	          "RFC5374-4.1.3-01", "RFC5374-4.1.3-03", "RFC5374-4.1.3.5-03");
	lab_reset();
	lab.group[0].servers = &other;
	lab.group[0].n_servers = 1;
	lab_start();
	lab_join(0);
	assert_int_equal(seen(GDOI_OUT_PHASE1_UP), 1);
	assert_int_equal(seen(GDOI_OUT_JOINED), 0);
	assert_int_equal(lab.server[0].pulls, 0);
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
}

GK_TEST(rfc6407_3_3_05, policy_that_is_not_permitted)
{
	lab_reset();
	lab.offer.sa.sat[0].ipsec.transform = 3;
	lab.offer.sa.sat[0].ipsec.key_length = 0;
	lab_start();
	lab_unacceptable("RFC6407-6-02");
	lab_reset();
	lab_no_rekey(&lab.offer);
	lab.group[0].require_rekey = true;
	lab_start();
	lab_unacceptable("RFC6407-3.3-05");
}

GK_TEST(rfc6407_5_5_1_07, an_unknown_transform)
{
	GK_BREAKS("RFC5374-1.1-03");
	lab_reset();
	lab.offer.sa.sat[0].ipsec.transform = 99;
	lab_start();
	lab_unacceptable("RFC6407-5.5.1-07");
}

GK_TEST(rfc6407_5_3_3_02, a_kek_of_another_length)
{
	lab_reset();
	lab.offer.sa.sak.key_length = 512;
	lab_start();
	lab_unacceptable("RFC6407-5.3.3-02");
}

GK_TEST(rfc6407_5_3_3_01, a_kek_without_a_length)
{
	lab_reset();
	lab.offer.sa.sak.key_length = 0;
	lab_start();
	lab_unacceptable("RFC6407-5.3.3-01");
}

GK_TEST(rfc6407_6_1_03, a_legacy_kek)
{
	lab_reset();
	lab.offer.sa.sak.algorithm = GDOI_KEK_ALG_DES;
	lab.offer.sa.sak.key_length = 64;
	lab_start();
	lab_unacceptable("RFC6407-6.1-03");
}

GK_TEST(rfc6407_6_1_06, a_legacy_signature)
{
	lab_reset();
	lab.offer.sa.sak.sig_algorithm = GDOI_SIG_ALG_RSA;
	lab.offer.sa.sak.sig_hash = GDOI_SIG_HASH_MD5;
	lab_start();
	lab_unacceptable("RFC6407-6.1-06");
}

/* An RSA key of 1024 bits, whether the SAK says so or not. */
GK_TEST(rfc6407_6_1_07, a_short_rsa_key)
{
	struct gk_pki_party rsa = { 0 };

	gk_pki_make(&rsa, &(struct gk_pki_spec){ .subject = "/CN=short",
	                                         .alg = GK_PKI_RSA1024 });
	for (uint16_t bits = 0; bits <= 1024; bits += 1024) {
		lab_reset();
		lab.offer.sa.sak.sig_algorithm = GDOI_SIG_ALG_RSA;
		lab.offer.sa.sak.sig_key_length = bits;
		lab.offer.kd.packet[0].sig_key =
			gk_pubkey_spki(gk_cert_pubkey(rsa.cert));
		lab_start();
		lab_unacceptable("RFC6407-6.1-07");
	}
	gk_pki_free(&rsa);
}

/* Message 2 once more, when message 4 is waited for. */
GK_TEST(rfc6407_7_2_4_02, a_copy_in_a_registration)
{
	struct gk_buf copy;

	lab_reset();
	lab_start();
	lab.hold = true;
	lab_join(0);
	gk_assert_ok(gk_buf_copy(&copy, gk_buf_slice(&lab.held)));
	lab_deliver();
	assert_int_equal(lab_state(0), GDOI_GM_PULL_3);
	lab_refused(gk_buf_slice(&copy), "RFC6407-7.2.4-02");
	lab.hold = false;
	lab_deliver();
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	/* and when nothing is waited for */
	lab_refused(gk_buf_slice(&copy), "RFC6407-7.2.4-02");
	gk_buf_free(&copy);
}

GK_TEST(rfc6407_7_2_4_01, cookies_of_no_session)
{
	struct gk_buf held;

	lab_reset();
	lab_start();
	lab.hold = true;
	lab_join(0);
	held = lab.held;
	lab.held = (struct gk_buf){ 0 };
	held.ptr[0] ^= 1;
	lab_refused(gk_buf_slice(&held), "RFC6407-7.2.4-01");
	held.ptr[0] ^= 1;
	held.ptr[8] ^= 1;
	lab_refused(gk_buf_slice(&held), "RFC6407-7.2.4-01");
	gk_buf_free(&held);
}

GK_TEST(rfc6407_5_3_5_02, a_hash_that_is_not_the_curves)
{
	lab_reset();
	lab.offer.sa.sak.sig_hash = GDOI_SIG_HASH_SHA384;
	lab_start();
	lab_unacceptable("RFC6407-5.3.5-02");
}

GK_TEST(rfc6407_5_3_7_01, a_signature_key_of_another_length)
{
	lab_reset();
	lab.offer.sa.sak.sig_key_length = 384;
	lab_start();
	lab_unacceptable("RFC6407-5.3.7-01");
}

GK_TEST(rfc6407_5_6_05, a_key_packet_for_no_sa)
{
	static const uint8_t spi[4] = { 9, 9, 9, 9 };

	lab_reset();
	lab.offer.kd.packet[1].spi.ptr = spi;
	lab_start();
	lab_unacceptable("RFC6407-5.6-05");
}

GK_TEST(rfc6407_5_6_1_2_02, a_key_of_another_length)
{
	lab_reset();
	lab.offer.kd.packet[1].integrity_key.len = 20;
	lab_start();
	lab_unacceptable("RFC6407-5.6.1.2-02");
}

GK_TEST(rfc6407_5_6_2_1_01, a_kek_without_its_iv)
{
	lab_reset();
	lab.offer.kd.packet[0].algorithm_key.len = 16;
	lab_start();
	lab_unacceptable("RFC6407-5.6.2.1-01");
}

GK_TEST(rfc6407_5_6_2_01, a_kek_without_a_public_key)
{
	lab_reset();
	lab.offer.kd.packet[0].sig_key.len = 0;
	lab_start();
	lab_unacceptable("RFC6407-5.6.2-01");
}

GK_TEST(rfc6407_5_6_2_2_01, a_public_key_that_is_none)
{
	lab_reset();
	lab.offer.kd.packet[0].sig_key.len--;
	lab_start();
	lab_unacceptable("RFC6407-5.6.2.2-01");
}

GK_TEST(rfc6407_3_2_21, a_rekey_sa_without_its_key)
{
	lab_reset();
	lab.offer.kd.n_packets = 1;
	lab.offer.kd.packet[0] = lab.offer.kd.packet[1];
	lab_start();
	lab_unacceptable("RFC6407-3.2-21");
}

GK_TEST(rfc8052_2_2_5_02, one_spi_for_two_sas)
{
	lab_reset();
	lab_add_esp(&lab.offer, 0x101, 0x41);
	lab_start();
	lab_unacceptable("RFC8052-2.2.5-02");
}

/* Zero stands for all SAs in a Delete. */
GK_TEST(rfc6407_5_5_1_08, an_spi_of_zero)
{
	lab_reset();
	memset(lab.offer.sa.sat[0].spi, 0, 4);
	lab_start();
	lab_unacceptable("RFC6407-5.5.1-08");
}

GK_TEST(rfc6407_5_6_1_01, two_key_packets_for_one_sa)
{
	struct gdoi_kd *kd;

	lab_reset();
	kd = &lab.offer.kd;
	kd->packet[kd->n_packets] = kd->packet[kd->n_packets - 1];
	kd->n_packets++;
	lab_start();
	lab_unacceptable("RFC6407-5.6.1-01");
}

GK_TEST(rfc6407_5_6_1_04, teks_may_come_by_push)
{
	lab_reset();
	lab.offer.kd.n_packets = 1;
	lab_member();
	assert_false(lab_tek(0x101, NULL));
}

GK_TEST(rfc6407_5_5_1_1_2_03, directions)
{
	struct gdoi_tek tek;

	/* Nothing said is Symmetric: to send and to receive. */
	GK_SHOWS("RFC6407-5.5.1.1.2-02", "RFC5374-4.1.1-07");
	fresh();
	lab_join(0);
	assert_true(lab_tek(0x101, &tek));
	assert_int_equal(tek.state, GDOI_TEK_CURRENT);
	assert_true(tek.may_send);
	lab_reset();
	lab.offer.sa.sat[0].ipsec.direction = 2;
	lab_start();
	lab_join(0);
	assert_true(lab_tek(0x101, &tek));
	assert_false(tek.may_send);
	lab_reset();
	lab.group[0].receive_only = true;
	lab_start();
	lab_join(0);
	assert_true(lab_tek(0x101, &tek));
	assert_false(tek.may_send);
}

GK_TEST(rfc2407_4_5_04, lifetimes)
{
	struct gdoi_tek tek;

	lab_reset();
	lab.offer.sa.sat[0].ipsec.life_s = 0;
	lab_start();
	lab_join(0);
	assert_true(lab_tek(0x101, &tek));
	assert_int_equal(tek.expires_utc - lab.now.utc_s, 28800);
}

/* ---- several key servers ------------------------------------------------ */

GK_TEST(rfc6407_7_2_6_02, the_next_key_server_serves)
{
	lab_reset();
	lab.cfg.n_servers = 2;
	lab_start();
	lab.server[0].deaf = true;
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_PHASE1);
	lab_pass(60000);
	assert_int_equal(seen(GDOI_OUT_NEXT_SERVER), 1);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab.server[1].pulls, 1);
}

/* A lifetime may be shorter than it takes to find out that the first is still dead. */
GK_TEST(rfc6407_7_2_6_02, a_silent_key_server_is_not_the_first_for_a_while)
{
	lab_reset();
	lab.cfg.n_servers = 2;
	lab_start();
	lab.server[0].deaf = true;
	lab_join(0);
	lab_pass(60000);
	assert_int_equal(lab.server[1].pulls, 1);
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	lab_pass(1500);
	assert_int_equal(lab.server[1].pulls, 2);
	assert_int_equal(seen(GDOI_OUT_NEXT_SERVER), 1);
	/* it is the first choice again, in the end */
	lab.server[0].deaf = false;
	lab_pass(300000);
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	assert_int_equal(lab.server[0].pulls, 1);
	assert_int_equal(lab.server[1].pulls, 2);
}

GK_TEST(rfc6407_3_3_05, the_next_key_server_may_have_a_better_policy)
{
	lab_reset();
	lab.cfg.n_servers = 2;
	lab_start();
	lab.offer.sa.sak.key_length = 512;
	gk_assert_ok(gdoi_gm_join(lab.gm, 0, lab.now));
	lab_talk();
	/* both have been asked; then there is a random wait */
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
	assert_int_equal(seen(GDOI_OUT_REFUSED), 2);
	lab_policy(&lab.offer);
	lab_pass(6000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

GK_TEST(rfc6407_3_3_01, failures_are_counted)
{
	lab_reset();
	lab.cfg.register_max = 2;
	lab.offer.sa.sak.key_length = 512;
	lab_start();
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
	lab_pass(10000);
	assert_int_equal(lab_state(0), GDOI_GM_FAILED);
	assert_int_equal(seen(GDOI_OUT_LEFT), 1);
	/* and the last one is said */
	assert_non_null(lab.seen.left.req);
	assert_string_equal(lab.seen.left.req, lab.seen.why.req);
	lab_reset();
	lab.cfg.register_max = 1;
	lab_start();
	lab.server[0].deaf = true;
	lab_join(0);
	lab_pass(120000);
	assert_int_equal(lab_state(0), GDOI_GM_FAILED);
	assert_int_equal(seen(GDOI_OUT_LEFT), 1);
	assert_null(lab.seen.left.req);
}

GK_TEST(engine, a_member_has_some_groups_and_key_servers_and_not_too_many)
{
	const size_t servers[] = { 0, 1, GDOI_GM_SERVERS_MAX,
		                   GDOI_GM_SERVERS_MAX + 1 };
	const size_t groups[] = { 0, 1, LAB_GROUPS, GDOI_GM_GROUPS_MAX + 1 };

	lab_reset();
	for (size_t s = 0; s < GK_COUNT(servers); s++)
		for (size_t g = 0; g < GK_COUNT(groups); g++) {
			struct gdoi_gm_config cfg = lab.cfg;
			struct gdoi_gm *gm;

			cfg.n_servers = servers[s];
			cfg.n_groups = groups[g];
			gm = gdoi_gm_new(&env, &cfg);
			assert_int_equal(gm != NULL, s % 3 != 0 && g % 3 != 0);
			gdoi_gm_free(gm);
		}
}

/* ---- phase 1 ------------------------------------------------------------ */

GK_TEST(rfc6407_3_3_12, phase_1_is_held_or_not)
{
	fresh();
	lab_join(0);
	lab_pass(2000);
	assert_true(lab.server[0].deleted);
	assert_int_equal(seen(GDOI_OUT_PHASE1_DOWN), 1);
	lab_reset();
	lab.cfg.keep_phase1 = true;
	lab_start();
	lab_join(0);
	lab_pass(60000);
	assert_false(lab.server[0].deleted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_3_11, keys_and_policy_come_by_pull),
		GK_RUN(rfc6407_5_3_01, a_rekey_sa_to_an_address_of_ipv6),
		GK_RUN(rfc6407_3_01, two_groups_under_one_phase_1),
		GK_RUN(rfc2408_5_1_05, lost_messages_are_sent_again),
		GK_RUN(rfc6407_3_1_01,
		       an_unlisted_key_server_gets_no_message_1),
		GK_RUN(rfc6407_3_3_05, policy_that_is_not_permitted),
		GK_RUN(rfc6407_5_5_1_07, an_unknown_transform),
		GK_RUN(rfc6407_5_3_3_02, a_kek_of_another_length),
		GK_RUN(rfc6407_5_3_3_01, a_kek_without_a_length),
		GK_RUN(rfc6407_6_1_03, a_legacy_kek),
		GK_RUN(rfc6407_6_1_06, a_legacy_signature),
		GK_RUN(rfc6407_6_1_07, a_short_rsa_key),
		GK_RUN(rfc6407_7_2_4_02, a_copy_in_a_registration),
		GK_RUN(rfc6407_7_2_4_01, cookies_of_no_session),
		GK_RUN(rfc6407_5_3_5_02, a_hash_that_is_not_the_curves),
		GK_RUN(rfc6407_5_3_7_01, a_signature_key_of_another_length),
		GK_RUN(rfc6407_5_6_05, a_key_packet_for_no_sa),
		GK_RUN(rfc6407_5_6_1_2_02, a_key_of_another_length),
		GK_RUN(rfc6407_5_6_2_1_01, a_kek_without_its_iv),
		GK_RUN(rfc6407_5_6_2_01, a_kek_without_a_public_key),
		GK_RUN(rfc6407_5_6_2_2_01, a_public_key_that_is_none),
		GK_RUN(rfc6407_3_2_21, a_rekey_sa_without_its_key),
		GK_RUN(rfc8052_2_2_5_02, one_spi_for_two_sas),
		GK_RUN(rfc6407_5_5_1_08, an_spi_of_zero),
		GK_RUN(rfc6407_5_6_1_01, two_key_packets_for_one_sa),
		GK_RUN(rfc6407_5_6_1_04, teks_may_come_by_push),
		GK_RUN(rfc6407_5_5_1_1_2_03, directions),
		GK_RUN(rfc2407_4_5_04, lifetimes),
		GK_RUN(rfc6407_7_2_6_02, the_next_key_server_serves),
		GK_RUN(rfc6407_7_2_6_02,
		       a_silent_key_server_is_not_the_first_for_a_while),
		GK_RUN(rfc6407_3_3_05,
		       the_next_key_server_may_have_a_better_policy),
		GK_RUN(rfc6407_3_3_01, failures_are_counted),
		GK_RUN(engine,
		       a_member_has_some_groups_and_key_servers_and_not_too_many),
		GK_RUN(rfc6407_3_3_12, phase_1_is_held_or_not),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
