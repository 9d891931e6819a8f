/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/group_plan.h"
#include "gdoi/message/sig_key.h"

/*
 * Taking a policy: the first opens the group, a later one changes it, and after a
 * restart one says that what was restored still holds.
 */
#define RSA_MIN 2048

static enum gk_err
refuse(struct isakmp_reject *why, enum gk_err err, const char *req,
       const char *field)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
	                     req, field, 0);
}

/* ---- can it be run? ------------------------------------------------------ */

static const struct gk_pubkey *
signer_key(const struct gdoi_group_config *cfg)
{
	if (cfg->signer == NULL || cfg->signer_key != NULL)
		return cfg->signer == NULL ? NULL : cfg->signer_key;
	return gk_signer_pubkey(cfg->signer);
}

/* An ECDSS policy need not say how long keys are: ours says it. */
static enum gk_err
check_signature(const struct gdoi_group_config *cfg,
                const struct gdoi_dialect *dialect, const struct gdoi_sak *sak,
                struct isakmp_reject *why)
{
	const struct gk_pubkey *key = signer_key(cfg);
	struct gk_sig_alg alg;

	if (key == NULL)
		return refuse(why, GK_ERR_POLICY, "RFC6407-5.3-13",
		              "SIG_ALGORITHM, and there is no signer");
	alg = gdoi_kek_signature(dialect, sak->sig_algorithm, sak->sig_hash,
	                         (uint16_t)gk_pubkey_bits(key));
	if ((alg.scheme == GK_SIG_NONE || !gk_pubkey_suits(key, alg)) &&
	    GK_CHECKED("RFC6407-5.3-13"))
		return refuse(why, GK_ERR_POLICY, "RFC6407-5.3-13",
		              "SIG_ALGORITHM, for which the signer's key is of "
		              "the wrong kind");
	if (sak->sig_key_length != 0 &&
	    sak->sig_key_length != gk_pubkey_bits(key) &&
	    GK_CHECKED("RFC6407-5.3.7-01"))
		return refuse(why, GK_ERR_POLICY, "RFC6407-5.3.7-01",
		              "SIG_KEY_LENGTH, which is not that of the "
		              "signer's key");
	if (!cfg->legacy_ok && gk_sig_is_legacy(alg))
		return refuse(why, GK_ERR_POLICY, "RFC6407-6.1-04",
		              "SIG_ALGORITHM, which is legacy");
	if (!cfg->legacy_ok &&
	    gk_pubkey_min_bits(key, RSA_MIN, RSA_MIN) != GK_OK)
		return refuse(why, GK_ERR_POLICY, "RFC6407-6.1-04",
		              "SIG_ALGORITHM, for which the signer's key is "
		              "too short");
	return GK_OK;
}

static const struct gdoi_dialect *
dialect_of(const struct gdoi_group_config *cfg)
{
	static const struct gdoi_dialect defaults;

	return cfg->dialect != NULL ? cfg->dialect : &defaults;
}

enum gk_err
gdoi_group_rekey_check(const struct gdoi_group_config *cfg,
                       const struct gdoi_rekey_policy *p,
                       struct isakmp_reject *why)
{
	enum gk_cipher cipher =
		gdoi_kek_cipher(p->sak.algorithm, p->sak.key_length);

	if ((cipher == GK_CIPHER_NONE ||
	     (gk_cipher_is_legacy(cipher) && !cfg->legacy_ok)) &&
	    GK_CHECKED("RFC6407-5.3-12"))
		return refuse(why, GK_ERR_POLICY, "RFC6407-5.3-12",
		              "KEK_ALGORITHM");
	/* RFC8263-2.2-01 */
	if (((p->sak.ack != 0 && gdoi_ack_prf(p->sak.ack) == GK_HASH_NONE) ||
	     (gdoi_ack_by_leaf(p->sak.ack) &&
	      p->sak.management != GDOI_KEK_MANAGEMENT_LKH)) &&
	    GK_CHECKED("RFC8263-2.2-01"))
		return refuse(why, GK_ERR_POLICY, "RFC8263-2.2-01",
		              "KEK_ACK_REQUESTED");
	return check_signature(cfg, dialect_of(cfg), &p->sak, why);
}

static enum gk_err
check_data(const struct gdoi_group_config *cfg,
           const struct gdoi_dialect *dialect, const struct gdoi_policy *p,
           struct isakmp_reject *why)
{
	bool counters = false;

