/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"

#include <stdlib.h>
#include <string.h>

#ifdef GK_CHECK_SWITCHES

const char *
gk_checks_off(void)
{
	const char *off = getenv("MSEC_CHECK_OFF");

	return off != NULL ? off : "";
}

static bool
is_off(const char *id)
{
	size_t n = strlen(id);

	const char *off = gk_checks_off();

	for (const char *at = off; (at = strstr(at, id)) != NULL; at += n)
		if ((at == off || at[-1] == ',') &&
		    (at[n] == '\0' || at[n] == ','))
			return true;
	return false;
}

bool
gk_checked(const char *const *ids)
{
	for (; *ids != NULL; ids++)
		if (is_off(*ids))
			return false;
	return true;
}

#endif
