/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_FAULT_H
#define GPT_FAULT_H

#include "common/base/gk_base.h"

/*
 * DOC: why a token or a policy document was refused
 *
 * One struct for every decoder and check of this room.  A refusal names the
 * requirement, the field in the RFC's words (a path such as
 * "registration[0].register.protocolInfo.transport"), and the place: an octet
 * of the DER, or a line of the XML.
 */
#define GPT_NO_OFFSET SIZE_MAX

struct gpt_fault {
	enum gk_err err; /* GK_OK while there is none */
	const char *req; /* requirement id, static storage, or NULL */
	char field[160];
	size_t offset;  /* octets from the start of the DER, or GPT_NO_OFFSET */
	int line;       /* line of the XML document, or 0 */
	char text[240]; /* what was found and what was expected */
};

/**
 * gpt_fault_set - fill @why in, unless it is NULL; returns @err.
 *
 * @field may be NULL (empty); the text is printf-formatted and cut short to
 * fit.  Offset and line start as "unknown".
 */
enum gk_err gpt_fault_set(struct gpt_fault *why, enum gk_err err,
                          const char *req, const char *field, const char *fmt,
                          ...) __attribute__((format(printf, 5, 6)));

/* gpt_fault_format - one line for people: "field (octet N): text [req]".
 * Control characters cannot occur: every writer of @why escapes them. */
char *gpt_fault_format(const struct gpt_fault *why, char *out, size_t cap);

#endif /* GPT_FAULT_H */
