/* SPDX-License-Identifier: BSD-2-Clause */
/* A group that its Group Owner announces: the same file that members of GSAKMP
 * read says which number or object identifier it has here, where its key servers
 * are and who, what phase 1 is like and where PUSHes go. */
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/member.h"
#include "gdoi/engine/policy.h"
#include "policy-tokens/owner/gpt_owner_config.h"
#include "policy-tokens/token/gpt_gdoi.h"

/* What an announcement, together with those of the other groups, makes of us. */
struct gdoid_next {
	struct gdoid_servers servers;
	struct gk_identity *names;
	size_t n_names;
	struct gdoi_address rekey_dst, rekey_src;
	struct gdoid_flows flows;
	struct gdoid_phase1 *phase1;
};

/* ---- whom to believe ----------------------------------------------------- */

static enum gkd_exit
load_signed(struct gdoid_member_group *g, const struct gpt_owner_config *own,
            struct gpt_announcement **a, struct gkd_why *why)
{
	const struct gdoid_member *m = g->m;
	const struct gdoid_phase1 *p =
		m->reloaded != NULL ? m->reloaded : m->phase1;
	const struct gpt_owner owner = {
		.id = own->octets.len != 0 ? &own->id : NULL,
		.cert = own->cert.n != 0 ? own->cert.cert[0] : NULL,
		.trust = own->trust != NULL ? own->trust : p->trust,
		.allow_sha1 = p->ike.legacy_ok,
	};

	return gpt_announcement_config_load(m->d->config, g->announcing.elem,
	                                    &owner, a, why);
}

