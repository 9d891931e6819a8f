/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/policy_choice.h"
#include "gsakmp/message/dialect.h"
#include "policy-tokens/token/gpt_gdoi.h"

#define FIELD GSAKMP_POLICY_FIELD

static enum gk_err
forbid(const struct gsakmp_derivation *d, const char *req)
{
	return gsakmp_refuse(d->why, GK_ERR_POLICY,
	                     GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY, req,
	                     FIELD, 0);
}

static enum gk_err
add_key(const struct gsakmp_derivation *d, const struct gpt_key_info *info)
{
	struct gsakmp_policy *p = d->p;
	struct gk_rd rd;
	uint32_t id;

	gk_rd_init(&rd, info->key_id.ptr, info->key_id.len);
	id = gk_rd_u32(&rd, "kMKeyID");
	/* A GSAKMP Key ID has four octets (RFC 4535 section 7.4.1.1). */
	if (gk_rd_done(&rd) != GK_OK && GK_CHECKED("RFC4534-C.1-02"))
		return forbid(d, "RFC4534-C.1-02");
	for (size_t i = 0; i < p->n_keys; i++)
		if (p->key_id[i] == id)
			return GK_OK;
	if (p->n_keys == GSAKMP_POLICY_KEY_MAX)
		return forbid(d, "RFC4534-C.1-02");
	p->key_id[p->n_keys] = id;
	if (info->has_expiration) {
		p->key_expires[p->n_keys] =
			gsakmp_lifedate_utc(&info->expiration);
		p->key_life[p->n_keys] =
			gsakmp_lifedate_s(d->args->dialect, &info->expiration);
	}
	p->n_keys++;
	return GK_OK;
}

/* RFC4534-3-09: every listed data protocol must be one we know. */
static enum gk_err
derive_keys(const struct gsakmp_derivation *d)
{
	const struct gpt_token *t = d->p->v.token;

	for (size_t i = 0; i < t->n_data; i++) {
		const struct gpt_data *data = t->data[i].data;

		if (t->data[i].kind != GPT_PROTOCOL_DATA &&
		    GK_CHECKED("RFC4534-3-09"))
			return forbid(d, "RFC4534-3-09");
		if (data == NULL)
			continue;
		if (data->has_encryption)
			GK_TRY(add_key(d, &data->encryption));
		if (data->has_authentication)
			GK_TRY(add_key(d, &data->authentication));
	}
	/* No data SA asks for a key: the group still has one, to wrap policy
	 * tokens in (RFC 4535 section 5.3.1.1). */
	if (d->p->n_keys == 0)
		d->p->key_id[d->p->n_keys++] = 1;
	return GK_OK;
}

static void
give_key(struct gsakmp_policy *p, const struct gpt_key_info *info,
         size_t number)
{
	struct gk_rd rd;
	uint32_t id;

	gk_rd_init(&rd, info->key_id.ptr, info->key_id.len);
	id = gk_rd_u32(&rd, "kMKeyID");
	for (size_t i = 0; i < p->n_keys; i++)
		if (p->key_id[i] == id)
			p->key_speaker[i] = number;
}

/*
 * RFC4535-4.1.5-06, decision speaker_sa `each`: as many data SAs as speakers,
 * each with keys of its own, and names that are one party each.  A list of data
 * SAs is otherwise the order of encapsulation, so that is not guessed.
 */
static enum gk_err
derive_speakers(const struct gsakmp_derivation *d)
{
	struct gsakmp_policy *p = d->p;
	const struct gpt_token *t = p->v.token;
	size_t given = 0;

	p->speakers = gpt_speakers(p->reg, &p->n_speakers);
	if (d->args->dialect->speaker_sa != GSAKMP_SPEAKER_SA_EACH ||
	    p->speakers != GPT_SPEAKERS_LISTED)
		return GK_OK;
	if (t->n_data != p->n_speakers || !gpt_speakers_exact(p->reg))
		return forbid(d, "RFC4535-4.1.5-06");
	for (size_t i = 0; i < t->n_data; i++) {
		const struct gpt_data *data = t->data[i].data;

		given += data->has_encryption + data->has_authentication;
		if (data->has_encryption)
			give_key(p, &data->encryption, i + 1);
		if (data->has_authentication)
			give_key(p, &data->authentication, i + 1);
	}
	if (given != p->n_keys)
		return forbid(d, "RFC4535-4.1.5-06");
	p->speaker_keys = true;
	return GK_OK;
}

size_t
gsakmp_policy_key_speaker(const struct gsakmp_policy *policy, uint32_t key_id)
{
	for (size_t i = 0; i < policy->n_keys; i++)
		if (policy->key_id[i] == key_id)
			return policy->key_speaker[i];
	return 0;
}

bool
gsakmp_policy_may_send(const struct gsakmp_policy *policy, size_t number,
                       uint32_t key_id)
{
	return !policy->speaker_keys ||
	       gsakmp_policy_key_speaker(policy, key_id) == number;
}

