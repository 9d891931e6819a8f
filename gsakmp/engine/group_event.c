/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_event.h"

#include <stdlib.h>
#include <string.h>

#include "gsakmp/engine/bulletin.h"
#include "gsakmp/gsakmp_algorithm.h"

/*
 * Rekey Events on their way out: RFC 4535 section 5.3.1.
 *
 * What a plan has fixed is stored with the new keys, in one commit; flushing
 * signs and sends it.  A key server that dies in between finds the event in its
 * store, signs it again and sends it: no member has to notice.
 */
#define EVENT_ONE_BODY 1
#define EVENT_VERSION 2
#define EVENT_EXTRA 1 /* flags in a row */
#define EVENT_POST 2

enum gk_err
gsakmp_event_add_payload(struct gsakmp_event *e, struct gk_slice body)
{
	uint8_t length[2];
	struct gk_wr wr;

	if (body.len > UINT16_MAX)
		return GK_ERR_SPACE;
	gk_wr_init(&wr, length, sizeof(length));
	gk_wr_u16(&wr, (uint16_t)body.len);
	GK_TRY(gk_buf_append(&e->body, (struct gk_slice){ length, 2 }));
	return gk_buf_append(&e->body, body);
}

#define SIGNATURE_FIXED (GSAKMP_GENERIC_LEN + 2 + 1 + GK_ZULU_LEN + 2 + 2)
#define CERTIFICATE_FIXED (GSAKMP_GENERIC_LEN + 2)
#define TOKEN_FIXED (GSAKMP_GENERIC_LEN + 2)
#define REKEY_FIXED (GSAKMP_GENERIC_LEN + 1 + GK_ZULU_LEN + 1 + 1 + 2)
#define ROOM_LEAST 128 /* for one wrapped key, whatever is configured */

/* Everything in a message that is neither token nor Rekey Event. */
static size_t
frame_len(const struct gsakmp_group *g)
{
	const struct gsakmp_party *party = &g->party;
	const struct gk_pubkey *pub = gk_signer_pubkey(party->signer);
	size_t len =
		GSAKMP_HEADER_FIXED + g->cfg.group_id.len + GSAKMP_GENERIC_LEN +
		gsakmp_vendor_suite().len + SIGNATURE_FIXED +
		gsakmp_party_signer_id(party).len +
		gk_sig_max_len(pub, gsakmp_signature_alg(&g->dialect,
	                                                 g->policy->rekey_sig));

	for (size_t i = 0; !g->cfg.no_rekey_certs && i < party->n_certs &&
	                   i < GSAKMP_CERTIFICATES_MAX;
	     i++)
		len += CERTIFICATE_FIXED + gk_cert_der(party->certs[i]).len;
	return len;
}

void
gsakmp_event_room(const struct gsakmp_group *g, struct gsakmp_event_room *room)
{
	size_t frame = frame_len(g) + TOKEN_FIXED;
	size_t payload = g->cfg.rekey_payload;

	room->head = REKEY_FIXED + g->cfg.group_id.len;
	if (g->dialect.reh_groupid == GSAKMP_REH_GROUPID_TLV)
		room->head += 2;
	room->message = g->message_max > frame + ROOM_LEAST
	                        ? g->message_max - frame
	                        : ROOM_LEAST;
	room->payload = payload > room->head + ROOM_LEAST ? payload - room->head
	                                                  : ROOM_LEAST;
}

void
gsakmp_event_free(struct gsakmp_event *e)
{
	if (e == NULL)
		return;
	gk_buf_free(&e->token);
	if (e->row != NULL)
		gk_shared_drop(e->row); /* and the body with it */
	else
		gk_buf_free(&e->body);
	free(e);
}

static void
list_free(struct gsakmp_event **list)
{
	while (*list != NULL) {
		struct gsakmp_event *e = *list;

		*list = e->next;
		gsakmp_event_free(e);
	}
}

void
gsakmp_group_events_free(struct gsakmp_group *g)
{
	list_free(&g->first_event);
	list_free(&g->sent);
	g->last_event = NULL;
}

void
gsakmp_event_queue(struct gsakmp_group *g, struct gsakmp_event *e)
{
	if (g->last_event != NULL)
		g->last_event->next = e;
	else
		g->first_event = e;
	g->last_event = e;
}

static struct gk_slice
event_key(uint32_t sequence, uint8_t key[4])
{
	struct gk_wr wr;

	gk_wr_init(&wr, key, 4);
	gk_wr_u32(&wr, sequence);
	return (struct gk_slice){ key, 4 };
}

