/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_private.h"

/*
 * A message on its way through: RFC 2408 sections 5.1 to 5.3.
 */
void
ike_input_begin(struct ike_input *in, struct ike *ike,
                const struct ike_path *path, struct gk_now now)
{
	/* The items of the chain are written before they are counted. */
	memset(in, 0, offsetof(struct ike_input, chain.item));
	in->ike = ike;
	in->path = path;
	in->now = now;
}

enum gk_err
ike_refuse(struct ike_input *in, enum gk_err err, enum isakmp_notify notify,
           const char *req, const char *field, size_t at)
{
	return isakmp_refuse(&in->why, err, notify, req, field, at);
}

struct gk_rd
ike_body(const struct ike_input *in, const struct isakmp_chain_item *item)
{
	return isakmp_chain_body(gk_buf_slice(&in->clear), item);
}

enum gk_err
ike_payload(struct ike_input *in, uint8_t type,
            const struct isakmp_chain_item **item)
{
	*item = NULL;
	for (size_t i = 0; i < in->chain.n; i++) {
		if (in->chain.item[i].type != type)
			continue;
		if (*item != NULL)
			return ike_refuse(
				in, GK_ERR_UNEXPECTED,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC2408-5.3-02",
				isakmp_code_text(ISAKMP_TABLE_PAYLOAD, type),
				in->chain.item[i].generic.at);
		*item = &in->chain.item[i];
	}
	if (*item == NULL)
		return ike_refuse(in, GK_ERR_UNEXPECTED,
		                  ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                  "RFC2408-5.3-02",
		                  isakmp_code_text(ISAKMP_TABLE_PAYLOAD, type),
		                  in->chain.end);
	return GK_OK;
}

static enum gk_err
split(struct ike_input *in)
{
	struct ike *ike = in->ike;
	struct gk_rd rd;

	gk_rd_init(&rd, in->clear.ptr, in->clear.len);
	(void)gk_rd_bytes(&rd, ISAKMP_HEADER_LEN, "header");
	GK_TRY(isakmp_chain_read(&rd, in->header.next_payload, &in->chain,
	                         &in->why));
	if (!in->encrypted) {
		if (gk_rd_done(&rd) != GK_OK)
			return isakmp_refuse_fault(
				&in->why, &rd.fault,
				ISAKMP_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS,
				"RFC2408-5.1-02");
		return GK_OK;
	}
	if (isakmp_padding_check(&ike->cbc, &ike->dialect,
	                         gk_buf_slice(&in->clear),
	                         in->chain.end) != GK_OK &&
	    GK_CHECKED("RFC2409-B-05"))
		return ike_refuse(in, GK_ERR_TRAILING,
		                  ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                  "RFC2409-B-05", "padding", in->chain.end);
	return GK_OK;
}

enum gk_err
ike_open_message(struct ike_input *in, struct gk_slice dgram)
{
	struct ike *ike = in->ike;

	in->encrypted = (in->header.flags & ISAKMP_FLAG_ENCRYPTION) != 0;
	if (!in->encrypted)
		GK_TRY(gk_buf_copy(&in->clear, dgram));
	else if (!ike->have_keys || isakmp_open(&ike->cbc, dgram, &in->clear,
	                                        in->next_iv) != GK_OK)
		return ike_refuse(in, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_FLAGS,
		                  "RFC2408-5.2-06", "Flags", 19);
	return split(in);
}

/* The same message as the last one: the answer got lost. */
enum gk_err
ike_resend(struct ike *ike)
{
	struct ike_queued *q = ike_queue(ike, IKE_OUT_SEND);

	if (q == NULL)
		return GK_ERR_NOMEM;
	return gk_buf_copy(&q->dgram, gk_buf_slice(&ike->sent));
}

