/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/kd.h"

#include "common/base/gk_check.h"

/* Attribute classes, RFC 6407 sections 5.6.1 to 5.6.4. */
enum {
	TEK_ALGORITHM_KEY = 1,
	TEK_INTEGRITY_KEY = 2,
	TEK_SOURCE_AUTH_KEY = 3,
	KEK_ALGORITHM_KEY = 1,
	KEK_SIG_ALGORITHM_KEY = 2,
	LKH_DOWNLOAD_ARRAY = 1,
	LKH_UPDATE_ARRAY = 2,
	LKH_SIG_ALGORITHM_KEY = 3,
	NUMBER_OF_SID_BITS = 1,
	SID_VALUE = 2,
};

struct reading {
	const struct gdoi_dialect *dialect;
	bool push, alone;
	struct gdoi_kd *kd;
	struct isakmp_reject *why;
};

static enum gk_err
bad_key(const struct reading *r, enum gk_err err, const char *req,
        const char *field, size_t at)
{
	return isakmp_refuse(r->why, err, ISAKMP_NOTIFY_INVALID_KEY_INFORMATION,
	                     req, field, at);
}

static enum gk_err
unknown(const struct reading *r, const char *req,
        const struct isakmp_attribute *a)
{
	if (!GK_CHECKED(req))
		return GK_OK;
	return isakmp_refuse_attribute(r->why, req, "Key Packet Attributes",
	                               a->at);
}

/* A Variable attribute that stands once and is not empty. */
static enum gk_err
take(const struct reading *r, const struct isakmp_attribute *a,
     struct gk_slice *to, const char *req, const char *field)
{
	if ((a->basic || a->value.len == 0) && GK_CHECKED(req))
		return bad_key(r, GK_ERR_VALUE, req, field, a->at);
	if (to->len != 0 && GK_CHECKED(req))
		return bad_key(r, GK_ERR_UNEXPECTED, req, field, a->at);
	*to = a->value;
	return GK_OK;
}

static enum gk_err
tek_attribute(const struct reading *r, const struct isakmp_attribute *a,
              struct gdoi_kd_packet *p)
{
	switch (a->type) {
	case TEK_ALGORITHM_KEY:
		return take(r, a, &p->algorithm_key, "RFC6407-5.6.1-01",
		            "TEK_ALGORITHM_KEY");
	case TEK_INTEGRITY_KEY:
		return take(r, a, &p->integrity_key, "RFC6407-5.6.1-01",
		            "TEK_INTEGRITY_KEY");
	case TEK_SOURCE_AUTH_KEY:
		return take(r, a, &p->source_auth_key, "RFC6407-5.6.1-01",
		            "TEK_SOURCE_AUTH_KEY");
	default:
		return unknown(r, "RFC6407-5.6.1-02", a);
	}
}

static enum gk_err
kek_attribute(const struct reading *r, const struct isakmp_attribute *a,
              struct gdoi_kd_packet *p)
{
	switch (a->type) {
	case KEK_ALGORITHM_KEY:
		return take(r, a, &p->algorithm_key, "RFC6407-5.6.2-01",
		            "KEK_ALGORITHM_KEY");
	case KEK_SIG_ALGORITHM_KEY:
		return take(r, a, &p->sig_key, "RFC6407-5.6.2-01",
		            "SIG_ALGORITHM_KEY");
	default:
		return unknown(r, "RFC6407-5.6.2-04", a);
	}
}

static enum gk_err
lkh_attribute(const struct reading *r, const struct isakmp_attribute *a,
              struct gdoi_kd_packet *p)
{
	struct gdoi_kd *kd = r->kd;

	switch (a->type) {
	case LKH_DOWNLOAD_ARRAY:
		/* RFC6407-5.6.3.1-01: not to a whole group. */
		if (r->push && !r->alone && GK_CHECKED("RFC6407-5.6.3.1-01"))
			return bad_key(r, GK_ERR_UNEXPECTED,
			               "RFC6407-5.6.3.1-01",
			               "LKH_DOWNLOAD_ARRAY", a->at);
		return take(r, a, &kd->download, "RFC6407-5.6.3.1-02",
		            "LKH_DOWNLOAD_ARRAY");
	case LKH_UPDATE_ARRAY:
		if (kd->n_updates == GDOI_KD_UPDATES_MAX)
			return bad_key(r, GK_ERR_SPACE, "RFC6407-5.6.3.2-01",
			               "LKH_UPDATE_ARRAY", a->at);
		kd->update[kd->n_updates] = (struct gk_slice){ 0 };
		GK_TRY(take(r, a, &kd->update[kd->n_updates],
		            "RFC6407-5.6.3.2-01", "LKH_UPDATE_ARRAY"));
		kd->n_updates++;
		return GK_OK;
	case LKH_SIG_ALGORITHM_KEY:
		return take(r, a, &p->sig_key, "RFC6407-5.6.3.3-01",
		            "SIG_ALGORITHM_KEY");
	default:
		return unknown(r, "RFC6407-5.6.3-01", a);
	}
}

