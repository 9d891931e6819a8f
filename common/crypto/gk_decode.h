/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_DECODE_H
#define GK_DECODE_H

/* Inside common/crypto only: shared by gk_decode.c and gk_decode_ec.c. */
#include <openssl/core.h>

#include "common/base/gk_base.h"

/*
 * gk_decode_ec - put our decoder of keys on curves, and a key manager that takes
 * its keys, in the place of the provider's; @decoders and @managers begin with
 * those.  False, and nothing is changed, when the provider is not as expected.
 * Once, before any thread decodes.
 */
bool gk_decode_ec(void *provider_ctx, OSSL_ALGORITHM *decoders,
                  OSSL_ALGORITHM *managers);

/* gk_decode_ec_core - what a provider is offered by the core. */
void gk_decode_ec_core(const OSSL_DISPATCH *in);

#endif /* GK_DECODE_H */
