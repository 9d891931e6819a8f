/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "interop/bench/bench_group.h"

enum gk_err
bench_read_row(void *ctx, struct gk_slice scope, const char *table,
               struct gk_slice key, struct gk_buf *value)
{
	struct bench *b = ctx;

	if (b->store == NULL)
		return GK_ERR_UNEXPECTED;
	return gk_store_get(b->store, scope, table, key, value);
}

void
bench_commit(struct bench *b, uint64_t ticket, struct result *r)
{
	uint64_t start = bench_thread_ns();
	const struct gk_journal *j =
		gk_commits_begin(gsakmp_group_commits(b->g), ticket);

	r->rows_ns += bench_thread_ns() - start;
	if (j == NULL)
		return;
	r->rows += gk_journal_count(j);
	if (b->store != NULL) {
		start = bench_thread_ns();
		BENCH_MUST(gk_store_apply(b->store, j));
		r->store_ns += bench_thread_ns() - start;
		if (!b->still)
			r->disk_ns +=
				bench_disk_write(b->disk, bench_disk_octets(j));
	}
	start = bench_thread_ns();
	gk_commits_end(gsakmp_group_commits(b->g), true);
	r->rows_ns += bench_thread_ns() - start;
}

static int
by_store(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return x->store_ns < y->store_ns ? -1 : x->store_ns > y->store_ns;
}

static int
by_disk(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return x->disk_ns < y->disk_ns ? -1 : x->disk_ns > y->disk_ns;
}

/* Between commits, as the key server does. */
static uint64_t
work(struct bench *b)
{
	uint64_t all = 0, start, ns;

	while (b->store != NULL && gk_store_due(b->store)) {
		start = bench_thread_ns();
		BENCH_MUST(gk_store_work(b->store));
		ns = bench_thread_ns() - start;
		all += ns;
		if (ns > b->slice_ns)
			b->slice_ns = ns;
	}
	return all;
}

/* Until everything is in its place. */
uint64_t
bench_settle(struct bench *b)
{
	if (b->store == NULL)
		return 0;
	BENCH_MUST(gk_store_settle(b->store));
	return work(b);
}

/* As it is when the machine has other things to do every now and then. */
static void
middle_of_store(struct result *r, size_t n, struct result *out)
{
	qsort(r, n, sizeof(r[0]), by_store);
	out->store_ns = r[n / 2].store_ns;
	qsort(r, n, sizeof(r[0]), by_disk);
	out->disk_ns = r[n / 2].disk_ns;
}

#define SAMPLES 4096 /* of each kind */

/* For each of many operations: the log gets full again and again.  The middle of
 * leaves and joins is left in @out. */
static uint64_t
fold_many(struct bench *b, size_t count, struct result out[2])
{
	struct result *r = calloc(2 * SAMPLES, sizeof(*r));
	size_t rows = 0, done = 0, n;
	uint64_t ns = 0;

	BENCH_NEED(r != NULL);
	b->brief = true;
	for (; rows < b->many || done < 2; done++) {
		struct result one = bench_operate(b, done % 2 == 0, count);

		rows += one.rows;
		ns += work(b);
		if (done < 2 * SAMPLES)
			r[done % 2 * SAMPLES + done / 2] = one;
	}
	b->brief = false;
	n = done / 2 < SAMPLES ? done / 2 : SAMPLES;
	middle_of_store(r, n, &out[0]);
	middle_of_store(r + SAMPLES, n, &out[1]);
	free(r);
	return (ns + bench_settle(b)) / done;
}

void
bench_fold(struct bench *b, size_t count, struct result *left,
           struct result *joined, size_t n)
{
	uint64_t few = bench_settle(b) / (2 * n), many = few;
	struct result middle[2];

	if (b->store == NULL)
		return;
	if ((left[0].rows + joined[0].rows) * n < b->many / 2) {
		many = fold_many(b, count, middle);
	} else {
		middle_of_store(left, n, &middle[0]);
		middle_of_store(joined, n, &middle[1]);
	}
	for (size_t i = 0; i < n; i++) {
		left[i].store_ns = middle[0].store_ns;
		left[i].disk_ns = middle[0].disk_ns;
		joined[i].store_ns = middle[1].store_ns;
		joined[i].disk_ns = middle[1].disk_ns;
		left[i].fold_ns = joined[i].fold_ns = many;
		left[i].fold_few_ns = joined[i].fold_few_ns = few;
	}
}

/* ---- a start after the process died -------------------------------------- */

static json_t *
one_restart(const struct gk_store_config *cfg, size_t rows)
{
	struct bench_restart r = bench_restart(cfg);

	return json_pack("{s:I, s:I, s:I}", "log_rows", (json_int_t)rows,
	                 "open_cpu_ns", (json_int_t)r.open_ns, "fold_cpu_ns",
	                 (json_int_t)r.fold_ns);
}

/* Before the first slice has begun: with nothing in the log, with what many single
 * ones leave there, and with what a tenth of the group does. */
json_t *
bench_restarts(struct bench *b, const struct gk_store_config *cfg,
               size_t members)
{
	json_t *list = json_array();
	size_t rows = 0;

	(void)bench_settle(b);
	json_array_append_new(list, one_restart(cfg, 0));
	b->brief = true;
	for (int i = 0; rows < b->many / 2; i++)
		rows += bench_operate(b, i % 2 == 0, 1).rows;
	json_array_append_new(list, one_restart(cfg, rows));
	(void)bench_settle(b);
	rows = bench_operate(b, true, members / 10).rows;
	json_array_append_new(list, one_restart(cfg, rows));
	b->brief = false;
	return list;
}
