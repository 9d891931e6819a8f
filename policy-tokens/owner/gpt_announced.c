/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_announced.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/gk_hash.h"
#include "common/wire/gk_rd.h"
#include "common/wire/gk_wr.h"

#define WATCH_MS 60000
#define DAY_MS UINT64_C(86400000)
#define REQ "announcement" /* what refusals are counted under */

#define BEFORE "announcements" /* the scope, before it was the daemon's own */
#define TABLE "announcement"
#define ROW_LEN (8 + 32)

/* ---- which one is it ----------------------------------------------------- */

/* Of what it says; it may be signed anew. */
static enum gk_err
digest_of(const struct gpt_announcement *a, uint8_t digest[GK_HASH_MAX])
{
	struct gk_buf xml = { 0 };
	struct gk_slice octets;
	enum gk_err err = gpt_announcement_write(a, &xml);

	octets = gk_buf_slice(&xml);
	if (err == GK_OK)
		err = gk_hash(GK_HASH_SHA256, &octets, 1, digest);
	gk_buf_free(&xml);
	return err;
}

static void
note(struct gpt_announced *an, const struct gpt_announcement *a,
     const uint8_t digest[32])
{
	an->serial = a->serial;
	an->not_after = a->not_after;
	memcpy(an->digest, digest, sizeof(an->digest));
}

enum gk_err
gpt_announced_fail(const struct gpt_announced *an, struct gkd_why *why,
                   const char *text)
{
	return gkd_config_fail(an->d->config, an->elem, why,
	                       "the new announcement %s", text);
}

enum gkd_exit
gpt_announced_load(struct gpt_announced *an, struct gkd_daemon *d,
                   const char *name, const struct gkd_elem *elem,
                   const struct gpt_announced_ops *ops, void *arg,
                   struct gpt_announcement **out, struct gkd_why *why)
{
	uint8_t digest[GK_HASH_MAX];
	struct gpt_announcement *a = NULL;
	enum gkd_exit rc;

