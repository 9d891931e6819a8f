/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_LOG_H
#define GKD_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/*
 * DOC: gkd_log - what a person reads
 *
 * A line has a level (LOG_ERR .. LOG_DEBUG of syslog.h), a topic (wire msg fsm
 * auth key cfg io), and, where known, the group, the peer and the requirement
 * id.  Control characters never reach the output.  Programs read gkd_events, not
 * this.
 *
 * What a stranger on the network can cause is logged with @hostile set: at most
 * GKD_LOG_HOSTILE lines in a second, the rest is counted and the count logged.
 *
 * The log is the one thing of a daemon that is global.  All calls are
 * thread-safe.
 */
#define GKD_LOG_HOSTILE 20

struct gkd_about {
	const char *group;
	const char *peer;
	const char *req;
	bool hostile;
};

enum gkd_log_target { GKD_LOG_STDERR, GKD_LOG_SYSLOG };

/*
 * gkd_log_open - with GKD_LOG_STDERR, lines have their time, program and level in
 * front, or, where stderr is the journal's, the level in its own form alone.
 */
void gkd_log_open(const char *program, enum gkd_log_target target, int level);
/* gkd_log_level_parse - "error" .. "debug"; -1 when it is none. */
int gkd_log_level_parse(const char *text);
/* gkd_log_wanted - would a line of that level be written? */
bool gkd_log_wanted(int level);
void gkd_log(int level, const char *topic, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void gkd_log_about(int level, const char *topic, const struct gkd_about *about,
                   const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Lines of hostile input that were counted and not written. */
uint64_t gkd_log_suppressed(void);

#endif /* GKD_LOG_H */
