/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ASN1_GDOI_H
#define GPT_ASN1_GDOI_H

#include "policy-tokens/der/gpt_asn1.h"
#include "policy-tokens/token/gpt_gdoi.h"

/*
 * DOC: the ASN.1 of the GDOI protocols as OpenSSL templates
 *
 * Private to der/.  One struct per record of gpt_gdoi.h, made from its rows; every
 * member is a pointer, NULL where an OPTIONAL field is absent.
 */
#define GPT_ASN1_TYPE_NUMBER ASN1_INTEGER
#define GPT_ASN1_TYPE_SECONDS ASN1_INTEGER
#define GPT_ASN1_TYPE_CODE ASN1_INTEGER
#define GPT_ASN1_TYPE_OCTETS ASN1_OCTET_STRING
#define GPT_ASN1_TYPE_OID ASN1_OBJECT
#define GPT_ASN1_TYPE_ADDRESS struct gpt_asn1_id

/* clang-format off */
#define F(field, asn1, kind, elem, attr, reg, last1, lo, hi) \
	GPT_ASN1_TYPE_##kind *asn1;
struct gpt_asn1_phase1 { GPT_PHASE1_LIST(F, F) };
struct gpt_asn1_gdoi_group { GPT_GDOI_GROUP_LIST(F, F) };
struct gpt_asn1_gdoi_rekey { GPT_GDOI_REKEY_LIST(F, F) };
struct gpt_asn1_ipsec_sa { GPT_IPSEC_SA_LIST(F, F) };
struct gpt_asn1_iec_sa { GPT_IEC_SA_LIST(F, F) };
struct gpt_asn1_operation { GPT_OPERATION_LIST(F, F) };
#undef F
/* clang-format on */

/* GDOIRegistrationInfo */
struct gpt_asn1_gdoi_register {
	struct gpt_asn1_join_authorization *joinAuthorization;
	OPENSSL_STACK *joinAccessControl;
	struct gpt_asn1_gdoi_group *groupInfo;
	OPENSSL_STACK *phase1;
};

/* gpt_asn1_record_item - the item of a record; gpt_asn1_record_at - where its
 * fields stand in the template's struct, in the order of the rows. */
enum gpt_asn1_item gpt_asn1_record_item(enum gpt_record_kind kind);
const size_t *gpt_asn1_record_at(enum gpt_record_kind kind);

/* gpt_asn1_gdoi_item - NULL when @item is none of this module. */
const ASN1_ITEM *gpt_asn1_gdoi_item(enum gpt_asn1_item item);

#endif /* GPT_ASN1_GDOI_H */
