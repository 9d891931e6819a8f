/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_MESSAGE_SIG_KEY_H
#define GDOI_MESSAGE_SIG_KEY_H

#include "common/crypto/gk_sign.h"
#include "gdoi/payload/sak.h"
#include "gdoi/payload/sat.h"

/*
 * DOC: SIG_ALGORITHM_KEY - RFC 6407 section 5.6.2.2
 *
 * "The public key for this SPI": no form is given.  Switch sig_key_format is
 * about sending; on receipt every form is taken, as none of them can be mistaken
 * for another.
 *
 *     spki   DER SubjectPublicKeyInfo
 *     pkcs1  DER RSAPublicKey
 *     x509   DER certificate
 *     x962   0x04 | x | y
 *     raw    the modulus, with the exponent 65537; or x | y
 */

/**
 * gdoi_sig_key_write - the attribute's value.
 * @cert: DER certificate of the same key, for `x509`; may be empty otherwise
 * @out:  new buffer
 *
 * Return: GK_OK; GK_ERR_VALUE: a key of this kind has no such form (`pkcs1` of a
 * curve, `x962` of RSA, `raw` with another exponent, `x509` without @cert).
 */
GK_MUST_CHECK enum gk_err gdoi_sig_key_write(const struct gdoi_dialect *dialect,
                                             const struct gk_pubkey *pub,
                                             struct gk_slice cert,
                                             struct gk_buf *out);

/**
 * gdoi_sig_key_read - the key that verifies PUSHes.
 * @sak: its SIG_ALGORITHM says what kind of key it has to be
 *
 * Return: GK_OK and *@pub new; GK_ERR_VALUE: no key, or one of another kind.
 */
GK_MUST_CHECK enum gk_err gdoi_sig_key_read(const struct gdoi_sak *sak,
                                            struct gk_slice value,
                                            struct gk_pubkey **pub);

/**
 * gdoi_source_key_check - is @value, a TEK_SOURCE_AUTH_KEY (RFC 6407 section
 * 5.6.1.3), a key that verifies what the sources of @sat sign?
 *
 * RFC 4359 gives that key no form either: those above are taken.
 *
 * Return: GK_OK; GK_ERR_VALUE: no RSA key, or its modulus is not as long as
 * Authentication Key Length says.
 */
GK_MUST_CHECK enum gk_err gdoi_source_key_check(const struct gdoi_sat *sat,
                                                struct gk_slice value);

/* gdoi_source_key_write - the attribute's value, of a SubjectPublicKeyInfo: that
 * itself, where sig_key_format is a form that this key has not. */
GK_MUST_CHECK enum gk_err gdoi_source_key_write(
	const struct gdoi_dialect *dialect, struct gk_slice spki,
	struct gk_buf *out);

#endif /* GDOI_MESSAGE_SIG_KEY_H */
