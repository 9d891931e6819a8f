/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/identity/gk_identity.h"
#include "common/wire/gk_wr.h"
#include "policy-tokens/owner/owner.h"

/*
 * What is remembered beside the editions: who made each of them and why, and
 * which key server has taken which.  Rows of the store, in the scope of the
 * group:
 *
 *   change   edition (8)          JSON: when, what, uid, operator, reason
 *   digest   SHA-256 of a token   edition (8)
 *   answer   edition (8) | name   Version | Taken | UTC (8) | Text
 */
#define ANSWER_VERSION 1
#define ANSWER_HEAD (1 + 1 + 8)

/* --- who, when and why --------------------------------------------------------------------- */

enum gk_err
owner_record_change(struct gk_journal *journal, const struct gpt_edition *made,
                    const struct owner_change *change)
{
	uint8_t key[GPT_EDITION_KEY_LEN];
	json_t *o = json_object();
	enum gk_err err = GK_ERR_NOMEM;
	char *text;

	gpt_edition_key(made->seen.edition, key);
	json_object_set_new(o, "when", gkd_json_utc(gkd_now().utc_s));
	json_object_set_new(o, "what", gkd_json_text(change->what));
	if (change->uid >= 0)
		json_object_set_new(o, "uid", json_integer(change->uid));
	if (change->operator!= NULL)
		json_object_set_new(o, "operator",
		                    gkd_json_text(change->operator));
	if (change->reason != NULL)
		json_object_set_new(o, "reason", gkd_json_text(change->reason));
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text != NULL)
		err = gk_journal_put(journal, OWNER_TABLE_CHANGE,
		                     (struct gk_slice){ key, sizeof(key) },
		                     gk_slice_str(text));
	free(text);
	if (err == GK_OK)
		err = gk_journal_put(
			journal, OWNER_TABLE_DIGEST,
			(struct gk_slice){ made->seen.digest, GPT_DIGEST_LEN },
			(struct gk_slice){ key, sizeof(key) });
	return err;
}

json_t *
owner_record_of(struct owner_group *g, int64_t edition)
{
	uint8_t key[GPT_EDITION_KEY_LEN];
	struct gk_buf row = { 0 };
	json_t *o = NULL;

	gpt_edition_key(edition, key);
	if (gk_store_get(g->owner->store, gk_buf_slice(&g->id),
	                 OWNER_TABLE_CHANGE,
	                 (struct gk_slice){ key, sizeof(key) }, &row) == GK_OK)
		o = json_loadb((const char *)row.ptr, row.len, 0, NULL);
	gk_buf_free(&row);
	/* Made before this was written down. */
	return json_is_object(o) ? o : (json_decref(o), json_object());
}

/* --- who has taken it ------------------------------------------------------------------------ */

/* The edition that a digest is of; false when it is none of this group's. */
static bool
edition_of(struct owner_group *g, const uint8_t digest[GPT_DIGEST_LEN],
           int64_t *edition)
{
	struct gk_buf row = { 0 };
	bool found = false;

	if (memcmp(digest, g->now.seen.digest, GPT_DIGEST_LEN) == 0) {
		*edition = g->now.seen.edition;
		return true;
	}
	if (gk_store_get(g->owner->store, gk_buf_slice(&g->id),
	                 OWNER_TABLE_DIGEST,
	                 (struct gk_slice){ digest, GPT_DIGEST_LEN },
	                 &row) == GK_OK &&
	    row.len == GPT_EDITION_KEY_LEN) {
		*edition = gpt_edition_of_key(gk_buf_slice(&row));
		found = true;
	}
	gk_buf_free(&row);
	return found;
}

static enum gk_err
answer_key(int64_t edition, const char *name, struct gk_buf *key)
{
	uint8_t number[GPT_EDITION_KEY_LEN];

	gpt_edition_key(edition, number);
	GK_TRY(gk_buf_copy(key, (struct gk_slice){ number, sizeof(number) }));
	return gk_buf_append(key, gk_slice_str(name));
}

static enum gk_err
answer_row(bool taken, const char *text, struct gk_buf *row)
{
	int64_t utc = gkd_now().utc_s;
	uint8_t head[ANSWER_HEAD];
	struct gk_wr wr;

	gk_wr_init(&wr, head, sizeof(head));
	gk_wr_u8(&wr, ANSWER_VERSION);
	gk_wr_u8(&wr, taken);
	gk_wr_u32(&wr, (uint32_t)((uint64_t)utc >> 32));
	gk_wr_u32(&wr, (uint32_t)utc);
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(gk_buf_copy(row, (struct gk_slice){ head, wr.len }));
	return gk_buf_append(row, gk_slice_str(text));
}

