/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/policy_choice.h"

#include "common/base/gk_check.h"
#include "gsakmp/gsakmp_algorithm.h"
#include "gsakmp/message/dialect.h"
#include "gsakmp/message/signing.h"
#include "policy-tokens/token/gpt_suite.h"

#define RESEND_MAX 100 /* a sane end to what ReliabilityResendInfo may ask */

/* LifeDate: an interval in seconds (decision interval_unit), or a date. */
int64_t
gsakmp_lifedate_s(const struct gsakmp_dialect *dialect,
                  const struct gpt_lifedate *l)
{
	if (l->kind != GPT_LIFEDATE_INTERVAL || l->value <= 0)
		return 0;
	if (dialect->interval_unit == GSAKMP_INTERVAL_UNIT_MIN)
		return l->value > INT32_MAX ? INT32_MAX : l->value * 60;
	if (dialect->interval_unit == GSAKMP_INTERVAL_UNIT_MS)
		return (l->value + 999) / 1000;
	return l->value > INT32_MAX ? INT32_MAX : l->value;
}

int64_t
gsakmp_lifedate_utc(const struct gpt_lifedate *l)
{
	return l->kind == GPT_LIFEDATE_INTERVAL ? 0 : l->value;
}

bool
gsakmp_suite_supported(const struct gsakmp_suite *suite, bool legacy)
{
	const struct gsakmp_dialect plain = { 0 };
	struct gsakmp_cipher cipher;

	if (gsakmp_signature_alg(&plain, suite->signature).scheme ==
	            GK_SIG_NONE ||
	    gsakmp_nonce_hash(suite->nonce_hash) == GK_HASH_NONE ||
	    gsakmp_kex(suite->key_creation) == GK_KEX_NONE ||
	    !gsakmp_cipher(&plain, suite->encryption, &cipher))
		return false;
	return legacy ||
	       !(gsakmp_is_legacy(GSAKMP_TABLE_SIGNATURE, &plain,
	                          suite->signature) ||
	         gsakmp_is_legacy(GSAKMP_TABLE_NONCE_HASH, &plain,
	                          suite->nonce_hash) ||
	         gsakmp_is_legacy(GSAKMP_TABLE_KEY_CREATION, &plain,
	                          suite->key_creation) ||
	         gsakmp_is_legacy(GSAKMP_TABLE_KEY, &plain, suite->encryption));
}

/* A code point that does not fit two octets is no code point. */
static bool
to_code(int64_t v, uint16_t *code)
{
	*code = (uint16_t)v;
	return v >= 0 && v < GSAKMP_SUITE_ANY;
}

static bool
suite_from_gpt(const struct gsakmp_dialect *dialect,
               const struct gpt_mechanisms *m, struct gsakmp_suite *out)
{
	*out = (struct gsakmp_suite){
		.timestamp = m->has_timestamp && m->timestamp,
		.terse = m->terse,
		.timeout_s = (uint32_t)gsakmp_lifedate_s(dialect, &m->timeout),
	};
	return to_code(m->sig_algorithm, &out->signature) &&
	       to_code(m->hash_algorithm, &out->nonce_hash) &&
	       to_code(m->key_exchange, &out->key_creation) &&
	       to_code(m->key_wrap, &out->encryption);
}

/* RFC4534-2-11: that our programs know an algorithm is not enough; a group in which
 * we can answer nobody, or rekey nothing, is none of ours. */
static bool
we_can_sign(const struct gsakmp_derivation *d, uint16_t type)
{
	return !d->args->we_sign ||
	       gsakmp_can_sign(d->args->dialect, d->args->party->signer,
	                       type) ||
	       !GK_CHECKED("RFC4534-2-11");
}

bool
gsakmp_policy_signs(const struct gsakmp_policy *p,
                    const struct gsakmp_dialect *dialect,
                    const struct gk_signer *signer)
{
	if (p->rekey != NULL && !gsakmp_can_sign(dialect, signer, p->rekey_sig))
		return false;
	for (size_t i = 0; i < p->n_suites; i++)
		if (gsakmp_can_sign(dialect, signer, p->suite[i].signature))
			return true;
	return false;
}

/* --- registration ---------------------------------------------------------- */

/* Why an entry of the token is passed over; @req NULL: it is not. */
struct unfit {
	const char *req, *field;
};

static enum gk_err
forbid(const struct gsakmp_derivation *d, const struct unfit *why)
{
	return gsakmp_refuse(d->why, GK_ERR_POLICY,
	                     GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY, why->req,
	                     why->field, 0);
}

