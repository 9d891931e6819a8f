/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "gsakmp/engine/group_judge.h"

/*
 * Members judged anew.  Access was granted to a name under a certificate
 * (RFC4535-4.2-02), maybe with permissions that attribute certificates gave (RFC
 * 4534 B.1.2); when that is revoked or expires, so does the access.  Everybody is
 * looked at when there are new CRLs, and whose dates are over when they are.
 *
 * A path that cannot be built any more for other reasons - a CRL that is late, an
 * authority that somebody took out of the configuration - ends nothing.
 *
 * A group may have a million members, and its thread has other things to do.  So
 * a round goes by slices: a few members in each tick, and between two of them the
 * deadline is now.  Who has to go goes together, with one rekey for all who were
 * found within FOUND_MS.  Nothing of a round is durable: after a restart
 * everybody is looked at anyway.
 *
 * Whose record cannot be read cannot be judged.  As long as the store answers for
 * others, that is looked at once more after DOUBT_MS, and then the access has
 * ended, until the next registration makes a new record.  When it answers for
 * nobody, the round stops where it is, and goes on later.
 */
#define JUDGE_GAP_MS 1000      /* between looks at the dates ... */
#define JUDGE_MAX_MS 3600000ll /* ... for clocks are set, too */
#define FOUND_MS 1000
#define FOUND_MAX 65536
#define DOUBT_MS 1000
#define DOUBT_MAX 65536
#define BROKEN_MS 10000 /* the store: until the next try */

/* ---- when ---------------------------------------------------------------- */

void
gsakmp_group_judge_by(struct gsakmp_group *g, uint32_t until, struct gk_now now)
{
	int64_t ms;
	uint64_t at;

	if (until == 0 || g->cfg.recheck != GSAKMP_RECHECK_VALIDITY)
		return;
	if (g->judge_utc == 0 || until < g->judge_utc)
		g->judge_utc = until;
	ms = until <= now.utc_s ? 0 : ((int64_t)until - now.utc_s) * 1000;
	at = now.mono_ms + (uint64_t)(ms < JUDGE_MAX_MS ? ms : JUDGE_MAX_MS);
	if (at < g->judge_at)
		g->judge_at = at;
}

void
gsakmp_group_judge_arm(struct gsakmp_group *g, struct gk_now now)
{
	struct gk_member *m;
	size_t cursor = 0;

	g->judge_at = GK_NEVER;
	g->judge_utc = 0;
	while (g->data != NULL && (m = gk_group_each(g->data, &cursor)) != NULL)
		gsakmp_group_judge_by(g, gsakmp_member_until(gk_member_blob(m)),
		                      now);
}

/* ---- lists --------------------------------------------------------------- */

/* Moves *@s. */
static enum gk_err
suspects_add(struct gsakmp_suspects *l, struct gsakmp_suspect *s)
{
	struct gsakmp_suspect *grown;

	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 16 : l->cap * 2;

		grown = reallocarray(l->at, cap, sizeof(*grown));
		if (grown == NULL)
			return GK_ERR_NOMEM;
		l->at = grown;
		l->cap = cap;
	}
	l->at[l->n++] = *s;
	*s = (struct gsakmp_suspect){ .id = 0 };
	return GK_OK;
}

static void
suspects_free(struct gsakmp_suspects *l)
{
	for (size_t i = 0; i < l->n; i++)
		gsakmp_suspect_clear(&l->at[i]);
	free(l->at);
	*l = (struct gsakmp_suspects){ .n = 0 };
}

void
gsakmp_group_round_free(struct gsakmp_round *r)
{
	if (r == NULL)
		return;
	suspects_free(&r->found);
	suspects_free(&r->doubt);
	for (size_t i = 0; i < GSAKMP_CHAINS_MAX; i++)
		gk_certs_free(&r->chain[i]);
	free(r);
}

/* ---- who: a slice of a round ---------------------------------------------- */

