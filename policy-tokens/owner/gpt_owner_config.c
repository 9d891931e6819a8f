/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_owner_config.h"

#include <stdio.h>
#include <stdlib.h>

#define RETRY_MIN_MS 500 /* between attempts to reach the Group Owner ... */
#define RETRY_MAX_MS 30000

/* ---- who ---------------------------------------------------------------- */

static enum gk_err
load_trust(struct gkd_config *config, const struct gkd_elem *elem, bool legacy,
           struct gpt_owner_config *owner, struct gkd_why *why)
{
	const struct gkd_elem *all =
		gkd_elem_child(gkd_config_root(config), "trust");
	const struct gkd_elem *own = gkd_elem_child(elem, "root");
	struct gk_trust_policy policy = { .allow_legacy = legacy };

	if (own == NULL)
		return GK_OK;
	if (all != NULL)
		GK_TRY(gkd_elem_bool(config, all, "@require-crl", false,
		                     &policy.require_crl, why));
	GK_TRY(gk_trust_new(&policy, &owner->trust));
	GK_TRY(gkd_trust_certs(config, own, owner->trust, true, why));
	for (size_t i = 1; i < owner->cert.n; i++)
		GK_TRY(gk_trust_add_intermediate(owner->trust,
		                                 owner->cert.cert[i]));
	if (all == NULL)
		return GK_OK;
	GK_TRY(gkd_trust_certs(config, gkd_elem_child(all, "intermediate"),
	                       owner->trust, false, why));
	return gkd_trust_crls(config, gkd_elem_child(all, "crl"), owner->trust,
	                      why);
}

static enum gk_err
load(struct gkd_config *config, const struct gkd_elem *elem, bool legacy,
     struct gpt_owner_config *owner, struct gkd_why *why)
{
	if (gkd_elem_has(elem, "@certificate") == gkd_elem_has(elem, "@name"))
		return gkd_config_fail(config, elem, why,
		                       "either 'certificate' or 'name' is "
		                       "needed, not both");
	if (gkd_elem_has(elem, "@certificate"))
		GK_TRY(gkd_certs_load(config, elem, "@certificate",
		                      &owner->cert, why));
	else
		GK_TRY(gkd_identity_load(config, elem, &owner->octets,
		                         &owner->id, why));
	return load_trust(config, elem, legacy, owner, why);
}

enum gk_err
gpt_owner_config_load(struct gkd_config *config, const struct gkd_elem *elem,
                      bool legacy, struct gpt_owner_config *owner,
                      struct gkd_why *why)
{
	enum gk_err err;

	*owner = (struct gpt_owner_config){ 0 };
	err = load(config, elem, legacy, owner, why);
	if (err != GK_OK)
		gpt_owner_config_free(owner);
	return err;
}

void
gpt_owner_config_free(struct gpt_owner_config *owner)
{
	gk_certs_free(&owner->cert);
	gk_buf_free(&owner->octets);
	gk_trust_free(owner->trust);
	*owner = (struct gpt_owner_config){ 0 };
}

enum gk_err
gpt_owner_config_new(struct gkd_config *config, const struct gkd_elem *elem,
                     bool legacy, struct gpt_owner_config **owner,
                     struct gkd_why *why)
{
	enum gk_err err;

	*owner = calloc(1, sizeof(**owner));
	if (*owner == NULL)
		return GK_ERR_NOMEM;
	err = gpt_owner_config_load(config, elem, legacy, *owner, why);
	if (err == GK_OK)
		return GK_OK;
	free(*owner);
	*owner = NULL;
	return err;
}

void
gpt_owner_config_delete(struct gpt_owner_config *owner)
{
	if (owner != NULL)
		gpt_owner_config_free(owner);
	free(owner);
}

/* ---- where -------------------------------------------------------------- */

enum gk_err
gpt_place_load(struct gkd_config *config, const struct gkd_elem *elem,
               struct gpt_place *place, struct gkd_why *why)
{
	bool file = gkd_elem_has(elem, "@file");
	uint64_t port;

	if (file == gkd_elem_has(elem, "@owner"))
		return gkd_config_fail(config, elem, why,
		                       "either 'file' or 'owner' is needed, "
		                       "not both");
	if (file) {
		place->file = gkd_elem_path(config, elem, "@file");
		return place->file != NULL ? GK_OK : GK_ERR_NOMEM;
	}
	if (!gkd_elem_has(elem, "@port"))
		return gkd_config_fail(config, elem, why,
		                       "'owner' needs a 'port'");
	GK_TRY(gkd_elem_uint(config, elem, "@port", 1, UINT16_MAX, 1, &port,
	                     why));
	return gkd_elem_addr(config, elem, "@owner", (uint16_t)port,
	                     &place->owner, why);
}

/* ---- subscribing -------------------------------------------------------- */

struct credentials {
	struct gk_buf cert, key, passphrase, name;
};

static enum gk_err
read_credentials(struct gkd_config *config, struct credentials *c,
                 struct gkd_why *why)
{
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "identity");
	struct gk_buf chain = { 0 };
	enum gk_err err;

	if (!gkd_elem_has(e, "@certificate"))
		return gkd_config_fail(config, e, why,
		                       "a subscription to a Group Owner needs "
		                       "a 'certificate'");
	GK_TRY(gkd_elem_file(config, e, "@certificate", GKD_FILE_MAX, &c->cert,
	                     why));
	if (gkd_elem_has(e, "@chain")) {
		GK_TRY(gkd_elem_file(config, e, "@chain", GKD_FILE_MAX, &chain,
		                     why));
		err = gk_buf_append(&c->cert, gk_buf_slice(&chain));
		gk_buf_free(&chain);
		GK_TRY(err);
	}
	GK_TRY(gkd_elem_file(config, e, "@key", GKD_FILE_MAX, &c->key, why));
	return gkd_passphrase_load(config, e, &c->passphrase, why);
}

enum gk_err
gpt_place_subscribe(struct gpt_source **source, struct gkd_loop *loop,
                    struct gkd_config *config, const struct gpt_place *place,
                    struct gk_identity name, const struct gk_cert *cert,
                    const struct gk_trust *trust, struct gk_slice group,
                    const struct gpt_source_ops *ops, struct gkd_why *why)
{
	struct gpt_subscription_config cfg = {
		.server = place->owner,
		.trust = trust,
		.server_id = name,
		.retry_min_ms = RETRY_MIN_MS,
		.retry_max_ms = RETRY_MAX_MS,
	};
	struct credentials c = { 0 };
	char text[256] = "out of memory";
	enum gk_err err;

	snprintf(why->text, sizeof(why->text), "out of memory");
	err = read_credentials(config, &c, why);
	if (err == GK_OK && name.kind == GK_ID_NONE)
		err = gk_identity_of_cert(cert, GK_ID_DN_STRING,
		                          GK_DN_COMPARE_RFC4514, &c.name,
		                          &cfg.server_id);
	if (err == GK_OK) {
		cfg.cert_pem = gk_buf_slice(&c.cert);
		cfg.key_pem = gk_buf_slice(&c.key);
		cfg.passphrase = (const char *)c.passphrase.ptr;
		err = gpt_source_subscribe(source, loop, &cfg, group, ops,
		                           text);
		if (err != GK_OK)
			snprintf(why->text, sizeof(why->text), "%s", text);
	}
	gk_buf_free(&c.cert);
	gk_buf_free(&c.key);
	gk_buf_free(&c.passphrase);
	gk_buf_free(&c.name);
	return err;
}
