/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gdoi/daemon/server.h"

/* ---- one group ---------------------------------------------------------- */

/* "hex:" and digits, or the text itself. */
static enum gk_err
read_token(struct gkd_config *config, struct gdoid_group *g,
           struct gkd_why *why)
{
	const struct gkd_elem *e = gkd_elem_child(g->elem, "token");
	const char *name = gkd_elem_text(e, "@group", "");
	enum gk_err err;

	GK_TRY(gpt_place_load(config, e, &g->token, why));
	g->lapsed_serve =
		strcmp(gkd_elem_text(e, "@lapsed", "refuse"), "serve") == 0;
	if (strncmp(name, "hex:", 4) == 0)
		err = gk_unhex(&g->token_group, name + 4);
	else
		err = gk_buf_copy(&g->token_group, gk_slice_str(name));
	if (err == GK_ERR_VALUE)
		return gkd_config_fail(config, e, why,
		                       "'@group' is not hexadecimal");
	GK_TRY(err);
	if (g->token.file == NULL && g->token_group.len == 0)
		return gkd_config_fail(config, e, why,
		                       "'owner' needs a 'group': which tokens "
		                       "are asked for?");
	return GK_OK;
}

static enum gk_err
read_policy_place(struct gkd_config *config, struct gdoid_group *g,
                  struct gkd_why *why)
{
	const struct gkd_elem *policy = gkd_elem_child(g->elem, "policy");

	if (policy == NULL)
		return read_token(config, g, why);
	g->policy_file = gkd_elem_path(config, policy, "@file");
	return g->policy_file != NULL ? GK_OK : GK_ERR_NOMEM;
}

/* That of the group, or that of all groups; a local policy needs none. */
static enum gk_err
read_owner(struct gdoid_group *g, struct gpt_owner_config **owner,
           struct gkd_why *why)
{
	struct gkd_config *config = g->server->d->config;
	const struct gkd_elem *e = gkd_elem_child(g->elem, "group-owner");

	*owner = NULL;
	if (e == NULL)
		e = gkd_elem_child(gkd_config_root(config), "group-owner");
	if (g->policy_file != NULL)
		return GK_OK;
	if (e == NULL)
		return gkd_config_fail(config, g->elem, why,
		                       "a <token> needs a <group-owner>: whose "
		                       "signature makes it valid?");
	GK_TRY(gpt_owner_config_new(config, e, g->server->phase1->ike.legacy_ok,
	                            owner, why));
	if ((*owner)->trust != NULL || g->server->phase1->trust != NULL)
		return GK_OK;
	gpt_owner_config_delete(*owner);
	*owner = NULL;
	return gkd_config_fail(config, e, why,
	                       "needs a <root>, or a <trust> beside it");
}

void
gdoid_group_reload(struct gdoid_group *g)
{
	struct gpt_owner_config *old = g->owner, *fresh;
	struct gkd_why why;

	if (read_owner(g, &fresh, &why) != GK_OK) {
		gkd_log(LOG_ERR, "cfg", "not reloaded: %s", why.text);
		gkd_reload_fault(g->server->d, why.text);
		return;
	}
	g->owner = fresh;
	gpt_owner_config_delete(old);
}

static enum gk_err
read_signer(struct gkd_config *config, struct gdoid_group *g,
            struct gkd_why *why)
{
	const struct gkd_elem *e = gkd_elem_child(g->elem, "signer");
	struct gdoi_group_config *c = &g->cfg;

	GK_TRY(gkd_signer_load(config, e, "@key", &g->signer, why));
	c->signer = g->signer;
	if (gkd_elem_has(e, "@previous-key"))
		GK_TRY(gkd_signer_load(config, e, "@previous-key",
		                       &g->signer_before, why));
	c->signer_before = g->signer_before;
	if (!gkd_elem_has(e, "@certificate"))
		return GK_OK;
	GK_TRY(gkd_certs_load(config, e, "@certificate", &g->signer_certs,
	                      why));
	if (!gk_slice_equal(
		    gk_pubkey_spki(gk_cert_pubkey(g->signer_certs.cert[0])),
		    gk_pubkey_spki(gk_signer_pubkey(g->signer))))
		return gkd_config_fail(config, e, why,
		                       "'@key' does not belong to "
		                       "'@certificate'");
	c->signer_cert = gk_cert_der(g->signer_certs.cert[0]);
	return GK_OK;
}

