/* SPDX-License-Identifier: BSD-2-Clause */
/* msec-ctl: a person's end of the control socket of every daemon. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/gk_check.h"
#include "common/base/gk_text.h"

#define COLUMN_MAX 48
#define LINE_MAX_OCTETS 160 /* of a table; wider: a block for each row */

enum {
	EXIT_CTL_FAILED = 1, /* the daemon said no */
	EXIT_CTL_USAGE = 2,
	EXIT_CTL_NETWORK = 5, /* nobody there */
};

static void
usage(FILE *to)
{
	fputs("usage: msec-ctl [--json] [--timeout SECONDS] [--message TEXT] "
	      "SOCKET COMMAND [ARG]...\n\n"
	      "Talks to the control socket of an MSEC daemon.  'help' lists "
	      "what the daemon\n"
	      "there can do.  Common to all daemons:\n\n"
	      "  status            what it is doing\n"
	      "  counters          messages, and refusals by requirement id\n"
	      "  refusals          the last refusals with their reasons\n"
	      "  events            follow the events, one JSON object per line\n"
	      "  subscribe STREAM  follow another stream (a member's keys)\n"
	      "  keylog            where keys are logged to in clear, if anywhere\n"
	      "  reload            read certificates and CRLs again\n"
	      "  stop              end the daemon\n\n"
	      "  -j, --json             the answer as JSON\n"
	      "  -t, --timeout SECONDS  wait so long for the answer (30)\n"
	      "  -m, --message TEXT     why, for daemons that write it down\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          name and version\n\n"
	      "Exit status: 0 done, 1 the daemon refused, 2 usage, 5 nobody "
	      "listens.\n",
	      to);
}

/* ---- text ---------------------------------------------------------------- */

/* Nothing that came over a network may drive the terminal, whichever daemon passes
 * it on; the caller frees. */
static char *
visible(const char *text)
{
	return text != NULL ? gk_visible_new(gk_slice_str(text)) : NULL;
}

static void
put_text(FILE *to, const char *text)
{
	char *shown = visible(text);

	fputs(shown != NULL ? shown : "?", to);
	free(shown);
}

/* JSON, in as many lines as it has. */
static void
put_lines(FILE *to, const char *text)
{
	char *shown = gk_visible_lines(gk_slice_str(text));

	if (shown != NULL)
		fputs(shown, to);
	free(shown);
}

/* The values of a list, with commas; the caller frees. */
static char *
list_text(const json_t *list)
{
	size_t cap = 1, n = 0;
	json_t *value;
	char *text;
	size_t i;

	json_array_foreach(list, i, value) cap +=
		strlen(json_string_value(value)) + 2;
	text = malloc(cap);
	if (text == NULL)
		return NULL;
	text[0] = '\0';
	json_array_foreach(list, i, value) n +=
		(size_t)snprintf(text + n, cap - n, "%s%s", i != 0 ? ", " : "",
	                         json_string_value(value));
	return text;
}

static bool
is_list(const json_t *value)
{
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			return false;
	return json_array_size(value) > 0;
}

static char *
raw_text(const json_t *value)
{
	char *text = NULL;

	if (json_is_string(value))
		return strdup(json_string_value(value));
	/* Not every row has all. */
	if (value == NULL || json_is_null(value) ||
	    (json_is_array(value) && json_array_size(value) == 0) ||
	    (json_is_object(value) && json_object_size(value) == 0))
		return strdup("-");
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (is_list(value))
		return list_text(value);
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return text != NULL ? text : strdup("?");
}

/* One value on one line, as wide as it is shown; the caller frees. */
static char *
value_text(const json_t *value)
{
	char *text = raw_text(value), *shown = visible(text);

	free(text);
	return shown;
}

/* Whatever is in the next column begins two spaces further on, at least. */
static void
put_padded(const char *text, size_t width)
{
	size_t n = strlen(text);

	put_text(stdout, text);
	for (width = n > width ? n : width; n < width + 2; n++)
		fputc(' ', stdout);
}

static bool
is_table(const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!json_is_object(json_array_get(array, i)))
			return false;
	return json_array_size(array) > 0;
}

/* Has it lines of its own below its name? */
static bool
is_nested(const json_t *value)
{
	return json_is_array(value) ? is_table(value)
	                            : json_object_size(value) > 0;
}

