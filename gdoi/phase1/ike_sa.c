/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_private.h"

/*
 * SA payloads of phase 1: RFC 2408 section 4.2, RFC 2409 section 5, RFC 6407
 * section 2.1.
 */
static uint32_t
own_doi(const struct gdoi_dialect *dialect)
{
	switch (dialect->p1_doi) {
	case GDOI_P1_DOI_1:
		return ISAKMP_DOI_IPSEC;
	case GDOI_P1_DOI_0:
		return ISAKMP_DOI_ISAKMP;
	default:
		return ISAKMP_DOI_GDOI;
	}
}

static uint32_t
own_situation(const struct gdoi_dialect *dialect)
{
	return dialect->p1_situation == GDOI_P1_SITUATION_1 ? 1 : 0;
}

static bool
situation_fits(const struct gdoi_dialect *dialect, uint32_t situation)
{
	if (situation == own_situation(dialect))
		return true;
	return dialect->p1_situation_accept == GDOI_P1_SITUATION_ACCEPT_ANY &&
	       situation <= 1;
}

static bool
usable(const struct ike *ike, const struct ike_suite *suite)
{
	return ike->cfg.legacy_ok || !ike_suite_is_legacy(suite);
}

void
ike_sa_offer(const struct ike *ike, struct ike_message *m)
{
	struct gk_wr_hole payload, proposal, transform;
	uint8_t n = 0;
	size_t count_at;

	payload = ike_message_payload(m, ISAKMP_PAYLOAD_SA);
	gk_wr_u32(&m->wr, own_doi(&ike->dialect));
	gk_wr_u32(&m->wr, own_situation(&ike->dialect));
	proposal = isakmp_generic_begin(&m->wr, ISAKMP_PAYLOAD_NONE);
	gk_wr_u8(&m->wr, 1);
	gk_wr_u8(&m->wr, ISAKMP_PROTO_ISAKMP);
	gk_wr_u8(&m->wr, 0);
	count_at = m->wr.len;
	gk_wr_u8(&m->wr, 0);
	for (size_t i = 0; i < ike->cfg.n_suites; i++) {
		struct ike_suite s = ike->cfg.suite[i];
		bool last = i + 1 == ike->cfg.n_suites || ike->cfg.aggressive;

		if (s.life_s == 0)
			s.life_s = ike->cfg.life_s;
		transform = isakmp_generic_begin(
			&m->wr,
			last ? ISAKMP_PAYLOAD_NONE : ISAKMP_PAYLOAD_TRANSFORM);
		gk_wr_u8(&m->wr, ++n);
		gk_wr_u8(&m->wr, ISAKMP_KEY_IKE);
		gk_wr_u16(&m->wr, 0);
		ike_suite_encode(&m->wr, &s);
		gk_wr_close(&m->wr, transform);
		if (last)
			break; /* RFC2408-4.7-02: Aggressive Mode has one */
	}
	if (m->wr.err == GK_OK)
		m->buf[count_at] = n;
	gk_wr_close(&m->wr, proposal);
	gk_wr_close(&m->wr, payload);
}

static enum gk_err
read_sa(struct ike_input *in, struct isakmp_proposal *sa)
{
	const struct isakmp_chain_item *item;
	struct gk_rd rd;

	GK_TRY(ike_payload(in, ISAKMP_PAYLOAD_SA, &item));
	/* RFC2409-5-07 */
	if (item != &in->chain.item[0] && GK_CHECKED("RFC2409-5-07"))
		return ike_refuse(in, GK_ERR_UNEXPECTED,
		                  ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                  "RFC2409-5-07", "SA", item->generic.at);
	rd = ike_body(in, item);
	GK_TRY(isakmp_proposal_read(&rd, sa, &in->why));
	/* RFC6407-2.1-01, RFC2408-5.4-01: 2 is right for everybody, whatever
	 * else switch p1_doi makes us take. */
	if (sa->doi != ISAKMP_DOI_GDOI &&
	    sa->doi != own_doi(&in->ike->dialect) &&
	    GK_CHECKED("RFC6407-2.1-01", "RFC2408-5.4-01"))
		return ike_refuse(in, GK_ERR_VALUE,
		                  ISAKMP_NOTIFY_DOI_NOT_SUPPORTED,
		                  "RFC6407-2.1-01", "DOI", sa->at);
	/* RFC2408-5.4-02 */
	if (!situation_fits(&in->ike->dialect, sa->situation) &&
	    GK_CHECKED("RFC2408-5.4-02", "RFC2407-4.2.2-03",
	               "RFC2407-4.2.3-03"))
		return ike_refuse(in, GK_ERR_VALUE,
		                  ISAKMP_NOTIFY_SITUATION_NOT_SUPPORTED,
		                  "RFC2408-5.4-02", "Situation", sa->at + 4);
	return gk_buf_copy(&in->ike->sa_i, item->generic.body);
}

