/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <string.h>

#include "gsakmp/engine/group_state.h"
#include "gsakmp/tests/world_impl.h"

/*
 * Members judged anew by slices, and records that cannot be read: RFC 4535 section
 * 4.2, decision "access ends".
 */
#define MANY 70 /* more than two slices */

static void
revoke(struct world *w, const struct gk_pki_party *const *who, size_t n)
{
	struct gk_buf crl = { 0 };

	gk_pki_crl(&w->root, who, n, GK_PKI_NOW - GK_PKI_DAY,
	           GK_PKI_NOW + GK_PKI_DAY, NULL, &crl);
	gk_assert_ok(gk_trust_add_crl(w->trust, gk_buf_slice(&crl)));
	gk_buf_free(&crl);
}

/* The first seat, one in the middle, the last. */
static struct world *
three_revoked(const struct world_config *cfg)
{
	struct world *w = world_joined(cfg, MANY);
	const struct gk_pki_party *who[] = { &w->member[0]->pki,
		                             &w->member[MANY / 2]->pki,
		                             &w->member[MANY - 1]->pki };

	revoke(w, who, 3);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	return w;
}

GK_TEST(rfc4535_4_2_02, a_slice_at_a_time_and_one_rekey_for_all)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = three_revoked(&cfg);
	struct gsakmp_group_status s = world_status(w);
	uint32_t sequence = s.sequence;
	unsigned slices = 1;

	assert_true(s.judging);
	assert_true(s.judged.looked_at > 0);
	assert_true(s.judged.looked_at < MANY / 2);
	assert_int_equal(s.n_members, MANY);
	while (world_status(w).judging) {
		size_t before = world_status(w).judged.looked_at;

		assert_true(gsakmp_group_deadline(w->group) <=
		            simnet_now(w->net).mono_ms);
		gk_assert_ok(gsakmp_group_tick(w->group, simnet_now(w->net)));
		assert_true(world_status(w).judged.looked_at - before <= 32);
		slices++;
	}
	world_drain(w);
	assert_in_range(slices, 3, 5);
	s = world_status(w);
	assert_int_equal(s.judged.looked_at, MANY);
	assert_int_equal(s.judged.ended, 3);
	assert_int_equal(s.n_members, MANY - 3);
	assert_int_equal(s.sequence, sequence + 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_ACCESS_ENDED], 3);
	assert_int_equal(w->seen.count[GSAKMP_OUT_JUDGED], 1);
	world_free(w);
}

/* CRLs that are read more often than a round takes do not keep it from its end:
 * each goes once around from wherever it comes. */
GK_TEST(rfc4535_4_2_02, new_lists_meanwhile_do_not_hold_it_up)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = three_revoked(&cfg);

	for (unsigned i = 0; i < 4; i++) {
		gk_assert_ok(
			gsakmp_group_revocations(w->group, simnet_now(w->net)));
		world_drain_group(w);
	}
	world_pass(w, 10);
	assert_false(world_status(w).judging);
	assert_int_equal(world_status(w).judged.looked_at, MANY - 3);
	assert_int_equal(world_status(w).n_members, MANY - 3);
	world_free(w);
}

/* A process that ends in the middle of a round has forgotten the round, and the
 * next one begins with another. */
GK_TEST(rfc4535_4_2_02, a_round_cut_short_is_begun_anew)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = three_revoked(&cfg);

	assert_int_equal(world_status(w).n_members, MANY);
	world_restart(w);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 100);
	assert_int_equal(world_status(w).judged.looked_at, MANY);
	assert_int_equal(world_status(w).n_members, MANY - 3);
	world_free(w);
}

/* Who joins or leaves between two slices is neither lost nor looked at twice. */
GK_TEST(rfc4535_4_2_02, members_come_and_go_meanwhile)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = three_revoked(&cfg);
	size_t left = MANY - 2;

	gk_assert_ok(world_evict(w, w->member[1]->peer));
	gk_assert_ok(world_evict(w, w->member[MANY - 1]->peer));
	world_join(world_member_add(w, "late"));
	world_pass(w, 3000);
	/* Besides the two above: two that are revoked go, one has come. */
	assert_int_equal(world_status(w).n_members, left - 2 + 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_ACCESS_ENDED], 2);
	world_free(w);
}

/* ---- records that cannot be read ------------------------------------------ */

static struct world_row *
cert_row_of(struct world *w, const struct world_member *m)
{
	for (size_t i = 0; i < w->store.n; i++) {
		struct world_row *r = &w->store.row[i];

		if (strcmp(r->table, GSAKMP_TABLE_CERT) == 0 &&
		    r->value.len > 2 + strlen(m->peer) &&
		    memcmp(r->value.ptr + 2, m->peer, strlen(m->peer)) == 0)
			return r;
	}
	fail_msg("no certificate of %s", m->peer);
	return NULL;
}

enum damage { GARBLED, CUT, OTHERS, NONE, LOST };

