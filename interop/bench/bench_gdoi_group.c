/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_memory.h"
#include "gdoi/engine/group_state.h"
#include "gdoi/message/lkh_wrap.h"
#include "gdoi/tests/group_world.h"
#include "interop/bench/bench.h"

/*
 * Evictions from a large GDOI group: datagrams, octets, processor time.
 *
 *     bench_gdoi_group MEMBERS [--degree N] [--seconds S] [--message OCTETS]
 *
 * The group is the key server's own object, as the daemon has it.  Members get
 * their leaves by the calls that a registration makes; only the cryptography of
 * phase 1 is left out.  Journal rows are made and thrown away.
 */
struct seen {
	size_t datagrams, octets, largest;
};

static struct gw world;
static const size_t batches[] = { 1, 10, 100, 1000 };

static struct seen
drain(void)
{
	struct gdoi_output out;
	struct seen s = { 0 };

	while (gdoi_group_poll(world.group, &out)) {
		if (out.kind == GDOI_OUT_COMMIT)
			BENCH_NEED(gw_commit(&world, out.ticket));
		if (out.kind != GDOI_OUT_MULTICAST)
			continue;
		s.datagrams++;
		s.octets += out.dgram.len;
		if (out.dgram.len > s.largest)
			s.largest = out.dgram.len;
	}
	return s;
}

static void
seat(uint32_t count)
{
	uint64_t said = bench_wall_ns();
	struct gw_member m;

	for (uint32_t i = 0; i < count; i++) {
		memset(&m, 0, sizeof(m));
		gw_identity(&m, i);
		BENCH_MUST(gw_admit(&world, &m));
		gk_buf_free(&m.name);
		if (bench_wall_ns() - said > 2000000000u) {
			said = bench_wall_ns();
			bench_say("%u of %u members", i + 1, count);
		}
	}
	/* Their joins are settled before anybody goes. */
	BENCH_MUST(gdoi_group_rekey(world.group, GDOI_REKEY_ALL, world.now));
	(void)drain();
}

/* What OpenSSL alone needs for the same. */
struct alone {
	double sign, wrap, hash_octet;
};

/* A wrap of IV and key in CBC; no IV is drawn for it. */
static struct alone
reference(double seconds)
{
	struct bench_reference p256 =
		bench_reference(bench_suite("p256"), 1, seconds);
	struct bench_reference cbc =
		bench_reference(bench_suite("rsa2048-modp2048"), 1, seconds);
	double octets = (double)gdoi_lkh_plain_len(GK_CIPHER_AES_CBC_128);

	return (struct alone){ .sign = p256.sign,
		               .wrap = cbc.wrap - cbc.draw +
		                       octets * cbc.wrap_octet,
		               .hash_octet = p256.hash_octet };
}

static json_t *
describe(size_t batch, const struct seen *s, size_t wraps, uint64_t cpu,
         const struct alone *ref)
{
	double signatures = (double)s->datagrams * ref->sign;
	double others =
		(double)wraps * ref->wrap + (double)s->octets * ref->hash_octet;
	json_t *o = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:f}", "evicted", (json_int_t)batch,
		"datagrams", (json_int_t)s->datagrams, "octets",
		(json_int_t)s->octets, "largest", (json_int_t)s->largest,
		"cpu_ns", (json_int_t)cpu, "signatures_ns", signatures);

	BENCH_NEED(json_object_update_new(
			   o, json_pack("{s:I, s:f, s:f}", "wraps",
	                                (json_int_t)wraps, "cpu_ratio",
	                                (double)cpu / (others + ref->sign),
	                                "cpu_ratio_signatures",
	                                (double)cpu / (others + signatures))) ==
	           0);
	return o;
}

/* Spread over the tree, none of them twice. */
static json_t *
evict(uint32_t members, size_t batch, uint32_t *used, const struct alone *ref)
{
	char **peer = calloc(batch, sizeof(char *));
	uint64_t start, cpu, wraps;
	struct seen s;

	BENCH_NEED(peer != NULL);
	for (size_t i = 0; i < batch; i++) {
		uint32_t n =
			(uint32_t)((uint64_t)(*used)++ * 2654435761u % members);
		struct gw_member m = { .n_keks = 0 };

		gw_identity(&m, n);
		peer[i] = calloc(1, m.name.len + 1);
		BENCH_NEED(peer[i] != NULL);
		memcpy(peer[i], m.name.ptr, m.name.len);
		gk_buf_free(&m.name);
	}
	world.now.utc_s += 60;
	world.now.mono_ms += 60000;
	BENCH_MUST(gdoi_group_tick(world.group, world.now));
	(void)drain();
	wraps = world.group->wraps;
	start = bench_thread_ns();
	BENCH_MUST(gdoi_group_evict(world.group, (const char *const *)peer,
	                            batch, world.now));
	s = drain();
	cpu = bench_thread_ns() - start;
	for (size_t i = 0; i < batch; i++)
		free(peer[i]);
	free(peer);
	bench_say("%zu evicted", batch);
	return describe(batch, &s, world.group->wraps - wraps, cpu, ref);
}

int
main(int argc, char **argv)
{
	uint32_t members = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct alone ref;
	json_t *operations = json_array();
	double seconds = 1;
	uint32_t used = 0;

	BENCH_NEED(members > 1);
	gkd_memory_keep(); /* as the key server does */
	gw_init(&world, 1);
	/* No counter mode: 2^8 sender ids would be gone long before. */
	gw_set_data(&world, 1, &gw_esp_cbc);
	world.template.sid_bits = 0;
	world.cfg.members_max = members;
	world.no_store = true;
	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--degree") == 0)
			world.template.rekey.lkh_degree =
				(unsigned)strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--seconds") == 0)
			seconds = strtod(argv[i + 1], NULL);
		else if (strcmp(argv[i], "--message") == 0)
			world.cfg.push_max = strtoul(argv[i + 1], NULL, 10);
		else
			bench_die("bench_gdoi_group: what is '%s'?", argv[i]);
	}
	gw_open(&world);
	seat(members);
	ref = reference(seconds / 2);
	for (size_t i = 0; i < GK_COUNT(batches); i++)
		if (batches[i] * 4 <= members)
			json_array_append_new(
				operations,
				evict(members, batches[i], &used, &ref));
	bench_print(json_pack("{s:I, s:f, s:f, s:o}", "members",
	                      (json_int_t)members, "sign_ns", ref.sign,
	                      "wrap_ns", ref.wrap, "operations", operations));
	gw_free(&world);
	return 0;
}
