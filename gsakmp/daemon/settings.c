/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/payload/groupid.h"

static const char *const id_names[] = { "dn",   "der-dn", "u-name",
	                                "fqdn", "rfc822", "ipv4",
	                                "ipv6", "key-id", NULL };
static const enum gk_id_kind id_kinds[] = {
	GK_ID_DN_STRING, GK_ID_DER_DN, GK_ID_U_NAME, GK_ID_FQDN,
	GK_ID_RFC822,    GK_ID_IPV4,   GK_ID_IPV6,   GK_ID_KEY_ID,
};

/* ---- certificates ------------------------------------------------------- */

enum gk_err
gsakmpd_certs_load(struct gkd_config *config, const struct gkd_elem *elem,
                   const char *path, struct gk_certs *certs,
                   struct gkd_why *why)
{
	struct gk_buf octets;
	size_t before = certs->n;
	enum gk_err err;

	GK_TRY(gkd_elem_file(config, elem, path, GSAKMPD_FILE_MAX, &octets,
	                     why));
	err = gk_certs_from_pem(gk_buf_slice(&octets), certs);
	gk_buf_free(&octets);
	if (err != GK_OK || certs->n == before)
		return gkd_config_fail(config, elem, why, "'%s': file '%s': %s",
		                       path, gkd_elem_path(config, elem, path),
		                       err == GK_ERR_NOMEM
		                               ? "out of memory"
		                               : "holds no certificate");
	return GK_OK;
}

enum gk_err
gsakmpd_passphrase_load(struct gkd_config *config, const struct gkd_elem *elem,
                        struct gk_buf *passphrase, struct gkd_why *why)
{
	struct gk_buf octets;
	size_t n = 0;
	enum gk_err err;

	*passphrase = (struct gk_buf){ 0 };
	if (!gkd_elem_has(elem, "@passphrase-file"))
		return GK_OK;
	GK_TRY(gkd_elem_file(config, elem, "@passphrase-file", 4096, &octets,
	                     why));
	while (n < octets.len && octets.ptr[n] != '\n' && octets.ptr[n] != 0)
		n++;
	err = gk_buf_alloc(passphrase, n + 1);
	if (err == GK_OK && n > 0)
		memcpy(passphrase->ptr, octets.ptr, n);
	gk_buf_free(&octets);
	return err;
}

static enum gk_err
load_key(struct gkd_config *config, const struct gkd_elem *elem,
         struct gsakmpd_party *p, struct gkd_why *why)
{
	struct gk_buf pem, passphrase;
	struct gk_slice a, b;
	enum gk_err err;

	GK_TRY(gkd_elem_file(config, elem, "@key", GSAKMPD_FILE_MAX, &pem,
	                     why));
	err = gsakmpd_passphrase_load(config, elem, &passphrase, why);
	if (err == GK_OK) {
		err = gk_signer_from_pem(gk_buf_slice(&pem),
		                         (const char *)passphrase.ptr,
		                         &p->signer);
		if (err != GK_OK)
			gkd_config_fail(config, elem, why,
			                "'@key': file '%s': %s",
			                gkd_elem_path(config, elem, "@key"),
			                err == GK_ERR_AUTH
			                        ? "wrong or missing passphrase"
			                        : "holds no private key");
	}
	gk_buf_free(&pem);
	gk_buf_free(&passphrase);
	GK_TRY(err);
	if (p->certs.n == 0)
		return GK_OK; /* a raw key */
	a = gk_pubkey_spki(gk_cert_pubkey(p->certs.cert[0]));
	b = gk_pubkey_spki(gk_signer_pubkey(p->signer));
	if (!gk_slice_equal(a, b))
		return gkd_config_fail(config, elem, why,
		                       "'@key' does not belong to "
		                       "'@certificate'");
	return GK_OK;
}

