/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

#include "gdoi/message/lkh_wrap.h"

/*
 * The member's keys of the tree: RFC 6407 sections 3.3, 4.4, 5.6.3.  Our path:
 * leaf 8, nodes 4 and 2, root 1, whose key is the KEK.
 */
static struct lab_policy p;

/* A key is told by its id and version: octets, and its handle. */
static uint8_t
fill(uint16_t id, uint8_t version)
{
	return (uint8_t)(id * 16 + version);
}

static struct gdoi_lkh_key
key(struct lab_policy *to, uint16_t id, uint8_t version)
{
	return (struct gdoi_lkh_key){ .id = id,
		                      .type = GDOI_KEK_ALG_AES,
		                      .handle = version,
		                      .data = lab_octets(to, fill(id, version),
		                                         32) };
}

static struct gk_slice
encode(struct lab_policy *to, bool update, const struct gdoi_lkh_array *array)
{
	struct gk_slice s = lab_octets(to, 0, 0);
	struct gk_wr wr;

	gk_wr_init(&wr, to->octets + to->used, sizeof(to->octets) - to->used);
	gdoi_lkh_encode(&wr, update, array);
	gk_assert_ok(gk_wr_done(&wr));
	to->used += wr.len;
	s.len = wr.len;
	return s;
}

/* The KEK packet of a policy becomes an LKH packet. */
static struct gdoi_kd_packet *
lkh_packet(struct lab_policy *to)
{
	to->kd.packet[0].type = GDOI_KD_LKH;
	to->kd.packet[0].algorithm_key = (struct gk_slice){ 0 };
	return &to->kd.packet[0];
}

static void
offer_path(void)
{
	struct gdoi_lkh_array array = { .count = 4 };

	lkh_packet(&lab.offer);
	array.key[0] = key(&lab.offer, 8, 1);
	array.key[1] = key(&lab.offer, 4, 1);
	array.key[2] = key(&lab.offer, 2, 1);
	array.key[3] = key(&lab.offer, 1, 1);
	lab.offer.kd.download = encode(&lab.offer, false, &array);
	lab_kek(0x11, fill(1, 1));
}

static void
member(void)
{
	lab_start();
	lab_join(0);
}

static void
strict_member(void)
{
	lab_reset();
	offer_path();
	member();
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

static void
begin(uint32_t seq, uint8_t spi)
{
	p = (struct lab_policy){ .seq = seq };
	lab_add_kek(&p, spi, 0);
	p.sa.sak.management = GDOI_KEK_MANAGEMENT_LKH;
	lkh_packet(&p);
}

struct step {
	uint16_t id;
	uint8_t version;
};

/* An array under key @id of @version, that brings @steps, the last one is the
 * new KEK. */
static void
array_under(uint16_t id, uint8_t version, const struct step *steps, uint16_t n)
{
	struct gdoi_lkh_array array = { .id = id,
		                        .handle = version,
		                        .count = n };
	uint8_t under[32], plain[32];
	uint8_t from = fill(id, version);

	for (uint16_t i = 0; i < n; i++) {
		uint8_t to = fill(steps[i].id, steps[i].version);
		struct gk_buf wrapped;

		for (size_t j = 0; j < 32; j++) {
			under[j] = (uint8_t)(from + j);
			plain[j] = (uint8_t)(to + j);
		}
		gk_assert_ok(gdoi_lkh_wrap(&lab.dialect, GK_CIPHER_AES_CBC_128,
		                           (struct gk_slice){ under, 32 },
		                           (struct gk_slice){ plain, 32 },
		                           &wrapped));
		array.key[i] = key(&p, steps[i].id, steps[i].version);
		memcpy(p.octets + p.used - 32, wrapped.ptr, 32);
		gk_buf_free(&wrapped);
		from = to;
	}
	p.kd.update[p.kd.n_updates++] = encode(&p, true, &array);
}

static const struct step up[] = { { 2, 2 }, { 1, 2 } };
static const struct step foreign[] = { { 5, 2 }, { 2, 2 }, { 1, 2 } };

GK_TEST(rfc6407_3_3_13, the_last_key_of_the_array_is_the_kek)
{
	strict_member();
	assert_int_equal(lab_status(0).n_keks, 4);
	assert_int_equal(lab.seen.lkh_lines, 4);
	assert_true(lab_status(0).kek.lkh);
	p = (struct lab_policy){ .seq = 1 };
	lab_add_esp(&p, 0x102, 2);
	gk_assert_ok(lab_push(&p));
}

GK_TEST(rfc6407_4_4_06, an_array_for_us_brings_the_new_kek)
{
	strict_member();
	begin(1, 0x22);
	array_under(9, 1, foreign, 3); /* somebody else's */
	array_under(4, 1, up, 2);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).kek.spi[0], 0x22);
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK], 2);
	lab_kek(0x22, fill(1, 2));
	p = (struct lab_policy){ .seq = 1 };
	lab_add_esp(&p, 0x102, 2);
	gk_assert_ok(lab_push(&p));
	/* and the next one under a key that came in that array */
	begin(2, 0x33);
	array_under(2, 2, (const struct step[]){ { 1, 3 } }, 1);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).kek.spi[0], 0x33);
	assert_int_equal(lab_status(0).n_keks, 4);
}

