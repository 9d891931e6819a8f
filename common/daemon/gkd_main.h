/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_MAIN_H
#define GKD_MAIN_H

#include "common/daemon/gkd_config.h"
#include "common/daemon/gkd_control.h"
#include "common/daemon/gkd_counters.h"
#include "common/daemon/gkd_events.h"
#include "common/daemon/gkd_keylog.h"
#include "common/daemon/gkd_log.h"
#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_main - what all daemons do alike
 *
 *   options, configuration and schema    --config FILE [--set path=value]...
 *   program->check()                     --check-config ends here
 *   log, events, key log, loop, signals
 *   program->start()                     binds ports, opens the store
 *   control socket
 *   user and group, limits, seccomp      from here on nothing can be gained
 *   program->ready()                     may start threads
 *   READY=1 to the service manager, event "ready"
 *   the loop, until TERM, INT or the command "stop"
 *   program->stop()
 *
 * The configuration of each daemon has these elements in common, which this room
 * reads itself (common/daemon/msec-daemon.xsd declares them):
 *
 *   <control socket="PATH"/>
 *   <run user="NAME" group="NAME" pid-file="PATH" sandbox="yes"/>
 *   <log level="info" target="stderr"/>
 *
 * All daemons have the commands help, subscribe, status, counters, refusals,
 * keylog, reload and stop; status adds the program's own object.
 */
enum gkd_exit {
	GKD_EXIT_OK = 0,
	GKD_EXIT_FAILURE = 1,
	GKD_EXIT_USAGE = 2,
	GKD_EXIT_CONFIG = 3,
	GKD_EXIT_STORE = 4,
	GKD_EXIT_NETWORK = 5,
	GKD_EXIT_POLICY = 6, /* not authorised, or refused by policy */
};

struct gkd_daemon {
	const struct gkd_program *program;
	void *state; /* the program's own */
	struct gkd_config *config;
	struct gkd_loop *loop;
	struct gk_env env;
	struct gkd_events *events;
	struct gkd_keylog *keylog; /* NULL without --keylog */
	const char *keylog_path;
	bool only_checked; /* --check-config: it ends after check() */
	struct gkd_counters *counters;
	struct gkd_control *control; /* NULL without <control> */
	enum gkd_exit exit;          /* what a clean stop returns */
	char reload_fault[256];      /* of the reload under way; "": none */
};

struct gkd_program {
	const char *name;                   /* gsakmp-gm */
	const char *summary;                /* one line for --help */
	const char *xsd;                    /* file name of the schema */
	const struct gkd_command *commands; /* own ones; zero row at the end */
	/* Read the configuration into d->state; @why goes to stderr. */
	enum gkd_exit (*check)(struct gkd_daemon *d, struct gkd_why *why);
	enum gkd_exit (*start)(struct gkd_daemon *d, struct gkd_why *why);
	/* May be NULL. */
	enum gkd_exit (*ready)(struct gkd_daemon *d, struct gkd_why *why);
	/* May be NULL: SIGHUP; the files named in the configuration again. */
	void (*reload)(struct gkd_daemon *d);
	/* May be NULL: members of the reply to "status"; new reference. */
	json_t *(*status)(struct gkd_daemon *d);
	/* Stop threads, say good-bye, free d->state; also after a failed
	 * check or start. */
	void (*stop)(struct gkd_daemon *d);
	/* System calls beyond those of gkd_sandbox; NULL-terminated names. */
	const char *const *syscalls;
	size_t files_max; /* RLIMIT_NOFILE; 0: 4096 */
};

/* gkd_main - all of it; returns the exit status. */
int gkd_main(const struct gkd_program *program, void *state, int argc,
             char **argv);
/* gkd_daemon_stop - leave the loop with @exit. */
void gkd_daemon_stop(struct gkd_daemon *d, enum gkd_exit exit);
/* gkd_reload_fault - within program->reload(): something stays as it was.  The
 * first reason is the answer to the command; log and events are the caller's. */
void gkd_reload_fault(struct gkd_daemon *d, const char *reason);
/* gkd_reload_failed - nothing was reloaded: log and event "reload-failed", too. */
void gkd_reload_failed(struct gkd_daemon *d, const char *reason);

#endif /* GKD_MAIN_H */
