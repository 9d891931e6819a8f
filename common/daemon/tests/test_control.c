/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon/gkd_control.h"
#include "common/daemon/gkd_counters.h"
#include "common/daemon/gkd_events.h"
#include "common/daemon/gkd_keylog.h"
#include "common/daemon/gkd_privilege.h"
#include "common/test/gk_folder.h"

#define BOUND_MS 60000

static char dir[GK_FOLDER_MAX];
static char path[GK_FOLDER_MAX + 8];

static json_t *
cmd_echo(void *state, const json_t *request, char why[256])
{
	const char *arg = gkd_control_arg(request, 0);

	(void)state;
	if (arg == NULL) {
		snprintf(why, 256, "echo wants a word");
		return NULL;
	}
	return json_string(arg);
}

static json_t *
cmd_long(void *state, const json_t *request, char why[256])
{
	json_t *list = json_array();

	(void)state;
	(void)request;
	(void)why;
	for (int i = 0; i < 200000; i++)
		json_array_append_new(list, json_string("member"));
	return list;
}

static struct gkd_control *flooded;

/* More than a connection may owe, to whoever follows the numbers. */
static json_t *
cmd_flood(void *state, const json_t *request, char why[256])
{
	static char big[60000];

	(void)state;
	(void)request;
	(void)why;
	memset(big, 'x', sizeof(big) - 1);
	for (int i = 0; i < 25; i++)
		gkd_control_publish(flooded, "numbers",
		                    json_pack("{s:s}", "n", big));
	return json_object();
}

static const struct gkd_command commands[] = {
	{ "flood", NULL, "publish a lot", cmd_flood },
	{ "long", NULL, "two million octets", cmd_long },
	{ "echo", "WORD", "say it again", cmd_echo },
	{ NULL, NULL, NULL, NULL },
};

static json_t *
first(void *state, const json_t *request)
{
	(void)state;
	(void)request;
	return json_pack("[{s:i}, {s:i}]", "n", 1, "n", 2);
}

struct fixture {
	struct gkd_loop *loop;
	struct gkd_control *control;
	int fd;
	char text[65536];
	size_t n;
};

static void
open_fixture(struct fixture *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	*f = (struct fixture){ .loop = gkd_loop_new() };
	gk_assert_ok(
		gkd_control_open(&f->control, f->loop, path, commands, NULL));
	gk_assert_ok(gkd_control_stream(f->control, "numbers", first, NULL));
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	strcpy(un.sun_path, path);
	assert_int_equal(connect(f->fd, (struct sockaddr *)&un, sizeof(un)), 0);
}

static void
close_fixture(struct fixture *f)
{
	close(f->fd);
	gkd_control_close(f->control);
	gkd_loop_free(f->loop);
	assert_int_equal(access(path, F_OK), -1);
}

static void
ask(struct fixture *f, const char *text)
{
	assert_int_equal(send(f->fd, text, strlen(text), MSG_NOSIGNAL),
	                 strlen(text));
}

/* The next line, without newline; the loop turns until it is there. */
static const char *
line(struct fixture *f)
{
	static char out[65536];
	uint64_t end = gkd_now().mono_ms + BOUND_MS;

	while (gkd_now().mono_ms < end) {
		char *nl = memchr(f->text, '\n', f->n);
		ssize_t got;

		if (nl != NULL) {
			size_t n = (size_t)(nl - f->text);

			memcpy(out, f->text, n);
			out[n] = '\0';
			f->n -= n + 1;
			memmove(f->text, nl + 1, f->n);
			return out;
		}
		gk_assert_ok(gkd_loop_once(f->loop, false));
		got = recv(f->fd, f->text + f->n, sizeof(f->text) - f->n, 0);
		if (got == 0)
			return "closed";
		if (got > 0)
			f->n += (size_t)got;
	}
	return "timeout";
}

GK_TEST(daemon_control, requests_get_their_answers_in_order)
{
	struct fixture f;

	open_fixture(&f);
	ask(&f, "{\"cmd\":\"echo\",\"args\":[\"hi\"]}\n{\"cmd\":\"echo\"}\n");
	assert_string_equal(line(&f), "{\"ok\":true,\"result\":\"hi\"}");
	assert_string_equal(line(&f),
	                    "{\"ok\":false,\"error\":\"echo wants a word\"}");
	ask(&f, "{\"cmd\":\"help\"}\n");
	assert_non_null(strstr(line(&f), "say it again"));
	close_fixture(&f);
}

