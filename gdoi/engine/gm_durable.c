/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"

/*
 * What a member must never forget: how far the sequence numbers of its Rekey SAs
 * have come (RFC 6407 sections 3.2, 3.3, 5.7); and a store that says no.
 *
 * A PUSH is obeyed when its number is durable.  When the COMMIT fails the group
 * becomes what it was; the datagram is held and gone through again a little
 * later, and so are those behind it, in the order in which they came.  There is
 * one exception: what a PUSH deletes is gone whatever the store says, and only
 * the row is tried again.
 */
#define AGAIN_MS 1000
#define AGAIN_MAX_MS 30000

const char *
gdoi_gm_table(size_t i)
{
	return i == 0 ? GM_TABLE_SEQUENCE : NULL;
}

uint32_t
gm_known_sequence(const struct gm_group *group,
                  const uint8_t spi[GDOI_KEK_SPI_LEN])
{
	for (size_t i = 0; i < group->n_known; i++)
		if (memcmp(group->known[i].spi, spi, GDOI_KEK_SPI_LEN) == 0)
			return group->known[i].sequence;
	return 0;
}

static void
known_remove(struct gm_group *group, size_t i)
{
	group->n_known--;
	memmove(&group->known[i], &group->known[i + 1],
	        (group->n_known - i) * sizeof(group->known[0]));
}

/* To the front; the oldest one is forgotten, and returned. */
static bool
known_put(struct gm_group *group, const uint8_t spi[GDOI_KEK_SPI_LEN],
          uint32_t sequence, struct gm_known *forgotten)
{
	struct gm_known entry = { .sequence = sequence };
	bool full = false;

	memcpy(entry.spi, spi, sizeof(entry.spi));
	for (size_t i = group->n_known; i-- > 0;)
		if (memcmp(group->known[i].spi, spi, GDOI_KEK_SPI_LEN) == 0)
			known_remove(group, i);
	if (group->n_known == GM_KNOWN_MAX) {
		*forgotten = group->known[--group->n_known];
		full = true;
	}
	memmove(&group->known[1], &group->known[0],
	        group->n_known * sizeof(group->known[0]));
	group->known[0] = entry;
	group->n_known++;
	return full;
}

static struct gk_slice
row_key(const struct gm_known *known)
{
	return (struct gk_slice){ known->spi, GDOI_KEK_SPI_LEN };
}

static enum gk_err
row_put(struct gm_group *group, const struct gm_known *known)
{
	uint8_t row[4];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u32(&wr, known->sequence);
	GK_TRY(gk_wr_done(&wr));
	return gk_journal_put(group->journal, GM_TABLE_SEQUENCE, row_key(known),
	                      (struct gk_slice){ row, sizeof(row) });
}

/* The number of one Rekey SA, when it has moved. */
static enum gk_err
note(struct gm_group *group, const uint8_t spi[GDOI_KEK_SPI_LEN],
     uint32_t sequence)
{
	struct gm_known forgotten;

	for (size_t i = 0; i < group->n_known; i++)
		if (memcmp(group->known[i].spi, spi, GDOI_KEK_SPI_LEN) == 0 &&
		    group->known[i].sequence >= sequence)
			return GK_OK;
	if (known_put(group, spi, sequence, &forgotten))
		GK_TRY(gk_journal_del(group->journal, GM_TABLE_SEQUENCE,
		                      row_key(&forgotten)));
	return row_put(group, &group->known[0]);
}

static void
remember(struct gm_group *group)
{
	struct gm_undo *u = &group->undo;

	*u = (struct gm_undo){ .n_known = group->n_known,
		               .n_acks = group->n_acks,
		               .state = group->state,
		               .wanted = group->wanted,
		               .joined = group->joined,
		               .register_at = group->register_at,
		               .quiet_until = group->quiet_until,
		               .bound_ms = group->bound_ms };
	memcpy(u->known, group->known, sizeof(u->known));
}

