/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "gsakmp/engine/group_judge.h"
#include "gsakmp/payload/notification.h"

/* What follows when members are judged anew: with the lock; see group_judge.c. */
static bool
registers(const struct gsakmp_group *g, const struct gk_member *m)
{
	return gsakmp_session_find(&g->sessions, gk_buf_slice(&m->identity)) !=
	       NULL;
}

/* What is left of its permissions may be enough. */
static enum gk_err
still_admitted(struct gsakmp_judge *j, const struct gsakmp_suspect *s,
               struct gk_member *m, bool *admitted)
{
	struct gk_slice slices[GSAKMP_MEMBER_CA_MAX];
	struct gsakmp_member_info info;
	struct gk_identity id;
	struct gpt_party party;
	enum gk_err err;

	err = gsakmp_group_member_get(j->g, m, &info);
	/* Others: it has registered anew, and was judged for that. */
	if (err == GK_OK && info.permissions == s->permissions) {
		info.permissions = s->permissions_now;
		info.until = s->until_now;
		gsakmp_member_party(&info, &id, slices, &party);
		*admitted = gpt_access_member(j->g->policy->reg, &party, NULL);
		if (*admitted || s->verdict != GSAKMP_LESS)
			err = gsakmp_group_member_note(j->g, m, &info);
		if (*admitted || s->verdict != GSAKMP_LESS)
			j->g->judging->noted = true;
	}
	gsakmp_member_info_free(&info);
	return err;
}

/*
 * They may have left, or joined anew, while their certificates were looked at.  A
 * revoked certificate does not get better by that; another may have come in place
 * of one that has expired.
 */
enum gk_err
gsakmp_judge_ends(struct gsakmp_judge *j, const struct gsakmp_suspect *s,
                  struct gk_member *m, bool *out)
{
	bool admitted = true;

	*out = s->verdict == GSAKMP_REVOKED && GK_CHECKED("RFC4535-4.2-02");
	if (*out || gsakmp_member_until(gk_member_blob(m)) != s->until)
		return GK_OK;
	/* Its record, too, is what a registration has made of it since. */
	if (s->verdict == GSAKMP_UNREADABLE) {
		*out = m->id == s->id && !registers(j->g, m);
		return GK_OK;
	}
	if (s->verdict == GSAKMP_EXPIRED) {
		*out = GK_CHECKED("RFC4535-4.2-02");
		return GK_OK;
	}
	if (s->verdict == GSAKMP_LESS || s->until_now != s->until)
		GK_TRY(still_admitted(j, s, m, &admitted));
	*out = s->verdict == GSAKMP_LESS && !admitted &&
	       GK_CHECKED("RFC4535-4.2-02");
	return GK_OK;
}

static enum gk_err
tell(struct gsakmp_group *g, const struct gsakmp_suspect *s)
{
	static const char *const reasons[] = {
		[GSAKMP_REVOKED] = "the certificate is revoked",
		[GSAKMP_EXPIRED] = "the certificate has expired",
		[GSAKMP_LESS] = "a permission that it was admitted with has "
				"ended",
		[GSAKMP_UNREADABLE] = "its record in the store cannot be read",
	};
	struct gsakmp_output *out =
		gsakmp_outputs_add(&g->out, GSAKMP_OUT_ACCESS_ENDED);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->peer = gk_buf_slice(&s->peer);
	out->text = reasons[s->verdict];
	return gsakmp_outputs_own(&g->out);
}

/* Without a key of its own a subordinate asks the primary for one.  Who was
 * revoked is not to come back; who has let a date pass is, with a better one. */
static enum gk_err
expel(struct gsakmp_judge *j, const struct gsakmp_suspect *s,
      struct gk_member *m)
{
	return gsakmp_group_expel(j->g, m,
	                          s->verdict == GSAKMP_REVOKED
	                                  ? GSAKMP_EXPULSION_BARRED
	                                  : GSAKMP_EXPULSION_GONE,
	                          j->now);
}

/* Those who go, each once, whatever seats it has had in this round. */
struct leaving {
	struct gk_index
		by; /* their names, which are in the list of the round */
	struct gk_member **out;
	size_t n;
};

static enum gk_err
let_go(struct gsakmp_judge *j, const struct gsakmp_suspect *s,
       struct gk_member *m, struct leaving *l)
{
	struct gsakmp_group *g = j->g;
	enum gk_err err;

	if (!g->cfg.subordinate)
		GK_TRY(gk_index_add(&l->by, gk_buf_slice(&s->peer), m));
	g->judge_count.ended++;
	GK_TRY(tell(g, s));
	if (!g->cfg.subordinate) {
		l->out[l->n++] = m;
		return GK_OK;
	}
	/* One that cannot be told of keeps nobody. */
	err = expel(j, s, m);
	g->judging->stuck |= err != GK_OK;
	g->judging->noted = true;
	return err == GK_ERR_NOMEM ? err : GK_OK;
}

static enum gk_err
collect(struct gsakmp_judge *j, struct leaving *l)
{
	struct gsakmp_group *g = j->g;
	const struct gsakmp_suspects *found = &g->judging->found;

	for (size_t i = 0; i < found->n && g->data != NULL; i++) {
		const struct gsakmp_suspect *s = &found->at[i];
		struct gk_slice peer = gk_buf_slice(&s->peer);
		struct gk_member *m = gk_group_find(g->data, peer);
		bool out_it_is = false;
		enum gk_err err;

		if (m == NULL || gk_index_find(&l->by, peer) != NULL)
			continue;
		err = gsakmp_judge_ends(j, s, m, &out_it_is);
		if (err == GK_ERR_NOMEM)
			return err;
		if (out_it_is || err != GK_OK)
			GK_TRY(let_go(j, s, m, l));
	}
	return GK_OK;
}

enum gk_err
gsakmp_judge_leave_out(struct gsakmp_judge *j, struct gk_member **out)
{
	struct leaving l = { .out = out };
	struct gsakmp_rekey_cause cause = { .refresh = true,
		                            .sweep = true,
		                            .evict = out };
	const struct gsakmp_policy *policy = j->g->policy;
	enum gk_err err = collect(j, &l);

	gk_index_free(&l.by);
	GK_TRY(err);
	if (l.n == 0)
		return GK_OK;
	if (policy->rekey == NULL || !policy->lkh)
		return GK_ERR_POLICY;
	cause.n_evict = l.n;
	return gsakmp_group_plan(j->g, &cause, j->now);
}
