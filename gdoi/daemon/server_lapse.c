/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "gdoi/daemon/server.h"

/*
 * The Group Owner's token in force, judged again: at a restart, when certificates
 * and CRLs are read again, and as time passes.
 *
 * It was accepted when it came, and members have its keys.  When it would not be
 * accepted today - its signer's certificate has expired, was revoked or replaced -
 * the group goes on for them; whether anybody new is admitted says <token>.
 */
#define LOOK_AGAIN_S 60 /* what the certificates do not say when */

static enum gk_err
verify(const struct gdoid_group *g, struct gk_slice cms, int64_t *until,
       char why[256])
{
	const struct gpt_owner owner = gdoid_policy_owner(g);
	struct gpt_verified v = { 0 };
	struct gpt_fault fault = { 0 };
	enum gk_err err = gpt_token_verify(cms, &owner, NULL, gkd_now().utc_s,
	                                   &v, &fault);

	if (err != GK_OK) {
		gpt_fault_format(&fault, why, 256);
		return err;
	}
	*until = gk_cert_not_after(v.signer);
	gpt_verified_free(&v);
	return GK_OK;
}

static void
tell(struct gdoid_group *g, bool lapsed)
{
	struct gkd_events *events = g->server->d->events;
	struct gkd_about about = { .group = g->name };

	if (lapsed)
		gkd_log_about(LOG_WARNING, "fsm", &about,
		              "its policy token would not be accepted today: "
		              "%s; %s",
		              g->lapse,
		              g->lapsed_serve
		                      ? "members are admitted all the "
		                        "same, as <token> says so"
		                      : "nobody new can register until "
		                        "the Group Owner sends another");
	else
		gkd_log_about(LOG_NOTICE, "fsm", &about,
		              "its policy token is acceptable again");
	if (lapsed)
		gkd_events_emit(events, "token-lapsed",
		                json_pack("{s:s, s:o, s:b}", "group", g->name,
		                          "reason", gkd_json_text(g->lapse),
		                          "admits", g->lapsed_serve));
	else
		gkd_events_emit(events, "token-valid",
		                json_pack("{s:s}", "group", g->name));
}

/* When to look again: the signer's own certificate says when it ends; what else
 * there is of the path is found out within a minute. */
static void
later(struct gdoid_group *g, int64_t until)
{
	struct gk_now now = gkd_now();
	uint64_t wait_s = LOOK_AGAIN_S;

	if (until >= now.utc_s && until - now.utc_s < LOOK_AGAIN_S)
		wait_s = (uint64_t)(until - now.utc_s) + 1;
	gkd_timer_set(g->lapse_timer, now.mono_ms + 1000 * wait_s);
}

void
gdoid_lapse_judge(struct gdoid_group *g)
{
	struct gdoi_group_status st;
	bool before = g->lapse[0] != '\0', lapsed;
	char why[256] = "";
	int64_t until = INT64_MAX;
	struct gk_buf cms;
	enum gk_err err;

	gdoi_group_status(g->group, &st);
	if (g->policy_file != NULL || !st.open)
		return;
	later(g, until);
	if (gdoid_store_get_policy(g, &cms) != GK_OK)
		return;
	err = verify(g, gk_buf_slice(&cms), &until, why);
	gk_buf_free(&cms);
	later(g, until);
	if (err == GK_ERR_NOMEM)
		return;
	lapsed = err != GK_OK;
	snprintf(g->lapse, sizeof(g->lapse), "%s", why);
	/* A new policy knows nothing of what was said of the one before. */
	gdoi_group_set_lapsed(g->group, lapsed && !g->lapsed_serve);
	if (lapsed != before)
		tell(g, lapsed);
}

static void
on_timer(void *arg)
{
	gdoid_lapse_judge(arg);
}

enum gk_err
gdoid_lapse_open(struct gdoid_group *g)
{
	g->lapse_timer = gkd_timer_new(g->server->d->loop, on_timer, g);
	return g->lapse_timer == NULL ? GK_ERR_NOMEM : GK_OK;
}

void
gdoid_lapse_close(struct gdoid_group *g)
{
	gkd_timer_free(g->lapse_timer);
	g->lapse_timer = NULL;
}
