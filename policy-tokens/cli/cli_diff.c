/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "policy-tokens/cli/cli.h"
#include "policy-tokens/xml/gpt_diff.h"

struct sink {
	json_t *json; /* NULL: text to stdout */
	char last[256];
	size_t changes;
};

static void
change(void *ctx, const struct gpt_diff_line *l)
{
	struct sink *sink = ctx;

	sink->changes++;
	if (sink->json) {
		json_array_append_new(sink->json,
		                      json_pack("{s:s, s:s, s:s%}", "change",
		                                l->added ? "added" : "removed",
		                                "in", l->where, "line",
		                                (const char *)l->line.ptr,
		                                l->line.len));
		return;
	}
	if (strcmp(l->where, sink->last) != 0)
		printf("@ %s\n", l->where);
	(void)snprintf(sink->last, sizeof(sink->last), "%s", l->where);
	printf("%c %.*s\n", l->added ? '+' : '-', (int)l->line.len,
	       (const char *)l->line.ptr);
}

enum cli_exit
cli_diff(const struct cli_args *args)
{
	struct sink sink = { .json = args->json ? json_array() : NULL };
	struct cli_policy a, b = { 0 };
	enum cli_exit code = cli_load(args->files[0], &a);
	enum gk_err err;

	if (code == CLI_OK)
		code = cli_load(args->files[1], &b);
	if (code == CLI_OK) {
		err = gpt_diff(a.token, b.token, change, &sink);
		if (err == GK_ERR_SPACE)
			code = cli_fail(CLI_INPUT, "too large to compare");
		else if (err != GK_OK)
			code = cli_fail(CLI_FAILURE, "out of memory");
	}
	cli_policy_free(&a);
	cli_policy_free(&b);
	if (code == CLI_OK && sink.json)
		code = cli_write_json(args, sink.json);
	else
		json_decref(sink.json);
	return code == CLI_OK && sink.changes > 0 ? CLI_NO : code;
}
