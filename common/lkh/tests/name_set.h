/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_LKH_TESTS_NAME_SET_H
#define COMMON_LKH_TESTS_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/test/gk_need.h"

/* DOC: which keys somebody knows, as numbers; 0 is none.  Without memory a test ends. */

/* An open-addressed set of names, with the octets' hash beside each. */
struct set {
	uint64_t *names;
	uint64_t *hashes;
	size_t count, cap;
};

static size_t
set_slot(const struct set *set, uint64_t name)
{
	size_t i = (size_t)(name * 0x9e3779b97f4a7c15u >> 20) & (set->cap - 1);

	while (set->names[i] != 0 && set->names[i] != name)
		i = (i + 1) & (set->cap - 1);
	return i;
}

static bool
set_has(const struct set *set, uint64_t name)
{
	return set->cap != 0 && set->names[set_slot(set, name)] == name;
}

/* False when the name is there with other octets. */
static bool
set_add(struct set *set, uint64_t name, uint64_t hash)
{
	size_t i;

	if (set->count * 2 >= set->cap) {
		struct set old = *set;

		set->cap = old.cap == 0 ? 32 : old.cap * 2;
		set->names = gk_need_memory(calloc(set->cap, sizeof(uint64_t)));
		set->hashes =
			gk_need_memory(calloc(set->cap, sizeof(uint64_t)));
		for (size_t k = 0; k < old.cap; k++) {
			if (old.names[k] == 0)
				continue;
			i = set_slot(set, old.names[k]);
			set->names[i] = old.names[k];
			set->hashes[i] = old.hashes[k];
		}
		free(old.names);
		free(old.hashes);
	}
	i = set_slot(set, name);
	if (set->names[i] == name)
		return set->hashes[i] == hash;
	set->names[i] = name;
	set->hashes[i] = hash;
	set->count++;
	return true;
}

static void
set_free(struct set *set)
{
	free(set->names);
	free(set->hashes);
	*set = (struct set){ 0 };
}

#endif /* COMMON_LKH_TESTS_NAME_SET_H */
