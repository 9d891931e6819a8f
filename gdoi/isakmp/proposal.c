/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/proposal.h"

#include "common/base/gk_check.h"

static enum gk_err
bad_syntax(struct isakmp_reject *why, enum gk_err err, const char *req,
           const char *field, size_t at)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX, req,
	                     field, at);
}

static enum gk_err
fault(struct isakmp_reject *why, const struct gk_rd *rd)
{
	return isakmp_refuse_fault(why, &rd->fault,
	                           ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX,
	                           "RFC2408-3.5-02");
}

/* RFC 2408 section 3.6 */
static enum gk_err
transform_read(struct gk_rd *rd, bool last, struct isakmp_transform *t,
               struct isakmp_reject *why)
{
	struct isakmp_generic generic;
	uint16_t reserved2;
	struct gk_rd body;

	if (isakmp_generic_decode(rd, &generic, &body) != GK_OK)
		return fault(why, rd);
	*t = (struct isakmp_transform){ .at = gk_rd_offset(&body),
		                        .all = generic.all };
	t->number = gk_rd_u8(&body, "Transform #");
	t->id = gk_rd_u8(&body, "Transform-Id");
	reserved2 = gk_rd_u16(&body, "RESERVED2");
	t->attributes = gk_rd_rest(&body);
	if (gk_rd_done(&body) != GK_OK)
		return fault(why, &body);

	/* RFC2408-3.6-01: another Transform, or none behind the last. */
	if ((generic.next_payload !=
	     (last ? ISAKMP_PAYLOAD_NONE : ISAKMP_PAYLOAD_TRANSFORM)) &&
	    GK_CHECKED("RFC2408-3.6-01"))
		return bad_syntax(why, GK_ERR_VALUE, "RFC2408-3.6-01",
		                  "Next Payload", generic.at);
	/* RFC2408-5.3-03 */
	if (generic.reserved != 0 && GK_CHECKED("RFC2408-5.3-03"))
		return bad_syntax(why, GK_ERR_RESERVED, "RFC2408-5.3-03",
		                  "RESERVED", generic.at + 1);
	/* RFC2408-3.6-03 */
	if (reserved2 != 0 && GK_CHECKED("RFC2408-3.6-03"))
		return bad_syntax(why, GK_ERR_RESERVED, "RFC2408-3.6-03",
		                  "RESERVED2", t->at + 2);
	return GK_OK;
}

static enum gk_err
transforms_read(struct gk_rd *rd, struct isakmp_proposal *sa,
                struct isakmp_reject *why)
{
	/* RFC2408-3.5-04: as many as the Proposal says, and at least one. */
	if ((sa->n_transforms == 0 ||
	     sa->n_transforms > ISAKMP_TRANSFORMS_MAX) &&
	    GK_CHECKED("RFC2408-3.5-04"))
		return bad_syntax(why, GK_ERR_VALUE, "RFC2408-3.5-04",
		                  "# of Transforms", gk_rd_offset(rd));
	for (uint8_t i = 0; i < sa->n_transforms && i < GK_COUNT(sa->transform);
	     i++) {
		GK_TRY(transform_read(rd, i + 1 == sa->n_transforms,
		                      &sa->transform[i], why));
		/* RFC2408-3.6-02 */
		for (uint8_t n = 0; n < i; n++)
			if (sa->transform[n].number ==
			            sa->transform[i].number &&
			    GK_CHECKED("RFC2408-3.6-02"))
				return bad_syntax(
					why, GK_ERR_VALUE, "RFC2408-3.6-02",
					"Transform #", sa->transform[i].at);
	}
	if (gk_rd_done(rd) != GK_OK)
		return fault(why, rd);
	return GK_OK;
}

/* RFC 2408 section 3.5 */
static enum gk_err
proposal_read(struct gk_rd *rd, struct isakmp_proposal *sa,
              struct isakmp_reject *why)
{
	struct isakmp_generic generic;
	struct gk_rd body;
	size_t spi_size;

