/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/policy_private.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_lint.h"

#define WHY_LEN GDOI_POLICY_WHY
#define DER_OBJECT 0x06
/* Octets of an SA payload: a UDP datagram, less what else message 2 has in it. */
#define SA_MAX 65000
/* Of one address that the policy leaves out. */
#define UNSPECIFIED_LEN 16

enum gk_err
gdoi_policy_refuse(struct gdoi_policy_making *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(m->why, WHY_LEN, fmt, ap);
	va_end(ap);
	return GK_ERR_POLICY;
}

struct gk_slice
gdoi_policy_keep(struct gdoi_policy_making *m, struct gk_slice octets)
{
	uint8_t *to = m->p->octets.ptr + m->used;

	if (octets.len > m->p->octets.len - m->used)
		return (struct gk_slice){ NULL, 0 };
	if (octets.len > 0)
		memcpy(to, octets.ptr, octets.len);
	m->used += octets.len;
	return (struct gk_slice){ to, octets.len };
}

enum gk_err
gdoi_policy_oid_octets(const struct gdoi_dialect *dialect, const char *text,
                       uint8_t der[GDOI_POLICY_OID_MAX], struct gk_slice *out)
{
	size_t n, skip = dialect->oid_encoding == GDOI_OID_ENCODING_TLV ? 0 : 2;

	if (!text || gk_oid_parse(gk_slice_str(text), der + 2, &n) != GK_OK)
		return GK_ERR_VALUE;
	der[0] = DER_OBJECT;
	der[1] = (uint8_t)n;
	*out = (struct gk_slice){ der + skip, n + 2 - skip };
	return GK_OK;
}

enum gk_err
gdoi_policy_oid(struct gdoi_policy_making *m, const char *text,
                struct gk_slice *out)
{
	uint8_t der[GDOI_POLICY_OID_MAX];

	if (gdoi_policy_oid_octets(m->dialect, text, der, out) != GK_OK)
		return gdoi_policy_refuse(
			m, "oid: no OBJECT IDENTIFIER of %d octets at most",
			GK_OID_MAX);
	*out = gdoi_policy_keep(m, *out);
	return GK_OK;
}

/* --- what there is to keep ------------------------------------------------------ */

static size_t
octets_of_record(enum gpt_record_kind kind, const void *record)
{
	const struct gpt_record *r = gpt_record(kind);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];

		if (f->kind == GPT_FIELD_OCTETS)
			n += gpt_field_octets(f, record)->len;
		else if (f->kind == GPT_FIELD_OID)
			n += GDOI_POLICY_OID_MAX;
		else if (f->kind == GPT_FIELD_ADDRESS)
			n += gpt_field_address(f, record)->data.len +
			     UNSPECIFIED_LEN;
	}
	return n;
}

static size_t
octets_of_data(const struct gpt_token *token)
{
	size_t n = 0;

	for (size_t i = 0; i < token->n_data; i++) {
		const struct gpt_ipsec *ipsec = token->data[i].ipsec;
		const struct gpt_iec *iec = token->data[i].iec;

		for (size_t k = 0; ipsec && k < ipsec->n; k++)
			n += octets_of_record(GPT_RECORD_IPSEC_SA,
			                      &ipsec->at[k]);
		for (size_t k = 0; iec && k < iec->n; k++)
			n += octets_of_record(GPT_RECORD_IEC_SA, &iec->at[k]);
	}
	return n;
}

/* --- the parts ------------------------------------------------------------------- */

/* The contradictions that msec-token finds are no policy to run: the first. */
static enum gk_err
contradictions(struct gdoi_policy_making *m, const struct gpt_token *token)
{
	struct gpt_findings found;
	enum gk_err err = gpt_lint_gdoi(token, &found);

	for (size_t i = 0; err == GK_OK && i < found.n; i++)
		if (found.at[i].level == GPT_LINT_ERROR)
			err = gdoi_policy_refuse(m, "%s: %.160s",
			                         found.at[i].path,
			                         found.at[i].text);
	gpt_findings_free(&found);
	return err;
}

static enum gk_err
make_group(struct gdoi_policy_making *m, const struct gpt_gdoi_group *g)
{
	struct gdoi_policy *p = m->p;

	p->id.type = g->oid ? ISAKMP_ID_OID : ISAKMP_ID_KEY_ID;
	p->id.number = gdoi_policy_number(g->number);
	if (g->payload.len > UINT16_MAX - 256)
		return gdoi_policy_refuse(
			m,
			"group: an OID-Specific Payload of %zu octets fits "
			"no message",
			g->payload.len);
	if (!gdoi_oid_payload_fits(gk_buf_slice(&g->payload)))
		return gdoi_policy_refuse(
			m, "group: its OID-Specific Payload is no DER");
	if (g->oid) {
		GK_TRY(gdoi_policy_oid(m, g->oid, &p->id.oid));
		p->id.payload = gdoi_policy_keep(m, gk_buf_slice(&g->payload));
	}
	p->has_gap = g->atd.present || g->dtd.present;
	p->gap.has_atd = g->atd.present;
	p->gap.has_dtd = g->dtd.present;
	p->gap.atd = gdoi_policy_number16(g->atd);
	p->gap.dtd = gdoi_policy_number16(g->dtd);
	p->sid_bits = gdoi_policy_number16(g->sid_bits);
	p->members_max = gdoi_policy_number(g->members);
	return GK_OK;
}

