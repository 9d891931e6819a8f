/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the provider asks while it validates a path.  It would verify all the
 * signatures of a path and of its CRLs anew for each member, and those of the
 * authorities are always the same; here, those that were good before
 * (gk_proof.h) are not verified again.  Everything else is judged each time.
 */
#include <openssl/x509v3.h>

#include "common/base/gk_check.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_path_impl.h"
#include "common/crypto/gk_proof.h"
#include "common/crypto/gk_sign.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static X509_STORE_CTX_check_crl_fn providers_check_crl; /* or NULL */

static void
ask_provider(void)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (ctx != NULL && X509_STORE_CTX_init(ctx, NULL, NULL, NULL) == 1)
		providers_check_crl = X509_STORE_CTX_get_check_crl(ctx);
	X509_STORE_CTX_free(ctx);
}

/* RFC 5280 section 6.3.3 (a): a CRL is out of date after nextUpdate.  To the
 * provider it is in that second already. */
static bool
is_last_second(const struct gk_path_run *run, const X509_CRL *crl)
{
	time_t before = (time_t)run->utc - 1;

	return crl != NULL && X509_CRL_get0_nextUpdate(crl) != NULL &&
	       X509_cmp_time(X509_CRL_get0_nextUpdate(crl), &before) > 0;
}

/*
 * tolerate - the provider asks before it gives up.
 *
 * It wants a CRL for the anchor too, if that is self-signed, and for everything
 * when asked to check CRLs at all; what is missing or out of date matters only
 * where the policy says so.  A revocation found in an outdated CRL still counts.
 */
static int
tolerate(int ok, X509_STORE_CTX *ctx)
{
	struct gk_path_run *run = X509_STORE_CTX_get_app_data(ctx);
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	bool is_anchor = chain != NULL && depth == sk_X509_num(chain) - 1;

	if (ok || run == NULL)
		return ok;
	if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CRL_HAS_EXPIRED &&
	    is_last_second(run, X509_STORE_CTX_get0_current_crl(ctx)))
		return 1;
	run->complaints++;
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return is_anchor || !run->trust->policy.require_crl;
	default:
		return 0;
	}
}

/* By pointer first: the provider hands on what it was given. */
static const struct gk_cert *
in_list(const struct gk_certs *certs, const X509 *x509)
{
	for (size_t i = 0; certs != NULL && i < certs->n; i++)
		if (gk_cert_x509(certs->cert[i]) == x509)
			return certs->cert[i];
	for (size_t i = 0; certs != NULL && i < certs->n; i++)
		if (!gk_cert_is_raw(certs->cert[i]) &&
		    X509_cmp(gk_cert_x509(certs->cert[i]), x509) == 0)
			return certs->cert[i];
	return NULL;
}

const struct gk_cert *
gk_path_cert(const struct gk_path_run *run, const X509 *x509)
{
	const struct gk_cert *cert;

	if (gk_cert_x509(run->leaf) == x509)
		return run->leaf;
	cert = in_list(&run->trust->anchors, x509);
	if (cert == NULL)
		cert = in_list(&run->trust->intermediates, x509);
	if (cert == NULL && run->extra != NULL)
		cert = in_list(run->extra->certs, x509);
	return cert;
}

/* ---- signatures under certificates -------------------------------------- */

static int
refuse(X509_STORE_CTX *ctx, int code, int depth, X509 *x509)
{
	X509_STORE_CTX_set_error(ctx, code);
	X509_STORE_CTX_set_error_depth(ctx, depth);
	X509_STORE_CTX_set_current_cert(ctx, x509);
	return 0;
}

/* known_alg - how such a signature is made, and @issuer's key is of that kind; false
 * for others.  The provider reads no parameters of these either. */
static bool
known_alg(const X509 *x509, const struct gk_cert *issuer,
          struct gk_sig_alg *alg)
{
	static const struct {
		int nid;
		bool rsa;
		enum gk_hash hash;
	} all[] = {
		{ NID_ecdsa_with_SHA256, false, GK_HASH_SHA256 },
		{ NID_ecdsa_with_SHA384, false, GK_HASH_SHA384 },
		{ NID_ecdsa_with_SHA512, false, GK_HASH_SHA512 },
		{ NID_sha256WithRSAEncryption, true, GK_HASH_SHA256 },
		{ NID_sha384WithRSAEncryption, true, GK_HASH_SHA384 },
		{ NID_sha512WithRSAEncryption, true, GK_HASH_SHA512 },
	};
	int nid = X509_get_signature_nid(x509);
	size_t i = 0;

	while (i < GK_COUNT(all) && all[i].nid != nid)
		i++;
	if (i == GK_COUNT(all))
		return false;
	alg->scheme = gk_pubkey_default_alg(gk_cert_pubkey(issuer)).scheme;
	alg->hash = all[i].hash;
	alg->encoding = GK_SIG_DER;
	if (all[i].rsa)
		return alg->scheme == GK_SIG_RSA_PKCS1;
	return alg->scheme == GK_SIG_ECDSA_P256 ||
	       alg->scheme == GK_SIG_ECDSA_P384 ||
	       alg->scheme == GK_SIG_ECDSA_P521;
}