enum gk_err
ike_read_header(struct ike_input *in, struct gk_slice dgram)
{
	struct gk_rd rd;

	gk_rd_init(&rd, dgram.ptr, dgram.len);
	if (isakmp_header_decode(&rd, &in->header) != GK_OK)
		return isakmp_refuse_fault(&in->why, &rd.fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.1-01");
	return isakmp_header_check(&in->header, dgram.len, &in->why);
}

static void
refused(struct ike_input *in, enum gk_err err)
{
	struct ike_queued *q;

	ike_queue_clear(in->ike);
	q = ike_queue(in->ike, IKE_OUT_REFUSED);
	if (in->why.req == NULL)
		in->why.field = gk_strerror(err);
	if (q != NULL) {
		q->why = in->why;
		q->text = in->text;
	}
}

/*
 * What a message may change before its last check has passed is put back when
 * it is refused.  Nobody who is not the peer can end or disturb an exchange by
 * that.
 */
struct snapshot {
	enum ike_state state;
	struct ike_suite suite;
	struct isakmp_cbc cbc;
	uint8_t cookie_r[ISAKMP_COOKIE_LEN];
	struct ike_keys keys;
	bool have_keys;
	const struct ike_psk *psk;
	struct gk_buf peer_public, nonce_i, nonce_r, peer_id, own_id, sent;
	struct gk_kex_key *kex;
	struct gk_buf own_public;
	unsigned tries_left;
	uint32_t wait_ms;
	uint64_t retry_at, give_up_at, expires_at;
	struct ike_path path;
	struct ike_nat nat;
	struct ike_dpd dpd; /* no step touches its question */
	const struct ike_credential *asked;
};

static enum gk_err
take_snapshot(struct ike *ike, struct snapshot *s)
{
	*s = (struct snapshot){ .state = ike->state,
		                .suite = ike->suite,
		                .cbc = ike->cbc,
		                .keys = ike->keys,
		                .have_keys = ike->have_keys,
		                .psk = ike->psk,
		                .kex = gk_kex_ref(ike->kex),
		                .tries_left = ike->tries_left,
		                .wait_ms = ike->wait_ms,
		                .retry_at = ike->retry_at,
		                .give_up_at = ike->give_up_at,
		                .expires_at = ike->expires_at,
		                .path = ike->path,
		                .nat = ike->nat,
		                .dpd = ike->dpd,
		                .asked = ike->asked };
	memcpy(s->cookie_r, ike->cookie_r, sizeof(s->cookie_r));
	GK_TRY(gk_buf_copy(&s->peer_public, gk_buf_slice(&ike->peer_public)));
	GK_TRY(gk_buf_copy(&s->own_public, gk_buf_slice(&ike->own_public)));
	GK_TRY(gk_buf_copy(&s->nonce_i, gk_buf_slice(&ike->nonce_i)));
	GK_TRY(gk_buf_copy(&s->nonce_r, gk_buf_slice(&ike->nonce_r)));
	GK_TRY(gk_buf_copy(&s->peer_id, gk_buf_slice(&ike->peer_id)));
	GK_TRY(gk_buf_copy(&s->own_id, gk_buf_slice(&ike->own_id)));
	return gk_buf_copy(&s->sent, gk_buf_slice(&ike->sent));
}

static void
swap(struct gk_buf *a, struct gk_buf *b)
{
	struct gk_buf t = *a;

	*a = *b;
	*b = t;
}

static void
restore(struct ike *ike, struct snapshot *s)
{
	struct gk_kex_key *kex = ike->kex;

	ike->state = s->state;
	ike->suite = s->suite;
	ike->cbc = s->cbc;
	memcpy(ike->cookie_r, s->cookie_r, sizeof(s->cookie_r));
	ike->keys = s->keys;
	ike->have_keys = s->have_keys;
	ike->cbc.key.ptr = ike->keys.key;
	ike->psk = s->psk;
	ike->kex = s->kex;
	s->kex = kex;
	ike->tries_left = s->tries_left;
	ike->wait_ms = s->wait_ms;
	ike->retry_at = s->retry_at;
	ike->give_up_at = s->give_up_at;
	ike->expires_at = s->expires_at;
	ike->path = s->path;
	ike->nat = s->nat;
	ike->dpd = s->dpd;
	ike->asked = s->asked;
	swap(&ike->peer_public, &s->peer_public);
	swap(&ike->own_public, &s->own_public);
	swap(&ike->nonce_i, &s->nonce_i);
	swap(&ike->nonce_r, &s->nonce_r);
	swap(&ike->peer_id, &s->peer_id);
	swap(&ike->own_id, &s->own_id);
	swap(&ike->sent, &s->sent);
}

static void
snapshot_free(struct snapshot *s)
{
	gk_buf_free(&s->peer_public);
	gk_buf_free(&s->own_public);
	gk_buf_free(&s->nonce_i);
	gk_buf_free(&s->nonce_r);
	gk_buf_free(&s->peer_id);
	gk_buf_free(&s->own_id);
	gk_buf_free(&s->sent);
	gk_kex_free(s->kex);
	gk_wipe(s, sizeof(*s));
}

/* What nobody needs once the SA is there. */
static void
forget(struct ike *ike)
{
	struct gk_buf *const done[] = {
		&ike->sa_i,    &ike->own_public, &ike->peer_public,
		&ike->nonce_i, &ike->nonce_r,
	};

	for (size_t i = 0; i < GK_COUNT(done); i++)
		gk_buf_free(done[i]);
}

/* An answer is repeated when the message is that it answers; who waits for one
 * repeats by the clock, and not for what comes twice.  If both did, every
 * repetition would bring forth another, for ever. */
static bool
answers(const struct ike *ike)
{
	if (ike->aggressive) /* message 3 is the last, and answers message 2 */
		return ike->initiator || ike->state != IKE_ESTABLISHED;
	return !ike->initiator;
}

static enum gk_err
undoable(struct ike_input *in, struct gk_slice dgram)
{
	struct ike *ike = in->ike;
	struct snapshot s;
	uint8_t digest[GK_HASH_MAX];
	enum gk_err err;

	GK_TRY(gk_hash(GK_HASH_SHA256, &dgram, 1, digest));
	if (ike->has_answered &&
	    memcmp(digest, ike->answered, sizeof(ike->answered)) == 0)
		return answers(ike) ? ike_resend(ike) : GK_OK;
	err = take_snapshot(ike, &s);
	if (err == GK_OK)
		err = ike_step(in, dgram);
	if (err != GK_OK) {
		restore(ike, &s);
	} else {
		memcpy(ike->answered, digest, sizeof(ike->answered));
		ike->has_answered = true;
		if (ike->state == IKE_ESTABLISHED)
			forget(ike);
	}
	snapshot_free(&s);
	return err;
}

/* SKEYID is made of the pre-shared key, so what the peer says under another one
 * is noise; so is what anybody sends under our cookies. */
static void
doubt(const struct ike_input *in)
{
	struct ike *ike = in->ike;

	if (!in->unreadable || ike->suite.auth != IKE_AUTH_PSK)
		return;
	if (ike->state == IKE_I_AUTH)
		ike_doubt(ike, "what answers our first encrypted message "
		               "cannot be read: the peer may have another "
		               "pre-shared key");
	else if (ike->state == IKE_R_KE)
		ike_doubt(ike, "the first encrypted message of the peer cannot "
		               "be read: it may have another pre-shared key");
}

enum gk_err
ike_receive(struct ike *ike, const struct ike_path *path, struct gk_slice dgram,
            struct gk_now now)
{
	struct ike_input in;
	enum gk_err err;

	ike_input_begin(&in, ike, path, now);
	ike_queue_clear(ike);
	err = ike_read_header(&in, dgram);
	if (err == GK_OK && (ike->state == IKE_DEAD ||
	                     (!ike_is(ike, &in.header) &&
	                      GK_CHECKED("RFC2408-5.2-02", "RFC2409-4-04"))))
		err = ike_refuse(&in, GK_ERR_UNEXPECTED,
		                 ISAKMP_NOTIFY_INVALID_COOKIE, "RFC2408-5.2-02",
		                 "Initiator Cookie", 0);
	if (err == GK_OK)
		err = in.header.exchange == ISAKMP_EXCHANGE_INFORMATIONAL
		              ? ike_informational(&in, dgram)
		              : undoable(&in, dgram);
	gk_buf_free(&in.clear);
	if (err == GK_OK)
		return GK_OK;
	refused(&in, err);
	doubt(&in);
	return err;
}
