/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_private.h"

/*
 * NAT traversal: RFC 3947 sections 3, 4 and 7, RFC 3948 sections 2.2 and 4.
 *
 * What is found out here is not authenticated: a liar can make an SA move to
 * another port, and no more.
 */
static const uint8_t natt_vendor[] = { 0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03,
	                               0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2,
	                               0x0e, 0x95, 0x45, 0x2f };
/* RFC 3706 section 5.1; the last two octets are the version. */
static const uint8_t dpd_vendor[] = { 0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1,
	                              0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc,
	                              0x77, 0x57, 0x01, 0x00 };
#define DPD_VENDOR_NAME_LEN 14

/* ---- the port of 4500 --------------------------------------------------- */

enum ike_natt_kind
ike_natt_open(struct gk_slice *dgram)
{
	static const uint8_t marker[IKE_MARKER_LEN];

	if (dgram->len == 1 && dgram->ptr[0] == 0xff)
		return IKE_NATT_KEEPALIVE;
	if (dgram->len < sizeof(marker) ||
	    (memcmp(dgram->ptr, marker, sizeof(marker)) != 0 &&
	     GK_CHECKED("RFC3947-4-04")))
		return IKE_NATT_ESP;
	dgram->ptr += sizeof(marker);
	dgram->len -= sizeof(marker);
	return IKE_NATT_ISAKMP;
}

/* ---- what the peer can -------------------------------------------------- */

/* Our own address has to be known to be hashed.  An initiator whose owner leaves
 * the choice to the routing table learns it from the first answer. */
static void
learn_local(struct ike_input *in)
{
	struct ike_address *local = &in->ike->path.local;

	if (local->ip_len != 0)
		return;
	memcpy(local->ip, in->path->local.ip, sizeof(local->ip));
	local->ip_len = in->path->local.ip_len;
}

void
ike_vendors_write(const struct ike *ike, struct ike_message *m)
{
	if (ike->cfg.natt)
		ike_message_octets(
			m, ISAKMP_PAYLOAD_VENDOR_ID,
			(struct gk_slice){ natt_vendor, sizeof(natt_vendor) });
	ike_message_octets(m, ISAKMP_PAYLOAD_VENDOR_ID,
	                   (struct gk_slice){ dpd_vendor, sizeof(dpd_vendor) });
}

/* RFC2408-5.16-01: vendors that we do not know are passed over. */
void
ike_vendors_read(struct ike_input *in)
{
	struct ike *ike = in->ike;

	learn_local(in);
	for (size_t i = 0; i < in->chain.n; i++) {
		struct gk_slice id = in->chain.item[i].generic.body;

		if (in->chain.item[i].type != ISAKMP_PAYLOAD_VENDOR_ID)
			continue;
		if (id.len == sizeof(natt_vendor) &&
		    memcmp(id.ptr, natt_vendor, id.len) == 0)
			ike->nat.agreed =
				ike->cfg.natt && ike->path.local.ip_len != 0;
		if (id.len == sizeof(dpd_vendor) &&
		    memcmp(id.ptr, dpd_vendor, DPD_VENDOR_NAME_LEN) == 0)
			ike->dpd.peer_can = true;
	}
}

/* ---- NAT-D -------------------------------------------------------------- */

static enum gk_err
natd(const struct ike *ike, const struct ike_address *a,
     uint8_t out[GK_HASH_MAX])
{
	const uint8_t port[] = { (uint8_t)(a->port >> 8), (uint8_t)a->port };
	const struct gk_slice parts[] = {
		{ ike->cookie_i, ISAKMP_COOKIE_LEN },
		{ ike->cookie_r, ISAKMP_COOKIE_LEN },
		{ a->ip, a->ip_len },
		{ port, sizeof(port) },
	};

	return gk_hash(ike_suite_hash(&ike->suite), parts, GK_COUNT(parts),
	               out);
}

enum gk_err
ike_natd_write(const struct ike *ike, const struct ike_path *path,
               struct ike_message *m)
{
	uint8_t hash[GK_HASH_MAX];
	struct gk_slice s = { hash, gk_hash_size(ike_suite_hash(&ike->suite)) };

