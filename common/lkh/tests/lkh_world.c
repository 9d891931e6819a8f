/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/lkh/tests/lkh_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_base.h"
#include "common/group/tests/rows.h"
#include "common/lkh/tests/name_set.h"

#define PERSONS_MAX 8192
/* A key as a number: id and handle; the group key has id 0 and its version. */
#define NAME(id, handle) ((uint64_t)(id) << 32 | (handle))
#define UNUSED UINT64_MAX
#define NEED(cond, text)             \
	do {                         \
		if (!(cond))         \
			return text; \
	} while (0)
#define PASS(expr)                         \
	do {                               \
		const char *why_ = (expr); \
		if (why_ != NULL)          \
			return why_;       \
	} while (0)

struct person {
	bool present;
	bool deaf; /* to the plan of the open epoch: he has it all */
	uint32_t seat;
	uint32_t epoch; /* in which he joined */
	uint64_t group; /* version that he holds */
	struct gk_lkh_member ring;
	struct set seen;
};

struct sent {
	uint64_t under;
	size_t first, count;
};

struct world {
	struct gk_env env;
	uint64_t seed;
	int64_t utc;
	struct gk_lkh_config cfg;
	struct gk_lkh *lkh;
	struct person *persons;
	size_t person_count;
	struct set all; /* every key that was ever made, to see that names are
	                   not used twice */
	struct set octets; /* the same the other way round */
	struct sent *sent;
	size_t sent_count, sent_cap;
	uint64_t *sent_names;
	size_t name_count, name_cap;
	uint64_t *group_of; /* by epoch: the group key that came into force, or
	                       UNUSED when there was nobody to use it */
	size_t group_count;
	size_t last_wraps;
	bool shrunk;
	bool handed_out; /* somebody may know more than the tree thinks */
	struct gk_journal *journal;
	struct rows *rows;
};

static uint64_t
next_random(uint64_t *s)
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static enum gk_err
env_random(void *ctx, uint8_t *out, size_t n)
{
	struct world *w = ctx;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)next_random(&w->seed);
	return GK_OK;
}

static uint64_t
hash_octets(const struct gk_lkh_key *key)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < key->len; i++)
		h = (h ^ key->octets[i]) * 0x100000001b3u;
	return h;
}

struct world *
world_new(const struct gk_lkh_config *cfg, uint64_t seed)
{
	struct world *w = gk_need_memory(calloc(1, sizeof(*w)));

	w->env = (struct gk_env){ .random = env_random, .ctx = w };
	w->seed = seed;
	w->utc = 1000000;
	w->cfg = *cfg;
	w->persons = gk_need_memory(calloc(PERSONS_MAX, sizeof(*w->persons)));
	w->group_of = gk_need_memory(calloc(1, sizeof(*w->group_of)));
	w->group_count = 1;
	w->rows = rows_new();
	if (gk_lkh_new(&w->env, cfg, &w->lkh) != GK_OK ||
	    gk_journal_new(gk_slice_str("world"), &w->journal) != GK_OK)
		abort();
	return w;
}

void
world_free(struct world *w)
{
	for (size_t i = 0; i < w->person_count; i++) {
		gk_lkh_member_free(&w->persons[i].ring);
		set_free(&w->persons[i].seen);
	}
	rows_free(w->rows);
	free(w->persons);
	free(w->sent);
	free(w->sent_names);
	free(w->group_of);
	set_free(&w->all);
	set_free(&w->octets);
	gk_journal_free(w->journal);
	gk_lkh_free(w->lkh);
	free(w);
}

/* Put the journal's changes into the rows. */
static const char *
persist(struct world *w)
{
	NEED(gk_lkh_save(w->lkh, w->journal) == GK_OK, "save failed");
	for (size_t i = 0; i < gk_journal_count(w->journal); i++)
		NEED(gk_journal_at(w->journal, i).kind == GK_JOURNAL_PUT ||
		             w->shrunk,
		     "a row was deleted");
	rows_apply(w->rows, w->journal);
	return NULL;
}