static enum gk_err
need_chain(struct gsakmp_judge *j, uint16_t number)
{
	struct gsakmp_round *r = j->g->judging;

	if (number == 0 || r->have_chain[number - 1])
		return GK_OK;
	GK_TRY(gsakmp_group_chain_certs(j->g, number - 1u,
	                                &r->chain[number - 1]));
	r->have_chain[number - 1] = true;
	return GK_OK;
}

/* What cannot be decoded is found out when it is looked at: there is no DER. */
static enum gk_err
note_info(struct gsakmp_judge *j, struct gsakmp_suspect *s,
          const struct gk_member *m)
{
	struct gsakmp_member_info info;
	enum gk_err err = gsakmp_member_info_decode(gk_buf_slice(&m->identity),
	                                            gk_member_blob(m), &info);

	if (err == GK_OK) {
		s->until = s->until_now = info.until;
		s->permissions = s->permissions_now = info.permissions;
		/* Without one, as far as the path goes. */
		s->chain = info.chain <= j->g->n_chains ? info.chain : 0;
		s->der = info.der;
		s->grants = info.grants;
		info.der = info.grants = (struct gk_buf){ 0 };
	} else if (err != GK_ERR_NOMEM) {
		s->verdict = GSAKMP_UNREADABLE;
		s->until = gsakmp_member_until(gk_member_blob(m));
		err = GK_OK;
	}
	gsakmp_member_info_free(&info);
	GK_TRY(err);
	err = need_chain(j, s->chain);
	if (err == GK_OK || err == GK_ERR_NOMEM)
		return err;
	s->chain = 0;
	return GK_OK;
}

static enum gk_err
note_member(struct gsakmp_judge *j, const struct gk_member *m, size_t seat,
            bool wrapped)
{
	struct gsakmp_suspect *s = &j->list[j->n++];
	const struct gsakmp_session *session = gsakmp_session_find(
		&j->g->sessions, gk_buf_slice(&m->identity));

	*s = (struct gsakmp_suspect){ .id = m->id,
		                      .seat = seat,
		                      .wrapped = wrapped,
		                      .ticket = j->g->commits.made };
	GK_TRY(gk_buf_copy(&s->peer, gk_buf_slice(&m->identity)));
	if (session != NULL && session->cert != NULL)
		GK_TRY(gk_buf_copy(&s->joining, gk_cert_der(session->cert)));
	return note_info(j, s, m);
}

/* Nobody it concerns: not by this round, or only when its date comes. */
static bool
concerned(struct gsakmp_judge *j, const struct gk_member *m)
{
	uint32_t until = gsakmp_member_until(gk_member_blob(m));

	if (j->g->judging->all || (until != 0 && until <= j->now.utc_s))
		return true;
	gsakmp_group_judge_by(j->g, until, j->now);
	return false;
}

static const struct gk_member *
next_seat(struct gsakmp_group *g)
{
	struct gsakmp_round *r = g->judging;
	const struct gk_member *m;

	if (g->data == NULL || r->walked)
		return NULL;
	m = gk_group_each(g->data, &r->cursor);
	if (m == NULL && !r->wrapped) {
		r->wrapped = true;
		r->cursor = 0;
		m = gk_group_each(g->data, &r->cursor);
	}
	if (m == NULL || (r->wrapped && r->cursor > r->start)) {
		r->walked = true;
		return NULL;
	}
	return m;
}

static enum gk_err
take_seats(struct gsakmp_judge *j)
{
	struct gsakmp_round *r = j->g->judging;
	size_t end = r->cursor + GSAKMP_SLICE_SEATS;

	while (j->n < GSAKMP_SLICE_MEMBERS && r->cursor < end) {
		size_t seat = r->cursor;
		bool wrapped = r->wrapped;
		const struct gk_member *m = next_seat(j->g);

		if (m == NULL)
			break;
		if (!concerned(j, m))
			continue;
		j->g->judge_count.looked_at++;
		GK_TRY(note_member(j, m, seat, wrapped));
	}
	return GK_OK;
}

