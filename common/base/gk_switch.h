/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_SWITCH_H
#define GK_SWITCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/gk_err.h"

/*
 * DOC: switches - choices with names, as a <dialect> in a configuration has them
 *
 * A protocol describes its choices in a table; each is one octet in a struct of
 * the protocol's, at @offset, and counts the values from the first, which is
 * the default.  A zeroed struct is therefore all defaults.
 */
struct gk_switch_value {
	const char *name;
	const char *meaning;
};

struct gk_switch {
	const char *name;
	const char *where; /* the section that leaves the choice */
	const struct gk_switch_value *values;
	size_t n_values;
	size_t offset;
};

/**
 * gk_switch_set - choose @value for the switch @name in @choices.
 *
 * Return: GK_OK; GK_ERR_UNEXPECTED when there is no such switch, GK_ERR_VALUE
 * when it has no such value.  On error nothing changes.
 */
GK_MUST_CHECK enum gk_err gk_switch_set(const struct gk_switch *table, size_t n,
                                        void *choices, const char *name,
                                        const char *value);
/* gk_switch_get - the name of the value in force; NULL: no such switch. */
const char *gk_switch_get(const struct gk_switch *table, size_t n,
                          const void *choices, const char *name);

#endif /* GK_SWITCH_H */
