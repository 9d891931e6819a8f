/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_MESSAGE_PULL_H
#define GDOI_MESSAGE_PULL_H

#include "gdoi/isakmp/identification.h"
#include "gdoi/isakmp/protect.h"
#include "gdoi/message/hash.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/sa.h"
#include "gdoi/payload/seq.h"

/*
 * DOC: GROUPKEY-PULL - RFC 6407 section 3.2
 *
 *     member                                   key server
 *     (1) HDR*, HASH(1), Ni, ID     -->
 *     (2)                           <--        HDR*, HASH(2), Nr, SA
 *     (3) HDR*, HASH(3) [, GAP]     -->
 *     (4)                           <--        HDR*, HASH(4), [SEQ,] KD
 *
 * The four messages, as both sides build and parse them.  Which payloads stand
 * where, and how often, is a table; its rows drive the check of a received
 * message, the order in which one is built, and the tests.  Vendor IDs may stand
 * anywhere behind the HASH and are passed over (RFC2408-3.16-03).
 */
struct gdoi_pull_rule {
	enum isakmp_payload_type payload;
	unsigned char min, max;
	const char *req; /* requirement that demands the payload */
};

struct gdoi_pull_form {
	const char *where; /* in the RFC */
	const char *hash;  /* requirement that says what HASH covers */
	const struct gdoi_pull_rule *rules;
	size_t n_rules;
};

#define GDOI_PULL_MESSAGES 4

/* gdoi_pull_form - of message 1 .. 4. */
const struct gdoi_pull_form *gdoi_pull_form(unsigned message);

#define GDOI_NONCE_MIN 8   /* RFC6407-5.8-01 */
#define GDOI_NONCE_MAX 128 /* RFC6407-5.8-01 */

/*
 * One exchange.  It may be copied: whoever tries something that can fail keeps a
 * copy from before.  Wiped by its owner with gk_wipe().
 */
struct gdoi_pull {
	/* The readings of phase 1 at first; a key server that knows the group
	 * puts the group's here. */
	const struct gdoi_dialect *dialect;
	struct isakmp_header header; /* cookies and Message ID */
	struct isakmp_cbc cbc;       /* borrows the key of phase 1 */
	enum gk_hash prf;
	struct gk_slice skeyid_a; /* borrowed from phase 1 */
	uint8_t ni[GDOI_NONCE_MAX], nr[GDOI_NONCE_MAX];
	size_t ni_len, nr_len; /* 0: not yet known */
	bool has_sak;          /* message 2 brought a Rekey SA */
};

/**
 * gdoi_pull_begin - a new exchange under a phase 1 SA.
 * @header: ike_header() with exchange GROUPKEY-PULL and the Message ID
 * @cbc:    ike_phase2() of the same Message ID
 *
 * What @cbc and @skeyid_a point to must outlive the exchange.
 */
void gdoi_pull_begin(struct gdoi_pull *pull, const struct gdoi_dialect *dialect,
                     const struct isakmp_header *header,
                     const struct isakmp_cbc *cbc, enum gk_hash prf,
                     struct gk_slice skeyid_a);

/* What a message says besides its HASH; NULL or empty for what is not there. */
struct gdoi_pull_content {
	struct gk_slice nonce;      /* 1, 2: body of NONCE */
	struct gk_slice id;         /* 1: body of ID */
	const struct gdoi_sa *sa;   /* 2 */
	const struct gdoi_gap *gap; /* 3 */
	const struct gdoi_seq *seq; /* 4 */
	const struct gdoi_kd *kd;   /* 4 */
};

/**
 * gdoi_pull_build - a message of ours.
 * @message: 1 .. 4
 * @out:     new buffer: the datagram
 *
 * On success @pull has moved on: the next IV, the nonce, the Rekey SA.
 *
 * Return: GK_OK; GK_ERR_UNEXPECTED when @content is not what the table wants.
 */
GK_MUST_CHECK enum gk_err gdoi_pull_build(
	struct gdoi_pull *pull, unsigned message,
	const struct gdoi_pull_content *content, struct gk_buf *out);

/* gdoi_pull_seal - put header and HASH in front of @payloads (generic headers
 * included), of which the first has type @first, and encrypt. */
GK_MUST_CHECK enum gk_err gdoi_pull_seal(struct gdoi_pull *pull, uint8_t first,
                                         struct gk_slice payloads,
                                         struct gk_buf *out);

/* A message of the peer's. */
struct gdoi_pull_message {
	unsigned message;
	bool authentic;      /* HASH was right; said of refused ones, too */
	struct gk_buf clear; /* header and plaintext: keys are in it */
	uint8_t next[GK_CIPHER_BLOCK_MAX]; /* IV of the message after this */

	struct gk_slice nonce;           /* 1, 2 */
	struct isakmp_identification id; /* 1 */
	struct gk_slice id_body;         /* 1 */
	struct gdoi_sa *sa;              /* 2, never NULL; owned */
	bool has_gap;                    /* 3 */
	struct gdoi_gap gap;
	bool has_seq; /* 4 */
	struct gdoi_seq seq;
	struct gdoi_kd *kd; /* 4, never NULL; owned */
	struct isakmp_chain chain;
};

/**
 * gdoi_pull_open - decrypt, authenticate, check and decode.
 * @message: which one it has to be, 1 .. 4
 *
 * In this order: header, ciphertext, payload chain, padding, HASH; only then the
 * table and the bodies.  Changes nothing; gdoi_pull_take() does.
 *
 * Return: GK_OK with *@m, to be given to gdoi_pull_message_free(); an error with
 * *@why filled in, m->authentic, and nothing to be freed.
 */
GK_MUST_CHECK enum gk_err gdoi_pull_open(const struct gdoi_pull *pull,
                                         unsigned message,
                                         struct gk_slice dgram,
                                         struct gdoi_pull_message *m,
                                         struct isakmp_reject *why);
/* gdoi_pull_take - @m was acceptable: IV, nonce and Rekey SA move on. */
void gdoi_pull_take(struct gdoi_pull *pull, const struct gdoi_pull_message *m);
void gdoi_pull_message_free(struct gdoi_pull_message *m); /* wipes */

#endif /* GDOI_MESSAGE_PULL_H */
