/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_search.h"
#include "policy-tokens/owner/owner.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/xml/gpt_diff.h"
#include "policy-tokens/xml/gpt_policy.h"

/* The group that argument @i names; the only one when there is no argument. */
static struct owner_group *
group_arg(struct owner *o, const json_t *request, size_t i, char why[256])
{
	const char *name = gkd_control_arg(request, i);
	struct owner_group *g = o->groups;

	if (!name) {
		if (g && !g->next)
			return g;
		gkd_no_group(NULL, why);
		return NULL;
	}
	while (g && strcmp(g->name, name) != 0)
		g = g->next;
	if (!g)
		gkd_no_group(name, why);
	return g;
}

static const char *
needed(const json_t *request, size_t i, const char *what, char why[256])
{
	const char *arg = gkd_control_arg(request, i);

	if (!arg)
		(void)snprintf(why, 256, "%s is needed", what);
	return arg;
}

static json_t *
edition_json(const struct owner_group *g)
{
	const struct gpt_seen *seen = &g->now.seen;
	json_t *out = json_pack("{s:s, s:I}", "group", g->name, "edition",
	                        (json_int_t)seen->edition);

	if (!out)
		return NULL;
	json_object_set_new(out, "id", gkd_json_octets(gk_buf_slice(&g->id)));
	json_object_set_new(out, "signing_time",
	                    gkd_json_utc(seen->signing_time));
	json_object_set_new(out, "sha256",
	                    gkd_json_octets((struct gk_slice){
				    seen->digest, GPT_DIGEST_LEN }));
	return out;
}

/* Who asks, and why: for the record. */
static struct owner_change
change_of(const json_t *request, const char *what)
{
	return (struct owner_change){
		.what = what,
		.uid = json_integer_value(
			json_object_get(request, GKD_CONTROL_UID)),
		.operator= json_string_value(
			json_object_get(request, GKD_CONTROL_OPERATOR)),
		.reason = json_string_value(
			json_object_get(request, GKD_CONTROL_MESSAGE)),
	};
}

/* --- what there is ------------------------------------------------------------------------- */

static json_t *
server_json(const struct owner_server *s)
{
	char addr[GKD_ADDR_TEXT];
	json_t *groups = json_array();
	json_t *out =
		json_pack("{s:s, s:o}", "address",
	                  gkd_addr_format(addr, &s->peer), "groups", groups);

	if (!out)
		return NULL;
	json_object_set_new(out, "name", gkd_json_text(s->name));
	for (const struct owner_wish *w = s->wishes; w; w = w->next) {
		bool newest =
			w->holds && memcmp(w->held, w->group->now.seen.digest,
		                           GPT_DIGEST_LEN) == 0;

		json_array_append_new(
			groups, json_pack("{s:s, s:b}", "group", w->group->name,
		                          "acknowledged", newest));
	}
	return out;
}

static json_t *
group_json(struct owner_group *g)
{
	json_t *out = edition_json(g);

	json_object_set_new(out, "taken_by", owner_record_taken(g));
	return out;
}

json_t *
owner_status(struct gkd_daemon *d)
{
	struct owner *o = d->state;
	json_t *groups = json_array(), *servers = json_array();

	for (struct owner_group *g = o->groups; g; g = g->next)
		json_array_append_new(groups, group_json(g));
	for (const struct owner_server *s = o->servers; s; s = s->next)
		if (s->cert)
			json_array_append_new(servers, server_json(s));
	return json_pack("{s:o, s:o}", "groups", groups, "key_servers",
	                 servers);
}

static json_t *
cmd_groups(void *state, const json_t *request, char why[256])
{
	const struct gkd_daemon *d = state;
	const struct owner *o = d->state;
	json_t *out = json_array();

	(void)request;
	(void)why;
	for (const struct owner_group *g = o->groups; g; g = g->next)
		json_array_append_new(out, edition_json(g));
	return out;
}

/* --- editions ----------------------------------------------------------------------------------- */

