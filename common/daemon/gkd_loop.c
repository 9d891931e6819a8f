/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "common/daemon/gkd_log.h"

enum { SIGNAL_TERM, SIGNAL_INT, SIGNAL_HUP, SIGNAL_USR1, SIGNAL_COUNT };

struct post {
	struct post *next;
	void (*fn)(void *arg);
	void *arg;
};

struct gkd_loop {
	struct event_base *base;
	struct event *wake; /* activated by gkd_loop_post() */
	struct event *signal[SIGNAL_COUNT];
	struct gkd_signals on;
	pthread_mutex_t lock; /* of the list below */
	struct post *head, **tail;
	atomic_bool stopped;
};

struct gkd_timer {
	struct event *event;
	bool armed;
	uint64_t at; /* when it fires, if it is armed */
	void (*fn)(void *arg);
	void *arg;
};

struct gkd_io {
	struct event *event;
	void (*fn)(void *arg);
	void *arg;
};

static void
run_posts(struct gkd_loop *loop)
{
	struct post *list;

	pthread_mutex_lock(&loop->lock);
	list = loop->head;
	loop->head = NULL;
	loop->tail = &loop->head;
	pthread_mutex_unlock(&loop->lock);
	while (list != NULL) {
		struct post *next = list->next;

		list->fn(list->arg);
		free(list);
		list = next;
	}
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct gkd_loop *loop = arg;

	(void)fd;
	(void)what;
	run_posts(loop);
	if (atomic_load(&loop->stopped))
		event_base_loopbreak(loop->base);
}

static void
use_threads(void)
{
	/* Before the first event base; the bases are woken across threads. */
	evthread_use_pthreads();
}

struct gkd_loop *
gkd_loop_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct event_config *config;
	struct gkd_loop *loop;

	pthread_once(&once, use_threads);
	loop = calloc(1, sizeof(*loop));
	if (loop == NULL)
		return NULL;
	pthread_mutex_init(&loop->lock, NULL);
	loop->tail = &loop->head;
	config = event_config_new();
	if (config != NULL) {
		/* Milliseconds matter to timers; the coarse clock has 4. */
		event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
		loop->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	if (loop->base != NULL)
		loop->wake =
			event_new(loop->base, -1, EV_PERSIST, on_wake, loop);
	if (loop->wake == NULL || event_add(loop->wake, NULL) != 0) {
		gkd_loop_free(loop);
		return NULL;
	}
	return loop;
}

