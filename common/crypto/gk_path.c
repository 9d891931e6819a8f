/* SPDX-License-Identifier: BSD-2-Clause */
/* Building and validating one path. */
#include <openssl/x509v3.h>

#include "common/base/gk_check.h"
#include "common/crypto/gk_path_impl.h"

#define EXTRA_MAX 32 /* of a peer's certificates, and of its CRLs, looked at */

static const char *const fault_text[] = {
#define X(name, text) [GK_CERT_FAULT_##name] = text,
	GK_CERT_FAULT_LIST(X)
#undef X
};

static enum gk_cert_fault_kind
fault_of(int code)
{
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return GK_CERT_FAULT_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return GK_CERT_FAULT_NOT_YET_VALID;
	case X509_V_ERR_CERT_REVOKED:
		return GK_CERT_FAULT_REVOKED;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return GK_CERT_FAULT_CRL_MISSING;
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return GK_CERT_FAULT_CRL_EXPIRED;
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
		return GK_CERT_FAULT_CRL_INVALID;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_CERT_UNTRUSTED:
		return GK_CERT_FAULT_UNKNOWN_ROOT;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
		return GK_CERT_FAULT_BAD_SIGNATURE;
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_INVALID_NON_CA:
		return GK_CERT_FAULT_NOT_A_CA;
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		return GK_CERT_FAULT_PATH_TOO_LONG;
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
	case X509_V_ERR_SUBTREE_MINMAX:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
	case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
		return GK_CERT_FAULT_NAME;
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
	case X509_V_ERR_INVALID_EXTENSION:
	case X509_V_ERR_INVALID_POLICY_EXTENSION:
	case X509_V_ERR_NO_EXPLICIT_POLICY:
		return GK_CERT_FAULT_EXTENSION;
	default:
		return GK_CERT_FAULT_OTHER;
	}
}

static void
name_subject(const X509 *x509, char *out, size_t cap)
{
	BIO *bio = x509 == NULL ? NULL : BIO_new(BIO_s_mem());
	int n = 0;

	if (bio != NULL) {
		X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0,
		                   XN_FLAG_RFC2253);
		n = BIO_read(bio, out, (int)cap - 1);
		BIO_free(bio);
	}
	out[n > 0 ? n : 0] = '\0';
}

/* blame - fill in *@why; @x509 is NULL when no one certificate is at fault. */
static enum gk_err
blame(struct gk_cert_fault *why, enum gk_cert_fault_kind kind, int depth,
      const X509 *x509, const char *detail)
{
	if (why != NULL) {
		*why = (struct gk_cert_fault){
			.kind = kind,
			.text = fault_text[kind],
			.detail = detail,
			.depth = depth,
		};
		name_subject(x509, why->subject, sizeof(why->subject));
	}
	switch (kind) {
	case GK_CERT_FAULT_WEAK_KEY:
	case GK_CERT_FAULT_WEAK_SIGNATURE:
	case GK_CERT_FAULT_KEY_USAGE:
		return gk_ossl_fail(GK_ERR_POLICY);
	default:
		return gk_ossl_fail(GK_ERR_AUTH);
	}
}

/* push_certs - borrowed; the stack does not own what is in it. */
static bool
push_certs(STACK_OF(X509) * stack, const struct gk_certs *certs, size_t max)
{
	for (size_t i = 0; i < certs->n && i < max; i++)
		if (!gk_cert_is_raw(certs->cert[i]) &&
		    sk_X509_push(stack, gk_cert_x509(certs->cert[i])) <= 0)
			return false;
	return true;
}

static enum gk_err
add_configured(const struct gk_trust *trust, struct gk_crls *crls)
{
	/* The lock is not part of what the caller promised not to change. */
	pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&trust->lock;
	enum gk_err err = GK_OK;

	pthread_rwlock_rdlock(lock);
	for (int i = 0; err == GK_OK && i < sk_X509_CRL_num(trust->crls.stack);
	     i++)
		err = gk_crls_add(crls, sk_X509_CRL_value(trust->crls.stack, i),
		                  &trust->crls.facts[i]);
	pthread_rwlock_unlock(lock);
	return err;
}

static enum gk_err
add_received(const struct gk_trust *trust, struct gk_slice der,
             struct gk_crls *crls)
{
	struct gk_crl_facts facts;
	X509_CRL *crl;
	enum gk_err err = GK_OK;

	if (der.len == 0 || der.len > GK_CRL_MAX_LEN)
		return GK_OK;
	GK_TRY(gk_crl_id(der, facts.id));
	if (gk_crls_have(crls, facts.id))
		return GK_OK;
	/* One that cannot be read adds nothing. */
	crl = gk_crl_parse(&trust->policy, der);
	if (crl != NULL) {
		gk_crl_facts(crl, &facts);
		err = gk_crls_add(crls, crl, &facts);
	}
	X509_CRL_free(crl);
	return err;
}