static json_t *
change(void *state, const json_t *request, bool readmit, char why[256])
{
	struct gkd_daemon *d = state;
	const char *name = needed(request, 0, "a name", why);
	struct owner_group *g =
		name ? group_arg(d->state, request, 1, why) : NULL;
	struct owner_change record;
	char what[300];

	(void)snprintf(what, sizeof(what), "%s %.280s",
	               readmit ? "readmit" : "exclude", name ? name : "");
	record = change_of(request, what);
	if (!g || owner_group_exclude(g, name, readmit, &record, why) != GK_OK)
		return NULL;
	return edition_json(g);
}

static json_t *
cmd_exclude(void *state, const json_t *request, char why[256])
{
	return change(state, request, false, why);
}

static json_t *
cmd_readmit(void *state, const json_t *request, char why[256])
{
	return change(state, request, true, why);
}

static json_t *
cmd_publish(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;
	struct owner *o = d->state;
	const char *file = needed(request, 0, "a policy file", why);
	struct gpt_token *policy = NULL;
	struct gpt_fault fault = { 0 };
	struct gk_buf xml = { 0 };
	struct owner_group *g = NULL;
	struct owner_change record;
	char what[300];
	enum gk_err err;

	if (!file)
		return NULL;
	(void)snprintf(what, sizeof(what), "publish %.280s", file);
	record = change_of(request, what);
	err = gkd_file_read(file, OWNER_FILE_MAX, &xml);
	if (err != GK_OK) {
		(void)snprintf(why, 256, "'%.150s': %s", file,
		               err == GK_ERR_IO ? strerror(errno)
		                                : gk_strerror(err));
		return NULL;
	}
	err = gpt_policy_parse(gk_buf_slice(&xml), &policy, NULL, &fault);
	gk_buf_free(&xml);
	if (err != GK_OK) {
		(void)snprintf(why, 256, "%.80s:%d: %.60s: %.90s", file,
		               fault.line, fault.field, fault.text);
		return NULL;
	}
	g = owner_group_find(o, gk_buf_slice(&policy->group_name));
	if (!g)
		(void)snprintf(why, 256, "the policy is of no group here");
	else if (owner_group_publish(g, policy, &record, why) != GK_OK)
		g = NULL;
	gpt_token_free(policy);
	return g ? edition_json(g) : NULL;
}

/* One edition out of the store, decoded. */
static struct gpt_token *
edition_of(struct owner_group *g, int64_t n, int64_t *signing_time,
           char why[256])
{
	struct gpt_token *token = NULL;
	struct gpt_fault fault = { 0 };
	struct gk_buf cms = { 0 };

	if (owner_group_edition(g, n, &cms) != GK_OK) {
		(void)snprintf(why, 256, "there is no edition %lld",
		               (long long)n);
		return NULL;
	}
	if (gpt_token_peek(gk_buf_slice(&cms), &token, signing_time, &fault) !=
	    GK_OK)
		(void)gpt_fault_format(&fault, why, 256);
	gk_buf_free(&cms);
	return token;
}

static enum gk_err
history_row(void *ctx, const char *table, struct gk_slice key,
            struct gk_slice value)
{
	struct gpt_token *token = NULL;
	int64_t when = 0;
	json_t *row;

	(void)table;
	if (gpt_token_peek(value, &token, &when, NULL) != GK_OK)
		return GK_ERR_VALUE;
	gpt_token_free(token);
	row = json_pack("{s:I, s:I}", "edition",
	                (json_int_t)gpt_edition_of_key(key), "octets",
	                (json_int_t)value.len);
	if (row)
		json_object_set_new(row, "signing_time", gkd_json_utc(when));
	return json_array_append_new(ctx, row) == 0 ? GK_OK : GK_ERR_NOMEM;
}

