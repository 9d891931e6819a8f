/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_access.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "common/identity/gk_patterns.h"

/* RFC 4535 Table 19 */
static const struct {
	int64_t type;
	enum gk_id_kind kind;
} id_types[] = {
	{ 1, GK_ID_IPV4 },    { 2, GK_ID_FQDN },       { 3, GK_ID_RFC822 },
	{ 5, GK_ID_IPV6 },    { 9, GK_ID_DER_DN },     { 11, GK_ID_KEY_ID },
	{ 30, GK_ID_U_NAME }, { 31, GK_ID_DN_STRING },
};

enum gk_id_kind
gpt_id_kind(int64_t type)
{
	for (size_t i = 0; i < GK_COUNT(id_types); i++)
		if (id_types[i].type == type)
			return id_types[i].kind;
	return GK_ID_NONE;
}

int64_t
gpt_id_type(enum gk_id_kind kind)
{
	for (size_t i = 0; i < GK_COUNT(id_types); i++)
		if (id_types[i].kind == kind)
			return id_types[i].type;
	return 0;
}

struct gk_identity
gpt_id_view(const struct gpt_id *id)
{
	return (struct gk_identity){ gpt_id_kind(id->type),
		                     gk_buf_slice(&id->data) };
}

/* --- verdicts ---------------------------------------------------------------- */

static bool spell(struct gpt_verdict *v, enum gpt_access_reason reason,
                  const char *req, const char *list, size_t entry, size_t rule,
                  const char *fmt, ...) __attribute__((format(printf, 7, 8)));

static bool
spell(struct gpt_verdict *v, enum gpt_access_reason reason, const char *req,
      const char *list, size_t entry, size_t rule, const char *fmt, ...)
{
	va_list ap;

	*v = (struct gpt_verdict){ .reason = reason,
		                   .req = req,
		                   .list = list,
		                   .entry = entry,
		                   .rule = rule };
	va_start(ap, fmt);
	(void)vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	return reason == GPT_ACCESS_ADMITTED;
}

/* What nobody reads is not spelled, nor are the names in it. */
#define decide(v, reason, ...)                       \
	((v) != NULL ? spell(v, reason, __VA_ARGS__) \
	             : (reason) == GPT_ACCESS_ADMITTED)

#define NAME_LEN 160 /* octets of a printed identity */

static char *
name_of(char out[NAME_LEN], struct gk_identity id)
{
	return gk_identity_print(out, NAME_LEN, id);
}

/* --- one list of pairs ---------------------------------------------------------- */

static bool
name_matches(const struct gpt_pair *rule, const struct gpt_party *who)
{
	struct gk_identity pattern = gpt_id_view(&rule->entity);

	if (gk_identity_match(pattern, *who->id, who->compare))
		return true;
	for (size_t i = 0; who->phase1 && i < who->n_also; i++)
		if (gk_identity_match(pattern, who->also[i], who->compare))
			return true;
	return who->phase1 && who->cert &&
	       gk_identity_match_cert(pattern, who->cert, who->compare);
}

static bool
ca_matches(const struct gpt_pair *rule, const struct gpt_party *who)
{
	if (who->phase1 && rule->ca.len == 0)
		return true;
	for (size_t i = 0; i < who->n_ca_key_ids; i++)
		if (gk_slice_equal(gk_buf_slice(&rule->ca), who->ca_key_ids[i]))
			return true;
	return false;
}

/* What a list says of a party; *@at is the rule that says it. */
enum hit { HIT_NONE, HIT_NAME_ONLY, HIT_BOTH };

/* One list that is asked for all names of a party, one after the other. */
struct search {
	const struct gpt_pairs *list;
	const struct gpt_party *who;
	size_t *at;
	enum hit hit;
	enum gk_err err;
};

/* The first rule that has both is what counts, then the first with the name. */
static void
note_hit(struct search *s, size_t i)
{
	enum hit hit =
		ca_matches(&s->list->at[i], s->who) ? HIT_BOTH : HIT_NAME_ONLY;

	if (hit < s->hit || (hit == s->hit && i >= *s->at))
		return;
	s->hit = hit;
	*s->at = i;
}