GK_TEST(rfc6407_5_6_3_2_01, arrays_in_any_order)
{
	strict_member();
	begin(1, 0x22);
	/* the first one needs what the second one brings */
	array_under(2, 2, (const struct step[]){ { 1, 2 } }, 1);
	array_under(4, 1, up, 2);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).kek.spi[0], 0x22);
}

GK_TEST(rfc6407_4_10, arrays_in_several_datagrams)
{
	strict_member();
	begin(1, 0x22);
	array_under(9, 1, foreign, 3);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).kek.spi[0], 0x11);
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 0);
	begin(2, 0x22);
	array_under(4, 1, up, 2);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).kek.spi[0], 0x22);
	/* the last one of them is not for us, and late */
	begin(3, 0x22);
	array_under(7, 1, foreign, 3);
	gk_assert_ok(lab_push(&p));
	lab_pass(11000);
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
}

/* What it says is that the PUSH has come, whoever its arrays are for. */
GK_TEST(rfc8263_4_02, one_whose_arrays_are_not_for_us_is_acknowledged)
{
	lab_reset();
	offer_path();
	lab.offer.sa.sak.ack = GDOI_ACK_KEK_SHA256;
	member();
	begin(1, 0x22);
	p.sa.sak.ack = GDOI_ACK_KEK_SHA256;
	array_under(9, 1, foreign, 3);
	gk_assert_ok(lab_push(&p));
	lab_pass(1001);
	assert_int_not_equal(lab.seen.ack.len, 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 0);
}

GK_TEST(rfc6407_4_3_05, nothing_is_for_who_is_evicted)
{
	strict_member();
	begin(1, 0x22);
	array_under(9, 1, foreign, 3);
	gk_assert_ok(lab_push(&p));
	lab_pass(9000);
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 0);
	lab.server[0].deaf = true;
	lab_pass(1100);
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 1);
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 1);
	assert_int_equal(lab_state(0), GDOI_GM_REREGISTERING);
}

/* The Rekey SA is in use: all its arrays have been sent. */
GK_TEST(rfc6407_4_4_06, who_is_evicted_knows_it_when_the_new_kek_is_used)
{
	struct gk_buf under;

	strict_member();
	begin(1, 0x22);
	array_under(5, 1, foreign, 3);
	gk_assert_ok(lab_push(&p));
	lab_pass(1000);
	p = (struct lab_policy){ .seq = 1 };
	lab_add_esp(&p, 0x102, 2);
	lab_kek(0x33, 0x33); /* of somebody else: says nothing */
	under = lab_push_octets(&p, NULL, 0);
	lab_refused(gk_buf_slice(&under), "RFC6407-4.4-01");
	gk_buf_free(&under);
	lab_pass(2500);
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 0);
	lab_kek(0x22, 0x22);
	under = lab_push_octets(&p, NULL, 0);
	lab_refused(gk_buf_slice(&under), "RFC6407-4.4-01");
	lab_pass(1500);
	lab_refused(gk_buf_slice(&under), "RFC6407-4.4-01"); /* no later */
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 0);
	lab_pass(600);
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 1);
	assert_int_equal(lab_state(0), GDOI_GM_REREGISTERING);
	gk_buf_free(&under);
}

/* Datagrams change places: its array comes after all. */
GK_TEST(rfc6407_4_4_06, an_array_that_comes_behind_the_first_use_of_its_kek)
{
	struct gk_buf under;

	strict_member();
	begin(1, 0x22);
	array_under(5, 1, foreign, 3);
	gk_assert_ok(lab_push(&p));
	p = (struct lab_policy){ .seq = 1 };
	lab_add_esp(&p, 0x102, 2);
	lab_kek(0x22, fill(1, 2));
	under = lab_push_octets(&p, NULL, 0);
	lab_refused(gk_buf_slice(&under), "RFC6407-4.4-01");
	gk_buf_free(&under);
	lab_kek(0x11, fill(1, 1));
	begin(2, 0x22);
	array_under(4, 1, up, 2);
	gk_assert_ok(lab_push(&p));
	lab_pass(15000);
	assert_int_equal(lab.seen.n[GDOI_OUT_EVICTED], 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
	assert_true(lab_tek(0x102, NULL));
}

GK_TEST(rfc6407_5_6_3_2_03, another_version_is_not_ours)
{
	strict_member();
	begin(1, 0x22);
	array_under(4, 9, up, 2);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).kek.spi[0], 0x11);
}

