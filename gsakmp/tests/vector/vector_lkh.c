/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/lkh/gk_lkh.h"
#include "gsakmp/tests/vector/vector.h"

#define NOW 1780315200 /* 2026-06-01; any date would do */

/* Node keys are whatever they are: the vector is about which travels where. */
static enum gk_err
counting_random(void *ctx, uint8_t *out, size_t n)
{
	unsigned *count = ctx;

	memset(out, 0, n);
	memcpy(out, count, sizeof(*count) < n ? sizeof(*count) : n);
	++*count;
	return GK_OK;
}

/* Seat until @seat is taken; those taken on the way that are not wanted leave
 * again, in an epoch of their own that nobody hears of. */
static void
seat_members(struct vec *v, struct gk_lkh *lkh)
{
	json_t *list = vec_list(v, v->in, "members"), *one;
	struct gk_lkh_plan plan = { 0 };
	uint32_t seat = 0, highest = 0;
	size_t i;

	json_array_foreach(list, i, one) if (json_integer_value(one) > highest)
		highest = (uint32_t)json_integer_value(one);
	while (seat < highest)
		vec_ok(v, gk_lkh_join(lkh, NOW, &seat), "seating");
	vec_ok(v, gk_lkh_seal(lkh, GK_LKH_PATH, &plan), "first epoch");
	gk_lkh_plan_free(&plan);
	for (seat = 1; seat <= highest; seat++) {
		bool wanted = false;

		json_array_foreach(list, i, one) wanted =
			wanted || json_integer_value(one) == seat;
		if (!wanted)
			vec_ok(v, gk_lkh_leave(lkh, seat, NOW), "unseating");
	}
	vec_ok(v, gk_lkh_seal(lkh, GK_LKH_PATH, &plan), "second epoch");
	gk_lkh_plan_free(&plan);
	if (!vec_has(v->in, "shrunk") || !vec_flag(v, v->in, "shrunk"))
		return;
	if (gk_lkh_shrink(lkh, NOW) == 0)
		vec_fail(v, "it does not shrink");
	while (gk_lkh_shrink(lkh, NOW) != 0)
		continue;
}

/* The handle of a key before the event, from the paths of all members. */
struct held {
	uint32_t id, handle;
};

static size_t
held_keys(struct vec *v, const struct gk_lkh *lkh, struct held **held)
{
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	size_t n = 0, count;

	*held = vec_keep(v, calloc(4096, sizeof(**held)));
	for (uint32_t seat = 1; seat <= gk_lkh_seats(lkh); seat++) {
		if (!gk_lkh_seated(lkh, seat))
			continue;
		vec_ok(v, gk_lkh_path(lkh, seat, keys, &count), "path");
		for (size_t i = 0; i < count; i++) {
			if (n == 4096)
				vec_fail(v, "too large a tree");
			(*held)[n++] =
				(struct held){ keys[i].id, keys[i].handle };
		}
	}
	return n;
}

static bool
was_held(const struct held *held, size_t n, const struct gk_lkh_key *key)
{
	for (size_t i = 0; i < n; i++)
		if (held[i].id == key->id && held[i].handle == key->handle)
			return true;
	return false;
}

/* @old of a wrap: its key was held before, and the node has a new one now. */
static void
same_wrap(struct vec *v, json_t *want, const struct gk_lkh_wrap *wrap,
          const struct held *held, size_t n_held, const struct held *now,
          size_t n_now)
{
	json_t *keys = vec_list(v, want, "keys"), *one;
	bool old = was_held(held, n_held, wrap->under) &&
	           !was_held(now, n_now, wrap->under);
	size_t i;

	vec_same_num(v, "wrapped under", wrap->under->id,
	             vec_num(v, want, "under"));
	vec_same_num(v, "under the old key", old, vec_flag(v, want, "old"));
	vec_same_num(v, "number of keys", (long long)wrap->count,
	             (long long)json_array_size(keys));
	json_array_foreach(keys, i, one)
	{
		const struct gk_lkh_key *key = wrap->keys[i];

		vec_same_num(v, "key", key ? key->id : 0,
		             json_integer_value(one));
		/* What travels is the key of the coming epoch. */
		if (key && !was_held(now, n_now, key))
			vec_fail(v, "key %u is not the new one", key->id);
	}
}

static void
event(struct vec *v, struct gk_lkh *lkh)
{
	json_t *seats = vec_list(v, v->out, "seats"), *one;
	json_t *wraps = vec_list(v, v->out, "wraps");
	struct gk_lkh_plan plan = { 0 };
	struct held *held, *now;
	size_t n_held = held_keys(v, lkh, &held), n_now, i;
	const char *style = vec_text(v, v->in, "style");
	uint32_t seat;

	json_array_foreach(vec_list(v, v->in, "leave"), i, one) vec_ok(
		v, gk_lkh_leave(lkh, (uint32_t)json_integer_value(one), NOW),
		"leave");
	vec_same_num(v, "joiners", vec_num(v, v->in, "join"),
	             (long long)json_array_size(seats));
	json_array_foreach(seats, i, one)
	{
		vec_ok(v, gk_lkh_join(lkh, NOW, &seat), "join");
		vec_same_num(v, "seat", seat, json_integer_value(one));
	}
	n_now = held_keys(v, lkh, &now);
	vec_ok(v,
	       gk_lkh_seal(lkh,
	                   strcmp(style, "chain") == 0 ? GK_LKH_CHAIN
	                                               : GK_LKH_PATH,
	                   &plan),
	       "plan");
	vec_same_num(v, "number of wraps", (long long)plan.count,
	             (long long)json_array_size(wraps));
	json_array_foreach(wraps, i, one)
		same_wrap(v, one, &plan.wraps[i], held, n_held, now, n_now);
	gk_lkh_plan_free(&plan);
}

static void
lkh(struct vec *v)
{
	unsigned count = 1;
	const struct gk_env env = { .random = counting_random, .ctx = &count };
	const struct gk_lkh_config cfg = {
		.degree = (unsigned)vec_num(v, v->in, "degree"),
		.key_len = 16,
		.capacity = (uint32_t)vec_num(v, v->in, "capacity"),
		.plain = !vec_flag(v, v->in, "rooted"),
		.backward = true,
		.spare = 1,
	};
	struct gk_lkh *tree = NULL;

	vec_ok(v, gk_lkh_new(&env, &cfg, &tree), "tree");
	seat_members(v, tree);
	event(v, tree);
	gk_lkh_free(tree);
}

const struct vec_kind vec_lkh_kinds[] = {
	{ "lkh", lkh },
	{ NULL, NULL },
};
