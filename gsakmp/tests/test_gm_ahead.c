/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include <string.h>

#include "gsakmp/engine/gm_state.h"

/*
 * A Key Download that is slow on its way, and the Rekey Events that overtake it:
 * RFC 4535 sections 5.2.1.2 and 5.3.1.
 */
#define RTJ GSAKMP_EXCHANGE_REQUEST_TO_JOIN
#define KEYDL GSAKMP_EXCHANGE_KEY_DOWNLOAD
#define REKEY GSAKMP_EXCHANGE_REKEY_EVENT

static unsigned
seen(const struct fixture *f, enum gsakmp_output_kind kind)
{
	return f->m->seen.count[kind];
}

static struct gsakmp_gm_status
status(const struct fixture *f)
{
	struct gsakmp_gm_status st;

	gsakmp_gm_status(f->m->gm, &st);
	return st;
}

/* alice has asked, the key server has answered, and the answer is on its way:
 * here, in @keydl.  bob is a member. */
static void
on_its_way(struct fixture *f, const struct world_config *cfg,
           struct gk_buf *keydl)
{
	fixture_up(f, cfg, SERVER_NAME);
	world_join(world_member_add(f->w, "bob"));
	world_pass(f->w, 5000);
	assert_int_equal(world_in_step(f->w), 1);
	simnet_cut(f->w->net, f->m->node, true);
	world_join(f->m);
	gk_assert_ok(world_to_server(
		f->w, gk_buf_slice(&f->m->seen.last_sent[RTJ]), f->m->node));
	gk_assert_ok(
		gk_buf_copy(keydl, gk_buf_slice(&f->w->seen.last_sent[KEYDL])));
}

/* The next Rekey Event, which reaches alice first. */
static void
overtakes(struct fixture *f, struct gk_buf *rekey)
{
	gk_assert_ok(world_rekey(f->w));
	world_pass(f->w, 100);
	gk_assert_ok(
		gk_buf_copy(rekey, gk_buf_slice(&f->w->seen.last_sent[REKEY])));
	gm_put_aside(f, gk_buf_slice(rekey));
}

static void
arrives(struct fixture *f, const struct gk_buf *keydl)
{
	simnet_cut(f->w->net, f->m->node, false);
	gk_assert_ok(world_to_member(f->m, gk_buf_slice(keydl)));
	assert_int_equal(seen(f, GSAKMP_OUT_JOINED), 1);
	world_pass(f->w, 20);
}

GK_TEST(rfc4535_5_3_1_1_04, rekey_that_overtakes_the_key_download_is_not_lost)
{
	struct world_config cfg = world_plain(31);
	struct gk_buf keydl = { 0 }, rekey[2] = { { 0 } };
	struct fixture f;

	on_its_way(&f, &cfg, &keydl);
	overtakes(&f, &rekey[0]);
	overtakes(&f, &rekey[1]);
	assert_int_equal(status(&f).ahead, 2);
	assert_int_equal(seen(&f, GSAKMP_OUT_KEY_INSTALL), 0);
	arrives(&f, &keydl);
	assert_true(world_has_current(f.m));
	assert_int_equal(seen(&f, GSAKMP_OUT_REKEYED), 2);
	assert_int_equal(status(&f).sequence, world_status(f.w).sequence);
	assert_int_equal(status(&f).ahead, 0);
	/* They are no different from any other: not twice, and the next one. */
	gm_refused(&f, gk_buf_slice(&rekey[1]), "RFC4535-7.1.2-09");
	world_pass(f.w, 20000);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	assert_int_equal(world_in_step(f.w), 2);
	assert_int_equal(seen(&f, GSAKMP_OUT_STALE), 0);
	assert_int_equal(f.m->seen.sent[RTJ], 1);
	assert_int_equal(seen(&f, GSAKMP_OUT_REFUSED), 1);
	gk_buf_free(&keydl);
	gk_buf_free(&rekey[0]);
	gk_buf_free(&rekey[1]);
	fixture_down(&f);
}

/* As they are numbered, and not as they came; what comes while some of them
 * still wait stands behind those. */
