/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_SEARCH_H
#define GKD_SEARCH_H

#include <jansson.h>

#include "common/base/gk_base.h"

/*
 * DOC: gkd_search - the member that an operator means, and the group
 *
 * A whole name, or a whole value in it that only one has: "evict relay-3" finds
 * "CN=relay-3,O=Utility", as "CN=relay-3" does, and "relay" finds nobody.  Start it with the argument of a command, show it every
 * name, and ask what came of it.
 */
#define GKD_NAME_MAX 512

struct gkd_search {
	const char *name; /* what was asked for; the caller's */
	char found[GKD_NAME_MAX];
	unsigned exact, part;
	bool fragment; /* it is in a name, and no more */
};

/* gkd_search_start - the name is argument @i of @request; false with @why set
 * when there is none. */
bool gkd_search_start(struct gkd_search *s, const json_t *request, size_t i,
                      char why[256]);
/* gkd_search_look - one name; @search is a struct gkd_search. */
void gkd_search_look(void *search, const char *name);
/* gkd_search_end - true: @found is the one; else @why says that the name fits
 * several, or what @none says of it: "is no member". */
bool gkd_search_end(const struct gkd_search *s, const char *none,
                    char why[256]);

/* gkd_no_group - says in @why that no group has @name; NULL: that there are several,
 * and none was named. */
void gkd_no_group(const char *name, char why[256]);

#endif /* GKD_SEARCH_H */
