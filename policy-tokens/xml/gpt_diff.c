/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/xml/gpt_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/xml/gpt_policy.h"

struct text {
	struct gk_buf xml;
	const char *line[GPT_DIFF_LINES_MAX];
	size_t len[GPT_DIFF_LINES_MAX];
	size_t n;
};

static enum gk_err
text_make(const struct gpt_token *token, struct text *t)
{
	const char *p, *end;

	GK_TRY(gpt_policy_write(token, &t->xml));
	p = (const char *)t->xml.ptr;
	end = p + t->xml.len;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);

		if (t->n == GPT_DIFF_LINES_MAX)
			return GK_ERR_SPACE;
		t->line[t->n] = p;
		t->len[t->n++] = len;
		p += len + 1;
	}
	return GK_OK;
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
	void (*each)(void *ctx, const struct gpt_diff_line *line);
	void *ctx;
};

static void
change(const struct sink *sink, bool added, const struct text *t, size_t i)
{
	size_t skip = indent(t, i);
	char where[256];
	struct gpt_diff_line line = {
		.added = added,
		.where = where,
		.line = { (const uint8_t *)t->line[i] + skip,
		          t->len[i] - skip },
	};

	context(t, i, where, sizeof(where));
	sink->each(sink->ctx, &line);
}

static enum gk_err
compare(const struct text *a, const struct text *b, const struct sink *sink)
{
	uint16_t *table = common(a, b);
	size_t width = b->n + 1, i = 0, k = 0;

	if (!table)
		return GK_ERR_NOMEM;
	while (i < a->n || k < b->n) {
		if (i < a->n && k < b->n && same(a, i, b, k)) {
			i++;
			k++;
		} else if (k == b->n ||
		           (i < a->n && table[(i + 1) * width + k] >=
		                                table[i * width + k + 1])) {
			change(sink, false, a, i++);
		} else {
			change(sink, true, b, k++);
		}
	}
	free(table);
	return GK_OK;
}

enum gk_err
gpt_diff(const struct gpt_token *from, const struct gpt_token *to,
         void (*each)(void *ctx, const struct gpt_diff_line *line), void *ctx)
{
	const struct sink sink = { each, ctx };
	struct text *t = calloc(2, sizeof(*t));
	enum gk_err err = t ? text_make(from, &t[0]) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = text_make(to, &t[1]);
	if (err == GK_OK)
		err = compare(&t[0], &t[1], &sink);
	if (t) {
		gk_buf_free(&t[0].xml);
		gk_buf_free(&t[1].xml);
	}
	free(t);
	return err;
}
