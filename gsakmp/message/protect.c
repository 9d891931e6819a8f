/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/message/protect.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/message/sealed.h"

/* Where the IV of one ciphertext is. */
enum iv_place { IV_PREFIX, IV_SUFFIX, IV_DERIVED };

/* Everything about one encryption but the data. */
struct job {
	struct gsakmp_cipher cipher;
	enum gk_pad pad;
	enum iv_place place;
	uint8_t iv[GK_CIPHER_BLOCK_MAX]; /* if IV_DERIVED */
	struct gk_slice key;             /* Key Data, nonce included */
	struct gk_slice aad;             /* used by AEAD ciphers only */
};

/* How many octets of a plaintext are data, for padding that does not say. */
typedef size_t measure_fn(const struct gsakmp_dialect *dialect,
                          struct gk_slice plain);

static enum gk_err
job_init(struct job *job, const struct gsakmp_dialect *dialect,
         uint16_t key_type, struct gk_slice key)
{
	*job = (struct job){ .pad = gsakmp_pad(dialect), .key = key };
	if (!gsakmp_cipher(dialect, key_type, &job->cipher) ||
	    key.len != job->cipher.key + job->cipher.nonce)
		return GK_ERR_VALUE;
	return GK_OK;
}

static bool
is_aead(const struct job *job)
{
	return job->cipher.tag != 0;
}

static bool
iv_sent(const struct job *job)
{
	return is_aead(job) || job->place != IV_DERIVED;
}

/* The IV as the cipher wants it: CTR makes a counter block of it. */
static struct gk_slice
cipher_iv(const struct job *job, const uint8_t *iv,
          uint8_t block[GK_CIPHER_BLOCK_MAX])
{
	uint8_t nonce[4] = { 0 };

	if (gk_cipher_is_cbc(job->cipher.alg) || is_aead(job))
		return (struct gk_slice){ iv, job->cipher.iv };
	if (job->cipher.nonce == sizeof(nonce))
		memcpy(nonce, job->key.ptr + job->cipher.key, sizeof(nonce));
	gk_ctr_block(nonce, iv, block);
	gk_wipe(nonce, sizeof(nonce));
	return (struct gk_slice){ block, GK_CIPHER_BLOCK_MAX };
}

static enum gk_err
encrypt(const struct job *job, const uint8_t *iv, struct gk_slice plain,
        struct gk_buf *out)
{
	const struct gk_slice key = { job->key.ptr, job->cipher.key };
	const struct gk_slice none = { NULL, 0 };
	uint8_t block[GK_CIPHER_BLOCK_MAX];
	struct gk_slice civ = cipher_iv(job, iv, block);
	enum gk_err err;

	if (gk_cipher_is_cbc(job->cipher.alg))
		return gk_cbc_seal(job->cipher.alg, job->pad, key, civ, plain,
		                   out);
	err = gk_cipher_encrypt(job->cipher.alg, key, civ,
	                        is_aead(job) ? job->aad : none, plain, out);
	gk_wipe(block, sizeof(block)); /* CTR: a part of Key Data */
	return err;
}

static enum gk_err
decrypt(const struct job *job, const uint8_t *iv, struct gk_slice sealed,
        struct gk_buf *out)
{
	const struct gk_slice key = { job->key.ptr, job->cipher.key };
	const struct gk_slice none = { NULL, 0 };
	uint8_t block[GK_CIPHER_BLOCK_MAX];
	struct gk_slice civ = cipher_iv(job, iv, block);
	enum gk_err err;

	if (gk_cipher_is_cbc(job->cipher.alg))
		return gk_cbc_open(job->cipher.alg, job->pad, key, civ, sealed,
		                   out);
	err = gk_cipher_decrypt(job->cipher.alg, key, civ,
	                        is_aead(job) ? job->aad : none, sealed, out);
	gk_wipe(block, sizeof(block)); /* CTR: a part of Key Data */
	return err;
}

