/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "common/base/gk_check.h"
#include "policy-tokens/der/gpt_asn1_gdoi.h"
#include "policy-tokens/der/gpt_decode_part.h"

/* Type 0 is reserved in the registry, and absence in the model. */
static enum gk_err
address(struct gpt_decode_place *at, struct gpt_id *out,
        const struct gpt_asn1_id *in, const char *path)
{
	GK_TRY(gpt_decode_integer(at, &out->type, in->typeValue, path));
	if (out->type == 0 && GK_CHECKED("RFC4534-1-04"))
		return gpt_decode_refuse(at, GK_ERR_VALUE, "RFC4534-1-04", path,
		                         "Identification Type 0 is reserved");
	return gpt_decode_octets(&out->data, in->typeData);
}

static enum gk_err
field(struct gpt_decode_place *at, const struct gpt_field *f, void *out,
      const void *in, const char *path)
{
	struct gpt_number *n;

	switch (f->kind) {
	case GPT_FIELD_NUMBER:
	case GPT_FIELD_SECONDS:
	case GPT_FIELD_CODE:
		n = gpt_field_slot(f, out);
		n->present = true;
		return gpt_decode_integer(at, &n->value, in, path);
	case GPT_FIELD_OCTETS:
		return gpt_decode_octets(gpt_field_slot(f, out), in);
	case GPT_FIELD_OID:
		return gpt_decode_oid(at, gpt_field_slot(f, out), in, path);
	case GPT_FIELD_ADDRESS:
		break;
	}
	return address(at, gpt_field_slot(f, out), in, path);
}

static enum gk_err
record(struct gpt_decode_place *at, enum gpt_record_kind kind, void *out,
       const void *in, const char *path)
{
	const struct gpt_record *r = gpt_record(kind);
	const size_t *offset = gpt_asn1_record_at(kind);
	char name[80];

	for (size_t i = 0; i < r->n; i++) {
		const void *value =
			*(const void *const *)((const uint8_t *)in + offset[i]);

		(void)snprintf(name, sizeof(name), "%s%s", path,
		               r->field[i].name);
		if (value)
			GK_TRY(field(at, &r->field[i], out, value, name));
	}
	return GK_OK;
}

static enum gk_err
registration(struct gpt_decode_place *at, struct gpt_protocol *out,
             const struct gpt_asn1_gdoi_register *in)
{
	char path[32];

	GK_TRY(gpt_decode_membership(at, out->reg, in->joinAuthorization,
	                             in->joinAccessControl));
	GK_TRY(record(at, GPT_RECORD_GDOI_GROUP, &out->gdoi_reg->group,
	              in->groupInfo, "groupInfo."));
	for (int i = 0; i < OPENSSL_sk_num(in->phase1); i++) {
		struct gpt_phase1 *p =
			gpt_gdoi_register_add_phase1(out->gdoi_reg);

		if (!p)
			return GK_ERR_NOMEM;
		(void)snprintf(path, sizeof(path), "phase1[%d].", i);
		GK_TRY(record(at, GPT_RECORD_PHASE1, p,
		              OPENSSL_sk_value(in->phase1, i), path));
	}
	return GK_OK;
}

static enum gk_err
ipsec(struct gpt_decode_place *at, struct gpt_ipsec *out,
      const OPENSSL_STACK *in)
{
	char path[32];

	for (int i = 0; i < OPENSSL_sk_num(in); i++) {
		struct gpt_ipsec_sa *sa = gpt_ipsec_add(out);

		if (!sa)
			return GK_ERR_NOMEM;
		(void)snprintf(path, sizeof(path), "sa[%d].", i);
		GK_TRY(record(at, GPT_RECORD_IPSEC_SA, sa,
		              OPENSSL_sk_value(in, i), path));
	}
	return GK_OK;
}

static enum gk_err
iec(struct gpt_decode_place *at, struct gpt_iec *out, const OPENSSL_STACK *in)
{
	char path[32];

	for (int i = 0; i < OPENSSL_sk_num(in); i++) {
		struct gpt_iec_sa *sa = gpt_iec_add(out);

		if (!sa)
			return GK_ERR_NOMEM;
		(void)snprintf(path, sizeof(path), "sa[%d].", i);
		GK_TRY(record(at, GPT_RECORD_IEC_SA, sa,
		              OPENSSL_sk_value(in, i), path));
	}
	return GK_OK;
}

enum gk_err
gpt_decode_protocol_gdoi(struct gpt_decode_place *at, struct gpt_protocol *out,
                         enum gpt_protocol_kind kind, struct gk_slice info)
{
	enum gpt_asn1_item item =
		kind == GPT_PROTOCOL_GDOI_REGISTER ? GPT_ASN1_GDOI_REGISTER
		: kind == GPT_PROTOCOL_GDOI_REKEY  ? GPT_ASN1_GDOI_REKEY
		: kind == GPT_PROTOCOL_OPERATION   ? GPT_ASN1_OPERATION
		: kind == GPT_PROTOCOL_IPSEC       ? GPT_ASN1_IPSEC
						   : GPT_ASN1_IEC;
	enum gk_err err;
	void *in;

	GK_TRY(gpt_protocol_set(out, kind));
	GK_TRY(gpt_asn1_decode(item, info, at->path,
	                       gpt_decode_locate(at, info), &in, at->why));
	if (item == GPT_ASN1_GDOI_REGISTER)
		err = registration(at, out, in);
	else if (item == GPT_ASN1_GDOI_REKEY)
		err = record(at, GPT_RECORD_GDOI_REKEY, out->gdoi_rekey, in,
		             "");
	else if (item == GPT_ASN1_OPERATION)
		err = record(at, GPT_RECORD_OPERATION, out->operation, in, "");
	else if (item == GPT_ASN1_IPSEC)
		err = ipsec(at, out->ipsec, in);
	else
		err = iec(at, out->iec, in);
	gpt_asn1_free(item, in);
	return err;
}