/* That of the group, or that of all groups; with its CRLs as they are now. */
static enum gkd_exit
load(void *arg, struct gpt_announcement **a, struct gkd_why *why)
{
	struct gdoid_member_group *g = arg;
	struct gdoid_member *m = g->m;
	struct gkd_config *config = m->d->config;
	const struct gkd_elem *e = gkd_elem_child(g->elem, "group-owner");
	struct gpt_owner_config own;
	enum gkd_exit rc = GKD_EXIT_CONFIG;

	if (e == NULL)
		e = gkd_elem_child(gkd_config_root(config), "group-owner");
	if (e == NULL) {
		gkd_config_fail(config, g->announcing.elem, why,
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
		rc = load_signed(g, &own, a, why);
	gpt_owner_config_free(&own);
	return rc;
}

/* ---- what it says -------------------------------------------------------- */

static bool
is_listed(const struct gdoid_servers *list, const struct gkd_addr *addr)
{
	for (size_t i = 0; i < list->n; i++)
		if (gkd_addr_equal(&list->at[i], addr))
			return true;
	return false;
}

/* Behind those of the configuration, and of groups before. */
static enum gk_err
add_server(const struct gdoid_member_group *g, struct gdoid_servers *list,
           const struct gpt_key_server *s, struct gkd_why *why)
{
	const struct gkd_config *config = g->m->d->config;
	struct gkd_addr addr;

	if (gpt_announced_addr(&s->at, &addr) != GK_OK ||
	    gkd_addr_is_multicast(&addr))
		return gkd_config_fail(config, g->announcing.elem, why,
		                       "the announced address of a key server "
		                       "cannot be used");
	if (is_listed(list, &addr))
		return GK_OK;
	if (list->n == GDOI_GM_SERVERS_MAX)
		return gkd_config_fail(config, g->announcing.elem, why,
		                       "with it there are more than %d key "
		                       "servers",
		                       GDOI_GM_SERVERS_MAX);
	list->at[list->n++] = addr;
	return GK_OK;
}

static enum gk_err
add_servers(const struct gdoid_member_group *g, struct gdoid_servers *list,
            const struct gpt_announcement *a, struct gkd_why *why)
{
	for (size_t i = 0; i < a->n_servers; i++)
		GK_TRY(add_server(g, list, &a->servers[i], why));
	return GK_OK;
}

/* Slices are those of @a.  None, where one of them may be anybody of <phase1>. */
static enum gk_err
names_of(const struct gpt_announcement *a, struct gk_identity **names,
         size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < a->n_servers; i++)
		if (a->servers[i].id_kind == GK_ID_NONE)
			return GK_OK;
	*names = calloc(a->n_servers, sizeof(**names));
	if (*names == NULL)
		return GK_ERR_NOMEM;
	for (; *n < a->n_servers; ++*n)
		(*names)[*n] = (struct gk_identity){
			a->servers[*n].id_kind, gk_buf_slice(&a->servers[*n].id)
		};
	return GK_OK;
}

static struct gdoi_address
place(const uint8_t *octets, size_t len, uint16_t port)
{
	struct gdoi_address to = { .ip_len = (uint8_t)len, .port = port };

	memcpy(to.ip, octets, len);
	return to;
}

static void
rekey_of(const struct gpt_announcement *a, struct gdoi_address *dst,
         struct gdoi_address *src)
{
	*dst = *src = (struct gdoi_address){ 0 };
	if (!a->has_rekey)
		return;
	*dst = place(a->rekey.group.addr, a->rekey.group.addr_len,
	             a->rekey.group.port);
	*src = place(a->rekey.source, a->rekey.source_len, 0);
}

static enum gk_err
id_of(struct gdoid_member_group *g, const struct gpt_announcement *a,
      struct gk_buf *id, struct gkd_why *why)
{
	const struct gkd_config *config = g->m->d->config;
	const struct gpt_gdoi_group *group;

	if (a->gdoi == NULL)
		return gkd_config_fail(config, g->announcing.elem, why,
		                       "the group's keys come by GSAKMP, which "
		                       "this program does not speak");
	group = &a->gdoi->group;
	return gdoid_group_id_make(config, g->announcing.elem, &g->dialect,
	                           (uint32_t)group->number.value, group->oid,
	                           gk_buf_slice(&group->payload), id, why);
}

/* ---- another one --------------------------------------------------------- */

static enum gk_err
refuse(const struct gdoid_member_group *g, struct gkd_why *why,
       const char *text)
{
	return gpt_announced_fail(&g->announcing, why, text);
}

/* By GDOI's name for it, and by its Group Owner's. */
static enum gk_err
same_group(struct gdoid_member_group *g, const struct gpt_announcement *a,
           struct gkd_why *why)
{
	struct gk_buf id = { 0 };
	bool same;

	GK_TRY(id_of(g, a, &id, why));
	same = gk_slice_equal(gk_buf_slice(&id), gk_buf_slice(&g->id)) &&
	       a->group_type == g->announced->group_type &&
	       gk_slice_equal(gk_buf_slice(&a->group),
	                      gk_buf_slice(&g->announced->group));
	gk_buf_free(&id);
	return same ? GK_OK : refuse(g, why, "is of another group");
}

/* Sockets are there for the families that there were at the start. */
static enum gk_err
all_servers(const struct gdoid_member_group *g,
            const struct gpt_announcement *a, struct gdoid_servers *list,
            struct gkd_why *why)
{
	const struct gdoid_member *m = g->m;

	for (; list->n < m->n_listed; list->n++)
		list->at[list->n] = m->server[list->n];
	for (size_t i = 0; i < m->cfg.n_groups; i++) {
		const struct gdoid_member_group *o = &m->group[i];
		const struct gpt_announcement *of = o == g ? a : o->announced;

		if (of != NULL)
			GK_TRY(add_servers(g, list, of, why));
	}
	for (size_t i = 0; i < list->n; i++)
		if (m->udp[list->at[i].sa.sa_family == AF_INET ? GDOID_UDP_4
		                                               : GDOID_UDP_6] ==
		    NULL)
			return refuse(g, why,
			              "has a key server of another address "
			              "family, which needs a restart");
	return GK_OK;
}

/* Keys, certificates and CRLs are read with it. */
static enum gk_err
next_phase1(struct gdoid_member_group *g, struct gpt_announcement *a,
            struct gdoid_phase1 **phase1, struct gkd_why *why)
{
	struct gpt_announcement *before = g->announced;
	enum gk_err err = gdoid_phase1_load(g->m->d->config, phase1, why);

	if (err != GK_OK)
		return err;
	g->announced = a;
	err = gdoid_announced_phase1(g->m, *phase1, why);
	g->announced = before;
	return err;
}

static void
drop(void *arg)
{
	struct gdoid_member_group *g = arg;

	if (g->next == NULL)
		return;
	gdoid_phase1_free(g->next->phase1);
	gdoid_flows_free(&g->next->flows);
	free(g->next->names);
	free(g->next);
	g->next = NULL;
}

static enum gk_err
prepare(void *arg, struct gpt_announcement *a, struct gkd_why *why)
{
	struct gdoid_member_group *g = arg;
	struct gdoid_next *next = calloc(1, sizeof(*next));
	enum gk_err err;

	if (next == NULL)
		return refuse(g, why, "needs more memory than there is");
	g->next = next;
	rekey_of(a, &next->rekey_dst, &next->rekey_src);
	err = same_group(g, a, why);
	if (err == GK_OK)
		err = all_servers(g, a, &next->servers, why);
	if (err == GK_OK)
		err = next_phase1(g, a, &next->phase1, why);
	if (err == GK_OK &&
	    (names_of(a, &next->names, &next->n_names) != GK_OK ||
	     gdoid_flows_announced(&next->flows, a) != GK_OK))
		err = refuse(g, why, "needs more memory than there is");
	if (err != GK_OK)
		drop(g);
	return err;
}

static enum gk_err
take(void *arg, struct gpt_announcement **a)
{
	struct gdoid_member_group *g = arg;
	struct gdoid_member *m = g->m;
	struct gdoid_next *next = g->next;
	struct gdoi_gm_group_config *c = &m->group_cfg[g - m->group];
	struct gk_identity *names = g->servers;
	struct gpt_announcement *before = g->announced;
	enum gk_err err;

	gdoid_servers_take(m, &next->servers);
	c->rekey_dst = next->rekey_dst;
	c->rekey_src = next->rekey_src;
	c->servers = g->servers = next->names;
	c->n_servers = g->n_servers = next->n_names;
	if (!g->own_flows) {
		struct gdoid_flows flows = g->flows;

		g->flows = next->flows;
		next->flows = flows; /* to be freed */
		c->flows = g->flows.flow;
		c->n_flows = g->flows.n;
	}
	g->announced = *a;
	gdoid_phase1_take(m, next->phase1);
	err = gdoi_gm_announced(m->engine, (size_t)(g - m->group), c,
	                        m->cfg.server, m->cfg.n_servers, gkd_now());
	/* Not before the engine has the new ones. */
	*a = NULL;
	next->names = names;
	next->phase1 = NULL;
	drop(g);
	gpt_announcement_free(before);
	return err;
}

static const struct gpt_announced_ops ops = { load, prepare, take, drop };

/* ---- the first one -------------------------------------------------------- */

static enum gk_err
begin(struct gdoid_member_group *g, struct gkd_why *why)
{
	struct gdoid_member *m = g->m;
	struct gdoi_gm_group_config *c = &m->group_cfg[g - m->group];
	struct gdoid_servers list = { .n = m->cfg.n_servers };

	GK_TRY(id_of(g, g->announced, &g->id, why));
	memcpy(list.at, m->server, sizeof(list.at));
	GK_TRY(add_servers(g, &list, g->announced, why));
	gdoid_servers_take(m, &list);
	rekey_of(g->announced, &c->rekey_dst, &c->rekey_src);
	return names_of(g->announced, &g->servers, &g->n_servers);
}

enum gkd_exit
gdoid_announcement_load(struct gdoid_member *m, struct gdoid_member_group *g,
                        const struct gkd_elem *group, struct gkd_why *why)
{
	enum gkd_exit rc;

	g->m = m;
	g->elem = group;
	rc = gpt_announced_load(&g->announcing, m->d, g->name,
	                        gkd_elem_child(group, "announcement"), &ops, g,
	                        &g->announced, why);
	if (rc != GKD_EXIT_OK)
		return rc;
	return begin(g, why) == GK_OK ? GKD_EXIT_OK : GKD_EXIT_CONFIG;
}

static void
on_watch(void *arg)
{
	struct gdoid_member_group *g = arg;

	g->m->renew = true;
	gdoid_member_drain(g->m);
}

enum gkd_exit
gdoid_announcements_open(struct gdoid_member *m, struct gkd_why *why)
{
	for (size_t i = 0; i < m->cfg.n_groups; i++) {
		struct gpt_announced *an = &m->group[i].announcing;
		enum gkd_exit rc = gpt_announced_recall(
			an, &m->commit, m->group_cfg[i].scope, why);

		if (rc == GKD_EXIT_OK &&
		    gpt_announced_watch(an, on_watch) != GK_OK)
			rc = GKD_EXIT_FAILURE;
		if (rc != GKD_EXIT_OK)
			return rc;
	}
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