static enum gk_err
seal(const struct gk_env *env, const struct job *job, struct gk_slice plain,
     struct gk_buf *out)
{
	uint8_t iv[GK_CIPHER_BLOCK_MAX];
	const struct gk_slice sent = { iv, job->cipher.iv };
	struct gk_buf text = { 0 };
	bool first = is_aead(job) || job->place == IV_PREFIX;
	size_t before, after;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	if (iv_sent(job))
		GK_TRY(env->random(env->ctx, iv, job->cipher.iv));
	else
		memcpy(iv, job->iv, sizeof(iv));
	before = first ? sent.len : 0;
	after = !first && iv_sent(job) ? sent.len : 0;
	err = encrypt(job, iv, plain, &text);
	if (err == GK_OK)
		err = gk_buf_alloc(out, before + text.len + after);
	/* Nothing, with neither IV nor padding, is nothing. */
	if (err == GK_OK && out->len != 0) {
		memcpy(out->ptr, iv, before);
		if (text.len != 0)
			memcpy(out->ptr + before, text.ptr, text.len);
		memcpy(out->ptr + before + text.len, iv, after);
	}
	gk_buf_free(&text);
	return err;
}

/* Zero padding and padding only where needed: the data says where it ends. */
static enum gk_err
strip(const struct gsakmp_dialect *dialect, const struct job *job,
      measure_fn *measure, struct gk_buf *plain)
{
	size_t len;

	if (!gk_cipher_is_cbc(job->cipher.alg) ||
	    (job->pad != GK_PAD_ZERO && job->pad != GK_PAD_PKCS7_IFNEEDED))
		return GK_OK;
	len = measure(dialect, gk_buf_slice(plain));
	GK_TRY(gk_pad_check(job->pad, job->cipher.block, gk_buf_slice(plain),
	                    len));
	plain->len = len;
	return GK_OK;
}

static enum gk_err
open_sealed(const struct gsakmp_dialect *dialect, const struct job *job,
            measure_fn *measure, struct gk_slice sealed, struct gk_buf *plain)
{
	const uint8_t *iv = job->iv;
	enum gk_err err;

	*plain = (struct gk_buf){ 0 };
	if (iv_sent(job)) {
		if (sealed.len < job->cipher.iv)
			return GK_ERR_VALUE;
		sealed.len -= job->cipher.iv;
		if (is_aead(job) || job->place == IV_PREFIX) {
			iv = sealed.ptr;
			sealed.ptr += job->cipher.iv;
		} else {
			iv = sealed.ptr + sealed.len;
		}
	}
	err = decrypt(job, iv, sealed, plain);
	if (err == GK_OK)
		err = strip(dialect, job, measure, plain);
	if (err != GK_OK)
		gk_buf_free(plain);
	return err;
}

/* One answer for every way in which decryption can fail. */
static enum gk_err
failed(struct gsakmp_reject *why, enum gk_err err, const char *req,
       const char *field)
{
	if (err == GK_OK ||
	    !GK_CHECKED(req, "RFC4535-5.2.1.2-15", "RFC4535-7.4.1-01"))
		return GK_OK;
	return gsakmp_refuse(why, err, GSAKMP_NOTIFY_PAYLOAD_MALFORMED, req,
	                     field, 0);
}

/* Measures ----------------------------------------------------------------- */

/* A token is one DER element; everything, if it is none. */
static size_t
token_measure(const struct gsakmp_dialect *dialect, struct gk_slice plain)
{
	size_t len, head = 2;

	(void)dialect;
	if (plain.len < head)
		return plain.len;
	len = plain.ptr[1];
	if (len > 0x80 && len <= 0x84) {
		size_t n = len & 0x7f;

		head += n;
		if (plain.len < head)
			return plain.len;
		len = 0;
		for (size_t i = 0; i < n; i++)
			len = len << 8 | plain.ptr[2 + i];
	}
	return len > plain.len - head ? plain.len : head + len;
}

static size_t
items_measure(const struct gsakmp_dialect *dialect, struct gk_slice plain,
              enum gsakmp_keys_place place, long count)
{
	struct gsakmp_keys keys;
	struct gk_rd rd;

