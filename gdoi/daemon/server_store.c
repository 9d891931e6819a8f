/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/daemon/server.h"

#include "common/group/gk_group.h"
#include "gdoi/engine/gm.h"

/* Rows of the daemon's own, beside those of the group engine. */
#define POLICY_TABLE "policy-in-force"

static const char *const tables[] = { GKD_COMMIT_TABLE_CLOCK,
	                              GK_GROUP_TABLE_HEAD, POLICY_TABLE, NULL };
static const char *const member_tables[] = { GM_TABLE_SEQUENCE, NULL };
static const struct gk_store_role role = { "gdoi-gcks", tables, "gdoi-gm",
	                                   member_tables };
static const struct gk_store_config store_kind = {
	.app = GK_STORE_APP_GDOI,
	.role = &role,
	.version = GDOID_GCKS_STORE_VERSION,
	.oldest = GDOID_GCKS_STORE_OLDEST
};

enum gkd_exit
gdoid_store_open(struct gdoid_server *s, struct gkd_why *why)
{
	if (gkd_commit_open(&s->commit, s->store_path, &store_kind,
	                    s->d->events, why) == GK_OK &&
	    gkd_commit_clock(&s->commit, s->d->config, why) == GK_OK)
		return GKD_EXIT_OK;
	return GKD_EXIT_STORE;
}

enum gk_err
gdoid_commit(struct gdoid_server *s, struct gdoi_group *group, uint64_t ticket)
{
	return gkd_commit(&s->commit, gdoi_group_commits(group), ticket);
}

static enum gk_err
on_row(void *ctx, const char *table, struct gk_slice key, struct gk_slice value)
{
	struct gdoid_group *g = ctx;

	return gdoi_group_load(g->group, table, key, value);
}

enum gk_err
gdoid_store_load(struct gdoid_group *g)
{
	const struct gk_store_reader reader = { on_row, g };
	const char *table;

	for (size_t i = 0; (table = gdoi_group_table(i)) != NULL; i++)
		GK_TRY(gk_store_load(g->server->commit.store,
		                     gk_buf_slice(&g->id), table, &reader));
	GK_TRY(gdoi_group_load_end(g->group, gkd_now()));
	return gdoi_group_put_back(g->group, g->server->commit.back_s);
}

static struct gk_slice
key_of(const struct gdoid_group *g)
{
	return gk_slice_str(g->policy_file != NULL ? "policy" : "token");
}

enum gk_err
gdoid_store_get_policy(const struct gdoid_group *g, struct gk_buf *octets)
{
	return gk_store_get(g->server->commit.store, gk_buf_slice(&g->id),
	                    POLICY_TABLE, key_of(g), octets);
}

enum gk_err
gdoid_store_put_policy(const struct gdoid_group *g, struct gk_slice octets)
{
	return gk_store_put(g->server->commit.store, gk_buf_slice(&g->id),
	                    POLICY_TABLE, key_of(g), octets);
}
