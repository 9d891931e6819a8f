/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "gsakmp/message/build.h"
#include "gsakmp/tests/vector/vector.h"

static struct gsakmp_groupid
group(struct vec *v)
{
	return (struct gsakmp_groupid){ (uint8_t)vec_num(v, v->in,
		                                         "group_id_type"),
		                        vec_octets(v, v->in, "group_id") };
}

/* The message from its payloads, by the builder that the engines use. */
static struct gk_slice
built(struct vec *v, const struct gsakmp_sign *sign)
{
	json_t *part;
	struct gsakmp_build b;
	struct gk_buf out = { 0 };
	size_t i;

	gsakmp_build_begin(
		&b, &readings(v)->dialect,
		(enum gsakmp_exchange_type)vec_num(v, v->in, "exchange"),
		group(v), (uint32_t)vec_num(v, v->in, "sequence"));
	json_array_foreach(vec_list(v, v->in, "payloads"), i, part)
		gsakmp_build_raw(&b, (uint8_t)vec_num(v, part, "type"),
	                         vec_octets(v, part, "body"));
	vec_ok(v, gsakmp_build_finish(&b, sign, &out), "building");
	return vec_buf(v, &out);
}

static struct gsakmp_message *
parsed(struct vec *v, struct gk_slice octets)
{
	const struct gsakmp_parse parse = { .dialect = &readings(v)->dialect };
	struct gsakmp_message *msg = vec_keep(v, calloc(1, sizeof(*msg)));
	struct gsakmp_reject why;

	if (gsakmp_message_parse(&parse, octets.ptr, octets.len, msg, &why) !=
	    GK_OK)
		vec_fail(v, "refused: %s, field %s, octet %zu", why.req,
		         why.field, why.offset);
	return msg;
}

/* The payloads of the message are those of the vector, in their order. */
static void
same_payloads(struct vec *v, const struct gsakmp_message *msg)
{
	json_t *list = vec_list(v, v->in, "payloads"), *part;
	size_t i;

	json_array_foreach(list, i, part)
	{
		struct gk_slice body = vec_octets(v, part, "body");

		if (i >= msg->n_seen)
			vec_fail(v, "payload %zu is not there", i);
		vec_same_num(v, "payload type", msg->seen[i].type,
		             vec_num(v, part, "type"));
		vec_same(v, "payload body",
		         (struct gk_slice){ msg->octets.ptr + msg->seen[i].at +
		                                    GSAKMP_GENERIC_LEN,
		                            body.len },
		         body);
	}
}

/* What a signature covers, from where the parser found it. */
static void
same_cover(struct vec *v, const struct gsakmp_message *msg)
{
	const struct gsakmp_cover at = {
		.header = msg->header.size,
		.payload = msg->signature_at,
		.siglen = msg->signature.covered,
		.sig_octets = msg->signature.value.len,
	};
	struct gk_buf scratch = { 0 };
	struct gk_slice covered;

	vec_ok(v,
	       gsakmp_cover(&readings(v)->dialect, msg->octets, &at, &scratch,
	                    &covered),
	       "signature coverage");
	if (scratch.ptr != NULL)
		vec_buf(v, &scratch);
	vec_same(v, "covered", covered, vec_octets(v, v->out, "covered"));
}

static void
verified(struct vec *v, struct gk_slice octets, const struct gk_pubkey *pub)
{
	const struct gsakmp_message *msg = parsed(v, octets);
	struct gsakmp_reject why;

	vec_ok(v, gsakmp_message_verify(msg, &readings(v)->dialect, pub, &why),
	       "signature");
	same_payloads(v, msg);
}

/* Built with the same key it is the same message; but for the octets of the
 * signature, where these cannot come out the same, once one has the same length. */
#define TRIES 400

static void
same_message(struct vec *v, const struct gsakmp_sign *sign, bool deterministic,
             struct gk_slice want)
{
	const struct gsakmp_message *msg = parsed(v, want);
	struct gk_slice sig = msg->signature.value, ours = { 0 };
	size_t front = (size_t)(sig.ptr - want.ptr), behind = front + sig.len;

