/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

/* Acknowledgements of PUSHes at the key server: RFC 8263. */
static struct gw w;

static void
open_all(size_t members, uint16_t type)
{
	gw_init(&w, members);
	w.template.rekey.sak.ack = type;
	w.template.rekey.silent_max = 2;
	w.cfg.push_max = 9000; /* an eviction is two PUSHes */
	gw_open_with(&w, members);
}

static void
tek_push(void)
{
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
}

static enum gk_err
ack(size_t member, size_t kek, uint32_t sequence, uint16_t type)
{
	struct gk_buf dgram;
	enum gk_err err;

	gw_ack(&w, &w.member[member], kek, sequence, type, &dgram);
	err = gw_send_ack(&w, &w.member[member], gk_buf_slice(&dgram));
	gk_buf_free(&dgram);
	return err;
}

static void
refused(enum gk_err want, const char *req, enum gk_err err)
{
	gk_assert_err(want, err);
	assert_string_equal(w.why.req, req);
}

static struct gdoi_group_row seen;
static char first[] = "ipv4:10.1.0.1", third[] = "ipv4:10.1.0.3";

static void
note_row(void *ctx, const struct gdoi_group_row *row)
{
	if (strcmp(row->peer, ctx) == 0)
		seen = *row;
}

GK_TEST(rfc8263_5_06, all_four_types_are_verified_and_recorded)
{
	static const uint16_t type[] = { GDOI_ACK_KEK_SHA256,
		                         GDOI_ACK_LKH_SHA256,
		                         GDOI_ACK_KEK_SHA512,
		                         GDOI_ACK_LKH_SHA512 };
	struct gdoi_group_status s;

	for (size_t t = 0; t < 4; t++) {
		open_all(3, type[t]);
		assert_int_equal(w.member[0].kek[0].sak.ack, type[t]);
		tek_push();
		for (size_t i = 0; i < 3; i++)
			gk_assert_ok(ack(i, 0, 1, type[t]));
		gdoi_group_status(w.group, &s);
		assert_int_equal(s.acks, 3);
		assert_int_equal(s.refused_acks, 0);
		assert_int_equal(w.count[GDOI_OUT_ACKED], 3);
		assert_string_equal(w.peer, "ipv4:10.1.0.3");
		/* One of another type verifies under no key. */
		tek_push();
		refused(GK_ERR_AUTH, "RFC8263-5-05",
		        ack(0, 0, 2, type[(t + 1) % 4]));
		gw_free(&w);
	}
}

GK_TEST(rfc8263_5_04, a_repetition_is_refused_before_any_cryptography)
{
	struct gdoi_group_status s;
	struct gk_buf dgram;

	open_all(2, GDOI_ACK_KEK_SHA256);
	tek_push();
	gw_ack(&w, &w.member[0], 0, 1, GDOI_ACK_KEK_SHA256, &dgram);
	gk_assert_ok(gw_send_ack(&w, &w.member[0], gk_buf_slice(&dgram)));
	/* Not even a wrong HASH would be looked at. */
	dgram.ptr[40] ^= 1;
	refused(GK_ERR_REPLAY, "RFC8263-5-04",
	        gw_send_ack(&w, &w.member[0], gk_buf_slice(&dgram)));
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.acks, 1);
	assert_int_equal(s.refused_acks, 1);
	gk_buf_free(&dgram);
	gw_free(&w);
}

/* A later one may overtake it: it is none the less the first of its PUSH, and says
 * nothing of others, of which a member may have missed one. */
GK_TEST(rfc8263_5_06, one_that_comes_late_is_recorded_once)
{
	struct gdoi_group_status s;
	const uint32_t order[] = { 3, 1, 2 };

	open_all(2, GDOI_ACK_KEK_SHA256);
	for (int i = 0; i < 3; i++)
		tek_push();
	for (size_t i = 0; i < 3; i++) {
		gk_assert_ok(ack(0, 0, order[i], GDOI_ACK_KEK_SHA256));
		for (size_t k = 0; k <= i; k++)
			refused(GK_ERR_REPLAY, "RFC8263-5-04",
			        ack(0, 0, order[k], GDOI_ACK_KEK_SHA256));
	}
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.acks, 3);
	gdoi_group_members(w.group, note_row, first);
	assert_int_equal(seen.acked, 3);
	/* Many PUSHes later, too. */
	for (uint32_t seq = 4; seq <= 60; seq++) {
		tek_push();
		if (seq != 17)
			gk_assert_ok(ack(0, 0, seq, GDOI_ACK_KEK_SHA256));
	}
	gk_assert_ok(ack(0, 0, 17, GDOI_ACK_KEK_SHA256));
	for (uint32_t seq = 1; seq <= 60; seq++)
		refused(GK_ERR_REPLAY, "RFC8263-5-04",
		        ack(0, 0, seq, GDOI_ACK_KEK_SHA256));
	gw_free(&w);
}