/* The first answer of its kind counts: a key server that connects again says
 * again what it holds. */
static bool
known(struct owner_group *g, struct gk_slice key, bool taken)
{
	struct gk_buf row = { 0 };
	bool same = gk_store_get(g->owner->store, gk_buf_slice(&g->id),
	                         OWNER_TABLE_ANSWER, key, &row) == GK_OK &&
	            row.len >= ANSWER_HEAD && row.ptr[1] == taken;

	gk_buf_free(&row);
	return same;
}

void
owner_record_answer(struct owner_group *g, const char *name,
                    const uint8_t digest[GPT_DIGEST_LEN], bool taken,
                    const char *text)
{
	struct gk_buf key = { 0 }, row = { 0 };
	int64_t edition;
	enum gk_err err;

	if (!edition_of(g, digest, &edition))
		return;
	err = answer_key(edition, name, &key);
	if (err == GK_OK && known(g, gk_buf_slice(&key), taken)) {
		gk_buf_free(&key);
		return;
	}
	if (err == GK_OK)
		err = answer_row(taken, text, &row);
	if (err == GK_OK)
		err = gk_store_put(g->owner->store, gk_buf_slice(&g->id),
		                   OWNER_TABLE_ANSWER, gk_buf_slice(&key),
		                   gk_buf_slice(&row));
	/* What was delivered stays delivered; it is only not written down. */
	if (err != GK_OK)
		gkd_log(LOG_ERR, "io", "group %s: an answer of %s is lost: %s",
		        g->name, name,
		        err == GK_ERR_IO ? gk_store_why(g->owner->store)
		                         : gk_strerror(err));
	gk_buf_free(&key);
	gk_buf_free(&row);
}

static enum gk_err
answer_json(void *ctx, const char *table, struct gk_slice key,
            struct gk_slice value)
{
	char name[200], text[300];
	struct gk_rd rd;
	uint64_t utc;
	uint8_t taken;
	json_t *o;

	(void)table;
	gk_rd_init(&rd, value.ptr, value.len);
	if (gk_rd_u8(&rd, "Version") != ANSWER_VERSION ||
	    key.len < GPT_EDITION_KEY_LEN)
		return GK_ERR_VALUE;
	taken = gk_rd_u8(&rd, "Taken");
	utc = (uint64_t)gk_rd_u32(&rd, "UTC") << 32;
	utc |= gk_rd_u32(&rd, "UTC");
	if (rd.fault.err != GK_OK)
		return GK_ERR_VALUE;
	o = json_pack("{s:I, s:s}", "edition",
	              (json_int_t)gpt_edition_of_key((struct gk_slice){
			      key.ptr, GPT_EDITION_KEY_LEN }),
	              "answer", taken ? "taken" : "refused");
	key.ptr += GPT_EDITION_KEY_LEN;
	key.len -= GPT_EDITION_KEY_LEN;
	value.ptr += ANSWER_HEAD;
	value.len -= ANSWER_HEAD;
	json_object_set_new(
		o, "key_server",
		gkd_json_text(gk_text_print(name, sizeof(name), key)));
	json_object_set_new(o, "when", gkd_json_utc((int64_t)utc));
	json_object_set_new(
		o, "reason",
		gkd_json_text(gk_text_print(text, sizeof(text), value)));
	return json_array_append_new(ctx, o) == 0 ? GK_OK : GK_ERR_NOMEM;
}

json_t *
owner_record_answers(struct owner_group *g)
{
	json_t *list = json_array();
	const struct gk_store_reader reader = { answer_json, list };

	if (gk_store_load(g->owner->store, gk_buf_slice(&g->id),
	                  OWNER_TABLE_ANSWER, &reader) == GK_OK)
		return list;
	json_decref(list);
	return NULL;
}

/* The newest edition that each key server has taken, as of the store. */
json_t *
owner_record_taken(struct owner_group *g)
{
	json_t *all = owner_record_answers(g), *out = json_object();

	/* In the order of editions: later rows replace earlier ones. */
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *row = json_array_get(all, i);
		const char *name =
			json_string_value(json_object_get(row, "key_server"));
		const char *how =
			json_string_value(json_object_get(row, "answer"));

		if (name != NULL && how != NULL && strcmp(how, "taken") == 0)
			json_object_set(out, name,
			                json_object_get(row, "edition"));
	}
	json_decref(all);
	return out;
}
