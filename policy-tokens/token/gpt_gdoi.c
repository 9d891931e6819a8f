/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_gdoi.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the rows --------------------------------------------------------------- */

#define R(f, asn1, kind_, elem, attr, reg, fb, lo, hi) \
	{ .name = #asn1,                               \
	  .element = (elem),                           \
	  .attribute = (attr),                         \
	  .kind = GPT_FIELD_##kind_,                   \
	  .registry = GPT_REGISTRY_##reg,              \
	  .fallback = (fb),                            \
	  .first = (lo),                               \
	  .last = (hi),                                \
	  .at = offsetof(STRUCT, f) },
#define O(f, asn1, kind_, elem, attr, reg, tag, lo, hi) \
	{ .name = #asn1,                                \
	  .element = (elem),                            \
	  .attribute = (attr),                          \
	  .kind = GPT_FIELD_##kind_,                    \
	  .registry = GPT_REGISTRY_##reg,               \
	  .optional = true,                             \
	  .first = (lo),                                \
	  .last = (hi),                                 \
	  .at = offsetof(STRUCT, f) },

#define STRUCT struct gpt_phase1
static const struct gpt_field phase1[] = { GPT_PHASE1_LIST(R, O) };
#undef STRUCT
#define STRUCT struct gpt_gdoi_group
static const struct gpt_field group[] = { GPT_GDOI_GROUP_LIST(R, O) };
#undef STRUCT
#define STRUCT struct gpt_gdoi_rekey
static const struct gpt_field rekey[] = { GPT_GDOI_REKEY_LIST(R, O) };
#undef STRUCT
#define STRUCT struct gpt_ipsec_sa
static const struct gpt_field ipsec[] = { GPT_IPSEC_SA_LIST(R, O) };
#undef STRUCT
#define STRUCT struct gpt_iec_sa
static const struct gpt_field iec[] = { GPT_IEC_SA_LIST(R, O) };
#undef STRUCT
#define STRUCT struct gpt_operation
static const struct gpt_field operation[] = { GPT_OPERATION_LIST(R, O) };
#undef STRUCT
#undef R
#undef O

static const struct gpt_record records[GPT_RECORDS] = {
	[GPT_RECORD_PHASE1] = { phase1, GK_COUNT(phase1),
	                        sizeof(struct gpt_phase1) },
	[GPT_RECORD_GDOI_GROUP] = { group, GK_COUNT(group),
	                            sizeof(struct gpt_gdoi_group) },
	[GPT_RECORD_GDOI_REKEY] = { rekey, GK_COUNT(rekey),
	                            sizeof(struct gpt_gdoi_rekey) },
	[GPT_RECORD_IPSEC_SA] = { ipsec, GK_COUNT(ipsec),
	                          sizeof(struct gpt_ipsec_sa) },
	[GPT_RECORD_IEC_SA] = { iec, GK_COUNT(iec), sizeof(struct gpt_iec_sa) },
	[GPT_RECORD_OPERATION] = { operation, GK_COUNT(operation),
	                           sizeof(struct gpt_operation) },
};

const struct gpt_record *
gpt_record(enum gpt_record_kind kind)
{
	return &records[kind];
}

/* --- one field --------------------------------------------------------------- */

bool
gpt_field_present(const struct gpt_field *f, const void *record)
{
	if (!f->optional)
		return true;
	switch (f->kind) {
	case GPT_FIELD_NUMBER:
	case GPT_FIELD_SECONDS:
	case GPT_FIELD_CODE:
		return gpt_field_number(f, record)->present;
	case GPT_FIELD_OCTETS:
		return gpt_field_octets(f, record)->len != 0;
	case GPT_FIELD_OID:
		return gpt_field_oid(f, record) != NULL;
	case GPT_FIELD_ADDRESS:
		return gpt_field_address(f, record)->type != 0;
	}
	return false;
}

