/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

#include "gdoi/message/push_ack.h"

/*
 * Acknowledgements at the member (RFC 8263) and sender ids (RFC 6407 sections
 * 3.5, 4.4, 5.6.4; RFC 6054).
 */
static struct lab_policy p;

static void
member(uint16_t ack)
{
	lab_reset();
	lab.offer.sa.sak.ack = ack;
	lab_start();
	lab_join(0);
}

static struct lab_policy *
tek(uint32_t seq, uint32_t spi)
{
	p = (struct lab_policy){ .seq = seq };
	lab_add_esp(&p, spi, (uint8_t)spi);
	return &p;
}

/* The acknowledgement that was sent says @seq and is made with @base. */
static void
acknowledged(uint16_t type, struct gk_slice base, uint8_t spi, uint32_t seq)
{
	struct gdoi_push_ack ack;
	uint8_t key[GK_HASH_MAX], cookies[16];

	memset(cookies, spi, sizeof(cookies));
	gk_assert_ok(
		gdoi_push_ack_read(gk_buf_slice(&lab.seen.ack), &ack, &why));
	assert_int_equal(ack.seq.number, seq);
	assert_memory_equal(ack.spi, cookies, sizeof(cookies));
	assert_int_equal(ack.id.type, ISAKMP_ID_IPV4_ADDR);
	assert_memory_equal(ack.id.data.ptr, ip[0], 4);
	gk_assert_ok(gdoi_ack_key(&lab.dialect, type, base, cookies, key));
	gk_assert_ok(gdoi_push_ack_check(&lab.dialect, type, key, &ack, &why));
}

static bool
silent(void)
{
	return lab.seen.ack.len == 0;
}

GK_TEST(rfc8263_4_02, each_push_is_acknowledged)
{
	static const uint16_t type[] = { GDOI_ACK_KEK_SHA256,
		                         GDOI_ACK_KEK_SHA512 };

	for (size_t i = 0; i < 2; i++) {
		member(type[i]);
		gk_assert_ok(lab_push(tek(1, 0x102)));
		lab_pass(1001);
		acknowledged(type[i], lab.kek.key, 0x11, 1);
	}
}

GK_TEST(rfc8263_3_03, it_goes_where_the_push_came_from)
{
	member(GDOI_ACK_KEK_SHA256);
	gk_assert_ok(lab_push(tek(1, 0x102)));
	lab_pass(1001);
	/* from 10.0.0.2:850 to 239.1.1.1:849 */
	assert_int_equal(lab.seen.ack_to.ip[3], 2);
	assert_int_equal(lab.seen.ack_to.port, 850);
	assert_int_equal(lab.seen.ack_to.handle, 7);
	assert_int_equal(lab.seen.ack_from.port, 849);
	assert_memory_equal(lab.seen.ack_from.ip, ip[0], 4);
}

GK_TEST(rfc8263_6_04, nobody_waits_longer_than_five_seconds)
{
	for (int i = 0; i < 20; i++) {
		lab_reset();
		lab.cfg.ack_jitter_ms = 60000;
		lab.offer.sa.sak.ack = GDOI_ACK_KEK_SHA256;
		lab_start();
		lab_join(0);
		gk_assert_ok(lab_push(tek(1, 0x102)));
		lab_pass(5000);
		assert_false(silent());
	}
}

GK_TEST(rfc8263_6_03, a_multicast_is_acknowledged_at_random)
{
	unsigned early = 0;

	for (int i = 0; i < 20; i++) {
		member(GDOI_ACK_KEK_SHA256);
		gk_assert_ok(lab_push(tek(1, 0x102)));
		lab_pass(500);
		early += !silent();
	}
	assert_in_range(early, 2, 18);
}

