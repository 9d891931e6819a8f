/* SPDX-License-Identifier: BSD-2-Clause */
/* <identity>, <trust> and <phase1>: who we are, whom we talk to, and how. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/settings.h"

/* ---- who we are --------------------------------------------------------- */

static enum gk_err
add_credential(struct gkd_config *config, const struct gkd_elem *elem,
               struct gdoid_phase1 *p, struct gkd_why *why)
{
	struct gkd_credential *c = &p->credential[p->ike.n_credentials];

	if (p->ike.n_credentials == GDOID_CREDENTIALS_MAX)
		return gkd_config_fail(config, elem, why,
		                       "more than %d certificates",
		                       GDOID_CREDENTIALS_MAX);
	p->ike.n_credentials++;
	GK_TRY(gkd_credential_load(config, elem, c, why));
	p->credential_view[p->ike.n_credentials - 1] = (struct ike_credential){
		.signer = c->signer,
		.certs = (const struct gk_cert *const *)c->certs.cert,
		.n_certs = c->certs.n,
	};
	return GK_OK;
}

/* Certificates of other kinds; phase 1 says one name, whichever is used. */
static enum gk_err
add_others(struct gkd_config *config, const struct gkd_elem *elem,
           struct gdoid_phase1 *p, struct gkd_why *why)
{
	for (const struct gkd_elem *e = gkd_elem_child(elem, "also"); e != NULL;
	     e = gkd_elem_next(e)) {
		GK_TRY(add_credential(config, e, p, why));
		if (!gk_identity_binds(p->ike.id,
		                       p->credential[p->ike.n_credentials - 1]
		                               .certs.cert[0],
		                       GK_DN_COMPARE_RFC4514))
			return gkd_config_fail(config, e, why,
			                       "'@certificate' is not that of "
			                       "%s",
			                       p->name);
	}
	return GK_OK;
}

static enum gk_err
load_identity(struct gkd_config *config, struct gdoid_phase1 *p,
              struct gkd_why *why)
{
	const struct gkd_elem *elem =
		gkd_elem_child(gkd_config_root(config), "identity");
	bool cert = gkd_elem_has(elem, "@certificate");

	if (cert == gkd_elem_has(elem, "@name"))
		return gkd_config_fail(config, elem, why,
		                       "either a 'certificate' or a 'name' is "
		                       "needed, not both");
	if (!cert)
		GK_TRY(gkd_identity_load(config, elem, &p->id_octets,
		                         &p->ike.id, why));
	else if (!gkd_elem_has(elem, "@key"))
		return gkd_config_fail(config, elem, why,
		                       "'certificate' needs its 'key'");
	else
		GK_TRY(add_credential(config, elem, p, why));
	if (cert)
		p->ike.id = p->credential[0].id;
	gk_identity_print(p->name, sizeof(p->name), p->ike.id);
	if (!cert && gkd_elem_has(elem, "also"))
		return gkd_config_fail(config, elem, why,
		                       "'also' comes after a 'certificate'");
	return add_others(config, elem, p, why);
}

/* ---- whom we believe ---------------------------------------------------- */

static enum gk_err
load_trust(struct gkd_config *config, struct gdoid_phase1 *p,
           struct gkd_why *why)
{
	const struct gkd_elem *elem =
		gkd_elem_child(gkd_config_root(config), "trust");
	struct gk_trust_policy policy = { .allow_legacy = p->ike.legacy_ok };

	if (elem == NULL) {
		if (p->ike.n_credentials == 0)
			return GK_OK;
		return gkd_config_fail(
			config,
			gkd_elem_child(gkd_config_root(config), "identity"),
			why,
			"a 'certificate' needs a <trust>: "
			"whose certificates are believed?");
	}
	GK_TRY(gkd_elem_bool(config, elem, "@require-crl", false,
	                     &policy.require_crl, why));
	GK_TRY(gk_trust_new(&policy, &p->trust));
	p->ike.trust = p->trust;
	GK_TRY(gkd_trust_certs(config, gkd_elem_child(elem, "root"), p->trust,
	                       true, why));
	GK_TRY(gkd_trust_certs(config, gkd_elem_child(elem, "intermediate"),
	                       p->trust, false, why));
	for (size_t i = 0; i < p->ike.n_credentials; i++)
		for (size_t k = 1; k < p->credential[i].certs.n; k++)
			GK_TRY(gk_trust_add_intermediate(
				p->trust, p->credential[i].certs.cert[k]));
	return gkd_trust_crls(config, gkd_elem_child(elem, "crl"), p->trust,
	                      why);
}

/* Own certificates that peers would refuse draw a warning. */
static void
judge(struct gkd_config *config, const struct gdoid_phase1 *p)
{
	const struct gkd_elem *elem =
		gkd_elem_child(gkd_config_root(config), "identity");
	size_t i = 0;

	if (i < p->ike.n_credentials)
		gkd_credential_judge(config, elem, &p->credential[i++],
		                     p->trust);
	for (elem = gkd_elem_child(elem, "also");
	     elem != NULL && i < p->ike.n_credentials;
	     elem = gkd_elem_next(elem))
		gkd_credential_judge(config, elem, &p->credential[i++],
		                     p->trust);
}

static enum gk_err
load_peers(const struct gkd_config *config, const struct gkd_elem *phase1,
           struct gdoid_phase1 *p, struct gkd_why *why)
{
	const struct gkd_elem *first = gkd_elem_child(phase1, "peer");
	size_t n = 0;

