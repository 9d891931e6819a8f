/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interop/vectors/xfrm: octets that a builder in Python made from the kernel's
 * header.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "gdoi/install/xfrm.h"
#include "gdoi/isakmp/isakmp_registry.h"

#define NOW 1000000

struct made {
	struct gdoi_sat sat;
	struct gdoi_tek tek;
	struct gdoi_xfrm_options o;
	uint8_t src[32], dst[32];
	struct gk_buf key, integrity;
};

static json_t *
load(void)
{
	const char *top = getenv("top_srcdir");
	char path[512];
	json_error_t error;
	json_t *doc;

	snprintf(path, sizeof(path), "%s/interop/vectors/xfrm/messages.json",
	         top != NULL ? top : ".");
	doc = json_load_file(path, 0, &error);
	if (doc == NULL)
		fail_msg("%s: %s", path, error.text);
	return doc;
}

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static uint32_t
number(const json_t *o, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(o, key));
}

static size_t
address(const char *s, uint8_t out[16])
{
	if (strchr(s, ':') != NULL) {
		assert_int_equal(inet_pton(AF_INET6, s, out), 1);
		return 16;
	}
	assert_int_equal(inet_pton(AF_INET, s, out), 1);
	return 4;
}

/* "", "address", "address/bits": an ID of the fitting type. */
static void
endpoint(struct gdoi_endpoint *e, const char *s, uint8_t room[32])
{
	char host[64];
	const char *slash = strchr(s, '/');
	size_t len;
	int bits;

	if (*s == '\0')
		return;
	snprintf(host, sizeof(host), "%.*s",
	         slash != NULL ? (int)(slash - s) : (int)strlen(s), s);
	len = address(host, room);
	bits = slash != NULL ? atoi(slash + 1) : (int)len * 8;
	e->type = len == 4 ? ISAKMP_ID_IPV4_ADDR : ISAKMP_ID_IPV6_ADDR;
	e->data = (struct gk_slice){ room, len };
	if (bits == (int)len * 8)
		return;
	e->type = len == 4 ? ISAKMP_ID_IPV4_ADDR_SUBNET
	                   : ISAKMP_ID_IPV6_ADDR_SUBNET;
	for (int i = 0; i < bits; i++)
		room[len + (size_t)i / 8] |= (uint8_t)(0x80 >> i % 8);
	e->data.len = 2 * len;
}

static void
make_sat(struct made *m, const json_t *s)
{
	struct gdoi_sat_ipsec *sa = &m->sat.ipsec;
	const char *protocol = text(s, "protocol");
	struct gk_buf spi;

	m->sat.protocol = strcmp(protocol, "esp") == 0 ? GDOI_PROTOCOL_ESP
	                  : strcmp(protocol, "ah") == 0
	                          ? GDOI_PROTOCOL_AH
	                          : GDOI_PROTOCOL_IEC_61850;
	assert_int_equal(gk_unhex(&spi, text(s, "spi")), GK_OK);
	memcpy(m->sat.spi, spi.ptr, sizeof(m->sat.spi));
	gk_buf_free(&spi);
	endpoint(&sa->ep.src, text(s, "src"), m->src);
	endpoint(&sa->ep.dst, text(s, "dst"), m->dst);
	sa->ep.protocol = (uint8_t)number(s, "ip_protocol");
	sa->ep.src.port = (uint16_t)number(s, "src_port");
	sa->ep.dst.port = (uint16_t)number(s, "dst_port");
	sa->transform = (uint8_t)number(s, "transform");
	sa->authentication = (uint16_t)number(s, "authentication");
	sa->encapsulation = json_is_true(json_object_get(s, "tunnel")) ? 1 : 2;
	sa->extended_sequence = (uint16_t)number(s, "esn");
	sa->ecn_tunnel = (uint16_t)number(s, "ecn_tunnel");
	sa->direction = (uint16_t)number(s, "direction");
	sa->address_preservation = (uint16_t)number(s, "address_preservation");
	sa->life_kb = number(s, "life_kb");
}

static void
make(struct made *m, const json_t *v)
{
	const json_t *s = json_object_get(v, "sat");
	const json_t *o = json_object_get(v, "options");
	const char *local = text(o, "local");

	*m = (struct made){ 0 };
	make_sat(m, s);
	assert_int_equal(gk_unhex(&m->key, text(s, "key")), GK_OK);
	assert_int_equal(gk_unhex(&m->integrity, text(s, "integrity")), GK_OK);
	m->tek.sat = &m->sat;
	m->tek.key = gk_buf_slice(&m->key);
	m->tek.integrity = gk_buf_slice(&m->integrity);
	m->tek.may_send = !json_is_false(json_object_get(s, "may_send"));
	m->tek.sid_bits = (uint16_t)number(s, "sid_bits");
	if (number(s, "life_s") != 0)
		m->tek.expires_utc = NOW + number(s, "life_s");
	m->o.reqid = number(o, "reqid");
	m->o.priority = number(o, "priority");
	m->o.window = number(o, "window");
	m->o.random_iv = json_is_true(json_object_get(o, "random_iv"));
	if (*local != '\0')
		m->o.local.ip_len = (uint8_t)address(local, m->o.local.ip);
}

