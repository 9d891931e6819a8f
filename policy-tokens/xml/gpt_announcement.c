/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/xml/gpt_announcement.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/token/gpt_suite.h"
#include "policy-tokens/xml/gpt_announcement_impl.h"
#include "policy-tokens/xml/gpt_policy_parse.h"

void
gpt_announcement_free(struct gpt_announcement *a)
{
	if (!a)
		return;
	gk_buf_free(&a->group);
	for (size_t i = 0; i < a->n_servers; i++)
		gk_buf_free(&a->servers[i].id);
	free(a->servers);
	free(a->suite);
	gpt_gdoi_register_free(a->gdoi);
	free(a->data);
	gpt_announced_flows_free(a);
	free(a);
}

/* --- attributes -------------------------------------------------------------------- */

static bool
attr_is(const xmlNode *node, const char *name, const char *value)
{
	char *text = gpt_xml_attr(node, name);
	bool is = text && strcmp(text, value) == 0;

	free(text);
	return is;
}

static enum gk_err
unsigned_attr(const xmlNode *node, const char *name, uint64_t max, uint64_t def,
              uint64_t *out, struct gpt_fault *why)
{
	char *text = gpt_xml_attr(node, name), *end = NULL;
	enum gk_err err = GK_OK;

	*out = def;
	if (!text)
		return GK_OK;
	errno = 0;
	if (text[0] >= '0' && text[0] <= '9')
		*out = strtoull(text, &end, 10);
	if (!end || *end || errno || *out > max)
		err = gpt_xml_refuse(node, why, "%s='%s' is out of range", name,
		                     text);
	free(text);
	return err;
}

/* A numeric address in an attribute; absent leaves *@len zero. */
static enum gk_err
addr_attr(const xmlNode *node, const char *name, uint8_t addr[16], uint8_t *len,
          struct gpt_fault *why)
{
	char *text = gpt_xml_attr(node, name);
	enum gk_err err = GK_OK;

	*len = 0;
	if (!text)
		return GK_OK;
	if (inet_pton(AF_INET, text, addr) == 1)
		*len = 4;
	else if (inet_pton(AF_INET6, text, addr) == 1)
		*len = 16;
	else
		err = gpt_xml_refuse(node, why,
		                     "%s='%s' is neither an IPv4 nor an IPv6 "
		                     "address",
		                     name, text);
	free(text);
	return err;
}

static enum gk_err
code(const xmlNode *node, const char *name, enum gpt_registry registry,
     int64_t *out, struct gpt_fault *why)
{
	char *text = gpt_xml_attr(node, name);
	enum gk_err err = GK_OK;

	if (!text || gpt_name_value(registry, text, out) != GK_OK || *out < 0 ||
	    *out > UINT16_MAX)
		err = gpt_xml_refuse(node, why,
		                     "%s is neither a known name nor a number "
		                     "of 16 bits",
		                     name);
	free(text);
	return err;
}

/* --- elements ------------------------------------------------------------------------- */

static enum gk_err
key_server_id(const xmlNode *node, struct gpt_key_server *out,
              struct gpt_fault *why)
{
	char *type = gpt_xml_attr(node, "type");
	char *text = gpt_xml_content(node);
	enum gk_id_kind kind =
		type ? gk_id_kind_from_name(type) : GK_ID_DN_STRING;
	enum gk_err err = text ? GK_OK : GK_ERR_NOMEM;

	if (text && *text) {
		out->id_kind = kind;
		err = gk_identity_parse(kind, gk_slice_str(text), &out->id);
		if (err == GK_ERR_VALUE ||
		    (err == GK_OK &&
		     gk_identity_check((struct gk_identity){
			     kind, gk_buf_slice(&out->id) }) != GK_OK))
			err = gpt_xml_refuse(node, why,
			                     "'%s' is not a name of type %s",
			                     text, gk_id_kind_name(kind));
	} else if (text && type) {
		err = gpt_xml_refuse(node, why, "a type, and no name");
	}
	free(type);
	free(text);
	return err;
}

static enum gk_err
key_server(const xmlNode *node, struct gpt_announcement *a,
           struct gpt_fault *why)
{
	struct gpt_key_server *grown =
		realloc(a->servers, (a->n_servers + 1) * sizeof(*grown));
	uint64_t port;

