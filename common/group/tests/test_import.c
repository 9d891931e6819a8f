/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include "common/group/gk_group.h"

/*
 * A group whose traffic keys are made elsewhere: a subordinate key server's.
 */
static uint32_t draws;

static enum gk_err
counting(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(draws++ * 2654435761u >> 13);
	return GK_OK;
}

static const struct gk_env env = { .random = counting };

static const struct gk_group_config config = {
	.scope = { (const uint8_t *)"group", 5 },
	.lkh = { .degree = 2, .key_len = 16, .backward = true },
	.backward = true,
	.imported = true,
};

static struct gk_traffic_key
made(uint32_t handle)
{
	struct gk_traffic_key k = { .id = 7,
		                    .handle = handle,
		                    .type = 3,
		                    .created = 1000 + handle,
		                    .expires = 9000,
		                    .len = 24 };

	memset(k.octets, (int)handle, k.len);
	return k;
}

static struct gk_group *
group_of(uint32_t degree)
{
	struct gk_group_config cfg = config;
	struct gk_traffic_key k = made(100);
	struct gk_group *g;

	cfg.lkh.degree = degree;
	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	gk_assert_ok(gk_group_key_import(g, &k));
	return g;
}

static struct gk_member *
join(struct gk_group *g, const char *name)
{
	struct gk_member *m;

	gk_assert_ok(gk_group_join(g, gk_slice_str(name), 2000, &m));
	return m;
}

static uint32_t
handle(const struct gk_group *g, enum gk_key_slot slot)
{
	const struct gk_traffic_key *k = gk_group_key(g, 0, slot);

	return k == NULL ? 0 : k->handle;
}

/* Does one of the plan's wraps of the group key reach this member? */
static bool
reached(const struct gk_lkh_plan *plan, const struct gk_lkh_key *path, size_t n)
{
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->wraps[i].count; k++) {
			if (plan->wraps[i].keys[k] != NULL)
				continue;
			for (size_t p = 0; p < n; p++)
				if (plan->wraps[i].under->id == path[p].id &&
				    plan->wraps[i].under->handle ==
				            path[p].handle)
					return true;
		}
	return false;
}

GK_TEST(import, joins_and_leaves_make_no_traffic_key)
{
	struct gk_group *g = group_of(2);

	join(g, "a");
	join(g, "b");
	gk_assert_ok(gk_group_leave(g, join(g, "c"), 2001));
	assert_int_equal(handle(g, GK_KEY_CURRENT), 100);
	assert_int_equal(handle(g, GK_KEY_NEXT), 0);
	assert_false(gk_group_due(g));
	assert_true(gk_group_open(g));
	assert_int_equal(gk_group_key_joiner(g, 0)->handle, 100);
	gk_group_free(g);
}

GK_TEST(import, a_key_reaches_members_old_and_new_and_nobody_who_left)
{
	struct gk_lkh_key path[3][GK_LKH_DEPTH_MAX], gone[GK_LKH_DEPTH_MAX];
	struct gk_traffic_key k = made(200);
	struct gk_group *g = group_of(2);
	struct gk_member *a = join(g, "a"), *b = join(g, "b"), *c, *d;
	size_t n[3], n_gone;
	struct gk_lkh_plan plan;

	gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
	gk_assert_ok(gk_group_path(g, b, gone, &n_gone));
	gk_assert_ok(gk_group_leave(g, b, 2001));
	c = join(g, "c");
	d = join(g, "d");
	gk_assert_ok(gk_group_key_import(g, &k));
	assert_true(gk_group_due(g));
	gk_assert_ok(gk_group_path(g, a, path[0], &n[0]));
	gk_assert_ok(gk_group_path(g, c, path[1], &n[1]));
	gk_assert_ok(gk_group_path(g, d, path[2], &n[2]));
	gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
	for (size_t i = 0; i < 3; i++)
		assert_true(reached(&plan, path[i], n[i]));
	assert_false(reached(&plan, gone, n_gone));
	gk_lkh_plan_free(&plan);
	assert_int_equal(handle(g, GK_KEY_PREVIOUS), 100);
	assert_int_equal(handle(g, GK_KEY_CURRENT), 200);
	assert_int_equal(gk_group_key(g, 0, GK_KEY_CURRENT)->created, 1200);
	gk_group_free(g);
}

