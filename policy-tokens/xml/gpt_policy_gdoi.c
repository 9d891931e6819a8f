/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/xml/gpt_policy_parse.h"
#include "policy-tokens/xml/gpt_policy_write.h"

/* The records of gpt_gdoi.h in XML, along their rows. */

/* --- reading ------------------------------------------------------------------ */

static enum gk_err
seconds(struct gpt_parse *p, const xmlNode *node, const char *name,
        int64_t *out)
{
	struct gpt_lifedate date;

	GK_TRY(gpt_parse_date(p, node, name, &date));
	if (date.kind != GPT_LIFEDATE_INTERVAL)
		return gpt_xml_refuse(node, p->why,
		                      "%s: an interval such as 30s or 2h is "
		                      "wanted, not a date",
		                      name);
	*out = date.value;
	return GK_OK;
}

static enum gk_err
address(struct gpt_parse *p, const xmlNode *node, const char *name,
        struct gpt_id *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(gpt_parse_need(p, node, name, &text));
	err = gpt_address_parse(text, out);
	if (err == GK_ERR_VALUE)
		err = gpt_xml_refuse(node, p->why,
		                     "%s='%s' is neither an address nor a "
		                     "prefix nor a range",
		                     name, text);
	free(text);
	return err;
}

static enum gk_err
field_parse(struct gpt_parse *p, const xmlNode *node,
            const struct gpt_record *r, const struct gpt_field *f, void *out)
{
	const char *name = f->attribute;
	struct gpt_number *n = gpt_field_slot(f, out);

	switch (f->kind) {
	case GPT_FIELD_NUMBER:
		n->present = true;
		return gpt_parse_number(p, node, name, &n->value);
	case GPT_FIELD_SECONDS:
		n->present = true;
		return seconds(p, node, name, &n->value);
	case GPT_FIELD_CODE:
		n->present = true;
		return gpt_parse_code(p, node, name,
		                      gpt_field_registry(r, f, out), &n->value);
	case GPT_FIELD_OCTETS:
		return gpt_parse_hex(p, node, name, NULL,
		                     gpt_field_slot(f, out));
	case GPT_FIELD_OID:
		return gpt_parse_need(p, node, name, gpt_field_slot(f, out));
	case GPT_FIELD_ADDRESS:
		break;
	}
	return address(p, node, name, gpt_field_slot(f, out));
}

static bool
may_be_left_out(const struct gpt_field *f)
{
	return f->optional || f->kind == GPT_FIELD_OCTETS ||
	       f->fallback != GPT_NEEDED;
}

/* Lines for "PATH.rest" and "PATH.rest.element". */
static enum gk_err
mark(struct gpt_parse *p, const xmlNode *node, const struct gpt_record *r,
     const char *rest)
{
	char path[64];

	GK_TRY(gpt_parse_mark(p, node, rest));
	for (size_t i = 0; i < r->n; i++) {
		const xmlNode *child = gpt_xml_first(node, r->field[i].element);

		if (!child || (i > 0 && strcmp(r->field[i].element,
		                               r->field[i - 1].element) == 0))
			continue;
		(void)snprintf(path, sizeof(path), "%.24s.%.20s", rest,
		               r->field[i].element);
		GK_TRY(gpt_parse_mark(p, child, path));
	}
	return GK_OK;
}

static enum gk_err
record_parse(struct gpt_parse *p, const xmlNode *node,
             enum gpt_record_kind kind, void *out, const char *rest)
{
	const struct gpt_record *r = gpt_record(kind);

	GK_TRY(mark(p, node, r, rest));
	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];
		const xmlNode *at =
			f->element[0] ? gpt_xml_first(node, f->element) : node;

		if (at && xmlHasProp(at, (const xmlChar *)f->attribute))
			GK_TRY(field_parse(p, at, r, f, out));
		else if (!may_be_left_out(f))
			return gpt_xml_refuse(at ? at : node, p->why,
			                      "attribute %s is missing",
			                      f->attribute);
	}
	return GK_OK;
}

enum gk_err
gpt_parse_gdoi_announced(struct gpt_parse *p, const xmlNode *node,
                         struct gpt_gdoi_register *out)
{
	char rest[40];

	GK_TRY(record_parse(p, node, GPT_RECORD_GDOI_GROUP, &out->group, ""));
	for (const xmlNode *n = gpt_xml_first(node, "phase1"); n;
	     n = gpt_xml_next(n, "phase1")) {
		struct gpt_phase1 *made = gpt_gdoi_register_add_phase1(out);

		if (!made)
			return GK_ERR_NOMEM;
		(void)snprintf(rest, sizeof(rest), ".phase1[%zu]",
		               out->n_phase1 - 1);
		GK_TRY(record_parse(p, n, GPT_RECORD_PHASE1, made, rest));
	}
	return GK_OK;
}

enum gk_err
gpt_parse_gdoi_register(struct gpt_parse *p, const xmlNode *node,
                        struct gpt_protocol *out)
{
	GK_TRY(gpt_parse_gdoi_announced(p, node, out->gdoi_reg));
	return gpt_parse_membership(p, node, out->reg);
}

enum gk_err
gpt_parse_gdoi_rekey(struct gpt_parse *p, const xmlNode *node,
                     struct gpt_gdoi_rekey *out)
{
	return record_parse(p, node, GPT_RECORD_GDOI_REKEY, out, "");
}

enum gk_err
gpt_parse_operation(struct gpt_parse *p, const xmlNode *node,
                    struct gpt_operation *out)
{
	return record_parse(p, node, GPT_RECORD_OPERATION, out, "");
}

