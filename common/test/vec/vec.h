/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_VEC_H
#define GK_VEC_H

#include <stdbool.h>

#include <jansson.h>

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"
#include "common/base/gk_switch.h"

/*
 * DOC: the test vectors, read by the C implementation
 *
 * interop/vectors/README.md says what a vector is.  For each kind a protocol has
 * one function that computes or decodes what the vector claims, with the code
 * that the daemons run; nothing is compared with numbers that stand here.
 *
 * Everything a vector allocates lives until its check is over, and a check that
 * fails stops there: vec_fail() does not return.
 */
#define VEC_WHY 512

struct vec {
	const char *id, *kind;
	json_t *in, *out;
	void *readings; /* the protocol's, set by the vector's dialect */

	struct gk_env env; /* random(): what vec_random() was given */
	struct gk_slice random[64];
	size_t n_random, next_random;

	char why[VEC_WHY];
	void *scratch[1024]; /* freed at the end */
	size_t n_scratch;
};

struct vec_kind {
	const char *name;
	void (*check)(struct vec *v);
};

/* What a protocol brings; one for each program. */
struct vec_protocol {
	const char *name;  /* of its tests: "gdoi_vectors" */
	const char *files; /* below the source tree, a pattern */
	const struct vec_kind *const *kinds; /* lists; ended by NULL */
	size_t readings_size;                /* of what @readings points to */
	/* Set one switch of the dialect; GK_ERR_VALUE if there is none such. */
	enum gk_err (*reading)(struct vec *v, const char *name,
	                       const char *value);
	const struct gk_switch *(*switches)(size_t *n);
};

extern const struct vec_protocol vec_protocol;

/* vec_run - check one vector; false with @why set. */
bool vec_run(json_t *raw, char why[VEC_WHY]);

void vec_fail(struct vec *v, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
/* vec_ok - a call of the suite that has to succeed. */
void vec_ok(struct vec *v, enum gk_err err, const char *what);
void vec_same(struct vec *v, const char *what, struct gk_slice got,
              struct gk_slice want);
void vec_same_num(struct vec *v, const char *what, long long got,
                  long long want);
void vec_same_text(struct vec *v, const char *what, const char *got,
                   const char *want);

/* Members of an object; the vector fails when one is missing. */
bool vec_has(json_t *object, const char *name);
struct gk_slice vec_octets(struct vec *v, json_t *object, const char *name);
struct gk_slice vec_octets_of(struct vec *v, json_t *text);
long long vec_num(struct vec *v, json_t *object, const char *name);
const char *vec_text(struct vec *v, json_t *object, const char *name);
struct gk_slice vec_text_slice(struct vec *v, json_t *object, const char *name);
bool vec_flag(struct vec *v, json_t *object, const char *name);
json_t *vec_object(struct vec *v, json_t *object, const char *name);
json_t *vec_list(struct vec *v, json_t *object, const char *name);

/* vec_may_octets - empty when the field is not there. */
struct gk_slice vec_may_octets(struct vec *v, json_t *object, const char *name);
/* vec_out - an output has to be these octets; or this number, where 0 stands
 * for a field that is not there. */
void vec_out(struct vec *v, json_t *object, const char *name,
             struct gk_slice got);
void vec_may_num(struct vec *v, json_t *object, const char *name,
                 long long got);

/* vec_keep - @p is passed to free() at the end. */
void *vec_keep(struct vec *v, void *p);
/* vec_buf - take the octets of a buffer over. */
struct gk_slice vec_buf(struct vec *v, struct gk_buf *buf);
/* vec_random - the next octets that env.random() gives; asked for another
 * number of octets it fails.  All of them have to be drawn. */
void vec_random(struct vec *v, struct gk_slice octets);

#endif /* GK_VEC_H */
