/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/isakmp/protect.h"
#include "gdoi/message/ack.h"
#include "gdoi/message/push.h"
#include "gdoi/message/push_ack.h"
#include "gdoi/payload/group_id.h"
#include "gdoi/phase1/suite.h"
#include "gdoi/tests/vector/gdoi_vector.h"

static void
encryption(struct vec *v)
{
	struct gk_slice iv = vec_octets(v, v->in, "iv");
	struct gk_slice clear = vec_octets(v, v->in, "clear");
	struct gk_slice key = vec_octets(v, v->in, "key");
	struct ike_suite suite = {
		.encryption = (uint16_t)vec_num(v, v->in, "cipher"),
		.key_bits = (uint16_t)(key.len * 8),
	};
	struct isakmp_cbc seal = { .key = key }, open;
	uint8_t next[GK_CIPHER_BLOCK_MAX];
	struct gk_buf out = { 0 }, back = { 0 };
	struct gk_slice message, plain;
	size_t block;

	if (suite.encryption != IKE_ENCRYPTION_AES_CBC)
		suite.key_bits = 0;
	seal.cipher = ike_suite_cipher(&suite);
	block = gk_cipher_block_len(seal.cipher);
	vec_same_num(v, "octets of IV", (long long)iv.len, (long long)block);
	memcpy(seal.iv, iv.ptr, block);
	open = seal;
	vec_ok(v, isakmp_seal(&seal, &readings(v)->dialect, clear, &out),
	       "sealing");
	message = vec_buf(v, &out);
	vec_out(v, v->out, "message", message);
	vec_out(v, v->out, "next_iv", (struct gk_slice){ seal.iv, block });
	vec_ok(v, isakmp_open(&open, message, &back, next), "opening");
	plain = vec_buf(v, &back);
	vec_ok(v,
	       isakmp_padding_check(&open, &readings(v)->dialect, plain,
	                            clear.len),
	       "padding");
	vec_same(v, "payloads",
	         (struct gk_slice){ plain.ptr + ISAKMP_HEADER_LEN,
	                            clear.len - ISAKMP_HEADER_LEN },
	         (struct gk_slice){ clear.ptr + ISAKMP_HEADER_LEN,
	                            clear.len - ISAKMP_HEADER_LEN });
}

static struct gdoi_kek
kek_of(struct vec *v)
{
	struct gk_slice before = vec_may_octets(v, v->in, "before");
	struct gdoi_kek kek = {
		.key = vec_octets(v, v->in, "kek"),
		.iv = vec_octets(v, v->in, "kek_iv"),
		.has_chained = before.len != 0,
	};

	kek.cipher = gdoi_kek_cipher((uint16_t)vec_num(v, v->in, "algorithm"),
	                             (uint16_t)(kek.key.len * 8));
	memcpy(kek.spi, vec_octets(v, v->in, "spi").ptr, sizeof(kek.spi));
	if (before.len != 0)
		memcpy(kek.chained, before.ptr, before.len);
	return kek;
}

/* opens - the message is read, and its signature is right. */
static enum gk_err
opens(struct vec *v, const struct gdoi_kek *kek, const struct gk_pubkey *pub,
      struct gk_slice message, struct gk_slice payloads)
{
	struct gdoi_push push;
	struct isakmp_reject why = { 0 };
	enum gk_err err = gdoi_push_open(&readings(v)->dialect, kek, message,
	                                 &push, &why);

	if (err != GK_OK)
		return err;
	err = gdoi_push_verify(&readings(v)->dialect, kek, pub, &push, &why);
	if (push.clear.len < ISAKMP_HEADER_LEN + payloads.len ||
	    memcmp(push.clear.ptr + ISAKMP_HEADER_LEN, payloads.ptr,
	           payloads.len) != 0)
		err = GK_ERR_VALUE;
	gdoi_push_free(&push);
	return err;
}