static enum gk_err
commit(struct gdoi_gm *gm, struct gm_group *group)
{
	struct gdoi_output *out;

	if (gk_journal_count(group->journal) == 0)
		return GK_OK;
	out = gm_say(gm, group, GDOI_OUT_COMMIT, NULL);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->journal = group->journal;
	return gdoi_outputs_own(&gm->out);
}

enum gk_err
gm_commit(struct gdoi_gm *gm, struct gm_group *group, struct gm_keys *keys,
          const struct gm_known *moved)
{
	const struct gm_rekey *rekey = &keys->rekey;
	enum gk_err err = GK_OK;

	remember(group);
	if (moved != NULL)
		err = note(group, moved->spi, moved->sequence);
	if (err == GK_OK && rekey->kek != NULL)
		err = note(group, rekey->kek->sak.spi, rekey->sequence);
	if (err == GK_OK)
		err = commit(gm, group);
	if (err != GK_OK) {
		memcpy(group->known, group->undo.known, sizeof(group->known));
		group->n_known = group->undo.n_known;
		gk_journal_revert(group->journal);
		gm_keys_free(keys);
		return err;
	}
	gm_early_had(group, keys);
	group->undo.keys = group->keys;
	group->keys = keys;
	return GK_OK;
}

void
gm_replace(struct gm_group *group, struct gm_keys *keys)
{
	gm_early_had(group, keys);
	gm_keys_free(group->keys);
	group->keys = keys;
}

void
gm_undo_drop(struct gm_group *group)
{
	gm_keys_free(group->undo.keys);
	group->undo.keys = NULL;
}

/* ---- held messages ------------------------------------------------------ */

static void
held_remove(struct gm_group *group, size_t i)
{
	gk_buf_free(&group->held[i].dgram);
	group->n_held--;
	memmove(&group->held[i], &group->held[i + 1],
	        (group->n_held - i) * sizeof(group->held[0]));
	group->held[group->n_held] = (struct gm_held){ 0 };
}

void
gm_held_free(struct gm_group *group)
{
	while (group->n_held != 0)
		held_remove(group, 0);
	gk_buf_free(&group->now.dgram);
	group->again_at = GK_NEVER;
}

static bool
held_already(const struct gm_group *group, struct gk_slice dgram)
{
	for (size_t i = 0; i < group->n_held; i++)
		if (gk_slice_equal(gk_buf_slice(&group->held[i].dgram), dgram))
			return true;
	return false;
}

/* Behind a PUSH that waits for the store. */
enum gk_err
gm_hold(struct gm_input *in)
{
	struct gm_group *group = in->group;
	struct gm_held *held = &group->held[group->n_held];

	if (held_already(group, in->dgram) && GK_CHECKED("RFC6407-7.3.4-02"))
		return gm_refuse(in, GK_ERR_REPLAY,
		                 ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                 "RFC6407-7.3.4-02", "SEQ", 0);
	if (group->n_held == GM_HELD_MAX)
		return gm_refuse(in, GK_ERR_SPACE, ISAKMP_NOTIFY_NONE,
		                 "RFC6407-7.2.5-02", "SEQ", 0);
	GK_TRY(gk_buf_copy(&held->dgram, in->dgram));
	held->from = in->from;
	held->to = in->to;
	group->n_held++;
	return GK_OK;
}

/* The one that the store did not take goes to the front. */
static void
hold_now(struct gm_group *group)
{
	if (group->n_held == GM_HELD_MAX)
		held_remove(group, GM_HELD_MAX - 1);
	memmove(&group->held[1], &group->held[0],
	        group->n_held * sizeof(group->held[0]));
	group->held[0] = group->now;
	group->now = (struct gm_held){ 0 };
	group->n_held++;
}

