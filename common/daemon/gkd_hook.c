/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_hook.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"

#define ORDER_MAX 1024

extern char **environ;

struct gkd_hook {
	int fd;
};

/* An order is strings "NAME=value", each with its NUL; the program sees them and
 * what the daemon was started with. */
static void
run_program(const char *program, char *order, size_t n)
{
	char *argv[] = { strdup(program), NULL }, **env;
	size_t count = 0, own = 0;
	pid_t pid;
	int status;

	while (environ[count] != NULL)
		count++;
	for (char *p = order; p < order + n; p += strlen(p) + 1)
		own++;
	env = calloc(own + count + 1, sizeof(*env));
	if (env != NULL) {
		own = 0;
		for (char *p = order; p < order + n; p += strlen(p) + 1)
			env[own++] = p;
		memcpy(env + own, environ, count * sizeof(*env));
	}
	if (argv[0] != NULL && env != NULL &&
	    posix_spawn(&pid, program, NULL, NULL, argv, env) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	free(argv[0]);
	free(env);
}

/* Returns when the daemon's end is closed. */
static void
serve(int fd, const char *program)
{
	char order[ORDER_MAX];
	ssize_t n;

	while ((n = recv(fd, order, sizeof(order) - 1, 0)) != 0) {
		if (n < 0 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		order[n] = '\0';
		run_program(program, order, (size_t)n);
	}
}

enum gk_err
gkd_hook_open(struct gkd_hook **hook, const char *program)
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
		if (dup2(pair[1], 3) != 3)
			_exit(1);
		close_range(4, ~0u, 0);
		signal(SIGINT, SIG_IGN); /* the daemon decides when */
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		signal(SIGUSR1, SIG_IGN);
		serve(3, program);
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
add(char order[ORDER_MAX], size_t *n, const char *name, const char *value)
{
	int k = snprintf(order + *n, ORDER_MAX - *n, "%s%s", name, value);

	if (k < 0 || (size_t)k >= ORDER_MAX - *n)
		return false;
	*n += (size_t)k + 1;
	return true;
}

void
gkd_hook_run(struct gkd_hook *hook, const char *event, const char *group,
             const char *const *more)
{
	char order[ORDER_MAX];
	size_t n = 0;
	bool fits;

	if (hook == NULL)
		return;
	fits = add(order, &n, "MSEC_EVENT=", event) &&
	       add(order, &n, "MSEC_GROUP=", group);
	for (; fits && more != NULL && *more != NULL; more++)
		fits = add(order, &n, *more, "");
	if (!fits)
		gkd_log(LOG_WARNING, "key", "hook: %s is too long", event);
	else if (send(hook->fd, order, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		gkd_log(LOG_WARNING, "key", "hook: %s is lost: %m", event);
}