/* Those of consecutive PUSHes keep their order, whatever is drawn for each. */
GK_TEST(rfc8263_6_03, the_wait_changes_no_order)
{
	for (int i = 0; i < 20; i++) {
		uint32_t last = 0;

		lab_reset();
		lab.cfg.ack_jitter_ms = 4000;
		lab.offer.sa.sak.ack = GDOI_ACK_KEK_SHA256;
		lab_start();
		lab_join(0);
		for (uint32_t seq = 1; seq <= 3; seq++)
			gk_assert_ok(lab_push(tek(seq, 0x101 + seq)));
		for (unsigned ms = 0; ms < 4500; ms += 50) {
			struct gdoi_push_ack ack;

			gk_buf_free(&lab.seen.ack);
			lab_pass(50);
			if (silent())
				continue;
			gk_assert_ok(gdoi_push_ack_read(
				gk_buf_slice(&lab.seen.ack), &ack, &why));
			assert_true(ack.seq.number > last);
			last = ack.seq.number;
		}
		assert_int_equal(last, 3);
	}
}

GK_TEST(rfc8263_7_2_01, what_is_refused_is_not_acknowledged)
{
	struct gk_buf dgram;

	member(GDOI_ACK_KEK_SHA256);
	dgram = lab_push_octets(tek(1, 0x102), NULL, 0);
	gk_assert_ok(lab_push_give(gk_buf_slice(&dgram)));
	lab_pass(1001);
	gk_buf_free(&lab.seen.ack);
	/* a copy */
	lab_refused(gk_buf_slice(&dgram), "RFC6407-7.3.4-02");
	/* an old one, and one that somebody else has signed */
	lab_push_refused(tek(1, 0x103), "RFC6407-4.4-03");
	dgram.ptr[30] ^= 1;
	assert_int_not_equal(lab_push_give(gk_buf_slice(&dgram)), GK_OK);
	lab_pass(4000);
	assert_true(silent());
	gk_buf_free(&dgram);
}

GK_TEST(rfc8263_6_09, switch_ack_replay)
{
	struct gk_buf dgram;

	lab_reset();
	lab.dialect.ack_replay = GDOI_ACK_REPLAY_REACK;
	lab.offer.sa.sak.ack = GDOI_ACK_KEK_SHA256;
	lab_start();
	lab_join(0);
	dgram = lab_push_octets(tek(1, 0x102), NULL, 0);
	gk_assert_ok(lab_push_give(gk_buf_slice(&dgram)));
	lab_pass(1001);
	gk_buf_free(&lab.seen.ack);
	assert_int_equal(lab_push_give(gk_buf_slice(&dgram)), GK_ERR_REPLAY);
	lab_pass(1001);
	acknowledged(GDOI_ACK_KEK_SHA256, lab.kek.key, 0x11, 1);
	gk_buf_free(&dgram);
}

GK_TEST(rfc8263_4_05, also_when_it_deletes_its_own_kek)
{
	const struct lab_delete all[] = { { GDOI_PROTOCOL_ESP, 4, { 0 }, 0 },
		                          { GDOI_PROTOCOL_KEK, 16, { 0 }, 0 } };

	member(GDOI_ACK_KEK_SHA256);
	p = (struct lab_policy){ .seq = 1 };
	gk_assert_ok(lab_push_deletes(&p, all, 2));
	lab.server[0].deaf = true;
	lab_pass(1001);
	acknowledged(GDOI_ACK_KEK_SHA256, lab.kek.key, 0x11, 1);
}

GK_TEST(rfc8263_2_1_02, a_new_kek_is_acknowledged_with_the_old_one)
{
	member(GDOI_ACK_KEK_SHA256);
	p = (struct lab_policy){ .seq = 1 };
	lab_add_kek(&p, 0x22, 0x60);
	p.sa.sak.ack = GDOI_ACK_KEK_SHA512;
	gk_assert_ok(lab_push(&p));
	lab_pass(1001);
	acknowledged(GDOI_ACK_KEK_SHA512, lab.kek.key, 0x11, 1);
}

