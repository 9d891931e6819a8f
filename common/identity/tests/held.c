/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/identity/tests/held.h"

struct gk_pki_party ca, gm;

int
held_make_parties(void **state)
{
	(void)state;
	gk_pki_make(&ca, &(struct gk_pki_spec){ .subject = "/C=US/CN=CA" });
	gk_pki_make(&gm, &(struct gk_pki_spec){
				 .subject = "/C=US/O=ACME, Inc./OU=DIV1/"
					    "CN=user1/emailAddress=u@acme.com",
				 .slot = 1,
				 .issuer = &ca,
				 .serial = 0x01a2b3,
				 .san = "DNS:*.wild.example,DNS:gm1.example,"
					"DNS:GM2.Example,IP:192.0.2.1,"
					"IP:2001:db8::1,email:User@Acme.com" });
	return 0;
}

int
held_free_parties(void **state)
{
	(void)state;
	gk_pki_free(&ca);
	gk_pki_free(&gm);
	gk_pki_keys_free();
	return 0;
}

struct held
make(enum gk_id_kind kind, const char *text)
{
	struct held h;

	gk_assert_ok(gk_identity_parse(kind, gk_slice_str(text), &h.octets));
	h.id = (struct gk_identity){ kind, gk_buf_slice(&h.octets) };
	return h;
}

void
done(struct held *h)
{
	gk_buf_free(&h->octets);
}
