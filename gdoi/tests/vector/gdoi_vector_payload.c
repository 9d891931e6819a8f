/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/payload/kd.h"
#include "gdoi/payload/lkh.h"
#include "gdoi/payload/sa.h"
#include "gdoi/payload/sat_keys.h"
#include "gdoi/tests/vector/gdoi_vector.h"

#define BODY_MAX 65536

static struct gk_slice
written(struct vec *v, struct gk_wr *wr, uint8_t *out)
{
	vec_ok(v, gk_wr_done(wr), "encoding");
	return (struct gk_slice){ out, wr->len };
}

static void
refuse(struct vec *v, enum gk_err err, const struct isakmp_reject *why)
{
	if (err != GK_OK)
		vec_fail(v, "%s: %s at octet %zu (%s)", gk_strerror(err),
		         why->field ? why->field : "no field", why->offset,
		         why->req ? why->req : "no rule");
}

/* SA -------------------------------------------------------------------------- */

static void
endpoint(struct vec *v, json_t *want, const struct gdoi_endpoint *got)
{
	struct gk_slice data = got->data;

	if (data.len == 3) /* of any source: switch any_source */
		data.len = 0;
	vec_same_num(v, "ID type", got->type, vec_num(v, want, "type"));
	vec_same_num(v, "port", got->port, vec_num(v, want, "port"));
	vec_out(v, want, "data", data);
}

static void
endpoints(struct vec *v, json_t *want, const struct gdoi_endpoints *got)
{
	vec_same_num(v, "protocol", got->protocol,
	             vec_num(v, want, "protocol"));
	endpoint(v, vec_object(v, want, "src"), &got->src);
	endpoint(v, vec_object(v, want, "dst"), &got->dst);
}

static void
sak(struct vec *v, json_t *want, const struct gdoi_sak *got)
{
	endpoints(v, want, &got->ep);
	vec_out(v, want, "spi", (struct gk_slice){ got->spi, 16 });
	vec_may_num(v, want, "management", got->management);
	vec_may_num(v, want, "algorithm", got->algorithm);
	vec_may_num(v, want, "key_length", got->key_length);
	vec_may_num(v, want, "lifetime", got->lifetime);
	vec_may_num(v, want, "sig_hash", got->sig_hash);
	vec_may_num(v, want, "sig_algorithm", got->sig_algorithm);
	vec_may_num(v, want, "sig_key_length", got->sig_key_length);
	vec_may_num(v, want, "ack", got->ack);
}

static void
gap(struct vec *v, json_t *want, const struct gdoi_gap *got)
{
	vec_may_num(v, want, "atd", got->has_atd ? got->atd : 0);
	vec_may_num(v, want, "dtd", got->has_dtd ? got->dtd : 0);
	vec_same_num(v, "GAP has ATD", got->has_atd, vec_has(want, "atd"));
	vec_same_num(v, "GAP has DTD", got->has_dtd, vec_has(want, "dtd"));
}

static void
ipsec(struct vec *v, json_t *want, const struct gdoi_sat_ipsec *got)
{
	endpoints(v, want, &got->ep);
	vec_may_num(v, want, "transform", got->transform);
	vec_may_num(v, want, "life_s", got->life_s);
	vec_may_num(v, want, "encapsulation", got->encapsulation);
	vec_may_num(v, want, "authentication", got->authentication);
	vec_may_num(v, want, "key_length", got->key_length);
	vec_may_num(v, want, "authentication_length",
	            got->authentication_length);
	vec_may_num(v, want, "signature_encoding", got->signature_encoding);
	vec_may_num(v, want, "address_preservation", got->address_preservation);
	vec_may_num(v, want, "direction", got->direction);
}

static void
iec(struct vec *v, json_t *want, const struct gdoi_sat_iec *got)
{
	vec_out(v, want, "oid", got->oid);
	vec_out(v, want, "specific", got->payload);
	vec_may_num(v, want, "auth", got->auth);
	vec_may_num(v, want, "enc", got->enc);
	vec_may_num(v, want, "lifetime", got->lifetime);
	vec_same_num(v, "has SA_ATD", got->has_atd, vec_has(want, "atd"));
	vec_same_num(v, "has SA_KDA", got->has_kda, vec_has(want, "kda"));
	vec_may_num(v, want, "atd", got->has_atd ? got->atd : 0);
	vec_may_num(v, want, "kda", got->has_kda ? got->kda : 0);
}

