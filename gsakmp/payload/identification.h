/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_IDENTIFICATION_H
#define GSAKMP_PAYLOAD_IDENTIFICATION_H

#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"

/*
 * DOC: Identification Payload - RFC 4535 section 7.6
 *
 *    +---------------+---------------+-------------------------------+
 *    | ID Classif    |  ID Type      | Identification Data           ~
 *    +---------------+---------------+-------------------------------+
 *
 * Signer ID Data of the Signature payload has the same types (Table 19) and is
 * checked by the same gsakmp_id_data_check().
 *
 * ID_U_NAME (7.6.1.1): Serial Number (20), Length (4), DN Data in UTF-8 with
 * slashes between the parts.
 */
#define GSAKMP_U_NAME_SERIAL_LEN 20

struct gsakmp_identification {
	uint8_t classification; /* Table 18 */
	uint8_t id_type;        /* Table 19 */
	struct gk_slice data;
	size_t at; /* of the body, in the datagram */
};

struct gsakmp_u_name {
	struct gk_slice serial; /* GSAKMP_U_NAME_SERIAL_LEN octets, unsigned */
	struct gk_slice dn;     /* UTF-8, e.g. "/C=US/O=ACME/CN=user1" */
};

GK_MUST_CHECK enum gk_err gsakmp_identification_decode(
	struct gk_rd *rd, struct gsakmp_identification *id);
/* gsakmp_identification_check - section 7.6.2 items 2 to 4 and 7.6.2.1; that
 * the identity is the expected one is the engine's to judge. */
GK_MUST_CHECK enum gk_err gsakmp_identification_check(
	const struct gsakmp_identification *id,
	const struct gsakmp_vocabulary *voc, struct gsakmp_reject *why);
void gsakmp_identification_encode(struct gk_wr *wr,
                                  const struct gsakmp_identification *id);

/**
 * gsakmp_id_data_check - do the octets have the form that the type demands?
 * @at: where @data starts, for @why
 *
 * Return: GK_OK; GK_ERR_VALUE with *@why filled in (Payload-Malformed).
 */
GK_MUST_CHECK enum gk_err gsakmp_id_data_check(uint8_t id_type,
                                               struct gk_slice data, size_t at,
                                               struct gsakmp_reject *why);

GK_MUST_CHECK enum gk_err gsakmp_u_name_decode(struct gk_rd *rd,
                                               struct gsakmp_u_name *name);
void gsakmp_u_name_encode(struct gk_wr *wr, const struct gsakmp_u_name *name);

#endif /* GSAKMP_PAYLOAD_IDENTIFICATION_H */
