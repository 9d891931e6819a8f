/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_search.h"

#include <stdio.h>
#include <string.h>

#include "common/daemon/gkd_control.h"

bool
gkd_search_start(struct gkd_search *s, const json_t *request, size_t i,
                 char why[256])
{
	*s = (struct gkd_search){ .name = gkd_control_arg(request, i) };
	if (s->name != NULL && *s->name != '\0')
		return true;
	snprintf(why, 256, "whom?");
	return false;
}

void
gkd_search_look(void *search, const char *name)
{
	struct gkd_search *s = search;

	if (strcmp(name, s->name) == 0)
		s->exact++;
	else if (s->exact == 0 && strstr(name, s->name) != NULL)
		s->part++;
	else
		return;
	snprintf(s->found, sizeof(s->found), "%s", name);
}

bool
gkd_search_end(const struct gkd_search *s, const char *none, char why[256])
{
	if (s->exact != 0 || s->part == 1)
		return true;
	snprintf(why, 256, "'%.150s' %s", s->name,
	         s->part == 0 ? none : "fits several");
	return false;
}

void
gkd_no_group(const char *name, char why[256])
{
	if (name != NULL)
		snprintf(why, 256, "there is no group '%.100s'", name);
	else
		snprintf(why, 256, "which group?");
}
