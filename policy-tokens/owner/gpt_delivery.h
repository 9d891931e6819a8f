/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_DELIVERY_H
#define GPT_DELIVERY_H

#include "common/wire/gk_wr.h"
#include "policy-tokens/der/gpt_verify.h"

/*
 * DOC: the messages between msec-go and a key server
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +---------------------------------------------------------------+
 *    | Length: octets that follow                                    |
 *    +---------------+-----------------------------------------------+
 *    | Type          | Body                                          ~
 *    +---------------+-----------------------------------------------+
 *
 * SUBSCRIBE  key server: Version (1 octet, 1) | Group | Held (1 octet, 0 or 1)
 *            | Digest, when held: SHA-256 of the signed token in force there
 * TOKEN      Group Owner: Group | the signed token, to the end
 * ACK        key server: Group | Digest: that token was accepted
 * REFUSED    key server: Group | Digest | Text: it was not
 * ERROR      Group Owner: Group | Text: no tokens of this group for you
 *
 * Group and Text are a two-octet length and that many octets.  A newer edition
 * replaces an older one that was not acknowledged.
 */
#define GPT_DELIVERY_LIST(X) \
	X(SUBSCRIBE, 1)      \
	X(TOKEN, 2)          \
	X(ACK, 3)            \
	X(REFUSED, 4)        \
	X(ERROR, 5)

enum gpt_delivery_type {
#define X(name, value) GPT_DELIVERY_##name = (value),
	GPT_DELIVERY_LIST(X)
#undef X
};

#define GPT_DELIVERY_VERSION 1
#define GPT_DELIVERY_TEXT_MAX 256
/* The longest frame: a token of the usual cap and its group. */
#define GPT_DELIVERY_MAX (GPT_TOKEN_CAP + 1024)

struct gpt_delivery {
	enum gpt_delivery_type type;
	struct gk_slice group;
	bool held;              /* SUBSCRIBE */
	struct gk_slice digest; /* GPT_DIGEST_LEN octets, where there is one */
	struct gk_slice token;  /* TOKEN */
	struct gk_slice text;   /* REFUSED, ERROR: foreign octets */
};

/* gpt_delivery_need - how long is the frame that begins with @seen?  0: more
 * octets are needed to know.  GK_ERR_VALUE: no frame is that long. */
GK_MUST_CHECK enum gk_err gpt_delivery_need(struct gk_slice seen,
                                            size_t *total);

/* gpt_delivery_decode - one whole frame; slices point into it. */
GK_MUST_CHECK enum gk_err gpt_delivery_decode(struct gk_slice frame,
                                              struct gpt_delivery *msg,
                                              struct gk_fault *fault);

/* gpt_delivery_encode - @frame is new. */
GK_MUST_CHECK enum gk_err gpt_delivery_encode(const struct gpt_delivery *msg,
                                              struct gk_buf *frame);

#endif /* GPT_DELIVERY_H */
