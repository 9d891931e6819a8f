/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/policy_private.h"
#include "gdoi/payload/sat_keys.h"

#define IP_PROTOCOL_UDP 17

/* --- addresses ------------------------------------------------------------------- */

static struct gdoi_endpoint
endpoint(struct gdoi_policy_making *m, const struct gpt_id *id,
         struct gpt_number port)
{
	return (struct gdoi_endpoint){
		.type = (uint8_t)id->type,
		.port = gdoi_policy_number16(port),
		.data = gdoi_policy_keep(m, gk_buf_slice(&id->data)),
	};
}

static bool
is_v6(const struct gdoi_endpoint *e)
{
	return e->type == ISAKMP_ID_IPV6_ADDR ||
	       e->type == ISAKMP_ID_IPV6_ADDR_SUBNET ||
	       e->type == ISAKMP_ID_IPV6_ADDR_RANGE;
}

/* An address of a SAK that the policy leaves out: unspecified, of the family of
 * the other one. */
static void
unspecified(struct gdoi_policy_making *m, struct gdoi_endpoint *e,
            const struct gdoi_endpoint *other)
{
	static const uint8_t zero[16];
	bool v6 = is_v6(other);

	if (e->type != 0)
		return;
	e->type = v6 ? ISAKMP_ID_IPV6_ADDR : ISAKMP_ID_IPV4_ADDR;
	e->data = gdoi_policy_keep(m, (struct gk_slice){ zero, v6 ? 16 : 4 });
}

enum gk_err
gdoi_policy_set_source(struct gdoi_policy *policy, struct gk_slice ip)
{
	struct gdoi_endpoints *ep = &policy->rekey.sak.ep;
	const uint8_t *old = ep->src.data.ptr;
	struct gk_slice room = gk_buf_slice(&policy->octets);
	size_t n = ep->src.data.len;

	for (size_t i = 0; i < n; i++)
		if (old[i] != 0)
			return GK_OK;
	if (!policy->rekey.on)
		return GK_OK;
	if (ip.len != n)
		return GK_ERR_VALUE;
	/* The octets are ours, though lent out as const. */
	memcpy(policy->octets.ptr + (old - room.ptr), ip.ptr, n);
	return GK_OK;
}

/* --- the Rekey SA ------------------------------------------------------------------ */

static enum gk_err
legacy(struct gdoi_policy_making *m, const struct gdoi_sak *sak)
{
	const char *what = NULL;

	if (m->legacy_ok)
		return GK_OK;
	if (sak->algorithm != GDOI_KEK_ALG_AES)
		what = isakmp_code_text(ISAKMP_TABLE_KEK_ALG, sak->algorithm);
	else if (sak->sig_algorithm == GDOI_SIG_ALG_DSS ||
	         sak->sig_algorithm == GDOI_SIG_ALG_ECDSS)
		what = isakmp_code_text(ISAKMP_TABLE_SIG_ALG,
		                        sak->sig_algorithm);
	else if (sak->sig_hash == GDOI_SIG_HASH_MD5 ||
	         sak->sig_hash == GDOI_SIG_HASH_SHA1)
		what = isakmp_code_text(ISAKMP_TABLE_SIG_HASH, sak->sig_hash);
	else if (sak->sig_algorithm == GDOI_SIG_ALG_RSA &&
	         sak->sig_key_length != 0 && sak->sig_key_length < 2048)
		what = "an RSA key of less than 2048 bits";
	return what ? gdoi_policy_refuse(m, "rekey: %s is legacy", what)
	            : GK_OK;
}

static enum gk_err
known(struct gdoi_policy_making *m, enum isakmp_table table, uint32_t value,
      const char *what)
{
	if (value == 0 || isakmp_code_known(table, value))
		return GK_OK;
	return gdoi_policy_refuse(m, "rekey: %s %u is not known here", what,
	                          value);
}