GK_TEST(rfc8263_4_06, switch_ack_policy)
{
	lab_reset();
	lab.dialect.ack_policy = GDOI_ACK_POLICY_PROTECTING;
	lab.offer.sa.sak.ack = GDOI_ACK_KEK_SHA256;
	lab_start();
	lab_join(0);
	p = (struct lab_policy){ .seq = 1 };
	lab_add_kek(&p, 0x22, 0x60);
	gk_assert_ok(lab_push(&p));
	lab_pass(1001);
	acknowledged(GDOI_ACK_KEK_SHA256, lab.kek.key, 0x11, 1);
	/* the new one asks for none */
	gk_buf_free(&lab.seen.ack);
	lab_kek(0x22, 0x60);
	gk_assert_ok(lab_push(tek(1, 0x103)));
	lab_pass(1001);
	assert_true(silent());
}

GK_TEST(rfc8263_4_03, who_cannot_takes_part_without)
{
	/* the type of a leaf, in a group without a tree */
	member(GDOI_ACK_LKH_SHA256);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	gk_assert_ok(lab_push(tek(1, 0x102)));
	lab_pass(1001);
	assert_true(silent());
	lab_reset();
	lab.cfg.no_ack = true;
	lab.offer.sa.sak.ack = GDOI_ACK_KEK_SHA256;
	lab_start();
	lab_join(0);
	gk_assert_ok(lab_push(tek(1, 0x102)));
	lab_pass(1001);
	assert_true(silent());
}

GK_TEST(rfc8263_2_2_02, the_leaf_of_a_tree_is_the_members_own_key)
{
	static const uint16_t type[] = { GDOI_ACK_LKH_SHA256,
		                         GDOI_ACK_LKH_SHA512 };

	for (size_t i = 0; i < 2; i++) {
		struct gdoi_lkh_array array = { .count = 2 };
		struct gk_slice leaf;
		struct gk_wr wr;

		lab_reset();
		leaf = lab_octets(&lab.offer, 0x70, 32);
		array.key[0] = (struct gdoi_lkh_key){ .id = 2,
			                              .type = GDOI_KEK_ALG_AES,
			                              .data = leaf };
		array.key[1] =
			(struct gdoi_lkh_key){ .id = 1,
			                       .type = GDOI_KEK_ALG_AES,
			                       .data = lab_octets(&lab.offer,
			                                          0x11, 32) };
		lab.offer.kd.packet[0].type = GDOI_KD_LKH;
		lab.offer.kd.packet[0].algorithm_key.len = 0;
		gk_wr_init(&wr, lab.offer.octets + lab.offer.used, 400);
		gdoi_lkh_encode(&wr, false, &array);
		lab.offer.kd.download = (struct gk_slice){ wr.buf, wr.len };
		lab.offer.used += wr.len;
		lab.offer.sa.sak.ack = type[i];
		lab_start();
		lab_join(0);
		gk_assert_ok(lab_push(tek(1, 0x102)));
		lab_pass(1001);
		acknowledged(type[i], (struct gk_slice){ leaf.ptr + 16, 16 },
		             0x11, 1);
	}
}

/* ---- sender ids --------------------------------------------------------- */

static void
give_sids(uint16_t n_sids)
{
	lab.offer.kd.packet[lab.offer.kd.n_packets++] =
		(struct gdoi_kd_packet){ .type = GDOI_KD_SID };
	lab.offer.kd.sid_bits = 8;
	lab.offer.kd.n_sids = n_sids;
	for (uint16_t i = 0; i < n_sids; i++)
		lab.offer.kd.sid[i] = 5U + i;
}

static void
gcm_offer(uint16_t n_sids)
{
	lab_reset();
	lab.offer.kd.n_packets = 1;
	lab.offer.sa.n_sats = 0;
	lab_add_gcm(&lab.offer, 0x101, 0x40);
	if (n_sids != 0)
		give_sids(n_sids);
}

