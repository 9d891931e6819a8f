/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/phase1/suite.h"

#include "common/base/gk_check.h"

/* Attribute classes, RFC 2409 appendix A. */
enum {
	ENCRYPTION_ALGORITHM = 1,
	HASH_ALGORITHM = 2,
	AUTHENTICATION_METHOD = 3,
	GROUP_DESCRIPTION = 4,
	LIFE_TYPE = 11,
	LIFE_DURATION = 12,
	KEY_LENGTH = 14,
};

#define LIFE_SECONDS 1
#define LIFE_KILOBYTES 2
#define AES_DEFAULT_BITS 128

static const struct {
	uint16_t value;
	enum gk_cipher cipher;
	uint16_t bits;
} encryptions[] = {
#define E(name, value, text, cipher, bits) \
	{ (value), GK_CIPHER_##cipher, (bits) },
	IKE_ENCRYPTION_LIST(E)
#undef E
};

static const struct {
	uint16_t value;
	enum gk_hash hash;
} hashes[] = {
#define H(name, value, text, hash) { (value), GK_HASH_##hash },
	IKE_HASH_LIST(H)
#undef H
};

static const struct {
	uint16_t value;
	enum gk_sig_scheme scheme;
	enum gk_hash hash;
} auths[] = {
#define A(name, value, text, scheme, hash) \
	{ (value), GK_SIG_##scheme, GK_HASH_##hash },
	IKE_AUTH_LIST(A)
#undef A
};

static const struct {
	uint16_t value;
	enum gk_kex group;
} groups[] = {
#define G(name, value, text, group) { (value), GK_KEX_##group },
	IKE_GROUP_LIST(G)
#undef G
};

enum gk_cipher
ike_suite_cipher(const struct ike_suite *suite)
{
	if (suite->encryption == IKE_ENCRYPTION_AES_CBC)
		return gk_cipher_aes_cbc(suite->key_bits);
	for (size_t i = 0; i < GK_COUNT(encryptions); i++)
		if (encryptions[i].value == suite->encryption &&
		    suite->key_bits == 0)
			return encryptions[i].cipher;
	return GK_CIPHER_NONE;
}

enum gk_hash
ike_suite_hash(const struct ike_suite *suite)
{
	for (size_t i = 0; i < GK_COUNT(hashes); i++)
		if (hashes[i].value == suite->hash)
			return hashes[i].hash;
	return GK_HASH_NONE;
}

enum gk_kex
ike_suite_group(const struct ike_suite *suite)
{
	for (size_t i = 0; i < GK_COUNT(groups); i++)
		if (groups[i].value == suite->group)
			return groups[i].group;
	return GK_KEX_NONE;
}

struct gk_sig_alg
ike_suite_signature(const struct ike_suite *suite)
{
	struct gk_sig_alg alg = { .encoding = GK_SIG_RAW };

	for (size_t i = 0; i < GK_COUNT(auths); i++)
		if (auths[i].value == suite->auth) {
			alg.scheme = auths[i].scheme;
			alg.hash = auths[i].hash;
		}
	return alg;
}

static bool
auth_known(uint16_t auth)
{
	for (size_t i = 0; i < GK_COUNT(auths); i++)
		if (auths[i].value == auth)
			return true;
	return false;
}

bool
ike_suite_is_legacy(const struct ike_suite *suite)
{
	return gk_cipher_is_legacy(ike_suite_cipher(suite)) ||
	       suite->hash == IKE_HASH_MD5 ||
	       gk_kex_is_legacy(ike_suite_group(suite));
}

/* ---- reading ------------------------------------------------------------ */

struct reading {
	struct ike_suite *suite;
	struct isakmp_reject *why;
	uint32_t life_type;
	uint32_t seen; /* bit per class, all below 32 */
};

static enum gk_err
refuse(struct reading *r, const char *req, const char *field, size_t at)
{
	return isakmp_refuse(r->why, GK_ERR_VALUE,
	                     ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED, req, field,
	                     at);
}

static enum gk_err
life_read(struct reading *r, const struct isakmp_attribute *a)
{
	uint32_t *to = r->life_type == LIFE_SECONDS ? &r->suite->life_s
	                                            : &r->suite->life_kb;

	if (a->type == LIFE_TYPE) {
		if (!a->basic || r->life_type != 0 ||
		    (a->number != LIFE_SECONDS && a->number != LIFE_KILOBYTES))
			return refuse(r, "RFC2409-A-08", "Life Type", a->at);
		r->life_type = a->number;
		return GK_OK;
	}
	if (r->life_type == 0 || *to != 0 || !isakmp_attribute_number(a, to))
		return refuse(r, "RFC2409-A-08", "Life Duration", a->at);
	r->life_type = 0;
	return GK_OK;
}

static enum gk_err
basic_read(struct reading *r, const struct isakmp_attribute *a, uint16_t *to,
           const char *field)
{
	uint32_t number;

	/* RFC2409-A-02: Basic must not come as Variable. */
	if (!a->basic && GK_CHECKED("RFC2409-A-02"))
		return refuse(r, "RFC2409-A-02", field, a->at);
	if ((r->seen & 1U << a->type) != 0 && GK_CHECKED("RFC2409-A-05"))
		return refuse(r, "RFC2409-A-05", field, a->at);
	r->seen |= 1U << a->type;
	if (!isakmp_attribute_number(a, &number))
		return refuse(r, "RFC2409-A-02", field, a->at);
	*to = (uint16_t)number;
	return GK_OK;
}

static enum gk_err
attribute_read(struct reading *r, const struct isakmp_attribute *a)
{
	switch (a->type) {
	case ENCRYPTION_ALGORITHM:
		return basic_read(r, a, &r->suite->encryption,
		                  "Encryption Algorithm");
	case HASH_ALGORITHM:
		return basic_read(r, a, &r->suite->hash, "Hash Algorithm");
	case AUTHENTICATION_METHOD:
		return basic_read(r, a, &r->suite->auth,
		                  "Authentication Method");
	case GROUP_DESCRIPTION:
		return basic_read(r, a, &r->suite->group, "Group Description");
	case KEY_LENGTH:
		return basic_read(r, a, &r->suite->key_bits, "Key Length");
	case LIFE_TYPE:
	case LIFE_DURATION:
		return life_read(r, a);
	default:
		return refuse(r, "RFC2409-A-05", "SA Attributes", a->at);
	}
}

static enum gk_err
values_check(struct reading *r, bool aes_default, size_t at)
{
	struct ike_suite *s = r->suite;

	if (s->encryption == IKE_ENCRYPTION_AES_CBC && s->key_bits == 0 &&
	    aes_default)
		s->key_bits = AES_DEFAULT_BITS;
	/* RFC2409-4-08: all four; no attribute, no value. */
	if (ike_suite_cipher(s) == GK_CIPHER_NONE)
		return refuse(
			r, s->key_bits != 0 ? "RFC2409-A-10" : "RFC2409-A-06",
			"Encryption Algorithm", at);
	if (ike_suite_hash(s) == GK_HASH_NONE)
		return refuse(r, "RFC2409-A-06", "Hash Algorithm", at);
	if (!auth_known(s->auth))
		return refuse(r, "RFC2409-A-07", "Authentication Method", at);
	if (ike_suite_group(s) == GK_KEX_NONE)
		return refuse(r, "RFC2409-4-11", "Group Description", at);
	return GK_OK;
}

enum gk_err
ike_suite_read(const struct isakmp_transform *transform, bool aes_default,
               struct ike_suite *suite, struct isakmp_reject *why)
{
	struct reading r = { .suite = suite, .why = why };
	struct isakmp_attribute a;
	struct gk_rd rd;

	*suite = (struct ike_suite){ 0 };
	if (transform->id != ISAKMP_KEY_IKE && GK_CHECKED("RFC2407-4.4.2.1-01"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_TRANSFORM_ID,
		                     "RFC2407-4.4.2.1-01", "Transform-Id",
		                     transform->at + 1);
	gk_rd_init(&rd, transform->attributes.ptr, transform->attributes.len);
	while (gk_rd_left(&rd) != 0) {
		if (isakmp_attribute_decode(&rd, &a) != GK_OK)
			return isakmp_refuse(why, rd.fault.err,
			                     ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX,
			                     "RFC2408-3.6-04", rd.fault.field,
			                     transform->at + 4 +
			                             rd.fault.offset);
		a.at += transform->at + 4;
		GK_TRY(attribute_read(&r, &a));
	}
	if (r.life_type != 0)
		return refuse(&r, "RFC2409-A-08", "Life Type", transform->at);
	return values_check(&r, aes_default, transform->at);
}

static void
life_encode(struct gk_wr *wr, uint16_t type, uint32_t duration)
{
	if (duration == 0)
		return;
	isakmp_attribute_encode_basic(wr, LIFE_TYPE, type);
	if (duration <= UINT16_MAX)
		isakmp_attribute_encode_basic(wr, LIFE_DURATION,
		                              (uint16_t)duration);
	else
		isakmp_attribute_encode_u32(wr, LIFE_DURATION, duration);
}

void
ike_suite_encode(struct gk_wr *wr, const struct ike_suite *suite)
{
	isakmp_attribute_encode_basic(wr, ENCRYPTION_ALGORITHM,
	                              suite->encryption);
	isakmp_attribute_encode_basic(wr, HASH_ALGORITHM, suite->hash);
	isakmp_attribute_encode_basic(wr, AUTHENTICATION_METHOD, suite->auth);
	isakmp_attribute_encode_basic(wr, GROUP_DESCRIPTION, suite->group);
	life_encode(wr, LIFE_SECONDS, suite->life_s);
	life_encode(wr, LIFE_KILOBYTES, suite->life_kb);
	if (suite->key_bits != 0)
		isakmp_attribute_encode_basic(wr, KEY_LENGTH, suite->key_bits);
}

bool
ike_suite_matches(const struct ike_suite *offer, const struct ike_suite *want)
{
	return offer->encryption == want->encryption &&
	       offer->key_bits == want->key_bits && offer->hash == want->hash &&
	       offer->auth == want->auth && offer->group == want->group;
}
