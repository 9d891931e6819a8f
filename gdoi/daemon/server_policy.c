/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon/gkd_check.h"
#include "gdoi/daemon/server.h"
#include "gdoi/engine/policy.h"
#include "policy-tokens/token/gpt_lint.h"
#include "policy-tokens/xml/gpt_policy.h"

#define LOCAL_EDITION (-1)

static bool
is_local(const struct gdoid_group *g)
{
	return g->policy_file != NULL;
}

/* ---- octets to a policy --------------------------------------------------- */

/* What a policy says that cannot be meant stops it, as it stops msec-token. */
static enum gk_err
lint(const struct gdoid_group *g, const struct gpt_token *token,
     const struct gpt_lines *lines, char why[256])
{
	struct gpt_findings found = { 0 };
	enum gk_err err = gpt_lint(token, &found);

	for (size_t i = 0; i < found.n && err == GK_OK; i++) {
		const struct gpt_finding *f = &found.at[i];
		int line = gpt_lines_find(lines, f->path);

		if (f->level == GPT_LINT_ERROR) {
			snprintf(why, 256, "line %d: %.200s", line, f->text);
			err = GK_ERR_POLICY;
		} else {
			gkd_log(LOG_WARNING, "cfg",
			        "policy of group '%s', line %d: %s", g->name,
			        line, f->text);
		}
	}
	gpt_findings_free(&found);
	return err;
}

static enum gk_err
read_local(const struct gdoid_group *g, struct gk_slice xml,
           struct gpt_token **token, char why[256])
{
	struct gpt_lines lines = { 0 };
	struct gpt_fault fault = { 0 };
	enum gk_err err = gpt_policy_parse(xml, token, &lines, &fault);

	if (err != GK_OK) {
		gpt_fault_format(&fault, why, 256);
		return err;
	}
	err = lint(g, *token, &lines, why);
	gpt_lines_free(&lines);
	if (err != GK_OK)
		gpt_token_free(*token);
	return err;
}

struct gpt_owner
gdoid_policy_owner(const struct gdoid_group *g)
{
	const struct gdoid_phase1 *p = g->server->phase1;
	const struct gpt_owner_config *c = g->owner;

	return (struct gpt_owner){
		.id = c->cert.n == 0 ? &c->id : NULL,
		.cert = c->cert.n != 0 ? c->cert.cert[0] : NULL,
		.trust = c->trust != NULL ? c->trust : p->trust,
		.allow_sha1 = p->ike.legacy_ok,
		.group_name = gk_buf_slice(&g->token_group),
	};
}

/* @restored: it comes from our own store. */
static enum gk_err
read_token(const struct gdoid_group *g, struct gk_slice cms, bool restored,
           struct gpt_token **token, struct gpt_seen *seen, char why[256])
{
	const struct gpt_owner owner = gdoid_policy_owner(g);
	struct gpt_verified v = { 0 };
	struct gpt_fault fault = { 0 };
	enum gk_err err;

	err = restored ? gpt_token_restore(cms, &v, &fault)
	               : gpt_token_verify(cms, &owner, &g->seen,
	                                  gkd_now().utc_s, &v, &fault);
	if (err != GK_OK) {
		gpt_fault_format(&fault, why, 256);
		return err;
	}
	*token = v.token;
	*seen = v.seen;
	v.token = NULL;
	gpt_verified_free(&v);
	return GK_OK;
}

/* Can anybody register?  A policy that demands more than we propose is in force
 * all the same: the one before it demanded less. */
static bool
check_phase1(const struct gdoid_group *g, const struct gdoi_policy *policy,
             char why[256])
{
	const struct ike_config *ike = &g->server->phase1->ike;

	for (size_t i = 0; i < ike->n_suites; i++)
		if (gdoi_policy_phase1(policy, &ike->suite[i], false) ||
		    (ike->aggressive &&
		     gdoi_policy_phase1(policy, &ike->suite[i], true)))
			return true;
	snprintf(why, 256,
	         "what it lists as <phase1> and what <phase1> of the "
	         "configuration proposes have nothing in common: nobody "
	         "can register");
	return false;
}

/* LKH IDs have 16 bits.  Whoever asks for more members than a tree has leaves is
 * told so now, and not by the first one that is turned away. */
