/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_GDOI_H
#define BENCH_GDOI_H

#include "gdoi/engine/gm.h"
#include "gdoi/message/dialect.h"
#include "interop/bench/crowd.h"

/*
 * DOC: the members that bench_gdoi plays
 */
#define BENCH_GDOI_MESSAGES 10 /* of a registration where nothing is repeated */

struct member {
	struct gk_pki_party pki;
	struct gk_cert *chain[2];
	struct ike_credential credential;
	struct gk_buf name;
	struct gdoi_gm_config cfg; /* of which cfg.ike serves both */
	struct gdoi_gm *gm;
	struct ike *ike;
	uint8_t cookie[8];
	uint64_t started_ns;
	bool joined, failed;
	uint8_t n_sizes; /* datagrams, and how long the first are */
	uint16_t size[BENCH_GDOI_MESSAGES];
	unsigned unread; /* answers that have arrived */
	unsigned index;  /* among its thread's members */
};

struct bench_gdoi_options {
	const char *auth, *psk;
	uint32_t group;
	bool phase1, plain;
};

struct bench_gdoi_world {
	struct gk_env env;
	struct ike_suite suite;
	struct gdoi_dialect dialect;
	enum gk_pki_alg keys;
	struct ike_psk psk;
	struct gk_buf any; /* octets of the pattern "every name" */
	struct gk_identity peers;
	uint8_t id[8]; /* body of the group's ID payload */
	struct gdoi_gm_group_config group;
	struct member *member;
	size_t sa; /* octets of our SA payload */
	atomic_uint refused;
};

extern struct bench_crowd crowd;
extern struct bench_gdoi_options opt; /* as they were asked for */
extern struct bench_gdoi_world all;   /* what all of them share */

/* bench_gdoi_prepare - what all members share; from the options. */
void bench_gdoi_prepare(void);
/* bench_gdoi_certify - member @number's name and certificate. */
void bench_gdoi_certify(struct member *m, unsigned number);

#endif /* BENCH_GDOI_H */