/* Columns are the same in every row, so that they make a table. */
static void
add_record(struct owner_group *g, json_t *row)
{
	json_int_t n = json_integer_value(json_object_get(row, "edition"));
	json_t *record = owner_record_of(g, n);
	static const char *const columns[] = { "when", "uid", "operator",
		                               "what", "reason" };

	for (size_t i = 0; i < GK_COUNT(columns); i++) {
		json_t *value = json_object_get(record, columns[i]);

		if (value)
			json_object_set(row, columns[i], value);
		else
			json_object_set_new(row, columns[i], json_string(""));
	}
	json_decref(record);
}

static json_t *
cmd_history(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;
	struct owner *o = d->state;
	struct owner_group *g = group_arg(o, request, 0, why);
	json_t *list = json_array();
	const struct gk_store_reader reader = { history_row, list };

	if (g && gk_store_load(o->store, gk_buf_slice(&g->id), "edition",
	                       &reader) != GK_OK) {
		(void)snprintf(why, 256, "store: %.200s",
		               gk_store_why(o->store));
		g = NULL;
	}
	if (!g) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		add_record(g, json_array_get(list, i));
	return list;
}

static json_t *
cmd_answers(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;
	struct owner *o = d->state;
	struct owner_group *g = group_arg(o, request, 0, why);
	json_t *list = g ? owner_record_answers(g) : NULL;

	if (g && !list)
		(void)snprintf(why, 256, "store: %.200s",
		               gk_store_why(o->store));
	return list;
}

static void
diff_line(void *ctx, const struct gpt_diff_line *l)
{
	json_array_append_new(
		ctx, json_pack("{s:s, s:s, s:s%}", "change",
	                       l->added ? "added" : "removed", "in", l->where,
	                       "line", (const char *)l->line.ptr, l->line.len));
}

static json_t *
cmd_diff(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;
	const char *from = needed(request, 0, "an edition", why);
	const char *to =
		from ? needed(request, 1, "another edition", why) : NULL;
	struct owner_group *g =
		to ? group_arg(d->state, request, 2, why) : NULL;
	struct gpt_token *a = NULL, *b = NULL;
	json_t *out = NULL;
	int64_t n[2], when;

	if (!g)
		return NULL;
	if (gpt_number_parse(from, &n[0]) != GK_OK ||
	    gpt_number_parse(to, &n[1]) != GK_OK) {
		(void)snprintf(why, 256, "editions are numbers");
		return NULL;
	}
	a = edition_of(g, n[0], &when, why);
	b = a ? edition_of(g, n[1], &when, why) : NULL;
	if (b) {
		out = json_array();
		if (gpt_diff(a, b, diff_line, out) != GK_OK) {
			(void)snprintf(why, 256, "too large to compare");
			json_decref(out);
			out = NULL;
		}
	}
	gpt_token_free(a);
	gpt_token_free(b);
	return out;
}

static json_t *
cmd_export(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;
	const char *file = needed(request, 0, "a file name", why);
	struct owner_group *g =
		file ? group_arg(d->state, request, 1, why) : NULL;

	if (!g)
		return NULL;
	if (gkd_file_write(file, 0644, gk_buf_slice(&g->now.cms)) != GK_OK) {
		(void)snprintf(why, 256, "'%.150s': %s", file, strerror(errno));
		return NULL;
	}
	return edition_json(g);
}

const struct gkd_command owner_commands[] = {
	{ "groups", NULL, "the groups and their editions", cmd_groups },
	{ "exclude", "NAME [GROUP]",
	  "a new edition that excludes a member by name", cmd_exclude },
	{ "readmit", "NAME [GROUP]", "a new edition without that exclusion",
	  cmd_readmit },
	{ "publish", "FILE", "a new edition from a policy file (XML)",
	  cmd_publish },
	{ "history", "[GROUP]", "all editions: when, who, what and why",
	  cmd_history },
	{ "answers", "[GROUP]", "which key server has taken which edition",
	  cmd_answers },
	{ "diff", "EDITION EDITION [GROUP]",
	  "what changed between two editions", cmd_diff },
	{ "export", "FILE [GROUP]", "write the signed token to a file",
	  cmd_export },
	{ NULL, NULL, NULL, NULL },
};
