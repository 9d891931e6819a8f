/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/message/hash.h"
#include "gdoi/phase1/ike_pool.h"
#include "gdoi/phase1/psk.h"

/*
 * Phase 1 as a whole.  The first octet of an input says what the rest is:
 *
 *   0  datagrams for a pool that knows nobody, each with two octets of length in
 *      front
 *   1  the same for a pool that waits for an answer to its message 1
 *   2  payloads of an Informational under an SA, which is made genuine: the first
 *      octet is Next Payload
 *   3  payloads of Main Mode message 3: the same
 *   4  a pre-shared key to be judged
 *   5  what came to port 4500
 *
 * Whatever comes, an SA that was up is up or has said that it is over, and a
 * refusal says why.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t seed;

static enum gk_err
lcg(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		out[i] = (uint8_t)(seed >> 56);
	}
	return GK_OK;
}

static const struct gk_env env = { .random = lcg };
static struct gk_now now = { 1000, 1780272000 };
static const uint8_t ip[2][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } };
static const struct gk_identity any = { GK_ID_IPV4,
	                                { (const uint8_t *)"*", 1 } };
static const struct ike_psk psk = { .key = { (const uint8_t *)"a key", 5 } };
static const struct ike_path path[2] = {
	{ .local = { { 10, 0, 0, 1 }, 4, 848 },
	  .peer = { { 10, 0, 0, 2 }, 4, 848 } },
	{ .local = { { 10, 0, 0, 2 }, 4, 848 },
	  .peer = { { 10, 0, 0, 1 }, 4, 848 } },
};
static struct ike_pool *pool[2];

static void
open_pools(void)
{
	seed = 1;
	for (int i = 0; i < 2; i++) {
		struct ike_config cfg = {
			.suite = { { .encryption = IKE_ENCRYPTION_AES_CBC,
			             .key_bits = 128,
			             .hash = IKE_HASH_SHA256,
			             .auth = IKE_AUTH_PSK,
			             .group = IKE_GROUP_ECP256 } },
			.n_suites = 1,
			.aggressive = true,
			.id = { GK_ID_IPV4, { ip[i], 4 } },
			.psk = &psk,
			.n_psk = 1,
			.peers = &any,
			.n_peers = 1,
			.natt = true,
			.dpd_s = 10,
		};

		if (i == 0)
			cfg.aggressive = false;
		if (ike_pool_new(&env, &cfg, NULL, true, &pool[i]) != GK_OK)
			abort();
	}
}

static void
close_pools(void)
{
	ike_pool_free(pool[0]);
	ike_pool_free(pool[1]);
	pool[0] = pool[1] = NULL;
}

/* Outputs of one side; the last datagram is kept. */
static struct gk_buf said;

static void
drain(int side)
{
	struct ike_pool_output o;

	gk_buf_free(&said);
	while (ike_pool_poll(pool[side], &o)) {
		if (o.out.kind == IKE_OUT_REFUSED && o.out.why.field == NULL)
			abort();
		if (o.out.kind == IKE_OUT_SEND &&
		    gk_buf_copy(&said, o.out.dgram) != GK_OK)
			abort();
	}
}

/* To and fro, @messages times. */
static void
talk(int messages)
{
	struct ike *ike, *other;
	struct gk_buf m = { 0 };

	if (ike_pool_initiate(pool[0], NULL, &path[0], now, &ike) != GK_OK)
		abort();
	drain(0);
	for (int to = 1; messages-- > 0; to = 1 - to) {
		if (gk_buf_copy(&m, gk_buf_slice(&said)) != GK_OK ||
		    ike_pool_receive(pool[to], &path[to], gk_buf_slice(&m), now,
		                     &other) != GK_OK)
			abort();
		gk_buf_free(&m);
		drain(to);
	}
}

static void
datagrams(int side, const uint8_t *data, size_t len)
{
	struct ike *other;

	while (len > 2) {
		size_t n = (size_t)(data[0] << 8 | data[1]);

		data += 2;
		len -= 2;
		if (n > len)
			n = len;
		(void)ike_pool_receive(pool[side], &path[side],
		                       (struct gk_slice){ data, n }, now,
		                       &other);
		drain(side);
		data += n;
		len -= n;
	}
	now.mono_ms += 1000;
	if (ike_pool_tick(pool[side], now) != GK_OK)
		abort();
	drain(side);
}