static bool
doubts_are_due(const struct gsakmp_round *r, struct gk_now now)
{
	return r->doubt.n != 0 && (r->doubt.n >= DOUBT_MAX ||
	                           (r->walked && r->doubt_at <= now.mono_ms));
}

/* The last ones first: which does not matter. */
static enum gk_err
take_doubts(struct gsakmp_judge *j)
{
	struct gsakmp_round *r = j->g->judging;

	while (j->n < GSAKMP_SLICE_MEMBERS && r->doubt.n != 0 &&
	       j->g->data != NULL) {
		struct gsakmp_suspect *d = &r->doubt.at[r->doubt.n - 1];
		const struct gk_member *m =
			gk_group_find(j->g->data, gk_buf_slice(&d->peer));
		uint64_t ticket = d->ticket;
		bool same = m != NULL && m->id == d->id;
		enum gk_err err = GK_OK;

		if (same)
			err = note_member(j, m, 0, false);
		if (same)
			j->list[j->n - 1].ticket = ticket;
		GK_TRY(err);
		gsakmp_suspect_clear(d);
		r->doubt.n--;
	}
	return GK_OK;
}

/* ---- a slice ---------------------------------------------------------------- */

/* Everybody who was found, with one rekey. */
static enum gk_err
conclude(struct gsakmp_judge *j)
{
	struct gsakmp_suspects *found = &j->g->judging->found;
	struct gk_member **out = calloc(found->n + 1, sizeof(*out));
	enum gk_err err;

	if (out == NULL)
		return GK_ERR_NOMEM;
	err = gsakmp_judge_leave_out(j, out);
	free(out);
	suspects_free(found);
	j->g->judging->stuck |= err != GK_OK;
	return err;
}

static enum gk_err
find(struct gsakmp_judge *j, struct gsakmp_suspect *s)
{
	struct gsakmp_round *r = j->g->judging;

	if (r->found.n == 0)
		r->found_at = j->now.mono_ms;
	return suspects_add(&r->found, s);
}

/* One that could not be read: for another look, or for good. */
static enum gk_err
doubt(struct gsakmp_judge *j, struct gsakmp_suspect *s, enum gk_err why,
      bool again)
{
	struct gsakmp_round *r = j->g->judging;

	if (!again) {
		r->doubt_at = j->now.mono_ms + DOUBT_MS;
		return suspects_add(&r->doubt, s);
	}
	j->g->judge_count.unreadable++;
	/* It may not be there yet. */
	if (why == GK_ERR_UNEXPECTED && j->g->commits.done < s->ticket)
		return GK_OK;
	s->verdict = GSAKMP_UNREADABLE;
	return find(j, s);
}

static enum gk_err
settle(struct gsakmp_judge *j, struct gsakmp_suspect *s, enum gk_err why,
       bool again)
{
	struct gk_group *data = j->g->data;
	struct gk_member *m =
		data != NULL ? gk_group_find(data, gk_buf_slice(&s->peer))
			     : NULL;
	bool out = false;

	if (m == NULL)
		return GK_OK;
	if (why == GK_OK)
		why = gsakmp_judge_ends(j, s, m, &out);
	if (why == GK_ERR_NOMEM)
		return why;
	if (why != GK_OK)
		return doubt(j, s, why, again);
	if (out)
		return find(j, s);
	gsakmp_group_judge_by(j->g, gsakmp_member_until(gk_member_blob(m)),
	                      j->now);
	return GK_OK;
}

/* Without the lock.  *@done: how many of the slice were looked at; GK_ERR_IO when
 * the store is out of order, for whomever. */
static enum gk_err
look_at_all(struct gsakmp_judge *j, enum gk_err *errs, size_t *done)
{
	for (*done = 0; *done < j->n; (*done)++) {
		struct gsakmp_suspect *s = &j->list[*done];
		enum gk_err err = s->verdict == GSAKMP_UNREADABLE
		                          ? GK_ERR_VALUE
		                          : gsakmp_judge_look(j, s);

		if (err == GK_ERR_NOMEM)
			return err;
		if (err == GK_ERR_IO && !gsakmp_judge_store_answers(j->g))
			return err;
		/* Without a store there is nothing to be missed. */
		if (err == GK_ERR_UNEXPECTED && j->g->cfg.rows.read == NULL)
			err = GK_OK;
		errs[*done] = err;
	}
	return GK_OK;
}

