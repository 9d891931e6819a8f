/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GROUP_PACK_H
#define GSAKMP_ENGINE_GROUP_PACK_H

#include "gsakmp/engine/group_state.h"
#include "gsakmp/message/protect.h"

/*
 * DOC: what travels in a wrap - RFC 4535 sections 7.5.1.2 and A.3.2
 *
 * A key near the root of a large tree travels in thousands of wraps of one plan,
 * and mostly in the same place: wraps that follow each other have the same keys
 * but for the last ones.  So the Key Packages of a wrap are written over those
 * of the one before, where they differ, and all of them are one piece of struct
 * gsakmp_packed.  A packer lives as long as the plan that it was begun for.
 */
#define GSAKMP_PACK_PARTS_MAX 3 /* GTPKs, head of an array, node keys */
#define GSAKMP_PACK_DATES 32    /* remembered, a power of two */

struct gsakmp_packer {
	const struct gsakmp_group *g;
	struct gsakmp_keys *keys; /* for the one that is being written */
	/* Key Packages, each without item_skip octets in front, and whose they
	 * are; NULL: nobody's yet. */
	uint8_t *items;
	const struct gk_lkh_key *of[GK_LKH_DEPTH_MAX];
	size_t item_len, item_skip; /* octets; item_len: with those in front */
	uint8_t *item;              /* the one that is being written, whole */
	struct gk_buf gtpks;        /* all that there are, one by one */
	uint16_t n_gtpks;
	uint8_t array[16]; /* in front of the keys of a Rekey Array */
	/* Most keys of a plan have one of a few dates. */
	struct gsakmp_pack_date {
		int64_t utc;
		uint8_t text[GK_ZULU_LEN];
	} created[GSAKMP_PACK_DATES], expires[GSAKMP_PACK_DATES];
	struct gk_slice part[GSAKMP_PACK_PARTS_MAX]; /* of the last wrap */
};

/* gsakmp_packer_begin - for the wraps of @plan, with the traffic keys that a
 * joiner would get now.  gsakmp_packer_end() wipes; also after an error. */
GK_MUST_CHECK enum gk_err gsakmp_packer_begin(struct gsakmp_packer *packer,
                                              const struct gsakmp_group *g,
                                              const struct gk_lkh_plan *plan);
/* gsakmp_packer_wrap - the Key Packages of a wrap, or of a part of one; valid
 * until the next call.  GK_ERR_SPACE: more keys than a message may bring. */
GK_MUST_CHECK enum gk_err gsakmp_packer_wrap(struct gsakmp_packer *packer,
                                             const struct gk_lkh_wrap *wrap,
                                             struct gsakmp_packed *packed);
void gsakmp_packer_end(struct gsakmp_packer *packer);

#endif /* GSAKMP_ENGINE_GROUP_PACK_H */
