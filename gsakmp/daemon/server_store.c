/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "gsakmp/daemon/server.h"

enum gkd_exit
gsakmpd_store_open(struct gsakmpd_server *s, struct gkd_why *why)
{
	const struct gk_store_config cfg = {
		.path = s->store_path,
		.app = GK_STORE_APP_GSAKMP,
		.version = GSAKMPD_STORE_VERSION,
		.lock_ms = 2000,
	};
	char text[GK_STORE_WHY_MAX] = "";

	pthread_mutex_init(&s->store_lock, NULL);
	if (gk_store_open(&cfg, &s->store, text) == GK_OK)
		return GKD_EXIT_OK;
	snprintf(why->text, sizeof(why->text), "store '%s': %s", s->store_path,
	         text);
	return GKD_EXIT_STORE;
}

enum gk_err
gsakmpd_server_commit(struct gsakmpd_server *s, struct gsakmp_group *group,
                      uint64_t ticket)
{
	const struct gk_journal *journal;
	enum gk_err err = GK_OK;

	/* Whoever comes first writes for those who wait at the lock. */
	pthread_mutex_lock(&s->store_lock);
	journal = gsakmp_group_commit_begin(group, ticket);
	if (journal != NULL) {
		err = gk_store_apply(s->store, journal);
		if (err != GK_OK)
			gkd_log(LOG_ERR, "io", "store '%s': %s", s->store_path,
			        gk_store_why(s->store));
		gsakmp_group_commit_end(group, err == GK_OK);
	} else if (!gsakmp_group_commit_done(group, ticket)) {
		err = GK_ERR_NOMEM;
		gkd_log(LOG_ERR, "io", "store '%s': out of memory",
		        s->store_path);
	}
	pthread_mutex_unlock(&s->store_lock);
	if (err != GK_OK)
		gkd_events_emit(
			s->d->events, "store-failed",
			json_pack("{s:o}", "reason",
		                  gkd_json_text(gk_store_why(s->store))));
	if (atomic_exchange(&s->store_failed, err != GK_OK) && err == GK_OK &&
	    journal != NULL)
		gkd_events_emit(s->d->events, "store-recovered", NULL);
	return err;
}

static enum gk_err
read_row(void *ctx, struct gk_slice scope, const char *table,
         struct gk_slice key, struct gk_buf *value)
{
	struct gsakmpd_server *s = ctx;

	return gk_store_get(s->store, scope, table, key, value);
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
		GK_TRY(gk_store_load(g->server->store,
		                     gk_buf_slice(&g->group_id), table,
		                     &reader));
	return gsakmp_group_load_end(g->group, gkd_now());
}
