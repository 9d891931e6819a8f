/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/gk_text.h"

#define TEXT_MAX 1024

static const char *const level_names[] = {
	[LOG_ERR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
	[LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

static struct {
	pthread_mutex_t lock;
	char program[32];
	enum gkd_log_target target;
	bool journal; /* what stderr is connected to */
	atomic_int level;
	time_t second; /* that hostile lines are counted in */
	unsigned in_second;
	uint64_t unreported; /* suppressed since the last report */
	uint64_t suppressed; /* ever */
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO };

/*
 * systemd names what it has connected stderr to, and reads "<N>" in front of a
 * line as its level (sd-daemon(3)).  A program that was started from such a
 * service has inherited the variable, and may have another stderr.
 */
static bool
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream != NULL &&
	       sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void
gkd_log_open(const char *program, enum gkd_log_target target, int level)
{
	pthread_mutex_lock(&state.lock);
	snprintf(state.program, sizeof(state.program), "%s", program);
	state.target = target;
	state.journal = is_journal(STDERR_FILENO);
	state.level = level;
	pthread_mutex_unlock(&state.lock);
	if (target == GKD_LOG_SYSLOG)
		openlog(state.program, LOG_PID, LOG_DAEMON);
}

int
gkd_log_level_parse(const char *text)
{
	for (int i = LOG_ERR; i <= LOG_DEBUG; i++)
		if (strcmp(level_names[i], text) == 0)
			return i;
	return -1;
}

bool
gkd_log_wanted(int level)
{
	return level <=
	       atomic_load_explicit(&state.level, memory_order_relaxed);
}

static void
put_line(int level, const char *text)
{
	char stamp[32];
	struct timespec now;
	struct tm tm;

	if (state.target == GKD_LOG_SYSLOG) {
		syslog(level, "%s", text);
		return;
	}
	if (state.journal) { /* which knows the time and the program */
		fprintf(stderr, "<%d>%s\n", level, text);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(stderr, "%s.%03ldZ %s %s: %s\n", stamp, now.tv_nsec / 1000000,
	        state.program, level_names[level], text);
}

/* True when the line may go out; reports what was held back before. */
static bool
admit_hostile(void)
{
	time_t second = time(NULL);
	char text[80];

	if (second != state.second) {
		state.second = second;
		state.in_second = 0;
		if (state.unreported != 0) {
			snprintf(text, sizeof(text),
			         "[wire] %llu further refusals not logged",
			         (unsigned long long)state.unreported);
			state.unreported = 0;
			put_line(LOG_NOTICE, text);
		}
	}
	if (state.in_second++ < GKD_LOG_HOSTILE)
		return true;
	state.unreported++;
	state.suppressed++;
	return false;
}

static void __attribute__((format(printf, 4, 0)))
vlog(int level, const char *topic, const struct gkd_about *about,
     const char *format, va_list ap)
{
	char text[TEXT_MAX], shown[6 * TEXT_MAX];
	size_t n;
	int saved = errno;

	if (level < LOG_ERR)
		level = LOG_ERR;
	if (level > LOG_DEBUG)
		level = LOG_DEBUG;
	/* Most lines are not wanted, and all threads have many of them. */
	if (!gkd_log_wanted(level))
		return;
	pthread_mutex_lock(&state.lock);
	if (about != NULL && about->hostile && !admit_hostile())
		goto out;
	n = (size_t)snprintf(text, sizeof(text), "[%s] ", topic);
	errno = saved; /* for %m */
	vsnprintf(text + n, sizeof(text) - n, format, ap);
	n = strlen(text);
	if (about != NULL) {
		const char *const key[] = { "group", "peer", "req" };
		const char *const value[] = { about->group, about->peer,
			                      about->req };

		for (size_t i = 0; i < 3 && n < sizeof(text); i++) {
			if (value[i] == NULL)
				continue;
			snprintf(text + n, sizeof(text) - n, " %s=%s", key[i],
			         value[i]);
			n = strlen(text);
		}
	}
	if (n == sizeof(text) - 1)
		gk_text_cut(text);
	/* What comes from the network must not drive a terminal or forge a
	 * line. */
	put_line(level, gk_visible(shown, sizeof(shown), gk_slice_str(text)));
out:
	pthread_mutex_unlock(&state.lock);
	errno = saved;
}

void
gkd_log(int level, const char *topic, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vlog(level, topic, NULL, format, ap);
	va_end(ap);
}

void
gkd_log_about(int level, const char *topic, const struct gkd_about *about,
              const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vlog(level, topic, about, format, ap);
	va_end(ap);
}

uint64_t
gkd_log_suppressed(void)
{
	uint64_t n;

	pthread_mutex_lock(&state.lock);
	n = state.suppressed;
	pthread_mutex_unlock(&state.lock);
	return n;
}
