/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/group/gk_group.h"
#include "common/group/tests/rows.h"

/*
 * A store from octets: one for the configuration, then rows as
 *
 *     table number (1)  key length (1)  value length (2)  key  value
 *
 * Oracle: rows are refused with a reason, or make a group that can be used, and
 * whose own rows make the same group again.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
need(bool cond, const char *text)
{
	if (cond)
		return;
	fprintf(stderr, "%s\n", text);
	abort();
}

static enum gk_err
zeros(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
	return GK_OK;
}

static const struct gk_env env = { .random = zeros };

static struct gk_group *
new_group(uint8_t octet)
{
	const struct gk_group_config cfg = {
		.scope = { &octet, 1 },
		.lkh = { .degree = (octet & 3) == 0 ? 0 : 1 + (octet & 3U),
		         .key_len = 16,
		         .capacity = 8,
		         .plain = octet & 4,
		         .last_id = 500,
		         .backward = octet & 8 },
	};
	struct gk_group *g;

	need(gk_group_new(&env, &cfg, &g) == GK_OK, "no group");
	return g;
}

static enum gk_err
load_octets(struct gk_group *g, const uint8_t *data, size_t len)
{
	enum gk_err err = GK_OK;
	const char *why = NULL;
	struct gk_rd rd;

	gk_rd_init(&rd, data, len);
	while (err == GK_OK && gk_rd_left(&rd) > 0) {
		uint8_t table = gk_rd_u8(&rd, "table") & 7;
		uint8_t key_len = gk_rd_u8(&rd, "key length");
		uint16_t value_len = gk_rd_u16(&rd, "value length");
		struct gk_slice key = gk_rd_bytes(&rd, key_len, "key");
		struct gk_slice value = gk_rd_bytes(&rd, value_len, "value");

		if (rd.fault.err != GK_OK)
			return rd.fault.err;
		err = gk_group_load_row(g, gk_group_tables[table], key, value,
		                        &why);
	}
	if (err == GK_OK)
		err = gk_group_load_done(g, &why);
	need(err != GK_ERR_VALUE || (why != NULL && *why != '\0'),
	     "refused without a reason");
	return err;
}

static void
reload_own_rows(struct gk_group *g, uint8_t octet)
{
	struct rows *before = rows_new(), *after = rows_new();
	struct gk_group *copy = new_group(octet);
	struct gk_journal *j = gk_group_journal(copy);
	const char *why = "";

	need(gk_group_export(g, j) == GK_OK, "no export");
	rows_apply(before, j);
	for (size_t t = 0; gk_group_tables[t] != NULL; t++) {
		for (size_t i = 0; i < rows_count(before); i++) {
			struct gk_change c = rows_at(before, i);

			if (strcmp(c.table, gk_group_tables[t]) == 0)
				need(gk_group_load_row(copy, c.table, c.key,
				                       c.value, &why) == GK_OK,
				     why);
		}
	}
	need(gk_group_load_done(copy, &why) == GK_OK, why);
	need(gk_group_export(copy, j) == GK_OK, "no export");
	rows_apply(after, j);
	need(rows_equal(before, after), "came back different");
	rows_free(before);
	rows_free(after);
	gk_group_free(copy);
}

static void
use(struct gk_group *g)
{
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	struct gk_lkh_plan plan;
	struct gk_member *m;
	size_t cursor = 0, count;
	uint32_t n;

	if (gk_group_find(g, gk_slice_str("new")) == NULL &&
	    gk_group_join(g, gk_slice_str("new"), 5, &m) == GK_OK)
		need(gk_group_path(g, m, keys, &count) == GK_OK, "no path");
	if (gk_group_seal(g, GK_LKH_PATH, &plan) == GK_OK)
		gk_lkh_plan_free(&plan);
	while ((m = gk_group_each(g, &cursor)) != NULL) {
		need(gk_group_path(g, m, keys, &count) == GK_OK, "no path");
		/* A worn-out handle may keep somebody. */
		if (gk_group_leave(g, m, 6) == GK_ERR_UNEXPECTED)
			need(false, "a member who cannot leave");
	}
	if (gk_group_seal(g, GK_LKH_CHAIN, &plan) == GK_OK)
		gk_lkh_plan_free(&plan);
	(void)!gk_group_sequence_next(g, &n);
	(void)!gk_group_sender_next(g, 3, &n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_group *g;

	if (len < 1)
		return 0;
	g = new_group(data[0]);
	if (load_octets(g, data + 1, len - 1) == GK_OK) {
		reload_own_rows(g, data[0]);
		use(g);
		reload_own_rows(g, data[0]);
	}
	gk_group_free(g);
	return 0;
}
