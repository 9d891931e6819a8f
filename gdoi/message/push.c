/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/message/push.h"

#include <string.h>

#include "common/base/gk_check.h"

#define SIGN_TRIES 256 /* for a DER signature of the length we reserved */

enum gk_cipher
gdoi_kek_cipher(uint16_t algorithm, uint16_t bits)
{
	switch (algorithm) {
	case GDOI_KEK_ALG_DES:
		return bits == 0 || bits == 64 ? GK_CIPHER_DES_CBC_LEGACY
		                               : GK_CIPHER_NONE;
	case GDOI_KEK_ALG_3DES:
		return bits == 0 || bits == 192
		               ? GK_CIPHER_TRIPLE_DES_CBC_LEGACY
		               : GK_CIPHER_NONE;
	case GDOI_KEK_ALG_AES:
		/* RFC6407-5.3.3-01: it must say which of its lengths. */
		return gk_cipher_aes_cbc(bits);
	default:
		return GK_CIPHER_NONE;
	}
}

static enum gk_hash
sig_hash(uint16_t hash)
{
	switch (hash) {
	case GDOI_SIG_HASH_MD5:
		return GK_HASH_MD5_LEGACY;
	case GDOI_SIG_HASH_SHA1:
		return GK_HASH_SHA1_LEGACY;
	case GDOI_SIG_HASH_SHA256:
		return GK_HASH_SHA256;
	case GDOI_SIG_HASH_SHA384:
		return GK_HASH_SHA384;
	case GDOI_SIG_HASH_SHA512:
		return GK_HASH_SHA512;
	default:
		return GK_HASH_NONE;
	}
}

/* ECDSS names no curve: the length of the key does. */
static enum gk_sig_scheme
ecdss_scheme(uint16_t key_bits)
{
	switch (key_bits) {
	case 256:
		return GK_SIG_ECDSA_P256;
	case 384:
		return GK_SIG_ECDSA_P384;
	case 521:
		return GK_SIG_ECDSA_P521;
	default:
		return GK_SIG_NONE;
	}
}

/* RFC6407-5.3.5-02: the curve implies its hash; said all the same, it has to be
 * that one. */
static struct gk_sig_alg
ecdsa(struct gk_sig_alg alg, uint16_t hash)
{
	if (hash != 0 && sig_hash(hash) != alg.hash)
		alg.scheme = GK_SIG_NONE;
	alg.encoding = GK_SIG_RAW;
	return alg;
}

struct gk_sig_alg
gdoi_kek_signature(const struct gdoi_dialect *dialect, uint16_t algorithm,
                   uint16_t hash, uint16_t key_bits)
{
	struct gk_sig_alg alg = { .hash = sig_hash(hash) };

	alg.encoding = dialect->dss_format == GDOI_DSS_FORMAT_DER ? GK_SIG_DER
	                                                          : GK_SIG_RAW;
	switch (algorithm) {
	case GDOI_SIG_ALG_RSA:
		alg.scheme = GK_SIG_RSA_PKCS1;
		break;
	case GDOI_SIG_ALG_DSS:
		alg.scheme = GK_SIG_DSA_LEGACY;
		break;
	case GDOI_SIG_ALG_ECDSS:
		alg.scheme = ecdss_scheme(key_bits);
		break;
	case GDOI_SIG_ALG_ECDSA_256:
		return ecdsa(GK_SIG_P256_SHA256, hash);
	case GDOI_SIG_ALG_ECDSA_384:
		return ecdsa(GK_SIG_P384_SHA384, hash);
	case GDOI_SIG_ALG_ECDSA_521:
		return ecdsa(GK_SIG_P521_SHA512, hash);
	default:
		break;
	}
	/* RFC 6407 gives these no default hash. */
	if (alg.hash == GK_HASH_NONE)
		alg.scheme = GK_SIG_NONE;
	return alg;
}

/* ---- what is signed ----------------------------------------------------- */

/* "rekey" | header | payloads; under push_rsa_form `bare` the digest of it. */
static enum gk_err
signed_octets(const struct gdoi_dialect *dialect, const struct gdoi_kek *kek,
              const uint8_t header[ISAKMP_HEADER_LEN], struct gk_slice payloads,
              struct gk_sig_alg *alg, struct gk_buf *out)
{
	static const uint8_t rekey[] = "rekey";
	const struct gk_slice parts[] = {
		{ rekey,
		  dialect->push_sig_prefix == GDOI_PUSH_SIG_PREFIX_REKEY_NUL
		          ? sizeof(rekey)
		          : sizeof(rekey) - 1 },
		{ header, ISAKMP_HEADER_LEN },
		payloads,
	};
	uint8_t digest[GK_HASH_MAX];

