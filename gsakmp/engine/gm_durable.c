/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/wire/gk_wr.h"
#include "gsakmp/engine/gm_state.h"

/*
 * What a member must never forget: the newest policy token of the group and the
 * last Sequence ID of every GC/KS (RFC 4534 sections 2 and 3.1, RFC 4535 section
 * 7.1.1).
 */
#define ROW_SEEN "seen"
#define SEEN_VERSION 1
#define SEEN_LEN (2 + 8 + 8 + GPT_DIGEST_LEN)

static void
put_i64(struct gk_wr *wr, int64_t v)
{
	gk_wr_u32(wr, (uint32_t)((uint64_t)v >> 32));
	gk_wr_u32(wr, (uint32_t)v);
}

static int64_t
get_i64(struct gk_rd *rd, const char *field)
{
	uint64_t hi = gk_rd_u32(rd, field);

	return (int64_t)(hi << 32 | gk_rd_u32(rd, field));
}

enum gk_err
gsakmp_gm_save_token(struct gsakmp_gm *gm, const struct gpt_seen *seen)
{
	uint8_t row[SEEN_LEN];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u8(&wr, SEEN_VERSION);
	gk_wr_u8(&wr, seen->has_edition);
	put_i64(&wr, seen->edition);
	put_i64(&wr, seen->signing_time);
	gk_wr_bytes(&wr, (struct gk_slice){ seen->digest, GPT_DIGEST_LEN });
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(gk_journal_put(gm->journal, GSAKMP_GM_TABLE_TOKEN,
	                      gk_slice_str(ROW_SEEN),
	                      (struct gk_slice){ row, wr.len }));
	gm->seen = *seen;
	return GK_OK;
}

#define ROW_TIMES "times"

enum gk_err
gsakmp_gm_save_heard(struct gsakmp_gm *gm, const struct gsakmp_gm_heard *heard)
{
	uint8_t row[16];
	struct gk_wr wr;

	if (!gm->cfg.receive_only)
		return GK_OK;
	gk_wr_init(&wr, row, sizeof(row));
	put_i64(&wr, heard->pushed_utc);
	put_i64(&wr, heard->rekey_utc);
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(gk_journal_put(gm->journal, GSAKMP_GM_TABLE_HEARD,
	                      gk_slice_str(ROW_TIMES),
	                      (struct gk_slice){ row, sizeof(row) }));
	gm->heard = *heard;
	return GK_OK;
}

static enum gk_err
load_heard(struct gsakmp_gm *gm, struct gk_slice key, struct gk_slice value)
{
	struct gsakmp_gm_heard heard;
	struct gk_rd rd;

	if (!gk_slice_equal(key, gk_slice_str(ROW_TIMES)))
		return GK_ERR_VALUE;
	gk_rd_init(&rd, value.ptr, value.len);
	heard.pushed_utc = get_i64(&rd, "pushed");
	heard.rekey_utc = get_i64(&rd, "rekey");
	GK_TRY(gk_rd_done(&rd));
	gm->heard = heard;
	return GK_OK;
}

static struct gsakmp_gm_sequence *
find(const struct gsakmp_gm *gm, struct gk_slice gcks)
{
	for (size_t i = 0; i < gm->n_sequences; i++)
		if (gk_slice_equal(gk_buf_slice(&gm->sequence[i].gcks), gcks))
			return (struct gsakmp_gm_sequence *)(uintptr_t)&gm
			        ->sequence[i];
	return NULL;
}

uint32_t
gsakmp_gm_last_sequence(const struct gsakmp_gm *gm, struct gk_slice gcks)
{
	const struct gsakmp_gm_sequence *s = find(gm, gcks);

	return s != NULL ? s->last : 0;
}

static enum gk_err
set_sequence(struct gsakmp_gm *gm, struct gk_slice gcks, uint32_t sequence)
{
	struct gsakmp_gm_sequence *s = find(gm, gcks);

	if (s == NULL) {
		if (gm->n_sequences == GSAKMP_GM_GCKS_MAX)
			return GK_ERR_SPACE;
		s = &gm->sequence[gm->n_sequences];
		GK_TRY(gk_buf_copy(&s->gcks, gcks));
		gm->n_sequences++;
	}
	s->last = sequence;
	return GK_OK;
}

enum gk_err
gsakmp_gm_save_sequence(struct gsakmp_gm *gm, struct gk_slice gcks,
                        uint32_t sequence)
{
	uint8_t row[4];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u32(&wr, sequence);
	GK_TRY(gk_journal_put(gm->journal, GSAKMP_GM_TABLE_SEQUENCE, gcks,
	                      (struct gk_slice){ row, sizeof(row) }));
	GK_TRY(set_sequence(gm, gcks, sequence));
	gm->last_sequence = sequence;
	return GK_OK;
}

enum gk_err
gsakmp_gm_commit(struct gsakmp_gm *gm)
{
	struct gsakmp_output *out;

	if (gk_journal_count(gm->journal) == 0)
		return GK_OK;
	out = gsakmp_outputs_add(&gm->out, GSAKMP_OUT_COMMIT);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gm->cfg.group_id;
	out->journal = gm->journal;
	return gsakmp_outputs_own(&gm->out);
}

static enum gk_err
load_seen(struct gsakmp_gm *gm, struct gk_slice value)
{
	struct gpt_seen seen = { .any = true };
	struct gk_slice digest;
	struct gk_rd rd;

	gk_rd_init(&rd, value.ptr, value.len);
	if (gk_rd_u8(&rd, "version") != SEEN_VERSION)
		gk_rd_fail(&rd, GK_ERR_VALUE, "version");
	seen.has_edition = gk_rd_u8(&rd, "has edition") != 0;
	seen.edition = get_i64(&rd, "edition");
	seen.signing_time = get_i64(&rd, "signing-time");
	digest = gk_rd_bytes(&rd, GPT_DIGEST_LEN, "digest");
	GK_TRY(gk_rd_done(&rd));
	for (size_t i = 0; i < GPT_DIGEST_LEN; i++)
		seen.digest[i] = digest.ptr[i];
	gm->seen = seen;
	return GK_OK;
}

enum gk_err
gsakmp_gm_load(struct gsakmp_gm *gm, const char *table, struct gk_slice key,
               struct gk_slice value)
{
	struct gk_rd rd;
	uint32_t sequence;

	if (gk_slice_equal(gk_slice_str(table),
	                   gk_slice_str(GSAKMP_GM_TABLE_TOKEN)))
		return gk_slice_equal(key, gk_slice_str(ROW_SEEN))
		               ? load_seen(gm, value)
		               : GK_ERR_VALUE;
	if (gk_slice_equal(gk_slice_str(table),
	                   gk_slice_str(GSAKMP_GM_TABLE_HEARD)))
		return load_heard(gm, key, value);
	if (!gk_slice_equal(gk_slice_str(table),
	                    gk_slice_str(GSAKMP_GM_TABLE_SEQUENCE)))
		return GK_ERR_VALUE;
	gk_rd_init(&rd, value.ptr, value.len);
	sequence = gk_rd_u32(&rd, "Sequence ID");
	GK_TRY(gk_rd_done(&rd));
	return set_sequence(gm, key, sequence);
}