static void
write_head(struct gk_wr *wr, const struct gsakmp_event *e)
{
	gk_wr_u8(wr, EVENT_VERSION);
	gk_wr_u16(wr, e->signature);
	gk_wr_u8(wr, (uint8_t)((e->extra ? EVENT_EXTRA : 0) |
	                       (e->post ? EVENT_POST : 0)));
	gk_wr_u16(wr, (uint16_t)e->resend);
	gk_wr_u32(wr, (uint32_t)e->token.len);
}

/* The body is where it has to be in the row: behind the head, with no token
 * between. */
static enum gk_err
store_shared(struct gsakmp_group *g, const struct gsakmp_event *e,
             struct gk_slice key)
{
	const struct gk_slice row = { e->row->octets,
		                      GSAKMP_EVENT_HEAD + e->body.len };
	struct gk_wr wr;

	gk_wr_init(&wr, e->row->octets, GSAKMP_EVENT_HEAD);
	write_head(&wr, e);
	GK_TRY(gk_wr_done(&wr));
	return gk_journal_put_shared(g->own, GSAKMP_TABLE_EVENT, key, e->row,
	                             row);
}

enum gk_err
gsakmp_event_store(struct gsakmp_group *g, const struct gsakmp_event *e)
{
	size_t len = GSAKMP_EVENT_HEAD + e->token.len + e->body.len;
	uint8_t key[4], *row;
	struct gk_wr wr;

	if (e->row != NULL && e->token.len == 0)
		return store_shared(g, e, event_key(e->sequence, key));
	GK_TRY(gk_journal_put_room(g->own, GSAKMP_TABLE_EVENT,
	                           event_key(e->sequence, key), len, &row));
	gk_wr_init(&wr, row, len);
	write_head(&wr, e);
	gk_wr_bytes(&wr, gk_buf_slice(&e->token));
	gk_wr_bytes(&wr, gk_buf_slice(&e->body));
	return gk_wr_done(&wr);
}

/* Rows of before an event could have several payloads. */
static enum gk_err
load_body(struct gsakmp_event *e, uint8_t version, struct gk_slice body)
{
	struct gk_rd rd;

	if (version == EVENT_ONE_BODY)
		return gsakmp_event_add_payload(e, body);
	gk_rd_init(&rd, body.ptr, body.len);
	do {
		(void)gk_rd_bytes(&rd, gk_rd_u16(&rd, "length"), "body");
	} while (gk_rd_left(&rd) != 0 && rd.fault.err == GK_OK);
	GK_TRY(gk_rd_done(&rd));
	return gk_buf_copy(&e->body, body);
}

enum gk_err
gsakmp_group_event_load(struct gsakmp_group *g, struct gk_slice key,
                        struct gk_slice value)
{
	struct gsakmp_event *e = calloc(1, sizeof(*e));
	struct gk_rd rd, krd;
	uint8_t version, flags;
	enum gk_err err;

	if (e == NULL)
		return GK_ERR_NOMEM;
	gk_rd_init(&krd, key.ptr, key.len);
	e->sequence = gk_rd_u32(&krd, "Sequence ID");
	e->destroy = e->sequence == GSAKMP_SEQUENCE_DESTROY;
	gk_rd_init(&rd, value.ptr, value.len);
	version = gk_rd_u8(&rd, "version");
	if (version != EVENT_VERSION && version != EVENT_ONE_BODY)
		gk_rd_fail(&rd, GK_ERR_VALUE, "version");
	e->signature = gk_rd_u16(&rd, "Signature Type");
	flags = gk_rd_u8(&rd, "flags");
	e->extra = (flags & EVENT_EXTRA) != 0;
	e->post = (flags & EVENT_POST) != 0;
	e->resend = gk_rd_u16(&rd, "resend");
	err = gk_buf_copy(&e->token,
	                  gk_rd_bytes(&rd, gk_rd_u32(&rd, "token"), "token"));
	if (err == GK_OK)
		err = load_body(e, version, gk_rd_rest(&rd));
	if (err == GK_OK)
		err = gk_rd_done(&rd);
	if (err == GK_OK)
		err = gk_rd_done(&krd);
	if (err != GK_OK) {
		gsakmp_event_free(e);
		return err;
	}
	if (g->stored_first == 0 || e->sequence < g->stored_first)
		g->stored_first = e->sequence;
	if (e->sequence > g->stored_last)
		g->stored_last = e->sequence;
	gsakmp_event_queue(g, e);
	return GK_OK;
}