static void
clear(struct made *m)
{
	gk_buf_free(&m->key);
	gk_buf_free(&m->integrity);
}

static void
assert_octets(const char *id, const char *name, const char *want,
              const struct gdoi_xfrm_message *m)
{
	char *got = malloc(2 * m->len + 1);

	assert_non_null(got);
	gk_hex(got, 2 * m->len + 1, (struct gk_slice){ m->octets, m->len });
	if (strcmp(got, want) != 0)
		fail_msg("%s, %s:\nwant %s\ngot  %s", id, name, want, got);
	free(got);
}

static void
build(struct gdoi_xfrm_message *m, const struct gdoi_xfrm *x, const char *name)
{
	static const char *const dirs[] = { "in", "out", "fwd" };
	enum gdoi_xfrm_dir dir = GDOI_XFRM_IN;

	for (size_t i = 0; i < GK_COUNT(dirs); i++)
		if (strchr(name, ' ') != NULL &&
		    strncmp(strchr(name, ' ') + 1, dirs[i], 2) == 0)
			dir = (enum gdoi_xfrm_dir)i;
	if (strcmp(name, "DELSA") == 0)
		gdoi_xfrm_put_no_state(m, 1, x);
	else if (strstr(name, "SA") == name + 3)
		gdoi_xfrm_put_state(m, 1, x, *name == 'U');
	else if (*name == 'D')
		gdoi_xfrm_put_no_policy(m, 1, x, dir);
	else
		gdoi_xfrm_put_policy(m, 1, x, dir,
		                     strstr(name, "block") != NULL,
		                     *name == 'U');
}

static void
check_made(const char *id, const json_t *v, const struct gdoi_xfrm *x)
{
	json_t *messages = json_object_get(v, "messages"), *want;
	struct gdoi_xfrm_message m;
	const char *name;

	if (x->send != json_is_true(json_object_get(v, "send")) ||
	    x->receive != json_is_true(json_object_get(v, "receive")))
		fail_msg("%s: send %d, receive %d", id, x->send, x->receive);
	json_object_foreach(messages, name, want)
	{
		build(&m, x, name);
		assert_octets(id, name, json_string_value(want), &m);
	}
}

GK_TEST(xfrm, every_message_of_the_vectors_comes_out_octet_for_octet)
{
	json_t *doc = load(), *v;
	size_t i, made = 0, refused = 0;

	/* A tunnel that keeps no destination is among what is refused. */
	GK_SHOWS("RFC5374-3-01", "RFC5374-3.1-01", "RFC5374-4.1.1-03",
	         "RFC5374-4.1.1-08");
	json_array_foreach(json_object_get(doc, "vectors"), i, v)
	{
		const char *id = text(v, "id");
		char why[GDOI_XFRM_WHY] = "";
		struct gdoi_xfrm x;
		struct made m;
		enum gk_err err;

		make(&m, v);
		err = gdoi_xfrm_plan(&m.tek, &m.o, NOW, &x, why);
		x.mark = number(json_object_get(v, "options"), "mark");
		if (json_is_true(json_object_get(v, "refused"))) {
			if (err != GK_ERR_POLICY || *why == '\0')
				fail_msg("%s: %s", id, gk_strerror(err));
			refused++;
		} else {
			if (err != GK_OK)
				fail_msg("%s: %s", id, why);
			check_made(id, v, &x);
			made++;
		}
		clear(&m);
	}
	assert_true(made > 60 && refused > 10);
	json_decref(doc);
}

GK_TEST(xfrm, pushes_pass_in_clear)
{
	json_t *doc = load(), *v;
	struct gdoi_xfrm_message m;
	size_t i;

	json_array_foreach(json_object_get(doc, "bypass"), i, v)
	{
		struct gdoi_address dst = { .port = (uint16_t)number(v,
			                                             "port") };

		dst.ip_len = (uint8_t)address(text(v, "dst"), dst.ip);
		gdoi_xfrm_put_bypass(&m, 1, &dst, number(v, "priority"),
		                     number(v, "mark"), false);
		assert_octets(text(v, "dst"), "bypass", text(v, "message"), &m);
	}
	json_decref(doc);
}

