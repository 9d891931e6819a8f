/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_tlv.h"

#include "common/base/gk_check.h"

#define TLV_CONSTRUCTED 0x20
#define TLV_TAG_MASK 0x1f
#define TLV_LONG_FORM 0x80

struct walk {
	const uint8_t *base;
	struct gpt_fault *why;
};

static enum gk_err
refuse(struct walk *w, const uint8_t *at, enum gk_err err, const char *text)
{
	(void)gpt_fault_set(w->why, err, "RFC4534-1-04", NULL, "%s", text);
	if (w->why)
		w->why->offset = (size_t)(at - w->base);
	return err;
}

/* Identifier and length octets; *@len is then known to fit before @end. */
static enum gk_err
header(struct walk *w, const uint8_t **pos, const uint8_t *end, uint8_t *id,
       size_t *len)
{
	const uint8_t *p = *pos, *start = p;
	size_t n;

	if (p == end)
		return refuse(w, p, GK_ERR_TRUNCATED,
		              "an element is missing its identifier octet");
	*id = *p++;
	if ((*id & TLV_TAG_MASK) == TLV_TAG_MASK)
		return refuse(w, start, GK_ERR_VALUE,
		              "multi-octet tag, which no module uses");
	if (p == end)
		return refuse(w, p, GK_ERR_TRUNCATED,
		              "an element is missing its length");
	*len = *p++;
	if (*len & TLV_LONG_FORM) {
		n = *len & ~(size_t)TLV_LONG_FORM;
		if (n == 0)
			return refuse(w, p - 1, GK_ERR_VALUE,
			              "indefinite length: BER, not DER");
		if (n > 4)
			return refuse(w, p - 1, GK_ERR_VALUE,
			              "length of more than four octets");
		if ((size_t)(end - p) < n)
			return refuse(w, p, GK_ERR_TRUNCATED,
			              "a length runs past its container");
		*len = 0;
		for (size_t i = 0; i < n; i++)
			*len = *len << 8 | p[i];
		if (*len < TLV_LONG_FORM || p[0] == 0)
			return refuse(w, p - 1, GK_ERR_VALUE,
			              "length not in its shortest form");
		p += n;
	}
	if ((size_t)(end - p) < *len)
		return refuse(w, start, GK_ERR_TRUNCATED,
		              "an element runs past its container");
	*pos = p;
	return GK_OK;
}

static enum gk_err
element(struct walk *w, const uint8_t **pos, const uint8_t *end, int depth)
{
	const uint8_t *inner_end;
	uint8_t id;
	size_t len;

	GK_TRY(header(w, pos, end, &id, &len));
	inner_end = *pos + len;
	if (!(id & TLV_CONSTRUCTED)) {
		*pos = inner_end;
		return GK_OK;
	}
	if (depth == 0)
		return refuse(w, *pos, GK_ERR_VALUE, "nested too deeply");
	while (*pos < inner_end)
		GK_TRY(element(w, pos, inner_end, depth - 1));
	return GK_OK;
}

enum gk_err
gpt_tlv_check(struct gk_slice der, struct gpt_fault *why)
{
	struct walk w = { der.ptr, why };
	const uint8_t *pos = der.ptr, *end;

	if (!GK_CHECKED("RFC4534-1-04"))
		return GK_OK;
	if (der.len == 0)
		return refuse(&w, pos, GK_ERR_TRUNCATED, "no octets at all");
	end = der.ptr + der.len; /* nothing is added to NULL */
	GK_TRY(element(&w, &pos, end, GPT_TLV_DEPTH));
	if (pos != end)
		return refuse(&w, pos, GK_ERR_TRAILING,
		              "octets after the last field");
	return GK_OK;
}
