/* SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/c14n.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/der/gpt_signed.h"
#include "policy-tokens/xml/gpt_announcement_impl.h"
#include "policy-tokens/xml/gpt_base64.h"

/* What is signed: the exclusive canonical XML, without comments, of the one
 * element, as if it were a document of its own. */
static enum gk_err
canonical(const xmlNode *node, struct gk_buf *out)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *copy =
		doc ? xmlDocCopyNode((xmlNode *)(uintptr_t)node, doc, 1) : NULL;
	xmlChar *text = NULL;
	enum gk_err err = GK_ERR_NOMEM;
	int n;

	if (copy) {
		(void)xmlDocSetRootElement(doc, copy);
		n = xmlC14NDocDumpMemory(doc, NULL, XML_C14N_EXCLUSIVE_1_0,
		                         NULL, 0, &text);
		if (n > 0)
			err = gk_buf_copy(out,
			                  (struct gk_slice){ text, (size_t)n });
		xmlFree(text);
	}
	if (doc)
		xmlFreeDoc(doc);
	return err;
}

static enum gk_err
append(struct gk_buf *out, const char *text)
{
	return gk_buf_append(out, gk_slice_str(text));
}

static enum gk_err
assemble(struct gk_slice announcement, struct gk_slice cms, struct gk_buf *out)
{
	struct gk_buf base64 = { 0 };
	enum gk_err err;

	GK_TRY(append(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	                   "<signed-announcement>\n"));
	GK_TRY(gk_buf_append(out, announcement));
	GK_TRY(append(out, "\n<signature>"));
	err = gpt_base64_encode(cms, &base64);
	if (err == GK_OK)
		err = gk_buf_append(out, gk_buf_slice(&base64));
	gk_buf_free(&base64);
	GK_TRY(err);
	return append(out, "</signature>\n</signed-announcement>\n");
}

static enum gk_err
sign(struct gk_slice content, const struct gk_signer *signer,
     const struct gk_certs *chain, int64_t signing_time, struct gk_buf *out,
     struct gpt_fault *why)
{
	struct gk_certs extra = { 0 };
	const struct gk_cms_signing signing = {
		.signer = signer,
		.alg = gk_pubkey_default_alg(gk_signer_pubkey(signer)),
		.cert = chain->cert[0],
		.extra = &extra,
		.content_type = GPT_OID_ANNOUNCEMENT,
		.signing_time = signing_time,
		.flags = GK_CMS_DETACHED,
	};
	struct gk_buf cms = { 0 };
	enum gk_err err = gpt_signed_extra(chain, &extra);

	if (err == GK_OK)
		err = gk_cms_sign(&signing, content, &cms);
	gk_certs_free(&extra);
	if (err != GK_OK)
		return gpt_fault_set(why, err, NULL, "<signature>",
		                     "cannot sign: %s", gk_strerror(err));
	err = assemble(content, gk_buf_slice(&cms), out);
	gk_buf_free(&cms);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}

enum gk_err
gpt_announcement_sign(struct gk_slice xml, const struct gk_signer *signer,
                      const struct gk_certs *chain, int64_t signing_time,
                      struct gk_buf *out, struct gpt_fault *why)
{
	struct gpt_announcement *model = NULL;
	struct gk_buf content = { 0 };
	const xmlNode *root;
	xmlDoc *doc;
	enum gk_err err;

	GK_TRY(gpt_xml_load(xml, GPT_XML_ANNOUNCEMENT, &doc, why));
	root = xmlDocGetRootElement(doc);
	if (!gpt_xml_is(root, "announcement"))
		err = gpt_xml_refuse(root, why, "is signed already");
	else
		err = gpt_announcement_read(root, &model, why);
	gpt_announcement_free(model);
	if (err == GK_OK)
		err = canonical(root, &content);
	if (err == GK_OK)
		err = sign(gk_buf_slice(&content), signer, chain, signing_time,
		           out, why);
	gk_buf_free(&content);
	gpt_xml_free(doc);
	return err;
}

/* The CMS octets of the <signature> element. */
static enum gk_err
signature(const xmlNode *root, struct gk_buf *cms, struct gpt_fault *why)
{
	const xmlNode *node = gpt_xml_first(root, "signature");
	char *text = gpt_xml_content(node);
	enum gk_err err = text ? gpt_base64_decode(text, cms) : GK_ERR_NOMEM;

	free(text);
	if (err == GK_ERR_VALUE)
		return gpt_xml_refuse(node, why, "the content is not base64");
	return err;
}

static enum gk_err
verify(const xmlNode *root, const struct gpt_owner *owner, int64_t now,
       struct gk_buf *cms_der, struct gk_buf *content, struct gpt_fault *why)
{
	struct gk_slice signed_octets;
	struct gk_cms cms;

	if (!gpt_xml_is(root, "signed-announcement"))
		return gpt_xml_refuse(root, why, "is not signed");
	GK_TRY(canonical(gpt_xml_first(root, "announcement"), content));
	GK_TRY(signature(root, cms_der, why));
	signed_octets = gk_buf_slice(content);
	return gpt_signed_verify(gk_buf_slice(cms_der), GPT_OID_ANNOUNCEMENT,
	                         &signed_octets, owner, now, &cms, NULL, why);
}

static enum gk_err
usable(const struct gpt_announcement *a, const struct gpt_owner *owner,
       int64_t now, struct gpt_fault *why)
{
	if (now > a->not_after)
		return gpt_fault_set(why, GK_ERR_POLICY, NULL, "<announcement>",
		                     "not to be used any more: not-after is "
		                     "past");
	if (owner->group_name.len > 0 &&
	    !gk_slice_equal(owner->group_name, gk_buf_slice(&a->group)))
		return gpt_fault_set(why, GK_ERR_POLICY, NULL, "<group-id>",
		                     "the announcement of another group");
	return GK_OK;
}

enum gk_err
gpt_announcement_load_verified(struct gk_slice xml,
                               const struct gpt_owner *owner, int64_t now,
                               struct gpt_announcement **out,
                               struct gpt_fault *why)
{
	struct gk_buf cms = { 0 }, content = { 0 };
	struct gpt_announcement *a = NULL;
	const xmlNode *root;
	xmlDoc *doc;
	enum gk_err err;

	if (owner->cap > 0 && xml.len > owner->cap)
		return gpt_fault_set(why, GK_ERR_SPACE, NULL, NULL,
		                     "%zu octets, more than the %zu accepted",
		                     xml.len, owner->cap);
	GK_TRY(gpt_xml_load(xml, GPT_XML_ANNOUNCEMENT, &doc, why));
	root = xmlDocGetRootElement(doc);
	err = verify(root, owner, now, &cms, &content, why);
	if (err == GK_OK)
		err = gpt_announcement_read(gpt_xml_first(root, "announcement"),
		                            &a, why);
	if (err == GK_OK)
		err = usable(a, owner, now, why);
	gk_buf_free(&cms);
	gk_buf_free(&content);
	gpt_xml_free(doc);
	if (err != GK_OK) {
		gpt_announcement_free(a);
		return err;
	}
	*out = a;
	return GK_OK;
}
