/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_DECODE_PART_H
#define GPT_DECODE_PART_H

#include "policy-tokens/der/gpt_asn1.h"
#include "policy-tokens/der/gpt_der.h"

/*
 * DOC: what the decoders of the modules share
 *
 * Private to der/.
 */

/*
 * Where we are: the path of the field for refusals, and how far in the token
 * the protocolInfo octets seen so far reach.  Template structs are copies, so
 * the place of an OCTET STRING is found again by looking for its octets behind
 * the previous one.
 */
struct gpt_decode_place {
	struct gk_slice der;
	size_t cursor;
	char path[96];
	struct gpt_fault *why;
};

/* A refusal of the field @field, below the path of @at; returns @err. */
enum gk_err gpt_decode_refuse(struct gpt_decode_place *at, enum gk_err err,
                              const char *req, const char *field,
                              const char *text);

/* The place of @octets in the token; looks on from the last one. */
size_t gpt_decode_locate(struct gpt_decode_place *at, struct gk_slice octets);

/* A view of an OCTET STRING, or any other string type. */
struct gk_slice gpt_decode_octets_of(const ASN1_OCTET_STRING *s);

/* Copies. */
GK_MUST_CHECK enum gk_err gpt_decode_octets(struct gk_buf *out,
                                            const ASN1_OCTET_STRING *s);

/* GK_ERR_VALUE when it has more than 64 bits. */
GK_MUST_CHECK enum gk_err gpt_decode_integer(struct gpt_decode_place *at,
                                             int64_t *out,
                                             const ASN1_INTEGER *in,
                                             const char *field);

/* DER knows one TRUE. */
GK_MUST_CHECK enum gk_err gpt_decode_boolean(struct gpt_decode_place *at,
                                             bool *out, ASN1_BOOLEAN in,
                                             const char *field);

/* Dotted decimal, allocated. */
GK_MUST_CHECK enum gk_err gpt_decode_oid(struct gpt_decode_place *at,
                                         char **out, const ASN1_OBJECT *in,
                                         const char *field);

GK_MUST_CHECK enum gk_err gpt_decode_lifedate(
	struct gpt_decode_place *at, struct gpt_lifedate *out,
	const struct gpt_asn1_lifedate *in, const char *field);

/* SEQUENCE OF UserCAPair; appends. */
GK_MUST_CHECK enum gk_err gpt_decode_pairs(struct gpt_decode_place *at,
                                           struct gpt_pairs *out,
                                           const OPENSSL_STACK *in,
                                           const char *field);

/* Keep an OID that nobody knows; takes *@name. */
GK_MUST_CHECK enum gk_err gpt_decode_extension(struct gpt_extension *out,
                                               char **name,
                                               struct gk_slice info);

/* The first of several readings that fits; *@which says which.  The refusal is
 * that of the first, which is the project's own. */
GK_MUST_CHECK enum gk_err gpt_decode_try_readings(
	struct gpt_decode_place *at, struct gk_slice info,
	const enum gpt_asn1_item *items, size_t n, size_t *which, void **out);

/* JoinAuthorization and joinAccessControl, which GSAKMP and GDOI share. */
GK_MUST_CHECK enum gk_err gpt_decode_membership(
	struct gpt_decode_place *at, struct gpt_register *out,
	const struct gpt_asn1_join_authorization *auth,
	const OPENSSL_STACK *access);

/* One protocolInfo each: appendix B.2, B.4, B.6. */
GK_MUST_CHECK enum gk_err gpt_decode_protocol_register(
	struct gpt_decode_place *at, struct gpt_protocol *out,
	struct gk_slice info);
GK_MUST_CHECK enum gk_err gpt_decode_protocol_deregister(
	struct gpt_decode_place *at, struct gpt_protocol *out,
	struct gk_slice info);
GK_MUST_CHECK enum gk_err gpt_decode_protocol_rekey(struct gpt_decode_place *at,
                                                    struct gpt_protocol *out,
                                                    struct gk_slice info);
/* And those of gpt_gdoi.h. */
GK_MUST_CHECK enum gk_err gpt_decode_protocol_gdoi(struct gpt_decode_place *at,
                                                   struct gpt_protocol *out,
                                                   enum gpt_protocol_kind kind,
                                                   struct gk_slice info);

#endif /* GPT_DECODE_PART_H */
