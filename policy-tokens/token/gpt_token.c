/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_token.h"

#include <stdlib.h>
#include <string.h>

#include "common/identity/gk_patterns.h"
#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/token/gpt_suite.h"

void *
gpt_list_add(void **list, size_t *n, size_t size)
{
	uint8_t *p;

	if (*n >= SIZE_MAX / size - 1)
		return NULL;
	p = realloc(*list, (*n + 1) * size);
	if (!p)
		return NULL;
	*list = p;
	p += *n * size;
	memset(p, 0, size);
	(*n)++;
	return p;
}

struct gpt_pair *
gpt_pairs_add(struct gpt_pairs *pairs)
{
	void *list = pairs->at;
	struct gpt_pair *pair = gpt_list_add(&list, &pairs->n, sizeof(*pair));

	gpt_pairs_changed(pairs);

	pairs->at = list;
	return pair;
}

struct gpt_pairs *
gpt_register_add_sub(struct gpt_register *reg)
{
	void *list = reg->sub_gcks;
	struct gpt_pairs *sub =
		gpt_list_add(&list, &reg->n_sub_gcks, sizeof(*sub));

	reg->sub_gcks = list;
	if (sub)
		reg->has_sub_gcks = true;
	return sub;
}

struct gpt_access_control *
gpt_register_add_access(struct gpt_register *reg)
{
	void *list = reg->access;
	struct gpt_access_control *access =
		gpt_list_add(&list, &reg->n_access, sizeof(*access));

	reg->access = list;
	return access;
}

struct gpt_join_mechanism *
gpt_register_add_mechanism(struct gpt_register *reg)
{
	void *list = reg->mechanisms;
	struct gpt_join_mechanism *mechanism =
		gpt_list_add(&list, &reg->n_mechanisms, sizeof(*mechanism));

	reg->mechanisms = list;
	return mechanism;
}

struct gpt_leave_mechanism *
gpt_deregister_add_mechanism(struct gpt_deregister *dereg)
{
	void *list = dereg->mechanisms;
	struct gpt_leave_mechanism *mechanism =
		gpt_list_add(&list, &dereg->n_mechanisms, sizeof(*mechanism));

	dereg->mechanisms = list;
	return mechanism;
}

struct gpt_registration *
gpt_token_add_registration(struct gpt_token *token)
{
	void *list = token->registration;
	struct gpt_registration *registration = gpt_list_add(
		&list, &token->n_registration, sizeof(*registration));

	token->registration = list;
	return registration;
}

struct gpt_protocol *
gpt_token_add_rekey(struct gpt_token *token)
{
	void *list = token->rekey;
	struct gpt_protocol *protocol =
		gpt_list_add(&list, &token->n_rekey, sizeof(*protocol));

	token->rekey = list;
	return protocol;
}

struct gpt_protocol *
gpt_token_add_data(struct gpt_token *token)
{
	void *list = token->data;
	struct gpt_protocol *protocol =
		gpt_list_add(&list, &token->n_data, sizeof(*protocol));

	token->data = list;
	return protocol;
}

enum gk_err
gpt_access_control_permit(struct gpt_access_control *access, uint8_t level)
{
	void *list = access->permissions;
	uint8_t *slot = gpt_list_add(&list, &access->n_permissions, 1);

	access->permissions = list;
	if (!slot)
		return GK_ERR_NOMEM;
	*slot = level;
	access->has_permissions = true;
	return GK_OK;
}

enum gk_err
gpt_pair_set(struct gpt_pair *pair, int64_t type, struct gk_slice data,
             struct gk_slice ca)
{
	pair->entity.type = type;
	GK_TRY(gk_buf_copy(&pair->entity.data, data));
	return gk_buf_copy(&pair->ca, ca);
}

/* --- release ------------------------------------------------------------- */

void
gpt_pairs_changed(struct gpt_pairs *pairs)
{
	gk_patterns_free(pairs->names);
	pairs->names = NULL;
}

void
gpt_pairs_free(struct gpt_pairs *pairs)
{
	gpt_pairs_changed(pairs);
	for (size_t i = 0; i < pairs->n; i++) {
		gk_buf_free(&pairs->at[i].entity.data);
		gk_buf_free(&pairs->at[i].ca);
	}
	free(pairs->at);
	*pairs = (struct gpt_pairs){ 0 };
}

