/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_asn1_gdoi.h"

/* Types of RFC 4534's modules, which are private to gpt_asn1.c. */
static const ASN1_ITEM *
GSAKMPID_it(void)
{
	return gpt_asn1_item_of(GPT_ASN1_ID);
}

static const ASN1_ITEM *
JoinAuthorization_it(void)
{
	return gpt_asn1_item_of(GPT_ASN1_JOIN_AUTHORIZATION);
}

static const ASN1_ITEM *
AccessControl_it(void)
{
	return gpt_asn1_item_of(GPT_ASN1_ACCESS_CONTROL);
}

/* One template per row.  The tags are IMPLICIT, as in the RFC's modules. */
#define SIMPLE_NUMBER(f) ASN1_SIMPLE(STRUCT, f, ASN1_INTEGER)
#define SIMPLE_SECONDS(f) ASN1_SIMPLE(STRUCT, f, ASN1_INTEGER)
#define SIMPLE_CODE(f) ASN1_SIMPLE(STRUCT, f, ASN1_INTEGER)
#define SIMPLE_OCTETS(f) ASN1_SIMPLE(STRUCT, f, ASN1_OCTET_STRING)
#define SIMPLE_OID(f) ASN1_SIMPLE(STRUCT, f, ASN1_OBJECT)
#define OPT_NUMBER(f, tag) ASN1_IMP_OPT(STRUCT, f, ASN1_INTEGER, tag)
#define OPT_SECONDS(f, tag) ASN1_IMP_OPT(STRUCT, f, ASN1_INTEGER, tag)
#define OPT_CODE(f, tag) ASN1_IMP_OPT(STRUCT, f, ASN1_INTEGER, tag)
#define OPT_OCTETS(f, tag) ASN1_IMP_OPT(STRUCT, f, ASN1_OCTET_STRING, tag)
#define OPT_OID(f, tag) ASN1_IMP_OPT(STRUCT, f, ASN1_OBJECT, tag)
#define OPT_ADDRESS(f, tag) ASN1_IMP_OPT(STRUCT, f, GSAKMPID, tag)
#define R(field, asn1, kind, elem, attr, reg, fb, lo, hi) SIMPLE_##kind(asn1),
#define O(field, asn1, kind, elem, attr, reg, tag, lo, hi) \
	OPT_##kind(asn1, tag),

/* clang-format off */

#define STRUCT struct gpt_asn1_phase1
ASN1_SEQUENCE(Phase1Proposal) = {
	GPT_PHASE1_LIST(R, O)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_phase1, Phase1Proposal)
#undef STRUCT

#define STRUCT struct gpt_asn1_gdoi_group
ASN1_SEQUENCE(GroupInfo) = {
	GPT_GDOI_GROUP_LIST(R, O)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_gdoi_group, GroupInfo)
#undef STRUCT

ASN1_SEQUENCE(GDOIRegistrationInfo) = {
	ASN1_SIMPLE(struct gpt_asn1_gdoi_register, joinAuthorization,
	            JoinAuthorization),
	ASN1_SEQUENCE_OF(struct gpt_asn1_gdoi_register, joinAccessControl,
	                 AccessControl),
	ASN1_SIMPLE(struct gpt_asn1_gdoi_register, groupInfo, GroupInfo),
	ASN1_SEQUENCE_OF(struct gpt_asn1_gdoi_register, phase1, Phase1Proposal)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_gdoi_register,
                                GDOIRegistrationInfo)

#define STRUCT struct gpt_asn1_gdoi_rekey
ASN1_SEQUENCE(GDOIRekeyInfo) = {
	GPT_GDOI_REKEY_LIST(R, O)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_gdoi_rekey, GDOIRekeyInfo)
#undef STRUCT

#define STRUCT struct gpt_asn1_ipsec_sa
ASN1_SEQUENCE(IPsecSA) = {
	GPT_IPSEC_SA_LIST(R, O)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_ipsec_sa, IPsecSA)
#undef STRUCT

ASN1_ITEM_TEMPLATE(IPsecDataSAInfo) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, IPsecDataSAInfo, IPsecSA)
static_ASN1_ITEM_TEMPLATE_END(IPsecDataSAInfo)

