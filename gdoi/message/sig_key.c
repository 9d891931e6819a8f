/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/message/sig_key.h"

#include <string.h>

#include "common/crypto/gk_cert.h"
#include "common/crypto/gk_der.h"

/* rsaEncryption, id-ecPublicKey and the three curves; contents octets. */
static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
	                           0x0d, 0x01, 0x01, 0x01 };
static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t oid_p256[] = { 0x2a, 0x86, 0x48, 0xce,
	                            0x3d, 0x03, 0x01, 0x07 };
static const uint8_t oid_p384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t oid_p521[] = { 0x2b, 0x81, 0x04, 0x00, 0x23 };

struct curve {
	enum gk_key_kind kind;
	size_t point; /* octets of x | y */
	struct gk_slice oid;
};

static const struct curve curves[] = {
	{ GK_KEY_P256, 64, { oid_p256, sizeof(oid_p256) } },
	{ GK_KEY_P384, 96, { oid_p384, sizeof(oid_p384) } },
	{ GK_KEY_P521, 132, { oid_p521, sizeof(oid_p521) } },
};

static const uint8_t exponent[] = { 0x01, 0x00, 0x01 };

/* The octets inside the BIT STRING of a SubjectPublicKeyInfo. */
static struct gk_slice
inside(struct gk_slice spki)
{
	struct gk_rd rd, seq;
	struct gk_slice bits;

	gk_rd_init(&rd, spki.ptr, spki.len);
	seq = gk_der_enter(&rd, GK_DER_SEQUENCE, "SubjectPublicKeyInfo");
	(void)gk_der_get(&seq, GK_DER_SEQUENCE, "algorithm");
	bits = gk_der_get(&seq, GK_DER_BIT_STRING, "subjectPublicKey");
	if (seq.fault.err != GK_OK || bits.len == 0)
		return (struct gk_slice){ 0 };
	return (struct gk_slice){ bits.ptr + 1, bits.len - 1 };
}

/* ---- writing ------------------------------------------------------------ */

static enum gk_err
modulus(struct gk_slice pkcs1, struct gk_slice *n)
{
	struct gk_rd rd, seq;
	struct gk_slice e;

	gk_rd_init(&rd, pkcs1.ptr, pkcs1.len);
	seq = gk_der_enter(&rd, GK_DER_SEQUENCE, "RSAPublicKey");
	*n = gk_der_get(&seq, GK_DER_INTEGER, "modulus");
	e = gk_der_get(&seq, GK_DER_INTEGER, "publicExponent");
	if (seq.fault.err != GK_OK || n->len == 0 ||
	    !gk_slice_equal(e, (struct gk_slice){ exponent, sizeof(exponent) }))
		return GK_ERR_VALUE;
	if (n->ptr[0] == 0) {
		n->ptr++;
		n->len--;
	}
	return GK_OK;
}

static enum gk_err
write_point(uint8_t format, struct gk_slice point, struct gk_buf *out)
{
	if (point.len == 0 || point.ptr[0] != 0x04)
		return GK_ERR_VALUE;
	if (format == GDOI_SIG_KEY_FORMAT_RAW) {
		point.ptr++;
		point.len--;
	}
	return gk_buf_copy(out, point);
}

enum gk_err
gdoi_sig_key_write(const struct gdoi_dialect *dialect,
                   const struct gk_pubkey *pub, struct gk_slice cert,
                   struct gk_buf *out)
{
	struct gk_slice spki = gk_pubkey_spki(pub), in = inside(spki), n;
	bool rsa = gk_pubkey_kind(pub) == GK_KEY_RSA;

	*out = (struct gk_buf){ 0 };
	switch (dialect->sig_key_format) {
	case GDOI_SIG_KEY_FORMAT_PKCS1:
		return rsa ? gk_buf_copy(out, in) : GK_ERR_VALUE;
	case GDOI_SIG_KEY_FORMAT_X509:
		return cert.len != 0 ? gk_buf_copy(out, cert) : GK_ERR_VALUE;
	case GDOI_SIG_KEY_FORMAT_X962:
		return rsa ? GK_ERR_VALUE
		           : write_point(GDOI_SIG_KEY_FORMAT_X962, in, out);
	case GDOI_SIG_KEY_FORMAT_RAW:
		if (!rsa)
			return write_point(GDOI_SIG_KEY_FORMAT_RAW, in, out);
		GK_TRY(modulus(in, &n));
		return gk_buf_copy(out, n);
	default:
		return gk_buf_copy(out, spki);
	}
}

/* ---- reading ------------------------------------------------------------ */

/* A SubjectPublicKeyInfo around what would be inside its BIT STRING. */
static enum gk_err
from_inside(struct gk_slice algorithm, struct gk_slice parameter, bool compact,
            struct gk_slice in, struct gk_pubkey **pub)
{
	static const uint8_t zero = 0, four = 4;
	struct gk_der_wr wr = { 0 };
	struct gk_buf spki = { 0 };
	size_t all = gk_der_wr_mark(&wr), at = all;
	enum gk_err err;

