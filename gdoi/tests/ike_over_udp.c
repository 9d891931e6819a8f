/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto/gk_crypto.h"
#include "gdoi/phase1/ike_pool.h"

/*
 * Phase 1 over real sockets, for tests against other people's programs: one pool
 * of SAs, driven by words on standard input, that says what happens in JSON
 * lines on standard output.
 *
 *     ike_over_udp NAME=VALUE ...
 *
 * role=initiator|responder local=IP peer=IP port=848 peer-port=848
 * natt=PORT (with NAT traversal) suite=CIPHER,HASH,GROUP auth=METHOD
 * id=KIND:TEXT peers=KIND:PATTERN psk=TEXT cert=FILE key=FILE ca=FILE crl=FILE
 * aggressive=yes legacy=yes contact=yes dpd=SECONDS dpd-retry=MS life=SECONDS
 * keepalive=SECONDS keylog=FILE
 * and switches of the dialect by their names.
 *
 * Standard input: delete, begin, notify, quit.
 */
#define MANY 8

static struct gdoi_dialect dialect;
static struct ike_psk psk;
static struct gk_certs chain[MANY];
static struct ike_credential credential[MANY];
static struct gk_identity peers[MANY];
static struct gk_trust *trust;
static struct ike_pool *pool;
static struct ike_config cfg = { .dialect = &dialect,
	                         .psk = &psk,
	                         .credentials = credential,
	                         .peers = peers };
static bool initiator, contact, is_v6;
static struct ike_path way = { .local = { .port = 848 },
	                       .peer = { .port = 848 } };
static int sock[2] = { -1, -1 }; /* of port, of natt port */
static FILE *keylog;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "ike_over_udp: %s: %s\n", what, why);
	exit(2);
}

static void
must(enum gk_err err, const char *what)
{
	if (err != GK_OK)
		die(what, gk_strerror(err));
}

/* ---- the world ---------------------------------------------------------- */

static void
secret(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(keylog, "%s\n", line);
	fflush(keylog);
}

static struct gk_env env = { .random = gk_crypto_random };

static struct gk_now
now(void)
{
	struct timespec mono, utc;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &utc);
	return (struct gk_now){ .mono_ms = (uint64_t)mono.tv_sec * 1000 +
		                           (uint64_t)mono.tv_nsec / 1000000,
		                .utc_s = utc.tv_sec };
}

static struct gk_slice
file(const char *name)
{
	static uint8_t octets[1 << 16];
	FILE *f = fopen(name, "rb");
	struct gk_slice s = { octets, 0 };

	if (f == NULL)
		die(name, strerror(errno));
	s.len = fread(octets, 1, sizeof(octets), f);
	fclose(f);
	return s;
}

/* ---- what is wanted ----------------------------------------------------- */

struct word {
	const char *text;
	uint16_t number, bits;
};

#define NONE               \
	{                  \
		NULL, 0, 0 \
	}
static const struct word ciphers[] = {
	{ "des", IKE_ENCRYPTION_DES_CBC, 0 },
	{ "3des", IKE_ENCRYPTION_3DES_CBC, 0 },
	{ "aes128", IKE_ENCRYPTION_AES_CBC, 128 },
	{ "aes192", IKE_ENCRYPTION_AES_CBC, 192 },
	{ "aes256", IKE_ENCRYPTION_AES_CBC, 256 },
	NONE
};
static const struct word hashes[] = {
	{ "md5", IKE_HASH_MD5, 0 },       { "sha1", IKE_HASH_SHA1, 0 },
	{ "sha256", IKE_HASH_SHA256, 0 }, { "sha384", IKE_HASH_SHA384, 0 },
	{ "sha512", IKE_HASH_SHA512, 0 }, NONE
};
static const struct word groups[] = { { "modp768", IKE_GROUP_MODP768, 0 },
	                              { "modp1024", IKE_GROUP_MODP1024, 0 },
	                              { "modp1536", IKE_GROUP_MODP1536, 0 },
	                              { "modp2048", IKE_GROUP_MODP2048, 0 },
	                              { "modp3072", IKE_GROUP_MODP3072, 0 },
	                              { "modp4096", IKE_GROUP_MODP4096, 0 },
	                              { "modp6144", IKE_GROUP_MODP6144, 0 },
	                              { "modp8192", IKE_GROUP_MODP8192, 0 },
	                              { "ecp256", IKE_GROUP_ECP256, 0 },
	                              { "ecp384", IKE_GROUP_ECP384, 0 },
	                              { "ecp521", IKE_GROUP_ECP521, 0 },
	                              NONE };
