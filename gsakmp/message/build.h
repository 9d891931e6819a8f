/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_MESSAGE_BUILD_H
#define GSAKMP_MESSAGE_BUILD_H

#include "gsakmp/message/signing.h"

/*
 * DOC: sending a message
 *
 *     gsakmp_build_begin(&b, dialect, exchange, groupid, 0);
 *     gsakmp_build_key_creation(&b, ...);
 *     gsakmp_build_nonce(&b, ...);
 *     GK_TRY(gsakmp_build_finish(&b, &sign, &dgram));
 *
 * Payloads appear in the order of the calls; the chain, all lengths and the
 * signature are made here.  Errors are sticky: one verdict at the end.  A
 * message that its own dissection would refuse is not sent: GK_ERR_UNEXPECTED.
 */
struct gsakmp_build {
	const struct gsakmp_dialect *dialect;
	struct gk_buf buf; /* grows; owned, unless lent */
	bool lent;
	size_t len;
	enum gk_err err;
	uint8_t exchange;
	size_t header; /* octets of the header */
	size_t next;   /* where the next Next Payload value goes */
	size_t n_seen;
	struct gsakmp_seen seen[GSAKMP_PAYLOADS_MAX];
};

/* How to sign, and what goes behind the signature. */
struct gsakmp_sign {
	const struct gk_signer *signer;
	uint16_t type;   /* Signature Type, Table 21 */
	uint8_t id_type; /* Table 19 */
	struct gk_slice signer_id;
	int64_t utc; /* Signature Timestamp: seconds since 1970 */
	/* Certificate payloads, after the Signature payload as in the
	 * dissections, and their types of Table 20; NULL: all of them
	 * X.509v3 signature. */
	const struct gk_slice *certs;
	const uint16_t *cert_types;
	size_t n_certs;
};

/* @sequence: zero but for a Rekey Event, whose first one is 1 (7.1.1). */
void gsakmp_build_begin(struct gsakmp_build *b,
                        const struct gsakmp_dialect *dialect,
                        enum gsakmp_exchange_type exchange,
                        struct gsakmp_groupid groupid, uint32_t sequence);

/* gsakmp_build_begin_in - the same in memory of the caller's: what does not fit
 * is GK_ERR_SPACE.  To be ended by gsakmp_build_close() or _abandon(). */
void gsakmp_build_begin_in(struct gsakmp_build *b, struct gk_buf memory,
                           const struct gsakmp_dialect *dialect,
                           enum gsakmp_exchange_type exchange,
                           struct gsakmp_groupid groupid, uint32_t sequence);
/* gsakmp_build_close - as gsakmp_build_finish() of an exchange that is not signed:
 * the message, in that memory. */
GK_MUST_CHECK enum gk_err gsakmp_build_close(struct gsakmp_build *b,
                                             struct gk_slice *out);

/* gsakmp_build_expect - how long the message is going to be, to allocate once;
 * need not be right. */
void gsakmp_build_expect(struct gsakmp_build *b, size_t octets);

void gsakmp_build_key_creation(struct gsakmp_build *b, uint16_t type,
                               struct gk_slice public_value);
void gsakmp_build_nonce(struct gsakmp_build *b, enum gsakmp_nonce_type type,
                        struct gk_slice data);
void gsakmp_build_identification(struct gsakmp_build *b, uint8_t classification,
                                 uint8_t id_type, struct gk_slice data);
void gsakmp_build_notification(struct gsakmp_build *b, uint16_t type,
                               struct gk_slice data);
/* The simple acknowledgement, with the data that the dialect wants. */
void gsakmp_build_ack(struct gsakmp_build *b);
void gsakmp_build_mechanisms(struct gsakmp_build *b,
                             const struct gsakmp_mechanisms *mechanisms);
void gsakmp_build_vendor_id(struct gsakmp_build *b, struct gk_slice value);
void gsakmp_build_certificate(struct gsakmp_build *b, uint16_t type,
                              struct gk_slice data);
void gsakmp_build_policy_token(struct gsakmp_build *b, uint16_t type,
                               struct gk_slice sealed);
void gsakmp_build_key_download(struct gsakmp_build *b, struct gk_slice sealed);
/* @event's Group ID Value, data and counts as gsakmp_rekey_event_encode(). */
void gsakmp_build_rekey_event(struct gsakmp_build *b,
                              const struct gsakmp_rekey_event *event);
/* A payload body of any type, as it is: for tests and for lab peers. */
void gsakmp_build_raw(struct gsakmp_build *b, uint8_t type,
                      struct gk_slice body);

/**
 * gsakmp_build_finish - sign if the dissection says so, and fix all lengths.
 * @sign: how; NULL for the unsigned exchanges (and only for these)
 * @out:  new buffer with the message; @b is empty afterwards, also on error
 *
 * The signature covers lengths that depend on its own size, and a DER signature
 * varies in size: the most likely size is written first, and the message signed
 * again until the signature has it (twice on average; decision sig_len_fields).
 *
 * Return: GK_OK; the first error of any call since begin; GK_ERR_UNEXPECTED
 * when the payloads are not those of the exchange; GK_ERR_VALUE when signer and
 * Signature Type do not belong together; GK_ERR_SPACE when a payload or the
 * message is too long.
 */
GK_MUST_CHECK enum gk_err gsakmp_build_finish(struct gsakmp_build *b,
                                              const struct gsakmp_sign *sign,
                                              struct gk_buf *out);

/* gsakmp_build_abandon - free what was built, without finishing. */
void gsakmp_build_abandon(struct gsakmp_build *b);

#endif /* GSAKMP_MESSAGE_BUILD_H */
