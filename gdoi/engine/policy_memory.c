/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_trust.h"
#include "gdoi/engine/policy.h"

/*
 * A peer that is to be judged again, by a later policy, when its certificate is
 * no longer at hand.
 *
 *     kind (1) | identity (2 + n) | names (1) { kind | identity } |
 *     authorities (1) { key identifier (2 + n) }
 *
 * A certificate with more names than fit is not remembered: an exclusion by one
 * that was left out would be missed.
 */
#define NAMES_MAX 32

static void
write_id(struct gk_wr *wr, struct gk_identity id)
{
	gk_wr_u8(wr, (uint8_t)id.kind);
	gk_wr_vec16(wr, id.octets);
}

/* The subject in both its forms, and each alternative name. */
static enum gk_err
names_of(const struct gk_cert *cert, struct gk_identity name[NAMES_MAX],
         size_t *n, struct gk_buf *subject)
{
	static const enum gk_id_kind kinds[] = {
		[GK_SAN_DNS] = GK_ID_FQDN,
		[GK_SAN_RFC822] = GK_ID_RFC822,
		[GK_SAN_IP] = GK_ID_IPV4,
	};
	struct gk_san san;
	enum gk_err err =
		gk_identity_of_cert(cert, GK_ID_DN_STRING,
	                            GK_DN_COMPARE_RFC4514, subject, &name[*n]);

	if (err == GK_ERR_NOMEM)
		return err;
	if (err == GK_OK)
		(*n)++;
	name[(*n)++] =
		(struct gk_identity){ GK_ID_DER_DN, gk_cert_subject(cert) };
	for (size_t i = 0; gk_cert_san(cert, i, &san); i++) {
		if (*n == NAMES_MAX)
			return GK_ERR_SPACE;
		name[(*n)++] = (struct gk_identity){
			san.kind == GK_SAN_IP && san.value.len == 16
				? GK_ID_IPV6
				: kinds[san.kind],
			san.value
		};
	}
	return GK_OK;
}

static enum gk_err
write_peer(struct gk_wr *wr, const struct gdoi_peer *peer,
           const struct gk_identity *name, size_t n)
{
	size_t n_ca = peer->n_certs > 1 ? peer->n_certs - 1 : 0;

	write_id(wr, *peer->id);
	gk_wr_u8(wr, (uint8_t)n);
	for (size_t i = 0; i < n; i++)
		write_id(wr, name[i]);
	if (n_ca > GK_PATH_MAX)
		n_ca = GK_PATH_MAX;
	gk_wr_u8(wr, (uint8_t)n_ca);
	for (size_t i = 1; i <= n_ca; i++)
		gk_wr_vec16(wr, gk_cert_key_id(peer->certs[i]));
	return gk_wr_done(wr);
}

enum gk_err
gdoi_peer_remember(const struct gdoi_peer *peer, struct gk_buf *octets)
{
	struct gk_identity name[NAMES_MAX];
	uint8_t room[GDOI_PEER_MEMORY_MAX];
	struct gk_buf subject = { 0 };
	struct gk_wr wr;
	enum gk_err err = GK_OK;
	size_t n = 0;

	if (peer->n_certs > 0)
		err = names_of(peer->certs[0], name, &n, &subject);
	gk_wr_init(&wr, room, sizeof(room));
	if (err == GK_OK)
		err = write_peer(&wr, peer, name, n);
	if (err == GK_OK)
		err = gk_buf_copy(octets, (struct gk_slice){ room, wr.len });
	gk_buf_free(&subject);
	return err;
}

static struct gk_identity
read_id(struct gk_rd *rd)
{
	struct gk_identity id;

	id.kind = (enum gk_id_kind)gk_rd_u8(rd, "kind");
	id.octets = gk_rd_vec16(rd, "identity");
	return id;
}

bool
gdoi_policy_admits_again(const struct gdoi_policy *policy,
                         struct gk_slice octets)
{
	struct gk_identity name[NAMES_MAX], id;
	struct gk_slice ca[GK_PATH_MAX];
	struct gdoi_peer peer = { .id = &id, .names = name, .ca_key_ids = ca };
	struct gk_rd rd;

	gk_rd_init(&rd, octets.ptr, octets.len);
	id = read_id(&rd);
	peer.n_names = gk_rd_u8(&rd, "names");
	if (peer.n_names > NAMES_MAX)
		return false;
	for (size_t i = 0; i < peer.n_names; i++)
		name[i] = read_id(&rd);
	peer.n_ca_key_ids = gk_rd_u8(&rd, "authorities");
	if (peer.n_ca_key_ids > GK_PATH_MAX)
		return false;
	for (size_t i = 0; i < peer.n_ca_key_ids; i++)
		ca[i] = gk_rd_vec16(&rd, "authority");
	return gk_rd_done(&rd) == GK_OK && gdoi_policy_admits(policy, &peer);
}
