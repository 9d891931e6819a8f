/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/gm_rekey.h"
#include "gsakmp/engine/secret.h"

/*
 * Key Packages of a Rekey Event at the member: RFC 4535 section 7.5.2.
 *
 * Decision "atomicity": a Rekey Event Data is decoded whole before any of its
 * keys is used, then each Key Package stands or falls for itself.
 */
void
gsakmp_gm_rekey_bad(struct gsakmp_gm_rekey *r)
{
	if (r->bad++ == 0)
		r->first_bad = r->in->why;
}

static enum gk_err
refuse_package(struct gsakmp_gm_rekey *r, enum gk_err err, const char *req,
               const char *field, size_t at)
{
	return gsakmp_in_refuse(r->in, err,
	                        GSAKMP_NOTIFY_INVALID_KEY_INFORMATION, req,
	                        field, at);
}

/* RFC 4534 C.1: keyExpirationDate of the data SA, an interval or a date. */
static bool
conforms(const struct gsakmp_policy *p, uint32_t id, int64_t created,
         int64_t expires)
{
	for (size_t i = 0; i < p->n_keys; i++) {
		if (p->key_id[i] != id)
			continue;
		if (p->key_life[i] > 0 && expires - created > p->key_life[i])
			return false;
		if (p->key_expires[i] > 0 && expires > p->key_expires[i])
			return false;
	}
	return true;
}

/* RFC4535-7.4.1.1-06: Key ID and Key Handle name one key, and a held one is not
 * changed under its name. */
static enum gk_err
check_version(struct gsakmp_gm_rekey *r, const struct gsakmp_key_datum *d,
              bool same)
{
	if (same || !GK_CHECKED("RFC4535-7.4.1.1-06"))
		return GK_OK;
	return refuse_package(r, GK_ERR_UNEXPECTED, "RFC4535-7.4.1.1-06",
	                      "Key Handle", d->at + 6);
}

static enum gk_err
put_gtpk(struct gsakmp_gm_rekey *r, const struct gsakmp_key_datum *d)
{
	const struct gsakmp_gm *gm = r->in->gm;
	bool equal_ok = gm->dialect.date_equal == GSAKMP_DATE_EQUAL_ACCEPT;
	struct gk_traffic_key *k = NULL;
	int64_t created, expires;

	for (size_t i = 0; i < gm->n_gtpks; i++)
		if (r->gtpk[i].id == d->id && r->gtpk[i].type == d->type)
			k = &r->gtpk[i];
	/* RFC4535-7.5.2-14 */
	if (k == NULL && !GK_CHECKED("RFC4535-7.5.2-14", "RFC4535-2-06"))
		return GK_OK;
	if (k == NULL || d->key.len > sizeof(k->octets))
		return refuse_package(r, GK_ERR_UNEXPECTED, "RFC4535-7.5.2-14",
		                      "Key ID", d->at);
	GK_TRY(gsakmp_key_datum_dates(d, &created, &expires));
	if (k->handle == d->handle) /* held already? */
		return check_version(
			r, d,
			k->created == created && k->expires == expires &&
				k->len == d->key.len &&
				gk_equal_secret(k->octets, d->key.ptr, k->len));
	/* RFC4535-7.5.2-16, decision date_equal */
	if ((created < k->created || (created == k->created && !equal_ok)) &&
	    GK_CHECKED("RFC4535-7.5.2-16"))
		return refuse_package(r, GK_ERR_REPLAY, "RFC4535-7.5.2-16",
		                      "Key Creation Date", d->at);
	if ((expires <= created ||
	     !conforms(gm->policy, d->id, created, expires)) &&
	    GK_CHECKED("RFC4535-7.5.2-17"))
		return refuse_package(r, GK_ERR_VALUE, "RFC4535-7.5.2-17",
		                      "Key Expiration Date", d->at);
	*k = (struct gk_traffic_key){ .id = d->id,
		                      .handle = d->handle, /* 7.5.2-15 */
		                      .type = d->type,
		                      .created = created,
		                      .expires = expires,
		                      .len = (uint8_t)d->key.len };
	memcpy(k->octets, d->key.ptr, d->key.len);
	return GK_OK;
}

