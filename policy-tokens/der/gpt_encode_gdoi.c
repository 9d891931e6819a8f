/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "policy-tokens/der/gpt_asn1_gdoi.h"
#include "policy-tokens/der/gpt_encode_part.h"

/* An OPTIONAL member starts as NULL; the others the template has made. */
static enum gk_err
make(void **slot, enum gpt_field_kind kind)
{
	if (*slot)
		return GK_OK;
	switch (kind) {
	case GPT_FIELD_NUMBER:
	case GPT_FIELD_SECONDS:
	case GPT_FIELD_CODE:
		*slot = ASN1_INTEGER_new();
		break;
	case GPT_FIELD_OCTETS:
		*slot = ASN1_OCTET_STRING_new();
		break;
	case GPT_FIELD_OID:
		return GK_OK; /* gpt_encode_oid() makes it */
	case GPT_FIELD_ADDRESS:
		*slot = gpt_asn1_new(GPT_ASN1_ID);
		break;
	}
	return *slot ? GK_OK : GK_ERR_NOMEM;
}

static enum gk_err
field(struct gpt_encode_place *at, const struct gpt_field *f, void **slot,
      const void *in, const char *path)
{
	const struct gpt_id *id;
	struct gpt_asn1_id *out;

	GK_TRY(make(slot, f->kind));
	switch (f->kind) {
	case GPT_FIELD_NUMBER:
	case GPT_FIELD_SECONDS:
	case GPT_FIELD_CODE:
		return gpt_encode_integer(*slot,
		                          gpt_field_number(f, in)->value);
	case GPT_FIELD_OCTETS:
		return gpt_encode_octets(*slot,
		                         gk_buf_slice(gpt_field_octets(f, in)));
	case GPT_FIELD_OID:
		return gpt_encode_oid(at, (ASN1_OBJECT **)slot,
		                      gpt_field_oid(f, in), path);
	case GPT_FIELD_ADDRESS:
		break;
	}
	id = gpt_field_address(f, in);
	out = *slot;
	GK_TRY(gpt_encode_integer(out->typeValue, id->type));
	return gpt_encode_octets(out->typeData, gk_buf_slice(&id->data));
}

static enum gk_err
record(struct gpt_encode_place *at, enum gpt_record_kind kind, void *out,
       const void *in, const char *path)
{
	const struct gpt_record *r = gpt_record(kind);
	const size_t *offset = gpt_asn1_record_at(kind);
	char name[80];

	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];

		if (!gpt_field_present(f, in))
			continue;
		(void)snprintf(name, sizeof(name), "%s%s", path, f->name);
		GK_TRY(field(at, f, (void **)((uint8_t *)out + offset[i]), in,
		             name));
	}
	return GK_OK;
}

/* One more of a list of records. */
static enum gk_err
list_add(struct gpt_encode_place *at, enum gpt_record_kind kind,
         OPENSSL_STACK *list, const void *in, const char *name, size_t i)
{
	void *made = gpt_encode_add(list, gpt_asn1_record_item(kind));
	char path[32];

	if (!made)
		return GK_ERR_NOMEM;
	(void)snprintf(path, sizeof(path), "%s[%zu].", name, i);
	return record(at, kind, made, in, path);
}

enum gk_err
gpt_encode_gdoi_register_info(struct gpt_encode_place *at, void *made,
                              const void *model)
{
	const struct gpt_protocol *in = model;
	struct gpt_asn1_gdoi_register *out = made;

	GK_TRY(gpt_encode_membership(at, out->joinAuthorization,
	                             out->joinAccessControl, in->reg));
	GK_TRY(record(at, GPT_RECORD_GDOI_GROUP, out->groupInfo,
	              &in->gdoi_reg->group, "groupInfo."));
	for (size_t i = 0; i < in->gdoi_reg->n_phase1; i++)
		GK_TRY(list_add(at, GPT_RECORD_PHASE1, out->phase1,
		                &in->gdoi_reg->phase1[i], "phase1", i));
	return GK_OK;
}

enum gk_err
gpt_encode_gdoi_rekey_info(struct gpt_encode_place *at, void *made,
                           const void *model)
{
	return record(at, GPT_RECORD_GDOI_REKEY, made, model, "");
}

enum gk_err
gpt_encode_operation_info(struct gpt_encode_place *at, void *made,
                          const void *model)
{
	return record(at, GPT_RECORD_OPERATION, made, model, "");
}

enum gk_err
gpt_encode_ipsec_info(struct gpt_encode_place *at, void *made,
                      const void *model)
{
	const struct gpt_ipsec *in = model;

	for (size_t i = 0; i < in->n; i++)
		GK_TRY(list_add(at, GPT_RECORD_IPSEC_SA, made, &in->at[i], "sa",
		                i));
	return GK_OK;
}

enum gk_err
gpt_encode_iec_info(struct gpt_encode_place *at, void *made, const void *model)
{
	const struct gpt_iec *in = model;

	for (size_t i = 0; i < in->n; i++)
		GK_TRY(list_add(at, GPT_RECORD_IEC_SA, made, &in->at[i], "sa",
		                i));
	return GK_OK;
}
