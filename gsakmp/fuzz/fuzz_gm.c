/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gsakmp/fuzz/fuzz_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* One member in each state, and the messages that it would take next. */
enum { IDLE, JOINING, MEMBER, DEPARTING, PARTIES };
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

static void
deaf(size_t i, bool on)
{
	simnet_cut(lab.w->net, lab.w->member[i]->node, on);
}

static void
open_lab(void)
{
	/* An error in a Key Download ends a join (section 5.2.1.2); so that the
	 * oracle holds, not in one that does not authenticate. */
	const struct world_config cfg = { .suite = WORLD_P256,
		                          .verbose = true,
		                          .seed = 12,
		                          .event = GPT_REKEY_EVENT_TIME,
		                          .event_time = 3600,
		                          .gm.drop_forged_keydl = true };
	static const char *const cn[PARTIES] = { "idle", "joining", "member",
		                                 "departing" };
	struct world_seen *server;
	struct gk_buf *sent;

	lab.w = world_new(&cfg);
	for (size_t i = 0; i < PARTIES; i++)
		world_member_add(lab.w, cn[i]);
	server = &lab.w->seen;
	world_join(lab.w->member[MEMBER]);
	world_join(lab.w->member[DEPARTING]);
	world_pass(lab.w, 2000);
	/* a Rekey Event that nobody has heard; the token of its own */
	for (size_t i = 0; i < PARTIES; i++)
		deaf(i, true);
	if (world_rekey(lab.w) != GK_OK)
		abort();
	keep(0, &server->last_sent[GSAKMP_EXCHANGE_REKEY_EVENT]);
	world_token(lab.w);
	if (world_publish(lab.w, NULL) != GK_OK)
		abort();
	keep(1, &server->last_sent[GSAKMP_EXCHANGE_REKEY_EVENT]);
	/* a Key Download and a Departure Response on their way */
	deaf(JOINING, false);
	deaf(DEPARTING, false);
	world_join(lab.w->member[JOINING]);
	if (gsakmp_gm_leave(lab.w->member[DEPARTING]->gm, true,
	                    simnet_now(lab.w->net)) != GK_OK)
		abort();
	world_drain_member(lab.w->member[DEPARTING]);
	deaf(JOINING, true);
	deaf(DEPARTING, true);
	sent = lab.w->member[JOINING]->seen.last_sent;
	(void)!world_to_server(
		lab.w, gk_buf_slice(&sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN]),
		lab.w->member[JOINING]->node);
	keep(2, &server->last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD]);
	sent = lab.w->member[DEPARTING]->seen.last_sent;
	(void)!world_to_server(
		lab.w, gk_buf_slice(&sent[GSAKMP_EXCHANGE_REQUEST_TO_DEPART]),
		lab.w->member[DEPARTING]->node);
	keep(3, &server->last_sent[GSAKMP_EXCHANGE_DEPARTURE_RESPONSE]);
	keep(4, &sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK]);
	keep(5, &sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN]);
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
try(const struct gk_buf *msg, unsigned who)
{
	struct world_member *m = lab.w->member[who % PARTIES];
	uint8_t before[32], after[32];
	enum gk_err err;

	gsakmp_gm_digest(m->gm, before);
	err = world_to_member(m, gk_buf_slice(msg));
	gsakmp_gm_digest(m->gm, after);
	if (err != GK_OK && memcmp(before, after, sizeof(before)) != 0)
		abort();
	if (memcmp(before, after, sizeof(before)) != 0)
		close_lab();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_buf msg = { 0 };
	struct gk_slice from;

	if (len < 2)
		return 0;
	if (lab.w == NULL)
		open_lab();
	from = data[1] == 0xff ? (struct gk_slice){ data + 2, len - 2 }
	                       : gk_buf_slice(&lab.msg[data[1] % MESSAGES]);
	if (gk_buf_copy(&msg, from) != GK_OK)
		abort();
	if (data[1] != 0xff)
		fuzz_spoil(&msg, data + 2, len - 2);
	try(&msg, data[0]);
	gk_buf_free(&msg);
	return 0;
}