static void
extension_free(struct gpt_extension *ext)
{
	free(ext->oid);
	gk_buf_free(&ext->octets);
	*ext = (struct gpt_extension){ 0 };
}

static void
register_free(struct gpt_register *reg)
{
	if (!reg)
		return;
	gpt_pairs_free(&reg->gcks);
	for (size_t i = 0; i < reg->n_sub_gcks; i++)
		gpt_pairs_free(&reg->sub_gcks[i]);
	free(reg->sub_gcks);
	gpt_pairs_free(&reg->senders);
	for (size_t i = 0; i < reg->n_access; i++) {
		free(reg->access[i].permissions);
		gpt_pairs_free(&reg->access[i].rules);
		gpt_pairs_free(&reg->access[i].exclusions);
	}
	free(reg->access);
	for (size_t i = 0; i < reg->n_mechanisms; i++) {
		free(reg->mechanisms[i].suite);
		gk_buf_free(&reg->mechanisms[i].alacarte.key_exchange_data);
	}
	free(reg->mechanisms);
	free(reg);
}

static void
deregister_free(struct gpt_deregister *dereg)
{
	if (!dereg)
		return;
	for (size_t i = 0; i < dereg->n_mechanisms; i++)
		gk_buf_free(&dereg->mechanisms[i].ca);
	free(dereg->mechanisms);
	free(dereg);
}

static void
rekey_free(struct gpt_rekey *rekey)
{
	if (!rekey)
		return;
	gpt_pairs_free(&rekey->authorization);
	extension_free(&rekey->method_ext);
	extension_free(&rekey->reliability_ext);
	extension_free(&rekey->scheme_ext);
	free(rekey->post);
	gpt_pairs_free(&rekey->auth_subs);
	gk_buf_free(&rekey->domain);
	free(rekey);
}

static void
data_free(struct gpt_data *data)
{
	if (!data)
		return;
	gk_buf_free(&data->authentication.key_id);
	gk_buf_free(&data->encryption.key_id);
	free(data);
}

void
gpt_gdoi_register_free(struct gpt_gdoi_register *reg)
{
	if (!reg)
		return;
	gpt_record_free(GPT_RECORD_GDOI_GROUP, &reg->group);
	for (size_t i = 0; i < reg->n_phase1; i++)
		gpt_record_free(GPT_RECORD_PHASE1, &reg->phase1[i]);
	free(reg->phase1);
	free(reg);
}

static void
gdoi_rekey_free(struct gpt_gdoi_rekey *rekey)
{
	if (rekey)
		gpt_record_free(GPT_RECORD_GDOI_REKEY, rekey);
	free(rekey);
}

static void
ipsec_free(struct gpt_ipsec *ipsec)
{
	if (!ipsec)
		return;
	for (size_t i = 0; i < ipsec->n; i++)
		gpt_record_free(GPT_RECORD_IPSEC_SA, &ipsec->at[i]);
	free(ipsec->at);
	free(ipsec);
}

static void
iec_free(struct gpt_iec *iec)
{
	if (!iec)
		return;
	for (size_t i = 0; i < iec->n; i++)
		gpt_record_free(GPT_RECORD_IEC_SA, &iec->at[i]);
	free(iec->at);
	free(iec);
}

static void
protocol_free(struct gpt_protocol *protocol)
{
	register_free(protocol->reg);
	deregister_free(protocol->dereg);
	rekey_free(protocol->rekey);
	data_free(protocol->data);
	gpt_gdoi_register_free(protocol->gdoi_reg);
	gdoi_rekey_free(protocol->gdoi_rekey);
	ipsec_free(protocol->ipsec);
	iec_free(protocol->iec);
	free(protocol->operation); /* numbers alone */
	extension_free(&protocol->unknown);
	*protocol = (struct gpt_protocol){ 0 };
}

void
gpt_token_free(struct gpt_token *token)
{
	if (!token)
		return;
	gk_buf_free(&token->group_name);
	for (size_t i = 0; i < token->n_registration; i++) {
		protocol_free(&token->registration[i].reg);
		protocol_free(&token->registration[i].dereg);
	}
	for (size_t i = 0; i < token->n_rekey; i++)
		protocol_free(&token->rekey[i]);
	for (size_t i = 0; i < token->n_data; i++)
		protocol_free(&token->data[i]);
	free(token->registration);
	free(token->rekey);
	free(token->data);
	free(token);
}

