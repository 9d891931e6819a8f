/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/daemon/gkd_control.h"
#include "common/test/gk_folder.h"

/*
 * Answers of the control socket that are made while they are read.
 */
#define MANY 200000
#define AT_ONCE 100
#define BOUND_MS 180000 /* lists are long, and a busy machine slow */
#define PIECES_OWED 500 /* of 2000: what nobody reads is not made */

static char dir[GK_FOLDER_MAX];
static char path[GK_FOLDER_MAX + 8];

struct count {
	unsigned n, most;
};

static struct gkd_control *control;
static unsigned made, ended;

static bool
next(void *ctx, json_t *list)
{
	struct count *c = ctx;

	for (unsigned i = 0; i < AT_ONCE && c->n < c->most; i++)
		json_array_append_new(list,
		                      json_pack("{s:i}", "n", (int)c->n++));
	made = c->n;
	return c->n < c->most;
}

static void
done(void *ctx)
{
	ended++;
	free(ctx);
}

static json_t *
begin(unsigned most)
{
	struct gkd_pieces pieces = { .next = next, .done = done };
	struct count *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->most = most;
	pieces.ctx = c;
	return gkd_control_pieces(control, &pieces);
}

static json_t *
cmd_many(void *state, const json_t *request, char why[256])
{
	(void)state;
	(void)request;
	(void)why;
	return begin(MANY);
}

static json_t *
cmd_none(void *state, const json_t *request, char why[256])
{
	(void)state;
	(void)request;
	(void)why;
	return begin(0);
}

static json_t *
cmd_echo(void *state, const json_t *request, char why[256])
{
	(void)state;
	(void)why;
	return json_string(gkd_control_arg(request, 0));
}

static const struct gkd_command commands[] = {
	{ "many", NULL, "one after the other", cmd_many },
	{ "none", NULL, "an empty list", cmd_none },
	{ "echo", "WORD", "say it again", cmd_echo },
	{ NULL, NULL, NULL, NULL },
};

struct fixture {
	struct gkd_loop *loop;
	int fd;
	char *text;
	size_t n, cap;
};

static void
open_fixture(struct fixture *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	*f = (struct fixture){ .loop = gkd_loop_new(), .cap = 1u << 23 };
	f->text = test_malloc(f->cap);
	made = ended = 0;
	gk_assert_ok(gkd_control_open(&control, f->loop, path, commands, NULL));
	gk_assert_ok(gkd_control_stream(control, "news", NULL, NULL));
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	strcpy(un.sun_path, path);
	assert_int_equal(connect(f->fd, (struct sockaddr *)&un, sizeof(un)), 0);
}

static void
close_fixture(struct fixture *f)
{
	if (f->fd >= 0)
		close(f->fd);
	gkd_control_close(control);
	gkd_loop_free(f->loop);
	test_free(f->text);
}

static void
ask(struct fixture *f, const char *line)
{
	assert_int_equal(write(f->fd, line, strlen(line)), strlen(line));
}

static void
turn(struct fixture *f, unsigned times)
{
	while (times-- > 0)
		gk_assert_ok(gkd_loop_once(f->loop, false));
}

/* Until @lines are there. */
static void
read_lines(struct fixture *f, unsigned lines)
{
	uint64_t end = gkd_now().mono_ms + BOUND_MS;
	unsigned have = 0;

	f->n = 0;
	while (have < lines) {
		ssize_t got;

		assert_true(gkd_now().mono_ms < end);
		turn(f, 1);
		got = read(f->fd, f->text + f->n, f->cap - 1 - f->n);
		if (got <= 0)
			continue;
		for (ssize_t i = 0; i < got; i++)
			have += f->text[f->n + (size_t)i] == '\n';
		f->n += (size_t)got;
	}
	f->text[f->n] = '\0';
}

static json_t *
next_line(char **at)
{
	char *end = strchr(*at, '\n');
	json_t *o;

	assert_non_null(end);
	*end = '\0';
	o = json_loads(*at, 0, NULL);
	assert_non_null(o);
	*at = end + 1;
	return o;
}

