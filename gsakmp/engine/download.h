/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_DOWNLOAD_H
#define GSAKMP_ENGINE_DOWNLOAD_H

#include "gsakmp/engine/group_state.h"
#include "gsakmp/message/protect.h"

/*
 * DOC: the content of a Key Download - RFC 4535 section 5.2.1.2, Table 2
 *
 * What a key server sends to whom it has admitted, whether the member asked for
 * it (gcks_admit.c) or not (group_push.c).  The keys are copied with the
 * group's lock held; encrypting and signing is done without it.
 */
struct gsakmp_download {
	uint32_t member_id;
	size_t n_gtpks, n_keks;
	uint16_t kek_type;
	struct gk_traffic_key gtpk[GSAKMP_POLICY_KEY_MAX];
	struct gk_lkh_key kek_path[GK_LKH_DEPTH_MAX];
};

/* gsakmp_download_take - the keys of @m; wants the lock held.  Whoever owns the
 * struct wipes it. */
GK_MUST_CHECK enum gk_err gsakmp_download_take(struct gsakmp_download *d,
                                               const struct gsakmp_group *g,
                                               const struct gk_member *m);

/* What goes around the keys.  Everything is borrowed. */
struct gsakmp_envelope {
	const struct gk_env *env;
	const struct gsakmp_group *group;
	const struct gsakmp_policy *policy;
	const struct gsakmp_party *party; /* who signs */
	const struct gsakmp_suite *suite;
	struct gsakmp_kek *kek; /* remembers an IV chain */
	uint8_t id_type;        /* Table 19; the member, with its @id */
	struct gk_slice id;
	struct gk_slice public_value;     /* ours */
	struct gk_slice nonce_r, nonce_c; /* empty: no Nonce payloads */
	int64_t utc;                      /* Signature Timestamp */
};

/* gsakmp_download_build - the message, signed. */
GK_MUST_CHECK enum gk_err gsakmp_download_build(const struct gsakmp_download *d,
                                                const struct gsakmp_envelope *e,
                                                struct gk_buf *out);

#endif /* GSAKMP_ENGINE_DOWNLOAD_H */
