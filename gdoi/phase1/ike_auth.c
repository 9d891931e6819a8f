/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_private.h"

/*
 * ID, HASH, SIG and CERT: RFC 2409 sections 5, 5.1 and 5.4, RFC 2407 section
 * 4.6.2, RFC 6407 section 3.1.
 */
#define UDP 17

static const struct {
	uint8_t type;
	enum gk_id_kind kind;
} kinds[] = {
	{ ISAKMP_ID_IPV4_ADDR, GK_ID_IPV4 },
	{ ISAKMP_ID_IPV6_ADDR, GK_ID_IPV6 },
	{ ISAKMP_ID_FQDN, GK_ID_FQDN },
	{ ISAKMP_ID_USER_FQDN, GK_ID_RFC822 },
	{ ISAKMP_ID_DER_ASN1_DN, GK_ID_DER_DN },
	{ ISAKMP_ID_KEY_ID, GK_ID_KEY_ID },
};

struct gk_identity
ike_id_identity(struct gk_slice body)
{
	struct gk_identity id = { GK_ID_NONE, { 0 } };

	for (size_t i = 0; body.len > 4 && i < GK_COUNT(kinds); i++)
		if (kinds[i].type == body.ptr[0]) {
			id.kind = kinds[i].kind;
			id.octets =
				(struct gk_slice){ body.ptr + 4, body.len - 4 };
		}
	return id;
}

/* Switch p1_id_port. */
static void
own_port(const struct gdoi_dialect *dialect, struct isakmp_identification *id)
{
	static const uint16_t port[] = {
		[GDOI_P1_ID_PORT_17_500] = 500,
		[GDOI_P1_ID_PORT_17_848] = 848,
	};

	if (dialect->p1_id_port == GDOI_P1_ID_PORT_0_0)
		return;
	id->protocol = UDP;
	if (dialect->p1_id_port < GK_COUNT(port))
		id->port = port[dialect->p1_id_port];
}

enum gk_err
ike_id_make(struct ike *ike)
{
	struct isakmp_identification id = { .data = ike->cfg.id.octets };
	struct gk_wr wr;

	for (size_t i = 0; i < GK_COUNT(kinds); i++)
		if (kinds[i].kind == ike->cfg.id.kind)
			id.type = kinds[i].type;
	if (id.type == 0)
		return GK_ERR_VALUE;
	own_port(&ike->dialect, &id);
	/* RFC 3947 section 4 */
	if (ike->cfg.natt)
		id.port = 0;
	GK_TRY(gk_buf_alloc(&ike->own_id, 4 + id.data.len));
	gk_wr_init(&wr, ike->own_id.ptr, ike->own_id.len);
	isakmp_identification_encode(&wr, &id);
	return gk_wr_done(&wr);
}

/* Switch p1_id_port_accept; RFC2407-4.6.2-02, -03: zero in both, or UDP and one
 * of its ports. */
static bool
port_fits(const struct gdoi_dialect *dialect,
          const struct isakmp_identification *id)
{
	if (dialect->p1_id_port_accept == GDOI_P1_ID_PORT_ACCEPT_ANY)
		return true;
	if (id->protocol == 0)
		return id->port == 0;
	if (id->protocol != UDP)
		return false;
	switch (id->port) {
	case 0:
		return true;
	case 500:
		return dialect->p1_id_port_accept != GDOI_P1_ID_PORT_ACCEPT_0;
	case 848:
		return dialect->p1_id_port_accept ==
		       GDOI_P1_ID_PORT_ACCEPT_0_500_848;
	default:
		return false;
	}
}

static enum gk_err
bad_id(struct ike_input *in, enum gk_err err, const char *req,
       const char *field, size_t at)
{
	return ike_refuse(in, err, ISAKMP_NOTIFY_INVALID_ID_INFORMATION, req,
	                  field, at);
}

