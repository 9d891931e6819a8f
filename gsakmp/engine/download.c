/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/download.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "gsakmp/engine/secret.h"
#include "gsakmp/engine/verify.h"

enum gk_err
gsakmp_download_take(struct gsakmp_download *d, const struct gsakmp_group *g,
                     const struct gk_member *m)
{
	d->member_id = m->id;
	d->kek_type = g->policy->kek_type;
	d->n_gtpks = gk_group_key_count(g->data);
	d->n_keks = 0;
	for (size_t i = 0; i < d->n_gtpks; i++)
		d->gtpk[i] = *gk_group_key_joiner(g->data, i);
	if (!g->policy->lkh)
		return GK_OK;
	return gk_group_path(g->data, m, d->kek_path, &d->n_keks);
}

static void
dates(struct gsakmp_key_datum *d, int64_t created, int64_t expires)
{
	gk_zulu_format(created, d->created);
	gk_zulu_format(expires, d->expires);
}

/* Most keys on a path are as old as the one below. */
static void
dates_again(struct gsakmp_key_datum *d, const struct gsakmp_key_datum *before)
{
	memcpy(d->created, before->created, sizeof(d->created));
	memcpy(d->expires, before->expires, sizeof(d->expires));
}

/* Section 7.4.1: the GTPKs, then the member's Rekey Array. */
static enum gk_err
fill_keys(const struct gsakmp_download *from, struct gsakmp_keys *keys)
{
	for (size_t i = 0; i < from->n_gtpks; i++) {
		const struct gk_traffic_key *k = &from->gtpk[i];
		struct gsakmp_key_datum d = { .type = (uint16_t)k->type,
			                      .id = k->id,
			                      .handle = k->handle,
			                      .key = { k->octets, k->len } };

		dates(&d, k->created, k->expires);
		GK_TRY(gsakmp_keys_add(keys, GSAKMP_ITEM_GTPK, &d));
	}
	if (from->n_keks == 0)
		return GK_OK;
	GK_TRY(gsakmp_keys_add_array(keys, from->member_id));
	for (size_t i = 0; i < from->n_keks; i++) {
		const struct gk_lkh_key *k = &from->kek_path[i];
		struct gsakmp_key_datum d = { .type = from->kek_type,
			                      .id = k->id,
			                      .handle = k->handle,
			                      .key = gk_lkh_key_slice(k) };

		if (i > 0 && k->created == k[-1].created &&
		    k->expires == k[-1].expires)
			dates_again(&d, &keys->datum[keys->n_datums - 1]);
		else
			dates(&d, k->created, k->expires);
		GK_TRY(gsakmp_keys_add_kek(keys, &d));
	}
	return GK_OK;
}

static enum gk_err
seal(const struct gsakmp_download *d, const struct gsakmp_envelope *e,
     struct gk_buf *token, struct gk_buf *download)
{
	const struct gsakmp_dialect *dialect = &e->group->dialect;
	/* Room for many; only what is counted is looked at. */
	struct gsakmp_keys *keys = malloc(sizeof(*keys));
	enum gk_err err;

	if (keys == NULL)
		return GK_ERR_NOMEM;
	keys->n_items = keys->n_datums = 0;
	err = gsakmp_token_seal(e->env, dialect, e->kek, GSAKMP_TOKEN_ASN1_V1,
	                        gk_buf_slice(&e->policy->signed_der), token);
	if (err == GK_OK)
		err = fill_keys(d, keys);
	if (err == GK_OK)
		gsakmp_secret_keys(e->env, e->group->cfg.group_id, keys);
	if (err == GK_OK)
		err = gsakmp_key_download_seal(e->env, dialect, e->kek, keys,
		                               download);
	gk_wipe(keys->datum, keys->n_datums * sizeof(keys->datum[0]));
	free(keys);
	return err;
}

static enum gk_err
sign(const struct gsakmp_download *d, const struct gsakmp_envelope *e,
     struct gk_slice token, struct gk_slice download, struct gk_buf *out)
{
	const struct gsakmp_dialect *dialect = &e->group->dialect;
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gsakmp_sign sign;
	struct gsakmp_build b;

	gsakmp_party_sign(e->party, e->suite->signature, true, e->utc, ders,
	                  &sign);
	gsakmp_build_begin(&b, dialect, GSAKMP_EXCHANGE_KEY_DOWNLOAD,
	                   gsakmp_group_groupid(e->group), 0);
	gsakmp_build_identification(&b, gsakmp_dialect_classification(dialect),
	                            e->id_type, e->id);
	if (e->nonce_r.len != 0) {
		gsakmp_build_nonce(&b, GSAKMP_NONCE_RESPONDER, e->nonce_r);
		gsakmp_build_nonce(&b, GSAKMP_NONCE_COMBINED, e->nonce_c);
	}
	gsakmp_build_key_creation(&b, e->suite->key_creation, e->public_value);
	gsakmp_build_policy_token(&b, GSAKMP_TOKEN_ASN1_V1, token);
	gsakmp_build_key_download(&b, download);
	if (gsakmp_suite_extra(e->suite) ||
	    gsakmp_code_extra(GSAKMP_TABLE_KEY, d->kek_type))
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	return gsakmp_build_finish(&b, &sign, out);
}

enum gk_err
gsakmp_download_build(const struct gsakmp_download *d,
                      const struct gsakmp_envelope *e, struct gk_buf *out)
{
	struct gk_buf token = { 0 }, download = { 0 };
	enum gk_err err;

	err = seal(d, e, &token, &download);
	if (err == GK_OK)
		err = sign(d, e, gk_buf_slice(&token), gk_buf_slice(&download),
		           out);
	gk_buf_free(&token);
	gk_buf_free(&download);
	return err;
}