GK_TEST(rfc4535_7_1_1_13, what_waited_goes_through_in_its_order)
{
	struct world_config cfg = world_plain(32);
	struct gk_buf keydl = { 0 }, rekey[3] = { { 0 } };
	struct fixture f;

	on_its_way(&f, &cfg, &keydl);
	for (size_t i = 0; i < 3; i++) {
		gk_assert_ok(world_rekey(f.w));
		world_pass(f.w, 100);
		gk_assert_ok(gk_buf_copy(
			&rekey[i], gk_buf_slice(&f.w->seen.last_sent[REKEY])));
	}
	gm_put_aside(&f, gk_buf_slice(&rekey[1]));
	gm_put_aside(&f, gk_buf_slice(&rekey[0]));
	/* a repetition is nothing new */
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&rekey[0])));
	assert_int_equal(status(&f).ahead, 2);
	simnet_cut(f.w->net, f.m->node, false);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&keydl)));
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&rekey[2])));
	assert_int_equal(status(&f).ahead, 3);
	assert_int_equal(seen(&f, GSAKMP_OUT_REKEYED), 0);
	world_pass(f.w, 20);
	assert_int_equal(seen(&f, GSAKMP_OUT_REKEYED), 3);
	assert_int_equal(seen(&f, GSAKMP_OUT_REFUSED), 0);
	assert_true(world_has_current(f.m));
	gk_buf_free(&keydl);
	for (size_t i = 0; i < 3; i++)
		gk_buf_free(&rekey[i]);
	fixture_down(&f);
}

/* Events of before the Key Download: heard in the same moment, and covered by it.
 * Nobody is blamed, and nothing is taken for missed. */
GK_TEST(rfc4535_7_1_2_09, what_the_key_download_covers_is_no_attack)
{
	struct world_config cfg = world_plain(33);
	struct gk_buf keydl = { 0 }, old = { 0 };
	struct fixture f;
	unsigned refused;

	/* Once before, and gone again: she knows Sequence IDs. */
	fixture_joined(&f, &cfg, SERVER_NAME);
	world_join(world_member_add(f.w, "bob"));
	world_pass(f.w, 5000);
	gm_next_rekey(&f, &old);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&old)));
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	world_pass(f.w, 5000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 3000);
	simnet_cut(f.w->net, f.m->node, true);
	refused = seen(&f, GSAKMP_OUT_REFUSED); /* what she heard in Idle */
	world_join(f.m);
	gm_put_aside(&f, gk_buf_slice(&old));
	gm_put_aside(&f, gk_buf_slice(&f.w->seen.last_sent[REKEY]));
	gk_assert_ok(world_to_server(
		f.w, gk_buf_slice(&f.m->seen.last_sent[RTJ]), f.m->node));
	gk_assert_ok(
		gk_buf_copy(&keydl, gk_buf_slice(&f.w->seen.last_sent[KEYDL])));
	world_pass(f.w, 100);
	simnet_cut(f.w->net, f.m->node, false);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&keydl)));
	world_pass(f.w, 30000);
	assert_int_equal(status(&f).ahead, 0);
	assert_int_equal(status(&f).ahead_old, 2);
	assert_int_equal(seen(&f, GSAKMP_OUT_REFUSED), refused);
	assert_int_equal(seen(&f, GSAKMP_OUT_STALE), 0);
	assert_int_equal(world_in_step(f.w), 2);
	gk_buf_free(&keydl);
	gk_buf_free(&old);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_1_3_02, end_of_the_group_that_overtakes_the_key_download)
{
	struct world_config cfg = world_plain(34);
	struct gk_buf keydl = { 0 };
	struct fixture f;

	on_its_way(&f, &cfg, &keydl);
	gk_assert_ok(gsakmp_group_destroy(f.w->group, simnet_now(f.w->net)));
	world_drain(f.w);
	gm_put_aside(&f, gk_buf_slice(&f.w->seen.last_sent[REKEY]));
	arrives(&f, &keydl);
	assert_int_equal(seen(&f, GSAKMP_OUT_DESTROYED), 1);
	assert_int_equal(seen(&f, GSAKMP_OUT_LEFT), 1);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_false(f.m->has_key);
	gk_assert_err(GK_ERR_POLICY,
	              gsakmp_gm_join(f.m->gm, simnet_now(f.w->net)));
	gk_buf_free(&keydl);
	fixture_down(&f);
}

