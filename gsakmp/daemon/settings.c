/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/payload/groupid.h"

/* ---- who we are --------------------------------------------------------- */

static enum gk_err
load_identity(struct gkd_config *config, struct gsakmpd_party *p,
              struct gkd_why *why)
{
	const struct gkd_elem *elem =
		gkd_elem_child(gkd_config_root(config), "identity");
	bool raw;

	GK_TRY(gkd_elem_bool(config, elem, "@raw-key", false, &raw, why));
	if (raw == gkd_elem_has(elem, "@certificate"))
		return gkd_config_fail(config, elem, why,
		                       "either a 'certificate' or 'raw-key' "
		                       "is needed, not both");
	if (!raw)
		return gkd_credential_load(config, elem, &p->own, why);
	GK_TRY(gkd_signer_load(config, elem, "@key", &p->own.signer, why));
	GK_TRY(gsakmpd_raw_identity_load(config, elem, p, why));
	gk_identity_print(p->own.name, sizeof(p->own.name), p->own.id);
	return GK_OK;
}

/* ---- trust -------------------------------------------------------------- */

static enum gk_err
load_trust(struct gkd_config *config, struct gsakmpd_party *p,
           struct gkd_why *why)
{
	const struct gkd_elem *root = gkd_config_root(config);
	const struct gkd_elem *elem = gkd_elem_child(root, "trust");
	const struct gkd_elem *own = gkd_elem_child(root, "group-owner/root");
	struct gk_trust_policy policy = { 0 };

	GK_TRY(gkd_elem_bool(config, elem, "@require-crl", false,
	                     &policy.require_crl, why));
	GK_TRY(gkd_elem_bool(config, elem, "@legacy", false, &p->legacy, why));
	policy.allow_legacy = p->legacy;
	GK_TRY(gk_trust_new(&policy, &p->trust));
	GK_TRY(gkd_trust_certs(config, gkd_elem_child(elem, "root"), p->trust,
	                       true, why));
	GK_TRY(gkd_trust_certs(config, gkd_elem_child(elem, "intermediate"),
	                       p->trust, false, why));
	GK_TRY(gkd_trust_crls(config, gkd_elem_child(elem, "crl"), p->trust,
	                      why));
	GK_TRY(gsakmpd_raw_keys_load(config, p, why));
	GK_TRY(gsakmpd_authorities_load(config, p, why));
	/* It is our own: no need to be told so. */
	if (gk_cert_is_raw(p->own.certs.cert[0]))
		GK_TRY(gk_trust_add_raw_key(p->trust, p->own.certs.cert[0]));
	if (own == NULL)
		return GK_OK;
	GK_TRY(gk_trust_new(&policy, &p->go_trust));
	GK_TRY(gkd_trust_certs(config, own, p->go_trust, true, why));
	GK_TRY(gkd_trust_certs(config, gkd_elem_child(elem, "intermediate"),
	                       p->go_trust, false, why));
	return gkd_trust_crls(config, gkd_elem_child(elem, "crl"), p->go_trust,
	                      why);
}

/* Authorities that were configured with an own or the owner's certificate help
 * to build paths; they still need one to a root. */
static enum gk_err
lend_authorities(struct gsakmpd_party *p, const struct gk_certs *certs)
{
	for (size_t i = 1; i < certs->n; i++) {
		GK_TRY(gk_trust_add_intermediate(p->trust, certs->cert[i]));
		if (p->go_trust != NULL)
			GK_TRY(gk_trust_add_intermediate(p->go_trust,
			                                 certs->cert[i]));
	}
	return GK_OK;
}

static enum gk_err
load_owner(struct gkd_config *config, struct gsakmpd_party *p,
           struct gkd_why *why)
{
	const struct gkd_elem *elem =
		gkd_elem_child(gkd_config_root(config), "group-owner");

	if (gkd_elem_has(elem, "@certificate") == gkd_elem_has(elem, "@name"))
		return gkd_config_fail(config, elem, why,
		                       "either 'certificate' or 'name' is "
		                       "needed, not both");
	if (gkd_elem_has(elem, "@certificate"))
		return gkd_certs_load(config, elem, "@certificate", &p->go_cert,
		                      why);
	return gkd_identity_load(config, elem, &p->go_octets, &p->go_id, why);
}

enum gk_err
gsakmpd_party_load(struct gkd_config *config, struct gsakmpd_party **party,
                   struct gkd_why *why)
{
	struct gsakmpd_party *p = calloc(1, sizeof(*p));
	enum gk_err err = GK_ERR_NOMEM;