	*out = (struct gk_buf){ 0 };
	*alg = kek->signature;
	if (alg->scheme == GK_SIG_RSA_PKCS1 &&
	    dialect->push_rsa_form == GDOI_PUSH_RSA_FORM_BARE) {
		GK_TRY(gk_hash(alg->hash, parts, GK_COUNT(parts), digest));
		alg->hash = GK_HASH_NONE;
		return gk_buf_copy(
			out,
			(struct gk_slice){ digest,
		                           gk_hash_size(kek->signature.hash) });
	}
	for (size_t i = 0; i < GK_COUNT(parts); i++)
		GK_TRY(gk_buf_append(out, parts[i]));
	return GK_OK;
}

/* The header that is signed: switch push_sig_hdr. */
static void
signed_header(uint8_t form, const uint8_t *sent, size_t unpadded,
              uint8_t out[ISAKMP_HEADER_LEN])
{
	memcpy(out, sent, ISAKMP_HEADER_LEN);
	if (form == GDOI_PUSH_SIG_HDR_FINAL)
		return;
	isakmp_header_set_length(out, (uint32_t)unpadded);
	if (form == GDOI_PUSH_SIG_HDR_CLEAR)
		isakmp_header_clear_encrypted(out);
}

/* ---- sending ------------------------------------------------------------ */

struct sealing {
	const struct gk_env *env;
	const struct gdoi_dialect *dialect;
	struct gdoi_kek *kek;
	const struct gk_signer *signer;
	struct gk_slice payloads;
	uint8_t header[ISAKMP_HEADER_LEN]; /* as it will be sent */
	size_t unpadded; /* octets of the message without padding */
};

static size_t
iv_sent(const struct sealing *s)
{
	return s->dialect->push_iv == GDOI_PUSH_IV_PREPENDED
	               ? gk_cipher_iv_len(s->kek->cipher)
	               : 0;
}

static void
header_write(struct sealing *s, uint8_t first, size_t sig_len)
{
	size_t block = gk_cipher_block_len(s->kek->cipher), pad;
	struct isakmp_header h = { .next_payload = first,
		                   .version = ISAKMP_VERSION,
		                   .exchange = ISAKMP_EXCHANGE_GROUPKEY_PUSH,
		                   .flags = ISAKMP_FLAG_ENCRYPTION };
	struct gk_wr wr;

	memcpy(h.cookie_i, s->kek->spi, ISAKMP_COOKIE_LEN);
	memcpy(h.cookie_r, s->kek->spi + ISAKMP_COOKIE_LEN, ISAKMP_COOKIE_LEN);
	s->unpadded = ISAKMP_HEADER_LEN + s->payloads.len + ISAKMP_GENERIC_LEN +
	              sig_len;
	pad = (block - (s->unpadded - ISAKMP_HEADER_LEN) % block) % block;
	if (s->dialect->pad == GDOI_PAD_ZERO_LEN && pad == 0)
		pad = block;
	h.length = (uint32_t)(s->unpadded + pad + iv_sent(s));
	gk_wr_init(&wr, s->header, sizeof(s->header));
	isakmp_header_encode(&wr, &h);
}

static enum gk_err
sign(struct sealing *s, uint8_t first, struct gk_buf *sig)
{
	const struct gk_pubkey *pub = gk_signer_pubkey(s->signer);
	uint8_t header[ISAKMP_HEADER_LEN];
	struct gk_buf octets = { 0 };
	struct gk_sig_alg alg;
	size_t len = gk_sig_likely_len(pub, s->kek->signature);
	enum gk_err err;

	if (len == 0)
		return GK_ERR_VALUE;
	header_write(s, first, len);
	signed_header(s->dialect->push_sig_hdr, s->header, s->unpadded, header);
	err = signed_octets(s->dialect, s->kek, header, s->payloads, &alg,
	                    &octets);
	/* The length of a DER signature varies, and is under the signature. */
	for (int i = 0; err == GK_OK && sig->len != len; i++) {
		gk_buf_free(sig);
		err = i == SIGN_TRIES ? GK_ERR_CRYPTO
		                      : gk_sign(s->signer, alg,
		                                gk_buf_slice(&octets), sig);
	}
	gk_buf_free(&octets);
	return err;
}