	if (!grown)
		return GK_ERR_NOMEM;
	a->servers = grown;
	grown += a->n_servers++;
	*grown = (struct gpt_key_server){ 0 };
	GK_TRY(addr_attr(node, "address", grown->at.addr, &grown->at.addr_len,
	                 why));
	GK_TRY(unsigned_attr(node, "port", UINT16_MAX,
	                     a->gdoi ? GPT_GDOI_PORT : GPT_GSAKMP_PORT, &port,
	                     why));
	grown->at.port = (uint16_t)port;
	return key_server_id(node, grown, why);
}

static bool
is_multicast(const struct gpt_endpoint *e)
{
	return e->addr_len == 4 ? (e->addr[0] & 0xf0) == 0xe0
	                        : e->addr[0] == 0xff;
}

static enum gk_err
multicast(const xmlNode *node, struct gpt_multicast *out, struct gpt_fault *why)
{
	uint64_t port;

	*out = (struct gpt_multicast){ 0 };
	GK_TRY(addr_attr(node, "group", out->group.addr, &out->group.addr_len,
	                 why));
	GK_TRY(unsigned_attr(node, "port", UINT16_MAX, 0, &port, why));
	out->group.port = (uint16_t)port;
	GK_TRY(addr_attr(node, "source", out->source, &out->source_len, why));
	if (!is_multicast(&out->group))
		return gpt_xml_refuse(node, why,
		                      "group is not a multicast address");
	if (out->source_len != 0 && out->source_len != out->group.addr_len)
		return gpt_xml_refuse(node, why,
		                      "group and source are of different "
		                      "families");
	return GK_OK;
}

static enum gk_err
suite(const xmlNode *node, struct gpt_announcement *a, struct gpt_fault *why)
{
	char *name = gpt_xml_attr(node, "name");
	char *oid = gpt_xml_attr(node, "oid");
	const char *known = name ? gpt_suite_oid(name) : oid;
	enum gk_err err = GK_OK;

	if (!name == !oid || !known)
		err = gpt_xml_refuse(node, why,
		                     "a suite has either a name or an oid");
	else if (!(a->suite = strdup(known)))
		err = GK_ERR_NOMEM;
	else
		a->suite_known =
			gpt_suite_expand(known, &a->mechanisms) == GK_OK;
	free(name);
	free(oid);
	return err;
}

static enum gk_err
mechanisms(const xmlNode *node, struct gpt_announcement *a,
           struct gpt_fault *why)
{
	struct gpt_mechanisms *m = &a->mechanisms;

	a->suite_known = true;
	GK_TRY(code(node, "signature", GPT_REGISTRY_SIGNATURE,
	            &m->sig_algorithm, why));
	GK_TRY(code(node, "hash", GPT_REGISTRY_HASH, &m->hash_algorithm, why));
	GK_TRY(code(node, "key-exchange", GPT_REGISTRY_KEX, &m->key_exchange,
	            why));
	return code(node, "key-wrap", GPT_REGISTRY_KEY, &m->key_wrap, why);
}

/* A group of GDOI has none of the attributes that are GSAKMP's. */
static enum gk_err
gdoi(const xmlNode *root, struct gpt_announcement *a, struct gpt_fault *why)
{
	static const char *const foreign[] = { "transport", "freshness",
		                               "terse" };
	struct gpt_parse p = { .why = why };
	const xmlNode *node = gpt_xml_first(root, "gdoi");
	uint64_t value;

	for (size_t i = 0; i < GK_COUNT(foreign); i++)
		if (xmlHasProp(root, (const xmlChar *)foreign[i]))
			return gpt_xml_refuse(root, why,
			                      "%s belongs to a group of GSAKMP",
			                      foreign[i]);
	a->gdoi = calloc(1, sizeof(*a->gdoi));
	if (!a->gdoi)
		return GK_ERR_NOMEM;
	gpt_record_init(GPT_RECORD_GDOI_GROUP, &a->gdoi->group);
	GK_TRY(unsigned_attr(node, "doi", UINT8_MAX, 2, &value, why));
	a->doi = (uint8_t)value;
	GK_TRY(unsigned_attr(node, "situation", UINT8_MAX, 0, &value, why));
	a->situation = (uint8_t)value;
	GK_TRY(gpt_parse_gdoi_announced(&p, node, a->gdoi));
	if (!a->gdoi->group.number.present == !a->gdoi->group.oid)
		return gpt_xml_refuse(node, why,
		                      "a group has either a number or an oid");
	return GK_OK;
}

