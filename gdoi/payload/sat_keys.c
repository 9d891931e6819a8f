/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/sat_keys.h"

#include "common/base/gk_check.h"

/*
 * Transforms of the ESP registry: RFC 2407 section 4.4.4; from 13 on IANA's, for
 * RFC 3686, 4309, 4106, 4312 and 4543.  @extra octets of salt or nonce stand
 * behind the key.
 */
struct esp {
	uint8_t transform;
	uint8_t fixed; /* octets of the only key; 0: Key Length says */
	uint8_t extra; /* octets */
	bool combined; /* brings its own authentication */
	bool counter;
	bool legacy;
};

#define RSA_MIN 2048 /* bits; less is legacy */

enum { ESP_NULL = 11, ESP_GCM_8 = 18, ESP_GCM_16 = 20 };

static const struct esp esps[] = {
	{ 2, 8, 0, false, false, true },         /* DES */
	{ 3, 24, 0, false, false, true },        /* 3DES */
	{ ESP_NULL, 0, 0, false, false, false }, /* NULL */
	{ 12, 0, 0, false, false, false },       /* AES-CBC */
	{ 13, 0, 4, false, true, false },        /* AES-CTR */
	{ 14, 0, 3, true, true, false },         /* AES-CCM, ICV 8 */
	{ 15, 0, 3, true, true, false },         /* AES-CCM, ICV 12 */
	{ 16, 0, 3, true, true, false },         /* AES-CCM, ICV 16 */
	{ ESP_GCM_8, 0, 4, true, true, false },  /* AES-GCM, ICV 8 */
	{ 19, 0, 4, true, true, false },         /* AES-GCM, ICV 12 */
	{ ESP_GCM_16, 0, 4, true, true, false }, /* AES-GCM, ICV 16 */
	{ 22, 0, 0, false, false, false },       /* Camellia */
	{ 23, 0, 4, true, true, false },         /* NULL, AES-GMAC */
};

/* Authentication Algorithms, and the AH transform that each goes with (RFC 2407
 * sections 4.4.3 and 4.5; IANA's from 5 on; RFC 4359; RFC 4543). */
struct authentication {
	uint8_t algorithm;
	uint8_t ah; /* 0: none */
	uint8_t octets;
	bool counter;
	bool legacy;
	bool source; /* a public key instead */
};

static const struct authentication authentications[] = {
	{ 1, 2, 16, false, true, false },   /* HMAC-MD5 */
	{ 2, 3, 20, false, false, false },  /* HMAC-SHA */
	{ 5, 5, 32, false, false, false },  /* HMAC-SHA2-256 */
	{ 6, 6, 48, false, false, false },  /* HMAC-SHA2-384 */
	{ 7, 7, 64, false, false, false },  /* HMAC-SHA2-512 */
	{ 9, 9, 16, false, false, false },  /* AES-XCBC-MAC */
	{ 10, 10, 0, false, false, true },  /* SIG-RSA */
	{ 11, 11, 20, true, false, false }, /* AES-128-GMAC */
	{ 12, 12, 28, true, false, false }, /* AES-192-GMAC */
	{ 13, 13, 36, true, false, false }, /* AES-256-GMAC */
};

static enum gk_err
refuse(const struct gdoi_sat *sat, enum isakmp_notify notify, const char *req,
       const char *field, struct isakmp_reject *why)
{
	return isakmp_refuse(why, GK_ERR_VALUE, notify, req, field, sat->at);
}

static const struct authentication *
authentication_find(uint16_t algorithm)
{
	for (size_t i = 0; i < GK_COUNT(authentications); i++)
		if (authentications[i].algorithm == algorithm)
			return &authentications[i];
	return NULL;
}

static bool
is_signed(const struct gdoi_sat *sat)
{
	const struct authentication *a =
		authentication_find(sat->ipsec.authentication);

	return a != NULL && a->source;
}

/* RFC2407-4.5-10, -11; switch gcm_key_length. */
static enum gk_err
cipher_key(const struct gdoi_dialect *dialect, const struct gdoi_sat *sat,
           const struct esp *esp, struct gdoi_sat_keys *keys,
           struct isakmp_reject *why)
{
	uint16_t bits = sat->ipsec.key_length;
	bool gcm = esp->transform >= ESP_GCM_8 && esp->transform <= ESP_GCM_16;

