/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world_impl.h"

#include <string.h>

/*
 * The bulletin of the group: what the key server posts, by place; what members
 * ask for.  Answers come at once; a test takes rows away, spoils them, or
 * closes the board.
 */
static struct world_row *
find(struct world *w, const char *place)
{
	for (size_t i = 0; i < w->board.n; i++)
		if (strcmp(w->board.row[i].table, place) == 0)
			return &w->board.row[i];
	return NULL;
}

void
world_board_post(struct world *w, const struct gsakmp_output *out)
{
	struct world_store *b = &w->board;
	struct world_row *row;
	char place[256];

	snprintf(place, sizeof(place), "%s/%.*s", WORLD_BOARD,
	         (int)out->place.len, (const char *)out->place.ptr);
	row = find(w, place);
	if (row == NULL) {
		if (b->n == b->cap) {
			b->cap = b->cap != 0 ? 2 * b->cap : 16;
			b->row = realloc(b->row, b->cap * sizeof(*b->row));
			if (b->row == NULL)
				abort();
		}
		row = &b->row[b->n++];
		*row = (struct world_row){ .table = strdup(place) };
	}
	gk_buf_free(&row->value);
	WORLD_MUST(gk_buf_copy(&row->value, out->dgram));
}

void
world_board_ask(struct world_member *m, const struct gsakmp_output *out)
{
	m->asked = out->sequence;
	snprintf(m->asked_at, sizeof(m->asked_at), "%.*s", (int)out->place.len,
	         (const char *)out->place.ptr);
	if (m->first_fetch_ms == 0)
		m->first_fetch_ms = simnet_now(m->w->net).mono_ms;
}

bool
world_board_answer(struct world_member *m)
{
	struct world *w = m->w;
	struct world_row *row;
	struct gk_slice octets;
	uint32_t sequence = m->asked;

	if (sequence == 0)
		return false;
	m->asked = 0;
	w->board_asked++;
	row = w->board_down ? NULL : find(w, m->asked_at);
	if (row != NULL)
		octets = gk_buf_slice(&row->value);
	gsakmp_gm_digest(m->gm, m->before);
	(void)gsakmp_gm_fetched(m->gm, sequence, row != NULL ? &octets : NULL,
	                        simnet_now(w->net));
	return true;
}
