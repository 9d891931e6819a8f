/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/daemon/tek_json.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/crypto/gk_oid.h"
#include "common/daemon/gkd_events.h"
#include "gdoi/isakmp/isakmp_registry.h"

#define ENDPOINT_TEXT (2 * INET6_ADDRSTRLEN)

/* "address", "address/mask" or "address-address"; false: it is none of them. */
static bool
endpoint_text(char out[ENDPOINT_TEXT], const struct gdoi_endpoint *e)
{
	size_t len = gdoi_address_len(e->type);
	bool range = e->type == ISAKMP_ID_IPV4_ADDR_RANGE ||
	             e->type == ISAKMP_ID_IPV6_ADDR_RANGE;
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
	int family = len == 16 ? AF_INET6 : AF_INET;

	if (len == 0 || (e->data.len != len && e->data.len != 2 * len))
		return false;
	inet_ntop(family, e->data.ptr, a, sizeof(a));
	if (e->data.len == len) {
		snprintf(out, ENDPOINT_TEXT, "%s", a);
		return true;
	}
	inet_ntop(family, e->data.ptr + len, b, sizeof(b));
	snprintf(out, ENDPOINT_TEXT, "%s%s%s", a, range ? "-" : "/", b);
	return true;
}

/* Null for any. */
static json_t *
json_endpoint(const struct gdoi_endpoint *e)
{
	char text[ENDPOINT_TEXT];

	if (e->data.len == 0 || e->data.len == 3)
		return json_null();
	return endpoint_text(text, e) ? json_string(text)
	                              : gkd_json_octets(e->data);
}

static void
add_end(char *out, const struct gdoi_endpoint *e)
{
	char text[ENDPOINT_TEXT];
	size_t n = strlen(out);

	if (gdoi_endpoint_is_any(e))
		snprintf(text, sizeof(text), "any");
	else if (!endpoint_text(text, e))
		snprintf(text, sizeof(text), "(a name)");
	snprintf(out + n, GDOID_SAT_TEXT - n, "%s", text);
	n = strlen(out);
	if (e->port != 0)
		snprintf(out + n, GDOID_SAT_TEXT - n, " port %u", e->port);
}

void
gdoid_sat_text(char out[GDOID_SAT_TEXT], const struct gdoi_sat *sat)
{
	const struct gdoi_endpoints *ep = &sat->ipsec.ep;
	const char *what = sat->protocol == GDOI_PROTOCOL_ESP  ? "ESP"
	                   : sat->protocol == GDOI_PROTOCOL_AH ? "AH"
	                                                       : "IEC 61850";

	snprintf(out, GDOID_SAT_TEXT, "%s ", what);
	if (sat->protocol == GDOI_PROTOCOL_IEC_61850)
		return;
	add_end(out, &ep->src);
	snprintf(out + strlen(out), GDOID_SAT_TEXT - strlen(out), " -> ");
	add_end(out, &ep->dst);
	if (ep->protocol != 0)
		snprintf(out + strlen(out), GDOID_SAT_TEXT - strlen(out),
		         " protocol %u", ep->protocol);
}

static void
add_number(json_t *o, const char *name, uint32_t n)
{
	if (n != 0)
		json_object_set_new(o, name, json_integer(n));
}

static void
add_ipsec(json_t *o, const struct gdoi_sat_ipsec *sa)
{
	json_object_set_new(o, "src", json_endpoint(&sa->ep.src));
	json_object_set_new(o, "dst", json_endpoint(&sa->ep.dst));
	json_object_set_new(
		o, "mode",
		json_string(sa->encapsulation == 1 ? "tunnel" : "transport"));
	add_number(o, "ip_protocol", sa->ep.protocol);
	add_number(o, "src_port", sa->ep.src.port);
	add_number(o, "dst_port", sa->ep.dst.port);
	add_number(o, "transform", sa->transform);
	add_number(o, "authentication", sa->authentication);
	add_number(o, "key_length", sa->key_length);
	add_number(o, "life_kb", sa->life_kb);
	add_number(o, "extended_sequence", sa->extended_sequence);
	add_number(o, "authentication_key_length", sa->authentication_length);
	add_number(o, "signature_encoding", sa->signature_encoding);
	add_number(o, "address_preservation", sa->address_preservation);
	add_number(o, "direction", sa->direction);
}

