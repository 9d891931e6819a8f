/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/engine/group_state.h"
#include "gsakmp/message/message.h"
#include "gsakmp/tests/fixture.h"

/*
 * A rekey with more octets than are signed in a row: RFC 4535 sections 5.3.1 and
 * 7.1.1.  The parts follow each other, with others' turns between them, and
 * together they are what one piece would have been.
 */
#define MEMBERS 16384
#define LEAVE (MEMBERS / 2) /* every other one: each who stays needs a wrap */
#define PART (4 << 20)      /* octets, and one message more at most */

/* Members of an hour ago, without their registrations. */
static void
seat_all(struct world *w)
{
	static uint8_t octets[1];
	struct gk_lkh_plan plan;

	for (unsigned i = 0; i < MEMBERS; i++) {
		struct gsakmp_member_info info = { .id_type =
			                                   GSAKMP_ID_DN_STRING,
			                           .der = { octets, 1 } };
		struct gk_member *m;
		char name[32];

		snprintf(name, sizeof(name), "dn:CN=m%u", i);
		gk_assert_ok(gk_group_join(w->group->data, gk_slice_str(name),
		                           simnet_now(w->net).utc_s, &m));
		info.signer_id = (struct gk_buf){ (uint8_t *)name + 3,
			                          strlen(name) - 3 };
		gk_assert_ok(gsakmp_group_member_put(w->group, m, &info));
		gk_assert_ok(gk_group_member_state(w->group->data, m,
		                                   GK_MEMBER_ACTIVE));
	}
	gk_assert_ok(gk_group_seal(w->group->data, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
}

/* What one drain saw. */
struct part {
	size_t octets, longest;
	uint32_t first, last; /* Sequence IDs */
	unsigned events, gaps;
};

#define STORED_MAX 100000

/* Of which Sequence IDs the store has the Rekey Event; others do not matter here. */
static bool stored[STORED_MAX];

static void
note_events(const struct gk_journal *journal)
{
	for (size_t i = 0; i < gk_journal_count(journal); i++) {
		struct gk_change c = gk_journal_at(journal, i);
		uint32_t sequence;
		struct gk_rd rd;

		if (c.kind != GK_JOURNAL_PUT && c.kind != GK_JOURNAL_DEL)
			memset(stored, 0, sizeof(stored));
		else if (strcmp(c.table, GSAKMP_TABLE_EVENT) == 0) {
			gk_rd_init(&rd, c.key.ptr, c.key.len);
			sequence = gk_rd_u32(&rd, "Sequence ID");
			if (sequence < STORED_MAX)
				stored[sequence] = c.kind == GK_JOURNAL_PUT;
		}
	}
}

static void
commit(struct world *w, uint64_t ticket, bool ok)
{
	struct gk_commits *c = gsakmp_group_commits(w->group);
	const struct gk_journal *journal = gk_commits_begin(c, ticket);

	if (journal != NULL && ok)
		note_events(journal);
	if (journal != NULL)
		gk_commits_end(c, ok);
	else
		(void)gk_commits_done(c, ticket);
}

static struct part
drain(struct world *w, bool ok)
{
	struct part p = { 0 };
	struct gsakmp_output out;

	while (gsakmp_group_poll(w->group, &out)) {
		if (out.kind == GSAKMP_OUT_COMMIT)
			commit(w, out.ticket, ok);
		if (out.kind != GSAKMP_OUT_MULTICAST || !ok)
			continue;
		p.octets += out.dgram.len;
		if (out.dgram.len > p.longest)
			p.longest = out.dgram.len;
		if (p.events++ == 0)
			p.first = out.sequence;
		else
			p.gaps += out.sequence != p.last + 1;
		p.last = out.sequence;
	}
	return p;
}

static void
evict_half(struct world *w)
{
	static char name[LEAVE][32];
	static const char *peer[LEAVE];

	for (unsigned i = 0; i < LEAVE; i++) {
		snprintf(name[i], sizeof(name[i]), "dn:CN=m%u", 2 * i + 1);
		peer[i] = name[i];
	}
	gk_assert_ok(
		gsakmp_group_evict(w->group, peer, LEAVE, simnet_now(w->net)));
}

static struct world *
large_world(void)
{
	struct world_config cfg = { .suite = WORLD_P256,
		                    .event = GPT_REKEY_EVENT_TIME,
		                    .event_time = 86400,
		                    .seed = 9 };
	struct world *w = world_new(&cfg);

	seat_all(w);
	drain(w, true);
	return w;
}

static bool
at_once(struct world *w)
{
	return gsakmp_group_deadline(w->group) <= simnet_now(w->net).mono_ms;
}

GK_TEST(rfc4535_7_1_1_11, parts_of_a_large_rekey_follow_each_other)
{
	struct world *w = large_world();
	size_t planned, sent = 0;
	unsigned parts = 0;
	uint32_t last = 0;

	evict_half(w);
	planned = gk_group_sequence(w->group->data);
	do {
		struct part p = drain(w, true);

		assert_true(p.events > 0);
		assert_int_equal(p.gaps, 0);
		assert_true(p.octets < PART + p.longest);
		if (parts++ != 0)
			assert_int_equal(p.first, last + 1);
		last = p.last;
		sent += p.octets;
		if (!at_once(w))
			break;
		gk_assert_ok(gsakmp_group_tick(w->group, simnet_now(w->net)));
	} while (parts < 100);
	assert_true(parts >= 2);
	assert_true(sent > PART);
	assert_int_equal(last, planned);
	assert_null(w->group->first_event);
	assert_null(w->group->sent);
	world_free(w);
}

/* What the store refused comes first when it is well again, and then the rest. */
GK_TEST(rfc4535_7_1_1_12, parts_wait_for_the_store)
{
	struct world *w = large_world();
	uint32_t first = gk_group_sequence(w->group->data) + 1;
	struct gk_now now;
	struct part p;

	evict_half(w);
	p = drain(w, false);
	assert_int_equal(p.events, 0);
	assert_int_equal(w->group->first_event->sequence, first);
	now = simnet_now(w->net);
	now.mono_ms += 2000;
	assert_true(gsakmp_group_deadline(w->group) <= now.mono_ms);
	gk_assert_ok(gsakmp_group_tick(w->group, now));
	p = drain(w, true);
	assert_int_equal(p.first, first);
	assert_int_equal(p.gaps, 0);
	assert_true(at_once(w));
	gk_assert_ok(gsakmp_group_tick(w->group, now));
	assert_int_equal(drain(w, true).first, p.last + 1);
	world_free(w);
}

static void
assert_stored(uint32_t first, uint32_t last)
{
	for (uint32_t s = first; s <= last; s++)
		assert_true(stored[s]);
}

/* All that is durable, with nothing sent. */
static void
commit_alone(struct world *w)
{
	struct gsakmp_output out;

	do
		assert_true(gsakmp_group_poll(w->group, &out));
	while (out.kind != GSAKMP_OUT_COMMIT);
	commit(w, out.ticket, true);
}

/* A key server may be killed between any two parts: the store has all that was
 * not sent yet before the first of it leaves, and keeps it when another rekey
 * comes in between. */
GK_TEST(rfc4535_7_1_1_12, what_was_not_sent_is_stored_for_as_long)
{
	struct world *w = large_world();
	uint32_t first = gk_group_sequence(w->group->data) + 1, last;
	struct part p;

	evict_half(w);
	last = gk_group_sequence(w->group->data);
	assert_true(last < STORED_MAX);
	commit_alone(w);
	assert_stored(first, last);
	p = drain(w, true);
	assert_true(p.first == first && p.last < last);
	gk_assert_ok(gsakmp_group_rekey(w->group, simnet_now(w->net)));
	while (p.last != last + 1) {
		uint32_t before = p.last;

		commit_alone(w);
		assert_stored(before + 1, last + 1);
		p = drain(w, true);
		assert_int_equal(p.first, before + 1);
		assert_int_equal(p.gaps, 0);
		gk_assert_ok(gsakmp_group_tick(w->group, simnet_now(w->net)));
	}
	assert_int_equal(gk_group_sequence(w->group->data), last + 1);
	assert_null(w->group->first_event);
	/* What all have is forgotten by the one after. */
	gk_assert_ok(gsakmp_group_rekey(w->group, simnet_now(w->net)));
	p = drain(w, true);
	assert_int_equal(p.last, last + 2);
	assert_true(stored[last + 2]);
	assert_false(stored[first] || stored[last] || stored[last + 1]);
	world_free(w);
}

/* ---- killed between two parts ------------------------------------------- */

#define HEARD_MAX 64

/* The payloads of the Rekey Events that were on the wire, by Sequence ID. */
static struct heard {
	uint32_t sequence;
	struct gk_buf payloads;
	unsigned times;
} heard[HEARD_MAX];
static size_t n_heard;

static void
hear(void *ctx, unsigned from, struct gk_slice dgram)
{
	const struct world *w = ctx;
	const struct gsakmp_parse how = { .dialect = &w->cfg.dialect };
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gsakmp_reject why;
	struct gk_buf payloads = { 0 };
	size_t i = 0;

	(void)from;
	gk_assert_ok(
		gsakmp_message_parse(&how, dgram.ptr, dgram.len, msg, &why));
	for (size_t n = 0; n < msg->n_rekey_events; n++)
		gk_assert_ok(
			gk_buf_append(&payloads, msg->rekey_event[n].data));
	while (i < n_heard && heard[i].sequence != msg->header.sequence)
		i++;
	if (msg->header.exchange == GSAKMP_EXCHANGE_REKEY_EVENT) {
		assert_true(i < HEARD_MAX);
		if (heard[i].times++ != 0)
			assert_true(
				gk_slice_equal(gk_buf_slice(&heard[i].payloads),
			                       gk_buf_slice(&payloads)));
		heard[i].sequence = msg->header.sequence;
		gk_buf_free(&heard[i].payloads);
		heard[i].payloads = payloads;
		payloads = (struct gk_buf){ 0 };
		n_heard += i == n_heard;
	}
	gk_buf_free(&payloads);
	test_free(msg);
}

/* After the first few parts have left: all go out once more, each as it was and
 * under its own Sequence ID, and the next rekey has the next one. */
GK_TEST(rfc4535_7_1_1_12, a_kill_between_parts_repeats_none_for_another)
{
	struct world_config cfg = { .suite = WORLD_P256,
		                    .event = GPT_REKEY_EVENT_TIME,
		                    .event_time = 86400,
		                    .seed = 10,
		                    .group = { .rekey_message = 700,
		                               .no_rekey_certs = true } };
	struct world *w = world_joined(&cfg, 32);
	struct gsakmp_output out;
	const char *peer[8];
	uint32_t first, last;
	unsigned sent = 0;

	world_pass(w, 3000);
	for (unsigned i = 0; i < GK_COUNT(peer); i++)
		peer[i] = w->member[4 * i]->peer;
	first = world_status(w).sequence + 1;
	gk_assert_ok(gsakmp_group_evict(w->group, peer, GK_COUNT(peer),
	                                simnet_now(w->net)));
	last = world_status(w).sequence;
	assert_true(last > first + 2);
	simnet_tap(w->net, hear, w);
	/* all is stored, two parts leave, and it is killed */
	while (sent < 2 && gsakmp_group_poll(w->group, &out)) {
		if (out.kind == GSAKMP_OUT_COMMIT)
			assert_true(world_store_commit(&w->store, &out));
		if (out.kind != GSAKMP_OUT_MULTICAST)
			continue;
		hear(w, 0, out.dgram);
		sent++;
	}
	assert_int_equal(sent, 2);
	world_restart(w);
	world_pass(w, 3000);
	assert_int_equal(n_heard, last - first + 1);
	for (size_t i = 0; i < n_heard; i++) {
		assert_int_equal(heard[i].sequence, first + i);
		assert_int_equal(heard[i].times, i < 2 ? 2 : 1);
	}
	assert_int_equal(world_in_step(w), 32 - GK_COUNT(peer));
	gk_assert_ok(world_rekey(w));
	world_pass(w, 3000);
	assert_int_equal(heard[last - first + 1].sequence, last + 1);
	assert_int_equal(heard[last - first + 1].times, 1);
	assert_int_equal(world_in_step(w), 32 - GK_COUNT(peer));
	for (size_t i = 0; i < n_heard; i++)
		gk_buf_free(&heard[i].payloads);
	world_free(w);
}

/* The end of a group is not kept waiting by what nobody needs any more. */
GK_TEST(rfc4535_5_3_1_3_02, the_end_between_two_parts_is_the_next_message)
{
	struct world *w = large_world();
	struct part p;

	evict_half(w);
	drain(w, true);
	assert_true(at_once(w));
	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	p = drain(w, true);
	assert_int_equal(p.events, 1);
	assert_int_equal(p.first, GSAKMP_SEQUENCE_DESTROY);
	assert_false(at_once(w));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_1_1_11,
		       parts_of_a_large_rekey_follow_each_other),
		GK_RUN(rfc4535_7_1_1_12, parts_wait_for_the_store),
		GK_RUN(rfc4535_7_1_1_12,
		       what_was_not_sent_is_stored_for_as_long),
		GK_RUN(rfc4535_7_1_1_12,
		       a_kill_between_parts_repeats_none_for_another),
		GK_RUN(rfc4535_5_3_1_3_02,
		       the_end_between_two_parts_is_the_next_message),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/rekey_parts", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