/* Switch sid_form: what one peer sends is little-endian, always four octets. */
static bool
sid_number(const struct reading *r, struct gk_slice value, uint32_t *sid)
{
	bool little = r->dialect->sid_form == GDOI_SID_FORM_LITTLE4;
	uint32_t n = 0;

	if (value.len == 0 || value.len > 4 || (little && value.len != 4))
		return false;
	for (size_t i = 0; i < value.len; i++)
		n = n << 8 | value.ptr[little ? value.len - 1 - i : i];
	*sid = n;
	return true;
}

static enum gk_err
sid_attribute(const struct reading *r, const struct isakmp_attribute *a)
{
	struct gdoi_kd *kd = r->kd;

	switch (a->type) {
	case NUMBER_OF_SID_BITS:
		if ((!a->basic || kd->sid_bits != 0 || a->number == 0 ||
		     a->number > 32) &&
		    GK_CHECKED("RFC6407-5.6.4.1-01"))
			return bad_key(r, GK_ERR_VALUE, "RFC6407-5.6.4.1-01",
			               "NUMBER_OF_SID_BITS", a->at);
		kd->sid_bits = a->number;
		return GK_OK;
	case SID_VALUE:
		if (kd->n_sids == GDOI_KD_SIDS_MAX)
			return bad_key(r, GK_ERR_SPACE, "RFC6407-5.6.4.2-01",
			               "SID_VALUE", a->at);
		if ((a->basic ||
		     !sid_number(r, a->value, &kd->sid[kd->n_sids])) &&
		    GK_CHECKED("RFC6407-5.6.4-02"))
			return bad_key(r, GK_ERR_VALUE, "RFC6407-5.6.4-02",
			               "SID_VALUE", a->at);
		kd->n_sids++;
		return GK_OK;
	default:
		return unknown(r, "RFC6407-5.6.4-02", a);
	}
}

static enum gk_err
sids_check(const struct reading *r, const struct gdoi_kd_packet *p)
{
	const struct gdoi_kd *kd = r->kd;

	if (kd->sid_bits == 0 && GK_CHECKED("RFC6407-5.6.4.1-01"))
		return bad_key(r, GK_ERR_VALUE, "RFC6407-5.6.4.1-01",
		               "NUMBER_OF_SID_BITS", p->at);
	/* RFC6407-5.6.4.4-01 */
	if (kd->n_sids == 0 && GK_CHECKED("RFC6407-5.6.4.4-01"))
		return bad_key(r, GK_ERR_VALUE, "RFC6407-5.6.4.4-01",
		               "SID_VALUE", p->at);
	for (uint16_t i = 0; i < kd->n_sids; i++)
		if (kd->sid_bits < 32 && kd->sid[i] >> kd->sid_bits != 0 &&
		    GK_CHECKED("RFC6407-5.6.4.1-01"))
			return bad_key(r, GK_ERR_VALUE, "RFC6407-5.6.4.1-01",
			               "SID_VALUE", p->at);
	/* RFC6054-3-02: two encryption modules would use the same IVs. */
	for (uint16_t i = 0; i < kd->n_sids; i++)
		for (uint16_t j = 0; j < i; j++)
			if (kd->sid[i] == kd->sid[j] &&
			    GK_CHECKED("RFC6054-3-02"))
				return bad_key(r, GK_ERR_VALUE, "RFC6054-3-02",
				               "SID_VALUE", p->at);
	return GK_OK;
}

/* RFC6407-5.6.2-03, 5.6.3-03: at most one KEK and one LKH packet; and one SID
 * packet, whose number of bits holds for all values. */
static enum gk_err
once(const struct reading *r, const struct gdoi_kd_packet *p)
{
	for (uint16_t i = 0; i < r->kd->n_packets; i++)
		if (r->kd->packet[i].type == p->type &&
		    GK_CHECKED("RFC6407-5.6.2-03", "RFC6407-5.6.3-03",
		               "RFC6407-5.6.4.1-01"))
			return bad_key(
				r, GK_ERR_UNEXPECTED,
				p->type == GDOI_KD_KEK   ? "RFC6407-5.6.2-03"
				: p->type == GDOI_KD_LKH ? "RFC6407-5.6.3-03"
							 : "RFC6407-5.6.4.1-01",
				"KD Type", p->at);
	return GK_OK;
}

