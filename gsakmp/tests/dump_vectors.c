/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Print interop/vectors/gsakmp.json: what this implementation makes of fixed
 * inputs, for every reading that shows in octets.  test_vectors.sh compares the
 * file with what is printed now; the Python implementation recomputes it.
 *
 * Each vector is { "name": "kind/detail", "req": requirement id, "hex": octets,
 * "fields": inputs }.  A field "dialect" holds the switches that are not at
 * their default.  Random octets (IVs) count 00 01 02 ...
 *
 * With the argument "dialect": one line per switch instead, its name and its
 * readings.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/tests/keys.h"
#include "gsakmp/tests/sample.h"

static const struct gsakmp_dialect defaults;
static bool first_vector = true, first_field;

/* JSON --------------------------------------------------------------------- */

static void
hex(struct gk_slice s)
{
	putchar('"');
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", s.ptr[i]);
	putchar('"');
}

static void
begin(const char *kind, const char *detail, const char *req, struct gk_slice s)
{
	printf("%s {\"name\": \"%s/%s\", \"req\": \"%s\",\n  \"hex\": ",
	       first_vector ? "[\n" : ",\n", kind, detail, req);
	hex(s);
	printf(",\n  \"fields\": {");
	first_vector = false;
	first_field = true;
}

static void
key(const char *name)
{
	printf("%s\"%s\": ", first_field ? "" : ", ", name);
	first_field = false;
}

static void
field_hex(const char *name, struct gk_slice s)
{
	key(name);
	hex(s);
}

static void
field_num(const char *name, unsigned long n)
{
	key(name);
	printf("%lu", n);
}

static void
field_text(const char *name, const char *text)
{
	key(name);
	printf("\"%s\"", text);
}

static void
field_dialect(const struct gsakmp_dialect *d)
{
	const struct gsakmp_dialect_switch *s;
	bool first = true;
	size_t n;

	s = gsakmp_dialect_switches(&n);
	key("dialect");
	putchar('{');
	for (size_t i = 0; i < n; i++) {
		const char *value = gsakmp_dialect_get(d, s[i].name);

		if (value == s[i].values[0].name)
			continue;
		printf("%s\"%s\": \"%s\"", first ? "" : ", ", s[i].name, value);
		first = false;
	}
	putchar('}');
}

static void
end(void)
{
	printf("}}");
}

/* A failing call would make a vector that says nothing. */
static void
must(enum gk_err err)
{
	if (err == GK_OK)
		return;
	fprintf(stderr, "%s\n", gk_strerror(err));
	exit(1);
}

/* Inputs ------------------------------------------------------------------- */

static uint8_t secret[256];

static struct gsakmp_kek_input
input(uint16_t key_creation, uint16_t key_type, size_t secret_len)
{
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = i < 2 ? 0 : (uint8_t)i;
	return (struct gsakmp_kek_input){
		.key_creation = key_creation,
		.key_type = key_type,
		.secret = { secret, secret_len },
		.nonce_i = gk_slice_str("initiator nonce!"),
		.nonce_r = gk_slice_str("responder"),
		.nonce_c = gk_slice_str("combined nonce data!"),
		.groupid = sample_groupid(),
	};
}

static void
field_input(const struct gsakmp_kek_input *in)
{
	field_num("key_creation", in->key_creation);
	field_num("key_type", in->key_type);
	field_hex("secret", in->secret);
	field_hex("nonce_i", in->nonce_i);
	field_hex("nonce_r", in->nonce_r);
	field_hex("nonce_c", in->nonce_c);
	field_hex("groupid", in->groupid.value);
}

static size_t
readings(const char *name)
{
	const struct gsakmp_dialect_switch *s;
	size_t n;

	s = gsakmp_dialect_switches(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(s[i].name, name) == 0)
			return s[i].n_values;
	abort();
}

/* KEK ---------------------------------------------------------------------- */

static void
kek(const struct gsakmp_dialect *d, uint16_t key_creation, uint16_t key_type,
    size_t secret_len, const char *detail)
{
	struct gsakmp_kek_input in = input(key_creation, key_type, secret_len);
	struct gsakmp_kek k;

	must(gsakmp_kek_derive(d, &in, &k));
	begin("kek", detail, "RFC4535-7.11.1-04",
	      (struct gk_slice){ k.key, k.len });
	field_dialect(d);
	field_input(&in);
	end();
}