GK_TEST(daemon_control, garbage_is_answered_and_changes_nothing)
{
	static const char *const bad[] = {
		"x\n",
		"[]\n",
		"{}\n",
		"{\"cmd\":1}\n",
		"{\"cmd\":\"nope\"}\n",
		"{\"cmd\":\"echo\",\"args\":\"x\"}\n",
		"{\"cmd\":\"echo\",\"args\":[1]}\n",
		"{\"cmd\":\"subscribe\",\"args\":[\"none\"]}\n",
		"{\"cmd\":\"echo\",\"cmd\":\"echo\"}\n",
		"\xff\xfe\n",
	};
	struct fixture f;

	open_fixture(&f);
	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		ask(&f, bad[i]);
		assert_non_null(strstr(line(&f), "\"ok\":false"));
	}
	close_fixture(&f);
}

GK_TEST(daemon_control, an_endless_request_is_cut_off)
{
	struct fixture f;
	static char junk[4096];
	const char *end = NULL;

	open_fixture(&f);
	memset(junk, 'x', sizeof(junk));
	for (int i = 0; i < 64 && end == NULL; i++) {
		if (send(f.fd, junk, sizeof(junk), MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			end = "closed";
		gk_assert_ok(gkd_loop_once(f.loop, false));
	}
	if (end == NULL)
		end = line(&f);
	assert_string_equal(end, "closed");
	close_fixture(&f);
}

GK_TEST(daemon_control, a_subscriber_gets_the_state_and_then_the_changes)
{
	struct fixture f;

	open_fixture(&f);
	gkd_control_publish(f.control, "numbers", json_pack("{s:i}", "n", 0));
	assert_false(gkd_control_followed(f.control, "numbers"));
	ask(&f, "{\"cmd\":\"subscribe\",\"args\":[\"numbers\"]}\n");
	assert_string_equal(line(&f), "{\"ok\":true,\"result\":{}}");
	assert_string_equal(line(&f), "{\"n\":1}");
	assert_string_equal(line(&f), "{\"n\":2}");
	assert_true(gkd_control_followed(f.control, "numbers"));
	gkd_control_publish(f.control, "numbers", json_pack("{s:i}", "n", 3));
	gkd_control_publish_line(f.control, "numbers", "{\"n\":4}");
	assert_string_equal(line(&f), "{\"n\":3}");
	assert_string_equal(line(&f), "{\"n\":4}");
	/* A letter that arrives after the socket is gone is harmless. */
	gkd_control_publish_line(f.control, "numbers", "{\"n\":5}");
	close_fixture(&f);
}

GK_TEST(daemon_control, lines_that_nobody_follows_take_no_memory)
{
	static char text[10000];
	struct fixture f;
	size_t before;

	memset(text, 'x', sizeof(text) - 1);
	open_fixture(&f);
	/* The loop does not run meanwhile: a flood at the workers. */
	before = mallinfo2().uordblks;
	for (int i = 0; i < 1000; i++)
		gkd_control_publish_line(f.control, "numbers", text);
	assert_true(mallinfo2().uordblks < before + 1000000);
	/* with a follower there is a limit, and no hole in the stream */
	ask(&f, "{\"cmd\":\"subscribe\",\"args\":[\"numbers\"]}\n");
	assert_string_equal(line(&f), "{\"ok\":true,\"result\":{}}");
	assert_string_equal(line(&f), "{\"n\":1}");
	assert_string_equal(line(&f), "{\"n\":2}");
	before = mallinfo2().uordblks;
	for (int i = 0; i < 1000; i++)
		gkd_control_publish_line(f.control, "numbers", text);
	assert_true(mallinfo2().uordblks <
	            before + GKD_CONTROL_WAITING + 1000000);
	close_fixture(&f);
}

GK_TEST(daemon_control, a_long_answer_arrives_whole)
{
	uint64_t end = gkd_now().mono_ms + BOUND_MS;
	struct fixture f;
	size_t total = 0;
	char last = 0;

	open_fixture(&f);
	ask(&f, "{\"cmd\":\"long\"}\n");
	while (last != '\n' && gkd_now().mono_ms < end) {
		ssize_t got;

		gk_assert_ok(gkd_loop_once(f.loop, false));
		got = recv(f.fd, f.text, sizeof(f.text), 0);
		assert_int_not_equal(got, 0);
		if (got > 0) {
			total += (size_t)got;
			last = f.text[got - 1];
		}
	}
	/* {"ok":true,"result":[ "member" ... ]} and a newline */
	assert_int_equal(total, 21 + (200000 * 9 - 1) + 2 + 1);
	close_fixture(&f);
}

GK_TEST(daemon_control, a_subscriber_that_floods_itself_is_closed)
{
	struct fixture f;
	const char *text;

	open_fixture(&f);
	flooded = f.control;
	ask(&f, "{\"cmd\":\"subscribe\",\"args\":[\"numbers\"]}\n");
	assert_string_equal(line(&f), "{\"ok\":true,\"result\":{}}");
	ask(&f, "{\"cmd\":\"flood\"}\n{\"cmd\":\"help\"}\n");
	while (strcmp(text = line(&f), "closed") != 0)
		assert_null(strstr(text, "command")); /* no answer any more */
	close_fixture(&f);
}

GK_TEST(daemon_control, the_socket_is_private_and_not_stolen_from_the_living)
{
	struct gkd_control *second;
	struct fixture f;
	struct stat st;
	int stale;
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	open_fixture(&f);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	gk_assert_err(GK_ERR_IO,
	              gkd_control_open(&second, f.loop, path, commands, NULL));
	assert_int_equal(errno, EADDRINUSE);
	close_fixture(&f);

	/* What a killed daemon left behind is replaced. */
	strcpy(un.sun_path, path);
	stale = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(stale, (struct sockaddr *)&un, sizeof(un)), 0);
	close(stale);
	open_fixture(&f);
	close_fixture(&f);
}

/* The numbers "n" of the events in a file, which must go up one by one. */
static void
count_up(const char *file, long *next, json_int_t *lost)
{
	struct gk_buf octets;
	char *line, *rest = NULL;

	gk_assert_ok(gkd_file_read(file, 4096, &octets));
	octets.ptr[octets.len - 1] = '\0';
	line = strtok_r((char *)octets.ptr, "\n", &rest);
	for (; line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		json_t *o = json_loads(line, 0, NULL);
		const json_t *n = json_object_get(o, "n");

		assert_non_null(o);
		if (n == NULL)
			*lost = json_integer_value(
				json_object_get(o, "octets_lost"));
		else if (*next < 0)
			*next = (long)json_integer_value(n) + 1;
		else
			assert_int_equal(json_integer_value(n), (*next)++);
		json_decref(o);
	}
	gk_buf_free(&octets);
}

GK_TEST(daemon_events, file_has_an_end_and_says_what_is_lost)
{
	struct gkd_events *events;
	char file[GK_FOLDER_MAX + 8], old[GK_FOLDER_MAX + 10];
	json_int_t lost = -1;
	long next = -1;

	snprintf(file, sizeof(file), "%s/flood", dir);
	snprintf(old, sizeof(old), "%s.1", file);
	/* What was there before counts, too. */
	for (int run = 0; run < 2; run++) {
		gk_assert_ok(gkd_events_open(&events, file));
		gkd_events_limit(events, 4096);
		for (int i = 0; i < 150; i++)
			gkd_events_emit(events, "refused",
			                json_pack("{s:i}", "n", run * 150 + i));
		gkd_events_close(events);
	}
	count_up(old, &next, &lost);
	count_up(file, &next, &lost);
	assert_int_equal(next, 300);
	assert_true(lost > 3000 && lost <= 4096);
	unlink(file);
	unlink(old);
}

static bool listening;

static bool
is_listening(void *arg)
{
	(void)arg;
	return listening;
}

static void
no_line(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

GK_TEST(daemon_events, nobody_wants_them_without_file_and_listener)
{
	struct gkd_events *events;
	char file[GK_FOLDER_MAX + 16];

	gk_assert_ok(gkd_events_open(&events, NULL));
	assert_false(gkd_events_wanted(events));
	gkd_events_tap(events, no_line, NULL, NULL);
	assert_true(gkd_events_wanted(events));
	gkd_events_tap(events, no_line, is_listening, NULL);
	listening = false;
	assert_false(gkd_events_wanted(events));
	listening = true;
	assert_true(gkd_events_wanted(events));
	gkd_events_close(events);
	snprintf(file, sizeof(file), "%s/events", dir);
	gk_assert_ok(gkd_events_open(&events, file));
	assert_true(gkd_events_wanted(events));
	gkd_events_close(events);
	unlink(file);
}

static void
ask_again(void *arg, const char *text)
{
	(void)text;
	assert_true(gkd_events_wanted(arg));
	listening = false;
	assert_false(gkd_events_wanted(arg));
}

/* Whoever reads the events may let the writer wait for a second. */
GK_TEST(daemon_events, who_asks_does_not_wait_for_who_writes)
{
	struct gkd_events *events;

	gk_assert_ok(gkd_events_open(&events, NULL));
	gkd_events_tap(events, ask_again, is_listening, events);
	listening = true;
	gkd_events_emit(events, "joined", NULL);
	assert_false(listening);
	gkd_events_tap(events, NULL, NULL, NULL);
	assert_false(gkd_events_wanted(events));
	gkd_events_close(events);
}

GK_TEST(daemon_events, lines_are_objects_with_time_and_fields)
{
	struct gkd_events *events;
	char file[GK_FOLDER_MAX + 16];
	struct gk_buf octets;
	json_t *object;

	snprintf(file, sizeof(file), "%s/events", dir);
	gk_assert_ok(gkd_events_open(&events, file));
	gkd_events_emit(events, "joined",
	                json_pack("{s:s, s:s}", "group", "g", "event", "x"));
	gkd_events_close(events);
	assert_int_equal(gkd_file_read(file, 4096, &octets), GK_OK);
	object = json_loadb((const char *)octets.ptr, octets.len, 0, NULL);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "event")),
	                    "joined"); /* a field does not rename the event */
	assert_string_equal(json_string_value(json_object_get(object, "group")),
	                    "g");
	assert_int_equal(
		strlen(json_string_value(json_object_get(object, "t"))), 24);
	assert_true(json_is_integer(json_object_get(object, "mono_ms")));
	json_decref(object);
	gk_buf_free(&octets);
	unlink(file);
	snprintf(file, sizeof(file), "%s/events.1", dir);
	unlink(file);
	gk_assert_err(GK_ERR_IO, gkd_events_open(&events, "/no/such/place"));
	object = gkd_json_text("Zo\xc3\xab\xff\n\xe2\x82");
	assert_string_equal(json_string_value(object),
	                    "Zo\xc3\xab\\xff\\u000a\\xe2\\x82");
	json_decref(object);
}

