/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_MESSAGE_LKH_WRAP_H
#define GDOI_MESSAGE_LKH_WRAP_H

#include "common/crypto/gk_cipher.h"
#include "gdoi/message/dialect.h"

/*
 * DOC: Key Data in an update array - RFC 6407 section 5.6.3.2
 *
 * Each key is encrypted under the one in front of it.  How, is switch lkh_wrap:
 *
 *     iv+key       CBC(IV | key), under key and IV of the wrapping key
 *     key-own-iv   IV, CBC(key), under the wrapping key and that new IV
 *     ecb-key      IV, ECB(key), under the wrapping key
 *
 * A key is always IV | key here, as it stands in a download array.  What is no
 * whole number of blocks (AES-192) is filled up with zero octets.
 */
#define GDOI_LKH_PLAIN_MAX (GK_CIPHER_BLOCK_MAX + 32)
#define GDOI_LKH_WRAPPED_MAX (GDOI_LKH_PLAIN_MAX + GK_CIPHER_BLOCK_MAX)

/* gdoi_lkh_plain_len - octets of IV | key. */
size_t gdoi_lkh_plain_len(enum gk_cipher cipher);
/* gdoi_lkh_wrapped_len - octets of Key Data in an update array. */
size_t gdoi_lkh_wrapped_len(const struct gdoi_dialect *dialect,
                            enum gk_cipher cipher);

/**
 * gdoi_lkh_wrap - encrypt one key under another.
 * @under, @plain: IV | key, gdoi_lkh_plain_len() octets each
 * @out:           new buffer of gdoi_lkh_wrapped_len() octets
 *
 * Return: GK_OK; GK_ERR_VALUE for a wrong length.
 */
GK_MUST_CHECK enum gk_err gdoi_lkh_wrap(const struct gdoi_dialect *dialect,
                                        enum gk_cipher cipher,
                                        struct gk_slice under,
                                        struct gk_slice plain,
                                        struct gk_buf *out);
/* gdoi_lkh_wrap_into - the same by a context that is kept, for many in a row, to
 * gdoi_lkh_wrapped_len() octets at @out. */
GK_MUST_CHECK enum gk_err gdoi_lkh_wrap_into(const struct gdoi_dialect *dialect,
                                             struct gk_sealer *sealer,
                                             enum gk_cipher cipher,
                                             struct gk_slice under,
                                             struct gk_slice plain,
                                             uint8_t *out);
/* gdoi_lkh_unwrap - the reverse; nothing in it says whether the result is right.
 * GK_ERR_VALUE for a wrong length, and for padding that is not zero. */
GK_MUST_CHECK enum gk_err gdoi_lkh_unwrap(const struct gdoi_dialect *dialect,
                                          enum gk_cipher cipher,
                                          struct gk_slice under,
                                          struct gk_slice wrapped,
                                          struct gk_buf *out);

#endif /* GDOI_MESSAGE_LKH_WRAP_H */