	if (esp->fixed != 0 || esp->transform == ESP_NULL) {
		keys->algorithm = esp->fixed;
		/* gdoid names the length of a 3DES key: it is the right one. */
		if (bits != 0 && bits != 8 * esp->fixed &&
		    GK_CHECKED("RFC2407-4.5-11"))
			return refuse(sat,
			              ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
			              "RFC2407-4.5-11", "Key Length", why);
		return GK_OK;
	}
	if (gcm && dialect->gcm_key_length == GDOI_GCM_KEY_LENGTH_KEY_SALT)
		bits = bits > 8 * esp->extra ? (uint16_t)(bits - 8 * esp->extra)
		                             : 0;
	if (bits != 128 && bits != 192 && bits != 256 &&
	    GK_CHECKED("RFC2407-4.5-10"))
		return refuse(sat, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC2407-4.5-10", "Key Length", why);
	keys->algorithm = bits / 8U + esp->extra;
	return GK_OK;
}

/* RFC 4359 section 5: how long the modulus is, and how it is encoded, are said. */
static enum gk_err
source_authenticated(const struct gdoi_sat *sat, struct gdoi_sat_keys *keys,
                     struct isakmp_reject *why)
{
	keys->source_auth = true;
	keys->legacy |= sat->ipsec.authentication_length < RSA_MIN;
	if (sat->ipsec.authentication_length == 0 && GK_CHECKED("RFC4359-5-01"))
		return refuse(sat, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC4359-5-01", "Authentication Key Length", why);
	if (sat->ipsec.signature_encoding == 0 && GK_CHECKED("RFC4359-5-02"))
		return refuse(sat, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC4359-5-02", "Signature Encoding Algorithm",
		              why);
	return GK_OK;
}

static enum gk_err
authenticated(const struct gdoi_sat *sat, struct gdoi_sat_keys *keys,
              struct isakmp_reject *why)
{
	const struct authentication *a =
		authentication_find(sat->ipsec.authentication);

	if (a == NULL && !GK_CHECKED("RFC2407-4.5-07"))
		return GK_OK;
	if (a == NULL || (a->counter && GK_CHECKED("RFC2407-4.5-07")))
		return refuse(sat, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC2407-4.5-07", "Authentication Algorithm",
		              why);
	keys->integrity = a->octets;
	keys->legacy = keys->legacy || a->legacy;
	return a->source ? source_authenticated(sat, keys, why) : GK_OK;
}

static enum gk_err
esp_keys(const struct gdoi_dialect *dialect, const struct gdoi_sat *sat,
         struct gdoi_sat_keys *keys, struct isakmp_reject *why)
{
	const struct esp *esp = NULL;

	for (size_t i = 0; i < GK_COUNT(esps); i++)
		if (esps[i].transform == sat->ipsec.transform)
			esp = &esps[i];
	if (esp == NULL && !GK_CHECKED("RFC6407-5.5.1-07", "RFC5374-1.1-03"))
		return GK_OK;
	if (esp == NULL)
		return refuse(sat, ISAKMP_NOTIFY_INVALID_TRANSFORM_ID,
		              "RFC6407-5.5.1-07", "Transform ID", why);
	keys->counter_mode = esp->counter;
	keys->legacy = esp->legacy;
	GK_TRY(cipher_key(dialect, sat, esp, keys, why));
	if (sat->ipsec.authentication != 0 && !esp->combined)
		return authenticated(sat, keys, why);
	if (is_signed(sat) && GK_CHECKED("RFC4359-4-01"))
		return refuse(sat, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC4359-4-01", "Authentication Algorithm", why);
	/* RFC2407-4.5-08: a combined mode has no second authentication. */
	if (sat->ipsec.authentication != 0 && !is_signed(sat) &&
	    GK_CHECKED("RFC2407-4.5-08"))
		return refuse(sat, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC2407-4.5-08", "Authentication Algorithm",
		              why);
	if (esp->transform == ESP_NULL && GK_CHECKED("RFC2407-4.4.4.11-01"))
		return refuse(sat, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC2407-4.4.4.11-01", "Authentication Algorithm",
		              why);
	keys->legacy = keys->legacy || !esp->combined;
	return GK_OK;
}

/* RFC2407-4.4.3-01: AH says twice what it is, and the same. */
static enum gk_err
ah_keys(const struct gdoi_sat *sat, struct gdoi_sat_keys *keys,
        struct isakmp_reject *why)
{
	const struct authentication *a =
		authentication_find(sat->ipsec.authentication);