static const char *
see(struct world *w, struct person *p, const struct gk_lkh_key *key)
{
	uint64_t name = NAME(key->id, key->handle), hash = hash_octets(key);

	NEED(key->id != 0 && key->handle != 0, "a key without a name");
	NEED(key->expires > key->created, "a key expires before it begins");
	NEED(set_add(&w->all, name, hash), "two keys with the same name");
	NEED(set_add(&w->octets, hash, name), "two names for the same key");
	if (p != NULL)
		NEED(set_add(&p->seen, name, hash),
		     "two keys of one member with the same name");
	return NULL;
}

static const char *
hand_out(struct world *w, struct person *p)
{
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	size_t n;

	NEED(gk_lkh_path(w->lkh, p->seat, keys, &n) == GK_OK, "no path");
	NEED(n > 0, "an empty path");
	for (size_t i = 0; i < n; i++)
		PASS(see(w, p, &keys[i]));
	NEED(gk_lkh_member_set(&p->ring, keys, n) == GK_OK, "bad path");
	p->group = gk_lkh_group_version(w->lkh);
	set_add(&p->seen, NAME(0, p->group + 1), 0);
	return NULL;
}

const char *
world_join(struct world *w)
{
	struct person *p = &w->persons[w->person_count];
	enum gk_err err;

	if (w->person_count == PERSONS_MAX)
		return NULL;
	err = gk_lkh_join(w->lkh, w->utc, &p->seat);
	if (err == GK_ERR_SPACE && (w->cfg.plain || w->cfg.last_id != 0)) {
		NEED(gk_lkh_count(w->lkh) == gk_lkh_seats(w->lkh),
		     "refused although there are seats");
		return NULL;
	}
	NEED(err == GK_OK, "join failed");
	for (size_t i = 0; i < w->person_count; i++)
		NEED(!w->persons[i].present || w->persons[i].seat != p->seat,
		     "a seat was given twice");
	w->person_count++;
	p->present = true;
	p->epoch = gk_lkh_epoch(w->lkh);
	NEED(gk_lkh_seated(w->lkh, p->seat), "joined but not seated");
	NEED(gk_lkh_joined(w->lkh, p->seat), "not seated in this epoch");
	PASS(hand_out(w, p));
	return persist(w);
}

uint32_t
world_members(const struct world *w)
{
	uint32_t n = 0;

	for (size_t i = 0; i < w->person_count; i++)
		n += w->persons[i].present;
	return n;
}

static struct person *
pick_member(struct world *w, uint32_t pick)
{
	uint32_t n = world_members(w);

	if (n == 0)
		return NULL;
	pick %= n;
	for (size_t i = 0;; i++) {
		if (w->persons[i].present && pick-- == 0)
			return &w->persons[i];
	}
}

const char *
world_handout(struct world *w, uint32_t pick)
{
	struct person *p = pick_member(w, pick);

	if (p == NULL || !gk_lkh_joined(w->lkh, p->seat))
		return NULL;
	w->handed_out = true;
	return hand_out(w, p);
}

const char *
world_rejoin(struct world *w, uint32_t pick)
{
	struct person *p = pick_member(w, pick);

	if (p == NULL || gk_lkh_joined(w->lkh, p->seat) || !w->cfg.backward)
		return NULL;
	NEED(gk_lkh_rejoin(w->lkh, p->seat, w->utc) == GK_OK, "rejoin failed");
	NEED(gk_lkh_count(w->lkh) == world_members(w), "miscounted");
	NEED(gk_lkh_joined(w->lkh, p->seat), "not seated in this epoch");
	PASS(hand_out(w, p));
	p->deaf = true;
	return persist(w);
}

/* Who leaves takes with him what those have who are deaf: it is made anew. */
const char *
world_leave(struct world *w, uint32_t pick)
{
	struct person *p = pick_member(w, pick);

	if (p == NULL)
		return NULL;
	for (size_t i = 0; i < w->person_count; i++)
		w->persons[i].deaf = false;
	NEED(gk_lkh_leave(w->lkh, p->seat, w->utc) == GK_OK, "leave failed");
	NEED(gk_lkh_group_due(w->lkh), "a leave without new group key");
	NEED(!gk_lkh_seated(w->lkh, p->seat), "left but still seated");
	NEED(gk_lkh_leave(w->lkh, p->seat, w->utc) == GK_ERR_UNEXPECTED,
	     "left twice");
	p->present = false;
	NEED(gk_lkh_count(w->lkh) == world_members(w), "miscounted");
	return persist(w);
}