	for (size_t i = 0; i < p->n_data; i++) {
		struct gdoi_sat_keys keys;

		GK_TRY(gdoi_sat_keys(dialect, &p->data[i].sat, &keys, why));
		/* Its source made it; it is in the policy, or nowhere. */
		if (keys.source_auth &&
		    gdoi_source_key_check(&p->data[i].sat,
		                          p->data[i].source_key) != GK_OK &&
		    GK_CHECKED("RFC6407-5.6.1.3-01"))
			return refuse(why, GK_ERR_POLICY, "RFC6407-5.6.1.3-01",
			              "TEK_SOURCE_AUTH_KEY");
		if (keys.legacy && !cfg->legacy_ok &&
		    GK_CHECKED("RFC6407-6.2-01"))
			return refuse(why, GK_ERR_POLICY, "RFC6407-6.2-01",
			              "Transform ID");
		counters |= keys.counter_mode &&
		            p->data[i].sat.protocol != GDOI_PROTOCOL_IEC_61850;
	}
	if (counters && (p->sid_bits == 0 || p->sid_bits > 32) &&
	    GK_CHECKED("RFC6407-5.6.4.1-01"))
		return refuse(why, GK_ERR_POLICY, "RFC6407-5.6.4.1-01",
		              "NUMBER_OF_SID_BITS");
	return GK_OK;
}

enum gk_err
gdoi_group_policy_check(const struct gdoi_group_config *cfg,
                        const struct gdoi_policy *p, struct isakmp_reject *why)
{
	/* RFC6407-5.2.1-03 */
	if (!p->rekey.on && p->n_data == 0 && GK_CHECKED("RFC6407-5.2.1-03"))
		return refuse(why, GK_ERR_POLICY, "RFC6407-5.2.1-03", "SA");
	if (p->n_data > GDOI_SATS_MAX / 2)
		return refuse(why, GK_ERR_SPACE, "RFC6407-5.2.1-02", "SAT");
	if (p->rekey.on)
		GK_TRY(gdoi_group_rekey_check(cfg, &p->rekey, why));
	return check_data(cfg, dialect_of(cfg), p, why);
}

/* ---- the tree ------------------------------------------------------------ */

/*
 * RFC6407 section 5.6.3.1: an LKH ID has 16 bits, so the tree has no more than 65535
 * nodes, the KEK included: with degree 2 that is 32768 members.
 */
static uint32_t
tree_capacity(unsigned degree, unsigned wanted)
{
	uint64_t leaves = degree, nodes = 1 + (uint64_t)degree;

	while (leaves < wanted && nodes + leaves * degree <= GDOI_LKH_LAST) {
		leaves *= degree;
		nodes += leaves;
	}
	return (uint32_t)leaves;
}

static unsigned
degree_of(const struct gdoi_policy *p)
{
	if (!p->rekey.on || p->rekey.sak.management != GDOI_KEK_MANAGEMENT_LKH)
		return 0;
	return p->rekey.lkh_degree == 0 ? 2 : p->rekey.lkh_degree;
}

uint32_t
gdoi_group_room(const struct gdoi_policy *policy)
{
	unsigned degree = degree_of(policy);

	return degree == 0 ? UINT32_MAX : tree_capacity(degree, UINT32_MAX);
}

struct gdoi_group_shape
gdoi_group_shape_of(const struct gdoi_group *g, const struct gdoi_policy *p)
{
	struct gdoi_group_shape shape = { .backward = p->rekey.on &&
		                                      p->rekey.backward };
	enum gk_cipher cipher = gdoi_kek_cipher(p->rekey.sak.algorithm,
	                                        p->rekey.sak.key_length);

	if (p->sid_bits != 0)
		shape.sender_last = p->sid_bits >= 32 ? UINT32_MAX
		                                      : (1U << p->sid_bits) - 1;
	if (g->cfg.sender_last != 0 && g->cfg.sender_last < shape.sender_last)
		shape.sender_last = g->cfg.sender_last;
	shape.degree = (uint16_t)degree_of(p);
	if (shape.degree == 0)
		return shape;
	shape.key_len = (uint8_t)gdoi_lkh_plain_len(cipher);
	shape.capacity = tree_capacity(shape.degree, g->cfg.members_max);
	return shape;
}

