/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/daemon/membership.h"
#include "gsakmp/engine/policy.h"

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

/* ---- whom to believe, and another edition --------------------------------- */

static enum gkd_exit
load(void *arg, struct gpt_announcement **a, struct gkd_why *why)
{
	struct gsakmpd_membership *m = arg;
	/* A key server may have another Group Owner for this group. */
	const struct gsakmp_party *p =
		m->cfg.party.id != NULL ? &m->cfg.party : &m->party->party;
	const struct gpt_owner owner = {
		.id = p->go_id,
		.cert = p->go_cert,
		.trust = p->go_trust != NULL ? p->go_trust : p->trust,
		.allow_sha1 = m->party->legacy,
	};

	return gpt_announcement_config_load(m->d->config, m->announced.elem,
	                                    &owner, a, why);
}

static enum gk_err
refuse(const struct gsakmpd_membership *m, struct gkd_why *why,
       const char *text)
{
	return gpt_announced_fail(&m->announced, why, text);
}

static bool
same_suite(const struct gsakmp_suite *a, const struct gsakmp_suite *b)
{
	return a->signature == b->signature && a->nonce_hash == b->nonce_hash &&
	       a->key_creation == b->key_creation &&
	       a->encryption == b->encryption && a->timestamp == b->timestamp &&
	       a->terse == b->terse;
}

/* What does not change while we run: which group it is, and our own sockets. */
static enum gk_err
compatible(const struct gsakmpd_membership *m,
           const struct gsakmpd_membership *fresh, struct gkd_why *why)
{
	if (fresh->cfg.group_id_type != m->cfg.group_id_type ||
	    !gk_slice_equal(gk_buf_slice(&fresh->group_id),
	                    gk_buf_slice(&m->group_id)))
		return refuse(m, why, "is of another group");
	if (fresh->stream != m->stream || fresh->mixed != m->mixed ||
	    fresh->server_opens != m->server_opens ||
	    fresh->servers[0].sa.sa_family != m->servers[0].sa.sa_family ||
	    fresh->multicast != m->multicast ||
	    (m->multicast && fresh->mcast_cfg.group.sa.sa_family !=
	                             m->mcast_cfg.group.sa.sa_family))
		return refuse(m, why,
		              "has another transport or address family, "
		              "which needs a restart");
	if (m->cfg.receive_only &&
	    (fresh->gcks_id.kind == GK_ID_NONE ||
	     fresh->cfg.suite.key_creation != m->cfg.suite.key_creation))
		return refuse(m, why,
		              "names no key server, or another key creation "
		              "type than that of '@static-key'");
	return GK_OK;
}

/* The new place first: between the two no Rekey Event is missed. */
static enum gk_err
open_multicast(struct gsakmpd_membership *m, struct gsakmpd_membership *fresh,
               struct gkd_why *why)
{
	struct gkd_mcast_config before = m->mcast_cfg;
	enum gk_err err;

	if (!m->multicast ||
	    (gkd_addr_equal(&before.group, &fresh->mcast_cfg.group) &&
	     gkd_addr_port(&before.group) ==
	             gkd_addr_port(&fresh->mcast_cfg.group) &&
	     gkd_addr_equal(&before.source, &fresh->mcast_cfg.source)))
		return GK_OK;
	m->mcast_cfg.group = fresh->mcast_cfg.group;
	m->mcast_cfg.source = fresh->mcast_cfg.source;
	err = gsakmpd_membership_open_multicast(m, &fresh->mcast);
	m->mcast_cfg = before;
	return err == GK_OK ? GK_OK
	                    : refuse(m, why,
	                             "has a multicast group that cannot be "
	                             "joined");
}

static void
drop(void *arg)
{
	struct gsakmpd_membership *m = arg;
	struct gsakmpd_membership *fresh = m->next_one;

	m->next_one = NULL;
	if (fresh == NULL)
		return;
	gkd_mcast_close(fresh->mcast);
	gk_buf_free(&fresh->group_id);
	gk_buf_free(&fresh->gcks_octets);
	free(fresh);
}

static enum gk_err
able(const struct gsakmpd_membership *m, const struct gsakmpd_membership *fresh,
     struct gkd_why *why)
{
	const char *fault = gsakmpd_suite_fault(m, &fresh->cfg.suite);
	char text[100];