GK_TEST(rfc6407_3_5_05, one_comes_unasked)
{
	struct gdoi_tek t;

	gcm_offer(1);
	lab_start();
	lab_join(0);
	assert_int_equal(lab.server[0].requested, 0);
	assert_true(lab_tek(0x101, &t));
	assert_true(t.may_send);
	assert_int_equal(t.sid_bits, 8);
	assert_int_equal(t.n_sids, 1);
	assert_int_equal(t.sids[0], 5);
}

GK_TEST(rfc6407_3_3_06, several_are_requested)
{
	struct gdoi_tek t;

	gcm_offer(3);
	lab.group[0].sids = 3;
	lab_start();
	lab_join(0);
	assert_int_equal(lab.server[0].requested, 3);
	assert_true(lab_tek(0x101, &t));
	assert_int_equal(t.n_sids, 3);
	assert_int_equal(t.sids[2], 7);
}

GK_TEST(rfc6407_3_3_06, none_is_requested_where_none_is_needed)
{
	lab_reset();
	lab.group[0].sids = 3;
	lab_start();
	lab_join(0);
	assert_int_equal(lab.server[0].requested, 0);
	gcm_offer(1);
	lab.group[0].sids = 3;
	lab.group[0].receive_only = true;
	lab_start();
	lab_join(0);
	assert_int_equal(lab.server[0].requested, 0);
}

GK_TEST(rfc6407_4_4_08, a_sender_without_one_does_not_install)
{
	struct gdoi_tek t;

	lab_reset();
	lab_start();
	lab_join(0);
	p = (struct lab_policy){ .seq = 1 };
	lab_add_gcm(&p, 0x102, 2);
	gk_assert_ok(lab_push(&p));
	assert_false(lab_tek(0x102, NULL));
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 1);
	/* who only receives does */
	gcm_offer(0);
	lab.group[0].receive_only = true;
	lab_start();
	lab_join(0);
	assert_true(lab_tek(0x101, &t));
	assert_false(t.may_send);
	assert_false(t.no_sid);
	assert_int_equal(lab.seen.n[GDOI_OUT_RECEIVE_ONLY], 0);
}

/* Section 3.5: senders get one unasked; so who gets none is no sender. */
GK_TEST(rfc6407_5_6_4_4_01, who_is_given_none_receives_and_asks_no_more)
{
	struct gdoi_gm_status status;
	struct gdoi_tek t;

	gcm_offer(0);
	lab_start();
	lab_join(0);
	assert_true(lab_tek(0x101, &t));
	assert_false(t.may_send);
	assert_true(t.no_sid);
	assert_int_equal(t.state, GDOI_TEK_CURRENT);
	gdoi_gm_status(lab.gm, 0, &status);
	assert_true(status.no_sender);
	assert_int_equal(lab.seen.n[GDOI_OUT_RECEIVE_ONLY], 1);
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
	lab_pass(600000);
	assert_int_equal(lab.server[0].pulls, 1);
	/* a PUSH brings another one: the same */
	p = (struct lab_policy){ .seq = 1 };
	lab_add_gcm(&p, 0x102, 2);
	gk_assert_ok(lab_push(&p));
	assert_true(lab_tek(0x102, &t));
	assert_false(t.may_send);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	/* and when policy has changed its mind, we send */
	give_sids(1);
	lab.offer.seq = 1;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	assert_true(lab_tek(0x101, &t));
	assert_true(t.may_send);
	assert_false(t.no_sid);
	assert_int_equal(t.n_sids, 1);
	assert_int_equal(lab.seen.n[GDOI_OUT_RECEIVE_ONLY], 1);
}

GK_TEST(rfc6407_4_4_09, and_registers_again_for_one)
{
	struct gdoi_tek t;

	lab_reset();
	lab_start();
	lab_join(0);
	p = (struct lab_policy){ .seq = 1 };
	lab_add_gcm(&p, 0x102, 2);
	gk_assert_ok(lab_push(&p));
	assert_false(lab_tek(0x102, NULL));
	assert_int_equal(lab_state(0), GDOI_GM_REREGISTERING);
	lab_add_gcm(&lab.offer, 0x102, 2);
	lab.offer.kd.packet[lab.offer.kd.n_packets++] =
		(struct gdoi_kd_packet){ .type = GDOI_KD_SID };
	lab.offer.kd.sid_bits = 12;
	lab.offer.kd.n_sids = 1;
	lab.offer.kd.sid[0] = 0xabc;
	lab.offer.seq = 1;
	lab_pass(6000);
	assert_true(lab_tek(0x102, &t));
	assert_int_equal(t.sid_bits, 12);
	assert_int_equal(t.sids[0], 0xabc);
}

