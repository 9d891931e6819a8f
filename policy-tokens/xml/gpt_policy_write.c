/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/identity/gk_identity.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_groupid.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/token/gpt_suite.h"
#include "policy-tokens/xml/gpt_policy.h"
#include "policy-tokens/xml/gpt_policy_write.h"

static void
number(struct gpt_xml_out *out, const char *attr, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	gpt_xml_put(out, attr, text);
}

void
gpt_write_code(struct gpt_xml_out *out, const char *attr,
               enum gpt_registry registry, int64_t value)
{
	char text[GPT_NAME_LEN];

	gpt_xml_put(out, attr, gpt_name_text(text, registry, value));
}

static void
date(struct gpt_xml_out *out, const char *attr, struct gpt_lifedate value)
{
	char text[GPT_LIFEDATE_LEN];

	gpt_xml_put(out, attr, gpt_lifedate_text(text, value));
}

static void
boolean(struct gpt_xml_out *out, const char *attr, bool value)
{
	gpt_xml_put(out, attr, value ? "true" : "false");
}

static void
none(struct gpt_xml_out *out, enum gpt_none_form form)
{
	gpt_xml_begin(out, "none");
	if (form == GPT_NONE_EMPTY)
		gpt_xml_put(out, "form", "empty");
	gpt_xml_end(out, "none");
}

static void
extension(struct gpt_xml_out *out, const struct gpt_extension *ext)
{
	gpt_xml_begin(out, "extension");
	gpt_xml_put(out, "oid", ext->oid ? ext->oid : "");
	gpt_xml_begin(out, "octets");
	gpt_xml_end_hex(out, "octets", gk_buf_slice(&ext->octets));
	gpt_xml_end(out, "extension");
}

/* The text of an identity, when text can say it: a known type, and octets that
 * come back from the text as they were. */
static bool
identity_text(const struct gpt_id *id, struct gk_buf *text)
{
	struct gk_identity view = gpt_id_view(id);
	struct gk_buf again = { 0 };
	bool same;

	if (view.kind == GK_ID_NONE || gk_identity_format(view, text) != GK_OK)
		return false;
	same = gpt_text_ok(gk_buf_slice(text)) &&
	       gk_identity_parse(view.kind, gk_buf_slice(text), &again) ==
	               GK_OK &&
	       gk_slice_equal(gk_buf_slice(&again), view.octets);
	gk_buf_free(&again);
	if (!same)
		gk_buf_free(text);
	return same;
}

static void
pair(struct gpt_xml_out *out, const char *name, const struct gpt_pair *p)
{
	enum gk_id_kind kind = gpt_id_kind(p->entity.type);
	struct gk_buf text = { 0 };
	bool textual = identity_text(&p->entity, &text);

	gpt_xml_begin(out, name);
	if (!textual)
		number(out, "type", p->entity.type);
	else if (kind != GK_ID_DN_STRING)
		gpt_xml_put(out, "type", gk_id_kind_name(kind));
	gpt_xml_put_hex(out, "ca", gk_buf_slice(&p->ca));
	if (textual)
		gpt_xml_end_text(out, name, gk_buf_slice(&text));
	else
		gpt_xml_end_hex(out, name, gk_buf_slice(&p->entity.data));
	gk_buf_free(&text);
}

static void
pairs(struct gpt_xml_out *out, const char *name, const struct gpt_pairs *list)
{
	for (size_t i = 0; i < list->n; i++)
		pair(out, name, &list->at[i]);
}

static void
pairs_in(struct gpt_xml_out *out, const char *around, const char *name,
         const struct gpt_pairs *list)
{
	gpt_xml_begin(out, around);
	pairs(out, name, list);
	gpt_xml_end(out, around);
}

/* --- registration -------------------------------------------------------------- */

