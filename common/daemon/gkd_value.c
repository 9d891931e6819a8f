/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_config_private.h"

const char *
gkd_elem_text(const struct gkd_elem *elem, const char *path, const char *def)
{
	char *text = gkd_config_content(elem, path);
	const char *kept;

	if (text == NULL)
		return def;
	kept = gkd_config_keep(elem, text);
	free(text);
	return kept != NULL ? kept : def;
}

bool
gkd_elem_has(const struct gkd_elem *elem, const char *path)
{
	char *text = gkd_config_content(elem, path);

	free(text);
	return text != NULL;
}

const char *
gkd_elem_path(struct gkd_config *config, const struct gkd_elem *elem,
              const char *path)
{
	char *text = gkd_config_content(elem, path);
	const char *file = gkd_config_name(config);
	const char *slash = strrchr(file, '/');
	char full[PATH_MAX];
	int n;

	if (text == NULL)
		return NULL;
	if (*text == '/' || slash == NULL)
		n = snprintf(full, sizeof(full), "%s", text);
	else
		n = snprintf(full, sizeof(full), "%.*s/%s", (int)(slash - file),
		             file, text);
	free(text);
	return n >= 0 && n < (int)sizeof(full) ? gkd_config_keep(elem, full)
	                                       : NULL;
}

/* For a complaint: the element that has what is at @path, if it is there. */
static const struct gkd_elem *
holder(const struct gkd_elem *elem, const char *path)
{
	size_t n = strcspn(path, "@");
	const struct gkd_elem *child = NULL;
	char place[128];

	if (n != 0 && n < sizeof(place)) {
		memcpy(place, path, n);
		place[n] = '\0';
		child = gkd_elem_child(elem, place);
	}
	return child != NULL ? child : elem;
}

/* Decimal digits only; false when there are none or they do not fit. */
static bool
parse_digits(const char **text, uint64_t *value)
{
	const char *p = *text;

	*value = 0;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (*value > (UINT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	*text = p;
	return true;
}

enum gk_err
gkd_elem_uint(const struct gkd_config *config, const struct gkd_elem *elem,
              const char *path, uint64_t min, uint64_t max, uint64_t def,
              uint64_t *value, struct gkd_why *why)
{
	char *text = gkd_config_content(elem, path);
	const char *p = text;
	uint64_t n;
	bool ok;

	*value = def;
	if (text == NULL)
		return GK_OK;
	ok = parse_digits(&p, &n) && *p == '\0' && n >= min && n <= max;
	if (ok)
		*value = n;
	else
		gkd_config_fail(config, holder(elem, path), why,
		                "'%s': '%s' is not a number from %" PRIu64
		                " to %" PRIu64,
		                path, text, min, max);
	free(text);
	return ok ? GK_OK : GK_ERR_VALUE;
}

enum gk_err
gkd_elem_bool(const struct gkd_config *config, const struct gkd_elem *elem,
              const char *path, bool def, bool *value, struct gkd_why *why)
{
	static const char *const names[] = { "false", "true", "no", "yes",
		                             "0",     "1",    NULL };
	unsigned i;

	GK_TRY(gkd_elem_enum(config, elem, path, names, def, &i, why));
	*value = i % 2 != 0;
	return GK_OK;
}

enum gk_err
gkd_elem_ms(const struct gkd_config *config, const struct gkd_elem *elem,
            const char *path, uint64_t min, uint64_t max, uint64_t def,
            uint64_t *value, struct gkd_why *why)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "ms", 1 },
		      { "s", 1000 },
		      { "min", 60000 },
		      { "h", 3600000 },
		      { "d", 86400000 } };
	char *text = gkd_config_content(elem, path);
	const char *p = text;
	bool ok = false;
	uint64_t n;

	*value = def;
	if (text == NULL)
		return GK_OK;
	if (parse_digits(&p, &n))
		for (size_t i = 0; i < GK_COUNT(units) && !ok; i++) {
			if (strcmp(p, units[i].unit) != 0 ||
			    n > UINT64_MAX / units[i].ms)
				continue;
			n *= units[i].ms;
			ok = n >= min && n <= max;
			break;
		}
	if (ok)
		*value = n;
	else
		gkd_config_fail(config, holder(elem, path), why,
		                "'%s': '%s' is not a duration (a number with "
		                "ms, s, min, h or d) from %" PRIu64
		                "ms to %" PRIu64 "ms",
		                path, text, min, max);
	free(text);
	return ok ? GK_OK : GK_ERR_VALUE;
}

enum gk_err
gkd_elem_addr(const struct gkd_config *config, const struct gkd_elem *elem,
              const char *path, uint16_t port, struct gkd_addr *value,
              struct gkd_why *why)
{
	char *text = gkd_config_content(elem, path);
	bool ok;

	if (text == NULL)
		return gkd_config_fail(config, holder(elem, path), why,
		                       "'%s' is missing", path);
	ok = gkd_addr_parse(value, text, port) == GK_OK;
	if (!ok)
		gkd_config_fail(config, holder(elem, path), why,
		                "'%s': '%s' is not a numeric IPv4 or IPv6 "
		                "address (or names no existing interface)",
		                path, text);
	free(text);
	return ok ? GK_OK : GK_ERR_VALUE;
}

enum gk_err
gkd_elem_enum(const struct gkd_config *config, const struct gkd_elem *elem,
              const char *path, const char *const *names, unsigned def,
              unsigned *value, struct gkd_why *why)
{
	char *text = gkd_config_content(elem, path);
	char list[256] = "";

	*value = def;
	if (text == NULL)
		return GK_OK;
	for (unsigned i = 0; names[i] != NULL; i++) {
		size_t n = strlen(list);

		if (strcmp(names[i], text) == 0) {
			*value = i;
			free(text);
			return GK_OK;
		}
		snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
		         names[i]);
	}
	gkd_config_fail(config, holder(elem, path), why,
	                "'%s': '%s' is none of: %s", path, text, list);
	free(text);
	return GK_ERR_VALUE;
}

enum gk_err
gkd_elem_file(struct gkd_config *config, const struct gkd_elem *elem,
              const char *path, size_t max, struct gk_buf *octets,
              struct gkd_why *why)
{
	const char *file = gkd_elem_path(config, elem, path);
	enum gk_err err;

	*octets = (struct gk_buf){ 0 };
	if (file == NULL) {
		gkd_config_fail(config, holder(elem, path), why,
		                "'%s' is missing", path);
		return GK_ERR_UNEXPECTED;
	}
	err = gkd_file_read(file, max, octets);
	if (err != GK_OK)
		gkd_config_fail(config, holder(elem, path), why,
		                "'%s': file '%s': %s", path, file,
		                err == GK_ERR_IO ? strerror(errno)
		                                 : "is too long");
	return err;
}
