/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/message/dialect.h"

#include <string.h>

#include "common/base/gk_base.h"

#define V(name, text, meaning) { (text), (meaning) },
#define S(field, prefix, list, where) \
	static const struct gk_switch_value field##_values[] = { list(V) };
GDOI_DIALECT_LIST(S)
#undef S
#undef V

static const struct gk_switch switches[] = {
#define S(field, prefix, list, where)                                \
	{ #field, (where), field##_values, GK_COUNT(field##_values), \
	  offsetof(struct gdoi_dialect, field) },
	GDOI_DIALECT_LIST(S)
#undef S
};

/* What the recorded sessions of the reference implementation show. */
static const struct gdoi_dialect gdoid = {
	.p1_situation_accept = GDOI_P1_SITUATION_ACCEPT_EXACT,
	.push_seq_new_kek = GDOI_PUSH_SEQ_NEW_KEK_CONTINUE,
	.group_id_order = GDOI_GROUP_ID_ORDER_LITTLE,
	.sak_reserved = GDOI_SAK_RESERVED_6,
	.sat_address_order = GDOI_SAT_ADDRESS_ORDER_REVERSED,
	.push_rsa_form = GDOI_PUSH_RSA_FORM_BARE,
	.kek_lifetime_form = GDOI_KEK_LIFETIME_FORM_B,
	.kd_kek_spi = GDOI_KD_KEK_SPI_OLD,
	.sak_repeat = GDOI_SAK_REPEAT_ALWAYS,
	.attribute_zero = GDOI_ATTRIBUTE_ZERO_ABSENT,
	.gcm_key_length = GDOI_GCM_KEY_LENGTH_KEY_SALT,
	.sid_form = GDOI_SID_FORM_LITTLE4,
	.ah_authentication = GDOI_AH_AUTHENTICATION_IMPLIED,
};

static const struct {
	const char *name;
	const struct gdoi_dialect *dialect;
} presets[] = {
	{ "gdoid", &gdoid },
};

const struct gk_switch *
gdoi_dialect_switches(size_t *count)
{
	*count = GK_COUNT(switches);
	return switches;
}

enum gk_err
gdoi_dialect_set(struct gdoi_dialect *dialect, const char *name,
                 const char *value)
{
	return gk_switch_set(switches, GK_COUNT(switches), dialect, name,
	                     value);
}

enum gk_err
gdoi_dialect_preset(struct gdoi_dialect *dialect, const char *name)
{
	for (size_t i = 0; i < GK_COUNT(presets); i++)
		if (strcmp(presets[i].name, name) == 0) {
			*dialect = *presets[i].dialect;
			return GK_OK;
		}
	return GK_ERR_UNEXPECTED;
}
