/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_hash.h"
#include "policy-tokens/owner/owner.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_lint.h"
#include "policy-tokens/xml/gpt_policy.h"

#define TABLE_HEAD "head"
#define TABLE_EDITION "edition"
#define HEAD_KEY ((struct gk_slice){ (const uint8_t *)"head", 4 })

struct owner_group *
owner_group_find(struct owner *o, struct gk_slice id)
{
	struct owner_group *g = o->groups;

	while (g && !gk_slice_equal(gk_buf_slice(&g->id), id))
		g = g->next;
	return g;
}

void
owner_group_free(struct owner_group *g)
{
	gk_buf_free(&g->id);
	gpt_edition_free(&g->now);
	free(g);
}

/* --- the store ----------------------------------------------------------------------------- */

enum gk_err
owner_group_edition(struct owner_group *g, int64_t n, struct gk_buf *cms)
{
	uint8_t key[GPT_EDITION_KEY_LEN];

	gpt_edition_key(n, key);
	return gk_store_get(g->owner->store, gk_buf_slice(&g->id),
	                    TABLE_EDITION,
	                    (struct gk_slice){ key, sizeof(key) }, cms);
}

/* Edition and head in one transaction: there is never one without the other. */
static enum gk_err
commit(struct owner_group *g, const struct gpt_edition *edition,
       const struct owner_change *change)
{
	uint8_t key[GPT_EDITION_KEY_LEN], row[GPT_EDITION_ROW_LEN];
	struct gk_journal *journal;
	enum gk_err err;

	gpt_edition_key(edition->seen.edition, key);
	gpt_edition_row(&edition->seen, row);
	GK_TRY(gk_journal_new(gk_buf_slice(&g->id), &journal));
	err = gk_journal_put(journal, TABLE_EDITION,
	                     (struct gk_slice){ key, sizeof(key) },
	                     gk_buf_slice(&edition->cms));
	if (err == GK_OK)
		err = gk_journal_put(journal, TABLE_HEAD, HEAD_KEY,
		                     (struct gk_slice){ row, sizeof(row) });
	if (err == GK_OK)
		err = owner_record_change(journal, edition, change);
	if (err == GK_OK)
		err = gk_store_apply(g->owner->store, journal);
	gk_journal_free(journal);
	return err;
}

/* The edition in force.  The digest says that it is what was stored; who signed
 * it does not matter here, the Group Owner may have a new certificate since. */
static enum gk_err
restore(struct owner_group *g, struct gpt_seen *head, struct gpt_fault *why)
{
	uint8_t digest[GK_HASH_MAX];
	struct gpt_edition made = { .seen = *head };
	struct gk_slice cms;
	int64_t signing_time;
	enum gk_err err = owner_group_edition(g, head->edition, &made.cms);

	if (err != GK_OK)
		return gpt_fault_set(why, GK_ERR_VALUE, NULL, "store",
		                     "edition %lld is missing",
		                     (long long)head->edition);
	cms = gk_buf_slice(&made.cms);
	err = gk_hash(GK_HASH_SHA256, &cms, 1, digest);
	if (err == GK_OK && memcmp(digest, head->digest, GPT_DIGEST_LEN) != 0)
		err = gpt_fault_set(why, GK_ERR_VALUE, NULL, "store",
		                    "edition %lld is not what was stored",
		                    (long long)head->edition);
	if (err == GK_OK)
		err = gpt_token_peek(cms, &made.token, &signing_time, why);
	if (err != GK_OK) {
		gpt_edition_free(&made);
		return err;
	}
	g->now = made;
	return GK_OK;
}

/* --- policies --------------------------------------------------------------------------------- */

static void
event(struct owner_group *g, const char *name,
      const struct owner_change *change)
{
	json_t *fields = json_pack("{s:s, s:I}", "group", g->name, "edition",
	                           (json_int_t)g->now.seen.edition);

	if (fields)
		json_object_set_new(fields, "signing_time",
		                    gkd_json_utc(g->now.seen.signing_time));
	if (fields && change) {
		json_object_set_new(fields, "what",
		                    gkd_json_text(change->what));
		if (change->reason)
			json_object_set_new(fields, "reason",
			                    gkd_json_text(change->reason));
	}
	gkd_events_emit(g->owner->d->events, name, fields);
}

