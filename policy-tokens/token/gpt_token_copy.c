/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/token/gpt_gdoi.h"

/* --- copy ------------------------------------------------------------------ */

static enum gk_err
buf_copy(struct gk_buf *to, const struct gk_buf *from)
{
	*to = (struct gk_buf){ 0 };
	return gk_buf_copy(to, gk_buf_slice(from));
}

static enum gk_err
str_copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? GK_ERR_NOMEM : GK_OK;
}

static enum gk_err
extension_copy(struct gpt_extension *to, const struct gpt_extension *from)
{
	GK_TRY(str_copy(&to->oid, from->oid));
	return buf_copy(&to->octets, &from->octets);
}

enum gk_err
gpt_pairs_copy(struct gpt_pairs *to, const struct gpt_pairs *from)
{
	*to = (struct gpt_pairs){ 0 };
	for (size_t i = 0; i < from->n; i++) {
		struct gpt_pair *pair = gpt_pairs_add(to);

		if (!pair)
			return GK_ERR_NOMEM;
		pair->entity.type = from->at[i].entity.type;
		GK_TRY(buf_copy(&pair->entity.data, &from->at[i].entity.data));
		GK_TRY(buf_copy(&pair->ca, &from->at[i].ca));
	}
	return GK_OK;
}

static enum gk_err
access_copy(struct gpt_register *to, const struct gpt_access_control *from)
{
	struct gpt_access_control *access = gpt_register_add_access(to);

	if (!access)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < from->n_permissions; i++)
		GK_TRY(gpt_access_control_permit(access, from->permissions[i]));
	access->has_permissions = from->has_permissions;
	access->has_exclusions = from->has_exclusions;
	GK_TRY(gpt_pairs_copy(&access->rules, &from->rules));
	return gpt_pairs_copy(&access->exclusions, &from->exclusions);
}

static enum gk_err
join_mechanism_copy(struct gpt_register *to,
                    const struct gpt_join_mechanism *from)
{
	struct gpt_join_mechanism *m = gpt_register_add_mechanism(to);

	if (!m)
		return GK_ERR_NOMEM;
	m->alacarte = from->alacarte;
	m->alacarte.key_exchange_data = (struct gk_buf){ 0 };
	GK_TRY(str_copy(&m->suite, from->suite));
	return buf_copy(&m->alacarte.key_exchange_data,
	                &from->alacarte.key_exchange_data);
}

static enum gk_err
register_copy(struct gpt_register *to, const struct gpt_register *from)
{
	to->oid_form = from->oid_form;
	to->tags = from->tags;
	to->senders_limited = from->senders_limited;
	to->transport = from->transport;
	GK_TRY(gpt_pairs_copy(&to->gcks, &from->gcks));
	GK_TRY(gpt_pairs_copy(&to->senders, &from->senders));
	for (size_t i = 0; i < from->n_sub_gcks; i++) {
		struct gpt_pairs *sub = gpt_register_add_sub(to);

		if (!sub)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_pairs_copy(sub, &from->sub_gcks[i]));
	}
	to->has_sub_gcks = from->has_sub_gcks;
	for (size_t i = 0; i < from->n_access; i++)
		GK_TRY(access_copy(to, &from->access[i]));
	for (size_t i = 0; i < from->n_mechanisms; i++)
		GK_TRY(join_mechanism_copy(to, &from->mechanisms[i]));
	return GK_OK;
}

static enum gk_err
deregister_copy(struct gpt_deregister *to, const struct gpt_deregister *from)
{
	to->tags = from->tags;
	to->no_terse = from->no_terse;
	to->terse = from->terse;
	to->transport = from->transport;
	for (size_t i = 0; i < from->n_mechanisms; i++) {
		struct gpt_leave_mechanism *m =
			gpt_deregister_add_mechanism(to);

		if (!m)
			return GK_ERR_NOMEM;
		m->sig_algorithm = from->mechanisms[i].sig_algorithm;
		m->hash_algorithm = from->mechanisms[i].hash_algorithm;
		GK_TRY(buf_copy(&m->ca, &from->mechanisms[i].ca));
	}
	return GK_OK;
}

