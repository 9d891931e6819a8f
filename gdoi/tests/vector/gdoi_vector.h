/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_VECTOR_H
#define GDOI_TESTS_VECTOR_H

#include "common/test/vec/vec.h"
#include "gdoi/message/dialect.h"

/* The vectors of GDOI (interop/vectors/gdoi/README.md), read by C. */
struct gdoi_readings {
	struct gdoi_dialect dialect;
};

static inline struct gdoi_readings *
readings(const struct vec *v)
{
	return v->readings;
}

extern const struct vec_kind vec_choice_kinds[];
extern const struct vec_kind vec_crypto_kinds[];
extern const struct vec_kind vec_message_kinds[];
extern const struct vec_kind vec_payload_kinds[];
extern const struct vec_kind vec_session_kinds[];
extern const struct vec_kind vec_verdict_kinds[];

#endif /* GDOI_TESTS_VECTOR_H */
