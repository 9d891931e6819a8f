/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "common/wire/gk_wr.h"
#include "gsakmp/engine/group_state.h"
#include "gsakmp/gsakmp_algorithm.h"
#include "policy-tokens/token/gpt_access.h"

/*
 * The policy token at the key server: RFC 4535 sections 4.4.3 and 5.2.1, RFC
 * 4534; and the restart, because what a group is made of follows from it.
 */
#define ROW_TOKEN "token"
#define ROW_TREE "tree"
#define ROW_DESTROYED "destroyed"

const char *
gsakmp_group_table(size_t i)
{
	if (i == 0)
		return GSAKMP_TABLE_POLICY;
	if (i == 1)
		return GSAKMP_TABLE_EVENT;
	if (i == 2)
		return GSAKMP_TABLE_CHAIN;
	if (i == 3)
		return GSAKMP_TABLE_EXPELLED;
	for (size_t n = 0; gk_group_tables[n] != NULL; n++)
		if (n == i - 4)
			return gk_group_tables[n];
	return NULL;
}

/* What the tree was made with; a restart has to make the same. */
struct tree {
	uint16_t degree; /* 0: no hierarchy */
	uint8_t key_len;
	bool backward;
};
#define TREE_BACKWARD 0x01
#define TREE_SUBORDINATE 0x02

static enum gk_err
make_data(struct gsakmp_group *g, const struct tree *t)
{
	const struct gk_group_config cfg = {
		.scope = g->cfg.group_id,
		.lkh = { .degree = t->degree,
		         .key_len = t->key_len,
		         .backward = t->backward,
		         .lifetime = g->cfg.kek_life_s,
		         .spare = g->cfg.tree_spare },
		.backward = t->backward,
		.imported = g->cfg.subordinate,
		/* RFC4534-B.5.4.1-01: no method, no new keys. */
		.fixed = t->degree == 0,
		/* The last value announces the destruction. */
		.sequence_last = GSAKMP_SEQUENCE_DESTROY - 1,
	};

	return gk_group_new(g->env, &cfg, &g->data);
}

enum gk_err
gsakmp_group_token_save(struct gsakmp_group *g, const struct gsakmp_policy *p)
{
	return gsakmp_group_store(g, GSAKMP_TABLE_POLICY,
	                          gk_slice_str(ROW_TOKEN),
	                          gk_buf_slice(&p->signed_der));
}

/* How long a GTPK lasts: what the token says, or the configuration. */
static int64_t
key_lifetime(const struct gsakmp_group *g, const struct gsakmp_policy *p,
             size_t i, struct gk_now now)
{
	if (p->key_life[i] > 0)
		return p->key_life[i];
	if (p->key_expires[i] > now.utc_s)
		return p->key_expires[i] - now.utc_s;
	return g->cfg.gtpk_life_s;
}

static uint16_t
gtpk_type(const struct gsakmp_group *g, const struct gsakmp_policy *p)
{
	return g->cfg.gtpk_type != 0 ? g->cfg.gtpk_type
	                             : p->suite[0].encryption;
}

static enum gk_err
define_keys(struct gsakmp_group *g, const struct gsakmp_policy *p,
            struct gk_now now)
{
	uint16_t type = gtpk_type(g, p);
	size_t len = gsakmp_key_length(&g->dialect, type);

	if (len == 0)
		return GK_ERR_VALUE;
	for (size_t i = 0; i < p->n_keys; i++)
		GK_TRY(gk_group_key_define(g->data, p->key_id[i], type, len,
		                           key_lifetime(g, p, i, now),
		                           now.utc_s));
	return GK_OK;
}

/* RFC4535-7.5.2-17: "the time rules conform with policy", from now on. */
static enum gk_err
limit_keys(struct gsakmp_group *g, const struct gsakmp_policy *p)
{
	for (size_t i = 0; i < p->n_keys && !g->cfg.subordinate; i++)
		GK_TRY(gk_group_key_limit(g->data, p->key_id[i],
		                          p->key_life[i] > 0
		                                  ? p->key_life[i]
		                                  : g->cfg.gtpk_life_s,
		                          p->key_expires[i]));
	return GK_OK;
}

