/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/gcks_state.h"

/*
 * RFC 6407 section 7.1.2: the cipher of phase 1 should be no weaker than the keys
 * that a GROUPKEY-PULL carries under it.  Strengths in bits, as RFC 3766 has
 * them for the old ciphers.
 */
#define DES_BITS 56
#define TRIPLE_DES_BITS 112
#define AES_BITS 128 /* where no length is said */

#define ESP_DES 2 /* RFC 2407 section 4.4.4 */
#define ESP_3DES 3

static unsigned
cipher_bits(const struct ike_suite *suite)
{
	switch (suite->encryption) {
	case IKE_ENCRYPTION_DES_CBC:
		return DES_BITS;
	case IKE_ENCRYPTION_3DES_CBC:
		return TRIPLE_DES_BITS;
	default:
		return suite->key_bits != 0 ? suite->key_bits : AES_BITS;
	}
}

static unsigned
kek_bits(const struct gdoi_sak *sak)
{
	switch (sak->algorithm) {
	case GDOI_KEK_ALG_DES:
		return DES_BITS;
	case GDOI_KEK_ALG_3DES:
		return TRIPLE_DES_BITS;
	default:
		return sak->key_length != 0 ? sak->key_length : AES_BITS;
	}
}

/* Key Length may count a salt of 32 bits: switch gcm_key_length. */
static unsigned
esp_bits(const struct gdoi_sat_ipsec *sat)
{
	if (sat->key_length != 0)
		return sat->key_length - sat->key_length % 64U;
	if (sat->transform == ESP_DES)
		return DES_BITS;
	return sat->transform == ESP_3DES ? TRIPLE_DES_BITS : AES_BITS;
}

static unsigned
iec_bits(const struct gdoi_sat_iec *sat)
{
	return sat->enc == GDOI_IEC_ENC_AES_CBC_256 ||
	                       sat->enc == GDOI_IEC_ENC_AES_GCM_256 ||
	                       sat->auth == GDOI_IEC_AUTH_AES_GMAC_256
	               ? 256
	               : AES_BITS;
}

bool
gcks_is_weak(const struct ike_suite *suite, const struct gdoi_sa *sa)
{
	unsigned most = sa->has_sak ? kek_bits(&sa->sak) : 0;

	for (uint16_t i = 0; i < sa->n_sats; i++) {
		const struct gdoi_sat *sat = &sa->sat[i];
		unsigned bits = 0;

		if (sat->protocol == GDOI_PROTOCOL_ESP)
			bits = esp_bits(&sat->ipsec);
		else if (sat->protocol == GDOI_PROTOCOL_IEC_61850)
			bits = iec_bits(&sat->iec);
		most = bits > most ? bits : most;
	}
	return cipher_bits(suite) < most;
}
