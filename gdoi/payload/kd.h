/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_KD_H
#define GDOI_PAYLOAD_KD_H

#include "gdoi/isakmp/attribute.h"
#include "gdoi/message/dialect.h"
#include "gdoi/payload/lkh.h"

/*
 * DOC: Key Download Payload (KD) - RFC 6407 section 5.6
 *
 *    +-------------------------------+-------------------------------+
 *    | Number of Key Packets         |            RESERVED2          |
 *    +-------------------------------+-------------------------------+
 *    ~                    Key Packets                                ~
 *    +---------------------------------------------------------------+
 *
 *    +---------------+---------------+-------------------------------+
 *    |   KD Type     |   RESERVED    |            KD Length          |
 *    +---------------+---------------+-------------------------------+
 *    |    SPI Size   |                   SPI (variable)              ~
 *    +---------------+-----------------------------------------------+
 *    ~                    Key Packet Attributes                      ~
 *    +---------------------------------------------------------------+
 *
 * Everything in here is secret: callers wipe struct gdoi_kd's plaintext, into
 * which the slices point.
 */
#define GDOI_KD_PACKETS_MAX 130 /* a TEK for every SAT, KEK or LKH, SID */
#define GDOI_KD_UPDATES_MAX 512 /* LKH_UPDATE_ARRAY attributes of one packet */
#define GDOI_KD_SIDS_MAX 256    /* SID_VALUE attributes of one packet */
#define GDOI_KD_SPI_MAX 16

struct gdoi_kd_packet {
	uint8_t type; /* GDOI_KD_* */
	struct gk_slice spi;

	/* TEK: encryption, integrity and source authentication key; KEK: IV and
	 * key.  Empty when absent. */
	struct gk_slice algorithm_key;
	struct gk_slice integrity_key;
	struct gk_slice source_auth_key;
	struct gk_slice sig_key; /* KEK and LKH: SIG_ALGORITHM_KEY */
	size_t at;               /* of KD Type */
};

struct gdoi_kd {
	uint16_t n_packets;
	struct gdoi_kd_packet packet[GDOI_KD_PACKETS_MAX];

	/* of the LKH packet: values for gdoi_lkh_read() */
	struct gk_slice download; /* empty: there is none */
	uint16_t n_updates;
	struct gk_slice update[GDOI_KD_UPDATES_MAX];

	/* of the SID packet */
	uint16_t sid_bits; /* 0: there is none */
	uint16_t n_sids;
	uint32_t sid[GDOI_KD_SIDS_MAX];
	size_t at; /* of Number of Key Packets */
};

/**
 * gdoi_kd_read - decode and check the body of a KD.
 * @push: it came in a GROUPKEY-PUSH, which brings neither SIDs nor a download
 *        array (RFC6407-5.6.4-03, -5.6.3.1-01)
 *
 * That packets fit the SA payload is the engine's to check.
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_kd_read(struct gk_rd *rd,
                                       const struct gdoi_dialect *dialect,
                                       bool push, struct gdoi_kd *kd,
                                       struct isakmp_reject *why);
/* gdoi_kd_read_alone - of a GROUPKEY-PUSH that comes to this member alone: it may
 * bring a download array, but no SIDs either (RFC6407-5.6.4.4-02). */
GK_MUST_CHECK enum gk_err gdoi_kd_read_alone(struct gk_rd *rd,
                                             const struct gdoi_dialect *dialect,
                                             struct gdoi_kd *kd,
                                             struct isakmp_reject *why);
/* gdoi_kd_begin - there is nothing in it yet.  The arrays are not cleared: what is
 * counted has been written, and clearing all the others takes longer than that. */
void gdoi_kd_begin(struct gdoi_kd *kd);
void gdoi_kd_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                    const struct gdoi_kd *kd);

/* gdoi_kd_packet - the packet of that type and SPI; NULL when there is none. */
const struct gdoi_kd_packet *gdoi_kd_find(const struct gdoi_kd *kd,
                                          uint8_t type, struct gk_slice spi);

#endif /* GDOI_PAYLOAD_KD_H */