/* Two editions of the policy were on their way, and the Key Download of after them
 * is there at last: the first is older than what it brought.  That is no attack,
 * and nothing goes back. */
GK_TEST(rfc4534_3_1_03, an_older_edition_that_waited_is_as_if_it_never_came)
{
	struct world_config cfg = world_plain(41);
	struct gk_buf keydl = { 0 }, event[2] = { { 0 } };
	struct fixture f;

	on_its_way(&f, &cfg, &keydl);
	gk_buf_free(&keydl);
	for (size_t i = 0; i < 2; i++) {
		world_token(f.w);
		gk_assert_ok(world_publish(f.w, NULL));
		world_pass(f.w, 100);
		gk_assert_ok(gk_buf_copy(
			&event[i], gk_buf_slice(&f.w->seen.last_sent[REKEY])));
		gm_put_aside(&f, gk_buf_slice(&event[i]));
	}
	/* asked once more: the answer of now */
	gk_assert_ok(world_to_server(
		f.w, gk_buf_slice(&f.m->seen.last_sent[RTJ]), f.m->node));
	gk_assert_ok(
		gk_buf_copy(&keydl, gk_buf_slice(&f.w->seen.last_sent[KEYDL])));
	world_pass(f.w, 100); /* what the network carries is lost */
	arrives(&f, &keydl);
	assert_int_equal(status(&f).edition, 3);
	assert_int_equal(status(&f).ahead, 0);
	assert_int_equal(status(&f).ahead_old, 1);
	assert_int_equal(seen(&f, GSAKMP_OUT_REFUSED), 0);
	/* Otherwise it is a replay like any: refused, and no edition less. */
	gm_refused(&f, gk_buf_slice(&event[0]), NULL);
	assert_int_equal(status(&f).edition, 3);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 3000);
	assert_int_equal(world_in_step(f.w), 2);
	for (size_t i = 0; i < 2; i++)
		gk_buf_free(&event[i]);
	gk_buf_free(&keydl);
	fixture_down(&f);
}

/* ---- who registers again --------------------------------------------------- */

/* alice is a member, maybe @missed a rekey, and asks again: the answer is on its
 * way, here in @keydl. */
static void
asks_again(struct fixture *f, const struct world_config *cfg, bool missed,
           struct gk_buf *keydl)
{
	fixture_joined(f, cfg, SERVER_NAME);
	world_join(world_member_add(f->w, "bob"));
	world_pass(f->w, 5000);
	assert_int_equal(world_in_step(f->w), 2);
	simnet_cut(f->w->net, f->m->node, true);
	if (missed) {
		gk_assert_ok(world_rekey(f->w));
		world_pass(f->w, 2000);
	}
	gk_assert_ok(
		gsakmp_gm_stale(f->m->gm, "a test", simnet_now(f->w->net)));
	for (unsigned i = 0; i < 1000 && f->m->seen.sent[RTJ] < 2; i++)
		world_pass(f->w, 100);
	assert_int_equal(f->m->seen.sent[RTJ], 2);
	assert_int_equal(gsakmp_gm_state(f->m->gm), GSAKMP_GM_REJOINING);
	gk_assert_ok(world_to_server(
		f->w, gk_buf_slice(&f->m->seen.last_sent[RTJ]), f->m->node));
	gk_assert_ok(
		gk_buf_copy(keydl, gk_buf_slice(&f->w->seen.last_sent[KEYDL])));
}

/* The next Rekey Event is read at once, and kept, too. */
static void
overtakes_again(struct fixture *f)
{
	size_t kept = status(f).ahead;

	gk_assert_ok(world_rekey(f->w));
	world_pass(f->w, 100);
	(void)world_to_member(f->m, gk_buf_slice(&f->w->seen.last_sent[REKEY]));
	assert_int_equal(status(f).ahead, kept + 1);
}

