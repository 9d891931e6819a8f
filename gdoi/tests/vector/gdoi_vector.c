/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/vector/gdoi_vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where gvec_fail() goes.  One check runs at a time. */
static jmp_buf over;

void
gvec_fail(struct gvec *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(v->why, sizeof(v->why), fmt, ap);
	va_end(ap);
	longjmp(over, 1);
}

void
gvec_ok(struct gvec *v, enum gk_err err, const char *what)
{
	if (err != GK_OK)
		gvec_fail(v, "%s: %s", what, gk_strerror(err));
}

void
gvec_same(struct gvec *v, const char *what, struct gk_slice got,
          struct gk_slice want)
{
	size_t at = 0;

	if (gk_slice_equal(got, want))
		return;
	while (at < got.len && at < want.len && got.ptr[at] == want.ptr[at])
		at++;
	gvec_fail(v, "%s: %zu octets, the vector has %zu, they differ at %zu",
	          what, got.len, want.len, at);
}

void
gvec_same_num(struct gvec *v, const char *what, long long got, long long want)
{
	if (got != want)
		gvec_fail(v, "%s is %lld, the vector has %lld", what, got,
		          want);
}

/* JSON --------------------------------------------------------------------- */

bool
gvec_has(json_t *object, const char *name)
{
	return json_object_get(object, name) != NULL;
}

static json_t *
member(struct gvec *v, json_t *object, const char *name)
{
	json_t *found = json_object_get(object, name);

	if (found == NULL)
		gvec_fail(v, "there is no field '%s'", name);
	return found;
}

void *
gvec_keep(struct gvec *v, void *p)
{
	if (p == NULL || v->n_scratch == GK_COUNT(v->scratch)) {
		free(p);
		gvec_fail(v, "out of memory");
	}
	v->scratch[v->n_scratch++] = p;
	return p;
}

struct gk_slice
gvec_buf(struct gvec *v, struct gk_buf *buf)
{
	struct gk_slice s = gk_buf_slice(buf);

	if (buf->ptr != NULL)
		gvec_keep(v, buf->ptr);
	*buf = (struct gk_buf){ 0 };
	return s;
}

struct gk_slice
gvec_octets(struct gvec *v, json_t *object, const char *name)
{
	struct gk_buf buf = { 0 };
	json_t *text = member(v, object, name);

	if (!json_is_string(text) ||
	    gk_unhex(&buf, json_string_value(text)) != GK_OK)
		gvec_fail(v, "field '%s' is not hexadecimal", name);
	return gvec_buf(v, &buf);
}

struct gk_slice
gvec_may_octets(struct gvec *v, json_t *object, const char *name)
{
	if (!gvec_has(object, name))
		return (struct gk_slice){ 0 };
	return gvec_octets(v, object, name);
}

long long
gvec_num(struct gvec *v, json_t *object, const char *name)
{
	json_t *n = member(v, object, name);

	if (!json_is_integer(n))
		gvec_fail(v, "field '%s' is no number", name);
	return json_integer_value(n);
}

const char *
gvec_text(struct gvec *v, json_t *object, const char *name)
{
	json_t *text = member(v, object, name);

	if (!json_is_string(text))
		gvec_fail(v, "field '%s' is no text", name);
	return json_string_value(text);
}

bool
gvec_flag(struct gvec *v, json_t *object, const char *name)
{
	json_t *flag = member(v, object, name);

	if (!json_is_boolean(flag))
		gvec_fail(v, "field '%s' is neither true nor false", name);
	return json_is_true(flag);
}

json_t *
gvec_object(struct gvec *v, json_t *object, const char *name)
{
	json_t *found = member(v, object, name);

	if (!json_is_object(found))
		gvec_fail(v, "field '%s' is no object", name);
	return found;
}

json_t *
gvec_list(struct gvec *v, json_t *object, const char *name)
{
	json_t *found = member(v, object, name);

	if (!json_is_array(found))
		gvec_fail(v, "field '%s' is no list", name);
	return found;
}

void
gvec_out(struct gvec *v, json_t *object, const char *name, struct gk_slice got)
{
	gvec_same(v, name, got, gvec_octets(v, object, name));
}

void
gvec_may_num(struct gvec *v, json_t *object, const char *name, long long got)
{
	gvec_same_num(v, name, got,
	              gvec_has(object, name) ? gvec_num(v, object, name) : 0);
}

/* One vector ------------------------------------------------------------------ */

static enum gk_err
given_random(void *ctx, uint8_t *out, size_t n)
{
	struct gvec *v = ctx;

	if (v->random.len != n)
		return GK_ERR_CRYPTO;
	memcpy(out, v->random.ptr, n);
	v->random.len = 0;
	return GK_OK;
}

static void
load_dialect(struct gvec *v, json_t *dialect)
{
	const char *name;
	json_t *value;

	json_object_foreach(dialect, name, value)
	{
		const char *text = json_string_value(value);

		if (text == NULL ||
		    gdoi_dialect_set(&v->dialect, name, text) != GK_OK)
			gvec_fail(v, "dialect: no switch '%s' with this value",
			          name);
	}
}

static const struct gvec_kind *
find(const char *kind)
{
	static const struct gvec_kind *const lists[] = {
		gvec_crypto_kinds,  gvec_message_kinds, gvec_payload_kinds,
		gvec_session_kinds, gvec_verdict_kinds,
	};

	for (size_t i = 0; i < GK_COUNT(lists); i++)
		for (const struct gvec_kind *k = lists[i]; k->name; k++)
			if (strcmp(k->name, kind) == 0)
				return k;
	return NULL;
}

bool
gvec_run(json_t *raw, char *why)
{
	struct gvec *v = calloc(1, sizeof(*v));
	bool good = false;
	const struct gvec_kind *kind;

	if (v == NULL)
		return false;
	v->env = (struct gk_env){ .random = given_random, .ctx = v };
	if (setjmp(over) == 0) {
		v->id = gvec_text(v, raw, "id");
		v->kind = gvec_text(v, raw, "kind");
		v->in = gvec_object(v, raw, "in");
		v->out = gvec_object(v, raw, "out");
		if (gvec_has(raw, "dialect"))
			load_dialect(v, gvec_object(v, raw, "dialect"));
		kind = find(v->kind);
		if (kind == NULL)
			gvec_fail(v, "nobody checks the kind '%s'", v->kind);
		kind->check(v);
		if (v->random.len != 0)
			gvec_fail(v, "not all randomness was drawn");
		good = true;
	}
	memcpy(why, v->why, sizeof(v->why));
	for (size_t i = v->n_scratch; i-- > 0;)
		free(v->scratch[i]);
	free(v);
	return good;
}
