/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gsakmp/payload/key_download.h"
#include "gsakmp/tests/vector/vector_kek.h"

static uint32_t
word(struct vec *v, json_t *object, const char *name)
{
	struct gk_slice s = vec_octets(v, object, name);
	uint32_t n = 0;

	if (s.len > 4)
		vec_fail(v, "field '%s' has more than four octets", name);
	for (size_t i = 0; i < s.len; i++)
		n = n << 8 | s.ptr[i];
	return n;
}

static struct gsakmp_key_datum
datum(struct vec *v, json_t *key)
{
	struct gsakmp_key_datum d = {
		.type = (uint16_t)vec_num(v, key, "key_type"),
		.id = word(v, key, "key_id"),
		.handle = word(v, key, "handle"),
		.key = vec_octets(v, key, "key"),
	};
	struct gk_slice created = vec_text_slice(v, key, "created");
	struct gk_slice expires = vec_text_slice(v, key, "expires");

	if (created.len != GK_ZULU_LEN || expires.len != GK_ZULU_LEN)
		vec_fail(v, "not a date");
	memcpy(d.created, created.ptr, GK_ZULU_LEN);
	memcpy(d.expires, expires.ptr, GK_ZULU_LEN);
	return d;
}

/* Written from the fields it is the octets; read from these it has the fields. */
static void
same_keys(struct vec *v, const struct gsakmp_keys *keys,
          enum gsakmp_keys_place place, struct gk_slice want)
{
	struct gsakmp_keys *back = vec_keep(v, calloc(1, sizeof(*back)));
	uint8_t buf[4096], again[4096];
	struct gk_wr wr, wr2;
	struct gk_rd rd;

	gk_wr_init(&wr, buf, sizeof(buf));
	gsakmp_keys_encode(&wr, keys, true);
	vec_ok(v, gk_wr_done(&wr), "encoding");
	vec_same(v, "octets", (struct gk_slice){ buf, wr.len }, want);
	gk_rd_init(&rd, want.ptr, want.len);
	vec_ok(v,
	       gsakmp_keys_decode(&rd, &readings(v)->dialect, place,
	                          GSAKMP_COUNT_INSIDE, back),
	       "decoding");
	vec_ok(v, gk_rd_done(&rd), "octets behind the last key");
	vec_same_num(v, "number of keys", back->n_datums, keys->n_datums);
	for (size_t i = 0; i < keys->n_datums; i++) {
		vec_same_num(v, "Key ID", back->datum[i].id, keys->datum[i].id);
		vec_same_num(v, "Key Handle", back->datum[i].handle,
		             keys->datum[i].handle);
		vec_same(v, "Key Data", back->datum[i].key, keys->datum[i].key);
	}
	gk_wr_init(&wr2, again, sizeof(again));
	gsakmp_keys_encode(&wr2, back, true);
	vec_same(v, "octets, written again",
	         (struct gk_slice){ again, wr2.len }, want);
}

static void
key_download(struct vec *v)
{
	struct gsakmp_keys *keys = vec_keep(v, calloc(1, sizeof(*keys)));
	struct gk_slice want = vec_octets(v, v->out, "key_download");
	const struct gsakmp_vocabulary voc = { 0 };
	struct gsakmp_keys *read = vec_keep(v, calloc(1, sizeof(*read)));
	struct gsakmp_reject why;
	struct gsakmp_key_datum d;
	json_t *key;
	size_t i;

	json_array_foreach(vec_list(v, v->in, "gtpk"), i, key)
	{
		d = datum(v, key);
		vec_ok(v, gsakmp_keys_add(keys, GSAKMP_ITEM_GTPK, &d), "GTPK");
	}
	if (vec_has(v->in, "kek")) {
		vec_ok(v,
		       gsakmp_keys_add_array(keys, word(v, v->in, "member_id")),
		       "Rekey Array");
		json_array_foreach(vec_list(v, v->in, "kek"), i, key)
		{
			d = datum(v, key);
			vec_ok(v, gsakmp_keys_add_kek(keys, &d), "KEK");
		}
	}
	same_keys(v, keys, GSAKMP_KEYS_DOWNLOAD, want);
	/* 2026-06-01: none of them has expired. */
	vec_ok(v,
	       gsakmp_key_download_read(want, &readings(v)->dialect, &voc,
	                                1780315200, read, &why),
	       "section 7.4.2");
}