/* The rows of earlier events have done their duty; but not of those that did
 * not leave yet: a restart would not know them. */
enum gk_err
gsakmp_events_forget(struct gsakmp_group *g)
{
	uint32_t s = g->stored_first, end = g->stored_last;
	uint8_t key[4];

	if (g->first_event != NULL)
		end = g->first_event->sequence - 1;
	for (const struct gsakmp_event *e = g->sent; e != NULL; e = e->next)
		if (e->sequence <= end)
			end = e->sequence - 1;
	for (; s != 0 && s <= end; s++)
		GK_TRY(gsakmp_group_store(g, GSAKMP_TABLE_EVENT,
		                          event_key(s, key),
		                          (struct gk_slice){ 0 }));
	g->stored_first = s <= g->stored_last ? s : 0;
	if (g->stored_first == 0)
		g->stored_last = 0;
	return GK_OK;
}

/* ---- signing and sending ------------------------------------------------ */

/*
 * The events of a large rekey have hundreds of millions of octets.  They are
 * there once as what is stored; as datagrams they are there a few at a time, each
 * time in memory that the ones before have left, and others have their turn
 * between.
 */
#define FLUSH_MAX (4 << 20) /* octets signed in a row, and what is one more */

/* About; the policy may be gone by now. */
static size_t
message_len(const struct gsakmp_build *b, const struct gsakmp_sign *sign,
            const struct gsakmp_event *e)
{
	size_t len =
		GSAKMP_HEADER_MAX + TOKEN_FIXED + e->token.len + e->body.len +
		2 * GSAKMP_REKEY_EVENTS_MAX + GSAKMP_GENERIC_LEN +
		gsakmp_vendor_suite().len + SIGNATURE_FIXED +
		sign->signer_id.len +
		gk_sig_max_len(gk_signer_pubkey(sign->signer),
	                       gsakmp_signature_alg(b->dialect, sign->type));

	for (size_t i = 0; i < sign->n_certs; i++)
		len += CERTIFICATE_FIXED + sign->certs[i].len;
	return len;
}

static enum gk_err
event_sign(const struct gsakmp_group *g, const struct gsakmp_party *party,
           const struct gsakmp_event *e, struct gk_now now, struct gk_buf *out)
{
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gsakmp_build b;
	struct gsakmp_sign sign;
	struct gk_rd rd;

	gsakmp_party_sign(party, e->signature, !g->cfg.no_rekey_certs,
	                  now.utc_s, ders, &sign);
	gsakmp_build_begin(&b, &g->dialect, GSAKMP_EXCHANGE_REKEY_EVENT,
	                   gsakmp_group_groupid(g), e->sequence);
	gsakmp_build_expect(&b, message_len(&b, &sign, e));
	if (e->token.len != 0)
		gsakmp_build_policy_token(&b, GSAKMP_TOKEN_ASN1_V1,
		                          gk_buf_slice(&e->token));
	gk_rd_init(&rd, e->body.ptr, e->body.len);
	while (gk_rd_left(&rd) != 0 && rd.fault.err == GK_OK)
		gsakmp_build_raw(
			&b, GSAKMP_PAYLOAD_REKEY_EVENT,
			gk_rd_bytes(&rd, gk_rd_u16(&rd, "length"), "body"));
	if (e->extra)
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	return gsakmp_build_finish(&b, &sign, out);
}

/* RFC4534-B.5.6.3-01: before anybody can learn that it exists. */
static enum gk_err
event_post(struct gsakmp_group *g, const struct gsakmp_party *party,
           const struct gsakmp_event *e, struct gk_slice dgram)
{
	const struct gsakmp_post post = {
		.group_id = g->cfg.group_id,
		.signer_type = gsakmp_identity_type(party->id->kind),
		.signer_id = gsakmp_party_signer_id(party),
		.sequence = e->sequence,
	};
	char path[GSAKMP_POST_PATH_MAX];
	struct gsakmp_output *out;

	GK_TRY(gsakmp_post_path(&post, path));
	out = gsakmp_outputs_add(&g->out, GSAKMP_OUT_POST);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->dgram = dgram;
	out->sequence = e->sequence;
	out->place = gk_slice_str(path);
	return gsakmp_outputs_own(&g->out);
}

/* To the group, and to who listens to messages.  The second of these outputs
 * has the datagram, and is behind the first for as long as that is there. */
static enum gk_err
event_multicast(struct gsakmp_group *g, const struct gsakmp_event *e,
                struct gk_buf *dgram)
{
	struct gsakmp_output *out, *message;

