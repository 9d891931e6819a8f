/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ANNOUNCED_H
#define GPT_ANNOUNCED_H

#include "common/daemon/gkd_commit.h"
#include "common/daemon/gkd_loop.h"
#include "policy-tokens/owner/gpt_announcement_config.h"

/*
 * DOC: the announcement that a daemon goes by, and the next one
 *
 * Read at the start, and again as long as the daemon runs: when it is told to, before
 * registrations, and every now and then (@watch of <announcement>).  A higher serial
 * counts from then on; a lower one, or the same one with other words, is refused, by
 * a daemon that runs and by one that starts: what was accepted is in its store, by
 * group, before anything is done about it.
 *
 *     gpt_announced_load()     the first one, with the configuration
 *     gpt_announced_recall()   when the store is open: is it an old one?
 *     gpt_announced_watch()    when the loop is there
 *     gpt_announced_renew()    again
 *     gpt_announced_end()
 *
 * What to do about another one is the protocol's, in two steps: all that may fail,
 * and, when it is durable, the rest.
 */
struct gpt_announced_ops {
	/* Whose signature counts, by now: gpt_announcement_config_load(). */
	enum gkd_exit (*load)(void *arg, struct gpt_announcement **a,
	                      struct gkd_why *why);
	/* Can we go by @a?  Nothing changes yet.  GK_OK is followed by take(), or
	 * by drop(). */
	enum gk_err (*prepare)(void *arg, struct gpt_announcement *a,
	                       struct gkd_why *why);
	/* It is durable.  @a may be kept, and then is to be freed by whoever keeps
	 * it: *@a is set to NULL. */
	enum gk_err (*take)(void *arg, struct gpt_announcement **a);
	void (*drop)(void *arg);
};

struct gpt_announced {
	struct gkd_daemon *d;
	const char *name;            /* of the group, for people */
	const struct gkd_elem *elem; /* NULL: there is none */
	const struct gpt_announced_ops *ops;
	void *arg;
	struct gk_buf key; /* of the group, in the store */
	struct gkd_commit *commit;
	struct gkd_timer *timer;
	uint64_t watch_ms; /* 0: only when told to */
	void (*again)(void *arg);

	uint64_t serial; /* of the one that counts */
	uint8_t digest[32];
	int64_t not_after;
	bool refused;          /* the file holds another one, that does not */
	uint64_t n_refused;    /* since the start, each once */
	struct gkd_why reason; /* the last time */
};

/*
 * gpt_announced_load - the first one.
 * @name: borrowed
 * @out:  set on success; gpt_announcement_free()
 */
GK_MUST_CHECK enum gkd_exit gpt_announced_load(
	struct gpt_announced *an, struct gkd_daemon *d, const char *name,
	const struct gkd_elem *elem, const struct gpt_announced_ops *ops,
	void *arg, struct gpt_announcement **out, struct gkd_why *why);

/* gpt_announced_recall - @key is what the protocol knows the group by, copied.
 * GKD_EXIT_POLICY: it is older than one that was accepted
 * earlier; GKD_EXIT_STORE: it cannot be remembered.  Nothing to do where there is no
 * announcement. */
GK_MUST_CHECK enum gkd_exit gpt_announced_recall(struct gpt_announced *an,
                                                 struct gkd_commit *commit,
                                                 struct gk_slice key,
                                                 struct gkd_why *why);
/* gpt_announced_watch - @again is called every @watch_ms; it calls
 * gpt_announced_renew() when that suits it. */
GK_MUST_CHECK enum gk_err gpt_announced_watch(struct gpt_announced *an,
                                              void (*again)(void *arg));

/*
 * gpt_announced_renew - the file again.  What is refused is told by event, log and
 * counter; what was announced before stays.
 * @said: tell that also when it has been told before, and to who asked for a reload
 *
 * Return: another one counts.
 */
bool gpt_announced_renew(struct gpt_announced *an, bool said);

/* gpt_announced_fail - for prepare(): "the new announcement @text". */
enum gk_err gpt_announced_fail(const struct gpt_announced *an,
                               struct gkd_why *why, const char *text);
/* {"serial", "not_after", "refused", "refusals", "reason"} */
json_t *gpt_announced_json(const struct gpt_announced *an);
void gpt_announced_end(struct gpt_announced *an);

#endif /* GPT_ANNOUNCED_H */
