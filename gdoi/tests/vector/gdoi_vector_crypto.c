/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/message/hash.h"
#include "gdoi/message/lkh_wrap.h"
#include "gdoi/message/push.h"
#include "gdoi/message/sig_key.h"
#include "gdoi/phase1/keys.h"
#include "gdoi/tests/vector/gdoi_vector.h"

static struct ike_suite
suite_of(struct vec *v)
{
	struct ike_suite suite = {
		.encryption = (uint16_t)vec_num(v, v->in, "cipher"),
		.hash = (uint16_t)vec_num(v, v->in, "hash"),
		.auth = (uint16_t)vec_num(v, v->in, "auth"),
		.group = (uint16_t)vec_num(v, v->in, "group"),
	};

	if (suite.encryption == IKE_ENCRYPTION_AES_CBC)
		suite.key_bits = (uint16_t)vec_num(v, v->in, "key_bits");
	return suite;
}

static struct gk_kex_key *
side(struct vec *v, enum gk_kex group, const char *private, const char *public)
{
	struct gk_slice octets = vec_octets(v, v->in, private);
	struct gk_kex_key *key = NULL;

	vec_ok(v, gk_kex_from_private(group, octets, &key), private);
	if (!gk_slice_equal(gk_kex_public(key),
	                    vec_octets(v, v->out, public))) {
		gk_kex_free(key);
		vec_fail(v, "%s differs", public);
	}
	return key;
}

static struct gk_slice
shared(struct vec *v, enum gk_kex group)
{
	struct gk_kex_key *i = side(v, group, "private_i", "g_xi");
	struct gk_kex_key *r = side(v, group, "private_r", "g_xr");
	struct gk_buf of_i = { 0 }, of_r = { 0 };
	struct gk_slice left, right;
	enum gk_err err = gk_kex_derive(i, gk_kex_public(r), 0, &of_i);

	if (err == GK_OK)
		err = gk_kex_derive(r, gk_kex_public(i), 0, &of_r);
	gk_kex_free(i);
	gk_kex_free(r);
	left = vec_buf(v, &of_i);
	right = vec_buf(v, &of_r);
	vec_ok(v, err, "g_xy");
	vec_same(v, "g_xy of both", left, right);
	return left;
}

static void
both_hashes(struct vec *v, const struct ike_keys *keys,
            const struct ike_key_input *in)
{
	struct gk_slice sa = vec_octets(v, v->in, "sa_i");
	enum gk_hash hash = ike_suite_signature(in->suite).hash,
		     own = keys->prf;
	uint8_t out[GK_HASH_MAX];

	if (hash != GK_HASH_NONE &&
	    readings(v)->dialect.p1_ecdsa_prf == GDOI_P1_ECDSA_PRF_TIED)
		own = hash;
	for (int initiator = 0; initiator < 2; initiator++) {
		vec_ok(v,
		       ike_keys_hash(keys, own, in, initiator, sa,
		                     vec_octets(v, v->in,
		                                initiator ? "id_i" : "id_r"),
		                     out),
		       "HASH");
		vec_out(v, v->out, initiator ? "hash_i" : "hash_r",
		        (struct gk_slice){ out, gk_hash_size(own) });
	}
}

static void
derived(struct vec *v, const struct ike_keys *keys,
        const struct ike_key_input *in)
{
	size_t prf = gk_hash_size(keys->prf);
	size_t block = gk_cipher_block_len(keys->cipher);
	struct gk_slice last = vec_octets(v, v->in, "last_block");
	uint8_t iv[GK_CIPHER_BLOCK_MAX], from[GK_CIPHER_BLOCK_MAX] = { 0 };

	vec_out(v, v->out, "skeyid", (struct gk_slice){ keys->skeyid, prf });
	vec_out(v, v->out, "skeyid_d",
	        (struct gk_slice){ keys->skeyid_d, prf });
	vec_out(v, v->out, "skeyid_a",
	        (struct gk_slice){ keys->skeyid_a, prf });
	vec_out(v, v->out, "skeyid_e",
	        (struct gk_slice){ keys->skeyid_e, prf });
	vec_out(v, v->out, "key",
	        (struct gk_slice){ keys->key,
	                           gk_cipher_key_len(keys->cipher) });
	vec_ok(v, ike_keys_iv(keys, in->g_xi, in->g_xr, iv), "IV");
	vec_out(v, v->out, "iv", (struct gk_slice){ iv, block });
	memcpy(from, last.ptr, last.len < block ? last.len : block);
	vec_ok(v,
	       ike_keys_phase2_iv(keys, from,
	                          (uint32_t)vec_num(v, v->in, "message_id"),
	                          iv),
	       "phase 2 IV");
	vec_out(v, v->out, "phase2_iv", (struct gk_slice){ iv, block });
}

static void
phase1(struct vec *v)
{
	struct ike_suite suite = suite_of(v);
	struct gk_slice secret = shared(v, ike_suite_group(&suite));
	struct ike_key_input in = {
		.suite = &suite,
		.psk = vec_may_octets(v, v->in, "psk"),
		.secret = secret,
		.g_xi = vec_octets(v, v->out, "g_xi"),
		.g_xr = vec_octets(v, v->out, "g_xr"),
		.nonce_i = vec_octets(v, v->in, "nonce_i"),
		.nonce_r = vec_octets(v, v->in, "nonce_r"),
		.cookie_i = vec_octets(v, v->in, "cookie_i").ptr,
		.cookie_r = vec_octets(v, v->in, "cookie_r").ptr,
	};
	struct ike_keys keys;

	vec_out(v, v->out, "g_xy", secret);
	vec_ok(v, ike_keys_derive(&in, &keys), "keys");
	derived(v, &keys, &in);
	both_hashes(v, &keys, &in);
	gk_wipe(&keys, sizeof(keys));
}

