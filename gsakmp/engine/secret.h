/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_SECRET_H
#define GSAKMP_ENGINE_SECRET_H

#include "common/base/gk_env.h"
#include "gsakmp/message/protect.h"
#include "gsakmp/payload/key_download.h"

/*
 * DOC: lines of the key log
 *
 * What a dissector needs to decrypt and check a capture.  The lines are said
 * before the datagram that uses the secret is handed out.  Nothing happens, and
 * nothing is computed, unless env->secret is set.
 */

/* GSAKMP_DH_SECRET and GSAKMP_KEK, of one registration. */
void gsakmp_secret_kek(const struct gk_env *env,
                       const struct gsakmp_kek_input *in,
                       const struct gsakmp_kek *kek);
/* GSAKMP_KEY, for every key that a message carries. */
void gsakmp_secret_keys(const struct gk_env *env, struct gk_slice group_id,
                        const struct gsakmp_keys *keys);

#endif /* GSAKMP_ENGINE_SECRET_H */
