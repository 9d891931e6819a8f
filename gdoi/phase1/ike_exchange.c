/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_private.h"

/*
 * Main Mode and Aggressive Mode, message by message: RFC 2409 sections 5.1 and
 * 5.4.
 */
static enum gk_err
send_auth(struct ike *ike, struct ike_message *m, struct gk_now now)
{
	ike_message_begin(ike, m, ISAKMP_EXCHANGE_IDENTITY_PROTECTION);
	GK_TRY(ike_id_make(ike));
	ike_message_octets(m, ISAKMP_PAYLOAD_ID, gk_buf_slice(&ike->own_id));
	GK_TRY(ike_auth_write(ike, m, true));
	return ike_message_send(ike, m, true, ike->initiator, now);
}

/* Message 2 at the initiator, in either mode.  Two equal cookies would make one
 * side's HASH the other's: RFC 6407 section 7.1.4. */
static enum gk_err
answer_taken(struct ike_input *in)
{
	static const uint8_t zero[ISAKMP_COOKIE_LEN];
	struct ike *ike = in->ike;
	const uint8_t *cookie = in->header.cookie_r;

	/* RFC2408-2.4-03 */
	if ((memcmp(cookie, zero, sizeof(zero)) == 0 ||
	     memcmp(cookie, ike->cookie_i, ISAKMP_COOKIE_LEN) == 0) &&
	    GK_CHECKED("RFC2408-2.4-03"))
		return ike_refuse(in, GK_ERR_VALUE,
		                  ISAKMP_NOTIFY_INVALID_COOKIE,
		                  "RFC2408-2.4-03", "Responder Cookie", 8);
	GK_TRY(ike_sa_taken(in));
	memcpy(ike->cookie_r, cookie, ISAKMP_COOKIE_LEN);
	return GK_OK;
}

/* Main Mode message 2 at the initiator. */
static enum gk_err
main_2(struct ike_input *in, struct ike_message *m)
{
	struct ike *ike = in->ike;

	GK_TRY(answer_taken(in));
	ike_vendors_read(in);
	ike_cert_requests_read(in);
	GK_TRY(ike_ke_make(ike));
	ike_message_begin(ike, m, ISAKMP_EXCHANGE_IDENTITY_PROTECTION);
	ike_ke_write(ike, m);
	ike_cert_requests_write(ike, m);
	GK_TRY(ike_natd_write(ike, &ike->path, m));
	ike->state = IKE_I_KE;
	return ike_message_send(ike, m, false, true, in->now);
}

/* Main Mode message 3 at the responder. */
static enum gk_err
main_3(struct ike_input *in, struct ike_message *m)
{
	struct ike *ike = in->ike;

	GK_TRY(ike_ke_read(in));
	ike_cert_requests_read(in);
	GK_TRY(ike_natd_read(in));
	GK_TRY(ike_ke_make(ike));
	GK_TRY(ike_derive(in, (struct gk_slice){ 0 }));
	ike_message_begin(ike, m, ISAKMP_EXCHANGE_IDENTITY_PROTECTION);
	ike_ke_write(ike, m);
	ike_cert_requests_write(ike, m);
	/* RFC 3947 section 3: the answer goes to where the message came from. */
	ike->path = *in->path;
	GK_TRY(ike_natd_write(ike, &ike->path, m));
	ike->state = IKE_R_KE;
	return ike_message_send(ike, m, false, false, in->now);
}

/* Main Mode message 4 at the initiator. */
static enum gk_err
main_4(struct ike_input *in, struct ike_message *m)
{
	GK_TRY(ike_ke_read(in));
	ike_cert_requests_read(in);
	GK_TRY(ike_natd_read(in));
	GK_TRY(ike_derive(in, (struct gk_slice){ 0 }));
	in->ike->state = IKE_I_AUTH;
	ike_natt_float(in->ike, in->now);
	return send_auth(in->ike, m, in->now);
}

/*
 * RFC 3947 section 4: with a NAT in between the last message of the initiator comes
 * from elsewhere, as it should; who has moved to 4500 may find none there.  Without
 * one it is somebody who has seen it: its HASH counts, not where it came from.
 */
static void
follow(const struct ike_input *in)
{
	const struct ike_address *to = &in->path->peer;
	struct ike *ike = in->ike;
	bool same_ip = to->ip_len == ike->path.peer.ip_len &&
	               memcmp(to->ip, ike->path.peer.ip, to->ip_len) == 0;
	bool moved = ike->nat.agreed && same_ip &&
	             in->path->local.port == ike->cfg.natt_port;

	if (ike->nat.here || ike->nat.there || moved)
		ike->path = *in->path;
}

