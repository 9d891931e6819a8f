/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_GOLDEN_H
#define GSAKMP_TESTS_GOLDEN_H

#include "common/base/gk_time.h"

/* Payload bodies that both the five tests and the value checks start from. */
/* clang-format off */
static const uint8_t u_name_golden[] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34,
	0x00, 0x00, 0x00, 0x06, '/', 'C', 'N', '=', 'm', '1',
};

static const uint8_t signature_golden[] = {
	0x00, 0x00,                                     /* Signature Type */
	0x1f,                                           /* Sig ID Type */
	'2', '0', '2', '4', '0', '2', '2', '9',         /* Timestamp ... */
	'1', '2', '0', '0', '0', '0', 'Z',              /* ... */
	0x00, 0x02, 'c', 'n',                           /* Signer ID */
	0x00, 0x04, 0xde, 0xad, 0xbe, 0xef,             /* Signature */
};

static const uint8_t rekey_golden[] = {
	0x01,                                           /* GSAKMP_LKH */
	0xaa, 0xbb, 0xcc, 0xdd, 0x12, 0x34, 0x56, 0x78, /* GroupID ... */
	'g',
	'2', '0', '2', '4', '0', '2', '2', '9',         /* Time/Date Stamp */
	'1', '2', '0', '0', '0', '0', 'Z',
	0x01, 0x01,                                     /* LKH, version 1 */
	0x00, 0x02,                                     /* two Datas */
	0x00, 0x03, 0, 0, 0, 2, 0xa, 0xb, 0xc, 0xd, 1, 2, 3,
	0x00, 0x02, 0, 0, 0, 12, 0xe, 0xf, 0, 1, 4, 5,
};
#define REKEY_STAMP 10
#define REKEY_INNER (REKEY_STAMP + GK_ZULU_LEN)
#define REKEY_COUNT (REKEY_INNER + 2)
#define REKEY_DATA (REKEY_COUNT + 2)
/* clang-format on */

#endif /* GSAKMP_TESTS_GOLDEN_H */
