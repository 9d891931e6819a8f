/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_url.h"

#include <event2/http.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
plain_octets(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > GKD_URL_MAX || strchr(text, '\\') != NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

/* No segment that means another place, and none that hides one. */
static bool
plain_path(const char *path)
{
	static const char *const hidden[] = { "%2e", "%2f", "%5c", "%00" };
	const char *end = path + strcspn(path, "?");

	for (const char *p = path; p < end; p++) {
		for (size_t i = 0; *p == '%' && i < GK_COUNT(hidden); i++)
			if (strncasecmp(p, hidden[i], 3) == 0)
				return false;
		if (*p == '/') {
			size_t len = strcspn(p + 1, "/?");

			if ((len == 1 && p[1] == '.') ||
			    (len == 2 && p[1] == '.' && p[2] == '.'))
				return false;
		}
	}
	return *path == '/';
}

static bool
take_host(struct gkd_url *url, const char *host)
{
	size_t len = host != NULL ? strlen(host) : 0;

	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		url->brackets = true;
		host++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(url->host))
		return false;
	for (size_t i = 0; i < len; i++)
		url->host[i] = host[i] >= 'A' && host[i] <= 'Z'
		                       ? (char)(host[i] - 'A' + 'a')
		                       : host[i];
	return true;
}

static bool
take(struct gkd_url *url, const struct evhttp_uri *uri)
{
	const char *scheme = evhttp_uri_get_scheme(uri);
	const char *path = evhttp_uri_get_path(uri);
	const char *query = evhttp_uri_get_query(uri);
	int port = evhttp_uri_get_port(uri);

	if (scheme == NULL || strcasecmp(scheme, "http") != 0 ||
	    evhttp_uri_get_userinfo(uri) != NULL ||
	    evhttp_uri_get_fragment(uri) != NULL || port == 0 || port > 65535)
		return false;
	url->port = port < 0 ? 80 : (uint16_t)port;
	snprintf(url->path, sizeof(url->path), "%s%s%s",
	         path == NULL || *path == '\0' ? "/" : path,
	         query != NULL ? "?" : "", query != NULL ? query : "");
	return take_host(url, evhttp_uri_get_host(uri)) &&
	       plain_path(url->path);
}

enum gk_err
gkd_url_parse(struct gkd_url *url, const char *text)
{
	struct evhttp_uri *uri;
	bool ok;

	memset(url, 0, sizeof(*url));
	if (!plain_octets(text))
		return GK_ERR_VALUE;
	uri = evhttp_uri_parse(text);
	if (uri == NULL)
		return GK_ERR_VALUE;
	ok = take(url, uri);
	evhttp_uri_free(uri);
	return ok ? GK_OK : GK_ERR_VALUE;
}

bool
gkd_url_below(const struct gkd_url *url, const struct gkd_url *prefix)
{
	size_t len = strlen(prefix->path);

	if (strcmp(url->host, prefix->host) != 0 || url->port != prefix->port ||
	    url->brackets != prefix->brackets ||
	    strncmp(url->path, prefix->path, len) != 0)
		return false;
	return prefix->path[len - 1] == '/' || url->path[len] == '\0' ||
	       url->path[len] == '/' || url->path[len] == '?';
}

bool
gkd_request_parse(struct gkd_request *request, char *text, size_t len)
{
	char *path, *version;

	if (strlen(text) != len)
		return false;
	request->has_body = strcasestr(text, "\r\ncontent-length:") != NULL ||
	                    strcasestr(text, "\r\ntransfer-encoding:") != NULL;
	/* METHOD SP path SP HTTP/1.x CRLF */
	text[strcspn(text, "\r")] = '\0';
	path = strchr(text, ' ');
	version = path != NULL ? strchr(path + 1, ' ') : NULL;
	if (version == NULL)
		return false;
	*path++ = '\0';
	*version++ = '\0';
	if (strncmp(version, "HTTP/1.", 7) != 0 || version[7] < '0' ||
	    version[7] > '9' || version[8] != '\0' || *path != '/')
		return false;
	for (const char *p = path; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	request->method = text;
	request->path = path;
	return true;
}