enum gk_err
gdoi_policy_make_rekey(struct gdoi_policy_making *m,
                       const struct gpt_gdoi_rekey *in)
{
	struct gdoi_rekey_policy *out = &m->p->rekey;
	struct gdoi_sak *sak = &out->sak;
	struct isakmp_reject why = { 0 };

	*sak = (struct gdoi_sak){
		.management =
			in->lkh_degree.present ? GDOI_KEK_MANAGEMENT_LKH : 0,
		.algorithm = gdoi_policy_number16(in->algorithm),
		.key_length = gdoi_policy_number16(in->key_length),
		.lifetime = gdoi_policy_number(in->lifetime),
		.sig_hash = gdoi_policy_number16(in->sig_hash),
		.sig_algorithm = gdoi_policy_number16(in->sig_algorithm),
		.sig_key_length = gdoi_policy_number16(in->sig_key_length),
		.ack = gdoi_policy_number16(in->ack),
	};
	sak->ep.protocol = IP_PROTOCOL_UDP;
	sak->ep.src = endpoint(m, &in->source, in->source_port);
	sak->ep.dst = endpoint(m, &in->destination, in->destination_port);
	unspecified(m, &sak->ep.dst, &sak->ep.src);
	unspecified(m, &sak->ep.src, &sak->ep.dst);
	if (gdoi_endpoints_check(&sak->ep, false, "RFC6407-5.3-07", &why) !=
	    GK_OK)
		return gdoi_policy_refuse(m, "rekey: push: bad %s", why.field);
	if (is_v6(&sak->ep.src) != is_v6(&sak->ep.dst))
		return gdoi_policy_refuse(m, "rekey: push: source and "
		                             "destination are of two families");
	GK_TRY(known(m, ISAKMP_TABLE_KEK_ALG, sak->algorithm, "kek algorithm"));
	GK_TRY(known(m, ISAKMP_TABLE_SIG_ALG, sak->sig_algorithm,
	             "signature algorithm"));
	GK_TRY(known(m, ISAKMP_TABLE_SIG_HASH, sak->sig_hash,
	             "signature hash"));
	GK_TRY(known(m, ISAKMP_TABLE_ACK, sak->ack, "ack type"));
	GK_TRY(legacy(m, sak));

	out->on = true;
	out->backward = in->backward.value != 0;
	out->lkh_degree = gdoi_policy_number(in->lkh_degree);
	out->margin_s = gdoi_policy_number(in->margin);
	out->interval_s = gdoi_policy_number(in->interval);
	out->resend_count = gdoi_policy_number(in->resend);
	out->resend_spacing_ms = gdoi_policy_number(in->spacing_ms);
	out->silent_max = gdoi_policy_number(in->silent_max);
	out->evict_silent = in->evict.value != 0;
	out->evict_at_once = in->at_once.value != 0;
	out->hide_kek = in->hide_kek.value != 0;
	return GK_OK;
}

/* --- the Data-Security SAs ------------------------------------------------------------ */

static enum gk_err
add(struct gdoi_policy_making *m, const struct gdoi_sat *sat, bool sids,
    struct gk_slice source_key)
{
	struct gdoi_policy *p = m->p;
	struct gdoi_sat_keys keys;
	struct isakmp_reject why = { 0 };

	if (p->n_data == GDOI_SATS_MAX)
		return gdoi_policy_refuse(m, "more than %d data SAs",
		                          GDOI_SATS_MAX);
	if (gdoi_sat_keys(m->dialect, sat, &keys, &why) != GK_OK)
		return gdoi_policy_refuse(m, "data SA %zu: %s [%s]",
		                          p->n_data + 1, why.field,
		                          why.req ? why.req : "");
	if (keys.legacy && !m->legacy_ok)
		return gdoi_policy_refuse(m,
		                          "data SA %zu: legacy algorithms, "
		                          "or no authentication",
		                          p->n_data + 1);
	p->data[p->n_data++] = (struct gdoi_data_policy){
		.sat = *sat,
		.counter_mode = keys.counter_mode && sids,
		.source_key = source_key,
	};
	return GK_OK;
}

/* Switch gcm_key_length: one peer counts the salt, too. */
static uint16_t
key_length(const struct gdoi_policy_making *m, const struct gpt_ipsec_sa *sa)
{
	uint16_t bits = gdoi_policy_number16(sa->key_length);
	bool gcm = sa->protocol.value == GDOI_PROTOCOL_ESP &&
	           sa->transform.value >= 18 && sa->transform.value <= 20;

	if (gcm && m->dialect->gcm_key_length == GDOI_GCM_KEY_LENGTH_KEY_SALT)
		bits = (uint16_t)(bits + 32);
	return bits;
}