enum gk_err
gdoi_group_make_data(struct gdoi_group *g)
{
	const struct gdoi_group_shape *s = &g->shape;
	const struct gk_group_config cfg = {
		.scope = gk_buf_slice(&g->scope),
		.lkh = { .degree = s->degree,
		         .key_len = s->key_len,
		         .capacity = s->capacity,
		         .plain = true,
		         .backward = s->backward,
		         .last_id = GDOI_LKH_LAST,
		         .spare = g->cfg.tree_spare,
		         .whole = true }, /* RFC6407-5.6.3.2-04 */
		.backward = s->backward,
		.fixed = true,
		/* RFC6407-3.5-08: in sequence over a restart, too.  A
		 * registration is durable before message 4 in any case, and of
		 * eight bits there are none to lose. */
		.sender_block = 1,
		.sender_last =
			s->sender_last == 0 ? UINT32_MAX : s->sender_last,
	};

	return gk_group_new(g->env, &cfg, &g->data);
}

/* RFC6407-5.6.3.1: the keys of a tree are of the KEK's algorithm, so those of another
 * one are no keys of it, though they may have as many octets. */
static bool
same_tree_keys(const struct gdoi_group *g, const struct gdoi_policy *p)
{
	const struct gdoi_rekey_sa *kek = gdoi_kek_of(g, GDOI_KEK_CURRENT);

	return kek == NULL || kek->sak.management != GDOI_KEK_MANAGEMENT_LKH ||
	       kek->cipher == gdoi_kek_cipher(p->rekey.sak.algorithm,
	                                      p->rekey.sak.key_length);
}

static bool
same_shape(const struct gdoi_group *g, const struct gdoi_group_shape *shape,
           const struct gdoi_policy *p)
{
	const struct gdoi_group_shape *s = &g->shape;

	return same_tree_keys(g, p) && s->degree == shape->degree &&
	       s->key_len == shape->key_len && s->capacity == shape->capacity &&
	       s->backward == shape->backward &&
	       s->sender_last == shape->sender_last &&
	       p->rekey.on == (gdoi_kek_of(g, GDOI_KEK_CURRENT) != NULL);
}

/* ---- what stays ---------------------------------------------------------- */

/* Does a Rekey SA say what policy says? */
bool
gdoi_kek_fits(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	struct gdoi_sak sak = g->policy->rekey.sak;
	static const struct gdoi_dialect plain;
	uint8_t body[1024];
	struct gk_wr wr;

	if (!gdoi_kek_is_ours(g, kek))
		return false;
	memcpy(sak.spi, kek->sak.spi, sizeof(sak.spi));
	sak.management = kek->sak.management;
	gk_wr_init(&wr, body, sizeof(body));
	gdoi_sak_encode(&wr, &plain, &sak);
	return gk_wr_done(&wr) == GK_OK &&
	       gk_slice_equal(gk_buf_slice(&kek->body),
	                      (struct gk_slice){ body, wr.len });
}

/* The form of its key is the dialect's of when it was made, which may be
 * another one by now: then it makes way. */
static bool
source_fits(const struct gdoi_group *g, const struct gdoi_data_sa *t,
            const struct gdoi_data_policy *data)
{
	struct gk_buf key;
	bool same;

	if (!t->keys.source_auth)
		return true;
	if (gdoi_source_key_write(&g->dialect, data->source_key, &key) != GK_OK)
		return false;
	same = gk_slice_equal(gk_buf_slice(&key),
	                      gk_buf_slice(&t->source_auth));
	gk_buf_free(&key);
	return same;
}

static bool
tek_fits(const struct gdoi_group *g, const struct gdoi_data_sa *t,
         const struct gdoi_data_policy *data)
{
	struct gdoi_sat sat = data->sat;
	static const struct gdoi_dialect plain;
	struct gk_buf body;
	struct gk_wr wr;
	bool same;

	memcpy(sat.spi, t->sat.spi, sizeof(sat.spi));
	if (gk_buf_alloc(&body, t->body.len + 1) != GK_OK)
		return false;
	gk_wr_init(&wr, body.ptr, body.len);
	gdoi_sat_encode(&wr, &plain, &sat);
	same = gk_wr_done(&wr) == GK_OK &&
	       gk_slice_equal(gk_buf_slice(&t->body),
	                      (struct gk_slice){ body.ptr, wr.len });
	gk_buf_free(&body);
	return same && source_fits(g, t, data);
}

static void
drop_spares(struct gdoi_group *g)
{
	struct gdoi_rekey_sa *kek = gdoi_kek_of(g, GDOI_KEK_SPARE);
	struct gdoi_data_sa *next;

	if (kek != NULL)
		gdoi_kek_remove(g, kek);
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = next) {
		next = t->next;
		if (t->spare)
			gdoi_tek_remove(g, t);
	}
}