	if (fault == NULL)
		return GK_OK;
	snprintf(text, sizeof(text), "has mechanisms that %s", fault);
	return refuse(m, why, text);
}

static enum gk_err
prepare(void *arg, struct gpt_announcement *a, struct gkd_why *why)
{
	struct gsakmpd_membership *m = arg;
	struct gsakmpd_membership *fresh = calloc(1, sizeof(*fresh));
	enum gk_err err;

	if (fresh == NULL)
		return refuse(m, why, "is too large for the memory there is");
	m->next_one = fresh;
	fresh->d = m->d;
	err = take_all(fresh, m->announced.elem, a, why);
	if (err == GK_OK)
		err = compatible(m, fresh, why);
	if (err == GK_OK && !same_suite(&fresh->cfg.suite, &m->cfg.suite))
		err = able(m, fresh, why);
	if (err == GK_OK)
		err = open_multicast(m, fresh, why);
	if (err != GK_OK)
		drop(m);
	return err;
}

/* Whom we have asked so far, if it is still one to be asked. */
static void
move_servers(struct gsakmpd_membership *m,
             const struct gsakmpd_membership *fresh)
{
	const struct gkd_addr now = m->servers[m->server];
	size_t i = 0;

	while (i < fresh->n_servers &&
	       (!gkd_addr_equal(&fresh->servers[i], &now) ||
	        gkd_addr_port(&fresh->servers[i]) != gkd_addr_port(&now)))
		i++;
	memcpy(m->servers, fresh->servers, sizeof(m->servers));
	m->n_servers = fresh->n_servers;
	m->server = i < fresh->n_servers ? i : 0;
	if (i < fresh->n_servers)
		return;
	gkd_conn_close(m->conn);
	m->conn = NULL;
}

static void
move_multicast(struct gsakmpd_membership *m, struct gsakmpd_membership *fresh)
{
	if (fresh->mcast == NULL)
		return;
	gkd_mcast_close(m->mcast);
	m->mcast = fresh->mcast;
	fresh->mcast = NULL;
	m->mcast_cfg.group = fresh->mcast_cfg.group;
	m->mcast_cfg.source = fresh->mcast_cfg.source;
}

static enum gk_err
take(void *arg, struct gpt_announcement **a)
{
	struct gsakmpd_membership *m = arg;
	struct gsakmpd_membership *fresh = m->next_one;
	struct gk_buf octets = m->gcks_octets;
	enum gk_err err;

	(void)a;
	move_multicast(m, fresh);
	move_servers(m, fresh);
	m->gcks_octets = fresh->gcks_octets;
	m->gcks_id = fresh->gcks_id;
	m->cfg.suite = fresh->cfg.suite;
	m->cfg.expected_gcks =
		m->gcks_id.kind != GK_ID_NONE ? &m->gcks_id : NULL;
	err = gsakmp_gm_announced(m->engine, &m->cfg.suite,
	                          m->cfg.expected_gcks, gkd_now());
	fresh->gcks_octets = octets;
	drop(m);
	return err;
}

static const struct gpt_announced_ops ops = { load, prepare, take, drop };

enum gkd_exit
gsakmpd_announcement_load(struct gsakmpd_membership *m,
                          const struct gkd_elem *elem, struct gkd_why *why)
{
	struct gpt_announcement *a = NULL;
	enum gkd_exit rc = gpt_announced_load(&m->announced, m->d, m->name,
	                                      elem, &ops, m, &a, why);
	enum gk_err err;

	if (rc != GKD_EXIT_OK)
		return rc;
	err = take_all(m, elem, a, why);
	gpt_announcement_free(a);
	return err == GK_OK ? GKD_EXIT_OK : GKD_EXIT_CONFIG;
}

static void
on_watch(void *arg)
{
	struct gsakmpd_membership *m = arg;

	m->renew = true;
	gsakmpd_membership_drain(m);
}

enum gkd_exit
gsakmpd_announcement_open(struct gsakmpd_membership *m,
                          struct gkd_commit *commit, struct gkd_why *why)
{
	enum gkd_exit rc = gpt_announced_recall(
		&m->announced, commit, gk_buf_slice(&m->group_id), why);

	if (rc == GKD_EXIT_OK &&
	    gpt_announced_watch(&m->announced, on_watch) != GK_OK)
		rc = GKD_EXIT_FAILURE;
	return rc;
}