static size_t
column_width(const json_t *array, const char *key)
{
	size_t width = strlen(key);

	for (size_t i = 0; i < json_array_size(array); i++) {
		char *text = value_text(
			json_object_get(json_array_get(array, i), key));

		if (text != NULL && strlen(text) > width)
			width = strlen(text);
		free(text);
	}
	return width < COLUMN_MAX ? width : COLUMN_MAX;
}

/* False: what is in there, or all that is in there, has no place in lines. */
static bool
fits(const json_t *array, const json_t *widths)
{
	const char *key;
	json_t *value;
	size_t sum = 0;
	json_int_t width = 0;

	for (size_t i = 0; i < json_array_size(array); i++)
		json_object_foreach(json_array_get(array, i), key,
		                    value) if (is_nested(value)) return false;
	json_object_foreach((json_t *)(uintptr_t)widths, key, value)
	{
		sum += (size_t)width; /* the last one may run on */
		width = json_integer_value(value) + 2;
	}
	return sum <= LINE_MAX_OCTETS;
}

static void
put_row(const json_t *row, json_t *widths, const char *indent)
{
	void *at = json_object_iter(widths);

	fputs(indent, stdout);
	while (at != NULL) {
		const char *key = json_object_iter_key(at);
		json_t *width = json_object_iter_value(at);
		char *text = row == NULL
		                     ? strdup(key)
		                     : value_text(json_object_get(row, key));

		at = json_object_iter_next(widths, at);
		if (text != NULL && at != NULL)
			put_padded(text, (size_t)json_integer_value(width));
		else if (text != NULL)
			put_text(stdout, text);
		free(text);
	}
	fputc('\n', stdout);
}

static void put_object(json_t *object, const char *indent);

static void
add_column(json_t *widths, const json_t *array, const char *key)
{
	if (json_object_get(widths, key) == NULL)
		json_object_set_new(
			widths, key,
			json_integer((json_int_t)column_width(array, key)));
}

/* The columns are the members of the rows, as they come. */
static void
put_table(const json_t *array, const char *indent)
{
	json_t *widths = json_object(), *cell;
	const char *key;
	bool lines;

	for (size_t i = 0; i < json_array_size(array); i++)
		json_object_foreach(json_array_get(array, i), key, cell)
			add_column(widths, array, key);
	lines = fits(array, widths);
	if (lines)
		put_row(NULL, widths, indent);
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (lines) {
			put_row(json_array_get(array, i), widths, indent);
			continue;
		}
		if (i != 0)
			fputc('\n', stdout);
		put_object(json_array_get(array, i), indent);
	}
	json_decref(widths);
}

static void
put_object(json_t *object, const char *indent)
{
	const char *key;
	json_t *value;
	size_t width = 0;
	char deeper[32];

	snprintf(deeper, sizeof(deeper), "%.20s  ", indent);
	json_object_foreach(object, key, value) if (strlen(key) > width) width =
		strlen(key);
	json_object_foreach(object, key, value)
	{
		char *text;

		fputs(indent, stdout);
		if (is_nested(value)) {
			put_text(stdout, key);
			fputc('\n', stdout);
			if (json_is_array(value))
				put_table(value, deeper);
			else
				put_object(value, deeper);
			continue;
		}
		put_padded(key, width);
		text = value_text(value);
		if (text != NULL)
			put_text(stdout, text);
		free(text);
		fputc('\n', stdout);
	}
}

static void
put_result(json_t *result)
{
	if (json_is_array(result) && is_table(result)) {
		put_table(result, "");
	} else if (json_is_object(result)) {
		if (json_object_size(result) == 0)
			puts("done");
		put_object(result, "");
	} else if (json_is_array(result) && json_array_size(result) == 0) {
		puts("none");
	} else {
		char *text = value_text(result);

		if (text != NULL)
			put_text(stdout, text);
		free(text);
		fputc('\n', stdout);
	}
}

/* ---- the socket ---------------------------------------------------------- */