	gk_rd_init(&rd, plain.ptr, plain.len);
	if (gsakmp_keys_decode(&rd, dialect, place, count, &keys) != GK_OK)
		return plain.len;
	return gk_rd_offset(&rd);
}

static size_t
download_measure(const struct gsakmp_dialect *dialect, struct gk_slice plain)
{
	return items_measure(dialect, plain, GSAKMP_KEYS_DOWNLOAD,
	                     GSAKMP_COUNT_INSIDE);
}

static size_t
packages_measure(const struct gsakmp_dialect *dialect, struct gk_slice plain)
{
	return items_measure(dialect, plain, GSAKMP_KEYS_PACKAGES,
	                     GSAKMP_COUNT_INSIDE);
}

/* With the count in clear, items go on until what is left is padding: fewer
 * octets than a block, which is shorter than any item with a key. */
static size_t
bare_packages_measure(const struct gsakmp_dialect *dialect,
                      struct gk_slice plain)
{
	size_t at = 0;

	for (;;) {
		struct gk_slice rest = { plain.ptr + at, plain.len - at };
		struct gsakmp_keys keys;
		struct gk_rd rd;

		gk_rd_init(&rd, rest.ptr, rest.len);
		if (rest.len < GK_CIPHER_BLOCK_MAX ||
		    gsakmp_keys_decode(&rd, dialect, GSAKMP_KEYS_PACKAGES, 1,
		                       &keys) != GK_OK)
			return at;
		at += gk_rd_offset(&rd);
	}
}

/* Registration ------------------------------------------------------------- */

enum part { PART_TOKEN, PART_KEYS };

/* Dialect iv_keydl, for the first or the second encrypted part. */
static enum gk_err
kek_job(struct job *job, const struct gsakmp_dialect *dialect,
        const struct gsakmp_kek *kek, enum part part)
{
	GK_TRY(job_init(job, dialect, kek->type,
	                (struct gk_slice){ kek->key, kek->len }));
	job->place = IV_DERIVED;
	switch (dialect->iv_keydl) {
	case GSAKMP_IV_KEYDL_PREFIX:
		job->place = IV_PREFIX;
		break;
	case GSAKMP_IV_KEYDL_SUFFIX:
		job->place = IV_SUFFIX;
		break;
	case GSAKMP_IV_KEYDL_CHAIN_PREFIX:
	case GSAKMP_IV_KEYDL_CHAIN_ZERO:
		if (part == PART_KEYS)
			memcpy(job->iv, kek->chain, sizeof(job->iv));
		else if (dialect->iv_keydl == GSAKMP_IV_KEYDL_CHAIN_PREFIX)
			job->place = IV_PREFIX;
		break;
	default: /* zero, and the readings that derive one */
		memcpy(job->iv, kek->iv, sizeof(job->iv));
		break;
	}
	return GK_OK;
}

/* What the chaining readings go on from: the last block of the token. */
static void
chain(struct gsakmp_kek *kek, const struct job *job, struct gk_slice sealed)
{
	size_t n = job->cipher.block;

	memset(kek->chain, 0, sizeof(kek->chain));
	if (gk_cipher_is_cbc(job->cipher.alg) && sealed.len >= n)
		memcpy(kek->chain, sealed.ptr + sealed.len - n, n);
}

/* Associated data of a token: what of its payload stays in clear. */
static struct gk_slice
token_aad(uint16_t token_type, uint8_t out[2])
{
	out[0] = (uint8_t)(token_type >> 8);
	out[1] = (uint8_t)token_type;
	return (struct gk_slice){ out, 2 };
}

enum gk_err
gsakmp_token_seal(const struct gk_env *env,
                  const struct gsakmp_dialect *dialect, struct gsakmp_kek *kek,
                  uint16_t token_type, struct gk_slice plain,
                  struct gk_buf *out)
{
	uint8_t aad[2];
	struct job job;

	*out = (struct gk_buf){ 0 };
	GK_TRY(kek_job(&job, dialect, kek, PART_TOKEN));
	job.aad = token_aad(token_type, aad);
	GK_TRY(seal(env, &job, plain, out));
	chain(kek, &job, gk_buf_slice(out));
	return GK_OK;
}

