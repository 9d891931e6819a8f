/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/message/build.h"

#include <stdlib.h>
#include <string.h>

#include "gsakmp/gsakmp_algorithm.h"

#define CHUNK 1024 /* the buffer grows in steps of at least this */
#define SPARE 512  /* octets that a message may occupy without using them */
/* A DER signature has the most likely size every second time or so; a run of so
 * many others says that it never will. */
#define SIGN_ATTEMPTS 64

static void
grow(struct gsakmp_build *b, size_t octets)
{
	struct gk_buf larger = { b->lent ? NULL : malloc(octets), octets };

	if (b->lent) {
		b->err = GK_ERR_SPACE;
		return;
	}
	if (larger.ptr == NULL) {
		b->err = GK_ERR_NOMEM;
		return;
	}
	if (b->len != 0)
		memcpy(larger.ptr, b->buf.ptr, b->len);
	gk_buf_free(&b->buf);
	b->buf = larger;
}

/* Room for @n more octets; NULL, with the error kept, when there is none. */
static uint8_t *
room(struct gsakmp_build *b, size_t n)
{
	if (b->err == GK_OK && n > GSAKMP_MESSAGE_MAX - b->len)
		b->err = GK_ERR_SPACE;
	if (b->err == GK_OK && b->len + n > b->buf.len)
		grow(b, b->len + n + CHUNK + b->buf.len);
	return b->err == GK_OK ? b->buf.ptr + b->len : NULL;
}

/* A generic header and room for @body octets, through @wr. */
static bool
open_payload(struct gsakmp_build *b, uint8_t type, uint16_t kind, size_t body,
             struct gk_wr *wr)
{
	size_t size = GSAKMP_GENERIC_LEN + body;
	uint8_t *at;

	gk_wr_init(wr, NULL, 0);
	if (b->err == GK_OK &&
	    (size > UINT16_MAX || b->n_seen == GSAKMP_PAYLOADS_MAX))
		b->err = GK_ERR_SPACE;
	at = room(b, size);
	if (at == NULL)
		return false;
	gk_wr_init(wr, at, size);
	b->buf.ptr[b->next] = type;
	b->next = b->len;
	b->seen[b->n_seen++] = (struct gsakmp_seen){ type, kind, b->len };
	gk_wr_u8(wr, GSAKMP_PAYLOAD_NONE);
	gk_wr_u8(wr, 0);
	gk_wr_u16(wr, (uint16_t)size);
	return true;
}

static void
close_payload(struct gsakmp_build *b, const struct gk_wr *wr)
{
	if (b->err == GK_OK)
		b->err = gk_wr_done(wr);
	b->len += wr->len;
}

static void
begin(struct gsakmp_build *b, const struct gsakmp_dialect *dialect,
      enum gsakmp_exchange_type exchange, struct gsakmp_groupid groupid,
      uint32_t sequence)
{
	const struct gsakmp_header header = {
		.groupid = groupid,
		.version = GSAKMP_VERSION,
		.exchange = (uint8_t)exchange,
		.sequence = sequence,
	};
	struct gk_wr wr;
	uint8_t *at;

	b->dialect = dialect;
	b->exchange = (uint8_t)exchange;
	if (groupid.value.len == 0 || groupid.value.len > GSAKMP_GROUPID_MAX)
		b->err = GK_ERR_VALUE;
	/* RFC4535-7.1.1-10, -11: zero in negotiations, and only there. */
	if (gsakmp_exchange_is_management(b->exchange) != (sequence != 0))
		b->err = GK_ERR_VALUE;
	at = room(b, GSAKMP_HEADER_MAX);
	if (at == NULL)
		return;
	gk_wr_init(&wr, at, GSAKMP_HEADER_MAX);
	gsakmp_header_encode(&wr, &header);
	b->header = wr.len;
	b->next = 2 + groupid.value.len;
	close_payload(b, &wr);
}

void
gsakmp_build_begin(struct gsakmp_build *b, const struct gsakmp_dialect *dialect,
                   enum gsakmp_exchange_type exchange,
                   struct gsakmp_groupid groupid, uint32_t sequence)
{
	*b = (struct gsakmp_build){ .n_seen = 0 };
	begin(b, dialect, exchange, groupid, sequence);
}