GK_TEST(daemon_events, a_reader_that_sleeps_does_not_stop_the_daemon)
{
	struct gkd_events *events;
	char number[12];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	snprintf(number, sizeof(number), "%d", ends[1]);
	gk_assert_ok(gkd_events_open(&events, number));
	/* Far more than a pipe holds. */
	for (int i = 0; i < 5000; i++)
		gkd_events_emit(events, "tick", NULL);
	gkd_events_close(events);
	close(ends[0]);
	close(ends[1]);
}

GK_TEST(daemon_keylog, lines_are_appended_to_a_private_file)
{
	struct gkd_keylog *keylog;
	char file[GK_FOLDER_MAX + 16];
	struct gk_buf octets;
	struct stat st;

	snprintf(file, sizeof(file), "%s/keys", dir);
	gk_assert_ok(gkd_keylog_open(&keylog, file));
	gkd_keylog_write(keylog, "GSAKMP_KEY %s", "00ff");
	gkd_keylog_write(NULL, "nowhere");
	gkd_keylog_close(keylog);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	gk_assert_ok(gkd_file_read(file, 4096, &octets));
	assert_true(gk_slice_equal(gk_buf_slice(&octets),
	                           gk_slice_str("GSAKMP_KEY 00ff\n")));
	gk_buf_free(&octets);
	/* also when it was there before, for all to read */
	assert_int_equal(chmod(file, 0644), 0);
	gk_assert_ok(gkd_keylog_open(&keylog, file));
	gkd_keylog_close(keylog);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(file);
}

