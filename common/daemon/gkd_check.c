/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <net/if.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_log.h"
#include "common/daemon/gkd_privilege.h"

void
gkd_check_warn(const struct gkd_config *config, const struct gkd_elem *elem,
               const char *format, ...)
{
	char text[512];
	struct gkd_why why;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	(void)gkd_config_fail(config, elem, &why, "%s", text);
	gkd_log(LOG_WARNING, "cfg", "%s", why.text);
}

/* ---- directories --------------------------------------------------------- */

static enum gk_err
bad(const struct gkd_config *config, const struct gkd_elem *elem,
    const char *name, const char *path, const char *fault, struct gkd_why *why)
{
	return gkd_config_fail(config, elem, why, "'@%s': '%s': %s", name, path,
	                       fault);
}

/* To whom, if that is somebody else than who asks. */
static enum gk_err
denied(const struct gkd_config *config, const struct gkd_elem *elem,
       const char *name, const char *path, struct gkd_why *why)
{
	const char *user =
		gkd_elem_text(gkd_config_root(config), "run@user", NULL);
	const char *fault = strerror(errno);

	if (user == NULL || errno != EACCES || geteuid() == getuid())
		return bad(config, elem, name, path, fault, why);
	return gkd_config_fail(config, elem, why,
	                       "'@%s': '%s': %s, to user '%s'", name, path,
	                       fault, user);
}

static enum gk_err
check_directory(const struct gkd_config *config, const struct gkd_elem *elem,
                const char *name, const char *path, struct gkd_why *why)
{
	char copy[PATH_MAX];
	struct stat st;
	const char *dir;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
		return bad(config, elem, name, path, strerror(ENAMETOOLONG),
		           why);
	dir = dirname(copy);
	if (stat(dir, &st) != 0)
		return denied(config, elem, name, dir, why);
	if (!S_ISDIR(st.st_mode))
		return bad(config, elem, name, dir, strerror(ENOTDIR), why);
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) != 0)
		return denied(config, elem, name, dir, why);
	return GK_OK;
}

enum kind { A_FILE, A_STORE, A_SOCKET };

/* A database of SQLite, or nothing yet. */
static bool
is_store(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char head[sizeof(magic)];
	FILE *f = fopen(path, "rb");
	size_t n = f != NULL ? fread(head, 1, sizeof(head), f) : 0;

	if (f != NULL)
		fclose(f);
	return n == 0 ||
	       (n == sizeof(head) && memcmp(head, magic, sizeof(head)) == 0);
}

/* @what is there already: is it what will be opened? */
static enum gk_err
check_place(struct gkd_config *config, const char *element, const char *name,
            enum kind kind, struct gkd_why *why)
{
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), element);
	char attribute[32];
	const char *path;
	struct stat st;

	(void)snprintf(attribute, sizeof(attribute), "@%s", name);
	path = e != NULL ? gkd_elem_path(config, e, attribute) : NULL;
	if (path == NULL)
		return GK_OK;
	if (kind == A_SOCKET &&
	    strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return bad(config, e, name, path,
		           "too long for the address of a socket", why);
	GK_TRY(check_directory(config, e, name, path, why));
	if (stat(path, &st) != 0)
		return errno == ENOENT ? GK_OK
		                       : bad(config, e, name, path,
		                             strerror(errno), why);
	if (kind == A_SOCKET)
		return S_ISSOCK(st.st_mode)
		               ? GK_OK
		               : bad(config, e, name, path,
		                     "is there, and is no socket", why);
	if (!S_ISREG(st.st_mode))
		return bad(config, e, name, path, "is there, and is no file",
		           why);
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
		return denied(config, e, name, path, why);
	if (kind == A_STORE && !is_store(path))
		return bad(config, e, name, path, "is there, and is no store",
		           why);
	return GK_OK;
}

/* ---- what may be on another host ------------------------------------------ */

static void
check_interfaces(const struct gkd_config *config, const struct gkd_elem *elem)
{
	const char *name = gkd_elem_text(elem, "@interface", "");

	if (*name != '\0' && if_nametoindex(name) == 0)
		gkd_check_warn(config, elem,
		               "'@interface': there is no '%s' on this host",
		               name);
	for (const struct gkd_elem *e = gkd_elem_first(elem); e != NULL;
	     e = gkd_elem_sibling(e))
		check_interfaces(config, e);
}

static bool
is_ours(const struct gkd_addr *addr)
{
	struct gkd_addr any_port = *addr;
	int fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ours = true;

	gkd_addr_set_port(&any_port, 0);
	if (fd >= 0) {
		ours = bind(fd, &any_port.sa, gkd_addr_len(&any_port)) == 0 ||
		       errno != EADDRNOTAVAIL;
		close(fd);
	}
	return ours;
}

/* <listen address="">, and <udp> and <tcp> in it. */
static void
check_listen(const struct gkd_config *config, const struct gkd_elem *elem)
{
	const char *text = gkd_elem_text(elem, "@address", "");
	struct gkd_addr addr;

	if (*text != '\0' && gkd_addr_parse(&addr, text, 0) == GK_OK &&
	    !is_ours(&addr))
		gkd_check_warn(config, elem,
		               "'@address': %s is no address of this host",
		               text);
	for (const struct gkd_elem *e = gkd_elem_first(elem); e != NULL;
	     e = gkd_elem_sibling(e))
		check_listen(config, e);
}

static void
check_user(const struct gkd_config *config)
{
	const struct gkd_elem *run =
		gkd_elem_child(gkd_config_root(config), "run");
	const char *user =
		run != NULL ? gkd_elem_text(run, "@user", NULL) : NULL;

	const char *group =
		run != NULL ? gkd_elem_text(run, "@group", NULL) : NULL;

	if (user != NULL && getpwnam(user) == NULL)
		gkd_check_warn(config, run,
		               "'@user': there is no '%s' on this host", user);
	if (group != NULL && getgrnam(group) == NULL)
		gkd_check_warn(config, run,
		               "'@group': there is no '%s' on this host",
		               group);
	if (group != NULL && user == NULL)
		gkd_check_warn(config, run,
		               "'@group': is nobody's without '@user'");
}

static enum gk_err
check_places(struct gkd_config *config, struct gkd_why *why)
{
	GK_TRY(check_place(config, "store", "path", A_STORE, why));
	GK_TRY(check_place(config, "control", "socket", A_SOCKET, why));
	return check_place(config, "run", "pid-file", A_FILE, why);
}

enum gk_err
gkd_check_places(struct gkd_config *config, struct gkd_why *why)
{
	const struct gkd_elem *listen =
		gkd_elem_child(gkd_config_root(config), "listen");
	const char *user =
		gkd_elem_text(gkd_config_root(config), "run@user", NULL);
	const char *group =
		gkd_elem_text(gkd_config_root(config), "run@group", NULL);
	struct gkd_privilege_held held;
	enum gk_err err;

	check_interfaces(config, gkd_config_root(config));
	for (; listen != NULL; listen = gkd_elem_next(listen))
		check_listen(config, listen);
	check_user(config);
	/* The files are made as the user that the daemon is going to be; if
	 * that cannot be, it will be found out at the start. */
	gkd_privilege_borrow(&held, user, group);
	err = check_places(config, why);
	gkd_privilege_return(&held);
	return err;
}