static enum gk_err
packet_check(const struct reading *r, const struct gdoi_kd_packet *p)
{
	if (!isakmp_code_known(ISAKMP_TABLE_KD, p->type) &&
	    GK_CHECKED("RFC6407-5.6-04"))
		return bad_key(r, GK_ERR_VALUE, "RFC6407-5.6-04", "KD Type",
		               p->at);
	if (p->type != GDOI_KD_TEK)
		GK_TRY(once(r, p));
	if (p->type != GDOI_KD_SID)
		return GK_OK;
	/* RFC6407-5.6.4-03, 5.6.4.4-02 */
	if (r->push && GK_CHECKED("RFC6407-5.6.4-03", "RFC6407-5.6.4.4-02",
	                          "RFC6407-5.4-01"))
		return bad_key(r, GK_ERR_UNEXPECTED, "RFC6407-5.6.4-03",
		               "KD Type", p->at);
	/* RFC6407-5.6.4-01 */
	if (p->spi.len != 0 && GK_CHECKED("RFC6407-5.6.4-01"))
		return bad_key(r, GK_ERR_VALUE, "RFC6407-5.6.4-01", "SPI Size",
		               p->at + 4);
	return GK_OK;
}

static enum gk_err
attributes_read(const struct reading *r, struct gk_rd *rd,
                struct gdoi_kd_packet *p)
{
	while (gk_rd_left(rd) != 0) {
		struct isakmp_attribute a;

		if (isakmp_attribute_decode(rd, &a) != GK_OK) {
			if (GK_CHECKED("RFC6407-5.6.2-02", "RFC6407-5.6.3-02"))
				return bad_key(
					r, rd->fault.err, "RFC6407-5.6.2-02",
					rd->fault.field, rd->fault.offset);
			break;
		}
		switch (p->type) {
		case GDOI_KD_TEK:
			GK_TRY(tek_attribute(r, &a, p));
			break;
		case GDOI_KD_KEK:
			GK_TRY(kek_attribute(r, &a, p));
			break;
		case GDOI_KD_LKH:
			GK_TRY(lkh_attribute(r, &a, p));
			break;
		default:
			GK_TRY(sid_attribute(r, &a));
			break;
		}
	}
	return p->type == GDOI_KD_SID ? sids_check(r, p) : GK_OK;
}

static enum gk_err
packet_read(const struct reading *r, struct gk_rd *rd)
{
	struct gdoi_kd_packet *p = &r->kd->packet[r->kd->n_packets];
	uint16_t length;
	size_t spi_size;
	struct gk_rd body;

	*p = (struct gdoi_kd_packet){ .at = gk_rd_offset(rd) };
	p->type = gk_rd_u8(rd, "KD Type");
	gk_rd_zero(rd, 1, "RESERVED");
	length = gk_rd_u16(rd, "KD Length");
	if (rd->fault.err == GK_OK && length < 4)
		gk_rd_fail(rd, GK_ERR_VALUE, "KD Length");
	body = gk_rd_sub(rd, (size_t)length - 4, "KD Length");
	spi_size = gk_rd_u8(&body, "SPI Size");
	if (spi_size > GDOI_KD_SPI_MAX)
		gk_rd_fail(&body, GK_ERR_VALUE, "SPI Size");
	p->spi = gk_rd_bytes(&body, spi_size, "SPI");
	if (body.fault.err != GK_OK)
		return isakmp_refuse_fault(
			r->why, &body.fault,
			ISAKMP_NOTIFY_INVALID_KEY_INFORMATION,
			"RFC6407-5.6-03");
	GK_TRY(packet_check(r, p));
	GK_TRY(attributes_read(r, &body, p));
	r->kd->n_packets++;
	return GK_OK;
}

static enum gk_err
read_all(const struct reading *r, struct gk_rd *rd)
{
	struct gdoi_kd *kd = r->kd;
	uint16_t n;

	*kd = (struct gdoi_kd){ .at = gk_rd_offset(rd) };
	n = gk_rd_u16(rd, "Number of Key Packets");
	gk_rd_zero(rd, 2, "RESERVED2");
	if (rd->fault.err != GK_OK)
		return isakmp_refuse_fault(
			r->why, &rd->fault,
			ISAKMP_NOTIFY_INVALID_KEY_INFORMATION,
			"RFC6407-5.6-01");
	if (n > GDOI_KD_PACKETS_MAX)
		return bad_key(r, GK_ERR_SPACE, "RFC6407-5.6-01",
		               "Number of Key Packets", kd->at);
	while (kd->n_packets < n)
		GK_TRY(packet_read(r, rd));
	if (gk_rd_done(rd) != GK_OK)
		return isakmp_refuse_fault(
			r->why, &rd->fault,
			ISAKMP_NOTIFY_INVALID_KEY_INFORMATION,
			"RFC6407-5.6-01");
	return GK_OK;
}

