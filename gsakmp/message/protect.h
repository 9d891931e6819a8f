/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_MESSAGE_PROTECT_H
#define GSAKMP_MESSAGE_PROTECT_H

#include "common/base/gk_env.h"
#include "gsakmp/gsakmp_algorithm.h"
#include "gsakmp/payload/groupid.h"
#include "gsakmp/payload/key_download.h"
#include "gsakmp/payload/nonce.h"
#include "gsakmp/payload/rekey_event.h"

/*
 * DOC: encrypted parts - RFC 4535 sections 6.2, 7.3.1, 7.4.1, 7.5.1.2, 7.11.1
 *
 * Registration: one KEK out of the Key Creation exchange encrypts Policy Token
 * Data and the body of the Key Download payload.  Rekey: a wrapping key that
 * members hold encrypts each Rekey Event Data, the old GTPK encrypts a Policy
 * Token.
 *
 * The RFC gives no IV, no padding and no integrity for CBC; the dialect says
 * what is done.  A message is authenticated by its signature, which must have
 * been verified before anything here is asked to decrypt.  With the AEAD key
 * types of this project a 12-octet random IV stands in front of the ciphertext
 * and a tag of 16 octets behind it, whatever the dialect says; associated data
 * are the Policy Token Type, nothing (Key Download), or Wrapping KeyID and
 * Handle.
 */

/* The key of one registration, made once, wiped at its end. */
struct gsakmp_kek {
	uint16_t type; /* Table 16 */
	size_t len;
	uint8_t key[GSAKMP_KEY_DATA_MAX];
	uint8_t iv[GK_CIPHER_BLOCK_MAX];    /* for readings that derive it */
	uint8_t chain[GK_CIPHER_BLOCK_MAX]; /* last block of the token */
};

struct gsakmp_kek_input {
	uint16_t key_creation;  /* Table 26 */
	uint16_t key_type;      /* Table 16: what the KEK is for */
	struct gk_slice secret; /* as gk_kex_derive() gives it: fixed length */
	struct gk_slice nonce_i, nonce_r, nonce_c; /* data; empty when absent */
	struct gsakmp_groupid groupid;
};

/**
 * gsakmp_kek_derive - from the Diffie-Hellman secret to the KEK.
 *
 * Table 26: the X low-order bits, truncated (dialect kek_bits, dh_secret_pad).
 * The private types: HKDF-SHA-256 with Nonce_I | Nonce_R as salt and the text
 * "GSAKMP KEK" followed by the GroupID value as info.
 *
 * Return: GK_OK; GK_ERR_VALUE when a type is unknown or the secret too short.
 */
GK_MUST_CHECK enum gk_err gsakmp_kek_derive(
	const struct gsakmp_dialect *dialect, const struct gsakmp_kek_input *in,
	struct gsakmp_kek *kek);
void gsakmp_kek_wipe(struct gsakmp_kek *kek);

/*
 * Registration.  Some readings of iv_keydl chain the Key Download to the Policy
 * Token: seal and open the token first, then the keys, with the same @kek.
 *
 * seal: new buffer @out.  GK_ERR_VALUE when padding is `none` and the plaintext
 * is not aligned.
 *
 * open: new buffer @plain, without padding, to be wiped and freed with
 * gk_buf_free().  GK_ERR_AUTH for a wrong tag; GK_ERR_VALUE for impossible
 * lengths and wrong padding.  The two must be answered alike: *@why says
 * Payload-Malformed and no more.
 */
GK_MUST_CHECK enum gk_err gsakmp_token_seal(
	const struct gk_env *env, const struct gsakmp_dialect *dialect,
	struct gsakmp_kek *kek, uint16_t token_type, struct gk_slice plain,
	struct gk_buf *out);
GK_MUST_CHECK enum gk_err gsakmp_token_open(
	const struct gsakmp_dialect *dialect, struct gsakmp_kek *kek,
	uint16_t token_type, struct gk_slice sealed, struct gk_buf *plain,
	struct gsakmp_reject *why);
GK_MUST_CHECK enum gk_err gsakmp_key_download_seal(
	const struct gk_env *env, const struct gsakmp_dialect *dialect,
	struct gsakmp_kek *kek, const struct gsakmp_keys *keys,
	struct gk_buf *out);
GK_MUST_CHECK enum gk_err gsakmp_key_download_open(
	const struct gsakmp_dialect *dialect, struct gsakmp_kek *kek,
	struct gk_slice sealed, struct gk_buf *plain,
	struct gsakmp_reject *why);

/* A key that members hold: GTPK or LKH node. */
struct gsakmp_wrapping {
	uint16_t type; /* Table 16 */
	uint32_t id;
	uint32_t handle;
	struct gk_slice key; /* Key Data */
};

/* gsakmp_rekey_seal - encrypt Key Packages under @with and write the whole
 * Rekey Event Data (Packet Length, Wrapping fields, ciphertext) to @out, a new
 * buffer. */
GK_MUST_CHECK enum gk_err gsakmp_rekey_seal(
	const struct gk_env *env, const struct gsakmp_dialect *dialect,
	const struct gsakmp_wrapping *with, const struct gsakmp_keys *packages,
	struct gk_buf *out);
/* Key Packages that are encoded already, in as many pieces as the caller has. */
struct gsakmp_packed {
	const struct gk_slice *part;
	size_t n_parts;
	uint16_t items; /* packages in all of them */
};

/*
 * gsakmp_rekey_seal_into - the same, behind what @wr holds and by a context that
 * is kept, for many in a row.  GK_ERR_SPACE when it does not fit, with @wr as it
 * was; gsakmp_rekey_seal_size() says what it takes, before anything is done.
 */
GK_MUST_CHECK enum gk_err gsakmp_rekey_seal_into(
	const struct gk_env *env, struct gk_sealer *sealer,
	const struct gsakmp_dialect *dialect,
	const struct gsakmp_wrapping *with, const struct gsakmp_packed *packed,
	struct gk_wr *wr);
/* gsakmp_rekey_seal_size - GK_ERR_VALUE for a Key Type that cannot wrap. */
GK_MUST_CHECK enum gk_err gsakmp_rekey_seal_size(
	const struct gsakmp_dialect *dialect, uint16_t type,
	const struct gsakmp_packed *packed, size_t *size);
/* gsakmp_rekey_open - decrypt one Rekey Event Data; then
 * gsakmp_packages_read(). */
GK_MUST_CHECK enum gk_err gsakmp_rekey_open(
	const struct gsakmp_dialect *dialect,
	const struct gsakmp_wrapping *with,
	const struct gsakmp_rekey_data *data, struct gk_buf *plain,
	struct gsakmp_reject *why);
/* The Policy Token of a Rekey Event, under a GTPK (section 5.3.1.1). */
GK_MUST_CHECK enum gk_err gsakmp_rekey_token_seal(
	const struct gk_env *env, const struct gsakmp_dialect *dialect,
	const struct gsakmp_wrapping *gtpk, uint16_t token_type,
	struct gk_slice plain, struct gk_buf *out);
GK_MUST_CHECK enum gk_err gsakmp_rekey_token_open(
	const struct gsakmp_dialect *dialect,
	const struct gsakmp_wrapping *gtpk, uint16_t token_type,
	struct gk_slice sealed, struct gk_buf *plain,
	struct gsakmp_reject *why);

#endif /* GSAKMP_MESSAGE_PROTECT_H */
