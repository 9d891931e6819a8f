/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/isakmp_registry.h"

#include "common/base/gk_base.h"

struct code {
	uint32_t value;
	const char *text;
};

struct table {
	const struct code *code;
	size_t n;
};

#define X(name, value, text) { (value), (text) },
#define T(name, type, prefix, list) \
	static const struct code name##_codes[] = { list(X) };
ISAKMP_TABLE_LIST(T)
#undef T
#undef X

static const struct table tables[] = {
#define T(name, type, prefix, list) { name##_codes, GK_COUNT(name##_codes) },
	ISAKMP_TABLE_LIST(T)
#undef T
};

static const struct code *
find(enum isakmp_table table, uint32_t value)
{
	const struct table *t = &tables[table];

	for (size_t i = 0; i < t->n; i++)
		if (t->code[i].value == value)
			return &t->code[i];
	return NULL;
}

bool
isakmp_code_known(enum isakmp_table table, uint32_t value)
{
	return find(table, value) != NULL;
}

const char *
isakmp_code_text(enum isakmp_table table, uint32_t value)
{
	const struct code *c = find(table, value);

	return c != NULL ? c->text : "unknown";
}