static const struct word methods[] = { { "psk", IKE_AUTH_PSK, 0 },
	                               { "rsa", IKE_AUTH_RSA, 0 },
	                               { "ecdsa256", IKE_AUTH_ECDSA_256, 0 },
	                               { "ecdsa384", IKE_AUTH_ECDSA_384, 0 },
	                               { "ecdsa521", IKE_AUTH_ECDSA_521, 0 },
	                               NONE };

static const struct word *
find(const struct word *words, const char *text)
{
	while (words->text != NULL &&
	       (text == NULL || strcmp(words->text, text) != 0))
		words++;
	if (words->text == NULL)
		die(text == NULL ? "suite" : text, "not known");
	return words;
}

static const struct word *method = &methods[0];

static void
suite(char *text)
{
	const struct word *c = find(ciphers, strtok(text, ","));
	const struct word *h = find(hashes, strtok(NULL, ","));
	const struct word *g = find(groups, strtok(NULL, ","));

	if (cfg.n_suites == IKE_SUITES_MAX)
		die(text, "too many suites");
	cfg.suite[cfg.n_suites++] = (struct ike_suite){
		.encryption = c->number,
		.key_bits = c->bits,
		.hash = h->number,
		.group = g->number,
	};
}

static struct gk_identity
identity(char *text)
{
	char *colon = strchr(text, ':');
	struct gk_buf octets = { 0 };
	enum gk_id_kind kind;

	if (colon == NULL)
		die(text, "KIND:TEXT is wanted");
	*colon = '\0';
	kind = gk_id_kind_from_name(text);
	must(gk_identity_parse(kind, gk_slice_str(colon + 1), &octets), colon);
	return (struct gk_identity){ kind, gk_buf_slice(&octets) };
}

static void
address(const char *text, struct ike_address *a)
{
	is_v6 = strchr(text, ':') != NULL;
	a->ip_len = is_v6 ? 16 : 4;
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text, a->ip) != 1)
		die(text, "no address");
}

static void
ca(const char *name)
{
	struct gk_certs certs = { 0 };

	must(gk_certs_from_pem(file(name), &certs), name);
	for (size_t i = 0; i < certs.n; i++)
		must(gk_trust_add_anchor(trust, certs.cert[i]), name);
}

static void
cert(const char *name)
{
	size_t n = cfg.n_credentials++;

	if (n == MANY)
		die(name, "too many");
	must(gk_certs_from_pem(file(name), &chain[n]), name);
	credential[n].certs = (const struct gk_cert *const *)chain[n].cert;
	credential[n].n_certs = chain[n].n;
}

static bool
flag(const char *value)
{
	return strcmp(value, "yes") == 0;
}

static uint32_t
number(const char *value)
{
	return (uint32_t)strtoul(value, NULL, 10);
}

static void
option(char *name, char *value)
{
	if (strcmp(name, "role") == 0)
		initiator = strcmp(value, "initiator") == 0;
	else if (strcmp(name, "local") == 0)
		address(value, &way.local);
	else if (strcmp(name, "peer") == 0)
		address(value, &way.peer);
	else if (strcmp(name, "port") == 0)
		way.local.port = (uint16_t)number(value);
	else if (strcmp(name, "peer-port") == 0)
		way.peer.port = (uint16_t)number(value);
	else if (strcmp(name, "natt") == 0)
		cfg.natt_port = (uint16_t)number(value);
	else if (strcmp(name, "suite") == 0)
		suite(value);
	else if (strcmp(name, "auth") == 0)
		method = find(methods, value);
	else if (strcmp(name, "id") == 0)
		cfg.id = identity(value);
	else if (strcmp(name, "peers") == 0 && cfg.n_peers < MANY)
		peers[cfg.n_peers++] = identity(value);
	else if (strcmp(name, "psk") == 0)
		psk.key = gk_slice_str(value);
	else if (strcmp(name, "cert") == 0)
		cert(value);
	else if (strcmp(name, "key") == 0 && cfg.n_credentials != 0)
		must(gk_signer_from_pem(
			     file(value), NULL,
			     &credential[cfg.n_credentials - 1].signer),
		     value);
	else if (strcmp(name, "ca") == 0)
		ca(value);
	else if (strcmp(name, "crl") == 0)
		must(gk_trust_add_crl(trust, file(value)), value);
	else if (strcmp(name, "aggressive") == 0)
		cfg.aggressive = flag(value);
	else if (strcmp(name, "legacy") == 0)
		cfg.legacy_ok = flag(value);
	else if (strcmp(name, "contact") == 0)
		contact = flag(value);
	else if (strcmp(name, "dpd") == 0)
		cfg.dpd_s = number(value);
	else if (strcmp(name, "dpd-retry") == 0)
		cfg.dpd_retry_ms = number(value);
	else if (strcmp(name, "dpd-tries") == 0)
		cfg.dpd_tries = number(value);
	else if (strcmp(name, "life") == 0)
		cfg.life_s = number(value);
	else if (strcmp(name, "keepalive") == 0)
		cfg.keepalive_s = number(value);
	else if (strcmp(name, "tries") == 0)
		cfg.tries = number(value);
	else if (strcmp(name, "keylog") == 0)
		keylog = fopen(value, "a");
	else
		must(gdoi_dialect_set(&dialect, name, value), name);
}

