/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/gm_state.h"

/*
 * What has changed between two sets of keys, for the data plane: first what is
 * new, then what goes, so that traffic never finds nothing.
 */
static const struct gm_slot *
slot_of(const struct gm_keys *keys, const struct gm_tek *tek)
{
	for (size_t i = 0; i < keys->n; i++)
		if (keys->slot[i].tek == tek)
			return &keys->slot[i];
	return NULL;
}

static bool
same_sids(const struct gm_keys *a, const struct gm_keys *b)
{
	return a->sid_bits == b->sid_bits && a->n_sids == b->n_sids &&
	       memcmp(a->sid, b->sid, a->n_sids * sizeof(a->sid[0])) == 0;
}

static bool
is_news(const struct gm_slot *slot, const struct gm_keys *before,
        const struct gm_keys *after)
{
	const struct gm_slot *was = slot_of(before, slot->tek);

	if (was == NULL || was->state != slot->state ||
	    was->may_send != slot->may_send || was->kda != slot->kda ||
	    was->kept != slot->kept || was->expires_utc != slot->expires_utc)
		return true;
	return slot->tek->counter_mode && !same_sids(before, after);
}

static enum gk_err
tek(struct gdoi_gm *gm, const struct gm_group *group,
    const struct gm_keys *keys, const struct gm_slot *slot,
    enum gdoi_output_kind kind)
{
	struct gdoi_output *out = gm_say(gm, group, kind, NULL);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->tek = gm_tek_view(keys, slot);
	if (kind == GDOI_OUT_TEK_WIPE)
		out->tek.key = out->tek.integrity = out->tek.source_auth =
			(struct gk_slice){ 0 };
	return gdoi_outputs_own(&gm->out);
}

static struct gdoi_address
endpoint_address(const struct gdoi_endpoint *e)
{
	struct gdoi_address a = { .port = e->port };

	if ((e->type == ISAKMP_ID_IPV4_ADDR && e->data.len == 4) ||
	    (e->type == ISAKMP_ID_IPV6_ADDR && e->data.len == 16)) {
		a.ip_len = (uint8_t)e->data.len;
		memcpy(a.ip, e->data.ptr, e->data.len);
	}
	return a;
}

void
gm_kek_info(const struct gm_group *group, const struct gm_rekey *rekey,
            struct gdoi_kek_info *info)
{
	const struct gm_kek *kek = rekey->kek;

	*info = (struct gdoi_kek_info){
		.src = endpoint_address(&kek->sak.ep.src),
		.dst = endpoint_address(&kek->sak.ep.dst),
		.algorithm = kek->sak.algorithm,
		.key_bits = (uint16_t)(8 * gk_cipher_key_len(kek->cipher)),
		.expires_utc = rekey->expires_utc,
		.lkh = group->keys->n_nodes != 0,
		.ack = kek->sak.ack,
		.sequence = rekey->sequence,
	};
	memcpy(info->spi, kek->sak.spi, sizeof(info->spi));
}

static enum gk_err
kek(struct gdoi_gm *gm, const struct gm_group *group,
    const struct gm_keys *keys, const struct gm_rekey *rekey,
    enum gdoi_output_kind kind)
{
	struct gdoi_output *out = gm_say(gm, group, kind, NULL);

	if (out == NULL)
		return GK_ERR_NOMEM;
	gm_kek_info(group, rekey, &out->kek);
	out->kek.lkh = keys->n_nodes != 0;
	return gdoi_outputs_own(&gm->out);
}

static bool
holds(const struct gm_keys *keys, const struct gm_kek *kek)
{
	const struct gm_kek *all[] = { keys->rekey.kek, keys->old.kek };

	for (size_t i = 0; i < GK_COUNT(all); i++)
		if (all[i] != NULL && memcmp(all[i]->sak.spi, kek->sak.spi,
		                             GDOI_KEK_SPI_LEN) == 0)
			return true;
	return false;
}

static enum gk_err
rekeys(struct gdoi_gm *gm, const struct gm_group *group,
       const struct gm_keys *before, const struct gm_keys *after)
{
	const struct gm_rekey *gone[] = { &before->rekey, &before->old };

	if (after->rekey.kek != NULL && after->rekey.kek != before->rekey.kek)
		GK_TRY(kek(gm, group, after, &after->rekey, GDOI_OUT_KEK));
	for (size_t i = 0; i < GK_COUNT(gone); i++)
		if (gone[i]->kek != NULL && !holds(after, gone[i]->kek))
			GK_TRY(kek(gm, group, before, gone[i],
			           GDOI_OUT_KEK_WIPE));
	return GK_OK;
}

/* What is sent with comes first: it takes the place of the one before in one step. */
static enum gk_err
news(struct gdoi_gm *gm, const struct gm_group *group,
     const struct gm_keys *before, const struct gm_keys *after, bool current)
{
	for (size_t i = 0; i < after->n; i++) {
		const struct gm_slot *slot = &after->slot[i];

		if ((slot->state == GDOI_TEK_CURRENT) == current &&
		    is_news(slot, before, after))
			GK_TRY(tek(gm, group, after, slot, GDOI_OUT_TEK));
	}
	return GK_OK;
}

enum gk_err
gm_report(struct gdoi_gm *gm, struct gm_group *group,
          const struct gm_keys *before, const struct gm_keys *after)
{
	GK_TRY(rekeys(gm, group, before, after));
	GK_TRY(news(gm, group, before, after, true));
	GK_TRY(news(gm, group, before, after, false));
	for (size_t i = 0; i < before->n; i++)
		if (slot_of(after, before->slot[i].tek) == NULL)
			GK_TRY(tek(gm, group, before, &before->slot[i],
			           GDOI_OUT_TEK_WIPE));
	return GK_OK;
}