enum gk_err
gdoi_kd_read(struct gk_rd *rd, const struct gdoi_dialect *dialect, bool push,
             struct gdoi_kd *kd, struct isakmp_reject *why)
{
	const struct reading r = {
		.dialect = dialect, .push = push, .kd = kd, .why = why
	};

	return read_all(&r, rd);
}

enum gk_err
gdoi_kd_read_alone(struct gk_rd *rd, const struct gdoi_dialect *dialect,
                   struct gdoi_kd *kd, struct isakmp_reject *why)
{
	const struct reading r = { .dialect = dialect,
		                   .push = true,
		                   .alone = true,
		                   .kd = kd,
		                   .why = why };

	return read_all(&r, rd);
}

/* ---- writing ------------------------------------------------------------ */

void
gdoi_kd_begin(struct gdoi_kd *kd)
{
	kd->n_packets = 0;
	kd->download = (struct gk_slice){ 0 };
	kd->n_updates = 0;
	kd->sid_bits = 0;
	kd->n_sids = 0;
	kd->at = 0;
}

static void
variable(struct gk_wr *wr, uint16_t type, struct gk_slice value)
{
	if (value.len != 0)
		isakmp_attribute_encode_variable(wr, type, value);
}

static void
sids_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
            const struct gdoi_kd *kd)
{
	bool little = dialect->sid_form == GDOI_SID_FORM_LITTLE4;
	size_t len = little || dialect->sid_len == GDOI_SID_LEN_4
	                     ? 4
	                     : ((size_t)kd->sid_bits + 7) / 8;

	isakmp_attribute_encode_basic(wr, NUMBER_OF_SID_BITS, kd->sid_bits);
	for (uint16_t i = 0; i < kd->n_sids; i++) {
		uint8_t octet[4];

		for (size_t n = 0; n < len; n++)
			octet[little ? n : len - 1 - n] =
				(uint8_t)(kd->sid[i] >> 8 * n);
		isakmp_attribute_encode_variable(
			wr, SID_VALUE, (struct gk_slice){ octet, len });
	}
}

static void
packet_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
              const struct gdoi_kd *kd, const struct gdoi_kd_packet *p)
{
	size_t from = wr->len;
	struct gk_wr_hole length;

	gk_wr_u8(wr, p->type);
	gk_wr_u8(wr, 0);
	length = gk_wr_len16(wr, from);
	gk_wr_u8(wr, (uint8_t)p->spi.len);
	gk_wr_bytes(wr, p->spi);
	switch (p->type) {
	case GDOI_KD_TEK:
		variable(wr, TEK_ALGORITHM_KEY, p->algorithm_key);
		variable(wr, TEK_INTEGRITY_KEY, p->integrity_key);
		variable(wr, TEK_SOURCE_AUTH_KEY, p->source_auth_key);
		break;
	case GDOI_KD_KEK:
		variable(wr, KEK_ALGORITHM_KEY, p->algorithm_key);
		variable(wr, KEK_SIG_ALGORITHM_KEY, p->sig_key);
		break;
	case GDOI_KD_LKH:
		variable(wr, LKH_DOWNLOAD_ARRAY, kd->download);
		for (uint16_t i = 0; i < kd->n_updates; i++)
			variable(wr, LKH_UPDATE_ARRAY, kd->update[i]);
		variable(wr, LKH_SIG_ALGORITHM_KEY, p->sig_key);
		break;
	default:
		sids_encode(wr, dialect, kd);
		break;
	}
	gk_wr_close(wr, length);
}

void
gdoi_kd_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
               const struct gdoi_kd *kd)
{
	gk_wr_u16(wr, kd->n_packets);
	gk_wr_u16(wr, 0);
	for (uint16_t i = 0; i < kd->n_packets; i++)
		packet_encode(wr, dialect, kd, &kd->packet[i]);
}

const struct gdoi_kd_packet *
gdoi_kd_find(const struct gdoi_kd *kd, uint8_t type, struct gk_slice spi)
{
	for (uint16_t i = 0; i < kd->n_packets; i++)
		if (kd->packet[i].type == type &&
		    gk_slice_equal(kd->packet[i].spi, spi))
			return &kd->packet[i];
	return NULL;
}