GK_TEST(rfc8263_5_05, forged_ones_change_nothing)
{
	uint8_t before[32], after[32];
	struct gk_buf dgram;

	open_all(2, GDOI_ACK_LKH_SHA256);
	tek_push();
	gdoi_group_digest(w.group, before);
	/* RFC8263-7.1-02: member 0 in the name of member 1. */
	gw_ack(&w, &w.member[0], 0, 1, GDOI_ACK_LKH_SHA256, &dgram);
	memcpy(dgram.ptr + dgram.len - 4, w.member[1].ip, 4);
	refused(GK_ERR_AUTH, "RFC8263-5-05",
	        gw_send_ack(&w, &w.member[0], gk_buf_slice(&dgram)));
	/* Every octet altered, every length cut. */
	for (size_t i = 0; i < dgram.len; i++) {
		dgram.ptr[i] ^= 0x20;
		assert_true(gw_send_ack(&w, &w.member[0],
		                        gk_buf_slice(&dgram)) != GK_OK);
		assert_true(gw_send_ack(&w, &w.member[0],
		                        (struct gk_slice){ dgram.ptr, i }) !=
		            GK_OK);
		dgram.ptr[i] ^= 0x20;
	}
	gdoi_group_digest(w.group, after);
	assert_memory_equal(before, after, 32);
	gk_buf_free(&dgram);
	gw_free(&w);
}

GK_TEST(rfc8263_3_4_03, an_address_that_did_not_register_is_nobodys)
{
	open_all(3, GDOI_ACK_KEK_SHA256);
	tek_push();
	w.member[1].ip[3] = 99;
	refused(GK_ERR_VALUE, "RFC8263-3.4-03",
	        ack(1, 0, 1, GDOI_ACK_KEK_SHA256));
	gw_free(&w);
}

/* ID_OID names the group; then the address of the datagram says who it is. */
GK_TEST(rfc8263_3_4_03, who_names_the_group_is_known_by_where_it_sends_from)
{
	open_all(3, GDOI_ACK_LKH_SHA256);
	tek_push();
	w.member[0].names_group = w.member[1].names_group = true;
	gk_assert_ok(ack(0, 0, 1, GDOI_ACK_LKH_SHA256));
	assert_string_equal(w.peer, first);
	w.member[1].ip[3] = 99;
	refused(GK_ERR_VALUE, "RFC8263-3.4-03",
	        ack(1, 0, 1, GDOI_ACK_LKH_SHA256));
	gw_free(&w);
}

/* Behind a NAT a member has an address of its own that never came here: in its ID
 * it is right, and what counts is where the datagram is from. */
