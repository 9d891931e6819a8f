/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon/gkd_hook.h"
#include "common/test/gk_folder.h"
#include "common/test/gk_test.h"

/* Of the wait for a program; nothing takes so long. */
#define BOUND_MS 60000

static char dir[GK_FOLDER_MAX];

static void
put_program(const char *path, const char *told)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f,
	        "#!/bin/sh\necho $MSEC_EVENT $MSEC_GROUP $MSEC_KEY_ID "
	        "$MSEC_KEY_STATE $(test $MSEC_EVENT = left || cat) >%s\n",
	        told);
	fclose(f);
	assert_int_equal(chmod(path, 0700), 0);
}

GK_TEST(daemon_hook, runs_one_after_the_other_and_learns_no_key)
{
	const char *const more[] = { "MSEC_KEY_ID=1", "MSEC_KEY_STATE=current",
		                     NULL };
	struct gkd_hook *hook;
	char path[GK_FOLDER_MAX + 8], told[GK_FOLDER_MAX + 8];
	char all[256] = "";
	int fd;
	ssize_t n, got = 0;

	snprintf(path, sizeof(path), "%s/hook", dir);
	snprintf(told, sizeof(told), "%s/told", dir);
	put_program(path, told);
	assert_int_equal(mkfifo(told, 0600), 0);
	gk_assert_ok(gkd_hook_open(&hook, path, 0));
	gkd_hook_run(hook, "key", "studio", more, "{\"spi\":1}");
	/* What one run was told is not there in the next. */
	gkd_hook_run(hook, "left", "studio", NULL, NULL);
	/* Open for writing as well: the end of one run is no end of file. */
	fd = open(told, O_RDWR);
	while (strchr(all, '\n') == strrchr(all, '\n')) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		assert_int_equal(poll(&p, 1, BOUND_MS), 1);
		n = read(fd, all + got, sizeof(all) - 1 - (size_t)got);
		assert_true(n > 0);
		got += n;
	}
	close(fd);
	assert_string_equal(all,
	                    "key studio 1 current {\"spi\":1}\nleft studio\n");
	gkd_hook_close(hook);
	gkd_hook_run(NULL, "key", "studio", more, NULL);
	gk_assert_err(GK_ERR_IO, gkd_hook_open(&hook, "/no/such/hook", 0));
	unlink(path);
	unlink(told);
}

/* A program of @body, which tells its pipe, "$told", something; what it told after
 * having been run for @events. */
static void
told_by(const char *body, uint32_t limit_ms, const char *const *events,
        char *all, size_t size)
{
	char path[GK_FOLDER_MAX + 8], told[GK_FOLDER_MAX + 8];
	struct pollfd p = { .events = POLLIN };
	struct gkd_hook *hook;
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/hook", dir);
	snprintf(told, sizeof(told), "%s/told", dir);
	assert_int_equal(mkfifo(told, 0600), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\ntold=%s\n%s\n", told, body);
	fclose(f);
	assert_int_equal(chmod(path, 0700), 0);
	gk_assert_ok(gkd_hook_open(&hook, path, limit_ms));
	for (; *events != NULL; events++)
		gkd_hook_run(hook, *events, "studio", NULL, "{}");
	p.fd = open(told, O_RDWR);
	assert_int_equal(poll(&p, 1, BOUND_MS), 1);
	n = read(p.fd, all, size - 1);
	assert_true(n > 0);
	all[n] = '\0';
	close(p.fd);
	gkd_hook_close(hook);
	unlink(path);
	unlink(told);
}

/* It and what it has started: those that wait behind it have their turn. */
GK_TEST(daemon_hook, one_that_hangs_is_killed)
{
	static const char *const events[] = { "key", "wipe", NULL };
	char all[16];

	told_by("if test $MSEC_EVENT = key; then sleep 1000 & wait; fi\n"
	        "echo $MSEC_EVENT >$told",
	        100, events, all, sizeof(all));
	assert_string_equal(all, "wipe\n");
}

static const char *const once[] = { "key", NULL };

/* What waits for the next ones, keys among it, is not a program's to read. */
GK_TEST(daemon_hook, a_program_has_nothing_open_of_ours)
{
	char all[256];

	told_by("out=\nfor fd in /proc/$$/fd/*; do case $(readlink $fd) in "
	        "socket:*) out=\"$out ${fd##*/}\";; esac; done\n"
	        "echo sockets:$out >$told",
	        0, once, all, sizeof(all));
	assert_string_equal(all, "sockets:\n");
}

/* Whoever stops a program by hand is heard, although the process that starts it
 * is deaf. */
GK_TEST(daemon_hook, a_program_hears_what_it_is_told)
{
	static const int usual[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM,
		                     SIGUSR1 };
	unsigned long long ignored;
	char all[64];

	signal(SIGPIPE, SIG_IGN);
	told_by("grep SigIgn: /proc/self/status >$told", 0, once, all,
	        sizeof(all));
	assert_int_equal(sscanf(all, "SigIgn: %llx", &ignored), 1);
	for (size_t i = 0; i < GK_COUNT(usual); i++)
		assert_int_equal(ignored >> (usual[i] - 1) & 1, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_hook, runs_one_after_the_other_and_learns_no_key),
		GK_RUN(daemon_hook, one_that_hangs_is_killed),
		GK_RUN(daemon_hook, a_program_has_nothing_open_of_ours),
		GK_RUN(daemon_hook, a_program_hears_what_it_is_told),
	};
	int failed;

	if (!gk_folder_make(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
