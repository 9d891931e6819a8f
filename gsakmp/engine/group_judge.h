/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GROUP_JUDGE_H
#define GSAKMP_ENGINE_GROUP_JUDGE_H

#include "gsakmp/engine/group_state.h"

/*
 * DOC: members judged anew, inside - for group_judge*.c and group_weigh.c only
 */
enum gsakmp_verdict {
	GSAKMP_STAYS,
	GSAKMP_REVOKED,
	GSAKMP_EXPIRED,
	GSAKMP_LESS,       /* permissions than it was admitted with */
	GSAKMP_UNREADABLE, /* what is known of it is damaged, or gone */
};

struct gsakmp_suspect {
	struct gk_buf peer, der, grants;
	struct gk_buf joining; /* certificate of a registration under way,
	                        * which may not be in the store yet */
	uint32_t id;
	uint16_t chain;
	uint32_t until, until_now; /* as it was put down; as it should be */
	uint16_t permissions, permissions_now;
	enum gsakmp_verdict verdict;
	size_t seat;     /* the cursor in front of it, ... */
	bool wrapped;    /* ... and the round's mark there */
	uint64_t ticket; /* what had happened when it could not be read */
};

/* Those of one slice. */
#define GSAKMP_SLICE_MEMBERS 32 /* that are weighed: a path of certificates */
#define GSAKMP_SLICE_SEATS 4096 /* that are passed: a date */

struct gsakmp_judge {
	struct gsakmp_group *g;
	const struct gk_trust *trust;
	struct gk_certs *chain; /* of the round */
	struct gk_now now;
	struct gsakmp_suspect list[GSAKMP_SLICE_MEMBERS];
	size_t n;
};

struct gsakmp_suspects {
	struct gsakmp_suspect *at;
	size_t n, cap;
};

/* A round: everybody is looked at once, from wherever the last one began. */
struct gsakmp_round {
	bool all;             /* or only those whose dates are over */
	size_t cursor, start; /* of gk_group_each() */
	bool wrapped;         /* past the last seat, on to @start */
	bool walked;          /* nobody is left but those in doubt */
	struct gk_certs chain[GSAKMP_CHAINS_MAX];
	bool have_chain[GSAKMP_CHAINS_MAX];
	struct gsakmp_suspects found; /* whose access has ended */
	uint64_t found_at;
	struct gsakmp_suspects doubt; /* to be read once more */
	uint64_t doubt_at;
	bool stuck;        /* somebody could not be left out */
	bool noted;        /* something is to be made durable, ... */
	uint64_t noted_at; /* ... the last of which was then */
};

/*
 * gsakmp_judge_look - without the lock: what has become of @s's certificate.
 *
 * Return: GK_OK, with a verdict; GK_ERR_NOMEM; another error when it cannot be
 * read: GK_ERR_UNEXPECTED that there is none.
 */
GK_MUST_CHECK enum gk_err gsakmp_judge_look(const struct gsakmp_judge *j,
                                            struct gsakmp_suspect *s);
/* gsakmp_judge_ends - has the access of @m ended?  What has changed without that
 * is put down. */
GK_MUST_CHECK enum gk_err gsakmp_judge_ends(struct gsakmp_judge *j,
                                            const struct gsakmp_suspect *s,
                                            struct gk_member *m, bool *out);
/* gsakmp_judge_leave_out - all who were found, with one rekey; @out has room for
 * as many.  GK_ERR_POLICY: the group has none. */
GK_MUST_CHECK enum gk_err gsakmp_judge_leave_out(struct gsakmp_judge *j,
                                                 struct gk_member **out);
/* gsakmp_judge_store_answers - for anybody? */
bool gsakmp_judge_store_answers(const struct gsakmp_group *g);
void gsakmp_suspect_clear(struct gsakmp_suspect *s);

#endif /* GSAKMP_ENGINE_GROUP_JUDGE_H */
