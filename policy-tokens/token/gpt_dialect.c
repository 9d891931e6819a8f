/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_dialect.h"

#include <stdlib.h>

#include "common/base/gk_switch.h"
#include "policy-tokens/token/gpt_groupid.h"

#define V(name, text, meaning) { (text), (meaning) },
#define S(field, prefix, list, where) \
	static const struct gk_switch_value field##_values[] = { list(V) };
GPT_DIALECT_LIST(S)
#undef S
#undef V

static const struct gk_switch switches[] = {
#define S(field, prefix, list, where)                                \
	{ #field, (where), field##_values, GK_COUNT(field##_values), \
	  offsetof(struct gpt_dialect, field) },
	GPT_DIALECT_LIST(S)
#undef S
};

enum gk_err
gpt_dialect_set(struct gpt_dialect *dialect, const char *name,
                const char *value)
{
	return gk_switch_set(switches, GK_COUNT(switches), dialect, name,
	                     value);
}

/* --- the group's name --------------------------------------------------------- */

#define RANDOM_LEN 8       /* octets of the Random Value, 7.1.1.1.2 to .4 */
#define RANDOM_TEXT_LEN 16 /* of a UTF-8 GroupID, 7.1.1.1.1 */

enum gk_err
gpt_dialect_group_name(enum gpt_token_groupname reading, uint8_t type,
                       struct gk_slice value, struct gk_buf *out)
{
	size_t random = type == GPT_GROUPID_UTF8 ? RANDOM_TEXT_LEN : RANDOM_LEN;
	uint8_t head[2] = { type, (uint8_t)value.len };
	enum gk_err err;

	switch (reading) {
	case GPT_TOKEN_GROUPNAME_VALUE:
		break;
	case GPT_TOKEN_GROUPNAME_TLV:
		if (value.len > GPT_GROUPID_MAX)
			return GK_ERR_VALUE;
		err = gk_buf_append(out, (struct gk_slice){ head, 2 });
		if (err == GK_OK)
			err = gk_buf_append(out, value);
		if (err != GK_OK)
			gk_buf_free(out);
		return err;
	case GPT_TOKEN_GROUPNAME_TEXT:
		if (value.len <= random)
			return GK_ERR_VALUE;
		value.ptr += random;
		value.len -= random;
		break;
	}
	return gk_buf_copy(out, value);
}

static enum gk_err
apply_group_name(const struct gpt_dialect *d, struct gpt_token *token)
{
	struct gk_slice value = gk_buf_slice(&token->group_name);
	struct gk_buf name = { 0 };

	if (d->token_groupname == GPT_TOKEN_GROUPNAME_VALUE)
		return GK_OK;
	GK_TRY(gpt_dialect_group_name(
		(enum gpt_token_groupname)d->token_groupname,
		(uint8_t)gpt_groupid_guess(value), value, &name));
	gk_buf_free(&token->group_name);
	token->group_name = name;
	return GK_OK;
}

/* --- the protocols ------------------------------------------------------------- */

static void
apply_protocol(const struct gpt_dialect *d, struct gpt_protocol *protocol)
{
	enum gpt_tags tags = d->token_tags == GPT_TOKEN_TAGS_EXPLICIT
	                             ? GPT_TAGS_EXPLICIT
	                             : GPT_TAGS_IMPLICIT;
	enum gpt_none_form none =
		d->token_none_info == GPT_TOKEN_NONE_INFO_EMPTY ? GPT_NONE_EMPTY
								: GPT_NONE_NULL;
	struct gpt_rekey *rekey = protocol->rekey;

	switch (protocol->kind) {
	case GPT_PROTOCOL_REGISTER:
		protocol->reg->tags = tags;
		protocol->reg->oid_form =
			d->token_reg_oid == GPT_TOKEN_REG_OID_MODULE
				? GPT_OID_MODULE
				: GPT_OID_IANA;
		break;
	case GPT_PROTOCOL_DEREGISTER:
		protocol->dereg->tags = tags;
		protocol->dereg->no_terse =
			d->token_dereg_terse == GPT_TOKEN_DEREG_TERSE_ABSENT;
		/* What cannot be said reads as true. */
		if (protocol->dereg->no_terse)
			protocol->dereg->terse = true;
		break;
	case GPT_PROTOCOL_REKEY:
		/* A tagged CHOICE is explicit in either reading. */
		rekey->tags = rekey->event == GPT_REKEY_EVENT_TIME
		                      ? GPT_TAGS_IMPLICIT
		                      : tags;
		rekey->oid_form =
			d->token_rekey_oid == GPT_TOKEN_REKEY_OID_MODULE
				? GPT_OID_MODULE
				: GPT_OID_IANA;
		if (rekey->method == GPT_METHOD_NONE)
			rekey->method_none = none;
		if (rekey->reliability == GPT_RELIABILITY_NONE)
			rekey->reliability_none = none;
		if (rekey->scheme == GPT_SCHEME_NONE)
			rekey->scheme_none = none;
		break;
	case GPT_PROTOCOL_NONE:
	case GPT_PROTOCOL_DATA:
	case GPT_PROTOCOL_UNKNOWN:
	/* This project's own: one encoding. */
	case GPT_PROTOCOL_GDOI_REGISTER:
	case GPT_PROTOCOL_GDOI_REKEY:
	case GPT_PROTOCOL_IPSEC:
	case GPT_PROTOCOL_IEC_61850:
	case GPT_PROTOCOL_OPERATION:
		break;
	}
}

/* No registration at all: the three ways to say it (section 3). */
static enum gk_err
apply_no_registration(const struct gpt_dialect *d, struct gpt_token *token)
{
	for (size_t i = 0; i < token->n_registration; i++)
		if (token->registration[i].reg.kind != GPT_PROTOCOL_NONE ||
		    token->registration[i].dereg.kind != GPT_PROTOCOL_NONE)
			return GK_OK;
	/* Entries of two `none` own nothing. */
	free(token->registration);
	token->registration = NULL;
	token->n_registration = 0;
	token->registration_null = d->token_no_reg == GPT_TOKEN_NO_REG_NULL;
	if (d->token_no_reg == GPT_TOKEN_NO_REG_NONE &&
	    gpt_token_add_registration(token) == NULL)
		return GK_ERR_NOMEM;
	return GK_OK;
}

enum gk_err
gpt_dialect_apply(const struct gpt_dialect *dialect, struct gpt_token *token)
{
	for (size_t i = 0; i < token->n_registration; i++) {
		apply_protocol(dialect, &token->registration[i].reg);
		apply_protocol(dialect, &token->registration[i].dereg);
	}
	for (size_t i = 0; i < token->n_rekey; i++)
		apply_protocol(dialect, &token->rekey[i]);
	GK_TRY(apply_no_registration(dialect, token));
	return apply_group_name(dialect, token);
}
