/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/gk_store_file.h"

#include <stdio.h>
#include <string.h>

/* A row beside those of the log: nobody else writes it. */
#define ROLE_ROW "scope = x'' AND tab = 'store' AND key = CAST('role' AS BLOB)"

/* The role of the store at @out; false: it has none. */
static int
stored_role(struct gk_store *store, char *out, size_t cap, bool *has)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(store->db,
	                            "SELECT CAST(value AS TEXT) FROM row"
	                            " WHERE " ROLE_ROW,
	                            -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(stmt);
	*has = rc == SQLITE_ROW;
	if (*has)
		snprintf(out, cap, "%s",
		         (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Is there a row of one of @tables? */
static int
has_rows(struct gk_store *store, const char *const *tables, bool *has)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(store->db,
	                            "SELECT 1 FROM row WHERE tab = ? LIMIT 1",
	                            -1, &stmt, NULL);

	*has = false;
	if (rc != SQLITE_OK)
		return rc;
	for (; tables != NULL && *tables != NULL && !*has; tables++) {
		sqlite3_reset(stmt);
		sqlite3_bind_text(stmt, 1, *tables, -1, SQLITE_STATIC);
		rc = sqlite3_step(stmt);
		*has = rc == SQLITE_ROW;
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			break;
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static enum gk_err
another(struct gk_store *store, const struct gk_store_config *cfg,
        const char *whose)
{
	snprintf(store->why, sizeof(store->why),
	         "%.100s: is the store of a %.40s, and this is %s", cfg->path,
	         whose, cfg->role->name);
	return GK_ERR_VALUE;
}

/* One of before: its rows tell. */
static enum gk_err
guess(struct gk_store *store, const struct gk_store_config *cfg)
{
	bool ours = false, theirs = false;
	int rc = has_rows(store, cfg->role->tables, &ours);

	if (rc == SQLITE_OK && !ours)
		rc = has_rows(store, cfg->role->other_tables, &theirs);
	if (rc != SQLITE_OK)
		return gk_store_failed(store, rc);
	if (theirs)
		return another(store, cfg, cfg->role->other);
	store->role = cfg->role->name; /* with the first change */
	return GK_OK;
}

bool
gk_store_role_differs(struct gk_store *store, const struct gk_store_config *cfg)
{
	char role[64] = "";
	bool has;

	if (cfg->role == NULL ||
	    stored_role(store, role, sizeof(role), &has) != SQLITE_OK || !has ||
	    strcmp(role, cfg->role->name) == 0)
		return false;
	(void)another(store, cfg, role);
	return true;
}

enum gk_err
gk_store_role_check(struct gk_store *store, const struct gk_store_config *cfg)
{
	char role[64] = "";
	bool has;
	int rc;

	if (cfg->role == NULL)
		return GK_OK;
	rc = stored_role(store, role, sizeof(role), &has);
	if (rc != SQLITE_OK)
		return gk_store_failed(store, rc);
	if (!has) {
		/* What a crash has left in the log are not rows yet; with a
		 * disk that is full that is so until later. */
		return gk_store_fold(store) == GK_OK ? guess(store, cfg)
		                                     : GK_OK;
	}
	return strcmp(role, cfg->role->name) == 0 ? GK_OK
	                                          : another(store, cfg, role);
}

int
gk_store_role_put(struct gk_store *store)
{
	sqlite3_stmt *stmt;
	int rc;

	if (store->role == NULL)
		return SQLITE_OK;
	rc = sqlite3_prepare_v2(
		store->db,
		"INSERT OR REPLACE INTO row(scope, tab, key, value) VALUES"
		" (x'', 'store', CAST('role' AS BLOB), CAST(? AS BLOB))",
		-1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(stmt, 1, store->role, -1, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