/* A message of @header with @payloads, in clear. */
static void
build(struct gk_buf *m, const struct isakmp_header *header,
      const uint8_t *payloads, size_t len)
{
	struct isakmp_header h = *header;
	struct gk_wr wr;

	if (gk_buf_alloc(m, ISAKMP_HEADER_LEN + len) != GK_OK)
		abort();
	h.length = (uint32_t)m->len;
	gk_wr_init(&wr, m->ptr, m->len);
	isakmp_header_encode(&wr, &h);
	if (len != 0)
		memcpy(m->ptr + ISAKMP_HEADER_LEN, payloads, len);
}

/* Genuine: under the keys of the SA, with a HASH that is right. */
static void
informational(const uint8_t *data, size_t len)
{
	size_t cursor = 0;
	struct ike *ike = ike_pool_each(pool[0], &cursor), *other;
	struct isakmp_header h =
		ike_header(ike, ISAKMP_EXCHANGE_INFORMATIONAL, 77);
	const struct ike_keys *keys = ike_keys(ike);
	size_t n = gk_hash_size(keys->prf);
	struct gdoi_hash_input in = {
		.prf = keys->prf,
		.skeyid_a = { keys->skeyid_a, n },
		.message_id = 77,
		.rest = { data + 1, len - 1 },
	};
	struct gdoi_dialect dialect = { 0 };
	uint8_t hash[GK_HASH_MAX];
	struct gk_buf m = { 0 }, sealed = { 0 };
	uint8_t *all = malloc(ISAKMP_GENERIC_LEN + n + len);
	struct isakmp_cbc cbc;

	if (all == NULL || gdoi_hash(&in, hash) != GK_OK ||
	    ike_phase2(ike, 77, &cbc) != GK_OK)
		abort();
	all[0] = data[0];
	all[1] = 0;
	all[2] = 0;
	all[3] = (uint8_t)(ISAKMP_GENERIC_LEN + n);
	memcpy(all + 4, hash, n);
	memcpy(all + 4 + n, data + 1, len - 1);
	h.next_payload = ISAKMP_PAYLOAD_HASH;
	build(&m, &h, all, 4 + n + len - 1);
	if (isakmp_seal(&cbc, &dialect, gk_buf_slice(&m), &sealed) != GK_OK)
		abort();
	/* Twice: the second one is a recording. */
	for (int i = 0; i < 2; i++) {
		(void)ike_pool_receive(pool[1], &path[1], gk_buf_slice(&sealed),
		                       now, &other);
		drain(1);
	}
	gk_buf_free(&m);
	gk_buf_free(&sealed);
	free(all);
}

static void
message_3(const uint8_t *data, size_t len)
{
	size_t cursor = 0;
	struct isakmp_header h =
		ike_header(ike_pool_each(pool[0], &cursor),
	                   ISAKMP_EXCHANGE_IDENTITY_PROTECTION, 0);
	struct ike *other;
	struct gk_buf m = { 0 };

	h.next_payload = data[0];
	build(&m, &h, data + 1, len - 1);
	(void)ike_pool_receive(pool[1], &path[1], gk_buf_slice(&m), now,
	                       &other);
	drain(1);
	gk_buf_free(&m);
}

static void
judge(const uint8_t *data, size_t len)
{
	unsigned bits;
	enum ike_psk_fault fault =
		ike_psk_judge((struct gk_slice){ data, len }, &bits);

	if (ike_psk_fault_text(fault)[0] == '?' ||
	    (fault == IKE_PSK_OK && bits < IKE_PSK_MIN_BITS))
		abort();
}

static void
marked(const uint8_t *data, size_t len)
{
	struct gk_slice s = { data, len };

	if (ike_natt_open(&s) == IKE_NATT_ISAKMP &&
	    (s.len + IKE_MARKER_LEN != len || s.ptr != data + IKE_MARKER_LEN))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 2 || len > 8192)
		return 0;
	switch (data[0] % 6) {
	case 4:
		judge(data + 1, len - 1);
		return 0;
	case 5:
		marked(data + 1, len - 1);
		return 0;
	default:
		break;
	}
	open_pools();
	switch (data[0] % 6) {
	case 0:
		datagrams(1, data + 1, len - 1);
		break;
	case 1:
		talk(0);
		datagrams(0, data + 1, len - 1);
		break;
	case 2:
		talk(6);
		informational(data + 1, len - 1);
		break;
	default:
		talk(2);
		message_3(data + 1, len - 1);
		break;
	}
	close_pools();
	gk_buf_free(&said);
	return 0;
}