/* Members can do such an entry, and take it: nobody goes on to the next one. */
static const char not_our_key[] = "signature type: our key cannot make one";

/* RFC4534-B.1.3-01: any listed set will do; RFC4534-3-05: in that order.  True: there
 * is one that would do if our key were another. */
static bool
derive_mechanisms(const struct gsakmp_derivation *d)
{
	struct gsakmp_policy *p = d->p;
	bool unsigned_by_us = false;

	p->n_suites = 0;
	for (size_t i = 0; i < p->reg->n_mechanisms; i++) {
		const struct gpt_join_mechanism *j = &p->reg->mechanisms[i];
		struct gpt_mechanisms m = j->alacarte;
		struct gsakmp_suite suite;

		if (j->suite != NULL && gpt_suite_expand(j->suite, &m) != GK_OK)
			continue;
		if (!suite_from_gpt(d->args->dialect, &m, &suite) ||
		    !gsakmp_suite_supported(&suite, d->args->legacy_ok))
			continue;
		if (!we_can_sign(d, suite.signature)) {
			unsigned_by_us = true;
			continue;
		}
		if (p->n_suites < GSAKMP_POLICY_SUITE_MAX)
			p->suite[p->n_suites++] = suite;
	}
	p->terse = p->suite[0].terse;
	return unsigned_by_us;
}

/* RFC4534-2-11: "communication mechanisms are supported".  A group to which no
 * member can speak is none. */
static bool
listens(const struct gsakmp_policy_args *args, enum gpt_transport t)
{
	return !(args->no_udp && t != GPT_TRANSPORT_TCP) &&
	       !(args->no_tcp && t != GPT_TRANSPORT_UDP);
}

static struct unfit
try_registration(const struct gsakmp_derivation *d,
                 const struct gpt_registration *r)
{
	struct gsakmp_policy *p = d->p;
	bool unsigned_by_us;

	p->reg = r->reg.reg;
	p->dereg = r->dereg.dereg;
	unsigned_by_us = derive_mechanisms(d);
	if ((!listens(d->args, p->reg->transport) ||
	     (p->dereg != NULL && !listens(d->args, p->dereg->transport))) &&
	    GK_CHECKED("RFC4534-2-11"))
		return (struct unfit){ "RFC4534-2-11",
			               "transport: nothing listens for it" };
	if (p->n_suites == 0 && unsigned_by_us)
		return (struct unfit){ "RFC4534-2-11", not_our_key };
	if (p->n_suites == 0 && GK_CHECKED("RFC4534-3-03", "RFC4535-2-08"))
		return (struct unfit){ "RFC4534-3-03", GSAKMP_POLICY_FIELD };
	return (struct unfit){ NULL, NULL };
}

/*
 * RFC4534-3-05: what a member is configured to do is its local policy.  A key server
 * that does not listen for the first entry goes on to the next one, and whoever comes
 * by that one means the same.
 */
static bool
is_our_way(enum gsakmp_way way, enum gpt_transport t)
{
	static const enum gpt_transport by[] = {
		[GSAKMP_WAY_UDP] = GPT_TRANSPORT_UDP,
		[GSAKMP_WAY_TCP] = GPT_TRANSPORT_TCP,
		[GSAKMP_WAY_MIXED] = GPT_TRANSPORT_UDP_RTJ_TCP_OTHER,
	};

	return way == GSAKMP_WAY_UNSAID || by[way] == t;
}

enum gk_err
gsakmp_policy_choose_registration(const struct gsakmp_derivation *d)
{
	const struct gpt_token *t = d->p->v.token;
	const struct gpt_registration *other = NULL;
	struct unfit first = { "RFC4534-3-03", GSAKMP_POLICY_FIELD };
	bool any = false;

	for (size_t i = 0; i < t->n_registration; i++) {
		const struct gpt_registration *r = &t->registration[i];
		struct unfit why;

		if (r->reg.kind != GPT_PROTOCOL_REGISTER)
			continue;
		why = try_registration(d, r);
		if (why.field == not_our_key)
			return forbid(d, &why);
		if (why.req == NULL &&
		    is_our_way(d->args->way, r->reg.reg->transport))
			return GK_OK;
		if (why.req == NULL && other == NULL)
			other = r;
		if (!any)
			first = why;
		any = true;
	}
	if (other == NULL)
		return forbid(d, &first);
	(void)try_registration(d, other); /* it has been: none is better */
	return GK_OK;
}

/* --- rekey ------------------------------------------------------------------ */