static void
keys_verdict(struct vec *v)
{
	struct gsakmp_keys *keys = vec_keep(v, calloc(1, sizeof(*keys)));
	const struct gsakmp_vocabulary voc = { 0 };
	struct gsakmp_reject why = { 0 };
	bool accepted = gsakmp_key_download_read(
				vec_octets(v, v->in, "key_download"),
				&readings(v)->dialect, &voc,
				vec_num(v, v->in, "now"), keys, &why) == GK_OK;

	if (accepted != vec_flag(v, v->out, "accepted"))
		vec_fail(v, accepted ? "accepted" : "refused: %s, field %s",
		         why.req, why.field);
	if (vec_has(v->out, "req"))
		vec_same_text(v, "requirement", why.req,
		              vec_text(v, v->out, "req"));
	if (vec_has(v->out, "notify"))
		vec_same_num(v, "notification", why.notify,
		             vec_num(v, v->out, "notify"));
	if (vec_has(v->out, "field"))
		vec_same_text(v, "field", why.field,
		              vec_text(v, v->out, "field"));
}

static void
key_packages(struct vec *v)
{
	struct gsakmp_keys *keys = vec_keep(v, calloc(1, sizeof(*keys)));
	struct gk_slice want = vec_octets(v, v->out, "packages");
	json_t *package;
	size_t i;

	json_array_foreach(vec_list(v, v->in, "packages"), i, package)
	{
		long long type = vec_num(v, package, "type");
		struct gsakmp_key_datum d =
			datum(v, vec_object(v, package, "key"));

		if (type == GSAKMP_ITEM_REKEY_LKH &&
		    readings(v)->dialect.keypkg_lkh_body ==
		            GSAKMP_KEYPKG_LKH_BODY_ARRAY) {
			vec_ok(v, gsakmp_keys_add_array(keys, 0), "array");
			vec_ok(v, gsakmp_keys_add_kek(keys, &d), "package");
			continue;
		}
		vec_ok(v,
		       gsakmp_keys_add(keys, (enum gsakmp_item_type)type, &d),
		       "package");
	}
	same_keys(v, keys, GSAKMP_KEYS_PACKAGES, want);
}

/* The structure inside @plain, so that it can be sealed. */
static struct gsakmp_keys *
decoded(struct vec *v, struct gk_slice plain, enum gsakmp_keys_place place)
{
	struct gsakmp_keys *keys = vec_keep(v, calloc(1, sizeof(*keys)));
	struct gk_rd rd;

	gk_rd_init(&rd, plain.ptr, plain.len);
	vec_ok(v,
	       gsakmp_keys_decode(&rd, &readings(v)->dialect, place,
	                          GSAKMP_COUNT_INSIDE, keys),
	       "plaintext");
	return keys;
}

/* @plain may have octets behind the structure that only its decoder tells from
 * padding. */
static void
same_plain(struct vec *v, const char *what, struct gk_slice plain,
           struct gk_slice want)
{
	for (size_t i = want.len; i < plain.len; i++)
		if (plain.ptr[i] != 0 && plain.ptr[i] != plain.len - want.len)
			vec_fail(v, "%s: octets behind it", what);
	if (plain.len > want.len)
		plain.len = want.len;
	vec_same(v, what, plain, want);
}

static void
registration(struct vec *v)
{
	uint16_t type = (uint16_t)vec_num(v, v->in, "token_type");
	struct gk_slice token = vec_octets(v, v->in, "token");
	struct gk_slice keys = vec_octets(v, v->in, "key_download");
	struct gk_slice sealed_token = vec_octets(v, v->out, "sealed_token");
	struct gk_slice sealed_keys = vec_octets(v, v->out, "sealed_keys");
	struct gk_buf one = { 0 }, other = { 0 };
	struct gsakmp_reject why;
	struct gsakmp_kek kek;

	vec_random(v, vec_octets(v, v->in, "iv_token"));
	vec_random(v, vec_octets(v, v->in, "iv_keys"));
	vec_kek(v, &kek);
	vec_ok(v,
	       gsakmp_token_seal(&v->env, &readings(v)->dialect, &kek, type,
	                         token, &one),
	       "sealing the token");
	vec_same(v, "sealed_token", vec_buf(v, &one), sealed_token);
	vec_ok(v,
	       gsakmp_key_download_seal(&v->env, &readings(v)->dialect, &kek,
	                                decoded(v, keys, GSAKMP_KEYS_DOWNLOAD),
	                                &other),
	       "sealing the keys");
	vec_same(v, "sealed_keys", vec_buf(v, &other), sealed_keys);

	vec_kek(v, &kek);
	vec_ok(v,
	       gsakmp_token_open(&readings(v)->dialect, &kek, type,
	                         sealed_token, &one, &why),
	       "opening the token");
	same_plain(v, "token", vec_buf(v, &one), token);
	vec_ok(v,
	       gsakmp_key_download_open(&readings(v)->dialect, &kek,
	                                sealed_keys, &other, &why),
	       "opening the keys");
	same_plain(v, "key_download", vec_buf(v, &other), keys);
	gsakmp_kek_wipe(&kek);
}

