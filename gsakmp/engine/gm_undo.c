/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/gm_state.h"

/*
 * A member and a store that says no.
 *
 * Before an input changes anything that has to be durable, the engine keeps
 * itself as it was.  When the COMMIT fails, that is what it becomes again; the
 * message is held and gone through once more a little later, and so are the
 * Rekey Events that arrive in the meantime, in the order of their Sequence IDs.
 *
 * There is one exception.  A message that ends the membership takes the keys
 * away whatever the store says, and its COMMIT comes last: what is owed then is
 * the row, and it goes out again until it is stored.
 */
#define WAIT_MAX_MS 30000

/* Every buffer that an input may replace.  A new field that owns memory is
 * added here, or in copy_owned() and free_owned(). */
static const size_t owned[] = {
	offsetof(struct gsakmp_gm, join.nonce_i),
	offsetof(struct gsakmp_gm, join.rtj),
	offsetof(struct gsakmp_gm, join.cookie),
	offsetof(struct gsakmp_gm, given_up_nonce_i),
	offsetof(struct gsakmp_gm, receipt.nonce_i),
	offsetof(struct gsakmp_gm, receipt.ack),
	offsetof(struct gsakmp_gm, departure.nonce_i),
	offsetof(struct gsakmp_gm, departure.rtd),
	offsetof(struct gsakmp_gm, expulsion.nonce_i),
	offsetof(struct gsakmp_gm, expulsion.rtd),
	offsetof(struct gsakmp_gm, expulsion.peer),
	offsetof(struct gsakmp_gm, gcks_id),
	offsetof(struct gsakmp_gm, gcks_key),
	offsetof(struct gsakmp_gm, gcks_issuers),
};

static struct gk_buf *
owned_at(struct gsakmp_gm *gm, size_t i)
{
	return (struct gk_buf *)(void *)((uint8_t *)gm + owned[i]);
}

static void
free_sequence(struct gsakmp_gm_sequence *s)
{
	gk_buf_free(&s->gcks);
	gk_buf_free(&s->signer_id);
}

static enum gk_err
copy_sequence(struct gsakmp_gm_sequence *to,
              const struct gsakmp_gm_sequence *from)
{
	enum gk_err err;

	to->gcks = to->signer_id = (struct gk_buf){ 0 };
	err = gk_buf_copy(&to->gcks, gk_buf_slice(&from->gcks));
	if (err == GK_OK)
		err = gk_buf_copy(&to->signer_id,
		                  gk_buf_slice(&from->signer_id));
	if (err != GK_OK)
		free_sequence(to);
	return err;
}

static void
free_owned(struct gsakmp_gm *gm)
{
	for (size_t i = 0; i < GK_COUNT(owned); i++)
		gk_buf_free(owned_at(gm, i));
	gk_kex_free(gm->join.kex);
	gsakmp_policy_unref(gm->policy);
	gk_cert_free(gm->gcks_cert);
	gk_lkh_member_free(&gm->keks);
	for (size_t i = 0; i < gm->n_sequences; i++)
		free_sequence(&gm->sequence[i]);
}

/* @to has the bits of @from: give it memory of its own. */
static enum gk_err
copy_owned(struct gsakmp_gm *to, struct gsakmp_gm *from)
{
	enum gk_err err = GK_OK;

	for (size_t i = 0; i < GK_COUNT(owned); i++)
		*owned_at(to, i) = (struct gk_buf){ 0 };
	to->join.kex = gk_kex_ref(from->join.kex);
	if (from->policy != NULL)
		to->policy = gsakmp_policy_ref(from->policy);
	if (from->gcks_cert != NULL)
		to->gcks_cert = gk_cert_ref(from->gcks_cert);
	to->keks = (struct gk_lkh_member){ 0 };
	to->n_sequences = 0;
	for (size_t i = 0; err == GK_OK && i < GK_COUNT(owned); i++)
		err = gk_buf_copy(owned_at(to, i),
		                  gk_buf_slice(owned_at(from, i)));
	if (err == GK_OK)
		err = gk_lkh_member_copy(&to->keks, &from->keks);
	for (; err == GK_OK && to->n_sequences < from->n_sequences;
	     to->n_sequences++) {
		size_t i = to->n_sequences;

		err = copy_sequence(&to->sequence[i], &from->sequence[i]);
	}
	return err;
}

