/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"
#include "gsakmp/engine/policy.h"
#include "gsakmp/tests/vector/vector.h"
#include "policy-tokens/der/gpt_verify.h"
#include "policy-tokens/xml/gpt_policy.h"

static void
fault(struct vec *v, enum gk_err err, const struct gpt_fault *why)
{
	char text[400];

	if (err != GK_OK)
		vec_fail(v, "%s", gpt_fault_format(why, text, sizeof(text)));
}

/* XML to DER in the readings of the dialect; DER to the same model; and in the
 * default readings back to the same XML. */
static void
token(struct vec *v)
{
	struct gk_slice xml = vec_text_slice(v, v->in, "xml");
	struct gk_slice want = vec_octets(v, v->out, "der");
	struct gpt_token *made = NULL, *back = NULL;
	struct gk_buf der = { 0 }, again = { 0 };
	struct gpt_fault why = { 0 };
	bool equal;

	fault(v, gpt_policy_parse(xml, &made, NULL, &why), &why);
	if (readings(v)->token_switched)
		vec_ok(v, gpt_dialect_apply(&readings(v)->token, made),
		       "dialect");
	fault(v, gpt_token_encode(made, &der, &why), &why);
	vec_same(v, "der", vec_buf(v, &der), want);
	fault(v, gpt_token_decode(want, &back, &why), &why);
	equal = gpt_token_equal(made, back);
	if (!readings(v)->token_switched)
		vec_ok(v, gpt_policy_write(back, &again), "writing XML");
	gpt_token_free(made);
	gpt_token_free(back);
	if (!equal)
		vec_fail(v, "what was read is not what was written");
	if (!readings(v)->token_switched)
		vec_same(v, "xml", vec_buf(v, &again), xml);
}

static void
verdict_of(struct vec *v, enum gk_err err, const char *req)
{
	bool accepted = err == GK_OK;

	if (accepted != vec_flag(v, v->out, "accepted"))
		vec_fail(v, accepted ? "accepted" : "refused: %s", req);
	if (!accepted)
		vec_same_text(v, "requirement", req ? req : "none",
		              vec_text(v, v->out, "req"));
}

static void
token_verdict(struct vec *v)
{
	struct gpt_token *made = NULL;
	struct gpt_fault why = { 0 };
	enum gk_err err =
		gpt_token_decode(vec_octets(v, v->in, "der"), &made, &why);

	gpt_token_free(made);
	verdict_of(v, err, why.req);
}

/* The Group Owner of a vector, and whom it is believed through. */
struct owner {
	struct gk_cert *cert, *root;
	struct gk_trust *trust;
};

static void
owner_load(struct vec *v, struct owner *o)
{
	const struct gk_trust_policy legacy = { .allow_legacy = true };

	vec_ok(v,
	       gk_cert_from_der(vec_octets(v, v->in, "certificate"), &o->cert),
	       "certificate");
	vec_ok(v, gk_cert_from_der(vec_octets(v, v->in, "root"), &o->root),
	       "root");
	vec_ok(v, gk_trust_new(&legacy, &o->trust), "trust");
	vec_ok(v, gk_trust_add_anchor(o->trust, o->root), "trust");
}

static void
owner_free(struct owner *o)
{
	gk_cert_free(o->cert);
	gk_cert_free(o->root);
	gk_trust_free(o->trust);
}

static struct gpt_owner
believed(const struct vec *v, const struct owner *o)
{
	return (struct gpt_owner){
		.cert = o->cert,
		.trust = o->trust,
		.allow_sha1 = true,
		.bare_signed_data = readings(v)->dialect.pt_form ==
		                    GSAKMP_PT_FORM_SIGNEDDATA,
		.edition_reject = readings(v)->dialect.edition_equal ==
		                  GSAKMP_EDITION_EQUAL_REJECT,
	};
}

/* It verifies and is what was signed; and ours, signed with the same key, does
 * and is, too. */
static void
verify_signed(struct vec *v, const struct owner *o, struct gk_slice cms)
{
	const struct gpt_owner owner = believed(v, o);
	int64_t when = vec_num(v, v->in, "signing_time");
	struct gpt_verified out = { 0 };
	struct gpt_fault why = { 0 };
	struct gk_buf der;
	int64_t signing_time;

	fault(v, gpt_token_verify(cms, &owner, NULL, when, &out, &why), &why);
	der = out.der;
	out.der = (struct gk_buf){ 0 };
	signing_time = out.seen.signing_time;
	gpt_verified_free(&out);
	vec_same(v, "der", vec_buf(v, &der), vec_octets(v, v->in, "der"));
	vec_same_num(v, "signing_time", signing_time, when);
}

/* The signature is the last thing in the object: where it cannot be made again,
 * one of the same length is made, and all in front of it compared. */
#define TRIES 400