/* sign_check - the vector's signature verifies; so does ours, which is the same
 * where that is possible. */
static void
sign_check(struct vec *v, struct gk_sig_alg alg, struct gk_slice data)
{
	struct gk_slice want = vec_octets(v, v->out, "signature");
	struct gk_signer *signer = NULL;
	struct gk_pubkey *pub = NULL;
	struct gk_buf made = { 0 };
	enum gk_err err =
		gk_signer_from_pem(vec_octets(v, v->in, "key"), NULL, &signer);

	if (err == GK_OK)
		err = gk_pubkey_from_spki(vec_octets(v, v->in, "public_key"),
		                          &pub);
	if (err == GK_OK)
		err = gk_verify(pub, alg, data, want);
	if (err == GK_OK)
		err = gk_sign(signer, alg, data, &made);
	if (err == GK_OK)
		err = gk_verify(pub, alg, data, gk_buf_slice(&made));
	gk_signer_free(signer);
	gk_pubkey_free(pub);
	want = vec_buf(v, &made);
	vec_ok(v, err, "signature");
	if (vec_flag(v, v->in, "deterministic"))
		vec_out(v, v->out, "signature", want);
}

static void
phase1_signature(struct vec *v)
{
	struct ike_suite suite = {
		.auth = (uint16_t)vec_num(v, v->in, "auth"),
	};
	struct gk_sig_alg alg = ike_suite_signature(&suite);

	if (readings(v)->dialect.p1_ecdsa == GDOI_P1_ECDSA_DIGEST)
		alg.hash = GK_HASH_NONE;
	alg.encoding = GK_SIG_RAW;
	sign_check(v, alg, vec_octets(v, v->in, "hash"));
}

static void
hash(struct vec *v)
{
	struct ike_suite suite = {
		.hash = (uint16_t)vec_num(v, v->in, "hash"),
	};
	struct gdoi_hash_input in = {
		.prf = ike_suite_hash(&suite),
		.skeyid_a = vec_octets(v, v->in, "skeyid_a"),
		.message_id = (uint32_t)vec_num(v, v->in, "message_id"),
		.ni_b = vec_may_octets(v, v->in, "nonce_i"),
		.nr_b = vec_may_octets(v, v->in, "nonce_r"),
		.rest = vec_octets(v, v->in, "rest"),
	};
	uint8_t out[GK_HASH_MAX];

	vec_ok(v, gdoi_hash(&in, out), "HASH");
	vec_out(v, v->out, "value",
	        (struct gk_slice){ out, gk_hash_size(in.prf) });
}

/* Keys ---------------------------------------------------------------------- */

static void
lkh_wrap(struct vec *v)
{
	struct gk_slice under = vec_octets(v, v->in, "under");
	struct gk_slice plain = vec_octets(v, v->in, "key");
	uint16_t type = (uint16_t)vec_num(v, v->in, "key_type");
	enum gk_cipher cipher = gdoi_kek_cipher(
		type,
		(uint16_t)(type == 3 ? (plain.len - GK_CIPHER_BLOCK_MAX) * 8
	                             : 0));
	struct gk_buf wrapped = { 0 }, back = { 0 };
	struct gk_slice data;

	vec_ok(v,
	       gdoi_lkh_wrap(&readings(v)->dialect, cipher, under, plain,
	                     &wrapped),
	       "wrapping");
	data = vec_buf(v, &wrapped);
	vec_out(v, v->out, "data", data);
	vec_same_num(
		v, "octets", (long long)data.len,
		(long long)gdoi_lkh_wrapped_len(&readings(v)->dialect, cipher));
	vec_ok(v,
	       gdoi_lkh_unwrap(&readings(v)->dialect, cipher, under, data,
	                       &back),
	       "unwrapping");
	vec_same(v, "key", vec_buf(v, &back), plain);
}

static void
signature_key(struct vec *v)
{
	struct gk_slice spki = vec_octets(v, v->in, "public_key");
	struct gdoi_sak sak = {
		.sig_algorithm = (uint16_t)vec_num(v, v->in, "sig"),
	};
	struct gk_pubkey *pub = NULL, *read = NULL;
	struct gk_buf value = { 0 };
	bool same = false;
	enum gk_err err = gk_pubkey_from_spki(spki, &pub);

	if (err == GK_OK)
		err = gdoi_sig_key_write(&readings(v)->dialect, pub,
		                         vec_octets(v, v->in, "certificate"),
		                         &value);
	if (err == GK_OK)
		err = gdoi_sig_key_read(&sak, vec_octets(v, v->out, "value"),
		                        &read);
	if (err == GK_OK)
		same = gk_slice_equal(gk_pubkey_spki(read), spki);
	gk_pubkey_free(pub);
	gk_pubkey_free(read);
	spki = vec_buf(v, &value);
	vec_ok(v, err, "SIG_ALGORITHM_KEY");
	if (!same)
		vec_fail(v, "another key was read");
	vec_out(v, v->out, "value", spki);
}

const struct vec_kind vec_crypto_kinds[] = {
	{ "phase1", phase1 },
	{ "phase1-signature", phase1_signature },
	{ "hash", hash },
	{ "lkh-wrap", lkh_wrap },
	{ "signature-key", signature_key },
	{ NULL, NULL },
};