/*
 * all_crls - the configured ones and the peer's, in one stack.
 *
 * The provider would prefer CRLs given to it for one verification over those of
 * its store, so a peer could hide its revocation behind an older CRL; from one
 * stack it takes the newest that is in force.
 */
static enum gk_err
all_crls(const struct gk_trust *trust, const struct gk_trust_extra *extra,
         struct gk_crls *crls)
{
	GK_TRY(add_configured(trust, crls));
	for (size_t i = 0; extra != NULL && i < extra->n_crls && i < EXTRA_MAX;
	     i++)
		GK_TRY(add_received(trust, extra->crls[i], crls));
	return GK_OK;
}

static enum gk_err
collect(const struct gk_path_run *run, STACK_OF(X509) * chain,
        struct gk_path *path)
{
	int n = sk_X509_num(chain);

	*path = (struct gk_path){ .n = 0 };
	if (n > GK_PATH_MAX)
		return GK_ERR_AUTH;
	path->cert[path->n++] = gk_cert_ref(run->leaf);
	for (int i = 1; i < n; i++) {
		const struct gk_cert *cert =
			gk_path_cert(run, sk_X509_value(chain, i));

		if (cert == NULL)
			return GK_ERR_CRYPTO;
		path->cert[path->n++] = gk_cert_ref(cert);
	}
	return GK_OK;
}

/* The strength that a key of another kind than ours must have: that of RSA with
 * 2048 and with 1024 bits. */
#define MIN_STRENGTH 112
#define MIN_STRENGTH_LEGACY 80

static bool
key_too_short(const struct gk_trust_policy *policy, const struct gk_cert *cert)
{
	const struct gk_pubkey *pub = gk_cert_pubkey(cert);
	int floor = policy->allow_legacy ? MIN_STRENGTH_LEGACY : MIN_STRENGTH;

	if (gk_pubkey_kind(pub) == GK_KEY_OTHER)
		return EVP_PKEY_get_security_bits(gk_pubkey_pkey(pub)) < floor;
	return gk_pubkey_min_bits(pub, policy->min_rsa_bits,
	                          policy->min_dsa_bits) != GK_OK;
}

/* apply_policy - what RFC 5280 leaves to the relying party. */
static enum gk_err
apply_policy(const struct gk_trust *trust, const struct gk_path *path,
             unsigned usage, struct gk_cert_fault *why)
{
	const struct gk_trust_policy *policy = &trust->policy;

	if (path->n > policy->max_path)
		return blame(why, GK_CERT_FAULT_PATH_TOO_LONG, 0,
		             gk_cert_x509(path->cert[0]), NULL);
	for (size_t i = 0; i < path->n; i++) {
		const struct gk_cert *cert = path->cert[i];
		X509 *x509 = gk_cert_x509(cert);

		if (key_too_short(policy, cert))
			return blame(why, GK_CERT_FAULT_WEAK_KEY, (int)i, x509,
			             NULL);
		/* Nobody relies on the signature of the anchor. */
		if (i + 1 < path->n && !policy->allow_legacy &&
		    gk_cert_signed_legacy(cert))
			return blame(why, GK_CERT_FAULT_WEAK_SIGNATURE, (int)i,
			             x509, NULL);
	}
	if ((gk_cert_key_usage(path->cert[0]) & usage) != usage &&
	    GK_CHECKED("RFC5280-4.2.1.3-01"))
		return blame(why, GK_CERT_FAULT_KEY_USAGE, 0,
		             gk_cert_x509(path->cert[0]), NULL);
	return GK_OK;
}

static bool
configure(X509_STORE_CTX *ctx, struct gk_path_run *run)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;

	if (GK_CHECKED("RFC5280-6.1.3-02", "RFC5280-6.3.3-02"))
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	if (!GK_CHECKED("RFC5280-4.2-01"))
		flags |= X509_V_FLAG_IGNORE_CRITICAL;
	if (gk_path_all_in_date(run) || !GK_CHECKED("RFC5280-4.1.2.5-01"))
		flags |= X509_V_FLAG_NO_CHECK_TIME;
	else
		X509_VERIFY_PARAM_set_time(param, (time_t)run->utc);
	X509_VERIFY_PARAM_set_flags(param, flags);
	/* The provider counts the certificates between leaf and anchor. */
	X509_VERIFY_PARAM_set_depth(param, (int)run->trust->policy.max_path);
	X509_VERIFY_PARAM_set_auth_level(param, 0); /* apply_policy() decides */
	X509_STORE_CTX_set0_crls(ctx, run->crls.stack);
	return gk_path_hook(ctx, run);
}