/* The tree and the token; keys come next. */
enum gk_err
gsakmp_group_found(struct gsakmp_group *g, struct gsakmp_policy *p)
{
	struct tree t = {
		.degree = p->lkh ? (uint16_t)g->cfg.lkh_degree : 0,
		.key_len = (uint8_t)gsakmp_key_length(&g->dialect, p->kek_type),
		.backward = gsakmp_group_backward(g, p),
	};
	uint8_t row[4];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u16(&wr, t.degree);
	gk_wr_u8(&wr, t.key_len);
	gk_wr_u8(&wr, (t.backward ? TREE_BACKWARD : 0) |
	                      (g->cfg.subordinate ? TREE_SUBORDINATE : 0));
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(make_data(g, &t));
	GK_TRY(gsakmp_group_store(g, GSAKMP_TABLE_POLICY,
	                          gk_slice_str(ROW_TREE),
	                          (struct gk_slice){ row, sizeof(row) }));
	return gsakmp_group_token_save(g, p);
}

enum gk_err
gsakmp_group_opened(struct gsakmp_group *g, struct gsakmp_policy *p,
                    struct gk_now now)
{
	gsakmp_group_operate(g, p, now);
	g->policy = gsakmp_policy_ref(p);
	g->phase = GSAKMP_GROUP_OPEN;
	GK_TRY(gsakmp_group_timers(g, now));
	return gsakmp_group_keys_out(g, GSAKMP_OUT_KEY_INSTALL, GK_KEY_CURRENT);
}

/* Transition 1 of Table 29: "Create group command". */
static enum gk_err
create(struct gsakmp_group *g, struct gsakmp_policy *p, struct gk_now now)
{
	GK_TRY(gsakmp_group_found(g, p));
	GK_TRY(define_keys(g, p, now));
	GK_TRY(limit_keys(g, p));
	return gsakmp_group_opened(g, p, now);
}

/* "new Key IDs in a rekey": what members hold cannot be exchanged by a rekey,
 * so a token that wants other keys is for another group. */
enum gk_err
gsakmp_group_compatible(const struct gsakmp_group *g,
                        const struct gsakmp_policy *p)
{
	const struct gsakmp_policy *old = g->policy;

	if (p->lkh != old->lkh || p->kek_type != old->kek_type ||
	    p->n_keys != old->n_keys || gtpk_type(g, p) != gtpk_type(g, old))
		return GK_ERR_POLICY;
	for (size_t i = 0; i < p->n_keys; i++)
		if (p->key_id[i] != old->key_id[i])
			return GK_ERR_POLICY;
	return GK_OK;
}

/* RFC 4535 section 5.3.2.1: does the token still admit this member? */
bool
gsakmp_group_admits(const struct gsakmp_group *g, const struct gsakmp_policy *p,
                    const struct gk_member *m)
{
	struct gk_slice slices[GSAKMP_MEMBER_CA_MAX];
	struct gsakmp_member_info info;
	struct gk_identity id;
	struct gpt_party party;
	bool ok = false;

	if (gsakmp_group_member_get(g, m, &info) == GK_OK) {
		gsakmp_member_party(&info, &id, slices, &party);
		ok = gpt_access_member(p->reg, &party, NULL);
	}
	gsakmp_member_info_free(&info);
	return ok;
}

/* RFC4535-4.4.7-12: we do not know whom it excludes behind subordinates. */
static bool
excludes_elsewhere(const struct gsakmp_policy *old,
                   const struct gsakmp_policy *p)
{
	return old->rekey != NULL && old->rekey->scheme != GPT_SCHEME_NONE &&
	       old->reg->n_sub_gcks != 0 && old->lkh &&
	       gpt_access_narrower(old->reg, p->reg) &&
	       GK_CHECKED("RFC4535-4.4.7-12");
}