static enum gk_err
rekey_copy(struct gpt_rekey *to, const struct gpt_rekey *from)
{
	*to = *from;
	/* What owns memory is made anew; until then it must not be shared. */
	to->authorization = to->auth_subs = (struct gpt_pairs){ 0 };
	to->method_ext = to->reliability_ext = to->scheme_ext =
		(struct gpt_extension){ 0 };
	to->domain = (struct gk_buf){ 0 };
	to->post = NULL;

	GK_TRY(gpt_pairs_copy(&to->authorization, &from->authorization));
	GK_TRY(gpt_pairs_copy(&to->auth_subs, &from->auth_subs));
	GK_TRY(extension_copy(&to->method_ext, &from->method_ext));
	GK_TRY(extension_copy(&to->reliability_ext, &from->reliability_ext));
	GK_TRY(extension_copy(&to->scheme_ext, &from->scheme_ext));
	GK_TRY(buf_copy(&to->domain, &from->domain));
	return str_copy(&to->post, from->post);
}

static enum gk_err
data_copy(struct gpt_data *to, const struct gpt_data *from)
{
	*to = *from;
	to->authentication.key_id = to->encryption.key_id =
		(struct gk_buf){ 0 };
	GK_TRY(buf_copy(&to->authentication.key_id,
	                &from->authentication.key_id));
	return buf_copy(&to->encryption.key_id, &from->encryption.key_id);
}

static enum gk_err
gdoi_register_copy(struct gpt_gdoi_register *to,
                   const struct gpt_gdoi_register *from)
{
	GK_TRY(gpt_record_copy(GPT_RECORD_GDOI_GROUP, &to->group,
	                       &from->group));
	for (size_t i = 0; i < from->n_phase1; i++) {
		struct gpt_phase1 *made = gpt_gdoi_register_add_phase1(to);

		if (!made)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_record_copy(GPT_RECORD_PHASE1, made,
		                       &from->phase1[i]));
	}
	return GK_OK;
}

static enum gk_err
ipsec_copy(struct gpt_ipsec *to, const struct gpt_ipsec *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct gpt_ipsec_sa *made = gpt_ipsec_add(to);

		if (!made)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_record_copy(GPT_RECORD_IPSEC_SA, made,
		                       &from->at[i]));
	}
	return GK_OK;
}

static enum gk_err
iec_copy(struct gpt_iec *to, const struct gpt_iec *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct gpt_iec_sa *made = gpt_iec_add(to);

		if (!made)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_record_copy(GPT_RECORD_IEC_SA, made, &from->at[i]));
	}
	return GK_OK;
}

static enum gk_err
protocol_copy(struct gpt_protocol *to, const struct gpt_protocol *from)
{
	GK_TRY(gpt_protocol_set(to, from->kind));
	switch (from->kind) {
	case GPT_PROTOCOL_NONE:
		return GK_OK;
	case GPT_PROTOCOL_REGISTER:
		return register_copy(to->reg, from->reg);
	case GPT_PROTOCOL_DEREGISTER:
		return deregister_copy(to->dereg, from->dereg);
	case GPT_PROTOCOL_REKEY:
		return rekey_copy(to->rekey, from->rekey);
	case GPT_PROTOCOL_DATA:
		return data_copy(to->data, from->data);
	case GPT_PROTOCOL_GDOI_REGISTER:
		GK_TRY(register_copy(to->reg, from->reg));
		return gdoi_register_copy(to->gdoi_reg, from->gdoi_reg);
	case GPT_PROTOCOL_GDOI_REKEY:
		return gpt_record_copy(GPT_RECORD_GDOI_REKEY, to->gdoi_rekey,
		                       from->gdoi_rekey);
	case GPT_PROTOCOL_IPSEC:
		return ipsec_copy(to->ipsec, from->ipsec);
	case GPT_PROTOCOL_IEC_61850:
		return iec_copy(to->iec, from->iec);
	case GPT_PROTOCOL_OPERATION:
		return gpt_record_copy(GPT_RECORD_OPERATION, to->operation,
		                       from->operation);
	case GPT_PROTOCOL_UNKNOWN:
		return extension_copy(&to->unknown, &from->unknown);
	}
	return GK_ERR_VALUE;
}

