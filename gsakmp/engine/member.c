/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/member.h"

#include "common/crypto/gk_der.h"
#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_registry.h"

/* Of a blob: layout, identity type, flags, maybe a date, then the rest. */
#define BLOB_VERSION 2
const unsigned gsakmp_member_layout_read = BLOB_VERSION;

/* Flags of a blob. */
enum {
	NAMED = 1,     /* the Signer ID is the end of the member's name */
	HAS_DER = 2,   /* the certificate is in it */
	CHAINED = 4,   /* a number stands for the key identifiers */
	PERMITTED = 8, /* there are permissions */
	DATED = 16,    /* there is a date on which something expires */
};

static const struct {
	uint8_t type;
	enum gk_id_kind kind;
} kinds[] = {
	{ GSAKMP_ID_IPV4_ADDR, GK_ID_IPV4 },
	{ GSAKMP_ID_FQDN, GK_ID_FQDN },
	{ GSAKMP_ID_RFC822_ADDR, GK_ID_RFC822 },
	{ GSAKMP_ID_IPV6_ADDR, GK_ID_IPV6 },
	{ GSAKMP_ID_DER_ASN1_DN, GK_ID_DER_DN },
	{ GSAKMP_ID_KEY_ID, GK_ID_KEY_ID },
	{ GSAKMP_ID_U_NAME, GK_ID_U_NAME },
	{ GSAKMP_ID_DN_STRING, GK_ID_DN_STRING },
};

enum gk_id_kind
gsakmp_identity_kind(uint8_t id_type)
{
	for (size_t i = 0; i < GK_COUNT(kinds); i++)
		if (kinds[i].type == id_type)
			return kinds[i].kind;
	return GK_ID_NONE;
}

uint8_t
gsakmp_identity_type(enum gk_id_kind kind)
{
	for (size_t i = 0; i < GK_COUNT(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].type;
	return 0;
}

static enum gk_err
dn_text(struct gk_identity id, const struct gk_cert *cert, struct gk_buf *text)
{
	struct gk_dn *dn = NULL;
	enum gk_err err;

	if (cert != NULL && !gk_cert_is_raw(cert))
		err = gk_dn_from_der(gk_cert_subject(cert), &dn);
	else if (id.kind == GK_ID_DER_DN)
		err = gk_dn_from_der(id.octets, &dn);
	else
		err = gk_dn_from_string(id.octets, GK_DN_RFC4514, &dn);
	if (err == GK_OK)
		err = gk_dn_to_string(dn, GK_DN_RFC4514, text);
	gk_dn_free(dn);
	return err;
}

/* Names on the network know no letter case. */
static void
lower(struct gk_buf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->ptr[i] >= 'A' && text->ptr[i] <= 'Z')
			text->ptr[i] = (uint8_t)(text->ptr[i] | 0x20);
}

enum gk_err
gsakmp_member_key(struct gk_identity id, const struct gk_cert *cert,
                  struct gk_buf *key)
{
	bool is_dn = id.kind == GK_ID_DN_STRING || id.kind == GK_ID_DER_DN;
	struct gk_buf text = { 0 };
	enum gk_err err;

	err = is_dn ? dn_text(id, cert, &text) : gk_identity_format(id, &text);
	if (err == GK_OK && (id.kind == GK_ID_FQDN || id.kind == GK_ID_RFC822))
		lower(&text);
	if (err == GK_OK)
		err = gk_buf_copy(
			key,
			gk_slice_str(is_dn ? "dn" : gk_id_kind_name(id.kind)));
	if (err == GK_OK)
		err = gk_buf_append(key, gk_slice_str(":"));
	if (err == GK_OK)
		err = gk_buf_append(key, gk_buf_slice(&text));
	gk_buf_free(&text);
	return err;
}

enum gk_err
gsakmp_member_info_set(struct gsakmp_member_info *info, uint8_t id_type,
                       struct gk_slice signer_id, const struct gk_path *path,
                       int64_t rtj_utc)
{
	*info = (struct gsakmp_member_info){ .id_type = id_type,
		                             .rtj_utc = rtj_utc };
	GK_TRY(gk_buf_copy(&info->der, gk_cert_der(path->cert[0])));
	GK_TRY(gk_buf_copy(&info->signer_id, signer_id));
	for (size_t i = 1; i < path->n; i++) {
		GK_TRY(gk_buf_copy(&info->ca[info->n_ca],
		                   gk_cert_key_id(path->cert[i])));
		info->n_ca++;
	}
	/* The anchor is ours, and a raw key is its own. */
	for (size_t i = 1; i + 1 < path->n; i++)
		GK_TRY(gk_buf_append(&info->issuers,
		                     gk_cert_der(path->cert[i])));
	info->until = gsakmp_path_until(path);
	return GK_OK;
}