enum gk_err
gpt_parse_ipsec(struct gpt_parse *p, const xmlNode *node, struct gpt_ipsec *out)
{
	char rest[40];

	for (const xmlNode *n = gpt_xml_first(node, "sa"); n;
	     n = gpt_xml_next(n, "sa")) {
		struct gpt_ipsec_sa *sa = gpt_ipsec_add(out);

		if (!sa)
			return GK_ERR_NOMEM;
		(void)snprintf(rest, sizeof(rest), ".sa[%zu]", out->n - 1);
		GK_TRY(record_parse(p, n, GPT_RECORD_IPSEC_SA, sa, rest));
	}
	return GK_OK;
}

enum gk_err
gpt_parse_iec(struct gpt_parse *p, const xmlNode *node, struct gpt_iec *out)
{
	char rest[40];

	for (const xmlNode *n = gpt_xml_first(node, "sa"); n;
	     n = gpt_xml_next(n, "sa")) {
		struct gpt_iec_sa *sa = gpt_iec_add(out);

		if (!sa)
			return GK_ERR_NOMEM;
		(void)snprintf(rest, sizeof(rest), ".sa[%zu]", out->n - 1);
		GK_TRY(record_parse(p, n, GPT_RECORD_IEC_SA, sa, rest));
	}
	return GK_OK;
}

/* --- writing ------------------------------------------------------------------- */

/* Is it what is understood when nothing is said? */
static bool
goes_without_saying(const struct gpt_field *f, const void *record)
{
	if (!gpt_field_present(f, record))
		return true;
	if (f->optional)
		return false;
	if (f->kind == GPT_FIELD_OCTETS)
		return gpt_field_octets(f, record)->len == 0;
	return f->kind <= GPT_FIELD_CODE && f->fallback != GPT_NEEDED &&
	       gpt_field_number(f, record)->value == f->fallback;
}

static void
field_write(struct gpt_xml_out *out, const struct gpt_record *r,
            const struct gpt_field *f, const void *record)
{
	struct gk_buf text = { 0 };

	if (f->kind == GPT_FIELD_OCTETS) {
		gpt_xml_put_hex(out, f->attribute,
		                gk_buf_slice(gpt_field_octets(f, record)));
		return;
	}
	if (out->err == GK_OK)
		out->err = gpt_field_text(r, f, record, &text);
	gpt_xml_put_text(out, f->attribute, gk_buf_slice(&text));
	gk_buf_free(&text);
}

/* The fields of the record's own element; then its children. */
static void
record_write(struct gpt_xml_out *out, enum gpt_record_kind kind,
             const void *record)
{
	const struct gpt_record *r = gpt_record(kind);
	const char *open = "";

	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];

		if (goes_without_saying(f, record))
			continue;
		if (strcmp(f->element, open) != 0) {
			if (open[0])
				gpt_xml_end(out, open);
			open = f->element;
			gpt_xml_begin(out, open);
		}
		field_write(out, r, f, record);
	}
	if (open[0])
		gpt_xml_end(out, open);
}

static void
phase1_write(struct gpt_xml_out *out, const struct gpt_gdoi_register *reg)
{
	for (size_t i = 0; i < reg->n_phase1; i++) {
		gpt_xml_begin(out, "phase1");
		record_write(out, GPT_RECORD_PHASE1, &reg->phase1[i]);
		gpt_xml_end(out, "phase1");
	}
}

void
gpt_write_gdoi_announced(struct gpt_xml_out *out,
                         const struct gpt_gdoi_register *reg)
{
	record_write(out, GPT_RECORD_GDOI_GROUP, &reg->group);
	phase1_write(out, reg);
}

void
gpt_write_gdoi_register(struct gpt_xml_out *out, const struct gpt_protocol *p)
{
	gpt_xml_begin(out, "gdoi");
	record_write(out, GPT_RECORD_GDOI_GROUP, &p->gdoi_reg->group);
	gpt_write_membership(out, p->reg);
	phase1_write(out, p->gdoi_reg);
	gpt_xml_end(out, "gdoi");
}

void
gpt_write_gdoi_rekey(struct gpt_xml_out *out, const struct gpt_gdoi_rekey *in)
{
	gpt_xml_begin(out, "gdoi");
	record_write(out, GPT_RECORD_GDOI_REKEY, in);
	gpt_xml_end(out, "gdoi");
}

void
gpt_write_operation(struct gpt_xml_out *out, const struct gpt_operation *in)
{
	gpt_xml_begin(out, "operation");
	record_write(out, GPT_RECORD_OPERATION, in);
	gpt_xml_end(out, "operation");
}

void
gpt_write_ipsec(struct gpt_xml_out *out, const struct gpt_ipsec *in)
{
	gpt_xml_begin(out, "ipsec");
	for (size_t i = 0; i < in->n; i++) {
		gpt_xml_begin(out, "sa");
		record_write(out, GPT_RECORD_IPSEC_SA, &in->at[i]);
		gpt_xml_end(out, "sa");
	}
	gpt_xml_end(out, "ipsec");
}

void
gpt_write_iec(struct gpt_xml_out *out, const struct gpt_iec *in)
{
	gpt_xml_begin(out, "iec-61850");
	for (size_t i = 0; i < in->n; i++) {
		gpt_xml_begin(out, "sa");
		record_write(out, GPT_RECORD_IEC_SA, &in->at[i]);
		gpt_xml_end(out, "sa");
	}
	gpt_xml_end(out, "iec-61850");
}
