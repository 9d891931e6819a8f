/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_lint_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_groupid.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/token/gpt_suite.h"

void
gpt_lint_add(struct gpt_linting *l, enum gpt_lint_level level, const char *code,
             const char *rest, const char *fmt, ...)
{
	struct gpt_finding *f;
	va_list ap;

	if (l->err != GK_OK)
		return;
	f = realloc(l->out->at, (l->out->n + 1) * sizeof(*f));
	if (!f) {
		l->err = GK_ERR_NOMEM;
		return;
	}
	l->out->at = f;
	f += l->out->n++;
	l->out->errors += level == GPT_LINT_ERROR;
	*f = (struct gpt_finding){ .level = level, .code = code };
	(void)snprintf(f->path, sizeof(f->path), "%s%.30s", l->base, rest);
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

/* --- small checks ------------------------------------------------------------------ */

static void
weak(struct gpt_linting *l, const char *rest, enum gpt_registry registry,
     int64_t value, const char *code, const char *what)
{
	if (gpt_name_is_weak(registry, value))
		WARN(l, code, rest, "%s %s is legal and no longer strong", what,
		     gpt_name_of(registry, value));
	else if (!gpt_name_of(registry, value))
		WARN(l, "unknown-code-point", rest,
		     "%s %lld is in no registry that this version knows", what,
		     (long long)value);
}

static void
interval(struct gpt_linting *l, const char *rest, struct gpt_lifedate date,
         const char *what)
{
	if (date.kind != GPT_LIFEDATE_INTERVAL)
		WARN(l, "date-as-interval", rest,
		     "%s is a date; an interval is meant", what);
	else if (date.value < 0)
		ERROR(l, "negative-interval", rest, "%s is negative", what);
	else if (date.value == 0)
		WARN(l, "zero-interval", rest, "%s is zero", what);
}

static void
entities(struct gpt_linting *l, const char *rest, const struct gpt_pairs *list,
         const char *what, bool phase1)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct gpt_pair *p = &list->at[i];
		struct gk_identity id = gpt_id_view(&p->entity);
		char name[100];

		if (id.kind == GK_ID_NONE) {
			WARN(l, "unknown-identity-type", rest,
			     "%s: identification type %lld is reserved; the "
			     "rule matches nobody",
			     what, (long long)p->entity.type);
			continue;
		}
		(void)gk_identity_print(name, sizeof(name), id);
		if (gk_identity_check_pattern(id) != GK_OK)
			ERROR(l, "bad-identity", rest,
			      "%s: %s is not a name of its type", what, name);
		else if (id.kind == GK_ID_KEY_ID && (!phase1 || p->ca.len != 0))
			WARN(l, "unbindable-identity", rest,
			     "%s: no certificate can prove %s", what, name);
		if (p->ca.len == 0 && !phase1)
			WARN(l, "no-authority", rest,
			     "%s: %s names no certification authority; nobody "
			     "can satisfy it",
			     what, name);
	}
}

static bool
has_any(const struct gpt_pairs *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (gk_identity_is_any(gpt_id_view(&list->at[i].entity)))
			return true;
	return false;
}

/* --- registration ---------------------------------------------------------------------- */

/* An exclusion that no rule of its entry would let in does nothing, or not
 * what its author thought: the names differ in spelling. */
static void
exclusions(struct gpt_linting *l, const char *rest,
           const struct gpt_access_control *entry)
{
	for (size_t i = 0; i < entry->exclusions.n; i++) {
		const struct gpt_pair *out = &entry->exclusions.at[i];
		struct gk_identity id = gpt_id_view(&out->entity);
		bool met = false;
		char name[100];

		for (size_t k = 0; k < entry->rules.n && !met; k++) {
			const struct gpt_pair *in = &entry->rules.at[k];

			met = gk_slice_equal(gk_buf_slice(&in->ca),
			                     gk_buf_slice(&out->ca)) &&
			      (gk_identity_has_wildcard(id) ||
			       gk_identity_match(gpt_id_view(&in->entity), id,
			                         GK_DN_COMPARE_RFC4514));
		}
		if (!met)
			WARN(l, "idle-exclusion", rest,
			     "exclusion of %s: no rule of the entry admits it",
			     gk_identity_print(name, sizeof(name), id));
	}
}

