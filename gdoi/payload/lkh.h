/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_LKH_H
#define GDOI_PAYLOAD_LKH_H

#include "common/wire/gk_wr.h"
#include "gdoi/isakmp/reject.h"

/*
 * DOC: LKH arrays - RFC 6407 sections 5.6.3.1 and 5.6.3.2
 *
 * Download array (for one member) and update array (for those below a node):
 *
 *    +---------------+-------------------------------+---------------+
 *    |  LKH Version  |          # of LKH Keys        |   RESERVED    |
 *    +---------------+-------------------------------+---------------+
 *    |            LKH ID             |           RESERVED2           |  update
 *    +-------------------------------+-------------------------------+  array
 *    |                           Key Handle                          |  only
 *    +---------------------------------------------------------------+
 *    ~                            LKH Keys                           ~
 *    +---------------------------------------------------------------+
 *
 * LKH Key:
 *
 *    +-------------------------------+---------------+---------------+
 *    |             LKH ID            |    Key Type   |    RESERVED   |
 *    +-------------------------------+---------------+---------------+
 *    |                        Key Creation Date                      |
 *    +---------------------------------------------------------------+
 *    |                       Key Expiration Date                     |
 *    +---------------------------------------------------------------+
 *    |                           Key Handle                          |
 *    +---------------------------------------------------------------+
 *    ~                            Key Data                           ~
 *    +---------------------------------------------------------------+
 *
 * Key Data has no length.  All keys of a group have one cipher
 * (RFC6407-5.3.2-03) and therefore one length, so the keys of an array share
 * what is left of it evenly.
 */
#define GDOI_LKH_VERSION 1
#define GDOI_LKH_KEYS_MAX 32 /* of one array: a path is never longer here */
#define GDOI_LKH_KEY_FIXED 16

struct gdoi_lkh_key {
	uint16_t id;
	uint8_t type;     /* GDOI_KEK_ALG_* */
	uint32_t created; /* seconds since 1970; 0: not said */
	uint32_t expires; /* seconds since 1970; 0: never */
	uint32_t handle;
	struct gk_slice data; /* IV and key; a ciphertext in an update array */
};

struct gdoi_lkh_array {
	uint16_t id;     /* update array: under which key the first one is */
	uint32_t handle; /* update array: of that key */
	uint16_t count;
	struct gdoi_lkh_key key[GDOI_LKH_KEYS_MAX];
};

/**
 * gdoi_lkh_read - decode and check the value of an LKH array attribute.
 * @update: an LKH_UPDATE_ARRAY, else an LKH_DOWNLOAD_ARRAY
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_lkh_read(struct gk_rd *rd, bool update,
                                        struct gdoi_lkh_array *array,
                                        struct isakmp_reject *why);
void gdoi_lkh_encode(struct gk_wr *wr, bool update,
                     const struct gdoi_lkh_array *array);

#endif /* GDOI_PAYLOAD_LKH_H */