static bool
check_room(const struct gdoid_group *g, const struct gdoi_policy *policy,
           char why[256])
{
	uint32_t room = gdoi_group_room(policy);
	bool ours = g->cfg.members_max > room;

	if (!ours && policy->members_max <= room)
		return true;
	snprintf(why, 256,
	         "%s is %u, and its key tree, whose LKH IDs have 16 bits, has "
	         "room for %u members with degree %u; who comes beyond that "
	         "is told that the group is full",
	         ours ? "'members-max' of <rekey>" : "<members> of the policy",
	         ours ? g->cfg.members_max : policy->members_max, room,
	         policy->rekey.lkh_degree == 0 ? 2U : policy->rekey.lkh_degree);
	return false;
}

/* What is longer goes out in fragments, which not every network lets through. */
static bool
check_size(const struct gdoid_group *g, const struct gdoi_policy *policy,
           char why[256])
{
	size_t max, least = gdoi_group_push_least(&g->cfg, policy, &max);

	if (least <= max)
		return true;
	snprintf(
		why, 256,
		"'message-max' of <rekey> is %zu, and a GROUPKEY-PUSH with one "
		"update array, which cannot be divided, has up to %zu octets "
		"in a group of so many members; such ones are longer",
		max, least);
	return false;
}

/* Who we are: members judge us by the same rule. */
struct self {
	struct gdoi_peer peer[GDOID_CREDENTIALS_MAX];
	struct gk_path path[GDOID_CREDENTIALS_MAX];
	size_t n;
};

static void
self_free(struct self *self)
{
	for (size_t i = 0; i < self->n; i++)
		gk_path_free(&self->path[i]);
}

static enum gk_err
self_find(const struct gdoid_phase1 *p, struct self *self, char why[256])
{
	const char *fault = NULL;

	*self = (struct self){ .n = 0 };
	if (p->ike.n_credentials == 0)
		self->peer[self->n++].id = &p->ike.id;
	for (size_t i = 0; i < p->ike.n_credentials; i++) {
		struct gk_cert_fault found = { 0 };
		struct gk_path *path = &self->path[self->n];
		struct gdoi_peer *me = &self->peer[self->n];

		if (gk_trust_verify(p->trust, p->credential[i].certs.cert[0],
		                    NULL, gkd_now().utc_s, 0, path,
		                    &found) != GK_OK) {
			fault = found.text;
			continue;
		}
		me->id = &p->ike.id;
		me->certs = (const struct gk_cert *const *)path->cert;
		me->n_certs = path->n;
		self->n++;
	}
	if (self->n != 0)
		return GK_OK;
	snprintf(why, 256, "%.100s cannot be its key server: %.120s", p->name,
	         fault);
	return GK_ERR_POLICY;
}

/* Where the policy leaves the source of PUSHes out, it is our own address. */
static enum gk_err
set_source(const struct gdoid_group *g, struct gdoi_policy *policy)
{
	const struct gdoid_server *s = g->server;

	for (unsigned i = 0; i < s->n_listen; i++) {
		enum gk_err err;

		if (s->listen[i].any || s->listen[i].natt)
			continue;
		err = gdoi_policy_set_source(
			policy, gkd_addr_octets(&s->listen[i].addr));
		if (err != GK_ERR_VALUE) /* of the other family */
			return err;
	}
	return GK_OK;
}

static enum gk_err
make(const struct gdoid_group *g, struct gpt_token *token, int64_t edition,
     struct gdoi_policy **policy, char why[256])
{
	const struct gdoid_phase1 *p = g->server->phase1;
	struct self self;
	struct gdoi_policy_able able = {
		.legacy_ok = p->ike.legacy_ok,
		.dialect = &g->dialect,
		.ike = &p->ike,
		.group = &g->cfg,
		.self = self.peer,
	};
	enum gk_err err = self_find(p, &self, why);

	able.n_self = self.n;
	if (err == GK_OK)
		err = gdoi_policy_new(token, edition, &able, policy, why);
	self_free(&self);
	return err;
}

static enum gk_err
build(const struct gdoid_group *g, struct gk_slice octets, bool restored,
      struct gdoi_policy **policy, struct gpt_seen *seen, char why[256])
{
	struct gpt_token *token = NULL;
	enum gk_err err;

	*seen = (struct gpt_seen){ 0 };
	if (is_local(g))
		err = read_local(g, octets, &token, why);
	else
		err = read_token(g, octets, restored, &token, seen, why);
	if (err != GK_OK)
		return err;
	err = make(g, token,
	           is_local(g)         ? LOCAL_EDITION
	           : seen->has_edition ? seen->edition
	                               : 0,
	           policy, why);
	if (err != GK_OK) {
		gpt_token_free(token);
		return err;
	}
	err = set_source(g, *policy);
	if (err != GK_OK)
		gdoi_policy_free(*policy);
	return err;
}