/* Masks with holes, ranges of several addresses, three zero octets. */
GK_TEST(xfrm, sources_that_are_no_prefix)
{
	static const uint8_t holes[] = { 10, 0, 0, 0, 255, 0, 255, 0 };
	static const uint8_t range[] = { 10, 0, 0, 1, 10, 0, 0, 2 };
	static const uint8_t single[] = { 10, 0, 0, 1, 10, 0, 0, 1 };
	static const uint8_t zero[3];
	static const uint8_t group[] = { 239, 1, 1, 1 }, key[20];
	struct gdoi_sat sat = { .protocol = GDOI_PROTOCOL_ESP };
	struct gdoi_tek tek = { .sat = &sat, .key = { key, sizeof(key) } };
	const struct gdoi_xfrm_options o = { .reqid = 1, .window = 32 };
	struct gdoi_endpoint *src = &sat.ipsec.ep.src;
	char why[GDOI_XFRM_WHY];
	struct gdoi_xfrm x;

	GK_SHOWS("RFC5374-A.2-04", "RFC5374-A.3-02");
	sat.ipsec.transform = 20;
	sat.ipsec.encapsulation = 2;
	sat.ipsec.ep.dst = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR,
		                                   0,
		                                   { group, sizeof(group) } };
	*src = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR_SUBNET,
		                       0,
		                       { holes, sizeof(holes) } };
	assert_int_equal(gdoi_xfrm_plan(&tek, &o, 0, &x, why), GK_ERR_POLICY);
	*src = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR_RANGE,
		                       0,
		                       { range, sizeof(range) } };
	assert_int_equal(gdoi_xfrm_plan(&tek, &o, 0, &x, why), GK_ERR_POLICY);
	src->data.ptr = single;
	assert_int_equal(gdoi_xfrm_plan(&tek, &o, 0, &x, why), GK_OK);
	assert_int_equal(x.src_bits, 32);
	assert_int_equal(x.window, 32);
	*src = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR, 0, { zero, 3 } };
	assert_int_equal(gdoi_xfrm_plan(&tek, &o, 0, &x, why), GK_OK);
	assert_int_equal(x.src_bits, 0);
	assert_int_equal(x.window, 0);
}

/* What receivers say to the sender, and what everybody says to everybody. */
GK_TEST(rfc5374_a_2_05, several_senders_have_no_window)
{
	static const uint8_t to[][4] = { { 10, 0, 0, 9 }, { 239, 1, 1, 1 } };
	static const uint8_t net[] = { 10, 0, 0, 0, 255, 0, 0, 0 }, key[20];
	struct gdoi_sat sat = { .protocol = GDOI_PROTOCOL_ESP };
	struct gdoi_tek tek = { .sat = &sat, .key = { key, sizeof(key) } };
	const struct gdoi_xfrm_options o = { .reqid = 1, .window = 32 };
	char why[GDOI_XFRM_WHY];
	struct gdoi_xfrm x;

	GK_SHOWS("RFC5374-A.3-02");
	GK_BREAKS("RFC5374-A.2-05", "RFC5374-A.3-02");
	sat.ipsec.transform = 20;
	sat.ipsec.encapsulation = 2;
	sat.ipsec.ep.src = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR_SUBNET,
		                                   0,
		                                   { net, sizeof(net) } };
	for (size_t i = 0; i < GK_COUNT(to); i++) {
		sat.ipsec.extended_sequence = 0;
		sat.ipsec.ep.dst = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR,
			                                   0,
			                                   { to[i], 4 } };
		assert_int_equal(gdoi_xfrm_plan(&tek, &o, 0, &x, why), GK_OK);
		assert_int_equal(x.window, 0);
		/* These would be nothing without one. */
		sat.ipsec.extended_sequence = 1;
		assert_int_equal(gdoi_xfrm_plan(&tek, &o, 0, &x, why),
		                 GK_ERR_POLICY);
	}
}

GK_TEST(xfrm, a_lifetime_that_is_over_is_one_second)
{
	static const uint8_t group[] = { 239, 1, 1, 1 }, key[20];
	struct gdoi_sat sat = { .protocol = GDOI_PROTOCOL_ESP };
	struct gdoi_tek tek = { .sat = &sat,
		                .key = { key, sizeof(key) },
		                .expires_utc = 100 };
	const struct gdoi_xfrm_options o = { .reqid = 1 };
	char why[GDOI_XFRM_WHY];
	struct gdoi_xfrm x;

	sat.ipsec.transform = 20;
	sat.ipsec.ep.dst = (struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR,
		                                   0,
		                                   { group, sizeof(group) } };
	assert_int_equal(gdoi_xfrm_plan(&tek, &o, 90, &x, why), GK_OK);
	assert_int_equal(x.life_s, 10);
	assert_int_equal(gdoi_xfrm_plan(&tek, &o, 200, &x, why), GK_OK);
	assert_int_equal(x.life_s, 1);
	tek.expires_utc = 0;
	assert_int_equal(gdoi_xfrm_plan(&tek, &o, 200, &x, why), GK_OK);
	assert_int_equal(x.life_s, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(xfrm,
		       every_message_of_the_vectors_comes_out_octet_for_octet),
		GK_RUN(xfrm, pushes_pass_in_clear),
		GK_RUN(xfrm, sources_that_are_no_prefix),
		GK_RUN(rfc5374_a_2_05, several_senders_have_no_window),
		GK_RUN(xfrm, a_lifetime_that_is_over_is_one_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
