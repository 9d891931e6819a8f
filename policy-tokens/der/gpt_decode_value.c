/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "policy-tokens/der/gpt_decode_part.h"

enum gk_err
gpt_decode_refuse(struct gpt_decode_place *at, enum gk_err err, const char *req,
                  const char *field, const char *text)
{
	char path[sizeof(at->path) + 128];

	(void)snprintf(path, sizeof(path), "%s%.127s", at->path, field);
	return gpt_fault_set(at->why, err, req, path, "%s", text);
}

size_t
gpt_decode_locate(struct gpt_decode_place *at, struct gk_slice octets)
{
	const uint8_t *hit;

	if (octets.len == 0)
		return at->cursor;
	hit = memmem(at->der.ptr + at->cursor, at->der.len - at->cursor,
	             octets.ptr, octets.len);
	if (hit)
		at->cursor = (size_t)(hit - at->der.ptr);
	return at->cursor;
}

struct gk_slice
gpt_decode_octets_of(const ASN1_OCTET_STRING *s)
{
	return (struct gk_slice){ ASN1_STRING_get0_data(s),
		                  (size_t)ASN1_STRING_length(s) };
}

enum gk_err
gpt_decode_octets(struct gk_buf *out, const ASN1_OCTET_STRING *s)
{
	return gk_buf_copy(out, gpt_decode_octets_of(s));
}

enum gk_err
gpt_decode_integer(struct gpt_decode_place *at, int64_t *out,
                   const ASN1_INTEGER *in, const char *field)
{
	if (ASN1_INTEGER_get_int64(out, in) != 1 && GK_CHECKED("RFC4534-1-04"))
		return gpt_decode_refuse(at, GK_ERR_VALUE, "RFC4534-1-04",
		                         field, "INTEGER of more than 64 bits");
	return GK_OK;
}

/* DER knows one TRUE: 0xff.  OpenSSL keeps whatever octet it read. */
enum gk_err
gpt_decode_boolean(struct gpt_decode_place *at, bool *out, ASN1_BOOLEAN in,
                   const char *field)
{
	if (in != 0 && in != 0xff && GK_CHECKED("RFC4534-1-04"))
		return gpt_decode_refuse(at, GK_ERR_VALUE, "RFC4534-1-04",
		                         field,
		                         "BOOLEAN that is neither 00 nor FF");
	*out = in != 0;
	return GK_OK;
}

enum gk_err
gpt_decode_oid(struct gpt_decode_place *at, char **out, const ASN1_OBJECT *in,
               const char *field)
{
	int n = OBJ_obj2txt(NULL, 0, in, 1);

	if (n <= 0 || n > GPT_OID_CAP)
		return gpt_decode_refuse(
			at, GK_ERR_VALUE, "RFC4534-1-04", field,
			"OBJECT IDENTIFIER that is empty or too long");
	*out = malloc((size_t)n + 1);
	if (!*out)
		return GK_ERR_NOMEM;
	(void)OBJ_obj2txt(*out, n + 1, in, 1);
	return GK_OK;
}

static bool
digits(const char *s, size_t n, int *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*out = *out * 10 + (s[i] - '0');
	}
	return true;
}

/* YYYYMMDDHHMMSSZ or YYMMDDHHMMSSZ, the only forms DER has for whole seconds;
 * fractions are legal DER and refused, a date here has a second's resolution */
static enum gk_err
date(struct gpt_decode_place *at, int64_t *out, struct gk_slice text, bool utc,
     const char *field)
{
	const char *s = (const char *)text.ptr;
	size_t year_len = utc ? 2 : 4;
	int f[6], year;

	if (text.len != year_len + 11 || s[text.len - 1] != 'Z' ||
	    !digits(s, year_len, &f[0]))
		goto bad;
	for (size_t i = 0; i < 5; i++)
		if (!digits(s + year_len + 2 * i, 2, &f[i + 1]))
			goto bad;
	year = f[0];
	if (utc)
		year += year < 50 ? 2000 : 1900;
	if (!gk_utc_from_civil(year, f[1], f[2], f[3], f[4], f[5], out))
		goto bad;
	return GK_OK;
bad:
	*out = 0;
	if (!GK_CHECKED("RFC4534-3.1-06"))
		return GK_OK;
	return gpt_decode_refuse(
		at, GK_ERR_VALUE, "RFC4534-3.1-06", field,
		utc ? "not a date of the form YYMMDDHHMMSSZ"
		    : "not a date of the form YYYYMMDDHHMMSSZ");
}

enum gk_err
gpt_decode_lifedate(struct gpt_decode_place *at, struct gpt_lifedate *out,
                    const struct gpt_asn1_lifedate *in, const char *field)
{
	switch (in->type) {
	case GPT_ASN1_GT:
		out->kind = GPT_LIFEDATE_GT;
		return date(at, &out->value, gpt_decode_octets_of(in->value.gt),
		            false, field);
	case GPT_ASN1_UTC:
		out->kind = GPT_LIFEDATE_UTC;
		return date(at, &out->value,
		            gpt_decode_octets_of(in->value.utc), true, field);
	default:
		out->kind = GPT_LIFEDATE_INTERVAL;
		return gpt_decode_integer(at, &out->value, in->value.interval,
		                          field);
	}
}

enum gk_err
gpt_decode_pairs(struct gpt_decode_place *at, struct gpt_pairs *out,
                 const OPENSSL_STACK *in, const char *field)
{
	for (int i = 0; i < OPENSSL_sk_num(in); i++) {
		const struct gpt_asn1_pair *p = OPENSSL_sk_value(in, i);
		struct gpt_pair *pair = gpt_pairs_add(out);
		char path[128];

		if (!pair)
			return GK_ERR_NOMEM;
		(void)snprintf(path, sizeof(path),
		               "%s[%d].groupEntity.typeValue", field, i);
		GK_TRY(gpt_decode_integer(at, &pair->entity.type,
		                          p->groupEntity->typeValue, path));
		GK_TRY(gpt_decode_octets(&pair->entity.data,
		                         p->groupEntity->typeData));
		GK_TRY(gpt_decode_octets(&pair->ca, p->cA));
	}
	return GK_OK;
}

enum gk_err
gpt_decode_extension(struct gpt_extension *out, char **name,
                     struct gk_slice info)
{
	out->oid = *name;
	*name = NULL;
	return gk_buf_copy(&out->octets, info);
}

/* Decode by the first of several readings that fits; the refusal is the one of
 * the first reading, which is the project's own. */
enum gk_err
gpt_decode_try_readings(struct gpt_decode_place *at, struct gk_slice info,
                        const enum gpt_asn1_item *items, size_t n,
                        size_t *which, void **out)
{
	size_t base = gpt_decode_locate(at, info);
	enum gk_err first = GK_ERR_VALUE;

	for (size_t i = 0; i < n; i++) {
		enum gk_err err =
			gpt_asn1_decode(items[i], info, at->path, base, out,
		                        i == 0 ? at->why : NULL);

		if (err == GK_OK) {
			*which = i;
			if (i > 0 && at->why)
				*at->why = (struct gpt_fault){
					.offset = GPT_NO_OFFSET
				};
			return GK_OK;
		}
		if (i == 0)
			first = err;
	}
	return first;
}
