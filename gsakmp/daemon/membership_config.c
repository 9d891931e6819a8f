/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "gsakmp/daemon/membership.h"
#include "gsakmp/gsakmp_algorithm.h"
#include "gsakmp/message/signing.h"
#include "gsakmp/payload/groupid.h"
#include "policy-tokens/token/gpt_suite.h"

#define REJOINS 3      /* that fail, before a member gives up */
#define RETRY_MS 30000 /* after a registration that came to nothing */

static enum gk_err
code(const struct gkd_config *config, const struct gkd_elem *elem,
     const char *path, uint16_t *out, struct gkd_why *why)
{
	uint64_t n;

	GK_TRY(gkd_elem_uint(config, elem, path, 0, UINT16_MAX, *out, &n, why));
	*out = (uint16_t)n;
	return GK_OK;
}

static enum gk_err
read_suite(const struct gkd_config *config, const struct gkd_elem *elem,
           struct gsakmp_suite *suite, struct gkd_why *why)
{
	const char *name = gkd_elem_text(elem, "@suite", NULL);
	struct gpt_mechanisms m;
	const char *oid;

	if (name == NULL)
		return GK_OK;
	oid = gpt_suite_oid(name);
	if (gpt_suite_expand(oid != NULL ? oid : name, &m) != GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "'@suite': '%s' is no known suite",
		                       name);
	suite->signature = (uint16_t)m.sig_algorithm;
	suite->nonce_hash = (uint16_t)m.hash_algorithm;
	suite->key_creation = (uint16_t)m.key_exchange;
	suite->encryption = (uint16_t)m.key_wrap;
	return GK_OK;
}

static enum gk_err
read_mechanisms(const struct gkd_config *config, const struct gkd_elem *elem,
                struct gsakmp_suite *suite, struct gkd_why *why)
{
	static const char *const codes[] = { "@signature", "@nonce-hash",
		                             "@key-creation", "@encryption" };
	static const char *const freshness[] = { "nonce", "time", NULL };
	unsigned time;

	GK_TRY(read_suite(config, elem, suite, why));
	for (size_t i = 0; i < GK_COUNT(codes); i++)
		if (!gkd_elem_has(elem, "@suite") &&
		    !gkd_elem_has(elem, codes[i]))
			return gkd_config_fail(config, elem, why,
			                       "'suite' or all of signature, "
			                       "nonce-hash, key-creation and "
			                       "encryption are needed");
	GK_TRY(code(config, elem, "@signature", &suite->signature, why));
	GK_TRY(code(config, elem, "@nonce-hash", &suite->nonce_hash, why));
	GK_TRY(code(config, elem, "@key-creation", &suite->key_creation, why));
	GK_TRY(code(config, elem, "@encryption", &suite->encryption, why));
	GK_TRY(gkd_elem_enum(config, elem, "@freshness", freshness, 0, &time,
	                     why));
	suite->timestamp = time == 1;
	return gkd_elem_bool(config, elem, "@terse", true, &suite->terse, why);
}

/* Nothing else would tell: there is no message in which a key server could. */
const char *
gsakmpd_suite_fault(const struct gsakmpd_membership *m,
                    const struct gsakmp_suite *suite)
{
	if (!gsakmp_suite_supported(suite, true))
		return "are not known here";
	if (!gsakmp_suite_supported(suite, m->cfg.legacy_ok))
		return "are weak, which '@legacy' of <trust> does not allow";
	if (!m->cfg.receive_only &&
	    !gsakmp_can_sign(&m->dialect, m->party->party.signer,
	                     suite->signature))
		return "want signatures which the key of <identity> cannot "
		       "make";
	return NULL;
}

enum gk_err
gsakmpd_membership_suits(struct gsakmpd_membership *m,
                         struct gsakmpd_party *fresh, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *own =
		gkd_elem_child(gkd_config_root(config), "identity");
	struct gsakmpd_party *old = m->party;
	const char *fault;

	m->party = fresh;
	fault = gsakmpd_suite_fault(m, &m->cfg.suite);
	m->party = old;
	if (fault != NULL)
		return gkd_config_fail(config, own, why,
		                       "the group has mechanisms that %s",
		                       fault);
	if (gk_identity_equal(*fresh->party.id, *old->party.id,
	                      GK_DN_COMPARE_RFC4514))
		return GK_OK;
	return gkd_config_fail(config, own, why,
	                       "its certificate has another name by now, "
	                       "which needs a restart");
}

