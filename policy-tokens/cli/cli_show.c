/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/cli/cli.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_groupid.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/token/gpt_suite.h"
#include "policy-tokens/xml/gpt_xml.h"

/* --- the policy in words ------------------------------------------------------------- */

static void
pair(FILE *out, const char *lead, const struct gpt_pair *p)
{
	char name[400], ca[2 * 64 + 1];

	if (gpt_id_kind(p->entity.type) == GK_ID_NONE) {
		(void)gk_hex(name, sizeof(name), gk_buf_slice(&p->entity.data));
		fprintf(out, "%s(type %lld) %s", lead,
		        (long long)p->entity.type, name);
	} else {
		fprintf(out, "%s%s", lead,
		        gk_identity_print(name, sizeof(name),
		                          gpt_id_view(&p->entity)));
	}
	fprintf(out, "   under CA %s\n",
	        p->ca.len ? gk_hex(ca, sizeof(ca), gk_buf_slice(&p->ca))
	                  : "(any)");
}

static void
pairs(FILE *out, const char *lead, const struct gpt_pairs *list)
{
	if (list->n == 0)
		fprintf(out, "%snobody\n", lead);
	for (size_t i = 0; i < list->n; i++)
		pair(out, lead, &list->at[i]);
}

static void
code(FILE *out, const char *lead, enum gpt_registry registry, int64_t value)
{
	char name[GPT_NAME_LEN];

	fprintf(out, "%s%s", lead, gpt_name_text(name, registry, value));
}

static void
date(FILE *out, const char *lead, struct gpt_lifedate value)
{
	char text[GPT_LIFEDATE_LEN];

	fprintf(out, "%s%s", lead, gpt_lifedate_text(text, value));
}

static void
mechanism(FILE *out, const struct gpt_join_mechanism *m)
{
	struct gpt_mechanisms set = m->alacarte;
	bool known = !m->suite || gpt_suite_expand(m->suite, &set) == GK_OK;

	if (m->suite)
		fprintf(out, "    suite %s",
		        known ? gpt_suite_name(m->suite) : m->suite);
	else
		fprintf(out, "    set");
	if (!known) {
		fprintf(out, " (unknown here)\n");
		return;
	}
	code(out, ": ", GPT_REGISTRY_SIGNATURE, set.sig_algorithm);
	code(out, ", ", GPT_REGISTRY_HASH, set.hash_algorithm);
	code(out, ", ", GPT_REGISTRY_KEX, set.key_exchange);
	code(out, ", ", GPT_REGISTRY_KEY, set.key_wrap);
	fprintf(out, "; %s, %s", set.terse ? "terse" : "verbose",
	        set.timestamp ? "timestamps" : "nonces");
	if (!m->suite)
		date(out, ", timeout ", set.timeout);
	fprintf(out, "\n");
}

static void
extension(FILE *out, const char *lead, const struct gpt_extension *ext)
{
	char hex[65];

	fprintf(out, "%sunknown %s, %zu octets: %s%s\n", lead, ext->oid,
	        ext->octets.len,
	        gk_hex(hex, sizeof(hex), gk_buf_slice(&ext->octets)),
	        ext->octets.len > 32 ? "..." : "");
}

void
cli_show_membership(FILE *out, const struct gpt_register *reg)
{
	fprintf(out, "  key servers\n");
	pairs(out, "    ", &reg->gcks);
	for (size_t i = 0; i < reg->n_sub_gcks; i++) {
		fprintf(out, "  subordinate key servers\n");
		pairs(out, "    ", &reg->sub_gcks[i]);
	}
	fprintf(out, "  senders\n");
	if (reg->senders_limited)
		pairs(out, "    ", &reg->senders);
	else
		fprintf(out, "    every member\n");
	for (size_t i = 0; i < reg->n_access; i++) {
		const struct gpt_access_control *a = &reg->access[i];

		fprintf(out, "  members, alternative %zu\n", i + 1);
		if (a->n_permissions > 0) {
			fprintf(out, "    with permissions");
			for (size_t k = 0; k < a->n_permissions; k++)
				fprintf(out, " %u", a->permissions[k]);
			fprintf(out, "\n");
		}
		pairs(out, "    ", &a->rules);
		for (size_t k = 0; k < a->exclusions.n; k++)
			pair(out, "    but not ", &a->exclusions.at[k]);
	}
}