static void
damage(struct world *w, struct world_member *m, enum damage how)
{
	struct world_row *r = cert_row_of(w, m);
	size_t der = 2 + strlen(m->peer);

	switch (how) {
	case GARBLED: /* no certificate */
		memset(r->value.ptr + der, 0xff, r->value.len - der);
		break;
	case CUT:
		r->value.len = 1;
		break;
	case OTHERS: /* somebody else's */
		r->value.ptr[der - 1] ^= 1;
		break;
	case LOST:
		r->key.ptr[0] ^= 0x80;
		break;
	case NONE:
		break;
	}
}

/* The one that is damaged loses its access; what is behind it is looked at. */
static void
one_is(enum damage how)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 4);
	const struct gk_pki_party *last = &w->member[3]->pki;

	damage(w, w->member[1], how);
	revoke(w, &last, 1);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_int_equal(world_status(w).n_members, 3);
	/* Once more, before anybody is sent away for that. */
	assert_int_equal(world_status(w).judged.unreadable, 0);
	world_pass(w, 1500);
	assert_false(world_status(w).judging);
	assert_int_equal(world_status(w).judged.unreadable, 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_ACCESS_ENDED], 2);
	assert_int_equal(world_status(w).n_members, 2);
	assert_int_equal(gk_group_excluded_count(w->group->data), 0);
	/* With a new record it is as good as anybody. */
	world_pass(w, 300 * 1000);
	assert_true(world_has_current(w->member[1]));
	assert_int_equal(world_status(w).n_members, 3);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 1500);
	assert_int_equal(world_status(w).judged.unreadable, 0);
	assert_int_equal(world_status(w).n_members, 3);
	world_free(w);
}

GK_TEST(rfc4535_4_2_02, a_record_that_cannot_be_read_is_no_access)
{
	one_is(GARBLED);
	one_is(CUT);
	one_is(OTHERS);
	one_is(LOST);
}

/* A round that is begun anew comes by whomever the one before has put aside. */
GK_TEST(rfc4535_4_2_02, who_is_put_aside_twice_goes_once)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 4);

	damage(w, w->member[1], GARBLED);
	for (unsigned i = 0; i < 3; i++) {
		gk_assert_ok(
			gsakmp_group_revocations(w->group, simnet_now(w->net)));
		world_drain_group(w);
	}
	world_pass(w, 1500);
	assert_false(world_status(w).judging);
	assert_int_equal(world_status(w).judged.unreadable, 1);
	assert_int_equal(world_status(w).judged.ended, 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_ACCESS_ENDED], 1);
	assert_int_equal(world_status(w).n_members, 3);
	world_free(w);
}

/* A row that the disk will not give, and others that it does. */
static enum gk_err
all_but_one(void *ctx, struct gk_slice scope, const char *table,
            struct gk_slice key, struct gk_buf *value)
{
	struct world *w = ctx;

	if (gk_slice_equal(key,
	                   gk_buf_slice(&cert_row_of(w, w->member[0])->key)))
		return GK_ERR_IO;
	return world_store_read(&w->store, scope, table, key, value);
}

GK_TEST(rfc4535_4_2_02, one_row_that_the_disk_will_not_give)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);

	w->group->cfg.rows.read = all_but_one;
	w->group->cfg.rows.ctx = w;
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 1500);
	assert_int_equal(world_status(w).judged.unreadable, 1);
	assert_int_equal(world_status(w).n_members, 2);
	world_free(w);
}

/* A store that is out of order says nothing of anybody: nobody has to go, and the
 * round goes on when it is back. */
GK_TEST(rfc4535_4_2_02, the_store_is_out_of_order)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);
	const struct gk_pki_party *last = &w->member[2]->pki;

	revoke(w, &last, 1);
	w->store.broken = true;
	gk_assert_err(GK_ERR_IO,
	              gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_int_equal(w->seen.count[GSAKMP_OUT_JUDGED], 1);
	world_pass(w, 60 * 1000);
	assert_true(world_status(w).judging);
	assert_int_equal(world_status(w).n_members, 3);
	assert_in_range(w->seen.count[GSAKMP_OUT_JUDGED], 2, 8);
	w->store.broken = false;
	world_pass(w, 30 * 1000);
	assert_false(world_status(w).judging);
	assert_int_equal(world_status(w).judged.unreadable, 0);
	assert_int_equal(world_status(w).n_members, 2);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_2_02, a_slice_at_a_time_and_one_rekey_for_all),
		GK_RUN(rfc4535_4_2_02, new_lists_meanwhile_do_not_hold_it_up),
		GK_RUN(rfc4535_4_2_02, a_round_cut_short_is_begun_anew),
		GK_RUN(rfc4535_4_2_02, members_come_and_go_meanwhile),
		GK_RUN(rfc4535_4_2_02,
		       a_record_that_cannot_be_read_is_no_access),
		GK_RUN(rfc4535_4_2_02, who_is_put_aside_twice_goes_once),
		GK_RUN(rfc4535_4_2_02, one_row_that_the_disk_will_not_give),
		GK_RUN(rfc4535_4_2_02, the_store_is_out_of_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
