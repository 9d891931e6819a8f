/* SPDX-License-Identifier: BSD-2-Clause */
/* A group that its Group Owner announces: the same file that members of GSAKMP
 * read says which number or object identifier it has here, where its key servers
 * are and who, what phase 1 is like and where PUSHes go. */
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/member.h"
#include "gdoi/engine/policy.h"
#include "policy-tokens/owner/gpt_announcement_config.h"
#include "policy-tokens/owner/gpt_owner_config.h"
#include "policy-tokens/token/gpt_gdoi.h"

/* ---- whom to believe ----------------------------------------------------- */

static enum gkd_exit
load(struct gdoid_member *m, struct gdoid_member_group *g,
     const struct gkd_elem *elem, const struct gpt_owner_config *own,
     struct gkd_why *why)
{
	const struct gpt_owner owner = {
		.id = own->octets.len != 0 ? &own->id : NULL,
		.cert = own->cert.n != 0 ? own->cert.cert[0] : NULL,
		.trust = own->trust != NULL ? own->trust : m->phase1->trust,
		.allow_sha1 = m->phase1->ike.legacy_ok,
	};

	return gpt_announcement_config_load(m->d->config, elem, &owner,
	                                    &g->announced, why);
}

/* That of the group, or that of all groups. */
static enum gkd_exit
load_believed(struct gdoid_member *m, struct gdoid_member_group *g,
              const struct gkd_elem *group, struct gkd_why *why)
{
	struct gkd_config *config = m->d->config;
	const struct gkd_elem *elem = gkd_elem_child(group, "announcement");
	const struct gkd_elem *e = gkd_elem_child(group, "group-owner");
	struct gpt_owner_config own;
	enum gkd_exit rc = GKD_EXIT_CONFIG;

	if (e == NULL)
		e = gkd_elem_child(gkd_config_root(config), "group-owner");
	if (e == NULL) {
		gkd_config_fail(config, elem, why,
		                "needs a <group-owner>: whose signature makes "
		                "it valid?");
		return rc;
	}
	if (gpt_owner_config_load(config, e, m->phase1->ike.legacy_ok, &own,
	                          why) != GK_OK)
		return rc;
	if (own.trust == NULL && m->phase1->trust == NULL)
		gkd_config_fail(config, e, why,
		                "needs a <root>, or a <trust> beside it");
	else
		rc = load(m, g, elem, &own, why);
	gpt_owner_config_free(&own);
	return rc;
}

/* ---- what it says -------------------------------------------------------- */

static bool
is_listed(const struct gdoid_member *m, const struct gkd_addr *addr)
{
	for (size_t i = 0; i < m->cfg.n_servers; i++)
		if (gkd_addr_equal(&m->server[i], addr))
			return true;
	return false;
}

/* Behind those of the configuration, and of groups before. */
static enum gk_err
take_server(struct gdoid_member *m, const struct gkd_elem *elem,
            const struct gpt_key_server *s, struct gkd_why *why)
{
	struct gkd_addr addr;

	if (gpt_announced_addr(&s->at, &addr) != GK_OK ||
	    gkd_addr_is_multicast(&addr))
		return gkd_config_fail(m->d->config, elem, why,
		                       "the announced address of a key server "
		                       "cannot be used");
	if (is_listed(m, &addr))
		return GK_OK;
	if (m->cfg.n_servers == GDOI_GM_SERVERS_MAX)
		return gkd_config_fail(m->d->config, elem, why,
		                       "with it there are more than %d key "
		                       "servers",
		                       GDOI_GM_SERVERS_MAX);
	m->server[m->cfg.n_servers] = addr;
	m->cfg.server[m->cfg.n_servers++] = gdoid_address_of(&addr, 0);
	return GK_OK;
}

static enum gk_err
take_servers(struct gdoid_member *m, struct gdoid_member_group *g,
             const struct gkd_elem *elem, struct gkd_why *why)
{
	const struct gpt_announcement *a = g->announced;
	bool named = true;

	for (size_t i = 0; i < a->n_servers; i++) {
		GK_TRY(take_server(m, elem, &a->servers[i], why));
		named = named && a->servers[i].id_kind != GK_ID_NONE;
	}
	if (!named)
		return GK_OK; /* one of <phase1> may be meant */
	g->servers = calloc(a->n_servers, sizeof(*g->servers));
	if (g->servers == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < a->n_servers; i++)
		g->servers[g->n_servers++] =
			(struct gk_identity){ a->servers[i].id_kind,
			                      gk_buf_slice(&a->servers[i].id) };
	return GK_OK;
}

static void
take_place(struct gdoi_address *to, const uint8_t *octets, size_t len,
           uint16_t port)
{
	memcpy(to->ip, octets, len);
	to->ip_len = (uint8_t)len;
	to->port = port;
}

static enum gk_err
take_all(struct gdoid_member *m, struct gdoid_member_group *g,
         const struct gkd_elem *elem, struct gkd_why *why)
{
	struct gdoi_gm_group_config *c = &m->group_cfg[g - m->group];
	const struct gpt_announcement *a = g->announced;
	const struct gpt_gdoi_group *id;

	if (a->gdoi == NULL)
		return gkd_config_fail(m->d->config, elem, why,
		                       "the group's keys come by GSAKMP, which "
		                       "this program does not speak");
	id = &a->gdoi->group;
	GK_TRY(gdoid_group_id_make(m->d->config, elem, &g->dialect,
	                           (uint32_t)id->number.value, id->oid,
	                           gk_buf_slice(&id->payload), &g->id, why));
	GK_TRY(take_servers(m, g, elem, why));
	if (!a->has_rekey)
		return GK_OK;
	take_place(&c->rekey_dst, a->rekey.group.addr, a->rekey.group.addr_len,
	           a->rekey.group.port);
	take_place(&c->rekey_src, a->rekey.source, a->rekey.source_len, 0);
	return GK_OK;
}