static enum gk_err
update(struct gsakmp_group *g, struct gsakmp_policy *p, struct gk_now now)
{
	const struct gsakmp_rekey_cause joins = { 0 };
	struct gk_member **out;
	struct gk_member *m;
	size_t cursor = 0, n = 0;
	enum gk_err err;

	GK_TRY(gsakmp_group_compatible(g, p));
	/* Who has joined in the open epoch does not hold the key in force, under
	 * which the token will be sealed: announce the epoch first. */
	if (g->policy->rekey != NULL && gk_group_due(g->data))
		GK_TRY(gsakmp_group_plan(g, &joins, now));
	out = calloc(gk_group_count(g->data) + 1, sizeof(struct gk_member *));
	if (out == NULL)
		return GK_ERR_NOMEM;
	while ((m = gk_group_each(g->data, &cursor)) != NULL)
		if (!gsakmp_preview_admits(g, p, m) &&
		    !gsakmp_group_admits(g, p, m))
			out[n++] = m;
	err = gsakmp_group_token_save(g, p);
	if (err == GK_OK)
		err = limit_keys(g, p);
	if (err == GK_OK && g->policy->rekey != NULL) {
		bool key = n != 0 || excludes_elsewhere(g->policy, p);
		const struct gsakmp_rekey_cause order = {
			.refresh = key,
			.sweep = key,
			.evict = out,
			.n_evict = n,
			.announce = p,
		};

		err = gsakmp_group_plan(g, &order, now);
	}
	free(out);
	GK_TRY(err);
	gsakmp_group_operate(g, p, now);
	gsakmp_policy_unref(g->policy);
	g->policy = gsakmp_policy_ref(p);
	return gsakmp_group_timers(g, now);
}

enum gk_err
gsakmp_group_token_out(struct gsakmp_group *g)
{
	struct gsakmp_output *out =
		gsakmp_outputs_add(&g->out, GSAKMP_OUT_TOKEN);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->token = gk_buf_slice(&g->policy->signed_der);
	out->edition = -1;
	if (g->policy->v.token->has_edition)
		out->edition = g->policy->v.token->edition;
	out->place = gk_slice_str(g->policy->unknown);
	return gsakmp_outputs_own(&g->out);
}

static enum gk_err
apply(struct gsakmp_group *g, struct gsakmp_policy *p, struct gk_now now)
{
	if (g->phase == GSAKMP_GROUP_DESTROYED || g->cfg.subordinate)
		return GK_ERR_UNEXPECTED;
	if (g->policy != NULL && p->v.identical)
		return GK_OK;
	GK_TRY(g->policy == NULL ? create(g, p, now) : update(g, p, now));
	GK_TRY(gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g)));
	return gsakmp_group_token_out(g);
}

/* RFC4535-5.2.1-01: a key server first looks whether it may be one. */
static enum gk_err
eligible(const struct gsakmp_group *g, const struct gsakmp_party *party,
         const struct gsakmp_policy *p, struct gk_now now,
         struct gsakmp_reject *why)
{
	struct gk_certs chain = { 0 };
	const struct gk_trust_extra extra = { .certs = &chain };
	struct gpt_party me = { .id = party->id };
	struct gk_slice ca[GK_PATH_MAX];
	struct gk_cert_fault fault = { 0 };
	struct gk_path path = { 0 };
	enum gk_err err = GK_OK;
	bool ok = false;

	(void)g;
	for (size_t i = 1; i < party->n_certs && err == GK_OK; i++)
		err = gk_certs_add(&chain, party->certs[i]);
	if (err == GK_OK)
		err = gk_trust_verify(party->trust, party->certs[0], &extra,
		                      now.utc_s, GK_KU_DIGITAL_SIGNATURE, &path,
		                      &fault);
	if (err == GK_OK) {
		for (size_t i = 1; i < path.n; i++)
			ca[i - 1] = gk_cert_key_id(path.cert[i]);
		me.ca_key_ids = ca;
		me.n_ca_key_ids = path.n - 1;
		ok = gpt_access_gcks(p->reg, &me, NULL) &&
		     (p->rekey == NULL ||
		      gpt_access_rekey(p->rekey, &me, NULL));
	}
	gk_path_free(&path);
	gk_certs_free(&chain);
	if (ok || !GK_CHECKED("RFC4535-5.2.1-01"))
		return GK_OK;
	gsakmp_refuse(why, GK_ERR_POLICY,
	              GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY,
	              "RFC4535-5.2.1-01", "gCKS", 0);
	if (err != GK_OK && fault.text != NULL)
		gsakmp_reject_detail(why, "our own certificate: %s (%s)",
		                     fault.text, fault.subject);
	else if (err == GK_OK)
		gsakmp_reject_detail(why, "the token does not list us as key "
		                          "server and signer of rekeys");
	return GK_ERR_POLICY;
}

