/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"
#include "gdoi/isakmp/delete.h"

/*
 * SA and KD, as GROUPKEY-PULL and GROUPKEY-PUSH bring them: RFC 6407 sections
 * 3.3, 4.4 and 5.6.  All of it happens on a copy of the keys.
 */
enum gk_err
gm_change_refuse(struct gm_change *c, enum gk_err err,
                 enum isakmp_notify notify, const char *req, const char *field,
                 size_t at)
{
	return isakmp_refuse(&c->why, err, notify, req, field, at);
}

static enum gk_err
bad_packet(struct gm_change *c, const char *req,
           const struct gdoi_kd_packet *packet)
{
	return gm_change_refuse(c, GK_ERR_VALUE,
	                        ISAKMP_NOTIFY_INVALID_KEY_INFORMATION, req,
	                        "SPI", packet->at);
}

static bool
sat_has_spi(const struct gdoi_sa *sa, struct gk_slice spi)
{
	for (uint16_t i = 0; i < sa->n_sats; i++)
		if (gk_slice_equal(spi, (struct gk_slice){ sa->sat[i].spi,
		                                           GDOI_TEK_SPI_LEN }))
			return true;
	return false;
}

/* RFC6407-5.6-05: each key packet is for an SA of the SA payload.  Switch
 * kd_kek_spi: one peer names a new KEK by the SPI of the one before. */
static bool
kek_spi_known(const struct gm_change *c, struct gk_slice spi)
{
	const uint8_t *old = c->pull || c->keys->rekey.kek == NULL
	                             ? NULL
	                             : c->keys->rekey.kek->sak.spi;

	if (!c->sa->has_sak || spi.len != GDOI_KEK_SPI_LEN)
		return false;
	if (memcmp(spi.ptr, c->sa->sak.spi, spi.len) == 0)
		return true;
	return c->group->dialect.kd_kek_spi == GDOI_KD_KEK_SPI_OLD &&
	       old != NULL && memcmp(spi.ptr, old, spi.len) == 0;
}

static enum gk_err
packets_check(struct gm_change *c)
{
	for (uint16_t i = 0; i < c->kd->n_packets; i++) {
		const struct gdoi_kd_packet *p = &c->kd->packet[i];
		bool known;

		if (p->type == GDOI_KD_SID)
			continue;
		known = p->type == GDOI_KD_TEK ? sat_has_spi(c->sa, p->spi)
		                               : kek_spi_known(c, p->spi);
		if (!known && GK_CHECKED("RFC6407-5.6-05", "RFC6407-3.3-10"))
			return bad_packet(c, "RFC6407-5.6-05", p);
	}
	return GK_OK;
}

static void
take_sids(struct gm_change *c)
{
	struct gm_keys *keys = c->keys;

	/* RFC6407-5.6.4.3-05: new ones take the place of the old ones. */
	keys->sid_bits = c->kd->sid_bits;
	keys->n_sids = c->kd->n_sids;
	for (uint16_t i = 0; i < c->kd->n_sids; i++)
		keys->sid[i] = c->kd->sid[i];
}

enum gk_err
gm_apply(struct gm_change *c)
{
	GK_TRY(gm_accept(c->gm, c->group, c->sa, c->pull, &c->why));
	GK_TRY(packets_check(c));
	if (c->pull)
		take_sids(c);
	if (c->sa->has_sak)
		GK_TRY(gm_apply_kek(c));
	else if (c->pull)
		gm_rekey_drop(&c->keys->rekey);
	return gm_teks_add(c);
}

/* ---- Delete ------------------------------------------------------------- */

static enum gk_err
delete_refuse(struct gm_change *c, enum isakmp_notify notify, const char *req,
              const char *field, size_t at)
{
	return gm_change_refuse(c, GK_ERR_VALUE, notify, req, field, at);
}

/* The size of an SPI; or of zero, which is written in three ways: decision
 * delete_zero_spi. */
static enum gk_err
spi_size_check(struct gm_change *c, const struct isakmp_delete *d)
{
	size_t want = d->protocol == GDOI_PROTOCOL_KEK ? GDOI_KEK_SPI_LEN
	                                               : GDOI_TEK_SPI_LEN;
	bool zero = d->count == 1 && (d->spi_size == 1 || d->spi_size == 4) &&
	            gk_slice_is_zero(isakmp_delete_spi(d, 0));

	if (d->spi_size != want && !zero && GK_CHECKED("RFC6407-5.9-05"))
		return delete_refuse(c, ISAKMP_NOTIFY_INVALID_SPI,
		                     "RFC6407-5.9-05", "SPI Size", d->at + 5);
	return GK_OK;
}

static void
delete_kek(struct gm_change *c, struct gk_slice spi)
{
	struct gm_keys *keys = c->keys;
	struct gm_rekey *which[] = { &keys->rekey, &keys->old };

	for (size_t i = 0; i < GK_COUNT(which); i++) {
		if (which[i]->kek == NULL ||
		    (!gk_slice_is_zero(spi) &&
		     memcmp(spi.ptr, which[i]->kek->sak.spi, spi.len) != 0))
			continue;
		if (gk_slice_is_zero(spi) && i == 0 && c->new_kek)
			continue; /* it came with this message */
		c->deleted = true;
		c->kek_gone = c->kek_gone || i == 0;
		gm_rekey_drop(which[i]);
	}
	if (!c->kek_gone)
		return;
	/* Section 3.5, step 6: what was allocated is not used any more. */
	gk_wipe(keys->sid, sizeof(keys->sid));
	keys->n_sids = keys->sid_bits = 0;
	gk_wipe(keys->node, sizeof(keys->node));
	keys->n_nodes = 0;
	keys->awaiting = false;
	keys->path_by = GK_NEVER;
}

enum gk_err
gm_apply_delete(struct gm_change *c, const struct isakmp_delete *d)
{
	/* RFC6407-5.9-04 */
	if (d->doi != ISAKMP_DOI_GDOI && GK_CHECKED("RFC6407-5.9-04"))
		return delete_refuse(c, ISAKMP_NOTIFY_DOI_NOT_SUPPORTED,
		                     "RFC6407-5.9-04", "DOI", d->at);
	if (!isakmp_code_known(ISAKMP_TABLE_PROTOCOL, d->protocol))
		return delete_refuse(c, ISAKMP_NOTIFY_INVALID_PROTOCOL_ID,
		                     "RFC6407-5.9-05", "Protocol-Id",
		                     d->at + 4);
	GK_TRY(spi_size_check(c, d));
	for (uint16_t i = 0; i < d->count; i++) {
		struct gk_slice spi = isakmp_delete_spi(d, i);

		if (d->protocol == GDOI_PROTOCOL_KEK)
			delete_kek(c, spi);
		else /* RFC6407-5.9-08: zero is all of them */
			gm_teks_delete(c, d->protocol,
			               gk_slice_is_zero(spi) ? NULL : &spi);
	}
	return GK_OK;
}