static enum gk_err
read_rekey(const struct gkd_config *config, struct gdoid_group *g,
           struct gkd_why *why)
{
	const struct gkd_elem *e = gkd_elem_child(g->elem, "rekey");
	const struct gkd_elem *m = gkd_elem_child(g->elem, "multicast");
	struct gdoi_group_config *c = &g->cfg;
	uint64_t n = 1;

	if (m != NULL) {
		g->interface = gkd_elem_text(m, "@interface", NULL);
		GK_TRY(gkd_elem_uint(config, m, "@ttl", 1, 255, 1, &n, why));
	}
	g->hops = (uint8_t)n;
	if (e == NULL)
		return GK_OK;
	GK_TRY(gkd_duration_load(config, e, "@join-window", 3600000, 1,
	                         &c->join_window_ms, why));
	GK_TRY(gkd_duration_load(config, e, "@ack-wait", 3600000, 1,
	                         &c->ack_wait_ms, why));
	GK_TRY(gkd_elem_uint(config, e, "@message-max", 256, 65507, 0, &n,
	                     why));
	c->push_max = (size_t)n;
	GK_TRY(gkd_number_load(config, e, "@members-max", 1u << 20,
	                       &c->members_max, why));
	GK_TRY(gkd_number_load(config, e, "@tree-spare", UINT32_MAX,
	                       &c->tree_spare, why));
	GK_TRY(gkd_elem_uint(config, e, "@sender-last", 0, UINT32_MAX, 0, &n,
	                     why));
	c->sender_last = (uint32_t)n;
	GK_TRY(gkd_number_load(config, e, "@sender-ids-max", GDOI_KD_SIDS_MAX,
	                       &c->sids_max, why));
	GK_TRY(gkd_elem_ms(config, e, "@sender-reset-interval", 1000, 86400000,
	                   60000, &n, why));
	c->start_over_gap_s = (uint32_t)((n + 999) / 1000);
	GK_TRY(gkd_elem_ms(config, e, "@kilobytes-interval", 1000, 86400000,
	                   10000, &n, why));
	c->worn_gap_s = (uint32_t)((n + 999) / 1000);
	GK_TRY(gkd_number_load(config, e, "@kilobytes-budget", 1u << 20,
	                       &c->worn_max, why));
	return gkd_elem_bool(config, e, "@sender-ids-fewer", false,
	                     &c->sids_fewer, why);
}

static enum gk_err
read_group(struct gdoid_server *s, const struct gkd_elem *elem,
           struct gdoid_group *g, struct gkd_why *why)
{
	struct gkd_config *config = s->d->config;

	g->server = s;
	g->elem = elem;
	g->name = gkd_elem_text(elem, "@name", "");
	GK_TRY(gdoid_dialect_load(config, elem, &s->phase1->dialect,
	                          &g->dialect, why));
	GK_TRY(gdoid_group_id_load(config, gkd_elem_child(elem, "group-id"),
	                           &g->dialect, &g->id, why));
	GK_TRY(read_policy_place(config, g, why));
	GK_TRY(read_owner(g, &g->owner, why));
	GK_TRY(read_signer(config, g, why));
	GK_TRY(read_rekey(config, g, why));
	g->cfg.scope = gk_buf_slice(&g->id);
	g->cfg.id = gk_buf_slice(&g->id);
	g->cfg.dialect = &g->dialect;
	g->cfg.legacy_ok = s->phase1->ike.legacy_ok;
	for (const struct gdoid_group *o = s->groups; o < g; o++)
		if (gk_slice_equal(gk_buf_slice(&o->id), gk_buf_slice(&g->id)))
			return gkd_config_fail(config, elem, why,
			                       "has the ID of group '%s'",
			                       o->name);
	return GK_OK;
}

static enum gk_err
read_groups(struct gdoid_server *s, struct gkd_why *why)
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
	for (e = first; e != NULL; e = gkd_elem_next(e))
		GK_TRY(read_group(s, e, &s->groups[s->n_groups++], why));
	return GK_OK;
}

/* ---- where members ask --------------------------------------------------- */