GK_TEST(rfc4535_5_3_1_1_04, rekey_that_overtakes_the_keys_of_a_member)
{
	struct world_config cfg = world_plain(38);
	struct gk_buf keydl = { 0 };
	struct fixture f;
	unsigned rtj;

	asks_again(&f, &cfg, true, &keydl);
	overtakes_again(&f);
	overtakes_again(&f);
	rtj = f.m->seen.sent[RTJ];
	simnet_cut(f.w->net, f.m->node, false);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&keydl)));
	world_pass(f.w, 20);
	assert_true(world_has_current(f.m));
	assert_int_equal(status(&f).ahead, 0);
	assert_int_equal(status(&f).sequence, world_status(f.w).sequence);
	/* They are no different from any other: not twice, and the next one. */
	gm_refused(&f, gk_buf_slice(&f.w->seen.last_sent[REKEY]),
	           "RFC4535-7.1.2-09");
	world_pass(f.w, 20000);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	assert_int_equal(world_in_step(f.w), 2);
	assert_int_equal(f.m->seen.sent[RTJ], rtj);
	assert_int_equal(seen(&f, GSAKMP_OUT_STALE), 1);
	gk_buf_free(&keydl);
	fixture_down(&f);
}

/* Whoever was in step all the time, and asks for another reason: what was read
 * with the keys of before is not taken back by the Key Download of before. */
GK_TEST(rfc4535_5_3_1_1_04, keys_of_before_do_not_take_back_what_was_read)
{
	struct world_config cfg = world_plain(39);
	struct gk_buf keydl = { 0 };
	struct fixture f;
	unsigned refused;
	uint32_t last;

	asks_again(&f, &cfg, false, &keydl);
	overtakes_again(&f);
	world_drain_member(f.m);
	assert_true(world_has_current(f.m));
	last = status(&f).sequence;
	refused = seen(&f, GSAKMP_OUT_REFUSED);
	simnet_cut(f.w->net, f.m->node, false);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&keydl)));
	world_pass(f.w, 20);
	assert_true(world_has_current(f.m));
	assert_int_equal(status(&f).sequence, last);
	assert_int_equal(seen(&f, GSAKMP_OUT_REFUSED), refused);
	world_restart_member(f.m); /* what is durable has not gone back */
	assert_int_equal(f.m->gm->sequence[0].last, last);
	gk_buf_free(&keydl);
	fixture_down(&f);
}

/* Two that were read: while the first of them goes through once more, the Sequence ID
 * of the second counts still, on the disk, too. */
GK_TEST(rfc4535_7_1_1_13, the_sequence_id_does_not_go_back_between_copies)
{
	struct world_config cfg = world_plain(43);
	struct gk_buf keydl = { 0 };
	struct fixture f;
	uint32_t last;

	asks_again(&f, &cfg, false, &keydl);
	overtakes_again(&f);
	overtakes_again(&f);
	last = status(&f).sequence;
	assert_int_equal(last, world_status(f.w).sequence);
	simnet_cut(f.w->net, f.m->node, false);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&keydl)));
	assert_int_equal(status(&f).ahead, 2);
	gk_assert_ok(gsakmp_gm_tick(f.m->gm, simnet_now(f.w->net)));
	world_drain_member(f.m);
	assert_int_equal(status(&f).ahead, 1);
	assert_int_equal(f.m->gm->sequence[0].last, last);
	world_restart_member(f.m);
	assert_int_equal(f.m->gm->sequence[0].last, last);
	gk_buf_free(&keydl);
	fixture_down(&f);
}

/* A newer token that was read, and is in the Key Download of after it, too.  This
 * one is stored, and then nothing is: the copy is no replay when there is room
 * again. */
GK_TEST(rfc4535_5_3_1_1_04, a_copy_that_waits_for_the_store_is_one_still)
{
	struct world_config cfg = world_plain(42);
	struct gk_buf keydl = { 0 };
	struct fixture f;
	unsigned refused;

	asks_again(&f, &cfg, false, &keydl);
	gk_buf_free(&keydl);
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	world_pass(f.w, 100);
	gk_assert_ok(world_to_member(
		f.m, gk_buf_slice(&f.w->seen.last_sent[REKEY])));
	assert_int_equal(status(&f).ahead, 1);
	assert_int_equal(status(&f).edition, 2);
	gk_assert_ok(world_to_server(
		f.w, gk_buf_slice(&f.m->seen.last_sent[RTJ]), f.m->node));
	gk_assert_ok(
		gk_buf_copy(&keydl, gk_buf_slice(&f.w->seen.last_sent[KEYDL])));
	world_pass(f.w, 100);
	refused = seen(&f, GSAKMP_OUT_REFUSED);
	simnet_cut(f.w->net, f.m->node, false);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&keydl)));
	assert_int_equal(status(&f).ahead, 1);
	f.m->store.broken = true;
	world_pass(f.w, 20);
	assert_int_equal(status(&f).ahead, 0);
	assert_int_equal(status(&f).waiting, 1);
	f.m->store.broken = false;
	world_pass(f.w, 1500);
	assert_int_equal(status(&f).waiting, 0);
	assert_true(world_has_current(f.m));
	assert_int_equal(seen(&f, GSAKMP_OUT_REFUSED), refused);
	gk_buf_free(&keydl);
	fixture_down(&f);
}

