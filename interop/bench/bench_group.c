/* SPDX-License-Identifier: BSD-2-Clause */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_crypto.h"
#include "common/daemon/gkd_memory.h"
#include "common/lkh/gk_lkh_tree.h"
#include "interop/bench/bench_group.h"
#include "interop/bench/minimum.h"

/*
 * A large group at its key server: memory for each member, and what a join, a
 * leave and batches of them cost.
 *
 *     bench_group MEMBERS [--degree N] [--minimal yes] [--store FILE]
 *             [--seconds S] [--only COUNT] [--repeats N] [--many ROWS]
 *             [--restart yes]
 *
 * The group is the key server's own object, as the daemon has it.  Its members
 * get their seats, keys and records by the calls that a registration makes;
 * only the cryptography of registering is left out, for a million times two
 * milliseconds is half an hour.
 */
#define CERTIFICATE 800 /* octets; a usual one with an RSA key */

static uint64_t
random_of(struct bench *b)
{
	b->seed ^= b->seed << 13;
	b->seed ^= b->seed >> 7;
	b->seed ^= b->seed << 17;
	return b->seed;
}

/* Everything the group has to say; only its own work is timed.  The clock is
 * read around the store only: reading it for each output would be the larger
 * part of what is measured. */
static void
drain(struct bench *b, struct result *r)
{
	struct gsakmp_output out;
	uint64_t start = bench_thread_ns();

	while (gsakmp_group_poll(b->g, &out)) {
		if (out.kind == GSAKMP_OUT_COMMIT) {
			r->rows_ns += bench_thread_ns() - start;
			bench_commit(b, out.ticket, r);
			start = bench_thread_ns();
		}
		if (out.kind == GSAKMP_OUT_MULTICAST) {
			r->datagrams++;
			r->octets += out.dgram.len;
		}
	}
	r->rows_ns += bench_thread_ns() - start;
}

/* ---- members ------------------------------------------------------------ */

static void
add_member(struct bench *b, int64_t utc)
{
	static uint8_t cert[CERTIFICATE];
	static uint8_t authority[20] = "key identifier of CA";
	struct gsakmp_member_info info = { .id_type = GSAKMP_ID_DN_STRING,
		                           .rtj_utc = utc,
		                           .n_ca = 1 };
	struct gk_member *m;
	char name[64];

	snprintf(name, sizeof(name), "dn:CN=member-%07u,O=Members", b->next++);
	BENCH_MUST(gk_group_join(b->g->data, gk_slice_str(name), utc, &m));
	info.der = (struct gk_buf){ cert, sizeof(cert) };
	info.ca[0] = (struct gk_buf){ authority, sizeof(authority) };
	info.signer_id =
		(struct gk_buf){ (uint8_t *)name + 3, strlen(name) - 3 };
	BENCH_MUST(gsakmp_group_member_put(b->g, m, &info));
	BENCH_MUST(gk_group_member_state(b->g->data, m, GK_MEMBER_ACTIVE));
}

