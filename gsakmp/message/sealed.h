/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_MESSAGE_SEALED_H
#define GSAKMP_MESSAGE_SEALED_H

#include "common/crypto/gk_pad.h"
#include "gsakmp/gsakmp_algorithm.h"
#include "gsakmp/payload/key_download.h"
#include "gsakmp/payload/rekey_event.h"

/*
 * DOC: how long a ciphertext is
 *
 * Packet Length of a Rekey Event Data (section 7.5.1.2) is the only thing that
 * tells where the next one starts.  Some readings let it count something other
 * than the octets that follow it; then the number has to be worked out.
 */

/* gsakmp_pad - dialect pad, in the terms of common/crypto. */
enum gk_pad gsakmp_pad(const struct gsakmp_dialect *dialect);

/* gsakmp_sealed_length - octets of ciphertext, explicit IV and tag included.
 * @iv_sent: an IV travels with the ciphertext (AEAD: always, whatever is said
 * here) */
size_t gsakmp_sealed_length(const struct gsakmp_dialect *dialect,
                            const struct gsakmp_cipher *cipher, bool iv_sent,
                            size_t plain_len);

/* gsakmp_rekey_iv_sent - does dialect iv_rekey send an IV? */
bool gsakmp_rekey_iv_sent(const struct gsakmp_dialect *dialect);

/* gsakmp_packet_length - the value of Packet Length for a Rekey Event Data of
 * @plain_len octets of plaintext and @sealed_len octets of ciphertext. */
size_t gsakmp_packet_length(const struct gsakmp_rekey_shape *shape,
                            size_t plain_len, size_t sealed_len);

/* gsakmp_packet_sealed - the reverse: octets of ciphertext for a Packet Length.
 * False when there is no such Rekey Event Data. */
bool gsakmp_packet_sealed(const struct gsakmp_rekey_shape *shape,
                          uint16_t packet_length, size_t *sealed_len);

/*
 * How many octets of a decrypted plaintext are data, for padding that does not
 * say: a token, a Key Download, Key Packages with their count in front, and Key
 * Packages without it.
 */
typedef size_t gsakmp_measure_fn(const struct gsakmp_dialect *dialect,
                                 struct gk_slice plain);
gsakmp_measure_fn gsakmp_token_measure, gsakmp_download_measure;
gsakmp_measure_fn gsakmp_packages_measure, gsakmp_bare_packages_measure;

#endif /* GSAKMP_MESSAGE_SEALED_H */
