/* SPDX-License-Identifier: BSD-2-Clause */
/* gsakmp-gcks: the Group Controller / Key Server of RFC 4535. */
#include <stdio.h>
#include <stdlib.h>

#include "common/daemon/gkd_memory.h"
#include "gsakmp/daemon/server.h"

static enum gkd_exit
check(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gsakmpd_server *s = d->state;

	enum gkd_exit rc;

	s->d = d;
	rc = gsakmpd_server_configure(s, why);
	for (size_t i = 0; d->only_checked && i < s->n_groups; i++)
		if (rc == GKD_EXIT_OK)
			rc = gsakmpd_token_check(&s->groups[i], why);
	return rc;
}

static enum gkd_exit
start(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gsakmpd_server *s = d->state;
	enum gkd_exit rc = gsakmpd_store_open(s, why);

	if (rc == GKD_EXIT_OK)
		rc = gsakmpd_bulletin_open(s, why);
	if (rc == GKD_EXIT_OK)
		rc = gsakmpd_groups_open(s, why);
	/* The ports first: another key server on this host must not find its
	 * sequence numbers used by us. */
	if (rc == GKD_EXIT_OK)
		rc = gsakmpd_workers_open(s, why);
	for (size_t i = 0; i < s->n_groups && rc == GKD_EXIT_OK; i++)
		rc = gsakmpd_token_open(&s->groups[i], why);
	return rc;
}

/* After certificates and CRLs were read, the first time too.  The other two the
 * group tells itself. */
static void
judge(struct gsakmpd_group *g)
{
	enum gk_err err = gsakmp_group_revocations(g->group, gkd_now());

	if (err != GK_OK && err != GK_ERR_POLICY && err != GK_ERR_IO)
		gkd_log(LOG_ERR, "auth", "members cannot be judged anew: %s",
		        gk_strerror(err));
}

static enum gkd_exit
ready(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gsakmpd_server *s = d->state;

	if (gkd_pool_start(s->pool) != GK_OK) {
		snprintf(why->text, sizeof(why->text),
		         "threads cannot be started");
		return GKD_EXIT_FAILURE;
	}
	/* A restarted group may have a rekey to announce: now it can. */
	for (size_t i = 0; i < s->n_groups; i++) {
		(void)gsakmp_group_tick(s->groups[i].group, gkd_now());
		judge(&s->groups[i]);
		gsakmpd_group_drain(&s->groups[i]);
		gsakmpd_receivers_begin(&s->groups[i]);
	}
	gkd_commit_clock_taken(&s->commit);
	return GKD_EXIT_OK;
}

static void
free_retired(struct gsakmpd_server *s)
{
	struct gsakmpd_party *p;

	while ((p = s->retired) != NULL) {
		s->retired = p->older;
		gsakmpd_party_free(p);
	}
}

/* With credentials that the tokens in force do not name, or that cannot sign as they
 * say, the members would be lost. */
static bool
serves(struct gsakmpd_server *s, struct gsakmpd_party *party,
       struct gkd_why *why)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		const struct gsakmpd_group *g = &s->groups[i];
		struct gsakmp_party p =
			gsakmpd_owner_party(g->go, &party->party);
		struct gsakmp_reject reject = { 0 };
		char reason[GKD_CAUSE_TEXT];
		enum gk_err err =
			gsakmp_group_serves(g->group, &p, gkd_now(), &reject);

		if (err == GK_OK && g->upstream != NULL &&
		    gsakmpd_membership_suits(g->upstream, party, why) != GK_OK)
			return false;
		if (err == GK_OK)
			continue;
		snprintf(
			why->text, sizeof(why->text),
			"<identity>: not for group '%s': %.300s (%s)", g->name,
			gsakmpd_report_found(reason, &reject, gk_strerror(err)),
			reject.req != NULL ? reject.req : "-");
		return false;
	}
	return true;
}

/* All groups have the party before a worker is told: who has been told can find the
 * one before nowhere any more. */
static void
use_party(struct gsakmpd_server *s)
{
	for (size_t i = 0; i < s->n_groups; i++)
		gsakmpd_group_reload(&s->groups[i]);
	gsakmpd_workers_set_party(s);
	for (size_t i = 0; i < s->n_groups; i++) {
		judge(&s->groups[i]);
		gsakmpd_group_drain(&s->groups[i]);
		gsakmpd_upstream_set_party(&s->groups[i]);
	}
}

/* Whoever was revoked is, also when our own key can be read by root alone, or is not
 * one that we can have. */
static void
refuse_party(struct gsakmpd_server *s, const char *reason)
{
	struct gkd_why unread;

	gkd_reload_failed(s->d, reason);
	if (gsakmpd_party_reload_crls(s->d->config, s->party, &unread) == GK_OK)
		use_party(s);
	else
		gkd_log(LOG_ERR, "cfg", "%s", unread.text);
}

static void
reload(struct gkd_daemon *d)
{
	struct gsakmpd_server *s = d->state;
	struct gsakmpd_party *party;
	struct gkd_why why;

	if (gsakmpd_party_load(d->config, &party, &why) != GK_OK) {
		refuse_party(s, why.text);
		return;
	}
	if (!serves(s, party, &why)) {
		gsakmpd_party_free(party);
		refuse_party(s, why.text);
		return;
	}
	/* Two reloads can be faster than a worker: as long as one of them has
	 * not taken the last party, the ones before may be in its hands. */
	if (atomic_load(&s->handovers) == 0)
		free_retired(s);
	s->party->older = s->retired;
	s->retired = s->party;
	s->party = party;
	use_party(s);
	for (size_t i = 0; i < s->n_groups; i++) {
		gsakmpd_receivers_reload(&s->groups[i]);
		gsakmpd_token_close(&s->groups[i]);
		if (gsakmpd_token_open(&s->groups[i], &why) != GKD_EXIT_OK) {
			gkd_log(LOG_ERR, "cfg", "%s", why.text);
			gkd_reload_fault(d, why.text);
		}
	}
	gkd_log(LOG_NOTICE, "cfg", "certificates and CRLs are read again");
	gkd_events_emit(d->events, "reloaded", NULL);
}

static void
stop(struct gkd_daemon *d)
{
	struct gsakmpd_server *s = d->state;

	gsakmpd_workers_close(s);
	gsakmpd_groups_close(s);
	gsakmpd_bulletin_close(s);
	gkd_commit_close(&s->commit);
	gsakmpd_party_free(s->party);
	gsakmpd_fetch_config_free(&s->by_url);
	free_retired(s);
}

int
main(int argc, char **argv)
{
	static struct gsakmpd_server server;
	static const struct gkd_program program = {
		.name = "gsakmp-gcks",
		.summary = "Group Controller / Key Server for GSAKMP "
			   "(RFC 4535).",
		.xsd = "gsakmp-gcks.xsd",
		.commands = gsakmpd_server_commands,
		.check = check,
		.start = start,
		.ready = ready,
		.reload = reload,
		.status = gsakmpd_server_status,
		.stop = stop,
		.files_max = 8192,
	};

	gkd_memory_keep();
	return gkd_main(&program, &server, argc, argv);
}
