/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_time.h"
#include "gsakmp/engine/gm_rekey.h"

/*
 * Rekey Events that are ahead of the Key Download.
 *
 * A Key Download that is slow on its way may be overtaken by the Rekey Event that
 * follows it, or by the end of the group.  Nobody can verify such a message before
 * the Key Download says who may send it, and what it is encrypted in; RFC 4535 has
 * nothing to say about it (section 5.2.1 knows no Rekey Event, section 5.3.1.1 no
 * candidate).  So it is put aside as it is, and goes through everything that
 * sections 5.3.1.1 and 7.5.2 ask for when the Key Download has been acknowledged.
 *
 * Whoever registers again has keys, and reads what comes with them: nobody knows
 * whether an answer will come.  But the answer may be of before, and would take
 * back what was read; or what was read had no key for us.  So of each that is
 * authentic a copy is kept, too, and gone through once more.  Its Sequence ID is
 * known by then and cannot tell whether it is old; keys and dates can (7.5.2).
 *
 * What is put aside may come from anybody: there is room for a few, and the
 * oldest go.  They go through in the order of their Sequence IDs, each with a
 * call of its own, as there is one COMMIT that may fail; what arrives meanwhile
 * stands behind them.
 */

/* Its first ones, which are on their way, or pushed some time. */
static bool
awaits_keys(const struct gsakmp_gm *gm)
{
	return gm->state == GSAKMP_GM_JOINING;
}

/* Only so many: a flood is not to keep a member from what is due to it now. */
static bool
stands_behind(const struct gsakmp_gm *gm)
{
	const struct gsakmp_gm_ahead *a = &gm->ahead;

	return a->n != 0 && a->n < GSAKMP_GM_HELD_MAX &&
	       a->behind < GSAKMP_GM_HELD_MAX && gm->join.kex == NULL &&
	       !gm->again.running && gsakmp_gm_may(gm, GSAKMP_GM_EV_MANAGEMENT);
}

bool
gsakmp_gm_is_ahead(const struct gsakmp_gm_input *in)
{
	const struct gsakmp_gm *gm = in->gm;
	struct gsakmp_header header;
	struct gk_rd rd;

	if (in->arrival != GSAKMP_ARRIVAL_LIVE ||
	    !(awaits_keys(gm) || stands_behind(gm)))
		return false;
	gk_rd_init(&rd, in->dgram.ptr, in->dgram.len);
	return gsakmp_header_decode(&rd, &header) == GK_OK &&
	       header.exchange == GSAKMP_EXCHANGE_REKEY_EVENT &&
	       gsakmp_groupid_equal(header.groupid, gsakmp_gm_groupid(gm)) &&
	       in->dgram.len <= gm->cfg.max_message;
}

static void
take_out(struct gsakmp_gm_ahead *a, size_t i, struct gsakmp_gm_held *item)
{
	*item = a->item[i];
	a->octets -= item->dgram.len;
	a->n--;
	memmove(&a->item[i], &a->item[i + 1], (a->n - i) * sizeof(*item));
	a->item[a->n].dgram = (struct gk_buf){ 0 };
}

static void
drop_oldest(struct gsakmp_gm_ahead *a)
{
	struct gsakmp_gm_held item;

	take_out(a, 0, &item);
	gk_buf_free(&item.dgram);
	a->dropped++;
}

static bool
have(const struct gsakmp_gm_ahead *a, struct gk_slice dgram)
{
	for (size_t i = 0; i < a->n; i++)
		if (gk_slice_equal(gk_buf_slice(&a->item[i].dgram), dgram))
			return true;
	return false;
}

static enum gk_err
keep(struct gsakmp_gm_input *in, bool again)
{
	struct gsakmp_gm_ahead *a = &in->gm->ahead;
	struct gsakmp_gm_held item = {
		.exchange = GSAKMP_EXCHANGE_REKEY_EVENT,
		.again = again,
		.from = *in->from,
	};
	struct gsakmp_header header;
	struct gk_rd rd;

	gk_rd_init(&rd, in->dgram.ptr, in->dgram.len);
	GK_TRY(gsakmp_header_decode(&rd, &header));
	item.sequence = header.sequence;
	if (in->dgram.len > GSAKMP_GM_AHEAD_OCTETS || have(a, in->dgram))
		return GK_OK;
	GK_TRY(gk_buf_copy(&item.dgram, in->dgram));
	while (a->n == GSAKMP_GM_HELD_MAX ||
	       a->octets + item.dgram.len > GSAKMP_GM_AHEAD_OCTETS)
		drop_oldest(a);
	a->item[a->n++] = item;
	a->octets += item.dgram.len;
	a->kept++;
	a->behind = again || awaits_keys(in->gm) ? 0 : a->behind + 1;
	return GK_OK;
}

enum gk_err
gsakmp_gm_put_aside(struct gsakmp_gm_input *in)
{
	return keep(in, false);
}

enum gk_err
gsakmp_gm_keep_copy(struct gsakmp_gm_input *in)
{
	if (in->arrival != GSAKMP_ARRIVAL_LIVE ||
	    in->gm->state != GSAKMP_GM_REJOINING || in->gm->join.kex == NULL)
		return GK_OK;
	return keep(in, true);
}

void
gsakmp_gm_ahead_clear(struct gsakmp_gm *gm)
{
	while (gm->ahead.n > 0)
		drop_oldest(&gm->ahead);
}

/* ---- their turn ---------------------------------------------------------- */

bool
gsakmp_gm_ahead_due(const struct gsakmp_gm *gm)
{
	return gm->ahead.n != 0 && gm->join.kex == NULL &&
	       !gsakmp_gm_must_wait(gm) &&
	       gsakmp_gm_may(gm, GSAKMP_GM_EV_MANAGEMENT);
}

/* A refusal is an output; it is not this tick that has failed. */
void
gsakmp_gm_ahead_step(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_ahead *a = &gm->ahead;
	struct gsakmp_gm_held item;
	size_t first = 0;

	for (size_t i = 1; i < a->n; i++)
		if (a->item[i].sequence < a->item[first].sequence)
			first = i;
	take_out(a, first, &item);
	a->again = item.again;
	(void)gsakmp_gm_receive_one(gm, gk_buf_slice(&item.dgram), &item.from,
	                            now, GSAKMP_ARRIVAL_AHEAD);
	a->again = false;
	gk_buf_free(&item.dgram);
	gsakmp_gm_recovery_look(gm, now);
}

/* The last event of before the Key Download made the key that it brought. */
bool
gsakmp_gm_covered(const struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;
	const struct gk_slice stamp = { r->in->msg->rekey_event[0].stamp,
		                        GK_ZULU_LEN };
	int64_t utc;

	if (r->in->arrival != GSAKMP_ARRIVAL_AHEAD || r->opened != 0 ||
	    r->policy != NULL || gk_zulu_parse(stamp, &utc) != GK_OK ||
	    utc > gm->gtpk[0].created)
		return false;
	gm->ahead.old++;
	return true;
}

bool
gsakmp_gm_was_ahead(struct gsakmp_gm_input *in, enum gk_err err)
{
	if (in->arrival != GSAKMP_ARRIVAL_AHEAD || err != GK_ERR_REPLAY)
		return false;
	in->gm->ahead.old++;
	return true;
}
