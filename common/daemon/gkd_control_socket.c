/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool
gkd_control_may_enter(int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	*uid = peer.uid;
	return peer.uid == 0 || peer.uid == geteuid();
}

/* A socket file whose daemon died is in the way; one that answers is not ours
 * to take. */
static bool
is_alive(const struct sockaddr_un *un)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive;

	if (fd < 0)
		return false;
	alive = connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0;
	close(fd);
	return alive;
}

int
gkd_control_listen(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int fd, rc;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		if (is_alive(&un)) {
			errno = EADDRINUSE;
			return -1;
		}
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* Never, not for an instant, open to others. */
	mask = umask(0177);
	rc = bind(fd, (const struct sockaddr *)&un, sizeof(un));
	umask(mask);
	if (rc != 0 || listen(fd, 16) != 0) {
		rc = errno;
		close(fd);
		errno = rc;
		return -1;
	}
	return fd;
}