GK_TEST(rfc6407_5_6_3_2_04, keys_of_another_length)
{
	strict_member();
	begin(1, 0x22);
	array_under(2, 1, (const struct step[]){ { 1, 2 } }, 1);
	p.kd.update[0].len--;
	lab_push_refused(&p, "RFC6407-5.6.3.2-04");
}

GK_TEST(rfc6407_5_6_3_2_04, two_arrays_with_two_keks)
{
	static const struct step other[] = { { 2, 2 }, { 1, 3 } };

	strict_member();
	begin(1, 0x22);
	array_under(4, 1, up, 2);
	array_under(8, 1, other, 2);
	lab_push_refused(&p, "RFC6407-5.6.3.2-04");
}

GK_TEST(rfc6407_5_6_3_1_07, a_handle_is_used_once)
{
	static const struct step again[] = { { 2, 1 }, { 1, 2 } };

	strict_member();
	begin(1, 0x22);
	array_under(4, 1, again, 2);
	/* the same handle for another key */
	((uint8_t *)(uintptr_t)p.kd.update[0].ptr)[12 + 16] ^= 1;
	lab_push_refused(&p, "RFC6407-5.6.3.1-07");
}

GK_TEST(rfc6407_5_3_2_03, a_key_of_another_cipher)
{
	strict_member();
	begin(1, 0x22);
	array_under(4, 1, up, 2);
	((uint8_t *)(uintptr_t)p.kd.update[0].ptr)[12 + 2] = GDOI_KEK_ALG_3DES;
	lab_push_refused(&p, "RFC6407-5.3.2-03");
}

GK_TEST(rfc6407_5_6_3_1_05, an_expired_key)
{
	strict_member();
	begin(1, 0x22);
	array_under(4, 1, up, 2);
	((uint8_t *)(uintptr_t)p.kd.update[0].ptr)[12 + 11] = 1;
	lab_push_refused(&p, "RFC6407-5.6.3.1-05");
}

GK_TEST(rfc6407_5_6_3_1_01, a_download_array_is_not_pushed)
{
	strict_member();
	begin(1, 0x22);
	p.kd.download = lab.offer.kd.download;
	lab_push_refused(&p, "RFC6407-5.6.3.1-01");
}

/* To one member alone it may: a new path, with a new KEK or with the one in force. */
static void
path_for_us(uint8_t spi, uint16_t leaf, uint16_t node, uint8_t kek)
{
	struct gdoi_lkh_array array = { .count = 3 };

	begin(1, spi);
	array.key[0] = key(&p, leaf, 1);
	array.key[1] = key(&p, node, 2);
	array.key[2] = key(&p, 1, kek);
	p.kd.download = encode(&p, false, &array);
}

GK_TEST(rfc6407_5_6_3_1_01, a_download_array_comes_to_us_alone)
{
	static const struct step top[] = { { 1, 3 } };

	strict_member();
	lab.alone = true;
	path_for_us(0x22, 9, 4, 2);
	gk_assert_ok(lab_push(&p));
	lab_kek(0x22, fill(1, 2));
	/* not with another key than the one in force */
	path_for_us(0x22, 10, 5, 4);
	lab_push_refused(&p, "RFC6407-4-06");
	path_for_us(0x22, 10, 5, 2);
	gk_assert_ok(lab_push(&p));
	/* that is the path now */
	begin(2, 0x33);
	array_under(5, 2, top, 1);
	gk_assert_ok(lab_push(&p));
	lab_kek(0x33, fill(1, 3));
	p = (struct lab_policy){ .seq = 1 };
	lab_add_esp(&p, 0x133, 0x33);
	gk_assert_ok(lab_push(&p));
	assert_true(lab_tek(0x133, NULL));
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	lab.alone = false;
}

GK_TEST(rfc6407_5_6_3_2_04, each_reading_of_lkh_wrap)
{
	for (uint8_t how = 0; how < 3; how++) {
		lab_reset();
		lab.dialect.lkh_wrap = how;
		offer_path();
		member();
		begin(1, 0x22);
		array_under(4, 1, up, 2);
		gk_assert_ok(lab_push(&p));
		lab_kek(0x22, fill(1, 2));
		p = (struct lab_policy){ .seq = 1 };
		lab_add_esp(&p, 0x102, 2);
		gk_assert_ok(lab_push(&p));
	}
}

