/* SPDX-License-Identifier: BSD-2-Clause */
/* gdoi-gcks: the Group Controller / Key Server of RFC 6407. */
#include <stdio.h>

#include "common/daemon/gkd_memory.h"
#include "gdoi/daemon/server.h"

/* RFC6407-4.1-01: who gets hold of one of the two keys has not got the other. */
static void
warn_of_shared_key(const struct gdoid_server *s)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		struct gk_slice push =
			gk_pubkey_spki(gk_signer_pubkey(s->groups[i].signer));

		for (size_t k = 0; k < s->phase1->ike.n_credentials; k++)
			if (gk_slice_equal(
				    push,
				    gk_pubkey_spki(gk_signer_pubkey(
					    s->phase1->credential[k].signer))))
				gkd_log(LOG_WARNING, "key",
				        "group %s: the key that signs PUSHes "
				        "is that of phase 1, too "
				        "(RFC6407-4.1-01)",
				        s->groups[i].name);
	}
}

static void
warn_of_keys(const struct gdoid_server *s)
{
	gdoid_phase1_warn(s->phase1);
	warn_of_shared_key(s);
}

static enum gkd_exit
check(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gdoid_server *s = d->state;
	enum gkd_exit rc;

	s->d = d;
	rc = gdoid_server_configure(s, why);
	/* A restarted daemon goes on under the policy that it remembers, however
	 * wrong the file is by now. */
	for (size_t i = 0;
	     d->only_checked && i < s->n_groups && rc == GKD_EXIT_OK; i++)
		rc = gdoid_policy_check(&s->groups[i], why);
	if (d->only_checked && rc == GKD_EXIT_OK)
		warn_of_keys(s);
	return rc;
}

static enum gkd_exit
start(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gdoid_server *s = d->state;
	enum gkd_exit rc;

	warn_of_keys(s);
	rc = gdoid_store_open(s, why);
	if (rc == GKD_EXIT_OK)
		rc = gdoid_groups_open(s, why);
	/* The ports first: another key server on this host must not find its
	 * sequence numbers used by us. */
	if (rc == GKD_EXIT_OK)
		rc = gdoid_workers_open(s, why);
	for (size_t i = 0; i < s->n_groups && rc == GKD_EXIT_OK; i++)
		rc = gdoid_policy_open(&s->groups[i], why);
	return rc;
}

static enum gkd_exit
ready(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gdoid_server *s = d->state;

	if (gkd_pool_start(s->pool) != GK_OK) {
		snprintf(why->text, sizeof(why->text),
		         "threads cannot be started");
		return GKD_EXIT_FAILURE;
	}
	/* A restarted group may have a rekey to send: now it can. */
	for (size_t i = 0; i < s->n_groups; i++) {
		(void)gdoi_group_tick(s->groups[i].group, gkd_now());
		gdoid_group_drain(&s->groups[i]);
	}
	gkd_commit_clock_taken(&s->commit);
	return GKD_EXIT_OK;
}

static void
reload(struct gkd_daemon *d)
{
	struct gdoid_server *s = d->state;
	struct gdoid_phase1 *fresh;
	struct gkd_why why;

	if (gdoid_phase1_load(d->config, &fresh, &why) != GK_OK) {
		gkd_reload_failed(d, why.text);
		return;
	}
	gdoid_phase1_warn(fresh);
	gdoid_workers_set_phase1(s, fresh);
	for (size_t i = 0; i < s->n_groups; i++) {
		gdoid_group_reload(&s->groups[i]);
		gdoid_policy_close(&s->groups[i]);
		if (gdoid_policy_open(&s->groups[i], &why) != GKD_EXIT_OK)
			gkd_log(LOG_ERR, "cfg", "%s", why.text);
	}
	gkd_log(LOG_NOTICE, "cfg",
	        "keys, certificates, CRLs and policies are read again");
	gkd_events_emit(d->events, "reloaded", NULL);
}

static void
stop(struct gkd_daemon *d)
{
	struct gdoid_server *s = d->state;

	gdoid_workers_close(s);
	gdoid_groups_close(s);
	gkd_commit_close(&s->commit);
	gdoid_phase1_free(s->phase1);
	gdoid_phase1_sweep(s, true);
	gk_wipe(s->secret, sizeof(s->secret));
}

int
main(int argc, char **argv)
{
	static struct gdoid_server server;
	static const struct gkd_program program = {
		.name = "gdoi-gcks",
		.summary = "Group Controller / Key Server for GDOI (RFC 6407).",
		.xsd = "gdoi-gcks.xsd",
		.commands = gdoid_server_commands,
		.check = check,
		.start = start,
		.ready = ready,
		.reload = reload,
		.status = gdoid_server_status,
		.stop = stop,
		.files_max = 8192,
	};

	gkd_memory_keep();
	return gkd_main(&program, &server, argc, argv);
}