/* sat_key_sizes - RFC6407-5.6.1-01: what a key server has to send. */
static void
sat_key_sizes(struct vec *v, json_t *want, const struct gdoi_sat *got)
{
	struct gdoi_sat_keys keys;
	struct isakmp_reject why = { 0 };

	refuse(v, gdoi_sat_keys(&readings(v)->dialect, got, &keys, &why), &why);
	vec_may_num(v, want, "cipher_key", (long long)keys.algorithm);
	vec_may_num(v, want, "integrity_key", (long long)keys.integrity);
	vec_same_num(v, "source authentication", keys.source_auth,
	             vec_has(want, "source_key") &&
	                     vec_flag(v, want, "source_key"));
	vec_same_num(v, "counter mode", keys.counter_mode,
	             vec_flag(v, want, "counter"));
}

static void
sat(struct vec *v, json_t *want, const struct gdoi_sat *got)
{
	vec_same_num(v, "Protocol-ID", got->protocol,
	             vec_num(v, want, "protocol_id"));
	vec_out(v, want, "spi",
	        (struct gk_slice){ got->spi, sizeof(got->spi) });
	if (got->protocol == GDOI_PROTOCOL_IEC_61850)
		iec(v, want, &got->iec);
	else
		ipsec(v, want, &got->ipsec);
	sat_key_sizes(v, want, got);
}

static void
sa_same(struct vec *v, const struct gdoi_sa *sa)
{
	json_t *sats = vec_list(v, v->out, "sats");

	vec_same_num(v, "SAK", sa->has_sak, vec_has(v->out, "sak"));
	vec_same_num(v, "GAP", sa->has_gap, vec_has(v->out, "gap"));
	vec_same_num(v, "SATs", sa->n_sats, (long long)json_array_size(sats));
	if (sa->has_sak)
		sak(v, vec_object(v, v->out, "sak"), &sa->sak);
	if (sa->has_gap)
		gap(v, vec_object(v, v->out, "gap"), &sa->gap);
	for (uint16_t i = 0; i < sa->n_sats; i++)
		sat(v, json_array_get(sats, i), &sa->sat[i]);
}

static void
sa_read(struct vec *v, struct gk_slice body, struct gdoi_sa *sa)
{
	struct isakmp_reject why = { 0 };
	struct gk_rd rd;

	gk_rd_init(&rd, body.ptr, body.len);
	refuse(v,
	       gdoi_sa_read(&rd, &readings(v)->dialect,
	                    vec_flag(v, v->in, "pull"), sa, &why),
	       &why);
	sa_same(v, sa);
}

static void
sa(struct vec *v)
{
	struct gdoi_sa *read = vec_keep(v, calloc(1, sizeof(*read)));
	uint8_t *out = vec_keep(v, malloc(BODY_MAX));
	struct gk_wr wr;

	sa_read(v, vec_octets(v, v->in, "body"), read);
	gk_wr_init(&wr, out, BODY_MAX);
	gdoi_sa_encode(&wr, &readings(v)->dialect, read);
	sa_read(v, written(v, &wr, out), read);
}

/* KD -------------------------------------------------------------------------- */

static void
packet(struct vec *v, json_t *want, const struct gdoi_kd_packet *got)
{
	vec_same_num(v, "KD Type", got->type, vec_num(v, want, "type"));
	vec_out(v, want, "spi", got->spi);
	vec_same(v, "algorithm_key", got->algorithm_key,
	         vec_may_octets(v, want, "algorithm_key"));
	vec_same(v, "integrity_key", got->integrity_key,
	         vec_may_octets(v, want, "integrity_key"));
	vec_same(v, "source_auth_key", got->source_auth_key,
	         vec_may_octets(v, want, "source_auth_key"));
	vec_same(v, "signature_key", got->sig_key,
	         vec_may_octets(v, want, "signature_key"));
}

