/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_VECTOR_H
#define GSAKMP_TESTS_VECTOR_H

#include <jansson.h>

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"
#include "gsakmp/message/dialect.h"
#include "gsakmp/payload/groupid.h"
#include "policy-tokens/token/gpt_dialect.h"

/*
 * DOC: the vectors, read by the C implementation
 *
 * interop/vectors/README.md says what a vector is.  For each kind there is one
 * function that computes or decodes what the vector claims, with the code that
 * the daemons run; nothing is compared with numbers that stand here.
 *
 * Everything a vector allocates lives until its check is over, and a check that
 * fails stops there: vec_fail() does not return.
 */
struct vec {
	const char *id;
	const char *kind;
	json_t *in, *out;
	struct gsakmp_dialect dialect;
	struct gpt_dialect token_dialect;
	bool plain; /* every switch of RFC 4534 is at its default */

	struct gk_env env; /* random(): what vec_random() was given */
	struct gk_slice random[64];
	size_t n_random, next_random;

	char why[512];
	void *scratch[512]; /* freed at the end */
	size_t n_scratch;
};

/* A kind that nobody checks is a failure.  The lists end with a NULL name. */
struct vec_kind {
	const char *name;
	void (*check)(struct vec *v);
};
extern const struct vec_kind vec_crypto_kinds[];
extern const struct vec_kind vec_sealed_kinds[];
extern const struct vec_kind vec_payload_kinds[];
extern const struct vec_kind vec_message_kinds[];
extern const struct vec_kind vec_token_kinds[];
extern const struct vec_kind vec_lkh_kinds[];
extern const struct vec_kind vec_transcript_kinds[];

/* vec_run - check one vector; false with @why (at most 512 octets) set. */
bool vec_run(json_t *raw, char *why);

void vec_fail(struct vec *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
/* vec_ok - a call of the suite that has to succeed. */
void vec_ok(struct vec *v, enum gk_err err, const char *what);
void vec_same(struct vec *v, const char *what, struct gk_slice got,
              struct gk_slice want);
void vec_same_num(struct vec *v, const char *what, long long got,
                  long long want);
void vec_same_text(struct vec *v, const char *what, const char *got,
                   const char *want);

/* Fields of an object; one that is not there or of another type is a failure.
 * Octets stay valid until the check is over. */
bool vec_has(json_t *object, const char *name);
struct gk_slice vec_octets(struct vec *v, json_t *object, const char *name);
struct gk_slice vec_octets_of(struct vec *v, json_t *text);
long long vec_num(struct vec *v, json_t *object, const char *name);
const char *vec_text(struct vec *v, json_t *object, const char *name);
struct gk_slice vec_text_slice(struct vec *v, json_t *object, const char *name);
bool vec_flag(struct vec *v, json_t *object, const char *name);
json_t *vec_object(struct vec *v, json_t *object, const char *name);
json_t *vec_list(struct vec *v, json_t *object, const char *name);

/* vec_keep - @p is passed to free() at the end. */
void *vec_keep(struct vec *v, void *p);
/* vec_buf - take the octets of a buffer over. */
struct gk_slice vec_buf(struct vec *v, struct gk_buf *buf);
/* vec_random - the next octets that env.random() gives; asked for another
 * number of octets it fails.  All of them have to be drawn. */
void vec_random(struct vec *v, struct gk_slice octets);

#endif /* GSAKMP_TESTS_VECTOR_H */
