/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/token/gpt_suite.h"
#include "policy-tokens/xml/gpt_announcement_impl.h"
#include "policy-tokens/xml/gpt_policy_write.h"

char *
gpt_endpoint_text(char out[GPT_ADDR_LEN], const uint8_t *addr, size_t addr_len)
{
	if ((addr_len != 4 && addr_len != 16) ||
	    !inet_ntop(addr_len == 4 ? AF_INET : AF_INET6, addr, out,
	               GPT_ADDR_LEN))
		(void)snprintf(out, GPT_ADDR_LEN, "?");
	return out;
}

static void
number(struct gpt_xml_out *out, const char *attr, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	gpt_xml_put(out, attr, text);
}

static enum gk_err
key_server(struct gpt_xml_out *out, const struct gpt_key_server *server,
           uint16_t port)
{
	struct gk_identity id = { server->id_kind, gk_buf_slice(&server->id) };
	struct gk_buf name = { 0 };
	char addr[GPT_ADDR_LEN];

	if (id.kind != GK_ID_NONE)
		GK_TRY(gk_identity_format(id, &name));
	gpt_xml_begin(out, "key-server");
	gpt_xml_put(
		out, "address",
		gpt_endpoint_text(addr, server->at.addr, server->at.addr_len));
	if (server->at.port != port)
		number(out, "port", server->at.port);
	if (id.kind != GK_ID_NONE && id.kind != GK_ID_DN_STRING)
		gpt_xml_put(out, "type", gk_id_kind_name(id.kind));
	gpt_xml_end_text(out, "key-server", gk_buf_slice(&name));
	gk_buf_free(&name);
	return GK_OK;
}

static void
multicast(struct gpt_xml_out *out, const char *name,
          const struct gpt_multicast *m)
{
	char addr[GPT_ADDR_LEN];

	gpt_xml_begin(out, name);
	gpt_xml_put(out, "group",
	            gpt_endpoint_text(addr, m->group.addr, m->group.addr_len));
	number(out, "port", m->group.port);
	if (m->source_len > 0)
		gpt_xml_put(out, "source",
		            gpt_endpoint_text(addr, m->source, m->source_len));
	gpt_xml_end(out, name);
}

static void
mechanisms(struct gpt_xml_out *out, const struct gpt_announcement *a)
{
	const char *name = a->suite ? gpt_suite_name(a->suite) : NULL;

	if (a->gdoi) {
		gpt_xml_begin(out, "gdoi");
		number(out, "doi", a->doi);
		number(out, "situation", a->situation);
		gpt_write_gdoi_announced(out, a->gdoi);
		gpt_xml_end(out, "gdoi");
		return;
	}
	if (a->suite) {
		gpt_xml_begin(out, "suite");
		gpt_xml_put(out, name ? "name" : "oid", name ? name : a->suite);
		gpt_xml_end(out, "suite");
		return;
	}
	gpt_xml_begin(out, "mechanisms");
	gpt_write_code(out, "signature", GPT_REGISTRY_SIGNATURE,
	               a->mechanisms.sig_algorithm);
	gpt_write_code(out, "hash", GPT_REGISTRY_HASH,
	               a->mechanisms.hash_algorithm);
	gpt_write_code(out, "key-exchange", GPT_REGISTRY_KEX,
	               a->mechanisms.key_exchange);
	gpt_write_code(out, "key-wrap", GPT_REGISTRY_KEY,
	               a->mechanisms.key_wrap);
	gpt_xml_end(out, "mechanisms");
}

enum gk_err
gpt_announcement_write(const struct gpt_announcement *a, struct gk_buf *xml)
{
	struct gpt_xml_out out = { 0 };
	char date[GPT_LIFEDATE_LEN];

	if (!gpt_groupid_fits(a->group_type, gk_buf_slice(&a->group)) ||
	    a->group_type == GPT_GROUPID_RAW)
		return GK_ERR_VALUE;
	gpt_xml_head(&out);
	gpt_xml_begin(&out, "announcement");
	number(&out, "serial", a->serial);
	gpt_xml_put(&out, "not-after", gpt_date_text(date, a->not_after));
	if (!a->gdoi) {
		gpt_xml_put(&out, "transport",
		            gpt_transport_name(a->transport));
		gpt_xml_put(&out, "freshness",
		            a->timestamps ? "timestamp" : "nonce");
		gpt_xml_put(&out, "terse", a->terse ? "true" : "false");
	}
	gpt_xml_group_id(&out, a->group_type, gk_buf_slice(&a->group));
	for (size_t i = 0; i < a->n_servers; i++) {
		enum gk_err err =
			key_server(&out, &a->servers[i],
		                   a->gdoi ? GPT_GDOI_PORT : GPT_GSAKMP_PORT);

		if (err != GK_OK)
			out.err = err;
	}
	mechanisms(&out, a);
	if (a->has_rekey)
		multicast(&out, "rekey", &a->rekey);
	for (size_t i = 0; i < a->n_data; i++)
		multicast(&out, "data", &a->data[i]);
	for (size_t i = 0; i < a->n_flows; i++)
		gpt_announced_flow_write(&out, &a->flows[i]);
	gpt_xml_end(&out, "announcement");
	return gpt_xml_done(&out, xml);
}
