/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/daemon/membership.h"

/*
 * Missed Rekey Events, fetched from where the token says they are posted (RFC
 * 4534 section B.5.6.3).  The engine names the URL, one at a time; what comes
 * back it checks like a datagram.  The configuration may narrow down where this
 * host asks at all; without that, the Group Owner's signature under the token
 * is what vouches for the address.
 */
#define ALLOWED_MAX 32 /* <allow> elements */

/* "http://authority/" of @url. */
static void
site_of(const char *url, char *out, size_t size)
{
	size_t len = strlen(url) > 7 ? 7 + strcspn(url + 7, "/?") : 0;

	snprintf(out, size, "%.*s/", (int)len, url);
}

static enum gk_err
open_client(struct gsakmpd_membership *m, const char *url)
{
	const char *allowed[ALLOWED_MAX + 1] = { NULL };
	struct gkd_http_config config = {
		.allowed = allowed,
		.nameserver = m->fetch.nameserver,
		.body_max = m->cfg.max_message != 0 ? m->cfg.max_message
		                                    : UINT16_MAX,
		.headers_max = 8192,
		.timeout_ms = m->fetch.timeout_ms,
		.fetches_max = 1,
	};
	char site[sizeof(m->fetch.site)];
	size_t n = 0;

	site_of(url, site, sizeof(site));
	if (m->fetch.http != NULL &&
	    (m->fetch.allow != NULL || strcmp(site, m->fetch.site) == 0))
		return GK_OK;
	gkd_http_free(m->fetch.http);
	m->fetch.http = NULL;
	snprintf(m->fetch.site, sizeof(m->fetch.site), "%s", site);
	for (const struct gkd_elem *e = m->fetch.allow;
	     e != NULL && n < ALLOWED_MAX; e = gkd_elem_next(e))
		allowed[n++] = gkd_elem_text(e, "@prefix", "");
	if (n == 0)
		allowed[n++] = m->fetch.site;
	return gkd_http_new(&m->fetch.http, m->d->loop, &config);
}

static void
failed(struct gsakmpd_membership *m, enum gkd_http_result result,
       unsigned status)
{
	/* A copy that is not there is how a search for the newest one ends. */
	bool usual = result == GKD_HTTP_STATUS && status == 404;

	gkd_log(usual ? LOG_INFO : LOG_WARNING, "io",
	        "Rekey Event %u cannot be fetched: %s", m->fetch.sequence,
	        usual ? "it is not posted" : gkd_http_text(result));
	gkd_events_emit(m->d->events, "fetch-failed",
	                json_pack("{s:s, s:I, s:s, s:i}", "group", m->name,
	                          "sequence", (json_int_t)m->fetch.sequence,
	                          "reason", gkd_http_text(result), "status",
	                          (int)status));
}

static void
on_answer(void *arg, const struct gkd_http_answer *answer)
{
	struct gsakmpd_membership *m = arg;
	bool ok = answer->result == GKD_HTTP_OK;

	m->fetch.running = NULL;
	if (!ok)
		failed(m, answer->result, answer->status);
	/* A refusal is an output; there is nothing to do with it here. */
	(void)gsakmp_gm_fetched(m->engine, m->fetch.sequence,
	                        ok ? &answer->body : NULL, gkd_now());
	gsakmpd_membership_drain(m);
}

void
gsakmpd_fetch(struct gsakmpd_membership *m, const struct gsakmp_output *o)
{
	char url[GKD_URL_MAX + 1];
	enum gkd_http_result result = GKD_HTTP_URL;

	gkd_fetch_cancel(m->fetch.running);
	m->fetch.running = NULL;
	m->fetch.sequence = o->sequence;
	snprintf(url, sizeof(url), "%.*s", (int)o->place.len,
	         (const char *)o->place.ptr);
	gkd_log(LOG_INFO, "io", "fetching Rekey Event %u from %s", o->sequence,
	        url);
	if (open_client(m, url) == GK_OK)
		result = gkd_http_get(m->fetch.http, url, on_answer, m,
		                      &m->fetch.running);
	if (result == GKD_HTTP_OK)
		return;
	failed(m, result, 0);
	m->fetch.refused = true; /* said when the engine has said all */
}

/* True when there was something to say. */
bool
gsakmpd_fetch_refused(struct gsakmpd_membership *m)
{
	if (!m->fetch.refused)
		return false;
	m->fetch.refused = false;
	(void)gsakmp_gm_fetched(m->engine, m->fetch.sequence, NULL, gkd_now());
	return true;
}

void
gsakmpd_fetch_close(struct gsakmpd_membership *m)
{
	gkd_http_free(m->fetch.http);
	m->fetch.http = NULL;
	m->fetch.running = NULL;
}

/* ---- configuration ------------------------------------------------------- */

enum gk_err
gsakmpd_fetch_configure(struct gsakmpd_membership *m, struct gkd_why *why)
{
	static const char *const gaps[] = { "need", "rejoin", NULL };
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *root = gkd_config_root(config);
	struct gsakmp_gm_config *c = &m->cfg;
	uint64_t n;
	unsigned gap;
	bool fetch;

	GK_TRY(gkd_elem_bool(config, root, "bulletin@fetch", true, &fetch,
	                     why));
	c->no_fetch = !fetch;
	GK_TRY(gkd_elem_ms(config, root, "bulletin@window", 1, 86400000, 0, &n,
	                   why));
	c->fetch_window_ms = (uint32_t)n;
	GK_TRY(gkd_elem_ms(config, root, "bulletin@timeout", 100, 600000, 10000,
	                   &n, why));
	m->fetch.timeout_ms = (uint32_t)n;
	c->fetch_timeout_ms = (uint32_t)n + 5000; /* ours comes first */
	GK_TRY(gkd_elem_uint(config, root, "bulletin@missing-max", 1, 65535, 0,
	                     &n, why));
	c->fetch_max = (unsigned)n;
	GK_TRY(gkd_elem_enum(config, root, "membership@on-gap", gaps, 0, &gap,
	                     why));
	c->gap_rejoin = gap == 1;
	m->fetch.nameserver = gkd_elem_text(root, "bulletin@name-server", NULL);
	m->fetch.allow = gkd_elem_child(root, "bulletin/allow");
	n = 0;
	for (const struct gkd_elem *e = m->fetch.allow; e != NULL;
	     e = gkd_elem_next(e)) {
		const char *prefix = gkd_elem_text(e, "@prefix", "");

		if (!gkd_http_url_ok(prefix))
			return gkd_config_fail(config, e, why,
			                       "'@prefix': '%s' is %s", prefix,
			                       gkd_http_text(GKD_HTTP_URL));
		if (++n > ALLOWED_MAX)
			return gkd_config_fail(config, e, why,
			                       "more than %d of them",
			                       ALLOWED_MAX);
	}
	return GK_OK;
}