static void
seal(struct bench *b)
{
	struct gk_lkh_plan plan;
	struct result unused = { 0 };

	BENCH_MUST(gk_group_seal(b->g->data, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
	bench_commit(b, gsakmp_group_ticket(b->g), &unused);
}

static void
fill(struct bench *b, uint32_t n, int64_t utc)
{
	uint64_t said = bench_wall_ns();

	for (uint32_t i = 0; i < n; i++) {
		add_member(b, utc);
		if (i % 4096 == 4095)
			seal(b);
		if (i % 4096 == 0 && bench_wall_ns() - said > 2000000000u) {
			said = bench_wall_ns();
			bench_say("%u of %u members", i, n);
		}
	}
	seal(b);
}

/* ---- operations --------------------------------------------------------- */

static void
count_wraps(struct bench *b, struct result *r)
{
	for (const struct gsakmp_event *e = b->g->first_event; e != NULL;
	     e = e->next) {
		struct gsakmp_rekey_event event;
		struct gk_rd all, rd;

		gk_rd_init(&all, e->body.ptr, e->body.len);
		while (gk_rd_left(&all) != 0) {
			struct gk_slice one = gk_rd_vec16(&all, "payload");

			gk_rd_init(&rd, one.ptr, one.len);
			BENCH_MUST(gsakmp_rekey_event_decode(
				&rd, &b->g->dialect, b->g->cfg.group_id.len,
				&event));
			r->wraps += event.count;
			r->wrap_octets += event.data.len;
		}
		BENCH_MUST(gk_rd_done(&all));
	}
}

/* Through all nodes, for the minimum, which takes the caches from who is next. */
static bool
walks(const struct bench *b)
{
	return !b->brief && !b->still;
}

static int
by_id(const void *a, const void *b)
{
	const struct gk_member *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

/* Who leaves: @n of them, by chance. */
static void
pick(struct bench *b, size_t n, struct gk_member **m)
{
	const struct gk_lkh *lkh = gk_group_lkh(b->g->data);
	uint32_t top = gk_lkh_seats(lkh);
	uint8_t *picked = n > 1 ? calloc(1, top + 1) : NULL;

	b->gone = walks(b) ? calloc(1, bench_nodes(lkh) + 1) : NULL;
	BENCH_NEED((picked != NULL || n <= 1) &&
	           (b->gone != NULL || !walks(b)));
	for (size_t i = 0; i < n;) {
		uint32_t seat = (uint32_t)(random_of(b) % top) + 1;

		m[i] = gk_group_find_id(b->g->data, seat);
		if (m[i] == NULL || (picked != NULL && picked[seat]))
			continue;
		if (picked != NULL)
			picked[seat] = 1;
		if (b->gone != NULL)
			bench_lose(lkh, seat, b->gone);
		i++;
	}
	free(picked);
}

/* In the order of their ids, as gk_group_find_several() gives them. */
static void
leave(struct bench *b, size_t n, struct result *r)
{
	struct gk_member **m = calloc(n, sizeof(struct gk_member *));
	struct gsakmp_rekey_cause cause = {
		.refresh = true, .sweep = true, .evict = m, .n_evict = n
	};
	uint64_t start;

	BENCH_NEED(m != NULL);
	pick(b, n, m);
	qsort(m, n, sizeof(struct gk_member *), by_id);
	start = bench_thread_ns();
	BENCH_MUST(gsakmp_group_plan(b->g, &cause, bench_now()));
	r->plan_ns += bench_thread_ns() - start;
	if (!b->brief)
		count_wraps(b, r);
	free(m);
}

/* Leaves in *@before how many there were below each node. */
static void
join(struct bench *b, size_t n, uint32_t **counts, struct result *r)
{
	const struct gsakmp_rekey_cause joins = { 0 };
	const struct gk_lkh *lkh = gk_group_lkh(b->g->data);
	size_t cap = bench_nodes(lkh) * 2 + 1024;
	uint64_t start;

	*counts = walks(b) ? bench_count_members(lkh, cap) : NULL;
	start = bench_thread_ns();
	for (size_t i = 0; i < n; i++)
		add_member(b, bench_now().utc_s);
	BENCH_MUST(gsakmp_group_plan(b->g, &joins, bench_now()));
	r->plan_ns += bench_thread_ns() - start;
	count_wraps(b, r);
	BENCH_NEED(bench_nodes(lkh) <= cap);
}

static size_t
minimum_joined(struct bench *b, uint32_t first, const uint32_t *before)
{
	const struct gk_lkh *lkh = gk_group_lkh(b->g->data);

	b->gone = calloc(1, bench_nodes(lkh) + 1);
	BENCH_NEED(b->gone != NULL);
	for (uint32_t i = first; i < b->next; i++) {
		char name[64];

		snprintf(name, sizeof(name), "dn:CN=member-%07u,O=Members", i);
		bench_lose(lkh,
		           gk_group_find(b->g->data, gk_slice_str(name))->seat,
		           b->gone);
	}
	return bench_minimum_join(lkh, b->gone, before);
}

/* The tree is walked for the minimum when everything is done: between planning
 * and signing it would empty the caches. */
struct result
bench_operate(struct bench *b, bool leaving, size_t n)
{
	uint32_t *before = NULL, first = b->next;
	struct result r = { 0 };
	uint64_t start;

	if (leaving)
		leave(b, n, &r);
	else
		join(b, n, &before, &r);
	do { /* as the key server does: part by part */
		start = bench_thread_ns();
		BENCH_MUST(gsakmp_group_flush(b->g, bench_now()));
		r.sign_ns += bench_thread_ns() - start;
		drain(b, &r);
	} while (b->g->first_event != NULL);
	if (walks(b))
		r.minimum = leaving ? bench_minimum_leave(
					      gk_group_lkh(b->g->data), b->gone)
		                    : minimum_joined(b, first, before);
	free(before);
	free(b->gone);
	b->gone = NULL;
	r.cpu_ns = r.plan_ns + r.sign_ns + r.rows_ns;
	return r;
}

/* As after an operation: commits of about as much, and the walk. */
static void
walk(void *arg)
{
	static uint8_t row[16384];
	const struct gk_slice value = { row, sizeof(row) };
	struct bench *b = arg;
	const struct gk_lkh *lkh = gk_group_lkh(b->g->data);

	if (b->store != NULL) {
		BENCH_MUST(gk_store_put(b->store, gk_slice_str("bench"),
		                        "bench", gk_slice_str("row"), value));
		(void)bench_disk_write(b->disk, sizeof(row));
	}
	b->gone = calloc(1, bench_nodes(lkh) + 1);
	BENCH_NEED(b->gone != NULL);
	(void)bench_minimum_leave(lkh, b->gone);
	free(b->gone);
	b->gone = NULL;
}

/* Of single ones: what OpenSSL needs for them when it is just as cold. */
static void
add_cold(struct bench *b, const struct result *r, json_t *o)
{
	const struct bench_cold cold = {
		.wraps = r->wraps,
		.octets = r->wraps == 0 ? 0 : r->wrap_octets / r->wraps,
		.hashed = r->octets,
		.times = b->repeats,
		.empty = walk,
		.arg = b,
	};
	uint64_t ns = bench_reference_cold(&cold);

	BENCH_NEED(json_object_set_new(o, "crypto_cold_ns",
	                               json_integer((json_int_t)ns)) == 0 &&
	           json_object_set_new(
			   o, "cpu_ratio_cold",
			   json_real((double)r->cpu_ns / (double)ns)) == 0);
}

/* OpenSSL's time for the wraps and one signature, which is over everything that
 * is sent. */
static double
crypto_of(const struct bench *b, const struct result *r)
{
	return (double)r->wraps * b->ref.wrap +
	       (double)r->wrap_octets * b->ref.wrap_octet + b->ref.sign +
	       (double)r->octets * b->ref.hash_octet;
}

static json_t *
describe(const struct bench *b, bool leaving, size_t n, const struct result *r)
{
	double crypto = crypto_of(b, r);
	double all = (double)(r->cpu_ns + r->store_ns + r->fold_ns);
	double signatures =
		crypto - b->ref.sign + (double)r->datagrams * b->ref.sign;
	json_t *o;

	o = json_pack(
		"{s:s, s:I, s:I, s:I, s:f, s:I, s:I, s:f}", "operation",
		leaving ? "leave" : "join", "count", (json_int_t)n, "wraps",
		(json_int_t)r->wraps, "minimum_wraps", (json_int_t)r->minimum,
		"wraps_ratio",
		r->minimum == 0 ? 0.0 : (double)r->wraps / (double)r->minimum,
		"datagrams", (json_int_t)r->datagrams, "octets",
		(json_int_t)r->octets, "octets_per_wrap",
		r->wraps == 0 ? 0.0
			      : (double)r->wrap_octets / (double)r->wraps);
	BENCH_NEED(
		json_object_update_new(
			o,
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, "
	                          "s:I, s:I, s:I, s:f, s:f}",
	                          "plan_ns", (json_int_t)r->plan_ns, "sign_ns",
	                          (json_int_t)r->sign_ns, "rows_ns",
	                          (json_int_t)r->rows_ns, "cpu_ns",
	                          (json_int_t)r->cpu_ns, "crypto_ns",
	                          (json_int_t)crypto, "cpu_ratio",
	                          (double)r->cpu_ns / crypto, "store_rows",
	                          (json_int_t)r->rows, "store_cpu_ns",
	                          (json_int_t)r->store_ns, "disk_cpu_ns",
	                          (json_int_t)r->disk_ns, "fold_cpu_ns",
	                          (json_int_t)r->fold_ns, "fold_few_cpu_ns",
	                          (json_int_t)r->fold_few_ns,
	                          "cpu_ratio_with_store", all / crypto,
	                          "cpu_ratio_signatures",
	                          (double)r->cpu_ns / signatures)) == 0);
	return o;
}

static int
by_cpu(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return x->cpu_ns < y->cpu_ns ? -1 : x->cpu_ns > y->cpu_ns;
}

/* Single ones one right after the other: nothing is between but the commit. */
static void
add_again(struct bench *b, json_t *left, json_t *joined)
{
	static struct result r[2][REPEATS_MAX];

	b->still = true;
	for (size_t i = 0; i < b->repeats; i++) {
		r[0][i] = bench_operate(b, true, 1);
		r[1][i] = bench_operate(b, false, 1);
	}
	b->still = false;
	for (int k = 0; k < 2; k++) {
		json_t *o = k == 0 ? left : joined;
		double ns;

		qsort(r[k], b->repeats, sizeof(r[k][0]), by_cpu);
		ns = (double)r[k][0].cpu_ns;
		BENCH_NEED(json_object_set_new(o, "cpu_again_ns",
		                               json_integer((json_int_t)ns)) ==
		                   0 &&
		           json_object_set_new(
				   o, "cpu_ratio_again",
				   json_real(ns / crypto_of(b, &r[k][0]))) ==
		                   0);
	}
}

/* Small operations several times, and the cheapest: the others tell what else
 * happens on the machine.  Of what waits for the disk it is the one in the middle.
 * What the store puts off is shared among all. */
static void
measure(struct bench *b, size_t n, json_t *list)
{
	static struct result left[REPEATS_MAX], joined[REPEATS_MAX];
	size_t repeats = n == 1      ? b->repeats
	                 : n <= 10   ? b->repeats / 2
	                 : n <= 100  ? b->repeats / 5
	                 : n <= 1000 ? b->repeats / 20
	                             : 1;

	json_t *o[2];

	repeats = repeats == 0 ? 1 : repeats;
	bench_say("%zu leave, %zu join", n, n);
	(void)bench_settle(b);
	for (size_t i = 0; i < repeats; i++) {
		left[i] = bench_operate(b, true, n);
		joined[i] = bench_operate(b, false, n);
	}
	bench_fold(b, n, left, joined, repeats);
	qsort(left, repeats, sizeof(left[0]), by_cpu);
	qsort(joined, repeats, sizeof(joined[0]), by_cpu);
	for (int leaving = 1; leaving >= 0; leaving--) {
		const struct result *least = leaving ? &left[0] : &joined[0];

		o[leaving] = describe(b, leaving, n, least);
		if (n == 1)
			add_cold(b, least, o[leaving]);
		json_array_append_new(list, o[leaving]);
	}
	if (n == 1)
		add_again(b, o[1], o[0]);
}

static void
operations(struct bench *b, size_t members, json_t *list)
{
	const size_t counts[] = { 1, 10, 100, 1000, members / 10 };

	for (size_t i = 0; i < GK_COUNT(counts); i++)
		if (counts[i] != 0 && counts[i] * 2 <= members &&
		    (i == 0 || counts[i] > counts[i - 1]))
			measure(b, counts[i], list);
}

/* ---- memory ------------------------------------------------------------- */

struct taken {
	double members, heap, resident, keys, sqlite; /* octets, of all */
};

static struct taken
taken(struct bench *b)
{
	const struct gk_lkh *lkh = gk_group_lkh(b->g->data);
	struct taken t = { .members = b->next };

	/* What the store has still to do passes. */
	(void)bench_settle(b);
	t.heap = (double)bench_heap();
	t.resident = (double)bench_resident();
	t.sqlite = (double)sqlite3_memory_used();
	for (uint32_t i = 0; i < lkh->block_count; i++)
		for (uint32_t k = 0; k < lkh->blocks[i].nodes; k++)
			t.keys += gk_lkh_node_of(lkh, &lkh->blocks[i], k)->keyed
			                  ? (double)lkh->cfg.key_len
			                  : 0;
	return t;
}

/* For each member; and for each of the last nine tenths, so that what a key
 * server needs for a group of any size is in the first and not in the second. */
static json_t *
memory(const struct taken *none, const struct taken *some,
       const struct taken *all)
{
	double n = all->members, heap = all->heap - none->heap;
	double resident = all->resident - none->resident;

	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "keys",
	                 all->keys / n, "heap", heap / n, "resident",
	                 resident / n, "beyond_keys_heap",
	                 (heap - all->keys) / n, "beyond_keys_resident",
	                 (resident - all->keys) / n, "sqlite",
	                 (all->sqlite - none->sqlite) / n, "beyond_keys_slope",
	                 (all->heap - all->keys - all->sqlite -
	                  (some->heap - some->keys - some->sqlite)) /
	                         (n - some->members));
}

int
main(int argc, char **argv)
{
	struct world_config cfg = { .suite = WORLD_P256,
		                    .event = GPT_REKEY_EVENT_TIME,
		                    .event_time = 86400,
		                    .seed = 1 };
	struct bench b = { .seed = 88172645463325252u,
		           .repeats = REPEATS_MAX,
		           .many = 3 << 16 };
	json_t *list = json_array(), *mem, *starts = json_array();
	struct gk_store_config file = { .app = GK_STORE_APP_GSAKMP,
		                        .version = 1 };
	const char *store = NULL;
	bool restart = false;
	double seconds = 0.6;
	size_t only = 0;
	struct taken none, some, all;
	uint32_t n;

	if (argc < 2)
		bench_die("bench_group MEMBERS [--degree N] [--minimal yes] "
		          "[--store FILE] [--seconds S] [--only COUNT] "
		          "[--repeats N] [--many ROWS] [--restart yes]");
	n = (uint32_t)strtoul(argv[1], NULL, 10);
	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--degree") == 0)
			cfg.group.lkh_degree =
				(unsigned)strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--store") == 0)
			store = argv[i + 1];
		else if (strcmp(argv[i], "--seconds") == 0)
			seconds = strtod(argv[i + 1], NULL);
		else if (strcmp(argv[i], "--minimal") == 0)
			cfg.group.lkh_chain = strcmp(argv[i + 1], "yes") == 0;
		else if (strcmp(argv[i], "--restart") == 0)
			restart = strcmp(argv[i + 1], "yes") == 0;
		else if (strcmp(argv[i], "--only") == 0)
			only = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--many") == 0)
			b.many = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--repeats") == 0)
			b.repeats = strtoul(argv[i + 1], NULL, 10);
	}
	if (b.repeats == 0 || b.repeats > REPEATS_MAX)
		b.repeats = REPEATS_MAX;
	gkd_memory_keep(); /* as the key server does */
	b.w = world_new(&cfg);
	b.w->env = (struct gk_env){ .random = gk_crypto_random };
	b.g = b.w->group;
	b.g->cfg.rows = (struct gsakmp_rows){ bench_read_row, &b };
	if (store != NULL) {
		char why[GK_STORE_WHY_MAX];

		file.path = store;
		if (gk_store_open(&file, &b.store, why) != GK_OK)
			bench_die("%s: %s", store, why);
		gk_store_aside(b.store, true); /* as the key server does */
		b.disk = bench_disk_open(store);
	}
	none = taken(&b);
	fill(&b, n / 10, bench_now().utc_s);
	some = taken(&b);
	fill(&b, n - n / 10, bench_now().utc_s);
	all = taken(&b);
	(void)bench_settle(&b); /* all that in one piece is no slice */
	b.slice_ns = 0;
	mem = memory(&none, &some, &all);
	b.ref = bench_reference(bench_suite("p256"), 1, seconds);
	if (only == 0)
		operations(&b, n, list);
	else
		measure(&b, only, list);
	if (restart && b.store != NULL) {
		json_decref(starts);
		starts = bench_restarts(&b, &file, n);
	}
	gk_store_close(b.store);
	bench_disk_close(b.disk);
	bench_print(json_pack(
		"{s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:o}", "members",
		(json_int_t)n, "degree", (json_int_t)b.g->cfg.lkh_degree,
		"key_octets", (json_int_t)gk_group_lkh(b.g->data)->cfg.key_len,
		"memory", mem, "reference", bench_reference_json(&b.ref),
		"operations", list, "slice_cpu_ns", (json_int_t)b.slice_ns,
		"restarts", starts));
	world_free(b.w);
	return 0;
}