static enum gk_err
make_phase1(struct gdoi_policy_making *m, const struct gpt_gdoi_register *reg)
{
	if (reg->n_phase1 == 0)
		return GK_OK;
	m->p->phase1 = calloc(reg->n_phase1, sizeof(*m->p->phase1));
	if (!m->p->phase1)
		return GK_ERR_NOMEM;
	/* RFC4534-B.1.3-01: any of them will do, so those that may not be used
	 * are none. */
	for (size_t i = 0; i < reg->n_phase1; i++) {
		struct gdoi_phase1_policy out =
			gdoi_policy_phase1_of(&reg->phase1[i]);

		if (m->legacy_ok || !ike_suite_is_legacy(&out.suite))
			m->p->phase1[m->p->n_phase1++] = out;
	}
	return GK_OK;
}

static enum gk_err
make_data(struct gdoi_policy_making *m, const struct gpt_token *token)
{
	for (size_t i = 0; i < token->n_data; i++) {
		const struct gpt_protocol *d = &token->data[i];

		/* RFC4534-3-09: all of them, or none. */
		if (d->kind == GPT_PROTOCOL_IPSEC)
			GK_TRY(gdoi_policy_make_ipsec(m, d->ipsec));
		else if (d->kind == GPT_PROTOCOL_IEC_61850)
			GK_TRY(gdoi_policy_make_iec(m, d->iec));
		else
			return gdoi_policy_refuse(
				m, "data[%zu]: GDOI has no such data protocol",
				i);
	}
	if (m->p->n_data == 0)
		return gdoi_policy_refuse(m, "there is no data SA");
	for (size_t i = 0; i < m->p->n_data; i++)
		if (m->p->data[i].counter_mode && m->p->sid_bits == 0)
			return gdoi_policy_refuse(
				m,
				"data SA %zu is in a counter mode, and "
				"sender-ids are not given",
				i + 1);
	return GK_OK;
}

/* What our own members would refuse, or no datagram can carry, is no policy. */
static enum gk_err
readable(struct gdoi_policy_making *m, struct gdoi_sa *sa, struct gdoi_sa *back,
         struct gk_buf *octets)
{
	const struct gdoi_policy *p = m->p;
	struct isakmp_reject why = { 0 };
	struct gk_wr wr;
	struct gk_rd rd;

	sa->has_sak = p->rekey.on;
	sa->sak = p->rekey.sak;
	sa->has_gap = p->has_gap;
	sa->gap = p->gap;
	for (size_t i = 0; i < p->n_data; i++)
		sa->sat[sa->n_sats++] = p->data[i].sat;
	gk_wr_init(&wr, octets->ptr, octets->len);
	gdoi_sa_encode(&wr, m->dialect, sa);
	if (wr.err != GK_OK)
		return gdoi_policy_refuse(m, "its SA payload fits no message");
	gk_rd_init(&rd, octets->ptr, wr.len);
	if (gdoi_sa_read(&rd, m->dialect, true, back, &why) != GK_OK)
		return gdoi_policy_refuse(m, "no member could read it: %s [%s]",
		                          why.field, why.req ? why.req : "");
	return GK_OK;
}

static enum gk_err
check_readable(struct gdoi_policy_making *m)
{
	struct gdoi_sa *sa = calloc(2, sizeof(*sa));
	struct gk_buf octets = { 0 };
	enum gk_err err = sa ? gk_buf_alloc(&octets, SA_MAX) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = readable(m, &sa[0], &sa[1], &octets);
	gk_buf_free(&octets);
	free(sa);
	return err;
}

static enum gk_err
make(struct gdoi_policy_making *m, const struct gpt_token *token)
{
	const struct gpt_gdoi_register *gdoi = NULL;
	size_t octets;

	GK_TRY(gdoi_policy_choose_registration(m, token, &gdoi));
	GK_TRY(contradictions(m, token));
	octets = octets_of_record(GPT_RECORD_GDOI_GROUP, &gdoi->group) +
	         octets_of_data(token) + UNSPECIFIED_LEN;
	for (size_t i = 0; i < token->n_rekey; i++)
		if (token->rekey[i].kind == GPT_PROTOCOL_GDOI_REKEY)
			octets += octets_of_record(GPT_RECORD_GDOI_REKEY,
			                           token->rekey[i].gdoi_rekey);
	GK_TRY(gk_buf_alloc(&m->p->octets, octets));
	GK_TRY(make_group(m, &gdoi->group));
	GK_TRY(make_phase1(m, gdoi));
	GK_TRY(gdoi_policy_choose_rekey(m, token));
	GK_TRY(make_data(m, token));
	return check_readable(m);
}

enum gk_err
gdoi_policy_new(struct gpt_token *token, int64_t edition,
                const struct gdoi_policy_able *able,
                struct gdoi_policy **policy, char why[WHY_LEN])
{
	static const struct gdoi_dialect defaults;
	struct gdoi_policy_making m = {
		.p = calloc(1, sizeof(*m.p)),
		.able = able,
		.dialect = able->dialect ? able->dialect : &defaults,
		.legacy_ok = able->legacy_ok,
		.why = why,
	};
	enum gk_err err = m.p ? make(&m, token) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = gpt_access_prepare(token, GK_DN_COMPARE_RFC4514);
	if (err == GK_ERR_NOMEM)
		(void)snprintf(why, WHY_LEN, "out of memory");
	if (err != GK_OK) {
		gdoi_policy_free(m.p);
		return err;
	}
	m.p->edition = edition;
	m.p->token = token;
	*policy = m.p;
	return GK_OK;
}

void
gdoi_policy_free(struct gdoi_policy *policy)
{
	if (!policy)
		return;
	gpt_token_free(policy->token);
	gk_buf_free(&policy->octets);
	free(policy->phase1);
	free(policy);
}