static enum gk_err
make_ipsec_sa(struct gdoi_policy_making *m, const struct gpt_ipsec_sa *in)
{
	struct isakmp_reject why = { 0 };
	struct gdoi_sat sat = {
		.protocol = (uint8_t)in->protocol.value,
		.ipsec = {
			.transform = (uint8_t)in->transform.value,
			.life_s = gdoi_policy_number(in->life_s),
			.life_kb = gdoi_policy_number(in->life_kb),
			.encapsulation = gdoi_policy_number16(in->mode),
			.authentication = gdoi_policy_number16(
				in->authentication),
			.key_length = key_length(m, in),
			.key_rounds = gdoi_policy_number16(in->key_rounds),
			.ecn_tunnel = gdoi_policy_number16(in->ecn),
			.extended_sequence = gdoi_policy_number16(
				in->sequence),
			.authentication_length = gdoi_policy_number16(
				in->authentication_length),
			.signature_encoding = gdoi_policy_number16(
				in->signature_encoding),
			.address_preservation = gdoi_policy_number16(
				in->preservation),
			.direction = gdoi_policy_number16(in->direction),
		},
	};
	struct gdoi_endpoints *ep = &sat.ipsec.ep;

	ep->protocol = (uint8_t)in->ip_protocol.value;
	ep->src = endpoint(m, &in->source, in->source_port);
	ep->dst = endpoint(m, &in->destination, in->destination_port);
	/* Any source, switch any_source: no data, or three zeros. */
	if (in->source.type == 0) {
		static const uint8_t zero[3];

		ep->src.type = is_v6(&ep->dst) ? ISAKMP_ID_IPV6_ADDR
		                               : ISAKMP_ID_IPV4_ADDR;
		if (m->dialect->any_source == GDOI_ANY_SOURCE_ZERO3)
			ep->src.data = (struct gk_slice){ zero, 3 };
	}
	/* What every member would refuse is not offered. */
	if (gdoi_endpoints_check(ep, true, "RFC6407-5.5.1-04", &why) != GK_OK ||
	    gdoi_endpoints_ranges_check(ep, &why) != GK_OK)
		return gdoi_policy_refuse(m, "data SA %zu: traffic: bad %s",
		                          m->p->n_data + 1, why.field);
	return add(m, &sat, true,
	           gdoi_policy_keep(m, gk_buf_slice(&in->source_key)));
}

enum gk_err
gdoi_policy_make_ipsec(struct gdoi_policy_making *m,
                       const struct gpt_ipsec *ipsec)
{
	for (size_t i = 0; i < ipsec->n; i++)
		GK_TRY(make_ipsec_sa(m, &ipsec->at[i]));
	return GK_OK;
}

enum gk_err
gdoi_policy_make_iec(struct gdoi_policy_making *m, const struct gpt_iec *iec)
{
	bool sids =
		m->dialect->sid_for_iec61850 == GDOI_SID_FOR_IEC61850_INCLUDE;

	for (size_t i = 0; i < iec->n; i++) {
		const struct gpt_iec_sa *in = &iec->at[i];
		struct gdoi_sat sat = {
			.protocol = GDOI_PROTOCOL_IEC_61850,
			.iec = {
				.auth = gdoi_policy_number16(
					in->authentication),
				.enc = gdoi_policy_number16(in->encryption),
				.lifetime = gdoi_policy_number(in->lifetime),
				.has_atd = in->atd.present,
				.has_kda = in->kda.present,
				.atd = gdoi_policy_number(in->atd),
				.kda = gdoi_policy_number16(in->kda),
			},
		};

		if (!isakmp_code_known(ISAKMP_TABLE_IEC_AUTH, sat.iec.auth) ||
		    !isakmp_code_known(ISAKMP_TABLE_IEC_ENC, sat.iec.enc))
			return gdoi_policy_refuse(
				m,
				"data SA %zu: an algorithm that is not "
				"known here",
				m->p->n_data + 1);
		if (in->payload.len > UINT16_MAX - 256)
			return gdoi_policy_refuse(
				m,
				"data SA %zu: an OID-Specific Payload of "
				"%zu octets fits no message",
				m->p->n_data + 1, in->payload.len);
		if (!gdoi_oid_payload_fits(gk_buf_slice(&in->payload)))
			return gdoi_policy_refuse(
				m,
				"data SA %zu: its OID-Specific Payload is no "
				"DER",
				m->p->n_data + 1);
		GK_TRY(gdoi_policy_oid(m, in->oid, &sat.iec.oid));
		sat.iec.payload =
			gdoi_policy_keep(m, gk_buf_slice(&in->payload));
		GK_TRY(add(m, &sat, sids, (struct gk_slice){ 0 }));
	}
	return GK_OK;
}
