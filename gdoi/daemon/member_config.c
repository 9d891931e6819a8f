/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/member.h"
#include "policy-tokens/xml/gpt_announcement.h"

#define DAY_MS UINT64_C(86400000)
#define PRIORITY 2000
#define REQID 848000
#define LOCK_DIRECTORY "/run/gdoi-gm"
#define REPLAY_WINDOW 64

/* ---- groups -------------------------------------------------------------- */

static enum gk_err
read_servers(const struct gkd_config *config, const struct gkd_elem *elem,
             struct gdoid_member_group *g, struct gkd_why *why)
{
	const struct gkd_elem *first = gkd_elem_child(elem, "key-server");
	size_t n = 0;

	for (const struct gkd_elem *e = first; e != NULL; e = gkd_elem_next(e))
		n++;
	g->server_octets = calloc(n + 1, sizeof(*g->server_octets));
	g->servers = calloc(n + 1, sizeof(*g->servers));
	if (g->server_octets == NULL || g->servers == NULL)
		return GK_ERR_NOMEM;
	for (const struct gkd_elem *e = first; e != NULL;
	     e = gkd_elem_next(e)) {
		size_t i = g->n_servers++;

		GK_TRY(gkd_identity_load(config, e, &g->server_octets[i],
		                         &g->servers[i], why));
		if (gk_identity_check_pattern(g->servers[i]) != GK_OK)
			return gkd_config_fail(config, e, why,
			                       "'@name' is no name and no "
			                       "pattern of one");
	}
	return GK_OK;
}

/* Names are what commands go by, and two groups of one identifier would have one
 * place in the store. */
static enum gk_err
check_new(const struct gdoid_member *m, const struct gdoid_member_group *g,
          const struct gkd_elem *elem, struct gkd_why *why)
{
	for (const struct gdoid_member_group *o = m->group; o < g; o++) {
		if (strcmp(o->name, g->name) == 0)
			return gkd_config_fail(m->d->config, elem, why,
			                       "there is a group '%s' already",
			                       g->name);
		if (gk_slice_equal(gk_buf_slice(&o->id), gk_buf_slice(&g->id)))
			return gkd_config_fail(
				m->d->config, elem, why,
				"the group identifier is that of '%s'",
				o->name);
	}
	return GK_OK;
}

static enum gk_err
read_identity(struct gdoid_member *m, const struct gkd_elem *elem,
              struct gdoid_member_group *g, enum gkd_exit *rc,
              struct gkd_why *why)
{
	if (gkd_elem_child(elem, "announcement") != NULL) {
		enum gkd_exit how = gdoid_announcement_load(m, g, elem, why);

		if (how == GKD_EXIT_OK)
			return GK_OK;
		*rc = how;
		return GK_ERR_VALUE;
	}
	GK_TRY(gdoid_group_id_load(m->d->config,
	                           gkd_elem_child(elem, "group-id"),
	                           &g->dialect, &g->id, why));
	return read_servers(m->d->config, elem, g, why);
}

static enum gk_err
read_group(struct gdoid_member *m, const struct gkd_elem *elem,
           enum gkd_exit *rc, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	struct gdoid_member_group *g = &m->group[m->cfg.n_groups];
	struct gdoi_gm_group_config *c = &m->group_cfg[m->cfg.n_groups];
	uint64_t sids, kda;

	m->cfg.n_groups++;
	g->name = gkd_elem_text(elem, "@name", "");
	if (*g->name == '\0')
		return gkd_config_fail(config, elem, why, "'@name' is empty");
	g->interface = gkd_elem_text(elem, "@interface", m->interface);
	GK_TRY(gdoid_dialect_load(config, elem, &m->phase1->dialect,
	                          &g->dialect, why));
	GK_TRY(read_identity(m, elem, g, rc, why));
	GK_TRY(check_new(m, g, elem, why));
	GK_TRY(gkd_elem_bool(config, elem, "@join", false, &g->join, why));
	GK_TRY(gkd_elem_bool(config, elem, "@legacy", false, &c->legacy_ok,
	                     why));
	GK_TRY(gkd_elem_bool(config, elem, "@require-rekey", false,
	                     &c->require_rekey, why));
	GK_TRY(gkd_elem_bool(config, elem, "@receive-only", false,
	                     &c->receive_only, why));
	GK_TRY(gkd_elem_uint(config, elem, "@sender-ids", 1, 255, 0, &sids,
	                     why));
	GK_TRY(gkd_elem_uint(config, elem, "@kda-min", 0, 100, 0, &kda, why));
	c->kda_min = (uint8_t)kda;
	if (sids != 0 && c->receive_only)
		return gkd_config_fail(config, elem, why,
		                       "'sender-ids' does not go with "
		                       "'receive-only'");
	c->sids = (uint16_t)sids;
	GK_TRY(gdoid_flows_load(config, elem, &g->flows, why));
	g->own_flows = g->flows.n != 0;
	if (!g->own_flows && g->announced != NULL)
		GK_TRY(gdoid_flows_announced(&g->flows, g->announced));
	c->flows = g->flows.flow;
	c->n_flows = g->flows.n;
	c->id = c->scope = gk_buf_slice(&g->id);
	c->dialect = &g->dialect;
	c->servers = g->servers;
	c->n_servers = g->n_servers;
	return GK_OK;
}