static void
note_unknown(struct gsakmp_policy *p, const char *role,
             const struct gpt_protocol *protocol)
{
	size_t n = strlen(p->unknown);

	if (protocol->kind == GPT_PROTOCOL_UNKNOWN)
		(void)snprintf(p->unknown + n, sizeof(p->unknown) - n,
		               "%s%s %s", n != 0 ? ", " : "", role,
		               protocol->unknown.oid);
}

/* RFC4534-3-12, -14: it is said that there are any, and local policy decides. */
static enum gk_err
check_unknown(const struct gsakmp_derivation *d)
{
	const struct gpt_token *t = d->p->v.token;

	for (size_t i = 0; i < t->n_registration; i++) {
		note_unknown(d->p, "registration", &t->registration[i].reg);
		note_unknown(d->p, "de-registration",
		             &t->registration[i].dereg);
	}
	for (size_t i = 0; i < t->n_rekey; i++)
		note_unknown(d->p, "rekey", &t->rekey[i]);
	if (d->p->unknown[0] == '\0' || !d->args->no_unknown ||
	    !GK_CHECKED("RFC4534-3-14"))
		return GK_OK;
	return gsakmp_refuse(d->why, GK_ERR_POLICY,
	                     GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
	                     "RFC4534-3-14", "unknown protocol", 0);
}

/* One of the numbers of an operation, where it is there and means something. */
static enum gk_err
said(const struct gsakmp_derivation *d, const struct gpt_field *f,
     const struct gpt_operation *o)
{
	const struct gpt_number *n = gpt_field_number(f, o);

	if (!n->present || (n->value >= f->first && n->value <= f->last) ||
	    !GK_CHECKED("RFC4534-2-11"))
		return GK_OK;
	return forbid(d, "RFC4534-2-11");
}

/* Decision operation. */
static enum gk_err
derive_operation(const struct gsakmp_derivation *d)
{
	const struct gpt_operation *o = gpt_token_operation(d->p->v.token);
	const struct gpt_record *r = gpt_record(GPT_RECORD_OPERATION);
	struct gsakmp_operation *to = &d->p->operation;

	if (o == NULL || d->args->dialect->operation == GSAKMP_OPERATION_LOCAL)
		return GK_OK;
	for (size_t i = 0; i < r->n; i++)
		GK_TRY(said(d, &r->field[i], o));
	to->says_join = o->join_rekey.present;
	to->join_rekey = o->join_rekey.value != 0;
	to->says_window = o->join_window.present;
	to->window_ms = (uint32_t)o->join_window.value * 1000;
	to->mtu = (uint32_t)o->mtu.value;
	to->skew_s = (uint32_t)o->skew.value;
	return GK_OK;
}

static enum gk_err
derive(const struct gsakmp_derivation *d)
{
	struct gsakmp_policy *p = d->p;
	bool unknown;

	if (gpt_token_register(p->v.token, NULL) == NULL)
		return forbid(d, "RFC4534-3-03");
	/* RFC4534-3-13: only unknown rekey protocols: cannot be supported. */
	if (gpt_token_rekey(p->v.token, &unknown) == NULL && unknown &&
	    GK_CHECKED("RFC4534-3-13"))
		return forbid(d, "RFC4534-3-13");
	GK_TRY(check_unknown(d));
	GK_TRY(gpt_access_prepare(
		p->v.token, (enum gk_dn_compare)d->args->dialect->dn_string));
	GK_TRY(gsakmp_policy_choose_registration(d));
	GK_TRY(derive_keys(d));
	GK_TRY(derive_speakers(d));
	GK_TRY(derive_operation(d));
	p->dereg_terse = p->dereg == NULL || p->dereg->no_terse
	                         ? p->terse
	                         : p->dereg->terse;
	return gsakmp_policy_choose_rekey(d);
}

static enum gk_err
verify(const struct gsakmp_derivation *d, struct gk_slice token,
       struct gk_now now)
{
	const struct gsakmp_party *party = d->args->party;
	struct gpt_owner owner = {
		.id = party->go_id,
		.cert = party->go_cert,
		.trust = party->go_trust != NULL ? party->go_trust
		                                 : party->trust,
		.allow_sha1 = d->args->legacy_ok,
		.bare_signed_data =
			d->args->dialect->pt_form == GSAKMP_PT_FORM_SIGNEDDATA,
		.edition_reject = d->args->dialect->edition_equal ==
		                  GSAKMP_EDITION_EQUAL_REJECT,
	};
	enum gsakmp_notify notify = GSAKMP_NOTIFY_AUTHENTICATION_FAILED;
	struct gpt_fault fault = { 0 };
	struct gk_buf name = { 0 };
	enum gk_err err;

