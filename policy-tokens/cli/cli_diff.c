/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/cli/cli.h"

/*
 * Two policies differ where their canonical documents differ: one line there is
 * one fact.  The usual longest common subsequence, and for each changed line
 * the elements around it.
 */
#define LINES_MAX 4000 /* the table has the square of this */

struct text {
	struct gk_buf xml;
	const char *line[LINES_MAX];
	size_t len[LINES_MAX];
	size_t n;
};

static enum cli_exit
text_make(const char *file, struct text *t)
{
	struct cli_policy policy;
	enum cli_exit code = cli_load(file, &policy);
	const char *p, *end;

	if (code != CLI_OK)
		return code;
	if (gpt_policy_write(policy.token, &t->xml) != GK_OK)
		code = cli_fail(CLI_FAILURE, "out of memory");
	cli_policy_free(&policy);
	if (code != CLI_OK)
		return code;
	p = (const char *)t->xml.ptr;
	end = p + t->xml.len;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);

		if (t->n == LINES_MAX)
			return cli_fail(CLI_INPUT, "%s: too large to compare",
			                file);
		t->line[t->n] = p;
		t->len[t->n++] = len;
		p += len + 1;
	}
	return CLI_OK;
}

static bool
same(const struct text *a, size_t i, const struct text *b, size_t k)
{
	return a->len[i] == b->len[k] &&
	       memcmp(a->line[i], b->line[k], a->len[i]) == 0;
}

/* table[i][k]: how many lines a from i and b from k have in common. */
static uint16_t *
common(const struct text *a, const struct text *b)
{
	size_t width = b->n + 1;
	uint16_t *table = calloc((a->n + 1) * width, sizeof(*table));

	if (!table)
		return NULL;
	for (size_t i = a->n; i-- > 0;)
		for (size_t k = b->n; k-- > 0;) {
			uint16_t down = table[(i + 1) * width + k];
			uint16_t right = table[i * width + k + 1];
			uint16_t best = down > right ? down : right;

			if (same(a, i, b, k))
				best = (uint16_t)(table[(i + 1) * width + k +
				                        1] +
				                  1);
			table[i * width + k] = best;
		}
	return table;
}

static size_t
indent(const struct text *t, size_t i)
{
	size_t n = 0;

	while (n < t->len[i] && t->line[i][n] == ' ')
		n++;
	return n;
}

/* "policy/registration/register" of line @i: the open elements above it. */
static void
context(const struct text *t, size_t i, char *out, size_t cap)
{
	size_t depth = indent(t, i), at[16], n = 0;

	while (i-- > 0 && depth > 0 && n < 16) {
		if (indent(t, i) >= depth)
			continue;
		depth = indent(t, i);
		at[n++] = i;
	}
	out[0] = '\0';
	while (n-- > 0) {
		const char *name = t->line[at[n]] + indent(t, at[n]) + 1;
		size_t len = strcspn(name, " >/");
		size_t used = strlen(out);

		(void)snprintf(out + used, cap - used, "%s%.*s",
		               used ? "/" : "", (int)len, name);
	}
}

struct sink {
	json_t *json; /* NULL: text to stdout */
	char last[256];
	size_t changes;
};

static void
change(struct sink *sink, char sign, const struct text *t, size_t i)
{
	size_t skip = indent(t, i);
	char where[256];

	context(t, i, where, sizeof(where));
	sink->changes++;
	if (sink->json) {
		json_array_append_new(
			sink->json,
			json_pack("{s:s, s:s, s:s%}", "change",
		                  sign == '-' ? "removed" : "added", "in",
		                  where, "line", t->line[i] + skip,
		                  t->len[i] - skip));
		return;
	}
	if (strcmp(where, sink->last) != 0)
		printf("@ %s\n", where);
	(void)snprintf(sink->last, sizeof(sink->last), "%s", where);
	printf("%c %.*s\n", sign, (int)(t->len[i] - skip), t->line[i] + skip);
}

static enum cli_exit
compare(const struct text *a, const struct text *b, struct sink *sink)
{
	uint16_t *table = common(a, b);
	size_t width = b->n + 1, i = 0, k = 0;

	if (!table)
		return cli_fail(CLI_FAILURE, "out of memory");
	while (i < a->n || k < b->n) {
		if (i < a->n && k < b->n && same(a, i, b, k)) {
			i++;
			k++;
		} else if (k == b->n ||
		           (i < a->n && table[(i + 1) * width + k] >=
		                                table[i * width + k + 1])) {
			change(sink, '-', a, i++);
		} else {
			change(sink, '+', b, k++);
		}
	}
	free(table);
	return sink->changes > 0 ? CLI_NO : CLI_OK;
}

enum cli_exit
cli_diff(const struct cli_args *args)
{
	struct text *t = calloc(2, sizeof(*t));
	struct sink sink = { .json = args->json ? json_array() : NULL };
	enum cli_exit code = t ? text_make(args->files[0], &t[0]) : CLI_FAILURE;

	if (code == CLI_OK)
		code = text_make(args->files[1], &t[1]);
	if (code == CLI_OK)
		code = compare(&t[0], &t[1], &sink);
	if (sink.json && (code == CLI_OK || code == CLI_NO)) {
		if (cli_write_json(args, sink.json) != CLI_OK)
			code = CLI_FILE;
	} else {
		json_decref(sink.json);
	}
	if (t) {
		gk_buf_free(&t[0].xml);
		gk_buf_free(&t[1].xml);
	}
	free(t);
	return code;
}
