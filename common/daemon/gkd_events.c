/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/gk_text.h"
#include "common/daemon/gkd_log.h"

#define PATIENCE_MS 1000

struct gkd_events {
	int fd;  /* -1: subscribers only */
	int old; /* the file before, "FILE.1"; -1: @fd is not limited */
	uint64_t size, limit; /* octets in @fd, and how many may be */
	bool failed;
	pthread_mutex_t lock;
	void (*tap)(void *arg, const char *text);
	/* Read without the lock, which all threads would have to pass for each
	 * message: NULL, there is no tap. */
	bool (*_Atomic tap_wanted)(void *arg);
	void *tap_arg;
};

static bool
is_number(const char *text)
{
	return *text != '\0' && strspn(text, "0123456789") == strlen(text) &&
	       strlen(text) < 6;
}

static enum gk_err
open_old(struct gkd_events *ev, const char *path)
{
	char name[PATH_MAX];
	struct stat st;

	if (fstat(ev->fd, &st) != 0)
		return GK_ERR_IO;
	if (!S_ISREG(st.st_mode))
		return GK_OK; /* a terminal, a pipe: its reader's business */
	errno = ENAMETOOLONG;
	if (snprintf(name, sizeof(name), "%s.1", path) >= (int)sizeof(name))
		return GK_ERR_IO;
	/* Now: later there is neither the right nor, perhaps, the path. */
	ev->old = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	ev->size = (uint64_t)st.st_size;
	return ev->old < 0 ? GK_ERR_IO : GK_OK;
}