static void
derive_event(struct gsakmp_policy *p, const struct gsakmp_dialect *dialect)
{
	const struct gpt_rekey *r = p->rekey;

	if (r->event == GPT_REKEY_EVENT_TIME ||
	    r->event == GPT_REKEY_EVENT_TIME_AND_COUNT) {
		p->rekey_time_s = gsakmp_lifedate_s(dialect, &r->event_time);
		p->rekey_at_utc = gsakmp_lifedate_utc(&r->event_time);
	}
	if ((r->event == GPT_REKEY_EVENT_COUNT ||
	     r->event == GPT_REKEY_EVENT_TIME_AND_COUNT) &&
	    r->event_count > 0)
		p->rekey_events = r->event_count > INT32_MAX
		                          ? INT32_MAX
		                          : (unsigned)r->event_count;
}

/* The mechanisms of @r are @m; RFC4534-3-07 and -2-11. */
static struct unfit
try_rekey(const struct gsakmp_derivation *d, const struct gpt_rekey *r,
          struct gsakmp_suite *m)
{
	if ((!to_code(r->sig_algorithm, &m->signature) ||
	     (r->method == GPT_METHOD_LKH &&
	      !to_code(r->lkh_key_type, &m->encryption)) ||
	     !gsakmp_suite_supported(m, d->args->legacy_ok) ||
	     r->method == GPT_METHOD_UNKNOWN) &&
	    GK_CHECKED("RFC4534-3-07"))
		return (struct unfit){ "RFC4534-3-07", GSAKMP_POLICY_FIELD };
	if (r->reliability == GPT_RELIABILITY_UNKNOWN &&
	    GK_CHECKED("RFC4534-2-11"))
		return (struct unfit){ "RFC4534-2-11", GSAKMP_POLICY_FIELD };
	return (struct unfit){ NULL, NULL };
}

/*
 * RFC4534-B.5.6.3-01: who is to post must have somewhere to do it.  To go on to the
 * next entry would be to do something else than the members: they can do this one,
 * take it, and look for what they missed where nobody posts it.
 */
#define NOT_POSTED "rekey reliability post, and no bulletin is configured"

static bool
cannot_post(const struct gsakmp_derivation *d, const struct gpt_rekey *r)
{
	return r->reliability == GPT_RELIABILITY_POST && d->args->no_post &&
	       GK_CHECKED("RFC4534-2-11");
}

static void
use_rekey(const struct gsakmp_derivation *d, const struct gpt_rekey *r,
          const struct gsakmp_suite *m)
{
	struct gsakmp_policy *p = d->p;

	p->rekey = r;
	p->lkh = r->method == GPT_METHOD_LKH;
	p->kek_type = m->encryption;
	p->rekey_sig = m->signature;
	derive_event(p, d->args->dialect);
	/* RFC4534-B.5.4.1-01: without a method no rekey can be missed. */
	if (p->lkh)
		p->overdue_s =
			gsakmp_lifedate_s(d->args->dialect, &r->interval);
	if (r->reliability == GPT_RELIABILITY_RESEND && r->resend > 0)
		p->resend = r->resend > RESEND_MAX ? RESEND_MAX
		                                   : (unsigned)r->resend;
	if (r->reliability == GPT_RELIABILITY_POST)
		p->post = r->post;
}

enum gk_err
gsakmp_policy_choose_rekey(const struct gsakmp_derivation *d)
{
	const struct gpt_token *t = d->p->v.token;
	struct unfit first = { NULL, NULL };

	for (size_t i = 0; i < t->n_rekey; i++) {
		struct gsakmp_suite m = d->p->suite[0];
		struct unfit why;

		if (t->rekey[i].kind != GPT_PROTOCOL_REKEY)
			continue;
		why = try_rekey(d, t->rekey[i].rekey, &m);
		if (why.req == NULL && cannot_post(d, t->rekey[i].rekey))
			return forbid(d, &(struct unfit){ "RFC4534-2-11",
			                                  NOT_POSTED });
		if (why.req == NULL && !we_can_sign(d, m.signature))
			return forbid(d, &(struct unfit){ "RFC4534-2-11",
			                                  not_our_key });
		if (why.req == NULL) {
			use_rekey(d, t->rekey[i].rekey, &m);
			return GK_OK;
		}
		if (first.req == NULL)
			first = why;
	}
	if (first.req != NULL)
		return forbid(d, &first);
	d->p->kek_type = d->p->suite[0].encryption;
	return GK_OK;
}
