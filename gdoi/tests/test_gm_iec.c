/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * IEC 61850 (RFC 8052) at the member.
 */
static struct lab_policy p;
static struct gdoi_tek t;

static void
iec_offer(void)
{
	lab_reset();
	lab.offer.kd.n_packets = 1;
	lab.offer.sa.n_sats = 0;
	lab_add_iec(&lab.offer, 0x101, 0x40);
}

static enum gdoi_tek_state
state_of(uint32_t spi)
{
	assert_true(lab_tek(spi, &t));
	return t.state;
}

static struct lab_policy *
tell(uint32_t seq)
{
	p = (struct lab_policy){ .seq = seq };
	return &p;
}

/* SA_ATD: the SA is to be used so many seconds from now. */
static void
set_atd(struct gdoi_sat *sat, uint32_t seconds)
{
	sat->iec.has_atd = true;
	sat->iec.atd = seconds;
}

/* SA_KDA: so many per cent of the members have its key. */
static void
set_kda(struct gdoi_sat *sat, uint16_t per_cent)
{
	sat->iec.has_kda = true;
	sat->iec.kda = per_cent;
}

GK_TEST(rfc8052_2_1_01, a_group_named_by_an_oid)
{
	static const uint8_t id[] = { ISAKMP_ID_OID, 0,    0,    0,    5, 0x06,
		                      0x03,          0x28, 0xe4, 0x52, 0, 0 };

	iec_offer();
	lab.group[0].id = (struct gk_slice){ id, sizeof(id) };
	lab_member();
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(t.integrity.len, 32);
	assert_int_equal(t.key.len, 0);
}

GK_TEST(rfc8052_2_2_4_1_01, the_next_key_waits)
{
	iec_offer();
	lab_member();
	set_atd(lab_add_iec(tell(1), 0x102, 2), 30);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(state_of(0x102), GDOI_TEK_NEXT);
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	lab_pass(29900);
	assert_int_equal(state_of(0x102), GDOI_TEK_NEXT);
	lab_pass(200);
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(state_of(0x101), GDOI_TEK_OLD);
}

GK_TEST(rfc8052_2_2_4_1_02, current_and_next_key_by_registration)
{
	iec_offer();
	lab.offer.sa.sat[0].iec.lifetime = 100;
	set_atd(lab_add_iec(&lab.offer, 0x102, 2), 100);
	lab_member();
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(state_of(0x102), GDOI_TEK_NEXT);
	/* no registration is needed: there is a next key */
	lab.server[0].deaf = true;
	lab_pass(100100);
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
	/* not all change over at the same moment: it is heard a little longer,
	 * and not sent with */
	assert_int_equal(state_of(0x101), GDOI_TEK_OLD);
	lab_pass(2000);
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
}

GK_TEST(rfc6407_5_4_1_02, a_key_that_is_replaced_is_heard_until_dtd)
{
	iec_offer();
	lab.offer.sa.has_gap = true;
	lab.offer.sa.gap = (struct gdoi_gap){ .has_dtd = true, .dtd = 7 };
	lab.offer.sa.sat[0].iec.lifetime = 100;
	set_atd(lab_add_iec(&lab.offer, 0x102, 2), 100);
	lab_member();
	lab_pass(106900);
	assert_int_equal(state_of(0x101), GDOI_TEK_OLD);
	lab_pass(200);
	assert_false(lab_tek(0x101, NULL));
}

GK_TEST(rfc8052_2_2_4_1_03, sa_atd_goes_before_gap)
{
	iec_offer();
	lab_member();
	set_atd(lab_add_iec(tell(1), 0x102, 2), 10);
	p.sa.has_gap = true;
	p.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 60 };
	gk_assert_ok(lab_push(&p));
	lab_pass(10100);
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
}

/* What a PUSH prepares does not end what is in use: DTD is from the change on. */
GK_TEST(rfc6407_5_4_1_02, dtd_counts_from_the_turn_of_a_next_key)
{
	iec_offer();
	lab_member();
	set_atd(lab_add_iec(tell(1), 0x102, 2), 30);
	p.sa.has_gap = true;
	p.sa.gap = (struct gdoi_gap){
		.has_atd = true, .atd = 2, .has_dtd = true, .dtd = 5
	};
	gk_assert_ok(lab_push(&p));
	lab_pass(29900);
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(state_of(0x102), GDOI_TEK_NEXT);
	lab_pass(200);
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(state_of(0x101), GDOI_TEK_OLD);
	lab_pass(4700);
	assert_int_equal(state_of(0x101), GDOI_TEK_OLD);
	lab_pass(200);
	assert_false(lab_tek(0x101, NULL));
}

