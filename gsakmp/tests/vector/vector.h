/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_VECTOR_H
#define GSAKMP_TESTS_VECTOR_H

#include "common/test/vec/vec.h"
#include "gsakmp/message/dialect.h"
#include "gsakmp/payload/groupid.h"
#include "policy-tokens/token/gpt_dialect.h"

/* The vectors of GSAKMP and of policy tokens (interop/vectors/README.md), read
 * by C. */
struct gsakmp_readings {
	struct gsakmp_dialect dialect;
	struct gpt_dialect token;
	bool token_switched; /* some switch of RFC 4534 is not at its default */
};

static inline struct gsakmp_readings *
readings(const struct vec *v)
{
	return v->readings;
}

extern const struct vec_kind vec_crypto_kinds[];
extern const struct vec_kind vec_sealed_kinds[];
extern const struct vec_kind vec_payload_kinds[];
extern const struct vec_kind vec_message_kinds[];
extern const struct vec_kind vec_token_kinds[];
extern const struct vec_kind vec_lkh_kinds[];
extern const struct vec_kind vec_transcript_kinds[];

#endif /* GSAKMP_TESTS_VECTOR_H */
