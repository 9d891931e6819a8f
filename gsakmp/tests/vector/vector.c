/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/vector/vector.h"

#include <string.h>

static const struct vec_kind *const kinds[] = {
	vec_crypto_kinds,     vec_sealed_kinds,
	vec_payload_kinds,    vec_message_kinds,
	vec_token_kinds,      vec_lkh_kinds,
	vec_transcript_kinds, NULL,
};

static enum gk_err
reading(struct vec *v, const char *name, const char *value)
{
	struct gsakmp_readings *r = readings(v);

	GK_TRY(gsakmp_dialect_set(&r->dialect, name, value));
	if (strncmp(name, "token_", 6) != 0)
		return GK_OK;
	r->token_switched = true;
	return gpt_dialect_set(&r->token, name, value);
}

const struct vec_protocol vec_protocol = {
	.name = "vectors",
	.files = "interop/vectors/*.json",
	.kinds = kinds,
	.readings_size = sizeof(struct gsakmp_readings),
	.reading = reading,
	.switches = gsakmp_dialect_switches,
};
