/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "gsakmp/daemon/server.h"

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
	else
		gsakmpd_group_watch_token(g);
	gsakmpd_group_drain(g);
	return err;
}

enum gk_err
gsakmpd_token_read(struct gsakmpd_group *g, bool force, struct gkd_why *why)
{
	char text[GPT_SOURCE_WHY];
	enum gk_err err = gpt_source_read(g->source, force, text);

	if (err != GK_OK)
		snprintf(why->text, sizeof(why->text),
		         "token of group '%s': %.900s", g->name, text);
	return err;
}

static enum gk_err
on_octets(void *arg, struct gk_slice octets, char why[256])
{
	struct gsakmpd_group *g = arg;
	struct gsakmp_reject reject;
	char reason[GKD_CAUSE_TEXT];
	enum gk_err err = gsakmpd_token_accept(g, octets, &reject);

	if (err != GK_OK) {
		snprintf(
			why, 256, "%.220s (%s)",
			gsakmpd_report_found(reason, &reject, gk_strerror(err)),
			reject.req != NULL ? reject.req : "-");
		return err;
	}
	/* Acknowledged is what is on the disk. */
	if (g->token.file == NULL && g->server->commit.failed) {
		snprintf(why, 256, "the key server's store failed");
		return GK_ERR_IO;
	}
	return GK_OK;
}

static void
on_failed(void *arg, const char *why)
{
	const struct gsakmpd_group *g = arg;

	gkd_log(LOG_ERR, "cfg", "token of group '%s': %s", g->name, why);
}

/* ---- from the Group Owner's daemon --------------------------------------- */

/* The name of the group in its tokens, which is how the Group Owner knows it. */
static enum gk_err
token_name(const struct gsakmpd_group *g, struct gk_buf *out)
{
	return gpt_dialect_group_name(
		(enum gpt_token_groupname)g->dialect.token_groupname,
		g->cfg.group_id_type, gk_buf_slice(&g->group_id), out);
}

static void
on_owner(void *arg, bool up, const char *text)
{
	const struct gsakmpd_group *g = arg;

	gkd_report_owner(g->server->d, g->name, up, text);
}

static enum gkd_exit
subscribe(struct gsakmpd_group *g, const struct gpt_source_ops *ops,
          struct gkd_why *why)
{
	const struct gsakmp_party p = gsakmpd_group_party(g);
	struct gk_identity anybody = { 0 };
	struct gkd_why text = { "out of memory" };
	struct gk_buf name = { 0 };
	enum gk_err err = token_name(g, &name);

	if (err == GK_OK)
		err = gpt_place_subscribe(
			&g->source, g->server->d->loop, g->server->d->config,
			&g->token, p.go_id != NULL ? *p.go_id : anybody,
			p.go_cert, p.go_trust != NULL ? p.go_trust : p.trust,
			gk_buf_slice(&name), ops, &text);
	gk_buf_free(&name);
	if (err == GK_OK)
		return GKD_EXIT_OK;
	snprintf(why->text, sizeof(why->text),
	         "subscription of group '%s': %.900s", g->name, text.text);
	return GKD_EXIT_CONFIG;
}

/* ---- --check-config ------------------------------------------------------ */

/* Would a group without members take it? */
static enum gk_err
would_take(const struct gsakmpd_group *g, struct gk_slice octets,
           struct gkd_why *why)
{
	struct gsakmp_group *group =
		gsakmp_group_new(&g->server->d->env, &g->cfg);
	struct gsakmp_reject reject = { 0 };
	char reason[GKD_CAUSE_TEXT];
	enum gk_err err = GK_ERR_NOMEM;

	if (group != NULL)
		err = gsakmp_group_set_token(group, octets, gkd_now(), &reject);
	gsakmp_group_free(group);
	if (err == GK_OK)
		return GK_OK;
	return gkd_config_fail(
		g->server->d->config, gkd_elem_child(g->elem, "token"), why,
		"'@file': file '%s': %.220s (%s)", g->token.file,
		gsakmpd_report_found(reason, &reject, gk_strerror(err)),
		reject.req != NULL ? reject.req : "-");
}

enum gkd_exit
gsakmpd_token_check(const struct gsakmpd_group *g, struct gkd_why *why)
{
	struct gk_buf octets;
	enum gk_err err;

	/* From the Group Owner's daemon, or the primary: they are not asked. */
	if (g->token.file == NULL || g->upstream != NULL)
		return GKD_EXIT_OK;
	if (gkd_elem_file(g->server->d->config,
	                  gkd_elem_child(g->elem, "token"), "@file",
	                  GSAKMPD_TOKEN_MAX, &octets, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	err = would_take(g, gk_buf_slice(&octets), why);
	gk_buf_free(&octets);
	return err == GK_OK ? GKD_EXIT_OK : GKD_EXIT_POLICY;
}

/* ---- opening and closing -------------------------------------------------- */

enum gkd_exit
gsakmpd_token_open(struct gsakmpd_group *g, struct gkd_why *why)
{
	const struct gpt_source_ops ops = { on_octets, on_failed, on_owner, g };
	struct gsakmp_group_status status;
	enum gk_err err;

	if (g->token.file != NULL &&
	    gpt_source_file(&g->source, g->server->d->loop, g->token.file,
	                    GSAKMPD_TOKEN_MAX, &ops) != GK_OK)
		return GKD_EXIT_FAILURE;
	gsakmp_group_status(g->group, &status);
	if (status.destroyed) {
		gkd_log(LOG_WARNING, "fsm", "group %s is destroyed", g->name);
		return GKD_EXIT_OK;
	}
	if (g->upstream != NULL) { /* tokens come from the primary */
		if (g->upstream_started)
			return GKD_EXIT_OK;
		g->upstream_started = true;
		return gsakmpd_upstream_start(g) == GK_OK ? GKD_EXIT_OK
		                                          : GKD_EXIT_FAILURE;
	}
	if (g->token.file == NULL)
		return subscribe(g, &ops, why);
	err = gsakmpd_token_read(g, true, why);
	/* Members are served by what is in force; a bad or missing file must
	 * not end that. */
	if (err != GK_OK && !status.open)
		return err == GK_ERR_IO ? GKD_EXIT_CONFIG : GKD_EXIT_POLICY;
	if (err != GK_OK) {
		gkd_log(LOG_ERR, "cfg", "%s", why->text);
		gkd_reload_fault(g->server->d, why->text);
	}
	gpt_source_watch(g->source);
	return GKD_EXIT_OK;
}

void
gsakmpd_token_close(struct gsakmpd_group *g)
{
	gpt_source_free(g->source);
	g->source = NULL;
}
