/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/message/pull.h"

/*
 * The four messages of a GROUPKEY-PULL from somebody who has the keys: the
 * payloads of an input get the right HASH and are encrypted.  What is taken can
 * be built again and is taken again; what is refused says why and has changed
 * nothing.
 *
 * The first octet picks the message, the dialect and whether there is a Rekey
 * SA, the second is the type of the first payload.  Bit 4 of the first octet:
 * the rest is a datagram as it is.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t key[16] = { 7 }, skeyid_a[32] = { 1 }, nonce[32] = { 2 };
static struct gdoi_dialect dialect;
static struct gdoi_pull_message m, again;
static struct isakmp_reject why;

static void
begin(struct gdoi_pull *pull, unsigned message, bool has_sak)
{
	const struct isakmp_header h = { .cookie_i = { 1 },
		                         .cookie_r = { 2 },
		                         .version = ISAKMP_VERSION,
		                         .exchange =
		                                 ISAKMP_EXCHANGE_GROUPKEY_PULL,
		                         .message_id = 3 };
	const struct isakmp_cbc cbc = { .cipher = GK_CIPHER_AES_CBC_128,
		                        .key = { key, sizeof(key) } };

	gdoi_pull_begin(pull, &dialect, &h, &cbc, GK_HASH_SHA256,
	                (struct gk_slice){ skeyid_a, sizeof(skeyid_a) });
	pull->has_sak = has_sak;
	if (message > 1) {
		memcpy(pull->ni, nonce, sizeof(nonce));
		pull->ni_len = sizeof(nonce);
	}
	if (message > 2) {
		memcpy(pull->nr, nonce, sizeof(nonce));
		pull->nr_len = sizeof(nonce);
	}
}

static struct gk_buf
sealed(struct gdoi_pull *pull, const uint8_t *data, size_t len)
{
	struct gk_buf out;

	if (gdoi_pull_seal(pull, data[0],
	                   (struct gk_slice){ data + 1, len - 1 },
	                   &out) != GK_OK)
		abort();
	return out;
}

/* What it says, said by us, is taken. */
static void
rebuild(unsigned message, bool has_sak)
{
	const struct gdoi_pull_content c = { .nonce = m.nonce,
		                             .id = m.id_body,
		                             .sa = m.sa,
		                             .gap = m.has_gap ? &m.gap : NULL,
		                             .seq = m.has_seq ? &m.seq : NULL,
		                             .kd = m.kd };
	struct gdoi_pull from, to;
	struct gk_buf out;

	begin(&from, message, has_sak);
	begin(&to, message, has_sak);
	if (gdoi_pull_build(&from, message, &c, &out) != GK_OK ||
	    gdoi_pull_open(&to, message, gk_buf_slice(&out), &again, &why) !=
	            GK_OK)
		abort();
	if (!gk_slice_equal(m.nonce, again.nonce) ||
	    !gk_slice_equal(m.id_body, again.id_body) ||
	    m.has_seq != again.has_seq || m.seq.number != again.seq.number)
		abort();
	gdoi_pull_message_free(&again);
	gk_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned message;
	struct gdoi_pull pull, before;
	struct gk_buf dgram = { 0 };
	bool has_sak, raw;
	enum gk_err err;

	if (len < 2 || len > 60000)
		return 0;
	message = 1 + (data[0] & 3);
	has_sak = (data[0] & 8) != 0;
	raw = (data[0] & 16) != 0;
	dialect = (struct gdoi_dialect){ 0 };
	if ((data[0] & 4) != 0 &&
	    gdoi_dialect_preset(&dialect, "gdoid") != GK_OK)
		abort();
	begin(&pull, message, has_sak);
	if (raw && gk_buf_copy(&dgram,
	                       (struct gk_slice){ data + 1, len - 1 }) != GK_OK)
		abort();
	if (!raw)
		dgram = sealed(&pull, data + 1, len - 1);
	begin(&pull, message, has_sak);
	before = pull;
	err = gdoi_pull_open(&pull, message, gk_buf_slice(&dgram), &m, &why);
	if (memcmp(&before, &pull, sizeof(pull)) != 0)
		abort();
	if (err == GK_OK) {
		rebuild(message, has_sak);
		gdoi_pull_take(&pull, &m);
		gdoi_pull_message_free(&m);
	} else if (why.req == NULL || why.field == NULL) {
		abort();
	}
	gk_buf_free(&dgram);
	return 0;
}
