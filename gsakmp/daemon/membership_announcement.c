/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "gsakmp/daemon/membership.h"
#include "policy-tokens/owner/gpt_announcement_config.h"

static enum gk_err
take_servers(struct gsakmpd_membership *m, const struct gpt_announcement *a)
{
	const struct gpt_key_server *s = &a->servers[0];

	m->n_servers = 0;
	for (size_t i = 0; i < a->n_servers && i < GSAKMPD_SERVERS_MAX; i++) {
		GK_TRY(gpt_announced_addr(&a->servers[i].at,
		                          &m->servers[m->n_servers]));
		m->n_servers++;
	}
	/* One expectation for all of them, if they are one party. */
	for (size_t i = 1; i < a->n_servers; i++)
		if (a->servers[i].id_kind != s->id_kind ||
		    !gk_slice_equal(gk_buf_slice(&a->servers[i].id),
		                    gk_buf_slice(&s->id)))
			return GK_OK;
	if (s->id_kind == GK_ID_NONE)
		return GK_OK;
	GK_TRY(gk_buf_copy(&m->gcks_octets, gk_buf_slice(&s->id)));
	m->gcks_id = (struct gk_identity){ s->id_kind,
		                           gk_buf_slice(&m->gcks_octets) };
	return GK_OK;
}

static enum gk_err
take_rekey(struct gsakmpd_membership *m, const struct gpt_announcement *a)
{
	const struct gpt_multicast *r = &a->rekey;

	if (!a->has_rekey)
		return GK_OK;
	m->multicast = true;
	GK_TRY(gpt_announced_addr(&r->group, &m->mcast_cfg.group));
	if (!gkd_addr_is_multicast(&m->mcast_cfg.group))
		return GK_ERR_VALUE;
	if (r->source_len == 0)
		return GK_OK;
	return gkd_addr_from_octets(
		&m->mcast_cfg.source,
		(struct gk_slice){ r->source, r->source_len }, 0);
}

static enum gk_err
take_all(struct gsakmpd_membership *m, const struct gkd_elem *elem,
         const struct gpt_announcement *a, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;

	if (a->gdoi != NULL)
		return gkd_config_fail(config, elem, why,
		                       "the group's keys come by GDOI, which "
		                       "this program does not speak");
	if (!a->suite_known && a->suite != NULL)
		return gkd_config_fail(config, elem, why,
		                       "the group uses suite %.100s, which is "
		                       "not known here",
		                       a->suite);
	if (a->group_type == GPT_GROUPID_RAW)
		return gkd_config_fail(config, elem, why,
		                       "the announced GroupID has no type");
	GK_TRY(gsakmpd_transport_load(m, elem,
	                              a->transport == GPT_TRANSPORT_UDP   ? 0
	                              : a->transport == GPT_TRANSPORT_TCP ? 1
	                                                                  : 2,
	                              why));
	m->cfg.group_id_type = (uint8_t)a->group_type;
	m->cfg.suite = (struct gsakmp_suite){
		.signature = (uint16_t)a->mechanisms.sig_algorithm,
		.nonce_hash = (uint16_t)a->mechanisms.hash_algorithm,
		.key_creation = (uint16_t)a->mechanisms.key_exchange,
		.encryption = (uint16_t)a->mechanisms.key_wrap,
		.timestamp = a->timestamps,
		.terse = a->terse,
	};
	if (gk_buf_copy(&m->group_id, gk_buf_slice(&a->group)) != GK_OK ||
	    take_servers(m, a) != GK_OK || take_rekey(m, a) != GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "an announced address cannot be used");
	return GK_OK;
}

enum gkd_exit
gsakmpd_announcement_load(struct gsakmpd_membership *m,
                          const struct gkd_elem *elem, struct gkd_why *why)
{
	/* A key server may have another Group Owner for this group. */
	const struct gsakmp_party *p =
		m->cfg.party.id != NULL ? &m->cfg.party : &m->party->party;
	const struct gpt_owner owner = {
		.id = p->go_id,
		.cert = p->go_cert,
		.trust = p->go_trust != NULL ? p->go_trust : p->trust,
		.allow_sha1 = m->party->legacy,
	};
	struct gpt_announcement *a = NULL;
	enum gkd_exit rc = gpt_announcement_config_load(m->d->config, elem,
	                                                &owner, &a, why);
	enum gk_err err;

	if (rc != GKD_EXIT_OK)
		return rc;
	err = take_all(m, elem, a, why);
	gpt_announcement_free(a);
	return err == GK_OK ? GKD_EXIT_OK : GKD_EXIT_CONFIG;
}