GK_TEST(daemon_counters, refusals_are_counted_by_requirement_and_remembered)
{
	struct gkd_counters *c = gkd_counters_new();
	struct gkd_refusal refusal = { .req = "RFC4535-7.8.2-02",
		                       .field = "Signature Length",
		                       .offset = 41,
		                       .reason = "too long" };
	char name[16];
	json_t *list;

	for (int i = 0; i < GKD_REFUSALS + 3; i++) {
		refusal.offset = (size_t)i;
		gkd_counters_refuse(c, &refusal);
	}
	assert_int_equal(gkd_counters_get(c, "RFC4535-7.8.2-02"),
	                 GKD_REFUSALS + 3);
	list = gkd_counters_refusals(c);
	assert_int_equal(json_array_size(list), GKD_REFUSALS);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(list, 0), "offset")),
	                 GKD_REFUSALS + 2);
	json_decref(list);
	/* Names cannot be made up without end. */
	for (int i = 0; i < GKD_COUNTERS_MAX + 10; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		gkd_counters_add(c, name, 1);
	}
	list = gkd_counters_json(c);
	assert_int_equal(json_object_size(list), GKD_COUNTERS_MAX);
	json_decref(list);
	assert_true(gkd_counters_get(c, "other") > 0);
	gkd_counters_free(c);
}