	if (isakmp_generic_decode(rd, &generic, &body) != GK_OK)
		return fault(why, rd);
	sa->number = gk_rd_u8(&body, "Proposal #");
	sa->protocol = gk_rd_u8(&body, "Protocol-Id");
	spi_size = gk_rd_u8(&body, "SPI Size");
	sa->n_transforms = gk_rd_u8(&body, "# of Transforms");
	sa->spi = gk_rd_bytes(&body, spi_size, "SPI");
	if (body.fault.err != GK_OK)
		return fault(why, &body);

	/* RFC2408-3.5-01 and RFC 2409 section 5: phase 1 has one Proposal. */
	if (generic.next_payload != ISAKMP_PAYLOAD_NONE &&
	    GK_CHECKED("RFC2408-3.5-01", "RFC2409-5-17", "RFC2409-5-16",
	               "RFC2409-7.1-02"))
		return bad_syntax(why, GK_ERR_VALUE, "RFC2408-3.5-01",
		                  "Next Payload", generic.at);
	/* RFC2408-5.3-03 */
	if (generic.reserved != 0 && GK_CHECKED("RFC2408-5.3-03"))
		return bad_syntax(why, GK_ERR_RESERVED, "RFC2408-5.3-03",
		                  "RESERVED", generic.at + 1);
	if (sa->protocol != ISAKMP_PROTO_ISAKMP &&
	    GK_CHECKED("RFC2407-4.4.1-01", "RFC2408-5.5-02"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_PROTOCOL_ID,
		                     "RFC2407-4.4.1-01", "Protocol-Id",
		                     generic.at + ISAKMP_GENERIC_LEN + 1);
	/* RFC2408-3.5-05, -03: up to 16 octets that mean nothing. */
	if (spi_size > ISAKMP_SPI_MAX &&
	    GK_CHECKED("RFC2408-3.5-05", "RFC2408-5.5-03"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_SPI,
		                     "RFC2408-3.5-05", "SPI Size",
		                     generic.at + ISAKMP_GENERIC_LEN + 2);
	GK_TRY(transforms_read(&body, sa, why));
	if (gk_rd_done(rd) != GK_OK)
		return fault(why, rd);
	return GK_OK;
}

enum gk_err
isakmp_proposal_read(struct gk_rd *rd, struct isakmp_proposal *sa,
                     struct isakmp_reject *why)
{
	sa->at = gk_rd_offset(rd);
	sa->doi = gk_rd_u32(rd, "DOI");
	if (rd->fault.err != GK_OK && GK_CHECKED("RFC2408-3.4-04"))
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.4-04");
	sa->situation = gk_rd_u32(rd, "Situation");
	if (rd->fault.err != GK_OK && GK_CHECKED("RFC2408-3.4-05"))
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.4-05");
	return proposal_read(rd, sa, why);
}

void
isakmp_proposal_encode(struct gk_wr *wr, const struct isakmp_proposal *sa)
{
	struct gk_wr_hole proposal, transform;

	gk_wr_u32(wr, sa->doi);
	gk_wr_u32(wr, sa->situation);
	proposal = isakmp_generic_begin(wr, ISAKMP_PAYLOAD_NONE);
	gk_wr_u8(wr, sa->number);
	gk_wr_u8(wr, sa->protocol);
	gk_wr_u8(wr, (uint8_t)sa->spi.len);
	gk_wr_u8(wr, sa->n_transforms);
	gk_wr_bytes(wr, sa->spi);
	for (uint8_t i = 0; i < sa->n_transforms; i++) {
		const struct isakmp_transform *t = &sa->transform[i];

		transform = isakmp_generic_begin(
			wr, i + 1 == sa->n_transforms
				    ? ISAKMP_PAYLOAD_NONE
				    : ISAKMP_PAYLOAD_TRANSFORM);
		gk_wr_u8(wr, t->number);
		gk_wr_u8(wr, t->id);
		gk_wr_u16(wr, 0);
		gk_wr_bytes(wr, t->attributes);
		gk_wr_close(wr, transform);
	}
	gk_wr_close(wr, proposal);
}
