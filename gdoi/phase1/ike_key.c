/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_private.h"

/*
 * KE and NONCE, and the keys that follow: RFC 2409 section 5.
 */
enum gk_err
ike_ke_make(struct ike *ike)
{
	struct gk_buf *nonce = ike->initiator ? &ike->nonce_i : &ike->nonce_r;
	enum gk_kex group = ike_suite_group(&ike->suite);

	gk_kex_free(ike->kex);
	ike->kex = NULL;
	GK_TRY(gk_kex_generate(ike->env, group, &ike->kex));
	GK_TRY(gk_buf_copy(&ike->own_public, gk_kex_public(ike->kex)));
	GK_TRY(gk_buf_alloc(nonce, IKE_NONCE_LEN));
	return ike->env->random(ike->env->ctx, nonce->ptr, nonce->len);
}

void
ike_ke_write(struct ike *ike, struct ike_message *m)
{
	ike_message_octets(m, ISAKMP_PAYLOAD_KE,
	                   gk_buf_slice(&ike->own_public));
	ike_message_octets(
		m, ISAKMP_PAYLOAD_NONCE,
		gk_buf_slice(ike->initiator ? &ike->nonce_i : &ike->nonce_r));
}

enum gk_err
ike_ke_read(struct ike_input *in)
{
	struct ike *ike = in->ike;
	const struct isakmp_chain_item *ke, *nonce;
	struct gk_buf *to = ike->initiator ? &ike->nonce_r : &ike->nonce_i;
	size_t len;

	GK_TRY(ike_payload(in, ISAKMP_PAYLOAD_KE, &ke));
	GK_TRY(ike_payload(in, ISAKMP_PAYLOAD_NONCE, &nonce));
	/* RFC2409-5-09, RFC2408-5.7-01: the group's length, and a value that
	 * may be used. */
	if (gk_kex_peer_check(ike_suite_group(&ike->suite), ke->generic.body,
	                      0) != GK_OK &&
	    GK_CHECKED("RFC2409-5-09", "RFC2408-5.7-01"))
		return ike_refuse(in, GK_ERR_VALUE,
		                  ISAKMP_NOTIFY_INVALID_KEY_INFORMATION,
		                  "RFC2409-5-09", "KE", ke->generic.at);
	/* Our own come back: RFC 6407 section 7.1.4. */
	if (gk_slice_equal(ke->generic.body, gk_buf_slice(&ike->own_public)) &&
	    GK_CHECKED("RFC2408-5.7-01"))
		return ike_refuse(in, GK_ERR_VALUE,
		                  ISAKMP_NOTIFY_INVALID_KEY_INFORMATION,
		                  "RFC2408-5.7-01", "KE", ke->generic.at);
	/* RFC2409-5-10 */
	len = nonce->generic.body.len;
	if ((len < IKE_NONCE_MIN || len > IKE_NONCE_MAX) &&
	    GK_CHECKED("RFC2409-5-10"))
		return ike_refuse(in, GK_ERR_VALUE,
		                  ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                  "RFC2409-5-10", "NONCE", nonce->generic.at);
	GK_TRY(gk_buf_copy(&ike->peer_public, ke->generic.body));
	return gk_buf_copy(to, nonce->generic.body);
}

struct ike_key_input
ike_key_input(const struct ike *ike, struct gk_slice secret)
{
	const struct gk_buf *own = &ike->own_public, *peer = &ike->peer_public;

	return (struct ike_key_input){
		.suite = &ike->suite,
		.psk = ike->psk != NULL ? ike->psk->key
		                        : (struct gk_slice){ 0 },
		.secret = secret,
		.g_xi = gk_buf_slice(ike->initiator ? own : peer),
		.g_xr = gk_buf_slice(ike->initiator ? peer : own),
		.nonce_i = gk_buf_slice(&ike->nonce_i),
		.nonce_r = gk_buf_slice(&ike->nonce_r),
		.cookie_i = ike->cookie_i,
		.cookie_r = ike->cookie_r,
	};
}

