/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/isakmp/delete.h"
#include "gdoi/message/hash.h"
#include "gdoi/phase1/ike_private.h"

/*
 * Informational exchanges: RFC 2409 section 5.7, RFC 2408 sections 5.14 and 5.15.
 *
 * Before there is an SA they are in clear and nobody's: they are reported and
 * change nothing.  Under the SA they are encrypted and carry a HASH.
 */
static struct gdoi_hash_input
hash_input(const struct ike *ike, uint32_t message_id)
{
	return (struct gdoi_hash_input){
		.prf = ike->keys.prf,
		.skeyid_a = { ike->keys.skeyid_a, gk_hash_size(ike->keys.prf) },
		.message_id = message_id,
	};
}

static enum gk_err
decode(struct ike_input *in, const struct isakmp_chain_item *item,
       struct isakmp_notification *n)
{
	struct gk_rd rd = ike_body(in, item);

	if (isakmp_notification_decode(&rd, n) != GK_OK)
		return isakmp_refuse_fault(&in->why, &rd.fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.14-01");
	return GK_OK;
}

static enum gk_err
notified(struct ike *ike, const struct isakmp_chain_item *item)
{
	struct ike_queued *q = ike_queue(ike, IKE_OUT_NOTIFIED);
	struct gk_rd rd;

	if (q == NULL)
		return GK_OK; /* one message has no more to say than that */
	q->under_sa = ike->state == IKE_ESTABLISHED;
	GK_TRY(gk_buf_copy(&q->data, item->generic.body));
	gk_rd_init(&rd, q->data.ptr, q->data.len);
	GK_TRY(isakmp_notification_decode(&rd, &q->notification));
	q->text = isakmp_code_text(ISAKMP_TABLE_NOTIFY, q->notification.type);
	return GK_OK;
}

/* RFC2407-4.6.3.3-02: this SA by its cookies.  DOI 1 is demanded; under a GDOI
 * SA 2 means the same. */
static bool
is_initial_contact(const struct ike *ike, const struct isakmp_notification *n)
{
	uint8_t spi[2 * ISAKMP_COOKIE_LEN];

	ike_cookies(ike, spi);
	return n->type == ISAKMP_NOTIFY_INITIAL_CONTACT &&
	       (n->doi == ISAKMP_DOI_IPSEC || n->doi == ISAKMP_DOI_GDOI) &&
	       n->protocol == ISAKMP_PROTO_ISAKMP &&
	       ((n->spi.len == sizeof(spi) &&
	         memcmp(n->spi.ptr, spi, sizeof(spi)) == 0) ||
	        !GK_CHECKED("RFC2407-4.6.3.3-02"));
}

enum gk_err
ike_notices(struct ike_input *in)
{
	for (size_t i = 0; i < in->chain.n; i++) {
		const struct isakmp_chain_item *item = &in->chain.item[i];
		struct isakmp_notification n;

		if (item->type != ISAKMP_PAYLOAD_NOTIFICATION)
			continue;
		GK_TRY(decode(in, item, &n));
		if (is_initial_contact(in->ike, &n))
			(void)ike_queue(in->ike, IKE_OUT_INITIAL_CONTACT);
		else if (n.type != ISAKMP_NOTIFY_INITIAL_CONTACT &&
		         !ike_dpd_is(&n))
			GK_TRY(notified(in->ike, item));
	}
	return GK_OK;
}

/* Does one of the SPIs name this SA?  RFC2408-3.15-03: the two cookies. */
static bool
names_us(const struct ike *ike, const struct isakmp_delete *d)
{
	for (uint16_t i = 0; i < d->count; i++) {
		struct gk_slice spi = isakmp_delete_spi(d, i);

		if (spi.len == 2 * ISAKMP_COOKIE_LEN &&
		    memcmp(spi.ptr, ike->cookie_i, ISAKMP_COOKIE_LEN) == 0 &&
		    memcmp(spi.ptr + ISAKMP_COOKIE_LEN, ike->cookie_r,
		           ISAKMP_COOKIE_LEN) == 0)
			return true;
	}
	return false;
}

static enum gk_err
deletes_us(struct ike_input *in, bool *us)
{
	struct isakmp_delete d;

	*us = false;
	for (size_t i = 0; i < in->chain.n; i++) {
		struct gk_rd rd = ike_body(in, &in->chain.item[i]);

		if (in->chain.item[i].type != ISAKMP_PAYLOAD_DELETE)
			continue;
		if (isakmp_delete_decode(&rd, &d) != GK_OK)
			return isakmp_refuse_fault(
				&in->why, &rd.fault,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC2408-3.15-01");
		if (d.protocol == ISAKMP_PROTO_ISAKMP && names_us(in->ike, &d))
			*us = true;
	}
	return GK_OK;
}

/* RFC2408-5.15-05, -06: whether other SAs are there, their owner knows. */
static enum gk_err
others_deleted(struct ike_input *in)
{
	for (size_t i = 0; i < in->chain.n; i++) {
		const struct isakmp_chain_item *item = &in->chain.item[i];
		struct gk_rd rd = ike_body(in, item);
		struct ike_queued *q;
		struct isakmp_delete d;

		if (item->type != ISAKMP_PAYLOAD_DELETE)
			continue;
		GK_TRY(isakmp_delete_decode(&rd, &d));
		if (d.protocol == ISAKMP_PROTO_ISAKMP && names_us(in->ike, &d))
			continue;
		q = ike_queue(in->ike, IKE_OUT_DELETE_OTHER);
		if (q == NULL)
			return GK_OK; /* more than one message has to say */
		GK_TRY(gk_buf_copy(&q->data, item->generic.body));
		gk_rd_init(&rd, q->data.ptr, q->data.len);
		GK_TRY(isakmp_delete_decode(&rd, &q->del));
	}
	return GK_OK;
}

/* RFC2408-5.14-04, 5.15-01: once there are keys, only under them. */
static enum gk_err
open_info(struct ike_input *in, struct gk_slice dgram)
{
	struct ike *ike = in->ike;
	struct gdoi_hash_input hash = hash_input(ike, in->header.message_id);
	struct isakmp_cbc cbc;
	struct gk_rd rd;
	enum gk_err err;

	if (((in->header.flags & ISAKMP_FLAG_ENCRYPTION) == 0 ||
	     in->header.message_id == 0) &&
	    GK_CHECKED("RFC2408-5.14-04", "RFC2408-5.15-01", "RFC2408-4.8-02",
	               "RFC2409-5.7-01"))
		return ike_refuse(in, GK_ERR_AUTH, ISAKMP_NOTIFY_INVALID_FLAGS,
		                  "RFC2408-5.14-04", "Flags", 19);
	GK_TRY(ike_info_cbc(ike, in->header.message_id, &cbc));
	if (isakmp_open(&cbc, dgram, &in->clear, in->next_iv) != GK_OK)
		return ike_refuse(
			in, GK_ERR_VALUE, ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC2408-5.14-05", "ciphertext", ISAKMP_HEADER_LEN);
	gk_rd_init(&rd, in->clear.ptr, in->clear.len);
	(void)gk_rd_bytes(&rd, ISAKMP_HEADER_LEN, "header");
	GK_TRY(isakmp_chain_read(&rd, in->header.next_payload, &in->chain,
	                         &in->why));
	err = gdoi_hash_check(&hash, gk_buf_slice(&in->clear), &in->chain,
	                      "RFC2409-5.7-02", &in->why);
	if (err == GK_ERR_AUTH &&
	    !GK_CHECKED("RFC2408-5.15-04", "RFC2408-5.14-05",
	                "RFC2408-5.14-06"))
		return GK_OK;
	GK_TRY(err);
	if (isakmp_padding_check(&cbc, &ike->dialect, gk_buf_slice(&in->clear),
	                         in->chain.end) != GK_OK &&
	    GK_CHECKED("RFC2409-B-05"))
		return ike_refuse(in, GK_ERR_TRAILING,
		                  ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                  "RFC2409-B-05", "padding", in->chain.end);
	return GK_OK;
}

static enum gk_err
in_clear(struct ike_input *in, struct gk_slice dgram)
{
	struct gk_rd rd;

	if ((in->header.flags & ISAKMP_FLAG_ENCRYPTION) != 0)
		return ike_refuse(in, GK_ERR_UNEXPECTED,
		                  ISAKMP_NOTIFY_INVALID_FLAGS,
		                  "RFC2408-5.14-05", "Flags", 19);
	GK_TRY(gk_buf_copy(&in->clear, dgram));
	gk_rd_init(&rd, in->clear.ptr, in->clear.len);
	(void)gk_rd_bytes(&rd, ISAKMP_HEADER_LEN, "header");
	return isakmp_chain_read(&rd, in->header.next_payload, &in->chain,
	                         &in->why);
}

/* A question or an answer of RFC 3706, alone in its message?  It brings its own
 * protection against being played again. */
static enum gk_err
dpd(struct ike_input *in, bool *is)
{
	const struct isakmp_chain_item *item = &in->chain.item[1];
	struct isakmp_notification n;

	*is = false;
	if (in->chain.n != 2 || item->type != ISAKMP_PAYLOAD_NOTIFICATION)
		return GK_OK;
	GK_TRY(decode(in, item, &n));
	*is = ike_dpd_is(&n);
	return *is ? ike_dpd_read(in, &n, item->generic.at) : GK_OK;
}

/* All of it is read before any of it counts. */
static enum gk_err
under_sa(struct ike_input *in)
{
	struct ike *ike = in->ike;
	struct isakmp_notification n;
	bool gone;

	for (size_t i = 0; i < in->chain.n; i++)
		if (in->chain.item[i].type == ISAKMP_PAYLOAD_NOTIFICATION)
			GK_TRY(decode(in, &in->chain.item[i], &n));
	GK_TRY(deletes_us(in, &gone));
	switch (ike_message_id_take(ike, in->header.message_id)) {
	case GK_OK:
		break;
	case GK_ERR_SPACE:
		return ike_delete_because(
			ike, "it has no room for more Message IDs", in->now);
	case GK_ERR_REPLAY:
		if (GK_CHECKED("RFC2408-5.2-07", "RFC2409-5.7-03"))
			return ike_refuse(in, GK_ERR_REPLAY,
			                  ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
			                  "RFC2408-5.2-07", "Message ID", 20);
		break;
	default:
		return GK_ERR_NOMEM;
	}
	GK_TRY(ike_notices(in));
	GK_TRY(others_deleted(in));
	if (gone)
		ike_die(ike, IKE_OUT_DELETED, NULL, "by the peer");
	else
		ike_heard(ike, in->path, in->now);
	return GK_OK;
}

static enum gk_err
notify_only(struct ike_input *in)
{
	for (size_t i = 0; i < in->chain.n; i++) {
		struct isakmp_notification n;

		if (in->chain.item[i].type != ISAKMP_PAYLOAD_NOTIFICATION)
			continue;
		GK_TRY(decode(in, &in->chain.item[i], &n));
		GK_TRY(notified(in->ike, &in->chain.item[i]));
	}
	return GK_OK;
}

/* Whoever knows the keys and says that it will not go on is the one that we talk
 * to, authenticated or not: it is reported, and changes nothing. */
static enum gk_err
before_sa(struct ike_input *in, struct gk_slice dgram)
{
	bool clear = (in->header.flags & ISAKMP_FLAG_ENCRYPTION) == 0;
	enum gk_err err;

	if (clear || !in->ike->have_keys) {
		GK_TRY(in_clear(in, dgram));
	} else {
		err = open_info(in, dgram);
		in->unreadable = err != GK_OK;
		GK_TRY(err);
	}
	return notify_only(in);
}

enum gk_err
ike_informational(struct ike_input *in, struct gk_slice dgram)
{
	bool is_dpd;

	if (in->ike->state != IKE_ESTABLISHED)
		return before_sa(in, dgram);
	GK_TRY(open_info(in, dgram));
	GK_TRY(dpd(in, &is_dpd));
	if (!is_dpd)
		return under_sa(in);
	if (!in->stale)
		ike_heard(in->ike, in->path, in->now);
	return GK_OK;
}

/* ---- sending ------------------------------------------------------------ */

/* RFC 6407 section 7.1.4: HASH(1) does not say who speaks.  What a mirror throws back
 * has a Message ID that is used; DPD, which says much more, knows its numbers.  An SA
 * that has no room for one ends soon. */
static void
note_own(struct ike *ike, uint32_t message_id)
{
	(void)!ike_message_id_take(ike, message_id);
}

static enum gk_err
send_info(struct ike *ike, uint8_t type, struct gk_slice body, bool dpd,
          struct gk_now now)
{
	struct ike_message *m = ike_message_new();
	uint8_t octets[GK_HASH_MAX] = { 0 };
	uint32_t id = 0;
	struct isakmp_header h;
	struct gdoi_hash_input hash;
	struct isakmp_cbc cbc;
	struct gk_buf out = { 0 };
	struct ike_queued *q;
	size_t at, hash_len = gk_hash_size(ike->keys.prf);
	enum gk_err err = m == NULL ? GK_ERR_NOMEM : GK_OK;

	if (err == GK_OK)
		err = ike_message_id_draw(ike, &id);
	if (err == GK_OK) {
		h = ike_header(ike, ISAKMP_EXCHANGE_INFORMATIONAL, id);
		gk_wr_init(&m->wr, m->buf, sizeof(m->buf));
		isakmp_header_encode(&m->wr, &h);
		m->next = &m->buf[16];
		ike_message_octets(m, ISAKMP_PAYLOAD_HASH,
		                   (struct gk_slice){ octets, hash_len });
		at = m->wr.len;
		ike_message_octets(m, type, body);
		err = gk_wr_done(&m->wr);
		hash = hash_input(ike, h.message_id);
		hash.rest = (struct gk_slice){ m->buf + at, m->wr.len - at };
	}
	if (err == GK_OK)
		err = gdoi_hash(&hash, octets);
	if (err == GK_OK) {
		memcpy(m->buf + ISAKMP_HEADER_LEN + ISAKMP_GENERIC_LEN, octets,
		       hash_len);
		err = ike_phase2(ike, h.message_id, &cbc);
	}
	if (err == GK_OK)
		err = isakmp_seal(&cbc, &ike->dialect,
		                  (struct gk_slice){ m->buf, m->wr.len }, &out);
	if (err == GK_OK) {
		q = ike_queue(ike, IKE_OUT_SEND);
		if (q == NULL)
			err = GK_ERR_NOMEM;
		else
			q->dgram = out;
	}
	if (err != GK_OK)
		gk_buf_free(&out);
	else
		ike_keepalive_later(ike, now);
	if (err == GK_OK && !dpd)
		note_own(ike, id);
	ike_message_free(m);
	return err;
}

enum gk_err
ike_notify(struct ike *ike, const struct isakmp_notification *notification,
           struct gk_now now)
{
	uint8_t body[1024];
	struct gk_wr wr;

	if (ike->state != IKE_ESTABLISHED)
		return GK_ERR_UNEXPECTED;
	gk_wr_init(&wr, body, sizeof(body));
	isakmp_notification_encode(&wr, notification);
	GK_TRY(gk_wr_done(&wr));
	return send_info(ike, ISAKMP_PAYLOAD_NOTIFICATION,
	                 (struct gk_slice){ body, wr.len },
	                 ike_dpd_is(notification), now);
}

enum gk_err
ike_delete_other(struct ike *ike, const struct isakmp_delete *del,
                 struct gk_now now)
{
	uint8_t body[4096];
	struct gk_wr wr;

	if (ike->state != IKE_ESTABLISHED)
		return GK_ERR_UNEXPECTED;
	gk_wr_init(&wr, body, sizeof(body));
	isakmp_delete_encode(&wr, del);
	GK_TRY(gk_wr_done(&wr));
	return send_info(ike, ISAKMP_PAYLOAD_DELETE,
	                 (struct gk_slice){ body, wr.len }, false, now);
}

/* Switch p1_delete_doi. */
static uint32_t
delete_doi(const struct gdoi_dialect *dialect)
{
	switch (dialect->p1_delete_doi) {
	case GDOI_P1_DELETE_DOI_1:
		return ISAKMP_DOI_IPSEC;
	case GDOI_P1_DELETE_DOI_0:
		return ISAKMP_DOI_ISAKMP;
	default:
		return ISAKMP_DOI_GDOI;
	}
}

enum gk_err
ike_delete_because(struct ike *ike, const char *text, struct gk_now now)
{
	uint8_t spi[2 * ISAKMP_COOKIE_LEN], body[64];
	struct isakmp_delete d = { .doi = delete_doi(&ike->dialect),
		                   .protocol = ISAKMP_PROTO_ISAKMP,
		                   .spi_size = sizeof(spi),
		                   .count = 1,
		                   .spis = { spi, sizeof(spi) } };
	struct gk_wr wr;

	if (ike->state != IKE_ESTABLISHED)
		return GK_ERR_UNEXPECTED;
	memcpy(spi, ike->cookie_i, ISAKMP_COOKIE_LEN);
	memcpy(spi + ISAKMP_COOKIE_LEN, ike->cookie_r, ISAKMP_COOKIE_LEN);
	gk_wr_init(&wr, body, sizeof(body));
	isakmp_delete_encode(&wr, &d);
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(send_info(ike, ISAKMP_PAYLOAD_DELETE,
	                 (struct gk_slice){ body, wr.len }, false, now));
	ike_die(ike, IKE_OUT_DELETED, NULL, text);
	return GK_OK;
}

enum gk_err
ike_delete(struct ike *ike, struct gk_now now)
{
	return ike_delete_because(ike, "here", now);
}
