/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_NOTIFICATION_H
#define GSAKMP_PAYLOAD_NOTIFICATION_H

#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"
#include "gsakmp/message/dialect.h"

/*
 * DOC: Notification Payload - RFC 4535 section 7.9
 *
 *    +-------------------------------+-------------------------------+
 *    | Notification Type             | Notification Data             ~
 *    +-------------------------------+-------------------------------+
 *
 * The types with data of a defined form:
 *
 *    Acknowledgement (7.9.1.1)      Ack Type (1), Acknowledgement Data
 *    Cookie, Cookie-Required (7.9.1.2)  the cookie, opaque to the member
 *    Mechanism Choices (7.9.1.3)    Mechanism Type (1), Data (2), repeated
 *    IPv4, IPv6 Value (7.9.1.4)     4 or 16 octets
 *    Expulsion (ours, for 4.4.7)    Reason (1), ID Type (1), Identification Data
 *
 * The data of all other types is not defined and not looked at.
 */
struct gsakmp_notification {
	uint16_t type; /* Table 22 */
	struct gk_slice data;
	size_t at; /* of the body, in the datagram */
};

/* Mechanism Choices: at most one choice per Mechanism Type of Table 24. */
struct gsakmp_mechanisms {
	bool has_key_creation, has_encryption, has_nonce_hash;
	uint16_t key_creation; /* Table 26 */
	uint16_t encryption;   /* Table 16 */
	uint16_t nonce_hash;   /* Table 25 */
};

/*
 * Expulsion: whom a subordinate GC/KS has left out, and why the primary needs to
 * know.  The identity is that of Table 19, as the member signs with it.
 */
enum gsakmp_expulsion_reason {
	GSAKMP_EXPULSION_GONE,  /* did not acknowledge: may come back */
	GSAKMP_EXPULSION_BARRED /* expelled or compromised: may not */
};

struct gsakmp_expulsion {
	uint8_t reason;
	uint8_t id_type;    /* Table 19 */
	struct gk_slice id; /* Identification Data; not empty */
};

GK_MUST_CHECK enum gk_err gsakmp_notification_decode(
	struct gk_rd *rd, struct gsakmp_notification *notification);

/* gsakmp_notification_check - section 7.9.2 items 2 and 3: the type, and for
 * the types with defined data that data and every type field in it. */
GK_MUST_CHECK enum gk_err gsakmp_notification_check(
	const struct gsakmp_notification *notification,
	const struct gsakmp_dialect *dialect,
	const struct gsakmp_vocabulary *voc, struct gsakmp_reject *why);

void gsakmp_notification_encode(struct gk_wr *wr,
                                const struct gsakmp_notification *notification);

/* gsakmp_ack_encode - Notification Data of a simple acknowledgement: one octet,
 * or none (dialect ack_data).  @out is static storage, never to be freed. */
struct gk_slice gsakmp_ack_data(const struct gsakmp_dialect *dialect);

/**
 * gsakmp_mechanisms_decode - read the data of a Mechanism Choices notification.
 * @at: where @data starts in the datagram
 *
 * Return: GK_OK; GK_ERR_TRUNCATED for a length that is no whole number of
 * choices, GK_ERR_VALUE for an unknown type or value or one chosen twice, with
 * *@why filled in.
 */
GK_MUST_CHECK enum gk_err gsakmp_mechanisms_decode(
	struct gk_slice data, size_t at, const struct gsakmp_dialect *dialect,
	const struct gsakmp_vocabulary *voc,
	struct gsakmp_mechanisms *mechanisms, struct gsakmp_reject *why);
/* gsakmp_expulsion_decode - read the data of an Expulsion; @at as above.
 * gsakmp_expulsion_encode - write it. */
GK_MUST_CHECK enum gk_err gsakmp_expulsion_decode(
	struct gk_slice data, size_t at, const struct gsakmp_vocabulary *voc,
	struct gsakmp_expulsion *expulsion, struct gsakmp_reject *why);
void gsakmp_expulsion_encode(struct gk_wr *wr,
                             const struct gsakmp_expulsion *expulsion);
/* gsakmp_mechanisms_encode - in the order of Table 24. */
void gsakmp_mechanisms_encode(struct gk_wr *wr,
                              const struct gsakmp_dialect *dialect,
                              const struct gsakmp_mechanisms *mechanisms);

#endif /* GSAKMP_PAYLOAD_NOTIFICATION_H */