static int
dial(const char *path, unsigned timeout)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = (time_t)timeout };
	int fd;

	if (strlen(path) >= sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(un.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* Who is at the keyboard: nobody checks it, but it helps the memory. */
static const char *
operator_name(void)
{
	const char *name = getenv("SUDO_USER");
	const struct passwd *pw;

	if (name != NULL && *name != '\0')
		return name;
	pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_name : NULL;
}

static json_t *
make_request(char **words, int n, const char *message, bool *stream)
{
	json_t *args = json_array();
	const char *cmd = words[0];

	*stream = false;
	for (int i = 1; i < n; i++)
		json_array_append_new(args, json_string(words[i]));
	/* A word for what people follow most. */
	if (strcmp(cmd, "events") == 0) {
		json_array_clear(args);
		json_array_append_new(args, json_string("events"));
		cmd = "subscribe";
	}
	*stream = strcmp(cmd, "subscribe") == 0;
	return json_pack("{s:s, s:o, s:s*, s:s*}", "cmd", cmd, "args", args,
	                 "operator", operator_name(), "message", message);
}

static int
show_reply(const char *line, bool as_json)
{
	json_error_t error;
	json_t *reply = json_loads(line, 0, &error);
	json_t *result = json_object_get(reply, "result");
	const char *why = json_string_value(json_object_get(reply, "error"));
	int rc = EXIT_CTL_FAILED;

	if (as_json) {
		char *text = json_dumps(reply, JSON_INDENT(2));

		if (text != NULL)
			put_lines(stdout, text);
		fputc('\n', stdout);
		free(text);
	}
	if (json_is_true(json_object_get(reply, "ok"))) {
		rc = 0;
		if (!as_json)
			put_result(result);
	} else if (!as_json) {
		fputs("msec-ctl: ", stderr);
		put_text(stderr, why != NULL ? why : "not an answer");
		fputc('\n', stderr);
	}
	json_decref(reply);
	return rc;
}

static int
follow(FILE *in)
{
	struct timeval never = { 0 };
	char *line = NULL;
	size_t cap = 0;

	(void)setsockopt(fileno(in), SOL_SOCKET, SO_RCVTIMEO, &never,
	                 sizeof(never));
	while (getline(&line, &cap, in) > 0) {
		put_lines(stdout, line);
		fflush(stdout);
	}
	free(line);
	return 0;
}

static int
talk(int fd, char **words, int n, const char *message, bool as_json)
{
	bool stream;
	json_t *request = make_request(words, n, message, &stream);
	char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
	FILE *io = fdopen(fd, "r+");
	bool asked;
	size_t cap = 0;
	int rc = EXIT_CTL_NETWORK;

	json_decref(request);
	asked = text != NULL && io != NULL && dprintf(fd, "%s\n", text) > 0;
	if (asked && getline(&line, &cap, io) > 0) {
		if (!stream || strstr(line, "\"ok\":true") == NULL)
			rc = show_reply(line, as_json);
		else
			rc = follow(io);
	} else {
		fprintf(stderr, "msec-ctl: no answer: %s\n",
		        asked && feof(io) ? "the daemon hung up"
		                          : strerror(errno));
	}
	free(line);
	free(text);
	if (io != NULL)
		fclose(io);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "timeout", required_argument, NULL, 't' },
		{ "message", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long timeout = 30;
	const char *message = NULL;
	bool as_json = false;
	char *end;
	int c, fd;

	gk_checks_say("msec-ctl");
	while ((c = getopt_long(argc, argv, "jt:m:hV", longs, NULL)) != -1) {
		switch (c) {
		case 'j':
			as_json = true;
			break;
		case 't':
			timeout = strtoul(optarg, &end, 10);
			if (*optarg != '\0' && *end == '\0' && timeout > 0 &&
			    timeout < 86400)
				break;
			fprintf(stderr, "msec-ctl: '%s' is no timeout\n",
			        optarg);
			return EXIT_CTL_USAGE;
		case 'm':
			message = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			printf("msec-ctl (%s) %s\n", PACKAGE_NAME,
			       PACKAGE_VERSION);
			return 0;
		default:
			usage(stderr);
			return EXIT_CTL_USAGE;
		}
	}
	if (argc - optind < 2) {
		usage(stderr);
		return EXIT_CTL_USAGE;
	}
	fd = dial(argv[optind], (unsigned)timeout);
	if (fd < 0) {
		fprintf(stderr, "msec-ctl: %s: %s\n", argv[optind],
		        strerror(errno));
		return EXIT_CTL_NETWORK;
	}
	return talk(fd, argv + optind + 1, argc - optind - 1, message, as_json);
}