static bool
search_name(void *ctx, struct gk_identity id)
{
	struct gk_patterns_name name = { .key = { 0 } };
	struct search *s = ctx;
	size_t i;

	s->err = gk_patterns_name(s->list->names, id, &name);
	if (s->err != GK_OK)
		return false;
	i = gk_patterns_next(s->list->names, &name, 0);
	while (i != GK_PATTERNS_NONE) {
		note_hit(s, i);
		if (s->hit == HIT_BOTH && *s->at <= i)
			break;
		i = gk_patterns_next(s->list->names, &name, i + 1);
	}
	gk_patterns_name_free(&name);
	return true;
}

/* Can no other name say more? */
static bool
settled(const struct search *s)
{
	return s->hit == HIT_BOTH && *s->at == 0;
}

/* False: ask them one by one. */
static bool
prepared_find(const struct gpt_pairs *list, const struct gpt_party *who,
              size_t *at, enum hit *hit)
{
	struct search s = { list, who, at, HIT_NONE, GK_OK };

	if (list->names == NULL || list->compare != (int)who->compare ||
	    !search_name(&s, *who->id))
		return false;
	for (size_t i = 0; who->phase1 && i < who->n_also && !settled(&s); i++)
		if (!search_name(&s, who->also[i]))
			return false;
	if (who->phase1 && who->cert != NULL && !settled(&s) &&
	    (gk_identity_each_of_cert(who->cert, who->compare, search_name,
	                              &s) != GK_OK ||
	     s.err != GK_OK))
		return false;
	*hit = s.hit;
	return true;
}

static enum hit
pairs_find(const struct gpt_pairs *list, const struct gpt_party *who,
           size_t *at)
{
	enum hit hit = HIT_NONE;

	if (prepared_find(list, who, at, &hit))
		return hit;
	for (size_t i = 0; i < list->n; i++) {
		if (!name_matches(&list->at[i], who))
			continue;
		if (ca_matches(&list->at[i], who)) {
			*at = i;
			return HIT_BOTH;
		}
		if (hit == HIT_NONE) {
			hit = HIT_NAME_ONLY;
			*at = i;
		}
	}
	return hit;
}

/* Most lists are no more than that: named, with the CA, or not. */
static bool
in_list(const struct gpt_pairs *list, const struct gpt_party *who,
        const char *name, const char *req, size_t entry, struct gpt_verdict *v)
{
	char id[NAME_LEN];
	size_t at = 0;

	if (!GK_CHECKED(req))
		return decide(v, GPT_ACCESS_ADMITTED, req, name, entry, 0,
		              "%s is not checked", name);
	if (list->n == 0)
		return decide(v, GPT_ACCESS_NOBODY, req, name, entry, 0,
		              "%s of the token names nobody", name);
	switch (pairs_find(list, who, &at)) {
	case HIT_BOTH:
		return decide(v, GPT_ACCESS_ADMITTED, req, name, entry, at,
		              "rule %zu of %s names %s", at + 1, name,
		              name_of(id, *who->id));
	case HIT_NAME_ONLY:
		return decide(v, GPT_ACCESS_OTHER_CA, req, name, entry, at,
		              "rule %zu of %s names %s, but under another "
		              "certification authority",
		              at + 1, name, name_of(id, *who->id));
	case HIT_NONE:
		break;
	}
	return decide(v, GPT_ACCESS_NO_RULE, req, name, entry, 0,
	              "no rule of %s names %s", name, name_of(id, *who->id));
}

static bool
no_policy(struct gpt_verdict *v, const char *req, const char *list)
{
	return decide(v, GPT_ACCESS_NO_POLICY, req, list, 0, 0,
	              "the token has no policy with %s", list);
}

/* --- the roles --------------------------------------------------------------------- */

bool
gpt_access_gcks(const struct gpt_register *reg, const struct gpt_party *who,
                struct gpt_verdict *verdict)
{
	if (!reg)
		return no_policy(verdict, "RFC4534-B.1.1-02", "gCKS");
	return in_list(&reg->gcks, who, "gCKS", "RFC4534-B.1.1-02", 0, verdict);
}

