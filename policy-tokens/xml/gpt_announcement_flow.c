/* SPDX-License-Identifier: BSD-2-Clause */
/* <flow> of an announcement: the traffic that the Group Owner lets key servers of a
 * GDOI group make SAs for. */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/xml/gpt_announcement_impl.h"
#include "policy-tokens/xml/gpt_policy_write.h"

/* --- XML to model ----------------------------------------------------------------- */

static enum gk_err
address(const xmlNode *node, const char *name, struct gpt_id *out,
        struct gpt_fault *why)
{
	char *text = gpt_xml_attr(node, name);
	enum gk_err err = GK_OK;

	if (!text)
		return GK_OK;
	if (gpt_address_parse(text, out) != GK_OK || gpt_address_is_plain(out))
		err = gpt_xml_refuse(node, why,
		                     "%s='%s' is neither an address nor a "
		                     "prefix nor a range",
		                     name, text);
	free(text);
	return err;
}

static enum gk_err
small(const xmlNode *node, const char *name, enum gpt_registry registry,
      int64_t max, uint16_t *out, struct gpt_fault *why)
{
	char *text = gpt_xml_attr(node, name);
	enum gk_err err = GK_OK;
	int64_t value = 0;

	if (text && (gpt_name_value(registry, text, &value) != GK_OK ||
	             value < 0 || value > max))
		err = gpt_xml_refuse(node, why, "%s='%s' is out of range", name,
		                     text);
	*out = (uint16_t)value;
	free(text);
	return err;
}

enum gk_err
gpt_announced_flow_read(const xmlNode *node, struct gpt_announcement *a,
                        struct gpt_fault *why)
{
	struct gpt_flow *f = gpt_announcement_add_flow(a);

	if (!f)
		return GK_ERR_NOMEM;
	if (!a->gdoi)
		return gpt_xml_refuse(node, why,
		                      "flows belong to a group of GDOI");
	GK_TRY(address(node, "source", &f->source, why));
	GK_TRY(address(node, "destination", &f->destination, why));
	GK_TRY(small(node, "source-port", GPT_REGISTRY_NONE, UINT16_MAX,
	             &f->source_port, why));
	GK_TRY(small(node, "destination-port", GPT_REGISTRY_NONE, UINT16_MAX,
	             &f->destination_port, why));
	GK_TRY(small(node, "protocol", GPT_REGISTRY_IP_PROTOCOL, UINT8_MAX,
	             &f->protocol, why));
	if (gpt_address_is_multicast(&f->source))
		return gpt_xml_refuse(node, why,
		                      "nothing comes from a multicast address");
	return GK_OK;
}

/* --- model ------------------------------------------------------------------------- */

struct gpt_flow *
gpt_announcement_add_flow(struct gpt_announcement *a)
{
	struct gpt_flow *grown =
		realloc(a->flows, (a->n_flows + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	a->flows = grown;
	grown += a->n_flows++;
	*grown = (struct gpt_flow){ 0 };
	return grown;
}

void
gpt_announced_flows_free(struct gpt_announcement *a)
{
	for (size_t i = 0; i < a->n_flows; i++) {
		gk_buf_free(&a->flows[i].source.data);
		gk_buf_free(&a->flows[i].destination.data);
	}
	free(a->flows);
}

/* --- model to XML ------------------------------------------------------------------- */

static void
put_address(struct gpt_xml_out *out, const char *name, const struct gpt_id *id)
{
	struct gk_buf text = { 0 };

	if (id->type == 0)
		return;
	if (gpt_address_text(id, &text) != GK_OK ||
	    gk_buf_append(&text, (struct gk_slice){ (const uint8_t *)"", 1 }) !=
	            GK_OK)
		out->err = GK_ERR_NOMEM;
	else
		gpt_xml_put(out, name, (const char *)text.ptr);
	gk_buf_free(&text);
}

static void
put_small(struct gpt_xml_out *out, const char *name, enum gpt_registry registry,
          uint16_t value)
{
	char text[GPT_NAME_LEN];

	if (value != 0)
		gpt_xml_put(out, name, gpt_name_text(text, registry, value));
}

void
gpt_announced_flow_write(struct gpt_xml_out *out, const struct gpt_flow *f)
{
	gpt_xml_begin(out, "flow");
	put_address(out, "source", &f->source);
	put_small(out, "source-port", GPT_REGISTRY_NONE, f->source_port);
	put_address(out, "destination", &f->destination);
	put_small(out, "destination-port", GPT_REGISTRY_NONE,
	          f->destination_port);
	put_small(out, "protocol", GPT_REGISTRY_IP_PROTOCOL, f->protocol);
	gpt_xml_end(out, "flow");
}
