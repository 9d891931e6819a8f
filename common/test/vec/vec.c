/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/vec/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where vec_fail() goes.  One check runs at a time. */
static jmp_buf over;

void
vec_fail(struct vec *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(v->why, sizeof(v->why), fmt, ap);
	va_end(ap);
	longjmp(over, 1);
}

void
vec_ok(struct vec *v, enum gk_err err, const char *what)
{
	if (err != GK_OK)
		vec_fail(v, "%s: %s", what, gk_strerror(err));
}

void
vec_same(struct vec *v, const char *what, struct gk_slice got,
         struct gk_slice want)
{
	size_t at = 0;

	if (gk_slice_equal(got, want))
		return;
	while (at < got.len && at < want.len && got.ptr[at] == want.ptr[at])
		at++;
	vec_fail(v, "%s: %zu octets, the vector has %zu, they differ at %zu",
	         what, got.len, want.len, at);
}

void
vec_same_num(struct vec *v, const char *what, long long got, long long want)
{
	if (got != want)
		vec_fail(v, "%s is %lld, the vector has %lld", what, got, want);
}

void
vec_same_text(struct vec *v, const char *what, const char *got,
              const char *want)
{
	if (strcmp(got, want) != 0)
		vec_fail(v, "%s is '%s', the vector has '%s'", what, got, want);
}

/* JSON --------------------------------------------------------------------- */

bool
vec_has(json_t *object, const char *name)
{
	return json_object_get(object, name) != NULL;
}

static json_t *
member(struct vec *v, json_t *object, const char *name)
{
	json_t *found = json_object_get(object, name);

	if (found == NULL)
		vec_fail(v, "there is no field '%s'", name);
	return found;
}

void *
vec_keep(struct vec *v, void *p)
{
	if (p == NULL || v->n_scratch == GK_COUNT(v->scratch)) {
		free(p);
		vec_fail(v, "out of memory");
	}
	v->scratch[v->n_scratch++] = p;
	return p;
}

struct gk_slice
vec_buf(struct vec *v, struct gk_buf *buf)
{
	struct gk_slice s = gk_buf_slice(buf);

	if (buf->ptr != NULL)
		vec_keep(v, buf->ptr);
	*buf = (struct gk_buf){ 0 };
	return s;
}

struct gk_slice
vec_octets_of(struct vec *v, json_t *text)
{
	struct gk_buf buf = { 0 };

	if (!json_is_string(text) ||
	    gk_unhex(&buf, json_string_value(text)) != GK_OK)
		vec_fail(v, "not hexadecimal");
	return vec_buf(v, &buf);
}

struct gk_slice
vec_octets(struct vec *v, json_t *object, const char *name)
{
	struct gk_buf buf = { 0 };
	json_t *text = member(v, object, name);

	if (!json_is_string(text) ||
	    gk_unhex(&buf, json_string_value(text)) != GK_OK)
		vec_fail(v, "field '%s' is not hexadecimal", name);
	return vec_buf(v, &buf);
}

long long
vec_num(struct vec *v, json_t *object, const char *name)
{
	json_t *n = member(v, object, name);

	if (!json_is_integer(n))
		vec_fail(v, "field '%s' is no number", name);
	return json_integer_value(n);
}

const char *
vec_text(struct vec *v, json_t *object, const char *name)
{
	json_t *text = member(v, object, name);

	if (!json_is_string(text))
		vec_fail(v, "field '%s' is no text", name);
	return json_string_value(text);
}

struct gk_slice
vec_text_slice(struct vec *v, json_t *object, const char *name)
{
	return gk_slice_str(vec_text(v, object, name));
}

bool
vec_flag(struct vec *v, json_t *object, const char *name)
{
	json_t *flag = member(v, object, name);

	if (!json_is_boolean(flag))
		vec_fail(v, "field '%s' is neither true nor false", name);
	return json_is_true(flag);
}

json_t *
vec_object(struct vec *v, json_t *object, const char *name)
{
	json_t *found = member(v, object, name);

	if (!json_is_object(found))
		vec_fail(v, "field '%s' is no object", name);
	return found;
}

json_t *
vec_list(struct vec *v, json_t *object, const char *name)
{
	json_t *found = member(v, object, name);

	if (!json_is_array(found))
		vec_fail(v, "field '%s' is no list", name);
	return found;
}

struct gk_slice
vec_may_octets(struct vec *v, json_t *object, const char *name)
{
	if (!vec_has(object, name))
		return (struct gk_slice){ 0 };
	return vec_octets(v, object, name);
}

void
vec_out(struct vec *v, json_t *object, const char *name, struct gk_slice got)
{
	vec_same(v, name, got, vec_octets(v, object, name));
}

void
vec_may_num(struct vec *v, json_t *object, const char *name, long long got)
{
	vec_same_num(v, name, got,
	             vec_has(object, name) ? vec_num(v, object, name) : 0);
}

/* Randomness ---------------------------------------------------------------- */

void
vec_random(struct vec *v, struct gk_slice octets)
{
	if (v->n_random == GK_COUNT(v->random))
		vec_fail(v, "too much randomness");
	if (octets.len != 0)
		v->random[v->n_random++] = octets;
}

static enum gk_err
given_random(void *ctx, uint8_t *out, size_t n)
{
	struct vec *v = ctx;
	struct gk_slice s;

	if (v->next_random == v->n_random)
		return GK_ERR_CRYPTO;
	s = v->random[v->next_random++];
	if (s.len != n)
		return GK_ERR_CRYPTO;
	memcpy(out, s.ptr, n);
	return GK_OK;
}

/* One vector ------------------------------------------------------------------ */

static void
load_dialect(struct vec *v, json_t *dialect)
{
	const char *name;
	json_t *value;

	json_object_foreach(dialect, name, value)
	{
		const char *text = json_string_value(value);

		if (text == NULL ||
		    vec_protocol.reading(v, name, text) != GK_OK)
			vec_fail(v, "dialect: no switch '%s' with this value",
			         name);
	}
}

static const struct vec_kind *
find(const char *kind)
{
	for (size_t i = 0; vec_protocol.kinds[i] != NULL; i++)
		for (const struct vec_kind *k = vec_protocol.kinds[i];
		     k->name != NULL; k++)
			if (strcmp(k->name, kind) == 0)
				return k;
	return NULL;
}

static void
check(struct vec *v, json_t *raw)
{
	const struct vec_kind *kind;

	v->readings = vec_keep(v, calloc(1, vec_protocol.readings_size));
	v->id = vec_text(v, raw, "id");
	v->kind = vec_text(v, raw, "kind");
	v->in = vec_object(v, raw, "in");
	v->out = vec_object(v, raw, "out");
	if (vec_has(raw, "dialect"))
		load_dialect(v, vec_object(v, raw, "dialect"));
	kind = find(v->kind);
	if (kind == NULL)
		vec_fail(v, "nobody checks the kind '%s'", v->kind);
	kind->check(v);
	if (v->next_random != v->n_random)
		vec_fail(v, "not all randomness was drawn");
}

bool
vec_run(json_t *raw, char why[VEC_WHY])
{
	struct vec *v = calloc(1, sizeof(*v));
	volatile bool good = false;

	if (v == NULL) {
		snprintf(why, VEC_WHY, "out of memory");
		return false;
	}
	v->env = (struct gk_env){ .random = given_random, .ctx = v };
	if (setjmp(over) == 0) {
		check(v, raw);
		good = true;
	}
	memcpy(why, v->why, sizeof(v->why));
	for (size_t i = v->n_scratch; i-- > 0;)
		free(v->scratch[i]);
	free(v);
	return good;
}