/* A registration says which is the newer one, whichever came here first. */
GK_TEST(rfc8052_2_2_4_1_02, the_next_key_takes_over_from_one_that_came_later)
{
	iec_offer();
	lab_member();
	set_atd(lab_add_iec(tell(1), 0x103, 4), 30);
	gk_assert_ok(lab_push(&p));
	lab.offer.sa.sat[0].iec.lifetime = 1000;
	lab.offer.sa.n_sats = 0;
	lab.offer.kd.n_packets = 1;
	lab_add_iec(&lab.offer, 0x102, 2)->iec.lifetime = 100;
	set_atd(lab_add_iec(&lab.offer, 0x103, 4), 20);
	lab.offer.sa.sat[1].iec.lifetime = 1000;
	lab.offer.seq = 1;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(state_of(0x103), GDOI_TEK_NEXT);
	lab_pass(20100);
	assert_int_equal(state_of(0x103), GDOI_TEK_CURRENT);
	assert_int_equal(state_of(0x102), GDOI_TEK_OLD);
}

GK_TEST(rfc8052_2_2_05, the_key_stays_when_no_key_server_answers)
{
	iec_offer();
	lab.offer.sa.sat[0].iec.lifetime = 100;
	lab.offer.sa.sak.lifetime = 0;
	lab_member();
	lab.server[0].deaf = true;
	lab_pass(500000);
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(t.expires_utc, 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK_WIPE], 0);
	/* until there is another one: then it goes at once */
	lab.server[0].deaf = false;
	lab.offer.sa.n_sats = 0;
	lab.offer.kd.n_packets = 1;
	lab_add_iec(&lab.offer, 0x102, 2);
	lab_pass(600000);
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
	assert_false(lab_tek(0x101, NULL));
}

GK_TEST(rfc8052_2_2_05, or_goes_if_it_is_told_to)
{
	iec_offer();
	lab.offer.sa.sat[0].iec.lifetime = 100;
	lab.cfg.drop_expired = true;
	lab_member();
	lab.server[0].deaf = true;
	lab_pass(99900);
	assert_true(lab_tek(0x101, NULL));
	lab_pass(200);
	assert_false(lab_tek(0x101, NULL));
}

GK_TEST(rfc8052_2_2_05, a_lifetime_of_zero_has_no_end)
{
	iec_offer();
	lab.offer.sa.sat[0].iec.lifetime = 0;
	lab.offer.sa.sak.lifetime = 0;
	lab_member();
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(t.expires_utc, 0);
	lab_pass(400000000);
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(lab.server[0].pulls, 1);
}

GK_TEST(rfc8052_2_2_04, a_revocation_replaces_at_once)
{
	const struct lab_delete old = {
		GDOI_PROTOCOL_IEC_61850, 4, { 0, 0, 1, 1 }, 0
	};

	iec_offer();
	lab_member();
	lab_add_iec(tell(1), 0x102, 2);
	gk_assert_ok(lab_push_deletes(&p, &old, 1));
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
}

GK_TEST(rfc8052_2_2_4_2_02, a_publisher_waits_for_its_subscribers)
{
	iec_offer();
	lab.group[0].kda_min = 80;
	lab_member();
	set_kda(lab_add_iec(tell(1), 0x102, 2), 50);
	gk_assert_ok(lab_push(&p));
	lab_pass(1000);
	assert_int_equal(state_of(0x102), GDOI_TEK_RECEIVE);
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	set_kda(lab_add_iec(tell(2), 0x102, 2), 90);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(state_of(0x101), GDOI_TEK_OLD);
}

/* Both attributes at once; and the one in use is not given up for one that is not
 * to be used yet. */
GK_TEST(rfc8052_2_2_4_2_02, a_next_key_waits_for_its_time_and_for_subscribers)
{
	iec_offer();
	lab.group[0].kda_min = 80;
	lab_member();
	set_kda(lab_add_iec(tell(1), 0x102, 2), 50);
	set_atd(&p.sa.sat[0], 10);
	p.sa.has_gap = true;
	p.sa.gap = (struct gdoi_gap){ .has_dtd = true, .dtd = 5 };
	lab.server[0].deaf = true;
	gk_assert_ok(lab_push(&p));
	assert_int_equal(state_of(0x102), GDOI_TEK_NEXT);
	assert_int_equal(t.kda, 50);
	lab_pass(20000);
	assert_int_equal(state_of(0x102), GDOI_TEK_RECEIVE);
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	/* Others may send with it by now, whatever is said of its time again. */
	set_kda(lab_add_iec(tell(2), 0x102, 2), 60);
	set_atd(&p.sa.sat[0], 10);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(state_of(0x102), GDOI_TEK_RECEIVE);
	assert_int_equal(t.kda, 60);
	set_kda(lab_add_iec(tell(3), 0x102, 2), 90);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(t.kda, 90);
	assert_int_equal(state_of(0x101), GDOI_TEK_OLD);
	lab_pass(5100);
	assert_false(lab_tek(0x101, NULL));
}