/* How a child ends that tries @action inside the sandbox. */
static int
in_sandbox(void (*action)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct gkd_why why;

		if (gkd_privilege_limit(256, &why) != GK_OK ||
		    gkd_sandbox_enter(NULL, &why) != GK_OK)
			_exit(99);
		action();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
try_honest_work(void)
{
	char file[GK_FOLDER_MAX + 16];

	/* What a daemon does all day. */
	snprintf(file, sizeof(file), "%s/work", dir);
	if (gkd_file_write(file, 0600, gk_slice_str("x")) != GK_OK ||
	    unlink(file) != 0 || gkd_now().mono_ms == 0 ||
	    socket(AF_INET, SOCK_DGRAM, 0) < 0)
		_exit(1);
}

static void
try_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	_exit(1);
}

static void
try_chroot(void)
{
	_exit(chroot("/") != 0 && errno == EPERM ? 42 : 1);
}

GK_TEST(daemon_sandbox, bites)
{
	int status = in_sandbox(try_program);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	status = in_sandbox(try_chroot);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	status = in_sandbox(try_honest_work);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_control, requests_get_their_answers_in_order),
		GK_RUN(daemon_control, garbage_is_answered_and_changes_nothing),
		GK_RUN(daemon_control, an_endless_request_is_cut_off),
		GK_RUN(daemon_control,
		       a_subscriber_gets_the_state_and_then_the_changes),
		GK_RUN(daemon_control,
		       lines_that_nobody_follows_take_no_memory),
		GK_RUN(daemon_control, a_long_answer_arrives_whole),
		GK_RUN(daemon_control,
		       a_subscriber_that_floods_itself_is_closed),
		GK_RUN(daemon_control,
		       the_socket_is_private_and_not_stolen_from_the_living),
		GK_RUN(daemon_events, file_has_an_end_and_says_what_is_lost),
		GK_RUN(daemon_events,
		       nobody_wants_them_without_file_and_listener),
		GK_RUN(daemon_events, who_asks_does_not_wait_for_who_writes),
		GK_RUN(daemon_events, lines_are_objects_with_time_and_fields),
		GK_RUN(daemon_events,
		       a_reader_that_sleeps_does_not_stop_the_daemon),
		GK_RUN(daemon_keylog, lines_are_appended_to_a_private_file),
		GK_RUN(daemon_counters,
		       refusals_are_counted_by_requirement_and_remembered),
		GK_RUN(daemon_sandbox, bites),
	};
	int rc;

	if (!gk_folder_make(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/control", dir);
	rc = cmocka_run_group_tests_name("common/daemon/control", tests, NULL,
	                                 NULL);
	rmdir(dir);
	return rc;
}