static enum gk_err
token_copy(struct gpt_token *to, const struct gpt_token *from)
{
	to->version = from->version;
	to->has_edition = from->has_edition;
	to->edition = from->edition;
	to->registration_null = from->registration_null;
	GK_TRY(buf_copy(&to->group_name, &from->group_name));
	for (size_t i = 0; i < from->n_registration; i++) {
		struct gpt_registration *r = gpt_token_add_registration(to);

		if (!r)
			return GK_ERR_NOMEM;
		GK_TRY(protocol_copy(&r->reg, &from->registration[i].reg));
		GK_TRY(protocol_copy(&r->dereg, &from->registration[i].dereg));
	}
	for (size_t i = 0; i < from->n_rekey; i++) {
		struct gpt_protocol *p = gpt_token_add_rekey(to);

		if (!p)
			return GK_ERR_NOMEM;
		GK_TRY(protocol_copy(p, &from->rekey[i]));
	}
	for (size_t i = 0; i < from->n_data; i++) {
		struct gpt_protocol *p = gpt_token_add_data(to);

		if (!p)
			return GK_ERR_NOMEM;
		GK_TRY(protocol_copy(p, &from->data[i]));
	}
	return GK_OK;
}

enum gk_err
gpt_token_copy(const struct gpt_token *token, struct gpt_token **copy)
{
	struct gpt_token *made = gpt_token_new();
	enum gk_err err = made ? token_copy(made, token) : GK_ERR_NOMEM;

	if (err != GK_OK) {
		gpt_token_free(made);
		return err;
	}
	*copy = made;
	return GK_OK;
}

/* --- equality ---------------------------------------------------------------- */

static bool
buf_equal(const struct gk_buf *a, const struct gk_buf *b)
{
	return gk_slice_equal(gk_buf_slice(a), gk_buf_slice(b));
}

static bool
str_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool
extension_equal(const struct gpt_extension *a, const struct gpt_extension *b)
{
	return str_equal(a->oid, b->oid) && buf_equal(&a->octets, &b->octets);
}

static bool
lifedate_equal(struct gpt_lifedate a, struct gpt_lifedate b)
{
	return a.kind == b.kind && a.value == b.value;
}

bool
gpt_pair_equal(const struct gpt_pair *a, const struct gpt_pair *b)
{
	return a->entity.type == b->entity.type &&
	       buf_equal(&a->entity.data, &b->entity.data) &&
	       buf_equal(&a->ca, &b->ca);
}

static bool
pairs_equal(const struct gpt_pairs *a, const struct gpt_pairs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!gpt_pair_equal(&a->at[i], &b->at[i]))
			return false;
	return true;
}

static bool
access_equal(const struct gpt_access_control *a,
             const struct gpt_access_control *b)
{
	if (a->has_permissions != b->has_permissions ||
	    a->n_permissions != b->n_permissions ||
	    a->has_exclusions != b->has_exclusions)
		return false;
	for (size_t i = 0; i < a->n_permissions; i++)
		if (a->permissions[i] != b->permissions[i])
			return false;
	return pairs_equal(&a->rules, &b->rules) &&
	       pairs_equal(&a->exclusions, &b->exclusions);
}

static bool
mechanisms_equal(const struct gpt_mechanisms *a, const struct gpt_mechanisms *b)
{
	return a->sig_algorithm == b->sig_algorithm &&
	       a->hash_algorithm == b->hash_algorithm &&
	       a->key_exchange == b->key_exchange &&
	       a->has_key_exchange_data == b->has_key_exchange_data &&
	       buf_equal(&a->key_exchange_data, &b->key_exchange_data) &&
	       a->key_wrap == b->key_wrap &&
	       lifedate_equal(a->timeout, b->timeout) && a->terse == b->terse &&
	       a->has_timestamp == b->has_timestamp &&
	       a->timestamp == b->timestamp;
}

static bool
join_mechanism_equal(const struct gpt_join_mechanism *a,
                     const struct gpt_join_mechanism *b)
{
	if (!str_equal(a->suite, b->suite))
		return false;
	return a->suite || mechanisms_equal(&a->alacarte, &b->alacarte);
}