const char *
world_refresh(struct world *w)
{
	gk_lkh_refresh(w->lkh);
	NEED(gk_lkh_group_due(w->lkh), "refresh without new group key");
	return persist(w);
}

const char *
world_renew(struct world *w, uint32_t scan)
{
	size_t renewed;

	NEED(gk_lkh_renew(w->lkh, w->utc, w->utc, scan, &renewed) == GK_OK,
	     "renew failed");
	NEED(renewed <= scan, "renewed more than looked at");
	return persist(w);
}

/* Members see nothing of it: their rings are checked at each seal. */
const char *
world_shrink(struct world *w)
{
	struct gk_lkh_size before, after;
	bool open = gk_lkh_open(w->lkh), due = gk_lkh_group_due(w->lkh);
	uint32_t epoch = gk_lkh_epoch(w->lkh);

	gk_lkh_size(w->lkh, &before);
	w->shrunk = true;
	gk_lkh_shrink(w->lkh, w->utc);
	gk_lkh_size(w->lkh, &after);
	NEED(after.members == before.members &&
	             after.members == world_members(w),
	     "shrinking lost a member");
	NEED(after.nodes <= before.nodes && after.seats <= before.seats,
	     "it has grown");
	NEED(gk_lkh_open(w->lkh) == open && gk_lkh_group_due(w->lkh) == due &&
	             gk_lkh_epoch(w->lkh) == epoch,
	     "shrinking is an event");
	return persist(w);
}

void
world_tick(struct world *w, uint32_t seconds)
{
	w->utc += seconds;
}

static void
record(struct world *w, const struct gk_lkh_plan *plan, uint64_t group)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct gk_lkh_wrap *wrap = &plan->wraps[i];
		struct sent sent = { NAME(wrap->under->id, wrap->under->handle),
			             w->name_count, wrap->count };

		if (w->sent_count == w->sent_cap) {
			w->sent_cap = w->sent_cap == 0 ? 64 : w->sent_cap * 2;
			w->sent = gk_need_memory(reallocarray(
				w->sent, w->sent_cap, sizeof(*w->sent)));
		}
		w->sent[w->sent_count++] = sent;
		for (size_t k = 0; k < wrap->count; k++) {
			const struct gk_lkh_key *key = wrap->keys[k];

			if (w->name_count == w->name_cap) {
				w->name_cap =
					w->name_cap == 0 ? 64 : w->name_cap * 2;
				w->sent_names = gk_need_memory(
					reallocarray(w->sent_names, w->name_cap,
				                     sizeof(uint64_t)));
			}
			w->sent_names[w->name_count++] =
				key == NULL ? NAME(0, group + 1)
					    : NAME(key->id, key->handle);
		}
	}
}

/* One pass over the plan, as the most modest receiver would. */
static const char *
receive(struct world *w, struct person *p, const struct gk_lkh_plan *plan,
        uint64_t group, bool *useful)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct gk_lkh_wrap *wrap = &plan->wraps[i];
		const struct gk_lkh_key *held = gk_lkh_member_find(
			&p->ring, wrap->under->id, wrap->under->handle);

		if (held == NULL)
			continue;
		NEED(hash_octets(held) == hash_octets(wrap->under),
		     "wrapped under other octets than the member holds");
		for (size_t k = 0; k < wrap->count; k++) {
			bool same;

			if (wrap->keys[k] == NULL) {
				useful[i] |= p->present && p->group != group;
				p->group = group;
				set_add(&p->seen, NAME(0, group + 1), 0);
				continue;
			}
			PASS(see(w, p, wrap->keys[k]));
			NEED(gk_lkh_member_put(&p->ring, wrap->keys[k], false,
			                       &same) == GK_OK,
			     "a strict member refuses a key");
			useful[i] |= p->present && !same;
		}
	}
	return NULL;
}