GK_TEST(rfc8052_2_2_4_2_02, a_publisher_that_waits_asks_again)
{
	unsigned asked;

	iec_offer();
	lab.group[0].kda_min = 80;
	lab_member();
	set_kda(lab_add_iec(tell(1), 0x102, 2), 0);
	gk_assert_ok(lab_push(&p));
	/* The key server knows of no more, and is asked ever more rarely. */
	lab.offer.seq = 1;
	set_kda(lab_add_iec(&lab.offer, 0x102, 2), 79);
	lab_pass(60000);
	asked = lab.seen.n[GDOI_OUT_JOINED];
	assert_in_range(asked, 3, 6);
	assert_int_equal(state_of(0x102), GDOI_TEK_RECEIVE);
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	lab.offer.sa.sat[1].iec.kda = 80;
	lab_pass(120000);
	assert_int_equal(state_of(0x102), GDOI_TEK_CURRENT);
	asked = lab.seen.n[GDOI_OUT_JOINED];
	/* Once it is in use, there is nothing to ask for. */
	lab_pass(600000);
	assert_int_equal(lab.seen.n[GDOI_OUT_JOINED], asked);
}

GK_TEST(rfc8052_2_3_05, keys_of_iec_61850_have_their_lengths)
{
	iec_offer();
	lab_member();
	lab_add_iec(tell(1), 0x102, 2)->iec.auth = GDOI_IEC_AUTH_AES_GMAC_128;
	lab_push_refused(&p, "RFC8052-2.3-05");
}

GK_TEST(rfc8052_2_3_09, switch_sid_for_iec61850)
{
	/* omitted: GMAC is sent with without a sender id */
	iec_offer();
	lab.offer.sa.sat[0].iec.auth = GDOI_IEC_AUTH_AES_GMAC_128;
	lab.offer.kd.packet[1].integrity_key.len = 20;
	lab_member();
	assert_int_equal(state_of(0x101), GDOI_TEK_CURRENT);
	assert_true(t.may_send);
	/* included: not without */
	iec_offer();
	lab.dialect.sid_for_iec61850 = GDOI_SID_FOR_IEC61850_INCLUDE;
	lab.offer.sa.sat[0].iec.auth = GDOI_IEC_AUTH_AES_GMAC_128;
	lab.offer.kd.packet[1].integrity_key.len = 20;
	lab_start();
	lab_join(0);
	assert_true(lab_tek(0x101, &t));
	assert_false(t.may_send);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc8052_2_1_01, a_group_named_by_an_oid),
		GK_RUN(rfc8052_2_2_4_1_01, the_next_key_waits),
		GK_RUN(rfc8052_2_2_4_1_02,
		       current_and_next_key_by_registration),
		GK_RUN(rfc6407_5_4_1_02,
		       a_key_that_is_replaced_is_heard_until_dtd),
		GK_RUN(rfc6407_5_4_1_02,
		       dtd_counts_from_the_turn_of_a_next_key),
		GK_RUN(rfc8052_2_2_4_1_02,
		       the_next_key_takes_over_from_one_that_came_later),
		GK_RUN(rfc8052_2_2_4_1_03, sa_atd_goes_before_gap),
		GK_RUN(rfc8052_2_2_05,
		       the_key_stays_when_no_key_server_answers),
		GK_RUN(rfc8052_2_2_05, or_goes_if_it_is_told_to),
		GK_RUN(rfc8052_2_2_05, a_lifetime_of_zero_has_no_end),
		GK_RUN(rfc8052_2_2_04, a_revocation_replaces_at_once),
		GK_RUN(rfc8052_2_2_4_2_02,
		       a_publisher_waits_for_its_subscribers),
		GK_RUN(rfc8052_2_2_4_2_02,
		       a_next_key_waits_for_its_time_and_for_subscribers),
		GK_RUN(rfc8052_2_2_4_2_02, a_publisher_that_waits_asks_again),
		GK_RUN(rfc8052_2_3_05, keys_of_iec_61850_have_their_lengths),
		GK_RUN(rfc8052_2_3_09, switch_sid_for_iec61850),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
