/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_commit.h"

#include <stdio.h>

#include "common/daemon/gkd_log.h"
#include "common/daemon/gkd_loop.h"

#define LOCK_MS 2000 /* for another process to let go of the file */

enum gk_err
gkd_commit_open(struct gkd_commit *c, const char *path, uint32_t app,
                uint32_t version, uint32_t oldest, struct gkd_events *events,
                struct gkd_why *why)
{
	const struct gk_store_config cfg = {
		.path = path,
		.app = app,
		.version = version,
		.oldest = oldest,
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

void
gkd_commit_close(struct gkd_commit *c)
{
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
