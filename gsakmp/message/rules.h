/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_MESSAGE_RULES_H
#define GSAKMP_MESSAGE_RULES_H

#include <stdbool.h>

#include "gsakmp/gsakmp_reject.h"

/*
 * DOC: message dissections as data
 *
 * RFC 4535 section 5 defines every message by a table ("Dissection").  Here
 * each one is a table too.  The same rows drive the check of a received
 * message, the assertion on a built one, and the generated tests for missing,
 * doubled and foreign payloads.
 *
 * Two payload types are told apart further: a Nonce by its Nonce Type, a
 * Notification by its Notification Type.
 */
#define GSAKMP_MANY 255
#define GSAKMP_KIND_ANY 0xffff

struct gsakmp_rule {
	enum gsakmp_payload_type payload;
	uint16_t kind;    /* Nonce or Notification Type; GSAKMP_KIND_ANY */
	uint16_t or_kind; /* a second one that will do, or the same again */
	unsigned char min;
	unsigned char max;
	unsigned char group; /* rules of one group other than 0 are met all
	                        together or not at all */
	bool encrypted;      /* the dissection's (data)* */
	const char *req;     /* requirement that demands the payload */
};

struct gsakmp_dissection {
	enum gsakmp_exchange_type exchange;
	const char *table; /* where in the RFC */
	bool signed_;      /* has a Signature payload */
	const struct gsakmp_rule *rules;
	size_t n_rules;
};

/*
 * Some checks are the same for every exchange, and section 5 asks for them in
 * the words of each: these are the requirements that such a check guards there
 * besides its own (see common/base/gk_check.h).  NULL where there is none.
 */
struct gsakmp_clauses {
	uint8_t exchange;
	const char *header;       /* header and GroupID are right */
	const char *nonces;       /* they are there, unless clocks agree */
	const char *kept;         /* that of ours is kept, to check this one */
	const char *signature[4]; /* it verifies */
	const char *root;         /* only what chains to a root is relied on */
	const char *foreign;      /* this, and nothing else, is in it */
};

/* gsakmp_clauses - those of @exchange; all NULL for one that has none. */
const struct gsakmp_clauses *gsakmp_clauses(uint8_t exchange);
/* gsakmp_clause - for a list of clauses, which NULL would end: "-" instead. */
const char *gsakmp_clause(const char *id);

/* One payload of a message, as far as dissections look. */
struct gsakmp_seen {
	uint8_t type;  /* Table 12 */
	uint16_t kind; /* Nonce or Notification Type; else GSAKMP_KIND_ANY */
	size_t at;     /* of its generic header, in the datagram */
};

/* gsakmp_dissection_find - NULL for an exchange that is not in Table 13. */
const struct gsakmp_dissection *gsakmp_dissection_find(uint8_t exchange);

/* gsakmp_dissection_allows - is there a row for such a payload? */
bool gsakmp_dissection_allows(const struct gsakmp_dissection *d, uint8_t type,
                              uint16_t kind);

/**
 * gsakmp_dissection_check - is this set of payloads a legal message?
 *
 * Order is free (RFC4535-7-03), with one exception: behind the Signature
 * payload only Certificate payloads may stand, because nothing else may be
 * unsigned.
 *
 * Return: GK_OK; GK_ERR_UNEXPECTED with *@why filled in: Payload-Malformed for
 * a payload that is missing or there too often, Invalid-Payload-Type for one
 * that the dissection does not have.
 */
GK_MUST_CHECK enum gk_err gsakmp_dissection_check(
	const struct gsakmp_dissection *d, const struct gsakmp_seen *seen,
	size_t n_seen, struct gsakmp_reject *why);

#endif /* GSAKMP_MESSAGE_RULES_H */
