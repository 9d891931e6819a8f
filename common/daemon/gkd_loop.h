/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_LOOP_H
#define GKD_LOOP_H

#include <stdbool.h>

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"

/*
 * DOC: gkd_loop - one thread that waits
 *
 * A loop belongs to the thread that runs it.  Only gkd_loop_post() and
 * gkd_loop_stop() may be called from another thread.  Callbacks run in the
 * loop's thread, never from inside a call that registers them.
 *
 * Time is absolute: a timer is set to a moment of CLOCK_MONOTONIC in
 * milliseconds, the scale of struct gk_now, so that an engine's deadline is
 * handed over as it is.
 */
struct gkd_loop;
struct gkd_timer;
struct gkd_io;
struct event_base;

/* gkd_loop_new - NULL when memory is short. */
struct gkd_loop *gkd_loop_new(void);
/* Timers, watchers and sockets of the loop are freed before the loop. */
void gkd_loop_free(struct gkd_loop *loop);
/* gkd_loop_run - until gkd_loop_stop(); GK_ERR_IO when waiting fails. */
GK_MUST_CHECK enum gk_err gkd_loop_run(struct gkd_loop *loop);
/* gkd_loop_once - handle what is ready now; @wait: block for the first event. */
GK_MUST_CHECK enum gk_err gkd_loop_once(struct gkd_loop *loop, bool wait);
/* gkd_loop_stop - from any thread; also ends a run that has not begun. */
void gkd_loop_stop(struct gkd_loop *loop);
/* For libraries that want libevent itself (bufferevents, TLS). */
struct event_base *gkd_loop_base(struct gkd_loop *loop);

/*
 * gkd_loop_post - have @fn(@arg) called in the loop's thread, in the order of
 * posting.  From any thread.  What is still posted when the loop is freed is
 * called then, so that @fn can release @arg.
 */
GK_MUST_CHECK enum gk_err gkd_loop_post(struct gkd_loop *loop,
                                        void (*fn)(void *arg), void *arg);

/* gkd_timer_new - disarmed; NULL when memory is short. */
struct gkd_timer *gkd_timer_new(struct gkd_loop *loop, void (*fn)(void *arg),
                                void *arg);
/* gkd_timer_set - fire once at @mono_ms (at once if past); GK_NEVER disarms. */
void gkd_timer_set(struct gkd_timer *timer, uint64_t mono_ms);
/* gkd_timer_now - fire once, still in this turn of the loop; from its thread.
 * Who does so again and again keeps the loop from everything else. */
void gkd_timer_now(struct gkd_timer *timer);
void gkd_timer_free(struct gkd_timer *timer);

/* gkd_io_new - call @fn whenever @fd is readable; the fd stays the caller's. */
struct gkd_io *gkd_io_new(struct gkd_loop *loop, int fd, void (*fn)(void *arg),
                          void *arg);
void gkd_io_free(struct gkd_io *io);

struct gkd_signals {
	void (*stop)(void *arg);   /* SIGTERM, SIGINT */
	void (*reload)(void *arg); /* SIGHUP */
	void (*status)(void *arg); /* SIGUSR1 */
	void *arg;
};
/* gkd_loop_signals - handle the four; SIGPIPE is ignored.  Main loop only. */
GK_MUST_CHECK enum gk_err gkd_loop_signals(struct gkd_loop *loop,
                                           const struct gkd_signals *signals);

/* gkd_now - both clocks of the operating system. */
struct gk_now gkd_now(void);
/* gkd_env_init - randomness from getrandom(2), logs to gkd_log. */
void gkd_env_init(struct gk_env *env);

#endif /* GKD_LOOP_H */