enum gpt_registry
gpt_field_registry(const struct gpt_record *record, const struct gpt_field *f,
                   const void *model)
{
	const struct gpt_ipsec_sa *sa = model;

	if (record == &records[GPT_RECORD_IPSEC_SA] &&
	    f->registry == GPT_REGISTRY_ESP && sa->protocol.value == 2)
		return GPT_REGISTRY_AH;
	return f->registry;
}

static enum gk_err
hex_text(const struct gk_buf *octets, struct gk_buf *text)
{
	struct gk_buf hex = { 0 };
	enum gk_err err = gk_buf_alloc(&hex, 2 * octets->len + 1);

	if (err == GK_OK) {
		(void)gk_hex((char *)hex.ptr, hex.len, gk_buf_slice(octets));
		err = gk_buf_append(text,
		                    (struct gk_slice){ hex.ptr, hex.len - 1 });
	}
	gk_buf_free(&hex);
	return err;
}

enum gk_err
gpt_field_text(const struct gpt_record *record, const struct gpt_field *f,
               const void *model, struct gk_buf *text)
{
	int64_t value = f->kind > GPT_FIELD_CODE
	                        ? 0
	                        : gpt_field_number(f, model)->value;
	const struct gpt_lifedate date = { GPT_LIFEDATE_INTERVAL, value };
	char out[GPT_LIFEDATE_LEN > GPT_NAME_LEN ? GPT_LIFEDATE_LEN
	                                         : GPT_NAME_LEN];
	const char *oid;

	switch (f->kind) {
	case GPT_FIELD_NUMBER:
		(void)snprintf(out, sizeof(out), "%" PRId64, value);
		break;
	case GPT_FIELD_SECONDS:
		(void)gpt_lifedate_text(out, date);
		break;
	case GPT_FIELD_CODE:
		(void)gpt_name_text(out, gpt_field_registry(record, f, model),
		                    value);
		break;
	case GPT_FIELD_OCTETS:
		return hex_text(gpt_field_octets(f, model), text);
	case GPT_FIELD_OID:
		oid = gpt_field_oid(f, model);
		return gk_buf_append(text, gk_slice_str(oid ? oid : ""));
	case GPT_FIELD_ADDRESS:
		return gpt_address_text(gpt_field_address(f, model), text);
	}
	return gk_buf_append(text, gk_slice_str(out));
}

static enum gk_err
field_copy(const struct gpt_field *f, void *to, const void *from)
{
	const struct gpt_id *id;
	struct gpt_number *n;
	struct gpt_id *made;
	char **oid;

	switch (f->kind) {
	case GPT_FIELD_NUMBER:
	case GPT_FIELD_SECONDS:
	case GPT_FIELD_CODE:
		n = gpt_field_slot(f, to);
		*n = *gpt_field_number(f, from);
		return GK_OK;
	case GPT_FIELD_OCTETS:
		return gk_buf_copy(gpt_field_slot(f, to),
		                   gk_buf_slice(gpt_field_octets(f, from)));
	case GPT_FIELD_OID:
		if (!gpt_field_oid(f, from))
			return GK_OK;
		oid = gpt_field_slot(f, to);
		*oid = strdup(gpt_field_oid(f, from));
		return *oid ? GK_OK : GK_ERR_NOMEM;
	case GPT_FIELD_ADDRESS:
		id = gpt_field_address(f, from);
		made = gpt_field_slot(f, to);
		made->type = id->type;
		return gk_buf_copy(&made->data, gk_buf_slice(&id->data));
	}
	return GK_ERR_VALUE;
}