static enum gk_err
head(const xmlNode *root, struct gpt_announcement *a, struct gpt_fault *why)
{
	struct gpt_lifedate date = { 0 };
	char *text = gpt_xml_attr(root, "not-after");
	enum gk_err err = GK_OK;

	if (!text || gpt_lifedate_parse(text, &date) != GK_OK ||
	    date.kind != GPT_LIFEDATE_GT)
		err = gpt_xml_refuse(root, why,
		                     "not-after is not a date such as "
		                     "2030-01-31T12:00:00Z");
	free(text);
	GK_TRY(err);
	a->not_after = date.value;
	GK_TRY(unsigned_attr(root, "serial", UINT64_MAX, 0, &a->serial, why));
	if (gpt_xml_first(root, "gdoi"))
		return gdoi(root, a, why);
	text = gpt_xml_attr(root, "transport");
	if (!text || !xmlHasProp(root, (const xmlChar *)"freshness") ||
	    !xmlHasProp(root, (const xmlChar *)"terse"))
		err = gpt_xml_refuse(root, why,
		                     "transport, freshness and terse are "
		                     "needed");
	else if (gpt_transport_value(text, &a->transport) != GK_OK)
		err = gpt_xml_refuse(root, why, "transport is unknown");
	free(text);
	a->timestamps = attr_is(root, "freshness", "timestamp");
	a->terse =
		attr_is(root, "terse", "true") || attr_is(root, "terse", "1");
	return err;
}

static enum gk_err
children(const xmlNode *root, struct gpt_announcement *a, struct gpt_fault *why)
{
	for (const xmlNode *n = gpt_xml_first(root, NULL); n;
	     n = gpt_xml_next(n, NULL)) {
		if (gpt_xml_is(n, "group-id")) {
			GK_TRY(gpt_xml_group_id_parse(n, &a->group_type,
			                              &a->group, why));
		} else if (gpt_xml_is(n, "key-server")) {
			GK_TRY(key_server(n, a, why));
		} else if (gpt_xml_is(n, "suite")) {
			GK_TRY(suite(n, a, why));
		} else if (gpt_xml_is(n, "mechanisms")) {
			GK_TRY(mechanisms(n, a, why));
		} else if (gpt_xml_is(n, "gdoi")) {
			continue; /* head() has read it */
		} else if (gpt_xml_is(n, "flow")) {
			GK_TRY(gpt_announced_flow_read(n, a, why));
		} else if (gpt_xml_is(n, "rekey")) {
			a->has_rekey = true;
			GK_TRY(multicast(n, &a->rekey, why));
		} else {
			struct gpt_multicast *grown = realloc(
				a->data, (a->n_data + 1) * sizeof(*grown));

			if (!grown)
				return GK_ERR_NOMEM;
			a->data = grown;
			GK_TRY(multicast(n, &a->data[a->n_data++], why));
		}
	}
	a->mechanisms.terse = a->terse;
	a->mechanisms.has_timestamp = a->timestamps;
	a->mechanisms.timestamp = a->timestamps;
	return GK_OK;
}

enum gk_err
gpt_announcement_read(const xmlNode *root, struct gpt_announcement **out,
                      struct gpt_fault *why)
{
	struct gpt_announcement *a = calloc(1, sizeof(*a));
	enum gk_err err = a ? head(root, a, why) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = children(root, a, why);
	if (err == GK_ERR_NOMEM)
		(void)gpt_fault_set(why, err, NULL, NULL, "out of memory");
	if (err != GK_OK) {
		gpt_announcement_free(a);
		return err;
	}
	*out = a;
	return GK_OK;
}

enum gk_err
gpt_announcement_parse(struct gk_slice xml, struct gpt_announcement **out,
                       struct gpt_fault *why)
{
	const xmlNode *root;
	xmlDoc *doc;
	enum gk_err err;