static void
rekey_data(struct vec *v)
{
	const struct gsakmp_wrapping with = {
		.type = (uint16_t)vec_num(v, v->in, "key_type"),
		.id = word(v, v->in, "wrapping_key_id"),
		.handle = word(v, v->in, "wrapping_handle"),
		.key = vec_octets(v, v->in, "wrapping_key"),
	};
	const struct gsakmp_rekey_shape shape = { &readings(v)->dialect,
		                                  with.type };
	struct gk_slice packages = vec_octets(v, v->in, "packages");
	struct gk_slice want = vec_octets(v, v->out, "rekey_event_data");
	struct gsakmp_rekey_event event = { .count = 1, .data = want };
	struct gsakmp_rekey_data data;
	struct gk_buf out = { 0 };
	struct gsakmp_reject why;
	struct gk_rd rd;
	bool clear =
		readings(v)->dialect.red_scope == GSAKMP_RED_SCOPE_PACKAGES;

	vec_random(v, vec_octets(v, v->in, "iv"));
	vec_ok(v,
	       gsakmp_rekey_seal(&v->env, &readings(v)->dialect, &with,
	                         decoded(v, packages, GSAKMP_KEYS_PACKAGES),
	                         &out),
	       "sealing");
	vec_same(v, "rekey_event_data", vec_buf(v, &out), want);

	rd = gsakmp_rekey_data_start(&event);
	if (!gsakmp_rekey_data_next(&rd, &shape, &data))
		vec_fail(v, "the Rekey Event Data cannot be walked");
	vec_same_num(v, "Wrapping KeyID", data.key_id, with.id);
	vec_same_num(v, "Wrapping Key Handle", data.handle, with.handle);
	vec_same_num(v, "octets behind it", (long long)gk_rd_left(&rd), 0);
	vec_ok(v,
	       gsakmp_rekey_open(&readings(v)->dialect, &with, &data, &out,
	                         &why),
	       "opening");
	/* In clear in front, or inside. */
	if (clear) {
		vec_same_num(v, "# of Key Packages", data.count,
		             packages.ptr[0] << 8 | packages.ptr[1]);
		packages.ptr += 2;
		packages.len -= 2;
	}
	same_plain(v, "packages", vec_buf(v, &out), packages);
}

static void
rekey_token(struct vec *v)
{
	json_t *key = vec_object(v, v->in,
	                         readings(v)->dialect.pt_rekey_key ==
	                                         GSAKMP_PT_REKEY_KEY_NEW_GTPK
	                                 ? "new"
	                                 : "old");
	const struct gsakmp_wrapping with = {
		.type = (uint16_t)vec_num(v, key, "key_type"),
		.id = word(v, key, "key_id"),
		.handle = word(v, key, "handle"),
		.key = vec_octets(v, key, "key"),
	};
	uint16_t type = (uint16_t)vec_num(v, v->in, "token_type");
	struct gk_slice token = vec_octets(v, v->in, "token");
	struct gk_slice want = vec_octets(v, v->out, "sealed");
	struct gk_buf out = { 0 };
	struct gsakmp_reject why;

	vec_random(v, vec_octets(v, v->in, "iv"));
	vec_ok(v,
	       gsakmp_rekey_token_seal(&v->env, &readings(v)->dialect, &with,
	                               type, token, &out),
	       "sealing");
	vec_same(v, "sealed", vec_buf(v, &out), want);
	vec_ok(v,
	       gsakmp_rekey_token_open(&readings(v)->dialect, &with, type, want,
	                               &out, &why),
	       "opening");
	same_plain(v, "token", vec_buf(v, &out), token);
}

const struct vec_kind vec_sealed_kinds[] = {
	{ "keys-verdict", keys_verdict },
	{ "key-download", key_download },
	{ "key-packages", key_packages },
	{ "registration", registration },
	{ "rekey-data", rekey_data },
	{ "rekey-token", rekey_token },
	{ NULL, NULL },
};