	if (a == NULL && !GK_CHECKED("RFC2407-4.4.3-01"))
		return GK_OK;
	if (a == NULL ||
	    (a->ah != sat->ipsec.transform && GK_CHECKED("RFC2407-4.4.3-01")))
		return refuse(sat, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		              "RFC2407-4.4.3-01", "Authentication Algorithm",
		              why);
	keys->integrity = a->octets;
	keys->counter_mode = a->counter;
	keys->legacy = a->legacy;
	return a->source ? source_authenticated(sat, keys, why) : GK_OK;
}

/* RFC 8052 section 2.3; that numbers are known, and go together, sat_iec.c has
 * seen to. */
static enum gk_err
iec_keys(const struct gdoi_sat *sat, struct gdoi_sat_keys *keys)
{
	static const uint8_t auth[] = {
		[GDOI_IEC_AUTH_HMAC_SHA256_128] = 32,
		[GDOI_IEC_AUTH_HMAC_SHA256] = 32,
		[GDOI_IEC_AUTH_AES_GMAC_128] = 20,
		[GDOI_IEC_AUTH_AES_GMAC_256] = 36,
	};
	static const uint8_t enc[] = {
		[GDOI_IEC_ENC_AES_CBC_128] = 16,
		[GDOI_IEC_ENC_AES_CBC_256] = 32,
		[GDOI_IEC_ENC_AES_GCM_128] = 20,
		[GDOI_IEC_ENC_AES_GCM_256] = 36,
	};
	uint16_t a = sat->iec.auth, e = sat->iec.enc;

	keys->integrity = a < GK_COUNT(auth) ? auth[a] : 0;
	keys->algorithm = e < GK_COUNT(enc) ? enc[e] : 0;
	keys->counter_mode = a == GDOI_IEC_AUTH_AES_GMAC_128 ||
	                     a == GDOI_IEC_AUTH_AES_GMAC_256 ||
	                     e == GDOI_IEC_ENC_AES_GCM_128 ||
	                     e == GDOI_IEC_ENC_AES_GCM_256;
	/* RFC8052-3-04: neither is possible, and not recommended. */
	keys->legacy = keys->integrity == 0 && keys->algorithm == 0;
	return GK_OK;
}

enum gk_err
gdoi_sat_keys(const struct gdoi_dialect *dialect, const struct gdoi_sat *sat,
              struct gdoi_sat_keys *keys, struct isakmp_reject *why)
{
	*keys = (struct gdoi_sat_keys){ 0 };
	switch (sat->protocol) {
	case GDOI_PROTOCOL_ESP:
		return esp_keys(dialect, sat, keys, why);
	case GDOI_PROTOCOL_AH:
		return ah_keys(sat, keys, why);
	default:
		return iec_keys(sat, keys);
	}
}

/* The requirement that says how long a key of IEC 61850 is. */
static const char *
iec_requirement(const struct gdoi_sat *sat, bool integrity)
{
	if (!integrity)
		return sat->iec.enc == GDOI_IEC_ENC_AES_CBC_128 ||
		                       sat->iec.enc == GDOI_IEC_ENC_AES_CBC_256
		               ? "RFC8052-2.3-08"
		       : sat->iec.enc == GDOI_IEC_ENC_NONE ? "RFC8052-2.3-07"
		                                           : "RFC8052-2.3-09";
	switch (sat->iec.auth) {
	case GDOI_IEC_AUTH_NONE:
		return "RFC8052-2.3-03";
	case GDOI_IEC_AUTH_AES_GMAC_128:
		return "RFC8052-2.3-05";
	case GDOI_IEC_AUTH_AES_GMAC_256:
		return "RFC8052-2.3-06";
	default:
		return "RFC8052-2.3-04";
	}
}

/* RFC 6407 sections 5.6.1.1 and 5.6.1.2 for ESP and AH. */
static const char *
requirement(const struct gdoi_sat *sat, const struct gdoi_kd_packet *p,
            bool integrity)
{
	struct gk_slice key = integrity ? p->integrity_key : p->algorithm_key;

	if (sat->protocol == GDOI_PROTOCOL_IEC_61850)
		return iec_requirement(sat, integrity);
	if (key.len == 0) /* the one it calls for is not there */
		return "RFC6407-5.6.1-01";
	if (integrity)
		return sat->ipsec.authentication <= 2 ? "RFC6407-5.6.1.2-01"
		                                      : "RFC6407-5.6.1.2-02";
	return sat->ipsec.transform <= 3 ? "RFC6407-5.6.1.1-02"
	                                 : "RFC6407-5.6.1-05";
}

enum gk_err
gdoi_sat_keys_fit(const struct gdoi_sat *sat, const struct gdoi_sat_keys *keys,
                  const struct gdoi_kd_packet *packet,
                  struct isakmp_reject *why)
{
	const char *req = NULL, *field = NULL;

	if (packet->algorithm_key.len != keys->algorithm) {
		req = requirement(sat, packet, false);
		field = "TEK_ALGORITHM_KEY";
	} else if (packet->integrity_key.len != keys->integrity) {
		req = requirement(sat, packet, true);
		field = "TEK_INTEGRITY_KEY";
	} else if ((packet->source_auth_key.len != 0) != keys->source_auth) {
		req = "RFC6407-5.6.1-01";
		field = "TEK_SOURCE_AUTH_KEY";
	}
	if (req == NULL || !GK_CHECKED(req))
		return GK_OK;
	return isakmp_refuse(why, GK_ERR_VALUE,
	                     ISAKMP_NOTIFY_INVALID_KEY_INFORMATION, req, field,
	                     packet->at);
}