/* split - what is signed, and the signature: RFC 5280 section 4.1. */
static bool
split(struct gk_slice der, struct gk_slice *tbs, struct gk_slice *sig)
{
	struct gk_rd rd, cert;

	gk_rd_init(&rd, der.ptr, der.len);
	cert = gk_der_enter(&rd, GK_DER_SEQUENCE, "Certificate");
	*tbs = gk_der_any(&cert, "tbsCertificate");
	(void)gk_der_any(&cert, "signatureAlgorithm");
	*sig = gk_der_get(&cert, GK_DER_BIT_STRING, "signatureValue");
	gk_der_leave(&rd, &cert);
	if (gk_rd_done(&rd) != GK_OK || sig->len < 2 || sig->ptr[0] != 0)
		return false;
	sig->ptr++;
	sig->len--;
	return true;
}

/* A certificate was maybe parsed where the provider knows only what is usual. */
static bool
verify_plain(X509 *x509, const struct gk_cert *cert, X509 *issuer)
{
	X509 *plain = cert == NULL ? NULL : gk_ossl_plain(gk_cert_der(cert));
	bool ok;

	ok = X509_verify(plain == NULL ? x509 : plain,
	                 X509_get0_pubkey(issuer)) == 1;
	X509_free(plain);
	return ok;
}

/*
 * verify - X509_verify().  For ECDSA and RSA that is: both places name the same
 * algorithm, it is one for such a key, and the signature is good over the octets
 * that came; done here without the look-ups by name that it makes each time.
 * Whatever is not exactly that is asked the provider.
 */
static bool
verify(X509 *x509, const struct gk_cert *cert, X509 *issuer,
       const struct gk_cert *by)
{
	const X509_ALGOR *outside = NULL;
	struct gk_slice tbs, sig;
	struct gk_sig_alg alg;

	X509_get0_signature(NULL, &outside, x509);
	if (cert != NULL && by != NULL && outside != NULL &&
	    X509_ALGOR_cmp(outside, X509_get0_tbs_sigalg(x509)) == 0 &&
	    known_alg(x509, by, &alg) && split(gk_cert_der(cert), &tbs, &sig))
		return gk_verify(gk_cert_pubkey(by), alg, tbs, sig) == GK_OK;
	gk_ossl_count();
	return verify_plain(x509, cert, issuer);
}

static bool
signed_by(const struct gk_path_run *run, X509 *x509, X509 *issuer, int depth)
{
	enum gk_proof_room room =
		depth == 0 ? GK_PROOF_PARTIES : GK_PROOF_AUTHORITIES;
	const struct gk_cert *a = gk_path_cert(run, x509);
	const struct gk_cert *b = gk_path_cert(run, issuer);
	bool known = a != NULL && b != NULL;
	struct gk_proof proof;

	if (known)
		proof = gk_proof_of(GK_PROOF_CERT, gk_cert_id(a),
		                    gk_cert_id(b));
	if (known && gk_proof_known(room, &proof))
		return true;
	if (!verify(x509, a, issuer, b))
		return false;
	if (known)
		gk_proof_keep(room, &proof);
	return true;
}

/* RFC 5280 section 6.1.4 (n); without the extension a key may do anything. */
static bool
may_sign(X509 *issuer)
{
	return (X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN) != 0;
}

/* dates - how the ends of the validity compare with now: 0 is an error; @begin 1
 * it has not begun, @end -1 it is over.  RFC 5280 section 4.1.2.5: the second of
 * notAfter is in it; X509_cmp_time() counts that as past, so it is asked about
 * the second before.  It makes a date of its argument each time, which takes ten
 * times as long as to compare numbers. */
static void
dates(const struct gk_path_run *run, const X509 *x509, int *begin, int *end)
{
	const struct gk_cert *cert = gk_path_cert(run, x509);
	int64_t not_before, not_after;
	time_t now = (time_t)run->utc, before = now - 1;

	if (cert != NULL && gk_cert_dates(cert, &not_before, &not_after)) {
		*begin = not_before > run->utc ? 1 : -1;
		*end = not_after >= run->utc ? 1 : -1;
		return;
	}
	*begin = X509_cmp_time(X509_get0_notBefore(x509), &now);
	*end = X509_cmp_time(X509_get0_notAfter(x509), &before);
}

static bool
in_date(const struct gk_cert *cert, int64_t utc)
{
	int64_t not_before, not_after;

	return gk_cert_is_raw(cert) ||
	       (gk_cert_dates(cert, &not_before, &not_after) &&
	        not_before <= utc && not_after >= utc);
}

static bool
all_certs_in_date(const struct gk_certs *certs, int64_t utc)
{
	for (size_t i = 0; i < certs->n; i++)
		if (!in_date(certs->cert[i], utc))
			return false;
	return true;
}

