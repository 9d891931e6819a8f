/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write the seed corpora of the GSAKMP fuzz targets:
 *
 *     gsakmp/fuzz/make_corpus DIRECTORY
 *
 * makes DIRECTORY/fuzz_NAME/SEED.  Seeds are messages and payloads that are
 * accepted; what is refused, the fuzzer finds by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gsakmp/tests/sample.h"

static const char *directory;

static void
write_seed(const char *target, const char *seed, const void *head,
           size_t head_len, const void *octets, size_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/fuzz_%s", directory, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/fuzz_%s/%s", directory, target, seed);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(head, 1, head_len, f) != head_len ||
	    fwrite(octets, 1, len, f) != len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

/* The name of an exchange or payload as part of a file name. */
static const char *
slug(const char *text)
{
	static char out[64];
	size_t n = 0;

	for (; *text != '\0' && n + 1 < sizeof(out); text++)
		out[n++] = *text == ' ' || *text == '/' ? '-' : *text;
	out[n] = '\0';
	return out;
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
	static uint8_t buf[8192], outer[8192];
	struct sample s;
	char name[80];

	for (size_t i = 0; i < GK_COUNT(row); i++)
		for (int optional = 0; optional <= 1; optional++) {
			size_t n;

			sample_fill(&s, row[i].exchange, optional);
			n = sample_octets(&s, buf, sizeof(buf));
			snprintf(name, sizeof(name), "%s%s", slug(row[i].text),
			         optional ? "-full" : "");
			write_seed("message", name, "\0", 1, buf, n);
		}
	/* A version 1 message inside version 2. */
	sample_fill(&s, GSAKMP_EXCHANGE_REKEY_EVENT, false);
	size_t n = sample_octets(&s, buf, sizeof(buf));
	memcpy(outer, buf, 36);
	outer[26] = 2;
	memcpy(outer + 36, buf, n);
	write_seed("message", "version-2", "\1", 1, outer, n + 36);
}

static void
payloads(void)
{
	static const struct {
		uint8_t type;
		const char *target;
		uint16_t kind[6];
	} row[] = {
		{ GSAKMP_PAYLOAD_POLICY_TOKEN, "policy_token", { 0 } },
		{ GSAKMP_PAYLOAD_IDENTIFICATION, "identification", { 0 } },
		{ GSAKMP_PAYLOAD_CERTIFICATE, "certificate", { 0 } },
		{ GSAKMP_PAYLOAD_SIGNATURE, "signature", { 0 } },
		{ GSAKMP_PAYLOAD_NOTIFICATION,
		  "notification",
		  { 23, 27, 28, 29, 34, 35 } },
		{ GSAKMP_PAYLOAD_VENDOR_ID, "vendor_id", { 0 } },
		{ GSAKMP_PAYLOAD_KEY_CREATION, "key_creation", { 0 } },
		{ GSAKMP_PAYLOAD_NONCE, "nonce", { 1, 2, 3 } },
	};
	struct gsakmp_groupid id = sample_groupid();
	struct sample_part p;
	char name[16];

	for (size_t i = 0; i < GK_COUNT(row); i++)
		for (size_t k = 0; k == 0 || row[i].kind[k] != 0; k++) {
			sample_part_of(&p, row[i].type, row[i].kind[k]);
			snprintf(name, sizeof(name), "%u", row[i].kind[k]);
			write_seed(row[i].target, name, "", 0, p.body, p.len);
			if (k == 5)
				break;
		}
	sample_part_of(&p, GSAKMP_PAYLOAD_REKEY_EVENT, 0);
	write_seed("rekey_event", "lkh", "\0\0\x17", 3, p.body, p.len);
	write_seed("groupid", "utf8", "\1", 1, id.value.ptr, id.value.len);
	write_seed("groupid", "ipv4", "\3", 1, "\0\1\2\3\4\5\6\7\xef\1\2\3",
	           12);
	write_seed("u_name", "user1", "", 0,
	           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\11/CN=user1",
	           33);
}

static void
keys(void)
{
	static struct gsakmp_keys k;
	static const uint16_t type[] = { GSAKMP_KEY_3DES_CBC64_192,
		                         GSAKMP_KEY_AES_CBC_128,
		                         GSAKMP_KEY_AES_CTR,
		                         GSAKMP_KEY_AES_GCM_256 };
	uint8_t buf[1024];
	struct gk_wr wr;
	char name[32];

	for (size_t i = 0; i < GK_COUNT(type); i++) {
		sample_key_download(&k, type[i]);
		gk_wr_init(&wr, buf, sizeof(buf));
		gsakmp_keys_encode(&wr, &k, true);
		snprintf(name, sizeof(name), "download-%u", type[i]);
		write_seed("keys", name, "\1", 1, buf, wr.len);
		sample_packages(&k, type[i]);
		gk_wr_init(&wr, buf, sizeof(buf));
		gsakmp_keys_encode(&wr, &k, true);
		snprintf(name, sizeof(name), "packages-%u", type[i]);
		write_seed("keys", name, "\0", 1, buf, wr.len);
	}
}

/* Ciphertexts of the same, under a key of zero octets. */
static void
sealed(void)
{
	static struct gsakmp_keys k;
	static const uint8_t paddings[] = { GSAKMP_PAD_PKCS7, GSAKMP_PAD_ZERO,
		                            GSAKMP_PAD_CTS3 };
	static const uint16_t type[] = { 3, 12, 13, 49153, 49154, 49155 };

	for (uint8_t t = 0; t < GK_COUNT(type); t++)
		for (size_t p = 0; p < sizeof(paddings); p++) {
			const struct gsakmp_dialect d = { .pad = paddings[p] };
			struct gsakmp_kek kek = { .type = type[t] };
			uint8_t head[3] = { t, 0, paddings[p] };
			struct gk_buf out;
			char name[32];

			kek.len = gsakmp_key_length(&d, kek.type);
			sample_key_download(&k, GSAKMP_KEY_AES_CBC_128);
			if (gsakmp_key_download_seal(&sample_env, &d, &kek, &k,
			                             &out) != GK_OK)
				exit(1);
			snprintf(name, sizeof(name), "%u-%u", kek.type,
			         paddings[p]);
			write_seed("open", name, head, sizeof(head), out.ptr,
			           out.len);
			gk_buf_free(&out);
		}
}

int
main(int argc, char **argv)
{
	static uint8_t buf[8192];
	struct sample s;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	directory = argv[1];
	messages();
	payloads();
	keys();
	sealed();
	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	write_seed("header", "rtj", "", 0, buf,
	           sample_octets(&s, buf, sizeof(buf)));
	return 0;
}
