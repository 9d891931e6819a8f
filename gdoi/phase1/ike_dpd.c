/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_private.h"

/*
 * Dead peers: RFC 3706.
 *
 * The sequence number is what protects these messages from being played again:
 * ours begins at random below 2^31 and grows by one with each question that was
 * answered, the peer's must not go back.  A question that gets no answer is sent
 * again as it is, also when the peer has been heard of meanwhile; a peer that
 * expects the next number, and one that keeps a window, can both answer that.
 */
#define DPD_DATA_LEN 4

static uint32_t
number(struct gk_slice data)
{
	return (uint32_t)data.ptr[0] << 24 | (uint32_t)data.ptr[1] << 16 |
	       (uint32_t)data.ptr[2] << 8 | data.ptr[3];
}

bool
ike_dpd_is(const struct isakmp_notification *n)
{
	return n->type == ISAKMP_NOTIFY_R_U_THERE ||
	       n->type == ISAKMP_NOTIFY_R_U_THERE_ACK;
}

static enum gk_err
tell(struct ike *ike, uint16_t type, uint32_t sequence, struct gk_now now)
{
	uint8_t spi[2 * ISAKMP_COOKIE_LEN];
	uint8_t data[] = { (uint8_t)(sequence >> 24), (uint8_t)(sequence >> 16),
		           (uint8_t)(sequence >> 8), (uint8_t)sequence };
	struct isakmp_notification n = {
		.doi = ISAKMP_DOI_IPSEC,
		.protocol = ISAKMP_PROTO_ISAKMP,
		.type = type,
		.spi = { spi, sizeof(spi) },
		.data = { data, sizeof(data) },
	};

	ike_cookies(ike, spi);
	return ike_notify(ike, &n, now);
}

/* ---- time --------------------------------------------------------------- */

enum gk_err
ike_dpd_begin(struct ike *ike, struct gk_now now)
{
	uint8_t r[DPD_DATA_LEN];

	ike->dpd.at = GK_NEVER;
	if (ike->cfg.dpd_s == 0 || !ike->dpd.peer_can)
		return GK_OK;
	GK_TRY(ike->env->random(ike->env->ctx, r, sizeof(r)));
	ike->dpd.sent = number((struct gk_slice){ r, sizeof(r) }) & 0x7fffffff;
	ike->dpd.first = ike->dpd.sent;
	ike_dpd_heard(ike, now);
	return GK_OK;
}

void
ike_dpd_heard(struct ike *ike, struct gk_now now)
{
	if (ike->cfg.dpd_s == 0 || !ike->dpd.peer_can)
		return;
	ike->dpd.asked = 0;
	ike->dpd.at = now.mono_ms + 1000 * (uint64_t)ike->cfg.dpd_s;
}

enum gk_err
ike_dpd_ask(struct ike *ike, bool *dead, struct gk_now now)
{
	struct ike_queued *q;

	*dead = ike->dpd.asked >= ike->cfg.dpd_tries;
	if (*dead)
		return GK_OK;
	ike->dpd.at = now.mono_ms + ike->cfg.dpd_retry_ms;
	ike->dpd.asked++;
	if (!ike->dpd.open) {
		GK_TRY(tell(ike, ISAKMP_NOTIFY_R_U_THERE, ike->dpd.sent, now));
		q = &ike->queue[ike->n_queued - 1];
		gk_buf_free(&ike->dpd.question);
		GK_TRY(gk_buf_copy(&ike->dpd.question,
		                   gk_buf_slice(&q->dgram)));
		ike->dpd.open = true;
		return GK_OK;
	}
	ike_keepalive_later(ike, now);
	q = ike_queue(ike, IKE_OUT_SEND);
	if (q == NULL)
		return GK_ERR_NOMEM;
	return gk_buf_copy(&q->dgram, gk_buf_slice(&ike->dpd.question));
}

/* ---- messages ----------------------------------------------------------- */

static enum gk_err
refuse(struct ike_input *in, const char *req, const char *field, size_t at)
{
	return ike_refuse(in, GK_ERR_REPLAY, ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
	                  req, field, at);
}

/* RFC 6407 section 7.1.4: our own question comes back, or else the peer began at the
 * same place of 2^31. */
static bool
is_ours(const struct ike *ike, uint32_t sequence)
{
	return ike->cfg.dpd_s != 0 && ike->dpd.peer_can &&
	       sequence - ike->dpd.first <= ike->dpd.sent - ike->dpd.first;
}

static enum gk_err
question(struct ike_input *in, uint32_t sequence, size_t at)
{
	struct ike *ike = in->ike;

	if (is_ours(ike, sequence) && GK_CHECKED("RFC3706-5.5-01"))
		return refuse(in, "RFC3706-5.5-01", "R-U-THERE Sequence Number",
		              at);
	if (ike->dpd.heard_any && sequence < ike->dpd.heard &&
	    GK_CHECKED("RFC3706-5.5-01"))
		return refuse(in, "RFC3706-5.5-01", "R-U-THERE Sequence Number",
		              at);
	/* The same number again: our answer got lost.  It may be a recording,
	 * so it is no sign of life. */
	in->stale = ike->dpd.heard_any && sequence == ike->dpd.heard;
	GK_TRY(tell(ike, ISAKMP_NOTIFY_R_U_THERE_ACK, sequence, in->now));
	ike->dpd.heard = sequence;
	ike->dpd.heard_any = true;
	return GK_OK;
}

static enum gk_err
answer(struct ike_input *in, uint32_t sequence, size_t at)
{
	struct ike *ike = in->ike;

	if ((!ike->dpd.open || sequence != ike->dpd.sent) &&
	    GK_CHECKED("RFC3706-5.5-02"))
		return refuse(in, "RFC3706-5.5-02",
		              "R-U-THERE-ACK Sequence Number", at);
	ike->dpd.sent++;
	ike->dpd.open = false;
	return GK_OK;
}

enum gk_err
ike_dpd_read(struct ike_input *in, const struct isakmp_notification *n,
             size_t at)
{
	uint8_t spi[2 * ISAKMP_COOKIE_LEN];

	ike_cookies(in->ike, spi);
	if (n->spi.len != sizeof(spi) ||
	    memcmp(n->spi.ptr, spi, sizeof(spi)) != 0)
		return refuse(in, "RFC3706-5.3-01", "SPI", at);
	if (n->data.len != DPD_DATA_LEN)
		return refuse(in, "RFC3706-5.3-01", "Notification Data", at);
	return n->type == ISAKMP_NOTIFY_R_U_THERE
	               ? question(in, number(n->data), at)
	               : answer(in, number(n->data), at);
}
