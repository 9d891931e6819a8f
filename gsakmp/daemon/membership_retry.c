/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/membership.h"

/*
 * A member that is configured to join goes on asking when its key servers did not
 * answer, or refused: RFC 4535 section 5.2.1.1 bounds the repetitions of one
 * Request to Join, not the requests, and a Request to Join Error is signed by
 * nobody.  A member that was excluded, and the members of a group that was
 * destroyed, are not among these.
 *
 * Many members lose a key server at the same moment, so that each waits for a
 * random time, and longer from failure to failure.
 */
#define DOUBLED 4 /* at most sixteen times the configured time */

static void
on_retry(void *arg)
{
	struct gsakmpd_membership *m = arg;
	enum gk_err err;

	m->retry.at_ms = 0;
	err = gsakmpd_membership_join(m);
	gsakmpd_membership_drain(m);
	gsakmpd_retry_asked(m, err);
}

enum gk_err
gsakmpd_retry_open(struct gsakmpd_membership *m)
{
	m->retry.timer = gkd_timer_new(m->d->loop, on_retry, m);
	return m->retry.timer != NULL ? GK_OK : GK_ERR_NOMEM;
}

static void
forget(struct gsakmpd_retry *r)
{
	r->at_ms = 0;
	if (r->timer != NULL)
		gkd_timer_set(r->timer, GK_NEVER);
}

void
gsakmpd_retry_want(struct gsakmpd_membership *m, bool wanted)
{
	m->retry.wanted = wanted;
	forget(&m->retry);
}

void
gsakmpd_retry_joined(struct gsakmpd_membership *m)
{
	m->retry.failures = 0;
	forget(&m->retry);
}

void
gsakmpd_retry_left(struct gsakmpd_membership *m)
{
	const struct gk_env *env = &m->d->env;
	struct gsakmpd_retry *r = &m->retry;
	uint64_t wait = r->every_ms;
	uint32_t random = 0;

	/* There is another key server, and it is asked at once. */
	if (wait == 0 || !r->wanted || m->next)
		return;
	wait <<= r->failures < DOUBLED ? r->failures : DOUBLED;
	r->failures++;
	/* Without randomness: late. */
	if (env->random(env->ctx, (uint8_t *)&random, sizeof(random)) == GK_OK)
		wait = wait / 2 + random % (wait / 2 + 1);
	r->at_ms = gkd_now().mono_ms + wait;
	gkd_timer_set(r->timer, r->at_ms);
	gkd_log(LOG_NOTICE, "fsm", "asking again in %llu s",
	        (unsigned long long)(wait + 999) / 1000);
}

const char *
gsakmpd_join_fault(const struct gsakmpd_membership *m, enum gk_err err)
{
	struct gsakmp_gm_status st;

	gsakmp_gm_status(m->engine, &st);
	return err == GK_ERR_POLICY && st.destroyed ? "the group was destroyed"
	                                            : gk_strerror(err);
}

void
gsakmpd_retry_asked(struct gsakmpd_membership *m, enum gk_err err)
{
	/* It has been asked for already. */
	if (err == GK_OK || err == GK_ERR_UNEXPECTED)
		return;
	gkd_log(LOG_WARNING, "fsm", "no Request to Join: %s",
	        gsakmpd_join_fault(m, err));
	/* A group that was destroyed. */
	if (err != GK_ERR_POLICY)
		gsakmpd_retry_left(m);
}

json_t *
gsakmpd_retry_json(const struct gsakmpd_membership *m)
{
	struct gk_now now = gkd_now();

	if (m->retry.at_ms == 0)
		return json_null();
	if (m->retry.at_ms <= now.mono_ms)
		return gkd_json_utc(now.utc_s);
	return gkd_json_utc(now.utc_s +
	                    (int64_t)((m->retry.at_ms - now.mono_ms) / 1000));
}
