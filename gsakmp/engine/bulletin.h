/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_BULLETIN_H
#define GSAKMP_ENGINE_BULLETIN_H

#include "common/base/gk_base.h"

/*
 * DOC: where a Rekey Event is posted - RFC 4534 section B.5.6.3
 *
 * The token's ReliabilityContentPost is "the identifier of the posting site and
 * rekey message", an IA5String, and no more is said.  Here (common/doc/choices.md,
 * post_site) it is an http URL under which each message has a place:
 *
 *     GROUP/CONTROLLER/SEQUENCE
 *
 *     GROUP       the first 16 octets of SHA-256 over the Group ID Value, in
 *                 lower-case hexadecimal
 *     CONTROLLER  the first 8 octets of SHA-256 over Signer ID Type (1 octet)
 *                 and Signer ID Data of the Rekey Event, likewise: Sequence IDs
 *                 count per GC/KS, and a group may have subordinate ones
 *     SEQUENCE    the Sequence ID, decimal
 *
 * A site that contains "{sequence}" is a template instead, in which "{group}",
 * "{controller}" and "{sequence}" are replaced.
 */
struct gsakmp_post {
	struct gk_slice group_id;  /* Group ID Value */
	uint8_t signer_type;       /* Table 19 */
	struct gk_slice signer_id; /* Signer ID Data */
	uint32_t sequence;
};

#define GSAKMP_POST_PATH_MAX 64  /* "32/16/10" and a NUL */
#define GSAKMP_POST_URL_MAX 2048 /* of a URL, with its NUL */

/* gsakmp_post_path - the place alone: no "." and nothing but [0-9a-f/]. */
GK_MUST_CHECK enum gk_err gsakmp_post_path(const struct gsakmp_post *post,
                                           char out[GSAKMP_POST_PATH_MAX]);
/* gsakmp_post_url - at @site.  GK_ERR_VALUE: @site is no http URL, or names
 * something else in braces; GK_ERR_SPACE: too long. */
GK_MUST_CHECK enum gk_err gsakmp_post_url(const struct gsakmp_post *post,
                                          const char *site,
                                          char out[GSAKMP_POST_URL_MAX]);

#endif /* GSAKMP_ENGINE_BULLETIN_H */
