/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "policy-tokens/cli/cli.h"
#include "policy-tokens/token/gpt_gdoi.h"

/* The records of gpt_gdoi.h in words: a line for each element of the XML form,
 * everything said that goes without saying there. */

static void
field(FILE *out, const struct gpt_record *r, const struct gpt_field *f,
      const void *record, const char *comma)
{
	struct gk_buf text = { 0 };

	if (gpt_field_text(r, f, record, &text) == GK_OK && text.len > 0)
		fprintf(out, "%s%s %.*s", comma, f->attribute, (int)text.len,
		        (const char *)text.ptr);
	gk_buf_free(&text);
}

static void
record_show(FILE *out, enum gpt_record_kind kind, const void *record,
            const char *lead, const char *name)
{
	const struct gpt_record *r = gpt_record(kind);
	const char *element = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];
		bool first = !element || strcmp(f->element, element) != 0;

		if (!gpt_field_present(f, record) ||
		    (f->kind == GPT_FIELD_OCTETS &&
		     gpt_field_octets(f, record)->len == 0))
			continue;
		if (first) {
			fprintf(out, "%s%s%s  ", element ? "\n" : "", lead,
			        f->element[0] ? f->element : name);
			element = f->element;
		}
		field(out, r, f, record, first ? "" : ", ");
	}
	if (element)
		fprintf(out, "\n");
}

static void
show_register(FILE *out, const struct gpt_protocol *p)
{
	fprintf(out, "  join by GDOI GROUPKEY-PULL\n");
	record_show(out, GPT_RECORD_GDOI_GROUP, &p->gdoi_reg->group, "  ", "");
	cli_show_membership(out, p->reg);
	if (p->gdoi_reg->n_phase1 == 0)
		fprintf(out, "  phase 1 as the key server is configured\n");
	for (size_t i = 0; i < p->gdoi_reg->n_phase1; i++)
		record_show(out, GPT_RECORD_PHASE1, &p->gdoi_reg->phase1[i],
		            "  ", "phase 1");
}

void
cli_show_gdoi(FILE *out, const struct gpt_protocol *p)
{
	switch (p->kind) {
	case GPT_PROTOCOL_GDOI_REGISTER:
		show_register(out, p);
		break;
	case GPT_PROTOCOL_GDOI_REKEY:
		fprintf(out, "  rekey by GDOI GROUPKEY-PUSH\n");
		record_show(out, GPT_RECORD_GDOI_REKEY, p->gdoi_rekey, "  ",
		            "");
		break;
	case GPT_PROTOCOL_OPERATION:
		fprintf(out, "  no rekey protocol: how the group is run\n");
		record_show(out, GPT_RECORD_OPERATION, p->operation, "  ", "");
		break;
	case GPT_PROTOCOL_IPSEC:
		for (size_t i = 0; i < p->ipsec->n; i++)
			record_show(out, GPT_RECORD_IPSEC_SA, &p->ipsec->at[i],
			            "  ", "ipsec sa");
		break;
	case GPT_PROTOCOL_IEC_61850:
		for (size_t i = 0; i < p->iec->n; i++)
			record_show(out, GPT_RECORD_IEC_SA, &p->iec->at[i],
			            "  ", "iec-61850 sa");
		break;
	default:
		break;
	}
}
