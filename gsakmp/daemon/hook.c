/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/hook.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"

#define ORDER_MAX 1024

extern char **environ;

struct gsakmpd_hook {
	int fd;
};

/* An order is strings "NAME=value", each with its NUL. */
static void
run_program(const char *program, char *order, size_t n)
{
	char *argv[] = { strdup(program), NULL };
	pid_t pid;
	int status;

	for (char *p = order; p < order + n; p += strlen(p) + 1)
		putenv(p);
	if (argv[0] != NULL &&
	    posix_spawn(&pid, program, NULL, NULL, argv, environ) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	free(argv[0]);
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
gsakmpd_hook_open(struct gsakmpd_hook **hook, const char *program)
{
	struct gsakmpd_hook *h;
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
gsakmpd_hook_close(struct gsakmpd_hook *hook)
{
	if (hook == NULL)
		return;
	close(hook->fd); /* the helper ends by itself */
	free(hook);
}

void
gsakmpd_hook_run(struct gsakmpd_hook *hook, const char *event,
                 const char *group, uint32_t key_id, uint32_t handle,
                 const char *state)
{
	char order[ORDER_MAX];
	bool key = state != NULL;
	int n;

	if (hook == NULL)
		return;
	n = snprintf(order, sizeof(order),
	             "MSEC_EVENT=%s%cMSEC_GROUP=%s%cMSEC_KEY_ID=%.*u%c"
	             "MSEC_KEY_HANDLE=%.*u%cMSEC_KEY_STATE=%s",
	             event, 0, group, 0, key ? 1 : 0, key_id, 0, key ? 1 : 0,
	             handle, 0, key ? state : "");
	if (n < 0 || n >= (int)sizeof(order))
		return;
	if (send(hook->fd, order, (size_t)n + 1, MSG_DONTWAIT | MSG_NOSIGNAL) <
	    0)
		gkd_log(LOG_WARNING, "key", "hook: %s is lost: %m", event);
}