/* Which TEK is of which Data-Security SA of the new policy? */
static enum gk_err
remap(struct gdoi_group *g)
{
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		uint16_t data = GDOI_DATA_ORPHAN;

		for (uint16_t i = 0; i < g->policy->n_data; i++)
			if (data == GDOI_DATA_ORPHAN &&
			    tek_fits(g, t, &g->policy->data[i]))
				data = i;
		if (t->data == data)
			continue;
		t->data = data;
		GK_TRY(gdoi_tek_save(g, t));
	}
	return GK_OK;
}

/* ---- taking it ----------------------------------------------------------- */

static void
adopt(struct gdoi_group *g, struct gdoi_policy *policy)
{
	if (g->policy != NULL && g->policy != policy)
		gdoi_policy_free(g->policy);
	g->policy = policy;
	g->phase = GDOI_GROUP_OPEN;
	g->moved++;
}

/* The first keys: there is nobody who would have to be told. */
static enum gk_err
first_keys(struct gdoi_group *g, struct gk_now now)
{
	struct gdoi_rekey_cause cause = { .at_once = true };

	for (uint16_t i = 0; i < g->policy->n_data; i++)
		cause.data[i] = GDOI_DATA_REPLACE;
	GK_TRY(gdoi_group_save_head(g));
	return gdoi_group_plan(g, &cause, now);
}

static enum gk_err
open_group(struct gdoi_group *g, struct gdoi_policy *policy, struct gk_now now)
{
	const struct gk_env *env = g->env;

	g->shape = gdoi_group_shape_of(g, policy);
	GK_TRY(env->random(env->ctx, g->spi_key, sizeof(g->spi_key)));
	GK_TRY(gdoi_group_make_data(g));
	adopt(g, policy);
	return first_keys(g, now);
}

/* Who was evicted stays so in a tree of another shape. */
static enum gk_err
move_excluded(const struct gk_group *from, struct gk_group *to)
{
	struct gk_slice name, reason;
	size_t cursor = 0;

	while (gk_group_excluded_each(from, &cursor, &name)) {
		if (!gk_group_excluded(from, name, &reason))
			continue;
		GK_TRY(gk_group_exclude(to, name, reason));
	}
	return GK_OK;
}

/* Handles name rows and make SPIs: they go on where they were. */
static enum gk_err
move_handles(struct gk_group *from, struct gk_group *to)
{
	uint32_t last, handle = 0;

	GK_TRY(gk_group_handle_next(from, &last));
	while (handle < last)
		GK_TRY(gk_group_handle_next(to, &handle));
	return GK_OK;
}

/* A tree cannot change its shape, nor a group without KEK tell of one: everybody
 * registers anew. */
static enum gk_err
found_anew(struct gdoi_group *g, struct gdoi_policy *policy, struct gk_now now)
{
	struct gk_group *before = g->data;
	enum gk_err err;

	if (g->policy == NULL) { /* after a restart */
		g->policy = policy;
		GK_TRY(remap(g));
	}
	GK_TRY(gdoi_group_announce_kek(g, now));
	GK_TRY(gdoi_group_plan_delete(g, now));
	GK_TRY(gdoi_group_drop_teks(g, now));
	g->shape = gdoi_group_shape_of(g, policy);
	g->data = NULL;
	err = gdoi_group_make_data(g);
	if (err == GK_OK)
		err = move_excluded(before, g->data);
	if (err == GK_OK)
		err = move_handles(before, g->data);
	if (err != GK_OK) {
		gk_group_free(g->data);
		g->data = before;
		return err;
	}
	gk_group_free(before);
	gdoi_members_free(g);
	gk_journal_clear(g->own);
	GK_TRY(gk_journal_drop(g->own));
	drop_spares(g);
	GK_TRY(gdoi_group_keep_last_words(g));
	adopt(g, policy);
	return first_keys(g, now);
}

static size_t
not_admitted(const struct gdoi_group *g, struct gk_member **m)
{
	struct gk_member *each;
	size_t cursor = 0, n = 0;

	while ((each = gk_group_each(g->data, &cursor)) != NULL)
		if (!gdoi_member_admitted(g->policy, each))
			m[n++] = each;
	return n;
}

