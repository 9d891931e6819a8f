/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_cms_oid.h"

#define OID(...)                                           \
	{                                                  \
		(const uint8_t[]){ __VA_ARGS__ },          \
			sizeof((uint8_t[]){ __VA_ARGS__ }) \
	}
/* 1.2.840.113549.1 */
#define PKCS 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01
/* 2.16.840.1.101.3.4 */
#define NIST 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04
/* 1.2.840.10045.4 */
#define X962_SIG 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04

const struct gk_slice gk_oid_signed_data = OID(PKCS, 7, 2);
const struct gk_slice gk_oid_attr_content_type = OID(PKCS, 9, 3);
const struct gk_slice gk_oid_attr_message_digest = OID(PKCS, 9, 4);
const struct gk_slice gk_oid_attr_signing_time = OID(PKCS, 9, 5);

static const struct {
	enum gk_hash hash;
	struct gk_slice oid;
} digests[] = {
	{ GK_HASH_MD5_LEGACY, OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5) },
	{ GK_HASH_SHA1_LEGACY, OID(0x2b, 0x0e, 0x03, 0x02, 0x1a) },
	{ GK_HASH_SHA256, OID(NIST, 2, 1) },
	{ GK_HASH_SHA384, OID(NIST, 2, 2) },
	{ GK_HASH_SHA512, OID(NIST, 2, 3) },
};

/* The first line that fits is the one that is sent.  GK_HASH_NONE stands for
 * whatever digest goes with it. */
static const struct {
	enum gk_sig_scheme scheme;
	enum gk_hash hash;
	bool null;
	struct gk_slice oid;
} signatures[] = {
	{ GK_SIG_RSA_PKCS1, GK_HASH_NONE, true, OID(PKCS, 1, 1) },
	{ GK_SIG_RSA_PKCS1, GK_HASH_MD5_LEGACY, true, OID(PKCS, 1, 4) },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA1_LEGACY, true, OID(PKCS, 1, 5) },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA256, true, OID(PKCS, 1, 11) },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA384, true, OID(PKCS, 1, 12) },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA512, true, OID(PKCS, 1, 13) },
	{ GK_SIG_DSA_LEGACY, GK_HASH_SHA1_LEGACY, false,
	  OID(0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 3) },
	{ GK_SIG_DSA_LEGACY, GK_HASH_SHA256, false, OID(NIST, 3, 2) },
	/* Some writers name the key's algorithm instead (RFC 3370 3.1). */
	{ GK_SIG_DSA_LEGACY, GK_HASH_NONE, false,
	  OID(0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 1) },
	{ GK_SIG_ECDSA_P256, GK_HASH_SHA1_LEGACY, false, OID(X962_SIG, 1) },
	{ GK_SIG_ECDSA_P256, GK_HASH_SHA256, false, OID(X962_SIG, 3, 2) },
	{ GK_SIG_ECDSA_P256, GK_HASH_SHA384, false, OID(X962_SIG, 3, 3) },
	{ GK_SIG_ECDSA_P256, GK_HASH_SHA512, false, OID(X962_SIG, 3, 4) },
	{ GK_SIG_ED25519, GK_HASH_SHA512, false, OID(0x2b, 0x65, 0x70) },
};

struct gk_slice
gk_cms_digest_oid(enum gk_hash hash)
{
	for (size_t i = 0; i < GK_COUNT(digests); i++)
		if (digests[i].hash == hash)
			return digests[i].oid;
	return (struct gk_slice){ 0 };
}

enum gk_hash
gk_cms_digest_of(struct gk_slice oid)
{
	for (size_t i = 0; i < GK_COUNT(digests); i++)
		if (gk_slice_equal(digests[i].oid, oid))
			return digests[i].hash;
	return GK_HASH_NONE;
}

enum gk_hash
gk_cms_digest_for(struct gk_sig_alg alg)
{
	return alg.scheme == GK_SIG_ED25519 ? GK_HASH_SHA512 : alg.hash;
}

/* family - the curve is in the key, not in the identifier. */
static enum gk_sig_scheme
family(enum gk_sig_scheme scheme)
{
	if (scheme == GK_SIG_ECDSA_P384 || scheme == GK_SIG_ECDSA_P521)
		return GK_SIG_ECDSA_P256;
	return scheme;
}

struct gk_slice
gk_cms_signature_oid(struct gk_sig_alg alg, bool *null)
{
	enum gk_hash hash = gk_cms_digest_for(alg);

	*null = false;
	for (size_t i = 0; i < GK_COUNT(signatures); i++) {
		if (signatures[i].scheme != family(alg.scheme))
			continue;
		if (signatures[i].hash != hash &&
		    signatures[i].hash != GK_HASH_NONE)
			continue;
		*null = signatures[i].null;
		return signatures[i].oid;
	}
	return (struct gk_slice){ 0 };
}

bool
gk_cms_signature_of(struct gk_slice oid, enum gk_hash digest,
                    struct gk_sig_alg *alg)
{
	for (size_t i = 0; i < GK_COUNT(signatures); i++) {
		if (!gk_slice_equal(signatures[i].oid, oid))
			continue;
		if (signatures[i].hash != GK_HASH_NONE &&
		    signatures[i].hash != digest)
			return false;
		*alg = (struct gk_sig_alg){ signatures[i].scheme, digest,
			                    GK_SIG_DER };
		if (alg->scheme == GK_SIG_ED25519)
			alg->hash = GK_HASH_NONE;
		return true;
	}
	return false;
}
