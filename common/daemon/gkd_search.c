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

/* The octets of @s before the next of @stops that no backslash takes back. */
static size_t
span(const char *s, size_t len, const char *stops)
{
	size_t i = 0;

	while (i < len && strchr(stops, s[i]) == NULL)
		i += s[i] == '\\' ? 2 : 1;
	return i < len ? i : len;
}

static bool
is_text(const char *text, const char *s, size_t len)
{
	return strlen(text) == len && memcmp(text, s, len) == 0;
}

/* type=value, or what stands behind the type. */
static bool
is_attribute(const char *text, const char *s, size_t len)
{
	size_t type = span(s, len, "=");

	return is_text(text, s, len) ||
	       (type < len && is_text(text, s + type + 1, len - type - 1));
}

static bool
is_rdn(const char *text, const char *s, size_t len)
{
	if (is_text(text, s, len))
		return true;
	for (size_t at = 0; at < len;) {
		size_t n = span(s + at, len - at, "+");

		if (is_attribute(text, s + at, n))
			return true;
		at += n + 1;
	}
	return false;
}

/* A name is of RDNs (RFC 4514), or it is "type:value"; none has both. */
static bool
has_part(const char *name, const char *text)
{
	const char *value = strchr(name, ':');
	size_t type = span(name, strlen(name), "=,+:");

	if (value == name + type && strcmp(value + 1, text) == 0)
		return true;
	if (value == name + type)
		name = value + 1;
	for (size_t at = 0, len = strlen(name); at < len;) {
		size_t n = span(name + at, len - at, ",");

		if (is_rdn(text, name + at, n))
			return true;
		at += n + 1;
	}
	return false;
}

void
gkd_search_look(void *search, const char *name)
{
	struct gkd_search *s = search;

	if (strcmp(name, s->name) == 0)
		s->exact++;
	else if (s->exact == 0 && has_part(name, s->name))
		s->part++;
	else {
		s->fragment |= strstr(name, s->name) != NULL;
		return;
	}
	snprintf(s->found, sizeof(s->found), "%s", name);
}

bool
gkd_search_end(const struct gkd_search *s, const char *none, char why[256])
{
	if (s->exact != 0 || s->part == 1)
		return true;
	snprintf(why, 256, "'%.150s' %s%s", s->name,
	         s->part == 0 ? none : "fits several",
	         s->part == 0 && s->fragment ? ": it is a fragment of a name"
	                                     : "");
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
