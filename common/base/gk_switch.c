/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_switch.h"

#include <string.h>

static const struct gk_switch *
find(const struct gk_switch *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

enum gk_err
gk_switch_set(const struct gk_switch *table, size_t n, void *choices,
              const char *name, const char *value)
{
	const struct gk_switch *s = find(table, n, name);

	if (s == NULL)
		return GK_ERR_UNEXPECTED;
	for (size_t i = 0; i < s->n_values; i++) {
		if (strcmp(s->values[i].name, value) != 0)
			continue;
		((uint8_t *)choices)[s->offset] = (uint8_t)i;
		return GK_OK;
	}
	return GK_ERR_VALUE;
}

const char *
gk_switch_get(const struct gk_switch *table, size_t n, const void *choices,
              const char *name)
{
	const struct gk_switch *s = find(table, n, name);

	if (s == NULL)
		return NULL;
	return s->values[((const uint8_t *)choices)[s->offset]].name;
}