int64_t
gsakmp_after(int64_t last)
{
	return last == INT64_MAX ? last : last + 1;
}

uint32_t
gsakmp_until(uint32_t until, int64_t utc)
{
	uint32_t at = utc < 1            ? 1
	              : utc > UINT32_MAX ? UINT32_MAX
	                                 : (uint32_t)utc;

	return until == 0 || at < until ? at : until;
}

uint32_t
gsakmp_path_until(const struct gk_path *path)
{
	uint32_t until = 0;

	for (size_t i = 0; i < path->n; i++)
		if (!gk_cert_is_raw(path->cert[i]))
			until = gsakmp_until(
				until,
				gsakmp_after(gk_cert_not_after(path->cert[i])));
	return until;
}

/* The next of DER after DER; empty at the end, and when it is none. */
static struct gk_slice
take_der(struct gk_slice *rest)
{
	struct gk_slice one = { 0 };
	struct gk_rd rd;

	gk_rd_init(&rd, rest->ptr, rest->len);
	if (rest->len == 0)
		return one;
	(void)gk_der_get(&rd, GK_DER_SEQUENCE, "certificate");
	if (rd.fault.err != GK_OK)
		return one;
	one = (struct gk_slice){ rest->ptr, rest->len - gk_rd_left(&rd) };
	*rest = (struct gk_slice){ rest->ptr + one.len, gk_rd_left(&rd) };
	return one;
}

size_t
gsakmp_grants_list(struct gk_slice all, struct gk_slice *each, size_t cap)
{
	size_t n = 0;

	while (n < cap && (each[n] = take_der(&all)).len != 0)
		n++;
	return n;
}

enum gk_err
gsakmp_member_split(struct gk_slice all, struct gk_buf *der,
                    struct gk_buf *grants)
{
	struct gk_slice rest = all, leaf = take_der(&rest);

	/* What it is the reader of the certificate will say. */
	GK_TRY(gk_buf_copy(der, leaf.len != 0 ? leaf : all));
	return leaf.len != 0 ? gk_buf_copy(grants, rest) : GK_OK;
}

static bool
ends_with(struct gk_slice name, struct gk_slice end)
{
	return end.len <= name.len &&
	       gk_slice_equal((struct gk_slice){ name.ptr + name.len - end.len,
	                                         end.len },
	                      end);
}

enum gk_err
gsakmp_member_info_encode(const struct gsakmp_member_info *info,
                          struct gk_slice name, struct gk_buf *blob)
{
	size_t cap =
		64 + info->der.len + info->grants.len + info->signer_id.len;
	uint8_t flags = 0;
	struct gk_wr wr;

	for (size_t i = 0; i < info->n_ca; i++)
		cap += 2 + info->ca[i].len;
	if (ends_with(name, gk_buf_slice(&info->signer_id)) &&
	    info->signer_id.len <= UINT16_MAX)
		flags |= NAMED;
	if (info->der.len != 0)
		flags |= HAS_DER;
	if (info->chain != 0)
		flags |= CHAINED;
	if (info->permissions != 0)
		flags |= PERMITTED;
	if (info->until != 0)
		flags |= DATED;
	if (info->der.len + info->grants.len > UINT16_MAX)
		return GK_ERR_SPACE;
	GK_TRY(gk_buf_alloc(blob, cap));
	gk_wr_init(&wr, blob->ptr, blob->len);
	gk_wr_u8(&wr, BLOB_VERSION);
	gk_wr_u8(&wr, info->id_type);
	gk_wr_u8(&wr, flags);
	if (flags & DATED)
		gk_wr_u32(&wr, info->until);
	if (flags & NAMED)
		gk_wr_u16(&wr, (uint16_t)info->signer_id.len);
	else
		gk_wr_vec16(&wr, gk_buf_slice(&info->signer_id));
	if (flags & HAS_DER) {
		gk_wr_u16(&wr, (uint16_t)(info->der.len + info->grants.len));
		gk_wr_bytes(&wr, gk_buf_slice(&info->der));
		gk_wr_bytes(&wr, gk_buf_slice(&info->grants));
	}
	gk_wr_u32(&wr, (uint32_t)((uint64_t)info->rtj_utc >> 32));
	gk_wr_u32(&wr, (uint32_t)info->rtj_utc);
	if (flags & CHAINED)
		gk_wr_u16(&wr, info->chain);
	else
		gk_wr_u8(&wr, (uint8_t)info->n_ca);
	for (size_t i = 0; !(flags & CHAINED) && i < info->n_ca; i++)
		gk_wr_vec16(&wr, gk_buf_slice(&info->ca[i]));
	if (flags & PERMITTED)
		gk_wr_u16(&wr, info->permissions);
	blob->len = wr.len;
	return gk_wr_done(&wr);
}

