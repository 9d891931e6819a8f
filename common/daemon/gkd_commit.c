/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_commit.h"

#include <stdio.h>
#include <string.h>

#include "common/daemon/gkd_log.h"
#include "common/daemon/gkd_loop.h"
#include "common/wire/gk_rd.h"
#include "common/wire/gk_wr.h"

#define LOCK_MS 2000 /* for another process to let go of the file */

enum gk_err
gkd_commit_open(struct gkd_commit *c, const char *path,
                const struct gk_store_config *kind, struct gkd_events *events,
                struct gkd_why *why)
{
	const struct gk_store_config cfg = {
		.path = path,
		.app = kind->app,
		.role = kind->role,
		.version = kind->version,
		.oldest = kind->oldest,
		.lock_ms = LOCK_MS,
	};
	char text[GK_STORE_WHY_MAX] = "";
	enum gk_err err;

	c->path = path;
	c->events = events;
	pthread_mutex_init(&c->lock, NULL);
	err = gk_store_open(&cfg, &c->store, text);
	if (err != GK_OK)
		snprintf(why->text, sizeof(why->text), "store '%s': %s", path,
		         text);
	return err;
}

/* ---- what time it was ---------------------------------------------------- */

#define CLOCK_BEFORE "clock" /* the scope, before it had one of its own */
#define CLOCK_GAP_S 60
#define CLOCK_SLACK_S 5 /* less is what a clock is slewed by */

static void
keep_clock(struct gkd_commit *c, int64_t now_utc)
{
	uint8_t octets[8];
	struct gk_wr wr;

	gk_wr_init(&wr, octets, sizeof(octets));
	gk_wr_u32(&wr, (uint32_t)((uint64_t)now_utc >> 32));
	gk_wr_u32(&wr, (uint32_t)now_utc);
	/* What could not be stored is tried again with the next commit. */
	if (gk_store_put(c->store, gk_store_own(), GKD_COMMIT_TABLE_CLOCK,
	                 gk_slice_str("seen"),
	                 (struct gk_slice){ octets, sizeof(octets) }) == GK_OK)
		c->seen_utc = now_utc;
}

/* With the lock held, when something has just been written. */
static void
look_at_clock(struct gkd_commit *c)
{
	int64_t now = gkd_now().utc_s;

	if (c->seen_utc != 0 && (now >= c->seen_utc + CLOCK_GAP_S ||
	                         now < c->seen_utc - CLOCK_SLACK_S))
		keep_clock(c, now);
}

static int64_t
seen_before(struct gkd_commit *c)
{
	struct gk_buf octets = { 0 };
	struct gk_rd rd;
	uint64_t utc;
	bool moved; /* it is put down anew at every start */

	if (gk_store_get_own(c->store, CLOCK_BEFORE, GKD_COMMIT_TABLE_CLOCK,
	                     gk_slice_str("seen"), &octets, &moved) != GK_OK)
		return 0;
	gk_rd_init(&rd, octets.ptr, octets.len);
	utc = (uint64_t)gk_rd_u32(&rd, "time") << 32;
	utc |= gk_rd_u32(&rd, "time");
	if (gk_rd_done(&rd) != GK_OK || utc > INT64_MAX)
		utc = 0;
	gk_buf_free(&octets);
	return (int64_t)utc;
}

enum gk_err
gkd_commit_clock(struct gkd_commit *c, const struct gkd_config *config,
                 struct gkd_why *why)
{
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "store");
	int64_t seen = seen_before(c), now = gkd_now().utc_s;

	c->back_s = 0;
	if (seen == 0 || now >= seen - CLOCK_SLACK_S) {
		keep_clock(c, now);
		return GK_OK;
	}
	c->back_s = seen - now;
	if (strcmp(gkd_elem_text(e, "@clock-back", "warn"), "refuse") == 0) {
		(void)gkd_config_fail(
			config, e, why,
			"the clock shows a time that is %lld seconds before "
			"what the store has seen; with 'clock-back' \"warn\" "
			"it is taken all the same",
			(long long)c->back_s);
		return GK_ERR_POLICY;
	}
	gkd_log(LOG_WARNING, "io",
	        "store '%s': the clock was put back by %lld seconds; keys live "
	        "no longer for it, but certificates and CRLs that were over "
	        "may be taken again",
	        c->path, (long long)c->back_s);
	gkd_events_emit(c->events, "clock-back",
	                json_pack("{s:I}", "seconds", (json_int_t)c->back_s));
	return GK_OK;
}