	for (unsigned i = 0; ours.len != want.len && i < TRIES; i++) {
		free(v->n_scratch && ours.ptr ? v->scratch[--v->n_scratch]
		                              : NULL);
		ours = built(v, sign);
	}
	if (deterministic || ours.len != want.len) {
		vec_same(v, "message", ours, want);
		return;
	}
	vec_same(v, "message in front of the signature",
	         (struct gk_slice){ ours.ptr, front },
	         (struct gk_slice){ want.ptr, front });
	vec_same(v, "message behind the signature",
	         (struct gk_slice){ ours.ptr + behind, ours.len - behind },
	         (struct gk_slice){ want.ptr + behind, want.len - behind });
	verified(v, ours, gk_signer_pubkey(sign->signer));
}

static void
signed_message(struct vec *v, struct gk_slice want)
{
	json_t *sig = vec_object(v, v->in, "signature"), *cert;
	struct gk_slice stamp = vec_text_slice(v, sig, "timestamp");
	struct gk_slice certs[8];
	struct gsakmp_sign sign = {
		.type = (uint16_t)vec_num(v, sig, "sig_type"),
		.id_type = (uint8_t)vec_num(v, sig, "id_type"),
		.signer_id = vec_text_slice(v, sig, "signer"),
		.certs = certs,
	};
	struct gk_signer *signer;
	size_t i;

	json_array_foreach(vec_list(v, v->in, "certificates"), i, cert)
	{
		if (i == GK_COUNT(certs))
			vec_fail(v, "too many certificates");
		certs[sign.n_certs++] = vec_octets_of(v, cert);
	}
	if (stamp.len != GK_ZULU_LEN ||
	    gk_zulu_parse(stamp, &sign.utc) != GK_OK)
		vec_fail(v, "timestamp");
	vec_ok(v, gk_signer_from_pem(vec_octets(v, sig, "key"), NULL, &signer),
	       "private key");
	sign.signer = signer;
	verified(v, want, gk_signer_pubkey(signer));
	same_cover(v, parsed(v, want));
	same_message(v, &sign, vec_flag(v, sig, "deterministic"), want);
	gk_signer_free(signer);
}

static void
message(struct vec *v)
{
	struct gk_slice want = vec_octets(v, v->out, "message");
	const struct gsakmp_message *msg = parsed(v, want);

	vec_same_num(v, "Exchange Type", msg->header.exchange,
	             vec_num(v, v->in, "exchange"));
	vec_same_num(v, "Sequence ID", msg->header.sequence,
	             vec_num(v, v->in, "sequence"));
	if (!gsakmp_groupid_equal(msg->header.groupid, group(v)))
		vec_fail(v, "another GroupID");
	if (vec_has(v->in, "signature")) {
		signed_message(v, want);
		return;
	}
	same_payloads(v, msg);
	vec_same(v, "message", built(v, NULL), want);
}

static void
verdict(struct vec *v)
{
	struct gk_slice octets = vec_octets(v, v->in, "message");
	const struct gsakmp_parse parse = {
		.dialect = &readings(v)->dialect,
		.accept_embedded = vec_has(v->in, "accept_embedded") &&
		                   vec_flag(v, v->in, "accept_embedded"),
	};
	struct gsakmp_message *msg = vec_keep(v, calloc(1, sizeof(*msg)));
	struct gsakmp_reject why = { 0 };
	bool accepted = gsakmp_message_parse(&parse, octets.ptr, octets.len,
	                                     msg, &why) == GK_OK;

	if (accepted != vec_flag(v, v->out, "accepted"))
		vec_fail(v, accepted ? "accepted" : "refused: %s, field %s",
		         why.req, why.field);
	if (accepted)
		return;
	vec_same_text(v, "requirement", why.req, vec_text(v, v->out, "req"));
	vec_same_num(v, "notification", why.notify,
	             vec_num(v, v->out, "notify"));
	if (vec_has(v->out, "field"))
		vec_same_text(v, "field", why.field,
		              vec_text(v, v->out, "field"));
}

const struct vec_kind vec_message_kinds[] = {
	{ "message", message },
	{ "verdict", verdict },
	{ NULL, NULL },
};