enum gk_err
ike_id_read(struct ike_input *in)
{
	const struct isakmp_chain_item *item;
	struct isakmp_identification id;
	struct gk_rd rd;

	if (isakmp_chain_find(&in->chain, ISAKMP_PAYLOAD_ID) == NULL &&
	    GK_CHECKED("RFC2407-4.2.1-02"))
		return bad_id(in, GK_ERR_UNEXPECTED, "RFC2407-4.2.1-02", "ID",
		              in->chain.end);
	GK_TRY(ike_payload(in, ISAKMP_PAYLOAD_ID, &item));
	rd = ike_body(in, item);
	if (isakmp_identification_decode(&rd, &id) != GK_OK)
		return isakmp_refuse_fault(&in->why, &rd.fault,
		                           ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		                           "RFC2407-4.6.2-02");
	if (!port_fits(&in->ike->dialect, &id) &&
	    GK_CHECKED("RFC2407-4.6.2-03", "RFC2407-4.6.2-02", "RFC2408-3.8-01",
	               "RFC3947-4-09"))
		return bad_id(in, GK_ERR_VALUE, "RFC2407-4.6.2-03", "Port",
		              id.at + 2);
	/* RFC2408-5.8-01 */
	if (ike_id_identity(item->generic.body).kind == GK_ID_NONE &&
	    GK_CHECKED("RFC2408-5.8-01"))
		return bad_id(in, GK_ERR_VALUE, "RFC2408-5.8-01", "ID Type",
		              id.at);
	if (gk_identity_check(ike_id_identity(item->generic.body)) != GK_OK)
		return bad_id(in, GK_ERR_VALUE, "RFC2407-4.6.2.1-01",
		              "Identification Data", id.at + 4);
	return gk_buf_copy(&in->ike->peer_id, item->generic.body);
}

/* ---- the authenticator -------------------------------------------------- */

/*
 * HASH_I or HASH_R.  For ECDSA its digest is that of the curve (RFC 4754), or
 * the negotiated one: switch p1_ecdsa_prf.
 */
static enum gk_err
hash(const struct ike *ike, bool of_initiator, struct gk_slice id,
     uint8_t out[GK_HASH_MAX], size_t *len)
{
	struct ike_key_input key = ike_key_input(ike, (struct gk_slice){ 0 });
	struct gk_sig_alg alg = ike_suite_signature(&ike->suite);
	enum gk_hash h = ike->keys.prf;

	if (alg.hash != GK_HASH_NONE &&
	    ike->dialect.p1_ecdsa_prf == GDOI_P1_ECDSA_PRF_TIED)
		h = alg.hash;
	*len = gk_hash_size(h);
	return ike_keys_hash(&ike->keys, h, &key, of_initiator,
	                     gk_buf_slice(&ike->sa_i), id, out);
}

/* RFC2409-5.1-05: RSA takes the bare hash; ECDSA takes it as the digest, or
 * hashes it once more: switch p1_ecdsa. */
static struct gk_sig_alg
signature_of(const struct ike *ike)
{
	struct gk_sig_alg alg = ike_suite_signature(&ike->suite);

	if (alg.scheme == GK_SIG_RSA_PKCS1 ||
	    ike->dialect.p1_ecdsa == GDOI_P1_ECDSA_DIGEST)
		alg.hash = GK_HASH_NONE;
	return alg;
}

/* RFC 2407 section 4.6.3.3: no other SA of ours with this peer is left. */
static void
initial_contact_write(const struct ike *ike, struct ike_message *m)
{
	struct isakmp_notification n = {
		.doi = ISAKMP_DOI_IPSEC,
		.protocol = ISAKMP_PROTO_ISAKMP,
		.type = ISAKMP_NOTIFY_INITIAL_CONTACT
	};
	uint8_t spi[2 * ISAKMP_COOKIE_LEN];
	struct gk_wr_hole hole;

	memcpy(spi, ike->cookie_i, ISAKMP_COOKIE_LEN);
	memcpy(spi + ISAKMP_COOKIE_LEN, ike->cookie_r, ISAKMP_COOKIE_LEN);
	n.spi = (struct gk_slice){ spi, sizeof(spi) };
	hole = ike_message_payload(m, ISAKMP_PAYLOAD_NOTIFICATION);
	isakmp_notification_encode(&m->wr, &n);
	gk_wr_close(&m->wr, hole);
}

