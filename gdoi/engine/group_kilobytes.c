/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/group_state.h"

/*
 * RFC 2407 section 4.5: kilobytes are counted by members alone, and all that we see
 * of one who has used them up is that it registers again.  The SA is replaced for
 * everybody then, within bounds: one member alone must not have all the others
 * change keys all the time, and a key server that starts again must not give it
 * another hour's share.
 */
#define SHARE_MS 3600000 /* that worn_max is for */

static enum gk_err
say(struct gdoi_group *g, const struct gk_member *m, bool refused)
{
	struct gdoi_output *out = gdoi_outputs_add(&g->out, GDOI_OUT_KILOBYTES);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gk_buf_slice(&g->id);
	out->peer = gk_buf_slice(&m->identity);
	out->member_id = m->id;
	out->refused = refused;
	out->text = refused ? "it has had its share of replaced SAs for this "
	                      "hour; it is served, and the SA stays"
	                    : "it registers again, and may have used an SA up, "
	                      "which is replaced";
	return gdoi_outputs_own(&g->out);
}

/* What one registration asks for is one rekey, of however many SAs. */
static enum gk_err
spend(struct gdoi_group *g, struct gk_member *m, struct gdoi_wear *w,
      struct gk_now now)
{
	struct gdoi_member *info = gdoi_member_of(g, m->id);
	unsigned most = g->cfg.worn_max;

	w->asked = true;
	if (info == NULL)
		return GK_OK;
	if (info->worn == 0 || now.mono_ms - info->worn_ms >= SHARE_MS) {
		info->worn_ms = now.mono_ms;
		info->worn_utc = now.utc_s;
		info->worn = 0;
	}
	w->granted = info->worn < most;
	if (info->worn > most)
		return GK_OK; /* it has been said */
	info->worn++;
	GK_TRY(gdoi_member_save(g, m, (struct gk_slice){ 0 }));
	return say(g, m, !w->granted);
}

enum gk_err
gdoi_tek_wear(struct gdoi_group *g, struct gk_member *m, struct gdoi_data_sa *t,
              struct gdoi_wear *w, struct gk_now now)
{
	if (t->sat.protocol == GDOI_PROTOCOL_IEC_61850 ||
	    t->sat.ipsec.life_kb == 0 || t->state != GDOI_TEK_CURRENT ||
	    t->worn)
		return GK_OK;
	if (!w->asked)
		GK_TRY(spend(g, m, w, now));
	if (!w->granted)
		return GK_OK;
	t->worn = true;
	GK_TRY(gdoi_tek_save(g, t));
	gdoi_group_timers(g, now);
	return GK_OK;
}
