/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "policy-tokens/der/gpt_encode_part.h"

enum gk_err
gpt_encode_refuse(struct gpt_encode_place *at, const char *field,
                  const char *text)
{
	char path[sizeof(at->path) + 128];

	(void)snprintf(path, sizeof(path), "%s%.127s", at->path, field);
	return gpt_fault_set(at->why, GK_ERR_VALUE, "RFC4534-1-04", path, "%s",
	                     text);
}

enum gk_err
gpt_encode_octets(ASN1_OCTET_STRING *out, struct gk_slice in)
{
	if (in.len > GPT_TOKEN_CAP)
		return GK_ERR_SPACE;
	return ASN1_OCTET_STRING_set(out, in.ptr, (int)in.len) == 1
	               ? GK_OK
	               : GK_ERR_NOMEM;
}

enum gk_err
gpt_encode_octets_opt(ASN1_OCTET_STRING **out, bool present,
                      const struct gk_buf *in)
{
	if (!present)
		return GK_OK;
	*out = ASN1_OCTET_STRING_new();
	return *out ? gpt_encode_octets(*out, gk_buf_slice(in)) : GK_ERR_NOMEM;
}

enum gk_err
gpt_encode_integer(ASN1_INTEGER *out, int64_t in)
{
	return ASN1_INTEGER_set_int64(out, in) == 1 ? GK_OK : GK_ERR_NOMEM;
}

enum gk_err
gpt_encode_null(ASN1_NULL **out)
{
	*out = ASN1_NULL_new();
	return *out ? GK_OK : GK_ERR_NOMEM;
}

enum gk_err
gpt_encode_oid(struct gpt_encode_place *at, ASN1_OBJECT **out, const char *in,
               const char *field)
{
	ASN1_OBJECT *made = NULL;

	/* OBJ_txt2obj() would also take names and odd spellings. */
	if (in && strlen(in) <= GPT_OID_CAP &&
	    in[strspn(in, "0123456789.")] == '\0')
		made = OBJ_txt2obj(in, 1);
	if (!made)
		return gpt_encode_refuse(at, field,
		                         "not an object identifier in dotted "
		                         "decimal");
	ASN1_OBJECT_free(*out);
	*out = made;
	return GK_OK;
}

static enum gk_err
date(struct gpt_encode_place *at, ASN1_STRING *out, int64_t value, bool utc,
     const char *field)
{
	int f[6];
	char text[32];

	if (value < GK_UTC_MIN || value > GK_UTC_MAX)
		return gpt_encode_refuse(at, field,
		                         "year outside 0000 to 9999");
	gk_utc_to_civil(value, &f[0], &f[1], &f[2], &f[3], &f[4], &f[5]);
	if (utc && (f[0] < 1950 || f[0] > 2049))
		return gpt_encode_refuse(at, field,
		                         "year that UTCTime cannot say");
	(void)snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", f[0],
	               f[1], f[2], f[3], f[4], f[5]);
	return ASN1_STRING_set(out, text + (utc ? 2 : 0), -1) == 1
	               ? GK_OK
	               : GK_ERR_NOMEM;
}

enum gk_err
gpt_encode_lifedate(struct gpt_encode_place *at, struct gpt_asn1_lifedate *out,
                    struct gpt_lifedate in, const char *field)
{
	switch (in.kind) {
	case GPT_LIFEDATE_INTERVAL:
		out->type = GPT_ASN1_INTERVAL;
		out->value.interval = ASN1_INTEGER_new();
		return out->value.interval
		               ? gpt_encode_integer(out->value.interval,
		                                    in.value)
		               : GK_ERR_NOMEM;
	case GPT_LIFEDATE_GT:
		out->type = GPT_ASN1_GT;
		out->value.gt = ASN1_GENERALIZEDTIME_new();
		return out->value.gt
		               ? date(at, out->value.gt, in.value, false, field)
		               : GK_ERR_NOMEM;
	case GPT_LIFEDATE_UTC:
		out->type = GPT_ASN1_UTC;
		out->value.utc = ASN1_UTCTIME_new();
		return out->value.utc
		               ? date(at, out->value.utc, in.value, true, field)
		               : GK_ERR_NOMEM;
	}
	return gpt_encode_refuse(at, field, "no kind of LifeDate");
}

/* A new list element, already in the list. */
void *
gpt_encode_add(OPENSSL_STACK *list, enum gpt_asn1_item item)
{
	void *made = gpt_asn1_new(item);

	if (made && OPENSSL_sk_push(list, made) <= 0) {
		gpt_asn1_free(item, made);
		made = NULL;
	}
	return made;
}

enum gk_err
gpt_encode_pairs(OPENSSL_STACK *out, const struct gpt_pairs *in)
{
	for (size_t i = 0; i < in->n; i++) {
		struct gpt_asn1_pair *p = gpt_encode_add(out, GPT_ASN1_PAIR);

		if (!p)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_encode_integer(p->groupEntity->typeValue,
		                          in->at[i].entity.type));
		GK_TRY(gpt_encode_octets(p->groupEntity->typeData,
		                         gk_buf_slice(&in->at[i].entity.data)));
		GK_TRY(gpt_encode_octets(p->cA, gk_buf_slice(&in->at[i].ca)));
	}
	return GK_OK;
}

/* An optional list of pairs: absent is not the same as empty. */
enum gk_err
gpt_encode_pairs_opt(OPENSSL_STACK **out, bool present,
                     const struct gpt_pairs *in)
{
	if (!present)
		return GK_OK;
	*out = OPENSSL_sk_new_null();
	return *out ? gpt_encode_pairs(*out, in) : GK_ERR_NOMEM;
}

/* The DER of @made (of type @item) into an OCTET STRING. */
enum gk_err
gpt_encode_wrap(ASN1_OCTET_STRING *out, enum gpt_asn1_item item,
                const void *made)
{
	struct gk_buf der = { 0 };
	enum gk_err err = gpt_asn1_encode(item, made, &der);

	if (err == GK_OK)
		err = gpt_encode_octets(out, gk_buf_slice(&der));
	gk_buf_free(&der);
	return err;
}
