/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/tests/tls_parties.h"

struct gk_pki_party root, server, client, other_root, other;
struct gk_trust *trust;

static void
party(struct gk_pki_party *out, const char *subject, unsigned slot,
      const struct gk_pki_party *issuer)
{
	int64_t now = gkd_now().utc_s;
	const struct gk_pki_spec spec = {
		.subject = subject,
		.alg = GK_PKI_P256,
		.slot = slot,
		.issuer = issuer,
		.not_before = now - GK_PKI_DAY,
		.not_after = now + GK_PKI_DAY,
		.usage = issuer ? "digitalSignature" : NULL,
	};

	gk_pki_make(out, &spec);
}

int
tls_parties_up(void **state)
{
	(void)state;
	party(&root, "/O=MSEC/CN=Root", 0, NULL);
	party(&server, "/O=MSEC/CN=Group Owner", 1, &root);
	party(&client, "/O=MSEC/CN=gcks", 2, &root);
	party(&other_root, "/O=MSEC/CN=Other", 3, NULL);
	party(&other, "/O=MSEC/CN=gcks", 2, &other_root);
	gk_assert_ok(gk_trust_new(NULL, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	return 0;
}

int
tls_parties_down(void **state)
{
	(void)state;
	gk_trust_free(trust);
	gk_pki_free(&root);
	gk_pki_free(&server);
	gk_pki_free(&client);
	gk_pki_free(&other_root);
	gk_pki_free(&other);
	gk_pki_keys_free();
	return 0;
}

struct gpt_tls *
tls_of(const struct gk_pki_party *party)
{
	struct gk_buf cert, key;
	struct gpt_tls *tls = NULL;
	char why[256];

	gk_pki_cert_pem(party, &cert);
	gk_pki_key_pem(party, NULL, &key);
	gk_assert_ok(gpt_tls_new(&tls, gk_buf_slice(&cert), gk_buf_slice(&key),
	                         NULL, trust, why));
	gk_buf_free(&cert);
	gk_buf_free(&key);
	return tls;
}

static void
on_late(void *arg)
{
	*(bool *)arg = true;
}

struct gkd_timer *
deadline_new(struct gkd_loop *loop, bool *late)
{
	struct gkd_timer *t = gkd_timer_new(loop, on_late, late);

	assert_non_null(t);
	gkd_timer_set(t, gkd_now().mono_ms + DEADLINE_MS);
	return t;
}
