/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>
#include <string.h>

#include "gsakmp/engine/group_state.h"

/*
 * Whom a new token admits is looked at in pieces, before it is in force: RFC 4535
 * section 5.3.2.1.
 */
#define MANY 300 /* several pieces */

struct scene {
	struct world *w;
	struct gsakmp_group *g;
	struct gsakmp_member_info like; /* what a member's record holds */
	struct gsakmp_policy *next;     /* a token that is not in force */
};

/* A member that the key server believes to have registered. */
static struct gk_member *
enter(struct scene *s, unsigned i)
{
	struct gsakmp_member_info info = s->like;
	struct gk_member *m;
	char name[64];

	(void)snprintf(name, sizeof(name), "dn:CN=m%04u,O=Members", i);
	gk_assert_ok(
		gk_group_join(s->g->data, gk_slice_str(name), GK_PKI_NOW, &m));
	info.der = (struct gk_buf){ 0 };
	info.signer_id =
		(struct gk_buf){ (uint8_t *)name + 3, strlen(name) - 3 };
	gk_assert_ok(gsakmp_group_member_put(s->g, m, &info));
	gk_assert_ok(gk_group_member_state(s->g->data, m, GK_MEMBER_ACTIVE));
	return m;
}

static struct gk_member *
find(const struct scene *s, unsigned i)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "dn:CN=m%04u,O=Members", i);
	return gk_group_find(s->g->data, gk_slice_str(name));
}

static struct gsakmp_policy *
read_token(struct scene *s)
{
	struct gsakmp_policy *p = NULL;
	struct gsakmp_reject why;
	const struct gsakmp_policy_args args = {
		.party = &s->w->party,
		.dialect = &s->g->dialect,
		.group_id_type = s->g->cfg.group_id_type,
		.group_id = s->g->cfg.group_id,
		.last = &s->g->policy->v.seen,
	};

	gk_assert_ok(gsakmp_policy_new(&args, gk_buf_slice(&s->w->token),
	                               simnet_now(s->w->net), &p, &why));
	return p;
}

static struct scene
open_scene(struct world_config *cfg)
{
	struct scene s = { .w = NULL };
	size_t cursor = 0;

	cfg->group.no_join_rekey = true;
	s.w = world_joined(cfg, 1);
	s.g = s.w->group;
	gk_assert_ok(gsakmp_group_member_get(
		s.g, gk_group_each(s.g->data, &cursor), &s.like));
	for (unsigned i = 0; i < MANY; i++)
		enter(&s, i);
	s.w->excluded[s.w->n_excluded++] = "CN=m0007,O=Members";
	world_token(s.w);
	s.next = read_token(&s);
	return s;
}

static void
close_scene(struct scene *s)
{
	gsakmp_preview_end(s->g, s->next);
	gsakmp_policy_unref(s->next);
	gsakmp_member_info_free(&s->like);
	world_free(s->w);
}

static bool
admits(const struct scene *s, unsigned i)
{
	return gsakmp_preview_admits(s->g, s->next, find(s, i));
}

GK_TEST(rfc4535_5_3_2_1_01, everybody_is_looked_at_in_pieces)
{
	struct world_config cfg = world_plain(7);
	struct scene s = open_scene(&cfg);
	unsigned pieces = 0, known, all = 0;
	bool more = true;

	gk_assert_ok(gsakmp_preview_begin(s.g, s.next));
	while (more) {
		gk_assert_ok(gsakmp_preview_piece(s.g, &more));
		pieces++;
		known = all;
		all = 0;
		for (unsigned i = 0; i < MANY; i++)
			all += admits(&s, i);
		/* never many at a time */
		assert_in_range(all - known, 0, MANY / 3);
	}
	assert_true(pieces > 3);
	assert_int_equal(all, MANY - 1);
	assert_false(admits(&s, 7));
	close_scene(&s);
}

GK_TEST(rfc4535_5_3_2_1_01, who_changes_meanwhile_is_not_known)
{
	struct world_config cfg = world_plain(7);
	struct scene s = open_scene(&cfg);
	struct gk_member *m;
	bool more = true;

	gk_assert_ok(gsakmp_preview_begin(s.g, s.next));
	while (more)
		gk_assert_ok(gsakmp_preview_piece(s.g, &more));
	m = find(&s, 11);
	assert_true(admits(&s, 11));
	gk_assert_ok(gsakmp_group_member_note(s.g, m, &s.like));
	assert_false(admits(&s, 11));
	/* a newcomer; and one on the seat of somebody who has left */
	enter(&s, MANY);
	assert_false(admits(&s, MANY));
	gk_assert_ok(gk_group_leave(s.g->data, find(&s, 12), GK_PKI_NOW));
	enter(&s, MANY + 1);
	assert_false(admits(&s, MANY + 1));
	assert_true(admits(&s, 13));
	close_scene(&s);
}

GK_TEST(rfc4535_5_3_2_1_01, what_one_token_admits_another_may_not)
{
	struct world_config cfg = world_plain(7);
	struct scene s = open_scene(&cfg);
	struct gsakmp_policy *other = read_token(&s);

	gsakmp_preview_all(s.g, s.next);
	assert_true(admits(&s, 3));
	assert_false(gsakmp_preview_admits(s.g, other, find(&s, 3)));
	gk_assert_err(GK_ERR_UNEXPECTED, gsakmp_preview_begin(s.g, other));
	gsakmp_preview_all(s.g, other);
	gsakmp_preview_end(s.g, other);
	assert_true(admits(&s, 3));
	gsakmp_preview_end(s.g, s.next);
	assert_false(admits(&s, 3));
	gsakmp_policy_unref(other);
	close_scene(&s);
}

GK_TEST(rfc4535_5_3_2_1_01, the_token_leaves_out_whom_it_excludes_among_many)
{
	struct world_config cfg = world_plain(7);
	struct scene s = open_scene(&cfg);

	gk_assert_ok(gsakmp_group_set_token(s.g, gk_buf_slice(&s.w->token),
	                                    simnet_now(s.w->net), NULL));
	assert_null(find(&s, 7));
	assert_non_null(find(&s, 8));
	assert_int_equal(gk_group_count(s.g->data), 1 + MANY - 1);
	assert_null(s.g->preview);
	world_drain(s.w);
	close_scene(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_3_2_1_01, everybody_is_looked_at_in_pieces),
		GK_RUN(rfc4535_5_3_2_1_01, who_changes_meanwhile_is_not_known),
		GK_RUN(rfc4535_5_3_2_1_01,
		       what_one_token_admits_another_may_not),
		GK_RUN(rfc4535_5_3_2_1_01,
		       the_token_leaves_out_whom_it_excludes_among_many),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/group_preview", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