static void
access(struct gpt_linting *l, const struct gpt_register *reg, bool phase1)
{
	char rest[48];

	if (reg->n_access == 0)
		ERROR(l, "nobody-admitted", "",
		      "there is no access-control: nobody can become a member");
	for (size_t i = 0; i < reg->n_access; i++) {
		const struct gpt_access_control *a = &reg->access[i];

		(void)snprintf(rest, sizeof(rest), ".access[%zu]", i);
		if (a->rules.n == 0)
			ERROR(l, "empty-access-rule", rest,
			      "the entry has no rule: it admits nobody");
		if (has_any(&a->rules))
			WARN(l, "admits-everyone", rest,
			     phase1 ? "a rule admits everybody that phase 1 "
			              "authenticates under its authority, if it "
			              "names one"
			            : "a rule admits everybody that its "
			              "certification authority certifies");
		if (a->has_permissions && a->n_permissions == 0)
			WARN(l, "empty-permissions", rest,
			     "a list of permissions with nothing in it");
		if (a->n_permissions > 0)
			WARN(l, "permissions", rest,
			     "permissions come from attribute certificates; "
			     "every key server needs to know who may issue "
			     "them");
		entities(l, rest, &a->rules, "rule", phase1);
		entities(l, rest, &a->exclusions, "exclusion", phase1);
		exclusions(l, rest, a);
	}
}

static void
join_mechanism(struct gpt_linting *l, const char *rest,
               const struct gpt_join_mechanism *m)
{
	struct gpt_mechanisms set = m->alacarte;

	if (m->suite && gpt_suite_expand(m->suite, &set) != GK_OK) {
		WARN(l, "unknown-suite", rest,
		     "a suite that this version does not know");
		return;
	}
	weak(l, rest, GPT_REGISTRY_SIGNATURE, set.sig_algorithm,
	     "weak-signature", "signature");
	weak(l, rest, GPT_REGISTRY_HASH, set.hash_algorithm, "weak-hash",
	     "hash");
	weak(l, rest, GPT_REGISTRY_KEX, set.key_exchange, "weak-key-exchange",
	     "key exchange");
	weak(l, rest, GPT_REGISTRY_KEY, set.key_wrap, "weak-key-wrap",
	     "key wrap");
	if (m->suite)
		return;
	interval(l, rest, set.timeout, "timeout");
	if (!set.terse)
		WARN(l, "verbose", rest,
		     "Verbose Mode answers whoever asks, and so helps whoever "
		     "probes or floods");
	if (set.timestamp)
		WARN(l, "timestamp", rest,
		     "freshness by time needs every clock right to minutes, "
		     "and admits replays within that time");
}

static void
mechanisms(struct gpt_linting *l, const struct gpt_register *reg)
{
	char rest[48];
	bool suites = false, verbose = false;

	if (reg->n_mechanisms == 0)
		ERROR(l, "no-mechanisms", ".mechanisms",
		      "there is no set of mechanisms: nobody can register");
	for (size_t i = 0; i < reg->n_mechanisms; i++) {
		const struct gpt_join_mechanism *m = &reg->mechanisms[i];

		(void)snprintf(rest, sizeof(rest), ".mechanisms[%zu]", i);
		suites |= m->suite != NULL;
		verbose |= !m->suite && !m->alacarte.terse;
		join_mechanism(l, rest, m);
	}
	if (suites && verbose)
		ERROR(l, "mode-contradiction", ".mechanisms",
		      "a suite means Terse Mode, a set beside it says Verbose: "
		      "the group can be in one mode only");
}

void
gpt_lint_membership(struct gpt_linting *l, const struct gpt_register *reg,
                    bool phase1)
{
	if (reg->gcks.n == 0)
		ERROR(l, "no-key-server", ".gcks",
		      "nobody may be the key server");
	entities(l, ".gcks", &reg->gcks, "key server", phase1);
	if (has_any(&reg->gcks))
		WARN(l, "any-key-server", ".gcks",
		     "anybody that the authority certifies may be the key "
		     "server");
	if (reg->has_sub_gcks && reg->n_sub_gcks == 0)
		WARN(l, "empty-sub-gcks", ".sub_gcks",
		     "a list of subordinates with nobody in it");
	for (size_t i = 0; i < reg->n_sub_gcks; i++)
		entities(l, ".sub_gcks", &reg->sub_gcks[i], "subordinate",
		         phase1);
	if (reg->senders_limited && reg->senders.n == 0)
		WARN(l, "nobody-sends", ".senders", "nobody may send data");
	entities(l, ".senders", &reg->senders, "sender", phase1);
	access(l, reg, phase1);
}

