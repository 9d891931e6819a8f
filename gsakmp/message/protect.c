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
      gsakmp_measure_fn *measure, struct gk_buf *plain)
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
            gsakmp_measure_fn *measure, struct gk_slice sealed,
            struct gk_buf *plain)
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
	return failed(
		why,
		open_sealed(dialect, &job, gsakmp_token_measure, sealed, plain),
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
	return failed(why,
	              open_sealed(dialect, &job, gsakmp_download_measure,
	                          sealed, plain),
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

static bool
count_inside(const struct gsakmp_dialect *dialect)
{
	return dialect->red_scope == GSAKMP_RED_SCOPE_COUNT;
}

static size_t
wrapping_len(const struct gsakmp_dialect *dialect)
{
	return dialect->wrap_width == GSAKMP_WRAP_WIDTH_2 ? 6 : 8;
}

static size_t
packed_len(const struct gsakmp_dialect *dialect,
           const struct gsakmp_packed *packed)
{
	size_t n = count_inside(dialect) ? 2 : 0;

	for (size_t i = 0; i < packed->n_parts; i++)
		n += packed->part[i].len;
	return n;
}

static enum gk_err
write_packed(const struct gsakmp_dialect *dialect,
             const struct gsakmp_packed *packed, uint8_t *at, size_t len)
{
	struct gk_wr wr;

	gk_wr_init(&wr, at, len);
	if (count_inside(dialect))
		gk_wr_u16(&wr, packed->items);
	for (size_t i = 0; i < packed->n_parts; i++)
		gk_wr_bytes(&wr, packed->part[i]);
	return gk_wr_done(&wr);
}

enum gk_err
gsakmp_rekey_seal_size(const struct gsakmp_dialect *dialect, uint16_t type,
                       const struct gsakmp_packed *packed, size_t *size)
{
	struct gsakmp_cipher cipher;

	if (!gsakmp_cipher(dialect, type, &cipher))
		return GK_ERR_VALUE;
	*size = 2 + wrapping_len(dialect) + (count_inside(dialect) ? 0 : 2) +
	        gsakmp_sealed_length(dialect, &cipher,
	                             gsakmp_rekey_iv_sent(dialect),
	                             packed_len(dialect, packed));
	return GK_OK;
}

/* Where the parts of a ciphertext of one Rekey Event Data come to lie. */
struct layout {
	size_t before, plain, pad, tag, after; /* octets, in this order */
};

static enum gk_err
lay_out(const struct job *job, size_t plain, struct layout *l)
{
	bool first = is_aead(job) || job->place == IV_PREFIX;
	size_t iv = iv_sent(job) ? job->cipher.iv : 0;

	*l = (struct layout){ .before = first ? iv : 0,
		              .plain = plain,
		              .tag = job->cipher.tag,
		              .after = first ? 0 : iv };
	if (!gk_cipher_is_cbc(job->cipher.alg))
		return GK_OK;
	l->pad = gk_pad_len(job->pad, job->cipher.block, plain);
	if ((plain + l->pad) % job->cipher.block != 0)
		return GK_ERR_VALUE; /* padding `none`, and not aligned */
	return GK_OK;
}

/* The ciphertext comes to lie where the plaintext is written first. */
static enum gk_err
seal_in_place(const struct gk_env *env, struct gk_sealer *sealer,
              const struct job *job, const struct layout *l, uint8_t *at)
{
	const struct gk_slice key = { job->key.ptr, job->cipher.key };
	const struct gk_slice none = { NULL, 0 };
	uint8_t iv[GK_CIPHER_BLOCK_MAX], block[GK_CIPHER_BLOCK_MAX];
	uint8_t *text = at + l->before;
	enum gk_err err;

	if (iv_sent(job))
		GK_TRY(env->random(env->ctx, iv, job->cipher.iv));
	else
		memcpy(iv, job->iv, sizeof(iv));
	gk_pad_fill(job->pad, text + l->plain, l->pad);
	err = gk_sealer_encrypt(
		sealer, job->cipher.alg, key, cipher_iv(job, iv, block),
		is_aead(job) ? job->aad : none,
		(struct gk_slice){ text, l->plain + l->pad }, text);
	gk_wipe(block, sizeof(block)); /* CTR: a part of Key Data */
	memcpy(at, iv, l->before);
	memcpy(text + l->plain + l->pad + l->tag, iv, l->after);
	return err;
}

/* Stealing swaps blocks: that is not done in place. */
static enum gk_err
seal_stealing(const struct gk_env *env, const struct gsakmp_rekey_shape *shape,
              const struct job *job, const struct gsakmp_packed *packed,
              struct gsakmp_rekey_data *data, struct gk_wr *wr)
{
	struct gk_buf plain, text = { 0 };
	enum gk_err err;

	GK_TRY(gk_buf_alloc(&plain, packed_len(shape->dialect, packed)));
	err = write_packed(shape->dialect, packed, plain.ptr, plain.len);
	if (err == GK_OK)
		err = seal(env, job, gk_buf_slice(&plain), &text);
	if (err == GK_OK) {
		data->sealed = gk_buf_slice(&text);
		gsakmp_rekey_data_encode(wr, shape, data, plain.len);
		err = gk_wr_done(wr);
	}
	gk_buf_free(&text);
	gk_buf_free(&plain);
	return err;
}

static enum gk_err
rekey_seal(const struct gk_env *env, struct gk_sealer *sealer,
           const struct gsakmp_dialect *dialect,
           const struct gsakmp_wrapping *with,
           const struct gsakmp_packed *packed, struct gk_wr *wr)
{
	const struct gsakmp_rekey_shape shape = { dialect, with->type };
	struct gsakmp_rekey_data data = {
		.key_id = with->id,
		.handle = with->handle,
		.count = count_inside(dialect) ? GSAKMP_COUNT_INSIDE
		                               : packed->items,
	};
	uint8_t clear[8], *at;
	struct layout l;
	struct job job;

	data.clear = gsakmp_rekey_clear(dialect, with->id, with->handle, clear);
	GK_TRY(wrapping_job(&job, dialect, with, data.clear));
	job.aad = data.clear;
	if (gk_cipher_is_cbc(job.cipher.alg) && gk_pad_is_cts(job.pad))
		return seal_stealing(env, &shape, &job, packed, &data, wr);
	GK_TRY(lay_out(&job, packed_len(dialect, packed), &l));
	data.sealed.len = l.before + l.plain + l.pad + l.tag + l.after;
	gsakmp_rekey_data_head(wr, &shape, &data, l.plain);
	GK_TRY(gk_wr_done(wr));
	if (data.sealed.len > wr->cap - wr->len)
		return GK_ERR_SPACE;
	at = wr->buf + wr->len;
	GK_TRY(write_packed(dialect, packed, at + l.before, l.plain));
	GK_TRY(seal_in_place(env, sealer, &job, &l, at));
	wr->len += data.sealed.len;
	return GK_OK;
}

enum gk_err
gsakmp_rekey_seal_into(const struct gk_env *env, struct gk_sealer *sealer,
                       const struct gsakmp_dialect *dialect,
                       const struct gsakmp_wrapping *with,
                       const struct gsakmp_packed *packed, struct gk_wr *wr)
{
	const struct gk_wr before = *wr;
	enum gk_err err = rekey_seal(env, sealer, dialect, with, packed, wr);

	if (err == GK_OK)
		return GK_OK;
	/* The plaintext may lie there. */
	gk_wipe(before.buf + before.len, before.cap - before.len);
	*wr = before;
	return err;
}

enum gk_err
gsakmp_rekey_seal(const struct gk_env *env,
                  const struct gsakmp_dialect *dialect,
                  const struct gsakmp_wrapping *with,
                  const struct gsakmp_keys *packages, struct gk_buf *out)
{
	size_t plain_len = gsakmp_keys_size(packages, false), size = 0;
	struct gsakmp_packed packed = { .items = packages->n_items };
	struct gk_sealer sealer = { 0 };
	struct gk_buf plain;
	struct gk_slice part;
	struct gk_wr wr;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	GK_TRY(gk_buf_alloc(&plain, plain_len));
	gk_wr_init(&wr, plain.ptr, plain.len);
	gsakmp_keys_encode(&wr, packages, false);
	err = gk_wr_done(&wr);
	part = gk_buf_slice(&plain);
	packed.part = &part;
	packed.n_parts = 1;
	if (err == GK_OK)
		err = gsakmp_rekey_seal_size(dialect, with->type, &packed,
		                             &size);
	if (err == GK_OK)
		err = gk_buf_alloc(out, size);
	if (err == GK_OK) {
		gk_wr_init(&wr, out->ptr, out->len);
		err = gsakmp_rekey_seal_into(env, &sealer, dialect, with,
		                             &packed, &wr);
	}
	gk_sealer_end(&sealer);
	gk_buf_free(&plain);
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
	gsakmp_measure_fn *measure = data->count == GSAKMP_COUNT_INSIDE
	                                     ? gsakmp_packages_measure
	                                     : gsakmp_bare_packages_measure;
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
	return failed(
		why,
		open_sealed(dialect, &job, gsakmp_token_measure, sealed, plain),
		"RFC4535-5.3.1.1-05", "Policy Token Data");
}
