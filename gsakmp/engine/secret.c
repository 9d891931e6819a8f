/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/secret.h"

#include <stdio.h>
#include <string.h>

/* Room for a group id, two nonces and a secret of 4096 bits. */
#define LINE_MAX_OCTETS 4000
#define FIELD_MAX_OCTETS 1100

/* Hexadecimal, or "-" for nothing. */
static const char *
field(char out[FIELD_MAX_OCTETS], struct gk_slice s)
{
	if (s.len == 0 || 2 * s.len >= FIELD_MAX_OCTETS)
		return "-";
	return gk_hex(out, FIELD_MAX_OCTETS, s);
}

static void
say(const struct gk_env *env, char *line)
{
	env->secret(env->ctx, line);
	gk_wipe(line, LINE_MAX_OCTETS);
}

void
gsakmp_secret_kek(const struct gk_env *env, const struct gsakmp_kek_input *in,
                  const struct gsakmp_kek *kek)
{
	char group[FIELD_MAX_OCTETS], i[FIELD_MAX_OCTETS];
	char r[FIELD_MAX_OCTETS], secret[FIELD_MAX_OCTETS];
	char line[LINE_MAX_OCTETS];

	if (env->secret == NULL)
		return;
	field(group, in->groupid.value);
	snprintf(line, sizeof(line), "GSAKMP_DH_SECRET %s %s %s %u %s", group,
	         field(i, in->nonce_i), field(r, in->nonce_r), in->key_creation,
	         field(secret, in->secret));
	say(env, line);
	snprintf(line, sizeof(line), "GSAKMP_KEK %s %s %s %u %s", group,
	         field(i, in->nonce_i), field(r, in->nonce_r), kek->type,
	         field(secret, (struct gk_slice){ kek->key, kek->len }));
	say(env, line);
	gk_wipe(secret, sizeof(secret));
}

void
gsakmp_secret_keys(const struct gk_env *env, struct gk_slice group_id,
                   const struct gsakmp_keys *keys)
{
	char group[FIELD_MAX_OCTETS], octets[FIELD_MAX_OCTETS];
	char line[LINE_MAX_OCTETS];

	if (env->secret == NULL)
		return;
	for (uint16_t i = 0; i < keys->n_datums; i++) {
		const struct gsakmp_key_datum *d = &keys->datum[i];

		snprintf(line, sizeof(line),
		         "GSAKMP_KEY %s %08x %08x %u %.*s %.*s %s",
		         field(group, group_id), d->id, d->handle, d->type,
		         GK_ZULU_LEN, (const char *)d->created, GK_ZULU_LEN,
		         (const char *)d->expires, field(octets, d->key));
		say(env, line);
	}
	gk_wipe(octets, sizeof(octets));
}
