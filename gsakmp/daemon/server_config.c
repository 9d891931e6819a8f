/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gsakmp/daemon/server.h"

#define YEAR_MS (365ull * 86400 * 1000)

/* ---- one group ---------------------------------------------------------- */

/* UDP and IP headers are part of what the network has room for. */
static enum gk_err
read_rekey_size(const struct gkd_config *config, const struct gkd_elem *group,
                struct gsakmp_group_config *c, struct gkd_why *why)
{
	bool ip6 = strchr(gkd_elem_text(group, "multicast@address", ""), ':') !=
	           NULL;
	size_t headers = 8 + (ip6 ? 40 : 20);
	bool certificates;
	uint64_t n;

	GK_TRY(gkd_elem_uint(config, group, "rekey@payload-max", 256,
	                     UINT16_MAX, 0, &n, why));
	c->rekey_payload = (size_t)n;
	c->rekey_headers = headers;
	GK_TRY(gkd_elem_uint(config, group, "rekey@message-max", 512,
	                     UINT16_MAX - headers, 60000, &n, why));
	c->rekey_message = (size_t)n;
	GK_TRY(gkd_elem_uint(config, group, "rekey@mtu", 576, UINT16_MAX,
	                     UINT16_MAX, &n, why));
	if (c->rekey_message > n - headers)
		c->rekey_message = (size_t)n - headers;
	GK_TRY(gkd_elem_bool(config, group, "rekey@certificates", true,
	                     &certificates, why));
	c->no_rekey_certs = !certificates;
	return GK_OK;
}

static enum gk_err
read_rekey(const struct gkd_config *config, const struct gkd_elem *group,
           struct gsakmp_group_config *c, struct gkd_why *why)
{
	const struct gsakmp_vocabulary all = { .suite = true };
	const char *recheck;
	uint64_t n;
	bool on_join;

	GK_TRY(gkd_elem_bool(config, group, "rekey@on-join", true, &on_join,
	                     why));
	c->no_join_rekey = !on_join;
	GK_TRY(gkd_elem_bool(config, group, "rekey@minimal", false,
	                     &c->lkh_chain, why));
	GK_TRY(gkd_duration_load(config, group, "rekey@join-window", 3600000, 1,
	                         &c->join_window_ms, why));
	GK_TRY(gkd_duration_load(config, group, "rekey@resend-spacing", 3600000,
	                         1, &c->resend_spacing_ms, why));
	GK_TRY(gkd_number_load(config, group, "rekey@degree", 16,
	                       &c->lkh_degree, why));
	GK_TRY(gkd_number_load(config, group, "rekey@tree-spare", UINT32_MAX,
	                       &c->tree_spare, why));
	GK_TRY(read_rekey_size(config, group, c, why));
	GK_TRY(gkd_duration_load(config, group, "keys@traffic-life",
	                         10 * YEAR_MS, 1000, &c->gtpk_life_s, why));
	GK_TRY(gkd_elem_uint(config, group, "keys@traffic-type", 0, UINT16_MAX,
	                     0, &n, why));
	c->gtpk_type = (uint16_t)n;
	if (n != 0 && !gsakmp_code_known(GSAKMP_TABLE_KEY, &all, c->gtpk_type))
		return gkd_config_fail(
			config, gkd_elem_child(group, "keys"), why,
			"'@traffic-type': %u is no key type", c->gtpk_type);
	GK_TRY(gkd_duration_load(config, group, "keys@grace", 86400000, 1,
	                         &c->grace_ms, why));
	GK_TRY(gkd_duration_load(config, group, "keys@tree-life", 10 * YEAR_MS,
	                         1000, &c->kek_life_s, why));
	GK_TRY(gkd_duration_load(config, group, "registration@timeout", 3600000,
	                         1, &c->session_timeout_ms, why));
	GK_TRY(gkd_number_load(config, group, "registration@sessions-max",
	                       1000000, &c->sessions_max, why));
	recheck = gkd_elem_text(group, "registration@recheck", "validity");
	c->recheck = strcmp(recheck, "no") == 0 ? GSAKMP_RECHECK_NO
	             : strcmp(recheck, "revocation") == 0
	                     ? GSAKMP_RECHECK_REVOCATION
	                     : GSAKMP_RECHECK_VALIDITY;
	return gkd_number_load(config, group, "registration@lack-of-ack", 255,
	                       &c->loa_count, why);
}

static enum gk_err
read_owner(struct gsakmpd_group *g, struct gpt_owner_config **go,
           struct gkd_why *why)
{
	const struct gkd_elem *e = gkd_elem_child(g->elem, "group-owner");

	*go = NULL;
	if (e == NULL)
		return GK_OK;
	return gpt_owner_config_new(g->server->d->config, e,
	                            g->server->party->legacy, go, why);
}

struct gsakmp_party
gsakmpd_group_party(const struct gsakmpd_group *g)
{
	return gsakmpd_owner_party(g->go, &g->server->party->party);
}

