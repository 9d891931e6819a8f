/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_DIALECT_H
#define GPT_DIALECT_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: readings of RFC 4534
 *
 * Where the document contradicts itself, two encodings of one policy exist.
 * Each such place is a switch with a name and the readings it can take, the
 * first of which is the default; the register of choices lists them.
 *
 * Who reads a token accepts all readings, because none can be taken for
 * another (gpt_der.h), save for the group's name, where a reading decides what
 * the octets mean.  Who writes one writes the readings of a dialect:
 * gpt_dialect_apply().
 *
 * V(NAME, "name", "what it means")
 */
#define GPT_TOKEN_REG_OID_LIST(V)                               \
	V(IANA, "iana", "1.3.6.1.5.5.12.3.1 (sections 5, B.1)") \
	V(MODULE, "module", "1.3.6.1.5.5.12.7 (module B.2)")

#define GPT_TOKEN_REKEY_OID_LIST(V)                       \
	V(IANA, "iana", "1.3.6.1.5.5.12.3.3 (section 5)") \
	V(MODULE, "module", "1.3.6.1.5.5.12.0.4 (B.5, module B.6)")

#define GPT_TOKEN_DEREG_TERSE_LIST(V)                                    \
	V(PRESENT, "present", "leaveMechanisms, terse, transport (B.3)") \
	V(ABSENT, "absent", "leaveMechanisms, transport (module B.4)")

#define GPT_TOKEN_TAGS_LIST(V)                                           \
	V(IMPLICIT, "implicit", "context tags as the modules have them") \
	V(EXPLICIT, "explicit", "every context tag explicit")

#define GPT_TOKEN_NONE_INFO_LIST(V)                           \
	V(NULL, "null", "a DER NULL inside the OCTET STRING") \
	V(EMPTY, "empty", "an empty OCTET STRING")

#define GPT_TOKEN_GROUPNAME_LIST(V)                             \
	V(VALUE, "value", "groupName is the GroupID value")     \
	V(TLV, "tlv", "GroupID type, GroupID length and value") \
	V(TEXT, "text", "what follows the Random Value")

#define GPT_TOKEN_NO_REG_LIST(V)                            \
	V(EMPTY, "empty", "a SEQUENCE OF without elements") \
	V(NULL, "null", "NULL instead of the SEQUENCE OF")  \
	V(NONE, "none", "one Registration, both of its choices none")

/* S(field, PREFIX, list, "where in RFC 4534") */
#define GPT_DIALECT_LIST(S)                                                   \
	S(token_reg_oid, TOKEN_REG_OID, GPT_TOKEN_REG_OID_LIST,               \
	  "RFC 4534 5, B.1, B.2")                                             \
	S(token_rekey_oid, TOKEN_REKEY_OID, GPT_TOKEN_REKEY_OID_LIST,         \
	  "RFC 4534 5, B.5, B.6")                                             \
	S(token_dereg_terse, TOKEN_DEREG_TERSE, GPT_TOKEN_DEREG_TERSE_LIST,   \
	  "RFC 4534 B.3, B.4")                                                \
	S(token_tags, TOKEN_TAGS, GPT_TOKEN_TAGS_LIST, "RFC 4534 B.1 to B.6") \
	S(token_none_info, TOKEN_NONE_INFO, GPT_TOKEN_NONE_INFO_LIST,         \
	  "RFC 4534 B.5.4.1, B.5.6.1, B.5.7.1")                               \
	S(token_groupname, TOKEN_GROUPNAME, GPT_TOKEN_GROUPNAME_LIST,         \
	  "RFC 4534 3.1, 7.1.1")                                              \
	S(token_no_reg, TOKEN_NO_REG, GPT_TOKEN_NO_REG_LIST, "RFC 4534 3")

/* clang-format off */
#define V(name, text, meaning) GPT_TOKEN_REG_OID_##name,
enum gpt_token_reg_oid { GPT_TOKEN_REG_OID_LIST(V) };
#undef V
#define V(name, text, meaning) GPT_TOKEN_REKEY_OID_##name,
enum gpt_token_rekey_oid { GPT_TOKEN_REKEY_OID_LIST(V) };
#undef V
#define V(name, text, meaning) GPT_TOKEN_DEREG_TERSE_##name,
enum gpt_token_dereg_terse { GPT_TOKEN_DEREG_TERSE_LIST(V) };
#undef V
#define V(name, text, meaning) GPT_TOKEN_TAGS_##name,
enum gpt_token_tags { GPT_TOKEN_TAGS_LIST(V) };
#undef V
#define V(name, text, meaning) GPT_TOKEN_NONE_INFO_##name,
enum gpt_token_none_info { GPT_TOKEN_NONE_INFO_LIST(V) };
#undef V
#define V(name, text, meaning) GPT_TOKEN_GROUPNAME_##name,
enum gpt_token_groupname { GPT_TOKEN_GROUPNAME_LIST(V) };
#undef V
#define V(name, text, meaning) GPT_TOKEN_NO_REG_##name,
enum gpt_token_no_reg { GPT_TOKEN_NO_REG_LIST(V) };
#undef V
/* clang-format on */

/* One small number per switch; zeroed: the defaults. */
struct gpt_dialect {
#define S(field, prefix, list, where) uint8_t field;
	GPT_DIALECT_LIST(S)
#undef S
};

/**
 * gpt_dialect_set - choose a reading by name.
 *
 * Return: GK_OK; GK_ERR_UNEXPECTED when there is no switch @name, GK_ERR_VALUE
 * when the switch has no reading @value.  On error nothing changes.
 */
GK_MUST_CHECK enum gk_err gpt_dialect_set(struct gpt_dialect *dialect,
                                          const char *name, const char *value);

/**
 * gpt_dialect_group_name - the groupName of a group in its tokens (3.1).
 * @type:  GroupID type, RFC 4535 Table 11
 * @value: GroupID value
 * @out:   must be empty; the caller frees it
 *
 * Return: GK_OK; GK_ERR_VALUE when @value is no GroupID of that type;
 * GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gpt_dialect_group_name(
	enum gpt_token_groupname reading, uint8_t type, struct gk_slice value,
	struct gk_buf *out);

/**
 * gpt_dialect_apply - let a policy be encoded in the readings of @dialect.
 *
 * Sets the variants of every protocol, known ones only, and the group's name,
 * whose type is guessed as everywhere (gpt_groupid.h).  A token that has
 * registration protocols has no use for token_no_reg, one whose rekey event is
 * by time only none for token_tags (X.680 31.2.7).
 *
 * Return: GK_OK; GK_ERR_VALUE as above; GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gpt_dialect_apply(const struct gpt_dialect *dialect,
                                            struct gpt_token *token);

#endif /* GPT_DIALECT_H */
