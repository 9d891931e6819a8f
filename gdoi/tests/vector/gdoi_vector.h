/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_VECTOR_H
#define GDOI_TESTS_VECTOR_H

#include <jansson.h>

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"
#include "common/crypto/gk_crypto.h"
#include "gdoi/message/dialect.h"

/*
 * DOC: the vectors of GDOI, read by the C implementation
 *
 * interop/vectors/gdoi/README.md says what a vector is.  For each kind there is
 * one function that computes or decodes what the vector claims, with the code
 * that the daemons run; nothing is compared with numbers that stand here.
 *
 * Everything a vector allocates by gvec_keep() lives until its check is over, and
 * a check that fails stops there: gvec_fail() does not return.
 */
struct gvec {
	const char *id;
	const char *kind;
	json_t *in, *out;
	struct gdoi_dialect dialect;

	struct gk_env env;      /* random(): @random */
	struct gk_slice random; /* what is drawn next; empty: nothing may be */

	char why[512];
	void *scratch[1024]; /* freed at the end */
	size_t n_scratch;
};

/* A kind that nobody checks is a failure.  The lists end with a NULL name. */
struct gvec_kind {
	const char *name;
	void (*check)(struct gvec *v);
};
extern const struct gvec_kind gvec_crypto_kinds[];
extern const struct gvec_kind gvec_message_kinds[];
extern const struct gvec_kind gvec_payload_kinds[];
extern const struct gvec_kind gvec_session_kinds[];
extern const struct gvec_kind gvec_verdict_kinds[];

/* gvec_run - check one vector; false with @why (at most 512 octets) set. */
bool gvec_run(json_t *raw, char *why);

void gvec_fail(struct gvec *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
/* gvec_ok - a call of the suite that has to succeed. */
void gvec_ok(struct gvec *v, enum gk_err err, const char *what);
void gvec_same(struct gvec *v, const char *what, struct gk_slice got,
               struct gk_slice want);
void gvec_same_num(struct gvec *v, const char *what, long long got,
                   long long want);

/* Fields of an object; one that is not there or of another type is a failure.
 * Octets stay valid until the check is over. */
bool gvec_has(json_t *object, const char *name);
struct gk_slice gvec_octets(struct gvec *v, json_t *object, const char *name);
long long gvec_num(struct gvec *v, json_t *object, const char *name);
const char *gvec_text(struct gvec *v, json_t *object, const char *name);
bool gvec_flag(struct gvec *v, json_t *object, const char *name);
json_t *gvec_object(struct gvec *v, json_t *object, const char *name);
json_t *gvec_list(struct gvec *v, json_t *object, const char *name);

/* gvec_may_octets - empty when the field is not there. */
struct gk_slice gvec_may_octets(struct gvec *v, json_t *object,
                                const char *name);
/* gvec_out - an output has to be these octets; or this number, where 0 stands
 * for a field that is not there. */
void gvec_out(struct gvec *v, json_t *object, const char *name,
              struct gk_slice got);
void gvec_may_num(struct gvec *v, json_t *object, const char *name,
                  long long got);

/* gvec_keep - @p is passed to free() at the end. */
void *gvec_keep(struct gvec *v, void *p);
/* gvec_buf - take the octets of a buffer over. */
struct gk_slice gvec_buf(struct gvec *v, struct gk_buf *buf);

#endif /* GDOI_TESTS_VECTOR_H */
