/* SPDX-License-Identifier: BSD-2-Clause */
/* The traffic that key servers may make SAs for: <flow> of a group. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/member.h"
#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/xml/gpt_announcement.h"

static size_t
count(const struct gkd_elem *first)
{
	size_t n = 0;

	for (const struct gkd_elem *e = first; e != NULL; e = gkd_elem_next(e))
		n++;
	return n;
}

/* ---- one end ------------------------------------------------------------- */

/* "5004" or "5004-5010". */
static enum gk_err
read_ports(const struct gkd_config *config, const struct gkd_elem *elem,
           struct gdoi_flow_end *end, struct gkd_why *why)
{
	const char *text = gkd_elem_text(elem, "@port", NULL);
	unsigned long first, last;
	char *stop;

	end->port_first = 0;
	end->port_last = UINT16_MAX;
	if (text == NULL)
		return GK_OK;
	first = last = strtoul(text, &stop, 10);
	if (*stop == '-')
		last = strtoul(stop + 1, &stop, 10);
	if (*stop != '\0' || first == 0 || first > last || last > UINT16_MAX)
		return gkd_config_fail(config, elem, why,
		                       "'@port': '%s' is neither a port nor a "
		                       "range of them",
		                       text);
	end->port_first = (uint16_t)first;
	end->port_last = (uint16_t)last;
	return GK_OK;
}

static enum gk_err
read_addresses(const struct gkd_config *config, const struct gkd_elem *elem,
               struct gdoi_flow_end *end, struct gkd_why *why)
{
	const char *text = gkd_elem_text(elem, "@address", NULL);
	struct gpt_id id = { 0 };
	struct gdoi_endpoint at = { 0 };

	if (text == NULL)
		return GK_OK;
	if (gpt_address_parse(text, &id) == GK_OK && id.type <= UINT8_MAX) {
		at.type = (uint8_t)id.type;
		at.data = gk_buf_slice(&id.data);
		end->span = gdoi_endpoint_span(&at);
	}
	gk_buf_free(&id.data);
	if (end->span.len != 0)
		return GK_OK;
	return gkd_config_fail(config, elem, why,
	                       "'@address': '%s' is neither an address nor a "
	                       "prefix nor a range",
	                       text);
}

static enum gk_err
read_ends(const struct gkd_config *config, const struct gkd_elem *flow,
          const char *name, const struct gdoi_flow_end **ends, size_t *n,
          struct gkd_why *why)
{
	const struct gkd_elem *e = gkd_elem_child(flow, name);
	struct gdoi_flow_end *end = calloc(count(e) + 1, sizeof(*end));

	if (end == NULL)
		return GK_ERR_NOMEM;
	*ends = end;
	for (; e != NULL; e = gkd_elem_next(e), end++) {
		++*n;
		GK_TRY(read_addresses(config, e, end, why));
		GK_TRY(read_ports(config, e, end, why));
	}
	return GK_OK;
}

/* ---- a flow -------------------------------------------------------------- */

static bool
has_family(const struct gdoi_flow_end *ends, size_t n, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (ends[i].span.len == 0 || ends[i].span.len == len)
			return true;
	return n == 0;
}

/* Nothing comes from a multicast address (RFC 5374 section 4.1.1), nor from one
 * family to the other. */
static enum gk_err
check(const struct gkd_config *config, const struct gkd_elem *elem,
      const struct gdoi_flow *f, struct gkd_why *why)
{
	bool some = false;

	for (size_t i = 0; i < f->n_src; i++)
		if (gdoi_span_is_multicast(&f->src[i].span))
			return gkd_config_fail(
				config, elem, why,
				"a multicast address is nobody's "
				"source");
	for (size_t len = 4; len <= 16; len += 12)
		some = some || (has_family(f->src, f->n_src, len) &&
		                has_family(f->dst, f->n_dst, len));
	return some ? GK_OK
	            : gkd_config_fail(config, elem, why,
	                              "sources and destinations are of two "
	                              "families");
}

static enum gk_err
read_flow(const struct gkd_config *config, const struct gkd_elem *elem,
          struct gdoi_flow *f, struct gk_buf *name, struct gkd_why *why)
{
	const char *protocol = gkd_elem_text(elem, "@protocol", "0");
	const struct gkd_elem *server = gkd_elem_child(elem, "key-server");
	int64_t number;