GK_TEST(rfc8263_3_4_03, behind_a_nat_the_address_of_the_datagram_counts)
{
	static const uint8_t inside[4] = { 192, 168, 1, 5 };
	uint8_t public[4];
	struct gk_buf dgram;

	gw_init(&w, 2);
	w.template.rekey.sak.ack = GDOI_ACK_LKH_SHA256;
	gw_open(&w);
	w.member[1].nat = true;
	for (size_t i = 0; i < 2; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	gw_drain(&w);
	gw_restart(&w);
	gw_after(&w, 1);
	tek_push();
	for (size_t i = 0; i < 2; i++) {
		struct gw_member *m = &w.member[i];

		memcpy(public, m->ip, 4);
		memcpy(m->ip, inside, 4);
		gw_ack(&w, m, 0, 1, GDOI_ACK_LKH_SHA256, &dgram);
		memcpy(m->ip, public, 4);
		if (m->nat)
			gk_assert_ok(gw_send_ack(&w, m, gk_buf_slice(&dgram)));
		else
			refused(GK_ERR_VALUE, "RFC8263-3.4-03",
			        gw_send_ack(&w, m, gk_buf_slice(&dgram)));
		gk_buf_free(&dgram);
	}
	gw_free(&w);
}

GK_TEST(rfc8263_3_3_01, a_push_that_was_never_sent_has_no_acknowledgement)
{
	open_all(2, GDOI_ACK_KEK_SHA256);
	tek_push();
	refused(GK_ERR_VALUE, "RFC8263-3.3-01",
	        ack(0, 0, 2, GDOI_ACK_KEK_SHA256));
	gw_free(&w);
}

GK_TEST(rfc8263_5_03, a_group_that_does_not_ask_takes_none)
{
	open_all(2, 0);
	tek_push();
	refused(GK_ERR_POLICY, "RFC8263-5-03",
	        ack(0, 0, 1, GDOI_ACK_KEK_SHA256));
	gw_free(&w);
}

/* RFC8263-6-10: also when the PUSH replaced or deleted its own KEK. */
GK_TEST(rfc8263_6_10, what_came_under_the_old_kek_is_acknowledged_under_it)
{
	open_all(3, GDOI_ACK_KEK_SHA256);
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_int_equal(w.member[0].n_keks, 2);
	gk_assert_ok(ack(0, 1, 1, GDOI_ACK_KEK_SHA256));
	gk_assert_ok(ack(0, 0, 1, GDOI_ACK_KEK_SHA256));
	assert_true(gdoi_group_has_spi(w.group, w.member[0].kek[1].sak.spi));
	gw_after(&w, 9);
	gk_assert_ok(ack(1, 1, 1, GDOI_ACK_KEK_SHA256));
	/* Then it is forgotten. */
	gw_after(&w, 3);
	assert_false(gdoi_group_has_spi(w.group, w.member[0].kek[1].sak.spi));
	refused(GK_ERR_VALUE, "RFC8263-3.1-01",
	        ack(1, 1, 1, GDOI_ACK_KEK_SHA256));
	gw_free(&w);
}

GK_TEST(rfc8263_6_08, who_does_not_answer_is_shown)
{
	struct gdoi_group_status s;

	open_all(3, GDOI_ACK_KEK_SHA256);
	for (uint32_t seq = 1; seq <= 2; seq++) {
		tek_push();
		gk_assert_ok(ack(0, 0, seq, GDOI_ACK_KEK_SHA256));
		gk_assert_ok(ack(1, 0, seq, GDOI_ACK_KEK_SHA256));
		/* RFC8263-6-05 */
		gw_after(&w, 9);
		gdoi_group_status(w.group, &s);
		assert_int_equal(s.n_unresponsive, 0);
		gw_after(&w, 2);
	}
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.n_unresponsive, 1);
	assert_int_equal(w.count[GDOI_OUT_UNRESPONSIVE], 1);
	assert_string_equal(w.peer, "ipv4:10.1.0.3");
	gdoi_group_members(w.group, note_row, third);
	assert_string_equal(seen.state, "unresponsive");
	assert_int_equal(seen.missed, 2);
	gdoi_group_members(w.group, note_row, first);
	assert_string_equal(seen.state, "member");
	assert_int_equal(seen.acked, 2);
	/* It is back when it answers. */
	tek_push();
	gk_assert_ok(ack(2, 0, 3, GDOI_ACK_KEK_SHA256));
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.n_unresponsive, 0);
	gw_free(&w);
}

GK_TEST(rfc8263_6_01, only_who_was_ever_heard_is_evicted_for_silence)
{
	struct gdoi_group_status s;

	open_all(3, GDOI_ACK_LKH_SHA256);
	w.template.rekey.evict_silent = true;
	gk_assert_ok(gw_set_policy(&w));
	tek_push();
	gk_assert_ok(ack(0, 0, 1, GDOI_ACK_LKH_SHA256));
	gk_assert_ok(ack(1, 0, 1, GDOI_ACK_LKH_SHA256));
	gw_after(&w, 11);
	for (uint32_t seq = 2; seq <= 3; seq++) {
		tek_push();
		gk_assert_ok(ack(0, 0, seq, GDOI_ACK_LKH_SHA256));
		gw_after(&w, 11);
	}
	/* Member 1 has gone; member 2 never said a word. */
	assert_int_equal(w.count[GDOI_OUT_EVICTED], 1);
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.n_members, 2);
	assert_int_equal(s.n_barred, 0);
	assert_true(gw_can_read(&w, &w.member[0]));
	assert_false(gw_can_read(&w, &w.member[1]));
	assert_true(gw_can_read(&w, &w.member[2]));
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_free(&w);
}