GK_TEST(import, a_refresh_sends_the_key_in_force_again)
{
	struct gk_lkh_key path[GK_LKH_DEPTH_MAX];
	struct gk_group *g = group_of(2);
	struct gk_member *a = join(g, "a");
	struct gk_lkh_plan plan;
	size_t n;

	gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
	gk_assert_ok(gk_group_refresh(g, 2001));
	assert_false(gk_group_due(g));
	gk_assert_ok(gk_group_path(g, a, path, &n));
	gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
	assert_true(reached(&plan, path, n));
	gk_lkh_plan_free(&plan);
	assert_int_equal(handle(g, GK_KEY_CURRENT), 100);
	gk_group_free(g);
}

GK_TEST(import, the_same_version_again_changes_nothing)
{
	struct gk_traffic_key k = made(100);
	struct gk_group *g = group_of(2);

	gk_journal_clear(gk_group_journal(g));
	gk_assert_ok(gk_group_key_import(g, &k));
	assert_int_equal(gk_journal_count(gk_group_journal(g)), 0);
	k = made(200);
	gk_assert_ok(gk_group_key_import(g, &k));
	gk_journal_clear(gk_group_journal(g));
	gk_assert_ok(gk_group_key_import(g, &k));
	assert_int_equal(gk_journal_count(gk_group_journal(g)), 0);
	gk_group_free(g);
}

GK_TEST(import, what_is_no_version_of_the_key_is_refused)
{
	struct gk_traffic_key k = made(200);
	struct gk_group_config own = config;
	struct gk_group *g = group_of(2);

	k.type = 4;
	assert_int_equal(gk_group_key_import(g, &k), GK_ERR_VALUE);
	k = made(200);
	k.len = 16;
	assert_int_equal(gk_group_key_import(g, &k), GK_ERR_VALUE);
	k = made(200);
	k.expires = k.created;
	assert_int_equal(gk_group_key_import(g, &k), GK_ERR_VALUE);
	assert_int_equal(gk_group_key_define(g, 8, 3, 24, 0, 1000),
	                 GK_ERR_VALUE);
	assert_false(gk_group_due(g));
	gk_group_free(g);

	own.imported = false;
	k = made(200);
	gk_assert_ok(gk_group_new(&env, &own, &g));
	assert_int_equal(gk_group_key_import(g, &k), GK_ERR_VALUE);
	gk_group_free(g);
}

GK_TEST(import, without_hierarchy_members_come_and_go_as_well)
{
	struct gk_traffic_key k = made(200);
	struct gk_group *g = group_of(0);
	struct gk_lkh_plan plan;

	join(g, "a");
	gk_assert_ok(gk_group_leave(g, join(g, "b"), 2001));
	assert_false(gk_group_due(g));
	gk_assert_ok(gk_group_key_import(g, &k));
	gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
	assert_int_equal(plan.count, 0);
	assert_int_equal(handle(g, GK_KEY_CURRENT), 200);
	gk_group_free(g);
}

GK_TEST(import, a_restart_finds_keys_members_and_the_open_epoch)
{
	struct gk_traffic_key k = made(200);
	struct gk_group *g = group_of(2), *again;
	struct gk_journal *journal;
	const char *why;

	join(g, "a");
	gk_assert_ok(gk_group_key_import(g, &k));
	gk_assert_ok(gk_journal_new(gk_slice_str("group"), &journal));
	gk_assert_ok(gk_group_export(g, journal));
	gk_assert_ok(gk_group_new(&env, &config, &again));
	for (size_t t = 0; gk_group_tables[t] != NULL; t++)
		for (size_t i = 0; i < gk_journal_count(journal); i++) {
			struct gk_change c = gk_journal_at(journal, i);

			if (strcmp(c.table, gk_group_tables[t]) == 0)
				gk_assert_ok(gk_group_load_row(
					again, c.table, c.key, c.value, &why));
		}
	gk_assert_ok(gk_group_load_done(again, &why));
	assert_int_equal(handle(again, GK_KEY_CURRENT), 100);
	assert_int_equal(handle(again, GK_KEY_NEXT), 200);
	assert_true(gk_group_due(again));
	gk_journal_free(journal);
	gk_group_free(again);
	gk_group_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(import, joins_and_leaves_make_no_traffic_key),
		GK_RUN(import,
		       a_key_reaches_members_old_and_new_and_nobody_who_left),
		GK_RUN(import, a_refresh_sends_the_key_in_force_again),
		GK_RUN(import, the_same_version_again_changes_nothing),
		GK_RUN(import, what_is_no_version_of_the_key_is_refused),
		GK_RUN(import, without_hierarchy_members_come_and_go_as_well),
		GK_RUN(import, a_restart_finds_keys_members_and_the_open_epoch),
	};

	return cmocka_run_group_tests_name("common/group/import", tests, NULL,
	                                   NULL);
}