/* It is an OCTET STRING of that length. */
static void
signature_is_last(struct vec *v, struct gk_slice cms, size_t sig)
{
	uint8_t head[4] = { 0x04, 0x82, (uint8_t)(sig >> 8), (uint8_t)sig };
	size_t n = 4;

	if (sig < 128) {
		head[1] = (uint8_t)sig;
		n = 2;
	} else if (sig < 256) {
		head[1] = 0x81;
		head[2] = (uint8_t)sig;
		n = 3;
	}
	if (cms.len < sig + n)
		vec_fail(v, "signature_octets");
	vec_same(v, "signature_octets",
	         (struct gk_slice){ cms.ptr + cms.len - sig - n, n },
	         (struct gk_slice){ head, n });
}

static void
sign_again(struct vec *v, const struct owner *o, struct gk_slice cms)
{
	size_t sig = (size_t)vec_num(v, v->out, "signature_octets");
	struct gk_signer *signer = NULL;
	struct gk_buf made = { 0 };
	struct gpt_fault why = { 0 };
	struct gk_slice ours;

	vec_ok(v,
	       gk_signer_from_pem(vec_octets(v, v->in, "key"), NULL, &signer),
	       "private key");
	for (unsigned i = 0; made.len != cms.len && i < TRIES; i++) {
		gk_buf_free(&made);
		fault(v,
		      gpt_token_sign(vec_octets(v, v->in, "der"), signer,
		                     o->cert, vec_num(v, v->in, "signing_time"),
		                     readings(v)->dialect.pt_form ==
		                             GSAKMP_PT_FORM_SIGNEDDATA,
		                     &made, &why),
		      &why);
	}
	gk_signer_free(signer);
	ours = vec_buf(v, &made);
	signature_is_last(v, cms, sig);
	if (vec_flag(v, v->in, "deterministic") || ours.len != cms.len)
		vec_same(v, "cms", ours, cms);
	vec_same(v, "cms but for the signature",
	         (struct gk_slice){ ours.ptr, ours.len - sig },
	         (struct gk_slice){ cms.ptr, cms.len - sig });
	verify_signed(v, o, ours);
}

static void
token_signed(struct vec *v)
{
	struct gk_slice cms = vec_octets(v, v->out, "cms");
	struct owner o = { 0 };

	owner_load(v, &o);
	verify_signed(v, &o, cms);
	sign_again(v, &o, cms);
	owner_free(&o);
}

static void
token_succession(struct vec *v)
{
	struct gk_slice last = vec_octets(v, v->in, "last");
	struct gpt_verified first = { 0 }, second = { 0 };
	struct gpt_fault why = { 0 };
	struct gpt_owner owner;
	struct gk_buf name = { 0 };
	struct owner o = { 0 };
	int64_t now = vec_num(v, v->in, "now");
	enum gk_err err;

	owner_load(v, &o);
	owner = believed(v, &o);
	vec_ok(v,
	       gpt_dialect_group_name(
		       (enum gpt_token_groupname)readings(v)
			       ->dialect.token_groupname,
		       (uint8_t)vec_num(v, v->in, "group_id_type"),
		       vec_octets(v, v->in, "group_id"), &name),
	       "groupName");
	owner.group_name = vec_buf(v, &name);
	if (last.len != 0)
		fault(v,
		      gpt_token_verify(last, &owner, NULL, now, &first, &why),
		      &why);
	err = gpt_token_verify(vec_octets(v, v->in, "next"), &owner,
	                       &first.seen, now, &second, &why);
	gpt_verified_free(&first);
	if (err == GK_OK)
		gpt_verified_free(&second);
	owner_free(&o);
	verdict_of(v, err, why.req);
}

