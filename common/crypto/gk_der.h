/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_DER_H
#define GK_DER_H

#include "common/base/gk_base.h"

/*
 * DOC: strict DER (X.690 section 10), reading and writing
 *
 * The reader works on a struct gk_rd, so faults are sticky and carry field and
 * offset.  Only what is the one permitted encoding passes: definite lengths in
 * their shortest form, tag numbers below 31.  It knows no types beyond that;
 * what a value may contain is for the caller to check.
 */
#define GK_DER_BOOLEAN 0x01
#define GK_DER_INTEGER 0x02
#define GK_DER_BIT_STRING 0x03
#define GK_DER_OCTET_STRING 0x04
#define GK_DER_NULL 0x05
#define GK_DER_OID 0x06
#define GK_DER_UTF8_STRING 0x0c
#define GK_DER_NUMERIC_STRING 0x12
#define GK_DER_PRINTABLE_STRING 0x13
#define GK_DER_TELETEX_STRING 0x14
#define GK_DER_IA5_STRING 0x16
#define GK_DER_UTC_TIME 0x17
#define GK_DER_GENERALIZED_TIME 0x18
#define GK_DER_VISIBLE_STRING 0x1a
#define GK_DER_UNIVERSAL_STRING 0x1c
#define GK_DER_BMP_STRING 0x1e
#define GK_DER_SEQUENCE 0x30
#define GK_DER_SET 0x31
#define GK_DER_CONTEXT(n) ((uint8_t)(0x80 + (n))) /* [n] IMPLICIT, simple */
#define GK_DER_CONTEXT_CONS(n) ((uint8_t)(0xa0 + (n))) /* [n], constructed */

#define GK_DER_DEPTH_MAX 32

/* gk_der_next_is - is the next element there, and has it this tag? */
bool gk_der_next_is(const struct gk_rd *rd, uint8_t tag);

/* gk_der_get - contents of the next element, which must have tag @tag. */
struct gk_slice gk_der_get(struct gk_rd *rd, uint8_t tag, const char *field);

/* gk_der_any - the whole next element, header included, whatever its tag; what
 * is inside a constructed one is walked and must be DER too. */
struct gk_slice gk_der_any(struct gk_rd *rd, const char *field);

/* gk_der_contents - the length and as many octets, behind a tag. */
struct gk_slice gk_der_contents(struct gk_rd *rd, const char *field);

/*
 * gk_der_strict - is @der one element and nothing else, and DER as far as that can
 * be seen without knowing what the values are for?  Beyond gk_der_any(): strings in
 * one piece, BOOLEAN, INTEGER, ENUMERATED, NULL and object identifiers in their one
 * form, unused bits zero, each SET sorted as a SET OF.  A tag number above 30 is
 * taken in its shortest form.
 */
bool gk_der_strict(struct gk_slice der);

/* gk_der_primitive_ok - are @contents what DER writes for a value of the universal,
 * simple @tag?  True for a tag that there is no such rule for. */
bool gk_der_primitive_ok(uint8_t tag, struct gk_slice contents);

/* gk_der_compare - X.690 section 11.6: as octet strings, the shorter one as if it
 * were filled up with zero octets; below, at or above zero. */
int gk_der_compare(struct gk_slice a, struct gk_slice b);

/* gk_der_enter - as gk_der_get(), as a reader over the contents.
 * gk_der_leave - the inner reader must be at its end; its fault, if any, becomes
 * the outer reader's. */
struct gk_rd gk_der_enter(struct gk_rd *rd, uint8_t tag, const char *field);
void gk_der_leave(struct gk_rd *rd, struct gk_rd *inner);

/* gk_der_set_of - contents of a SET OF must be sorted (X.690 section 11.6);
 * records a fault if @rd, a reader at their start, shows otherwise. */
void gk_der_set_of(struct gk_rd *rd, const char *field);

/* gk_der_integer_ok - at least one octet and no redundant leading one. */
bool gk_der_integer_ok(struct gk_slice contents);
/* gk_der_small - the value of such an INTEGER if it is 0 to INT32_MAX; else a
 * fault in @rd, and 0. */
int32_t gk_der_small(struct gk_rd *rd, const char *field);

/*
 * The writer starts at the end: what is written last stands first, so that a
 * header is written when its contents are known.
 *
 *     size_t at = gk_der_wr_mark(&wr);
 *     ... the contents, last element first ...
 *     gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, at);
 */
struct gk_der_wr {
	struct gk_buf buf; /* used from the end */
	size_t used;
	enum gk_err err;
};

size_t gk_der_wr_mark(const struct gk_der_wr *wr);
void gk_der_wr_octets(struct gk_der_wr *wr, struct gk_slice s);
void gk_der_wr_wrap(struct gk_der_wr *wr, uint8_t tag, size_t mark);
/* gk_der_wr_put - one simple element. */
void gk_der_wr_put(struct gk_der_wr *wr, uint8_t tag, struct gk_slice s);
/* gk_der_wr_unsigned - INTEGER of a big-endian magnitude. */
void gk_der_wr_unsigned(struct gk_der_wr *wr, struct gk_slice magnitude);
/* gk_der_wr_set_of - the elements of a SET OF, sorted here; then its header. */
void gk_der_wr_set_of(struct gk_der_wr *wr, uint8_t tag,
                      struct gk_slice *element, size_t n);
/* gk_der_wr_done - hand the octets over and empty the writer. */
GK_MUST_CHECK enum gk_err gk_der_wr_done(struct gk_der_wr *wr,
                                         struct gk_buf *out);

#endif /* GK_DER_H */
