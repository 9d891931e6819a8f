/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/tests/chain.h"

#include <stdio.h>

struct gk_pki_party root, sub, leaf, other_root;

static void
make(struct gk_pki_party *party, const char *org, const char *cn,
     struct gk_pki_spec spec)
{
	char subject[64];

	(void)snprintf(subject, sizeof(subject), "/O=%s/CN=%s", org, cn);
	spec.subject = subject;
	gk_pki_make(party, &spec);
}

void
chain_make(const char *org)
{
	make(&root, org, "Root",
	     (struct gk_pki_spec){ .usage = "keyCertSign,cRLSign" });
	make(&sub, org, "Sub",
	     (struct gk_pki_spec){ .slot = 1,
	                           .issuer = &root,
	                           .constraints = "critical,CA:TRUE",
	                           .usage = "keyCertSign,cRLSign" });
	make(&leaf, org, "gm1",
	     (struct gk_pki_spec){ .slot = 2,
	                           .issuer = &sub,
	                           .usage = "digitalSignature",
	                           .san = "DNS:gm1.example,IP:192.0.2.1,"
	                                  "email:gm1@example,URI:https://x,"
	                                  "IP:2001:db8::1" });
	gk_pki_make(&other_root,
	            &(struct gk_pki_spec){ .subject = "/O=Elsewhere/CN=Root",
	                                   .slot = 3 });
}

int
chain_up(void **state)
{
	(void)state;
	chain_make("MSEC");
	return 0;
}

int
chain_down(void **state)
{
	(void)state;
	gk_pki_free(&root);
	gk_pki_free(&sub);
	gk_pki_free(&leaf);
	gk_pki_free(&other_root);
	gk_pki_keys_free();
	return 0;
}

struct gk_trust *
trust_in(const struct gk_pki_party *anchor, const struct gk_pki_party *inter,
         const struct gk_trust_policy *policy)
{
	struct gk_trust *trust;

	gk_assert_ok(gk_trust_new(policy, &trust));
	if (anchor != NULL)
		gk_assert_ok(gk_trust_add_anchor(trust, anchor->cert));
	if (inter != NULL)
		gk_assert_ok(gk_trust_add_intermediate(trust, inter->cert));
	return trust;
}

void
add_crl(struct gk_trust *trust, const struct gk_pki_party *issuer,
        const struct gk_pki_party *revoked, int64_t from, int64_t to)
{
	struct gk_buf der;

	gk_pki_crl(issuer, &revoked, revoked != NULL, from, to, NULL, &der);
	gk_assert_ok(gk_trust_add_crl(trust, gk_buf_slice(&der)));
	gk_buf_free(&der);
}

void
expect(const struct gk_trust *trust, const struct gk_pki_party *who,
       const struct gk_trust_extra *extra, int64_t utc, unsigned usage,
       enum gk_cert_fault_kind kind)
{
	struct gk_cert_fault why = { .kind = GK_CERT_FAULT_NONE };
	struct gk_path path;
	enum gk_err err;

	err = gk_trust_verify(trust, who->cert, extra, utc, usage, &path, &why);
	assert_string_equal(why.text == NULL ? "no fault" : why.text,
	                    kind == GK_CERT_FAULT_NONE ? "no fault" : why.text);
	assert_int_equal(why.kind, kind);
	switch (kind) {
	case GK_CERT_FAULT_NONE:
		gk_assert_ok(err);
		assert_true(path.n >= 2);
		assert_true(gk_cert_equal(path.cert[0], who->cert));
		break;
	case GK_CERT_FAULT_WEAK_KEY:
	case GK_CERT_FAULT_WEAK_SIGNATURE:
	case GK_CERT_FAULT_KEY_USAGE:
		gk_assert_err(GK_ERR_POLICY, err);
		assert_int_equal(path.n, 0);
		break;
	default:
		gk_assert_err(GK_ERR_AUTH, err);
		assert_int_equal(path.n, 0);
	}
	gk_path_free(&path);
}