bool
gpt_access_sub_gcks(const struct gpt_register *reg,
                    const struct gpt_rekey *rekey, const struct gpt_party *who,
                    struct gpt_verdict *verdict)
{
	struct gpt_verdict best = { 0 };

	if (!reg)
		return no_policy(verdict, "RFC4534-B.1.1-02", "subGCKS");
	if (rekey && rekey->scheme == GPT_SCHEME_NONE &&
	    GK_CHECKED("RFC4534-B.5.7.1-01"))
		return decide(verdict, GPT_ACCESS_NOBODY, "RFC4534-B.5.7.1-01",
		              "subGCKSInfo", 0, 0,
		              "the token's scheme has no subordinates");
	(void)spell(&best, GPT_ACCESS_NOBODY, "RFC4534-B.1.1-02", "subGCKS", 0,
	            0, "subGCKS of the token names nobody");
	for (size_t i = 0; i < reg->n_sub_gcks; i++) {
		struct gpt_verdict v;
		bool named = in_list(&reg->sub_gcks[i], who, "subGCKS",
		                     "RFC4534-B.1.1-02", i, &v);

		/* The most telling refusal is that of the nearest list. */
		if (named || best.reason != GPT_ACCESS_OTHER_CA)
			best = v;
		if (named)
			break;
	}
	if (best.reason == GPT_ACCESS_ADMITTED && rekey &&
	    rekey->scheme == GPT_SCHEME_AUTONOMOUS)
		(void)in_list(&rekey->auth_subs, who, "authSubs",
		              "RFC4534-B.5.7.2-01", 0, &best);
	if (verdict)
		*verdict = best;
	return best.reason == GPT_ACCESS_ADMITTED;
}

/* The first permission of the entry that the party lacks, or 0. */
static unsigned
missing_permission(const struct gpt_access_control *entry,
                   const struct gpt_party *who)
{
	for (size_t i = 0; i < entry->n_permissions; i++)
		if (!(who->permissions & (1u << entry->permissions[i])))
			return entry->permissions[i];
	return 0;
}

static bool
in_entry(const struct gpt_access_control *entry, size_t index,
         const struct gpt_party *who, struct gpt_verdict *v)
{
	char id[NAME_LEN];
	size_t at = 0;
	unsigned lacks;

	if (!in_list(&entry->rules, who, "accessRule", "RFC4534-B.1.2-01",
	             index, v))
		return false;

	/* An exclusion is a rule too: name and CA.  An exclusion that names
	 * the party under another CA means somebody else of that name. */
	if (pairs_find(&entry->exclusions, who, &at) == HIT_BOTH &&
	    GK_CHECKED("RFC4534-B.1.2-02"))
		return decide(v, GPT_ACCESS_EXCLUDED, "RFC4534-B.1.2-02",
		              "exclusionsRule", index, at,
		              "exclusion %zu of access entry %zu takes out %s",
		              at + 1, index + 1, name_of(id, *who->id));

	lacks = missing_permission(entry, who);
	if (lacks != 0 && GK_CHECKED("RFC4534-B.1.2-01"))
		return decide(v, GPT_ACCESS_PERMISSION, "RFC4534-B.1.2-01",
		              "permissions", index, 0,
		              "access entry %zu asks for permission %u, which "
		              "%s does not hold",
		              index + 1, lacks, name_of(id, *who->id));
	return true;
}

static bool
member_admitted(const struct gpt_register *reg, const struct gpt_party *who)
{
	for (size_t i = 0; reg && i < reg->n_access; i++)
		if (in_entry(&reg->access[i], i, who, NULL))
			return true;
	return false;
}

bool
gpt_access_member(const struct gpt_register *reg, const struct gpt_party *who,
                  struct gpt_verdict *verdict)
{
	struct gpt_verdict best = { 0 };

