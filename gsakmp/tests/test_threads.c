/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/crypto/gk_crypto.h"

/*
 * The shared group under real threads: workers that register members, the
 * group's own thread that rekeys, one store.  Build with
 * --with-sanitizers=thread to see what this is for.
 */
#define WORKERS 4
#define MEMBERS 12 /* per worker */

struct shared {
	struct world *w;
	struct gk_env env; /* the system's random octets: thread-safe */
	struct gsakmp_group *group;
	pthread_mutex_t store_lock;
	struct world_store store;
	bool stop;
	unsigned rekeys;
};

struct worker {
	struct shared *s;
	struct world_member *member[MEMBERS];
	unsigned active;
	pthread_t thread;
};

static struct gk_now
now_is(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct gk_now){ .mono_ms = (uint64_t)t.tv_sec * 1000 +
		                           (uint64_t)t.tv_nsec / 1000000,
		                .utc_s = GK_PKI_NOW };
}

static void
commit(struct shared *s, const struct gsakmp_output *out)
{
	const struct gk_journal *j;

	pthread_mutex_lock(&s->store_lock);
	j = gk_commits_begin(gsakmp_group_commits(out->group), out->ticket);
	if (j != NULL) {
		world_store_apply(&s->store, j);
		gk_commits_end(gsakmp_group_commits(out->group), true);
	}
	pthread_mutex_unlock(&s->store_lock);
}

/* The member's next datagram, NULL when it has none. */
static bool
from_member(struct world_member *m, struct gk_buf *dgram)
{
	struct gsakmp_output out;
	bool any = false;

	while (gsakmp_gm_poll(m->gm, &out))
		if (out.kind == GSAKMP_OUT_SEND) {
			gk_buf_free(dgram);
			gk_assert_ok(gk_buf_copy(dgram, out.dgram));
			any = true;
		}
	return any;
}

static bool
from_server(struct worker *k, struct gsakmp_gcks *gcks, struct gk_buf *dgram)
{
	struct gsakmp_output out;
	bool any = false;

	while (gsakmp_gcks_poll(gcks, &out)) {
		if (out.kind == GSAKMP_OUT_COMMIT)
			commit(k->s, &out);
		if (out.kind == GSAKMP_OUT_MEMBER_ACTIVE)
			k->active++;
		if (out.kind != GSAKMP_OUT_SEND)
			continue;
		gk_buf_free(dgram);
		gk_assert_ok(gk_buf_copy(dgram, out.dgram));
		any = true;
	}
	return any;
}

static void
register_member(struct worker *k, struct gsakmp_gcks *gcks,
                struct world_member *m)
{
	const struct gsakmp_endpoint at = { .ip_len = 4 };
	struct gk_buf dgram = { 0 };

	if (gsakmp_gm_join(m->gm, now_is()) != GK_OK)
		abort();
	while (from_member(m, &dgram)) {
		(void)!gsakmp_gcks_receive(gcks, dgram.ptr, dgram.len, &at,
		                           now_is());
		if (from_server(k, gcks, &dgram))
			(void)!gsakmp_gm_receive(m->gm, dgram.ptr, dgram.len,
			                         &at, now_is());
	}
	gk_buf_free(&dgram);
}

/* However the threads are scheduled: the group rekeys between registrations. */
static void
await_rekey(struct shared *s)
{
	const unsigned before = __atomic_load_n(&s->rekeys, __ATOMIC_RELAXED);

	while (__atomic_load_n(&s->rekeys, __ATOMIC_RELAXED) == before)
		sched_yield();
}

static void *
work(void *arg)
{
	struct worker *k = arg;
	const struct gsakmp_gcks_config cfg = { .party = k->s->w->party };
	struct gsakmp_gcks *gcks = gsakmp_gcks_new(&k->s->env, &cfg);

	if (gcks == NULL || gsakmp_gcks_add_group(gcks, k->s->group) != GK_OK)
		abort();
	for (size_t i = 0; i < MEMBERS; i++) {
		if (i == MEMBERS / 2)
			await_rekey(k->s);
		register_member(k, gcks, k->member[i]);
	}
	gsakmp_gcks_free(gcks);
	return NULL;
}

