/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/message/push.h"
#include "gdoi/payload/gap.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/lkh.h"
#include "gdoi/payload/sa.h"
#include "gdoi/payload/sat_keys.h"
#include "gsakmp/message/message.h"
#include "policy-tokens/der/gpt_der.h"

/*
 * What the decoders say of octets, for a test that asks those of another
 * implementation the same: lines "KIND HEX" on standard input, a line each on
 * standard output, "yes" or "no REQUIREMENT, FIELD".  Dialect: strict.
 */
#define OCTETS_MAX 65536

static struct gdoi_dialect strict;
static struct isakmp_reject why;

static void
say(enum gk_err err, const char *req, const char *field)
{
	if (err == GK_OK)
		puts("yes");
	else
		printf("no %s, %s\n", req ? req : "-", field ? field : "-");
	fflush(stdout);
}

/* What a member asks of a SAK before it takes it. */
static bool
is_kek(const struct gdoi_sak *sak)
{
	/* How long a key of ECDSS is is judged when it has come. */
	uint16_t bits = sak->sig_algorithm == GDOI_SIG_ALG_ECDSS
	                        ? 256
	                        : sak->sig_key_length;

	return gdoi_kek_cipher(sak->algorithm, sak->key_length) !=
	               GK_CIPHER_NONE &&
	       gdoi_kek_signature(&strict, sak->sig_algorithm, sak->sig_hash,
	                          bits)
	                       .scheme != GK_SIG_NONE;
}

static enum gk_err
read_sa(struct gk_rd *rd, bool pull)
{
	static struct gdoi_sa sa;
	struct gdoi_sat_keys keys;

	GK_TRY(gdoi_sa_read(rd, &strict, pull, &sa, &why));
	if (sa.has_sak && !is_kek(&sa.sak))
		return GK_ERR_VALUE;
	for (size_t i = 0; i < sa.n_sats; i++)
		GK_TRY(gdoi_sat_keys(&strict, &sa.sat[i], &keys, &why));
	return GK_OK;
}

static enum gk_err
read_kd(struct gk_rd *rd, bool push)
{
	static struct gdoi_lkh_array array;
	static struct gdoi_kd kd;
	struct gk_rd in;

	GK_TRY(gdoi_kd_read(rd, &strict, push, &kd, &why));
	for (uint16_t i = 0; i < kd.n_updates; i++) {
		gk_rd_init(&in, kd.update[i].ptr, kd.update[i].len);
		GK_TRY(gdoi_lkh_read(&in, true, &array, &why));
	}
	if (kd.download.len == 0)
		return GK_OK;
	gk_rd_init(&in, kd.download.ptr, kd.download.len);
	return gdoi_lkh_read(&in, false, &array, &why);
}

static void
gdoi(const char *kind, struct gk_slice in)
{
	struct gdoi_gap gap;
	enum gk_err err = GK_ERR_VALUE;
	struct gk_rd rd;

	why = (struct isakmp_reject){ 0 };
	gk_rd_init(&rd, in.ptr, in.len);
	if (strncmp(kind, "sa-", 3) == 0)
		err = read_sa(&rd, strcmp(kind, "sa-pull") == 0);
	else if (strncmp(kind, "kd-", 3) == 0)
		err = read_kd(&rd, strcmp(kind, "kd-push") == 0);
	else if (strcmp(kind, "gap") == 0)
		err = gdoi_gap_read(&rd, &gap, &why);
	say(err, why.req, why.field);
}

static void
token(struct gk_slice in)
{
	struct gpt_token *token = NULL;
	struct gpt_fault fault = { 0 };
	enum gk_err err = gpt_token_decode(in, &token, &fault);

	say(err, fault.req, fault.text);
	gpt_token_free(token);
}

static void
message(struct gk_slice in)
{
	static struct gsakmp_message msg;
	static const struct gsakmp_dialect dialect;
	const struct gsakmp_parse parse = { .dialect = &dialect,
		                            .accept_embedded = true };
	struct gsakmp_reject reject = { 0 };
	enum gk_err err =
		gsakmp_message_parse(&parse, in.ptr, in.len, &msg, &reject);

	say(err, reject.req, reject.field);
}

static size_t
octets(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;

	for (; n < OCTETS_MAX && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[n++] = (uint8_t)byte;
	return n;
}

int
main(void)
{
	static char line[2 * OCTETS_MAX + 32];
	static uint8_t in[OCTETS_MAX];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *hex = strchr(line, ' ');
		struct gk_slice s = { in, 0 };

		if (hex == NULL)
			return 1;
		*hex++ = '\0';
		s.len = octets(hex, in);
		if (strcmp(line, "message") == 0)
			message(s);
		else if (strcmp(line, "token") == 0)
			token(s);
		else
			gdoi(line, s);
	}
	return 0;
}
