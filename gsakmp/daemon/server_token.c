/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gsakmp/daemon/server.h"

#define WATCH_MS 1000 /* how often the token file is looked at */

enum gk_err
gsakmpd_token_accept(struct gsakmpd_group *g, struct gk_slice token,
                     struct gsakmp_reject *why)
{
	struct gkd_daemon *d = g->server->d;
	enum gk_err err;

	*why = (struct gsakmp_reject){ 0 };
	err = gsakmp_group_set_token(g->group, token, gkd_now(), why);
	if (err != GK_OK)
		gsakmpd_report_refusal(d, g->name, "Group Owner", err, why);
	gsakmpd_group_drain(g);
	return err;
}

/* Has the file another inode or date than the one read last? */
static bool
file_changed(struct gsakmpd_group *g)
{
	struct stat st;

	if (stat(g->token_file, &st) != 0)
		return false;
	if (st.st_ino == g->token_inode &&
	    st.st_mtim.tv_sec == g->token_mtime.tv_sec &&
	    st.st_mtim.tv_nsec == g->token_mtime.tv_nsec)
		return false;
	g->token_inode = st.st_ino;
	g->token_mtime = st.st_mtim;
	return true;
}

enum gk_err
gsakmpd_token_read(struct gsakmpd_group *g, bool force, struct gkd_why *why)
{
	struct gsakmp_reject reject;
	struct gk_buf octets;
	char reason[256];
	enum gk_err err;

	if (!file_changed(g) && !force)
		return GK_OK;
	err = gkd_file_read(g->token_file, GSAKMPD_TOKEN_MAX, &octets);
	if (err != GK_OK) {
		snprintf(why->text, sizeof(why->text),
		         "token of group '%s': '%s': %s", g->name,
		         g->token_file,
		         err == GK_ERR_IO ? strerror(errno) : gk_strerror(err));
		return err;
	}
	err = gsakmpd_token_accept(g, gk_buf_slice(&octets), &reject);
	gk_buf_free(&octets);
	if (err != GK_OK)
		snprintf(why->text, sizeof(why->text),
		         "token of group '%s': '%s': %s (%s)", g->name,
		         g->token_file,
		         gsakmpd_report_reason(reason, &reject,
		                               gk_strerror(err)),
		         reject.req != NULL ? reject.req : "-");
	return err;
}

static void
on_watch(void *arg)
{
	struct gsakmpd_group *g = arg;
	struct gkd_why why;

	if (gsakmpd_token_read(g, false, &why) != GK_OK)
		gkd_log(LOG_ERR, "cfg", "%s", why.text);
	gkd_timer_set(g->watch, gkd_now().mono_ms + WATCH_MS);
}

enum gkd_exit
gsakmpd_token_open(struct gsakmpd_group *g, struct gkd_why *why)
{
	struct gsakmp_group_status status;
	enum gk_err err;

	gsakmp_group_status(g->group, &status);
	if (status.destroyed) {
		gkd_log(LOG_WARNING, "fsm", "group %s is destroyed", g->name);
		return GKD_EXIT_OK;
	}
	err = gsakmpd_token_read(g, true, why);
	/* Members are served by what is in force; a bad or missing file must
	 * not end that. */
	if (err != GK_OK && !status.open)
		return err == GK_ERR_IO ? GKD_EXIT_CONFIG : GKD_EXIT_POLICY;
	if (err != GK_OK)
		gkd_log(LOG_ERR, "cfg", "%s", why->text);
	g->watch = gkd_timer_new(g->server->d->loop, on_watch, g);
	if (g->watch == NULL)
		return GKD_EXIT_FAILURE;
	gkd_timer_set(g->watch, gkd_now().mono_ms + WATCH_MS);
	return GKD_EXIT_OK;
}

void
gsakmpd_token_close(struct gsakmpd_group *g)
{
	gkd_timer_free(g->watch);
	g->watch = NULL;
}