/* ---- places -------------------------------------------------------------- */

static enum gk_err
read_key_servers(struct gdoid_member *m, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "key-server");

	for (; e != NULL; e = gkd_elem_next(e)) {
		size_t i = m->cfg.n_servers;

		if (i == GDOI_GM_SERVERS_MAX)
			return gkd_config_fail(config, e, why,
			                       "more than %d key servers",
			                       GDOI_GM_SERVERS_MAX);
		GK_TRY(gkd_addr_load(config, e, GDOID_PORT, &m->server[i],
		                     why));
		if (gkd_addr_is_multicast(&m->server[i]))
			return gkd_config_fail(config, e, why,
			                       "'@address' is a multicast "
			                       "address");
		for (size_t k = 0; k < i; k++)
			if (gkd_addr_equal(&m->server[k], &m->server[i]))
				return gkd_config_fail(
					config, e, why,
					"this key server is listed twice");
		m->cfg.server[i] = gdoid_server_address(&m->server[i]);
		m->cfg.n_servers++;
	}
	m->n_listed = m->cfg.n_servers;
	return GK_OK;
}

static enum gk_err
read_network(struct gdoid_member *m, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "network");
	uint64_t port = GDOID_PORT;

	m->source_specific = true;
	if (e != NULL) {
		GK_TRY(gkd_elem_uint(config, e, "@port", 1, UINT16_MAX, port,
		                     &port, why));
		GK_TRY(gkd_elem_bool(config, e, "@source-specific", true,
		                     &m->source_specific, why));
	}
	m->port = (uint16_t)port;
	if (m->phase1->ike.natt && m->phase1->ike.natt_port == m->port)
		return gkd_config_fail(
			config,
			gkd_elem_child(gkd_config_root(config), "phase1"), why,
			"'@nat-port' is the port of registration");
	if (e != NULL && gkd_elem_has(e, "@address")) {
		GK_TRY(gkd_elem_addr(config, e, "@address", 0, &m->local, why));
		for (size_t i = 0; i < m->cfg.n_servers; i++)
			if (m->server[i].sa.sa_family != m->local.sa.sa_family)
				return gkd_config_fail(
					config, e, why,
					"'@address' is not of the family of "
					"each key server");
		gkd_addr_set_port(&m->local, m->port);
		m->cfg.local = gdoid_address_of(&m->local, 0);
	}
	m->cfg.local.port = m->port;
	return GK_OK;
}

/* ---- behaviour ----------------------------------------------------------- */

static enum gk_err
read_behaviour(struct gdoid_member *m, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *root = gkd_config_root(config);
	struct gdoi_gm_config *c = &m->cfg;
	bool yes;

	GK_TRY(gkd_duration_load(config, root, "membership@timeout", 60000, 1,
	                         &c->pull_timeout_ms, why));
	GK_TRY(gkd_number_load(config, root, "membership@tries", 20,
	                       &c->pull_tries, why));
	GK_TRY(gkd_duration_load(config, root, "membership@backoff", DAY_MS, 1,
	                         &c->backoff_ms, why));
	GK_TRY(gkd_duration_load(config, root, "membership@backoff-max", DAY_MS,
	                         1, &c->backoff_max_ms, why));
	GK_TRY(gkd_number_load(config, root, "membership@attempts", UINT16_MAX,
	                       &c->register_max, why));
	GK_TRY(gkd_duration_load(config, root, "membership@margin", DAY_MS,
	                         1000, &c->margin_s, why));
	GK_TRY(gkd_duration_load(config, root, "membership@ack-jitter", 60000,
	                         1, &c->ack_jitter_ms, why));
	GK_TRY(gkd_elem_bool(config, root, "membership@keep-phase1", false,
	                     &c->keep_phase1, why));
	GK_TRY(gkd_elem_bool(config, root, "membership@leave-at-exit", false,
	                     &m->leave_at_exit, why));
	GK_TRY(gkd_elem_bool(config, root, "membership@leave-phase1", true,
	                     &yes, why));
	c->no_leave_phase1 = !yes;
	GK_TRY(gkd_elem_bool(config, root, "membership@acknowledge", true, &yes,
	                     why));
	c->no_ack = !yes;
	GK_TRY(gkd_elem_bool(config, root, "membership@keep-expired", true,
	                     &yes, why));
	c->drop_expired = !yes;
	return GK_OK;
}