GK_TEST(rfc6407_5_6_3_1_09, a_path_may_grow)
{
	static const struct step grown[] = {
		{ 12, 2 }, { 4, 2 }, { 2, 2 }, { 1, 2 }
	};

	strict_member();
	begin(1, 0x22);
	array_under(8, 1, grown, 4);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).n_keks, 5);
	lab_kek(0x22, fill(1, 2));
	begin(1, 0x33);
	array_under(12, 2, (const struct step[]){ { 1, 3 } }, 1);
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).kek.spi[0], 0x33);
}

/* ---- what a registration may bring -------------------------------------- */

static void
unacceptable(const char *req)
{
	member();
	assert_int_equal(lab.seen.n[GDOI_OUT_JOINED], 0);
	assert_string_equal(lab.seen.why.req, req);
}

GK_TEST(rfc6407_5_6_3_1_08, a_downloaded_key_without_iv)
{
	struct gdoi_lkh_array array = { .count = 1 };

	lab_reset();
	lkh_packet(&lab.offer);
	array.key[0] = key(&lab.offer, 8, 1);
	array.key[0].data.len = 16;
	lab.offer.kd.download = encode(&lab.offer, false, &array);
	unacceptable("RFC6407-5.6.3.1-08");
}

GK_TEST(rfc6407_5_6_3_1_03, an_id_twice)
{
	struct gdoi_lkh_array array = { .count = 2 };

	lab_reset();
	lkh_packet(&lab.offer);
	array.key[0] = key(&lab.offer, 8, 1);
	array.key[1] = key(&lab.offer, 8, 2);
	lab.offer.kd.download = encode(&lab.offer, false, &array);
	unacceptable("RFC6407-5.6.3.1-03");
}

GK_TEST(rfc6407_3_3_13, a_kek_packet_beside_the_array)
{
	struct gdoi_kd_packet *k;

	lab_reset();
	offer_path();
	k = &lab.offer.kd.packet[lab.offer.kd.n_packets++];
	*k = (struct gdoi_kd_packet){ .type = GDOI_KD_KEK,
		                      .spi = { lab.offer.sa.sak.spi, 16 } };
	k->algorithm_key = lab_octets(&lab.offer, fill(1, 1), 32);
	member();
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	lab_reset();
	offer_path();
	k = &lab.offer.kd.packet[lab.offer.kd.n_packets++];
	*k = (struct gdoi_kd_packet){ .type = GDOI_KD_KEK,
		                      .spi = { lab.offer.sa.sak.spi, 16 } };
	k->algorithm_key = lab_octets(&lab.offer, 0x99, 32);
	unacceptable("RFC6407-3.3-13");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_3_13, the_last_key_of_the_array_is_the_kek),
		GK_RUN(rfc6407_4_4_06, an_array_for_us_brings_the_new_kek),
		GK_RUN(rfc6407_5_6_3_2_01, arrays_in_any_order),
		GK_RUN(rfc6407_4_10, arrays_in_several_datagrams),
		GK_RUN(rfc8263_4_02,
		       one_whose_arrays_are_not_for_us_is_acknowledged),
		GK_RUN(rfc6407_4_3_05, nothing_is_for_who_is_evicted),
		GK_RUN(rfc6407_5_6_3_2_03, another_version_is_not_ours),
		GK_RUN(rfc6407_5_6_3_2_04, keys_of_another_length),
		GK_RUN(rfc6407_5_6_3_2_04, two_arrays_with_two_keks),
		GK_RUN(rfc6407_5_6_3_1_07, a_handle_is_used_once),
		GK_RUN(rfc6407_5_3_2_03, a_key_of_another_cipher),
		GK_RUN(rfc6407_5_6_3_1_05, an_expired_key),
		GK_RUN(rfc6407_5_6_3_1_01, a_download_array_comes_to_us_alone),
		GK_RUN(rfc6407_5_6_3_1_01, a_download_array_is_not_pushed),
		GK_RUN(rfc6407_5_6_3_2_04, each_reading_of_lkh_wrap),
		GK_RUN(rfc6407_5_6_3_1_09, a_path_may_grow),
		GK_RUN(rfc6407_4_4_06,
		       who_is_evicted_knows_it_when_the_new_kek_is_used),
		GK_RUN(rfc6407_4_4_06,
		       an_array_that_comes_behind_the_first_use_of_its_kek),
		GK_RUN(rfc6407_5_6_3_1_08, a_downloaded_key_without_iv),
		GK_RUN(rfc6407_5_6_3_1_03, an_id_twice),
		GK_RUN(rfc6407_3_3_13, a_kek_packet_beside_the_array),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