static void
say_why(enum gk_err err, const struct isakmp_reject *reject, char why[256])
{
	char reason[GKD_CAUSE_TEXT];

	snprintf(why, 256, "%.180s (%s)",
	         gdoid_report_reason(reason, reject, gk_strerror(err)),
	         reject->req != NULL ? reject->req : "-");
}

/* What the group engine would say of it: algorithms, and whether the signer's key
 * is one for them. */
static enum gk_err
check_run(const struct gdoid_group *g, const struct gdoi_policy *policy,
          char why[256])
{
	struct isakmp_reject reject = { 0 };
	enum gk_err err = gdoi_group_policy_check(&g->cfg, policy, &reject);

	if (err != GK_OK)
		say_why(err, &reject, why);
	return err;
}

/* ---- a policy comes into force -------------------------------------------- */

static enum gk_err
put_in_force(struct gdoid_group *g, struct gk_slice octets, bool restored,
             char why[256])
{
	struct gkd_daemon *d = g->server->d;
	struct isakmp_reject reject = { 0 };
	struct gdoi_policy *policy;
	struct gpt_seen seen;
	char passed_over[256];
	enum gk_err err;

	err = build(g, octets, restored, &policy, &seen, why);
	if (err == GK_OK) {
		memcpy(passed_over, policy->passed_over, sizeof(passed_over));
		if (!check_phase1(g, policy, why))
			gkd_log(LOG_WARNING, "cfg", "policy of group '%s': %s",
			        g->name, why);
		if (!check_room(g, policy, why))
			gkd_log(LOG_WARNING, "cfg", "policy of group '%s': %s",
			        g->name, why);
		if (!check_size(g, policy, why))
			gkd_log(LOG_WARNING, "cfg", "policy of group '%s': %s",
			        g->name, why);
		err = gdoi_group_set_policy(g->group, policy, gkd_now(),
		                            &reject);
		if (err != GK_OK)
			say_why(err, &reject, why);
	}
	if (err != GK_OK) {
		gdoid_report_refusal(
			d, g->name,
			is_local(g) ? "local policy" : "Group Owner", err,
			&reject, reject.field == NULL ? why : "");
		gdoid_group_drain(g);
		return err;
	}
	gdoid_group_drain(g);
	/* Acknowledged is what is on the disk. */
	if (g->server->commit.failed ||
	    (!restored && gdoid_store_put_policy(g, octets) != GK_OK)) {
		snprintf(why, 256, "the key server's store failed");
		return GK_ERR_IO;
	}
	g->seen = seen;
	memcpy(g->passed_over, passed_over, sizeof(g->passed_over));
	if (passed_over[0] != '\0')
		gkd_log(LOG_NOTICE, "cfg",
		        "policy of group '%s': in force is what stands below "
		        "%s",
		        g->name, passed_over);
	if (!restored)
		gdoid_lapse_judge(g);
	return GK_OK;
}

static enum gk_err
on_octets(void *arg, struct gk_slice octets, char why[256])
{
	struct gdoid_group *g = arg;

	return put_in_force(g, octets, false, why);
}

static void
on_failed(void *arg, const char *why)
{
	const struct gdoid_group *g = arg;

	gkd_log(LOG_ERR, "cfg", "policy of group '%s': %s", g->name, why);
	gkd_events_emit(g->server->d->events, "policy-refused",
	                json_pack("{s:s, s:o}", "group", g->name, "reason",
	                          gkd_json_text(why)));
}

static void
on_owner(void *arg, bool up, const char *text)
{
	const struct gdoid_group *g = arg;

	gkd_report_owner(g->server->d, g->name, up, text);
}

enum gk_err
gdoid_policy_read(struct gdoid_group *g, bool force, struct gkd_why *why)
{
	char text[GPT_SOURCE_WHY];
	enum gk_err err = gpt_source_read(g->source, force, text);

	if (err != GK_OK)
		snprintf(why->text, sizeof(why->text),
		         "policy of group '%s': %.900s", g->name, text);
	return err;
}

/* ---- opening and closing -------------------------------------------------- */

/* What is put in place later is none of our business, and a Group Owner is not
 * called. */
static bool
has_file(const struct gdoid_group *g, const struct gkd_elem *e)
{
	if (is_local(g))
		return true;
	if (g->token.file == NULL)
		return false;
	if (access(g->token.file, F_OK) == 0 || errno != ENOENT)
		return true;
	gkd_check_warn(g->server->d->config, e,
	               "'@file': file '%s' is not there yet: until it is, "
	               "nobody can register",
	               g->token.file);
	return false;
}