static void
write_file(struct owner_group *g)
{
	if (!g->deliver_to)
		return;
	if (gkd_file_write(g->deliver_to, 0644, gk_buf_slice(&g->now.cms)) !=
	    GK_OK)
		gkd_log(LOG_ERR, "io", "group %s: '%s': %s", g->name,
		        g->deliver_to, strerror(errno));
}

enum gk_err
owner_group_publish(struct owner_group *g, const struct gpt_token *policy,
                    const struct owner_change *change, char why[256])
{
	struct owner *o = g->owner;
	struct gpt_findings found;
	struct gpt_edition made;
	struct gpt_fault fault = { 0 };
	enum gk_err err;

	if (!gk_slice_equal(gk_buf_slice(&policy->group_name),
	                    gk_buf_slice(&g->id))) {
		(void)snprintf(why, 256, "the policy of another group");
		return GK_ERR_POLICY;
	}
	GK_TRY(gpt_lint(policy, &found));
	for (size_t i = found.n; i-- > 0;)
		if (found.at[i].level == GPT_LINT_ERROR)
			(void)snprintf(why, 256, "%.60s: %.180s",
			               found.at[i].path, found.at[i].text);
	err = found.errors > 0 ? GK_ERR_POLICY : GK_OK;
	gpt_findings_free(&found);
	GK_TRY(err);

	err = gpt_edition_make(policy, &g->now.seen, gkd_now().utc_s, o->signer,
	                       &o->cert, &made, &fault);
	if (err != GK_OK) {
		(void)gpt_fault_format(&fault, why, 256);
		return err;
	}
	err = commit(g, &made, change);
	if (err != GK_OK) {
		(void)snprintf(why, 256, "%.200s", gk_store_why(o->store));
		gpt_edition_free(&made);
		return err;
	}
	gpt_edition_free(&g->now);
	g->now = made;
	gkd_log(LOG_NOTICE, "fsm", "group %s: edition %lld", g->name,
	        (long long)g->now.seen.edition);
	event(g, "edition", change);
	write_file(g);
	owner_deliver(g);
	return GK_OK;
}

/* Does @rule, a pattern, let in whoever @name is or stands for? */
static bool
concerns(const struct gpt_pair *rule, struct gk_identity name)
{
	struct gk_identity in = gpt_id_view(&rule->entity);

	return gk_identity_match(in, name, GK_DN_COMPARE_RFC4514) ||
	       gk_identity_equal(in, name, GK_DN_COMPARE_RFC4514);
}

/* For every authority under which a rule admits the name: one exclusion. */
static enum gk_err
exclude_by(struct gpt_token *token, const struct gpt_pairs *rules,
           struct gk_identity name, bool readmit, size_t *changed)
{
	for (size_t i = 0; i < rules->n; i++) {
		struct gpt_pair who = { 0 };
		size_t n = 0;
		enum gk_err err;

		if (!concerns(&rules->at[i], name))
			continue;
		err = gpt_pair_set(&who, gpt_id_type(name.kind), name.octets,
		                   gk_buf_slice(&rules->at[i].ca));
		if (err == GK_OK)
			err = readmit ? gpt_access_readmit(token, &who, &n)
			              : gpt_access_exclude(token, &who, &n);
		gk_buf_free(&who.entity.data);
		gk_buf_free(&who.ca);
		GK_TRY(err);
		*changed += n;
	}
	return GK_OK;
}

static enum gk_err
exclude(struct gpt_token *token, struct gk_identity name, bool readmit,
        size_t *changed)
{
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_register *reg = token->registration[i].reg.reg;

		for (size_t k = 0; reg && k < reg->n_access; k++)
			GK_TRY(exclude_by(token, &reg->access[k].rules, name,
			                  readmit, changed));
	}
	return GK_OK;
}