	out = gsakmp_outputs_add(&g->out, GSAKMP_OUT_MULTICAST);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->resend_count = e->resend;
	out->resend_spacing_ms = g->cfg.resend_spacing_ms;
	out->sequence = e->sequence;
	out->exchange = GSAKMP_EXCHANGE_REKEY_EVENT;
	GK_TRY(gsakmp_outputs_own(&g->out));
	message = gsakmp_outputs_add(&g->out, GSAKMP_OUT_MESSAGE);
	if (message == NULL)
		return GK_ERR_NOMEM;
	message->group_id = g->cfg.group_id;
	message->exchange = GSAKMP_EXCHANGE_REKEY_EVENT;
	message->sequence = e->sequence;
	GK_TRY(gsakmp_outputs_own_dgram(&g->out, dgram));
	out->dgram = message->dgram;
	return GK_OK;
}

static enum gk_err
event_send(struct gsakmp_group *g, const struct gsakmp_party *party,
           const struct gsakmp_event *e, struct gk_buf *dgram)
{
	const struct gk_queue_item *mark;
	struct gsakmp_output *out;
	enum gk_err err;

	GK_TRY(gsakmp_group_log_commit(g, &g->out, e->ticket));
	if (e->post)
		GK_TRY(event_post(g, party, e, gk_buf_slice(dgram)));
	mark = g->out.items.last;
	err = event_multicast(g, e, dgram);
	if (err != GK_OK) {
		gk_queue_cut(&g->out.items, mark);
		return err;
	}
	out = gsakmp_outputs_add(&g->out, e->destroy ? GSAKMP_OUT_DESTROYED
	                                             : GSAKMP_OUT_REKEYED);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->sequence = e->sequence;
	return gsakmp_outputs_own(&g->out);
}

static struct gsakmp_event *
event_take(struct gsakmp_group *g, struct gsakmp_party *party)
{
	struct gsakmp_event *e;

	pthread_mutex_lock(&g->lock);
	e = g->first_event;
	if (e != NULL) {
		g->first_event = e->next;
		if (g->first_event == NULL)
			g->last_event = NULL;
		e->next = NULL;
		e->ticket = gsakmp_group_ticket(g);
	}
	*party = g->party;
	pthread_mutex_unlock(&g->lock);
	return e;
}

/* In front, where it came from. */
static void
put_back(struct gsakmp_group *g, struct gsakmp_event *e)
{
	e->next = g->first_event;
	g->first_event = e;
	if (g->last_event == NULL)
		g->last_event = e;
	g->hold = true;
}

void
gsakmp_group_events_settle(struct gsakmp_group *g, uint64_t ticket, bool ok)
{
	struct gsakmp_event **at = &g->sent;

	/* The newest is first in the list of what was sent. */
	while (*at != NULL) {
		struct gsakmp_event *e = *at;

		if (e->ticket > ticket) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		if (ok)
			gsakmp_event_free(e);
		else
			put_back(g, e);
	}
}

/* What has been handed out waits for the store's word; what could not even be
 * signed waits for better times. */
static void
event_done(struct gsakmp_group *g, struct gsakmp_event *e, bool out)
{
	pthread_mutex_lock(&g->lock);
	if (out && e->ticket <= g->commits.done) {
		gsakmp_event_free(e); /* another thread's commit covered it */
	} else if (out) {
		e->next = g->sent;
		g->sent = e;
	} else {
		put_back(g, e);
	}
	pthread_mutex_unlock(&g->lock);
}

static void
note_oversize(struct gsakmp_group *g)
{
	pthread_mutex_lock(&g->lock);
	g->oversize++;
	pthread_mutex_unlock(&g->lock);
}

enum gk_err
gsakmp_group_flush(struct gsakmp_group *g, struct gk_now now)
{
	size_t octets = 0;
	struct gsakmp_party party;
	struct gsakmp_event *e;
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&g->lock);
	g->hold = false;
	g->flushed_at = now.mono_ms;
	pthread_mutex_unlock(&g->lock);
	while (err == GK_OK && octets < FLUSH_MAX &&
	       (e = event_take(g, &party)) != NULL) {
		struct gk_buf dgram = { 0 };

		err = event_sign(g, &party, e, now, &dgram);
		if (err == GK_OK && dgram.len > g->message_max)
			note_oversize(g);
		octets += dgram.len;
		if (err == GK_OK)
			err = event_send(g, &party, e, &dgram);
		gk_buf_free(&dgram);
		event_done(g, e, err == GK_OK);
	}
	return err;
}