enum gk_err
gsakmp_group_serves(struct gsakmp_group *g, const struct gsakmp_party *party,
                    struct gk_now now, struct gsakmp_reject *why)
{
	struct gsakmp_party old, mixed = *party;
	struct gsakmp_policy *p = NULL;
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&g->lock);
	old = g->party;
	if (g->policy != NULL && !g->cfg.subordinate)
		p = gsakmp_policy_ref(g->policy);
	pthread_mutex_unlock(&g->lock);
	if (p != NULL && !gk_cert_equal(old.certs[0], party->certs[0])) {
		/* A CRL that came with it is another matter. */
		mixed.trust = old.trust;
		err = eligible(g, party, p, now, why);
		if (err == GK_ERR_POLICY)
			err = eligible(g, &mixed, p, now, why);
		if (err == GK_OK &&
		    !gsakmp_policy_signs(p, &g->dialect, party->signer))
			err = gsakmp_refuse(
				why, GK_ERR_POLICY,
				GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
				"RFC4534-2-11",
				"signature type: our key cannot make one", 0);
	}
	gsakmp_policy_unref(p);
	return err;
}

bool
gsakmp_group_keys_over(const struct gsakmp_group *g,
                       const struct gsakmp_policy *p, struct gk_now now)
{
	size_t n = g->data != NULL ? gk_group_key_count(g->data) : 0;

	for (size_t i = 0; i < n; i++)
		if (gk_group_key_joiner(g->data, i)->expires <= now.utc_s)
			return true;
	return gsakmp_policy_over(p, now.utc_s);
}

/* RFC4534-C.1-04: no key of the group may be used any more. */
static enum gk_err
lasts(const struct gsakmp_policy *p, struct gk_now now,
      struct gsakmp_reject *why)
{
	if (p->v.identical || !gsakmp_policy_over(p, now.utc_s) ||
	    !GK_CHECKED("RFC4534-C.1-04"))
		return GK_OK;
	return gsakmp_refuse(why, GK_ERR_POLICY,
	                     GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
	                     "RFC4534-C.1-04", "keyExpirationDate", 0);
}

/* What decides which of a token's protocols is in force; the same whenever it is
 * read.  A subordinate has its policy from its own membership. */
static struct gsakmp_policy_args
policy_args(const struct gsakmp_group *g, const struct gsakmp_party *party)
{
	const bool limited = !g->cfg.subordinate;

	return (struct gsakmp_policy_args){
		.party = party,
		.dialect = &g->dialect,
		.group_id_type = g->cfg.group_id_type,
		.group_id = g->cfg.group_id,
		.legacy_ok = g->cfg.legacy_ok,
		.no_post = limited && !g->cfg.can_post,
		.no_udp = limited && g->cfg.no_udp,
		.no_tcp = limited && g->cfg.no_tcp,
		.we_sign = limited,
	};
}

enum gk_err
gsakmp_group_set_token(struct gsakmp_group *g, struct gk_slice token,
                       struct gk_now now, struct gsakmp_reject *why)
{
	struct gsakmp_policy *old, *p = NULL;
	struct gsakmp_policy_args args;
	struct gsakmp_reject unused;
	struct gsakmp_party party;
	enum gk_err err;

	if (why == NULL)
		why = &unused;
	*why = (struct gsakmp_reject){ 0 };
	pthread_mutex_lock(&g->lock);
	old = g->policy != NULL ? gsakmp_policy_ref(g->policy) : NULL;
	party = g->party;
	pthread_mutex_unlock(&g->lock);

	args = policy_args(g, &party);
	args.last = old != NULL ? &old->v.seen : NULL;
	err = gsakmp_policy_new(&args, token, now, &p, why);
	if (err == GK_OK)
		err = eligible(g, &party, p, now, why);
	if (err == GK_OK)
		err = lasts(p, now, why);
	if (err == GK_OK) {
		gsakmp_preview_all(g, p);
		pthread_mutex_lock(&g->lock);
		err = apply(g, p, now);
		pthread_mutex_unlock(&g->lock);
		gsakmp_preview_end(g, p);
		if (err != GK_OK && why->req == NULL)
			gsakmp_refuse(why, err,
			              GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
			              "RFC4535-4.4.3-02", "Policy Token Data",
			              0);
	}
	gsakmp_policy_unref(p);
	gsakmp_policy_unref(old);
	GK_TRY(err);
	return gsakmp_group_flush(g, now);
}

/* ---- restart ------------------------------------------------------------ */

