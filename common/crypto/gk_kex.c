/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_kex.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>

#include "common/crypto/gk_kex_math.h"
#include "common/crypto/gk_ossl.h"

static const struct {
	const char *text;
	size_t public_len, secret_len;
} groups[] = { [GK_KEX_NONE] = { "no group", 0, 0 },
#define X(name, text, public_len, secret_len) \
	[GK_KEX_##name] = { text, public_len, secret_len },
	       GK_KEX_LIST(X)
#undef X
};

static bool
known(enum gk_kex group)
{
	return group > GK_KEX_NONE && (size_t)group < GK_COUNT(groups);
}

const char *
gk_kex_name(enum gk_kex group)
{
	return groups[known(group) ? group : GK_KEX_NONE].text;
}

size_t
gk_kex_public_len(enum gk_kex group)
{
	return known(group) ? groups[group].public_len : 0;
}

size_t
gk_kex_secret_len(enum gk_kex group)
{
	return known(group) ? groups[group].secret_len : 0;
}

bool
gk_kex_is_legacy(enum gk_kex group)
{
	return group == GK_KEX_MODP768_LEGACY ||
	       group == GK_KEX_MODP1024_LEGACY ||
	       group == GK_KEX_MODP1536_LEGACY;
}

bool
gk_kex_is_modp(enum gk_kex group)
{
	return group >= GK_KEX_MODP768_LEGACY && group <= GK_KEX_MODP8192;
}

struct gk_kex_key {
	atomic_uint refs;
	enum gk_kex group;
	struct gk_buf priv; /* see gk_kex_from_private() */
	struct gk_buf pub;
};

void
gk_kex_free(struct gk_kex_key *key)
{
	if (key == NULL || atomic_fetch_sub(&key->refs, 1) != 1)
		return;
	gk_buf_free(&key->priv);
	gk_buf_free(&key->pub);
	free(key);
}

struct gk_kex_key *
gk_kex_ref(struct gk_kex_key *key)
{
	if (key != NULL)
		atomic_fetch_add(&key->refs, 1);
	return key;
}

enum gk_kex
gk_kex_group(const struct gk_kex_key *key)
{
	return key->group;
}

struct gk_slice
gk_kex_public(const struct gk_kex_key *key)
{
	return gk_buf_slice(&key->pub);
}

struct gk_slice
gk_kex_private(const struct gk_kex_key *key)
{
	return gk_buf_slice(&key->priv);
}

static enum gk_err
compute_public(struct gk_kex_key *key)
{
	GK_TRY(gk_buf_alloc(&key->pub, gk_kex_public_len(key->group)));
	if (key->group == GK_KEX_X25519)
		return gk_x25519_public(gk_buf_slice(&key->priv), key->pub.ptr);
	if (gk_kex_is_modp(key->group))
		return gk_modp_public(key->group, gk_buf_slice(&key->priv),
		                      &key->pub);
	return gk_ecdh_public(key->group, gk_buf_slice(&key->priv), &key->pub);
}

enum gk_err
gk_kex_from_private(enum gk_kex group, struct gk_slice priv,
                    struct gk_kex_key **out)
{
	struct gk_kex_key *key;
	enum gk_err err;

	*out = NULL;
	if (!known(group))
		return GK_ERR_VALUE;
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return GK_ERR_NOMEM;
	atomic_init(&key->refs, 1);
	key->group = group;
	err = gk_buf_copy(&key->priv, priv);
	if (err == GK_OK)
		err = compute_public(key);
	if (err != GK_OK) {
		gk_kex_free(key);
		return err;
	}
	*out = key;
	return GK_OK;
}

/*
 * How many octets are drawn.  MODP: what RFC 3526 section 8 asks for at its
 * higher estimate of each group's strength (320 bits for 2048, 420 for 3072, 480
 * for 4096, 540 and 620 for the largest two), and not less than 320; longer ones only cost time.  Curves: the
 * length of the order.
 */
/* A draw falls outside the range with probability one in two at most (P-521 has
 * its top bits cleared); that many in a row mean a broken generator. */
#define DRAWS_MAX 64

static size_t
private_len(enum gk_kex group)
{
	switch (group) {
	case GK_KEX_MODP768_LEGACY:
	case GK_KEX_MODP1024_LEGACY:
	case GK_KEX_MODP1536_LEGACY:
	case GK_KEX_MODP2048:
		return 40;
	case GK_KEX_MODP3072:
		return 53;
	case GK_KEX_MODP4096:
		return 60;
	case GK_KEX_MODP6144:
		return 68;
	case GK_KEX_MODP8192:
		return 78;
	default:
		return gk_kex_secret_len(group);
	}
}

enum gk_err
gk_kex_generate(const struct gk_env *env, enum gk_kex group,
                struct gk_kex_key **out)
{
	uint8_t priv[GK_KEX_SECRET_MAX];
	size_t n = private_len(group);
	enum gk_err err = GK_ERR_VALUE;

	*out = NULL;
	if (!known(group))
		return GK_ERR_VALUE;
	gk_ossl_count();
	for (unsigned i = 0; err == GK_ERR_VALUE && i < DRAWS_MAX; i++) {
		err = env->random(env->ctx, priv, n);
		if (err != GK_OK)
			break;
		if (group == GK_KEX_P521)
			priv[0] &= 0x01; /* 521 = 65 * 8 + 1 */
		err = gk_kex_from_private(group, (struct gk_slice){ priv, n },
		                          out);
	}
	gk_wipe(priv, sizeof(priv));
	return err == GK_ERR_VALUE ? GK_ERR_CRYPTO : err;
}

static enum gk_err
check_len(enum gk_kex group, struct gk_slice peer, unsigned flags)
{
	size_t want = gk_kex_public_len(group);

	if (want == 0 || peer.len == 0 || peer.len > want)
		return GK_ERR_VALUE;
	if (peer.len < want &&
	    !(gk_kex_is_modp(group) && (flags & GK_KEX_SHORT_PEER) != 0))
		return GK_ERR_VALUE;
	return GK_OK;
}

enum gk_err
gk_kex_peer_check(enum gk_kex group, struct gk_slice peer, unsigned flags)
{
	GK_TRY(check_len(group, peer, flags));
	if (group == GK_KEX_X25519)
		return GK_OK;
	if (gk_kex_is_modp(group))
		return gk_modp_peer_check(group, peer);
	return gk_ecdh_peer_check(group, peer);
}

enum gk_err
gk_kex_derive(const struct gk_kex_key *key, struct gk_slice peer,
              unsigned flags, struct gk_buf *secret)
{
	struct gk_slice priv = gk_buf_slice(&key->priv);
	enum gk_err err;

	*secret = (struct gk_buf){ 0 };
	GK_TRY(check_len(key->group, peer, flags));
	GK_TRY(gk_buf_alloc(secret, gk_kex_secret_len(key->group)));
	gk_ossl_count();
	if (key->group == GK_KEX_X25519)
		err = gk_x25519_derive(priv, peer, secret->ptr);
	else if (gk_kex_is_modp(key->group))
		err = gk_modp_derive(key->group, priv, peer, secret);
	else
		err = gk_ecdh_derive(key->group, priv, peer, secret);
	if (err != GK_OK)
		gk_buf_free(secret);
	return err;
}