	if (!ike->nat.agreed && GK_CHECKED("RFC3947-3.1-01"))
		return GK_OK;
	/* The first is that of the other end. */
	GK_TRY(natd(ike, &path->peer, hash));
	ike_message_octets(m, ISAKMP_PAYLOAD_NAT_D, s);
	GK_TRY(natd(ike, &path->local, hash));
	ike_message_octets(m, ISAKMP_PAYLOAD_NAT_D, s);
	return GK_OK;
}

enum gk_err
ike_natd_read(struct ike_input *in)
{
	struct ike *ike = in->ike;
	uint8_t here[GK_HASH_MAX], there[GK_HASH_MAX];
	size_t len = gk_hash_size(ike_suite_hash(&ike->suite)), n = 0;
	bool here_ok = false, there_ok = false;

	if (!ike->nat.agreed && GK_CHECKED("RFC3947-3.1-01"))
		return GK_OK;
	GK_TRY(natd(ike, &in->path->local, here));
	GK_TRY(natd(ike, &in->path->peer, there));
	for (size_t i = 0; i < in->chain.n; i++) {
		struct gk_slice body = in->chain.item[i].generic.body;

		if (in->chain.item[i].type != ISAKMP_PAYLOAD_NAT_D)
			continue;
		if (body.len == len && n == 0)
			here_ok = memcmp(body.ptr, here, len) == 0;
		else if (body.len == len)
			there_ok =
				there_ok || memcmp(body.ptr, there, len) == 0;
		n++;
	}
	/* A peer that can and says nothing has not looked. */
	ike->nat.here = n > 1 && !here_ok;
	ike->nat.there = n > 1 && !there_ok;
	return GK_OK;
}

/* The initiator moves as soon as it knows; what began there is there. */
void
ike_natt_float(struct ike *ike, struct gk_now now)
{
	if (!ike->nat.here && !ike->nat.there)
		return;
	if (ike->path.peer.port != ike->cfg.natt_port) {
		ike->path.local.port = ike->cfg.natt_port;
		ike->path.peer.port = ike->cfg.natt_port;
	}
	ike_keepalive_later(ike, now);
}

bool
ike_nat_here(const struct ike *ike)
{
	return ike->nat.here;
}

bool
ike_nat_there(const struct ike *ike)
{
	return ike->nat.there;
}

/* ---- keeping the way open ----------------------------------------------- */

/* RFC 3948 section 4: only when nothing else has gone that way meanwhile. */
void
ike_keepalive_later(struct ike *ike, struct gk_now now)
{
	ike->nat.keepalive_at =
		ike->nat.here && ike->path.local.port == ike->cfg.natt_port
			? now.mono_ms + 1000 * (uint64_t)ike->cfg.keepalive_s
			: GK_NEVER;
}

enum gk_err
ike_keepalive(struct ike *ike, struct gk_now now)
{
	static const uint8_t octet = 0xff;
	struct ike_queued *q = ike_queue(ike, IKE_OUT_KEEPALIVE);

	ike_keepalive_later(ike, now);
	if (q == NULL)
		return GK_ERR_NOMEM;
	return gk_buf_copy(&q->dgram, (struct gk_slice){ &octet, 1 });
}

static bool
same(const struct ike_address *a, const struct ike_address *b)
{
	return a->port == b->port && a->ip_len == b->ip_len &&
	       memcmp(a->ip, b->ip, a->ip_len) == 0;
}

/*
 * Section 7: who is not behind a NAT follows the peer that is; the other way
 * round would let anybody between the two lead it away.  What comes to the port
 * that the SA has left is old, and moves nothing (section 4).
 */
void
ike_heard(struct ike *ike, const struct ike_path *path, struct gk_now now)
{
	if (ike->state != IKE_ESTABLISHED)
		return;
	ike_dpd_heard(ike, now);
	if (!ike->nat.there || (ike->nat.here && GK_CHECKED("RFC3947-7-02")) ||
	    path->local.port != ike->path.local.port ||
	    same(&ike->path.peer, &path->peer))
		return;
	ike->path = *path;
	(void)ike_queue(ike, IKE_OUT_MOVED);
}