void
gsakmp_build_begin_in(struct gsakmp_build *b, struct gk_buf memory,
                      const struct gsakmp_dialect *dialect,
                      enum gsakmp_exchange_type exchange,
                      struct gsakmp_groupid groupid, uint32_t sequence)
{
	*b = (struct gsakmp_build){ .buf = memory, .lent = true };
	begin(b, dialect, exchange, groupid, sequence);
}

void
gsakmp_build_expect(struct gsakmp_build *b, size_t octets)
{
	if (b->err == GK_OK && octets > b->buf.len &&
	    octets <= GSAKMP_MESSAGE_MAX)
		grow(b, octets);
}

void
gsakmp_build_raw(struct gsakmp_build *b, uint8_t type, struct gk_slice body)
{
	uint16_t kind = GSAKMP_KIND_ANY;
	struct gk_wr wr;

	if (type == GSAKMP_PAYLOAD_NONCE && body.len >= 1)
		kind = body.ptr[0];
	if (type == GSAKMP_PAYLOAD_NOTIFICATION && body.len >= 2)
		kind = (uint16_t)(body.ptr[0] << 8 | body.ptr[1]);
	if (!open_payload(b, type, kind, body.len, &wr))
		return;
	gk_wr_bytes(&wr, body);
	close_payload(b, &wr);
}

void
gsakmp_build_key_creation(struct gsakmp_build *b, uint16_t type,
                          struct gk_slice public_value)
{
	const struct gsakmp_key_creation kc = {
		.type = type,
		.data = gsakmp_key_creation_data(b->dialect, type,
		                                 public_value),
	};
	struct gk_wr wr;

	if (!open_payload(b, GSAKMP_PAYLOAD_KEY_CREATION, GSAKMP_KIND_ANY,
	                  2 + kc.data.len, &wr))
		return;
	gsakmp_key_creation_encode(&wr, &kc);
	close_payload(b, &wr);
}

void
gsakmp_build_nonce(struct gsakmp_build *b, enum gsakmp_nonce_type type,
                   struct gk_slice data)
{
	const struct gsakmp_nonce nonce = { .type = (uint8_t)type,
		                            .data = data };
	struct gk_wr wr;

	if (!open_payload(b, GSAKMP_PAYLOAD_NONCE, (uint16_t)type, 1 + data.len,
	                  &wr))
		return;
	gsakmp_nonce_encode(&wr, &nonce);
	close_payload(b, &wr);
}

void
gsakmp_build_identification(struct gsakmp_build *b, uint8_t classification,
                            uint8_t id_type, struct gk_slice data)
{
	const struct gsakmp_identification id = {
		.classification = classification,
		.id_type = id_type,
		.data = data,
	};
	struct gk_wr wr;

	if (!open_payload(b, GSAKMP_PAYLOAD_IDENTIFICATION, GSAKMP_KIND_ANY,
	                  2 + data.len, &wr))
		return;
	gsakmp_identification_encode(&wr, &id);
	close_payload(b, &wr);
}

void
gsakmp_build_notification(struct gsakmp_build *b, uint16_t type,
                          struct gk_slice data)
{
	const struct gsakmp_notification n = { .type = type, .data = data };
	struct gk_wr wr;

	if (!open_payload(b, GSAKMP_PAYLOAD_NOTIFICATION, type, 2 + data.len,
	                  &wr))
		return;
	gsakmp_notification_encode(&wr, &n);
	close_payload(b, &wr);
}

void
gsakmp_build_ack(struct gsakmp_build *b)
{
	gsakmp_build_notification(b, GSAKMP_NOTIFY_ACKNOWLEDGEMENT,
	                          gsakmp_ack_data(b->dialect));
}

void
gsakmp_build_mechanisms(struct gsakmp_build *b,
                        const struct gsakmp_mechanisms *mechanisms)
{
	uint8_t data[32];
	struct gk_wr wr;

	gk_wr_init(&wr, data, sizeof(data));
	gsakmp_mechanisms_encode(&wr, b->dialect, mechanisms);
	gsakmp_build_notification(b, GSAKMP_NOTIFY_MECHANISM_CHOICES,
	                          (struct gk_slice){ data, wr.len });
}

