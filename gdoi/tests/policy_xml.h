/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_POLICY_XML_H
#define GDOI_TESTS_POLICY_XML_H

#include "gdoi/engine/policy.h"
#include "policy-tokens/token/gpt_token.h"
#include "policy-tokens/xml/gpt_policy.h"

/* A policy for tests: its varying parts as XML. */
struct policy_xml {
	const char *group;   /* <group .../> and what may stand beside it */
	const char *access;  /* children of <access-control> */
	const char *senders; /* NULL: all */
	const char *phase1;  /* <phase1 .../> ..., or NULL */
	const char *rekey;   /* children of <rekey><gdoi>; NULL: no rekey */
	const char *data;    /* <data> ... </data> ... */
};

#define POLICY_XML_GROUP "<group number=\"4660\"/>"
#define POLICY_XML_ACCESS "<rule type=\"ipv4\" ca=\"\">192.0.2.*</rule>"
#define POLICY_XML_REKEY                                             \
	"<push source=\"192.0.2.1\" destination=\"239.1.1.1\"/>"     \
	"<kek algorithm=\"aes\" key-length=\"128\" lifetime=\"1d\" " \
	"lkh-degree=\"2\"/>"                                         \
	"<signature algorithm=\"rsa\" hash=\"sha256\" key-length=\"2048\"/>"
#define POLICY_XML_DATA                                                     \
	"<data><ipsec><sa transform=\"aes-cbc\" key-length=\"128\" "        \
	"authentication=\"hmac-sha2-256\"><traffic source=\"10.0.0.0/8\" "  \
	"destination=\"239.192.0.1\"/><lifetime time=\"1h\"/></sa></ipsec>" \
	"</data>"

static inline void
policy_xml_text(const struct policy_xml *x, char *out, size_t cap)
{
	(void)snprintf(
		out, cap,
		"<policy><group-id type=\"octet-string\" "
		"random=\"3042c2546fdb347c\" name=\"vpn\"/><registration>"
		"<register><gdoi>%s<gcks><entity type=\"fqdn\" ca=\"\">"
		"gcks.example.org</entity></gcks><senders>%s</senders>"
		"<access-control>%s</access-control>%s</gdoi></register>"
		"<de-register><none/></de-register></registration>%s%s%s%s"
		"</policy>",
		x->group ? x->group : POLICY_XML_GROUP,
		x->senders ? x->senders : "<all/>",
		x->access ? x->access : POLICY_XML_ACCESS,
		x->phase1 ? x->phase1 : "", x->rekey ? "<rekey><gdoi>" : "",
		x->rekey ? x->rekey : "", x->rekey ? "</gdoi></rekey>" : "",
		x->data ? x->data : POLICY_XML_DATA);
}

/* policy_xml_new - GK_OK, or GK_ERR_POLICY with @why; XML that the schema refuses
 * is a fault of the test: GK_ERR_VALUE. */
static inline enum gk_err
policy_xml_new(const struct policy_xml *x, bool legacy_ok,
               const struct gdoi_dialect *dialect, struct gdoi_policy **policy,
               char why[256])
{
	struct gpt_fault fault = { 0 };
	struct gpt_token *token;
	char text[8192];
	enum gk_err err;

	policy_xml_text(x, text, sizeof(text));
	err = gpt_policy_parse(gk_slice_str(text), &token, NULL, &fault);
	if (err != GK_OK) {
		(void)snprintf(why, 256, "%.100s: %.150s", fault.field,
		               fault.text);
		return err;
	}
	err = gdoi_policy_new(
		token, -1,
		&(struct gdoi_policy_able){ .legacy_ok = legacy_ok,
	                                    .dialect = dialect },
		policy, why);
	if (err != GK_OK)
		gpt_token_free(token);
	return err;
}

#endif /* GDOI_TESTS_POLICY_XML_H */