enum gkd_exit
gdoid_announcement_load(struct gdoid_member *m, struct gdoid_member_group *g,
                        const struct gkd_elem *group, struct gkd_why *why)
{
	enum gkd_exit rc = load_believed(m, g, group, why);

	if (rc != GKD_EXIT_OK)
		return rc;
	if (take_all(m, g, gkd_elem_child(group, "announcement"), why) != GK_OK)
		return GKD_EXIT_CONFIG;
	return GKD_EXIT_OK;
}

/* ---- phase 1 ------------------------------------------------------------- */

/* DOI and Situation of its SA payload; a <dialect> of <phase1> may not say
 * otherwise. */
static enum gk_err
agree_on_doi(const struct gdoid_member *m, const struct gdoid_member_group *g,
             struct gdoid_phase1 *p, bool settled, struct gkd_why *why)
{
	static const struct {
		const char *name;
		uint8_t doi;
	} dois[] = { { "2", 2 }, { "1", 1 }, { "0", 0 } };
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(m->d->config), "phase1");
	struct gdoi_dialect want = p->dialect;
	const struct gpt_announcement *a = g->announced;
	char situation[8] = "0";
	enum gk_err err = GK_ERR_VALUE;

	situation[0] = (char)('0' + a->situation % 10);
	for (size_t i = 0; i < GK_COUNT(dois); i++)
		if (dois[i].doi == a->doi)
			err = gdoi_dialect_set(&want, "p1_doi", dois[i].name);
	if (err != GK_OK || a->situation > 1 ||
	    gdoi_dialect_set(&want, "p1_situation", situation) != GK_OK)
		return gkd_config_fail(m->d->config, e, why,
		                       "group '%s' is announced with DOI %u "
		                       "and situation %u, which are not known",
		                       g->name, a->doi, a->situation);
	if (settled && (want.p1_doi != p->dialect.p1_doi ||
	                want.p1_situation != p->dialect.p1_situation))
		return gkd_config_fail(m->d->config, e, why,
		                       "group '%s' is announced with DOI %u "
		                       "and situation %u: not what phase 1 "
		                       "says",
		                       g->name, a->doi, a->situation);
	p->dialect = want;
	return GK_OK;
}

static const struct gpt_phase1 *
announced_as(const struct gpt_gdoi_register *r, const struct ike_suite *suite,
             bool aggressive)
{
	for (size_t i = 0; i < r->n_phase1; i++) {
		struct gdoi_phase1_policy p =
			gdoi_policy_phase1_of(&r->phase1[i]);

		if (p.aggressive == aggressive &&
		    ike_suite_matches(suite, &p.suite))
			return &r->phase1[i];
	}
	return NULL;
}

/* Where the configuration names no proposals, these are tried. */
static void
propose(struct gdoid_phase1 *p, const struct gpt_gdoi_register *r)
{
	struct ike_config *c = &p->ike;

	c->n_suites = 0;
	for (size_t i = 0; i < r->n_phase1; i++) {
		struct gdoi_phase1_policy one =
			gdoi_policy_phase1_of(&r->phase1[i]);

		if (one.aggressive != c->aggressive ||
		    c->n_suites == IKE_SUITES_MAX ||
		    (ike_suite_is_legacy(&one.suite) && !c->legacy_ok) ||
		    !gdoid_proposal_possible(p, &one.suite))
			continue;
		if (one.suite.life_s == 0)
			one.suite.life_s = c->life_s;
		c->suite[c->n_suites++] = one.suite;
	}
}

/* What is not announced is not proposed: the key server would refuse it. */
static void
restrict_to(struct gdoid_phase1 *p, const struct gpt_gdoi_register *r)
{
	struct ike_config *c = &p->ike;
	size_t n = 0;

	for (size_t i = 0; i < c->n_suites; i++) {
		struct ike_suite suite = c->suite[i];
		const struct gpt_phase1 *a =
			announced_as(r, &suite, c->aggressive);
		uint32_t life =
			a == NULL ? 0 : gdoi_policy_phase1_of(a).suite.life_s;

		if (a == NULL)
			continue;
		if (life != 0 && (suite.life_s == 0 || life < suite.life_s))
			suite.life_s = life;
		c->suite[n++] = suite;
	}
	c->n_suites = n;
}

enum gk_err
gdoid_announced_phase1(const struct gdoid_member *m, struct gdoid_phase1 *p,
                       struct gkd_why *why)
{
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(m->d->config), "phase1");
	bool settled = gkd_elem_child(e, "dialect") != NULL;
	bool chosen = gkd_elem_child(e, "proposal") != NULL;

	for (size_t i = 0; i < m->cfg.n_groups; i++) {
		const struct gdoid_member_group *g = &m->group[i];
		const struct gpt_gdoi_register *r;

		if (g->announced == NULL)
			continue;
		r = g->announced->gdoi;
		GK_TRY(agree_on_doi(m, g, p, settled, why));
		settled = true;
		if (r->n_phase1 == 0)
			continue;
		if (!chosen)
			propose(p, r);
		else
			restrict_to(p, r);
		chosen = true;
		if (p->ike.n_suites == 0)
			return gkd_config_fail(
				m->d->config, e, why,
				"group '%s' is announced with proposals of "
				"phase 1 of which this member has none",
				g->name);
	}
	return GK_OK;
}
