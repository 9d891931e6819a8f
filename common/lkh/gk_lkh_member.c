/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/lkh/gk_lkh_member.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_base.h"

enum gk_err
gk_lkh_member_set(struct gk_lkh_member *member, const struct gk_lkh_key *keys,
                  size_t count)
{
	struct gk_lkh_key *copy = NULL;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (keys[i].id == keys[j].id)
				return GK_ERR_VALUE;
		}
	}
	if (count != 0) {
		copy = calloc(count, sizeof(*copy));
		if (copy == NULL)
			return GK_ERR_NOMEM;
		memcpy(copy, keys, count * sizeof(*copy));
	}
	gk_lkh_member_free(member);
	member->keys = copy;
	member->count = count;
	return GK_OK;
}

enum gk_err
gk_lkh_member_copy(struct gk_lkh_member *to, const struct gk_lkh_member *from)
{
	return gk_lkh_member_set(to, from->keys, from->count);
}

void
gk_lkh_member_free(struct gk_lkh_member *member)
{
	gk_wipe(member->keys, member->count * sizeof(*member->keys));
	free(member->keys);
	*member = (struct gk_lkh_member){ 0 };
}

const struct gk_lkh_key *
gk_lkh_member_held(const struct gk_lkh_member *member, uint32_t id)
{
	for (size_t i = 0; i < member->count; i++) {
		if (member->keys[i].id == id)
			return &member->keys[i];
	}
	return NULL;
}

const struct gk_lkh_key *
gk_lkh_member_find(const struct gk_lkh_member *member, uint32_t id,
                   uint32_t handle)
{
	const struct gk_lkh_key *key = gk_lkh_member_held(member, id);

	return key != NULL && key->handle == handle ? key : NULL;
}

bool
gk_lkh_key_same(const struct gk_lkh_key *a, const struct gk_lkh_key *b)
{
	return a->handle == b->handle && a->created == b->created &&
	       a->expires == b->expires && a->len == b->len &&
	       gk_equal_secret(a->octets, b->octets, a->len);
}

enum gk_err
gk_lkh_member_put(struct gk_lkh_member *member, const struct gk_lkh_key *key,
                  bool equal_ok, bool *same)
{
	const struct gk_lkh_key *held = gk_lkh_member_held(member, key->id);
	bool equal;

	if (same != NULL)
		*same = false;
	if (held == NULL)
		return GK_ERR_UNEXPECTED;
	equal = gk_lkh_key_same(held, key);
	if (same != NULL)
		*same = equal;
	if (equal)
		return GK_OK;
	if (key->created < held->created ||
	    (key->created == held->created && !equal_ok))
		return GK_ERR_REPLAY;
	if (key->expires <= key->created)
		return GK_ERR_VALUE;
	member->keys[held - member->keys] = *key;
	return GK_OK;
}