/* ---- sockets ------------------------------------------------------------ */

union any_address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
to_socket(const struct ike_address *a, union any_address *s)
{
	memset(s, 0, sizeof(*s));
	if (a->ip_len == 16) {
		s->v6.sin6_family = AF_INET6;
		s->v6.sin6_port = htons(a->port);
		memcpy(&s->v6.sin6_addr, a->ip, 16);
		return sizeof(s->v6);
	}
	s->v4.sin_family = AF_INET;
	s->v4.sin_port = htons(a->port);
	memcpy(&s->v4.sin_addr, a->ip, 4);
	return sizeof(s->v4);
}

static struct ike_address
from_socket(const union any_address *s)
{
	struct ike_address a = { .ip_len = 4 };

	if (s->sa.sa_family == AF_INET6) {
		a.ip_len = 16;
		a.port = ntohs(s->v6.sin6_port);
		memcpy(a.ip, &s->v6.sin6_addr, 16);
		return a;
	}
	a.port = ntohs(s->v4.sin_port);
	memcpy(a.ip, &s->v4.sin_addr, 4);
	return a;
}

static int
open_socket(uint16_t port)
{
	struct ike_address a = way.local;
	union any_address s;
	socklen_t len;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	a.port = port;
	len = to_socket(&a, &s);
	if (fd < 0 || bind(fd, &s.sa, len) != 0)
		die("bind", strerror(errno));
	return fd;
}

static void
transmit(const struct ike_output *out)
{
	static uint8_t buf[1 << 16];
	bool natt = out->path.local.port == cfg.natt_port && cfg.natt;
	size_t at = natt && out->kind == IKE_OUT_SEND ? IKE_MARKER_LEN : 0;
	union any_address s;
	socklen_t len = to_socket(&out->path.peer, &s);

	memset(buf, 0, IKE_MARKER_LEN);
	memcpy(buf + at, out->dgram.ptr, out->dgram.len);
	(void)sendto(sock[natt], buf, at + out->dgram.len, 0, &s.sa, len);
}

/* ---- what happens ------------------------------------------------------- */

static json_t *
place(const struct ike_address *a)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(a->ip_len == 16 ? AF_INET6 : AF_INET, a->ip, text,
	          sizeof(text));
	return json_pack("[s, i]", text, (int)a->port);
}

static void
report(const struct ike_pool_output *o)
{
	static const char *const text[] = {
#define X(name, text) [IKE_OUT_##name] = text,
		IKE_OUTPUT_LIST(X)
#undef X
	};
	const struct ike_output *out = &o->out;
	json_t *j = json_pack("{s:s}", "event", text[out->kind]);
	char name[256];

	if (out->text != NULL)
		json_object_set_new(j, "text", json_string(out->text));
	if (out->kind == IKE_OUT_REFUSED || out->kind == IKE_OUT_FAILED) {
		if (out->why.req != NULL)
			json_object_set_new(j, "req",
			                    json_string(out->why.req));
		if (out->why.field != NULL)
			json_object_set_new(j, "field",
			                    json_string(out->why.field));
	}
	if (out->kind == IKE_OUT_NOTIFIED)
		json_object_set_new(j, "type",
		                    json_integer(out->notification.type));
	if (out->kind == IKE_OUT_NOTIFIED)
		json_object_set_new(j, "under_sa", json_boolean(out->under_sa));
	if (o->ike != NULL) {
		uint8_t cookies[2 * ISAKMP_COOKIE_LEN];
		char hex[4 * ISAKMP_COOKIE_LEN + 1];

		ike_cookies(o->ike, cookies);
		gk_hex(hex, sizeof(hex),
		       (struct gk_slice){ cookies, sizeof(cookies) });
		json_object_set_new(j, "sa", json_string(hex));
		json_object_set_new(j, "initiated",
		                    json_boolean(ike_initiated(o->ike)));
		json_object_set_new(j, "local",
		                    place(&ike_path(o->ike)->local));
		json_object_set_new(j, "remote",
		                    place(&ike_path(o->ike)->peer));
		json_object_set_new(j, "nat_here",
		                    json_boolean(ike_nat_here(o->ike)));
		json_object_set_new(j, "nat_there",
		                    json_boolean(ike_nat_there(o->ike)));
		if (out->kind == IKE_OUT_ESTABLISHED)
			json_object_set_new(
				j, "peer",
				json_string(gk_identity_print(
					name, sizeof(name), ike_peer(o->ike))));
	}
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(j);
}