/* What is not part of a membership stays as it is now. */
static void
become(struct gsakmp_gm *gm, struct gsakmp_gm *was)
{
	was->journal = gm->journal;
	was->out = gm->out;
	was->again = gm->again;
	was->recovery = gm->recovery;
	was->ahead = gm->ahead;
	was->owed = gm->owed;
	was->owed_at = gm->owed_at;
	was->wait_ms = gm->wait_ms;
	was->committing = gm->committing;
	free_owned(gm);
	*gm = *was;
	gk_wipe(was, sizeof(*was));
	free(was);
}

void
gsakmp_gm_undo_drop(struct gsakmp_gm *gm)
{
	struct gsakmp_gm *was = gm->undo;

	gm->undo = NULL;
	gk_buf_free(&gm->again.now.dgram);
	if (was == NULL)
		return;
	free_owned(was);
	gk_wipe(was, sizeof(*was));
	free(was);
}

enum gk_err
gsakmp_gm_undo_begin(const struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm, *was = malloc(sizeof(*was));
	struct gsakmp_gm_held *now = &gm->again.now;
	enum gk_err err;

	if (was == NULL)
		return GK_ERR_NOMEM;
	memcpy(was, gm, sizeof(*was));
	was->undo = NULL;
	gk_buf_free(&now->dgram);
	err = gk_buf_copy(&now->dgram, in->dgram);
	now->from = *in->from;
	now->exchange = in->msg->header.exchange;
	now->sequence = in->msg->header.sequence;
	now->again = gm->ahead.again;
	if (err == GK_OK)
		err = copy_owned(gm, was);
	else
		memset(&was->again.now, 0, sizeof(was->again.now));
	if (err != GK_OK) {
		become(gm, was);
		return err;
	}
	gm->undo = was;
	return GK_OK;
}

void
gsakmp_gm_undo(struct gsakmp_gm *gm)
{
	struct gsakmp_gm *was = gm->undo;

	if (was == NULL)
		return;
	gk_queue_cut(&gm->out.items, was->out.items.last);
	gk_journal_revert(gm->journal);
	become(gm, was);
}

/* ---- held messages ------------------------------------------------------ */

static void
held_remove(struct gsakmp_gm_again *a, size_t i)
{
	gk_buf_free(&a->held[i].dgram);
	for (a->n--; i < a->n; i++)
		a->held[i] = a->held[i + 1];
	a->held[a->n].dgram = (struct gk_buf){ 0 };
}

/* Whose turn is it first: Key Downloads, then Rekey Events as numbered. */
static bool
before(const struct gsakmp_gm_held *a, const struct gsakmp_gm_held *b)
{
	bool down_a = a->exchange == GSAKMP_EXCHANGE_KEY_DOWNLOAD;
	bool down_b = b->exchange == GSAKMP_EXCHANGE_KEY_DOWNLOAD;

	return down_a != down_b ? down_a : a->sequence < b->sequence;
}

static bool
held_already(const struct gsakmp_gm *gm, uint8_t exchange, uint32_t sequence)
{
	for (size_t i = 0; i < gm->again.n; i++)
		if (gm->again.held[i].exchange == exchange &&
		    gm->again.held[i].sequence == sequence)
			return true;
	return false;
}

/* Takes the octets of @item over. */
static enum gk_err
hold(struct gsakmp_gm *gm, struct gsakmp_gm_held *item)
{
	struct gsakmp_gm_again *a = &gm->again;
	size_t at = 0;

	if (item->exchange == GSAKMP_EXCHANGE_KEY_DOWNLOAD)
		gsakmp_gm_again_clear(gm, GSAKMP_EXCHANGE_KEY_DOWNLOAD);
	if (a->n == GSAKMP_GM_HELD_MAX) {
		gk_buf_free(&item->dgram);
		return GK_ERR_SPACE;
	}
	while (at < a->n && before(&a->held[at], item))
		at++;
	memmove(&a->held[at + 1], &a->held[at],
	        (a->n - at) * sizeof(a->held[0]));
	a->held[at] = *item;
	a->n++;
	item->dgram = (struct gk_buf){ 0 };
	return GK_OK;
}

void
gsakmp_gm_again_clear(struct gsakmp_gm *gm, uint8_t exchange)
{
	for (size_t i = gm->again.n; i-- > 0;)
		if (exchange == 0 || gm->again.held[i].exchange == exchange)
			held_remove(&gm->again, i);
	if (gm->again.n == 0)
		gm->again.at = GK_NEVER;
}

bool
gsakmp_gm_must_wait(const struct gsakmp_gm *gm)
{
	return gm->again.n != 0 && !gm->again.running;
}