static void
keks(void)
{
	static const struct {
		uint16_t type;
		size_t secret;
		const char *detail;
	} hkdf[] = {
		{ GSAKMP_KEY_CREATION_ECDH_P256, 32, "p256" },
		{ GSAKMP_KEY_CREATION_X25519, 32, "x25519" },
		{ GSAKMP_KEY_CREATION_MODP2048_HKDF, 256, "modp2048-hkdf" },
	};
	struct gsakmp_dialect d = { 0 };

	for (d.kek_bits = 0; d.kek_bits < readings("kek_bits"); d.kek_bits++)
		for (d.dh_secret_pad = 0; d.dh_secret_pad < 2;
		     d.dh_secret_pad++) {
			kek(&d, GSAKMP_KEY_CREATION_MODP1024,
			    GSAKMP_KEY_AES_CBC_128, 128, "modp1024");
			kek(&d, GSAKMP_KEY_CREATION_MODP2048,
			    GSAKMP_KEY_3DES_CBC64_192, 256, "modp2048");
		}
	for (size_t i = 0; i < GK_COUNT(hkdf); i++) {
		kek(&defaults, hkdf[i].type, GSAKMP_KEY_AES_CBC_128,
		    hkdf[i].secret, hkdf[i].detail);
		kek(&defaults, hkdf[i].type, GSAKMP_KEY_AES_GCM_256,
		    hkdf[i].secret, hkdf[i].detail);
	}
}

/* Nonce_C ------------------------------------------------------------------ */

static void
nonces(void)
{
	static const uint16_t hash[] = { GSAKMP_NONCE_HASH_SHA1,
		                         GSAKMP_NONCE_HASH_SHA256,
		                         GSAKMP_NONCE_HASH_SHA384 };
	const struct gsakmp_nonce i = { .type = GSAKMP_NONCE_INITIATOR,
		                        .data = gk_slice_str("initiator"),
		                        .next_payload =
		                                GSAKMP_PAYLOAD_SIGNATURE };
	const struct gsakmp_nonce r = { .type = GSAKMP_NONCE_RESPONDER,
		                        .data = gk_slice_str("responder"),
		                        .next_payload = GSAKMP_PAYLOAD_NONCE };
	struct gsakmp_dialect d = { 0 };

	for (d.nonce_c = 0; d.nonce_c < readings("nonce_c"); d.nonce_c++)
		for (size_t h = 0; h < GK_COUNT(hash); h++) {
			struct gk_buf c;

			must(gsakmp_nonce_combine(&d, hash[h], &i, &r, &c));
			begin("nonce_c", gsakmp_dialect_get(&d, "nonce_c"),
			      "RFC4535-7.12.1-03", gk_buf_slice(&c));
			field_dialect(&d);
			field_num("nonce_hash", hash[h]);
			field_hex("nonce_i", i.data);
			field_num("next_payload_i", i.next_payload);
			field_hex("nonce_r", r.data);
			field_num("next_payload_r", r.next_payload);
			end();
			gk_buf_free(&c);
		}
}

/* Registration ------------------------------------------------------------- */

static void
registration(const struct gsakmp_dialect *d, uint16_t key_type,
             const char *detail)
{
	static const uint8_t token[32] = { 0x30, 30, 0x04, 28 };
	static struct gsakmp_keys keys;
	struct gsakmp_kek_input in =
		input(GSAKMP_KEY_CREATION_MODP1024, key_type, 128);
	struct gk_slice plain = { token, sizeof(token) };
	struct gk_buf sealed_token, sealed_keys;
	struct gsakmp_kek k;
	uint8_t buf[512];
	struct gk_wr wr;

	/* 27 octets: not a whole number of blocks of any cipher. */
	if (d->pad != GSAKMP_PAD_NONE)
		plain = gk_slice_str("\x30\x19\x04\x17 a token, or not quite.");
	sample_key_download(&keys, GSAKMP_KEY_AES_CBC_128);
	if (d->pad == GSAKMP_PAD_NONE && gsakmp_keys_size(&keys, true) % 16)
		return;
	gk_wr_init(&wr, buf, sizeof(buf));
	gsakmp_keys_encode(&wr, &keys, true);
	must(gsakmp_kek_derive(d, &in, &k));
	must(gsakmp_token_seal(&sample_env, d, &k, 1, plain, &sealed_token));
	must(gsakmp_key_download_seal(&sample_env, d, &k, &keys, &sealed_keys));
	begin("registration", detail, "RFC4535-7.4.1-08",
	      gk_buf_slice(&sealed_keys));
	field_dialect(d);
	field_input(&in);
	field_hex("kek", (struct gk_slice){ k.key, k.len });
	field_hex("key_download", (struct gk_slice){ buf, wr.len });
	field_num("token_type", 1);
	field_hex("token", plain);
	field_hex("sealed_token", gk_buf_slice(&sealed_token));
	end();
	gk_buf_free(&sealed_token);
	gk_buf_free(&sealed_keys);
}