static enum gk_err
load_tree(struct gsakmp_group *g, struct gk_slice value)
{
	struct gk_rd rd;
	struct tree t;
	uint8_t flags;

	gk_rd_init(&rd, value.ptr, value.len);
	t.degree = gk_rd_u16(&rd, "degree");
	t.key_len = gk_rd_u8(&rd, "key length");
	flags = gk_rd_u8(&rd, "flags");
	t.backward = (flags & TREE_BACKWARD) != 0;
	GK_TRY(gk_rd_done(&rd));
	/* A group does not change its master while it lives. */
	if (((flags & TREE_SUBORDINATE) != 0) != g->cfg.subordinate)
		return GK_ERR_VALUE;
	return make_data(g, &t);
}

/* The token waits as octets until load_end() knows the time. */
static enum gk_err
load_policy(struct gsakmp_group *g, struct gk_slice key, struct gk_slice value)
{
	if (gk_slice_equal(key, gk_slice_str(ROW_TOKEN)) &&
	    g->loaded_token.ptr == NULL)
		return gk_buf_copy(&g->loaded_token, value);
	if (gk_slice_equal(key, gk_slice_str(ROW_TREE)) && g->data == NULL)
		return load_tree(g, value);
	if (gk_slice_equal(key, gk_slice_str(ROW_DESTROYED))) {
		g->phase = GSAKMP_GROUP_DESTROYED;
		return GK_OK;
	}
	return GK_ERR_VALUE;
}

enum gk_err
gsakmp_group_load(struct gsakmp_group *g, const char *table,
                  struct gk_slice key, struct gk_slice value)
{
	const char *why;

	if (gk_slice_equal(gk_slice_str(table),
	                   gk_slice_str(GSAKMP_TABLE_POLICY)))
		return load_policy(g, key, value);
	if (gk_slice_equal(gk_slice_str(table),
	                   gk_slice_str(GSAKMP_TABLE_EVENT)))
		return gsakmp_group_event_load(g, key, value);
	if (gk_slice_equal(gk_slice_str(table),
	                   gk_slice_str(GSAKMP_TABLE_CHAIN)))
		return gsakmp_group_chain_load(g, key, value);
	if (gk_slice_equal(gk_slice_str(table),
	                   gk_slice_str(GSAKMP_TABLE_EXPELLED)))
		return gsakmp_group_expelled_load(g, key, value);
	if (g->data == NULL)
		return GK_ERR_UNEXPECTED;
	return gk_group_load_row(g->data, table, key, value, &why);
}

/* Its choice is the one of when it came.  When none of its protocols can be had
 * any more, for what is configured is another, the group goes on all the same. */
static enum gk_err
read_again(struct gsakmp_policy_args args, struct gk_slice token,
           struct gk_now now, struct gsakmp_policy **p,
           struct gsakmp_reject *why)
{
	enum gk_err err = gsakmp_policy_new(&args, token, now, p, why);

	if (err != GK_ERR_POLICY)
		return err;
	args.no_post = args.no_udp = args.no_tcp = false;
	return gsakmp_policy_new(&args, token, now, p, why);
}

/*
 * The token was accepted when it came, and the group has lived by it since.
 * When it would not be accepted today - the Group Owner's certificate has
 * expired, was revoked or replaced - the group goes on for its members, and
 * nobody joins until the Group Owner sends another.
 */
static enum gk_err
restore_policy(struct gsakmp_group *g, const struct gsakmp_party *party,
               struct gk_slice token, struct gk_now now,
               struct gsakmp_policy **p)
{
	struct gpt_fault fault = { 0 };
	struct gsakmp_policy_args args = policy_args(g, party);
	struct gsakmp_reject why = { 0 }, lapse = { 0 };
	enum gk_err err;

	args.fault = &fault;
	err = read_again(args, token, now, p, &lapse);
	if (err == GK_OK || err == GK_ERR_NOMEM)
		return err;
	gpt_fault_format(&fault, g->load_why, sizeof(g->load_why));
	args.restore = true;
	err = read_again(args, token, now, p, &why);
	if (err == GK_OK) {
		(*p)->lapsed = true;
		(*p)->lapse = lapse;
	} else if (why.req != NULL) {
		snprintf(g->load_why, sizeof(g->load_why),
		         "the policy token asks for what is not supported or "
		         "not allowed any more [%s]",
		         why.req);
	}
	return err;
}

/* RFC4535-3.1-06: the same while the group runs, when there are other revocation
 * lists, or as time passes.  A subordinate hands the same token out. */
