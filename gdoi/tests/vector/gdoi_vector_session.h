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
struct vec_phase1 {
	uint8_t cookie_i[8], cookie_r[8];
	struct ike_suite suite;
	struct gk_slice sa_i, id_i, id_r, g_xi, g_xr, nonce_i, nonce_r;
	struct ike_key_input in;
	struct ike_keys keys;
	struct isakmp_cbc cbc;
	unsigned n_auth;
	bool ready;
};

struct vec_pull {
	struct gdoi_pull it;
	unsigned number;
	const struct gdoi_sa *sa;
};

struct vec_rekey {
	struct gdoi_kek kek;
	struct gk_slice iv_key; /* as downloaded */
	struct gk_slice public_key;
	struct gdoi_sak sak;
};

struct vec_lkh_key {
	uint16_t id;
	uint32_t handle;
	struct gk_slice iv_key;
	bool leaf;
};

struct vec_tek {
	struct gk_slice spi, cipher, integrity;
};

struct vec_session {
	struct vec *v;
	struct vec_phase1 phase1[8];
	struct vec_pull pull[16];
	struct vec_rekey rekey[16];
	struct vec_lkh_key lkh[128];
	struct vec_tek tek[32];
	uint16_t acks[64]; /* KEK_ACK_REQUESTED that each answers to */
	size_t n_phase1, n_pulls, n_rekeys, n_lkh, n_teks, n_acks;
};

/* vec_take_policy - the SA payload of a message; NULL when there is none. */
void vec_take_policy(struct vec_session *s, struct gk_slice clear,
                     const struct isakmp_chain *chain, bool pull,
                     const struct gdoi_sa **sa);
/* vec_take_keys - what a KD brings; @under is the Rekey SA of a PUSH. */
void vec_take_keys(struct vec_session *s, struct gk_slice clear,
                   const struct isakmp_chain *chain, const struct gdoi_sa *sa,
                   const struct vec_rekey *under);
/* vec_push, vec_ack - header and payloads in clear, verified. */
struct gk_slice vec_push(struct vec_session *s, struct gk_slice dgram,
                         const struct isakmp_header *h);
struct gk_slice vec_ack(struct vec_session *s, struct gk_slice dgram);
/* vec_session_end - the keys are those of the vector. */
void vec_session_end(struct vec_session *s);

#endif /* GDOI_TESTS_VECTOR_SESSION_H */