static void
access_control(struct gpt_xml_out *out, const struct gpt_access_control *a)
{
	gpt_xml_begin(out, "access-control");
	if (a->has_permissions) {
		gpt_xml_begin(out, "permissions");
		for (size_t i = 0; i < a->n_permissions; i++) {
			char digit[2] = { (char)('0' + a->permissions[i]), 0 };

			gpt_xml_begin(out, "permission");
			gpt_xml_end_text(out, "permission",
			                 gk_slice_str(digit));
		}
		gpt_xml_end(out, "permissions");
	}
	pairs(out, "rule", &a->rules);
	if (a->has_exclusions)
		pairs_in(out, "exclusions", "exclusion", &a->exclusions);
	gpt_xml_end(out, "access-control");
}

static void
join_mechanism(struct gpt_xml_out *out, const struct gpt_join_mechanism *m)
{
	const struct gpt_mechanisms *set = &m->alacarte;

	if (m->suite) {
		const char *name = gpt_suite_name(m->suite);

		gpt_xml_begin(out, "suite");
		if (name)
			gpt_xml_put(out, "name", name);
		else
			gpt_xml_put(out, "oid", m->suite);
		gpt_xml_end(out, "suite");
		return;
	}
	gpt_xml_begin(out, "a-la-carte");
	gpt_write_code(out, "signature", GPT_REGISTRY_SIGNATURE,
	               set->sig_algorithm);
	gpt_write_code(out, "hash", GPT_REGISTRY_HASH, set->hash_algorithm);
	gpt_write_code(out, "key-exchange", GPT_REGISTRY_KEX,
	               set->key_exchange);
	if (set->has_key_exchange_data)
		gpt_xml_put_hex(out, "key-exchange-data",
		                gk_buf_slice(&set->key_exchange_data));
	gpt_write_code(out, "key-wrap", GPT_REGISTRY_KEY, set->key_wrap);
	date(out, "timeout", set->timeout);
	boolean(out, "terse", set->terse);
	if (set->has_timestamp)
		boolean(out, "timestamp", set->timestamp);
	gpt_xml_end(out, "a-la-carte");
}

static void
variants(struct gpt_xml_out *out, enum gpt_oid_form form, enum gpt_tags tags)
{
	if (form == GPT_OID_MODULE)
		gpt_xml_put(out, "oid", "module");
	if (tags == GPT_TAGS_EXPLICIT)
		gpt_xml_put(out, "tags", "explicit");
}

void
gpt_write_membership(struct gpt_xml_out *out, const struct gpt_register *reg)
{
	pairs_in(out, "gcks", "entity", &reg->gcks);
	if (reg->has_sub_gcks) {
		gpt_xml_begin(out, "sub-gcks");
		for (size_t i = 0; i < reg->n_sub_gcks; i++)
			pairs_in(out, "gcks", "entity", &reg->sub_gcks[i]);
		gpt_xml_end(out, "sub-gcks");
	}
	gpt_xml_begin(out, "senders");
	if (reg->senders_limited) {
		pairs(out, "entity", &reg->senders);
	} else {
		gpt_xml_begin(out, "all");
		gpt_xml_end(out, "all");
	}
	gpt_xml_end(out, "senders");
	for (size_t i = 0; i < reg->n_access; i++)
		access_control(out, &reg->access[i]);
}

static void
gsakmp_register(struct gpt_xml_out *out, const struct gpt_register *reg)
{
	gpt_xml_begin(out, "gsakmp");
	gpt_xml_put(out, "transport", gpt_transport_name(reg->transport));
	variants(out, reg->oid_form, reg->tags);
	gpt_write_membership(out, reg);
	gpt_xml_begin(out, "mechanisms");
	for (size_t i = 0; i < reg->n_mechanisms; i++)
		join_mechanism(out, &reg->mechanisms[i]);
	gpt_xml_end(out, "mechanisms");
	gpt_xml_end(out, "gsakmp");
}

