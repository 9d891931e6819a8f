/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/crypto/gk_crypto.h"
#include "interop/bench/bench_gdoi.h"

/*
 * Who the members are.
 */
static void
prepare_certificates(void)
{
	struct gk_certs roots = { 0 };

	if (opt.ca == NULL || opt.ca_key == NULL || opt.root == NULL)
		bench_die("bench_gdoi: --ca, --ca-key, --root are needed");
	bench_read_certs(opt.root, &roots);
	bench_read_certs(opt.ca, &all.cas);
	BENCH_MUST(gk_trust_new(NULL, &all.trust));
	BENCH_MUST(gk_trust_add_anchor(all.trust, roots.cert[0]));
	BENCH_MUST(gk_trust_add_intermediate(all.trust, all.cas.cert[0]));
	bench_read_authority(opt.ca, opt.ca_key, &all.ca);
	gk_certs_free(&roots);
}

void
bench_gdoi_prepare(void)
{
	bool ecdsa = strcmp(opt.auth, "ecdsa") == 0;

	all.keys = ecdsa ? GK_PKI_P256 : GK_PKI_RSA2048;
	all.suite = (struct ike_suite){
		.encryption = IKE_ENCRYPTION_AES_CBC,
		.key_bits = 128,
		.hash = IKE_HASH_SHA256,
		.auth = ecdsa                          ? IKE_AUTH_ECDSA_256
		        : strcmp(opt.auth, "rsa") == 0 ? IKE_AUTH_RSA
		                                       : IKE_AUTH_PSK,
		.group = ecdsa ? IKE_GROUP_ECP256 : IKE_GROUP_MODP2048,
		.life_s = 86400,
	};
	if (opt.plain) { /* IKEv1 as everybody else speaks it */
		all.dialect.p1_doi = GDOI_P1_DOI_1;
		all.dialect.p1_situation = GDOI_P1_SITUATION_1;
	}
	if (all.suite.auth == IKE_AUTH_PSK)
		BENCH_NEED(opt.psk != NULL);
	else
		prepare_certificates();
	all.psk.key = gk_slice_str(opt.psk == NULL ? "" : opt.psk);
	BENCH_MUST(gk_identity_parse(GK_ID_FQDN, gk_slice_str("*.lab.example"),
	                             &all.any));
	all.peers = (struct gk_identity){ GK_ID_FQDN, gk_buf_slice(&all.any) };
	all.env = (struct gk_env){ .random = gk_crypto_random };
	all.server = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)opt.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	all.id[0] = ISAKMP_ID_KEY_ID;
	for (int i = 0; i < 4; i++)
		all.id[4 + i] = (uint8_t)(opt.group >> (24 - 8 * i));
	all.group = (struct gdoi_gm_group_config){
		.id = { all.id, sizeof(all.id) },
		.scope = gk_slice_str("bench"),
	};
}

void
bench_gdoi_certify(struct member *m, unsigned number)
{
	char subject[64], san[64];
	time_t now = time(NULL);

	snprintf(san, sizeof(san), "bench-%07u.lab.example", number);
	BENCH_MUST(gk_identity_parse(GK_ID_FQDN, gk_slice_str(san), &m->name));
	if (all.suite.auth == IKE_AUTH_PSK)
		return;
	snprintf(subject, sizeof(subject), "/O=MSEC Lab/CN=bench-%07u", number);
	snprintf(san, sizeof(san), "DNS:bench-%07u.lab.example", number);
	gk_pki_make(&m->pki, &(struct gk_pki_spec){
				     .subject = subject,
				     .san = san,
				     .alg = all.keys,
				     .slot = 2,
				     .issuer = &all.ca,
				     .serial = number + 1000000,
				     .usage = "critical,digitalSignature",
				     .not_before = now - GK_PKI_DAY,
				     .not_after = now + 365 * GK_PKI_DAY });
	m->chain[0] = m->pki.cert;
	m->chain[1] = all.cas.cert[0];
	m->credential = (struct ike_credential){
		.signer = m->pki.signer,
		.certs = (const struct gk_cert *const *)m->chain,
		.n_certs = 2,
	};
}