/* Main Mode message 5 at the responder. */
static enum gk_err
main_5(struct ike_input *in, struct ike_message *m)
{
	GK_TRY(ike_id_read(in));
	ike_cert_requests_read(in);
	GK_TRY(ike_auth_read(in));
	memcpy(in->ike->cbc.iv, in->next_iv, sizeof(in->next_iv));
	follow(in);
	GK_TRY(send_auth(in->ike, m, in->now));
	GK_TRY(ike_established(in->ike, in->now));
	return ike_notices(in);
}

/* Main Mode message 6 at the initiator. */
static enum gk_err
main_6(struct ike_input *in, struct ike_message *m)
{
	(void)m;
	GK_TRY(ike_id_read(in));
	GK_TRY(ike_auth_read(in));
	memcpy(in->ike->cbc.iv, in->next_iv, sizeof(in->next_iv));
	GK_TRY(ike_established(in->ike, in->now));
	return ike_notices(in);
}

/* Aggressive Mode message 2 at the initiator. */
static enum gk_err
aggressive_2(struct ike_input *in, struct ike_message *m)
{
	struct ike *ike = in->ike;
	bool encrypt = ike->dialect.am3_encrypt == GDOI_AM3_ENCRYPT_YES;

	GK_TRY(answer_taken(in));
	ike_vendors_read(in);
	ike_cert_requests_read(in);
	GK_TRY(ike_ke_read(in));
	GK_TRY(ike_id_read(in));
	GK_TRY(ike_derive(in, gk_buf_slice(&ike->peer_id)));
	GK_TRY(ike_auth_read(in));
	GK_TRY(ike_natd_read(in));
	ike_natt_float(ike, in->now);
	ike_message_begin(ike, m, ISAKMP_EXCHANGE_AGGRESSIVE);
	/* The hashes are those of the way that this message goes. */
	GK_TRY(ike_natd_write(ike, &ike->path, m));
	GK_TRY(ike_auth_write(ike, m, false));
	GK_TRY(ike_message_send(ike, m, encrypt, false, in->now));
	return ike_established(ike, in->now);
}

/* Aggressive Mode message 3 at the responder: in either form. */
static enum gk_err
aggressive_3(struct ike_input *in, struct ike_message *m)
{
	(void)m;
	GK_TRY(ike_auth_read(in));
	if (in->encrypted)
		memcpy(in->ike->cbc.iv, in->next_iv, sizeof(in->next_iv));
	GK_TRY(ike_natd_read(in));
	follow(in);
	return ike_established(in->ike, in->now);
}

/* RFC2409-5-05: which message is expected where; anything else is refused. */
static const struct transition {
	enum ike_state from;
	uint8_t exchange;
	int encrypted; /* 1 must be, 0 must not, -1 either */
	enum gk_err (*step)(struct ike_input *in, struct ike_message *m);
} transitions[] = {
	{ IKE_I_SA, ISAKMP_EXCHANGE_IDENTITY_PROTECTION, 0, main_2 },
	{ IKE_R_SA, ISAKMP_EXCHANGE_IDENTITY_PROTECTION, 0, main_3 },
	{ IKE_I_KE, ISAKMP_EXCHANGE_IDENTITY_PROTECTION, 0, main_4 },
	{ IKE_R_KE, ISAKMP_EXCHANGE_IDENTITY_PROTECTION, 1, main_5 },
	{ IKE_I_AUTH, ISAKMP_EXCHANGE_IDENTITY_PROTECTION, 1, main_6 },
	{ IKE_I_AGGRESSIVE, ISAKMP_EXCHANGE_AGGRESSIVE, 0, aggressive_2 },
	{ IKE_R_AGGRESSIVE, ISAKMP_EXCHANGE_AGGRESSIVE, -1, aggressive_3 },
};

enum gk_err
ike_step(struct ike_input *in, struct gk_slice dgram)
{
	const struct transition *t = NULL;
	struct ike_message *m;
	enum gk_err err;

	/* RFC2408-2.4-06 */
	if (in->header.message_id != 0 &&
	    GK_CHECKED("RFC2408-2.4-06", "RFC2408-3.1-16", "RFC2409-4-01"))
		return ike_refuse(in, GK_ERR_VALUE,
		                  ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                  "RFC2408-2.4-06", "Message ID", 20);
	for (size_t i = 0; i < GK_COUNT(transitions); i++)
		if (transitions[i].from == in->ike->state &&
		    (transitions[i].exchange == in->header.exchange ||
		     !GK_CHECKED("RFC2409-5-05")))
			t = &transitions[i];
	if (t == NULL)
		return ike_refuse(in, GK_ERR_UNEXPECTED,
		                  ISAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                  "RFC2409-5-05", "Exchange Type", 18);
	err = ike_open_message(in, dgram);
	if (err != GK_OK) {
		/* Nothing says so, but this is what it mostly is. */
		in->unreadable = in->encrypted && in->ike->have_keys;
		if (in->encrypted && in->ike->suite.auth == IKE_AUTH_PSK)
			in->text = "cannot be read: has the peer another "
				   "pre-shared key?";
		return err;
	}
	if (t->encrypted != -1 && t->encrypted != in->encrypted &&
	    GK_CHECKED("RFC2408-5.2-06", "RFC2409-3.2-04", "RFC2408-4.1.1-03"))
		return ike_refuse(in, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_FLAGS,
		                  "RFC2408-5.2-06", "Flags", 19);
	m = ike_message_new();
	if (m == NULL)
		return GK_ERR_NOMEM;
	err = t->step(in, m);
	ike_message_free(m);
	return err;
}