static const char *const transports[] = { "udp", "tcp", "udp-rtj-tcp-other",
	                                  NULL };

enum gk_err
gsakmpd_transport_load(struct gsakmpd_membership *m,
                       const struct gkd_elem *elem, unsigned transport,
                       struct gkd_why *why)
{
	static const char *const openers[] = { "member", "key-server", NULL };
	unsigned opener;

	GK_TRY(gkd_elem_enum(m->d->config, elem, "@transport", transports,
	                     transport, &transport, why));
	GK_TRY(gkd_elem_enum(m->d->config, elem, "@tcp-opener", openers, 0,
	                     &opener, why));
	m->stream = transport == 1;
	m->mixed = transport == 2;
	m->cfg.way = m->mixed    ? GSAKMP_WAY_MIXED
	             : m->stream ? GSAKMP_WAY_TCP
	                         : GSAKMP_WAY_UDP;
	m->server_opens = opener == 1;
	return GK_OK;
}

static enum gk_err
read_key_server(struct gsakmpd_membership *m, const struct gkd_elem *elem,
                struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *first = elem;
	unsigned first_way, way;

	GK_TRY(gsakmpd_transport_load(m, elem, 0, why));
	GK_TRY(gkd_elem_enum(config, elem, "@transport", transports, 0,
	                     &first_way, why));
	/* In order of preference; a name is for the only one. */
	for (; elem != NULL; elem = gkd_elem_next(elem)) {
		if (m->n_servers == GSAKMPD_SERVERS_MAX)
			return gkd_config_fail(config, elem, why,
			                       "more than %u key servers",
			                       GSAKMPD_SERVERS_MAX);
		GK_TRY(gkd_addr_load(config, elem, GSAKMPD_PORT,
		                     &m->servers[m->n_servers++], why));
		GK_TRY(gkd_elem_enum(config, elem, "@transport", transports, 0,
		                     &way, why));
		if (way != first_way)
			return gkd_config_fail(config, elem, why,
			                       "'@transport' is not that of "
			                       "the first one");
		if (gkd_elem_has(elem, "@name") && m->n_servers > 1)
			return gkd_config_fail(config, elem, why,
			                       "'@name' goes with a single key "
			                       "server");
	}
	if (m->n_servers > 1 || !gkd_elem_has(first, "@name"))
		return GK_OK;
	return gkd_identity_load(config, first, &m->gcks_octets, &m->gcks_id,
	                         why);
}

static enum gk_err
read_static_group(struct gsakmpd_membership *m, const struct gkd_elem *elem,
                  struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *rekey = gkd_elem_child(elem, "rekey");

	GK_TRY(gsakmpd_group_id_load(config, gkd_elem_child(elem, "group-id"),
	                             &m->dialect, &m->cfg.group_id_type,
	                             &m->group_id, why));
	GK_TRY(read_key_server(m, gkd_elem_child(elem, "key-server"), why));
	GK_TRY(read_mechanisms(config, gkd_elem_child(elem, "mechanisms"),
	                       &m->cfg.suite, why));
	if (rekey == NULL)
		return GK_OK;
	m->multicast = true;
	GK_TRY(gkd_addr_load(config, rekey, 0, &m->mcast_cfg.group, why));
	if (!gkd_addr_is_multicast(&m->mcast_cfg.group))
		return gkd_config_fail(config, rekey, why,
		                       "'@address' is not a multicast address");
	if (!gkd_elem_has(rekey, "@source"))
		return GK_OK;
	return gkd_elem_addr(config, rekey, "@source", 0, &m->mcast_cfg.source,
	                     why);
}

