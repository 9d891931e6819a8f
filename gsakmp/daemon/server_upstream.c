/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/daemon/server.h"

/*
 * A group of which this key server is a subordinate: RFC 4535 section 4.4.7.
 *
 * Towards the primary it is a member like gsakmp-gm, with the same sockets and
 * the same care; the bridge (gsakmp/engine/sgcks.h) stands between that member
 * and the group.  All of it is the main thread's, as the group is.  In events
 * and logs the member's side is called NAME/upstream.
 */

#define FETCH_MS 15000 /* for a posted Rekey Event */

/* ---- configuration ------------------------------------------------------- */

static enum gk_err
read_network(struct gsakmpd_membership *m, const struct gkd_elem *elem,
             struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	uint64_t port;

	snprintf(m->mcast_cfg.interface, sizeof(m->mcast_cfg.interface), "%s",
	         gkd_elem_text(elem, "@interface", ""));
	m->mcast_cfg.receive = true;
	GK_TRY(gkd_elem_uint(config, elem, "@port", 1, UINT16_MAX, 0, &port,
	                     why));
	m->local.sa.sa_family = m->servers[0].sa.sa_family;
	if (gkd_elem_has(elem, "@address"))
		GK_TRY(gkd_elem_addr(config, elem, "@address", 0, &m->local,
		                     why));
	if (m->local.sa.sa_family != m->servers[0].sa.sa_family)
		return gkd_config_fail(config, elem, why,
		                       "'@address' is not of the primary's "
		                       "family");
	gkd_addr_set_port(&m->local, (uint16_t)port);
	if (!m->multicast)
		return gkd_config_fail(config, elem, why,
		                       "the announcement names no multicast "
		                       "group for Rekey Events");
	return GK_OK;
}

static enum gk_err
read_behaviour(struct gsakmpd_membership *m, const struct gkd_elem *elem,
               struct gkd_why *why)
{
	struct gsakmp_gm_config *c = &m->cfg;
	const struct {
		const char *path;
		uint32_t *out;
	} times[] = {
		{ "@timeout", &c->rtj_timeout_ms },
		{ "@timeout", &c->rtd_timeout_ms },
		{ "@spread", &c->spread_ms },
		{ "@backoff", &c->rejoin_backoff_ms },
		{ "@missed", &c->missed_ms },
	};
	uint64_t n;

	for (size_t i = 0; i < GK_COUNT(times); i++) {
		GK_TRY(gkd_elem_ms(m->d->config, elem, times[i].path, 1,
		                   86400000, 0, &n, why));
		*times[i].out = (uint32_t)n;
	}
	GK_TRY(gkd_elem_uint(m->d->config, elem, "@retries", 1, 255, 0, &n,
	                     why));
	c->rtj_retries = c->rtd_retries = (unsigned)n;
	return GK_OK;
}

/* What the announcement says of the group has to be what the group says. */
static enum gk_err
same_group(const struct gsakmpd_group *g, const struct gkd_elem *elem,
           struct gkd_why *why)
{
	const struct gsakmpd_membership *m = g->upstream;

	if (m->cfg.group_id_type == g->cfg.group_id_type &&
	    gk_slice_equal(gk_buf_slice(&m->group_id),
	                   gk_buf_slice(&g->group_id)))
		return GK_OK;
	return gkd_config_fail(m->d->config, elem, why,
	                       "the announcement is of another group");
}

enum gkd_exit
gsakmpd_upstream_configure(struct gsakmpd_group *g, const struct gkd_elem *elem,
                           struct gkd_why *why)
{
	struct gsakmpd_membership *m = calloc(1, sizeof(*m));
	const char *fault;
	enum gkd_exit rc;