static void
gsakmp_deregister(struct gpt_xml_out *out, const struct gpt_deregister *dereg)
{
	gpt_xml_begin(out, "gsakmp");
	gpt_xml_put(out, "transport", gpt_transport_name(dereg->transport));
	gpt_xml_put(out, "terse",
	            dereg->no_terse ? "absent"
	            : dereg->terse  ? "true"
	                            : "false");
	variants(out, GPT_OID_IANA, dereg->tags);
	for (size_t i = 0; i < dereg->n_mechanisms; i++) {
		const struct gpt_leave_mechanism *m = &dereg->mechanisms[i];

		gpt_xml_begin(out, "leave");
		gpt_write_code(out, "signature", GPT_REGISTRY_SIGNATURE,
		               m->sig_algorithm);
		gpt_write_code(out, "hash", GPT_REGISTRY_HASH,
		               m->hash_algorithm);
		gpt_xml_put_hex(out, "ca", gk_buf_slice(&m->ca));
		gpt_xml_end(out, "leave");
	}
	gpt_xml_end(out, "gsakmp");
}

/* --- rekey ----------------------------------------------------------------------- */

static void
rekey_method(struct gpt_xml_out *out, const struct gpt_rekey *rekey)
{
	gpt_xml_begin(out, "method");
	switch (rekey->method) {
	case GPT_METHOD_NONE:
		none(out, rekey->method_none);
		break;
	case GPT_METHOD_LKH:
		gpt_xml_begin(out, "lkh");
		gpt_write_code(out, "key-type", GPT_REGISTRY_KEY,
		               rekey->lkh_key_type);
		gpt_xml_end(out, "lkh");
		break;
	case GPT_METHOD_UNKNOWN:
		extension(out, &rekey->method_ext);
		break;
	}
	gpt_xml_end(out, "method");
}

static void
rekey_reliability(struct gpt_xml_out *out, const struct gpt_rekey *rekey)
{
	gpt_xml_begin(out, "reliability");
	switch (rekey->reliability) {
	case GPT_RELIABILITY_NONE:
		none(out, rekey->reliability_none);
		break;
	case GPT_RELIABILITY_RESEND:
		gpt_xml_begin(out, "resend");
		number(out, "times", rekey->resend);
		gpt_xml_end(out, "resend");
		break;
	case GPT_RELIABILITY_POST:
		gpt_xml_begin(out, "post");
		gpt_xml_end_text(out, "post",
		                 gk_slice_str(rekey->post ? rekey->post : ""));
		break;
	case GPT_RELIABILITY_UNKNOWN:
		extension(out, &rekey->reliability_ext);
		break;
	}
	gpt_xml_end(out, "reliability");
}

static void
rekey_scheme(struct gpt_xml_out *out, const struct gpt_rekey *rekey)
{
	gpt_xml_begin(out, "sub-gcks-info");
	switch (rekey->scheme) {
	case GPT_SCHEME_NONE:
		none(out, rekey->scheme_none);
		break;
	case GPT_SCHEME_AUTONOMOUS:
		gpt_xml_begin(out, "autonomous");
		if (rekey->has_domain)
			gpt_xml_put_hex(out, "domain",
			                gk_buf_slice(&rekey->domain));
		pairs(out, "entity", &rekey->auth_subs);
		gpt_xml_end(out, "autonomous");
		break;
	case GPT_SCHEME_UNKNOWN:
		extension(out, &rekey->scheme_ext);
		break;
	}
	gpt_xml_end(out, "sub-gcks-info");
}

static void
gsakmp_rekey(struct gpt_xml_out *out, const struct gpt_rekey *rekey)
{
	gpt_xml_begin(out, "gsakmp");
	gpt_write_code(out, "signature", GPT_REGISTRY_SIGNATURE,
	               rekey->sig_algorithm);
	gpt_write_code(out, "hash", GPT_REGISTRY_HASH, rekey->hash_algorithm);
	date(out, "interval", rekey->interval);
	variants(out, rekey->oid_form, rekey->tags);
	pairs_in(out, "authorization", "entity", &rekey->authorization);
	gpt_xml_begin(out, "event");
	if (rekey->event & GPT_REKEY_EVENT_TIME)
		date(out, "time", rekey->event_time);
	if (rekey->event & GPT_REKEY_EVENT_COUNT)
		number(out, "count", rekey->event_count);
	gpt_xml_end(out, "event");
	rekey_method(out, rekey);
	rekey_reliability(out, rekey);
	rekey_scheme(out, rekey);
	gpt_xml_end(out, "gsakmp");
}