	if (d->args->restore)
		return gpt_token_restore(token, &d->p->v, d->args->fault);
	GK_TRY(gpt_dialect_group_name(
		(enum gpt_token_groupname)d->args->dialect->token_groupname,
		d->args->group_id_type, d->args->group_id, &name));
	owner.group_name = gk_buf_slice(&name);
	err = gpt_token_verify(token, &owner, d->args->last, now.utc_s,
	                       &d->p->v, &fault);
	gk_buf_free(&name);
	if (err == GK_OK)
		return GK_OK;
	if (d->args->fault != NULL)
		*d->args->fault = fault;
	if (err == GK_ERR_POLICY)
		notify = GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY;
	if (err == GK_ERR_VALUE || err == GK_ERR_SPACE ||
	    err == GK_ERR_TRUNCATED || err == GK_ERR_TRAILING)
		notify = GSAKMP_NOTIFY_PAYLOAD_MALFORMED;
	gsakmp_refuse(d->why, err, notify,
	              fault.req != NULL ? fault.req : "RFC4535-5.2.1.2-16",
	              FIELD, 0);
	if (fault.text[0] != '\0')
		gsakmp_reject_detail(d->why, "%.40s: %s", fault.field,
		                     fault.text);
	return err;
}

enum gk_err
gsakmp_policy_new(const struct gsakmp_policy_args *args, struct gk_slice token,
                  struct gk_now now, struct gsakmp_policy **out,
                  struct gsakmp_reject *why)
{
	struct gsakmp_derivation d = { .args = args, .why = why };
	enum gk_err err;

	d.p = calloc(1, sizeof(*d.p));
	if (d.p == NULL)
		return GK_ERR_NOMEM;
	d.p->refs = 1;
	err = verify(&d, token, now);
	if (err == GK_OK)
		err = gk_buf_copy(&d.p->signed_der, token);
	if (err == GK_OK)
		err = derive(&d);
	if (err != GK_OK) {
		gsakmp_policy_unref(d.p);
		return err;
	}
	*out = d.p;
	return GK_OK;
}

uint32_t
gsakmp_policy_skew(const struct gsakmp_policy *policy, uint32_t local)
{
	return policy != NULL && policy->operation.skew_s != 0
	               ? policy->operation.skew_s
	               : local;
}

bool
gsakmp_policy_over(const struct gsakmp_policy *policy, int64_t utc_s)
{
	for (size_t i = 0; i < policy->n_keys; i++)
		if (policy->key_expires[i] != 0 &&
		    policy->key_expires[i] <= utc_s)
			return true;
	return false;
}

struct gsakmp_policy *
gsakmp_policy_ref(struct gsakmp_policy *policy)
{
	__atomic_add_fetch(&policy->refs, 1, __ATOMIC_RELAXED);
	return policy;
}

void
gsakmp_policy_unref(struct gsakmp_policy *policy)
{
	if (policy == NULL ||
	    __atomic_sub_fetch(&policy->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	gpt_verified_free(&policy->v);
	gk_buf_free(&policy->signed_der);
	free(policy);
}

struct gsakmp_endpoint
gsakmp_policy_answer_to(const struct gsakmp_policy *policy,
                        const struct gsakmp_endpoint *from)
{
	struct gsakmp_endpoint to = *from;

	/* RFC4534-B.1.4-01: all but the Request to Join. */
	if (policy->reg->transport == GPT_TRANSPORT_UDP_RTJ_TCP_OTHER &&
	    !from->stream)
		to.stream = to.open = true;
	return to;
}

static bool
agrees(uint16_t want, uint16_t have)
{
	return want == GSAKMP_SUITE_ANY || want == have;
}

static bool
suite_agrees(const struct gsakmp_suite *want, const struct gsakmp_suite *have)
{
	return agrees(want->signature, have->signature) &&
	       agrees(want->nonce_hash, have->nonce_hash) &&
	       agrees(want->key_creation, have->key_creation) &&
	       agrees(want->encryption, have->encryption);
}

const struct gsakmp_suite *
gsakmp_policy_suite(const struct gsakmp_policy *policy,
                    const struct gsakmp_suite *want)
{
	for (size_t i = 0; i < policy->n_suites; i++)
		if (suite_agrees(want, &policy->suite[i]))
			return &policy->suite[i];
	return NULL;
}

const struct gsakmp_suite *
gsakmp_policy_suite_timed(const struct gsakmp_policy *policy,
                          const struct gsakmp_suite *want)
{
	for (size_t i = 0; i < policy->n_suites; i++)
		if (suite_agrees(want, &policy->suite[i]) &&
		    want->timestamp == policy->suite[i].timestamp)
			return &policy->suite[i];
	return NULL;
}

static bool
has_authority(const struct gpt_party *who, struct gk_slice ca)
{
	for (size_t i = 0; i < who->n_ca_key_ids; i++)
		if (gk_slice_equal(who->ca_key_ids[i], ca))
			return true;
	return false;
}

const struct gpt_leave_mechanism *
gsakmp_policy_leave(const struct gsakmp_policy *policy,
                    const struct gpt_party *who, uint16_t signature)
{
	const struct gpt_deregister *d = policy->dereg;

	for (size_t i = 0; d != NULL && i < d->n_mechanisms; i++)
		if (d->mechanisms[i].sig_algorithm == signature &&
		    has_authority(who, gk_buf_slice(&d->mechanisms[i].ca)))
			return &d->mechanisms[i];
	return NULL;
}