static const uint16_t key_types[] = {
	GSAKMP_KEY_3DES_CBC64_192, GSAKMP_KEY_AES_CBC_128,
	GSAKMP_KEY_AES_CTR,        GSAKMP_KEY_AES_CBC_256,
	GSAKMP_KEY_AES_GCM_128,    GSAKMP_KEY_AES_GCM_256,
};

static void
registrations(void)
{
	struct gsakmp_dialect d = { 0 };

	for (size_t t = 0; t < GK_COUNT(key_types); t++)
		registration(&d, key_types[t],
		             gsakmp_code_text(GSAKMP_TABLE_KEY, key_types[t]));
	for (d.iv_keydl = 1; d.iv_keydl < readings("iv_keydl"); d.iv_keydl++)
		registration(&d, GSAKMP_KEY_AES_CBC_128,
		             gsakmp_dialect_get(&d, "iv_keydl"));
	d.iv_keydl = 0;
	for (d.pad = 1; d.pad < readings("pad"); d.pad++) {
		registration(&d, GSAKMP_KEY_AES_CBC_128,
		             gsakmp_dialect_get(&d, "pad"));
		registration(&d, GSAKMP_KEY_3DES_CBC64_192,
		             gsakmp_dialect_get(&d, "pad"));
	}
	d.pad = 0;
	for (d.aes_ctr_key = 1; d.aes_ctr_key < readings("aes_ctr_key");
	     d.aes_ctr_key++)
		registration(&d, GSAKMP_KEY_AES_CTR,
		             gsakmp_dialect_get(&d, "aes_ctr_key"));
}

/* Rekey -------------------------------------------------------------------- */

static void
rekey(const struct gsakmp_dialect *d, uint16_t key_type, const char *detail)
{
	static const uint8_t octets[GSAKMP_KEY_DATA_MAX] = { 9, 8, 7, 6, 5 };
	static struct gsakmp_keys keys;
	struct gsakmp_wrapping with = {
		.type = key_type,
		.id = 12,
		.handle = 0x0d0e0f10,
		.key = { octets, gsakmp_key_length(d, key_type) },
	};
	struct gk_buf out;
	uint8_t buf[512];
	struct gk_wr wr;

	sample_packages(&keys, GSAKMP_KEY_AES_CBC_128);
	gk_wr_init(&wr, buf, sizeof(buf));
	gsakmp_keys_encode(&wr, &keys, true);
	must(gsakmp_rekey_seal(&sample_env, d, &with, &keys, &out));
	begin("rekey", detail, "RFC4535-7.5.1.2-02", gk_buf_slice(&out));
	field_dialect(d);
	field_num("key_type", key_type);
	field_num("wrapping_key_id", with.id);
	field_num("wrapping_handle", with.handle);
	field_hex("wrapping_key", with.key);
	field_hex("packages", (struct gk_slice){ buf, wr.len });
	end();
	gk_buf_free(&out);
}

static void
rekeys(void)
{
	struct gsakmp_dialect d = { 0 };

	for (size_t t = 0; t < GK_COUNT(key_types); t++)
		rekey(&d, key_types[t],
		      gsakmp_code_text(GSAKMP_TABLE_KEY, key_types[t]));
	for (d.iv_rekey = 1; d.iv_rekey < readings("iv_rekey"); d.iv_rekey++)
		rekey(&d, GSAKMP_KEY_AES_CBC_128,
		      gsakmp_dialect_get(&d, "iv_rekey"));
	d.iv_rekey = 0;
	for (d.pkt_len = 1; d.pkt_len < readings("pkt_len"); d.pkt_len++)
		rekey(&d, GSAKMP_KEY_AES_CBC_128,
		      gsakmp_dialect_get(&d, "pkt_len"));
	d.pkt_len = 0;
	d.red_scope = 1;
	rekey(&d, GSAKMP_KEY_AES_CBC_128, "red_scope");
	rekey(&d, GSAKMP_KEY_AES_GCM_128, "red_scope");
	d.red_scope = 0;
	d.wrap_width = 1;
	rekey(&d, GSAKMP_KEY_AES_CBC_128, "wrap_width");
	rekey(&d, GSAKMP_KEY_AES_GCM_128, "wrap_width");
}

/* Messages ----------------------------------------------------------------- */

static void
sample_build(struct gsakmp_build *b, const struct gsakmp_dialect *d,
             const struct sample *s)
{
	gsakmp_build_begin(b, d, s->exchange, sample_groupid(), s->sequence);
	for (size_t i = 0; i < s->n; i++)
		if (s->part[i].type != GSAKMP_PAYLOAD_SIGNATURE &&
		    s->part[i].type != GSAKMP_PAYLOAD_CERTIFICATE)
			gsakmp_build_raw(b, s->part[i].type,
			                 (struct gk_slice){ s->part[i].body,
			                                    s->part[i].len });
}