static bool
register_equal(const struct gpt_register *a, const struct gpt_register *b)
{
	if (a->oid_form != b->oid_form || a->tags != b->tags ||
	    a->has_sub_gcks != b->has_sub_gcks ||
	    a->n_sub_gcks != b->n_sub_gcks ||
	    a->senders_limited != b->senders_limited ||
	    a->n_access != b->n_access || a->n_mechanisms != b->n_mechanisms ||
	    a->transport != b->transport || !pairs_equal(&a->gcks, &b->gcks) ||
	    !pairs_equal(&a->senders, &b->senders))
		return false;
	for (size_t i = 0; i < a->n_sub_gcks; i++)
		if (!pairs_equal(&a->sub_gcks[i], &b->sub_gcks[i]))
			return false;
	for (size_t i = 0; i < a->n_access; i++)
		if (!access_equal(&a->access[i], &b->access[i]))
			return false;
	for (size_t i = 0; i < a->n_mechanisms; i++)
		if (!join_mechanism_equal(&a->mechanisms[i], &b->mechanisms[i]))
			return false;
	return true;
}

static bool
deregister_equal(const struct gpt_deregister *a, const struct gpt_deregister *b)
{
	if (a->tags != b->tags || a->n_mechanisms != b->n_mechanisms ||
	    a->no_terse != b->no_terse || a->terse != b->terse ||
	    a->transport != b->transport)
		return false;
	for (size_t i = 0; i < a->n_mechanisms; i++)
		if (a->mechanisms[i].sig_algorithm !=
		            b->mechanisms[i].sig_algorithm ||
		    a->mechanisms[i].hash_algorithm !=
		            b->mechanisms[i].hash_algorithm ||
		    !buf_equal(&a->mechanisms[i].ca, &b->mechanisms[i].ca))
			return false;
	return true;
}

static bool
rekey_event_equal(const struct gpt_rekey *a, const struct gpt_rekey *b)
{
	bool time = a->event == GPT_REKEY_EVENT_TIME ||
	            a->event == GPT_REKEY_EVENT_TIME_AND_COUNT;
	bool count = a->event == GPT_REKEY_EVENT_COUNT ||
	             a->event == GPT_REKEY_EVENT_TIME_AND_COUNT;

	return a->event == b->event &&
	       (!time || lifedate_equal(a->event_time, b->event_time)) &&
	       (!count || a->event_count == b->event_count);
}

static bool
method_equal(const struct gpt_rekey *a, const struct gpt_rekey *b)
{
	if (a->method != b->method)
		return false;
	switch (a->method) {
	case GPT_METHOD_NONE:
		return a->method_none == b->method_none;
	case GPT_METHOD_LKH:
		return a->lkh_key_type == b->lkh_key_type;
	case GPT_METHOD_UNKNOWN:
		break;
	}
	return extension_equal(&a->method_ext, &b->method_ext);
}

static bool
reliability_equal(const struct gpt_rekey *a, const struct gpt_rekey *b)
{
	if (a->reliability != b->reliability)
		return false;
	switch (a->reliability) {
	case GPT_RELIABILITY_NONE:
		return a->reliability_none == b->reliability_none;
	case GPT_RELIABILITY_RESEND:
		return a->resend == b->resend;
	case GPT_RELIABILITY_POST:
		return str_equal(a->post, b->post);
	case GPT_RELIABILITY_UNKNOWN:
		break;
	}
	return extension_equal(&a->reliability_ext, &b->reliability_ext);
}

static bool
scheme_equal(const struct gpt_rekey *a, const struct gpt_rekey *b)
{
	if (a->scheme != b->scheme)
		return false;
	switch (a->scheme) {
	case GPT_SCHEME_NONE:
		return a->scheme_none == b->scheme_none;
	case GPT_SCHEME_AUTONOMOUS:
		return pairs_equal(&a->auth_subs, &b->auth_subs) &&
		       a->has_domain == b->has_domain &&
		       buf_equal(&a->domain, &b->domain);
	case GPT_SCHEME_UNKNOWN:
		break;
	}
	return extension_equal(&a->scheme_ext, &b->scheme_ext);
}

static bool
rekey_equal(const struct gpt_rekey *a, const struct gpt_rekey *b)
{
	return a->oid_form == b->oid_form && a->tags == b->tags &&
	       pairs_equal(&a->authorization, &b->authorization) &&
	       a->sig_algorithm == b->sig_algorithm &&
	       a->hash_algorithm == b->hash_algorithm &&
	       rekey_event_equal(a, b) && method_equal(a, b) &&
	       lifedate_equal(a->interval, b->interval) &&
	       reliability_equal(a, b) && scheme_equal(a, b);
}

