/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_STORE_FOLD_MODEL_H
#define GK_STORE_FOLD_MODEL_H

/* For the tests of folding: a history of commits, and what is to be there after it. */
#include "common/store/tests/one_store.h"

#include <stdlib.h>
#include <string.h>

#define SCOPES 3
#define TABLES 2
#define KEYS 400

static const char *const tables[TABLES] = { "t", "u" };

/* The commit that wrote each row last; 0: it is not there. */
static uint32_t model[SCOPES][TABLES][KEYS];
static uint32_t commits;
static uint64_t seed;
static size_t log_max;

static uint32_t
below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static void
start(void)
{
	memset(model, 0, sizeof(model));
	commits = 0;
	seed = 1;
}

static struct gk_slice
scope_of(size_t i)
{
	static const char *const names[SCOPES] = { "a", "group b", "" };

	return gk_slice_str(names[i]);
}

static struct gk_slice
key_of(size_t k, char text[16])
{
	snprintf(text, 16, "%0*zu", (int)(k % 9) + 3, k);
	return gk_slice_str(text);
}

/* Of all lengths, some of them none. */
static struct gk_slice
value_of(uint32_t commit, char text[80])
{
	snprintf(text, 80, "%u-%0*u", commit, (int)(commit % 60) + 1, commit);
	return gk_slice_str(commit % 7 == 3 ? "" : text);
}

/* One commit of the history, the same in every process; @store NULL: only what it
 * would have changed. */
static enum gk_err
one_commit(struct gk_store *store)
{
	uint32_t scope_no = below(SCOPES), n = 1 + below(12);
	enum gk_err err = GK_OK;
	struct gk_journal *j;
	char key[16], value[80];

	if (gk_journal_new(scope_of(scope_no), &j) != GK_OK)
		abort();
	commits++;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t t = below(TABLES), k = below(KEYS);

		if (below(4) == 0) {
			err = gk_journal_del(j, tables[t], key_of(k, key));
			model[scope_no][t][k] = 0;
		} else {
			err = gk_journal_put(j, tables[t], key_of(k, key),
			                     value_of(commits, value));
			model[scope_no][t][k] = commits;
		}
		if (err != GK_OK)
			abort();
	}
	if (store != NULL)
		err = gk_store_apply(store, j);
	gk_journal_free(j);
	return err;
}

static struct gk_store *
open_aside(void)
{
	struct gk_store *store = open_logged(log_max);

	gk_store_aside(store, true);
	return store;
}

static void
is_in(struct gk_store *store, size_t s, size_t t, size_t k)
{
	char key[16], value[80];
	struct gk_slice want = value_of(model[s][t][k], value);
	struct gk_buf got = { 0 };
	enum gk_err err = gk_store_get(store, scope_of(s), tables[t],
	                               key_of(k, key), &got);

	if (model[s][t][k] == 0) {
		gk_assert_err(GK_ERR_UNEXPECTED, err);
		return;
	}
	gk_assert_ok(err);
	assert_true(gk_slice_equal(gk_buf_slice(&got), want));
	gk_buf_free(&got);
}

static void
all_is_there(struct gk_store *store)
{
	for (size_t s = 0; s < SCOPES; s++)
		for (size_t t = 0; t < TABLES; t++)
			for (size_t k = 0; k < KEYS; k++)
				is_in(store, s, t, k);
}

static size_t
rows_of_model(void)
{
	size_t n = 0;

	for (size_t s = 0; s < SCOPES; s++)
		for (size_t t = 0; t < TABLES; t++)
			for (size_t k = 0; k < KEYS; k++)
				n += model[s][t][k] != 0;
	return n;
}

static void
work_all(struct gk_store *store)
{
	while (gk_store_due(store))
		gk_assert_ok(gk_store_work(store));
}

#define FOLD_RUN(behaviour)                                                   \
	{                                                                     \
		"fold__" #behaviour, fold__##behaviour, setup, teardown, NULL \
	}

#endif /* GK_STORE_FOLD_MODEL_H */