void
gsakmpd_group_reload(struct gsakmpd_group *g)
{
	struct gpt_owner_config *old = g->go, *fresh;
	struct gsakmp_party party;
	struct gkd_why why;

	/* What cannot be read stays as it was. */
	if (read_owner(g, &fresh, &why) == GK_OK)
		g->go = fresh;
	else {
		gkd_log(LOG_ERR, "cfg", "not reloaded: %s", why.text);
		gkd_reload_fault(g->server->d, why.text);
	}
	party = gsakmpd_group_party(g);
	gsakmp_group_set_party(g->group, &party);
	gsakmpd_group_recheck(g);
	if (g->go == old)
		return;
	gpt_owner_config_delete(old);
}

static enum gk_err
read_group(struct gsakmpd_server *s, const struct gkd_elem *elem,
           struct gsakmpd_group *g, struct gkd_why *why)
{
	struct gkd_config *config = s->d->config;

	g->server = s;
	g->elem = elem;
	g->name = gkd_elem_text(elem, "@name", "");
	GK_TRY(gsakmpd_dialect_load(config, elem, &g->dialect, why));
	GK_TRY(gsakmpd_group_id_load(config, gkd_elem_child(elem, "group-id"),
	                             &g->dialect, &g->cfg.group_id_type,
	                             &g->group_id, why));
	if (gkd_elem_child(elem, "upstream") == NULL)
		GK_TRY(gpt_place_load(config, gkd_elem_child(elem, "token"),
		                      &g->token, why));
	GK_TRY(gkd_mcast_load(config, gkd_elem_child(elem, "multicast"), 0,
	                      &g->mcast_cfg, why));
	GK_TRY(read_rekey(config, elem, &g->cfg, why));
	g->cfg.skew_s = s->engine_cfg.skew_s;
	GK_TRY(read_owner(g, &g->go, why));
	g->cfg.party = gsakmpd_group_party(g);
	g->cfg.legacy_ok = s->party->legacy;
	g->cfg.can_post = s->bulletin.directory != NULL;
	g->cfg.no_udp = g->cfg.no_tcp = true;
	for (unsigned i = 0; i < s->n_listen; i++)
		*(s->listen[i].stream ? &g->cfg.no_tcp : &g->cfg.no_udp) =
			false;
	/* Connections that we open carry everything but the request. */
	g->cfg.no_tcp = g->cfg.no_tcp && !s->we_open;
	g->cfg.group_id = gk_buf_slice(&g->group_id);
	g->cfg.dialect = &g->dialect;
	GK_TRY(gsakmpd_receivers_load(g, why));
	for (const struct gsakmpd_group *o = s->groups; o < g; o++)
		if (gk_slice_equal(gk_buf_slice(&o->group_id),
		                   gk_buf_slice(&g->group_id)))
			return gkd_config_fail(config, elem, why,
			                       "has the GroupID of group '%s'",
			                       o->name);
	return GK_OK;
}

static enum gk_err
read_groups(struct gsakmpd_server *s, enum gkd_exit *rc, struct gkd_why *why)
{
	const struct gkd_elem *first =
		gkd_elem_child(gkd_config_root(s->d->config), "group");
	const struct gkd_elem *e;
	size_t n = 0;

	for (e = first; e != NULL; e = gkd_elem_next(e))
		n++;
	s->groups = calloc(n, sizeof(*s->groups));
	if (s->groups == NULL)
		return GK_ERR_NOMEM;
	for (e = first; e != NULL; e = gkd_elem_next(e)) {
		const struct gkd_elem *up = gkd_elem_child(e, "upstream");
		struct gsakmpd_group *g = &s->groups[s->n_groups++];

		GK_TRY(read_group(s, e, g, why));
		if (up == NULL)
			continue;
		*rc = gsakmpd_upstream_configure(g, up, why);
		if (*rc != GKD_EXIT_OK)
			return GK_ERR_POLICY;
	}
	return GK_OK;
}

/* ---- the rest ----------------------------------------------------------- */