/* RFC2409-5.4-03: by address in Main Mode; -04: by identity in Aggressive
 * Mode. */
static const struct ike_psk *
find_psk(const struct ike *ike, struct gk_slice peer_id)
{
	struct gk_identity id = ike_id_identity(peer_id);

	for (size_t i = 0; i < ike->cfg.n_psk; i++) {
		const struct ike_psk *p = &ike->cfg.psk[i];

		if (p->ip_len != 0 &&
		    (p->ip_len != ike->path.peer.ip_len ||
		     memcmp(p->ip, ike->path.peer.ip, p->ip_len) != 0))
			continue;
		if (peer_id.len != 0 && p->peer.kind != GK_ID_NONE &&
		    !gk_identity_match(p->peer, id, GK_DN_COMPARE_RFC4514))
			continue;
		return p;
	}
	return NULL;
}

/* ---- for laboratories --------------------------------------------------- */

static void
log_line(const struct ike *ike, const char *what, const char *between,
         struct gk_slice secret)
{
	char i[2 * ISAKMP_COOKIE_LEN + 1], r[2 * ISAKMP_COOKIE_LEN + 1];
	char text[2 * sizeof(ike->keys.key) + 1], line[192];

	if (ike->env->secret == NULL)
		return;
	gk_hex(i, sizeof(i),
	       (struct gk_slice){ ike->cookie_i, ISAKMP_COOKIE_LEN });
	gk_hex(r, sizeof(r),
	       (struct gk_slice){ ike->cookie_r, ISAKMP_COOKIE_LEN });
	gk_hex(text, sizeof(text), secret);
	snprintf(line, sizeof(line), "%s %s %s %s%s", what, i, r, between,
	         text);
	ike->env->secret(ike->env->ctx, line);
	gk_wipe(line, sizeof(line));
	gk_wipe(text, sizeof(text));
}

void
ike_log_iv(const struct ike *ike, uint32_t message_id,
           const uint8_t iv[GK_CIPHER_BLOCK_MAX])
{
	char id[16];

	if (ike->env->secret == NULL)
		return;
	snprintf(id, sizeof(id), "%08" PRIx32 " ", message_id);
	log_line(ike, "IKEV1_IV", id,
	         (struct gk_slice){ iv, gk_cipher_iv_len(ike->keys.cipher) });
}

enum gk_err
ike_derive(struct ike_input *in, struct gk_slice peer_id)
{
	struct ike *ike = in->ike;
	struct gk_buf secret = { 0 };
	struct ike_key_input key;
	enum gk_err err;

	if (ike->suite.auth == IKE_AUTH_PSK) {
		ike->psk = find_psk(ike, peer_id);
		if (ike->psk == NULL &&
		    (ike->cfg.n_psk == 0 || GK_CHECKED("RFC2409-5.4-03")))
			return ike_refuse(in, GK_ERR_POLICY,
			                  ISAKMP_NOTIFY_AUTHENTICATION_FAILED,
			                  "RFC2409-5.4-03", "pre-shared key",
			                  0);
		if (ike->psk == NULL) /* unchecked: that of somebody else */
			ike->psk = &ike->cfg.psk[0];
	}
	GK_TRY(gk_kex_derive(ike->kex, gk_buf_slice(&ike->peer_public), 0,
	                     &secret));
	key = ike_key_input(ike, gk_buf_slice(&secret));
	err = ike_keys_derive(&key, &ike->keys);
	gk_buf_free(&secret);
	if (err != GK_OK)
		return err;
	ike->have_keys = true;
	log_line(ike, "IKEV1_KEY", "",
	         (struct gk_slice){ ike->keys.key,
	                            gk_cipher_key_len(ike->keys.cipher) });
	ike->cbc = (struct isakmp_cbc){
		.cipher = ike->keys.cipher,
		.key = { ike->keys.key, gk_cipher_key_len(ike->keys.cipher) },
	};
	GK_TRY(ike_keys_iv(&ike->keys, key.g_xi, key.g_xr, ike->cbc.iv));
	ike_log_iv(ike, 0, ike->cbc.iv);
	return GK_OK;
}
