/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Check vectors (TAP): vector_check FILE...; without a file, all that
 * the protocol has.  "vector_check dialect" prints the switches instead, one a
 * line: the name and its readings.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/test/vec/vec.h"

static void
switches(void)
{
	const struct gk_switch *s;
	size_t n;

	s = vec_protocol.switches(&n);
	for (size_t i = 0; i < n; i++) {
		printf("%s", s[i].name);
		for (size_t k = 0; k < s[i].n_values; k++)
			printf(" %s", s[i].values[k].name);
		putchar('\n');
	}
}

/* One file is one test; the vectors that are wrong stand above its line. */
static bool
check_file(const char *file, unsigned number)
{
	json_error_t error;
	json_t *top = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
	json_t *list = json_object_get(top, "vectors"), *one;
	const char *name = strrchr(file, '/');
	size_t i, wrong = 0;

	name = name ? name + 1 : file;
	json_array_foreach(list, i, one)
	{
		const char *id = json_string_value(json_object_get(one, "id"));
		char why[VEC_WHY];

		if (vec_run(one, why))
			continue;
		wrong++;
		printf("# %s: %s\n", id ? id : "no id", why);
	}
	if (!json_array_size(list))
		printf("# %s: no vectors: %s\n", file, error.text);
	printf("%s %u - %s__%.*s_%zu_are_right\n",
	       wrong || !json_array_size(list) ? "not ok" : "ok", number,
	       vec_protocol.name, (int)strcspn(name, "."), name,
	       json_array_size(list));
	wrong += !json_array_size(list);
	json_decref(top);
	return wrong == 0;
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	char pattern[4096];
	glob_t found = { 0 };
	bool good = true;
	unsigned n = 0;

	if (argc == 2 && strcmp(argv[1], "dialect") == 0) {
		switches();
		return 0;
	}
	if (argc < 2) {
		(void)snprintf(pattern, sizeof(pattern), "%s/%s",
		               top ? top : ".", vec_protocol.files);
		(void)glob(pattern, 0, NULL, &found);
	}
	for (int i = 1; i < argc; i++)
		good = check_file(argv[i], ++n) && good;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!strstr(found.gl_pathv[i], "/schema.json"))
			good = check_file(found.gl_pathv[i], ++n) && good;
	globfree(&found);
	if (n == 0)
		printf("not ok 1 - %s__there_are_some\n", vec_protocol.name);
	printf("1..%u\n", n ? n : 1);
	return good && n ? 0 : 1;
}