/* Of somebody else's nothing is kept. */
GK_TEST(rfc4535_5_3_1_1_02, no_copy_of_what_is_not_authentic)
{
	struct world_config cfg = world_plain(40);
	struct gk_buf keydl = { 0 }, rekey = { 0 }, forged = { 0 };
	struct fixture f;

	asks_again(&f, &cfg, true, &keydl);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	gk_assert_ok(
		gk_buf_copy(&rekey, gk_buf_slice(&f.w->seen.last_sent[REKEY])));
	gm_sign_again(&f, gk_buf_slice(&rekey), 1000, &f.mallory, SERVER_NAME,
	              &forged);
	gm_refused(&f, gk_buf_slice(&forged), NULL);
	assert_int_equal(status(&f).ahead, 0);
	/* and one that was kept does not wait for ever */
	(void)world_to_member(f.m, gk_buf_slice(&rekey));
	assert_int_equal(status(&f).ahead, 1);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, false, simnet_now(f.w->net)));
	world_drain_member(f.m);
	assert_int_equal(status(&f).ahead, 0);
	gk_buf_free(&keydl);
	gk_buf_free(&rekey);
	gk_buf_free(&forged);
	fixture_down(&f);
}

/* ---- whoever may send one ------------------------------------------------ */

/* What is put aside may come from anybody.  It costs so much and no more, and
 * each of them is refused for what it is. */
GK_TEST(rfc4535_5_3_1_1_02, flood_ahead_of_the_key_download_is_bounded)
{
	struct world_config cfg = world_plain(35);
	struct gk_buf keydl = { 0 }, rekey = { 0 }, forged = { 0 },
		      late = { 0 };
	struct fixture f;

	on_its_way(&f, &cfg, &keydl);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	gk_assert_ok(
		gk_buf_copy(&rekey, gk_buf_slice(&f.w->seen.last_sent[REKEY])));
	for (uint32_t i = 0; i < 100; i++) {
		gm_sign_again(&f, gk_buf_slice(&rekey), 1000 + i, &f.mallory,
		              SERVER_NAME, &forged);
		gm_put_aside(&f, gk_buf_slice(&forged));
		gk_buf_free(&forged);
	}
	/* one that ends the group, if it were believed */
	gm_sign_again(&f, gk_buf_slice(&rekey), GSAKMP_SEQUENCE_DESTROY,
	              &f.mallory, SERVER_NAME, &forged);
	gm_put_aside(&f, gk_buf_slice(&forged));
	gm_put_aside(&f, gk_buf_slice(&rekey));
	assert_int_equal(status(&f).ahead, GSAKMP_GM_HELD_MAX);
	assert_int_equal(status(&f).ahead_dropped, 102 - GSAKMP_GM_HELD_MAX);
	simnet_cut(f.w->net, f.m->node, false);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&keydl)));
	/* nor does it go on for ever: there is no room, this one is read now */
	gm_sign_again(&f, gk_buf_slice(&rekey), 2000, &f.mallory, SERVER_NAME,
	              &late);
	gm_refused(&f, gk_buf_slice(&late), NULL);
	gk_buf_free(&late);
	world_pass(f.w, 100);
	assert_int_equal(seen(&f, GSAKMP_OUT_REFUSED), GSAKMP_GM_HELD_MAX);
	assert_true(world_has_current(f.m));
	assert_int_equal(seen(&f, GSAKMP_OUT_DESTROYED), 0);
	gk_buf_free(&forged);
	gk_buf_free(&rekey);
	gk_buf_free(&keydl);
	fixture_down(&f);
}