enum gk_err
ike_auth_write(struct ike *ike, struct ike_message *m, bool main_mode)
{
	struct gk_buf sig = { 0 };
	uint8_t octets[GK_HASH_MAX];
	struct gk_slice h = { octets, 0 };
	enum gk_err err;

	GK_TRY(hash(ike, ike->initiator, gk_buf_slice(&ike->own_id), octets,
	            &h.len));
	if (ike->suite.auth == IKE_AUTH_PSK) {
		ike_message_octets(m, ISAKMP_PAYLOAD_HASH, h);
	} else {
		const struct ike_credential *own = ike_credential(ike);

		if (own == NULL)
			return GK_ERR_POLICY;
		err = gk_sign(own->signer, signature_of(ike), h, &sig);
		if (err != GK_OK)
			return err;
		ike_certs_write(ike, m);
		ike_message_octets(m, ISAKMP_PAYLOAD_SIG, gk_buf_slice(&sig));
		gk_buf_free(&sig);
	}
	/* RFC2407-4.6.3-01, -02: not in Aggressive Mode. */
	if (main_mode && ike->cfg.contact.first != NULL &&
	    ike->cfg.contact.first(ike->cfg.contact.ctx, ike))
		initial_contact_write(ike, m);
	return GK_OK;
}

/* ---- the peer's --------------------------------------------------------- */

static enum gk_err
failed(struct ike_input *in, enum gk_err err, const char *req,
       const char *field, size_t at)
{
	return ike_refuse(in, err, ISAKMP_NOTIFY_AUTHENTICATION_FAILED, req,
	                  field, at);
}

static enum gk_err
hash_check(struct ike_input *in, struct gk_slice want)
{
	const struct isakmp_chain_item *item =
		isakmp_chain_find(&in->chain, ISAKMP_PAYLOAD_SIG);

	/* RFC2408-5.12-01: nobody agreed on signatures. */
	if (item != NULL && GK_CHECKED("RFC2408-5.12-01"))
		return ike_refuse(in, GK_ERR_UNEXPECTED,
		                  ISAKMP_NOTIFY_INVALID_SIGNATURE,
		                  "RFC2408-5.12-01", "SIG", item->generic.at);
	GK_TRY(ike_payload(in, ISAKMP_PAYLOAD_HASH, &item));
	/* RFC2408-5.11-02 */
	if ((item->generic.body.len != want.len ||
	     !gk_equal_secret(item->generic.body.ptr, want.ptr, want.len)) &&
	    GK_CHECKED("RFC2408-5.11-02", "RFC2408-5.11-01", "RFC2408-1.4.2-01",
	               "RFC2408-1.5.3-01"))
		return failed(in, GK_ERR_AUTH, "RFC2408-5.11-02", "HASH",
		              item->generic.at);
	/* The key was found by the address: the name has to fit, too. */
	if (in->ike->psk->peer.kind != GK_ID_NONE &&
	    !gk_identity_match(in->ike->psk->peer, ike_peer(in->ike),
	                       GK_DN_COMPARE_RFC4514) &&
	    GK_CHECKED("RFC6407-3.1-03"))
		return failed(in, GK_ERR_POLICY, "RFC6407-3.1-03",
		              "Identification Data", 0);
	return GK_OK;
}

static enum gk_err
signature_check(struct ike_input *in, const struct gk_certs *certs,
                const struct gk_slice *crls, size_t n_crls,
                struct gk_slice want)
{
	struct ike *ike = in->ike;
	const struct gk_trust_extra extra = { .certs = certs,
		                              .crls = crls,
		                              .n_crls = n_crls };
	const struct isakmp_chain_item *item;
	const struct gk_cert *leaf = NULL;
	struct gk_cert_fault found = { 0 };

