/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/xml/gpt_xml.h"

#define RANDOM_LEN 8
#define RANDOM_HEX_LEN 16

void
gpt_xml_group_id(struct gpt_xml_out *out, enum gpt_groupid_type type,
                 struct gk_slice value)
{
	size_t skip = type == GPT_GROUPID_UTF8 ? RANDOM_HEX_LEN : RANDOM_LEN;
	struct gk_slice tail = { value.ptr + skip, value.len - skip };
	char text[INET6_ADDRSTRLEN];

	gpt_xml_begin(out, "group-id");
	gpt_xml_put(out, "type", gpt_groupid_name(type));
	if (type == GPT_GROUPID_UTF8)
		gpt_xml_put_text(out, "random",
		                 (struct gk_slice){ value.ptr, skip });
	else if (type != GPT_GROUPID_RAW)
		gpt_xml_put_hex(out, "random",
		                (struct gk_slice){ value.ptr, skip });

	switch (type) {
	case GPT_GROUPID_UTF8:
		gpt_xml_put_text(out, "name", tail);
		break;
	case GPT_GROUPID_OCTETS:
		if (gpt_groupid_tail_printable(value))
			gpt_xml_put_text(out, "name", tail);
		else
			gpt_xml_put_hex(out, "octets", tail);
		break;
	case GPT_GROUPID_IPV4:
	case GPT_GROUPID_IPV6:
		if (inet_ntop(type == GPT_GROUPID_IPV4 ? AF_INET : AF_INET6,
		              tail.ptr, text, sizeof(text)))
			gpt_xml_put(out, "address", text);
		break;
	case GPT_GROUPID_RAW:
		gpt_xml_put_hex(out, "octets", value);
		break;
	}
	gpt_xml_end(out, "group-id");
}

/* The attributes of the element, all of them optional in the schema. */
struct attrs {
	char *type, *random, *name, *address, *octets;
};

/* Which attributes a type wants; the others must be absent. */
static enum gk_err
attrs_check(const xmlNode *node, const struct attrs *a,
            enum gpt_groupid_type type, struct gpt_fault *why)
{
	bool random = type != GPT_GROUPID_RAW;
	bool name = type == GPT_GROUPID_UTF8 ||
	            (type == GPT_GROUPID_OCTETS && !a->octets);
	bool octets = type == GPT_GROUPID_RAW ||
	              (type == GPT_GROUPID_OCTETS && !a->name);
	bool address = type == GPT_GROUPID_IPV4 || type == GPT_GROUPID_IPV6;
	const struct {
		const char *attr;
		bool wanted, there;
	} checks[] = {
		{ "random", random, a->random },
		{ "name", name, a->name },
		{ "octets", octets, a->octets },
		{ "address", address, a->address },
	};

	for (size_t i = 0; i < GK_COUNT(checks); i++) {
		if (checks[i].wanted && !checks[i].there)
			return gpt_xml_refuse(
				node, why, "type %s needs the attribute %s",
				gpt_groupid_name(type),
				type == GPT_GROUPID_OCTETS && i > 0
					? "name or octets"
					: checks[i].attr);
		if (!checks[i].wanted && checks[i].there)
			return gpt_xml_refuse(
				node, why, "type %s has no attribute %s%s",
				gpt_groupid_name(type), checks[i].attr,
				a->name && a->octets ? " beside name" : "");
	}
	return GK_OK;
}

static enum gk_err
random_part(const struct attrs *a, enum gpt_groupid_type type,
            struct gk_buf *value)
{
	struct gk_buf octets = { 0 };
	enum gk_err err;

	if (type == GPT_GROUPID_RAW)
		return GK_OK;
	if (type == GPT_GROUPID_UTF8)
		return gk_buf_append(value, gk_slice_str(a->random));
	GK_TRY(gk_unhex(&octets, a->random));
	err = gk_buf_append(value, gk_buf_slice(&octets));
	gk_buf_free(&octets);
	return err;
}

static enum gk_err
named_part(const struct attrs *a, enum gpt_groupid_type type,
           struct gk_buf *value)
{
	uint8_t ip[16];
	struct gk_buf octets = { 0 };
	enum gk_err err;

	if (a->name)
		return gk_buf_append(value, gk_slice_str(a->name));
	if (a->address) {
		bool v4 = type == GPT_GROUPID_IPV4;

		if (inet_pton(v4 ? AF_INET : AF_INET6, a->address, ip) != 1)
			return GK_ERR_VALUE;
		return gk_buf_append(value,
		                     (struct gk_slice){ ip, v4 ? 4 : 16 });
	}
	GK_TRY(gk_unhex(&octets, a->octets));
	err = gk_buf_append(value, gk_buf_slice(&octets));
	gk_buf_free(&octets);
	return err;
}

static enum gk_err
parse(const xmlNode *node, const struct attrs *a, enum gpt_groupid_type *type,
      struct gk_buf *value, struct gpt_fault *why)
{
	enum gk_err err;

	if (!a->type || !gpt_groupid_from_name(a->type, type))
		return gpt_xml_refuse(node, why, "no type of a GroupID");
	GK_TRY(attrs_check(node, a, *type, why));
	GK_TRY(random_part(a, *type, value));
	err = named_part(a, *type, value);
	if (err == GK_ERR_VALUE && a->address)
		return gpt_xml_refuse(node, why, "'%s' is not an %s address",
		                      a->address, a->type);
	GK_TRY(err);
	if (!gpt_groupid_fits(*type, gk_buf_slice(value)))
		return gpt_xml_refuse(
			node, why,
			"not a GroupID of type %s: name empty, too "
			"long or not text",
			a->type);
	return GK_OK;
}

enum gk_err
gpt_xml_group_id_parse(const xmlNode *node, enum gpt_groupid_type *type,
                       struct gk_buf *value, struct gpt_fault *why)
{
	struct attrs a = {
		.type = gpt_xml_attr(node, "type"),
		.random = gpt_xml_attr(node, "random"),
		.name = gpt_xml_attr(node, "name"),
		.address = gpt_xml_attr(node, "address"),
		.octets = gpt_xml_attr(node, "octets"),
	};
	enum gk_err err = parse(node, &a, type, value, why);

	free(a.type);
	free(a.random);
	free(a.name);
	free(a.address);
	free(a.octets);
	if (err != GK_OK)
		gk_buf_free(value);
	return err;
}
