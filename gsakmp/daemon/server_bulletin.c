/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gsakmp/daemon/server.h"
#include "gsakmp/payload/header.h"

/*
 * The bulletin of the key server: RFC 4534 section B.5.6.3.
 *
 * A posted Rekey Event is a file, DIRECTORY/GROUP/CONTROLLER/SEQUENCE, written
 * whole or not at all, which any web server can hand out; with <http> this
 * daemon does so itself.  Files outlive the process.  Of each controller the
 * newest @keep are kept.
 */
#define POST_MODE 0644 /* it was multicast: no secret */
#define POST_MAX (1u << 20)
#define HTTP_REQUEST_MAX 4096
#define HTTP_IDLE_MS 5000
#define HTTP_TOTAL_MS 30000

static void
report_failure(struct gsakmpd_server *s, const struct gsakmpd_group *g,
               const char *path)
{
	const char *reason = strerror(errno);

	gkd_log(LOG_ERR, "io", "bulletin: '%s': %s", path, reason);
	gkd_events_emit(
		s->d->events, "post-failed",
		json_pack("{s:s, s:s}", "group", g->name, "reason", reason));
}

/* ---- files -------------------------------------------------------------- */

/* The number that a file is named by; 0: none of ours. */
static uint32_t
sequence_of(const char *name)
{
	size_t digits = strspn(name, "0123456789");
	unsigned long long n;

	if (digits == 0 || digits > 10 || name[digits] != '\0' || *name == '0')
		return 0;
	n = strtoull(name, NULL, 10);
	return n <= UINT32_MAX ? (uint32_t)n : 0;
}

/*
 * What has become too old; and what is ahead of the event that was just posted:
 * that is of an earlier group of this name, whose store is gone, and would be
 * taken for what comes next.  The last event is the end of the group, whatever
 * went before.
 */