static const char *
check_member(struct world *w, struct person *p, uint64_t group)
{
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	size_t n;

	NEED(p->group == group, "a member lacks the group key");
	NEED(gk_lkh_path(w->lkh, p->seat, keys, &n) == GK_OK, "no path");
	NEED(n == p->ring.count, "a path changed its length");
	for (size_t i = 0; i < n; i++) {
		const struct gk_lkh_key *held = gk_lkh_member_find(
			&p->ring, keys[i].id, keys[i].handle);

		if (gk_lkh_is_bypassed(w->lkh, keys[i].id)) {
			held = gk_lkh_member_held(&p->ring, keys[i].id);
			NEED(held != NULL, "a member lacks an id of his path");
			NEED(held->handle <= keys[i].handle,
			     "a member is ahead of a bypassed key");
			continue;
		}
		NEED(held != NULL, "a member lacks a key of his path");
		NEED(hash_octets(held) == hash_octets(&keys[i]),
		     "a member holds a wrong key");
	}
	return NULL;
}

const char *
world_seal(struct world *w, enum gk_lkh_style style)
{
	const char *why = NULL;
	struct gk_lkh_plan plan;
	uint64_t group;
	bool *useful;

	NEED(gk_lkh_seal(w->lkh, style, &plan) == GK_OK, "seal failed");
	NEED(!gk_lkh_open(w->lkh) && !gk_lkh_group_due(w->lkh),
	     "sealed but open");
	group = gk_lkh_group_version(w->lkh);
	PASS(persist(w));
	record(w, &plan, group);
	w->last_wraps = plan.count;
	useful = gk_need_memory(calloc(plan.count + 1, sizeof(*useful)));
	for (size_t i = 0; why == NULL && i < w->person_count; i++) {
		struct person *p = &w->persons[i];

		/* He who has left listens on, of course. */
		why = p->deaf ? NULL : receive(w, p, &plan, group, useful);
		p->deaf = false;
		if (why == NULL && p->present)
			why = check_member(w, p, group);
	}
	for (size_t i = 0; why == NULL && i < plan.count; i++) {
		if (!useful[i] && !w->handed_out)
			why = "a wrap that is news to nobody";
	}
	free(useful);
	gk_lkh_plan_free(&plan);
	if (why != NULL)
		return why;
	w->handed_out = false;
	while (w->group_count < gk_lkh_epoch(w->lkh)) {
		w->group_of = gk_need_memory(reallocarray(
			w->group_of, w->group_count + 1, sizeof(uint64_t)));
		w->group_of[w->group_count++] =
			world_members(w) == 0 ? UNUSED : group;
	}
	return world_secrets(w);
}

/* Everything that follows from what @set knows and what was sent. */
static void
closure(struct world *w, struct set *set)
{
	bool *opened = gk_need_memory(calloc(w->sent_count + 1, sizeof(bool)));
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < w->sent_count; i++) {
			const struct sent *s = &w->sent[i];

			if (opened[i] || !set_has(set, s->under))
				continue;
			opened[i] = again = true;
			for (size_t k = 0; k < s->count; k++)
				set_add(set, w->sent_names[s->first + k], 0);
		}
	}
	free(opened);
}

static void
pool(struct set *to, const struct set *from)
{
	for (size_t i = 0; i < from->cap; i++) {
		if (from->names[i] != 0)
			set_add(to, from->names[i], 0);
	}
}

const char *
world_secrets(struct world *w)
{
	uint64_t now = gk_lkh_group_version(w->lkh);
	uint32_t since;
	struct set set = { 0 };
	bool broken;

	for (size_t i = 0; i < w->person_count; i++) {
		if (!w->persons[i].present)
			pool(&set, &w->persons[i].seen);
	}
	closure(w, &set);
	broken = set_has(&set, NAME(0, now + 1));
	set_free(&set);
	NEED(!broken, "those who left can compute the group key");

	if (!w->cfg.backward || gk_lkh_epoch(w->lkh) < 3)
		return NULL;
	/* All who came in a late epoch, against the group key of the epoch
	 * before, unless it is still in use. */
	since = 2 +
	        (uint32_t)(next_random(&w->seed) % (gk_lkh_epoch(w->lkh) - 2));
	for (size_t i = 0; i < w->person_count; i++) {
		if (w->persons[i].epoch >= since)
			pool(&set, &w->persons[i].seen);
	}
	closure(w, &set);
	broken = false;
	for (uint32_t e = 1; e < since; e++)
		broken |= w->group_of[e] != UNUSED &&
		          set_has(&set, NAME(0, w->group_of[e] + 1));
	set_free(&set);
	NEED(!broken, "a late-comer can compute an earlier group key");
	return NULL;
}