/* Contents octets, with or without tag and length. */
static json_t *
json_oid(struct gk_slice oid)
{
	char text[GK_OID_TEXT_MAX];

	if (oid.len > 2 && oid.ptr[0] == 6 && oid.ptr[1] == oid.len - 2)
		oid = (struct gk_slice){ oid.ptr + 2, oid.len - 2 };
	if (gk_oid_text(oid, text) != GK_OK)
		return gkd_json_octets(oid);
	return json_string(text);
}

static void
add_iec(json_t *o, const struct gdoi_sat_iec *sa, uint16_t kda)
{
	json_object_set_new(o, "oid", json_oid(sa->oid));
	json_object_set_new(o, "payload", gkd_json_octets(sa->payload));
	json_object_set_new(
		o, "authentication",
		json_string(isakmp_code_text(ISAKMP_TABLE_IEC_AUTH, sa->auth)));
	json_object_set_new(
		o, "encryption",
		json_string(isakmp_code_text(ISAKMP_TABLE_IEC_ENC, sa->enc)));
	if (sa->has_atd)
		json_object_set_new(o, "atd", json_integer(sa->atd));
	if (sa->has_kda)
		json_object_set_new(o, "kda", json_integer(kda));
}

static json_t *
json_sids(const struct gdoi_tek *tek)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tek->n_sids; i++)
		json_array_append_new(list, json_integer(tek->sids[i]));
	return list;
}

static json_t *
json_keys(const struct gdoi_tek *tek)
{
	json_t *o = json_object();

	if (tek->key.len != 0)
		json_object_set_new(o, "encryption", gkd_json_octets(tek->key));
	if (tek->integrity.len != 0)
		json_object_set_new(o, "integrity",
		                    gkd_json_octets(tek->integrity));
	if (tek->source_auth.len != 0)
		json_object_set_new(o, "source_auth",
		                    gkd_json_octets(tek->source_auth));
	return o;
}

json_t *
gdoid_json_tek(const struct gdoi_tek *tek, bool keys)
{
	const struct gdoi_sat *sat = tek->sat;
	json_t *o = json_pack(
		"{s:s, s:o, s:s, s:b, s:o, s:o}", "protocol",
		isakmp_code_text(ISAKMP_TABLE_PROTOCOL, sat->protocol), "spi",
		gkd_json_octets(
			(struct gk_slice){ sat->spi, sizeof(sat->spi) }),
		"state", gdoi_tek_state_text(tek->state), "may_send",
		(int)tek->may_send, "installed",
		gkd_json_utc(tek->installed_utc), "expires",
		gkd_json_utc(tek->expires_utc));

	if (sat->protocol == GDOI_PROTOCOL_IEC_61850)
		add_iec(o, &sat->iec, tek->kda);
	else
		add_ipsec(o, &sat->ipsec);
	if (tek->worn)
		json_object_set_new(o, "nearly_used", json_true());
	if (tek->no_sid)
		json_object_set_new(o, "no_sender_id", json_true());
	if (tek->sid_bits != 0) {
		json_object_set_new(o, "sid_bits", json_integer(tek->sid_bits));
		json_object_set_new(o, "sids", json_sids(tek));
	}
	if (keys)
		json_object_set_new(o, "keys", json_keys(tek));
	else if (tek->source_auth.len != 0) /* which is public */
		json_object_set_new(o, "source_key",
		                    gkd_json_octets(tek->source_auth));
	return o;
}
