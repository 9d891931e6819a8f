/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/tests/fixture.h"
#include "interop/bench/bench.h"

/*
 * From an eviction to the last member that holds the new key.
 *
 *     bench_evict MEMBERS LOSS_PER_MILLE [--resend N] [--seed S]
 *
 * Real engines, registered in full, over a simulated network that loses
 * datagrams by seed: a tenth of a millisecond to five of latency each way.  Time
 * is the protocol's and does not depend on this machine; what the processors did
 * meanwhile is counted beside it.
 */
#define STEP_MS 1
#define PATIENCE_MS (300 * 1000)

static void
certify_and_join(struct world *w, unsigned members)
{
	char cn[32];

	for (unsigned i = 0; i < members; i++) {
		snprintf(cn, sizeof(cn), "m%05u", i);
		world_join(world_member_add(w, cn));
		if (i % 50 == 49)
			world_pass(w, 20);
		if (i % 200 == 199)
			bench_say("%u of %u members", i + 1, members);
	}
	world_pass(w, 30 * 1000);
	for (int i = 0; i < 20 && world_in_step(w) < members; i++)
		world_pass(w, 10 * 1000);
	if (world_in_step(w) != members)
		bench_die("only %zu of %u members joined", world_in_step(w),
		          members);
}

static json_t *
wait_for_all(struct world *w, size_t want, uint64_t *first, uint64_t *half,
             uint64_t *last, uint64_t *cpu)
{
	json_t *line = json_array();
	uint64_t start = simnet_now(w->net).mono_ms;
	size_t seen = 0;

	*first = *half = *last = 0;
	for (uint64_t ms = 0; seen < want && ms < PATIENCE_MS; ms += STEP_MS) {
		uint64_t before = bench_cpu_ns();
		size_t n;

		world_pass(w, STEP_MS);
		*cpu += bench_cpu_ns() - before; /* without the counting */
		n = world_in_step(w);
		if (n == seen)
			continue;
		*last = simnet_now(w->net).mono_ms - start;
		if (seen == 0)
			*first = *last;
		if (seen < want / 2 && n >= want / 2)
			*half = *last;
		seen = n;
		json_array_append_new(line, json_pack("[f, I]",
		                                      (double)*last / 1000.0,
		                                      (json_int_t)n));
	}
	return line;
}

int
main(int argc, char **argv)
{
	struct world_config cfg = world_plain(1);
	struct simnet_weather weather = { .latency_min = 0, .latency_max = 5 };
	const struct simnet_counters *net;
	uint64_t first, half, last, cpu, sent;
	unsigned members, rejoined = 0;
	size_t reached;
	struct world *w;
	json_t *line;

	if (argc < 3)
		bench_die("bench_evict MEMBERS LOSS_PER_MILLE [--resend N] "
		          "[--seed S]");
	members = (unsigned)atoi(argv[1]);
	weather.loss = (unsigned)atoi(argv[2]);
	cfg.suite = WORLD_P256;
	cfg.event = GPT_REKEY_EVENT_TIME;
	cfg.event_time = 86400;
	cfg.interval = 60;
	cfg.resend = 3;
	cfg.group.join_window_ms = 1000;
	for (int i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--resend") == 0)
			cfg.resend = (unsigned)atoi(argv[i + 1]);
		else if (strcmp(argv[i], "--seed") == 0)
			cfg.seed = (uint64_t)atoll(argv[i + 1]);
	}
	w = world_new(&cfg);
	certify_and_join(w, members);
	bench_say("eviction with a loss of %.1f %%", weather.loss / 10.0);
	simnet_weather(w->net, &weather);
	net = simnet_counters(w->net);
	sent = net->sent;
	for (unsigned i = 0; i < members; i++)
		w->member[i]->seen.count[GSAKMP_OUT_JOINED] = 0;
	cpu = bench_cpu_ns();
	BENCH_MUST(world_evict(w, w->member[members / 2]->peer));
	cpu = bench_cpu_ns() - cpu;
	line = wait_for_all(w, members - 1, &first, &half, &last, &cpu);
	reached = world_in_step(w);
	for (unsigned i = 0; i < members; i++)
		rejoined += w->member[i]->seen.count[GSAKMP_OUT_JOINED] != 0;
	bench_print(json_pack(
		"{s:i, s:f, s:i, s:I, s:f, s:f, s:f, s:i, s:I, s:I, s:o}",
		"members", (int)members, "loss", weather.loss / 1000.0,
		"resend", (int)cfg.resend, "reached", (json_int_t)reached,
		"first_s", (double)first / 1000.0, "half_s",
		(double)half / 1000.0, "last_s", (double)last / 1000.0,
		"rejoined", (int)rejoined, "datagrams",
		(json_int_t)(net->sent - sent), "cpu_ns", (json_int_t)cpu,
		"timeline", line));
	world_free(w);
	gk_pki_keys_free();
	return 0;
}