/* A header of a Rekey Event of this group, and @len octets in all. */
static void
junk(struct fixture *f, uint32_t sequence, size_t len, struct gk_buf *out)
{
	struct gk_slice rekey = gk_buf_slice(&f->w->seen.last_sent[REKEY]);

	gk_assert_ok(gk_buf_alloc(out, len));
	memset(out->ptr, 0, len);
	memcpy(out->ptr, rekey.ptr, 24);
	memcpy(out->ptr + 24, &sequence, sizeof(sequence));
}

GK_TEST(rfc4535_7_1_2_11, flood_of_large_ones_is_bounded_in_octets)
{
	struct world_config cfg = world_plain(36);
	struct gk_buf keydl = { 0 }, large = { 0 };
	struct fixture f;

	on_its_way(&f, &cfg, &keydl);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	for (uint32_t i = 0; i < 40; i++) {
		junk(&f, i, 60000, &large);
		(void)world_to_member(f.m, gk_buf_slice(&large));
		gk_buf_free(&large);
		assert_true(f.m->gm->ahead.octets <= GSAKMP_GM_AHEAD_OCTETS);
	}
	assert_int_equal(status(&f).ahead, GSAKMP_GM_AHEAD_OCTETS / 60000);
	assert_int_equal(status(&f).ahead_kept, 40);
	/* Nothing stays when the join comes to nothing. */
	world_pass(f.w, 120000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_int_equal(status(&f).ahead, 0);
	assert_int_equal(f.m->gm->ahead.octets, 0);
	assert_int_equal(status(&f).ahead_dropped, 40);
	gk_buf_free(&keydl);
	fixture_down(&f);
}

/* ---- and the store -------------------------------------------------------- */

GK_TEST(rfc4535_5_2_1_2_19, they_wait_for_the_store_behind_the_key_download)
{
	struct world_config cfg = world_plain(37);
	struct gk_buf keydl = { 0 }, rekey = { 0 };
	struct fixture f;

	on_its_way(&f, &cfg, &keydl);
	overtakes(&f, &rekey);
	f.m->store.broken = true;
	simnet_cut(f.w->net, f.m->node, false);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&keydl)));
	assert_int_equal(seen(&f, GSAKMP_OUT_JOINED), 0);
	assert_int_equal(status(&f).ahead, 1);
	assert_int_equal(status(&f).waiting, 1);
	f.m->store.broken = false;
	world_pass(f.w, 1500);
	assert_int_equal(seen(&f, GSAKMP_OUT_JOINED), 1);
	assert_int_equal(seen(&f, GSAKMP_OUT_REKEYED), 1);
	assert_true(world_has_current(f.m));
	gk_buf_free(&keydl);
	gk_buf_free(&rekey);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_3_1_1_04,
		       rekey_that_overtakes_the_key_download_is_not_lost),
		GK_RUN(rfc4535_7_1_1_13, what_waited_goes_through_in_its_order),
		GK_RUN(rfc4535_7_1_2_09,
		       what_the_key_download_covers_is_no_attack),
		GK_RUN(rfc4535_5_3_1_3_02,
		       end_of_the_group_that_overtakes_the_key_download),
		GK_RUN(rfc4534_3_1_03,
		       an_older_edition_that_waited_is_as_if_it_never_came),
		GK_RUN(rfc4535_5_3_1_1_04,
		       rekey_that_overtakes_the_keys_of_a_member),
		GK_RUN(rfc4535_5_3_1_1_04,
		       keys_of_before_do_not_take_back_what_was_read),
		GK_RUN(rfc4535_7_1_1_13,
		       the_sequence_id_does_not_go_back_between_copies),
		GK_RUN(rfc4535_5_3_1_1_04,
		       a_copy_that_waits_for_the_store_is_one_still),
		GK_RUN(rfc4535_5_3_1_1_02, no_copy_of_what_is_not_authentic),
		GK_RUN(rfc4535_5_3_1_1_02,
		       flood_ahead_of_the_key_download_is_bounded),
		GK_RUN(rfc4535_7_1_2_11,
		       flood_of_large_ones_is_bounded_in_octets),
		GK_RUN(rfc4535_5_2_1_2_19,
		       they_wait_for_the_store_behind_the_key_download),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gm_ahead", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}