	for (const struct gkd_elem *e = first; e != NULL; e = gkd_elem_next(e))
		n++;
	p->peers = calloc(n + 1, sizeof(*p->peers));
	p->peer_view = calloc(n + 1, sizeof(*p->peer_view));
	if (p->peers == NULL || p->peer_view == NULL)
		return GK_ERR_NOMEM;
	for (const struct gkd_elem *e = first; e != NULL;
	     e = gkd_elem_next(e)) {
		size_t i = p->n_peers++;

		GK_TRY(gkd_identity_load(config, e, &p->peers[i],
		                         &p->peer_view[i], why));
		if (gk_identity_check_pattern(p->peer_view[i]) != GK_OK)
			return gkd_config_fail(config, e, why,
			                       "'@name' is no name and no "
			                       "pattern of one");
	}
	p->ike.peers = p->peer_view;
	p->ike.n_peers = p->n_peers;
	return GK_OK;
}

/* ---- how long, how often ------------------------------------------------ */

static enum gk_err
load_times(const struct gkd_config *config, const struct gkd_elem *e,
           struct ike_config *c, struct gkd_why *why)
{
	uint64_t n;

	GK_TRY(gkd_duration_load(config, e, "@lifetime", 31ull * 86400000, 1000,
	                         &c->life_s, why));
	GK_TRY(gkd_duration_load(config, e, "@timeout", 60000, 1,
	                         &c->timeout_ms, why));
	GK_TRY(gkd_number_load(config, e, "@tries", 20, &c->tries, why));
	GK_TRY(gkd_duration_load(config, e, "@negotiate", 600000, 1,
	                         &c->negotiate_ms, why));
	GK_TRY(gkd_elem_bool(config, e, "@nat-traversal", true, &c->natt, why));
	GK_TRY(gkd_elem_uint(config, e, "@nat-port", 1, UINT16_MAX,
	                     IKE_NATT_PORT, &n, why));
	c->natt_port = (uint16_t)n;
	GK_TRY(gkd_duration_load(config, e, "@nat-keepalive", 3600000, 1000,
	                         &c->keepalive_s, why));
	GK_TRY(gkd_duration_load(config, e, "@dpd", 86400000, 1000, &c->dpd_s,
	                         why));
	GK_TRY(gkd_duration_load(config, e, "@dpd-retry", 600000, 1,
	                         &c->dpd_retry_ms, why));
	return gkd_number_load(config, e, "@dpd-tries", 20, &c->dpd_tries, why);
}

static enum gk_err
load(struct gkd_config *config, struct gdoid_phase1 *p, struct gkd_why *why)
{
	const struct gkd_elem *e =
		gkd_elem_child(gkd_config_root(config), "phase1");
	struct ike_config *c = &p->ike;
	bool request;

	c->dialect = &p->dialect;
	c->credentials = p->credential_view;
	c->hold = (struct ike_hold){ gdoid_phase1_hold, p };
	GK_TRY(gdoid_dialect_load(config, e, NULL, &p->dialect, why));
	GK_TRY(gkd_elem_bool(config, e, "@aggressive", false, &c->aggressive,
	                     why));
	GK_TRY(gkd_elem_bool(config, e, "@legacy", false, &c->legacy_ok, why));
	GK_TRY(gkd_elem_bool(config, e, "@aes-default", false, &c->aes_default,
	                     why));
	GK_TRY(gkd_elem_bool(config, e, "@certificate-request", true, &request,
	                     why));
	c->no_cert_request = !request;
	GK_TRY(load_identity(config, p, why));
	GK_TRY(load_trust(config, p, why));
	judge(config, p);
	GK_TRY(load_peers(config, e, p, why));
	GK_TRY(gdoid_psk_load(config, p, why));
	GK_TRY(load_times(config, e, c, why));
	return gdoid_proposals_load(config, p, why);
}

enum gk_err
gdoid_phase1_load(struct gkd_config *config, struct gdoid_phase1 **phase1,
                  struct gkd_why *why)
{
	struct gdoid_phase1 *p = calloc(1, sizeof(*p));
	enum gk_err err;

	snprintf(why->text, sizeof(why->text), "out of memory");
	if (p == NULL)
		return GK_ERR_NOMEM;
	err = load(config, p, why);
	if (err != GK_OK) {
		gdoid_phase1_free(p);
		return err;
	}
	*phase1 = p;
	return GK_OK;
}

void
gdoid_phase1_hold(void *phase1, int change)
{
	struct gdoid_phase1 *p = phase1;
	/* Who is told may free it, as soon as the count is zero. */
	void (*unused)(void *) = p->unused;
	void *arg = p->unused_arg;

	if (atomic_fetch_add(&p->users, change) + change == 0 && unused != NULL)
		unused(arg);
}

void
gdoid_phase1_free(struct gdoid_phase1 *phase1)
{
	if (phase1 == NULL)
		return;
	for (size_t i = 0; i < phase1->ike.n_credentials; i++)
		gkd_credential_free(&phase1->credential[i]);
	for (size_t i = 0; i < phase1->n_psk; i++) {
		gk_buf_free(&phase1->psk[i].key);
		gk_buf_free(&phase1->psk[i].peer);
	}
	for (size_t i = 0; i < phase1->n_peers; i++)
		gk_buf_free(&phase1->peers[i]);
	free(phase1->psk);
	free(phase1->psk_view);
	free(phase1->peers);
	free(phase1->peer_view);
	gk_buf_free(&phase1->id_octets);
	gk_trust_free(phase1->trust);
	free(phase1);
}
