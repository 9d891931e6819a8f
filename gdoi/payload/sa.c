/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/sa.h"

#include "common/base/gk_check.h"

static enum gk_err
malformed(struct isakmp_reject *why, enum gk_err err, const char *req,
          const char *field, size_t at)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_PAYLOAD_MALFORMED, req,
	                     field, at);
}

/* RFC6407-5.2.1-02, -04: one SAK, one GAP, any number of SATs, in that order. */
static enum gk_err
place(const struct gdoi_sa *sa, uint16_t type, size_t at,
      struct isakmp_reject *why)
{
	bool early = type == ISAKMP_PAYLOAD_SAK ? sa->has_gap : false;
	bool twice = (type == ISAKMP_PAYLOAD_SAK && sa->has_sak) ||
	             (type == ISAKMP_PAYLOAD_GAP && sa->has_gap);

	if (twice && GK_CHECKED("RFC6407-5.2.1-02"))
		return malformed(why, GK_ERR_UNEXPECTED, "RFC6407-5.2.1-02",
		                 "Next Payload", at);
	if ((early || (type != ISAKMP_PAYLOAD_SAT && sa->n_sats != 0)) &&
	    GK_CHECKED("RFC6407-5.2.1-04"))
		return malformed(why, GK_ERR_UNEXPECTED, "RFC6407-5.2.1-04",
		                 "Next Payload", at);
	if (type == ISAKMP_PAYLOAD_SAT && sa->n_sats == GDOI_SATS_MAX)
		return malformed(why, GK_ERR_SPACE, "RFC6407-5.2.1-02",
		                 "Next Payload", at);
	return GK_OK;
}

/* Section 5.4.2: a request is a member's; it comes in message 3 alone. */
static enum gk_err
gap_read(struct gk_rd *body, struct gdoi_sa *sa, struct isakmp_reject *why)
{
	sa->has_gap = true;
	GK_TRY(gdoi_gap_read(body, &sa->gap, why));
	if (sa->gap.has_request && GK_CHECKED("RFC6407-5.4-01"))
		return isakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		                     "RFC6407-5.4-01", "SENDER_ID_REQUEST",
		                     sa->gap.at);
	return GK_OK;
}

static enum gk_err
attribute_payload(struct gk_rd *body, const struct gdoi_dialect *dialect,
                  bool pull, uint16_t type, struct gdoi_sa *sa,
                  struct isakmp_reject *why)
{
	if (type == ISAKMP_PAYLOAD_SAK) {
		sa->has_sak = true;
		return gdoi_sak_read(body, dialect, pull, &sa->sak, why);
	}
	if (type == ISAKMP_PAYLOAD_GAP)
		return gap_read(body, sa, why);
	return gdoi_sat_read(body, dialect, &sa->sat[sa->n_sats++], why);
}

/* The next payload that one of them names. */
static enum gk_err
next_check(uint16_t next, const char *req, const char *field, size_t at,
           struct isakmp_reject *why)
{
	if (next != ISAKMP_PAYLOAD_NONE &&
	    !isakmp_payload_is_sa_attribute(next) && GK_CHECKED(req))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE, req,
		                     field, at);
	return GK_OK;
}

/* filled - figure 8 of RFC 8052 draws four octets between two SATs. */
static bool
filled(const struct gdoi_dialect *dialect, uint16_t type, uint16_t next)
{
	return type == ISAKMP_PAYLOAD_SAT && next == ISAKMP_PAYLOAD_SAT &&
	       dialect->iec_attr_filler == GDOI_IEC_ATTR_FILLER_NP;
}

