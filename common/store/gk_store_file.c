/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/gk_store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char schema[] =
	"CREATE TABLE row("
	" scope BLOB NOT NULL, tab TEXT NOT NULL,"
	" key BLOB NOT NULL, value BLOB NOT NULL,"
	" PRIMARY KEY(scope, tab, key)) WITHOUT ROWID;" GK_STORE_LOG_SCHEMA;

static __attribute__((format(printf, 3, 4))) enum gk_err
say(struct gk_store *store, enum gk_err err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(store->why, sizeof(store->why), format, ap);
	va_end(ap);
	return err;
}

enum gk_err
gk_store_file_err(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return GK_OK;
	case SQLITE_NOMEM:
		return GK_ERR_NOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return GK_ERR_UNEXPECTED;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return GK_ERR_VALUE;
	default:
		return GK_ERR_IO;
	}
}

static enum gk_err
sync_folder(struct gk_store *store, const char *path)
{
	char *copy = strdup(path);
	int fd, rc;

	if (copy == NULL)
		return say(store, GK_ERR_NOMEM, "out of memory");
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	rc = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	if (rc != 0)
		return say(store, GK_ERR_IO, "%s: cannot sync the folder: %s",
		           path, strerror(errno));
	return GK_OK;
}

/*
 * The file exists, is ours alone, and is a file.
 *
 * An existing file is looked at by name and never opened here: closing a second
 * descriptor would drop the locks that this process may hold on it.
 */
static enum gk_err
claim(struct gk_store *store, const char *path)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	          0600);
	if (fd >= 0) {
		close(fd);
		return sync_folder(store, path);
	}
	if (errno != EEXIST)
		return say(store, GK_ERR_IO, "%s: cannot create the store: %s",
		           path, strerror(errno));
	if (lstat(path, &st) != 0)
		return say(store, GK_ERR_IO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return say(store, GK_ERR_VALUE, "%s: not a regular file", path);
	if ((st.st_mode & 077) != 0)
		return say(store, GK_ERR_VALUE,
		           "%s: holds keys, but others may use it (mode %03o); "
		           "expected mode 600",
		           path, (unsigned)st.st_mode & 0777);
	return GK_OK;
}