bool
gk_path_all_in_date(const struct gk_path_run *run)
{
	const struct gk_trust_extra *extra = run->extra;

	for (int i = 0; i < sk_X509_CRL_num(run->crls.stack); i++)
		if (!gk_crl_in_force(&run->crls.facts[i], run->utc))
			return false;
	return in_date(run->leaf, run->utc) &&
	       all_certs_in_date(&run->trust->anchors, run->utc) &&
	       all_certs_in_date(&run->trust->intermediates, run->utc) &&
	       (extra == NULL || extra->certs == NULL ||
	        all_certs_in_date(extra->certs, run->utc));
}

/* RFC 5280 section 6.1.3 (a) (2). */
static int
check_time(X509_STORE_CTX *ctx, const struct gk_path_run *run, X509 *x509,
           int depth)
{
	int begin, end;

	dates(run, x509, &begin, &end);
	if (begin == 0)
		return refuse(ctx, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
		              depth, x509);
	if (begin > 0)
		return refuse(ctx, X509_V_ERR_CERT_NOT_YET_VALID, depth, x509);
	if (end == 0)
		return refuse(ctx, X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD,
		              depth, x509);
	if (end < 0)
		return refuse(ctx, X509_V_ERR_CERT_HAS_EXPIRED, depth, x509);
	return 1;
}

/*
 * check_signatures - in the place of the provider's function, and like it from
 * the anchor down.  Nobody relies on the signature of an anchor.
 */
static int
check_signatures(X509_STORE_CTX *ctx)
{
	const struct gk_path_run *run = X509_STORE_CTX_get_app_data(ctx);
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int n = sk_X509_num(chain);

	for (int i = n - 1; i >= 0; i--) {
		X509 *x509 = sk_X509_value(chain, i);
		X509 *issuer = i + 1 < n ? sk_X509_value(chain, i + 1) : NULL;

		if (issuer != NULL && !may_sign(issuer))
			return refuse(ctx, X509_V_ERR_KEYUSAGE_NO_CERTSIGN,
			              i + 1, issuer);
		if (issuer != NULL && X509_get0_pubkey(issuer) == NULL)
			return refuse(
				ctx,
				X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
				i + 1, issuer);
		if (issuer != NULL && !signed_by(run, x509, issuer, i))
			return refuse(ctx, X509_V_ERR_CERT_SIGNATURE_FAILURE, i,
			              x509);
		if (GK_CHECKED("RFC5280-4.1.2.5-01") &&
		    check_time(ctx, run, x509, i) != 1)
			return 0;
	}
	return 1;
}

/* ---- CRLs --------------------------------------------------------------- */

/* A chain that came along is not verified yet when its CRLs are: any number of
 * such issuers can be made up, so they count as parties. */
static enum gk_proof_room
room_of(const struct gk_path_run *run, const struct gk_cert *issuer)
{
	const X509 *x509 = gk_cert_x509(issuer);

	return in_list(&run->trust->anchors, x509) != NULL ||
	                       in_list(&run->trust->intermediates, x509) != NULL
	               ? GK_PROOF_AUTHORITIES
	               : GK_PROOF_PARTIES;
}

static const struct gk_crl_facts *
facts_of(const struct gk_crls *crls, const X509_CRL *crl)
{
	for (int i = 0; i < sk_X509_CRL_num(crls->stack); i++)
		if (sk_X509_CRL_value(crls->stack, i) == crl)
			return &crls->facts[i];
	return NULL;
}

/*
 * gk_path_check_crl - of the provider's checks of a plain CRL that is in force
 * only those of the issuer's key usage and of the signature are left, and they
 * depend on nothing but the octets of the CRL and of the issuer's certificate.
 */
int
gk_path_check_crl(X509_STORE_CTX *ctx, X509_CRL *crl)
{
	struct gk_path_run *run = X509_STORE_CTX_get_app_data(ctx);
	X509 *by = X509_STORE_CTX_get0_current_issuer(ctx);
	const struct gk_crl_facts *facts = NULL;
	const struct gk_cert *issuer = NULL;
	enum gk_proof_room room;
	struct gk_proof proof;
	unsigned before;
	int ok;

	if (run != NULL && by != NULL)
		facts = facts_of(&run->crls, crl);
	if (facts != NULL && facts->plain && gk_crl_in_force(facts, run->utc))
		issuer = gk_path_cert(run, by);
	if (issuer == NULL)
		return providers_check_crl(ctx, crl);
	proof = gk_proof_of(GK_PROOF_CRL, facts->id, gk_cert_id(issuer));
	room = room_of(run, issuer);
	if (gk_proof_known(room, &proof))
		return 1;
	gk_ossl_count();
	before = run->complaints;
	ok = providers_check_crl(ctx, crl);
	if (ok == 1 && run->complaints == before)
		gk_proof_keep(room, &proof);
	return ok;
}

bool
gk_path_hook(X509_STORE_CTX *ctx, struct gk_path_run *run)
{
	pthread_once(&once, ask_provider);
	X509_STORE_CTX_set_verify_cb(ctx, tolerate);
	X509_STORE_CTX_set_verify(ctx, check_signatures);
	return X509_STORE_CTX_set_app_data(ctx, run) == 1 &&
	       providers_check_crl != NULL;
}