static void
push(struct vec *v)
{
	struct gdoi_kek kek = kek_of(v), fresh;
	struct gk_slice payloads = vec_octets(v, v->in, "payloads");
	struct gk_slice want = vec_octets(v, v->out, "message");
	struct gk_signer *signer = NULL;
	struct gk_pubkey *pub = NULL;
	struct gk_buf out = { 0 };
	enum gk_err err =
		gk_pubkey_from_spki(vec_octets(v, v->in, "public_key"), &pub);

	if (err == GK_OK)
		err = gk_signer_from_pem(vec_octets(v, v->in, "key"), NULL,
		                         &signer);
	kek.signature = gdoi_kek_signature(
		&readings(v)->dialect, (uint16_t)vec_num(v, v->in, "sig"),
		(uint16_t)vec_num(v, v->in, "sig_hash"),
		err == GK_OK ? (uint16_t)gk_pubkey_bits(pub) : 0);
	fresh = kek;
	vec_random(v, vec_may_octets(v, v->in, "random"));
	if (err == GK_OK)
		err = opens(v, &fresh, pub, want, payloads);
	if (err == GK_OK)
		err = gdoi_push_seal(&v->env, &readings(v)->dialect, &kek,
		                     signer, ISAKMP_PAYLOAD_SEQ, payloads,
		                     &out);
	if (err == GK_OK)
		err = opens(v, &fresh, pub, gk_buf_slice(&out), payloads);
	gk_signer_free(signer);
	gk_pubkey_free(pub);
	payloads = vec_buf(v, &out);
	vec_ok(v, err, "GROUPKEY-PUSH");
	if (vec_flag(v, v->in, "deterministic"))
		vec_same(v, "message", payloads, want);
}

/* Acknowledgements ------------------------------------------------------------ */

static void
ack(struct vec *v)
{
	uint16_t type = (uint16_t)vec_num(v, v->in, "type");
	size_t size = gk_hash_size(gdoi_ack_prf(type));
	struct gdoi_push_ack it = {
		.seq.number = (uint32_t)vec_num(v, v->in, "sequence"),
		.id = { .type = (uint8_t)vec_num(v, v->in, "id_type"),
		        .data = vec_octets(v, v->in, "id") },
	};
	struct gdoi_push_ack read;
	struct isakmp_reject why = { 0 };
	uint8_t key[GK_HASH_MAX];
	struct gk_buf out = { 0 };
	struct gk_slice message;

	memcpy(it.spi, vec_octets(v, v->in, "spi").ptr, sizeof(it.spi));
	vec_ok(v,
	       gdoi_ack_key(&readings(v)->dialect, type,
	                    vec_octets(v, v->in, "base_key"), it.spi, key),
	       "ack_key");
	vec_out(v, v->out, "ack_key", (struct gk_slice){ key, size });
	vec_ok(v,
	       gdoi_push_ack_build(&readings(v)->dialect, type, key, &it, &out),
	       "building");
	message = vec_buf(v, &out);
	vec_out(v, v->out, "message", message);
	vec_ok(v, gdoi_push_ack_read(message, &read, &why), "reading");
	vec_out(v, v->out, "hash", read.hash);
	vec_ok(v,
	       gdoi_push_ack_check(&readings(v)->dialect, type, key, &read,
	                           &why),
	       "HASH");
}

/* The group -------------------------------------------------------------------- */

static struct gk_slice
oid_of(struct vec *v)
{
	struct gk_slice contents = vec_octets(v, v->in, "oid");
	const uint8_t head[] = { 6, (uint8_t)contents.len };
	struct gk_buf der = { 0 };

	if (readings(v)->dialect.oid_encoding == GDOI_OID_ENCODING_CONTENT)
		return contents;
	vec_ok(v, gk_buf_append(&der, (struct gk_slice){ head, 2 }), "OID");
	vec_ok(v, gk_buf_append(&der, contents), "OID");
	return vec_buf(v, &der);
}

static void
group_id(struct vec *v)
{
	struct gk_slice want = vec_octets(v, v->out, "body");
	struct gdoi_group_id group = { .type = ISAKMP_ID_KEY_ID }, back;
	struct isakmp_identification id;
	struct isakmp_reject why = { 0 };
	uint8_t out[512];
	struct gk_wr wr;
	struct gk_rd rd;

	if (vec_has(v->in, "number"))
		group.number = (uint32_t)vec_num(v, v->in, "number");
	else
		group = (struct gdoi_group_id){
			.type = ISAKMP_ID_OID,
			.oid = oid_of(v),
			.payload = vec_octets(v, v->in, "specific"),
		};
	gk_wr_init(&wr, out, sizeof(out));
	gdoi_group_id_encode(&wr, &readings(v)->dialect, &group);
	vec_ok(v, gk_wr_done(&wr), "encoding");
	vec_same(v, "body", (struct gk_slice){ out, wr.len }, want);
	gk_rd_init(&rd, want.ptr, want.len);
	vec_ok(v, isakmp_identification_decode(&rd, &id), "decoding");
	vec_ok(v, gdoi_group_id_read(&id, &readings(v)->dialect, &back, &why),
	       "reading");
	vec_same_num(v, "number", back.number, group.number);
	vec_same(v, "oid", back.oid, group.oid);
	vec_same(v, "specific", back.payload, group.payload);
}

const struct vec_kind vec_message_kinds[] = {
	{ "encryption", encryption }, { "push", push }, { "ack", ack },
	{ "group-id", group_id },     { NULL, NULL },
};