static void
drain(void)
{
	struct ike_pool_output o;

	while (ike_pool_poll(pool, &o)) {
		if (o.out.kind == IKE_OUT_SEND ||
		    o.out.kind == IKE_OUT_KEEPALIVE)
			transmit(&o.out);
		if (o.out.kind != IKE_OUT_SEND)
			report(&o);
	}
}

static void
receive(int which)
{
	static uint8_t buf[1 << 16];
	union any_address s;
	socklen_t len = sizeof(s);
	ssize_t n = recvfrom(sock[which], buf, sizeof(buf), 0, &s.sa, &len);
	struct gk_slice dgram = { buf, n < 0 ? 0 : (size_t)n };
	struct ike_path path = way;
	struct ike *other;

	if (n < 0)
		return;
	path.peer = from_socket(&s);
	path.local.port = which ? cfg.natt_port : way.local.port;
	if (which && ike_natt_open(&dgram) != IKE_NATT_ISAKMP)
		return;
	(void)ike_pool_receive(pool, &path, dgram, now(), &other);
	drain();
}

static void
begin(void)
{
	struct ike *ike;

	must(ike_pool_initiate(pool, NULL, &way, now(), &ike), "begin");
	drain();
}

/* The newest one. */
static struct ike *
newest(void)
{
	struct ike *ike, *found = NULL;
	size_t cursor = 0;

	while ((ike = ike_pool_each(pool, &cursor)) != NULL)
		if (ike_state(ike) == IKE_ESTABLISHED)
			found = ike;
	return found;
}

static bool
command(void)
{
	static const struct isakmp_notification hello = {
		.doi = ISAKMP_DOI_GDOI,
		.protocol = ISAKMP_PROTO_ISAKMP,
		.type = 40000,
	};
	char line[128];
	struct ike *ike = newest();

	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "begin") == 0)
		begin();
	else if (strcmp(line, "delete") == 0 && ike != NULL)
		must(ike_pool_delete(pool, ike, now()), "delete");
	else if (strcmp(line, "notify") == 0 && ike != NULL)
		must(ike_pool_notify(pool, ike, &hello, now()), "notify");
	drain();
	return strcmp(line, "quit") != 0;
}

static int
wait_ms(void)
{
	uint64_t at = ike_pool_deadline(pool), t = now().mono_ms;

	if (at == GK_NEVER || at > t + 60000)
		return 60000;
	return at <= t ? 0 : (int)(at - t);
}

int
main(int argc, char **argv)
{
	struct pollfd fds[3] = { { .fd = 0, .events = POLLIN } };
	nfds_t n = 2;

	must(gk_crypto_init(0, true), "provider");
	must(gk_trust_new(NULL, &trust), "trust");
	cfg.trust = trust;
	for (int i = 1; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (equals == NULL)
			die(argv[i], "NAME=VALUE is wanted");
		*equals = '\0';
		option(argv[i], equals + 1);
	}
	for (size_t i = 0; i < cfg.n_suites; i++)
		cfg.suite[i].auth = method->number;
	cfg.natt = cfg.natt_port != 0;
	cfg.n_psk = psk.key.ptr != NULL;
	if (keylog != NULL)
		env.secret = secret;
	must(gk_crypto_random(NULL, cfg.secret, sizeof(cfg.secret)), "random");
	must(ike_pool_new(&env, &cfg, NULL, contact, &pool), "pool");
	sock[0] = open_socket(way.local.port);
	fds[1] = (struct pollfd){ .fd = sock[0], .events = POLLIN };
	if (cfg.natt) {
		sock[1] = open_socket(cfg.natt_port);
		fds[n++] = (struct pollfd){ .fd = sock[1], .events = POLLIN };
	}
	printf("{\"event\":\"ready\"}\n");
	fflush(stdout);
	if (initiator)
		begin();
	for (;;) {
		if (poll(fds, n, wait_ms()) < 0 && errno != EINTR)
			die("poll", strerror(errno));
		if (fds[1].revents != 0)
			receive(0);
		if (n == 3 && fds[2].revents != 0)
			receive(1);
		if (fds[0].revents != 0 && !command())
			return 0;
		must(ike_pool_tick(pool, now()), "tick");
		drain();
	}
}
