/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_counters.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_events.h"

#define NAME_MAX_OCTETS 48
#define TEXT_MAX 160
#define REASON_MAX 320

struct counter {
	char name[NAME_MAX_OCTETS];
	uint64_t n;
};

struct refusal {
	int64_t utc_s;
	size_t offset;
	char group[TEXT_MAX], peer[TEXT_MAX], req[NAME_MAX_OCTETS];
	char notify[NAME_MAX_OCTETS], field[NAME_MAX_OCTETS];
	char reason[REASON_MAX];
};

struct gkd_counters {
	pthread_mutex_t lock;
	struct counter *counter; /* sorted by name */
	size_t count, room;
	struct refusal refusal[GKD_REFUSALS]; /* a ring */
	size_t refused;                       /* ever */
};

struct gkd_counters *
gkd_counters_new(void)
{
	struct gkd_counters *c = calloc(1, sizeof(*c));

	if (c != NULL)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void
gkd_counters_free(struct gkd_counters *counters)
{
	if (counters == NULL)
		return;
	pthread_mutex_destroy(&counters->lock);
	free(counters->counter);
	free(counters);
}

/* The place of @name, or where it belongs. */
static size_t
find(const struct gkd_counters *c, const char *name)
{
	size_t lo = 0, hi = c->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strncmp(c->counter[mid].name, name, NAME_MAX_OCTETS - 1) <
		    0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
is_at(const struct gkd_counters *c, size_t at, const char *name)
{
	return at < c->count &&
	       strncmp(c->counter[at].name, name, NAME_MAX_OCTETS - 1) == 0;
}

static bool
make_room(struct gkd_counters *c)
{
	size_t room = c->room == 0 ? 32 : 2 * c->room;
	struct counter *grown;

	if (c->count < c->room)
		return true;
	grown = realloc(c->counter, room * sizeof(*grown));
	if (grown == NULL)
		return false;
	c->counter = grown;
	c->room = room;
	return true;
}

static void
add(struct gkd_counters *c, const char *name, uint64_t n)
{
	size_t at = find(c, name);

	if (!is_at(c, at, name)) {
		/* The last place is kept for "other". */
		if (c->count >= GKD_COUNTERS_MAX - 1 &&
		    strcmp(name, "other") != 0) {
			add(c, "other", n);
			return;
		}
		if (!make_room(c))
			return;
		memmove(&c->counter[at + 1], &c->counter[at],
		        (c->count - at) * sizeof(*c->counter));
		c->count++;
		c->counter[at].n = 0;
		snprintf(c->counter[at].name, NAME_MAX_OCTETS, "%s", name);
	}
	c->counter[at].n += n;
}

void
gkd_counters_add(struct gkd_counters *counters, const char *name, uint64_t n)
{
	pthread_mutex_lock(&counters->lock);
	add(counters, name, n);
	pthread_mutex_unlock(&counters->lock);
}

uint64_t
gkd_counters_get(struct gkd_counters *counters, const char *name)
{
	uint64_t n = 0;
	size_t at;

	pthread_mutex_lock(&counters->lock);
	at = find(counters, name);
	if (is_at(counters, at, name))
		n = counters->counter[at].n;
	pthread_mutex_unlock(&counters->lock);
	return n;
}

static void
copy_text(char *out, size_t cap, const char *text)
{
	snprintf(out, cap, "%s", text != NULL ? text : "");
}

void
gkd_counters_refuse(struct gkd_counters *counters,
                    const struct gkd_refusal *refusal)
{
	struct refusal *r;

	pthread_mutex_lock(&counters->lock);
	add(counters, refusal->req != NULL ? refusal->req : "other", 1);
	r = &counters->refusal[counters->refused++ % GKD_REFUSALS];
	r->utc_s = gkd_now().utc_s;
	r->offset = refusal->offset;
	copy_text(r->group, sizeof(r->group), refusal->group);
	copy_text(r->peer, sizeof(r->peer), refusal->peer);
	copy_text(r->req, sizeof(r->req), refusal->req);
	copy_text(r->notify, sizeof(r->notify), refusal->notify);
	copy_text(r->field, sizeof(r->field), refusal->field);
	copy_text(r->reason, sizeof(r->reason), refusal->reason);
	pthread_mutex_unlock(&counters->lock);
}

json_t *
gkd_counters_json(struct gkd_counters *counters)
{
	json_t *object = json_object();

	pthread_mutex_lock(&counters->lock);
	for (size_t i = 0; i < counters->count; i++)
		json_object_set_new(
			object, counters->counter[i].name,
			json_integer((json_int_t)counters->counter[i].n));
	pthread_mutex_unlock(&counters->lock);
	return object;
}

json_t *
gkd_counters_refusals(struct gkd_counters *counters)
{
	json_t *array = json_array();
	size_t kept;

	pthread_mutex_lock(&counters->lock);
	kept = counters->refused < GKD_REFUSALS ? counters->refused
	                                        : GKD_REFUSALS;
	for (size_t i = 1; i <= kept; i++) {
		const struct refusal *r =
			&counters->refusal[(counters->refused - i) %
		                           GKD_REFUSALS];
		json_t *o = json_object();

		json_object_set_new(o, "t", gkd_json_utc(r->utc_s));
		json_object_set_new(o, "group", gkd_json_text(r->group));
		json_object_set_new(o, "peer", gkd_json_text(r->peer));
		json_object_set_new(o, "req", gkd_json_text(r->req));
		json_object_set_new(o, "notify", gkd_json_text(r->notify));
		json_object_set_new(o, "field", gkd_json_text(r->field));
		json_object_set_new(o, "offset",
		                    json_integer((json_int_t)r->offset));
		json_object_set_new(o, "reason", gkd_json_text(r->reason));
		json_array_append_new(array, o);
	}
	pthread_mutex_unlock(&counters->lock);
	return array;
}
