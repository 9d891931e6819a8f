/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/vector/gdoi_vector.h"

static const struct vec_kind *const kinds[] = {
	vec_choice_kinds,
	vec_crypto_kinds,
	vec_message_kinds,
	vec_payload_kinds,
	vec_session_kinds,
	vec_verdict_kinds,
	NULL,
};

static enum gk_err
reading(struct vec *v, const char *name, const char *value)
{
	return gdoi_dialect_set(&readings(v)->dialect, name, value);
}

const struct vec_protocol vec_protocol = {
	.name = "gdoi_vectors",
	.files = "interop/vectors/gdoi/*.json",
	.kinds = kinds,
	.readings_size = sizeof(struct gdoi_readings),
	.reading = reading,
	.switches = gdoi_dialect_switches,
};
