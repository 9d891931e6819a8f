/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_TLS_PARTIES_H
#define GPT_TLS_PARTIES_H

#include "common/daemon/gkd_loop.h"
#include "common/test/gk_test.h"
#include "common/test/gk_test_pki.h"
#include "policy-tokens/owner/gpt_tls.h"

/*
 * DOC: who meets over TLS in tests of the Group Owner's deliveries
 *
 * The certificates are valid today, so the clock is the real one.  @trust knows
 * @root alone; @other has the name of @client, and its certificate from elsewhere.
 */
extern struct gk_pki_party root, server, client, other_root, other;
extern struct gk_trust *trust;

/* tls_parties_up, tls_parties_down - for cmocka. */
int tls_parties_up(void **state);
int tls_parties_down(void **state);

/* tls_of - of @party, who believes @trust; with gpt_tls_free(). */
struct gpt_tls *tls_of(const struct gk_pki_party *party);

/* What a test waits for comes within that, or it fails. */
#define DEADLINE_MS 60000

/* deadline_new - sets *@late when that is over; with gkd_timer_free(). */
struct gkd_timer *deadline_new(struct gkd_loop *loop, bool *late);

/* @s has a loop, and what its deadline sets. */
#define wait_until(s, condition)                                      \
	do {                                                          \
		while (!(condition) && !(s)->late)                    \
			gk_assert_ok(gkd_loop_once((s)->loop, true)); \
		assert_true(condition);                               \
	} while (0)

#endif /* GPT_TLS_PARTIES_H */