GK_TEST(rfc6407_4_4_07, it_is_used_for_what_is_pushed_later)
{
	struct gdoi_tek t;

	gcm_offer(1);
	lab_start();
	lab_join(0);
	p = (struct lab_policy){ .seq = 1 };
	lab_add_gcm(&p, 0x102, 2);
	gk_assert_ok(lab_push(&p));
	assert_true(lab_tek(0x102, &t));
	assert_true(t.may_send);
	assert_int_equal(t.sids[0], 5);
}

GK_TEST(rfc6407_5_6_4_3_05, a_registration_brings_a_new_one)
{
	struct gdoi_tek t;
	unsigned teks;

	gcm_offer(1);
	lab_start();
	lab_join(0);
	teks = lab.seen.n[GDOI_OUT_TEK];
	lab.offer.kd.sid[0] = 9;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	assert_true(lab_tek(0x101, &t));
	assert_int_equal(t.sids[0], 9);
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK], teks + 1);
}

GK_TEST(rfc6407_3_5_12, it_goes_with_the_rekey_sa)
{
	const struct lab_delete all[] = { { GDOI_PROTOCOL_ESP, 4, { 0 }, 0 },
		                          { GDOI_PROTOCOL_KEK, 16, { 0 }, 0 } };
	struct gdoi_gm_status s;

	gcm_offer(1);
	lab_start();
	lab_join(0);
	p = (struct lab_policy){ .seq = 1 };
	gk_assert_ok(lab_push_deletes(&p, all, 2));
	gdoi_gm_status(lab.gm, 0, &s);
	assert_int_equal(s.n_sids, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc8263_4_02, each_push_is_acknowledged),
		GK_RUN(rfc8263_3_03, it_goes_where_the_push_came_from),
		GK_RUN(rfc8263_6_04, nobody_waits_longer_than_five_seconds),
		GK_RUN(rfc8263_6_03, a_multicast_is_acknowledged_at_random),
		GK_RUN(rfc8263_6_03, the_wait_changes_no_order),
		GK_RUN(rfc8263_7_2_01, what_is_refused_is_not_acknowledged),
		GK_RUN(rfc8263_6_09, switch_ack_replay),
		GK_RUN(rfc8263_4_05, also_when_it_deletes_its_own_kek),
		GK_RUN(rfc8263_2_1_02,
		       a_new_kek_is_acknowledged_with_the_old_one),
		GK_RUN(rfc8263_4_06, switch_ack_policy),
		GK_RUN(rfc8263_4_03, who_cannot_takes_part_without),
		GK_RUN(rfc8263_2_2_02,
		       the_leaf_of_a_tree_is_the_members_own_key),
		GK_RUN(rfc6407_3_5_05, one_comes_unasked),
		GK_RUN(rfc6407_3_3_06, several_are_requested),
		GK_RUN(rfc6407_3_3_06, none_is_requested_where_none_is_needed),
		GK_RUN(rfc6407_4_4_08, a_sender_without_one_does_not_install),
		GK_RUN(rfc6407_5_6_4_4_01,
		       who_is_given_none_receives_and_asks_no_more),
		GK_RUN(rfc6407_4_4_09, and_registers_again_for_one),
		GK_RUN(rfc6407_4_4_07, it_is_used_for_what_is_pushed_later),
		GK_RUN(rfc6407_5_6_4_3_05, a_registration_brings_a_new_one),
		GK_RUN(rfc6407_3_5_12, it_goes_with_the_rekey_sa),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