static enum gk_err
verify_with(X509_STORE_CTX *ctx, const struct gk_path_run *run, unsigned usage,
            struct gk_path *path, struct gk_cert_fault *why)
{
	enum gk_err err;
	int code;

	if (X509_verify_cert(ctx) != 1) {
		code = X509_STORE_CTX_get_error(ctx);
		if (code == X509_V_ERR_OUT_OF_MEM)
			return gk_ossl_fail(GK_ERR_NOMEM);
		return blame(why, fault_of(code),
		             X509_STORE_CTX_get_error_depth(ctx),
		             X509_STORE_CTX_get_current_cert(ctx),
		             X509_verify_cert_error_string(code));
	}
	err = collect(run, X509_STORE_CTX_get0_chain(ctx), path);
	if (err == GK_ERR_AUTH)
		return blame(why, GK_CERT_FAULT_PATH_TOO_LONG, 0,
		             gk_cert_x509(run->leaf), NULL);
	if (err != GK_OK)
		return err;
	return apply_policy(run->trust, path, usage, why);
}

/* attempt - one run of the provider over one choice of CRLs. */
static enum gk_err
attempt(struct gk_path_run *run, bool extra_crls, unsigned usage,
        struct gk_path *path, struct gk_cert_fault *why)
{
	const struct gk_trust *trust = run->trust;
	const struct gk_trust_extra *extra = run->extra;
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum gk_err err = GK_ERR_NOMEM;

	if (all_crls(trust, extra_crls ? extra : NULL, &run->crls) != GK_OK ||
	    untrusted == NULL || ctx == NULL ||
	    !push_certs(untrusted, &trust->intermediates, SIZE_MAX) ||
	    (extra != NULL && extra->certs != NULL &&
	     !push_certs(untrusted, extra->certs, EXTRA_MAX)) ||
	    X509_STORE_CTX_init(ctx, trust->store, gk_cert_x509(run->leaf),
	                        untrusted) != 1)
		goto out;
	err = configure(ctx, run) ? verify_with(ctx, run, usage, path, why)
	                          : GK_ERR_CRYPTO;
out:
	X509_STORE_CTX_free(ctx);
	gk_crls_clear(&run->crls);
	sk_X509_free(untrusted);
	return gk_ossl_fail(err);
}

/* raw_path - a key that the operator vouches for, twice: there is nobody above
 * it, and what is asked about authorities finds the key itself. */
static enum gk_err
raw_path(const struct gk_trust *trust, const struct gk_cert *leaf,
         struct gk_path *out, struct gk_cert_fault *why)
{
	for (size_t i = 0; i < trust->raw.n; i++) {
		if (!gk_cert_equal(trust->raw.cert[i], leaf))
			continue;
		if (key_too_short(&trust->policy, leaf))
			return blame(why, GK_CERT_FAULT_WEAK_KEY, 0, NULL,
			             NULL);
		if (out == NULL)
			return GK_OK;
		out->cert[out->n++] = gk_cert_ref(leaf);
		out->cert[out->n++] = gk_cert_ref(leaf);
		return GK_OK;
	}
	return blame(why, GK_CERT_FAULT_UNKNOWN_ROOT, 0, NULL, NULL);
}

enum gk_err
gk_trust_verify(const struct gk_trust *trust, const struct gk_cert *leaf,
                const struct gk_trust_extra *extra, int64_t utc, unsigned usage,
                struct gk_path *out, struct gk_cert_fault *why)
{
	bool crls = extra != NULL && extra->n_crls != 0;
	struct gk_cert_fault fault = { .kind = GK_CERT_FAULT_NONE };
	struct gk_path_run run = {
		.trust = trust, .leaf = leaf, .extra = extra, .utc = utc
	};
	struct gk_path path = { .n = 0 };
	enum gk_err err;

	if (out != NULL)
		*out = path;
	if (gk_cert_is_raw(leaf))
		return raw_path(trust, leaf, out, why);
	if (gk_trust_is_anchor(trust, leaf))
		return blame(why, GK_CERT_FAULT_ANCHOR, 0, gk_cert_x509(leaf),
		             NULL);
	err = attempt(&run, crls, usage, &path, &fault);
	if (crls && fault.kind == GK_CERT_FAULT_CRL_INVALID) {
		/* Certificates and CRLs travel outside a signature: a forged
		 * CRL that somebody added must not stand in the way. */
		gk_path_free(&path);
		fault.kind = GK_CERT_FAULT_NONE;
		err = attempt(&run, false, usage, &path, &fault);
	}
	if (err != GK_OK && why != NULL)
		*why = fault;
	if (err == GK_OK && out != NULL)
		*out = path;
	else
		gk_path_free(&path);
	return err;
}
