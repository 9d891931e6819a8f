/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/message/dialect.h"

#include "common/base/gk_base.h"
#include "gsakmp/gsakmp_registry.h"

#define V(name, text, meaning) { (text), (meaning) },
#define S(field, prefix, list, where) \
	static const struct gk_switch_value field##_values[] = { list(V) };
GSAKMP_DIALECT_LIST(S)
#undef S
#undef V

static const struct gk_switch switches[] = {
#define S(field, prefix, list, where)                                \
	{ #field, (where), field##_values, GK_COUNT(field##_values), \
	  offsetof(struct gsakmp_dialect, field) },
	GSAKMP_DIALECT_LIST(S)
#undef S
};

const struct gk_switch *
gsakmp_dialect_switches(size_t *count)
{
	*count = GK_COUNT(switches);
	return switches;
}

enum gk_err
gsakmp_dialect_set(struct gsakmp_dialect *dialect, const char *name,
                   const char *value)
{
	return gk_switch_set(switches, GK_COUNT(switches), dialect, name,
	                     value);
}

const char *
gsakmp_dialect_get(const struct gsakmp_dialect *dialect, const char *name)
{
	return gk_switch_get(switches, GK_COUNT(switches), dialect, name);
}

uint16_t
gsakmp_dialect_invalid_cert(const struct gsakmp_dialect *dialect)
{
	static const uint16_t code[] = {
		[GSAKMP_INVALID_CERT_CODE_14] = 14,
		[GSAKMP_INVALID_CERT_CODE_11] = 11,
		[GSAKMP_INVALID_CERT_CODE_7] = 7,
		[GSAKMP_INVALID_CERT_CODE_13] = 13,
		[GSAKMP_INVALID_CERT_CODE_17] = 17,
	};

	return code[dialect->invalid_cert_code];
}

uint16_t
gsakmp_dialect_freshness(const struct gsakmp_dialect *dialect)
{
	static const uint16_t code[] = {
		[GSAKMP_FRESHNESS_CODE_14] = 14,
		[GSAKMP_FRESHNESS_CODE_7] = 7,
		[GSAKMP_FRESHNESS_CODE_26] = 26,
		[GSAKMP_FRESHNESS_CODE_19] = 19,
	};

	return code[dialect->freshness_code];
}

uint16_t
gsakmp_dialect_loa(const struct gsakmp_dialect *dialect)
{
	static const uint16_t code[] = {
		[GSAKMP_LOA_NOTIFY_NACK] = GSAKMP_NOTIFY_NACK,
		[GSAKMP_LOA_NOTIFY_NONE] = GSAKMP_NOTIFY_NONE,
		[GSAKMP_LOA_NOTIFY_UNAUTH] = GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
		[GSAKMP_LOA_NOTIFY_MALFORMED] = GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		[GSAKMP_LOA_NOTIFY_AUTH] = GSAKMP_NOTIFY_AUTHENTICATION_FAILED,
	};

	return code[dialect->loa_notify];
}

uint8_t
gsakmp_dialect_classification(const struct gsakmp_dialect *dialect)
{
	static const uint8_t code[] = {
		[GSAKMP_ID_CLASS_CHOICE_RECEIVER] = GSAKMP_ID_CLASS_RECEIVER,
		[GSAKMP_ID_CLASS_CHOICE_SENDER] = GSAKMP_ID_CLASS_SENDER,
		[GSAKMP_ID_CLASS_CHOICE_THIRD] = GSAKMP_ID_CLASS_THIRD_PARTY,
	};

	return code[dialect->id_class];
}
