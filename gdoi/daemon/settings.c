/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/daemon/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_oid.h"
#include "gdoi/payload/group_id.h"

#define DER_OBJECT 0x06
#define BODY_MAX 1024 /* octets of the body of a group's ID payload */

/* ---- dialect ------------------------------------------------------------ */

static enum gk_err
set_switch(void *dialect, const char *name, const char *value)
{
	return gdoi_dialect_set(dialect, name, value);
}

enum gk_err
gdoid_dialect_load(const struct gkd_config *config, const struct gkd_elem *elem,
                   const struct gdoi_dialect *base,
                   struct gdoi_dialect *dialect, struct gkd_why *why)
{
	const struct gkd_elem *d = gkd_elem_child(elem, "dialect");
	const char *preset;

	*dialect = base != NULL ? *base : (struct gdoi_dialect){ 0 };
	if (d == NULL)
		return GK_OK;
	preset = gkd_elem_text(d, "@preset", NULL);
	if (preset != NULL && gdoi_dialect_preset(dialect, preset) != GK_OK)
		return gkd_config_fail(config, d, why,
		                       "there is no preset '%s'", preset);
	return gkd_switches_load(config, d, set_switch, dialect, why);
}

/* ---- the group ---------------------------------------------------------- */

const char *
gdoid_group_word(const char *word)
{
	static const char prefix[] = "group=";

	if (word == NULL || strncmp(word, prefix, sizeof(prefix) - 1) != 0)
		return word;
	return word + sizeof(prefix) - 1;
}

static enum gk_err
encode(const struct gkd_config *config, const struct gkd_elem *elem,
       const struct gdoi_dialect *dialect, const struct gdoi_group_id *id,
       struct gk_buf *body, struct gkd_why *why)
{
	uint8_t octets[BODY_MAX];
	struct gk_wr wr;

	gk_wr_init(&wr, octets, sizeof(octets));
	gdoi_group_id_encode(&wr, dialect, id);
	if (gk_wr_done(&wr) != GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "'@payload' is too long");
	return gk_buf_copy(body, (struct gk_slice){ octets, wr.len });
}

enum gk_err
gdoid_group_id_make(const struct gkd_config *config,
                    const struct gkd_elem *elem,
                    const struct gdoi_dialect *dialect, uint32_t number,
                    const char *oid, struct gk_slice payload,
                    struct gk_buf *body, struct gkd_why *why)
{
	struct gdoi_group_id id = { .type = ISAKMP_ID_KEY_ID,
		                    .number = number,
		                    .payload = payload };
	uint8_t der[2 + GK_OID_MAX] = { DER_OBJECT };
	size_t len = 0;

	if (oid == NULL)
		return encode(config, elem, dialect, &id, body, why);
	if (gk_oid_parse(gk_slice_str(oid), der + 2, &len) != GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "'@oid': '%s' is not an object "
		                       "identifier",
		                       oid);
	if (!gdoi_oid_payload_fits(payload))
		return gkd_config_fail(config, elem, why,
		                       "'@payload' is not one value in DER");
	der[1] = (uint8_t)len;
	id.type = ISAKMP_ID_OID;
	id.oid = (struct gk_slice){ der, len + 2 };
	if (dialect->oid_encoding == GDOI_OID_ENCODING_CONTENT)
		id.oid = (struct gk_slice){ der + 2, len };
	return encode(config, elem, dialect, &id, body, why);
}

static enum gk_err
load_oid(const struct gkd_config *config, const struct gkd_elem *elem,
         const struct gdoi_dialect *dialect, struct gk_buf *body,
         struct gkd_why *why)
{
	struct gk_buf payload = { 0 };
	enum gk_err err;

	if (gk_unhex(&payload, gkd_elem_text(elem, "@payload", "")) != GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "'@payload' is not hexadecimal");
	err = gdoid_group_id_make(config, elem, dialect, 0,
	                          gkd_elem_text(elem, "@oid", ""),
	                          gk_buf_slice(&payload), body, why);
	gk_buf_free(&payload);
	return err;
}

enum gk_err
gdoid_group_id_load(const struct gkd_config *config,
                    const struct gkd_elem *elem,
                    const struct gdoi_dialect *dialect, struct gk_buf *body,
                    struct gkd_why *why)
{
	uint64_t n;

	*body = (struct gk_buf){ 0 };
	if (gkd_elem_has(elem, "@number") == gkd_elem_has(elem, "@oid"))
		return gkd_config_fail(config, elem, why,
		                       "either 'number' or 'oid' is needed, "
		                       "not both");
	if (gkd_elem_has(elem, "@oid"))
		return load_oid(config, elem, dialect, body, why);
	if (gkd_elem_has(elem, "@payload"))
		return gkd_config_fail(config, elem, why,
		                       "'payload' belongs to an 'oid'");
	GK_TRY(gkd_elem_uint(config, elem, "@number", 0, UINT32_MAX, 0, &n,
	                     why));
	return gdoid_group_id_make(config, elem, dialect, (uint32_t)n, NULL,
	                           (struct gk_slice){ 0 }, body, why);
}