static enum gk_err
chain_read(struct gk_rd *rd, const struct gdoi_dialect *dialect, bool pull,
           uint16_t type, struct gdoi_sa *sa, struct isakmp_reject *why)
{
	struct isakmp_generic g;
	struct gk_rd body;

	while (type != ISAKMP_PAYLOAD_NONE) {
		GK_TRY(place(sa, type, gk_rd_offset(rd), why));
		if (isakmp_generic_decode(rd, &g, &body) != GK_OK)
			return isakmp_refuse_fault(
				why, &rd->fault,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC6407-5.2-05");
		GK_TRY(next_check(g.next_payload, "RFC6407-5.2.1-01",
		                  "Next Payload", g.at, why));
		/* RFC6407-5.3-03, 5.4-06, 5.5-03 */
		if (g.reserved != 0 &&
		    GK_CHECKED("RFC6407-5.3-03", "RFC6407-5.4-06",
		               "RFC6407-5.5-03"))
			return malformed(
				why, GK_ERR_RESERVED,
				type == ISAKMP_PAYLOAD_SAK   ? "RFC6407-5.3-03"
				: type == ISAKMP_PAYLOAD_GAP ? "RFC6407-5.4-06"
							     : "RFC6407-5.5-03",
				"RESERVED", g.at + 1);
		GK_TRY(attribute_payload(&body, dialect, pull, type, sa, why));
		if (filled(dialect, type, g.next_payload))
			(void)gk_rd_u32(rd, "SA Attr NP");
		type = g.next_payload;
	}
	if (gk_rd_done(rd) != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC6407-5.2-05");
	return GK_OK;
}

/* turn_addresses - everybody else sees network order. */
static void
turn_addresses(const struct gdoi_dialect *dialect, struct gdoi_sa *sa)
{
	for (uint16_t i = 0; i < sa->n_sats; i++) {
		struct gdoi_endpoints *ep = &sa->sat[i].ipsec.ep;

		if (sa->sat[i].protocol == GDOI_PROTOCOL_IEC_61850)
			continue;
		ep->src.data =
			gdoi_endpoint_turn(dialect, &ep->src, sa->turned[i][0]);
		ep->dst.data =
			gdoi_endpoint_turn(dialect, &ep->dst, sa->turned[i][1]);
	}
}

enum gk_err
gdoi_sa_read(struct gk_rd *rd, const struct gdoi_dialect *dialect, bool pull,
             struct gdoi_sa *sa, struct isakmp_reject *why)
{
	uint32_t doi, situation;
	uint16_t next, reserved2;

	sa->has_sak = sa->has_gap = false;
	sa->n_sats = 0;
	sa->at = gk_rd_offset(rd);
	doi = gk_rd_u32(rd, "DOI");
	situation = gk_rd_u32(rd, "Situation");
	next = gk_rd_u16(rd, "SA Attribute Next Payload");
	reserved2 = gk_rd_u16(rd, "RESERVED2");
	if (rd->fault.err != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC6407-5.2-01");
	/* RFC6407-5.2-06 */
	if (doi != ISAKMP_DOI_GDOI && GK_CHECKED("RFC6407-5.2-06"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_DOI_NOT_SUPPORTED,
		                     "RFC6407-5.2-06", "DOI", sa->at);
	/* RFC6407-5.2-07 */
	if (situation != 0 && GK_CHECKED("RFC6407-5.2-07"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_SITUATION_NOT_SUPPORTED,
		                     "RFC6407-5.2-07", "Situation", sa->at + 4);
	/* RFC6407-5.2-08 */
	GK_TRY(next_check(next, "RFC6407-5.2-08", "SA Attribute Next Payload",
	                  sa->at + 8, why));
	/* RFC6407-5.2-09 */
	if (reserved2 != 0 && GK_CHECKED("RFC6407-5.2-09"))
		return malformed(why, GK_ERR_RESERVED, "RFC6407-5.2-09",
		                 "RESERVED2", sa->at + 10);
	GK_TRY(chain_read(rd, dialect, pull, next, sa, why));
	/* RFC6407-5.2.1-03 */
	if (!sa->has_sak && sa->n_sats == 0 && GK_CHECKED("RFC6407-5.2.1-03"))
		return malformed(why, GK_ERR_UNEXPECTED, "RFC6407-5.2.1-03",
		                 "SA Attribute Next Payload", sa->at + 8);
	turn_addresses(dialect, sa);
	if (sa->has_sak)
		GK_TRY(gdoi_endpoints_ranges_check(&sa->sak.ep, why));
	for (uint16_t i = 0; i < sa->n_sats; i++)
		if (sa->sat[i].protocol != GDOI_PROTOCOL_IEC_61850)
			GK_TRY(gdoi_endpoints_ranges_check(&sa->sat[i].ipsec.ep,
			                                   why));
	return GK_OK;
}

/* The type of the attribute payload number @i; NONE behind the last. */
static uint8_t
type_at(const struct gdoi_sa *sa, size_t i)
{
	if (sa->has_sak && i-- == 0)
		return ISAKMP_PAYLOAD_SAK;
	if (sa->has_gap && i-- == 0)
		return ISAKMP_PAYLOAD_GAP;
	return i < sa->n_sats ? ISAKMP_PAYLOAD_SAT : ISAKMP_PAYLOAD_NONE;
}

void
gdoi_sa_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
               const struct gdoi_sa *sa)
{
	uint16_t sat = 0;

	gk_wr_u32(wr, ISAKMP_DOI_GDOI);
	gk_wr_u32(wr, 0);
	gk_wr_u16(wr, type_at(sa, 0));
	gk_wr_u16(wr, 0);
	for (size_t i = 0; type_at(sa, i) != ISAKMP_PAYLOAD_NONE; i++) {
		uint8_t type = type_at(sa, i), next = type_at(sa, i + 1);
		struct gk_wr_hole length = isakmp_generic_begin(wr, next);

		if (type == ISAKMP_PAYLOAD_SAK)
			gdoi_sak_encode(wr, dialect, &sa->sak);
		else if (type == ISAKMP_PAYLOAD_GAP)
			gdoi_gap_encode(wr, &sa->gap);
		else
			gdoi_sat_encode(wr, dialect, &sa->sat[sat++]);
		gk_wr_close(wr, length);
		if (filled(dialect, type, next)) {
			gk_wr_u16(wr, ISAKMP_PAYLOAD_SAT);
			gk_wr_u16(wr, 0);
		}
	}
}