static enum gk_err
add_listen(struct gdoid_server *s, const struct gkd_elem *elem,
           const struct gkd_addr *addr, bool natt, struct gkd_why *why)
{
	struct gdoid_listen *l = &s->listen[s->n_listen];

	if (s->n_listen == GDOID_LISTEN_MAX)
		return gkd_config_fail(s->d->config, elem, why,
		                       "more than %u addresses and ports",
		                       GDOID_LISTEN_MAX);
	*l = (struct gdoid_listen){ *addr, gkd_addr_is_any(addr), natt };
	s->n_listen++;
	return GK_OK;
}

static enum gk_err
read_listen(struct gdoid_server *s, struct gkd_why *why)
{
	const struct gkd_config *config = s->d->config;
	const struct gkd_elem *listen =
		gkd_elem_child(gkd_config_root(config), "listen");
	const struct ike_config *ike = &s->phase1->ike;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct gkd_addr addr;
	uint64_t n;

	for (const struct gkd_elem *e = gkd_elem_child(listen, "udp");
	     e != NULL; e = gkd_elem_next(e)) {
		GK_TRY(gkd_addr_load(config, e, GDOID_PORT, &addr, why));
		if (ike->natt && gkd_addr_port(&addr) == ike->natt_port)
			return gkd_config_fail(config, e, why,
			                       "'@port' is that of NAT "
			                       "traversal");
		GK_TRY(add_listen(s, e, &addr, false, why));
		gkd_addr_set_port(&addr, ike->natt_port);
		if (ike->natt)
			GK_TRY(add_listen(s, e, &addr, true, why));
	}
	GK_TRY(gkd_elem_uint(config, listen, "@workers", 0, 256, 0, &n, why));
	s->n_workers = n != 0 ? (unsigned)n : cpus > 0 ? (unsigned)cpus : 1;
	if (s->n_workers > 256)
		s->n_workers = 256;
	GK_TRY(gkd_elem_ms(config, listen, "@queue-age", 100, 3600000, 16000,
	                   &n, why));
	s->queue_age_ms = (uint32_t)n;
	GK_TRY(gkd_elem_uint(config, listen, "@queue-max", 65536, 1u << 30,
	                     4u << 20, &n, why));
	s->queue_octets = (size_t)n;
	return GK_OK;
}

static enum gk_err
read_limits(struct gdoid_server *s, struct gkd_why *why)
{
	const struct gkd_config *config = s->d->config;
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "registration");
	struct gdoi_gcks_config *c = &s->engine_cfg;
	unsigned n;
	bool answer = true;

	if (e == NULL)
		return GK_OK;
	GK_TRY(gkd_elem_bool(config, e, "@errors", true, &answer, why));
	c->silent = !answer;
	GK_TRY(gkd_elem_bool(config, e, "@reasons", true, &answer, why));
	c->bare = !answer;
	GK_TRY(gkd_elem_bool(config, e, "@initial-contact", false,
	                     &c->initial_contact, why));
	GK_TRY(gkd_number_load(config, e, "@half-open-max", 1000000, &n, why));
	c->limits.half_open = n;
	GK_TRY(gkd_number_load(config, e, "@half-open-address-max", 1000000, &n,
	                       why));
	c->limits.per_address = n;
	GK_TRY(gkd_number_load(config, e, "@sas-max", 10000000, &n, why));
	c->limits.established = n;
	GK_TRY(gkd_number_load(config, e, "@sas-peer-max", 1000, &n, why));
	c->limits.per_identity = n;
	GK_TRY(gkd_number_load(config, e, "@pulls-max", 1000, &c->pulls_max,
	                       why));
	GK_TRY(gkd_number_load(config, e, "@resends-max", 1000, &c->resends_max,
	                       why));
	return gkd_duration_load(config, e, "@timeout", 3600000, 1,
	                         &c->pull_wait_ms, why);
}

enum gkd_exit
gdoid_server_configure(struct gdoid_server *s, struct gkd_why *why)
{
	const struct gkd_elem *root = gkd_config_root(s->d->config);

	if (gdoid_phase1_load(s->d->config, &s->phase1, why) != GK_OK ||
	    read_listen(s, why) != GK_OK || read_limits(s, why) != GK_OK ||
	    read_groups(s, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	s->store_path = gkd_elem_path(s->d->config, root, "store@path");
	return GKD_EXIT_OK;
}