/* ---- beginning ---------------------------------------------------------- */

enum gk_err
ike_initiate(const struct gk_env *env, const struct ike_config *cfg,
             const struct ike_path *path, struct gk_now now, struct ike **out)
{
	uint8_t exchange = cfg->aggressive
	                           ? ISAKMP_EXCHANGE_AGGRESSIVE
	                           : ISAKMP_EXCHANGE_IDENTITY_PROTECTION;
	struct ike_message *m = ike_message_new();
	enum gk_err err = GK_ERR_NOMEM;
	struct ike *ike = NULL;

	*out = NULL;
	if (m != NULL)
		err = ike_new(env, cfg, path, now, &ike);
	if (err == GK_OK) {
		ike->initiator = true;
		err = ike_cookie(ike, ike->cookie_i);
	}
	if (err == GK_OK) {
		ike_message_begin(ike, m, exchange);
		ike_sa_offer(ike, m);
		err = gk_buf_copy(
			&ike->sa_i,
			(struct gk_slice){ m->buf + ISAKMP_HEADER_LEN +
		                                   ISAKMP_GENERIC_LEN,
		                           m->wr.len - ISAKMP_HEADER_LEN -
		                                   ISAKMP_GENERIC_LEN });
	}
	if (err == GK_OK && cfg->aggressive) {
		/* RFC2409-5-15: the group is that of the first suite. */
		ike->suite = ike->cfg.suite[0];
		err = ike_ke_make(ike);
		if (err == GK_OK)
			err = ike_id_make(ike);
		ike_ke_write(ike, m);
		ike_message_octets(m, ISAKMP_PAYLOAD_ID,
		                   gk_buf_slice(&ike->own_id));
		ike_cert_requests_write(ike, m);
	}
	if (err == GK_OK) {
		ike_vendors_write(ike, m);
		ike->aggressive = cfg->aggressive;
		ike->state = cfg->aggressive ? IKE_I_AGGRESSIVE : IKE_I_SA;
		err = ike_message_send(ike, m, false, true, now);
	}
	ike_message_free(m);
	if (err != GK_OK)
		ike_free(ike);
	else
		*out = ike;
	return err;
}

static void
answer_sa(struct ike *ike, struct ike_message *m,
          const struct isakmp_proposal *chosen, uint8_t exchange)
{
	struct gk_wr_hole hole;

	ike_message_begin(ike, m, exchange);
	hole = ike_message_payload(m, ISAKMP_PAYLOAD_SA);
	isakmp_proposal_encode(&m->wr, chosen);
	gk_wr_close(&m->wr, hole);
}

/* Is it one that an exchange begins with, and one that is wanted here? */
static enum gk_err
begins(struct ike_input *in)
{
	static const uint8_t zero[ISAKMP_COOKIE_LEN];
	bool aggressive = in->header.exchange == ISAKMP_EXCHANGE_AGGRESSIVE;

	if (aggressive && !in->ike->cfg.aggressive &&
	    GK_CHECKED("RFC2409-5-02"))
		return ike_refuse(in, GK_ERR_POLICY,
		                  ISAKMP_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE,
		                  "RFC2409-5-02", "Exchange Type", 18);
	/* RFC2408-2.4-02 */
	if ((memcmp(in->header.cookie_i, zero, sizeof(zero)) == 0 ||
	     memcmp(in->header.cookie_r, zero, sizeof(zero)) != 0) &&
	    GK_CHECKED("RFC2408-2.4-02"))
		return ike_refuse(in, GK_ERR_VALUE,
		                  ISAKMP_NOTIFY_INVALID_COOKIE,
		                  "RFC2408-2.4-02", "Responder Cookie", 8);
	return GK_OK;
}