static enum gk_err
put_kek(struct gsakmp_gm_rekey *r, const struct gsakmp_key_datum *d)
{
	const struct gsakmp_gm *gm = r->in->gm;
	bool equal_ok = gm->dialect.date_equal == GSAKMP_DATE_EQUAL_ACCEPT;
	const struct gk_lkh_key *held = gk_lkh_member_held(&r->keks, d->id);
	struct gk_lkh_key k = { .id = d->id,
		                .handle = d->handle,
		                .len = (uint8_t)d->key.len };
	bool known = held != NULL && held->handle == d->handle;
	bool same;
	enum gk_err err;

	if ((d->type != gm->policy->kek_type &&
	     GK_CHECKED("RFC4535-7.5.2-14", "RFC4535-2-06")) ||
	    d->key.len > sizeof(k.octets))
		return refuse_package(r, GK_ERR_UNEXPECTED, "RFC4535-7.5.2-14",
		                      "Key Type", d->at);
	memcpy(k.octets, d->key.ptr, d->key.len);
	err = gsakmp_key_datum_dates(d, &k.created, &k.expires);
	same = known && gk_lkh_key_same(held, &k);
	if (err == GK_OK && !known)
		err = gk_lkh_member_put(&r->keks, &k, equal_ok, &same);
	gk_wipe(&k, sizeof(k));
	if (err == GK_OK && known)
		return check_version(r, d, same);
	if (err == GK_ERR_UNEXPECTED &&
	    GK_CHECKED("RFC4535-7.5.2-14", "RFC4535-2-06"))
		return refuse_package(r, err, "RFC4535-7.5.2-14", "Key ID",
		                      d->at);
	if (err == GK_ERR_REPLAY && GK_CHECKED("RFC4535-7.5.2-16"))
		return refuse_package(r, err, "RFC4535-7.5.2-16",
		                      "Key Creation Date", d->at);
	if (err == GK_ERR_VALUE && GK_CHECKED("RFC4535-7.5.2-17"))
		return refuse_package(r, err, "RFC4535-7.5.2-17",
		                      "Key Expiration Date", d->at);
	return err;
}

static void
apply(struct gsakmp_gm_rekey *r, const struct gsakmp_keys *keys)
{
	for (uint16_t i = 0; i < keys->n_items; i++) {
		const struct gsakmp_key_item *item = &keys->item[i];

		for (uint16_t n = 0; n < item->count; n++) {
			const struct gsakmp_key_datum *d =
				&keys->datum[item->first + n];
			enum gk_err err = item->type == GSAKMP_ITEM_GTPK
			                          ? put_gtpk(r, d)
			                          : put_kek(r, d);

			if (err != GK_OK)
				gsakmp_gm_rekey_bad(r);
			r->old += err == GK_ERR_REPLAY &&
			          r->in->arrival == GSAKMP_ARRIVAL_AHEAD;
		}
	}
}

/* One Rekey Event Data whose wrapping key we hold. */
static void
open_data(struct gsakmp_gm_rekey *r, const struct gsakmp_rekey_data *data,
          const struct gk_lkh_key *kek, struct gsakmp_keys *keys)
{
	const struct gsakmp_gm *gm = r->in->gm;
	const struct gsakmp_wrapping with = { .type = gm->policy->kek_type,
		                              .id = kek->id,
		                              .handle = kek->handle,
		                              .key = gk_lkh_key_slice(kek) };
	struct gk_buf plain = { 0 };
	enum gk_err err;

	err = gsakmp_rekey_open(&gm->dialect, &with, data, &plain, &r->in->why);
	if (err == GK_OK)
		err = gsakmp_packages_read(gk_buf_slice(&plain), &gm->dialect,
		                           &r->in->msg->vocabulary, data->count,
		                           keys, &r->in->why);
	if (err == GK_OK) {
		r->opened++;
		gsakmp_secret_keys(gm->env, gsakmp_gm_groupid(gm).value, keys);
		apply(r, keys);
	} else {
		gsakmp_gm_rekey_bad(r);
	}
	gk_wipe(keys, sizeof(*keys));
	gk_buf_free(&plain);
}

/* RFC4535-7.5.2-08 to -10: all of them, in order; true when one was new. */
static bool
pass(struct gsakmp_gm_rekey *r, struct gsakmp_keys *keys)
{
	const struct gsakmp_rekey_shape shape = {
		.dialect = &r->in->gm->dialect,
		.key_type = r->in->gm->policy->kek_type,
	};
	size_t at = 0;
	bool progress = false;

	for (size_t e = 0; e < r->in->msg->n_rekey_events; e++) {
		const struct gsakmp_rekey_event *event =
			&r->in->msg->rekey_event[e];
		struct gk_rd rd = gsakmp_rekey_data_start(event);
		struct gsakmp_rekey_data data;

		for (; gsakmp_rekey_data_next(&rd, &shape, &data); at++) {
			const struct gk_lkh_key *kek = gk_lkh_member_find(
				&r->keks, data.key_id, data.handle);

			if (at >= r->n_datas || r->done[at] || kek == NULL)
				continue;
			r->done[at] = true;
			progress = true;
			open_data(r, &data, kek, keys);
		}
	}
	return progress;
}

/* Decision rekey_order: to a fixed point. */
enum gk_err
gsakmp_gm_packages(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_keys *keys;
	bool single =
		r->in->gm->dialect.rekey_order == GSAKMP_REKEY_ORDER_SINGLE;

	for (size_t e = 0; e < r->in->msg->n_rekey_events; e++)
		r->n_datas += r->in->msg->rekey_event[e].n_data;
	if (r->n_datas == 0)
		return GK_OK;
	r->done = calloc(r->n_datas, sizeof(*r->done));
	keys = malloc(sizeof(*keys));
	if (r->done == NULL || keys == NULL) {
		free(keys);
		return GK_ERR_NOMEM;
	}
	while (pass(r, keys) && !single)
		continue;
	free(keys);
	return GK_OK;
}
