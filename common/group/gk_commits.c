/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/group/gk_commits.h"

void
gk_commits_free(struct gk_commits *c)
{
	gk_journal_free(c->in_flight);
	c->in_flight = NULL;
}

uint64_t
gk_commits_ticket(struct gk_commits *c)
{
	return ++c->made;
}

uint64_t
gk_commits_retry_due(const struct gk_commits *c)
{
	return c->owing ? c->retry_at : GK_NEVER;
}

bool
gk_commits_retry(struct gk_commits *c, struct gk_now now)
{
	bool due = c->owing && c->retry_at != 0 && c->retry_at <= now.mono_ms;

	if (c->owing && (due || c->retry_at == 0))
		c->retry_at = now.mono_ms + GK_COMMITS_RETRY_MS;
	return due;
}

/* One journal for all, so that every transaction is a state that the group was
 * in. */
static enum gk_err
gather(struct gk_commits *c)
{
	if (c->in_flight == NULL)
		GK_TRY(gk_journal_new(c->scope, &c->in_flight));
	return c->ops->gather(c->group, c->in_flight);
}

static void
settle(struct gk_commits *c, uint64_t ticket, bool ok)
{
	c->ops->settle(c->group, ticket, ok);
	c->owing = !ok;
	if (ok)
		c->retry_at = 0;
}

const struct gk_journal *
gk_commits_begin(struct gk_commits *c, uint64_t ticket)
{
	const struct gk_journal *journal = NULL;

	pthread_mutex_lock(c->lock);
	if (c->done < ticket && gather(c) == GK_OK) {
		c->taken = c->made;
		journal = c->in_flight;
	}
	pthread_mutex_unlock(c->lock);
	return journal;
}

void
gk_commits_end(struct gk_commits *c, bool ok)
{
	pthread_mutex_lock(c->lock);
	settle(c, c->taken, ok);
	if (ok && c->in_flight != NULL) {
		gk_journal_free(c->in_flight);
		c->in_flight = NULL;
		c->done = c->taken;
	}
	pthread_mutex_unlock(c->lock);
}

bool
gk_commits_done(struct gk_commits *c, uint64_t ticket)
{
	bool done;

	pthread_mutex_lock(c->lock);
	done = c->done >= ticket;
	if (!done) /* begin() had no memory: what waits for it is not sent */
		settle(c, ticket, false);
	pthread_mutex_unlock(c->lock);
	return done;
}

bool
gk_commits_committed(struct gk_commits *c, uint64_t ticket)
{
	bool done;

	pthread_mutex_lock(c->lock);
	done = c->done >= ticket;
	pthread_mutex_unlock(c->lock);
	return done;
}

uint64_t
gk_commits_wanted(struct gk_commits *c)
{
	uint64_t ticket = 0;

	pthread_mutex_lock(c->lock);
	if (c->done < c->made)
		ticket = c->made;
	pthread_mutex_unlock(c->lock);
	return ticket;
}