static enum gk_err
read_network(struct gsakmpd_membership *m, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *root = gkd_config_root(config);
	const struct gkd_elem *e = gkd_elem_child(root, "network");
	uint64_t port = 0;

	snprintf(m->mcast_cfg.interface, sizeof(m->mcast_cfg.interface), "%s",
	         gkd_elem_text(root, "network@interface", ""));
	m->mcast_cfg.receive = true;
	if (e != NULL)
		GK_TRY(gkd_elem_uint(config, e, "@port", 1, UINT16_MAX, 0,
		                     &port, why));
	if (e != NULL && gkd_elem_has(e, "@address")) {
		GK_TRY(gkd_elem_addr(config, e, "@address", 0, &m->local, why));
		if (m->local.sa.sa_family != m->servers[0].sa.sa_family)
			return gkd_config_fail(config, e, why,
			                       "'@address' is not of the key "
			                       "server's family");
	} else {
		m->local.sa.sa_family = m->servers[0].sa.sa_family;
	}
	gkd_addr_set_port(&m->local, (uint16_t)port);
	return GK_OK;
}

static enum gk_err
read_behaviour(struct gsakmpd_membership *m, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	const struct gkd_elem *root = gkd_config_root(config);
	struct gsakmp_gm_config *c = &m->cfg;
	struct {
		const char *path;
		uint32_t *out;
		uint32_t unit;
	} times[] = {
		{ "membership@timeout", &c->rtj_timeout_ms, 1 },
		{ "membership@timeout", &c->rtd_timeout_ms, 1 },
		{ "membership@spread", &c->spread_ms, 1 },
		{ "membership@error-grace", &c->rtj_err_grace_ms, 1 },
		{ "membership@grace", &c->grace_ms, 1 },
		{ "membership@backoff", &c->rejoin_backoff_ms, 1 },
		{ "membership@skew", &c->skew_s, 1000 },
		{ "membership@missed", &c->missed_ms, 1 },
		{ "membership@silence", &c->silence_ms, 1 },
		{ "membership@rekey-age", &c->rekey_max_age_s, 1000 },
	};
	bool recovery, unknown;
	uint64_t n;

	for (size_t i = 0; i < GK_COUNT(times); i++) {
		GK_TRY(gkd_elem_ms(config, root, times[i].path, 1, 86400000, 0,
		                   &n, why));
		*times[i].out = (uint32_t)(n / times[i].unit);
	}
	GK_TRY(gkd_elem_uint(config, root, "membership@retries", 1, 255, 0, &n,
	                     why));
	c->rtj_retries = c->rtd_retries = (unsigned)n;
	GK_TRY(gkd_elem_uint(config, root, "membership@rejoins", 0, 255, 0, &n,
	                     why));
	/* As often with each key server. */
	c->rejoin_max =
		(unsigned)(n != 0 ? n : REJOINS) * (unsigned)m->n_servers;
	if (gkd_elem_has(root, "membership@ip-value")) {
		GK_TRY(gkd_elem_addr(config, root, "membership@ip-value", 0,
		                     &m->ip_value, why));
		c->ip_value = gkd_addr_octets(&m->ip_value);
	}
	GK_TRY(gkd_elem_bool(config, root, "membership@recovery", true,
	                     &recovery, why));
	c->no_recovery = !recovery;
	GK_TRY(gkd_elem_bool(config, root, "membership@drop-forged", false,
	                     &c->drop_forged_keydl, why));
	GK_TRY(gkd_elem_bool(config, root, "membership@unknown-protocols", true,
	                     &unknown, why));
	c->no_unknown = !unknown;
	GK_TRY(gkd_elem_bool(config, root, "membership@offer-mechanisms", false,
	                     &c->send_mechanism_choices, why));
	GK_TRY(gsakmpd_fetch_configure(m, why));
	GK_TRY(gkd_elem_bool(config, root, "membership@join", false,
	                     &m->join_at_start, why));
	GK_TRY(gkd_elem_ms(config, root, "membership@retry", 0, 86400000,
	                   RETRY_MS, &n, why));
	m->retry.every_ms = m->join_at_start ? (uint32_t)n : 0;
	return GK_OK;
}

