/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ENCODE_PART_H
#define GPT_ENCODE_PART_H

#include "policy-tokens/der/gpt_asn1.h"
#include "policy-tokens/der/gpt_der.h"

/*
 * DOC: what the encoders of the modules share
 *
 * Private to der/.  Each function fills a struct that
 * gpt_asn1_new() made.
 */

/* Where we are, for refusals. */
struct gpt_encode_place {
	char path[96];
	struct gpt_fault *why;
};

/* A refusal of the field @field, below the path of @at: GK_ERR_VALUE. */
enum gk_err gpt_encode_refuse(struct gpt_encode_place *at, const char *field,
                              const char *text);

GK_MUST_CHECK enum gk_err gpt_encode_octets(ASN1_OCTET_STRING *out,
                                            struct gk_slice in);

/* Only when @present. */
GK_MUST_CHECK enum gk_err gpt_encode_octets_opt(ASN1_OCTET_STRING **out,
                                                bool present,
                                                const struct gk_buf *in);

GK_MUST_CHECK enum gk_err gpt_encode_integer(ASN1_INTEGER *out, int64_t in);

GK_MUST_CHECK enum gk_err gpt_encode_null(ASN1_NULL **out);

GK_MUST_CHECK enum gk_err gpt_encode_oid(struct gpt_encode_place *at,
                                         ASN1_OBJECT **out, const char *in,
                                         const char *field);

GK_MUST_CHECK enum gk_err gpt_encode_lifedate(struct gpt_encode_place *at,
                                              struct gpt_asn1_lifedate *out,
                                              struct gpt_lifedate in,
                                              const char *field);

/* A new element, already in the list; NULL when memory is out. */
void *gpt_encode_add(OPENSSL_STACK *list, enum gpt_asn1_item item);

GK_MUST_CHECK enum gk_err gpt_encode_pairs(OPENSSL_STACK *out,
                                           const struct gpt_pairs *in);

/* An optional list: absent is not the same as empty. */
GK_MUST_CHECK enum gk_err gpt_encode_pairs_opt(OPENSSL_STACK **out,
                                               bool present,
                                               const struct gpt_pairs *in);

/* The DER of @made (of type @item) into an OCTET STRING. */
GK_MUST_CHECK enum gk_err gpt_encode_wrap(ASN1_OCTET_STRING *out,
                                          enum gpt_asn1_item item,
                                          const void *made);

/* JoinAuthorization and joinAccessControl, which GSAKMP and GDOI share. */
GK_MUST_CHECK enum gk_err gpt_encode_membership(
	struct gpt_encode_place *at, struct gpt_asn1_join_authorization *auth,
	OPENSSL_STACK *access, const struct gpt_register *in);

/* Fill @made from @model: appendix B.2, B.4, B.6. */
GK_MUST_CHECK enum gk_err gpt_encode_registration_info(
	struct gpt_encode_place *at, void *made, const void *model);
GK_MUST_CHECK enum gk_err gpt_encode_deregistration_info(
	struct gpt_encode_place *at, void *made, const void *model);
GK_MUST_CHECK enum gk_err gpt_encode_rekey_info(struct gpt_encode_place *at,
                                                void *made, const void *model);
/* And those of gpt_gdoi.h; the model of a registration is the whole
 * struct gpt_protocol. */
GK_MUST_CHECK enum gk_err gpt_encode_gdoi_register_info(
	struct gpt_encode_place *at, void *made, const void *model);
GK_MUST_CHECK enum gk_err gpt_encode_gdoi_rekey_info(
	struct gpt_encode_place *at, void *made, const void *model);
GK_MUST_CHECK enum gk_err gpt_encode_operation_info(struct gpt_encode_place *at,
                                                    void *made,
                                                    const void *model);
GK_MUST_CHECK enum gk_err gpt_encode_ipsec_info(struct gpt_encode_place *at,
                                                void *made, const void *model);
GK_MUST_CHECK enum gk_err gpt_encode_iec_info(struct gpt_encode_place *at,
                                              void *made, const void *model);

#endif /* GPT_ENCODE_PART_H */