static void
show_register(FILE *out, const struct gpt_register *reg)
{
	fprintf(out, "  join by GSAKMP over %s\n",
	        gpt_transport_name(reg->transport));
	cli_show_membership(out, reg);
	fprintf(out, "  mechanisms, preferred first\n");
	for (size_t i = 0; i < reg->n_mechanisms; i++)
		mechanism(out, &reg->mechanisms[i]);
}

static void
show_deregister(FILE *out, const struct gpt_deregister *dereg)
{
	fprintf(out, "  leave by GSAKMP over %s, %s\n",
	        gpt_transport_name(dereg->transport),
	        dereg->terse ? "terse" : "verbose");
	for (size_t i = 0; i < dereg->n_mechanisms; i++) {
		const struct gpt_leave_mechanism *m = &dereg->mechanisms[i];
		char ca[2 * 64 + 1];

		code(out, "    ", GPT_REGISTRY_SIGNATURE, m->sig_algorithm);
		code(out, ", ", GPT_REGISTRY_HASH, m->hash_algorithm);
		fprintf(out, "   under CA %s\n",
		        gk_hex(ca, sizeof(ca), gk_buf_slice(&m->ca)));
	}
}

static void
show_rekey(FILE *out, const struct gpt_rekey *r)
{
	fprintf(out, "  rekey by GSAKMP, signed ");
	code(out, "", GPT_REGISTRY_SIGNATURE, r->sig_algorithm);
	fprintf(out, ", by\n");
	pairs(out, "    ", &r->authorization);
	fprintf(out, "  when      ");
	switch (r->event) {
	case GPT_REKEY_EVENT_NONE:
		fprintf(out, "never on schedule");
		break;
	case GPT_REKEY_EVENT_TIME:
		date(out, "every ", r->event_time);
		break;
	case GPT_REKEY_EVENT_COUNT:
		fprintf(out, "after %lld events", (long long)r->event_count);
		break;
	case GPT_REKEY_EVENT_TIME_AND_COUNT:
		date(out, "every ", r->event_time);
		fprintf(out, " or after %lld events",
		        (long long)r->event_count);
		break;
	}
	date(out, "; members give up after ", r->interval);
	fprintf(out, "\n  method    ");
	if (r->method == GPT_METHOD_NONE)
		fprintf(out, "none\n");
	else if (r->method == GPT_METHOD_LKH)
		code(out, "LKH with ", GPT_REGISTRY_KEY, r->lkh_key_type),
			fprintf(out, "\n");
	else
		extension(out, "", &r->method_ext);
	fprintf(out, "  delivery  ");
	if (r->reliability == GPT_RELIABILITY_NONE)
		fprintf(out, "sent once\n");
	else if (r->reliability == GPT_RELIABILITY_RESEND)
		fprintf(out, "sent again %lld times\n", (long long)r->resend);
	else if (r->reliability == GPT_RELIABILITY_POST)
		fprintf(out, "posted at %s\n", r->post ? r->post : "");
	else
		extension(out, "", &r->reliability_ext);
	if (r->scheme == GPT_SCHEME_AUTONOMOUS) {
		fprintf(out, "  autonomous subordinates\n");
		pairs(out, "    ", &r->auth_subs);
	} else if (r->scheme == GPT_SCHEME_UNKNOWN) {
		extension(out, "  subordinates: ", &r->scheme_ext);
	}
}

static void
show_key(FILE *out, const char *what, const struct gpt_key_info *info)
{
	char id[2 * 32 + 1];

	fprintf(out, "  %s key %s", what,
	        gk_hex(id, sizeof(id), gk_buf_slice(&info->key_id)));
	if (info->has_expiration)
		date(out, ", expires ", info->expiration);
	fprintf(out, "\n");
}

static void
show_data(FILE *out, const struct gpt_data *d)
{
	if (d->has_authentication)
		show_key(out, "authentication", &d->authentication);
	if (d->has_encryption)
		show_key(out, "encryption", &d->encryption);
	if (!d->has_authentication && !d->has_encryption)
		fprintf(out, "  no key\n");
}