/* The rest of a slice, the next time. */
static enum gk_err
put_back(struct gsakmp_judge *j, size_t done, bool again)
{
	struct gsakmp_round *r = j->g->judging;

	if (done == j->n)
		return GK_OK;
	for (size_t i = done; again && i < j->n; i++)
		GK_TRY(suspects_add(&r->doubt, &j->list[i]));
	if (again)
		return GK_OK;
	r->cursor = j->list[done].seat;
	r->wrapped = j->list[done].wrapped;
	r->walked = false;
	j->g->judge_count.looked_at -= j->n - done;
	return GK_OK;
}

static enum gk_err
settle_all(struct gsakmp_judge *j, const enum gk_err *errs, size_t done,
           bool again)
{
	enum gk_err err = GK_OK, kept;
	size_t i;

	for (i = 0; i < done && err == GK_OK; i++)
		err = settle(j, &j->list[i], errs[i], again);
	kept = put_back(j, err == GK_OK ? i : i - 1, again);
	return err != GK_OK ? err : kept;
}

static enum gk_err
tell_end(struct gsakmp_group *g, const char *text)
{
	struct gsakmp_output *out;

	if (!g->judging->all && text == NULL && g->judge_count.unreadable == 0)
		return GK_OK;
	out = gsakmp_outputs_add(&g->out, GSAKMP_OUT_JUDGED);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->judged = g->judge_count;
	out->text = text;
	return gsakmp_outputs_own(&g->out);
}

static enum gk_err
end_round(struct gsakmp_group *g, struct gk_now now)
{
	enum gk_err err = tell_end(
		g, g->judging->stuck ? "somebody cannot be left out" : NULL);
	uint64_t soonest = now.mono_ms + JUDGE_GAP_MS;

	/* Whoever could not be left out is due, still. */
	if (g->judging->stuck) {
		soonest = now.mono_ms + JUDGE_MAX_MS;
		if (g->judge_at > soonest)
			g->judge_at = soonest;
	}
	if (g->judge_at < soonest)
		g->judge_at = soonest;
	gsakmp_group_round_free(g->judging);
	g->judging = NULL;
	return err;
}

/* With the lock, when a slice was looked at. */
static enum gk_err
go_on(struct gsakmp_judge *j)
{
	struct gsakmp_group *g = j->g;
	struct gsakmp_round *r = g->judging;
	bool over = r->walked && r->doubt.n == 0;
	enum gk_err err = GK_OK, told = GK_OK;

	g->judge_next = j->now.mono_ms;
	if (!over && r->walked && r->doubt_at > j->now.mono_ms)
		g->judge_next = r->doubt_at;
	if (r->found.n != 0 && (over || r->found.n >= FOUND_MAX || r->walked ||
	                        j->now.mono_ms >= r->found_at + FOUND_MS))
		err = conclude(j);
	if (r->noted_at == 0)
		r->noted_at = j->now.mono_ms;
	if (r->noted && (over || j->now.mono_ms >= r->noted_at + FOUND_MS)) {
		told = gsakmp_group_log_commit(g, &g->out,
		                               gsakmp_group_ticket(g));
		r->noted = false;
		r->noted_at = j->now.mono_ms;
	}
	if (over && told == GK_OK)
		told = end_round(g, j->now);
	return err != GK_OK ? err : told;
}

/* Short of memory, or the store does not answer. */
static enum gk_err
pause_round(struct gsakmp_judge *j, enum gk_err err)
{
	j->g->judge_next = j->now.mono_ms + BROKEN_MS;
	if (err == GK_ERR_IO)
		GK_TRY(tell_end(j->g, "the store cannot be read: members are "
		                      "judged later"));
	return err;
}

