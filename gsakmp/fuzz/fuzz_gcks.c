/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gsakmp/fuzz/fuzz_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/*
 * A key server with a member that wants in, one whose registration waits for
 * its acknowledgement, a member, and one that is departing.
 */
enum { STRANGER, PENDING, MEMBER, DEPARTING, PARTIES };
enum { MESSAGES = 6 };

static struct {
	struct world *w;
	struct gk_buf msg[MESSAGES];
} lab;

static void
keep(size_t i, const struct gk_buf *b)
{
	if (gk_buf_copy(&lab.msg[i], gk_buf_slice(b)) != GK_OK)
		abort();
}

/* Let the member send, but keep what it sends from the key server. */
static void
hold(bool on)
{
	simnet_weather(lab.w->net,
	               &(struct simnet_weather){ .loss = on ? 1000 : 0,
	                                         .latency_min = 1,
	                                         .latency_max = 1 });
}

static void
open_lab(void)
{
	const struct world_config cfg = { .suite = WORLD_P256,
		                          .verbose = true,
		                          .seed = 11,
		                          .event = GPT_REKEY_EVENT_TIME,
		                          .event_time = 3600 };
	static const char *const cn[PARTIES] = { "stranger", "pending",
		                                 "member", "departing" };
	struct world_member *m[PARTIES];

	lab.w = world_new(&cfg);
	for (size_t i = 0; i < PARTIES; i++)
		m[i] = world_member_add(lab.w, cn[i]);
	world_join(m[MEMBER]);
	world_join(m[DEPARTING]);
	world_pass(lab.w, 2000);

	/* Key Download - Ack/Failure that has not arrived */
	world_join(m[PENDING]);
	world_pass(lab.w, 1);
	hold(true);
	world_pass(lab.w, 10);
	keep(1, &m[PENDING]->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK]);
	/* Request to Join that has not arrived */
	world_join(m[STRANGER]);
	keep(0, &m[STRANGER]->seen.last_sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN]);
	/* Request to Depart that has not arrived */
	if (gsakmp_gm_leave(m[MEMBER]->gm, true, simnet_now(lab.w->net)) !=
	    GK_OK)
		abort();
	world_drain_member(m[MEMBER]);
	keep(2, &m[MEMBER]->seen.last_sent[GSAKMP_EXCHANGE_REQUEST_TO_DEPART]);
	/* Departure ACK that has not arrived */
	hold(false);
	if (gsakmp_gm_leave(m[DEPARTING]->gm, true, simnet_now(lab.w->net)) !=
	    GK_OK)
		abort();
	world_drain_member(m[DEPARTING]);
	world_pass(lab.w, 1);
	hold(true);
	world_pass(lab.w, 10);
	keep(3, &m[DEPARTING]->seen.last_sent[GSAKMP_EXCHANGE_DEPARTURE_ACK]);
	/* what is not for a key server at all */
	keep(4, &lab.w->seen.last_sent[GSAKMP_EXCHANGE_REKEY_EVENT]);
	keep(5, &lab.w->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD]);
}

static void
close_lab(void)
{
	world_free(lab.w);
	lab.w = NULL;
	for (size_t i = 0; i < MESSAGES; i++)
		gk_buf_free(&lab.msg[i]);
}

static void
try(const struct gk_buf *msg, unsigned from)
{
	uint8_t before[32], after[32];
	enum gk_err err;

	gsakmp_group_digest(lab.w->group, before);
	err = world_to_server(lab.w, gk_buf_slice(msg),
	                      lab.w->member[from % PARTIES]->node);
	gsakmp_group_digest(lab.w->group, after);
	if (err != GK_OK && memcmp(before, after, sizeof(before)) != 0)
		abort();
	if (memcmp(before, after, sizeof(before)) != 0)
		close_lab(); /* the next input finds it as this one did */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_buf msg = { 0 };

	if (len < 2)
		return 0;
	if (lab.w == NULL)
		open_lab();
	if (data[1] == 0xff) {
		if (gk_buf_copy(&msg, (struct gk_slice){ data + 2, len - 2 }) !=
		    GK_OK)
			abort();
	} else {
		if (gk_buf_copy(&msg,
		                gk_buf_slice(&lab.msg[data[1] % MESSAGES])) !=
		    GK_OK)
			abort();
		fuzz_spoil(&msg, data + 2, len - 2);
	}
	try(&msg, data[0]);
	gk_buf_free(&msg);
	return 0;
}