	if (m == NULL)
		return GKD_EXIT_FAILURE;
	g->upstream = m;
	m->d = g->server->d;
	m->party = g->server->party;
	m->dialect = g->dialect;
	m->cfg.skew_s = g->server->engine_cfg.skew_s;
	m->fetch.timeout_ms = FETCH_MS;
	m->cfg.fetch_timeout_ms = FETCH_MS + 5000; /* ours comes first */
	snprintf(m->name, sizeof(m->name), "%.250s/upstream", g->name);
	m->cfg.party = gsakmpd_group_party(g);
	rc = gsakmpd_announcement_load(m, elem, why);
	if (rc != GKD_EXIT_OK)
		return rc;
	if (same_group(g, elem, why) != GK_OK ||
	    read_network(m, elem, why) != GK_OK ||
	    read_behaviour(m, elem, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	m->cfg.legacy_ok = m->party->legacy;
	m->cfg.group_id = gk_buf_slice(&m->group_id);
	m->cfg.dialect = &m->dialect;
	m->cfg.expected_gcks =
		m->gcks_id.kind != GK_ID_NONE ? &m->gcks_id : NULL;
	fault = gsakmpd_suite_fault(m, &m->cfg.suite);
	if (fault != NULL) {
		(void)gkd_config_fail(m->d->config, elem, why,
		                      "the group has mechanisms that %s",
		                      fault);
		return GKD_EXIT_CONFIG;
	}
	g->cfg.subordinate = true;
	return GKD_EXIT_OK;
}

/* ---- store --------------------------------------------------------------- */

/* The store is the server's; its workers write to it, too. */
static bool
apply(void *arg, const struct gk_journal *journal)
{
	struct gsakmpd_group *g = arg;

	return gkd_commit_journal(&g->server->commit, journal) == GK_OK;
}

static enum gk_err
on_row(void *ctx, const char *table, struct gk_slice key, struct gk_slice value)
{
	struct gsakmpd_group *g = ctx;

	return gsakmp_sgcks_load(g->upstream->sgcks, table, key, value);
}

static enum gk_err
load_rows(struct gsakmpd_group *g)
{
	const struct gk_store_reader reader = { on_row, g };

	for (size_t i = 0; gsakmpd_membership_tables[i] != NULL; i++)
		GK_TRY(gk_store_load(g->server->commit.store,
		                     gk_buf_slice(&g->group_id),
		                     gsakmpd_membership_tables[i], &reader));
	return GK_OK;
}

/* ---- opening and closing -------------------------------------------------- */

/* Whatever the primary said may have moved the sub-group. */
static void
acted(void *arg)
{
	gsakmpd_group_drain(arg);
}

enum gkd_exit
gsakmpd_upstream_open(struct gsakmpd_group *g, struct gkd_why *why)
{
	struct gsakmpd_membership *m = g->upstream;
	struct gsakmp_sgcks_config cfg = { .group = g->group };
	enum gkd_exit rc;
	uint64_t retry_ms;

	if (gkd_elem_ms(m->d->config, gkd_elem_child(g->elem, "upstream"),
	                "@retry", 100, 86400000, 0, &retry_ms, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	snprintf(why->text, sizeof(why->text), "out of memory");
	m->by_url = g->server->by_url;
	rc = gsakmpd_membership_open_fetcher(m, why);
	if (rc != GKD_EXIT_OK)
		return rc;
	cfg.gm = m->cfg;
	cfg.retry_ms = (uint32_t)retry_ms;
	m->apply = apply;
	m->acted = acted;
	m->arg = g;
	m->sgcks = gsakmp_sgcks_new(&m->d->env, &cfg);
	m->timer = gkd_timer_new(m->d->loop, gsakmpd_membership_timer, m);
	if (m->sgcks == NULL || m->timer == NULL)
		return GKD_EXIT_FAILURE;
	m->engine = gsakmp_sgcks_gm(m->sgcks);
	if (load_rows(g) != GK_OK) {
		snprintf(why->text, sizeof(why->text),
		         "store '%s': the rows of group '%s' do not fit "
		         "together",
		         g->server->store_path, g->name);
		return GKD_EXIT_STORE;
	}
	rc = gsakmpd_announcement_open(m, &g->server->commit, why);
	return rc == GKD_EXIT_OK ? gsakmpd_membership_open_sockets(m, why) : rc;
}

enum gk_err
gsakmpd_upstream_start(struct gsakmpd_group *g)
{
	enum gk_err err = gsakmp_sgcks_start(g->upstream->sgcks, gkd_now());

	gsakmpd_membership_drain(g->upstream);
	return err;
}

enum gk_err
gsakmpd_upstream_leave(struct gsakmpd_group *g)
{
	enum gk_err err = gsakmp_sgcks_leave(g->upstream->sgcks, gkd_now());

	gsakmpd_membership_drain(g->upstream);
	return err;
}

void
gsakmpd_upstream_close(struct gsakmpd_group *g)
{
	struct gsakmpd_membership *m = g->upstream;

	if (m == NULL)
		return;
	m->party = NULL; /* the server's, both */
	m->by_url = (struct gsakmpd_fetch_config){ 0 };
	m->acted = NULL;
	gsakmpd_membership_close(m);
	free(m);
	g->upstream = NULL;
}

/* ---- later ---------------------------------------------------------------- */

void
gsakmpd_upstream_poke(struct gsakmpd_group *g)
{
	struct gsakmpd_membership *m = g->upstream;

	if (m != NULL && m->sgcks != NULL)
		gkd_timer_set(m->timer, gsakmp_sgcks_deadline(m->sgcks));
}

void
gsakmpd_upstream_set_party(struct gsakmpd_group *g)
{
	struct gsakmpd_membership *m = g->upstream;

	if (m == NULL)
		return;
	m->party = g->server->party;
	m->cfg.party = gsakmpd_group_party(g);
	gsakmp_sgcks_set_party(m->sgcks, &m->cfg.party);
	(void)gpt_announced_renew(&m->announced, true);
	(void)gsakmp_sgcks_revocations(m->sgcks, gkd_now());
	gsakmpd_membership_timer(m);
}

json_t *
gsakmpd_upstream_status(struct gsakmpd_group *g)
{
	struct gsakmpd_membership *m = g->upstream;
	struct gsakmp_sgcks_status st;
	char text[GKD_ADDR_TEXT], name[300];
	int64_t now = gkd_now().utc_s;
	json_t *o;

	gsakmp_sgcks_status(m->sgcks, &st);
	o = json_pack("{s:s, s:s, s:b, s:b}", "state",
	              gsakmp_gm_state_text(st.gm.state), "address",
	              gkd_addr_format(text, &m->servers[m->server]), "serving",
	              st.serving, "in_step", st.in_step);
	json_object_set_new(
		o, "primary",
		gkd_json_text(gk_text_print(name, sizeof(name), st.gm.gcks)));
	if (st.why != NULL)
		json_object_set_new(o, "reason", json_string(st.why));
	json_object_set_new(o, "announcement",
	                    gpt_announced_json(&m->announced));
	json_object_set_new(o, "sequence", json_integer(st.gm.sequence));
	json_object_set_new(o, "edition",
	                    json_integer((json_int_t)st.gm.edition));
	json_object_set_new(o, "member_id", json_integer(st.gm.member_id));
	json_object_set_new(o, "heard", gkd_json_utc(st.heard_utc));
	if (st.heard_utc != 0)
		json_object_set_new(
			o, "lag",
			json_integer((json_int_t)(now - st.heard_utc)));
	json_object_set_new(o, "rekey_due", gkd_json_utc(st.gm.rekey_due_utc));
	return o;
}