	/* Nobody wants to know why. */
	if (!verdict)
		return member_admitted(reg, who);
	if (!reg)
		return no_policy(verdict, "RFC4534-B.1.2-01", "accessRule");
	(void)spell(&best, GPT_ACCESS_NOBODY, "RFC4534-B.1.2-04",
	            "joinAccessControl", 0, 0,
	            "joinAccessControl of the token admits nobody");
	for (size_t i = 0; i < reg->n_access; i++) {
		struct gpt_verdict v;

		if (in_entry(&reg->access[i], i, who, &v)) {
			best = v;
			break;
		}
		/* Entries are alternatives; keep the refusal of the one that
		 * came nearest to admitting, for the explanation. */
		if (i == 0 || v.reason > best.reason)
			best = v;
	}
	*verdict = best;
	return best.reason == GPT_ACCESS_ADMITTED;
}

bool
gpt_access_named(const struct gpt_register *reg, const struct gpt_party *who)
{
	size_t at;

	for (size_t i = 0; reg && i < reg->n_access; i++)
		if (!GK_CHECKED("RFC4534-B.1.2-01") ||
		    pairs_find(&reg->access[i].rules, who, &at) != HIT_NONE)
			return true;
	return false;
}

bool
gpt_access_sender(const struct gpt_register *reg, const struct gpt_party *who,
                  struct gpt_verdict *verdict)
{
	if (!reg)
		return no_policy(verdict, "RFC4534-B.1.1-06", "senders");
	if (!reg->senders_limited)
		return decide(verdict, GPT_ACCESS_ADMITTED, "RFC4534-B.1.1-06",
		              "senders", 0, 0,
		              "every member of the group may send");
	return in_list(&reg->senders, who, "senders", "RFC4534-B.1.1-06", 0,
	               verdict);
}

bool
gpt_access_rekey(const struct gpt_rekey *rekey, const struct gpt_party *who,
                 struct gpt_verdict *verdict)
{
	if (!rekey)
		return no_policy(verdict, "RFC4534-B.5.1-01", "authorization");
	return in_list(&rekey->authorization, who, "authorization",
	               "RFC4534-B.5.1-01", 0, verdict);
}

bool
gpt_access_depart(const struct gpt_deregister *dereg,
                  const struct gpt_party *who, size_t *index,
                  struct gpt_verdict *verdict)
{
	const char *list = "leaveMechanisms";

	if (!dereg)
		return no_policy(verdict, "RFC4534-B.3-06", list);
	for (size_t i = 0; i < dereg->n_mechanisms; i++) {
		struct gk_slice ca = gk_buf_slice(&dereg->mechanisms[i].ca);

		for (size_t k = 0; k < who->n_ca_key_ids; k++) {
			if (!gk_slice_equal(ca, who->ca_key_ids[k]))
				continue;
			if (index)
				*index = i;
			return decide(verdict, GPT_ACCESS_ADMITTED,
			              "RFC4534-B.3-06", list, 0, i,
			              "mechanism %zu of %s trusts the "
			              "certification authority",
			              i + 1, list);
		}
	}
	return decide(verdict, GPT_ACCESS_OTHER_CA, "RFC4534-B.3-06", list, 0,
	              0,
	              "no mechanism of %s trusts a certification authority "
	              "of this certificate",
	              list);
}

/* --- lists that are asked often ---------------------------------------------------- */

static enum gk_err
prepare(struct gpt_pairs *list, enum gk_dn_compare compare)
{
	struct gk_patterns *names;
	enum gk_err err = GK_OK;

	gpt_pairs_changed(list);
	if (list->n == 0)
		return GK_OK;
	GK_TRY(gk_patterns_new(compare, &names));
	for (size_t i = 0; i < list->n && err == GK_OK; i++)
		err = gk_patterns_add(names, gpt_id_view(&list->at[i].entity));
	if (err != GK_OK) {
		gk_patterns_free(names);
		return err;
	}
	gk_patterns_done(names);
	list->names = names;
	list->compare = (int)compare;
	return GK_OK;
}

