/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gsakmp/gsakmp_algorithm.h"
#include "gsakmp/payload/key_creation.h"
#include "gsakmp/payload/nonce.h"
#include "gsakmp/tests/vector/vector_kek.h"

/* Key creation: both public values, and the secret from either side. */
static void
exchange(struct vec *v)
{
	uint16_t type = (uint16_t)vec_num(v, v->in, "key_creation");
	const char *const side[2][2] = { { "private_i", "public_i" },
		                         { "private_r", "public_r" } };
	struct gk_slice public[2];
	struct gk_kex_key *key[2];

	for (int i = 0; i < 2; i++) {
		public[i] = vec_octets(v, v->out, side[i][1]);
		vec_ok(v,
		       gk_kex_from_private(gsakmp_kex(type),
		                           vec_octets(v, v->in, side[i][0]),
		                           &key[i]),
		       side[i][0]);
		vec_same(v, side[i][1],
		         gsakmp_key_creation_data(&readings(v)->dialect, type,
		                                  gk_kex_public(key[i])),
		         public[i]);
	}
	for (int i = 0; i < 2; i++) {
		struct gk_buf secret = { 0 };

		vec_ok(v,
		       gk_kex_derive(key[i], public[1 - i], GK_KEX_SHORT_PEER,
		                     &secret),
		       "secret");
		vec_same(v, "secret", vec_buf(v, &secret),
		         vec_octets(v, v->out, "secret"));
	}
	gk_kex_free(key[0]);
	gk_kex_free(key[1]);
}

void
vec_kek(struct vec *v, struct gsakmp_kek *kek)
{
	const struct gsakmp_kek_input in = {
		.key_creation = (uint16_t)vec_num(v, v->in, "key_creation"),
		.key_type = (uint16_t)vec_num(v, v->in, "key_type"),
		.secret = vec_octets(v, v->in, "secret"),
		.nonce_i = vec_octets(v, v->in, "nonce_i"),
		.nonce_r = vec_octets(v, v->in, "nonce_r"),
		.nonce_c = vec_octets(v, v->in, "nonce_c"),
		.groupid = { GSAKMP_GROUPID_OCTET_STRING,
		             vec_octets(v, v->in, "group_id") },
	};

	vec_ok(v, gsakmp_kek_derive(&readings(v)->dialect, &in, kek), "KEK");
	vec_same(v, "kek", (struct gk_slice){ kek->key, kek->len },
	         vec_octets(v, v->out, "kek"));
}

static void
kek(struct vec *v)
{
	struct gsakmp_kek k;

	vec_kek(v, &k);
	gsakmp_kek_wipe(&k);
}

static void
nonce_c(struct vec *v)
{
	const struct gsakmp_nonce i = {
		.type = GSAKMP_NONCE_INITIATOR,
		.data = vec_octets(v, v->in, "nonce_i"),
		.next_payload = (uint8_t)vec_num(v, v->in, "next_payload_i"),
	};
	const struct gsakmp_nonce r = {
		.type = GSAKMP_NONCE_RESPONDER,
		.data = vec_octets(v, v->in, "nonce_r"),
		.next_payload = (uint8_t)vec_num(v, v->in, "next_payload_r"),
	};
	struct gk_buf c = { 0 };

	vec_ok(v,
	       gsakmp_nonce_combine(&readings(v)->dialect,
	                            (uint16_t)vec_num(v, v->in, "nonce_hash"),
	                            &i, &r, &c),
	       "Nonce_C");
	vec_same(v, "nonce_c", vec_buf(v, &c),
	         vec_octets(v, v->out, "nonce_c"));
}

/* Signatures that cannot be made again are verified; so are ours. */
static void
signature(struct vec *v)
{
	struct gk_sig_alg alg = gsakmp_signature_alg(
		&readings(v)->dialect, (uint16_t)vec_num(v, v->in, "sig_type"));
	struct gk_slice data = vec_octets(v, v->in, "data");
	struct gk_slice want = vec_octets(v, v->out, "signature");
	struct gk_signer *signer = NULL;
	struct gk_pubkey *pub = NULL;
	struct gk_buf made = { 0 };
	struct gk_slice ours;

	vec_ok(v,
	       gk_signer_from_pem(vec_octets(v, v->in, "key"), NULL, &signer),
	       "private key");
	vec_ok(v, gk_pubkey_from_spki(vec_octets(v, v->in, "public_key"), &pub),
	       "public key");
	vec_same(v, "public_key", gk_pubkey_spki(gk_signer_pubkey(signer)),
	         gk_pubkey_spki(pub));
	vec_ok(v, gk_verify(pub, alg, data, want), "signature");
	vec_ok(v, gk_sign(signer, alg, data, &made), "signing");
	ours = vec_buf(v, &made);
	if (vec_flag(v, v->in, "deterministic"))
		vec_same(v, "signature", ours, want);
	vec_ok(v, gk_verify(pub, alg, data, ours), "our own signature");
	gk_pubkey_free(pub);
	gk_signer_free(signer);
}

static void
public_value(struct vec *v)
{
	enum gk_kex group =
		gsakmp_kex((uint16_t)vec_num(v, v->in, "key_creation"));
	enum gk_err err = gk_kex_peer_check(
		group, vec_octets(v, v->in, "public"), GK_KEX_SHORT_PEER);

	if ((err == GK_OK) != vec_flag(v, v->out, "accepted"))
		vec_fail(v, "%s", gk_strerror(err));
}

const struct vec_kind vec_crypto_kinds[] = {
	{ "public-value", public_value },
	{ "exchange", exchange },
	{ "kek", kek },
	{ "nonce-c", nonce_c },
	{ "signature", signature },
	{ NULL, NULL },
};