static void
behind_a_nat(uint16_t type)
{
	open_all(3, type);
	for (size_t i = 0; i < 2; i++) {
		memcpy(w.member[i].from_ip, "\xc0\x00\x02\x07", 4);
		w.member[i].behind = true;
		gk_assert_ok(gw_register(&w, &w.member[i]));
	}
	gw_drain(&w);
	tek_push();
}

/* They name an address that nobody but they can see. */
GK_TEST(rfc8263_3_4_03, members_behind_a_nat_name_their_own_address)
{
	static const uint16_t type[] = { GDOI_ACK_KEK_SHA256,
		                         GDOI_ACK_LKH_SHA256 };
	struct gk_buf dgram;

	GK_BREAKS("RFC8263-3.4-03");
	for (size_t t = 0; t < 2; t++)
		for (int other = 0; other < 2; other++) {
			behind_a_nat(type[t]);
			w.other_port = other; /* a mapping of its own */
			for (size_t i = 0; i < 3; i++) {
				gk_assert_ok(ack(i, 0, 1, type[t]));
				gdoi_group_members(w.group, note_row, w.peer);
				if (!other || i == 2 ||
				    type[t] == GDOI_ACK_LKH_SHA256)
					assert_int_equal(seen.member_id,
					                 w.member[i].member_id);
			}
			refused(GK_ERR_REPLAY, "RFC8263-5-04",
			        ack(0, 0, 1, type[t]));
			tek_push();
			for (size_t i = 3; i-- > 0;)
				gk_assert_ok(ack(i, 0, 2, type[t]));
			gw_free(&w);
		}
	/* An address behind the NAT that no member has named: nobody's, when
	 * each has one. */
	behind_a_nat(GDOI_ACK_KEK_SHA256);
	w.other_port = true;
	gk_assert_ok(ack(0, 0, 1, GDOI_ACK_KEK_SHA256));
	gk_assert_ok(ack(1, 0, 1, GDOI_ACK_KEK_SHA256));
	tek_push();
	gw_ack(&w, &w.member[0], 0, 2, GDOI_ACK_KEK_SHA256, &dgram);
	dgram.ptr[dgram.len - 1] = 0xfe;
	assert_true(gw_send_ack(&w, &w.member[0], gk_buf_slice(&dgram)) !=
	            GK_OK);
	/* and who is behind none says what we see */
	refused(GK_ERR_VALUE, "RFC8263-3.4-03",
	        gw_send_ack(&w, &w.member[2], gk_buf_slice(&dgram)));
	gk_buf_free(&dgram);
	gw_free(&w);
}

/* Whoever names an address with many members behind it does not have all their
 * keys tried; who has acknowledged is not tried again, so all are found. */
GK_TEST(rfc8263_5_05, few_of_the_members_behind_one_address_are_tried)
{
	const uint16_t type = GDOI_ACK_LKH_SHA256;
	unsigned lost[2] = { 0 };

	open_all(70, type);
	for (size_t i = 0; i < 70; i++) {
		memcpy(w.member[i].from_ip, "\xc0\x00\x02\x07", 4);
		w.member[i].behind = true;
		gk_assert_ok(gw_register(&w, &w.member[i]));
	}
	gw_drain(&w);
	w.other_port = true;
	for (uint32_t turn = 0; turn < 2; turn++) {
		tek_push();
		for (size_t n = 0; n < 140; n++) {
			size_t i = turn == 0 ? n % 70 : 69 - n % 70;
			enum gk_err err = ack(i, 0, turn + 1, type);

			lost[turn] += n < 70 && err != GK_OK;
			assert_true(n < 70 || err == GK_OK ||
			            err == GK_ERR_REPLAY);
		}
	}
	/* One of the two orders is not that of the search. */
	assert_true(lost[0] + lost[1] > 0);
	assert_true(lost[0] + lost[1] <= 6);
	gw_free(&w);
}

/* Those that never answer are not in the way of the others for ever: the next search
 * begins where this one ended, and who was found is known by the port. */
GK_TEST(rfc8263_5_06, each_member_behind_one_address_has_its_turn)
{
	const uint16_t type = GDOI_ACK_LKH_SHA256;
	uint32_t sequence = 0;

	open_all(70, type);
	for (size_t i = 0; i < 70; i++) {
		memcpy(w.member[i].from_ip, "\xc0\x00\x02\x07", 4);
		w.member[i].behind = true;
		gk_assert_ok(gw_register(&w, &w.member[i]));
	}
	gw_drain(&w);
	w.other_port = true;
	for (size_t i = 0; i < 70; i++) {
		tek_push();
		sequence++;
		if (ack(i, 0, sequence, type) != GK_OK)
			gk_assert_ok(ack(i, 0, sequence, type));
		tek_push();
		sequence++;
		gk_assert_ok(ack(i, 0, sequence, type));
	}
	gw_free(&w);
}