enum gk_err
gsakmpd_certs_name(const struct gkd_config *config, const struct gkd_elem *elem,
                   const struct gk_certs *certs, struct gk_buf *octets,
                   struct gk_identity *id, struct gkd_why *why)
{
	unsigned kind;

	GK_TRY(gkd_elem_enum(config, elem, "@name-type", id_names, 0, &kind,
	                     why));
	if (gk_identity_of_cert(certs->cert[0], id_kinds[kind],
	                        GK_DN_COMPARE_RFC4514, octets, id) == GK_OK)
		return GK_OK;
	return gkd_config_fail(config, elem, why,
	                       "'@name-type': the certificate has no name of "
	                       "type %s",
	                       id_names[kind]);
}

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
	if (raw) {
		GK_TRY(load_key(config, elem, p, why));
		GK_TRY(gsakmpd_raw_identity_load(config, elem, p, why));
		gk_identity_print(p->name, sizeof(p->name), p->id);
		return GK_OK;
	}
	GK_TRY(gsakmpd_certs_load(config, elem, "@certificate", &p->certs,
	                          why));
	if (gkd_elem_has(elem, "@chain"))
		GK_TRY(gsakmpd_certs_load(config, elem, "@chain", &p->certs,
		                          why));
	GK_TRY(load_key(config, elem, p, why));
	GK_TRY(gsakmpd_certs_name(config, elem, &p->certs, &p->id_octets,
	                          &p->id, why));
	gk_identity_print(p->name, sizeof(p->name), p->id);
	return GK_OK;
}

/* ---- trust -------------------------------------------------------------- */

enum gk_err
gsakmpd_trust_certs(struct gkd_config *config, const struct gkd_elem *elem,
                    struct gk_trust *trust, bool anchors, struct gkd_why *why)
{
	for (; elem != NULL; elem = gkd_elem_next(elem)) {
		struct gk_certs certs = { 0 };
		enum gk_err err =
			gsakmpd_certs_load(config, elem, "@file", &certs, why);

		for (size_t i = 0; i < certs.n && err == GK_OK; i++)
			err = anchors ? gk_trust_add_anchor(trust,
			                                    certs.cert[i])
			              : gk_trust_add_intermediate(
						trust, certs.cert[i]);
		gk_certs_free(&certs);
		GK_TRY(err);
	}
	return GK_OK;
}

enum gk_err
gsakmpd_trust_crls(struct gkd_config *config, const struct gkd_elem *elem,
                   struct gk_trust *trust, struct gkd_why *why)
{
	for (; elem != NULL; elem = gkd_elem_next(elem)) {
		struct gk_buf octets;
		enum gk_err err;

		GK_TRY(gkd_elem_file(config, elem, "@file", GSAKMPD_CRL_MAX,
		                     &octets, why));
		err = gk_trust_add_crl(trust, gk_buf_slice(&octets));
		gk_buf_free(&octets);
		if (err != GK_OK)
			return gkd_config_fail(
				config, elem, why,
				"'@file': file '%s' holds no revocation list",
				gkd_elem_path(config, elem, "@file"));
	}
	return GK_OK;
}

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
	GK_TRY(gsakmpd_trust_certs(config, gkd_elem_child(elem, "root"),
	                           p->trust, true, why));
	GK_TRY(gsakmpd_trust_certs(config, gkd_elem_child(elem, "intermediate"),
	                           p->trust, false, why));
	GK_TRY(gsakmpd_trust_crls(config, gkd_elem_child(elem, "crl"), p->trust,
	                          why));
	GK_TRY(gsakmpd_raw_keys_load(config, p, why));
	GK_TRY(gsakmpd_authorities_load(config, p, why));
	/* It is our own: no need to be told so. */
	if (gk_cert_is_raw(p->certs.cert[0]))
		GK_TRY(gk_trust_add_raw_key(p->trust, p->certs.cert[0]));
	if (own == NULL)
		return GK_OK;
	GK_TRY(gk_trust_new(&policy, &p->go_trust));
	GK_TRY(gsakmpd_trust_certs(config, own, p->go_trust, true, why));
	GK_TRY(gsakmpd_trust_certs(config, gkd_elem_child(elem, "intermediate"),
	                           p->go_trust, false, why));
	return gsakmpd_trust_crls(config, gkd_elem_child(elem, "crl"),
	                          p->go_trust, why);
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
		return gsakmpd_certs_load(config, elem, "@certificate",
		                          &p->go_cert, why);
	return gsakmpd_identity_load(config, elem, &p->go_octets, &p->go_id,
	                             why);
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
		err = lend_authorities(p, &p->certs);
	if (err == GK_OK)
		err = lend_authorities(p, &p->go_cert);
	if (err != GK_OK) {
		gsakmpd_party_free(p);
		return err;
	}
	p->party = (struct gsakmp_party){
		.id = &p->id,
		.signer = p->signer,
		.certs = (const struct gk_cert *const *)p->certs.cert,
		.n_certs = p->certs.n,
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

	GK_TRY(gsakmpd_trust_crls(config, crl, party->trust, why));
	if (party->go_trust == NULL)
		return GK_OK;
	return gsakmpd_trust_crls(config, crl, party->go_trust, why);
}