	GK_TRY(gpt_xml_load(xml, GPT_XML_ANNOUNCEMENT, &doc, why));
	root = xmlDocGetRootElement(doc);
	if (gpt_xml_is(root, "signed-announcement"))
		root = gpt_xml_first(root, "announcement");
	err = gpt_announcement_read(root, out, why);
	gpt_xml_free(doc);
	return err;
}

/* --- against the token ------------------------------------------------------------------------ */

/* By any of the registrations for the group, as it is not said which of them a key
 * server can do. */
static bool
lists_phase1(const struct gpt_token *token, const struct gpt_gdoi_group *group,
             const struct gpt_phase1 *said)
{
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		if (p->kind != GPT_PROTOCOL_GDOI_REGISTER ||
		    !gpt_gdoi_same_group(&p->gdoi_reg->group, group))
			continue;
		if (p->gdoi_reg->n_phase1 == 0)
			return true;
		for (size_t k = 0; k < p->gdoi_reg->n_phase1; k++)
			if (gpt_record_equal(GPT_RECORD_PHASE1,
			                     &p->gdoi_reg->phase1[k], said))
				return true;
	}
	return false;
}

static bool
has_group(const struct gpt_token *token, const struct gpt_gdoi_group *group)
{
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		if (p->kind == GPT_PROTOCOL_GDOI_REGISTER &&
		    gpt_gdoi_same_group(&p->gdoi_reg->group, group))
			return true;
	}
	return false;
}

/* A group of the token's, and no phase 1 that the token does not list. */
static enum gk_err
gdoi_agrees(const struct gpt_announcement *a, const struct gpt_token *token,
            struct gpt_fault *why)
{
	const struct gpt_gdoi_register *said = a->gdoi;
	const char *req = "RFC4534-2-11";

	if (!gpt_token_gdoi_register(token, NULL))
		return gpt_fault_set(why, GK_ERR_POLICY, req, "registration",
		                     "the token has no GDOI registration");
	if (!has_group(token, &said->group))
		return gpt_fault_set(why, GK_ERR_POLICY, req, "groupInfo",
		                     "the token has another group");
	for (size_t i = 0; i < said->n_phase1; i++)
		if (!lists_phase1(token, &said->group, &said->phase1[i]))
			return gpt_fault_set(why, GK_ERR_POLICY, req, "phase1",
			                     "the token does not list what was "
			                     "announced");
	return GK_OK;
}

enum gk_err
gpt_announcement_agrees(const struct gpt_announcement *a,
                        const struct gpt_token *token, struct gpt_fault *why)
{
	const struct gpt_register *reg = gpt_token_register(token, NULL);
	const struct gpt_mechanisms *said = &a->mechanisms;
	const char *req = "RFC4534-2-11";

	if (!gk_slice_equal(gk_buf_slice(&a->group),
	                    gk_buf_slice(&token->group_name)) &&
	    GK_CHECKED("RFC4534-3.1-02"))
		return gpt_fault_set(why, GK_ERR_POLICY, "RFC4534-3.1-02",
		                     "tokenInfo.groupName",
		                     "announcement and token are of different "
		                     "groups");
	if (!GK_CHECKED(req))
		return GK_OK;
	if (a->gdoi)
		return gdoi_agrees(a, token, why);
	if (!reg)
		return gpt_fault_set(why, GK_ERR_POLICY, req, "registration",
		                     "the token has no GSAKMP registration");
	if (reg->transport != a->transport)
		return gpt_fault_set(why, GK_ERR_POLICY, req, "transport",
		                     "announced %s, the token says %s",
		                     gpt_transport_name(a->transport),
		                     gpt_transport_name(reg->transport));
	for (size_t i = 0; i < reg->n_mechanisms; i++) {
		struct gpt_mechanisms m = reg->mechanisms[i].alacarte;

		if (reg->mechanisms[i].suite &&
		    gpt_suite_expand(reg->mechanisms[i].suite, &m) != GK_OK)
			continue;
		if (m.sig_algorithm == said->sig_algorithm &&
		    m.hash_algorithm == said->hash_algorithm &&
		    m.key_exchange == said->key_exchange &&
		    m.key_wrap == said->key_wrap && m.terse == a->terse &&
		    m.timestamp == a->timestamps)
			return GK_OK;
	}
	return gpt_fault_set(why, GK_ERR_POLICY, req, "joinMechanisms",
	                     "the token does not list what was announced");
}
