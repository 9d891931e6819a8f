/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_VECTOR_SESSION_H
#define GDOI_TESTS_VECTOR_SESSION_H

#include "gdoi/isakmp/chain.h"
#include "gdoi/isakmp/protect.h"
#include "gdoi/message/pull.h"
#include "gdoi/message/push.h"
#include "gdoi/phase1/keys.h"
#include "gdoi/tests/vector/gdoi_vector.h"

/* What somebody who looks on knows.  All slices live until the check is over. */
struct gvec_phase1 {
	uint8_t cookie_i[8], cookie_r[8];
	struct ike_suite suite;
	struct gk_slice sa_i, id_i, id_r, g_xi, g_xr, nonce_i, nonce_r;
	struct ike_key_input in;
	struct ike_keys keys;
	struct isakmp_cbc cbc;
	unsigned n_auth;
	bool ready;
};

struct gvec_pull {
	struct gdoi_pull it;
	unsigned number;
	const struct gdoi_sa *sa;
};

struct gvec_rekey {
	struct gdoi_kek kek;
	struct gk_slice iv_key; /* as downloaded */
	struct gk_slice public_key;
	struct gdoi_sak sak;
};

struct gvec_lkh_key {
	uint16_t id;
	uint32_t handle;
	struct gk_slice iv_key;
	bool leaf;
};

struct gvec_tek {
	struct gk_slice spi, cipher, integrity;
};

struct gvec_session {
	struct gvec *v;
	struct gvec_phase1 phase1[8];
	struct gvec_pull pull[16];
	struct gvec_rekey rekey[16];
	struct gvec_lkh_key lkh[128];
	struct gvec_tek tek[32];
	uint16_t acks[64]; /* KEK_ACK_REQUESTED that each answers to */
	size_t n_phase1, n_pulls, n_rekeys, n_lkh, n_teks, n_acks;
};

/* gvec_take_policy - the SA payload of a message; NULL when there is none. */
void gvec_take_policy(struct gvec_session *s, struct gk_slice clear,
                      const struct isakmp_chain *chain, bool pull,
                      const struct gdoi_sa **sa);
/* gvec_take_keys - what a KD brings; @under is the Rekey SA of a PUSH. */
void gvec_take_keys(struct gvec_session *s, struct gk_slice clear,
                    const struct isakmp_chain *chain, const struct gdoi_sa *sa,
                    const struct gvec_rekey *under);
/* gvec_push, gvec_ack - header and payloads in clear, verified. */
struct gk_slice gvec_push(struct gvec_session *s, struct gk_slice dgram,
                          const struct isakmp_header *h);
struct gk_slice gvec_ack(struct gvec_session *s, struct gk_slice dgram);
/* gvec_session_end - the keys are those of the vector. */
void gvec_session_end(struct gvec_session *s);

#endif /* GDOI_TESTS_VECTOR_SESSION_H */
