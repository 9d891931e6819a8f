/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_MESSAGE_PUSH_ACK_H
#define GDOI_MESSAGE_PUSH_ACK_H

#include "gdoi/isakmp/identification.h"
#include "gdoi/message/ack.h"
#include "gdoi/payload/seq.h"

/*
 * DOC: GROUPKEY-PUSH-ACK - RFC 8263 section 3
 *
 *     member                         key server
 *     HDR, HASH, SEQ, ID     -->
 *
 * In clear.  The cookies of HDR are the SPI of the KEK that protected the PUSH;
 * keys are ack.h's.
 */
struct gdoi_push_ack {
	uint8_t spi[GDOI_ACK_SPI_LEN];
	struct gdoi_seq seq;
	struct isakmp_identification id; /* of the member */
	struct gk_slice hash;
	struct gk_slice seq_payload, id_payload; /* with generic headers */
};

/* gdoi_push_ack_is - does the header, as far as it is there, say that this is
 * one?  For whoever hands datagrams out; no check. */
bool gdoi_push_ack_is(struct gk_slice dgram);

/**
 * gdoi_push_ack_read - decode and check the form.
 * @ack: its slices point into @dgram
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_push_ack_read(struct gk_slice dgram,
                                             struct gdoi_push_ack *ack,
                                             struct isakmp_reject *why);
/* gdoi_push_ack_check - is HASH right under @ack_key, from gdoi_ack_key() of the
 * same @type? */
GK_MUST_CHECK enum gk_err gdoi_push_ack_check(
	const struct gdoi_dialect *dialect, uint16_t type,
	const uint8_t ack_key[GK_HASH_MAX], const struct gdoi_push_ack *ack,
	struct isakmp_reject *why);

/* gdoi_push_ack_build - the datagram, from @ack's spi, seq and id. */
GK_MUST_CHECK enum gk_err gdoi_push_ack_build(
	const struct gdoi_dialect *dialect, uint16_t type,
	const uint8_t ack_key[GK_HASH_MAX], const struct gdoi_push_ack *ack,
	struct gk_buf *out);

#endif /* GDOI_MESSAGE_PUSH_ACK_H */