	snprintf(why->text, sizeof(why->text), "out of memory");
	if (p != NULL)
		err = load_identity(config, p, why);
	if (err == GK_OK)
		err = load_trust(config, p, why);
	if (err == GK_OK)
		err = load_owner(config, p, why);
	if (err == GK_OK)
		err = gsakmpd_payloads_load(config, p, why);
	if (err == GK_OK)
		err = lend_authorities(p, &p->own.certs);
	if (err == GK_OK)
		err = lend_authorities(p, &p->go_cert);
	if (err == GK_OK)
		gkd_credential_judge(
			config,
			gkd_elem_child(gkd_config_root(config), "identity"),
			&p->own, p->trust);
	if (err != GK_OK) {
		gsakmpd_party_free(p);
		return err;
	}
	p->party = (struct gsakmp_party){
		.id = &p->own.id,
		.signer = p->own.signer,
		.certs = (const struct gk_cert *const *)p->own.certs.cert,
		.n_certs = p->own.certs.n,
		.payloads = p->payloads,
		.payload_types = p->payload_types,
		.n_payloads = p->n_payloads,
		.raw = p->raw_view,
		.n_raw = p->n_raw,
		.trust = p->trust,
		.go_cert = p->go_cert.n > 0 ? p->go_cert.cert[0] : NULL,
		.go_id = p->go_cert.n > 0 ? NULL : &p->go_id,
		.go_trust = p->go_trust,
	};
	*party = p;
	return GK_OK;
}

enum gk_err
gsakmpd_party_reload_crls(struct gkd_config *config,
                          struct gsakmpd_party *party, struct gkd_why *why)
{
	const struct gkd_elem *crl =
		gkd_elem_child(gkd_config_root(config), "trust/crl");

	GK_TRY(gkd_trust_crls(config, crl, party->trust, why));
	if (party->go_trust == NULL)
		return GK_OK;
	return gkd_trust_crls(config, crl, party->go_trust, why);
}

void
gsakmpd_party_free(struct gsakmpd_party *party)
{
	if (party == NULL)
		return;
	gkd_credential_free(&party->own);
	gk_certs_free(&party->go_cert);
	gk_trust_free(party->trust);
	gk_trust_free(party->go_trust);
	gk_buf_free(&party->go_octets);
	gsakmpd_credentials_free(party);
	free(party);
}

/* ---- group, dialect, addresses ------------------------------------------ */

/* The random octets and the name of Table 11's types, put together. */
static enum gk_err
compose_group_id(const struct gkd_elem *elem, uint8_t type,
                 struct gk_buf *value)
{
	const char *random = gkd_elem_text(elem, "@random", NULL);
	const char *name = gkd_elem_text(elem, "@name", NULL);
	struct gkd_addr addr;

	if (random == NULL || name == NULL)
		return GK_ERR_VALUE;
	if (type == GSAKMP_GROUPID_UTF8) {
		GK_TRY(gk_buf_copy(value, gk_slice_str(random)));
		return gk_buf_append(value, gk_slice_str(name));
	}
	GK_TRY(gk_unhex(value, random));
	if (type == GSAKMP_GROUPID_OCTET_STRING)
		return gk_buf_append(value, gk_slice_str(name));
	GK_TRY(gkd_addr_parse(&addr, name, 0));
	return gk_buf_append(value, gkd_addr_octets(&addr));
}

enum gk_err
gsakmpd_group_id_load(const struct gkd_config *config,
                      const struct gkd_elem *elem,
                      const struct gsakmp_dialect *dialect, uint8_t *type,
                      struct gk_buf *value, struct gkd_why *why)
{
	static const char *const names[] = { "utf-8", "octet-string", "ipv4",
		                             "ipv6",  "utf8",         NULL };
	static const uint8_t types[] = {
		GSAKMP_GROUPID_UTF8, GSAKMP_GROUPID_OCTET_STRING,
		GSAKMP_GROUPID_IPV4, GSAKMP_GROUPID_IPV6,
		GSAKMP_GROUPID_UTF8,
	};
	const char *octets = gkd_elem_text(elem, "@octets", NULL);
	struct gsakmp_reject reject = { 0 };
	unsigned i;
	enum gk_err err;

	*value = (struct gk_buf){ 0 };
	GK_TRY(gkd_elem_enum(config, elem, "@type", names, 0, &i, why));
	*type = types[i];
	if (octets != NULL)
		err = gk_unhex(value, octets);
	else
		err = compose_group_id(elem, *type, value);
	if (err == GK_OK)
		err = gsakmp_groupid_check(
			(struct gsakmp_groupid){ *type, gk_buf_slice(value) },
			dialect, 0, &reject);
	if (err == GK_OK)
		return GK_OK;
	gk_buf_free(value);
	return gkd_config_fail(config, elem, why,
	                       "is not a GroupID of type %s: expected 'random' "
	                       "and 'name', or 'octets'%s%s%s",
	                       names[i], reject.req != NULL ? " (" : "",
	                       reject.req != NULL ? reject.req : "",
	                       reject.req != NULL ? ")" : "");
}

static enum gk_err
set_switch(void *dialect, const char *name, const char *value)
{
	return gsakmp_dialect_set(dialect, name, value);
}

enum gk_err
gsakmpd_dialect_load(const struct gkd_config *config,
                     const struct gkd_elem *elem,
                     struct gsakmp_dialect *dialect, struct gkd_why *why)
{
	*dialect = (struct gsakmp_dialect){ 0 };
	return gkd_switches_load(config, gkd_elem_child(elem, "dialect"),
	                         set_switch, dialect, why);
}
