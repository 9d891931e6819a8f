/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ACCESS_H
#define GPT_ACCESS_H

#include "common/identity/gk_identity.h"
#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: who may do what - RFC 4534 B.1.1, B.1.2, B.5.1
 *
 * The caller has validated a certificate path and bound the identity to its
 * leaf; here the answer is only whether the *token* admits that party.  A rule
 * matches when its name pattern matches the identity (wildcards: see
 * common/identity) and its key identifier is that of any certification
 * authority on the validated path.
 *
 * AccessControl entries are alternatives.  The exclusions of an entry apply to
 * that entry only: somebody whom every entry excludes or fails to name is
 * refused.  All permissions that an entry lists are required.
 */

/* gpt_id_kind - what a GSAKMP Identification Type (RFC 4535 Table 19) is here;
 * GK_ID_NONE for a reserved one. */
enum gk_id_kind gpt_id_kind(int64_t type);
/* gpt_id_type - the reverse; 0, which is reserved, for GK_ID_NONE. */
int64_t gpt_id_type(enum gk_id_kind kind);
/* gpt_id_view - a view of a GSAKMPID; kind NONE when its type is reserved. */
struct gk_identity gpt_id_view(const struct gpt_id *id);

/* One party that asks. */
struct gpt_party {
	const struct gk_identity *id;
	enum gk_dn_compare compare; /* dn_string */
	/* Key identifiers of every CA on the validated path, any order. */
	const struct gk_slice *ca_key_ids;
	size_t n_ca_key_ids;
	/* GDOI: an empty key identifier in a rule is no condition, since phase 1
	 * has authenticated the party in whatever way (a pre-shared key has no
	 * authority); the other names that @cert proves, or that are given in
	 * @also, count beside @id. */
	bool phase1;
	const struct gk_cert *cert; /* only with @phase1; or NULL */
	const struct gk_identity *also;
	size_t n_also;
	/* Bit n: the party holds SimplePermission n (1 to 9).  RFC 4534 does
	 * not say how it shows that; that is the caller's business. */
	uint16_t permissions;
};

enum gpt_access_reason {
	GPT_ACCESS_ADMITTED,
	GPT_ACCESS_NOBODY,     /* the list is empty */
	GPT_ACCESS_NO_RULE,    /* no rule names the party */
	GPT_ACCESS_OTHER_CA,   /* a rule names it, under another CA */
	GPT_ACCESS_EXCLUDED,   /* a rule admits it, an exclusion takes it out */
	GPT_ACCESS_PERMISSION, /* a rule admits it, a permission is missing */
	GPT_ACCESS_NO_POLICY,  /* the token has no such policy at all */
};

/* Which rule decided.  entry counts AccessControl entries or GCKSName lists,
 * rule counts pairs within; both from 0. */
struct gpt_verdict {
	enum gpt_access_reason reason;
	const char *req;  /* requirement id */
	const char *list; /* "gCKS", "accessRule", "exclusionsRule", ... */
	size_t entry;
	size_t rule;
	char text[320]; /* printable explanation, for logs and people */
};

/*
 * Each returns whether @who is admitted and fills @verdict (which may be NULL)
 * either way.  @reg and @rekey may be NULL: GPT_ACCESS_NO_POLICY, except for
 * what says otherwise.
 */
/* gpt_access_gcks - may @who be the (primary) GC/KS?  RFC4534-B.1.1-02 */
bool gpt_access_gcks(const struct gpt_register *reg,
                     const struct gpt_party *who, struct gpt_verdict *verdict);
/* gpt_access_sub_gcks - may @who be a subordinate GC/KS?  Listed in subGCKS,
 * and, when the token has an autonomous scheme, in its authSubs too. */
bool gpt_access_sub_gcks(const struct gpt_register *reg,
                         const struct gpt_rekey *rekey,
                         const struct gpt_party *who,
                         struct gpt_verdict *verdict);
/* gpt_access_member - may @who join?  RFC4534-B.1.2-01, -02, -04 */
bool gpt_access_member(const struct gpt_register *reg,
                       const struct gpt_party *who,
                       struct gpt_verdict *verdict);
/* gpt_access_named - does any rule speak of @who, under whatever authority?  As
 * long as no path is known: for whom it does not, gpt_access_member() will be
 * false with every path.  RFC4534-B.1.2-01 */
bool gpt_access_named(const struct gpt_register *reg,
                      const struct gpt_party *who);
/* gpt_access_sender - may the member @who send data?  RFC4534-B.1.1-06 */
bool gpt_access_sender(const struct gpt_register *reg,
                       const struct gpt_party *who,
                       struct gpt_verdict *verdict);
/* gpt_access_rekey - may @who sign Rekey Events?  RFC4534-B.5.1-01 */
bool gpt_access_rekey(const struct gpt_rekey *rekey,
                      const struct gpt_party *who, struct gpt_verdict *verdict);

/* gpt_access_depart - does a leave mechanism trust a CA on @who's path?
 * RFC4534-B.3-06.  *@index is the first mechanism that does. */
bool gpt_access_depart(const struct gpt_deregister *dereg,
                       const struct gpt_party *who, size_t *index,
                       struct gpt_verdict *verdict);

/*
 * gpt_access_prepare - read the names in the lists of @token's registrations once, for all
 * that will be asked of them: a list of a thousand names is then asked in the time
 * of a few.  Only for parties of that @compare; for others it is as before, and so
 * are all answers.
 *
 * Before the token is shared; a list that is changed afterwards is as if it had
 * not been prepared.
 */
GK_MUST_CHECK enum gk_err gpt_access_prepare(struct gpt_token *token,
                                             enum gk_dn_compare compare);

/* gpt_access_narrower - may somebody whom @before admits be refused by @after?
 * By the lists alone, and "yes" when in doubt: a rule is gone, an exclusion is
 * new, or the entries are not the same ones. */
bool gpt_access_narrower(const struct gpt_register *before,
                         const struct gpt_register *after);

/* gpt_access_exclude - add an exclusion to every AccessControl entry of every
 * GSAKMP registration; *@added counts the entries that did not have it yet. */
GK_MUST_CHECK enum gk_err gpt_access_exclude(struct gpt_token *token,
                                             const struct gpt_pair *who,
                                             size_t *added);
/* gpt_access_readmit - remove exactly that exclusion wherever it stands. */
GK_MUST_CHECK enum gk_err gpt_access_readmit(struct gpt_token *token,
                                             const struct gpt_pair *who,
                                             size_t *removed);

#endif /* GPT_ACCESS_H */