void
gkd_loop_free(struct gkd_loop *loop)
{
	if (loop == NULL)
		return;
	run_posts(loop);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		if (loop->signal[i] != NULL)
			event_free(loop->signal[i]);
	if (loop->wake != NULL)
		event_free(loop->wake);
	if (loop->base != NULL)
		event_base_free(loop->base);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

enum gk_err
gkd_loop_run(struct gkd_loop *loop)
{
	int rc = 0;

	while (!atomic_load(&loop->stopped) && rc >= 0)
		rc = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return rc < 0 ? GK_ERR_IO : GK_OK;
}

enum gk_err
gkd_loop_once(struct gkd_loop *loop, bool wait)
{
	int flags = EVLOOP_ONCE | (wait ? 0 : EVLOOP_NONBLOCK);

	return event_base_loop(loop->base, flags) < 0 ? GK_ERR_IO : GK_OK;
}

void
gkd_loop_stop(struct gkd_loop *loop)
{
	atomic_store(&loop->stopped, true);
	event_active(loop->wake, EV_READ, 0);
}

struct event_base *
gkd_loop_base(struct gkd_loop *loop)
{
	return loop->base;
}

enum gk_err
gkd_loop_post(struct gkd_loop *loop, void (*fn)(void *arg), void *arg)
{
	struct post *p = malloc(sizeof(*p));

	if (p == NULL)
		return GK_ERR_NOMEM;
	*p = (struct post){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&loop->lock);
	*loop->tail = p;
	loop->tail = &p->next;
	pthread_mutex_unlock(&loop->lock);
	event_active(loop->wake, EV_READ, 0);
	return GK_OK;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct gkd_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->armed = false; /* whatever made it fire */
	timer->fn(timer->arg);
}

struct gkd_timer *
gkd_timer_new(struct gkd_loop *loop, void (*fn)(void *arg), void *arg)
{
	struct gkd_timer *timer = calloc(1, sizeof(*timer));

	if (timer == NULL)
		return NULL;
	timer->fn = fn;
	timer->arg = arg;
	timer->event = evtimer_new(loop->base, on_timer, timer);
	if (timer->event == NULL) {
		free(timer);
		return NULL;
	}
	return timer;
}

void
gkd_timer_set(struct gkd_timer *timer, uint64_t mono_ms)
{
	uint64_t now, wait;
	struct timeval tv;

	/* Most who set it again find what it was set to. */
	if (timer->armed && timer->at == mono_ms)
		return;
	timer->armed = false;
	if (mono_ms == GK_NEVER) {
		event_del(timer->event);
		return;
	}
	now = gkd_now().mono_ms;
	/* One more, so that the deadline is past when the timer fires; and from
	 * now on, not from when this turn of the loop began. */
	(void)event_base_update_cache_time(event_get_base(timer->event));
	wait = mono_ms > now ? mono_ms - now + 1 : 0;
	tv.tv_sec = (time_t)(wait / 1000);
	tv.tv_usec = (suseconds_t)(wait % 1000) * 1000;
	if (event_add(timer->event, &tv) != 0) {
		gkd_log(LOG_ERR, "io", "timer: %m");
		return;
	}
	timer->armed = true;
	timer->at = mono_ms;
}

void
gkd_timer_now(struct gkd_timer *timer)
{
	timer->armed = false;
	event_active(timer->event, EV_TIMEOUT, 0);
}

void
gkd_timer_free(struct gkd_timer *timer)
{
	if (timer == NULL)
		return;
	event_free(timer->event);
	free(timer);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct gkd_io *io = arg;

	(void)fd;
	(void)what;
	io->fn(io->arg);
}

struct gkd_io *
gkd_io_new(struct gkd_loop *loop, int fd, void (*fn)(void *arg), void *arg)
{
	struct gkd_io *io = calloc(1, sizeof(*io));

	if (io == NULL)
		return NULL;
	io->fn = fn;
	io->arg = arg;
	io->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_readable,
	                      io);
	if (io->event == NULL || event_add(io->event, NULL) != 0) {
		if (io->event != NULL)
			event_free(io->event);
		free(io);
		return NULL;
	}
	return io;
}

void
gkd_io_free(struct gkd_io *io)
{
	if (io == NULL)
		return;
	event_free(io->event);
	free(io);
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct gkd_loop *loop = arg;

	(void)what;
	if (number == SIGHUP && loop->on.reload != NULL)
		loop->on.reload(loop->on.arg);
	else if (number == SIGUSR1 && loop->on.status != NULL)
		loop->on.status(loop->on.arg);
	else if ((number == SIGTERM || number == SIGINT) &&
	         loop->on.stop != NULL)
		loop->on.stop(loop->on.arg);
}

enum gk_err
gkd_loop_signals(struct gkd_loop *loop, const struct gkd_signals *signals)
{
	static const int number[SIGNAL_COUNT] = { SIGTERM, SIGINT, SIGHUP,
		                                  SIGUSR1 };

	loop->on = *signals;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		loop->signal[i] =
			evsignal_new(loop->base, number[i], on_signal, loop);
		if (loop->signal[i] == NULL)
			return GK_ERR_NOMEM;
		if (event_add(loop->signal[i], NULL) != 0)
			return GK_ERR_IO;
	}
	return GK_OK;
}

struct gk_now
gkd_now(void)
{
	struct timespec mono, utc;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &utc);
	return (struct gk_now){
		.mono_ms = (uint64_t)mono.tv_sec * 1000 +
		           (uint64_t)mono.tv_nsec / 1000000,
		.utc_s = utc.tv_sec,
	};
}

static enum gk_err
os_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	while (n > 0) {
		ssize_t got = getrandom(out, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return GK_ERR_CRYPTO;
		out += got;
		n -= (size_t)got;
	}
	return GK_OK;
}

static void
os_log(void *ctx, int level, const char *topic, const char *text)
{
	(void)ctx;
	gkd_log(level, topic, "%s", text);
}

void
gkd_env_init(struct gk_env *env)
{
	*env = (struct gk_env){ .random = os_random, .log = os_log };
}