static enum gk_err
read_source(struct gdoid_member *m, const struct gkd_elem *elem,
            const char *path, int family, struct gdoi_address *out,
            struct gkd_why *why)
{
	struct gkd_addr addr;

	if (!gkd_elem_has(elem, path)) {
		if (m->local.sa.sa_family == family)
			*out = m->cfg.local;
		return GK_OK;
	}
	GK_TRY(gkd_elem_addr(m->d->config, elem, path, 0, &addr, why));
	if (addr.sa.sa_family != family)
		return gkd_config_fail(m->d->config, elem, why,
		                       "'%s' is of the other family", path);
	*out = gdoid_address_of(&addr, 0);
	return GK_OK;
}

static enum gk_err
read_kernel(struct gdoid_member *m, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "kernel");
	struct gdoi_kernel_config *k = &m->kernel_cfg;
	uint64_t window, priority, reqid;
	bool close;

	if (e == NULL)
		return GK_OK;
	m->in_kernel = true;
	m->lock_directory = gkd_elem_path(m->d->config, e, "@lock-directory");
	if (m->lock_directory == NULL)
		m->lock_directory = LOCK_DIRECTORY;
	GK_TRY(gkd_elem_uint(config, e, "@replay-window", 0,
	                     GDOI_XFRM_WINDOW_MAX, REPLAY_WINDOW, &window,
	                     why));
	GK_TRY(gkd_elem_uint(config, e, "@priority", 0, UINT32_MAX, PRIORITY,
	                     &priority, why));
	GK_TRY(gkd_elem_uint(config, e, "@reqid", 1, INT32_MAX, REQID, &reqid,
	                     why));
	k->window = (uint32_t)window;
	k->priority = (uint32_t)priority;
	k->reqid = (uint32_t)reqid;
	GK_TRY(gkd_elem_bool(config, e, "@fail-close", true, &close, why));
	k->fail_open = !close;
	GK_TRY(gkd_elem_bool(config, e, "@fail-close-networks", true, &close,
	                     why));
	k->no_fences = !close;
	GK_TRY(gkd_elem_bool(config, e, "@random-iv", false, &k->random_iv,
	                     why));
	GK_TRY(read_source(m, e, "@source", AF_INET, &k->local4, why));
	return read_source(m, e, "@source6", AF_INET6, &k->local6, why);
}

enum gkd_exit
gdoid_member_configure(struct gdoid_member *m, struct gkd_why *why)
{
	struct gkd_config *config = m->d->config;
	const struct gkd_elem *root = gkd_config_root(config);
	enum gkd_exit rc = GKD_EXIT_CONFIG;
	struct gkd_why ignored;

	m->interface = gkd_elem_text(root, "network@interface", "");
	if (gdoid_phase1_load(config, &m->phase1, why) != GK_OK ||
	    read_key_servers(m, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	for (const struct gkd_elem *e = gkd_elem_child(root, "group");
	     e != NULL; e = gkd_elem_next(e))
		if (read_group(m, e, &rc, why) != GK_OK)
			return rc;
	if (m->cfg.n_servers == 0) {
		gkd_config_fail(config, root, why,
		                "no <key-server>, and none is announced");
		return GKD_EXIT_CONFIG;
	}
	if (gdoid_announced_phase1(m, m->phase1, why) != GK_OK ||
	    read_network(m, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	if (read_behaviour(m, why) != GK_OK || read_kernel(m, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	m->cfg.ike = m->phase1->ike;
	m->udp_nat_port = m->cfg.ike.natt_port;
	m->cfg.groups = m->group_cfg;
	m->store_path = gkd_elem_path(config, root, "store@path");
	m->hook_program = gkd_elem_path(config, root, "hook@program");
	if (gkd_hook_check(config, m->hook_program, why) != GK_OK ||
	    gkd_hook_limit(config, &m->hook_limit_ms, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	/* The schema has seen the value. */
	(void)!gkd_elem_bool(config, root, "hook@keys", false, &m->hook_keys,
	                     &ignored);
	return GKD_EXIT_OK;
}

void
gdoid_member_unconfigure(struct gdoid_member *m)
{
	for (size_t i = 0; i < m->cfg.n_groups; i++) {
		struct gdoid_member_group *g = &m->group[i];

		for (size_t k = 0; g->server_octets != NULL && k < g->n_servers;
		     k++)
			gk_buf_free(&g->server_octets[k]);
		gpt_announced_end(&g->announcing);
		gpt_announcement_free(g->announced);
		gdoid_flows_free(&g->flows);
		free(g->server_octets);
		free(g->servers);
		gk_buf_free(&g->id);
	}
	while (m->phase1 != NULL) {
		struct gdoid_phase1 *older = m->phase1->older;

		gdoid_phase1_free(m->phase1);
		m->phase1 = older;
	}
}