static bool
is_listed(const struct ike_input *in, const struct ike_suite *suite)
{
	const struct ike_filter *f = &in->ike->cfg.filter;

	return f->lists == NULL ||
	       f->lists(f->ctx, suite,
	                in->header.exchange == ISAKMP_EXCHANGE_AGGRESSIVE);
}

/* By our preference; RFC2408-5.6-01: what we do not know is passed over. */
static const struct isakmp_transform *
choose(struct ike_input *in, const struct isakmp_proposal *sa,
       struct ike_suite *chosen, bool *unlisted)
{
	struct ike *ike = in->ike;
	struct isakmp_reject passed_over;

	for (size_t i = 0; i < ike->cfg.n_suites; i++)
		for (uint8_t n = 0; n < sa->n_transforms; n++) {
			if (ike_suite_read(&sa->transform[n],
			                   ike->cfg.aes_default, chosen,
			                   &passed_over) != GK_OK ||
			    !usable(ike, chosen))
				continue;
			if (!ike_suite_matches(chosen, &ike->cfg.suite[i]))
				continue;
			if (is_listed(in, chosen))
				return &sa->transform[n];
			*unlisted = true;
		}
	return NULL;
}

enum gk_err
ike_sa_take(struct ike_input *in, struct isakmp_proposal *chosen)
{
	const struct isakmp_transform *t;
	struct isakmp_transform only;
	bool unlisted = false;

	GK_TRY(read_sa(in, chosen));
	t = choose(in, chosen, &in->ike->suite, &unlisted);
	if (t == NULL &&
	    GK_CHECKED("RFC2408-5.4-03", "RFC2409-4-08", "RFC6407-2-02",
	               "RFC2409-4-11", "RFC2409-4-12", "RFC2409-A-09",
	               "RFC2409-A-10"))
		return ike_refuse(
			in, GK_ERR_POLICY, ISAKMP_NOTIFY_NO_PROPOSAL_CHOSEN,
			"RFC2408-5.4-03",
			unlisted ? "Transforms, of which no group's policy "
				   "lists those that are configured"
				 : "Transforms",
			chosen->at + 8);
	if (t == NULL) { /* unchecked: the first, for whatever it is */
		t = &chosen->transform[0];
		in->ike->suite = in->ike->cfg.suite[0];
	}
	/* RFC2409-5-19: the offer as it stands, its numbers kept. */
	only = *t;
	chosen->transform[0] = only;
	chosen->n_transforms = 1;
	return GK_OK;
}

/* RFC2409-5-20, RFC2408-4.2-10: nothing changed, added or left out.  The numbers
 * of the offer may have changed: RFC 2408 section 4.2 has a responder keep them
 * so that they are found faster, and no more. */
static bool
is_ours(const struct ike *ike, const struct isakmp_transform *answer,
        bool aes_default, struct ike_suite *suite)
{
	struct isakmp_reject why;

	if (ike_suite_read(answer, aes_default, suite, &why) != GK_OK)
		return false;
	for (size_t i = 0; i < ike->cfg.n_suites; i++) {
		struct ike_suite s = ike->cfg.suite[i];

		if (s.life_s == 0)
			s.life_s = ike->cfg.life_s;
		if (ike_suite_matches(suite, &s) && suite->life_s == s.life_s &&
		    suite->life_kb == s.life_kb)
			return true;
	}
	return false;
}

enum gk_err
ike_sa_taken(struct ike_input *in)
{
	struct isakmp_proposal *sa = calloc(1, sizeof(*sa));
	struct gk_buf ours = in->ike->sa_i;
	enum gk_err err = GK_ERR_NOMEM;

	if (sa == NULL)
		return err;
	/* read_sa() keeps what it read; ours is the initiator's. */
	in->ike->sa_i = (struct gk_buf){ 0 };
	err = read_sa(in, sa);
	gk_buf_free(&in->ike->sa_i);
	in->ike->sa_i = ours;
	if (err == GK_OK &&
	    (sa->n_transforms != 1 ||
	     !is_ours(in->ike, &sa->transform[0], in->ike->cfg.aes_default,
	              &in->ike->suite)) &&
	    GK_CHECKED("RFC2409-5-20", "RFC2409-5-19", "RFC2409-3.2-02",
	               "RFC2408-4.1.1-02", "RFC2408-4.2-07", "RFC2408-4.2-08",
	               "RFC2408-4.2-10"))
		err = ike_refuse(in, GK_ERR_POLICY,
		                 ISAKMP_NOTIFY_NO_PROPOSAL_CHOSEN,
		                 "RFC2409-5-20", "Transform", sa->at + 8);
	free(sa);
	return err;
}
