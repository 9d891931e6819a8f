/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gsakmp/daemon/server.h"
#include "policy-tokens/owner/gpt_subscription.h"

#define RETRY_MIN_MS 500 /* between attempts to reach the Group Owner ... */
#define RETRY_MAX_MS 30000
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

/* ---- from the Group Owner's daemon --------------------------------------- */

/* The name of the group in its tokens, which is how the Group Owner knows it. */
static enum gk_err
token_name(const struct gsakmpd_group *g, struct gk_buf *out)
{
	return gpt_dialect_group_name(
		(enum gpt_token_groupname)g->dialect.token_groupname,
		g->cfg.group_id_type, gk_buf_slice(&g->group_id), out);
}

static enum gk_err
on_token(void *arg, struct gk_slice group, struct gk_slice token, char why[256])
{
	struct gsakmpd_group *g = arg;
	struct gsakmp_reject reject;
	struct gk_buf name = { 0 };
	enum gk_err err = token_name(g, &name);
	bool ours = err == GK_OK && gk_slice_equal(group, gk_buf_slice(&name));

	gk_buf_free(&name);
	if (!ours) {
		snprintf(why, 256, "not a group of this subscription");
		return GK_ERR_UNEXPECTED;
	}
	err = gsakmpd_token_accept(g, token, &reject);
	if (err != GK_OK) {
		gsakmpd_report_reason(why, &reject, gk_strerror(err));
		return err;
	}
	/* Acknowledged is what is on the disk. */
	if (g->server->commit.failed) {
		snprintf(why, 256, "the key server's store failed");
		return GK_ERR_IO;
	}
	return GK_OK;
}

static void
on_owner(void *arg, bool up, const char *text)
{
	struct gsakmpd_group *g = arg;
	struct gkd_about about = { .group = g->name };

	gkd_log_about(up ? LOG_INFO : LOG_WARNING, "io", &about,
	              "Group Owner: %s", text);
	gkd_events_emit(g->server->d->events, up ? "owner-up" : "owner-down",
	                json_pack("{s:s, s:o}", "group", g->name, "reason",
	                          gkd_json_text(text)));
}

/* Whom the Group Owner's TLS certificate has to name. */
static enum gk_err
owner_name(struct gsakmpd_group *g, struct gk_buf *octets,
           struct gk_identity *id)
{
	const struct gsakmp_party p = gsakmpd_group_party(g);

	*octets = (struct gk_buf){ 0 };
	if (p.go_id != NULL) {
		*id = *p.go_id;
		return GK_OK;
	}
	return gk_identity_of_cert(p.go_cert, GK_ID_DN_STRING,
	                           GK_DN_COMPARE_RFC4514, octets, id);
}

static enum gk_err
read_credentials(struct gsakmpd_group *g, struct gk_buf *cert,
                 struct gk_buf *key, struct gk_buf *passphrase,
                 struct gkd_why *why)
{
	struct gkd_config *config = g->server->d->config;
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "identity");
	struct gk_buf chain = { 0 };
	enum gk_err err;

	err = gkd_elem_file(config, e, "@certificate", GKD_FILE_MAX, cert, why);
	if (err == GK_OK && gkd_elem_has(e, "@chain")) {
		err = gkd_elem_file(config, e, "@chain", GKD_FILE_MAX, &chain,
		                    why);
		if (err == GK_OK)
			err = gk_buf_append(cert, gk_buf_slice(&chain));
		gk_buf_free(&chain);
	}
	if (err == GK_OK)
		err = gkd_elem_file(config, e, "@key", GKD_FILE_MAX, key, why);
	if (err == GK_OK)
		err = gkd_passphrase_load(config, e, passphrase, why);
	return err;
}

static enum gkd_exit
subscribe(struct gsakmpd_group *g, struct gkd_why *why)
{
	const struct gsakmp_party party = gsakmpd_group_party(g);
	const struct gpt_subscription_ops ops = { on_token, on_owner, g };
	struct gpt_subscription_config cfg = {
		.server = g->owner,
		.trust = party.go_trust != NULL ? party.go_trust : party.trust,
		.retry_min_ms = RETRY_MIN_MS,
		.retry_max_ms = RETRY_MAX_MS,
	};
	struct gk_buf cert = { 0 }, key = { 0 }, pass = { 0 }, name = { 0 };
	char text[256] = "out of memory";
	enum gk_err err;

	err = read_credentials(g, &cert, &key, &pass, why);
	if (err == GK_OK)
		err = owner_name(g, &name, &cfg.server_id);
	if (err == GK_OK) {
		cfg.cert_pem = gk_buf_slice(&cert);
		cfg.key_pem = gk_buf_slice(&key);
		cfg.passphrase = (const char *)pass.ptr;
		err = gpt_subscription_new(&g->subscription, g->server->d->loop,
		                           &cfg, &ops, text);
		gk_buf_free(&name);
		if (err == GK_OK)
			err = token_name(g, &name);
		if (err == GK_OK)
			err = gpt_subscription_add(g->subscription,
			                           gk_buf_slice(&name), NULL);
		if (err != GK_OK)
			snprintf(why->text, sizeof(why->text),
			         "subscription of group '%s': %s", g->name,
			         text);
	}
	gk_buf_free(&cert);
	gk_buf_free(&key);
	gk_buf_free(&pass);
	gk_buf_free(&name);
	if (err != GK_OK)
		return GKD_EXIT_CONFIG;
	gpt_subscription_start(g->subscription);
	return GKD_EXIT_OK;
}

/* ---- opening and closing -------------------------------------------------- */

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
	if (g->subscribe)
		return subscribe(g, why);
	if (g->upstream != NULL) { /* tokens come from the primary */
		if (g->upstream_started)
			return GKD_EXIT_OK;
		g->upstream_started = true;
		return gsakmpd_upstream_start(g) == GK_OK ? GKD_EXIT_OK
		                                          : GKD_EXIT_FAILURE;
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
	gpt_subscription_free(g->subscription);
	g->subscription = NULL;
	gkd_timer_free(g->watch);
	g->watch = NULL;
}