static bool
field_equal(const struct gpt_field *f, const void *a, const void *b)
{
	if (gpt_field_present(f, a) != gpt_field_present(f, b))
		return false;
	if (!gpt_field_present(f, a))
		return true;
	switch (f->kind) {
	case GPT_FIELD_NUMBER:
	case GPT_FIELD_SECONDS:
	case GPT_FIELD_CODE:
		return gpt_field_number(f, a)->value ==
		       gpt_field_number(f, b)->value;
	case GPT_FIELD_OCTETS:
		return gk_slice_equal(gk_buf_slice(gpt_field_octets(f, a)),
		                      gk_buf_slice(gpt_field_octets(f, b)));
	case GPT_FIELD_OID:
		return gpt_field_oid(f, a) && gpt_field_oid(f, b) &&
		       strcmp(gpt_field_oid(f, a), gpt_field_oid(f, b)) == 0;
	case GPT_FIELD_ADDRESS:
		break;
	}
	return gpt_field_address(f, a)->type == gpt_field_address(f, b)->type &&
	       gk_slice_equal(gk_buf_slice(&gpt_field_address(f, a)->data),
	                      gk_buf_slice(&gpt_field_address(f, b)->data));
}

/* --- records ------------------------------------------------------------------ */

void
gpt_record_init(enum gpt_record_kind kind, void *record)
{
	const struct gpt_record *r = &records[kind];

	memset(record, 0, r->size);
	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];

		struct gpt_number *n = gpt_field_slot(f, record);

		if (f->optional || f->kind > GPT_FIELD_CODE)
			continue;
		n->present = true;
		if (f->fallback != GPT_NEEDED)
			n->value = f->fallback;
	}
}

enum gk_err
gpt_record_copy(enum gpt_record_kind kind, void *to, const void *from)
{
	const struct gpt_record *r = &records[kind];

	memset(to, 0, r->size);
	for (size_t i = 0; i < r->n; i++)
		GK_TRY(field_copy(&r->field[i], to, from));
	return GK_OK;
}

bool
gpt_record_equal(enum gpt_record_kind kind, const void *a, const void *b)
{
	const struct gpt_record *r = &records[kind];

	for (size_t i = 0; i < r->n; i++)
		if (!field_equal(&r->field[i], a, b))
			return false;
	return true;
}

void
gpt_record_free(enum gpt_record_kind kind, void *record)
{
	const struct gpt_record *r = &records[kind];

	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];

		struct gpt_id *id = gpt_field_slot(f, record);

		if (f->kind == GPT_FIELD_OCTETS)
			gk_buf_free(gpt_field_slot(f, record));
		else if (f->kind == GPT_FIELD_OID)
			free(gpt_field_oid(f, record));
		else if (f->kind == GPT_FIELD_ADDRESS)
			gk_buf_free(&id->data);
	}
	memset(record, 0, r->size);
}

/* Append one record; NULL: no memory. */
static void *
record_add(void **list, size_t *n, enum gpt_record_kind kind)
{
	void *p = gpt_list_add(list, n, records[kind].size);

	if (p != NULL)
		gpt_record_init(kind, p);
	return p;
}

struct gpt_phase1 *
gpt_gdoi_register_add_phase1(struct gpt_gdoi_register *reg)
{
	void *list = reg->phase1;
	struct gpt_phase1 *made =
		record_add(&list, &reg->n_phase1, GPT_RECORD_PHASE1);

	reg->phase1 = list;
	return made;
}

struct gpt_ipsec_sa *
gpt_ipsec_add(struct gpt_ipsec *sas)
{
	void *list = sas->at;
	struct gpt_ipsec_sa *made =
		record_add(&list, &sas->n, GPT_RECORD_IPSEC_SA);

	sas->at = list;
	return made;
}

struct gpt_iec_sa *
gpt_iec_add(struct gpt_iec *sas)
{
	void *list = sas->at;
	struct gpt_iec_sa *made = record_add(&list, &sas->n, GPT_RECORD_IEC_SA);

	sas->at = list;
	return made;
}

bool
gpt_gdoi_same_group(const struct gpt_gdoi_group *a,
                    const struct gpt_gdoi_group *b)
{
	return a->number.present == b->number.present &&
	       a->number.value == b->number.value && !a->oid == !b->oid &&
	       (!a->oid || strcmp(a->oid, b->oid) == 0) &&
	       gk_slice_equal(gk_buf_slice(&a->payload),
	                      gk_buf_slice(&b->payload));
}