static void
registration(struct gpt_linting *l, const struct gpt_register *reg,
             const struct gpt_rekey *rekey)
{
	gpt_lint_membership(l, reg, false);
	if (reg->n_sub_gcks > 0 && rekey && rekey->scheme == GPT_SCHEME_NONE)
		ERROR(l, "sub-gcks-contradiction", ".sub_gcks",
		      "subordinates are authorised, but the rekey policy has "
		      "no scheme for them");
	if (reg->n_sub_gcks == 0 && rekey &&
	    rekey->scheme == GPT_SCHEME_AUTONOMOUS)
		ERROR(l, "sub-gcks-contradiction", "",
		      "the rekey policy has autonomous subordinates, but "
		      "nobody may be one");
	mechanisms(l, reg);
}

static void
deregistration(struct gpt_linting *l, const struct gpt_deregister *dereg)
{
	char rest[48];

	if (dereg->n_mechanisms == 0)
		ERROR(l, "no-leave-mechanism", "",
		      "there is no mechanism to leave with");
	for (size_t i = 0; i < dereg->n_mechanisms; i++) {
		const struct gpt_leave_mechanism *m = &dereg->mechanisms[i];

		(void)snprintf(rest, sizeof(rest), ".leave[%zu]", i);
		weak(l, rest, GPT_REGISTRY_SIGNATURE, m->sig_algorithm,
		     "weak-signature", "signature");
		weak(l, rest, GPT_REGISTRY_HASH, m->hash_algorithm, "weak-hash",
		     "hash");
		if (m->ca.len == 0)
			WARN(l, "no-authority", rest,
			     "no trust point: nobody can leave this way");
	}
	if (!dereg->terse)
		WARN(l, "verbose", "", "Verbose Mode answers whoever asks");
}

/* --- rekey ------------------------------------------------------------------------------ */

static void
rekey_times(struct gpt_linting *l, const struct gpt_rekey *r)
{
	bool by_time = r->event == GPT_REKEY_EVENT_TIME ||
	               r->event == GPT_REKEY_EVENT_TIME_AND_COUNT;
	bool by_count = r->event == GPT_REKEY_EVENT_COUNT ||
	                r->event == GPT_REKEY_EVENT_TIME_AND_COUNT;

	interval(l, "", r->interval, "the rekey interval");
	if (by_time)
		interval(l, ".event", r->event_time, "the time between rekeys");
	if (by_count && r->event_count < 0)
		ERROR(l, "negative-count", ".event", "the count is negative");
	else if (by_count && r->event_count == 0)
		WARN(l, "zero-count", ".event", "a rekey after no event");
	if (by_time && r->event_time.kind == GPT_LIFEDATE_INTERVAL &&
	    r->interval.kind == GPT_LIFEDATE_INTERVAL &&
	    r->interval.value > 0 && r->interval.value < r->event_time.value)
		ERROR(l, "interval-contradiction", ".event",
		      "rekeys may be further apart than the interval after "
		      "which members give up");
	if (r->event == GPT_REKEY_EVENT_COUNT)
		WARN(l, "rekey-only-by-count", ".event",
		     "a quiet group is never rekeyed, and its members take it "
		     "for lost after the rekey interval");
}

static void
rekeying(struct gpt_linting *l, const struct gpt_rekey *r)
{
	if (r->authorization.n == 0) {
		if (r->method == GPT_METHOD_NONE)
			WARN(l, "no-rekey-authority", ".authorization",
			     "nobody may sign Rekey Events");
		else
			ERROR(l, "no-rekey-authority", ".authorization",
			      "a rekey method, but nobody may sign Rekey "
			      "Events");
	}
	entities(l, ".authorization", &r->authorization, "rekey authority",
	         false);
	weak(l, "", GPT_REGISTRY_SIGNATURE, r->sig_algorithm, "weak-signature",
	     "signature");
	weak(l, "", GPT_REGISTRY_HASH, r->hash_algorithm, "weak-hash", "hash");
	rekey_times(l, r);

	if (r->method == GPT_METHOD_NONE) {
		WARN(l, "no-exclusion-possible", ".method",
		     "without a rekey method nobody can be excluded from a "
		     "running group");
		if (r->event != GPT_REKEY_EVENT_NONE)
			ERROR(l, "event-contradiction", ".event",
			      "rekeys are due, but there is no method for "
			      "them");
	} else if (r->event == GPT_REKEY_EVENT_NONE) {
		WARN(l, "never-rekeyed", ".event",
		     "keys are never renewed but on eviction");
	}
	if (r->method == GPT_METHOD_LKH)
		weak(l, ".method", GPT_REGISTRY_KEY, r->lkh_key_type,
		     "weak-key-wrap", "key type");
	if (r->method == GPT_METHOD_UNKNOWN)
		WARN(l, "unknown-method", ".method",
		     "a rekey method that this version does not know");

	if (r->reliability == GPT_RELIABILITY_RESEND && r->resend < 0)
		ERROR(l, "negative-resend", ".reliability",
		      "a message cannot be resent %lld times",
		      (long long)r->resend);
	if (r->reliability == GPT_RELIABILITY_RESEND && r->resend == 0)
		WARN(l, "resend-zero", ".reliability",
		     "resend 0 times is no reliability at all");
	if (r->reliability == GPT_RELIABILITY_RESEND && r->resend > 20)
		WARN(l, "resend-many", ".reliability",
		     "every Rekey Event goes out %lld times more",
		     (long long)r->resend);
	if (r->reliability == GPT_RELIABILITY_POST &&
	    (r->post == NULL || strncasecmp(r->post, "http://", 7) != 0))
		WARN(l, "post-not-http", ".reliability",
		     "members of this suite fetch posted messages from http "
		     "URLs only");
	if (r->scheme == GPT_SCHEME_AUTONOMOUS) {
		entities(l, ".scheme", &r->auth_subs, "subordinate", false);
		if (r->auth_subs.n == 0)
			ERROR(l, "sub-gcks-contradiction", ".scheme",
			      "autonomous subordinates, and nobody is one");
	}
}

