/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_MESSAGE_MESSAGE_H
#define GSAKMP_MESSAGE_MESSAGE_H

#include "gsakmp/message/rules.h"
#include "gsakmp/payload/certificate.h"
#include "gsakmp/payload/generic.h"
#include "gsakmp/payload/header.h"
#include "gsakmp/payload/identification.h"
#include "gsakmp/payload/key_creation.h"
#include "gsakmp/payload/key_download.h"
#include "gsakmp/payload/nonce.h"
#include "gsakmp/payload/notification.h"
#include "gsakmp/payload/policy_token.h"
#include "gsakmp/payload/rekey_event.h"
#include "gsakmp/payload/signature.h"
#include "gsakmp/payload/vendor_id.h"

/*
 * DOC: receiving a message
 *
 * gsakmp_message_parse() turns a datagram into a struct gsakmp_message:
 *
 *     header          the checks of section 7.1.2, in their order
 *     chain           generic headers (7.2.2), lengths, the end at the end
 *     Vendor IDs      first, because they widen what follows (7.10.2)
 *     payloads        _decode, then _check, in the order of the message
 *     dissection      the exchange's table of section 5
 *
 * and stops at the first thing that is wrong.  It keeps no state and allocates
 * nothing: every slice of the result points into the datagram.  What it cannot
 * see - who signed, what is encrypted, whether the exchange is expected - is
 * left to gsakmp_message_verify(), gsakmp/message/protect.h and the engine.
 */
#define GSAKMP_PAYLOADS_MAX 96      /* payloads of one message */
#define GSAKMP_CERTIFICATES_MAX 16  /* Certificate payloads of one message */
#define GSAKMP_VENDOR_IDS_MAX 8     /* Vendor IDs kept; more may be there */
#define GSAKMP_NOTIFICATIONS_MAX 4  /* Notification payloads of one message */
#define GSAKMP_REKEY_EVENTS_MAX 32  /* Rekey Event payloads of one message */
#define GSAKMP_MESSAGE_MAX 1048576u /* octets of the longest message */

/* Set bits of gsakmp_message.present: one per payload type of Table 12. */
#define GSAKMP_BIT(name) (1u << GSAKMP_PAYLOAD_##name)

struct gsakmp_message {
	struct gk_slice octets; /* this message; the inner one if embedded */
	struct gsakmp_header header;
	struct gsakmp_vocabulary vocabulary; /* widened by its Vendor IDs */
	bool embedded;         /* it came inside a message of a later version */
	uint8_t outer_version; /* of that message */

	uint32_t present; /* GSAKMP_BIT() of every payload type that is there */
	size_t n_seen;
	struct gsakmp_seen seen[GSAKMP_PAYLOADS_MAX]; /* in wire order */

	struct gsakmp_key_creation key_creation;
	struct gsakmp_identification identification;
	struct gsakmp_policy_token policy_token; /* data still sealed */
	struct gk_slice key_download;            /* body, still sealed */
	struct gsakmp_signature signature;
	size_t signature_at; /* of its generic header, in the datagram */
	/* nonce[GSAKMP_NONCE_RESPONDER] and so on; present if data.len != 0 */
	struct gsakmp_nonce nonce[4];
	size_t n_notifications;
	struct gsakmp_notification notification[GSAKMP_NOTIFICATIONS_MAX];
	size_t n_rekey_events;
	struct gsakmp_rekey_event rekey_event[GSAKMP_REKEY_EVENTS_MAX];
	size_t n_certificates;
	struct gsakmp_certificate certificate[GSAKMP_CERTIFICATES_MAX];
	size_t n_vendor_ids;
	struct gsakmp_vendor_id vendor_id[GSAKMP_VENDOR_IDS_MAX];
};

/* What the receiver brings along. */
struct gsakmp_parse {
	const struct gsakmp_dialect *dialect;
	/* Vocabulary without any Vendor ID; normally zeroed. */
	struct gsakmp_vocabulary vocabulary;
	/* Section 7.1.2 item 2; NULL when the caller checks GroupIDs itself. */
	bool (*groupid_known)(void *ctx, struct gsakmp_groupid groupid);
	/* Item 5: is this exchange waited for?  NULL when all of them are. */
	bool (*exchange_expected)(void *ctx, uint8_t exchange);
	void *ctx;
	/* Section 7.1.2: look for a version 1 message inside a later one. */
	bool accept_embedded;
	/* Key Type of the LKH keys, for dialect pkt_len `plain`; else 0. */
	uint16_t rekey_key_type;
};

/**
 * gsakmp_message_parse - decode and check one whole message.
 * @msg: filled in as far as the parser came, also when it refuses: a header that
 *       was decoded has @msg->header.size != 0, and @msg->nonce has what nonces
 *       could be found, so that an error message can name both
 * @why: notification, requirement, field and offset in @dgram
 *
 * Return: GK_OK; the kind of the first fault.
 */
GK_MUST_CHECK enum gk_err gsakmp_message_parse(const struct gsakmp_parse *parse,
                                               const uint8_t *dgram, size_t len,
                                               struct gsakmp_message *msg,
                                               struct gsakmp_reject *why);

/* gsakmp_message_nonce - by Table 27 type; NULL when it is not there. */
const struct gsakmp_nonce *gsakmp_message_nonce(
	const struct gsakmp_message *msg, enum gsakmp_nonce_type type);
/* gsakmp_message_notification - by Table 22 type; NULL when it is not there. */
const struct gsakmp_notification *gsakmp_message_notification(
	const struct gsakmp_message *msg, enum gsakmp_notify type);
/* gsakmp_message_has - a payload type of Table 12. */
bool gsakmp_message_has(const struct gsakmp_message *msg,
                        enum gsakmp_payload_type type);

/**
 * gsakmp_message_length - where the first message of a stream ends.
 * @octets: what has been received so far, from the start of a message
 * @max:    longest message that is acceptable, at most GSAKMP_MESSAGE_MAX
 * @need:   octets that the message has, or if @len is too small to know, that
 *          have to be there before asking again; always more than @len then
 *
 * TCP has no record layer of its own: Length in the header (section 7.1.1)
 * delimits messages.  A message is complete when *@need <= @len.
 *
 * Return: GK_OK; GK_ERR_VALUE when Length is shorter than the header or longer
 * than @max, or GroupID Length is zero: the connection cannot go on.
 */
GK_MUST_CHECK enum gk_err gsakmp_message_length(const uint8_t *octets,
                                                size_t len, size_t max,
                                                size_t *need);

#endif /* GSAKMP_MESSAGE_MESSAGE_H */
