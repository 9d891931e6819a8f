/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/secret.h"

#include <stdio.h>

#define FIELD 600 /* an ID payload of at most 299 octets, any key */
#define LINE (3 * FIELD + 100)

/* Hexadecimal, or "-" for nothing. */
static const char *
field(char out[FIELD], struct gk_slice s)
{
	if (s.len == 0 || 2 * s.len >= FIELD)
		return "-";
	return gk_hex(out, FIELD, s);
}

static void
say(const struct gk_env *env, char line[LINE])
{
	env->secret(env->ctx, line);
	gk_wipe(line, LINE);
}

void
gdoi_secret_kek(const struct gk_env *env, const struct gdoi_sak *sak,
                struct gk_slice iv, struct gk_slice key)
{
	char spi[FIELD], a[FIELD], b[FIELD], line[LINE];

	if (env->secret == NULL)
		return;
	snprintf(line, sizeof(line), "GDOI_KEK %s %u %s %s",
	         field(spi, (struct gk_slice){ sak->spi, GDOI_KEK_SPI_LEN }),
	         sak->algorithm, field(a, iv), field(b, key));
	say(env, line);
	gk_wipe(b, sizeof(b));
}

void
gdoi_secret_tek(const struct gk_env *env, struct gk_slice group_id,
                const struct gdoi_sat *sat, const struct gdoi_kd_packet *packet)
{
	char group[FIELD], spi[FIELD], a[FIELD], b[FIELD], line[LINE];

	if (env->secret == NULL)
		return;
	snprintf(line, sizeof(line), "GDOI_TEK %s %u %s %s %s",
	         field(group, group_id), sat->protocol,
	         field(spi, (struct gk_slice){ sat->spi, GDOI_TEK_SPI_LEN }),
	         field(a, packet->algorithm_key),
	         field(b, packet->integrity_key));
	say(env, line);
	gk_wipe(a, sizeof(a));
	gk_wipe(b, sizeof(b));
}

void
gdoi_secret_lkh(const struct gk_env *env, const uint8_t spi[GDOI_KEK_SPI_LEN],
                uint16_t id, uint32_t handle, struct gk_slice key)
{
	char name[FIELD], octets[FIELD], line[LINE];

	if (env->secret == NULL)
		return;
	snprintf(line, sizeof(line), "GDOI_LKH %s %u %u %s",
	         field(name, (struct gk_slice){ spi, GDOI_KEK_SPI_LEN }), id,
	         handle, field(octets, key));
	say(env, line);
	gk_wipe(octets, sizeof(octets));
}