enum gk_err
gsakmp_token_open(const struct gsakmp_dialect *dialect, struct gsakmp_kek *kek,
                  uint16_t token_type, struct gk_slice sealed,
                  struct gk_buf *plain, struct gsakmp_reject *why)
{
	uint8_t aad[2];
	struct job job;

	*plain = (struct gk_buf){ 0 };
	GK_TRY(failed(why, kek_job(&job, dialect, kek, PART_TOKEN),
	              "RFC4535-7.3.2-03", "Policy Token Data"));
	job.aad = token_aad(token_type, aad);
	chain(kek, &job, sealed);
	return failed(why,
	              open_sealed(dialect, &job, token_measure, sealed, plain),
	              "RFC4535-7.3.2-03", "Policy Token Data");
}

/* Write the plaintext, encrypt it, wipe it. */
static enum gk_err
seal_keys(const struct gk_env *env, const struct job *job,
          const struct gsakmp_keys *keys, bool with_count, struct gk_buf *out,
          size_t *plain_len)
{
	struct gk_buf plain;
	struct gk_wr wr;
	enum gk_err err;

	*plain_len = gsakmp_keys_size(keys, with_count);
	GK_TRY(gk_buf_alloc(&plain, *plain_len));
	gk_wr_init(&wr, plain.ptr, plain.len);
	gsakmp_keys_encode(&wr, keys, with_count);
	err = gk_wr_done(&wr);
	if (err == GK_OK)
		err = seal(env, job, gk_buf_slice(&plain), out);
	gk_buf_free(&plain);
	return err;
}

enum gk_err
gsakmp_key_download_seal(const struct gk_env *env,
                         const struct gsakmp_dialect *dialect,
                         struct gsakmp_kek *kek, const struct gsakmp_keys *keys,
                         struct gk_buf *out)
{
	struct job job;
	size_t len;

	*out = (struct gk_buf){ 0 };
	GK_TRY(kek_job(&job, dialect, kek, PART_KEYS));
	return seal_keys(env, &job, keys, true, out, &len);
}

enum gk_err
gsakmp_key_download_open(const struct gsakmp_dialect *dialect,
                         struct gsakmp_kek *kek, struct gk_slice sealed,
                         struct gk_buf *plain, struct gsakmp_reject *why)
{
	struct job job;

	*plain = (struct gk_buf){ 0 };
	GK_TRY(failed(why, kek_job(&job, dialect, kek, PART_KEYS),
	              "RFC4535-7.4.2-01", "Key Download"));
	return failed(
		why,
		open_sealed(dialect, &job, download_measure, sealed, plain),
		"RFC4535-7.4.2-01", "Key Download");
}

/* Rekey -------------------------------------------------------------------- */

/* Dialect iv_rekey.  @clear: KeyID and Handle, which `handle` makes an IV of. */
static enum gk_err
wrapping_job(struct job *job, const struct gsakmp_dialect *dialect,
             const struct gsakmp_wrapping *with, struct gk_slice clear)
{
	struct gk_slice iv = { NULL, 0 };

	GK_TRY(job_init(job, dialect, with->type, with->key));
	job->place = IV_DERIVED;
	switch (dialect->iv_rekey) {
	case GSAKMP_IV_REKEY_PREFIX:
		job->place = IV_PREFIX;
		break;
	case GSAKMP_IV_REKEY_SUFFIX:
		job->place = IV_SUFFIX;
		break;
	case GSAKMP_IV_REKEY_HANDLE:
		iv = clear;
		break;
	case GSAKMP_IV_REKEY_KEY:
		iv = with->key;
		break;
	default:
		break;
	}
	if (iv.len > sizeof(job->iv))
		iv.len = sizeof(job->iv);
	if (iv.len != 0)
		memcpy(job->iv, iv.ptr, iv.len);
	return GK_OK;
}

