/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_URL_H
#define GKD_URL_H

#include "common/daemon/gkd_http.h"

/*
 * DOC: gkd_url - an http URL with one meaning only
 *
 * What could be read in two ways, by us when we compare it with a prefix and
 * by a server when it looks for a file, is refused: user information,
 * fragments, "." and ".." as segments, escaped dots and slashes, backslashes,
 * anything but visible ASCII.
 */
struct gkd_url {
	char host[256]; /* without brackets, lower case */
	uint16_t port;
	bool brackets;              /* an IPv6 address */
	char path[GKD_URL_MAX + 1]; /* from "/", with the query */
};

/* gkd_url_parse - GK_ERR_VALUE when it is none. */
GK_MUST_CHECK enum gk_err gkd_url_parse(struct gkd_url *url, const char *text);
/* gkd_url_below - @url is @prefix or lies below it. */
bool gkd_url_below(const struct gkd_url *url, const struct gkd_url *prefix);

/* What a server has to know of a request: strings in its text. */
struct gkd_request {
	const char *method, *path;
	bool has_body; /* a header announces one */
};

/* gkd_request_parse - of @len octets at @text, with a NUL behind them; cut into
 * strings in place.  False: no request line of HTTP/1.x for a plain path. */
bool gkd_request_parse(struct gkd_request *request, char *text, size_t len);

#endif /* GKD_URL_H */
