/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gsakmp/message/message.h"
#include "gsakmp/tests/vector/vector.h"

/*
 * A payload is read, each of its fields is compared with the vector's, and what
 * was read is written again.  The fields of a vector that nobody looked at are
 * counted, so that none is there for show.
 */
struct reading {
	struct vec *v;
	json_t *fields;
	size_t looked_at;
	struct gk_rd rd; /* the body */
	struct gk_wr wr; /* the body again */
	struct gsakmp_vocabulary voc;
	struct gsakmp_reject why;
};

static void
num(struct reading *r, const char *name, long long got)
{
	r->looked_at++;
	vec_same_num(r->v, name, got, vec_num(r->v, r->fields, name));
}

static void
octets(struct reading *r, const char *name, struct gk_slice got)
{
	r->looked_at++;
	vec_same(r->v, name, got, vec_octets(r->v, r->fields, name));
}

static void
text(struct reading *r, const char *name, struct gk_slice got)
{
	r->looked_at++;
	vec_same(r->v, name, got, vec_text_slice(r->v, r->fields, name));
}

static void
policy_token(struct reading *r)
{
	struct gsakmp_policy_token t;

	vec_ok(r->v, gsakmp_policy_token_decode(&r->rd, &t), "decoding");
	vec_ok(r->v, gsakmp_policy_token_check(&t, &r->voc, &r->why), "check");
	num(r, "policy_token_type", t.type);
	octets(r, "policy_token_data", t.data);
	gsakmp_policy_token_encode(&r->wr, &t);
}

static void
key_download(struct reading *r)
{
	struct gk_slice all = gk_rd_rest(&r->rd);

	octets(r, "encrypted", all);
	gk_wr_bytes(&r->wr, all);
}

static uint32_t
word(struct vec *v, json_t *object, const char *name)
{
	struct gk_slice s = vec_octets(v, object, name);

	vec_same_num(v, name, (long long)s.len, 4);
	return (uint32_t)s.ptr[0] << 24 | (uint32_t)s.ptr[1] << 16 |
	       (uint32_t)s.ptr[2] << 8 | s.ptr[3];
}

static void
rekey_event(struct reading *r)
{
	struct vec *v = r->v;
	const struct gsakmp_groupid group = {
		GSAKMP_GROUPID_OCTET_STRING, vec_octets(v, v->in, "group_id")
	};
	const struct gsakmp_rekey_shape shape = { &readings(v)->dialect, 0 };
	json_t *list = vec_list(v, r->fields, "rekey_event_data"), *want;
	struct gsakmp_rekey_event e;
	struct gsakmp_rekey_data d;
	struct gk_rd walk;
	size_t i;

	vec_ok(v,
	       gsakmp_rekey_event_decode(&r->rd, &readings(v)->dialect,
	                                 group.value.len, &e),
	       "decoding");
	vec_ok(v, gsakmp_rekey_event_check(&e, &shape, group, &r->voc, &r->why),
	       "check");
	num(r, "rekey_event_type", e.type);
	text(r, "time_date_stamp", (struct gk_slice){ e.stamp, GK_ZULU_LEN });
	num(r, "algorithm_version", e.version);
	num(r, "number_of_rekey_event_data", e.count);
	r->looked_at++;
	walk = gsakmp_rekey_data_start(&e);
	json_array_foreach(list, i, want)
	{
		if (!gsakmp_rekey_data_next(&walk, &shape, &d))
			vec_fail(v, "%zu Rekey Event Datas are too few", i);
		vec_same_num(v, "Packet Length", d.length,
		             vec_num(v, want, "packet_length"));
		vec_same_num(v, "Wrapping KeyID", d.key_id,
		             word(v, want, "wrapping_key_id"));
		vec_same_num(v, "Wrapping Key Handle", d.handle,
		             word(v, want, "wrapping_key_handle"));
		vec_same(v, "data", d.sealed, vec_octets(v, want, "data"));
	}
	if (gsakmp_rekey_data_next(&walk, &shape, &d))
		vec_fail(v, "one Rekey Event Data too many");
	gsakmp_rekey_event_encode(&r->wr, &e);
}

static void
identification(struct reading *r)
{
	struct gsakmp_identification id;

	vec_ok(r->v, gsakmp_identification_decode(&r->rd, &id), "decoding");
	vec_ok(r->v, gsakmp_identification_check(&id, &r->voc, &r->why),
	       "check");
	num(r, "id_classification", id.classification);
	num(r, "id_type", id.id_type);
	octets(r, "identification_data", id.data);
	gsakmp_identification_encode(&r->wr, &id);
}

static void
certificate(struct reading *r)
{
	struct gsakmp_certificate c;

	vec_ok(r->v, gsakmp_certificate_decode(&r->rd, &c), "decoding");
	vec_ok(r->v, gsakmp_certificate_check(&c, &r->voc, &r->why), "check");
	num(r, "certificate_type", c.type);
	octets(r, "certificate_data", c.data);
	gsakmp_certificate_encode(&r->wr, &c);
}