static void
forget_old(const struct gsakmpd_bulletin *b, const char *directory,
           uint32_t posted)
{
	DIR *d = opendir(directory);
	struct dirent *e;

	if (d == NULL)
		return;
	while (posted != GSAKMP_SEQUENCE_DESTROY && (e = readdir(d)) != NULL) {
		uint32_t n = sequence_of(e->d_name);

		if (n != 0 && (n > posted || posted - n >= b->keep))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
}

/* Each directory on the way to @path, which is below @top octets of it. */
static bool
make_directories(char *path, size_t top)
{
	for (char *p = path + top; (p = strchr(p, '/')) != NULL; p++) {
		bool ok;

		*p = '\0';
		ok = mkdir(path, 0755) == 0 || errno == EEXIST;
		*p = '/';
		if (!ok)
			return false;
	}
	return true;
}

void
gsakmpd_bulletin_post(struct gsakmpd_group *g, const struct gsakmp_output *o)
{
	struct gsakmpd_server *s = g->server;
	const struct gsakmpd_bulletin *b = &s->bulletin;
	char path[PATH_MAX];
	int n;

	/* A token from before the configuration was changed. */
	if (b->directory == NULL) {
		gkd_log(LOG_WARNING, "cfg",
		        "group %s: Rekey Event %u is to be posted, and there "
		        "is no <bulletin>",
		        g->name, o->sequence);
		return;
	}
	n = snprintf(path, sizeof(path), "%s/%.*s", b->directory,
	             (int)o->place.len, (const char *)o->place.ptr);
	errno = ENAMETOOLONG;
	if ((size_t)n >= sizeof(path) ||
	    !make_directories(path, strlen(b->directory) + 1) ||
	    gkd_file_write(path, POST_MODE, o->dgram) != GK_OK) {
		report_failure(s, g, path);
		return;
	}
	gkd_counters_add(s->d->counters, "rekey events posted", 1);
	*strrchr(path, '/') = '\0';
	forget_old(b, path, o->sequence);
}

/* ---- by HTTP ------------------------------------------------------------ */

static bool
only(const char *text, size_t len, const char *octets)
{
	return len != 0 && strspn(text, octets) >= len;
}

/* The last three segments, if they have the shape that gsakmp_post_path()
 * makes; what stands in front of them is the business of proxies. */
static const char *
place_in(const char *path)
{
	const char *at = path + strlen(path);
	size_t len[3];

	for (int i = 3; i-- > 0;) {
		const char *end = at;

		while (at > path && at[-1] != '/')
			at--;
		len[i] = (size_t)(end - at);
		if (at == path || !only(at, len[i], "0123456789abcdef"))
			return NULL;
		at--; /* the slash */
	}
	return len[0] == 32 && len[1] == 16 && len[2] <= 10 &&
	                       only(at + 51, len[2], "0123456789")
	               ? at + 1
	               : NULL;
}

static bool
get(void *arg, const char *path, struct gk_slice *body)
{
	struct gsakmpd_server *s = arg;
	struct gsakmpd_bulletin *b = &s->bulletin;
	const char *place = place_in(path);
	char file[PATH_MAX];

	gk_buf_free(&b->answer);
	if (place == NULL ||
	    (size_t)snprintf(file, sizeof(file), "%s/%s", b->directory,
	                     place) >= sizeof(file) ||
	    gkd_file_read(file, POST_MAX, &b->answer) != GK_OK) {
		gkd_counters_add(s->d->counters, "posts not there", 1);
		return false;
	}
	gkd_counters_add(s->d->counters, "posts handed out", 1);
	*body = gk_buf_slice(&b->answer);
	return true;
}

/* ---- opening and closing ------------------------------------------------ */

enum gkd_exit
gsakmpd_bulletin_open(struct gsakmpd_server *s, struct gkd_why *why)
{
	struct gsakmpd_bulletin *b = &s->bulletin;
	const struct gkd_http_server_config http = {
		.get = get,
		.arg = s,
		.request_max = HTTP_REQUEST_MAX,
		.body_max = POST_MAX,
		.conns_max = b->conns_max,
		.idle_ms = HTTP_IDLE_MS,
		.total_ms = HTTP_TOTAL_MS,
	};

	if (b->directory == NULL)
		return GKD_EXIT_OK;
	if ((mkdir(b->directory, 0755) != 0 && errno != EEXIST) ||
	    access(b->directory, W_OK | X_OK) != 0) {
		gkd_config_fail(s->d->config, b->elem, why, "'%s': %s",
		                b->directory, strerror(errno));
		return GKD_EXIT_CONFIG;
	}
	if (!b->http ||
	    gkd_http_serve(&b->server, s->d->loop, &b->at, &http) == GK_OK)
		return GKD_EXIT_OK;
	gkd_config_fail(s->d->config, gkd_elem_child(b->elem, "http"), why,
	                "%s", strerror(errno));
	return GKD_EXIT_NETWORK;
}

void
gsakmpd_bulletin_close(struct gsakmpd_server *s)
{
	gkd_http_server_free(s->bulletin.server);
	s->bulletin.server = NULL;
	gk_buf_free(&s->bulletin.answer);
}

json_t *
gsakmpd_bulletin_status(const struct gsakmpd_server *s)
{
	const struct gsakmpd_bulletin *b = &s->bulletin;
	struct gkd_addr at;
	char text[GKD_ADDR_TEXT];
	json_t *o;

	if (b->directory == NULL)
		return json_null();
	o = json_pack("{s:o, s:I, s:I, s:I}", "directory",
	              gkd_json_text(b->directory), "keep", (json_int_t)b->keep,
	              "posted",
	              (json_int_t)gkd_counters_get(s->d->counters,
	                                           "rekey events posted"),
	              "handed_out",
	              (json_int_t)gkd_counters_get(s->d->counters,
	                                           "posts handed out"));
	if (b->server != NULL) {
		at = gkd_http_server_local(b->server);
		json_object_set_new(o, "http",
		                    json_string(gkd_addr_format(text, &at)));
	}
	return o;
}