enum gkd_exit
gdoid_policy_check(struct gdoid_group *g, struct gkd_why *why)
{
	struct gkd_config *config = g->server->d->config;
	const struct gkd_elem *e =
		gkd_elem_child(g->elem, is_local(g) ? "policy" : "token");
	struct gdoi_policy *policy;
	struct gpt_seen seen;
	struct gk_buf octets;
	char text[256] = "out of memory";
	enum gk_err err;

	if (!has_file(g, e))
		return GKD_EXIT_OK;
	if (gkd_elem_file(config, e, "@file", GDOID_TOKEN_MAX, &octets, why) !=
	    GK_OK)
		return GKD_EXIT_CONFIG;
	err = build(g, gk_buf_slice(&octets), false, &policy, &seen, text);
	gk_buf_free(&octets);
	if (err == GK_OK) {
		if (!check_phase1(g, policy, text) ||
		    !check_room(g, policy, text))
			err = GK_ERR_POLICY;
		else
			err = check_run(g, policy, text);
		if (err == GK_OK && !check_size(g, policy, text))
			gkd_check_warn(config, e, "'@file': %s", text);
		if (err == GK_OK && policy->passed_over[0] != '\0')
			gkd_check_warn(config, e,
			               "'@file': in force is what stands "
			               "below %s",
			               policy->passed_over);
		gdoi_policy_free(policy);
	}
	if (err == GK_OK)
		return GKD_EXIT_OK;
	gkd_config_fail(config, e, why, "'@file': file '%s': %s",
	                is_local(g) ? g->policy_file : g->token.file, text);
	return GKD_EXIT_POLICY;
}

/* What was in force before the restart; the members have its keys. */
static void
restore(struct gdoid_group *g)
{
	struct gdoi_group_status st;
	struct gk_buf octets;
	char why[256] = "";

	if (gdoid_store_get_policy(g, &octets) != GK_OK)
		return;
	if (put_in_force(g, gk_buf_slice(&octets), true, why) != GK_OK)
		gkd_log(LOG_ERR, "cfg",
		        "group %s: its policy of before the restart is not "
		        "taken again: %s",
		        g->name, why);
	gk_buf_free(&octets);
	gdoi_group_status(g->group, &st);
	if (st.open)
		gkd_log(LOG_NOTICE, "fsm", "group %s goes on: %zu members",
		        g->name, st.n_members);
}

static enum gkd_exit
subscribe(struct gdoid_group *g, const struct gpt_source_ops *ops,
          struct gkd_why *why)
{
	const struct gpt_owner o = gdoid_policy_owner(g);
	struct gk_identity anybody = { 0 };
	struct gkd_why text = { "out of memory" };

	if (gpt_place_subscribe(&g->source, g->server->d->loop,
	                        g->server->d->config, &g->token,
	                        o.id != NULL ? *o.id : anybody, o.cert, o.trust,
	                        o.group_name, ops, &text) == GK_OK)
		return GKD_EXIT_OK;
	snprintf(why->text, sizeof(why->text),
	         "subscription of group '%s': %.900s", g->name, text.text);
	return GKD_EXIT_CONFIG;
}

enum gkd_exit
gdoid_policy_open(struct gdoid_group *g, struct gkd_why *why)
{
	const struct gpt_source_ops ops = { on_octets, on_failed, on_owner, g };
	const char *file = is_local(g) ? g->policy_file : g->token.file;
	struct gdoi_group_status st;
	enum gk_err err;

	if (file != NULL &&
	    gpt_source_file(&g->source, g->server->d->loop, file,
	                    GDOID_TOKEN_MAX, &ops) != GK_OK)
		return GKD_EXIT_FAILURE;
	gdoi_group_status(g->group, &st);
	if (!st.open && !st.destroyed)
		restore(g);
	gdoi_group_status(g->group, &st);
	if (st.destroyed) {
		gkd_log(LOG_WARNING, "fsm", "group %s is destroyed", g->name);
		return GKD_EXIT_OK;
	}
	/* After a restart, and after a reload. */
	gdoid_lapse_judge(g);
	if (file == NULL)
		return subscribe(g, &ops, why);
	err = gdoid_policy_read(g, true, why);
	/* Members are served by what is in force; a bad or missing file must
	 * not end that. */
	if (err != GK_OK && !st.open)
		return err == GK_ERR_IO ? GKD_EXIT_CONFIG : GKD_EXIT_POLICY;
	if (err != GK_OK)
		on_failed(g, why->text);
	gpt_source_watch(g->source);
	return GKD_EXIT_OK;
}

void
gdoid_policy_close(struct gdoid_group *g)
{
	gpt_source_free(g->source);
	g->source = NULL;
}
