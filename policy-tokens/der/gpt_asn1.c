/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_asn1.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "policy-tokens/der/gpt_asn1_gdoi.h"
#include "policy-tokens/der/gpt_tlv.h"

/* clang-format off */

/* --- appendix A: PolicyToken, 1.3.6.1.5.5.12.0.1 --------------------------- */

ASN1_CHOICE(LifeDate) = {
	ASN1_SIMPLE(struct gpt_asn1_lifedate, value.gt, ASN1_GENERALIZEDTIME),
	ASN1_SIMPLE(struct gpt_asn1_lifedate, value.utc, ASN1_UTCTIME),
	ASN1_SIMPLE(struct gpt_asn1_lifedate, value.interval, ASN1_INTEGER)
} static_ASN1_CHOICE_END_name(struct gpt_asn1_lifedate, LifeDate)

ASN1_SEQUENCE(TokenID) = {
	ASN1_SIMPLE(struct gpt_asn1_token_id, tokenDefVersion, ASN1_INTEGER),
	ASN1_SIMPLE(struct gpt_asn1_token_id, groupName, ASN1_OCTET_STRING),
	ASN1_OPT(struct gpt_asn1_token_id, edition, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_token_id, TokenID)

/* Protocol and DataProtocol */
ASN1_SEQUENCE(Protocol) = {
	ASN1_SIMPLE(struct gpt_asn1_protocol, protocol, ASN1_OBJECT),
	ASN1_SIMPLE(struct gpt_asn1_protocol, protocolInfo, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_protocol, Protocol)

ASN1_CHOICE(GroupMngmtProtocol) = {
	ASN1_SIMPLE(struct gpt_asn1_mngmt, value.none, ASN1_NULL),
	ASN1_SIMPLE(struct gpt_asn1_mngmt, value.supported, Protocol)
} static_ASN1_CHOICE_END_name(struct gpt_asn1_mngmt, GroupMngmtProtocol)

ASN1_SEQUENCE(Registration) = {
	ASN1_SIMPLE(struct gpt_asn1_registration, reg, GroupMngmtProtocol),
	ASN1_SIMPLE(struct gpt_asn1_registration, deregister, GroupMngmtProtocol)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_registration, Registration)

ASN1_SEQUENCE(Token) = {
	ASN1_SIMPLE(struct gpt_asn1_token, tokenInfo, TokenID),
	ASN1_SEQUENCE_OF(struct gpt_asn1_token, registration, Registration),
	ASN1_SEQUENCE_OF(struct gpt_asn1_token, rekey, GroupMngmtProtocol),
	ASN1_SEQUENCE_OF(struct gpt_asn1_token, data, Protocol)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_token, Token)

/* token_no_reg `null` */
ASN1_SEQUENCE(TokenNull) = {
	ASN1_SIMPLE(struct gpt_asn1_token, tokenInfo, TokenID),
	ASN1_SIMPLE(struct gpt_asn1_token, registration, ASN1_NULL),
	ASN1_SEQUENCE_OF(struct gpt_asn1_token, rekey, GroupMngmtProtocol),
	ASN1_SEQUENCE_OF(struct gpt_asn1_token, data, Protocol)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_token, TokenNull)

/* --- appendix B.2: GSAKMPv1RegistrationSA, 1.3.6.1.5.5.12.0.2 --------------- */

ASN1_SEQUENCE(GSAKMPID) = {
	ASN1_SIMPLE(struct gpt_asn1_id, typeValue, ASN1_INTEGER),
	ASN1_SIMPLE(struct gpt_asn1_id, typeData, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_id, GSAKMPID)

ASN1_SEQUENCE(UserCAPair) = {
	ASN1_SIMPLE(struct gpt_asn1_pair, groupEntity, GSAKMPID),
	ASN1_SIMPLE(struct gpt_asn1_pair, cA, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_pair, UserCAPair)

ASN1_ITEM_TEMPLATE(GCKSName) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, GCKSName, UserCAPair)
static_ASN1_ITEM_TEMPLATE_END(GCKSName)

ASN1_SEQUENCE(SigDef) = {
	ASN1_SIMPLE(struct gpt_asn1_sig_def, sigAlgorithmID, ASN1_INTEGER),
	ASN1_SIMPLE(struct gpt_asn1_sig_def, hashAlgorithmID, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_sig_def, SigDef)

ASN1_SEQUENCE(KEAlg) = {
	ASN1_SIMPLE(struct gpt_asn1_ke_alg, keyExchangeAlgorithmID, ASN1_INTEGER),
	ASN1_OPT(struct gpt_asn1_ke_alg, keyExchangeAlgorithmData, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_ke_alg, KEAlg)

ASN1_SEQUENCE(OpInfo) = {
	ASN1_SIMPLE(struct gpt_asn1_op_info, timeOut, LifeDate),
	ASN1_SIMPLE(struct gpt_asn1_op_info, terse, ASN1_BOOLEAN),
	ASN1_OPT(struct gpt_asn1_op_info, timestamp, ASN1_BOOLEAN)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_op_info, OpInfo)

/* token_tags: everything with a context tag, once per reading.  LIST_ is the
 * tag of the lists, which the module itself marks EXPLICIT. */
#define REGISTRATION_MODULE(V, TAG)                                             \
ASN1_CHOICE(SenderAuthorization##V) = {                                         \
	TAG(struct gpt_asn1_senders, value.all, ASN1_NULL, 0),                  \
	ASN1_EXP_SEQUENCE_OF(struct gpt_asn1_senders, value.limited,            \
	                     UserCAPair, 1)                                     \
} static_ASN1_CHOICE_END_name(struct gpt_asn1_senders, SenderAuthorization##V)  \
                                                                                \
ASN1_SEQUENCE(JoinAuthorization##V) = {                                         \
	ASN1_SEQUENCE_OF(struct gpt_asn1_join_authorization, gCKS, UserCAPair), \
	ASN1_SEQUENCE_OF_OPT(struct gpt_asn1_join_authorization, subGCKS,       \
	                     GCKSName),                                         \
	ASN1_SIMPLE(struct gpt_asn1_join_authorization, senders,                \
	            SenderAuthorization##V)                                     \
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_join_authorization,             \
                                JoinAuthorization##V)                           \
                                                                                \
ASN1_CHOICE(Permission##V) = {                                                  \
	TAG(struct gpt_asn1_permission, value.simplePermission,                 \
	    ASN1_ENUMERATED, 1)                                                 \
} static_ASN1_CHOICE_END_name(struct gpt_asn1_permission, Permission##V)        \
                                                                                \
ASN1_SEQUENCE(AccessControl##V) = {                                             \
	ASN1_EXP_SEQUENCE_OF_OPT(struct gpt_asn1_access_control, permissions,   \
	                         Permission##V, 1),                             \
	ASN1_EXP_SEQUENCE_OF(struct gpt_asn1_access_control, accessRule,        \
	                     UserCAPair, 2),                                    \
	ASN1_EXP_SEQUENCE_OF_OPT(struct gpt_asn1_access_control,                \
	                         exclusionsRule, UserCAPair, 3)                 \
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_access_control,                 \
                                AccessControl##V)                               \
                                                                                \
ASN1_CHOICE(AckData##V) = {                                                     \
	TAG(struct gpt_asn1_ack_data, value.none, ASN1_NULL, 0)                 \
} static_ASN1_CHOICE_END_name(struct gpt_asn1_ack_data, AckData##V)             \
                                                                                \
ASN1_SEQUENCE(Mechanisms##V) = {                                                \
	ASN1_SIMPLE(struct gpt_asn1_mechanisms, signatureDef, SigDef),          \
	ASN1_SIMPLE(struct gpt_asn1_mechanisms, kEAlg, KEAlg),                  \
	ASN1_SIMPLE(struct gpt_asn1_mechanisms, keyWrap, ASN1_INTEGER),         \
	ASN1_SIMPLE(struct gpt_asn1_mechanisms, ackData, AckData##V),           \
	ASN1_SIMPLE(struct gpt_asn1_mechanisms, opInfo, OpInfo)                 \
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_mechanisms, Mechanisms##V)      \
                                                                                \
ASN1_CHOICE(JoinMechanism##V) = {                                               \
	TAG(struct gpt_asn1_join_mechanism, value.alaCarte, Mechanisms##V, 0),  \
	TAG(struct gpt_asn1_join_mechanism, value.suite, ASN1_OBJECT, 1)        \
} static_ASN1_CHOICE_END_name(struct gpt_asn1_join_mechanism, JoinMechanism##V) \
                                                                                \
ASN1_CHOICE(Transport##V) = {                                                   \
	TAG(struct gpt_asn1_transport, value.tcp, ASN1_NULL, 0),                \
	TAG(struct gpt_asn1_transport, value.udp, ASN1_NULL, 1),                \
	TAG(struct gpt_asn1_transport, value.udpRTJtcpOther, ASN1_NULL, 2)      \
} static_ASN1_CHOICE_END_name(struct gpt_asn1_transport, Transport##V)          \
                                                                                \
ASN1_SEQUENCE(GSAKMPv1RegistrationInfo##V) = {                                  \
	ASN1_SIMPLE(struct gpt_asn1_register, joinAuthorization,                \
	            JoinAuthorization##V),                                      \
	ASN1_SEQUENCE_OF(struct gpt_asn1_register, joinAccessControl,           \
	                 AccessControl##V),                                     \
	ASN1_SEQUENCE_OF(struct gpt_asn1_register, joinMechanisms,              \
	                 JoinMechanism##V),                                     \
	ASN1_SIMPLE(struct gpt_asn1_register, transport, Transport##V)          \
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_register,                       \
                                GSAKMPv1RegistrationInfo##V)

REGISTRATION_MODULE(Implicit, ASN1_IMP)
REGISTRATION_MODULE(Explicit, ASN1_EXP)

/* --- appendix B.4: GSAKMPv1DeRegistrationSA, 1.3.6.1.5.5.12.0.3 ------------- */

ASN1_SEQUENCE(LeaveMechanisms) = {
	ASN1_SIMPLE(struct gpt_asn1_leave_mechanism, sigAlgorithm, ASN1_INTEGER),
	ASN1_SIMPLE(struct gpt_asn1_leave_mechanism, hashAlgorithm, ASN1_INTEGER),
	ASN1_SIMPLE(struct gpt_asn1_leave_mechanism, cA, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_leave_mechanism, LeaveMechanisms)

#define DEREGISTRATION_MODULE(V, TAG)                                           \
ASN1_CHOICE(LeaveTransport##V) = {                                              \
	TAG(struct gpt_asn1_transport, value.tcp, ASN1_NULL, 0),                \
	TAG(struct gpt_asn1_transport, value.udp, ASN1_NULL, 1)                 \
} static_ASN1_CHOICE_END_name(struct gpt_asn1_transport, LeaveTransport##V)     \
                                                                                \
ASN1_SEQUENCE(GSAKMPv1DeRegistrationInfo##V) = {                                \
	ASN1_SEQUENCE_OF(struct gpt_asn1_deregister, leaveMechanisms,           \
	                 LeaveMechanisms),                                      \
	ASN1_SIMPLE(struct gpt_asn1_deregister, terse, ASN1_BOOLEAN),           \
	ASN1_SIMPLE(struct gpt_asn1_deregister, transport, LeaveTransport##V)   \
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_deregister,                     \
                                GSAKMPv1DeRegistrationInfo##V)                  \
                                                                                \
ASN1_SEQUENCE(DeRegistrationModule##V) = {                                      \
	ASN1_SEQUENCE_OF(struct gpt_asn1_deregister, leaveMechanisms,           \
	                 LeaveMechanisms),                                      \
	ASN1_SIMPLE(struct gpt_asn1_deregister, transport, LeaveTransport##V)   \
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_deregister,                     \
                                DeRegistrationModule##V)

DEREGISTRATION_MODULE(Implicit, ASN1_IMP)
DEREGISTRATION_MODULE(Explicit, ASN1_EXP)

/* --- appendix B.6: GSAKMPv1RekeySA, 1.3.6.1.5.5.12.0.4 ----------------------- */

ASN1_SEQUENCE(RekeyMechanisms) = {
	ASN1_SIMPLE(struct gpt_asn1_rekey_mechanisms, sigAlgorithm, ASN1_INTEGER),
	ASN1_SIMPLE(struct gpt_asn1_rekey_mechanisms, hashAlgorithm, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_rekey_mechanisms, RekeyMechanisms)

ASN1_SEQUENCE(TimeAndEvent) = {
	ASN1_SIMPLE(struct gpt_asn1_time_and_event, time, LifeDate),
	ASN1_SIMPLE(struct gpt_asn1_time_and_event, event, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_time_and_event, TimeAndEvent)

ASN1_SEQUENCE(RekeyMethod) = {
	ASN1_SIMPLE(struct gpt_asn1_rekey_method, rekeyMethodType, ASN1_OBJECT),
	ASN1_SIMPLE(struct gpt_asn1_rekey_method, rekeyMethodInfo, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_rekey_method, RekeyMethod)

ASN1_SEQUENCE(Reliability) = {
	ASN1_SIMPLE(struct gpt_asn1_reliability, reliabilityMechanism, ASN1_OBJECT),
	ASN1_SIMPLE(struct gpt_asn1_reliability, reliabilityMechContent,
	            ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_reliability, Reliability)

ASN1_SEQUENCE(SubGCKSInfo) = {
	ASN1_SIMPLE(struct gpt_asn1_sub_gcks_info, subGCKSScheme, ASN1_OBJECT),
	ASN1_SIMPLE(struct gpt_asn1_sub_gcks_info, sGCKSContent, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_sub_gcks_info, SubGCKSInfo)

ASN1_SEQUENCE(SGCKSAutonomous) = {
	ASN1_SEQUENCE_OF(struct gpt_asn1_autonomous, authSubs, UserCAPair),
	ASN1_OPT(struct gpt_asn1_autonomous, domain, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_autonomous, SGCKSAutonomous)

/* A tagged CHOICE is EXPLICIT in either reading (X.680 31.2.7). */
#define REKEY_MODULE(V, TAG)                                                    \
ASN1_CHOICE(RekeyEventDef##V) = {                                               \
	TAG(struct gpt_asn1_rekey_event_def, value.none, ASN1_NULL, 0),         \
	ASN1_EXP(struct gpt_asn1_rekey_event_def, value.timeOnly, LifeDate, 1), \
	TAG(struct gpt_asn1_rekey_event_def, value.event, ASN1_INTEGER, 2),     \
	TAG(struct gpt_asn1_rekey_event_def, value.timeAndEvent,                \
	    TimeAndEvent, 3)                                                    \
} static_ASN1_CHOICE_END_name(struct gpt_asn1_rekey_event_def, RekeyEventDef##V) \
                                                                                \
ASN1_SEQUENCE(GSAKMPv1RekeyInfo##V) = {                                         \
	ASN1_SEQUENCE_OF(struct gpt_asn1_rekey, authorization, UserCAPair),     \
	ASN1_SIMPLE(struct gpt_asn1_rekey, mechanism, RekeyMechanisms),         \
	ASN1_SIMPLE(struct gpt_asn1_rekey, rekeyEventDef, RekeyEventDef##V),    \
	ASN1_SIMPLE(struct gpt_asn1_rekey, rekeyMethod, RekeyMethod),           \
	ASN1_SIMPLE(struct gpt_asn1_rekey, rekeyInterval, LifeDate),            \
	ASN1_SIMPLE(struct gpt_asn1_rekey, reliability, Reliability),           \
	ASN1_SIMPLE(struct gpt_asn1_rekey, subGCKSInfo, SubGCKSInfo)            \
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_rekey, GSAKMPv1RekeyInfo##V)

REKEY_MODULE(Implicit, ASN1_IMP)
REKEY_MODULE(Explicit, ASN1_EXP)

/* --- appendix C.2: GenericDataSA, 1.3.6.1.5.5.12.0.5 -------------------------- */

ASN1_SEQUENCE(KeyInfo) = {
	ASN1_SIMPLE(struct gpt_asn1_key_info, kMKeyID, ASN1_OCTET_STRING),
	ASN1_OPT(struct gpt_asn1_key_info, keyExpirationDate, LifeDate)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_key_info, KeyInfo)

ASN1_SEQUENCE(GenericDataSAInfo) = {
	ASN1_EXP_OPT(struct gpt_asn1_data, authentication, KeyInfo, 0),
	ASN1_EXP_OPT(struct gpt_asn1_data, encryption, KeyInfo, 1)
} static_ASN1_SEQUENCE_END_name(struct gpt_asn1_data, GenericDataSAInfo)

/* clang-format takes the templates for the beginning of what follows. */
const ASN1_ITEM *
gpt_asn1_item_of(enum gpt_asn1_item item)
{
	switch (item) {
	case GPT_ASN1_TOKEN:
		return ASN1_ITEM_rptr(Token);
	case GPT_ASN1_TOKEN_NULL:
		return ASN1_ITEM_rptr(TokenNull);
	case GPT_ASN1_REGISTER:
		return ASN1_ITEM_rptr(GSAKMPv1RegistrationInfoImplicit);
	case GPT_ASN1_REGISTER_EXPLICIT:
		return ASN1_ITEM_rptr(GSAKMPv1RegistrationInfoExplicit);
	case GPT_ASN1_DEREGISTER:
		return ASN1_ITEM_rptr(GSAKMPv1DeRegistrationInfoImplicit);
	case GPT_ASN1_DEREGISTER_EXPLICIT:
		return ASN1_ITEM_rptr(GSAKMPv1DeRegistrationInfoExplicit);
	case GPT_ASN1_DEREGISTER_MODULE:
		return ASN1_ITEM_rptr(DeRegistrationModuleImplicit);
	case GPT_ASN1_DEREGISTER_MODULE_EXPLICIT:
		return ASN1_ITEM_rptr(DeRegistrationModuleExplicit);
	case GPT_ASN1_REKEY:
		return ASN1_ITEM_rptr(GSAKMPv1RekeyInfoImplicit);
	case GPT_ASN1_REKEY_EXPLICIT:
		return ASN1_ITEM_rptr(GSAKMPv1RekeyInfoExplicit);
	case GPT_ASN1_AUTONOMOUS:
		return ASN1_ITEM_rptr(SGCKSAutonomous);
	case GPT_ASN1_DATA:
		return ASN1_ITEM_rptr(GenericDataSAInfo);
	case GPT_ASN1_NULL:
		return ASN1_ITEM_rptr(ASN1_NULL);
	case GPT_ASN1_INTEGER:
		return ASN1_ITEM_rptr(ASN1_INTEGER);
	case GPT_ASN1_IA5STRING:
		return ASN1_ITEM_rptr(ASN1_IA5STRING);
	case GPT_ASN1_PAIR:
		return ASN1_ITEM_rptr(UserCAPair);
	case GPT_ASN1_GCKS_NAME:
		return ASN1_ITEM_rptr(GCKSName);
	case GPT_ASN1_REGISTRATION:
		return ASN1_ITEM_rptr(Registration);
	case GPT_ASN1_MNGMT:
		return ASN1_ITEM_rptr(GroupMngmtProtocol);
	case GPT_ASN1_PROTOCOL:
		return ASN1_ITEM_rptr(Protocol);
	/* The struct is the same in both readings of the tags. */
	case GPT_ASN1_PERMISSION:
		return ASN1_ITEM_rptr(PermissionImplicit);
	case GPT_ASN1_ACCESS_CONTROL:
		return ASN1_ITEM_rptr(AccessControlImplicit);
	case GPT_ASN1_JOIN_MECHANISM:
		return ASN1_ITEM_rptr(JoinMechanismImplicit);
	case GPT_ASN1_MECHANISMS:
		return ASN1_ITEM_rptr(MechanismsImplicit);
	case GPT_ASN1_LEAVE_MECHANISM:
		return ASN1_ITEM_rptr(LeaveMechanisms);
	case GPT_ASN1_TIME_AND_EVENT:
		return ASN1_ITEM_rptr(TimeAndEvent);
	case GPT_ASN1_KEY_INFO:
		return ASN1_ITEM_rptr(KeyInfo);
	case GPT_ASN1_LIFEDATE:
		return ASN1_ITEM_rptr(LifeDate);
	case GPT_ASN1_ID:
		return ASN1_ITEM_rptr(GSAKMPID);
	case GPT_ASN1_JOIN_AUTHORIZATION:
		return ASN1_ITEM_rptr(JoinAuthorizationImplicit);
	default:
		break;
	}
	return gpt_asn1_gdoi_item(item);
}
/* clang-format on */

void *
gpt_asn1_new(enum gpt_asn1_item item)
{
	return ASN1_item_new(gpt_asn1_item_of(item));
}

void
gpt_asn1_free(enum gpt_asn1_item item, void *p)
{
	ASN1_item_free(p, gpt_asn1_item_of(item));
}

enum gk_err
gpt_asn1_encode(enum gpt_asn1_item item, const void *in, struct gk_buf *der)
{
	unsigned char *out = NULL;
	int n = ASN1_item_i2d(in, &out, gpt_asn1_item_of(item));
	enum gk_err err;

	if (n <= 0) {
		ERR_clear_error();
		return GK_ERR_NOMEM;
	}
	err = gk_buf_copy(der, (struct gk_slice){ out, (size_t)n });
	OPENSSL_free(out);
	return err;
}

/* Put the field of one level of nesting in front of the path so far. */
static void
path_prepend(char *path, size_t cap, const char *data)
{
	const char *name = strstr(data, "Field=");
	char joined[128];
	size_t n;

	if (!name)
		return;
	name += strlen("Field=");
	if (strncmp(name, "value.", 6) == 0) /* the union of a CHOICE */
		name += 6;
	n = strcspn(name, ",");
	if (n == 3 && strncmp(name, "reg", 3) == 0) {
		name = "register";
		n = 8;
	}
	(void)snprintf(joined, sizeof(joined), "%.*s%s%s", (int)n, name,
	               path[0] ? "." : "", path);
	(void)snprintf(path, cap, "%s", joined);
}

/* What OpenSSL's error queue says: the innermost reason, and the fields on the
 * way out from it. */
static void
openssl_fault(struct gpt_fault *why, enum gk_err err, const char *prefix)
{
	char path[128] = "", field[sizeof(why->field)];
	const char *data, *reason = NULL;
	unsigned long code;
	int flags;

	while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags))) {
		if (!reason)
			reason = ERR_reason_error_string(code);
		if (data && (flags & ERR_TXT_STRING))
			path_prepend(path, sizeof(path), data);
	}
	(void)snprintf(field, sizeof(field), "%s%s", prefix, path);
	(void)gpt_fault_set(why, err, "RFC4534-1-04", field,
	                    "not the ASN.1 of this field: %s",
	                    reason ? reason : "unknown reason");
}

enum gk_err
gpt_asn1_decode(enum gpt_asn1_item item, struct gk_slice der,
                const char *prefix, size_t base, void **out,
                struct gpt_fault *why)
{
	const unsigned char *p = der.ptr;
	struct gk_buf again = { 0 };
	struct gpt_fault tlv = { 0 };
	enum gk_err err = gpt_tlv_check(der, &tlv);
	void *made;

	ERR_clear_error();
	made = der.len > LONG_MAX ? NULL
	                          : ASN1_item_d2i(NULL, &p, (long)der.len,
	                                          gpt_asn1_item_of(item));
	if (err != GK_OK || !made) {
		/* The framing knows the place, the templates know the name. */
		openssl_fault(why, err != GK_OK ? err : GK_ERR_VALUE, prefix);
		if (why && err != GK_OK) {
			(void)snprintf(why->text, sizeof(why->text), "%s",
			               tlv.text);
			why->offset = base + tlv.offset;
		} else if (why) {
			why->offset = base;
		}
		/* Nothing was made that could be looked at further. */
		if (why && !GK_CHECKED("RFC4534-1-04"))
			why->req = NULL;
		gpt_asn1_free(item, made);
		ERR_clear_error();
		return err != GK_OK ? err : GK_ERR_VALUE;
	}

	err = gpt_asn1_encode(item, made, &again);
	if (err == GK_OK && !gk_slice_equal(gk_buf_slice(&again), der) &&
	    GK_CHECKED("RFC4534-1-04")) {
		size_t at = 0;

		while (at < again.len && at < der.len &&
		       again.ptr[at] == der.ptr[at])
			at++;
		err = gpt_fault_set(why, GK_ERR_VALUE, "RFC4534-1-04", prefix,
		                    "not DER: a canonical encoding differs");
		if (why)
			why->offset = base + at;
	}
	gk_buf_free(&again);
	if (err != GK_OK) {
		gpt_asn1_free(item, made);
		return err;
	}
	*out = made;
	return GK_OK;
}
