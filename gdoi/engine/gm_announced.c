/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/gm_state.h"

/*
 * Other key servers, and another place for PUSHes, while a member runs: RFC 6407
 * leaves to others how a member learns them (section 3.1).
 *
 * A membership goes on with the keys that it has.  Who has them from a key server
 * that is none any more, or hears its PUSHes where they do not go any more, registers
 * again, as so many others do at this moment: at random.
 */
struct move {
	struct gdoi_gm *gm;
	const struct gdoi_address *servers;
	size_t n;
};

/* Handles tell link-local addresses of different links from each other. */
static bool
same_place(const struct gdoi_address *a, const struct gdoi_address *b)
{
	return a->ip_len == b->ip_len && a->port == b->port &&
	       a->handle == b->handle && memcmp(a->ip, b->ip, a->ip_len) == 0;
}

/* Where it stands in the new list; @m->n: nowhere. */
static size_t
find(const struct move *m, const struct gdoi_address *server)
{
	size_t i = 0;

	while (i < m->n && !same_place(&m->servers[i], server))
		i++;
	return i;
}

static enum gk_err
take_list(const struct move *m, struct gk_now now)
{
	struct gdoi_gm *gm = m->gm;
	size_t at = find(m, &gm->cfg.server[gm->server]);
	uint64_t silent[GDOI_GM_SERVERS_MAX] = { 0 };
	unsigned contacted = 0;

	/* An SA with a key server that is none any more is of no use. */
	if (at == m->n)
		GK_TRY(gm_server_abandon(gm, "not a key server any more", now));
	for (size_t i = 0; i < gm->cfg.n_servers; i++) {
		size_t to = find(m, &gm->cfg.server[i]);

		if (to < m->n && (gm->contacted & 1U << i) != 0)
			contacted |= 1U << to;
		if (to < m->n)
			silent[to] = gm->silent_until[i];
	}
	memcpy(gm->silent_until, silent, sizeof(silent));
	for (size_t i = 0; i < m->n; i++)
		gm->cfg.server[i] = m->servers[i];
	gm->cfg.n_servers = m->n;
	gm->contacted = contacted;
	gm->server = at < m->n ? at : 0;
	for (size_t i = 0; i < gm->n_groups; i++)
		gm->group[i].servers_tried = 0;
	return GK_OK;
}

static bool
serves(const struct gm_group *group)
{
	const struct gk_identity registrar = {
		group->registrar_kind, gk_buf_slice(&group->registrar)
	};

	for (size_t i = 0; i < group->cfg.n_servers; i++)
		if (gk_identity_match(group->cfg.servers[i], registrar,
		                      GK_DN_COMPARE_RFC4514))
			return true;
	return group->cfg.n_servers == 0;
}

/* The list has it, and not for this group. */
static enum gk_err
leave_stranger(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	if (group->pull.expect == 0 || gm_server_serves(gm, group))
		return GK_OK;
	return gm_register_failed(gm, group, "not a key server of this group",
	                          NULL, now);
}

/* Why what we have is not what there is now; NULL: it is. */
static const char *
why_again(const struct move *m, const struct gm_group *group)
{
	const struct gm_kek *kek = group->keys->rekey.kek;

	if (find(m, &group->registrar_at) == m->n || !serves(group))
		return "the key server is none of the announced any more";
	if (kek == NULL || group->cfg.rekey_dst.ip_len == 0 ||
	    (gm_is_at(&kek->sak.ep.dst, &group->cfg.rekey_dst) &&
	     gm_is_at(&kek->sak.ep.src, &group->cfg.rekey_src)))
		return NULL;
	return "PUSHes are announced to come elsewhere";
}

enum gk_err
gdoi_gm_announced(struct gdoi_gm *gm, size_t group,
                  const struct gdoi_gm_group_config *cfg,
                  const struct gdoi_address *servers, size_t n,
                  struct gk_now now)
{
	const struct move m = { gm, servers, n };
	struct gdoi_gm_group_config *c;

	if (group >= gm->n_groups || n == 0 || n > GDOI_GM_SERVERS_MAX)
		return GK_ERR_VALUE;
	if (gk_queue_first(&gm->out.items) != NULL)
		return GK_ERR_UNEXPECTED;
	gm_begin(gm);
	c = &gm->group[group].cfg;
	c->rekey_dst = cfg->rekey_dst;
	c->rekey_src = cfg->rekey_src;
	c->servers = cfg->servers;
	c->n_servers = cfg->n_servers;
	c->flows = cfg->flows;
	c->n_flows = cfg->n_flows;
	GK_TRY(take_list(&m, now));
	GK_TRY(leave_stranger(gm, &gm->group[group], now));
	for (size_t i = 0; i < gm->n_groups; i++) {
		struct gm_group *g = &gm->group[i];
		const char *why = g->joined ? why_again(&m, g) : NULL;

		if (why != NULL)
			GK_TRY(gm_register_soon(gm, g, why, now));
	}
	return gm_server_resume(gm, now);
}