static enum gk_err
prepare_register(struct gpt_register *reg, enum gk_dn_compare compare)
{
	GK_TRY(prepare(&reg->gcks, compare));
	for (size_t i = 0; i < reg->n_sub_gcks; i++)
		GK_TRY(prepare(&reg->sub_gcks[i], compare));
	GK_TRY(prepare(&reg->senders, compare));
	for (size_t i = 0; i < reg->n_access; i++) {
		GK_TRY(prepare(&reg->access[i].rules, compare));
		GK_TRY(prepare(&reg->access[i].exclusions, compare));
	}
	return GK_OK;
}

enum gk_err
gpt_access_prepare(struct gpt_token *token, enum gk_dn_compare compare)
{
	for (size_t i = 0; i < token->n_registration; i++)
		if (token->registration[i].reg.reg != NULL)
			GK_TRY(prepare_register(token->registration[i].reg.reg,
			                        compare));
	return GK_OK;
}

/* --- editing a policy ------------------------------------------------------------------ */

static bool
pairs_have(const struct gpt_pairs *list, const struct gpt_pair *who, size_t *at)
{
	for (size_t i = 0; i < list->n; i++)
		if (gpt_pair_equal(&list->at[i], who)) {
			*at = i;
			return true;
		}
	return false;
}

static bool
pairs_within(const struct gpt_pairs *list, const struct gpt_pairs *of)
{
	size_t at;

	for (size_t i = 0; i < list->n; i++)
		if (!pairs_have(of, &list->at[i], &at))
			return false;
	return true;
}

bool
gpt_access_narrower(const struct gpt_register *before,
                    const struct gpt_register *after)
{
	if (!before || !after || before->n_access != after->n_access)
		return before != after;
	for (size_t i = 0; i < before->n_access; i++) {
		const struct gpt_access_control *b = &before->access[i];
		const struct gpt_access_control *a = &after->access[i];

		if (b->n_permissions != a->n_permissions ||
		    (b->n_permissions != 0 &&
		     memcmp(b->permissions, a->permissions, b->n_permissions) !=
		             0) ||
		    !pairs_within(&b->rules, &a->rules) ||
		    !pairs_within(&a->exclusions, &b->exclusions))
			return true;
	}
	return false;
}

enum gk_err
gpt_access_exclude(struct gpt_token *token, const struct gpt_pair *who,
                   size_t *added)
{
	*added = 0;
	for (size_t i = 0; i < token->n_registration; i++) {
		struct gpt_register *reg = token->registration[i].reg.reg;

		for (size_t k = 0; reg && k < reg->n_access; k++) {
			struct gpt_access_control *entry = &reg->access[k];
			struct gpt_pair *pair;
			size_t at;

			if (pairs_have(&entry->exclusions, who, &at))
				continue;
			pair = gpt_pairs_add(&entry->exclusions);
			if (!pair)
				return GK_ERR_NOMEM;
			entry->has_exclusions = true;
			GK_TRY(gpt_pair_set(pair, who->entity.type,
			                    gk_buf_slice(&who->entity.data),
			                    gk_buf_slice(&who->ca)));
			(*added)++;
		}
	}
	return GK_OK;
}

enum gk_err
gpt_access_readmit(struct gpt_token *token, const struct gpt_pair *who,
                   size_t *removed)
{
	*removed = 0;
	for (size_t i = 0; i < token->n_registration; i++) {
		struct gpt_register *reg = token->registration[i].reg.reg;

		for (size_t k = 0; reg && k < reg->n_access; k++) {
			struct gpt_access_control *entry = &reg->access[k];
			struct gpt_pairs *list = &entry->exclusions;
			size_t at;

			if (!pairs_have(list, who, &at))
				continue;
			gpt_pairs_changed(list);
			gk_buf_free(&list->at[at].entity.data);
			gk_buf_free(&list->at[at].ca);
			for (size_t n = at + 1; n < list->n; n++)
				list->at[n - 1] = list->at[n];
			list->n--;
			if (list->n == 0) {
				free(list->at);
				list->at = NULL;
				entry->has_exclusions = false;
			}
			(*removed)++;
		}
	}
	return GK_OK;
}