static bool
key_info_equal(bool has_a, const struct gpt_key_info *a, bool has_b,
               const struct gpt_key_info *b)
{
	if (has_a != has_b || !has_a)
		return has_a == has_b;
	return buf_equal(&a->key_id, &b->key_id) &&
	       a->has_expiration == b->has_expiration &&
	       (!a->has_expiration ||
	        lifedate_equal(a->expiration, b->expiration));
}

static bool
data_equal(const struct gpt_data *a, const struct gpt_data *b)
{
	return key_info_equal(a->has_authentication, &a->authentication,
	                      b->has_authentication, &b->authentication) &&
	       key_info_equal(a->has_encryption, &a->encryption,
	                      b->has_encryption, &b->encryption);
}

static bool
gdoi_register_equal(const struct gpt_gdoi_register *a,
                    const struct gpt_gdoi_register *b)
{
	if (a->n_phase1 != b->n_phase1 ||
	    !gpt_record_equal(GPT_RECORD_GDOI_GROUP, &a->group, &b->group))
		return false;
	for (size_t i = 0; i < a->n_phase1; i++)
		if (!gpt_record_equal(GPT_RECORD_PHASE1, &a->phase1[i],
		                      &b->phase1[i]))
			return false;
	return true;
}

static bool
ipsec_equal(const struct gpt_ipsec *a, const struct gpt_ipsec *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = gpt_record_equal(GPT_RECORD_IPSEC_SA, &a->at[i],
		                        &b->at[i]);
	return same;
}

static bool
iec_equal(const struct gpt_iec *a, const struct gpt_iec *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = gpt_record_equal(GPT_RECORD_IEC_SA, &a->at[i],
		                        &b->at[i]);
	return same;
}

static bool
protocol_equal(const struct gpt_protocol *a, const struct gpt_protocol *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case GPT_PROTOCOL_NONE:
		return true;
	case GPT_PROTOCOL_REGISTER:
		return register_equal(a->reg, b->reg);
	case GPT_PROTOCOL_DEREGISTER:
		return deregister_equal(a->dereg, b->dereg);
	case GPT_PROTOCOL_REKEY:
		return rekey_equal(a->rekey, b->rekey);
	case GPT_PROTOCOL_DATA:
		return data_equal(a->data, b->data);
	case GPT_PROTOCOL_GDOI_REGISTER:
		return register_equal(a->reg, b->reg) &&
		       gdoi_register_equal(a->gdoi_reg, b->gdoi_reg);
	case GPT_PROTOCOL_GDOI_REKEY:
		return gpt_record_equal(GPT_RECORD_GDOI_REKEY, a->gdoi_rekey,
		                        b->gdoi_rekey);
	case GPT_PROTOCOL_IPSEC:
		return ipsec_equal(a->ipsec, b->ipsec);
	case GPT_PROTOCOL_IEC_61850:
		return iec_equal(a->iec, b->iec);
	case GPT_PROTOCOL_OPERATION:
		return gpt_record_equal(GPT_RECORD_OPERATION, a->operation,
		                        b->operation);
	case GPT_PROTOCOL_UNKNOWN:
		break;
	}
	return extension_equal(&a->unknown, &b->unknown);
}

bool
gpt_token_equal(const struct gpt_token *a, const struct gpt_token *b)
{
	if (a->version != b->version ||
	    !buf_equal(&a->group_name, &b->group_name) ||
	    a->has_edition != b->has_edition ||
	    (a->has_edition && a->edition != b->edition) ||
	    a->registration_null != b->registration_null ||
	    a->n_registration != b->n_registration ||
	    a->n_rekey != b->n_rekey || a->n_data != b->n_data)
		return false;
	for (size_t i = 0; i < a->n_registration; i++)
		if (!protocol_equal(&a->registration[i].reg,
		                    &b->registration[i].reg) ||
		    !protocol_equal(&a->registration[i].dereg,
		                    &b->registration[i].dereg))
			return false;
	for (size_t i = 0; i < a->n_rekey; i++)
		if (!protocol_equal(&a->rekey[i], &b->rekey[i]))
			return false;
	for (size_t i = 0; i < a->n_data; i++)
		if (!protocol_equal(&a->data[i], &b->data[i]))
			return false;
	return true;
}