/* --- data and token -------------------------------------------------------------------------- */

static void
key_id(struct gpt_linting *l, bool present, const struct gpt_key_info *info)
{
	if (present && info->key_id.len != 4)
		WARN(l, "key-id-length", "",
		     "a Key ID of %zu octets; GSAKMP's have four",
		     info->key_id.len);
}

/* RFC 4534 C.1: keyExpirationDate. */
static void
key_end(struct gpt_linting *l, const struct gpt_rekey *r,
        const struct gpt_data *d)
{
	bool ends =
		(d->has_authentication && d->authentication.has_expiration) ||
		(d->has_encryption && d->encryption.has_expiration);

	if (ends && (r == NULL || r->method == GPT_METHOD_NONE ||
	             r->event == GPT_REKEY_EVENT_NONE))
		WARN(l, "key-ends", "",
		     "the key expires and nothing in this policy renews it: "
		     "the group ends with it");
}

static void
data(struct gpt_linting *l, const struct gpt_token *token,
     const struct gpt_data *d)
{
	key_id(l, d->has_authentication, &d->authentication);
	key_id(l, d->has_encryption, &d->encryption);
	key_end(l, gpt_token_rekey(token, NULL), d);
	if (!d->has_encryption && !d->has_authentication)
		WARN(l, "no-data-key", "", "no key protects the data");
	else if (!d->has_encryption)
		WARN(l, "no-encryption", "", "the data is not encrypted");
}

static void
one_registration(struct gpt_linting *l, const struct gpt_token *token, size_t i)
{
	const struct gpt_registration *r = &token->registration[i];

	(void)snprintf(l->base, sizeof(l->base), "registration[%zu].register",
	               i);
	if (r->reg.kind == GPT_PROTOCOL_REGISTER)
		registration(l, r->reg.reg, gpt_token_rekey(token, NULL));
	if (r->reg.kind == GPT_PROTOCOL_GDOI_REGISTER) {
		gpt_lint_gdoi_register(l, token, &r->reg);
		gpt_lint_membership(l, r->reg.reg, true);
	}
	if (r->reg.kind == GPT_PROTOCOL_UNKNOWN)
		WARN(l, "unknown-protocol", "",
		     "a registration protocol that this version does not know");
	(void)snprintf(l->base, sizeof(l->base),
	               "registration[%zu].de-register", i);
	if (r->dereg.dereg)
		deregistration(l, r->dereg.dereg);
}

static void
lists(struct gpt_linting *l, const struct gpt_token *token)
{
	for (size_t i = 0; i < token->n_registration; i++)
		one_registration(l, token, i);
	for (size_t i = 0; i < token->n_rekey; i++) {
		(void)snprintf(l->base, sizeof(l->base), "rekey[%zu]", i);
		if (token->rekey[i].rekey)
			rekeying(l, token->rekey[i].rekey);
		if (token->rekey[i].gdoi_rekey)
			gpt_lint_gdoi_rekey(l, token->rekey[i].gdoi_rekey);
		if (token->rekey[i].operation)
			gpt_lint_operation(l, token, i);
		if (token->rekey[i].kind == GPT_PROTOCOL_UNKNOWN)
			WARN(l, "unknown-protocol", "",
			     "a rekey protocol that this version does not "
			     "know");
	}
	for (size_t i = 0; i < token->n_data; i++) {
		(void)snprintf(l->base, sizeof(l->base), "data[%zu]", i);
		if (token->data[i].data)
			data(l, token, token->data[i].data);
		else if (token->data[i].ipsec)
			gpt_lint_ipsec(l, token, token->data[i].ipsec);
		else if (token->data[i].iec)
			gpt_lint_iec(l, token, token->data[i].iec);
		else
			WARN(l, "unknown-protocol", "",
			     "a data application that this version does not "
			     "know: members without it cannot join");
	}
}

