/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"
#include "common/daemon/gkd_settings.h"

#define LIMIT_MS 30000

extern char **environ;

struct gkd_hook {
	int fd;
};

/* The input waits in a pipe, which holds more than an order.  -1: none. */
static int
pipe_with(const char *input, size_t len)
{
	int ends[2];

	if (len == 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	if (write(ends[1], input, len) != (ssize_t)len) {
		close(ends[0]);
		ends[0] = -1;
	}
	close(ends[1]);
	if (ends[0] >= 0)
		(void)fcntl(ends[0], F_SETFL, 0); /* the program may wait */
	return ends[0];
}

/* Has it ended in time?  A kernel that cannot say waits for ever. */
static bool
ends_within(pid_t pid, uint32_t ms)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), n;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return true;
	do
		n = poll(&p, 1, (int)ms);
	while (n < 0 && errno == EINTR);
	close(fd);
	return n != 0;
}

/* The runs that wait behind it tell of keys that are to be installed, or wiped: one
 * that hangs must not keep them from that. */
static void
wait_for(pid_t pid, const char *event, uint32_t ms)
{
	int status;

	if (!ends_within(pid, ms)) {
		gkd_log(LOG_ERR, "key",
		        "hook: %s has not ended after %u ms, and is killed",
		        event, ms);
		(void)kill(-pid, SIGKILL); /* what it has started, too */
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
}

/* It leads a group of its own, and ends when it is told to: what this process is
 * deaf to is nothing to it. */
static bool
set_how(posix_spawnattr_t *how)
{
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGHUP);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGUSR1);
	return posix_spawnattr_setsigmask(how, &none) == 0 &&
	       posix_spawnattr_setsigdefault(how, &usual) == 0 &&
	       posix_spawnattr_setflags(
		       how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
				    POSIX_SPAWN_SETSIGDEF) == 0;
}

static bool
start(const char *program, char **env, int input, pid_t *pid)
{
	char *argv[] = { strdup(program), NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t how;
	bool started = false;

	if (argv[0] == NULL)
		return false;
	if (posix_spawn_file_actions_init(&actions) == 0) {
		if (posix_spawnattr_init(&how) == 0) {
			started = set_how(&how) &&
			          (input < 0 ||
			           posix_spawn_file_actions_adddup2(
					   &actions, input, 0) == 0) &&
			          posix_spawn(pid, program, &actions, &how,
			                      argv, env) == 0;
			posix_spawnattr_destroy(&how);
		}
		posix_spawn_file_actions_destroy(&actions);
	}
	free(argv[0]);
	return started;
}

/* An order is strings "NAME=value", each with its NUL, an empty string, and the
 * input; the program sees the first and what the daemon was started with. */
static void
run_program(const char *program, char *order, size_t n, uint32_t limit_ms)
{
	char *end = order + n, *p, **env;
	size_t count = 0, own = 0;
	int input;
	pid_t pid;

	while (environ[count] != NULL)
		count++;
	for (p = order; p < end && *p != '\0'; p += strlen(p) + 1)
		own++;
	env = calloc(own + count + 1, sizeof(*env));
	if (env == NULL)
		return;
	own = 0;
	for (p = order; p < end && *p != '\0'; p += strlen(p) + 1)
		env[own++] = p;
	memcpy(env + own, environ, count * sizeof(*env));
	input = p < end ? pipe_with(p + 1, (size_t)(end - p - 1)) : -1;
	if (start(program, env, input, &pid))
		wait_for(pid, order, limit_ms);
	if (input >= 0)
		close(input);
	free(env);
}

/* Returns when the daemon's end is closed. */
static void
serve(int fd, const char *program, uint32_t limit_ms)
{
	char order[GKD_HOOK_ORDER_MAX];
	ssize_t n;

	while ((n = recv(fd, order, sizeof(order) - 1, 0)) != 0) {
		if (n < 0 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		order[n] = '\0';
		run_program(program, order, (size_t)n, limit_ms);
		gk_wipe(order, (size_t)n);
	}
}

enum gk_err
gkd_hook_check(struct gkd_config *config, const char *program,
               struct gkd_why *why)
{
	if (program == NULL || *program == '\0' || access(program, X_OK) == 0)
		return GK_OK;
	return gkd_config_fail(
		config, gkd_elem_child(gkd_config_root(config), "hook"), why,
		"'@program': file '%s': %s", program, strerror(errno));
}

enum gk_err
gkd_hook_limit(struct gkd_config *config, uint32_t *limit_ms,
               struct gkd_why *why)
{
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "hook");

	*limit_ms = 0;
	if (e == NULL)
		return GK_OK;
	return gkd_duration_load(config, e, "@timeout", 3600000, 1, limit_ms,
	                         why);
}

enum gk_err
gkd_hook_open(struct gkd_hook **hook, const char *program, uint32_t limit_ms)
{
	struct gkd_hook *h;
	int pair[2], saved;
	pid_t pid;

	if (access(program, X_OK) != 0)
		return GK_ERR_IO;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return GK_ERR_NOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		free(h);
		return GK_ERR_IO;
	}
	pid = fork();
	if (pid == 0) {
		/* Nothing of the daemon but the socket and the program. */
		if (dup2(pair[1], 3) != 3 || fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
			_exit(1);
		close_range(4, ~0u, 0);
		signal(SIGINT, SIG_IGN); /* the daemon decides when */
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		signal(SIGUSR1, SIG_IGN);
		serve(3, program, limit_ms != 0 ? limit_ms : LIMIT_MS);
		_exit(0);
	}
	saved = errno;
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		free(h);
		errno = saved;
		return GK_ERR_IO;
	}
	h->fd = pair[0];
	*hook = h;
	return GK_OK;
}

void
gkd_hook_close(struct gkd_hook *hook)
{
	if (hook == NULL)
		return;
	close(hook->fd); /* the other process ends by itself */
	free(hook);
}

/* Strings follow each other, each with its NUL. */
static bool
add(char order[GKD_HOOK_ORDER_MAX], size_t *n, const char *name,
    const char *value)
{
	int k = snprintf(order + *n, GKD_HOOK_ORDER_MAX - *n, "%s%s", name,
	                 value);

	if (k < 0 || (size_t)k >= GKD_HOOK_ORDER_MAX - *n)
		return false;
	*n += (size_t)k + 1;
	return true;
}

void
gkd_hook_run(struct gkd_hook *hook, const char *event, const char *group,
             const char *const *more, const char *input)
{
	char order[GKD_HOOK_ORDER_MAX];
	size_t n = 0;
	bool fits;

	if (hook == NULL)
		return;
	fits = add(order, &n, "MSEC_EVENT=", event) &&
	       add(order, &n, "MSEC_GROUP=", group);
	for (; fits && more != NULL && *more != NULL; more++)
		fits = add(order, &n, *more, "");
	if (fits && input != NULL) {
		fits = add(order, &n, "", "") && add(order, &n, input, "");
		n -= fits; /* an input ends without a NUL */
	}
	if (!fits)
		gkd_log(LOG_WARNING, "key", "hook: %s is too long", event);
	else if (send(hook->fd, order, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		gkd_log(LOG_WARNING, "key", "hook: %s is lost: %m", event);
	gk_wipe(order, sizeof(order));
}
