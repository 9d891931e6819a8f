/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_KEY_DOWNLOAD_H
#define GSAKMP_PAYLOAD_KEY_DOWNLOAD_H

#include "gsakmp/payload/key_datum.h"

/*
 * DOC: Key Download Payload - RFC 4535 section 7.4
 *
 *    +-------------------------------+-------------------------------+
 *    | Number of Items               | Key Download Data Items       ~
 *    +-------------------------------+-------------------------------+
 *
 *    +---------------+-------------------------------+---------------+
 *    | KDD Item Type | Key Download Data Item Length | Data          ~
 *    +---------------+-------------------------------+---------------+
 *
 * All of the body is ciphertext on the wire; what is decoded here is the
 * plaintext, and offsets count from its start.
 *
 * The plaintext of a Rekey Event Data (section 7.5.1.2) has the same shape: a
 * count, then Key Packages of type, length and data, with the types of the same
 * Table 15.  One pair of functions reads and writes both; struct gsakmp_keys
 * is the result for both.
 *
 * A Rekey Array (section 7.4.1.2):
 *
 *    +---------------+-----------------------------------------------+
 *    | Rekey Version#| Member ID (4)                                 ~
 *    +---------------+-------------------------------+---------------+
 *    ~               | Number of KEK Keys            | Key Datum(s)  ~
 *    +---------------+-------------------------------+---------------+
 */
#define GSAKMP_ITEMS_MAX 64  /* items of one Key Download or Rekey Event Data */
#define GSAKMP_KEYS_MAX 256  /* Key Datums in all of these items together */
#define GSAKMP_LKH_VERSION 1 /* Appendix A.2 items 1 and 2 */

struct gsakmp_key_item {
	uint8_t type;         /* Table 15 */
	bool array;           /* the data is a Rekey Array */
	uint8_t version;      /* Rekey Version #, of an array */
	uint32_t member;      /* Member ID, of an array */
	uint16_t first;       /* its Key Datums: keys->datum[first] .. */
	uint16_t count;       /* .. and so many of them */
	struct gk_slice data; /* the item's data, as it stands */
	size_t at;            /* of the item type, in the plaintext */
};

struct gsakmp_keys {
	uint16_t n_items;
	uint16_t n_datums;
	struct gsakmp_key_item item[GSAKMP_ITEMS_MAX];
	struct gsakmp_key_datum datum[GSAKMP_KEYS_MAX];
};

/* The two places where items appear. */
enum gsakmp_keys_place {
	GSAKMP_KEYS_DOWNLOAD, /* Key Download: LKH items are Rekey Arrays */
	GSAKMP_KEYS_PACKAGES, /* Rekey Event Data: decision keypkg_lkh_body */
};

/**
 * gsakmp_keys_decode - read a decrypted Key Download or Rekey Event Data.
 * @count: items to expect; GSAKMP_COUNT_INSIDE when the plaintext starts with
 *         the count, which it does unless dialect red_scope is `packages`
 *
 * Syntax: counters and lengths.  An item type outside Table 15 is kept as raw
 * data for gsakmp_key_download_check() to refuse.  A Key Type that is not known
 * in a Rekey Array is GK_ERR_VALUE at "Key Type", since Key Data cannot be
 * delimited then.  What follows the last item is left in @rd for the caller,
 * who knows about padding; gsakmp_keys_read() insists on nothing.
 */
#define GSAKMP_COUNT_INSIDE (-1)
GK_MUST_CHECK enum gk_err gsakmp_keys_decode(
	struct gk_rd *rd, const struct gsakmp_dialect *dialect,
	enum gsakmp_keys_place place, long count, struct gsakmp_keys *keys);

/* gsakmp_keys_encode - the reverse; @with_count writes the count in front.
 * Items are written from their datums (or raw data, for unknown types). */
void gsakmp_keys_encode(struct gk_wr *wr, const struct gsakmp_keys *keys,
                        bool with_count);

/**
 * gsakmp_key_download_read - gsakmp_keys_decode(), nothing left over, and the
 * checks of section 7.4.2 items 2 to 4 and Appendix A.2 item 1.
 * @now: seconds since 1970; a key that expires at or before it is refused
 *
 * Return: GK_OK; an error with *@why filled in.  @keys is then to be wiped too.
 */
GK_MUST_CHECK enum gk_err gsakmp_key_download_read(
	struct gk_slice plain, const struct gsakmp_dialect *dialect,
	const struct gsakmp_vocabulary *voc, int64_t now,
	struct gsakmp_keys *keys, struct gsakmp_reject *why);

/**
 * gsakmp_packages_read - the same for a decrypted Rekey Event Data: section
 * 7.5.2, Key Package items 1 to 3 for every package, before any is used.
 * @count: as for gsakmp_keys_decode()
 *
 * Items 4 to 7 compare with keys that are held, and are the engine's.
 */
GK_MUST_CHECK enum gk_err gsakmp_packages_read(
	struct gk_slice plain, const struct gsakmp_dialect *dialect,
	const struct gsakmp_vocabulary *voc, long count,
	struct gsakmp_keys *keys, struct gsakmp_reject *why);

/* Building: a zeroed struct gsakmp_keys is empty.  The datum is copied, its key
 * slice is not.  GK_ERR_SPACE when a cap above is reached. */
GK_MUST_CHECK enum gk_err gsakmp_keys_add(struct gsakmp_keys *keys,
                                          enum gsakmp_item_type type,
                                          const struct gsakmp_key_datum *datum);
/* gsakmp_keys_add_array - open a Rekey Array; the datums follow with
 * gsakmp_keys_add_kek(). */
GK_MUST_CHECK enum gk_err gsakmp_keys_add_array(struct gsakmp_keys *keys,
                                                uint32_t member);
GK_MUST_CHECK enum gk_err gsakmp_keys_add_kek(
	struct gsakmp_keys *keys, const struct gsakmp_key_datum *datum);
/* gsakmp_keys_size - octets that gsakmp_keys_encode() will write. */
size_t gsakmp_keys_size(const struct gsakmp_keys *keys, bool with_count);

#endif /* GSAKMP_PAYLOAD_KEY_DOWNLOAD_H */