GK_TEST(rfc8263_5_06, several_members_behind_one_address)
{
	open_all(3, GDOI_ACK_LKH_SHA256);
	/* The others move to the address of the first. */
	for (size_t i = 1; i < 3; i++) {
		memcpy(w.member[i].from_ip, w.member[0].ip, 4);
		w.member[i].moved = true;
		gk_assert_ok(gw_register(&w, &w.member[i]));
	}
	tek_push();
	for (size_t i = 0; i < 3; i++) {
		struct gk_buf dgram;

		gw_ack(&w, &w.member[i], 0, 1, GDOI_ACK_LKH_SHA256, &dgram);
		gk_assert_ok(
			gw_send_ack(&w, &w.member[0], gk_buf_slice(&dgram)));
		gdoi_group_members(w.group, note_row, w.peer);
		assert_int_equal(seen.member_id, w.member[i].member_id);
		gk_buf_free(&dgram);
	}
	gw_free(&w);
}

/* Switch ack_policy: a PUSH that brings a SAK which asks for another type. */
static void
asks(const char *reading, uint16_t type)
{
	open_all(2, GDOI_ACK_KEK_SHA256);
	gk_assert_ok(gdoi_dialect_set(&w.dialect, "ack_policy", reading));
	gw_restart(&w); /* with the other reading */
	w.template.rekey.sak.ack = GDOI_ACK_KEK_SHA512;
	gk_assert_ok(gw_set_policy(&w));
	assert_int_equal(w.member[0].n_keks, 2);
	gk_assert_ok(ack(0, 1, 1, type));
	gw_free(&w);
}

GK_TEST(rfc8263_4_02, which_sak_asks_is_a_reading)
{
	asks("latest", GDOI_ACK_KEK_SHA512);
	asks("protecting", GDOI_ACK_KEK_SHA256);
}

GK_TEST(rfc8263_2_2_01, a_type_of_lkh_without_lkh_is_no_policy)
{
	gw_init(&w, 1);
	w.template.rekey.sak.ack = GDOI_ACK_LKH_SHA256;
	w.template.rekey.sak.management = 0;
	w.group = NULL;
	gw_begin(&w);
	gk_assert_err(GK_ERR_POLICY, gw_set_policy(&w));
	assert_string_equal(w.why.req, "RFC8263-2.2-01");
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc8263_5_06, all_four_types_are_verified_and_recorded),
		GK_RUN(rfc8263_5_06, one_that_comes_late_is_recorded_once),
		GK_RUN(rfc8263_5_04,
		       a_repetition_is_refused_before_any_cryptography),
		GK_RUN(rfc8263_5_05, forged_ones_change_nothing),
		GK_RUN(rfc8263_3_4_03,
		       who_names_the_group_is_known_by_where_it_sends_from),
		GK_RUN(rfc8263_3_4_03,
		       an_address_that_did_not_register_is_nobodys),
		GK_RUN(rfc8263_3_4_03,
		       behind_a_nat_the_address_of_the_datagram_counts),
		GK_RUN(rfc8263_5_05,
		       few_of_the_members_behind_one_address_are_tried),
		GK_RUN(rfc8263_3_3_01,
		       a_push_that_was_never_sent_has_no_acknowledgement),
		GK_RUN(rfc8263_5_03, a_group_that_does_not_ask_takes_none),
		GK_RUN(rfc8263_6_10,
		       what_came_under_the_old_kek_is_acknowledged_under_it),
		GK_RUN(rfc8263_6_08, who_does_not_answer_is_shown),
		GK_RUN(rfc8263_6_01,
		       only_who_was_ever_heard_is_evicted_for_silence),
		GK_RUN(rfc8263_3_4_03,
		       members_behind_a_nat_name_their_own_address),
		GK_RUN(rfc8263_5_06,
		       each_member_behind_one_address_has_its_turn),
		GK_RUN(rfc8263_5_06, several_members_behind_one_address),
		GK_RUN(rfc8263_4_02, which_sak_asks_is_a_reading),
		GK_RUN(rfc8263_2_2_01, a_type_of_lkh_without_lkh_is_no_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
