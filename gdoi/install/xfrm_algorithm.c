/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that the registries and the Linux crypto layer have for one thing. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gdoi/install/xfrm.h"

/* IANA's registry "IPSEC ESP Transform Identifiers". */
enum { ESP_NULL = 11 };

enum mode { CIPHER, COUNTER, AEAD };

static const struct esp {
	uint8_t transform;
	const char *kernel;
	enum mode mode;
	uint8_t key[3]; /* octets, without salt; 0: no further length */
	uint8_t salt;   /* octets behind the key */
	uint16_t icv_bits;
} esps[] = {
	{ 2, "cbc(des)", CIPHER, { 8 }, 0, 0 },       /* RFC 2405 */
	{ 3, "cbc(des3_ede)", CIPHER, { 24 }, 0, 0 }, /* RFC 2451 */
	{ ESP_NULL, "ecb(cipher_null)", CIPHER, { 0 }, 0, 0 },
	{ 12, "cbc(aes)", CIPHER, { 16, 24, 32 }, 0, 0 }, /* RFC 3602 */
	{ 13, "rfc3686(ctr(aes))", COUNTER, { 16, 24, 32 }, 4, 0 },
	{ 14, "rfc4309(ccm(aes))", AEAD, { 16, 24, 32 }, 3, 64 },
	{ 15, "rfc4309(ccm(aes))", AEAD, { 16, 24, 32 }, 3, 96 },
	{ 16, "rfc4309(ccm(aes))", AEAD, { 16, 24, 32 }, 3, 128 },
	{ 18, "rfc4106(gcm(aes))", AEAD, { 16, 24, 32 }, 4, 64 },
	{ 19, "rfc4106(gcm(aes))", AEAD, { 16, 24, 32 }, 4, 96 },
	{ 20, "rfc4106(gcm(aes))", AEAD, { 16, 24, 32 }, 4, 128 },
	{ 22, "cbc(camellia)", CIPHER, { 16, 24, 32 }, 0, 0 }, /* RFC 4312 */
	{ 23, "rfc4543(gcm(aes))", AEAD, { 16, 24, 32 }, 4, 128 }, /* GMAC */
};

/* RFC 2407 section 4.5, "Authentication Algorithm", and IANA's additions; the AH
 * transform that goes with each. */
#define SIG_RSA 10 /* RFC 4359 */

static const struct auth {
	uint16_t algorithm;
	uint8_t ah;
	const char *kernel;
	uint8_t key; /* octets */
	uint16_t icv_bits;
} auths[] = {
	{ 1, 2, "hmac(md5)", 16, 96 },     /* RFC 2403 */
	{ 2, 3, "hmac(sha1)", 20, 96 },    /* RFC 2404 */
	{ 5, 5, "hmac(sha256)", 32, 128 }, /* RFC 4868 */
	{ 6, 6, "hmac(sha384)", 48, 192 }, { 7, 7, "hmac(sha512)", 64, 256 },
	{ 8, 8, "hmac(rmd160)", 20, 96 }, /* RFC 2857 */
	{ 9, 9, "xcbc(aes)", 16, 96 },    /* RFC 3566 */
};

static enum gk_err
cannot(char why[GDOI_XFRM_WHY], const char *what, unsigned number)
{
	snprintf(why, GDOI_XFRM_WHY, "%s %u", what, number);
	return GK_ERR_POLICY;
}

static enum gk_err
integrity(const struct gdoi_tek *tek, struct gdoi_xfrm *x,
          char why[GDOI_XFRM_WHY])
{
	uint16_t algorithm = tek->sat->ipsec.authentication;

	if (algorithm == SIG_RSA)
		return cannot(why,
		              "the kernel verifies no signatures of sources: "
		              "authentication algorithm",
		              algorithm);
	for (size_t i = 0; i < GK_COUNT(auths); i++) {
		if (auths[i].algorithm != algorithm)
			continue;
		if (x->proto == IPPROTO_AH &&
		    auths[i].ah != tek->sat->ipsec.transform)
			break;
		if (tek->integrity.len != auths[i].key)
			return cannot(why, "integrity key of octets",
			              (unsigned)tek->integrity.len);
		x->auth = (struct gdoi_xfrm_algorithm){ auths[i].kernel,
			                                tek->integrity,
			                                auths[i].icv_bits };
		return GK_OK;
	}
	return cannot(why, "the kernel has no authentication algorithm",
	              algorithm);
}

static bool
fits(const struct esp *esp, size_t len)
{
	for (size_t i = 0; i < GK_COUNT(esp->key); i++)
		if ((i == 0 || esp->key[i] != 0) &&
		    len == (size_t)esp->key[i] + esp->salt)
			return true;
	return false;
}

static enum gk_err
encryption(const struct gdoi_tek *tek, const struct esp *esp,
           struct gdoi_xfrm *x, char why[GDOI_XFRM_WHY])
{
	const struct gdoi_xfrm_algorithm a = { esp->kernel, tek->key,
		                               esp->icv_bits };

	if (!fits(esp, tek->key.len))
		return cannot(why, "encryption key of octets",
		              (unsigned)tek->key.len);
	if (esp->mode == AEAD) {
		x->aead = a;
		return GK_OK;
	}
	x->crypt = a;
	if (tek->sat->ipsec.authentication != 0)
		return integrity(tek, x, why);
	/* RFC 4303 section 3.2: not both may be missing, and a counter mode
	 * is never alone (RFC 3686 section 3). */
	if (esp->transform == ESP_NULL || esp->mode == COUNTER)
		return cannot(why, "no integrity with ESP transform",
		              esp->transform);
	return GK_OK;
}

enum gk_err
gdoi_xfrm_algorithms(const struct gdoi_tek *tek, struct gdoi_xfrm *x,
                     char why[GDOI_XFRM_WHY])
{
	uint8_t transform = tek->sat->ipsec.transform;

	if (x->proto == IPPROTO_AH)
		return integrity(tek, x, why);
	for (size_t i = 0; i < GK_COUNT(esps); i++)
		if (esps[i].transform == transform)
			return encryption(tek, &esps[i], x, why);
	return cannot(why, "the kernel has no ESP transform", transform);
}

bool
gdoi_xfrm_is_counter(const struct gdoi_xfrm *x)
{
	return x->aead.name != NULL ||
	       (x->crypt.name != NULL &&
	        strcmp(x->crypt.name, "rfc3686(ctr(aes))") == 0);
}