static void
show_protocol(FILE *out, const struct gpt_protocol *p)
{
	switch (p->kind) {
	case GPT_PROTOCOL_NONE:
		fprintf(out, "  none\n");
		break;
	case GPT_PROTOCOL_REGISTER:
		show_register(out, p->reg);
		break;
	case GPT_PROTOCOL_DEREGISTER:
		show_deregister(out, p->dereg);
		break;
	case GPT_PROTOCOL_REKEY:
		show_rekey(out, p->rekey);
		break;
	case GPT_PROTOCOL_DATA:
		show_data(out, p->data);
		break;
	case GPT_PROTOCOL_GDOI_REGISTER:
	case GPT_PROTOCOL_GDOI_REKEY:
	case GPT_PROTOCOL_IPSEC:
	case GPT_PROTOCOL_IEC_61850:
	case GPT_PROTOCOL_OPERATION:
		cli_show_gdoi(out, p);
		break;
	case GPT_PROTOCOL_UNKNOWN:
		extension(out, "  ", &p->unknown);
		break;
	}
}

static void
show_group(FILE *out, const struct gpt_token *token)
{
	struct gk_slice value = gk_buf_slice(&token->group_name);
	enum gpt_groupid_type type = gpt_groupid_guess(value);
	size_t skip = type == GPT_GROUPID_UTF8 ? 16 : 8;
	char hex[2 * GPT_GROUPID_MAX + 1], name[600];

	fprintf(out, "group         %s", gk_hex(hex, sizeof(hex), value));
	if (type == GPT_GROUPID_UTF8 || gpt_groupid_tail_printable(value))
		fprintf(out, " (%s)",
		        gk_text_print(name, sizeof(name),
		                      (struct gk_slice){ value.ptr + skip,
		                                         value.len - skip }));
	fprintf(out, "\nedition       ");
	if (token->has_edition)
		fprintf(out, "%lld\n", (long long)token->edition);
	else
		fprintf(out, "none\n");
}

void
cli_show_text(FILE *out, const struct gpt_token *token)
{
	show_group(out, token);
	for (size_t i = 0; i < token->n_registration; i++) {
		fprintf(out, "registration %zu\n", i + 1);
		show_protocol(out, &token->registration[i].reg);
		show_protocol(out, &token->registration[i].dereg);
	}
	for (size_t i = 0; i < token->n_rekey; i++) {
		fprintf(out, "rekey %zu\n", i + 1);
		show_protocol(out, &token->rekey[i]);
	}
	for (size_t i = 0; i < token->n_data; i++) {
		fprintf(out, "data %zu\n", i + 1);
		show_protocol(out, &token->data[i]);
	}
}

/* --- the policy as JSON ---------------------------------------------------------------- */

/* {"element": NAME, ATTRIBUTE: ..., "text": ..., "children": [...]} */
static json_t *
element_json(const xmlNode *node)
{
	json_t *out = json_object();
	json_t *children = NULL;
	char *text;

	if (!out)
		return NULL;
	json_object_set_new(out, "element",
	                    json_string((const char *)node->name));
	for (const xmlAttr *a = node->properties; a; a = a->next) {
		text = gpt_xml_attr(node, (const char *)a->name);
		json_object_set_new(out, (const char *)a->name,
		                    json_string(text ? text : ""));
		free(text);
	}
	for (const xmlNode *n = gpt_xml_first(node, NULL); n;
	     n = gpt_xml_next(n, NULL)) {
		if (!children)
			children = json_array();
		json_array_append_new(children, element_json(n));
	}
	if (children) {
		json_object_set_new(out, "children", children);
		return out;
	}
	text = gpt_xml_content(node);
	if (text && *text)
		json_object_set_new(out, "text", json_string(text));
	free(text);
	return out;
}

json_t *
cli_policy_json(const struct gpt_token *token)
{
	struct gk_buf xml = { 0 };
	json_t *out = NULL;
	xmlDoc *doc;

	if (gpt_policy_write(token, &xml) != GK_OK)
		return NULL;
	if (gpt_xml_load(gk_buf_slice(&xml), GPT_XML_POLICY, &doc, NULL) ==
	    GK_OK) {
		out = element_json(xmlDocGetRootElement(doc));
		gpt_xml_free(doc);
	}
	gk_buf_free(&xml);
	return out;
}