void
gsakmpd_party_free(struct gsakmpd_party *party)
{
	if (party == NULL)
		return;
	gk_certs_free(&party->certs);
	gk_certs_free(&party->go_cert);
	gk_signer_free(party->signer);
	gk_trust_free(party->trust);
	gk_trust_free(party->go_trust);
	gk_buf_free(&party->id_octets);
	gk_buf_free(&party->go_octets);
	gsakmpd_credentials_free(party);
	free(party);
}

enum gk_err
gsakmpd_identity_load(const struct gkd_config *config,
                      const struct gkd_elem *elem, struct gk_buf *octets,
                      struct gk_identity *id, struct gkd_why *why)
{
	const char *name = gkd_elem_text(elem, "@name", "");
	unsigned kind;

	*octets = (struct gk_buf){ 0 };
	GK_TRY(gkd_elem_enum(config, elem, "@name-type", id_names, 0, &kind,
	                     why));
	if (gk_identity_parse(id_kinds[kind], gk_slice_str(name), octets) !=
	    GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "'@name': '%s' is not a name of type %s",
		                       name, id_names[kind]);
	*id = (struct gk_identity){ id_kinds[kind], gk_buf_slice(octets) };
	return GK_OK;
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

enum gk_err
gsakmpd_dialect_load(const struct gkd_config *config,
                     const struct gkd_elem *elem,
                     struct gsakmp_dialect *dialect, struct gkd_why *why)
{
	const struct gkd_elem *e = gkd_elem_child(elem, "dialect/switch");

	*dialect = (struct gsakmp_dialect){ 0 };
	for (; e != NULL; e = gkd_elem_next(e)) {
		const char *name = gkd_elem_text(e, "@name", "");
		const char *value = gkd_elem_text(e, "@value", "");
		enum gk_err err = gsakmp_dialect_set(dialect, name, value);

		if (err == GK_ERR_UNEXPECTED)
			return gkd_config_fail(config, e, why,
			                       "there is no switch '%s'", name);
		if (err != GK_OK)
			return gkd_config_fail(config, e, why,
			                       "switch '%s' has no value '%s'",
			                       name, value);
	}
	return GK_OK;
}

enum gk_err
gsakmpd_addr_load(const struct gkd_config *config, const struct gkd_elem *elem,
                  uint16_t port, struct gkd_addr *addr, struct gkd_why *why)
{
	uint64_t n;

	GK_TRY(gkd_elem_uint(config, elem, "@port", 1, UINT16_MAX, port, &n,
	                     why));
	GK_TRY(gkd_elem_addr(config, elem, "@address", 0, addr, why));
	gkd_addr_set_port(addr, (uint16_t)n);
	return GK_OK;
}