static void
array_same(struct vec *v, json_t *want, const struct gdoi_lkh_array *got)
{
	json_t *keys = vec_list(v, want, "keys");

	if (vec_flag(v, want, "update")) {
		vec_same_num(v, "LKH ID", got->id, vec_num(v, want, "lkh_id"));
		vec_same_num(v, "handle", got->handle,
		             vec_num(v, want, "handle"));
	}
	vec_same_num(v, "LKH keys", got->count,
	             (long long)json_array_size(keys));
	for (uint16_t i = 0; i < got->count; i++) {
		json_t *one = json_array_get(keys, i);
		const struct gdoi_lkh_key *key = &got->key[i];

		vec_same_num(v, "LKH ID", key->id, vec_num(v, one, "lkh_id"));
		vec_same_num(v, "Key Type", key->type, vec_num(v, one, "type"));
		vec_same_num(v, "created", key->created,
		             vec_num(v, one, "created"));
		vec_same_num(v, "expires", key->expires,
		             vec_num(v, one, "expires"));
		vec_same_num(v, "handle", key->handle,
		             vec_num(v, one, "handle"));
		vec_out(v, one, "data", key->data);
	}
}

/* array - read, written octet for octet the same, and what the vector says. */
static void
array(struct vec *v, json_t *want, struct gk_slice value, bool update)
{
	struct gdoi_lkh_array *read = vec_keep(v, calloc(1, sizeof(*read)));
	uint8_t *out = vec_keep(v, malloc(BODY_MAX));
	struct isakmp_reject why = { 0 };
	struct gk_rd rd;
	struct gk_wr wr;

	vec_same_num(v, "update array", update, vec_flag(v, want, "update"));
	gk_rd_init(&rd, value.ptr, value.len);
	refuse(v, gdoi_lkh_read(&rd, update, read, &why), &why);
	array_same(v, want, read);
	gk_wr_init(&wr, out, BODY_MAX);
	gdoi_lkh_encode(&wr, update, read);
	vec_same(v, "LKH array", written(v, &wr, out), value);
}

static void
kd_same(struct vec *v, const struct gdoi_kd *kd)
{
	json_t *packets = vec_list(v, v->out, "packets");
	json_t *arrays = vec_list(v, v->out, "arrays");
	size_t n = 0;

	vec_same_num(v, "key packets", kd->n_packets,
	             (long long)json_array_size(packets));
	for (uint16_t i = 0; i < kd->n_packets; i++)
		packet(v, json_array_get(packets, i), &kd->packet[i]);
	vec_same_num(v, "arrays", kd->n_updates + (kd->download.len != 0),
	             (long long)json_array_size(arrays));
	if (kd->download.len != 0)
		array(v, json_array_get(arrays, n++), kd->download, false);
	for (uint16_t i = 0; i < kd->n_updates; i++)
		array(v, json_array_get(arrays, n++), kd->update[i], true);
	vec_may_num(v, v->out, "sid_bits", kd->sid_bits);
	if (kd->sid_bits == 0)
		return;
	packets = vec_list(v, v->out, "sids");
	vec_same_num(v, "SIDs", kd->n_sids,
	             (long long)json_array_size(packets));
	for (uint16_t i = 0; i < kd->n_sids; i++)
		vec_same_num(v, "SID", kd->sid[i],
		             json_integer_value(json_array_get(packets, i)));
}

static void
kd(struct vec *v)
{
	struct gdoi_kd *read = vec_keep(v, calloc(1, sizeof(*read)));
	uint8_t *out = vec_keep(v, malloc(BODY_MAX));
	struct gk_slice body = vec_octets(v, v->in, "body");
	bool push = vec_flag(v, v->in, "push");
	struct isakmp_reject why = { 0 };
	struct gk_rd rd;
	struct gk_wr wr;

	gk_rd_init(&rd, body.ptr, body.len);
	refuse(v, gdoi_kd_read(&rd, &readings(v)->dialect, push, read, &why),
	       &why);
	kd_same(v, read);
	gk_wr_init(&wr, out, BODY_MAX);
	gdoi_kd_encode(&wr, &readings(v)->dialect, read);
	body = written(v, &wr, out);
	memset(read, 0, sizeof(*read));
	gk_rd_init(&rd, body.ptr, body.len);
	refuse(v, gdoi_kd_read(&rd, &readings(v)->dialect, push, read, &why),
	       &why);
	kd_same(v, read);
}

const struct vec_kind vec_payload_kinds[] = {
	{ "sa", sa },
	{ "kd", kd },
	{ NULL, NULL },
};