	an->d = d;
	an->name = name;
	an->elem = elem;
	an->ops = ops;
	an->arg = arg;
	if (gkd_elem_ms(d->config, elem, "@watch", 0, DAY_MS, WATCH_MS,
	                &an->watch_ms, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	rc = ops->load(arg, &a, why);
	if (rc != GKD_EXIT_OK)
		return rc;
	if (digest_of(a, digest) != GK_OK) {
		gpt_announcement_free(a);
		snprintf(why->text, sizeof(why->text), "out of memory");
		return GKD_EXIT_FAILURE;
	}
	note(an, a, digest);
	*out = a;
	return GKD_EXIT_OK;
}

/* ---- store --------------------------------------------------------------- */

/* What was accepted last.  GK_ERR_UNEXPECTED: nothing was. */
static enum gk_err
stored(const struct gpt_announced *an, uint64_t *serial, uint8_t digest[32],
       bool *moved)
{
	struct gk_buf row = { 0 };
	struct gk_slice octets;
	struct gk_rd rd;
	enum gk_err err;

	GK_TRY(gk_store_get_own(an->commit->store, BEFORE, TABLE,
	                        gk_buf_slice(&an->key), &row, moved));
	gk_rd_init(&rd, row.ptr, row.len);
	*serial = (uint64_t)gk_rd_u32(&rd, "serial") << 32;
	*serial |= gk_rd_u32(&rd, "serial");
	octets = gk_rd_bytes(&rd, 32, "digest");
	if (octets.len == 32)
		memcpy(digest, octets.ptr, 32);
	err = gk_rd_done(&rd);
	gk_buf_free(&row);
	return err == GK_OK ? GK_OK : GK_ERR_VALUE;
}

static enum gk_err
store(const struct gpt_announced *an, uint64_t serial, const uint8_t digest[32])
{
	uint8_t row[ROW_LEN];
	struct gk_journal *journal;
	struct gk_wr wr;
	enum gk_err err;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u32(&wr, (uint32_t)(serial >> 32));
	gk_wr_u32(&wr, (uint32_t)serial);
	gk_wr_bytes(&wr, (struct gk_slice){ digest, 32 });
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(gk_journal_new(gk_store_own(), &journal));
	err = gk_journal_put(journal, TABLE, gk_buf_slice(&an->key),
	                     (struct gk_slice){ row, sizeof(row) });
	if (err == GK_OK)
		err = gkd_commit_journal(an->commit, journal);
	gk_journal_free(journal);
	return err;
}

/* Somebody has put an old one back; what to do is in the manual. */
static enum gkd_exit
refuse_start(const struct gpt_announced *an, uint64_t serial,
             struct gkd_why *why)
{
	(void)gkd_config_fail(
		an->d->config, an->elem, why,
		"announcement '%s' has serial %" PRIu64 ", and serial %" PRIu64
		"%s was accepted earlier, as store '%s' says: ask the Group "
		"Owner for one with a higher serial; whoever is sure of this "
		"one removes the store",
		gkd_elem_path(an->d->config, an->elem, "@file"), an->serial,
		serial, serial == an->serial ? " with other words" : "",
		an->commit->path);
	return GKD_EXIT_POLICY;
}

static enum gkd_exit
store_fails(const struct gpt_announced *an, struct gkd_why *why,
            const char *reason)
{
	snprintf(why->text, sizeof(why->text),
	         "store '%s': the serial of the announcement: %s",
	         an->commit->path, reason);
	return GKD_EXIT_STORE;
}

enum gkd_exit
gpt_announced_recall(struct gpt_announced *an, struct gkd_commit *commit,
                     struct gk_slice key, struct gkd_why *why)
{
	uint64_t serial = 0;
	uint8_t digest[32] = { 0 };
	bool moved = false;
	enum gk_err err;

	if (an->elem == NULL)
		return GKD_EXIT_OK;
	an->commit = commit;
	if (gk_buf_copy(&an->key, key) != GK_OK)
		return GKD_EXIT_FAILURE;
	err = stored(an, &serial, digest, &moved);
	if (err != GK_OK && err != GK_ERR_UNEXPECTED)
		return store_fails(an, why, gk_strerror(err));
	if (moved && store(an, serial, digest) != GK_OK)
		return store_fails(an, why, gk_store_why(commit->store));
	if (err == GK_OK && an->serial == serial &&
	    memcmp(digest, an->digest, sizeof(digest)) == 0)
		return GKD_EXIT_OK;
	if (err == GK_OK && an->serial <= serial)
		return refuse_start(an, serial, why);
	if (store(an, an->serial, an->digest) == GK_OK)
		return GKD_EXIT_OK;
	return store_fails(an, why, gk_store_why(commit->store));
}

/* ---- another one --------------------------------------------------------- */

static void
say(struct gpt_announced *an, const char *event, const char *reason)
{
	json_t *fields =
		json_pack("{s:o, s:I}", "group", gkd_json_text(an->name),
	                  "serial", (json_int_t)an->serial);

	if (reason != NULL)
		json_object_set_new(fields, "reason", gkd_json_text(reason));
	gkd_events_emit(an->d->events, event, fields);
}

static enum gk_err
refuse_older(const struct gpt_announced *an, uint64_t serial,
             struct gkd_why *why)
{
	char text[120];

	if (serial == an->serial)
		snprintf(text, sizeof(text),
		         "has serial %" PRIu64
		         " and other words: it needs a higher one",
		         serial);
	else
		snprintf(text, sizeof(text),
		         "has serial %" PRIu64
		         ": it is older than the one in use, %" PRIu64,
		         serial, an->serial);
	return gpt_announced_fail(an, why, text);
}

/* In this order: nothing is done before it is durable. */
static enum gk_err
take(struct gpt_announced *an, struct gpt_announcement **a,
     const uint8_t digest[32], struct gkd_why *why)
{
	struct gpt_announcement noted = **a;

	GK_TRY(an->ops->prepare(an->arg, *a, why));
	if (store(an, noted.serial, digest) != GK_OK) {
		an->ops->drop(an->arg);
		return gpt_announced_fail(an, why,
		                          "cannot be remembered: the store "
		                          "does not take its serial");
	}
	if (an->ops->take(an->arg, a) != GK_OK)
		return gpt_announced_fail(an, why, "could not be acted upon");
	note(an, &noted, digest);
	return GK_OK;
}

/* GK_ERR_UNEXPECTED: it is the one that counts. */
static enum gk_err
look(struct gpt_announced *an, struct gkd_why *why)
{
	uint8_t digest[GK_HASH_MAX];
	struct gpt_announcement *a = NULL;
	enum gk_err err = GK_ERR_AUTH;

	if (an->ops->load(an->arg, &a, why) != GKD_EXIT_OK)
		return err;
	err = digest_of(a, digest);
	if (err != GK_OK)
		(void)gpt_announced_fail(an, why, "needs more memory");
	else if (a->serial == an->serial &&
	         memcmp(digest, an->digest, sizeof(an->digest)) == 0)
		err = GK_ERR_UNEXPECTED;
	else if (a->serial <= an->serial)
		err = refuse_older(an, a->serial, why);
	else
		err = take(an, &a, digest, why);
	gpt_announcement_free(a);
	return err;
}

static void
tell_refused(struct gpt_announced *an, const char *reason, bool said)
{
	const struct gkd_refusal refusal = { .group = an->name,
		                             .req = REQ,
		                             .field = "serial",
		                             .reason = reason };

	if (said)
		gkd_reload_fault(an->d, reason);
	if (!said && an->refused && strcmp(an->reason.text, reason) == 0)
		return;
	snprintf(an->reason.text, sizeof(an->reason.text), "%s", reason);
	an->n_refused++;
	gkd_counters_refuse(an->d->counters, &refusal);
	gkd_log(LOG_ERR, "cfg", "%s: %s", an->name, reason);
	say(an, "announcement-refused", reason);
}

bool
gpt_announced_renew(struct gpt_announced *an, bool said)
{
	struct gkd_why why = { "" };
	enum gk_err err;

	if (an->elem == NULL || an->commit == NULL)
		return false;
	err = look(an, &why);
	if (err != GK_OK && err != GK_ERR_UNEXPECTED) {
		tell_refused(an, why.text, said);
		an->refused = true;
		return false;
	}
	an->refused = false;
	if (err == GK_ERR_UNEXPECTED)
		return false;
	gkd_log(LOG_NOTICE, "cfg", "%s: announcement %" PRIu64 " counts",
	        an->name, an->serial);
	say(an, "announcement", NULL);
	return true;
}

/* ---- every now and then --------------------------------------------------- */

static void
on_watch(void *arg)
{
	struct gpt_announced *an = arg;

	an->again(an->arg);
	gkd_timer_set(an->timer, gkd_now().mono_ms + an->watch_ms);
}

enum gk_err
gpt_announced_watch(struct gpt_announced *an, void (*again)(void *arg))
{
	if (an->elem == NULL || an->watch_ms == 0)
		return GK_OK;
	an->again = again;
	an->timer = gkd_timer_new(an->d->loop, on_watch, an);
	if (an->timer == NULL)
		return GK_ERR_NOMEM;
	gkd_timer_set(an->timer, gkd_now().mono_ms + an->watch_ms);
	return GK_OK;
}

/* ---- for people ----------------------------------------------------------- */

json_t *
gpt_announced_json(const struct gpt_announced *an)
{
	json_t *o = json_pack(
		"{s:I, s:o, s:b, s:I}", "serial", (json_int_t)an->serial,
		"not_after", gkd_json_utc(an->not_after), "refused",
		(int)an->refused, "refusals", (json_int_t)an->n_refused);

	if (an->refused)
		json_object_set_new(o, "reason",
		                    gkd_json_text(an->reason.text));
	return o;
}

void
gpt_announced_end(struct gpt_announced *an)
{
	gkd_timer_free(an->timer);
	gk_buf_free(&an->key);
	an->timer = NULL;
	an->elem = NULL;
}
