/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/tests/one_store.h"

#include <string.h>
#include <sys/wait.h>

/* One program opens the store of another: its rows would mean nothing there, and
 * what must not go back would begin anew beside them. */
static const char *const server_tables[] = { "clock", "groups", NULL };
static const char *const member_tables[] = { "sequence", "token", NULL };
static const struct gk_store_role server = { "keys", server_tables, "member",
	                                     member_tables };
static const struct gk_store_role member = { .name = "member",
	                                     .other = "keys",
	                                     .other_tables = server_tables };

static struct gk_store *
as(const struct gk_store_role *role, size_t log_max)
{
	struct gk_store_config cfg = config();
	struct gk_store *store;

	cfg.role = role;
	cfg.log_max = log_max;
	return gk_store_open(&cfg, &store, why) == GK_OK ? store : NULL;
}

static void
has_row(const struct gk_store_role *role, const char *table)
{
	struct gk_store *store = as(role, 0);

	assert_non_null(store);
	gk_assert_ok(gk_store_put(store, gk_slice_str("group"), table,
	                          gk_slice_str("k"), gk_slice_str("v")));
	gk_store_close(store);
}

static int
roles(void)
{
	return in_file("SELECT count(*) FROM row WHERE tab = 'store'");
}

GK_TEST(store, the_store_of_another_role_is_refused)
{
	gk_store_close(as(&server, 0));
	assert_null(as(&member, 0));
	assert_non_null(strstr(why, "is the store of a keys, and this is "
	                            "member"));
	sql("PRAGMA user_version=7"); /* of whichever version */
	assert_null(as(&member, 0));
	assert_non_null(strstr(why, "is the store of a keys"));
	assert_null(as(&server, 0));
	assert_non_null(strstr(why, "format version 7"));
	sql("PRAGMA user_version=1");
	has_row(&server, "sequence"); /* whatever is in it */
	assert_null(as(&member, 0));
	gk_store_close(as(&server, 0));
	assert_int_equal(roles(), 1);
}

GK_TEST(store, one_of_before_is_known_by_its_rows)
{
	has_row(NULL, "sequence");
	assert_int_equal(roles(), 0);
	assert_null(as(&server, 0));
	assert_non_null(strstr(why, "is the store of a member"));
	assert_int_equal(roles(), 0);
	has_row(NULL, "clock"); /* a server that is a member, too */
	assert_null(as(&member, 0));
	gk_store_close(as(&server, 0));
	assert_int_equal(roles(), 0);
}

/* So that whoever wrote it can go back until then. */
GK_TEST(store, one_of_before_gets_its_role_when_it_changes)
{
	gk_store_close(as(NULL, 0));
	gk_store_close(as(&member, 0));
	gk_store_close(as(&server, 0));
	assert_int_equal(roles(), 0);
	has_row(&member, "sequence");
	assert_int_equal(roles(), 1);
	has_row(NULL, "groups"); /* it does not ask, and does not lose it */
	assert_null(as(&server, 0));
	gk_store_close(as(&member, 0));
}

/* A process that was killed: what it had is in the log alone. */
GK_TEST(store, one_of_before_is_known_by_its_log)
{
	struct gk_store *store;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		store = as(NULL, 1 << 20);
		_exit(store == NULL ||
		      gk_store_put(store, scope, "groups", gk_slice_str("k"),
		                   gk_slice_str("v")) != GK_OK);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 0);
	assert_null(as(&member, 0));
	assert_non_null(strstr(why, "is the store of a keys"));
	gk_store_close(as(&server, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_RUN(the_store_of_another_role_is_refused),
		STORE_RUN(one_of_before_is_known_by_its_rows),
		STORE_RUN(one_of_before_gets_its_role_when_it_changes),
		STORE_RUN(one_of_before_is_known_by_its_log),
	};

	return cmocka_run_group_tests_name("common/store", tests, NULL, NULL);
}