#define STRUCT struct gpt_asn1_iec_sa
ASN1_SEQUENCE(IEC61850SA) = {
	GPT_IEC_SA_LIST(R, O)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_iec_sa, IEC61850SA)
#undef STRUCT

ASN1_ITEM_TEMPLATE(IEC61850DataSAInfo) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, IEC61850DataSAInfo,
	                      IEC61850SA)
static_ASN1_ITEM_TEMPLATE_END(IEC61850DataSAInfo)

#define STRUCT struct gpt_asn1_operation
ASN1_SEQUENCE(GSAKMPOperationInfo) = {
	GPT_OPERATION_LIST(R, O)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_operation, GSAKMPOperationInfo)
#undef STRUCT

#undef R
#undef O

/* clang-format takes the templates for the beginning of what follows. */
const ASN1_ITEM *
gpt_asn1_gdoi_item(enum gpt_asn1_item item)
{
	switch (item) {
	case GPT_ASN1_GDOI_REGISTER:
		return ASN1_ITEM_rptr(GDOIRegistrationInfo);
	case GPT_ASN1_GDOI_GROUP:
		return ASN1_ITEM_rptr(GroupInfo);
	case GPT_ASN1_PHASE1:
		return ASN1_ITEM_rptr(Phase1Proposal);
	case GPT_ASN1_GDOI_REKEY:
		return ASN1_ITEM_rptr(GDOIRekeyInfo);
	case GPT_ASN1_IPSEC:
		return ASN1_ITEM_rptr(IPsecDataSAInfo);
	case GPT_ASN1_IPSEC_SA:
		return ASN1_ITEM_rptr(IPsecSA);
	case GPT_ASN1_IEC:
		return ASN1_ITEM_rptr(IEC61850DataSAInfo);
	case GPT_ASN1_IEC_SA:
		return ASN1_ITEM_rptr(IEC61850SA);
	case GPT_ASN1_OPERATION:
		return ASN1_ITEM_rptr(GSAKMPOperationInfo);
	default:
		return NULL;
	}
}
/* clang-format on */

/* --- where the fields are --------------------------------------------------- */

#define F(field, asn1, kind, elem, attr, reg, last1, lo, hi) \
	offsetof(STRUCT, asn1),
#define STRUCT struct gpt_asn1_phase1
static const size_t phase1[] = { GPT_PHASE1_LIST(F, F) };
#undef STRUCT
#define STRUCT struct gpt_asn1_gdoi_group
static const size_t group[] = { GPT_GDOI_GROUP_LIST(F, F) };
#undef STRUCT
#define STRUCT struct gpt_asn1_gdoi_rekey
static const size_t rekey[] = { GPT_GDOI_REKEY_LIST(F, F) };
#undef STRUCT
#define STRUCT struct gpt_asn1_ipsec_sa
static const size_t ipsec[] = { GPT_IPSEC_SA_LIST(F, F) };
#undef STRUCT
#define STRUCT struct gpt_asn1_iec_sa
static const size_t iec[] = { GPT_IEC_SA_LIST(F, F) };
#undef STRUCT
#define STRUCT struct gpt_asn1_operation
static const size_t operation[] = { GPT_OPERATION_LIST(F, F) };
#undef STRUCT
#undef F

static const struct {
	enum gpt_asn1_item item;
	const size_t *at;
} records[GPT_RECORDS] = {
	[GPT_RECORD_PHASE1] = { GPT_ASN1_PHASE1, phase1 },
	[GPT_RECORD_GDOI_GROUP] = { GPT_ASN1_GDOI_GROUP, group },
	[GPT_RECORD_GDOI_REKEY] = { GPT_ASN1_GDOI_REKEY, rekey },
	[GPT_RECORD_IPSEC_SA] = { GPT_ASN1_IPSEC_SA, ipsec },
	[GPT_RECORD_IEC_SA] = { GPT_ASN1_IEC_SA, iec },
	[GPT_RECORD_OPERATION] = { GPT_ASN1_OPERATION, operation },
};

enum gpt_asn1_item
gpt_asn1_record_item(enum gpt_record_kind kind)
{
	return records[kind].item;
}

const size_t *
gpt_asn1_record_at(enum gpt_record_kind kind)
{
	return records[kind].at;
}
