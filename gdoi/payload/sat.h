/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_SAT_H
#define GDOI_PAYLOAD_SAT_H

#include "gdoi/payload/endpoint.h"

/*
 * DOC: SA TEK Payload (SAT) - RFC 6407 section 5.5, RFC 8052 section 2.2
 *
 *    +---------------+-----------------------------------------------+
 *    |  Protocol-ID  |       TEK Protocol-Specific Payload           ~
 *    +---------------+-----------------------------------------------+
 *
 * For ESP and AH, behind SRC and DST (endpoint.h):
 *
 *    +---------------+-----------------------------------------------+
 *    |  Transform ID |                    SPI (4)                    |
 *    +---------------+-----------------------------------------------+
 *    ~                    RFC 2407 SA Attributes                     ~
 *    +---------------------------------------------------------------+
 *
 * For IEC 61850:
 *
 *    +---------------+-----------------------------------------------+
 *    |  OID Length   |                       OID                     ~
 *    +---------------+---------------+-------------------------------+
 *    |  OID-Specific Payload Length  |     OID-Specific Payload      ~
 *    +-------------------------------+-------------------------------+
 *    |                              SPI                              |
 *    +-------------------------------+-------------------------------+
 *    |           Auth Alg            |            Enc Alg            |
 *    +-------------------------------+-------------------------------+
 *    |                    Remaining Lifetime Value                   |
 *    +---------------------------------------------------------------+
 *    ~                      SA Data Attributes                       ~
 *    +---------------------------------------------------------------+
 */
#define GDOI_TEK_SPI_LEN 4

/* Attributes of RFC 2407 section 4.5; 0 for one that is absent. */
struct gdoi_sat_ipsec {
	struct gdoi_endpoints ep; /* traffic selectors */
	uint8_t transform;        /* of the ESP or AH registry */
	uint32_t life_s;          /* SA Life Type 1 */
	uint32_t life_kb;         /* SA Life Type 2 */
	uint16_t encapsulation;   /* 1 tunnel, 2 transport */
	uint16_t authentication;
	uint16_t key_length; /* bits */
	uint16_t key_rounds;
	uint16_t ecn_tunnel;
	uint16_t extended_sequence;
	uint16_t authentication_length;
	uint16_t signature_encoding;
	uint16_t address_preservation; /* 0: Source-and-Destination */
	uint16_t direction;            /* 0: Symmetric */
};

struct gdoi_sat_iec {
	struct gk_slice oid;     /* as it stands: switch oid_encoding */
	struct gk_slice payload; /* OID-Specific Payload */
	uint16_t auth;           /* GDOI_IEC_AUTH_*, whatever iec_alg_numbers */
	uint16_t enc;            /* GDOI_IEC_ENC_* */
	uint32_t lifetime;       /* seconds that remain; 0: no end */
	bool has_atd, has_kda;
	uint32_t atd; /* SA_ATD, seconds */
	uint16_t kda; /* SA_KDA, percent */
};

struct gdoi_sat {
	uint8_t protocol; /* GDOI_PROTOCOL_* */
	uint8_t spi[GDOI_TEK_SPI_LEN];
	union {
		struct gdoi_sat_ipsec ipsec; /* ESP and AH */
		struct gdoi_sat_iec iec;     /* IEC 61850 */
	};
	size_t at; /* of Protocol-ID, in the message */
};

#define GDOI_PRESERVE_BOTH 4
#define GDOI_DIRECTION_SYMMETRIC 3

/**
 * gdoi_sat_read - decode and check the body of a SAT.
 *
 * Whether transform and key lengths suit each other is the engine's to say.
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_sat_read(struct gk_rd *rd,
                                        const struct gdoi_dialect *dialect,
                                        struct gdoi_sat *sat,
                                        struct isakmp_reject *why);
void gdoi_sat_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                     const struct gdoi_sat *sat);

/* In sat_ipsec.c and sat_iec.c. */
GK_MUST_CHECK enum gk_err gdoi_sat_ipsec_read(
	struct gk_rd *rd, const struct gdoi_dialect *dialect,
	struct gdoi_sat *sat, struct isakmp_reject *why);
void gdoi_sat_ipsec_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                           const struct gdoi_sat *sat);
GK_MUST_CHECK enum gk_err gdoi_sat_iec_read(struct gk_rd *rd,
                                            const struct gdoi_dialect *dialect,
                                            struct gdoi_sat *sat,
                                            struct isakmp_reject *why);
void gdoi_sat_iec_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                         const struct gdoi_sat *sat);

#endif /* GDOI_PAYLOAD_SAT_H */