void
gsakmp_build_vendor_id(struct gsakmp_build *b, struct gk_slice value)
{
	gsakmp_build_raw(b, GSAKMP_PAYLOAD_VENDOR_ID, value);
}

void
gsakmp_build_certificate(struct gsakmp_build *b, uint16_t type,
                         struct gk_slice data)
{
	const struct gsakmp_certificate cert = { .type = type, .data = data };
	struct gk_wr wr;

	if (!open_payload(b, GSAKMP_PAYLOAD_CERTIFICATE, GSAKMP_KIND_ANY,
	                  2 + data.len, &wr))
		return;
	gsakmp_certificate_encode(&wr, &cert);
	close_payload(b, &wr);
}

void
gsakmp_build_policy_token(struct gsakmp_build *b, uint16_t type,
                          struct gk_slice sealed)
{
	const struct gsakmp_policy_token token = { .type = type,
		                                   .data = sealed };
	struct gk_wr wr;

	if (!open_payload(b, GSAKMP_PAYLOAD_POLICY_TOKEN, GSAKMP_KIND_ANY,
	                  2 + sealed.len, &wr))
		return;
	gsakmp_policy_token_encode(&wr, &token);
	close_payload(b, &wr);
}

void
gsakmp_build_key_download(struct gsakmp_build *b, struct gk_slice sealed)
{
	gsakmp_build_raw(b, GSAKMP_PAYLOAD_KEY_DOWNLOAD, sealed);
}

void
gsakmp_build_rekey_event(struct gsakmp_build *b,
                         const struct gsakmp_rekey_event *event)
{
	/* Two types, stamp, version and count around the variable parts. */
	size_t size = 1 + event->groupid.len + GK_ZULU_LEN + 1 + 1 + 2 +
	              event->data.len;
	struct gk_wr wr;

	if (!open_payload(b, GSAKMP_PAYLOAD_REKEY_EVENT, GSAKMP_KIND_ANY, size,
	                  &wr))
		return;
	gsakmp_rekey_event_encode(&wr, event);
	close_payload(b, &wr);
}

/* Signing ------------------------------------------------------------------ */

/* The Signature payload with @size octets of zero for the signature, and the
 * certificates behind it. */
static void
tail(struct gsakmp_build *b, const struct gsakmp_sign *sign, size_t size,
     struct gsakmp_cover *positions)
{
	uint8_t stamp[GK_ZULU_LEN];
	struct gsakmp_signature sig = {
		.type = sign->type,
		.id_type = sign->id_type,
		.timestamp = { stamp, GK_ZULU_LEN },
		.signer_id = sign->signer_id,
	};
	struct gk_buf zero = { 0 };
	struct gk_wr wr;

	gk_zulu_format(sign->utc, stamp);
	if (b->err == GK_OK)
		b->err = gk_buf_alloc(&zero, size);
	sig.value = gk_buf_slice(&zero);
	*positions = (struct gsakmp_cover){ .header = b->header,
		                            .payload = b->len,
		                            .sig_octets = size };
	if (open_payload(b, GSAKMP_PAYLOAD_SIGNATURE, GSAKMP_KIND_ANY,
	                 2 + 1 + GK_ZULU_LEN + 2 + sign->signer_id.len + 2 +
	                         size,
	                 &wr)) {
		gsakmp_signature_encode(&wr, &sig);
		close_payload(b, &wr);
	}
	positions->siglen = b->len - size - 2;
	gk_buf_free(&zero);
	for (size_t i = 0; i < sign->n_certs; i++)
		gsakmp_build_certificate(b,
		                         sign->cert_types != NULL
		                                 ? sign->cert_types[i]
		                                 : GSAKMP_CERT_X509_SIGNATURE,
		                         sign->certs[i]);
}

static void
length_fix(struct gsakmp_build *b)
{
	struct gk_wr wr;

	if (b->err != GK_OK)
		return;
	gk_wr_init(&wr, b->buf.ptr + b->header - 4, 4);
	gk_wr_u32(&wr, (uint32_t)b->len);
}