static void
message(const struct gsakmp_dialect *d, uint8_t exchange, const char *pem,
        uint16_t type, const char *detail)
{
	const struct gk_slice cert = gk_slice_str("\x30\x03\x02\x01\x05");
	struct gsakmp_sign sign = {
		.type = type,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = gk_slice_str(SAMPLE_DN),
		.utc = SAMPLE_UTC,
		.certs = &cert,
		.n_certs = 1,
	};
	struct gk_signer *signer;
	struct gsakmp_build b;
	struct gk_buf out;
	struct sample s;
	bool is_signed = gsakmp_dissection_find(exchange)->signed_;

	must(gk_signer_from_pem(gk_slice_str(pem), NULL, &signer));
	sign.signer = signer;
	sample_fill(&s, exchange, true);
	if (type >= 49153) /* Vendor ID first: part 0 */
		sample_drop(&s, 0);
	sample_build(&b, d, &s);
	if (type >= 49153)
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	must(gsakmp_build_finish(&b, is_signed ? &sign : NULL, &out));
	begin("message", detail, "RFC4535-7.8.1-01", gk_buf_slice(&out));
	field_dialect(d);
	field_num("exchange", exchange);
	field_num("sequence", s.sequence);
	if (is_signed) {
		field_num("signature_type", type);
		field_text("signer", SAMPLE_DN);
		field_hex("spki", gk_pubkey_spki(gk_signer_pubkey(signer)));
	}
	end();
	gk_buf_free(&out);
	gk_signer_free(signer);
}

static void
messages(void)
{
#define X(name, value, text) { GSAKMP_EXCHANGE_##name, text },
	static const struct {
		uint8_t exchange;
		const char *text;
	} row[] = { GSAKMP_EXCHANGE_LIST(X) };
#undef X
	struct gsakmp_dialect d = { 0 };

	for (size_t i = 0; i < GK_COUNT(row); i++)
		message(&d, row[i].exchange, KEY_RSA1024,
		        GSAKMP_SIGNATURE_RSA1024_MD5, row[i].text);
	message(&d, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, KEY_ED25519,
	        GSAKMP_SIGNATURE_ED25519, "Ed25519");
	message(&d, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, KEY_RSA,
	        GSAKMP_SIGNATURE_RSA_SHA256, "RSA-SHA256");
	for (d.sig_cover = 0; d.sig_cover < readings("sig_cover");
	     d.sig_cover++)
		for (d.sig_len_fields = 0;
		     d.sig_len_fields < readings("sig_len_fields");
		     d.sig_len_fields++)
			message(&d, GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
			        KEY_ED25519, GSAKMP_SIGNATURE_ED25519,
			        gsakmp_dialect_get(&d, "sig_cover"));
}

/* Refusals: one octet of a good message changed. ---------------------------- */

static void
refusals(void)
{
	static const struct gsakmp_parse parse = { .dialect = &defaults };
	static struct gsakmp_message msg;
	uint8_t buf[8192];
	struct sample s;
	size_t n;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, true);
	n = sample_octets(&s, buf, sizeof(buf));
	/* Every octet of the header and of all generic headers and types. */
	for (size_t at = 0; at < n; at++) {
		uint8_t saved = buf[at];
		struct gsakmp_reject why;
		char detail[32];

		buf[at] = (uint8_t)(saved ^ 0x80);
		if (gsakmp_message_parse(&parse, buf, n, &msg, &why) != GK_OK) {
			snprintf(detail, sizeof(detail), "octet-%zu", at);
			begin("refusal", detail, why.req,
			      (struct gk_slice){ buf, n });
			field_num("notify", why.notify);
			field_text("field", why.field);
			field_num("offset", why.offset);
			end();
		}
		buf[at] = saved;
	}
}

static void
switches(void)
{
	const struct gsakmp_dialect_switch *s;
	size_t n;

	s = gsakmp_dialect_switches(&n);
	for (size_t i = 0; i < n; i++) {
		printf("%s", s[i].name);
		for (size_t v = 0; v < s[i].n_values; v++)
			printf(" %s", s[i].values[v].name);
		putchar('\n');
	}
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "dialect") == 0) {
		switches();
		return 0;
	}
	keks();
	nonces();
	registrations();
	rekeys();
	messages();
	refusals();
	printf("\n]\n");
	return ferror(stdout) ? 1 : 0;
}