/* What Aggressive Mode has in its first message besides. */
static enum gk_err
take_aggressive(struct ike_input *in)
{
	struct ike *ike = in->ike;

	GK_TRY(ike_ke_read(in));
	GK_TRY(ike_id_read(in));
	GK_TRY(ike_ke_make(ike));
	GK_TRY(ike_derive(in, gk_buf_slice(&ike->peer_id)));
	return ike_id_make(ike);
}

static enum gk_err
answer_aggressive(struct ike *ike, struct ike_message *m)
{
	ike_ke_write(ike, m);
	ike_message_octets(m, ISAKMP_PAYLOAD_ID, gk_buf_slice(&ike->own_id));
	ike_cert_requests_write(ike, m);
	GK_TRY(ike_natd_write(ike, &ike->path, m));
	return ike_auth_write(ike, m, false);
}

/* Takes it, and writes the answer. */
static enum gk_err
take_first(struct ike_input *in, struct isakmp_proposal *chosen,
           struct ike_message *m)
{
	struct ike *ike = in->ike;
	bool aggressive = in->header.exchange == ISAKMP_EXCHANGE_AGGRESSIVE;
	enum gk_err err = GK_OK;

	GK_TRY(ike_sa_take(in, chosen));
	GK_TRY(ike_cookie(ike, ike->cookie_r));
	ike_vendors_read(in);
	ike_cert_requests_read(in);
	if (aggressive)
		GK_TRY(take_aggressive(in));
	answer_sa(ike, m, chosen, in->header.exchange);
	if (aggressive)
		err = answer_aggressive(ike, m);
	ike_vendors_write(ike, m);
	return err;
}

/* Message 1 at the responder. */
static enum gk_err
first(struct ike_input *in, struct ike_message *m)
{
	struct isakmp_proposal chosen = { 0 };
	struct ike *ike = in->ike;
	bool aggressive = in->header.exchange == ISAKMP_EXCHANGE_AGGRESSIVE;
	enum gk_err err = begins(in);

	memcpy(ike->cookie_i, in->header.cookie_i, ISAKMP_COOKIE_LEN);
	if (err == GK_OK)
		err = take_first(in, &chosen, m);
	ike->aggressive = aggressive;
	ike->state = aggressive ? IKE_R_AGGRESSIVE : IKE_R_SA;
	/* Main Mode is driven by the initiator; in Aggressive Mode it is done
	 * when it has sent message 3, which may get lost.  Whoever never asked
	 * for message 2 gets it a few times and no more. */
	if (err == GK_OK)
		err = ike_message_send(ike, m, false, aggressive, in->now);
	if (ike->tries_left > IKE_AGGRESSIVE_TRIES)
		ike->tries_left = IKE_AGGRESSIVE_TRIES;
	return err;
}

enum gk_err
ike_respond(const struct gk_env *env, const struct ike_config *cfg,
            const struct ike_path *path, struct gk_slice dgram,
            struct gk_now now, struct ike **out, struct isakmp_reject *why)
{
	struct ike_message *m = ike_message_new();
	struct ike_input in;
	uint8_t digest[GK_HASH_MAX];
	enum gk_err err = m == NULL ? GK_ERR_NOMEM : GK_OK;

	*out = NULL;
	ike_input_begin(&in, NULL, path, now);
	if (err == GK_OK)
		err = ike_new(env, cfg, path, now, &in.ike);
	if (err == GK_OK)
		err = ike_read_header(&in, dgram);
	if (err == GK_OK && in.header.message_id != 0 &&
	    GK_CHECKED("RFC2408-2.4-06", "RFC2408-3.1-16"))
		err = ike_refuse(&in, GK_ERR_VALUE,
		                 ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                 "RFC2408-2.4-06", "Message ID", 20);
	if (err == GK_OK &&
	    in.header.exchange != ISAKMP_EXCHANGE_IDENTITY_PROTECTION &&
	    in.header.exchange != ISAKMP_EXCHANGE_AGGRESSIVE)
		err = ike_refuse(&in, GK_ERR_UNEXPECTED,
		                 ISAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                 "RFC2409-5-05", "Exchange Type", 18);
	if (err == GK_OK)
		err = ike_open_message(&in, dgram);
	if (err == GK_OK)
		err = first(&in, m);
	if (err == GK_OK)
		err = gk_hash(GK_HASH_SHA256, &dgram, 1, digest);
	gk_buf_free(&in.clear);
	ike_message_free(m);
	if (err != GK_OK) {
		if (in.why.req == NULL)
			in.why.field = gk_strerror(err);
		*why = in.why;
		ike_free(in.ike);
		return err;
	}
	memcpy(in.ike->answered, digest, sizeof(in.ike->answered));
	in.ike->has_answered = true;
	*out = in.ike;
	return GK_OK;
}
