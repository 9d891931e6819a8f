/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_REJECT_H
#define GDOI_ISAKMP_REJECT_H

#include "common/wire/gk_rd.h"
#include "gdoi/isakmp/isakmp_registry.h"

/*
 * Why a message was turned down: the notification that an Informational
 * Exchange may carry (RFC 2408 section 5 leaves sending it to local policy),
 * and what an operator wants to know.
 */
struct isakmp_reject {
	enum isakmp_notify notify;
	const char *req;   /* requirement id, e.g. "RFC6407-5.2-07" */
	const char *field; /* the RFC's name of the field */
	size_t offset;     /* octets from the start of the message; where it is
	                      encrypted, of the plaintext with the header in
	                      front */
};

/* isakmp_refuse - fill in @why and return @err, so that a check is one
 * statement. */
enum gk_err isakmp_refuse(struct isakmp_reject *why, enum gk_err err,
                          enum isakmp_notify notify, const char *req,
                          const char *field, size_t offset);

/* isakmp_refuse_attribute - a value, or a combination, that is not supported:
 * ATTRIBUTES-NOT-SUPPORTED (RFC 2408 section 3.14.1). */
enum gk_err isakmp_refuse_attribute(struct isakmp_reject *why, const char *req,
                                    const char *field, size_t offset);

/* isakmp_refuse_fault - the same for a fault of the wire reader: field and
 * offset are the fault's. */
enum gk_err isakmp_refuse_fault(struct isakmp_reject *why,
                                const struct gk_fault *fault,
                                enum isakmp_notify notify, const char *req);

#endif /* GDOI_ISAKMP_REJECT_H */