struct gpt_token *
gpt_token_new(void)
{
	struct gpt_token *token = calloc(1, sizeof(*token));

	if (token)
		token->version = 1;
	return token;
}

static bool
gdoi_set(struct gpt_protocol *protocol, enum gpt_protocol_kind kind)
{
	switch (kind) {
	case GPT_PROTOCOL_GDOI_REGISTER:
		protocol->reg = calloc(1, sizeof(*protocol->reg));
		protocol->gdoi_reg = calloc(1, sizeof(*protocol->gdoi_reg));
		if (!protocol->reg || !protocol->gdoi_reg)
			return false;
		protocol->reg->transport = GPT_TRANSPORT_UDP;
		gpt_record_init(GPT_RECORD_GDOI_GROUP,
		                &protocol->gdoi_reg->group);
		return true;
	case GPT_PROTOCOL_GDOI_REKEY:
		protocol->gdoi_rekey = calloc(1, sizeof(*protocol->gdoi_rekey));
		if (protocol->gdoi_rekey)
			gpt_record_init(GPT_RECORD_GDOI_REKEY,
			                protocol->gdoi_rekey);
		return protocol->gdoi_rekey != NULL;
	case GPT_PROTOCOL_OPERATION:
		protocol->operation = calloc(1, sizeof(*protocol->operation));
		return protocol->operation != NULL;
	case GPT_PROTOCOL_IPSEC:
		protocol->ipsec = calloc(1, sizeof(*protocol->ipsec));
		return protocol->ipsec != NULL;
	default:
		protocol->iec = calloc(1, sizeof(*protocol->iec));
		return protocol->iec != NULL;
	}
}

enum gk_err
gpt_protocol_set(struct gpt_protocol *protocol, enum gpt_protocol_kind kind)
{
	bool made = true;

	protocol_free(protocol);
	switch (kind) {
	case GPT_PROTOCOL_NONE:
	case GPT_PROTOCOL_UNKNOWN:
		break;
	case GPT_PROTOCOL_REGISTER:
		protocol->reg = calloc(1, sizeof(*protocol->reg));
		made = protocol->reg != NULL;
		break;
	case GPT_PROTOCOL_DEREGISTER:
		protocol->dereg = calloc(1, sizeof(*protocol->dereg));
		made = protocol->dereg != NULL;
		break;
	case GPT_PROTOCOL_REKEY:
		protocol->rekey = calloc(1, sizeof(*protocol->rekey));
		made = protocol->rekey != NULL;
		break;
	case GPT_PROTOCOL_DATA:
		protocol->data = calloc(1, sizeof(*protocol->data));
		made = protocol->data != NULL;
		break;
	case GPT_PROTOCOL_GDOI_REGISTER:
	case GPT_PROTOCOL_GDOI_REKEY:
	case GPT_PROTOCOL_IPSEC:
	case GPT_PROTOCOL_IEC_61850:
	case GPT_PROTOCOL_OPERATION:
		made = gdoi_set(protocol, kind);
		break;
	}
	if (!made) {
		protocol_free(protocol);
		return GK_ERR_NOMEM;
	}
	protocol->kind = kind;
	return GK_OK;
}

/* --- what applies ---------------------------------------------------------- */

/* RFC 4534 section 3: the highest that can be supported.  What no program of
 * ours can do is passed over; of algorithms, the program itself judges. */
static bool
register_known(const struct gpt_register *reg)
{
	struct gpt_mechanisms m;

	for (size_t i = 0; i < reg->n_mechanisms; i++)
		if (!reg->mechanisms[i].suite ||
		    gpt_suite_expand(reg->mechanisms[i].suite, &m) == GK_OK)
			return true;
	return false;
}

static const struct gpt_registration *
registration_of(const struct gpt_token *token)
{
	const struct gpt_registration *first = NULL;

	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_registration *r = &token->registration[i];

		if (r->reg.kind != GPT_PROTOCOL_REGISTER)
			continue;
		if (register_known(r->reg.reg))
			return r;
		if (!first)
			first = r;
	}
	return first;
}