static void
signature(struct reading *r)
{
	struct gsakmp_signature s;

	vec_ok(r->v, gsakmp_signature_decode(&r->rd, &s), "decoding");
	vec_ok(r->v, gsakmp_signature_check(&s, &r->voc, &r->why), "check");
	num(r, "signature_type", s.type);
	num(r, "signature_id_type", s.id_type);
	text(r, "signature_timestamp", s.timestamp);
	octets(r, "signer_id_data", s.signer_id);
	octets(r, "signature_data", s.value);
	gsakmp_signature_encode(&r->wr, &s);
}

static void
mechanisms(struct reading *r, const struct gsakmp_notification *n)
{
	struct vec *v = r->v;
	json_t *list = vec_list(v, r->fields, "mechanism_choices"), *one;
	struct gsakmp_mechanisms m;
	struct gk_wr wr;
	uint8_t buf[64];
	size_t i;

	r->looked_at++;
	vec_ok(v,
	       gsakmp_mechanisms_decode(n->data, n->at, &readings(v)->dialect,
	                                &r->voc, &m, &r->why),
	       "Mechanism Choices");
	json_array_foreach(list, i, one)
	{
		long long value = vec_num(v, one, "mechanism_choice_data");

		switch (vec_num(v, one, "mechanism_type")) {
		case GSAKMP_MECHANISM_KEY_CREATION:
			vec_same_num(v, "key creation", m.key_creation, value);
			break;
		case GSAKMP_MECHANISM_ENCRYPTION:
			vec_same_num(v, "encryption", m.encryption, value);
			break;
		default:
			vec_same_num(v, "nonce hash", m.nonce_hash, value);
			break;
		}
	}
	gk_wr_init(&wr, buf, sizeof(buf));
	gsakmp_mechanisms_encode(&wr, &readings(v)->dialect, &m);
	vec_same(v, "Mechanism Choices", (struct gk_slice){ buf, wr.len },
	         n->data);
}

static void
notification(struct reading *r)
{
	struct vec *v = r->v;
	struct gsakmp_notification n;

	vec_ok(v, gsakmp_notification_decode(&r->rd, &n), "decoding");
	vec_ok(v,
	       gsakmp_notification_check(&n, &readings(v)->dialect, &r->voc,
	                                 &r->why),
	       "check");
	num(r, "notification_type", n.type);
	if (n.type == GSAKMP_NOTIFY_ACKNOWLEDGEMENT) {
		vec_same(v, "Acknowledgement", n.data,
		         gsakmp_ack_data(&readings(v)->dialect));
		num(r, "ack_type", n.data.len != 0 ? n.data.ptr[0] : 0);
	} else if (n.type == GSAKMP_NOTIFY_MECHANISM_CHOICES) {
		mechanisms(r, &n);
	} else {
		octets(r, "notification_data", n.data);
	}
	gsakmp_notification_encode(&r->wr, &n);
}

static void
vendor_id(struct reading *r)
{
	struct gsakmp_vendor_id id;

	vec_ok(r->v, gsakmp_vendor_id_decode(&r->rd, &id), "decoding");
	octets(r, "vendor_id", id.value);
	gsakmp_vendor_id_encode(&r->wr, &id);
}

static void
key_creation(struct reading *r)
{
	struct gsakmp_key_creation k;

	vec_ok(r->v, gsakmp_key_creation_decode(&r->rd, &k), "decoding");
	vec_ok(r->v, gsakmp_key_creation_check(&k, &r->voc, &r->why), "check");
	num(r, "key_creation_type", k.type);
	octets(r, "key_creation_data", k.data);
	gsakmp_key_creation_encode(&r->wr, &k);
}

static void
nonce(struct reading *r)
{
	struct gsakmp_nonce n;

	vec_ok(r->v, gsakmp_nonce_decode(&r->rd, &n), "decoding");
	vec_ok(r->v, gsakmp_nonce_check(&n, &r->voc, &r->why), "check");
	num(r, "nonce_type", n.type);
	octets(r, "nonce_data", n.data);
	gsakmp_nonce_encode(&r->wr, &n);
}

static void (*const readers[])(struct reading *) = {
	[GSAKMP_PAYLOAD_POLICY_TOKEN] = policy_token,
	[GSAKMP_PAYLOAD_KEY_DOWNLOAD] = key_download,
	[GSAKMP_PAYLOAD_REKEY_EVENT] = rekey_event,
	[GSAKMP_PAYLOAD_IDENTIFICATION] = identification,
	[GSAKMP_PAYLOAD_CERTIFICATE] = certificate,
	[GSAKMP_PAYLOAD_SIGNATURE] = signature,
	[GSAKMP_PAYLOAD_NOTIFICATION] = notification,
	[GSAKMP_PAYLOAD_VENDOR_ID] = vendor_id,
	[GSAKMP_PAYLOAD_KEY_CREATION] = key_creation,
	[GSAKMP_PAYLOAD_NONCE] = nonce,
};