enum gk_err
gm_try_again(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gm_held item;

	if (group->again_at > now.mono_ms)
		return GK_OK;
	group->again_at = GK_NEVER;
	if (group->owed) {
		for (size_t i = 0; i < group->n_known; i++)
			GK_TRY(row_put(group, &group->known[i]));
		return commit(gm, group);
	}
	if (group->n_held == 0)
		return GK_OK;
	item = group->held[0];
	group->held[0].dgram = (struct gk_buf){ 0 };
	held_remove(group, 0);
	group->running = true;
	/* A refusal is an output; it is not this tick that has failed. */
	(void)gdoi_gm_receive(gm, gk_buf_slice(&item.dgram), &item.from,
	                      &item.to, now);
	group->running = false;
	gk_buf_free(&item.dgram);
	if (group->undo.keys == NULL && group->n_held != 0)
		group->again_at =
			now.mono_ms; /* nothing came of it: the next */
	return GK_OK;
}

/* ---- the store has answered --------------------------------------------- */

static void
wait_longer(struct gm_group *group, struct gk_now now)
{
	group->again_ms = group->again_ms == 0 ? AGAIN_MS : 2 * group->again_ms;
	if (group->again_ms > AGAIN_MAX_MS)
		group->again_ms = AGAIN_MAX_MS;
	group->again_at = now.mono_ms + group->again_ms;
}

static void
take_back(struct gm_group *group)
{
	struct gm_undo *u = &group->undo;

	gm_keys_free(group->keys);
	group->keys = u->keys;
	u->keys = NULL;
	memcpy(group->known, u->known, sizeof(group->known));
	group->n_known = u->n_known;
	while (group->n_acks > u->n_acks)
		gk_buf_free(&group->ack[--group->n_acks].dgram);
	group->state = u->state;
	group->wanted = u->wanted;
	group->joined = u->joined;
	group->register_at = u->register_at;
	group->quiet_until = u->quiet_until;
	group->bound_ms = u->bound_ms;
}

void
gdoi_gm_commit_failed(struct gdoi_gm *gm, struct gk_now now)
{
	struct gm_group *group = gm->committing;

	if (group == NULL)
		return;
	gm->committing = NULL;
	gk_journal_revert(group->journal);
	wait_longer(group, now);
	if (group->undo.keys == NULL) {
		group->owed = true;
		return;
	}
	gk_queue_cut(&gm->out.items, NULL);
	take_back(group);
	if (group->pulled)
		(void)!gm_register_failed(
			gm, group, "the store did not take it", NULL, now);
	else
		hold_now(group);
}

/* Nobody said no. */
static void
committed(struct gdoi_gm *gm)
{
	struct gm_group *group = gm->committing;

	gm->committing = NULL;
	gm_undo_drop(group);
	gk_journal_revert(group->journal);
	group->owed = false;
	group->again_ms = 0;
	group->again_at = group->n_held != 0 ? 0 : GK_NEVER;
}

bool
gdoi_gm_poll(struct gdoi_gm *gm, struct gdoi_output *out)
{
	bool more;

	if (gm->committing != NULL)
		committed(gm);
	more = gdoi_outputs_poll(&gm->out, out);
	if (more && out->kind == GDOI_OUT_COMMIT)
		gm->committing = &gm->group[out->group];
	return more;
}

void
gm_begin(struct gdoi_gm *gm)
{
	if (gm->committing != NULL)
		committed(gm);
	for (size_t i = 0; i < gm->n_groups; i++)
		gm_undo_drop(&gm->group[i]);
}

enum gk_err
gdoi_gm_load(struct gdoi_gm *gm, struct gk_slice scope, const char *table,
             struct gk_slice key, struct gk_slice value)
{
	struct gm_known forgotten;
	uint32_t sequence;
	struct gk_rd rd;

	if (strcmp(table, GM_TABLE_SEQUENCE) != 0 ||
	    key.len != GDOI_KEK_SPI_LEN)
		return GK_ERR_VALUE;
	gk_rd_init(&rd, value.ptr, value.len);
	sequence = gk_rd_u32(&rd, "Sequence Number");
	GK_TRY(gk_rd_done(&rd));
	for (size_t i = 0; i < gm->n_groups; i++) {
		if (!gk_slice_equal(gm->group[i].cfg.scope, scope))
			continue;
		(void)known_put(&gm->group[i], key.ptr, sequence, &forgotten);
		return GK_OK;
	}
	return GK_ERR_VALUE;
}