enum gk_err
gsakmp_gm_hold(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm_held item = {
		.exchange = in->msg->header.exchange,
		.sequence = in->msg->header.sequence,
		.from = *in->from,
	};

	if (held_already(in->gm, item.exchange, item.sequence) &&
	    GK_CHECKED("RFC4535-7.1.2-09"))
		return gsakmp_in_refuse(
			in, GK_ERR_REPLAY, GSAKMP_NOTIFY_INVALID_SEQUENCE_ID,
			"RFC4535-7.1.2-09", "Sequence ID",
			in->msg->header.at + in->msg->header.size - 8);
	GK_TRY(gk_buf_copy(&item.dgram, in->dgram));
	return hold(in->gm, &item);
}

/* ---- the store has answered --------------------------------------------- */

static void
wait_longer(struct gsakmp_gm *gm)
{
	if (gm->wait_ms == 0)
		gm->wait_ms = gm->cfg.commit_retry_ms;
	else if (gm->wait_ms < WAIT_MAX_MS / 2)
		gm->wait_ms *= 2;
	else
		gm->wait_ms = WAIT_MAX_MS;
}

void
gsakmp_gm_commit_failed(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_held item;
	struct gk_journal *rows = NULL;

	if (!gm->committing)
		return;
	gm->committing = false;
	wait_longer(gm);
	if (gm->undo == NULL) { /* the keys are gone; the row is still owed */
		if (gk_journal_take(gm->journal, &rows) == GK_OK &&
		    rows != NULL) {
			gk_journal_free(gm->owed);
			gm->owed = rows;
		}
		gm->owed_at = now.mono_ms + gm->wait_ms;
		return;
	}
	item = gm->again.now;
	gm->again.now = (struct gsakmp_gm_held){ 0 };
	gk_queue_cut(&gm->out.items, NULL);
	gsakmp_gm_undo(gm);
	(void)hold(gm, &item); /* no room: a missed rekey is made good */
	gm->again.at = now.mono_ms + gm->wait_ms;
}

/* Nobody said no: what was committed is durable. */
static void
committed(struct gsakmp_gm *gm)
{
	gm->committing = false;
	gsakmp_gm_undo_drop(gm);
	gk_journal_free(gm->owed); /* it was part of the journal */
	gm->owed = NULL;
	gm->owed_at = GK_NEVER;
	gm->wait_ms = 0;
	gm->again.at = gm->again.n != 0 ? 0 : GK_NEVER;
}

bool
gsakmp_gm_poll(struct gsakmp_gm *gm, struct gsakmp_output *out)
{
	bool more;

	if (gm->committing)
		committed(gm);
	more = gsakmp_outputs_poll(&gm->out, out);
	gm->committing = more && out->kind == GSAKMP_OUT_COMMIT;
	return more;
}

enum gk_err
gsakmp_gm_begin(struct gsakmp_gm *gm)
{
	if (gm->committing)
		committed(gm);
	gsakmp_gm_undo_drop(gm);
	gk_journal_revert(gm->journal);
	return gm->owed != NULL ? gk_journal_append(gm->journal, gm->owed)
	                        : GK_OK;
}

/* ---- trying again ------------------------------------------------------- */

enum gk_err
gsakmp_gm_try_again(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_held item;

	if (gm->owed_at <= now.mono_ms) {
		gm->owed_at = GK_NEVER;
		return gsakmp_gm_commit(gm);
	}
	if (gm->again.at > now.mono_ms)
		return GK_OK;
	gm->again.at = GK_NEVER;
	if (gm->again.n == 0)
		return GK_OK;
	item = gm->again.held[0];
	gm->again.held[0].dgram = (struct gk_buf){ 0 };
	held_remove(&gm->again, 0);
	gm->again.running = true;
	gm->ahead.again = item.again;
	/* A refusal is an output; it is not this tick that has failed. */
	(void)gsakmp_gm_receive(gm, item.dgram.ptr, item.dgram.len, &item.from,
	                        now);
	gm->again.running = gm->ahead.again = false;
	gk_buf_free(&item.dgram);
	if (gm->undo == NULL && gm->again.n != 0)
		gm->again.at = now.mono_ms; /* it came to nothing: the next */
	return GK_OK;
}

void
gsakmp_gm_undo_free(struct gsakmp_gm *gm)
{
	gsakmp_gm_undo_drop(gm);
	gsakmp_gm_again_clear(gm, 0);
	gk_journal_free(gm->owed);
	gm->owed = NULL;
}
