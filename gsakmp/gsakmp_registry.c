/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/gsakmp_registry.h"

#include <strings.h>

#include "common/base/gk_base.h"

struct code {
	uint32_t value;
	const char *text;
	bool extra; /* one of this project's private-use values */
};

struct table {
	enum gsakmp_table number;
	uint32_t private_first, private_last;
	const struct code *code;
	size_t n;
};

/* One array per table, made from the lists of the header. */
#define X_RFC(name, value, text) { (value), (text), false },
#define X_EXTRA(name, value, text) { (value), (text), true },
#define T(name, number, list, extra, first, last)               \
	static const struct code name##_codes[] = { list(X_RFC) \
		                                            extra(X_EXTRA) };
GSAKMP_TABLE_LIST(T)
#undef T

static const struct table tables[] = {
#define T(name, number, list, extra, first, last)             \
	{ GSAKMP_TABLE_##name, (first), (last), name##_codes, \
	  GK_COUNT(name##_codes) },
	GSAKMP_TABLE_LIST(T)
#undef T
};

/* The first 16 octets of SHA-256("MSEC suite GSAKMP extensions 1"); the test
 * computes it again. */
static const uint8_t vendor_suite[GSAKMP_VENDOR_LEN] = {
	0xfb, 0xa1, 0x41, 0x53, 0x18, 0x0d, 0x4d, 0x8a,
	0xee, 0xcd, 0xc2, 0x2a, 0x94, 0xe8, 0xe6, 0xdf,
};

static const struct table *
table_find(enum gsakmp_table number)
{
	for (size_t i = 0; i < GK_COUNT(tables); i++)
		if (tables[i].number == number)
			return &tables[i];
	return NULL;
}

static const struct code *
code_find(enum gsakmp_table number, uint32_t value)
{
	const struct table *t = table_find(number);

	for (size_t i = 0; t != NULL && i < t->n; i++)
		if (t->code[i].value == value)
			return &t->code[i];
	return NULL;
}

struct gk_slice
gsakmp_vendor_suite(void)
{
	return (struct gk_slice){ vendor_suite, sizeof(vendor_suite) };
}

bool
gsakmp_vocabulary_learn(struct gsakmp_vocabulary *voc,
                        struct gk_slice vendor_id)
{
	if (!gk_slice_equal(vendor_id, gsakmp_vendor_suite()))
		return false;
	voc->suite = true;
	return true;
}

enum gsakmp_range
gsakmp_code_range(enum gsakmp_table table, uint32_t value)
{
	const struct code *c = code_find(table, value);
	const struct table *t = table_find(table);

	if (c != NULL && !c->extra)
		return GSAKMP_RANGE_ASSIGNED;
	if (t != NULL && value >= t->private_first && value <= t->private_last)
		return GSAKMP_RANGE_PRIVATE;
	return GSAKMP_RANGE_RESERVED;
}

bool
gsakmp_code_known(enum gsakmp_table table, const struct gsakmp_vocabulary *voc,
                  uint32_t value)
{
	const struct code *c = code_find(table, value);

	if (c == NULL)
		return false;
	return !c->extra || (voc != NULL && voc->suite);
}

bool
gsakmp_code_extra(enum gsakmp_table table, uint32_t value)
{
	const struct code *c = code_find(table, value);

	return c != NULL && c->extra;
}

const char *
gsakmp_code_text(enum gsakmp_table table, uint32_t value)
{
	const struct code *c = code_find(table, value);

	if (c != NULL)
		return c->text;
	return gsakmp_code_range(table, value) == GSAKMP_RANGE_PRIVATE
	               ? "private"
	               : "unassigned";
}

bool
gsakmp_code_find(enum gsakmp_table table, const char *text, uint32_t *value)
{
	const struct table *t = table_find(table);

	for (size_t i = 0; t != NULL && i < t->n; i++) {
		if (strcasecmp(t->code[i].text, text) != 0)
			continue;
		*value = t->code[i].value;
		return true;
	}
	return false;
}