	GK_TRY(ike_payload(in, ISAKMP_PAYLOAD_SIG, &item));
	for (size_t i = 0; i < certs->n && leaf == NULL; i++)
		if (gk_identity_binds(ike_peer(ike), certs->cert[i],
		                      GK_DN_COMPARE_RFC4514) ||
		    !GK_CHECKED("RFC2407-4.6.2.1-02"))
			leaf = certs->cert[i];
	/* RFC2407-4.6.2.1-02: the ID is in the certificate. */
	if (leaf == NULL) {
		in->text = certs->n == 0 ? "no certificate has come"
		                         : "the certificate has another name "
		                           "than the peer says";
		return ike_refuse(
			in, GK_ERR_AUTH, ISAKMP_NOTIFY_CERTIFICATE_UNAVAILABLE,
			"RFC2407-4.6.2.1-02", "CERT", item->generic.at);
	}
	gk_path_free(&ike->peer_path);
	ike->peer_path = (struct gk_path){ 0 };
	if ((ike->cfg.trust == NULL ||
	     gk_trust_verify(ike->cfg.trust, leaf, &extra, in->now.utc_s,
	                     GK_KU_DIGITAL_SIGNATURE, &ike->peer_path,
	                     &found) != GK_OK) &&
	    GK_CHECKED("RFC2408-5.9-02")) {
		in->text = found.text;
		return ike_refuse(in, GK_ERR_AUTH,
		                  ISAKMP_NOTIFY_INVALID_CERTIFICATE,
		                  "RFC2408-5.9-02", "CERT", item->generic.at);
	}
	/* RFC2408-5.12-02 */
	if (gk_verify(gk_cert_pubkey(leaf), signature_of(ike), want,
	              item->generic.body) != GK_OK &&
	    GK_CHECKED("RFC2408-5.12-02", "RFC2408-1.5.3-02", "RFC2409-5.1-05"))
		return failed(in, GK_ERR_AUTH, "RFC2408-5.12-02", "SIG",
		              item->generic.at);
	return GK_OK;
}

/* RFC6407-3.1-01, -02: whoever is not on our list is nobody to talk to. */
static enum gk_err
peer_check(struct ike_input *in)
{
	const struct ike_config *cfg = &in->ike->cfg;

	for (size_t i = 0; i < cfg->n_peers; i++)
		if (gk_identity_match(cfg->peers[i], ike_peer(in->ike),
		                      GK_DN_COMPARE_RFC4514))
			return GK_OK;
	if (!GK_CHECKED("RFC6407-3.1-02", "RFC5374-4.1.3.5-01"))
		return GK_OK;
	in->text = "none of the peers that the configuration lists";
	return failed(in, GK_ERR_POLICY, "RFC6407-3.1-02",
	              "Identification Data", 0);
}

enum gk_err
ike_auth_read(struct ike_input *in)
{
	struct ike *ike = in->ike;
	struct gk_certs certs = { 0 };
	uint8_t octets[GK_HASH_MAX];
	struct gk_slice want = { octets, 0 }, crls[IKE_CRLS_MAX];
	size_t n_crls = 0;
	enum gk_err err;

	GK_TRY(hash(ike, !ike->initiator, gk_buf_slice(&ike->peer_id), octets,
	            &want.len));
	if (ike->suite.auth == IKE_AUTH_PSK) {
		err = hash_check(in, want);
	} else {
		err = ike_certs_read(in, &certs, crls, &n_crls);
		if (err == GK_OK)
			err = signature_check(in, &certs, crls, n_crls, want);
		gk_certs_free(&certs);
	}
	gk_wipe(octets, sizeof(octets));
	return err == GK_OK ? peer_check(in) : err;
}
