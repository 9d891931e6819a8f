/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_pack.h"

#include <stdlib.h>
#include <string.h>

#include "gsakmp/engine/secret.h"

#define ITEM_FIXED 3  /* octets of item type and item length */
#define ARRAY_FIXED 7 /* octets of a Rekey Array in front of its Key Datums */

static bool
is_array(const struct gsakmp_packer *p)
{
	return p->g->dialect.keypkg_lkh_body == GSAKMP_KEYPKG_LKH_BODY_ARRAY;
}

static void
put_u16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* ---- traffic keys ------------------------------------------------------- */

static void
gtpk_datum(const struct gk_traffic_key *k, struct gsakmp_key_datum *d)
{
	*d = (struct gsakmp_key_datum){ .type = (uint16_t)k->type,
		                        .id = k->id,
		                        .handle = k->handle,
		                        .key = { k->octets, k->len } };
	gk_zulu_format(k->created, d->created);
	gk_zulu_format(k->expires, d->expires);
}

/* The group key's place in a wrap is taken by all GTPKs of the group: those that
 * come into force when the epoch is closed. */
static enum gk_err
write_gtpks(struct gsakmp_packer *p)
{
	struct gsakmp_keys *keys = p->keys;
	struct gk_wr wr;

	keys->n_items = keys->n_datums = 0;
	for (size_t i = 0; i < gk_group_key_count(p->g->data); i++) {
		struct gsakmp_key_datum d;

		gtpk_datum(gk_group_key_joiner(p->g->data, i), &d);
		GK_TRY(gsakmp_keys_add(keys, GSAKMP_ITEM_GTPK, &d));
	}
	gsakmp_secret_keys(p->g->env, p->g->cfg.group_id, keys);
	p->n_gtpks = keys->n_items;
	GK_TRY(gk_buf_alloc(&p->gtpks, gsakmp_keys_size(keys, false)));
	gk_wr_init(&wr, p->gtpks.ptr, p->gtpks.len);
	gsakmp_keys_encode(&wr, keys, false);
	return gk_wr_done(&wr);
}

/* ---- node keys ---------------------------------------------------------- */

static void
write_date(struct gsakmp_pack_date *dates, int64_t utc,
           uint8_t out[GK_ZULU_LEN])
{
	struct gsakmp_pack_date *last =
		&dates[(uint64_t)utc & (GSAKMP_PACK_DATES - 1)];

	if (last->utc != utc || last->text[0] == 0) {
		last->utc = utc;
		gk_zulu_format(utc, last->text);
	}
	memcpy(out, last->text, GK_ZULU_LEN);
}

/* Decision keypkg_lkh_body: a Key Datum each, or one Rekey Array for all. */
static enum gk_err
write_kek(struct gsakmp_packer *p, const struct gk_lkh_key *k)
{
	struct gsakmp_key_datum d = { .type = p->g->policy->kek_type,
		                      .id = k->id,
		                      .handle = k->handle,
		                      .key = gk_lkh_key_slice(k) };
	struct gsakmp_keys *keys = p->keys;
	struct gk_wr wr;

	write_date(p->created, k->created, d.created);
	write_date(p->expires, k->expires, d.expires);
	keys->n_items = keys->n_datums = 0;
	if (is_array(p)) {
		GK_TRY(gsakmp_keys_add_array(keys, 0)); /* nobody's own */
		GK_TRY(gsakmp_keys_add_kek(keys, &d));
	} else {
		GK_TRY(gsakmp_keys_add(keys, GSAKMP_ITEM_REKEY_LKH, &d));
	}
	gsakmp_secret_keys(p->g->env, p->g->cfg.group_id, keys);
	gk_wr_init(&wr, p->item, p->item_len);
	gsakmp_keys_encode(&wr, keys, false);
	return gk_wr_done(&wr);
}

/* Key number @i of a wrap. */
static enum gk_err
put_kek(struct gsakmp_packer *p, size_t i, const struct gk_lkh_key *k)
{
	size_t len = p->item_len - p->item_skip;

	if (p->of[i] == k)
		return GK_OK;
	GK_TRY(write_kek(p, k));
	memcpy(p->items + i * len, p->item + p->item_skip, len);
	p->of[i] = k;
	return GK_OK;
}

/* ---- wraps -------------------------------------------------------------- */

/* The head of a Rekey Array of @n keys: as any of them had it when it was
 * written alone, but for the two fields that count. */
static struct gk_slice
array_head(struct gsakmp_packer *p, size_t n)
{
	memcpy(p->array, p->item, p->item_skip);
	put_u16(p->array + 1, ARRAY_FIXED + n * (p->item_len - p->item_skip));
	put_u16(p->array + p->item_skip - 2, n);
	return (struct gk_slice){ p->array, p->item_skip };
}

enum gk_err
gsakmp_packer_wrap(struct gsakmp_packer *p, const struct gk_lkh_wrap *wrap,
                   struct gsakmp_packed *packed)
{
	size_t n = 0, keks = 0, gtpks = 0;

	/* The GTPKs go in front, whatever the plan says: an open Rekey Array
	 * must not be interrupted. */
	for (size_t i = 0; i < wrap->count; i++) {
		if (wrap->keys[i] == NULL)
			gtpks++;
		else if (keks == GK_LKH_DEPTH_MAX)
			return GK_ERR_SPACE;
		else
			GK_TRY(put_kek(p, keks++, wrap->keys[i]));
	}
	if (gtpks > 1)
		return GK_ERR_SPACE;
	if (gtpks != 0)
		p->part[n++] = gk_buf_slice(&p->gtpks);
	if (is_array(p) && keks != 0)
		p->part[n++] = array_head(p, keks);
	if (keks != 0)
		p->part[n++] = (struct gk_slice){
			p->items, keks * (p->item_len - p->item_skip)
		};
	if (is_array(p) && keks != 0)
		keks = 1;
	*packed = (struct gsakmp_packed){ .part = p->part, .n_parts = n };
	packed->items = (uint16_t)(gtpks * p->n_gtpks + keks);
	return packed->items > GSAKMP_ITEMS_MAX ? GK_ERR_SPACE : GK_OK;
}

enum gk_err
gsakmp_packer_begin(struct gsakmp_packer *p, const struct gsakmp_group *g,
                    const struct gk_lkh_plan *plan)
{
	size_t key_len = plan->pool_count == 0 ? 0 : plan->pool[0].len;

	*p = (struct gsakmp_packer){ .g = g };
	p->item_skip = is_array(p) ? ITEM_FIXED + ARRAY_FIXED : 0;
	p->item_len = (is_array(p) ? p->item_skip : ITEM_FIXED) +
	              GSAKMP_KEY_DATUM_FIXED + key_len;
	p->keys = malloc(sizeof(*p->keys)); /* set as far as it is used */
	p->items = calloc(GK_LKH_DEPTH_MAX + 1, p->item_len);
	if (p->keys == NULL || p->items == NULL)
		return GK_ERR_NOMEM;
	p->item = p->items + GK_LKH_DEPTH_MAX * p->item_len;
	return plan->group ? write_gtpks(p) : GK_OK;
}

void
gsakmp_packer_end(struct gsakmp_packer *p)
{
	if (p->items != NULL)
		gk_wipe(p->items, (GK_LKH_DEPTH_MAX + 1) * p->item_len);
	free(p->items);
	free(p->keys); /* points to keys, holds none */
	gk_buf_free(&p->gtpks);
	*p = (struct gsakmp_packer){ 0 };
}