/* --- data and token ------------------------------------------------------------------ */

static void
key_info(struct gpt_xml_out *out, const char *name, bool present,
         const struct gpt_key_info *info)
{
	if (!present)
		return;
	gpt_xml_begin(out, name);
	gpt_xml_put_hex(out, "key-id", gk_buf_slice(&info->key_id));
	if (info->has_expiration)
		date(out, "expires", info->expiration);
	gpt_xml_end(out, name);
}

static void
protocol(struct gpt_xml_out *out, const char *around,
         const struct gpt_protocol *p)
{
	gpt_xml_begin(out, around);
	switch (p->kind) {
	case GPT_PROTOCOL_NONE:
		gpt_xml_begin(out, "none");
		gpt_xml_end(out, "none");
		break;
	case GPT_PROTOCOL_REGISTER:
		gsakmp_register(out, p->reg);
		break;
	case GPT_PROTOCOL_DEREGISTER:
		gsakmp_deregister(out, p->dereg);
		break;
	case GPT_PROTOCOL_REKEY:
		gsakmp_rekey(out, p->rekey);
		break;
	case GPT_PROTOCOL_DATA:
		gpt_xml_begin(out, "generic");
		key_info(out, "authentication", p->data->has_authentication,
		         &p->data->authentication);
		key_info(out, "encryption", p->data->has_encryption,
		         &p->data->encryption);
		gpt_xml_end(out, "generic");
		break;
	case GPT_PROTOCOL_GDOI_REGISTER:
		gpt_write_gdoi_register(out, p);
		break;
	case GPT_PROTOCOL_GDOI_REKEY:
		gpt_write_gdoi_rekey(out, p->gdoi_rekey);
		break;
	case GPT_PROTOCOL_IPSEC:
		gpt_write_ipsec(out, p->ipsec);
		break;
	case GPT_PROTOCOL_IEC_61850:
		gpt_write_iec(out, p->iec);
		break;
	case GPT_PROTOCOL_OPERATION:
		gpt_write_operation(out, p->operation);
		break;
	case GPT_PROTOCOL_UNKNOWN:
		extension(out, &p->unknown);
		break;
	}
	gpt_xml_end(out, around);
}

enum gk_err
gpt_policy_write(const struct gpt_token *token, struct gk_buf *xml)
{
	struct gpt_xml_out out = { 0 };

	gpt_xml_head(&out);
	gpt_xml_begin(&out, "policy");
	if (token->has_edition)
		number(&out, "edition", token->edition);
	gpt_xml_group_id(&out,
	                 gpt_groupid_guess(gk_buf_slice(&token->group_name)),
	                 gk_buf_slice(&token->group_name));
	if (token->registration_null) {
		gpt_xml_begin(&out, "no-registration");
		gpt_xml_end(&out, "no-registration");
	}
	for (size_t i = 0; i < token->n_registration; i++) {
		gpt_xml_begin(&out, "registration");
		protocol(&out, "register", &token->registration[i].reg);
		protocol(&out, "de-register", &token->registration[i].dereg);
		gpt_xml_end(&out, "registration");
	}
	for (size_t i = 0; i < token->n_rekey; i++)
		protocol(&out, "rekey", &token->rekey[i]);
	for (size_t i = 0; i < token->n_data; i++)
		protocol(&out, "data", &token->data[i]);
	gpt_xml_end(&out, "policy");
	return gpt_xml_done(&out, xml);
}