enum gk_err
gsakmp_rekey_seal(const struct gk_env *env,
                  const struct gsakmp_dialect *dialect,
                  const struct gsakmp_wrapping *with,
                  const struct gsakmp_keys *packages, struct gk_buf *out)
{
	const struct gsakmp_rekey_shape shape = { dialect, with->type };
	bool inside = dialect->red_scope == GSAKMP_RED_SCOPE_COUNT;
	struct gsakmp_rekey_data data = {
		.key_id = with->id,
		.handle = with->handle,
		.count = inside ? GSAKMP_COUNT_INSIDE : packages->n_items,
	};
	struct gk_buf text = { 0 };
	uint8_t clear[8];
	struct gk_wr wr;
	struct job job;
	size_t plain_len;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	GK_TRY(wrapping_job(
		&job, dialect, with,
		gsakmp_rekey_clear(dialect, with->id, with->handle, clear)));
	job.aad = gsakmp_rekey_clear(dialect, with->id, with->handle, clear);
	GK_TRY(seal_keys(env, &job, packages, inside, &text, &plain_len));
	data.sealed = gk_buf_slice(&text);
	err = gk_buf_alloc(out, 2 + job.aad.len + 2 + text.len);
	if (err == GK_OK) {
		gk_wr_init(&wr, out->ptr, out->len);
		gsakmp_rekey_data_encode(&wr, &shape, &data, plain_len);
		err = gk_wr_done(&wr);
		out->len = wr.len;
	}
	gk_buf_free(&text);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}

enum gk_err
gsakmp_rekey_open(const struct gsakmp_dialect *dialect,
                  const struct gsakmp_wrapping *with,
                  const struct gsakmp_rekey_data *data, struct gk_buf *plain,
                  struct gsakmp_reject *why)
{
	measure_fn *measure = data->count == GSAKMP_COUNT_INSIDE
	                              ? packages_measure
	                              : bare_packages_measure;
	enum gk_err err;
	struct job job;

	*plain = (struct gk_buf){ 0 };
	err = wrapping_job(&job, dialect, with, data->clear);
	job.aad = data->clear;
	if (err == GK_OK)
		err = open_sealed(dialect, &job, measure, data->sealed, plain);
	return failed(why, err, "RFC4535-7.5.2-11", "Rekey Event Data");
}

/* A GTPK's KeyID and Handle are not transmitted with a token, so they are taken
 * in their own width. */
static enum gk_err
gtpk_job(struct job *job, const struct gsakmp_dialect *dialect,
         const struct gsakmp_wrapping *gtpk)
{
	uint8_t clear[8];
	struct gk_wr wr;

	gk_wr_init(&wr, clear, sizeof(clear));
	gk_wr_u32(&wr, gtpk->id);
	gk_wr_u32(&wr, gtpk->handle);
	return wrapping_job(job, dialect, gtpk,
	                    (struct gk_slice){ clear, wr.len });
}

enum gk_err
gsakmp_rekey_token_seal(const struct gk_env *env,
                        const struct gsakmp_dialect *dialect,
                        const struct gsakmp_wrapping *gtpk, uint16_t token_type,
                        struct gk_slice plain, struct gk_buf *out)
{
	uint8_t aad[2];
	struct job job;

	*out = (struct gk_buf){ 0 };
	GK_TRY(gtpk_job(&job, dialect, gtpk));
	job.aad = token_aad(token_type, aad);
	return seal(env, &job, plain, out);
}

enum gk_err
gsakmp_rekey_token_open(const struct gsakmp_dialect *dialect,
                        const struct gsakmp_wrapping *gtpk, uint16_t token_type,
                        struct gk_slice sealed, struct gk_buf *plain,
                        struct gsakmp_reject *why)
{
	uint8_t aad[2];
	struct job job;

	*plain = (struct gk_buf){ 0 };
	GK_TRY(failed(why, gtpk_job(&job, dialect, gtpk), "RFC4535-5.3.1.1-05",
	              "Policy Token Data"));
	job.aad = token_aad(token_type, aad);
	return failed(why,
	              open_sealed(dialect, &job, token_measure, sealed, plain),
	              "RFC4535-5.3.1.1-05", "Policy Token Data");
}