/* The IV of this message: switch push_iv. */
static enum gk_err
choose_iv(const struct gk_env *env, const struct gdoi_dialect *dialect,
          const struct gdoi_kek *kek, uint8_t iv[GK_CIPHER_BLOCK_MAX])
{
	size_t len = gk_cipher_iv_len(kek->cipher);

	memset(iv, 0, GK_CIPHER_BLOCK_MAX);
	switch (dialect->push_iv) {
	case GDOI_PUSH_IV_PREPENDED:
		return env->random(env->ctx, iv, len);
	case GDOI_PUSH_IV_ZERO:
		return GK_OK;
	case GDOI_PUSH_IV_CHAINED:
		if (kek->has_chained) {
			memcpy(iv, kek->chained, len);
			return GK_OK;
		}
		break;
	default:
		break;
	}
	if (kek->iv.len != len)
		return GK_ERR_VALUE;
	memcpy(iv, kek->iv.ptr, len);
	return GK_OK;
}

static enum gk_err
encrypt(struct sealing *s, struct gk_slice clear, struct gk_buf *out)
{
	struct isakmp_cbc cbc = { .cipher = s->kek->cipher,
		                  .key = s->kek->key };
	size_t iv_len = gk_cipher_iv_len(s->kek->cipher);
	struct gk_buf sealed = { 0 };
	uint8_t sent[GK_CIPHER_BLOCK_MAX];
	struct gk_slice iv;
	enum gk_err err;

	GK_TRY(choose_iv(s->env, s->dialect, s->kek, cbc.iv));
	memcpy(sent, cbc.iv, sizeof(sent));
	iv = (struct gk_slice){ sent, iv_sent(s) };
	err = isakmp_seal(&cbc, s->dialect, clear, &sealed);
	if (err == GK_OK)
		err = gk_buf_copy(
			out, (struct gk_slice){ s->header, ISAKMP_HEADER_LEN });
	if (err == GK_OK)
		err = gk_buf_append(out, iv);
	if (err == GK_OK)
		err = gk_buf_append(
			out,
			(struct gk_slice){ sealed.ptr + ISAKMP_HEADER_LEN,
		                           sealed.len - ISAKMP_HEADER_LEN });
	gk_buf_free(&sealed);
	if (err == GK_OK) {
		memcpy(s->kek->chained, cbc.iv, iv_len);
		s->kek->has_chained = true;
	}
	return err;
}

enum gk_err
gdoi_push_seal(const struct gk_env *env, const struct gdoi_dialect *dialect,
               struct gdoi_kek *kek, const struct gk_signer *signer,
               uint8_t first, struct gk_slice payloads, struct gk_buf *out)
{
	struct sealing s = { .env = env,
		             .dialect = dialect,
		             .kek = kek,
		             .signer = signer,
		             .payloads = payloads };
	struct gk_buf sig = { 0 }, clear = { 0 };
	struct gk_wr_hole hole;
	struct gk_wr wr;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	err = sign(&s, first, &sig);
	if (err == GK_OK)
		err = gk_buf_alloc(&clear, s.unpadded);
	if (err == GK_OK) {
		gk_wr_init(&wr, clear.ptr, clear.len);
		gk_wr_bytes(&wr,
		            (struct gk_slice){ s.header, ISAKMP_HEADER_LEN });
		gk_wr_bytes(&wr, payloads);
		hole = isakmp_generic_begin(&wr, ISAKMP_PAYLOAD_NONE);
		gk_wr_bytes(&wr, gk_buf_slice(&sig));
		gk_wr_close(&wr, hole);
		err = gk_wr_done(&wr);
	}
	if (err == GK_OK)
		err = encrypt(&s, gk_buf_slice(&clear), out);
	gk_buf_free(&sig);
	gk_buf_free(&clear);
	return err;
}

/* ---- receiving ---------------------------------------------------------- */

static enum gk_err
refuse(struct isakmp_reject *why, enum gk_err err, const char *req,
       const char *field, size_t at)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_PAYLOAD_MALFORMED, req,
	                     field, at);
}

/* Takes a prepended IV out of the message. */
static enum gk_err
decrypt(const struct gdoi_dialect *dialect, const struct gdoi_kek *kek,
        struct gk_slice message, struct gdoi_push *push)
{
	struct isakmp_cbc cbc = { .cipher = kek->cipher, .key = kek->key };
	size_t iv_len = gk_cipher_iv_len(kek->cipher);
	struct gk_buf without = { 0 };
	enum gk_err err;

