/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define TEXT_MAX 4096

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* What was accepted says the same when it is written again, lies below itself
 * and below its host, and has nothing in it that somebody could misread. */
static void
url(const char *text)
{
	char again[sizeof(((struct gkd_url *)NULL)->path) + 300], site[300];
	struct gkd_url one, two;
	const char *up, *query;

	if (gkd_url_parse(&one, text) != GK_OK)
		return;
	must(one.path[0] == '/');
	up = strstr(one.path, "/../");
	query = strchr(one.path, '?');
	must(up == NULL || (query != NULL && query < up));
	for (const char *p = one.path; *p != '\0'; p++)
		must(*p > ' ' && *p <= '~' && *p != '\\');
	snprintf(site, sizeof(site),
	         one.brackets ? "http://[%s]:%u" : "http://%s:%u", one.host,
	         (unsigned)one.port);
	snprintf(again, sizeof(again), "%s%s", site, one.path);
	if (strlen(again) > GKD_URL_MAX)
		return; /* the port is written out now */
	must(gkd_url_parse(&two, again) == GK_OK);
	must(memcmp(&one, &two, sizeof(one)) == 0);
	must(gkd_url_below(&one, &two));
	must(gkd_url_parse(&two, site) == GK_OK);
	must(gkd_url_below(&one, &two));
}

static void
request(char *text, size_t len)
{
	struct gkd_request r;

	if (!gkd_request_parse(&r, text, len))
		return;
	must(r.path[0] == '/' && strlen(r.method) + strlen(r.path) < len);
	for (const char *p = r.path; *p != '\0'; p++)
		must(*p > ' ' && *p <= '~');
}

/* The first octet: a URL, or a request to a server. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text;

	if (len < 1 || len > TEXT_MAX)
		return 0;
	text = malloc(len);
	must(text != NULL);
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	if (data[0] % 2 == 0)
		url(text);
	else
		request(text, len - 1);
	free(text);
	return 0;
}