static void
assert_numbers(json_t *reply, size_t n)
{
	json_t *list = json_object_get(reply, "result");

	assert_true(json_is_true(json_object_get(reply, "ok")));
	assert_int_equal(json_array_size(list), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(json_integer_value(json_object_get(
					 json_array_get(list, i), "n")),
		                 i);
	json_decref(reply);
}

GK_TEST(daemon_pieces, a_long_list_is_one_line)
{
	struct fixture f;
	char *at;

	open_fixture(&f);
	at = f.text;
	ask(&f, "{\"cmd\":\"none\"}\n{\"cmd\":\"many\"}\n");
	read_lines(&f, 2);
	assert_numbers(next_line(&at), 0);
	assert_numbers(next_line(&at), MANY);
	assert_int_equal(ended, 2);
	close_fixture(&f);
}

GK_TEST(daemon_pieces, what_nobody_reads_is_not_made)
{
	struct fixture f;
	char *at;

	open_fixture(&f);
	at = f.text;
	ask(&f, "{\"cmd\":\"many\"}\n");
	turn(&f, 1000);
	assert_in_range(made, AT_ONCE, PIECES_OWED * AT_ONCE);
	assert_int_equal(ended, 0);
	read_lines(&f, 1);
	assert_numbers(next_line(&at), MANY);
	close_fixture(&f);
}

GK_TEST(daemon_pieces, what_is_asked_and_said_meanwhile_comes_behind)
{
	struct fixture f;
	json_t *o;
	char *at;

	open_fixture(&f);
	at = f.text;
	ask(&f, "{\"cmd\":\"subscribe\",\"args\":[\"news\"]}\n"
	        "{\"cmd\":\"many\"}\n"
	        "{\"cmd\":\"echo\",\"args\":[\"later\"]}\n");
	turn(&f, 100);
	assert_in_range(made, AT_ONCE, PIECES_OWED * AT_ONCE);
	gkd_control_publish(control, "news", json_pack("{s:i}", "n", 7));
	read_lines(&f, 4);
	json_decref(next_line(&at));
	assert_numbers(next_line(&at), MANY);
	o = next_line(&at);
	assert_int_equal(json_integer_value(json_object_get(o, "n")), 7);
	json_decref(o);
	o = next_line(&at);
	assert_string_equal(json_string_value(json_object_get(o, "result")),
	                    "later");
	json_decref(o);
	close_fixture(&f);
}

/* As "echo ... | nc -U -N" does. */
GK_TEST(daemon_pieces, who_only_reads_on_gets_all_of_it)
{
	struct fixture f;
	char *at, octet;

	open_fixture(&f);
	at = f.text;
	ask(&f, "{\"cmd\":\"many\"}\n{\"cmd\":\"none\"}\n");
	assert_int_equal(shutdown(f.fd, SHUT_WR), 0);
	read_lines(&f, 2);
	assert_numbers(next_line(&at), MANY);
	assert_numbers(next_line(&at), 0);
	while (read(f.fd, &octet, 1) != 0)
		turn(&f, 1);
	close_fixture(&f);
}

/* All is made, and not all of it has been taken. */
GK_TEST(daemon_pieces, who_only_reads_on_at_the_end_gets_all_of_it)
{
	struct fixture f;
	ssize_t got = 0;
	char *at;

	open_fixture(&f);
	at = f.text;
	ask(&f, "{\"cmd\":\"many\"}\n");
	while (made < MANY) {
		turn(&f, 1);
		got = read(f.fd, f.text + f.n, 4096);
		f.n += got > 0 ? (size_t)got : 0;
	}
	assert_int_equal(shutdown(f.fd, SHUT_WR), 0);
	turn(&f, 100);
	while ((got = read(f.fd, f.text + f.n, f.cap - 1 - f.n)) != 0) {
		f.n += got > 0 ? (size_t)got : 0;
		turn(&f, 1);
	}
	f.text[f.n] = '\0';
	assert_numbers(next_line(&at), MANY);
	close_fixture(&f);
}

GK_TEST(daemon_pieces, who_goes_in_the_middle_leaves_nothing_behind)
{
	struct fixture f;

	open_fixture(&f);
	ask(&f, "{\"cmd\":\"many\"}\n");
	turn(&f, 10);
	assert_int_equal(ended, 0);
	close(f.fd);
	f.fd = -1;
	for (unsigned i = 0; i < 10000 && ended == 0; i++)
		turn(&f, 1);
	assert_int_equal(ended, 1);
	assert_true(made < MANY);
	close_fixture(&f);
}

/* The daemon ends while somebody reads. */
GK_TEST(daemon_pieces, an_end_in_the_middle_leaves_nothing_behind)
{
	struct fixture f;

	open_fixture(&f);
	ask(&f, "{\"cmd\":\"many\"}\n");
	turn(&f, 10);
	assert_int_equal(ended, 0);
	close_fixture(&f);
	assert_int_equal(ended, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_pieces, a_long_list_is_one_line),
		GK_RUN(daemon_pieces, what_nobody_reads_is_not_made),
		GK_RUN(daemon_pieces,
		       what_is_asked_and_said_meanwhile_comes_behind),
		GK_RUN(daemon_pieces, who_only_reads_on_gets_all_of_it),
		GK_RUN(daemon_pieces,
		       who_only_reads_on_at_the_end_gets_all_of_it),
		GK_RUN(daemon_pieces,
		       who_goes_in_the_middle_leaves_nothing_behind),
		GK_RUN(daemon_pieces,
		       an_end_in_the_middle_leaves_nothing_behind),
	};
	int failed;

	/* As the daemons do. */
	signal(SIGPIPE, SIG_IGN);
	if (!gk_folder_make(dir))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/socket", dir);
	failed = cmocka_run_group_tests_name("common/daemon/pieces", tests,
	                                     NULL, NULL);
	rmdir(dir);
	return failed;
}