static void *
tend(void *arg)
{
	struct shared *s = arg;
	struct gsakmp_output out;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		if (gsakmp_group_tick(s->group, now_is()) != GK_OK ||
		    gsakmp_group_rekey(s->group, now_is()) != GK_OK)
			abort();
		while (gsakmp_group_poll(s->group, &out)) {
			if (out.kind == GSAKMP_OUT_COMMIT)
				commit(s, &out);
			if (out.kind == GSAKMP_OUT_REKEYED)
				__atomic_fetch_add(&s->rekeys, 1,
				                   __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

static void
start(struct shared *s)
{
	const struct gsakmp_group_config cfg = {
		.party = s->w->party,
		.group_id_type = GSAKMP_GROUPID_OCTET_STRING,
		.group_id = s->w->group_id,
	};
	struct gsakmp_output out;

	s->env = (struct gk_env){ .random = gk_crypto_random };
	s->group = gsakmp_group_new(&s->env, &cfg);
	gk_assert_ok(gsakmp_group_set_token(
		s->group, gk_buf_slice(&s->w->token), now_is(), NULL));
	while (gsakmp_group_poll(s->group, &out))
		if (out.kind == GSAKMP_OUT_COMMIT)
			commit(s, &out);
}

/* What the store has is the group as it is. */
static void
compare_with_store(struct shared *s)
{
	const struct gsakmp_group_config cfg = {
		.party = s->w->party,
		.group_id_type = GSAKMP_GROUPID_OCTET_STRING,
		.group_id = s->w->group_id,
	};
	struct gsakmp_group *again = gsakmp_group_new(&s->env, &cfg);
	struct gsakmp_group_status a, b;

	for (size_t t = 0; gsakmp_group_table(t) != NULL; t++)
		for (size_t i = 0; i < s->store.n; i++)
			if (strcmp(s->store.row[i].table,
			           gsakmp_group_table(t)) == 0)
				gk_assert_ok(gsakmp_group_load(
					again, gsakmp_group_table(t),
					gk_buf_slice(&s->store.row[i].key),
					gk_buf_slice(&s->store.row[i].value)));
	gk_assert_ok(gsakmp_group_load_end(again, now_is()));
	gsakmp_group_status(s->group, &a);
	gsakmp_group_status(again, &b);
	assert_int_equal(a.n_members, b.n_members);
	assert_int_equal(a.sequence, b.sequence);
	assert_int_equal(a.gtpk.handle, b.gtpk.handle);
	gsakmp_group_free(again);
}

GK_TEST(rfc4535_5_2_1_1_21, workers_and_rekeys_at_the_same_time)
{
	const struct world_config cfg = { .suite = WORLD_P256,
		                          .seed = 9,
		                          .event = GPT_REKEY_EVENT_TIME,
		                          .event_time = 3600 };
	struct shared s = { .store_lock = PTHREAD_MUTEX_INITIALIZER };
	struct gsakmp_group_status status;
	struct worker worker[WORKERS] = { { 0 } };
	pthread_t tender;
	char cn[16];

	s.w = world_new(&cfg);
	start(&s);
	/* members draw from the same thread-safe source */
	s.w->env = s.env;
	for (unsigned k = 0; k < WORKERS; k++) {
		worker[k].s = &s;
		for (unsigned i = 0; i < MEMBERS; i++) {
			snprintf(cn, sizeof(cn), "w%u-%u", k, i);
			worker[k].member[i] = world_member_add(s.w, cn);
		}
	}
	pthread_create(&tender, NULL, tend, &s);
	for (unsigned k = 0; k < WORKERS; k++)
		pthread_create(&worker[k].thread, NULL, work, &worker[k]);
	for (unsigned k = 0; k < WORKERS; k++) {
		pthread_join(worker[k].thread, NULL);
		assert_int_equal(worker[k].active, MEMBERS);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	pthread_join(tender, NULL);
	gsakmp_group_status(s.group, &status);
	assert_int_equal(status.n_members, WORKERS * MEMBERS);
	assert_true(s.rekeys > 0);
	compare_with_store(&s);
	gsakmp_group_free(s.group);
	world_store_clear(&s.store);
	world_free(s.w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_1_21, workers_and_rekeys_at_the_same_time),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/threads", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}