void
gkd_commit_clock_taken(struct gkd_commit *c)
{
	pthread_mutex_lock(&c->lock);
	if (c->seen_utc == 0 && !atomic_load(&c->failed))
		keep_clock(c, gkd_now().utc_s);
	pthread_mutex_unlock(&c->lock);
}

void
gkd_commit_close(struct gkd_commit *c)
{
	if (c->store != NULL && c->seen_utc != 0)
		keep_clock(c, gkd_now().utc_s);
	gk_store_close(c->store);
	c->store = NULL;
}

/* Whoever has a full disk knows it soon, and peers may ask often. */
#define TELL_GAP_MS 1000

static void
tell(struct gkd_commit *c, enum gk_err err, const char *why, bool written)
{
	uint64_t now = gkd_now().mono_ms;

	if (err != GK_OK && (!atomic_load(&c->failed) ||
	                     now >= atomic_load(&c->told_ms) + TELL_GAP_MS)) {
		atomic_store(&c->told_ms, now);
		gkd_log(LOG_ERR, "io",
		        "store '%s': %s; what depends on it is tried again",
		        c->path, why);
		gkd_events_emit(
			c->events, "store-failed",
			json_pack("{s:o}", "reason", gkd_json_text(why)));
	}
	if (!atomic_exchange(&c->failed, err != GK_OK) || err != GK_OK ||
	    !written)
		return;
	gkd_log(LOG_NOTICE, "io", "store '%s' takes changes again", c->path);
	gkd_events_emit(c->events, "store-recovered", NULL);
}

/* With the lock held: another thread's commit may have another reason. */
static enum gk_err
apply(struct gkd_commit *c, const struct gk_journal *journal,
      char why[GK_STORE_WHY_MAX])
{
	enum gk_err err = gk_store_apply(c->store, journal);

	if (err != GK_OK)
		snprintf(why, GK_STORE_WHY_MAX, "%s", gk_store_why(c->store));
	return err;
}

enum gk_err
gkd_commit(struct gkd_commit *c, struct gk_commits *group, uint64_t ticket)
{
	char why[GK_STORE_WHY_MAX] = "out of memory";
	const struct gk_journal *journal;
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&c->lock);
	journal = gk_commits_begin(group, ticket);
	if (journal != NULL) {
		err = apply(c, journal, why);
		gk_commits_end(group, err == GK_OK);
		if (err == GK_OK)
			look_at_clock(c);
		atomic_store(&c->ended_ms, gkd_now().mono_ms);
	} else if (!gk_commits_done(group, ticket)) {
		err = GK_ERR_NOMEM;
	}
	pthread_mutex_unlock(&c->lock);
	tell(c, err, why, journal != NULL);
	return err;
}

uint64_t
gkd_commit_due(const struct gkd_commit *c)
{
	uint64_t ended = atomic_load(&c->ended_ms);

	return ended == 0 ? 0 : ended + GKD_COMMIT_GAP_MS;
}

enum gk_err
gkd_commit_journal(struct gkd_commit *c, const struct gk_journal *journal)
{
	char why[GK_STORE_WHY_MAX];
	enum gk_err err;

	pthread_mutex_lock(&c->lock);
	err = apply(c, journal, why);
	pthread_mutex_unlock(&c->lock);
	tell(c, err, why, true);
	return err;
}