static enum gk_err
slice(struct gsakmp_group *g, struct gk_now now)
{
	struct gsakmp_judge *j = calloc(1, sizeof(*j));
	enum gk_err errs[GSAKMP_SLICE_MEMBERS], err, after;
	size_t done = 0;
	bool again;

	if (j == NULL)
		return GK_ERR_NOMEM;
	pthread_mutex_lock(&g->lock);
	*j = (struct gsakmp_judge){ .g = g,
		                    .trust = g->party.trust,
		                    .chain = g->judging->chain,
		                    .now = now };
	again = doubts_are_due(g->judging, now);
	err = again ? take_doubts(j) : take_seats(j);
	pthread_mutex_unlock(&g->lock);
	if (err == GK_OK)
		err = look_at_all(j, errs, &done);
	pthread_mutex_lock(&g->lock);
	after = settle_all(j, errs, done, again);
	if (err == GK_OK)
		err = after;
	err = err == GK_OK ? go_on(j) : pause_round(j, err);
	pthread_mutex_unlock(&g->lock);
	for (size_t i = 0; i < j->n; i++)
		gsakmp_suspect_clear(&j->list[i]);
	free(j);
	GK_TRY(err);
	return gsakmp_group_flush(g, now);
}

/* ---- a round ----------------------------------------------------------------- */

/* From the seat where a round is that is under way, once around. */
static enum gk_err
begin(struct gsakmp_group *g, bool all, struct gk_now now)
{
	if (g->judging == NULL) {
		g->judging = calloc(1, sizeof(*g->judging));
		if (g->judging == NULL) /* also when it comes to nothing */
			g->judge_at = now.mono_ms + JUDGE_GAP_MS;
		if (g->judging == NULL)
			return GK_ERR_NOMEM;
	}
	g->judging->all |= all;
	/* They are come by once more. */
	suspects_free(&g->judging->doubt);
	g->judging->start = g->judging->cursor;
	g->judging->walked = g->judging->wrapped = false;
	g->judge_count = (struct gsakmp_judged){ .looked_at = 0 };
	/* Whom it passes says when the next one is due. */
	g->judge_at = GK_NEVER;
	g->judge_utc = 0;
	g->judge_next = now.mono_ms;
	return GK_OK;
}

/* Whom the round under way has found goes first: it will be found again. */
static enum gk_err
begin_with_all(struct gsakmp_judge *j)
{
	enum gk_err err = GK_OK;

	if (j->g->judging != NULL && j->g->judging->found.n != 0)
		err = conclude(j);
	return err == GK_ERR_NOMEM ? err : begin(j->g, true, j->now);
}

enum gk_err
gsakmp_group_revocations(struct gsakmp_group *g, struct gk_now now)
{
	struct gsakmp_judge *j;
	enum gk_err err = GK_OK;
	bool open;

	if (g->cfg.recheck == GSAKMP_RECHECK_NO)
		return GK_OK;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return GK_ERR_NOMEM;
	*j = (struct gsakmp_judge){ .g = g, .now = now };
	pthread_mutex_lock(&g->lock);
	open = g->phase == GSAKMP_GROUP_OPEN;
	if (open)
		err = begin_with_all(j);
	pthread_mutex_unlock(&g->lock);
	free(j);
	GK_TRY(err);
	return open ? slice(g, now) : GK_OK;
}

enum gk_err
gsakmp_group_judge_tick(struct gsakmp_group *g, struct gk_now now)
{
	enum gk_err err = GK_OK;
	bool due;

	pthread_mutex_lock(&g->lock);
	due = g->phase == GSAKMP_GROUP_OPEN &&
	      (g->judging != NULL ? g->judge_next : g->judge_at) <= now.mono_ms;
	if (due && g->judging == NULL)
		err = begin(g, false, now);
	pthread_mutex_unlock(&g->lock);
	if (due && err == GK_OK)
		err = slice(g, now);
	/* Nobody can be locked out of this group, or the store does not
	 * answer; and it was said. */
	return err == GK_ERR_POLICY || err == GK_ERR_IO ? GK_OK : err;
}