enum gk_err
gsakmp_group_token_recheck(struct gsakmp_group *g, struct gk_now now)
{
	struct gsakmp_policy *old = NULL, *p = NULL;
	struct gsakmp_party party;
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	party = g->party;
	if (g->phase == GSAKMP_GROUP_OPEN)
		old = gsakmp_policy_ref(g->policy);
	pthread_mutex_unlock(&g->lock);
	if (old == NULL)
		return GK_OK;
	err = restore_policy(g, &party, gk_buf_slice(&old->signed_der), now,
	                     &p);
	pthread_mutex_lock(&g->lock);
	if (err == GK_OK && p->lapsed != old->lapsed && g->policy == old) {
		gsakmp_policy_unref(g->policy);
		g->policy = gsakmp_policy_ref(p);
	}
	pthread_mutex_unlock(&g->lock);
	gsakmp_policy_unref(p);
	gsakmp_policy_unref(old);
	return err;
}

/* Every record, for one that cannot be read is somebody who is let in by no
 * rule: the next token would throw him out. */
static enum gk_err
check_records(struct gsakmp_group *g)
{
	const struct gk_member *m;
	size_t cursor = 0;

	while ((m = gk_group_each(g->data, &cursor)) != NULL) {
		unsigned layout = gsakmp_member_layout(gk_member_blob(m));

		if (layout == gsakmp_member_layout_read)
			continue;
		g->load_layout = layout;
		return GK_ERR_VALUE;
	}
	return GK_OK;
}

static enum gk_err
reopen(struct gsakmp_group *g, struct gk_now now)
{
	const char *why;

	if (g->data == NULL)
		return GK_ERR_VALUE;
	GK_TRY(gk_group_load_done(g->data, &why));
	GK_TRY(check_records(g));
	GK_TRY(restore_policy(g, &g->party, gk_buf_slice(&g->loaded_token), now,
	                      &g->policy));
	if (gk_group_key_count(g->data) == 0)
		return GK_ERR_VALUE;
	GK_TRY(limit_keys(g, g->policy));
	gsakmp_group_operate(g, g->policy, now);
	g->phase = GSAKMP_GROUP_OPEN;
	gsakmp_group_timers_load(g, now);
	/* Joins that nobody was told of: how much of their window is over is not
	 * known, and one that began anew with every start would never end. */
	gsakmp_group_expect_rekey(g, now);
	if (g->window_ends != GK_NEVER)
		g->window_ends = now.mono_ms;
	/* A subordinate was told, and has no new key since. */
	if (gk_group_note(g->data, GSAKMP_NOTE_OWED).len != 0)
		g->rekey_due = now.mono_ms;
	g->grace_ends = now.mono_ms + g->cfg.grace_ms;
	gsakmp_group_judge_arm(g, now);
	return gsakmp_group_keys_out(g, GSAKMP_OUT_KEY_INSTALL, GK_KEY_CURRENT);
}

/* Registrations that were under way are gone with the process: their members
 * will not be acknowledged, and go at the next policy-defined rekey. */
static enum gk_err
drop_pending(struct gsakmp_group *g)
{
	struct gk_member *m;
	size_t cursor = 0;

	while ((m = gk_group_each(g->data, &cursor)) != NULL) {
		if (m->state != GK_MEMBER_PENDING)
			continue;
		GK_TRY(gk_group_member_state(g->data, m, GK_MEMBER_LEAVING));
		GK_TRY(gsakmp_out_peer(&g->out, GSAKMP_OUT_MEMBER_OVERDUE,
		                       g->cfg.group_id,
		                       gk_buf_slice(&m->identity), m->id));
	}
	return gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g));
}

enum gk_err
gsakmp_group_load_end(struct gsakmp_group *g, struct gk_now now)
{
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&g->lock);
	if (g->phase != GSAKMP_GROUP_DESTROYED &&
	    (g->loaded_token.ptr != NULL || g->data != NULL)) {
		err = reopen(g, now);
		if (err == GK_OK)
			err = drop_pending(g);
	}
	gk_buf_free(&g->loaded_token);
	pthread_mutex_unlock(&g->lock);
	return err;
}

const char *
gsakmp_group_load_why(const struct gsakmp_group *g)
{
	return g->load_why;
}

bool
gsakmp_group_load_layout(const struct gsakmp_group *g, unsigned *found,
                         unsigned *wanted)
{
	*found = g->load_layout;
	*wanted = gsakmp_member_layout_read;
	return g->load_layout != 0;
}