/* RFC 4535 section 5.2.3. */
static enum gk_err
read_receive_only(struct gsakmpd_membership *m, struct gkd_why *why)
{
	struct gkd_config *config = m->d->config;
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "receive-only");
	struct gk_buf pem;
	enum gk_err err;

	if (e == NULL)
		return GK_OK;
	GK_TRY(gkd_elem_file(config, e, "@static-key", GKD_FILE_MAX, &pem,
	                     why));
	err = gk_kex_from_pem(gk_buf_slice(&pem), &m->static_key);
	gk_buf_free(&pem);
	if (err != GK_OK)
		return gkd_config_fail(
			config, e, why,
			"'@static-key': file '%s' holds no static key",
			gkd_elem_path(config, e, "@static-key"));
	if (gsakmp_kex(m->cfg.suite.key_creation) !=
	    gk_kex_group(m->static_key))
		return gkd_config_fail(
			config, e, why,
			"'@static-key' is of %s, and the group's "
			"key creation type %u is not",
			gk_kex_name(gk_kex_group(m->static_key)),
			m->cfg.suite.key_creation);
	if (m->gcks_id.kind == GK_ID_NONE)
		return gkd_config_fail(config, e, why,
		                       "needs the name of the key server");
	if (m->stream || m->mixed)
		return gkd_config_fail(config, e, why,
		                       "does not go with TCP, which has to be "
		                       "asked for");
	if (gkd_addr_port(&m->local) == 0 && !m->multicast)
		return gkd_config_fail(config, e, why,
		                       "needs a 'port' of <network> or a "
		                       "multicast group to listen on");
	m->cfg.receive_only = true;
	m->cfg.static_key = m->static_key;
	return GK_OK;
}

enum gkd_exit
gsakmpd_membership_configure(struct gsakmpd_membership *m, struct gkd_why *why)
{
	struct gkd_config *config = m->d->config;
	const struct gkd_elem *root = gkd_config_root(config);
	const struct gkd_elem *group = gkd_elem_child(root, "group");
	const struct gkd_elem *announced = gkd_elem_child(root, "announcement");
	enum gkd_exit rc;
	struct gsakmp_groupid id;
	struct gk_slice tail;
	const char *fault;

	if (gsakmpd_party_load(config, &m->party, why) != GK_OK ||
	    gsakmpd_fetch_config_load(config, &m->by_url, why) != GK_OK ||
	    gsakmpd_dialect_load(config, root, &m->dialect, why) != GK_OK ||
	    (group != NULL && read_static_group(m, group, why) != GK_OK))
		return GKD_EXIT_CONFIG;
	if (announced != NULL) {
		rc = gsakmpd_announcement_load(m, announced, why);
		if (rc != GKD_EXIT_OK)
			return rc;
	}
	if (read_network(m, why) != GK_OK || read_behaviour(m, why) != GK_OK ||
	    read_receive_only(m, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	id = (struct gsakmp_groupid){ m->cfg.group_id_type,
		                      gk_buf_slice(&m->group_id) };
	tail = gsakmp_groupid_tail(id);
	if (id.type == GSAKMP_GROUPID_UTF8 ||
	    id.type == GSAKMP_GROUPID_OCTET_STRING)
		gk_text_print(m->name, sizeof(m->name), tail);
	else
		gsakmp_groupid_text(m->name, sizeof(m->name), id);
	m->cfg.party = m->party->party;
	m->cfg.legacy_ok = m->party->legacy;
	m->cfg.group_id = id.value;
	m->cfg.dialect = &m->dialect;
	m->cfg.expected_gcks =
		m->gcks_id.kind != GK_ID_NONE ? &m->gcks_id : NULL;
	fault = gsakmpd_suite_fault(m, &m->cfg.suite);
	if (fault != NULL) {
		(void)gkd_config_fail(config, group != NULL ? group : announced,
		                      why, "the group has mechanisms that %s",
		                      fault);
		return GKD_EXIT_CONFIG;
	}
	m->store_path = gkd_elem_path(config, root, "store@path");
	m->hook_program = gkd_elem_path(config, root, "hook@program");
	if (gkd_hook_check(config, m->hook_program, why) != GK_OK ||
	    gkd_hook_limit(config, &m->hook_limit_ms, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	return GKD_EXIT_OK;
}
