/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_SECRET_H
#define GDOI_ENGINE_SECRET_H

#include "common/base/gk_env.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/sak.h"
#include "gdoi/payload/sat.h"

/*
 * DOC: lines of a key log, in hexadecimal
 *
 *     GDOI_KEK <SPI> <KEK_ALGORITHM, decimal> <IV> <key>
 *     GDOI_TEK <group: body of ID> <Protocol-ID> <SPI> <TEK_ALGORITHM_KEY>
 *              <TEK_INTEGRITY_KEY>
 *     GDOI_LKH <SPI of the Rekey SA> <LKH ID> <Key Handle> <IV and key>
 *
 * "-" stands for what is not there.  All do nothing unless somebody wants a key
 * log (struct gk_env).
 */
void gdoi_secret_kek(const struct gk_env *env, const struct gdoi_sak *sak,
                     struct gk_slice iv, struct gk_slice key);
void gdoi_secret_tek(const struct gk_env *env, struct gk_slice group_id,
                     const struct gdoi_sat *sat,
                     const struct gdoi_kd_packet *packet);
void gdoi_secret_lkh(const struct gk_env *env,
                     const uint8_t spi[GDOI_KEK_SPI_LEN], uint16_t id,
                     uint32_t handle, struct gk_slice key);

#endif /* GDOI_ENGINE_SECRET_H */
