/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_edition.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "common/crypto/gk_hash.h"
#include "common/wire/gk_wr.h"

#define ROW_VERSION 1

void
gpt_edition_free(struct gpt_edition *edition)
{
	gpt_token_free(edition->token);
	gk_buf_free(&edition->cms);
	*edition = (struct gpt_edition){ 0 };
}

/* The edition and the date of what comes after @last. */
static enum gk_err
number(struct gpt_token *token, const struct gpt_seen *last, int64_t now,
       struct gpt_seen *seen, struct gpt_fault *why)
{
	int64_t least = 1, when = now;

	if (last && last->any) {
		if ((last->edition == INT64_MAX ||
		     last->signing_time >= GK_UTC_MAX) &&
		    GK_CHECKED("RFC4534-3.1-03"))
			return gpt_fault_set(why, GK_ERR_SPACE,
			                     "RFC4534-3.1-03",
			                     "tokenInfo.edition",
			                     "no greater edition or later date "
			                     "exists");
		least = last->has_edition ? last->edition + 1 : 1;
		if (when <= last->signing_time)
			when = last->signing_time + 1;
	}
	if (!token->has_edition || token->edition < least)
		token->edition = least;
	token->has_edition = true;
	*seen = (struct gpt_seen){ .any = true,
		                   .has_edition = true,
		                   .edition = token->edition,
		                   .signing_time = when };
	return GK_OK;
}

enum gk_err
gpt_edition_make(const struct gpt_token *policy, const struct gpt_seen *last,
                 int64_t now, const struct gk_signer *signer,
                 const struct gk_certs *chain, struct gpt_edition *edition,
                 struct gpt_fault *why)
{
	struct gpt_edition made = { 0 };
	struct gk_buf der = { 0 };
	uint8_t digest[GK_HASH_MAX];
	struct gk_slice cms;
	enum gk_err err = gpt_token_copy(policy, &made.token);

	if (err != GK_OK)
		return gpt_fault_set(why, err, NULL, NULL, "out of memory");
	err = number(made.token, last, now, &made.seen, why);
	if (err == GK_OK)
		err = gpt_token_encode(made.token, &der, why);
	if (err == GK_OK)
		err = gpt_token_sign_chain(gk_buf_slice(&der), signer, chain,
		                           made.seen.signing_time, false,
		                           &made.cms, why);
	if (err == GK_OK && made.cms.len > GPT_TOKEN_CAP)
		err = gpt_fault_set(why, GK_ERR_SPACE, NULL, "SignedData",
		                    "the signed token has %zu octets; nobody "
		                    "would accept more than %d",
		                    made.cms.len, GPT_TOKEN_CAP);
	if (err == GK_OK) {
		cms = gk_buf_slice(&made.cms);
		err = gk_hash(GK_HASH_SHA256, &cms, 1, digest);
		memcpy(made.seen.digest, digest, GPT_DIGEST_LEN);
	}
	gk_buf_free(&der);
	if (err != GK_OK) {
		gpt_edition_free(&made);
		return err;
	}
	*edition = made;
	return GK_OK;
}

/* --- rows -------------------------------------------------------------------------------- */

static void
put_u64(struct gk_wr *wr, int64_t value)
{
	gk_wr_u32(wr, (uint32_t)((uint64_t)value >> 32));
	gk_wr_u32(wr, (uint32_t)(uint64_t)value);
}

static int64_t
get_u64(struct gk_rd *rd, const char *field)
{
	uint64_t high = gk_rd_u32(rd, field);

	return (int64_t)(high << 32 | gk_rd_u32(rd, field));
}

void
gpt_edition_row(const struct gpt_seen *seen, uint8_t row[GPT_EDITION_ROW_LEN])
{
	struct gk_wr wr;

	gk_wr_init(&wr, row, GPT_EDITION_ROW_LEN);
	gk_wr_u8(&wr, ROW_VERSION);
	put_u64(&wr, seen->edition);
	put_u64(&wr, seen->signing_time);
	gk_wr_bytes(&wr, (struct gk_slice){ seen->digest, GPT_DIGEST_LEN });
}

enum gk_err
gpt_edition_row_read(struct gk_slice row, struct gpt_seen *seen)
{
	struct gk_slice digest;
	struct gk_rd rd;

	gk_rd_init(&rd, row.ptr, row.len);
	if (gk_rd_u8(&rd, "Version") != ROW_VERSION)
		gk_rd_fail(&rd, GK_ERR_VALUE, "Version");
	*seen = (struct gpt_seen){ .any = true, .has_edition = true };
	seen->edition = get_u64(&rd, "Edition");
	seen->signing_time = get_u64(&rd, "Signing-time");
	digest = gk_rd_bytes(&rd, GPT_DIGEST_LEN, "Digest");
	if (gk_rd_done(&rd) != GK_OK)
		return GK_ERR_VALUE;
	memcpy(seen->digest, digest.ptr, GPT_DIGEST_LEN);
	return GK_OK;
}

/* The sign bit is turned so that octets sort as numbers do. */
void
gpt_edition_key(int64_t edition, uint8_t key[GPT_EDITION_KEY_LEN])
{
	struct gk_wr wr;

	gk_wr_init(&wr, key, GPT_EDITION_KEY_LEN);
	put_u64(&wr, (int64_t)((uint64_t)edition ^ 1ULL << 63));
}

int64_t
gpt_edition_of_key(struct gk_slice key)
{
	struct gk_rd rd;

	gk_rd_init(&rd, key.ptr, key.len);
	return (int64_t)((uint64_t)get_u64(&rd, "Edition") ^ 1ULL << 63);
}