	if (dialect->push_iv != GDOI_PUSH_IV_PREPENDED) {
		GK_TRY(choose_iv(NULL, dialect, kek, cbc.iv));
		return isakmp_open(&cbc, message, &push->clear, push->next);
	}
	if (message.len <= ISAKMP_HEADER_LEN + iv_len)
		return GK_ERR_VALUE;
	memcpy(cbc.iv, message.ptr + ISAKMP_HEADER_LEN, iv_len);
	err = gk_buf_copy(&without,
	                  (struct gk_slice){ message.ptr, ISAKMP_HEADER_LEN });
	if (err == GK_OK)
		err = gk_buf_append(
			&without,
			(struct gk_slice){
				message.ptr + ISAKMP_HEADER_LEN + iv_len,
				message.len - ISAKMP_HEADER_LEN - iv_len });
	if (err == GK_OK)
		err = isakmp_open(&cbc, gk_buf_slice(&without), &push->clear,
		                  push->next);
	gk_buf_free(&without);
	return err;
}

enum gk_err
gdoi_push_open(const struct gdoi_dialect *dialect, const struct gdoi_kek *kek,
               struct gk_slice message, struct gdoi_push *push,
               struct isakmp_reject *why)
{
	const struct isakmp_cbc cbc = { .cipher = kek->cipher };
	struct gk_rd rd;
	enum gk_err err;

	*push = (struct gdoi_push){ 0 };
	err = decrypt(dialect, kek, message, push);
	if (err != GK_OK)
		return refuse(why, err, "RFC6407-4.4-02", "ciphertext",
		              ISAKMP_HEADER_LEN);
	gk_rd_init(&rd, push->clear.ptr, push->clear.len);
	err = isakmp_header_decode(&rd, &push->header);
	if (err == GK_OK)
		err = isakmp_chain_read(&rd, push->header.next_payload,
		                        &push->chain, why);
	if (err == GK_OK &&
	    isakmp_padding_check(&cbc, dialect, gk_buf_slice(&push->clear),
	                         push->chain.end) != GK_OK &&
	    GK_CHECKED("RFC2409-B-05"))
		err = refuse(why, GK_ERR_TRAILING, "RFC2409-B-05", "padding",
		             push->chain.end);
	if (err != GK_OK)
		gdoi_push_free(push);
	return err;
}

void
gdoi_push_free(struct gdoi_push *push)
{
	gk_buf_free(&push->clear);
	gk_wipe(push, sizeof(*push));
}

static enum gk_err
verify_as(const struct gdoi_dialect *dialect, const struct gdoi_kek *kek,
          const struct gk_pubkey *key, const struct gdoi_push *push,
          uint8_t form, const struct isakmp_generic *sig)
{
	const struct gk_slice payloads = { push->clear.ptr + ISAKMP_HEADER_LEN,
		                           sig->at - ISAKMP_HEADER_LEN };
	uint8_t header[ISAKMP_HEADER_LEN];
	struct gk_buf octets = { 0 };
	struct gk_sig_alg alg;
	enum gk_err err;

	signed_header(form, push->clear.ptr, push->chain.end, header);
	err = signed_octets(dialect, kek, header, payloads, &alg, &octets);
	if (err == GK_OK)
		err = gk_verify(key, alg, gk_buf_slice(&octets), sig->body);
	gk_buf_free(&octets);
	return err;
}

enum gk_err
gdoi_push_verify(const struct gdoi_dialect *dialect, const struct gdoi_kek *kek,
                 const struct gk_pubkey *key, const struct gdoi_push *push,
                 struct isakmp_reject *why)
{
	const struct isakmp_chain *c = &push->chain;
	const struct isakmp_chain_item *last =
		c->n == 0 ? NULL : &c->item[c->n - 1];
	enum gk_err err;

	if (last == NULL || last->type != ISAKMP_PAYLOAD_SIG)
		return isakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     ISAKMP_NOTIFY_INVALID_SIGNATURE,
		                     "RFC6407-4-01", "SIG", c->end);
	err = verify_as(dialect, kek, key, push, dialect->push_sig_hdr,
	                &last->generic);
	if (err == GK_ERR_AUTH &&
	    dialect->push_sig_hdr != GDOI_PUSH_SIG_HDR_CLEAR)
		err = verify_as(dialect, kek, key, push,
		                dialect->push_sig_hdr == GDOI_PUSH_SIG_HDR_FINAL
		                        ? GDOI_PUSH_SIG_HDR_UNPADDED
		                        : GDOI_PUSH_SIG_HDR_FINAL,
		                &last->generic);
	if (err != GK_OK &&
	    GK_CHECKED("RFC6407-4.4-04", "RFC6407-5.3.6.4-01",
	               "RFC6407-5.3.6.5-01", "RFC6407-5.3.6.6-01"))
		return isakmp_refuse(why, err, ISAKMP_NOTIFY_INVALID_SIGNATURE,
		                     "RFC6407-4.4-04", "SIG", last->generic.at);
	return GK_OK;
}