static int
by_octets(const void *a, const void *b)
{
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* Key IDs in their order as numbers, and whose each key is. */
static void
same_traffic_keys(struct vec *v, const struct gsakmp_policy *p)
{
	json_t *ids = vec_list(v, v->out, "key_ids"), *one;
	json_t *speakers = vec_list(v, v->out, "key_speakers");
	uint32_t sorted[GSAKMP_POLICY_KEY_MAX];
	size_t i;

	vec_same_num(v, "number of Key IDs", (long long)p->n_keys,
	             (long long)json_array_size(ids));
	vec_same_num(v, "number of speakers' keys", (long long)p->n_keys,
	             (long long)json_array_size(speakers));
	memcpy(sorted, p->key_id, p->n_keys * sizeof(sorted[0]));
	qsort(sorted, p->n_keys, sizeof(sorted[0]), by_octets);
	json_array_foreach(ids, i, one)
	{
		uint8_t id[4] = { (uint8_t)(sorted[i] >> 24),
			          (uint8_t)(sorted[i] >> 16),
			          (uint8_t)(sorted[i] >> 8),
			          (uint8_t)sorted[i] };

		vec_same(v, "Key ID", (struct gk_slice){ id, 4 },
		         vec_octets_of(v, one));
		vec_same_num(v, "speaker",
		             (long long)gsakmp_policy_key_speaker(p, sorted[i]),
		             json_integer_value(json_array_get(speakers, i)));
	}
}

static void
same_operation(struct vec *v, const struct gsakmp_operation *o)
{
	const char *unsaid = "unsaid", *join = o->join_rekey ? "yes" : "no";
	char window[16];

	(void)snprintf(window, sizeof(window), "%u s", o->window_ms / 1000);
	vec_same_text(v, "join_rekey", o->says_join ? join : unsaid,
	              vec_text(v, v->out, "join_rekey"));
	vec_same_text(v, "join_window", o->says_window ? window : unsaid,
	              vec_text(v, v->out, "join_window"));
	vec_same_num(v, "mtu", o->mtu, vec_num(v, v->out, "mtu"));
	vec_same_num(v, "skew_s", o->skew_s, vec_num(v, v->out, "skew_s"));
}

static void
same_policy(struct vec *v, const struct gsakmp_policy *p)
{
	json_t *list = vec_list(v, v->out, "suites"), *one;
	size_t i;

	vec_same_num(v, "edition", p->v.token->edition,
	             vec_num(v, v->out, "edition"));
	vec_same_num(v, "rekey_interval_s", p->overdue_s,
	             vec_num(v, v->out, "rekey_interval_s"));
	vec_same_num(v, "kek_type", p->kek_type,
	             vec_num(v, v->out, "kek_type"));
	vec_same_num(v, "resend", p->resend, vec_num(v, v->out, "resend"));
	vec_same_num(v, "number of suites", (long long)p->n_suites,
	             (long long)json_array_size(list));
	same_operation(v, &p->operation);
	json_array_foreach(list, i, one)
	{
		const struct gsakmp_suite *s = &p->suite[i];

		vec_same_num(v, "signature", s->signature,
		             vec_num(v, one, "signature"));
		vec_same_num(v, "nonce_hash", s->nonce_hash,
		             vec_num(v, one, "nonce_hash"));
		vec_same_num(v, "key_creation", s->key_creation,
		             vec_num(v, one, "key_creation"));
		vec_same_num(v, "encryption", s->encryption,
		             vec_num(v, one, "encryption"));
	}
	same_traffic_keys(v, p);
}

static void
policy(struct vec *v)
{
	struct owner o = { 0 };
	struct gsakmp_party party = { 0 };
	const struct gsakmp_policy_args args = {
		.party = &party,
		.dialect = &readings(v)->dialect,
		.group_id_type = (uint8_t)vec_num(v, v->in, "group_id_type"),
		.group_id = vec_octets(v, v->in, "group_id"),
		.legacy_ok = true,
	};
	struct gsakmp_policy *p = NULL;
	struct gsakmp_reject why = { 0 };

	owner_load(v, &o);
	party.go_cert = o.cert;
	party.trust = o.trust;
	if (gsakmp_policy_new(
		    &args, vec_octets(v, v->in, "cms"),
		    (struct gk_now){ .utc_s = vec_num(v, v->in, "now") }, &p,
		    &why) != GK_OK)
		vec_fail(v, "refused: %s", why.req);
	same_policy(v, p);
	gsakmp_policy_unref(p);
	owner_free(&o);
}

static void
name(struct vec *v)
{
	struct gk_cert *cert = NULL;
	struct gk_buf octets = { 0 };
	struct gk_identity id;

	vec_ok(v, gk_cert_from_der(vec_octets(v, v->in, "certificate"), &cert),
	       "certificate");
	vec_ok(v,
	       gk_identity_of_cert(
		       cert, GK_ID_DN_STRING,
		       (enum gk_dn_compare)readings(v)->dialect.dn_string,
		       &octets, &id),
	       "name");
	gk_cert_free(cert);
	if (gk_identity_equal(
		    id,
		    (struct gk_identity){ GK_ID_DN_STRING,
	                                  vec_text_slice(v, v->in, "other") },
		    (enum gk_dn_compare)readings(v)->dialect.dn_string) !=
	    vec_flag(v, v->out, "same"))
		vec_fail(v, "same: the other way round");
	vec_same(v, "dn", vec_buf(v, &octets), vec_text_slice(v, v->out, "dn"));
}

static void
names_match(struct vec *v)
{
	const struct gk_identity left = { GK_ID_DN_STRING,
		                          vec_text_slice(v, v->in, "left") };
	const struct gk_identity right = { GK_ID_DN_STRING,
		                           vec_text_slice(v, v->in, "right") };

	if (gk_identity_equal(
		    left, right,
		    (enum gk_dn_compare)readings(v)->dialect.dn_string) !=
	    vec_flag(v, v->out, "same"))
		vec_fail(v, "the other way round");
}

const struct vec_kind vec_token_kinds[] = {
	{ "token", token },
	{ "token-verdict", token_verdict },
	{ "token-signed", token_signed },
	{ "token-succession", token_succession },
	{ "policy", policy },
	{ "name", name },
	{ "names-match", names_match },
	{ NULL, NULL },
};