static enum gk_err
read_listen(struct gsakmpd_server *s, struct gkd_why *why)
{
	const struct gkd_config *config = s->d->config;
	const struct gkd_elem *listen =
		gkd_elem_child(gkd_config_root(config), "listen");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	static const char *const openers[] = { "member", "key-server", NULL };
	unsigned opener;
	uint64_t n;

	for (const struct gkd_elem *e = gkd_elem_first(listen); e != NULL;
	     e = gkd_elem_sibling(e)) {
		struct gsakmpd_listen *l = &s->listen[s->n_listen];

		if (s->n_listen == GSAKMPD_LISTEN_MAX)
			return gkd_config_fail(config, e, why,
			                       "more than %u addresses",
			                       GSAKMPD_LISTEN_MAX);
		GK_TRY(gkd_addr_load(config, e, GSAKMPD_PORT, &l->addr, why));
		l->stream = strcmp(gkd_elem_name(e), "tcp") == 0;
		l->any = gkd_addr_is_any(&l->addr);
		s->n_listen++;
	}
	GK_TRY(gkd_elem_uint(config, listen, "@workers", 0, 256, 0, &n, why));
	s->n_workers = n != 0 ? (unsigned)n : cpus > 0 ? (unsigned)cpus : 1;
	GK_TRY(gkd_elem_ms(config, listen, "@queue-age", 100, 3600000, 5000, &n,
	                   why));
	s->queue_age_ms = (uint32_t)n;
	GK_TRY(gkd_elem_uint(config, listen, "@queue-max", 65536, 1u << 30,
	                     8u << 20, &n, why));
	s->queue_octets = (size_t)n;
	GK_TRY(gkd_elem_enum(config, listen, "@tcp-opener", openers, 0, &opener,
	                     why));
	s->we_open = opener == 1;
	GK_TRY(gkd_elem_uint(config, listen, "@connections-max", 1, 65536, 1024,
	                     &n, why));
	s->tcp_limits.conns_max = (unsigned)n;
	GK_TRY(gkd_elem_ms(config, listen, "@idle", 100, 86400000, 30000, &n,
	                   why));
	s->tcp_limits.idle_ms = (unsigned)n;
	s->tcp_limits.total_ms = 3600000;
	GK_TRY(gkd_elem_uint(config, listen, "@message-max", 256, 1u << 24,
	                     65535, &n, why));
	s->tcp_limits.message_max = (size_t)n;
	s->tcp_limits.unsent_max = 1u << 20;
	s->engine_cfg.max_message = (size_t)n;
	return GK_OK;
}

static enum gk_err
read_bulletin(struct gsakmpd_server *s, struct gkd_why *why)
{
	struct gkd_config *config = s->d->config;
	const struct gkd_elem *elem =
		gkd_elem_child(gkd_config_root(config), "bulletin");
	const struct gkd_elem *http;
	struct gsakmpd_bulletin *b = &s->bulletin;
	uint64_t n;

	if (elem == NULL)
		return GK_OK;
	b->elem = elem;
	b->directory = gkd_elem_path(config, elem, "@directory");
	if (b->directory == NULL)
		return GK_ERR_NOMEM;
	GK_TRY(gkd_elem_uint(config, elem, "@keep", 1, 1000000, 256, &n, why));
	b->keep = (unsigned)n;
	http = gkd_elem_child(elem, "http");
	if (http == NULL)
		return GK_OK;
	b->http = true;
	GK_TRY(gkd_elem_uint(config, http, "@connections-max", 1, 65536, 256,
	                     &n, why));
	b->conns_max = (unsigned)n;
	return gkd_addr_load(config, http, 0, &b->at, why);
}

static enum gk_err
read_engine(struct gsakmpd_server *s, struct gkd_why *why)
{
	static const char *const modes[] = { "never", "auto", "always", NULL };
	static const enum gsakmp_cookie_mode values[] = {
		GSAKMP_COOKIE_NEVER, GSAKMP_COOKIE_AUTO, GSAKMP_COOKIE_ALWAYS
	};
	const struct gkd_config *config = s->d->config;
	const struct gkd_elem *root = gkd_config_root(config);
	struct gsakmp_gcks_config *c = &s->engine_cfg;
	unsigned mode;

	c->party = s->party->party;
	gsakmp_halfopen_init(&s->halfopen);
	c->halfopen = &s->halfopen;
	GK_TRY(gkd_elem_enum(config, root, "cookies@mode", modes, 1, &mode,
	                     why));
	c->cookies = values[mode];
	GK_TRY(gkd_number_load(config, root, "cookies@rate", 1000000,
	                       &c->cookie_rate, why));
	GK_TRY(gkd_duration_load(config, root, "cookies@lifetime", 3600000, 1,
	                         &c->cookie_lifetime_ms, why));
	GK_TRY(gkd_elem_bool(config, root, "cookies@ip-value", false,
	                     &c->cookie_ip_value, why));
	GK_TRY(gkd_duration_load(config, root, "freshness@skew", 86400000, 1000,
	                         &c->skew_s, why));
	return gkd_elem_bool(config, root, "errors@unknown-group", false,
	                     &c->verbose_unknown_group, why);
}

enum gkd_exit
gsakmpd_server_configure(struct gsakmpd_server *s, struct gkd_why *why)
{
	const struct gkd_elem *root = gkd_config_root(s->d->config);
	enum gkd_exit rc = GKD_EXIT_CONFIG;

	if (gsakmpd_party_load(s->d->config, &s->party, why) != GK_OK ||
	    gsakmpd_fetch_config_load(s->d->config, &s->by_url, why) != GK_OK ||
	    read_listen(s, why) != GK_OK || read_engine(s, why) != GK_OK ||
	    read_bulletin(s, why) != GK_OK || read_groups(s, &rc, why) != GK_OK)
		return rc;
	s->store_path = gkd_elem_path(s->d->config, root, "store@path");
	return GKD_EXIT_OK;
}