static void
payload(struct vec *v)
{
	struct gk_slice all = vec_octets(v, v->out, "payload");
	long long type = vec_num(v, v->in, "type");
	struct reading r = { .v = v,
		             .fields = vec_object(v, v->in, "fields"),
		             .voc = { .suite = true } };
	struct gsakmp_generic generic;
	struct gk_slice body;
	uint8_t buf[4096];
	struct gk_rd rd;

	gk_rd_init(&rd, all.ptr, all.len);
	vec_ok(v, gsakmp_generic_decode(&rd, &generic, &r.rd),
	       "generic header");
	vec_ok(v, gsakmp_generic_check(&generic, &r.voc, &r.why),
	       "generic header");
	vec_same_num(v, "octets behind it", (long long)gk_rd_left(&rd), 0);
	vec_same_num(v, "next_payload", generic.next_payload,
	             vec_num(v, v->in, "next_payload"));
	if (type < 0 || (size_t)type >= GK_COUNT(readers) || !readers[type])
		vec_fail(v, "payload type %lld", type);
	body = (struct gk_slice){ all.ptr + GSAKMP_GENERIC_LEN,
		                  all.len - GSAKMP_GENERIC_LEN };
	gk_wr_init(&r.wr, buf, sizeof(buf));
	readers[type](&r);
	vec_ok(v, gk_rd_done(&r.rd), "octets behind its fields");
	vec_ok(v, gk_wr_done(&r.wr), "encoding");
	vec_same(v, "body", (struct gk_slice){ buf, r.wr.len }, body);
	vec_same_num(v, "fields looked at", (long long)r.looked_at,
	             (long long)json_object_size(r.fields));
}

/* A number that is a choice, between what stands around it in a payload. */
static void
choice(struct vec *v)
{
	const char *of = vec_text(v, v->in, "of");
	struct gk_slice before = vec_octets(v, v->in, "before");
	struct gk_slice after = vec_octets(v, v->in, "after");
	const struct {
		const char *name;
		unsigned value;
		bool two; /* octets */
	} row[] = {
		{ "loa", gsakmp_dialect_loa(&readings(v)->dialect), true },
		{ "freshness", gsakmp_dialect_freshness(&readings(v)->dialect),
		  true },
		{ "invalid-certificate",
		  gsakmp_dialect_invalid_cert(&readings(v)->dialect), true },
		{ "classification",
		  gsakmp_dialect_classification(&readings(v)->dialect), false },
		{ "none-version",
		  readings(v)->dialect.rekey_none_algver ==
		          GSAKMP_REKEY_NONE_ALGVER_1,
		  false },
	};
	uint8_t buf[512];
	struct gk_wr wr;

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		if (strcmp(row[i].name, of) != 0)
			continue;
		vec_same_num(v, of, row[i].value, vec_num(v, v->out, "value"));
		gk_wr_init(&wr, buf, sizeof(buf));
		gk_wr_bytes(&wr, before);
		if (row[i].two)
			gk_wr_u16(&wr, (uint16_t)row[i].value);
		else
			gk_wr_u8(&wr, (uint8_t)row[i].value);
		gk_wr_bytes(&wr, after);
		vec_ok(v, gk_wr_done(&wr), "payload");
		vec_same(v, "payload", (struct gk_slice){ buf, wr.len },
		         vec_octets(v, v->out, "payload"));
		return;
	}
	vec_fail(v, "nobody knows the choice '%s'", of);
}

/* As Leave Group with data it has no reason in front. */
static void
expulsion(struct vec *v)
{
	const struct gsakmp_expulsion who = {
		.reason = (uint8_t)vec_num(v, v->in, "reason"),
		.id_type = (uint8_t)vec_num(v, v->in, "id_type"),
		.id = vec_octets(v, v->in, "identification_data"),
	};
	struct gk_slice want = vec_octets(v, v->out, "notification_data");
	const struct gsakmp_vocabulary voc = { .suite = true };
	bool leave = readings(v)->dialect.expulsion ==
	             GSAKMP_EXPULSION_AS_LEAVE_DATA;
	struct gsakmp_expulsion back;
	struct gsakmp_reject why;
	uint8_t buf[512];
	struct gk_wr wr;

	vec_same_num(v, "notification_type",
	             leave ? GSAKMP_NOTIFY_LEAVE_GROUP
	                   : GSAKMP_NOTIFY_EXPULSION,
	             vec_num(v, v->out, "notification_type"));
	gk_wr_init(&wr, buf, sizeof(buf));
	gsakmp_expulsion_encode(&wr, &who);
	vec_ok(v, gk_wr_done(&wr), "encoding");
	vec_same(v, "notification_data",
	         (struct gk_slice){ buf + leave, wr.len - leave }, want);
	vec_ok(v,
	       gsakmp_expulsion_decode((struct gk_slice){ buf, wr.len }, 0,
	                               &voc, &back, &why),
	       "decoding");
	vec_same_num(v, "reason", back.reason, who.reason);
	vec_same_num(v, "id_type", back.id_type, who.id_type);
	vec_same(v, "identification_data", back.id, who.id);
}

const struct vec_kind vec_payload_kinds[] = {
	{ "expulsion", expulsion },
	{ "payload", payload },
	{ "choice", choice },
	{ NULL, NULL },
};
