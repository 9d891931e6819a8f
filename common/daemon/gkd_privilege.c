/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/gk_base.h"

static enum gk_err
fail(struct gkd_why *why, const char *what)
{
	snprintf(why->text, sizeof(why->text), "%s: %s", what, strerror(errno));
	return GK_ERR_IO;
}

enum gk_err
gkd_privilege_limit(size_t files_max, struct gkd_why *why)
{
	const struct rlimit no_core = { 0, 0 };
	struct rlimit files;

	if (setrlimit(RLIMIT_CORE, &no_core) != 0)
		return fail(why, "RLIMIT_CORE");
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return fail(why, "RLIMIT_NOFILE");
	if (files.rlim_max == RLIM_INFINITY || files_max <= files.rlim_max)
		files.rlim_cur = files.rlim_max = files_max;
	else
		files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		return fail(why, "RLIMIT_NOFILE");
#if !GK_ASAN
	/* Neither a core file nor a debugger of the same user sees keys; but
	 * the leak check of a sanitizer is such a debugger. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail(why, "PR_SET_DUMPABLE");
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(why, "PR_SET_NO_NEW_PRIVS");
	return GK_OK;
}

static enum gk_err
look_up(const char *user, const char *group, uid_t *uid, gid_t *gid,
        struct gkd_why *why)
{
	const struct passwd *pw = getpwnam(user);
	const struct group *gr;

	if (pw == NULL) {
		snprintf(why->text, sizeof(why->text), "no user '%s'", user);
		return GK_ERR_VALUE;
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	if (group == NULL)
		return GK_OK;
	gr = getgrnam(group);
	if (gr == NULL) {
		snprintf(why->text, sizeof(why->text), "no group '%s'", group);
		return GK_ERR_VALUE;
	}
	*gid = gr->gr_gid;
	return GK_OK;
}

enum gk_err
gkd_privilege_files(const char *user, const char *group, struct gkd_why *why)
{
	uid_t uid;
	gid_t gid;

	if (user == NULL || geteuid() != 0)
		return GK_OK;
	GK_TRY(look_up(user, group, &uid, &gid, why));
	if (uid == geteuid() && gid == getegid())
		return GK_OK;
	if (setgroups(0, NULL) != 0)
		return fail(why, "setgroups");
	/* These two report the value from before and never an error. */
	(void)setfsgid(gid);
	(void)setfsuid(uid);
	return GK_OK;
}

enum gk_err
gkd_privilege_drop(const char *user, const char *group, struct gkd_why *why)
{
	uid_t uid;
	gid_t gid;

	if (user == NULL)
		return GK_OK;
	GK_TRY(look_up(user, group, &uid, &gid, why));
	if (geteuid() == uid && getuid() == uid && getegid() == gid)
		return GK_OK;
	if (setgroups(0, NULL) != 0)
		return fail(why, "setgroups");
	if (setresgid(gid, gid, gid) != 0)
		return fail(why, "setresgid");
	if (setresuid(uid, uid, uid) != 0)
		return fail(why, "setresuid");
	/* There must be no way back. */
	if (uid != 0 && setuid(0) == 0) {
		snprintf(why->text, sizeof(why->text),
		         "privileges could be regained");
		return GK_ERR_IO;
	}
	return GK_OK;
}

void
gkd_privilege_borrow(struct gkd_privilege_held *held, const char *user,
                     const char *group)
{
	struct gkd_why why;
	uid_t uid;
	gid_t gid;
	int n;

	*held = (struct gkd_privilege_held){ .gid = getegid() };
	if (user == NULL || geteuid() != 0 || getuid() != 0 ||
	    look_up(user, group, &uid, &gid, &why) != GK_OK ||
	    (uid == 0 && gid == held->gid))
		return;
	n = getgroups(0, NULL);
	held->group = n > 0 ? calloc((size_t)n, sizeof(gid_t)) : NULL;
	if (n < 0 || (n > 0 && held->group == NULL))
		return;
	held->n_groups = n > 0 ? getgroups(n, held->group) : 0;
	if (held->n_groups < 0 || setgroups(0, NULL) != 0)
		return;
	held->borrowed = true;
	if (setegid(gid) != 0 || seteuid(uid) != 0)
		gkd_privilege_return(held);
}

void
gkd_privilege_return(struct gkd_privilege_held *held)
{
	if (held->borrowed && seteuid(0) == 0 && setegid(held->gid) == 0)
		(void)!setgroups((size_t)held->n_groups, held->group);
	free(held->group);
	*held = (struct gkd_privilege_held){ 0 };
}

void
gkd_service_notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (path == NULL || (*path != '/' && *path != '@') ||
	    strlen(path) >= sizeof(un.sun_path))
		return;
	memcpy(un.sun_path, path, strlen(path));
	if (*path == '@') /* the abstract namespace */
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
	             (const struct sockaddr *)&un,
	             (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	                         strlen(path)));
	close(fd);
}