static struct gk_slice
signer_id_of(struct gk_rd *rd, uint8_t flags, struct gk_slice name)
{
	size_t len;

	if (!(flags & NAMED))
		return gk_rd_vec16(rd, "identity");
	len = gk_rd_u16(rd, "identity");
	if (len > name.len) {
		gk_rd_fail(rd, GK_ERR_VALUE, "identity");
		return (struct gk_slice){ 0 };
	}
	return (struct gk_slice){ name.ptr + name.len - len, len };
}

static enum gk_err
authorities(struct gk_rd *rd, struct gsakmp_member_info *info)
{
	size_t n = gk_rd_u8(rd, "authorities");

	if (n > GSAKMP_MEMBER_CA_MAX)
		gk_rd_fail(rd, GK_ERR_VALUE, "authorities");
	for (; info->n_ca < n && rd->fault.err == GK_OK; info->n_ca++)
		GK_TRY(gk_buf_copy(&info->ca[info->n_ca],
		                   gk_rd_vec16(rd, "key identifier")));
	return GK_OK;
}

enum gk_err
gsakmp_member_info_decode(struct gk_slice name, struct gk_slice blob,
                          struct gsakmp_member_info *info)
{
	struct gk_slice signer_id, der = { 0 };
	struct gk_rd rd;
	uint8_t flags;
	uint64_t utc;

	*info = (struct gsakmp_member_info){ 0 };
	gk_rd_init(&rd, blob.ptr, blob.len);
	if (gk_rd_u8(&rd, "version") != BLOB_VERSION)
		gk_rd_fail(&rd, GK_ERR_VALUE, "version");
	info->id_type = gk_rd_u8(&rd, "identity type");
	flags = gk_rd_u8(&rd, "flags");
	if (flags & ~(NAMED | HAS_DER | CHAINED | PERMITTED | DATED))
		gk_rd_fail(&rd, GK_ERR_VALUE, "flags");
	if (flags & DATED)
		info->until = gk_rd_u32(&rd, "until");
	signer_id = signer_id_of(&rd, flags, name);
	if (flags & HAS_DER)
		der = gk_rd_vec16(&rd, "certificate");
	utc = (uint64_t)gk_rd_u32(&rd, "RTJ time") << 32;
	utc |= gk_rd_u32(&rd, "RTJ time");
	info->rtj_utc = (int64_t)utc;
	if (flags & CHAINED)
		info->chain = gk_rd_u16(&rd, "chain");
	else
		GK_TRY(authorities(&rd, info));
	if (flags & PERMITTED)
		info->permissions = gk_rd_u16(&rd, "permissions");
	GK_TRY(gk_rd_done(&rd));
	GK_TRY(gk_buf_copy(&info->signer_id, signer_id));
	return gsakmp_member_split(der, &info->der, &info->grants);
}

unsigned
gsakmp_member_layout(struct gk_slice blob)
{
	return blob.len != 0 ? blob.ptr[0] : 0;
}

uint32_t
gsakmp_member_until(struct gk_slice blob)
{
	struct gk_rd rd;
	uint8_t version, flags;

	gk_rd_init(&rd, blob.ptr, blob.len);
	version = gk_rd_u8(&rd, "version");
	(void)gk_rd_u8(&rd, "identity type");
	flags = gk_rd_u8(&rd, "flags");
	if (version != BLOB_VERSION || (flags & DATED) == 0)
		return 0;
	return gk_rd_u32(&rd, "until"); /* 0 when there is no more */
}

void
gsakmp_member_info_free(struct gsakmp_member_info *info)
{
	gk_buf_free(&info->der);
	gk_buf_free(&info->signer_id);
	gk_buf_free(&info->issuers);
	gk_buf_free(&info->grants);
	for (size_t i = 0; i < GSAKMP_MEMBER_CA_MAX; i++)
		gk_buf_free(&info->ca[i]);
	info->n_ca = 0;
}

void
gsakmp_member_party(const struct gsakmp_member_info *info,
                    struct gk_identity *id,
                    struct gk_slice slices[GSAKMP_MEMBER_CA_MAX],
                    struct gpt_party *out)
{
	id->kind = gsakmp_identity_kind(info->id_type);
	id->octets = gk_buf_slice(&info->signer_id);
	for (size_t i = 0; i < info->n_ca; i++)
		slices[i] = gk_buf_slice(&info->ca[i]);
	*out = (struct gpt_party){ .id = id,
		                   .ca_key_ids = slices,
		                   .n_ca_key_ids = info->n_ca,
		                   .permissions = info->permissions };
}