	gk_der_wr_octets(&wr, in);
	if (compact)
		gk_der_wr_octets(&wr, (struct gk_slice){ &four, 1 });
	gk_der_wr_octets(&wr, (struct gk_slice){ &zero, 1 });
	gk_der_wr_wrap(&wr, GK_DER_BIT_STRING, at);
	at = gk_der_wr_mark(&wr);
	if (parameter.len != 0)
		gk_der_wr_put(&wr, GK_DER_OID, parameter);
	else
		gk_der_wr_put(&wr, GK_DER_NULL, (struct gk_slice){ 0 });
	gk_der_wr_put(&wr, GK_DER_OID, algorithm);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, at);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, all);
	err = gk_der_wr_done(&wr, &spki);
	if (err == GK_OK)
		err = gk_pubkey_from_spki(gk_buf_slice(&spki), pub);
	gk_buf_free(&spki);
	return err;
}

static enum gk_err
from_point(struct gk_slice value, struct gk_pubkey **pub)
{
	for (size_t i = 0; i < GK_COUNT(curves); i++) {
		bool compact = value.len == curves[i].point;

		if (compact ||
		    (value.len == curves[i].point + 1 && value.ptr[0] == 0x04))
			return from_inside(
				(struct gk_slice){ oid_ec, sizeof(oid_ec) },
				curves[i].oid, compact, value, pub);
	}
	return GK_ERR_VALUE;
}

static enum gk_err
from_pkcs1(struct gk_slice value, struct gk_pubkey **pub)
{
	return from_inside((struct gk_slice){ oid_rsa, sizeof(oid_rsa) },
	                   (struct gk_slice){ 0 }, false, value, pub);
}

static enum gk_err
from_modulus(struct gk_slice n, struct gk_pubkey **pub)
{
	struct gk_der_wr wr = { 0 };
	struct gk_buf pkcs1 = { 0 };
	size_t at = gk_der_wr_mark(&wr);
	enum gk_err err;

	gk_der_wr_unsigned(&wr,
	                   (struct gk_slice){ exponent, sizeof(exponent) });
	gk_der_wr_unsigned(&wr, n);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, at);
	err = gk_der_wr_done(&wr, &pkcs1);
	if (err == GK_OK)
		err = from_pkcs1(gk_buf_slice(&pkcs1), pub);
	gk_buf_free(&pkcs1);
	return err;
}

static enum gk_err
from_cert(struct gk_slice value, struct gk_pubkey **pub)
{
	struct gk_cert *cert;

	GK_TRY(gk_cert_from_der(value, &cert));
	*pub = gk_pubkey_ref(gk_cert_pubkey(cert));
	gk_cert_free(cert);
	return GK_OK;
}

static bool
is_kind(const struct gdoi_sak *sak, enum gk_key_kind kind)
{
	switch (sak->sig_algorithm) {
	case GDOI_SIG_ALG_RSA:
		return kind == GK_KEY_RSA;
	case GDOI_SIG_ALG_DSS:
		return kind == GK_KEY_DSA_LEGACY;
	case GDOI_SIG_ALG_ECDSA_256:
		return kind == GK_KEY_P256;
	case GDOI_SIG_ALG_ECDSA_384:
		return kind == GK_KEY_P384;
	case GDOI_SIG_ALG_ECDSA_521:
		return kind == GK_KEY_P521;
	default: /* ECDSS: the key names the curve */
		return kind == GK_KEY_P256 || kind == GK_KEY_P384 ||
		       kind == GK_KEY_P521;
	}
}

enum gk_err
gdoi_sig_key_read(const struct gdoi_sak *sak, struct gk_slice value,
                  struct gk_pubkey **pub)
{
	bool rsa = sak->sig_algorithm == GDOI_SIG_ALG_RSA;
	enum gk_err err;

	*pub = NULL;
	err = gk_pubkey_from_spki(value, pub);
	if (err == GK_ERR_VALUE)
		err = from_cert(value, pub);
	if (err == GK_ERR_VALUE && rsa)
		err = from_pkcs1(value, pub);
	if (err == GK_ERR_VALUE)
		err = rsa ? from_modulus(value, pub) : from_point(value, pub);
	if (err == GK_OK && !is_kind(sak, gk_pubkey_kind(*pub))) {
		gk_pubkey_free(*pub);
		*pub = NULL;
		err = GK_ERR_VALUE;
	}
	return err;
}

enum gk_err
gdoi_source_key_check(const struct gdoi_sat *sat, struct gk_slice value)
{
	static const struct gdoi_sak rsa = {
		.sig_algorithm = GDOI_SIG_ALG_RSA,
	};
	struct gk_pubkey *pub;
	size_t bits;

	GK_TRY(gdoi_sig_key_read(&rsa, value, &pub));
	bits = gk_pubkey_bits(pub);
	gk_pubkey_free(pub);
	return bits == sat->ipsec.authentication_length ? GK_OK : GK_ERR_VALUE;
}

enum gk_err
gdoi_source_key_write(const struct gdoi_dialect *dialect, struct gk_slice spki,
                      struct gk_buf *out)
{
	struct gk_pubkey *pub;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	GK_TRY(gk_pubkey_from_spki(spki, &pub));
	err = gdoi_sig_key_write(dialect, pub, (struct gk_slice){ 0 }, out);
	gk_pubkey_free(pub);
	return err == GK_ERR_VALUE ? gk_buf_copy(out, spki) : err;
}
