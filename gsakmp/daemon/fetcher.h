/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_FETCHER_H
#define GSAKMP_DAEMON_FETCHER_H

#include "common/daemon/gkd_config.h"
#include "common/daemon/gkd_counters.h"
#include "common/daemon/gkd_loop.h"
#include "common/daemon/gkd_main.h"
#include "gsakmp/engine/fetched.h"
#include "gsakmp/engine/party.h"

/*
 * DOC: fetching what hash-and-URL certificates stand for
 *
 * An engine that says WANTED leaves the message unprocessed.  The fetcher keeps a
 * copy of the message, gets the URLs, puts what they give into the engines' cache
 * and hands the message back, to be received once more.
 *
 * Whoever makes us fetch is not authenticated yet: its certificate is what is
 * being fetched.  So that it cannot use this daemon to reach what it could not
 * reach itself (server-side request forgery), or to hold its memory and time:
 *   - nothing is fetched unless configured, and only below the configured
 *     prefixes, by http, without redirects (gkd_http.h);
 *   - answers and their time are bounded, and so is the number of fetches and of
 *     messages that wait: whoever has most of them, by address or by name, has
 *     the oldest pushed out, and asks again;
 *   - a failure is remembered for a while (fetched.h);
 *   - a message is handed back at most ROUNDS_MAX times;
 *   - with cookies on, the peer has proved its address before; and the policy has
 *     to know its name;
 *   - nothing of an answer is told to the peer.
 *
 * One per thread: it lives in that thread's loop.
 */
struct gsakmpd_fetch_config {
	bool on;
	const char **allowed; /* NULL-terminated */
	const char *nameserver;
	unsigned timeout_ms;
	size_t body_max;
	unsigned waiting_max;
};

/* gsakmpd_fetch_config_load - <certificate-urls>; off when there is none. */
GK_MUST_CHECK enum gk_err gsakmpd_fetch_config_load(
	const struct gkd_config *config, struct gsakmpd_fetch_config *out,
	struct gkd_why *why);
/* gsakmpd_fetch_fail - gsakmpd_fetcher_new() did: what the operator has to know. */
enum gkd_exit gsakmpd_fetch_fail(const struct gkd_config *config,
                                 struct gkd_why *why);
void gsakmpd_fetch_config_free(struct gsakmpd_fetch_config *config);

struct gsakmpd_fetcher;

struct gsakmpd_fetcher_ops {
	/* The message @data from @from is to be received once more; it was
	 * handed back @rounds times, this time included. */
	void (*again)(void *arg, struct gk_slice data,
	              const struct gsakmp_endpoint *from, unsigned rounds);
	void *arg;
};

GK_MUST_CHECK enum gk_err gsakmpd_fetcher_new(
	struct gsakmpd_fetcher **fetcher, struct gkd_loop *loop,
	struct gkd_counters *counters,
	const struct gsakmpd_fetch_config *config, struct gsakmp_fetched *cache,
	const struct gsakmpd_fetcher_ops *ops);
void gsakmpd_fetcher_free(struct gsakmpd_fetcher *fetcher);

/* gsakmpd_fetcher_want - an output WANTED.  Several may come of one message;
 * @name is who has signed it, as it says. */
void gsakmpd_fetcher_want(struct gsakmpd_fetcher *fetcher, struct gk_slice url,
                          struct gk_slice hash, struct gk_slice name);
/* gsakmpd_fetcher_go - keep the message that the outputs came of until what it
 * wants is there; nothing happens when it wanted nothing.  @rounds: how often it
 * was handed back before. */
void gsakmpd_fetcher_go(struct gsakmpd_fetcher *fetcher, struct gk_slice data,
                        const struct gsakmp_endpoint *from, unsigned rounds);

#endif /* GSAKMP_DAEMON_FETCHER_H */
