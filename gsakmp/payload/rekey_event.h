/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_REKEY_EVENT_H
#define GSAKMP_PAYLOAD_REKEY_EVENT_H

#include "common/base/gk_time.h"
#include "common/wire/gk_wr.h"
#include "gsakmp/payload/groupid.h"
#include "gsakmp/payload/key_download.h"

/*
 * DOC: Rekey Event Payload - RFC 4535 section 7.5
 *
 *    +---------------+-----------------------------------------------+
 *    | RekeyEvnt Type| Rekey Event Header                            ~
 *    +---------------+-----------------------------------------------+
 *    ~ Rekey Event Data(s)                                           ~
 *    +---------------------------------------------------------------+
 *
 * Rekey Event Header (7.5.1.1): Group ID Value (as long as in the GSAKMP
 * header, or with type and length of its own: dialect reh_groupid), Time/Date
 * Stamp (15), Rekey Event Type (1), Algorithm Version (1), # of Rekey Event
 * Data(s) (2).
 *
 * Rekey Event Data (7.5.1.2): Packet Length (2), Wrapping KeyID (4), Wrapping
 * Key Handle (4), and then ciphertext: # of Key Packages (2), Key Packages.
 *
 * A payload may hold thousands of Rekey Event Datas, so they are not decoded
 * into an array: gsakmp_rekey_event_check() walks them all once, and
 * gsakmp_rekey_data_next() walks them again, which then cannot fail.
 */
struct gsakmp_rekey_event {
	uint8_t type; /* Table 17 */
	struct gk_slice
		groupid; /* Group ID Value; type, length, value if tlv */
	uint8_t stamp[GK_ZULU_LEN]; /* when the data was generated */
	uint8_t inner_type;         /* Table 17, once more */
	uint8_t version;            /* Algorithm Version */
	uint16_t count;             /* # of Rekey Event Data(s) */
	struct gk_slice data;       /* the Rekey Event Datas */
	uint16_t n_data;            /* of them in this payload; see _check */
	size_t at;                  /* of the body, in the datagram */
	size_t data_at;             /* of @data, in the datagram */
};

struct gsakmp_rekey_data {
	uint16_t length;        /* Packet Length */
	uint32_t key_id;        /* Wrapping KeyID */
	uint32_t handle;        /* Wrapping Key Handle */
	long count;             /* # of Key Packages, if it is in clear (dialect
	                    red_scope `packages`); otherwise
	                    GSAKMP_COUNT_INSIDE */
	struct gk_slice clear;  /* Wrapping KeyID and Handle as transmitted */
	struct gk_slice sealed; /* the ciphertext */
	size_t at;              /* of Packet Length, in the datagram */
};

/* What it takes to walk Rekey Event Datas. */
struct gsakmp_rekey_shape {
	const struct gsakmp_dialect *dialect;
	uint16_t key_type; /* of the wrapping keys; needed only where dialect
	                      pkt_len counts plaintext */
};

/* gsakmp_rekey_event_decode - syntax of the event header; the Datas are left
 * as one slice.  @groupid_len: of the GSAKMP header's GroupID. */
GK_MUST_CHECK enum gk_err gsakmp_rekey_event_decode(
	struct gk_rd *rd, const struct gsakmp_dialect *dialect,
	size_t groupid_len, struct gsakmp_rekey_event *event);

/**
 * gsakmp_rekey_event_check - section 7.5.2 items 2 to 6 in their order, then
 * the lengths and counters of all Rekey Event Datas; sets @event->n_data.
 * @groupid: of the GSAKMP header
 *
 * Whether the time stamp is recent (item 4) is the engine's to judge; here it
 * has to be a date.  Nothing of this is ever answered (the notify of @why is
 * for the log).
 */
GK_MUST_CHECK enum gk_err gsakmp_rekey_event_check(
	struct gsakmp_rekey_event *event,
	const struct gsakmp_rekey_shape *shape, struct gsakmp_groupid groupid,
	const struct gsakmp_vocabulary *voc, struct gsakmp_reject *why);

void gsakmp_rekey_event_encode(struct gk_wr *wr,
                               const struct gsakmp_rekey_event *event);

/* Walking: start, then next until it returns false.  After a successful check
 * the end is reached without a fault. */
struct gk_rd gsakmp_rekey_data_start(const struct gsakmp_rekey_event *event);
bool gsakmp_rekey_data_next(struct gk_rd *rd,
                            const struct gsakmp_rekey_shape *shape,
                            struct gsakmp_rekey_data *data);

/**
 * gsakmp_rekey_data_encode - write one Rekey Event Data.
 * @plain_len: octets of the plaintext in @data->sealed, for the readings of
 *             Packet Length that count it
 *
 * Packet Length is computed; @data->length and @data->clear are ignored.
 */
void gsakmp_rekey_data_encode(struct gk_wr *wr,
                              const struct gsakmp_rekey_shape *shape,
                              const struct gsakmp_rekey_data *data,
                              size_t plain_len);

/* gsakmp_rekey_data_head - the same without the ciphertext itself, of which only
 * the length is looked at: the caller writes it behind. */
void gsakmp_rekey_data_head(struct gk_wr *wr,
                            const struct gsakmp_rekey_shape *shape,
                            const struct gsakmp_rekey_data *data,
                            size_t plain_len);

/* gsakmp_rekey_clear - Wrapping KeyID and Handle as they are transmitted: the
 * associated data of an AEAD cipher.  Writes at most 8 octets. */
struct gk_slice gsakmp_rekey_clear(const struct gsakmp_dialect *dialect,
                                   uint32_t key_id, uint32_t handle,
                                   uint8_t out[8]);

#endif /* GSAKMP_PAYLOAD_REKEY_EVENT_H */
