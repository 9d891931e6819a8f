/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/server.h"

#include "common/group/gk_group.h"

/* A subordinate has a member's rows, too; the clock is there from the start. */
static const char *const tables[] = { GKD_COMMIT_TABLE_CLOCK,
	                              GK_GROUP_TABLE_HEAD, NULL };
static const struct gk_store_role role = { "gsakmp-gcks", tables, "gsakmp-gm",
	                                   gsakmpd_membership_tables };
static const struct gk_store_config store_kind = {
	.app = GK_STORE_APP_GSAKMP,
	.role = &role,
	.version = GSAKMPD_STORE_VERSION,
	.oldest = GSAKMPD_STORE_OLDEST
};

enum gkd_exit
gsakmpd_store_open(struct gsakmpd_server *s, struct gkd_why *why)
{
	if (gkd_commit_open(&s->commit, s->store_path, &store_kind,
	                    s->d->events, why) == GK_OK &&
	    gkd_commit_clock(&s->commit, s->d->config, why) == GK_OK)
		return GKD_EXIT_OK;
	return GKD_EXIT_STORE;
}

enum gk_err
gsakmpd_server_commit(struct gsakmpd_server *s, struct gsakmp_group *group,
                      uint64_t ticket)
{
	return gkd_commit(&s->commit, gsakmp_group_commits(group), ticket);
}

static enum gk_err
read_row(void *ctx, struct gk_slice scope, const char *table,
         struct gk_slice key, struct gk_buf *value)
{
	struct gsakmpd_server *s = ctx;

	return gk_store_get(s->commit.store, scope, table, key, value);
}

struct gsakmp_rows
gsakmpd_store_rows(struct gsakmpd_server *s)
{
	return (struct gsakmp_rows){ read_row, s };
}

static enum gk_err
on_row(void *ctx, const char *table, struct gk_slice key, struct gk_slice value)
{
	struct gsakmpd_group *g = ctx;

	return gsakmp_group_load(g->group, table, key, value);
}

enum gk_err
gsakmpd_store_load(struct gsakmpd_group *g)
{
	const struct gk_store_reader reader = { on_row, g };
	const char *table;

	for (size_t i = 0; (table = gsakmp_group_table(i)) != NULL; i++)
		GK_TRY(gk_store_load(g->server->commit.store,
		                     gk_buf_slice(&g->group_id), table,
		                     &reader));
	GK_TRY(gsakmp_group_load_end(g->group, gkd_now()));
	return gsakmp_group_put_back(g->group, g->server->commit.back_s,
	                             gkd_now());
}
