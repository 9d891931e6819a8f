/* SPDX-License-Identifier: BSD-2-Clause */
/* gsakmp-gm: a Group Member of RFC 4535. */
#include <stdio.h>

#include "gsakmp/daemon/membership.h"

static enum gkd_exit
check(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gsakmpd_membership *m = d->state;

	m->d = d;
	return gsakmpd_membership_configure(m, why);
}

static enum gkd_exit
start(struct gkd_daemon *d, struct gkd_why *why)
{
	return gsakmpd_membership_open(d->state, why);
}

static enum gkd_exit
ready(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gsakmpd_membership *m = d->state;

	if (d->control != NULL &&
	    gkd_control_stream(d->control, "keys", gsakmpd_keys_stream, m) !=
	            GK_OK) {
		snprintf(why->text, sizeof(why->text), "out of memory");
		return GKD_EXIT_FAILURE;
	}
	if (m->join_at_start)
		gsakmpd_retry_asked(m, gsakmpd_membership_join(m));
	gsakmpd_membership_drain(m);
	return GKD_EXIT_OK;
}

static enum gk_err
renew_party(struct gsakmpd_membership *m, struct gkd_why *why)
{
	struct gsakmpd_party *old = m->party, *fresh;

	GK_TRY(gsakmpd_party_load(m->d->config, &fresh, why));
	if (gsakmpd_membership_suits(m, fresh, why) != GK_OK) {
		gsakmpd_party_free(fresh);
		return GK_ERR_VALUE;
	}
	m->party = fresh;
	m->cfg.party = fresh->party;
	gsakmp_gm_set_party(m->engine, &m->cfg.party);
	gsakmpd_party_free(old);
	return GK_OK;
}

static void
reload(struct gkd_daemon *d)
{
	struct gsakmpd_membership *m = d->state;
	struct gkd_why why, unread;
	enum gk_err err = renew_party(m, &why);

	/* Whoever was revoked is, also when a key can be read by root alone. */
	if (err != GK_OK &&
	    gsakmpd_party_reload_crls(d->config, m->party, &unread) == GK_OK)
		(void)gsakmp_gm_revocations(m->engine, gkd_now());
	/* The certificate of who signed it may be on one of them. */
	(void)gpt_announced_renew(&m->announced, true);
	gsakmpd_membership_drain(m);
	if (err == GK_OK) {
		(void)gsakmp_gm_revocations(m->engine, gkd_now());
		gsakmpd_membership_drain(m);
		gkd_log(LOG_NOTICE, "cfg",
		        "certificates and CRLs are read again");
		gkd_events_emit(d->events, "reloaded", NULL);
		return;
	}
	gkd_reload_failed(d, why.text);
}

static void
stop(struct gkd_daemon *d)
{
	gsakmpd_membership_close(d->state);
}

int
main(int argc, char **argv)
{
	static struct gsakmpd_membership membership;
	static const struct gkd_program program = {
		.name = "gsakmp-gm",
		.summary = "Group Member for GSAKMP (RFC 4535).",
		.xsd = "gsakmp-gm.xsd",
		.commands = gsakmpd_membership_commands,
		.check = check,
		.start = start,
		.ready = ready,
		.reload = reload,
		.status = gsakmpd_membership_status,
		.stop = stop,
		.files_max = 256,
	};

	return gkd_main(&program, &membership, argc, argv);
}