/* One signature over what @positions say; false when its size is another. */
static enum gk_err
sign_once(struct gsakmp_build *b, const struct gsakmp_sign *sign,
          struct gk_sig_alg alg, const struct gsakmp_cover *positions,
          size_t *size)
{
	struct gk_buf scratch, value = { 0 };
	struct gk_slice covered;
	enum gk_err err;

	GK_TRY(gsakmp_cover(b->dialect, (struct gk_slice){ b->buf.ptr, b->len },
	                    positions, &scratch, &covered));
	err = gk_sign(sign->signer, alg, covered, &value);
	/* The length is signed, so it was chosen before.  Mostly one of two
	 * equal signatures has it; else there is another attempt. */
	if (err == GK_OK && value.len != positions->sig_octets &&
	    gk_sig_mirror(gk_signer_pubkey(sign->signer), alg, &value) ==
	            GK_ERR_NOMEM)
		err = GK_ERR_NOMEM;
	*size = value.len;
	if (err == GK_OK && value.len == positions->sig_octets)
		memcpy(b->buf.ptr + positions->siglen + 2, value.ptr,
		       value.len);
	gk_buf_free(&value);
	gk_buf_free(&scratch);
	return err;
}

/* Everything from the Signature payload on, for one size of signature. */
static enum gk_err
sign_with_size(struct gsakmp_build *b, const struct gsakmp_sign *sign,
               struct gk_sig_alg alg, size_t want, size_t *got)
{
	struct gsakmp_cover positions;
	size_t tries = 0;

	tail(b, sign, want, &positions);
	length_fix(b);
	GK_TRY(b->err);
	do {
		GK_TRY(sign_once(b, sign, alg, &positions, got));
	} while (*got != want && ++tries < SIGN_ATTEMPTS);
	return GK_OK;
}

static enum gk_err
sign_message(struct gsakmp_build *b, const struct gsakmp_sign *sign)
{
	struct gk_sig_alg alg = gsakmp_signature_alg(b->dialect, sign->type);
	size_t want = gk_sig_likely_len(gk_signer_pubkey(sign->signer), alg);
	const size_t len = b->len, next = b->next, n_seen = b->n_seen;
	size_t got;

	if (want == 0)
		return GK_ERR_VALUE;
	for (unsigned i = 0; i < 4; i++) {
		GK_TRY(sign_with_size(b, sign, alg, want, &got));
		if (got == want)
			return GK_OK;
		/* A signer that gives the same signature for the same octets
		 * has another size in mind: take that one. */
		want = got;
		b->len = len;
		b->next = next;
		b->n_seen = n_seen;
	}
	return GK_ERR_CRYPTO;
}

/* What is sent has to be what would be accepted. */
static enum gk_err
finish(struct gsakmp_build *b, const struct gsakmp_sign *sign)
{
	const struct gsakmp_dissection *d = gsakmp_dissection_find(b->exchange);
	struct gsakmp_reject why;

	GK_TRY(b->err);
	if (d == NULL || d->signed_ != (sign != NULL))
		return GK_ERR_UNEXPECTED;
	if (sign != NULL)
		GK_TRY(sign_message(b, sign));
	length_fix(b);
	GK_TRY(b->err);
	return gsakmp_dissection_check(d, b->seen, b->n_seen, &why);
}

enum gk_err
gsakmp_build_finish(struct gsakmp_build *b, const struct gsakmp_sign *sign,
                    struct gk_buf *out)
{
	enum gk_err err = finish(b, sign);

	*out = (struct gk_buf){ 0 };
	if (err == GK_OK && b->buf.len - b->len <= SPARE) {
		*out = (struct gk_buf){ b->buf.ptr, b->len };
		b->buf = (struct gk_buf){ 0 };
	} else if (err == GK_OK) {
		err = gk_buf_copy(out, (struct gk_slice){ b->buf.ptr, b->len });
	}
	gsakmp_build_abandon(b);
	return err;
}

enum gk_err
gsakmp_build_close(struct gsakmp_build *b, struct gk_slice *out)
{
	enum gk_err err = finish(b, NULL);

	*out = (struct gk_slice){ 0 };
	if (err == GK_OK)
		*out = (struct gk_slice){ b->buf.ptr, b->len };
	gsakmp_build_abandon(b);
	return err;
}

void
gsakmp_build_abandon(struct gsakmp_build *b)
{
	if (!b->lent)
		gk_buf_free(&b->buf);
	*b = (struct gsakmp_build){ 0 };
}