const struct gpt_register *
gpt_token_register(const struct gpt_token *token, bool *unknown)
{
	const struct gpt_registration *found = registration_of(token);

	if (unknown)
		*unknown = false;
	for (size_t i = 0; i < token->n_registration && unknown; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		if (p->kind == GPT_PROTOCOL_UNKNOWN ||
		    p->kind == GPT_PROTOCOL_GDOI_REGISTER)
			*unknown = true;
	}
	return found ? found->reg.reg : NULL;
}

const struct gpt_deregister *
gpt_token_deregister(const struct gpt_token *token)
{
	const struct gpt_registration *found = registration_of(token);

	/* A Registration pairs a way in with a way out: the entry by which
	 * members came in speaks first, also when it has no way out. */
	if (found)
		return found->dereg.dereg;
	for (size_t i = 0; i < token->n_registration; i++)
		if (token->registration[i].dereg.dereg)
			return token->registration[i].dereg.dereg;
	return NULL;
}

static bool
rekey_known(const struct gpt_rekey *rekey)
{
	return rekey->method != GPT_METHOD_UNKNOWN &&
	       rekey->reliability != GPT_RELIABILITY_UNKNOWN;
}

const struct gpt_rekey *
gpt_token_rekey(const struct gpt_token *token, bool *unknown)
{
	const struct gpt_rekey *first = NULL, *found = NULL;

	if (unknown)
		*unknown = false;
	for (size_t i = 0; i < token->n_rekey; i++) {
		const struct gpt_protocol *p = &token->rekey[i];

		if ((p->kind == GPT_PROTOCOL_UNKNOWN ||
		     p->kind == GPT_PROTOCOL_GDOI_REKEY) &&
		    unknown)
			*unknown = true;
		if (p->kind != GPT_PROTOCOL_REKEY)
			continue;
		if (!first)
			first = p->rekey;
		if (!found && rekey_known(p->rekey))
			found = p->rekey;
	}
	return found ? found : first;
}

const struct gpt_register *
gpt_token_gdoi_register(const struct gpt_token *token,
                        const struct gpt_gdoi_register **gdoi)
{
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		if (p->kind != GPT_PROTOCOL_GDOI_REGISTER)
			continue;
		if (gdoi)
			*gdoi = p->gdoi_reg;
		return p->reg;
	}
	return NULL;
}

const struct gpt_register *
gpt_token_members(const struct gpt_token *token, bool *gdoi)
{
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		if (!p->reg)
			continue;
		if (gdoi)
			*gdoi = p->kind == GPT_PROTOCOL_GDOI_REGISTER;
		return p->kind == GPT_PROTOCOL_GDOI_REGISTER
		               ? p->reg
		               : gpt_token_register(token, NULL);
	}
	if (gdoi)
		*gdoi = false;
	return NULL;
}

const struct gpt_gdoi_rekey *
gpt_token_gdoi_rekey(const struct gpt_token *token, bool *unknown)
{
	const struct gpt_gdoi_rekey *found = NULL;

	if (unknown)
		*unknown = false;
	for (size_t i = 0; i < token->n_rekey; i++) {
		const struct gpt_protocol *p = &token->rekey[i];

		if (p->kind != GPT_PROTOCOL_NONE &&
		    p->kind != GPT_PROTOCOL_OPERATION &&
		    p->kind != GPT_PROTOCOL_GDOI_REKEY && unknown)
			*unknown = true;
		if (p->kind == GPT_PROTOCOL_GDOI_REKEY && !found)
			found = p->gdoi_rekey;
	}
	return found;
}

const struct gpt_operation *
gpt_token_operation(const struct gpt_token *token)
{
	for (size_t i = 0; i < token->n_rekey; i++)
		if (token->rekey[i].kind == GPT_PROTOCOL_OPERATION)
			return token->rekey[i].operation;
	return NULL;
}

const struct gpt_data *
gpt_token_data(const struct gpt_token *token)
{
	const struct gpt_data *found = NULL;

	for (size_t i = 0; i < token->n_data; i++) {
		if (token->data[i].kind != GPT_PROTOCOL_DATA)
			return NULL;
		if (!found)
			found = token->data[i].data;
	}
	return found;
}
