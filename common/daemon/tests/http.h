/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DAEMON_TESTS_HTTP_H
#define COMMON_DAEMON_TESTS_HTTP_H

#include "common/test/gk_test.h"

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon/gkd_http.h"
#include "common/daemon/gkd_privilege.h"

/* A client, for its own tests and for those of the server. */
#define BOUND_MS 60000
#define URL_ROOM 200
#define SOME __attribute__((unused))

struct client {
	struct gkd_http *http;
	unsigned answers;
	enum gkd_http_result result;
	unsigned status;
	char body[512];
	bool free_in_done;
};

static SOME void
on_answer(void *arg, const struct gkd_http_answer *answer)
{
	struct client *client = arg;

	client->answers++;
	client->result = answer->result;
	client->status = answer->status;
	snprintf(client->body, sizeof(client->body), "%.*s",
	         (int)answer->body.len, (const char *)answer->body.ptr);
	if (client->free_in_done)
		gkd_http_free(client->http);
}

/* A client that may fetch below http://HOST:@port/ok/ only. */
static SOME void
client_for(struct client *client, struct gkd_loop *loop, const char *host,
           uint16_t port, unsigned timeout_ms, const char *nameserver)
{
	char prefix[URL_ROOM];
	const char *allowed[] = { prefix, NULL };
	const struct gkd_http_config config = {
		.allowed = allowed,
		.nameserver = nameserver,
		.body_max = 64,
		.headers_max = 512,
		.timeout_ms = timeout_ms,
		.fetches_max = 2,
	};

	snprintf(prefix, sizeof(prefix), "http://%s:%u/ok/", host, port);
	*client = (struct client){ 0 };
	gk_assert_ok(gkd_http_new(&client->http, loop, &config));
}

static SOME const char *
url(const char *host, uint16_t port, const char *path)
{
	static char text[URL_ROOM];

	snprintf(text, sizeof(text), "http://%s:%u%s", host, port, path);
	return text;
}

static SOME void
run_until(struct gkd_loop *loop, const unsigned *count, unsigned want)
{
	uint64_t end = gkd_now().mono_ms + BOUND_MS;

	while (*count < want && gkd_now().mono_ms < end)
		gk_assert_ok(gkd_loop_once(loop, true));
	assert_int_equal(*count, want);
}

#endif /* COMMON_DAEMON_TESTS_HTTP_H */