static const char *
load(struct world *w, struct gk_lkh *lkh)
{
	const char *why = "";

	for (size_t t = 0; gk_lkh_tables[t] != NULL; t++) {
		for (size_t i = 0; i < rows_count(w->rows); i++) {
			struct gk_change c = rows_at(w->rows, i);

			if (strcmp(c.table, gk_lkh_tables[t]) == 0 &&
			    gk_lkh_load_row(lkh, c.table, c.key, c.value,
			                    &why) != GK_OK)
				return *why == '\0' ? "row not loaded" : why;
		}
	}
	if (gk_lkh_load_done(lkh, &why) != GK_OK)
		return *why == '\0' ? "load not done" : why;
	return NULL;
}

/* Leaves, a rekey and a sweep that are in no store when the server dies, and of
 * which nobody has heard: what comes back is as if they had never been. */
const char *
world_die(struct world *w, enum gk_lkh_style style)
{
	struct gk_lkh_plan plan;
	struct gk_lkh *lkh;
	const char *why;

	for (uint32_t seat = 1; seat <= gk_lkh_seats(w->lkh); seat += 3)
		if (gk_lkh_seated(w->lkh, seat))
			NEED(gk_lkh_leave(w->lkh, seat, w->utc) == GK_OK,
			     "leave failed");
	NEED(gk_lkh_seal(w->lkh, style, &plan) == GK_OK, "seal failed");
	gk_lkh_plan_free(&plan);
	gk_lkh_shrink(w->lkh, w->utc);
	NEED(gk_lkh_save(w->lkh, w->journal) == GK_OK, "save failed");
	gk_lkh_shrink(w->lkh, w->utc); /* and what was not saved */
	gk_journal_clear(w->journal);
	if (gk_lkh_new(&w->env, &w->cfg, &lkh) != GK_OK)
		abort();
	why = load(w, lkh);
	gk_lkh_free(w->lkh);
	w->lkh = lkh;
	NEED(why == NULL, why);
	NEED(gk_lkh_count(lkh) == world_members(w), "miscounted");
	return NULL;
}

const char *
world_reload(struct world *w)
{
	struct rows *before = rows_new(), *after = rows_new();
	struct gk_lkh *lkh;
	const char *why;

	if (gk_lkh_new(&w->env, &w->cfg, &lkh) != GK_OK)
		abort();
	why = load(w, lkh);
	if (why == NULL) {
		if (gk_lkh_export(w->lkh, w->journal) != GK_OK)
			abort();
		rows_apply(before, w->journal);
		if (gk_lkh_export(lkh, w->journal) != GK_OK)
			abort();
		rows_apply(after, w->journal);
		if (!rows_equal(before, after))
			why = "came back different";
	}
	rows_free(before);
	rows_free(after);
	if (why != NULL) {
		gk_lkh_free(lkh);
		return why;
	}
	gk_lkh_free(w->lkh);
	w->lkh = lkh;
	return NULL;
}

size_t
world_wraps(const struct world *w)
{
	return w->last_wraps;
}

struct gk_lkh *
world_lkh(struct world *w)
{
	return w->lkh;
}

void
lkh_describe(const struct gk_lkh_plan *plan, char *out, size_t cap)
{
	FILE *f = gk_need_memory(fmemopen(out, cap, "w"));

	out[0] = '\0';
	for (size_t i = 0; i < plan->count; i++) {
		const struct gk_lkh_wrap *w = &plan->wraps[i];

		fprintf(f, "%s(", i == 0 ? "" : " ");
		for (size_t k = 0; k < w->count; k++) {
			const struct gk_lkh_key *key = w->keys[k];

			fprintf(f, "%s", k == 0 ? "" : ",");
			if (key == NULL)
				fprintf(f, "GTPK");
			else
				fprintf(f, "%u%s", key->id,
				        key->handle == 1 ? "" : "'");
		}
		fprintf(f, ")%u%s", w->under->id,
		        w->under->handle == 1 ? "" : "'");
	}
	fclose(f);
}