	if (gpt_name_value(GPT_REGISTRY_IP_PROTOCOL, protocol, &number) !=
	            GK_OK ||
	    number < 0 || number > UINT8_MAX)
		return gkd_config_fail(config, elem, why,
		                       "'@protocol': '%s' is no IP protocol",
		                       protocol);
	f->protocol = (uint8_t)number;
	if (server != NULL) {
		GK_TRY(gkd_identity_load(config, server, name, &f->server,
		                         why));
		if (gk_identity_check_pattern(f->server) != GK_OK)
			return gkd_config_fail(config, server, why,
			                       "'@name' is no name and no "
			                       "pattern of one");
	}
	GK_TRY(read_ends(config, elem, "source", &f->src, &f->n_src, why));
	GK_TRY(read_ends(config, elem, "destination", &f->dst, &f->n_dst, why));
	return check(config, elem, f, why);
}

enum gk_err
gdoid_flows_load(const struct gkd_config *config, const struct gkd_elem *group,
                 struct gdoid_flows *flows, struct gkd_why *why)
{
	const struct gkd_elem *e = gkd_elem_child(group, "flow");
	size_t n = count(e);

	if (n == 0)
		return GK_OK;
	flows->flow = calloc(n, sizeof(*flows->flow));
	flows->name = calloc(n, sizeof(*flows->name));
	if (flows->flow == NULL || flows->name == NULL)
		return GK_ERR_NOMEM;
	for (; e != NULL; e = gkd_elem_next(e)) {
		size_t i = flows->n++;

		GK_TRY(read_flow(config, e, &flows->flow[i], &flows->name[i],
		                 why));
	}
	return GK_OK;
}

/* ---- announced ------------------------------------------------------------ */

static enum gk_err
announced_end(const struct gpt_id *id, uint16_t port,
              const struct gdoi_flow_end **ends, size_t *n)
{
	const struct gdoi_endpoint at = { .type = (uint8_t)id->type,
		                          .data = gk_buf_slice(&id->data) };
	struct gdoi_flow_end *end = calloc(1, sizeof(*end));

	if (end == NULL)
		return GK_ERR_NOMEM;
	*ends = end;
	*n = 1;
	if (id->type != 0)
		end->span = gdoi_endpoint_span(&at);
	end->port_first = port;
	end->port_last = port != 0 ? port : UINT16_MAX;
	return GK_OK;
}

enum gk_err
gdoid_flows_announced(struct gdoid_flows *flows,
                      const struct gpt_announcement *a)
{
	if (a->n_flows == 0)
		return GK_OK;
	flows->flow = calloc(a->n_flows, sizeof(*flows->flow));
	flows->name = calloc(a->n_flows, sizeof(*flows->name));
	if (flows->flow == NULL || flows->name == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < a->n_flows; i++) {
		const struct gpt_flow *in = &a->flows[i];
		struct gdoi_flow *f = &flows->flow[flows->n++];

		f->protocol = (uint8_t)in->protocol;
		GK_TRY(announced_end(&in->source, in->source_port, &f->src,
		                     &f->n_src));
		GK_TRY(announced_end(&in->destination, in->destination_port,
		                     &f->dst, &f->n_dst));
	}
	return GK_OK;
}

void
gdoid_flows_free(struct gdoid_flows *flows)
{
	for (size_t i = 0; i < flows->n; i++) {
		gk_buf_free(&flows->name[i]);
		free((void *)(uintptr_t)flows->flow[i].src);
		free((void *)(uintptr_t)flows->flow[i].dst);
	}
	free(flows->name);
	free(flows->flow);
	*flows = (struct gdoid_flows){ 0 };
}

/* ---- what was not authorised ---------------------------------------------- */

void
gdoid_member_unauthorised(struct gdoid_member *m, const struct gdoi_output *o)
{
	struct gdoid_member_group *g = &m->group[o->group];

	gdoid_sat_text(g->unauthorised, o->tek.sat);
	g->unauthorised_utc = gkd_now().utc_s;
}

json_t *
gdoid_member_flows(const struct gdoid_member *m, size_t group, uint64_t refused)
{
	const struct gdoid_member_group *g = &m->group[group];
	json_t *o = json_pack("{s:I, s:I}", "flows",
	                      (json_int_t)m->group_cfg[group].n_flows,
	                      "unauthorised", (json_int_t)refused);

	if (g->unauthorised_utc == 0)
		return o;
	json_object_set_new(o, "last", json_string(g->unauthorised));
	json_object_set_new(o, "at", gkd_json_utc(g->unauthorised_utc));
	return o;
}
