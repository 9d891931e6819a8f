/* SPDX-License-Identifier: BSD-2-Clause */
/* gdoi-gm: a group member of RFC 6407. */
#include <stdio.h>

#include "gdoi/daemon/member.h"

static enum gkd_exit
check(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gdoid_member *m = d->state;

	enum gkd_exit rc;
	const char *note;

	m->d = d;
	rc = gdoid_member_configure(m, why);
	note = rc == GKD_EXIT_OK && d->only_checked
	               ? gdoid_member_kernel_note(m)
	               : NULL;
	if (rc == GKD_EXIT_OK && d->only_checked)
		gdoid_phase1_warn(m->phase1);
	if (note != NULL)
		fprintf(stderr, "gdoi-gm: note: %s\n", note);
	return rc;
}

static enum gkd_exit
start(struct gkd_daemon *d, struct gkd_why *why)
{
	return gdoid_member_open(d->state, why);
}

static enum gkd_exit
ready(struct gkd_daemon *d, struct gkd_why *why)
{
	struct gdoid_member *m = d->state;

	if (d->control != NULL &&
	    gkd_control_stream(d->control, "keys", gdoid_member_key_stream,
	                       m) != GK_OK) {
		snprintf(why->text, sizeof(why->text), "out of memory");
		return GKD_EXIT_FAILURE;
	}
	for (size_t i = 0; i < m->cfg.n_groups; i++)
		if (m->group[i].join)
			(void)gdoi_gm_join(m->engine, i, gkd_now());
	gdoid_member_drain(m);
	return GKD_EXIT_OK;
}

/* Keys, certificates and CRLs again, and then the announcements: the certificate of
 * who signed them may be on one of those.  What SAs began under is kept until the
 * end. */
static void
reload(struct gkd_daemon *d)
{
	struct gdoid_member *m = d->state;
	struct gdoid_phase1 *phase1 = NULL;
	struct gkd_why why;

	if (gdoid_phase1_load(d->config, &phase1, &why) != GK_OK) {
		gdoid_phase1_free(phase1);
		gkd_reload_failed(d, why.text);
		return;
	}
	m->reloaded = phase1;
	gdoid_member_renew(m, true);
	m->reloaded = NULL;
	if (gdoid_announced_phase1(m, phase1, &why) != GK_OK) {
		gdoid_phase1_free(phase1);
		gkd_reload_failed(d, why.text);
		return;
	}
	gdoid_phase1_take(m, phase1);
	gdoid_member_drain(m);
	gkd_log(LOG_NOTICE, "cfg",
	        "keys, certificates and CRLs are read again");
	gkd_events_emit(d->events, "reloaded", NULL);
}

static void
stop(struct gkd_daemon *d)
{
	gdoid_member_part(d->state);
	gdoid_member_close(d->state);
}

int
main(int argc, char **argv)
{
	static struct gdoid_member member;
	static const struct gkd_program program = {
		.name = "gdoi-gm",
		.summary = "Group member for GDOI (RFC 6407).",
		.xsd = "gdoi-gm.xsd",
		.commands = gdoid_member_commands,
		.check = check,
		.start = start,
		.ready = ready,
		.reload = reload,
		.status = gdoid_member_status,
		.stop = stop,
		.files_max = 256,
	};

	return gkd_main(&program, &member, argc, argv);
}
