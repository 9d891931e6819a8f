/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "gdoi/phase1/ike_private.h"

/*
 * The Message IDs that exchanges under an SA have had: RFC 2408 section 3.1, RFC
 * 2409 section 5.5.  They are kept sorted; the SA ends before it forgets one.
 */
static size_t
place_of(const struct ike *ike, uint32_t id)
{
	size_t from = 0, to = ike->ids.n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (ike->ids.id[mid] < id)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static enum gk_err
room(struct ike *ike)
{
	size_t cap = ike->ids.cap == 0 ? 8 : 2 * ike->ids.cap;
	uint32_t *id;

	if (ike->ids.n >= ike->cfg.message_ids)
		return GK_ERR_SPACE;
	if (ike->ids.n < ike->ids.cap)
		return GK_OK;
	id = realloc(ike->ids.id, cap * sizeof(*id));
	if (id == NULL)
		return GK_ERR_NOMEM;
	ike->ids.id = id;
	ike->ids.cap = cap;
	return GK_OK;
}

static bool
taken(const struct ike *ike, uint32_t id)
{
	size_t at = place_of(ike, id);

	return id == 0 || (at < ike->ids.n && ike->ids.id[at] == id);
}

/* RFC2408-3.1-16: random. */
enum gk_err
ike_message_id_draw(const struct ike *ike, uint32_t *message_id)
{
	uint8_t r[4];

	do {
		GK_TRY(ike->env->random(ike->env->ctx, r, sizeof(r)));
		*message_id = (uint32_t)r[0] << 24 | (uint32_t)r[1] << 16 |
		              (uint32_t)r[2] << 8 | r[3];
	} while (taken(ike, *message_id));
	return GK_OK;
}

enum gk_err
ike_message_id_take(struct ike *ike, uint32_t message_id)
{
	size_t at = place_of(ike, message_id);

	if (taken(ike, message_id))
		return GK_ERR_REPLAY;
	GK_TRY(room(ike));
	for (size_t i = ike->ids.n++; i > at; i--)
		ike->ids.id[i] = ike->ids.id[i - 1];
	ike->ids.id[at] = message_id;
	return GK_OK;
}

enum gk_err
ike_message_id_new(struct ike *ike, uint32_t *message_id)
{
	GK_TRY(ike_message_id_draw(ike, message_id));
	return ike_message_id_take(ike, *message_id);
}