static enum gk_err
open_target(struct gkd_events *ev, const char *target)
{
	/* A descriptor is duplicated: closing is then ours either way. */
	if (is_number(target)) {
		ev->fd = fcntl(atoi(target), F_DUPFD_CLOEXEC, 3);
		return ev->fd < 0 ? GK_ERR_IO : GK_OK;
	}
	ev->fd = open(target, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	return ev->fd < 0 ? GK_ERR_IO : open_old(ev, target);
}

enum gk_err
gkd_events_open(struct gkd_events **events, const char *target)
{
	struct gkd_events *ev = calloc(1, sizeof(*ev));

	if (ev == NULL)
		return GK_ERR_NOMEM;
	ev->fd = ev->old = -1;
	ev->limit = GKD_EVENTS_MAX;
	if (target != NULL && open_target(ev, target) != GK_OK) {
		int why = errno;

		if (ev->fd >= 0)
			close(ev->fd);
		free(ev);
		errno = why;
		return GK_ERR_IO;
	}
	pthread_mutex_init(&ev->lock, NULL);
	*events = ev;
	return GK_OK;
}

void
gkd_events_close(struct gkd_events *events)
{
	if (events == NULL)
		return;
	if (events->fd >= 0)
		close(events->fd);
	if (events->old >= 0)
		close(events->old);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

void
gkd_events_limit(struct gkd_events *events, uint64_t octets)
{
	pthread_mutex_lock(&events->lock);
	events->limit = octets;
	pthread_mutex_unlock(&events->lock);
}

static bool
always(void *arg)
{
	(void)arg;
	return true;
}

void
gkd_events_tap(struct gkd_events *events,
               void (*line)(void *arg, const char *text),
               bool (*wanted)(void *arg), void *arg)
{
	pthread_mutex_lock(&events->lock);
	events->tap = line;
	if (line != NULL) /* in place before anybody sees @wanted */
		events->tap_arg = arg;
	atomic_store(&events->tap_wanted, line == NULL     ? NULL
	                                  : wanted == NULL ? always
	                                                   : wanted);
	pthread_mutex_unlock(&events->lock);
}

bool
gkd_events_wanted(struct gkd_events *events)
{
	bool (*wanted)(void *arg) = atomic_load(&events->tap_wanted);

	return events->fd >= 0 || (wanted != NULL && wanted(events->tap_arg));
}

/* A reader at the other end of a pipe that has gone to sleep gets a second; the
 * daemon has others to serve. */
static bool
has_room(struct gkd_events *ev)
{
	struct pollfd p = { .fd = ev->fd, .events = POLLOUT };

	if (poll(&p, 1, ev->failed ? 0 : PATIENCE_MS) > 0)
		return true;
	errno = EAGAIN;
	return false;
}

static bool
copy_to_old(struct gkd_events *ev)
{
	static char block[1 << 16]; /* under the lock */
	off_t at = 0;
	ssize_t n;

	while ((n = pread(ev->fd, block, sizeof(block), at)) > 0) {
		if (pwrite(ev->old, block, (size_t)n, at) != n)
			return false;
		at += n;
	}
	return n == 0;
}

/*
 * The file is full: what is in it becomes FILE.1, what was in that is lost, and
 * the first line of the new file says how much.  The octets are copied, because
 * a daemon that has given up its rights can no longer rename.
 */
static void
rotate(struct gkd_events *ev)
{
	struct stat lost = { 0 };
	char line[120];

	(void)fstat(ev->old, &lost);
	if (ftruncate(ev->old, 0) != 0 || !copy_to_old(ev))
		gkd_log(LOG_ERR, "io", "event log: keeping the last file: %m");
	if (ftruncate(ev->fd, 0) != 0)
		return;
	snprintf(line, sizeof(line),
	         "{\"event\":\"events-rotated\",\"mono_ms\":%llu,"
	         "\"octets_lost\":%lld}\n",
	         (unsigned long long)gkd_now().mono_ms,
	         (long long)lost.st_size);
	ev->size = strlen(line);
	if (write(ev->fd, line, strlen(line)) != (ssize_t)strlen(line))
		ev->size = 0;
}

static void
write_line(struct gkd_events *ev, char *text, size_t n)
{
	struct iovec iov[2] = { { text, n }, { (char[]){ '\n' }, 1 } };

	if (ev->fd < 0)
		return;
	if (ev->old >= 0 && ev->limit != 0 && ev->size + n + 1 > ev->limit)
		rotate(ev);
	ev->size += n + 1;
	if (has_room(ev) && writev(ev->fd, iov, 2) == (ssize_t)n + 1) {
		ev->failed = false;
	} else if (!ev->failed) {
		/* Once: a full disk must not also fill the log. */
		ev->failed = true;
		gkd_log(LOG_ERR, "io", "event log: %m");
	}
}

static json_t *
event_head(const char *event)
{
	char t[40];
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(t, sizeof(t), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(t + n, sizeof(t) - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
	return json_pack("{s:s, s:I, s:s}", "t", t, "mono_ms",
	                 (json_int_t)gkd_now().mono_ms, "event", event);
}

void
gkd_events_emit(struct gkd_events *events, const char *event, json_t *fields)
{
	json_t *object;
	char *text = NULL;

	pthread_mutex_lock(&events->lock);
	object = event_head(event);
	if (object != NULL && fields != NULL)
		json_object_update_missing(object, fields);
	if (object != NULL)
		text = gkd_json_line(object);
	if (text != NULL) {
		write_line(events, text, strlen(text));
		if (events->tap != NULL)
			events->tap(events->tap_arg, text);
	}
	pthread_mutex_unlock(&events->lock);
	free(text);
	json_decref(object);
	json_decref(fields);
}

char *
gkd_json_line(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	char *shown;

	if (text == NULL || gk_is_visible(gk_slice_str(text)))
		return text;
	/* Only strings hold what is escaped, and in JSON's own way. */
	shown = gk_visible_new(gk_slice_str(text));
	gk_wipe(text, strlen(text));
	free(text);
	return shown;
}

json_t *
gkd_json_octets(struct gk_slice s)
{
	char *text = malloc(2 * s.len + 1);
	json_t *json = NULL;

	if (text != NULL)
		json = json_string(gk_hex(text, 2 * s.len + 1, s));
	gk_wipe(text, text != NULL ? 2 * s.len : 0);
	free(text);
	return json;
}

json_t *
gkd_json_text(const char *s)
{
	json_t *json = json_string(s);
	char *text;

	if (json != NULL)
		return json;
	/* One octet of a name, or one that is cut short, need not make all of
	 * it unreadable. */
	text = gk_visible_new(gk_slice_str(s));
	if (text == NULL)
		return NULL;
	json = json_string(text);
	free(text);
	return json;
}

json_t *
gkd_json_utc(int64_t utc_s)
{
	char text[40];
	time_t t = (time_t)utc_s;
	struct tm tm;

	if (utc_s == 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

json_t *
gkd_json_tree(const struct gk_lkh_size *size)
{
	if (size->trees == 0)
		return json_null();
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "trees",
		(json_int_t)size->trees, "height", (json_int_t)size->height,
		"seats", (json_int_t)size->seats, "taken",
		(json_int_t)size->members, "nodes", (json_int_t)size->nodes,
		"keys", (json_int_t)size->keys, "bypassed",
		(json_int_t)size->bypassed);
}