/* A key server has one group under a token, and the rest is for others. */
static void
gdoi_groups(struct gpt_linting *l, const struct gpt_token *token)
{
	const struct gpt_gdoi_register *first = NULL;

	(void)gpt_token_gdoi_register(token, &first);
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		(void)snprintf(l->base, sizeof(l->base),
		               "registration[%zu].register", i);
		if (p->kind == GPT_PROTOCOL_GDOI_REGISTER &&
		    !gpt_gdoi_same_group(&p->gdoi_reg->group, &first->group))
			WARN(l, "several-groups", ".group",
			     "it is for another group than the first GDOI "
			     "registration: a key server passes over what is "
			     "not for its own, and an announcement is of one");
	}
	l->base[0] = '\0';
}

/* Does every data application go with the ways to register?  RFC4534-3-09 has
 * whoever does not know one refuse the whole token. */
static void
together(struct gpt_linting *l, const struct gpt_token *token)
{
	bool gsakmp = gpt_token_register(token, NULL) != NULL;
	bool gdoi = gpt_token_gdoi_register(token, NULL) != NULL;

	for (size_t i = 0; i < token->n_data; i++) {
		const struct gpt_protocol *p = &token->data[i];

		(void)snprintf(l->base, sizeof(l->base), "data[%zu]", i);
		if (gsakmp && (p->ipsec || p->iec))
			ERROR(l, "data-contradiction", "",
			      "members register by GSAKMP, which has no keys "
			      "for this data application");
		if (gdoi && p->data)
			ERROR(l, "data-contradiction", "",
			      "members register by GDOI, which has no keys for "
			      "this data application");
	}
	l->base[0] = '\0';
	if (gdoi && !gpt_token_gdoi_rekey(token, NULL) &&
	    gpt_token_rekey(token, NULL))
		ERROR(l, "rekey-contradiction", "",
		      "members register by GDOI, and are rekeyed by GSAKMP");
	if (gsakmp && !gpt_token_rekey(token, NULL) &&
	    gpt_token_gdoi_rekey(token, NULL))
		ERROR(l, "rekey-contradiction", "",
		      "members register by GSAKMP, and are rekeyed by GDOI");
}

enum gk_err
gpt_lint(const struct gpt_token *token, struct gpt_findings *findings)
{
	struct gpt_linting l = { .out = findings, .base = "group" };

	*findings = (struct gpt_findings){ 0 };
	if (token->group_name.len > GPT_GROUPID_MAX)
		ERROR(&l, "group-id-length", "",
		      "a GroupID of more than 255 octets");
	else if (gpt_groupid_guess(gk_buf_slice(&token->group_name)) ==
	         GPT_GROUPID_RAW)
		WARN(&l, "group-id-format", "",
		     "a GroupID without a random part may collide");
	l.base[0] = '\0';
	if (token->has_edition && token->edition < 0)
		WARN(&l, "negative-edition", "", "the edition is negative");
	if (!gpt_token_register(token, NULL) &&
	    !gpt_token_gdoi_register(token, NULL))
		WARN(&l, "no-registration", "",
		     "no registration protocol that this version knows: "
		     "nobody can join");
	if (!gpt_token_rekey(token, NULL) && !gpt_token_gdoi_rekey(token, NULL))
		WARN(&l, "no-rekey-policy", "",
		     "no rekey policy: keys are never renewed, nobody can be "
		     "excluded from a running group");
	if (token->n_data == 0)
		WARN(&l, "no-data-policy", "",
		     "no data application: the group's keys serve nothing");
	lists(&l, token);
	gdoi_groups(&l, token);
	together(&l, token);
	if (l.err != GK_OK)
		gpt_findings_free(findings);
	return l.err;
}

void
gpt_findings_free(struct gpt_findings *findings)
{
	free(findings->at);
	*findings = (struct gpt_findings){ 0 };
}

bool
gpt_findings_has(const struct gpt_findings *findings, const char *code)
{
	for (size_t i = 0; i < findings->n; i++)
		if (strcmp(findings->at[i].code, code) == 0)
			return true;
	return false;
}
