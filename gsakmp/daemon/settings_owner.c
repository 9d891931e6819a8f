/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/settings.h"

/*
 * A key server may serve groups of several Group Owners.  None of them has a say
 * in another's group: whose signature makes a token valid is told by the group's
 * own configuration, never by the token.
 */
static enum gk_err
load_trust(struct gkd_config *config, const struct gkd_elem *elem,
           struct gsakmpd_owner *owner, struct gkd_why *why)
{
	const struct gkd_elem *all =
		gkd_elem_child(gkd_config_root(config), "trust");
	const struct gkd_elem *own = gkd_elem_child(elem, "root");
	struct gk_trust_policy policy = { 0 };

	if (own == NULL)
		return GK_OK;
	GK_TRY(gkd_elem_bool(config, all, "@require-crl", false,
	                     &policy.require_crl, why));
	GK_TRY(gkd_elem_bool(config, all, "@legacy", false,
	                     &policy.allow_legacy, why));
	GK_TRY(gk_trust_new(&policy, &owner->trust));
	GK_TRY(gkd_trust_certs(config, own, owner->trust, true, why));
	GK_TRY(gkd_trust_certs(config, gkd_elem_child(all, "intermediate"),
	                       owner->trust, false, why));
	for (size_t i = 1; i < owner->cert.n; i++)
		GK_TRY(gk_trust_add_intermediate(owner->trust,
		                                 owner->cert.cert[i]));
	return gkd_trust_crls(config, gkd_elem_child(all, "crl"), owner->trust,
	                      why);
}

static enum gk_err
load(struct gkd_config *config, const struct gkd_elem *elem,
     struct gsakmpd_owner *owner, struct gkd_why *why)
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
	return load_trust(config, elem, owner, why);
}

enum gk_err
gsakmpd_owner_load(struct gkd_config *config, const struct gkd_elem *elem,
                   struct gsakmpd_owner *owner, struct gkd_why *why)
{
	enum gk_err err;

	*owner = (struct gsakmpd_owner){ 0 };
	err = load(config, elem, owner, why);
	if (err != GK_OK)
		gsakmpd_owner_free(owner);
	return err;
}

void
gsakmpd_owner_free(struct gsakmpd_owner *owner)
{
	gk_certs_free(&owner->cert);
	gk_buf_free(&owner->octets);
	gk_trust_free(owner->trust);
	*owner = (struct gsakmpd_owner){ 0 };
}

struct gsakmp_party
gsakmpd_owner_party(const struct gsakmpd_owner *owner,
                    const struct gsakmp_party *base)
{
	struct gsakmp_party p = *base;

	if (owner == NULL)
		return p;
	p.go_cert = owner->cert.n > 0 ? owner->cert.cert[0] : NULL;
	p.go_id = owner->cert.n > 0 ? NULL : &owner->id;
	p.go_trust = owner->trust;
	return p;
}