static enum gk_err
expel(struct gdoi_group *g, struct gk_now now, bool *rekeyed)
{
	struct gk_member **m;
	enum gk_err err = GK_OK;
	size_t n;

	m = calloc(gk_group_count(g->data) + 1, sizeof(struct gk_member *));
	if (m == NULL)
		return GK_ERR_NOMEM;
	n = not_admitted(g, m);
	*rekeyed = n != 0;
	if (n != 0)
		err = gdoi_group_evict_members(g, m, n, false, now);
	free(m);
	return err;
}

static enum gk_err
change(struct gdoi_group *g, struct gdoi_policy *policy, struct gk_now now)
{
	struct gdoi_rekey_cause cause = { .kek = false };
	const struct gdoi_rekey_sa *kek;
	bool any, rekeyed;

	drop_spares(g);
	adopt(g, policy);
	GK_TRY(remap(g));
	GK_TRY(expel(g, now, &rekeyed));
	if (rekeyed)
		return GK_OK;
	kek = gdoi_kek_of(g, GDOI_KEK_CURRENT);
	cause.kek = kek != NULL && !gdoi_kek_fits(g, kek);
	any = cause.kek;
	for (const struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		any |= t->data == GDOI_DATA_ORPHAN && gdoi_tek_live(t);
	for (uint16_t i = 0; i < policy->n_data; i++)
		if (gdoi_data_leading(g, i) == NULL) {
			cause.data[i] = GDOI_DATA_REPLACE;
			any = true;
		}
	if (any)
		return gdoi_group_plan(g, &cause, now);
	/* After a restart: somebody waits for what was not yet said. */
	if (g->rekey_owed || gk_group_due(g->data) ||
	    gk_group_count_state(g->data, GK_MEMBER_LEAVING) != 0 ||
	    gdoi_kek_of(g, GDOI_KEK_NEXT) != NULL)
		g->window_ends = now.mono_ms;
	gdoi_group_timers(g, now);
	return gdoi_teks_settle(g, now);
}

/* Members would refuse, one by one, whatever we send them from now on. */
static enum gk_err
check_signers(const struct gdoi_group *g, struct isakmp_reject *why)
{
	for (const struct gdoi_rekey_sa *k = g->keks; k != NULL; k = k->next)
		if (k->state != GDOI_KEK_OLD && !gdoi_kek_can_sign(g, k) &&
		    gk_group_count(g->data) != 0 &&
		    GK_CHECKED("RFC6407-5.6.2.2-01"))
			return refuse(why, GK_ERR_POLICY, "RFC6407-5.6.2.2-01",
			              "SIG_ALGORITHM_KEY: members have that of "
			              "another signer, which previous-key of "
			              "<signer> can name");
	return GK_OK;
}

static enum gk_err
set_policy(struct gdoi_group *g, struct gdoi_policy *policy, struct gk_now now,
           struct isakmp_reject *why)
{
	const struct gdoi_group_shape shape = gdoi_group_shape_of(g, policy);
	enum gk_err err;

	g->now = now;
	if (g->phase == GDOI_GROUP_DESTROYED)
		return refuse(why, GK_ERR_UNEXPECTED, "RFC6407-5.9-07",
		              "the group was destroyed");
	GK_TRY(gdoi_group_policy_check(&g->cfg, policy, why));
	GK_TRY(check_signers(g, why));
	GK_TRY(gdoi_group_list(g, policy));
	if (g->data == NULL)
		err = open_group(g, policy, now);
	else if (!same_shape(g, &shape, policy))
		err = found_anew(g, policy, now);
	else
		err = change(g, policy, now);
	if (err == GK_OK)
		return gdoi_out_plain(g, GDOI_OUT_POLICY, NULL);
	/* What went wrong is made up for under it, if it is in force. */
	if (g->policy != policy)
		(void)!gdoi_group_list(g, g->policy);
	return err;
}

void
gdoi_group_set_lapsed(struct gdoi_group *g, bool lapsed)
{
	pthread_mutex_lock(&g->lock);
	/* What was offered before is not to be had any more. */
	if (g->policy != NULL && g->policy->lapsed != lapsed) {
		g->policy->lapsed = lapsed;
		g->moved++;
	}
	pthread_mutex_unlock(&g->lock);
}

enum gk_err
gdoi_group_set_policy(struct gdoi_group *g, struct gdoi_policy *policy,
                      struct gk_now now, struct isakmp_reject *why)
{
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	err = set_policy(g, policy, now, why);
	if (g->policy != policy)
		gdoi_policy_free(policy);
	pthread_mutex_unlock(&g->lock);
	GK_TRY(err);
	return gdoi_group_flush(g, now);
}
