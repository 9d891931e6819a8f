/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/endpoint.h"

#include <string.h>

#include "common/base/gk_check.h"

#include "gdoi/isakmp/identification.h"

void
gdoi_endpoints_decode(struct gk_rd *rd, const struct gdoi_dialect *dialect,
                      struct gdoi_endpoints *ep)
{
	size_t len;

	*ep = (struct gdoi_endpoints){ .at = gk_rd_offset(rd) };
	ep->protocol = gk_rd_u8(rd, "Protocol");
	ep->src.type = gk_rd_u8(rd, "SRC ID Type");
	ep->src.port = gk_rd_u16(rd, "SRC ID Port");
	len = gk_rd_u8(rd, "SRC ID Data Len");
	ep->src.data = gk_rd_bytes(rd, len, "SRC Identification Data");
	ep->dst.type = gk_rd_u8(rd, "DST ID Type");
	if (dialect->id_prot_octet == GDOI_ID_PROT_OCTET_TEXT)
		(void)gk_rd_u8(rd, "DST ID Prot");
	ep->dst.port = gk_rd_u16(rd, "DST ID Port");
	len = gk_rd_u8(rd, "DST ID Data Len");
	ep->dst.data = gk_rd_bytes(rd, len, "DST Identification Data");
}

void
gdoi_endpoints_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                      const struct gdoi_endpoints *ep)
{
	gk_wr_u8(wr, ep->protocol);
	gk_wr_u8(wr, ep->src.type);
	gk_wr_u16(wr, ep->src.port);
	gk_wr_u8(wr, (uint8_t)ep->src.data.len);
	gk_wr_bytes(wr, ep->src.data);
	gk_wr_u8(wr, ep->dst.type);
	if (dialect->id_prot_octet == GDOI_ID_PROT_OCTET_TEXT)
		gk_wr_u8(wr, ep->protocol);
	gk_wr_u16(wr, ep->dst.port);
	gk_wr_u8(wr, (uint8_t)ep->dst.data.len);
	gk_wr_bytes(wr, ep->dst.data);
}

bool
gdoi_endpoint_is_any(const struct gdoi_endpoint *e)
{
	for (size_t i = 0; i < e->data.len; i++)
		if (e->data.ptr[i] != 0)
			return false;
	return e->data.len == 0 || e->data.len == 3;
}

static bool
fits(const struct gdoi_endpoint *e)
{
	size_t want = isakmp_identification_length(e->type);

	return want == 0 ? e->data.len != 0 : e->data.len == want;
}

/* RFC2407-4.6.2.3-01, 4.6.2.4-01: a name has no terminator. */
static enum gk_err
name_check(const struct gdoi_endpoint *e, const char *field, size_t at,
           struct isakmp_reject *why)
{
	const char *req = e->type == ISAKMP_ID_FQDN ? "RFC2407-4.6.2.3-01"
	                  : e->type == ISAKMP_ID_USER_FQDN
	                          ? "RFC2407-4.6.2.4-01"
	                          : NULL;

	if (req == NULL || e->data.len == 0 ||
	    memchr(e->data.ptr, '\0', e->data.len) == NULL || !GK_CHECKED(req))
		return GK_OK;
	return isakmp_refuse(why, GK_ERR_VALUE,
	                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION, req, field,
	                     at);
}

enum gk_err
gdoi_endpoints_check(const struct gdoi_endpoints *ep, bool any_source,
                     const char *req, struct isakmp_reject *why)
{
	bool any = any_source && gdoi_endpoint_is_any(&ep->src);

	if (!any && !isakmp_code_known(ISAKMP_TABLE_ID, ep->src.type) &&
	    GK_CHECKED(req))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION, req,
		                     "SRC ID Type", ep->at + 1);
	if (!any && !fits(&ep->src) && GK_CHECKED(req))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION, req,
		                     "SRC ID Data Len", ep->at + 4);
	if (!isakmp_code_known(ISAKMP_TABLE_ID, ep->dst.type) &&
	    GK_CHECKED(req))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
			req, "DST ID Type", ep->at + 5 + ep->src.data.len);
	if (!fits(&ep->dst) && GK_CHECKED(req))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
			req, "DST ID Data Len", ep->at + 8 + ep->src.data.len);
	if (!any)
		GK_TRY(name_check(&ep->src, "SRC Identification Data",
		                  ep->at + 5, why));
	return name_check(&ep->dst, "DST Identification Data",
	                  ep->at + 9 + ep->src.data.len, why);
}

struct gk_slice
gdoi_endpoint_turn(const struct gdoi_dialect *dialect,
                   const struct gdoi_endpoint *endpoint,
                   uint8_t out[GDOI_ENDPOINT_MAX])
{
	size_t len = isakmp_identification_length(endpoint->type);

	if (dialect->sat_address_order == GDOI_SAT_ADDRESS_ORDER_NETWORK ||
	    len == 0 || len > GDOI_ENDPOINT_MAX || endpoint->data.len != len)
		return endpoint->data;
	for (size_t i = 0; i < len; i++) /* word by word */
		out[i] = endpoint->data.ptr[(i & ~(size_t)3) + 3 - i % 4];
	return (struct gk_slice){ out, len };
}