static int
number(struct gk_store *store, const char *pragma, int64_t *value)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(store->db, pragma, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int
run(struct gk_store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

/* Why neither the file nor its folder can be written; 0: they can. */
static int
refusal(const char *path)
{
	char *copy;
	int error = 0;

	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
		return errno;
	copy = strdup(path);
	if (copy != NULL &&
	    faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) != 0)
		error = errno;
	free(copy);
	return error;
}

static enum gk_err
failed(struct gk_store *store, const char *path, int rc)
{
	enum gk_err err = gk_store_file_err(rc);
	int error;

	switch (err) {
	case GK_ERR_UNEXPECTED:
		return say(store, err, "%s: in use by another process", path);
	case GK_ERR_VALUE:
		return say(store, err, "%s: not a store, or damaged: %s", path,
		           sqlite3_errmsg(store->db));
	default:
		break;
	}
	/* SQLite does not say what the system said, or not the half of it. */
	error = refusal(path);
	if (error == 0)
		error = sqlite3_system_errno(store->db);
	return say(store, err, "%s: %s%s%s", path, sqlite3_errmsg(store->db),
	           error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
}

static enum gk_err
create(struct gk_store *store, const struct gk_store_config *cfg)
{
	char mark[128];
	int rc;

	/* In one transaction with the schema: a store that is marked is whole. */
	snprintf(mark, sizeof(mark),
	         "PRAGMA application_id=%d; PRAGMA user_version=%u; COMMIT;",
	         (int)cfg->app, cfg->version);
	rc = run(store, "BEGIN IMMEDIATE;");
	if (rc == SQLITE_OK)
		rc = run(store, schema);
	store->role = cfg->role != NULL ? cfg->role->name : NULL;
	if (rc == SQLITE_OK)
		rc = gk_store_role_put(store);
	store->role = NULL;
	if (rc == SQLITE_OK)
		rc = run(store, mark);
	return rc == SQLITE_OK ? GK_OK : failed(store, cfg->path, rc);
}

enum gk_err
gk_store_file_has_log(struct gk_store *store, bool *has)
{
	int64_t n = 0;
	int rc = number(store,
	                "SELECT count(*) FROM sqlite_master"
	                " WHERE type = 'table' AND name = 'log'",
	                &n);

	*has = n != 0;
	return rc == SQLITE_OK ? GK_OK : gk_store_failed(store, rc);
}

void
gk_store_file_keep(struct gk_store *store, bool keep)
{
	/* Whether it is cut is about what the disk shows, not about what is
	 * true: no matter when that fails. */
	(void)run(store, keep ? "PRAGMA journal_size_limit=4194304"
	                      : "PRAGMA journal_size_limit=0");
}

uint64_t
gk_store_file_octets(struct gk_store *store)
{
	int64_t pages = 0, size = 0;

	if (number(store, "PRAGMA page_count", &pages) != SQLITE_OK ||
	    number(store, "PRAGMA page_size", &size) != SQLITE_OK)
		return 0;
	return (uint64_t)(pages * size);
}

/* Whose file is it?  Asked before anything is written to it. */
static enum gk_err
recognise(struct gk_store *store, const struct gk_store_config *cfg, bool *new)
{
	int64_t app = 0, version = 0, tables = 0;
	int rc = number(store, "PRAGMA application_id", &app);

	if (rc == SQLITE_OK)
		rc = number(store, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK)
		rc = number(store, "SELECT count(*) FROM sqlite_master",
		            &tables);
	if (rc != SQLITE_OK)
		return failed(store, cfg->path, rc);
	*new = app == 0 && tables == 0;
	if (*new)
		return GK_OK;
	if ((uint32_t)app != cfg->app)
		return say(store, GK_ERR_VALUE,
		           "%s: belongs to another application (id %08x, not "
		           "%08x)",
		           cfg->path, (unsigned)app, cfg->app);
	if (version == cfg->version)
		return GK_OK;
	if (cfg->oldest != 0 && version >= cfg->oldest &&
	    version < cfg->version) {
		store->mark = cfg->version;
		return GK_OK;
	}
	if (gk_store_role_differs(store, cfg))
		return GK_ERR_VALUE;
	return say(store, GK_ERR_VALUE,
	           "%s: has format version %lld, this program knows version %u",
	           cfg->path, (long long)version, cfg->version);
}

static enum gk_err
check(struct gk_store *store, const struct gk_store_config *cfg)
{
	sqlite3_stmt *stmt;
	const char *text;
	enum gk_err err = GK_OK;
	int rc;

	rc = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &stmt,
	                        NULL);
	if (rc != SQLITE_OK)
		return failed(store, cfg->path, rc);
	rc = sqlite3_step(stmt);
	text = (const char *)sqlite3_column_text(stmt, 0);
	if (rc != SQLITE_ROW)
		err = failed(store, cfg->path, rc);
	else if (text == NULL || strcmp(text, "ok") != 0)
		err = say(store, GK_ERR_VALUE, "%s: damaged: %s", cfg->path,
		          text == NULL ? "no verdict" : text);
	sqlite3_finalize(stmt);
	return err;
}

/* After each commit; as SQLite would do by itself, unless somebody else does. */
#define WAL_FULL 1000

static int
on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct gk_store *store = arg;

	store->wal = (uint32_t)pages;
	if (!store->aside && pages >= WAL_FULL)
		(void)sqlite3_wal_checkpoint_v2(
			db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK; /* it is committed */
}

enum gk_err
gk_store_checkpoint(struct gk_store *store, int mode)
{
	int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, mode, NULL, NULL);

	if (rc != SQLITE_OK)
		return gk_store_failed(store, rc);
	store->wal = 0; /* the next commit begins at its front */
	return GK_OK;
}

enum gk_err
gk_store_file_open(struct gk_store *store, const struct gk_store_config *cfg)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	                  SQLITE_OPEN_PRIVATECACHE;
	bool new = false;
	int rc;

	GK_TRY(claim(store, cfg->path));
	rc = sqlite3_open_v2(cfg->path, &store->db, flags, NULL);
	if (rc != SQLITE_OK)
		return failed(store, cfg->path, rc);
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, (int)cfg->lock_ms);
	rc = run(store, "PRAGMA locking_mode=EXCLUSIVE;"
	                "PRAGMA trusted_schema=OFF;"
	                "PRAGMA cell_size_check=ON;"
	                "PRAGMA temp_store=MEMORY;");
	if (rc != SQLITE_OK)
		return failed(store, cfg->path, rc);
	GK_TRY(recognise(store, cfg, &new));
	rc = run(store, "PRAGMA journal_mode=WAL;"
	                "PRAGMA synchronous=FULL;"
	                "PRAGMA secure_delete=ON;"
	                "PRAGMA journal_size_limit=0;"
	                /* takes the exclusive lock, and keeps it */
	                "BEGIN EXCLUSIVE; COMMIT;");
	if (rc != SQLITE_OK)
		return failed(store, cfg->path, rc);
	sqlite3_wal_hook(store->db, on_wal, store);
	if (new)
		return create(store, cfg);
	return check(store, cfg);
}