/* "fqdn:host.example" says of which kind the name is; without, it is a DN. */
static const char *
name_split(const char *name, enum gk_id_kind *kind)
{
	const char *colon = strchr(name, ':');
	enum gk_id_kind named;
	char text[16];

	if (!colon)
		return name;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(colon - name), name);
	named = gk_id_kind_from_name(text);
	if (named == GK_ID_NONE)
		return name;
	*kind = named;
	return colon + 1;
}

enum gk_err
owner_group_exclude(struct owner_group *g, const char *name, bool readmit,
                    const struct owner_change *change, char why[256])
{
	struct gk_identity id = { GK_ID_DN_STRING, { 0 } };
	struct gk_buf octets = { 0 };
	struct gpt_token *token = NULL;
	size_t changed = 0;
	enum gk_err err;

	name = name_split(name, &id.kind);
	if (gk_identity_parse(id.kind, gk_slice_str(name), &octets) != GK_OK) {
		(void)snprintf(why, 256, "'%.100s' is not a name of type %s",
		               name, gk_id_kind_name(id.kind));
		return GK_ERR_VALUE;
	}
	id.octets = gk_buf_slice(&octets);
	err = gpt_token_copy(g->now.token, &token);
	if (err == GK_OK)
		err = exclude(token, id, readmit, &changed);
	if (err == GK_OK && changed == 0) {
		(void)snprintf(why, 256, "%s",
		               readmit ? "no such exclusion"
		                       : "no rule admits that name, or it is "
		                         "excluded already");
		err = GK_ERR_VALUE;
	}
	if (err == GK_OK) {
		/* The edition is counted, not taken over. */
		token->has_edition = false;
		err = owner_group_publish(g, token, change, why);
	}
	gpt_token_free(token);
	gk_buf_free(&octets);
	return err;
}

enum gkd_exit
owner_group_open(struct owner_group *g, struct gkd_why *why)
{
	struct owner *o = g->owner;
	struct gk_buf row = { 0 }, xml = { 0 };
	struct gpt_token *policy = NULL;
	struct gpt_fault fault = { 0 };
	struct gpt_seen head;
	const struct owner_change first = { .what = "first edition",
		                            .uid = -1 };
	char text[512] = "";
	enum gk_err err = gk_store_get(o->store, gk_buf_slice(&g->id),
	                               TABLE_HEAD, HEAD_KEY, &row);

	if (err == GK_OK) {
		err = gpt_edition_row_read(gk_buf_slice(&row), &head);
		if (err == GK_OK)
			err = restore(g, &head, &fault);
		gk_buf_free(&row);
		if (err == GK_OK) {
			gkd_log(LOG_NOTICE, "fsm",
			        "group %s: edition %lld from the store",
			        g->name, (long long)g->now.seen.edition);
			event(g, "restored", NULL);
			write_file(g);
			return GKD_EXIT_OK;
		}
		(void)snprintf(why->text, sizeof(why->text),
		               "store: group '%s': %s", g->name,
		               gpt_fault_format(&fault, text, sizeof(text)));
		return GKD_EXIT_STORE;
	}
	if (err != GK_ERR_UNEXPECTED) {
		(void)snprintf(why->text, sizeof(why->text), "store: %s",
		               gk_store_why(o->store));
		return GKD_EXIT_STORE;
	}

	err = gkd_file_read(g->policy_file, OWNER_FILE_MAX, &xml);
	if (err == GK_OK)
		err = gpt_policy_parse(gk_buf_slice(&xml), &policy, NULL,
		                       &fault);
	gk_buf_free(&xml);
	if (err == GK_OK)
		err = owner_group_publish(g, policy, &first, text);
	else
		(void)gpt_fault_format(&fault, text, sizeof(text));
	gpt_token_free(policy);
	if (err == GK_OK)
		return GKD_EXIT_OK;
	(void)snprintf(why->text, sizeof(why->text),
	               "group '%s': first edition: %s", g->name, text);
	return err == GK_ERR_IO ? GKD_EXIT_STORE : GKD_EXIT_CONFIG;
}
